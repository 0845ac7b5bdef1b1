"""Elastic-net Poisson regression with coefficients of at least zero, on cells that share their predictors.

Solves, for each penalty lambda: minimise -(1/n) sum(y eta - E exp(eta)) + lambda(a |b|_1 + (1-a)/2 |b|^2),
b >= 0, intercept free, predictors standardised or not. Each step is a quadratic problem in the few
coefficients that are not zero, solved exactly, so that the result agrees with glmnet's to many digits.

Several problems that differ only in which cells they use (folds) or in the ratio a go down their penalties
together. Cells are put together that agree in the columns with coefficients, which are few; whether another
column should join is asked of all cells at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg.lapack import dposv

from peelian.explain.groups import Data, Groups

Array = Any
PIECE = 4096  # groups or cells at a time
RIDGE = 1e-14  # nested bands are nearly collinear
DOUBT = 1e-6  # slopes nearer than this to the penalty are computed again in full precision


@dataclass(frozen=True, eq=False)
class State:
    """Where a path stands: ``intercept`` and ``coefficients`` (on the scale of the columns)."""

    intercept: float
    coefficients: Array


class Paths:
    """Problems on the same cells, followed together down their penalties: one a column of ``uses``.

    ``uses``  parts x problems, 1 where a problem uses the cells of a part. ``ratio`` by problem.
    ``tolerance``  the last step of a coefficient (on the scale of standardised columns). ``groups``  a
    partition to begin from, as another solution on the same columns left it. ``sd``  the scale of
    each column, where it is known.
    """

    def __init__(
        self, data: Data, ratio: Any, *, standardise: bool = True, uses: Array | None = None,
        tolerance: float = 1e-9, groups: Groups | None = None, sd: Array | None = None,
    ) -> None:  # fmt: skip
        self.data, self.tolerance = data, tolerance
        self.ratio = np.atleast_1d(np.asarray(ratio, float))
        self.uses = np.ones((data.parts, len(self.ratio))) if uses is None else np.asarray(uses, float)
        self.n = data.by_part(data.cells) @ self.uses
        self.sd = self._scales(standardise) if sd is None else sd
        events, mass = (data.by_part(v) @ self.uses for v in (data.total, data.mass))
        self.intercept = np.log(np.maximum(events, 1e-12) / mass)
        self.b = np.zeros((len(data.columns), len(self.ratio)))
        self.slope: Array = None
        self.limit = np.zeros_like(self.b)
        # half the digits will do on the way down a path of many cells
        self.kind = data.columns.dtype if tolerance > 1e-6 else np.dtype(float)
        self.used = self.uses.astype(self.kind)[data.part] if data.parts > 1 else None
        self.groups = groups or Groups.of(data, [])
        self._tabulate()
        self._work_on(np.zeros(0, np.int64))

    def _scales(self, standardise: bool) -> Array:
        """Standard deviation of each column over the cells (n, not n - 1), or ones; 0 marks a constant."""
        data = self.data
        found = np.empty((len(data.columns), self.uses.shape[1]))
        for j in range(len(data.columns)):
            at = slice(None) if data.where is None else data.where[j]
            x, part, w = data.columns[j, at].astype(float), data.part[at], data.cells[at]
            first, second = (np.bincount(part, w * v, data.parts) @ self.uses / self.n for v in (x, x * x))
            found[j] = np.sqrt(np.maximum(second - first**2, 0))
        return np.where(found > 1e-12, found if standardise else 1.0, 0.0)

    def state(self, problem: int = 0) -> State:
        """Where one of the problems stands."""
        return State(float(self.intercept[problem]), self.b[:, problem].copy())

    def snapshot(self) -> tuple[Array, ...]:
        """All that ``restore`` needs to come back here."""
        return self.intercept.copy(), self.b.copy(), self.slope.copy(), self.limit, self.working

    def restore(self, snapshot: tuple[Array, ...]) -> None:
        """Come back to where a snapshot was taken."""
        self.intercept, self.b, self.slope = (a.copy() for a in snapshot[:3])
        self.limit = snapshot[3]
        self._work_on(snapshot[4])

    def begin(self, state: State) -> None:
        """Start from these coefficients instead of from none; columns that are constant here get zero."""
        self.intercept = np.full(len(self.ratio), state.intercept)
        self.b = np.where(self.sd > 0, state.coefficients[:, None], 0.0)
        self._work_on(np.flatnonzero((self.b > 0).any(axis=1)))

    def penalties(self, steps: int = 100) -> Array:
        """By problem (rows) the lambdas: from the smallest that leaves it empty to 1e-4 of it."""
        self.slope = self._slopes(np.arange(len(self.b)))
        scale = np.where(self.sd > 0, self.sd, np.inf)
        steepest = (self.slope / scale).argmax(axis=0)
        highest = np.empty(len(self.ratio))
        for k, j in enumerate(steepest):
            highest[k] = max(self._slope_of(np.array([j]), k)[0] / scale[j, k], 1e-12) / self.ratio[k]
        self.limit = highest * self.ratio * self.sd
        return highest[:, None] * 1e-4 ** (np.arange(steps) / (steps - 1))

    def at(self, penalty: Any, *, ask_all: bool = True) -> None:
        """Go on to the solutions at these penalties (one a problem), from the last ones.

        ``ask_all=False`` asks only columns that may join by the strong rule (Tibshirani et al. 2012), which
        is nearly always enough; ``forgotten`` says whether it was.
        """
        penalty = np.broadcast_to(np.asarray(penalty, float), self.ratio.shape)
        before, self.limit = self.limit, penalty * self.ratio * self.sd
        asked = np.arange(len(self.b))
        if not ask_all and self.slope is not None:
            asked = np.flatnonzero((self.slope >= 2 * self.limit - before).any(axis=1))
        if self.slope is not None:  # those that join if their slope stays as it was
            ready = np.flatnonzero(((self.slope > self.limit) & (self.sd > 0)).any(axis=1))
            if len(np.setdiff1d(ready, self.working)):
                self._work_on(np.union1d(np.flatnonzero((self.b > 0).any(axis=1)), ready))
        for _ in range(50):
            self._settle(penalty)
            joining = self._joining(asked)
            if not len(joining):
                return
            keep = np.flatnonzero((self.b > 0).any(axis=1))
            self._work_on(np.union1d(keep, joining))

    def forgotten(self) -> bool:
        """Whether a column should have coefficients and has none: one that was not asked."""
        return len(self._joining(np.arange(len(self.b)))) > 0

    def left_out(self) -> Array:
        """By problem -2 (y eta - E exp(eta)), summed over the cells that it does not use."""
        found = np.zeros(len(self.ratio))
        events, mass = (table.sum(axis=1, dtype=self.kind)[:, None] for table in self.groups.sums)
        for part in self._pieces():
            eta = self._eta(part)
            found += ((events[part] - self.total[part]) * eta).sum(axis=0, dtype=float)
            found -= ((mass[part] - self.mass[part]) * self._rate(eta)).sum(axis=0, dtype=float)
        return -2 * found

    # ---------------------------------------------------------------- columns in play
    def _tabulate(self) -> None:
        """Events and exposure by group and problem."""
        self.total, self.mass = (
            table.astype(self.kind) @ self.uses.astype(self.kind) for table in self.groups.sums
        )

    def _work_on(self, working: Array) -> None:
        groups = self.groups.for_columns(working.tolist())
        if groups is not self.groups:
            self.groups = groups
            self._tabulate()
        self.working = working
        at = working if groups.alone else [groups.columns.index(j) for j in working.tolist()]
        self.rows = groups.values[at].astype(self.kind)
        self.curvature: Any = None

    def _pieces(self) -> list[slice]:
        """Groups a few at a time, so that what is computed of them stays in the processor's cache."""
        return [slice(k, k + PIECE) for k in range(0, self.rows.shape[1], PIECE)]

    def _eta(self, part: slice, live: Any = slice(None)) -> Array:
        b = self.b[self.working][:, live].astype(self.kind)
        eta = self.rows[:, part].T @ b
        eta += self.intercept[live].astype(self.kind)
        return eta

    @staticmethod
    def _rate(eta: Array) -> Array:
        return np.exp(np.minimum(eta, 50.0))

    def _settle(self, penalty: Array) -> None:
        """Newton steps on the coefficients in play until they stand still, in every problem."""
        live, last = np.arange(len(penalty)), np.inf
        for count in range(100):
            slope, level, curvature = self._derivatives(live)
            if curvature is not None:
                self.curvature = curvature
            moved = np.array(
                [self._step(int(k), penalty[k], slope[:, i], level[i]) for i, k in enumerate(live)]
            )
            live = live[moved >= self.tolerance]
            if not len(live):
                return
            farthest = float(moved.max())
            if farthest > 0.2 * last or (count == 0 and farthest > 0.05):
                self.curvature = None  # too far from where it was measured
            last = farthest

    def _derivatives(self, live: Array) -> tuple[Array, Array, Any]:
        """Slopes by the columns in play and by the intercept (by problem), per cell; and where none is kept,
        the curvature: with the intercept, of it, and of the rest given it. Folds are so alike that one serves
        all."""
        size, n = len(self.working), self.n[live]
        slope, level = np.zeros((size, len(live))), np.zeros(len(live))
        matrix, cross, whole = np.zeros((size, size)), np.zeros(size), 0.0
        every = len(live) == len(self.n)
        for part in self._pieces():
            rows = self.rows[:, part]
            mean = self._rate(self._eta(part, live))
            mean *= self.mass[part] if every else self.mass[part, live]
            off = (self.total[part] if every else self.total[part, live]) - mean
            slope += rows @ off
            level += off.sum(axis=0, dtype=float)
            if self.curvature is None:
                weight = mean @ (1 / (n * len(n))).astype(self.kind)
                weighted = rows * weight
                matrix += weighted @ rows.T
                cross += weighted.sum(axis=1, dtype=float)
                whole += float(weight.sum(dtype=float))
        if self.curvature is not None:
            return slope / n, level / n, None
        return slope / n, level / n, (cross, whole, matrix - np.outer(cross, cross) / whole)

    def _step(self, k: int, penalty: float, slope: Array, level: float) -> float:
        """One step of problem ``k``; how far it went."""
        cross, whole, pulled = self.curvature
        sd, ratio, b = self.sd[self.working, k], self.ratio[k], self.b[self.working, k]
        target = pulled @ b + slope - cross * (level / whole) - penalty * ratio * sd
        bent = pulled.copy()
        bent.flat[:: len(b) + 1] += penalty * (1 - ratio) * sd**2 + RIDGE
        step = nonnegative(bent, np.where(sd > 0, target, -1.0), b > 0) - b
        shift = (level - cross @ step) / whole
        farthest = max(float(np.abs(step).max(initial=0.0)), abs(shift))
        size = min(1.0, 4.0 / max(farthest, 1e-300))
        self.b[self.working, k] = b + size * step
        self.intercept[k] += size * shift
        return max(float(np.abs(step * sd).max(initial=0.0)), abs(shift))

    # ---------------------------------------------------------------- columns out of play
    def _slopes(self, asked: Array) -> Array:
        """Derivative of the mean log-likelihood by the coefficients asked (by problem)."""
        data = self.data
        columns = data.columns if len(asked) == len(self.b) else data.columns[asked]
        found = np.zeros((len(asked), len(self.ratio)))
        if self.groups.alone:
            for part in self._pieces():
                off = self.total[part] - self.mass[part] * self._rate(self._eta(part))
                found += columns[:, part] @ off
            return found / self.n
        rates = np.concatenate([self._rate(self._eta(part)) for part in self._pieces()])
        plain = bool((data.mass == 1).all())
        total, mass = data.total.astype(self.kind)[:, None], data.mass.astype(self.kind)[:, None]
        for begin in range(0, data.columns.shape[1], PIECE):
            part = slice(begin, begin + PIECE)
            off = rates[self.groups.group[part]]
            if not plain:
                off *= mass[part]
            np.subtract(total[part], off, out=off)
            if self.used is not None:
                off *= self.used[part]
            found += columns[:, part] @ off
        return found / self.n

    def _slope_of(self, asked: Array, problem: int) -> Array:
        """The slopes of one problem, in full precision."""
        data = self.data
        rows, b = self.rows.astype(float), self.b[self.working, problem]
        rate = self._rate(b @ rows + self.intercept[problem])[self.groups.group]
        off = (data.total - data.mass * rate) * self.uses[data.part, problem]
        return data.columns[asked].astype(float) @ off / self.n[problem]

    def _joining(self, asked: Array) -> Array:
        """Of the columns asked those out of play whose slope is above the limit in some problem."""
        slope, limit = self._slopes(asked), np.where(self.sd > 0, self.limit, np.inf)[asked]
        if self.slope is None or len(asked) == len(self.b):
            self.slope = np.zeros_like(self.b)
        self.slope[asked] = slope
        over = slope - limit
        over[np.isin(asked, self.working)] = -np.inf
        if self.data.columns.dtype != float:
            for k in np.flatnonzero((over > -DOUBT).any(axis=0)):
                doubted = np.flatnonzero(over[:, k] > -DOUBT)
                over[doubted, k] = self._slope_of(asked[doubted], int(k)) - limit[doubted, k]
        return asked[(over > 1e-9).any(axis=1)]


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
