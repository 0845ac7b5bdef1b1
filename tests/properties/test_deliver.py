"""What must hold of every register of counts, on drawn cases."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from peelian.deliver.dose import faults, needed, saturation, treated_from

MONTHS = pd.period_range("2016-01", "2016-06", freq="M")
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.integers(0, 40)), max_size=25)
HOMES = st.fixed_dictionaries({place: st.integers(0, 90) for place in "abc"})
LINES = st.integers(1, 100).map(lambda hundredth: hundredth / 100)


def table(rows: list[tuple[str, int, int]], homes: dict[str, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["place", "at", "kits"])
    frame["month"] = MONTHS.take(frame["at"].astype(int))
    return saturation(frame.astype({"place": str}), pd.Series(homes), MONTHS)


@given(ROWS, HOMES)
def test_no_kit_is_lost(rows, homes) -> None:
    assert table(rows, homes)["kits"].sum() == sum(kits for _, _, kits in rows)


@given(ROWS, HOMES)
def test_what_was_delivered_never_falls(rows, homes) -> None:
    assert (table(rows, homes).groupby("place")["delivered"].diff().fillna(0) >= 0).all()


@given(ROWS, HOMES)
def test_the_order_of_rows_is_irrelevant(rows, homes) -> None:
    pd.testing.assert_frame_equal(table(rows[::-1], homes), table(rows, homes))


@given(ROWS, HOMES, LINES)
def test_the_line_is_reached_in_the_first_month_with_enough_kits(rows, homes, line) -> None:
    found = treated_from(table(rows, homes), threshold=line)
    for place, count in homes.items():
        enough = int((Decimal(str(line)) * count).to_integral_value(ROUND_CEILING))
        held, when = 0, None
        for at, month in enumerate(MONTHS):
            held += sum(kits for where, then, kits in rows if where == place and then == at)
            if count and held >= enough:
                when = month
                break
        assert (found[place] is pd.NaT and when is None) or found[place] == when


@given(st.integers(0, 5000), LINES)
def test_the_line_is_counted_exactly(homes: int, line: float) -> None:
    exact = int((Decimal(str(line)) * homes).to_integral_value(ROUND_CEILING))
    assert needed(pd.Series({"a": homes}), line)["a"] == exact


@given(ROWS, HOMES)
def test_a_fault_is_listed_with_both_numbers(rows, homes) -> None:
    listed = faults(table(rows, homes)).set_index("place")
    given_kits = {place: sum(kits for where, _, kits in rows if where == place) for place in homes}
    over = {place: (kits, homes[place]) for place, kits in given_kits.items() if kits > homes[place]}
    assert {p: (r["delivered"], r["households"]) for p, r in listed.iterrows()} == over
