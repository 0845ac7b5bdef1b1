"""The chapter of the plan: sentences first, then what they rest on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from peelian.errors import some
from peelian.plan.expect import Belief, Expected
from peelian.report import Block, Section, Text
from peelian.words import day, interval, money, month, per_cent, percent, several, whole

if TYPE_CHECKING:
    import pandas as pd

    from peelian.arithmetic.drawing import Assignment
    from peelian.places import Places
    from peelian.plan.placebo import Placebo
    from peelian.plan.visible import Visible
    from peelian.plan.wedge import Wedge
    from peelian.plan.work import Work
    from peelian.programme import Plan
    from peelian.protocol import Protocol

TITLE = "Plan"
QUESTION = "Which areas get kits under this budget, what may be expected, and could the answer be seen?"


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything that was worked out about a plan, for sentences, tables and files.

    ``promise`` incidents over the belief's years, ``promise_words`` where it comes from, ``needed`` what it
    needs (None without a promise); ``placebo`` and ``visible`` None where history is too short;
    ``treated_before`` chosen areas that the past programme treated; ``parameters`` as given; ``equity``
    shares of kits by column of groups, ``frontier`` what fairer shares cost, ``work`` who does what when
    (None where not asked for); ``drawn`` who was drawn and ``balance`` how
    alike the arms are (None where areas were chosen); ``attainable`` share of homes that can be reached by
    chosen area; ``unreported`` who would enter were crime missing in deprived areas; ``scenarios`` other
    plans side by side and ``others`` the areas of each; ``prices`` what each condition costs;
    ``rehearsal`` the smallest visible fall by months and areas; ``wedge`` that of a stepped wedge;
    ``protocol`` the fields of the evaluation plan, and ``frozen`` the one that was frozen already, if any.
    """

    crime: str
    belief: Belief
    effect_source: str
    expected: Expected
    comparison: pd.DataFrame
    promise: float | None
    promise_words: str
    needed: pd.DataFrame | None
    placebo: Placebo | None
    visible: Visible | None
    steadiness: pd.DataFrame
    treated_before: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    equity: dict[str, pd.DataFrame] = field(default_factory=dict)
    frontier: pd.DataFrame | None = None
    frontier_by: str = ""
    work: Work | None = None
    drawn: Assignment | None = None
    balance: pd.DataFrame | None = None
    attainable: pd.Series | None = None
    unreported: pd.DataFrame | None = None
    scenarios: pd.DataFrame | None = None
    others: dict[str, pd.Index] = field(default_factory=dict)
    prices: pd.DataFrame | None = None
    rehearsal: pd.DataFrame | None = None
    wedge: Wedge | None = None
    protocol: dict[str, Any] = field(default_factory=dict)
    frozen: Protocol | None = None

    @property
    def first_year_fall(self) -> float:
        """The assumed fall averaged over the first 12 months after delivery, as a share."""
        from peelian.plan.expect import effect_years

        held = self.belief
        return (1 - held.effect) * held.reach * effect_years(1, fade=held.fade)

    @property
    def can_see(self) -> bool | None:
        """Whether that fall is one an evaluation would see; None where that is not known."""
        return None if self.visible is None else self.first_year_fall >= self.visible.mde


def section(plan: Plan, areas: Places, found: Findings) -> Section:
    """The chapter: findings, map, tables, what could make it wrong, method."""
    from peelian.plan.cautions import notes, warnings
    from peelian.plan.tables import charts, tables

    findings = [words for sentences in parts(plan, found).values() for words in sentences]
    blocks: list[Block] = [Text(words, "finding") for words in findings]
    blocks += [Text(NEXT), *charts(plan, areas, found), *tables(plan, areas, found)]
    blocks += [Text(words, "warning") for words in warnings(plan, found)]
    blocks += [Text(words, "note") for words in notes(plan, found)]
    return Section("plan", TITLE, QUESTION, tuple(blocks))


def parts(plan: Plan, found: Findings) -> dict[str, list[str]]:
    """The findings by the part of the plan that they belong to, in the order of the chapter."""
    done = delivery(found)
    return {
        "allocate": [*unreached(plan, found), choice(plan, found.crime), *kept_back(plan, found)],
        "trial": draw_of(found),
        "expect": [expectation(found), *promise(found), *beside(found)],
        "power": [sight(plan, found), *selection(found)],
        "equity": fairness(found),
        **done,
        "protocol": registered(found),
    }


NEXT = (
    "This chapter plans the next programme. The past one, of [programme], is what the chapter Evaluate "
    "judges; its unit cost, its saturation and its promise are taken over here unless [plan] has its own."
)


def choice(plan: Plan, crime: str) -> str:
    """Which areas, how many kits, what share of crime, what cost."""
    numbers, chosen = plan.summary, plan.chosen
    words = (
        f"{whole(numbers['kits_used'])} kits bring {whole(len(chosen))} of "
        f"{several(len(plan.frame), 'area')} to {per_cent(plan.saturation)} of their "
        f"{whole(chosen['households'].sum())} homes. These areas hold {percent(numbers['risk_share'])} of "
        f"expected {crime} ({whole(numbers['risk'])} of {whole(numbers['risk_total'])} incidents a year)."
    )
    if numbers["cost"] is None:
        return words + " No cost is given, because no price of a kit is known."
    return words + f" The kits cost {money(numbers['cost'])} at {money(numbers['unit_cost'])} each."


def unreached(plan: Plan, found: Findings) -> list[str]:
    """Areas that cannot reach the line by what refuses and is never in: first on the page where most are."""
    if found.attainable is None:
        return []
    short = found.attainable[found.attainable < plan.saturation - 1e-9].sort_values(kind="stable")
    if short.empty:
        return ["Every chosen area can reach the line, by the homes that refuse or are never in."]
    reach = percent(short.iloc[0])
    if percent(short.iloc[-1]) != reach:
        reach += f" to {percent(short.iloc[-1])}"
    return [
        f"{several(len(short), 'chosen area')} of {whole(len(plan.chosen))} cannot reach "
        f"{per_cent(plan.saturation)}: by the homes that refuse or are never in, {some(list(short.index))} "
        f"reach {reach} at most. Lower saturation, or plan other ways to reach them."
    ]


def kept_back(plan: Plan, found: Findings) -> list[str]:
    """Kits for victims outside the list, and areas drawn outside it."""
    words, numbers = [], plan.summary
    if numbers.get("reserved"):
        words.append(
            f"{whole(numbers['reserved'])} further kits are kept for vulnerable and repeat victims outside "
            "these areas."
        )
    if "explored" in numbers:
        words.append(
            f"{several(len(numbers['explored']), 'area')} of them were not chosen but drawn by hash from "
            f"{whole(numbers['explored_of'])} outside the list, so that what is known of risk stays honest."
        )
    return words


def expectation(found: Findings) -> str:
    """What the plan may prevent, under which assumption, and pounds for each."""
    held, belief = found.expected, found.belief
    fade = "that lasts" if belief.fade == "lasting" else "that is half gone after 6 months and gone after 12"
    words = (
        f"Over {in_years(belief.years)} the plan may prevent {interval(held.median, held.low, held.high)} "
        f"incidents of {found.crime}, if kits work as assumed: a ratio of {belief.effect:g} "
        f"({belief.low:g} to {belief.high:g}) {fade}."
    )
    if held.pounds is not None:
        middle, low, high = held.pounds
        return words + f" That is {money(middle)} for each ({money(low)} to {money(high)})."
    if held.nothing > 0.05:
        words += (
            f" A cost for each cannot be given: {percent(held.nothing)} of the draws prevent nothing or less."
        )
    return words


def promise(found: Findings) -> list[str]:
    """What the promise needs to be true, beside what is assumed; nothing where nothing was promised."""
    if found.needed is None or found.promise is None:
        return []
    lasting, fading = found.needed["needed"].iloc[1], found.needed["needed"].iloc[2]
    return [
        f"{whole(found.promise)} fewer over {in_years(found.belief.years)} ({found.promise_words}) needs "
        f"{_fall(lasting)} that lasts, with kits given out evenly, or {_fall(fading)} that fades within "
        "12 months of all kits given on the first day; the assumed fall is "
        f"{percent(1 - found.belief.effect)}."
    ]


def _fall(needed: float) -> str:
    return f"a fall of {percent(needed)}" if needed <= 1 else "more than all crime to vanish, if by a fall"


def sight(plan: Plan, found: Findings) -> str:
    """Whether an evaluation could see the assumed fall, and the dates that make one possible."""
    first, last = plan.fitted_on
    dates = (
        f"The risk rests on {month(first)} to {month(last)} and delivery starts in {month(plan.start)}: "
        f"{plan.clean_months} whole months lie between"
    )
    dates += (
        ", fewer than the 12 of a clean baseline year." if plan.overlaps_baseline else ", a clean baseline."
    )
    if found.visible is None:
        return dates + " Whether a fall could be seen is not known: fewer than 24 months of counts are held."
    seen = (
        f" With 12 months before and 12 after, a fall of {percent(found.visible.mde)} or more in these areas "
        "would be seen four times in five, and this design can tell nothing below it; the assumed fall "
        f"averages {percent(found.first_year_fall)} over the first 12 months"
    )
    if found.can_see:
        return dates + seen + "."
    return dates + seen + ": this programme could work and its evaluation would still say: cannot tell."


def selection(found: Findings) -> list[str]:
    """What areas chosen like this did in earlier years, with nothing done to them."""
    import math

    if found.placebo is None or math.isnan(found.placebo.mean("same_year")):
        return []
    same = _moved(found.placebo, "same_year")
    words = (
        f"Areas chosen like this {same} against the others in earlier years, with no programme, where the "
        "year chosen on was also the baseline"
    )
    if found.placebo.gap_months and not math.isnan(found.placebo.mean("clean_year")):
        clean = _moved(found.placebo, "clean_year")
        return [f"{words}; with {found.placebo.gap_months} clean months between they {clean}."]
    return [words + "."]


def _moved(placebo: Placebo, column: str) -> str:
    mean, years = placebo.mean(column), int(placebo.frame[column].notna().sum())
    way = "fell" if mean < 0 else "rose"
    spread = f", SD {percent(placebo.sd(column))}" if years > 1 else ""
    return f"{way} by {percent(abs(mean))} (mean of {years} {'years' if years > 1 else 'year'}{spread})"


def draw_of(found: Findings) -> list[str]:
    """How areas were drawn; nothing where they were chosen."""
    from peelian.plan.drawn import in_words

    if found.drawn is None or found.balance is None:
        return []
    rehearsed = [] if found.wedge is None else [found.wedge.words]
    return [in_words(found.drawn, found.balance), *rehearsed]


def fairness(found: Findings) -> list[str]:
    """Which group gets most and which least for its homes; what equal shares would cost."""
    words = []
    for name, table in found.equity.items():
        most, least = table.loc[table["ratio"].idxmax()], table.loc[table["ratio"].idxmin()]
        words.append(
            f"By {name}: {most['group']} gets {most['ratio']:.1f} times its share of homes in kits, "
            f"{least['group']} {least['ratio']:.1f} times; {whole((table['kits'] > 0).sum())} of "
            f"{several(len(table), 'group')} get any."
        )
    if found.unreported is not None:
        last = found.unreported.iloc[-1]
        words.append(
            f"Were {percent(last['missing'])} of {found.crime} in the most deprived third never reported, "
            f"{several(int(last['enter']), 'area')} would enter the plan and {whole(last['leave'])} leave it."
        )
    if found.frontier is not None and len(found.frontier):
        last = found.frontier.iloc[-1]
        words.append(
            f"To give every group of {found.frontier_by} at least {percent(last['norm'])} of its share of "
            f"homes in kits would cover {percent(last['lost'])} less {found.crime} than the free choice."
        )
    return words


def beside(found: Findings) -> list[str]:
    """The other plans, each in a sentence."""
    if found.scenarios is None:
        return []
    return [_beside(other) for other in found.scenarios.iloc[1:].itertuples()]


def _beside(other: Any) -> str:
    way, sign = ("more", -1) if other.less < 0 else ("fewer", 1)
    low, high = sorted((sign * other.less_low, sign * other.less_high))
    less = f"{whole(sign * other.less)} {way} than by this plan ({whole(low)} to {whole(high)})"
    return (
        f"Beside it, {other.plan}: {several(int(other.areas), 'area')}, "
        f"{interval(other.prevented, other.low, other.high)} prevented, {less}; {whole(other.only_here)} of "
        "its areas are not in this plan."
    )


def delivery(found: Findings) -> dict[str, list[str]]:
    """When the work ends, when kits must be ordered, rounds, signs and shops; nothing where not asked for."""
    done = found.work
    words: dict[str, list[str]] = {"schedule": [], "streets": [], "signs": []}
    if done is None:
        return words
    if done.months is not None and done.orders is not None and len(done.months):
        months, first = done.months, done.orders.iloc[0]
        words["schedule"].append(
            f"{several(months['team'].nunique(), 'team')} would bring the last area to the line in "
            f"{month(months['month'].max())}. The first {whole(first['kits'])} kits must be ordered in "
            f"{month(first['order'])}."
        )
        if done.each is not None:
            words["schedule"].append(
                f"That is {whole(done.each['kits_a_year'])} kits a year for each officer, "
                f"{done.each['kits_a_shift']:.1f} a shift."
            )
    if done.rounds is not None and len(done.rounds):
        rounds = done.rounds
        spread = done.streets is not None and bool(done.streets["estimated"].any())
        guess = " (homes by street are estimated from its length)" if spread else ""
        words["streets"].append(
            f"{several(len(rounds), 'round')} of one officer and one shift visit "
            f"{whole(rounds['dwellings'].sum())} homes{guess}: {rounds['kits'].mean():.0f} kits and "
            f"{rounds['metres'].mean():,.0f} m between streets a round, "
            f"{whole(rounds['minutes'].sum() / 60)} hours in all."
        )
    if done.signs is not None:
        stand = int(done.signs["existing"].sum())
        words["signs"].append(
            f"{several(len(done.signs), 'sign')} at the ways in and where most homes are, of which {stand} "
            "stand already; each needs its owner's consent."
        )
    if done.shops is not None:
        words["signs"].append(
            f"{several(len(done.shops), 'shop')} to visit, {whole(done.shops['first'].sum())} within 1 km of "
            "a chosen area first."
        )
    return words


def registered(found: Findings) -> list[str]:
    """The frozen evaluation plan by its hash; nothing where none is frozen."""
    if found.frozen is None:
        return []
    held = found.frozen
    late = f" It was registered late and counts as none: {held.plan['late']}" if held.plan.get("late") else ""
    return [
        f"The evaluation plan was frozen on {day(held.frozen_at[:10])} by {held.author}: SHA-256 "
        f"{held.sha256}.{late}"
    ]


def in_years(years: float) -> str:
    """A number of years in words."""
    return "1 year" if years == 1 else f"{years:g} years"
