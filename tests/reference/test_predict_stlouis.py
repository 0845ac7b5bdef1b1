"""Burglary by week on 250 m cells, St Louis 2019, against ``stlouis_weekly.json``.

Provenance: ``reference/predict/stlouis_weekly.json`` (computed apart from this project) on
``data/world/stlouis_2015_2019``, ODC-By 1.0. Tolerance as stated there: 1e-4 for counts, 2e-3 for smoothed
methods. Our floor differs from its mixture of 0.1 %, so its information gain is compared only where no
rate is near the floor.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd
import pytest

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import Hawkes
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.claims import block_draws, interval
from peelian.predict.history import History
from peelian.predict.kernel import mean_delay
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
RIDGE, BOOSTED = "ridge", "boosted(trees=100,origins=26,refit=365)"
STACK = "stack(('ewma(180)','gamma_poisson','ridge'),origins=13)"
SHARES = (0.01, 0.05, 0.2)


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    text = (shared / "reference" / "predict" / "stlouis_weekly.json").read_text("utf-8")
    return json.loads(text)["scores"]  # type: ignore[no-any-return]


class StLouis(NamedTuple):
    """Burglaries by day, cells of 250 m, and the first days of the 52 weeks."""

    incidents: Incidents
    cells: Places
    weeks: list[pd.Timestamp]


@pytest.fixture(scope="module")
def city(shared: Path) -> StLouis:
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
    return StLouis(incidents, cells, weeks)


@pytest.fixture(scope="module")
def tested(city: StLouis) -> Backtest:
    names = [*NAMES.values(), "hawkes(refit=365)", RIDGE, BOOSTED, STACK]
    return backtest(
        methods_named(names, step="day"), city.incidents, city.cells, origins=city.weeks, horizon="week",
        areas=[round(share * len(city.cells)) / len(city.cells) for share in SHARES], seed=1,
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


def test_the_self_exciting_model_is_above_the_information_gain_to_beat(
    tested: Backtest, reference: dict[str, Any]
) -> None:
    """Number to beat: spec/predict.md, section 13, that of the reference run rounded."""
    found = tested.pooled.set_index("method").loc["hawkes(refit=365)", "information_gain"]
    assert found >= reference["etas"]["ig"]


@pytest.mark.parametrize(("theirs", "ours"), [("poisson_ridge", RIDGE), ("hgb_poisson", BOOSTED)])
def test_learned_methods(tested: Backtest, reference: dict[str, Any], theirs: str, ours: str) -> None:
    """Tolerance .006 as stated there; ours may hold more, with near repeats and the time of year among features."""
    row = tested.pooled.set_index("method").loc[ours]
    found = [row[f"hit_rate_{share * 100:g}"] for share in tested.shares] + [row["information_gain"]]
    expected = [reference[theirs][name] for name in ("hit@1", "hit@5", "hit@20", "ig")]
    assert not [name for name, low in zip(found, expected, strict=True) if name < low - 6e-3]


def test_the_ridge_is_above_both_numbers_to_beat(tested: Backtest) -> None:
    """Spec/predict.md, section 13: information gain .565 and 22 % in 5 % of the cells, in one method."""
    row = tested.pooled.set_index("method").loc[RIDGE]
    assert row["information_gain"] >= 0.565
    assert row[f"hit_rate_{tested.shares[1] * 100:g}"] >= 0.220


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_with_the_ridge_has_a_lower_log_score_than_every_baseline(
    tested: Backtest, name: str
) -> None:
    """The 95 % interval of the paired difference over 52 weeks, by blocks of four, lies below zero."""
    wide = tested.by_origin.pivot(index="origin", columns="method", values="log_score")
    difference = (wide[STACK] - wide[NAMES[name]]).to_numpy()
    drawn = block_draws(len(difference), seed=1)
    assert interval(drawn @ difference / len(difference))[1] < 0


def test_the_fit_to_the_end_of_2018_is_plausible(city: StLouis) -> None:
    """Bands: spec/predict.md, section 13. The background's width is stated, as theirs was (300 m)."""
    history = History.of(city.incidents, city.cells, end=pd.Timestamp("2019-01-01"), step="day")
    fit = Hawkes(250).fitted(history)
    kernel = fit.kernel
    assert 0.07 <= kernel.repeat <= 0.13
    assert 0.10 <= kernel.near <= 0.25
    assert 25 <= mean_delay(kernel, 180) <= 60
    assert 60 <= kernel.sigma <= 130
    assert 0.60 <= fit.share <= 0.85
