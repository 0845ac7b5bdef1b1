"""One series and a date: what an interrupted time series says, and why it can never decide alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from peelian.effect import Effect
from peelian.errors import DataError, DesignError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TOO_THIN = "The series has too few counts for a regression with a season."
COLUMNS = ("const", "trend", "step", "slope_change", "sin1", "cos1", "sin2", "cos2")


@dataclass(frozen=True, eq=False, slots=True)
class Interrupted:
    """An interrupted time series: the step at the date as an Effect, and the whole regression.

    ``beta``, ``se``  by ``COLUMNS``, on the log scale, trends a year; ``phi`` overdispersion.
    """

    step: Effect
    beta: Floats
    se: Floats
    phi: float


def its(counts: pd.Series, start: str, *, lags: int = 12, level: float = 0.95) -> Interrupted:
    """Step in a monthly series at a date: Poisson regression with trend, season and Newey-West errors.

    ``counts``  Series on months (Period), no gaps; ``start`` the first month after (``2017-04``).

    log of the daily rate = trend + step + change of slope + two harmonics of the year; errors by Newey &
    West (1987), Bartlett weights, ``lags`` months, no small-sample factor (Bernal, Cummins & Gasparrini
    2017). It has no comparison: anything else that happened at that date is in the step.
    """
    import pandas as pd

    months = pd.PeriodIndex(counts.index, freq="M")
    y = counts.to_numpy(float)
    _check(y, months)
    at = int((pd.Period(start, "M") - months[0]).n)
    if at < 12 or len(y) - at < 6:
        raise DesignError(
            f"{max(at, 0)} months before {start} and {max(len(y) - at, 0)} from it on; "
            "a series needs 12 and 6."
        )
    t = np.arange(len(y), dtype=float)
    angle = 2 * np.pi * months.month.to_numpy() / 12
    after = (t >= at).astype(float)
    waves = [f(k * angle) for k in (1, 2) for f in (np.sin, np.cos)]
    X = np.column_stack([np.ones_like(t), t / 12, after, (t - at) / 12 * after, *waves])
    beta, mu = _poisson(X, y, np.log(months.days_in_month.to_numpy(float)))
    spread = np.diag(_newey_west(X, y - mu, mu, lags))
    if not (np.isfinite(spread).all() and (spread > 0).all()):
        raise DesignError(TOO_THIN)
    se = np.sqrt(spread)
    phi = float(((y - mu) ** 2 / mu).sum() / (len(y) - X.shape[1]))
    half = float(stats.norm.ppf(0.5 + level / 2)) * se[2]
    if abs(beta[2]) + half >= 50:
        raise DesignError(TOO_THIN)
    middle, low, high = (math.exp(x) for x in (beta[2], beta[2] - half, beta[2] + half))
    effect = Effect(
        f"step at {start} (interrupted series, no comparison)", middle, low, high, level,
        p=float(2 * stats.norm.sf(abs(beta[2] / se[2]))), p_method="normal",
        se_method=f"Newey-West, {lags} lags", n_treated=1,
        assumptions=("nothing else changed at that date, recording included",),
        extra={"theta": float(beta[2]), "se_log": float(se[2])},
    )  # fmt: skip
    return Interrupted(effect, beta, se, phi)


def _check(y: Floats, months: pd.PeriodIndex) -> None:
    if len(months) == 0 or not (np.diff(months.asi8) == 1).all():
        raise DataError("The series has gaps, or its months are not in order; give one count a month.")
    if not (np.isfinite(y).all() and (y >= 0).all() and y.sum() > 0):
        raise DataError("The series has missing or negative counts, or none at all.")


def _poisson(X: Floats, y: Floats, offset: Floats) -> tuple[Floats, Floats]:
    beta = np.zeros(X.shape[1])
    beta[0] = math.log(y.sum() / np.exp(offset).sum())
    for _ in range(100):
        mu = np.exp(np.clip(offset + X @ beta, -30.0, 30.0))
        try:
            step = np.linalg.solve(X.T @ (X * mu[:, None]), X.T @ (y - mu))
        except np.linalg.LinAlgError:
            raise DesignError(TOO_THIN) from None
        beta = beta + step
        if np.abs(step).max() < 1e-12:
            break
    return beta, np.exp(np.clip(offset + X @ beta, -30.0, 30.0))


def _newey_west(X: Floats, left: Floats, mu: Floats, lags: int) -> Floats:
    score = X * left[:, None]
    middle = score.T @ score
    for lag in range(1, lags + 1):
        cross = score[lag:].T @ score[:-lag]
        middle += (1 - lag / (lags + 1)) * (cross + cross.T)
    inverse = np.linalg.inv(X.T @ (X * mu[:, None]))
    return inverse @ middle @ inverse
