"""Intervals of a forecast: how many there may be, given how far earlier forecasts were off."""

from __future__ import annotations

import numpy as np
from scipy import stats

from peelian.errors import DesignError


def interval(risk: np.ndarray, dispersion: float, *, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper number of incidents by place that hold ``level`` of the outcomes.

    ``risk``        expected number; ``dispersion`` alpha of the negative binomial (variance = risk + alpha x
                    risk squared), estimated on earlier origins by ``scores.overdispersion``; 0 is a Poisson.

    Whole numbers, so that an interval holds at least ``level``.

    >>> low, high = interval(np.array([0.0, 4.0]), 0.0)
    >>> low.tolist(), high.tolist()
    ([0.0, 1.0], [0.0, 8.0])
    """
    if not 0 < level < 1:
        raise DesignError(f"The level of an interval lies between 0 and 1; got {level:g}.")
    risk = np.asarray(risk, float)
    low, high = (1 - level) / 2, (1 + level) / 2
    if dispersion <= 1e-9:
        return np.asarray(stats.poisson.ppf(low, risk)).clip(0), np.asarray(stats.poisson.ppf(high, risk))
    size, chance = 1 / dispersion, 1 / (1 + dispersion * risk)
    return (
        np.asarray(stats.nbinom.ppf(low, size, chance)).clip(0),
        np.asarray(stats.nbinom.ppf(high, size, chance)).clip(0),
    )
