"""Everything the stage computed, as its report and its files need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from peelian.account.amount import Amount
from peelian.account.answers import kits_until
from peelian.account.business import Business
from peelian.account.cards import Card
from peelian.account.cases import MONTHS_IN_A_YEAR, PLANNED, SPENT, Case
from peelian.account.costs import Interval, exactly
from peelian.account.foi import Answer
from peelian.account.governance import Record
from peelian.account.ledger import Promise, promised_against_actual, spend
from peelian.account.records import Held
from peelian.account.releases import Release
from peelian.account.request import Request
from peelian.account.scrutiny import unexplained
from peelian.account.valuing import SOCIAL, UnitValues
from peelian.words import percent

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.account.run import Parameters
    from peelian.figures import Figure


PERCENT = 100


@dataclass(frozen=True, eq=False)
class Results:
    """What is held, the answers, the cases, the replies to the public, and the claims reconciled.

    ``impacts``  the name of a figure used -> how far 10 % more or less moves any answer, as a share;
    ``exposure`` of groups of people to the programme; ``cards`` of areas;
    ``leaving`` the tables of counts that go to the public, set beside ``released`` ones;
    ``tornado`` how far the social ratio moves over the range of each figure and of the effect.
    """

    held: Held
    parameters: Parameters
    values: UnitValues
    amounts: dict[str, Amount]
    cases: tuple[Case, ...]
    replies: Sequence[Answer]
    questions: str
    claims: pd.DataFrame | None
    impacts: dict[str, float] = field(default_factory=dict)
    tornado: pd.DataFrame | None = None
    governance: tuple[Record, ...] = ()
    business: Business | None = None
    cards: tuple[Card, ...] = ()
    exposure: pd.DataFrame | None = None
    shapes: gpd.GeoDataFrame | None = None
    similar: pd.DataFrame | None = None
    leaving: tuple[Release, ...] = ()
    released: int = 0
    changes: pd.DataFrame | None = None
    version: str = ""
    request: Request = field(default_factory=Request)

    @property
    def case(self) -> Case | None:
        """The case that is told first: on money spent, else kits at the planned price."""
        measured = [case for case in self.cases if case.basis in (SPENT, PLANNED)]
        return next((case for case in measured if case.switching is not None), None)

    @property
    def figures_used(self) -> list[Figure]:
        """Every figure that an answer rests on, each once."""
        p, held = self.parameters, self.held
        names = (p.hours, p.minutes, p.staff, p.money_per_hour, p.costs_plus, p.benefits_minus)
        rates = [row for case in self.cases for row in case.rates]
        named = [*self.values.used, *(held.figures.at(name, held.day) for name in names), *rates]
        named += self.business.figures if self.business else ()
        return [row for row in dict.fromkeys(named) if row.value is not None]

    @property
    def unexplained(self) -> list[str]:
        """Sentences for the variances of the ledger that no owner explains."""
        held = self.held
        if held.ledger is None or held.ledger.empty:
            return []
        share, pounds = (held.figures.at(f"variance_{name}", held.day).number for name in ("share", "pounds"))
        return unexplained(held.ledger, share=share, pounds=pounds)

    @property
    def bearable(self) -> float | None:
        """Pounds of benefit at the 95 % point of the simulation, of the social line; None without one."""
        case = self.case
        if case is None or case.table is None or "bcr_95" not in case.table or case.pv_cost is None:
            return None
        return float(case.table.at[SOCIAL, "bcr_95"]) * case.pv_cost

    @property
    def recording(self) -> str:
        """That recording changed within the two years compared, where it did for every force."""
        from peelian.account.leaving import recording_changed

        return "" if self.changes is None else recording_changed(self.held, self.changes)

    @property
    def outdated(self) -> list[str]:
        """Sentences for the figures that do not apply on the day of the records."""
        if self.held.day is None:
            return []
        day = date.fromisoformat(self.held.day)
        past = [f"{row.name} (until {row.to})" for row in self.figures_used if row.to < day]
        later = [f"{row.name} (from {row.since})" for row in self.figures_used if row.since > day]
        told = {
            "Used past the day they applied to, for want of later figures": past,
            "Used for a time before they apply, for want of earlier figures": later,
        }
        return [f"{words}: {', '.join(rows)}." for words, rows in told.items() if rows]


def costs_frame(results: Results) -> pd.DataFrame:
    """Every answer, held or not, one row each."""
    import pandas as pd

    frame = pd.DataFrame([amount.as_row() for amount in results.amounts.values()])
    for name in ("value", "low", "high"):
        frame[name] = pd.to_numeric(frame[name])
    return frame


def benefits_frame(results: Results) -> pd.DataFrame | None:
    """Benefit and cost by basis and perspective, one row each; a case that is not held or gated says why."""
    import pandas as pd

    parts = []
    for case in results.cases:
        note = case.gate or case.why_not
        frame = pd.DataFrame({"line": ["all"]}) if case.table is None else case.table.reset_index()
        frame.insert(0, "basis", case.basis)
        parts.append(frame.assign(**{"not given because": note}))
    return pd.concat(parts, ignore_index=True)


def switching_frame(results: Results) -> pd.DataFrame | None:
    """What each number would have to be for benefits to equal costs, by basis and perspective."""
    import pandas as pd

    held = [c.switching.reset_index().assign(basis=c.basis) for c in results.cases if c.switching is not None]
    if not held:
        return None
    frame = pd.concat(held, ignore_index=True)
    return frame[["basis", *(name for name in frame.columns if name != "basis")]]


def promise_frame(results: Results) -> pd.DataFrame | None:
    """The promise beside what was due by now and what was measured; None without a decision.

    Money and kits are due in proportion to the time gone by, crimes and hours to the kits delivered.
    """
    held, amounts = results.held, results.amounts
    programme = held.programme
    if programme is None:
        return None
    time, kits = _due_by_time(held, results.parameters.years), _due_by_kits(held)
    gate = held.assessment.gate if held.assessment else ""
    percent = programme.saturation * PERCENT
    reached = "homes with a kit in 100, where kits were delivered"
    rows = [
        _promise("money spent, pounds", programme.budget, time, _spent(held))._replace(more_is_better=False),
        _promise("kits delivered", programme.kits, time, amounts["homes"].interval),
        _promise(reached, percent, (1.0, "due in every area with kits"), _in_percent(amounts["saturation"])),
        _promise(f"{held.crimes} prevented", programme.prevented, kits, amounts["prevented"].interval, gate),
        _promise("police hours freed", programme.hours, kits, amounts["hours"].interval, gate),
    ]
    return promised_against_actual(rows)


def _promise(
    what: str,
    promised: float | None,
    due: tuple[float | None, str],
    measured: Interval | None,
    gate: str = "",
) -> Promise:
    share, basis = due
    by_now = None if promised is None or share is None else promised * share
    return Promise(what, promised, by_now, measured, basis=basis, gate=gate)


def _in_percent(share: Amount) -> Interval | None:
    return None if share.interval is None else Interval(*(bound * PERCENT for bound in share.interval))


def _due_by_time(held: Held, years: int | None) -> tuple[float | None, str]:
    import pandas as pd

    starts = held.programme.treated["start"].dropna() if held.programme else []
    if years is None or not len(starts) or held.day is None:
        return None, "how much was due by now is not held: it needs [account] years and a start"
    gone = int((pd.Period(held.day, freq="M") - min(starts)).n) + 1
    share = min(max(gone, 0) / (years * MONTHS_IN_A_YEAR), 1.0)
    return share, f"due in proportion to time: {max(gone, 0):,} months since the first start"


def _due_by_kits(held: Held) -> tuple[float | None, str]:
    programme, found = held.programme, held.assessment
    if programme is None or not programme.kits or held.saturation is None or found is None:
        return (
            None,
            "how much was due by now is not held: it needs kits promised, kits delivered and an evaluation",
        )
    share = kits_until(held.saturation, found.last) / programme.kits
    return min(
        share, 1.0
    ), f"due in proportion to kits delivered when measured, {percent(share)} of those promised"


def _spent(held: Held) -> Interval | None:
    if held.ledger is None:
        return None
    inside = held.ledger[held.ledger["inside_budget"]]
    return exactly(float(inside["actual"].sum()))


def spend_frame(results: Results) -> pd.DataFrame | None:
    """Planned, committed and actual pounds by financial year and line; None without a ledger."""
    ledger = results.held.ledger
    return None if ledger is None or ledger.empty else spend(ledger)
