"""Large tables and earlier releases: what is hidden, what is merged, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.account.differencing import difference
from peelian.account.disclosure import _lines, bounds
from peelian.account.large import hide_large, protect_counts
from peelian.account.releases import Release, record, releases
from peelian.errors import DataError, PrivacyError


def whole(values: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(values, columns=[str(i) for i in range(values.shape[1])])
    frame["all"] = frame.sum(axis=1)
    frame.loc["all"] = frame.sum()
    return frame


def narrowest(values: np.ndarray, threshold: int) -> float:
    """The least width within which linear programming, given all that is published, holds a small cell."""
    hiding = hide_large(values, threshold=threshold)
    table = whole(values)
    hidden = np.zeros(table.shape, dtype=bool)
    hidden[:-1, :-1], hidden[:-1, -1] = hiding.cells, hiding.row_totals
    lines = _lines(table, "all", "all")
    small = np.argwhere((values > 0) & (values < threshold))
    ends = [bounds(table.to_numpy(float), hidden, lines, (int(r), int(c))) for r, c in small]
    return min((high - low for low, high in ends), default=np.inf)


@pytest.mark.parametrize("seed", range(12))
def test_no_small_count_of_a_large_table_can_be_told(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.poisson(rng.gamma(2.0, 5.0, (14, 1)), (14, 6))
    assert narrowest(values, 5) >= 5 - 1e-6


def test_a_row_of_small_counts_alone_loses_its_total() -> None:
    values = np.array([[1, 2, 3], [20, 30, 40], [20, 30, 40]])
    assert hide_large(values, threshold=5).row_totals.tolist() == [True, True, False]
    assert narrowest(values, 5) >= 5


def test_zeros_stay_shown() -> None:
    values = np.array([[0, 2, 30], [20, 30, 40], [0, 30, 40]])
    assert not hide_large(values, threshold=5).cells[values == 0].any()


def test_a_table_without_small_counts_is_left_alone() -> None:
    assert not hide_large(np.full((3, 3), 9), threshold=5).cells.any()


def test_a_table_of_mostly_small_counts_is_refused() -> None:
    with pytest.raises(PrivacyError, match=r"4 of 6 counts are below 5. Publish quarters or larger areas"):
        hide_large(np.array([[1, 2, 9], [3, 4, 9]]), threshold=5)


def counts(scale: int) -> pd.Series:
    index = pd.MultiIndex.from_product(
        [list("abcd"), pd.period_range("2018-01", periods=6, freq="M"), ["burglary"]]
    )
    return pd.Series(np.tile([1, 3, 2], 8) * scale, index=index)


@pytest.mark.parametrize(
    ("scale", "note"),
    [(5, "0 of 24 counts are withheld."), (1, "Months were merged to quarters.")],
)
def test_months_become_quarters_where_they_are_too_small(scale: int, note: str) -> None:
    assert protect_counts(counts(scale), threshold=5).notes[0] == note


def test_areas_become_larger_ones_where_quarters_do_not_help() -> None:
    parents = pd.Series({"a": "A", "b": "A", "c": "B", "d": "B"})
    found = protect_counts(counts(1), threshold=10, parents=parents)
    assert found.notes[:2] == ("Months were merged to quarters.", "Places were merged to larger areas.")
    assert found.table.index.tolist() == ["A", "B", "all"]


def test_what_cannot_be_published_at_all_is_refused() -> None:
    with pytest.raises(PrivacyError, match="cannot be published by place"):
        protect_counts(counts(1), threshold=1000)


# ------------------------------------------------------------ releases
def release(name: str, *rows: tuple, measure: str = "burglary") -> Release:
    table = pd.DataFrame(list(rows), columns=["place", "first", "last", "count"])
    return Release(name, "2020-01-01", measure, "wards", table)


YEAR = ("w1", "2019-01", "2019-12", 40)


@pytest.mark.parametrize(
    "row",
    [
        ("w1", "2019-01", "2019-11", 37),  # a window shorter by a month
        ("w1", "2018-12", "2019-12", 44),  # and a longer one
        ("w1", "2019-01", "2019-12", "c"),  # hidden in the one, shown in the other
    ],
)
def test_two_tables_that_give_a_small_count_away_are_refused(row: tuple) -> None:
    with pytest.raises(PrivacyError, match="Table new together with table old of 2020-01-01"):
        difference(release("new", row), [release("old", YEAR)], threshold=5)


@pytest.mark.parametrize(
    "row",
    [
        YEAR,
        ("w1", "2019-01", "2019-11", 30),
        ("w1", "2019-01", "2019-11", 40),
        ("w2", "2019-01", "2019-11", 38),
    ],
)
def test_tables_that_give_nothing_away_pass(row: tuple) -> None:
    difference(release("new", row), [release("old", YEAR)], threshold=5)


def test_areas_that_overlap_are_compared_by_what_they_consist_of() -> None:
    atoms = {"ward 2014": ["l1", "l2", "l3"], "ward 2022": ["l1", "l2"]}
    old = release("old", ("ward 2014", "2019-01", "2019-12", 40))
    new = release("new", ("ward 2022", "2019-01", "2019-12", 38))
    with pytest.raises(PrivacyError, match="would give a count below 5 away"):
        difference(new, [old], threshold=5, atoms=atoms)


def test_three_tables_are_solved_together() -> None:
    """b and c were published each with a, and a is all three less what is shown now: c holds 3."""
    parts = {"a and b": ("a", "b"), "all": ("a", "b", "c"), "a and c": ("a", "c")}
    span = ("2019-01", "2019-12")
    held = [
        replace(release(name, (area, *span, count)), parts=parts)
        for name, area, count in (("first", "all", 43), ("second", "b", 20))
    ]
    new = replace(release("new", ("a", *span, 20)), parts=parts)
    difference(new, held[:1], threshold=5)
    with pytest.raises(PrivacyError, match="table first of 2020-01-01 and table second of 2020-01-01"):
        difference(new, held, threshold=5)


def test_an_arm_that_gained_an_area_gives_that_area_away() -> None:
    old = replace(release("old", ("treated", "2018-01", "2018-12", 50)), parts={"treated": ("a", "b")})
    new = replace(release("new", ("treated", "2018-01", "2018-12", 53)), parts={"treated": ("a", "b", "c")})
    with pytest.raises(PrivacyError, match="Table new together with table old"):
        difference(new, [old], threshold=5)


def test_two_rolling_totals_give_neither_month_away() -> None:
    old = release("old", ("w1", "2018-01", "2018-12", 60))
    difference(release("new", ("w1", "2018-02", "2019-01", 61)), [old], threshold=5)


def test_rolling_totals_and_the_month_that_came_give_the_month_that_went_away() -> None:
    old = [
        release("old", ("w1", "2018-01", "2018-12", 60)),
        release("month", ("w1", "2019-01", "2019-01", 9)),
    ]
    with pytest.raises(PrivacyError, match="would give a count below 5 away"):
        difference(release("new", ("w1", "2018-02", "2019-01", 67)), old, threshold=5)


def test_a_total_that_comes_later_gives_a_hidden_cell_away() -> None:
    span = ("2018-01", "2018-12")
    old = release("old", ("w1", *span, 30), ("w2", *span, "c"))
    new = replace(release("new", ("both", *span, 33)), parts={"both": ("w1", "w2")})
    with pytest.raises(PrivacyError, match="Table new together with table old"):
        difference(new, [old], threshold=5)


def test_a_hidden_cell_that_is_large_for_certain_is_not_given_away() -> None:
    span = ("2018-01", "2018-12")
    old = release("old", ("w1", *span, 30), ("w2", *span, "c"))
    new = replace(release("new", ("both", *span, 90)), parts={"both": ("w1", "w2")})
    difference(new, [old], threshold=5)


def test_the_parts_of_a_release_come_back_from_the_log(tmp_path: Path) -> None:
    held = replace(release("first", ("w1", "2019-01", "2019-12", 40)), parts={"w1": ("l1", "l2")})
    record(held, tmp_path)
    assert releases(tmp_path)[0].parts == {"w1": ("l1", "l2")}


def test_the_message_names_no_value() -> None:
    with pytest.raises(PrivacyError) as caught:
        difference(release("new", ("w1", "2019-01", "2019-11", 37)), [release("old", YEAR)], threshold=5)
    assert "37" not in str(caught.value)
    assert "40" not in str(caught.value)


def test_other_measures_are_not_compared() -> None:
    new = release("new", ("w1", "2019-01", "2019-11", 37), measure="robbery")
    difference(new, [release("old", YEAR)], threshold=5)


def test_a_small_count_shown_is_refused() -> None:
    with pytest.raises(PrivacyError, match="Table new shows a count below 5"):
        difference(release("new", ("w1", "2019-01", "2019-11", 3)), [], threshold=5)


def test_the_log_comes_back_as_it_was(tmp_path: Path) -> None:
    record(release("first", YEAR), tmp_path)
    record(release("second", ("w1", "2020-01", "2020-12", "c")), tmp_path)
    assert [(r.id, r.table["count"].tolist()) for r in releases(tmp_path)] == [
        ("first", ["40"]),
        ("second", ["c"]),
    ]


def test_an_id_is_released_once(tmp_path: Path) -> None:
    record(release("first", YEAR), tmp_path)
    with pytest.raises(DataError, match="first was released with other contents"):
        record(release("first", ("w1", "2019-01", "2019-12", 41)), tmp_path)


def test_a_released_table_that_was_changed_is_found(tmp_path: Path) -> None:
    record(release("first", YEAR), tmp_path)
    (tmp_path / "first.csv").write_text("place,first,last,count\nw1,2019-01,2019-12,41\n", encoding="utf-8")
    with pytest.raises(DataError, match="was changed after it was released"):
        releases(tmp_path)
