"""Plans side by side, the page for the decision, and what is fixed of the evaluation."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.places import Places
from peelian.plan import Belief, allocate, compare_scenarios, evaluation_plan, randomise
from peelian.plan.run import Parameters, run
from peelian.programme import Programme

AREAS = Places.of(
    gpd.GeoDataFrame(
        {"households": [100, 100, 100]}, index=list("abc"),
        geometry=[box(500 * i, 0, 500 * i + 500, 500) for i in range(3)], crs="EPSG:27700",
    )
)  # fmt: skip
START = pd.Period("2016-01", "M")
RISK = pd.Series({"a": 40.0, "b": 30.0, "c": 5.0})
BELIEF = Belief(0.8, 0.7, 0.9, draws=200)


def plan(kits: int, risk: pd.Series = RISK, **keywords):
    return allocate(
        risk, AREAS, kits=kits, unit_cost=10.0, fitted_on=(START - 48, START - 13), start=START, **keywords
    )


def test_scenarios_stand_side_by_side() -> None:
    table = compare_scenarios({"two": plan(170), "one": plan(85)}, BELIEF, seed=1)
    assert table[["plan", "areas", "kits", "pounds", "only_here"]].to_numpy().tolist() == [
        ["two", 2, 170, 1700.0, 0], ["one", 1, 85, 850.0, 0],
    ]  # fmt: skip


def test_a_smaller_plan_prevents_less_on_the_same_draws() -> None:
    table = compare_scenarios({"two": plan(170), "one": plan(85)}, BELIEF, seed=1)
    assert table["less"].iloc[1] > 0


def test_scenarios_say_who_is_left_out() -> None:
    group = pd.Series({"a": "n", "b": "n", "c": "s"})
    table = compare_scenarios({"two": plan(170), "all": plan(255)}, BELIEF, seed=1, group=group)
    assert table["worst"].tolist() == [0.0, 1.0]


def test_one_plan_is_no_comparison() -> None:
    with pytest.raises(DesignError, match="two plans at least"):
        compare_scenarios({"one": plan(85)}, BELIEF, seed=1)


def test_plans_of_another_risk_are_refused() -> None:
    with pytest.raises(DataError, match="other areas or another risk"):
        compare_scenarios({"one": plan(85), "other": plan(85, 2 * RISK)}, BELIEF, seed=1)


def test_the_page_for_the_decision_holds_the_findings_of_the_chapter() -> None:
    months = pd.period_range("2012-01", "2014-12", freq="M", name="month")
    counts = pd.DataFrame(dict.fromkeys(months, RISK / 12)).rename_axis("place").rename_axis(columns="month")
    found = run(RISK, (START - 48, START - 13), AREAS, Programme("Past"), counts.stack(),
                Parameters(kits=170), seed=1, crime="burglary")  # fmt: skip
    assert all(words in found.files["decision.md"] for words in found.section.findings)


def test_the_evaluation_is_fixed_with_the_areas_and_the_start() -> None:
    fixed = evaluation_plan(plan(170), crime="burglary")
    assert (fixed["treated"], fixed["start"], fixed["months_before"]) == (["a", "b"], "2016-01", 12)


def test_a_drawn_list_goes_into_the_rule() -> None:
    drawn = randomise(["a", "b", "c"], seed="lottery 4 8 15")
    fixed = evaluation_plan(plan(255), crime="burglary", assignment=drawn)
    assert f"seed 'lottery 4 8 15', attempt 0, list {drawn.hash}." in fixed["rule"]


def test_no_field_of_the_evaluation_is_blank() -> None:
    fixed = evaluation_plan(
        plan(170), crime="burglary", negative_controls=["shoplifting"], mde=0.2, effect=0.8
    )
    assert all(value not in ("", None, []) for value in fixed.values())


# ------------------------------------------------------------------- a drawn plan
@pytest.fixture(scope="module")
def drawn():
    ids = [f"p{n:02d}" for n in range(24)]
    areas = Places.of(
        gpd.GeoDataFrame(
            {"households": [100] * 24}, index=ids,
            geometry=[box(500 * i, 0, 500 * i + 500, 500) for i in range(24)], crs="EPSG:27700",
        )
    )  # fmt: skip
    months = pd.period_range("2012-01", "2014-12", freq="M", name="month")
    risk = pd.Series(np.linspace(60, 20, 24), ids)
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(rng.poisson(risk.to_numpy()[:, None] / 12, (24, 36)), areas.index, months)
    return run(risk, (START - 48, START - 13), areas, Programme("Past"), wide.stack(),
               Parameters(kits=510, trial="pairs", trial_seed="lottery 4 8 15"), seed=1,
               crime="burglary")  # fmt: skip


def test_half_of_the_pool_is_treated(drawn) -> None:
    arms = drawn.files["programme.csv"]["arm"].value_counts().to_dict()
    assert arms == {"treated": 6, "control": 6, "excluded": 12}


def test_the_drawn_areas_need_no_more_kits_than_there_are(drawn) -> None:
    assert drawn.summary["kits_used"] == 510


def test_the_chapter_says_how_areas_were_drawn(drawn) -> None:
    assert drawn.section.findings[1].startswith(
        "6 of a pool of 12 areas were drawn by hash (design pairs, seed 'lottery 4 8 15', attempt 0, list "
    )


def test_the_list_that_was_drawn_is_a_file(drawn) -> None:
    assert set(drawn.files["assignment.csv"].groupby("block")["arm"].nunique()) == {2}


def test_a_trial_without_a_seed_is_refused() -> None:
    months = pd.period_range("2012-01", "2014-12", freq="M", name="month")
    counts = pd.DataFrame(dict.fromkeys(months, RISK / 12)).rename_axis("place").rename_axis(columns="month")
    with pytest.raises(DesignError, match="A draw needs a seed"):
        run(RISK, (START - 48, START - 13), AREAS, Programme("Past"), counts.stack(),
            Parameters(kits=85, trial="complete"), seed=1)  # fmt: skip
