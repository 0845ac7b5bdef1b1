"""Concentration as a part of the chapter: over cells, areas, streets and homes, with its tables and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.beside import Beside, ConcentrationParameters
    from peelian.incidents import Incidents
    from peelian.places import Places


def add(
    found: Beside, incidents: Incidents, cells: Places, asked: ConcentrationParameters, seed: int, crime: str,
    households: pd.Series | None, areas: Places | None, streets: gpd.GeoSeries | None,
) -> None:  # fmt: skip
    """Concentration over cells into the chapter, and beside it over areas, streets and homes."""
    from peelian.explain import eighty_twenty
    from peelian.explain.lorenz import concentration
    from peelian.explain.lorenz_report import blocks

    held = concentration(incidents, cells, households=households, draws=asked.draws, seed=seed, crime=crime)
    others = eighty_twenty.by_unit(
        incidents, cells, areas, streets, draws=asked.draws, seed=seed, crime=crime
    )
    own = eighty_twenty.named(held.unit)
    units = {own: held} | {name: unit for name, unit in others.items() if name != own}
    found.blocks.extend(blocks(held))
    found.blocks.extend(eighty_twenty.blocks(units, published=incidents.published, snapped=incidents.snapped))
    found.files.update({"concentration.csv": held.shares, "lorenz.csv": held.lorenz})
    found.files.update({f"eighty_twenty_{name}.csv": unit.ranked for name, unit in units.items()})
    half = held.shares.iloc[1]
    found.summary["concentration"] = {
        "gini": held.gini, "generalised_gini": held.generalised, "low": held.low, "high": held.high,
        "share_of_places_for_half": float(half["share_of_places"]), "by_chance": float(half["by_chance"]),
        "units": {
            name: {"places": unit.n, "share_of_places_for_80": float(unit.shares.iloc[-1]["share_of_places"]),
                   "generalised_gini": unit.generalised, "by": unit.by,
                   "gini_over_homes": unit.homes.gini if unit.homes else None}
            for name, unit in units.items()
        },
    }  # fmt: skip
