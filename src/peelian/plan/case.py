"""The choice that [plan] asks for: one plan, the pool of a trial, or several plans side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError
from peelian.plan import asked
from peelian.plan.asked import Held
from peelian.plan.parameters import Parameters

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.plan.expect import Belief
    from peelian.programme import Plan, Programme


@dataclass(frozen=True, eq=False)
class Case:
    """Everything that a choice of areas rests on: see ``peelian.plan.run.run``."""

    risk: pd.Series
    fitted_on: tuple[pd.Period, pd.Period]
    areas: Places
    programme: Programme
    parameters: Parameters
    seed: int
    held: Held

    @property
    def unit_cost(self) -> float | None:
        """Pounds a kit: [plan]'s, else what the past programme paid."""
        own = self.parameters.unit_cost
        return own if own is not None else self.programme.cost_per_kit

    @property
    def start(self) -> pd.Period:
        """The first month of delivery; where none is given, the first that leaves the gap."""
        import pandas as pd

        asked_for = self.parameters.start
        if asked_for is None:
            return self.fitted_on[1] + self.parameters.gap_months + 1
        try:
            return pd.Period(asked_for, "M")
        except ValueError:
            raise DataError(f"[plan] start is {asked_for!r}; expected a month such as 2016-01.") from None


def plan_of(case: Case, *, without: int | None = None) -> Plan:
    """The areas that the table asks for; ``without`` one of its conditions, by position."""
    from peelian.plan.target import allocate
    from peelian.plan.work import teams

    asked_for, cost = case.parameters, case.unit_cost
    team = teams(case.areas, asked_for, case.held.files)
    conditions = asked.constraints(asked_for, case.areas, cost, team)
    return allocate(
        case.risk, case.areas, fitted_on=case.fitted_on, start=case.start, kits=asked_for.kits,
        budget=asked_for.budget, unit_cost=cost,
        saturation=asked_for.saturation or case.programme.saturation, gap_months=asked_for.gap_months,
        must=asked_for.must, must_not=asked_for.must_not, spare=asked_for.spare + asked_for.reserve,
        solver=asked_for.solver, mip_gap=asked_for.mip_gap, time_limit=asked_for.time_limit, seed=case.seed,
        constraints=[item for at, item in enumerate(conditions) if at != without],
        **asked.of_areas(asked_for, case.areas),
    )  # fmt: skip


def prices_of(case: Case, plan: Plan) -> dict[str, Any]:
    """What each condition costs where there are several: the plan without it, all else kept."""
    import pandas as pd

    from peelian.plan.work import teams

    if case.parameters.trial != "none" or case.parameters.explore:
        return {}
    team = teams(case.areas, case.parameters, case.held.files)
    conditions = asked.constraints(case.parameters, case.areas, case.unit_cost, team)
    if len(conditions) < 2:
        return {}
    held, rows = plan.summary["risk"], []
    for at, item in enumerate(conditions):
        free = plan_of(case, without=at).summary["risk"]
        cost = max(free - held, 0.0)
        rows.append((asked.in_words(item, case.parameters), free, cost, cost / free if free else 0.0))
    return {"prices": pd.DataFrame(rows, columns=["condition", "without", "cost", "share"])}


def pool_of(case: Case) -> tuple[Plan, int]:
    """The plan, or the pool of a trial: areas that more kits would saturate; and the kits there are."""
    from peelian.plan.target import kit_limit

    asked_for = case.parameters
    limit, whole = (
        kit_limit(kits=asked_for.kits, budget=asked_for.budget, unit_cost=case.unit_cost, spare=kept)
        for kept in (asked_for.spare + asked_for.reserve, asked_for.spare)
    )
    if asked_for.trial in ("none", "stepped_wedge"):
        chosen = asked_for if not asked_for.explore else replace(
            asked_for, kits=int(limit * (1 - asked_for.explore)), budget=None, spare=0.0, reserve=0.0
        )  # fmt: skip
        plan = plan_of(replace(case, parameters=chosen))
        plan = _explored(case, plan, limit) if asked_for.explore else plan
        return replace(plan, summary=plan.summary | {"reserved": whole - limit}), limit
    if asked_for.explore:
        raise DesignError("[plan] explore and trial do not go together: a trial draws its areas already.")
    bigger = replace(asked_for, kits=int(limit / asked_for.trial_share), budget=None, spare=0.0, reserve=0.0)
    return _apart(case, plan_of(replace(case, parameters=bigger))), limit


def _apart(case: Case, pool: Plan) -> Plan:
    """The pool without units that lie too near another, so that none spoils another."""
    from peelian.plan.trial import apart

    metres = case.parameters.apart
    if metres is None:
        return pool
    chosen = case.areas.select(pool.chosen.index)
    kept = apart(chosen, metres, seed=case.parameters.trial_seed, weight=pool.frame["risk"][chosen.index])
    frame = pool.frame.copy()
    out = (frame["arm"] == "treated") & ~frame.index.isin(kept)
    frame.loc[out, ["arm", "kits"]] = ["control", 0]
    frame.loc[out, "start"] = None
    return replace(pool, frame=frame)


def _explored(case: Case, plan: Plan, limit: int) -> Plan:
    """The plan with areas outside it drawn by hash, until the kits kept for them are used."""
    import pandas as pd

    from peelian.arithmetic.drawing import check_seed, ordered

    check_seed(case.parameters.trial_seed)
    frame, left = plan.frame.copy(), limit - plan.summary["kits_used"]
    struck = plan.summary["must_not"]
    open_ = frame.index[(frame["arm"] == "control") & (frame["need"] > 0) & ~frame.index.isin(struck)]
    drawn: list[str] = []
    for place in ordered(open_, seed=case.parameters.trial_seed):
        need = int(frame.at[place, "need"])
        if need <= left:
            drawn.append(place)
            left -= need
    frame.loc[drawn, "arm"] = "treated"
    frame.loc[drawn, "kits"] = frame.loc[drawn, "need"]
    frame.loc[drawn, "start"] = plan.start
    taken = frame[frame["arm"] == "treated"]
    used, risk = int(taken["kits"].sum()), float(taken["risk"].sum())
    chance = len(drawn) / max(len(open_), 1)
    numbers = plan.summary | {
        "areas": len(taken), "kits_limit": limit, "kits_used": used, "kits_left": limit - used, "risk": risk,
        "risk_share": risk / plan.summary["risk_total"], "explored": sorted(drawn), "explored_of": len(open_),
        "explored_chance": chance,
    }  # fmt: skip
    if numbers["unit_cost"] is not None:
        numbers["cost"] = numbers["unit_cost"] * used
    frame["start"] = pd.PeriodIndex(frame["start"], freq="M")
    return replace(plan, frame=frame, summary=numbers)


def drawn_of(case: Case, pool: Plan, past: pd.Series, limit: int) -> tuple[Plan, dict[str, Any]]:
    """The plan of the areas that are drawn from the pool, or all of them in drawn steps."""
    from peelian.plan.drawn import draw_pool, draw_wedge, drawn_plan

    asked_for = case.parameters
    if asked_for.trial == "stepped_wedge":
        drawn, balance = draw_wedge(pool, past, seed=asked_for.trial_seed, steps=asked_for.steps)
        return pool, {"drawn": drawn, "balance": balance}
    assert asked_for.trial != "none"
    blocks = None
    if asked_for.trial == "blocked" and asked_for.floor_by is not None:
        blocks = asked.column(case.areas, asked_for.floor_by, "floor_by")
    drawn, balance = draw_pool(
        pool, past, design=asked_for.trial, seed=asked_for.trial_seed, share=asked_for.trial_share,
        blocks=blocks,
    )  # fmt: skip
    return drawn_plan(pool, drawn, limit=limit), {"drawn": drawn, "balance": balance}


def scenarios_of(case: Case, plan: Plan, belief: Belief, past: pd.Series) -> dict[str, Any]:
    """The plan beside those of [plan.scenarios], each the same table with some keys otherwise."""
    from pydantic import TypeAdapter, ValidationError

    from peelian.plan.scenarios import compare_scenarios

    asked_for = case.parameters
    if not asked_for.scenarios:
        return {}
    held, plans = asdict(asked_for) | {"scenarios": {}, "trial": "none", "explore": 0.0}, {"this plan": plan}
    for name, keys in asked_for.scenarios.items():
        try:
            other = TypeAdapter(Parameters).validate_python(held | keys)
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            where = ".".join(map(str, wrong["loc"]))
            raise DataError(f"[plan.scenarios] {name!r}: {where}: {wrong['msg']}.") from None
        plans[name] = plan_of(replace(case, parameters=other))
    by = asked_for.equity_by
    first = next(iter(by.values() if isinstance(by, dict) else by), None)
    group = None if first is None else case.areas.frame[first].astype(str)
    table = compare_scenarios(plans, belief, seed=case.seed, group=group, counts=past)
    return {"scenarios": table, "others": {name: other.chosen.index for name, other in plans.items()}}
