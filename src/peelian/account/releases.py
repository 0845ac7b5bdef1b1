"""The log of what was published, and whether a new table and an old one give a small count away together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.account.disclosure import HIDDEN
from peelian.errors import DataError, PrivacyError

if TYPE_CHECKING:
    import pandas as pd

LOG = "releases.json"
COLUMNS = ("place", "first", "last", "count")


@dataclass(frozen=True, eq=False)
class Release:
    """One published table of counts.

    ``id`` its name; ``date`` of publication, ISO; ``measure`` what was counted; ``geography`` of its places;
    ``table`` rows of place, first and last month, and count (``c`` where hidden).
    """

    id: str
    date: str
    measure: str
    geography: str
    table: pd.DataFrame

    @property
    def sha256(self) -> str:
        """SHA-256 of the table as CSV."""
        text: str = self.table[list(COLUMNS)].to_csv(index=False, lineterminator="\n")
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class _Cell:
    atoms: frozenset[str]
    first: int
    last: int
    count: int | None

    def inside(self, other: _Cell) -> bool:
        return self.atoms <= other.atoms and other.first <= self.first and self.last <= other.last


def difference(
    new: Release,
    earlier: Iterable[Release],
    *,
    threshold: int,
    atoms: Mapping[str, Iterable[str]] | None = None,
) -> None:
    """Raises ``PrivacyError`` naming two tables where one less the other gives a small count away.

    ``atoms``  place -> the smallest areas it consists of, for geographies that overlap (LSOAs of 2011 and of
               2021, ward vintages): a place without an entry is an atom itself.

    Three things are looked for, over all pairs of cells of one measure: a cell shown now that was hidden
    before, or the other way round; a cell whose published value is small; and a cell wholly inside another,
    with a published value each, whose difference is 1 to ``threshold`` - 1. Values are never named.
    """
    mine = _cells(new, atoms)
    if any(cell.count is not None and 0 < cell.count < threshold for cell in mine):
        raise PrivacyError(
            f"Table {new.id} shows a count below {threshold}. Protect it before it is released."
        )
    for old in earlier:
        if old.measure != new.measure:
            continue
        for theirs in _cells(old, atoms):
            for cell in mine:
                if _gives_away(cell, theirs, threshold):
                    raise PrivacyError(
                        f"Table {new.id} together with table {old.id} of {old.date} would give a count below "
                        f"{threshold} away. Hide in the new one what the old one hid, or publish the same "
                        "areas and periods."
                    )


def _gives_away(one: _Cell, other: _Cell, threshold: int) -> bool:
    if one.inside(other) and other.inside(one):
        return (one.count is None) != (other.count is None)
    if one.count is None or other.count is None:
        return False
    if one.inside(other) or other.inside(one):
        return 0 < abs(one.count - other.count) < threshold
    return False


def _cells(release: Release, atoms: Mapping[str, Iterable[str]] | None) -> list[_Cell]:
    import pandas as pd

    known = atoms or {}
    first = pd.PeriodIndex(release.table["first"].astype(str), freq="M").asi8
    last = pd.PeriodIndex(release.table["last"].astype(str), freq="M").asi8
    rows = zip(release.table["place"].astype(str), first, last, release.table["count"], strict=True)
    return [
        _Cell(frozenset(known.get(place, (place,))), int(a), int(b), None if value == HIDDEN else int(value))
        for place, a, b, value in rows
    ]


def record(release: Release, folder: str | Path) -> None:
    """Add a release to the log of a folder: its entry in ``releases.json`` and its table as CSV beside it.

    Raises ``DataError`` where the id is taken by a table with other contents.
    """
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    entries = _entries(into)
    known = next((entry for entry in entries if entry["id"] == release.id), None)
    if known is not None:
        if known["sha256"] == release.sha256:
            return
        raise DataError(f"{into / LOG}: {release.id} was released with other contents. Give it another id.")
    name = f"{release.id}.csv"
    release.table[list(COLUMNS)].to_csv(into / name, index=False, lineterminator="\n")
    entries.append({
        "id": release.id, "date": release.date, "measure": release.measure, "geography": release.geography,
        "table": name, "sha256": release.sha256,
    })  # fmt: skip
    (into / LOG).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def releases(folder: str | Path) -> list[Release]:
    """Every release in the log, in order; none where there is no log.

    Raises ``DataError`` where a table is gone or was changed after it was released.
    """
    import pandas as pd

    into, out = Path(folder), []
    for entry in _entries(into):
        path = into / entry["table"]
        if not path.is_file():
            raise DataError(
                f"{path}: this released table is gone; differencing cannot be checked without it."
            )
        table = pd.read_csv(path, dtype=str)
        about = {key: entry[key] for key in ("id", "date", "measure", "geography")}
        found = Release(**about, table=table)
        if found.sha256 != entry["sha256"]:
            raise DataError(
                f"{path}: this table was changed after it was released. Put the released one back."
            )
        out.append(replace(found, table=table))
    return out


def _entries(folder: Path) -> list[dict[str, Any]]:
    path = folder / LOG
    if not path.is_file():
        return []
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return entries
