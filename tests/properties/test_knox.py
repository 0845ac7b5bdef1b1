"""Near repeats, for any events: nothing depends on the order of rows, and the closed forms are those of chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peelian.arithmetic.pairs import close_pairs, mean_within, moments, shuffled_pairs, time_partners
from peelian.explain.bands import bands_of
from peelian.explain.events import Events
from peelian.explain.near_repeat import Asked, knox_of
from peelian.explain.near_repeat_local import local

lattice = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 40), st.integers(0, 2)),
    min_size=4, max_size=40,
)  # fmt: skip
BANDS = bands_of((0.01, 50, 100), (2, 7))


def events(rows: list[tuple[int, int, int, int]]) -> Events:
    x, y, day, stratum = np.array(rows).T
    return Events.of(x * 25.0, y * 25.0, day, stratum)


@settings(max_examples=40, deadline=None)
@given(lattice, st.randoms(use_true_random=False))
def test_row_order_changes_nothing(rows: list[tuple[int, int, int, int]], random: object) -> None:
    turned = list(rows)
    random.shuffle(turned)  # type: ignore[attr-defined]
    first, second = (knox_of(events(r), Asked(BANDS, permutations=19, seed=1)).frame for r in (rows, turned))
    pd.testing.assert_frame_equal(first, second)


@settings(max_examples=40, deadline=None)
@given(lattice)
def test_pairs_are_all_pairs_within_reach(rows: list[tuple[int, int, int, int]]) -> None:
    held = events(rows)
    close = close_pairs(held.x, held.y, BANDS.distances)
    apart = np.hypot(held.x[:, None] - held.x, held.y[:, None] - held.y)
    assert len(close) == int((apart <= 100).sum() - len(held)) // 2


@settings(max_examples=25, deadline=None)
@given(lattice)
def test_local_counts_sum_to_twice_the_pairs(rows: list[tuple[int, int, int, int]]) -> None:
    held = events(rows)
    found = knox_of(held, Asked(bands_of((0.01, 100), (7,)), permutations=19, seed=1))
    partners = local(held, 100, 7, 1, 1)[["before", "after", "same_day"]].to_numpy()
    assert partners.sum() == 2 * found.frame["observed"].sum()


@settings(max_examples=25, deadline=None)
@given(lattice)
def test_one_stratum_is_no_stratum(rows: list[tuple[int, int, int, int]]) -> None:
    held = events(rows)
    close = close_pairs(held.x, held.y, BANDS.distances)
    partners = time_partners(held.time, BANDS.times, "right")
    mean, _ = moments(close.partners(len(held)), partners)
    within = mean_within(close, held.time, np.zeros(len(held), np.int64), BANDS.times, "right")
    assert within == pytest.approx(mean, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("strata", [False, True])
def test_expected_pairs_are_the_mean_of_permutations(strata: bool) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 3000, (2, 300))
    # days that differ by stratum, so that the two nulls differ
    stratum = (x // 1000).astype(int)
    held = Events.of(x, y, rng.integers(0, 30, 300) + 15 * stratum, stratum)
    close = close_pairs(held.x, held.y, (200, 400))
    label = held.strata if strata else None
    drawn = shuffled_pairs(close, held.time, (7, 14), closed="right", permutations=2000, seed=7, strata=label)
    if strata:
        mean = mean_within(close, held.time, held.strata, (7, 14), "right")
    else:
        mean, variance = moments(close.partners(300), time_partners(held.time, (7, 14), "right"))
        assert drawn.var(axis=0) == pytest.approx(variance, rel=0.15)
    error = drawn.std(axis=0) / np.sqrt(2000)
    assert (np.abs(drawn.mean(axis=0) - mean) <= 3 * error).all()


def test_the_same_seed_gives_the_same_table() -> None:
    rng = np.random.default_rng(4)
    held = Events.of(*rng.uniform(0, 900, (2, 80)), rng.integers(0, 60, 80))
    one, two = (knox_of(held, Asked(BANDS, permutations=49, seed=3)).frame for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
