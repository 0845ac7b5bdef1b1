"""The modern mode reports what was planted and seldom what was not; intervals hold the truth.

The short version of benchmarks/terrain_errors.py, whose rates over many more worlds stand in
docs/explanation/risk-terrain.md. Seeds are fixed, so a failure is a change of the method, not bad luck.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks.terrain_errors import NULLS, PLANTED, covered, judged, reported, searched, simulated

NULL_WORLDS, PLANTED_WORLDS = range(4), range(4)


@cache
def terrains(planted: bool) -> list[tuple]:  # type: ignore[type-arg]
    """Worlds with their terrains."""
    found = []
    for seed in PLANTED_WORLDS if planted else NULL_WORLDS:
        name = ("no field", "sd .7, 300 m")[seed % 2] if planted else NULLS[seed % 3]
        world = simulated(seed, name, PLANTED if planted else ())
        found.append((seed, world, judged(world, seed, replicates=30)))
    return found


def test_idle_factors_on_a_lasting_field_are_seldom_reported() -> None:
    assert sum(bool(reported(terrain, "shift_p_holm")) for _, _, terrain in terrains(False)) <= 1


def test_the_search_alone_finds_idle_factors_in_most_of_the_same_worlds() -> None:
    assert sum(bool(searched(world, seed)) for seed, world, _ in terrains(False)) >= 3


def test_planted_factors_are_reported() -> None:
    found = [set(terrain.reported["factor"]) >= set(world.effects) for _, world, terrain in terrains(True)]
    assert sum(found) >= 3


def test_bootstrap_intervals_hold_the_truth() -> None:
    rows = [row for _, world, terrain in terrains(True) for row in covered(world, terrain)]
    assert len(rows) == 8
    assert sum(row["bootstrap"] for row in rows) >= 6
    assert abs(np.mean([row["log_error"] for row in rows])) < 0.1
