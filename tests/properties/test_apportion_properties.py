"""Whatever the lookup and whatever the counts: totals are kept to one part in a thousand million."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from peelian.read.apportion import apportion, common, one_edition
from peelian.read.lookups import Crosswalk

PIECES = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from("abcUVWX"),
        st.integers(0, 50) | st.floats(0, 1e6, width=32),
    ),
    min_size=1,
    max_size=14,
)
COUNTS = st.dictionaries(
    st.tuples(st.sampled_from("abcdefUVWX?"), st.integers(0, 3)), st.integers(0, 10_000), min_size=1
)


def walk(pieces: list[tuple[str, str, float]]) -> Crosswalk:
    return Crosswalk.of(pd.DataFrame(pieces, columns=["old", "new", "size"]), how="by people")


def series(counts: dict[tuple[str, int], int]) -> pd.Series:
    months = pd.period_range("2022-04", periods=4, freq="M")
    index = pd.MultiIndex.from_tuples([(code, months[k]) for code, k in counts], names=["place", "month"])
    return pd.Series(list(counts.values()), index)


def by_month(values: pd.Series) -> dict[str, float]:
    return {str(month): float(total) for month, total in values.groupby(level="month").sum().items() if total}


@given(PIECES, COUNTS, st.sampled_from(["new", "old", "common"]))
@settings(max_examples=60, deadline=None)
def test_every_month_keeps_its_total(
    pieces: list[tuple[str, str, float]], counts: dict[tuple[str, int], int], to: str
) -> None:
    before = series(counts)
    found = one_edition(before, walk(pieces), to=to)  # type: ignore[arg-type]
    after = by_month(pd.concat([found.values.astype(float), found.unplaced.astype(float)]))
    assert after.keys() == by_month(before).keys()
    assert all(abs(after[month] - total) <= 1e-9 * total for month, total in by_month(before).items())


@given(PIECES, COUNTS)
@settings(max_examples=40, deadline=None)
def test_apportioned_counts_keep_their_total(
    pieces: list[tuple[str, str, float]], counts: dict[tuple[str, int], int]
) -> None:
    values = series(counts)
    found = apportion(values, walk(pieces))
    kept = found.values.sum() + found.unplaced.sum()
    assert abs(kept - values.sum()) <= 1e-9 * values.sum()


@given(PIECES)
@settings(max_examples=40, deadline=None)
def test_both_codes_of_every_piece_are_in_one_common_area(pieces: list[tuple[str, str, float]]) -> None:
    held = walk(pieces)
    groups = common(held)
    assert (held.pieces["old"].map(groups) == held.pieces["new"].map(groups)).all()


@given(PIECES, COUNTS)
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_does_not_matter(
    pieces: list[tuple[str, str, float]], counts: dict[tuple[str, int], int]
) -> None:
    values = series(counts)
    one = one_edition(values, walk(pieces), to="common").values
    other = one_edition(values[::-1], walk(pieces[::-1]), to="common").values
    pd.testing.assert_series_equal(one, other)
