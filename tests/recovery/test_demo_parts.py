"""Parts of the demo: one part of predict at a time from the command line, and its share cards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from peelian.cli import main


def said(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(main, ["predict", str(folder), *words, "--json"])
    return done.exit_code, json.loads(done.output.splitlines()[0])


def test_missions_count_kilometres_of_the_demo_s_streets(demo: tuple[Path, Any, Any]) -> None:
    before = (demo[0] / "predict" / "stage.json").read_bytes()
    code, told = said(demo[0], "--only", "missions")
    assert code == 0
    assert (demo[0] / "predict" / "stage.json").read_bytes() == before  # the whole run stays as it was
    assert told["missions"]["missions"] == 23  # one a ward
    made = Path(told["folder"])
    assert {"page.html", "missions.gpx", "missions.csv"} <= {path.name for path in made.iterdir()}
    assert "km of street" in told["findings"][1]


def test_the_whole_chapter_holds_missions_and_audit(demo: tuple[Path, Any, Any]) -> None:
    page = (demo[0] / "report" / "report.html").read_text("utf-8")
    assert "Who is chosen: of the 10" in page
    assert "The mission with most expected" in page
    assert (demo[0] / "predict" / "audit_exposure.csv").is_file()


def test_a_part_that_the_project_has_no_input_for_says_so(demo: tuple[Path, Any, Any]) -> None:
    code, told = said(demo[0], "--only", "weather")
    assert (code, told["error"]) == (12, "DesignError")
    assert "Add a [weather] table" in told["message"]


def test_a_card_of_the_simulated_borough_says_that_it_is_simulated(demo: tuple[Path, Any, Any]) -> None:
    words = (demo[0] / "account" / "cards" / "all-areas.txt").read_text(encoding="utf-8")
    assert "a simulation; no real place, no real crime" in words
    assert "data.police.uk" not in words
