"""Published counts by area and month: every layout, one spelling, "Unknown" kept, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from peelian.errors import DataError
from peelian.read.mps import counts, reconcile

BOROUGH = """MajorText,MinorText,BoroughName,201703,201704
BURGLARY,BURGLARY IN A DWELLING,CAMDEN,3,4
BURGLARY,BURGLARY BUSINESS AND COMMUNITY,CAMDEN,2,1
BURGLARY,BURGLARY IN A DWELLING,Unknown,1,0
ROBBERY,ROBBERY OF PERSONAL PROPERTY,CAMDEN,x,1
"""
WARD = """MajorText,MinorText,WardName,WardCode,LookUp_BoroughName,202202,202203
Arson and Criminal Damage,Arson,Heathrow Villages,E05013570,Aviation Security (SO18),0,2
"""
LSOA = """LSOA Code,Borough,Major Category,Minor Category,201004,201005
E01000006,Barking and Dagenham,Burglary,Domestic Burglary,1,0
"""
LONG = """date,npu,count
2021-01-20,A,2
2021-01-21,A,3
2021-03-01,B,1
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "counts.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_unknown_borough_is_an_area_like_the_others(written) -> None:
    assert counts(written(BOROUGH)).of("Burglary")["Unknown"].tolist() == [1, 0]


def test_the_major_category_adds_its_minor_ones(written) -> None:
    assert counts(written(BOROUGH)).totals("burglary").to_dict() == {
        pd.Period("2017-03"): 6,
        pd.Period("2017-04"): 5,
    }


def test_the_class_of_dwellings_has_one_name(written) -> None:
    assert counts(written(BOROUGH)).of("Domestic Burglary")["Camden"].tolist() == [3, 4]


def test_a_row_whose_count_is_no_number_is_refused_with_its_text(written) -> None:
    found = counts(written(BOROUGH))
    assert found.rows_read == 4
    assert found.rejected[["row", "reason", "text"]].values.tolist() == [
        [4, "a count is no whole number", "ROBBERY,ROBBERY OF PERSONAL PROPERTY,CAMDEN,x,1"]
    ]


@pytest.mark.parametrize(
    ("text", "level", "place", "category"),
    [(BOROUGH, "borough", "Camden", "Burglary"), (WARD, "ward", "E05013570", "Arson"),
     (LSOA, "lsoa", "E01000006", "Burglary"), (LONG, "area", "A", "All")],
)  # fmt: skip
def test_a_layout_says_its_level(written, text: str, level: str, place: str, category: str) -> None:
    found = counts(written(text))
    assert (found.level, found.of(category).index[0][0]) == (level, place)


def test_days_are_added_to_their_month_and_months_between_are_filled(written) -> None:
    assert counts(written(LONG)).of("All")["A"].tolist() == [5, 0, 0]


def test_an_unknown_category_is_named_with_the_known(written) -> None:
    with pytest.raises(DataError, match=r"'Drugs'. The file holds: Arson, Arson and Criminal Damage"):
        counts(written(WARD)).of("Drugs")


def test_no_area_is_an_error_that_says_what_was_expected(written) -> None:
    with pytest.raises(DataError, match="expected one such as BoroughName"):
        counts(written("a,201701\nx,1\n"))


def test_reconciling_without_a_month_in_common_is_an_error() -> None:
    one = pd.Series([1], pd.PeriodIndex(["2016-01"], freq="M"))
    with pytest.raises(DataError, match="no month in common"):
        reconcile(one, one.shift(freq="M"))
