"""What a plan fixes of its own evaluation, as plain values to freeze before the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from peelian.words import month, percent

if TYPE_CHECKING:
    from peelian.arithmetic.drawing import Assignment
    from peelian.programme import Plan

ESTIMATOR = "difference in differences"  # as evaluate names its headline
COMPARISON = "all areas beyond the last ring"


def evaluation_plan(
    plan: Plan,
    *,
    crime: str,
    months_before: int = 12,
    months_after: int = 12,
    assignment: Assignment | None = None,
    effect: float | None = None,
    mde: float | None = None,
    permutations: int = 999,
    rings: Sequence[float] = (250.0, 500.0, 750.0),
    negative_controls: Sequence[str] = (),
) -> dict[str, Any]:
    """The evaluation that this plan asks for: question, areas, dates, method, and how the areas were chosen.

    ``crime``         the outcome in the words of the project file; ``negative_controls`` others that kits
                      cannot affect.
    ``months_before`` and ``months_after`` the start; 12 before lie in the clean year after the choice.
    ``assignment``    where areas were drawn: its seed, attempt and hash go into the rule.
    ``effect``        the assumed ratio, and ``mde`` the smallest visible fall, as a share: said in the rule.

    Every field has a value; add what else was decided (subgroups, stopping, access), then freeze it.
    """
    treated = plan.chosen.index if assignment is None else assignment.chosen
    return {
        "question": f"Did {crime} fall in the areas that got kits, against what would have been expected?",
        "outcome": crime,
        "treated": sorted(str(place) for place in treated),
        "start": str(plan.start),
        "months_before": months_before,
        "months_after": months_after,
        "estimator": ESTIMATOR,
        "comparison": COMPARISON,
        "permutations": permutations,
        "rings": [float(metres) for metres in rings],
        "negative_controls": sorted(negative_controls),
        "rule": rule_in_words(plan, assignment=assignment, effect=effect, mde=mde),
        "units": "area",
        "alpha": 0.05,
    }


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
