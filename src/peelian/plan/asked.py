"""What the [plan] table asks for besides kits: conditions and shares by group; and what else is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    from peelian.plan.constraints import Budget, Buffer, Capacity, Compact, Floor
    from peelian.plan.target import kit_limit

    asked: list[Constraint] = []
    if parameters.team_kits is not None and team is None:
        raise DesignError("[plan] team_kits needs team: who delivers, besides how many kits each.")
    if team is not None and parameters.team_kits is not None:
        asked.append(Capacity(team, parameters.team_kits))
    if parameters.floor_by is not None and areas.households is not None:
        kits = kit_limit(
            kits=parameters.kits, budget=parameters.budget, unit_cost=cost,
            spare=parameters.spare + parameters.reserve,
        )  # fmt: skip
        group = column(areas, parameters.floor_by, "floor_by")
        asked.append(Floor.by_households(group, areas.households, kits=kits, norm=parameters.floor_share))
    if parameters.compact != "none":
        penalty = parameters.penalty if parameters.compact == "boundary" else 0.0
        asked.append(Compact(parameters.compact, penalty, parameters.min_areas))
    if parameters.area_pounds:
        if parameters.budget is None or cost is None:
            raise DesignError("[plan] area_pounds needs budget and the price of a kit (unit_cost).")
        asked.append(Budget(parameters.budget, cost, parameters.area_pounds, "pounds"))
    if parameters.officer_hours is not None:
        minutes = parameters.minutes_a_kit
        asked.append(Budget(parameters.officer_hours * 60, minutes, 0.0, "officer minutes"))
    if parameters.buffer is not None:
        asked.append(Buffer(parameters.buffer))
    return asked


def in_words(item: Constraint, parameters: Parameters) -> str:
    """A condition as a table's first column says it."""
    from peelian.plan.constraints import Budget, Capacity, Compact, Floor

    if isinstance(item, Budget):
        return f"at most {item.most:,.0f} {item.unit}"
    if isinstance(item, Capacity):
        return f"at most {parameters.team_kits:,} kits to a team"
    if isinstance(item, Floor):
        return f"each {parameters.floor_by} at least {parameters.floor_share:g} of its share of homes"
    if isinstance(item, Compact):
        rules = {
            "neighbour": "every chosen area has a chosen neighbour",
            "clusters": f"groups of at least {item.min_areas} areas",
            "boundary": f"{item.penalty:g} incidents a year off for each border",
        }
        return rules[item.rule]
    return f"at most {100 * item.most_share:g} % of crime treated at once"


def of_areas(parameters: Parameters, areas: Places) -> dict[str, Any]:
    """What columns of the places say of each area: kits that are live, empty homes, weight of an incident."""
    names = {"live": "live_kits", "voids": "voids", "weight": "weight"}
    held = {key: getattr(parameters, name) for key, name in names.items()}
    return {key: column(areas, name, names[key]).astype(float) for key, name in held.items() if name}


def attainable(plan: Plan, areas: Places, parameters: Parameters) -> pd.Series | None:
    """Share of homes that can be reached in each chosen area; None where refusals are not said."""
    import pandas as pd

    held = [(parameters.refused, "refused"), (parameters.never_in, "never_in")]
    if all(value is None for value, _ in held):
        return None
    reach = pd.Series(1.0, plan.chosen.index)
    for value, key in held:
        if isinstance(value, str):
            reach -= column(areas, value, key).astype(float).reindex(reach.index)
        elif value is not None:
            reach -= value
    return reach


def named_effect(parameters: Parameters) -> Parameters:
    """The table with an effect's name replaced by its figure: ratio, interval and source."""
    from peelian.figures import load

    if not isinstance(parameters.effect, str):
        return parameters
    known = {
        row.name.removeprefix("effect_"): row
        for row in load()
        if row.name.startswith("effect_") and row.unit == "ratio of burglary rates"
    }
    usable = {name: f for name, f in known.items() if f.low is not None or f.number == 1}
    if parameters.effect not in usable:
        lacks = " has no interval" if parameters.effect in known else " is no figure"
        raise DesignError(
            f"[plan] effect: {parameters.effect!r}{lacks}; those with one are {some(sorted(usable))}. Name "
            "one of them, or give effect, effect_low and effect_high as numbers."
        )
    figure = usable[parameters.effect]
    low, high = (figure.number if end is None else end for end in (figure.low, figure.high))
    return replace(
        parameters, effect=figure.number, effect_low=low, effect_high=high, effect_source=figure.source
    )


def reached(plan: Plan, areas: Places, parameters: Parameters) -> float | None:
    """Share of homes that will get a kit on average: as said, else what refusals leave; None as planned."""
    if parameters.attained is not None or not parameters.attained_sd:
        return parameters.attained
    held = attainable(plan, areas, parameters)
    if held is None:
        return plan.saturation
    homes = plan.chosen["households"]
    return float((held.clip(0, plan.saturation) * homes).sum() / homes.sum())


def shares(plan: Plan, areas: Places, parameters: Parameters, seed: int) -> dict[str, Any]:
    """Shares of kits by group, the cost of fairer ones, who can be reached, where the table asks for them."""
    from peelian.plan.shares import equity, frontier, groups_of, if_under_reported

    def group(name: str, key: str) -> pd.Series:
        return groups_of(column(areas, name, key), name=name)

    by = parameters.equity_by
    named = by if isinstance(by, dict) else {name: name for name in by}
    tables = {word: equity(plan, group(name, "equity_by"), seed=seed) for word, name in named.items()}
    held: dict[str, Any] = {"equity": tables, "attainable": attainable(plan, areas, parameters)}
    if parameters.deprivation is not None:
        rank = column(areas, parameters.deprivation, "deprivation").astype(float).rank(pct=True)
        held["unreported"] = if_under_reported(plan, rank.index[rank <= 1 / 3])
    if parameters.frontier_by is None:
        return held
    steps = frontier(plan, group(parameters.frontier_by, "frontier_by"), mip_gap=parameters.mip_gap)
    return held | {"frontier": steps, "frontier_by": parameters.frontier_by}


def column(areas: Places, name: str, key: str) -> pd.Series:
    """A column of the places file that the key names."""
    if name not in areas.frame.columns:
        known = some([c for c in areas.frame.columns if c != "geometry"], 12)
        raise DataError(f"[plan] {key} names the column {name!r}; the places file has {known}.")
    return areas.frame[name]
