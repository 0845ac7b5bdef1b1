"""Hostile files at the door of the store: refused or bounded, and nothing is written outside it."""

from __future__ import annotations

import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from peelian.errors import DataError
from peelian.read.blocks import LONGEST
from peelian.read.ingest import ingest

ROOT = Path(__file__).resolve().parents[2]
HEAD = "Month,Crime type,Longitude,Latitude\n"
ROW = "2020-01,Burglary,-0.5,51.3\n"


def archive(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["../2020-01-x-street.csv", "/tmp/2020-01-x-street.csv", "C:\\x-street.csv"])
def test_a_zip_that_names_files_outside_itself_is_not_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="outside itself"):
        ingest(archive(tmp_path / "a.zip", (name, HEAD + ROW)), tmp_path / "store")


def test_a_zip_bomb_is_not_opened(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "a.zip", ("2020-01-x-street.csv", b"0" * 30_000_000))
    with pytest.raises(DataError, match="would unpack to 30,000,000"):
        ingest(bomb, tmp_path / "store")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("2020-01-x-street.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(DataError, match="holds links"):
        ingest(archive(tmp_path / "a.zip", (link, "/etc/passwd")), tmp_path / "store")


def test_a_zip_in_a_zip_is_left_alone(tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", ("2020-01-y-street.csv", HEAD + ROW)).read_bytes()
    outer = archive(tmp_path / "a.zip", ("inner.zip", inner), ("2020-01-x-street.csv", HEAD + ROW))
    assert ingest(outer, tmp_path / "store").files["file"].tolist() == ["2020-01-x-street.csv"]


def test_a_member_that_is_not_what_its_checksum_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made:
        made.writestr("2020-01-x-street.csv", HEAD + ROW)
    path.write_bytes(path.read_bytes().replace(b"Burglary", b"Robberie"))
    with pytest.raises(DataError, match="cut short or damaged"):
        ingest(path, tmp_path / "store")


def test_a_force_is_no_path(tmp_path: Path) -> None:
    source = tmp_path / "2020-01-x-street.csv"
    source.write_text("Month,Crime type,Reported by\n2020-01,Burglary,../../outside\n")
    store = ingest(source, tmp_path / "store")
    assert [p.relative_to(tmp_path).parts[:3] for p in tmp_path.rglob("*.parquet")] == [
        ("store", "street", "force=outside")
    ]
    assert store.counts()["count"].sum() == 1


def test_a_line_that_is_too_long_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    source = tmp_path / "2020-01-x-street.csv"
    source.write_text(HEAD + ROW + "x" * (3 * LONGEST) + "\n" + ROW)
    store = ingest(source, tmp_path / "store")
    assert store.files[["rows", "accepted", "refused"]].to_numpy().tolist() == [[3, 2, 1]]
    assert store.refused["row"].tolist() == [2]
    assert store.refused["reason"].tolist() == [f"the line is longer than {LONGEST:,} bytes"]
    assert store.refused["text"].str.len().max() < 250


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="The peak of a process is read from Linux's /proc."
)
def test_a_line_of_half_a_gigabyte_needs_no_half_gigabyte(tmp_path: Path) -> None:
    """A sparse file: half a gigabyte of NUL without a line end."""
    source = tmp_path / "2020-01-x-street.csv"
    with source.open("wb") as handle:
        handle.write((HEAD + ROW).encode())
        handle.truncate(2**29)
    code = (
        "import re, pathlib\n"
        "from peelian.read.ingest import ingest\n"
        f"files = ingest({str(source)!r}, {str(tmp_path / 'store')!r}).files\n"
        "print(files[['rows', 'accepted', 'refused']].to_numpy().tolist())\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    found, peak = run.stdout.splitlines()
    assert found == "[[2, 1, 1]]"
    assert int(peak) / 1024 < 400
