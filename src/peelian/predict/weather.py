"""Weather and calendar: do they tell how many there will be in all? They are used only if they earn it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from peelian.predict.claims import DieboldMariano, diebold_mariano
from peelian.predict.history import USUAL_MONTH
from peelian.predict.level_equation import (
    FEWEST,
    Walk,
    columns_of,
    first_origin,
    step_of_index,
    usual_weather,
    walk,
)

if TYPE_CHECKING:
    from peelian.incidents import Incidents

WEATHER = {"tmean": "temperature", "rain": "rain"}
SEASON = {"day": "season and day of the week", "week": "season", "month": "season"}
PERFECT = "perfect weather (not available in practice)"
KNOWN = "usual weather of the date"
YESTERDAY = "weather of the day before"
BEFOREHAND = "known beforehand"
ALPHA = 0.05
CALENDAR_SETS = {
    "bank holidays": ("bank_holiday", "bank_holidays"), "days off": ("day_off", "days_off"),
    "school holidays": ("school_holiday", "school_holidays"), "daylight": ("daylight",),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One set of columns against the equation without them, over all origins and each half: season against
    past counts alone, everything else against both.

    ``adds`` what it adds; ``weather`` where its values come from; ``log_score`` mean, and its ``difference``
    (below 0 better); ``p`` one-sided on all origins, ``p_first``, ``p_second`` on each half; ``deviance``
    change of the Poisson deviance as a share; ``kept`` whether it may be used.
    """

    adds: str
    weather: str
    log_score: float
    difference: float
    p: float
    p_first: float
    p_second: float
    deviance: float
    kept: bool


@dataclass(frozen=True, eq=False)
class WeatherTest:
    """What weather and calendar did to forecasts of the total, and what may be said of it.

    ``rows``     as ``Row``; ``origins`` number and ``first``, ``last``; ``step`` of them; ``base`` log score
                 with past counts and season; ``kept`` the sets that earned their place.
    """

    rows: pd.DataFrame
    origins: int
    first: str
    last: str
    step: str
    base: float
    kept: tuple[str, ...]

    def sentence(self, crimes: str) -> str:
        """The verdict in words, for the whole area: weather says nothing of where."""
        span = f"{self.origins:,} forecasts of a {self.step} ahead, {self.first} to {self.last}"
        usable = self.rows[self.rows["kept"] if self.kept else self.rows["weather"] != PERFECT]
        best = usable.loc[usable["difference"].idxmin()]
        told = (
            f"{best['adds']} ({best['weather']}) changes the log score by {best['difference']:+.4f} and the "
            f"deviance by {best['deviance'] * 100:+.1f} %"
        )
        if self.kept:
            left = (
                "; the map's total is of a week or a month, and this was tested a day ahead"
                if self.step == "day"
                else ""
            )
            return (
                f"Of the number of {crimes} in the whole area, {'; '.join(self.kept)} told something on "
                f"{span}: {told} (one-sided p {_p(best['p'])}, below .05 in each half too). It moves the "
                f"citywide level, not where{left}."
            )
        perfect = self.rows[self.rows["weather"] == PERFECT]
        known = ""
        if len(perfect):
            row = perfect.loc[perfect["difference"].idxmin()]
            known = (
                f" Whoever had known the weather of the {self.step} itself would have changed the deviance "
                f"by {row['deviance'] * 100:+.1f} % ({row['adds']}); nobody does."
            )
        return (
            f"Weather and calendar are not used: on {span}, nothing known beforehand lowered the log score "
            f"of the total number of {crimes} in both halves (best: {told}, one-sided p "
            f"{best['p']:.3f}).{known} At most they move the citywide level, not where."
        )


@dataclass(frozen=True, eq=False)
class Walked:
    """The equation walked over the origins: ``walks`` by what is added and where its values come from, and
    ``plain`` the equation without it on the same periods; ``index`` of the totals.
    """

    walks: dict[tuple[str, str], Walk]
    plain: dict[tuple[str, str], Walk]
    index: pd.PeriodIndex
    step: str

    def kept(self, key: tuple[str, str], position: int | None = None) -> bool:
        """Whether a set had earned its place by a position: on all origins before it, and in each half."""
        if key[1] == PERFECT:
            return False
        tests = self.tests(key, position)
        return tests is not None and all(test.p_lower < ALPHA for test in tests)

    def tests(self, key: tuple[str, str], position: int | None = None) -> list[DieboldMariano] | None:
        """Whether the score fell on all origins before a position, in the first half and in the second."""
        made, plain = (
            one.scores if position is None else one.before(position)
            for one in (self.walks[key], self.plain[key])
        )
        if len(made) < FEWEST[self.step]:
            return None
        difference = made - plain
        half = len(difference) // 2
        return [diebold_mariano(part) for part in (difference, difference[:half], difference[half:])]

    def best(self, keys: list[tuple[str, str]], position: int) -> tuple[str, str]:
        """The set with the lowest score on the periods before a position that all of them forecast."""
        shared = set.intersection(*(set(self.walks[key].at.tolist()) for key in keys))
        common = np.array(sorted(at for at in shared if at < position))

        def score(key: tuple[str, str]) -> float:
            one = self.walks[key]
            return float(one.scores[np.searchsorted(one.at, common)].mean())

        return min(keys, key=score) if len(common) else keys[0]


def walked(
    totals: pd.Series, weather: pd.DataFrame, *, calendar: Mapping[str, tuple[str, ...]] | None = None,
    lag: int = 0,
) -> Walked:  # fmt: skip
    """The equation of ``weather_test``, walked over its origins; a last total that is missing is forecast.

    ``lag``  periods before each that were not known yet. Weather sets share their periods, those with every
    value of it; season needs none of them, and each set of the calendar only its own columns.
    """
    step = step_of_index(totals.index)
    used = [name for name in WEATHER if name in weather]
    frame = weather.reindex(totals.index)
    sources = {PERFECT: frame, KNOWN: usual_weather(frame[used], step)}
    if step == "day":
        sources[YESTERDAY] = frame[used].shift(1)
    lags, base = columns_of(totals, step, lag)
    made: dict[bytes, Walk] = {}
    walks: dict[tuple[str, str], Walk] = {}
    plain: dict[tuple[str, str], Walk] = {}

    def add(
        key: tuple[str, str], learn: pd.DataFrame, ahead: pd.DataFrame, whole: pd.Series, ready: pd.Series
    ) -> None:
        """Walk a set, learned from ``whole`` periods, over those ``ready``; and the equation without it
        on the same.
        """
        without = lags if key[0] == SEASON[step] else base
        start = first_origin(whole & totals.notna(), ready & totals.notna(), base, step)
        ready = ready | totals.isna()  # a period to come: by what is known of it
        name = b"".join((whole.to_numpy().tobytes(), ready.to_numpy().tobytes(), bytes(without is lags)))
        if name not in made:
            made[name] = walk(totals, without, without, whole, ready, start, step)
        walks[key] = walk(totals, learn, ahead, whole, ready, start, step)
        plain[key] = made[name]

    every = pd.Series(True, totals.index)
    add((SEASON[step], BEFOREHAND), base, base, every, every)
    whole = frame[used].notna().all(axis=1)
    ready = pd.concat([source[used].notna() for source in sources.values()], axis=1).all(axis=1)
    for name, columns in _sets(used).items():
        for source, values in sources.items():
            learnt = (values if source == YESTERDAY else frame)[list(columns)]
            add((name, source), base.join(learnt), base.join(values[list(columns)]), whole, ready)
    for name, columns in (calendar or {}).items():
        held = [column for column in columns if column in frame and frame[column].notna().any()]
        if held:
            given, known = base.join(frame[held].astype(float)), frame[held].notna().all(axis=1)
            add((name, BEFOREHAND), given, given, known, known)
    return Walked(walks, plain, totals.index, step)


def _sets(used: list[str]) -> dict[str, tuple[str, ...]]:
    sets: dict[str, tuple[str, ...]] = {WEATHER[name]: (name,) for name in used}
    if len(used) > 1:
        sets["temperature and rain"] = tuple(used)
    return sets


def weather_test(
    totals: pd.Series, weather: pd.DataFrame, *, calendar: Mapping[str, tuple[str, ...]] | None = None
) -> WeatherTest:
    """Forecasts of the total one step ahead, with and without weather, on rolling origins.

    ``totals``    incidents in all places on a PeriodIndex of days, weeks or months, gaps left out.
    ``weather``   ``tmean`` (degrees) and ``rain`` (mm) on such an index, missing where not measured; further
                  columns for ``calendar``, which names sets of them (they are known beforehand).

    The equation for the level: a Poisson regression on fading means of past counts, then with season and day
    of the week, fitted anew every 28 days (4 weeks, month) on everything before; then with mean temperature,
    rain and both. Forecasts take what was known before: the usual weather of the date in earlier years
    (coefficients learnt from measured weather), or for days that of the day before. Measured weather of the
    period itself stands in its own rows, as what nobody has. A set is kept only if the log score (negative
    binomial) falls with one-sided p < .05 (Diebold & Mariano 1995) on all origins and in each half. Raises
    ``DesignError`` for too short a history.
    """
    return judged(walked(totals, weather, calendar=calendar))


def judged(found: Walked) -> WeatherTest:
    """What the walks say of each set, over all origins."""
    rows = [_row(found, key) for key in found.walks]
    table = pd.DataFrame([row.__dict__ for row in rows])
    season = found.walks[SEASON[found.step], BEFOREHAND]
    when = found.index[season.at[: len(season.scores)]]
    kept = tuple(dict.fromkeys(table.loc[table["kept"], "adds"]))
    return WeatherTest(
        table, len(when), str(when[0]), str(when[-1]), found.step, float(season.scores.mean()), kept
    )


def totals_of(incidents: Incidents, step: str) -> pd.Series:
    """Incidents by day or month, zeros present; months never delivered are left out."""
    when = incidents.frame["start"].dt.to_period("M" if step == "month" else "D")
    counts = when.value_counts()
    index = pd.period_range(when.min(), when.max(), freq=when.dtype.freq)
    totals = counts.reindex(index, fill_value=0).astype(float)
    month = index.asfreq("M")
    by_month = totals.groupby(month).sum()
    if by_month[by_month > 0].mean() >= USUAL_MONTH:
        totals = totals[by_month.reindex(month).to_numpy() > 0]
    return totals


def tested(incidents: Incidents, weather: pd.DataFrame) -> WeatherTest:
    """The test on incidents and a frame of weather and calendar by day or month, as ``[weather]`` gives it.

    Sets of the calendar that are there are tried one by one: bank holidays, days off, school holidays, hours
    of daylight.
    """
    step = "month" if str(weather.index.dtype) == "period[M]" else "day"
    return weather_test(totals_of(incidents, step), numbers(weather), calendar=CALENDAR_SETS)


def numbers(weather: pd.DataFrame) -> pd.DataFrame:
    """Weather and calendar as numbers: a bank holiday counts 1."""
    frame = weather.copy()
    if "bank_holiday" in frame:
        frame["bank_holiday"] = frame["bank_holiday"].notna()
    for column in frame.columns.difference(list(WEATHER)):
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def _row(found: Walked, key: tuple[str, str]) -> Row:
    made, plain = found.walks[key], found.plain[key]
    tests = found.tests(key)
    assert tests is not None
    change = float(made.deviances.sum() / plain.deviances.sum() - 1)
    p, first, second = (test.p_lower for test in tests)
    return Row(*key, float(made.scores.mean()), tests[0].mean, p, first, second, change, found.kept(key))
