"""Do points lie closer together than chance would put them, and how long is a street block?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError

if TYPE_CHECKING:
    import geopandas as gpd

Array = Any
CLOSER = -1.96


@dataclass(frozen=True)
class NearestNeighbours:
    """The mean distance to the nearest neighbour over what chance would give (``ratio``; below 1 is closer
    together), with its ``z``. ``n`` points."""

    ratio: float
    z: float
    n: int

    @property
    def suggests(self) -> str:
        """Which operations fit such points: both where they cluster, else proximity only. Advice."""
        return "both" if self.ratio < 1 and self.z < CLOSER else "proximity"


def clark_evans(points: Array, area: float) -> NearestNeighbours:
    """Whether points cluster: the nearest-neighbour ratio of Clark & Evans (1954), uncorrected for edges.

    ``points``  rows x 2 metres; ``area``  square metres of the study area. Missing below two points.

    >>> import numpy as np
    >>> grid = np.stack(np.meshgrid(np.arange(10), np.arange(10)), axis=-1).reshape(-1, 2)
    >>> clark_evans(grid, 100.0).ratio  # a regular grid lies as far apart as it can in rows
    2.0
    """
    import numpy as np
    from scipy.spatial import cKDTree

    points = np.asarray(points, float)
    n = len(points)
    if n < 2:
        return NearestNeighbours(float("nan"), float("nan"), n)
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    by_chance = 0.5 / np.sqrt(n / area)
    error = 0.26136 / np.sqrt(n * n / area)
    mean = float(nearest.mean())
    return NearestNeighbours(float(mean / by_chance), float((mean - by_chance) / error), n)


def block_length(streets: gpd.GeoSeries) -> float:
    """Mean length of street between two junctions, in metres: the block of a Risk Terrain Model.

    ``streets``  lines in a projected CRS in metres. Lines meet where their ends do; a junction is where
    three or more do, or where a street ends.

    Raises ``DataError`` where there is no line.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    from peelian.explain.streets import Along

    network = Along.of(streets, np.zeros((0, 2)))
    import shapely

    length, ends = shapely.length(network.lines), network.ends
    degree = np.bincount(ends.ravel(), minlength=len(network.nodes))
    # lines that meet at a node of two ends are one stretch of street
    at = np.argsort(ends.ravel(), kind="stable")
    node, line = ends.ravel()[at], at // 2
    through = np.flatnonzero((node[:-1] == node[1:]) & (degree[node[:-1]] == 2))
    joined = coo_array((np.ones(len(through)), (line[through], line[through + 1])), shape=(len(length),) * 2)
    number, _ = connected_components(joined, directed=False)
    if not length.sum():
        raise DataError("streets: every line has no length. Give a layer of lines, not of points.")
    return float(length.sum() / number)
