"""How near and how thick: on a grid, along streets, over whole places, at the edge; by hand and by a tree."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, box

from peelian.errors import DataError, DesignError
from peelian.explain.factors import operationalise
from peelian.explain.lattice import Lattice
from peelian.explain.measure import Ground, How, Straight, kernel_sums, nearest_distance
from peelian.explain.streets import Along
from peelian.layers import Layer, Layers
from peelian.places import Places

CRS = 27700


def points(xy: object, **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(*np.asarray(xy, float).T), crs=CRS)


# -------------------------------------------------------------------- the grid, against a tree
def ragged() -> tuple[Places, np.ndarray]:
    """A grid with a hole and an odd origin."""
    shape = box(3.3, 7.7, 2403.3, 1907.7).difference(box(700, 500, 1300, 1200))
    places = Places.grid(gpd.GeoSeries([shape], crs=CRS), 100)
    return places, np.column_stack([places.points.x, places.points.y])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("distances", [(100, 200, 300), (250, 700), (30,)])
def test_visiting_cells_equals_a_tree(seed: int, distances: tuple[float, ...]) -> None:
    lattice = Lattice.of(ragged()[0])
    assert lattice
    centres = lattice.centres
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-900, 3300, (400, 2))
    xy[:50] = centres[rng.integers(len(centres), size=50)] + rng.integers(-3, 4, (50, 2)) * 100
    weight = rng.integers(0, 4, 400).astype(float) if seed % 2 else np.ones(400)
    near, sums = lattice.near_and_kernels(xy, weight, distances)
    nearest = nearest_distance(gpd.points_from_xy(*xy.T), centres, max(distances))
    for d, here, f, tree in zip(
        distances, near, sums, kernel_sums(xy, weight, centres, distances), strict=True
    ):
        assert (here == (nearest <= d)).all()
        assert f == pytest.approx(tree, abs=1e-13 * max(tree.max(), 1e-9))


def test_points_beyond_the_reach_of_the_grid_meet_no_cell() -> None:
    lattice = Lattice.of(ragged()[0])
    assert lattice
    near, sums = lattice.near_and_kernels(np.array([[-90_000.0, 5], [90_000, 5]]), np.ones(2), [300])
    assert not near[0].any()
    assert not sums[0].any()


def test_centres_of_the_lattice_are_those_of_the_cells() -> None:
    places, centres = ragged()
    lattice = Lattice.of(places)
    assert lattice
    assert lattice.centres == pytest.approx(centres, abs=1e-9)


def test_places_that_are_no_grid_have_no_lattice() -> None:
    areas = Places.of(gpd.GeoDataFrame(index=["a"], geometry=[box(0, 0, 100, 100)], crs=CRS))
    assert Lattice.of(areas) is None


# -------------------------------------------------------------------- along streets
#   c (0, 100)
#   |
#   a (0, 0) ------ b (200, 0)      and a bridge from (100, -100) to (100, 100) that joins nothing
STREETS = gpd.GeoSeries(
    [LineString([(0, 0), (200, 0)]), LineString([(0, 0), (0, 100)]), LineString([(100, -100), (100, 100)])],
    crs=CRS,
)


@pytest.mark.parametrize(
    ("feature", "point", "metres"),
    [
        ((150, 0), (0, 80), 230),  # round the corner
        ((150, 5), (50, -3), 108),  # on one street, both off it
        ((100, 60), (90, 0), np.inf),  # the bridge joins nothing
        ((0, 0), (200, 0), 200),  # from end to end
        ((100, 60), (103, -60), 123),  # along the bridge
        ((500, 0), (560, 0), 60),  # no street within 100 m: straight
        ((500, 0), (150, 0), 350),  # one of the two
    ],
)
def test_metres_along_streets(
    feature: tuple[float, float], point: tuple[float, float], metres: float
) -> None:
    along = Along.of(STREETS, np.array([point], float))
    found = [m for _, _, m in along.pairs(np.array([feature], float), 400)]
    assert (found[0].tolist() if found else []) == ([] if metres == np.inf else pytest.approx([metres]))


def test_along_streets_equals_every_shortest_path() -> None:
    """Two tiles of a street grid with pieces missing, against networkx-like relaxation over all nodes."""
    rng = np.random.default_rng(3)
    every = [((x, y), (x + 500, y)) for x in range(0, 4000, 500) for y in range(0, 2001, 500)]
    every += [((x, y), (x, y + 500)) for x in range(0, 4001, 500) for y in range(0, 2000, 500)]
    lines = [LineString(ends) for ends in every if rng.random() > 0.25]
    places = rng.uniform(0, (4000, 2000), (60, 2))
    features = rng.uniform(0, (4000, 2000), (40, 2))
    along = Along.of(gpd.GeoSeries(lines, crs=CRS), places, snap=200)
    found = np.full((40, 60), np.inf)
    for feature, point, metres in along.pairs(features, 900):
        found[feature, point] = metres
    by_hand = _by_relaxation(lines, features, places, 200)
    assert found == pytest.approx(np.where(by_hand <= 900, by_hand, np.inf))
    assert np.isfinite(found).sum() > 200


def _by_relaxation(
    lines: list[LineString], features: np.ndarray, places: np.ndarray, snap: float
) -> np.ndarray:
    ends = sorted({end for line in lines for end in line.coords})
    between = np.where(np.eye(len(ends)) > 0, 0.0, np.inf)
    for line in lines:
        i, j = (ends.index(end) for end in line.coords)
        between[i, j] = between[j, i] = line.length
    for k in range(len(ends)):
        between = np.minimum(between, between[:, k : k + 1] + between[k])

    def on(xy: np.ndarray) -> tuple[LineString, float, float]:
        street = min(lines, key=lambda line: line.distance(Point(xy)))
        return street, street.project(Point(xy)), street.distance(Point(xy))

    found = np.empty((len(features), len(places)))
    for i, feature in enumerate(features):
        for j, place in enumerate(places):
            (a, u, off), (b, v, away) = on(feature), on(place)
            if off > snap or away > snap:
                found[i, j] = np.hypot(*(feature - place))
                continue
            ways = [
                s + between[ends.index(p), ends.index(q)] + t
                for p, s in zip(a.coords, (u, a.length - u), strict=True)
                for q, t in zip(b.coords, (v, b.length - v), strict=True)
            ]
            if a == b:
                ways.append(abs(u - v))
            found[i, j] = min(ways) + off + away
    return found


def test_inside_an_area_the_way_is_nothing() -> None:
    along = Along.of(STREETS, np.array([[20.0, 20.0], [190.0, 0.0]]))
    park = gpd.GeoDataFrame(geometry=[box(0, 0, 60, 60)], crs=CRS)
    near, _ = along(park, [50])
    assert near[0].tolist() == [True, False]


def test_streets_without_a_line() -> None:
    with pytest.raises(DataError, match="holds no line"):
        Along.of(gpd.GeoSeries([Point(0, 0)], crs=CRS), np.zeros((1, 2)))


def test_far_from_every_street_is_counted() -> None:
    assert Along.of(STREETS, np.array([[0.0, 0], [500, 500]])).beyond == 1


# -------------------------------------------------------------------- over the whole of a place
def test_the_share_of_a_place_that_is_near() -> None:
    # 200 m square: 16 points every 50 m, of which the 8 of the western half lie within 100 m of x = 0
    place = Places.of(
        gpd.GeoDataFrame(index=["a", "b"], geometry=[box(0, 0, 200, 200), box(800, 0, 1000, 200)], crs=CRS)
    )
    wall = Layers.of([Layer("wall", gpd.GeoDataFrame(geometry=[LineString([(0, -500), (0, 500)])], crs=CRS))])
    found = operationalise(wall, place, distances=[100], operations="proximity", how=How(at="area"))
    assert found.columns["wall_proximity_100"].tolist() == [0.5, 0.0]


def test_a_place_too_small_for_a_point_has_its_own() -> None:
    ground = Ground.of(
        Places.of(gpd.GeoDataFrame(index=["a"], geometry=[box(1, 1, 9, 9)], crs=CRS)), How(at="area")
    )
    assert ground.points.tolist() == [[5.0, 5.0]]


# -------------------------------------------------------------------- the edge, and what is dense
def test_divided_at_the_edge() -> None:
    """On a straight edge half of the kernel lies inside, in the middle all of it."""
    places = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=CRS), 50)
    even = points([(x, y) for x in range(25, 2000, 50) for y in range(25, 2000, 50)])
    plain = Ground.of(places, How()).near_and_kernels(even, [300])[1][0]
    divided = Ground.of(places, How(edge="divide")).near_and_kernels(even, [300])[1][0]
    x = places.points.x.to_numpy()
    middle = (x == 1025) & (places.points.y.to_numpy() == 1025)
    side = (x == 25) & (places.points.y.to_numpy() == 1025)
    assert plain[side] / plain[middle] == pytest.approx(0.6, abs=0.05)
    assert divided[side] / divided[middle] == pytest.approx(1.0, abs=0.01)
    assert divided[middle] == pytest.approx(plain[middle], rel=1e-3)


def test_a_layer_known_beyond_the_edge_is_not_divided() -> None:
    places = Places.grid(gpd.GeoSeries([box(0, 0, 1000, 1000)], crs=CRS), 100)
    features = points([(50, 50), (-200, 50)])
    plain, divided = (
        Ground.of(places, How(edge=edge)).near_and_kernels(features, [300])[1][0]  # type: ignore[arg-type]
        for edge in ("none", "divide")
    )
    assert (plain == divided).all()


def test_dense_by_a_quantile() -> None:
    assert How(density_rule="quantile:.75").cut(np.arange(5.0)) == 3.0
    assert How().cut(np.array([0.0, 2.0])) == pytest.approx(1 + 2 * np.sqrt(2))


def test_a_rule_that_is_none() -> None:
    with pytest.raises(DesignError, match=r"quantile:\.95"):
        How(density_rule="top").cut(np.arange(3.0))


def test_the_tree_and_the_grid_give_the_same_candidates() -> None:
    places, centres = ragged()
    rng = np.random.default_rng(1)
    features = points(rng.uniform(0, 2400, (60, 2)))
    by_tree = Straight(centres)(features, [200, 400])
    by_cells = Ground.of(places, How()).near_and_kernels(features, [200, 400])
    for tree, cells in zip(by_tree[0], by_cells[0], strict=True):
        assert (tree == cells).all()
