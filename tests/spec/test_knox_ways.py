"""Near repeats against a trend by area and month, and along streets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString

from peelian.errors import DesignError
from peelian.explain.beside import NearRepeatParameters
from peelian.explain.events import Events
from peelian.explain.near_repeat import knox
from peelian.explain.near_repeat_background import along_streets, from_trend
from peelian.explain.near_repeat_report import blocks, table
from peelian.incidents import Incidents


def incidents(x: np.ndarray, y: np.ndarray, day: np.ndarray) -> Incidents:
    start = pd.Timestamp("2019-01-01") + pd.to_timedelta(np.asarray(day, float), unit="D")
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.Timedelta(1, "D"), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(x, y), crs=27700,
    )  # fmt: skip
    return Incidents(frame)


def sample(seed: int, *, seasons: bool = False, contagion: bool = False) -> Incidents:
    """25 tiles of 2 km with seasons of their own; contagion: 30 % within 80 m and 5 days of another."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 10_000, (2, 1000))
    tile = (x // 2000 * 5 + y // 2000).astype(int)
    phase = rng.uniform(0, 1, 25)[tile]
    day = rng.integers(0, 365, 1000)
    if seasons:
        odds = 1 + 0.9 * np.cos(2 * np.pi * (np.arange(365) / 365 - phase[:, None]))
        day = np.array([rng.choice(365, p=row / row.sum()) for row in odds])
    if contagion:
        at = rng.integers(0, 1000, 300)
        x, y = (
            np.append(x, x[at] + rng.uniform(-55, 55, 300)),
            np.append(y, y[at] + rng.uniform(-55, 55, 300)),
        )
        day = np.append(day, np.minimum(day[at] + rng.integers(0, 6, 300), 364))
    return incidents(x, y, day)


# -------------------------------------------------------------------- a trend by area and month
def test_dates_drawn_from_the_trend_keep_the_months_of_each_area() -> None:
    day = np.repeat([10, 200], 300)
    events = Events.of(np.zeros(600), np.zeros(600), 17_897 + day, np.repeat([0, 1], 300))  # from 2019-01-01
    drawn = from_trend(events, "days")(np.random.default_rng(1)) + events.time.min()
    month = (np.datetime64("1970-01-01") + drawn.astype("timedelta64[D]")).astype("datetime64[M]")
    january = month == np.datetime64("2019-01")
    assert january[events.strata == 0].mean() > 0.9
    assert january[events.strata == 1].mean() < 0.1
    assert drawn.min() >= events.time.min()
    assert drawn.max() <= events.time.max()


def test_seasons_of_their_own_are_no_contagion_against_the_background() -> None:
    found = [knox(sample(s, seasons=True), permutations=99, seed=s, null="background").near for s in range(6)]
    assert sum(reach is not None for reach in found) <= 1


def test_contagion_is_found_against_the_background() -> None:
    found = knox(sample(1, contagion=True), permutations=199, seed=1, null="background", crime="burglary")
    assert found.near
    assert (found.near.distance, found.near.time) == (100, 7)
    shown = table(found)[table(found)["Expected"] > 0]
    assert (shown["Pairs"] / shown["Expected"]).to_numpy() == pytest.approx(shown["Ratio"].to_numpy())
    assert "dates drawn from the months of square tiles" in str(blocks(found, published=True)[-1])


def test_the_background_is_asked_for_in_the_project_file() -> None:
    assert NearRepeatParameters(null="background", metric="network").null == "background"


# -------------------------------------------------------------------- along streets
RIVER = gpd.GeoSeries(  # two banks 60 m apart that meet 500 m away
    [LineString([(0, 0), (1000, 0)]), LineString([(0, 60), (1000, 60)]), LineString([(1000, 0), (1000, 60)])],
    crs=27700,
)


def test_pairs_along_streets_by_hand() -> None:
    x = np.array([0.0, 100, 0, 0])
    y = np.array([0.0, 0, 60, 0])
    found, _ = along_streets(x, y, RIVER, (0.01, 150, 3000), "right")
    pairs = {
        (i, j): round(float(d)) for i, j, d in zip(found.first, found.second, found.distance, strict=True)
    }
    assert pairs == {(0, 3): 0, (0, 1): 100, (1, 3): 100, (0, 2): 2060, (2, 3): 2060, (1, 2): 1960}
    assert found.by_band.tolist() == [1, 2, 3]


def test_events_of_one_address_stay_together_however_far_the_street() -> None:
    found, _ = along_streets(np.array([50.0, 50.0]), np.array([20.0, 20.0]), RIVER, (0.01, 100), "right")
    assert found.distance.tolist() == [0.0]


def test_across_the_river_is_near_by_air_and_far_on_foot() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 900, 60), np.repeat([0.0, 60.0], 30)
    cases = incidents(x, y, rng.integers(0, 100, 60))
    air = knox(cases, (0.01, 100), days=(7, 100), permutations=19, seed=1)
    foot = knox(cases, (0.01, 100), days=(7, 100), permutations=19, seed=1, metric="network", streets=RIVER)
    same_bank = [abs(x[i] - x[j]) <= 100 for i in range(60) for j in range(i) if y[i] == y[j]]
    pairs = [int(frame["observed"].sum()) for frame in (air.frame, foot.frame)]
    assert pairs[1] == sum(same_bank) < pairs[0]


def test_along_streets_needs_streets() -> None:
    with pytest.raises(DesignError, match="needs streets"):
        knox(sample(1), permutations=19, seed=1, metric="network")
