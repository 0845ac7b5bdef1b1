"""A small grid with and without a season, for tests of the level."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box, points

from peelian.incidents import Incidents
from peelian.places import Places

STUDY = gpd.GeoSeries([box(520_000, 170_000, 521_600, 171_600)], crs="EPSG:27700")
CELLS = Places.grid(STUDY, 400)
AREAS = Places.of(
    gpd.GeoDataFrame(
        index=["west", "east"],
        geometry=[box(520_000, 170_000, 520_800, 171_600), box(520_800, 170_000, 521_600, 171_600)],
        crs=STUDY.crs,
    )
)
MONTHS = pd.period_range("2010-01", "2018-12", freq="M")
FLAT = np.ones(12)
SEASON = 1 + 0.4 * np.cos(2 * np.pi * np.arange(12) / 12)
RATES = np.random.default_rng(5).gamma(0.7, 8.0, len(CELLS))


def seasonal(factors: np.ndarray, seed: int = 2) -> Incidents:
    """Nine years of months: so many incidents a day in each cell, times the month's factor."""
    rng = np.random.default_rng(seed)
    daily = MONTHS.days_in_month.to_numpy() / 30.4 * factors[MONTHS.month.to_numpy() - 1]
    counts = rng.poisson(RATES * daily[:, None])
    return monthly(CELLS, MONTHS, counts)


def monthly(cells: Places, months: pd.PeriodIndex, counts: np.ndarray) -> Incidents:
    """Incidents dated by month in the middle of their cells, from counts by month and cell."""
    month, cell = np.nonzero(counts)
    times = np.repeat(np.arange(len(month)), counts[month, cell])
    start = pd.Series(months.to_timestamp()[month[times]])
    centre = cells.points.iloc[cell[times]]
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "burglary", "source": "simulated"},
        geometry=points(centre.x.to_numpy(), centre.y.to_numpy()), crs=cells.crs,
    )  # fmt: skip
    return Incidents(frame, precision="month")
