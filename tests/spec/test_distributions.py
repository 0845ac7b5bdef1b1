"""Scores of a forecast as a distribution, against formulas and libraries that are not ours."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from peelian.arithmetic.choices import always, clumpiness, jaccard
from peelian.arithmetic.distributions import (
    brier,
    count_test,
    deciles,
    negative_binomial_log_score,
    probability_transform,
    ranked_probability_score,
)
from peelian.arithmetic.scores import curve_area
from peelian.predict.scoring import earlier

RNG = np.random.default_rng(5)
RATE = RNG.gamma(0.8, 2.0, 400)
ALPHA = 0.7


def test_the_negative_binomial_log_score_is_that_of_scipy() -> None:
    y = RNG.poisson(RATE)
    theirs = -stats.nbinom.logpmf(y, 1 / ALPHA, 1 / (1 + ALPHA * RATE)).mean()
    assert negative_binomial_log_score(y, RATE, ALPHA, floor=1e-9) == pytest.approx(theirs)


def test_where_counts_are_dispersed_the_negative_binomial_is_less_surprised() -> None:
    y = stats.nbinom.rvs(1 / ALPHA, 1 / (1 + ALPHA * RATE), random_state=1)
    plain, wide = (negative_binomial_log_score(y, RATE, alpha, floor=1e-9) for alpha in (0.0, ALPHA))
    assert wide < plain


@pytest.mark.parametrize(("count", "rate"), [(0, 0.3), (2, 0.3), (4, 6.5), (30, 12.0)])
def test_crps_of_a_poisson_is_its_closed_form(count: int, rate: float) -> None:
    """Jordan, Krueger & Lerch (2019), of the R package scoringRules: with Bessel functions of 2 x rate."""
    held = stats.poisson(rate)
    closed = (
        (count - rate) * (2 * held.cdf(count) - 1) + 2 * rate * held.pmf(count)
        - rate * (special.ive(0, 2 * rate) + special.ive(1, 2 * rate))
    )  # fmt: skip
    assert ranked_probability_score(np.array([count]), np.array([rate])) == pytest.approx(closed, abs=1e-8)


def test_crps_of_a_negative_binomial_is_the_mean_distance_less_half_the_spread() -> None:
    rng, rate = np.random.default_rng(8), 3.0
    draws = stats.nbinom.rvs(1 / ALPHA, 1 / (1 + ALPHA * rate), size=400_000, random_state=rng)
    simulated = np.abs(draws - 5).mean() - np.abs(draws - rng.permutation(draws)).mean() / 2
    ours = ranked_probability_score(np.array([5]), np.array([rate]), ALPHA)
    assert ours == pytest.approx(simulated, rel=0.02)


def test_brier_of_a_map_that_knows_nothing_and_of_one_that_knows() -> None:
    y = np.array([0, 0, 2, 0])
    assert brier(y, np.array([1e-9, 1e-9, 50.0, 1e-9])) == pytest.approx(0.0)
    assert brier(y, np.full(4, np.log(2))) == pytest.approx(0.25)


def test_outcomes_of_a_calibrated_forecast_fall_evenly_and_of_a_narrow_one_at_both_ends() -> None:
    rates = np.full(20_000, 2.0)
    y = stats.nbinom.rvs(1 / ALPHA, 1 / (1 + 2 * ALPHA), size=len(rates), random_state=3)
    even, narrow = (
        np.histogram(probability_transform(y, rates, alpha, np.random.default_rng(1)), 10, (0, 1))[0] / len(y)
        for alpha in (ALPHA, 0.0)
    )
    assert np.abs(even - 0.1).max() < 0.01
    assert min(narrow[0], narrow[-1]) > 0.12


def test_a_total_outside_its_limits_has_a_low_p() -> None:
    inside, outside = count_test(98, 100.0), count_test(160, 100.0)
    assert inside.low <= 98 <= inside.high
    assert inside.p > 0.5
    assert outside.high < 160
    assert outside.p < 1e-6
    assert count_test(160, 100.0, 0.1).p > 0.05  # the same number, where totals vary more


def test_tied_forecasts_stay_in_one_tenth() -> None:
    found = deciles(np.array([0, 1, 0, 1, 9]), np.array([1.0, 1, 1, 1, 5]))
    assert found.tenth.tolist() == [1, 9]
    assert found.expected.tolist() == [1.0, 5.0]
    assert found.recorded.tolist() == [0.5, 9.0]
    assert found.places.tolist() == [4, 1]


def test_a_flat_map_has_half_of_the_share_under_its_curve() -> None:
    y = np.array([3, 0, 1, 4])
    assert curve_area(np.ones(4), y, share=0.5) / y.sum() == pytest.approx(0.25)
    assert curve_area(y, y, share=0.5) / y.sum() == pytest.approx((4 / 2 + (4 + 7) / 2) / 2 / 8)


def test_the_area_under_the_curve_is_the_mean_of_its_hit_rates() -> None:
    from peelian.arithmetic.scores import capture

    y = RNG.poisson(RATE)
    cuts = np.linspace(1e-6, 0.1, 4_001)
    mean = np.mean(capture(RATE, y, shares=cuts).hits)
    assert curve_area(RATE, y, share=0.1) == pytest.approx(mean, rel=1e-3)


def test_dispersion_is_that_of_earlier_origins_alone() -> None:
    rate = np.full((200, 5), 2.0)
    y = np.column_stack([RNG.poisson(2.0, 200) for _ in range(4)] + [np.full(200, 40)])
    before = earlier(y, rate)
    y[:, 4] = 0
    assert earlier(y, rate) == before  # what happens at the last origin does not change its own dispersion
    assert before[0] == 0


def test_a_choice_that_stays_one_that_moves_and_one_that_lies_in_a_clump() -> None:
    stay, move = np.array([1.0, 1, 0, 0]), np.array([0.0, 0, 1, 1])
    assert (jaccard(stay, stay), jaccard(stay, move)) == (1.0, 0.0)
    assert always(np.column_stack([stay, stay])) == 1.0
    assert always(np.column_stack([stay, move])) == 0.0
    from scipy import sparse

    row = sparse.csr_array(np.diag(np.ones(99), 1) + np.diag(np.ones(99), -1))
    clump, apart = np.zeros(100), np.zeros(100)
    clump[40:50], apart[5::10] = 1, 1
    assert clumpiness(clump, row) > 0.85
    assert clumpiness(apart, row) == -1.0
    assert np.isnan(clumpiness(np.ones(100), row))
