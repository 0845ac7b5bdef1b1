"""police.uk: street crime, outcomes, stops and searches as data.police.uk publishes them, in CSV or JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, some
from peelian.incidents import Incidents, Precision
from peelian.read.coordinates import points
from peelian.read.files import Member, Reading, counted, members, rejected_frame
from peelian.read.rows import Rows, rows, trimmed

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import pyarrow as pa

Repeats = Literal["keep", "drop"]
Kind = Literal["street", "outcomes", "stop-and-search"]
ENDINGS = (".csv", ".csv.gz", ".json", ".json.gz")
LICENCE = "Open Government Licence v3.0"
WGS84 = 4326
COLUMNS = {
    "id": "Crime ID", "month": "Month", "reported_by": "Reported by", "longitude": "Longitude",
    "latitude": "Latitude", "place": "LSOA code", "type": "Crime type", "outcome": "Last outcome category",
}  # fmt: skip
KINDS: dict[str, dict[str, str]] = {  # age, gender and ethnicity of people stopped stay in the file
    "street": COLUMNS,
    "outcomes": {**COLUMNS, "type": "Outcome type", "outcome": "Outcome type"},
    "stop-and-search": {
        "id": "", "month": "Date", "reported_by": "", "longitude": "Longitude", "latitude": "Latitude",
        "place": "", "type": "Type", "outcome": "Outcome",
    },
}  # fmt: skip
TEXT = ("type", "place", "outcome", "id", "reported_by", "source")
MARKS = {"outcomes": "Outcome type", "stop-and-search": "Object of search"}
SAID = {
    "street": "street crime",
    "outcomes": "outcomes, not street crime",
    "stop-and-search": "stop and search",
}
MONTH = r"^(19|20)\d\d-(0[1-9]|1[0-2])$"
MOMENT = r"^(19|20)\d\d-(0[1-9]|1[0-2])-\d\d([T ]|$)"
NO_MONTH, BAD_MONTH, NO_TYPE = "no month", "month is not written YYYY-MM", "no crime type"
OTHER_MONTH = "month is not that of the file's name"
WITHHELD = "left in the file: it describes a person"
CLOCK = "Europe/London"


def police_uk(
    path: Path | str, *, crs: object = 27700, repeats: Repeats = "keep", kind: Kind = "street"
) -> Incidents:
    """Street-level crime from data.police.uk, every type and every row of it.

    ``path``     a month's file (``.csv``, ``.csv.gz``), a folder, the zip as downloaded with any number of
                 forces and months, or answers of its API (``.json``, of which the codes of categories are
                 written out). Columns are found by header, wherever they stand.
    ``crs``      the projected CRS in metres of the points.
    ``repeats``  ``keep`` flags later copies of a Crime ID in the column ``repeated``; ``drop`` refuses them.
    ``kind``     which of an archive's files: ``street``; ``outcomes``, whose ``type`` is the outcome, whose
                 month is that of the outcome, and whose ``id`` is that of the crime (a crime may have
                 several); or ``stop-and-search``, to the minute in London's clock, without the columns on
                 the person stopped. The others are listed and left alone.

    Returns Incidents with ``start`` and ``end`` (the month), ``type``, ``place`` (LSOA code), ``outcome``
    (as known when the file was made), ``id``, ``reported_by``, ``source`` and ``row`` (file and row number),
    ``repeated``, ``fault`` (what is wrong with the coordinates). Rows without usable coordinates are
    accepted without a point. Rows without a month or a type, of another month than most of a file named for
    its month, and lines that are no row, are refused. Answers of the API carry no LSOA code.
    Precision is ``month``, points are snapped (Tompson et al. 2015), counts are public.

    Raises ``DataError`` where nothing in ``path`` is a street file, and for a broken or unsafe archive.
    """
    return reading(path, crs=crs, repeats=repeats, kind=kind).incidents


def reading(
    path: Path | str, *, crs: object = 27700, repeats: Repeats = "keep", kind: Kind = "street"
) -> Reading:
    """As ``police_uk``, with the table of files beside."""
    found, left = members(path, ENDINGS)
    files = [_file(member, kind, single=len(found) == 1, path=path) for member in found]
    wanted = [file for file in files if file.kind == kind]
    if not wanted:
        held = some([f"{file.name} ({file.kind})" for file in files] + left) or "nothing"
        needed = ", ".join(_needed(kind))
        raise DataError(
            f"{path}: holds no {kind} file of data.police.uk. It holds: {held}. Expected CSV files with the "
            f'columns {needed}; for an extract of your own use reader = "table".'
        )
    frame = _frame(wanted, crs, kind)
    rejected = [(file.name, *row) for file in wanted for row in file.refused]
    if repeats == "drop" and kind == "street":
        rejected += _repeats(frame, {file.name: file for file in wanted})
        frame = frame.loc[~frame["repeated"]].reset_index(drop=True)
    precision: Precision = "minute" if kind == "stop-and-search" else "month"
    incidents = Incidents(frame, rejected_frame(rejected), precision=precision, snapped=True, published=True)
    return Reading(incidents, _listing(files, left, incidents))


def _needed(kind: Kind) -> tuple[str, str]:
    return KINDS[kind]["month"], MARKS.get(kind, KINDS[kind]["type"])


@dataclass(frozen=True, eq=False)
class _File:
    """One file: its usable rows as a table with the names of COLUMNS, and its refused rows."""

    name: str
    kind: str
    table: pa.Table | None = None
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    rows: Rows | None = None


def _file(member: Member, kind: Kind, *, single: bool, path: Path | str) -> _File:
    if member.name.lower().endswith((".json", ".json.gz")):
        from peelian.read.police_json import api_rows

        read = api_rows(member.read(), member.name)
    else:
        read = rows(member.read(), reach=1)  # no value of these files holds a line end
    for other in ("stop-and-search", "outcomes", "street"):
        if all(read.find(name) is not None for name in _needed(other)):
            return _taken(member.name, read, kind) if other == kind else _File(member.name, SAID[other])
    lacking = [name for name in _needed(kind) if read.find(name) is None]
    if not read.header:
        return _File(member.name, "empty")
    if single:
        raise DataError(
            f"{path}: {member.name} has no column {some(lacking)}; "
            f"its first line is: {some(read.header, 12)}. "
            'Put the header of data.police.uk back, or use reader = "table" with a column mapping.'
        )
    if kind in member.name.lower():  # it says that it is one: its rows are ours to account for
        return _headless(member.name, read, kind)
    return _File(member.name, f"no {kind} file: other columns")


def _headless(name: str, read: Rows, kind: Kind) -> _File:
    """A file that calls itself street crime but has no header: every line of it is refused."""
    reason = f"the file has no header with {' and '.join(_needed(kind))}"
    lines = [(0, reason, read.delimiter.join(read.header))]
    lines += [(int(number.as_py()), reason, read.text(k)) for k, number in enumerate(read.table["row"])]
    lines += [(number, reason, text) for number, _, text in read.refused]
    return _File(name, kind, None, sorted(lines))


def _taken(name: str, read: Rows, kind: Kind) -> _File:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = {key: read.find(column) for key, column in KINDS[kind].items()}
    blank = pa.nulls(read.table.num_rows, pa.string())
    table = pa.table(
        {
            key: blank if at is None else read.table.column(str(at)).combine_chunks()
            for key, at in wanted.items()
        }
        | {"row": read.table.column("row").combine_chunks()}
    )
    table = trimmed(table)
    month = pc.fill_null(table.column("month"), "")
    dated = kind == "stop-and-search"
    good = pc.match_substring_regex(month, MOMENT if dated else MONTH)
    good = pc.and_(good, pc.is_valid(table.column("type")))
    named = "" if dated else _month_of(name, month)  # the clock of London is an hour ahead in summer
    if named:
        good = pc.and_(good, pc.equal(month, named))
    refused = [(number, reason, WITHHELD if dated else text) for number, reason, text in read.refused]
    if not pc.all(good, min_count=0).as_py():
        for at, fine in enumerate(good.to_pylist()):
            if not fine:
                reason = _fault(month[at].as_py(), named, dated)
                refused.append(
                    (table.column("row")[at].as_py(), reason, WITHHELD if dated else read.text(at))
                )
        table = table.filter(good)
    table = table.append_column("source", pa.array([name] * table.num_rows, pa.string()))
    return _File(name, kind, table, sorted(refused), read)


def _month_of(name: str, months: pa.ChunkedArray) -> str:
    """The month in a file's name where most of its rows are of it: the others cannot be placed in time."""
    import pyarrow.compute as pc

    found = re.match(r"(\d{4}-\d{2})-", name.rsplit("/", 1)[-1])
    if not found:
        return ""
    agree = pc.sum(pc.equal(months, found[1])).as_py() or 0
    return found[1] if 2 * agree > len(months) else ""


def _fault(month: str, named: str, dated: bool) -> str:
    if dated:
        return NO_TYPE if re.match(MOMENT, month) else "no date" if not month else "date is no date"
    if not month:
        return NO_MONTH
    if not re.match(MONTH, month):
        return BAD_MONTH
    return OTHER_MONTH if named and month != named else NO_TYPE


def _frame(streets: list[_File], crs: object, kind: Kind) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pyarrow as pa

    tables = [file.table for file in streets if file.table is not None]
    if not tables:
        names = [*COLUMNS, "source"]
        tables = [pa.table({n: pa.array([], pa.string()) for n in names} | {"row": pa.array([], pa.int64())})]
    table = pa.concat_tables(tables)
    held = table.to_pandas()
    geometry, fault = points(held["longitude"], held["latitude"], crs=WGS84, to=crs, name="police.uk")
    start, end = _moments(held["month"]) if kind == "stop-and-search" else _months(held["month"])
    text = {key: held[key].astype("str") for key in TEXT}
    frame = gpd.GeoDataFrame(
        {
            "start": start,
            "end": end,
            **text,
            "row": held["row"].astype("int64"),
            "repeated": held["id"].notna() & held["id"].duplicated(),
            "fault": fault,
        },
        geometry=geometry,
        crs=geometry.crs,
    )
    return frame.astype({"repeated": bool})


def _months(text: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The first instant of each month and of the next."""
    import numpy as np
    import pandas as pd

    month = text.astype("category")
    first = pd.PeriodIndex(month.cat.categories.astype("str"), freq="M")
    codes = month.cat.codes.to_numpy()
    start = np.asarray(first.to_timestamp(), "datetime64[us]")[codes]
    return start, np.asarray((first + 1).to_timestamp(), "datetime64[us]")[codes]


def _moments(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The minute of each stop in London's clock, and the next minute."""
    from peelian.read.dates import dates, step_after

    found = dates(text.astype("str"), order="iso", name="Date", timezone=CLOCK)
    minute = found.instant.dt.floor("min").astype("datetime64[us]")
    return minute, step_after(minute, found.step)


def _repeats(frame: gpd.GeoDataFrame, files: dict[str, _File]) -> list[tuple[str, int, str, str]]:
    """The later copies as refused rows, each naming the row it repeats."""
    known = frame.loc[frame["id"].notna() & ~frame["repeated"]].set_index("id")[["source", "row"]]
    later = frame.loc[frame["repeated"]]
    position = {
        name: {number: at for at, number in enumerate(files[name].rows.table["row"].to_pylist())}  # type: ignore[union-attr]
        for name in later["source"].unique()
    }
    refused = []
    for source, number, identity in zip(later["source"], later["row"], later["id"], strict=True):
        first = known.loc[identity]
        where = "" if first["source"] == source else f" of {first['source']}"
        text = files[source].rows.text(position[source][number])  # type: ignore[union-attr]
        refused.append((source, int(number), f"repeats Crime ID of row {first['row']}{where}", text))
    return refused


def _listing(files: list[_File], left: list[str], incidents: Incidents) -> pd.DataFrame:
    accepted = incidents.frame["source"].value_counts()
    refused = incidents.rejected["file"].value_counts()
    listing = [
        (file.name, file.kind, int(accepted.get(file.name, 0)), int(refused.get(file.name, 0)))
        for file in files
    ]
    listing += [(name, "left alone: no CSV file", 0, 0) for name in left]
    return counted(sorted(listing))
