"""Kernel density on grids that can be read."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DesignError
from peelian.explain.kernel import Grid, kernel_density
from peelian.incidents import Incidents
from peelian.places import Places

GRID = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 1500)], crs=27700), 50)


def incidents(points: np.ndarray) -> Incidents:
    start = pd.Timestamp("2018-01-01")
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.Timedelta(31, "D"), "type": "t", "source": "t"},
        geometry=gpd.points_from_xy(*points.T), index=range(len(points)), crs=27700,
    )  # fmt: skip
    return Incidents(frame, precision="month")


def test_points_shared_between_cells_keep_their_total() -> None:
    points = np.random.default_rng(1).uniform(0, 1500, (1000, 2))
    assert Grid.of(GRID).shared(*points.T).sum() == pytest.approx(1000, abs=1e-9)


def test_the_kernel_agrees_with_its_formula() -> None:
    # one event at the centre of a cell: quartic 3 / (pi b^2) (1 - (r / b)^2)^2 an event a square metre
    found = kernel_density(incidents(np.array([[1025.0, 725.0]])), GRID, bandwidth=400)
    r = np.hypot(GRID.points.x - 1025, GRID.points.y - 725).to_numpy()
    formula = 3 / (np.pi * 400**2) * np.maximum(1 - (r / 400) ** 2, 0) ** 2 * 1e6
    assert found.frame["density"].to_numpy() == pytest.approx(formula, rel=1e-3, abs=1e-9)


def test_even_crime_stays_even_at_the_edge() -> None:
    centres = np.column_stack([GRID.points.x, GRID.points.y])
    density = kernel_density(incidents(centres), GRID, bandwidth=300).frame["density"]
    assert density.to_numpy() == pytest.approx(400.0, rel=1e-9)


def test_rates_are_even_where_crime_follows_homes() -> None:
    centres = np.column_stack([GRID.points.x, GRID.points.y])
    homes = pd.Series(np.where(GRID.points.x < 1000, 20, 10), GRID.index)
    twice = np.vstack([centres, centres[centres[:, 0] < 1000]])
    rate = kernel_density(incidents(twice), GRID, households=homes).frame["rate"]
    assert rate.to_numpy() == pytest.approx(100.0, rel=1e-9)


def test_the_bandwidth_that_predicts_each_from_the_others() -> None:
    rng = np.random.default_rng(1)
    tight = np.array([[500.0, 500.0], [1500.0, 1000.0]])[rng.integers(0, 2, 400)] + rng.normal(
        0, 60, (400, 2)
    )
    even = rng.uniform(0, 1500, (400, 2))
    chosen = [kernel_density(incidents(p), GRID, bandwidth=(150, 300, 600)).bandwidth for p in (tight, even)]
    assert chosen[0] == 150 < chosen[1]


def test_the_sentence_and_the_cells_that_hold_half() -> None:
    rng = np.random.default_rng(1)
    found = kernel_density(incidents(rng.uniform(500, 800, (300, 2))), GRID, bandwidth=200, crime="burglary")
    assert str(found).endswith("% of cells (quartic kernel, bandwidth 200 m).")
    held = found.frame.groupby("volume")["density"].sum() / found.frame["density"].sum()
    assert held["25 %"] == pytest.approx(0.25, abs=0.02)


def test_areas_and_narrow_bandwidths_are_refused() -> None:
    few = incidents(np.array([[500.0, 500.0]]))
    with pytest.raises(DesignError, match="needs a regular grid"):
        kernel_density(few, Places.of(gpd.GeoDataFrame(index=["a"], geometry=[box(0, 0, 9, 9)], crs=27700)))
    with pytest.raises(DesignError, match="less than the cell of 50 m"):
        kernel_density(few, GRID, bandwidth=20)
