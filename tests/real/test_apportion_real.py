"""London's change of areas in 2021, on real lookups: mixed months are joined right, totals are kept.

Data: ../shared/data/uk (Open Government Licence v3.0). A mixed month is made from the published lookup: real
burglaries with 2011 codes, half of those in changed areas given the 2021 code of the area they lie in.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.places import Places
from peelian.read.apportion import common, common_places, one_edition, recoded
from peelian.read.areas import areas
from peelian.read.lookups import Crosswalk, lookup, overlay
from peelian.read.vintage import vintage


@pytest.fixture(scope="module")
def london(shared: Path) -> Path:
    return shared / "data" / "uk" / "boundaries_london"


@pytest.fixture(scope="module")
def walk(london: Path, shared: Path) -> Crosswalk:
    held = shared / "data" / "uk" / "lsoa_profiles"
    new = pd.read_parquet(held / "lsoa21_england_wales.parquet").set_index("lsoa21_code")["residents_2021"]
    old = pd.read_parquet(held / "lsoa11_england_wales.parquet").set_index("lsoa11_code")["residents_2011"]
    people = pd.concat([new, old[~old.index.isin(new.index)]])
    return lookup(london / "london_lsoa11_to_lsoa21.csv", old="LSOA11CD", new="LSOA21CD", people=people)


@pytest.fixture(scope="module")
def new_areas(london: Path) -> Places:
    return areas(london / "london_lsoa_2021.gpkg", id="LSOA21CD")


@pytest.fixture(scope="module")
def old_areas(london: Path) -> Places:
    return areas(london / "london_lsoa_2011.gpkg", id="LSOA11CD", households="HHOLDS")


@pytest.fixture(scope="module")
def burglaries(shared: Path, walk: Crosswalk) -> pd.DataFrame:
    frame = pd.read_parquet(
        shared / "data" / "uk" / "met_burglary" / "met_burglary_2010-12_2021-12.parquet",
        columns=["month", "lsoa_code", "longitude", "latitude"],
        filters=[("month", "in", ["2021-10", "2021-11", "2021-12"])],
    ).rename(columns={"lsoa_code": "code"})
    frame = frame[frame["code"].isin(walk.old)].reset_index(drop=True)
    frame["month"] = pd.PeriodIndex(frame["month"], freq="M")
    return frame


@pytest.fixture(scope="module")
def mixed(burglaries: pd.DataFrame, walk: Crosswalk, new_areas: Places) -> pd.DataFrame:
    """The burglaries with every second row in a changed area under its 2021 code, as police.uk mixes them."""
    points = gpd.GeoSeries.from_xy(burglaries["longitude"], burglaries["latitude"], crs=4326).to_crs(27700)
    within = new_areas.locate(points)
    pairs = pd.MultiIndex.from_frame(walk.pieces[["old", "new"]])
    sound = pd.MultiIndex.from_arrays([burglaries["code"], within.fillna("")]).isin(pairs)
    changed = burglaries["code"].ne(within) & sound
    recode = changed & (np.arange(len(burglaries)) % 2 == 0)
    return burglaries.assign(
        true=within.where(sound), point=points, changed=changed, code=within.where(recode, burglaries["code"])
    )


def test_the_months_are_seen_to_be_mixed(mixed: pd.DataFrame, walk: Crosswalk) -> None:
    table = vintage(mixed["code"], mixed["month"], known_2011=walk.old, known_2021=walk.new)
    assert set(table["edition"]) == {"mixed"}


def test_without_a_lookup_rows_of_mixed_months_are_lost(mixed: pd.DataFrame, new_areas: Places) -> None:
    assert (~mixed["code"].isin(new_areas.index)).sum() > 100


def test_every_row_of_a_mixed_month_finds_an_area(
    mixed: pd.DataFrame, walk: Crosswalk, new_areas: Places
) -> None:
    found = recoded(mixed["code"], walk, new_areas, points=gpd.GeoSeries(mixed["point"], crs=27700))
    assert found["place"].notna().all()


def test_rows_of_a_mixed_month_find_the_right_area(
    mixed: pd.DataFrame, walk: Crosswalk, new_areas: Places
) -> None:
    found = recoded(mixed["code"], walk, new_areas, points=gpd.GeoSeries(mixed["point"], crs=27700))
    asked = mixed["changed"] & mixed["true"].notna()
    assert asked.sum() > 200
    assert (found["place"][asked] == mixed["true"][asked]).all()


def test_going_back_to_2011_needs_no_point_for_areas_that_were_cut(
    burglaries: pd.DataFrame, mixed: pd.DataFrame, walk: Crosswalk, old_areas: Places
) -> None:
    found = recoded(mixed["code"], walk, old_areas)
    exact = found["how"].isin(["same code", "whole area"])
    assert (found["place"][exact] == burglaries["code"][exact]).all()
    assert exact.mean() > 0.99


@pytest.mark.parametrize("to", ["new", "old", "common"])
def test_one_series_crosses_the_change_and_keeps_its_total(
    mixed: pd.DataFrame, walk: Crosswalk, to: str
) -> None:
    counts = mixed.groupby(["code", "month"]).size().rename_axis(["place", "month"])
    found = one_edition(counts, walk, to=to)  # type: ignore[arg-type]
    assert len(found.unplaced) == 0
    apart = found.values.groupby(level="month").sum() - counts.groupby(level="month").sum()
    assert apart.abs().max() <= 1e-9 * counts.sum()


def test_a_panel_on_common_areas_is_the_same_from_either_edition(
    burglaries: pd.DataFrame, mixed: pd.DataFrame, walk: Crosswalk
) -> None:
    one, other = (
        one_edition(
            frame.groupby(["code", "month"]).size().rename_axis(["place", "month"]), walk, to="common"
        )
        for frame in (burglaries, mixed)
    )
    pd.testing.assert_series_equal(one.values, other.values)


def test_london_keeps_its_households_on_the_common_areas(old_areas: Places, walk: Crosswalk) -> None:
    held = common_places(old_areas, walk)
    assert len(held) == common(walk).nunique() == 4_813
    assert int(held.households.sum()) == 3_266_173  # type: ignore[union-attr]


def test_wards_by_land_agree_with_the_published_best_fit(london: Path, old_areas: Places) -> None:
    wards = areas(london / "london_ward_2014.gpkg", id="WD14CD")
    from peelian.read.apportion import best_fit

    published = pd.read_csv(london / "london_lsoa11_to_ward14_by_point.csv").set_index("LSOA11CD")["WD14CD"]
    found = best_fit(overlay(old_areas, wards).forward).reindex(published.index)
    # the published one is by a representative point; both layers are simplified
    assert (found == published).mean() > 0.99
