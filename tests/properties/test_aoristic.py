"""Aoristic weights, for any windows: nothing is lost and nothing is counted twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peelian.arithmetic.aoristic import By, weights

minutes = st.integers(0, 4 * 365 * 1440)
windows = st.lists(st.tuples(minutes, st.integers(0, 5000)), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(windows, st.sampled_from(["hour", "hour-of-week", "day", "month", "shift"]))
def test_rows_sum_to_one_and_totals_to_the_incidents(rows: list[tuple[int, int]], by: By) -> None:
    begin, length = np.array(rows).T
    start = np.datetime64("2016-01-01T00:00", "m") + begin
    found = weights(start, start + length, by=by, long="spread")
    assert np.asarray(found.matrix.sum(axis=1)) == pytest.approx(1.0, abs=1e-9)
    assert found.totals.sum() == pytest.approx(len(rows), abs=1e-9)
    assert (found.part >= 0).all()
