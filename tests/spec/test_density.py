"""Kernel density on a grid: mass, symmetry, edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from peelian.arithmetic.density import blur, gaussian, smooth_counts
from peelian.errors import DesignError


def test_blur_agrees_with_a_gaussian_filter_that_takes_nothing_from_outside() -> None:
    values = np.random.default_rng(1).poisson(0.5, (23, 31)).astype(float)
    expected = gaussian_filter(values, 1.7, mode="constant", truncate=4.0)
    assert blur(values, 1.7) == pytest.approx(expected, abs=1e-12)


def test_a_cell_at_the_edge_is_not_low_because_nothing_lies_beyond() -> None:
    inside = np.ones((9, 9), bool)
    assert smooth_counts(np.ones((9, 9)), inside, sd=2.0) == pytest.approx(np.ones((9, 9)))


def test_nothing_is_spread_outside_the_study_area() -> None:
    inside = np.zeros((5, 5), bool)
    inside[:, :2] = True
    counts = np.zeros((5, 5))
    counts[2, 1] = 7.0
    spread = smooth_counts(counts, inside, sd=1.0)
    assert spread[:, 2:].sum() == 0
    assert spread.sum() == pytest.approx(7.0, abs=1e-9)


def test_no_count_gives_no_density() -> None:
    assert smooth_counts(np.zeros((3, 3)), np.ones((3, 3), bool), sd=1.0).sum() == 0


@pytest.mark.parametrize("sd", [0.0, -1.0, float("nan")])
def test_a_bandwidth_must_be_above_nought(sd: float) -> None:
    with pytest.raises(DesignError, match="A bandwidth must be above 0"):
        gaussian(sd)
