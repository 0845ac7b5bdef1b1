"""The benefits register, the forecast at completion and the four tests."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peelian.account.benefits import judged, overclaimed, read_benefits
from peelian.account.ledger import read_ledger
from peelian.account.run import Parameters, run
from peelian.account.scrutiny import earned_value, four_tests, unexplained
from peelian.errors import DataError, DesignError
from peelian.report import Outcome, Table
from tests.account_scenario import COLUMNS, MONTHS, records

HEAD = "id,benefit,kind,class,owner,measure,baseline,target,due,actual,value,last_reviewed\n"
FULL = "B1,Hours freed,,non-cashable,Head of crime,hours q1,100,60,2017-03-01,55,9000,2017-03-01\n"


def register(tmp_path: Path, rows: str) -> pd.DataFrame:
    path = tmp_path / "benefits.csv"
    path.write_text(HEAD + rows, encoding="utf-8")
    return judged(read_benefits(path), on=date(2017, 3, 31), review_days=90)


@pytest.mark.parametrize(
    ("was", "now", "status", "why", "claims"),
    [
        ("", "", "reached", "", 9000),
        ("Head of crime", "", "not claimable", "no owner", 0),
        ("hours q1", "", "not claimable", "no measure", 0),
        (",100,60", ",,60", "not claimable", "no baseline", 0),
        ("9000,2017-03-01", "9000,2016-12-01", "stale", "last reviewed 2016-12-01", 9000),
        ("9000,2017-03-01", "9000,", "stale", "last reviewed never", 9000),
        (",55,", ",70,", "not reached by its due date", "due 2017-03-01", 9000),
        ("2017-03-01,55", "2018-03-01,70", "open", "", 9000),
        (",,non-cashable", ",disbenefit,non-cashable", "reached", "", -9000),
    ],
)  # fmt: skip
def test_a_benefit_is_judged(
    tmp_path: Path, was: str, now: str, status: str, why: str, claims: float
) -> None:
    row = register(tmp_path, FULL.replace(was, now, 1) if was else FULL).iloc[0]
    assert (row["status"], row["why"], row["claims"]) == (status, why, claims)


def test_two_benefits_on_one_measure_are_pointed_out(tmp_path: Path) -> None:
    found = register(tmp_path, FULL + FULL.replace("B1", "B2"))
    assert set(found["why"]) == {"shares its measure with another benefit"}


def test_an_id_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the id B1 stands on more than one row"):
        register(tmp_path, FULL + FULL)


def test_a_class_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2: class is 'money'; expected cashable, non-cashable, quality"):
        register(tmp_path, FULL.replace("non-cashable", "money"))


@pytest.mark.parametrize(
    ("most", "says"),
    [(10_000.0, ""), (8_000.0, "The register claims £9,000; the evaluation bears £8,000 at most (95 % point)."),
     (None, "The register claims £9,000, and no measured effect stands behind it.")],
)  # fmt: skip
def test_more_than_the_evaluation_bears_is_said(tmp_path: Path, most: float | None, says: str) -> None:
    assert overclaimed(register(tmp_path, FULL), most) == says


# ------------------------------------------------------------ the ledger
def ledger(tmp_path: Path, rows: str) -> pd.DataFrame:
    path = tmp_path / "ledger.csv"
    path.write_text(f"{COLUMNS},funder,inside_budget,decision,document,note\n{rows}", encoding="utf-8")
    return read_ledger(path)


@pytest.mark.parametrize(
    ("planned", "actual", "note", "told"),
    [(1000, 1100, "", 0), (1000, 1101, "", 1), (1000, 899, "", 1), (1000, 5000, "Prices rose", 0),
     (1_000_000, 1_050_001, "", 1), (1_000_000, 1_050_000, "", 0), ("", 5000, "", 0)],
)  # fmt: skip
def test_a_large_variance_needs_its_owners_note(
    tmp_path: Path, planned: Any, actual: Any, note: str, told: int
) -> None:
    rows = ledger(tmp_path, f"2016-04-02,,staff,,,,{planned},,{actual},Force,yes,D1,,{note}\n")
    assert len(unexplained(rows, share=0.1, pounds=50_000)) == told


def test_the_forecast_is_refused_before_anything_is_delivered() -> None:
    with pytest.raises(DesignError, match="nothing can be forecast"):
        earned_value(5_600_000, 440_000, delivered=0, spent=1)


def test_with_nothing_held_none_of_the_four_tests_is_met() -> None:
    found = four_tests(weak=[], ledger=None, unexplained=[], register=None, measured="", decision="")
    assert found["met"].tolist() == ["not met"] * 4


def test_all_four_tests_can_be_met(tmp_path: Path) -> None:
    found = four_tests(
        weak=[], ledger=ledger(tmp_path, "2016-04-02,,staff,,,,10,,10,Force,yes,D1,,\n"), unexplained=[],
        register=register(tmp_path, FULL), measured="measured: fewer", decision="PCD 536",
    )  # fmt: skip
    assert found["met"].tolist() == ["met"] * 4


# ------------------------------------------------------------ in the chapter
def outcome(tmp_path: Path, **changes: Any) -> Outcome:
    held = records(tmp_path) | changes
    first, second = held.pop("assessment"), held.pop("programme")
    return run(first, second, Parameters(years=5), **held, crime="burglary", months=MONTHS, seed=1)


def test_the_chapter_has_the_forecast_the_register_and_the_tests(tmp_path: Path) -> None:
    path = tmp_path / "benefits.csv"
    path.write_text(HEAD + FULL, encoding="utf-8")
    names = [
        block.name for block in outcome(tmp_path, benefits=path).section.blocks if isinstance(block, Table)
    ]
    assert {"account_forecast", "account_register", "account_four_tests"} <= set(names)
