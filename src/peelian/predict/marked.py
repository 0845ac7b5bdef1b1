"""Marked: a self-exciting process whose background and triggering follow covariates, by likelihood.

For data of a few hundred events with marks, where the question is what goes with triggering rather than where
next (Meyer, Elias & Hoehle 2012). Arrays in, small results out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

NODES = 20  # Gauss-Legendre points an edge of a region: 1e-8 for sigma an eightieth of the longest edge
FARTHEST = 100.0  # logs of a rate beyond which a step of the search has gone astray
FLAT = 1e-9  # turn of a gradient below which it does not turn
STEP = 1e-4  # of a weight, over which the gradient's turn is measured


@dataclass(frozen=True, eq=False)
class Process:
    """What was seen: n events, g cells of a grid over space and time, m pairs of earlier and later events.

    ``design``, ``offset``            of the background at the events: n x p, n
    ``grid``, ``grid_offset``, ``weight``  the same on the grid: g x p, g; area x duration (x kinds of events)
    ``marks``                         of the events that trigger: n x q
    ``child``, ``parent``, ``square`` of each pair within reach, with its squared distance
    ``days``                          for how long each event could be seen to trigger
    ``regions``                       by event: where it could trigger, as closed rings (k x 2) round it,
                                      outer ones anticlockwise, holes clockwise
    """

    design: np.ndarray
    offset: np.ndarray
    grid: np.ndarray
    grid_offset: np.ndarray
    weight: np.ndarray
    marks: np.ndarray
    child: np.ndarray
    parent: np.ndarray
    square: np.ndarray
    days: np.ndarray
    regions: Sequence[Sequence[np.ndarray]]


@dataclass(frozen=True)
class Likelihood:
    """Log-likelihood ``value`` and its parts: sum of log intensities, and the two integrals taken from it."""

    value: float
    sum_log: float
    background: float
    triggered: float


@dataclass(frozen=True, eq=False)
class MarkedFit:
    """Weights of the background, of the marks, and log sigma of the Gaussian; the likelihood there."""

    background: np.ndarray
    marks: np.ndarray
    log_sigma: float
    likelihood: Likelihood


def log_likelihood(
    process: Process, background: np.ndarray, marks: np.ndarray, log_sigma: float
) -> Likelihood:
    """Log-likelihood of exp(offset + design x background) + sum over parents of exp(marks) x Gaussian.

    The Gaussian is exp(-r2 / 2 sigma2), the kernel in time 1 over each event's ``days``; pairs beyond reach
    are not listed.
    """
    return _with_slope(process, background, marks, log_sigma, _edges(process.regions))[0]


def fit_marked(
    process: Process,
    *,
    start: tuple[np.ndarray, np.ndarray, float],
    spread: tuple[float, float] | None = None,
) -> MarkedFit:
    """The weights of the highest likelihood, from first values, by BFGS with the gradient written out.

    ``spread``  least and most sigma: points that are snapped, or lie at addresses, may take it to nothing.
    """
    p, edges = process.design.shape[1], _edges(process.regions)

    def surprise(values: np.ndarray) -> tuple[float, np.ndarray]:
        found, slope = _with_slope(process, values[:p], values[p:-1], float(values[-1]), edges)
        return -found.value, -slope

    first = np.concatenate([start[0], start[1], [start[2]]])
    if spread is None:
        found = minimize(surprise, first, jac=True, method="BFGS", options={"gtol": 1e-3, "maxiter": 300})
        values = found.x
    else:
        values = _bounded(surprise, first, np.log(spread), _turn(process, first, p, edges))
    likelihood = _with_slope(process, values[:p], values[p:-1], float(values[-1]), edges)[0]
    return MarkedFit(values[:p], values[p:-1], float(values[-1]), likelihood)


def _bounded(
    surprise: Callable[[np.ndarray], tuple[float, np.ndarray]], first: np.ndarray, limits: np.ndarray,
    turn: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The same with log sigma within limits, each weight in units of about its standard error."""
    unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(turn)), 1.0))

    def scaled(steps: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = surprise(first + steps * unit)
        return value, slope * unit

    low, high = (limits - first[-1]) / unit[-1]
    bounds = [(None, None)] * (len(first) - 1) + [(low, high)]
    options = {"gtol": 1e-4, "ftol": 1e-13, "maxiter": 1_000, "maxfun": 2_000}
    found = minimize(
        scaled, np.zeros(len(first)), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return np.asarray(first + found.x * unit)


def standard_errors(process: Process, fit: MarkedFit) -> np.ndarray:
    """Of the background, the marks and log sigma, in this order: from how the gradient turns at the fit.

    Very large where the likelihood is flat (a mark that nothing followed).
    """
    at = np.concatenate([fit.background, fit.marks, [fit.log_sigma]])
    turn = _turn(process, at, len(fit.background), _edges(process.regions))
    unit = np.sqrt(np.maximum(np.diag(turn), FLAT))
    bends, axes = np.linalg.eigh(turn / np.outer(unit, unit))
    return np.asarray(np.sqrt((axes**2 / np.maximum(bends, FLAT)).sum(axis=1)) / unit)


def _turn(process: Process, at: np.ndarray, p: int, edges: _Edges) -> np.ndarray:
    """How the gradient of the surprise turns: second derivatives by differences of the first."""
    turn = np.empty((len(at), len(at)))
    for k in range(len(at)):
        step = np.zeros(len(at))
        step[k] = STEP
        ahead, behind = (
            _with_slope(process, one[:p], one[p:-1], float(one[-1]), edges)[1]
            for one in (at + step, at - step)
        )
        turn[k] = (behind - ahead) / (2 * STEP)
    return (turn + turn.T) / 2


def _exp(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(np.clip(values, -FARTHEST, FARTHEST)))


def _with_slope(
    process: Process, background: np.ndarray, marks: np.ndarray, log_sigma: float, edges: _Edges
) -> tuple[Likelihood, np.ndarray]:
    sigma2 = np.exp(2 * log_sigma)
    lasting = _exp(process.offset + process.design @ background)
    each = _exp(process.marks @ marks)
    near = each[process.parent] * np.exp(-process.square / (2 * sigma2))
    number = len(lasting)
    whole = lasting + np.bincount(process.child, near, number)
    cells = process.weight * _exp(process.grid_offset + process.grid @ background)
    mass, grown = edges.mass(sigma2)
    over = each * process.days
    value = Likelihood(
        float(np.log(whole).sum() - cells.sum() - over @ mass),
        float(np.log(whole).sum()), float(cells.sum()), float(over @ mass),
    )  # fmt: skip
    shares = near / whole[process.child]
    by_parent = np.bincount(process.parent, shares, number)
    slope = np.concatenate(
        [
            process.design.T @ (lasting / whole) - process.grid.T @ cells,
            process.marks.T @ (by_parent - over * mass),
            [float(shares @ process.square) / sigma2 - float(over @ grown)],
        ]
    )
    return value, slope


@dataclass(frozen=True, eq=False)
class _Edges:
    """Quadrature points along the rings: squared distance, weight, and the region whose they are.

    ``of``  the region of each event; events that were given one and the same share it.
    """

    square: np.ndarray
    weight: np.ndarray
    region: np.ndarray
    of: np.ndarray

    def mass(self, sigma2: float) -> tuple[np.ndarray, np.ndarray]:
        """By event: the integral of exp(-r2 / 2 sigma2) over its region, and its derivative by log sigma.

        By Green's theorem round the rings: with F(r) the radial integral, the sum of F / r2 (x dy - y dx).
        """
        faded = np.exp(-self.square / (2 * sigma2))
        inner = sigma2 * (1 - faded)
        grown = 2 * inner - self.square * faded
        share = self.weight / self.square
        number = int(self.of.max()) + 1
        whole, more = (np.bincount(self.region, part * share, number) for part in (inner, grown))
        return whole[self.of], more[self.of]


def _edges(regions: Sequence[Sequence[np.ndarray]]) -> _Edges:
    at, by = np.polynomial.legendre.leggauss(NODES)
    at, by = (at + 1) / 2, by / 2
    square, weight, region = [], [], []
    known: dict[int, int] = {}
    for rings in regions:
        if id(rings) in known:
            continue
        known[id(rings)] = len(known)
        for ring in rings:
            ring = ring if np.array_equal(ring[0], ring[-1]) else np.vstack([ring, ring[:1]])
            first, last = ring[:-1], ring[1:]
            points = first[:, None, :] + at[None, :, None] * (last - first)[:, None, :]
            turn = first[:, 0] * last[:, 1] - first[:, 1] * last[:, 0]
            square.append((points**2).sum(axis=2).ravel())
            weight.append((turn[:, None] * by).ravel())
            region.append(np.full(square[-1].size, known[id(rings)]))
    of = np.array([known[id(rings)] for rings in regions])
    return _Edges(np.concatenate(square), np.concatenate(weight), np.concatenate(region), of)
