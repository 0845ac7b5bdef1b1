"""``[predict.features]`` from peelian.toml to the chapter: layers, columns, calendar, weather forecasts, a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.chapters import forecast
from peelian.chapters.context import Context
from peelian.errors import DataError, DesignError
from peelian.loop import inputs_of, run
from peelian.project import Project
from peelian.report import Outcome
from tests.public_project import write_project

ASKED = """
[[layers]]
reader = "features"
file = "pubs.csv"
category = "kind"
date = "2021"

[weather]
file = "weather.csv"
layout = "table"
columns = { day = "date", temperature_mean = "t", rain = "r" }
latitude = 51.5

[predict]
methods = ["ridge(origins=12)", "ridge(origins=12, use=('forecast weather',))"]
origins = 3
grids = "one"
refit = 2
level = "seasonal"

[predict.audit]
on = false

[predict.features]
layers = ["pub"]
columns = { homes = "2011-03" }
calendar = ["month", "bank_holidays", "darkness"]
weather = "forecast"
forecasts = "forecasts.csv"
exposure = "households"
split = "split.csv"
split_by = "ward"
"""


def write(folder: Path, asked: str = ASKED) -> None:
    write_project(folder)
    rng = np.random.default_rng(1)
    pubs = pd.DataFrame(
        {
            "kind": "pub",
            "easting": 520_000 + rng.integers(0, 4000, 30),
            "northing": 180_000 + rng.integers(0, 7000, 30),
        }
    )
    pubs.to_csv(folder / "pubs.csv", index=False)
    days = pd.date_range("2014-01-01", "2018-12-31", freq="D")
    pd.DataFrame({"date": days, "t": 10 - 8 * np.cos(2 * np.pi * days.day_of_year / 365), "r": 1.0}).to_csv(
        folder / "weather.csv", index=False
    )
    months = pd.date_range("2015-01-01", "2019-01-01", freq="MS")
    pd.DataFrame(
        {
            "issued": months - pd.Timedelta(2, "D"),
            "date": months + pd.Timedelta(3, "D"),
            "tmean": 9.0,
            "rain": 2.0,
        }
    ).to_csv(folder / "forecasts.csv", index=False)
    rows = [
        {"WardCode": ward, "MajorText": "BURGLARY", "MinorText": minor}
        | {f"{month:%Y%m}": count for month in pd.period_range("2014-01", "2018-12", freq="M")}
        for ward, minor, count in (
            ("West Ward", "DOMESTIC BURGLARY", 30), ("West Ward", "BURGLARY BUSINESS AND COMMUNITY", 10),
            ("East Ward", "DOMESTIC BURGLARY", 10), ("East Ward", "BURGLARY BUSINESS AND COMMUNITY", 30),
        )
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "split.csv", index=False)
    settings = folder / "peelian.toml"
    text = settings.read_text("utf-8").replace("cell = 250", "cell = 500") + asked
    settings.write_text(text, "utf-8")


def predict(folder: Path) -> Outcome:
    """The stage on what ``read`` left."""
    return forecast.predict(Context(Project.load(folder)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    write(folder)
    run(folder, until="read")
    return folder


@pytest.fixture(scope="module")
def outcome(folder: Path) -> Outcome:
    return predict(folder)


def chapter(outcome: Outcome) -> str:
    return " ".join(getattr(block, "text", "") for block in outcome.section.blocks)


def test_the_file_of_features_has_every_kind_with_its_date(outcome: Outcome) -> None:
    held = outcome.files["features.csv"].set_index("feature")
    assert {"layers", "what is there", "calendar", "weather", "exposure"} <= set(held["group"])
    assert held.at["metres to the nearest pub", "known_at"] == "2022-01-01"
    assert held.at["homes", "known_at"] == "2011-04-01"


def test_the_chapter_lists_what_is_newer_and_says_what_the_exposure_is(outcome: Outcome) -> None:
    text = chapter(outcome)
    assert "layer pub (2021), used for October 2018" in text
    assert (
        "It is divided by the share of homes among burglaries (split.csv, April 2017 to December 2018" in text
    )


def test_the_chapter_says_what_the_level_is_and_why(outcome: Outcome) -> None:
    text = chapter(outcome)
    assert 'level = "seasonal" was asked for and is not used' in text
    assert "Recording changed in April 2017" in text


def test_every_score_has_the_date_of_its_fit(outcome: Outcome) -> None:
    rows = outcome.files["backtest_origins.csv"]
    ridge = rows[rows["method"] == "ridge(origins=12)"]
    assert ridge["fitted"].nunique() == 2
    assert (ridge["fitted"] <= ridge["origin"]).all()
    table = next(
        block for block in outcome.section.blocks if getattr(block, "name", "") == "predict_log_scores"
    )
    assert table.frame["fitted"].str.contains(r"1 \w+ 2018, 2 fits").sum() == 2  # type: ignore[union-attr]


def test_another_forecast_or_split_makes_the_stage_run_again(folder: Path) -> None:
    assert {"forecasts.csv", "split.csv"} <= set(inputs_of(Project.load(folder), "predict"))


def test_a_forecast_file_without_its_columns_is_refused(folder: Path) -> None:
    path = folder / "forecasts.csv"
    held = path.read_text("utf-8")
    path.write_text("when,tmean\n2018-01-01,3\n", "utf-8")
    with pytest.raises(DataError, match="need the columns issued, date, and tmean or rain; there are when"):
        predict(folder)
    path.write_text(held, "utf-8")


def test_a_column_that_the_places_lack_is_refused(folder: Path) -> None:
    settings = folder / "peelian.toml"
    held = settings.read_text("utf-8")
    settings.write_text(held.replace('split_by = "ward"', 'split_by = "wards"'), "utf-8")
    with pytest.raises(DesignError, match="names the column 'wards', and the places have none"):
        predict(folder)
    settings.write_text(held, "utf-8")
