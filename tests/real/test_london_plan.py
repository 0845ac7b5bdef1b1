"""examples/london_plan, to the plan, on real London: the numbers of docs/tutorials/london-plan.md."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peelian import loop
from peelian.protocol import read_draft

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """The example run as far as its plan, on a copy of its folder with the paths to the data made absolute.

    Burglaries after 2015 and before 2012 are left out, the forecast is tried on three months and one grid, the
    choice is within 0.3 % of the best instead of 0.1 %, draws are fewer and lists are not printed: half of the
    work, for numbers that differ by less than is asserted here.
    """
    made = tmp_path_factory.mktemp("london") / "london_plan"
    made.mkdir()
    for name in ("peelian.toml", "teams.csv"):
        shutil.copy(ROOT / "examples" / "london_plan" / name, made)
    file = made / "peelian.toml"
    crimes = "data/uk/met_burglary/met_burglary_2010-12_2021-12.parquet"
    months = [("month", ">=", "2012-01"), ("month", "<=", "2015-12")]
    pd.read_parquet(shared / crimes, filters=months).to_parquet(made / "crimes.parquet")
    text = file.read_text(encoding="utf-8").replace(f"../../../shared/{crimes}", "crimes.parquet")
    text = text.replace("../../../shared", shared.as_posix())
    text = text.replace('methods = ["counts"]', 'methods = ["counts"]\norigins = 3\ngrids = "one"')
    text = text.replace(
        "kits = 440_000\nstart",
        "mip_gap = 0.003\ndraws = 500\nrehearsals = 200\nlists = []\nkits = 440_000\nstart",
    )
    assert text.count("origins") == text.count("mip_gap") == 1
    file.write_text(text, encoding="utf-8")
    loop.run(made, until="plan")
    return made


@pytest.fixture(scope="module")
def plan(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "plan" / "plan.json").read_text(encoding="utf-8"))


def test_the_risk_ends_a_clean_year_before_the_start(plan) -> None:
    assert (plan["fitted_on"][1], plan["start"], plan["clean_months"]) == ("2014-12", "2016-01", 12)


def test_kits_and_pounds_are_those_of_the_decision(plan) -> None:
    used = sum(area["kits"] for area in plan["areas"])
    assert 439_000 < used <= 440_000
    assert plan["solver"]["cost"] == pytest.approx(used * 5_600_000 / 440_000)


def test_no_team_brings_out_more_than_its_officers(folder: Path) -> None:
    work = pd.read_csv(folder / "plan" / "schedule.csv")
    by_team = work.groupby("team")["kits"].sum()
    assert len(by_team) == 12
    assert by_team.max() <= 36_667
    assert work["month"].max() <= "2020-12"


def test_the_city_of_london_is_left_to_its_own_police(folder: Path) -> None:
    areas = pd.read_csv(folder / "plan" / "areas.csv")
    assert not areas["name"].str.startswith("City of London").any()


def test_the_promise_lies_above_what_may_be_expected(plan) -> None:
    assert plan["expected"]["high"] < plan["promise"]["prevented"] == 7_652


def test_pounds_for_each_are_given_with_their_interval(plan) -> None:
    middle, low, high = plan["expected"]["pounds_each"]
    assert low < middle < high
    assert 1_500 < middle < 3_500


def test_the_plan_prevents_more_than_other_uses_of_its_kits(folder: Path) -> None:
    blocks = json.loads((folder / "plan" / "section.json").read_text(encoding="utf-8"))["blocks"]
    held = next(b for b in blocks if b.get("name") == "plan_comparison")["frame"]
    table = pd.DataFrame(held["data"], columns=held["columns"]).set_index("plan")
    assert (table["less_low"].drop("this plan") > 0).all()
    assert set(table.index) == {"this plan", "highest count first", "spread over all homes"}


def test_areas_chosen_like_this_fell_with_no_programme_and_hardly_after_a_clean_year(plan) -> None:
    """Section 1.1 of the specification: -13 to -23 % by count; by kit and on fewer areas somewhat more."""
    assert -0.35 < plan["placebo"]["same_year"] < -0.1
    assert abs(plan["placebo"]["clean_year"]) < 0.06


def test_the_smallest_visible_fall_is_told(plan) -> None:
    assert 0.02 < plan["mde"] < 0.06


def test_the_draft_of_the_evaluation_has_every_chosen_area(folder: Path, plan) -> None:
    draft = read_draft((folder / "plan" / "protocol.toml").read_text(encoding="utf-8"))
    assert draft["treated"] == sorted(area["place"] for area in plan["areas"])
    assert draft["hashes"]["plan"] == plan["hash"]
