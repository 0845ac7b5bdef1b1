"""What a finance officer asks: earned value, forecast at completion, unexplained variance, four tests.

The four tests are those that PwC's review of the Metropolitan Police's technology programme found failed:
costs and benefits estimated with rigour, spend tracked, confidence in benefits, clear decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from peelian.account.ledger import exceptions, spend
from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd


class Earned(NamedTuple):
    """Where the money of a programme stands, in pounds.

    ``earned`` kits delivered at the planned price; ``spent`` so far; ``at_actual_rate`` the cost of all kits
    if each goes on costing what it has so far; ``at_plan_rate`` if the rest costs what was planned.
    """

    budget: float
    earned: float
    spent: float
    at_actual_rate: float
    at_plan_rate: float


def earned_value(budget: float, kits_planned: float, *, delivered: float, spent: float) -> Earned:
    """What was earned for what was spent, and the forecast at completion at the actual and the plan rate.

    Earned value = budget x delivered / planned. Raises ``DesignError`` where nothing was delivered.

    >>> earned_value(5_600_000, 440_000, delivered=44_000, spent=700_000)
    Earned(budget=5600000, earned=560000.0, spent=700000, at_actual_rate=7000000.0, at_plan_rate=5740000.0)
    """
    if not delivered > 0 or not kits_planned > 0:
        raise DesignError("No kit was planned and delivered, so nothing can be forecast.")
    earned = budget * delivered / kits_planned
    return Earned(budget, earned, spent, budget * spent / earned, spent + budget - earned)


def unexplained(ledger: pd.DataFrame, *, share: float, pounds: float) -> list[str]:
    """A sentence for each year and line that differs from plan by more than a share or a sum, without a note.

    A note on any row of that year and line, in the column ``note``, is its owner's explanation.
    """
    frame = spend(ledger).iloc[:-1]
    inside = ledger["inside_budget"]
    named = ledger.assign(line=ledger["line"].where(inside, ledger["line"] + ", outside the budget"))
    noted = set(map(tuple, named.loc[named["note"] != "", ["financial_year", "line"]].to_numpy()))
    out = []
    for row in frame.rename(columns={"financial year": "year"}).itertuples():
        over = abs(row.variance) > min(pounds, abs(row.planned) * share)
        if over and (row.year, row.line) not in noted:
            more = "more" if row.variance > 0 else "less"
            out.append(
                f"{row.line[0].upper()}{row.line[1:]} in {row.year}: £{abs(row.variance):,.0f} {more} than "
                "planned, and no owner's note explains it."
            )
    return out


def four_tests(
    *,
    weak: Sequence[str],
    ledger: pd.DataFrame | None,
    unexplained: Sequence[str],
    register: pd.DataFrame | None,
    measured: str,
    decision: str,
) -> pd.DataFrame:
    """The four tests of PwC's review, each with what is held and whether it is met.

    ``weak`` names of figures that are doubtful and move the answer; ``measured`` the measured effect in
    words or empty; ``decision`` its reference or empty. Columns ``test``, ``met``, ``what is held``.
    """
    import pandas as pd

    rows = [
        ("Are costs and benefits estimated with rigour?", not weak and bool(measured),
         _rigour(weak, measured)),
        ("Is spend tracked?", ledger is not None and not unexplained and not exceptions(ledger),
         _tracked(ledger, unexplained)),
        ("Is there confidence that benefits are delivered?", _claimable(register) and bool(measured),
         _benefits(register, measured)),
        ("Are decisions clear?", bool(decision) and _referenced(ledger), _decisions(ledger, decision)),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["test", "met", "what is held"])
    frame["met"] = frame["met"].map({True: "met", False: "not met"})
    return frame


def _rigour(weak: Sequence[str], measured: str) -> str:
    doubtful = f"{len(weak)} figures are doubtful and move the answer: {', '.join(weak)}" if weak else ""
    return "; ".join(filter(None, ("" if measured else "no effect has been measured", doubtful))) or (
        "every figure is sourced and dated, and the effect carries its interval"
    )


def _tracked(ledger: pd.DataFrame | None, unexplained: Sequence[str]) -> str:
    if ledger is None:
        return "no ledger is held"
    wrong = len(exceptions(ledger))
    return (
        f"{len(ledger):,} rows; {len(unexplained)} variances without an owner's note; {wrong} payments for "
        "kits that differ from quantity times price"
    )


def _claimable(register: pd.DataFrame | None) -> bool:
    return register is not None and not register["status"].isin(["not claimable", "stale"]).any()


def _benefits(register: pd.DataFrame | None, measured: str) -> str:
    if register is None:
        return "no benefits register is held"
    counts = register["status"].value_counts()
    said = ", ".join(f"{counts[name]} {name}" for name in sorted(counts.index))
    return f"{len(register)} benefits: {said}; {measured or 'no measured effect'}"


def _referenced(ledger: pd.DataFrame | None) -> bool:
    return ledger is not None and bool((ledger["decision"] != "").all())


def _decisions(ledger: pd.DataFrame | None, decision: str) -> str:
    named = decision or "no decision is referenced"
    if ledger is None:
        return f"{named}; no ledger is held"
    without = int((ledger["decision"] == "").sum())
    return f"{named}; {without} of {len(ledger):,} rows of the ledger name no decision"
