"""Store: street-level crime of any size in Parquet files by force and month, counted where it lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, some
from peelian.incidents import Incidents
from peelian.read.files import Reading, counted, rejected_frame

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places

ROWS, REFUSED, ENTRIES, ASIDE = "street", "refused", "files", ".aside"
MEMORY = "2GB"


@dataclass(frozen=True)
class Store:
    """Street-level crime of many forces and months, in a folder of open files.

    ``folder``  made and filled by ``ingest``: ``street/force=.../month=.../*.parquet`` (accepted rows),
                ``refused/*.parquet`` (refused rows with their reasons), ``files/*.json`` (one entry a file:
                its hash, its rows, its parts). Only parts named by an entry count.

    Accepted rows and refused rows add up to the rows of the files: see ``files``.
    """

    folder: Path

    @property
    def entries(self) -> list[dict[str, Any]]:
        """One entry a file that was read, in order of name."""
        found = []
        for path in sorted((self.folder / ENTRIES).glob("*.json")):
            try:
                found.append(json.loads(path.read_text(encoding="utf-8")))
            except ValueError as error:
                raise DataError(
                    f"{path}: is damaged ({error}). Delete it and ingest its file again."
                ) from error
        return sorted(found, key=lambda entry: entry["file"])

    @property
    def files(self) -> pd.DataFrame:
        """One row a file: ``file``, ``kind``, ``rows``, ``accepted``, ``refused``."""
        return counted([(e["file"], e["kind"], e["rows"] - e["refused"], e["refused"]) for e in self.entries])

    @property
    def span(self) -> tuple[list[str], tuple[str, str]]:
        """The forces of accepted rows, in order, and the first and last month."""
        parts = self._parts(None, None, None)
        months = [part[3] for part in parts]
        return sorted({part[2] for part in parts}), (min(months), max(months))

    @property
    def refused(self) -> pd.DataFrame:
        """Every refused row: ``file``, ``row`` (number in the file), ``reason``, ``text``."""
        import pyarrow.parquet as pq

        found = []
        for entry in self.entries:
            for part in entry["parts"]:
                if part["path"].startswith(REFUSED):
                    table = pq.read_table(self._at(part))
                    columns = [table.column(name).to_pylist() for name in ("row", "reason", "text")]
                    found += [(entry["file"], *row) for row in zip(*columns, strict=True)]
        return rejected_frame(found)

    def counts(
        self,
        *,
        by: Literal["code", "point"] = "code",
        places: Places | None = None,
        types: Iterable[str] | None = None,
        first: str | None = None,
        last: str | None = None,
    ) -> pd.DataFrame:
        """Crimes by area, month and type: the counts above zero.

        ``by``      ``code``: the area code that police.uk gives; ``point``: the one of ``places`` that holds
                    the point. Each distinct point is located once.
        ``types``   only these; ``first`` and ``last`` month (``2016-05``), both included.

        Returns columns ``place`` (missing where a crime has no code, or no place holds it), ``month``,
        ``type`` (categories, in alphabetical order) and ``count``, in order of the three. The sum of
        ``count`` is the number of accepted rows asked for.
        """
        from peelian.read.tally import locate, tally

        parts = [(path, month) for path, _, _, month in self._parts(None, first, last)]
        located = locate([path for path, _ in parts], _given(places)) if by == "point" else None
        return tally(parts, located=located, types=types)

    def incidents(
        self,
        *,
        types: Iterable[str] | None = None,
        forces: Iterable[str] | None = None,
        areas: Iterable[str] | None = None,
        first: str | None = None,
        last: str | None = None,
        crs: object = 27700,
    ) -> Incidents:
        """A part of the store as Incidents, as ``police_uk`` reads them.

        ``types``   crime types; ``forces`` as the folders name them (``city-of-london-police``).
        ``areas``   area codes as police.uk gives them; ``first`` and ``last`` month, both included.
        ``crs``     the projected CRS in metres of the points.

        ``rejected`` holds the refused rows of the files that these parts come from, all of them: a row that
        could not be read has no type or area to be chosen by.
        """
        return self.reading(
            types=types, forces=forces, areas=areas, first=first, last=last, crs=crs
        ).incidents

    def reading(
        self,
        *,
        types: Iterable[str] | None = None,
        forces: Iterable[str] | None = None,
        areas: Iterable[str] | None = None,
        first: str | None = None,
        last: str | None = None,
        crs: object = 27700,
    ) -> Reading:
        """As ``incidents``, with the table of files: of each, the rows chosen, and those refused."""
        import geopandas as gpd
        import pandas as pd

        from peelian.read.coordinates import points

        rules = {"type": types, "place": areas}
        parts = self._parts(forces, first, last)
        held = _rows(parts, rules) if parts else None
        if held is None or held.empty:
            lacking = (
                "part of the store is of these forces and months"
                if held is None
                else ("row of these forces and months is of these types and areas")
            )
            raise DataError(f"{self.folder}: no {lacking}. It holds {self._said}.")
        geometry, _ = points(held["longitude"], held["latitude"], crs=4326, to=crs, name=str(self.folder))
        month = pd.PeriodIndex(held["month"].astype("str"), freq="M")
        words = ("type", "place", "outcome", "id", "reported_by", "source", "fault")
        text = {name: held[name].astype("str") for name in words}
        frame = gpd.GeoDataFrame(
            {
                "start": month.to_timestamp().astype("datetime64[us]"),
                "end": (month + 1).to_timestamp().astype("datetime64[us]"),
                **text,
                "row": held["row"].astype("int64"),
                "repeated": (held["id"].notna() & held["id"].duplicated()).astype(bool),
            },
            geometry=geometry,
            crs=geometry.crs,
        )
        refused = self.refused
        refused = refused[refused["file"].isin({part[1] for part in parts})].reset_index(drop=True)
        incidents = Incidents(frame, refused, precision="month", snapped=True, published=True)
        chosen, lost = frame["source"].value_counts(), refused["file"].value_counts()
        names = sorted({part[1] for part in parts})
        listing = [(name, "street", int(chosen.get(name, 0)), int(lost.get(name, 0))) for name in names]
        return Reading(incidents, counted(listing))

    @property
    def _said(self) -> str:
        """What the store holds, in a few words."""
        forces, (first, last) = self.span
        return f"{some(forces, 50)}, {first} to {last}"

    def sweep(self) -> None:
        """Remove parts that no entry names: what a run left that was killed."""
        named = {part["path"] for entry in self.entries for part in entry["parts"]}
        for top in (ROWS, REFUSED):
            for path in (self.folder / top).rglob("*.parquet"):
                if path.relative_to(self.folder).as_posix() not in named:
                    path.unlink()

    def _at(self, part: dict[str, Any]) -> str:
        return str(self.folder / part["path"])

    def _parts(
        self, forces: Iterable[str] | None, first: str | None, last: str | None
    ) -> list[tuple[str, str, str, str]]:
        """Path, file, force and month of the parts with accepted rows of these forces and months."""
        wanted = None if forces is None else set(forces)
        parts = [
            (self._at(part), entry["file"], part["force"], part["month"])
            for entry in self.entries
            for part in entry["parts"]
            if part["path"].startswith(ROWS)
        ]
        if not parts:
            raise DataError(f"{self.folder}: is no store of crime, or an empty one. Fill it with ingest.")
        there = {part[2] for part in parts}
        if wanted is not None and wanted - there:
            raise DataError(
                f"{self.folder}: holds no force {some(sorted(wanted - there))}; it holds "
                f"{some(sorted(there), 50)}."
            )
        return [
            part
            for part in parts
            if (wanted is None or part[2] in wanted)
            and (first is None or part[3] >= first)
            and (last is None or part[3] <= last)
        ]


def entry_file(key: str) -> str:
    """The name of the entry of a file, by the file's name in the store."""
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _given(places: Places | None) -> Places:
    if places is None:
        raise DataError("Counting by point needs the places that hold the points: counts(places=...).")
    return places


def _rows(parts: list[tuple[str, str, str, str]], rules: dict[str, Iterable[str] | None]) -> pd.DataFrame:
    """The rows of these parts that keep the rules, in order of file and row, by DuckDB within its memory."""
    import duckdb
    import pyarrow as pa

    kept = {name: list(values) for name, values in rules.items() if values is not None}
    where = " AND ".join(f"list_contains($k{name}, {name})" for name in kept) or "true"
    paths = [part[0] for part in parts]
    with duckdb.connect() as base:
        base.execute(f"SET memory_limit = '{MEMORY}'")
        base.register("origins", pa.table({"filename": paths, "source": [part[1] for part in parts]}))
        found = base.sql(
            "SELECT r.* EXCLUDE (filename, force), o.source FROM read_parquet($paths, filename = true, "
            f"hive_partitioning = false) r JOIN origins o USING (filename) WHERE {where} "
            "ORDER BY source, row",
            params={"paths": paths} | {f"k{name}": values for name, values in kept.items()},
        ).to_arrow_table()
    return found.to_pandas()
