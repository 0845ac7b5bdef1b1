"""What must hold of scores whatever the numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from peelian.arithmetic.scores import capture, hit_rate, information_gain

PLACES = 12
risks = st.lists(st.integers(0, 4), min_size=PLACES, max_size=PLACES).map(lambda v: np.array(v, float))
counts = st.lists(st.integers(0, 6), min_size=PLACES, max_size=PLACES).map(np.array).filter(np.sum)
sizes = st.lists(st.floats(0.1, 9), min_size=PLACES, max_size=PLACES).map(np.array)
shares = st.floats(0.02, 1.0)


@given(risks, counts, sizes, shares)
def test_hit_rate_is_at_most_the_best_possible_and_that_at_most_one(
    risk: np.ndarray, count: np.ndarray, size: np.ndarray, share: float
) -> None:
    best = hit_rate(count, count, share=share, size=size)
    assert hit_rate(risk, count, share=share, size=size) <= best + 1e-9
    assert best <= 1 + 1e-12


@given(risks, counts, sizes, shares)
def test_pai_times_the_share_is_the_hit_rate(
    risk: np.ndarray, count: np.ndarray, size: np.ndarray, share: float
) -> None:
    held = capture(risk, count, shares=[share], size=size)
    assert abs(held.pai[0] * share - held.hit_rate[0]) < 1e-12


@given(risks, counts, sizes)
def test_the_whole_area_holds_everything(risk: np.ndarray, count: np.ndarray, size: np.ndarray) -> None:
    assert abs(hit_rate(risk, count, share=1.0, size=size) - 1) < 1e-12


@given(risks, counts, shares, st.permutations(range(PLACES)))
def test_the_order_of_rows_is_irrelevant(
    risk: np.ndarray, count: np.ndarray, share: float, order: list[int]
) -> None:
    assert abs(hit_rate(risk, count, share=share) - hit_rate(risk[order], count[order], share=share)) < 1e-12


@given(risks, counts, shares, st.floats(0.01, 100))
def test_the_scale_of_a_risk_is_irrelevant_to_its_ranking(
    risk: np.ndarray, count: np.ndarray, share: float, scale: float
) -> None:
    assert abs(hit_rate(risk, count, share=share) - hit_rate(risk * scale, count, share=share)) < 1e-9


@given(counts)
def test_a_map_that_is_the_same_everywhere_tells_nothing(count: np.ndarray) -> None:
    assert abs(information_gain(count, np.ones(PLACES), floor=1e-6)) < 1e-12


def test_the_expected_value_of_ties_is_the_mean_over_random_orders() -> None:
    rng = np.random.default_rng(8)
    risk, count = rng.integers(0, 3, 40).astype(float), rng.poisson(1.0, 40)
    found = []
    for _ in range(2_000):
        order = rng.permutation(40)
        ranked = order[np.argsort(-risk[order], kind="stable")]
        found.append(count[ranked[:10]].sum() / count.sum())
    assert abs(np.mean(found) - hit_rate(risk, count, share=0.25)) < 3 * np.std(found) / 2_000**0.5


def test_a_random_ranking_finds_its_share_and_gains_nothing() -> None:
    rng = np.random.default_rng(9)
    count = rng.poisson(2.0, 500)
    rates = [hit_rate(rng.permutation(np.arange(500.0)), count, share=0.1) for _ in range(300)]
    assert abs(np.mean(rates) - 0.1) < 3 * np.std(rates) / 300**0.5
    gains = [information_gain(count, rng.gamma(1.0, 1.0, 500), floor=0.01) for _ in range(50)]
    assert max(gains) <= 0
