"""Elastic-net Poisson regression on nested bands: the effect of a feature never turns with distance.

A measure puts each cell on a level: 0 beyond every cut, 1 inside the widest, and so on inwards. Its columns
say "level above k"; with coefficients of at least zero their sum can only rise inwards. Columns are never
written out: sums over them are counts by level added up from the innermost.

Solves, for each penalty lambda: minimise -(1/n) sum w(y eta - E exp(eta)) + lambda sum(a s b + (1-a)/2 s^2
b^2), b >= 0, s the standard deviation of the column, with a free part (intercept, adjustment) unpenalised.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from peelian.explain.elastic import nonnegative

if TYPE_CHECKING:
    from peelian.explain.shares import Columns

Array = Any
MOST_ETA = 50.0


class Measured:
    """Columns that belong to measures: ``starts`` the first column of each (and the number of columns last),
    ``sign`` of each."""

    starts: Array
    sign: Array

    @property
    def size(self) -> int:
        """Number of columns."""
        return int(self.starts[-1])

    @property
    def measure(self) -> Array:
        """The measure of each column."""
        return np.repeat(np.arange(len(self.sign)), np.diff(self.starts))


@dataclass(frozen=True, eq=False)
class Nested(Measured):
    """Columns as levels: ``levels`` cells x measures, ``starts`` the first column of each measure (and the
    number of columns last), ``sign`` of each measure (-1: protective)."""

    levels: Array
    starts: Array
    sign: Array

    def rows(self, where: Array) -> Nested:
        """The same columns over fewer cells."""
        return Nested(np.asfortranarray(self.levels[where]), self.starts, self.sign)

    @cached_property
    def _at_level(self) -> sparse.csr_array:
        """Which cells lie at exactly the level of each column: columns x cells, ones."""
        cells, sizes = [], []
        for at, size in enumerate(np.diff(self.starts)):
            level = self.levels[:, at]
            number = np.bincount(level, minlength=size + 1)
            cells.append(np.argsort(level, kind="stable")[number[0] :].astype(np.int32))
            sizes.append(number[1:])
        ends = np.concatenate([[0], *sizes]).cumsum().astype(np.int32)
        ones = np.ones(ends[-1])
        return sparse.csr_array(
            (ones, np.concatenate([np.zeros(0, np.int32), *cells]), ends), (self.size, len(self.levels))
        )

    def sums(self, values: Array) -> Array:
        """Sum of values over the cells of each column, sign included.

        >>> one = Nested(np.array([[2], [1], [0]], np.uint8), np.array([0, 2]), np.array([1]))
        >>> one.sums(np.array([5.0, 3.0, 1.0])).tolist()
        [8.0, 5.0]
        """
        found = self._at_level @ values
        for begin, end, sign in zip(self.starts, self.starts[1:], self.sign, strict=False):
            found[begin:end] = sign * found[begin:end][::-1].cumsum()[::-1]
        return found

    def take(self, columns: Array) -> Array:
        """Some columns written out: cells x columns, 0 and 1 (0 and -1 where protective)."""
        measure = self.measure[columns]
        rank = columns - self.starts[measure]
        return (self.levels[:, measure] > rank) * self.sign[measure].astype(float)

    def inside(self, measure: int, rank: int) -> Array:
        """Which cells have one column of a measure, counted from its widest: 0 and 1, whatever its sign."""
        return (self.levels[:, measure] > rank).astype(float)

    def spread(self, weights: Array) -> Array:
        """Standard deviation of each column, cells weighted."""
        share = np.abs(self.sums(weights)) / float(weights.sum())
        return np.sqrt(np.maximum(share * (1 - share), 0))

    def contrast(self, measure: int, rank: int, columns: Array, exposure: Array) -> Array:
        """By column: its mean where one column of a measure holds, less its mean elsewhere, each cell with
        the weight of what is at risk in it."""
        values, held = self.take(columns), self.inside(measure, rank)
        here, there = exposure * held, exposure * (1 - held)
        return here @ values / here.sum() - there @ values / there.sum()

    def effect(self, b: Array, measures: Array | None = None) -> Array:
        """Columns times coefficients, over all measures or some."""
        found = np.zeros(len(self.levels))
        for at in range(len(self.sign)) if measures is None else measures:
            mine = b[self.starts[at] : self.starts[at + 1]]
            if mine.any():
                found += self.sign[at] * np.concatenate([[0.0], mine.cumsum()])[self.levels[:, at]]
        return found


@dataclass(frozen=True, eq=False)
class State:
    """Where a path stands: ``free`` coefficients (intercept first) and ``b`` of the columns."""

    free: Array
    b: Array


class Path:
    """A path being followed: one set of cells, penalties in falling order, each from the last solution.

    ``free``  cells x unpenalised columns, the intercept first; ``ridge``  of each of them (for instance
    tile intercepts that are pulled to zero). ``allowed``  columns that may enter; all without it.
    """

    def __init__(
        self, nested: Columns, free: Array, counts: Array, exposure: Array, *, weights: Array | None = None,
        ratio: float = 0.95, tolerance: float = 1e-7, ridge: Array | None = None,
        allowed: Array | None = None,
    ) -> None:  # fmt: skip
        weights = np.ones(len(counts)) if weights is None else np.asarray(weights, float)
        held = weights > 0
        if not held.all():
            nested, free = nested.rows(held), free[held]
            counts, exposure, weights = counts[held], exposure[held], weights[held]
        self.nested, self.free, self.ratio, self.tolerance = nested, free, ratio, tolerance
        self.total, self.mass = weights * counts, weights * exposure
        self.n = float(weights.sum())
        self.ridge = np.zeros(free.shape[1]) if ridge is None else ridge / self.n
        self.sd = nested.spread(weights)
        self.open = self.sd > 1e-9 if allowed is None else (self.sd > 1e-9) & allowed
        self.working: Array = np.zeros(0, np.int64)
        self._active = np.zeros((len(counts), 0))
        self._curvature: Array = None
        start = np.zeros(free.shape[1])
        start[0] = np.log(max(self.total.sum(), 1e-12) / self.mass.sum())
        self.state = State(start, np.zeros(nested.size))
        self._settle(np.inf)

    def highest(self) -> float:
        """The smallest penalty that leaves every column out."""
        slope = self.nested.sums(self.total - self.mean()) / self.n
        slope = slope[self.open] / self.sd[self.open]
        return max(float(slope.max(initial=0.0)), 1e-12) / self.ratio

    def begin(self, state: State) -> None:
        """Start from these coefficients instead of from none."""
        self.state = State(state.free, np.where(self.open, state.b, 0.0))
        self._work_on(np.flatnonzero(self.state.b > 0))

    def mean(self) -> Array:
        """Expected events of each cell (times its weight)."""
        eta = self.free @ self.state.free + self._active @ self.state.b[self.working]
        return self.mass * np.exp(np.minimum(eta, MOST_ETA))

    def at(self, penalty: float) -> State:
        """The solution at this penalty."""
        for _ in range(60):
            self._settle(penalty)
            excess = self.nested.sums(self.total - self.mean()) / self.n - penalty * self.ratio * self.sd
            excess[~self.open] = -1.0
            excess[self.working] = -1.0
            least = 1e-9 + 1e-5 * penalty * self.ratio * self.sd
            joining = self._joining(np.where(excess > least, excess, 0.0))
            if not len(joining):
                break
            keep = self.working[self.state.b[self.working] > 0]
            self._work_on(np.sort(np.concatenate([keep, joining])))
        return self.state

    def _joining(self, excess: Array) -> Array:
        """The most wanted column of each measure: its neighbours say nearly the same."""
        if not len(excess):
            return np.zeros(0, np.int64)
        starts = self.nested.starts[:-1]
        best = np.maximum.reduceat(excess, starts)
        return np.array(
            [s + int(np.argmax(excess[s:e])) for s, e, most in
             zip(starts, self.nested.starts[1:], best, strict=True) if most > 0], np.int64,
        )  # fmt: skip

    def _work_on(self, working: Array) -> None:
        self.working = working
        self._active = self.nested.take(working)
        self._curvature = None

    def _settle(self, penalty: float) -> None:
        """Newton steps on the free part and the columns in play until they stand still."""
        sd, last = self.sd[self.working], np.inf
        flat = np.isinf(penalty)
        for count in range(100):
            mean = self.mean()
            off = (self.total - mean) / self.n
            if self._curvature is None:
                self._curvature = self._curvatures(mean)
            inner, cross, outer = self._curvature
            free, b = self.state.free, self.state.b[self.working]
            pull = self.free.T @ off - self.ridge * free
            step, new = np.zeros(len(b)), b
            if not flat and len(b):
                solved = np.linalg.solve(inner, np.column_stack([cross.T, pull]))
                matrix = outer - cross @ solved[:, :-1]
                target = matrix @ b + self._active.T @ off - cross @ solved[:, -1] - penalty * self.ratio * sd
                ridge = penalty * (1 - self.ratio) * sd**2 + 1e-9 * np.diag(outer) + 1e-14
                new = nonnegative(matrix + np.diag(ridge), target, b > 0)
                step = new - b
            shift = np.linalg.solve(inner, pull - cross.T @ step)
            largest = max(float(np.abs(step).max(initial=0.0)), float(np.abs(shift).max()))
            size = min(1.0, 3.0 / max(largest, 1e-300))
            changed = self.state.b.copy()
            changed[self.working] = b + size * step
            self.state = State(free + size * shift, changed)
            if largest < self.tolerance:
                return
            if largest > 0.1 * last or (count == 0 and largest > 0.05):
                self._curvature = None  # too far from where it was measured
            last = largest

    def _curvatures(self, mean: Array) -> tuple[Array, Array, Array]:
        weight = (mean / self.n)[:, None]
        lifted = self._active * weight
        inner = self.free.T @ (self.free * weight) + np.diag(self.ridge + 1e-12)
        return inner, lifted.T @ self.free, self._active.T @ lifted


def deviance(counts: Array, mean: Array) -> float:
    """Poisson deviance summed over cells.

    >>> round(deviance(np.array([0.0, 2.0]), np.array([1.0, 2.0])), 6)
    2.0
    """
    from scipy.special import xlogy

    counts, mean = np.asarray(counts, float), np.maximum(mean, 1e-12)
    return float(2 * (xlogy(counts, counts / mean) - (counts - mean)).sum())
