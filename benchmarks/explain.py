"""Explain at London's size: near repeats, influence variables, the whole selection, resamples, density."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import measure

if TYPE_CHECKING:
    from peelian.explain.events import Events


def events_of(size: int) -> Events:
    """Events of a year on shared points (two for five events), as dense as London's snapped burglaries."""
    import numpy as np

    from peelian.explain.events import Events

    rng, held, side = np.random.default_rng(1829), size * 2 // 5, 25_000 * (size / 50_000) ** 0.5
    points = rng.uniform(0, side, (held, 2))[rng.integers(0, held, size)]
    tile = (points // 2000).astype(int) @ [1000, 1]
    return Events.of(
        points[:, 0], points[:, 1], rng.integers(0, 365, size), np.unique(tile, return_inverse=True)[1]
    )


def knox(runs: int, size: int = 50_000) -> dict[str, object]:
    """50,000 events on 20,000 shared points, a year of days, 999 permutations, 8 x 8 bands to 500 m.

    The points are as dense as London's snapped burglaries: 1.6 million pairs lie within 500 m.
    """
    from peelian.explain.bands import bands_of
    from peelian.explain.near_repeat import Asked, knox_of

    events = events_of(size)
    bands = bands_of((0.01, 100, 150, 200, 250, 300, 400, 500), tuple(range(7, 57, 7)))
    pairs = {}

    def one(null: str) -> None:
        found = knox_of(events, Asked(bands, "euclidean", null, 999, seed=1))  # type: ignore[arg-type]
        pairs["observed"] = int(found.frame["observed"].sum())

    result = measure.function(lambda: one("permute"), runs=runs)
    both = measure.function(lambda: one("both"), runs=1)
    return {
        "n": size, "permutations": 999, "bands": 64, "pairs_in_bands": pairs["observed"],
        "both_nulls_seconds": both["seconds"], **result,
    }  # fmt: skip


def knox_wide(runs: int) -> dict[str, object]:
    """The same events to 1 km: 5 x 4 bands, 999 permutations, one null."""
    from peelian.explain.bands import bands_of
    from peelian.explain.near_repeat import Asked, knox_of

    events = events_of(50_000)
    asked = Asked(bands_of((0.01, 250, 500, 750, 1000), (7, 14, 21, 28)), "euclidean", "permute", 999, seed=1)
    return {"n": 50_000, "bands": 20, **measure.function(lambda: knox_of(events, asked), runs=runs)}


def aoristic(runs: int) -> dict[str, object]:
    """1,000,000 windows of half a day on average, to the hours of the week."""
    import numpy as np

    from peelian.arithmetic.aoristic import weights

    rng = np.random.default_rng(1829)
    start = np.datetime64("2017-01-01T00:00", "m") + rng.integers(0, 3 * 365 * 1440, 1_000_000)
    end = start + rng.exponential(720, 1_000_000).astype(np.int64)
    return {"n": 1_000_000, **measure.function(lambda: weights(start, end).totals, runs=runs)}


def points_of(size: int) -> tuple[Any, Any, Any]:
    """Points on a ground of 63 cells of 50 m for each hundred of them: the grid, x and y."""
    import numpy as np

    from peelian.explain.kernel import Grid

    wide, high = round(900 * (size / 1e6) ** 0.5), round(700 * (size / 1e6) ** 0.5)
    column, row = np.divmod(np.arange(wide * high), high)
    x, y = np.random.default_rng(1829).uniform(0, (50 * wide, 50 * high), (size, 2)).T
    return Grid(column, row, 50.0, (0.0, 0.0)), np.ascontiguousarray(x), np.ascontiguousarray(y)


def kde(runs: int, size: int = 1_000_000) -> dict[str, object]:
    """1,000,000 points to 630,000 cells, quartic kernel of 10 cells, edge corrected."""
    grid, x, y = points_of(size)
    return {
        "n": size,
        "cells": len(grid.column),
        **measure.function(lambda: grid.smooth(grid.shared(x, y), 500), runs=runs),
    }


def gi_counts() -> tuple[Any, Any]:
    """160,000 cells of 100 m with uneven counts: the places and the counts."""
    import numpy as np

    rng = np.random.default_rng(1829)
    return london()[0], rng.poisson(rng.gamma(0.3, 1, 160_000)).astype(float)


def gi_star(runs: int) -> dict[str, object]:
    """Gi* on 160,000 cells with exact p of whole counts."""
    from peelian.explain.gi import chance_p, g_star

    places, counts = gi_counts()
    near = places.neighbours().astype(float)

    def one() -> None:
        g_star(counts, near)
        chance_p(counts, near, seed=1)

    return {"n": 160_000, **measure.function(one, runs=runs)}


def gi_star_drawn(runs: int) -> dict[str, object]:
    """Gi* on 160,000 cells with p by 999 permutations: values that are no whole counts, as of rates."""
    from peelian.explain.gi import chance_p, g_star

    places, counts = gi_counts()
    near, values = places.neighbours().astype(float), counts / 7

    def one() -> None:
        g_star(values, near)
        chance_p(values, near, seed=1)

    return {"n": 160_000, "permutations": 999, **measure.function(one, runs=runs, warm=False)}


def london(cells: int = 160_000) -> tuple[Any, Any, Any]:
    """160,000 cells of 100 m, 24 layers of 100,000 features in all, clustered round 60 towns: places, layers,
    and the random numbers to go on with. Other sizes (squares) are as dense."""
    import geopandas as gpd
    import numpy as np
    from shapely import box

    from peelian.layers import Layer, Layers
    from peelian.places import Places

    rng, side = np.random.default_rng(1829), round(cells**0.5) * 100
    places = Places.grid(gpd.GeoSeries([box(0, 0, side, side)], crs="EPSG:27700"), 100)
    towns, features = rng.uniform(2_000, side - 2_000, (60, 2)), 100_000 * len(places) // 160_000
    layers = []
    for k in range(24):
        size = int(features * (1.2**-k) / sum(1.2**-j for j in range(24)))
        near = towns[rng.integers(0, 60, size)] + rng.normal(0, 2_500, (size, 2))
        points = np.where(rng.random((size, 1)) < 0.5, near, rng.uniform(0, side, (size, 2)))
        points = np.clip(points, 1, side - 1)
        layers.append(
            Layer(f"layer_{k:02d}", gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points.T), crs=27700))
        )
    return places, Layers.of(layers), rng


STEPS = tuple(100.0 * k for k in range(1, 7))


def influence(runs: int, size: int = 160_000) -> dict[str, object]:
    """Influence variables: 160,000 cells x 24 factors x 12 candidates (six distances, two operations)."""
    from peelian.explain.factors import operationalise

    places, layers, _ = london(size)
    found = {}

    def one() -> None:
        found["columns"] = operationalise(layers, places, distances=STEPS).columns.shape[1]

    result = measure.function(one, runs=runs)
    return {"n": len(places), "columns": found["columns"], **result}


def influence_wide(runs: int) -> dict[str, object]:
    """The same on 628,849 cells (793 a side)."""
    return influence(runs, 793**2)


def selection(cells: int = 160_000) -> tuple[Any, Any]:
    """The problem of London's size: counts planted on four of the 24 factors, over-dispersed."""
    import numpy as np
    import pandas as pd

    from peelian.explain.factors import operationalise

    places, layers, rng = london(cells)
    influence = operationalise(layers, places, distances=STEPS)
    planted = [f"layer_{k:02d}_proximity_{d}" for k, d in ((2, 200), (5, 300), (9, 100), (14, 400))]
    rate = 0.2 * np.exp(influence.columns[planted].to_numpy() @ np.log([2.0, 1.5, 2.5, 1.8]))
    counts = rng.poisson(rng.gamma(rate / 0.8, 0.8))
    return influence, pd.Series(counts, places.index)


def problem(cells: int = 160_000) -> tuple[Any, Any, Any]:
    """Its arrays: columns, the factor of each, counts."""
    import numpy as np

    influence, counts = selection(cells)
    names = influence.factors
    factor = np.array([names.index(f) for f in influence.meta["factor"]])
    return influence.columns.to_numpy(), factor, counts.to_numpy()


def rtm(runs: int, size: int = 160_000) -> dict[str, object]:
    """The whole selection: culling with 10 folds, Poisson and NB1 stepwise searches, no checks."""
    import numpy as np

    from peelian.explain.select import cull, heffner_folds, stepwise

    columns, factor, y = problem(size)
    found = {}

    def one() -> None:
        fold = heffner_folds(y, 10, np.random.default_rng([1, 0, 1]))
        kept = cull(columns, y, fold, ratios=(0.8, 0.95)).kept
        searches = [stepwise(columns[:, kept], factor[kept], y, family) for family in ("poisson", "nb1")]
        found["kept"], found["chosen"] = len(kept), len(searches[1].chosen)

    result = measure.function(one, runs=runs)
    return {"n": len(y), "columns": columns.shape[1], "incidents": int(y.sum()), **found, **result}


def rtm_bootstrap(runs: int) -> dict[str, object]:
    """200 resamples of tiles of the whole selection on two processes; one run, no warm-up."""
    import time

    import numpy as np

    from peelian import engine
    from peelian.explain.inference import Resample, bootstrap, tiles
    from peelian.explain.select import cull, heffner_folds

    columns, factor, y = problem()
    culling = cull(columns, y, heffner_folds(y, 5, np.random.default_rng([1, 0, 1])), ratios=(0.8, 0.95))
    column, row = np.divmod(np.arange(160_000), 400)
    tile = tiles(column * 100.0, row * 100.0, 1500)
    data = Resample(columns, factor, y, None, tile, "nb1", culling, 0.05, 1)
    pieces = [(data, part) for part in np.array_split(np.arange(200), 16)]
    start, busy = time.perf_counter(), measure.processor()
    found = [one for batch in engine.run(bootstrap, pieces, workers=2) for one in batch]
    seconds, cpu = round(time.perf_counter() - start, 2), round(measure.processor() - busy, 2)
    return {
        "n": 160_000, "columns": columns.shape[1], "replicates": len(found), "seconds": seconds,
        "cpu_seconds": cpu, "peak_mib": measure.function(lambda: None, runs=1)["peak_mib"], "runs": 1,
    }  # fmt: skip


def rtm_quick(runs: int) -> dict[str, object]:
    """The first chapter of a city of London's size with ``quick = true``: every part, no warm-up."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    from peelian.explain.run import Parameters, run
    from peelian.incidents import Incidents

    places, layers, rng = london()
    pubs = layers["layer_02"].features.geometry
    near = np.column_stack([pubs.x, pubs.y])[rng.integers(0, len(pubs), 20_000)]
    near = near + rng.normal(0, 120, near.shape)
    points = np.vstack([near, rng.uniform(0, 40_000, (30_000, 2))])
    start = pd.PeriodIndex([f"2018-{1 + k % 12:02d}" for k in range(50_000)], freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "made"},
        geometry=gpd.points_from_xy(*points.T), crs=27700,
    )  # fmt: skip
    cases = Incidents(frame, precision="month")
    found: dict[str, str] = {}

    def one() -> None:
        made = run(cases, layers, places, Parameters(quick=True), seed=1)
        found["finding"] = str(made.summary["sentence"])

    result = measure.function(one, runs=1, warm=False)
    return {"n": 160_000, "incidents": 50_000, **found, **result}
