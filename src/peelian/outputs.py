"""Outputs: a stage's folder written aside and swapped in, and what has changed since it was made.

A stage's folder holds its open files and ``stage.json``: what it was made from (inputs by SHA-256,
parameters, code, libraries, seed, the stages before it) and what it made (files by SHA-256). A stage is
fresh while all of that is as it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peelian.errors import DataError, Error

RECORD = "stage.json"
SECTION = "section.json"
HIDDEN = ".peelian"
FORMULA = tuple("=+-@\t\r")


@dataclass(frozen=True)
class Made:
    """What a stage's folder was made from, part by part, each as plain values.

    ``inputs`` file name -> SHA-256; ``parameters`` the tables as written; ``code`` SHA-256 of the source
    that can touch the result; ``libraries`` name -> version; ``upstream`` stage -> SHA-256 of its outputs.
    """

    inputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    libraries: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    upstream: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values; round trips through JSON."""
        return json.loads(
            json.dumps({name: getattr(self, name) for name in self.__dataclass_fields__}, default=str)
        )


def why_stale(folder: Path, made: Made) -> list[str]:
    """Why a stage must run again, in words; empty when its folder is as it would be made now."""
    record = read_record(folder)
    if record is None:
        return ["it has not run yet"]
    before, now = record["made"], made.as_json()
    reasons = []
    for name, old, new in _differences(before["inputs"], now["inputs"]):
        word = "new" if old is None else "gone" if new is None else "changed"
        reasons.append(f"input {name} is {word}")
    for name, old, new in _differences(_flat(before["parameters"]), _flat(now["parameters"])):
        reasons.append(f"{name} was {old!r}, now {new!r}")
    if before["seed"] != now["seed"]:
        reasons.append(f"seed was {before['seed']}, now {now['seed']}")
    if before["code"] != now["code"]:
        reasons.append("the code changed")
    for name, old, new in _differences(before["libraries"], now["libraries"]):
        reasons.append(f"{name} was {old}, now {new}")
    for name, _, _ in _differences(before["upstream"], now["upstream"]):
        reasons.append(f"what {name} made is different")
    for name, digest in record["outputs"].items():
        path = folder / name
        if not path.is_file():
            reasons.append(f"its output {name} is gone")
        elif sha256(path) != digest:
            reasons.append(f"its output {name} was edited")
    return reasons


def _differences(before: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield name, before.get(name), now.get(name)


def _flat(values: Any, head: str = "") -> dict[str, Any]:
    """Nested tables as one level: ``{"plan": {"kits": 3}}`` becomes ``{"[plan] kits": 3}``."""
    if isinstance(values, dict) and values:
        flat: dict[str, Any] = {}
        for key, value in values.items():
            flat |= _flat(value, f"{head} {key}" if head else f"[{key}]")
        return flat
    return {head: values}


def read_record(folder: Path) -> dict[str, Any] | None:
    """The ``stage.json`` of a folder, or None where there is none that can be read."""
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if {"made", "outputs"} <= record.keys() else None


def digest_of(folder: Path) -> str:
    """One SHA-256 over all outputs of a stage, as its record has them."""
    record = read_record(folder)
    held = {} if record is None else record["outputs"]
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


class Hashes:
    """SHA-256 of input files, remembered by size and time of change, so that large files are read once.

    Folders count as the hash of their files' names and contents.
    """

    def __init__(self, store: Path) -> None:
        self.store = store
        try:
            self.held: dict[str, list[Any]] = json.loads(store.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.held = {}

    def of(self, path: Path) -> str:
        """The hash of a file or folder; ``DataError`` where there is neither."""
        if path.is_dir():
            parts = [(str(p.relative_to(path)), self.of(p)) for p in sorted(path.rglob("*")) if p.is_file()]
            return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        if not path.is_file():
            raise DataError(f"{path}: there is no such file. Put it there, or mend its name.")
        about = path.stat()
        mark = [about.st_size, about.st_mtime_ns]
        known = self.held.get(str(path))
        if known is None or known[:2] != mark:
            self.held[str(path)] = known = [*mark, sha256(path)]
        return str(known[2])

    def save(self) -> None:
        """Keep what is known for the next run."""
        self.store.parent.mkdir(parents=True, exist_ok=True)
        write_text(self.store, json.dumps(self.held, sort_keys=True))


# -------------------------------------------------------------------- writing
def write_text(path: Path, text: str) -> None:
    """Write a text file aside, then rename it into place."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    aside.write_text(text, encoding="utf-8", newline="\n")
    os.replace(aside, path)


def write_stage(folder: Path, files: dict[str, Any], record: dict[str, Any]) -> None:
    """Write a stage's files into a folder aside, then swap it in; a killed run leaves the old folder.

    ``files``   name -> content, by kind: frames to ``.csv`` or ``.parquet``, plain values to ``.json``,
                text as it is, map layers to ``.gpkg``, and anything with a ``write`` method.
    ``record``  what goes into ``stage.json``; the hashes of the outputs are added.
    """
    aside, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for left in (aside, old):
        shutil.rmtree(left, ignore_errors=True)
    aside.mkdir(parents=True)
    for name, content in files.items():
        path = aside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_content(path, content)
    made = sorted(p for p in aside.rglob("*") if p.is_file())
    outputs = {p.relative_to(aside).as_posix(): sha256(p) for p in made}
    (aside / RECORD).write_text(plain_json(record | {"outputs": outputs}), encoding="utf-8", newline="\n")
    if folder.exists():
        os.replace(folder, old)
    os.replace(aside, folder)
    shutil.rmtree(old, ignore_errors=True)


def restore(folder: Path) -> None:
    """Put back the last good folder of a stage after a run that was killed between its two renames."""
    aside, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    if old.exists() and not folder.exists():
        os.replace(old, folder)
    for left in (aside, old):
        shutil.rmtree(left, ignore_errors=True)


def write_content(path: Path, content: Any) -> None:
    """One output file by the kind of its content and the ending of its name."""
    from peelian.geopackage import write_geopackage
    from peelian.maps import Layered

    if isinstance(content, Layered):
        write_geopackage(path, content)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8", newline="\n")
    elif path.suffix == ".json":
        path.write_text(plain_json(content), encoding="utf-8", newline="\n")
    elif path.suffix == ".csv":
        _harmless(_plain_frame(content)).to_csv(path, index=_named(content), lineterminator="\n")
    elif hasattr(content, "write"):
        content.write(path if path.suffix else path.parent)
    elif path.suffix == ".parquet":
        _plain_frame(content).to_parquet(path, index=_named(content), compression="zstd")
    else:
        raise Error(f"{path.name}: there is no writer for this kind of file. Name one in .csv or .parquet.")


def _named(frame: Any) -> bool:
    """Whether the index means something (a place id) and belongs in the file."""
    return any(name is not None for name in frame.index.names)


def _harmless(frame: Any) -> Any:
    """Text that a spreadsheet would run as a formula, with an apostrophe before it."""
    from pandas.api.types import is_object_dtype, is_string_dtype

    words = [c for c in frame.columns if is_string_dtype(frame[c]) or is_object_dtype(frame[c])]
    for column in words:
        risky = frame[column].map(lambda v: isinstance(v, str) and v[:1] in FORMULA).astype(bool)
        if risky.any():
            safe = frame[column].where(~risky, "'" + frame[column].astype(str))
            frame = frame.assign(**{str(column): safe})
    return frame


def _plain_frame(frame: Any) -> Any:
    """Periods as text, as every program reads them."""
    import pandas as pd

    if isinstance(frame, pd.Series):
        frame = frame.to_frame()
    periods = [c for c in frame.columns if isinstance(frame[c].dtype, pd.PeriodDtype)]
    if periods:
        frame = frame.assign(**{c: frame[c].astype(str).replace("NaT", None) for c in periods})
    if isinstance(frame.index, pd.PeriodIndex):
        frame = frame.set_axis(frame.index.astype(str).rename(frame.index.name))
    elif isinstance(frame.index, pd.MultiIndex):
        levels = [
            level.astype(str) if isinstance(level, pd.PeriodIndex) else level for level in frame.index.levels
        ]
        frame = frame.set_axis(frame.index.set_levels(levels))
    return frame


def plain_json(values: Any) -> str:
    """Values as JSON text: numbers of numpy and missing values made plain, keys as they stand."""
    return json.dumps(plain(values), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def plain(values: Any) -> Any:
    """Values that JSON can hold: numpy numbers, periods and times made plain, not-a-number made null."""
    if isinstance(values, dict):
        return {str(key): plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple | set | frozenset):
        return [plain(value) for value in (sorted(values) if isinstance(values, set | frozenset) else values)]
    if values is None or isinstance(values, bool | str | int):
        return values
    if isinstance(values, float):
        return values if values == values and abs(values) != float("inf") else None
    if hasattr(values, "tolist"):
        return plain(values.tolist())
    if hasattr(values, "as_json"):
        return plain(values.as_json())
    text = str(values)
    return None if text in ("NaT", "<NA>") else text


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a project folder for one run; ``Error`` where another run is at work in it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # no such lock on this system: the swap of folders still keeps outputs whole
        yield
        return
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Error(
                f"Another run is at work in {folder.parent}. Wait for it to end, then run again."
            ) from None
        yield
