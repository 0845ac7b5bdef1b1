"""The words and tables of how sure the surface is, of combinations of influences and of neighbourhoods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.report import Block, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.places import Places


LEAST_COVERED = 0.5  # of an area's ground by cells, to be named in the chapter


def sure_sentence(terrain: RiskTerrain) -> str:
    """How many cells surely belong to the riskiest 5 %, in one sentence; empty without resamples."""
    if terrain.uncertainty is None or not len(terrain.uncertainty):
        return ""
    p = terrain.uncertainty["p_top"]
    sure, likely = int((p >= 0.8).sum()), int(((p >= 0.5) & (p < 0.8)).sum())
    if terrain.extent.size is not None:
        return (
            f"Of the {terrain.extent.many} that make up the riskiest {terrain.extent.part('5 %')}, "
            f"{sure:,} are sure (in the top in at least 80 % of the resamples of "
            f"tiles) and {likely:,} likely (50 to 80 %); for the rest others could stand as well."
        )
    room = round(0.05 * int(p.notna().sum()))
    return (
        f"Of the {room:,} places that make up the riskiest 5 %, {sure:,} are sure (in the top in at least "
        f"80 % of the resamples of tiles) and {likely:,} likely (50 to 80 %); for the rest others could "
        "stand as well."
    )


def configuration_sentence(terrain: RiskTerrain, table: pd.DataFrame) -> str:
    """How much of the crime lies in the common combinations, in one sentence."""
    held = table[table["dominant"]]
    return (
        f"{len(table):,} combinations of the {len(terrain.influences.columns)} influences occur, "
        f"{len(held):,} of them often; these hold "
        f"{100 * held['share_of_incidents'].sum():.1f} % of the incidents."
    )


def blocks(
    terrain: RiskTerrain, cells: Places, areas: Places | None, groups: pd.Series | None, *, published: bool
) -> list[Block]:
    """What the chapter says of the surface beyond the map."""
    said: list[Block] = []
    if sure := sure_sentence(terrain):
        said.append(Text(sure))
    if len(terrain.influences.columns):
        said += _configuration_blocks(terrain, published)
        if areas is not None:
            said.append(_neighbourhoods(terrain, cells, areas, groups))
    return [Text("How sure the map is, and where influences meet", "heading"), *said] if said else []


def _configuration_blocks(terrain: RiskTerrain, published: bool) -> list[Block]:
    import pandas as pd

    from peelian.explain.surface import configurations, contrasts

    table = configurations(terrain)
    names = list(terrain.influences.columns)
    often = table[table["dominant"]].head(8).reset_index(drop=True)
    where = [
        "; ".join(terrain.words[n] for n in names if row[n]) or "none of them" for _, row in often.iterrows()
    ]
    shown = pd.DataFrame({
        "Influences": where, "Places": often["places"], "Incidents": often["incidents"],
        "A place": often["rate"],
        "Share of places": often["share_of_places"], "Share of incidents": often["share_of_incidents"],
    })  # fmt: skip
    change = contrasts(table, names)
    change["variable"] = [terrain.words[name] for name in change["variable"]]
    change.columns = ["Influence", "Pairs of combinations", "Lowest", "Median", "Highest"]
    return [
        Text(configuration_sentence(terrain, table)),
        Table(
            "configurations", "Combinations of influences that occur often, most incidents a place first",
            shown,
            {"A place": ",.2f", "Share of places": ".1%", "Share of incidents": ".1%"},
            counts=("Incidents",), published=published,
            note="Conjunctive analysis of case configurations (Miethe, Hart & Regoeczi 2008). In-sample.",
        ),
        Table(
            "contrasts", "Incidents a place where an influence holds, less where it does not, all else alike",
            change, {"Lowest": ",.2f", "Median": ",.2f", "Highest": ",.2f"},
        ),
    ]  # fmt: skip


def _neighbourhoods(terrain: RiskTerrain, cells: Places, areas: Places, groups: pd.Series | None) -> Table:
    from peelian.explain.surface import anroc

    frame = anroc(terrain, cells, areas, groups)
    inside = frame[frame["risk"].notna() & (frame["share_covered"] >= LEAST_COVERED)]
    inside = inside if len(inside) else frame.dropna(subset=["risk"])
    shown = inside.head(10).reset_index()
    names = ["Area", "Mean risk score", "Times the average", "Covered by cells", "In the top 5 %",
             "Mean by dwelling", "Dwellings", "Dwellings in the top 5 %"]  # fmt: skip
    shown.columns = names[: len(shown.columns)]
    return Table(
        "neighbourhoods",
        f"Areas with the highest mean risk score, {len(shown)} of {len(inside)}",
        shown, {"Mean risk score": ",.2f", "Times the average": ",.2f", "Covered by cells": ".0%",
                "In the top 5 %": ".0%", "Mean by dwelling": ",.2f", "Dwellings": ",.0f",
                "Dwellings in the top 5 %": ".0%"},
        note="Aggregate neighbourhood risk of crime (Drawve, Thomas & Walker 2016): relative risk, "
        "lowest cell = 1, weighted by the ground of the area in each cell; by dwelling where areas have "
        "households, spread evenly over their ground. Areas at least half covered by cells; all are in "
        "neighbourhoods.csv.",
    )  # fmt: skip
