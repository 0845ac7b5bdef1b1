"""Whatever bytes a file holds: a result or an error of ours, and never a lost row."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from peelian.errors import Error
from peelian.read.dates import dates
from peelian.read.features import features
from peelian.read.police_uk import police_uk
from peelian.read.rows import rows
from peelian.read.table import table

HEADER = "Crime ID,Month,Longitude,Latitude,LSOA code,Crime type"
VALUES = st.sampled_from(
    ["", " ", "2016-05", "2016-13", "Burglary", "-0.36", "51.47", "nan", "inf", "1e999", "E01002547",
     '"', '""', '"a"', '"a,b"', 'a"b', "é", "\x00", "a1", "\u2028",
     "07/05/2016", "2016-05-07 18:30", "\ud7ff"]
)  # fmt: skip
LINES = st.lists(st.lists(VALUES, min_size=1, max_size=8).map(",".join), max_size=12)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])


def rows_of(data: bytes) -> int:
    """Lines after the first that is not blank, counted without the reader: bytes and a regular expression."""
    lines = re.split(rb"\r\n|\r|\n", data.removeprefix(b"\xef\xbb\xbf"))
    if not lines[-1]:
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    return max(len(lines) - 1, 0)


@contextmanager
def written(data: bytes, name: str = "a-street.csv") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path


@given(LINES, ENDS, st.booleans())
def test_accepted_and_refused_are_the_lines_of_a_street_file(lines: list[str], end: str, bom: bool) -> None:
    data = (b"\xef\xbb\xbf" if bom else b"") + end.join([HEADER, *lines]).encode()
    with written(data) as path:
        assert police_uk(path).rows_read == rows_of(data)


@given(LINES, ENDS, ENCODINGS)
def test_any_encoding_is_read_or_refused_by_us(lines: list[str], end: str, encoding: str) -> None:
    data = end.join([HEADER, *lines]).encode(encoding, errors="replace")
    with written(data) as path:
        found = police_uk(path)
    assert (found.rejected["reason"] != "").all()


@given(st.binary(max_size=400))
def test_any_bytes_are_a_result_or_an_error_of_ours(data: bytes) -> None:
    for name in ("a.csv", "a.csv.gz", "a.zip"):
        with written(data, name) as path:
            for read in (
                lambda path: police_uk(path),
                lambda path: table(path, {"start": "a"}, type="x"),
                lambda path: features(path, category="a"),
            ):
                try:
                    read(path)
                except Error:
                    continue


@given(st.binary(max_size=300))
def test_rows_are_never_more_or_fewer_than_the_lines(data: bytes) -> None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    found = rows(data, reach=1)
    assert len(found) == rows_of(data)


@given(LINES, st.integers(0, 400), st.integers(1, 60))
def test_a_damaged_zip_is_a_result_or_an_error_of_ours(lines: list[str], at: int, size: int) -> None:
    with written(b"", "a.zip") as path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as held:
            held.writestr("2016-05/a-street.csv", "\n".join([HEADER, *lines]))
        data = bytearray(path.read_bytes())
        data[at : at + size] = bytes(len(data[at : at + size]))
        path.write_bytes(bytes(data))
        with suppress(Error):
            police_uk(path)


@given(LINES)
def test_a_table_loses_no_row(lines: list[str]) -> None:
    plain = [line.replace('"', "") for line in lines]
    data = "\n".join(["from,to,x,y,what", *plain]).encode()
    mapping = {"start": "from", "end": "to", "longitude": "x", "latitude": "y", "type": "what"}
    with written(data) as path:
        assert table(path, mapping, dates="dmy").rows_read == rows_of(data)


@given(LINES)
def test_features_lose_no_row(lines: list[str]) -> None:
    plain = [line.replace('"', "") for line in lines]
    data = "\n".join(["kind,lon,lat,weight", *plain]).encode()
    with written(data) as path:
        layers, rejected = features(path, category="kind", weight="weight")
    assert sum(len(layer) for layer in layers.values()) + len(rejected) == rows_of(data)


@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_text_is_a_date_or_none(texts: list[str]) -> None:
    found = dates(pd.Series(texts, dtype="str"), order="dmy")
    assert len(found.instant) == len(texts)


@given(st.datetimes(min_value=pd.Timestamp("1900-01-01"), max_value=pd.Timestamp("2100-12-31")))
def test_a_date_written_any_way_comes_back(moment: pd.Timestamp) -> None:
    shapes = {"iso": "%Y-%m-%dT%H:%M:%S", "dmy": "%d/%m/%Y %H:%M:%S", "mdy": "%m/%d/%Y %I:%M:%S %p"}
    for order, shape in shapes.items():
        found = dates(pd.Series([moment.strftime(shape)]), order=order)  # type: ignore[arg-type]
        assert found.instant[0] == moment.replace(microsecond=0)
