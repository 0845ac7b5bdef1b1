"""Blend: a risk terrain as the starting point, corrected by each place's own history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from peelian.errors import DataError, DesignError, some
from peelian.predict.baselines import HALF_LIVES, USUAL_HALF_LIFE, HalfLife
from peelian.predict.history import History, Step
from peelian.predict.method import Method, choose, need_enough

if TYPE_CHECKING:
    import pandas as pd

LEAST_PRIOR = 0.01  # of the mean: a terrain that says "never" would be deaf to what happens there


@dataclass(frozen=True, eq=False)
class PriorHistory(Method):
    """Own history, drawn towards what the risk terrain says of places like it.

    ``prior``      Series on the places' index: relative risk (any scale, 0 or more), as ``explain`` gives.
    ``prior_to``   the last month that it was fitted on (``2018-12``), where that is known.
    ``half_life``  fades the history: steps, or ``"cv"`` chosen at earlier origins.

    Empirical Bayes: risk = (k + n) / (k / m + T), n incidents in T steps (both weighted), m the prior
    scaled to the level of the history, k by the marginal likelihood of the unweighted counts (negative
    binomial) before the origin (Robbins 1956; Clayton & Kaldor 1987). A place's forecast owes k / (k + n)
    of itself to the prior. Raises ``DataError`` for a prior that lacks places or is negative.
    """

    prior: pd.Series
    half_life: HalfLife = "cv"
    step: Step = "month"
    prior_to: str | None = None

    def __post_init__(self) -> None:
        wrong = ~np.isfinite(self.prior.to_numpy(float)) | (self.prior.to_numpy(float) < 0)
        if wrong.any():
            raise DataError(
                f"The prior is missing or negative in {int(wrong.sum())} places: "
                f"{some(self.prior.index[wrong])}."
            )
        if not self.prior.sum() > 0:
            raise DataError("The prior is 0 everywhere, so it says nothing about places.")

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Posterior mean rate per step times the steps of the period."""
        mean, k, counts, length = self._parts(history, self.chosen(history, start, stop))
        return (k + counts) / (k / mean + length) * (stop - start)

    def fitted_until(self, history: History, start: int, stop: int) -> int:
        """The origin itself: what outweighs the prior is fitted at every one."""
        return history.end

    def prior_share(self, history: History, start: int, stop: int) -> np.ndarray:
        """By place: the share of the forecast that comes from the prior, k / (k + n)."""
        _, k, counts, _ = self._parts(history, self.chosen(history, start, stop))
        return k / (k + counts)

    def chosen(self, history: History, start: int, stop: int) -> float:
        """The half-life in use: the one given, or the best at earlier origins."""
        if self.half_life != "cv":
            return float(self.half_life)
        candidates = {(id(self.prior), h): replace(self, half_life=h) for h in HALF_LIVES[self.step]}
        default = (id(self.prior), USUAL_HALF_LIFE[self.step])
        return float(choose(history, start, stop, candidates, default=default).key[1])

    def _parts(self, history: History, half_life: float) -> tuple[np.ndarray, float, np.ndarray, float]:
        need_enough(history, "PriorHistory")
        weight = history.weights(half_life=half_life)
        counts, length = history.weighted(weight), float(weight.sum())
        if ("shape", id(self.prior)) not in history.memo:
            history.memo["shape", id(self.prior)] = self._shape(history)
        shape = history.memo["shape", id(self.prior)]
        key = ("k", id(self.prior), history.end)
        if key not in history.memo:
            whole = history.weights()
            history.memo[key] = strength(history.weighted(whole), shape)
        return shape * (counts.sum() / length), history.memo[key], counts, length

    def _shape(self, history: History) -> np.ndarray:
        """The prior by place as shares of 1."""
        missing = history.places.index.difference(self.prior.index)
        if len(missing):
            raise DesignError(f"The prior lacks {len(missing)} places: {some(missing)}.")
        values = self.prior.reindex(history.places.index).to_numpy(float)
        values = np.maximum(values, LEAST_PRIOR * values.mean())
        return np.asarray(values / values.sum())

    @property
    def words(self) -> str:
        """The blend in words."""
        return "risk terrain blended with own history"


def strength(counts: np.ndarray, shape: np.ndarray) -> float:
    """How many incidents of its own outweigh the prior of a place: k of the negative binomial.

    ``counts``  incidents by place; ``shape`` the prior by place as shares of 1. Maximum of the marginal
    likelihood over 0.001 to 100,000; counts that vary no more round the prior than chance does give the
    upper limit.

    >>> strength(np.array([0.0, 20.0] * 20), np.full(40, 1 / 40)) < 1
    True
    """
    mean = shape * counts.sum()

    def surprise(log_k: float) -> float:
        k = np.exp(log_k)
        likelihood = gammaln(k + counts) - gammaln(k) - counts * np.log(k + mean) + k * np.log(k / (k + mean))
        return -float(likelihood.sum())

    found = minimize_scalar(surprise, bounds=(np.log(1e-3), np.log(1e5)), method="bounded")
    return float(np.exp(found.x))
