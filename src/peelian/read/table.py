"""Table: any table of crime, CSV, Excel, Parquet or a spatial file, with a mapping of its columns."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import peelian.read.dates as calendar
from peelian.errors import DataError, some
from peelian.incidents import Incidents, Precision
from peelian.read.coordinates import points, system
from peelian.read.files import Reading, counted, members, rejected_frame
from peelian.read.rows import Rows
from peelian.read.tabular import ENDINGS, X, Y, of_member
from peelian.read.windows import Clock, windows

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd

FIELDS = (
    "start", "end", "recorded", "type", "easting", "northing", "longitude", "latitude", "place", "id",
    "address", "source_tag", "outcome",
)  # fmt: skip
PERIOD = r"^(19|20)\d\d(-(0[1-9]|1[0-2]))?$"
BRACES = r"\{([^{}]+)\}"
NOTHING = ("NA", "N/A", "#N/A", "NULL", "null", "NaN", "nan", "None")  # what programs write for nothing
MIDNIGHT = r"[ T]00:00:00(?:\.0+)? $"
KEPT = ("place", "id", "outcome")
BAD_RECORDED = "recorded is no date"


def table(
    path: Path | str,
    mapping: Mapping[str, str],
    *,
    crs: object = None,
    to: object = 27700,
    dates: str | None = None,
    type: str | None = None,
    period: str | None = None,
    timezone: str | None = None,
    precision: Precision | None = None,
    snapped: bool = False,
    published: bool = False,
    sheet: str | None = None,
    columns: tuple[str, ...] | None = None,
) -> Incidents:
    """Incidents from any table of crime, every row of it accepted or refused with a reason.

    ``path``       ``.csv``, ``.tsv``, ``.txt`` (also ``.gz``), ``.xlsx``, ``.parquet``, ``.gpkg``,
                   ``.geojson``, or several of them in a folder or a zip.
    ``mapping``    our name -> the file's column, or several columns in braces (``"{Date} {Time}"``,
                   ``"{year}-{month}-{day} {hour}:{minute}"``). ``start`` is required unless ``period`` is
                   given, and ``type`` unless it is given as a word for the whole file. Others: ``end``,
                   ``recorded``, ``easting`` and ``northing`` or ``longitude`` and ``latitude``, ``place``
                   (area code, enough by itself), ``id``, ``address``, ``source_tag``, ``outcome``.
    ``crs``        of the coordinates; 4326 for longitude and latitude, 27700 for easting and northing, and
                   that of the file where it is spatial.
    ``to``         the projected CRS in metres of the points.
    ``dates``      ``dmy`` or ``mdy`` where the year comes last, ``iso`` where it must come first, ``excel``
                   where numbers are a spreadsheet's days, ``days since 2002-01-01`` where they count on.
    ``period``     the year or month of all rows (``2017``), where no column holds a date.
    ``timezone``   moves times written with ``Z`` or ``+01:00`` to the clock of a place (``Europe/London``).
    ``precision``  found from the values (times, days or months) unless it is stated here.
    ``sheet``      of a workbook; the longest without it. ``columns`` of a CSV file that has no header.

    A window without an end lasts one step of its own precision; an end given as a day includes that day.
    A ``recorded`` month counts as known when it is over. ``address`` becomes a number for each distinct
    address of a file, never text. An ``id`` of 0 is none. Rows without coordinates are accepted without
    a point.

    Raises ``DataError`` for a column that is not there, and for dates that could be either way round.
    """
    return reading(
        path, mapping, crs=crs, to=to, dates=dates, type=type, period=period, timezone=timezone,
        precision=precision, snapped=snapped, published=published, sheet=sheet,
        columns=columns,
    ).incidents  # fmt: skip


def reading(
    path: Path | str,
    mapping: Mapping[str, str],
    *,
    crs: object = None,
    to: object = 27700,
    dates: str | None = None,
    type: str | None = None,
    period: str | None = None,
    timezone: str | None = None,
    precision: Precision | None = None,
    snapped: bool = False,
    published: bool = False,
    sheet: str | None = None,
    columns: tuple[str, ...] | None = None,
    repeats: Literal["keep", "drop"] = "keep",
) -> Reading:
    """As ``table``, with the table of files beside; later copies of an id refused if ``repeats`` say so."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    _check_mapping(path, mapping, type, period)
    clock = Clock(dates, timezone, precision, period)
    parts, left = _parts(Path(path), mapping, type, clock, sheet, columns)
    whole = pd.concat([part.frame for part in parts], ignore_index=True)
    declared = set()
    if not {"easting", "longitude"} & set(mapping) or mapping.get("easting") == X:
        declared = {part.read.crs for part in parts}
    given = crs if crs is not None else _one(declared, path)
    geometry, fault = _points(whole, mapping, given, to, str(path))
    whole["fault"] = fault.where(fault.notna(), whole["fault"])
    whole["source"] = whole["source"].astype("str")
    whole = whole.drop(columns=[name for name in ("x", "y") if name in whole])
    refused = [(part.name, *row) for part in parts for row in part.refused]
    if "id" in whole:
        whole["repeated"] = whole["id"].notna() & whole["id"].duplicated()
        if repeats == "drop":
            refused += _repeats(whole, parts)
            geometry = geometry[~whole["repeated"]]
            whole = whole[~whole["repeated"]]
    frame = gpd.GeoDataFrame(whole, geometry=geometry, crs=geometry.crs).reset_index(drop=True)
    step = precision or _coarsest(np.concatenate([part.step for part in parts]))
    incidents = Incidents(
        frame, rejected_frame(refused), precision=step, snapped=snapped, published=published
    )
    return Reading(incidents, _listing(parts, left, incidents))


@dataclass(frozen=True, eq=False)
class _Part:
    """One file of an extract: its usable rows, the step of each, the refused rows, the table itself."""

    name: str
    frame: pd.DataFrame
    step: np.ndarray
    refused: list[tuple[int, str, str]]
    read: Rows


def _parts(
    path: Path,
    mapping: Mapping[str, str],
    type: str | None,
    clock: Clock,
    sheet: str | None,
    columns: tuple[str, ...] | None,
) -> tuple[list[_Part], list[str]]:
    """The files of an extract, each read by itself, and the names of those that hold no table."""
    found, left = members(path, ENDINGS)
    if not found or not found[0].name.lower().endswith(ENDINGS):
        raise DataError(
            f"{path}: is no CSV file, nor another that holds a table ({', '.join(ENDINGS)}). "
            "Save the table as CSV, or name the right file."
        )
    plain = path if path.is_file() and len(found) == 1 and path.suffix != ".zip" else None
    parts = []
    for member in found:
        read = of_member(member, path=plain, sheet=sheet, names=columns)
        fields = _fields(read, mapping, f"{path}: {member.name}" if len(found) > 1 else path)
        frame, step, wrong = windows(fields, read, type, clock)
        frame.insert(0, "source", member.name)
        rest = _rest(frame, fields, member.name, clock)
        parts.append(_Part(member.name, rest, step, sorted([*read.refused, *wrong]), read))
    return parts, left


def _repeats(whole: pd.DataFrame, parts: list[_Part]) -> list[tuple[str, int, str, str]]:
    """The later copies of an id as refused rows, each naming the row that it repeats."""
    known = whole[whole["id"].notna() & ~whole["repeated"]].set_index("id")
    reads = {part.name: part.read for part in parts}
    position = {
        name: {number: at for at, number in enumerate(read.table["row"].to_pylist())}
        for name, read in reads.items()
    }
    refused = []
    for row in whole[whole["repeated"]].itertuples():
        first = known.loc[row.id]
        where = "" if first["source"] == row.source else f" of {first['source']}"
        text = reads[row.source].text(position[row.source][row.row])
        refused.append((row.source, int(row.row), f"repeats the ID of row {first['row']}{where}", text))
    return refused


def _listing(parts: list[_Part], left: list[str], incidents: Incidents) -> pd.DataFrame:
    accepted = incidents.frame["source"].value_counts()
    refused = incidents.rejected["file"].value_counts()
    listing = [(name, "left alone: holds no table", 0, 0) for name in left]
    listing += [(p.name, "table", int(accepted.get(p.name, 0)), int(refused.get(p.name, 0))) for p in parts]
    return counted(sorted(listing))


def _one(systems: set[object], path: object) -> object:
    """The one CRS that the files declare, if any does."""
    known = {system for system in systems if system is not None}
    if len(known) > 1:
        raise DataError(f"{path}: its files are in different coordinate systems; name them one by one.")
    return known.pop() if known else None


def _check_mapping(
    path: Path | str, mapping: Mapping[str, str], type: str | None, period: str | None
) -> None:
    for name in mapping:
        if name not in FIELDS:
            close = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(FIELDS)}."
            raise DataError(f"{path}: the mapping has no field {name!r}. {hint}")
    if "start" not in mapping and period is None:
        raise DataError(
            f"{path}: the mapping lacks start: name the column with the date of the crime. Where there is "
            'none, say when all rows happened: period = "2017".'
        )
    if period is not None and not re.match(PERIOD, period):
        raise DataError(f'{path}: period = {period!r} is no year and no month. Write "2017" or "2017-05".')
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

    names = {field: _columns(column, read) for field, column in mapping.items()}
    if X in read.header and not {"easting", "longitude"} & set(mapping):
        mapping = {**mapping, "easting": X, "northing": Y}
        names |= {"easting": [X], "northing": [Y]}
    lacking = [column for columns in names.values() for column in columns if read.find(column) is None]
    if lacking:
        close = difflib.get_close_matches(lacking[0], read.header, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise DataError(
            f"{path}: has no column {some([repr(name) for name in lacking])}; it has "
            f"{some(read.header, 40) or 'none: it is empty'}.{hint}"
        )
    held = read.texts()
    fields = pd.DataFrame(index=held.index)
    for field, columns in names.items():
        parts = {column: held[str(read.find(column))] for column in columns}
        plain = len(columns) == 1 and mapping[field] != "{" + columns[0] + "}"
        held_here = parts[columns[0]] if plain else _joined(mapping[field], parts)
        named = field in ("type", "outcome")
        fields[field] = held_here if named else held_here.mask(held_here.isin(NOTHING))
    return fields


def _columns(column: str, read: Rows) -> list[str]:
    """The columns that a mapping's value names: itself, or those in its braces."""
    named = re.findall(BRACES, column)
    return named if named and read.find(column) is None else [column]


def _joined(pattern: str, parts: Mapping[str, pd.Series]) -> pd.Series:
    """Several columns as one text; white space and marks that blank parts leave at its end are cut off.

    A midnight that stands before a time in another column, as in exports of databases, is dropped.
    """
    import pandas as pd

    index = next(iter(parts.values())).index
    text = pd.Series("", index=index, dtype="str")
    missing = pd.Series(True, index=index)
    for literal, name in re.findall(r"([^{}]*)(?:\{([^{}]+)\})?", pattern):
        text = text + literal
        if name:
            part = parts[name]
            short = part.str.len() == 1
            part = part.where(~(short & part.str.isdigit()), "0" + part)  # 5 -> 05, as 8:5 is no time
            text = text.str.replace(MIDNIGHT, " ", regex=True) + part.fillna("")
            missing &= part.isna()
    return text.str.replace(r"[ :/-]+$", "", regex=True).where(~missing)


def _coarsest(step: np.ndarray) -> Precision:
    return calendar.STEPS[int(step.min())] if len(step) else "day"  # type: ignore[return-value]


def _rest(frame: pd.DataFrame, fields: pd.DataFrame, file: str, clock: Clock) -> pd.DataFrame:
    """The accepted rows with the other mapped columns."""
    import pandas as pd

    held = fields.loc[frame.index]
    frame = frame.copy()
    frame["fault"] = pd.Series(None, index=frame.index, dtype="str")
    for name in KEPT:
        if name in held:
            frame[name] = held[name].where(held[name] != "0") if name == "id" else held[name]
    if "recorded" in held:
        written = clock.read(held["recorded"], "column of recorded", serials=True)
        after = calendar.step_after(written.instant, written.step)
        recorded = written.instant.where(written.step > 0, after)
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
