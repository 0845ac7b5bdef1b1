"""What else [plan] can be asked for: reserves, weights, other limits, exploration, wedges, other plans."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.places import Places
from peelian.plan import Budget, allocate
from peelian.plan.run import Parameters, run
from peelian.programme import Programme, read_programme

START = pd.Period("2016-01", "M")
FITTED = (START - 48, START - 13)
IDS = [f"p{n:02d}" for n in range(24)]
AREAS = Places.of(
    gpd.GeoDataFrame(
        {
            "households": 100, "borough": ["n", "s"] * 12, "imd": range(24), "live": [85.0] + [10.0] * 23,
            "empty": [20.0] * 24, "harm": [1.0] * 23 + [9.0], "shut": [0.3, 0.05] * 12,
        },
        index=IDS, geometry=[box(500 * i, 0, 500 * i + 500, 500) for i in range(24)], crs="EPSG:27700",
    )
)  # fmt: skip
RISK = pd.Series(np.linspace(60.0, 20.0, 24), IDS)


@pytest.fixture(scope="module")
def counts() -> pd.Series:
    months = pd.period_range("2012-01", "2014-12", freq="M", name="month")
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(rng.poisson(RISK.to_numpy()[:, None] / 12, (24, 36)), AREAS.index, months)
    return wide.stack()


def planned(counts: pd.Series, **keys):
    asked = Parameters(**({"kits": 510} | keys))
    return run(
        RISK, FITTED, AREAS, Programme("Kits", kits=510, budget=5100), counts, asked, seed=1, crime="burglary"
    )


def chosen(outcome) -> list[str]:
    return [area["place"] for area in outcome.files["plan.json"]["areas"]]


def found(outcome) -> str:
    return " ".join(outcome.section.findings)


# ------------------------------------------------------------------- kits and homes
def test_kits_for_victims_are_kept_back_before_areas_are_chosen(counts) -> None:
    outcome = planned(counts, reserve=0.2)
    assert len(chosen(outcome)) == 4
    assert "102 further kits are kept for vulnerable and repeat victims" in found(outcome)


def test_live_kits_are_taken_off_an_areas_need(counts) -> None:
    outcome = planned(counts, live_kits="live")
    areas = {area["place"]: area["kits"] for area in outcome.files["plan.json"]["areas"]}
    assert "p00" not in areas  # it is at the line already
    assert set(areas.values()) == {75}


def test_empty_homes_need_no_kit(counts) -> None:
    assert {area["kits"] for area in planned(counts, voids="empty").files["plan.json"]["areas"]} == {68}


def test_a_column_that_is_below_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="live: missing or below 0 for 1 places: p03"):
        allocate(
            RISK,
            AREAS,
            kits=510,
            fitted_on=FITTED,
            start=START,
            live=pd.Series(0.0, IDS).where(RISK.index != "p03", -1.0),
        )


def test_areas_that_cannot_be_reached_are_named_first(counts) -> None:
    outcome = planned(counts, refused="shut", never_in=0.05)
    assert outcome.section.findings[0].startswith(
        "3 chosen areas of 6 cannot reach 85 %: by the homes that refuse or are never in, p00, p02, p04 "
        "reach 65.0 % at most."
    )


# ------------------------------------------------------------------- what is weighed
def test_harm_moves_the_choice_and_not_what_is_expected(counts) -> None:
    outcome = planned(counts, weight="harm")
    assert chosen(outcome)[0] == "p23"
    risk = {area["place"]: area["risk"] for area in outcome.files["plan.json"]["areas"]}
    assert risk["p23"] == pytest.approx(20.0)


def test_pounds_for_signs_are_within_the_budget(counts) -> None:
    free = planned(counts, budget=5100.0)
    held = planned(counts, budget=5100.0, area_pounds=425.0)
    assert (len(chosen(free)), len(chosen(held))) == (6, 4)


def test_officer_hours_limit_the_plan(counts) -> None:
    assert len(chosen(planned(counts, officer_hours=17.0, minutes_a_kit=6.0))) == 2


def test_a_must_that_no_budget_pays_is_named() -> None:
    with pytest.raises(DesignError, match="the budget of 100 pounds would be exceeded"):
        allocate(RISK, AREAS, kits=510, fitted_on=FITTED, start=START, must=["p00"],
                 constraints=[Budget(100.0, 10.0)])  # fmt: skip


# ------------------------------------------------------------------- areas outside the list
@pytest.fixture(scope="module")
def explored(counts):
    return planned(counts, explore=0.34, trial_seed="lottery 4 8 15")


def test_areas_outside_the_list_are_drawn_with_the_kits_kept_for_them(explored) -> None:
    table = explored.files["programme.csv"].set_index("place")
    drawn = table[table["block"] == "explored"]
    assert len(drawn) == 3
    assert not set(drawn.index) & {"p00", "p01", "p02"}
    assert explored.summary["kits_used"] == 510


def test_their_chance_stands_beside_them(explored, tmp_path) -> None:
    explored.files["programme.csv"].to_csv(tmp_path / "programme.csv", index=False)
    back = read_programme(tmp_path / "programme.csv")
    assert back["probability"].dropna().unique() == pytest.approx([3 / 21], abs=1e-6)


def test_exploring_needs_a_seed_that_is_drawn(counts) -> None:
    with pytest.raises(DesignError, match="needs a seed"):
        planned(counts, explore=0.34)


def test_exploring_within_a_trial_is_refused(counts) -> None:
    with pytest.raises(DesignError, match="do not go together"):
        planned(counts, explore=0.1, trial="pairs", trial_seed="x")


# ------------------------------------------------------------------- wedges and spaced pools
def test_the_steps_of_a_wedge_are_its_months(counts) -> None:
    outcome = planned(counts, trial="stepped_wedge", steps=3, step_months=2, trial_seed="lottery 4 8 15")
    table = outcome.files["programme.csv"]
    steps = table[table["arm"] == "treated"].groupby("block")["start"].agg(["nunique", "first", "size"])
    assert steps["first"].tolist() == ["2016-01", "2016-03", "2016-05"]
    assert steps["size"].tolist() == [2, 2, 2]
    assert "All 6 areas are treated in 3 steps whose order was drawn by hash" in found(outcome)


def test_no_step_begins_before_its_month_whatever_the_capacity(counts) -> None:
    outcome = planned(counts, trial="stepped_wedge", steps=3, step_months=2, trial_seed="x", kits_a_month=900)
    months = outcome.files["schedule.csv"].groupby("month")["place"].nunique()
    assert months.to_dict() == {"2016-01": 2, "2016-03": 2, "2016-05": 2}


def test_a_pool_can_be_kept_apart(counts) -> None:
    outcome = planned(counts, trial="complete", trial_seed="x", apart=600.0)
    table = outcome.files["programme.csv"]
    pool = sorted(table.loc[table["arm"] != "excluded", "place"].str[1:].astype(int))
    assert np.diff(pool).min() >= 3  # 500 m squares in a row: two between leave 1,000 m


def test_the_boxes_of_a_trial_add_up(counts) -> None:
    outcome = planned(counts, kits=425, trial="pairs", trial_seed="x")
    table = table_of(outcome, "plan_flow").set_index("step")["areas"]
    left = [step for step in table.index if step.startswith("left out")]
    assert table["assessed"] == table[left].sum() + table["drawn"]
    assert table["drawn"] == table["treated"] + table["the comparison"]


# ------------------------------------------------------------------- what conditions cost
def test_each_condition_has_its_price(counts) -> None:
    outcome = planned(
        counts, floor_by="borough", floor_share=0.9, compact="neighbour", equity_by=("borough",)
    )
    table = table_of(outcome, "plan_prices").set_index("condition")
    assert list(table.index) == [
        "each borough at least 0.9 of its share of homes", "every chosen area has a chosen neighbour",
    ]  # fmt: skip
    assert (table["cost"] >= 0).all()


def test_one_condition_alone_has_the_price_that_the_chapter_says(counts) -> None:
    names = [getattr(block, "name", "") for block in planned(counts, compact="neighbour").section.blocks]
    assert "plan_prices" not in names


# ------------------------------------------------------------------- years, and what could be seen
def test_the_years_add_up_to_what_is_expected(counts) -> None:
    outcome = planned(counts, years=5, delivery_months=60)
    table = table_of(outcome, "plan_years")
    assert table["share"].sum() == pytest.approx(1.0)
    assert table["prevented"].sum() == pytest.approx(outcome.files["plan.json"]["expected"]["prevented"])
    assert table["share"].iloc[0] < table["share"].iloc[2]  # few kits are out in the first year


def test_an_effect_that_fades_gives_all_in_its_first_year(counts) -> None:
    table = table_of(planned(counts, years=3), "plan_years")
    assert table["share"].tolist() == pytest.approx([1.0, 0.0, 0.0])


def test_more_areas_and_more_months_see_smaller_falls(counts) -> None:
    outcome = planned(counts)
    table = table_of(outcome, "plan_rehearsal")
    assert set(table["months"]) == {6, 12}  # three years hold no 24 against 24
    assert table.groupby("areas")["mde"].agg(lambda mde: mde.iloc[-1] <= mde.iloc[0] + 0.05).all()
    assert (table["marked"] >= table["mde"]).all()
    assert (table["windows"] == [5, 5, 5, 2, 2, 2]).all()


def test_it_is_said_how_many_areas_would_see_the_assumed_fall(counts) -> None:
    outcome = planned(counts)
    note = next(b.note for b in outcome.section.blocks if getattr(b, "name", "") == "plan_power")
    assert note.endswith(" Even 10 areas do not see the assumed fall of 11.5 %.")
    stronger = planned(counts, effect=0.53, effect_low=0.45, effect_high=0.6)
    note = next(b.note for b in stronger.section.blocks if getattr(b, "name", "") == "plan_power")
    assert re.search(r" About [6-9] areas see the assumed fall of 23\.\d %\.$", note)


# ------------------------------------------------------------------- other plans
@pytest.fixture(scope="module")
def beside(counts):
    others = {"half the kits": {"kits": 255}, "the poorest alone": {"must_not": IDS[:4]}}
    return planned(counts, scenarios=others, equity_by={"borough": "borough"}, deprivation="imd")


def table_of(outcome, name: str) -> pd.DataFrame:
    return next(block.frame for block in outcome.section.blocks if getattr(block, "name", "") == name)


def test_plans_stand_side_by_side(beside) -> None:
    table = table_of(beside, "plan_scenarios").set_index("plan")
    assert table["areas"].to_dict() == {"this plan": 6, "half the kits": 3, "the poorest alone": 6}
    assert table.loc["the poorest alone", "only_here"] == 4
    assert table.loc["half the kits", "less_low"] > 0
    assert table.loc["half the kits", "pounds"] == 2550


def test_the_map_of_two_plans_says_how_many_areas_they_share(beside) -> None:
    titles = [
        block.title
        for block in beside.section.blocks
        if getattr(block, "name", "").startswith("plan_scenario_")
    ]
    assert titles == [
        "This plan and half the kits share 3 areas",
        "This plan and the poorest alone share 2 areas",
    ]


def test_crime_that_is_not_reported_is_said(beside) -> None:
    assert table_of(beside, "plan_unreported")["missing"].tolist() == [0.1, 0.2, 0.3]
    assert "Were 30.0 % of burglary in the most deprived third never reported" in found(beside)


def test_a_scenario_with_a_wrong_key_is_named(counts) -> None:
    with pytest.raises(DataError, match=r"half.*kitz"):
        planned(counts, scenarios={"half": {"kitz": 3}})


def test_the_buffer_and_the_areas_to_compare_with_are_layers_of_the_map(counts) -> None:
    layers = planned(counts, kits=255, buffer=600.0).files["plan.gpkg"].layers
    assert set(layers) == {"areas", "buffer", "controls"}
    near = layers["controls"].geometry.distance(layers["areas"].loc[["p00", "p01", "p02"]].union_all())
    assert near.min() > 600


# ------------------------------------------------------------------- effects by name, homes reached
def test_an_effect_is_named_and_brings_its_interval_and_source(counts) -> None:
    asked = planned(counts, effect="aarhus").files["plan.json"]["expected"]
    assert (asked["effect"], asked["effect_source"][:9]) == (0.79, "Kyvsgaard")
    nothing = planned(counts, effect="none").files["plan.json"]["expected"]
    assert nothing["prevented"] == nothing["high"] == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [("mettrace_year_1_selection", "has no interval; those with one are aarhus"), ("x", "is no figure")],
)
def test_an_effect_that_cannot_be_named_is_refused(counts, name: str, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        planned(counts, effect=name)


def test_fewer_homes_reached_prevent_less_and_how_many_is_a_source_of_doubt(counts) -> None:
    whole = planned(counts)
    less = planned(counts, attained=0.68, attained_sd=0.08)
    ratio = [o.files["plan.json"]["expected"]["prevented"] for o in (less, whole)]
    assert ratio[0] / ratio[1] == pytest.approx(0.68 / 0.85, abs=0.03)
    table = table_of(less, "plan_uncertainty").set_index("source")
    width = table.loc["homes reached", "high"] - table.loc["homes reached", "low"]
    middle = table.loc["homes reached", "median"]
    assert width / middle == pytest.approx(2 * 1.96 * 0.08 / 0.68, rel=0.1)


def test_homes_that_refuse_are_not_reached(counts) -> None:
    """Half the homes refuse 30 %, half 5 %; the plan is 85 %: 70 and 85 % are reached."""
    refused = planned(counts, refused="shut", attained_sd=0.02)
    shares = planned(counts, attained=0.775, attained_sd=0.02)
    held = [o.files["plan.json"]["expected"]["prevented"] for o in (refused, shares)]
    assert held[0] == pytest.approx(held[1])


def test_a_share_attained_that_cannot_be_is_refused(counts) -> None:
    with pytest.raises(DataError, match=r"attained is 0\.95 with a standard deviation of 0\.4"):
        planned(counts, attained=0.95, attained_sd=0.4)
