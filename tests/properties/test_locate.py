"""Locate: the fast way says what the slow, obvious way says, on edges and corners and overlaps too."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from peelian.places import Places

CRS = "EPSG:27700"
steps = st.integers(-1, 12)
corner = st.tuples(steps, steps)
shape = st.one_of(
    st.tuples(corner, st.integers(1, 12), st.integers(1, 3)).map(
        lambda t: shapely.box(*t[0], t[0][0] + t[1], t[0][1] + t[2])
    ),
    st.lists(corner, min_size=3, max_size=7).map(lambda ring: shapely.MultiPoint(ring).convex_hull),
    st.tuples(corner, corner).map(
        lambda t: shapely.MultiPolygon([shapely.box(c[0], c[1], c[0] + 1, c[1] + 1) for c in set(t)])
    ),
).filter(lambda g: g.area > 0 and g.is_valid)
half = st.integers(-4, 30).map(lambda n: n / 2)


def one_by_one(places: Places, points: gpd.GeoSeries) -> list[str | None]:
    """The slow, obvious way: the first area, in order of id, that the point touches."""
    return [
        next((name for name, area in places.geometry.items() if area.intersects(point)), None)
        if point
        else None
        for point in points
    ]


def located(places: Places, points: gpd.GeoSeries) -> list[str | None]:
    found = places.locate(points)
    assert found.dtype == "str"
    assert found.index.equals(points.index)
    return [None if pd.isna(name) else name for name in found]


def areas(shapes: list[shapely.Geometry]) -> Places:
    ids = [f"a{k:02d}" for k in range(len(shapes))]
    return Places.of(gpd.GeoDataFrame(index=ids, geometry=shapes, crs=CRS))


@given(st.lists(shape, min_size=1, max_size=8), st.lists(st.tuples(half, half), max_size=40))
def test_the_fast_way_agrees_with_one_point_and_one_area_at_a_time(
    shapes: list[shapely.Geometry], at: list[tuple[float, float]]
) -> None:
    places = areas(shapes)
    points = gpd.GeoSeries([shapely.Point(p) for p in [*at, *at[:5]]], crs=CRS)
    assert located(places, points) == one_by_one(places, points)


@given(st.permutations(range(12)))
def test_the_order_of_the_points_does_not_matter(order: list[int]) -> None:
    places = areas([shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 2), shapely.box(1, 1, 3, 3)])
    points = gpd.GeoSeries(shapely.points([(k % 5, k % 3) for k in range(12)]), crs=CRS)
    assert places.locate(points.iloc[order]).sort_index().equals(places.locate(points))


def test_far_from_the_origin_no_point_is_lost_to_rounding() -> None:
    """National Grid coordinates to the centimetre, areas that share every edge."""
    draw = np.random.default_rng(1)
    places = areas(
        [shapely.box(529_000.03 + 7.1 * k, 180_000.07, 529_007.13 + 7.1 * k, 180_009) for k in range(50)]
    )
    x = np.r_[draw.uniform(528_990, 529_370, 400), [529_000.03 + 7.1 * k for k in range(51)]]
    y = np.r_[draw.uniform(179_999, 180_010, 400), np.full(51, 180_000.07)]
    points = gpd.GeoSeries(shapely.points(x, y), crs=CRS)
    assert located(places, points) == one_by_one(places, points)


@pytest.mark.parametrize("point", [None, shapely.Point(), shapely.Point(np.inf, 0), shapely.Point(99, 99)])
def test_a_point_that_is_nowhere_lies_in_no_area(point: shapely.Point | None) -> None:
    assert located(areas([shapely.box(0, 0, 1, 1)]), gpd.GeoSeries([point], crs=CRS)) == [None]
