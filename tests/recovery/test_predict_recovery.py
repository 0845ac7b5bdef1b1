"""What was put into simulated counts comes back out: heterogeneity, a terrain, and no false claims."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.arithmetic.scores import calibration, overdispersion
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import EWMA, KDE, Counts, GammaPoisson, PriorHistory
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.baselines import shrunk
from peelian.predict.blend import strength
from peelian.predict.claims import block_draws, pairs
from peelian.predict.interval import interval

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs="EPSG:27700"), 100)
N = len(CELLS)


def simulated(rates: np.ndarray, *, months: int = 60, seed: int = 1) -> Incidents:
    rng = np.random.default_rng(seed)
    when = pd.period_range("2015-01", periods=months, freq="M").to_timestamp()
    counts = rng.poisson(rates, (months, N))
    month, cell = np.nonzero(counts)
    times = np.repeat(np.arange(len(month)), counts[month, cell])
    start = pd.Series(when[month[times]])
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "burglary", "source": "simulated"},
        geometry=CELLS.points.iloc[cell[times]].to_numpy(),
        crs=CELLS.crs,
    )
    return Incidents(frame, precision="month")


@pytest.mark.parametrize("k", [0.5, 2.0, 8.0])
def test_the_strength_of_the_prior_comes_back(k: float) -> None:
    rng = np.random.default_rng(4)
    shape = rng.uniform(0.5, 2.0, 3_000)
    shape = shape / shape.sum()
    counts = rng.poisson(rng.gamma(k, shape * 30_000 / k))
    assert strength(counts.astype(float), shape) == pytest.approx(k, rel=0.12)


def test_drawing_to_the_mean_recovers_the_rates_better_than_counts_do() -> None:
    rng = np.random.default_rng(5)
    rate = rng.gamma(2.0, 1.0, 2_000)
    counts = rng.poisson(rate * 2)
    raw, drawn = counts / 2, shrunk(counts.astype(float), 2.0)
    assert np.mean((drawn - rate) ** 2) < 0.85 * np.mean((raw - rate) ** 2)


def test_the_dispersion_of_counts_comes_back() -> None:
    rng = np.random.default_rng(6)
    rate = rng.uniform(1, 5, 20_000)
    counts = rng.negative_binomial(1 / 0.4, 1 / (1 + 0.4 * rate))
    assert overdispersion(counts, rate) == pytest.approx(0.4, abs=0.03)


def test_intervals_hold_what_they_say() -> None:
    rng = np.random.default_rng(7)
    rate = rng.uniform(0.5, 30, 20_000)
    counts = rng.negative_binomial(1 / 0.3, 1 / (1 + 0.3 * rate))
    low, high = interval(rate, 0.3, level=0.9)
    held = float(np.mean((low <= counts) & (counts <= high)))
    assert 0.9 <= held <= 0.94


@pytest.fixture(scope="module")
def terrain() -> Backtest:
    """Rates that follow a known terrain, with little history: here the blend must win."""
    rng = np.random.default_rng(8)
    truth = rng.gamma(0.5, 0.3, N)
    return backtest(
        {"blend": PriorHistory(pd.Series(truth, CELLS.index), 12), "ewma": EWMA(12), "kde": KDE(200)},
        simulated(truth), CELLS, origins=30, seed=1,
    )  # fmt: skip


def test_a_true_terrain_beats_counts_and_is_said_to(terrain: Backtest) -> None:
    assert terrain.verdict.code == "better"
    assert terrain.verdict.method == "blend"


def test_a_true_terrain_is_calibrated(terrain: Backtest) -> None:
    assert terrain.pooled.set_index("method").loc["blend", "slope"] == pytest.approx(1.0, abs=0.06)


def test_counts_of_a_short_window_are_too_bold(terrain: Backtest) -> None:
    assert terrain.pooled.set_index("method").loc["counts(12)", "slope"] < 0.9


def test_a_terrain_that_is_noise_is_given_little_weight() -> None:
    rng = np.random.default_rng(9)
    truth, noise = rng.gamma(1.0, 1.0, N), pd.Series(rng.gamma(1.0, 1.0, N), CELLS.index)
    held = simulated(truth)
    blend = PriorHistory(noise, 24)(held, CELLS, pd.Period("2020-01", "M"))
    counted = EWMA(24)(held, CELLS, pd.Period("2020-01", "M"))
    assert np.corrcoef(blend, counted)[0, 1] > 0.97


def test_gamma_poisson_is_calibrated_where_counts_are_not() -> None:
    rng = np.random.default_rng(10)
    truth = rng.gamma(1.0, 0.5, N)
    held, after = simulated(truth, months=12), rng.poisson(truth * 12)
    year = ("2016-01-01", "2017-01-01")
    drawn, raw = (method(held, CELLS, year) for method in (GammaPoisson(), Counts()))
    slopes = [calibration(after, np.maximum(risk, 0.1)).slope for risk in (drawn.to_numpy(), raw.to_numpy())]
    assert abs(slopes[0] - 1) < 0.1
    assert slopes[1] < slopes[0]


def test_methods_that_are_no_better_are_seldom_said_to_be() -> None:
    """100 simulated comparisons of two methods that differ by noise: at most the stated 5 % and its error."""
    rng = np.random.default_rng(11)
    drawn, said = block_draws(24, seed=1, draws=400), 0
    for _ in range(100):
        logs = {"counts": rng.normal(1, 0.02, 24), "other": rng.normal(1, 0.02, 24)}
        hits = {name: rng.normal(20, 3, 24) for name in logs}
        said += pairs(logs, hits, np.full(24, 100.0), reference="counts", drawn=drawn)[0].beats
    assert said <= 5
