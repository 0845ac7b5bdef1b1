"""The part of the chapter that asks whether the answer hangs on choices: areas, methods, trends, plan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from peelian.evaluate import words
from peelian.evaluate.benefits import sentence
from peelian.evaluate.choices import agreement
from peelian.evaluate.scales import emmie, emmie_title
from peelian.evaluate.staged import sentence as staged_sentence
from peelian.report import Block, Chart, Table, Text
from peelian.words import plural, whole

if TYPE_CHECKING:
    from peelian.evaluate.assess import Assessment
    from peelian.evaluate.rct import Trial
    from peelian.places import Places

RATIO = {"ratio": ".3f", "low": ".3f", "high": ".3f"}


def opinions(found: Assessment, places: Places | None) -> list[Block]:
    """Agreement of the second opinions, how alike the arms were, their two series, and bent trends."""
    out = [*_series(found), *_alike(found)]
    if not found.small:
        out = [*_agreement(found), *out, *_synthetic(found), *_staged(found), *_bent(found)]
        out += _benefits(found)
        out += [Text(str(e), "plain") for e in found.switched]
        out += _trial(found)
    return out


def running(found: Assessment) -> list[Block]:
    """Prevented so far, month by month."""
    from peelian import charts

    frame = found.running
    if found.small or len(frame) < 2:
        return []
    last = frame.iloc[-1]
    said = words.fewer_interval(last["prevented"], last["low"], last["high"])
    title = f"After {int(last['month'])} months: {said}"
    spec = charts.lines(
        frame, "month", "prevented", low="low", high="high", x_title="Months since the start",
        y_title=f"{plural(found.crime).capitalize()} fewer than expected, so far", zero=True,
    )  # fmt: skip
    alt = (
        f"Running difference from expected by month since the start, with 95 % intervals; {said} at the end."
    )
    names = ["Month", "Observed", "Expected", "Fewer so far", "low", "high"]
    formats = {"Month": ".0f"} | dict.fromkeys(names[1:], ",.0f")
    return [Chart("evaluate_cumulative", title, spec, alt, frame.set_axis(names, axis=1), formats,
        found.source)]  # fmt: skip


def _agreement(found: Assessment) -> list[Block]:
    table = agreement(found.headline, found.choices.others)
    if not len(table):
        return [Text("No second opinion could be had: too few comparison areas.", "warning")]
    yes = {True: "yes", False: "no"}
    frame = table.assign(**{c: table[c].map(yes) for c in ("same", "inside", "agrees")})
    frame = frame.set_axis(
        [
            "Second opinion",
            "ratio",
            "low",
            "high",
            "Same direction",
            "Inside the headline's interval",
            "Agrees",
        ],
        axis=1,
    )
    title = f"{int(table['agrees'].sum())} of {len(table)} second opinions agree with the headline"
    note = (
        "Two agree where they point the same way and one of them lies inside the other's interval. One that "
        "does not takes the verdict one step down."
    )
    if found.choices.left_out is not None:
        low, high, n = found.choices.left_out
        note += f" Leaving out one of {n} districts' comparison areas at a time: {low:.3f} to {high:.3f}."
    refused = [Text(text, "warning") for text in found.choices.refused]
    return [Table("evaluate_agreement", title, frame, RATIO, found.source, note=note), *refused]


def _alike(found: Assessment) -> list[Block]:
    frame = found.choices.alike
    if not len(frame):
        return [Text("One comparison area alone: how alike it is cannot be said in spreads.", "warning")]
    names = {"choice": "Comparison", "areas": "Areas", "count": "Count", "trend": "Trend", "homes": "Homes"}
    shown = frame.rename(columns=names).dropna(axis=1, how="all")
    worst = frame["count"].abs().iloc[0]
    title = (
        f"Before the start the treated areas' count stood {worst:.2f} standard deviations from that of the "
        "comparison areas"
    )
    note = (
        "Treated less comparison areas, in standard deviations, on the baseline. Under 0.1 is close. The "
        "headline compares with all areas beyond the last ring; no one choice is enough."
    )
    apart = [c for c in shown.columns if c not in ("Comparison", "Areas")]
    shown[apart] = shown[apart].round(2) + 0.0  # never minus nothing
    formats = dict.fromkeys(apart, ".2f") | {"Areas": ",.0f"}
    return [Table("evaluate_alike", title, shown, formats, found.source, note=note)]


def _series(found: Assessment) -> list[Block]:
    from peelian import charts

    frame = found.choices.series
    start = found.study.months[found.study.stacks[0].start].to_timestamp()
    title = "Treated and other areas by quarter, as a share of their own baseline"
    spec = charts.lines(
        frame, "quarter", "index", series="arm", y_title="Baseline quarter = 100", zero=False,
        rules=[(start, "start")],
    )  # fmt: skip
    alt = (
        "Two lines by quarter, treated areas (first start month) and areas beyond the last ring, each as a "
        "share of its baseline's mean quarter."
    )
    shown = frame.set_axis(["Quarter from", "Areas", "Count", "Index"], axis=1)
    shown = shown.assign(**{"Quarter from": shown["Quarter from"].dt.strftime("%Y-%m")})
    if found.small:
        return []
    return [
        Chart("evaluate_series", title, spec, alt, shown, {"Count": ",.0f", "Index": ".0f"}, found.source)
    ]


def _benefits(found: Assessment) -> list[Block]:
    """The headline in thirds of the areas."""
    if found.benefits is None:
        return [Text("Too few areas to ask who benefits: a third must hold five of either arm.", "note")]
    frame = found.benefits.frame.set_axis(
        ["By", "Areas like it", "Treated", "Count", "ratio", "low", "high"], axis=1
    )
    frame["By"] = frame["By"].str.replace("_", " ")
    title = "The ratio in thirds of the areas, each compared with areas like it"
    note = sentence(found.benefits, registered=found.registered_groups) + (
        " Areas differ in many ways at once, so this says where the fall was, not why."
    )
    formats = RATIO | {"Treated": ",.0f", "Count": ",.0f"}
    return [Table("evaluate_benefits", title, frame, formats, found.source, note=note)]


def _synthetic(found: Assessment) -> list[Block]:
    built = found.choices.synthetic
    if built is None:
        return [Text("The other areas could not be weighted to match the treated ones' history.", "note")]
    frame = built.balance.set_axis(
        ["Start", "Matched", "Treated", "Synthetic", "Unweighted", "Left over", "Apart before"], axis=1
    )
    frame["Left over"] = frame["Left over"].round(3) + 0.0  # never minus nothing
    title = f"Synthetic areas match the treated ones to {built.worst:.3f} standard deviations"
    formats = dict.fromkeys(("Treated", "Synthetic", "Unweighted"), ",.1f")
    formats |= dict.fromkeys(("Left over", "Apart before"), ".3f")
    note = f"Matched on {built.matched} (Robbins, Saunders & Kilmer 2017)."
    return [Table("evaluate_synthetic", title, frame, formats, found.source, note=note)]


def _staged(found: Assessment) -> list[Block]:
    """Several start months: two-way fixed effects beside what avoids its mixture, and what it compares."""
    held = found.staged
    if held is None:
        return []
    noun = plural(found.crime)
    frame = held.frame.set_axis(["Method", "more an area and quarter", "low", "high"], axis=1)
    note = (
        "Counts since the start less what they would have been, had treated and other areas moved by as "
        "much. Intervals: clustered by unit, influence functions, jackknife over 100 groups; Student's t. "
        "A diagnostic: none of them decides."
    )
    if math.isfinite(held.pre_p):
        note += f" All differences before the starts together: p {words.p_text(held.pre_p)}."
    against = held.against.set_axis(["Compared with", "Pairs of starts", "Weight", "estimate"], axis=1)
    formats = {"more an area and quarter": "+.2f", "low": "+.2f", "high": "+.2f"}
    share = f"{100 * held.forbidden:.0f} %"
    title = f"{share} of two-way fixed effects rests on comparing with areas treated already"
    return [
        Table("evaluate_staged", staged_sentence(held, noun), frame, formats, found.source, note=note),
        Table(
            "evaluate_bacon", title, against, {"Weight": ".1%", "estimate": "+.2f"}, found.source,
            note="After Goodman-Bacon (2021). Areas treated already change by their own effect, so they "
            "cannot stand for what would have happened without one.",
        ),
    ]  # fmt: skip


def _bent(found: Assessment) -> list[Block]:
    if found.bent is None:
        return [Text("Too few quarters before the start to allow for trends that differ.", "note")]
    frame = found.bent.frame.assign(bend=100 * found.bent.frame["bend"])
    frame = frame.set_axis(["Bend, % a quarter", "low", "high"], axis=1)
    limit = 100 * found.bent.breakdown
    title = f"The interval excludes no change unless the trends bend by {limit:.1f} % a quarter"
    if limit <= 0:
        title = "With trends that differ by a straight line the interval includes no change"
    note = "Each interval holds for all trends whose difference bends by no more (Rambachan & Roth 2023)."
    return [Table("evaluate_sensitivity", title, frame, RATIO | {"Bend, % a quarter": ".2f"}, found.source,
        note=note)]  # fmt: skip


def plan(found: Assessment) -> list[Block]:
    """The frozen plan or that there was none, and the EMMIE scale."""
    text = (
        "No evaluation plan was registered before the start." if found.plan is None else found.plan.sentence
    )
    frame = emmie(found).set_axis(["Dimension", "Evidence", "Quality"], axis=1)
    table = Table("evaluate_emmie", emmie_title(frame["Evidence"]), frame, {}, found.source)
    return [Text(f"Registration. {text}", "plain"), table]


def _further_trial(trial: Trial) -> str:
    """Control units near treated ones, the regression beside, and the change among takers."""
    near, second, takers = trial.flow.get("near", 0), trial.second, trial.takers
    text = ""
    if near:
        share = 100 * near / max(trial.flow["control"], 1)
        text += (
            f" {near} of the control units ({share:.0f} %) lie in the first ring, so the programme may have "
            "touched them."
        )
    if second is not None:
        said = words.ratio(second.estimate, second.low, second.high)
        text += f" By regression on the count before: {said}, p {words.p_text(second.p)}."
    if takers is not None:
        text += (
            f" Per home that took a kit the change is {takers.estimate:+.0f} % (95 % interval "
            f"{takers.low:+.0f} to {takers.high:+.0f} %), only if being offered one does nothing by itself."
        )
    if trial.shares is not None:
        e = trial.shares
        text += (
            f" As published trials print it, were no home hit twice: ratio of the shares of "
            f"{whole(e.n_treated)} and {whole(e.n_control)} homes "
            f"{words.ratio(e.estimate, e.low, e.high)}, chi square {e.extra['chi2']:.2f}, p "
            f"{words.p_text(e.p)}; it takes homes for drawn one by one, so its interval is too narrow."
        )
    return text


def _trial(found: Assessment) -> list[Block]:
    """The trial: flow, balance, and the drawn areas alone."""
    if found.trial is None:
        return []
    e, flow = found.trial.effect, found.trial.flow
    text = (
        f"Trial. {flow['eligible']} units were eligible, {flow['treated']} drawn to treatment and "
        f"{flow['control']} to control. Those alone give a ratio of "
        f"{words.ratio(e.estimate, e.low, e.high)}, p {words.p_text(e.p)} ({e.p_method})."
    )
    text += _further_trial(found.trial)
    caution = (
        "Which blocks enter changes the p of a trial (Weisburd, Wilson & Mazerolle 2020), and a small trial "
        "is not alike in both arms by luck (Gill & Weisburd 2013)."
    )
    frame = found.trial.balance.set_axis(["Baseline", "Treated", "Control", "Difference"], axis=1)
    title = (
        f"The arms as drawn: {frame['Difference'].iloc[0]:+.2f} standard deviations apart before the start"
    )
    formats = {"Treated": ",.1f", "Control": ",.1f", "Difference": "+.2f"}
    return [
        Text(text, "plain"),
        Text(caution, "note"),
        Table("evaluate_trial", title, frame, formats, found.source),
    ]
