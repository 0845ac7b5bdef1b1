"""Guesses: from headers and values, what a column is likely to hold; each can say why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from peelian.read.columns import Column, words
from peelian.read.coordinates import numbers
from peelian.read.rows import Rows
from peelian.read.systems import Box, beside, box_of, likely
from peelian.read.tabular import X, Y
from peelian.words import percent

if TYPE_CHECKING:
    import numpy as np

HEADERS: dict[str, tuple[str, ...]] = {  # the surer words first
    "start": (
        "date start", "start date", "start datetime", "committed from", "date from", "from date", "earliest",
        "occurred from", "date occ", "occurred", "occurrence", "incident datetime", "incident date",
        "offence date", "offense date", "crime date", "committed", "start", "datetime", "date time", "when",
        "from", "date", "month",
    ),
    "end": (
        "date end", "end date", "end datetime", "committed to", "date to", "to date", "latest", "occurred to",
        "end", "to",
    ),
    "recorded": ("recorded", "reported", "rptd", "rpt", "coded", "report date", "created", "date report"),
    "type": (
        "crime type", "primary type", "offence type", "offense type", "crime category", "offence", "offense",
        "category", "type", "classification", "crime", "ucr description", "class", "charge", "description",
    ),
    "place": (
        "lsoa code", "lsoa11cd", "lsoa21cd", "lsoa", "output area", "ward code", "census block",
        "block group", "census tract", "ward", "neighbourhood", "neighborhood", "community area", "beat",
        "sector", "comuna", "npu", "bin", "precinct", "district", "division", "zone", "area",
    ),
    "id": (
        "crime id", "crime uid", "incident id", "incident no", "incident number", "case number",
        "crime number", "crime no", "crime reference", "occurrence number", "report number", "urn", "uid",
        "id", "reference", "ref", "no", "number",
    ),
    "address": ("full address", "street address", "block address", "address"),
    "outcome": ("last outcome", "outcome", "disposal", "status"),
}  # fmt: skip
LONGITUDE, LATITUDE = ("longitude", "lon", "long", "lng"), ("latitude", "lat")
EAST = ("easting", "east", "osgr east", "x coord", "x coordinate", "coord x", "x")
NORTH = ("northing", "north", "osgr north", "y coord", "y coordinate", "coord y", "y")
COUNT = ("count", "counts", "n", "total", "crimes", "incidents", "offences", "number")
PLACELIKE = (
    "location",
    "loc",
    "premise",
    "premises",
    "place",
    "address",
    "street",
    "weapon",
    "outcome",
    "source",
)
CODE = re.compile(r"^[EWSN]\d{8}$")
MONTHS = re.compile(r"^(19|20)\d\d[-_ ]?(0[1-9]|1[0-2])([-_ ]?\d\d)?$")
ASK_TYPE = (
    "No column holds the crime type; the file's name suggests {!r} for all rows. Is that what they are?"
)
ASK_PERIOD = 'Say when they happened: period = "2017".'
BRITAIN = (0.0, 700_000.0, 0.0, 1_300_000.0)  # British National Grid, metres
PARTS = ("year", "month", "day", "hour", "minute")


@dataclass(frozen=True)
class Where:
    """The coordinates found: their mapping, their system, and what is to be said of them."""

    mapping: dict[str, str]
    crs: str | int | None = None
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


# -------------------------------------------------------------------- the file as a whole
def headless(header: tuple[str, ...]) -> bool:
    """True where the first line holds dates or decimal numbers, as no header does."""
    dated = sum(bool(re.match(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}([ T]|$)", name)) for name in header)
    decimal = sum(bool(re.match(r"^[+-]?\d+[.]\d+$", name)) for name in header)
    lettered = sum(bool(re.match(r"^[A-Za-z][A-Za-z _]*$", name)) for name in header)
    return dated + decimal >= 2 and lettered <= len(header) / 2 and dated + decimal < max(len(header), 9)


def published(header: tuple[str, ...]) -> str:
    """What to say of a layout that needs no mapping; empty where it is none of those."""
    held = {name.casefold() for name in header}
    if {"month", "crime type", "lsoa code"} <= held or {"month", "outcome type"} <= held:
        return 'An unchanged file of data.police.uk: reader = "police_uk" reads it without a mapping.'
    if {"date", "object of search"} <= held:
        return 'Stops and searches of data.police.uk: reader = "police_uk" with kind = "stop-and-search".'
    months = [name for name in header if MONTHS.match(name)]
    if len(months) >= 3:
        unit = "day" if any(len(re.sub(r"\D", "", name)) == 8 for name in months) else "month"
        return (
            f"Counts by area and {unit}, not incidents: {len(months):,} columns are {unit}s, {months[0]} to "
            f"{months[-1]}. From Python, peelian.read.mps.counts reads tables with a column a month."
        )
    return ""


def counted(read: Rows, held: list[Column], found: dict[str, str]) -> str:
    """What to say of a table of counts by area and time; empty where it is a list of incidents."""
    count = next(
        (c for c in held if c.numeric and c.whole and c.low >= 0 and " ".join(c.words) in COUNT), None
    )
    if count is None or "start" not in found or "place" not in found or {"easting", "longitude"} & set(found):
        return ""
    keys = [found[name] for name in ("start", "place", "type") if name in found]
    frame = read.texts()[[str(read.find(name)) for name in keys if read.find(name) is not None]]
    if frame.duplicated().any():
        return ""
    step = next(c.step for c in held if c.name == found["start"])
    areas = frame.iloc[:, 1].nunique()
    return (
        f"Counts by area and {step}, not incidents: each of {areas:,} values of {found['place']!r} "
        f"stands once with each {step}, and {count.name!r} holds whole numbers. It cannot be an "
        "[[incidents]] source; from Python, peelian.read.mps.counts reads it."
    )


def whereabouts(path: Path, near: Path | str | None) -> Box | None:
    """Where the crime lies in degrees: the extent of the file given, or of the spatial files beside."""
    boxes = [box for file in ([Path(near)] if near is not None else beside(path)) if (box := box_of(file))]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def type_of(path: Path) -> str:
    """A crime type from a file's name: ``aggravated_assaults.csv.gz`` is Aggravated assaults."""
    stem = path.name.split(".")[0]
    said = [word for word in words(stem) if not word.isdigit()]
    return " ".join(said).capitalize() or "Crime"


def period_of(path: Path) -> str:
    """The year in a file's name, if there is one."""
    years = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", path.name)
    return years[0] if len(set(years)) == 1 else ""


# -------------------------------------------------------------------- fields
def fields(held: list[Column]) -> dict[str, str]:
    """Our name -> column, of dates, types, areas and ids."""
    found: dict[str, str] = {}
    for field in ("end", "recorded", "start", "type", "place", "id", "address", "outcome"):
        left = [column for column in held if column.name not in found.values()]
        chosen = min(left, key=lambda column: _rank(field, column), default=None)
        if chosen is not None and _rank(field, chosen) < 1000:
            found[field] = chosen.name
    if "end" in found and "start" not in found:
        found["start"] = found.pop("end")
    if "start" in found and "{" not in found["start"]:
        clock = _clock(held, found["start"])
        if clock:
            found["start"] = f"{{{found['start']}}} {{{clock}}}"
    elif "start" not in found and "recorded" not in found:
        found |= _parted(held)
    elif "start" not in found:
        found["start"] = found.pop("recorded")
    return found


def _rank(field: str, column: Column) -> int:
    """How well a column fits a field: lower is better, 1000 is not at all."""
    if not column.given or not _could(field, column):
        return 1000
    if field == "place" and column.examples and all(CODE.match(text) for text in column.examples):
        return -1
    for rank, phrase in enumerate(HEADERS[field]):
        if column.named(phrase):
            return rank
    unnamed = column.name.startswith("column ")
    if (
        field == "start"
        and (column.step or unnamed)
        and column.step
        and not column.named("modified", "updated")
    ):
        return 900
    return 900 if field == "type" and unnamed and column.distinct <= 200 else 1000


def _could(field: str, column: Column) -> bool:
    """True where the values of a column could be those of a field."""
    if field in ("start", "end", "recorded"):
        return bool(column.step) and not (field == "end" and column.named("start"))
    if column.step:
        return False
    if field == "type":
        few = column.distinct <= max(0.5 * column.rows, 1)
        return column.lettered >= 0.9 and few and not any(column.named(word) for word in PLACELIKE)
    if field == "id" and any(column.named(word) for word in PLACELIKE):
        return False
    if field == "id":
        return column.distinct >= 0.5 * column.rows * column.given and not (
            column.numeric and not column.whole
        )
    if field == "address":
        return column.lettered > 0.5
    if field == "outcome":
        return column.lettered > 0.9 and not column.numeric
    few = column.distinct < 0.9 * column.rows
    return few and not (column.numeric and not column.whole) and not column.named("name")


def _clock(held: list[Column], start: str) -> str:
    """The column with the time of day that belongs to a column of days."""
    column = next(c for c in held if c.name == start)
    if column.step != "day":
        return ""
    plain = {word for word in column.words if word not in ("date", "dt", "day")}
    for other in held:
        timed = other.named("time", "tm", "hour") or not other.lettered
        same = {word for word in other.words if word not in ("time", "tm", "hour", "of")} == plain
        if other.clock and timed and other.named("time", "tm") and same:
            return other.name
    return ""


def _parted(held: list[Column]) -> dict[str, str]:
    """A start from columns of years, months, days, hours and minutes."""
    by_word = {" ".join(column.words): column for column in held if column.numeric and column.whole}
    have = [part for part in PARTS if part in by_word]
    if have[:2] != ["year", "month"]:
        return {}
    marks = ("{%s}", "-{%s}", "-{%s}", " {%s}", ":{%s}")
    text = ""
    for part, mark in zip(PARTS, marks, strict=True):
        if part not in by_word or (part == "hour" and "minute" not in by_word):
            break
        text += mark % by_word[part].name
    return {"start": text}


def why(field: str, column: Column) -> str:
    """In words, what speaks for a column."""
    if field in ("start", "end", "recorded"):
        return f"dates to the {column.step}"
    if field in ("easting", "northing", "longitude", "latitude"):
        return f"numbers from {column.low:,.6g} to {column.high:,.6g}"
    if field == "place" and column.examples and all(CODE.match(text) for text in column.examples):
        return f"{column.distinct:,} area codes"
    return f"its header; {column.distinct:,} different values"


# -------------------------------------------------------------------- coordinates
def coordinates(read: Rows, held: list[Column], box: Box | None, *, taken: set[str]) -> Where:
    """The pair of coordinates, whichever way round and in whichever system."""
    left = [column for column in held if column.numeric and column.name not in taken]
    if read.crs is not None and X in read.header:
        return Where({"easting": X, "northing": Y}, read.crs.to_string())  # type: ignore[attr-defined]
    for first, second in ((LONGITUDE, LATITUDE), (EAST, NORTH)):
        x, y = _named(left, first), _named(left, second)
        if x is not None and y is not None:
            return _judged(read, x, y, box)
    loose = [column for column in left if column.degrees and column.name.startswith("column ")]
    if len(loose) == 2:
        return _judged(read, *_longitude_first(loose), box)
    return Where({})


def _named(left: list[Column], choices: tuple[str, ...]) -> Column | None:
    fitting = [(k, column) for column in left for k, c in enumerate(choices) if column.named(c)]
    return min(fitting, key=lambda one: one[0])[1] if fitting else None


def _longitude_first(pair: list[Column]) -> tuple[Column, Column]:
    one, other = pair
    if abs(other.low) > 90 or abs(other.high) > 90 or (one.low > 20 and other.high < 20):
        return other, one
    return one, other


def _judged(read: Rows, x: Column, y: Column, box: Box | None) -> Where:
    """The pair as degrees or as projected numbers; degrees that stand the wrong way round are turned."""
    if abs(x.low) <= 180 and abs(x.high) <= 180 and abs(y.low) <= 180 and abs(y.high) <= 180:
        mapping = {"longitude": x.name, "latitude": y.name}
        if _turned(read, x, y, box):
            turned = {"longitude": y.name, "latitude": x.name}
            return Where(
                turned,
                notes=(
                    f"{x.name!r} holds latitudes and {y.name!r} longitudes: they are exchanged, and so read.",
                ),
            )
        return Where(mapping, 4326)
    return _projected(read, x, y, box)


def _turned(read: Rows, x: Column, y: Column, box: Box | None) -> bool:
    if abs(y.low) > 90 or abs(y.high) > 90:
        return True
    if box is None:
        return x.low >= 49 and x.high <= 61 and y.low >= -9 and y.high <= 2.5  # Britain, the wrong way round
    east, north = _values(read, x, y)
    return _share(north, east, box) > max(_share(east, north, box), 0.5)


def _share(longitude: np.ndarray, latitude: np.ndarray, box: Box) -> float:
    west, south, east, north = box
    inside = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    return float(inside.mean()) if len(inside) else 0.0


def _values(read: Rows, x: Column, y: Column) -> tuple[np.ndarray, np.ndarray]:
    held = read.texts()
    east, north = (numbers(held[str(read.find(column.name))]) for column in (x, y))
    known = (east.notna() & north.notna() & (east != 0)).to_numpy()
    return east[known].to_numpy(), north[known].to_numpy()


def _projected(read: Rows, x: Column, y: Column, box: Box | None) -> Where:
    mapping = {"easting": x.name, "northing": y.name}
    undeclared = (
        f"{x.name!r} and {y.name!r} are projected coordinates, and the file does not declare their system."
    )
    west, east, south, north = BRITAIN
    british = west <= x.low and x.high <= east and south <= y.low and y.high <= north
    if box is not None:
        found = likely(*_values(read, x, y), box)
        if found:
            best = found[0]
            same = [s.code for s in found[1:] if s.away < 5][:3]
            other = [f"{s.code} ({s.away:,.0f} m away)" for s in found[1:] if s.away >= 5][:3]
            said = f" Not to be told apart from it: {', '.join(same)}." if same else ""
            said += f" Others that fit: {', '.join(other)}." if other else ""
            return Where(
                mapping,
                best.code,
                (
                    f"{undeclared} Likely {best.code} ({best.name}, {best.unit}): {percent(best.share)} of "
                    f"the points then lie where the spatial file beside lies.{said}",
                ),
            )
        return Where(mapping, None, (undeclared,), ("No known system puts them where the file beside lies.",))
    if british and x.named("easting") and y.named("northing"):
        return Where(
            mapping, 27700, (f"{undeclared} Likely EPSG:27700 (British National Grid), by their names.",)
        )
    hint = "They would fit British National Grid (crs = 27700); is the file British? " if british else ""
    return Where(
        mapping,
        None,
        (undeclared,),
        (
            f"{hint}Name the system with crs, or name a spatial file of the place with --near: it is then "
            "worked out.",
        ),
    )
