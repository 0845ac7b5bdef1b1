"""Rows: the bytes of a CSV file as columns of text, and every line that is no row, with the reason."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.errors import DataError, some
from peelian.read.files import LONGEST, endless

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DELIMITERS = ",;\t|"
REACH = 50  # lines that one quoted value may run over
UNBALANCED, BLANK = "quotes are unbalanced", "blank line"


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one CSV file.

    ``header``   column names as they stand in the file, trimmed.
    ``table``    Arrow table of text, columns ``0``, ``1``, ... in the order of the header, and ``row``:
                 the number of each row in the file, 1 = the first line after the header.
    ``refused``  (row, reason, text) of every line that could not be split into the header's columns, and of
                 every blank one: a row's number is its line less one, unless a value runs over lines.
    ``raw``      the text of the accepted rows, where it cannot be put together again from the columns.
    ``crs``      of the points of a spatial file; ``serials`` where a number may be a spreadsheet's date.
    """

    header: tuple[str, ...]
    table: pa.Table
    refused: tuple[tuple[int, str, str], ...] = ()
    raw: tuple[str, ...] | None = None
    delimiter: str = ","
    crs: object = None
    serials: bool = False

    def __len__(self) -> int:
        """Rows of the file: those in the table and those refused."""
        return self.table.num_rows + len(self.refused)

    def find(self, name: str) -> int | None:
        """Where a column stands, by its name whatever its case; None where it does not."""
        folded = [held.casefold() for held in self.header]
        return folded.index(name.casefold()) if name.casefold() in folded else None

    def text(self, at: int) -> str:
        """The row at a position of the table, as it stands in the file."""
        if self.raw is not None:
            return self.raw[at]
        return self.delimiter.join(self.table.column(k)[at].as_py() for k in range(len(self.header)))

    def texts(self, *, every: int = 1) -> pd.DataFrame:
        """All columns as trimmed text, missing where blank, on the row numbers; of ``every`` so many rows."""
        table = self.table if every == 1 else self.table.take(list(range(0, self.table.num_rows, every)))
        frame = trimmed(table).to_pandas().set_index("row")
        return frame.astype("str")

    def column(self, name: str, file: object) -> pd.Series:
        """A column as trimmed text on the row numbers, missing where blank; ``DataError`` where absent."""
        at = self.find(name)
        if at is None:
            raise DataError(f"{file}: has no column {name!r}; it has {some(self.header, 40)}.")
        frame = trimmed(self.table.select([str(at), "row"])).to_pandas()
        return frame.set_index("row")[str(at)].astype("str").rename(name)


def rows(data: bytes, *, reach: int = REACH, names: tuple[str, ...] | None = None) -> Rows:
    """The rows of a CSV file in any encoding and with any line ends.

    ``reach``  how many lines one quoted value may run over: 1 where no value holds a line end, so that a
               quote that is never closed cannot take the next row with it.
    ``names``  of the columns, where the file has no header: its first line is then its first row.

    A clean file takes a fast path, whose rows are counted against the lines of the file; whatever does
    not add up is read again line by line, so that no line is lost. UTF-8 with or without a byte order
    mark, UTF-16 with one, and Windows-1252 line by line where a line is not UTF-8.
    """
    data = _utf8(data)
    if names is not None:
        data = _headed(data, names)
    lines = data.splitlines()
    longest = max(map(len, lines), default=0)
    if longest > LONGEST:
        raise endless("The table", longest)
    first = next((k for k, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return Rows((), _table([], [], 0))
    lines = lines[first:]
    head = _text(lines[0])
    delimiter = max(DELIMITERS, key=lambda mark: (head.count(mark), mark == ","))
    header = tuple(name.strip() for name in (_split(head, delimiter) or head.split(delimiter)))
    table = None
    if first == 0 and b'"' not in data and b"\0" not in data and len(lines) > 1:
        table = _fast(data, len(header), delimiter, len(lines) - 1)
    if table is not None:
        return Rows(header, table, delimiter=delimiter)
    return _exact([_text(line) for line in lines[1:]], header, delimiter, reach)


def _headed(data: bytes, names: tuple[str, ...]) -> bytes:
    """The file under a header line of the given names, parted as its first line is."""
    head = data.splitlines()[0] if data else b""
    mark = max(DELIMITERS, key=lambda one: (head.count(one.encode()), one == ","))
    plain = [name.replace(mark, " ").replace('"', " ") for name in names]
    return mark.join(plain).encode() + b"\n" + data


def trimmed(table: pa.Table) -> pa.Table:
    """The table with white space cut off its text, and blank text missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = []
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_string(column.type):
            column = pc.utf8_trim_whitespace(column)
            column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
        columns.append(column)
    return pa.table(columns, names=table.column_names)


def _utf8(data: bytes) -> bytes:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace").encode("utf-8", errors="replace")
    return data.removeprefix(b"\xef\xbb\xbf")


def _text(line: bytes) -> str:
    """A line as text: UTF-8, else Windows-1252, else Latin-1, which knows every byte."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def _fast(data: bytes, width: int, delimiter: str, expected: int) -> pa.Table | None:
    """The table by Arrow's parser, or None unless every line of the file became a row."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    names = [str(k) for k in range(width)]
    try:
        table = arrow.read_csv(
            pa.BufferReader(data),
            read_options=arrow.ReadOptions(use_threads=False, column_names=names, skip_rows=1),
            parse_options=arrow.ParseOptions(delimiter=delimiter, quote_char=False),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    if table.num_rows != expected:
        return None
    return table.append_column("row", pa.array(range(1, expected + 1), pa.int64()))


def _exact(lines: list[str], header: tuple[str, ...], delimiter: str, reach: int) -> Rows:
    """Line by line: a line that does not fit the header is refused alone, and the next is read afresh."""
    width = len(header)
    values: list[list[str]] = []
    numbers: list[int] = []
    raw: list[str] = []
    refused: list[tuple[int, str, str]] = []
    at = number = 0
    while at < len(lines):
        number += 1
        if not lines[at].strip():
            refused.append((number, BLANK, ""))
            at += 1
            continue
        fields, used = _record(lines, at, width, delimiter, reach)
        text = "\n".join(lines[at : at + used])
        at += used
        if fields is None:
            refused.append((number, UNBALANCED, text))
        elif len(fields) != width:
            refused.append((number, f"{len(fields)} fields where the header has {width}", text))
        else:
            values.append(fields)
            numbers.append(number)
            raw.append(text)
    return Rows(header, _table(values, numbers, width), tuple(refused), tuple(raw), delimiter)


def _record(
    lines: list[str], at: int, width: int, delimiter: str, reach: int
) -> tuple[list[str] | None, int]:
    """The fields of the record that starts on a line, and how many lines it takes."""
    fields = _split(lines[at], delimiter)
    if fields is not None:
        return fields, 1
    joined = lines[at]
    for used, line in enumerate(lines[at + 1 : at + reach], start=2):
        joined += "\n" + line
        fields = _split(joined, delimiter) if '"' in line else None
        if fields is not None and len(fields) == width:
            return fields, used
        alone = _split(line, delimiter)
        if alone is not None and len(alone) == width > 1:
            break  # a whole row of its own: the quote before it was never closed
    return None, 1


def _split(line: str, delimiter: str) -> list[str] | None:
    """The fields of a line, or None where its quotes do not close."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None


def _table(values: list[list[str]], numbers: list[int], width: int) -> pa.Table:
    import pyarrow as pa

    columns = list(zip(*values, strict=True)) if values else [()] * width
    arrays = [pa.array([_clean(v) for v in column], pa.string()) for column in columns]
    return pa.table([*arrays, pa.array(numbers, pa.int64())], names=[*[str(k) for k in range(width)], "row"])


def _clean(value: str) -> str:
    """Text that can be stored as UTF-8: lone surrogates of a broken file become question marks."""
    return value if value.isascii() else value.encode("utf-8", errors="replace").decode("utf-8")
