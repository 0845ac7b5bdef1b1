"""Weather and calendar: do they tell how many there will be in all? They are used only if they earn it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from peelian.arithmetic.scores import overdispersion
from peelian.errors import DesignError
from peelian.predict.claims import DieboldMariano, diebold_mariano
from peelian.predict.history import USUAL_MONTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peelian.incidents import Incidents

    Array = NDArray[np.float64]

WEATHER = {"tmean": "temperature", "rain": "rain"}
FIRST = {"day": 730, "month": 60}  # periods to learn from before the first origin
REFIT = {"day": 28, "month": 1}
FEWEST = {"day": 100, "month": 24}
HALF_LIVES = {"day": (7.0, 28.0, 364.0), "month": (2.0, 12.0)}
AROUND = 7  # days either side of the date in earlier years, for its climatology
PERFECT = "perfect weather (not available in practice)"
KNOWN = "usual weather of the date"
YESTERDAY = "weather of the day before"
ALPHA = 0.05


@dataclass(frozen=True)
class Row:
    """One set of columns against the equation without them, over all origins and each half.

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
                 without; ``kept`` the sets that earned their place.
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
                "because it is of a week or a month, and this was tested a day ahead"
                if self.step == "day"
                else "because its method was judged on earlier months without it"
            )
            return (
                f"Of the number of {crimes} in the whole area, {'; '.join(self.kept)} told something on "
                f"{span}: {told} (one-sided p {_p(best['p'])}, below .05 in each half too). It moves the "
                f"citywide level, not where; the map's total is left as it is, {left}."
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


def weather_test(
    totals: pd.Series, weather: pd.DataFrame, *, calendar: Mapping[str, tuple[str, ...]] | None = None
) -> WeatherTest:
    """Forecasts of the total one step ahead, with and without weather, on rolling origins.

    ``totals``    incidents in all places on a PeriodIndex of days or months, gaps left out.
    ``weather``   ``tmean`` (degrees) and ``rain`` (mm) on such an index, missing where not measured; further
                  columns for ``calendar``, which names sets of them (they are known beforehand).

    The equation for the level: a Poisson regression on fading means of past counts, day of the week and
    season, fitted anew every 28 days (or month) on everything before; then with mean temperature, rain and
    both. Forecasts take what was known before: the usual weather of the date in earlier years (coefficients
    learnt from measured weather), or for days that of the day before. Measured weather of the period itself
    stands in its own rows, as what nobody has. A set is kept only if the log score (negative binomial) falls
    with one-sided p < .05 (Diebold & Mariano 1995) on all origins and in each half. Raises ``DesignError``
    for too short a history.
    """
    step = "month" if totals.index.freqstr.startswith("M") else "day"
    used = [name for name in WEATHER if name in weather]
    sets: dict[str, tuple[str, ...]] = {WEATHER[name]: (name,) for name in used}
    if len(used) > 1:
        sets["temperature and rain"] = tuple(used)
    extra = {name: tuple(c for c in columns if c in weather) for name, columns in (calendar or {}).items()}
    frame = weather.reindex(totals.index)
    needed = [*used, *dict.fromkeys(c for columns in extra.values() for c in columns)]
    whole = frame[needed].notna().all(axis=1)
    known = _usual(frame[used], step)
    sources = {PERFECT: frame, KNOWN: known}
    if step == "day":
        sources[YESTERDAY] = frame[used].shift(1)
    ready = whole & pd.concat([source[used].notna().all(axis=1) for source in sources.values()], axis=1).all(
        axis=1
    )
    base = _base(totals, step)
    start = _start(whole, ready, base, step)
    plain = _forecasts(totals, base, None, None, whole, ready, start, step)
    rows = []
    for name, columns in sets.items():
        for source, values in sources.items():
            learnt = (values if source == YESTERDAY else frame)[list(columns)]
            made = _forecasts(totals, base, learnt, values[list(columns)], whole, ready, start, step)
            rows.append(_row(name, source, made, plain))
    for name, columns in extra.items():
        if columns:
            given = frame[list(columns)].astype(float)
            rows.append(
                _row(
                    name,
                    "known beforehand",
                    _forecasts(totals, base, given, given, whole, ready, start, step),
                    plain,
                )
            )
    table = pd.DataFrame([row.__dict__ for row in rows])
    when = totals.index[plain[2]]
    kept = tuple(dict.fromkeys(table.loc[table["kept"], "adds"]))
    return WeatherTest(table, len(when), str(when[0]), str(when[-1]), step, float(plain[0].mean()), kept)


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
    frame = weather.copy()
    if "bank_holiday" in frame:
        frame["bank_holiday"] = frame["bank_holiday"].notna()
    for column in frame.columns.difference(list(WEATHER)):
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
    calendar = {
        "bank holidays": ("bank_holiday", "bank_holidays"), "days off": ("day_off", "days_off"),
        "school holidays": ("school_holiday", "school_holidays"), "daylight": ("daylight",),
    }  # fmt: skip
    return weather_test(totals_of(incidents, step), frame, calendar=calendar)


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def _base(totals: pd.Series, step: str) -> pd.DataFrame:
    """The columns of the equation without weather: each known before the period."""
    counts = totals.astype(float)
    past = counts.shift(1)
    columns = {
        f"past {half:g}": np.log(past.ewm(halflife=half, adjust=True).mean() + 0.5)
        for half in HALF_LIVES[step]
    }
    times = totals.index.to_timestamp()
    angle = 2 * np.pi * times.day_of_year.to_numpy() / 365.25
    waves = 2 if step == "day" else 1
    for wave in range(1, waves + 1):
        columns[f"sine {wave}"] = pd.Series(np.sin(wave * angle), totals.index)
        columns[f"cosine {wave}"] = pd.Series(np.cos(wave * angle), totals.index)
    if step == "day":
        for day in range(1, 7):
            columns[f"day {day}"] = pd.Series((times.day_of_week == day).astype(float), totals.index)
    else:
        columns["days"] = pd.Series(np.log(times.days_in_month / 30.4), totals.index)
    return pd.DataFrame(columns, totals.index)


def _usual(weather: pd.DataFrame, step: str) -> pd.DataFrame:
    """The weather that the date had in earlier years: its mean over them, 7 days either side for days."""
    out = {}
    years = weather.index.year.to_numpy()
    slot = weather.index.month.to_numpy() if step == "month" else weather.index.day_of_year.to_numpy()
    for name in weather:
        smooth = weather[name]
        if step == "day":
            smooth = smooth.rolling(2 * AROUND + 1, center=True, min_periods=AROUND).mean()
        table = smooth.groupby([slot, years]).mean().unstack()
        before = table.T.expanding().mean().shift(1).T
        out[name] = [before.at[s, y] for s, y in zip(slot, years, strict=True)]
    return pd.DataFrame(out, weather.index)


def _start(whole: pd.Series, ready: pd.Series, base: pd.DataFrame, step: str) -> int:
    """The first origin: enough to learn from before it, and at least so many to test on from it."""
    learnt = np.cumsum((whole & base.notna().all(axis=1)).to_numpy())
    able = np.flatnonzero((learnt >= FIRST[step]) & ready.to_numpy())
    if len(able) < FEWEST[step]:
        raise DesignError(
            f"Weather can be tested on {len(able)} {step}s, and {FEWEST[step]} are needed after "
            f"{FIRST[step]} to learn from; {int(learnt[-1])} {step}s hold both incidents and weather. Give a "
            "longer series."
        )
    return int(able[0])


def _forecasts(
    totals: pd.Series, base: pd.DataFrame, measured: pd.DataFrame | None, known: pd.DataFrame | None,
    whole: pd.Series, ready: pd.Series, start: int, step: str,
) -> tuple[Array, Array, NDArray[np.int64]]:  # fmt: skip
    """Negative log score and Poisson deviance of each forecast period, and its position."""
    learn = base if measured is None else base.join(measured)
    ahead = base if known is None else base.join(known)
    train = (whole & learn.notna().all(axis=1)).to_numpy()
    y = totals.to_numpy(float)
    x, z = _design(learn), _design(ahead)
    scores, deviances, at = [], [], []
    for begin in range(start, len(y), REFIT[step]):
        block = np.arange(begin, min(begin + REFIT[step], len(y)))
        block = block[ready.to_numpy()[block]]
        rows = np.flatnonzero(train[:begin])
        middle, scale = x[rows].mean(axis=0), x[rows].std(axis=0)
        middle[0], scale[scale < 1e-12] = 0.0, 1.0
        beta = _poisson((x[rows] - middle) / scale, y[rows])
        spread = overdispersion(y[rows], np.exp((x[rows] - middle) / scale @ beta))
        mean = np.exp((z[block] - middle) / scale @ beta)
        scores.append(-_log_density(y[block], mean, spread))
        ratio = np.where(y[block] > 0, y[block] / mean, 1.0)
        deviances.append(2 * (y[block] * np.log(ratio) - (y[block] - mean)))
        at.append(block)
    return np.concatenate(scores), np.concatenate(deviances), np.concatenate(at)


def _log_density(counts: Array, mean: Array, spread: float) -> Array:
    """Log probability of each count: negative binomial with variance mean + spread x mean squared, or
    Poisson."""
    if spread < 1e-9:
        return np.asarray(stats.poisson.logpmf(counts, mean))
    return np.asarray(stats.nbinom.logpmf(counts, 1 / spread, 1 / (1 + spread * mean)))


def _design(frame: pd.DataFrame) -> Array:
    return np.column_stack([np.ones(len(frame)), frame.to_numpy(float)])


def _poisson(x: Array, y: Array) -> Array:
    """Coefficients of a Poisson regression with a log link; a hair of ridge keeps twins apart."""
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(max(y.mean(), 1e-9))
    penalty = np.full(x.shape[1], 1e-3)
    penalty[0] = 0.0
    for _ in range(50):
        mean = np.exp(np.clip(x @ beta, -30, 30))
        step = np.linalg.solve(
            x.T @ (x * mean[:, None]) + np.diag(penalty), x.T @ (y - mean) - penalty * beta
        )
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    return beta


def _row(
    adds: str, source: str, made: tuple[Array, Array, NDArray[np.int64]],
    plain: tuple[Array, Array, NDArray[np.int64]],
) -> Row:  # fmt: skip
    difference = made[0] - plain[0]
    half = len(difference) // 2
    tests: list[DieboldMariano] = [
        diebold_mariano(part) for part in (difference, difference[:half], difference[half:])
    ]
    kept = source != PERFECT and all(test.p_lower < ALPHA for test in tests)
    change = float(made[1].sum() / plain[1].sum() - 1)
    p, first, second = (test.p_lower for test in tests)
    return Row(adds, source, float(made[0].mean()), tests[0].mean, p, first, second, change, kept)
