"""Tabular: any table of any kind of file (CSV, Excel, Parquet, GeoPackage, GeoJSON) as rows of text."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, some
from peelian.read.files import Member, present, unpacked
from peelian.read.rows import Rows, rows

if TYPE_CHECKING:
    import pyarrow as pa

TEXT = (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz")
WORKBOOK = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
PARQUET = (".parquet", ".geoparquet")
SPATIAL = (".gpkg", ".geojson", ".shp", ".fgb")
ENDINGS = (*TEXT, *WORKBOOK, *PARQUET, *SPATIAL)
X, Y = "geometry x", "geometry y"  # names of the columns that hold a spatial file's points


def tabular(path: Path | str, *, sheet: str | None = None, names: tuple[str, ...] | None = None) -> Rows:
    """The table in one file, as rows of text with their numbers; 1 = the first row after the header.

    ``path``   CSV (also ``.gz``), Excel or OpenDocument, Parquet, or a spatial file with points, which
               become the columns ``geometry x`` and ``geometry y`` in the CRS that ``Rows.crs`` names.
    ``sheet``  of a workbook; without it, the one with most rows.
    ``names``  of the columns of a CSV file that has no header.

    Raises ``DataError`` for a file that is not there, is broken, or is of no kind that holds a table.
    """
    path = present(path)
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name one file in it.")
    return of_member(Member(path.name, lambda: unpacked(path)), path=path, sheet=sheet, names=names)


def of_member(
    member: Member,
    *,
    path: Path | None = None,
    sheet: str | None = None,
    names: tuple[str, ...] | None = None,
) -> Rows:
    """As ``tabular``, of a file in a folder or an archive; ``path`` where it is a plain file by itself."""
    name = member.name.lower()
    if name.endswith(WORKBOOK):
        return _workbook(member, sheet)
    if name.endswith(PARQUET):
        return _parquet(member)
    if name.endswith(SPATIAL):
        return _spatial(member, path)
    if not name.endswith(TEXT):
        raise DataError(f"{path or member.name}: is of no kind that holds a table: {', '.join(ENDINGS)}.")
    return rows(member.read(), names=names)


# -------------------------------------------------------------------- workbooks
def _workbook(member: Member, sheet: str | None) -> Rows:
    try:
        import python_calamine as calamine
    except ImportError as error:
        raise DataError(
            f"{member.name}: reading a workbook needs python-calamine, which is not installed. Save the "
            "sheet as CSV, or install it: pip install python-calamine."
        ) from error
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(member.read()))
        if sheet is not None and sheet not in book.sheet_names:
            raise DataError(
                f"{member.name}: has no sheet {sheet!r}; it has {some([repr(n) for n in book.sheet_names])}."
            )
        names = [sheet] if sheet is not None else book.sheet_names
        held = max((book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in names), key=len)
    except calamine.CalamineError as error:
        raise DataError(f"{member.name}: is a broken workbook, or none ({error}). Save it again.") from error
    lines = [[_cell(value) for value in line] for line in held]
    first = next((k for k, line in enumerate(lines) if sum(map(bool, line)) > 1), None)
    if first is None:
        return _of_lines((), [])
    head = lines[first]
    width = max(k for k, name in enumerate(head) if name) + 1
    return _of_lines(tuple(head[:width]), lines[first + 1 :])


def _cell(value: Any) -> str:
    """A cell as text: whole numbers without a point, dates as ISO."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        text = value.isoformat(sep=" ", timespec="seconds")
        return text.removesuffix(" 00:00:00")
    return "" if value is None else str(value).strip()


def _of_lines(header: tuple[str, ...], lines: list[list[str]]) -> Rows:
    import pyarrow as pa

    width = len(header)
    refused, good, numbers = [], [], []
    for number, line in enumerate(lines, start=1):
        if not any(line):
            refused.append((number, "blank line", ""))
        elif any(line[width:]):
            refused.append((number, f"cells beyond the {width} columns of the header", ",".join(line)))
        else:
            good.append([*line[:width], *[""] * (width - len(line))])
            numbers.append(number)
    columns = list(zip(*good, strict=True)) if good else [()] * width
    arrays = [pa.array(column, pa.string()) for column in columns]
    table = pa.table([*arrays, pa.array(numbers, pa.int64())], names=[*map(str, range(width)), "row"])
    return Rows(header, table, tuple(refused), serials=True)


# -------------------------------------------------------------------- Parquet and spatial files
def _parquet(member: Member) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(member.read()))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{member.name}: is a broken Parquet file, or none ({error}).") from error
    metadata = table.schema.metadata or {}
    if b"geo" in metadata:
        return _of_geoparquet(member)
    return _of_arrow(table)


def _of_arrow(table: pa.Table) -> Rows:
    import pyarrow as pa

    arrays = [_as_text(table.column(at)) for at in range(table.num_columns)]
    arrays.append(pa.array(range(1, table.num_rows + 1), pa.int64()))
    names = [*map(str, range(table.num_columns)), "row"]
    return Rows(tuple(map(str, table.column_names)), pa.table(arrays, names=names))


def _as_text(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pc.cast(column, kind.value_type)
        kind = column.type
    column = column.combine_chunks()
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
        whole = pc.equal(pc.floor(column), column)
        small = pc.less(pc.abs(column), 1e15)
        if pc.all(pc.and_(whole, small), min_count=0).as_py():
            column = pc.cast(column, pa.int64())  # 12345.0 was a whole number with gaps
    try:
        text = pc.cast(column, pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        text = pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())
    return pc.fill_null(text, "")


def _of_geoparquet(member: Member) -> Rows:
    import geopandas as gpd

    return _of_frame(gpd.read_parquet(io.BytesIO(member.read())), member.name)


def _spatial(member: Member, path: Path | None) -> Rows:
    from peelian.read.drivers import guard

    if path is not None:
        guard(path)  # before pyogrio is imported: see there
    import geopandas as gpd
    import pyogrio

    try:
        frame = gpd.read_file(path if path is not None else io.BytesIO(member.read()), engine="pyogrio")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, OSError) as error:
        raise DataError(f"{path or member.name}: GDAL cannot read it ({error}).") from error
    if "geometry" not in frame or not isinstance(frame, gpd.GeoDataFrame):
        raise DataError(f"{path or member.name}: holds no shapes.")
    return _of_frame(frame, str(path or member.name))


def _of_frame(frame: Any, name: str) -> Rows:
    from dataclasses import replace

    import pyarrow as pa

    shapes = frame.geometry
    kinds = sorted(set(shapes.geom_type.dropna()) - {"Point"})
    if kinds:
        raise DataError(
            f"{name}: holds {some(kinds)}, not points, so they are no incidents. Areas go under [places], "
            "other shapes under [[layers]]."
        )
    given = shapes.notna() & ~shapes.is_empty
    plain = frame.drop(columns=shapes.name).assign(**{X: shapes.x.where(given), Y: shapes.y.where(given)})
    plain = plain.astype({c: "str" for c in plain if str(plain[c].dtype).startswith("datetime")})
    read = _of_arrow(pa.Table.from_pandas(plain, preserve_index=False))
    return replace(read, crs=shapes.crs)
