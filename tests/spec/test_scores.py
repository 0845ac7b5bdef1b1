"""Scores of a forecast: small tables that can be checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from peelian.arithmetic.scores import (
    calibration,
    capture,
    hit_rate,
    information_gain,
    log_score,
    overdispersion,
)
from peelian.errors import DesignError

# risk, counts, share of places, hit rate at its expected value
TIES = [
    ([4, 3, 2, 1], [5, 3, 1, 1], 0.25, 0.5),
    ([4, 3, 2, 1], [5, 3, 1, 1], 0.5, 0.8),
    ([4, 3, 2, 1], [5, 3, 1, 1], 1.0, 1.0),
    ([2, 1, 1, 1], [4, 3, 0, 3], 0.5, 0.6),  # 4 whole, a third of 6
    ([1, 1, 1, 1], [8, 0, 0, 0], 0.25, 0.25),  # all tied: what a random map finds
    ([0, 0, 0, 0], [8, 0, 0, 0], 0.5, 0.5),
    ([9, 1, 1, 0], [0, 10, 0, 0], 0.25, 0.0),
    ([9, 1, 1, 0], [0, 10, 0, 0], 0.375, 0.25),  # the cut divides the tied pair
]


@pytest.mark.parametrize(("risk", "counts", "share", "expected"), TIES)
def test_hit_rate_with_ties_at_their_expected_value(
    risk: list[float], counts: list[float], share: float, expected: float
) -> None:
    assert hit_rate(np.array(risk), np.array(counts), share=share) == pytest.approx(expected, abs=1e-12)


def test_risks_that_differ_by_the_order_of_summation_are_tied() -> None:
    a, b = 0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1
    assert a != b
    assert hit_rate(np.array([a, b]), np.array([0, 1]), share=0.5) == 0.5


def test_places_of_unequal_size_are_ranked_by_risk_per_size() -> None:
    held = capture(np.array([6.0, 5.0]), np.array([6, 5]), shares=[0.25], size=np.array([3.0, 1.0]))
    assert held.hits == (5.0,)


def test_pei_compares_with_the_best_of_as_many_places() -> None:
    held = capture(np.array([1.0, 2.0, 3.0, 0.0]), np.array([6, 3, 1, 0]), shares=[0.5])
    assert held.pei == pytest.approx((4 / 9,))


def test_pei_by_area_compares_with_the_best_of_the_same_area() -> None:
    size = np.array([1.0, 1.0, 2.0])
    held = capture(np.array([0.0, 1.0, 4.0]), np.array([5, 4, 3]), shares=[0.5], size=size)
    assert held.pei_area == pytest.approx((3 / 9,))


def test_no_incident_gives_missing_scores_and_not_zero_over_zero() -> None:
    held = capture(np.array([1.0, 0.0]), np.array([0, 0]), shares=[0.5])
    assert held.total == 0
    assert math.isnan(held.hit_rate[0])
    assert math.isnan(information_gain(np.array([0, 0]), np.array([1.0, 0.0]), floor=0.1))


def test_a_share_outside_nought_to_one_is_refused() -> None:
    with pytest.raises(DesignError, match=r"A share of the area lies above 0 and at most 1; got 5\."):
        capture(np.array([1.0]), np.array([1]), shares=[5])


def test_best_possible_is_the_outcome_ranked_by_itself() -> None:
    assert hit_rate(np.array([0, 7, 2, 1]), np.array([0, 7, 2, 1]), share=0.5) == 0.9


def test_log_score_by_hand() -> None:
    found = log_score(np.array([0, 2]), np.array([0.5, 2.0]), floor=0.01)
    assert found.value == pytest.approx((0.5 + (2 - 2 * math.log(2) + math.log(2))) / 2)


def test_a_rate_below_the_floor_is_raised_and_counted() -> None:
    found = log_score(np.array([1, 0]), np.array([0.0, 0.0]), floor=0.1)
    assert found.floored == 2
    assert found.value == pytest.approx((0.1 - math.log(0.1) + 0.1) / 2)


def test_information_gain_of_a_map_that_puts_all_in_the_right_half() -> None:
    assert information_gain(np.array([3, 0]), np.array([1.0, 0.0]), floor=1e-9) == pytest.approx(math.log(2))


def test_calibration_finds_a_forecast_that_is_too_bold() -> None:
    rate = np.array([0.25, 1.0, 4.0, 16.0])
    assert calibration(np.array([1, 2, 4, 8]), rate * 2).slope == pytest.approx(0.5, abs=1e-6)


def test_calibration_of_a_flat_forecast_is_missing() -> None:
    assert math.isnan(calibration(np.array([1, 2, 3]), np.ones(3)).slope)


def test_overdispersion_by_moments() -> None:
    counts, rate = np.array([0, 8]), np.array([4.0, 4.0])
    assert overdispersion(counts, rate) == pytest.approx((32 - 8) / 32)
