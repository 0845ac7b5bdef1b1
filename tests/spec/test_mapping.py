"""What `peelian read map` proposes: from headers, from values, from the place; and what it asks."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError
from peelian.read.mapping import Proposal, completed, propose
from peelian.read.profiles import profile, shipped
from peelian.read.sources import IncidentSource
from peelian.read.table import table


def proposed(folder: Path, text: str, name: str = "burglary.csv", **options: object) -> Proposal:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return propose(path, **options)  # type: ignore[arg-type]


def rows(header: str, *lines: str) -> str:
    return "\n".join([header, *lines]) + "\n"


# -------------------------------------------------------------------- fields
def test_the_window_is_told_from_the_mid_point(tmp_path: Path) -> None:
    text = rows(
        "ref,date_single,date_start,date_end,recorded",
        "1,2016-05-07 12:00,2016-05-07 10:00,2016-05-07 14:00,2016-05-08",
        "2,2016-05-08 12:00,2016-05-08 10:00,,2016-05-09",
    )
    found = proposed(tmp_path, text)
    assert found.mapping == {"start": "date_start", "end": "date_end", "recorded": "recorded", "id": "ref"}
    assert "50.0 % have no end" in found.notes[0]


def test_a_kind_of_location_is_no_crime_type(tmp_path: Path) -> None:
    text = rows("date,location_type", "2016-05-07,street", "2016-05-08,street", "2016-05-09,house")
    found = proposed(tmp_path, text)
    assert "type" not in found.mapping
    assert dict(found.settings)["type"] == "Burglary"
    assert found.questions[-1].startswith(
        "No column holds the crime type; the file's name suggests 'Burglary'"
    )


def test_area_codes_are_known_by_their_values(tmp_path: Path) -> None:
    text = rows("date,offence,where", *["2016-05-07,Theft,E01000001"] * 3, "2016-05-07,Fraud,E01000002")
    assert proposed(tmp_path, text).mapping["place"] == "where"


def test_a_date_and_its_time_are_joined(tmp_path: Path) -> None:
    text = rows("Date From,Time From,Offence", *["13/05/2016,18:30,Theft"] * 2)
    assert proposed(tmp_path, text).mapping["start"] == "{Date From} {Time From}"


def test_five_columns_are_one_date(tmp_path: Path) -> None:
    text = rows("type,year,month,day,hour,minute", *["Theft,2020,1,5,8,3"] * 3, "Fraud,2020,1,6,8,3")
    found = proposed(tmp_path, text)
    assert found.mapping == {"start": "{year}-{month}-{day} {hour}:{minute}", "type": "type"}


@pytest.mark.parametrize(
    ("when", "settings", "asks"),
    [
        ("25/12/2016", {"dates": "dmy"}, ""),
        ("12/25/2016", {"dates": "mdy"}, ""),
        ("2016-12-25", {}, ""),
        ("03/04/2016", {}, '03/04/2016 could be either way round: add dates = "dmy" (British)'),
        ("2016-12-25T10:00:00Z", {}, "100 % of the times in 'date' carry a zone mark"),
    ],
)
def test_the_order_of_a_date_is_told_or_asked(
    tmp_path: Path, when: str, settings: dict[str, str], asks: str
) -> None:
    found = proposed(tmp_path, rows("date,offence", *[f"{when},Theft"] * 3))
    assert dict(found.settings) == settings
    assert any(text.startswith(asks) for text in (*found.questions, "" if not asks else "-"))


def test_rows_without_a_date_take_the_year_of_the_name_as_a_question(tmp_path: Path) -> None:
    found = proposed(tmp_path, rows("lon,lat", *["-87.7,41.9"] * 3), "burglaries_2017.csv")
    assert dict(found.settings)["period"] == "2017"
    assert "The file's name says 2017: is that when they happened?" in found.questions[0]


# -------------------------------------------------------------------- coordinates
def test_exchanged_coordinates_are_turned_and_named(tmp_path: Path) -> None:
    text = rows("date,offence,lon,lat", *[f"2016-05-07,Theft,51.{k}1,-0.{k}1" for k in range(3, 8)])
    found = proposed(tmp_path, text)
    assert (found.mapping["longitude"], found.mapping["latitude"]) == ("lat", "lon")
    assert found.notes == ("'lon' holds latitudes and 'lat' longitudes: they are exchanged, and so read.",)


def test_easting_and_northing_in_britain_are_the_national_grid(tmp_path: Path) -> None:
    text = rows("date,offence,Easting,Northing", *[f"2016-05-07,Theft,53{k}000,180{k}00" for k in range(5)])
    found = proposed(tmp_path, text)
    assert dict(found.settings) == {"crs": 27700}
    assert "does not declare their system" in found.notes[0]


X_AND_Y = rows("date,offence,x,y", *[f"2016-05-07,Theft,4903{k}0.3,545860{k}.9" for k in range(5)])


def test_a_system_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    found = proposed(tmp_path, X_AND_Y)
    assert "crs" not in dict(found.settings)
    assert found.questions == (
        "Name the system with crs, or name a spatial file of the place with --near: it is then worked out.",
    )


@pytest.mark.parametrize("beside", [True, False])
def test_a_spatial_file_of_the_place_names_the_system(tmp_path: Path, beside: bool) -> None:
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    shapes = (tmp_path if beside else elsewhere) / "city.geojson"
    gpd.GeoDataFrame(geometry=[box(-123.23, 49.19, -123.02, 49.3)], crs=4326).to_file(shapes)
    found = proposed(tmp_path, X_AND_Y, **({} if beside else {"near": shapes}))
    assert dict(found.settings)["crs"] == "EPSG:26910"
    assert "EPSG:32610" in found.notes[0]  # the two cannot be told apart


# -------------------------------------------------------------------- other forms
def test_counts_by_area_and_day_are_no_incidents(tmp_path: Path) -> None:
    lines = [f"2021-01-{d:02},{area},{d}" for d in range(1, 9) for area in "AB"]
    found = proposed(tmp_path, rows("date,area,count", *lines))
    assert found.form == "counts"
    assert found.notes[0].startswith("Counts by area and day, not incidents: each of 2 values of 'area'")


def test_a_column_a_month_is_no_incidents(tmp_path: Path) -> None:
    found = proposed(tmp_path, rows("MajorText,BoroughName,201004,201005,201006", "A,B,1,2,3"))
    assert (found.form, found.notes[0][:41]) == ("counts", "Counts by area and month, not incidents: ")


def test_an_unchanged_police_uk_file_needs_no_mapping(tmp_path: Path) -> None:
    found = proposed(tmp_path, rows("Crime ID,Month,LSOA code,Crime type", "a,2016-05,E01000001,Burglary"))
    assert found.form == "police_uk"
    with pytest.raises(
        DataError, match=r'needs no mapping\. An unchanged file of data.police.uk: reader = "police_uk"'
    ):
        found.toml()


def test_a_file_without_a_header_is_seen_and_loses_no_row(tmp_path: Path) -> None:
    lines = [f"2016-01-0{k} 00:1{k},THEFT,41.9{k},-87.6{k}" for k in range(1, 8)]
    path = tmp_path / "crimes.csv"
    path.write_text("\n".join(lines), "utf-8")
    found = propose(path)
    assert found.mapping == {
        "start": "column 1", "type": "column 2", "longitude": "column 4", "latitude": "column 3",
    }  # fmt: skip
    names = tuple(dict(found.settings)["columns"])
    assert len(table(path, found.mapping, to=26971, columns=names)) == 7


def test_addresses_are_shown_nowhere(tmp_path: Path) -> None:
    lines = [f"2016-05-07,Theft,{k} Privet Drive" for k in range(9)]
    found = proposed(tmp_path, rows("date,offence,address", *lines))
    assert found.mapping["address"] == "address"
    assert "Privet" not in str(found.as_json()) + found.toml()


def test_an_empty_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no row"):
        proposed(tmp_path, "date,offence\n")


# -------------------------------------------------------------------- profiles
def test_a_saved_profile_reads_the_file_it_was_made_from(tmp_path: Path) -> None:
    found = proposed(tmp_path, rows("Committed From,HO Class", *["25/12/2016 10:00,Theft"] * 2))
    (tmp_path / "ours.toml").write_text(found.toml(), "utf-8")
    source = completed(IncidentSource(file="burglary.csv", reader="table", profile="ours.toml"), tmp_path)
    assert (source.mapping, source.dates) == ({"start": "Committed From", "type": "HO Class"}, "dmy")


def test_what_stands_beside_a_profile_wins(tmp_path: Path) -> None:
    proposed(tmp_path, rows("Occurrence Number,Committed From,When", "1,2016-05-07,2016-05-08"))
    source = IncidentSource(
        file="burglary.csv", reader="table", profile="niche", mapping={"start": "When"}, type="Theft"
    )
    found = completed(source, tmp_path)
    assert (found.mapping, found.type) == ({"start": "When", "id": "Occurrence Number"}, "Theft")


def test_headers_of_a_known_system_are_recognised(tmp_path: Path) -> None:
    header = (
        "CMPLNT_NUM,CMPLNT_FR_DT,CMPLNT_FR_TM,CMPLNT_TO_DT,CMPLNT_TO_TM,RPT_DT,OFNS_DESC,Latitude,Longitude"
    )
    lines = ["1,05/07/2016,18:30:00,05/08/2016,08:00:00,05/08/2016,ROBBERY,40.7,-73.9"] * 3
    found = proposed(tmp_path, rows(header, *lines))
    assert found.profile == "new-york"
    read = table(tmp_path / "burglary.csv", found.mapping, dates="mdy", to=32618)
    assert read.frame[["start", "end"]].iloc[0].astype("str").tolist() == [
        "2016-05-07 18:30:00", "2016-05-08 08:00:00",
    ]  # fmt: skip


@pytest.mark.parametrize("one", shipped(), ids=lambda one: one.name)
def test_a_shipped_profile_is_known_by_its_own_headers(one: object) -> None:
    header = [*one.needs, *(choices[0] for choices in one.mapping.values())]  # type: ignore[attr-defined]
    assert one.fits(header)  # type: ignore[attr-defined]
    assert one.about  # type: ignore[attr-defined]


def test_an_unknown_profile_names_the_shipped(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such profile. Shipped are chicago, .*Did you mean 'niche'"):
        profile("nice", tmp_path)


def test_a_profile_with_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('date = "dmy"\n', "utf-8")
    with pytest.raises(DataError, match=r"no key 'date'\. Did you mean 'dates'"):
        profile("a.toml", tmp_path)


def test_a_profile_that_fits_nothing_says_so(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match="has none of the columns of the profile 'niche'; it has a"):
        completed(IncidentSource(file="a.csv", reader="table", profile="niche"), tmp_path)
