"""What holds of the modern mode for any data: risk never rises with distance, sums add up, bytes repeat."""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from peelian.errors import DesignError
from peelian.explain import elastic, rtm
from peelian.explain.decay import cuts_of
from peelian.explain.folds import blocked, dealt
from peelian.explain.groups import Data
from peelian.explain.model import RiskTerrain
from peelian.explain.monotone import Nested, Path, State
from peelian.layers import Layer, Layers
from peelian.places import Places

GRID = Places.grid(gpd.GeoSeries([box(0, 0, 3000, 3000)], crs=27700), 100)
X, Y = GRID.points.x.to_numpy(), GRID.points.y.to_numpy()
SMALL = {"mode": "modern", "reach_limit": 500, "tile": 600, "clusters": 600, "permutations": 0}
QUICK = SMALL | {"replicates": 0, "shift": False, "refit": "none", "sensitivity": False}


def layer(name: str, sites: np.ndarray, sign: str = "aggravating") -> Layer:
    return Layer(name, gpd.GeoDataFrame(geometry=gpd.points_from_xy(*sites.T), crs=27700), sign=sign)


def near(sites: np.ndarray, reach: float) -> np.ndarray:
    return np.min(np.hypot(X[:, None] - sites[:, 0], Y[:, None] - sites[:, 1]), axis=1) <= reach


def world(seed: int, times: float = 3.0, sign: str = "aggravating") -> tuple[pd.Series, Layers]:
    """15 sites that go with ``times`` the crime within 200 m, 10 idle ones, about 1,500 events."""
    rng = np.random.default_rng([30, seed])
    sites, idle = rng.uniform(0, 3000, (15, 2)), rng.uniform(0, 3000, (10, 2))
    rate = np.where(near(sites, 200), times, 1.0)
    counts = pd.Series(rng.poisson(1500 * rate / rate.sum()), GRID.index)
    return counts, Layers.of([layer("planted", sites, sign), layer("idle", idle, sign)])


@cache
def terrain(workers: int = 1) -> RiskTerrain:
    return rtm(*world(1), GRID, seed=1, replicates=20, workers=workers, **SMALL)


# -------------------------------------------------------------------- nested columns and their path
def nested_sample(seed: int, n: int = 200) -> tuple[Nested, np.ndarray]:
    rng = np.random.default_rng(seed)
    size = np.array([4, 1, 3])
    levels = np.column_stack([rng.integers(0, k + 1, n) for k in size]).astype(np.uint8)
    sign = np.array([1, -1, 1])
    nested = Nested(levels, np.concatenate([[0], size.cumsum()]), sign)
    mean = np.exp(-0.5 + 0.4 * levels[:, 0] - 0.6 * levels[:, 1])
    return nested, rng.poisson(mean).astype(float)


@given(seed=st.integers(0, 10_000))
def test_sums_and_effects_are_those_of_the_columns_written_out(seed: int) -> None:
    nested, values = nested_sample(seed)
    columns = nested.take(np.arange(nested.size))
    b = np.random.default_rng(seed).random(nested.size)
    assert nested.sums(values) == pytest.approx(columns.T @ values)
    assert nested.effect(b) == pytest.approx(columns @ b)


@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.9))
@settings(max_examples=20)
def test_the_path_solves_the_same_problem_as_the_elastic_net_of_the_cull(seed: int, share: float) -> None:
    nested, counts = nested_sample(seed)
    ones = np.ones(len(counts))
    columns = nested.take(np.arange(nested.size))
    path = Path(nested, ones[:, None], counts, ones)
    penalty = share * path.highest()
    paths = elastic.Paths(Data.of(columns, counts), 0.95)
    paths.at(penalty)
    other = paths.state()
    found = path.at(penalty)
    assert found.b == pytest.approx(other.coefficients, abs=2e-4)
    assert found.free[0] == pytest.approx(other.intercept, abs=2e-4)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10)
def test_whole_weights_are_cells_repeated(seed: int) -> None:
    nested, counts = nested_sample(seed)
    ones, weights = np.ones(len(counts)), np.random.default_rng(seed).integers(0, 3, len(counts))
    again = np.repeat(np.arange(len(counts)), weights)
    weighted = Path(nested, ones[:, None], counts, ones, weights=weights)
    repeated = Path(nested.rows(again), ones[again][:, None], counts[again], ones[again])
    penalty = 0.2 * weighted.highest()
    assert weighted.at(penalty).b == pytest.approx(repeated.at(penalty).b, abs=1e-5)


def test_nothing_is_left_in_at_the_highest_penalty() -> None:
    nested, counts = nested_sample(5)
    path = Path(nested, np.ones((len(counts), 1)), counts, np.ones(len(counts)))
    assert path.at(path.highest() * 1.0001).b.sum() == 0
    assert path.at(path.highest() * 0.98).b.sum() > 0


def test_a_path_begun_elsewhere_ends_at_the_same_place() -> None:
    nested, counts = nested_sample(6)
    ones = np.ones(len(counts))
    one, other = (Path(nested, ones[:, None], counts, ones) for _ in range(2))
    penalty = 0.1 * one.highest()
    other.begin(State(other.state.free, np.full(nested.size, 0.3)))
    assert other.at(penalty).b == pytest.approx(one.at(penalty).b, abs=1e-4)


# -------------------------------------------------------------------- the terrain
@given(seed=st.integers(0, 10_000), times=st.floats(0.2, 5))
@settings(max_examples=8)
def test_risk_never_rises_with_distance(seed: int, times: float) -> None:
    found = rtm(*world(seed, times), GRID, seed=1, rule="min", **QUICK)
    for _, curve in found.curves[found.curves["operation"] == "proximity"].groupby("factor"):
        assert (np.diff(curve["relative_risk"]) <= 1e-12).all()
        assert (curve["relative_risk"] >= 1).all()
    for _, curve in found.curves[found.curves["operation"] == "density"].groupby(["factor", "bandwidth"]):
        assert (np.diff(curve["relative_risk"]) >= -1e-12).all()


def test_a_protective_layer_lowers_risk_and_never_raises_it() -> None:
    found = rtm(*world(3, 1 / 3, "protective"), GRID, seed=1, **QUICK)
    planted = found.terms.set_index("factor").loc["planted"]
    assert planted["times"] < 0.6
    assert (found.curves["relative_risk"] <= 1).all()


def test_the_data_choose_the_sign_of_a_layer_marked_either() -> None:
    found = rtm(*world(3, 1 / 3, "either"), GRID, seed=1, **QUICK)
    planted = found.terms.set_index("factor").loc["planted"]
    assert planted["sign"] == -1
    assert planted["note"] == "the data chose whether it raises or lowers the risk"


def test_an_aggravating_layer_where_crime_is_low_has_no_effect() -> None:
    found = rtm(*world(3, 1 / 3), GRID, seed=1, operations="proximity", **QUICK)
    assert "planted" not in found.terms.loc[found.terms["times"] > 1.15, "factor"].tolist()


def test_homes_stand_behind_an_idle_factor_unless_they_are_counted() -> None:
    bare = per_home = 0
    for seed in range(5):
        rng = np.random.default_rng([31, seed])
        homes = np.where((X < 1500) & (Y < 1500), 40.0, 10.0)
        counts = pd.Series(rng.poisson(1500 * homes / homes.sum()), GRID.index)
        layers = Layers.of([layer("idle", rng.uniform(0, 1500, (15, 2)))])
        offset = pd.Series(homes, GRID.index)
        bare += len(rtm(counts, layers, GRID, seed=seed, **QUICK).terms)
        per_home += len(rtm(counts, layers, GRID, seed=seed, offset=offset, **QUICK).terms)
    assert bare == 5
    assert per_home <= 1


def test_adjustment_takes_the_place_of_an_idle_factor_and_is_never_reported() -> None:
    rng = np.random.default_rng(32)
    poor = np.where((X < 1500) & (Y < 1500), 1.0, 0.0)
    counts = pd.Series(rng.poisson(np.where(poor > 0, 4.0, 1.0)), GRID.index)
    layers = Layers.of([layer("idle", rng.uniform(0, 1500, (15, 2)))])
    bare = rtm(counts, layers, GRID, seed=1, **QUICK)
    adjusted = rtm(counts, layers, GRID, seed=1, adjust=pd.DataFrame({"poor": poor}, GRID.index), **QUICK)
    assert bare.terms["factor"].tolist() == ["idle"]
    assert adjusted.terms.empty
    assert adjusted.inference["adjusted_for"] == ["poor"]
    assert adjusted.risk.corr(pd.Series(poor, GRID.index)) == pytest.approx(1, abs=1e-6)


def test_times_average_has_mean_one_and_fitted_events_add_up() -> None:
    found = terrain()
    assert found.times_average.mean() == pytest.approx(1)
    assert found.expected.sum() == pytest.approx(found.counts.sum())
    assert found.relative_risk.min() == pytest.approx(1)


def test_times_average_is_weighted_by_what_is_at_risk() -> None:
    homes = pd.Series(np.random.default_rng(1).integers(1, 60, len(GRID)).astype(float), GRID.index)
    found = rtm(*world(1), GRID, seed=1, offset=homes, **QUICK)
    assert (found.times_average * homes).sum() / homes.sum() == pytest.approx(1)
    assert any("Counting what is at risk" in words for words in found.warnings)


def test_the_number_of_processes_changes_nothing() -> None:
    one, two = terrain(1), terrain(2)
    for name in ("terms", "factors", "curves", "sensitivity", "bands", "uncertainty"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    assert one.risk.to_numpy().tobytes() == two.risk.to_numpy().tobytes()


def test_moving_everything_changes_nothing() -> None:
    counts, layers = world(1)
    by = 700.0
    moved = Places.grid(gpd.GeoSeries([box(by, by, 3000 + by, 3000 + by)], crs=27700), 100)
    there = Layers.of(
        [Layer(n, layers[n].features.set_geometry(layers[n].features.translate(by, by))) for n in layers]
    )
    one = rtm(counts, layers, GRID, seed=1, **QUICK)
    other = rtm(counts.set_axis(moved.index), there, moved, seed=1, **QUICK)
    assert other.risk.to_numpy() == pytest.approx(one.risk.to_numpy(), rel=1e-6)


# -------------------------------------------------------------------- folds and cuts
@given(counts=st.lists(st.integers(0, 50), min_size=10, max_size=40), folds=st.integers(2, 5))
def test_folds_of_tiles_are_nearly_alike_in_crime(counts: list[int], folds: int) -> None:
    fold = dealt(np.arange(len(counts)), np.array(counts), folds)
    held = np.bincount(fold, counts, folds)
    assert np.ptp(held) <= max(counts)
    assert set(fold) == set(range(folds))


def test_tiles_stay_whole_and_the_buffer_keeps_its_distance() -> None:
    counts = np.ones(len(GRID))
    found = blocked(GRID, np.ones(len(GRID), bool), counts, side=600, buffer=250)
    assert all(len(np.unique(found.fold[found.tile == t])) == 1 for t in np.unique(found.tile))
    for f, train in enumerate(found.train):
        out = found.fold == f
        apart = np.hypot(X[train][:, None] - X[out], Y[train][:, None] - Y[out]).min()
        assert apart > 250
        assert not (train & out).any()


def test_too_few_tiles_are_refused_with_the_side_that_would_do() -> None:
    with pytest.raises(DesignError, match=r"Only 4 square tiles of 1500 m .* tile = 900 "):
        blocked(GRID, np.ones(len(GRID), bool), np.ones(len(GRID)), side=1500)


def test_cuts_of_moved_points_start_at_100_m() -> None:
    assert cuts_of(50, 300).tolist()[::-1] == [25 * k for k in range(1, 13)]
    assert cuts_of(50, 300, snapped=True).tolist()[::-1] == [100, 150, 200, 250, 300]
