"""The bundled borough: what was planted comes back. Three boroughs here; the run of 300 is in the docs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.evaluate import borough_study
from peelian.evaluate import did, displacement
from peelian.evaluate.did import Headline
from peelian.evaluate.displacement import Displacement

SEEDS = (1, 2, 3)  # of ten such triples one would have an interval that misses


@pytest.fixture(scope="module")
def boroughs() -> list[tuple[Headline, Displacement, dict]]:
    out = []
    for seed in SEEDS:
        laid, truth = borough_study(seed)
        moved = displacement(laid)
        assert moved is not None
        out.append((did(laid, seed=seed, draws=1), moved, truth))
    return out


def test_the_planted_effect_is_inside_every_interval(boroughs: list) -> None:
    for head, _, truth in boroughs:
        assert head.ratio.low <= truth["effect"]["months_1_12"]["ratio"] <= head.ratio.high


def test_the_planted_effect_is_right_on_average(boroughs: list) -> None:
    errors = [h.log.theta - math.log(t["effect"]["months_1_12"]["ratio"]) for h, _, t in boroughs]
    spread = math.sqrt(sum(h.log.se**2 for h, _, _ in boroughs)) / len(boroughs)
    assert abs(np.mean(errors)) < 2 * spread


def test_the_move_shows_in_the_first_ring(boroughs: list) -> None:
    for _, moved, truth in boroughs:
        ring = truth["displacement"]["ring_year_from_first_start"]
        near = moved.frame.iloc[1]
        assert near["low"] <= ring["recorded"] / ring["without_programme"] <= near["high"]


def test_what_is_left_net_of_the_move_is_inside_every_interval(boroughs: list) -> None:
    for _, moved, truth in boroughs:
        ring = truth["displacement"]["ring_year_from_first_start"]
        net = truth["effect"]["months_1_12"]["prevented"] - (ring["recorded"] - ring["without_programme"])
        assert moved.net.low <= net <= moved.net.high
