"""Criminal damage by week in Chicago, the last 20 weeks of 2017: a short version of the table in the docs.

Data: ``data/world/chicago_crime_2016_2017`` (a sample; no burglary) and the boundary of
``data/world/chicago_rtm_burglary_2017``. The table of 52 weeks is in docs/explanation/forecasting.md.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.claims import block_draws, interval
from peelian.predict.methods import methods_named

STACK = "stack(('ewma(180)','gamma_poisson','ridge'),origins=13)"
BASELINES = ["counts(28)", "counts(365)", "counts", "ewma(180)", "gamma_poisson", "kde(250,half_life=365)"]
WEEKS = [pd.Timestamp("2017-08-13") + pd.Timedelta(7 * week, "D") for week in range(20)]


@pytest.fixture(scope="module")
def tested(shared: Path) -> Backtest:
    data = shared / "data" / "world"
    rows = pd.read_csv(data / "chicago_crime_2016_2017" / "crimes.csv.gz")
    rows = rows[rows["offense"] == "CRIMINAL DAMAGE"].reset_index(drop=True)
    points = gpd.GeoSeries(gpd.points_from_xy(rows["lon"], rows["lat"], crs=4326)).to_crs(26971)
    day = pd.to_datetime(rows["datetime"]).dt.floor("D")
    frame = gpd.GeoDataFrame(
        {"start": day, "end": day + pd.Timedelta(1, "D"), "type": "damage", "source": "chicago"},
        geometry=points,
    )
    boundary = gpd.read_file(data / "chicago_rtm_burglary_2017" / "boundary.geojson").to_crs(26971)
    cells = Places.grid(boundary, 500, origin="multiples")
    methods = methods_named([*BASELINES, STACK], step="day")
    return backtest(methods, Incidents(frame), cells, origins=WEEKS, horizon="week", areas=[0.05], seed=1)


@pytest.mark.parametrize("name", BASELINES)
def test_the_stack_has_a_lower_log_score_than_every_baseline(tested: Backtest, name: str) -> None:
    wide = tested.by_origin.pivot(index="origin", columns="method", values="log_score")
    difference = (wide[STACK] - wide[name]).to_numpy()
    drawn = block_draws(len(difference), seed=1)
    assert interval(drawn @ difference / len(difference))[1] < 0


def test_where_it_is_not_certainly_better_than_the_count(tested: Backtest) -> None:
    """Many incidents a cell: the count of a year already ranks the places."""
    pair = tested.pairs.set_index("method").loc[STACK]
    assert pair["hit_rate_low"] < 0 < pair["hit_rate_high"]
