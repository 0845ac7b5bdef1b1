"""Elastic-net Poisson regression with coefficients of at least zero, on cells that share their predictors.

Solves, for each penalty lambda: minimise -(1/n) sum(y eta - E exp(eta)) + lambda(a |b|_1 + (1-a)/2 |b|^2),
b >= 0, intercept free, predictors standardised or not. Each step is a quadratic problem in the few
coefficients that are not zero, solved exactly, so that the result agrees with glmnet's to many digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg.lapack import dposv

Array = Any


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows of equal predictors: ``columns`` (rows x candidates, 0/1 or 0/-1), and by row the number of
    ``cells``, the ``total`` of events and the ``mass`` of exposure."""

    columns: Array
    cells: Array
    total: Array
    mass: Array


@dataclass(frozen=True, eq=False)
class State:
    """Where a path stands: ``intercept`` and ``coefficients`` (on the scale of the columns)."""

    intercept: float
    coefficients: Array


def scales(problem: Problem, standardise: bool) -> Array:
    """Standard deviation of each column over the cells (n, not n - 1), or ones; 0 marks a constant one."""
    n = problem.cells.sum()
    mean = problem.cells @ problem.columns / n
    spread = np.sqrt(np.maximum(problem.cells @ problem.columns**2 / n - mean**2, 0))
    return np.where(spread > 1e-12, spread if standardise else 1.0, 0.0)


def start(problem: Problem) -> State:
    """The model of the intercept alone."""
    rate = np.log(max(problem.total.sum(), 1e-12) / problem.mass.sum())
    return State(float(rate), np.zeros(problem.columns.shape[1]))


def penalties(problem: Problem, ratio: float, standardise: bool, steps: int = 100) -> Array:
    """The lambdas: from the smallest that leaves the model empty down to 1e-4 of it, in equal ratios."""
    sd, empty = scales(problem, standardise), start(problem)
    slope = problem.columns.T @ (problem.total - problem.mass * np.exp(empty.intercept))
    slope = slope / problem.cells.sum() / np.where(sd > 0, sd, np.inf)
    highest = max(float(slope.max(initial=0.0)), 1e-12) / ratio
    return highest * 1e-4 ** (np.arange(steps) / (steps - 1))


class Path:
    """A path being followed: one problem, one l1 ratio, penalties in falling order.

    Keeps the columns and the curvature of the coefficients in play between penalties, since these change
    little from one to the next.
    """

    def __init__(self, problem: Problem, ratio: float, standardise: bool, tolerance: float = 1e-9) -> None:
        self.problem, self.ratio, self.tolerance = problem, ratio, tolerance
        self.sd = scales(problem, standardise)
        self.n = float(problem.cells.sum())
        self.state = start(problem)
        self.working: Array = np.zeros(0, np.int64)
        self._active = problem.columns[:, self.working]
        self._curvature: Array = None

    def begin(self, state: State) -> None:
        """Start from these coefficients instead of from none; columns that are constant here get zero."""
        self.state = State(state.intercept, np.where(self.sd > 0, state.coefficients, 0.0))
        self._work_on(np.flatnonzero(self.state.coefficients > 0))

    def at(self, penalty: float) -> State:
        """The solution at this penalty, from the last one."""
        for _ in range(50):
            self._settle(penalty)
            slope = self.problem.columns.T @ (self.problem.total - self._mean()) / self.n
            excess = slope - penalty * self.ratio * self.sd
            excess[self.sd == 0] = -1.0
            excess[self.working] = -1.0
            joining = np.flatnonzero(excess > 1e-9 * max(1.0, penalty))
            if not len(joining):
                return self.state
            keep = self.working[self.state.coefficients[self.working] > 0]
            self._work_on(np.sort(np.concatenate([keep, joining])))
        return self.state

    def _work_on(self, working: Array) -> None:
        self.working = working
        self._active = np.ascontiguousarray(self.problem.columns[:, working])
        self._curvature = None

    def _eta(self) -> Array:
        return self.state.intercept + self._active @ self.state.coefficients[self.working]

    def _mean(self) -> Array:
        return self.problem.mass * np.exp(np.minimum(self._eta(), 50.0))

    def _settle(self, penalty: float) -> None:
        """Newton steps on the coefficients in play until they stand still."""
        sd = self.sd[self.working]
        last = np.inf
        for count in range(100):
            mean = self._mean()
            off = (self.problem.total - mean) / self.n
            if self._curvature is None:
                self._curvature = self._curvatures(mean)
            matrix, cross, whole = self._curvature
            b = self.state.coefficients[self.working]
            slope, level = self._active.T @ off, off.sum()
            pulled = matrix - np.outer(cross, cross) / whole
            target = pulled @ b + slope - cross * level / whole - penalty * self.ratio * sd
            new = nonnegative(pulled + np.diag(penalty * (1 - self.ratio) * sd**2 + 1e-14), target, b > 0)
            step = new - b
            shift = (level - cross @ step) / whole
            size = min(1.0, 4.0 / max(float(np.abs(step).max(initial=0.0)), abs(shift), 1e-300))
            coefficients = self.state.coefficients.copy()
            coefficients[self.working] = b + size * step
            self.state = State(self.state.intercept + size * shift, coefficients)
            moved = max(float(np.abs(step * sd).max(initial=0.0)), abs(shift))
            if moved < self.tolerance:
                return
            if moved > 0.1 * last or (count == 0 and moved > 0.05):
                self._curvature = None  # too far from where it was measured
            last = moved

    def _curvatures(self, mean: Array) -> tuple[Array, Array, float]:
        weighted = self._active * (mean / self.n)[:, None]
        return self._active.T @ weighted, weighted.sum(axis=0), float(mean.sum() / self.n)


def nonnegative(matrix: Array, target: Array, begin: Array) -> Array:
    """b >= 0 that minimises b'Mb/2 - target'b, by block pivoting from the guess of which are above zero.

    (Portugal, Judice & Vicente 1994; single pivots when blocks make no progress.)

    >>> nonnegative(np.eye(2), np.array([1.0, -1.0]), np.array([True, True]))
    array([1., 0.])
    """
    inside, patience, fewest = begin.copy(), 3, len(target) + 1
    b = np.zeros(len(target))
    for _ in range(20 * len(target) + 10):
        b[:] = 0.0
        if inside.any():
            held = np.flatnonzero(inside)
            _, solved, failed = dposv(matrix[np.ix_(held, held)], target[held])
            b[held] = solved if not failed else np.linalg.lstsq(matrix[np.ix_(held, held)], target[held])[0]
        dual = matrix @ b - target
        wrong = (inside & (b < 0)) | (~inside & (dual < -1e-15))
        many = int(wrong.sum())
        if not many:
            break
        if many < fewest:
            fewest, patience = many, 3
        elif patience > 0:
            patience -= 1
        else:
            last = np.flatnonzero(wrong)[-1]
            wrong = np.zeros_like(wrong)
            wrong[last] = True
        inside = inside ^ wrong
    return np.maximum(b, 0.0)


def deviance(problem: Problem, state: State) -> float:
    """-2 (y eta - E exp(eta)) summed over the cells of a problem: the Poisson deviance but for a constant."""
    eta = state.intercept + problem.columns @ state.coefficients
    return float(-2 * (problem.total @ eta - (problem.mass * np.exp(np.minimum(eta, 50.0))).sum()))
