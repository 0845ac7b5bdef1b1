"""Lookups: how much of each area of one edition lies in each area of another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from peelian.errors import DataError, some
from peelian.read.areas import require_column
from peelian.read.files import present, unpacked
from peelian.read.rows import rows, trimmed

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.places import Places

CODE_COLUMN = re.compile(r"^(OA|LSOA|MSOA|WD|LAD)(\d\d)CD$", re.IGNORECASE)
SLIVER = 0.01  # share of an area below which an overlap is the drawing of edges, not people


@dataclass(frozen=True, eq=False)
class Crosswalk:
    """The pieces that two editions of areas are made of, each in one area of either edition.

    ``pieces``    ``old``, ``new`` (codes, text) and ``size`` (people, households or square metres: what a
                  share is a share of); one row a pair, in order.
    ``how``       what the sizes are, in words: it is part of every result that rests on them.
    ``unmatched`` ``code`` and ``side`` (``old``, ``new``) of rows of the file that name one side alone.

    >>> import pandas as pd
    >>> walk = Crosswalk.of(pd.DataFrame({"old": ["a", "b"], "new": ["x", "y"], "size": [1, 1]}), how="rows")
    >>> walk.forward["share"].tolist()
    [1.0, 1.0]
    """

    pieces: pd.DataFrame
    how: str
    unmatched: pd.DataFrame

    @classmethod
    def of(cls, pieces: pd.DataFrame, *, how: str, unmatched: pd.DataFrame | None = None) -> Crosswalk:
        """A crosswalk from rows of old, new and size; pairs that repeat are added up.

        Raises ``DataError`` for no rows at all and for sizes that are negative or no numbers.
        """
        import numpy as np
        import pandas as pd

        if pieces.empty:
            raise DataError("The lookup joins no code to another: it holds no row with both.")
        size = pd.to_numeric(pieces["size"], errors="coerce").astype("float64")
        wrong = ~np.isfinite(size) | (size < 0)
        if wrong.any():
            first = pieces[wrong.to_numpy()].iloc[0]
            raise DataError(
                f"The lookup's size is negative or no number in {int(wrong.sum())} rows, first "
                f"{first['old']} to {first['new']}."
            )
        summed = pieces.assign(size=size).groupby(["old", "new"], as_index=False, sort=True)["size"].sum()
        if unmatched is None:
            unmatched = pd.DataFrame({"code": [], "side": []}, dtype="str")
        return cls(summed.astype({"old": "str", "new": "str"}), how, unmatched)

    @property
    def forward(self) -> pd.DataFrame:
        """Columns ``from``, ``to``, ``share``: of each old area, what part goes to which new one."""
        return _shares(self.pieces, "old", "new")

    @property
    def backward(self) -> pd.DataFrame:
        """Columns ``from``, ``to``, ``share``: of each new area, what part goes to which old one."""
        return _shares(self.pieces, "new", "old")

    @property
    def of_lsoas(self) -> bool:
        """True where both editions are lower layer super output areas, by the look of their codes."""
        return all(code[:3] in ("E01", "W01") for code in self.old | self.new)

    @property
    def old(self) -> frozenset[str]:
        """The codes of the old edition."""
        return frozenset(self.pieces["old"])

    @property
    def new(self) -> frozenset[str]:
        """The codes of the new edition."""
        return frozenset(self.pieces["new"])


def lookup(
    path: Path | str,
    *,
    old: str | None = None,
    new: str | None = None,
    size: str | None = None,
    people: pd.Series | None = None,
) -> Crosswalk:
    """A crosswalk from a lookup file, such as LSOA 2011 to LSOA 2021 or LSOA to ward.

    ``path``    CSV (``.gz`` too) or Parquet, one row a pair of areas, or a row for each smaller piece
                (an output area) with the two areas it lies in.
    ``old``, ``new``  the columns of codes; found where the file has two alone that are named as the Office
                for National Statistics names them (``LSOA11CD``, ``WD24CD``), or two editions of one level
                (``LSOA11CD``, ``LSOA21CD``) among others.
    ``size``    the column with the people, households or dwellings of each row.
    ``people``  instead of that: Series of people by area, on codes of either edition or of both. An area
                cut into several is cut by the people of its parts; areas put together by their own people.

    With neither, each row counts the same: output areas are drawn to hold about as many people each, while
    in a lookup with one row a pair an area cut in two is halved. ``how`` says which it was.

    Raises ``DataError`` for files and columns that are not there, and a lookup without a pair.
    """
    import pandas as pd

    table = table_of(path)
    if old is None or new is None:
        old, new = _code_columns(table, path, old, new)
    for column in (old, new, size):
        require_column(table, column, path)
    pairs = pd.DataFrame({"old": table[old].astype("str"), "new": table[new].astype("str")})
    pairs["size"] = 1.0 if size is None else pd.to_numeric(table[size], errors="coerce").to_numpy("float64")
    known_old, known_new = table[old].notna(), table[new].notna()
    lone = [(code, "old") for code in sorted(set(table.loc[known_old & ~known_new, old]))]
    lone += [(code, "new") for code in sorted(set(table.loc[known_new & ~known_old, new]))]
    pairs = pairs[(known_old & known_new).to_numpy()]
    repeated = bool(pairs.duplicated(["old", "new"]).any())
    how = f"by {size}" if size else ("by the count of pieces" if repeated else "in equal parts")
    if people is not None:
        pairs, how = _by_people(pairs.drop_duplicates(["old", "new"]), people, path), "by people"
    unmatched = pd.DataFrame(lone, columns=["code", "side"]).astype("str")
    return Crosswalk.of(pairs, how=how, unmatched=unmatched)


def overlay(
    old: Places,
    new: Places,
    *,
    points: gpd.GeoSeries | None = None,
    people: pd.Series | None = None,
) -> Crosswalk:
    """A crosswalk from the shapes of two editions, where nobody publishes a lookup.

    ``points``, ``people``  where people live (a point an output area, postcode or address) and how many,
                            on one index: shares are then shares of people. An old area without a person
                            falls back to square metres.

    Without points the shares are shares of land, which moves people into parks: use points where there are
    any. Overlaps below 1 % of the old area are left out, as edges of two layers never coincide.
    """
    import pandas as pd

    pieces = _overlaps(old, new)
    if points is None:
        return Crosswalk.of(pieces, how="by land")
    held = pd.DataFrame({"old": old.locate(points).array, "new": new.locate(points).array})
    held["size"] = 1.0 if people is None else people.reindex(points.index).to_numpy("float64")
    held = held.dropna(subset=["old", "new"])
    settled = set(held.groupby("old")["size"].sum().loc[lambda total: total > 0].index)
    rest = pieces[~pieces["old"].isin(settled)]
    return Crosswalk.of(
        pd.concat([held[held["old"].isin(settled)], rest], ignore_index=True),
        how="by people" if rest.empty else f"by people ({some(sorted(set(rest['old'])), 3)} by land)",
    )


def table_of(path: Path | str) -> pd.DataFrame:
    """The rows of a CSV or Parquet file; text columns as text, blanks missing."""
    import pandas as pd

    path = present(path)
    if path.suffix.lower() in (".parquet", ".pq"):
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: is no Parquet file ({error}).") from error
    read = rows(unpacked(path))
    if read.refused:
        number, reason, _ = read.refused[0]
        if any(why != "blank line" for _, why, _ in read.refused):
            raise DataError(f"{path}: row {number} cannot be read: {reason}. Mend it; no row may be lost.")
    frame = trimmed(read.table).to_pandas().drop(columns="row")
    frame.columns = list(read.header)
    return frame.loc[:, ~frame.columns.duplicated()]


def _code_columns(table: pd.DataFrame, path: Path | str, old: str | None, new: str | None) -> tuple[str, str]:
    named = [str(name) for name in table.columns if CODE_COLUMN.match(str(name)) and name not in (old, new)]
    parts = {name: CODE_COLUMN.match(name) for name in named}
    if old is None and new is None and len(named) > 2:  # two editions of one level, among larger areas
        levels = [part[1].upper() for part in parts.values() if part]
        named = [name for name in named if levels.count(parts[name][1].upper()) == 2]  # type: ignore[index]
    found = sorted(named, key=lambda name: parts[name][2])  # type: ignore[index]
    if len(found) != 2 - (old is not None) - (new is not None):
        raise DataError(
            f"{path}: which columns hold the two codes? It has {some(list(table.columns), 20)}. "
            'Name them: old = "LSOA11CD", new = "LSOA21CD".'
        )
    left = iter(found)
    return old or next(left), new or next(left)


def _by_people(pairs: pd.DataFrame, people: pd.Series, path: Path | str) -> pd.DataFrame:
    """Pairs with sizes: people of the side that is a part of the other."""
    parts = pairs["new"].groupby(pairs["old"]).transform("size")  # new areas that an old one is cut into
    whole = pairs["old"].groupby(pairs["new"]).transform("size")  # old areas that a new one is made of
    of_new, of_old = pairs["new"].map(people), pairs["old"].map(people)
    size = (
        (of_new / whole)
        .where(parts > 1, of_old.fillna(of_new / whole))
        .where((parts > 1) | (whole > 1), of_new.fillna(of_old))
    )
    lacking = size.isna()
    if lacking.any():
        raise DataError(
            f"{path}: nobody says how many people live in {some(sorted(pairs['new'][lacking].unique()))}. "
            "Shares by people need a number for every area."
        )
    return pairs.assign(size=size)


def _shares(pieces: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """Shares of each area; equal ones where none of its pieces has anybody in it."""
    total = pieces.groupby(one)["size"].transform("sum")
    count = pieces.groupby(one)["size"].transform("size")
    share = (pieces["size"] / total.where(total > 0)).fillna(1.0 / count)
    frame = pieces.assign(share=share).rename(columns={one: "from", other: "to"})
    return frame[["from", "to", "share"]].sort_values(["from", "to"], ignore_index=True)


def _overlaps(old: Places, new: Places) -> pd.DataFrame:
    import pandas as pd

    shapes = new.frame.geometry.to_crs(old.crs)
    left, right = shapes.sindex.query(old.frame.geometry, predicate="intersects")
    size = old.frame.geometry.values[left].intersection(shapes.values[right]).area
    frame = pd.DataFrame({"old": old.index[left], "new": new.index[right], "size": size})
    frame = frame[size >= SLIVER * old.areas.to_numpy()[left]]
    return frame[frame["size"] > 0].reset_index(drop=True)
