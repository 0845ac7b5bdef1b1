"""One treated area, or few, and a long history: synthetic difference in differences.

For a whole borough or force; programmes of many small areas use ``synthetic``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class SyntheticDid:
    """Mean change per treated unit and period against weighted others, and the weights.

    ``att`` in the outcome's unit; ``units`` (untreated units,) and ``periods`` (periods before,) weights;
    ``se`` by placebos (nan without), for which each draw treats as many of the untreated units.
    """

    att: float
    units: Floats
    periods: Floats
    se: float


def sdid(
    outcome: ArrayLike, treated: ArrayLike, start: int, *, placebos: int = 0, seed: int = 0
) -> SyntheticDid:
    """Synthetic difference in differences (Arkhangelsky et al. 2021) of a balanced panel with one start.

    ``outcome``   (units, periods); ``treated`` (units,); ``start`` position of the first treated period.

    Unit and period weights by the authors' own Frank-Wolfe steps, stopping rule and sparsifying, because
    the printed digits rest on them. ``DesignError`` with under two untreated units or periods before.

    >>> y = [[1, 2, 3, 9], [1, 2, 3, 4], [2, 3, 4, 5]]
    >>> round(sdid(y, [1, 0, 0], 3).att, 6)
    5.0
    """
    y, chosen = np.asarray(outcome, float), np.asarray(treated, bool)
    if (~chosen).sum() < 2 or not chosen.any() or not 2 <= start < y.shape[1]:
        raise DesignError(
            f"{int(chosen.sum())} treated and {int((~chosen).sum())} untreated units, {start} of "
            f"{y.shape[1]} periods before: needs one, two, two and one after."
        )
    att, units, periods = _fit(y[~chosen], y[chosen].mean(axis=0), int(chosen.sum()), start)
    se = float("nan")
    if placebos:
        rng, pool, found = np.random.default_rng(seed), y[~chosen], []
        many = int(chosen.sum())
        if len(pool) < many + 2:
            raise DesignError("Too few untreated units to draw placebos from.")
        for _ in range(placebos):
            order = rng.permutation(len(pool))
            found.append(_fit(pool[order[many:]], pool[order[:many]].mean(axis=0), many, start)[0])
        se = float(np.std(found))
    return SyntheticDid(att, units, periods, se)


def _fit(others: Floats, mine: Floats, many: int, start: int) -> tuple[float, Floats, Floats]:
    """Effect, unit and period weights; ``mine`` the mean of ``many`` treated units."""
    before, after = others[:, :start], others[:, start:].mean(axis=1)
    noise = float(np.diff(before, axis=1).std(ddof=1))
    least = max(1e-5 * noise, 1e-12)
    eta = (many * (others.shape[1] - start)) ** 0.25
    periods = _weights(before, after, 1e-6 * noise, least)
    units = _weights(before.T, mine[:start], eta * noise, least)
    gap = mine - units @ others
    return float(gap[start:].mean() - periods @ gap[:start]), units, periods


def _weights(A: Floats, b: Floats, zeta: float, least: float) -> Floats:
    """Weights (above 0, sum 1) of the columns that make b up to a constant: rough, sparsified, finished."""
    A, b = A - A.mean(axis=0), b - b.mean()
    first = _frank_wolfe(A, b, zeta, least, np.full(A.shape[1], 1 / A.shape[1]), 100)
    first[first <= first.max() / 4] = 0.0
    return _frank_wolfe(A, b, zeta, least, first / first.sum(), 10_000)


def _frank_wolfe(A: Floats, b: Floats, zeta: float, least: float, x: Floats, rounds: int) -> Floats:
    x, eta = x.copy(), len(A) * zeta**2
    values: list[float] = []
    for t in range(rounds):
        if t >= 2 and values[-2] - values[-1] <= least**2:
            break
        now = A @ x
        half = (now - b) @ A + eta * x
        i = int(np.argmin(half))
        move = -x
        move[i] += 1.0
        curve = float(((A[:, i] - now) ** 2).sum() + eta * (move**2).sum())
        if curve > 0:
            x = x + min(1.0, max(0.0, float(-(half @ move)) / curve)) * move
        values.append(zeta**2 * (x**2).sum() + ((A @ x - b) ** 2).sum() / len(A))
    return x
