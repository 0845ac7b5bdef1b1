"""Missions: what fits is taken, the rest is drawn with known chances, and the files can be read back."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from peelian.errors import DataError, DesignError, PrivacyError
from peelian.incidents import Incidents
from peelian.maps import Layered
from peelian.places import Places
from peelian.predict.dosage import dosage, explored
from peelian.predict.missions import Missions, missions, street_kilometres
from peelian.predict.patrol import by_kind
from peelian.predict.patrol_files import ENDINGS, patrol_file, patrol_files
from peelian.predict.sheets import sheets
from peelian.predict.shifts import hours_of, shift_shares

CELLS = Places.grid(gpd.GeoSeries([box(530_000, 180_000, 531_000, 181_000)], crs="EPSG:27700"), 100)
RISK = pd.Series(np.random.default_rng(3).gamma(0.5, 1, len(CELLS)), CELLS.index)
WEST = pd.Series(np.where(CELLS.points.x < 530_500, "West", "East"), CELLS.index)
ABOUT = {"crime": "burglary", "day": "2019-06-03", "shift": "late"}


def made(**change: object) -> Missions:
    asked: dict[str, object] = {"boxes": 10, "patrol_area": WEST, "seed": 1} | ABOUT | change
    return missions(RISK, CELLS, **asked)  # type: ignore[arg-type]


# -------------------------------------------------------------------- who is chosen
def test_each_patrol_area_gets_its_riskiest_boxes_and_a_tenth_at_random() -> None:
    frame = made().frame
    assert frame.groupby(["patrol_area", "kind"]).size().to_dict() == {
        ("East", "explore"): 1, ("East", "planned"): 9, ("West", "explore"): 1, ("West", "planned"): 9,
    }  # fmt: skip
    east = frame[(frame["patrol_area"] == "East") & (frame["kind"] == "planned")]["place"]
    assert set(east) == set(RISK[WEST == "East"].nlargest(9).index)


def test_the_chance_of_a_drawn_box_is_known() -> None:
    drawn = made().frame.query("kind == 'explore'")
    assert drawn["probability"].tolist() == pytest.approx([1 / 41, 1 / 41])


def test_drawn_boxes_are_drawn_with_the_chance_they_carry() -> None:
    days = [made(day=str(day), boxes=20, explore=0.5, patrol_area=None).frame for day in range(60)]
    drawn = pd.concat(days).query("kind == 'explore'")
    assert (drawn["probability"] == 10 / 90).all()
    counts = drawn["place"].value_counts()
    assert len(counts) == 90
    assert counts.max() < 20  # 6.7 of 60 days expected


def test_the_same_seed_gives_the_same_missions_whatever_the_order_of_rows() -> None:
    shuffled = RISK.sample(frac=1, random_state=5)
    again = missions(shuffled, CELLS, boxes=10, patrol_area=WEST, seed=1, **ABOUT)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(again.frame, made().frame)


def test_kilometres_are_all_or_nothing() -> None:
    streets = pd.Series(np.where(RISK.gt(RISK.median()), 2.0, 0.4), CELLS.index)
    frame = made(boxes=None, kilometres=5.0, streets=streets, explore=0.0).frame
    length = frame.groupby("patrol_area")["kilometres"].sum()
    assert (length <= 5.0).all()
    assert (length > 5.0 - 0.4).all()  # nothing more would have fitted


def test_kits_are_counted_by_what_a_place_needs() -> None:
    need = pd.Series(30.0, CELLS.index)
    assert len(made(boxes=None, kits=100, need=need, explore=0.0, patrol_area=None).frame) == 3


def test_a_plan_s_visits_go_to_the_riskiest_places_of_each_area() -> None:
    visits = pd.Series({"West": 3, "East": 1})
    frame = made(boxes=None, patrol_area=None, visits=visits, within=WEST, explore=0.0).frame
    assert (frame["kind"] == "planned").all()
    for area, number in visits.items():
        own = RISK[area == WEST]
        assert set(frame["place"]) & set(own.index) == set(own.nlargest(number).index)


def test_more_visits_than_places_are_visits_to_the_riskiest_again() -> None:
    two = RISK.nlargest(2).index
    within = pd.Series(np.where(CELLS.index.isin(two), "here", "elsewhere"), CELLS.index)
    frame = made(
        boxes=None, patrol_area=None, visits=pd.Series({"here": 3}), within=within, explore=0.0, minutes=15
    ).frame.set_index("place")
    assert frame["minutes"].to_dict() == {two[0]: 30.0, two[1]: 15.0}


def test_the_visit_worth_least_is_given_up_for_one_drawn_at_random() -> None:
    visits = pd.Series({"West": 6, "East": 4})
    frame = made(boxes=None, patrol_area=None, visits=visits, within=WEST).frame
    whole = made(boxes=None, patrol_area=None, visits=visits, within=WEST, explore=0.0).frame
    assert frame["kind"].value_counts().to_dict() == {"planned": 9, "explore": 1}
    given_up = set(whole["place"]) - set(frame.query("kind == 'planned'")["place"])
    assert given_up == {whole.set_index("place")["expected"].idxmin()}
    assert frame.query("kind == 'explore'")["probability"].tolist() == pytest.approx([1 / 91])


def test_places_without_risk_are_never_planned() -> None:
    risk = RISK.where(RISK.gt(RISK.quantile(0.98)), 0.0)
    frame = missions(risk, CELLS, boxes=10, explore=0.0, seed=1, **ABOUT).frame  # type: ignore[arg-type]
    assert len(frame) == 2


def test_stops_are_numbered_along_a_walk() -> None:
    frame = made(patrol_area=None).frame
    assert frame["order"].tolist() == list(range(1, 11))
    steps = np.hypot(frame["x"].diff(), frame["y"].diff()).sum()
    shuffled = frame.sample(frac=1, random_state=2)
    assert steps < np.hypot(shuffled["x"].diff(), shuffled["y"].diff()).sum()


def test_a_custom_box_is_marked_and_comes_on_top() -> None:
    custom = pd.DataFrame({"place": [RISK.idxmin()], "reason": ["a closed street market"]})
    frame = made(custom=custom, patrol_area=None).frame
    own = frame[frame["place"] == RISK.idxmin()].iloc[0]
    assert (own["kind"], own["reason"], len(frame)) == ("custom", "a closed street market", 11)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"boxes": None}, DesignError, "one limit: boxes, kilometres or kits"),
        ({"kits": 5}, DesignError, "Given: boxes, kits"),
        ({"boxes": None, "kilometres": 5.0}, DesignError, "need a file of streets"),
        ({"boxes": None, "kits": 5}, DesignError, "need households by place"),
        ({"explore": 1.0}, DesignError, "explore is a share"),
        ({"custom": pd.DataFrame({"place": ["nowhere"], "reason": ["x"]})}, DataError, "no places"),
        ({"custom": pd.DataFrame({"place": [RISK.idxmin()], "reason": [""]})}, DataError, "without a reason"),
        ({"custom": pd.DataFrame({"place": [RISK.idxmin()]})}, DataError, "need the columns"),
    ],
)
def test_what_cannot_be_done_is_said(change: dict[str, object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        made(**change)


def test_street_kilometres_are_the_part_inside_each_cell() -> None:
    street = gpd.GeoDataFrame(geometry=[LineString([(530_050, 180_050), (530_350, 180_050)])], crs=CELLS.crs)
    found = street_kilometres(street, CELLS)
    assert found.sum() == pytest.approx(0.3)
    assert found["x01y00"] == pytest.approx(0.1)


def test_streets_elsewhere_are_refused() -> None:
    street = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (1, 1)])], crs=CELLS.crs)
    with pytest.raises(DataError, match="reach none of the places"):
        street_kilometres(street, CELLS)


# -------------------------------------------------------------------- shifts
def timed(precision: str = "minute") -> Incidents:
    rng = np.random.default_rng(1)
    start = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 300, 600), "D")
    east = rng.random(600) < 0.5
    hour = np.where(east, 23, 9)  # East at night, West in the morning
    start = start + pd.to_timedelta(hour, "h")
    points = gpd.points_from_xy(np.where(east, 530_950, 530_050), np.full(600, 180_050))
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.Timedelta(1, "min"), "type": "burglary", "source": "made"},
        geometry=points, crs=CELLS.crs,
    )  # fmt: skip
    return Incidents(frame, precision=precision)  # type: ignore[arg-type]


def test_a_place_with_a_clock_of_its_own_keeps_it() -> None:
    shares = shift_shares(timed(), CELLS, {"early": "06-14", "late": "14-22", "night": "22-06"})
    assert shares.loc["x09y00", "night"] > 0.95
    assert shares.loc["x00y00", "early"] > 0.95
    assert np.allclose(shares.sum(axis=1), 1)


def test_a_place_without_records_takes_the_clock_of_all() -> None:
    shares = shift_shares(timed(), CELLS, {"early": "06-14", "night": "22-06"})
    assert shares.loc["x05y05", "night"] == pytest.approx(0.5, abs=0.05)


def test_shifts_need_times_of_day() -> None:
    with pytest.raises(DesignError, match="dated by day, and missions by shift need times"):
        shift_shares(timed("day"), CELLS, {"early": "06-14"})


@pytest.mark.parametrize(
    ("shifts", "says"),
    [({"a": "6 to 14"}, "write the hours"), ({"a": "06-14", "b": "13-22"}, "both hold the hour from 13")],
)
def test_shifts_that_cannot_be_read_or_overlap_are_refused(shifts: dict[str, str], says: str) -> None:
    with pytest.raises(DesignError, match=says):
        hours_of(shifts)


# -------------------------------------------------------------------- files
def test_every_file_is_made_and_the_same_twice() -> None:
    first, second = (patrol_files(made(), CELLS) for _ in range(2))
    assert set(first) == {f"missions{ending}" for ending in ENDINGS}
    assert all(first[name] == second[name] for name in first if isinstance(first[name], str))


def test_gpx_has_a_waypoint_a_stop_and_a_route_a_mission_in_order() -> None:
    root = ElementTree.fromstring(patrol_file(made(), CELLS, ".gpx"))
    space = "{http://www.topografix.com/GPX/1/1}"
    assert (root.tag, root.get("version")) == (f"{space}gpx", "1.1")
    assert len(root.findall(f"{space}wpt")) == 20
    routes = root.findall(f"{space}rte")
    assert [len(route.findall(f"{space}rtept")) for route in routes] == [10, 10]
    numbers = [point.find(f"{space}name").text.split()[0] for point in routes[0].findall(f"{space}rtept")]  # type: ignore[union-attr]
    assert numbers == [str(number) for number in range(1, 11)]
    assert next(iter(root)).tag == f"{space}wpt"  # waypoints stand before routes, as the schema asks


def test_geojson_is_in_degrees_and_holds_the_boxes() -> None:
    text = patrol_file(made(), CELLS, ".geojson")
    held = gpd.read_file(io.BytesIO(text.encode()))
    assert len(held) == 20
    west, south, east, north = held.total_bounds
    assert -1 < west < east < 1
    assert 51 < south < north < 52
    assert "crs" not in json.loads(text)  # RFC 7946 knows no other


def test_kml_names_each_stop() -> None:
    held = gpd.read_file(io.BytesIO(patrol_file(made(), CELLS, ".kml").encode()))
    assert len(held) == 20
    assert held["Name"].iloc[0].startswith("1 x")


def test_the_geopackage_is_styled_and_in_the_places_crs() -> None:
    found = patrol_file(made(), CELLS, ".gpkg")
    assert isinstance(found, Layered)
    assert set(found.layers) == set(found.styles) == {"boxes", "stops"}
    assert found.layers["boxes"].crs == CELLS.crs


def test_every_file_with_a_place_for_it_opens_with_the_verdict_and_what_cannot_be_known() -> None:
    first = (
        "No model did better than counting. Use the count. What the map cannot know: <crimes> not reported."
    )
    files = patrol_files(made(), CELLS, first=first)
    escaped = first.replace("<", "&lt;").replace(">", "&gt;")
    assert f"<metadata><desc>{escaped}</desc></metadata>" in "".join(
        line.strip() for line in files["missions.gpx"].splitlines()
    )
    assert json.loads(files["missions.geojson"])["description"] == first
    assert f"<description>{escaped}</description>" in files["missions.kml"]
    assert files["missions.gpkg"].about == first


def test_every_mission_is_a_page_with_its_map_its_stops_and_what_the_map_cannot_know() -> None:
    streets = gpd.GeoDataFrame(geometry=[LineString([(530_000, 180_500), (531_000, 180_500)])], crs=CELLS.crs)
    missions_made = made()
    text = sheets(
        missions_made, CELLS, streets=streets, first=("Use the count.", "<Nobody> knows."), marking="OFFICIAL"
    )
    page = ElementTree.fromstring(
        text.removeprefix("<!DOCTYPE html>")
        .replace('<meta charset="utf-8">', "")
        .replace('<meta name="viewport" content="width=device-width, initial-scale=1">', "")
    )
    sections = page.findall(".//section")
    assert [section.findtext("h1") for section in sections] == [
        "East, 2019-06-03, late",
        "West, 2019-06-03, late",
    ]
    for section in sections:
        words = "".join(section.itertext())
        assert "OFFICIAL" in words
        assert "Use the count." in words
        assert "<Nobody> knows. A box is a place to be visible in" in words
        assert len(section.findall(".//tbody/tr")) == 10
        drawn = section.find("svg")
        assert drawn is not None
        assert len(drawn.findall("polygon")) == 10
        assert [number.text for number in drawn.findall("text")][:10] == [str(n) for n in range(1, 11)]
        assert any(line.get("stroke") == "#b1b4b6" for line in drawn.findall("polyline"))


def test_there_is_no_other_file() -> None:
    with pytest.raises(DesignError, match=r"no patrol file '.shp'"):
        patrol_file(made(), CELLS, ".shp")


# -------------------------------------------------------------------- what was delivered
def checkins(**change: object) -> pd.DataFrame:
    frame = made().frame
    rows = pd.concat(
        [
            frame.iloc[:8][["day", "shift", "place"]].assign(minutes=minutes, crew=crew)
            for crew, minutes in enumerate((5, 4, 3, 2, 1))
        ]
    )
    return rows.assign(**change)


def test_the_dose_is_minutes_delivered_of_those_planned() -> None:
    done = dosage(checkins(), made().frame)
    assert (done.boxes["delivered"].sum(), done.boxes["minutes"].sum()) == (8 * 15, 20 * 15)
    assert int((done.boxes["visits"] == 0).sum()) == 12
    assert "Of 300 planned minutes in 20 stops, 120 were delivered (40 %)" in done.sentences[0]


def test_visits_elsewhere_are_counted() -> None:
    rows = checkins()
    rows.loc[rows.index[0], "place"] = "x99y99"
    assert dosage(rows, made().frame).elsewhere == 5


def test_minutes_of_fewer_than_five_crews_are_not_shown() -> None:
    done = dosage(checkins(crew=1), made().frame)
    assert done.few > 0
    assert done.shifts.loc[done.shifts["crews"].isna(), "delivered_minutes"].isna().all()


def test_what_patrols_find_is_police_generated() -> None:
    assert "police_generated" in " ".join(dosage(checkins(found=1), made().frame).sentences)


def test_names_of_officers_are_refused() -> None:
    with pytest.raises(PrivacyError, match="who was on patrol is no business"):
        dosage(checkins(officer="PC 123"), made().frame)


def test_minutes_that_cannot_be_are_refused() -> None:
    with pytest.raises(DataError, match="missing, negative or over a day"):
        dosage(checkins(minutes=-1), made().frame)


def test_drawn_boxes_estimate_the_rest_without_bias_and_with_a_fair_interval() -> None:
    rng = np.random.default_rng(7)
    crime = [rng.poisson(rng.gamma(1, 1, 60)) for _ in range(12)]
    truth = float(sum(c.sum() for c in crime))
    found = []
    for _ in range(400):
        drawn = [c[rng.choice(60, 5, replace=False)] for c in crime]
        found.append(explored(np.concatenate(drawn), np.repeat(np.arange(12), 5), np.full(12, 60)))
    assert np.mean([f.total for f in found]) == pytest.approx(truth, rel=0.03)
    assert 0.9 < np.mean([f.low <= truth <= f.high for f in found]) <= 0.99


def test_three_draws_of_the_same_places_are_one_estimate_with_less_spread() -> None:
    counts, rest = np.array([0.0, 1, 2, 1, 0, 2, 2, 1, 0]), np.array([100, 100, 100])
    thrice = explored(counts, np.repeat([0, 1, 2], 3), rest, repeats=3)
    assert (thrice.total, thrice.places, thrice.drawn) == (100.0, 100, 9)
    once = explored(counts[:3], np.zeros(3, int), rest[:1])
    assert thrice.high - thrice.low < once.high - once.low


def test_where_nothing_was_seen_the_interval_does_not_end_at_nothing() -> None:
    found = explored(np.zeros(30), np.zeros(30, int), np.array([600]))
    assert (found.low, found.high) == (0.0, 60.0)


def test_boxes_that_somebody_added_are_scored_apart() -> None:
    past = pd.DataFrame(
        {
            "kind": ["planned", "planned", "custom", "explore"], "place": ["a", "a", "b", "c"],
            "day": ["2019-06-03"] * 4, "expected": [0.5, 0.7, 0.2, 0.1],
        }
    )  # fmt: skip
    found = by_kind(past, pd.Series([3.0, 3.0, 0.0, 1.0])).set_index("kind")
    assert found.loc["planned", ["box_days", "expected", "recorded"]].tolist() == [
        1,
        1.2,
        3,
    ]  # two shifts, one day
    assert found.loc["custom", ["box_days", "expected", "recorded"]].tolist() == [1, 0.2, 0]
    assert found.loc["explore", "recorded"] == 1
    assert (found["low"] <= found["expected"]).all()
    assert (found["high"] >= found["expected"]).all()


def test_incidents_outside_are_left_alone() -> None:
    far = replace(timed(), frame=timed().frame.assign(geometry=gpd.points_from_xy([0] * 600, [0] * 600)))
    shares = shift_shares(far, CELLS, {"early": "06-14"})
    assert shares.shape == (100, 1)
