"""Files: the members of a file, a folder or a zip archive, opened safely."""

from __future__ import annotations

import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from peelian.errors import DataError, some

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents

LARGEST = 20 * 2**30  # bytes unpacked: the whole national police.uk archive is about 12 GiB
STEEPEST = 200  # unpacked size over packed size: street files reach about 12
BROKEN = (  # what zipfile raises for an archive that is cut short, overwritten or no archive
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError, LookupError,
    OverflowError, NotImplementedError,
)  # fmt: skip
SMALL = 2**20  # bytes unpacked below which no ratio is asked
PIECE = 2**20  # bytes read at one time
LONGEST = 16 * 2**20  # bytes of one line of a table
TEXT = (".csv", ".txt", ".tsv")


@dataclass(frozen=True, eq=False)
class Member:
    """One file of a source: its name, where it lies in the source, and how to get its bytes."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a reader found: the incidents, and one row for every file it looked at.

    ``files``  ``file``, ``kind`` (``street``, ``table``, or why it was left alone), ``rows``,
               ``accepted``, ``refused``.
    ``note``   a sentence on the file, where the rows alone do not say what they stand for.
    """

    incidents: Incidents
    files: pd.DataFrame
    note: str = ""


def present(path: Path | str) -> Path:
    """The path of a file that must exist."""
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder. Check its name in peelian.toml.")
    return path


def members(path: Path | str, endings: tuple[str, ...]) -> tuple[list[Member], list[str]]:
    """The files with one of these endings, in order of name, and the names of all others.

    ``path``  a file (plain or ``.gz``), a folder (read through all its subfolders) or a ``.zip``.

    Raises ``DataError`` where the path does not exist, and for an archive that is cut short, that
    reaches outside itself, or that would unpack to more than it should.
    """
    path = present(path)
    if path.is_dir():
        return _folder(path, endings)
    if path.suffix.lower() == ".zip":
        return _archive(path, endings)
    return [Member(path.name, lambda: unpacked(path))], []


def unpacked(path: Path) -> bytes:
    """The bytes of a file, unpacked where its name ends in ``.gz``; a line without end is an error."""
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as handle:
                return _bounded(handle, path, path.name, max(path.stat().st_size, 1))
        if _is_text(path.name) and path.stat().st_size > LONGEST:
            with path.open("rb") as plain:
                for _ in _pieces(plain, path, path.name, None):
                    pass
        return path.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path}: is cut short or no gzip file ({error}). Download it again, or copy it again."
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from error


def _bounded(handle: IO[bytes] | gzip.GzipFile, path: Path, name: str, packed: int) -> bytes:
    """The bytes of a packed file, given up as soon as it is clear that it is none of ours."""
    return b"".join(_pieces(handle, path, name, packed))


def _pieces(handle: IO[bytes] | gzip.GzipFile, path: Path, name: str, packed: int | None) -> Iterator[bytes]:
    """A file piece by piece, held against what it may unpack to and against the longest line."""
    count = since = 0
    text = _is_text(name)
    while piece := handle.read(PIECE):
        count += len(piece)
        if packed is not None and (count > LARGEST or count > max(SMALL, STEEPEST * packed)):
            raise _bomb(path, count, packed)
        if text:
            last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
            since = since + len(piece) if last < 0 else len(piece) - last - 1
            if since > LONGEST:
                raise endless(f"{path}" if name == path.name else f"{path}: {name}", since)
        yield piece


def _is_text(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith(TEXT)


def endless(where: str, size: int) -> DataError:
    """The error for a line that is no row."""
    return DataError(
        f"{where}: a line of {size:,} bytes or more is no row of a table (at most {LONGEST:,} are taken). "
        "The file has no line ends, or is of another kind. Export it again as CSV."
    )


def _folder(path: Path, endings: tuple[str, ...]) -> tuple[list[Member], list[str]]:
    taken, left = [], []
    for file in sorted(path.rglob("*")):
        if not file.is_file():
            continue
        name = file.relative_to(path).as_posix()
        if name.lower().endswith(endings) and not file.name.startswith("."):
            taken.append(Member(name, lambda file=file: unpacked(file)))  # type: ignore[misc]
        else:
            left.append(name)
    return _short(taken), left


def _archive(path: Path, endings: tuple[str, ...]) -> tuple[list[Member], list[str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except BROKEN as error:
        raise _broken(path, error) from error
    _inside(path, entries)
    _not_too_large(path, entries)
    taken, left = [], []
    for entry in sorted(entries, key=lambda entry: entry.filename):
        hidden = "__MACOSX" in entry.filename or PurePosixPath(entry.filename).name.startswith(".")
        if entry.filename.lower().endswith(endings) and not hidden:
            taken.append(Member(entry.filename, lambda entry=entry: _extract(path, entry)))  # type: ignore[misc]
        else:
            left.append(entry.filename)
    return _short(taken), left


def _extract(path: Path, entry: zipfile.ZipInfo) -> bytes:
    name, packed = entry.filename, max(entry.compress_size, 1)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(entry) as handle:
            if not name.lower().endswith(".gz"):
                return _bounded(handle, path, name, packed)
            with gzip.GzipFile(fileobj=handle) as inner:
                return _bounded(inner, path, name, packed)
    except DataError:
        raise
    except (*BROKEN, gzip.BadGzipFile) as error:
        raise _broken(path, error, name) from error
    except RuntimeError as error:
        raise DataError(f"{path}: {name} is locked with a password ({error}).") from error


def _inside(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse names that lead out of the archive: they belong to an attack, never to a download."""
    wrong = []
    for entry in entries:
        name = entry.orig_filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or (len(name) > 1 and name[1] == ":"):
            wrong.append(entry.orig_filename)
    if wrong:
        raise DataError(
            f"{path}: names files outside itself ({some(wrong)}), which no real download does. "
            "It was not opened. Fetch it again from its official source."
        )


def _not_too_large(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    whole = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    steep = [e for e in entries if e.file_size > SMALL and e.file_size > STEEPEST * max(e.compress_size, 1)]
    if whole > LARGEST or steep:
        first = steep[0] if steep else None
        raise _bomb(path, first.file_size if first else whole, first.compress_size if first else packed)


def _short(taken: list[Member]) -> list[Member]:
    """Members named by their file name alone, where that tells them apart."""
    names = [PurePosixPath(member.name).name for member in taken]
    if len(set(names)) < len(names):
        return taken
    return [Member(name, member.read) for name, member in zip(names, taken, strict=True)]


def _bomb(path: Path, size: int, packed: int) -> DataError:
    return DataError(
        f"{path}: {packed:,} bytes would unpack to {size:,}. That is no crime archive; it was not opened. "
        f"At most {LARGEST:,} bytes, and {STEEPEST} times the packed size, are accepted."
    )


def _broken(path: Path, error: Exception, member: str = "") -> DataError:
    where = f" at {member}" if member else ""
    return DataError(
        f"{path}: the zip is cut short or damaged{where} ({error}). Download it again, or copy it again."
    )


def counted(listing: Iterator[tuple[str, str, int, int]] | list[tuple[str, str, int, int]]) -> pd.DataFrame:
    """The table of files from (file, kind, accepted, refused)."""
    import pandas as pd

    frame = pd.DataFrame(listing, columns=["file", "kind", "accepted", "refused"])
    frame.insert(2, "rows", frame["accepted"] + frame["refused"])
    return frame.astype({"file": "str", "kind": "str", "rows": int, "accepted": int, "refused": int})


def rejected_frame(refused: list[tuple[str, int, str, str]]) -> pd.DataFrame:
    """Refused rows as Incidents keep them, in order of file and row."""
    import pandas as pd

    frame = pd.DataFrame(sorted(refused), columns=["file", "row", "reason", "text"])
    return frame.astype({"file": "str", "row": "int64", "reason": "str", "text": "str"})
