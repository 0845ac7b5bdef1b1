"""The case before anything is bought: what a plan may prevent, what must be true for it to pay, and whether
an evaluation could show that it does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from peelian.account.costs import Interval, benefit_cost, minutes_per_kit
from peelian.account.discounting import discount_factors, rates_by_year
from peelian.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.account.run import Parameters
    from peelian.account.valuing import UnitValues
    from peelian.figures import Figure, Figures

MONTHS_IN_A_YEAR = 12
YEARS_SHOWN = (1, 2, 3)
KIT, HALF, GONE, NOTHING = "kit_price", "effect_half_after", "effect_zero_after", "effect_none"


@dataclass(frozen=True)
class Proposal:
    """The plan as this stage reads it.

    ``baseline``  crimes expected in a year in the chosen areas; ``prevented`` over ``years``, as the plan
    draws it. ``effect`` the ratio assumed, ``fades`` whether it wears off. ``visible`` the smallest fall that
    12 months against 12 would show four times in five, as a share; None where history is too short.
    """

    areas: int
    homes: int
    kits: int
    price: float | None
    baseline: float
    prevented: Interval
    years: float
    delivery_months: float
    effect: Interval
    effect_source: str
    fades: bool
    visible: float | None
    start: str


class Fade(NamedTuple):
    """Months after which half of an effect is left, and none."""

    half: float
    gone: float


@dataclass(frozen=True, eq=False)
class Business:
    """The case: costs in pounds, hours of delivery, and three tables.

    ``lines``    by perspective: value of one crime, ratio with its interval, crimes to break even (with
                 optimism bias too), and the fall that this is, over the whole time and at the start.
    ``effects``  by what was found elsewhere: ratio, crimes prevented lasting and fading, ratios by
                 perspective.
    ``shown``    by months of evaluation and perspective: the fall assumed, worthwhile, visible, and to be
                 shown to pay.
    """

    proposal: Proposal
    cost: float
    biased_cost: float
    hours: float
    figures: tuple[Figure, ...]
    literature: tuple[Figure, ...]
    lines: pd.DataFrame | None
    effects: pd.DataFrame
    shown: pd.DataFrame | None
    why_not: str = ""


def proposal_of(raw: Mapping[str, Any]) -> Proposal:
    """The plan's ``plan.json`` as the numbers needed here; ``DataError`` names the key that is missing."""
    try:
        solver, held, asked = raw["solver"], raw["expected"], raw["parameters"]
        return Proposal(
            areas=len(raw["areas"]),
            homes=sum(int(area["households"]) for area in raw["areas"]),
            kits=int(solver["kits_used"]),
            price=solver["unit_cost"],
            baseline=float(solver["risk"]),
            prevented=Interval(*(float(held[key]) for key in ("prevented", "low", "high"))),
            years=float(held["years"]),
            delivery_months=float(asked["delivery_months"]),
            effect=Interval(*(float(asked[f"effect{end}"]) for end in ("", "_low", "_high"))),
            effect_source=str(asked["effect_source"]),
            fades=asked["fade"] != "lasting",
            visible=raw["mde"],
            start=str(raw["start"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"plan.json: {error!r} is missing or wrong. Run the plan again.") from error


def months_at_full(months: float, fade: Fade | None, delivery_months: float = 0.0) -> float:
    """Months at full effect that an area gives within so many months of the start.

    ``fade``  the effect falls in a straight line to a half, and in another to nothing; None: it lasts.
    Delivery runs evenly over ``delivery_months`` from the first day.

    >>> months_at_full(12, None), months_at_full(36, Fade(6, 12)), months_at_full(12, Fade(3, 12))
    (12.0, 6.0, 4.5)
    """
    steps = max(math.ceil(delivery_months), 1)
    begun = [delivery_months * (step + 0.5) / steps for step in range(steps)]
    return sum(_reach(max(months - at, 0.0), fade) for at in begun) / steps


def _reach(months: float, fade: Fade | None) -> float:
    if fade is None:
        return float(months)
    first = min(months, fade.half)
    held = first * (1 - first / (4 * fade.half))
    if months > fade.half:
        left = min(months, fade.gone) - fade.half
        held += left * (1 - left / (2 * (fade.gone - fade.half))) / 2
    return held


def business_case(
    proposal: Proposal, figures: Figures, values: UnitValues, p: Parameters, *, on: str | None
) -> Business:
    """What the plan costs, must prevent and may prevent, and whether that could be shown.

    ``values`` pounds per crime prevented by perspective; ``on`` the day the figures are asked for. Kits cost
    what the plan says, else the figure of a kit; staff time is money only where a rate for an hour is held.
    """
    fade = Fade(figures.at(HALF, on).number, figures.at(GONE, on).number)
    named = [figures.at(name, on) for name in (p.minutes, p.staff, p.costs_plus, p.benefits_minus)]
    minutes, staff, plus, minus = named
    used = [*named, *([figures.at(KIT, on)] if proposal.price is None else [])]
    price = figures.at(KIT, on).number if proposal.price is None else proposal.price
    hours = proposal.kits / minutes_per_kit(1, minutes.number) if minutes.value else 0.0
    cost = proposal.kits * price + hours * (staff.value or 0.0)
    bias = (plus.value or 0.0, minus.value or 0.0)
    found = _literature(proposal, figures, on)
    lines = shown = None
    if not values.why_not and cost > 0:
        rates, rows = rates_by_year(figures, math.ceil(proposal.years), on=on, name=p.discount)
        factors = discount_factors(rates, first_year=p.first_year).tolist()
        profile = _profile(proposal, fade)
        lines = _lines(proposal, values.points, cost, factors, profile, bias, fade)
        shown = _shown(proposal, lines["break_even"], fade)
        used += [*values.used, *rows]
    held = tuple(row for row in dict.fromkeys(used) if row.value is not None)
    worth = None if lines is None else lines["bcr"] / proposal.prevented.value
    table = _effects(proposal, found, fade, worth)
    dear = cost * (1 + bias[0])
    return Business(proposal, cost, dear, hours, held, tuple(found), lines, table, shown, values.why_not)


def _profile(proposal: Proposal, fade: Fade) -> list[float]:
    """The share of the effect that falls into each year."""
    course = fade if proposal.fades else None
    ends = [min(MONTHS_IN_A_YEAR * n, MONTHS_IN_A_YEAR * proposal.years)
            for n in range(math.ceil(proposal.years) + 1)]  # fmt: skip
    held = [months_at_full(end, course, proposal.delivery_months) for end in ends]
    return [(after - before) / held[-1] for before, after in pairwise(held)]


def _lines(
    proposal: Proposal,
    points: Mapping[str, float],
    cost: float,
    factors: list[float],
    profile: list[float],
    bias: tuple[float, float],
    fade: Fade,
) -> pd.DataFrame:
    costs = [cost, *[0.0] * (len(factors) - 1)]
    plus, minus = bias
    table = benefit_cost(costs, proposal.prevented, points, factors=factors, profile=profile)
    biased = benefit_cost(
        costs, proposal.prevented, points, factors=factors, profile=profile, costs_plus=plus,
        benefits_minus=minus,
    )  # fmt: skip
    table["bcr_biased"], table["break_even_biased"] = biased["bcr"], biased["break_even"]
    months = MONTHS_IN_A_YEAR * proposal.years
    a_month = proposal.baseline / MONTHS_IN_A_YEAR
    table["fall"] = table["break_even"] / (a_month * months)
    table["fall_at_start"] = table["break_even"] / (
        a_month * months_at_full(months, fade, proposal.delivery_months)
    )
    return table.drop(columns=["break_even_share"])


def _literature(proposal: Proposal, figures: Figures, on: str | None) -> list[Figure]:
    """The ratios found elsewhere, no difference first."""
    names = sorted({row.name for row in figures if row.name.startswith("effect_") and "ratio" in row.unit})
    names.sort(key=lambda name: name != NOTHING)
    return [figures.at(name, on) for name in names]


def _effects(proposal: Proposal, found: list[Figure], fade: Fade, worth: pd.Series | None) -> pd.DataFrame:
    """What the plan would prevent, were the effect what was found elsewhere."""
    import pandas as pd

    months = MONTHS_IN_A_YEAR * proposal.years
    a_month = proposal.baseline / MONTHS_IN_A_YEAR
    lasting, fading = (months_at_full(months, f, proposal.delivery_months) for f in (None, fade))
    rows = []
    for row in found:
        ratio = row.number
        ends = [ratio if end is None else end for end in (row.low, row.high)]
        held = {
            "effect": row.source, "quality": row.quality, "ratio": ratio, "low": ends[0], "high": ends[1],
            "prevented_fading": a_month * fading * (1 - ratio),
            "prevented_lasting": a_month * lasting * (1 - ratio),
        }  # fmt: skip
        if worth is not None:
            held |= {str(line): worth[line] * held["prevented_fading"] for line in worth.index}
        rows.append(held)
    return pd.DataFrame(rows)


def visible_in(visible: float, months: float) -> float:
    """The smallest fall that would be seen with more or fewer months after the start than 12.

    ``visible`` with 12 months before and 12 after. Half of the variance of the log ratio is that of the
    months before and stays; the other half goes with 12 over the months after.

    >>> round(visible_in(0.2, 12), 3), round(visible_in(0.2, 36), 3)
    (0.2, 0.167)
    """
    scale = math.sqrt((1 + MONTHS_IN_A_YEAR / months) / 2)
    return 1 - math.exp(math.log(1 - visible) * scale)


def _shown(proposal: Proposal, needed: pd.Series, fade: Fade) -> pd.DataFrame | None:
    """Whether the fall assumed is one that an evaluation would show to pay, by months and perspective."""
    import pandas as pd

    if proposal.visible is None:
        return None
    course = fade if proposal.fades else None
    rows = []
    for months in (MONTHS_IN_A_YEAR * year for year in YEARS_SHOWN):
        full = months_at_full(months, course, proposal.delivery_months)
        assumed = (1 - proposal.effect.value) * full / months
        seen = visible_in(proposal.visible, months)
        for line, crimes in needed.items():
            worthwhile = float(crimes) / (proposal.baseline * months / MONTHS_IN_A_YEAR)
            # the interval must lie beyond the worthwhile fall: on the log scale the two add up
            to_show = 1 - (1 - worthwhile) * (1 - seen) if worthwhile < 1 else math.inf
            rows.append((months, line, assumed, worthwhile, seen, to_show, assumed >= to_show))
    columns = ["months", "line", "assumed", "worthwhile", "visible", "to_show", "can"]
    return pd.DataFrame(rows, columns=columns)


def could_be_shown(case: Business) -> Iterator[tuple[str, int | None]]:
    """By perspective: the fewest months within which it could be shown to pay, None where in none."""
    if case.shown is None:
        return
    for line, rows in case.shown.groupby("line", sort=False):
        within = rows.loc[rows["can"], "months"]
        yield str(line), int(within.min()) if len(within) else None
