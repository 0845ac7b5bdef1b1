"""Files that are made to fill the memory: a line without end, and a packed file that unpacks to far too much."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from peelian.errors import DataError
from peelian.read.police_uk import police_uk
from peelian.read.table import table

HEAD = b"Crime ID,Month,Longitude,Latitude,LSOA code,Crime type\n"
ENDLESS = 96 * 2**20  # bytes of a line; 2 GB were tried by hand, with the same peak
ENOUGH = 48 * 2**20  # bytes that refusing it may take: three times the longest line


def plain(path: Path) -> Path:
    with (path / "2020-01-x-street.csv").open("wb") as file:
        file.write(HEAD)
        for _ in range(ENDLESS // 2**20):
            file.write(b"a" * 2**20)
    return path / "2020-01-x-street.csv"


def packed(path: Path) -> Path:
    """Random enough not to be taken for a bomb before the line is too long."""
    piece = bytes(range(32, 127)) * 11_000
    with gzip.open(path / "2020-01-x-street.csv.gz", "wb", compresslevel=0) as file:
        file.write(HEAD)
        for _ in range(ENDLESS // len(piece)):
            file.write(piece)
    return path / "2020-01-x-street.csv.gz"


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path / "a.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.write(plain(path), "2020-01-x-street.csv")
    return path / "a.zip"


@pytest.mark.parametrize("made", [plain, packed, zipped])
def test_a_line_without_end_is_refused_within_memory(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    path = made(tmp_path)
    for read in (police_uk, lambda p: table(p, {"start": "Month", "type": "Crime type"})):
        assert peak_of(lambda read=read: read(path), match="a line of .* is no row of a table") < ENOUGH


def test_a_gzip_bomb_is_given_up_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(300):
            file.write(b"a,b\n" * 2**18)
    assert peak_of(lambda: police_uk(path), match="would unpack to") < ENOUGH + 200 * path.stat().st_size


def test_a_gzip_bomb_in_a_zip_is_given_up_too(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with gzip.GzipFile(fileobj=inner, mode="wb") as file:
        for _ in range(300):
            file.write(b"a,b\n" * 2**18)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("2020-01-x-street.csv.gz", inner.getvalue())
    assert peak_of(lambda: police_uk(path), match="would unpack to") < ENOUGH + 200 * len(inner.getvalue())


def peak_of(act: Callable[[], object], *, match: str) -> int:
    """Bytes that Python held at most while an error of ours was raised."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=match):
            act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
