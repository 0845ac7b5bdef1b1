"""Extracts: one [[incidents]] table of peelian.toml as Incidents, by the reader that it names."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from peelian.read.files import Reading

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.read.sources import IncidentSource


def extract(
    source: IncidentSource, folder: Path, crs: object, *, codes: Set[str], repeats: Literal["keep", "drop"]
) -> Reading:
    """The incidents of a source, in a CRS, with the table of files.

    ``folder``   that file names start from; ``crs`` in metres, of the points.
    ``codes``    of the areas, in whichever edition, for a store of which only these are wanted.
    ``repeats``  as under ``[read]``.
    """
    path = folder / source.file
    if source.reader == "police_uk":
        from peelian.read import police_uk

        return police_uk.reading(path, crs=crs, repeats=repeats, kind=source.kind)
    if source.reader == "store":
        return _stored(source, path, crs, codes)
    if source.reader == "counts":
        from peelian.read import expanded

        return expanded.reading(
            path, types=source.types, called=source.type, crs=crs, published=source.published
        )
    return _tabled(source, folder, crs, repeats)


def _stored(source: IncidentSource, path: Path, crs: object, codes: Set[str]) -> Reading:
    """A part of a store: rows of some forces, types, months and areas."""
    from peelian.read.store import Store

    return Store(path).reading(
        types=source.types,
        forces=source.forces,
        areas=sorted(codes) if source.areas == "places" else source.areas,
        first=source.first,
        last=source.last,
        crs=crs,
    )


def _tabled(source: IncidentSource, folder: Path, crs: object, repeats: Literal["keep", "drop"]) -> Reading:
    from peelian.read import table
    from peelian.read.mapping import completed

    source = completed(source, folder)
    return table.reading(
        folder / source.file,
        source.mapping,
        crs=source.crs,
        to=crs,
        dates=source.dates,
        type=source.type,
        period=source.period,
        timezone=source.timezone,
        sheet=source.sheet,
        columns=source.columns,
        precision=source.precision,
        snapped=source.snapped,
        published=source.published,
        repeats=repeats,
    )


def flagged(incidents: Incidents) -> Incidents:
    """The incidents with ``repeated`` told across all extracts, and not only within each."""
    frame = incidents.frame
    if "id" not in frame:
        return incidents
    again = frame["id"].notna() & frame["id"].duplicated()
    return replace(incidents, frame=frame.assign(repeated=again.astype(bool)))
