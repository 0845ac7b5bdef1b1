"""Crime sources of ../shared/data: every row accounted for, joins, totals, and proposals of mappings.

Data: ../shared/data (police.uk and London Datastore under the Open Government Licence; the licences of the
others stand in their READMEs). Expected numbers are those of the READMEs and of issue 3; counts are exact,
shares to the digits given there.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from peelian.read.mps import counts, reconcile


@pytest.fixture(scope="module")
def uk(shared: Path) -> Path:
    return shared / "data" / "uk"


@pytest.fixture(scope="module")
def world(shared: Path) -> Path:
    return shared / "data" / "world"


@pytest.mark.parametrize(
    ("file", "level", "rows", "areas"),
    [
        ("mps_borough_monthly_201004_202112.parquet", "borough", 1_085, 34),
        ("mps_ward_monthly_201004_202112.parquet", "ward", 21_118, 679),
        ("raw_sample/MPS Borough Level Crime (Historical).csv.gz", "borough", 949, 34),
        ("raw_sample/MPS_borough_APR2010-FEB2022.csv.gz", "borough", 1_730, 33),
        ("raw_sample/MPS Ward Level Crime (most recent 24 months).csv.gz", "ward", 22_068, 679),
    ],
)
def test_the_mets_counts_are_read_in_every_layout(
    uk: Path, file: str, level: str, rows: int, areas: int
) -> None:
    found = counts(uk / "mps_recorded_crime_counts" / file)
    assert (found.level, found.rows_read, len(found.rejected), len(found.names)) == (level, rows, 0, areas)


def test_met_rows_agree_with_the_mets_own_counts_year_by_year(uk: Path) -> None:
    published = counts(uk / "mps_recorded_crime_counts" / "mps_borough_monthly_201004_202112.parquet")
    month = pd.read_parquet(uk / "met_burglary" / "met_burglary_2010-12_2021-12.parquet", columns=["month"])
    own = pd.PeriodIndex(month["month"].astype("str"), freq="M").value_counts()
    table = reconcile(own, published.totals("Burglary")).loc[2011:2021]
    assert len(table) == 11
    assert table["ratio"].between(0.98, 1.02).all()
