"""Read the sources of a project: its incidents, places and layers, and the chapter that judges them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError
from peelian.incidents import Incidents, combine
from peelian.layers import Layers
from peelian.places import Places
from peelian.read.sources import (
    IncidentSource,
    LayerSource,
    Parameters,
    PlacesSource,
    Sources,
    sources_of,
)
from peelian.report import Outcome

if TYPE_CHECKING:
    import pandas as pd

    from peelian.read.checks import Limits
    from peelian.read.files import Reading

__all__ = [
    "IncidentSource",
    "LayerSource",
    "Parameters",
    "PlacesSource",
    "Read",
    "Sources",
    "read",
    "run",
    "sources_of",
    "study_area",
]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Read:
    """What was read: the nouns, the refused rows of features, and one row for every file looked at."""

    incidents: Incidents
    places: Places
    layers: Layers
    rejected: pd.DataFrame
    files: pd.DataFrame
    carried: str = ""


def run(
    sources: Sources,
    parameters: Parameters,
    *,
    crime: tuple[str, ...],
    seed: int,
    progress: Progress | None = None,
) -> tuple[Outcome, Incidents, Places, Layers]:
    """The chapter "what was recorded, where, and what is wrong with it?", and the nouns it rests on.

    ``crime``  the types of the project; the incidents that are returned are of all types.
    ``seed``   is not used: nothing is drawn here.

    Raises ``DataError`` for sources that cannot be read and for a crime type that no row has.
    """
    from peelian.read.quality import quality
    from peelian.read.report import section, source_rows, tallies

    held = read(sources, parameters, progress=progress)
    chosen = held.incidents.of_type(list(crime))
    judged = quality(
        held.incidents,
        held.places,
        crime=crime,
        limits=_limits(parameters),
        published=_published(parameters, sources, crime),
    )
    counts = tallies(chosen, held.places)
    files: dict[str, Any] = {
        "quality.json": judged.as_json(),
        "quality.csv": judged.checks,
        "rejected.csv": held.incidents.rejected,
        "rejected_features.csv": held.rejected,
        "files.csv": held.files,
        "areas.csv": counts.frame.drop(columns="geometry").reset_index(),
        "read.gpkg": counts.layered(crime),
    }
    summary = {
        "rows": held.incidents.rows_read,
        "accepted": len(held.incidents),
        "refused": len(held.incidents.rejected),
        "refused_features": len(held.rejected),
        "crime": len(chosen),
        "areas": len(held.places),
        "features": sum(len(layer) for layer in held.layers.values()),
        "warnings": judged.warnings["sentence"].tolist(),
    }
    outcome = Outcome(
        section(held, chosen, judged, counts, crime=crime),
        files,
        summary,
        sources=source_rows(sources, held),
    )
    return outcome, held.incidents, held.places, held.layers


def read(sources: Sources, parameters: Parameters, *, progress: Progress | None = None) -> Read:
    """Everything that the sources hold, in the CRS of the places."""
    import pandas as pd

    if not sources.incidents:
        raise DataError("peelian.toml names no [[incidents]], so there is nothing to read. Add an extract.")
    total = 1 + len(sources.incidents) + len(sources.layers)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    places = _places(sources)
    step()
    readings = []
    for source in sources.incidents:
        readings.append(_incidents(source, sources, parameters, places))
        step()
    incidents, carried = _carried(combine([reading.incidents for reading in readings]), sources, places)
    files = [r.files.assign(source=_short(s.file)) for r, s in zip(readings, sources.incidents, strict=True)]
    layers: list[Any] = []
    refused = [incidents.rejected.iloc[:0]]
    for layer in sources.layers:
        found, left = _features(layer, sources, places)
        layers += found.values()
        refused.append(left)
        files.append(_feature_row(layer, found, left))
        step()
    rejected = pd.concat(refused, ignore_index=True)
    listing = pd.concat(files, ignore_index=True)
    return Read(_flagged(incidents), places, Layers.of(layers), rejected, listing, carried)


def _places(sources: Sources) -> Places:
    from peelian.read.areas import areas

    asked = sources.places
    own = asked.households if asked.profile is None else None
    places = areas(
        sources.folder / asked.file,
        id=asked.id,
        households=own,
        name=asked.name,
        layer=asked.layer,
        crs=asked.crs,
        where=asked.where,
    )
    if asked.profile is None:
        return places
    from peelian.read.profiles_area import joined, profile

    held = profile(sources.folder / asked.profile, id=asked.profile_id)
    return joined(places, held, households=asked.households).places


def _carried(incidents: Incidents, sources: Sources, places: Places) -> tuple[Incidents, str]:
    """The incidents on the places' own edition of the area codes, and what was carried over in words."""
    asked = sources.places
    if asked.lookup is None:
        return incidents, ""
    from peelian.read.apportion import recoded_incidents
    from peelian.read.lookups import lookup

    old, new = asked.lookup_codes or (None, None)
    return recoded_incidents(incidents, places, lookup(sources.folder / asked.lookup, old=old, new=new))


def _incidents(source: IncidentSource, sources: Sources, parameters: Parameters, places: Places) -> Reading:
    path = sources.folder / source.file
    if source.reader == "police_uk":
        from peelian.read import police_uk

        return police_uk.reading(path, crs=places.crs, repeats=parameters.repeats, kind=source.kind)
    from peelian.read import table
    from peelian.read.mapping import completed

    source = completed(source, sources.folder)
    return table.reading(
        path,
        source.mapping,
        crs=source.crs,
        to=places.crs,
        dates=source.dates,
        type=source.type,
        period=source.period,
        timezone=source.timezone,
        sheet=source.sheet,
        columns=source.columns,
        precision=source.precision,
        snapped=source.snapped,
        published=source.published,
    )


def _features(source: LayerSource, sources: Sources, places: Places) -> tuple[Layers, pd.DataFrame]:
    from peelian.read.layers_by_reader import given, read_layers

    path = sources.folder / source.file
    return read_layers(source.reader, path, given(source), to=places.crs, folder=sources.folder)


def _feature_row(source: LayerSource, found: Layers, left: pd.DataFrame) -> pd.DataFrame:
    from peelian.read.files import counted

    accepted = sum(len(layer) for layer in found.values())
    row = (source.file.rsplit("/", 1)[-1], f"features in {len(found)} layers", accepted, len(left))
    return counted([row]).assign(source=_short(source.file))


def _short(file: str) -> str:
    """A file's own name: where it lies on this machine is nobody's business."""
    return file.replace("\\", "/").rsplit("/", 1)[-1]


def _flagged(incidents: Incidents) -> Incidents:
    """The incidents with ``repeated`` told across all extracts, and not only within each."""
    from dataclasses import replace

    frame = incidents.frame
    if "id" not in frame:
        return incidents
    again = frame["id"].notna() & frame["id"].duplicated()
    return replace(incidents, frame=frame.assign(repeated=again.astype(bool)))


def _limits(parameters: Parameters) -> Limits:
    from peelian.read.checks import Limits

    return Limits(**{name: getattr(parameters, name) for name in Limits.__dataclass_fields__})


def _published(parameters: Parameters, sources: Sources, crime: tuple[str, ...]) -> pd.Series | None:
    """Published monthly totals of the project's crime, where [read] names a table of them."""
    if parameters.published is None:
        return None
    from peelian.read.mps import counts

    held = counts(sources.folder / parameters.published)
    if held.step != "month":
        raise DataError(f"{parameters.published}: holds counts by year; totals by month are needed.")
    return held.totals(parameters.published_category or crime[0])


def study_area(places: Places, where: str | None = None) -> list[str]:
    """The ids of the places in the study area (see ``areas.study_area``)."""
    from peelian.read import areas

    return areas.study_area(places, where)
