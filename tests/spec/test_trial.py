"""Randomisation on small pools: what is drawn, what is said, what is refused."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.places import Places
from peelian.plan import (
    apart,
    assignment_list,
    balance,
    equivalent,
    mde_formula,
    mde_table,
    power,
    randomise,
    stepped_wedge,
)

UNITS = [f"u{n:02d}" for n in range(11)]
COUNT = pd.Series(range(11), UNITS, dtype=float)


def test_the_order_of_the_pool_is_irrelevant() -> None:
    assert randomise(UNITS, seed="x").hash == randomise(UNITS[::-1], seed="x").hash


def test_another_seed_draws_another_list() -> None:
    assert randomise(UNITS, seed="x").chosen != randomise(UNITS, seed="y").chosen


def test_another_attempt_draws_another_list() -> None:
    assert randomise(UNITS, seed="x").chosen != randomise(UNITS, seed="x", attempt=1).chosen


def test_the_odd_unit_of_pairs_is_left_out_and_named() -> None:
    assert randomise(UNITS, design="pairs", pairs_on=COUNT, seed="x").left_out == ("u00",)


def test_pairs_are_neighbours_in_count() -> None:
    drawn = randomise(UNITS, design="pairs", pairs_on=COUNT, seed="x")
    assert len({drawn.design.block[drawn.units.index(unit)] for unit in ("u10", "u09")}) == 1


def test_a_share_of_each_block_is_treated() -> None:
    blocks = pd.Series(["a"] * 6 + ["b"] * 4, UNITS[:10])
    drawn = assignment_list(randomise(UNITS[:10], design="blocked", blocks=blocks, seed="x"))
    assert drawn[drawn["arm"] == "treated"].groupby("block").size().to_dict() == {"a": 3, "b": 2}


def test_unequal_shares() -> None:
    assert randomise(UNITS[:10], seed="x", share=0.2).probability.tolist() == [0.2] * 10


def test_rerandomised_arms_agree_on_what_was_asked() -> None:
    table = COUNT.to_frame("count")
    drawn = randomise(UNITS, design="rerandomised", balance_on=table, seed="x", acceptance=0.1)
    assert abs(balance(drawn, table)["difference"].iloc[0]) < 0.2


def test_steps_of_a_wedge_are_of_equal_size() -> None:
    drawn = stepped_wedge(UNITS[:9], seed="x", steps=3)
    assert pd.Series(drawn.step).value_counts().to_dict() == {1: 3, 2: 3, 3: 3}


def row(size: int) -> Places:
    shapes = [box(100 * i, 0, 100 * i + 100, 100) for i in range(size)]
    return Places.of(gpd.GeoDataFrame(index=list("abcdefg")[:size], geometry=shapes, crs="EPSG:27700"))


def test_the_heaviest_spaced_set() -> None:
    weight = pd.Series([1.0, 5, 1, 1, 4], list("abcde"))
    assert list(apart(row(5), 0, seed="x", weight=weight)) == ["b", "e"]


def test_spaced_units_do_not_touch() -> None:
    ids = list(apart(row(7), 150, seed="x"))
    assert all(ord(b) - ord(a) >= 3 for a, b in pairwise(ids))


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"seed": " "}, DesignError, "A draw needs a seed"),
        ({"seed": "x", "share": 1.0}, DesignError, "between 0 and 1; got 1"),
        ({"seed": "x", "design": "pairs"}, DesignError, "Pairs need pairs_on"),
        ({"seed": "x", "design": "pairs", "pairs_on": COUNT[:3]}, DataError, "pairs_on lacks 8 units"),
        ({"seed": "x", "design": "pairs", "pairs_on": COUNT, "share": 0.2}, DesignError, "one of two"),
        ({"seed": "x", "design": "blocked"}, DesignError, "needs blocks"),
        ({"seed": "x", "design": "blocked", "blocks": pd.concat([COUNT, COUNT[:1]])}, DesignError,
         "blocks names 1 units more than once: u00"),
        ({"seed": "x", "design": "rerandomised"}, DesignError, "needs balance_on"),
        ({"seed": "x", "design": "rerandomised", "balance_on": COUNT.to_frame(), "acceptance": 0.001},
         DesignError, "from 0.01 to 1"),
    ],
)  # fmt: skip
def test_a_draw_that_cannot_be_made_says_why(keywords: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        randomise(UNITS, **keywords)
    assert words in str(raised.value)


def test_a_unit_that_stands_twice_is_refused() -> None:
    with pytest.raises(DesignError, match="1 units more than once: u00"):
        randomise([*UNITS, "u00"], seed="x")


def test_a_distance_below_nothing_is_refused() -> None:
    with pytest.raises(DesignError, match="0 or more"):
        apart(row(3), -1, seed="x")


# ------------------------------------------------------------------- power
@pytest.fixture(scope="module")
def history() -> pd.Series:
    """Three years of 60 alike places with 8 incidents a month each, by chance alone."""
    months = pd.period_range("2012-01", "2014-12", freq="M", name="month")
    ids = pd.Index([f"p{n:02d}" for n in range(60)], name="place")
    return pd.DataFrame(np.random.default_rng(3).poisson(8, (60, 36)), ids, months).stack()


def test_power_on_chance_alone_is_that_of_the_formula(history) -> None:
    year = 20 * 8 * 12
    formula = mde_formula(year, year, 2 * year, 2 * year, 1)
    assert power(history, 20, draws=2000, seed=1).mde == pytest.approx(formula, rel=0.15)


def test_nothing_planted_is_seen_one_time_in_twenty(history) -> None:
    assert 0.03 <= power(history, 20, draws=4000, seed=1).false_positives <= 0.07


def test_power_rises_with_the_effect(history) -> None:
    assert power(history, 20, draws=400, seed=1).table["power"].is_monotonic_increasing


def test_every_window_that_fits_is_rehearsed(history) -> None:
    assert power(history, 20, draws=100, seed=1).windows == 2


def test_a_thin_dose_needs_a_larger_effect(history) -> None:
    thin = power(history, 20, draws=400, seed=1, saturation=0.5).mde
    assert thin == pytest.approx(2 * power(history, 20, draws=400, seed=1).mde, rel=0.02)


def test_power_of_a_drawn_list_uses_its_own_rule(history) -> None:
    drawn = randomise(history.index.unique("place")[:40], seed="x")
    assert power(history, assignment=drawn, draws=100, seed=1).treated == 20


def test_the_answer_in_words(history) -> None:
    words = power(history, 20, draws=400, seed=1).words
    assert words.startswith("With 20 treated areas this design can tell nothing below ")


def test_more_places_see_smaller_falls(history) -> None:
    table = mde_table(history, (4, 20), draws=400, seed=1)
    assert 4 < equivalent(table, float(table["mde"].mean())) < 20


def test_a_history_that_is_too_short_is_refused(history) -> None:
    with pytest.raises(DesignError, match="Power needs 72 months of counts; there are 36"):
        power(history, 20, months_before=60, seed=1)


def test_too_few_places_are_refused(history) -> None:
    with pytest.raises(DesignError, match="1 of 60 places cannot be drawn"):
        power(history, 1, seed=1)
