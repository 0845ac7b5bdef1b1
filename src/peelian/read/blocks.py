"""Blocks: the files of a folder or an archive as runs of whole lines, however large they are."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, cast

from peelian.errors import DataError, some
from peelian.read.files import BROKEN, LARGEST, members

SIZE = 32 * 2**20  # bytes of a block: about 140,000 rows of police.uk
LONGEST = 2**20  # bytes of a line: twelve fields of 64 KiB and more
SHOWN = 200  # bytes of a line that is too long that are kept
READ = 2**20


@dataclass(frozen=True)
class Stream:
    """One file of a source, not yet opened: its name, what tells whether it changed, how to open it."""

    name: str
    stamp: str
    opened: Callable[[], IO[bytes]]


class Block(NamedTuple):
    """Whole lines, or (``long``) the beginning of one line that is too long to be a row."""

    data: bytes
    long: bool = False


def streams(path: Path | str, endings: tuple[str, ...]) -> tuple[list[Stream], list[str]]:
    """The files with one of these endings, in order of name, and the names of all others.

    As ``files.members``, whose rules for archives hold here too, but nothing is read into memory. Links
    inside an archive are refused.
    """
    path = Path(path)
    _, left = members(path, endings)  # the rules: paths outside, bombs, broken archives
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith(".")]
        taken = [file for file in found if file.name.lower().endswith(endings)]
        return [_plain(file, file.relative_to(path).as_posix()) for file in taken], left
    if path.suffix.lower() != ".zip":
        return [_plain(path, path.name)], left
    with zipfile.ZipFile(path) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
    links = [entry.filename for entry in entries if stat.S_ISLNK(entry.external_attr >> 16)]
    if links:
        raise DataError(
            f"{path}: holds links ({some(links)}), which no archive of data.police.uk does. It was not "
            "opened. Fetch it again from its official source."
        )
    return [_entry(path, entry) for entry in entries if _wanted(entry, endings)], left


def blocks(stream: Stream, source: Path | str, digest: hashlib._Hash | None = None) -> Iterator[Block]:
    """The whole lines of a file, some megabytes at a time; a line beyond 1 MiB as its first 200 bytes.

    ``digest`` is fed the bytes of the file. Raises ``DataError`` for a file that is cut short, damaged,
    locked, or that unpacks to more than any crime archive.
    """
    with _told(source, stream.name):
        handle = stream.opened()
        with handle:
            yield from _lines(_text(_read(handle, source, stream.name, digest)))


def _plain(file: Path, name: str) -> Stream:
    about = file.stat()
    packed = file.suffix.lower() == ".gz"
    return Stream(
        name,
        f"{about.st_size}-{about.st_mtime_ns}",
        lambda: cast("IO[bytes]", gzip.open(file) if packed else file.open("rb")),
    )


def _entry(path: Path, entry: zipfile.ZipInfo) -> Stream:
    def opened() -> IO[bytes]:
        handle = zipfile.ZipFile(path).open(entry)  # noqa: SIM115
        packed = entry.filename.lower().endswith(".gz")
        return cast("IO[bytes]", gzip.GzipFile(fileobj=handle) if packed else handle)

    return Stream(entry.filename, f"{entry.CRC:08x}-{entry.file_size}", opened)


def _wanted(entry: zipfile.ZipInfo, endings: tuple[str, ...]) -> bool:
    hidden = "__MACOSX" in entry.filename or PurePosixPath(entry.filename).name.startswith(".")
    return not entry.is_dir() and not hidden and entry.filename.lower().endswith(endings)


@contextmanager
def _told(source: Path | str, name: str) -> Iterator[None]:
    """Turn what a broken file raises into a sentence."""
    where = str(source) if Path(source).name == name else f"{source}: {name}"
    try:
        yield
    except RuntimeError as error:
        raise DataError(f"{where}: is locked with a password ({error}). Unpack it first.") from error
    except (*BROKEN, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{where}: is cut short or damaged ({error}). Download it again, or copy it again."
        ) from error


def _read(handle: IO[bytes], source: Path | str, name: str, digest: hashlib._Hash | None) -> Iterator[bytes]:
    count = 0
    while piece := handle.read(READ):
        count += len(piece)
        if count > LARGEST:
            raise DataError(f"{source}: {name} unpacks to more than {LARGEST:,} bytes. It was left alone.")
        if digest is not None:
            digest.update(piece)
        yield piece


def _text(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """UTF-8 without a byte order mark; UTF-16 with one is turned into it."""
    first = next(pieces, b"")
    if not first.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield first.removeprefix(b"\xef\xbb\xbf")
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    for piece in (first, *pieces):
        yield decoder.decode(piece).encode("utf-8", errors="replace")
    yield decoder.decode(b"", final=True).encode("utf-8", errors="replace")


def _lines(pieces: Iterator[bytes]) -> Iterator[Block]:
    """Pieces put together and cut at line ends; a line that is too long is not kept."""
    held: list[bytes] = []
    size = since = 0  # bytes held; bytes since the last line end
    skipping = False
    for piece in pieces:
        if skipping:
            end = _end(piece)
            if end < 0:
                continue
            piece, skipping = piece[_start(piece) :], False
        last = _end(piece)
        held.append(piece)
        size += len(piece)
        since = since + len(piece) if last < 0 else len(piece) - last - 1
        if since > LONGEST:
            data = b"".join(held)
            cut = len(data) - since
            if cut:
                yield Block(data[:cut])
            yield Block(data[cut : cut + SHOWN], long=True)
            held, size, since, skipping = [], 0, 0, True
        elif size >= SIZE and since < size:
            data = b"".join(held)
            cut = len(data) - since
            yield Block(data[:cut])
            held, size = [data[cut:]], since
    if size:
        yield Block(b"".join(held))


def _end(piece: bytes) -> int:
    """Where the last line of a piece ends, or -1; a carriage return at the very end may be half an end."""
    return max(piece.rfind(b"\n"), piece.rfind(b"\r", 0, max(len(piece) - 1, 0)))


def _start(piece: bytes) -> int:
    """Where the first new line of a piece begins."""
    ends = [at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0]
    at = min(ends)
    return at + 2 if piece[at : at + 2] == b"\r\n" else at + 1
