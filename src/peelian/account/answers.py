"""The stage's answers, each from the inputs it names: none of them changes when another input is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from peelian.account.amount import Amount, answered
from peelian.account.costs import Interval, cost_per_unit, exactly, hours_saved, minutes_per_kit
from peelian.account.records import RECOVERED, Held
from peelian.account.valuing import POLICE, UnitValues

if TYPE_CHECKING:
    import pandas as pd

    from peelian.figures import Figure

FINANCE = "the finance team that pays for the programme"
DELIVERY = "the team that delivers the kits"
EVALUATION = "whoever evaluates the programme"
DECISION = "whoever decided on the programme"
PROPERTY = "the property stores and the officers who search recovered goods"

MISSING = {
    "ledger": ("no ledger of what was spent is named", FINANCE),
    "programme": ("the decision does not say", DECISION),
    "saturation": ("no record of deliveries is held", DELIVERY),
    "assessment": ("no evaluation has been run", EVALUATION),
    "recoveries": ("recovered items are not recorded here", PROPERTY),
}


def answers(held: Held, *, values: UnitValues, hours: Figure, minutes: Figure, staff: Figure) -> dict[str, Amount]:
    """Every answer by name, held or not held.

    ``values``   pounds per crime prevented; ``hours`` police hours per crime; ``minutes`` staff minutes per kit;
                 ``staff`` pounds for an hour of those who deliver.
    """
    out = [
        *_kits(held, minutes, staff), *_effect(held, values, hours), *_costs_per_crime(held),
        *_time(held, hours, minutes), *_recovered(held),
    ]  # fmt: skip
    return {amount.name: amount for amount in out}


def missing(held: Held, inputs: Sequence[str]) -> tuple[str, str]:
    """Why an answer that rests on these inputs is not held, and who would hold it; blanks where all are there."""
    for name in inputs:
        if getattr(held, name) is None:
            return MISSING[name]
    return "", ""


def _kits(held: Held, minutes: Figure, staff: Figure) -> list[Amount]:
    from_ledger, from_deliveries = ("ledger",), ("saturation",)
    price = Amount("cost_per_kit", "Cost per kit, as paid", "pounds per kit",
                   method="money spent on kits over kits paid for", source="ledger", inputs=from_ledger)
    planned = Amount("cost_per_kit_planned", "Cost per kit, as planned", "pounds per kit",
                     method="unit cost where the decision states it, else budget over kits",
                     source=_decision(held), inputs=("programme",))
    homes = Amount("homes", "Homes provided with a kit", "homes", method="kits delivered, counted by place",
                   source="deliveries", inputs=from_deliveries)
    share = Amount("saturation", "Share of homes with a kit, where kits were delivered", "share of homes",
                   method="kits delivered over households", source="deliveries", inputs=from_deliveries)
    each = Amount("cost_per_home", "Cost per home provided, all lines", "pounds per home",
                  method="all money spent over homes provided", source="ledger, deliveries",
                  inputs=("ledger", "saturation"))
    more = Amount("one_more_kit", "Cost of one more kit", "pounds per kit", source="ledger", inputs=from_ledger,
                  method=_more_method(minutes, staff))
    unknown = "" if held.programme is None or held.programme.cost_per_kit is not None else MISSING["programme"][0]
    return [
        answered(price, lambda: _paid_per_kit(held.ledger), *missing(held, from_ledger)),
        answered(planned, lambda: held.programme.cost_per_kit, *_first(missing(held, ("programme",)), (unknown, DECISION))),
        answered(homes, lambda: homes_by_place(held.saturation)["delivered"].sum(), *missing(held, from_deliveries)),
        answered(share, lambda: _share(held.saturation), *missing(held, from_deliveries)),
        answered(each, lambda: cost_per_unit(held.ledger["actual"].sum(),
                 exactly(homes_by_place(held.saturation)["delivered"].sum()), what="homes provided"),
                 *missing(held, each.inputs)),
        answered(more, lambda: _last_price(held.ledger) + _staff_cost(minutes, staff), *missing(held, from_ledger)),
    ]  # fmt: skip


def _effect(held: Held, values: UnitValues, hours: Figure) -> list[Amount]:
    inputs = ("assessment",)
    found = held.assessment
    gate = (found.gate, EVALUATION) if found is not None and found.gate else ("", "")
    other = "" if "burglar" in held.crime.lower() else f"the hours named are of burglary and the crime counted is {held.crime}"
    prevented = Amount("prevented", f"{held.crimes.capitalize()} prevented", held.crimes, inputs=inputs,
                       method="what was expected less what was recorded, in the places with kits", source="evaluation")
    time = Amount("hours", "Police hours freed (not cashable)", "hours", inputs=inputs,
                  method=f"number prevented times {hours.words}", source=f"evaluation; {hours.source}")
    money = Amount("police_money", "Police time and costs freed, as money (not cashable)", "pounds", inputs=inputs,
                   method="number prevented times the police cost of one", source="evaluation; figures")
    absent = missing(held, inputs)
    blank = (f"the figure {hours.name} is blank and must be supplied" if hours.value is None else "", FINANCE)
    return [
        answered(prevented, lambda: found.prevented, *absent),
        answered(time, lambda: hours_saved(found.prevented, hours.value), *_first(absent, gate, (other, FINANCE), blank)),
        answered(money, lambda: Interval(*(n * values.points[POLICE] for n in found.prevented)),
                 *_first(absent, gate, (values.why_not, FINANCE))),
    ]  # fmt: skip


def _costs_per_crime(held: Held) -> list[Amount]:
    unit, found = f"pounds per {held.crime.lower()} prevented", held.assessment
    gate = (found.gate, EVALUATION) if found is not None and found.gate else ("", "")
    paid = Amount("cost_per_prevented", f"Cost per {held.crime.lower()} prevented, money spent", unit,
                  method="money spent to the last month measured, over the number prevented",
                  source="ledger, evaluation", inputs=("ledger", "assessment"))
    planned = Amount("cost_per_prevented_planned", f"Cost per {held.crime.lower()} prevented, kits at the planned price",
                     unit, method="kits delivered to the last month measured at the planned price, over the number prevented",
                     source="decision, deliveries, evaluation", inputs=("programme", "saturation", "assessment"))
    promise = Amount("cost_per_prevented_promised", f"Cost per {held.crime.lower()} prevented, as promised", unit,
                     method="budget over the number promised", source=_decision(held), inputs=("programme",))
    programme = held.programme
    said = programme is None or bool(programme.budget and programme.prevented)
    what = f"{held.crimes} prevented"
    no_price = programme is not None and programme.cost_per_kit is None
    return [
        answered(paid, lambda: cost_per_unit(spent_until(held.ledger, found.last), found.prevented, what=what),
                 *_first(missing(held, paid.inputs), gate)),
        answered(planned, lambda: cost_per_unit(
                     programme.cost_per_kit * kits_until(held.saturation, found.last), found.prevented, what=what),
                 *_first(missing(held, planned.inputs), gate, (MISSING["programme"][0] if no_price else "", DECISION))),
        answered(promise, lambda: cost_per_unit(programme.budget, programme.prevented),
                 *_first(missing(held, promise.inputs), ("" if said else MISSING["programme"][0], DECISION))),
    ]  # fmt: skip


def _time(held: Held, hours: Figure, minutes: Figure) -> list[Amount]:
    programme, found = held.programme, held.assessment
    said = programme is None or bool(programme.hours and programme.kits)
    promise = Amount("minutes_promised", "Staff minutes a kit that would use up the hours promised", "minutes per kit",
                     method="hours promised over kits promised", source=_decision(held), inputs=("programme",))
    net = Amount("net_hours", "Police hours freed less hours of delivery", "hours", inputs=("assessment", "saturation"),
                 method=f"hours freed less kits delivered times {minutes.words}",
                 source=f"evaluation, deliveries; {minutes.source}")
    gate = (found.gate, EVALUATION) if found is not None and found.gate else ("", "")
    other = "" if "burglar" in held.crime.lower() else f"the hours named are of burglary and the crime counted is {held.crime}"
    blank = f"the figure {minutes.name} is blank and must be supplied" if minutes.value is None else ""

    def freed() -> Interval:
        given = kits_until(held.saturation, found.last) / minutes_per_kit(1, minutes.value)
        return Interval(*(bound - given for bound in hours_saved(found.prevented, hours.value)))

    return [
        answered(promise, lambda: minutes_per_kit(programme.hours, programme.kits),
                 *_first(missing(held, promise.inputs), ("" if said else MISSING["programme"][0], DECISION))),
        answered(net, freed, *_first(missing(held, net.inputs), gate, (other, FINANCE), (blank, DELIVERY))),
    ]  # fmt: skip


def _recovered(held: Held) -> list[Amount]:
    out = []
    for name in RECOVERED:
        amount = Amount(f"items_{name}", f"Recovered items {name}", "items", method="counted by month",
                        source="recoveries", inputs=("recoveries",))  # fmt: skip
        why = missing(held, amount.inputs)
        if held.recoveries is not None and held.recoveries[name].isna().all():
            why = (f"no month says how many were {name}", PROPERTY)
        elif held.recoveries is not None and 0 < held.recoveries[name].sum() < held.threshold:
            why = (f"fewer than {held.threshold} were {name}: too few to publish", PROPERTY)
        out.append(answered(amount, lambda name=name: held.recoveries[name].sum(), *why))
    return out


def homes_by_place(saturation: pd.DataFrame) -> pd.DataFrame:
    """Kits delivered so far and households, by place: the last month of each."""
    return saturation.groupby("place")[["delivered", "households"]].max()


def kits_until(saturation: pd.DataFrame, last: pd.Period) -> float:
    """Kits delivered to the end of a month."""
    import pandas as pd

    months = pd.PeriodIndex(saturation["month"].astype(str), freq="M")
    return float(saturation.loc[months <= last, "kits"].sum())


def spent_until(ledger: pd.DataFrame, last: pd.Period) -> float:
    """Pounds spent, on all lines, to the end of a month."""
    return float(ledger.loc[ledger["date"].dt.to_period("M") <= last, "actual"].sum())


def _share(saturation: pd.DataFrame) -> float:
    reached = homes_by_place(saturation).query("delivered > 0")
    from peelian.errors import DesignError

    if not reached["households"].sum() > 0:
        raise DesignError("The households of the places with kits are not known.")
    return float(reached["delivered"].sum() / reached["households"].sum())


def _paid_per_kit(ledger: pd.DataFrame) -> Interval:
    kits = ledger[(ledger["line"] == "kits") & ledger["actual"].notna()]
    return cost_per_unit(kits["actual"].sum(), exactly(kits["quantity"].sum()), what="kits paid for")


def _last_price(ledger: pd.DataFrame) -> float:
    from peelian.errors import DesignError

    kits = ledger[(ledger["line"] == "kits") & ledger["unit_price"].notna()]
    if kits.empty:
        raise DesignError("No row of kits in the ledger has a unit price.")
    return float(kits["unit_price"].iloc[-1])


def _staff_cost(minutes: Figure, staff: Figure) -> float:
    if minutes.value is None or staff.value is None:
        return 0.0
    return staff.value / minutes_per_kit(1, minutes.value)


def _more_method(minutes: Figure, staff: Figure) -> str:
    if minutes.value is None or staff.value is None:
        return "last unit price paid; staff time is not in it, because no rate for an hour is held"
    return f"last unit price paid, and {minutes.words} at {staff.words}"


def _decision(held: Held) -> str:
    return (held.programme.source or held.programme.decision or "decision") if held.programme else "decision"


def _first(*reasons: tuple[str, str]) -> tuple[str, str]:
    """The first reason that says something."""
    return next((reason for reason in reasons if reason[0]), ("", ""))
