"""Drawing treatment again: who could have been treated, and how the answer would then have looked.

A draw keeps the design: as many treated units in each stratum as there really were. All arrangements are
listed where there are few enough, so that a small trial gets its exact p.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False, slots=True)
class Draws:
    """Re-drawn treatments.

    ``chosen``        (draws, treated units): which units are treated in each draw.
    ``label``         (treated units,): the label (stack) that the unit in each column carries.
    ``exact``         True where every arrangement stands here once, the real one among them.
    ``arrangements``  how many arrangements the design allows.
    """

    chosen: NDArray[np.int64]
    label: NDArray[np.int64]
    exact: bool
    arrangements: float

    @property
    def smallest_p(self) -> float:
        """The smallest p that this design can give."""
        return 1 / len(self.chosen) if self.exact else 1 / (len(self.chosen) + 1)


def quantile_strata(values: ArrayLike, treated: ArrayLike, *, groups: int = 5) -> NDArray[np.int64]:
    """Strata of like units: quantiles of a baseline count, merged until each holds two of either arm.

    ``values``   one number a unit; ``treated`` which units are treated.
    A group that lacks two treated or two untreated units joins the next one (the last joins the one before).

    >>> quantile_strata([1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 1, 1, 0, 0, 1, 1], groups=2).tolist()
    [0, 0, 0, 0, 1, 1, 1, 1]
    """
    values, treated = np.asarray(values, float), np.asarray(treated, bool)
    n = len(values)
    order = np.argsort(values, kind="stable")
    group = np.empty(n, np.int64)
    group[order] = np.arange(n) * groups // max(n, 1)
    merged, parts = [], []
    for g in range(groups):
        parts.append(g)
        inside = np.isin(group, parts)
        if (inside & treated).sum() >= 2 and (inside & ~treated).sum() >= 2:
            merged.append(parts)
            parts = []
    if parts:
        merged = [*merged[:-1], [*(merged[-1] if merged else []), *parts]]
    stratum = np.zeros(n, np.int64)
    for s, members in enumerate(merged):
        stratum[np.isin(group, members)] = s
    return stratum


def redraw(
    label: ArrayLike, stratum: ArrayLike, *, draws: int = 999, seed: int, most_exact: int = 10_000
) -> Draws:
    """Treatment re-drawn within strata: all arrangements if at most ``most_exact``, else a sample.

    ``label``    (units,): -1 untreated, 0 and above the label (stack) of a treated unit.
    ``stratum``  (units,): draws keep the number of each label in each stratum.
    """
    label, stratum = np.asarray(label, np.int64), np.asarray(stratum, np.int64)
    if not (label >= 0).any() or not (label < 0).any():
        raise DesignError("A permutation needs treated and untreated units.")
    pools = [np.flatnonzero(stratum == s) for s in np.unique(stratum)]
    pools = [pool for pool in pools if (label[pool] >= 0).any()]
    labels = [np.sort(label[pool][label[pool] >= 0]) for pool in pools]
    arrangements = math.prod(
        _ways(len(p), np.unique(m, return_counts=True)[1]) for p, m in zip(pools, labels, strict=True)
    )
    together = np.concatenate(labels)
    if arrangements <= most_exact:
        each = [list(_arrangements(pool, marks)) for pool, marks in zip(pools, labels, strict=True)]
        rows = [np.concatenate(parts) for parts in itertools.product(*each)]
        return Draws(np.array(rows, np.int64), together, True, float(arrangements))
    rng = np.random.default_rng(seed)
    columns = [
        rng.permuted(np.broadcast_to(pool, (draws, len(pool))), axis=1)[:, : len(marks)]
        for pool, marks in zip(pools, labels, strict=True)
    ]
    return Draws(np.hstack(columns), together, False, float(min(arrangements, 10**300)))


def _ways(n: int, sizes: NDArray[np.int64]) -> int:
    ways, left = 1, n
    for size in sizes:
        ways *= math.comb(left, int(size))
        left -= int(size)
    return ways


def _arrangements(pool: NDArray[np.int64], marks: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Every way to give the marks to units of the pool; units of equal mark in rising order."""
    sizes = np.unique(marks, return_counts=True)[1]

    def choose(left: tuple[int, ...], sizes: list[int]) -> Iterator[tuple[int, ...]]:
        if not sizes:
            yield ()
            return
        for picked in itertools.combinations(left, sizes[0]):
            rest = tuple(x for x in left if x not in picked)
            for more in choose(rest, sizes[1:]):
                yield (*picked, *more)

    for row in choose(tuple(int(x) for x in pool), [int(s) for s in sizes]):
        yield np.array(row, np.int64)


def p_value(drawn: ArrayLike, observed: float, *, exact: bool) -> float:
    """Two-sided p: the share of draws at least as far from zero as what was observed.

    A sample counts the observed arrangement as one more draw: p = (1 + hits)/(B + 1).

    >>> p_value([0.1, -0.5, 0.2], -0.4, exact=False)
    0.5
    """
    x = np.asarray(drawn, float)
    hits = int((np.abs(x[np.isfinite(x)]) >= abs(observed) - 1e-12).sum())
    return hits / len(x) if exact else (1 + hits) / (len(x) + 1)


def draw_sums(draws: Draws, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over the treated units of every draw, by label.

    ``values``  (units, k). Returns (draws, labels, k), labels in rising order from 0.
    """
    from scipy import sparse

    n_draws, n_labels = len(draws.chosen), int(draws.label.max()) + 1
    sums = np.zeros((n_draws, n_labels, values.shape[1]))
    for s in range(n_labels):
        columns = draws.chosen[:, draws.label == s]
        width = columns.shape[1]
        who = sparse.csr_array(
            (np.ones(columns.size), columns.ravel(), np.arange(0, columns.size + 1, max(width, 1))),
            shape=(n_draws, len(values)),
        ) if width else None  # fmt: skip
        if who is not None:
            sums[:, s] = who @ values
    return sums
