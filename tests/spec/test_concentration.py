"""Concentration on counts that can be read."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DesignError
from peelian.explain import concentration, similarity
from peelian.explain.lorenz import gamma_gini, generalised_gini, lorenz
from peelian.explain.lorenz_report import blocks, overlap_sentence, sentence
from peelian.incidents import Incidents
from peelian.places import Places

GRID = Places.grid(gpd.GeoSeries([box(0, 0, 1000, 1000)], crs=27700), 100)
TEN = pd.Series([40, 30, 10, 10, 10, *[0] * 95], GRID.index)


def test_the_sentence() -> None:
    found = concentration(TEN, GRID, seed=1, crime="burglary")
    shares = found.shares.assign(by_chance=0.25, chance_low=0.21, chance_high=0.29)
    assert sentence(replace(found, shares=shares)) == (
        "Half of burglary lies in 2.0 % of cells (2 of 100); chance alone would need 25.0 % (95 % range 21.0 to "
        "29.0 %)."
    )


def test_shares_of_all_places_and_of_those_with_any() -> None:
    shares = concentration(TEN, GRID, seed=1).shares
    assert shares["places"].tolist() == [1, 2, 3]
    assert shares["share_of_occupied"].tolist() == [0.2, 0.4, 0.6]


def test_each_crime_in_a_place_of_its_own_is_no_concentration() -> None:
    assert generalised_gini([0] * 90 + [1] * 10) == pytest.approx(0, abs=1e-12)


def test_chance_concentrates_too() -> None:
    y = np.random.default_rng(1).poisson(0.5, len(GRID))
    shares = concentration(pd.Series(y, GRID.index), GRID, seed=1).shares
    half = shares.iloc[1]
    assert half["chance_low"] <= half["share_of_places"] <= half["chance_high"]


def test_gini_of_rates_comes_back() -> None:
    rng = np.random.default_rng(1)
    # gamma with shape 1 has Gini 1/2
    assert gamma_gini(rng.poisson(rng.exponential(3.0, 20_000))) == pytest.approx(0.5, abs=0.01)
    assert gamma_gini([1, 1, 1, 1]) == 0


def test_the_curve_runs_from_corner_to_corner() -> None:
    curve = lorenz([1, 3])
    assert curve.to_numpy().tolist() == [[0, 0], [0.5, 0.25], [1, 1]]


def test_over_homes_a_place_with_many_is_no_concentration() -> None:
    # two cells hold 70 of 100 crimes and 700 of 1,000 homes: every home has the same rate
    homes = pd.Series([400, 300, 100, 100, 100, *[0] * 95], GRID.index)
    found = concentration(TEN, GRID, households=homes, seed=1).homes
    assert found
    assert found.shares["homes"].to_numpy() == pytest.approx([0.25, 0.5, 0.8])
    assert found.gini == pytest.approx(0, abs=1e-12)
    assert (found.shares["by_chance"] < found.shares["homes"]).all()  # chance deals unevenly
    assert (found.homes, found.unplaced) == (1000, 0)


def test_over_homes_the_highest_rates_come_first() -> None:
    homes = pd.Series([1000, 1, *[10] * 48, *[0] * 50], GRID.index)
    found = concentration(TEN, GRID, households=homes, seed=1).homes
    assert found
    # 30 of 100 crimes in the one home of the second cell
    assert found.shares["homes"].iloc[0] == pytest.approx(25 / 30 / 1481)
    assert found.gini > 0.4 > found.by_chance


def test_the_same_places_every_year_overlap_wholly() -> None:
    start = pd.to_datetime(["2017-01-01", "2018-01-01", "2018-12-01"])
    frame = gpd.GeoDataFrame(
        {"start": start.repeat(9), "end": start.repeat(9) + pd.Timedelta(31, "D"), "type": "t", "source": "t"},
        geometry=gpd.points_from_xy(*(np.array([50.0, 150, 250, 350, 450, 550, 650, 750, 850] * 3),) * 2),
        crs=27700,
    )  # fmt: skip
    extended = pd.concat(
        [frame, frame.tail(1).assign(start=pd.Timestamp("2017-12-01"), end=pd.Timestamp("2018-01-01"))]
    )
    found = concentration(Incidents(extended.reset_index(drop=True), precision="month"), GRID, seed=1)
    assert found.overlap["overlap"].iloc[0] > 0
    assert overlap_sentence(found).startswith("From one year to the next, the top 5 % of cells overlap by ")


def test_one_incident_is_refused() -> None:
    with pytest.raises(DesignError, match="1 incidents in 100 places: nothing can be concentrated"):
        concentration(pd.Series([1, *[0] * 99], GRID.index), GRID, seed=1)


def test_a_pattern_is_like_itself_and_unlike_its_reverse() -> None:
    y = np.array([50, 30, 20, 10, 5, 0, 0, 0])
    assert similarity(y, y, seed=1).s == 1
    found = similarity(y, y[::-1], seed=1)
    assert (found.s, found.places_robust) == (0.0, 8)


def test_the_chapter_starts_with_the_finding() -> None:
    found = concentration(TEN, GRID, seed=1)
    assert [block.text for block in blocks(found)[:1]] == [str(found)]  # type: ignore[union-attr]
