"""What the chapter says of the terrain on later incidents: captures, and places of high risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.explain.tried import Trial
    from peelian.places import Places


def blocks(
    terrain: RiskTerrain, places: Places, trial: Trial | None, sizes: Mapping[str, pd.Series], *,
    published: bool,
) -> list[Block]:  # fmt: skip
    """Places of high risk, how sure the top is, and what the rankings held later."""
    from peelian.explain.tried import unusual

    found: list[Block] = [Text("What it held later", "heading"), _high_risk(terrain, trial, sizes, published)]
    if trial is None:
        found.append(Text("No incidents were held back, so every share above is in-sample.", "note"))
    else:
        found.append(_captures(trial, sizes))
        if words := unusual(trial):
            found.append(Text(words, "warning"))
    if terrain.uncertainty is not None and len(terrain.uncertainty):
        found.append(_sure_map(terrain, places))
    return found


def _high_risk(
    terrain: RiskTerrain, trial: Trial | None, sizes: Mapping[str, pd.Series], published: bool
) -> Table:
    from peelian.explain.tried import high_risk_table

    shown = high_risk_table(terrain, trial, sizes)
    shown["incidents"] = shown["incidents"].round()
    highest = shown.iloc[0]
    many = terrain.extent.many
    cells = many[:1].upper() + many[1:]
    title = f"Risk above the mean + 2 SD: {highest['cells']:,.0f} of {len(terrain.counts):,} {many}"
    names = {"rows": "Places", "cells": cells, "share_of_cells": f"Share of {many}", "incidents": "Incidents",
             "share_of_incidents": "Share of incidents", "share_of_later": "Share of later incidents",
             **{unit: f"Share of {unit}" for unit in sizes}}  # fmt: skip
    shown = shown.rename(columns=names)
    shown["Places"] = shown["Places"].str[:1].str.upper() + shown["Places"].str[1:]
    shares = [name for name in shown.columns if name.startswith("Share")]
    later = ""
    if trial is not None:
        later = f" Later: {trial.tried}, by a terrain fitted on {trial.fitted} and {trial.before}."
    return Table(
        "high_risk", title, shown,
        dict.fromkeys(shares, ".1%") | {cells: ",.0f", "Incidents": ",.0f"},
        counts=("Incidents",), published=published,
        note="Highest: relative risk above mean + 2 SD; high: above mean + 1 SD; above average: above the "
        "mean. Top shares rank by expected incidents. Incidents: in the fit (in-sample)."
        f"{later}",
    )  # fmt: skip


def _captures(trial: Trial, sizes: Mapping[str, pd.Series]) -> Table:
    from peelian.explain.tried import capture_table

    table = capture_table(trial, sizes)
    at = table[(table["of"] == table["of"].iloc[0]) & (table["share"] == 0.05)].iloc[0]
    table = table.rename(
        columns={"of": "Of", "share": "Share", "terrain": "Terrain", "history": "History", "blend": "Blend",
                 "random": "At random", "pai": "PAI", "pei": "PEI", "rri": "RRI"}
    )  # fmt: skip
    rates = dict.fromkeys(("Terrain", "History", "Blend", "At random"), ".1%")
    how = "later incidents" if trial.in_time else "the other half of the events, in tiles left out"
    return Table(
        "captures",
        f"Of {how}, 5 % of the {at['of']} held {100 * at['terrain']:.1f} % by the terrain, "
        f"{100 * at['history']:.1f} % by history, {100 * at['blend']:.1f} % by both",
        table, rates | {"Share": ".0%", "PAI": ",.2f", "PEI": ".2f", "RRI": ".2f"},
        note=f"Fitted on {trial.fitted}, tried on {trial.tried} ({trial.later.sum():,.0f} incidents). "
        f"History: {trial.before}. Blend: history drawn towards the terrain as far as the counts bear it out "
        "(gamma-Poisson, Clayton & Kaldor 1987). PAI: hit rate / share; PEI: hits / most that as many places "
        "could hold; RRI: predicted / observed; all three of the terrain.",
    )  # fmt: skip


def _sure_map(terrain: RiskTerrain, places: Places) -> Chart:
    from peelian import maps
    from peelian.explain.surface import sureness

    p = terrain.uncertainty["p_top"]
    word = sureness(p.fillna(0)).where(p.notna() & (p > 0), "never")
    order = ["sure", "likely", "unsure", "never"]
    number = word.value_counts().reindex(order, fill_value=0)
    table = number.rename_axis("In the top 5 %").rename("Cells").reset_index()
    return Chart(
        "sureness_map",
        f"{number['sure']:,} cells are surely among the riskiest 5 %, {number['likely']:,} likely",
        maps.places_map(places, word, legend="among the riskiest 5 %", kind="categories", order=order),
        f"Map of {len(word):,} cells by how often resamples of tiles put them among the riskiest 5 %: "
        + ", ".join(f"{name} {count:,}" for name, count in number.items()) + ".",
        table,
        note="Sure: in at least 80 % of the resamples; likely: 50 to 80 %; unsure: in some; never: in none.",
    )  # fmt: skip
