"""What must hold of every draw."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from peelian.plan import randomise

SEEDS = st.text("abc0123", min_size=1, max_size=6)


@st.composite
def pools(draw):
    size = draw(st.integers(4, 24))
    units = [f"u{n:02d}" for n in range(size)]
    blocks = pd.Series(draw(st.lists(st.sampled_from("pqr"), min_size=size, max_size=size)), units)
    counts = pd.Series(draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)), units, dtype=float)
    return units, blocks, counts


@settings(max_examples=40)
@given(pools(), SEEDS)
def test_every_block_treats_its_share_to_within_one(pool, seed: str) -> None:
    units, blocks, _ = pool
    drawn = randomise(units, design="blocked", blocks=blocks, seed=seed)
    treated = pd.Series(drawn.treated, units).groupby(blocks).agg(["sum", "size"])
    assert (abs(treated["sum"] - treated["size"] / 2) <= 0.5).all()


@settings(max_examples=40)
@given(pools(), SEEDS)
def test_every_pair_treats_one(pool, seed: str) -> None:
    drawn = randomise(pool[0], design="pairs", pairs_on=pool[2], seed=seed)
    assert (pd.Series(drawn.treated).groupby(list(drawn.design.block)).sum() == 1).all()


@settings(max_examples=40)
@given(pools(), SEEDS)
def test_drawn_and_left_out_are_the_pool(pool, seed: str) -> None:
    drawn = randomise(pool[0], design="pairs", pairs_on=pool[2], blocks=pool[1], seed=seed)
    assert sorted([*drawn.units, *drawn.left_out]) == pool[0]


@settings(max_examples=20)
@given(pools(), SEEDS, st.integers(0, 99))
def test_redrawn_pairs_treat_one_of_each(pool, seed: str, again: int) -> None:
    drawn = randomise(pool[0], design="pairs", pairs_on=pool[2], seed=seed)
    many = pd.DataFrame(drawn.redraw(draws=20, seed=again).T).groupby(list(drawn.design.block)).sum()
    assert (many == 1).all(axis=None)


def test_redraws_have_the_stated_probabilities() -> None:
    """Chi-square over 20,000 draws; five units at a share of 0.4 in one block of three and one of two."""
    units = list("abcde")
    drawn = randomise(units, design="blocked", blocks=pd.Series(list("pppqq"), units), share=0.4, seed="x")
    times = drawn.redraw(draws=20_000, seed=1).sum(axis=0)
    expected = 20_000 * drawn.probability
    found = ((times - expected) ** 2 / (expected * 0.6)).sum()
    assert found < stats.chi2.ppf(0.9999, 5)


def test_hashes_have_the_stated_probabilities() -> None:
    """2,000 seeds, five units of which two are treated: chi-square of the units' numbers of treatments."""
    times = sum(randomise("abcde", seed=str(n), share=0.4).treated.astype(int) for n in range(2000))
    assert ((times - 800) ** 2 / 480).sum() < stats.chi2.ppf(0.9999, 5)


@pytest.mark.parametrize("acceptance", [0.05, 0.5])
def test_redraws_keep_the_balance(acceptance: float) -> None:
    units = [f"u{n:02d}" for n in range(30)]
    table = pd.DataFrame(np.random.default_rng(1).normal(size=(30, 2)), units)
    drawn = randomise(units, design="rerandomised", balance_on=table, acceptance=acceptance, seed="x")
    assert (drawn.design.distance(drawn.redraw(draws=500, seed=2)) <= drawn.design.threshold).all()
