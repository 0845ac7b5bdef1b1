"""Along: metres along the streets between the middles of street segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from peelian.places import Places

LIMIT = 1_000.0  # metres beyond which no street is near another
AT_A_TIME = 256  # segments that paths are sought from together: the table of them is what takes room
NEXT_TO_NOTHING = 1e-9  # a segment's way to itself, which a sparse table would drop


def metres_along(places: Places, reach: float) -> sparse.csr_array:
    """Metres along the network from the middle of each segment to those within reach: segments x segments.

    ``reach``  metres, 1,000 at most. Streets join where their ends meet to the centimetre: a bridge joins
    nothing below it. Every segment is next to nothing from itself. By Dijkstra's paths from each middle.
    """
    from scipy.sparse.csgraph import dijkstra

    shapes = np.asarray(places.geometry.array)
    ends, node, length = _ends(shapes)
    number, corners = len(shapes), len(ends)
    middle = corners + np.arange(number)  # a node of its own, half the length from either end
    i, j = np.r_[middle, middle], node.T.ravel()
    half = np.maximum(np.r_[length, length] / 2, NEXT_TO_NOTHING)
    order = np.lexsort((half, j, i))
    first = np.r_[True, (np.diff(i[order]) != 0) | (np.diff(j[order]) != 0)]  # a loop has one end
    i, j, half = (part[order][first] for part in (i, j, half))
    graph = sparse.csr_array((np.r_[half, half], (np.r_[i, j], np.r_[j, i])), shape=(corners + number,) * 2)
    found = []
    for low in range(0, number, AT_A_TIME):
        part = middle[low : low + AT_A_TIME]
        metres = dijkstra(graph, indices=part, limit=min(reach, LIMIT))[:, corners:]
        row, column = np.nonzero(np.isfinite(metres))
        found.append((row + low, column, metres[row, column]))
    row, column, metres = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return sparse.csr_array((np.maximum(metres, NEXT_TO_NOTHING), (row, column)), shape=(number, number))


def _ends(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct ends of segments, which two each segment has, and its length."""
    import shapely

    points, owner = shapely.get_coordinates(shapes, return_index=True)
    first = np.searchsorted(owner, np.arange(len(shapes)))
    last = np.searchsorted(owner, np.arange(len(shapes)), side="right") - 1
    both = np.vstack([points[first], points[last]]).round(2)
    ends, node = np.unique(both, axis=0, return_inverse=True)
    return ends, node.ravel().reshape(2, -1).T, shapely.length(shapes)
