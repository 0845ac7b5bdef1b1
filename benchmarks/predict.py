"""Predict: a fit of the self-exciting model, and a backtest of ten methods, on simulated triggering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import measure

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.history import History

CELL = 250


def hawkes(runs: int, size: int = 200_000) -> dict[str, object]:
    """A fit on about 196,000 incidents over ten years (other sizes are as dense)."""
    return _hawkes(size, round(40_000 * (size / 200_000) ** 0.5), size // 250, runs)


def hawkes_million(runs: int) -> dict[str, object]:
    """A fit on about 987,000 incidents over ten years."""
    return _hawkes(1_000_000, 60_000, 2_000, runs)


METHODS = (
    "counts(28)", "counts(365)", "ewma(180)", "kde(250)", "gamma_poisson",
    "promap", "hawkes", "fourier", "ridge", "stack",
)  # fmt: skip


def backtest(runs: int) -> dict[str, object]:
    """Ten methods over 52 weeks on 8,100 cells and about 50,000 incidents of five years, scores and pairs."""
    from peelian.predict.backtest import backtest as run
    from peelian.predict.methods import methods_named

    incidents, cells = dated()
    methods = methods_named(METHODS, step="day")
    result = measure.function(
        lambda: run(methods, incidents, cells, origins=52, horizon="week", seed=1), runs=runs, warm=False
    )
    return {"n": len(incidents.frame), "cells": len(cells), "methods": len(methods), **result}


def forecast(runs: int) -> dict[str, object]:
    """Next week's forecast, its map and a week of missions with their files on 8,100 cells; backtest done."""
    import geopandas as gpd
    from shapely import box

    from peelian.places import Places
    from peelian.predict.backtest import backtest as run
    from peelian.predict.extras import missions_part
    from peelian.predict.forecast import next_period
    from peelian.predict.methods import methods_named
    from peelian.predict.patrol import Given
    from peelian.predict.report import forecast_map
    from peelian.predict.tables import MissionTable

    incidents, cells = dated()
    wards = Places.grid(gpd.GeoSeries([box(0, 0, 90 * CELL, 90 * CELL)], crs=cells.crs), 10 * CELL)
    tested = run(methods_named(METHODS[:6], step="day"), incidents, cells, origins=4, horizon="week", seed=1)
    asked = MissionTable(boxes=20)

    def one() -> None:
        found = next_period(incidents, cells, tested)
        forecast_map(found, cells, "burglaries", "simulated", published=False)
        missions_part(
            found, incidents, cells, wards, asked, Given(), crime="Burglary", crimes="burglaries",
            source="simulated", seed=1,
        )  # fmt: skip

    return {"n": len(cells), "incidents": len(incidents.frame), **measure.function(one, runs=runs)}


def dated() -> tuple[Incidents, Places]:
    """About 50,000 incidents of five years, dated by day, and 8,100 cells."""
    import geopandas as gpd
    import pandas as pd
    from shapely import box, points

    from peelian.incidents import Incidents
    from peelian.places import Places

    side = 90 * CELL
    events = simulated(50_000, side, 300, days=1_826).events
    start = pd.Timestamp("2015-01-01") + pd.to_timedelta(events.at, unit="D")
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.Timedelta(1, "D"), "type": "burglary", "source": "simulated"},
        geometry=points(events.x, events.y), crs="EPSG:27700",
    )  # fmt: skip
    return Incidents(frame), Places.grid(gpd.GeoSeries([box(0, 0, side, side)], crs="EPSG:27700"), CELL)


def _hawkes(number: int, side: int, centres: int, runs: int) -> dict[str, object]:
    from dataclasses import replace

    from peelian.predict.hawkes import Hawkes

    history = simulated(number, side, centres)
    method = Hawkes(500, days=90, repeat_area=400, floor=25, refit=10_000)
    result = measure.function(lambda: method.fitted(replace(history, memo={})), runs=runs)
    return {"n": len(history.events.at), **result}


def simulated(number: int, side: int, centres: int, *, days: int = 3_650, seed: int = 7) -> History:
    """Half even, half round centres; each brings .08 at its place and .15 within 120 m, after 30 days."""
    import geopandas as gpd
    import numpy as np
    from shapely import box

    from peelian.places import Places
    from peelian.predict.history import Events, History

    rng = np.random.default_rng(seed)
    first = rng.poisson(number * 0.77)
    spots = rng.uniform(0, side, (centres, 2))[
        rng.choice(centres, first // 2, p=rng.dirichlet(np.ones(centres)))
    ]
    points = np.vstack(
        [rng.uniform(0, side, (first - first // 2, 2)), spots + rng.normal(0, 800, spots.shape)]
    )
    times, everything = rng.uniform(0, days, first), []
    while len(points):
        kept = ((points >= 0) & (points < side)).all(axis=1) & (times < days)
        points, times = points[kept], times[kept]
        everything.append(np.column_stack([points, times]))
        again, near = rng.poisson(0.08, len(points)), rng.poisson(0.15, len(points))
        next_to = np.repeat(points, near, axis=0) + rng.normal(0, 120, (int(near.sum()), 2))
        born = np.concatenate([np.repeat(times, again), np.repeat(times, near)])
        points, times = (
            np.vstack([np.repeat(points, again, axis=0), next_to]),
            born + rng.exponential(30, len(born)),
        )
    x, y, t = np.vstack(everything).T
    x, y, day = np.round(x / 20) * 20, np.round(y / 20) * 20, np.floor(t).astype(int)
    cells = Places.grid(gpd.GeoSeries([box(0, 0, side, side)], crs="EPSG:27700"), CELL)
    width = int(np.ceil(side / CELL))
    table = np.zeros((width, width), int)
    table[cells.frame["row"], cells.frame["column"]] = np.arange(len(cells))
    row, column = (np.clip((value / CELL).astype(int), 0, width - 1) for value in (y, x))
    events = Events(table[row, column], day, day + 1, x, y)
    return History(cells, events.matrix(len(cells), 0, days), 0, days, "day", events)
