"""Near repeats as a part of the chapter: the test as the project asks for it, its table and its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from peelian.errors import DataError, some

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.beside import Beside, NearRepeatParameters
    from peelian.incidents import Incidents
    from peelian.places import Places


def add(
    found: Beside, incidents: Incidents, asked: NearRepeatParameters, seed: int, crime: str,
    progress: Callable[[int, int], None] | None, streets: gpd.GeoSeries | None, areas: Places | None,
) -> None:  # fmt: skip
    """The test into the chapter and a file; single events into files of their own where asked for."""
    from peelian.explain import near_repeat_local as single
    from peelian.explain.near_repeat import knox
    from peelian.explain.near_repeat_report import blocks

    held = knox(
        incidents, asked.distances, days=asked.days, bands=asked.bands, unit=asked.unit, metric=asked.metric,
        null=asked.null, strata=strata_of(incidents, areas, asked.strata), tile=asked.tile,
        permutations=asked.permutations, seed=seed, level=asked.level, least_ratio=asked.least_ratio,
        drop_points=asked.drop_points, crime=crime, progress=progress, streets=streets, windows=asked.windows,
        draws=asked.draws, timezone=asked.timezone,
    )  # fmt: skip
    found.blocks.extend(blocks(held, published=incidents.published))
    found.files["near_repeats.csv"] = held.frame
    found.summary["near_repeats"] = {
        "events": held.n, "finding": str(held), "near": asdict(held.near) if held.near else None,
        "same_place": asdict(held.same_place) if held.same_place else None,
        "seen_to": str(incidents.span[1]),
    }  # fmt: skip
    if asked.local:
        events = single.knox_local(
            incidents, asked.distances[1], days=asked.days[0], unit=asked.unit,
            permutations=asked.permutations, seed=seed, alpha=asked.level, drop_points=asked.drop_points,
            timezone=asked.timezone,
        )  # fmt: skip
        found.blocks.extend(single.blocks(events))
        found.files.update(single.files(events, incidents))


def strata_of(incidents: Incidents, areas: Places | None, column: str | None) -> pd.Series | None:
    """The stratum of each incident by a column of the area it lies in; None where none is asked for."""
    if column is None:
        return None
    known = [] if areas is None else [str(name) for name in areas.frame if name != "geometry"]
    if areas is None or column not in known:
        raise DataError(
            f"explain.near_repeat.strata: the areas have no column {column}; they have {some(known, 20)}."
        )
    return incidents.place_of(areas).map(areas.frame[column]).rename(column)
