"""Places: what they promise, and what a bad file is told."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import MultiPolygon, Point, Polygon, box

from peelian.errors import DataError, DesignError
from peelian.places import Places


def squares(n: int = 3, side: float = 1000, crs: str = "EPSG:27700", **columns: object) -> gpd.GeoDataFrame:
    """A row of squares a, b, c, ... side by side from the origin."""
    ids = [chr(97 + i) for i in range(n)]
    shapes = [box(i * side, 0, (i + 1) * side, side) for i in range(n)]
    return gpd.GeoDataFrame(columns, index=ids, geometry=shapes, crs=crs)


def test_rows_stand_in_order_of_id_whatever_the_file_says() -> None:
    assert list(Places.of(squares().iloc[::-1]).index) == ["a", "b", "c"]


def test_the_frame_that_was_given_is_left_as_it_was() -> None:
    frame = squares()
    before = frame.copy()
    Places.of(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.to_crs(4326), "in degrees"),
        (lambda f: f.to_crs(2276), "distances need metres"),
        (lambda f: f.set_crs(None, allow_override=True), "no CRS is stated"),
        (lambda f: f.set_axis(["a", "a", "b"]), "1 ids stand more than once: a"),
        (lambda f: f.iloc[:0], "holds no place at all"),
        (lambda f: f.set_geometry([None, *f.geometry[1:]]), "no shape for a"),
        (lambda f: f.assign(households=[1, -1, 2]), "households is missing, negative or no number for b"),
        (lambda f: f.assign(households=[1, 2, "many"]), "no number for c"),
    ],
)
def test_a_bad_file_is_told_what_is_wrong(change: object, says: str) -> None:
    with pytest.raises(DataError, match=says):
        Places.of(change(squares()))  # type: ignore[operator]


def test_a_bow_tie_is_mended_with_its_area_kept() -> None:
    tie = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    places = Places.of(gpd.GeoDataFrame(index=["a"], geometry=[tie], crs="EPSG:27700"))
    assert places.areas["a"] == 50


def test_a_grid_keeps_the_cells_whose_centre_lies_inside() -> None:
    grid = Places.grid(squares(1, side=950).geometry, 100)
    assert len(grid) == 81  # the tenth row and column have their centres on the edge, outside


def test_a_grid_that_keeps_touching_cells_is_larger() -> None:
    assert len(Places.grid(squares(1, side=950).geometry, 100, keep="touch")) == 100


def test_a_grid_may_start_at_multiples_so_that_grids_nest() -> None:
    shifted = squares(1).translate(30, 70)
    assert Places.grid(shifted, 100, origin="multiples").origin == (0.0, 0.0)


def test_a_grid_works_in_any_metric_crs() -> None:
    assert Places.grid(squares(1, crs="EPSG:26971").geometry, 100).crs == "EPSG:26971"


@pytest.mark.parametrize(("cell", "says"), [(0, "above 0 metres"), (5000, "No cell of 5000 m")])
def test_a_grid_that_cannot_be_laid_says_why(cell: float, says: str) -> None:
    with pytest.raises(DesignError, match=says):
        Places.grid(squares(1).geometry, cell)


def test_an_empty_study_area_says_so() -> None:
    empty = gpd.GeoSeries([MultiPolygon()], crs="EPSG:27700")
    with pytest.raises(DesignError, match="study area is empty"):
        Places.grid(empty, 100)


def test_neighbours_by_corner_and_by_edge() -> None:
    grid = Places.grid(squares(1, side=300).geometry, 100)
    middle = grid.index.get_loc("x1y1")
    assert grid.neighbours().sum(axis=1)[middle] == 8
    assert grid.neighbours(touching="edge").sum(axis=1)[middle] == 4


def test_neighbours_of_order_two_leave_out_the_place_itself() -> None:
    reach = Places.of(squares(4)).neighbours(order=2).toarray()
    assert reach[0].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("place", "ring"),
    [("a", "inside"), ("b", "0-250 m"), ("c", "beyond")],
)
def test_rings_round_a_treated_place(place: str, ring: str) -> None:
    """b touches a, so it is in the first ring although its middle is 500 m away."""
    assert Places.of(squares()).rings(around=["a"])[place] == ring


def test_rings_must_rise() -> None:
    with pytest.raises(DesignError, match="must rise"):
        Places.of(squares()).rings([250, 250], around=["a"])


def test_rings_round_a_place_that_is_not_there() -> None:
    with pytest.raises(DataError, match="not in the file: z"):
        Places.of(squares()).rings(around=["z"])


@pytest.mark.parametrize(
    ("x", "y", "place"), [(1, 1, "a"), (1500, 10, "b"), (1000, 500, "a"), (-1, 0, None), (2999, 999, "c")]
)
def test_a_point_is_located_in_its_area(x: float, y: float, place: str | None) -> None:
    """A point on a shared edge goes to the first id."""
    found = Places.of(squares()).locate(gpd.GeoSeries([Point(x, y)], crs="EPSG:27700"))[0]
    assert (None if pd.isna(found) else found) == place


def test_a_cell_owns_its_lower_left_edges() -> None:
    grid = Places.grid(squares(1, side=200).geometry, 100)
    points = gpd.GeoSeries([Point(100, 100), Point(0, 0), Point(200, 100)], crs="EPSG:27700")
    assert grid.locate(points).fillna("").tolist() == ["x1y1", "x0y0", ""]


def test_points_in_degrees_are_moved_to_the_places_crs() -> None:
    degrees = gpd.GeoSeries([Point(500, 500)], crs="EPSG:27700").to_crs(4326)
    assert Places.of(squares()).locate(degrees)[0] == "a"


def test_missing_points_lie_nowhere() -> None:
    points = gpd.GeoSeries([None, Point(10, 10)], crs="EPSG:27700")
    assert Places.of(squares()).locate(points).isna().tolist() == [True, False]


def test_points_without_a_crs_are_refused() -> None:
    with pytest.raises(DataError, match="no CRS"):
        Places.of(squares()).locate(gpd.GeoSeries([Point(0, 0)]))


def test_grid_and_areas_agree_about_every_cell_centre() -> None:
    grid = Places.grid(squares(1).geometry, 100)
    as_areas = Places.of(grid.frame)
    centres = gpd.GeoSeries(grid.points.to_numpy(), crs="EPSG:27700")
    assert (grid.locate(centres) == as_areas.locate(centres)).all()


def test_places_come_back_from_a_file_as_they_were(tmp_path: Path) -> None:
    grid = Places.grid(squares(1).geometry, 100)
    grid.write(tmp_path / "cells.parquet")
    back = Places.load(tmp_path / "cells.parquet")
    assert (back.kind, back.cell, back.origin) == ("cell", 100.0, (0.0, 0.0))
    np.testing.assert_array_equal(back.areas, grid.areas)
