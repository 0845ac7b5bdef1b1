"""Counts that feed on earlier counts: the likelihood of a mean that is a sum of parts, and its maximum.

mu_it = sum over parts p of coefficient_p x part_p(i, t) x (season(t) where the part follows it), coefficients
at or above 0, season(t) = exp(design(t) x beta). Poisson, or negative binomial with variance
mu + psi mu squared. Numbers in, a small result out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

STEPS = 500
PSI = (1e-6, 50.0)


@dataclass(frozen=True, eq=False)
class Parts:
    """What the mean is made of.

    ``parts``    array (parts, places, times), each at or above 0; ``seasonal`` True for the parts that the
                 season multiplies; ``season`` its design (times, columns), without a constant.
    ``counts``   array (places, times) of what was counted; ``group`` of each place, whole numbers from 0,
                 where each has a dispersion of its own (None: one for all).
    """

    parts: np.ndarray
    seasonal: np.ndarray
    season: np.ndarray
    counts: np.ndarray
    group: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Fitted:
    """Coefficients of the parts, of the season, the dispersion ``psi`` (0: Poisson), the log-likelihood.

    ``psi`` is the mean over places where there is one for each group: ``by_group``.
    """

    coefficients: np.ndarray
    season: np.ndarray
    psi: float
    log_likelihood: float
    steps: int
    settled: bool
    by_group: tuple[float, ...] = ()


def mean_of(model: Parts, coefficients: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Expected counts, places x times."""
    steady, moving = _sums(model, coefficients)
    return steady + moving * np.exp(model.season @ season)


def log_likelihood(counts: np.ndarray, mean: np.ndarray, psi: float) -> float:
    """Sum of the log probabilities of counts under means: negative binomial, Poisson where ``psi`` is 0.

    >>> round(log_likelihood(np.array([0.0, 1.0]), np.array([1.0, 1.0]), 0.0), 6)
    -2.0
    """
    y, mu = np.asarray(counts, float).ravel(), np.asarray(mean, float).ravel()
    if not psi > 0:
        return float((y * np.log(mu) - mu - gammaln(y + 1)).sum())
    r = 1 / psi
    whole = gammaln(y + r) - gammaln(r) - gammaln(y + 1)
    return float((whole + r * np.log(r / (r + mu)) + y * np.log(mu / (r + mu))).sum())


def fit(model: Parts, *, dispersed: bool = True, start: Sequence[float] | None = None) -> Fitted:
    """The coefficients, season and dispersion of the highest likelihood.

    ``dispersed``  negative binomial, else Poisson; ``start`` first values of coefficients and season.

    L-BFGS-B with the gradient written out; coefficients that the data push to 0 stay there exactly.
    The first values are an equal share of the mean for each part, so the answer depends on nothing else.
    """
    number, columns = len(model.parts), model.season.shape[1]
    scale = np.maximum(model.parts.mean(axis=(1, 2)), 1e-12) / max(model.counts.mean(), 1e-12)
    first = np.concatenate([np.full(number, 1 / number), np.zeros(columns)])
    if start is not None:
        first = np.asarray(start, float).copy()
        first[:number] = first[:number] * scale
    tables = _Tables(model.counts, model.group)
    first = np.append(first, np.full(tables.groups, np.log(0.2))) if dispersed else first
    limits: list[tuple[float | None, float | None]] = [(0.0, None)] * number + [(-5.0, 5.0)] * columns
    limits += [(float(np.log(PSI[0])), float(np.log(PSI[1])))] * (tables.groups if dispersed else 0)
    size = model.counts.size
    found = minimize(
        lambda values: _surprise(model, tables, values, scale, size, dispersed), first, jac=True,
        method="L-BFGS-B", bounds=limits,
        options={"maxiter": STEPS, "maxfun": 2 * STEPS, "ftol": 1e-12, "gtol": 1e-7},
    )  # fmt: skip
    values = found.x
    each = np.exp(values[number + columns :])
    psi = float(each[tables.group].mean()) if dispersed else 0.0
    return Fitted(
        values[:number] / scale, values[number : number + columns], psi,
        float(-found.fun * size), int(found.nit), int(found.nit) < STEPS,
        tuple(each.tolist()) if model.group is not None else (),
    )  # fmt: skip


class _Tables:
    """Counts by group with each distinct value once: gamma functions are evaluated on those alone."""

    def __init__(self, counts: np.ndarray, group: np.ndarray | None = None) -> None:
        self.group = np.zeros(len(counts), int) if group is None else group
        self.groups = int(self.group.max()) + 1
        self.each = [np.unique(counts[self.group == one], return_counts=True) for one in range(self.groups)]
        self.size = np.bincount(self.group) * float(counts.shape[1])
        self.constant = float(sum((gammaln(value + 1) * times).sum() for value, times in self.each))

    def by_group(self, values: np.ndarray) -> np.ndarray:
        """Values by place and time summed over each group."""
        if self.groups == 1:
            return np.array([values.sum()])
        return np.bincount(self.group, values.sum(axis=1), self.groups)

    def of_places(self, r: np.ndarray) -> np.ndarray | np.float64:
        """A number by group as one by place, to be joined with places x times."""
        return r[0] if self.groups == 1 else r[self.group][:, None]


def _sums(model: Parts, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    moving = np.tensordot(coefficients * model.seasonal, model.parts, axes=1)
    if model.seasonal.all():
        return np.zeros(1), moving
    return np.tensordot(coefficients * ~model.seasonal, model.parts, axes=1), moving


def _surprise(
    model: Parts, tables: _Tables, values: np.ndarray, scale: np.ndarray, size: int, dispersed: bool
) -> tuple[float, np.ndarray]:
    """Negative mean log-likelihood and its gradient in scaled coefficients, season and log psi."""
    number, columns = len(model.parts), model.season.shape[1]
    factor = np.exp(model.season @ values[number : number + columns])
    steady, moving = _sums(model, values[:number] / scale)
    moving = moving * factor
    mu = np.maximum(steady + moving, 1e-12)
    y = model.counts
    log_mu = np.log(mu)
    if dispersed:
        r = np.exp(-values[number + columns :])
        here = tables.of_places(r)
        log_both = np.log(here + mu)
        left = np.log(r) * tables.size - tables.by_group(log_both)
        each = list(zip(tables.each, r, strict=True))
        whole = float(sum(((gammaln(v + k) - gammaln(k)) * times).sum() for (v, times), k in each))
        value = whole - tables.constant + float(r @ left) + float((y * (log_mu - log_both)).sum())
        over = (y + here) / (here + mu)
        slope = y / mu - over
        by_r = np.array([((digamma(v + k) - digamma(k)) * times).sum() for (v, times), k in each])
        last = (-r * (by_r + left + tables.size - tables.by_group(over))).tolist()
    else:
        value = float((y * log_mu - mu).sum()) - tables.constant
        slope, last = y / mu - 1, []
    seasonal = slope * factor
    flat = model.parts.reshape(number, -1)
    by_part = np.where(model.seasonal, flat @ seasonal.ravel(), 0.0)
    if not model.seasonal.all():
        by_part = np.where(model.seasonal, by_part, flat @ slope.ravel())
    by_season = (slope * moving).sum(axis=0) @ model.season
    gradient = np.concatenate([by_part / scale, by_season, last])
    return -value / size, -gradient / size
