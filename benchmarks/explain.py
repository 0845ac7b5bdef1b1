"""Explain at London's size: near repeats, influence variables, the whole selection, resamples, density."""

from __future__ import annotations

from benchmarks import measure


def knox(runs: int) -> dict[str, object]:
    """50,000 events on 20,000 shared points, a year of days, 999 permutations, 8 x 8 bands to 500 m.

    The points are as dense as London's snapped burglaries: 1.6 million pairs lie within 500 m.
    """
    import numpy as np

    from peelian.explain.bands import bands_of
    from peelian.explain.events import Events
    from peelian.explain.near_repeat import Asked, knox_of

    rng = np.random.default_rng(1829)
    points = rng.uniform(0, 25_000, (20_000, 2))[rng.integers(0, 20_000, 50_000)]
    tile = (points // 2000).astype(int) @ [1000, 1]
    events = Events.of(
        points[:, 0], points[:, 1], rng.integers(0, 365, 50_000), np.unique(tile, return_inverse=True)[1]
    )
    bands = bands_of((0.01, 100, 150, 200, 250, 300, 400, 500), tuple(range(7, 57, 7)))
    pairs = {}

    def one(null: str) -> None:
        found = knox_of(events, Asked(bands, "euclidean", null, 999, seed=1))  # type: ignore[arg-type]
        pairs["observed"] = int(found.frame["observed"].sum())

    result = measure.function(lambda: one("permute"), runs=runs)
    both = measure.function(lambda: one("both"), runs=1)
    return {
        "n": 50_000, "permutations": 999, "bands": 64, "pairs_in_bands": pairs["observed"],
        "both_nulls_seconds": both["seconds"], **result,
    }  # fmt: skip


def aoristic(runs: int) -> dict[str, object]:
    """1,000,000 windows of half a day on average, to the hours of the week."""
    import numpy as np

    from peelian.arithmetic.aoristic import weights

    rng = np.random.default_rng(1829)
    start = np.datetime64("2017-01-01T00:00", "m") + rng.integers(0, 3 * 365 * 1440, 1_000_000)
    end = start + rng.exponential(720, 1_000_000).astype(np.int64)
    return {"n": 1_000_000, **measure.function(lambda: weights(start, end).totals, runs=runs)}


def kde(runs: int) -> dict[str, object]:
    """1,000,000 points to 630,000 cells, quartic kernel of 10 cells, edge corrected."""
    import numpy as np

    from peelian.explain.kernel import Grid

    column, row = np.divmod(np.arange(900 * 700), 700)
    grid = Grid(column, row, 50.0, (0.0, 0.0))
    x, y = np.random.default_rng(1829).uniform(0, (45_000, 35_000), (1_000_000, 2)).T
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    return {
        "n": 1_000_000,
        "cells": 630_000,
        **measure.function(lambda: grid.smooth(grid.shared(x, y), 500), runs=runs),
    }


def gi_star(runs: int) -> dict[str, object]:
    """Gi* on 160,000 cells with exact p of whole counts."""
    import numpy as np

    from peelian.explain.gi import chance_p, g_star

    near = _london()[0].neighbours().astype(float)  # type: ignore[attr-defined]
    rng = np.random.default_rng(1829)
    counts = rng.poisson(rng.gamma(0.3, 1, 160_000)).astype(float)

    def one() -> None:
        g_star(counts, near)
        chance_p(counts, near, seed=1)

    return {"n": 160_000, **measure.function(one, runs=runs)}


def _london() -> tuple[object, object, object]:
    """160,000 cells of 100 m, 24 layers of 100,000 features in all, 50,000 incidents near some of them."""
    import geopandas as gpd
    import numpy as np
    from shapely import box

    from peelian.layers import Layer, Layers
    from peelian.places import Places

    rng = np.random.default_rng(1829)
    places = Places.grid(gpd.GeoSeries([box(0, 0, 40_000, 40_000)], crs="EPSG:27700"), 100)
    towns = rng.uniform(2_000, 38_000, (60, 2))
    layers = []
    for k in range(24):
        size = int(100_000 * (1.2**-k) / sum(1.2**-j for j in range(24)))
        near = towns[rng.integers(0, 60, size)] + rng.normal(0, 2_500, (size, 2))
        points = np.where(rng.random((size, 1)) < 0.5, near, rng.uniform(0, 40_000, (size, 2)))
        points = np.clip(points, 1, 39_999)
        layers.append(
            Layer(f"layer_{k:02d}", gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points.T), crs=27700))
        )
    return places, Layers.of(layers), rng


def influence(runs: int) -> dict[str, object]:
    """Influence variables: 160,000 cells x 24 factors x 12 candidates (six distances, two operations)."""
    from peelian.explain.factors import operationalise

    places, layers, _ = _london()
    steps = [100.0 * k for k in range(1, 7)]
    found = {}

    def one() -> None:
        found["columns"] = operationalise(layers, places, distances=steps).columns.shape[1]  # type: ignore[arg-type]

    result = measure.function(one, runs=runs)
    return {"n": 160_000, "columns": found["columns"], **result}


def _selection() -> tuple[object, object]:
    """The problem of London's size: counts planted on four of the 24 factors, over-dispersed."""
    import numpy as np
    import pandas as pd

    from peelian.explain.factors import operationalise

    places, layers, rng = _london()
    influence = operationalise(layers, places, distances=[100.0 * k for k in range(1, 7)])  # type: ignore[arg-type]
    planted = [f"layer_{k:02d}_proximity_{d}" for k, d in ((2, 200), (5, 300), (9, 100), (14, 400))]
    rate = 0.2 * np.exp(influence.columns[planted].to_numpy() @ np.log([2.0, 1.5, 2.5, 1.8]))
    counts = rng.poisson(rng.gamma(rate / 0.8, 0.8))  # type: ignore[attr-defined]
    return influence, pd.Series(counts, places.index)  # type: ignore[attr-defined]


def rtm(runs: int) -> dict[str, object]:
    """The whole selection: culling with 10 folds, Poisson and NB1 stepwise searches, no checks."""
    import numpy as np

    from peelian.explain.select import cull, heffner_folds, stepwise

    influence, counts = _selection()
    columns, y = influence.columns.to_numpy(), counts.to_numpy()  # type: ignore[attr-defined]
    names = influence.factors  # type: ignore[attr-defined]
    factor = np.array([names.index(f) for f in influence.meta["factor"]])  # type: ignore[attr-defined]
    found = {}

    def one() -> None:
        fold = heffner_folds(y, 10, np.random.default_rng([1, 0, 1]))
        kept = cull(columns, y, fold, ratios=(0.8, 0.95)).kept
        searches = [stepwise(columns[:, kept], factor[kept], y, family) for family in ("poisson", "nb1")]
        found["kept"], found["chosen"] = len(kept), len(searches[1].chosen)

    result = measure.function(one, runs=runs)
    return {"n": 160_000, "columns": columns.shape[1], "incidents": int(y.sum()), **found, **result}


def rtm_bootstrap(runs: int) -> dict[str, object]:
    """200 resamples of tiles of the whole selection on two processes; one run, no warm-up."""
    import time

    import numpy as np

    from peelian import engine
    from peelian.explain.inference import Resample, bootstrap, tiles
    from peelian.explain.select import cull, heffner_folds

    influence, counts = _selection()
    columns, y = influence.columns.to_numpy(), counts.to_numpy()  # type: ignore[attr-defined]
    names = influence.factors  # type: ignore[attr-defined]
    factor = np.array([names.index(f) for f in influence.meta["factor"]])  # type: ignore[attr-defined]
    culling = cull(columns, y, heffner_folds(y, 5, np.random.default_rng([1, 0, 1])), ratios=(0.8, 0.95))
    column, row = np.divmod(np.arange(160_000), 400)
    tile = tiles(column * 100.0, row * 100.0, 1500)
    data = Resample(columns, factor, y, None, tile, "nb1", culling, 0.05, 1)
    pieces = [(data, part) for part in np.array_split(np.arange(200), 16)]
    start = time.perf_counter()
    found = [one for batch in engine.run(bootstrap, pieces, workers=2) for one in batch]
    seconds = round(time.perf_counter() - start, 2)
    return {
        "n": 160_000, "columns": columns.shape[1], "replicates": len(found), "seconds": seconds,
        "peak_mib": measure.function(lambda: None, runs=1)["peak_mib"], "runs": 1,
    }  # fmt: skip


def rtm_quick(runs: int) -> dict[str, object]:
    """The first chapter of a city of London's size with ``quick = true``: every part, no warm-up."""
    import time

    import geopandas as gpd
    import numpy as np
    import pandas as pd

    from peelian.explain.run import Parameters, run
    from peelian.incidents import Incidents

    places, layers, rng = _london()
    pubs = layers["layer_02"].features.geometry  # type: ignore[index]
    near = np.column_stack([pubs.x, pubs.y])[rng.integers(0, len(pubs), 20_000)]  # type: ignore[attr-defined]
    near = near + rng.normal(0, 120, near.shape)  # type: ignore[attr-defined]
    points = np.vstack([near, rng.uniform(0, 40_000, (30_000, 2))])  # type: ignore[attr-defined]
    start = pd.PeriodIndex([f"2018-{1 + k % 12:02d}" for k in range(50_000)], freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "made"},
        geometry=gpd.points_from_xy(*points.T), crs=27700,
    )  # fmt: skip
    cases = Incidents(frame, precision="month")
    begin = time.perf_counter()
    found = run(cases, layers, places, Parameters(quick=True), seed=1)  # type: ignore[arg-type]
    seconds = round(time.perf_counter() - begin, 2)
    return {
        "n": 160_000, "incidents": 50_000, "finding": str(found.summary["sentence"]), "seconds": seconds,
        "peak_mib": measure.function(lambda: None, runs=1)["peak_mib"], "runs": 1,
    }  # fmt: skip
