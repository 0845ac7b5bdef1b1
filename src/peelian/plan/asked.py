"""What the [plan] table asks for besides kits: conditions, shares by group, months of delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.plan.constraints import Constraint
    from peelian.plan.run import Parameters
    from peelian.programme import Plan


def constraints(parameters: Parameters, areas: Places, cost: float | None) -> list[Constraint]:
    """What the table asks for besides the limit of kits."""
    from peelian.plan.constraints import Buffer, Capacity, Compact, Floor
    from peelian.plan.target import kit_limit

    asked: list[Constraint] = []
    if (parameters.team is None) != (parameters.team_kits is None):
        raise DesignError("[plan] team and team_kits belong together: who delivers, and how many kits each.")
    if parameters.team is not None and parameters.team_kits is not None:
        asked.append(Capacity(column(areas, parameters.team, "team"), parameters.team_kits))
    if parameters.floor_by is not None and areas.households is not None:
        kits = kit_limit(
            kits=parameters.kits, budget=parameters.budget, unit_cost=cost, spare=parameters.spare
        )
        group = column(areas, parameters.floor_by, "floor_by")
        asked.append(Floor.by_households(group, areas.households, kits=kits, norm=parameters.floor_share))
    if parameters.compact != "none":
        penalty = parameters.penalty if parameters.compact == "boundary" else 0.0
        asked.append(Compact(parameters.compact, penalty, parameters.min_areas))
    if parameters.buffer is not None:
        asked.append(Buffer(parameters.buffer))
    return asked


def shares(plan: Plan, areas: Places, parameters: Parameters, seed: int) -> dict[str, Any]:
    """Shares of kits by group, and the cost of fairer ones, where the table asks for them."""
    from peelian.plan.shares import equity, frontier, groups_of

    def group(name: str, key: str) -> pd.Series:
        return groups_of(column(areas, name, key), name=name)

    tables = {name: equity(plan, group(name, "equity_by"), seed=seed) for name in parameters.equity_by}
    if parameters.frontier_by is None:
        return {"equity": tables}
    steps = frontier(plan, group(parameters.frontier_by, "frontier_by"), mip_gap=parameters.mip_gap)
    return {"equity": tables, "frontier": steps, "frontier_by": parameters.frontier_by}


def work(plan: Plan, areas: Places, parameters: Parameters) -> dict[str, Any]:
    """The months of delivery and the orders of kits, where the table says what a team brings out."""
    from peelian.plan.roll_out import kit_orders, schedule

    if parameters.kits_a_month is None:
        return {}
    team = None if parameters.team is None else column(areas, parameters.team, "team")
    done = schedule(plan, parameters.kits_a_month, team=team)
    return {"work": done, "orders": kit_orders(done, lead_months=parameters.lead_months)}


def column(areas: Places, name: str, key: str) -> pd.Series:
    """A column of the places file that the key names."""
    if name not in areas.frame.columns:
        known = some([c for c in areas.frame.columns if c != "geometry"], 12)
        raise DataError(f"[plan] {key} names the column {name!r}; the places file has {known}.")
    return areas.frame[name]
