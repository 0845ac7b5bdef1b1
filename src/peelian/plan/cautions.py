"""What could make a plan wrong, and how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian.errors import some
from peelian.plan.report import in_years
from peelian.protocol import differing
from peelian.words import per_cent, percent, several, whole

if TYPE_CHECKING:
    from peelian.plan.report import Findings
    from peelian.programme import Plan


def warnings(plan: Plan, found: Findings) -> list[str]:
    """What could make this wrong."""
    numbers = plan.summary
    words = [
        f"The effect is an assumption: {found.effect_source}. The choice of areas does not depend on it; "
        "every number of incidents prevented does."
    ]
    if "burglary" in found.crime and not found.parameters.get("residential"):
        words.append(
            "All burglary is counted, of homes and of businesses; kits are for homes. Where a count of homes "
            "alone is held, plan from that and say residential = true."
        )
    if plan.overlaps_baseline:
        words.append(
            f"Only {plan.clean_months} whole months lie between the choice and the start. Areas chosen on "
            "high counts fall back by themselves, and a comparison with those months would count that as an "
            "effect."
        )
    if numbers["risk_share"] > 0.4:
        words.append(
            f"The chosen areas hold {percent(numbers['risk_share'])} of expected {found.crime}: above 40 %, "
            "few areas of like risk are left to compare with."
        )
    busy = crowded(plan)
    if busy:
        words.append(
            f"{several(len(busy), 'chosen area')} with more than 3 times the {found.crime} that households "
            f"suggest ({some(busy)}): shops and offices may hold much of it, which kits for homes cannot "
            "reach. Accept them, or strike them with must_not."
        )
    words += _not_as_frozen(found)
    if found.treated_before:
        words.append(
            f"The past programme treated {several(len(found.treated_before), 'chosen area')} "
            f"({some(found.treated_before)}): what it did there is inside their risk."
        )
    unsure = int((found.steadiness.loc[plan.chosen.index, "share"] < 0.5).sum())
    if unsure:
        words.append(
            f"{whole(unsure)} of the {whole(len(plan.chosen))} chosen areas are chosen in fewer than half of "
            "the draws of the risk: areas just outside may deserve kits as much."
        )
    return words


def _not_as_frozen(found: Findings) -> list[str]:
    """In what the plan is not the one whose evaluation was frozen."""
    if found.frozen is None:
        return []
    own = {"hashes": found.frozen.plan.get("hashes", "")}
    fields = differing(found.frozen.plan, found.protocol | own)
    if not fields:
        return []
    return [
        f"This plan is not the one whose evaluation was frozen ({found.frozen.sha256[:12]}): it differs in "
        f"{some(fields)}. Restore the settings of then, or freeze an amendment with its reason."
    ]


def crowded(plan: Plan) -> list[str]:
    """Chosen areas with more than 3 times the incidents that their households suggest."""
    frame = plan.frame
    homes = frame["households"].sum()
    usual = frame["households"] * (frame["risk"].sum() / homes if homes else 0.0)
    busy = (frame["arm"] == "treated") & (frame["risk"] > 3 * usual)
    return list(frame.index[busy])


def notes(plan: Plan, found: Findings) -> list[str]:
    """Method and sources."""
    numbers, belief = plan.summary, found.belief
    solver = (
        f"An area is brought to {per_cent(plan.saturation)} whole or not begun; kits are counted in whole "
        f"numbers. Solver {numbers['solver']}, status {numbers['status']}: {numbers['objective']:,.1f} "
        f"incidents a year are covered, no choice covers more than {numbers['bound']:,.1f} (gap "
        f"{100 * numbers['gap']:.3f} %)"
        + _without_conditions(numbers)
        + f"A further 1,000 kits would cover {numbers['risk_per_1000_kits']:,.1f} more."
    )
    level = (
        f"the region's level by a log SD of {belief.level_sd:.3f}, as between earlier years"
        if belief.level_sd
        else "the region's level held as it is, because fewer than three earlier years are known"
    )
    draws = (
        f"Intervals are of {belief.draws:,} seeded draws: areas' rates (gamma, as if each rested on "
        f"{in_years(belief.risk_years)} of incidents), {level}, chance (Poisson) and the effect (lognormal)."
    )
    texts = [solver, draws]
    if found.visible is not None:
        redrawn = "too few areas to redraw"
        if found.visible.redrawn is not None:
            how = "drawing as many again among the areas of most risk"
            if found.rehearsal is not None and (found.rehearsal["months"] == 12).any():
                how += ", the rest of them the comparison, with falls planted in every earlier year that fits"
            if found.drawn is not None:
                how = "drawing the pool again by its rule, with falls planted in every earlier year that fits"
            redrawn = f"{percent(found.visible.redrawn)} by {how}"
        texts.append(
            f"Smallest visible fall: {percent(found.visible.formula)} by the formula with counts that vary "
            f"{found.visible.phi:.2f} times as much as chance alone, {redrawn}; where the two differ by more "
            "than a fifth the redrawn one is used."
        )
    return texts


def _without_conditions(numbers: dict[str, Any]) -> str:
    """What the simple rule reaches, or what conditions cost."""
    if "free" not in numbers:
        return f"; taking the most risk by kit first covers {numbers['greedy']:,.1f}. "
    lost = numbers["free"] - numbers["risk"]
    words = (
        f". Without the conditions on teams, groups and neighbours {numbers['free']:,.1f} would be covered: "
    )
    words += f"they cost {max(lost, 0):,.1f} incidents a year ({percent(max(lost, 0) / numbers['free'])}). "
    if "controls" in numbers:
        words += f"{whole(numbers['controls'])} areas of like risk remain far enough away to compare with. "
    return words
