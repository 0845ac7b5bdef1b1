"""From a plan to its frozen evaluation, and from there to ``as registered``: a small project, end to end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from shapely import box

from peelian import loop, tasks
from peelian.cli import main
from peelian.errors import DataError, DesignError
from peelian.protocol import verify

SIDE, WHEN = 9, datetime(2015, 12, 14, 9, 0, tzinfo=UTC)
PROJECT = """
[project]
name = "Kits"
crime = ["Burglary"]

[places]
file = "areas.gpkg"
id = "code"
households = "households"
cell = 500

[[incidents]]
reader = "table"
file = "crime.csv"
type = "Burglary"
mapping = {{ start = "date", easting = "x", northing = "y" }}
crs = 27700
dates = "iso"
precision = "month"

[predict]
fitted_to = "{fitted}"
methods = ["counts"]
origins = 3
grids = "one"

[plan]
rehearsals = 0
kits = 1100
{plan}

[evaluate]
permutations = 99
rings = [250, 500]
{evaluate}

[programme]
{programme}
"""


def crimes(last: str) -> pd.DataFrame:
    """Drawn burglaries on a grid of areas, more in the middle; the same rows whatever the last month."""
    months = pd.period_range("2011-01", "2016-12", freq="M")
    rng = np.random.default_rng(4)
    i, j = np.divmod(np.arange(SIDE**2), SIDE)
    rate = 1.2 + 2.5 * np.exp(-((i - 4) ** 2 + (j - 4) ** 2) / 6)
    rows = []
    for month in months:
        count = rng.poisson(rate)
        rows.append(
            pd.DataFrame(
                {
                    "date": str(month) + "-01",
                    "x": np.repeat(500_000 + 500 * i + 250, count),
                    "y": np.repeat(200_000 + 500 * j + 250, count),
                }
            )
        )
    table = pd.concat(rows, ignore_index=True)
    return table[table["date"] <= last]


def write(
    folder: Path, *, last: str = "2015-12-31", fitted: str = "2014-12", plan: str = 'start = "2016-01"',
    evaluate: str = "", programme: str = "",
) -> Path:  # fmt: skip
    folder.mkdir(exist_ok=True)
    i, j = np.divmod(np.arange(SIDE**2), SIDE)
    shapes = [
        box(500_000 + 500 * a, 200_000 + 500 * b, 500_500 + 500 * a, 200_500 + 500 * b)
        for a, b in zip(i, j, strict=True)
    ]
    frame = gpd.GeoDataFrame(
        {"code": [f"E{n:04d}" for n in range(SIDE**2)], "households": 300}, geometry=shapes, crs="EPSG:27700"
    )
    if not (folder / "areas.gpkg").exists():
        frame.to_file(folder / "areas.gpkg")
    crimes(last).to_csv(folder / "crime.csv", index=False)
    text = PROJECT.format(fitted=fitted, plan=plan, evaluate=evaluate, programme=programme)
    (folder / "peelian.toml").write_text(text, encoding="utf-8")
    return folder


def evaluated(folder: Path, **keys: str) -> dict:
    """The assessment a year later, of the areas that the plan chose."""
    (folder / "programme.csv").write_bytes((folder / "plan" / "programme.csv").read_bytes())
    keys = {"last": "2016-12-31", "programme": 'areas = "programme.csv"'} | keys
    write(folder, **keys)
    loop.run(folder, until="evaluate")
    return json.loads((folder / "evaluate" / "assessment.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose evaluation was frozen before the start."""
    folder = write(tmp_path_factory.mktemp("frozen") / "kits")
    tasks.freeze_plan(folder, author="Analyst", at=WHEN)
    return folder


def test_the_frozen_file_names_plan_and_risk_by_hash(frozen: Path) -> None:
    held = verify((frozen / "protocol.toml").read_text(encoding="utf-8")).plan
    plan = json.loads((frozen / "plan" / "plan.json").read_text(encoding="utf-8"))
    assert held["hashes"]["plan"] == plan["hash"]
    assert len(held["hashes"]["risk"]) == 64


def test_frozen_and_verified_is_unchanged(frozen: Path) -> None:
    assert tasks.verify_plan(frozen)["words"].startswith(
        "Unchanged since it was frozen: 2015-12-14T09:00:00Z"
    )


def test_the_chapter_prints_the_hash(frozen: Path) -> None:
    loop.run(frozen, until="plan")
    sha256 = verify((frozen / "protocol.toml").read_text(encoding="utf-8")).sha256
    assert sha256 in (frozen / "plan" / "section.json").read_text(encoding="utf-8")


def test_a_second_freeze_is_refused_without_a_reason(frozen: Path) -> None:
    with pytest.raises(DesignError, match=r"a plan is frozen already .* this plan is the same"):
        tasks.freeze_plan(frozen, author="Analyst", at=WHEN)


def test_the_evaluation_is_as_registered(frozen: Path) -> None:
    found = evaluated(frozen, evaluate='protocol = "protocol.toml"')
    assert found["protocol"]["state"] == "as registered"
    guard = {check["id"]: check for check in found["checks"]}
    assert guard["G1"]["sentence"] == "A clean year lies between choice and start."
    assert "As registered" in guard["G7"]["sentence"]


def test_what_was_done_otherwise_is_listed(frozen: Path) -> None:
    found = evaluated(frozen, evaluate='protocol = "protocol.toml"\nmonths_after = 6')
    assert found["protocol"]["state"] == "with deviations"
    assert [d["field"] for d in found["protocol"]["deviations"]] == ["months_after"]


def test_another_plan_is_told_from_the_frozen_one(frozen: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "other", plan='start = "2016-01"\nmust_not = ["E0040"]')
    (folder / "protocol.toml").write_bytes((frozen / "protocol.toml").read_bytes())
    loop.run(folder, until="plan")
    with pytest.raises(DesignError, match="No longer in it: E0040"):
        tasks.verify_plan(folder)
    text = (folder / "plan" / "section.json").read_text(encoding="utf-8")
    assert "This plan is not the one whose evaluation was frozen" in text
    made = tasks.freeze_plan(folder, author="B", at=WHEN, amend="A school was built there.")
    again = verify(Path(made["file"]).read_text(encoding="utf-8")).plan
    assert "treated" in again["changed"]
    assert (folder / f"protocol-{again['amends'][:12]}.toml").is_file()


def test_a_plan_edited_by_hand_is_refused(frozen: Path, tmp_path: Path) -> None:
    folder = tmp_path / "edited"
    (folder / "plan").mkdir(parents=True)
    for name in ("protocol.toml", "peelian.toml", "plan/plan.json", "plan/protocol.toml"):
        (folder / name).write_bytes((frozen / name).read_bytes())
    path = folder / "plan" / "plan.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"kits": 255', '"kits": 256', 1), "utf-8")
    with pytest.raises(DesignError, match="is not the plan that was frozen"):
        tasks.verify_plan(folder)


def test_a_changed_protocol_stops_the_run(frozen: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "changed")
    text = (frozen / "protocol.toml").read_text(encoding="utf-8")
    (folder / "protocol.toml").write_text(text.replace("months_after = 12", "months_after = 6"), "utf-8")
    with pytest.raises(DataError, match="changed after it was frozen"):
        tasks.verify_plan(folder)


# ------------------------------------------------------------------- one part
@pytest.mark.parametrize(
    ("part", "sentence", "table", "file"),
    [
        ("allocate", "kits bring 4 of 81 areas", "plan_edge", "areas.csv"),
        ("expect", "the plan may prevent", "plan_uncertainty", "decision.md"),
        ("power", "a clean baseline", "plan_placebo", None),
        ("protocol", "was frozen on 14 December 2015", None, "protocol.toml"),
    ],
)
def test_one_part_is_told_with_its_tables_and_files(
    frozen: Path, part: str, sentence: str, table: str | None, file: str | None
) -> None:
    told = CliRunner().invoke(main, ["plan", str(frozen), "--only", part, "--json", "--seed", "7"])
    said = json.loads(told.stdout)
    assert sentence in said["words"]
    assert table is None or len(said["tables"][table]["data"]) > 0
    assert file is None or file in {Path(name).name for name in said["files"]}


def test_a_part_that_nobody_asked_for_says_so(frozen: Path) -> None:
    told = CliRunner().invoke(main, ["plan", str(frozen), "--only", "signs", "--seed", "7"])
    assert told.stdout.strip() == "[plan] asks nothing of signs."


# ------------------------------------------------------------------- refused on the command line
def test_a_start_in_the_past_ends_with_exit_code_12(frozen: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "past")
    told = CliRunner().invoke(main, ["plan", str(folder), "--freeze", "--author", "Analyst"])
    assert told.exit_code == 12
    assert "The programme starts in 2016-01 and it is" in told.stderr
    assert not (folder / "protocol.toml").exists()
    late = CliRunner().invoke(main, ["plan", str(folder), "--freeze", "--author", "Analyst", "--late"])
    assert late.exit_code == 0
    assert "late" in verify((folder / "protocol.toml").read_text(encoding="utf-8")).plan


def test_a_plan_that_overlaps_its_baseline_is_refused_and_where_asked_for_flagged(tmp_path: Path) -> None:
    folder = write(tmp_path / "overlap", fitted="2015-11")
    told = CliRunner().invoke(main, ["plan", str(folder), "--freeze", "--author", "Analyst"])
    assert told.exit_code == 12
    assert "the months chosen on are also compared with" in told.stderr
    asked = {"fitted": "2015-11", "plan": 'start = "2016-01"\ngap_months = 0'}
    write(folder, **asked)
    tasks.freeze_plan(folder, author="Analyst", at=WHEN)
    found = evaluated(folder, evaluate='protocol = "protocol.toml"', **asked)
    guard = {check["id"]: check for check in found["checks"]}
    assert guard["G1"]["fired"]
    assert found["protocol"]["plan"]["overlap"].startswith("asked for: 1 whole month between")
