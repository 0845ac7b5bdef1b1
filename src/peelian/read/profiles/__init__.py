"""Profiles: column mappings that are known already, shipped as TOML or saved by ``peelian read map``."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from peelian.errors import DataError

SETTINGS = (
    "type",
    "period",
    "dates",
    "timezone",
    "crs",
    "precision",
    "sheet",
    "snapped",
    "published",
    "columns",
)
SAVED = ("name", "about", "needs", "mapping", "reader", *SETTINGS)


@dataclass(frozen=True)
class Profile:
    """A mapping for files of one kind.

    ``needs``    headers by which such a file is known.
    ``mapping``  our name -> the headers that may hold it, of which the first that is there counts.
    ``settings`` what else ``read.table`` is to be told.
    """

    name: str
    about: str
    needs: tuple[str, ...]
    mapping: dict[str, tuple[str, ...]]
    settings: dict[str, Any] = field(default_factory=dict)

    def fits(self, header: Iterable[str]) -> bool:
        """True where the header holds every column that marks this kind of file."""
        folded = {name.casefold() for name in header}
        return bool(self.needs) and all(name.casefold() in folded for name in self.needs)

    def of(self, header: Iterable[str]) -> dict[str, str]:
        """The mapping for a file with this header: only the columns that it has."""
        folded = {name.casefold(): name for name in header}
        found = {}
        for name, choices in self.mapping.items():
            column = next((c for c in choices if all(p.casefold() in folded for p in _parts(c))), None)
            if column is not None:
                found[name] = column if "{" in column else folded[column.casefold()]
        return found


def _parts(column: str) -> list[str]:
    import re

    return re.findall(r"\{([^{}]+)\}", column) or [column]


@cache
def shipped() -> tuple[Profile, ...]:
    """The profiles that come with Peelian, in order of name."""
    here = files(__package__)
    names = sorted(p.name for p in here.iterdir() if p.name.endswith(".toml"))
    return tuple(_profile((here / name).read_text("utf-8"), name.removesuffix(".toml")) for name in names)


def profile(name: str, folder: Path = Path()) -> Profile:
    """A shipped profile by its name, or a saved one by its file's.

    Raises ``DataError`` where there is neither, and for a file that is no profile.
    """
    held = {one.name: one for one in shipped()}
    if name in held:
        return held[name]
    path = folder / name
    if not path.is_file():
        close = difflib.get_close_matches(name, held, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise DataError(
            f"{path}: there is no such profile. Shipped are {', '.join(held)}; `peelian read map FILE` saves "
            f"one of your own.{hint}"
        )
    try:
        return _profile(path.read_text("utf-8-sig"), str(path))
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: cannot be read as text ({error}).") from error


def _profile(text: str, name: str) -> Profile:
    try:
        held = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: is no TOML ({error}).") from error
    strange = sorted(set(held) - set(SAVED))
    if strange:
        close = difflib.get_close_matches(strange[0], SAVED, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(SAVED)}."
        raise DataError(f"{name}: a profile has no key {strange[0]!r}.{hint}")
    mapping = held.get("mapping", {})
    if not isinstance(mapping, dict) or not all(isinstance(v, str | list) for v in mapping.values()):
        raise DataError(f'{name}: [mapping] holds our names and the file\'s columns, such as start = "Date".')
    return Profile(
        name=str(held.get("name", name)),
        about=str(held.get("about", "")),
        needs=tuple(held.get("needs", ())),
        mapping={key: (v,) if isinstance(v, str) else tuple(map(str, v)) for key, v in mapping.items()},
        settings={key: held[key] for key in SETTINGS if key in held},
    )
