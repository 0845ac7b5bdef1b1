"""police.uk files, clean and dirty: every row is accepted or refused with a reason, and none is lost."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from peelian.errors import DataError
from peelian.incidents import Incidents
from peelian.read.police_uk import police_uk, reading

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)
CLEAN = (
    "a1,2016-05,Peel Force,Peel Force,-0.36,51.47,On or near High Street,E01002547,Hounslow 001A,Burglary,,"
)


def row(**changed: str) -> str:
    """The clean row with other values: row(Month="2016-13")."""
    names = HEADER.split(",")
    values = dict(zip(names, CLEAN.split(","), strict=True))
    values |= {name.replace("_", " "): value for name, value in changed.items()}
    return ",".join(values[name] for name in names)


def file(folder: Path, *lines: str, name: str = "2016-05-peel-street.csv", end: str = "\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join([HEADER, *lines]) + end).encode())
    return path


def test_a_row_becomes_an_incident_of_its_month(tmp_path: Path) -> None:
    incidents = police_uk(file(tmp_path, CLEAN))
    first = incidents.frame.iloc[0]
    assert (str(first["start"]), str(first["end"])) == ("2016-05-01 00:00:00", "2016-06-01 00:00:00")
    assert (first["type"], first["place"], first["id"], first["source"], first["row"]) == (
        "Burglary", "E01002547", "a1", "2016-05-peel-street.csv", 1,
    )  # fmt: skip
    assert (incidents.precision, incidents.snapped, incidents.published) == ("month", True, True)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(Month=""), "no month"),
        (row(Month="May 2016"), "month is not written YYYY-MM"),
        (row(Month="2016-13"), "month is not written YYYY-MM"),
        (row(Month="2099-01"), "month is not that of the file's name"),
        (row(Crime_type=""), "no crime type"),
        ("", "blank line"),
        ("," * 11, "no month"),
        (CLEAN + ",extra", "13 fields where the header has 12"),
        ("a1,2016-05,Peel Force", "3 fields where the header has 12"),
        (row(Location='"On or near High Street'), "quotes are unbalanced"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_reason_file_row_and_text(
    tmp_path: Path, line: str, reason: str
) -> None:
    incidents = police_uk(file(tmp_path, CLEAN, line, row(Crime_ID="a2")))
    assert len(incidents) == 2
    assert incidents.rejected.to_dict("records") == [
        {"file": "2016-05-peel-street.csv", "row": 2, "reason": reason, "text": line}
    ]


@pytest.mark.parametrize(
    ("longitude", "latitude", "fault"),
    [
        ("", "", None),
        ("-0.36", "", "one coordinate is missing"),
        ("west", "51.47", "a coordinate is not a number"),
        ("0", "0", "coordinates are 0, 0"),
        ("51.47", "-0.36", "longitude and latitude look exchanged"),
        ("-74.0", "40.7", "far outside the area of OSGB36 / British National Grid"),
        ("1e400", "51.47", "a coordinate is not a number"),
    ],
)
def test_a_row_without_usable_coordinates_is_kept_without_a_point(
    tmp_path: Path, longitude: str, latitude: str, fault: str | None
) -> None:
    incidents = police_uk(file(tmp_path, row(Longitude=longitude, Latitude=latitude)))
    assert not incidents.located.any()
    said = incidents.frame["fault"].iloc[0]
    assert (None if pd.isna(said) else said) == fault


def test_columns_are_found_by_header_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "moved-street.csv"
    path.write_text("crime type,LSOA code,Month\nBurglary,E01002547,2016-05\n")
    frame = police_uk(path).frame
    assert frame[["type", "place"]].iloc[0].tolist() == ["Burglary", "E01002547"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + f"{HEADER}\r\n{CLEAN}\r\n".encode(),
        f"{HEADER}\r{CLEAN}\r".encode(),
        f"\n\n{HEADER}\n{CLEAN}\n".encode(),
        f"{HEADER}\n{CLEAN}".encode(),
        f"{HEADER}\n{CLEAN}\n".encode("utf-16"),
        f"{HEADER}\n{row(Location='Café Road')}\n".encode("latin-1"),
        f'"{HEADER.replace(",", chr(34) + "," + chr(34))}"\n{CLEAN}\n'.encode(),
        f"{HEADER}\n{row(Location='12' + chr(34) + ' Pipe Lane')}\n".encode(),
        f"{HEADER}\n{CLEAN}\n".replace(",", ";").encode(),
    ],
    ids=["BOM, CRLF", "CR", "blank lines before", "no last line end", "UTF-16", "Latin-1", "quoted header",
         "a quote inside", "semicolons"],
)  # fmt: skip
def test_any_encoding_and_line_end_gives_the_row(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "street.csv"
    path.write_bytes(data)
    incidents = police_uk(path)
    assert (len(incidents), len(incidents.rejected)) == (1, 0)


def test_an_unclosed_quote_swallows_its_own_line_alone(tmp_path: Path) -> None:
    broken = row(Location='"On or near High Street')
    closing = row(Location='On or near High Street"')
    incidents = police_uk(file(tmp_path, broken, closing, CLEAN))
    assert incidents.rejected["row"].tolist() == [1]
    assert incidents.frame["row"].tolist() == [2, 3]


def test_a_header_alone_is_a_file_without_rows(tmp_path: Path) -> None:
    assert police_uk(file(tmp_path)).rows_read == 0


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "2016-05-peel-street.csv"
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"holds no street file.*\(empty\)"):
        police_uk(path)


def test_a_file_with_another_header_is_an_error_that_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("date,what\n2016-05-01,Burglary\n")
    with pytest.raises(
        DataError, match=r'no column Month, Crime type; its first line is: date, what.*"table"'
    ):
        police_uk(path)


# -------------------------------------------------------------------- repeats
def test_later_copies_of_a_crime_id_are_flagged(tmp_path: Path) -> None:
    file(tmp_path, CLEAN, CLEAN, row(Crime_ID=""), row(Crime_ID=""))
    file(tmp_path, row(Month="2016-06"), name="2016-06-peel-street.csv")
    assert police_uk(tmp_path).frame["repeated"].tolist() == [False, True, False, False, True]


def test_dropped_copies_are_refused_and_name_the_row_they_repeat(tmp_path: Path) -> None:
    file(tmp_path, CLEAN, CLEAN)
    file(tmp_path, row(Month="2016-06"), name="2016-06-peel-street.csv")
    incidents = police_uk(tmp_path, repeats="drop")
    assert incidents.rejected["reason"].tolist() == [
        "repeats Crime ID of row 1",
        "repeats Crime ID of row 1 of 2016-05-peel-street.csv",
    ]
    assert incidents.rejected["text"].tolist() == [CLEAN, row(Month="2016-06")]


# -------------------------------------------------------------------- folders and archives
OUTCOMES = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Outcome type"
)


def archive(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as held:
        for name, text in members.items():
            held.writestr(name.replace("__", "/"), text)
    return path


def test_a_zip_of_several_forces_is_read_and_other_files_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "download.zip"
    with zipfile.ZipFile(path, "w") as held:
        held.writestr("2016-05/2016-05-peel-street.csv", f"{HEADER}\n{CLEAN}\n")
        held.writestr("2016-05/2016-05-dogberry-street.csv", f"{HEADER}\n{row(Crime_ID='b')}\n{CLEAN},x\n")
        held.writestr("2016-05/2016-05-peel-outcomes.csv", f"{OUTCOMES}\n")
        held.writestr("2016-05/2016-05-peel-stop-and-search.csv", "Type,Date,Object of search\n")
        held.writestr("readme.txt", "hello")
    files = reading(path).files.set_index("file")
    assert files["kind"].to_dict() == {
        "2016-05-dogberry-street.csv": "street",
        "2016-05-peel-outcomes.csv": "outcomes, not street crime",
        "2016-05-peel-stop-and-search.csv": "stop and search",
        "2016-05-peel-street.csv": "street",
        "readme.txt": "left alone: no CSV file",
    }
    assert files.loc["2016-05-dogberry-street.csv", ["rows", "accepted", "refused"]].tolist() == [2, 1, 1]


def test_a_street_file_without_its_header_is_refused_line_by_line(tmp_path: Path) -> None:
    file(tmp_path, CLEAN)
    (tmp_path / "2016-06-peel-street.csv").write_text(f"{row(Month='2016-06')}\n{row(Month='2016-06')}\n")
    incidents = police_uk(tmp_path)
    assert (len(incidents), len(incidents.rejected), incidents.rows_read) == (1, 2, 3)


def test_a_folder_is_read_through_its_subfolders_gzip_too(tmp_path: Path) -> None:
    file(tmp_path, CLEAN, name="2016-05/2016-05-peel-street.csv")
    (tmp_path / "more").mkdir()
    with gzip.open(tmp_path / "more" / "2016-06-peel-street.csv.gz", "wt") as handle:
        handle.write(f"{HEADER}\n{row(Month='2016-06', Crime_ID='z')}\n")
    assert len(police_uk(tmp_path)) == 2


def test_files_of_one_name_keep_their_folders(tmp_path: Path) -> None:
    file(tmp_path, CLEAN, name="a/street.csv")
    file(tmp_path, CLEAN, name="b/street.csv")
    assert police_uk(tmp_path).frame["source"].tolist() == ["a/street.csv", "b/street.csv"]


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such file or folder"):
        police_uk(tmp_path / "absent.zip")


@pytest.mark.parametrize("keep", [10, 0.5, 0.9])
def test_a_truncated_zip_says_download_it_again(tmp_path: Path, keep: float) -> None:
    whole = archive(tmp_path / "whole.zip", **{"2016-05__street.csv": f"{HEADER}\n" + f"{CLEAN}\n" * 400})
    data = whole.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    with pytest.raises(DataError, match=r"cut\.zip: the zip is cut short or damaged.*Download it again"):
        police_uk(cut)


def test_a_member_damaged_inside_the_zip_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "bad.zip", **{"2016-05__street.csv": f"{HEADER}\n" + f"{CLEAN}\n" * 400})
    data = bytearray(path.read_bytes())
    data[120:140] = b"\0" * 20
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"damaged at 2016-05/street\.csv.*Download it again"):
        police_uk(path)


@pytest.mark.parametrize(
    "name", ["../street.csv", "/etc/street.csv", "a/../../street.csv", "..\\street.csv", "C:/street.csv"]
)
def test_a_zip_that_reaches_outside_itself_is_not_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as held:
        held.writestr(name, f"{HEADER}\n{CLEAN}\n")
    with pytest.raises(DataError, match=r"names files outside itself"):
        police_uk(path)


def test_a_zip_bomb_is_not_opened(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.zip", **{"street.csv": "0" * 5_000_000})
    with pytest.raises(DataError, match=r"5,000,000.*was not opened"):
        police_uk(path)


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "street.csv.gz"
    path.write_bytes(gzip.compress(b"0" * 5_000_000))
    with pytest.raises(DataError, match=r"would unpack to"):
        police_uk(path)


def test_a_truncated_gzip_says_download_it_again(tmp_path: Path) -> None:
    path = tmp_path / "street.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n{CLEAN}\n".encode())[:-12])
    with pytest.raises(DataError, match=r"Download it again"):
        police_uk(path)


def test_a_project_elsewhere_can_have_its_own_projection(tmp_path: Path) -> None:
    assert police_uk(file(tmp_path, CLEAN), crs=32630).crs.to_epsg() == 32630


def test_degrees_are_refused_as_a_target(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"degrees"):
        police_uk(file(tmp_path, CLEAN), crs=4326)


# -------------------------------------------------------------------- outcomes, stops, the API
STOPS = """Type,Date,Part of a policing operation,Policing operation,Latitude,Longitude,Gender,Age range,Self-defined ethnicity,Officer-defined ethnicity,Legislation,Object of search,Outcome,Outcome linked to object of search,Removal of more than just outer clothing
Person search,2020-07-01T22:05:00+00:00,,,51.47,-0.36,Male,18-24,,,x,Controlled drugs,A no further action disposal,,False
Person search,,,,51.47,-0.36,Male,18-24,,,x,Controlled drugs,Arrest,,False
Vehicle search,2020-07-01T23:30:00+00:00,,,,,Male,18-24,,,x,Stolen goods,Arrest,,False
"""


@pytest.fixture
def stops(tmp_path: Path) -> Incidents:
    path = tmp_path / "2020-07-metropolitan-stop-and-search.csv"
    path.write_text(STOPS, encoding="utf-8")
    return police_uk(path, kind="stop-and-search")


def test_a_stop_is_at_a_minute_of_londons_clock(stops: Incidents) -> None:
    assert stops.frame["start"].astype("str").tolist() == ["2020-07-01 23:05:00", "2020-07-02 00:30:00"]
    assert stops.precision == "minute"


def test_nothing_on_the_person_stopped_is_read(stops: Incidents) -> None:
    assert not {"Gender", "Age range", "Self-defined ethnicity"} & set(stops.frame)
    assert "18-24" not in stops.frame.to_csv() + stops.rejected.to_csv()


def test_a_stop_without_a_date_is_refused(stops: Incidents) -> None:
    assert stops.rejected[["row", "reason"]].values.tolist() == [[2, "no date"]]


def test_outcomes_are_dated_by_their_own_month(tmp_path: Path) -> None:
    path = tmp_path / "2018-01-peel-outcomes.csv"
    path.write_text(f"{OUTCOMES}\nabc,2018-01,P,P,-0.36,51.47,On or near A,E01000001,x,Arrest\n", "utf-8")
    found = police_uk(path, kind="outcomes").frame
    assert found[["id", "type", "place"]].values.tolist() == [["abc", "Arrest", "E01000001"]]


def test_the_kind_that_was_asked_for_is_named_where_it_is_not_there(stops: Incidents, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no outcomes file of data.police.uk. .*\(stop and search\)"):
        police_uk(tmp_path, kind="outcomes")


def test_answers_of_the_api_are_read_with_the_names_of_the_files(tmp_path: Path) -> None:
    crime = {
        "category": "violent-crime", "month": "2017-06", "persistent_id": "abc", "context": "", "id": 1,
        "location": {"latitude": "51.47", "longitude": "-0.36", "street": {"id": 1, "name": "On or near A"}},
        "outcome_status": {"category": "Under investigation", "date": "2017-07"},
    }  # fmt: skip
    (tmp_path / "answer.json").write_text(json.dumps([crime, 7, {**crime, "location": None}]), "utf-8")
    found = police_uk(tmp_path / "answer.json")
    assert found.frame[["type", "id", "outcome"]].iloc[0].tolist() == [
        "Violence and sexual offences", "abc", "Under investigation",
    ]  # fmt: skip
    assert (found.rows_read, int(found.located.sum())) == (3, 1)
    assert found.rejected[["row", "reason", "text"]].values.tolist() == [[2, "is no record", "7"]]


def test_json_that_is_no_answer_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text('{"error": "too many"}', "utf-8")
    with pytest.raises(DataError, match="holds no list of records"):
        police_uk(tmp_path / "answer.json")
