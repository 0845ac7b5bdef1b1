"""The command line: it prints, with an exit code of its own for each kind of mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from peelian.cli import main


def told(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    answer = CliRunner().invoke(main, list(words))
    return answer.exit_code, answer.stdout, answer.stderr


def test_help_names_the_commands_in_the_order_of_the_loop() -> None:
    _, out, _ = told("--help")
    names = [line.split()[0] for line in out.split("Commands:")[1].strip().splitlines()]
    assert names == [
        "demo", "new", "check", "run", "read", "read", "explain", "predict", "plan", "deliver", "evaluate", "account", "figures",
    ]  # fmt: skip


def test_a_folder_that_is_no_project_is_exit_10_with_a_remedy(tmp_path: Path) -> None:
    code, out, err = told("run", str(tmp_path))
    assert (code, out) == (10, "")
    assert err.startswith("Error: ")
    assert "Make one with: peelian new" in err


def test_a_wrong_file_is_exit_11(tmp_path: Path) -> None:
    (tmp_path / "peelian.toml").write_text("[project\n")
    code, _, err = told("run", str(tmp_path))
    assert code == 11
    assert err.startswith("DataError: ")


def test_a_mistyped_command_is_exit_2() -> None:
    assert told("evalute")[0] == 2


def test_a_new_project_is_made_once_and_never_over_another(tmp_path: Path) -> None:
    code, out, _ = told("new", str(tmp_path / "p"))
    assert code == 0
    assert "peelian.toml" in out
    code, _, err = told("new", str(tmp_path / "p"))
    assert code == 10
    assert "nothing was changed" in err


def test_a_new_project_says_what_it_lacks_when_it_is_checked(tmp_path: Path) -> None:
    told("new", str(tmp_path / "p"))
    code, _, err = told("check", str(tmp_path / "p"))
    assert code == 11
    assert "areas.gpkg" in err


def test_figures_are_printed_for_machines_with_their_sources() -> None:
    code, out, _ = told("figures", "--json")
    rows = json.loads(out)
    assert code == 0
    assert all(row["source"] for row in rows)


@pytest.mark.parametrize("flag", ["--weak", "--expired"])
def test_figures_can_be_narrowed(flag: str) -> None:
    every, some = (json.loads(told("figures", "--json", *more)[1]) for more in ((), (flag,)))
    assert len(some) <= len(every)
    assert [row["name"] for row in some] == [row["name"] for row in every if row in some]


def test_a_mapping_is_proposed_shown_and_saved(tmp_path: Path) -> None:
    (tmp_path / "theft.csv").write_text("date,offence\n2016-05-07,Theft\n2016-05-08,Theft\n", "utf-8")
    code, out, _ = told("read", "map", str(tmp_path / "theft.csv"), "--out", str(tmp_path / "ours.toml"))
    assert code == 0
    assert "theft.csv: 2 rows." in out
    assert 'start = "date"' in (tmp_path / "ours.toml").read_text("utf-8")


def test_a_profile_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "theft.csv").write_text("date,offence\n2016-05-07,Theft\n2016-05-08,Theft\n", "utf-8")
    (tmp_path / "ours.toml").write_text("", "utf-8")
    code, _, err = told("read", "map", str(tmp_path / "theft.csv"), "--out", str(tmp_path / "ours.toml"))
    assert (code, "is there already" in err) == (11, True)


def test_a_mapping_is_told_in_json(tmp_path: Path) -> None:
    (tmp_path / "theft.csv").write_text("date,offence\n2016-05-07,Theft\n2016-05-08,Theft\n", "utf-8")
    _, out, _ = told("read", "map", str(tmp_path / "theft.csv"), "--json")
    assert json.loads(out)["mapping"] == {"start": "date", "type": "offence"}


def test_a_folder_called_map_is_read_as_one_by_its_path(tmp_path: Path) -> None:
    code, _, err = told("read", str(tmp_path / "map"))
    assert (code, "no project" in err) == (10, True)
