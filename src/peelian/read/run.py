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
    judged = quality(held.incidents, held.places, crime=crime, limits=_limits(parameters))
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
    incidents = combine([reading.incidents for reading in readings])
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
    return Read(_flagged(incidents), places, Layers.of(layers), rejected, pd.concat(files, ignore_index=True))


def _places(sources: Sources) -> Places:
    from peelian.read.areas import areas

    asked = sources.places
    return areas(
        sources.folder / asked.file,
        id=asked.id,
        households=asked.households,
        name=asked.name,
        layer=asked.layer,
        crs=asked.crs,
        where=asked.where,
    )


def _incidents(source: IncidentSource, sources: Sources, parameters: Parameters, places: Places) -> Reading:
    path = sources.folder / source.file
    if source.reader == "police_uk":
        from peelian.read import police_uk

        return police_uk.reading(path, crs=places.crs, repeats=parameters.repeats)
    from peelian.read import table

    return table.reading(
        path,
        source.mapping,
        crs=source.crs,
        to=places.crs,
        dates=source.dates,
        type=source.type,
        precision=source.precision,
        snapped=source.snapped,
        published=source.published,
    )


def _features(source: LayerSource, sources: Sources, places: Places) -> tuple[Layers, pd.DataFrame]:
    from peelian.read.features import features

    return features(
        sources.folder / source.file,
        category=source.category,
        easting=source.easting,
        northing=source.northing,
        longitude=source.longitude,
        latitude=source.latitude,
        weight=source.weight,
        layer=source.layer,
        crs=source.crs,
        to=places.crs,
        categories=source.categories,
        minimum=source.minimum,
        prefix=source.prefix,
        kind=source.kind,
        sign=source.sign,
        operations=source.operations,
        about=source.about,
        source=source.source,
        date=source.date,
        licence=source.licence,
    )


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


def study_area(places: Places, where: str | None = None) -> list[str]:
    """The ids of the places in the study area (see ``areas.study_area``)."""
    from peelian.read import areas

    return areas.study_area(places, where)
