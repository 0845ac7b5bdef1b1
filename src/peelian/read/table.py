"""Table: any dated CSV of crime, with a mapping from our names to its columns."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import peelian.read.dates as calendar
from peelian.errors import DataError, some
from peelian.incidents import Incidents, Precision
from peelian.read.coordinates import points, system
from peelian.read.files import Reading, counted, members, rejected_frame
from peelian.read.rows import Rows, rows, trimmed

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd

ENDINGS = (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz")
FIELDS = (
    "start", "end", "recorded", "type", "easting", "northing", "longitude", "latitude", "place", "id",
    "address", "source_tag", "outcome",
)  # fmt: skip
KEPT = ("place", "id", "outcome")
BAD_START, BAD_END = "start is no date", "end is no date"
NO_START, BACKWARDS, NO_TYPE = "no start", "ends before it starts", "no crime type"
BAD_RECORDED = "recorded is no date"


def table(
    path: Path | str,
    mapping: Mapping[str, str],
    *,
    crs: object = None,
    to: object = 27700,
    dates: calendar.Order | None = None,
    type: str | None = None,
    precision: Precision | None = None,
    snapped: bool = False,
    published: bool = False,
) -> Incidents:
    """Incidents from a dated CSV file, every row of it accepted or refused with a reason.

    ``path``       ``.csv``, ``.tsv`` or ``.txt``, plain, ``.gz``, or several of them in a folder or a zip.
    ``mapping``    our name -> the file's column. ``start`` is required; ``type`` too unless given as a word
                   for the whole file. Others: ``end``, ``recorded``, ``easting`` and ``northing`` or
                   ``longitude`` and ``latitude``, ``place`` (area code), ``id``, ``address``, ``source_tag``,
                   ``outcome``.
    ``crs``        of the coordinates; 4326 for longitude and latitude, 27700 for easting and northing.
    ``to``         the projected CRS in metres of the points.
    ``dates``      ``dmy`` or ``mdy`` where the year comes last, ``iso`` where it must come first.
    ``precision``  found from the values (times, days or months) unless it is stated here.

    A window without an end lasts one step of its own precision; an end given as a day includes that day.
    ``address`` becomes a number for each distinct address of a file, never text. Rows without coordinates
    are accepted without a point.

    Raises ``DataError`` for a column that is not there, and for dates that could be either way round.
    """
    return reading(
        path, mapping, crs=crs, to=to, dates=dates, type=type, precision=precision, snapped=snapped,
        published=published,
    ).incidents  # fmt: skip


def reading(
    path: Path | str,
    mapping: Mapping[str, str],
    *,
    crs: object = None,
    to: object = 27700,
    dates: calendar.Order | None = None,
    type: str | None = None,
    precision: Precision | None = None,
    snapped: bool = False,
    published: bool = False,
) -> Reading:
    """As ``table``, with the table of files beside."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    _check_mapping(path, mapping, type)
    found, left = members(path, ENDINGS)
    if not found or not found[0].name.lower().endswith(ENDINGS):
        raise DataError(
            f"{path}: is no CSV file ({', '.join(ENDINGS)}). Save the table as CSV, or name the right file."
        )
    frames, refused, steps, listing = [], [], [], [(name, "left alone: no CSV file", 0, 0) for name in left]
    for member in found:
        read = rows(member.read())
        fields = _fields(read, mapping, f"{path}: {member.name}" if len(found) > 1 else path)
        frame, step, wrong = _windows(fields, read, type, dates, precision)
        wrong = sorted([*read.refused, *wrong])
        frame.insert(0, "source", member.name)
        frames.append(_rest(frame, fields, member.name, dates))
        steps.append(step)
        refused += [(member.name, *row) for row in wrong]
        listing.append((member.name, "table", len(frame), len(wrong)))
    whole = pd.concat(frames, ignore_index=True)
    geometry, fault = _points(whole, mapping, crs, to, str(path))
    whole["fault"] = fault.where(fault.notna(), whole["fault"])
    whole["source"] = whole["source"].astype("str")
    whole = whole.drop(columns=[name for name in ("x", "y") if name in whole])
    if "id" in whole:
        whole["repeated"] = whole["id"].notna() & whole["id"].duplicated()
    incidents = Incidents(
        gpd.GeoDataFrame(whole, geometry=geometry, crs=geometry.crs),
        rejected_frame(refused),
        precision=precision or _coarsest(np.concatenate(steps)),
        snapped=snapped,
        published=published,
    )
    return Reading(incidents, counted(sorted(listing)))


def _check_mapping(path: Path | str, mapping: Mapping[str, str], type: str | None) -> None:
    for name in mapping:
        if name not in FIELDS:
            close = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(FIELDS)}."
            raise DataError(f"{path}: the mapping has no field {name!r}. {hint}")
    if "start" not in mapping:
        raise DataError(f"{path}: the mapping lacks start: name the column with the date of the crime.")
    if "type" not in mapping and not type:
        raise DataError(
            f'{path}: the mapping lacks type. Name its column, or say what all rows are: type = "Burglary".'
        )
    for one, other in (("easting", "northing"), ("longitude", "latitude")):
        if (one in mapping) != (other in mapping):
            raise DataError(f"{path}: the mapping names only one of {one} and {other}. Name both or neither.")
    if "easting" in mapping and "longitude" in mapping:
        raise DataError(f"{path}: the mapping names easting and longitude. Keep one pair of coordinates.")


def _fields(read: Rows, mapping: Mapping[str, str], path: object) -> pd.DataFrame:
    """The mapped columns as trimmed text under our names, on row numbers."""
    import pandas as pd

    lacking = [column for column in mapping.values() if read.find(column) is None]
    if lacking:
        close = difflib.get_close_matches(lacking[0], read.header, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise DataError(
            f"{path}: has no column {some([repr(name) for name in lacking])}; it has "
            f"{some(read.header, 40) or 'none: it is empty'}.{hint}"
        )
    chosen = {field: str(read.find(column)) for field, column in mapping.items()}
    held = trimmed(read.table).to_pandas()
    fields = pd.DataFrame({field: held[at].astype("str") for field, at in chosen.items()})
    return fields.set_index(held["row"])


def _windows(
    fields: pd.DataFrame,
    read: Rows,
    type: str | None,
    order: calendar.Order | None,
    precision: Precision | None,
) -> tuple[pd.DataFrame, np.ndarray, list[tuple[int, str, str]]]:
    """Start, end, type of the usable rows, their steps, and the refused rows."""
    import numpy as np
    import pandas as pd

    start = calendar.dates(fields["start"], order=order, name=f"column of start ({fields['start'].name})")
    step = start.step if precision is None else np.minimum(start.step, calendar.STEPS.index(precision))
    begin = _floor(start.instant, step)
    end = calendar.step_after(begin, step)
    reason = pd.Series(None, index=fields.index, dtype="object")
    if "end" in fields:
        given = calendar.dates(fields["end"], order=order, name="column of end")
        coarse = np.minimum(given.step, step)
        closed = _closed(given.instant, coarse)
        reason[fields["end"].notna() & given.instant.isna()] = BAD_END
        reason[_floor(given.instant, coarse) < _floor(begin, coarse)] = BACKWARDS
        end = closed.where(closed > begin, end)
    kind = fields["type"] if "type" in fields else pd.Series(type, index=fields.index, dtype="str")
    reason[kind.isna()] = NO_TYPE
    reason[begin.isna()] = BAD_START
    reason[fields["start"].isna()] = NO_START
    good = reason.isna()
    position = {number: at for at, number in enumerate(fields.index)}
    refused = [(int(n), why, read.text(position[n])) for n, why in reason[~good].items()]
    frame = pd.DataFrame({"start": begin, "end": end, "type": kind.astype("str")})[good]
    frame.index.name = "row"
    return frame, step[good.to_numpy()], refused


def _floor(instant: pd.Series, step: np.ndarray) -> pd.Series:
    """The start of the step that an instant lies in."""
    day = instant.dt.normalize()
    month = instant.dt.to_period("M").dt.to_timestamp()
    return instant.where(step == 2, day.where(step == 1, month)).astype("datetime64[us]")


def _closed(instant: pd.Series, step: np.ndarray) -> pd.Series:
    """Ends as written, moved to the end of their day or month where no time was given."""
    later = calendar.step_after(_floor(instant, step), step)
    return instant.where(step == 2, later)


def _coarsest(step: np.ndarray) -> Precision:
    return calendar.STEPS[int(step.min())] if len(step) else "day"  # type: ignore[return-value]


def _rest(frame: pd.DataFrame, fields: pd.DataFrame, file: str, order: calendar.Order | None) -> pd.DataFrame:
    """The accepted rows with the other mapped columns."""
    import pandas as pd

    held = fields.loc[frame.index]
    frame = frame.copy()
    frame["fault"] = pd.Series(None, index=frame.index, dtype="str")
    for name in KEPT:
        if name in held:
            frame[name] = held[name]
    if "recorded" in held:
        recorded = calendar.dates(held["recorded"], order=order, name="column of recorded").instant
        frame["recorded"] = recorded
        frame.loc[held["recorded"].notna() & recorded.isna(), "fault"] = BAD_RECORDED
    if "source_tag" in held:
        frame["source_tag"] = held["source_tag"].str.lower().fillna("unknown")
    if "address" in held:
        words = held["address"].str.casefold().str.replace(r"\W+", " ", regex=True).str.strip()
        rank = words.rank(method="dense").astype("Int64").astype("str")
        frame["address"] = (f"{file}:" + rank).where(words.notna())
    for x, y in (("easting", "northing"), ("longitude", "latitude")):
        if x in held:
            frame["x"], frame["y"] = held[x], held[y]
    return frame.reset_index()


def _points(
    frame: pd.DataFrame, mapping: Mapping[str, str], crs: object, to: object, path: str
) -> tuple[gpd.GeoSeries, pd.Series]:
    import geopandas as gpd
    import pandas as pd

    if "x" not in frame:
        blank = pd.Series(None, index=frame.index, dtype="str")
        return gpd.GeoSeries([None] * len(frame), index=frame.index, crs=system(to, path)), blank
    given = crs if crs is not None else (4326 if "longitude" in mapping else 27700)
    return points(frame["x"], frame["y"], crs=given, to=to, name=path)
