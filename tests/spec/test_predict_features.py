"""What learned methods may learn from besides incidents: what each is, since when it was known, what is refused."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from peelian.errors import DesignError
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.places import Places
from peelian.predict import Boosted, PoissonRidge, method_named
from peelian.predict.backtest import backtest
from peelian.predict.beside import PERFECT, Beside, Holdings, beside_of, newer
from peelian.predict.exposure import Split, exposure_words
from peelian.predict.features import Table, features
from peelian.predict.history import History, step_of
from peelian.predict.importance import importance
from peelian.predict.leakage import leakage
from peelian.predict.run import Parameters, run
from peelian.predict.tables import FeatureTable
from tests.predict_season import monthly

STUDY = gpd.GeoSeries([box(520_000, 170_000, 522_000, 172_000)], crs="EPSG:27700")
CELLS = Places.grid(STUDY, 400)
AREAS = Places.of(
    gpd.GeoDataFrame(
        {"rented": [10.0, 40.0], "homes": [100.0, 300.0], "ward": ["W1", "W2"], "imd_crime": [1.0, 2.0]},
        index=["west", "east"],
        geometry=[box(520_000, 170_000, 521_000, 172_000), box(521_000, 170_000, 522_000, 172_000)],
        crs=STUDY.crs,
    )
)
PUBS = gpd.GeoDataFrame(
    {"open_from": ["", "2018-07-01"]},
    geometry=[Point(520_200, 170_200), Point(521_800, 171_800)], crs=STUDY.crs,
)  # fmt: skip
LAYERS = Layers.of(
    [
        Layer("pub", PUBS, date="2012-05"),
        Layer("station", PUBS[["geometry"]].iloc[1:], date="2021"),
    ]
)
RATES = np.random.default_rng(5).gamma(0.7, 3.0, len(CELLS))
MONTHS = pd.period_range("2014-01", "2018-12", freq="M")
JUNE = pd.Timestamp("2018-06-01")


def simulated(seed: int = 2) -> Incidents:
    """Months on a grid; twice as many in winter as in summer."""
    rng = np.random.default_rng(seed)
    season = 1 + np.cos(2 * np.pi * (MONTHS.month.to_numpy() - 1) / 12) / 3
    counts = rng.poisson(RATES * season[:, None])
    return monthly(CELLS, MONTHS, counts)


def weather(seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.period_range("2010-01", "2018-12", freq="M")
    season = 10 - 8 * np.cos(2 * np.pi * (index.month.to_numpy() - 1) / 12)
    return pd.DataFrame({"tmean": season + rng.normal(0, 1, len(index)), "rain": 50.0}, index)


INCIDENTS = simulated()
WEATHER = weather()
FORECASTS = pd.DataFrame(
    {
        "issued": pd.to_datetime(["2018-05-20", "2018-05-31", "2018-06-02"]),
        "date": pd.to_datetime(["2018-06-10"] * 3),
        "tmean": [11.0, 15.0, 30.0],
        "rain": [1.0, 2.0, 0.0],
    }
)
CALENDAR = ("month", "weekday", "bank_holidays", "darkness")


def beside(*used: str, **more: Any) -> Beside:
    given: dict[str, Any] = {
        "layers": LAYERS, "columns": {"rented": "2013-12"}, "areas": AREAS, "calendar": CALENDAR,
        "weather": WEATHER, "forecasts": FORECASTS, "exposure": "homes",
    }  # fmt: skip
    return Beside(**given | more, used=used)


def seen(*used: str, origin: object = JUNE, **more: Any) -> Table:
    return features(INCIDENTS, CELLS, origin, beside=beside(*used, **more))


def column(table: Table, name: str) -> np.ndarray:
    return table.values[:, table.names.index(name)]


# ---------------------------------------------------------------- since when each was known
def test_every_feature_says_since_when_it_was_known() -> None:
    about = seen("calendar", "layers", "columns", "usual weather", "forecast weather").about("month")
    known = about.set_index("feature")["known_at"]
    assert known["count, last 12 months"] == "2018-06-01"
    assert known["rented"] == "2014-01-01"
    assert known["usual weather: temperature"] == known["forecast weather: rain"] == "2018-06-01"
    assert known["metres to the nearest pub"] == "2012-06-01"


def test_nothing_but_a_newer_layer_is_known_later_than_the_origin() -> None:
    table = seen("calendar", "layers", "columns", "usual weather", "forecast weather")
    late = {c.name for c in table.columns if c.known is not None and c.known > step_of(JUNE, "month")}
    assert late == {"metres to the nearest station", "within 500 m: station"}


def test_layers_newer_than_the_origin_are_listed() -> None:
    assert newer(PoissonRidge(beside=beside("layers")).inputs, JUNE) == [
        "layer station (2021), used for June 2018"
    ]


def test_a_column_that_nobody_dates_is_listed_too() -> None:
    method = PoissonRidge(beside=beside("columns", columns={"rented": ""}))
    assert newer(method.inputs, JUNE) == ["column rented, used for June 2018"]
    assert seen("columns", columns={"rented": ""}).about("month")["known_at"].iloc[-1] == "no date"


def test_the_groups_are_those_that_importance_tells_apart() -> None:
    groups = set(seen("calendar", "layers", "columns", "usual weather", "exposure").groups)
    assert {"calendar", "layers", "what is there", "weather", "exposure", "own history"} <= groups


# ---------------------------------------------------------------- what they are
def test_the_calendar_of_june_2022() -> None:
    table = features(INCIDENTS, CELLS, "2022-06-01", beside=beside("calendar"))
    assert column(table, "bank holidays")[0] == 2
    assert column(table, "June")[0] == 1
    assert column(table, "days in the period")[0] == 30
    assert 7 < column(table, "hours of darkness")[0] < 8


def test_a_week_has_the_share_of_its_days_in_each_month() -> None:
    history = History.of(INCIDENTS.known_at(JUNE), CELLS, end=JUNE, step="month")
    from peelian.predict.calendar_features import calendar_columns

    by_day = History(CELLS, history.counts, 0, step_of(JUNE, "day"), "day", history.events)
    start = step_of(pd.Timestamp("2018-06-28"), "day")
    found = {
        name: values[0] for name, _, values, _ in calendar_columns(("month",), by_day, start, start + 7, 51)
    }
    assert [round(found[name], 3) for name in ("June", "July", "May")] == [0.429, 0.571, 0]


def test_metres_and_density_of_a_layer() -> None:
    table = seen("layers")
    at = CELLS.index.get_loc(CELLS.locate(gpd.GeoSeries([Point(520_200, 170_200)], crs=CELLS.crs))[0])
    assert column(table, "metres to the nearest pub")[at] == pytest.approx(0, abs=1e-6)
    assert column(table, "within 500 m: pub")[at] == pytest.approx(1)
    assert column(table, "metres to the nearest pub")[at + 1] == pytest.approx(400)
    assert column(table, "within 500 m: pub")[at + 1] == pytest.approx(1 - 0.8**2)


def test_what_had_not_opened_yet_is_not_there() -> None:
    before, after = (seen("layers", origin=day) for day in ("2018-06-01", "2018-08-01"))
    assert column(before, "within 500 m: pub").sum() < column(after, "within 500 m: pub").sum()


def test_a_cell_takes_the_value_of_the_area_round_its_centre() -> None:
    values = pd.Series(column(seen("columns"), "rented"), CELLS.index)
    west = CELLS.points.x < 521_000
    assert set(values[west]) == {10.0}
    assert set(values[~west]) == {40.0}


def test_the_usual_weather_is_that_of_earlier_years() -> None:
    junes = WEATHER[(WEATHER.index.month == 6) & (WEATHER.index.year < 2018)]["tmean"].mean()
    found = column(seen("usual weather"), "usual weather: temperature")[0] - 50
    assert found == pytest.approx(junes, abs=1e-5)
    later = WEATHER.copy()
    later.loc[pd.Period("2018-06", "M"), "tmean"] = 40.0
    again = column(seen("usual weather", weather=later), "usual weather: temperature")[0] - 50
    assert again == pytest.approx(junes, abs=1e-5)


def test_of_forecasts_the_last_one_issued_before_the_origin_is_taken() -> None:
    assert column(seen("forecast weather"), "forecast weather: temperature")[0] - 50 == pytest.approx(15)


def test_without_a_forecast_issued_in_time_it_says_so() -> None:
    with pytest.raises(DesignError, match="Of the forecast weather of 01 July 2018 to 31 July 2018 nothing"):
        seen("forecast weather", origin="2018-07-01")


# ---------------------------------------------------------------- what is refused
def test_the_weather_of_the_period_itself_is_refused_under_any_other_name() -> None:
    with pytest.raises(DesignError, match="only a row named 'perfect weather"):
        PoissonRidge(beside=beside(), use=("observed weather",))
    with pytest.raises(ValueError, match="pattern"):
        FeatureTable(weather="observed")


def test_perfect_weather_has_its_name_in_its_row_and_is_caught_as_a_leak() -> None:
    method = PoissonRidge(beside=beside(PERFECT), origins=14)
    assert method.words.endswith("with perfect weather (not available in practice)")
    found = leakage(method, INCIDENTS, CELLS, origin=JUNE)
    assert found.fired
    assert "weather of the period itself saw months to December 2018" in found.sentence


def test_the_outcome_as_a_column_is_caught_by_name_or_by_date() -> None:
    with pytest.raises(DesignError, match="imd_crime seems to count crime"):
        beside("columns", columns={"imd_crime": "2015-09"})
    planted = PoissonRidge(beside=beside("columns", columns={"rented": "2018-12"}), origins=14)
    assert leakage(planted, INCIDENTS, CELLS, origin=JUNE).fired


def test_a_layer_of_police_activity_is_refused_without_a_reason() -> None:
    stops = Layers.of([Layer("stops", PUBS, kind="police-activity")])
    with pytest.raises(DesignError, match="follows police, not risk"):
        beside_of(FeatureTable(layers=("all",)), Holdings(stops), areas=AREAS, weather=None)


def test_what_the_project_does_not_hold_is_said() -> None:
    with pytest.raises(DesignError, match="'usual weather', and the project gives none"):
        beside_of(FeatureTable(weather="usual"), None, areas=AREAS, weather=None)
    with pytest.raises(DesignError, match="names the column 'tenure', and the places have none"):
        beside_of(FeatureTable(columns={"tenure": ""}), None, areas=AREAS, weather=None)
    with pytest.raises(DesignError, match="the project gives nothing besides incidents"):
        method_named("ridge(use='calendar')")


# ---------------------------------------------------------------- what methods do with them
def test_a_method_says_in_words_what_it_uses_and_may_use_less() -> None:
    everything = beside("calendar", "layers")
    assert method_named("ridge", beside=everything).words.endswith("with calendar, layers")  # type: ignore[attr-defined]
    bare = method_named("ridge(use=())", beside=everything)
    assert "with" not in bare.words  # type: ignore[attr-defined]


def test_the_calendar_is_worth_something_where_there_is_a_season() -> None:
    history = History.of(INCIDENTS.known_at(JUNE), CELLS, end=JUNE)
    found = {one.group: one for one in importance(PoissonRidge(beside=beside("calendar")), history, 1)}
    assert found["calendar"].shuffled > 0.01


def test_trees_take_no_exposure_and_learn_from_the_rest() -> None:
    method = Boosted(beside=beside("layers", "exposure"))
    assert method.used == ("layers",)
    with pytest.raises(DesignError, match="Boosted trees take no exposure"):
        Boosted(beside=beside(), use=("exposure",))


def test_with_an_exposure_the_rate_is_per_unit_of_it() -> None:
    method = PoissonRidge(beside=beside("exposure"), origins=14)
    history = History.of(INCIDENTS.known_at(JUNE), CELLS, end=JUNE)
    rows = method.training(history, 1, 0)
    rate = method.learn(rows, 0.01)
    at, own = rows.groups.index("exposure"), [g in ("own history", "time of year") for g in rows.groups]
    twice = rows.values.copy()
    twice[:, at] *= 2
    twice[:, own] *= 2
    assert rate(twice) == pytest.approx(2 * rate(rows.values), rel=1e-4)


# ---------------------------------------------------------------- homes and other buildings
def split() -> Split:
    months = pd.period_range("2016-01", "2018-05", freq="M")
    after = months >= pd.Period("2017-04", "M")
    homes = pd.DataFrame([np.where(after, 90, 60), np.where(after, 30, 10)], ["W1", "W2"], months)
    return Split(homes, homes * 0 + 100, "ward", "published counts", (pd.Period("2017-04", "M"),))


def test_the_share_of_homes_starts_anew_after_a_change_of_recording() -> None:
    shares, (first, last) = split().shares(JUNE)
    assert (str(first), str(last)) == ("2017-04", "2018-05")
    assert shares["W1"] == pytest.approx((14 * 90 + 20 * 0.6) / (1400 + 20))
    soon, (first, _) = split().shares(pd.Timestamp("2018-01-01"))
    assert str(first) == "2016-01"
    assert soon["W1"] < shares["W1"]


def test_a_home_among_shops_stands_for_more_burglaries_than_its_own() -> None:
    plain, told = (
        pd.Series(column(seen("exposure", **more), "exposure"), CELLS.index)
        for more in ({}, {"split": split()})
    )
    west, east = CELLS.index[0], CELLS.index[-1]
    assert plain[east] / plain[west] == pytest.approx(3)
    assert told[east] / told[west] > 6


def test_a_missing_split_is_said_and_one_that_is_there_is_told() -> None:
    assert "their split is missing" in exposure_words(beside("exposure"), "burglaries", JUNE)
    said = exposure_words(beside("exposure", split=split()), "burglaries", JUNE)
    assert "April 2017 to May 2018: from 30 to 90 % in 2 areas" in said
    assert exposure_words(beside("calendar"), "burglaries", JUNE) == ""


# ---------------------------------------------------------------- when it was fitted
def test_refit_says_how_often_and_every_score_has_its_date() -> None:
    tested = backtest(
        {"ridge": PoissonRidge(origins=14)}, INCIDENTS, CELLS, origins=8, refit=4, seed=1
    )  # fmt: skip
    rows = tested.by_origin[tested.by_origin["method"] == "ridge"]
    assert rows["fitted"].nunique() in (2, 3)
    assert (rows["fitted"] <= rows["origin"]).all()
    assert (rows["origin"] - rows["fitted"]).max() < pd.Timedelta(124, "D")
    assert tested.by_origin.loc[tested.by_origin["method"] == "counts(12)", "fitted"].isna().all()
    assert tested.pooled.set_index("method").loc["ridge", "fits"] == rows["fitted"].nunique()


# ---------------------------------------------------------------- the stage
def test_the_stage_lists_what_is_newer_and_writes_since_when_each_was_known() -> None:
    asked = Parameters(
        methods=("ridge(origins=14)",), origins=4, grids="one",
        features=FeatureTable(layers=("all",), calendar=("month", "darkness"), exposure="homes"),
    )  # fmt: skip
    outcome = run(
        INCIDENTS, CELLS, AREAS, asked, seed=1, crime="burglary", holdings=Holdings(LAYERS)
    )  # fmt: skip
    text = " ".join(getattr(block, "text", "") for block in outcome.section.blocks)
    assert "layer station (2021), used for September 2018" in text
    assert "their split is missing" in text
    assert {"calendar", "layers", "exposure"} <= set(outcome.files["features.csv"]["group"])
