"""peelian account as it is typed: one part, other formats, another day, a release; and peelian verify."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from peelian.cli import main


@pytest.fixture(scope="module")
def project(public: tuple[Path, Any]) -> Iterator[Path]:
    folder, _ = public
    yield folder
    shutil.rmtree(folder / "releases", ignore_errors=True)


def told(*words: str) -> tuple[int, str, str]:
    answer = CliRunner().invoke(main, list(words))
    return answer.exit_code, answer.stdout, answer.stderr


def test_one_part_shows_its_tables_and_names_its_files(project: Path) -> None:
    code, out, _ = told("account", str(project), "--only", "records")
    assert code == 0
    assert "0 of 8 records of governance may be published" in out
    assert str(project / "account" / "records" / "atrs.json") in out
    assert "costs.csv" not in out


def test_a_part_that_is_not_held_says_why(project: Path) -> None:
    _, out, _ = told("account", str(project), "--only", "case")
    assert "Not held: no plan of a next programme is held: [plan] gives no kits." in out


def test_the_chapter_is_written_in_the_formats_asked_for(project: Path) -> None:
    _, out, _ = told("account", str(project), "--format", "html, xlsx,ods")
    written = [line.removeprefix("Wrote ") for line in out.splitlines() if line.startswith("Wrote")]
    assert [Path(path).name for path in written] == ["report.html", "report.xlsx", "report.ods"]
    assert all(Path(path).is_file() for path in written)


def test_an_unknown_format_is_exit_11(project: Path) -> None:
    code, _, err = told("account", str(project), "--format", "rtf")
    assert code == 11
    assert "There is no format 'rtf'" in err


def test_another_day_holds_for_this_run_alone(project: Path) -> None:
    told("account", str(project), "--as-of", "2017-06-30")
    assert json.loads((project / "account" / "foi.json").read_text("utf-8"))["as_of"] == "2017-06-30"
    told("account", str(project))
    assert json.loads((project / "account" / "foi.json").read_text("utf-8"))["as_of"] == "2018-12-31"


def test_questions_of_ones_own_are_answered(project: Path, tmp_path: Path) -> None:
    bank = tmp_path / "bank.toml"
    bank.write_text(
        'title = "One question"\n[[question]]\nnumber = 1\ntext = "What does a kit cost?"\n'
        '[[question.part]]\nanswer = "planned_cost"\nwhat = "the price planned"\n'
        'because = "no price is held"\nholder = "procurement"\n',
        encoding="utf-8",
    )
    _, out, _ = told("account", str(project), "--only", "foi", "--bank", str(bank))
    assert "£12.50 per kit was planned." in out
    told("account", str(project))


def test_a_release_is_recorded_once_and_stands_beside_later_tables(project: Path) -> None:
    code, out, _ = told("account", str(project), "--release", "spring")
    assert code == 0
    assert "Recorded as published today: spring-burglary-by-area-and-twelve-months" in out
    log = json.loads((project / "releases" / "releases.json").read_text("utf-8"))
    assert {entry["measure"] for entry in log} >= {"burglary"}
    _, out, _ = told("account", str(project), "--only", "protect")
    assert f"set beside {len(log)} published before" in out


def test_verify_says_what_was_edited_and_ends_with_11(project: Path) -> None:
    told("run", str(project))
    assert told("verify", str(project))[0] == 0
    path = project / "account" / "costs.csv"
    kept = path.read_bytes()
    path.write_bytes(kept + b"x")
    code, out, _ = told("verify", str(project))
    assert code == 11
    assert "1 changed: account/costs.csv" in out
    path.write_bytes(kept)


def test_verify_without_a_record_is_exit_11(project: Path, tmp_path: Path) -> None:
    (tmp_path / "peelian.toml").write_bytes((project / "peelian.toml").read_bytes())
    code, _, err = told("verify", str(tmp_path))
    assert code == 11
    assert "there is no record of provenance" in err
