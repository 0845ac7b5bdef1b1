"""Real areas and their profiles. Expected numbers are those of the READMEs of ../shared/data/uk."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from peelian.read.areas import areas
from peelian.read.layers_by_reader import read_layers
from peelian.read.licences import attributions
from peelian.read.lookups import lookup
from peelian.read.profiles_area import carried, joined, profile


@pytest.fixture(scope="module")
def uk(shared: Path) -> Path:
    return shared / "data" / "uk"


def test_every_area_of_south_yorkshire_has_a_profile(uk: Path) -> None:
    own = areas(uk / "boundaries_south_yorkshire" / "south-yorkshire_lsoa_2011.gpkg", id="LSOA11CD")
    held = profile(uk / "lsoa_profiles" / "lsoa11_england_wales.parquet", id="lsoa11_code")
    found = joined(own, held, households="households_2011")
    assert found.sentence == "853 of 853 areas (100.0 %) are in the profile."
    assert int(found.places.households.sum()) == 565_442  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("file", "places", "households", "people"),
    [
        ("lsoa11_england_wales.parquet", "london_lsoa_2011.gpkg", 3_266_173, 8_173_941),
        ("lsoa21_england_wales.parquet", "london_lsoa_2021.gpkg", 3_423_841, 8_799_810),
    ],
)
def test_london_adds_up_to_its_published_totals(
    uk: Path, file: str, places: str, households: int, people: int
) -> None:
    year = "20" + file[4:6]
    london = areas(uk / "boundaries_london" / places, id=f"LSOA{file[4:6]}CD")
    found = joined(london, profile(uk / "lsoa_profiles" / file, id=f"{file[:6]}_code"))
    assert found.share == 1.0
    frame = found.places.frame
    assert int(frame[f"households_{year}"].sum()) == households
    # disclosure control of the Census of 2021 moves small counts about: the areas add up to within 0.01 %
    assert frame[f"residents_{year}"].sum() == pytest.approx(people, rel=1e-4)


@pytest.mark.parametrize("theme", ["dwellings", "tenure", "ethnicity", "occupancy"])
def test_the_parts_of_a_theme_are_the_whole(uk: Path, theme: str) -> None:
    held = profile(uk / "lsoa_profiles" / "lsoa21_england_wales.parquet", id="lsoa21_code")
    whole = held.frame["residents_2021" if theme == "ethnicity" else "households_2021"]
    apart = held.of(theme).sum(axis=1) / whole - 1
    assert apart.abs().median() < 0.01


def test_the_atlas_knows_age_tenure_and_deprivation_of_london(uk: Path) -> None:
    held = profile(uk / "lsoa_profiles" / "london_lsoa11_atlas_imd_dwellings.parquet", id="lsoa11_code")
    assert {"households", "people", "dwellings", "tenure", "ethnicity", "deprivation"} <= set(
        held.columns["theme"]
    )
    assert held.of("tenure", year="2011").shape[0] == 4_835


def test_a_profile_crosses_the_change_of_areas_and_keeps_its_totals(uk: Path) -> None:
    held = profile(
        uk / "lsoa_profiles" / "lsoa11_england_wales.parquet", id="lsoa11_code", themes=["households"]
    )
    walk = lookup(uk / "boundaries_london" / "london_lsoa11_to_lsoa21.csv", old="LSOA11CD", new="LSOA21CD")
    found = carried(held, walk).frame["households_2011"]
    assert len(found) == 4_994
    assert found.sum() == pytest.approx(3_266_173, rel=1e-12)


@pytest.mark.parametrize(
    ("layer", "id", "rows"),
    [
        ("london_msoa_2011", "MSOA11CD", 983), ("london_msoa_2021", "MSOA21CD", 1_002),
        ("london_ward_2014", "WD14CD", 625), ("london_ward_2018", "WD18CD", 633),
        ("london_ward_2024", "WD24CD", 684), ("london_borough_2022", "LAD22CD", 33),
    ],
)  # fmt: skip
def test_every_edition_of_london_is_read(uk: Path, layer: str, id: str, rows: int) -> None:
    assert len(areas(uk / "boundaries_london" / f"{layer}.gpkg", id=id)) == rows


@pytest.mark.parametrize(
    ("file", "old", "new", "rows"),
    [
        ("london_lsoa11_to_ward14_by_point.csv", "LSOA11CD", "WD14CD", 4_835),
        ("london_lsoa11_to_ward18_by_point.csv", "LSOA11CD", "WD18CD", 4_833),
        ("london_lsoa21_to_ward24_to_lad24.csv", "LSOA21CD", "WD24CD", 4_994),
    ],
)
def test_every_lookup_of_london_is_read(uk: Path, file: str, old: str, new: str, rows: int) -> None:
    path = uk / "boundaries_london" / file
    found = lookup(path, old=old, new=new)
    assert len(found.old) == rows
    assert len(found.pieces) + len(found.unmatched) == len(pd.read_csv(path))


def test_an_invalid_comuna_is_mended(shared: Path) -> None:
    path = shared / "data" / "world" / "medellin_homicide_2010_2019" / "comunas.geojson"
    assert len(areas(path, id="COMUNA", name="NOMBRE", crs=3116)) == 21


def test_stations_of_medellin_are_features(shared: Path) -> None:
    folder = shared / "data" / "world" / "medellin_homicide_2010_2019"
    given = {"category": "sistema", "licence": "CC BY-SA"}
    layers, rejected = read_layers("features", folder / "metro_stations.csv", given, to=3116, folder=folder)
    assert {name: len(layer) for name, layer in layers.items()} == {"Cable": 20, "Metro": 28}
    assert len(rejected) == 0


def test_points_of_chicago_are_features(shared: Path) -> None:
    folder = shared / "data" / "world" / "chicago_layers"
    layers, rejected = read_layers(
        "features", folder / "pois.csv.gz", {"category": "type"}, to=26971, folder=folder
    )
    assert (sum(map(len, layers.values())), len(rejected)) == (14_619, 0)


def test_openstreetmap_and_government_sources_stay_apart(uk: Path) -> None:
    folder = uk / "flagship_hounslow"
    given = {"category": "category", "licence": "licence"}
    found = [
        attributions(read_layers("features", folder / name, given, to=27700, folder=folder)[0])
        for name in ("pois_ogl.csv.gz", "pois_osm_odbl.csv.gz")
    ]
    assert [set(table["share_alike"]) for table in found] == [{False}, {True}]
