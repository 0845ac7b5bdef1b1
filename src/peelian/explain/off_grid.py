"""What a terrain on areas, hexagons or streets needs beside one on a grid: its risk by cell, and words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from peelian.report import Text

if TYPE_CHECKING:
    from peelian.explain.extent import Extent
    from peelian.explain.model import RiskTerrain
    from peelian.places import Places
    from peelian.report import Block, Outcome

SAID_OF_PLACES = {"Input", "Why", "Reason", "Unit"}  # columns whose words are ours, not the data's


def told(outcome: Outcome, terrain: RiskTerrain, places: Places, grid: Places) -> Outcome:
    """The outcome with places called by their name, the risk by cell of the project's grid, and a note."""
    from dataclasses import replace

    blocks = (*(renamed(block, terrain.extent) for block in outcome.section.blocks), note(terrain))
    return replace(
        outcome, section=replace(outcome.section, blocks=blocks),
        files=outcome.files | files(terrain, places, grid),
    )  # fmt: skip


def files(terrain: RiskTerrain, places: Places, grid: Places) -> dict[str, Any]:
    """``cells.parquet``: expected incidents by cell of the project's grid, for the forecast and the plan."""
    import pandas as pd

    from peelian.explain.units import onto_grid

    amounts = pd.DataFrame({"risk": terrain.risk, "expected": terrain.expected})
    return {"cells.parquet": onto_grid(amounts, places, grid)}


def note(terrain: RiskTerrain) -> Text:
    """What the places are, and what needs a grid."""
    extent = terrain.extent
    return Text(
        f"The terrain is made of {extent.said}; places.parquet holds them with everything that is known of "
        "each. GeoTIFF, PNG with a world file, map tiles, kernel densities and correlograms need a regular "
        "grid and are not made of them; for the forecast cells.parquet holds the risk spread evenly over "
        f"each {extent.one}, by cell of the project's grid.",
        "note",
    )


def are_areas(places: Places, areas: Places | None) -> bool:
    """Whether the places of the terrain are the areas themselves."""
    return areas is not None and bool(places.index.isin(areas.index).all())


def renamed(block: Block, extent: Extent) -> Block:
    """A block in which places are called what they are, where it calls them cells.

    >>> from peelian.explain.extent import Extent
    >>> renamed(Text("A few cells hold half; a cell holds 3. Cells are few."), Extent("area", "areas")).text
    'A few areas hold half; an area holds 3. Areas are few.'
    """
    from dataclasses import fields, replace

    import pandas as pd

    if isinstance(block, Text) and "simulated maps" in block.text:  # of cells indeed
        return block
    changed: dict[str, Any] = {}
    for field in fields(block):
        value = getattr(block, field.name)
        if isinstance(value, pd.DataFrame):
            changed[field.name] = _table(value, extent)
        elif field.name == "spec":
            changed[field.name] = _titles(value, extent)
        elif field.name not in ("name", "kind"):
            changed[field.name] = _words(value, extent)
    return replace(block, **changed)


def _words(value: Any, extent: Extent) -> Any:
    """Words in a text, and in the keys of formats and the names of counts."""
    if isinstance(value, str):
        article = "an" if extent.one[0] in "aeiou" else "a"
        for old, new in (("a cell", f"{article} {extent.one}"), ("cells", extent.many), ("cell", extent.one)):
            value = re.sub(rf"\b{old}\b(?!\.parquet)", new, value)
            value = re.sub(rf"\b{old[:1].upper()}{old[1:]}\b", f"{new[:1].upper()}{new[1:]}", value)
        return value
    if isinstance(value, dict):
        return {_words(key, extent): held for key, held in value.items()}
    if isinstance(value, tuple):
        return tuple(_words(held, extent) for held in value)
    return value


def _table(frame: Any, extent: Extent) -> Any:
    found = frame.rename(columns=lambda name: _words(name, extent))
    for name in SAID_OF_PLACES & set(found.columns):
        found[name] = [_words(value, extent) for value in found[name]]
    return found


def _titles(spec: Any, extent: Extent) -> Any:
    """The titles of a chart's axes and legends; its data stay as they are."""
    if isinstance(spec, list):
        return [_titles(part, extent) for part in spec]
    if not isinstance(spec, dict):
        return spec
    return {
        key: _words(value, extent) if key == "title" else value if key == "data" else _titles(value, extent)
        for key, value in spec.items()
    }
