"""The business case in sentences and tables, and as the paper for whoever decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian.account.business import MONTHS_IN_A_YEAR, YEARS_SHOWN, Business, could_be_shown
from peelian.report import Table
from peelian.words import interval, percent, several, whole

if TYPE_CHECKING:
    import pandas as pd

    from peelian.account.results import Results

POUNDS, RATIO, SHARE = "£,.0f", ",.2f", ".1%"
LINES = {
    "line": "perspective", "unit_value": "value of one crime", "bcr": "ratio", "bcr_low": "ratio, low",
    "bcr_high": "ratio, high", "bcr_biased": "ratio with optimism bias",
    "break_even": "crimes to break even", "break_even_biased": "with optimism bias",
    "fall": "fall needed, all the time", "fall_at_start": "fall needed at the start, if it fades",
}  # fmt: skip
FORMS = {
    "unit_value": POUNDS, "bcr": RATIO, "bcr_low": RATIO, "bcr_high": RATIO, "bcr_biased": RATIO,
    "break_even": ",.0f", "break_even_biased": ",.0f", "fall": SHARE, "fall_at_start": SHARE,
}  # fmt: skip
SHOWN = {
    "months": "months after the start", "line": "perspective", "assumed": "fall assumed, on average",
    "worthwhile": "smallest worthwhile fall", "visible": "smallest visible fall",
    "to_show": "fall needed to show that it pays", "can": "could be shown to pay",
}  # fmt: skip
FOUND = {
    "effect": "if it were as", "prevented_fading": "prevented, fading",
    "prevented_lasting": "prevented, lasting",
}  # fmt: skip


def sentences(case: Business, crimes: str) -> list[str]:
    """What is proposed, what it must prevent, what was found elsewhere, and whether it could be shown."""
    return [text for text in (proposed(case, crimes), needed(case, crimes), elsewhere(case, crimes),
                              shown(case)) if text]  # fmt: skip


def proposed(case: Business, crimes: str) -> str:
    """Kits, homes, cost and what they may prevent."""
    plan = case.proposal
    over = "a year" if plan.years == 1 else f"{plan.years:g} years"
    held = plan.prevented
    low, high = case.cost / held.high, case.cost / held.low if held.low > 0 else None
    each = f", £{case.cost / held.value:,.0f} for each (£{low:,.0f} to £{high:,.0f})" if high else ""
    return (
        f"Before anything is bought: {whole(plan.kits)} kits for {several(plan.areas, 'area')} with "
        f"{whole(plan.homes)} homes and {whole(plan.baseline)} {crimes} a year cost £{case.cost:,.0f} "
        f"(£{case.biased_cost:,.0f} with optimism bias). Within {over} they may prevent "
        f"{interval(*held)}{each}."
        + (f" Delivery takes {whole(case.hours)} hours of staff." if case.hours else "")
    )


def needed(case: Business, crimes: str) -> str:
    """How many crimes must be prevented for benefits to equal costs, by perspective."""
    if case.lines is None:
        return f"How many {crimes} must be prevented to break even is not held: {case.why_not}."
    said = [
        f"{whole(row.break_even)} ({line}, a fall of {percent(row.fall)})"
        if row.fall <= 1
        else f"{whole(row.break_even)} ({line}, more than are expected)"
        for line, row in case.lines.iterrows()
    ]
    return f"To break even it must prevent this many {crimes}: {', '.join(said)}."


def elsewhere(case: Business, crimes: str) -> str:
    """The range over what was found elsewhere, fading and lasting."""
    found = case.effects
    most = found.loc[found["ratio"].idxmin()]
    return (
        f"Over what was found elsewhere, from no difference to a ratio of {most['ratio']:g}, it would "
        f"prevent 0 to {whole(most['prevented_fading'])} {crimes} if the effect fades as in West Bromwich, "
        f"and at most {whole(most['prevented_lasting'])} if it lasts."
    )


def shown(case: Business) -> str:
    """Whether an evaluation could show that it pays, and within how many months."""
    if case.shown is None:
        return (
            "Whether it could be shown to pay is not held: the history is too short to say how small a fall "
            "would be seen."
            if case.lines is not None
            else ""
        )
    first = case.shown.iloc[0]
    said = (
        f"With {first.months} months either side an evaluation would see a fall of {percent(first.visible)} "
        f"or more, four times in five; the fall assumed averages {percent(first.assumed)}."
    )
    within = dict(could_be_shown(case))
    longest = max(YEARS_SHOWN) * MONTHS_IN_A_YEAR
    never = [line for line, months in within.items() if months is None]
    yes = [f"{line} within {months} months" for line, months in within.items() if months is not None]
    if yes:
        said += f" It could be shown to pay: {', '.join(yes)}."
    if never:
        whom = "" if len(never) == len(within) else f" on the books called {', '.join(never)}"
        said += (
            f" This programme could not be shown to pay within {longest} months{whom}, even if it does pay."
        )
    return said


def business_tables(results: Results) -> list[Table]:
    """The case by perspective, over what was found elsewhere, and whether it could be shown."""
    case = results.business
    if case is None:
        return []
    made = [_lines(case), _effects(case), _shown(case)]
    return [table for table in made if table is not None]


def _lines(case: Business) -> Table | None:
    if case.lines is None:
        return None
    frame = case.lines.reset_index()[list(LINES)].rename(columns=LINES)
    pays = ", ".join(str(line) for line, row in case.lines.iterrows() if row["bcr_low"] >= 1) or "nobody"
    return Table(
        "account_business", f"Before anything is bought: the whole interval lies above 1 for {pays}", frame,
        {LINES[name]: form for name, form in FORMS.items()}, "Plan, and figures as listed",
        note=f"Cost £{case.cost:,.0f}, with optimism bias £{case.biased_cost:,.0f}; prevented "
        f"{interval(*case.proposal.prevented)}, as the plan assumes: {case.proposal.effect_source}. "
        "Lines are never added up: each holds the one before it.",
    )  # fmt: skip


def _effects(case: Business) -> Table:
    frame = case.effects.rename(columns=FOUND | {"low": "ratio, low", "high": "ratio, high"})
    lines = [] if case.lines is None else [str(line) for line in case.lines.index]
    heads = {line: f"benefits over costs, {line}" for line in lines}
    forms: dict[str, Any] = dict.fromkeys(("ratio", "ratio, low", "ratio, high"), ",.3f")
    forms |= dict.fromkeys((FOUND["prevented_fading"], FOUND["prevented_lasting"]), ",.0f")
    forms |= dict.fromkeys(heads.values(), RATIO)
    best = case.effects["prevented_fading"].max()
    return Table(
        "account_business_effects",
        f"Were the effect what was found elsewhere, and faded, the plan would prevent 0 to {best:,.0f}",
        frame.rename(columns=heads), forms, "Figures as listed",
        note="Benefits over costs are those of an effect that fades. None of these was measured here.",
    )  # fmt: skip


def _shown(case: Business) -> Table | None:
    if case.shown is None:
        return None
    frame: pd.DataFrame = case.shown.assign(can=case.shown["can"].map({True: "yes", False: "no"}))
    frame["to_show"] = frame["to_show"].where(frame["to_show"] <= 1)
    some = case.shown["can"].any()
    title = "When an evaluation could show that it pays" if some else "No evaluation could show that it pays"
    shares = ("assumed", "worthwhile", "visible", "to_show")
    return Table(
        "account_business_shown", title, frame.rename(columns=SHOWN),
        {SHOWN[name]: SHARE for name in shares} | {SHOWN["months"]: ",d"}, "Plan, and figures as listed",
        note="To show that it pays, the whole interval must lie beyond the smallest worthwhile fall, four "
        "times in five; a dash: not even the end of all crime would. Smallest visible fall: of the plan, "
        "with 12 months before and 12 after; for other lengths the months after carry half of the variance.",
    )  # fmt: skip


def paper(case: Business, crimes: str, *, as_of: str) -> str:
    """The business case on a page, in Markdown: its sentences, its figures and what is not in it."""
    lines = [
        "# Business case: before anything is bought", "",
        f"Figures as they stood on {as_of}.", "",
        *(part for text in sentences(case, crimes) for part in (text, "")),
        "## What it rests on", "",
        f"- The effect assumed: {case.proposal.effect_source}.",
        *(f"- {row.name}: {row.words}. {row.source}." for row in (*case.figures, *case.literature)), "",
        "## What is not in it", "",
        "- Fear of crime, the time of households, and crime that may move next door.",
        "- Staff time as money, unless a rate for an hour is among the figures above.", "",
        "The tables stand beside this page: case.csv (by perspective), case_effects.csv (over what was found",
        "elsewhere) and case_shown.csv (whether an evaluation could show it).", "",
    ]  # fmt: skip
    return "\n".join(lines)


def business_summary(case: Business) -> dict[str, Any]:
    """The headline numbers of the case, as plain values."""
    lines = {} if case.lines is None else case.lines["break_even"].to_dict()
    return {
        "kits": case.proposal.kits, "cost": case.cost, "prevented": dict(case.proposal.prevented._asdict()),
        "break_even": lines, "shown to pay within months": dict(could_be_shown(case)),
    }  # fmt: skip
