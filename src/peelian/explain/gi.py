"""The arithmetic of hot spots: Gi*, its exact p for counts, sharing out of false discoveries, classes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import sparse
from scipy.special import comb, ndtr

from peelian.explain.inference import false_discovery

Array = Any
Adjust = Literal["fdr", "none", "bonferroni"]
Sides = Literal["two", "hot"]
MOST_DISTINCT, MOST_SUM, MOST_NEIGHBOURS = 300, 30_000, 60
LEVELS = ((0.01, "99 %"), (0.05, "95 %"), (0.1, "90 %"))


def g_star(values: Array, weights: sparse.csr_array) -> Array:
    """How far the sum over each place's neighbourhood lies from its mean by chance, in standard deviations.

    ``weights``  places x places; the place itself in it for Gi*, not for Gi. NaN where a neighbourhood is
    empty or holds every place. Source: Getis & Ord (1992); Ord & Getis (1995), SD with n.

    >>> g_star(np.array([0.0, 0.0, 9.0]), sparse.csr_array(np.eye(3))).round(3).tolist()
    [-0.707, -0.707, 1.414]
    """
    y = np.asarray(values, float)
    n = len(y)
    total, squares = (np.asarray(m.sum(axis=1)).ravel() for m in (weights, weights.multiply(weights)))
    spread = y.std() * np.sqrt(np.maximum(n * squares - total**2, 0) / (n - 1))
    return np.divide(weights @ y - y.mean() * total, spread, out=np.full(n, np.nan), where=spread > 0)


def normal_p(z: Array) -> tuple[Array, Array]:
    """p of as high a value, and of as low a value, by the normal distribution."""
    return ndtr(-z), ndtr(z)


def chance_p(counts: Array, near: sparse.csr_array, *, seed: int) -> tuple[Array, Array]:
    """p of as high and of as low a sum when the counts of all other places are dealt at random.

    ``near``  0/1 neighbours without the place itself, whose own count stays with it. For whole counts with
    few distinct values p is exact, as if every permutation were made, because the sum depends only on how
    many neighbours a place has and on the count it holds itself: 999 permutations could not give a p below
    0.001, too coarse for thousands of places. Otherwise 999 seeded permutations of the other places.
    """
    y = np.asarray(counts, float)
    degree = np.asarray(near.sum(axis=1)).ravel().astype(int)
    around = near @ y
    whole = (y == np.floor(y)).all() and (y >= 0).all()
    fits = whole and len(np.unique(y)) <= MOST_DISTINCT and degree.max() <= MOST_NEIGHBOURS
    if fits and degree.max() * y.max() <= MOST_SUM:
        return _exact_p(y.astype(int), degree, np.rint(around).astype(int))
    return _drawn_p(y, near, around, seed)


def _exact_p(y: Array, degree: Array, around: Array) -> tuple[Array, Array]:
    values, number = np.unique(y, return_counts=True)
    most, size = int(degree.max()), int(degree.max() * y.max()) + 1
    ways = np.zeros((most + 1, size))  # ways[k, s]: choices of k places whose counts sum to s
    ways[0, 0] = 1
    for value, held in zip(values, number, strict=True):
        before = ways.copy()
        for take in range(1, min(most, held) + 1):
            step = int(take * value)
            if step >= size:
                break
            ways[take:, step:] += comb(held, take) * before[: most + 1 - take, : size - step]
    high, low = np.ones(len(y)), np.ones(len(y))
    for value in values:
        without = ways.copy()
        for k in range(1, most + 1):
            without[k, value:] -= without[k - 1, : size - value]
        at = np.flatnonzero(y == value)
        chance = np.maximum(without, 0.0)
        chance /= chance.sum(axis=1, keepdims=True)
        up = np.cumsum(chance[:, ::-1], axis=1)[:, ::-1]
        down = np.cumsum(chance, axis=1)
        high[at], low[at] = up[degree[at], around[at]], down[degree[at], around[at]]
    return np.minimum(high, 1.0), np.minimum(low, 1.0)


def _drawn_p(
    y: Array, near: sparse.csr_array, around: Array, seed: int, draws: int = 999
) -> tuple[Array, Array]:
    """p by permutation, the place's own value staying with it (conditional).

    One order of all places serves every place: its neighbours hold the first values of that order, its own
    left out.
    """
    degree = np.asarray(near.sum(axis=1)).ravel().astype(int)
    rng = np.random.default_rng(seed)
    most, slack = int(degree.max()) + 1, 1e-9 * (1 + np.abs(around))
    high, low = np.zeros((2, len(y)))
    for _ in range(draws):
        order = rng.permutation(len(y))[:most]
        sums = np.concatenate([[0.0], np.cumsum(y[order])])
        place = np.full(len(y), most)
        place[order] = np.arange(len(order))
        own = place < degree
        drawn = sums[degree + own] - own * y
        high += drawn >= around - slack
        low += drawn <= around + slack
    return (1 + high) / (draws + 1), (1 + low) / (draws + 1)


def adjusted(p: Array, adjust: Adjust) -> Array:
    """p adjusted for asking about every place; NaN stays NaN."""
    known = np.isfinite(p)
    out = np.full(len(p), np.nan)
    if adjust == "fdr":
        out[known] = false_discovery(p[known])
    else:
        out[known] = np.minimum(p[known] * (known.sum() if adjust == "bonferroni" else 1), 1.0)
    return out


def classes(high: Array, low: Array, *, adjust: Adjust, sides: Sides) -> tuple[Array, Array]:
    """Adjusted p of each place and its class: ``hot 99 %`` ... ``cold 90 %`` or ``none``.

    ``sides="hot"`` asks for high values only; ``two`` for both, twice the smaller p.
    """
    raw = high if sides == "hot" else np.minimum(2 * np.minimum(high, low), 1.0)
    q = adjusted(raw, adjust)
    side = np.where((sides == "hot") | (high <= low), "hot", "cold")
    named = np.full(len(q), "none", dtype="<U9")
    for level, words in reversed(LEVELS):
        at = q <= level
        named[at] = np.char.add(np.char.add(side[at], " "), words)
    return q, named


def empirical_bayes(counts: Array, at_risk: Array) -> Array:
    """Standardised rates that allow for few at risk; 0 where nothing is at risk (Assuncao & Reis 1999)."""
    y, n = np.asarray(counts, float), np.asarray(at_risk, float)
    rate = y.sum() / n.sum()
    held = n > 0
    crude = np.divide(y, n, out=np.zeros(len(y)), where=held)
    excess = (n * (crude - rate) ** 2)[held].sum() / n.sum() - rate / n[held].mean()
    spread = np.maximum(excess, 0) + np.divide(rate, n, out=np.ones(len(y)), where=held)
    return np.where(held, (crude - rate) / np.sqrt(spread), 0.0)
