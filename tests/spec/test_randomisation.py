"""Re-drawing treatment: the design is kept, and small designs are listed whole."""

from __future__ import annotations

import math

import numpy as np
import pytest

from peelian.arithmetic.randomisation import draw_sums, p_value, quantile_strata, redraw
from peelian.errors import DesignError


def test_few_arrangements_are_listed_each_once() -> None:
    draws = redraw([0, 0, -1, -1, -1], [0] * 5, seed=1)
    assert draws.exact
    assert len({tuple(row) for row in draws.chosen}) == len(draws.chosen) == math.comb(5, 2)


def test_the_real_arrangement_is_among_them() -> None:
    draws = redraw([0, -1, 0, -1], [0] * 4, seed=1)
    assert [0, 2] in draws.chosen.tolist()


def test_labels_of_two_start_months_are_dealt_separately() -> None:
    draws = redraw([0, 1, -1, -1], [0] * 4, seed=1)
    assert draws.arrangements == len(draws.chosen) == 4 * 3


def test_every_draw_keeps_the_strata() -> None:
    label = np.array([0] * 10 + [-1] * 40 + [0] * 5 + [-1] * 45)
    stratum = np.repeat([0, 1], 50)
    draws = redraw(label, stratum, draws=200, seed=3)
    assert ((draws.chosen < 50).sum(axis=1) == 10).all()
    assert all(len(set(row)) == 15 for row in draws.chosen)


def test_the_same_seed_gives_the_same_draws() -> None:
    label = np.array([0] * 20 + [-1] * 80)
    assert (redraw(label, label * 0, seed=5).chosen == redraw(label, label * 0, seed=5).chosen).all()


def test_strata_that_lack_an_arm_are_merged() -> None:
    treated = np.zeros(50, bool)
    treated[-6:] = True  # only among the largest
    stratum = quantile_strata(np.arange(50), treated)
    assert np.unique(stratum).tolist() == [0]


def test_strata_stay_apart_where_both_arms_are_in_each() -> None:
    treated = np.arange(50) % 5 == 0
    assert len(np.unique(quantile_strata(np.arange(50), treated))) == 5


def test_sums_over_draws_are_the_sums_of_the_chosen() -> None:
    values = np.arange(12.0).reshape(6, 2)
    draws = redraw([0, 1, -1, -1, 0, -1], [0] * 6, seed=1)
    sums = draw_sums(draws, values)
    row = draws.chosen[7]
    assert sums[7, 0].tolist() == values[row[draws.label == 0]].sum(axis=0).tolist()


def test_exact_p_needs_no_correction() -> None:
    assert p_value([1.0, -1.0, 0.5, 0.2], 1.0, exact=True) == 0.5


def test_nobody_treated_cannot_be_redrawn() -> None:
    with pytest.raises(DesignError, match="treated and untreated"):
        redraw([-1, -1], [0, 0], seed=1)
