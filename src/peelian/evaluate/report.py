"""The chapter: the verdict first, then what it rests on, then what could make it wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from peelian.evaluate import words
from peelian.report import Block, Chart, Section, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.effect import Check, Effect
    from peelian.evaluate.assess import Assessment
    from peelian.places import Places
    from peelian.programme import Programme

QUESTION = "Did it work, did crime move next door, could it be chance or selection?"
RATIO_FORMATS = {"ratio": ".3f", "low": ".3f", "high": ".3f"}
CONSEQUENCES = {
    "none": "none", "down": "one step down", "down to CANNOT_TELL": "down to cannot tell", "at most PROBABLY": "at most \u201cprobably\u201d",
    "calibrated": "the verdict reads the calibrated ratio", "CANNOT_TELL": "cannot tell",
    "SELECTION": "not distinguishable from the choice of areas", "NOT_ASSESSABLE": "the data cannot answer this",
}  # fmt: skip


def section(
    found: Assessment,
    places: Places | None,
    *,
    programme: Programme,
    groups: str | None = None,
    group_counts: pd.DataFrame | None = None,
    phases: Mapping[str, Mapping[str, Any]] | None = None,
    published: bool = True,
) -> Section:
    """The whole chapter in reading order."""
    blocks: list[Block] = [Text(text, "finding") for text in findings(found)]
    blocks.append(comparison_table(found, published))
    blocks += what_if(found)
    blocks += [area_map(found, places)] if places is not None else []
    blocks += by_time(found, published)
    blocks += nearby(found, published)
    blocks += forest(found)
    blocks += [guard_table(found), *guard_warnings(found), Text(change_sentence(found), "plain")]
    blocks += phase_table(phases, crime=found.crime)
    blocks += group_table(group_counts, groups=groups, by=found.by, crime=found.crime, published=published)
    blocks += [accounting_table(found, published), *method(found, programme)]
    return Section("evaluate", "Evaluate", QUESTION, tuple(blocks))


def not_held(
    why: str, *, crime: str, groups: str | None = None, group_counts: pd.DataFrame | None = None
) -> Section:
    """The chapter where the design cannot answer."""
    blocks: list[Block] = [Text(f"No evaluation can be given: {why}", "note")]
    blocks += group_table(group_counts, groups=groups, by="", crime=crime, published=True)
    return Section("evaluate", "Evaluate", QUESTION, tuple(blocks))


# ------------------------------------------------------------------------------------ findings
def findings(found: Assessment) -> list[str]:
    """The sentences to read first: verdict, headline, what choice alone does, where it went, whether it lasts."""
    out = [f"Verdict: {found.verdict.words}.", str(found.headline)]
    if not found.small:
        out.append(selection_sentence(found))
    if found.moved is not None:
        from peelian.evaluate.displacement import sentence

        out.append(sentence(found.moved, crime=found.crime))
    if not found.small and len(found.fading.frame) > 1:
        out.append(fade_sentence(found.fading.frame.to_dict("records"), found.fading.word))
    return out


def selection_sentence(found: Assessment) -> str:
    """What a before-and-after figure would have said, and what the choice of areas gives with nothing done."""
    rows = found.what_if["estimate"].tolist()
    alone, head = words.percent(rows[0]), words.percent(found.headline.estimate)
    text = f"A before-and-after figure of the treated areas alone would have said {alone}; against the other areas' trend it is {head}."
    s = found.selection
    if s is not None and s.k:
        placebo = words.percent(math.exp(s.naive_calibrated.mean))
        years = "1 earlier year" if s.k == 1 else f"{s.k} earlier years"
        text += f" Choosing areas in the same way in {years}, with nothing done, gave {placebo} against the months of choice."
    return text


def fade_sentence(rows: Sequence[Mapping[str, Any]], word: str) -> str:
    """Whether the change lasts.

    >>> fade_sentence([{"months": "months 1-6", "estimate": 0.7, "low": 0.6, "high": 0.8},
    ...     {"months": "months 7-12", "estimate": 0.9, "low": 0.8, "high": 1.0}], "wearing off")
    'By time since the start: months 1-6 0.700 (0.600 to 0.800), months 7-12 0.900 (0.800 to 1.000): wearing off.'
    """
    parts = ", ".join(f"{r['months']} {words.ratio(r['estimate'], r['low'], r['high'])}" for r in rows)
    return f"By time since the start: {parts}: {word}."


def change_sentence(found: Assessment) -> str:
    """The path to the verdict and what would change it."""
    path = "; then ".join(found.verdict.path)
    return (
        f"How the verdict was reached: {path}. What would change it: {found.verdict.would_change} "
        f"Maryland scale, computed: level {found.maryland} of 5 (our wording; after Sherman et al. 1997)."
    )


# ------------------------------------------------------------------------------------ tables and charts
def comparison_table(found: Assessment, published: bool) -> Table:
    """Counts in treated areas, rings and other areas, with what was expected."""
    held = found.comparison
    frame = held[
        ["group", "places", "households", "before", "after", "change", "rate_before", "rate_after", "expected", "fewer"]
    ].set_axis(
        ["Areas", "Number", "Homes", "Before", "After", "Change a month", "Rate before", "Rate after", "Expected", "Fewer than expected"],
        axis=1,
    )  # fmt: skip
    if found.small:
        frame = frame.drop(columns="Change a month")
    if not frame["Homes"].notna().any():
        frame = frame.drop(columns=["Homes", "Rate before", "Rate after"])
    formats = {
        "Number": ",.0f", "Homes": ",.0f", "Before": ",.0f", "After": ",.0f", "Change a month": "+.1%", "Rate before": ".1f",
        "Rate after": ".1f", "Expected": ",.0f", "Fewer than expected": ",.0f",
    }  # fmt: skip
    stack = found.study.stacks[0]
    first = f"{words.plural(found.crime).capitalize()} before and after, in treated areas and elsewhere"
    return Table(
        "evaluate_comparison", first, frame, {k: v for k, v in formats.items() if k in frame}, found.source,
        ("Before", "After"), published,
        f"Before: {_span(found, stack.before)}; after: {_span(found, stack.after)}"
        + (f" (first of {len(found.study.stacks)} start months; each has its own windows; the other areas' counts are the mean over them)" if len(found.study.stacks) > 1 else "")
        + ". Rates: a year per 1,000 homes. Expected: the count before, moved by the other areas' change.",
    )  # fmt: skip


def _span(found: Assessment, window: tuple[int, int]) -> str:
    first, last = found.study.months_of(window)
    return f"{words.month(first)} to {words.month(last)}"


def what_if(found: Assessment) -> list[Block]:
    """What a before-and-after figure would have said: one chart with its table."""
    from peelian import charts

    if found.small:
        return [Text("Counts are too small for a before-and-after percentage, so none is shown (guard G4).", "note")]
    frame = found.what_if
    rows = frame["estimate"].tolist()
    title = f"What a before-and-after figure would have said: {words.percent(rows[0])}, where the headline says {words.percent(found.headline.estimate)}"
    alt = "Ratios with intervals: " + "; ".join(
        f"{r['what']} {words.ratio(r['estimate'], r['low'], r['high'])}" for r in frame.to_dict("records")
    )
    spec = charts.intervals(frame, "what", "estimate", "low", "high", x_title="Ratio of after to expected (1 = no change)", reference=1.0, log=True)
    note = "Rows on earlier years show the mean and the range over those years; the others a 95 % interval."
    return [
        Chart(
            "evaluate_what_if", title, spec, alt, frame.set_axis(["What", "ratio", "low", "high"], axis=1), RATIO_FORMATS,
            found.source, note,
        )
    ]  # fmt: skip


def area_map(found: Assessment, places: Places) -> Chart:
    """Which areas are treated, near, compared with, and left out."""
    from peelian import maps
    from peelian.evaluate import tidy

    frame = tidy.areas(found, places)
    counts = frame["part"].value_counts()  # type: ignore[index]
    order = [n for n in ("treated", *found.study.rings, "other areas", "left out") if n in counts.index]
    title = f"{counts['treated']:,} treated areas are compared with {counts.get('other areas', 0):,} areas further away"
    alt = "Map of the areas by part in the comparison: " + ", ".join(f"{n} {counts[n]:,}" for n in order)
    spec = maps.areas_map(frame, "part", legend="Part in the comparison", kind="categories", outline="treated", order=order)
    table = counts.reindex(order).rename("Areas").rename_axis("Part").reset_index()
    return Chart("evaluate_map", title, spec, alt, table, {"Areas": ",.0f"}, found.source)


def by_time(found: Assessment, published: bool) -> list[Block]:
    """The event study by quarter since the start."""
    from peelian import charts

    frame = found.event.frame
    if not len(frame) or found.small:
        return []
    after = frame[frame["quarter"] >= 0]
    title = (
        f"By quarter since the start the ratio ran from {after['estimate'].min():.2f} to {after['estimate'].max():.2f}: "
        f"{found.fading.word}"
    )
    low, high = after["estimate"].idxmin(), after["estimate"].idxmax()
    alt = (
        f"Ratio to expected by quarter since the start, with 95 % intervals. First quarter {after['estimate'].iloc[0]:.2f}, "
        f"last {after['estimate'].iloc[-1]:.2f}, lowest {frame['estimate'][low]:.2f} in quarter {frame['quarter'][low]}, "
        f"highest {frame['estimate'][high]:.2f} in quarter {frame['quarter'][high]}."
    )
    spec = charts.points(
        frame, "quarter", "estimate", low="low", high="high", x_title="Quarters since the start (0 = the first three months)",
        y_title="Ratio to expected (1 = no change)", reference=1.0, x_rule=-0.5,
    )  # fmt: skip
    shown = frame[["quarter", "treated_count", "expected", "estimate", "low", "high", "band_low", "band_high", "chosen_on"]].copy()
    shown["chosen_on"] = shown["chosen_on"].map({True: "yes", False: ""})
    shown.columns = ["Quarter", "Count", "Expected", "ratio", "low", "high", "band low", "band high", "Chosen on"]
    formats = RATIO_FORMATS | {"Quarter": ".0f", "Count": ",.0f", "Expected": ",.1f", "band low": ".3f", "band high": ".3f"}
    return [
        Chart(
            "evaluate_event_study", title, spec, alt, shown, formats, found.source,
            "Reference: the whole baseline pooled. Low and high: each quarter's 95 % interval; the band covers all quarters "
            "together. Quarters marked were among the months the areas were chosen on: a hump there is the choice itself.",
            ("Count",), published,
        )
    ]  # fmt: skip


def nearby(found: Assessment, published: bool) -> list[Block]:
    """The rings round the treated areas."""
    from peelian import charts

    moved = found.moved
    if moved is None:
        return [Text("No rings: no area near the treated ones can be told from those further away, so displacement was not looked for.", "warning")]
    frame = moved.frame
    title = {
        "displaced": "The nearest areas had more than expected",
        "diffused": "The nearest areas had fewer than expected too",
        "neither found": "The nearest areas went with those further away",
        "cannot tell": "Whether crime moved to nearby areas cannot be told",
    }[moved.word]
    alt = "Ratios to expected: " + "; ".join(
        f"{r['ring']} {words.ratio(r['estimate'], r['low'], r['high'])}" for r in frame.to_dict("records")
    )
    shown = frame.set_axis(["Ring", "Areas", "Count", "Expected", "Fewer", "ratio", "low", "high"], axis=1)
    formats = RATIO_FORMATS | {"Areas": ",.0f", "Count": ",.0f", "Expected": ",.0f", "Fewer": ",.0f"}
    if found.small:
        return [Table("evaluate_rings", title, shown.drop(columns=["ratio", "low", "high"]), {k: v for k, v in formats.items() if k not in RATIO_FORMATS}, found.source, ("Count",), published)]
    spec = charts.intervals(frame, "ring", "estimate", "low", "high", x_title="Ratio to expected (1 = no change)", reference=1.0, log=True)
    note = "Each ring against the areas beyond the last one; one joint covariance."
    q = moved.quotient
    if q is not None and moved.direct.excludes_no_change and not math.isnan(q.wdq):
        note += f" Weighted displacement quotient {q.wdq:.2f}, total net effect {q.tne:,.0f} (Bowers & Johnson 2003)."
    else:
        note += " The weighted displacement quotient is undefined: the treated areas' own change includes none."
    return [Chart("evaluate_rings", title, spec, alt, shown, formats, found.source, note, ("Count",), published)]


def forest(found: Assessment) -> list[Block]:
    """Every estimate of the ratio side by side."""
    import pandas as pd

    from peelian import charts

    if found.small:
        return []
    rough = found.check("G6").fired
    held = [e for e in found.effects if e.scale == "ratio" and math.isfinite(e.low) and "10 points" not in e.name]
    rows = [
        (e.name + (" (for reference only)" if rough and e.se_method.startswith("Poisson") else ""), e.estimate, e.low, e.high, e.se_method)
        for e in held
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["estimate of", "ratio", "low", "high", "interval from"])
    beyond = sum(1 for e in held[1:] if (e.estimate < 1) != (held[0].estimate < 1))
    title = f"{len(held)} estimates of the ratio; {beyond} of the others lie on the other side of no change"
    alt = "Ratios with intervals: " + "; ".join(f"{r[0]} {words.ratio(*r[1:4])}" for r in rows)
    spec = charts.intervals(frame, "estimate of", "ratio", "low", "high", x_title="Ratio to expected (1 = no change)", reference=1.0, log=True)
    blocks: list[Block] = [Chart("evaluate_forest", title, spec, alt, frame, RATIO_FORMATS, found.source)]
    blocks += [Text(str(e), "plain") for e in found.effects if e.name.startswith("weighted displacement")]
    blocks += [Text(dose_sentence(e), "plain") for e in found.effects if "10 points" in e.name]
    return blocks


def dose_sentence(effect: Effect) -> str:
    """The dose line, with its warning."""
    return (
        f"For each 10 points more saturation the ratio was multiplied by {words.ratio(effect.estimate, effect.low, effect.high)} "
        "among treated areas; places that took more kits also differ in other ways."
    )


def guard_table(found: Assessment) -> Table:
    """All guards, those that fired first."""
    import pandas as pd

    checks = sorted(found.checks, key=lambda c: not c.fired)
    rows = [
        (f"{c.id} {c.name}", "fired" if c.fired else "clear", c.sentence, CONSEQUENCES.get(c.consequence, c.consequence) if c.fired else "none")
        for c in checks
    ]  # fmt: skip
    fired = sum(c.fired for c in checks)
    frame = pd.DataFrame(rows, columns=["Guard", "State", "What was seen", "Effect on the verdict"])
    return Table("evaluate_guards", f"{fired} of {len(checks)} guards fired", frame, source="Guards G1 to G12; each runs on every evaluation")


def guard_warnings(found: Assessment) -> list[Block]:
    """The guards that touch the verdict, as warnings."""
    return [Text(f"{c.id}: {c.sentence}", "warning") for c in found.fired if c.consequence != "none"]


def phase_table(phases: Mapping[str, Mapping[str, Any]] | None, *, crime: str) -> list[Block]:
    """Further phases of the programme, evaluated in the same way."""
    import pandas as pd

    if not phases:
        return []
    rows = []
    for name, told in phases.items():
        if "verdict" not in told:
            rows.append((name, "Not held: " + str(told.get("not_held", "")), None, None, None, ""))
            continue
        h, fired = told["headline"], [c["id"] for c in told["checks"] if c["fired"]]
        rows.append((name, told["verdict"]["words"], h["estimate"], h["low"], h["high"], ", ".join(fired)))
    frame = pd.DataFrame(rows, columns=["Phase", "Verdict", "ratio", "low", "high", "Guards that fired"])
    frame[["ratio", "low", "high"]] = frame[["ratio", "low", "high"]].astype(float)
    title = f"Further phases: {'; '.join(f'{r[0]}: {r[1]}' for r in rows)}"
    blocks: list[Block] = [Table("evaluate_phases", title, frame, RATIO_FORMATS, note="Each phase by the same rule, with its own windows.")]
    for name, told in phases.items():
        shown = [c for c in told.get("checks", []) if c["fired"] and c["id"] in ("G1", "G2")]
        blocks += [Text(f"{name}: {told['headline']['sentence']}", "plain")] if "headline" in told else []
        blocks += [Text(f"{name}, {c['id']}: {c['sentence']}", "warning") for c in shown]
    return blocks


def group_table(
    counts: pd.DataFrame | None, *, groups: str | None, by: str, crime: str, published: bool
) -> list[Block]:
    """Totals of larger areas, counted by the point and by the published code."""
    if counts is None or not len(counts):
        return []
    keys = ["group", "arm"] if "arm" in counts else ["group"]
    wide = counts.pivot_table(index=keys, columns="by", values=["before", "after"], aggfunc="sum", observed=True)
    ways = [w for w in ("point", "code") if w in set(counts["by"])]
    wide = wide[[(when, way) for way in ways for when in ("before", "after")]]
    names = {"point": "by point", "code": "by code"}
    wide.columns = [f"{when.capitalize()}, {names[way]}" for when, way in wide.columns]
    frame = wide.reset_index().rename(columns={"group": "Group", "arm": "Arm"})
    columns = [c for c in frame.columns if c not in ("Group", "Arm")]
    if "Arm" in frame:
        frame = _with_totals(frame, columns)
    title = "Totals by ward group, counted by the point and by the published LSOA code" if len(ways) > 1 else "Totals by ward group"
    note = f"Grouped by {groups}. " if groups else ""
    note += f"The headline uses the {by}." if by else ""
    return [
        Table("evaluate_groups", title, frame, dict.fromkeys(columns, ",.0f"), counts=tuple(columns), published=published, note=note.strip())
    ]  # fmt: skip


def _with_totals(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One total a line for each arm, above the single groups."""
    import pandas as pd

    total = frame.groupby("Arm", sort=False)[columns].sum().reset_index()
    many = frame["Arm"].value_counts()
    total.insert(0, "Group", [f"All {many[a]} {a}" for a in total["Arm"]])
    order = {"treated": 0, "excluded": 1, "control": 2}
    by_arm = lambda part: part.sort_values("Arm", key=lambda a: a.map(order), kind="stable")  # noqa: E731
    return pd.concat([by_arm(total), by_arm(frame)], ignore_index=True)


def accounting_table(found: Assessment, published: bool) -> Table:
    """Every area-month and incident, used or not."""
    held = found.accounting
    used = held[held["part"] == "used"]["incidents"].sum()
    title = f"Of {words.number(held['incidents'].sum())} {words.plural(found.crime)}, {words.number(used)} were used in the headline and the rings"
    frame = held.set_axis(["Part", "Reason", "Areas", "Area-months", "Incidents"], axis=1)
    formats = {"Areas": ",.0f", "Area-months": ",.0f", "Incidents": ",.0f"}
    return Table("evaluate_accounting", title, frame, formats, found.source, ("Incidents",), published)


def method(found: Assessment, programme: Programme) -> list[Block]:
    """The method in words, and what it rests on."""
    h = found.headline
    lines = [
        "Method. Expected is the treated areas' count before, moved by the change in the areas beyond the last ring (Poisson "
        "difference in differences in closed form; Wooldridge 2021); areas with other start months are stacked, each with its own "
        f"windows. The interval leaves out one unit at a time ({h.n_treated:,} treated and {h.n_control:,} others; Student's t with "
        f"{h.extra['df']:.0f} degrees of freedom). p = {words.p_text(h.p)}: {h.p_method}.",
        f"Incidents were placed in areas by their {found.by}. It rests on: " + "; ".join(h.assumptions) + ".",
        "Sources of the methods: Wheeler & Ratcliffe (2018), Bowers & Johnson (2003), Guerette & Bowers (2009: over 574 observations, "
        "displacement in 26 % and diffusion in 27 %), Chainey (2022: the effect of property marking fades within a year).",
    ]  # fmt: skip
    if programme.source:
        lines.append(f"Programme: {programme.source}.")
    return [Text(line, "note") for line in lines]


