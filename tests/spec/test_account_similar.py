"""An area beside those most like it; the last 28 days; 12 months month by month."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from peelian.account.run import Parameters, run
from peelian.account.similar import beside_similar, nearest
from peelian.account.trends import rolling_index, trend_block
from tests.account_scenario import programme

MONTHS = pd.period_range("2016-01", "2018-12", freq="M")
PLACES = pd.DataFrame(
    {"area": list("wxyz"), "name": ["West", "Cross", "York", "Zion"], "households": [1000, 1000, 2000, 1500],
     "score": [1.0, 2.0, 9.0, 10.0]},
    index=list("abcd"),
)  # fmt: skip
RATES = {"a": 2, "b": 4, "c": 6, "d": 1}


def counts(**last: int) -> pd.Series:
    rows = {(p, m): rate for p, rate in RATES.items() for m in MONTHS}
    for place, count in last.items():
        rows |= {(place, m): count for m in MONTHS[-12:]}
    return pd.Series(rows, name="burglary").rename_axis(["place", "month"])


def found(number: int = 2, threshold: int = 1, **last: int) -> pd.DataFrame:
    return beside_similar(counts(**last), PLACES, ["score"], number=number, threshold=threshold).set_index(
        "area"
    )


def test_the_most_similar_are_nearest_by_scores_of_equal_weight() -> None:
    table = pd.DataFrame({"x": [0.0, 1, 10], "y": [0.0, 1000, 0]}, index=list("abc"))
    assert nearest(table, 1)["a"] == ["c"] or nearest(table, 1)["a"] == ["b"]
    assert nearest(pd.DataFrame({"x": [0.0, 1, 10], "y": [5.0] * 3}, index=list("abc")), 1)["a"] == ["b"]


def test_an_area_stands_beside_the_median_and_the_range_of_its_like() -> None:
    row = found().loc["Cross"]
    assert (row["count"], row["rate"]) == (48, 48.0)
    assert (row["median"], row["lowest"], row["highest"]) == pytest.approx((30.0, 24.0, 36.0))
    assert (row["rank among similar"], row["of"], row["rank of all"]) == (1, 3, 1)


def test_the_rank_of_a_quarter_ago_stands_beside_the_rank_now() -> None:
    row = found(a=9).loc["West"]
    assert (row["rank of all"], row["a quarter ago"]) == (1, 1)
    later = counts()
    for month in MONTHS[-3:]:
        later["a", month] = 20
    moved = beside_similar(later, PLACES, ["score"], number=2).set_index("area").loc["West"]
    assert (moved["rank of all"], moved["a quarter ago"]) == (1, 3)


def test_an_area_too_small_to_publish_is_left_out_everywhere() -> None:
    small = counts(d=0)
    small["d", MONTHS[-1]] = 3
    held = beside_similar(small, PLACES, ["score"], number=3, threshold=5).set_index("area")
    assert "Zion" not in held.index
    assert held["lowest"].min() > 1000 * 3 / 1500
    assert not held["most similar"].str.contains("Zion").any()


def test_less_than_three_years_gives_nothing() -> None:
    assert beside_similar(counts().loc[:, MONTHS[5:]], PLACES, ["score"], number=2).empty


def test_the_last_28_days_stand_beside_the_28_before_and_a_year_ago() -> None:
    days = pd.DataFrame(
        {"now": [30, 40, 0, 5], "before": [60, 80, 0, 5], "a year ago": [30, 40, 0, 5]}, list("abcd")
    )
    arms = pd.Series({"a": "treated", "b": "treated"})
    table = trend_block(counts(), arms, least=10, days=days).set_index(["period", "places"])
    row = table.loc[("last 28 days, and the 28 before", "areas with the programme")]
    assert (row["before"], row["after"], row["in words"]) == (140, 70, "fell")
    same = table.loc[("last 28 days, and the same days a year ago", "all areas")]
    assert (same["before"], same["after"], same["in words"]) == (75, 75, "no clear change")


def test_without_days_there_are_no_28_days() -> None:
    assert not trend_block(counts(), pd.Series(dtype=object), least=10)["period"].str.contains("28").any()


def test_twelve_months_start_at_100_in_both_arms() -> None:
    frame = rolling_index(counts(a=1), pd.Series({"a": "treated"}))
    first, last = frame.groupby("places")["index"].first(), frame.groupby("places")["index"].last()
    assert first.tolist() == [100, 100]
    assert last.to_dict() == {"areas with the programme": 50, "areas without": 100}


def outcome(**changes: Any) -> Any:
    return run(None, programme(), Parameters(similar=("score",)), counts=counts(), areas=PLACES, crime="burglary",
               months=("2016-01", "2018-12"), seed=1, **changes)  # fmt: skip


def test_the_chapter_has_the_table_and_the_chart_with_its_lines() -> None:
    blocks = {getattr(block, "name", ""): block for block in outcome().section.blocks}
    assert (
        blocks["account_similar"].title
        == "Cross has the highest rate; of the areas most like it, it is number 1 of 4"
    )
    assert "kits begin in April 2016; recording changed in April 2017" in blocks["account_course"].alt


def test_a_change_of_recording_inside_the_years_compared_is_said() -> None:
    note = next(b.note for b in outcome().section.blocks if getattr(b, "name", "") == "account_trends")
    assert note.endswith("How crime is recorded changed on 1 April 2017.")
