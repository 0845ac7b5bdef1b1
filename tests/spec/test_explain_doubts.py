"""What the chapter warns of: points that look moved, layers of another date."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.explain import knox
from peelian.explain.doubts import other_dates, seems_snapped
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers


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


def test_layers_of_another_date_are_named_with_both_dates() -> None:
    shapes = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0], [0]), crs=27700)
    layers = Layers.of([Layer(date, shapes, date=date) for date in ("2014", "2016-06", "2018", "2020-01")])
    span = (pd.Period("2016-01", "M"), pd.Period("2018-12", "M"))
    assert other_dates(layers, {}, span) == [
        "Layers of a later date than the crime (to 2018-12): 2020-01 (2020-01). Features may not have been there.",
        "Layers of an earlier date than the crime (from 2016-01): 2014 (2014). Features may have gone, and others "
        "come.",
    ]
    assert other_dates(layers, {"2014": "no", "2020-01": "no"}, span) == []
