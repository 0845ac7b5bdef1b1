"""Area profiles: households, dwellings, tenure, deprivation, ethnicity and age of each area, by its code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, some
from peelian.places import Places
from peelian.read.apportion import apportion
from peelian.read.areas import require_column
from peelian.read.lookups import Crosswalk, table_of
from peelian.words import percent

if TYPE_CHECKING:
    import pandas as pd

THEMES = (
    "households",
    "people",
    "age",
    "dwellings",
    "tenure",
    "ethnicity",
    "occupancy",
    "deprivation",
    "economy",
    "access",
)
CODES = re.compile(r"^(lsoa|msoa|oa|wd|lad)\d\d_?(code|cd)$", re.IGNORECASE)
COUNTS, MEANS, FIXED = ("count",), ("share", "score"), ("rank", "decile")


@dataclass(frozen=True, eq=False)
class Profile:
    """What is known of areas, on their codes.

    ``frame``    on area codes, in order: one column a measure, named as the file names it; numbers, shares as
                 0 to 1.
    ``columns``  on those names: ``theme`` (households, people, age, dwellings, tenure, ethnicity, occupancy,
                 deprivation, economy, access), ``measure`` in words, ``kind`` (count, share, score, rank,
                 decile), ``of`` (households or people, what a count is a part of) and ``year`` as text
                 (empty where the file does not say).
    ``others``   columns of the file that are none of these.
    """

    frame: pd.DataFrame
    columns: pd.DataFrame
    others: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""

    def of(self, theme: str, *, year: str | None = None) -> pd.DataFrame:
        """The measures of one theme, of one year where asked; ``DesignError`` lists the themes there are."""
        held = self.columns["theme"] == theme
        if year is not None:
            held &= self.columns["year"] == str(year)
        if not held.any():
            there = sorted({f"{row.theme} {row.year}".strip() for row in self.columns.itertuples()})
            raise DesignError(f"The profile holds no {theme} {year or ''}; it holds {some(there, 20)}.")
        return self.frame[list(self.columns.index[held])]

    def shares(self, theme: str, *, year: str | None = None) -> pd.DataFrame:
        """Each count of a theme as a share of the theme's total in its area, 0 to 1; missing where that is 0.

        The categories of a theme must leave nobody out or twice: those of a census table do.
        """
        held = self.of(theme, year=year)
        counts = held[[name for name in held if self.columns.at[name, "kind"] == "count"]]
        total = counts.sum(axis=1, min_count=1)
        return counts.div(total.where(total > 0), axis=0)


@dataclass(frozen=True, eq=False)
class Joined:
    """Places with a profile's columns, and which of them the profile does not know.

    ``share``  of the places that were found, 0 to 1; ``unknown`` the ids of the others; ``sentence`` says so.
    """

    places: Places
    unknown: tuple[str, ...]

    @property
    def share(self) -> float:
        """Share of the places that the profile knows."""
        return 1 - len(self.unknown) / len(self.places)

    @property
    def sentence(self) -> str:
        """How many places were found, in words."""
        found, whole = len(self.places) - len(self.unknown), len(self.places)
        said = f"{found:,} of {whole:,} areas ({percent(self.share)}) are in the profile."
        return said if not self.unknown else f"{said} Not in it: {some(self.unknown, 5)}."


def profile(
    path: Path | str,
    *,
    id: str | None = None,
    themes: Iterable[str] | None = None,
    source: str = "",
    licence: str = "",
) -> Profile:
    """What a published table knows of areas: its columns recognised by theme, and the rest named.

    ``path``    CSV or Parquet with one row an area. Census tables of the Office for National Statistics as
                commonly re-published, Indices of Deprivation, VOA dwellings and the GLA LSOA Atlas are
                recognised by their columns.
    ``id``      the column with the area code; found where one is named like ``lsoa11_code`` or ``LSOA11CD``.
    ``themes``  only these.

    Numbers with thousands commas are numbers. Raises ``DataError`` for a file with no column that is
    recognised, codes that repeat or are missing, and counts that are negative.
    """
    import pandas as pd

    table = table_of(path)
    id = id or _code(table, path)
    require_column(table, id, path)
    codes = table[id].astype("str").str.strip()
    if table[id].isna().any() or codes.duplicated().any():
        wrong = codes[codes.duplicated()].unique() if codes.duplicated().any() else ["blank"]
        raise DataError(
            f"{path}: column {id} does not tell the areas apart: {some(wrong)} stand twice or are blank."
        )
    wanted = tuple(THEMES if themes is None else themes)
    strange = [theme for theme in wanted if theme not in THEMES]
    if strange:
        raise DesignError(f"There is no theme {some(strange)}; expected {', '.join(THEMES)}.")
    known = {str(name): found for name in table if name != id and (found := _meaning(str(name)))}
    others = tuple(str(name) for name in table if name != id and str(name) not in known)
    known = {name: found for name, found in known.items() if found["theme"] in wanted}
    if not known:
        raise DataError(f"{path}: no column is recognised as {some(wanted, 8)}; it has {some(others, 20)}.")
    columns = pd.DataFrame(known).T.rename_axis("column")
    frame = pd.DataFrame({name: _numbers(table[name], found, path) for name, found in known.items()})
    frame.index = pd.Index(codes, name="place")
    named = columns[["theme", "measure", "kind", "of", "year"]].astype("str")
    return Profile(frame.sort_index(), named, others, source, licence)


def joined(places: Places, profile: Profile, *, households: str | None = None) -> Joined:
    """The places with the columns of a profile beside their own.

    ``households``  the profile's column that becomes the places' households (a denominator); the places keep
                    their own without it.

    Places that the profile does not know have missing values; a missing number of households cannot be a
    denominator, so then it is an error, with the likely reason.
    """
    held = profile.frame.reindex(places.index)
    unknown = tuple(places.index[~places.index.isin(profile.frame.index)])
    if len(unknown) == len(places):
        raise DataError(
            f"The profile knows none of the {len(places):,} places: theirs look like {places.index[0]}, "
            f"its like {profile.frame.index[0]}. Is it of another edition of areas? Then carry it over "
            "with a lookup."
        )
    frame = places.frame.drop(columns=[name for name in held if name in places.frame])
    frame = frame.join(held)
    if households is not None:
        require_column(profile.frame, households, "the profile")
        if unknown:
            raise DataError(f"The profile has no households for {len(unknown):,} places: {some(unknown)}.")
        frame["households"] = held[households]
    return Joined(replace(places, frame=frame), unknown)


def carried(profile: Profile, crosswalk: Crosswalk) -> Profile:
    """The profile on the new edition of areas: counts divided by people, shares and scores averaged.

    Ranks and deciles are left out: they are places in a list of the old areas, and the new ones are another
    list. Totals of counts are kept (of codes that the crosswalk knows).
    """
    import pandas as pd

    found = {}
    for name, kind in profile.columns["kind"].items():
        if kind in FIXED:
            continue
        values = profile.frame[name].dropna()
        of: Any = "counts" if kind in COUNTS else "rates"
        found[name] = apportion(values, crosswalk, of=of).values
    if not found:
        raise DesignError(
            "The profile holds ranks and deciles alone, which no other edition of areas can take."
        )
    frame = pd.DataFrame(found).rename_axis("place").sort_index()
    return replace(profile, frame=frame, columns=profile.columns.loc[list(found)])


# -------------------------------------------------------------------- what a column means
def _meaning(name: str) -> dict[str, str] | None:
    """Theme, measure, kind, what it is a part of, and year of a column; None where it is of no theme."""
    for entry in _entries():
        found = re.fullmatch(entry["pattern"], name, re.IGNORECASE)
        if found is None:
            continue
        parts: dict[str, str] = {}
        for key, value in found.groupdict().items():
            if value is not None:
                parts.setdefault(key.rstrip("0123456789"), value)
        words = entry["measure"].format(**{"measure": "", "kind": ""} | parts).replace("_", " ").strip()
        return {
            "theme": entry["theme"],
            "measure": words,
            "kind": entry["kind"].format(kind=parts.get("kind", "").lower()),
            "of": entry.get("of", ""),
            "year": parts.get("year", ""),
            "percent": "yes" if entry.get("percent") else "",
        }
    return None


@cache
def _entries() -> tuple[dict[str, Any], ...]:
    text = (files(__package__) / "profile_columns.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["column"])


def _code(table: pd.DataFrame, path: Path | str) -> str:
    found = [str(name) for name in table if CODES.match(str(name))]
    if not found:
        raise DataError(
            f"{path}: which column holds the area code? It has {some(list(table.columns), 20)}. "
            'Name it: id = "...".'
        )
    return found[0]


def _numbers(column: pd.Series, meaning: dict[str, str], path: Path | str) -> list[float]:
    """Numbers, with thousands commas understood and percentages as shares."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column):
        column = column.astype("str").str.replace(",", "", regex=False)
    values = pd.to_numeric(column, errors="coerce").astype("float64")
    if meaning["kind"] in COUNTS and (values < 0).any():
        raise DataError(f"{path}: column {column.name} counts {int((values < 0).sum())} times below 0.")
    return (values / 100 if meaning["percent"] else values).tolist()
