"""How near and how thick features lie at the points where places are measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from peelian.errors import DesignError

if TYPE_CHECKING:
    import geopandas as gpd

    from peelian.explain.lattice import Lattice
    from peelian.places import Places

Array = Any
QUANTILE = re.compile(r"quantile:(0?\.\d+)")
MOST_PAIRS = 20_000_000
BETWEEN_STREETS, STREET_SIDE = 250.0, 25.0  # metres from a street that belong to the ground of all; of one
LINE_STEP, AREA_STEP, PLACE_STEP = 10.0, 25.0, 50.0


@dataclass(frozen=True, eq=False)
class How:
    """How features are measured from places.

    ``density_rule``  from where a kernel sum counts as dense: ``mean+2sd`` over the places in the fit, or
                      ``quantile:.95``.
    ``edge``          ``none``, or ``divide``: kernel sums of a layer that has no feature outside the study
                      area are divided by the part of the kernel that lies inside it.
    ``at``            ``centroid``, or ``area``: the share of a place's ground (points every 50 m) that is
                      near, or dense.
    ``streets``       lines: distances go along them; straight where there are none. Points farther than
                      ``snap`` metres from every street are measured straight.
    """

    density_rule: str = "mean+2sd"
    edge: Literal["none", "divide"] = "none"
    at: Literal["centroid", "area"] = "centroid"
    streets: gpd.GeoSeries | None = None
    snap: float = 100

    def cut(self, sums: Array) -> float:
        """The kernel sum from which a place counts as dense."""
        import numpy as np

        if self.density_rule == "mean+2sd":
            return float(sums.mean() + 2 * sums.std(ddof=1))
        found = QUANTILE.fullmatch(self.density_rule)
        if not found:
            raise DesignError(
                f'density_rule is "{self.density_rule}"; write "mean+2sd" or for instance "quantile:.95".'
            )
        return float(np.quantile(sums, float(found[1])))


def study_area(places: Places) -> Any:
    """The ground of all places as one shape: of streets, with the ground between them."""
    if places.kind == "street":
        every = places.geometry.union_all().simplify(STREET_SIDE / 2)
        return every.buffer(BETWEEN_STREETS, quad_segs=3).buffer(STREET_SIDE - BETWEEN_STREETS, quad_segs=3)
    return places.geometry.union_all(method="coverage" if places.kind == "cell" else "unary")


class Measure(Protocol):
    """A way to go from features to points."""

    def __call__(
        self, features: gpd.GeoDataFrame, distances: Sequence[float]
    ) -> tuple[list[Array], list[Array]]:
        """By distance: which points have a feature within it, and the kernel sum of that bandwidth."""

    def nearest(self, features: gpd.GeoDataFrame, reach: float) -> Array:
        """Metres from each point to the nearest feature; infinity beyond ``reach``."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The points at which places are measured.

    ``points``  rows x 2 metres; ``owner`` the place of each (None: one point a place, in their order);
    ``number``  of places; ``measure`` the way to them, ``straight`` as the crow flies; ``study`` the area at
    whose edge kernel sums are to be divided, or None.
    """

    points: Array
    owner: Array | None
    number: int
    measure: Measure
    straight: Straight
    study: Any = None

    @classmethod
    def of(cls, places: Places, how: How) -> Ground:
        """The ground of these places."""
        import numpy as np

        from peelian.explain.lattice import Lattice
        from peelian.explain.streets import Along

        lattice, owner = Lattice.of(places), None
        if lattice:
            points = lattice.centres
        else:
            middle = places.points
            points = np.column_stack([middle.x, middle.y])
        if how.at == "area":
            points, owner = points_of(places.geometry.to_numpy(), points)
            lattice = None
        straight = Straight(points, lattice)
        measure: Measure = straight
        if how.streets is not None:
            measure = Along.of(how.streets.to_crs(places.crs), points, how.snap)
        study = study_area(places) if how.edge == "divide" else None
        return cls(points, owner, len(places), measure, straight, study)

    def near_and_kernels(
        self, features: gpd.GeoDataFrame, distances: Sequence[float]
    ) -> tuple[list[Array], list[Array]]:
        """By distance and point: whether a feature is within it, and the kernel sum of that bandwidth."""
        import numpy as np

        near, sums = self.measure(features, distances)
        if self.study is None or (features.distance(self.study) > 0).any():
            return near, sums
        inside = self._window(tuple(distances))
        return near, [f / np.maximum(part, 1e-3) for f, part in zip(sums, inside, strict=True)]

    def nearest(self, features: gpd.GeoDataFrame, reach: float) -> Array:
        """Metres from each point to the nearest feature; infinity beyond ``reach``."""
        return self.measure.nearest(features, reach)

    @property
    def notes(self) -> list[str]:
        """What should be known of the measuring."""
        beyond = getattr(self.measure, "beyond", 0)
        return [
            f"{beyond:,} of {len(self.points):,} points of places have no street near and are measured in "
            "straight lines."
        ] * bool(beyond)

    @cached_property
    def _windows(self) -> dict[tuple[float, ...], list[Array]]:
        return {}

    def _window(self, distances: tuple[float, ...]) -> list[Array]:
        """The part of the kernel round each point that lies in the study area."""
        import numpy as np

        if distances not in self._windows:
            xy, part = _spread(self.study)
            weight = np.full(len(xy), part)
            self._windows[distances] = self.straight.of_points(xy, weight, distances)[1]
        return self._windows[distances]

    def by_place(self, marks: Array) -> Array:
        """Marks of points as marks (0, 1) of places, or the share of a place's points that bear one."""
        import numpy as np

        if self.owner is None:
            return marks.astype(np.int8)
        return np.bincount(self.owner, marks, self.number) / np.bincount(self.owner, minlength=self.number)


@dataclass(frozen=True, eq=False)
class Straight:
    """Straight lines from ``points`` (rows x 2 metres), which may be the centres of a ``lattice``."""

    points: Array
    lattice: Lattice | None = None

    def __call__(
        self, features: gpd.GeoDataFrame, distances: Sequence[float]
    ) -> tuple[list[Array], list[Array]]:
        """By distance: which points have a feature within it, and the kernel sum of that bandwidth."""
        import shapely

        shapes = features.geometry.to_numpy()
        near, sums = self.of_points(*as_points(features), distances)
        if (shapely.get_type_id(shapes) == 0).all():
            return near, sums
        nearest = self.nearest(features, max(distances))
        return [nearest <= d for d in distances], sums

    def nearest(self, features: gpd.GeoDataFrame, reach: float) -> Array:
        """Metres from each point to the nearest feature; infinity beyond ``reach``."""
        return nearest_distance(features.geometry.to_numpy(), self.points, reach)

    def of_points(
        self, points: Array, weight: Array, distances: Sequence[float]
    ) -> tuple[list[Array], list[Array]]:
        """The same of points with weights."""
        import shapely

        if self.lattice is not None:
            return self.lattice.near_and_kernels(points, weight, distances)
        nearest = nearest_distance(shapely.points(points), self.points, max(distances))
        return [nearest <= d for d in distances], kernel_sums(points, weight, self.points, distances)


def nearest_distance(shapes: Array, centres: Array, reach: float) -> Array:
    """Metres from each centre to the nearest feature; infinity beyond ``reach``.

    >>> import numpy as np, shapely
    >>> nearest_distance(shapely.points([[0, 0]]), np.array([[3.0, 4.0], [30, 40]]), 10)
    array([ 5., inf])
    """
    import numpy as np
    import shapely
    from scipy.spatial import cKDTree

    if (shapely.get_type_id(shapes) == 0).all():
        tree = cKDTree(shapely.get_coordinates(shapes))
        return tree.query(centres, distance_upper_bound=np.nextafter(reach, np.inf) * (1 + 1e-12))[0]
    nearest = np.full(len(centres), np.inf)
    (at, _), metres = shapely.STRtree(shapes).query_nearest(
        shapely.points(centres), max_distance=reach, return_distance=True, all_matches=False
    )
    nearest[at] = metres
    return nearest


def kernel_sums(points: Array, weight: Array, centres: Array, distances: Sequence[float]) -> list[Array]:
    """Epanechnikov sums at each centre: of w 2/(pi d^2) (1 - (r/d)^2) over the points nearer than d.

    One array a distance, per square metre.

    >>> import numpy as np
    >>> f = kernel_sums(np.zeros((1, 2)), np.ones(1), np.array([[0.0, 0], [10, 0]]), [10])[0]
    >>> [round(float(v * np.pi * 100 / 2), 9) for v in f]
    [1.0, 0.0]
    """
    import numpy as np
    from scipy.spatial import cKDTree

    reach, n = max(distances), len(centres)
    sums = [np.zeros(n) for _ in distances]
    tree = cKDTree(centres)
    spread = np.ptp(centres, axis=0)
    each = max(1.0, n * np.pi * reach**2 / max(float(spread[0] * spread[1]), reach**2))
    chunk = max(1, int(MOST_PAIRS / each))
    for begin in range(0, len(points), chunk):
        part = slice(begin, begin + chunk)
        pairs = cKDTree(points[part]).sparse_distance_matrix(tree, reach, output_type="ndarray")
        w = weight[part][pairs["i"]]
        for at, d in enumerate(distances):
            near = pairs["v"] < d
            lift = w[near] * (1 - (pairs["v"][near] / d) ** 2)
            sums[at] += np.bincount(pairs["j"][near], lift, n) * (2 / (np.pi * d**2))
    return sums


def as_points(features: gpd.GeoDataFrame) -> tuple[Array, Array]:
    """Features as weighted points: lines every 10 m (by length), areas on a 25 m lattice (by area)."""
    import numpy as np
    import shapely

    features = features.explode(ignore_index=True)
    shapes = features.geometry.to_numpy()
    own = features["weight"].to_numpy(float) if "weight" in features else np.ones(len(features))
    if (shapely.get_type_id(shapes) == 0).all():
        return shapely.get_coordinates(shapes), own
    points, weights = [], []
    for shape, weight in zip(shapes, own, strict=True):
        xy, part = _spread(shape)
        points.append(xy)
        weights.append(np.full(len(xy), part * weight))
    return np.vstack(points), np.concatenate(weights)


def _spread(shape: Any) -> tuple[Array, float]:
    """Points that stand for one shape, and how much of it each stands for."""
    import numpy as np
    import shapely

    if shape.area > 0:
        xy = _inside_of(shape, AREA_STEP)
        if not len(xy):
            xy = shapely.get_coordinates(shape.representative_point())
        return xy, shape.area / len(xy)
    if shape.length > 0:
        count = max(1, round(shape.length / LINE_STEP))
        at = (np.arange(count) + 0.5) / count
        xy = shapely.get_coordinates(shapely.line_interpolate_point(shape, at, normalized=True))
        return xy, shape.length / count
    xy = shapely.get_coordinates(shape)
    return xy, 1.0


def _inside_of(shape: Any, step: float) -> Array:
    """Points of a square lattice that lie inside an area."""
    import numpy as np
    import shapely

    west, south, east, north = shape.bounds
    x = np.arange(np.floor(west / step) + 0.5, np.ceil(east / step)) * step
    y = np.arange(np.floor(south / step) + 0.5, np.ceil(north / step)) * step
    xy = np.column_stack([a.ravel() for a in np.meshgrid(x, y)]).reshape(-1, 2)
    shapely.prepare(shape)
    return xy[shapely.contains_xy(shape, xy[:, 0], xy[:, 1])]


def _on(shape: Any, step: float) -> Array:
    """Points inside an area, or along a line, in equal parts of about ``step``."""
    import numpy as np
    import shapely

    if shape.area > 0:
        return _inside_of(shape, step)
    number = round(shape.length / step)
    at = (np.arange(number) + 0.5) / max(number, 1)
    return shapely.get_coordinates(shapely.line_interpolate_point(shape, at, normalized=True))


def points_of(shapes: Array, centres: Array) -> tuple[Array, Array]:
    """Points every 50 m inside each place (along a street), and whose they are; its own point where it is too
    small."""
    import numpy as np

    found = [_on(shape, PLACE_STEP) for shape in shapes]
    found = [xy if len(xy) else centre[None] for xy, centre in zip(found, np.asarray(centres), strict=True)]
    return np.vstack(found), np.repeat(np.arange(len(found)), [len(xy) for xy in found])
