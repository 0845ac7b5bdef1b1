"""A project without layers of features: where and when are told all the same."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DesignError
from peelian.explain.run import Parameters
from peelian.explain.without_layers import run_without_layers
from peelian.incidents import Incidents
from peelian.places import Places

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=27700), 100)


def incidents(precision: str = "minute") -> Incidents:
    """A year of 400 at random and 200 in one corner, each a window of two hours."""
    rng = np.random.default_rng(2)
    points = np.vstack([rng.uniform(0, 2000, (400, 2)), rng.uniform(0, 300, (200, 2))])
    start = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 365 * 24, 600), unit="h")
    month = start.to_period("M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": month if precision == "month" else start,
         "end": month + pd.offsets.MonthBegin(1) if precision == "month" else start + pd.Timedelta(2, "h"),
         "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*points.T), crs=27700,
    )  # fmt: skip
    return Incidents(frame, precision=precision)  # type: ignore[arg-type]


ASKED = Parameters(near_repeat={"permutations": 19}, concentration={"draws": 99})  # type: ignore[arg-type]


def test_hot_spots_concentration_near_repeats_and_times_are_told() -> None:
    found = run_without_layers(incidents(), CELLS, ASKED, seed=1, crime="burglary")
    said = " ".join(found.section.findings)
    for words in (
        "hot spots of burglary",
        "Half of burglary lies in",
        "near repeats",
        "busiest hour of the week",
    ):
        assert words in said
    assert {"near_repeats.csv", "times.csv", "eighty_twenty_cells.csv", "parts.json"} <= set(found.files)
    hot = found.files["hot_spots.parquet"]
    corner = (CELLS.points.x < 200) & (CELLS.points.y < 200)
    assert hot["hot_spot"][corner].str.startswith("hot").all()
    assert set(found.files["hot_spots.gpkg"].layers) == {"hot_spots"}
    assert "so there is no risk terrain. Add [[layers]]" in found.not_held


def test_months_alone_leave_where_and_say_why_when_is_not_told() -> None:
    found = run_without_layers(incidents("month"), CELLS, ASKED, seed=1, crime="burglary")
    words = " ".join(block.text for block in found.section.blocks if hasattr(block, "text"))
    assert "Near repeats are not shown. These records carry a month, not a date" in words
    assert "Times are not shown. These records carry a month" in words
    assert len(found.section.findings) == 2


def test_the_period_asked_for_is_the_period_told() -> None:
    asked = Parameters(
        period="2019-01..2019-03",
        concentration={"draws": 99},
        near_repeat={"on": False},
        aoristic={"on": False},
    )  # type: ignore[arg-type]
    found = run_without_layers(incidents(), CELLS, asked, seed=1)
    held = incidents().between("2019-01", "2019-04")
    assert found.files["eighty_twenty_cells.csv"]["count"].sum() == len(held)


def test_cells_too_fine_for_moved_points_are_warned_of_and_refused() -> None:
    moved = Incidents(incidents("month").frame, precision="month", snapped=True)
    off = Parameters(
        hotspots={"on": False}, concentration={"on": False}, near_repeat={"on": False}, aoristic={"on": False}
    )  # type: ignore[arg-type]
    fine = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=27700), 80)
    words = [block.text for block in run_without_layers(moved, fine, off, seed=1).section.blocks]  # type: ignore[union-attr]
    assert "too far for cells of 80 m" in words[0]
    finer = Places.grid(gpd.GeoSeries([box(0, 0, 900, 900)], crs=27700), 40)
    with pytest.raises(
        DesignError, match=r"too far for cells of 40 m\. Use cells of at least 100 m, or force"
    ):
        run_without_layers(moved, finer, off, seed=1)
