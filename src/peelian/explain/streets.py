"""Distances along streets: which points a feature reaches on foot, and by how many metres."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DataError
from peelian.explain.measure import as_points

if TYPE_CHECKING:
    import geopandas as gpd
    from scipy import sparse

Array = Any
TILE = 2000.0


@dataclass(frozen=True, eq=False)
class OnStreet:
    """Points set on their nearest street: by point the ``edge``, metres from its start and to its end
    (``ahead``), and ``off`` the street; ``known`` where a street is near enough."""

    edge: Array
    along: Array
    ahead: Array
    off: Array
    known: Array


@dataclass(frozen=True, eq=False)
class Along:
    """Metres along streets from ``points``: streets join where their ends meet, so that a bridge joins
    nothing below it; one-way signs are for cars. ``at`` the points on the network."""

    points: Array
    at: OnStreet
    lines: Array
    ends: Array
    nodes: Array
    graph: sparse.csr_array
    snap: float

    @classmethod
    def of(cls, streets: gpd.GeoSeries, points: Array, snap: float = 100) -> Along:
        """The network of these lines, with the points set on it.

        Raises ``DataError`` where there is no line.
        """
        import shapely
        from scipy import sparse

        lines = lines_of(streets)
        both = np.vstack([shapely.get_coordinates(shapely.get_point(lines, k)) for k in (0, -1)])
        # ends meet where they are the same to the centimetre
        nodes, node = np.unique(both.round(2), axis=0, return_inverse=True)
        ends = node.ravel().reshape(2, -1).T
        length = shapely.length(lines)
        order = np.argsort(length, kind="stable")
        pair = np.sort(ends, axis=1)[order]
        _, first = np.unique(pair, axis=0, return_index=True)  # of parallel streets the shortest
        kept = order[first]
        kept = kept[ends[kept, 0] != ends[kept, 1]]
        i, j = ends[kept].T
        graph = sparse.csr_array(
            (np.r_[length[kept], length[kept]], (np.r_[i, j], np.r_[j, i])), shape=(len(nodes),) * 2
        )
        return cls(points, set_on(lines, points, snap), lines, ends, nodes, graph, snap)

    @property
    def beyond(self) -> int:
        """Points with no street within ``snap``: measured in straight lines."""
        return int((~self.at.known).sum())

    def __call__(
        self, features: gpd.GeoDataFrame, distances: Sequence[float]
    ) -> tuple[list[Array], list[Array]]:
        """By distance: which points have a feature within it, and the kernel sum of that bandwidth.

        Lines and areas by their points (every 10 m, every 25 m); inside an area the distance is nothing.
        """
        sums = [np.zeros(len(self.points)) for _ in distances]
        nearest = self._nearest(features, max(distances), distances, sums)
        return [nearest <= d for d in distances], sums

    def nearest(self, features: gpd.GeoDataFrame, reach: float) -> Array:
        """Metres from each point to the nearest feature; infinity beyond ``reach``."""
        return self._nearest(features, reach, (), [])

    def _nearest(
        self, features: gpd.GeoDataFrame, reach: float, distances: Sequence[float], sums: list[Array]
    ) -> Array:
        """The same, with kernel sums added up on the way."""
        import shapely

        xy, weight = as_points(features)
        nearest = np.full(len(self.points), np.inf)
        for feature, point, metres in self.pairs(xy, reach):
            np.minimum.at(nearest, point, metres)
            for at, d in enumerate(distances):
                near = metres < d
                lift = weight[feature[near]] * (1 - (metres[near] / d) ** 2)
                sums[at] += np.bincount(point[near], lift, len(nearest)) * (2 / (np.pi * d**2))
        shapes = features.geometry.to_numpy()
        areas = shapes[shapely.area(shapes) > 0]
        if len(areas):
            inside = shapely.STRtree(areas).query(shapely.points(self.points), predicate="intersects")[0]
            nearest[inside] = 0.0
        return nearest

    def pairs(self, xy: Array, reach: float) -> Iterator[tuple[Array, Array, Array]]:
        """Features and points no farther apart than ``reach``, tile by tile: (feature, point, metres)."""
        from scipy.spatial import cKDTree

        here = set_on(self.lines, xy, self.snap)
        near_points, near_nodes = cKDTree(self.points), cKDTree(self.nodes)
        tile = np.floor(xy / TILE)
        _, tile = np.unique(tile, axis=0, return_inverse=True)
        order = np.argsort(tile.ravel(), kind="stable")
        for features in np.split(order, np.cumsum(np.bincount(tile.ravel()))[:-1]):
            centre = (xy[features].min(axis=0) + xy[features].max(axis=0)) / 2
            spread = float(np.hypot(*(xy[features] - centre).T).max())
            # a path is never shorter than the straight line, so that nothing farther away matters
            points = np.array(sorted(near_points.query_ball_point(centre, spread + reach + 1)), np.int64)
            if not len(points):
                continue
            nodes = np.array(
                sorted(near_nodes.query_ball_point(centre, spread + reach + self.snap + 1)), np.int64
            )
            metres = self._between(here, xy, features, points, nodes, reach)
            feature, point = np.nonzero(metres <= reach)
            yield features[feature], points[point], metres[feature, point]

    def _between(
        self, here: OnStreet, xy: Array, features: Array, points: Array, nodes: Array, reach: float
    ) -> Array:
        """Metres from each of some features to each of some points (infinite beyond ``reach``)."""
        from scipy.sparse.csgraph import dijkstra

        metres = np.full((len(features), len(points)), np.inf)
        known, there = here.known[features], self.at.known[points]
        if known.any() and there.any() and len(nodes):
            f, p = features[known], points[there]
            small = self.graph[nodes][:, nodes]
            place = np.full(len(self.nodes) + 1, -1, np.int64)
            place[nodes] = np.arange(len(nodes))
            found = np.full((len(f), len(nodes) + 1), np.inf)
            for side, start in ((0, here.along), (1, here.ahead)):
                node = place[self.ends[here.edge[f], side]]
                own, back = np.unique(node, return_inverse=True)
                away = np.full((len(own), len(nodes) + 1), np.inf)
                away[own >= 0, :-1] = dijkstra(small, indices=own[own >= 0], limit=reach)
                found = np.minimum(found, away[back.ravel()] + start[f][:, None])
            on = np.full((len(f), len(p)), np.inf)
            for side, end in ((0, self.at.along), (1, self.at.ahead)):
                node = place[self.ends[self.at.edge[p], side]]
                on = np.minimum(on, found[:, node] + end[p])
            same = here.edge[f][:, None] == self.at.edge[p]
            direct = np.abs(here.along[f][:, None] - self.at.along[p])
            on = np.where(same, np.minimum(on, direct), on) + here.off[f][:, None] + self.at.off[p]
            metres[np.ix_(known, there)] = on
        for rows, columns in ((~known, np.ones(len(points), bool)), (known, ~there)):
            if rows.any() and columns.any():
                apart = xy[features[rows]][:, None] - self.points[points[columns]]
                metres[np.ix_(rows, columns)] = np.hypot(apart[..., 0], apart[..., 1])
        return metres


def lines_of(streets: gpd.GeoSeries) -> Array:
    """The lines of a layer of streets. ``DataError`` where it has none."""
    lines = streets.geometry.explode(ignore_index=True)
    lines = lines[lines.geom_type.isin(["LineString", "LinearRing"]) & ~lines.is_empty].to_numpy()
    if not len(lines):
        raise DataError("streets: holds no line, so there is nothing to measure distances along.")
    return lines


def set_on(lines: Array, points: Array, snap: float) -> OnStreet:
    """Points set on the nearest of the lines."""
    import shapely

    edge = np.zeros(len(points), np.int64)
    off = np.full(len(points), np.inf)
    shapes = shapely.points(points)
    (at, line), metres = shapely.STRtree(lines).query_nearest(
        shapes, max_distance=snap, return_distance=True, all_matches=False
    )
    edge[at], off[at] = line, metres
    along = shapely.line_locate_point(lines[edge], shapes)
    return OnStreet(edge, along, shapely.length(lines[edge]) - along, off, np.isfinite(off))
