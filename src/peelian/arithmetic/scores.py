"""Scores of a forecast by place: numbers in, small frozen results out.

Ties are never broken: where places share one risk, the part of them that fits counts at its expected
value, so no score depends on the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from peelian.errors import DesignError

TIED = 12  # decimal digits of risk over the highest risk beyond which two places are tied


@dataclass(frozen=True)
class Capture:
    """What the riskiest places held, at several shares of the area.

    ``total``     incidents in all places; where it is 0 every ratio is missing (NaN), never 0/0.
    ``shares``    of the area (or of whatever ``size`` measured).
    ``hits``      incidents in that share, at their expected value where places tie.
    ``hit_rate``  hits / total; ``pai`` hit_rate / share.
    ``pei``       hits / most that as many places could hold; ``pei_area`` hits / most that the same area
                  could hold (exact for places of equal size; the last place by its part otherwise).
    ``rri``       predicted / observed in that share (ptools): 1 is calibrated there.
    ``best``      the most that as many places could hold; ``predicted`` the forecast in that share: with
                  ``hits``, what pooling over periods needs, because a sum of ratios is no ratio of sums.
    """

    total: float
    shares: tuple[float, ...]
    hits: tuple[float, ...]
    hit_rate: tuple[float, ...]
    pai: tuple[float, ...]
    pei: tuple[float, ...]
    pei_area: tuple[float, ...]
    rri: tuple[float, ...]
    best: tuple[float, ...]
    predicted: tuple[float, ...]


@dataclass(frozen=True)
class LogScore:
    """Mean Poisson log score over places (lower is better), and how many rates were raised to the floor."""

    value: float
    floored: int


@dataclass(frozen=True)
class Calibration:
    """ln E(count) = intercept + slope x ln(rate): slope 1 and intercept 0 is calibrated.

    ``low`` and ``high`` are the slope's 95 % interval, widened by ``dispersion`` (Pearson chi-square over
    degrees of freedom: 1 where counts vary as a Poisson does).
    """

    intercept: float
    slope: float
    low: float
    high: float
    dispersion: float


def ranking(risk: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places from the riskiest per unit of size down, and where each group of tied places ends.

    Returns the order (positions) and the last position within it of every group. Risks that agree to
    12 digits of the highest are tied: they differ by the order of summation, not by evidence.
    """
    density = risk / size
    top = density.max() if len(density) else 0.0
    density = np.round(density / top, TIED) if top > 0 else np.zeros_like(density)
    order = np.argsort(-density, kind="stable")
    ends = np.flatnonzero(np.diff(density[order], append=-1.0))
    return order, ends


def capture(
    risk: np.ndarray,
    counts: np.ndarray,
    *,
    shares: Sequence[float] = (0.01, 0.05, 0.1, 0.2),
    size: np.ndarray | None = None,
) -> Capture:
    """How much of what happened lay in the places ranked highest.

    ``risk``    forecast by place, any scale at or above 0; ``counts`` what happened, on the same order.
    ``shares``  of the total size, each above 0 and at most 1.
    ``size``    what a place uses up: square metres (rank by risk per square metre), homes, kits; None
                counts every place as one.

    Hit rate and PAI after Chainey, Tompson & Uhlig (2008), PEI after Hunt (2016), RRI as in ptools.

    >>> capture(np.array([3, 2, 1]), np.array([6, 3, 0]), shares=[1 / 3, 2 / 3, 1]).pai
    (2.0, 1.5, 1.0)
    >>> capture(np.array([1, 1]), np.array([4, 0]), shares=[0.5]).hits  # tied: the expected value
    (2.0,)
    """
    risk, counts = np.asarray(risk, float), np.asarray(counts, float)
    size = np.ones(len(risk)) if size is None else np.asarray(size, float)
    wrong = [share for share in shares if not 0 < share <= 1]
    if wrong:
        raise DesignError(f"A share of the area lies above 0 and at most 1; got {wrong[0]:g}.")
    capacity = np.asarray(shares, float) * size.sum()
    order, ends = ranking(risk, size)
    hits = along(counts, order, ends, size, capacity)
    predicted = along(risk, order, ends, size, capacity)
    number = along(np.ones(len(risk)), order, ends, size, capacity)
    one = np.ones(len(counts))
    best = along(counts, *ranking(counts, one), one, number)
    best_area = along(counts, *ranking(counts, size), size, capacity)
    total = float(counts.sum())
    rate = hits / total if total else np.full(len(capacity), np.nan)
    return Capture(
        total,
        tuple(float(share) for share in shares),
        *(
            tuple(map(float, values))
            for values in (
                hits, rate, rate / np.asarray(shares, float),
                _ratio(hits, best), _ratio(hits, best_area), _ratio(predicted, hits), best, predicted,
            )
        ),
    )  # fmt: skip


def along(
    values: np.ndarray, order: np.ndarray, ends: np.ndarray, size: np.ndarray, capacity: np.ndarray
) -> np.ndarray:
    """Cumulated values down a ranking where the cumulated size reaches each capacity.

    Within a group of tied places, and within the place that the cut divides, values count by the part of
    their size that fits.
    """
    reach = np.concatenate([[0.0], np.cumsum(size[order])[ends]])
    held = np.concatenate([[0.0], np.cumsum(values[order])[ends]])
    return np.interp(capacity, reach, held)


def curve_area(
    risk: np.ndarray, counts: np.ndarray, *, share: float, size: np.ndarray | None = None
) -> float:
    """Area under the curve of incidents held, from none of the area to ``share`` of it, over ``share``.

    In incidents: the mean number held over all cuts up to ``share``. Over the total it is the partial area
    under the hit-rate curve; a map that is the same everywhere has half of ``share``.

    >>> curve_area(np.array([1, 1]), np.array([4, 0]), share=0.5)
    1.0
    """
    risk, counts = np.asarray(risk, float), np.asarray(counts, float)
    size = np.ones(len(risk)) if size is None else np.asarray(size, float)
    order, ends = ranking(risk, size)
    reach = np.concatenate([[0.0], np.cumsum(size[order])[ends]])
    capacity = share * size.sum()
    knots = np.append(reach[reach < capacity], capacity)
    return float(np.trapezoid(along(counts, order, ends, size, knots), knots) / capacity)


def hit_rate(
    risk: np.ndarray, counts: np.ndarray, *, share: float = 0.05, size: np.ndarray | None = None
) -> float:
    """Share of what happened that lay in the riskiest ``share`` of the area; ties at their expected value.

    >>> hit_rate(np.array([2, 1, 1, 0]), np.array([3, 2, 0, 0]), share=0.5)
    0.8
    """
    return capture(risk, counts, shares=[share], size=size).hit_rate[0]


def log_score(counts: np.ndarray, rate: np.ndarray, *, floor: float) -> LogScore:
    """Mean over places of r - y ln r + ln y!: how surprised the forecast was; lower is better.

    ``rate``   expected incidents by place; ``floor`` what a rate is raised to before its logarithm is
               taken, so that one burglary where none was expected does not cost infinity.

    >>> score = log_score(np.array([0, 1]), np.array([0.0, 1.0]), floor=0.5)
    >>> score.value, score.floored
    (0.75, 1)
    """
    counts, rate = np.asarray(counts, float), np.asarray(rate, float)
    if not floor > 0:
        raise DesignError(f"The floor of a log score must be above 0; got {floor:g}.")
    raised = np.maximum(rate, floor)
    value = np.mean(raised - counts * np.log(raised) + gammaln(counts + 1))
    return LogScore(float(value), int((rate < floor).sum()))


def information_gain(counts: np.ndarray, rate: np.ndarray, *, floor: float) -> float:
    """Nats per incident over a forecast that is the same everywhere; above 0 the map tells something.

    (1/N) sum y ln(s n), s the share of the forecast in each place, rates first raised to ``floor``.

    >>> round(information_gain(np.array([2, 0]), np.array([1.0, 1.0]), floor=0.01), 6)
    0.0
    """
    counts = np.asarray(counts, float)
    total = counts.sum()
    if not total:
        return float("nan")
    share = np.maximum(np.asarray(rate, float), floor)
    share = share / share.sum()
    return float((counts * np.log(share * len(share))).sum() / total)


def calibration(counts: np.ndarray, rate: np.ndarray) -> Calibration:
    """Whether places forecast twice as high had twice as much: Poisson regression of counts on ln(rate).

    ``rate`` above 0. Newton steps on two coefficients; NaN where all rates are the same.

    >>> slope = calibration(np.array([1, 2, 4, 8]), np.array([1.0, 2.0, 4.0, 8.0])).slope
    >>> round(slope, 6)
    1.0
    """
    counts, log = np.asarray(counts, float), np.log(np.asarray(rate, float))
    if np.ptp(log) < 1e-9 or not counts.sum() or len(counts) < 3:
        return Calibration(*[float("nan")] * 5)
    middle = log.mean()
    design = np.column_stack([np.ones(len(log)), log - middle])
    coefficient = np.array([np.log(counts.mean()), 0.0])
    for _ in range(100):
        mean = np.exp(np.clip(design @ coefficient, -50, 50))
        information = design.T @ (design * mean[:, None])
        step = np.linalg.solve(information, design.T @ (counts - mean))
        coefficient = coefficient + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    mean = np.exp(design @ coefficient)
    dispersion = float(((counts - mean) ** 2 / mean).sum() / (len(counts) - 2))
    error = float(np.sqrt(max(dispersion, 1.0) * np.linalg.inv(information)[1, 1]))
    slope = float(coefficient[1])
    return Calibration(
        float(coefficient[0] - slope * middle), slope, slope - 1.96 * error, slope + 1.96 * error, dispersion
    )


def overdispersion(counts: np.ndarray, rate: np.ndarray) -> float:
    """How much more than a Poisson counts vary round their forecast: alpha in rate + alpha x rate squared.

    By moments, at least 0 (negative binomial with size 1/alpha).

    >>> overdispersion(np.array([1, 1]), np.array([1.0, 1.0]))
    0.0
    """
    counts, rate = np.asarray(counts, float), np.asarray(rate, float)
    square = float((rate**2).sum())
    return max(float(((counts - rate) ** 2 - rate).sum()) / square, 0.0) if square else 0.0


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
