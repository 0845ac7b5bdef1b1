"""The long run: how often does a risk terrain report features that have nothing to do with the crime?

``python -m benchmarks.terrain_errors WORLDS [FIRST]`` prints one JSON object a kind of world. What it last
said stands in docs/explanation/risk-terrain.md. A world is a square of 6 km with 3,600 cells, some 1,600
events and eight kinds of feature; about two seconds each.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.layers import Layers
    from peelian.places import Places

SIDE, CELL = 60, 100.0
EVENTS, SITES, PLANTED_SITES, REACH = 1600, 25, 40, 200.0
# name -> standard deviation and range in metres of a log field of risk that no feature says anything of
FIELDS = {
    "no field": (0.0, 0.0), "sd .7, 300 m": (0.7, 300.0), "sd 1, 300 m": (1.0, 300.0),
    "sd 1, 800 m": (1.0, 800.0),
}  # fmt: skip
NULLS = ("sd .7, 300 m", "sd 1, 300 m", "sd 1, 800 m")
PLANTED = (2.0, 2.5)
SETTINGS = {"reach_limit": 600, "tile": 1200, "clusters": 1000, "permutations": 0, "sensitivity": False}


@dataclass(frozen=True, eq=False)
class World:
    """Counts by cell, layers, and the planted log relative risk of each planted factor by cell."""

    places: Places
    counts: pd.Series
    layers: Layers
    effects: dict[str, np.ndarray] = field(default_factory=dict)


def simulated(seed: int, name: str, planted: tuple[float, ...] = ()) -> World:
    """A world with a field of risk that no feature says anything of, and planted factors beside idle ones.

    ``planted``  relative risks within 200 m of 40 sites each; the rest of eight factors, 25 idle sites each.
    """
    import geopandas as gpd
    import pandas as pd
    from scipy.ndimage import gaussian_filter
    from shapely import box

    from peelian.layers import Layer, Layers
    from peelian.places import Places

    rng = np.random.default_rng([77, seed, len(planted)])
    places = Places.grid(gpd.GeoSeries([box(0, 0, SIDE * CELL, SIDE * CELL)], crs=27700), CELL)
    x, y = places.points.x.to_numpy(), places.points.y.to_numpy()
    log = np.zeros(len(places))
    sd, reach = FIELDS[name]
    if sd:
        noise = gaussian_filter(rng.normal(size=(2 * SIDE, 2 * SIDE)), reach / CELL / 2, mode="wrap")
        noise = noise[:SIDE, :SIDE]
        at = places.frame["column"].to_numpy(), places.frame["row"].to_numpy()
        log += sd * ((noise - noise.mean()) / noise.std())[at]
    sites = {f"idle{k}": rng.uniform(0, SIDE * CELL, (SITES, 2)) for k in range(8 - len(planted))}
    effects = {}
    for k, times in enumerate(planted):
        sites[f"planted{k}"] = xy = rng.uniform(0, SIDE * CELL, (PLANTED_SITES, 2))
        near = np.min(np.hypot(x[:, None] - xy[:, 0], y[:, None] - xy[:, 1]), axis=1) <= REACH
        effects[f"planted{k}"] = np.log(times) * near
        log += effects[f"planted{k}"]
    counts = rng.poisson(EVENTS * np.exp(log) / np.exp(log).sum())
    layers = Layers.of(
        [Layer(n, gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=27700)) for n, xy in sites.items()]
    )
    return World(places, pd.Series(counts, places.index), layers, effects)


def judged(world: World, seed: int, *, rule: str = "1se", replicates: int = 100) -> RiskTerrain:
    """The modern terrain of a world with every check."""
    from peelian.explain import rtm

    return rtm(
        world.counts, world.layers, world.places, seed=seed, rule=rule, replicates=replicates, **SETTINGS
    )  # type: ignore[arg-type]


def searched(world: World, seed: int) -> list[str]:
    """The factors that the search of the parity mode chooses by itself."""
    from peelian.explain import rtm

    found = rtm(
        world.counts, world.layers, world.places, seed=seed, mode="rtmdx", block=200, blocks=3, replicates=0,
        shift=False, refit="none", permutations=0,
    )  # fmt: skip
    return found.terms["factor"].tolist()


def reported(terrain: RiskTerrain, column: str) -> list[str]:
    """The factors that pass every check, with the shift p of one column (raw, or adjusted by Holm)."""
    terms = terrain.terms
    outside = (terms["robust_low"] > 1) | (terms["robust_high"] < 1)
    again = (terms["refit_low"] > 1) | (terms["refit_high"] < 1)
    passed = (terms["frequency"] >= 0.8) & (terms[column] <= 0.05) & outside & again
    return terms.loc[passed, "factor"].tolist()


def covered(world: World, terrain: RiskTerrain) -> list[dict[str, Any]]:
    """By planted factor that the model keeps: whether intervals hold the truth where the factor bears."""
    found = []
    for term in terrain.terms.itertuples():
        if term.factor in world.effects:
            here = (terrain.influences[term.variable] != 0).to_numpy()
            effect = world.effects[term.factor]
            truth = float(np.exp(effect[here].mean() - effect[~here].mean()))
            found.append(
                {"bootstrap": term.boot_low <= truth <= term.boot_high,
                 "tiles": term.robust_low <= truth <= term.robust_high,
                 "model": term.low <= truth <= term.high, "log_error": float(np.log(term.times / truth))}
            )  # fmt: skip
    return found


def nulls(worlds: int, first: int = 0, *, rule: str = "1se") -> dict[str, Any]:
    """Eight idle factors on fields: share of worlds with at least one found, by the search and the block."""
    hits = {"search of rtmdx": 0, "kept by the penalty": 0, "reported": 0, "reported, Holm": 0}
    for seed in range(first, first + worlds):
        world = simulated(seed, NULLS[seed % len(NULLS)])
        terrain = judged(world, seed, rule=rule)
        hits["search of rtmdx"] += bool(searched(world, seed))
        hits["kept by the penalty"] += len(terrain.terms) > 0
        hits["reported"] += bool(reported(terrain, "shift_p"))
        hits["reported, Holm"] += bool(reported(terrain, "shift_p_holm"))
    return {"worlds": worlds, "rule": rule} | {key: value / worlds for key, value in hits.items()}


def found_again(worlds: int, first: int = 0, *, rule: str = "1se") -> dict[str, Any]:
    """Two planted factors among eight, without and with a field: share reported, coverage of intervals."""
    seen, raw, holm, rows = 0, 0, 0, []
    for seed in range(first, first + worlds):
        world = simulated(seed, ("no field", "sd .7, 300 m")[seed % 2], PLANTED)
        terrain = judged(world, seed, rule=rule)
        seen += len(world.effects)
        raw += len(set(reported(terrain, "shift_p")) & set(world.effects))
        holm += len(set(reported(terrain, "shift_p_holm")) & set(world.effects))
        rows += covered(world, terrain)
    cover = {
        f"covered, {key}": float(np.mean([r[key] for r in rows])) for key in ("bootstrap", "tiles", "model")
    }
    return {
        "worlds": worlds, "rule": rule, "reported": raw / seen, "reported, Holm": holm / seen, **cover,
        "log_error": float(np.mean([r["log_error"] for r in rows])),
    }  # fmt: skip


def main() -> None:
    """Print both kinds under both rules."""
    worlds = int(sys.argv[1])
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for rule in ("1se", "min"):
        print(json.dumps({"kind": "eight idle"} | nulls(worlds, first, rule=rule)), flush=True)
        print(json.dumps({"kind": "two planted"} | found_again(worlds, first, rule=rule)), flush=True)


if __name__ == "__main__":
    main()
