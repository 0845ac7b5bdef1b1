"""Project: peelian.toml checked, and each slip named with its line and its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from peelian.errors import DataError, Error
from peelian.project import Project

GOOD = '[project]\nname = "A"\ncrime = ["Burglary"]\n'


def project(folder: Path, text: str) -> Project:
    (folder / "peelian.toml").write_text(text, encoding="utf-8")
    return Project.load(folder)


def test_the_crime_in_words_is_its_type_in_lower_case(tmp_path: Path) -> None:
    assert project(tmp_path, GOOD).outcome == "burglary"


def test_a_stage_may_have_a_seed_of_its_own(tmp_path: Path) -> None:
    held = project(tmp_path, GOOD + "seed = 7\n[explain]\nseed = 8\n")
    assert (held.seed("predict"), held.seed("explain")) == (7, 8)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[project\n", "is not valid TOML"),
        ('[places]\nfile = "x"\n', r"has no \[project\] table"),
        ('[project]\nname = "A"\n', r"\[project\] lacks the key 'crime'"),
        (GOOD + "colour = 1\n", r"line 4, \[project\] has no key 'colour'"),
        (GOOD + "sed = 1\n", "Did you mean 'seed'"),
        (GOOD + "[evalute]\n", r"line 4, there is no table \[evalute\]. Did you mean 'evaluate'"),
        (GOOD + "seed = -1\n", r"line 4, \[project\] seed is -1"),
        (GOOD + 'marking = "SECRET"\n', "marking is 'SECRET'"),
    ],
)
def test_a_slip_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        project(tmp_path, text)


def test_a_folder_without_settings_says_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(Error, match="Make one with: peelian new"):
        Project.load(tmp_path)


def test_a_file_that_is_not_there_says_who_names_it(tmp_path: Path) -> None:
    held = project(tmp_path, GOOD + '[deliver]\ndeliveries = "none.csv"\n')
    with pytest.raises(
        DataError, match=r"line 5, \[deliver\] deliveries names none.csv, but there is no such file"
    ):
        held.existing("none.csv", table="deliver", key="deliveries")


def test_a_stage_seed_that_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\[plan\] seed is 'x'"):
        project(tmp_path, GOOD + '[plan]\nseed = "x"\n').seed("plan")
