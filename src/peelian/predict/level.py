"""Level: how many in all. The mean of the last year, with the season of its months, or what earned its
place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from peelian.arithmetic.daylight import daylight_hours
from peelian.arithmetic.scores import log_score
from peelian.errors import DesignError
from peelian.figures import bank_holidays
from peelian.predict.backtest import ENOUGH
from peelian.predict.claims import block_draws, diebold_mariano, interval
from peelian.predict.history import History, moment_of
from peelian.predict.method import FEWEST_ORIGINS, FLOOR, at_level
from peelian.predict.weather import (
    ALPHA,
    CALENDAR_SETS,
    WEATHER,
    Walked,
    WeatherTest,
    judged,
    numbers,
    walked,
)

if TYPE_CHECKING:
    from peelian.predict.backtest import Backtest
    from peelian.predict.breaks import Break

Kind = Literal["year", "seasonal", "kept"]
FEWEST_MONTHS = 36
WORDS = {
    "seasonal": "own monthly factors from at least 36 months",
    "kept": "the equation with what had earned its place by then",
}


@dataclass(frozen=True, eq=False)
class Levels:
    """Incidents expected in all places by origin, the last of them the period to come.

    ``frame``  on the steps of the origins: ``year`` (mean of the last 12 whole months, or 365 days),
               ``seasonal`` (that, with own monthly factors), ``kept`` (the equation with what had earned its
               place on origins before; ``kept_by`` says what), missing where there is none.
    ``test``   season, calendar and weather on the total, over all origins; None where ``why`` says why.
    ``breaks`` changes of recording, at which seasonal factors start anew.
    """

    frame: pd.DataFrame
    test: WeatherTest | None
    why: str
    breaks: tuple[Break, ...]


@dataclass(frozen=True)
class LevelRow:
    """A method's map at another level against the same map as it was forecast, where there was such a level.

    ``origins`` of those, ``needed`` at least; ``difference`` of the log score with its 95 % interval, below 0
    better; one-sided p, on all of them and in each half; ``kept`` whether it may be used.
    """

    level: str
    origins: int
    needed: int
    difference: float
    low: float
    high: float
    p: float
    p_first: float
    p_second: float
    kept: bool


def levels_of(
    history: History, starts: Sequence[int], length: int, *, lag: int = 0,
    weather: pd.DataFrame | None = None, calendar: tuple[str, ...] = (), latitude: float = 0.0,
    breaks: tuple[Break, ...] = (),
) -> Levels:  # fmt: skip
    """The level under each rule at every origin, from what was known before it.

    ``history``   of all places; ``starts`` steps of the origins in order, ``length`` steps that each spans.
    ``lag``       steps before each that were not known yet.
    ``weather``   by day or month with the calendar beside it; ``calendar`` of ``bank_holidays``, ``darkness``
                  where there is no such file, the latter at a ``latitude``.
    """
    every = [*starts, starts[-1] + length]
    rows = []
    for at in every:
        known = history.before(min(at - lag, history.end))
        rows.append((known.level(at, at + length), seasonal_level(known, at, at + length, breaks)))
    frame = pd.DataFrame(rows, index=every, columns=["year", "seasonal"])
    try:
        found, position = _equation(history, every, length, lag, weather, calendar, latitude)
    except DesignError as error:
        return Levels(frame.assign(kept=np.nan, kept_by=""), None, str(error), breaks)
    behind = -(-lag // length)
    kept = [kept_level(found, position(at), behind) for at in every]
    frame["kept"], frame["kept_by"] = [one[0] for one in kept], [one[1] for one in kept]
    return Levels(frame, judged(found), "", breaks)


def kept_level(found: Walked, position: int, behind: int = 0) -> tuple[float, str]:
    """The total of a period by the best equation that had earned its place before it, and what that adds."""
    known = position - behind
    earned = [key for key in found.walks if found.kept(key, known)]
    if not earned:
        return float("nan"), ""
    best = found.best(earned, known)
    one = found.walks[best]
    at = np.flatnonzero(one.at == position)
    return (float(one.means[at[0]]), best[0]) if len(at) else (float("nan"), "")


def seasonal_level(history: History, start: int, stop: int, breaks: Sequence[Break] = ()) -> float:
    """The mean of the last year times the season of the period's months; missing below 36 months.

    Factors start anew at the last change of recording before the end of the period.
    """
    first, after = (moment_of(at, history.step) for at in (start, stop))
    factors = seasonal_factors(monthly(history), [one.month for one in breaks if one.day < after])
    if factors is None:
        return float("nan")
    days = pd.date_range(first, after, inclusive="left", freq="D")
    season = float(factors[days.month - 1].mean())
    usual = 365.25 / 12 * (stop - start) if history.step == "month" else float(len(days))
    return history.level(start, stop) * season * len(days) / usual


def seasonal_factors(counts: pd.Series, breaks: Sequence[pd.Period] = ()) -> np.ndarray | None:
    """Twelve factors with mean 1, January first: a month's daily rate over that of the year round it.

    ``counts``  by month, missing where never delivered. The year round a month is its centred mean of twelve
    months (half of the first and of the thirteenth). None below 36 months since the last of the ``breaks``.

    >>> months = pd.period_range("2014-01", "2017-12", freq="M")
    >>> seasonal_factors(pd.Series(months.days_in_month * 2.0, months)).round(6).tolist() == [1.0] * 12
    True
    """
    counts = counts[counts.index >= max(breaks)] if breaks else counts
    if counts.notna().sum() < FEWEST_MONTHS:
        return None
    rate = counts / counts.index.days_in_month
    year = rate.rolling(12).mean()
    ratio = rate / ((year.shift(-5) + year.shift(-6)) / 2)
    factors = ratio.groupby(ratio.index.month).mean().reindex(range(1, 13)).to_numpy(float)
    return factors / factors.mean() if np.isfinite(factors).all() else None


def monthly(history: History) -> pd.Series:
    """Incidents in all places by whole month before the end of history, missing where never delivered."""
    held = history.held
    totals = history.totals[: len(held)].astype(float)
    totals[~held] = np.nan
    if history.step == "month":
        return pd.Series(totals, _months(history.first, len(totals)))
    days = pd.PeriodIndex(
        pd.date_range(moment_of(history.first, "day"), periods=len(totals), freq="D"), freq="D"
    )
    months = days.asfreq("M")
    by_month = pd.Series(totals).groupby(months).sum(min_count=1)
    whole = pd.Series(1, months).groupby(level=0).sum() == by_month.index.days_in_month
    return by_month[whole.to_numpy()].asfreq("M")


def _months(first: int, number: int) -> pd.PeriodIndex:
    return pd.period_range(moment_of(first, "month"), periods=number, freq="M")


# -------------------------------------------------------------------- the equation, by the periods of the map
def _equation(
    history: History, every: Sequence[int], length: int, lag: int, weather: pd.DataFrame | None,
    calendar: tuple[str, ...], latitude: float,
) -> tuple[Walked, Callable[[int], int]]:  # fmt: skip
    totals = totals_by_period(history, every[-1], length)
    frame = conditions_by_period(weather, totals.index)
    own = calendar_by_period(totals.index, calendar, latitude)
    frame = own.join(frame.drop(columns=[name for name in own if name in frame]))
    found = walked(totals, frame, calendar=CALENDAR_SETS, lag=-(-lag // length))
    periods = totals.index

    def position(at: int) -> int:
        start = moment_of(at, history.step)
        return int(periods.get_loc(pd.Period(start, periods.freq)))

    return found, position


def totals_by_period(history: History, last: int, length: int) -> pd.Series:
    """Incidents in all places by periods like the one that starts at step ``last``, which is missing.

    Months, or weeks that begin on its weekday; periods not delivered are left out.
    """
    held = history.held
    totals = history.totals[: len(held)].astype(float)
    totals[~held] = np.nan
    if history.step == "month":
        series = pd.Series(totals, _months(history.first, len(totals)))
    else:
        over = (last - history.first) % length
        blocks = totals[over:]
        blocks = blocks[: len(blocks) // length * length].reshape(-1, length).sum(axis=1)
        freq = "D" if length == 1 else f"W-{WEEKDAYS[(moment_of(last, 'day').day_of_week + 6) % 7]}"
        first = pd.Period(moment_of(history.first + over, "day"), freq)
        series = pd.Series(blocks, pd.period_range(first, periods=len(blocks), freq=freq))
    series = series.dropna()
    to_come = pd.Period(moment_of(last, history.step), series.index.freq)
    return pd.concat([series, pd.Series([np.nan], pd.PeriodIndex([to_come]))])


WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def conditions_by_period(weather: pd.DataFrame | None, index: pd.PeriodIndex) -> pd.DataFrame:
    """Weather and calendar on the periods of an index: means, and sums of days of a kind."""
    if weather is None or (str(weather.index.dtype) == "period[M]" and index.freqstr[0] != "M"):
        return pd.DataFrame(index=index)
    frame = numbers(weather)
    if frame.index.freqstr != index.freqstr:
        held = frame.groupby(pd.PeriodIndex(frame.index.to_timestamp(), freq=index.freq))
        means = [name for name in frame if name in (*WEATHER, "daylight")]
        rest = [name for name in frame if name not in means]
        frame = held[means].mean().join(held[rest].sum(min_count=1)) if rest else held[means].mean()
    return frame.reindex(index)


def calendar_by_period(index: pd.PeriodIndex, kinds: tuple[str, ...], latitude: float) -> pd.DataFrame:
    """Bank holidays and hours of daylight of each period, as far as they are asked for."""
    frame = pd.DataFrame(index=index)
    days = pd.date_range(index[0].start_time, index[-1].end_time.normalize(), freq="D")
    period = pd.PeriodIndex(days, freq=index.freq)
    if "bank_holidays" in kinds:
        known = bank_holidays().index
        free = pd.Series(days.isin(known).astype(float))
        free[(days.year < known.year.min()) | (days.year > known.year.max())] = np.nan
        frame["bank_holidays"] = free.groupby(period).sum(min_count=1).reindex(index)
    if "darkness" in kinds:
        light = pd.Series(daylight_hours(days.day_of_year.to_numpy(), latitude))
        frame["daylight"] = light.groupby(period).mean().reindex(index)
    return frame


# -------------------------------------------------------------------- does it help the map?
def level_rows(tested: Backtest, method: str, levels: Levels, *, seed: int) -> list[LevelRow]:
    """A method's maps of the backtest at each other level, against the same maps as they were forecast.

    A level that fewer than 12 origins had is left out: nothing can be said of it.
    """
    maps, outcomes = tested.forecasts[method], tested.outcomes
    number = maps.shape[1]
    frame = levels.frame.iloc[:number]
    floors = FLOOR * frame["year"].clip(lower=1.0).to_numpy() / len(maps)

    def scores(level: np.ndarray) -> np.ndarray:
        return np.array(
            [
                log_score(
                    outcomes[:, at],
                    at_level(maps[:, at], level[at]) if np.isfinite(level[at]) else maps[:, at],
                    floor=floors[at],
                ).value
                for at in range(number)
            ]
        )

    plain = scores(np.full(number, np.nan))
    needed = ENOUGH[tested.horizon]
    rows = []
    for kind in ("seasonal", "kept"):
        level = frame[kind].to_numpy(float)
        held = np.isfinite(level)
        used = int(held.sum())
        if used < FEWEST_ORIGINS:
            continue
        difference = (scores(level) - plain)[held]
        parts = difference, difference[: used // 2], difference[used // 2 :]
        p, first, second = (diebold_mariano(part).p_lower for part in parts)
        low, high = interval(block_draws(used, seed=seed) @ difference / used)
        kept = used >= needed and max(p, first, second) < ALPHA
        rows.append(LevelRow(kind, used, needed, float(difference.mean()), low, high, p, first, second, kept))
    return rows


def level_to_use(levels: Levels, rows: Sequence[LevelRow], asked: Kind) -> float | None:
    """The period's total at the level that is asked for, where that earned its place; else None."""
    if asked == "year" or not any(row.level == asked and row.kept for row in rows):
        return None
    value = float(levels.frame[asked].iloc[-1])
    return value if np.isfinite(value) else None
