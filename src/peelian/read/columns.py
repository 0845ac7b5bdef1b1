"""Columns: what the values of each column of a table look like, whatever its header says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.errors import DataError
from peelian.read.coordinates import numbers
from peelian.read.dates import SERIAL, STEPS, ZONE, Order, dates
from peelian.read.rows import Rows

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 6_000  # rows looked at, spread over the file
NEARLY = 0.97  # share of the given values that must be of a kind
CLOCK = r"^\d{1,2}:?\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[AaPp][Mm])?$"
LETTERS = r"[A-Za-z]"


@dataclass(frozen=True)
class Column:
    """What is known of one column.

    ``name``, ``words`` (its header in lower case, parted), ``given`` (share of rows with a value),
    ``distinct`` values in the sample, ``lettered`` (share of values with a letter), ``numeric`` (numbers),
    ``whole`` (all whole numbers), ``low`` and ``high`` of the numbers, ``step`` of the dates (``month``,
    ``day``, ``minute``; empty where it holds none), ``order`` of day and month (``either`` where it cannot be
    told), ``clock`` (times of day), ``zoned`` (share written with a zone mark), ``examples``.
    """

    name: str
    words: tuple[str, ...]
    given: float
    distinct: int
    rows: int
    lettered: float
    numeric: bool
    whole: bool
    low: float
    high: float
    step: str
    order: str
    clock: bool
    zoned: float
    examples: tuple[str, ...]

    @property
    def degrees(self) -> bool:
        """True where the values could be longitude or latitude, with decimals."""
        return self.numeric and not self.whole and self.low >= -180 and self.high <= 180

    def named(self, *choices: str) -> bool:
        """True where the header holds all the words of one of the choices, side by side."""
        said = f" {' '.join(self.words)} "
        return any(f" {choice} " in said for choice in choices)


def columns(read: Rows) -> list[Column]:
    """Each column of a table, judged on a sample spread evenly over its rows."""
    held = read.texts(every=max(read.table.num_rows // SAMPLE, 1))
    return [_column(name, held[str(at)], read.serials) for at, name in enumerate(read.header)]


def _column(name: str, text: pd.Series, serials: bool) -> Column:
    given = text.dropna()
    number = numbers(given, True) if len(given) else given.astype("float64")
    number = number[number.abs() < 1e300]
    finite = number[number != 0] if len(number) else number  # 0 stands for nothing in many coordinates
    numeric = bool(len(given)) and len(number) >= NEARLY * len(given) and number.notna().mean() >= NEARLY
    whole = numeric and bool((number.dropna() % 1 == 0).all())
    step, order = _dated(given, numeric, serials)
    return Column(
        name=name,
        words=words(name),
        given=float(len(given) / max(len(text), 1)),
        distinct=int(given.nunique()),
        rows=len(text),
        lettered=float(given.str.contains(LETTERS).mean()) if len(given) else 0.0,
        numeric=numeric,
        whole=whole,
        low=float(finite.min()) if numeric and len(finite) else 0.0,
        high=float(finite.max()) if numeric and len(finite) else 0.0,
        step=step,
        order=order,
        clock=bool(len(given)) and float(given.str.match(CLOCK).mean()) >= NEARLY,
        zoned=float(given.str.extract(ZONE)[0].notna().mean()) if step == "minute" else 0.0,
        examples=tuple(given.drop_duplicates().head(3)),
    )


def words(name: str) -> tuple[str, ...]:
    """A header's words in lower case: ``LookUp_BoroughName`` is look up borough name.

    >>> words("DATE_OCC"), words("offenceType"), words("X Coordinate")
    (('date', 'occ'), ('offence', 'type'), ('x', 'coordinate'))
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return tuple(re.findall(r"[a-z0-9]+", parted.casefold()))


def _dated(given: pd.Series, numeric: bool, serials: bool) -> tuple[str, str]:
    """The step and the order of a column of dates; empty where it is none."""
    if not len(given):
        return "", ""
    number = given.str.match(SERIAL)
    if numeric and not (serials and number.mean() >= NEARLY):
        return "", ""
    order: Order | None = "excel" if number.any() else None
    said = str(order or "")
    try:
        found = dates(given, order=order)
    except DataError:
        found, said = dates(given, order="dmy"), "either"
        other = dates(given, order="mdy")
        if other.instant.notna().sum() != found.instant.notna().sum():
            return "", ""
    known = found.instant.notna().to_numpy()
    if known.mean() < NEARLY:
        return "", ""
    if said == "":
        year_first = given.str.match(r"^\d{4}[-/]").mean() >= NEARLY
        said = "iso" if year_first else _told(given, found.instant)
    return STEPS[int(found.step[known].min())], said


def _told(given: pd.Series, instant: pd.Series) -> str:
    """Day first or month first, as the values themselves told."""
    for order in ("dmy", "mdy"):
        if bool((dates(given, order=order).instant == instant).sum() == instant.notna().sum()):
            return order
    return ""
