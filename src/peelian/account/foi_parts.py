"""The functions that answer the parts of a public question: a Reply, a reason, or None (the bank's own)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from peelian.account.amount import Amount
from peelian.account.cases import SPENT, Case
from peelian.account.disclosure import suppress
from peelian.account.governance import Record
from peelian.account.ledger import financial_year
from peelian.account.records import Held
from peelian.account.trends import counts_by_arm
from peelian.words import day, month, percent

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reply:
    """A held answer: a sentence, how it was computed, from what, of when, and how sure it is."""

    sentence: str
    method: str
    date: str
    source: str
    uncertainty: str = ""
    table: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {key: getattr(self, key) for key in self.__dataclass_fields__}


@dataclass(frozen=True, eq=False)
class Given:
    """What the answers rest on: the records, amounts, cases, recording changes, and the day in words."""

    held: Held
    amounts: dict[str, Amount]
    cases: tuple[Case, ...]
    as_of: str
    changes: pd.DataFrame
    facts: dict[str, str] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)


Reason = Reply | str | None
NEXT_DOOR = {
    "displaced": "The areas nearest to those with the programme had more crime than areas further away led "
    "to expect, which goes with crime having moved there.",
    "diffused": "The areas nearest to those with the programme had less crime than areas further away led "
    "to expect, which goes with a benefit beyond them.",
    "neither found": "In the areas nearest to those with the programme neither more nor less crime was found "
    "than areas further away led to expect.",
}


def effectiveness(given: Given) -> Reason:
    """The verdict of the evaluation and its headline."""
    found = given.held.assessment
    if found is None:
        return None
    headline = found.raw["headline"] or {}
    low, high = found.ratio.low, found.ratio.high
    fired = [c["name"] for c in found.raw.get("checks", []) if c.get("fired")]
    doubt = f"95 % interval of the rate ratio {low:.3f} to {high:.3f} (1 is no change)."
    if not found.told:
        doubt = "The evaluation gives no estimate."
    if fired:
        doubt += f" Guards that fired: {', '.join(fired)}."
    change = found.raw["verdict"].get("would_change", "")
    return Reply(
        f"{_stop(found.words)} {_stop(headline.get('sentence') or '')}".strip(),
        headline.get("name", "comparison of treated and other places") + _of(headline.get("se_method", "")),
        _window(found),
        headline.get("source") or "the evaluation of recorded crime",
        doubt + (f" {_stop(change)}" if change else ""),
    )


def trend(given: Given) -> Reason:
    """Counts of the crime by financial year, in places with the programme and without."""
    return _by_arm(given, given.held.crime)


def all_crime(given: Given) -> Reason:
    """The same for all crime, where it was read."""
    return _by_arm(given, "all crime")


def _by_arm(given: Given, column: str) -> Reason:
    held = given.held
    if held.counts is None or held.programme is None or column not in held.counts:
        return None
    if not len(held.programme.treated):
        return "the programme's file names no area as treated"
    table = counts_by_arm(held.counts[column], held.programme.areas)
    if table.empty:
        return "no whole financial year of counts is held"
    if not held.published:
        table = suppress(table, threshold=held.threshold, total_column="all areas")
    years = table.index
    broken = [
        f"{row.what.rstrip('.')} ({'all forces' if row.force == 'all' else row.force}, "
        f"{day(str(row.date.date()))})"
        for row in given.changes.rename(columns={"from": "date"}).itertuples()
        if years[0] <= financial_year(row.date.year, row.date.month) <= years[-1]
    ]
    warning = f" Recording changed inside these years: {'; '.join(broken)}." if broken else ""
    rows = [{"financial year": year} | dict(row) for year, row in table.astype(object).iterrows()]
    return Reply(
        f"The table has recorded {column.lower()} by financial year, with and without the programme.",
        "counts of recorded incidents by place and month, added up by arm; whole financial years alone",
        f"{years[0]} to {years[-1]}",
        "recorded crime by place and month"
        + ("" if held.published else "; counts below the threshold shown as c"),
        "Areas with the programme were chosen, so their trend alone does not say what the programme did."
        + warning,
        rows,
    )


def neighbours(given: Given) -> Reason:
    """What happened in the rings around the places with the programme."""
    found = given.held.assessment
    if found is None:
        return None
    rings, words = found.raw.get("rings") or [], found.raw.get("words_displacement") or ""
    if not rings or not words:
        return words and f"the evaluation made no comparison of neighbouring areas: {_clause(words)}"
    table = [
        {key: value for key, value in ring.items() if not isinstance(value, dict | list)} for ring in rings
    ]
    net = found.raw.get("net") or {}
    said = NEXT_DOOR.get(words, _stop(words))
    return Reply(
        f"{said} {_stop(net.get('sentence') or '')}".strip(),
        "rings of distance around the places with the programme, compared with places beyond the last ring",
        _window(found),
        "the evaluation of recorded crime",
        "An interval that includes no change rules out neither a move of crime nor a benefit next door.",
        table,
    )


def homes(given: Given) -> Reason:
    """Homes provided with a kit so far."""
    amount, share = given.amounts["homes"], given.amounts["saturation"]
    extra = (
        f", {percent(share.interval.value)} of the households in the areas with kits"
        if share.interval
        else ""
    )
    return _plain(given, amount, f"{_value(amount)} homes have been provided with a kit{extra}.",
                  "Kits delivered are counted; how many are in use is not known from this.")  # fmt: skip


def unit_cost(given: Given) -> Reason:
    """Cost per kit, as paid."""
    amount = given.amounts["cost_per_kit"]
    return _plain(given, amount, f"{amount} was paid.", "Staff time for delivery is not in it.")


def planned_cost(given: Given) -> Reason:
    """Cost per kit, as planned."""
    amount = given.amounts["cost_per_kit_planned"]
    return _plain(given, amount, f"{amount} was planned.", "A plan, not a payment.")


def further_cost(given: Given) -> Reason:
    """What the next kit would cost."""
    amount = given.amounts["one_more_kit"]
    return _plain(given, amount, f"{amount}: {amount.method}.", "A new tender may give another price.")


def savings(given: Given) -> Reason:
    """Hours and money of the police, or what the effect would have to be."""
    held, hours, money = given.held, given.amounts["hours"], given.amounts["police_money"]
    found = held.assessment
    if found is None:
        return None
    if not hours.held and not money.held:
        if not found.gate:
            return f"{hours.why_not}; {money.why_not}"
        sentence = f"None can be stated: {found.gate} (verdict: {_clause(found.words)})."
    else:
        parts = [f"{a.what}: {a}." for a in (hours, money) if a.held]
        sentence = " ".join(
            [*parts, "These hours and pounds are freed for other work; they are not cashable."]
        )
    if found.gross is not None and (hours.held or money.held):
        sentence += " They rest on the number prevented net of crime that moved next door."
    return Reply(
        sentence,
        hours.method,
        _window(found),
        hours.source,
        "The interval carries the uncertainty of the effect alone, not that of the figures for one crime.",
    )


def value_for_money(given: Given) -> Reason:
    """Benefits against the money spent by perspective, or what the effect would have to be."""
    case = next(case for case in given.cases if case.basis == SPENT)
    if case.switching is None:
        return case.why_not or None
    if case.table is None:
        sentence = f"No ratio is given: {case.gate}. {break_even(case, given.held.crimes)}"
    else:
        rows = [
            f"{line} {row.bcr:.2f} ({row.bcr_low:.2f} to {row.bcr_high:.2f})"
            for line, row in case.table.iterrows()
        ]
        sentence = f"Benefits over costs, with the 95 % interval of the effect: {', '.join(rows)}."
    return Reply(
        sentence,
        "money spent to the last month measured against the effect measured, discounted by year",
        _window(given.held.assessment),
        "ledger, evaluation; figures for one crime as listed in the report",
        "Perspectives are never added: police alone is part of fiscal, fiscal of economic, that of social.",
    )


def promised_savings(given: Given) -> Reason:
    """The number and the hours that the decision promised."""
    programme = given.held.programme
    if programme is None or not (programme.prevented or programme.hours):
        return None
    said = [
        f"{programme.prevented:,.0f} {given.held.crimes} prevented" if programme.prevented else "",
        f"{programme.hours:,.0f} police hours" if programme.hours else "",
    ]
    return Reply(
        f"The decision promised {' and '.join(text for text in said if text)}.",
        "as stated in the decision",
        programme.decision or "date not stated",
        programme.source or programme.decision or "the programme's decision",
        "A promise, stated without an interval.",
    )


def documents(given: Given) -> Reason:
    """Titles and dates of decisions and documents."""
    frame = given.held.documents
    if frame is None:
        return None
    if frame.empty:
        return "the register of decisions and documents holds no entry up to this day"
    count = (
        f"{len(frame):,} decision or document is"
        if len(frame) == 1
        else f"{len(frame):,} decisions and documents are"
    )
    return Reply(
        f"{count} on the register, from {day(frame['date'].iloc[0])} to {day(frame['date'].iloc[-1])}. "
        "E-mail is not held in this system; the private office and the records manager hold it.",
        "every entry of the register of decisions and documents",
        given.as_of,
        "the register of decisions and documents",
        "The register holds what was entered in it.",
        [{"date": row.date, "title": row.title, "kind": row.kind} for row in frame.itertuples()],
    )


def record_purpose(given: Given) -> Reason:
    """What the model is for, from the records of governance."""
    return _fact(given, ("purpose", "scope", "places_chosen"), "the algorithmic transparency record")


def record_inputs(given: Given) -> Reason:
    """Which data go in."""
    return _fact(given, ("inputs", "quality"), "the algorithmic transparency record")


def record_outputs(given: Given) -> Reason:
    """What comes out, and what it is used for."""
    return _fact(given, ("outputs", "information", "task"), "the algorithmic transparency record")


def record_reviews(given: Given) -> Reason:
    """Reviews on the register of decisions and documents."""
    frame = given.held.documents
    if frame is None:
        return None
    words = frame["kind"] + " " + frame["title"]
    rows = frame[words.str.contains("review", case=False)]
    if rows.empty:
        return None
    named = "; ".join(f"{row.title} ({day(row.date)})" for row in rows.itertuples())
    return Reply(
        f"On the register: {named}.", "entries of the register whose kind or title says review", given.as_of,
        "the register of decisions and documents", "The register holds what was entered in it.",
    )  # fmt: skip


def record_dpia(given: Given) -> Reason:
    """The data protection impact assessment, where it may be published."""
    return _record(given, "dpia")


def record_eqia(given: Given) -> Reason:
    """The equality impact assessment, where it may be published."""
    return _record(given, "eqia")


def _fact(given: Given, names: tuple[str, ...], source: str) -> Reason:
    said = [given.facts[name] for name in names if given.facts.get(name)]
    if not said or "inputs" not in given.facts:
        return None
    return Reply(
        " ".join(said), "filled from what the run did", given.as_of, source, "As recorded by the run."
    )


def _record(given: Given, name: str) -> Reason:
    record = given.records.get(name)
    if record is None:
        return None
    if record.blockers:
        left = len(record.blanks)
        return (
            f"it is a draft that nobody has signed: {left} required fields are blank. Section 22 may be "
            "applied only with a day of publication"
        )
    return Reply(
        f"The {record.title.lower()} stands in records/{name}.md, confirmed on {day(record.confirmed_on)}.",
        "the record as signed", given.as_of, f"records/{name}.md", "As signed.",
    )  # fmt: skip


PARTS: dict[str, Callable[[Given], Reason]] = {
    function.__name__: function
    for function in (
        effectiveness, trend, all_crime, neighbours, homes, unit_cost, planned_cost, further_cost, savings,
        value_for_money, promised_savings, documents, record_purpose, record_inputs, record_outputs,
        record_reviews, record_dpia, record_eqia,
    )
}  # fmt: skip


def break_even(case: Case, crimes: str) -> str:
    """What the effect would have to be on a basis of cost, in a sentence."""
    if case.switching is None:
        return ""
    rows = [f"{row.crimes:,.0f} ({line})" for line, row in case.switching.iterrows()]
    needed = ", ".join(rows)
    return (
        f"For benefits to equal costs, the programme would have had to prevent this many {crimes}: {needed}."
    )


def _plain(given: Given, amount: Amount, sentence: str, uncertainty: str) -> Reason:
    if not amount.held:
        return None
    return Reply(sentence, amount.method, given.as_of, amount.source, uncertainty)


def _value(amount: Amount) -> str:
    return f"{amount.interval.value:,.0f}" if amount.interval else "no"


def _window(found: Any) -> str:
    return f"{month(found.first)} to {month(found.last)}"


def _of(text: str) -> str:
    return f"; interval: {text}" if text else ""


def _stop(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else text + "."


def _clause(text: str) -> str:
    return (text[0].lower() + text[1:]).rstrip(". ") if text else ""
