"""The stage's answers, each from the inputs it names: none of them changes when another input is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.account.amount import Amount, answered
from peelian.account.costs import Interval, cost_per_unit, exactly, hours_saved, minutes_per_kit
from peelian.account.records import RECOVERED, Held
from peelian.account.valuing import POLICE, UnitValues
from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.figures import Figure

FINANCE = "the finance team that pays for the programme"
DELIVERY = "the team that delivers the kits"
EVALUATION = "whoever evaluates the programme"
DECISION = "whoever decided on the programme"
PROPERTY = "the property stores and the officers who search recovered goods"
UNSAID = ("the decision does not say", DECISION)

MISSING = {
    "ledger": ("no ledger of what was spent is named", FINANCE),
    "programme": UNSAID,
    "saturation": ("no record of deliveries is held", DELIVERY),
    "assessment": ("no evaluation has been run", EVALUATION),
    "recoveries": ("recovered items are not recorded here", PROPERTY),
}
Reason = tuple[str, str]
CLEAR: Reason = ("", "")


@dataclass(frozen=True, eq=False)
class Basis:
    """What the answers are computed from: the records, the values of one crime, and three figures.

    ``hours`` police hours per crime; ``minutes`` staff minutes per kit; ``staff`` pounds an hour of those who
    deliver.
    """

    held: Held
    values: UnitValues
    hours: Figure
    minutes: Figure
    staff: Figure

    def missing(self, inputs: Sequence[str]) -> Reason:
        """Why an answer that rests on these inputs is not held, and who would hold it; blank where it is."""
        return missing(self.held, inputs)

    @property
    def gate(self) -> Reason:
        """Why the effect may not be valued; blank where it may."""
        found = self.held.assessment
        return (found.gate, EVALUATION) if found is not None and found.gate else CLEAR

    @property
    def no_hours(self) -> Reason:
        """Why no hours can be given for the crime counted; blank where they can."""
        if self.hours.value is None:
            return f"the figure {self.hours.name} is blank and must be supplied", FINANCE
        if "burglary" in self.hours.unit and "burglar" not in self.held.crime.lower():
            return f"the hours named are of burglary and the crime counted is {self.held.crime}", FINANCE
        return CLEAR


def answers(basis: Basis) -> dict[str, Amount]:
    """Every answer by name, held or not held."""
    makers = (
        _price_paid, _price_planned, _homes, _share_reached, _cost_per_home, _one_more, _prevented, _hours,
        _police_money, _net_hours, _cost_spent, _cost_planned, _cost_promised, _minutes_promised,
    )  # fmt: skip
    out = [*(make(basis) for make in makers), *(_recovered(basis, name) for name in RECOVERED)]
    return {amount.name: amount for amount in out}


def missing(held: Held, inputs: Sequence[str]) -> Reason:
    """The first of these inputs that is not held, as a reason and who would hold it; blank where all are."""
    return next((MISSING[name] for name in inputs if getattr(held, name) is None), CLEAR)


# ------------------------------------------------------------ kits
def _price_paid(basis: Basis) -> Amount:
    amount = Amount(
        "cost_per_kit",
        "Cost per kit, as paid",
        "pounds per kit",
        method="money spent on kits over kits paid for",
        source="ledger",
        inputs=("ledger",),
    )
    return answered(amount, lambda: _paid_per_kit(basis.held.payments), *basis.missing(amount.inputs))


def _price_planned(basis: Basis) -> Amount:
    price = basis.held.programme.cost_per_kit if basis.held.programme else None
    amount = Amount(
        "cost_per_kit_planned",
        "Cost per kit, as planned",
        "pounds per kit",
        method="unit cost where the decision states it, else budget over kits",
        source=_decision(basis.held),
        inputs=("programme",),
    )
    return answered(amount, lambda: price or 0.0, *(UNSAID if price is None else CLEAR))


def _homes(basis: Basis) -> Amount:
    amount = Amount(
        "homes",
        "Homes provided with a kit",
        "homes",
        method="kits delivered, counted by place",
        source="deliveries",
        inputs=("saturation",),
    )
    return answered(amount, lambda: homes(basis.held.deliveries), *basis.missing(amount.inputs))


def _share_reached(basis: Basis) -> Amount:
    amount = Amount(
        "saturation",
        "Share of homes with a kit, where kits were delivered",
        "share of homes",
        method="kits delivered over households",
        source="deliveries",
        inputs=("saturation",),
    )
    return answered(amount, lambda: _share(basis.held.deliveries), *basis.missing(amount.inputs))


def _cost_per_home(basis: Basis) -> Amount:
    amount = Amount(
        "cost_per_home",
        "Cost per home provided, all lines of the ledger",
        "pounds per home",
        method="all money spent over homes provided",
        source="ledger, deliveries",
        inputs=("ledger", "saturation"),
    )

    def cost() -> Interval:
        return cost_per_unit(
            basis.held.payments["actual"].sum(), homes(basis.held.deliveries), what="homes provided"
        )

    return answered(amount, cost, *basis.missing(amount.inputs))


def _one_more(basis: Basis) -> Amount:
    minutes, staff = basis.minutes, basis.staff
    timed = minutes.value is not None and staff.value is not None
    method = "last unit price paid; staff time is not in it, because no rate for an hour is held"
    if timed:
        method = f"last unit price paid, and {minutes.words} at {staff.words}"
    amount = Amount(
        "one_more_kit",
        "Cost of one more kit",
        "pounds per kit",
        method=method,
        source="ledger",
        inputs=("ledger",),
    )
    labour = staff.number / minutes_per_kit(1, minutes.number) if timed else 0.0
    return answered(amount, lambda: _last_price(basis.held.payments) + labour, *basis.missing(amount.inputs))


# ------------------------------------------------------------ the effect
def _prevented(basis: Basis) -> Amount:
    held = basis.held
    amount = Amount(
        "prevented",
        f"{held.crimes.capitalize()} prevented",
        held.crimes,
        method="what was expected less what was recorded, in the places with kits"
        + (" and round them: what moved next door is taken off" if _moved(held) else ""),
        source="evaluation",
        inputs=("assessment",),
    )
    untold = held.assessment is not None and not held.assessment.told
    why = (held.measured.gate, EVALUATION) if untold else CLEAR
    return answered(amount, lambda: held.measured.prevented, *_first(basis.missing(amount.inputs), why))


def _hours(basis: Basis) -> Amount:
    held, hours = basis.held, basis.hours
    amount = Amount(
        "hours",
        "Police hours freed (not cashable)",
        "hours",
        method=f"number prevented times {hours.words}",
        source=f"evaluation; {hours.source}",
        inputs=("assessment",),
    )
    why = _first(basis.missing(amount.inputs), basis.gate, basis.no_hours)
    return answered(amount, lambda: hours_saved(held.measured.prevented, hours.number), *why)


def _police_money(basis: Basis) -> Amount:
    held, values = basis.held, basis.values
    amount = Amount(
        "police_money",
        "Police time and costs freed, as money (not cashable)",
        "pounds",
        method="number prevented times the police cost of one",
        source="evaluation; figures",
        inputs=("assessment",),
    )
    why = _first(basis.missing(amount.inputs), basis.gate, (values.why_not, FINANCE))
    return answered(
        amount, lambda: Interval(*(n * values.points[POLICE] for n in held.measured.prevented)), *why
    )


def _net_hours(basis: Basis) -> Amount:
    held, minutes = basis.held, basis.minutes
    amount = Amount(
        "net_hours",
        "Police hours freed less hours of delivery",
        "hours",
        method=f"hours freed less kits delivered times {minutes.words}",
        source=f"evaluation, deliveries; {minutes.source}",
        inputs=("assessment", "saturation"),
    )
    blank = "" if minutes.value else f"the figure {minutes.name} is blank and must be supplied"

    def net() -> Interval:
        given = kits_until(held.deliveries, held.measured.last) / minutes_per_kit(1, minutes.number)
        return Interval(*(n - given for n in hours_saved(held.measured.prevented, basis.hours.number)))

    why = _first(basis.missing(amount.inputs), basis.gate, basis.no_hours, (blank, DELIVERY))
    return answered(amount, net, *why)


# ------------------------------------------------------------ cost per crime prevented
def _cost_spent(basis: Basis) -> Amount:
    held = basis.held
    amount = Amount(
        "cost_per_prevented",
        f"Cost per {held.crime.lower()} prevented, money spent",
        f"pounds per {held.crime.lower()} prevented",
        method="money spent to the last month measured, over the number prevented",
        source="ledger, evaluation",
        inputs=("ledger", "assessment"),
    )

    def cost() -> Interval:
        found = held.measured
        return cost_per_unit(
            spent_until(held.payments, found.last), found.prevented, what=f"{held.crimes} prevented"
        )

    return answered(amount, cost, *_first(basis.missing(amount.inputs), basis.gate))


def _cost_planned(basis: Basis) -> Amount:
    held = basis.held
    amount = Amount(
        "cost_per_prevented_planned",
        f"Cost per {held.crime.lower()} prevented, kits at the planned price",
        f"pounds per {held.crime.lower()} prevented",
        method="kits delivered to the last month measured, at the planned price, over the number prevented",
        source="decision, deliveries, evaluation",
        inputs=("programme", "saturation", "assessment"),
    )
    price = held.programme.cost_per_kit if held.programme else None

    def cost() -> Interval:
        found = held.measured
        spent = (price or 0.0) * kits_until(held.deliveries, found.last)
        return cost_per_unit(spent, found.prevented, what=f"{held.crimes} prevented")

    unsaid = UNSAID if price is None else CLEAR
    return answered(amount, cost, *_first(basis.missing(amount.inputs), basis.gate, unsaid))


def _cost_promised(basis: Basis) -> Amount:
    programme, crime = basis.held.programme, basis.held.crime.lower()
    amount = Amount(
        "cost_per_prevented_promised",
        f"Cost per {crime} prevented, as promised",
        f"pounds per {crime} prevented",
        method="budget over the number promised",
        source=_decision(basis.held),
        inputs=("programme",),
    )
    budget, number = (programme.budget, programme.prevented) if programme else (None, None)
    if not budget or not number:
        return answered(amount, lambda: 0.0, *UNSAID)
    return answered(amount, lambda: cost_per_unit(budget, number))


def _minutes_promised(basis: Basis) -> Amount:
    programme = basis.held.programme
    amount = Amount(
        "minutes_promised",
        "Staff minutes a kit that would use up the hours promised",
        "minutes per kit",
        method="hours promised over kits promised",
        source=_decision(basis.held),
        inputs=("programme",),
    )
    hours, kits = (programme.hours, programme.kits) if programme else (None, None)
    if not hours or not kits:
        return answered(amount, lambda: 0.0, *UNSAID)
    return answered(amount, lambda: minutes_per_kit(hours, kits))


# ------------------------------------------------------------ recovered items
def _recovered(basis: Basis, name: str) -> Amount:
    held = basis.held
    amount = Amount(
        f"items_{name}",
        f"Recovered items {name}",
        "items",
        method="counted by month",
        source="recoveries",
        inputs=("recoveries",),
    )
    if held.recoveries is None:
        return answered(amount, lambda: 0.0, *MISSING["recoveries"])
    items = held.recoveries[name]
    if items.isna().all():
        return answered(amount, lambda: 0.0, f"no month says how many were {name}", PROPERTY)
    if 0 < items.sum() < held.threshold:
        return answered(amount, lambda: 0.0, f"fewer than {held.threshold}: too few to publish", PROPERTY)
    return answered(amount, lambda: float(items.sum()))


# ------------------------------------------------------------ sums over the records
def by_place(saturation: pd.DataFrame) -> pd.DataFrame:
    """Kits delivered so far and households, by place: the last month of each."""
    return saturation.groupby("place")[["delivered", "households"]].max()


def homes(saturation: pd.DataFrame) -> float:
    """Kits delivered so far, in all places."""
    return float(by_place(saturation)["delivered"].sum())


def kits_until(saturation: pd.DataFrame, last: pd.Period) -> float:
    """Kits delivered to the end of a month."""
    import pandas as pd

    months = pd.PeriodIndex(saturation["month"].astype(str), freq="M")
    return float(saturation.loc[months <= last, "kits"].sum())


def spent_until(ledger: pd.DataFrame, last: pd.Period) -> float:
    """Pounds spent, on all lines, to the end of a month."""
    return float(ledger.loc[ledger["date"].dt.to_period("M") <= last, "actual"].sum())


def _share(saturation: pd.DataFrame) -> float:
    reached = by_place(saturation).query("delivered > 0")
    if not reached["households"].sum() > 0:
        raise DesignError("The households of the places with kits are not known.")
    return float(reached["delivered"].sum() / reached["households"].sum())


def _paid_per_kit(ledger: pd.DataFrame) -> Interval:
    kits = ledger[(ledger["line"] == "kits") & ledger["actual"].notna()]
    return cost_per_unit(kits["actual"].sum(), exactly(kits["quantity"].sum()), what="kits paid for")


def _last_price(ledger: pd.DataFrame) -> float:
    kits = ledger[(ledger["line"] == "kits") & ledger["unit_price"].notna()]
    if kits.empty:
        raise DesignError("No row of kits in the ledger has a unit price.")
    return float(kits["unit_price"].iloc[-1])


def _decision(held: Held) -> str:
    return (held.programme.source or held.programme.decision or "decision") if held.programme else "decision"


def _moved(held: Held) -> bool:
    """True where crime moved next door, so that numbers prevented are net of it."""
    return held.assessment is not None and held.assessment.gross is not None


def _first(*reasons: Reason) -> Reason:
    """The first reason that says something."""
    return next((reason for reason in reasons if reason[0]), CLEAR)
