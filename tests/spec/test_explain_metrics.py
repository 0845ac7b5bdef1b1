"""Straight lines and ways along streets beside each other, where crime goes by one of them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from peelian.explain.run import Parameters, run
from peelian.explain.streets import Along
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.places import Places
from peelian.report import Section, Text

CRS = 27700
GRID = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=CRS), 100)
# a comb: long streets 100 m apart that meet at three cross streets only, none in the last 400 m
COMB = gpd.GeoSeries(
    [LineString([(x, y), (x, y + 500)]) for x in range(50, 1600, 100) for y in range(0, 2000, 500)]
    + [LineString([(x, y), (x + 100, y)]) for x in range(50, 1500, 100) for y in (0, 1000, 2000)],
    crs=CRS,
)
RNG = np.random.default_rng(5)
PUBS, LIBRARIES = (
    np.column_stack([50.0 + 100 * RNG.integers(0, 15, 12), RNG.uniform(100, 1900, 12)]) for _ in range(2)
)


def layer(name: str, shapes: object) -> Layer:
    return Layer(name, gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=CRS)))


LAYERS = Layers.of([
    layer("library", gpd.points_from_xy(*LIBRARIES.T)), layer("pub", gpd.points_from_xy(*PUBS.T)), layer("street", COMB),
])  # fmt: skip


def cases() -> Incidents:
    """Five times as many within 200 m of a pub along the comb."""
    centres = np.column_stack([GRID.points.x, GRID.points.y])
    pubs = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*PUBS.T), crs=CRS)
    near = Along.of(COMB, centres)(pubs, [200])[0][0]
    rng = np.random.default_rng(1)
    number = rng.poisson(np.where(near, 10.0, 2.0))
    points = np.repeat(centres, number, axis=0)
    start = pd.PeriodIndex([f"2018-{1 + k % 12:02d}" for k in range(len(points))], freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*points.T), crs=CRS,
    )  # fmt: skip
    return Incidents(frame, precision="month")


ASKED = {
    "offset": "none", "min_features": 1, "workers": 1, "permutations": 99, "replicates": 20, "quick": True,
    "streets": "street", "sensitivity": False, "hotspots": {"on": False}, "concentration": {"on": False},
    "near_repeat": {"on": False}, "aoristic": {"on": False},
}  # fmt: skip
MODES: dict[str, dict[str, object]] = {
    "rtmdx": {"mode": "rtmdx", "block": 200},
    "modern": {"mode": "modern", "tile": 500, "reach_limit": 600},
}


def made(mode: str, distance: str):  # type: ignore[no-untyped-def]
    return run(cases(), LAYERS, GRID, Parameters(**ASKED, **MODES[mode], distance=distance), seed=1)  # type: ignore[arg-type]


def words(section: Section) -> str:
    return " ".join(block.text for block in section.blocks if isinstance(block, Text))


@pytest.mark.parametrize("mode", list(MODES))
def test_both_metrics_stand_beside_each_other(mode: str) -> None:
    found = made(mode, "euclidean")
    pub = found.files["metrics.csv"].set_index("factor").loc["pub"]
    # the way along the comb is what was planted: the straight line takes other streets' cells in
    assert pub["network_times"] == pytest.approx(5, rel=0.25)
    assert pub["straight_times"] < pub["network_times"]
    assert pub["network_low"] < pub["network_times"] < pub["network_high"]
    assert (
        pub["network_incidents"] / pub["network_places"]
        > pub["straight_incidents"] / pub["straight_places"]
        > 1
    )
    models = found.files["metrics_models.csv"].set_index("metric")
    assert models.loc["network", "bic"] < models.loc["straight", "bic"]
    measure, better = ("deviance", -1) if mode == "modern" else ("capture", 1)
    assert better * models.loc["network", measure] > better * models.loc["straight", measure]
    assert "The closer fit: along streets" in words(found.section)
    assert {"metrics", "metrics_models"} <= {getattr(block, "name", "") for block in found.section.blocks}


def test_the_other_metric_is_the_same_whichever_is_asked_for() -> None:
    straight, network = (made("rtmdx", distance) for distance in ("euclidean", "network"))
    for name in ("metrics.csv", "metrics_models.csv"):
        pd.testing.assert_frame_equal(straight.files[name], network.files[name])
    assert straight.files["terms.csv"]["times"].tolist() != network.files["terms.csv"]["times"].tolist()


def test_what_lies_far_from_every_street_is_counted_and_said() -> None:
    found = made("rtmdx", "euclidean")
    snaps = found.files["terrain.json"]["metrics"]["snaps"]
    assert snaps == [
        {"what": "places", "points": 400, "far": 60},  # of 1,650 m and farther east
        {"what": "library", "points": 12, "far": 0},
        {"what": "pub", "points": 12, "far": 0},
    ]
    assert "Farther than 100 m from every street" in words(found.section)
    assert "places 60 of 400" in words(found.section)


def test_without_streets_there_is_one_metric() -> None:
    asked = {key: value for key, value in ASKED.items() if key != "streets"}
    found = run(cases(), Layers.of([LAYERS["pub"]]), GRID, Parameters(**asked, **MODES["rtmdx"]), seed=1)  # type: ignore[arg-type]
    assert "metrics.csv" not in found.files
    assert "metrics" not in found.files["terrain.json"]
