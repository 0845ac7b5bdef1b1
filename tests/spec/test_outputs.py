"""Outputs: written aside and swapped in, and what is said of why a stage must run again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.errors import DataError, Error
from peelian.outputs import Hashes, Made, locked, plain, read_record, restore, why_stale, write_stage


def stage(folder: Path, made: Made, **files: object) -> None:
    write_stage(folder, {"a.csv": pd.DataFrame({"x": [1]}), **files}, {"made": made.as_json()})


def test_a_stage_that_has_not_run_says_so(tmp_path: Path) -> None:
    assert why_stale(tmp_path / "read", Made()) == ["it has not run yet"]


def test_a_stage_is_fresh_while_nothing_changed(tmp_path: Path) -> None:
    made = Made(inputs={"x": "1"}, parameters={"plan": {"kits": 3, "months": (1, 2)}}, seed=1)
    stage(tmp_path / "plan", made)
    assert why_stale(tmp_path / "plan", made) == []


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (Made(inputs={"x": "2"}, parameters={"plan": {"kits": 3}}), "input x is changed"),
        (Made(inputs={"x": "1", "y": "1"}, parameters={"plan": {"kits": 3}}), "input y is new"),
        (Made(parameters={"plan": {"kits": 3}}), "input x is gone"),
        (Made(inputs={"x": "1"}, parameters={"plan": {"kits": 4}}), "[plan] kits was 3, now 4"),
        (Made(inputs={"x": "1"}, parameters={"plan": {"kits": 3}}, seed=2), "seed was 0, now 2"),
        (Made(inputs={"x": "1"}, parameters={"plan": {"kits": 3}}, code="b"), "the code changed"),
        (
            Made(inputs={"x": "1"}, parameters={"plan": {"kits": 3}}, libraries={"numpy": "3"}),
            "numpy was None, now 3",
        ),
        (
            Made(inputs={"x": "1"}, parameters={"plan": {"kits": 3}}, upstream={"read": "f"}),
            "what read made is different",
        ),
    ],
)
def test_what_changed_is_said_in_words(tmp_path: Path, now: Made, says: str) -> None:
    stage(tmp_path / "plan", Made(inputs={"x": "1"}, parameters={"plan": {"kits": 3}}))
    assert why_stale(tmp_path / "plan", now) == [says]


def test_an_output_that_was_edited_or_removed_is_noticed(tmp_path: Path) -> None:
    stage(tmp_path / "plan", Made(), **{"b.csv": pd.DataFrame({"x": [1]})})
    (tmp_path / "plan" / "a.csv").write_text("edited")
    (tmp_path / "plan" / "b.csv").unlink()
    assert why_stale(tmp_path / "plan", Made()) == ["its output a.csv was edited", "its output b.csv is gone"]


def test_the_same_content_gives_the_same_record(tmp_path: Path) -> None:
    for name in ("one", "two"):
        stage(
            tmp_path / name,
            Made(),
            **{"b.json": {"n": np.float64(0.1)}, "c.parquet": pd.DataFrame({"x": [1.5]})},
        )
    assert read_record(tmp_path / "one") == read_record(tmp_path / "two")


def test_a_writer_that_fails_leaves_the_last_good_outputs(tmp_path: Path) -> None:
    stage(tmp_path / "plan", Made(seed=1))
    with pytest.raises(Error, match="no writer for this kind"):
        stage(tmp_path / "plan", Made(seed=2), **{"b.xyz": 3})
    assert why_stale(tmp_path / "plan", Made(seed=1)) == []


def test_a_run_killed_between_its_two_renames_is_put_right(tmp_path: Path) -> None:
    stage(tmp_path / "plan", Made(seed=1))
    (tmp_path / "plan").rename(tmp_path / ".plan.old")
    (tmp_path / ".plan.new").mkdir()
    restore(tmp_path / "plan")
    assert why_stale(tmp_path / "plan", Made(seed=1)) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan"]


def test_a_record_that_was_cut_short_counts_as_none(tmp_path: Path) -> None:
    stage(tmp_path / "plan", Made())
    (tmp_path / "plan" / "stage.json").write_text('{"made": ')
    assert why_stale(tmp_path / "plan", Made()) == ["it has not run yet"]


def test_a_large_input_is_hashed_once_and_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("a")
    hashes = Hashes(tmp_path / "hashes.json")
    first = hashes.of(path)
    hashes.save()
    again = Hashes(tmp_path / "hashes.json")
    assert again.held[str(path)][2] == first
    path.write_text("bb")
    assert again.of(path) != first


def test_an_input_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        Hashes(tmp_path / "h.json").of(tmp_path / "none.csv")


def test_a_second_run_in_the_same_folder_is_told_to_wait(tmp_path: Path) -> None:
    with (
        locked(tmp_path / ".peelian"),
        pytest.raises(Error, match="Another run"),
        locked(tmp_path / ".peelian"),
    ):
        pass


def test_values_that_json_lacks_are_made_plain() -> None:
    values = {
        "n": np.int64(3),
        "x": float("nan"),
        "m": pd.Period("2016-05", "M"),
        "a": np.array([1.0, np.inf]),
    }
    assert json.loads(json.dumps(plain(values))) == {"n": 3, "x": None, "m": "2016-05", "a": [1.0, None]}
