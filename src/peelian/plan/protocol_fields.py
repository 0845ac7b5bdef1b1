"""What a plan fixes of its own evaluation, as plain values to freeze before the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from peelian.words import month, percent, several

if TYPE_CHECKING:
    from peelian.arithmetic.drawing import Assignment
    from peelian.programme import Plan

ESTIMATOR = "difference in differences"  # as evaluate names its headline
COMPARISON = "all areas beyond the last ring"
LENGTHS = (36, 24, 12)  # months of baseline, the longest that keeps clear of the choice
SETTLED = {
    "interval": "95 %, by leaving out one chosen unit at a time (jackknife)",
    "permutation_design": "as many units drawn at random among all that are compared",
    "secondary": "none",
    "subgroups": "none",
    "fade_windows": "months 1 to 6 and 7 to 12 after the start",
    "recording": "dated changes of recording are looked for (guard G8) and end the answer where they show",
    "missing": "a missing month is left out before and after alike, and named",
    "stopping": "for harm only; no look at outcomes shortens or lengthens it",
    "blinding": "none: officers and residents know where the kits are",
    "access": "outcomes after the start are opened once, when the last month of them is recorded",
}


def evaluation_plan(
    plan: Plan,
    *,
    crime: str,
    months_before: int | None = None,
    months_after: int = 12,
    assignment: Assignment | None = None,
    effect: float | None = None,
    mde: float | None = None,
    permutations: int = 999,
    rings: Sequence[float] = (250.0, 500.0, 750.0),
    negative_controls: Sequence[str] = (),
    further: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The evaluation that this plan asks for: question, areas, dates, method, and how the areas were chosen.

    ``crime``         the outcome in the words of the project file; ``negative_controls`` others that kits
                      cannot affect.
    ``months_before`` and ``months_after`` the start; without them the longest of 36, 24 and 12 whole months
                      before it that lie after the months of choice.
    ``assignment``    where areas were drawn: its seed, attempt and hash go into the rule.
    ``effect``        the assumed ratio, and ``mde`` the smallest visible fall, as a share: said in the rule.
    ``further``       other fields, and what replaces the usual words (stopping, access, subgroups, ...).

    Every field has a value, ready for ``protocol.freeze``. A plan that overlaps its baseline says so in
    ``overlap``, because somebody asked for it.
    """
    treated = plan.chosen.index if assignment is None else assignment.chosen
    clear = [months for months in LENGTHS if months <= plan.clean_months]
    fields: dict[str, Any] = {
        "question": f"Did {crime} fall in the areas that got kits, against what would have been expected?",
        "outcome": crime,
        "units": "area",
        "treated": sorted(str(place) for place in treated),
        "rule": rule_in_words(plan, assignment=assignment, effect=effect, mde=mde),
        "fitted_on": [str(plan.fitted_on[0]), str(plan.fitted_on[1])],
        "start": str(plan.start),
        "months_before": months_before or (clear or LENGTHS[-1:])[0],
        "months_after": months_after,
        "estimator": ESTIMATOR,
        "comparison": COMPARISON,
        "rings": [float(metres) for metres in rings],
        "permutations": permutations,
        "negative_controls": sorted(negative_controls),
        "alpha": 0.05,
    }
    if plan.overlaps_baseline:
        fields["overlap"] = (
            f"asked for: {several(plan.clean_months, 'whole month')} between the choice and the start; areas "
            "chosen on high counts fall back by themselves"
        )
    if assignment is not None:
        fields["permutation_design"] = (
            f"the pool drawn again by the rule of the list ({assignment.kind}) {assignment.hash}"
        )
    return SETTLED | fields | dict(further or {})


def rule_in_words(
    plan: Plan,
    *,
    assignment: Assignment | None = None,
    effect: float | None = None,
    mde: float | None = None,
) -> str:
    """How the areas came to be treated, and what may be expected of them, in sentences."""
    first, last = plan.fitted_on
    words = (
        f"Areas of most expected incidents a year within {plan.summary['kits_limit']:,} kits, whole or not "
        f"at all, from risk fitted on {month(first)} to {month(last)}; {plan.clean_months} whole months lie "
        f"between and the start in {month(plan.start)}."
    )
    if assignment is not None:
        words = (
            f"A pool of {len(assignment.units):,} areas, frozen first: {words} Of these "
            f"{int(assignment.treated.sum()):,} were drawn by SHA-256 of seed|attempt|area, design "
            f"{assignment.kind}, seed {assignment.seed!r}, attempt {assignment.attempt}, list "
            f"{assignment.hash}."
        )
    if effect is not None:
        words += f" Assumed ratio at full strength: {effect:g}."
    if mde is not None:
        words += f" Smallest fall seen four times in five: {percent(mde)}."
    return words
