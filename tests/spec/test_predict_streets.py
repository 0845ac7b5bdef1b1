"""Maps on street segments: distances along the network, not as the crow flies."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import KDE, ProMap
from peelian.predict.along import metres_along
from peelian.predict.backtest import backtest

# Two parallel streets 60 m apart in three pieces of 200 m each, joined at their eastern ends by a lane of 60 m;
# a bridge crosses the southern street without a junction.
LINES = {
    "lane": LineString([(600, 0), (600, 60)]),
    "north 1": LineString([(0, 60), (200, 60)]),
    "north 2": LineString([(200, 60), (400, 60)]),
    "north 3": LineString([(400, 60), (600, 60)]),
    "over": LineString([(300, -100), (300, 30)]),
    "south 1": LineString([(0, 0), (200, 0)]),
    "south 2": LineString([(400, 0), (200, 0)]),
    "south 3": LineString([(400, 0), (600, 0)]),
}
STREETS = Places.of(
    gpd.GeoDataFrame(index=list(LINES), geometry=list(LINES.values()), crs="EPSG:27700"), kind="street"
)


def burglaries(at: list[tuple[float, float]], days: list[int]) -> Incidents:
    start = pd.Series(pd.Timestamp("2019-01-01") + pd.to_timedelta(days, "D"))
    columns = {"start": start, "end": start + pd.Timedelta(1, "D"), "type": "burglary", "source": "t"}
    x, y = np.array(at, float).T
    return Incidents(gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(x, y), crs="EPSG:27700"))


def between(one: str, other: str, reach: float = 1_000) -> float:
    table = metres_along(STREETS, reach).toarray()
    return float(table[STREETS.index.get_loc(one), STREETS.index.get_loc(other)])


def test_metres_are_along_the_streets() -> None:
    assert between("south 1", "south 2") == pytest.approx(200)
    assert between("south 3", "north 3") == pytest.approx(100 + 60 + 100)


def test_what_lies_across_the_gardens_is_far_and_a_bridge_joins_nothing() -> None:
    """North 1 is 60 m from south 1 as the crow flies and 1,060 m on foot, beyond the limit of 1,000 m."""
    assert between("south 1", "north 1", 5_000) == 0
    assert metres_along(STREETS, 1_000).toarray()[STREETS.index.get_loc("over")].nonzero()[0].tolist() == [
        STREETS.index.get_loc("over")
    ]


def test_the_table_is_symmetric_and_every_street_is_next_to_itself() -> None:
    table = metres_along(STREETS, 400).toarray()
    assert table == pytest.approx(table.T)
    assert (np.diag(table) > 0).all()
    assert (np.diag(table) < 1e-6).all()


MANY = burglaries([(100, 1)] * 60, list(range(60)))


def test_a_smooth_map_follows_the_streets_and_keeps_its_total() -> None:
    risk = KDE(100, step="day")(MANY, STREETS, ("2019-03-02", "2019-03-09"))
    assert risk.sum() == pytest.approx(7.0)
    assert risk["south 1"] > risk["south 2"] > risk["south 3"] > risk["north 3"] >= risk["north 1"] == 0


def test_a_longer_street_gets_more() -> None:
    """The lane is 60 m long and the street beyond it 200 m; per metre the nearer lane is higher."""
    risk = KDE(200, step="day")(
        burglaries([(500, 1)] * 60, list(range(60))), STREETS, ("2019-03-02", "2019-03-09")
    )
    per_metre = risk / STREETS.geometry.length
    assert risk["north 3"] > risk["lane"]
    assert per_metre["lane"] > per_metre["north 3"]


def test_prospective_hot_spotting_steps_along_the_streets() -> None:
    """A burglary yesterday in south 3: whole steps of 50 m to the others are 2 (lane), 4 (south 2), 5 (north 3)."""
    risk = ProMap(400, 56)(burglaries([(500, 1)], [6]), STREETS, ("2019-01-08", "2019-01-15"))
    assert risk[["south 3", "lane", "south 2", "north 3", "north 1"]].tolist() == pytest.approx(
        [1, 1 / 3, 1 / 5, 1 / 6, 0]
    )


def test_a_map_on_streets_runs_through_the_backtest() -> None:
    rng = np.random.default_rng(3)
    side = [LineString([(a, b), (a + 100, b)]) for a in range(0, 500, 100) for b in range(0, 500, 100)]
    side += [LineString([(a, b), (a, b + 100)]) for a in range(0, 600, 100) for b in range(0, 400, 100)]
    places = Places.of(
        gpd.GeoDataFrame(index=[f"s{k:02d}" for k in range(len(side))], geometry=side, crs="EPSG:27700"),
        kind="street",
    )
    at = [tuple(point) for point in rng.uniform(0, 500, (1_500, 2))]
    known = burglaries(at, sorted(rng.integers(0, 700, 1_500).tolist()))
    methods = {"kde": KDE(100, step="day"), "promap": ProMap(300, 56)}
    found = backtest(methods, known, places, origins=4, horizon="week", areas=[0.1], seed=1)
    assert found.refused == {}
    assert {"kde", "promap"} <= set(found.pooled["method"])
    assert found.pooled.set_index("method").loc["kde", "hit_rate_10"] >= 0
