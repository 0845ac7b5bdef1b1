"""The log of what was published: each table with its day, its measure, its areas and its SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

LOG = "releases.json"
FOLDER = "releases"
COLUMNS = ("place", "first", "last", "count")


@dataclass(frozen=True, eq=False)
class Release:
    """One published table of counts.

    ``id`` its name; ``date`` of publication, ISO; ``measure`` what was counted; ``geography`` of its places;
    ``table`` rows of place, first and last month, and count (``c`` where hidden). ``parts`` place -> the
    smallest areas it consists of, so that a later table over other areas can be set beside it.
    """

    id: str
    date: str
    measure: str
    geography: str
    table: pd.DataFrame
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """SHA-256 of the table as CSV."""
        text: str = self.table[list(COLUMNS)].to_csv(index=False, lineterminator="\n")
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


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
        "parts": {place: sorted(parts) for place, parts in sorted(release.parts.items())},
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
        parts = {place: tuple(held) for place, held in entry.get("parts", {}).items()}
        found = Release(**about, table=table, parts=parts)
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
