"""Every method by name in one call on the bundled borough: on its areas and on cells, by month and by week."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.borough import BoroughParameters, simulate
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict.backtest import STEP, Backtest, Horizon, backtest
from peelian.predict.history import History
from peelian.predict.laid import on_cells, to_places
from peelian.predict.methods import METHODS, methods_named

SMALL = BoroughParameters(
    areas=120,
    groups=1,
    areas_in_group=12,
    group_gap=300,
    phase_b_areas=8,
    first_month="2013-01",
    burglaries_per_year=1_500,
)
OTHER_STEP = {"month": {"by_place", "hawkes", "promap", "near_repeat"}, "week": {"endemic"}}
QUICK = {"boosted": "boosted(trees=20,origins=12,refit=365)", "hawkes": "hawkes(250)"}  # fewer settings tried
KINDS = ("areas", "cells")


@pytest.fixture(scope="module")
def borough() -> tuple[Incidents, dict[str, Places]]:
    made = simulate(SMALL)
    rows = made.incidents
    day = rows["date_from"].dt.floor("D")
    frame = gpd.GeoDataFrame(
        {"start": day, "end": day + pd.Timedelta(1, "D"), "type": "burglary", "source": "borough"},
        geometry=gpd.points_from_xy(rows["easting"], rows["northing"]), crs=made.areas.crs,
    )  # fmt: skip
    areas = Places.of(made.areas.set_index("LSOA11CD")[["geometry"]])
    return Incidents(frame), {"areas": areas, "cells": Places.grid(made.areas, 500)}


@pytest.fixture(scope="module", params=[(kind, horizon) for kind in KINDS for horizon in OTHER_STEP], ids=str)
def tested(
    request: pytest.FixtureRequest, borough: tuple[Incidents, dict[str, Places]]
) -> tuple[Horizon, Backtest]:
    kind, horizon = request.param
    places = borough[1][kind]
    names = [QUICK.get(name, name) for name in METHODS if name not in OTHER_STEP[horizon]]
    prior = pd.Series(1.0 + np.arange(len(places)) % 3, places.index)
    methods = methods_named(names, step=STEP[horizon], prior=prior, prior_to="2015-12")
    return horizon, backtest(methods, borough[0], places, origins=1, horizon=horizon, areas=[0.05], seed=1)


def test_no_method_is_refused(tested: tuple[Horizon, Backtest]) -> None:
    horizon, found = tested
    assert found.refused == {}
    assert len(set(found.pooled["method"].str.split("(").str[0]) & set(METHODS)) == len(METHODS) - len(
        OTHER_STEP[horizon]
    )


def test_every_forecast_is_about_what_is_usual(tested: tuple[Horizon, Backtest]) -> None:
    """Within half and twice the level of the year: a method that lost a factor of the period would not be."""
    horizon, found = tested
    rows = found.by_origin[found.by_origin["method"] != "best possible"].set_index("method")
    usual = rows.loc["counts(12)" if horizon == "month" else "counts(365)", "expected"]
    assert rows["expected"].between(usual / 2, usual * 2).all()


def test_areas_have_a_grid_laid_under_them_that_keeps_every_incident(
    borough: tuple[Incidents, dict[str, Places]],
) -> None:
    incidents, places = borough
    history = History.of(incidents, places["areas"], end=pd.Timestamp("2018-01-01"), step="day")
    cells = on_cells(history)
    assert cells.total == history.total
    by_area = to_places(history, cells.outcome(history.first, history.end))
    counts = history.outcome(history.first, history.end)
    assert by_area.sum() == pytest.approx(counts.sum())
    assert np.corrcoef(by_area, counts)[0, 1] > 0.9
