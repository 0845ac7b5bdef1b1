"""The audit on London: who lives in the tenth of homes with most expected burglary, 24 months to the end of 2019.

Provenance: ``data/uk/met_burglary``, ``boundaries_london`` and ``lsoa_profiles`` (Open Government Licence v3.0).
The numbers are our own, first computed for this test; tolerance .02 of a ratio, what another version of the
libraries may move. They stand in docs/explanation/fairness-and-feedback.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict.audit import Groups, error_parity, exposure, groups_of, taken
from peelian.predict.planning import planning_risk
from peelian.predict.reporting import smallest_difference

PEOPLE = {
    "White": "White (%)", "Asian": "Asian/Asian British (%)",
    "Black": "Black/African/Caribbean/Black British (%)",
}  # fmt: skip
RENTED = "Tenure|Private rented (%)|2011"


class London(NamedTuple):
    """Groups by area, what was chosen and what was recorded, places x origins, and last year's counts."""

    groups: Groups
    chosen: np.ndarray
    outcomes: np.ndarray
    last_year: pd.Series
    deprived: pd.Series


@pytest.fixture(scope="module")
def london(shared: Path) -> London:
    data = shared / "data" / "uk"
    rows = pd.read_parquet(
        data / "met_burglary" / "met_burglary_2010-12_2021-12.parquet", columns=["month", "lsoa_code"]
    )
    month = rows["month"].astype(str)
    rows = rows[month.between("2016-01", "2019-12")].reset_index(drop=True)
    start = pd.to_datetime(rows["month"].astype(str))
    frame = gpd.GeoDataFrame(
        {
            "start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "Met",
            "place": rows["lsoa_code"],
        },
        geometry=gpd.GeoSeries([None] * len(rows), crs=27700),
    )  # fmt: skip
    incidents = Incidents(frame, precision="month", snapped=True, published=True)
    areas = gpd.read_file(data / "boundaries_london" / "london_lsoa_2011.gpkg").set_index("LSOA11CD")
    atlas = pd.read_parquet(data / "lsoa_profiles" / "london_lsoa11_atlas_imd_dwellings.parquet")
    atlas = atlas.set_index("lsoa11_code").reindex(areas.index)
    national = pd.read_parquet(data / "lsoa_profiles" / "lsoa11_england_wales.parquet").set_index(
        "lsoa11_code"
    )
    held = areas[["geometry"]].assign(
        households=atlas["Households|All households|2011"],
        decile=national["imd2019_IMD_decile"].reindex(areas.index), rented=atlas[RENTED],
        **{name: atlas[f"Ethnic Group|{column}|2011"] for name, column in PEOPLE.items()},
    )  # fmt: skip
    places = Places.of(held)
    groups = groups_of(
        places, deprivation="decile", residents=dict(zip(PEOPLE, PEOPLE, strict=True)),
        tenure={"private rented": "rented"},
    )  # fmt: skip
    assert groups is not None
    found = planning_risk(incidents, places, fitted_to=pd.Period("2019-12", "M"), by="code", seed=1)
    assert found.tested is not None
    chosen = [taken(risk, groups.homes.to_numpy(), 0.1) for risk in found.tested.forecasts["ewma(12)"].T]
    last_year = incidents.between("2019-01", "2020-01").counts(places, by="code")
    decile = places.frame["decile"]
    return London(
        groups, np.column_stack(chosen), found.tested.outcomes, last_year, decile <= decile.quantile(1 / 3)
    )


def test_who_is_chosen(london: London) -> None:
    size = london.groups.homes.to_numpy()
    table = exposure(london.chosen, london.outcomes, london.groups, size=size, seed=1).set_index("group")
    expected = {
        "decile 1": 1.37,
        "decile 10": 0.23,
        "White": 0.97,
        "Asian": 1.13,
        "Black": 0.92,
        "private rented": 1.35,
    }
    for group, ratio in expected.items():
        assert table.loc[group, "to_homes"] == pytest.approx(ratio, abs=0.02), group


def test_whose_burglary_is_found(london: London) -> None:
    table = error_parity(london.chosen, london.outcomes, london.groups, seed=1).set_index("group")
    assert table.loc["private rented", "ratio"] == pytest.approx(1.53, abs=0.02)
    assert table.loc["Black", "ratio"] == pytest.approx(0.87, abs=0.02)
    assert table.loc["Black", "ratio_high"] < 1


def test_the_smallest_gap_in_reporting_that_moves_a_tenth(london: London) -> None:
    found = smallest_difference(
        london.last_year,
        chosen=484,
        deprived=london.deprived,
        households=london.groups.homes,
        draws=50,
        seed=1,
    )
    assert found.points == pytest.approx(15, abs=1)
