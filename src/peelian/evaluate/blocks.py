"""The tables, charts and map of the chapter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from peelian.evaluate import words
from peelian.report import Block, Chart, Table, Text
from peelian.words import month, plural, whole

if TYPE_CHECKING:
    import pandas as pd

    from peelian.effect import Effect
    from peelian.evaluate.assess import Assessment
    from peelian.places import Places
    from peelian.programme import Programme

NO_CHANGE = "Ratio to expected (1 = no change)"
RATIO_FORMATS = {"ratio": ".3f", "low": ".3f", "high": ".3f"}
CONSEQUENCES = {
    "none": "none", "down": "one step down", "down to CANNOT_TELL": "down to cannot tell",
    "at most PROBABLY": "at most \u201cprobably\u201d",
    "calibrated": "the verdict reads the calibrated ratio", "CANNOT_TELL": "cannot tell",
    "SELECTION": ("not distinguishable from the choice of "
        "areas"), "NOT_ASSESSABLE": "the data cannot answer this",
}  # fmt: skip


def comparison_table(found: Assessment, published: bool) -> Table:
    """Counts in treated areas, rings and other areas, with what was expected."""
    held, stack = found.comparison, found.study.stacks[0]
    lengths = stack.lengths
    before, after = (
        name if lengths[0] == lengths[1] else f"{name} ({n} months)"
        for name, n in zip(("Before", "After"), lengths, strict=True)
    )
    frame = held[
        ["group", "places", "households", "before", "after", "change", "rate_before", "rate_after",
            "expected", "fewer"]
    ].set_axis(
        ["Areas", "Number", "Homes", before, after, "Change a month", "Rate before", "Rate after",
            "Expected", "Fewer than expected"],
        axis=1,
    )  # fmt: skip
    if found.small:
        frame = frame.drop(columns="Change a month")
    if not frame["Homes"].notna().any():
        frame = frame.drop(columns=["Homes", "Rate before", "Rate after"])
    formats = {
        "Number": ",.0f", "Homes": ",.0f", before: ",.0f", after: ",.0f", "Change a month": "+.1%",
        "Rate before": ".1f",
        "Rate after": ".1f", "Expected": ",.0f", "Fewer than expected": ",.0f",
    }  # fmt: skip
    first = f"{plural(found.crime).capitalize()} before and after, in treated areas and elsewhere"
    return Table(
        "evaluate_comparison", first, frame, {k: v for k, v in formats.items() if k in frame}, found.source,
        (before, after), published,
        f"Before: {_span(found, stack.before)}; after: {_span(found, stack.after)}"
        + ((f" (first of {len(found.study.stacks)} start months; each has its own windows; the other "
            "areas' counts are the mean over them)") if len(found.study.stacks) > 1 else "")
        + ". Rates: a year per 1,000 homes. Expected: the count before, moved by the other areas' change"
        + ((", less what leaving out other areas does to that change by itself (guard S2).") if any(
            found.study.left_out) else "."),
    )  # fmt: skip


def _span(found: Assessment, window: tuple[int, int]) -> str:
    first, last = found.study.months_of(window)
    return f"{month(first)} to {month(last)}"


def what_if(found: Assessment) -> list[Block]:
    """What a before-and-after figure would have said: one chart with its table."""
    from peelian import charts

    if found.small:
        return [
            Text(
                "Counts are too small for a before-and-after percentage, so none is shown (guard G4).", "note"
            )
        ]
    frame = found.what_if
    rows = frame["estimate"].tolist()
    title = (
        f"What a before-and-after figure would have said: {words.percent(rows[0])}, where the "
        f"headline says {words.percent(found.headline.estimate)}"
    )
    alt = "Ratios with intervals: " + "; ".join(
        f"{r['what']} {words.ratio(r['estimate'], r['low'], r['high'])}" for r in frame.to_dict("records")
    )
    spec = charts.intervals(
        frame,
        "what",
        "estimate",
        "low",
        "high",
        x_title="Ratio of after to expected (1 = no change)",
        reference=1.0,
        log=True,
    )
    note = "Rows on earlier years show the mean and the range over those years; the others a 95 % interval."
    return [
        Chart(
            "evaluate_what_if", title, spec, alt, frame.set_axis(["What", "ratio", "low", "high"], axis=1),
            RATIO_FORMATS,
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
    title = (
        f"{counts['treated']:,} treated areas are compared with {counts.get('other areas', 0):,} "
        "areas further away"
    )
    alt = "Map of the areas by part in the comparison: " + ", ".join(f"{n} {counts[n]:,}" for n in order)
    spec = maps.areas_map(
        frame, "part", legend="Part in the comparison", kind="categories", outline="treated", order=order
    )
    table = counts.reindex(order).rename("Areas").rename_axis("Part").reset_index()
    return Chart("evaluate_map", title, spec, alt, table, {"Areas": ",.0f"}, found.source)


def by_time(found: Assessment, published: bool) -> list[Block]:
    """The event study by quarter since the start."""
    from peelian import charts

    frame = found.event.frame
    if not len(frame) or found.small:
        return []
    after = frame[frame["quarter"] >= 0]
    lowest, highest = after["estimate"].min(), after["estimate"].max()
    title = (
        f"By quarter since the start the ratio ran from {lowest:.2f} to {highest:.2f}: {found.fading.said}"
    )
    alt = (
        "Ratio to expected by quarter since the start, with 95 % intervals. First quarter "
        f"{after['estimate'].iloc[0]:.2f}, last {after['estimate'].iloc[-1]:.2f}, lowest {lowest:.2f}, "
        f"highest {highest:.2f}."
    )
    chosen = frame["chosen_on"].map({True: "months the areas were chosen on", False: "other months"})
    spec = charts.points(
        frame.assign(months=chosen), "quarter", "estimate", low="low", high="high", reference=1.0,
        x_rule=-0.5, series="months" if frame["chosen_on"].any() else None,
        x_title="Quarters since the start (0 = the first three months)", y_title=NO_CHANGE,
    )  # fmt: skip
    note = (
        "Reference: the whole baseline pooled. Low and high: each quarter's 95 % interval; the band covers "
        "all quarters together. A hump in the months that the areas were chosen on is the choice itself."
    )
    shown = _quarters(frame)
    formats = RATIO_FORMATS | dict.fromkeys(("band low", "band high"), ".3f")
    formats |= {"Quarter": ".0f", "Count": ",.0f", "Expected": ",.1f"}
    name, counts = "evaluate_event_study", ("Count",)
    return [Chart(name, title, spec, alt, shown, formats, found.source, note, counts, published)]


def _quarters(frame: pd.DataFrame) -> pd.DataFrame:
    names = {
        "quarter": "Quarter", "treated_count": "Count", "expected": "Expected", "estimate": "ratio",
        "low": "low", "high": "high",
        "band_low": "band low", "band_high": "band high", "chosen_on": "Chosen on",
    }  # fmt: skip
    shown = frame[list(names)].rename(columns=names)
    return shown.assign(**{"Chosen on": shown["Chosen on"].map({True: "yes", False: ""})})


RINGS_SAY = {
    "displaced": "The nearest areas had more than expected",
    "diffused": "The nearest areas had fewer than expected too",
    "neither found": "The nearest areas went with those further away",
    "cannot tell": "Whether crime moved to nearby areas cannot be told",
}
NO_RINGS = (
    "No rings: no area near the treated ones can be told from those further away, so displacement was not "
    "looked for."
)


def nearby(found: Assessment, published: bool) -> list[Block]:
    """The rings round the treated areas."""
    from peelian import charts

    if found.moved is None:
        return [Text(NO_RINGS, "warning")]
    frame, title = found.moved.frame, RINGS_SAY[found.moved.word]
    shown = frame.set_axis(["Ring", "Areas", "Count", "Expected", "Fewer", "ratio", "low", "high"], axis=1)
    formats = dict.fromkeys(("Areas", "Count", "Expected", "Fewer"), ",.0f")
    name, counts = "evaluate_rings", ("Count",)
    if found.small:
        plain = shown.drop(columns=["ratio", "low", "high"])
        return [Table(name, title, plain, formats, found.source, counts, published)]
    alt = "Ratios to expected: " + "; ".join(
        f"{r['ring']} {words.ratio(r['estimate'], r['low'], r['high'])}" for r in frame.to_dict("records")
    )
    spec = charts.intervals(
        frame, "ring", "estimate", "low", "high", x_title=NO_CHANGE, reference=1.0, log=True
    )
    note = "Each ring against the areas beyond the last one; one joint covariance. " + _quotient(found)
    formats |= RATIO_FORMATS
    return [Chart(name, title, spec, alt, shown, formats, found.source, note, counts, published)]


def _quotient(found: Assessment) -> str:
    """The weighted displacement quotient, or why there is none."""
    moved = found.moved
    q = None if moved is None else moved.quotient
    if moved is None or q is None or not moved.direct.excludes_no_change or math.isnan(q.wdq):
        return "The weighted displacement quotient is undefined: the treated areas' own change includes none."
    return (
        f"Weighted displacement quotient {q.wdq:.2f}, total net effect {q.tne:,.0f} (Bowers & Johnson 2003)."
    )


def forest(found: Assessment) -> list[Block]:
    """Every estimate of the ratio side by side."""
    import pandas as pd

    from peelian import charts

    if found.small:
        return []
    rough = found.check("G6").fired
    held = [
        e for e in found.effects if e.scale == "ratio" and math.isfinite(e.low) and "10 points" not in e.name
    ]
    rows = [
        (_shown(e, headline=e is held[0], rough=rough), e.estimate, e.low, e.high, e.se_method) for e in held
    ]
    frame = pd.DataFrame(rows, columns=["estimate of", "ratio", "low", "high", "interval from"])
    beyond = sum(1 for e in held[1:] if (e.estimate < 1) != (held[0].estimate < 1))
    title = f"{len(held)} estimates of the ratio; {beyond} of the others lie on the other side of no change"
    alt = "Ratios with intervals: " + "; ".join(f"{r[0]} {words.ratio(*r[1:4])}" for r in rows)
    spec = charts.intervals(
        frame,
        "estimate of",
        "ratio",
        "low",
        "high",
        x_title=NO_CHANGE,
        reference=1.0,
        log=True,
    )
    blocks: list[Block] = [Chart("evaluate_forest", title, spec, alt, frame, RATIO_FORMATS, found.source)]
    blocks += [Text(str(e), "plain") for e in found.effects if e.name.startswith("weighted displacement")]
    blocks += [Text(dose_sentence(e), "plain") for e in found.effects if "10 points" in e.name]
    return blocks


def weighed(found: Assessment, published: bool) -> list[Block]:
    """The fullest month where counts are small, and the difference in harm where weights are named."""
    from peelian import charts
    from peelian.evaluate.weighted import fullest_month, sentence

    held = found.harm
    few = fullest_month(found.study, found.crime) if found.small else ""
    said: list[Block] = [Text(few, "plain")] if few else []
    if held is None:
        return said
    e, source = held.effect, f"{found.source}; weights: {held.source}"
    names = ["Type", "Weight", "Treated before", "Treated after", "Other before", "Other after"]
    frame = held.frame.set_axis([*names, "Difference", "low", "high", "In harm"], axis=1)
    formats = {"Weight": ",.1f"} | dict.fromkeys([*names[2:], "Difference", "low", "high", "In harm"], ",.0f")
    note = (
        f"Weighted displacement differences, in crimes with Poisson intervals. In harm together: "
        f"{e.estimate:,.0f} (95 % interval {e.low:,.0f} to {e.high:,.0f} from the spread between areas; "
        f"{held.poisson.low:,.0f} to {held.poisson.high:,.0f} if counts varied by chance alone). "
        "After Wheeler & Ratcliffe (2018)."
    )
    spec = charts.lines(
        held.by_month, "month", "difference", low="low", high="high", zero=True,
        x_title="Months since the start", y_title=f"Change so far, {held.unit}",
    )  # fmt: skip
    last = held.by_month["difference"].iloc[-1]
    title = f"In harm the difference came to {last:+,.0f} after {len(held.by_month)} months"
    alt = f"{title}: running difference by month since the start, with Poisson bands of 90 %."
    shown = held.by_month.set_axis(["Month", "Difference in harm", "low", "high"], axis=1)
    kinds = {"Month": ".0f"} | dict.fromkeys(shown.columns[1:], ",.0f")
    return [
        *said,
        Table("evaluate_harm", sentence(held), frame, formats, source, tuple(names[2:]), published, note),
        Chart("evaluate_harm_by_month", title, spec, alt, shown, kinds, source),
    ]


def _shown(effect: Effect, *, headline: bool, rough: bool) -> str:
    """An estimate's name in the picture of them all."""
    only = " (for reference only)" if rough and effect.se_method.startswith("Poisson") else ""
    return ("headline: " if headline else "") + effect.name + only


def dose_sentence(effect: Effect) -> str:
    """The dose line, with its warning."""
    return (
        "For each 10 points more saturation the ratio was multiplied by "
        f"{words.ratio(effect.estimate, effect.low, effect.high)} "
        "among treated areas; places that took more kits also differ in other ways."
    )


def guard_table(found: Assessment) -> Table:
    """All guards, those that fired first."""
    import pandas as pd

    checks = sorted(found.checks, key=lambda c: not c.fired)
    rows = [
        (f"{c.id} {c.name}", "fired" if c.fired else "clear", c.sentence, CONSEQUENCES.get(c.consequence,
            c.consequence) if c.fired else "none")
        for c in checks
    ]  # fmt: skip
    fired = sum(c.fired for c in checks)
    frame = pd.DataFrame(rows, columns=["Guard", "State", "What was seen", "Effect on the verdict"])
    return Table(
        "evaluate_guards",
        f"{fired} of {len(checks)} guards fired",
        frame,
        source="Guards G1 to G12, S1 and S2; each runs on every evaluation",
    )


def guard_warnings(found: Assessment) -> list[Block]:
    """The guards that touch the verdict, as warnings."""
    return [Text(f"{c.id}: {c.sentence}", "warning") for c in found.fired if c.consequence != "none"]


def accounting_table(found: Assessment, published: bool) -> Table:
    """Every area-month and incident, used or not."""
    held = found.accounting
    used = held[held["part"] == "used"]["incidents"].sum()
    title = (
        f"Of {whole(held['incidents'].sum())} {plural(found.crime)}, "
        f"{whole(used)} were used in the headline and the rings"
    )
    frame = held.set_axis(["Part", "Reason", "Areas", "Area-months", "Incidents"], axis=1)
    formats = {"Areas": ",.0f", "Area-months": ",.0f", "Incidents": ",.0f"}
    return Table("evaluate_accounting", title, frame, formats, found.source, ("Incidents",), published)


def method(found: Assessment, programme: Programme) -> list[Block]:
    """The method in words, and what it rests on."""
    h = found.headline
    lines = [
        "Method. Expected is the treated areas' count before, moved by the change in the areas beyond the "
        "last ring (Poisson difference in differences in closed form; Wooldridge 2021); areas with other "
        "start months are stacked, each with its own windows. The interval leaves out one unit at a time "
        f"({h.n_treated:,} treated and {h.n_control:,} others; Student's t with {h.extra['df']:.0f} degrees "
        f"of freedom). p = {words.p_text(h.p)}: {h.p_method}.",
        f"Incidents were placed in areas by their {found.by}. It rests on: " + "; ".join(h.assumptions) + ".",
        "Sources of the methods: Wheeler & Ratcliffe (2018), Bowers & Johnson (2003), Guerette & Bowers "
        "(2009: over 574 observations, displacement in 26 % and diffusion in 27 %), Chainey (2022: the "
        "effect of property marking fades within a year).",
    ]  # fmt: skip
    if programme.source:
        lines.append(f"Programme: {programme.source}.")
    return [Text(line, "note") for line in lines]
