"""The ledger: bad rows are named by line, sums add up, and the promise stands beside what was shown."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from peelian.account.costs import Interval, exactly
from peelian.account.ledger import Promise, exceptions, promised_against_actual, read_ledger, spend
from peelian.errors import DataError
from tests.account_scenario import COLUMNS, LEDGER


def ledger(tmp_path: Path, text: str = LEDGER) -> Path:
    path = tmp_path / "ledger.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("01/04/2016,,kits,,,,,,5", "line 2: date is '01/04/2016'; expected a day such as 2016-05-31"),
        (
            "2016-04-02,2015-16,kits,,,,,,5",
            "line 2: financial_year is '2015-16', but 2016-04-02 lies in 2016-17",
        ),
        ("2016-04-02,,beer,,,,,,5", "line 2: line is 'beer'; expected kits, staff, signs"),
        ("2016-04-02,,kits,,,,,,", "line 2: planned, committed and actual are all blank"),
        ("2016-04-02,,kits,many,,,,,5", "line 2: quantity is 'many'; expected a number"),
        ("2016-04-02,,kits,,,,,,1,000", "line 2: has more fields than the header"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, says: str) -> None:
    with pytest.raises(DataError) as error:
        read_ledger(ledger(tmp_path, f"{COLUMNS}\n{row}\n"))
    assert says in str(error.value)


def test_all_bad_rows_are_listed_and_nothing_is_loaded(tmp_path: Path) -> None:
    bad = "x,,kits,,,,,,5\n2016-04-02,,kits,,,,,,5\ny,,kits,,,,,,5\n"
    with pytest.raises(
        DataError, match=r"2 of 3 rows are wrong and nothing was loaded.\n  line 2.*\n  line 4"
    ):
        read_ledger(ledger(tmp_path, f"{COLUMNS}\n{bad}"))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks the column actual; it has date, line"):
        read_ledger(ledger(tmp_path, "date,line\n"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_ledger(tmp_path / "none.csv")


def test_spend_by_year_and_line_adds_up_to_the_total(tmp_path: Path) -> None:
    table = spend(read_ledger(ledger(tmp_path)))
    assert table["actual"].iloc[:-1].sum() == table["actual"].iloc[-1] == 62_500 + 8_800 + 12_600


def test_spending_outside_the_budget_has_a_line_of_its_own(tmp_path: Path) -> None:
    assert "staff, outside the budget" in list(spend(read_ledger(ledger(tmp_path)))["line"])


def test_what_was_never_planned_has_no_variance(tmp_path: Path) -> None:
    table = spend(read_ledger(ledger(tmp_path))).set_index("financial year")
    assert table.loc["2017-18", "variance"] != table.loc["2017-18", "variance"]


def test_quantity_times_price_that_differs_from_the_payment_is_said(tmp_path: Path) -> None:
    text = LEDGER.replace("12600,12600", "12600,12000")
    assert exceptions(read_ledger(ledger(tmp_path, text))) == [
        "kits of 1 June 2017: 1,000 at £12.60 is £12,600.00, but £12,000.00 was paid."
    ]


@pytest.mark.parametrize(
    ("promise", "status"),
    [
        (Promise("x", 100, 50, Interval(60, 50, 70)), "on track"),
        (Promise("x", 100, 50, Interval(40, 30, 49)), "behind"),
        (Promise("x", 100, 50, Interval(60, 40, 80)), "cannot tell"),
        (Promise("x", 100, 50, Interval(60, 50, 70), gate="the effect cannot be told"), "cannot tell"),
        (Promise("x", 100, 50, None), "not held"),
        (Promise("x", 100, None, exactly(60)), "not held"),
        (Promise("£", 100, 50, exactly(49), more_is_better=False), "within"),
        (Promise("£", 100, 50, exactly(51), more_is_better=False), "over"),
    ],
)
def test_the_status_of_a_promise(promise: Promise, status: str) -> None:
    assert promised_against_actual([promise])["status"].item() == status


def test_a_ledger_in_a_workbook_is_the_ledger_in_csv(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    (tmp_path / "ledger.csv").write_text(
        "date,line,quantity,unit_price,actual\n2016-04-02,kits,5000,12.5,62500\n2016-05-27,staff,400,22,8800\n",
        encoding="utf-8",
    )
    book = openpyxl.Workbook()
    for row in (
        ("date", "line", "quantity", "unit_price", "actual"),
        (date(2016, 4, 2), "kits", 5000, 12.5, 62500),
        (date(2016, 5, 27), "staff", 400, 22, 8800),
    ):
        book.active.append(row)
    book.save(tmp_path / "ledger.xlsx")
    pd.testing.assert_frame_equal(read_ledger(tmp_path / "ledger.xlsx"), read_ledger(tmp_path / "ledger.csv"))


def test_a_wrong_row_of_a_workbook_is_named_by_its_line(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    book = openpyxl.Workbook()
    for row in (("date", "line", "actual"), ("2016-04-02", "kits", 5), ("2016-04-03", "cakes", 5)):
        book.active.append(row)
    book.save(tmp_path / "ledger.xlsx")
    with pytest.raises(DataError, match=r"line 3: line is 'cakes'"):
        read_ledger(tmp_path / "ledger.xlsx")
