"""The plan stage on small tables: which areas, what is said, what is refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.places import Places
from peelian.plan import (
    Buffer,
    Capacity,
    Compact,
    Floor,
    allocate,
    effect_years,
    mde_formula,
    required_effect,
    selection_placebo,
)
from peelian.plan.cautions import crowded
from peelian.plan.run import Parameters, run
from peelian.programme import Programme, read_programme


def month(text: str) -> pd.Period:
    return pd.Period(text, "M")


FITTED = (month("2012-01"), month("2014-12"))
START = month("2016-01")


def places(households: dict[str, float]) -> Places:
    shapes = [box(500 * i, 0, 500 * i + 500, 500) for i in range(len(households))]
    frame = gpd.GeoDataFrame(
        {"households": list(households.values())}, index=list(households), geometry=shapes, crs="EPSG:27700"
    )
    return Places.of(frame)


AREAS = places({"a": 100, "b": 80, "c": 60, "d": 200, "e": 0})
RISK = pd.Series({"a": 30.0, "b": 28.0, "c": 20.0, "d": 40.0, "e": 9.0})


def plan(**keywords):
    return allocate(RISK, AREAS, **({"fitted_on": FITTED, "start": START} | keywords))


@pytest.fixture(scope="module")
def counts() -> pd.Series:
    """Four years of monthly counts whose yearly total is near the risk."""
    months = pd.period_range("2011-01", "2014-12", freq="M", name="month")
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(
        rng.poisson(RISK.to_numpy()[:, None] / 12, (5, len(months))), index=AREAS.index, columns=months
    )
    return wide.stack()


@pytest.fixture(scope="module")
def outcome(counts):
    programme = Programme("Past", kits=240, prevented=100, budget=3000)
    return run(RISK, FITTED, AREAS, programme, counts, Parameters(kits=120), seed=1, crime="burglary")


# ------------------------------------------------------------------- the choice
@pytest.mark.parametrize(
    ("kits", "chosen"),
    [
        (51, ["c"]),
        (84, ["b"]),  # 68 kits for 28 a year beat 51 for 20
        (120, ["b", "c"]),
        (204, ["b", "c", "a"]),
        (374, ["b", "c", "a", "d"]),
        (10_000, ["b", "c", "a", "d"]),  # e has nobody to give a kit to
    ],
)
def test_areas_are_whole_or_not_begun(kits: int, chosen: list[str]) -> None:
    assert list(plan(kits=kits).chosen.index) == chosen


def test_a_chosen_area_gets_its_whole_need_and_the_others_nothing() -> None:
    assert plan(kits=150).frame["kits"].to_dict() == {"a": 85, "b": 0, "c": 51, "d": 0, "e": 0}


def test_must_takes_an_area_whatever_its_risk() -> None:
    assert set(plan(kits=240, must=["d"]).chosen.index) == {"d", "b"}


def test_must_not_leaves_an_area_out() -> None:
    assert list(plan(kits=120, must_not=["b"]).chosen.index) == ["a"]


def test_pounds_buy_kits() -> None:
    assert plan(budget=1200, unit_cost=10).summary["kits_limit"] == 120


def test_spare_kits_are_kept_back() -> None:
    assert plan(kits=200, spare=0.03).summary["kits_limit"] == 194


def test_the_edge_is_told() -> None:
    edge = plan(kits=130).summary
    assert edge["last_in"]["place"] == "c"
    assert edge["first_out"] == {"place": "a", "need": 85, "risk": 30.0, "kits_short": 74}


def test_row_order_is_irrelevant() -> None:
    shuffled = allocate(RISK[::-1], AREAS, kits=150, fitted_on=FITTED, start=START)
    pd.testing.assert_frame_equal(shuffled.frame, plan(kits=150).frame)


def test_of_equal_areas_the_first_by_id_is_chosen() -> None:
    same = places({"p": 100, "q": 100, "r": 100})
    risk = pd.Series(10.0, same.index)
    assert list(allocate(risk, same, kits=170, fitted_on=FITTED, start=START).chosen.index) == ["p", "q"]


# ------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"kits": 10}, DesignError, "10 kits cannot bring even c to 85 %: it needs 51."),
        ({"kits": 100, "saturation": 85}, DataError, "Did you mean 0.85?"),
        ({"kits": 100, "saturation": 0}, DataError, "above 0 and at most 1; got 0"),
        ({}, DesignError, "Neither kits nor a budget"),
        ({"budget": 100.0}, DesignError, "Give unit_cost"),
        ({"kits": 100, "must": ["a"], "must_not": ["a"]}, DesignError, "must and must_not both name a"),
        ({"kits": 100, "must": ["z"]}, DesignError, "must names 1 places that are not in the places file: z"),
        ({"kits": 100, "must": ["d"]}, DesignError, "need 170 kits to reach 85 %; there are 100"),
        ({"kits": 100, "spare": 1.0}, DesignError, "spare is a share"),
        ({"kits": 100, "start": month("2015-06")}, DesignError, "Use risk fitted to 2014-05"),
        ({"kits": 100, "must_not": list("abcd")}, DesignError, "No area can be chosen"),
    ],
)
def test_a_plan_that_cannot_be_made_says_why(keywords: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        plan(**keywords)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("risk", "words"),
    [
        (RISK.drop("d"), "1 of 5 places have none: d. 80.0 % match. Is the risk of another vintage"),
        (RISK * -1, "below 0 for 5 places: a, b, c, d, e"),
        (RISK.replace(30.0, np.nan), "below 0 for 1 places: a"),
        (pd.concat([RISK, RISK["a":"a"]]), "1 places stand more than once: a"),
    ],
)
def test_risk_that_is_wrong_is_refused(risk: pd.Series, words: str) -> None:
    with pytest.raises(DataError) as raised:
        allocate(risk, AREAS, kits=120, fitted_on=FITTED, start=START)
    assert words in str(raised.value)


def test_fractional_households_are_refused() -> None:
    with pytest.raises(DataError, match="not a whole number for 1 places: p"):
        allocate(pd.Series({"p": 1.0}), places({"p": 10.5}), kits=9, fitted_on=FITTED, start=START)


def test_risk_of_another_period_than_a_year_is_refused(counts: pd.Series) -> None:
    with pytest.raises(DataError, match="risk must be incidents a year"):
        run(RISK / 12, FITTED, AREAS, Programme("Past"), counts, Parameters(kits=120), seed=1)


def test_a_start_that_is_no_month_is_refused(counts: pd.Series) -> None:
    with pytest.raises(DataError, match="expected a month such as 2016-01"):
        run(RISK, FITTED, AREAS, Programme("Past"), counts, Parameters(kits=120, start="soon"), seed=1)


# ------------------------------------------------------------------- what is expected
def test_an_effect_that_fades_gives_half_a_year() -> None:
    assert effect_years(5, fade="half at 6, zero at 12") == 0.5


def test_slow_delivery_shortens_a_lasting_effect() -> None:
    assert effect_years(2, fade="lasting", delivery_months=12) == 1.5


def test_delivery_longer_than_the_count_is_refused() -> None:
    with pytest.raises(DesignError, match="only 12 are counted"):
        effect_years(1, fade="lasting", delivery_months=24)


def test_the_effect_that_a_promise_needs() -> None:
    needed = required_effect(plan(kits=120), 12.0, years=1)["needed"]
    assert needed.tolist() == pytest.approx([0.25, 0.5, 0.5, 0.75])


def test_the_placebo_compares_the_clean_year_after_the_choice() -> None:
    months = pd.period_range("2011-01", "2013-12", freq="M", name="month")
    yearly = pd.DataFrame({2011: [120, 100], 2012: [100, 100], 2013: [100, 100]}, index=list("xy"))
    wide = pd.DataFrame({m: yearly[m.year] / 12 for m in months})
    wide.index.name, wide.columns = "place", months
    found = selection_placebo(lambda count: count.index[count > 110], wide.stack())
    assert found.frame.loc[0, ["same_year", "clean_year"]].tolist() == pytest.approx([-1 / 6, 0.0])


def test_power_needs_counts() -> None:
    with pytest.raises(DataError, match="must be above 0"):
        mde_formula(0, 1, 1, 1, 1)


# ------------------------------------------------------------------- the chapter
def test_the_first_sentence_says_which_areas_and_at_what_price(outcome) -> None:
    assert outcome.section.findings[0] == (
        "119 kits bring 2 of 5 areas to 85 % of their 140 homes. These areas hold 37.8 % of expected "
        "burglary (48 of 127 incidents a year). The kits cost £1,487.50 at £12.50 each."
    )


def test_the_promise_is_taken_in_proportion_to_the_kits(outcome) -> None:
    assert outcome.section.findings[2].startswith(
        "50 fewer over 1 year (the promise of [programme], 100 for 240 kits, in proportion) needs more than "
        "all crime to vanish"
    )


def test_the_dates_are_said(outcome) -> None:
    assert outcome.section.findings[3].startswith(
        "The risk rests on January 2012 to December 2014 and delivery starts in January 2016: 12 whole "
        "months lie between, a clean baseline."
    )


def test_the_first_page_says_what_cannot_be_seen(outcome) -> None:
    assert outcome.section.findings[3].endswith(
        "this programme could work and its evaluation would still say: cannot tell."
    )


def test_sentence_table_and_file_agree_on_what_is_prevented(outcome) -> None:
    table = next(b for b in outcome.section.blocks if getattr(b, "name", "") == "plan_comparison")
    assert table.frame["prevented"].iloc[0] == outcome.files["plan.json"]["expected"]["prevented"]


def test_programme_csv_is_read_back(outcome, tmp_path) -> None:
    outcome.files["programme.csv"].to_csv(tmp_path / "programme.csv", index=False)
    back = read_programme(tmp_path / "programme.csv")
    assert back.loc["b", ["start", "selected_to", "kits"]].tolist() == [START, FITTED[1], 68]


def test_the_hash_is_the_same_again_and_under_shuffled_rows(outcome, counts) -> None:
    programme = Programme("Past", kits=240, prevented=100, budget=3000)
    again = run(
        RISK[::-1], FITTED, AREAS, programme, counts[::-1], Parameters(kits=120), seed=1, crime="burglary"
    )
    assert again.files["plan.json"]["hash"] == outcome.files["plan.json"]["hash"]


def test_programme_csv_gives_no_start_to_untreated_areas(outcome) -> None:
    table = outcome.files["programme.csv"].set_index("place")
    assert table["start"].to_dict() == {"a": "", "b": "2016-01", "c": "2016-01", "d": "", "e": ""}


def test_files_hold_no_seconds(outcome) -> None:
    assert "seconds" not in str(outcome.files["plan.json"])


def test_months_after_the_fit_are_not_looked_at(outcome, counts) -> None:
    later = counts.unstack()
    later[month("2015-01")] = 10_000
    again = run(
        RISK, FITTED, AREAS, Programme("Past", kits=240, prevented=100, budget=3000), later.stack(),
        Parameters(kits=120), seed=1, crime="burglary",
    )  # fmt: skip
    assert again.files["plan.json"] == outcome.files["plan.json"]


def test_an_overlap_that_was_asked_for_is_said_in_a_warning(counts) -> None:
    parameters = Parameters(kits=120, start="2015-03", gap_months=2)
    section = run(RISK, FITTED, AREAS, Programme("Past"), counts, parameters, seed=1).section
    assert any("Only 2 whole months lie between" in getattr(b, "text", "") for b in section.blocks)


def test_short_history_is_no_obstacle(counts) -> None:
    short = counts[counts.index.get_level_values("month") >= month("2014-06")]
    found = run(RISK, FITTED, AREAS, Programme("Past"), short, Parameters(kits=120), seed=1)
    assert found.summary["mde"] is None


def test_kits_for_everybody_leave_nothing_to_compare_with(counts) -> None:
    found = run(RISK, FITTED, AREAS, Programme("Past"), counts, Parameters(kits=9000), seed=1)
    assert found.summary["can_see"] is None


def test_without_kits_or_pounds_there_is_no_plan(counts) -> None:
    found = run(RISK, FITTED, AREAS, Programme("Past"), counts, Parameters(), seed=1)
    assert found.not_held.startswith("No next programme is planned: [plan] gives neither kits nor a budget.")


def test_areas_with_far_more_crime_than_homes_are_listed() -> None:
    risk = pd.Series({"a": 10.0, "b": 10.0, "c": 90.0, "d": 10.0, "e": 0.0})
    assert crowded(allocate(risk, AREAS, kits=120, fitted_on=FITTED, start=START)) == ["c"]


# ------------------------------------------------------------------- constraints
TEAM = pd.Series({"a": "north", "b": "north", "c": "south", "d": "south", "e": "south"})


def test_a_team_brings_out_only_so_much() -> None:
    assert list(plan(kits=250, constraints=[Capacity(TEAM, {"north": 84})]).chosen.index) == ["b", "d"]


def test_an_area_without_a_team_is_not_chosen() -> None:
    found = plan(kits=120, constraints=[Capacity(TEAM.drop("b"), 200)])
    assert list(found.chosen.index) == ["a"]


def test_a_floor_is_kept() -> None:
    assert "d" in plan(kits=240, constraints=[Floor(TEAM, {"south": 100})]).chosen.index


def test_chosen_areas_have_chosen_neighbours() -> None:
    """a and c would hold 50 a year; b and c 48, side by side."""
    assert set(plan(kits=140, constraints=[Compact()]).chosen.index) == {"b", "c"}


def test_areas_to_compare_with_are_kept_by_the_choice_itself() -> None:
    """b and c hold most, but touch every other area; a leaves c and d untouched."""
    found = plan(kits=120, constraints=[Buffer(0, least=1)])
    assert (list(found.chosen.index), found.summary["controls"]) == (["a"], 2)


def test_what_conditions_cost_is_known() -> None:
    summary = plan(kits=140, constraints=[Compact()]).summary
    assert (summary["free"], summary["risk"]) == (50.0, 48.0)


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        ([Floor(TEAM, {"south": 100}), Capacity(TEAM, {"south": 60})],
         "south cannot reach its floor of 100 kits: 51 are the most with the 60 kits of team south."),
        ([Floor(TEAM, {"south": 400})], "which is what all its areas need (221)"),
        ([Floor(TEAM, {"west": 1})], "names west; the places have north, south"),
        ([Floor(TEAM, {"south": 9}, {"south": 5})], "The floor of south lies above its own cap"),
        ([Buffer(0)], "leaves 0 areas of like risk more than 0 m from the chosen ones, and 10 are needed"),
    ],
)  # fmt: skip
def test_constraints_that_cannot_be_kept_are_named(constraints, words: str) -> None:
    with pytest.raises(DesignError) as raised:
        plan(kits=240, constraints=constraints)
    assert words in str(raised.value)


def test_must_that_breaks_a_cap_is_named() -> None:
    with pytest.raises(DesignError, match="team south would be exceeded by 110 kits"):
        plan(kits=240, must=["d"], constraints=[Capacity(TEAM, {"south": 60})])


def test_greedy_with_constraints_is_refused() -> None:
    with pytest.raises(DesignError, match="Use solver = milp"):
        plan(kits=240, solver="greedy", constraints=[Compact()])


def test_the_table_names_a_column_for_teams(counts) -> None:
    with pytest.raises(DataError, match="team names the column 'bcu'; the places file has households"):
        run(RISK, FITTED, AREAS, Programme("Past"), counts,
            Parameters(kits=120, team="bcu", team_kits=50), seed=1)  # fmt: skip


def test_the_chapter_says_what_conditions_cost(counts) -> None:
    section = run(RISK, FITTED, AREAS, Programme("Past"), counts,
                  Parameters(kits=140, compact="neighbour"), seed=1).section  # fmt: skip
    assert any("they cost 2.0 incidents a year" in getattr(b, "text", "") for b in section.blocks)


def test_the_chapter_says_who_gets_what(counts) -> None:
    areas = Places.of(AREAS.frame.assign(ward=["n", "n", "s", "s", "s"]))
    parameters = Parameters(kits=120, equity_by=("ward",), frontier_by="ward")
    found = run(RISK, FITTED, areas, Programme("Past"), counts, parameters, seed=1, crime="burglary")
    assert found.section.findings[-2] == (
        "By ward: n gets 1.4 times its share of homes in kits, s 0.7 times; 2 of 2 groups get any."
    )


def test_the_chapter_says_when_the_work_ends(counts) -> None:
    parameters = Parameters(kits=120, kits_a_month=50)
    found = run(RISK, FITTED, AREAS, Programme("Past"), counts, parameters, seed=1, crime="burglary")
    assert found.section.findings[-1] == (
        "1 team would bring the last area to the line in March 2016. The first 123 kits must be ordered in "
        "November 2015."
    )


def test_what_the_solver_says_stays_off_standard_output(capfd) -> None:
    import os

    from peelian.plan.solver import _to_error

    with _to_error():
        os.write(1, b"a remark of compiled code")
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "a remark of compiled code")
