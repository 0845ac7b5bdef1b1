"""Crime sources of ../shared/data: every row accounted for, joins, totals, and proposals of mappings.

Data: ../shared/data (police.uk and London Datastore under the Open Government Licence; the licences of the
others stand in their READMEs). Expected numbers are those of the READMEs and of issue 3; counts are exact,
shares to the digits given there.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from peelian.figures import recording_changes
from peelian.incidents import Incidents
from peelian.read.levels import shifts
from peelian.read.mapping import propose
from peelian.read.mps import counts, reconcile
from peelian.read.police_uk import police_uk
from peelian.read.table import table


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
    own = month["month"].astype("str").value_counts()
    own.index = pd.PeriodIndex(own.index, freq="M")
    table = reconcile(own, published.totals("Burglary")).loc[2011:2021]
    assert len(table) == 11
    assert table["ratio"].between(0.98, 1.02).all()


# -------------------------------------------------------------------- proposals of mappings
@pytest.mark.parametrize(
    ("file", "mapping", "crs"),
    [
        (
            "chicago_crime_2016_2017/crimes.csv.gz",
            {"start": "datetime", "type": "offense", "longitude": "lon", "latitude": "lat"},
            4326,
        ),
        (
            "cincinnati_burglary_2016_2018/burglary.csv.gz",
            {"start": "datetime", "id": "incident_no", "longitude": "lon", "latitude": "lat"},
            4326,
        ),
        (
            "nyc_vehicle_theft_2014_2017/thefts.csv.gz",
            {"start": "date_start", "end": "date_end", "place": "census_block", "id": "uid",
             "longitude": "lon", "latitude": "lat"},
            4326,
        ),
        (
            "stlouis_2015_2019/crimes.csv.gz",
            {"start": "datetime", "recorded": "coded_month", "type": "offense", "place": "neighborhood",
             "easting": "x", "northing": "y"},
            "ESRI:102696",
        ),
        (
            "vancouver_thefts_2020/thefts.csv.gz",
            {"start": "{year}-{month}-{day} {hour}:{minute}", "type": "type", "place": "neighbourhood",
             "easting": "x", "northing": "y"},
            "EPSG:26910",
        ),
    ],
)  # fmt: skip
def test_the_mapping_of_a_citys_extract_is_proposed_unaided(
    world: Path, file: str, mapping: dict[str, str], crs: object
) -> None:
    found = propose(world / file)
    assert found.mapping == mapping
    assert dict(found.settings)["crs"] == crs


@pytest.mark.parametrize("city", ["stlouis_2015_2019/crimes", "vancouver_thefts_2020/thefts"])
def test_a_system_that_is_not_declared_is_said_to_be_so(world: Path, city: str) -> None:
    note = propose(world / f"{city}.csv.gz").notes[0]
    assert "the file does not declare their system. Likely" in note


def test_atlanta_holds_counts_by_area_and_day(world: Path) -> None:
    found = propose(world / "atlanta_npu_2021_2025" / "npu_daily_burglary_larceny.csv.gz")
    assert found.form == "counts"
    assert found.notes[0].startswith("Counts by area and day, not incidents: each of 25 values of 'npu'")


# -------------------------------------------------------------------- breaks
@pytest.mark.parametrize(
    ("category", "low", "high"),
    [
        ("Domestic Burglary", 0.25, 0.45),
        ("Burglary Business and Community", -0.35, -0.2),
        ("Burglary", 0.05, 0.2),
    ],
)
def test_the_change_of_definition_of_april_2017_is_found(
    uk: Path, category: str, low: float, high: float
) -> None:
    held = counts(uk / "mps_recorded_crime_counts" / "mps_borough_monthly_201004_202112.parquet")
    found = shifts(pd.DataFrame({category: held.totals(category)}), changes=recording_changes())
    at = found[found["month"] == pd.Period("2017-04")].iloc[0]
    assert low < at["change"] < high
    assert at["known"].startswith("Burglary in a dwelling or not")


# -------------------------------------------------------------------- join rates by code
@pytest.fixture(scope="module")
def met(uk: Path) -> Incidents:
    path = uk / "met_burglary" / "met_burglary_2010-12_2021-12.parquet"
    return table(path, propose(path).mapping, type="Burglary", snapped=True, published=True)


@pytest.fixture(scope="module")
def south_yorkshire(uk: Path) -> Incidents:
    path = uk / "south_yorkshire_street" / "south-yorkshire_2018-01_2021-09.parquet"
    return table(path, propose(path).mapping, snapped=True, published=True)


def joined(incidents: Incidents, known: set[str]) -> float:
    """Share of the rows with an area code whose code is known, in per cent to two digits."""
    code = incidents.frame["place"].dropna()
    return round(100 * float(code.isin(known).mean()), 2)


def codes(file: Path, column: str) -> set[str]:
    held = pd.read_parquet(file, columns=[column]) if file.suffix == ".parquet" else gpd.read_file(file)
    return set(held[column])


def test_met_burglary_joins_london_by_code(met: Incidents, uk: Path) -> None:
    london = codes(next((uk / "boundaries_london").glob("london_lsoa_2011*")), "LSOA11CD")
    assert (met.rows_read, len(met), joined(met, london)) == (851_697, 851_697, 99.94)


def test_every_unjoined_row_of_met_burglary_names_another_lsoa_or_none(met: Incidents, uk: Path) -> None:
    london = codes(next((uk / "boundaries_london").glob("london_lsoa_2011*")), "LSOA11CD")
    every = codes(uk / "lsoa_profiles" / "lsoa11_england_wales.parquet", "lsoa11_code")
    place = met.frame["place"]
    outside = place[place.notna() & ~place.isin(london)]
    assert (int(place.isna().sum()), len(outside), int((~outside.isin(every)).sum())) == (4_159, 471, 0)


def test_hounslow_joins_its_pack_by_code(uk: Path) -> None:
    pack = uk / "flagship_hounslow"
    found = police_uk(pack / "street_burglary_2012_2019_police_uk_layout.zip")
    assert joined(found, codes(pack / "hounslow_1km_lsoa_2011.gpkg", "LSOA11CD")) == 99.64


def test_south_yorkshire_joins_its_boundaries_and_all_of_england(
    south_yorkshire: Incidents, uk: Path
) -> None:
    own = codes(next((uk / "boundaries_south_yorkshire").glob("*.gpkg")), "LSOA11CD")
    every = codes(uk / "lsoa_profiles" / "lsoa11_england_wales.parquet", "lsoa11_code")
    assert south_yorkshire.rows_read == 652_082
    assert (joined(south_yorkshire, own), joined(south_yorkshire, every)) == (99.79, 100.0)
