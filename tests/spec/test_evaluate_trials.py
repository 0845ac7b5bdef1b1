"""Trials: the lot is drawn again as it was drawn, and what cannot be drawn again is refused."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

from peelian.arithmetic.randomisation import Assignment, draw
from peelian.errors import DesignError
from peelian.evaluate.rct import ancova, per_taker, rct, trial_of, two_rates
from peelian.evaluate.windows import study
from peelian.panel import Panel
from tests.evaluate_world import counts_of, grid, noisy, programme

PAIRS = Assignment("pairs", np.array([1, 0, 0, 1, 1, 0]), np.array([0, 0, 1, 1, 2, 2]), 1)


def test_a_recorded_draw_is_reproduced_from_its_seed() -> None:
    block = np.repeat([0, 1], 6)
    label = draw({0: [3, 3], 1: [4, 2]}, block, seed=11)
    assert Assignment("blocked", label, block, 11).reproduces()
    assert not Assignment("blocked", label[::-1].copy(), block[::-1].copy(), 11).reproduces()


def test_pairs_have_two_to_the_number_of_pairs_arrangements() -> None:
    labels, exact = PAIRS.redrawn(draws=99, seed=1)
    assert exact
    assert len({tuple(row) for row in labels}) == len(labels) == 2**3


def test_a_pair_with_both_units_treated_is_refused() -> None:
    with pytest.raises(DesignError, match="A pair is two units"):
        Assignment("pairs", np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1]), 1)


def test_a_draw_by_another_algorithm_cannot_be_run_again() -> None:
    with pytest.raises(DesignError, match="cannot be run again"):
        Assignment("complete", np.array([1, 0]), np.array([0, 0]), 1, "coin").redrawn(draws=9, seed=1)


def test_a_wedge_deals_the_same_number_of_units_to_every_step() -> None:
    given = Assignment("stepped", np.array([0, 0, 1, 1, 2, 2]), np.zeros(6, int), 1)
    labels, exact = given.redrawn(draws=99, seed=1)
    assert exact
    assert len(labels) == math.factorial(6) // 8
    assert {tuple(sorted(row)) for row in labels.tolist()} == {(0, 0, 1, 1, 2, 2)}


def test_the_p_of_a_small_trial_is_counted_by_hand() -> None:
    before, after = np.array([10.0] * 6), np.array([2.0, 10, 10, 3, 4, 12])
    found = rct(before, after, PAIRS, seed=1)
    mine = math.log((2 + 3 + 4) / (10 + 10 + 12))
    other = [
        math.log((after * z).sum() / (after * (1 - z)).sum())
        for a, b, c in itertools.product([0, 1], repeat=3)
        for z in [np.array([a, 1 - a, b, 1 - b, c, 1 - c])]
    ]
    assert found.effect.extra["theta"] == pytest.approx(mine)
    assert found.effect.p == pytest.approx(np.mean([abs(x) >= abs(mine) - 1e-12 for x in other]))


def test_the_interval_by_inversion_ends_where_p_is_five_in_a_hundred() -> None:
    rng = np.random.default_rng(3)
    label = np.repeat([1, 0], 20)
    before, after = rng.poisson(20, 40).astype(float), rng.poisson(np.where(label, 12, 20)).astype(float)
    given = Assignment("complete", label, np.zeros(40, int), 1)
    found = rct(before, after, given, seed=1, draws=999).effect
    for end, more in ((found.low, 0.98), (found.high, 1.02)):
        inside, outside = (
            rct(before, after / np.where(label, end * f, 1), given, seed=1, draws=999).effect.p
            for f in (1 / more**0.1, more)
        )
        assert inside is not None
        assert outside is not None
        assert outside <= 0.05 < inside + 0.01


def test_unequal_chances_are_weighted() -> None:
    """Two blocks of different level and share: without weights the block would count as an effect."""
    block, label = np.repeat([0, 1], 8), np.array([1] * 6 + [0] * 2 + [1] * 2 + [0] * 6)
    before = np.where(block, 40.0, 10.0)
    after = before * np.where(block, 2.0, 1.0)
    found = rct(before, after, Assignment("blocked", label, block, 1), seed=1, draws=199)
    assert found.effect.estimate == pytest.approx(1.0)


def test_a_shared_shock_cancels_in_a_stepped_wedge() -> None:
    label = np.repeat([0, 1, 2], 4)
    before = np.arange(12.0) + 10
    month = np.array([1.5, 0.7])
    after = before[:, None] * month[None, :]
    found = rct(before, after, Assignment("stepped", label, np.zeros(12, int), 1), seed=1, draws=99)
    assert found.effect.estimate == pytest.approx(1.0)


def test_a_wedge_needs_a_count_for_every_step_but_the_last() -> None:
    with pytest.raises(DesignError, match="all steps but the last"):
        rct(
            np.ones(4), np.ones(4), Assignment("stepped", np.array([0, 1, 2, 3]), np.zeros(4, int), 1), seed=1
        )


def test_a_planted_effect_is_inside_and_the_covariate_agrees() -> None:
    rng = np.random.default_rng(5)
    label, level = draw({0: [60, 60]}, np.zeros(120, int), seed=5), rng.gamma(5, 6, 120)
    before, after = (
        rng.poisson(level).astype(float),
        rng.poisson(level * np.where(label, 0.7, 1)).astype(float),
    )
    given = Assignment("complete", label, np.zeros(120, int), 5)
    found, other = (
        rct(before, after, given, seed=1, draws=499),
        ancova(before, after, given, seed=1, draws=199),
    )
    assert found.effect.low < 0.7 < found.effect.high < 1
    assert found.beside.low < 0.7 < found.beside.high
    assert other.estimate == pytest.approx(found.effect.estimate, abs=0.06)


def test_nothing_is_found_in_more_than_five_in_a_hundred_where_nothing_is() -> None:
    rng, hits = np.random.default_rng(7), 0
    for seed in range(120):
        level = rng.gamma(3, 5, 24)
        label = draw({0: [12, 12]}, np.zeros(24, int), seed=seed)
        given = Assignment("complete", label, np.zeros(24, int), seed)
        found = rct(rng.poisson(level), rng.poisson(level), given, seed=seed, draws=99)
        hits += (found.effect.p or 0) <= 0.05
    assert hits <= 13  # 6 expected; more than 13 happens in 1 of 200 such tests


def test_the_trial_in_a_study_takes_only_the_areas_that_were_drawn() -> None:
    places = grid(12)
    rng = np.random.default_rng(1)
    matrix = noisy(rng, len(places), 48, mean=3)
    ids = list(places.index[np.sort(rng.choice(144, 40, replace=False))])
    plan = programme(ids[:20], ["2014-01"] * 20, chosen_on=None, randomised=True, controls=ids[20:])
    panel = Panel.build(counts_of(matrix, places), plan, places, rings=(50,), outcome="burglary")
    laid = study(panel, plan, places=places)
    found = trial_of(laid, plan, seed=1, draws=99)
    assert found is not None
    assert found.flow == {"eligible": 40, "treated": 20, "control": 20, "lost": 0, "near": 3}
    hit = panel.frame["count"].unstack("month").iloc[:, 24:36].sum(axis=1)
    wanted = two_rates(int(hit[ids[:20]].sum()), 2_000, int(hit[ids[20:]].sum()), 2_000)
    assert found.shares is not None
    assert found.shares.as_json() == wanted.as_json()


def test_the_aarhus_trial_from_its_counts(shared: Path) -> None:
    """../shared/reference/evaluate/property_marking.json: whole numbers solved from the printed chi square."""
    held = json.loads((shared / "reference" / "evaluate" / "property_marking.json").read_text())["studies"][0]
    treated, control = (round(held["derived"][f"{a}_burglaries"]) for a in ("treated", "control"))
    found = two_rates(treated, held["treated_houses"], control, held["control_houses"])
    room = held["tolerance"]
    wanted = held["derived"]["chi2_at_whole_numbers_164_198"]
    assert found.extra["chi2"] == pytest.approx(wanted, abs=room["chi2_at_whole_numbers"])
    assert 100 * (found.estimate - 1) == pytest.approx(held["itt_pct"], abs=room["itt_pct"] + 0.05)
    taken = per_taker(found, uptake=held["compliance"]).estimate
    assert taken == pytest.approx(held["derived"]["naive_cace_pct"], abs=0.5)
