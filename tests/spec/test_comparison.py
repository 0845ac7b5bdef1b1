"""The shared arithmetic of comparison, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from peelian.arithmetic import comparison as c
from peelian.errors import DesignError


def test_the_jackknife_of_a_mean_is_its_usual_standard_error() -> None:
    x = np.array([3.0, 5.0, 8.0, 9.0])
    left = np.array([np.delete(x, i).mean() for i in range(4)])
    spread = c.jackknife(left[:, None], np.zeros(4))
    assert math.isclose(spread.se([1.0]), x.std(ddof=1) / 2)


def test_two_arms_each_with_their_own_freedom() -> None:
    assert math.isclose(c.satterthwaite([1.0, 3.0], [4, 6]), 16 / (1 / 4 + 9 / 6))


def test_one_unit_in_an_arm_is_refused() -> None:
    with pytest.raises(DesignError, match="two of each"):
        c.log_ratio([3], [2], [4, 5], [4, 5])


def test_a_zero_total_is_refused() -> None:
    with pytest.raises(DesignError, match="total is zero"):
        c.log_ratio([3, 2], [0, 0], [4, 5], [4, 5])


def test_both_counts_zero_have_no_e_test() -> None:
    with pytest.raises(DesignError, match="Both counts are zero"):
        c.e_test(0, 0)


def test_large_counts_use_the_normal_form() -> None:
    assert math.isclose(c.e_test(1500, 1600), math.erfc(100 / math.sqrt(3100) / math.sqrt(2)))


def test_a_chosen_set_at_random_has_an_auc_of_a_half() -> None:
    assert c.auc([1, 1, 1, 1], [True, False, True, False]) == 0.5


def test_ties_in_the_top_go_to_the_first_in_order() -> None:
    assert c.top_units([2, 3, 3, 3], 2).tolist() == [False, True, True, False]


def test_areas_that_keep_their_share_show_no_overdispersion() -> None:
    assert c.overdispersion([10, 20, 30], [11, 22, 33]) == pytest.approx(0)


def test_too_few_placebos_give_no_interval() -> None:
    found = c.selection_placebo(c.LogRatio(-0.2, 0.1, 30.0), [-0.1])
    assert found.interval() == (-math.inf, math.inf)
