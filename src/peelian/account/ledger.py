"""The ledger: what was planned, committed and spent, and the promise beside what was shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from peelian.account.costs import Interval
from peelian.account.tables import Row, day, number, read_rows
from peelian.errors import DataError
from peelian.words import day as day_in_words

if TYPE_CHECKING:
    import pandas as pd

LINES = ("kits", "staff", "signs", "covert", "publicity", "evaluation", "IT", "other")
COLUMNS = (
    "date", "financial_year", "line", "quantity", "unit", "unit_price", "planned", "committed", "actual",
    "funder", "inside_budget", "decision", "document", "note",
)  # fmt: skip
MONEY = ("planned", "committed", "actual")
APRIL = 4
CENTURY = 100
PENNY = 0.0101  # sums are rounded to the penny


def read_ledger(path: str | Path) -> pd.DataFrame:
    """The ledger of a programme by date: one row a plan, order or payment; corrections are new rows.

    Columns: ``date`` (day), ``financial_year`` (``2015-16``; may be blank, then taken from the date),
    ``line`` (kits, staff, signs, covert, publicity, evaluation, IT, other), ``quantity``, ``unit``,
    ``unit_price``, ``planned``, ``committed``, ``actual`` (pounds; blank is not held, negative corrects),
    ``funder``, ``inside_budget`` (yes or no), ``decision`` and ``document`` (references),
    ``note`` (the owner's words on a variance).

    Raises ``DataError`` naming every bad line: a wrong date, line, number or financial year, no sum at all.
    """
    import pandas as pd

    rows = read_rows(path, ("date", "line", "actual"), _entry)
    if not rows:
        raise DataError(
            f"{path}: holds no rows. Remove it from [account] until something was planned or spent."
        )
    frame = pd.DataFrame(rows)[list(COLUMNS)]
    frame["date"] = pd.to_datetime(frame["date"])
    return frame.sort_values(list(COLUMNS[:3]), ignore_index=True, kind="stable")


def _entry(row: Row) -> dict[str, Any]:
    when = day(row, "date")
    line = next((name for name in LINES if name.lower() == row["line"].lower()), None)
    if line is None:
        raise DataError(f"line is {row['line']!r}; expected {', '.join(LINES)}")
    year = financial_year(when.year, when.month)
    if row.get("financial_year", "").replace("/", "-") not in ("", year):
        raise DataError(f"financial_year is {row['financial_year']!r}, but {when} lies in {year}")
    inside = row.get("inside_budget", "").lower() or "yes"
    if inside not in ("yes", "no"):
        raise DataError(f"inside_budget is {row['inside_budget']!r}; expected yes or no")
    sums = {name: number(row, name) for name in ("quantity", "unit_price", *MONEY)}
    if all(value != value for name, value in sums.items() if name in MONEY):
        raise DataError("planned, committed and actual are all blank; a row needs one of them")
    text = {name: row.get(name, "") for name in ("unit", "funder", "decision", "document", "note")}
    return (
        {"date": when, "financial_year": year, "line": line, "inside_budget": inside == "yes"} | sums | text
    )


def financial_year(year: int, month: int) -> str:
    """The financial year, April to March, of a month.

    >>> financial_year(2016, 3), financial_year(2016, 4)
    ('2015-16', '2016-17')
    """
    first = year if month >= APRIL else year - 1
    return f"{first}-{(first + 1) % CENTURY:02d}"


def spend(ledger: pd.DataFrame) -> pd.DataFrame:
    """Planned, committed and actual pounds by financial year and line, with the variance and a total row.

    Rows outside the approved budget stand on lines of their own. Variance = actual - planned, blank where
    either is not held. Blanks count as nothing in a sum only beside a sum that is held.
    """
    import pandas as pd

    frame = ledger.assign(
        line=ledger["line"].where(ledger["inside_budget"], ledger["line"] + ", outside the budget")
    )
    grouped = frame.groupby(["financial_year", "line"])[list(MONEY)].sum(min_count=1)
    total = frame[list(MONEY)].sum(min_count=1).rename(("all years", "total"))
    out = pd.concat([grouped, total.to_frame().T])
    out.index.names = ["financial_year", "line"]
    out["variance"] = out["actual"] - out["planned"]
    return out.reset_index().rename(columns={"financial_year": "financial year"})


def exceptions(ledger: pd.DataFrame) -> list[str]:
    """A sentence for each payment for kits that differs from kits times unit price by more than a penny."""
    kits = ledger[ledger["line"] == "kits"]
    kits = kits.assign(product=kits["quantity"] * kits["unit_price"])
    rows = kits[(kits["actual"] - kits["product"]).abs() > PENNY]
    return [
        f"{row.line} of {day_in_words(str(row.date.date()))}: {row.quantity:,.0f} at £{row.unit_price:,.2f} "
        f"is £{row.product:,.2f}, but £{row.actual:,.2f} was paid."
        for row in rows.itertuples()
    ]


class Promise(NamedTuple):
    """One promise: what was promised, how much was due by now, and what was measured (None: not held).

    ``gate`` says why the measured number cannot be told from nothing; the status is then ``cannot tell``.
    """

    what: str
    promised: float | None
    due: float | None
    measured: Interval | None
    more_is_better: bool = True
    basis: str = ""
    gate: str = ""


def promised_against_actual(promises: Sequence[Promise]) -> pd.DataFrame:
    """Each promise beside what was due by now and what was measured, with the status in words.

    Columns: ``promise``, ``promised``, ``due by now``, ``measured``, ``low``, ``high``, ``status``,
    ``basis``. Status: ``on track`` where the whole interval reaches what was due, ``behind`` where none of
    it does, ``cannot tell`` where the interval includes it; ``within`` and ``over`` for money; ``not held``
    without a number.

    >>> promised_against_actual([Promise("kits", 100, 50, Interval(60, 60, 60))])["status"].item()
    'on track'
    """
    import pandas as pd

    nothing = (None, None, None)
    rows = [(p.what, p.promised, p.due, *(p.measured or nothing), _status(p), p.basis) for p in promises]
    numbers = ["promised", "due by now", "measured", "low", "high"]
    frame = pd.DataFrame(rows, columns=["promise", *numbers, "status", "basis"])
    for name in numbers:
        frame[name] = pd.to_numeric(frame[name])
    return frame


def _status(promise: Promise) -> str:
    if promise.due is None or promise.measured is None:
        return "not held"
    if promise.gate:
        return "cannot tell"
    value, low, high = promise.measured
    if not promise.more_is_better:
        return "within" if value <= promise.due else "over"
    if low >= promise.due:
        return "on track"
    return "behind" if high < promise.due else "cannot tell"
