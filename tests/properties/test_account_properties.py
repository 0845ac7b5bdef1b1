"""What must hold of every account: costs add, a switching value put back gives nothing, deletion is local."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peelian.account.costs import Interval, benefit_cost, cost_per_unit, exactly, switching
from peelian.account.discounting import discount_factors
from peelian.account.ledger import spend
from peelian.account.run import Parameters, run
from peelian.account.simulation import chance_of_paying, simulate
from tests.account_scenario import MONTHS, records

POUNDS = st.floats(1.0, 1e7)
MANY = st.floats(1.0, 1e5)
YEARS = st.lists(POUNDS, min_size=1, max_size=8)


def case(costs: list[float], prevented: Interval | float, value: float, rate: float = 0.03) -> pd.Series:
    years = len(costs)
    factors = discount_factors([rate] * years)
    return benefit_cost(costs, prevented, {"x": value}, factors=factors, profile=[1 / years] * years).loc["x"]


@given(YEARS, MANY, POUNDS)
def test_doubling_the_value_of_one_doubles_the_ratio(
    costs: list[float], prevented: float, value: float
) -> None:
    assert case(costs, prevented, 2 * value).bcr == pytest.approx(
        2 * case(costs, prevented, value).bcr, rel=1e-12
    )


@given(YEARS, MANY, POUNDS)
def test_the_switching_number_put_back_gives_nothing(
    costs: list[float], prevented: float, value: float
) -> None:
    found = case(costs, prevented, value)
    assert abs(case(costs, found.break_even, value).npsv) <= 1e-6 * max(1.0, found.pv_cost)


@given(YEARS, MANY, POUNDS)
def test_the_switching_value_put_back_gives_nothing(
    costs: list[float], prevented: float, value: float
) -> None:
    found = case(costs, prevented, value)
    needed = switching(found.to_frame().T, prevented=prevented)["unit_value"].item()
    assert abs(case(costs, prevented, needed).npsv) <= 1e-6 * max(1.0, found.pv_cost)


@given(YEARS, MANY, POUNDS)
def test_at_rate_nought_the_present_value_is_the_sum(
    costs: list[float], prevented: float, value: float
) -> None:
    assert case(costs, prevented, value, rate=0.0).pv_cost == pytest.approx(sum(costs), rel=1e-12)


@given(YEARS, st.tuples(MANY, MANY, MANY).map(sorted), POUNDS)
def test_intervals_keep_their_order(costs: list[float], ends: list[float], value: float) -> None:
    low, middle, high = ends
    found = case(costs, Interval(middle, low, high), value)
    assert found.bcr_low <= found.bcr <= found.bcr_high


@given(POUNDS, st.tuples(MANY, MANY, MANY).map(sorted))
def test_a_cost_per_unit_turns_the_interval_round(cost: float, ends: list[float]) -> None:
    low, middle, high = ends
    found = cost_per_unit(cost, Interval(middle, low, high))
    assert found.low <= found.value <= found.high


@settings(max_examples=20)
@given(st.floats(0.6, 0.98), st.floats(0.02, 0.15), st.floats(200, 5000), POUNDS, st.floats(100, 9000))
def test_the_simulated_chance_is_within_half_a_point_of_the_closed_form(
    ratio: float, se: float, after: float, cost: float, value: float
) -> None:
    found = simulate(
        ratio, se, after, cost=exactly(cost), unit_values={"x": exactly(value)}, seed=3, draws=200_000
    )
    assert found.at["x", "p_above_1"] == pytest.approx(
        chance_of_paying(ratio, se, after, cost / value), abs=0.005
    )


def test_the_same_seed_gives_the_same_chances() -> None:
    given_ = {"cost": Interval(9e4, 8e4, 1e5), "unit_values": {"x": Interval(500, 400, 700)}, "seed": 5}
    pd.testing.assert_frame_equal(simulate(0.8, 0.1, 900, **given_), simulate(0.8, 0.1, 900, **given_))


ROW = st.tuples(
    st.sampled_from(["2015-16", "2016-17"]), st.sampled_from(["kits", "staff"]), st.booleans(),
    st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6),
)  # fmt: skip


@given(st.lists(ROW, min_size=1, max_size=12))
def test_lines_and_years_add_up_to_the_total(rows: list[tuple]) -> None:
    names = ["financial_year", "line", "inside_budget", "planned", "committed", "actual"]
    table = spend(pd.DataFrame(rows, columns=names))
    money = ["planned", "committed", "actual"]
    assert (table[money].iloc[:-1].sum() == table[money].iloc[-1]).all()


# ------------------------------------------------------------ not held
DELETABLE = ("assessment", "programme", "saturation", "counts", "ledger", "recoveries", "documents")
USES = {  # which inputs each part of the six answers rests on
    "analysis of effectiveness": {"assessment"},
    "numbers and trends of the crime counted, in areas with and without the programme": {
        "counts",
        "programme",
    },
    "numbers and trends of overall crime in the same areas": {"counts", "programme"},
    "analysis of neighbouring areas": {"assessment"},
    "homes provided": {"saturation"},
    "cost per unit, as paid": {"ledger"},
    "cost per unit, as planned": {"programme"},
    "estimated cost per unit of further roll-out": {"ledger"},
    "savings in police time and money": {"assessment"},
    "benefits against the money spent": {"assessment", "ledger"},
    "savings as promised": {"programme"},
    "decisions and documents on the merits or the expansion": {"documents"},
}


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return records(tmp_path_factory.mktemp("records"))


def account(held: dict[str, Any], without: tuple[str, ...]) -> Any:
    given_ = held | dict.fromkeys(without)
    assessment, programme = given_.pop("assessment"), given_.pop("programme")
    return run(
        assessment, programme, Parameters(draws=200), months=MONTHS, crime="burglary", seed=1, **given_
    )


@pytest.fixture(scope="module")
def whole(held: dict[str, Any]) -> Any:
    return account(held, ())


DELETIONS = [gone for size in (1, 2) for gone in combinations(DELETABLE, size)]


@pytest.mark.parametrize("gone", DELETIONS, ids="+".join)
def test_deleting_inputs_makes_their_numbers_not_held_and_changes_no_other(
    held: dict[str, Any], whole: Any, gone: tuple[str, ...]
) -> None:
    before = whole.files["costs.csv"].set_index("name")
    after = account(held, gone).files["costs.csv"].set_index("name")
    rests = before["rests on"].str.split(", ").map(lambda inputs: bool(set(inputs) & set(gone)))
    assert after.loc[rests, "value"].isna().all()
    pd.testing.assert_frame_equal(after[~rests], before[~rests])


@pytest.mark.parametrize("gone", DELETIONS, ids="+".join)
def test_deleting_inputs_makes_their_public_answers_not_held_and_changes_no_other(
    held: dict[str, Any], whole: Any, gone: tuple[str, ...]
) -> None:
    before, after = (parts(found) for found in (whole, account(held, gone)))
    wrong = [
        what
        for what, part in after.items()
        if (part["decision"] != "not held" if USES[what] & set(gone) else part != before[what])
    ]
    assert wrong == []


def parts(found: Any) -> dict[str, Any]:
    return {part["what"]: part for answer in found.files["foi.json"]["answers"] for part in answer["parts"]}


def test_the_same_inputs_give_the_same_letter(held: dict[str, Any], whole: Any, tmp_path: Path) -> None:
    assert account(held, ()).files["foi.md"] == whole.files["foi.md"]
