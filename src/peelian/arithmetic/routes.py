"""In which order to visit points on foot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEAST_GAIN = 1e-9  # metres; a swap that saves less is none


def visiting_order(points: ArrayLike, *, start: int | None = None, passes: int = 50) -> NDArray[np.int64]:
    """Positions of the points in the order of a short walk that visits each once and does not return.

    ``points``  (n, 2) metres east and north.
    ``start``   position of the first; without it the point furthest from the middle, so that the walk ends
                somewhere else than it began in.

    The nearest point not yet visited is next, then pieces of the walk are turned round wherever that
    shortens it (2-opt; Croes 1958). Straight lines, no streets. Ties go to the earlier point, so the answer
    is the same on every machine. Raises ``DataError`` for points that are not finite.

    >>> visiting_order([[0, 0], [30, 0], [10, 0], [20, 0]], start=0).tolist()
    [0, 2, 3, 1]
    """
    at = np.asarray(points, float).reshape(-1, 2)
    if not np.isfinite(at).all():
        raise DataError("A point to visit has no coordinates.")
    if len(at) < 2:
        return np.arange(len(at))
    away = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    first = int(np.hypot(*(at - at.mean(axis=0)).T).argmax()) if start is None else start
    order = _nearest(away, first)
    for _ in range(passes):
        if not _turned(order, away):
            break
    return order


def walk_metres(points: ArrayLike, order: ArrayLike) -> float:
    """Length of the walk in straight lines.

    >>> walk_metres([[0, 0], [3, 4], [3, 5]], [0, 1, 2])
    6.0
    """
    path = np.asarray(points, float).reshape(-1, 2)[np.asarray(order, int)]
    return float(np.hypot(*np.diff(path, axis=0).T).sum())


def _nearest(away: NDArray[np.float64], first: int) -> NDArray[np.int64]:
    left = np.ones(len(away), bool)
    order = np.empty(len(away), np.int64)
    here = first
    for step in range(len(away)):
        order[step] = here
        left[here] = False
        here = int(np.where(left, away[here], np.inf).argmin())
    return order


def _turned(order: NDArray[np.int64], away: NDArray[np.float64]) -> bool:
    """Turn round the piece that saves most after each position, in place; whether any was turned."""
    changed = False
    size = len(order)
    for i in range(size - 1):
        ends = np.arange(i + 1, size)
        now = away[order[i], order[i + 1]] + np.r_[away[order[ends[:-1]], order[ends[:-1] + 1]], 0.0]
        then = away[order[i], order[ends]] + np.r_[away[order[i + 1], order[ends[:-1] + 1]], 0.0]
        gain = now - then
        best = int(gain.argmax())
        if gain[best] > LEAST_GAIN:
            order[i + 1 : ends[best] + 1] = order[i + 1 : ends[best] + 1][::-1].copy()
            changed = True
    return changed
