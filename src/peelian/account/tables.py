"""Reads the CSV files and workbooks of the stage, and names file, line and column of every wrong row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from peelian.errors import DataError, some

Row = dict[str, str]


def read_rows(
    path: str | Path, required: Sequence[str], judge: Callable[[Row], dict[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of a CSV file, or of the first sheet of a workbook (xlsx, ods, xls), as ``judge`` makes them.

    ``required``  columns that must be there. ``judge`` turns one row of text into values, or raises
                  ``DataError`` with what is wrong in it.

    Raises one ``DataError`` that lists every bad row by its line: nothing is loaded until all are mended.
    """
    path = Path(path)
    header, rows = _text(path)
    missing = [name for name in required if name not in header]
    if missing:
        raise DataError(f"{path}: lacks the column {some(missing)}; it has {some(header, most=12)}.")
    good, bad = [], []
    for line, row in rows:
        try:
            if None in row:
                raise DataError("has more fields than the header; a comma inside a value needs quotes")
            good.append(judge({key: (value or "").strip() for key, value in row.items()}))
        except DataError as error:
            bad.append(f"line {line}: {error}")
    if bad:
        raise DataError(
            f"{path}: {len(bad)} of {len(rows):,} rows are wrong and nothing was loaded.\n  "
            + "\n  ".join(bad[:_MOST])
            + (f"\n  and {len(bad) - _MOST:,} more" if len(bad) > _MOST else "")
        )
    return good


_MOST = 12
WORKBOOKS = (".xlsx", ".xlsm", ".ods", ".xls")


def _sheet(path: Path) -> tuple[list[str], list[tuple[int, dict[Any, Any]]]]:
    """The first sheet of a workbook as a CSV file would have it: text, days as ISO, numbers as typed."""
    try:
        import python_calamine as calamine
    except ImportError as error:
        raise DataError(
            f"{path}: reading a workbook needs python-calamine, which is not installed. Save the sheet as "
            "CSV, or install it: pip install python-calamine."
        ) from error
    try:
        rows = calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. [account] in peelian.toml names it.") from None
    except calamine.CalamineError as error:
        raise DataError(f"{path}: is no workbook that can be read ({error}).") from error
    if not rows:
        return [], []
    header = [_typed(value) for value in rows[0]]
    body = [(line, [_typed(value) for value in row]) for line, row in enumerate(rows[1:], 2)]
    return header, [(line, dict(zip(header, row, strict=True))) for line, row in body if any(row)]


def _typed(value: Any) -> str:
    """A cell as somebody would have typed it into a CSV file."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value).strip()


def _text(path: Path) -> tuple[list[str], list[tuple[int, dict[Any, Any]]]]:
    if path.suffix.lower() in WORKBOOKS:
        return _sheet(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            rows: list[tuple[int, dict[Any, Any]]] = [(reader.line_num, row) for row in reader]
            return list(reader.fieldnames or []), rows
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. [account] in peelian.toml names it.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error.reason}). Save it as CSV UTF-8.") from error


def day(row: Row, column: str) -> date:
    """The day in that column; ``DataError`` where it is none."""
    try:
        return date.fromisoformat(row[column])
    except ValueError:
        raise DataError(f"{column} is {row[column]!r}; expected a day such as 2016-05-31") from None


def number(row: Row, column: str) -> float:
    """The number in that column, NaN where blank; pound signs and thousands commas are allowed."""
    text = row.get(column, "")
    if not text:
        return float("nan")
    try:
        return float(text.replace(",", "").replace("£", ""))
    except ValueError:
        raise DataError(f"{column} is {text!r}; expected a number") from None


def count(row: Row, column: str) -> float:
    """The count in that column, NaN where blank (not recorded, which is not nought)."""
    value = number(row, column)
    if value < 0 or value % 1 > 0:
        raise DataError(f"{column} is {row[column]!r}; expected a whole number, 0 or more")
    return value
