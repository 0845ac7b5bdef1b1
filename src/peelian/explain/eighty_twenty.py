"""The 80-20 tables: in how few cells, areas and streets most of the crime lies, and which they are."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, DesignError
from peelian.report import Block, Table, Text

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.lorenz import Concentration
    from peelian.incidents import Incidents
    from peelian.places import Places

TOP = 10
MOVED = "Points were moved to shared street points: a cell or a street may hold its neighbour's incidents."
STREETS = "street segments"  # what they are called in words; "streets" in names of tables and files


def named(unit: str) -> str:
    """The name of a unit of places in tables and files: ``cells``, ``areas``, ``hexagons``, ``streets``."""
    return "streets" if unit == STREETS else unit


def study_units(
    cells: Places, areas: Places | None, streets: gpd.GeoSeries | None
) -> dict[str, tuple[Places, pd.Series | None]]:
    """Areas and streets of the study area, each with its households where they are known.

    Areas whose point lies in a cell; street segments, from junction to junction, whose middle does. Not
    what the cells themselves are.
    """
    from peelian.explain.units import segments

    found: dict[str, tuple[Places, pd.Series | None]] = {}
    if areas is not None and not cells.index.isin(areas.index).all():
        inside = cells.locate(areas.points).notna()
        if cells.kind == "street":  # an area need not have its middle near one
            inside = areas.index.to_series().isin(areas.locate(cells.points))
        if inside.sum() > 1:
            held = areas.select(areas.index[inside])
            found["areas"] = (held, held.households)
    if streets is not None and cells.kind != "street":
        with contextlib.suppress(DataError):  # none has its middle in the study area
            found["streets"] = (segments(streets, cells), None)
    return found


def by_unit(
    incidents: Incidents, cells: Places, areas: Places | None, streets: gpd.GeoSeries | None, *,
    draws: int, seed: int, crime: str,
) -> dict[str, Concentration]:  # fmt: skip
    """Concentration over areas (by the extract's code where it has one) and over streets."""
    from peelian.explain.lorenz import concentration

    found = {}
    for name, (places, homes) in study_units(cells, areas, streets).items():
        coded = name == "areas" and "place" in incidents.frame
        coded = coded and bool(incidents.frame["place"].isin(places.index).any())
        by: Literal["code", "point"] = "code" if coded else "point"
        try:
            found[name] = concentration(
                incidents, places, households=homes, draws=draws, by=by, seed=seed, crime=crime
            )
        except DesignError:  # no two incidents in them
            continue
    return found


# -------------------------------------------------------------------- in the chapter
def blocks(found: dict[str, Concentration], *, published: bool, snapped: bool) -> list[Block]:
    """One table over all units, over homes, and the places of each unit with the most crime."""
    said: list[Block] = [_together(found, published)]
    if any(held.homes for held in found.values()):
        said.append(_over_homes(found))
    said += [_ranked(name, held, published) for name, held in found.items()]
    if snapped:
        said.append(Text(MOVED, "note"))
    return said


def _together(found: dict[str, Concentration], published: bool) -> Table:
    import pandas as pd

    rows = []
    for held in found.values():
        row: dict[str, object] = {"Unit": held.unit, "Places": held.n, "With any": held.occupied,
                                  "Incidents": held.crimes}  # fmt: skip
        for line in held.shares.itertuples():
            row[f"{100 * line.crime:g} % in"] = line.share_of_places
        last = held.shares.iloc[-1]
        row |= {
            "80 % by chance": last["by_chance"], "Low": last["chance_low"], "High": last["chance_high"],
            "Of those with any, 80 % in": last["share_of_occupied"], "Generalised Gini": held.generalised,
        }  # fmt: skip
        rows.append(row)
    frame = pd.DataFrame(rows)
    shares = [name for name in frame if "%" in name or name in ("Low", "High")]
    coded = any(held.by == "code" for held in found.values())
    first = next(iter(found.values()))
    return Table(
        "eighty_twenty",
        f"Four fifths of {first.crime} lie in {100 * first.shares.iloc[-1]['share_of_places']:.1f} % of "
        f"{first.unit}",
        frame, dict.fromkeys(shares, ".1%") | {"Generalised Gini": ".2f"}, counts=("Incidents",),
        published=published,
        note="Share of all places that holds so much of the crime, fullest first. By chance: the same number "
        "of incidents dealt to all places at random; mean and 95 % range. "
        f"{'Areas are counted by the code of the extract, the rest' if coded else 'Counted'} by the point.",
    )  # fmt: skip


def _over_homes(found: dict[str, Concentration]) -> Table:
    import pandas as pd

    rows = [
        {"Unit": held.unit, "Share of crime": line.crime, "Share of homes": line.homes,
         "By chance": line.by_chance, "Low": line.chance_low, "High": line.chance_high}
        for name, held in found.items() if held.homes
        for line in held.homes.shares.itertuples()
    ]  # fmt: skip
    gini = ", ".join(
        f"{held.unit} {held.homes.gini:.2f} ({held.homes.by_chance:.2f} by chance)"
        for name, held in found.items()
        if held.homes
    )
    lost = ", ".join(
        f"{held.homes.unplaced:,} in {held.unit}"
        for name, held in found.items()
        if held.homes and held.homes.unplaced
    )
    return Table(
        "eighty_twenty_homes", "Per home: share of homes that holds so much of the crime", pd.DataFrame(rows),
        dict.fromkeys(("Share of crime", "Share of homes", "By chance", "Low", "High"), ".1%"),
        note=f"Places with the highest rate first, homes of a place alike. Gini over homes: {gini}."
        f"{f' Without homes, left out: {lost} incidents.' if lost else ''}",
    )  # fmt: skip


def _ranked(name: str, held: Concentration, published: bool) -> Table:
    shown = held.ranked.head(TOP)
    shown = shown.set_axis(["Place", "Incidents", "Share", "Cumulative share"], axis=1)
    return Table(
        f"eighty_twenty_{name}", f"The {len(shown)} {held.unit} with most {held.crime}", shown,
        {"Share": ".1%", "Cumulative share": ".1%"}, counts=("Incidents",), published=published,
        note=f"Of {held.occupied:,} with any; all of them stand in eighty_twenty_{name}.csv.",
    )  # fmt: skip
