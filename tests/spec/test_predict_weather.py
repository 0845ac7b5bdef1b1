"""Weather earns its place only by what is known beforehand, and only where it tells something."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from peelian.errors import DesignError
from peelian.predict.weather import KNOWN, PERFECT, YESTERDAY, WeatherTest, weather_test

DAYS = pd.period_range("2015-01-01", "2018-12-31", freq="D")


def weather(seed: int = 1) -> pd.DataFrame:
    """Temperature with a season and spells that last; rain without either."""
    rng = np.random.default_rng(seed)
    season = 10 - 9 * np.cos(2 * np.pi * np.asarray(DAYS.day_of_year) / 365.25)
    spell = np.zeros(len(DAYS))
    for day in range(1, len(DAYS)):
        spell[day] = 0.8 * spell[day - 1] + rng.normal(0, 2)
    return pd.DataFrame({"tmean": season + spell, "rain": rng.gamma(0.3, 6, len(DAYS))}, DAYS)


def totals(effect: float, seed: int = 2) -> pd.Series:
    spell = weather()["tmean"] - weather()["tmean"].mean()
    return pd.Series(np.random.default_rng(seed).poisson(40 * np.exp(effect * spell)), DAYS).astype(float)


def row(found: WeatherTest, adds: str, source: str) -> pd.Series:
    return found.rows.set_index(["adds", "weather"]).loc[(adds, source)]


def test_crime_that_follows_the_weather_keeps_what_is_known_of_it() -> None:
    found = weather_test(totals(0.05), weather())
    assert "temperature" in found.kept
    assert row(found, "temperature", YESTERDAY)["kept"]
    assert "the map's total is of a week or a month, and this was tested a day ahead" in found.sentence(
        "thefts"
    )
    assert (
        row(found, "temperature", PERFECT)["difference"]
        < row(found, "temperature", YESTERDAY)["difference"]
        < 0
    )


def test_perfect_weather_is_shown_and_never_kept() -> None:
    found = weather_test(totals(0.05), weather())
    assert row(found, "temperature", PERFECT)["p"] < 0.001
    assert not row(found, "temperature", PERFECT)["kept"]


def test_crime_that_does_not_is_told_so_and_where_is_never_claimed() -> None:
    found = weather_test(totals(0.0), weather())
    assert found.kept == ()
    said = found.sentence("burglaries")
    assert said.startswith("Weather and calendar are not used: on ")
    assert "citywide level, not where" in said
    assert "nobody does" in said


def test_the_weather_of_the_day_itself_and_later_changes_no_forecast_that_may_be_used() -> None:
    whole = weather_test(totals(0.05), weather())
    later = weather()
    last = DAYS[-1]
    later.loc[last, ["tmean", "rain"]] = [40.0, 90.0]
    again = weather_test(totals(0.05), later)
    for source in (KNOWN, YESTERDAY):
        assert (
            row(whole, "temperature", source)["log_score"] == row(again, "temperature", source)["log_score"]
        )
    assert row(whole, "temperature", PERFECT)["log_score"] != row(again, "temperature", PERFECT)["log_score"]


def test_a_day_off_is_known_beforehand_and_stands_the_same_test() -> None:
    frame = weather().assign(day_off=(np.arange(len(DAYS)) % 5 == 0).astype(float))
    counts = totals(0.0) * np.where(frame["day_off"] > 0, 2, 1)
    found = weather_test(counts, frame, calendar={"days off": ("day_off",)})
    assert "days off" in found.kept


def test_a_series_that_is_too_short_is_refused() -> None:
    with pytest.raises(DesignError, match="and 100 are needed after 730 to learn from"):
        weather_test(totals(0.0).iloc[:700], weather())
