"""Read the sources of a project: its incidents, places and layers, and the chapter that judges them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, some
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

    from peelian.read.areas import AreaReading
    from peelian.read.checks import Limits
    from peelian.read.conditions import Conditions
    from peelian.read.lookups import Crosswalk
    from peelian.read.quality import Quality

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
    """What was read: the nouns, the refused rows of features, and one row for every file looked at.

    ``carried``  what was said of codes that were carried over to the places' own edition; ``areas`` what was
    wrong with the shapes; ``weather`` the weather and its calendar, where the project has any; ``notes`` what
    the readers have to say of their files; ``walk`` the lookup between editions of the areas.
    """

    incidents: Incidents
    places: Places
    layers: Layers
    rejected: pd.DataFrame
    files: pd.DataFrame
    areas: AreaReading
    carried: str = ""
    weather: Conditions | None = None
    notes: tuple[str, ...] = ()
    walk: Crosswalk | None = None


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

    Raises ``DataError`` for sources that cannot be read, for extracts of which every row was refused, and for
    a crime type that no row has.
    """
    from peelian.read.report import section, source_rows, tallies

    held = read(sources, parameters, progress=progress)
    _not_all_refused(held)
    chosen = held.incidents.of_type(list(crime))
    judged = _judged(held, sources, parameters, crime)
    counts = tallies(chosen, held.places, judged.tables["months"])
    outcome = Outcome(
        section(held, chosen, judged, counts, crime=crime),
        {
            "quality.json": judged.as_json(),
            "quality.csv": judged.checks,
            "rejected.csv": held.incidents.rejected,
            "rejected_features.csv": held.rejected,
            "files.csv": held.files,
            "areas.csv": counts.frame.drop(columns="geometry").reset_index(),
            "read.gpkg": counts.layered(crime),
            **({} if held.weather is None else held.weather.files),
        },
        _summary(held, chosen, judged),
        sources=source_rows(sources, held),
    )
    return outcome, held.incidents, held.places, held.layers


def _judged(held: Read, sources: Sources, parameters: Parameters, crime: tuple[str, ...]) -> Quality:
    """The judgement of the rows, and then of what stands beside them."""
    from peelian.read.checks_of_inputs import findings
    from peelian.read.quality import quality

    lsoas = held.walk is not None and held.walk.of_lsoas
    judged = quality(
        held.incidents,
        held.places,
        crime=crime,
        limits=_limits(parameters),
        published=_published(parameters, sources, crime),
        known_2011=held.walk.old if held.walk and lsoas else None,
        known_2021=held.walk.new if held.walk and lsoas else None,
    )
    study = held.places.areas[study_area(held.places, sources.places.where)]
    cells = float(study.sum()) / sources.places.cell**2
    return judged.followed_by(findings(held, cells=cells))


def _summary(held: Read, chosen: Incidents, judged: Quality) -> dict[str, Any]:
    return {
        "rows": held.incidents.rows_read,
        "accepted": len(held.incidents),
        "refused": len(held.incidents.rejected),
        "refused_features": len(held.rejected),
        "crime": len(chosen),
        "areas": len(held.places),
        "features": sum(len(layer) for layer in held.layers.values()),
        "warnings": judged.warnings["sentence"].tolist(),
    }


def _not_all_refused(held: Read) -> None:
    """Raise ``DataError``, with the reasons, where not one row could be used."""
    if len(held.incidents):
        return
    from peelian.read.quality import reasons

    rejected = held.incidents.rejected
    if rejected.empty:
        raise DataError(f"The files hold no row: {some(held.files['file'], 4)}. Name files with rows.")
    why = some([f"{reason}: {count:,}" for reason, count in reasons(rejected)["rows"].items()], 4)
    first = rejected.iloc[0]
    raise DataError(
        f"Every one of the {len(rejected):,} rows was refused ({why}). The first is row {first['row']} of "
        f"{first['file']}: {str(first['text'])[:200]!r}. Is the reader, or the mapping, the right one?"
    )


def read(sources: Sources, parameters: Parameters, *, progress: Progress | None = None) -> Read:
    """Everything that the sources hold, in the CRS of the places."""
    import pandas as pd

    from peelian.read.conditions import conditions
    from peelian.read.extracts import extract, flagged
    from peelian.read.ground import ground

    if not sources.incidents:
        raise DataError("peelian.toml names no [[incidents]], so there is nothing to read. Add an extract.")
    total = 1 + len(sources.incidents) + len(sources.layers)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    land = ground(sources.places, sources.folder)
    places = land.places
    step()
    readings = []
    for source in sources.incidents:
        readings.append(
            extract(source, sources.folder, places.crs, codes=land.codes, repeats=parameters.repeats)
        )
        step()
    together = combine([reading.incidents for reading in readings])
    if parameters.types == "comparable":
        together = _comparable(together)
    incidents, carried = land.carried(together)
    files = [r.files.assign(source=_short(s.file)) for r, s in zip(readings, sources.incidents, strict=True)]
    layers, refused, listed = _layers(sources, places, step)
    return Read(
        flagged(incidents),
        places,
        layers,
        pd.concat([incidents.rejected.iloc[:0], *refused], ignore_index=True),
        pd.concat([*files, *listed], ignore_index=True),
        land.areas,
        carried,
        conditions(sources.weather, sources.folder) if sources.weather else None,
        tuple(reading.note for reading in readings if reading.note),
        land.walk,
    )


def _comparable(incidents: Incidents) -> Incidents:
    """The incidents with types under names that meant the same in all their months."""
    from peelian.read.categories import comparable

    if not len(incidents):
        return incidents
    types = comparable(incidents.frame["type"], *incidents.span)
    return replace(incidents, frame=incidents.frame.assign(type=types))


def _layers(
    sources: Sources, places: Places, step: Callable[[], None]
) -> tuple[Layers, list[pd.DataFrame], list[pd.DataFrame]]:
    """The features of every source, the rows that are in none, and a row for each file."""
    layers: list[Any] = []
    refused, listed = [], []
    for source in sources.layers:
        found, left = _features(source, sources, places)
        layers += found.values()
        refused.append(left)
        listed.append(_feature_row(source, found, left))
        step()
    return Layers.of(layers), refused, listed


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
