"""The backtest: who is always in it, what a method may see, what happens to one that fails."""

from __future__ import annotations

import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DesignError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import EWMA, Counts, Method
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.history import History
from peelian.predict.leakage import leakage

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 600, 500)], crs="EPSG:27700"), 100)
RATES = np.random.default_rng(3).gamma(0.6, 2.0, len(CELLS))
ALL = [0.1, 0.2, 0.5]


def simulated(months: int = 48, seed: int = 1) -> Incidents:
    rng = np.random.default_rng(seed)
    points, rows = CELLS.points, []
    for month in pd.period_range("2016-01", periods=months, freq="M"):
        for place, count in enumerate(rng.poisson(RATES)):
            rows += [(month.start_time, points.iloc[place])] * count
    start = pd.Series([when for when, _ in rows])
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "burglary", "source": "simulated"},
        geometry=[point for _, point in rows],
        crs=CELLS.crs,
    )
    return Incidents(frame, precision="month")


INCIDENTS = simulated()


def nothing(incidents: Incidents, places: Places, period: object) -> pd.Series:
    """A method of somebody's own: the same everywhere."""
    return pd.Series(1.0, places.index, name="risk")


def ranks_only(incidents: Incidents, places: Places, period: object) -> pd.Series:
    return incidents.counts(places).rank().rename("risk")


ranks_only.is_rate = False  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def tested() -> Backtest:
    return backtest({"ewma": EWMA(12), "flat": nothing}, INCIDENTS, CELLS, origins=24, areas=ALL, seed=1)


def test_plain_counts_of_a_year_are_always_there(tested: Backtest) -> None:
    assert tested.reference == "counts(12)"
    assert "counts(12)" in set(tested.pooled["method"])


def test_best_possible_is_always_there_and_never_beaten(tested: Backtest) -> None:
    hits = tested.pooled.set_index("method")["hit_rate_10"]
    assert hits["best possible"] == hits.max()


def test_every_method_stands_at_every_origin(tested: Backtest) -> None:
    assert tested.by_origin.groupby("method").size().to_dict() == dict.fromkeys(
        ["counts(12)", "ewma", "flat", "best possible"], 24
    )


def test_a_flat_map_finds_its_share_of_the_area(tested: Backtest) -> None:
    flat = tested.pooled.set_index("method").loc["flat"]
    assert flat["hit_rate_20"] == pytest.approx(0.2)


def test_the_same_seed_gives_the_same_intervals(tested: Backtest) -> None:
    again = backtest({"ewma": EWMA(12), "flat": nothing}, INCIDENTS, CELLS, origins=24, areas=ALL, seed=1)
    pd.testing.assert_frame_equal(again.pooled, tested.pooled, check_exact=True)


def test_a_ranking_is_scaled_to_the_level_before_it_is_scored() -> None:
    found = backtest({"ranks": ranks_only}, INCIDENTS, CELLS, origins=3, areas=ALL, seed=1)
    rows = found.by_origin.set_index("method")
    assert rows.loc["ranks", "expected"].tolist() == pytest.approx(
        rows.loc["counts(12)", "expected"].tolist()
    )


def test_few_origins_are_too_few_to_rank() -> None:
    found = backtest({}, INCIDENTS, CELLS, origins=5, areas=ALL, seed=1)
    assert found.verdict.code == "too few"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda p: pd.Series(np.nan, p.index), "missing, infinite or negative in 30 places: x0y0, x0y1"),
        (lambda p: pd.Series(-1.0, p.index), "missing, infinite or negative in 30 places"),
        (lambda p: pd.Series(1.0, p.index[1:]), "its forecast lacks x0y0"),
        (lambda p: pd.Series(1.0, [*p.index, "elsewhere"]), "has elsewhere, which are no places"),
        (lambda p: pd.DataFrame({"risk": 1.0}, p.index), "returned a DataFrame"),
        (lambda p: pd.Series(1.0, [*p.index, p.index[0]]), "names x0y0 twice"),
    ],
)
def test_a_method_that_answers_wrongly_is_named_and_the_others_finish(answer: object, said: str) -> None:
    wrong = lambda incidents, places, period: answer(places)  # type: ignore[operator] # noqa: E731
    found = backtest({"wrong": wrong, "ewma": EWMA(12)}, INCIDENTS, CELLS, origins=3, areas=ALL, seed=1)
    assert said in found.refused["wrong"]
    assert set(found.pooled["method"]) == {"counts(12)", "ewma", "best possible"}


def test_an_origin_without_incidents_is_kept_and_counted() -> None:
    quiet = INCIDENTS._where(INCIDENTS.frame["start"] != pd.Timestamp("2019-11-01"))
    found = backtest({}, quiet, CELLS, origins=["2019-11", "2019-12"], areas=ALL, seed=1)
    row = found.pooled.set_index("method").loc["counts(12)"]
    assert row["empty_origins"] == 1
    assert not math.isnan(row["hit_rate_10"])


def test_a_lag_hides_the_months_that_are_not_yet_known() -> None:
    late = backtest({"last": Counts(1)}, INCIDENTS, CELLS, origins=["2019-12"], lag=2, areas=ALL, seed=1)
    september = INCIDENTS.between("2019-09", "2019-10").counts(CELLS)
    assert late.forecasts["last"][:, 0].tolist() == september.tolist()


def test_an_incident_recorded_late_is_absent_until_then() -> None:
    frame = INCIDENTS.frame.assign(recorded=INCIDENTS.frame["end"])
    november = frame["start"] == pd.Timestamp("2019-11-01")
    frame.loc[november, "recorded"] = pd.Timestamp("2020-02-01")
    held = replace(INCIDENTS, frame=frame)
    found = backtest({"last": Counts(1)}, held, CELLS, origins=["2019-12"], areas=ALL, seed=1)
    october = INCIDENTS.between("2019-10", "2019-11").counts(CELLS)
    assert found.forecasts["last"][:, 0].tolist() == october.tolist()


def test_ours_and_a_callable_of_ones_own_see_the_same() -> None:
    own = lambda incidents, places, period: EWMA(12)(incidents, places, period)  # noqa: E731
    found = backtest({"ours": EWMA(12), "own": own}, INCIDENTS, CELLS, origins=6, areas=ALL, seed=1)
    assert found.forecasts["ours"] == pytest.approx(found.forecasts["own"], abs=1e-12)


class Learned:
    """A method with a fit: the mean of what it saw, and when."""

    fits = 0
    rate: pd.Series | None = None

    def fit(self, incidents: Incidents, places: Places, before: object) -> Learned:
        fitted = Learned()
        Learned.fits += 1
        fitted.rate = incidents.counts(places) / len(set(incidents.months))
        return fitted

    def __call__(self, incidents: Incidents, places: Places, period: object) -> pd.Series:
        assert self.rate is not None
        return self.rate.rename("risk")


def test_a_learned_method_is_fitted_as_often_as_asked() -> None:
    Learned.fits = 0
    backtest({"learned": Learned()}, INCIDENTS, CELLS, origins=6, refit=3, areas=ALL, seed=1)
    assert Learned.fits == 2


def test_no_origin_with_history_is_refused() -> None:
    with pytest.raises(DesignError, match="No origin has history before it"):
        backtest({}, INCIDENTS, CELLS, origins=["2016-01"], areas=ALL, seed=1)


def test_an_origin_without_later_data_is_refused_by_its_date() -> None:
    with pytest.raises(
        DesignError, match="No incident is later than the origins 1 February 2020: incidents end in Dec"
    ):
        backtest({}, INCIDENTS, CELLS, origins=["2019-06-01", "2020-02-01"], seed=1)


def test_weeks_of_month_dated_incidents_are_refused() -> None:
    with pytest.raises(DesignError, match="forecasts of a week cannot be tested"):
        backtest({}, INCIDENTS, CELLS, horizon="week", seed=1)


# -------------------------------------------------------------------- leakage
class Cheat(Method):
    """Looks up what it is to foretell."""

    step = "month"

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        return history.outcome(start, stop)

    @property
    def words(self) -> str:
        return "a cheat"


def test_a_method_that_looks_ahead_is_caught() -> None:
    check = leakage(Cheat(), INCIDENTS, CELLS, origin="2019-06")
    assert check.fired
    assert check.consequence == "Its scores mean nothing: it saw what it was to foretell."
