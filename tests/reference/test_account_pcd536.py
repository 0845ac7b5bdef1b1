"""The cost-benefit table of MOPAC decision PCD 536, recomputed: every number of pcd536.json.

Provenance: reference/evaluate/pcd536.json (PCD 536; Home Office Research Report 99; HM Treasury Green Book).
Tolerances as that file gives them: £1 for money, 1e-4 for a ratio of benefits to costs, 1e-9 for plain
ratios; 0.005 for a simulated chance (10,000 draws), as its `how` says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from peelian.account.costs import (
    Interval,
    benefit_cost,
    cost_per_unit,
    exactly,
    minutes_per_kit,
    present_value,
    switching,
    treated_after_from,
)
from peelian.account.discounting import discount_factors
from peelian.account.simulation import chance_of_paying, simulate
from peelian.figures import load

FILE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "evaluate" / "pcd536.json"
if not FILE.exists():
    pytest.skip("../shared/reference is not beside this checkout.", allow_module_level=True)
REFERENCE: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
CLAIMS: dict[str, Any] = json.loads((FILE.parent / "mettrace_claims.json").read_text("utf-8"))
POUND, BCR, RATIO = (REFERENCE["tolerance"][name] for name in ("money", "bcr", "ratio"))
YEARS = len(REFERENCE["discount"]["years"])
PROMISE = next(claim for claim in CLAIMS["claims"] if claim["source"] == "MOPAC decision PCD 536")
BUDGET, KITS, PREVENTED, HOURS = (PROMISE[name] for name in ("budget", "kits", "prevented", "hours"))
MET_2016 = next(claim for claim in CLAIMS["claims"] if claim["date"] == "2016-05")
YEAR_1 = REFERENCE["year_1_monte_carlo"]
CLAIM_1 = CLAIMS["year_1_reconciliation"]
AFTER, NET, IRR = (CLAIM_1[name] for name in ("treated_after", "prevented_net", "irr"))
VALUES = {key: float(key) for key in YEAR_1["p_bcr_above_1"]}


def factors() -> list[float]:
    return discount_factors([REFERENCE["discount"]["rate"]] * YEARS).tolist()


def table(values: dict[str, float], costs_plus: float = 0.0, benefits_minus: float = 0.0) -> Any:
    even = [1 / YEARS] * YEARS
    costs = [BUDGET * share for share in even]
    return benefit_cost(
        costs, PREVENTED, values, factors=factors(), profile=even, costs_plus=costs_plus,
        benefits_minus=benefits_minus,
    )  # fmt: skip


def year_1() -> Any:
    return benefit_cost([YEAR_1["cost"]], NET, VALUES, factors=[1.0], profile=[1.0])


def test_discount_factors() -> None:
    assert factors() == pytest.approx(REFERENCE["discount"]["factors"], abs=1e-12)


def test_discount_factors_from_year_one() -> None:
    found = discount_factors([REFERENCE["discount"]["rate"]] * YEARS, first_year=1).sum()
    assert found == pytest.approx(REFERENCE["discount"]["sum_if_years_1_to_5"], abs=1e-12)


def test_the_rate_comes_from_the_figures() -> None:
    assert load().at("discount_rate", "2018-07-01").value == REFERENCE["discount"]["rate"]


def test_present_value_of_the_cost() -> None:
    assert present_value([BUDGET / YEARS] * YEARS, factors()) == pytest.approx(
        REFERENCE["pv_cost"], abs=POUND
    )


@pytest.mark.parametrize("row", REFERENCE["rows"], ids=lambda row: row["value"])
@pytest.mark.parametrize(
    ("column", "key", "tolerance"),
    [
        ("pv_benefit", "pv_benefit", POUND),
        ("npsv", "npsv", POUND),
        ("bcr", "bcr", BCR),
        ("break_even", "switching_burglaries", 1e-6),
        ("break_even_share", "switching_share_of_forecast", 1e-9),
    ],
)
def test_a_value_of_one_burglary(row: dict[str, Any], column: str, key: str, tolerance: float) -> None:
    assert table({"one": row["per_burglary"]}).at["one", column] == pytest.approx(row[key], abs=tolerance)


@pytest.mark.parametrize("row", REFERENCE["optimism_bias_costs_plus10_benefits_minus25"])
@pytest.mark.parametrize(("column", "tolerance"), [("bcr", BCR), ("npsv", POUND)])
def test_optimism_bias(row: dict[str, Any], column: str, tolerance: float) -> None:
    plus, minus = (load().at(f"optimism_{name}").number for name in ("costs_plus", "benefits_minus"))
    found = table({"one": row["per_burglary"]}, plus, minus).at["one", column]
    assert found == pytest.approx(row[column], abs=tolerance)


def test_police_and_society_come_to_opposite_verdicts() -> None:
    named = {name: load().at(name).number for name in ("burglary_cost", "burglary_police")}
    assert (table(named)["bcr"] > 1).to_dict() == {"burglary_cost": True, "burglary_police": False}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cost_per_kit", cost_per_unit(BUDGET, KITS).value),
        ("cost_per_burglary", cost_per_unit(BUDGET, PREVENTED).value),
        ("kits_per_burglary", cost_per_unit(KITS, PREVENTED).value),
        ("hours_per_burglary", cost_per_unit(HOURS, PREVENTED).value),
        ("money_per_hour_2016", cost_per_unit(MET_2016["money"], MET_2016["hours"]).value),
    ],
)
def test_golden_ratios(name: str, value: float) -> None:
    assert value == pytest.approx(REFERENCE["ratios"][name], rel=RATIO)


@pytest.mark.parametrize(
    ("figure", "name"),
    [
        ("kit_price", "cost_per_kit"),
        ("hours_per_burglary", "hours_per_burglary"),
        ("money_per_hour", "money_per_hour_2016"),
    ],
)
def test_figures_agree_with_the_documents_to_the_digits_they_give(figure: str, name: str) -> None:
    assert load().at(figure).value == pytest.approx(REFERENCE["ratios"][name], rel=1e-5)


def test_minutes_a_kit_that_use_up_the_hours() -> None:
    expected = REFERENCE["hours_test"]["minutes_saved_per_kit"]
    assert minutes_per_kit(HOURS, KITS) == pytest.approx(expected, rel=RATIO)


# ------------------------------------------------------------ year 1, with the effect's own uncertainty
@pytest.mark.parametrize("value", VALUES)
def test_year_one_ratio(value: str) -> None:
    assert year_1().at[value, "bcr"] == pytest.approx(YEAR_1["bcr_at_point"][value], abs=BCR)


@pytest.mark.parametrize("value", VALUES)
def test_year_one_break_even(value: str) -> None:
    expected = YEAR_1["break_even_burglaries"][value]
    assert year_1().at[value, "break_even"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("value", VALUES)
def test_year_one_chance_in_closed_form(value: str) -> None:
    found = chance_of_paying(IRR, YEAR_1["se_log_irr"], AFTER, YEAR_1["break_even_burglaries"][value])
    assert found == pytest.approx(YEAR_1["p_bcr_above_1"][value], abs=1e-9)


@pytest.mark.parametrize("value", VALUES)
def test_year_one_chance_by_simulation(value: str) -> None:
    values = {value: exactly(VALUES[value])}
    found = simulate(
        IRR, YEAR_1["se_log_irr"], AFTER, cost=exactly(YEAR_1["cost"]), unit_values=values, seed=1829
    )
    assert found.at[value, "p_above_1"] == pytest.approx(YEAR_1["p_bcr_above_1"][value], abs=0.005)


def test_year_one_cost_per_burglary_net() -> None:
    found = cost_per_unit(YEAR_1["cost"], NET).value
    assert found == pytest.approx(YEAR_1["cost_per_burglary_net"], abs=1e-6)


def test_treated_after_follows_from_ratio_and_number_prevented() -> None:
    assert treated_after_from(NET, IRR) == pytest.approx(AFTER, rel=1e-9)


def test_switching_ratio_is_t_over_t_plus_b() -> None:
    found = switching(year_1(), treated_after=AFTER).at["530", "ratio"]
    assert found == pytest.approx(AFTER / (AFTER + YEAR_1["break_even_burglaries"]["530"]), rel=1e-12)


def test_interval_of_the_cost_per_burglary_turns_round() -> None:
    ends = next(row for row in CLAIM_1["ci"] if row["phi"] == YEAR_1["phi"])
    found = cost_per_unit(YEAR_1["cost"], Interval(NET, ends["prevented_low"], ends["prevented_high"]))
    assert found.low == pytest.approx(YEAR_1["cost"] / ends["prevented_high"], rel=1e-12)
