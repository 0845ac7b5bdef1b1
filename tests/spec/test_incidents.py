"""Incidents: what they promise."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, box

from peelian.errors import DataError, DesignError
from peelian.incidents import Incidents, combine
from peelian.places import Places

PLACES = Places.of(
    gpd.GeoDataFrame(index=["a", "b"], geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10)], crs="EPSG:27700")
)


def frame(**columns: object) -> gpd.GeoDataFrame:
    """Four burglaries and a theft; the last burglary has no point, the third lies outside."""
    start = pd.to_datetime(["2016-01-01", "2016-01-20", "2016-03-05", "2016-03-06", "2016-04-01"])
    held = {
        "start": start,
        "end": start + pd.Timedelta("1D"),
        "type": ["Burglary", "Burglary", "Burglary", "Theft", "Burglary"],
        "source": "made.csv",
        "place": ["a", "b", "b", "a", "z"],
    }
    points = [Point(1, 1), Point(2, 2), Point(99, 99), Point(12, 1), None]
    return gpd.GeoDataFrame(held | columns, geometry=points, crs="EPSG:27700")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="lack the columns end"):
        Incidents(frame().drop(columns="end"))


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(DataError, match="1 incidents end before they start"):
        Incidents(frame(end=pd.to_datetime(["2015-01-01", *["2017-01-01"] * 4])))


def test_an_unknown_source_tag_is_named() -> None:
    with pytest.raises(DataError, match="source_tag holds patrol"):
        Incidents(frame(source_tag="patrol"))


def test_accepted_and_refused_rows_add_up() -> None:
    refused = pd.DataFrame({"file": ["made.csv"], "row": [6], "reason": ["no month"], "text": [",,"]})
    assert Incidents(frame(), refused).rows_read == 6


@pytest.mark.parametrize("kind", ["Burglary", "burglary", ["BURGLARY"]])
def test_types_are_chosen_whatever_their_case(kind: object) -> None:
    assert len(Incidents(frame()).of_type(kind)) == 4  # type: ignore[arg-type]


def test_an_unknown_type_says_what_there_is() -> None:
    with pytest.raises(DataError, match=r"type arson.*Burglary, Theft"):
        Incidents(frame()).of_type("arson")


def test_a_period_is_half_open() -> None:
    assert len(Incidents(frame()).between("2016-01", "2016-03-05")) == 2


def test_a_period_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(DesignError, match="ends before it starts"):
        Incidents(frame()).between("2016-03", "2016-01")


def test_what_happened_but_was_not_yet_recorded_is_not_known() -> None:
    late = pd.to_datetime(["2016-01-02", "2016-02-15", "2016-03-06", "2016-03-07", "2016-04-02"])
    known = Incidents(frame(recorded=late)).known_at("2016-02-01")
    assert known.frame["start"].dt.strftime("%d").tolist() == ["01"]


def test_counts_by_point_and_by_code_differ_where_they_disagree() -> None:
    incidents = Incidents(frame())
    assert incidents.counts(PLACES, by="point").tolist() == [2, 1]
    assert incidents.counts(PLACES, by="code").tolist() == [2, 2]


def test_monthly_counts_hold_every_month_and_add_up() -> None:
    counts = Incidents(frame()).counts(PLACES, monthly=True)
    assert len(counts) == 2 * 4
    assert counts.sum() == 3


def test_counting_by_a_code_that_is_not_there() -> None:
    with pytest.raises(DesignError, match="no area code"):
        Incidents(frame().drop(columns="place")).counts(PLACES, by="code")


def test_no_incident_has_no_period() -> None:
    with pytest.raises(DesignError, match="No incident was accepted"):
        _ = Incidents(frame().iloc[:0]).span


def test_two_extracts_together_are_as_coarse_as_the_coarser() -> None:
    both = combine(
        [Incidents(frame(), precision="minute"), Incidents(frame(), precision="month", snapped=True)]
    )
    assert (len(both), both.precision, both.snapped) == (10, "month", True)


def test_no_extract_at_all_is_said() -> None:
    with pytest.raises(DataError, match="no extract of incidents"):
        combine([])


def test_incidents_come_back_from_a_file_as_they_were(tmp_path: Path) -> None:
    refused = pd.DataFrame({"file": ["x"], "row": [1], "reason": ["blank"], "text": [""]})
    Incidents(frame(), refused, precision="month", snapped=True, published=True).write(tmp_path)
    back = Incidents.load(tmp_path)
    assert (back.precision, back.snapped, back.published, back.rows_read) == ("month", True, True, 6)
    assert back.counts(PLACES).tolist() == [2, 1]
