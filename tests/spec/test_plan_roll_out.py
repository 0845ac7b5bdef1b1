"""From a plan to months, streets, orders and shops, on small tables."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from peelian.arithmetic.routes import visiting_order, walk_metres
from peelian.errors import DataError, DesignError
from peelian.places import Places
from peelian.plan import allocate, kit_orders, schedule, shop_visits, street_lists
from peelian.plan.streets import Shift

AREAS = Places.of(
    gpd.GeoDataFrame(
        {"households": [100, 100, 100]}, index=list("abc"),
        geometry=[box(500 * i, 0, 500 * i + 500, 500) for i in range(3)], crs="EPSG:27700",
    )
)  # fmt: skip
START = pd.Period("2016-01", "M")


@pytest.fixture(scope="module")
def plan():
    risk = pd.Series({"a": 40.0, "b": 30.0, "c": 5.0})
    return allocate(risk, AREAS, kits=170, fitted_on=(START - 48, START - 13), start=START)


def streets(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["street", "place", "dwellings", "x", "y"])


STREETS = streets(
    [
        ("Acacia Road", "a", 60, 10, 0), ("Birch Road", "a", 45, 400, 0), ("Cedar Road", "a", 10, 200, 0),
        ("Cedar Road", "b", 20, 200, 0), ("Dale Road", "b", 90, 700, 0), ("Elm Path", "b", None, 600, 0),
    ]
)  # fmt: skip


# ------------------------------------------------------------------- months
def test_an_area_is_finished_before_the_next_is_begun(plan) -> None:
    work = schedule(plan, 50)
    assert list(zip(work["place"], work["month"].astype(str), work["kits"], strict=True)) == [
        ("a", "2016-01", 50), ("a", "2016-02", 35), ("b", "2016-02", 15), ("b", "2016-03", 50),
        ("b", "2016-04", 20),
    ]  # fmt: skip


def test_a_drawn_order_is_kept(plan) -> None:
    assert schedule(plan, 500, order=pd.Series({"a": 2, "b": 1}))["place"].tolist() == ["b", "a"]


def test_teams_work_at_the_same_time(plan) -> None:
    work = schedule(plan, 85, team=pd.Series({"a": "north", "b": "south"}))
    assert work["month"].nunique() == 1


def test_kits_of_the_schedule_are_those_of_the_plan(plan) -> None:
    assert schedule(plan, 7)["kits"].sum() == plan.summary["kits_used"]


def test_too_little_time_is_refused_with_the_month_that_would_do(plan) -> None:
    with pytest.raises(DesignError, match="all lacks 70 kits of capacity and would be done in 2016-04"):
        schedule(plan, 50, months=2)


def test_orders_cover_the_work_and_its_spare_share(plan) -> None:
    orders = kit_orders(schedule(plan, 50), lead_months=2, spare=0.1)
    assert orders.astype(str).to_numpy().tolist() == [
        ["2015-11", "2016-01", "165"],
        ["2016-02", "2016-04", "22"],
    ]


# ------------------------------------------------------------------- streets
def test_kits_of_streets_are_those_of_their_area(plan) -> None:
    assert street_lists(plan, STREETS).groupby("place")["kits"].sum().to_dict() == {"a": 85, "b": 85}


def test_a_street_on_the_edge_belongs_whole_to_the_area_of_most_of_its_homes(plan) -> None:
    row = street_lists(plan, STREETS).set_index("street").loc["Cedar Road"]
    assert (row["place"], row["dwellings"]) == ("b", 30)


def test_a_street_that_no_address_list_has_is_walked_and_named(plan) -> None:
    row = street_lists(plan, STREETS).set_index("street").loc["Elm Path"]
    assert (row["listed"], row["kits"]) == (False, 0)


def test_a_round_ends_before_its_doors_are_passed(plan) -> None:
    table = street_lists(plan, STREETS, shift=Shift.of_figures(minutes=9999, carried=99))
    assert table[table["place"] == "a"]["round"].tolist() == [1, 2]


def test_the_row_order_of_streets_is_irrelevant(plan) -> None:
    pd.testing.assert_frame_equal(street_lists(plan, STREETS[::-1]), street_lists(plan, STREETS))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (STREETS[STREETS["place"] == "a"], "has none in b"),
        (STREETS.assign(dwellings=1), "a needs 85 kits, but its streets hold 4 homes"),
        (STREETS.drop(columns="x"), "lack the column x"),
    ],
)
def test_streets_that_cannot_hold_the_kits_are_refused(plan, rows, words: str) -> None:
    with pytest.raises(DataError, match=words):
        street_lists(plan, rows)


def test_the_walk_along_a_line_goes_from_end_to_end() -> None:
    points = [[20, 0], [0, 0], [30, 0], [10, 0]]
    assert walk_metres(points, visiting_order(points)) == 30


def test_turning_pieces_round_shortens_the_walk() -> None:
    """2-opt is within a few per cent of the shortest of all walks of eight points from the same start."""
    from itertools import permutations

    points = np.random.default_rng(5).uniform(0, 100, (8, 2))
    order = visiting_order(points, start=0)
    shortest = min(walk_metres(points, [0, *rest]) for rest in permutations(range(1, 8)))
    assert walk_metres(points, order) <= 1.1 * shortest


def test_a_point_without_coordinates_is_refused() -> None:
    with pytest.raises(DataError, match="no coordinates"):
        visiting_order([[0, 0], [np.nan, 1]])


# ------------------------------------------------------------------- shops
def test_shops_near_chosen_areas_come_first(plan) -> None:
    shops = gpd.GeoSeries([Point(5000, 0), Point(1200, 100)], index=["far", "near"], crs="EPSG:27700")
    table = shop_visits(plan, AREAS, shops)
    assert table[["shop", "nearest", "first"]].to_numpy().tolist() == [
        ["near", "b", True],
        ["far", "b", False],
    ]


def test_shops_without_a_crs_are_refused(plan) -> None:
    with pytest.raises(DataError, match="no CRS"):
        shop_visits(plan, AREAS, gpd.GeoSeries([Point(0, 0)]))
