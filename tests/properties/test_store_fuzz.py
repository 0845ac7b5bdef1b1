"""The store loses no line of any file, and says of each what police_uk says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from peelian.errors import DataError
from peelian.read.ingest import ingest
from peelian.read.police_uk import reading

HEAD = b"Month,Crime type,Longitude,Latitude,Crime ID,LSOA code"
field = st.sampled_from(
    [b"2020-01", b"2020-02", b"", b" ", b"Burglary", b"-0.5", b"51.3", b"1e400", b"nan", b"x", b'"', b'"a,b"', b'""',
     b"\xe9", b"\xff", b"\0", b"\xc2\xa0", b"\r", b"\x0b"]
)  # fmt: skip
usual = st.sampled_from(
    [b"2020-01,Burglary,-0.5,51.3,a,E01000001", b"2020-01,Drugs,,,b,", b"2020-02,Drugs,0,0,,E01000002"]
)
line = st.one_of(usual, usual, st.lists(field, min_size=0, max_size=8).map(b",".join))
ends = st.sampled_from([b"\n", b"\r\n", b"\r"])


@settings(max_examples=25)
@given(st.lists(line, max_size=12), ends, st.sampled_from([b"", b"\xef\xbb\xbf"]), st.booleans())
def test_every_line_is_judged_as_police_uk_judges_it(
    lines: list[bytes], end: bytes, mark: bytes, named: bool
) -> None:
    data = mark + end.join([HEAD, *lines])
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / ("2020-01-x-street.csv" if named else "x.csv")
        source.write_bytes(data)
        read = reading(source)
        store = ingest(source, Path(folder) / "store")
        assert store.files[["rows", "accepted", "refused"]].to_numpy().tolist() == [
            [read.incidents.rows_read, len(read.incidents), len(read.incidents.rejected)]
        ]
        pd.testing.assert_frame_equal(store.refused, read.incidents.rejected)
        if len(read.incidents):
            held = pd.DataFrame(store.incidents().frame.to_wkb())
            expected = pd.DataFrame(read.incidents.frame.to_wkb())[held.columns]
            pd.testing.assert_frame_equal(held, expected)


@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_store_or_a_sentence(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "2020-01-x-street.csv"
        source.write_bytes(data)
        try:
            files = ingest(source, Path(folder) / "store").files
        except DataError:
            return
        assert (files["rows"] == files["accepted"] + files["refused"]).all()
