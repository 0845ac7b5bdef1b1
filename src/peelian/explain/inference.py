"""How far a chosen factor can be trusted: intervals by tile, resampled tiles, shifted maps, leftover pattern.

Search by BIC finds factors that are not there, and neighbouring cells are alike, so no result of the search
is shown without these. Arrays in, small results out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft, sparse
from scipy.special import stdtr, stdtrit

from peelian.explain.groups import Data, Groups
from peelian.explain.likelihood import CountFit, Family, scores_of
from peelian.explain.select import SCREENED_AGAIN, Culling, recull, stepwise
from peelian.explain.shifted import Window

Array = Any


# -------------------------------------------------------------------- cluster-robust
@dataclass(frozen=True, eq=False)
class Robust:
    """Standard errors that allow cells of one tile to be alike: by coefficient, with a t interval.

    ``clusters`` tiles with cells; t has one degree of freedom less.
    """

    coefficients: Array
    standard_errors: Array
    clusters: int

    def interval(self, at: int, level: float = 0.95) -> tuple[float, float]:
        """Interval of exp(coefficient)."""
        reach = stdtrit(self.clusters - 1, 0.5 + level / 2) * self.standard_errors[at]
        centre = self.coefficients[at]
        return float(np.exp(centre - reach)), float(np.exp(centre + reach))

    def p(self, at: int) -> float:
        """Two-sided p of a coefficient of zero."""
        return float(2 * stdtr(self.clusters - 1, -abs(self.coefficients[at] / self.standard_errors[at])))


def robust(
    fitted: CountFit, design: Array, counts: Array, clusters: Array, *, exposure: Array | None = None,
    small_sample: str = "G/(G-1)",
) -> Robust:  # fmt: skip
    """Standard errors from the sandwich with whole clusters as units (Liang & Zeger 1986).

    ``clusters`` the tile of each cell. ``small_sample="none"`` leaves out the factor G/(G-1).
    """
    scores = scores_of(fitted, design, counts, exposure)
    _, tile = np.unique(clusters, return_inverse=True)
    number = int(tile.max()) + 1
    sums = np.zeros((number, scores.shape[1]))
    np.add.at(sums, tile, scores)
    bread = fitted.covariance
    meat = sums.T @ sums * (number / (number - 1) if small_sample == "G/(G-1)" and number > 1 else 1.0)
    spread = np.sqrt(np.diag(bread @ meat @ bread))[: len(fitted.coefficients)]
    return Robust(fitted.coefficients, spread, number)


def tiles(x: Array, y: Array, side: float, origin: tuple[float, float] = (0.0, 0.0)) -> Array:
    """Number of the square tile of each point, counted from the origin.

    >>> tiles(np.array([10.0, 1600.0]), np.array([10.0, 10.0]), 1500).tolist()
    [0, 1]
    """
    column, row = np.floor((x - origin[0]) / side), np.floor((y - origin[1]) / side)
    _, tile = np.unique(np.column_stack([row, column]), axis=0, return_inverse=True)
    return tile.ravel()


# -------------------------------------------------------------------- bootstrap over tiles
@dataclass(frozen=True, eq=False)
class Resample:
    """All that a replicate needs, as plain arrays: it can run in another process."""

    columns: Array
    factor: Array
    counts: Array
    exposure: Array | None
    tile: Array
    family: Family
    culling: Culling | None
    p_limit: float
    seed: int


def bootstrap(piece: tuple[Resample, Array]) -> list[tuple[tuple[int, ...], Array]]:
    """Replicates of the selection on tiles drawn with replacement: (chosen columns, coefficients) of each.

    ``piece``  what to resample and the numbers of the replicates. Replicate b draws with
    ``default_rng([seed, b])``, so results do not depend on how replicates are dealt to processes. The cull
    is made anew at the penalty chosen on all cells; at each step of the search the three most promising
    additions are fitted.
    """
    data, numbers = piece
    number = int(data.tile.max()) + 1
    found = []
    cells = Data.of(data.columns, data.counts, mass=data.exposure)
    together = None if data.culling is None else Groups.of(cells, data.culling.kept.tolist())
    for b in numbers:
        rng = np.random.default_rng([data.seed, int(b)])
        drawn = np.bincount(rng.integers(number, size=number), minlength=number)
        weights = drawn[data.tile].astype(float)
        if data.culling is None or together is None:
            kept = np.arange(data.columns.shape[1])
        else:
            kept = recull(cells, data.culling, together, weights=weights)
        search = stepwise(
            data.columns[:, kept], data.factor[kept], data.counts, data.family, exposure=data.exposure,
            weights=weights, p_limit=data.p_limit, screen=SCREENED_AGAIN,
        )  # fmt: skip
        chosen = tuple(int(kept[j]) for j in search.chosen)
        found.append((chosen, search.fit.coefficients))
    return found


def false_discovery(p: Array) -> Array:
    """p adjusted so that at most a share of what is marked is marked falsely (Benjamini & Hochberg 1995).

    >>> false_discovery(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    raised = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return adjusted


# -------------------------------------------------------------------- what is left over
def moran(values: Array, neighbours: sparse.csr_array, permutations: int, seed: Any) -> tuple[float, float]:
    """Moran's I with neighbours' weights adding to one, and its one-sided permutation p.

    Source: Moran (1950); Cliff & Ord (1981).
    """
    degree = np.asarray(neighbours.sum(axis=1)).ravel()
    weights = sparse.csr_array(sparse.diags_array(1 / np.maximum(degree, 1)) @ neighbours)
    centred = np.asarray(values, float) - np.mean(values)
    scale = len(centred) / (degree > 0).sum() / (centred @ centred)
    observed = float(scale * (centred @ (weights @ centred)))
    rng = np.random.default_rng(seed)
    above = 0
    for begin in range(0, permutations, 100):
        mixed = rng.permuted(np.tile(centred, (min(100, permutations - begin), 1)), axis=1)
        drawn = scale * (mixed.T * (weights @ mixed.T)).sum(axis=0)
        above += int((drawn >= observed - 1e-12).sum())
    return observed, (1 + above) / (permutations + 1)


def correlogram(window: Window, values: Array, cell: float, reach: float) -> list[tuple[float, float, int]]:
    """How alike values are with distance: (metres, correlation, pairs) by ring one cell wide."""
    centred = np.asarray(values, float) - np.mean(values)
    moved = window.transform(centred)[0]
    products = fft.irfft2(moved * moved.conj(), window.shape)
    away = [np.minimum(np.arange(k), k - np.arange(k)) for k in window.shape]
    distance = np.hypot(away[0][:, None], away[1][None, :])
    found = []
    for lag in range(1, int(reach // cell) + 1):
        ring = np.abs(distance - lag) <= 0.5
        pairs = int(np.rint(window.overlap[ring].sum() / 2))
        if pairs >= 30:
            mean = products[ring].sum() / 2 / pairs
            found.append((lag * cell, float(mean / (centred @ centred) * len(centred)), pairs))
    return found


# -------------------------------------------------------------------- verdict
@dataclass(frozen=True)
class Limits:
    """What a factor must show to be reported: least selection frequency, largest shift p (adjusted for how
    many factors were tried where ``holm``), and how many of the four checks make it ``weak``."""

    frequency: float = 0.8
    shift_p: float = 0.05
    weak: int = 2
    holm: bool = False


def verdict(
    frequency: float, shift_p: float, robust_interval: tuple[float, float],
    refit_interval: tuple[float, float], limits: Limits,
) -> tuple[str, str]:  # fmt: skip
    """Report, weak or do not report, with the reason in words. NaN means that a check was not passed.

    >>> verdict(0.9, 0.01, (1.2, 1.9), (1.1, 2.0), Limits())
    ('report', 'passes all four checks')
    >>> verdict(0.9, 0.2, (1.2, 1.9), (1.1, 2.0), Limits())
    ('weak', 'shifted maps fit as well in 20.0 % of shifts')
    """
    failed = []
    if not frequency >= limits.frequency:
        failed.append(f"chosen in {frequency:.0%} of resamples".replace("%", " %"))
    if not shift_p <= limits.shift_p:
        words = f"shifted maps fit as well in {100 * shift_p:.1f} % of shifts"
        words = f"shift test p {shift_p:.3f} for as many factors as were tried" if limits.holm else words
        failed.append(words if np.isfinite(shift_p) else "too few cells for the shift test")
    if not (robust_interval[0] > 1 or robust_interval[1] < 1):
        failed.append("interval by tile includes 1")
    if not (refit_interval[0] > 1 or refit_interval[1] < 1):
        known = np.isfinite(refit_interval[0])
        failed.append("interval in the second half includes 1" if known else "first half does not choose it")
    if not failed:
        return "report", "passes all four checks"
    passed = 4 - len(failed)
    return ("weak" if passed >= limits.weak else "do not report"), "; ".join(failed)
