"""An evaluation of two files, without a project folder, and its parts."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from peelian.chapters.alone import evaluate_files
from peelian.cli import main
from peelian.errors import DataError, DesignError
from peelian.evaluate.parts import PARTS
from tests.evaluate_world import world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world with -40 % planted, written as the files that an analyst would have."""
    out = tmp_path_factory.mktemp("alone")
    panel, plan, places = world(2, side=16, effect=0.6, treated=20, mean=6, months=60, chosen_on=None)
    panel.frame[["count"]].reset_index().to_csv(out / "panel.csv", index=False)
    treated = plan.treated
    pd.DataFrame(
        {
            "place": treated.index, "arm": "treated", "start": treated["start"].astype(str),
            "kits": 80, "households": 100, "selected_on": "2013-01..2013-12",
        }
    ).to_csv(out / "programme.csv", index=False)  # fmt: skip
    places.frame.rename_axis("code").reset_index().to_file(out / "areas.gpkg")
    return out


@pytest.fixture(scope="module")
def made(folder: Path) -> Path:
    """The evaluation written to a folder by the command."""
    out = folder / "out"
    files = ["--panel", "panel.csv", "--programme", "programme.csv", "--places", "areas.gpkg"]
    arguments = [str(folder / a) if not a.startswith("--") else a for a in files]
    done = CliRunner().invoke(main, ["evaluate", *arguments, "--out", str(out), "--crime", "burglary"])
    assert done.exit_code == 0, done.output
    assert "Treated areas had" in done.output
    return out


def changed(folder: Path, rows: pd.DataFrame, name: str) -> Path:
    rows.to_csv(folder / name, index=False)
    return folder / name


def test_the_files_of_an_evaluation_and_its_page_are_written(made: Path) -> None:
    held = json.loads((made / "assessment.json").read_text())
    assert held["headline"]["estimate"] == pytest.approx(0.6, abs=0.1)
    assert held["rings"]
    assert "<html" in (made / "report.html").read_text()
    assert set(json.loads((made / "stage.json").read_text())["inputs"]) == {
        "panel.csv", "programme.csv", "areas.gpkg",
    }  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_every_part_starts_with_the_verdict_and_the_guards_that_fired(made: Path, part: str) -> None:
    held = json.loads((made / "parts.json").read_text())[part]
    assert held["says"][0].startswith("Verdict: ")
    assert "Guards that fired: " in held["says"][0]
    assert held["rows"] or len(held["says"]) > 1


def test_one_part_is_printed_and_an_unknown_one_is_refused(folder: Path, made: Path) -> None:
    files = ["--panel", str(folder / "panel.csv"), "--programme", str(folder / "programme.csv")]
    run = ["evaluate", *files, "--out", str(made)]
    one = CliRunner().invoke(main, [*run, "--only", "its", "--json"])
    assert "step at 2015-01" in json.loads(one.output)["rows"][0]["name"]
    assert "compare, did, events" in CliRunner().invoke(main, [*run, "--only", "magic"]).output


def test_without_shapes_there_are_no_rings_and_guard_g9_says_so(folder: Path) -> None:
    told = evaluate_files(folder / "panel.csv", folder / "programme.csv")
    held = told.files["assessment.json"]
    (g9,) = [c for c in held["checks"] if c["id"] == "G9"]
    assert held["rings"] == []
    assert g9["sentence"].startswith("No shapes of places were given")


def test_gaps_are_refused_unless_the_force_says_they_are_none(folder: Path) -> None:
    rows = pd.read_csv(folder / "panel.csv").drop(index=[5, 6])
    path = changed(folder, rows, "gaps.csv")
    with pytest.raises(DataError, match=r"lacks 2 area-months \(first a0000 2012-06\)"):
        evaluate_files(path, folder / "programme.csv")
    told = evaluate_files(path, folder / "programme.csv", gaps_are_zero=True)
    assert "2 area-months that it lacks taken as none, as told" in told.sources[0][1]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("count", "-3", r"1 values of count are no number of 0 or above \(first a0000 2012-01: '-3'\)"),
        ("count", "three", r"first a0000 2012-01: 'three'"),
        ("count", "", r"1 values of count are no number"),
        ("month", "March 2012", r"1 months are not written like 2016-03; first 'March 2012'"),
        ("month", "2012-02", r"1 area-months stand twice, first a0000 2012-02"),
    ],
)
def test_a_panel_that_is_wrong_is_refused_with_the_place(
    folder: Path, column: str, value: str, message: str
) -> None:
    rows = pd.read_csv(folder / "panel.csv", dtype=str)
    rows.loc[0, column] = value
    with pytest.raises(DataError, match=message):
        evaluate_files(changed(folder, rows, "wrong.csv"), folder / "programme.csv")


def test_a_column_or_a_file_that_is_not_there_is_named(folder: Path) -> None:
    rows = pd.read_csv(folder / "panel.csv").rename(columns={"count": "n"})
    with pytest.raises(DataError, match="has no column count; it has"):
        evaluate_files(changed(folder, rows, "renamed.csv"), folder / "programme.csv")
    with pytest.raises(DataError, match=r"nowhere\.csv: there is no such file"):
        evaluate_files(folder / "nowhere.csv", folder / "programme.csv")


def test_a_programme_of_other_areas_or_of_all_areas_is_refused(folder: Path) -> None:
    plan = pd.read_csv(folder / "programme.csv")
    other = changed(folder, plan.assign(place="E01000001"), "other.csv")
    with pytest.raises(DataError, match=r"not in the panel: E01000001"):
        evaluate_files(folder / "panel.csv", changed(folder, plan[:1].assign(place="E01000001"), "one.csv"))
    every = pd.read_csv(folder / "panel.csv")["place"].unique()
    whole = pd.DataFrame({"place": every, "arm": "treated", "start": "2015-01"})
    with pytest.raises(DesignError, match="All 256 areas are treated"):
        evaluate_files(folder / "panel.csv", changed(folder, whole, "whole.csv"))
    with pytest.raises(DataError, match="E01000001"):
        evaluate_files(folder / "panel.csv", other)


def test_the_command_says_what_goes_together(folder: Path) -> None:
    alone = CliRunner().invoke(main, ["evaluate", "--panel", str(folder / "panel.csv")])
    assert "--panel needs --programme FILE and --out DIR too" in alone.output
    without = CliRunner().invoke(main, ["evaluate", "--out", str(folder / "x")])
    assert "only with --panel" in without.output
