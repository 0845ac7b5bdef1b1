"""What must hold of every baseline whatever the counts."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from peelian.arithmetic.scores import hit_rate
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import EWMA, KDE, Counts, GammaPoisson, Method, PriorHistory, SameMonth
from peelian.predict.method import at_level

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 400, 300)], crs="EPSG:27700"), 100)
PRIOR = pd.Series(np.linspace(1, 3, len(CELLS)), CELLS.index)
MONTHS = pd.period_range("2018-11", "2019-12", freq="M")
JANUARY = pd.Period("2020-01", "M")
LINEAR = [Counts(3), Counts(), SameMonth(), EWMA(6), KDE(150), KDE(150, half_life=6)]
EVERY: list[Method] = [*LINEAR, GammaPoisson(), PriorHistory(PRIOR, 6)]
tables = st.lists(
    st.lists(st.integers(0, 9), min_size=12, max_size=12).filter(lambda row: sum(row) >= 20),
    min_size=14,
    max_size=14,
).map(np.array)
few = settings(max_examples=15)


def incidents(table: np.ndarray, places: Places = CELLS) -> Incidents:
    month, place = np.nonzero(table)
    times = np.repeat(np.arange(len(month)), table[month, place])
    start = pd.Series(MONTHS.to_timestamp()[month[times]])
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "burglary", "source": "table"},
        geometry=places.points.iloc[place[times]].to_numpy(),
        crs=places.crs,
    )
    return Incidents(frame, precision="month")


@few
@given(tables)
def test_every_forecast_is_finite_and_not_negative(table: np.ndarray) -> None:
    held = incidents(table)
    for method in EVERY:
        risk = method(held, CELLS, JANUARY)
        assert np.isfinite(risk).all(), method
        assert (risk >= 0).all(), method


@few
@given(tables, st.integers(2, 4))
def test_scaling_counts_scales_rates(table: np.ndarray, scale: int) -> None:
    once, often = incidents(table), incidents(table * scale)
    for method in LINEAR:
        found = method(often, CELLS, JANUARY) / scale
        assert found.to_numpy() == pytest.approx(method(once, CELLS, JANUARY).to_numpy(), abs=1e-9), method


@few
@given(tables)
def test_horizons_add_up(table: np.ndarray) -> None:
    held = incidents(table)
    for method in [m for m in EVERY if not isinstance(m, SameMonth)]:
        three = method(held, CELLS, ("2020-01-01", "2020-04-01"))
        two, one = method(held, CELLS, ("2020-01-01", "2020-03-01")), method(held, CELLS, JANUARY)
        assert three.to_numpy() == pytest.approx((two + one).to_numpy(), abs=1e-9), method


@few
@given(tables)
def test_kde_keeps_the_total_of_the_counts_inside_the_study_area(table: np.ndarray) -> None:
    held = incidents(table)
    total = Counts()(held, CELLS, JANUARY).sum()
    assert KDE(150)(held, CELLS, JANUARY).sum() == pytest.approx(total, abs=1e-9)


@few
@given(tables, st.floats(-5e4, 5e4), st.floats(-5e4, 5e4))
def test_shifting_the_map_changes_no_forecast(table: np.ndarray, x: float, y: float) -> None:
    moved = Places.grid(gpd.GeoSeries([box(x, y, x + 400, y + 300)], crs="EPSG:27700"), 100)
    for method in (Counts(3), EWMA(6), KDE(150)):
        here = method(incidents(table), CELLS, JANUARY).to_numpy()
        there = method(incidents(table, moved), moved, JANUARY).to_numpy()
        assert there == pytest.approx(here, abs=1e-6), method


@few
@given(tables)
def test_a_place_without_crime_changes_no_other_rank(table: np.ndarray) -> None:
    more = Places.grid(gpd.GeoSeries([box(0, 0, 400, 300), box(800, 0, 900, 100)], crs="EPSG:27700"), 100)
    held = incidents(table)
    for method in (Counts(3), EWMA(6), SameMonth(), GammaPoisson()):
        without, within = method(held, CELLS, JANUARY), method(held, more, JANUARY)
        assert within[CELLS.index].rank().equals(without.rank()), method


@few
@given(tables)
def test_row_order_is_irrelevant(table: np.ndarray) -> None:
    held = incidents(table)
    turned = Incidents(held.frame.iloc[::-1], precision="month")
    for method in EVERY:
        assert method(held, CELLS, JANUARY).equals(method(turned, CELLS, JANUARY)), method


@few
@given(tables)
def test_a_quarter_turn_of_the_map_changes_no_forecast_and_no_score(table: np.ndarray) -> None:
    turned = Places.grid(gpd.GeoSeries([box(-300, 0, 0, 400)], crs="EPSG:27700"), 100)
    points = CELLS.points
    there = turned.locate(gpd.GeoSeries(gpd.points_from_xy(-points.y, points.x), crs=CELLS.crs))
    order = turned.index.get_indexer(there)
    across = np.zeros_like(table)
    across[:, order] = table
    outcome = table[0]
    for method in (Counts(3), EWMA(6), KDE(150), KDE(150, half_life=6), GammaPoisson()):
        here = method(incidents(table), CELLS, JANUARY).to_numpy()
        round_ = method(incidents(across, turned), turned, JANUARY).to_numpy()[order]
        assert round_ == pytest.approx(here, abs=1e-6), method
        assert hit_rate(round_, outcome, share=0.25) == pytest.approx(
            hit_rate(here, outcome, share=0.25), abs=1e-6
        )


@few
@given(tables, st.floats(0.1, 500))
def test_the_sum_of_a_rate_is_its_level(table: np.ndarray, level: float) -> None:
    held = incidents(table)
    assert Counts(12)(held, CELLS, JANUARY).sum() == pytest.approx(table[-12:].sum() / 12)
    for method in EVERY:
        assert at_level(method(held, CELLS, JANUARY).to_numpy(), level).sum() == pytest.approx(level), method
