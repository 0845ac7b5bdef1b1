"""Brings prices of one financial year to those of another with a deflator that the user supplies."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.resources import files
from pathlib import Path

from peelian.errors import DataError
from peelian.figures.figure import Figure, Figures

FILE = "gdp_deflator.csv"
COLUMNS = ["year", "index", "published on"]


@dataclass(frozen=True)
class Deflator:
    """An index of prices by financial year, and the day it was published.

    ``index``  financial year (``2015-16``) -> index; ``published`` the latest day in the file; ``file``
               where it stands.
    """

    index: dict[str, float] = field(default_factory=dict)
    published: date | None = None
    file: str = FILE


def deflator(folder: str | Path | None = None) -> Deflator:
    """The deflator in the user's folder of figures; the shipped one is an empty template.

    ``gdp_deflator.csv`` has the columns ``year`` (``2015-16``), ``index`` (above 0) and ``published on`` (a
    day). Raises ``DataError`` with file and line for a wrong year, index or day, or a year given twice.

    >>> deflator().index
    {}
    """
    own = None if folder is None else Path(folder) / FILE
    if own is None or not own.exists():
        return _read((files(__package__) / FILE).read_text("utf-8"), FILE)
    return _read(own.read_text("utf-8-sig"), str(own))


def uprate(figure: Figure, to_year: str, deflator: Deflator) -> Figure:
    """The figure in prices of another financial year: value x index(to) / index(base), its range too.

    Raises ``DataError`` where the figure is nominal or blank, or the deflator lacks either year.

    >>> from peelian.figures import load
    >>> invented = Deflator({"2015-16": 100.0, "2020-21": 110.0})
    >>> uprate(load().at("burglary_police"), "2020-21", invented).words
    '£583 per recorded domestic burglary'
    """
    if figure.price_base in ("", "nominal"):
        raise DataError(
            f"{figure.file}, line {figure.line}: [{figure.name}] has no price base other than nominal; it "
            "cannot be brought to other prices."
        )
    missing = [year for year in (figure.price_base, to_year) if year not in deflator.index]
    if missing:
        raise DataError(
            f"{deflator.file}: has no index for {' and '.join(missing)}, so [{figure.name}] cannot "
            f"be brought from prices of {figure.price_base} to {to_year}. Add the year."
        )
    ratio = deflator.index[to_year] / deflator.index[figure.price_base]
    return replace(
        figure, value=figure.number * ratio, price_base=to_year,
        low=None if figure.low is None else figure.low * ratio,
        high=None if figure.high is None else figure.high * ratio,
    )  # fmt: skip


def uprated(figures: Figures, names: Iterable[str], to_year: str, deflator: Deflator) -> Figures:
    """All figures, those of these names in prices of another financial year; blank ones stay blank."""
    wanted = set(names)
    return Figures(
        tuple(
            uprate(row, to_year, deflator) if row.name in wanted and row.value is not None else row
            for row in figures
        )
    )


def _read(text: str, file: str) -> Deflator:
    reader = csv.DictReader(text.splitlines())
    if reader.fieldnames != COLUMNS:
        raise DataError(f"{file}: its columns are {reader.fieldnames}; expected {', '.join(COLUMNS)}.")
    index: dict[str, float] = {}
    days = []
    for row in reader:
        at = f"{file}, line {reader.line_num}"
        year = (row["year"] or "").strip()
        if not re.fullmatch(r"\d{4}-\d\d", year) or year in index:
            raise DataError(f"{at}: year {year!r} is given twice or is no financial year such as 2015-16.")
        try:
            index[year], day = float(row["index"]), date.fromisoformat(row["published on"])
        except (TypeError, ValueError):
            raise DataError(f"{at}: expected an index above 0 and a day such as 2026-03-31.") from None
        if not index[year] > 0:
            raise DataError(f"{at}: the index is {index[year]:g}; it must be above 0.")
        days.append(day)
    return Deflator(index, max(days, default=None), file)
