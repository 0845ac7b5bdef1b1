"""Reads the TOML files of figures, ours and the user's, and says file, line and key of what is wrong."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from peelian.errors import DataError
from peelian.figures.figure import Figure, Figures

if TYPE_CHECKING:
    import pandas as pd

CHANGES = "recording_changes.toml"
NO_FIGURES = (CHANGES, "bank_holidays.toml")  # tables of dates, with readers of their own
KEYS_OF_A_CHANGE = ("from", "force", "categories", "what", "source", "quality")
OUR_OWN_KEYS = ("name", "since", "file", "line", "own")


def load(folder: str | Path | None = None) -> Figures:
    """Every figure: those shipped, with the user's own in the place of shipped ones of the same name.

    ``folder``  the user's TOML files (None: shipped figures alone). Each entry replaces all shipped rows of
                its name; new names are added.

    Raises ``DataError`` with file, line and key for a missing source, an unknown unit, low above value, a
    price base that is missing, rows that overlap, an unknown key, a name that stands in two files.

    >>> load().at("kit_price").words
    '£12.73 per kit'
    """
    shipped = _shipped_rows()
    if folder is None:
        return Figures(shipped)
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"{path}: there is no such folder. [account] figures names a folder of TOML files.")
    texts = {p.name: _utf8(p) for p in sorted(path.glob("*.toml")) if p.name not in NO_FIGURES}
    own = _rows(texts, own=True)
    replaced = {row.name for row in own}
    return Figures((*(row for row in shipped if row.name not in replaced), *own))


def recording_changes(folder: str | Path | None = None) -> pd.DataFrame:
    """When and how the recording of crime changed: one row a change, in order of date.

    Columns: ``from`` (first day of the new way), ``force`` (``all`` or a name), ``categories`` (those that
    moved, joined by ``; ``), ``what``, ``source``, ``quality`` (green, amber, red). A
    ``recording_changes.toml`` in the user's ``folder`` adds rows.

    >>> recording_changes()["from"].dt.strftime("%Y-%m-%d").tolist()
    ['2017-04-01', '2023-04-01', '2024-02-28']
    """
    import pandas as pd

    rows = _changes((files(__package__) / CHANGES).read_text("utf-8"), CHANGES)
    own = None if folder is None else Path(folder) / CHANGES
    if own is not None and own.exists():
        rows += _changes(_utf8(own), str(own))
    frame = pd.DataFrame(rows, columns=list(KEYS_OF_A_CHANGE))
    frame["from"] = pd.to_datetime(frame["from"])
    return frame.sort_values(["from", "force"], ignore_index=True)


@cache
def _shipped_rows() -> tuple[Figure, ...]:
    return tuple(_rows(_shipped(), own=False))


def _shipped() -> dict[str, str]:
    here = files(__package__)
    names = sorted(p.name for p in here.iterdir() if p.name.endswith(".toml") and p.name not in NO_FIGURES)
    return {name: (here / name).read_text("utf-8") for name in names}


def _rows(texts: dict[str, str], *, own: bool) -> list[Figure]:
    rows: list[Figure] = []
    seen: dict[str, str] = {}
    for file, text in texts.items():
        for name, entries in _parsed(text, file).items():
            if name in seen:
                raise DataError(f"{file}: [{name}] stands in {seen[name]} too. Keep one of them.")
            seen[name] = file
            many = entries if isinstance(entries, list) else [entries]
            rows += [_figure(name, entry, i, text, file, own) for i, entry in enumerate(many)]
    return rows


def _figure(name: str, entry: Any, nth: int, text: str, file: str, own: bool) -> Figure:
    head = _line(text, name, nth)
    if not isinstance(entry, dict):
        raise DataError(f"{file}: {name} stands outside a table. Write [{name}] above its keys.")
    forbidden = [key for key in entry if key in OUR_OWN_KEYS]
    if forbidden:
        hint = " The day it applies from is `from`." if forbidden[0] == "since" else ""
        at = _line(text, name, nth, forbidden[0])
        raise DataError(f"{file}, line {at}: [{name}] {forbidden[0]} is not a key.{hint}")
    values = {("since" if key == "from" else key): value for key, value in entry.items()}
    try:
        return Figure(name=name, file=file, line=head, own=own, **values)
    except ValidationError as error:
        key, problem = _first_problem(error)
        at = _line(text, name, nth, key)
        raise DataError(f"{file}, line {at}: [{name}] {key} {problem}.") from error


def _first_problem(error: ValidationError) -> tuple[str, str]:
    """The key and what is wrong with it, of the first thing pydantic or the figure complained about."""
    first = error.errors()[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    key = "from" if key == "since" else key
    if first["type"] == "value_error":
        ours, _, problem = first["msg"].removeprefix("Value error, ").partition("|")
        return ours, problem
    if first["type"] in ("missing", "missing_argument"):
        return key, "is missing"
    if first["type"] == "unexpected_keyword_argument":
        return key, "is not a key of a figure"
    return key, f"is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _line(text: str, name: str, nth: int, key: str = "") -> int:
    """The line of the table's head, or of a key in it; the head's where the key is absent."""
    heads = [
        i
        for i, line in enumerate(text.splitlines(), 1)
        if re.match(rf"\s*\[\[?\s*\"?{re.escape(name)}\"?\s*\]", line)
    ]
    head = heads[nth] if nth < len(heads) else 1
    for i, line in enumerate(text.splitlines()[head:], head + 1):
        if line.lstrip().startswith("["):
            break
        if key and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return i
    return head


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file}: is not valid TOML: {error}.") from error


def _utf8(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error.reason}). Save it as UTF-8.") from error


def _changes(text: str, file: str) -> list[dict[str, Any]]:
    rows = []
    for nth, entry in enumerate(_parsed(text, file).get("change", [])):
        at = f"{file}, line {_line(text, 'change', nth)}: [[change]]"
        missing = [key for key in KEYS_OF_A_CHANGE if not entry.get(key)]
        unknown = [key for key in entry if key not in KEYS_OF_A_CHANGE]
        if missing:
            raise DataError(f"{at} {missing[0]} is missing.")
        if unknown:
            raise DataError(f"{at} {unknown[0]} is not a key; a change has {', '.join(KEYS_OF_A_CHANGE)}.")
        if entry["quality"] not in ("green", "amber", "red"):
            raise DataError(f"{at} quality is {entry['quality']!r}; expected green, amber or red.")
        rows.append(entry | {"categories": "; ".join(entry["categories"])})
    return rows
