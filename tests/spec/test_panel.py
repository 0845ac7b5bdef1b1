"""Panel: complete, counts conserved, and who was treated from when."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.panel import Panel
from peelian.places import Places
from peelian.programme import COLUMNS, Programme

MONTHS = pd.period_range("2015-01", "2016-12", freq="M")
IDS = list("abcdef")
PLACES = Places.of(
    gpd.GeoDataFrame(
        {"households": [100] * 6}, index=IDS,
        geometry=[box(i * 400, 0, (i + 1) * 400, 400) for i in range(6)], crs="EPSG:27700",
    )
)  # fmt: skip


def counts(months: pd.PeriodIndex = MONTHS) -> pd.Series:
    index = pd.MultiIndex.from_product([IDS, months], names=["place", "month"])
    return pd.Series(range(len(index)), index)


def programme(**rows: tuple[str, str | None]) -> Programme:
    """Arm and start by place."""
    areas = pd.DataFrame(columns=list(COLUMNS), index=pd.Index(list(rows), name="place", dtype="str"))
    areas["arm"] = [arm for arm, _ in rows.values()]
    areas["start"] = pd.PeriodIndex([start for _, start in rows.values()], freq="M")
    areas["assigned_by"] = ""
    return Programme("kits", areas)


def build(given: Programme | None = None, **more: object) -> Panel:
    return Panel.build(counts(), given or programme(a=("treated", "2016-01")), PLACES, **more)  # type: ignore[arg-type]


def test_counts_are_conserved() -> None:
    assert build().frame["count"].sum() == counts().sum()


def test_after_starts_with_the_months_of_delivery() -> None:
    after = build().frame["after"]
    assert after.loc[("a", "2015-12")] == False  # noqa: E712
    assert after.loc[("a", "2016-01")] == True  # noqa: E712


def test_untreated_places_count_from_the_first_start_of_all() -> None:
    panel = build(programme(a=("treated", "2016-03"), b=("treated", "2016-06")))
    assert panel.frame["after"].loc["f"].sum() == 10
    assert panel.frame["after"].loc["b"].sum() == 7


def test_rings_lie_round_the_treated_places() -> None:
    assert build().by_place()["ring"].astype(str).tolist() == [
        "inside", "0-250 m", "500-750 m", "beyond", "beyond", "beyond",
    ]  # fmt: skip


def test_what_was_chosen_is_the_unit() -> None:
    given = programme(a=("treated", "2016-01"), b=("treated", "2016-01"))
    given.areas["assigned_by"] = "ward"
    assert build(given).by_place()["unit"].tolist() == ["ward", "ward", *"cdef"]


def test_saturation_is_carried_forward_and_nothing_before_the_first_kit() -> None:
    index = pd.MultiIndex.from_tuples(
        [("a", pd.Period("2016-02", "M")), ("a", pd.Period("2016-04", "M"))], names=["place", "month"]
    )
    saturation = build(saturation=pd.Series([0.3, 0.8], index)).frame["saturation"].loc["a"]
    assert saturation.loc[["2016-01", "2016-02", "2016-03", "2016-12"]].tolist() == [0.0, 0.3, 0.3, 0.8]


def test_a_month_of_changed_recording_is_marked() -> None:
    assert build(breaks=["2016-04"]).frame["recording_break"].sum() == len(IDS)


def test_other_outcomes_stand_beside() -> None:
    assert build(others={"theft": counts() * 2}).frame["theft"].sum() == 2 * counts().sum()


def test_a_missing_area_month_is_a_gap_and_not_zero() -> None:
    with pytest.raises(DataError, match=r"lacks 1 area-months \(first c 2015-03\)"):
        Panel.build(
            counts().drop(("c", pd.Period("2015-03", "M"))), programme(a=("treated", "2016-01")), PLACES
        )


def test_a_month_that_is_missing_everywhere_is_a_gap() -> None:
    with pytest.raises(DataError, match="have a gap"):
        Panel.build(counts(MONTHS.delete(5)), programme(a=("treated", "2016-01")), PLACES)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(DataError, match="negative or missing"):
        Panel.build(counts() - 1, programme(a=("treated", "2016-01")), PLACES)


def test_a_treated_area_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match=r"not in the places file: z\..*another vintage"):
        build(programme(z=("treated", "2016-01")))


@pytest.mark.parametrize(
    ("start", "says"), [("2014-05", "starts before the data"), ("2019-01", "starts after the data")]
)
def test_a_programme_outside_the_data_is_refused(start: str, says: str) -> None:
    with pytest.raises(DesignError, match=says):
        build(programme(a=("treated", start)))


def test_all_treated_leaves_nothing_to_compare() -> None:
    with pytest.raises(DesignError, match="nothing is left to compare with"):
        build(programme(**dict.fromkeys(IDS, ("treated", "2016-01"))))


def test_a_panel_comes_back_from_a_file_as_it_was(tmp_path: Path) -> None:
    panel = build(outcome="burglary", by="code")
    panel.write(tmp_path / "panel.parquet")
    back = Panel.load(tmp_path / "panel.parquet")
    pd.testing.assert_frame_equal(back.frame, panel.frame)
    assert (back.outcome, back.by) == ("burglary", "code")
