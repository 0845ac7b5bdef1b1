"""Whatever a file holds: a result or an error of ours, never a traceback, never a lost row."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peelian.errors import Error
from peelian.read.coordinates import numbers
from peelian.read.dates import dates
from peelian.read.levels import shifts
from peelian.read.mapping import propose
from peelian.read.mps import counts
from peelian.read.police_uk import police_uk
from peelian.read.table import table

KINDS = ("a.csv", "a.csv.gz", "a.xlsx", "a.parquet", "a.geojson", "a.gpkg", "a.json")
VALUES = st.sampled_from(
    ["", " ", "2016-05", "07/05/2016", "2016-05-07 18:30", "42500", "Burglary", "-0,36", "51.47", "nan", "1e999",
     "E01002547", '"', '"a,b"', "é", "\x00", "1,234", "True", "12:30", "{a}", "\ud7ff", "5"]
)  # fmt: skip
HEADS = st.lists(
    st.sampled_from(["date", "time", "offence", "x", "y", "lon", "lat", "year", "month", "day", "count", "id",
                     "LSOA code", "201004", "Month", "Crime type", "", "é", "{a}"]),
    min_size=1, max_size=7, unique=True,
)  # fmt: skip
LINES = st.lists(st.lists(VALUES, min_size=1, max_size=7).map(",".join), max_size=10)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["category", "month", "location", "latitude", "longitude", "street", "outcomes",
                         "outcome_status", "crime", "date", "object_of_search", "datetime", "type"]),
        inner, max_size=6,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@given(st.binary(max_size=200), st.sampled_from(KINDS))
def test_any_bytes_of_any_kind_are_a_result_or_an_error_of_ours(folder: Path, data: bytes, name: str) -> None:
    path = folder / name
    path.write_bytes(data)
    for read in (lambda: table(path, {"start": "a"}, type="x"), lambda: counts(path), lambda: propose(path)):
        with suppress(Error):
            read()


@given(HEADS, LINES)
def test_a_proposal_reads_the_file_it_was_made_from(folder: Path, head: list[str], lines: list[str]) -> None:
    path = folder / "proposed.csv"
    path.write_text("\n".join([",".join(head), *lines]), "utf-8")
    with suppress(Error):
        found = propose(path)
        found.toml()
        settings = {"type": "x", "period": "2017"} | dict(found.settings)
        columns = settings.pop("columns", None)
        read = table(path, found.mapping, columns=tuple(columns) if columns else None, **settings)
        assert read.rows_read == found.rows


@given(HEADS, LINES)
def test_published_counts_lose_no_row(folder: Path, head: list[str], lines: list[str]) -> None:
    plain = [line.replace('"', "") for line in lines]
    path = folder / "counts.csv"
    path.write_text("\n".join(["BoroughName,201004," + ",".join(head), *plain, ""]), "utf-8")
    with suppress(Error):
        assert counts(path).rows_read == len(lines)


@given(PLAIN)
def test_any_json_is_an_answer_or_an_error_of_ours(folder: Path, value: object) -> None:
    path = folder / "answer.json"
    path.write_text(json.dumps(value), "utf-8")
    with suppress(Error):
        found = police_uk(path)
        assert found.rows_read == (len(value) if isinstance(value, list) else found.rows_read)


@given(st.lists(VALUES, max_size=8), st.sampled_from(["dmy", "mdy", "excel"]))
def test_any_text_is_a_date_or_none_in_any_zone(texts: list[str], order: str) -> None:
    text = pd.Series(texts, dtype="str")
    with suppress(Error):
        assert len(dates(text, order=order, timezone="Europe/London", serials=True).instant) == len(texts)  # type: ignore[arg-type]


@given(st.floats(-1e6, 1e6).map(lambda v: round(v, 3)))
def test_a_decimal_comma_says_the_same_number(value: float) -> None:
    assert numbers(pd.Series([f"{value:.3f}".replace(".", ",")]), True).tolist() == [value]


@given(st.integers(0, 1000), st.integers(30, 60), st.floats(1.6, 3))
def test_a_large_jump_is_found_at_its_month(seed: int, at: int, fold: float) -> None:
    months = pd.period_range("2012-01", periods=96, freq="M")
    mean = 200 * (1 + 0.1 * np.sin(np.arange(96) / 6 * np.pi)) * np.where(np.arange(96) >= at, fold, 1)
    drawn = np.random.default_rng(seed).poisson(mean)
    found = shifts(pd.DataFrame({"Burglary": drawn}, index=months))
    assert len(found) > 0
    assert abs((found["month"].iloc[0] - months[at]).n) <= 1
