"""Disclosure control on tables small enough to read."""

from __future__ import annotations

import pandas as pd
import pytest

from peelian.account.disclosure import protect, suppress
from peelian.errors import DataError


def table(**columns: list) -> pd.DataFrame:
    return pd.DataFrame(columns)


def shown(frame: pd.DataFrame, column: str) -> list:
    return list(frame[column])


def test_small_counts_are_hidden_and_zeros_stay() -> None:
    found = protect(table(area=["a", "b", "c"], n=[0, 4, 5]), ["n"], threshold=5)
    assert shown(found, "n") == [0, "c", 5]


def test_a_total_does_not_give_a_hidden_count_back() -> None:
    found = protect(table(area=["a", "b", "c", "all"], n=[3, 40, 20, 63]), ["n"], threshold=5)
    assert shown(found, "n") == ["c", 40, "c", 63]


def test_two_hidden_counts_that_leave_too_little_room_get_a_third() -> None:
    found = protect(table(area=["a", "b", "c", "all"], n=[2, 2, 40, 44]), ["n"], threshold=5)
    assert shown(found, "n") == ["c", "c", "c", 44]


def test_a_column_that_is_the_sum_of_two_others_does_not_give_a_count_back() -> None:
    frame = table(area=["a", "b"], home=[3, 40], shop=[10, 30], burglary=[13, 70], all_crime=[99, 300])
    found = protect(frame, ["home", "shop", "burglary", "all_crime"], threshold=5)
    assert [found.at[0, name] for name in ("home", "shop", "burglary")] == ["c", "c", 13]


def test_a_rate_is_hidden_beside_its_count() -> None:
    frame = table(area=["a", "b"], n=[3, 40], households=[900, 800], rate=[3.3, 50.0])
    found = protect(frame, ["n"], threshold=5)
    assert (found.at[0, "rate"], found.at[0, "households"], found.at[1, "rate"]) == ("c", 900, 50.0)


def test_a_change_that_gives_a_count_back_is_hidden() -> None:
    found = protect(table(area=["a", "b"], before=[3, 40], after=[10, 50], more=[7, 10]), ["before", "after"])
    assert shown(found, "more") == ["c", 10]


def test_nothing_is_hidden_inside_the_force() -> None:
    frame = table(area=["a"], n=[3])
    assert protect(frame, ["n"], audience="internal").equals(frame)


def test_research_has_a_threshold_of_ten() -> None:
    assert shown(protect(table(area=["a", "b"], n=[9, 10]), ["n"], audience="research"), "n") == ["c", 10]


def test_an_unknown_audience_is_refused() -> None:
    with pytest.raises(DataError, match="no figure called 'threshold_press'"):
        protect(table(area=["a"], n=[3]), ["n"], audience="press")


def test_blanks_stay_blank() -> None:
    found = protect(table(area=["a", "b"], n=[None, 3]), ["n"], threshold=5)
    assert found["n"].fillna("blank").tolist() == ["blank", "c"]


def test_the_input_is_not_changed() -> None:
    frame = table(area=["a", "b"], n=[3, 40])
    protect(frame, ["n"], threshold=5)
    assert shown(frame, "n") == [3, 40]


MARGINS = pd.DataFrame(
    {"x": [1, 10, 20, 31], "y": [30, 8, 15, 53], "all": [31, 18, 35, 84]}, index=["a", "b", "c", "all"]
)


def test_a_lone_cell_of_a_two_way_table_gets_a_rectangle_round_it() -> None:
    found = suppress(MARGINS, threshold=5, total_row="all", total_column="all")
    assert [(found == "c").sum().sum(), found.at["a", "x"]] == [4, "c"]


def test_totals_that_disagree_are_refused() -> None:
    wrong = MARGINS.copy()
    wrong.loc["all", "all"] = 85
    with pytest.raises(
        DataError, match="The total in row 'all', column 'all' is 85, but its parts add up to 84"
    ):
        suppress(wrong, threshold=5, total_row="all", total_column="all")


def test_a_total_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="has 0 lines called 'sum'"):
        suppress(MARGINS, threshold=5, total_row="sum")


def test_a_count_that_is_no_count_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"Row 'a', column 'x' is 1\.5; disclosure control expects whole counts"
    ):
        suppress(pd.DataFrame({"x": [1.5]}, index=["a"]), threshold=5)
