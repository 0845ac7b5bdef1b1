"""The parts of the stage beside backtest and map, as the loop and ``--only`` make them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from peelian.errors import DataError, DesignError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict.cautions import MAPS
from peelian.predict.extras import PARTS
from peelian.predict.only import only
from peelian.predict.patrol import Given
from peelian.predict.run import Parameters, run
from peelian.report import Chart, Outcome, Table, Text
from tests.spec.test_predict_ledger import scored

STUDY = gpd.GeoSeries([box(0, 0, 2000, 1500)], crs="EPSG:27700")
CELLS = Places.grid(STUDY, 250)
AREAS = Places.of(
    gpd.GeoDataFrame(
        {
            "households": np.arange(400, 412), "decile": np.arange(12) % 10 + 1, "ward": list("NNNSSSNNNSSS"),
            "rented": np.linspace(5, 60, 12), "reported": np.linspace(0.4, 0.9, 12),
        },
        index=[f"a{n:02d}" for n in range(12)],
        geometry=[box(500 * (n % 4), 500 * (n // 4), 500 * (n % 4) + 500, 500 * (n // 4) + 500) for n in range(12)],
        crs=STUDY.crs,
    )
)  # fmt: skip
STREETS = gpd.GeoDataFrame(
    geometry=[LineString([(0, y), (2000, y)]) for y in range(50, 1500, 250)], crs=STUDY.crs
)
ASKED: dict[str, object] = {
    "horizon": "week", "origins": 4, "methods": (), "missions": {"boxes": 6, "patrol_area": "ward", "days": 3},
    "audit": {"share": 0.3, "deprivation": "decile", "tenure": {"rented": "rented"}, "reporting": "reported"},
    "triggering": {"marks": ("decile",), "most": 300},
}  # fmt: skip
ABOUT = {"seed": 1, "crime": "burglary"}


def incidents(precision: str = "minute") -> Incidents:
    rng = np.random.default_rng(4)
    number = 3_000
    start = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 600 * 24 * 60, number), "min")
    if precision == "month":
        start = start.to_period("M").to_timestamp()
    at = rng.choice(len(CELLS), number, p=(weight := rng.gamma(0.6, 1, len(CELLS))) / weight.sum())
    end = start + (pd.offsets.MonthBegin(1) if precision == "month" else pd.Timedelta(1, "min"))
    frame = gpd.GeoDataFrame(
        {"start": start, "end": end, "type": "Burglary", "source": "simulated"},
        geometry=CELLS.points.iloc[at].to_numpy(), crs=CELLS.crs,
    )  # fmt: skip
    return Incidents(frame, precision=precision)  # type: ignore[arg-type]


INCIDENTS = incidents()


def part(name: str, **change: object) -> Outcome:
    beside = {key: change.pop(key) for key in ("given", "ledger") if key in change}
    parameters = Parameters(**(ASKED | change))  # type: ignore[arg-type]
    return only(name, INCIDENTS, CELLS, AREAS, parameters, **beside, **ABOUT)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def whole() -> Outcome:
    parameters = Parameters(**ASKED)  # type: ignore[arg-type]
    return run(INCIDENTS, CELLS, AREAS, parameters, given=Given(streets=STREETS), **ABOUT)  # type: ignore[arg-type]


def words(outcome: Outcome) -> str:
    return " ".join(block.text for block in outcome.section.blocks if isinstance(block, Text))


def test_missions_are_made_for_each_area_day_and_shift(whole: Outcome) -> None:
    frame = whole.files["missions.csv"]
    assert frame["mission"].nunique() == 2 * 3 * 3
    assert frame["mission"].iloc[0] == "N, 2019-08-24, early"
    assert frame["kilometres"].sum() > 0
    assert {"missions.gpx", "missions.kml", "missions.geojson", "missions.gpkg"} <= set(whole.files)


def test_the_expected_number_is_that_of_the_day_and_the_shift(whole: Outcome) -> None:
    frame, total = whole.files["missions.csv"], whole.summary["forecast"]["total"]
    one = frame[(frame["day"] == "2019-08-24") & (frame["shift"] == "early")]
    assert one["expected"].sum() < total / 7 / 2


def test_every_stop_has_its_reason(whole: Outcome) -> None:
    frame = whole.files["missions.csv"]
    assert frame.loc[frame["kind"] == "planned", "reason"].str.contains("in the last 12 months").all()
    assert frame.loc[frame["kind"] == "explore", "reason"].str.contains("chance of 1 in").all()


def test_the_audit_is_in_the_chapter_and_its_numbers_in_files(whole: Outcome) -> None:
    said = words(whole)
    assert "Who is chosen: of the 30 % of homes" in said
    assert "Raised by the share that a survey says is reported" in said
    assert {"audit.json", "audit_exposure.csv", "audit_parity.csv", "audit_frontier.csv"} <= set(whole.files)
    assert json.loads(json.dumps(whole.summary))["audit"]["smallest_difference"] is not None


def test_the_top_cells_say_what_of_them_is_own_history(whole: Outcome) -> None:
    table = next(b for b in whole.section.blocks if isinstance(b, Table) and b.name == "predict_top")
    assert table.frame["from own history"].between(0, 1).all()


def test_what_goes_with_triggering_is_in_the_chapter_where_it_is_asked(whole: Outcome) -> None:
    """Nothing was planted: no interval leaves out 1, and there may be nothing to tell one from."""
    table = whole.files["triggering.csv"]
    assert len(table) == 1
    assert not ((table["low"] > 1) | (table["high"] < 1)).any()
    assert "predict_triggering" in {block.name for block in whole.section.blocks if isinstance(block, Table)}
    assert whole.summary["triggering"]["used"] == 300


def test_without_columns_of_people_the_audit_says_what_is_lacking() -> None:
    made = part("audit", audit={})
    assert "Not held for the audit: deprivation ([predict.audit] deprivation" in words(made)


def test_days_and_shifts_are_refused_on_months_and_the_ranked_places_stand() -> None:
    asked = Parameters(**(ASKED | {"horizon": "month"}))  # type: ignore[arg-type]
    made = only("missions", incidents("month"), CELLS, AREAS, asked, **ABOUT)  # type: ignore[arg-type]
    assert "Missions by date and shift are refused: these burglaries are dated by month" in words(made)
    assert set(made.files["missions.csv"]["day"]) == {"September 2019"}


def test_without_times_all_shifts_share_one_map() -> None:
    made = only("missions", incidents("day"), CELLS, AREAS, Parameters(**ASKED), **ABOUT)  # type: ignore[arg-type]
    assert "all shifts share one map" in words(made)


def test_without_streets_boxes_are_cells_and_that_is_said() -> None:
    assert "so boxes are cells of 250 m, not kilometres" in words(part("missions"))


def test_kilometres_without_streets_are_refused() -> None:
    with pytest.raises(DesignError, match="need a file of streets"):
        part("missions", missions={"kilometres": 3})


def test_missions_take_the_visits_of_a_plan_where_the_table_sets_no_limit() -> None:
    visits = pd.DataFrame({"place": ["a00", "a05"], "visits": ["2", "1"], "cost": [30.0, 15.0]})
    made = part("missions", missions=None, given=Given(visits=visits))
    frame = made.files["missions.csv"]
    assert frame.groupby("mission").size().eq(3).all()
    planned = frame[frame["kind"] == "planned"]
    assert set(AREAS.locate(CELLS.points).loc[planned["place"]]) <= {"a00", "a05"}
    assert "The plan's 3 visits a shift go to the riskiest cells of its 2 areas" in words(made)


def test_visits_of_areas_that_are_none_are_refused() -> None:
    visits = pd.DataFrame({"place": ["a00", "b99"], "visits": [2, 1]})
    with pytest.raises(DataError, match="b99"):
        part("missions", missions=None, given=Given(visits=visits))


def test_minutes_of_the_missions_are_set_against_homes_and_crime(whole: Outcome) -> None:
    minutes = whole.files["audit_minutes.csv"].set_index("group")
    deciles = minutes[minutes["of"] == "deprivation"]
    assert deciles["share_chosen"].sum() == pytest.approx(1)
    planned = whole.files["missions.csv"]["minutes"].sum()
    assert (
        deciles["each_1000"] * deciles["share_of_homes"]
    ).sum() * AREAS.households.sum() / 1_000 == pytest.approx(planned)


def test_the_stop_rule_stands_on_the_map_and_on_the_missions(tmp_path: Path) -> None:
    ledger = scored(tmp_path, 5.0)
    for name in ("map", "missions"):
        made = part(name, ledger=ledger)
        banner = made.section.blocks[1]
        assert isinstance(banner, Text)
        assert banner.kind == "warning"
        assert banner.text.startswith("Over the last 6 periods ewma did no better than counts(12)")
        if name == "map":
            assert banner.text in next(b.note for b in made.section.blocks if isinstance(b, Chart))
        else:
            assert banner.text in made.files["missions.html"]


def test_a_patrol_area_that_is_no_column_is_refused() -> None:
    with pytest.raises(DataError, match="patrol_area names 'beat'"):
        part("missions", missions={"boxes": 3, "patrol_area": "beat"})


def test_map_and_backtest_stand_alone() -> None:
    assert set(part("map").files) == {"forecast.csv"}
    assert "backtest_pairs.csv" in part("backtest").files


def leaks(prior_to: str) -> Outcome:
    terrain = pd.Series(np.linspace(0.5, 2, len(CELLS)), CELLS.index)
    asked = Parameters(**(ASKED | {"methods": ("blend",)}))  # type: ignore[arg-type]
    return only("leakage", INCIDENTS, CELLS, AREAS, asked, prior=terrain, prior_to=prior_to, **ABOUT)  # type: ignore[arg-type]


def test_a_terrain_that_saw_the_month_that_is_forecast_is_a_leak_and_no_baseline_is() -> None:
    found = leaks("2019-08")
    table = found.files["leakage.csv"].set_index("method")
    assert found.summary["leakage"]["leaking"] == ["blend"]
    assert set(table["sees the future"].drop("blend")) == {"no"}
    assert len(table) >= 12
    assert "Its risk terrain saw months to August 2019." in table.loc["blend", "what was found"]


def test_dosage_reads_check_ins_and_estimates_the_rest(whole: Outcome) -> None:
    planned = whole.files["missions.csv"].assign(day="2019-08-01")
    rows = planned.iloc[:40].assign(crew=np.arange(40) % 7, minutes=10)
    given = Given(checkins=rows[["day", "shift", "place", "minutes", "crew"]], planned=planned)
    made = part("dosage", given=given)
    assert made.summary["dosage"]["planned_minutes"] == len(planned) * 15
    assert "boxes drawn at random speak for" in words(made)
    assert set(made.files["boxes.csv"]["kind"]) == {"planned", "explore"}


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("dosage", {}, "There are no check-ins"),
        ("weather", {}, "names no weather"),
        ("missions", {"missions": None}, "No missions are asked for"),
        ("everything", {}, "no part 'everything' of predict; there are map, backtest"),
    ],
)
def test_a_part_without_its_input_says_what_to_add(name: str, change: dict[str, object], says: str) -> None:
    with pytest.raises(DesignError, match=says):
        part(name, **change)


def test_the_parts_are_those_of_the_command() -> None:
    assert PARTS == ("map", "backtest", "leakage", "missions", "dosage", "weather", "audit")


def test_a_station_s_address_is_named_and_kept_and_so_is_what_lies_outside() -> None:
    frame = INCIDENTS.frame
    station = frame.geometry.iloc[0]
    at_one = frame.geometry.where(np.arange(len(frame)) % 5 < 2, station)
    far = gpd.points_from_xy([900_000.0], [900_000.0])[0]
    moved = at_one.where(np.arange(len(frame)) % 20 != 0, far)
    held = replace(INCIDENTS, frame=frame.assign(geometry=gpd.GeoSeries(moved, crs=CELLS.crs)))
    made = run(held, CELLS, AREAS, Parameters(**(ASKED | {"audit": {"on": False}})), **ABOUT)  # type: ignore[arg-type]
    warnings = [b.text for b in made.section.blocks if isinstance(b, Text) and b.kind == "warning"]
    assert any(
        "of the 3,000 incidents lie at one point (a station's address?). They are kept" in w for w in warnings
    )
    assert any(w.startswith("5.0 % of the 3,000 incidents lie outside every cell") for w in warnings)
    shown = [b for b in made.section.blocks if isinstance(b, Chart) and b.name in MAPS]
    assert len(shown) == 3
    for chart in shown:
        assert "5.0 % of the 3,000 incidents lie outside every cell" in chart.note
        assert "Nothing says of the 3,000 incidents whether victims reported them" in chart.note


def test_weeks_are_tested_on_a_year_of_them_and_months_on_two_years() -> None:
    assert (
        Parameters(horizon="week").tested_on,
        Parameters().tested_on,
        Parameters(origins=3).tested_on,
    ) == (52, 24, 3)


def test_thirty_incidents_are_counted_and_marked_as_too_few() -> None:
    few = replace(INCIDENTS, frame=INCIDENTS.frame.iloc[:30])
    asked = Parameters(horizon="week", origins=4, methods=())
    made = run(few, CELLS, AREAS, asked, **ABOUT)  # type: ignore[arg-type]
    said = words(made)
    assert "Too few to learn from (30 burglaries; 50 are needed): only plain counts are shown." in said
    assert "kde gave no forecast" in said
    assert made.summary["map"] == "counts(365)"


def test_areas_that_lie_on_each_other_are_refused_by_pair() -> None:
    shapes = AREAS.frame.geometry.tolist()
    shapes[1] = shapes[0].buffer(100)
    laid = Places.of(gpd.GeoDataFrame({"households": 1}, index=AREAS.index, geometry=shapes, crs=STUDY.crs))
    with pytest.raises(DataError, match=r"lie on each other: .* most of it to a00 and a01"):
        run(INCIDENTS, CELLS, laid, Parameters(), **ABOUT)  # type: ignore[arg-type]


FORBIDDEN = (
    "will happen",
    "hotspot offender",
    "criminal area",
    "significant",
    "proves",
    "crime will",
    "suspect ",
)


def test_no_sentence_of_the_chapter_speaks_of_people_or_of_what_will_happen(whole: Outcome) -> None:
    said = json.dumps(whole.section.as_json()).lower()
    assert [word for word in FORBIDDEN if word in said] == []
