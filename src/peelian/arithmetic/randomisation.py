"""Drawing treatment again: who could have been treated, and how the answer would then have looked.

A draw keeps the design: as many treated units in each stratum as there really were. All arrangements are
listed where there are few enough, so that a small trial gets its exact p.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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
        pool[_picked(rng, draws, len(pool), len(marks))] for pool, marks in zip(pools, labels, strict=True)
    ]
    return Draws(np.hstack(columns), together, False, float(min(arrangements, 10**300)))


def _picked(rng: np.random.Generator, draws: int, n: int, take: int) -> NDArray[np.int64]:
    """``take`` of n positions in random order, in each draw: those with the smallest random keys."""
    keys = rng.random((draws, n), dtype=np.float32)
    at = np.argpartition(keys, min(take, n - 1), axis=1)[:, :take]
    order = np.argsort(np.take_along_axis(keys, at, axis=1), axis=1, kind="stable")
    return np.take_along_axis(at, order, axis=1)


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


# ------------------------------------------------------------------------------------ a recorded draw
ALGORITHM = "peelian 1"  # PCG64, one permutation a block in sorted order; written beside every assignment


@dataclass(frozen=True, eq=False, slots=True)
class Assignment:
    """How units were drawn for a trial, so that anybody can draw again.

    ``kind``   ``complete``, ``blocked``, ``pairs`` or ``stepped`` (a stepped wedge).
    ``label``  (units,): 1 treated, 0 control; stepped: the step (0, 1, 2, ...) in which a unit starts.
    ``block``  (units,): block or pair; all 0 in a complete draw. ``seed`` and ``algorithm`` of the draw.
    """

    kind: Literal["complete", "blocked", "pairs", "stepped"]
    label: NDArray[np.int64]
    block: NDArray[np.int64]
    seed: int
    algorithm: str = ALGORITHM

    def __post_init__(self) -> None:
        sizes = np.unique(self.block, return_counts=True)[1]
        if self.kind == "complete" and len(sizes) > 1:
            raise DesignError("A complete draw has one block; this record has several. Is it blocked?")
        if self.kind == "pairs":
            sums = np.array([self.label[self.block == b].sum() for b in np.unique(self.block)])
            if (sizes != 2).any() or (sums != 1).any():
                raise DesignError("A pair is two units, one of them treated; the record has others.")
        if len(np.unique(self.label)) < 2:
            raise DesignError("All units of the trial are in one arm: nothing was drawn.")

    @property
    def weight(self) -> NDArray[np.float64]:
        """1/p of the arm each unit is in, p by block: equal weights where all blocks share one ratio."""
        out = np.ones(len(self.label))
        for b in np.unique(self.block):
            inside = self.block == b
            for arm in np.unique(self.label[inside]):
                mine = inside & (self.label == arm)
                out[mine] = inside.sum() / mine.sum()
        return out

    def reproduces(self) -> bool:
        """True where drawing again with the recorded seed gives the recorded arms."""
        again = draw(_counts(self), self.block, seed=self.seed)
        return self.algorithm == ALGORITHM and bool((again == self.label).all())

    def redrawn(self, *, draws: int, seed: int, most_exact: int = 10_000) -> tuple[NDArray[np.int64], bool]:
        """Labels of other draws by the same design (draws, units), and whether they are all there are."""
        if self.algorithm != ALGORITHM:
            raise DesignError(
                f"The draw was made by {self.algorithm!r}, which cannot be run again here; only "
                f"{ALGORITHM!r} can."
            )
        found = redraw(
            np.where(self.label > 0, self.label - 1, -1), self.block, draws=draws, seed=seed,
            most_exact=most_exact,
        )  # fmt: skip
        out = np.zeros((len(found.chosen), len(self.label)), np.int64)
        np.put_along_axis(out, found.chosen, found.label[None, :] + 1, axis=1)
        fixed = ~np.isin(np.arange(len(self.label)), np.unique(found.chosen))
        out[:, fixed] = np.where((self.label > 0)[fixed], self.label[fixed], out[:, fixed])
        return out, found.exact


def _counts(given: Assignment) -> dict[int, list[int]]:
    return {
        int(b): np.bincount(given.label[given.block == b], minlength=int(given.label.max()) + 1).tolist()
        for b in np.unique(given.block)
    }


def draw(counts: Mapping[int, Sequence[int]], block: ArrayLike, *, seed: int) -> NDArray[np.int64]:
    """Draw the label of every unit: in each block as many of each label as asked for.

    ``counts``  block -> how many units get label 0, 1, 2, ...; ``block`` (units,).

    >>> draw({0: [2, 2]}, [0, 0, 0, 0], seed=1).tolist()
    [0, 0, 1, 1]
    """
    blocks, rng = np.asarray(block, np.int64), np.random.default_rng(seed)
    label = np.zeros(len(blocks), np.int64)
    for b in np.unique(blocks):
        inside = np.flatnonzero(blocks == b)
        held = np.repeat(np.arange(len(counts[int(b)])), counts[int(b)])
        if len(held) != len(inside):
            raise DesignError(f"Block {b} has {len(inside)} units, but {len(held)} are to be drawn.")
        label[rng.permutation(inside)] = held
    return label
