"""What the [plan] table asks for besides kits: conditions and shares by group; and what else is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import pandas as pd

    from peelian.layers import Layers
    from peelian.places import Places
    from peelian.plan.constraints import Constraint
    from peelian.plan.parameters import Parameters
    from peelian.programme import Plan
    from peelian.protocol import Protocol


@dataclass(frozen=True, eq=False)
class Held:
    """What a project holds that a plan may use besides risk, areas and counts.

    ``files``    those that [plan] names (``streets``, ``roads``, ``teams``, ``sites``), by key.
    ``layers``   the project's features, for signs and shops; ``marking`` of every page.
    ``settled``  what other tables settle of the evaluation (months, rings, other crimes, sources), and the
                 hash of the risk; ``frozen`` the evaluation plan where one was frozen already.
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    layers: Layers | None = None
    marking: str = "OFFICIAL"
    settled: Mapping[str, Any] = field(default_factory=dict)
    frozen: Protocol | None = None


def constraints(
    parameters: Parameters, areas: Places, cost: float | None, team: pd.Series | None
) -> list[Constraint]:
    """What the table asks for besides the limit of kits; ``team`` by area."""
    from peelian.plan.constraints import Buffer, Capacity, Compact, Floor
    from peelian.plan.target import kit_limit

    asked: list[Constraint] = []
    if parameters.team_kits is not None and team is None:
        raise DesignError("[plan] team_kits needs team: who delivers, besides how many kits each.")
    if team is not None and parameters.team_kits is not None:
        asked.append(Capacity(team, parameters.team_kits))
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

    by = parameters.equity_by
    named = by if isinstance(by, dict) else {name: name for name in by}
    tables = {word: equity(plan, group(name, "equity_by"), seed=seed) for word, name in named.items()}
    if parameters.frontier_by is None:
        return {"equity": tables}
    steps = frontier(plan, group(parameters.frontier_by, "frontier_by"), mip_gap=parameters.mip_gap)
    return {"equity": tables, "frontier": steps, "frontier_by": parameters.frontier_by}


def column(areas: Places, name: str, key: str) -> pd.Series:
    """A column of the places file that the key names."""
    if name not in areas.frame.columns:
        known = some([c for c in areas.frame.columns if c != "geometry"], 12)
        raise DataError(f"[plan] {key} names the column {name!r}; the places file has {known}.")
    return areas.frame[name]
