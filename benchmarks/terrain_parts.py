"""Parts of the risk terrain by themselves: searches on Chicago, moved maps, the modern mode's choice."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks import explain, measure
from benchmarks.peers.stand import Absent
from benchmarks.peers.terrain import CANDIDATES, chicago, wide


def stepwise(runs: int) -> dict[str, object]:
    """Stepwise searches in full, 9,413 cells x 48 candidates: all three families, and each by itself."""
    from peelian.explain.select import stepwise as search

    try:
        columns, factor, y, _ = chicago()
    except Absent as reason:
        raise measure.CannotMeasure(f"Nothing to measure: {reason}") from None
    families: tuple[Any, ...] = ("poisson", "nb1", "nb2")

    def one(*asked: Any) -> list[Any]:
        return [search(columns, factor, y, family) for family in asked]

    each = {
        f"{family}_seconds": measure.function(partial(one, family), runs=runs)["seconds"]
        for family in families
    }
    return {"n": len(y), **each, **measure.function(partial(one, *families), runs=runs)}


def lasso(runs: int) -> dict[str, object]:
    """Lasso alone: 160,000 cells x 200 candidates, 50 penalties, 10 folds."""
    from peelian.explain.select import cull

    columns, y, fold = wide()
    found: dict[str, int] = {}

    def one() -> None:
        found["kept"] = len(cull(columns, y, fold, ratios=(1.0,), steps=50).kept)

    result = measure.function(one, runs=runs)
    return {"n": len(y), "columns": columns.shape[1], **found, **result}


def stepwise_wide(runs: int) -> dict[str, object]:
    """Stepwise searches in full, nothing culled: 160,000 cells x 200 candidates, Poisson and NB1."""
    from peelian.explain.select import stepwise as search

    columns, factor, y = explain.problem()
    columns, factor = columns[:, :CANDIDATES], factor[:CANDIDATES]
    families: tuple[Any, ...] = ("poisson", "nb1")
    each = {
        family: measure.function(partial(search, columns, factor, y, family), runs=runs)
        for family in families
    }
    by_family = {f"{family}_cpu_seconds": each[family]["cpu_seconds"] for family in families}
    return {"n": len(y), "columns": columns.shape[1], **by_family, **each["nb1"]}


def shift_test(runs: int) -> dict[str, object]:
    """Maps of 24 factors x 12 candidates moved over 160,000 cells, against one model and a constant.

    One run, no warm-up, unless more than three are asked for.
    """
    import numpy as np

    from peelian.explain.shifted import ground_of

    places, _, _ = explain.london()
    columns, factor, y = explain.problem()
    level = np.full(len(y), y.mean())
    uneven = level * np.random.default_rng(1).gamma(20, 0.05, len(y))

    def one() -> None:
        ground = ground_of(places, np.ones(len(y), bool), 1)
        for number in range(factor.max() + 1):
            ground.test(columns[:, factor == number], y.astype(float), ((level, level), (uneven, 2 * uneven)))

    result = measure.function(one, runs=1 if runs <= 3 else runs, warm=False)
    return {"n": len(y), "factors": int(factor.max()) + 1, "columns": columns.shape[1], **result}


def rtm_modern(runs: int) -> dict[str, object]:
    """The modern mode on 160,000 cells and 24 factors: bands, tiles left out, the model; no checks.

    One run, no warm-up, unless more than three are asked for.
    """
    return _whole(runs, mode="modern", replicates=0, shift=False, permutations=0)


def rtm_modern_bootstrap(runs: int, replicates: int = 200) -> dict[str, object]:
    """The same with 200 resamples of tiles on two processes. One run, some minutes."""
    return _whole(runs, mode="modern", replicates=replicates, shift=False, permutations=0, workers=2)


def rtm_whole(runs: int) -> dict[str, object]:
    """The RTMDx mode on the same with every check but the resamples. One run, no warm-up."""
    return _whole(runs, mode="rtmdx", replicates=0, refit="halves")


def _whole(runs: int, *, refit: str = "none", **asked: Any) -> dict[str, object]:
    from peelian.explain import rtm

    places, layers, _ = explain.london()
    _, counts = explain.selection()
    found: dict[str, Any] = {}

    def one() -> None:
        found["terrain"] = rtm(counts, layers, places, seed=1, refit=refit, sensitivity=False, **asked)  # type: ignore[arg-type]

    busy = measure.processor()
    result = measure.function(one, runs=1 if runs <= 3 else runs, warm=False)
    cpu = round((measure.processor() - busy) / result["runs"], 2)  # type: ignore[operator]
    return {"n": len(places), "factors": len(found["terrain"].factors), **result, "cpu_seconds": cpu}
