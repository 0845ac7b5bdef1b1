"""Who does the plan's work when: teams, months, orders, streets, rounds, signs, shops, as [plan] asks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, some
from peelian.plan.asked import column

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.arithmetic.drawing import Assignment
    from peelian.layers import Layers
    from peelian.places import Places
    from peelian.plan.parameters import Parameters
    from peelian.plan.roll_out import MonthlyKits
    from peelian.programme import Plan


@dataclass(frozen=True, eq=False)
class Work:
    """The plan as work: each table None or empty where it was not asked for.

    ``team``, ``ward``  by place; ``months`` of ``schedule``; ``orders`` of kits; ``streets`` of
    ``street_lists``, ``rounds`` of ``rounds``; ``signs``; ``shops``; ``officers`` of each team, 0 where it
    is not said; ``each`` the kits of one officer, a year and a shift, where officers are said.
    """

    team: pd.Series | None = None
    ward: pd.Series | None = None
    months: pd.DataFrame | None = None
    orders: pd.DataFrame | None = None
    streets: pd.DataFrame | None = None
    rounds: pd.DataFrame | None = None
    signs: pd.DataFrame | None = None
    shops: pd.DataFrame | None = None
    officers: Mapping[str, int] | int = 0
    each: Mapping[str, float] | None = None


def teams(areas: Places, parameters: Parameters, files: Mapping[str, Path]) -> pd.Series | None:
    """The team of each area: the column itself, or through the table of teams. Areas of none are missing."""
    if parameters.team is None:
        return None
    named = column(areas, parameters.team, "team")
    if "teams" not in files:
        return named
    table = _teams_table(files["teams"])
    held = named.astype("str").map(table["team"])
    if not held.notna().any():
        raise DataError(
            f"{files['teams'].name}: names {some(table.index)}, but the areas' {parameters.team} are "
            f"{some(sorted(named.astype('str').unique()))}."
        )
    return held


def _teams_table(path: Path) -> pd.DataFrame:
    """On the value of the team column: ``team``, and ``officers`` where the file has them."""
    import pandas as pd

    table = pd.read_csv(path, dtype=str)
    lacking = [name for name in ("area", "team") if name not in table]
    if lacking:
        raise DataError(f"{path.name}: lacks the column {some(lacking)}; it has {some(table.columns)}.")
    if table["area"].duplicated().any():
        raise DataError(f"{path.name}: {some(table['area'][table['area'].duplicated()])} stands twice.")
    return table.set_index("area")


def officers(parameters: Parameters, files: Mapping[str, Path]) -> dict[str, int] | int:
    """Officers of each team: the table's, else the same number for all."""
    if "teams" in files:
        table = _teams_table(files["teams"])
        if "officers" in table:
            held = table.dropna(subset="officers").groupby("team")["officers"].first()
            wrong = [name for name, number in held.items() if not number.strip().isdigit()]
            if wrong:
                raise DataError(f"{files['teams'].name}: officers of {some(wrong)} is no whole number.")
            return {str(name): int(number) for name, number in held.items()}
    return parameters.officers


def capacity(parameters: Parameters, files: Mapping[str, Path]) -> MonthlyKits | int | None:
    """Kits a month of each team: as said, else from its officers; None where neither is said."""
    from peelian.figures import load
    from peelian.plan.roll_out import monthly_kits

    if parameters.kits_a_month is not None:
        return parameters.kits_a_month
    number = officers(parameters, files)
    if not number:
        return None
    shift = parameters.kits_a_shift or load().at("kits_a_shift").number
    return monthly_kits(number, shifts=_shifts(parameters), kits_a_shift=shift)


def work(
    plan: Plan,
    areas: Places,
    parameters: Parameters,
    files: Mapping[str, Path],
    layers: Layers | None,
    *,
    drawn: Assignment | None = None,
) -> Work | None:
    """Everything that [plan] asks of the roll-out; None where it asks nothing.

    The drawn order of a stepped wedge (``drawn``) is kept, and no step begins before its month.
    """
    import pandas as pd

    from peelian.plan.roll_out import kit_orders, schedule
    from peelian.plan.streets import rounds, street_lists

    monthly = capacity(parameters, files)
    team = teams(areas, parameters, files)
    ward = None if parameters.ward is None else column(areas, parameters.ward, "ward").astype("str")
    months = orders = streets = made = None
    if parameters.ward_kits_a_month and ward is None:
        raise DesignError("[plan] ward_kits_a_month needs ward: ward officers work in their own ward alone.")
    if monthly is not None:
        limit = math.ceil(parameters.delivery_months) if parameters.delivery_months else None
        wedge = None if drawn is None or drawn.kind != "stepped_wedge" else pd.Series(drawn.step, drawn.units)
        months = schedule(
            plan, monthly, team=team, months=limit, ward=ward, ward_kits_a_month=parameters.ward_kits_a_month,
            order=wedge, earliest=None if wedge is None else (wedge - 1) * parameters.step_months,
        )  # fmt: skip
        orders = kit_orders(months, lead_months=parameters.lead_months)
    table = _streets(areas, files)
    if table is not None:
        streets = street_lists(plan, table, team=team, ward=ward, work=months)
        made = rounds(streets)
    placed = _signs(plan, areas, parameters, files, layers, table)
    shops = _shops(plan, areas, parameters, layers, team)
    if all(part is None for part in (months, streets, placed, shops)):
        return None
    held = officers(parameters, files)
    each = None if months is None else _each(months, held, parameters)
    return Work(team, ward, months, orders, streets, made, placed, shops, held, each)


def _each(
    months: pd.DataFrame, held: Mapping[str, int] | int, parameters: Parameters
) -> dict[str, float] | None:
    """Kits of one officer of the teams, a year and a shift; None where it isn't said how many there are."""
    from peelian.plan.roll_out import PCSO, workload

    own = months[months["by"] == PCSO]
    names = own["team"].unique()
    people = held * len(names) if isinstance(held, int) else sum(held.get(str(n), 0) for n in names)
    if not people:
        return None
    years = ((own["month"].max() - own["month"].min()).n + 1) / 12
    return workload(float(own["kits"].sum()), years=years, officers=people, shifts=_shifts(parameters))


def _shifts(parameters: Parameters) -> float:
    """Shifts of an officer in a year."""
    from peelian.figures import load

    return float(parameters.shifts_a_year or load().at("shifts_a_year").number)


def _streets(areas: Places, files: Mapping[str, Path]) -> pd.DataFrame | None:
    """The streets of the file of streets, or estimated from that of roads."""
    import pandas as pd

    if "streets" in files:
        table = pd.read_csv(files["streets"], dtype={"street": str, "place": str, "usrn": str})
        return table.rename(columns={"easting": "x", "northing": "y"})
    if "roads" in files:
        from peelian.plan.streets import estimated_streets

        return estimated_streets(_roads(files["roads"]), areas)
    return None


def _roads(path: Path) -> gpd.GeoDataFrame:
    import geopandas as gpd

    roads = gpd.read_file(path)
    name = next((c for c in ("name", "name_1", "name1", "roadname") if c in roads), None)
    if name is None:
        raise DataError(f"{path.name}: has no column name (or name_1); it has {some(roads.columns, 12)}.")
    return roads.rename(columns={name: "name"})


def _signs(
    plan: Plan, areas: Places, parameters: Parameters, files: Mapping[str, Path], layers: Layers | None,
    streets: pd.DataFrame | None,
) -> pd.DataFrame | None:  # fmt: skip
    """Signs from the ways in (with roads), from layers, and from a file of sites."""
    import geopandas as gpd
    import pandas as pd

    from peelian.plan.signage import entrances, signs

    parts: list[gpd.GeoDataFrame] = []
    if "roads" in files:
        parts.append(entrances(plan, areas, _roads(files["roads"])))
    for name in parameters.sign_layers:
        points = _layer(layers, name, "sign_layers").to_crs(areas.crs).centroid
        sites = [f"{name} {number}" for number in range(1, len(points) + 1)]
        parts.append(gpd.GeoDataFrame({"site": sites, "kind": name}, geometry=list(points), crs=areas.crs))
    if "sites" in files:
        parts.append(_sites(files["sites"], areas))
    if not parts:
        return None
    every = pd.concat(parts, ignore_index=True)
    every["existing"] = every["existing"].eq(True) if "existing" in every else False
    return signs(plan, areas, every, streets=streets, homes_a_sign=parameters.homes_a_sign)


def _sites(path: Path, areas: Places) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    table = pd.read_csv(path).rename(columns={"easting": "x", "northing": "y"})
    lacking = [name for name in ("site", "x", "y") if name not in table]
    if lacking:
        raise DataError(f"{path.name}: lacks the column {some(lacking)}; it has {some(table.columns)}.")
    points = gpd.points_from_xy(table["x"], table["y"], crs=areas.crs)
    kind = table.get("kind", "proposed")
    stands = (
        table["existing"].astype(str).str.lower().isin(["true", "yes", "1"]) if "existing" in table else False
    )
    frame = {"site": table["site"].astype(str), "kind": kind, "existing": stands}
    return gpd.GeoDataFrame(frame, geometry=points)


def _shops(
    plan: Plan, areas: Places, parameters: Parameters, layers: Layers | None, team: pd.Series | None
) -> pd.DataFrame | None:
    import pandas as pd

    from peelian.plan.signage import shop_visits

    if not parameters.shop_layers:
        return None
    parts = []
    for name in parameters.shop_layers:
        points = _layer(layers, name, "shop_layers").centroid
        parts.append(points.set_axis([f"{name} {number}" for number in range(1, len(points) + 1)]))
    return shop_visits(plan, areas, pd.concat(parts), team=team)


def _layer(layers: Layers | None, name: str, key: str) -> gpd.GeoSeries:
    if layers is None or name not in layers:
        known = "none" if layers is None else some(layers.names, 20)
        raise DataError(f"[plan] {key} names the layer {name!r}; the project's layers are {known}.")
    return layers[name].features.geometry


def summary(done: Work | None) -> dict[str, Any]:
    """What was laid out, as numbers."""
    if done is None:
        return {}
    held = {"rounds": done.rounds, "signs": done.signs, "shops": done.shops}
    return {name: len(table) for name, table in held.items() if table is not None}
