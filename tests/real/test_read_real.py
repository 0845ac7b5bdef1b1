"""Real extracts: every row accounted for, and the numbers that their READMEs measured.

Data: ../shared/data/uk (police.uk files under the Open Government Licence v3.0) and world/misc_points.
Expected numbers are those of the READMEs and of issue 2; counts are exact, shares to the digits there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.read.areas import areas, study_area
from peelian.read.features import features
from peelian.read.police_uk import police_uk, reading
from peelian.read.quality import Quality, quality
from peelian.read.run import IncidentSource, LayerSource, Parameters, PlacesSource, Sources, run
from peelian.read.table import table
from peelian.read.vintage import LAST_2011, LAST_2021, vintage


@pytest.fixture(scope="module")
def uk(shared: Path) -> Path:
    return shared / "data" / "uk"


@pytest.fixture(scope="module")
def pack(uk: Path) -> Path:
    return uk / "flagship_hounslow"


@pytest.fixture(scope="module")
def hounslow(pack: Path) -> Incidents:
    return police_uk(pack / "street_burglary_2012_2019_police_uk_layout.zip")


@pytest.fixture(scope="module")
def lsoas(pack: Path) -> Places:
    return areas(pack / "hounslow_1km_lsoa_2011.gpkg", id="LSOA11CD", households="HHOLDS", where="in_borough")


@pytest.fixture(scope="module")
def wards(pack: Path) -> Places:
    return areas(pack / "hounslow_1km_ward_2014.gpkg", id="WD14CD", name="WD14NM")


@pytest.fixture(scope="module")
def judged(hounslow: Incidents, lsoas: Places) -> Quality:
    return quality(hounslow, lsoas, crime=["Burglary"])


# -------------------------------------------------------------------- Hounslow
def test_every_row_of_the_hounslow_zip_is_accounted_for(hounslow: Incidents) -> None:
    assert (hounslow.rows_read, len(hounslow)) == (39_703, 39_703)


def test_burglaries_of_the_borough(hounslow: Incidents, lsoas: Places) -> None:
    assert hounslow.frame["place"].isin(study_area(lsoas, "in_borough")).sum() == 17_444


def test_households_of_the_borough(lsoas: Places) -> None:
    inside = lsoas.select(study_area(lsoas, "in_borough"))
    assert (len(inside), int(inside.households.sum())) == (142, 94_902)  # type: ignore[union-attr]


def test_codes_join_the_areas(judged: Quality) -> None:
    assert round(judged.value("codes"), 4) == 0.9964


def test_repeated_crime_ids(judged: Quality) -> None:
    assert judged.value("repeats") == 590


def test_dropped_repeats_are_refused_and_not_lost(pack: Path) -> None:
    dropped = police_uk(pack / "street_burglary_2012_2019_police_uk_layout.zip", repeats="drop")
    assert (len(dropped.rejected), dropped.rows_read) == (590, 39_703)


def test_no_month_is_missing(judged: Quality) -> None:
    assert judged.value("months") == 0


def test_all_months_use_codes_of_2011(hounslow: Incidents, uk: Path) -> None:
    profiles = uk / "lsoa_profiles"
    known_2011 = pd.read_parquet(profiles / "lsoa11_england_wales.parquet")["lsoa11_code"]
    known_2021 = pd.read_parquet(profiles / "lsoa21_england_wales.parquet")["lsoa21_code"]
    table = vintage(hounslow.frame["place"], hounslow.months, known_2011=known_2011, known_2021=known_2021)
    assert set(table["edition"]) == {"2011"}


@pytest.mark.parametrize(("edition", "last"), [("11", LAST_2011), ("21", LAST_2021)])
def test_the_highest_codes_of_an_edition(uk: Path, edition: str, last: dict[str, str]) -> None:
    profiles = pd.read_parquet(uk / "lsoa_profiles" / f"lsoa{edition}_england_wales.parquet")
    codes = profiles[f"lsoa{edition}_code"]
    assert {prefix: codes[codes.str.startswith(prefix)].max() for prefix in last} == last


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("point", {"treated": (205, 188), "later": (560, 599), "rest": (1001, 961)}),
        ("code", {"treated": (204, 188), "later": (561, 600), "rest": (1000, 959)}),
    ],
)
def test_totals_by_ward_before_and_in_the_first_year(
    hounslow: Incidents, lsoas: Places, wards: Places, uk: Path, by: str, expected: dict[str, tuple[int, int]]
) -> None:
    published = pd.read_csv(uk / "mettrace_published" / "mettrace_treated_wards.csv")
    first = set(published.loc[published["start_month"] == published["start_month"].min(), "WD14CD"])
    later = set(published["WD14CD"]) - first
    borough = set(wards.index[wards.frame["LAD14NM"] == "Hounslow"])
    groups = {"treated": first, "later": later, "rest": borough - first - later}
    if by == "point":
        ward = hounslow.place_of(wards, by="point")
    else:
        ward = hounslow.place_of(lsoas, by="code").map(lsoas.frame["WD14CD"])
    month = hounslow.months.astype("str")
    before, after = month.between("2014-05", "2015-04"), month.between("2015-05", "2016-04")
    found = {
        name: (int(ward[before].isin(held).sum()), int(ward[after].isin(held).sum()))
        for name, held in groups.items()
    }
    assert found == expected


@pytest.mark.parametrize(("file", "rows"), [("pois_ogl.csv.gz", 6_554), ("pois_osm_odbl.csv.gz", 3_206)])
def test_every_point_of_interest_is_in_a_layer(pack: Path, file: str, rows: int) -> None:
    layers, rejected = features(pack / file, category="category", licence="licence")
    assert (sum(len(layer) for layer in layers.values()), len(rejected)) == (rows, 0)


def test_degrees_and_metres_of_the_points_of_interest_agree(pack: Path) -> None:
    # the file holds both; 10 m covers the grid and the plain datum shift, and the rounding of degrees
    metres, _ = features(pack / "pois_ogl.csv.gz", category="source")
    degrees, _ = features(pack / "pois_ogl.csv.gz", category="source", longitude="lon", latitude="lat")
    for name, layer in metres.items():
        apart = layer.features.geometry.distance(degrees[name].features.geometry)
        assert apart.median() < 10


def test_the_chapter_on_hounslow(pack: Path) -> None:
    sources = Sources(
        PlacesSource("hounslow_1km_lsoa_2011.gpkg", "LSOA11CD", "HHOLDS", "LSOA11NM", "in_borough"),
        (IncidentSource("street_burglary_2012_2019_police_uk_layout.zip"),),
        (LayerSource("pois_ogl.csv.gz", "category", licence="licence"),),
        pack,
    )
    outcome, *_ = run(sources, Parameters(), crime=("Burglary",), seed=1)
    assert outcome.section.findings == [
        "39,703 rows were read from 96 files: none was refused.",
        "39,703 of them are burglary, January 2012 to December 2019: 4,963 a year.",
        "39,559 (99.6 %) are in the project's 324 areas, counted by the area code in the extract.",
        "Dates are months and points are snapped to streets: near-repeat and daily forecasts are not supported by this extract.",
        "No check asks for attention before these rows are modelled.",
    ]


# -------------------------------------------------------------------- other forces
def test_the_city_of_london_has_a_gap_of_three_years(uk: Path) -> None:
    city = reading(uk / "city_of_london_street" / "raw")
    london = areas(uk / "boundaries_london" / "london_lsoa_2011.gpkg", id="LSOA11CD")
    checks = quality(city.incidents, london).checks.set_index("check")
    assert (len(city.files), city.incidents.rows_read) == (69, 42_686)
    assert city.incidents.frame["type"].eq("Burglary").sum() == 1_527
    assert checks.loc["months", "sentence"].endswith("36 months are missing: January 2014 to December 2016.")
    assert round(checks.loc["blanks", "value"], 3) == 0.065
    assert "Public disorder and weapons" in checks.loc["types", "sentence"]


def test_a_month_of_south_yorkshire(uk: Path) -> None:
    month = police_uk(uk / "south_yorkshire_street" / "raw_sample")
    stored = pd.read_parquet(uk / "south_yorkshire_street" / "south-yorkshire_2018-01_2021-09.parquet")
    stored = stored[stored["month"] == "2019-03"]
    assert month.rows_read == len(stored)
    assert month.frame["type"].value_counts().to_dict() == stored["crime_type"].value_counts().to_dict()
    assert (~month.located).sum() == stored["longitude"].isna().sum()


def test_south_yorkshire_codes_join_their_own_boundaries(uk: Path) -> None:
    month = police_uk(uk / "south_yorkshire_street" / "raw_sample")
    own = areas(uk / "boundaries_south_yorkshire" / "south-yorkshire_lsoa_2011.gpkg", id="LSOA11CD")
    # 99.79 % over the 44 months; a single month may lie a little either side
    assert quality(month, own).value("codes") == pytest.approx(0.9979, abs=0.002)


@pytest.mark.parametrize("month", ["2010-12", "2015-04", "2018-01"])
def test_a_month_of_the_metropolitan_police(uk: Path, month: str) -> None:
    folder = uk / "met_burglary"
    found = police_uk(folder / "raw_sample" / f"{month}-metropolitan-street.csv.gz")
    stored = pd.read_parquet(
        folder / "met_burglary_2010-12_2021-12.parquet",
        columns=["month", "longitude"], filters=[("month", "==", month)],
    )  # fmt: skip
    assert (found.rows_read, int((~found.located).sum())) == (
        len(stored),
        int(stored["longitude"].isna().sum()),
    )


# -------------------------------------------------------------------- dated extracts
POINTS = {"start": "datetime", "longitude": "lon", "latitude": "lat"}


def test_mexico_city_has_152_impossible_coordinates(shared: Path) -> None:
    path = shared / "data" / "world" / "misc_points" / "mexico_city_carjacking_2019.csv.gz"
    found = table(path, POINTS, type="Carjacking", to=32614)
    assert (found.rows_read, len(found), found.precision) == (2_811, 2_811, "minute")
    assert found.frame["fault"].notna().sum() == 152


def test_one_czech_row_has_no_date(shared: Path) -> None:
    path = shared / "data" / "world" / "misc_points" / "czechia_motorcycle_theft_2020.csv.gz"
    found = table(path, POINTS | {"id": "id"}, type="Motorcycle theft", to=32633)
    assert (found.rows_read, found.rejected["reason"].tolist()) == (9_464, ["no start"])
    assert found.located.all()


def test_san_francisco_is_in_its_own_projection(shared: Path) -> None:
    path = shared / "data" / "world" / "misc_points" / "san_francisco_personal_robbery_2019.csv"
    mapping = {"start": "date_time", "longitude": "lon", "latitude": "lat", "type": "offense_type"}
    found = table(path, mapping, to=32610)
    assert (found.rows_read, len(found)) == (951, 951)
    assert np.allclose(found.frame.geometry.x.median(), 550_000, atol=20_000)
