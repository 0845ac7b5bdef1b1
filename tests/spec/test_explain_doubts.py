"""What the chapter warns of: points that look moved, layers of another date."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.explain import knox
from peelian.explain.doubts import seems_snapped
from peelian.incidents import Incidents


def incidents(points: np.ndarray, **about: object) -> Incidents:
    start = pd.Timestamp("2019-01-01") + pd.to_timedelta(np.arange(len(points)) % 90, unit="D")
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.Timedelta(1, "D"), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*points.T), crs=27700,
    )  # fmt: skip
    return Incidents(frame, **about)  # type: ignore[arg-type]


RNG = np.random.default_rng(1)
STREET_POINTS = 90.0 * RNG.integers(0, 15, (400, 2))  # 225 points 90 m apart for 400 events
ADDRESSES = np.vstack(
    [RNG.uniform(0, 1350, (250, 2))] * 2
)  # as often shared, and some next door to each other


def test_points_that_look_moved_are_named() -> None:
    (words,) = seems_snapped(incidents(STREET_POINTS))
    assert "share their point with another, and distinct points lie 90 m apart (median)" in words
    assert "say snapped = true" in words
    assert words in knox(incidents(STREET_POINTS), permutations=19, seed=1).warnings


@pytest.mark.parametrize(
    "events",
    [incidents(ADDRESSES), incidents(STREET_POINTS, snapped=True), incidents(STREET_POINTS[:150]),
     incidents(RNG.uniform(0, 90_000, (400, 2)))],
    ids=["addresses", "said so", "few", "each its own"],
)  # fmt: skip
def test_other_points_are_not(events: Incidents) -> None:
    assert seems_snapped(events) == []
