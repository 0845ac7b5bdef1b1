"""The bundled borough: what was planted comes back. Three boroughs here; the run of 300 is in the docs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.recovery import World, found, laid_out, simulated
from peelian.evaluate import did
from peelian.evaluate.windows import Study

SEEDS = (1, 2, 3)  # of ten such triples one would have an interval that misses


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [simulated(seed, "hottest")[0] for seed in SEEDS]


@pytest.fixture(scope="module")
def rows(worlds: list[World]) -> list[dict[str, float]]:
    return [found(world, laid_out(world), seed=seed) for seed, world in zip(SEEDS, worlds, strict=True)]


def test_the_planted_effect_is_inside_every_interval(rows: list) -> None:
    assert all(row["holds"] for row in rows)


def test_the_planted_effect_is_right_on_average(rows: list) -> None:
    spread = math.sqrt(sum(row["se"] ** 2 for row in rows)) / len(rows)
    assert abs(np.mean([row["error"] for row in rows])) < 2 * spread


def test_the_move_shows_in_the_first_ring(rows: list) -> None:
    assert all(row["ring1_seen"] and row["ring1_holds"] for row in rows)


def test_what_is_left_net_of_the_move_is_inside_every_interval(rows: list) -> None:
    assert all(row["net_holds"] for row in rows)


def test_a_programme_drawn_by_lot_takes_other_areas_of_the_same_borough(worlds: list) -> None:
    (lot,) = simulated(SEEDS[0], "lot")
    assert (lot.without == worlds[0].without).all()
    assert ((lot.phase == "A") != (worlds[0].phase == "A")).any()
    assert (lot.phase == "A").sum() == (worlds[0].phase == "A").sum()


def test_leaving_out_another_schemes_hot_areas_is_allowed_for(worlds: list) -> None:
    """Phase B took the hottest areas of the baseline: without them the others rise, with nothing done."""
    plain, done = [], []
    for world in worlds:
        laid = laid_out(world)
        kept = did(laid_out(world, left_out=False), seed=1, draws=1).log.theta
        done.append(did(laid, seed=1, draws=1).log.theta - kept)
        plain.append(did(replace(laid, left_out=(None,) * 3), seed=1, draws=1).log.theta - kept)
    assert max(plain) < 0
    assert abs(np.mean(done)) < abs(np.mean(plain))


def test_where_nobody_is_left_out_nothing_is_allowed_for(worlds: list) -> None:
    laid: Study = laid_out(worlds[0], left_out=False)
    assert laid.left_out == (None, None, None)
