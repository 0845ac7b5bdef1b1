"""Burglary by week on 250 m cells, St Louis 2019, against ``stlouis_weekly.json``.

Provenance: ``reference/predict/stlouis_weekly.json`` (computed apart from this project) on
``data/world/stlouis_2015_2019``, ODC-By 1.0. Tolerance as stated there: 1e-4 for counts, 2e-3 for smoothed
methods. Our floor differs from its mixture of 0.1 %, so its information gain is compared only where no
rate is near the floor.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.methods import methods_named

NAMES = {
    "count_28": "counts(28)",
    "count_90": "counts(90)",
    "count_365": "counts(365)",
    "count_all": "counts",
    "ewma_180": "ewma(180)",
    "kde_365_500": "kde(500,window=365)",
    "kde_x_ewma": "kde(250,half_life=365)",
    "gamma_poisson": "gamma_poisson",
    "prohotspot": "promap(500,bands='cells')",
}
SHARES = (0.01, 0.05, 0.2)


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    text = (shared / "reference" / "predict" / "stlouis_weekly.json").read_text("utf-8")
    return json.loads(text)["scores"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def tested(shared: Path) -> Backtest:
    data = shared / "data" / "world" / "stlouis_2015_2019"
    rows = pd.read_csv(data / "crimes.csv.gz", usecols=["datetime", "offense", "x", "y"])
    rows = rows[(rows["offense"] == "burglary") & rows["x"].notna()].reset_index(drop=True)
    boundary = gpd.read_file(data / "boundary.geojson").to_crs(26915)
    points = gpd.GeoSeries(gpd.points_from_xy(rows["x"], rows["y"], crs="ESRI:102696")).to_crs(26915)
    day = pd.to_datetime(rows["datetime"]).dt.floor("D")
    frame = gpd.GeoDataFrame(
        {"start": day, "end": day + pd.Timedelta(1, "D"), "type": "burglary", "source": "st louis"},
        geometry=points,
    )
    incidents = Incidents(frame[(day >= "2015-01-01") & (day < "2020-01-01")])
    cells = Places.grid(boundary, 250, origin="multiples")
    weeks = [pd.Timestamp("2019-01-01") + pd.Timedelta(7 * week, "D") for week in range(52)]
    return backtest(
        methods_named(NAMES.values(), step="day"), incidents, cells, origins=weeks, horizon="week",
        areas=[round(share * len(cells)) / len(cells) for share in SHARES], seed=1,
    )  # fmt: skip


def test_the_events_are_those_of_the_reference(tested: Backtest) -> None:
    assert tested.places == 2_753
    assert int(tested.outcomes.sum()) == 3_004


@pytest.mark.parametrize("name", NAMES)
def test_hit_rates(tested: Backtest, reference: dict[str, Any], name: str) -> None:
    row = tested.pooled.set_index("method").loc[NAMES[name]]
    found = [row[f"hit_rate_{share * 100:g}"] for share in tested.shares]
    tolerance = 2e-3 if name.startswith(("kde", "prohotspot")) else 1e-4
    expected = [reference[name][f"hit@{share * 100:g}"] for share in SHARES]
    assert found == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("name", ["kde_365_500", "kde_x_ewma", "gamma_poisson"])
def test_information_gain(tested: Backtest, reference: dict[str, Any], name: str) -> None:
    found = tested.pooled.set_index("method").loc[NAMES[name], "information_gain"]
    assert found == pytest.approx(reference[name]["ig"], abs=2e-3)
