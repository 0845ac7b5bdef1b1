"""Shares of kits by group on a small plan."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError
from peelian.places import Places
from peelian.plan import allocate, equity, frontier, if_under_reported

HOMES = {"a": 100, "b": 100, "c": 100, "d": 100}
AREAS = Places.of(
    gpd.GeoDataFrame(
        {"households": list(HOMES.values())}, index=list(HOMES),
        geometry=[box(i, 0, i + 1, 1) for i in range(4)], crs="EPSG:27700",
    )
)  # fmt: skip
GROUP = pd.Series({"a": "rich", "b": "rich", "c": "poor", "d": "poor"})


@pytest.fixture(scope="module")
def plan():
    month = pd.Period("2016-01", "M")
    risk = pd.Series({"a": 40.0, "b": 30.0, "c": 28.0, "d": 10.0})
    return allocate(risk, AREAS, kits=170, fitted_on=(month - 48, month - 13), start=month)


def test_shares_of_kits_homes_and_crime(plan) -> None:
    table = equity(plan, GROUP, draws=50, seed=1).set_index("group")
    assert table.loc["rich", ["kits_share", "household_share", "ratio"]].tolist() == [1.0, 0.5, 2.0]


def test_the_interval_holds_the_ratio(plan) -> None:
    table = equity(plan, GROUP, draws=200, seed=1)
    assert ((table["low"] <= table["ratio"]) & (table["ratio"] <= table["high"])).all()


def test_groups_add_up_to_the_plan(plan) -> None:
    assert equity(plan, GROUP, draws=10, seed=1)["kits"].sum() == plan.summary["kits_used"]


def test_what_equal_shares_cost(plan) -> None:
    table = frontier(plan, GROUP, norms=(0.0, 1.0))
    assert table[["risk", "worst"]].to_numpy().tolist() == [[70.0, 0.0], [68.0, 1.0]]


def test_who_would_enter_if_crime_went_unreported(plan) -> None:
    table = if_under_reported(plan, ["c", "d"], missing=(0.05, 0.3))
    assert table["entering"].tolist() == ["", "c"]


def test_a_group_that_lacks_an_area_is_refused(plan) -> None:
    with pytest.raises(DataError, match="group lacks 1 areas of the plan: d"):
        equity(plan, GROUP.drop("d"), seed=1)
