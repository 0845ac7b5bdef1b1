"""Missions and the audit on real places: St Louis by the minute, Hounslow by the month.

Provenance: ``data/world/stlouis_2015_2019`` (ODC-By 1.0), ``data/uk/flagship_hounslow`` (Open Government Licence
v3.0). Bands: which shares come out is a matter of fact of the data; half a point is left for rounding.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict.only import only
from peelian.predict.run import Parameters
from peelian.predict.shifts import USUAL, shift_shares
from peelian.report import Outcome, Text

GROUPS = {"White": "pct_white", "Asian": "pct_asian", "Black": "pct_black"}


class Real(NamedTuple):
    """Burglaries, the grid and the areas."""

    incidents: Incidents
    cells: Places
    areas: Places


def words(outcome: Outcome) -> str:
    return " ".join(block.text for block in outcome.section.blocks if isinstance(block, Text))


@pytest.fixture(scope="module")
def stlouis(shared: Path) -> Real:
    data = shared / "data" / "world" / "stlouis_2015_2019"
    rows = pd.read_csv(data / "crimes.csv.gz", usecols=["datetime", "offense", "x", "y"])
    rows = rows[(rows["offense"] == "burglary") & rows["x"].notna()].reset_index(drop=True)
    start = pd.to_datetime(rows["datetime"])
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.Timedelta(1, "min"), "type": "burglary", "source": "SLMPD"},
        geometry=gpd.points_from_xy(rows["x"], rows["y"], crs="ESRI:102696"),
    ).to_crs(26996)
    city = gpd.read_file(data / "boundary.geojson").to_crs(26996)
    areas = Places.of(city.assign(place="city").set_index("place")[["geometry"]])
    return Real(Incidents(frame, precision="minute"), Places.grid(city, 250), areas)


@pytest.fixture(scope="module")
def hounslow(shared: Path) -> Real:
    pack = shared / "data" / "uk" / "flagship_hounslow"
    columns = ["Month", "Longitude", "Latitude", "LSOA code"]
    with zipfile.ZipFile(pack / "street_burglary_2012_2019_police_uk_layout.zip") as archive:
        late = [name for name in sorted(archive.namelist()) if name > "2016" or "/2016" in name]
        rows = pd.concat(
            [pd.read_csv(archive.open(name), usecols=columns) for name in late], ignore_index=True
        )
    start = pd.to_datetime(rows["Month"])
    frame = gpd.GeoDataFrame(
        {
            "start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "police.uk",
            "place": rows["LSOA code"],
        },
        geometry=gpd.points_from_xy(rows["Longitude"], rows["Latitude"], crs="EPSG:4326"),
    ).to_crs(27700)  # fmt: skip
    held = gpd.read_file(pack / "hounslow_1km_lsoa_2011.gpkg").set_index("LSOA11CD")
    own = held[held["in_borough"]].rename(columns={"HHOLDS": "households"})
    incidents = Incidents(frame, precision="month", snapped=True, published=True)
    return Real(incidents, Places.grid(own.geometry, 200), Places.of(own))


@pytest.fixture(scope="module")
def patrols(stlouis: Real) -> Outcome:
    asked = Parameters(horizon="week", origins=2, methods=(), missions={"boxes": 20, "days": 2})  # type: ignore[arg-type]
    return only("missions", *stlouis, asked, seed=1, crime="burglary")


def test_st_louis_by_shift(patrols: Outcome) -> None:
    frame = patrols.files["missions.csv"]
    assert frame.groupby("mission").size().tolist() == [20] * 6
    assert frame["day"].unique().tolist() == ["2020-01-01", "2020-01-02"]
    assert frame["kind"].value_counts().to_dict() == {"planned": 108, "explore": 12}
    assert "Share of the risk by shift: early (06-14 h) 4" in words(patrols)


def test_the_shares_of_st_louis_are_those_of_its_clock(stlouis: Real) -> None:
    shares = shift_shares(stlouis.incidents, stlouis.cells, USUAL)
    hours = stlouis.incidents.frame["start"].dt.hour
    whole = np.array([((hours >= 6) & (hours < 14)).mean(), ((hours >= 14) & (hours < 22)).mean()])
    held = stlouis.incidents.counts(stlouis.cells)
    mean = (shares.mul(held, axis=0).sum() / held.sum()).to_numpy()
    assert mean[:2] == pytest.approx(whole, abs=0.005)
    assert mean.sum() == pytest.approx(1)


def test_hounslow_has_ranked_places_and_no_shifts(hounslow: Real) -> None:
    asked = Parameters(origins=2, methods=(), missions={"boxes": 10, "patrol_area": "WD14NM"})  # type: ignore[arg-type]
    made = only("missions", *hounslow, asked, seed=1, crime="burglary", by="code")
    assert "Missions by date and shift are refused: these burglaries are dated by month" in words(made)
    assert made.files["missions.csv"]["patrol_area"].nunique() == 20


def test_who_is_chosen_in_hounslow(hounslow: Real) -> None:
    asked = Parameters(
        origins=24, methods=(), audit={"deprivation": "imd2019_IMD_decile", "residents": GROUPS, "draws": 50}
    )  # type: ignore[arg-type]
    made = only("audit", *hounslow, asked, seed=1, crime="burglary", by="code")
    kits = made.files["audit_exposure.csv"].set_index("group")
    assert kits["share_of_homes"][list(GROUPS)].sum() == pytest.approx(0.923, abs=0.005)
    assert (kits["to_homes_low"] <= kits["to_homes"]).all()
    assert (kits["to_homes"] <= kits["to_homes_high"]).all()
    deciles = kits[kits["of"] == "deprivation"]
    assert deciles["share_of_homes"].sum() == pytest.approx(1)
    assert deciles["share_chosen"].sum() == pytest.approx(1)
    assert made.summary["audit"]["smallest_difference"]["points"] < 60
