"""A plan of patrol becomes missions: its visits in the riskiest cells of its areas, with files to carry."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from peelian import tasks
from peelian.loop import run
from tests.public_project import write_project

PATROL = """
[predict]
methods = []
origins = 2
grids = "one"
fitted_to = "2018-06"
horizon = "week"

[predict.audit]
on = false

[predict.missions]
days = 2

[plan]
patrol = 150
visit = 15
patrol_fall = [0.1]
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("patrol")
    write_project(folder)
    settings = folder / "peelian.toml"
    settings.write_text(settings.read_text("utf-8").replace("cell = 250", "cell = 500") + PATROL, "utf-8")
    run(folder, until="plan")
    return folder


def test_the_plan_s_visits_are_stops_in_its_areas_and_a_tenth_is_drawn(planned: Path) -> None:
    visits = pd.read_csv(planned / "plan" / "patrol.csv")
    stops = pd.read_csv(planned / "plan" / "missions.csv")
    assert visits["visits"].sum() == 10
    one = stops[stops["mission"] == stops["mission"].iloc[0]]
    assert one["kind"].value_counts().to_dict() == {"planned": 9, "explore": 1}
    assert one["minutes"].sum() == 150


def test_there_is_a_mission_a_day_and_a_file_for_every_device(planned: Path) -> None:
    assert pd.read_csv(planned / "plan" / "missions.csv")["day"].nunique() == 2
    assert {"missions.gpx", "missions.kml", "missions.geojson", "missions.gpkg"} <= {
        path.name for path in (planned / "plan").iterdir()
    }


def test_nothing_runs_again_when_nothing_has_changed(planned: Path) -> None:
    assert not run(planned, until="plan").changed


def test_missions_alone_take_the_visits_of_the_last_plan(planned: Path) -> None:
    said = tasks.predict_part(planned, only="missions")
    assert said["missions"]["planned"] == said["missions"]["missions"] * 9
