"""Explain at London's size: near repeats, influence variables, the whole selection, resamples, density."""

from __future__ import annotations

from benchmarks import measure


def knox(runs: int) -> dict[str, object]:
    """50,000 events on 20,000 shared points, a year of days, 999 permutations, 20 bands to 400 m.

    The points are as dense as London's snapped burglaries, so that about a million pairs lie within 400 m.
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
    bands = bands_of((0.01, 100, 200, 300, 400), (7, 14, 21, 28))
    pairs = {}

    def one(null: str) -> None:
        found = knox_of(events, Asked(bands, "euclidean", null, 999, seed=1))  # type: ignore[arg-type]
        pairs["observed"] = int(found.frame["observed"].sum())

    result = measure.function(lambda: one("permute"), runs=runs)
    both = measure.function(lambda: one("both"), runs=1)
    return {
        "n": 50_000, "permutations": 999, "bands": 20, "pairs_in_bands": pairs["observed"],
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
