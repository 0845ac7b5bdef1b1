"""Street: a block of police.uk lines as checked columns, and every refused line of it, fast and exactly.

Clean blocks are read by Arrow with the types stated. Whatever Arrow does not take whole is read again: the
odd lines one at a time by ``rows``, the others as text. ``police_uk`` says the same of the same lines, more
slowly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from peelian.read.coordinates import points
from peelian.read.police_uk import BAD_MONTH, MONTH, NO_MONTH, NO_TYPE, OTHER_MONTH
from peelian.read.rows import rows, trimmed

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

COLUMNS = {
    "id": "Crime ID", "month": "Month", "reported_by": "Reported by", "longitude": "Longitude",
    "latitude": "Latitude", "location": "Location", "place": "LSOA code", "type": "Crime type",
    "outcome": "Last outcome category",
}  # fmt: skip
NUMBERS = ("longitude", "latitude")
WORDS = tuple(name for name in COLUMNS if name not in (*NUMBERS, "id"))
BRITAIN = (-8.0, 1.7, 49.9, 60.8)  # inside the area of British National Grid: nothing to ask of such a point
WGS84, GRID = 4326, 27700


@dataclass(frozen=True, eq=False)
class Layout:
    """How the lines of one file stand: its header, its delimiter, and where our columns are (or None)."""

    header: tuple[str, ...]
    delimiter: str
    at: dict[str, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, line: bytes) -> Layout:
        """The layout that a header line tells."""
        read = rows(line)
        return cls(read.header, read.delimiter, {name: read.find(text) for name, text in COLUMNS.items()})


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of a block: ``table`` as COLUMNS with ``row`` and ``fault``; refused (row, reason, text)."""

    table: pa.Table
    refused: list[tuple[int, str, str]]
    lines: int


def parse(data: bytes, layout: Layout, *, first: int, named: str = "", most: bool = False) -> Part:
    """The rows of a block of lines, each accepted, or refused with a reason.

    ``first``  number of the block's first line in the file (1 = the first after the header).
    ``named``  the month that every row must have, or empty; with ``most`` only where most rows have it.
    """
    table = _typed(data, layout, first)
    refused: list[tuple[int, str, str]] = []
    if table is None:
        table, refused = _untyped(data, layout, first)
    lines = len(table) + len(refused)
    if most and named and 2 * _agreeing(table, named) <= len(table):
        named = ""
    table, wrong = _sound(table, data, first, named)
    return Part(table, sorted(refused + wrong), lines)


def agreeing(data: bytes, layout: Layout, month: str) -> tuple[int, int]:
    """Rows of a block that are of a month, and rows that stand in columns."""
    table = _typed(data, layout, 1)
    if table is None:
        table, _ = _untyped(data, layout, 1)
    return _agreeing(table, month), len(table)


def _agreeing(table: pa.Table, month: str) -> int:
    import pyarrow.compute as pc

    held = table.column("month").combine_chunks()
    if held.dictionary.to_pylist() == [month] and not held.null_count:
        return len(held)
    return pc.sum(pc.equal(held.cast("string"), month)).as_py() or 0


def schema() -> pa.Schema:
    """The columns of an accepted row."""
    import pyarrow as pa

    word = pa.dictionary(pa.int32(), pa.string())
    kinds = {name: pa.float64() if name in NUMBERS else word for name in COLUMNS} | {"id": pa.string()}
    return pa.schema([*kinds.items(), ("row", pa.int64()), ("fault", word)])


def _typed(data: bytes, layout: Layout, first: int) -> pa.Table | None:
    """The block by Arrow with stated types, or None where a line of it needs a closer look."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    if b'"' in data or b"\0" in data or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
        return None
    kinds = {str(layout.at[n]): schema().field(n).type for n in COLUMNS if layout.at[n] is not None}
    try:
        read = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(
                use_threads=False,
                column_names=[str(k) for k in range(len(layout.header))],
                block_size=len(data) + 1,
            ),
            parse_options=csv.ParseOptions(
                delimiter=layout.delimiter, quote_char=False, ignore_empty_lines=False
            ),
            convert_options=csv.ConvertOptions(
                column_types=kinds, include_columns=list(kinds), null_values=[""], strings_can_be_null=True
            ),
        ).combine_chunks()
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    columns = {name: _column(read, name, layout.at[name]) for name in COLUMNS}
    if not all(_is_sound(name, column) for name, column in columns.items()):
        return None
    row = pa.array(np.arange(first, first + len(read)))
    table = pa.table({**columns, "row": row})
    return table.append_column("fault", _faults(table))


def _column(read: pa.Table, name: str, at: int | None) -> pa.Array:
    """A column of ours by where it stands, or nothing but missing values."""
    import pyarrow as pa

    column = pa.nulls(len(read), schema().field(name).type) if at is None else read.column(str(at))
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _is_sound(name: str, column: pa.Array) -> bool:
    """True where Arrow's reading of a column needs no closer look."""
    import pyarrow.compute as pc

    if name in WORDS and not _tidy(column.dictionary):
        return False
    if name == "id" and pc.max(pc.binary_length(column)).as_py() != 64 and not _tidy(column):
        return False
    if name in NUMBERS and not pc.all(pc.is_finite(column), min_count=0).as_py():
        return False
    return not (name == "month" and column.null_count)  # perhaps a blank line, which Arrow reads as a row


def _tidy(words: pa.Array) -> bool:
    """True where no text has white space at its ends, and none is blank."""
    import pyarrow.compute as pc

    same = pc.equal(pc.utf8_trim_whitespace(words), words)
    blank = pc.equal(words, "")
    return bool(pc.all(same, min_count=0).as_py() and not pc.any(blank, min_count=0).as_py())


def _faults(table: pa.Table) -> pa.Array:
    """What is wrong with the coordinates: only those that do not plainly lie in Great Britain are asked."""
    import numpy as np
    import pyarrow as pa

    x, y = (table.column(name).to_numpy() for name in NUMBERS)
    west, east, south, north = BRITAIN
    odd = ~((x > west) & (x < east) & (y > south) & (y < north)) & ~(np.isnan(x) & np.isnan(y))
    kind = schema().field("fault").type
    if not odd.any():
        return pa.nulls(len(x), kind)
    return _told(table.filter(pa.array(odd)), np.flatnonzero(odd), len(x))


def _told(asked: pa.Table, at: np.ndarray, size: int) -> pa.Array:
    """The faults that ``coordinates`` finds in some rows, on all rows."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    x, y = (pd.Series(asked.column(name).to_pandas()) for name in NUMBERS)
    _, fault = points(x, y, crs=WGS84, to=GRID, name="police.uk")
    held = np.full(size, None, object)
    held[at] = fault.astype(object).where(fault.notna(), None)
    return pa.array(held, pa.string()).dictionary_encode()


def _untyped(data: bytes, layout: Layout, first: int) -> tuple[pa.Table, list[tuple[int, str, str]]]:
    """The block line by line where it must be: plain lines by Arrow as text, the odd ones by ``rows``."""
    import pyarrow as pa

    lines = data.splitlines()
    mark, width = layout.delimiter.encode(), len(layout.header) - 1
    plain = [k for k, line in enumerate(lines) if _is_plain(line, mark, width)]
    at = set(plain)
    odd = [k for k in range(len(lines)) if k not in at]
    refused: list[tuple[int, str, str]] = []
    tables = []
    for chosen in (plain, odd):
        if not chosen:
            continue
        head = mark.join(_quoted(name).encode() for name in layout.header)
        read = rows(b"\n".join([head, *(lines[k] for k in chosen)]) + b"\n", reach=1)
        refused += [(first + chosen[number - 1], why, text) for number, why, text in read.refused]
        numbers = [first + chosen[number - 1] for number in read.table.column("row").to_pylist()]
        held = trimmed(read.table)
        columns = {
            name: pa.nulls(len(held), pa.string())
            if layout.at[name] is None
            else held.column(str(layout.at[name])).combine_chunks()
            for name in COLUMNS
        }
        tables.append(pa.table({**columns, "row": pa.array(numbers, pa.int64())}))
    if not tables:
        return schema().empty_table(), refused
    return _numbered(pa.concat_tables(tables).sort_by("row")), refused


def _is_plain(line: bytes, mark: bytes, width: int) -> bool:
    return line.count(mark) == width and b'"' not in line and b"\0" not in line and line.isascii()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if '"' in name or "," in name else name


def _numbered(table: pa.Table) -> pa.Table:
    """Text coordinates as numbers, with what is wrong with each; the words as a dictionary."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    fault = _told(table, np.arange(len(table)), len(table))
    for name in NUMBERS:
        number = pd.to_numeric(table.column(name).to_pandas(), errors="coerce").astype("float64")
        number = number.to_numpy(na_value=np.nan, copy=True)
        number[~np.isfinite(number)] = np.nan
        column = pa.array(number, from_pandas=True)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table.append_column("fault", fault).cast(schema())


def _sound(
    table: pa.Table, data: bytes, first: int, named: str
) -> tuple[pa.Table, list[tuple[int, str, str]]]:
    """The rows with a month (that of the file, where it must be) and a type; and those refused."""
    import pyarrow.compute as pc

    month = table.column("month").combine_chunks()
    good = pc.match_substring_regex(month.dictionary, MONTH)
    if named:
        good = pc.and_(good, pc.equal(month.dictionary, named))
    words = table.column("type")
    if not words.null_count and not month.null_count and pc.all(good, min_count=0).as_py():
        return table, []
    fine = pc.and_(pc.fill_null(pc.take(good, month.indices), False), pc.is_valid(words))
    wrong = table.filter(pc.invert(fine))
    lines = data.splitlines()
    refused = [
        (row, _why(held, named), _decoded(lines[row - first]))
        for row, held in zip(wrong.column("row").to_pylist(), wrong.column("month").to_pylist(), strict=True)
    ]
    return table.filter(fine), refused


def _decoded(line: bytes) -> str:
    """A line as ``rows`` decodes it: UTF-8, else Windows-1252, else Latin-1."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def _why(month: str | None, named: str) -> str:
    import re

    if not month:
        return NO_MONTH
    if not re.match(MONTH, month):
        return BAD_MONTH
    return OTHER_MONTH if named and month != named else NO_TYPE
