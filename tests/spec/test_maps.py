"""Maps: classes in words, and GeoPackages that QGIS opens styled."""

from __future__ import annotations

import contextlib
import sqlite3
import xml.etree.ElementTree as ET
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, Point, box

from peelian import geopackage, maps
from peelian.places import Places

AREAS = gpd.GeoDataFrame(
    {
        "risk": [1.0, 2.0, 30.0, None],
        "arm": ["treated", "control", "control", "treated"],
        "in": [True, False, False, True],
    },
    index=pd.Index(list("abcd"), name="place"),
    geometry=[box(i, 0, i + 1, 1) for i in range(4)],
    crs="EPSG:27700",
)


def test_the_legend_names_the_classes_and_what_is_not_known() -> None:
    spec = maps.areas_map(AREAS, "risk", legend="risk", breaks=[5])
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["1 to 5", "5 to 30", "not known"]


def test_every_area_is_in_the_class_of_its_value() -> None:
    spec = maps.areas_map(AREAS, "risk", legend="risk", breaks=[5])
    classes = [feature["properties"]["class"] for feature in spec["data"]["values"]]
    assert classes == ["1 to 5", "1 to 5", "5 to 30", "not known"]


def test_treated_areas_get_a_thick_border() -> None:
    spec = maps.areas_map(AREAS, "risk", legend="risk", outline="in")
    assert [f["properties"]["thick"] for f in spec["data"]["values"]] == [True, False, False, True]


def test_categories_keep_the_order_that_was_asked_for() -> None:
    spec = maps.areas_map(AREAS, "arm", legend="arm", kind="categories", order=["treated", "control"])
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["treated", "control"]


def test_one_value_everywhere_is_one_class() -> None:
    assert maps.limit_names(maps.class_limits(pd.Series([2.0, 2.0]))) == ["2 to 2"]


def test_every_cell_is_drawn_once() -> None:
    grid = Places.grid(gpd.GeoSeries([box(0, 0, 300, 200)], crs="EPSG:27700"), 100)
    spec = maps.cells_map(grid, pd.Series(range(6), grid.index, dtype=float), legend="risk")
    assert len(spec["data"]["values"]) == 6


def layered() -> maps.Layered:
    points = gpd.GeoDataFrame({"n": [1, 2]}, geometry=[Point(0, 0), Point(1, 1)], crs="EPSG:27700")
    return maps.Layered(
        {"areas": AREAS, "points": points},
        {"areas": maps.Style("risk"), "points": maps.Style("n", kind="categories")},
    )


def test_a_geopackage_opens_with_its_layers_and_columns(tmp_path: Path) -> None:
    geopackage.write_geopackage(tmp_path / "x.gpkg", layered())
    back = gpd.read_file(tmp_path / "x.gpkg", layer="areas")
    assert (list(back["place"]), back.crs) == (list("abcd"), "EPSG:27700")


@pytest.mark.parametrize(("layer", "symbols"), [("areas", 4), ("points", 2)])
def test_a_geopackage_carries_a_style_for_each_layer(tmp_path: Path, layer: str, symbols: int) -> None:
    """Four for the areas: three values in quantile classes, and one for what is not known."""
    geopackage.write_geopackage(tmp_path / "x.gpkg", layered())
    with contextlib.closing(sqlite3.connect(tmp_path / "x.gpkg")) as store:
        rows = store.execute(
            "SELECT styleQML, useAsDefault, f_geometry_column FROM layer_styles WHERE f_table_name = ?",
            (layer,),
        ).fetchall()
    assert rows[0][1:] == (1, "geom")
    assert len(ET.fromstring(rows[0][0]).findall(".//symbol")) >= symbols - 1


def test_the_same_layers_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.gpkg", "two.gpkg"):
        geopackage.write_geopackage(tmp_path / name, layered())
    assert (tmp_path / "one.gpkg").read_bytes() == (tmp_path / "two.gpkg").read_bytes()


def test_nothing_is_pale_and_hot_spots_deepen_with_their_strength() -> None:
    frame = AREAS.assign(arm=["none", "hot 90 %", "hot 99 %", "treated"])
    order = ["none", "hot 90 %", "hot 99 %", "treated"]
    scale = maps.areas_map(frame, "arm", legend="class", kind="categories", order=order)["layer"][0][
        "encoding"
    ]["color"]["scale"]
    assert scale["range"] == [
        maps.NAMED["none"],
        maps.NAMED["hot 90 %"],
        maps.NAMED["hot 99 %"],
        maps.CATEGORIES[0],
    ]


def test_small_maps_stand_side_by_side_one_a_period() -> None:
    places = Places.grid(gpd.GeoSeries([box(0, 0, 400, 200)], crs="EPSG:27700"), 100)
    words = pd.DataFrame({"Jan": ["high"] + [None] * 7, "Feb": [None] * 7 + ["low"]}, places.index)
    spec = maps.cells_over_time(places, words, legend="risk", order=["low", "high"])
    assert spec["facet"]["sort"] == ["Jan", "Feb"]
    assert [(row["period"], row["class"]) for row in spec["data"]["values"]] == [
        ("Jan", "high"),
        ("Feb", "low"),
    ]


def test_a_tall_grid_keeps_its_shape_and_streets_are_cut_at_its_edge() -> None:
    places = Places.grid(gpd.GeoSeries([box(0, 0, 400, 2000)], crs="EPSG:27700"), 100)
    streets = gpd.GeoSeries([LineString([(-500, 50), (900, 50)])], crs="EPSG:27700")
    spec = maps.cells_map(places, pd.Series(1.0, places.index), legend="risk", lines=streets)
    across = spec["layer"][0]["encoding"]["x"]["scale"]["domain"][1]
    assert across / spec["width"] == pytest.approx(2000 / spec["height"], rel=0.01)
    assert [row["x"] for row in spec["layer"][-1]["data"]["values"]] == [0, 400]
