"""Real weather and real bank holidays. Expected numbers are those of the READMEs of ../shared/data."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from peelian.figures import bank_holidays
from peelian.read.weather import weather


@pytest.fixture(scope="module")
def data(shared: Path) -> Path:
    return shared / "data"


def test_heathrow_by_day(data: Path) -> None:
    found = weather(data / "uk" / "weather_london" / "noaa_ghcnd_UKM00003772_heathrow_2010_2019.csv")
    held = found.frame
    assert (len(held), int(held["temperature_mean"].notna().sum())) == (3_652, 3_621)
    assert int(held["rain"].notna().sum()) == 3_621 - 30
    assert len(found.refused) == 0


def test_heathrow_by_month(data: Path) -> None:
    found = weather(data / "uk" / "weather_london" / "metoffice_heathrow_monthly.txt")
    assert (len(found.frame), str(found.frame.index[-1]), len(found.refused)) == (923, "2024-11", 0)


def test_two_services_agree_on_the_temperature_of_a_month(data: Path) -> None:
    folder = data / "uk" / "weather_london"
    days = weather(folder / "noaa_ghcnd_UKM00003772_heathrow_2010_2019.csv").monthly().frame
    months = weather(folder / "metoffice_heathrow_monthly.txt").frame
    # the mean of all hours against half of maximum and minimum: half a degree apart, and one month of another
    apart = (days["temperature_mean"] - months["temperature_mean"]).dropna()
    assert apart.abs().median() < 0.5
    assert days["temperature_mean"].corr(months["temperature_mean"]) > 0.99


def test_an_open_meteo_extract_under_other_names(data: Path) -> None:
    found = weather(
        data / "uk" / "weather_london" / "openmeteo_london_daily_2022.csv",
        columns={
            "day": "date", "temperature_mean": "temp_mean", "temperature_min": "temp_min",
            "temperature_max": "temp_max", "rain": "precip_mm", "humidity": "humidity_mean",
        },
    )  # fmt: skip
    assert (len(found.frame), len(found.gaps)) == (366, 0)


def test_chicago_in_fahrenheit_and_inches(data: Path) -> None:
    found = weather(
        data / "world" / "chicago_layers" / "ohare_daily_weather_2013_2019.csv",
        columns={
            "day": "date",
            "temperature_max": "tmax_f",
            "temperature_min": "tmin_f",
            "rain": "precip_in",
        },
        units={"temperature_max": "F", "temperature_min": "F", "rain": "inch"},
    )
    assert (len(found.frame), len(found.gaps)) == (2_403, 0)
    assert found.frame["temperature_max"].max() == pytest.approx(36.1, abs=0.05)  # 97 degrees Fahrenheit


def test_assaults_go_with_the_heat_as_published(data: Path) -> None:
    found = weather(
        data / "world" / "chicago_layers" / "ohare_daily_weather_2013_2019.csv",
        columns={"day": "date", "temperature_max": "tmax_f"}, units={"temperature_max": "F"},
    )  # fmt: skip
    crimes = next((data / "world" / "chicago_assault_2010_2019").glob("*.csv*"))
    frame = pd.read_csv(crimes)
    stamp = next(name for name in frame if "date" in name.lower())
    days = pd.PeriodIndex(pd.to_datetime(frame[stamp]), freq="D")
    counts = pd.Series(1, days).groupby(level=0).sum().reindex(found.frame.index, fill_value=0)
    # README of chicago_layers: r = 0.608 over 2,403 days
    assert counts.corr(found.frame["temperature_max"]) == pytest.approx(0.608, abs=0.001)


def test_bank_holidays_are_those_the_government_publishes(data: Path) -> None:
    text = (data / "uk" / "reference" / "uk_bank_holidays_2012_2028.json").read_text("utf-8")
    published = {event["date"] for event in json.loads(text)["england-and-wales"]["events"]}
    assert set(bank_holidays().index.strftime("%Y-%m-%d")) == published
