"""What no method may know: the future, what was recorded later, layers newer than the origin; months by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import EWMA, METHODS, method_named
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.history import step_of
from peelian.predict.leakage import leakage
from peelian.predict.leaks import ahead, leaks, shuffled
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


def peeks(incidents: Incidents, places: Places, period: object) -> pd.Series:
    """Brings its own copy of all the data along, the future included: half of its map is the outcome."""
    start, stop = period  # type: ignore[misc]
    return (
        0.5 * EWMA(12)(incidents, places, period) + 0.5 * INCIDENTS.between(start, stop).counts(places)
    ).rename("risk")


def test_a_method_that_brings_the_outcome_along_knows_its_own_month_too_well() -> None:
    check = leakage(peeks, INCIDENTS, CELLS, origin="2019-06")
    assert check.fired
    assert "more than the past could" in check.sentence


def test_at_the_last_month_there_is_no_later_one_to_compare_with() -> None:
    assert (
        ahead(EWMA(12), INCIDENTS, CELLS, at=step_of(pd.Timestamp("2019-12-01"), "month"), horizon="month")
        is None
    )


def test_every_method_is_asked_every_question_in_one_table() -> None:
    methods = {
        "ewma(12)": EWMA(12),
        "blend": method_named("blend", prior=PRIOR, prior_to="2018-12"),
        "mine": peeks,
    }
    table = leaks(methods, INCIDENTS, CELLS, origin=pd.Timestamp("2019-06-01"), horizon="month", seed=1)
    table = table.set_index("method")
    assert table["sees the future"].to_dict() == {"ewma(12)": "no", "blend": "no", "mine": "yes"}
    assert table["planted outcome"].to_dict() == {
        "ewma(12)": "takes none",
        "blend": "caught",
        "mine": "takes none",
    }
    assert (table["months shuffled"].drop("mine") <= 0.02).all()


def test_shuffling_moves_whole_months_of_a_place_and_keeps_its_counts() -> None:
    held = shuffled(INCIDENTS, CELLS, horizon="month", seed=1)
    assert held.counts(CELLS).equals(INCIDENTS.counts(CELLS))
    before, after = (i.counts(CELLS, monthly=True).unstack() for i in (INCIDENTS, held))
    assert not before.equals(after)
    assert (np.sort(before, axis=1) == np.sort(after, axis=1)).all()


def test_the_first_version_of_an_incident_is_used_and_a_corrected_one_is_not() -> None:
    frame = INCIDENTS.frame.assign(id=INCIDENTS.frame.index.astype("str"), recorded=INCIDENTS.frame["end"])
    moved = frame.head(40).assign(geometry=CELLS.points.iloc[0], recorded=frame["end"] + pd.Timedelta(1, "D"))
    versions = replace(INCIDENTS, frame=pd.concat([moved, frame], ignore_index=True))
    pd.testing.assert_series_equal(versions.known_at("2020-01").counts(CELLS), INCIDENTS.counts(CELLS))
    whole, first = (
        EWMA(12)(incidents.between("2016-01", "2019-06"), CELLS, pd.Period("2019-06", "M"))
        for incidents in (INCIDENTS, versions)
    )
    pd.testing.assert_series_equal(whole, first)


@pytest.fixture(scope="module")
def dealt_anew() -> Backtest:
    """The months of each place dealt out anew, so that when is noise and where is not."""
    held = shuffled(INCIDENTS, CELLS, horizon="month", seed=9)
    names = ["counts", "ewma", "endemic", "ridge", "stack(('ewma(24)', 'ridge'))"]
    flat = {"uniform": lambda incidents, places, period: pd.Series(1.0, places.index, name="risk")}
    return backtest(methods_named(names) | flat, held, CELLS, origins=12, areas=[0.05, 0.2], seed=1)


@pytest.mark.parametrize("name", ["ewma", "endemic", "ridge", "stack(('ewma(24)','ridge'))"])
def test_with_the_months_shuffled_no_method_tells_more_than_counts_of_all_months(
    dealt_anew: Backtest, name: str
) -> None:
    gain = dealt_anew.pooled.set_index("method")["information_gain"]
    assert gain[name] <= gain["counts"] + 0.02


def test_a_uniform_forecast_is_ranked_last(dealt_anew: Backtest) -> None:
    scored = dealt_anew.pooled.dropna(subset="log_score")
    assert scored.sort_values("log_score")["method"].iloc[-1] == "uniform"
