"""MetTrace's public claims through our arithmetic.

Numbers: ../shared/reference/evaluate/mettrace_claims.json (quoted facts from public pages; ratios derived
there). Tolerances are the file's: 5e-6 for ratios, 0.5 for counts. Formula rows of the smallest detectable
effect from power_london.json, 0.05 points.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from peelian.arithmetic.comparison import poisson_se, smallest_detectable
from peelian.evaluate import guards
from peelian.evaluate.words import headline

Z = 1.959963984540054


@pytest.fixture(scope="module")
def claims(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference" / "evaluate" / "mettrace_claims.json").read_text())


@pytest.fixture(scope="module")
def power(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference" / "evaluate" / "power_london.json").read_text())


def ratio(row: dict[str, float]) -> float:
    return row["treated_after"] / row["treated_before"] * row["other_before"] / row["other_after"]


def se(row: dict[str, float]) -> float:
    return poisson_se(
        [row["treated_before"]], row["treated_after"], [row["other_before"]], [row["other_after"]]
    )


def test_year_one_is_a_ratio_of_0_769(claims: dict[str, Any]) -> None:
    row = claims["year_1_reconciliation"]
    assert ratio(row) == pytest.approx(row["irr"], abs=5e-6)
    assert row["treated_after"] * (1 / ratio(row) - 1) == pytest.approx(row["prevented_net"], abs=0.5)


@pytest.mark.parametrize("at", [0, 1])
def test_year_one_intervals_by_overdispersion(claims: dict[str, Any], at: int) -> None:
    row = claims["year_1_reconciliation"]
    wanted = row["ci"][at]
    half = Z * se(row) * math.sqrt(wanted["phi"])
    low, high = ratio(row) * math.exp(-half), ratio(row) * math.exp(half)
    assert (low, high) == pytest.approx((wanted["irr_low"], wanted["irr_high"]), abs=5e-6)
    counts = [row["treated_after"] * (1 / x - 1) for x in (high, low)]
    assert counts == pytest.approx([wanted["prevented_low"], wanted["prevented_high"]], abs=0.5)


def test_year_one_in_the_fixed_words(claims: dict[str, Any]) -> None:
    row, wide = claims["year_1_reconciliation"], claims["year_1_reconciliation"]["ci"][1]
    text = headline(
        row["treated_after"], (row["prevented_net"], wide["prevented_low"], wide["prevented_high"]),
        (row["irr"], wide["irr_low"], wide["irr_high"]), crime="burglary",
    )  # fmt: skip
    assert text == (
        "Treated areas had 2,636 burglaries where 3,429 were expected from the other areas' trend: "
        "793 fewer (95 % interval 508 to 1,103), a ratio of 0.769 (0.705 to 0.838)."
    )


def test_gross_overstates_year_one_by_26_percent(claims: dict[str, Any]) -> None:
    row = claims["year_1_reconciliation"]
    gross = row["treated_before"] - row["treated_after"]
    check = guards.gross_for_net(gross=gross, net=row["prevented_net"], crime="burglary")
    assert check.fired
    assert check.value == pytest.approx(row["gross_over_net"] - 1, abs=5e-6)


def test_year_one_if_selection_alone_gave_part_of_it(claims: dict[str, Any]) -> None:
    row = claims["year_1_reconciliation"]
    for case in row["selection_what_if"]:
        left = ratio(row) / (1 + case["selection_pct"] / 100)
        assert left == pytest.approx(case["irr"], abs=5e-6)
        assert row["treated_after"] * (1 / left - 1) == pytest.approx(case["prevented"], abs=0.5)


def test_the_answer_of_2018(claims: dict[str, Any]) -> None:
    row = claims["mqt_2018_1840"]
    assert ratio(row) == pytest.approx(row["irr"], abs=5e-6)
    wide = row["ci_phi_2.78"]
    assert se(row) * math.sqrt(wide["phi"]) == pytest.approx(wide["se"], abs=5e-6)


def test_hounslow_has_too_few_burglaries_to_tell(claims: dict[str, Any]) -> None:
    row = claims["hounslow"]
    small = guards.small_counts(
        before=row["burglaries_before_implied"],
        after=row["burglaries_after"],
        detectable=0.5,
        factor=6,
        crime="burglary",
    )
    assert small.consequence == row["verdict"]


def test_hounslow_wards_are_two_units_which_cannot_tell(claims: dict[str, Any]) -> None:
    row = claims["hounslow"]
    (t0, t1), (c0, c1) = row["wards_before_after"], row["other_wards_before_after"]
    irr, half = t1 / t0 * c0 / c1, Z * poisson_se([t0], t1, [c0], [c1])
    assert [irr, irr * math.exp(-half), irr * math.exp(half)] == pytest.approx(
        [row["irr_treated_v_other"], *row["irr_poisson_ci"]], abs=5e-6
    )
    two_of_fourteen = 1 / math.comb(14, 2)
    few = guards.few_units(n=2, p=0.6, smallest=two_of_fourteen, inverted=None)
    assert few.fired


def test_hounslow_dilution(claims: dict[str, Any]) -> None:
    row = claims["hounslow"]
    text = guards.dilution(row["saturation"], 0.5)
    assert f"{row['largest_possible_ward_change_pct']:.1f} %" in text


def test_smallest_detectable_effects_by_formula(power: dict[str, Any]) -> None:
    for row in power["formula_checks"]:
        plain = poisson_se([row["treated"]], row["treated"], [row["control"]], [row["control"]])
        assert plain == pytest.approx(row["se"], abs=1e-9)
        found = [100 * smallest_detectable(plain * math.sqrt(phi)) for phi in (1, 3)]
        assert found == pytest.approx([row["mde_pct"], row["mde_pct_phi3"]], abs=0.05)
