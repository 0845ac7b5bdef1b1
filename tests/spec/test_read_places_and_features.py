"""Files of areas and of features: what is read, and what each wrong file is told."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, Point, box

from peelian.errors import DataError, DesignError
from peelian.read.areas import areas, study_area
from peelian.read.features import features


def squares(folder: Path, *, crs: object = 27700, name: str = "areas.gpkg", **columns: object) -> Path:
    step = 1000 if crs in (27700, None) else 0.01
    x0, y0 = (513_000, 175_000) if crs in (27700, None) else (-0.36, 51.47)
    shapes = [box(x0 + k * step, y0, x0 + (k + 1) * step, y0 + step) for k in range(3)]
    held = {"code": ["c", "a", "b"], "homes": [10, 20, 30], "inside": [True, False, True]} | columns
    path = folder / name
    gpd.GeoDataFrame(held, geometry=shapes, crs=crs).to_file(path)
    return path


def test_areas_are_in_order_of_id_with_households_and_every_other_column(tmp_path: Path) -> None:
    places = areas(squares(tmp_path), id="code", households="homes", name="code")
    assert places.households.to_dict() == {"a": 20, "b": 30, "c": 10}  # type: ignore[union-attr]
    assert {"homes", "inside", "name"} <= set(places.frame.columns)


def test_areas_in_degrees_are_refused_and_moved_when_asked(tmp_path: Path) -> None:
    path = squares(tmp_path, crs=4326)
    with pytest.raises(DataError, match=r"in degrees.*27700"):
        areas(path, id="code")
    assert areas(path, id="code", crs=27700).frame.geometry.area["a"] > 1e5


def test_degrees_under_a_metric_label_are_found_out(tmp_path: Path) -> None:
    path = squares(tmp_path, crs=4326)
    frame = gpd.read_file(path).set_crs(27700, allow_override=True)
    frame.to_file(tmp_path / "wrong.gpkg")
    with pytest.raises(DataError, match=r"are degrees. Save the file with its true CRS"):
        areas(tmp_path / "wrong.gpkg", id="code")


def test_numbers_as_ids_have_no_decimal_point(tmp_path: Path) -> None:
    assert list(areas(squares(tmp_path, code=[3.0, 1.0, 2.0]), id="code").index) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"id": "cod"}, "no column 'cod'; it has code, homes, inside. Did you mean 'code'"),
        ({"id": "code", "households": "households"}, "no column 'households'; it has code, homes, inside"),
        ({"id": "code", "where": "in_borough"}, "no column 'in_borough'"),
        ({"id": "code", "where": "code"}, "'code' holds a, b, c; expected true and false"),
        ({"id": "code", "crs": "metres"}, "is no coordinate reference system. Write an EPSG number"),
        ({"id": "code", "layer": "wards"}, "no layer 'wards'; it has areas"),
        ({"id": "twice"}, "no column 'twice'"),
    ],
)
def test_a_wrong_key_says_what_there_is(tmp_path: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        areas(squares(tmp_path), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"code": ["a", "a", "b"]}, "1 ids stand more than once: a"),
        ({"code": ["a", None, "b"]}, "1 places have no id"),
        ({"code": ["a", " ", "b"]}, "1 places have no id"),
        ({"homes": [1, -2, 3]}, "households is missing, negative or no number for a"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, columns: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        areas(squares(tmp_path, **columns), id="code", households="homes")


def test_points_are_no_areas(tmp_path: Path) -> None:
    gpd.GeoDataFrame({"code": ["a"]}, geometry=[Point(1000, 2000)], crs=27700).to_file(tmp_path / "p.gpkg")
    with pytest.raises(DataError, match=r"1 places are no polygons but Point"):
        areas(tmp_path / "p.gpkg", id="code")


def test_a_file_that_is_absent_or_no_spatial_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such file"):
        areas(tmp_path / "absent.gpkg", id="code")
    (tmp_path / "text.gpkg").write_text("no shapes here")
    with pytest.raises(DataError, match=r"is no kind of spatial file that is read here"):
        areas(tmp_path / "text.gpkg", id="code")
    (tmp_path / "table.csv").write_text("code,homes\na,1\n")
    with pytest.raises(DataError, match=r"is no kind of spatial file that is read here"):
        areas(tmp_path / "table.csv", id="code")


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": pd.Series([], dtype=str)}, geometry=[], crs=27700)
    frame.to_file(tmp_path / "none.gpkg", geometry_type="Polygon")
    with pytest.raises(DataError, match=r"holds no place at all"):
        areas(tmp_path / "none.gpkg", id="code")


def test_the_study_area_is_where_the_column_is_true(tmp_path: Path) -> None:
    places = areas(squares(tmp_path), id="code")
    assert study_area(places, "inside") == ["b", "c"]
    assert study_area(places) == ["a", "b", "c"]


def test_words_and_numbers_say_true_and_false_too(tmp_path: Path) -> None:
    assert study_area(areas(squares(tmp_path, inside=["Yes", "no", None]), id="code"), "inside") == ["c"]
    assert study_area(
        areas(squares(tmp_path, inside=[0.0, 1.0, 0.0], name="n.gpkg"), id="code"), "inside"
    ) == ["a"]


def test_an_empty_study_area_is_a_design_error(tmp_path: Path) -> None:
    places = areas(squares(tmp_path, inside=[False] * 3), id="code")
    with pytest.raises(DesignError, match=r"study area is empty: inside is false for all 3 places"):
        study_area(places, "inside")


# -------------------------------------------------------------------- features
POIS = """kind,lon,lat,units,licence
pub,-0.36,51.47,2,OGL
pub,-0.361,51.47,,OGL
school,-0.362,51.47,1,CC
,-0.36,51.47,1,OGL
pub,51.47,-0.36,1,OGL
pub,,,1,OGL
pub,-0.36,51.47
"""


def pois(folder: Path, text: str = POIS) -> Path:
    path = folder / "pois.csv"
    path.write_text(text)
    return path


def test_each_category_is_a_layer_and_each_other_row_has_its_reason(tmp_path: Path) -> None:
    layers, rejected = features(pois(tmp_path), category="kind", licence="licence", date="2016")
    assert {name: len(layer) for name, layer in layers.items()} == {"pub": 2, "school": 1}
    assert (layers["pub"].licence, layers["pub"].date) == ("OGL", "2016")
    assert rejected[["row", "reason"]].values.tolist() == [
        [4, "no category"],
        [5, "longitude and latitude look exchanged"],
        [6, "no coordinates"],
        [7, "3 fields where the header has 5"],
    ]


def test_features_plus_rejected_are_the_rows_of_the_file(tmp_path: Path) -> None:
    layers, rejected = features(pois(tmp_path), category="kind", categories=["pub"])
    assert sum(map(len, layers.values())) + len(rejected) == 7
    assert "category school was not asked for" in set(rejected["reason"])


def test_small_categories_are_left_out_with_the_reason(tmp_path: Path) -> None:
    layers, rejected = features(pois(tmp_path), category="kind", minimum=2)
    assert layers.names == ["pub"]
    assert "category school has fewer than 2 features" in set(rejected["reason"])


def test_weights_kinds_and_names_by_category(tmp_path: Path) -> None:
    about = {"pub": {"sign": "either", "name": "pubs"}}
    layers, _ = features(pois(tmp_path), category="kind", weight="units", about=about, prefix="my ")
    assert layers.names == ["my pubs", "my school"]
    assert layers["my pubs"].features["weight"].tolist() == [2.0, 1.0]
    assert (layers["my pubs"].sign, layers["my school"].sign) == ("either", "aggravating")


def test_easting_and_northing_come_before_degrees(tmp_path: Path) -> None:
    path = pois(tmp_path, "kind,lon,lat,Easting,Northing\npub,0,0,513990,175750\n")
    layers, _ = features(path, category="kind")
    assert layers["pub"].features.geometry[0] == Point(513990, 175750)


def test_lines_of_a_spatial_file_are_a_layer(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"kind": ["rail", None]}, geometry=[LineString([(0, 1), (5, 5)]), Point(1, 1)], crs=27700
    )
    frame.to_file(tmp_path / "lines.geojson")
    layers, rejected = features(tmp_path / "lines.geojson", category="kind")
    assert layers["rail"].features.geometry.length[0] == pytest.approx(41**0.5, rel=0.01)
    assert rejected["reason"].tolist() == ["no category"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (POIS, {"category": "category"}, "no column 'category'; it has kind"),
        (
            POIS,
            {"category": "kind", "categories": ["bank"]},
            "no feature is of category bank; there are pub, school",
        ),
        (POIS, {"category": "kind", "sign": "bad"}, "sign of every category is 'bad'; expected aggravating"),
        (POIS, {"category": "kind", "about": {"pub": {"colour": "red"}}}, "about pub says colour"),
        (POIS, {"category": "kind", "longitude": "lon"}, "only one of two coordinates"),
        ("kind,where\npub,here\n", {"category": "kind"}, "no columns easting and northing, nor longitude"),
        ("", {"category": "kind"}, "it is empty"),
    ],
)
def test_a_wrong_layer_says_what_to_write(
    tmp_path: Path, text: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        features(pois(tmp_path, text), **options)  # type: ignore[arg-type]
