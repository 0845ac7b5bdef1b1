"""The equation for the total of all places: past counts, season, and whatever else was known, one step
ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from peelian.arithmetic.scores import overdispersion
from peelian.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FIRST = {"day": 730, "week": 104, "month": 60}  # periods to learn from before the first origin
REFIT = {"day": 28, "week": 4, "month": 1}
FEWEST = {"day": 100, "week": 52, "month": 24}
HALF_LIVES = {"day": (7.0, 28.0, 364.0), "week": (2.0, 8.0, 52.0), "month": (2.0, 12.0)}
WAVES = {"day": 2, "week": 2, "month": 1}
AROUND = {"day": 7, "week": 1}  # days or weeks either side of the date in earlier years, for its climatology


@dataclass(frozen=True, eq=False)
class Walk:
    """Forecasts of the total on rolling origins: negative log ``scores`` and Poisson ``deviances`` of those
    whose outcome is held, the ``means`` of all, and their positions ``at`` (a period to come is the last).
    """

    scores: Array
    deviances: Array
    means: Array
    at: NDArray[np.int64]

    def before(self, position: int) -> Array:
        """Scores of the periods that lie before a position."""
        return self.scores[: int(np.searchsorted(self.at, position))]


def step_of_index(index: pd.PeriodIndex) -> str:
    """``day``, ``week`` or ``month``, as the index counts."""
    return {"M": "month", "W": "week", "D": "day"}[index.freqstr[0]]


def columns_of(totals: pd.Series, step: str, lag: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Past counts alone, and with season and days of the week: each known ``lag`` + 1 periods before."""
    past = totals.astype(float).shift(1 + lag)
    lags = pd.DataFrame(
        {
            f"past {half:g}": np.log(past.ewm(halflife=half, adjust=True).mean() + 0.5)
            for half in HALF_LIVES[step]
        }
    )
    times = totals.index.to_timestamp()
    if step == "month":
        lags["days"] = np.log(times.days_in_month / 30.4)
    columns: dict[str, Array] = {}
    angle = 2 * np.pi * times.day_of_year.to_numpy() / 365.25
    for wave in range(1, WAVES[step] + 1):
        columns[f"sine {wave}"] = np.sin(wave * angle)
        columns[f"cosine {wave}"] = np.cos(wave * angle)
    if step == "day":
        for day in range(1, 7):
            columns[f"day {day}"] = (times.day_of_week == day).astype(float)
    return lags, lags.join(pd.DataFrame(columns, totals.index))


def usual_weather(weather: pd.DataFrame, step: str) -> pd.DataFrame:
    """The weather that the date had in earlier years: its mean over them, with some days either side."""
    out = {}
    years = weather.index.year.to_numpy()
    slot = {
        "month": lambda: weather.index.month,
        "week": lambda: weather.index.week,
        "day": lambda: weather.index.day_of_year,
    }[step]().to_numpy()
    for name in weather:
        smooth = weather[name]
        if step in AROUND:
            around = AROUND[step]
            smooth = smooth.rolling(2 * around + 1, center=True, min_periods=around).mean()
        table = smooth.groupby([slot, years]).mean().unstack()
        before = table.T.expanding().mean().shift(1).T
        out[name] = [before.at[s, y] for s, y in zip(slot, years, strict=True)]
    return pd.DataFrame(out, weather.index)


def first_origin(whole: pd.Series, ready: pd.Series, base: pd.DataFrame, step: str) -> int:
    """The first origin: enough to learn from before it, and at least so many to test on from it."""
    learnt = np.cumsum((whole & base.notna().all(axis=1)).to_numpy())
    able = np.flatnonzero((learnt >= FIRST[step]) & ready.to_numpy())
    if len(able) < FEWEST[step]:
        raise DesignError(
            f"Weather and calendar can be tested on {len(able)} {step}s, and {FEWEST[step]} are needed after "
            f"{FIRST[step]} to learn from; {int(learnt[-1])} {step}s hold all that is needed. Give a longer "
            "series."
        )
    return int(able[0])


def walk(
    totals: pd.Series, learn: pd.DataFrame, ahead: pd.DataFrame, whole: pd.Series, ready: pd.Series,
    start: int, step: str,
) -> Walk:  # fmt: skip
    """Each period from position ``start`` forecast from all before it, fitted anew every so many of them.

    ``learn``  the columns as they are learned from, ``ahead`` as they were known beforehand; ``whole``
    periods learned from, ``ready`` those forecast.
    """
    y = totals.to_numpy(float)
    train = (whole & learn.notna().all(axis=1) & totals.notna()).to_numpy()
    able = (ready & ahead.notna().all(axis=1)).to_numpy()
    x, z = _design(learn), _design(ahead)
    means, at, spreads = [], [], []
    for begin in range(start, len(y), REFIT[step]):
        block = np.arange(begin, min(begin + REFIT[step], len(y)))
        block = block[able[block]]
        rows = np.flatnonzero(train[:begin])
        middle, scale = x[rows].mean(axis=0), x[rows].std(axis=0)
        middle[0], scale[scale < 1e-12] = 0.0, 1.0
        beta = poisson((x[rows] - middle) / scale, y[rows])
        spread = overdispersion(y[rows], np.exp((x[rows] - middle) / scale @ beta))
        means.append(np.exp((z[block] - middle) / scale @ beta))
        spreads.append(np.full(len(block), spread))
        at.append(block)
    return _scored(y, np.concatenate(means), np.concatenate(spreads), np.concatenate(at))


def _scored(y: Array, mean: Array, spread: Array, at: NDArray[np.int64]) -> Walk:
    held = np.isfinite(y[at])
    counts, expected = y[at][held], mean[held]
    ratio = np.where(counts > 0, counts / expected, 1.0)
    return Walk(
        -_log_density(counts, expected, spread[held]),
        2 * (counts * np.log(ratio) - (counts - expected)),
        mean,
        at,
    )


def _log_density(counts: Array, mean: Array, spread: Array) -> Array:
    """Log probabilities: negative binomial of variance mean + spread x mean squared, or Poisson."""
    out = np.asarray(stats.poisson.logpmf(counts, mean), float)
    wide = spread >= 1e-9
    r = 1 / spread[wide]
    out[wide] = stats.nbinom.logpmf(counts[wide], r, 1 / (1 + spread[wide] * mean[wide]))
    return out


def _design(frame: pd.DataFrame) -> Array:
    return np.column_stack([np.ones(len(frame)), frame.to_numpy(float)])


def poisson(x: Array, y: Array) -> Array:
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
