"""A project that reads a part of a store: by force, type, month and area, as it would read the files themselves."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner
from shapely import box

from peelian import cli, tasks
from peelian.chapters import Context
from peelian.errors import DataError
from peelian.loop import run
from peelian.project import Project

HEAD = "Crime ID,Month,Reported by,Longitude,Latitude,LSOA code,Crime type\n"
POINT = "-0.5700,51.2400"


def line(id: str, month: str, force: str, code: str, type: str) -> str:
    return f"{id},{month},{force},{POINT},{code},{type}\n"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    source = tmp_path / "archive"
    source.mkdir()
    for month in ("2023-01", "2023-02"):
        rows = [line(f"s{month}{k}", month, "Surrey Police", "E01000001", "Burglary") for k in range(30)]
        rows += [
            line(f"r{month}", month, "Surrey Police", "E01000002", "Robbery"),
            "x,,Surrey Police,,,,Drugs\n",
        ]
        (source / f"{month}-surrey-street.csv").write_text(HEAD + "".join(rows))
        (source / f"{month}-kent-street.csv").write_text(
            HEAD + line(f"k{month}", month, "Kent Police", "E01000009", "Burglary")
        )
    tasks.read_store(source, tmp_path / "store")
    return tmp_path / "store"


def project(folder: Path, keys: str) -> Path:
    areas = gpd.GeoDataFrame(
        {"code": ["E01000001", "E01000002"]},
        geometry=[box(490_000, 140_000, 510_000, 160_000), box(510_000, 140_000, 520_000, 160_000)],
        crs=27700,
    )
    areas.to_file(folder / "areas.gpkg")
    (folder / "peelian.toml").write_text(
        '[project]\nname = "Surrey"\ncrime = ["Burglary"]\n[places]\nfile = "areas.gpkg"\nid = "code"\ncell = 1000\n'
        f'[[incidents]]\nreader = "store"\nfile = "store"\n{keys}\n'
    )
    return folder


@pytest.mark.parametrize(
    ("keys", "rows", "burglaries"),
    [
        ("", 66, 62),
        ('forces = ["surrey-police"]', 64, 60),
        ('forces = ["surrey-police"]\ntypes = ["Burglary"]', 62, 60),
        ('forces = ["surrey-police"]\nfirst = "2023-02"', 32, 30),
        ('last = "2023-01"\nforces = ["kent-police"]', 1, 1),
        ('areas = "places"', 64, 60),
        ('areas = ["E01000009"]', 4, 2),
    ],
)
def test_a_part_of_the_store_is_read(store: Path, keys: str, rows: int, burglaries: int) -> None:
    judged = tasks.check(project(store.parent, keys))
    assert judged["findings"][0].startswith(f"{rows} rows were read from ")
    assert judged["findings"][1].startswith(f"{burglaries} of them are burglary")


def test_accepted_and_refused_of_the_chosen_files_are_told(store: Path) -> None:
    folder = project(store.parent, 'forces = ["surrey-police"]')
    checks = {row["check"]: row["sentence"] for row in tasks.check(folder)["checks"]}
    assert checks["rows"] == "64 rows were read: 62 accepted and 2 refused (no month: 2)."


def test_stages_work_from_a_store(store: Path) -> None:
    folder = project(store.parent, 'forces = ["surrey-police"]')
    done = run(folder, until="read")
    assert done.steps[0].summary["crime"] == 60
    assert len(Context(Project.load(folder)).incidents) == 60


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('forces = ["sussex-police"]', "holds no force sussex-police; it holds kent-police, surrey-police"),
        ('first = "January"', "first is 'January': String should match pattern"),
        ('dates = "dmy"', 'dates belongs to reader = "table", not "store"'),
        ('kind = "streets"', "kind is 'streets'"),
        ('first = "2030-01"', "no part of the store is of these forces and months"),
        (
            'types = ["Arson"]',
            "no row of these forces and months is of these types and areas. It holds kent-police, surrey-police, 2023-01",
        ),
    ],
)
def test_a_wrong_choice_is_told(store: Path, keys: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        tasks.check(project(store.parent, keys))


def test_store_keys_of_another_reader_are_told(store: Path) -> None:
    folder = project(store.parent, 'forces = ["kent-police"]')
    text = (folder / "peelian.toml").read_text().replace('reader = "store"\n', "")
    (folder / "peelian.toml").write_text(text)
    with pytest.raises(DataError, match='forces belongs to reader = "store", not "police_uk"'):
        tasks.check(folder)


def test_the_command_says_what_the_store_holds(store: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(cli.main, ["read", "store", str(tmp_path / "archive"), str(store)])
    assert said.exit_code == 0
    words = " ".join(said.output.split())
    assert (
        "holds 66 rows of 4 files: 64 accepted and 2 refused with their reason; 2 forces, 2023-01 to 2023-02."
        in words
    )
    assert 'reader = "store", file = "store"' in words


def test_counts_of_a_store_are_an_extract_again(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "counts.csv"
    said = CliRunner().invoke(cli.main, ["read", "counts", str(store), str(out), "--type", "Burglary"])
    assert said.exit_code == 0, said.output
    assert "62 crimes in 2 areas are 4 counts above zero" in " ".join(said.output.split())
    folder = project(tmp_path, "").joinpath("peelian.toml")
    folder.write_text(folder.read_text().replace('"store"\nfile = "store"', '"counts"\nfile = "counts.csv"'))
    assert tasks.check(tmp_path)["findings"][1].startswith(
        "62 of them are burglary, January 2023 to February 2023"
    )


def test_counts_by_point_are_of_the_areas_that_are_named(store: Path, tmp_path: Path) -> None:
    project(tmp_path, "")
    told = tasks.read_counts(store, tmp_path / "a.csv", areas=tmp_path / "areas.gpkg", id="code")
    assert (told["crimes"], told["without_area"]) == (64, 0)


@pytest.fixture
def three_areas(tmp_path: Path) -> Path:
    """A store with counts of three areas over two months, one of them small."""
    source, counts = tmp_path / "small", {"a": (3, 12), "b": (20, 30), "c": (25, 9)}
    source.mkdir()
    for at, month in enumerate(("2023-01", "2023-02")):
        rows = [
            line(f"{code}{month}{k}", month, "Kent Police", code, "Burglary")
            for code, held in counts.items()
            for k in range(held[at])
        ]
        (source / f"{month}-kent-street.csv").write_text(HEAD + "".join(rows))
    tasks.read_store(source, tmp_path / "held")
    return tmp_path / "held"


def test_counts_that_leave_withhold_small_ones_and_what_would_give_them_back(three_areas: Path) -> None:
    out = three_areas.parent / "public.csv"
    said = CliRunner().invoke(
        cli.main, ["read", "counts", str(three_areas), str(out), "--audience", "public"]
    )
    assert said.exit_code == 0, said.output
    table = pd.read_csv(out, index_col="place", dtype=str)
    assert table.loc["a"].tolist() == ["c", "c", "15"]
    assert table.loc["c"].tolist() == ["c", "c", "34"]  # without it, its totals would give a's count back
    assert table.loc["all"].tolist() == ["48", "51", "99"]
    assert "For the audience public: 4 of 6 counts are withheld." in " ".join(said.output.split())


def test_counts_that_leave_are_refused_in_words(three_areas: Path) -> None:
    project(three_areas.parent, "")
    given = {"areas": three_areas.parent / "areas.gpkg", "id": "code", "audience": "research"}
    with pytest.raises(DataError, match="--larger ward: names no column of the areas; the areas have code"):
        tasks.read_counts(three_areas, three_areas.parent / "b.csv", larger="ward", **given)
    with pytest.raises(DataError, match="--areas is not given"):
        tasks.read_counts(three_areas, three_areas.parent / "b.csv", larger="ward", audience="public")
    with pytest.raises(DataError, match="is written as CSV"):
        tasks.read_counts(three_areas, three_areas.parent / "b.parquet", audience="public")
