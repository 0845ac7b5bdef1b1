"""The borough's dirty extract, with every fault that real ones have, goes through with nothing lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peelian import loop
from peelian.incidents import Incidents


@pytest.fixture(scope="module")
def dirty(
    demo: tuple[Path, Any, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A project on the dirty extract, read; and what was planted in it."""
    folder = tmp_path_factory.mktemp("dirty")
    for name in ("areas.gpkg", "dirty.zip", "dirty_truth.json"):
        shutil.copy(demo[0] / name, folder)
    (folder / "peelian.toml").write_text(
        '[project]\nname = "Dirty"\ncrime = ["Burglary"]\n'
        '[places]\nfile = "areas.gpkg"\nid = "LSOA11CD"\nhouseholds = "households"\ncell = 200\n'
        '[[incidents]]\nreader = "police_uk"\nfile = "dirty.zip"\n',
        encoding="utf-8",
    )
    loop.run(folder, until="read")
    return folder, json.loads((folder / "dirty_truth.json").read_text(encoding="utf-8"))


def test_accepted_and_refused_are_the_rows_of_the_files(dirty: tuple[Path, dict[str, Any]]) -> None:
    folder, truth = dirty
    assert Incidents.load(folder / "read").rows_read == truth["rows"]


def test_it_holds_in_every_file(dirty: tuple[Path, dict[str, Any]]) -> None:
    folder, truth = dirty
    held = Incidents.load(folder / "read")
    accepted = held.frame["source"].map(lambda name: name.rsplit("/", 1)[-1]).value_counts()
    refused = held.rejected["file"].map(lambda name: name.rsplit("/", 1)[-1]).value_counts()
    found = accepted.add(refused, fill_value=0).astype(int).to_dict()
    assert found == {name.rsplit("/", 1)[-1]: f["rows"] for name, f in truth["files"].items() if f["rows"]}


def test_every_refused_row_has_its_reason_its_number_and_its_text(dirty: tuple[Path, dict[str, Any]]) -> None:
    refused = Incidents.load(dirty[0] / "read").rejected
    assert len(refused)
    assert refused["reason"].notna().all()
    assert (refused["row"] > 0).all()


def test_a_month_file_with_a_header_and_nothing_else_is_listed(dirty: tuple[Path, dict[str, Any]]) -> None:
    folder, truth = dirty
    files = pd.read_csv(folder / "read" / "files.csv")
    empty = files.loc[files["rows"] == 0, files.columns[0]].tolist()
    assert [month for month in truth["empty_months"] if any(month in name for name in empty)] == truth[
        "empty_months"
    ]
