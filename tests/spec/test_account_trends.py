"""The trend block: counts against a year before, an interval on every change, and exact words."""

from __future__ import annotations

import pandas as pd
import pytest

from peelian.account.trends import change, spread_of, trend_block

ARMS = pd.Series({"a": "treated", "b": "control", "c": "excluded"})


def counts(last: str = "2018-06", months: int = 30, **monthly: int) -> pd.Series:
    span = pd.period_range(end=last, periods=months, freq="M")
    index = pd.MultiIndex.from_product([list("abc"), span], names=["place", "month"])
    return pd.Series([monthly.get(place, 10) for place, _ in index], index=index)


@pytest.mark.parametrize(
    ("after", "before", "words"),
    [(9, 100, "too few to compare"), (100, 9, "too few to compare"), (100, 100, "no clear change"),
     (50, 100, "fell"), (200, 100, "rose")],
)  # fmt: skip
def test_a_change_in_words(after: int, before: int, words: str) -> None:
    assert change(after, before, least=10).words == words


def test_the_interval_is_log_normal() -> None:
    found = change(120, 100, least=10)
    assert found.share == pytest.approx(0.2)
    assert [round(end or 0, 4) for end in (found.low, found.high)] == [
        -0.0797,
        0.5647,
    ]  # exp(1.96 x sqrt(1/120 + 1/100)) = 1.3039


def test_places_that_differ_widen_the_interval() -> None:
    alike, unlike = pd.Series([10, 10, 10]), pd.Series([1, 30, 5])
    before = pd.Series([10, 10, 10])
    assert spread_of(alike, before) == 1.0 < spread_of(unlike, before)


def test_periods_are_those_that_end_with_the_last_month() -> None:
    found = trend_block(counts(), ARMS, least=10)
    all_ = found[found["places"] == "all areas"].set_index("period")["after"]
    assert all_.tolist() == [240, 60, 60, 20]  # twelve months, April to June, three months, one


def test_excluded_places_count_nowhere() -> None:
    assert trend_block(counts(c=999), ARMS, least=10)["after"].max() == 240


def test_a_period_whose_year_before_is_not_held_is_left_out() -> None:
    found = trend_block(counts(months=16), ARMS, least=10)
    assert found["period"].unique().tolist() == [
        "April to the last month, and a year ago", "last 3 months, and a year ago", "last month, and a year ago",
    ]  # fmt: skip


def test_without_a_programme_all_areas_are_compared() -> None:
    found = trend_block(counts(), pd.Series(dtype=object), least=10)
    assert found[found["places"] == "all areas"]["after"].iloc[0] == 360
