"""Files of areas in every dress: TopoJSON, files with several layers, axes the wrong way round."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import Point, box

from peelian.errors import DataError
from peelian.read.areas import areas

# two squares of 0.01 degrees side by side near Hounslow, sharing the arc between them
TOPOLOGY = {
    "type": "Topology",
    "objects": {
        "areas": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "properties": {"code": "a", "homes": 5}, "arcs": [[0, 1]]},
                {"type": "Polygon", "properties": {"code": "b", "homes": 6}, "arcs": [[2, -1]]},
            ],
        }
    },
    "arcs": [[[1, 0], [0, 1]], [[1, 1], [-1, 0], [0, -1], [1, 0]], [[1, 0], [1, 0], [0, 1], [-1, 0]]],
    "transform": {"scale": [0.01, 0.01], "translate": [-0.36, 51.47]},
}


@pytest.mark.parametrize("ending", ["topojson", "json"])
def test_topojson_is_read_and_moved_to_metres(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"areas.{ending}"
    path.write_text(json.dumps(TOPOLOGY))
    places = areas(path, id="code", households="homes", crs=27700)
    assert places.households.to_dict() == {"a": 5, "b": 6}  # type: ignore[union-attr]
    assert places.areas["a"] == pytest.approx(694 * 1112, rel=0.01)  # metres a hundredth of a degree spans


def test_topojson_without_a_system_asked_for_is_told_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "areas.topojson").write_text(json.dumps(TOPOLOGY))
    with pytest.raises(DataError, match=r"set crs = 27700"):
        areas(tmp_path / "areas.topojson", id="code")


@pytest.mark.parametrize("driver", ["ESRI Shapefile", "FlatGeobuf", "GPKG", "MapInfo File"])
def test_other_formats_of_gdal_are_read(tmp_path: Path, driver: str) -> None:
    ending = {
        "ESRI Shapefile": "shp",
        "FlatGeobuf": "fgb",
        "GPKG": "gpkg",
        "GML": "gml",
        "MapInfo File": "tab",
    }
    path = tmp_path / f"areas.{ending[driver]}"
    shape = box(513_000, 175_000, 514_000, 176_000)
    gpd.GeoDataFrame({"code": ["a"]}, geometry=[shape], crs=27700).to_file(path, driver=driver)
    assert areas(path, id="code", crs=27700).areas["a"] == pytest.approx(1e6, rel=1e-6)


def test_a_file_with_several_layers_asks_which(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": ["a"]}, geometry=[box(513e3, 175e3, 514e3, 176e3)], crs=27700)
    for layer in ("lsoa", "ward"):
        frame.to_file(tmp_path / "both.gpkg", layer=layer)
    with pytest.raises(DataError, match=r'has 2 layers, lsoa, ward. Choose one: layer = "lsoa"'):
        areas(tmp_path / "both.gpkg", id="code")
    assert list(areas(tmp_path / "both.gpkg", id="code", layer="ward").index) == ["a"]


def test_exchanged_axes_are_found_out(tmp_path: Path) -> None:
    shape = Point(51.47, -0.36).buffer(0.01)
    gpd.GeoDataFrame({"code": ["a"]}, geometry=[shape], crs=4326).to_file(tmp_path / "wrong.geojson")
    with pytest.raises(DataError, match=r"longitude and latitude look exchanged"):
        areas(tmp_path / "wrong.geojson", id="code", crs=27700)
