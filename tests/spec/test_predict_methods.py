"""Baselines and the blend on tables small enough to check by hand; and what they refuse."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import EWMA, KDE, Counts, GammaPoisson, PriorHistory, SameMonth, method_named
from peelian.predict.history import History
from peelian.predict.interval import interval

JANUARY = pd.Period("2020-01", "M")


def grid(columns: int = 2, rows: int = 1, cell: int = 100) -> Places:
    study = gpd.GeoSeries([box(0, 0, columns * cell, rows * cell)], crs="EPSG:27700")
    return Places.grid(study, cell)


def incidents(table: dict[str, list[int]], places: Places, precision: str = "month") -> Incidents:
    """``table``: month or day -> incidents in each place, in order of the places."""
    points = places.points
    rows = [
        (pd.Timestamp(when), points.iloc[place])
        for when, counts in table.items()
        for place, count in enumerate(counts)
        for _ in range(count)
    ]
    start = pd.Series([when for when, _ in rows])
    length = pd.offsets.MonthBegin(1) if precision == "month" else pd.Timedelta(1, "D")
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + length, "type": "burglary", "source": "table"},
        geometry=[point for _, point in rows],
        crs=places.crs,
    )
    return Incidents(frame, precision=precision)  # type: ignore[arg-type]


CELLS = grid()
QUARTER = {"2019-10": [30, 0], "2019-11": [20, 10], "2019-12": [10, 20]}
RISKS = [
    (Counts(1), [10.0, 20.0]),
    (Counts(2), [15.0, 15.0]),
    (Counts(), [20.0, 10.0]),
    (Counts(36), [20.0, 10.0]),  # a window longer than history is as long as history
    (EWMA(1), [(10 + 20 / 2 + 30 / 4) / 1.75, (20 + 10 / 2) / 1.75]),
]


@pytest.mark.parametrize(("method", "risk"), RISKS, ids=str)
def test_expected_incidents_of_a_month(method: Counts, risk: list[float]) -> None:
    assert method(incidents(QUARTER, CELLS), CELLS, JANUARY).tolist() == pytest.approx(risk)


def test_a_forecast_is_a_series_named_risk_on_the_places() -> None:
    answer = Counts(1)(incidents(QUARTER, CELLS), CELLS, JANUARY)
    assert answer.name == "risk"
    assert answer.index.equals(CELLS.index)


def test_a_period_of_a_year_has_twelve_times_a_month() -> None:
    held = incidents(QUARTER, CELLS)
    year = Counts()(held, CELLS, ("2020-01-01", "2021-01-01"))
    assert (year / Counts()(held, CELLS, JANUARY)).tolist() == [12.0, 12.0]


def test_same_month_last_year_and_the_mean_of_years() -> None:
    held = incidents({"2018-01": [9, 0], "2019-01": [3, 30], "2019-12": [25, 25]}, CELLS)
    assert SameMonth()(held, CELLS, JANUARY).tolist() == [3.0, 30.0]
    assert SameMonth(2)(held, CELLS, JANUARY).tolist() == [6.0, 15.0]


def test_the_same_month_of_a_year_without_history_is_refused() -> None:
    with pytest.raises(DesignError, match="same month last year needs the same time of an earlier year"):
        SameMonth()(incidents(QUARTER, CELLS), CELLS, JANUARY)


def test_a_month_that_was_not_delivered_is_a_gap_and_not_zero_crime() -> None:
    held = incidents({"2019-10": [30, 0], "2019-12": [10, 20]}, CELLS)
    assert Counts(3)(held, CELLS, JANUARY).tolist() == [20.0, 10.0]


def test_an_empty_month_of_a_rare_crime_is_zero() -> None:
    held = incidents({"2019-10": [2, 0], "2019-12": [1, 0]}, CELLS)
    assert Counts(3)(held, CELLS, JANUARY).tolist() == [1.0, 0.0]


def test_months_not_yet_published_shift_the_window() -> None:
    held = incidents(QUARTER, CELLS)
    assert Counts(1)(held, CELLS, pd.Period("2020-03", "M")).tolist() == [10.0, 20.0]


def test_gamma_poisson_draws_towards_the_mean() -> None:
    table = {"2019-11": [40, 10], "2019-12": [40, 10]}
    risk = GammaPoisson()(incidents(table, CELLS), CELLS, JANUARY)
    m, v = 25.0, 225.0
    k = m**2 / (v - m / 2)
    assert risk.tolist() == pytest.approx([(k + 80) / (k / m + 2), (k + 20) / (k / m + 2)])


def test_kde_spreads_to_the_cell_next_door_and_keeps_the_total() -> None:
    cells = grid(9, 9)
    held = incidents({"2019-12": [0] * 40 + [60] + [0] * 40}, cells)
    risk = KDE(100)(held, cells, JANUARY)
    assert risk.sum() == pytest.approx(60)
    assert risk.iloc[40] > risk.iloc[41] > risk.iloc[42] > 0


def test_kde_on_areas_keeps_the_total() -> None:
    shapes = [box(0, 0, 300, 300), box(300, 0, 500, 300), box(500, 0, 900, 300)]
    areas = Places.of(gpd.GeoDataFrame(index=["a", "b", "c"], geometry=shapes, crs="EPSG:27700"))
    risk = KDE(250)(incidents({"2019-12": [60, 0, 0]}, areas), areas, JANUARY)
    assert risk.sum() == pytest.approx(60)
    assert risk["a"] > risk["b"] > 0


def test_the_blend_follows_the_terrain_where_there_is_no_history() -> None:
    cells = grid(4)
    prior = pd.Series([3.0, 1.0, 3.0, 1.0], cells.index)
    held = incidents({"2019-11": [40, 14, 0, 0], "2019-12": [44, 12, 0, 0]}, cells)
    risk = PriorHistory(prior, 12)(held, cells, JANUARY)
    assert risk.iloc[0] > risk.iloc[1] > risk.iloc[2] > risk.iloc[3] > 0


def test_the_share_of_the_prior_is_all_where_nothing_happened() -> None:
    prior = pd.Series([1.0, 1.0], CELLS.index)
    held = incidents({"2019-11": [60, 0], "2019-12": [60, 0]}, CELLS)
    history = History.of(held, CELLS, end=pd.Timestamp("2020-01-01"))
    share = PriorHistory(prior, 12).prior_share(history, 600, 601)
    assert share[1] == 1.0
    assert share[0] < 0.1


def test_methods_by_day() -> None:
    held = incidents({"2019-12-30": [4, 0], "2019-12-31": [0, 2]}, CELLS, precision="day")
    week = ("2020-01-01", "2020-01-08")
    assert Counts(2, step="day")(held, CELLS, week).tolist() == [14.0, 7.0]


# -------------------------------------------------------------------- what is refused
def test_an_incident_in_the_period_is_refused() -> None:
    with pytest.raises(DesignError, match="30 incidents lie at or after 01 December 2019"):
        Counts(1)(incidents(QUARTER, CELLS), CELLS, pd.Period("2019-12", "M"))


def test_a_period_that_cuts_a_month_is_refused() -> None:
    with pytest.raises(DesignError, match="The period cuts a month at 15 January 2020"):
        Counts(1)(incidents(QUARTER, CELLS), CELLS, ("2020-01-15", "2020-02-15"))


def test_days_of_month_dated_incidents_are_refused() -> None:
    with pytest.raises(DesignError, match="dated by month, and steps of a day were asked for"):
        Counts(28, step="day")(incidents(QUARTER, CELLS), CELLS, JANUARY)


def test_too_few_to_learn_from() -> None:
    with pytest.raises(DesignError, match=r"KDE has 2 incidents .* too few to learn from \(50 are needed\)"):
        KDE(100)(incidents({"2019-12": [1, 1]}, CELLS), CELLS, JANUARY)


def test_no_incident_at_all() -> None:
    nothing = incidents(QUARTER, CELLS)
    nothing = nothing.known_at("2000-01")
    with pytest.raises(DesignError, match="no incident before the period"):
        Counts(1)(nothing, CELLS, JANUARY)


def test_a_prior_that_is_negative_is_refused_by_place() -> None:
    with pytest.raises(DataError, match="The prior is missing or negative in 1 places: x1y0"):
        PriorHistory(pd.Series([1.0, -1.0], CELLS.index))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("count", "There is no method 'count'. Did you mean counts?"),
        ("counts(12", "is no method. Write a name"),
        ("ewma(half=3)", "Its parameters: half_life, step."),
        ("blend", "needs a risk terrain as its prior"),
        ("mine.own", "The method mine.own could not be loaded"),
        ("counts(0)", "A window of counts must be above 0; got 0."),
    ],
)
def test_a_method_that_does_not_exist(name: str, said: str) -> None:
    with pytest.raises(DesignError) as caught:
        method_named(name)
    assert said in str(caught.value)


def test_a_dotted_path_is_a_method() -> None:
    assert method_named("peelian.predict.baselines.EWMA(6)") == EWMA(6)


# -------------------------------------------------------------------- intervals
def test_an_interval_widens_with_the_dispersion() -> None:
    risk = np.array([20.0])
    narrow, wide = interval(risk, 0.0), interval(risk, 0.5)
    assert [float(edge[0]) for edge in narrow] == [13.0, 28.0]
    assert wide[0][0] < narrow[0][0] < narrow[1][0] < wide[1][0]
