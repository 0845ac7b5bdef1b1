"""Choosing the factors: an elastic net culls the candidates, a stepwise search by BIC picks from the rest.

The rules are those of the RTMDx Utility as documented (Caplan, Kennedy & Miller 2011; Heffner 2013).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.special import gammaln, xlogy

from peelian.explain import elastic
from peelian.explain.groups import Data, Groups
from peelian.explain.likelihood import Cells, CountFit, Family, cells_of, cells_of_table, fit, mean_of

Array = Any
Rule = Literal["min", "1se"]
SCREENED, SCREENED_AGAIN = 10, 3  # additions fitted at each step: once, and in each of many resamples
PATIENCE = 10  # penalties in a row that are worse than the best
BLOCK = 4  # penalties between two looks at all columns


# -------------------------------------------------------------------- cull
@dataclass(frozen=True, eq=False)
class Culling:
    """Which candidates the elastic net kept: ``kept`` (columns), under which ``ratio`` and ``penalty``.

    ``table``  one row a ratio: ratio, penalty_max, penalty, penalty_1se, deviance (cross-validated, mean
               per cell), kept, kept_1se.
    """

    kept: Array
    ratio: float
    penalty: float
    coefficients: Array
    intercept: float
    table: tuple[dict[str, float], ...]


def heffner_folds(counts: Array, folds: int, rng: np.random.Generator) -> Array:
    """Folds alike in crime: cells in order of count, each block of ``folds`` dealt out at random (0, 1, ...).

    Ties in count are in random order (Heffner 2013).
    """
    counts = np.asarray(counts)
    order = np.lexsort((rng.random(len(counts)), -counts))
    dealt = rng.permuted(np.tile(np.arange(folds), (-(-len(counts) // folds), 1)), axis=1).ravel()
    fold = np.empty(len(counts), np.int64)
    fold[order] = dealt[: len(counts)]
    return fold


def cull(
    columns: Array, counts: Array, fold: Array, *, exposure: Array | None = None,
    ratios: tuple[float, ...] = (0.8, 0.95), standardise: bool = True, rule: Rule = "min", steps: int = 100,
) -> Culling:  # fmt: skip
    """The candidates that an elastic net keeps, at the penalty that predicts left-out cells best.

    ``columns`` cells x candidates (0/1, or 0/-1 for protective ones); ``fold`` the part that each cell is
    left out with. Poisson, coefficients of at least zero, ``steps`` penalties down to 1e-4 of the highest;
    the ratio with the lower cross-validated deviance wins. ``rule="1se"`` takes the highest penalty within
    one standard error of the best.

    Source: Zou & Hastie (2005); Friedman, Hastie & Tibshirani (2010) for the cross-validation.
    """
    counts = np.asarray(counts, float)
    exposure = np.ones(len(counts)) if exposure is None else np.asarray(exposure, float)
    part = np.unique(fold, return_inverse=True)[1].ravel()
    data = _together(np.asarray(columns), counts, exposure, part)
    saturated = np.bincount(part, 2 * (xlogy(counts, counts / exposure) - counts))
    paths = _followed(data, np.asarray(ratios), standardise, steps, saturated)
    best = min(paths, key=lambda path: path.deviance.min())
    chosen = best.states[rule]
    return Culling(
        np.flatnonzero(chosen.coefficients > 0), best.ratio, float(best.penalty[best.at[rule]]),
        chosen.coefficients, chosen.intercept, tuple(path.row() for path in paths),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Path:
    """One ratio's path: penalties gone down to, cross-validated deviance per cell with its standard error,
    and on all cells the solutions where it is least and at the highest penalty within one error of that."""

    ratio: float
    penalty: Array
    deviance: Array
    error: Array
    states: dict[Rule, elastic.State]

    @property
    def at(self) -> dict[Rule, int]:
        """Positions of the two penalties."""
        return _positions(self.deviance, self.error)

    def row(self) -> dict[str, float]:
        """For the table of a culling."""
        kept = {rule: int((state.coefficients > 0).sum()) for rule, state in self.states.items()}
        least, within = self.at["min"], self.at["1se"]
        return {
            "ratio": self.ratio, "penalty_max": self.penalty[0], "penalty": self.penalty[least],
            "kept": kept["min"], "penalty_1se": self.penalty[within], "kept_1se": kept["1se"],
            "deviance": self.deviance[least],
        }  # fmt: skip


def _positions(deviance: Array, error: Array) -> dict[Rule, int]:
    least = int(deviance.argmin())
    within = int(np.flatnonzero(deviance <= deviance[least] + error[least])[0])
    return {"min": least, "1se": within}


def _followed(data: Data, ratios: Array, standardise: bool, steps: int, saturated: Array) -> list[_Path]:
    """Down the penalties with all folds and all cells together, for each ratio.

    They stop once ``PATIENCE`` penalties in a row were worse than the best for every ratio. The solutions on
    all cells are then solved to the last digit.
    """
    folds, many = data.parts, len(ratios)
    # problem r * (folds + 1) + f leaves out fold f; the last of each ratio leaves out none
    uses = np.tile(np.column_stack([1 - np.eye(folds), np.ones(folds)]), many)
    paths = elastic.Paths(
        data, np.repeat(ratios, folds + 1), standardise=standardise, uses=uses, tolerance=1e-5
    )
    whole = np.arange(many) * (folds + 1) + folds
    penalty, size = paths.penalties(steps)[whole], data.by_part(data.cells)
    held: list[Array] = []
    states: list[list[elastic.State]] = []
    while len(held) < steps and not _past_the_best(held):
        for step, solved in _down(paths, penalty[:, len(held) : len(held) + BLOCK], whole):
            held.append(step + saturated)
            states.append(solved)
    means = np.sum(held, axis=2) / size.sum()
    spread = (np.array(held) / size - means[..., None]) ** 2 @ size
    errors = np.sqrt(spread / size.sum() / (folds - 1))
    found = []
    for r in range(many):
        exact: dict[Rule, elastic.State] = {}
        for rule, at in _positions(means[:, r], errors[:, r]).items():
            one = elastic.Paths(data, ratios[r], sd=paths.sd[:, whole[[r]]], groups=paths.groups)
            one.begin(states[at][r])
            one.at(penalty[r, at])
            exact[rule] = one.state()
        found.append(_Path(float(ratios[r]), penalty[r, : len(means)], means[:, r], errors[:, r], exact))
    return found


def _down(paths: elastic.Paths, penalty: Array, whole: Array) -> list[tuple[Array, list[elastic.State]]]:
    """Some penalties further down: left-out deviance (ratios x folds) and the solutions on all cells.

    Only promising columns are asked whether they join; where one was forgotten, all are, from the beginning.
    """
    each = len(paths.ratio) // len(whole)
    begin = paths.snapshot()
    for ask_all in (False, True):
        found = []
        for step in penalty.T:
            paths.at(np.repeat(step, each), ask_all=ask_all)
            left = paths.left_out().reshape(len(whole), each)[:, :-1]
            found.append((left, [paths.state(int(k)) for k in whole]))
        if not ask_all and not paths.forgotten():
            break
        if not ask_all:
            paths.restore(begin)
    return found


def _past_the_best(held: list[Array]) -> bool:
    """Whether for every ratio so many penalties in a row were worse than the best."""
    if not held:
        return False
    deviance = np.sum(held, axis=2)
    return bool((len(held) - 1 - deviance.argmin(axis=0) >= PATIENCE).all())


def recull(
    data: Data, culling: Culling, groups: Groups, *, weights: Array, standardise: bool = True
) -> Array:
    """The candidates kept when the cells are weighted anew, at the ratio and penalty already chosen.

    ``groups``  the cells parted by the columns kept on all cells; shared between weights.
    """
    again = replace(data, cells=weights, total=weights * data.total, mass=weights * data.mass)
    path = elastic.Paths(
        again, culling.ratio, standardise=standardise, tolerance=1e-5, groups=groups.weighted(again)
    )
    path.begin(elastic.State(culling.intercept, culling.coefficients))
    path.at(culling.penalty)
    return np.flatnonzero(path.state().coefficients > 0)


def _together(columns: Array, counts: Array, exposure: Array, part: Array) -> Data:
    """Cells of one part with equal candidates put together, where that makes them fewer."""
    if columns.dtype.kind in "iub":
        first, group = _unique_rows(columns, part)
        if len(first) < 0.7 * len(columns):
            sums = [np.bincount(group, v) for v in (np.ones(len(counts)), counts, exposure)]
            return Data.of(columns[first], sums[1], cells=sums[0], mass=sums[2], part=part[first])
    return Data.of(columns, counts, mass=exposure, part=part)


def _unique_rows(columns: Array, part: Array) -> tuple[Array, Array]:
    """One cell of each kind, and the kind of each cell: equal columns (0 or not) and part."""
    packed = np.packbits(columns != 0, axis=1)
    words = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), np.uint8)
    words[:, : packed.shape[1]] = packed
    keys = np.column_stack([words.view(np.uint64), part.astype(np.uint64)])
    mixed = keys @ np.random.default_rng(0).integers(1, 2**63, keys.shape[1], dtype=np.uint64)
    _, first, group = np.unique(mixed, return_index=True, return_inverse=True)
    if not (keys[first][group] == keys).all():  # two kinds that the mixing could not tell apart
        _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return first, group.ravel()


# -------------------------------------------------------------------- stepwise
@dataclass(frozen=True, eq=False)
class Search:
    """What a stepwise search chose: ``chosen`` columns in order of entry, their ``fit``, the ``path`` of
    (step, BIC, columns) and how many models were ``fits``."""

    chosen: tuple[int, ...]
    fit: CountFit
    path: tuple[tuple[int, float, tuple[int, ...]], ...]
    fits: int


def stepwise(
    columns: Array, factor: Array, counts: Array, family: Family, *, exposure: Array | None = None,
    weights: Array | None = None, p_limit: float = 0.05, screen: int | None = None, swap: bool = False,
) -> Search:  # fmt: skip
    """The model that additions and removals by BIC lead to, from the empty one.

    ``factor``  of each column: at most one column of a factor enters. A model counts only if
    every coefficient is above zero and every two-sided Wald p at most ``p_limit``. ``weights`` whole
    numbers by cell (a resample). ``screen``  fit only so many additions, those with the highest score
    statistics, and only the removal of the weakest column. ``swap``  also put another column of its factor
    in the place of a chosen one. Ties go to the lowest column.
    """
    table = _Tables(columns, counts, family, exposure, weights)
    factor = np.asarray(factor)
    chosen: tuple[int, ...] = ()
    current = fit(table.of(chosen), family, cells=table.n)
    path, fits = [(0, current.bic, chosen)], 0
    while True:
        table.stand_at(chosen)
        free = np.flatnonzero(~np.isin(factor, factor[list(chosen)]) & table.usable)
        leaving = chosen
        if screen is not None:
            free = np.sort(free[np.argsort(-table.score(current, free), kind="stable")[:screen]])
            leaving = (chosen[int(np.argmax(current.p[1:]))],) if chosen else ()
        best, best_chosen = current, None
        swaps = [
            (*_without(chosen, j), int(k))
            for j in chosen if swap for k in np.flatnonzero((factor == factor[j]) & table.usable) if k != j
        ]  # fmt: skip
        for trial in [*((*chosen, int(j)) for j in free), *(_without(chosen, j) for j in leaving), *swaps]:
            adding = len(trial) > len(chosen)
            begin = _grown(current) if adding else None
            data = table.adding(trial[-1]) if adding else table.of(trial)
            found = fit(data, family, cells=table.n, start=begin)
            fits += 1
            if found.bic < best.bic - 1e-9 and allowed(found, p_limit):
                best, best_chosen = found, trial
        if best_chosen is None:
            return Search(chosen, current, tuple(path), fits)
        chosen, current = best_chosen, best
        path.append((len(path), current.bic, chosen))


def allowed(found: CountFit, p_limit: float) -> bool:
    """Whether a model may be chosen: converged, all coefficients above zero, all Wald p small enough."""
    if not found.converged or (found.coefficients[1:] <= 0).any():
        return False
    return bool((found.p[1:] <= p_limit).all())


def design_of(columns: Array, chosen: tuple[int, ...]) -> Array:
    """Intercept and the chosen columns."""
    columns = np.asarray(columns)
    return np.column_stack([np.ones(len(columns)), *(columns[:, j] for j in chosen)]).astype(float)


def _without(chosen: tuple[int, ...], one: int) -> tuple[int, ...]:
    return tuple(j for j in chosen if j != one)


def _grown(current: CountFit) -> CountFit:
    return replace(current, coefficients=np.append(current.coefficients, 0.0))


class _Tables:
    """Sufficient sums for any set of columns, without going over all cells for each candidate.

    Poisson needs events and exposure by pattern; the negative binomials the histogram of counts by pattern,
    or, with exposures that differ, every cell by itself; so do columns of shares, which have no patterns.
    """

    def __init__(
        self, columns: Array, counts: Array, family: Family, exposure: Array | None, weights: Array | None
    ) -> None:
        columns, counts = np.asarray(columns), np.asarray(counts, float)
        weights = np.ones(len(counts)) if weights is None else np.asarray(weights, float)
        keep = weights > 0
        self.columns, self.counts, self.weights = columns[keep], counts[keep], weights[keep]
        self.exposure = np.ones(keep.sum()) if exposure is None else np.asarray(exposure, float)[keep]
        self.n = float(self.weights.sum())
        self.family = family
        exposed = self.columns != 0
        self.sign = np.where((self.columns < 0).any(axis=0), -1.0, 1.0)
        self.where = [np.flatnonzero(exposed[:, j]) for j in range(exposed.shape[1])]
        events = np.array([(self.weights[at] * self.counts[at]).sum() for at in self.where])
        whole = float(self.weights @ self.counts)
        size = np.array([len(at) for at in self.where])
        self.usable = (events > 0) & (events < whole) & (size > 0) & (size < len(self.counts))
        self.log_exposure = float((self.weights * xlogy(self.counts, self.exposure)).sum())
        self.log_factorial = float(self.weights @ gammaln(self.counts + 1))
        self.high = int(self.counts.max(initial=0)) + 1
        self.shares = not np.isin(self.columns, (-1, 0, 1)).all() if self.columns.dtype.kind == "f" else False
        self.kind = "sums" if family == "poisson" else "table" if exposure is None else "plain"
        if self.shares:
            self.kind = "plain"
        if self.kind == "plain":
            bare = np.ones((len(self.counts), 1))
            self.base = cells_of(bare, self.counts, exposure=self.exposure, weights=self.weights)

    def stand_at(self, chosen: tuple[int, ...]) -> None:
        """Prepare for additions to these columns."""
        self.chosen = chosen
        if self.shares:
            self.group, self.sums = np.arange(len(self.counts)), None
            self.rows = design_of(self.columns, chosen)
            return
        bits = np.zeros(len(self.counts), np.int64)
        for at, j in enumerate(chosen):
            bits[self.where[j]] |= 1 << at
        if len(chosen) <= 16:  # quicker than sorting
            held = np.bincount(bits, minlength=1 << len(chosen)) > 0
            pattern = np.flatnonzero(held)
            self.group = (np.cumsum(held) - 1)[bits]
        else:
            pattern, self.group = np.unique(bits, return_inverse=True)
        self.patterns = len(pattern)
        self.rows = np.ones((self.patterns, len(chosen) + 1))
        for at, j in enumerate(chosen):
            self.rows[:, at + 1] = self.sign[j] * (pattern >> at & 1)
        if self.kind == "table":
            self.code = self.group * self.high + self.counts.astype(np.int64)
        self.sums = None if self.kind == "plain" else self._sums(slice(None))

    def _sums(self, where: Any) -> Array:
        """By pattern: the histogram of counts, or (cells, events, exposure)."""
        w = self.weights[where]
        if self.kind == "table":
            return np.bincount(self.code[where], w, self.patterns * self.high).reshape(-1, self.high)
        group, counts, exposure = self.group[where], self.counts[where], self.exposure[where]
        return np.column_stack([np.bincount(group, v, self.patterns) for v in (w, w * counts, w * exposure)])

    def of(self, chosen: tuple[int, ...]) -> Cells:
        """The sums of a set of columns."""
        standing = getattr(self, "chosen", None)
        self.stand_at(chosen)
        data = self._cells(self.rows, self.sums)
        if standing is not None and standing != chosen:
            self.stand_at(standing)
        return data

    def adding(self, j: int) -> Cells:
        """The sums of the present columns and one more."""
        if self.kind == "plain":
            new = self.columns[:, j].astype(float)
            return replace(self.base, design=np.column_stack([self.rows[self.group], new]))
        inside = self._sums(self.where[j])
        sums = np.vstack([self.sums - inside, inside])
        new = np.repeat([0.0, self.sign[j]], self.patterns)
        return self._cells(np.column_stack([np.vstack([self.rows, self.rows]), new]), sums)

    def _cells(self, rows: Array, sums: Array) -> Cells:
        if self.kind == "plain":
            return replace(self.base, design=rows[self.group])
        held = (sums.sum(axis=1) if self.kind == "table" else sums[:, 0]) > 0
        rows, sums = rows[held], sums[held]
        if self.kind == "table":
            return cells_of_table(rows, sums, np.ones(len(rows)))
        none = np.zeros(0)
        cells, total, mass = sums.T
        return Cells(rows, cells, total, none, mass, none, none, none, self.log_exposure, self.log_factorial)

    def score(self, current: CountFit, free: Array) -> Array:
        """One-sided score statistic of each addition, from the expected information."""
        design = self.rows[self.group]
        mean = mean_of(current, design, self.exposure)
        spread = 1 + current.dispersion * (mean if self.family == "nb2" else 1.0)
        slope, curve = self.weights * (self.counts - mean) / spread, self.weights * mean / spread
        new = self.columns[:, free].astype(float)
        cross = design.T @ (new * curve[:, None])
        held = np.linalg.solve((design.T * curve) @ design, cross)
        information = curve @ new**2 - (cross * held).sum(axis=0)
        return (slope @ new) / np.sqrt(np.maximum(information, 1e-12))
