"""The store: what goes in is there, once, whatever happens; and it says what police_uk says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError
from peelian.places import Places
from peelian.read import blocks
from peelian.read.ingest import ingest
from peelian.read.police_uk import reading
from peelian.read.store import Store

HEAD = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)
GOOD = "a1,2020-01,Surrey Police,Surrey Police,-0.50,51.30,On or near High Street,E01000001,Town 001A,Burglary,Unknown,"
FAULTY = [
    GOOD.replace("Burglary", ""),
    GOOD.replace("2020-01", ""),
    GOOD.replace("2020-01", "Jan 2020"),
    GOOD.replace("-0.50", "51.30", 1).replace("51.30,51.30", "51.30,-0.50"),
    GOOD.replace("-0.50,51.30", "0,0"),
    GOOD.replace("-0.50", "west"),
    GOOD.replace("-0.50", ""),
    GOOD.replace("51.30", "91"),
    GOOD + "one,too,many",
    "too,few",
    "",
    "   ",
    GOOD.replace("On or near High Street", '"On or near ""The Bell"", High Street"'),
    GOOD.replace("On or near High Street", '"On or near'),
    GOOD.replace("Burglary", "  Burglary "),
    GOOD.replace("High Street", "Caf\xe9 Row"),
    GOOD.replace("E01000001", ""),
    GOOD.replace("Surrey Police", "", 1),
]


def write(folder: Path, lines: list[str], *, name: str = "2020-01-surrey-street.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join([HEAD, *lines]).encode("latin-1"))
    return path


def accepted(store: Store) -> pd.DataFrame:
    return pd.DataFrame(store.incidents().frame.to_wkb())


def said(source: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What police_uk reads, in the order of the store: the slow, obvious way."""
    read = reading(source)
    frame = pd.DataFrame(read.incidents.frame.to_wkb()).sort_values(["source", "row"], ignore_index=True)
    return frame, read.incidents.rejected, read.files


def assert_same(store: Store, source: Path) -> None:
    frame, rejected, files = said(source)
    held = accepted(store)
    pd.testing.assert_frame_equal(held, frame[held.columns])
    pd.testing.assert_frame_equal(store.refused, rejected)
    shown = ["rows", "accepted", "refused"]
    assert store.files[shown].sum().tolist() == files[shown].sum().tolist()


@pytest.mark.parametrize("line", FAULTY)
def test_a_faulty_line_is_judged_as_police_uk_judges_it(tmp_path: Path, line: str) -> None:
    source = write(tmp_path, [GOOD, line, GOOD.replace("a1", "a2")])
    assert_same(ingest(source, tmp_path / "store"), source)


def test_all_faults_in_one_file(tmp_path: Path) -> None:
    source = write(tmp_path, [GOOD, *FAULTY, GOOD, *FAULTY])
    assert_same(ingest(source, tmp_path / "store"), source)


def test_a_file_of_many_blocks_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "SIZE", 700)
    monkeypatch.setattr(blocks, "READ", 128)
    source = write(tmp_path, [GOOD, *FAULTY, GOOD.replace("2020-01", "2020-02"), *[GOOD] * 20])
    assert_same(ingest(source, tmp_path / "store"), source)


def test_rows_of_several_forces_and_months_are_parted(tmp_path: Path) -> None:
    lines = [GOOD, GOOD.replace("2020-01", "2020-03"), GOOD.replace("Surrey", "Kent")]
    store = ingest(write(tmp_path, lines, name="all.csv"), tmp_path / "store")
    parts = sorted(
        p.parent.relative_to(tmp_path / "store").as_posix() for p in (tmp_path / "store").rglob("*.parquet")
    )
    assert parts == [
        "street/force=kent-police/month=2020-01",
        "street/force=surrey-police/month=2020-01",
        "street/force=surrey-police/month=2020-03",
    ]
    assert_same(store, tmp_path / "all.csv")


def test_rows_of_another_month_than_the_files_are_refused_where_most_are_of_it(tmp_path: Path) -> None:
    source = write(tmp_path, [GOOD, GOOD, GOOD.replace("2020-01", "2019-12")])
    store = ingest(source, tmp_path / "store")
    assert store.refused["reason"].tolist() == ["month is not that of the file's name"]
    assert_same(store, source)


def test_a_zip_is_streamed_and_other_files_in_it_are_left_alone(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "latest.zip", "w") as archive:
        archive.writestr("2020-01/2020-01-surrey-street.csv", f"{HEAD}\n{GOOD}\n")
        archive.writestr("2020-01/2020-01-surrey-outcomes.csv", "Crime ID,Month,Outcome type\na,2020-01,x\n")
        archive.writestr("read me.txt", "hello")
    store = ingest(tmp_path / "latest.zip", tmp_path / "store")
    assert store.files["kind"].tolist() == ["outcomes, not street crime", "street"]
    assert len(store.incidents()) == 1


def test_a_headless_file_that_calls_itself_street_is_refused_line_by_line(tmp_path: Path) -> None:
    write(tmp_path / "in", [GOOD], name="2020-02-surrey-street.csv")
    (tmp_path / "in" / "2020-01-surrey-street.csv").write_text(f"{GOOD}\n{GOOD}\n")
    store = ingest(tmp_path / "in", tmp_path / "store")
    assert store.refused["row"].tolist() == [0, 1]
    assert store.files[["rows", "accepted", "refused"]].sum().tolist() == [3, 1, 2]


def test_a_folder_without_a_street_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"holds no street file .* x.csv \(no street file: other columns\)"):
        ingest(tmp_path / "in", tmp_path / "store")


# -------------------------------------------------------------------- again, and after a kill
def test_a_file_that_has_not_changed_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path, [GOOD])
    ingest(source, tmp_path / "store")
    monkeypatch.setattr("peelian.read.ingest._read", None)
    assert len(ingest(source, tmp_path / "store").incidents()) == 1


@pytest.mark.parametrize(("again", "rows"), [("keep", 1), ("replace", 2)])
def test_a_month_that_comes_again_with_other_rows_is_counted_once(
    tmp_path: Path, again: str, rows: int
) -> None:
    ingest(write(tmp_path / "one", [GOOD]), tmp_path / "store")
    newer = write(tmp_path / "two", [GOOD, GOOD.replace("a1", "a2")])
    store = ingest(newer, tmp_path / "store", again=again)  # type: ignore[arg-type]
    assert len(store.incidents()) == rows
    assert len(list((tmp_path / "store").rglob("*.parquet"))) == 1


def test_a_month_that_comes_again_with_other_rows_is_named(tmp_path: Path) -> None:
    ingest(write(tmp_path / "one", [GOOD]), tmp_path / "store")
    with pytest.raises(
        DataError, match=r"2020-01-surrey-street.csv is in the store already .* again = .replace"
    ):
        ingest(write(tmp_path / "two", [GOOD, GOOD]), tmp_path / "store")


def test_the_same_month_in_another_place_is_the_same(tmp_path: Path) -> None:
    ingest(write(tmp_path / "one", [GOOD]), tmp_path / "store")
    assert len(ingest(write(tmp_path / "two", [GOOD]), tmp_path / "store").incidents()) == 1


def test_what_a_killed_run_left_is_neither_counted_nor_kept(tmp_path: Path) -> None:
    """Parts are in place but their entry was never written; a file half written lies aside."""
    for k in (1, 2):
        write(tmp_path / "in", [GOOD], name=f"2020-0{k}-surrey-street.csv")
    store = ingest(tmp_path / "in", tmp_path / "store")
    lost = next(e for e in store.entries if e["file"].startswith("2020-02"))
    for path in (store.folder / "files").iterdir():
        if json.loads(path.read_text()) == lost:
            path.unlink()
    orphan = store.folder / lost["parts"][0]["path"]
    shutil.copy(orphan, orphan.with_name("older.parquet"))
    (store.folder / ".aside" / "x").mkdir(parents=True)
    assert store.counts()["count"].sum() == 1
    again = ingest(tmp_path / "in", tmp_path / "store")
    assert again.counts()["count"].sum() == 2
    assert not orphan.with_name("older.parquet").exists()
    assert not (store.folder / ".aside").exists()


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    source = write(tmp_path, [GOOD, *FAULTY, GOOD.replace("2020-01", "2020-02")], name="all.csv")
    one, two = (ingest(source, tmp_path / name).folder for name in ("one", "two"))
    files = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    assert [(one / f).read_bytes() for f in files] == [(two / f).read_bytes() for f in files]


# -------------------------------------------------------------------- counting
LINES = [
    GOOD,
    GOOD.replace("a1", "a2"),
    GOOD.replace("Burglary", "Robbery").replace("-0.50", "-0.40"),
    GOOD.replace("-0.50,51.30", ",").replace("E01000001", ""),
    GOOD.replace("2020-01", "2020-02").replace("E01000001", "E01000002"),
]


@pytest.fixture
def counted(tmp_path: Path) -> Store:
    return ingest(write(tmp_path, LINES, name="all.csv"), tmp_path / "store")


def rows_of(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    return [tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False)]


def test_counts_by_code_month_and_type(counted: Store) -> None:
    assert rows_of(counted.counts()) == [
        ("E01000001", "2020-01", "Burglary", 2),
        ("E01000001", "2020-01", "Robbery", 1),
        ("E01000002", "2020-02", "Burglary", 1),
        (None, "2020-01", "Burglary", 1),
    ]


def test_counts_by_the_place_that_holds_the_point(counted: Store) -> None:
    degrees = gpd.GeoDataFrame(
        index=["west", "east"], geometry=[box(-0.55, 51, -0.45, 52), box(-0.45, 51, 0, 52)], crs=4326
    )
    places = Places.of(degrees.to_crs(27700))
    assert rows_of(counted.counts(by="point", places=places)) == [
        ("east", "2020-01", "Robbery", 1),
        ("west", "2020-01", "Burglary", 2),
        ("west", "2020-02", "Burglary", 1),
        (None, "2020-01", "Burglary", 1),
    ]


def test_counts_of_one_type_and_one_month(counted: Store) -> None:
    found = counted.counts(types=["Burglary"], first="2020-02", last="2020-02")
    assert rows_of(found) == [("E01000002", "2020-02", "Burglary", 1)]


def test_counting_by_point_needs_places(counted: Store) -> None:
    with pytest.raises(DataError, match="needs the places"):
        counted.counts(by="point")


def test_a_part_of_the_store_as_incidents(counted: Store) -> None:
    chosen = counted.incidents(
        types=["Burglary"], areas=["E01000002"], forces=["surrey-police"], first="2020-02"
    )
    assert chosen.frame["start"].dt.strftime("%Y-%m").tolist() == ["2020-02"]
    assert (chosen.precision, chosen.snapped, chosen.published) == ("month", True, True)


def test_an_unknown_force_is_named_with_those_there_are(counted: Store) -> None:
    with pytest.raises(DataError, match="no force kent-police; it holds surrey-police"):
        counted.incidents(forces=["kent-police"])


def test_a_folder_that_is_no_store_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no store of crime"):
        Store(tmp_path).counts()


def test_a_run_that_is_killed_is_taken_up_again(tmp_path: Path) -> None:
    """A process of its own, killed with signal 9 after its first files; nothing is lost or counted twice."""
    for k in range(1, 61):
        month = f"20{10 + k // 12}-{k % 12 + 1:02d}"
        write(tmp_path / "in", [GOOD.replace("2020-01", month)] * 2_000, name=f"{month}-surrey-street.csv")
    code = "import sys; from peelian.read.ingest import ingest; ingest(sys.argv[1], sys.argv[2])"
    where = [str(tmp_path / "in"), str(tmp_path / "store")]
    env = {"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
    child = subprocess.Popen([sys.executable, "-c", code, *where], env=env)
    entries = tmp_path / "store" / "files"
    until = time.monotonic() + 60
    while (
        time.monotonic() < until
        and child.poll() is None
        and not (entries.is_dir() and any(entries.iterdir()))
    ):
        time.sleep(0.002)
    child.kill()
    child.wait()
    had = len(list(entries.glob("*.json")))
    assert 0 < had <= 60
    store = ingest(tmp_path / "in", tmp_path / "store")
    fresh = ingest(tmp_path / "in", tmp_path / "fresh")
    assert store.files.equals(fresh.files)
    assert store.counts().equals(fresh.counts())
    names = [sorted(p.relative_to(s.folder) for p in s.folder.rglob("*.parquet")) for s in (store, fresh)]
    assert names[0] == names[1]
