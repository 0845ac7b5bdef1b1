"""Scores of a forecast as a distribution: how far off, how wide, how often outside. Numbers in, numbers out.

A forecast by place is a rate and a dispersion alpha: counts vary as rate + alpha x rate squared (negative
binomial); alpha 0 is a Poisson.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import gammaln

TAIL = 1e-10  # of the distribution that a ranked probability score leaves out
NO_SPREAD = 1e-9


def negative_binomial_log_score(
    counts: np.ndarray, rate: np.ndarray, dispersion: float, *, floor: float
) -> float:
    """Mean over places of minus the log probability of what happened; lower is better.

    ``floor``  what a rate is raised to first, as in ``scores.log_score``.

    >>> one, two = np.array([1]), np.array([1.0])
    >>> negative_binomial_log_score(one, two, 0.0, floor=0.1)  # a Poisson
    1.0
    >>> round(negative_binomial_log_score(one, two, 1.0, floor=0.1), 4)  # a geometric: half of a half
    1.3863
    """
    y, mean = np.asarray(counts, float), np.maximum(np.asarray(rate, float), floor)
    if dispersion <= NO_SPREAD:
        return float(np.mean(mean - y * np.log(mean) + gammaln(y + 1)))
    size = 1 / dispersion
    chance = -np.log1p(mean / size)  # log of size / (size + mean)
    log = (
        gammaln(y + size)
        - gammaln(size)
        - gammaln(y + 1)
        + size * chance
        + y * (np.log(mean / size) + chance)
    )
    return float(-log.mean())


def brier(counts: np.ndarray, rate: np.ndarray) -> float:
    """Mean squared distance between "something happened here" (0 or 1) and its probability 1 - exp(-rate).

    >>> round(brier(np.array([0, 3]), np.array([0.0, 0.6931471805599453])), 6)
    0.125
    """
    chance = -np.expm1(-np.asarray(rate, float))
    return float(np.mean(((np.asarray(counts) > 0) - chance) ** 2))


def ranked_probability_score(counts: np.ndarray, rate: np.ndarray, dispersion: float = 0.0) -> float:
    """Mean over places of the summed squared distance between forecast and outcome as distributions (CRPS).

    In incidents, lower is better: for a forecast that is certain it is the absolute error. Summed until all
    but 1e-10 of every distribution is in (Czado, Gneiting & Held 2009).

    >>> round(ranked_probability_score(np.array([0]), np.array([0.0])), 6)
    0.0
    """
    y, mean = np.asarray(counts, float), np.asarray(rate, float)
    size = 1 / dispersion if dispersion > NO_SPREAD else np.inf
    with np.errstate(over="ignore"):
        mass = np.exp(-mean) if np.isinf(size) else np.exp(-size * np.log1p(mean / size))
    grow = mean if np.isinf(size) else mean / (size + mean)
    below, total = np.zeros(len(y)), np.zeros(len(y))
    at, most = 0, float(y.max(initial=0))
    while True:
        below = np.minimum(below + mass, 1.0)
        total += (below - (y <= at)) ** 2
        if at >= most and (1 - below < TAIL).all():
            return float(total.mean())
        mass = mass * grow * ((1.0 if np.isinf(size) else size + at) / (at + 1))
        at += 1


def probability_transform(
    counts: np.ndarray, rate: np.ndarray, dispersion: float, rng: np.random.Generator
) -> np.ndarray:
    """Where in its distribution each outcome fell, 0 to 1, drawn evenly within the step of its count.

    Even over 0 to 1 where forecasts are calibrated; heaped at both ends where they are too narrow (randomised
    PIT, Brockwell 2007).
    """
    y, mean = np.asarray(counts, float), np.asarray(rate, float)
    if dispersion <= NO_SPREAD:
        low, high = stats.poisson.cdf(y - 1, mean), stats.poisson.cdf(y, mean)
    else:
        size = 1 / dispersion
        chance = size / (size + mean)
        low, high = stats.nbinom.cdf(y - 1, size, chance), stats.nbinom.cdf(y, size, chance)
    return np.asarray(low + rng.random(len(y)) * (high - low))


@dataclass(frozen=True)
class CountTest:
    """How many were recorded in all against how many were expected: 90 % limits, and p, two-sided."""

    recorded: float
    expected: float
    low: float
    high: float
    p: float


def count_test(recorded: float, expected: float, dispersion: float = 0.0, *, level: float = 0.9) -> CountTest:
    """Whether a total is within what its forecast allowed for (the N test of earthquake forecasts).

    >>> found = count_test(9, 4.0)
    >>> found.high, round(found.p, 4)
    (8.0, 0.0427)
    """
    spread = (
        stats.poisson(expected)
        if dispersion <= NO_SPREAD
        else stats.nbinom(1 / dispersion, 1 / (1 + dispersion * expected))
    )
    low, high = (max(float(spread.ppf(edge)), 0.0) for edge in ((1 - level) / 2, (1 + level) / 2))
    p = 2 * min(float(spread.cdf(recorded)), float(spread.sf(recorded - 1)))
    return CountTest(float(recorded), float(expected), low, high, min(p, 1.0))


@dataclass(frozen=True, eq=False)
class Tenths:
    """Places by ``tenth`` of their forecast, from 1: mean ``expected`` and ``recorded``, their number."""

    tenth: np.ndarray
    expected: np.ndarray
    recorded: np.ndarray
    places: np.ndarray


def deciles(counts: np.ndarray, rate: np.ndarray) -> Tenths:
    """Places in tenths by their forecast, from the lowest up.

    Tied rates stay in one tenth, the lowest that they reach into; a tenth without any is left out.

    >>> deciles(np.arange(10), np.arange(10.0)).recorded.tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    """
    y, mean = np.asarray(counts, float), np.asarray(rate, float)
    tenth = np.minimum((stats.rankdata(mean, "min") - 1) * 10 // len(mean), 9).astype(int)
    number = np.bincount(tenth, minlength=10)
    held = number > 0
    expected, recorded = (np.bincount(tenth, values, 10)[held] / number[held] for values in (mean, y))
    return Tenths(np.flatnonzero(held) + 1, expected, recorded, number[held])
