"""Tables of crime in every kind of file: workbooks, Parquet, spatial files; dates and coordinates as found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from shapely import Point

from peelian.errors import DataError
from peelian.incidents import Incidents
from peelian.read.dates import dates
from peelian.read.table import table

WHEN = {"start": "when"}


def read(path: Path, mapping: Mapping[str, str], **options: object) -> Incidents:
    return table(path, mapping, **({"type": "Burglary"} | options))  # type: ignore[arg-type]


def written(folder: Path, text: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def first(incidents: Incidents, column: str = "start") -> str:
    return str(incidents.frame[column].iloc[0])


# -------------------------------------------------------------------- dates
@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("25/12/16 18:30", "2016-12-25 18:30:00"),
        ("25-Dec-2016 18:30", "2016-12-25 18:30:00"),
        ("5 September 2016", "2016-09-05 00:00:00"),
        ("05-Sep-98", "1998-09-05 00:00:00"),
        ("2016-12-25 1830", "2016-12-25 18:30:00"),
    ],
)
def test_dates_as_record_systems_write_them(text: str, instant: str) -> None:
    assert str(dates(pd.Series([text])).instant[0]) == instant


def test_a_number_is_a_date_only_where_spreadsheets_are_said_to_write_them() -> None:
    text = pd.Series(["42500", "42500.75"])
    assert dates(text).instant.isna().all()
    assert dates(text, order="excel").instant.astype("str").tolist() == [
        "2016-05-10 00:00:00",
        "2016-05-10 18:00:00",
    ]


def test_dates_as_numbers_and_as_text_stand_in_one_column() -> None:
    found = dates(pd.Series(["42500", "25/12/2016", "2016-12-26"]), order="excel")
    assert found.instant.dt.date.astype("str").tolist() == ["2016-05-10", "2016-12-25", "2016-12-26"]


def test_a_time_zone_moves_marked_times_and_leaves_the_others() -> None:
    text = pd.Series(["2016-07-01T23:30:00Z", "2016-07-01 23:30", "2016-01-01T12:00:00+02:00"])
    found = dates(text, timezone="Europe/London").instant.astype("str").tolist()
    assert found == ["2016-07-02 00:30:00", "2016-07-01 23:30:00", "2016-01-01 10:00:00"]


def test_a_time_zone_that_is_none_is_named() -> None:
    with pytest.raises(DataError, match=r"'London' is no time zone. Write one such as Europe/London"):
        dates(pd.Series(["2016-07-01T23:30:00Z"]), timezone="London")


# -------------------------------------------------------------------- columns
def test_a_date_and_a_time_in_two_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "day,time\n2016-05-07 00:00:00,18:30\n2016-05-08 00:00:00,\n")
    found = read(path, {"start": "{day} {time}"})
    assert found.frame["start"].astype("str").tolist() == ["2016-05-07 18:30:00", "2016-05-08 00:00:00"]


def test_a_date_in_five_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "y,m,d,h,n\n2020,1,5,8,3\n")
    assert first(read(path, {"start": "{y}-{m}-{d} {h}:{n}"})) == "2020-01-05 08:03:00"


def test_a_column_in_braces_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "day,time\n2016-05-07,18:30\n")
    with pytest.raises(DataError, match=r"has no column 'tme'.*Did you mean 'time'"):
        read(path, {"start": "{day} {tme}"})


def test_rows_without_a_date_take_the_period_that_is_stated(tmp_path: Path) -> None:
    found = read(
        written(tmp_path, "lon,lat\n-0.1,51.5\n"), {"longitude": "lon", "latitude": "lat"}, period="2017"
    )
    assert (first(found), first(found, "end"), found.precision) == (
        "2017-01-01 00:00:00",
        "2018-01-01 00:00:00",
        "month",
    )


def test_a_recorded_month_counts_as_known_when_it_is_over(tmp_path: Path) -> None:
    path = written(tmp_path, "when,coded\n2016-05-07 10:00,2016-05\n")
    assert first(read(path, {**WHEN, "recorded": "coded"}), "recorded") == "2016-06-01 00:00:00"


# -------------------------------------------------------------------- coordinates
@pytest.mark.parametrize(
    ("text", "crs"),
    [('"530123,5";"180456,5"', 27700), ('"530,123.5";"180,456.5"', 27700), ("530123.5;180456.5", 27700)],
)
def test_decimal_commas_and_commas_between_thousands(tmp_path: Path, text: str, crs: int) -> None:
    path = written(tmp_path, f"when;x;y\n2016-05-07;{text}\n")
    point = read(path, {**WHEN, "easting": "x", "northing": "y"}, crs=crs).frame.geometry.iloc[0]
    assert (point.x, point.y) == (530123.5, 180456.5)


def test_exchanged_longitude_and_latitude_are_named_and_kept(tmp_path: Path) -> None:
    path = written(tmp_path, "when,lon,lat\n2016-05-07,51.5,-0.1\n")
    found = read(path, {**WHEN, "longitude": "lon", "latitude": "lat"})
    assert found.frame["fault"].tolist() == ["longitude and latitude look exchanged"]


def test_an_area_code_is_enough(tmp_path: Path) -> None:
    found = read(written(tmp_path, "when,lsoa\n2016-05-07,E01000001\n"), {**WHEN, "place": "lsoa"})
    assert (found.frame["place"].tolist(), found.located.sum()) == (["E01000001"], 0)


# -------------------------------------------------------------------- kinds of file
FRAME = pd.DataFrame({"when": ["2016-05-07", None], "n": [1, 2]})


def test_a_workbook_holds_dates_as_cells_numbers_and_text(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="python-calamine, which reads workbooks, is not installed")
    path = tmp_path / "a.xlsx"
    frame = pd.DataFrame({"when": ["42500", "2016-05-11", ""], "ref": [1, 2, 3]})
    pyogrio.write_dataframe(frame, path, driver="XLSX")
    found = read(path, {**WHEN, "id": "ref"})
    assert found.frame["start"].dt.date.astype("str").tolist() == ["2016-05-10", "2016-05-11"]
    assert found.rejected[["row", "reason"]].values.tolist() == [[3, "no start"]]


def test_a_sheet_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="python-calamine, which reads workbooks, is not installed")
    pyogrio.write_dataframe(FRAME, tmp_path / "a.xlsx", driver="XLSX", layer="Crimes")
    with pytest.raises(DataError, match=r"has no sheet 'crime'; it has 'Crimes'"):
        read(tmp_path / "a.xlsx", WHEN, sheet="crime")


def test_a_parquet_file_loses_no_row(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet", WHEN)
    assert (len(found), found.rejected["text"].tolist()) == (1, [",2"])


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson"])
def test_points_of_a_spatial_file_need_no_mapping(tmp_path: Path, name: str) -> None:
    shapes = gpd.GeoSeries([Point(530_000, 180_000), None], crs=27700).to_crs(4326)
    gpd.GeoDataFrame(FRAME.fillna("2016-05-08"), geometry=shapes).to_file(tmp_path / name)
    found = read(tmp_path / name, WHEN)
    assert (len(found), int(found.located.sum())) == (2, 1)
    assert found.frame.geometry.iloc[0].distance(Point(530_000, 180_000)) < 1


def test_areas_are_no_incidents(tmp_path: Path) -> None:
    shapes = gpd.GeoSeries([Point(530_000, 180_000).buffer(10)], crs=27700)
    gpd.GeoDataFrame(FRAME[:1], geometry=shapes).to_file(tmp_path / "a.gpkg")
    with pytest.raises(DataError, match=r"holds Polygon, not points, so they are no incidents"):
        read(tmp_path / "a.gpkg", WHEN)


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet", "a.gpkg", "a.geojson"])
def test_a_broken_file_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 no table")
    with pytest.raises(DataError, match=name):
        read(tmp_path / name, WHEN)


def test_an_id_of_0_is_none(tmp_path: Path) -> None:
    found = read(written(tmp_path, "when,ref\n2016-05-07,0\n2016-05-08,0\n"), {**WHEN, "id": "ref"})
    assert (int(found.frame["id"].notna().sum()), int(found.frame["repeated"].sum())) == (0, 0)
