"""Prospective hot-spotting and near repeats on a row of cells, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, box

from peelian.chapters.context import Context
from peelian.chapters.forecast import near_repeat_of
from peelian.errors import DesignError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import Counts, NearRepeat, ProMap, method_named
from peelian.project import Project
from tests.public_project import write_project

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 500, 100)], crs="EPSG:27700"), 100)
MONDAY = ("2020-01-06", "2020-01-13")
DAY = pd.Timedelta(1, "D")


def incidents(*rows: tuple[str, float]) -> Incidents:
    """Date and x of each, in the middle of the row of cells."""
    start = pd.to_datetime(pd.Series([date for date, _ in rows]))
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + DAY, "type": "burglary", "source": "t"},
        geometry=[Point(x, 50) for _, x in rows],
        crs=CELLS.crs,
    )
    return Incidents(frame)


YESTERDAY = incidents(("2020-01-05", 50))
OLD = incidents(("2019-12-27", 50))  # ten days: one whole week


def test_promap_halves_with_each_band_and_week() -> None:
    method = ProMap(250, 56)
    assert method(YESTERDAY, CELLS, MONDAY).tolist() == pytest.approx([1, 1 / 3, 1 / 5, 0, 0])
    assert method(OLD, CELLS, MONDAY).tolist() == pytest.approx([1 / 2, 1 / 6, 1 / 10, 0, 0])


def test_promap_by_whole_cells() -> None:
    assert ProMap(200, bands="cells")(YESTERDAY, CELLS, MONDAY).tolist() == [
        1,
        1 / 2,
        pytest.approx(1 / 3),
        0,
        0,
    ]


def test_promap_forgets() -> None:
    assert ProMap(200, 7)(OLD, CELLS, MONDAY).sum() == 0


def test_near_repeats_bring_what_the_excess_says() -> None:
    """An incident of today, over its whole fortnight, adds 0.2; the year's count gives as much way."""
    today = incidents(("2020-01-05", 250))
    fortnight = ("2020-01-06", "2020-01-20")
    base = Counts(365, "day")(today, CELLS, fortnight).sum()
    risk = NearRepeat(0.2, distance=150)(today, CELLS, fortnight)
    assert risk.sum() == pytest.approx(0.8 * base + 0.2 * (13 / 14) ** 2)
    assert risk.iloc[1] == pytest.approx(risk.iloc[3])


def test_without_an_excess_it_is_the_count_and_says_so() -> None:
    method = NearRepeat()
    assert "no near-repeat excess given" in method.words
    assert method(OLD, CELLS, MONDAY).tolist() == Counts(365, "day")(OLD, CELLS, MONDAY).tolist()


REFUSED = [
    (lambda: method_named("promap", step="month"), "needs dates by day"),
    (lambda: NearRepeat(1.2), "an excess from 0 up to 1"),
    (lambda: ProMap(0), "above 0"),
]


def test_the_excess_that_explain_found_is_taken_with_its_reach_and_its_date(tmp_path: Path) -> None:
    write_project(tmp_path)
    reach = {"distance": 200.0, "time": 14.0, "observed": 260, "expected": 200.0}
    same = {"distance": 0.01, "time": 14.0, "observed": 50, "expected": 10.0}
    found = {"events": 1_000, "near": reach, "same_place": same}
    (tmp_path / "explain").mkdir()
    (tmp_path / "explain" / "stage.json").write_text(json.dumps({"summary": {"near_repeats": found}}))
    name = near_repeat_of(Context(Project.load(tmp_path)), "2018-12")
    method = method_named(name, step="day")
    assert method == NearRepeat(0.1, distance=200, days=14, seen_to="2018-12")
    assert method.inputs == {"near-repeat excess": "2018-12"}


def test_where_explain_found_no_near_repeats_it_is_the_count(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "explain").mkdir()
    (tmp_path / "explain" / "stage.json").write_text(
        json.dumps({"summary": {"near_repeats": {"events": 9, "near": None, "same_place": None}}})
    )
    assert near_repeat_of(Context(Project.load(tmp_path)), None) == ""


@pytest.mark.parametrize(("ask", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_is_refused(ask: object, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        ask()  # type: ignore[operator]
