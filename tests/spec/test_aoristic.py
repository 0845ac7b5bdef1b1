"""When incidents happened: windows that can be read, and what bad input gets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.aoristic import placed, weights
from peelian.errors import DataError, DesignError
from peelian.explain import aoristic
from peelian.explain.times_report import blocks, sentence
from peelian.incidents import Incidents


def incidents(windows: list[tuple[str, str]], precision: str = "minute") -> Incidents:
    start, end = zip(*windows, strict=True)
    frame = gpd.GeoDataFrame(
        {"start": pd.DatetimeIndex(map(pd.Timestamp, start)), "end": pd.DatetimeIndex(map(pd.Timestamp, end)), "type": "t", "source": "t"},
        geometry=gpd.points_from_xy([0] * len(windows), [0] * len(windows)), crs=27700,
    )  # fmt: skip
    return Incidents(frame, precision=precision)  # type: ignore[arg-type]


def held(start: str, end: str | None, **how: object) -> dict[str, float]:
    found = weights([start], [end], **how)  # type: ignore[arg-type]
    return {name: part for name, part in zip(found.labels, found.totals.tolist(), strict=True) if part}


# -------------------------------------------------------------------- weights
def test_a_window_counts_in_part_in_each_hour() -> None:
    assert held("2019-05-01 09:30", "2019-05-01 11:30", by="hour") == {"09": 0.25, "10": 0.5, "11": 0.25}


def test_an_incident_without_an_end_counts_at_its_start() -> None:
    assert held("2019-05-01 09:30", None, by="hour") == {"09": 1.0}
    assert weights(["2019-05-01 09:30"], [None]).missing_end == 1


def test_a_window_that_ends_on_the_hour_has_nothing_in_the_next() -> None:
    assert held("2019-05-01 09:00", "2019-05-01 10:00", by="hour") == {"09": 1.0}


@pytest.mark.parametrize(("day", "hours"), [("2019-03-31", 23), ("2019-10-27", 25), ("2019-05-01", 24)])
def test_days_on_which_clocks_change_are_shorter_and_longer(day: str, hours: int) -> None:
    found = weights([day], [pd.Timestamp(day) + pd.Timedelta(1, "D")], by="hour")
    assert found.hours.tolist() == [hours]
    assert found.totals[12] == pytest.approx(1 / hours, rel=1e-12)


def test_shifts_and_days() -> None:
    assert held("2019-05-01 20:00", "2019-05-02 00:00", by="shift") == {"late 14-22": 0.5, "night 22-06": 0.5}
    assert held("2019-05-01 18:00", "2019-05-02 06:00", by="day") == {"2019-05-01": 0.5, "2019-05-02": 0.5}


@pytest.mark.parametrize(("long", "total"), [("exclude", 0.0), ("spread", 1.0), ("start", 1.0)])
def test_windows_beyond_the_cap(long: str, total: float) -> None:
    found = weights(["2019-05-01"], ["2019-05-09"], long=long)  # type: ignore[arg-type]
    assert (found.long, found.totals.sum()) == (1, pytest.approx(total))


def test_single_moments() -> None:
    window = (["2019-05-01 09:30"], ["2019-05-01 12:00"])
    at = [
        next(h for h, n in placed(*window, how, by="hour").items() if n)
        for how in ("start", "midpoint", "end")
    ]  # type: ignore[arg-type]
    assert at == ["09", "10", "11"]


def test_an_end_before_the_start_is_listed() -> None:
    with pytest.raises(DataError, match="1 windows end before they start: row 0: 2019-05-02"):
        weights(["2019-05-02"], ["2019-05-01"])


# -------------------------------------------------------------------- through the door
FRIDAYS = [("2019-05-03 22:00", "2019-05-03 23:00")] * 3 + [("2019-05-06 08:00", "2019-05-06 18:00")] * 4


def test_the_sentence_says_where_the_start_alone_misleads() -> None:
    found = aoristic(incidents(FRIDAYS), by="hour-of-week", seed=1, crime="burglary")
    assert sentence(found) == (
        "The busiest hour of the week for burglary is Friday 22: 3.0 of 7 incidents (42.9 %), each spread over "
        "the window in which it may have happened. By the start of the window alone it would be Monday 08."
    )


def test_every_row_is_accounted_for() -> None:
    rows = [*FRIDAYS, ("2019-05-01", "2019-05-20")]
    found = aoristic(incidents(rows), seed=1)
    account = found.accounting
    assert account["used"] + account["window longer than 72 hours left out"] == account["rows read"] == 8
    assert found.frame["aoristic"].sum() == pytest.approx(7)


def test_the_chapter_prints_the_methods_side_by_side() -> None:
    said = blocks(aoristic(incidents(FRIDAYS), by="hour", seed=1, crime="burglary"), published=False)
    table = next(block for block in said if getattr(block, "name", "") == "times")
    assert list(table.frame.columns) == [  # type: ignore[union-attr]
        "Hour of the day", "Aoristic", "At the start", "At the middle", "At the end", "At random",
    ]  # fmt: skip


@pytest.mark.parametrize(("precision", "by"), [("month", "hour"), ("month", "day"), ("day", "hour")])
def test_dates_too_coarse_are_refused(precision: str, by: str) -> None:
    with pytest.raises(DesignError, match=r"carry a (month|date), not a"):
        aoristic(incidents(FRIDAYS, precision), by=by, seed=1)  # type: ignore[arg-type]


def test_months_of_month_only_records_remain() -> None:
    found = aoristic(incidents([("2019-05-01", "2019-06-01")], "month"), by="month", cap=800, seed=1)
    assert found.frame["aoristic"].to_dict() == {"2019-05": 1.0}


def test_random_moments_do_not_depend_on_row_order() -> None:
    start = pd.to_datetime(["2019-05-01", "2019-05-02", "2019-05-03"]).to_numpy()
    end = start + np.timedelta64(20, "h")
    once, turned = (placed(start[k], end[k], "random", by="hour", seed=3) for k in ([0, 1, 2], [2, 0, 1]))
    assert once == turned
