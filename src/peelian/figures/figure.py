"""Figure: a number with its unit, date, source and two ratings. Figures: all, asked by name and date."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass as plain_dataclass
from datetime import date
from difflib import get_close_matches
from typing import Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from peelian.errors import DataError
from peelian.words import day as in_words

Colour = Literal["green", "amber", "red"]
QUALITY = {
    "green": "published and read",
    "amber": "quoted second hand",
    "red": "an estimate, or not verified",
}
IMPACT = {
    "green": "moves the answer little",
    "amber": "moves the answer somewhat",
    "red": "moves the answer as much as itself",
}
STEP, AMBER, RED = 0.10, 0.01, 0.05  # of a figure's value; of the answer's change, from which a colour holds
UNIT = re.compile(r"(pounds|hours|minutes|months|share|ratio|multiplier|count|kits)( (per|of) [a-z ]+)?")


@dataclass(frozen=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class Figure:
    """A number that policy supplies, with everything a reader needs to doubt it.

    ``value``        None where it must be supplied by the user; ``low`` and ``high`` its range, for the
                     simulation. ``unit`` in words: ``pounds per kit``, ``hours per burglary``, ``share per
                     year``.
    ``price_base``   financial year of the prices (``2015-16``) or ``nominal``; required for pounds.
    ``since, to``    days between which it applies (``from`` and ``to`` in the file).
    ``perspective``  whose books: ``fiscal``, ``economic`` or ``social``; required for pounds, with
                     ``bearer``.
    ``quality``      of the number: green published and read, amber quoted second hand, red an estimate.
    ``impact``       on the answer of 10 % more or less: green under 1 %, amber 1 to 5 %, red 5 % or more.
    ``first_year, last_year``  years of the programme it covers, where it differs by year (discount rates).
    ``file, line``   where it stands; ``own`` is True for a figure of the user's.
    """

    name: str
    unit: str
    source: str
    since: date
    quality: Colour
    impact: Colour
    value: float | None = None
    low: float | None = None
    high: float | None = None
    price_base: str = ""
    to: date = date.max
    perspective: Literal["fiscal", "economic", "social", ""] = ""
    bearer: str = ""
    cashable: bool = False
    url: str = ""
    note: str = ""
    first_year: int = 0
    last_year: int | None = None
    file: str = ""
    line: int = 0
    own: bool = False

    def __post_init__(self) -> None:
        for key, problem in self._problems():
            raise ValueError(f"{key}|{problem}")

    def _problems(self) -> Iterator[tuple[str, str]]:
        if not UNIT.fullmatch(self.unit):
            yield (
                "unit",
                f"{self.unit!r} is not a unit known here, such as 'pounds per kit' or 'share per year'",
            )
        if not self.source.strip():
            yield "source", "is blank; say who published the number and when"
        if self.to < self.since:
            yield "to", f"{self.to} lies before from, {self.since}"
        if self.unit.startswith("pounds"):
            for key in ("price_base", "perspective", "bearer"):
                if not getattr(self, key):
                    yield key, f"is missing; a figure in pounds needs {key}"
        if not re.fullmatch(r"(nominal|\d{4}-\d\d)?", self.price_base):
            yield (
                "price_base",
                f"{self.price_base!r} is neither 'nominal' nor a financial year such as 2015-16",
            )
        if self.value is None:
            return
        if self.value < 0:
            yield "value", f"{self.value:g} is below 0"
        if self.low is not None and self.low > self.value:
            yield "low", f"{self.low:g} is above value, {self.value:g}"
        if self.high is not None and self.high < self.value:
            yield "high", f"{self.high:g} is below value, {self.value:g}"

    @property
    def number(self) -> float:
        """The value; ``DataError`` where the figure is blank."""
        if self.value is None:
            raise DataError(
                f"{self.file}, line {self.line}: [{self.name}] has no value; it must be supplied."
            )
        return self.value

    @property
    def words(self) -> str:
        """The value with its unit, as printed: ``£5,220 per recorded domestic burglary``."""
        if self.value is None:
            return "not held"
        kind, _, rest = self.unit.partition(" ")
        if kind == "pounds":
            number = f"£{self.value:,.0f}" if self.value == round(self.value) else f"£{self.value:,.2f}"
        elif kind == "ratio":
            return f"a ratio of {self.value:,.6g}"
        elif kind == "share":
            number = f"{100 * self.value:.1f} %"
        else:
            number = f"{self.value:,.6g}"
        kept = rest if kind in ("pounds", "share", "ratio", "count", "multiplier") else self.unit
        return f"{number} {kept}".strip()

    @property
    def weak(self) -> bool:
        """True where both ratings are red: a doubtful number that moves the answer."""
        return self.quality == self.impact == "red"

    def outdated(self, day: date | None) -> str:
        """A sentence where the figure does not apply on that day; empty where it does."""
        if day is None or self.since <= day <= self.to:
            return ""
        asked = in_words(day.isoformat())
        if day > self.to:
            return (
                f"{self.name} ({self.words}) applied until {in_words(self.to.isoformat())} and is used for "
                f"{asked}: no later figure is held."
            )
        return (
            f"{self.name} ({self.words}) applies from {in_words(self.since.isoformat())} and is used for "
            f"{asked}: no earlier figure is held."
        )


@plain_dataclass(frozen=True)
class Figures:
    """All figures. ``at(name, day)`` is the one that applies; rows of one name never overlap.

    Raises ``DataError`` where two rows of a name apply on the same day.
    """

    rows: tuple[Figure, ...]

    def __post_init__(self) -> None:
        by_name: dict[str, list[Figure]] = {}
        for row in self.rows:
            by_name.setdefault(row.name, []).append(row)
        for rows in by_name.values():
            _no_overlap(rows)

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.rows)

    def __contains__(self, name: object) -> bool:
        return any(row.name == name for row in self.rows)

    def at(self, name: str, day: str | date | None = None, *, year: int = 0) -> Figure:
        """The figure of that name on that day; the nearest one where none applies (see ``outdated``).

        ``day`` ISO text or date, None for the latest row; ``year`` the year of the programme, from 0.
        Raises ``DataError`` for a name that is not held.
        """
        rows = [
            row
            for row in self.rows
            if row.name == name
            and row.first_year <= year <= (math.inf if row.last_year is None else row.last_year)
        ]
        if not rows:
            raise DataError(self._unknown(name, year))
        rows.sort(key=lambda row: row.since)
        if day is None:
            return rows[-1]
        on = date.fromisoformat(day) if isinstance(day, str) else day
        begun = [row for row in rows if row.since <= on]
        return begun[-1] if begun else rows[0]

    def _unknown(self, name: str, year: int) -> str:
        names = sorted({row.name for row in self.rows})
        if name in names:
            return f"The figure {name} covers no year {year} of a programme. Add a row to figures/."
        near = get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]}?" if near else " `peelian figures` lists them."
        return f"There is no figure called {name!r}.{hint}"


def step_of_impact() -> float:
    """By how much a figure is moved to see what it does to the answer, as a share.

    >>> step_of_impact()
    0.1
    """
    return STEP


def colour_of(change: float) -> Colour:
    """The impact of a figure from how much the answer changes, as a share, when it moves by that step.

    >>> [colour_of(change) for change in (0.0099, 0.01, 0.05)]
    ['green', 'amber', 'red']
    """
    rounded = round(change, 9)
    return "red" if rounded >= RED else "amber" if rounded >= AMBER else "green"


def _no_overlap(rows: list[Figure]) -> None:
    for i, one in enumerate(rows):
        for other in rows[i + 1 :]:
            days = one.since <= other.to and other.since <= one.to
            years = _last(one) >= other.first_year and _last(other) >= one.first_year
            if days and years:
                raise DataError(
                    f"{other.file}, line {other.line}: [{other.name}] from {other.since} to {other.to} "
                    f"overlaps {one.file}, line {one.line} (from {one.since} to {one.to}). End the earlier "
                    "row the day before the later one begins."
                )


def _last(row: Figure) -> float:
    return math.inf if row.last_year is None else row.last_year
