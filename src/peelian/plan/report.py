"""The chapter of the plan: sentences first, then what they rest on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from peelian.errors import some
from peelian.plan.expect import Belief, Expected
from peelian.protocol import differing
from peelian.report import Block, Section, Text
from peelian.words import day, interval, money, month, per_cent, percent, several, whole

if TYPE_CHECKING:
    import pandas as pd

    from peelian.arithmetic.drawing import Assignment
    from peelian.places import Places
    from peelian.plan.placebo import Placebo
    from peelian.plan.visible import Visible
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
    alike the arms are (None where areas were chosen); ``protocol`` the fields of the evaluation plan, and
    ``frozen`` the one that was frozen already, if any.
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
    protocol: dict[str, Any] = field(default_factory=dict)
    frozen: Protocol | None = None

    @property
    def first_year_fall(self) -> float:
        """The assumed fall averaged over the first 12 months after delivery, as a share."""
        from peelian.plan.expect import effect_years

        return (1 - self.belief.effect) * effect_years(1, fade=self.belief.fade)

    @property
    def can_see(self) -> bool | None:
        """Whether that fall is one an evaluation would see; None where that is not known."""
        return None if self.visible is None else self.first_year_fall >= self.visible.mde


def section(plan: Plan, areas: Places, found: Findings) -> Section:
    """The chapter: findings, map, tables, what could make it wrong, method."""
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
        "allocate": [choice(plan, found.crime)],
        "trial": draw_of(found),
        "expect": [expectation(found), *promise(found)],
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


def expectation(found: Findings) -> str:
    """What the plan may prevent, under which assumption, and pounds for each."""
    held, belief = found.expected, found.belief
    fade = "that lasts" if belief.fade == "lasting" else "that is half gone after 6 months and gone after 12"
    words = (
        f"Over {_years(belief.years)} the plan may prevent {interval(held.median, held.low, held.high)} "
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
        f"{whole(found.promise)} fewer over {_years(found.belief.years)} ({found.promise_words}) needs "
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
        f"would be seen four times in five; the assumed fall averages {percent(found.first_year_fall)} over "
        "the first 12 months"
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
    return [in_words(found.drawn, found.balance)]


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
    if found.frontier is not None and len(found.frontier):
        last = found.frontier.iloc[-1]
        words.append(
            f"To give every group of {found.frontier_by} at least {percent(last['norm'])} of its share of "
            f"homes in kits would cover {percent(last['lost'])} less {found.crime} than the free choice."
        )
    return words


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
    if found.frozen is not None:
        own = {"hashes": found.frozen.plan.get("hashes", "")}
        fields = differing(found.frozen.plan, found.protocol | own)
        if fields:
            words.append(
                f"This plan is not the one whose evaluation was frozen ({found.frozen.sha256[:12]}): it "
                f"differs in {some(fields)}. Restore the settings of then, or freeze an amendment with its "
                "reason."
            )
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
        f"{_years(belief.risk_years)} of incidents), {level}, chance (Poisson) and the effect (lognormal)."
    )
    texts = [solver, draws]
    if found.visible is not None:
        redrawn = "too few areas to redraw"
        if found.visible.redrawn is not None:
            how = "drawing as many again among the areas of most risk"
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


def _years(years: float) -> str:
    return "1 year" if years == 1 else f"{years:g} years"
