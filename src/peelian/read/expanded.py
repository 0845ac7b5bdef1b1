"""Expanded: a table of counts by area and time as incidents, one for each that was counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from peelian.errors import DataError, some
from peelian.incidents import Incidents, Precision
from peelian.read.files import Reading
from peelian.read.files import counted as listed
from peelian.read.mps import Counts, counts

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

MOST = 5_000_000  # incidents: about 2 GiB
EVERYTHING = "All"  # what ``counts`` calls the category of a table without one


def reading(
    path: Path | str,
    *,
    types: tuple[str, ...] | None = None,
    called: str | None = None,
    crs: object = 27700,
    published: bool = False,
) -> Reading:
    """Incidents without points from a table of counts by area and day, month or year (see ``mps.counts``).

    ``types``      categories of the table, major or minor; each becomes a type. Every major one without.
    ``called``     the type, where the table has no categories.
    ``crs``        in metres, that the incidents are said to be in; they have no points.
    ``published``  whether the counts are public.

    Each incident's window is the step of the table and its ``place`` the area; nothing else is known of it.
    Their number is the sum of the counts. A row whose count is no number is refused.

    Raises ``DataError`` for a table of no such layout, a category that it lacks and more incidents than
    memory is good for.
    """
    read = counts(path, days=True)
    majors = sorted(read.categories["major"].unique())
    wanted = tuple(types or majors)
    if called and majors == [EVERYTHING]:
        wanted = (EVERYTHING,)
    held = {category: read.of(category) for category in wanted}
    whole = sum(int(series.sum()) for series in held.values())
    if whole > MOST:
        raise DataError(
            f"{path}: counts {whole:,} incidents, more than {MOST:,}. Name the types you need: "
            f'types = ["{wanted[0]}"]. It holds {some(majors, 30)}.'
        )
    frame = _frame(held, read, Path(path).name, called or "", crs)
    precision: Precision = "day" if read.step == "day" else "month"
    incidents = Incidents(frame, read.rejected, precision=precision, published=published)
    refused = len(read.rejected)
    note = (
        f"{Path(path).name} holds {read.rows_read:,} rows of counts by area and {read.step}; those of "
        f"{some([called or one for one in wanted], 6)} stand for {whole:,} incidents without points, and "
        f"{'no row was' if not refused else f'{refused:,} were'} refused."
    )
    return Reading(incidents, listed([(Path(path).name, "counts", len(frame), refused)]), note)


def _frame(held: dict[str, pd.Series], read: Counts, name: str, called: str, crs: object) -> gpd.GeoDataFrame:
    """One row an incident."""
    import geopandas as gpd
    import pandas as pd

    parts = []
    for category, series in held.items():
        series = series[series > 0]
        period = pd.PeriodIndex(series.index.get_level_values(read.step))
        part = pd.DataFrame(
            {
                "start": period.to_timestamp().astype("datetime64[us]"),
                "end": (period + 1).to_timestamp().astype("datetime64[us]"),
                "type": called or category,
                "place": series.index.get_level_values("place"),
            }
        )
        parts.append(part.loc[part.index.repeat(series.to_numpy())])
    frame = pd.concat(parts, ignore_index=True).assign(source=name, counted=True)
    frame = frame.astype({"type": "str", "place": "str", "source": "str"})
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([None] * len(frame), crs=crs))
