"""Planted effects come back: -20 %, a quarter of it moved next door, and nothing where nothing is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from peelian.evaluate import assess, did, displacement, event_study, fade, study
from peelian.evaluate.displacement import Displacement
from peelian.panel import Panel
from tests.evaluate_world import counts_of, grid, noisy, programme, world

RUNS = 40  # of 95 % intervals 38 should cover; fewer than 34 happen in 1 of 200 such tests


@pytest.fixture(scope="module")
def planted() -> list[tuple[object, Displacement]]:
    """Runs with -20 % planted and 25 % of what was prevented moved to the first ring."""
    out = []
    for seed in range(RUNS):
        panel, plan, _ = world(seed, effect=0.8, moved=0.25, treated=36, mean=4, months=48, chosen_on=None)
        laid = study(panel, plan, months_before=12)
        found = displacement(laid)
        assert found is not None
        out.append((did(laid, seed=seed, draws=9), found))
    return out


def test_the_planted_ratio_is_inside_the_interval(planted: list) -> None:
    inside = sum(h.ratio.low <= 0.8 <= h.ratio.high for h, _ in planted)
    assert inside >= 34


def test_the_planted_ratio_is_right_on_average(planted: list) -> None:
    logs = [h.log.theta for h, _ in planted]
    assert abs(np.mean(logs) - math.log(0.8)) < 3 * np.std(logs, ddof=1) / math.sqrt(RUNS)


def test_what_is_left_net_of_the_ring_is_inside_its_interval(planted: list) -> None:
    inside = 0
    for head, found in planted:
        truth = 0.75 * head.ratio.extra["observed"] * (1 / 0.8 - 1)
        inside += found.net.low <= truth <= found.net.high
    assert inside >= 34


def test_the_move_shows_in_the_first_ring_and_not_beyond(planted: list) -> None:
    first, last = (np.array([math.log(f.frame["estimate"].iloc[at]) for _, f in planted]) for at in (1, -1))
    error = [x.std(ddof=1) / math.sqrt(RUNS) for x in (first, last)]
    assert first.mean() > 2 * error[0]
    assert abs(last.mean()) < 3 * error[1]


def test_the_share_displaced_is_right_on_average(planted: list) -> None:
    direct = np.mean([f.direct.estimate for _, f in planted])
    ring = np.mean([f.frame["fewer"].iloc[1] for _, f in planted])
    assert -ring / direct == pytest.approx(0.25, abs=0.15)


def test_a_randomised_programme_that_works_is_called_so() -> None:
    panel, plan, places = world(4, side=26, effect=0.6, treated=40, randomised=True, mean=6, months=60)
    found = assess(panel, plan, seed=1, places=places, permutations=199)
    assert found.verdict.code == "PREVENTED"
    assert found.maryland == 5


def test_nothing_done_in_staggered_starts_is_found_to_be_nothing() -> None:
    """300 areas, 60 treated from three months, no effect: bias under 1.5 %, intervals cover."""
    inside, logs = 0, []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        places = grid(20, width=4_000.0)
        ids = sorted(rng.choice(places.index, 60, replace=False))
        starts = [("2015-01", "2015-03", "2015-06")[i % 3] for i in range(60)]
        plan = programme(ids, starts, chosen_on=("2013-01", "2013-12"))
        counts = counts_of(noisy(rng, len(places), 60), places)
        head = did(study(Panel.build(counts, plan, places), plan), seed=1, draws=9)
        inside += head.ratio.low <= 1 <= head.ratio.high
        logs.append(head.log.theta)
    assert inside >= 26
    assert abs(np.mean(logs)) < 0.015


def test_areas_chosen_on_the_year_before_are_not_called_a_success() -> None:
    """The hottest areas of the year before the start, nothing done: a naive fall, and a guard says so."""
    rng = np.random.default_rng(8)
    places = grid(20, width=4_000.0)
    matrix = noisy(rng, len(places), 84, mean=1.5, sd=0.3)
    hot = np.sort(np.argsort(-matrix[:, 60:72].sum(axis=1), kind="stable")[:40])
    plan = programme(list(places.index[hot]), ["2018-01"] * 40, chosen_on=("2017-01", "2017-12"))
    panel = Panel.build(counts_of(matrix, places), plan, places, outcome="burglary")
    found = assess(panel, plan, seed=1, permutations=199)
    assert found.what_if["estimate"].iloc[1] < 0.9
    assert found.check("G1").fired
    assert found.verdict.code not in ("PREVENTED", "PROBABLY")


@pytest.fixture(scope="module")
def fading() -> list[tuple[np.ndarray, str]]:
    """Twenty runs of -20 % that fades in a straight line to nothing by month 12: quarters, and the word."""
    out, share = [], np.clip(0.2 * (1 - np.arange(24) / 12), 0, None)
    for seed in range(20):
        rng, places = np.random.default_rng(seed), grid(30, width=4_000.0)
        matrix = noisy(rng, len(places), 60, mean=4, sd=0.1)
        treated = np.sort(rng.choice(len(places), 90, replace=False))
        later = matrix[treated, 36:].astype(int)
        matrix[treated, 36:] = later - rng.binomial(later, share)
        plan = programme(list(places.index[treated]), ["2015-01"] * 90, chosen_on=("2012-01", "2012-12"))
        laid = study(Panel.build(counts_of(matrix, places), plan, places, rings=(50,)), plan)
        quarters = event_study(laid, seed=1, first=0, last=7, draws=10).frame["estimate"]
        out.append((np.log(quarters.to_numpy()), fade(laid, seed=1, draws=9).word))
    return out


def test_every_quarter_of_a_fading_effect_is_right_on_average(fading: list) -> None:
    share = np.clip(0.2 * (1 - np.arange(24) / 12), 0, None).reshape(8, 3).mean(axis=1)
    found = np.array([quarters for quarters, _ in fading])
    error = found.std(axis=0, ddof=1) / math.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - np.log(1 - share)) < 3 * error).all()


def test_a_fading_effect_is_mostly_called_wearing_off(fading: list) -> None:
    said = [word for _, word in fading]
    assert said.count("wearing off") >= 14
    assert "lasting" not in said
