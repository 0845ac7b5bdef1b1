"""Dated CSV files with a column mapping: windows, dates that are never guessed, coordinates, reasons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from peelian.errors import DataError
from peelian.incidents import Incidents
from peelian.read.dates import dates
from peelian.read.table import table

WHEN = {"start": "from"}


def read(folder: Path, text: str, mapping: Mapping[str, str], **options: object) -> Incidents:
    path = folder / "extract.csv"
    path.write_text(text, encoding="utf-8")
    return table(path, mapping, **({"type": "Burglary"} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "instant", "step"),
    [
        ("2016-05", "2016-05-01 00:00", 0),
        ("2016-05-07", "2016-05-07 00:00", 1),
        ("2016/05/07", "2016-05-07 00:00", 1),
        ("2016-05-07 18:30", "2016-05-07 18:30", 2),
        ("2016-05-07T18:30:15.250Z", "2016-05-07 18:30:15", 2),
        ("2016-05-07T18:30:00+01:00", "2016-05-07 18:30", 2),
        ("25/12/2016", "2016-12-25 00:00", 1),
        ("25.12.2016 06:05", "2016-12-25 06:05", 2),
        ("12/25/2016 06:05 PM", "2016-12-25 18:05", 2),
        ("12/25/2016 12:05:00 am", "2016-12-25 00:05", 2),
    ],
)
def test_a_date_is_read_to_the_step_it_was_written_to(text: str, instant: str, step: int) -> None:
    found = dates(pd.Series([text]))
    assert (found.instant[0], found.step[0]) == (pd.Timestamp(instant), step)


@pytest.mark.parametrize(
    "text", ["2016-02-30", "2016-13-01", "31/04/2016", "2016-05-07 25:00", "0816-05-07", "Tuesday", "42500"]
)
def test_an_impossible_date_is_none(text: str) -> None:
    assert dates(pd.Series([text]), order="dmy").instant.isna().all()


def test_a_date_that_could_be_either_way_round_is_asked_about() -> None:
    with pytest.raises(DataError, match=r'03/04/2016 could be either way round.*dates = "dmy"'):
        dates(pd.Series(["03/04/2016", "05/06/2016"]))


def test_dates_written_both_ways_are_asked_about() -> None:
    with pytest.raises(DataError, match=r"1 values are day first and 1 month first"):
        dates(pd.Series(["25/12/2016", "12/25/2016"]))


def test_the_stated_order_decides() -> None:
    text = pd.Series(["03/04/2016"])
    assert [dates(text, order=order).instant[0].month for order in ("dmy", "mdy")] == [4, 3]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end", "window", "precision"),
    [
        ("2016-05", "", ("2016-05-01 00:00", "2016-06-01 00:00"), "month"),
        ("2016-05-07", "", ("2016-05-07 00:00", "2016-05-08 00:00"), "day"),
        ("2016-05-07 18:30", "", ("2016-05-07 18:30", "2016-05-07 18:31"), "minute"),
        ("2016-05-07 18:30", "2016-05-08 07:00", ("2016-05-07 18:30", "2016-05-08 07:00"), "minute"),
        ("2016-05-07 18:30", "2016-05-07 18:30", ("2016-05-07 18:30", "2016-05-07 18:31"), "minute"),
        ("2016-05-07", "2016-05-09", ("2016-05-07 00:00", "2016-05-10 00:00"), "day"),
        ("2016-05-07 00:00", "", ("2016-05-07 00:00", "2016-05-08 00:00"), "day"),
    ],
)
def test_the_window_of_an_incident(
    tmp_path: Path, start: str, end: str, window: tuple[str, str], precision: str
) -> None:
    found = read(tmp_path, f"from,to\n{start},{end}\n", WHEN | {"end": "to"})
    first = found.frame.iloc[0]
    assert (first["start"], first["end"]) == tuple(map(pd.Timestamp, window))
    assert found.precision == precision


def test_a_stated_precision_coarsens_the_windows(tmp_path: Path) -> None:
    found = read(tmp_path, "from\n2016-05-07 18:30\n", WHEN, precision="month")
    assert (str(found.frame["end"][0]), found.precision) == ("2016-06-01 00:00:00", "month")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",2016-05-09,Burglary", "no start"),
        ("soon,2016-05-09,Burglary", "start is no date"),
        ("2016-05-07,later,Burglary", "end is no date"),
        ("2016-05-07,2016-05-06,Burglary", "ends before it starts"),
        ("2016-05-07,2016-05-09,", "no crime type"),
        ("2016-05-07,2016-05-09", "2 fields where the header has 3"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused(tmp_path: Path, line: str, reason: str) -> None:
    mapping = WHEN | {"end": "to", "type": "what"}
    found = read(tmp_path, f"from,to,what\n2016-05-07,2016-05-08,Burglary\n{line}\n", mapping, type=None)
    assert found.rejected[["row", "reason", "text"]].values.tolist() == [[2, reason, line]]
    assert len(found) == 1


def test_text_over_several_lines_is_one_row(tmp_path: Path) -> None:
    text = 'from,note,lsoa\n2016-05-07,"seen at\n\nthe back, left",E01\n2016-05-08,,E02\n'
    found = read(tmp_path, text, WHEN | {"place": "lsoa"})
    assert found.frame["place"].tolist() == ["E01", "E02"]


def test_easting_and_northing_are_british_national_grid_unless_said_otherwise(tmp_path: Path) -> None:
    mapping = WHEN | {"easting": "x", "northing": "y"}
    point = read(tmp_path, "from,x,y\n2016-05-07,513990,175750\n", mapping).frame.geometry[0]
    assert (point.x, point.y) == (513990, 175750)


def test_coordinates_far_from_the_projection_are_a_fault(tmp_path: Path) -> None:
    mapping = WHEN | {"longitude": "x", "latitude": "y"}
    found = read(tmp_path, "from,x,y\n2019-05-17,-99.11,19.40\n2019-05-17,0,0\n", mapping, to=32614)
    assert found.located.tolist() == [True, False]
    assert found.frame["fault"][1] == "coordinates are 0, 0"


def test_an_address_becomes_a_key_and_never_text(tmp_path: Path) -> None:
    text = "from,home\n2016-05-07,2 Mill Lane\n2016-05-08,1 Mill Lane\n2016-05-09,2 MILL LANE \n2016-05-09,\n"
    found = read(tmp_path, text, WHEN | {"address": "home"}).frame["address"]
    assert found.tolist()[:3] == ["extract.csv:2", "extract.csv:1", "extract.csv:2"]
    assert pd.isna(found[3])


def test_recorded_source_tag_and_id_are_kept(tmp_path: Path) -> None:
    text = "from,seen,tag,ref\n2016-05-07,2016-05-09,Victim_Reported,1\n2016-05-07,never,,1\n"
    mapping = WHEN | {"recorded": "seen", "source_tag": "tag", "id": "ref"}
    frame = read(tmp_path, text, mapping).frame
    assert frame["source_tag"].tolist() == ["victim_reported", "unknown"]
    assert frame["recorded"][0] == pd.Timestamp("2016-05-09")
    assert frame["fault"][1] == "recorded is no date"
    assert frame["repeated"].tolist() == [False, True]


def test_counts_are_not_public_unless_it_is_said(tmp_path: Path) -> None:
    assert not read(tmp_path, "from\n2016-05-07\n", WHEN).published
    assert read(tmp_path, "from\n2016-05-07\n", WHEN, published=True).published


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"start": "form"}, "no column 'form'; it has from, x, y. Did you mean 'from'"),
        ({"begin": "from"}, "no field 'begin'"),
        ({"start": "from", "esting": "x"}, "Did you mean 'easting'"),
        ({}, "lacks start"),
        ({"start": "from", "easting": "x"}, "only one of easting and northing"),
        (
            {"start": "from", "easting": "x", "northing": "y", "longitude": "x", "latitude": "y"},
            "Keep one pair",
        ),
    ],
)
def test_a_wrong_mapping_says_what_to_write(tmp_path: Path, mapping: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message.replace("?", r"\?")):
        read(tmp_path, "from,x,y\n2016-05-07,1,2\n", mapping)


def test_a_file_without_a_type_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'type = "Burglary"'):
        read(tmp_path, "from\n2016-05-07\n", WHEN, type=None)


def test_another_kind_of_file_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "extract.pdf"
    path.write_bytes(b"PK")
    with pytest.raises(DataError, match=r"Save the table as CSV"):
        table(path, WHEN, type="Burglary")
