"""Guards G1 to G12: what could make the answer wrong, looked for on every run. None can be switched off.

Each takes plain numbers and returns a ``Check`` whose ``consequence`` the verdict reads: ``none``, ``down``,
``down to CANNOT_TELL``, ``at most PROBABLY``, ``calibrated``, or the verdict it forces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from peelian.effect import Check, Effect
from peelian.evaluate import words
from peelian.evaluate.sensitivity import Sensitivity, bent_sentence
from peelian.evaluate.verdict import CALIBRATED, CAP, DOWN, FLOOR, NONE
from peelian.words import month, plural, whole

if TYPE_CHECKING:
    from peelian.arithmetic.comparison import Calibrated, LogRatio
    from peelian.evaluate.checks import PreTrends, Selection
    from peelian.evaluate.recording import ShareBreak
    from peelian.evaluate.registration import Registration

AUC_LIMIT, ROUGH_PHI, FEW_COUNTS, WIDE_MDE, FEW_UNITS = 0.65, 1.5, 30, 0.40, 10


def _ratio(log: LogRatio | Calibrated) -> str:
    return words.ratio(math.exp(log.theta), *(math.exp(x) for x in log.interval()))


def overlaps_baseline(
    *,
    randomised: bool,
    overlap: bool,
    assumed: bool,
    clean: bool,
    clean_log: LogRatio,
    naive_log: LogRatio,
    small: bool = False,
) -> Check:
    """G1: the areas were chosen on months they are also compared with (``small``: no ratios, guard G4)."""
    fired = not randomised and (overlap or assumed or not clean)
    if not fired:
        how = "Areas were drawn at random." if randomised else "A clean year lies between choice and start."
        return Check("G1", "selection overlaps baseline", False, sentence=how, consequence=NONE)
    why = "No months of choice are stated, so the 12 before the start are taken for them" if assumed else (
        "The areas were chosen on months that lie in the year before the start"
    )  # fmt: skip
    if clean:
        both = f"Baseline without those months: ratio {_ratio(clean_log)}; with them: {_ratio(naive_log)}. "
        bracket = "" if small else both + "The two bracket the truth. "
        text = f"{why}. {bracket}The headline uses the baseline without those months."
        return Check(
            "G1", "selection overlaps baseline", True, sentence=text, consequence=NONE,
            answer="State the months the choice rested on, and leave 12 months between them and the start.",
        )  # fmt: skip
    return Check(
        "G1", "selection overlaps baseline", True,
        sentence=f"{why}, and no 12 months are clear of them. Chosen areas fall with nothing done.",
        consequence="SELECTION", answer="Earlier months of data would give a clean baseline.",
    )  # fmt: skip


def chosen_on_outcome(selection: Selection | None, *, randomised: bool, small: bool = False) -> Check:
    """G2: hot areas were chosen; what does that choice do by itself? (``small``: no ratio, guard G4.)"""
    name = "chosen on the outcome"
    if randomised or selection is None:
        return Check("G2", name, False, sentence="Areas were drawn at random.", consequence=NONE)
    auc = selection.auc
    if not auc >= AUC_LIMIT:
        text = (
            "The count in the months of choice hardly tells the treated areas from the others (AUC "
            f"{auc:.2f})."
        )
        return Check("G2", name, False, auc, AUC_LIMIT, text, NONE)
    lead = f"The count in the months of choice tells the treated areas from the others (AUC {auc:.2f})."
    if selection.k < 3:
        years = {0: "No earlier year", 1: "Only 1 earlier year"}.get(
            selection.k, f"Only {selection.k} earlier years"
        )
        text = f"{lead} {years} can show what such a choice does by itself; 3 are needed."
        return Check(
            "G2", name, True, auc, AUC_LIMIT, text, "SELECTION",
            "Earlier years of data, or random choice among eligible areas.",
        )  # fmt: skip
    c = selection.clean_calibrated
    text = (
        f"{lead} The same rule in {selection.k} earlier years, with nothing done, gave "
        f"{words.percent(math.exp(c.mean))} "
        f"on a clean baseline and {words.percent(math.exp(selection.naive_calibrated.mean))} on the "
        "months of choice."
    )
    text += "" if small else f" Calibrated ratio {_ratio(c)}."
    if not selection.survives:
        return Check(
            "G2", name, True, auc, AUC_LIMIT, text + " What is left cannot be told from the choice of areas.",
            "SELECTION", ("Random choice among eligible areas is the only full remedy; more earlier "
                "years narrow it."),
        )  # fmt: skip
    return Check("G2", name, True, auc, AUC_LIMIT, text + " The verdict reads this.", CALIBRATED)


def pre_trend(trend: PreTrends, bent: Sensitivity | None = None, *, excludes: bool = False) -> Check:
    """G3: treated areas went their own way before the start, or a straight trend explains the change.

    ``bent``  the interval under differing trends; ``excludes`` whether the headline excludes no change.
    """
    name = "trend before the start"
    if trend.p is None:
        text = (
            "Too few units or quarters to test the trend before the start: it is neither cleared nor found."
        )
        return Check("G3", name, False, None, 0.10, text, NONE)
    seen = "" if math.isnan(trend.joint_seen) else (
        f" The test would show a drift of {100 * trend.joint_seen:.0f} % a year in 80 of 100 such cases."
    )  # fmt: skip
    slope = f"Slope {100 * (math.exp(trend.slope) - 1):+.1f} % a year (p {words.p_text(trend.slope_p)})."
    lead = f"Joint test of {trend.leads} quarters before the start: p {words.p_text(trend.p)}. {slope}{seen}"
    found, line = trend.p < 0.10, bent is not None and excludes and bent.low <= 1 <= bent.high
    if found:
        lead += " Treated areas already differed."
    if bent is not None:
        lead += f" {bent_sentence(bent)}"
    if found or line:
        return Check(
            "G3", name, True, trend.p, 0.10, lead, DOWN,
            "Comparison areas that moved alike before the start, or a longer baseline.",
        )  # fmt: skip
    return Check("G3", name, False, trend.p, 0.10, lead, NONE)


def small_counts(
    *, before: float, after: float, detectable: float, factor: float, crime: str,
    months: tuple[int, int] = (12, 12),
) -> Check:  # fmt: skip
    """G4: too few incidents to say anything; ``months`` in the baseline and in the after window."""
    lengths = [f" in {n} months" if months[0] != months[1] else "" for n in months]
    fired = before < FEW_COUNTS or after < FEW_COUNTS or not detectable <= WIDE_MDE
    text = (
        f"Treated areas had {words.counted(before, crime)}{lengths[0]} before and {whole(after)}{lengths[1]} "
        "after; "
        f"a reduction under {100 * detectable:.0f} % would have been missed in more than 20 of 100 "
        "such programmes."
    )
    if not fired:
        return Check("G4", "small counts", False, min(before, after), FEW_COUNTS, text, NONE)
    times = (f"About {factor:.1f} times as many areas or months would show a reduction of "
        "20 %.") if factor > 1 else (
        f"At least {FEW_COUNTS} {plural(crime)} in the treated areas, before and after."
    )  # fmt: skip
    text = f"{text} No percentage is given."
    return Check("G4", "small counts", True, min(before, after), FEW_COUNTS, text, "CANNOT_TELL", times)


def few_units(*, n: int, p: float | None, smallest: float, inverted: tuple[float, float] | None) -> Check:
    """G5: few treated units; the permutation says how much they can show."""
    if n >= FEW_UNITS:
        return Check("G5", "few treated units", False, n, FEW_UNITS, f"{n:,} units were treated.", NONE)
    text = f"Only {n} units were treated."
    if p is None:
        text += (
            " The other units are single areas, so they cannot stand for the treated ones: no permutation."
        )
    else:
        text += (
            f" Permutation p {words.p_text(p)}; the smallest this design can give is "
            f"{words.p_text(smallest)}."
        )
    if inverted:
        low, high = (math.exp(x) for x in inverted)
        text += f" Interval by inversion: {low:.3f} to {high:.3f}."
    forced = smallest > 0.05
    answer = (
        "More treated units; where wards were chosen, name the ward of every area (assigned_by), "
        "the others' too."
    )
    return Check(
        "G5", "few treated units", True, n, FEW_UNITS, text, "CANNOT_TELL" if forced else NONE, answer
    )


def overdispersed(phi: float) -> Check:
    """G6: counts vary more than chance; Poisson errors are too narrow."""
    if not phi > ROUGH_PHI:
        text = f"Changes vary {phi:.2f} times as much as chance alone."
        return Check("G6", "overdispersion", False, phi, ROUGH_PHI, text, NONE)
    text = (
        f"Changes between areas vary {phi:.2f} times as much as chance alone, so Poisson errors are "
        "too narrow by a "
        f"factor of {math.sqrt(phi):.2f}. The Poisson intervals here are for reference and decide nothing."
    )
    return Check("G6", "overdispersion", True, phi, ROUGH_PHI, text, NONE)


def no_plan(*, outcomes: int, plan: Registration | None = None, randomised: bool = False) -> Check:
    """G7: no evaluation plan was frozen before the start, it was left, or several outcomes are looked at."""
    name = "many outcomes, no plan"
    registered = plan is not None and plan.state == "as registered"
    if registered and plan is not None and outcomes <= 1:
        return Check("G7", name, False, outcomes, 1, plan.sentence, NONE)
    if plan is None:
        text = "This evaluation was not pre-registered: it is exploratory."
    elif registered:
        text = f"{plan.sentence} {outcomes} outcomes: one is primary, the others are exploratory."
    else:
        text = plan.sentence
    capped = not registered and not randomised
    answer = "An evaluation plan frozen before the start of the next phase, and kept to."
    return Check("G7", name, True, outcomes, 1, text, CAP if capped else NONE, answer)


def recording_change(
    *,
    crime: str,
    rows: Sequence[tuple[str, str, str]] = (),
    broken: Sequence[str] = (),
    move: ShareBreak | None = None,
    wider: Effect | None = None,
    whole: bool = False,
) -> Check:
    """G8: what counts as the outcome changed inside the windows.

    ``rows``    dated changes (month, what, source) that split this outcome, inside the windows.
    ``broken``  months of the windows that the panel marks as a change of recording.
    ``move``    the largest move of the outcome's share of the wider class; ``wider`` the estimate on that.
    ``whole``   the outcome is itself the whole class that the rows split, so its areas stay comparable.
    """
    name, told = "recording change", []
    told += [f"{month(m)}: {what} ({source})." for m, what, source in rows]
    if broken:
        told.append(f"The panel marks a change of recording in {month(broken[0])}.")
    moved = move is not None and abs(move.points) > 5 and move.ses > 4
    if move is not None and moved:
        told.append(
            f"The share of {plural(crime)} in the wider class moves {move.points:+.1f} points at "
            f"{month(move.month)}."
        )
    points = None if move is None else move.points
    if not told:
        return Check(
            "G8", name, False, points, 5.0, "No change of recording is known inside the windows.", NONE
        )
    text = " ".join(told)
    if whole and not broken and not moved:
        text += f" The outcome is the whole class ({plural(crime)}), which the change does not split."
        return Check("G8", name, True, points, 5.0, text, NONE)
    if wider is None:
        return Check(
            "G8", name, True, points, 5.0, text + " No wider class (all burglary) is held to check against.",
            "NOT_ASSESSABLE", "Counts of the wider class, which the change does not split.",
        )  # fmt: skip
    text += f" On the wider class the ratio is {words.ratio(wider.estimate, wider.low, wider.high)}."
    unclear = wider.low <= 1 <= wider.high or wider.estimate >= 1
    return Check(
        "G8", name, True, points, 5.0, text, "CANNOT_TELL" if unclear else NONE,
        "A series that was recorded in one way throughout.",
    )  # fmt: skip


def contaminated(
    *,
    dropped: int,
    near: int,
    left: int,
    n_treated: int,
    control_before: float,
    treated_before: float,
    rings_known: bool,
    with_near: Effect | None = None,
) -> Check:
    """G9: comparison areas so near that the programme may have touched them."""
    name, need = "contaminated controls", max(10, math.ceil(n_treated / 2))
    if not rings_known:
        text = (
            "No shapes of places were given, so it is not known which comparison areas lie near treated ones."
        )
        return Check("G9", name, True, left, need, text, NONE, "A file of the areas' shapes.")
    text = (
        f"{near:,} areas near the treated ones are rings, not comparison areas; {left:,} areas further "
        "away are left "
        f"to compare with."
    )
    if dropped:
        text += f" {dropped:,} areas named as controls lie in the rings and were taken out."
    if with_near is not None:
        text += (
            " With the near areas as controls the ratio would be "
            f"{words.ratio(with_near.estimate, with_near.low, with_near.high)}."
        )
    few = left < need or control_before < treated_before / 2
    if few:
        text += f" That is too few: at least {need} areas with half the treated areas' count are needed."
    answer = "Comparison areas further away: a larger study area, or narrower rings."
    return Check("G9", name, dropped > 0 or few, left, need, text, "CANNOT_TELL" if few else NONE, answer)


def timing(*, disagree: float, other: Effect | None = None) -> Check:
    """G10a: the panel's treated months contradict the programme's start dates."""
    name = "timing"
    if disagree <= 0:
        return Check("G10a", name, False, disagree, 0.05, "Treated months agree with the start dates.", NONE)
    text = f"{100 * disagree:.1f} % of the treated area-months contradict the start dates in the programme."
    if other is not None:
        text += (
            f" By the panel's own flags the ratio is {words.ratio(other.estimate, other.low, other.high)}."
        )
    code = "NOT_ASSESSABLE" if disagree > 0.05 else DOWN
    answer = "Start dates that agree with the record of deliveries."
    return Check("G10a", name, True, disagree, 0.05, text, code, answer)


def dose_delivered(
    *,
    saturation: float | None,
    target: float = 0.85,
    roll_in: int = 0,
    claim: float | None = None,
    planned: float | None = None,
) -> Check:
    """G10b, c: how much was delivered, and the largest change that allows.

    ``saturation`` mean share of treated homes with a kit at the end of the after months; ``roll_in``
    treated area-months with between 1 and 85 % of homes; ``claim`` the fall promised in a marked home;
    ``planned`` kits over homes by the programme's own list, used where deliveries are not held.
    """
    name = "dose"
    if saturation is None and planned is not None:
        text = f"Deliveries are not held; the programme lists kits for {100 * planned:.1f} % of homes."
        text += " " + dilution(planned, claim) if planned < target else ""
        return Check(
            "G10", name, planned < target, planned, target, text, NONE, "Deliveries by area and month."
        )
    if saturation is None:
        return Check("G10", name, False, None, target, "How many homes were reached is not held.", NONE)
    text = (
        f"As delivered: {100 * saturation:.1f} % of homes; {roll_in:,} area-months of roll-in count "
        "as treated."
    )
    if saturation < target:
        text += " " + dilution(saturation, claim)
    return Check(
        "G10", name, saturation < target, saturation, target, text, NONE, "More homes reached in each area."
    )


def dilution(saturation: float, claim: float | None) -> str:
    """The largest area-level change that a fall in marked homes allows.

    >>> dilution(0.17242757, 0.5)
    'A fall of 50 % in 17.2 % of homes is at most -8.6 % for the whole area.'
    """
    if claim is None:
        return (
            "Even if no marked home had been burgled at all, the area would have fallen by at most "
            f"{100 * saturation:.1f} %."
        )
    return (
        f"A fall of {100 * claim:.0f} % in {100 * saturation:.1f} % of homes is at most "
        f"-{100 * claim * saturation:.1f} % for the whole area."
    )


def gross_for_net(*, gross: float, net: float, crime: str) -> Check:
    """G11: the treated areas' own change is not what was prevented."""
    over = gross / net - 1 if net > 0 and gross > 0 else math.nan
    loud = not (abs(over) <= 0.10)
    text = f"Treated areas alone: {words.fewer(gross)}; against the other areas' trend: {words.fewer(net)}."
    if math.isfinite(over) and loud:
        text += f" Gross {'overstates' if over > 0 else 'understates'} by {100 * abs(over):.0f} %."
    elif loud:
        text += (
            " The two do not even point the same way, or there is nothing to compare."
            if gross * net <= 0
            else ""
        )
    return Check("G11", "gross for net", loud, None if math.isnan(over) else over, 0.10, text, NONE)


def negative_controls(
    headline: float, placebos: Sequence[tuple[str, float, float | None]], *, small: bool = False
) -> Check:
    """G12: an outcome or a date that the programme cannot have touched moves too.

    ``headline`` the headline's log ratio; ``placebos`` (name, log ratio, permutation p).
    """
    name = "negative controls"
    held = [(n, t, p) for n, t, p in placebos if p is not None]
    if not held:
        return Check("G12", name, False, None, 0.05, "No placebo date or outcome could be tested.", NONE)
    change = (lambda t: "") if small else (lambda t: f"{words.percent(math.exp(t))}, ")
    told = "; ".join(f"{n}: {change(t)}p {words.p_text(p)}" for n, t, p in held)
    smallest = min(p for _, _, p in held)
    same = any(t * headline > 0 and abs(t) >= abs(headline) / 2 and p < 0.10 for _, t, p in held)
    fired = smallest < 0.05 or same
    code = FLOOR if same else DOWN if fired else NONE
    return Check(
        "G12", name, fired, smallest, 0.05, f"Should show nothing: {told}.", code,
        "Comparison areas in which the placebo shows nothing.",
    )  # fmt: skip
