"""Pairs of events near each other in space and in time, and how many of them chance alone would give.

Arrays in, small results out. Pairs near in space come from one tree at the largest distance; how many pairs
are near in time is counted from the sorted times; no table of all pairs is ever made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from scipy.spatial import cKDTree

from peelian.errors import DesignError

Array = Any
Closed = Literal["right", "left"]
Metric = Literal["euclidean", "manhattan"]
POWER = {"euclidean": 2.0, "manhattan": 1.0}
MOST_PAIRS = 200_000_000
BYTES_A_PAIR = 48  # two indices as the tree gives them, two kept, distance, band, scratch


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of events in a band of distance, sorted by band: ``first`` and ``second`` (positions, int32),
    ``distance`` and ``band`` (uint8); ``starts`` where each band begins, one more than there are bands."""

    first: Array
    second: Array
    distance: Array
    band: Array
    starts: Array

    def __len__(self) -> int:
        return len(self.first)

    @property
    def by_band(self) -> Array:
        """Pairs in each band."""
        return np.diff(self.starts)

    def partners(self, events: int) -> Array:
        """Partners of each event in each band: events x bands."""
        bands = len(self.starts) - 1
        held = np.zeros((events, bands), np.int64)
        for k in range(bands):
            part = slice(self.starts[k], self.starts[k + 1])
            for side in (self.first[part], self.second[part]):
                held[:, k] += np.bincount(side, minlength=events)
        return held


def band_of(values: Array, edges: Sequence[float], closed: Closed) -> Array:
    """Number of the band of each value: band k ends at ``edges[k]``; beyond the last is ``len(edges)``.

    ``closed="right"``: the upper edge belongs to the band, and nought to the first; ``"left"``: the lower.

    >>> band_of([0, 7, 8, 14.5], [7, 14], "right").tolist()
    [0, 0, 1, 2]
    >>> band_of([0, 7, 8, 14.5], [7, 14], "left").tolist()
    [0, 1, 1, 2]
    """
    return np.searchsorted(np.asarray(edges, float), values, side="left" if closed == "right" else "right")


def close_pairs(
    x: Array, y: Array, edges: Sequence[float], *, closed: Closed = "right", metric: Metric = "euclidean",
    same: Array | None = None,
) -> Pairs:  # fmt: skip
    """Pairs of events up to the largest distance, each with its band.

    ``x``, ``y``  metres; in single precision distances are in single precision too. ``edges``  upper limits
    of the bands, rising, in metres. ``same``  a key by event (0 or more; negative: none): events that share
    it are in the first band, however far apart.

    Raises ``DesignError`` when there are more than 200 million pairs, with the distance that would fit.
    """
    points = np.column_stack([x, y]).astype(float)
    reach = float(edges[-1]) * (1 + 1e-6)
    tree = refuse_too_many(points, reach, metric)
    found = tree.query_pairs(reach, p=POWER[metric], output_type="ndarray")
    first, second = found[:, 0].astype(np.int32), found[:, 1].astype(np.int32)
    across, up = np.abs(x[first] - x[second]), np.abs(y[first] - y[second])
    distance = across + up if metric == "manhattan" else np.sqrt(across * across + up * up)
    band = band_of(distance, edges, closed)
    if same is not None:
        first, second, distance, band = _with_same(points, same, (first, second, distance, band), metric)
    return _sorted(first, second, distance, band, len(edges))


def banded(
    points: Array, first: Array, second: Array, distance: Array, edges: Sequence[float], closed: Closed, *,
    same: Array | None = None,
) -> Pairs:  # fmt: skip
    """Pairs whose distances are known already (along streets), each with its band; ``same`` as before."""
    first, second = first.astype(np.int32), second.astype(np.int32)
    band = band_of(distance, edges, closed)
    if same is not None:
        held = (first, second, distance, band)
        first, second, distance, band = _with_same(points, same, held, "euclidean")
    return _sorted(first, second, distance, band, len(edges))


def _sorted(first: Array, second: Array, distance: Array, band: Array, bands: int) -> Pairs:
    keep = band < bands
    first, second, distance, band = (part[keep] for part in (first, second, distance, band))
    order = np.lexsort((second, first, band))
    starts = np.concatenate([[0], np.cumsum(np.bincount(band, minlength=bands))])
    return Pairs(first[order], second[order], distance[order], band[order].astype(np.uint8), starts)


def refuse_too_many(points: Array, reach: float, metric: Metric = "euclidean") -> cKDTree:
    """A tree of the points; ``DesignError`` where more pairs lie within reach than are taken."""
    tree, power = cKDTree(points), POWER[metric]

    def count(radius: float) -> int:
        return (int(tree.count_neighbors(tree, radius, p=power)) - tree.n) // 2

    number = count(reach)
    if number <= MOST_PAIRS:
        return tree
    low, high = 0.0, reach
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if count(middle) <= MOST_PAIRS else (low, middle)
    raise DesignError(
        f"{number:,} pairs of events lie within {reach:g} m of each other; they need about "
        f"{number * BYTES_A_PAIR / 2**30:.0f} GiB, and at most {MOST_PAIRS:,} are taken. "
        f"The largest distance that fits is {low:.0f} m."
    )


def _with_same(points: Array, same: Array, pairs: tuple[Array, ...], metric: Metric) -> tuple[Array, ...]:
    """Pairs that share a key in the first band, those out of reach added."""
    first, second, distance, band = pairs
    shared = (same[first] == same[second]) & (same[first] >= 0)
    band = np.where(shared, 0, band)
    order = np.argsort(same, kind="stable")
    order = order[same[order] >= 0]
    shares = np.unique(same[order], return_counts=True)[1].astype(np.int64)
    if (shares * (shares - 1) // 2).sum() > MOST_PAIRS:
        raise DesignError(
            f"{int(shares.max()):,} events share one address, and pairs that share one are more than "
            f"{MOST_PAIRS:,}: an address by default (a station, a hospital)? Leave it out with drop_points."
        )
    left, right = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for step in range(1, len(order)):
        alike = same[order[step:]] == same[order[:-step]]
        if not alike.any():
            break
        left.append(order[:-step][alike])
        right.append(order[step:][alike])
    one, other = np.concatenate(left), np.concatenate(right)
    one, other = np.minimum(one, other).astype(np.int32), np.maximum(one, other).astype(np.int32)
    n = np.int64(len(points))
    known = np.minimum(first, second) * n + np.maximum(first, second)
    new = ~np.isin(one * n + other, known)
    one, other = one[new], other[new]
    apart = np.abs(points[one] - points[other])
    far = apart.sum(axis=1) if metric == "manhattan" else np.hypot(apart[:, 0], apart[:, 1])
    return (
        np.concatenate([first, one]), np.concatenate([second, other]),
        np.concatenate([distance, far]), np.concatenate([band, np.zeros(len(one), band.dtype)]),
    )  # fmt: skip


# -------------------------------------------------------------------- near in time
def time_partners(times: Array, edges: Sequence[float], closed: Closed) -> Array:
    """Events in each band of time round each event, itself not counted: events x bands.

    >>> time_partners(np.array([0, 7, 8]), [7, 14], "right").tolist()
    [[1, 1], [2, 0], [1, 1]]
    """
    times = np.asarray(times, float)
    ordered = np.sort(times)
    above, below = _sides(closed)
    within = [
        np.searchsorted(ordered, times + edge, above) - np.searchsorted(ordered, times - edge, below) - 1
        for edge in edges
    ]
    return np.diff(np.column_stack([np.zeros(len(times), np.int64), *within]), axis=1)


def _sides(closed: Closed) -> tuple[Closed, Closed]:
    return ("right", "left") if closed == "right" else ("left", "right")


def moments(space_partners: Array, time_partners: Array) -> tuple[Array, Array]:
    """Mean and variance, exact, of the pairs near in both when times are dealt to places at random.

    ``space_partners``, ``time_partners``  partners of each event by band (events x bands). Returns two
    arrays of distance bands x time bands.
    """
    n = len(space_partners)
    all_pairs = n * (n - 1) // 2
    space, time = _degrees(space_partners), _degrees(time_partners)
    mean, variance = np.zeros((2, len(space), len(time)))
    for i, (s, a_s) in enumerate(space):
        for j, (t, a_t) in enumerate(time):
            expected = Fraction(s * t, all_pairs)
            second = expected
            if n > 2:
                second += Fraction(a_s * a_t, n * (n - 1) * (n - 2))
            if n > 3:
                apart = 4 * (s * s - s - a_s) * (t * t - t - a_t)
                second += Fraction(apart, n * (n - 1) * (n - 2) * (n - 3))
            mean[i, j], variance[i, j] = float(expected), float(second - expected * expected)
    return mean, variance


def _degrees(partners: Array) -> list[tuple[int, int]]:
    partners = np.asarray(partners, np.int64)
    total = partners.sum(axis=0) // 2
    return [(int(t), int(a)) for t, a in zip(total, (partners * (partners - 1)).sum(axis=0), strict=True)]


def mean_within(pairs: Pairs, times: Array, strata: Array, edges: Sequence[float], closed: Closed) -> Array:
    """Mean, exact, of the pairs near in both when times are dealt at random within each stratum only.

    ``strata``  number of the stratum of each event, 0 or more. Returns distance bands x time bands: the sum
    over pairs of strata of S_ab T_ab / N_ab.
    """
    sizes = np.bincount(strata)
    one, other = strata[pairs.first], strata[pairs.second]
    code = np.minimum(one, other).astype(np.int64) * len(sizes) + np.maximum(one, other)
    met, back = np.unique(code, return_inverse=True)
    a, b = met // len(sizes), met % len(sizes)
    bands = len(pairs.starts) - 1
    space = np.zeros((bands, len(met)))
    np.add.at(space, (pairs.band, back), 1.0)
    time = _time_between(times, strata, a, b, edges, closed)
    every = np.where(a == b, sizes[a] * (sizes[a] - 1) / 2, sizes[a].astype(float) * sizes[b])
    return (space / every) @ time


def _time_between(
    times: Array, strata: Array, a: Array, b: Array, edges: Sequence[float], closed: Closed
) -> Array:
    """Pairs with one event in stratum a and one in b, by band of time: pairs of strata x bands."""
    times = np.asarray(times, float)
    times = times - times.min()
    wide = 4 * (times.max() + 1)
    edges = np.minimum(np.asarray(edges, float), wide / 4)
    order = np.lexsort((times, strata))
    keys = strata[order] * wide + times[order]
    sizes = np.bincount(strata)
    begins = np.concatenate([[0], np.cumsum(sizes)])
    small, large = np.where(sizes[a] <= sizes[b], a, b), np.where(sizes[a] <= sizes[b], b, a)
    number = sizes[small]
    which = np.repeat(np.arange(len(a)), number)
    within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    moment = times[order][begins[small][which] + within]
    base = large[which] * wide
    above, below = _sides(closed)
    table = np.zeros((len(a), len(edges) + 1))
    own = np.where(a == b, sizes[a], 0)
    for k, edge in enumerate(edges, start=1):
        if edge >= wide / 4:
            hits = np.bincount(which, sizes[large][which], len(a))
        else:
            near = np.searchsorted(keys, base + moment + edge, above)
            near -= np.searchsorted(keys, base + moment - edge, below)
            hits = np.bincount(which, near, len(a))
        table[:, k] = np.where(a == b, (hits - own) / 2, hits)
    return np.diff(table, axis=1)


# -------------------------------------------------------------------- dealt at random
def deal(rng: np.random.Generator, times: Array, strata: Array | None) -> Array:
    """Times dealt anew to the events, all over or within each stratum."""
    order = rng.permutation(len(times))
    if strata is None:
        return times[order]
    dealt = np.empty_like(times)
    dealt[np.argsort(strata, kind="stable")] = times[order[np.argsort(strata[order], kind="stable")]]
    return dealt


def observed_pairs(pairs: Pairs, times: Array, edges: Sequence[float], closed: Closed) -> Array:
    """Pairs near in both: distance bands x time bands."""
    return _Counter(pairs, times, edges, closed)(_small(times))


def shuffled_pairs(
    pairs: Pairs, times: Array, edges: Sequence[float], *, closed: Closed, permutations: int, seed: int,
    strata: Array | None = None, progress: Callable[[int, int], None] | None = None,
) -> Array:  # fmt: skip
    """Pairs near in both when times are dealt at random, again and again: permutations x distance x time.

    ``times``  whole numbers. ``strata``  number of the stratum of each event: times stay within it.
    """
    small = _small(times)
    if strata is not None:
        _, strata = np.unique(strata, return_inverse=True)
        strata = strata.astype(np.uint16 if strata.max() < 2**16 else np.int64)
    return drawn_pairs(
        pairs, times, lambda rng: deal(rng, small, strata), edges, closed=closed, permutations=permutations,
        seed=seed, progress=progress,
    )  # fmt: skip


def drawn_pairs(
    pairs: Pairs, times: Array, draw: Callable[[np.random.Generator], Array], edges: Sequence[float], *,
    closed: Closed, permutations: int, seed: int, progress: Callable[[int, int], None] | None = None,
) -> Array:  # fmt: skip
    """Pairs near in both when times are drawn again and again: permutations x distance x time.

    ``draw``  makes times from a generator, whole numbers from 0 to the span of ``times``.
    """
    rng = np.random.default_rng(seed)
    count, kind = _Counter(pairs, times, edges, closed), _small(times).dtype
    drawn = np.empty((permutations, len(pairs.starts) - 1, len(edges)), np.int64)
    for b in range(permutations):
        drawn[b] = count(draw(rng).astype(kind, copy=False))
        if progress is not None and (b + 1) % 100 == 0:
            progress(b + 1, permutations)
    return drawn


def _small(times: Array) -> Array:
    times = np.asarray(times) - np.min(times)
    return times.astype(np.int16 if times.max() < 2**15 else np.int32 if times.max() < 2**31 else np.int64)


class _Counter:
    """Counts pairs by both bands for one dealing of times, with room that is used again."""

    def __init__(self, pairs: Pairs, times: Array, edges: Sequence[float], closed: Closed) -> None:
        small = _small(times)
        self.starts = pairs.starts
        self.first, self.second = pairs.first.astype(np.intp), pairs.second.astype(np.intp)
        self.one, self.other = np.empty((2, len(pairs)), small.dtype)
        self.near = np.empty(len(pairs), bool)
        longest = int(small.max()) if len(small) else 0
        whole = np.floor(edges) if closed == "right" else np.ceil(edges) - 1
        self.limits = [int(min(limit, longest)) for limit in whole]

    def __call__(self, times: Array) -> Array:
        np.take(times, self.first, out=self.one, mode="clip")
        np.take(times, self.second, out=self.other, mode="clip")
        np.subtract(self.one, self.other, out=self.one)
        np.abs(self.one, out=self.one)
        rows = len(self.starts) - 1
        within = np.zeros((rows, len(self.limits) + 1), np.int64)
        for k, limit in enumerate(self.limits, start=1):
            np.less_equal(self.one, limit, out=self.near)
            for row in range(rows):
                within[row, k] = np.count_nonzero(self.near[self.starts[row] : self.starts[row + 1]])
        return np.diff(within, axis=1)
