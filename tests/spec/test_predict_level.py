"""How many in all: season, calendar and weather move the level where they earned it, and never the ranking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from peelian.predict.backtest import backtest
from peelian.predict.baselines import Counts
from peelian.predict.breaks import Break, breaks_of
from peelian.predict.history import History, step_of
from peelian.predict.level import (
    Levels,
    conditions_by_period,
    level_rows,
    level_to_use,
    levels_of,
    seasonal_factors,
    seasonal_level,
    totals_by_period,
)
from peelian.predict.level_report import level_blocks, use_sentence
from peelian.predict.run import Parameters, run
from peelian.predict.tables import AuditTable
from peelian.report import Chart, Outcome, Table
from tests.predict_season import AREAS, CELLS, FLAT, MONTHS, SEASON, seasonal

BROKEN = (Break(pd.Timestamp("2016-04-01"), "Sheds moved.", "a table"),)
STEADY, WINTRY = seasonal(FLAT), seasonal(SEASON)
END = pd.Timestamp("2019-01-01")


def history(incidents: object, end: pd.Timestamp = END) -> History:
    return History.of(incidents, CELLS, end=end)  # type: ignore[arg-type]


def levels(incidents: object, breaks: tuple[Break, ...] = ()) -> Levels:
    last = step_of(END, "month")
    return levels_of(history(incidents), list(range(last - 30, last)), 1, breaks=breaks)


# ---------------------------------------------------------------- seasonal factors
def test_the_factors_of_a_planted_season_come_back() -> None:
    counts = pd.Series(1000.0 * SEASON[MONTHS.month - 1] * MONTHS.days_in_month, MONTHS)
    assert seasonal_factors(counts) == pytest.approx(SEASON / SEASON.mean(), abs=0.01)


def test_a_trend_is_no_season() -> None:
    counts = pd.Series(MONTHS.days_in_month * np.exp(np.linspace(0, 0.7, len(MONTHS))), MONTHS)
    assert seasonal_factors(counts) == pytest.approx(np.ones(12), abs=0.01)


def test_below_36_months_there_are_none() -> None:
    counts = pd.Series(MONTHS.days_in_month * 2.0, MONTHS)
    assert seasonal_factors(counts.iloc[:35]) is None
    assert seasonal_factors(counts.iloc[:36]) is not None


def test_they_start_anew_at_a_change_of_recording() -> None:
    counts = pd.Series(MONTHS.days_in_month * SEASON[MONTHS.month - 1], MONTHS)
    broken = counts.where(pd.Period("2014-01", "M") > MONTHS, MONTHS.days_in_month * 1.0)
    assert seasonal_factors(broken, [pd.Period("2014-01", "M")]) == pytest.approx(np.ones(12), abs=1e-9)
    assert seasonal_factors(counts, [pd.Period("2017-01", "M")]) is None


def test_the_changes_of_recording_are_those_of_the_figures() -> None:
    span = pd.Period("2011-01", "M"), pd.Period("2021-12", "M")
    assert [str(one.month) for one in breaks_of("Burglary")] == ["2017-04", "2023-04"]
    assert [str(one.month) for one in breaks_of("Burglary", span)] == ["2017-04"]
    met = breaks_of("theft", force="Metropolitan Police Service")
    assert [str(one.month) for one in met] == ["2024-02"]


# ---------------------------------------------------------------- the level, as known then
def test_the_level_of_the_season_knows_nothing_later() -> None:
    at = step_of(pd.Timestamp("2018-01-01"), "month")
    whole = seasonal_level(history(WINTRY).before(at), at, at + 1)
    cut = seasonal_level(
        history(WINTRY.known_at(pd.Timestamp("2018-01-01")), pd.Timestamp("2018-01-01")), at, at + 1
    )
    assert whole == pytest.approx(cut, rel=1e-12)


def test_no_level_changes_with_what_came_after() -> None:
    last = step_of(END, "month")
    short = history(WINTRY.known_at(pd.Timestamp("2018-07-01")), pd.Timestamp("2018-07-01"))
    starts = list(range(last - 30, last - 6))
    again = levels_of(short, starts, 1).frame.iloc[:-1]
    pd.testing.assert_frame_equal(levels(WINTRY).frame.iloc[: len(starts)], again)


def test_weeks_begin_on_the_weekday_of_the_map() -> None:
    days = pd.Timestamp("2018-06-06")  # a Wednesday
    held = history(WINTRY, days)
    by_day = History(CELLS, held.counts, step_of(days, "day") - 30, step_of(days, "day"), "day", held.events)
    totals = totals_by_period(by_day, step_of(days, "day"), 7)
    assert totals.index[-1].start_time == days
    assert np.isnan(totals.iloc[-1])


def test_days_of_weather_become_weeks_and_months() -> None:
    index = pd.period_range("2018-01-01", "2018-02-28", freq="D")
    frame = pd.DataFrame({"tmean": np.arange(59.0), "bank_holiday": [None] * 58 + ["Boxing Day"]}, index)
    by_month = conditions_by_period(frame, pd.period_range("2018-01", "2018-02", freq="M"))
    assert by_month["tmean"].tolist() == [15.0, 44.5]
    assert by_month["bank_holiday"].tolist() == [0, 1]


# ---------------------------------------------------------------- does it earn its place
@pytest.fixture(scope="module")
def judged() -> dict[str, tuple[Levels, list[object], object]]:
    out: dict[str, tuple[Levels, list[object], object]] = {}
    for name, incidents, breaks in (
        ("steady", STEADY, ()),
        ("wintry", WINTRY, ()),
        ("broken", WINTRY, BROKEN),
    ):
        tested = backtest({"counts": Counts()}, incidents, CELLS, origins=30, seed=1)
        held = levels(incidents, breaks)
        out[name] = (held, list(level_rows(tested, "counts", held, seed=1)), tested)
    return out


def test_a_season_that_is_there_earns_its_place_and_one_that_is_not_does_not(judged) -> None:  # type: ignore[no-untyped-def]
    wintry = {row.level: row for row in judged["wintry"][1]}
    assert wintry["seasonal"].kept
    assert wintry["seasonal"].high < 0
    assert judged["wintry"][0].frame["kept"].notna().any()
    assert not any(row.kept for row in judged["steady"][1])


def test_the_season_stands_the_test_on_the_total_too(judged) -> None:  # type: ignore[no-untyped-def]
    assert "season" in judged["wintry"][0].test.kept
    assert judged["steady"][0].test.kept == ()


def test_it_is_off_unless_asked_for_and_unless_it_earned_it(judged) -> None:  # type: ignore[no-untyped-def]
    held, rows, _ = judged["wintry"]
    assert level_to_use(held, rows, "year") is None
    assert level_to_use(held, rows, "seasonal") == held.frame["seasonal"].iloc[-1]
    held, rows, _ = judged["steady"]
    assert level_to_use(held, rows, "seasonal") is None
    assert "was asked for and is not used" in use_sentence("seasonal", False, rows)


def test_a_break_is_on_the_chart_and_takes_the_season_away(judged) -> None:  # type: ignore[no-untyped-def]
    held, rows, tested = judged["broken"]
    assert held.frame["seasonal"].isna().iloc[:-1].all()
    blocks = level_blocks(
        held, rows, tested, history(WINTRY), "counts", "year", used=False, crimes="burglaries", source="made up"
    )  # fmt: skip
    chart = next(block for block in blocks if isinstance(block, Chart))
    assert "recording changed" in str(chart.spec["layer"])
    assert "a rule in April 2016: recording changed" in chart.alt


def test_a_level_that_few_origins_had_is_left_out(judged) -> None:  # type: ignore[no-untyped-def]
    held, _, tested = judged["wintry"]
    few = held.frame.assign(seasonal=held.frame["seasonal"].where(np.arange(len(held.frame)) < 11))
    assert "seasonal" not in {
        row.level for row in level_rows(tested, "counts", replace(held, frame=few), seed=1)
    }


def test_the_sentence_says_citywide_level_not_where(judged) -> None:  # type: ignore[no-untyped-def]
    held, rows, tested = judged["wintry"]
    blocks = level_blocks(
        held, rows, tested, history(WINTRY), "counts", "seasonal", used=True, crimes="burglaries", source="made up"
    )  # fmt: skip
    said = " ".join(getattr(block, "text", "") for block in blocks)
    assert "it moves the citywide level, not where" in said
    assert 'The total of the map is at that level (level = "seasonal" under [predict])' in said
    assert "Of the number of burglaries in the whole area, season told something" in said
    tables = {block.name for block in blocks if isinstance(block, Table)}
    assert {"predict_levels", "predict_total"} <= tables


# ---------------------------------------------------------------- the stage
def test_the_map_is_scaled_and_its_ranking_stays() -> None:
    asked = Parameters(methods=(), origins=24, lag_months=1, grids="one", audit=AuditTable(on=False))

    def made(level: str) -> Outcome:
        return run(WINTRY, CELLS, AREAS, replace(asked, level=level), seed=1, crime="theft")

    plain, scaled = made("year"), made("seasonal")
    before, after = (outcome.files["cells.parquet"]["risk"] for outcome in (plain, scaled))
    assert after.sum() == pytest.approx(scaled.summary["level"]["used"])
    assert (after / after.sum()).to_numpy() == pytest.approx((before / before.sum()).to_numpy())
    assert "at the level that earned its place" in " ".join(scaled.section.findings)
