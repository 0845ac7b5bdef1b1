"""Ingest: street-level crime of a nation into a store of Parquet files, resumable after a kill.

Each file of the source is read in blocks; its accepted rows go to one Parquet file a force and month, its
refused rows beside, and last of all its entry, which makes them count. All is written
aside and renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from peelian.errors import DataError, some
from peelian.read.blocks import LONGEST, Block, Stream, blocks, streams
from peelian.read.parts import Writer, slug
from peelian.read.store import ASIDE, ENTRIES, Store, entry_file
from peelian.read.street import Layout, Part, agreeing, parse, schema

Again = Literal["refuse", "keep", "replace"]
ENDINGS = (".csv", ".csv.gz")
NAMED = re.compile(r"(?P<month>\d{4}-\d{2})-(?P<force>.+)-street\.csv(\.gz)?$")
OFFICIAL = re.compile(r"^\d{4}-\d{2}-.+-(street|outcomes|stop-and-search)\.csv(\.gz)?$")
OTHER_KINDS = {"Outcome type": "outcomes, not street crime", "Object of search": "stop and search"}
HEADLESS = "the file has no header with Month and Crime type"
TOO_LONG = f"the line is longer than {LONGEST:,} bytes"


def ingest(
    path: Path | str,
    folder: Path | str,
    *,
    again: Again = "refuse",
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Store:
    """Street-level crime of data.police.uk, however large, as a store that can be counted in a second.

    ``path``     a month's file, a folder, or the zip as downloaded (its members are streamed).
    ``folder``   of the store; made where it does not exist, added to where it does.
    ``again``    what to do with a file that the store holds already with other content (later archives repeat
                 months with newer outcomes): ``refuse`` stops and names it, ``keep`` leaves the store as it
                 is, ``replace`` takes the new one. A file that has not changed is never read twice.
    ``workers``  files read at one time; each needs about 300 MiB.

    Returns the Store. Accepted rows and refused rows, with their reasons, add up to the rows of the files, as
    with ``police_uk``. A run that is killed loses nothing that it had finished: run it again to go on.
    Raises ``DataError`` where nothing in ``path`` is a street file, and for a broken or unsafe archive.
    """
    folder = Path(folder)
    found, left = streams(path, ENDINGS)
    with _locked(folder):
        shutil.rmtree(folder / ASIDE, ignore_errors=True)
        Store(folder).sweep()
        held = {entry["file"]: entry for entry in Store(folder).entries}
        todo = [s for s in found if held.get(_key(s, path), {}).get("stamp") != s.stamp]
        if progress is not None:
            progress(len(found) - len(todo), len(found))
        with ThreadPoolExecutor(max_workers=workers) as pool:
            running = [pool.submit(_take, s, path, folder, held.get(_key(s, path)), again) for s in todo]
            try:
                for done, task in enumerate(as_completed(running), start=len(found) - len(todo) + 1):
                    task.result()
                    if progress is not None:
                        progress(done, len(found))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        shutil.rmtree(folder / ASIDE, ignore_errors=True)
    store = Store(folder)
    kinds = {entry["file"]: entry["kind"] for entry in store.entries}
    if not any(kinds[_key(s, path)] == "street" for s in found):
        held_here = some([f"{s.name} ({kinds[_key(s, path)]})" for s in found] + left) or "nothing"
        raise DataError(
            f"{path}: holds no street file of data.police.uk. It holds: {held_here}. Expected CSV files with "
            "the columns Month and Crime type."
        )
    return store


@dataclass(frozen=True)
class _Found:
    """What one file held: its kind, its lines, the parts written aside, and its content by hash."""

    kind: str
    rows: int
    refused: int
    parts: list[dict[str, Any]]
    content: str


def _take(
    stream: Stream, path: Path | str, folder: Path, before: dict[str, Any] | None, again: Again
) -> None:
    """One file into the store; its entry is written last."""
    key = _key(stream, path)
    if before is not None and again == "keep" and before["kind"] == "street":
        return
    aside = folder / ASIDE / entry_file(key).removesuffix(".json")
    aside.mkdir(parents=True)
    found = _read(stream, path, aside)
    changed = before is not None and before["content"] != found.content
    if changed and again == "refuse" and before["kind"] == "street":  # type: ignore[index]
        raise DataError(
            f"{path}: {key} is in the store already with other content ({before['rows']:,} rows there, "  # type: ignore[index]
            f'{found.rows:,} here). Later archives repeat months: say again = "replace" for the newer rows, '
            'or again = "keep" to leave the store as it is.'
        )
    for part in found.parts:
        target = folder / part["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(aside / part.pop("aside"), target)
    entry = {
        "file": key,
        "source": Path(path).name,
        "stamp": stream.stamp,
        "content": found.content,
        "kind": found.kind,
        "rows": found.rows,
        "refused": found.refused,
        "parts": found.parts,
    }
    written = aside / "entry.json"
    written.write_text(json.dumps(entry, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    target = folder / ENTRIES / entry_file(key)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(written, target)
    new = {part["path"] for part in found.parts}
    for part in (before or {}).get("parts", ()):
        if part["path"] not in new:
            (folder / part["path"]).unlink(missing_ok=True)


def _read(stream: Stream, path: Path | str, aside: Path) -> _Found:
    """Read a file block by block and write its rows aside."""
    digest = hashlib.sha256()
    named = NAMED.search(stream.name)
    force = named["force"] if named else ""
    kind, layout, lines = _opening(blocks(stream, path, digest), "street" in stream.name.lower())
    if kind != "street":
        for _ in lines:  # to the end, so that the hash is of the whole file
            pass
        return _Found(kind, 0, 0, [], digest.hexdigest())
    opening, second = next(lines, Block(b"")), next(lines, None)
    whole = [opening] if second is None else _chain(opening, _chain(second, lines))
    month = named["month"] if named and layout else ""
    if month and second is not None:
        month = month if _mostly(stream, path, month) else ""
    writer = Writer(aside, force)
    for part in _parts(whole, layout, month, alone=second is None):
        writer.add(part)
    written = writer.close(_tag(stream.name, digest.hexdigest()))
    return _Found("street", writer.rows, writer.refused, written, digest.hexdigest())


def _opening(found: Iterator[Block], street: bool) -> tuple[str, Layout | None, Iterator[Block]]:
    """What kind of file it is, its layout, and its lines after the header (from it, where there is none)."""
    first = next(found, Block(b""))
    line = _header(first.data)
    while not line and not first.long and first.data:  # blank lines before the header are no rows
        first = next(found, Block(b""))
        line = _header(first.data)
    if not line:
        return "empty", None, found
    data = first.data[first.data.index(line) :]
    layout = Layout.of(line)
    if not first.long and layout.at.get("month") is not None and layout.at.get("type") is not None:
        return "street", layout, _chain(Block(data[len(line) :]), found)
    for mark, kind in OTHER_KINDS.items():
        if mark.casefold() in [name.casefold() for name in layout.header]:
            return kind, None, found
    if street:
        return "street", None, _chain(first if first.long else Block(data), found)
    return "no street file: other columns", None, found


def _header(data: bytes) -> bytes:
    """The first line that is not blank, with its end; empty where there is none."""
    at = 0
    while at < len(data):
        line = data[at : at + 2**16].splitlines(keepends=True)[0]
        if line.strip():
            return line
        at += len(line)
    return b""


def _chain(first: Block, rest: Iterator[Block]) -> Iterator[Block]:
    if first.data:
        yield first
    yield from rest


def _parts(found: Iterable[Block], layout: Layout | None, month: str, *, alone: bool) -> Iterator[Part]:
    """The blocks of a file as checked rows, numbered through; ``alone`` where there is but one."""
    number = 0 if layout is None else 1
    for block in found:
        if block.long:
            text = block.data.decode("utf-8", errors="replace") + " ..."
            part = Part(schema().empty_table(), [(number, TOO_LONG, text)], 1)
        elif layout is None:
            lines = block.data.decode("utf-8", errors="replace").splitlines()
            refused = [(number + k, HEADLESS, line) for k, line in enumerate(lines)]
            part = Part(schema().empty_table(), refused, len(lines))
        else:
            part = parse(block.data, layout, first=number, named=month, most=alone)
        number += part.lines
        yield part


def _mostly(stream: Stream, path: Path | str, month: str) -> bool:
    """True where most rows of a file of several blocks are of a month, as its name says."""
    _, layout, lines = _opening(blocks(stream, path), street=True)
    agree = held = 0
    for block in lines:
        if layout is not None and not block.long:
            some_agree, some_held = agreeing(block.data, layout, month)
            agree, held = agree + some_agree, held + some_held
    return 2 * agree > held


def _key(stream: Stream, path: Path | str) -> str:
    """The name of a file in the store: as police.uk names it, or with its source before."""
    name = stream.name.rsplit("/", 1)[-1]
    if OFFICIAL.search(name):
        return name
    return stream.name if stream.name == Path(path).name else f"{Path(path).name}/{stream.name}"


def _tag(name: str, content: str) -> str:
    return f"{slug(name.rsplit('/', 1)[-1].split('.csv')[0])[:80] or 'rows'}-{content[:12]}"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the store for one run; ``DataError`` where another is at work in it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # no such lock on this system
        yield
        return
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(f"{folder}: another run is writing to this store. Wait for it to end.") from None
        yield
