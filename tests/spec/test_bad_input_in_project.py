"""What ``peelian check`` says of the faults that extracts come with: named, with what to do, and no row lost."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from shapely import box

from peelian import tasks
from peelian.errors import DataError, Error

HEAD = "Crime ID,Month,Longitude,Latitude,LSOA code,Crime type\n"
MOVED = "Crime type,LSOA code,Month,Crime ID,Latitude,Longitude,New\n"


def street(month: str, *, at: tuple[str, str] = ("-0.1", "51.5")) -> str:
    return "".join(f"a{month}{k},{month},{at[0]},{at[1]},E01000001,Burglary\n" for k in range(30))


def project(folder: Path, incidents: str) -> Path:
    areas = gpd.GeoDataFrame(
        {"code": ["E01000001"]}, geometry=[box(520_000, 170_000, 540_000, 190_000)], crs=27700
    )
    areas.to_file(folder / "areas.gpkg")
    (folder / "peelian.toml").write_text(
        '[project]\nname = "a"\ncrime = ["Burglary"]\n[places]\nfile = "areas.gpkg"\nid = "code"\ncell = 1000\n'
        f"[[incidents]]\n{incidents}"
    )
    return folder


def judged(folder: Path) -> dict[str, dict[str, str]]:
    return {row["check"]: row for row in tasks.check(folder)["checks"]}


def files(folder: Path, **months: bytes) -> Path:
    (folder / "street").mkdir()
    for month, data in months.items():
        (folder / "street" / f"{month.replace('m', '').replace('_', '-')}-x-street.csv").write_bytes(data)
    return project(folder, 'file = "street"\n')


def mapped(folder: Path, text: str, keys: str = "", columns: str = 'easting = "x"\nnorthing = "y"') -> Path:
    (folder / "a.csv").write_text(text)
    return project(
        folder,
        f'reader = "table"\nfile = "a.csv"\ntype = "Burglary"\n{keys}\n[incidents.mapping]\nstart = "when"\n{columns}\n',
    )


def test_a_month_file_with_a_header_and_no_row_is_a_warning(tmp_path: Path) -> None:
    said = judged(
        files(
            tmp_path,
            m2020_01=(HEAD + street("2020-01")).encode(),
            m2020_02=HEAD.encode(),
            m2020_03=(HEAD + street("2020-03")).encode(),
        )
    )
    assert (said["files"]["level"], said["months"]["level"]) == ("warning", "warning")
    assert said["files"]["sentence"] == (
        "1 file holds no row: 2020-02-x-street.csv. 2020-02 is therefore missing."
    )


def test_a_last_month_without_rows_is_told_though_no_row_shows_the_gap(tmp_path: Path) -> None:
    said = judged(files(tmp_path, m2020_01=(HEAD + street("2020-01")).encode(), m2020_02=HEAD.encode()))
    assert (said["files"]["level"], said["months"]["level"]) == ("warning", "fine")


def test_columns_that_moved_and_encodings_that_are_mixed_lose_no_row(tmp_path: Path) -> None:
    other = "".join(f"Burglary,E01000001,2020-02,b{k},51.5,-0.1,z\n" for k in range(30))
    said = judged(
        files(
            tmp_path,
            m2020_01=b"\xef\xbb\xbf"
            + (HEAD + street("2020-01")).encode()
            + "é,2020-01,,,,Burglary\n".encode("cp1252"),
            m2020_02=(MOVED + other).encode("utf-16"),
        )
    )
    assert said["rows"]["sentence"] == "61 rows were read: 61 accepted and 0 refused."
    assert said["codes"]["sentence"].startswith("100.00 % of the 60 rows")


def test_a_quote_that_never_closes_costs_its_own_line(tmp_path: Path) -> None:
    text = HEAD + '"open,2020-01,-0.1,51.5,E01000001,Burglary\n' + street("2020-01")
    said = judged(files(tmp_path, m2020_01=text.encode()))
    assert said["rows"]["sentence"] == (
        "31 rows were read: 30 accepted and 1 refused (quotes are unbalanced: 1)."
    )


def test_longitude_and_latitude_exchanged_are_named_with_what_to_do(tmp_path: Path) -> None:
    said = judged(files(tmp_path, m2020_01=(HEAD + street("2020-01", at=("51.5", "-0.1"))).encode()))
    assert "longitude and latitude look exchanged: 30" in said["faults"]["sentence"]
    assert said["faults"]["remedy"] == (
        "The rows are kept without a point. Exchange longitude and latitude, in the mapping or at their source."
    )


def test_coordinates_of_another_system_ask_for_its_name(tmp_path: Path) -> None:
    said = judged(mapped(tmp_path, "when,x,y\n" + "2020-04-03,893000,1010000\n" * 25))
    assert "Name the system that the coordinates are in (crs)" in said["faults"]["remedy"]


def test_days_of_a_spreadsheet_are_asked_about(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='write dates = "excel"'):
        tasks.check(mapped(tmp_path, "when,x,y\n" + "43831,530000,180000\n" * 5))
    said = judged(mapped(tmp_path, "when,x,y\n" + "43831,530000,180000\n" * 5, 'dates = "excel"'))
    assert said["rows"]["level"] == "fine"


def test_repeats_of_a_table_can_be_dropped(tmp_path: Path) -> None:
    lines = "".join(f"2020-01-0{k % 5 + 1},530000,180000,c{k % 20}\n" for k in range(25))
    columns = 'easting = "x"\nnorthing = "y"\nid = "n"'
    folder = mapped(tmp_path, "when,x,y,n\n" + lines, columns=columns)
    assert judged(folder)["repeats"]["sentence"] == "5 rows repeat the ID of an earlier row (20.0 % of 25)."
    with (folder / "peelian.toml").open("a") as file:
        file.write('[read]\nrepeats = "drop"\n')
    said = judged(folder)
    assert said["rows"]["sentence"] == (
        "25 rows were read: 20 accepted and 5 refused (repeats the ID of another row: 5)."
    )


def test_an_extract_of_which_every_row_is_refused_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Every one of the 5 rows was refused \(start is no date: 5\)"):
        tasks.check(mapped(tmp_path, "when,x,y\n" + "soon,530000,180000\n" * 5))


def test_words_of_programs_for_nothing_are_nothing(tmp_path: Path) -> None:
    text = "when,x,y,c\n" + "2020-01-05,530000,180000,E01000001\n" * 20 + "2020-01-05,NA,NULL,NA\n"
    said = judged(mapped(tmp_path, text, columns='easting = "x"\nnorthing = "y"\nplace = "c"'))
    assert said["blanks"]["sentence"] == "1 of 21 rows (4.8 %) have no point."
    assert said["codes"]["sentence"].startswith("100.00 % of the 20 rows")


def test_the_refused_rows_of_a_check_are_written_where_asked(tmp_path: Path) -> None:
    text = HEAD + street("2020-01") + "x,,-0.1,51.5,E01000001,Burglary\n"
    folder = files(tmp_path, m2020_01=text.encode())
    tasks.check(folder, rejected=tmp_path / "refused.csv")
    assert (tmp_path / "refused.csv").read_text().splitlines() == [
        "file,row,reason,text",
        '2020-01-x-street.csv,31,no month,"x,,-0.1,51.5,E01000001,Burglary"',
    ]
    with pytest.raises(Error, match=r"Name a file that ends in \.csv"):
        tasks.check(folder, rejected=tmp_path / "refused.txt")
