"""A planted self-exciting process comes back; none comes back where none was planted.

Generator and bands: ``reference/predict/etas_simulation.json`` (two components, points snapped to 20 m,
times floored to the day); the file is read where it is there, and the test skipped where it is not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from shapely import box

from peelian.places import Places
from peelian.predict import Hawkes
from peelian.predict.history import Events, History
from peelian.predict.kernel import Kernel, mean_delay, over_period
from peelian.predict.linked import pairs_within
from peelian.predict.triggering import Observed, Reach, triggered


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    text = (shared / "reference" / "predict" / "etas_simulation.json").read_text("utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def simulated(case: dict[str, Any], repeat: float, near: float, seed: int) -> History:
    """The process of the file's generator, counted on cells of 200 m."""
    rng, side, last = np.random.default_rng(seed), case["L"], case["T"]
    number = rng.poisson(case["N"] * (1 - repeat - near))
    centres, shares = rng.uniform(0, side, (case["H"], 2)), rng.dirichlet(np.ones(case["H"]))
    around = centres[rng.choice(case["H"], number - number // 2, p=shares)]
    points = np.vstack([rng.uniform(0, side, (number // 2, 2)), around + rng.normal(0, 800, around.shape)])
    times, everything = rng.uniform(0, last, number), []
    while len(points):
        kept = ((points >= 0) & (points < side)).all(axis=1) & (times < last)
        points, times = points[kept], times[kept]
        everything.append(np.column_stack([points, times]))
        again, next_to = rng.poisson(repeat, len(points)), rng.poisson(near, len(points))
        spread = rng.normal(0, case["sigma"], (next_to.sum(), 2))
        born = np.concatenate([np.repeat(times, again), np.repeat(times, next_to)])
        times = born + rng.exponential(case["tau_days"], len(born))
        points = np.vstack([np.repeat(points, again, axis=0), np.repeat(points, next_to, axis=0) + spread])
    x, y, t = np.vstack(everything).T
    x, y = (np.round(value / case["snap"]) * case["snap"] for value in (x, y))
    return counted(x, y, np.floor(t).astype(int), side, last)


def counted(x: np.ndarray, y: np.ndarray, day: np.ndarray, side: float, last: int) -> History:
    cells = Places.grid(gpd.GeoSeries([box(0, 0, side, side)], crs="EPSG:27700"), 200)
    width = int(side / 200)
    table = np.zeros((width, width), int)
    table[cells.frame["row"], cells.frame["column"]] = np.arange(len(cells))
    place = table[*(np.clip((value / 200).astype(int), 0, width - 1) for value in (y, x))]
    events = Events(place, day, day + 1, x, y)
    return History(cells, events.matrix(len(cells), 0, last), 0, last, "day", events)


@pytest.mark.parametrize("seed", range(1, 6))
def test_what_was_planted_comes_back(reference: dict[str, Any], seed: int) -> None:
    case = reference["recovery_case"]
    history = simulated(case, case["theta_r"], case["theta_n"], seed=seed)
    kernel = Hawkes(repeat_area=case["snap"] ** 2, refit=10_000).fitted(history).kernel
    found = {"theta_r": kernel.repeat, "theta_n": kernel.near, "sigma": kernel.sigma, "tau": 1 / kernel.omega}
    outside = {name: value for name, value in found.items() if np.clip(value, *case["accept"][name]) != value}
    assert not outside


@pytest.mark.parametrize("seed", range(1, 6))
def test_nothing_comes_back_where_nothing_was_planted(reference: dict[str, Any], seed: int) -> None:
    case = reference["recovery_case"]
    history = simulated(case, 0.0, 0.0, seed=seed)
    method = Hawkes(repeat_area=case["snap"] ** 2, refit=10_000)
    fit = method.fitted(history)
    kernel = fit.kernel
    assert kernel.repeat < reference["null_case"]["accept"]["theta_r_below"]
    assert kernel.near < reference["null_case"]["accept"]["theta_n_below"]
    assert "behaves like a map of past counts" in fit.warnings["theta low"]


def test_the_likelihood_never_falls_with_the_background_fixed() -> None:
    rng = np.random.default_rng(3)
    day = np.sort(rng.integers(0, 300, 2_000))
    x, y = rng.normal(0, 400, (2, 2_000))
    pairs = pairs_within(day, x, y, distance=500, days=90)
    reach = Reach(500, 90, 400.0, 25.0, 300)
    rate = np.full(2_000, 2_000 / 300 / 4e6)
    found = triggered(Observed(day), pairs, reach, lambda chance: rate, renew=False, steps=60)
    assert (np.diff(found.log_likelihood) > -1e-3).all()  # single precision over 2,000 logarithms


def test_the_closed_form_is_the_mean_of_simulated_continuations() -> None:
    """10,000 continuations of one place, background 0.5 and excitation 0.8 a day, over a fortnight."""
    kernel = Kernel(0.3, 0.1, 0.2, 100.0)
    rng, total, runs = np.random.default_rng(8), 0, 10_000
    times = rng.uniform(0, 14, rng.poisson(0.5 * 14 * runs))
    early = rng.exponential(1 / kernel.omega, rng.poisson(0.8 / kernel.omega * runs))
    times = np.concatenate([times, early[early < 14]])
    while len(times):
        total += len(times)
        born = np.repeat(times, rng.poisson(kernel.total, len(times)))
        times = born + rng.exponential(1 / kernel.omega, len(born))
        times = times[times < 14]
    expected = over_period(np.array([0.5]), np.array([0.8]), kernel, 14)[0]
    assert expected == pytest.approx(total / runs, rel=0.02)


def test_without_triggering_the_forecast_is_the_background() -> None:
    background = np.array([0.5, 2.0])
    risk = over_period(background, np.zeros(2), Kernel(0.0, 0.0, 0.1, 50.0), 7)
    assert risk == pytest.approx(7 * background)


def test_pairs_are_all_and_only_those_within_reach() -> None:
    rng = np.random.default_rng(4)
    day, (x, y) = np.sort(rng.integers(0, 40, 300)), rng.uniform(0, 900, (2, 300))
    found = pairs_within(day, x, y, distance=150, days=12)
    gap, square = day[:, None] - day, (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    expected = np.argwhere((gap > 0) & (gap <= 12) & (square <= 150**2))
    assert np.column_stack([found.child, found.parent]).tolist() == expected.tolist()


def test_a_cut_delay_is_shorter_than_its_exponential() -> None:
    assert mean_delay(Kernel(0.1, 0.1, 1 / 60, 100.0), 180) < 60
