"""Linked: pairs of incidents near each other in space and time, the earlier and the later one of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Pairs:
    """Earlier and later incidents within reach of each other, in order of the later one.

    ``child`` and ``parent`` positions; ``days`` between them, above 0 (two of one moment are no pair);
    ``square`` of their distance in square metres; ``number`` of pairs by child.
    """

    child: np.ndarray
    parent: np.ndarray
    days: np.ndarray
    square: np.ndarray
    number: np.ndarray

    def __len__(self) -> int:
        return len(self.child)

    def where(self, keep: np.ndarray) -> Pairs:
        """Those of a mask."""
        child, parent, days, square = (
            part[keep] for part in (self.child, self.parent, self.days, self.square)
        )
        return Pairs(child, parent, days, square, np.bincount(child, minlength=len(self.number)))


def pairs_within(
    time: np.ndarray, x: np.ndarray, y: np.ndarray, *, distance: float, days: int, a_day: int = 1
) -> Pairs:
    """Every pair of incidents within ``distance`` metres, the one up to ``days`` days after the other.

    ``time`` whole numbers in rising order, ``a_day`` of them to a day: with 1, incidents of one day are no
    pair. Incidents are sorted by square and time, so that the earlier ones of each of the nine squares round
    an incident are one run of that order: no pair out of time is listed.

    >>> found = pairs_within(np.array([0, 0, 3]), np.zeros(3), np.array([0.0, 9.0, 0.0]), distance=5, days=9)
    >>> found.parent.tolist(), found.child.tolist(), found.days.tolist()
    ([0], [2], [3.0])
    """
    column = np.floor((x - x.min()) / distance).astype(np.int64) + 1
    row = np.floor((y - y.min()) / distance).astype(np.int64) + 1
    back = days * a_day
    width, span = int(row.max()) + 2, int(time[-1] - time[0]) + back + 2
    since = time - time[0] + back + 1
    key = (column * width + row) * span + since
    order = np.argsort(key, kind="stable").astype(np.int32)
    key, sx, sy, moment = key[order], x[order], y[order], since[order].astype(np.int32)
    found = []
    for shift in [(a * width + b) * span for a in (-1, 0, 1) for b in (-1, 0, 1)]:
        low = np.searchsorted(key, key + shift - back)
        number = np.searchsorted(key, key + shift) - low
        child = np.repeat(np.arange(len(key), dtype=np.int32), number)
        ahead = np.cumsum(number) - number
        parent = (np.arange(len(child)) - np.repeat(ahead - low, number)).astype(np.int32)
        square = (sx[child] - sx[parent]) ** 2 + (sy[child] - sy[parent]) ** 2
        near = square <= distance**2
        child, parent = child[near], parent[near]
        gap = (moment[child] - moment[parent]).astype("f4")
        found.append((order[child], order[parent], gap, square[near].astype("f4")))
    child, parent, gap, square = (np.concatenate(parts) for parts in zip(*found, strict=True))
    by = np.lexsort((parent, child))
    gap = gap[by] if a_day == 1 else gap[by] / np.float32(a_day)
    return Pairs(child[by], parent[by], gap, square[by], np.bincount(child, minlength=len(time)))
