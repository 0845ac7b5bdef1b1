"""The chapter: findings first, then the tables, what could make it wrong, and where the numbers come from."""

from __future__ import annotations

from typing import Any

from peelian.account.amount import Amount
from peelian.account.benefits import overclaimed
from peelian.account.cases import PROMISED, Case, weakest
from peelian.account.claims import movements
from peelian.account.files import decided, files, in_words
from peelian.account.foi_parts import break_even
from peelian.account.ledger import exceptions
from peelian.account.results import Results, promise_frame
from peelian.account.tables_of_business import business_summary, business_tables, sentences
from peelian.account.tables_of_report import tables
from peelian.account.tables_of_scrutiny import scrutinised
from peelian.account.valuing import POLICE, SOCIAL
from peelian.report import Block, Outcome, Section, Text


def outcome(results: Results) -> Outcome:
    """The chapter, its files and its headline numbers."""
    section = Section(
        "account",
        "Account",
        "What did it cost, what was it worth and to whom, and what do we tell the public?",
        (
            *findings(results),
            *next_programme(results),
            *tables(results),
            *scrutinised(results),
            *warnings(results),
            *notes(results),
        ),
    )
    held = results.held
    nothing = all(
        getattr(held, name) is None
        for name in ("assessment", "saturation", "counts", "ledger", "recoveries", "documents")
    ) and not (decided(held) or results.business)
    reason = "not held: no decision, ledger, deliveries, counts or evaluation was given" if nothing else ""
    return Outcome(section, files(results), summary(results), reason, _sources(results))


def findings(results: Results) -> list[Text]:
    """The sentences to read first: cost per kit and per crime prevented, hours, worth, the promise."""
    held = results.held
    moved = next_door(held.assessment.raw, held.crimes) if held.assessment else ""
    said = [_kit(results), _per_crime(results), moved, _hours(results), _worth(results), _promise(results)]
    if results.business is not None and held.assessment is None:
        said = [*sentences(results.business, held.crimes), *said]
    return [Text(sentence, "finding") for sentence in said if sentence]


def next_programme(results: Results) -> list[Block]:
    """The business case of the plan: its tables, and its sentences where an effect is measured already."""
    case, held = results.business, results.held
    if case is None:
        return []
    said = [] if held.assessment is None else sentences(case, held.crimes)
    lead = ["The case for the programme that is planned next, before anything is bought:"] if said else []
    return [*(Text(text) for text in (*lead, *said)), *business_tables(results)]


def next_door(assessment: dict[str, Any], crimes: str) -> str:
    """What is left net of crime that moved next door, on which every value rests.

    ``assessment`` the evaluation's ``assessment.json``; empty text where no displacement was found.

    >>> net = {"estimate": 413.4, "low": -61.5, "high": 888.3}
    >>> print(next_door({"words_displacement": "displaced", "net": net}, "burglaries"))
    Burglaries that moved next door are taken off: net of them 413 were prevented (95 % interval 888 fewer to
    62 more), and the interval includes none.
    """
    net = assessment.get("net")
    if assessment.get("words_displacement") != "displaced" or not net:
        return ""
    low, high = net["low"], net["high"]
    ends = [f"{abs(end):,.0f} {'fewer' if end > 0 else 'more'}" for end in (high, low)]
    nothing = ", and the interval includes none" if low <= 0 <= high else ""
    left = (
        f"{net['estimate']:,.0f} were prevented"
        if net["estimate"] >= 0
        else f"there were {-net['estimate']:,.0f} more than expected"
    )
    return (
        f"{crimes.capitalize()} that moved next door are taken off: net of them {left} "
        f"(95 % interval {ends[0]} to {ends[1]}){nothing}."
    )


def _kit(results: Results) -> str:
    paid, planned = results.amounts["cost_per_kit"], results.amounts["cost_per_kit_planned"]
    if paid.held:
        extra = f"; {planned} was planned" if planned.held else ""
        return f"Kits cost {paid} as paid{extra}."
    if planned.held:
        return f"{planned} was planned; what was paid is {paid}."
    return f"The cost of a kit as paid is {paid}. As planned it is {planned}."


def _per_crime(results: Results) -> str:
    crime = results.held.crime.lower()
    paid, planned = results.amounts["cost_per_prevented"], results.amounts["cost_per_prevented_planned"]
    for amount, basis in ((paid, "on the money spent"), (planned, "with kits at the planned price")):
        if amount.held:
            return (
                f"One {crime} prevented cost {str(amount).removesuffix(f' per {crime} prevented')}, {basis}."
            )
    why = (
        planned.why_not
        if results.held.ledger is None and results.held.assessment is not None
        else paid.why_not
    )
    why = why.removesuffix(": a cost for each cannot be given")
    return f"What one {crime} prevented has cost cannot be given: {why}."


def _hours(results: Results) -> str:
    hours = results.amounts["hours"]
    if not hours.held or hours.interval is None:
        return f"Police hours freed are not held: {hours.why_not}."
    net = results.amounts["net_hours"]
    after = f" Delivery of the kits taken off, {net} are left." if net.held else ""
    return f"{hours} of police time were freed, which is time for other work and no money in hand.{after}"


def _worth(results: Results) -> str:
    case = results.case
    if case is None:
        first = next((c for c in results.cases if c.basis != PROMISED and c.why_not), None)
        return f"Benefits cannot be set against costs: {first.why_not}." if first else ""
    if case.table is None:
        return f"No benefit-cost ratio is given, because {case.gate}. {break_even(case, results.held.crimes)}"
    said = ", ".join(
        f"{line} {row.bcr:.2f} (95 % interval {row.bcr_low:.2f} to {row.bcr_high:.2f})"
        for line, row in case.table.iterrows()
    )
    return f"Benefits over costs ({case.basis}): {said}.{_opposite(case)}"


def _opposite(case: Case) -> str:
    """The sentence that must stand where the police budget and society come to opposite verdicts."""
    if case.table is None or not case.table.at[POLICE, "bcr"] < 1 <= case.table.at[SOCIAL, "bcr"]:
        return ""
    sure = case.table.at[POLICE, "bcr_high"] < 1 <= case.table.at[SOCIAL, "bcr_low"]
    where = "Across the whole interval" if sure else "At the estimate"
    return f" {where}, police savings alone do not repay the cost and savings to everybody do."


def _promise(results: Results) -> str:
    frame = promise_frame(results)
    if frame is None:
        return ""
    row = frame[frame["promise"] == f"{results.held.crimes} prevented"].iloc[0]
    if row["promised"] != row["promised"]:
        return f"The decision held promises no number of {results.held.crimes} prevented."
    promised = f"{row['promised']:,.0f} {results.held.crimes} prevented were promised"
    if row["due by now"] != row["due by now"] or row["measured"] != row["measured"]:
        return f"{promised}; promise and measurement cannot be compared yet, because {row['basis']}."
    return (
        f"{promised}, {row['due by now']:,.0f} of them by the time measured; "
        f"{row['measured']:,.0f} (95 % interval {row['low']:,.0f} to {row['high']:,.0f}) were measured: "
        f"{row['status']}."
    )


def warnings(results: Results) -> list[Text]:
    """What could make the answers wrong, a sentence each."""
    held, said = results.held, []
    weak = weakest(results.figures_used)
    if weak:
        named = "; ".join(f"{row.name} ({row.words})" for row in weak)
        said.append(
            f"Weakest numbers (an estimate or not verified, and the answer moves with them): {named}."
        )
    said += results.outdated
    if held.ledger is not None:
        said += exceptions(held.ledger)
        if not held.ledger["inside_budget"].all():
            outside = held.ledger.loc[~held.ledger["inside_budget"], "actual"].sum()
            said.append(
                f"£{outside:,.0f} was spent outside the approved budget; it is part of every cost given here."
            )
        elif not (held.ledger["line"] == "staff").any():
            said.append(
                "No staff time is in the ledger: with it, costs would be higher and every ratio lower."
            )
    if results.parameters.prices:
        said.append(
            f"The figures for one {held.crime.lower()} were brought to prices of {results.parameters.prices} "
            "with the deflator given; costs stand in those paid."
        )
    elif results.values.price_base and results.values.price_base != "nominal":
        said.append(
            f"One {held.crime.lower()} stands in prices of {results.values.price_base}, costs in those "
            "paid: nothing is uprated, because no prices were asked for."
        )
    found = held.assessment
    moved = found.raw.get("words_displacement", "") if found and found.gross is None else ""
    if moved:
        said.append(f"What happened next door is not taken off the number prevented. Found there: {moved}.")
    said += [sentence for record in results.governance for sentence in record.barred]
    said += results.unexplained
    if held.register is not None:
        said += filter(None, [overclaimed(held.register, results.bearable)])
    if results.claims is not None:
        said += movements(results.claims)
    return [Text(sentence, "warning") for sentence in said]


def notes(results: Results) -> list[Text]:
    """How the answers were computed, and what they leave out."""
    held = results.held
    said = [
        f"Records as they stood on {in_words(held.day)}.",
        "Perspectives are never added up: police alone is part of fiscal, fiscal of economic, economic of "
        "social. Hours are not money: they are freed for other work and may not enter a budget as savings.",
        "No benefit is counted beyond the last month with a measured effect, and no cost paid after it. "
        "Stolen property is partly a transfer from one person to another.",
    ]
    rates = {row.source for case in results.cases for row in case.rates}
    if rates:
        start = (
            "discounted from the first year on"
            if results.parameters.first_year
            else "the first year not discounted"
        )
        said.append(f"Discounting, {start}: {'; '.join(sorted(rates))}.")
    said.append(
        "The chance that benefits exceed costs is simulated: the logarithm of the rate ratio is drawn as "
        "normal with its standard error, values for one crime as triangular where they have a range."
    )
    return [Text(sentence, "note") for sentence in said]


def summary(results: Results) -> dict[str, Any]:
    """Headline numbers with their intervals, as plain values."""
    case = results.case
    out: dict[str, Any] = {
        name: _plain(results.amounts[name])
        for name in ("cost_per_kit", "cost_per_kit_planned", "homes", "prevented", "hours",
                     "cost_per_prevented", "cost_per_prevented_planned")
    }  # fmt: skip
    if case is not None and case.table is not None:
        names = ["bcr", "bcr_low", "bcr_high"]
        out["benefit_cost"] = {"basis": case.basis} | {
            str(line): dict(zip(names, map(float, row), strict=True))
            for line, row in case.table[names].iterrows()
        }
    elif case is not None and case.switching is not None:
        out["break_even"] = {"basis": case.basis, "because": case.gate} | {
            str(line): float(row.crimes) for line, row in case.switching.iterrows()
        }
    if results.business is not None:
        out["business case"] = business_summary(results.business)
    out["foi"] = {str(reply.number): reply.decision for reply in results.replies}
    return out


def _plain(amount: Amount) -> dict[str, Any]:
    if amount.interval is None:
        return {"not held": amount.why_not}
    value, low, high = amount.interval
    return {"value": value, "low": low, "high": high, "unit": amount.unit}


def _sources(results: Results) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (f"figure {row.name}", row.source, row.since.isoformat(), "")
        for row in results.figures_used
        if row.value is not None
    )
