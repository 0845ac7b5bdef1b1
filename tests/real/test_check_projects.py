"""``peelian check`` on each small dataset of ../shared/data: no row lost, and the faults its README names are found.

Data: ../shared/data; licences, rows and known faults stand in the READMEs there. The large ones are measured in
docs/explanation/reading.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from peelian import tasks
from peelian.errors import DataError
from tests.read_projects import SMALL, Case, write


@pytest.mark.parametrize("case", SMALL, ids=lambda case: Path(case.file).name)
def test_a_dataset_is_judged_as_its_readme_says(shared: Path, tmp_path: Path, case: Case) -> None:
    judged = tasks.check(write(case, shared / "data", tmp_path))
    accepted, refused = case.rows
    found = {row["check"]: row["sentence"] for row in judged["checks"]}
    assert found["rows"].startswith(
        f"{accepted + refused:,} rows were read: {accepted:,} accepted and {refused:,} refused"
    )
    for check, words in case.said.items():
        assert words in found[check], check


def test_the_six_tables_in_one_file_of_night_time_workers_are_refused(shared: Path, tmp_path: Path) -> None:
    case = SMALL[3]
    shapes = ("uk/boundaries_london/london_msoa_2011.gpkg", "MSOA11CD")
    night = str(shared / "data/uk/context_london/gla-night-time-economy-msoa.csv")
    folder = write(
        Case(
            case.file, "Burglary", (*shapes, {"profile": night, "profile_id": "MSOA_CODE"}), (0, 0), {},
            reader="police_uk",
        ),
        shared / "data",
        tmp_path,
    )  # fmt: skip
    with pytest.raises(DataError, match=r"column MSOA_CODE does not tell the areas apart: E02000001"):
        tasks.check(folder)
