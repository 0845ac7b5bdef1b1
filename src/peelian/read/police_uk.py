"""police.uk: street-level crime as data.police.uk publishes it, a month's file, a folder or the whole zip."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, some
from peelian.incidents import Incidents
from peelian.read.coordinates import points
from peelian.read.files import Member, Reading, counted, members, rejected_frame
from peelian.read.rows import Rows, rows, trimmed

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa

Repeats = Literal["keep", "drop"]
ENDINGS = (".csv", ".csv.gz")
LICENCE = "Open Government Licence v3.0"
WGS84 = 4326
COLUMNS = {
    "id": "Crime ID", "month": "Month", "reported_by": "Reported by", "longitude": "Longitude",
    "latitude": "Latitude", "place": "LSOA code", "type": "Crime type", "outcome": "Last outcome category",
}  # fmt: skip
TEXT = ("type", "place", "outcome", "id", "reported_by", "source")
NEEDED = ("Month", "Crime type")
OTHER_KINDS = {"Outcome type": "outcomes, not street crime", "Object of search": "stop and search"}
MONTH = r"^(19|20)\d\d-(0[1-9]|1[0-2])$"
NO_MONTH, BAD_MONTH, NO_TYPE = "no month", "month is not written YYYY-MM", "no crime type"
OTHER_MONTH = "month is not that of the file's name"


def police_uk(path: Path | str, *, crs: object = 27700, repeats: Repeats = "keep") -> Incidents:
    """Street-level crime from data.police.uk, every type and every row of it.

    ``path``     a month's file (``.csv``, ``.csv.gz``), a folder, or the zip as downloaded with any number
                 of forces and months. Columns are found by header, wherever they stand.
    ``crs``      the projected CRS in metres of the points.
    ``repeats``  ``keep`` flags later copies of a Crime ID in the column ``repeated``; ``drop`` refuses them.

    Returns Incidents with ``start`` and ``end`` (the month), ``type``, ``place`` (LSOA code), ``outcome``
    (as known when the file was made), ``id``, ``reported_by``, ``source`` and ``row`` (file and row number),
    ``repeated``, ``fault`` (what is wrong with the coordinates). Rows without usable coordinates are
    accepted without a point. Rows without a month or a type, of another month than most of a file named for
    its month, and lines that are no row, are refused.
    Precision is ``month``, points are snapped (Tompson et al. 2015), counts are public.

    Raises ``DataError`` where nothing in ``path`` is a street file, and for a broken or unsafe archive.
    """
    return reading(path, crs=crs, repeats=repeats).incidents


def reading(path: Path | str, *, crs: object = 27700, repeats: Repeats = "keep") -> Reading:
    """As ``police_uk``, with the table of files beside."""
    found, left = members(path, ENDINGS)
    files = [_file(member, single=len(found) == 1, path=path) for member in found]
    streets = [file for file in files if file.street]
    if not streets:
        held = some([f"{file.name} ({file.kind})" for file in files] + left) or "nothing"
        raise DataError(
            f"{path}: holds no street file of data.police.uk. It holds: {held}. Expected CSV files with the "
            f'columns {", ".join(NEEDED)}; for an extract of your own use reader = "table".'
        )
    frame = _frame(streets, crs)
    rejected = [(file.name, *row) for file in streets for row in file.refused]
    if repeats == "drop":
        rejected += _repeats(frame, {file.name: file for file in streets})
        frame = frame.loc[~frame["repeated"]].reset_index(drop=True)
    incidents = Incidents(frame, rejected_frame(rejected), precision="month", snapped=True, published=True)
    return Reading(incidents, _listing(files, left, incidents))


@dataclass(frozen=True, eq=False)
class _File:
    """One file: its usable rows as a table with the names of COLUMNS, and its refused rows."""

    name: str
    kind: str
    table: pa.Table | None = None
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    rows: Rows | None = None

    @property
    def street(self) -> bool:
        return self.kind == "street"


def _file(member: Member, *, single: bool, path: Path | str) -> _File:
    read = rows(member.read(), reach=1)  # no value of these files holds a line end
    lacking = [name for name in NEEDED if read.find(name) is None]
    if not lacking:
        return _street(member.name, read)
    for mark, kind in OTHER_KINDS.items():
        if read.find(mark) is not None:
            return _File(member.name, kind)
    if not read.header:
        return _File(member.name, "empty")
    if single:
        raise DataError(
            f"{path}: {member.name} has no column {some(lacking)}; "
            f"its first line is: {some(read.header, 12)}. "
            'Put the header of data.police.uk back, or use reader = "table" with a column mapping.'
        )
    if "street" in member.name.lower():  # it says that it is one: its rows are ours to account for
        return _headless(member.name, read)
    return _File(member.name, "no street file: other columns")


def _headless(name: str, read: Rows) -> _File:
    """A file that calls itself street crime but has no header: every line of it is refused."""
    reason = "the file has no header with Month and Crime type"
    lines = [(0, reason, read.delimiter.join(read.header))]
    lines += [(int(number.as_py()), reason, read.text(k)) for k, number in enumerate(read.table["row"])]
    lines += [(number, reason, text) for number, _, text in read.refused]
    return _File(name, "street", None, sorted(lines))


def _street(name: str, read: Rows) -> _File:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = {key: read.find(column) for key, column in COLUMNS.items()}
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
    good = pc.and_(pc.match_substring_regex(month, MONTH), pc.is_valid(table.column("type")))
    named = _month_of(name, month)
    if named:
        good = pc.and_(good, pc.equal(month, named))
    refused = list(read.refused)
    if not pc.all(good, min_count=0).as_py():
        for at, fine in enumerate(good.to_pylist()):
            if not fine:
                reason = _fault(month[at].as_py(), named)
                refused.append((table.column("row")[at].as_py(), reason, read.text(at)))
        table = table.filter(good)
    table = table.append_column("source", pa.array([name] * table.num_rows, pa.string()))
    return _File(name, "street", table, sorted(refused), read)


def _month_of(name: str, months: pa.ChunkedArray) -> str:
    """The month in a file's name where most of its rows are of it: the others cannot be placed in time."""
    import pyarrow.compute as pc

    found = re.match(r"(\d{4}-\d{2})-", name.rsplit("/", 1)[-1])
    if not found:
        return ""
    agree = pc.sum(pc.equal(months, found[1])).as_py() or 0
    return found[1] if 2 * agree > len(months) else ""


def _fault(month: str, named: str) -> str:
    if not month:
        return NO_MONTH
    if not re.match(MONTH, month):
        return BAD_MONTH
    return OTHER_MONTH if named and month != named else NO_TYPE


def _frame(streets: list[_File], crs: object) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    tables = [file.table for file in streets if file.table is not None]
    if not tables:
        names = [*COLUMNS, "source"]
        tables = [pa.table({n: pa.array([], pa.string()) for n in names} | {"row": pa.array([], pa.int64())})]
    table = pa.concat_tables(tables)
    held = table.to_pandas()
    geometry, fault = points(held["longitude"], held["latitude"], crs=WGS84, to=crs, name="police.uk")
    month = held["month"].astype("category")
    first = pd.PeriodIndex(month.cat.categories.astype("str"), freq="M")
    codes = month.cat.codes.to_numpy()
    text = {key: held[key].astype("str") for key in TEXT}
    frame = gpd.GeoDataFrame(
        {
            "start": np.asarray(first.to_timestamp(), "datetime64[us]")[codes],
            "end": np.asarray((first + 1).to_timestamp(), "datetime64[us]")[codes],
            **text,
            "row": held["row"].astype("int64"),
            "repeated": held["id"].notna() & held["id"].duplicated(),
            "fault": fault,
        },
        geometry=geometry,
        crs=geometry.crs,
    )
    return frame.astype({"repeated": bool})


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
