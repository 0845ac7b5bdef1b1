"""The command line: it prints, with an exit code of its own for each kind of mistake."""

from __future__ import annotations

import json
import re
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
    names = [re.split(r"\s{2,}", line.strip())[0] for line in out.split("Commands:")[1].strip().splitlines()]
    assert names == [
        "demo", "new", "check", "run", "read", "read map", "read store", "read counts", "read carry", "explain",
        "predict", "plan", "deliver", "evaluate", "account", "verify", "download", "figures",
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


def test_figures_are_printed_in_words_with_what_is_not_held() -> None:
    code, out, _ = told("figures")
    assert code == 0
    assert out.splitlines()[0].split() == [
        "Figure",
        "Value",
        "Unit",
        "Prices",
        "From",
        "Quality",
        "Impact",
        "Source",
    ]
    assert "not held" in out


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of four areas and a street archive of two years, made by hand."""
    import zipfile

    import geopandas as gpd
    from shapely import box

    folder = tmp_path_factory.mktemp("small")
    ids = [f"E0100000{i}" for i in range(4)]
    areas = gpd.GeoDataFrame(
        {"LSOA11CD": ids, "households": [100, 120, 90, 80]},
        geometry=[box(500_000 + 400 * i, 200_000, 500_400 + 400 * i, 200_400) for i in range(4)],
        crs="EPSG:27700",
    )
    areas.to_file(folder / "areas.gpkg")
    middle = areas.geometry.centroid.to_crs(4326)
    head = (
        "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
        "Last outcome category,Context\n"
    )
    with zipfile.ZipFile(folder / "street.zip", "w") as archive:
        for year in (2016, 2017):
            for month in range(1, 13):
                name = f"{year}-{month:02d}"
                rows = [
                    f"{name}{i}{j},{name},Made,Made,{middle[i].x:.6f},{middle[i].y:.6f},On or near A Road,{ids[i]},"
                    f"Made {i},Burglary,,\n"
                    for i in range(4)
                    for j in range(i + 1)
                ]
                archive.writestr(f"{name}/{name}-made-street.csv", head + "".join(rows))
    (folder / "peelian.toml").write_text(
        '[project]\nname = "Small"\ncrime = ["Burglary"]\n[places]\nfile = "areas.gpkg"\nid = "LSOA11CD"\n'
        'households = "households"\ncell = 200\n[[incidents]]\nreader = "police_uk"\nfile = "street.zip"\n',
        encoding="utf-8",
    )
    return folder


def test_check_judges_and_changes_nothing(small: Path) -> None:
    before = sorted(small.rglob("*"))
    code, out, _ = told("check", str(small))
    assert code == 0
    assert "240 rows were read from 24 files" in out
    assert sorted(small.rglob("*")) == before


def test_a_project_without_programme_features_or_deliveries_runs_and_says_what_is_not_held(
    small: Path,
) -> None:
    code, out, _ = told("run", str(small), "--json")
    answer = json.loads(out)
    held = {step["stage"]: step["not_held"] for step in answer["stages"]}
    assert code == 0
    assert Path(answer["report"]).is_file()
    assert [stage for stage, why in held.items() if why] == ["explain", "plan", "deliver", "evaluate"]
    assert "Add [[layers]]" in held["explain"]


def test_one_stage_prints_its_own_findings(small: Path) -> None:
    code, out, _ = told("read", str(small))
    assert code == 0
    assert "240 rows were read" in out
    assert "Predict" not in out


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (('id = "LSOA11CD"', 'id = "LSOA21CD"'), 11, "LSOA21CD"),
        (('households = "households"', 'households = "homes"'), 11, "homes"),
        (('crime = ["Burglary"]', 'crime = ["Arson"]'), 11, "No incident is of type Arson"),
        (("cell = 200", "cell = 90000"), 12, "No cell of 90000 m"),
        (("cell = 200", 'cell = 200\nwhere = "inside"'), 11, "inside"),
        (('file = "street.zip"', 'file = "gone.zip"'), 11, "gone.zip"),
    ],
)
def test_a_mistake_in_the_project_has_its_exit_code_and_says_what_is_wrong(
    small: Path, tmp_path: Path, change: tuple[str, str], code: int, says: str
) -> None:
    import shutil

    for name in ("areas.gpkg", "street.zip"):
        shutil.copy(small / name, tmp_path)
    text = (small / "peelian.toml").read_text(encoding="utf-8")
    (tmp_path / "peelian.toml").write_text(text.replace(*change), encoding="utf-8")
    got, _, err = told("run", str(tmp_path))
    assert got == code, err
    assert says in err


def test_a_truncated_archive_is_named_with_a_remedy(small: Path, tmp_path: Path) -> None:
    import shutil

    for name in ("areas.gpkg", "peelian.toml"):
        shutil.copy(small / name, tmp_path)
    whole = (small / "street.zip").read_bytes()
    (tmp_path / "street.zip").write_bytes(whole[: len(whole) // 2])
    code, _, err = told("run", str(tmp_path))
    assert code == 11
    assert "street.zip" in err
    assert "again" in err


def test_a_mistake_is_told_to_machines_too(tmp_path: Path) -> None:
    code, out, _ = told("run", str(tmp_path), "--json")
    assert json.loads(out) == {"error": "Error", "message": json.loads(out)["message"], "exit": code}


def test_a_forecast_is_sealed_once_and_an_edited_ledger_is_found_out(small: Path) -> None:
    told("run", str(small))
    first, again = (
        json.loads(told("predict", str(small), "--ledger", "append", "--json")[1]) for _ in range(2)
    )
    assert first["entries"] == again["entries"] >= 1
    assert told("predict", str(small), "--ledger", "score")[0] == 0
    assert told("predict", str(small), "--ledger", "verify")[0] == 0
    lines = small / "ledger" / "ledger.jsonl"
    lines.write_text(
        lines.read_text(encoding="utf-8")
        .replace('"late": true', '"late": false')
        .replace('"late":true', '"late":false')
    )
    code, out, _ = told("predict", str(small), "--ledger", "verify")
    assert code == 11
    assert "1" in out


def test_nothing_but_our_own_words_goes_to_standard_error(small: Path) -> None:
    """GDAL speaks there of its own accord, for instance of drivers that it was told to leave out."""
    import os
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[2]
    told_there = subprocess.run(
        [sys.executable, "-m", "peelian.cli", "run", "--fresh", str(small)],
        env=os.environ | {"PYTHONPATH": str(root / "src")}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (told_there.returncode, told_there.stderr) == (0, "")
