"""Runs the plan stage: from risk by area and a number of kits to the next programme."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError
from peelian.plan import asked
from peelian.plan import visits as patrol
from peelian.plan.asked import Held
from peelian.plan.case import Case, drawn_of, pool_of, prices_of, scenarios_of
from peelian.plan.parameters import Parameters
from peelian.report import Outcome, Section, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.plan.expect import Belief
    from peelian.plan.report import Findings
    from peelian.programme import Plan, Programme


def run(
    risk: pd.Series,
    fitted_on: tuple[pd.Period, pd.Period],
    areas: Places,
    programme: Programme,
    counts: pd.Series,
    parameters: Parameters,
    *,
    seed: int,
    crime: str = "crime",
    held: Held | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """The plan of the next programme: areas, kits, what to expect, and whether it could be seen.

    ``risk``       expected incidents a year on the areas' index, fitted on the months ``fitted_on``.
    ``programme``  the past one: its unit cost, saturation and promise are the defaults of the next.
    ``counts``     incidents by (area, month): history for the placebo and for what can be seen. Months
                   after ``fitted_on`` are not looked at.
    ``seed``       of every draw; ``crime`` names the crime in sentences.
    ``held``       what else the project holds: files of [plan], features, the evaluation's settings.

    Raises what ``allocate`` and ``patrol`` raise, and ``DataError`` for a risk that is no count of a year.
    """
    from peelian.plan.outputs import files, summary
    from peelian.plan.report import section
    from peelian.plan.work import work

    held, parameters = held or Held(), asked.named_effect(parameters)
    visits = patrol.of_table(risk, areas, parameters)
    if parameters.kits is None and parameters.budget is None:
        return _not_held() if visits is None else _patrol_alone(visits, crime)
    past = counts[counts.index.get_level_values("month") <= fitted_on[1]]
    _check_annual(risk, past)
    case = Case(risk, fitted_on, areas, programme, parameters, seed, held)
    pool, limit = pool_of(case)
    plan, drawn = pool, dict[str, Any]()
    if parameters.trial != "none":
        plan, drawn = drawn_of(case, pool, past, limit)
    found = _findings(plan, areas, programme, past, parameters, seed, crime, progress)
    found = replace(found, **drawn, **_seen_when_drawn(plan, pool, found, drawn, past, parameters, seed))
    found = replace(
        found,
        **asked.shares(plan, areas, parameters, seed),
        **scenarios_of(case, plan, found.belief, past),
        **prices_of(case, plan),
        work=work(plan, areas, parameters, held.files, held.layers, drawn=found.drawn),
    )
    found = replace(found, protocol=_protocol(plan, found, parameters, held.settled), frozen=held.frozen)
    chapter, made = section(plan, areas, found), files(plan, areas, found, marking=held.marking)
    if visits is not None:
        chapter = replace(chapter, blocks=(*chapter.blocks, *patrol.blocks(visits, crime=crime)))
        made["patrol.csv"] = visits.frame.reset_index()
    return Outcome(
        chapter,
        files=made,
        summary=summary(plan, found, chapter, made),
        sources=(("assumed effect", parameters.effect_source, "", ""),),
    )


def _patrol_alone(visits: patrol.Patrol, crime: str) -> Outcome:
    """The chapter of a plan that is patrol and no kits."""
    chapter = Section("plan", "Plan", QUESTION, tuple(patrol.blocks(visits, crime=crime)))
    told = {"visits": int(visits.frame["visits"].sum()), "areas": len(visits.frame), "gap": visits.choice.gap}
    return Outcome(chapter, files={"patrol.csv": visits.frame.reset_index()}, summary={"patrol": told})


def _not_held() -> Outcome:
    why = (
        "No next programme is planned: [plan] gives neither kits nor a budget. Write, for instance, "
        "kits = 20000 under [plan]; the past programme of [programme] is what evaluate judges."
    )
    return Outcome(Section("plan", "Plan", QUESTION, (Text(why, "note"),)), not_held=why)


QUESTION = "Which areas get kits under this budget, what may be expected, and could the answer be seen?"


def _seen_when_drawn(
    plan: Plan,
    pool: Plan,
    found: Findings,
    drawn: dict[str, Any],
    past: pd.Series,
    parameters: Parameters,
    seed: int,
) -> dict[str, Any]:
    """What a draw changes: sureness is the pool's, and the fall that is seen is that of the two arms."""
    from peelian.plan import wedge
    from peelian.plan.drawn import visible_when_drawn
    from peelian.plan.steadiness import stability

    if not drawn:
        return {}
    if drawn["drawn"].kind == "stepped_wedge":
        if not parameters.rehearsals:
            return {}
        seen = wedge.of_plan(
            plan, past, steps=parameters.steps, step_months=parameters.step_months, fade=parameters.fade,
            draws=parameters.rehearsals, seed=seed,
        )  # fmt: skip
        return {"wedge": seen}
    changed: dict[str, Any] = {"steadiness": stability(pool, risk_years=parameters.risk_years, seed=seed)}
    if found.visible is not None:
        changed["visible"] = visible_when_drawn(plan, drawn["drawn"], past, found.visible, seed=seed)
    return changed


def _check_annual(risk: pd.Series, past: pd.Series) -> None:
    """Refuse a risk that is a count of another period than a year."""
    months = past.index.get_level_values("month").unique().sort_values()[-12:]
    if len(months) < 12:
        return
    year = float(past[past.index.get_level_values("month").isin(months)].sum())
    total = float(risk.sum())
    if year and not 0.5 <= total / year <= 2:
        raise DataError(
            f"risk adds up to {total:,.1f}, but the 12 months to {months[-1]} hold {year:,.0f} incidents: "
            "more than a factor of 2 apart. risk must be incidents a year."
        )


def _findings(
    plan: Plan,
    areas: Places,
    programme: Programme,
    past: pd.Series,
    parameters: Parameters,
    seed: int,
    crime: str,
    progress: Callable[[int, int], None] | None,
) -> Findings:
    from peelian.plan import expect
    from peelian.plan.report import Findings
    from peelian.plan.steadiness import stability
    from peelian.plan.visible import smallest_visible

    belief = _belief(plan, areas, parameters, past)
    promise, promise_words = _promise(plan, programme, parameters)
    others = {
        "highest count first": expect.highest_count_first(plan),
        "spread over all homes": expect.spread_evenly(plan),
    }
    seen, rehearsal = smallest_visible(plan, past, seed=seed), _rehearsal(plan, past, parameters, seed)
    if seen is not None:
        seen = seen.rehearsed(rehearsal, len(plan.chosen))
    needed = None if promise is None else expect.required_effect(plan, promise, years=parameters.years)
    return Findings(
        crime=crime,
        belief=belief,
        effect_source=parameters.effect_source,
        expected=expect.expected(plan, belief, seed=seed, cost=plan.summary["cost"]),
        comparison=_compared(plan, others, belief, past, seed),
        promise=promise,
        promise_words=promise_words,
        needed=needed,
        placebo=_placebo(plan, past),
        visible=seen,
        rehearsal=rehearsal,
        steadiness=stability(plan, risk_years=parameters.risk_years, seed=seed, progress=progress),
        treated_before=tuple(sorted(set(programme.treated.index) & set(plan.chosen.index))),
        parameters=_plain(parameters),
    )


def _rehearsal(plan: Plan, past: pd.Series, parameters: Parameters, seed: int) -> pd.DataFrame | None:
    """The evaluation rehearsed on earlier months, areas drawn from four times as many of most risk."""
    from peelian.plan.rehearsal import rehearsed

    number = len(plan.chosen)
    if number < 2 or not parameters.rehearsals:
        return None
    order = plan.frame["risk"].sort_values(ascending=False, kind="stable").index
    return rehearsed(
        past, number, order[: max(4 * number, 10)], saturation=plan.saturation, draws=parameters.rehearsals,
        seed=seed,
    )  # fmt: skip


def _compared(
    plan: Plan, others: Mapping[str, pd.Series], belief: Belief, past: pd.Series, seed: int
) -> pd.DataFrame:
    """The plan beside other uses of its kits: prevented, pounds, the smallest fall that each could see."""
    from peelian.plan.expect import compare_plans
    from peelian.plan.visible import visible_formula

    table = compare_plans(plan, others, belief, seed=seed)
    kits = [plan.frame["kits"], *others.values()]
    if plan.summary["unit_cost"] is not None:
        pounds = table["kits"] * plan.summary["unit_cost"]
        table.insert(3, "pounds_each", pounds / table["prevented"].where(table["prevented"] > 0))
    table["mde"] = [visible_formula(plan.frame["risk"], given > 0, past) for given in kits]
    return table


def _belief(plan: Plan, areas: Places, parameters: Parameters, past: pd.Series) -> Belief:
    from peelian.plan.expect import Belief, level_spread

    assert not isinstance(parameters.effect, str)  # named effects are looked up at the door
    return Belief(
        parameters.effect, parameters.effect_low, parameters.effect_high, parameters.fade, parameters.years,
        parameters.delivery_months, parameters.risk_years,
        level_spread(past, gap_months=parameters.gap_months), parameters.draws,
        asked.reached(plan, areas, parameters), parameters.attained_sd, plan.saturation,
    )  # fmt: skip


def _promise(plan: Plan, programme: Programme, parameters: Parameters) -> tuple[float | None, str]:
    """What the plan is to prevent, and where that number comes from."""
    if parameters.promise is not None:
        return parameters.promise, "the promise of [plan]"
    if programme.prevented is None:
        return None, ""
    if not programme.kits:
        return programme.prevented, "the promise of [programme]"
    limit = plan.summary["kits_limit"]
    if limit == programme.kits:
        return programme.prevented, "the promise of [programme]"
    words = (
        f"the promise of [programme], {programme.prevented:,.0f} for {programme.kits:,} kits, in proportion"
    )
    return programme.prevented * limit / programme.kits, words


def _protocol(
    plan: Plan, found: Findings, parameters: Parameters, settled: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of the evaluation plan: the plan's, those of other tables, and [plan.evaluation]."""
    from peelian.plan.protocol_fields import evaluation_plan

    held = dict(settled)
    named = {key: held.pop(key) for key in ("months_before", "months_after", "permutations", "rings",
                                            "negative_controls") if key in held}  # fmt: skip
    belief, seen = found.belief, found.visible
    held["expected"] = {
        "ratio": belief.effect, "low": belief.low, "high": belief.high, "fade": belief.fade,
        "source": found.effect_source, "prevented": round(found.expected.median), "years": belief.years,
    }  # fmt: skip
    held |= {} if seen is None else {"mde": round(seen.mde, 4)}
    if found.drawn is not None:
        held["hashes"] = {**held.get("hashes", {}), "assignment": found.drawn.hash}
    return evaluation_plan(
        plan, crime=found.crime, assignment=found.drawn, effect=belief.effect,
        mde=None if seen is None else seen.mde, **named, further=held | parameters.evaluation,
    )  # fmt: skip


def _placebo(plan: Plan, past: pd.Series) -> Any:
    """The plan's rule, greedy, on each earlier year; None where history is too short for one."""
    import numpy as np

    from peelian.plan.knapsack import greedy
    from peelian.plan.placebo import YEAR, selection_placebo

    if len(past.index.unique("month")) < 2 * YEAR:
        return None
    need = plan.frame["need"].where(~plan.frame.index.isin(plan.summary["must_not"]), 0)
    limit = plan.summary["kits_limit"]

    def rule(count: pd.Series) -> pd.Index:
        wanted = need.reindex(count.index, fill_value=0).to_numpy()
        return count.index[greedy(np.where(wanted > 0, count.to_numpy(float), 0.0), wanted, limit)]

    return selection_placebo(rule, past, gap_months=plan.gap_months)


def _plain(parameters: Parameters) -> dict[str, Any]:
    return asdict(parameters)
