"""What no method may know: the future, what was recorded later, layers newer than the origin; months by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import METHODS, method_named
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.leakage import leakage
from peelian.predict.methods import methods_named
from tests.spec.test_predict_backtest import CELLS, INCIDENTS, RATES
from tests.spec.test_predict_regression import CELLS as DAY_CELLS
from tests.spec.test_predict_regression import INCIDENTS as DAILY

PRIOR = pd.Series(RATES + 0.1, CELLS.index)
# Cheap settings of the dear ones; every name of METHODS stands in one of the two.
BY_MONTH = {
    "counts": "counts(12)", "same_month": "same_month", "ewma": "ewma", "gamma_poisson": "gamma_poisson",
    "kde": "kde(200)", "blend": "blend", "endemic": "endemic(months=24)", "ridge": "ridge(alpha=0.01)",
    "stack": "stack(('ewma(12)', 'counts(12)'))",
}  # fmt: skip
BY_DAY = {
    "hawkes": "hawkes(250, distance=200, days=15)", "promap": "promap", "near_repeat": "near_repeat(0.2)", "by_place": "by_place",
    "fourier": "fourier(search=2, seeds=2, size=10, origins=14)",
    "boosted": "boosted(trees=5, origins=14)",
}  # fmt: skip


def test_every_method_is_tested_for_leakage() -> None:
    assert {*BY_MONTH, *BY_DAY} == set(METHODS)


@pytest.mark.parametrize("name", BY_MONTH.values())
def test_no_method_by_month_knows_what_it_could_not(name: str) -> None:
    check = leakage(method_named(name, prior=PRIOR, prior_to="2018-12"), INCIDENTS, CELLS, origin="2019-06")
    assert not check.fired, check.sentence


@pytest.mark.parametrize("name", BY_DAY.values())
def test_no_method_by_day_knows_what_it_could_not(name: str) -> None:
    check = leakage(method_named(name, step="day"), DAILY, DAY_CELLS, origin="2018-04-01", horizon="week")
    assert not check.fired, check.sentence


def planted() -> pd.Series:
    """The outcome itself, as a column by place."""
    return INCIDENTS.between("2019-06", "2019-07").counts(CELLS) + 0.01


@pytest.mark.parametrize("name", ["blend", "ridge(alpha=0.01)", "stack(('ewma(12)', 'blend'))"])
def test_a_planted_future_column_is_caught_by_its_date(name: str) -> None:
    method = method_named(name, prior=planted(), prior_to="2019-06")
    check = leakage(method, INCIDENTS, CELLS, origin="2019-06")
    assert check.fired
    assert "Its risk terrain saw months to June 2019." in check.sentence


def test_a_column_without_a_date_is_named() -> None:
    check = leakage(method_named("blend", prior=PRIOR), INCIDENTS, CELLS, origin="2019-06")
    assert "Nobody says which months its risk terrain saw." in check.sentence


def hindsight(incidents: Incidents, places: Places, period: object) -> pd.Series:
    """Counts every row it is given, whenever it was recorded: the backtest gives it none recorded later."""
    return incidents.counts(places).rename("risk") + 0.01


def test_a_method_of_ones_own_is_given_nothing_recorded_later() -> None:
    assert not leakage(hindsight, INCIDENTS, CELLS, origin="2019-06").fired


@pytest.fixture(scope="module")
def shuffled() -> Backtest:
    """The same incidents, the months of each place dealt out anew, so that when is noise and where is not."""
    rng = np.random.default_rng(9)
    frame = INCIDENTS.frame
    months = frame["start"].drop_duplicates().to_numpy()
    start = pd.Series(rng.choice(months, len(frame)), frame.index)
    held = replace(INCIDENTS, frame=frame.assign(start=start, end=start + pd.offsets.MonthBegin(1)))
    names = ["counts", "ewma", "endemic", "ridge", "stack(('ewma(24)', 'ridge'))"]
    flat = {"uniform": lambda incidents, places, period: pd.Series(1.0, places.index, name="risk")}
    return backtest(methods_named(names) | flat, held, CELLS, origins=12, areas=[0.05, 0.2], seed=1)


@pytest.mark.parametrize("name", ["ewma", "endemic", "ridge", "stack(('ewma(24)','ridge'))"])
def test_with_the_months_shuffled_no_method_tells_more_than_counts_of_all_months(
    shuffled: Backtest, name: str
) -> None:
    gain = shuffled.pooled.set_index("method")["information_gain"]
    assert gain[name] <= gain["counts"] + 0.02


def test_a_uniform_forecast_is_ranked_last(shuffled: Backtest) -> None:
    scored = shuffled.pooled.dropna(subset="log_score")
    assert scored.sort_values("log_score")["method"].iloc[-1] == "uniform"
