"""The parts that need no layers of features: hot spots, concentration, near repeats and times."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from peelian.explain.beside import Asked, Beside, beside

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.parameters import Parameters
    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.report import Block, Outcome

TITLE = "Explain: where and when"
QUESTION = "Where is this crime concentrated, does one go with the next nearby, and at what times?"
NO_LAYERS = (
    "the project names no layers of features, so there is no risk terrain. Add [[layers]] to peelian.toml."
)


def parts(
    incidents: Incidents, cells: Places, areas: Places | None, parameters: Parameters, *, seed: int,
    crime: str, progress: Callable[[int, int], None] | None = None, streets: gpd.GeoSeries | None = None,
    homes: pd.Series | None = None,
) -> Beside:  # fmt: skip
    """The parts that the ``[explain]`` table asks for, over its period. ``homes``  by cell where known."""
    from peelian.explain.ground import spread_households

    incidents = within(incidents, parameters)
    asked = Asked(parameters.hotspots, parameters.concentration, parameters.near_repeat, parameters.aoristic)
    counted = parameters.hotspots.on or parameters.concentration.on
    if homes is None and counted and areas is not None and areas.households is not None:
        homes = spread_households(areas, cells)
    return beside(
        incidents, cells, asked, seed=seed, crime=crime, progress=progress, households=homes, streets=streets,
        areas=areas,
    )  # fmt: skip


def findings_first(blocks: list[Block]) -> tuple[Block, ...]:
    """The sentences to read first, then the rest, each in its order."""
    from peelian.report import Text

    def is_finding(block: object) -> bool:
        return isinstance(block, Text) and block.kind == "finding"

    return (*filter(is_finding, blocks), *(block for block in blocks if not is_finding(block)))


def run_without_layers(
    incidents: Incidents, cells: Places, parameters: Parameters, *, seed: int, crime: str = "crime",
    areas: Places | None = None, progress: Callable[[int, int], None] | None = None,
) -> Outcome:  # fmt: skip
    """The chapter of a project without layers: what can be said of where and when, and what cannot."""
    import geopandas as gpd

    from peelian.maps import Layered
    from peelian.report import Outcome, Section, Text

    warned = _warnings(incidents, cells, parameters)
    more = parts(incidents, cells, areas, parameters, seed=seed, crime=crime, progress=progress)
    files: dict[str, Any] = more.files | {"parts.json": {"schema": 1, "crime": crime} | more.summary}
    if more.layers:
        files["hot_spots.gpkg"] = Layered(more.layers, more.styles)
        files["hot_spots.parquet"] = gpd.GeoDataFrame(more.columns, geometry=cells.geometry, crs=cells.crs)
    said = [Text(words, "warning") for words in warned]
    blocks = [*more.blocks, *said, Text(f"Not held: {NO_LAYERS}", "note")]
    section = Section("explain", TITLE, QUESTION, findings_first(blocks))
    return Outcome(section, files, more.summary, NO_LAYERS)


def _warnings(incidents: Incidents, cells: Places, parameters: Parameters) -> list[str]:
    """What to know of the incidents and of the size of the cells; cells far too fine are refused."""
    from peelian.explain.doubts import grain_of, incident_warnings
    from peelian.explain.hot_spots import counted

    held = within(incidents, parameters)
    _, account = counted(held, cells)
    return [
        *grain_of(held, cells, parameters.force), *incident_warnings(held, account, len(held), held.span)
    ]  # fmt: skip


def within(incidents: Incidents, parameters: Parameters) -> Incidents:
    """The incidents of the period asked for."""
    import pandas as pd

    if not parameters.months:
        return incidents
    first, last = parameters.months
    return incidents.between(first, pd.Period(last, "M") + 1)
