"""The golden numbers, read from the public documents themselves and put through our own functions.

Source: ../shared/documents (MOPAC decision PCD 536; a blog of 28 May 2016 with the Met's year-1 claim).
Tolerance: half of the last printed digit.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from peelian.account.claims import reconcile
from peelian.account.costs import cost_per_unit


def number(text: str, pattern: str) -> float:
    """The first number that a pattern finds in a document."""
    found = re.search(pattern, text)
    assert found, f"The document does not say {pattern}."
    return float(found.group(1).replace(",", ""))


@pytest.fixture(scope="module")
def decision(shared: Path) -> str:
    return (shared / "documents" / "mopac-decision-pcd-536.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def year_one(shared: Path) -> pd.Series:
    """The Met's claim for year 1, as one row of claims with what it implies."""
    text = (shared / "documents" / "blog-2016-mettrace-results.txt").read_text(encoding="utf-8")
    claim = {
        "treated_change_pct": -number(
            text, r"([\d.]+) per cent reduction in residential burglary in the MetTrace"
        ),
        "other_change_pct": -number(text, r"\(([\d.]+) percent reduction in non MetTrace"),
        "prevented": number(text, r"with ([\d,]+) less victims"),
        "money": number(text, r"saved £([\d,]+)"),
        "hours": number(text, r"over ([\d,]+) police hours"),
        "kits": number(text, r"Last year, ([\d,]+) MetTrace"),
    }
    return reconcile(pd.DataFrame([claim])).iloc[0]


def test_pcd_536_buys_a_kit_for_12_pounds_73(decision: str) -> None:
    pounds = 1e6 * number(decision, r"£([\d.]+)m cost over 5 years")
    kits = number(decision, r"minimum of ([\d,]+) MetTrace kits")
    assert cost_per_unit(pounds, kits).value == pytest.approx(12.73, abs=0.005)


def test_pcd_536_counts_14_32_hours_a_burglary(decision: str) -> None:
    hours = number(decision, r"equates to ([\d,]+) police hours")
    burglaries = number(decision, r"reduce ([\d,]+) residential burglaries")
    promise = reconcile(pd.DataFrame([{"hours": hours, "prevented": burglaries}]))
    assert promise["hours_per_crime"].item() == pytest.approx(14.32, abs=0.005)


def test_year_one_values_an_hour_at_36_pounds(year_one: pd.Series) -> None:
    assert year_one["money_per_hour"] == pytest.approx(36.00, abs=0.005)


def test_year_one_against_the_other_areas_is_a_ratio_of_0_769(year_one: pd.Series) -> None:
    assert year_one["ratio"] == pytest.approx(0.769, abs=0.0005)


def test_year_one_net_of_the_other_areas_is_793_burglaries_and_not_1000(year_one: pd.Series) -> None:
    assert year_one["net_prevented"] == pytest.approx(793, abs=0.5)
