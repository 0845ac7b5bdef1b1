"""Burglary in London by LSOA and month, as more than one test reads it from the shared data."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from peelian.incidents import Incidents
from peelian.places import Places


def london_incidents(data: Path) -> Incidents:
    """Every burglary with its LSOA and no point, repeated Crime IDs dropped; ``data`` the folder ``data/uk``."""
    rows = pd.read_parquet(
        data / "met_burglary" / "met_burglary_2010-12_2021-12.parquet",
        columns=["month", "lsoa_code", "crime_uid"],
    ).sort_values("month", kind="stable")
    rows = rows[~((rows["crime_uid"] != 0) & rows["crime_uid"].duplicated())]
    start = pd.to_datetime(rows["month"].astype(str))
    columns = {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "burglary", "source": "met"}
    frame = gpd.GeoDataFrame(
        {**columns, "place": rows["lsoa_code"].astype(object)},
        geometry=gpd.GeoSeries([None] * len(rows), index=rows.index, crs="EPSG:27700"),
    )
    return Incidents(frame, precision="month")


def london_places(data: Path, columns: pd.DataFrame | None = None) -> Places:
    """The 4,835 LSOAs of 2011, with further columns by code where given."""
    areas = gpd.read_file(data / "boundaries_london" / "london_lsoa_2011.gpkg").set_index("LSOA11CD")
    kept = areas[["geometry", "HHOLDS", "LAD11NM"]]
    return Places.of(kept if columns is None else kept.join(columns))
