"""The rest of the chapter: every check, the terrain on later incidents, the Utility's headings, pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.explain.parameters import Parameters
    from peelian.incidents import Incidents
    from peelian.layers import Layer, Layers
    from peelian.maps import Layered
    from peelian.places import Places
    from peelian.report import Block


@dataclass(frozen=True, eq=False)
class Given:
    """What the rest of the chapter is made from: the terrain, the places it covers, all incidents of the
    crime, the layers tried with their features inside, what was left out, the areas, the lines of streets,
    the last run's ``terrain.json``, layers with other features than they have, and the GeoPackage so far."""

    terrain: RiskTerrain
    cells: Places
    incidents: Incidents
    layers: Layers
    features: dict[str, int]
    left_out: dict[str, str]
    areas: Places | None
    streets: gpd.GeoSeries | None
    before: dict[str, Any] | None
    changed: dict[str, Layer]
    gpkg: Layered


def rest(given: Given, parameters: Parameters) -> tuple[list[Block], list[Block], dict[str, Any], Any]:
    """Blocks on the terrain, blocks that close the chapter, files and headline numbers."""
    from peelian.explain import (
        checks_report,
        picture,
        questions,
        tried_report,
        utility_report,
        what_if_report,
    )
    from peelian.explain.earlier import earlier_runs, run_of
    from peelian.explain.ground import spread_households
    from peelian.explain.tried import capture_table, sizes_of, trial_of

    terrain, cells, areas = given.terrain, given.cells, given.areas
    homes = None
    if areas is not None and areas.households is not None:
        homes = spread_households(areas, cells)
    sizes = sizes_of(cells, given.streets, homes)
    trial = trial_of(terrain, given.incidents, cells)
    published = given.incidents.published
    said = tried_report.blocks(terrain, cells, trial, sizes, published=published)
    said += checks_report.blocks(terrain)
    said += utility_report.blocks(terrain, cells, given.incidents, given.layers, given.features, parameters)
    other = what_if_report.answered(terrain, cells, given.changed, given.features)
    said += what_if_report.blocks(other, cells)
    run = run_of(terrain, trial)
    earlier = earlier_runs(given.before, run)
    from peelian.report import Text

    answered: list[Block] = [Text("Seven questions", "heading")]
    answered += questions.blocks(
        terrain, cells, given.layers, given.left_out, parameters.questions, trial, earlier
    )
    made = utility_report.files(terrain) | picture.files(terrain, cells)
    made |= what_if_report.files(other, cells, given.gpkg)
    if trial is not None:
        made["captures.csv"] = capture_table(trial, sizes)
    summary = {
        "run": run, "earlier_runs": earlier, "questions_answered": questions.complete(parameters.questions),
        "captures": None if trial is None else {"fitted": trial.fitted, "tried": trial.tried} | {
            way: run[way] for way in ("terrain", "history")},
    }  # fmt: skip
    return said, answered, made, summary


def flat(cells: gpd.GeoDataFrame) -> pd.DataFrame:
    """The cells as a table for any program: the middle of each in the place of its shape."""
    middle = cells.geometry.centroid
    frame: pd.DataFrame = cells.drop(columns="geometry")
    frame.insert(0, "x", middle.x.round(1))
    frame.insert(1, "y", middle.y.round(1))
    return frame
