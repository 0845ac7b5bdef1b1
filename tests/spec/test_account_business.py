"""The business case: what a plan must prevent to pay, and whether an evaluation could show that it does."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest

from peelian.account.business import Business, Fade, business_case, months_at_full, proposal_of, visible_in
from peelian.account.headline import values_of
from peelian.account.records import Held
from peelian.account.run import Parameters, run
from peelian.account.tables_of_business import sentences
from peelian.errors import DataError
from peelian.figures import load
from peelian.plan import effect_years
from peelian.report import Outcome
from tests.account_scenario import assessment

Z = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)


def planned(**changes: Any) -> dict[str, Any]:
    """What plan leaves: 1,000 kits at £10 for two areas with 400 burglaries a year."""
    return {
        "areas": [{"place": "a", "households": 600}, {"place": "b", "households": 577}],
        "start": "2019-01",
        "solver": {"kits_used": 1000, "unit_cost": 10.0, "risk": 400.0},
        "expected": {"prevented": 40.0, "low": 20.0, "high": 60.0, "years": 1.0},
        "parameters": {"delivery_months": 0.0, "effect": 0.8, "effect_low": 0.7, "effect_high": 0.9,
                       "effect_source": "an invention", "fade": "half at 6, zero at 12"},
        "mde": 0.05,
    } | changes  # fmt: skip


def case(**changes: Any) -> Business:
    held = Held(load(), None, crime="burglary")
    return business_case(
        proposal_of(planned(**changes)), held.figures, values_of(held, Parameters()), Parameters(), on=None
    )


def outcome(plan: dict[str, Any] | None, held: dict[str, Any] | None = None) -> Outcome:
    return run(held, None, Parameters(), plan=plan, crime="burglary", months=("2016-01", "2017-12"), seed=1)


def test_crimes_to_break_even_are_cost_over_the_value_of_one() -> None:
    found = case().lines["break_even"]
    assert found.to_dict() == pytest.approx(
        {"fiscal": 10_000 / 2180, "police alone": 10_000 / 530, "economic": 10_000 / 2620,
         "social": 10_000 / 5220}
    )  # fmt: skip


def test_optimism_bias_needs_more_crimes_by_dearer_kits_and_weaker_benefits() -> None:
    found = case().lines
    assert (found["break_even_biased"] / found["break_even"]).tolist() == pytest.approx([1.1 / 0.75] * 4)


def test_the_fall_needed_at_the_start_is_twice_that_of_all_the_year_where_it_fades_in_one() -> None:
    found = case().lines.loc["social"]
    assert (found["fall"], found["fall_at_start"]) == pytest.approx(
        (10_000 / 5220 / 400, 10_000 / 5220 / 200)
    )


@pytest.mark.parametrize("delivery", [0.0, 6.0, 12.0])
@pytest.mark.parametrize("fade", ["lasting", "half at 6, zero at 12"])
def test_months_at_full_effect_are_those_of_the_plan(fade: str, delivery: float) -> None:
    course = None if fade == "lasting" else Fade(6, 12)
    expected = 12 * effect_years(2, fade=fade, delivery_months=delivery)  # type: ignore[arg-type]
    # the plan integrates delivery, this counts it by months: within a hundredth of a month
    assert months_at_full(24, course, delivery) == pytest.approx(expected, abs=0.01)


def test_a_fall_is_shown_to_pay_four_times_in_five_at_the_effect_the_table_says() -> None:
    row = case().shown.iloc[0]
    spread = -math.log(1 - row["visible"]) / Z
    beyond = (math.log(1 - row["worthwhile"]) - math.log(1 - row["to_show"])) / spread
    power = NormalDist().cdf(beyond - NormalDist().inv_cdf(0.975))
    assert power == pytest.approx(0.8)


def test_a_longer_evaluation_sees_smaller_falls_down_to_what_the_months_before_allow() -> None:
    seen = [visible_in(0.3, months) for months in (12, 24, 1e9)]
    assert seen == sorted(seen, reverse=True)
    assert math.log(1 - seen[2]) == pytest.approx(math.log(0.7) / math.sqrt(2))


def test_the_case_says_within_how_many_months_it_could_be_shown_to_pay_and_for_whom() -> None:
    assert sentences(case(), "burglaries")[-1] == (
        "With 12 months either side an evaluation would see a fall of 5.0 % or more, four times in five; the "
        "fall assumed averages 10.0 %. It could be shown to pay: fiscal within 12 months, police alone within "
        "12 months, economic within 12 months, social within 12 months."
    )


def test_a_programme_too_small_to_be_seen_is_said_to_be_one_that_could_not_be_shown_to_pay() -> None:
    assert sentences(case(mde=0.3), "burglaries")[-1].endswith(
        "This programme could not be shown to pay within 36 months, even if it does pay."
    )


def test_without_a_history_nothing_is_said_to_be_visible() -> None:
    found = case(mde=None)
    assert found.shown is None
    assert "is not held: the history is too short" in sentences(found, "burglaries")[-1]


def test_the_literature_starts_with_no_difference_and_fading_halves_it() -> None:
    rows = case().effects
    assert rows.iloc[0][["ratio", "prevented_fading", "prevented_lasting"]].tolist() == [1, 0, 0]
    held = rows[rows["ratio"] < 1]
    assert (held["prevented_fading"] * 2).tolist() == pytest.approx(held["prevented_lasting"].tolist())


def test_kits_without_a_price_cost_the_figure_of_a_kit_and_it_is_listed() -> None:
    found = case(solver={"kits_used": 1000, "unit_cost": None, "risk": 400.0})
    assert found.cost == pytest.approx(12_727.27, abs=0.01)
    assert "kit_price" in [row.name for row in found.figures]


def test_an_incomplete_plan_is_refused_with_the_key_that_is_missing() -> None:
    with pytest.raises(DataError, match="'solver'"):
        proposal_of({"areas": []})


def test_a_project_with_a_plan_and_no_effect_leads_with_its_business_case() -> None:
    found = outcome(planned())
    assert not found.not_held
    assert found.section.findings[0] == (
        "Before anything is bought: 1,000 kits for 2 areas with 1,177 homes and 400 burglaries a year cost "
        "£10,000 (£11,000 with optimism bias). Within a year they may prevent 40 (95 % interval 20 to 60), "
        "£250 for each (£167 to £500). Delivery takes 100 hours of staff."
    )
    assert {"case.md", "case.csv", "case_effects.csv", "case_shown.csv"} <= set(found.files)


def test_where_an_effect_is_measured_the_case_of_the_next_programme_is_no_finding() -> None:
    found = outcome(planned(), assessment())
    assert not any("Before anything is bought" in text for text in found.section.findings)
    assert found.files["case.md"].startswith("# Business case")


def test_without_a_plan_there_is_no_case(tmp_path: Path) -> None:
    assert not [name for name in outcome(None).files if name.startswith("case")]
