"""MPS: counts of recorded crime by area and month, as the Metropolitan Police Service publishes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, some
from peelian.read.files import rejected_frame
from peelian.read.rows import Rows
from peelian.read.tabular import tabular

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Level = Literal["borough", "ward", "lsoa", "area"]
Step = Literal["day", "month", "year"]
MONTH = re.compile(r"^(20\d\d|19\d\d)[-_ ]?(0[1-9]|1[0-2])$")
PLACE = (  # (level, headers that hold its code or name), finest first
    ("lsoa", ("lsoacode", "lsoa11cd", "lsoa21cd", "lsoa")),
    ("ward", ("wardcode", "wd24cd", "wd22cd", "wd18cd")),
    ("borough", ("boroughname", "lookupboroughname", "borough", "lookupborough")),
)
NAME = {"ward": ("wardname",), "lsoa": ("lsoaname",)}
MAJOR = ("majortext", "majorcategory", "major", "category", "type")
MINOR = ("minortext", "minorcategory", "minor")
SAME = {  # minor classes that changed their name and not their meaning
    "burglary in a dwelling": "Domestic Burglary",
    "residential burglary": "Domestic Burglary",
    "domestic burglary": "Domestic Burglary",
}
SMALL_WORDS = {"and", "in", "a", "of", "the", "to", "from", "or", "with", "on", "upon"}
NO_PLACE, NO_CATEGORY, NO_WHOLE = "no area", "no category", "a count is no whole number"


@dataclass(frozen=True, eq=False)
class Counts:
    """Published counts by category, area and month (or year).

    ``frame``     on (``major``, ``minor``, ``place``), one column a month, whole numbers: one row a row of
                  the file. Rows of one key that stand twice are both kept.
    ``level``     ``borough``, ``ward``, ``lsoa`` or ``area``; ``names`` the name of each place.
    ``rejected``  refused rows: ``file``, ``row``, ``reason``, ``text``. Rows of ``frame`` and refused rows
                  add up to the rows of the file.
    ``step``      ``month``, ``year``, or ``day`` where days were asked for.

    Area ids are codes, or the names where the file has no codes. "Unknown" is an area like the others:
    without it the areas do not add up to the total.
    """

    frame: pd.DataFrame
    level: Level
    names: pd.Series
    rejected: pd.DataFrame
    step: Step = "month"

    @property
    def rows_read(self) -> int:
        """Rows of the file: accepted and refused."""
        return len(self.frame) + len(self.rejected)

    @property
    def categories(self) -> pd.DataFrame:
        """Major and minor categories with their ``total``."""
        return self.frame.sum(axis=1).groupby(level=["major", "minor"]).sum().rename("total").reset_index()

    def of(self, category: str) -> pd.Series:
        """Counts of a major or minor category on (place, month), zeros included, in order.

        It is what ``Panel.build`` takes. The major category is meant where a name is both.
        ``DataError`` names the categories where there is none of that name.
        """
        for level in ("major", "minor"):
            held = self.frame.index.get_level_values(level)
            found = held.str.casefold() == _category(category).casefold()
            if found.any():
                chosen = self.frame[found].groupby(level="place").sum()
                every = self.frame.index.unique("place")
                full = chosen.reindex(every, fill_value=0).sort_index()
                return full.rename_axis(columns=self.step).stack().astype("int64").rename("count")
        known = sorted(set(self.frame.index.unique("major")) | set(self.frame.index.unique("minor")) - {""})
        raise DataError(f"No category is called {category!r}. The file holds: {some(known, 40)}.")

    def totals(self, category: str) -> pd.Series:
        """Counts of a category by month (or year), all areas together."""
        return self.of(category).groupby(level=self.step).sum().rename("count")


def counts(path: Path | str, *, days: bool = False) -> Counts:
    """Counts from one of the Met's published tables, whatever its layout.

    ``path``  CSV (``.gz`` too), Excel or Parquet: a row for each category and area with one column a month
              (``201004``), by borough, ward or LSOA, in any edition's spelling; or a long table of area,
              year or date, count and perhaps category. Dates within a month are added to it.
    ``days``  keep the days of a long table that has them, in place of adding them up by month.

    Category names are brought to one spelling (``Arson and Criminal Damage``), and the names that the
    class of burglary in a dwelling had at different times to ``Domestic Burglary``; the definition itself
    changed in April 2017 (see ``figures.recording_changes``). Counts are public.

    Raises ``DataError`` where no column holds an area, or none holds counts.
    """
    path = Path(path)
    read = tabular(path)
    folded = {re.sub(r"[^a-z0-9]", "", name.casefold()): at for at, name in enumerate(read.header)}
    months = {at: found for at, name in enumerate(read.header) if (found := MONTH.match(name))}
    level, place = _area(path, read, folded)
    held = read.texts()
    keys = _keys(held, folded, place, level)
    if months:
        numbers = held[[str(at) for at in months]]
        columns = [f"{found[1]}-{found[2]}" for found in months.values()]
        return _wide(path, read, keys, numbers, columns, level)
    return _long(path, read, keys, held, folded, level, days)


def reconcile(own: pd.Series, published: pd.Series) -> pd.DataFrame:
    """Own rows against published counts by year: ``own``, ``published`` and their ``ratio``.

    ``own``, ``published``  counts by month (``pandas.Period`` index), all areas together.

    Only months that both hold are compared; ``months`` says how many of a year those are. A ratio of one is
    agreement; police.uk and the Met's own counts lie within 2 % of one another.

    >>> import pandas as pd
    >>> months = pd.period_range("2016-11", "2017-01", freq="M")
    >>> table = reconcile(pd.Series([9, 11, 10], months), pd.Series([10, 10, 8], months))
    >>> table["ratio"].round(2).to_dict()
    {2016: 1.0, 2017: 1.25}
    """
    import pandas as pd

    both = pd.DataFrame({"own": own, "published": published}).dropna()
    if both.empty:
        raise DataError("The rows and the published counts have no month in common.")
    year = pd.PeriodIndex(both.index).year
    table = both.groupby(year).sum().astype("int64").rename_axis("year")
    table["ratio"] = table["own"] / table["published"].where(table["published"] > 0)
    table["months"] = both.groupby(year).size().to_numpy()
    return table


def _area(path: Path, read: Rows, folded: dict[str, int]) -> tuple[Level, int]:
    for level, names in PLACE:
        for name in names:
            if name in folded:
                return level, folded[name]  # type: ignore[return-value]
    generic = [folded[name] for name in ("npu", "area", "place", "code", "name") if name in folded]
    if generic:
        return "area", generic[0]
    raise DataError(
        f"{path}: no column holds an area: expected one such as BoroughName, WardCode or LSOA Code; it has "
        f"{some(read.header, 12) or 'no columns'}."
    )


def _keys(held: pd.DataFrame, folded: dict[str, int], place: int, level: str) -> pd.DataFrame:
    import pandas as pd

    def column(names: tuple[str, ...]) -> pd.Series | None:
        at = next((folded[name] for name in names if name in folded), None)
        return None if at is None else held[str(at)]

    major, minor, name = column(MAJOR), column(MINOR), column(NAME.get(level, ()))
    empty = pd.Series("", index=held.index, dtype="str")
    where = held[str(place)]
    if level == "borough":
        where = where.map(_title, na_action="ignore").astype("str")
    return pd.DataFrame(
        {
            "major": pd.Series("All", held.index, dtype="str") if major is None else _spelt(major),
            "minor": empty if minor is None else _spelt(minor),
            "place": where,
            "name": where if name is None else name,
        }
    )


def _wide(
    path: Path, read: Rows, keys: pd.DataFrame, numbers: pd.DataFrame, columns: list[str], level: Level
) -> Counts:
    import numpy as np
    import pandas as pd

    values = numbers.apply(pd.to_numeric, errors="coerce").astype("float64")
    whole = values.notna() & (values % 1 == 0) & (values >= 0)
    reason = np.where(whole.all(axis=1), "", NO_WHOLE).astype(object)
    good, refused = _refused(path, read, keys, reason)
    months = pd.PeriodIndex(columns, freq="M", name="month")
    frame = pd.DataFrame(values[good].to_numpy("int64"), _index(keys[good]), months)
    return Counts(frame.sort_index(axis=1), level, _names(keys[good]), refused)


def _long(
    path: Path, read: Rows, keys: pd.DataFrame, held: pd.DataFrame, folded: dict[str, int], level: Level,
    days: bool,
) -> Counts:  # fmt: skip
    import numpy as np
    import pandas as pd

    from peelian.read.dates import dates

    count = next(
        (folded[name] for name in ("count", "n", "total", "crimes", "value") if name in folded), None
    )
    when = next((folded[n] for n in ("month", "date", "yearmonth", "year") if n in folded), None)
    if count is None or when is None:
        raise DataError(
            f"{path}: no column is a month such as 201004, and no pair of columns holds a date and a count; "
            f"it has {some(read.header, 12)}."
        )
    year = read.header[when].casefold() == "year"
    text = held[str(when)]
    told = None if year else dates(text, name="date")
    instant = pd.to_datetime(text, format="%Y", errors="coerce") if told is None else told.instant
    daily = days and told is not None and bool((told.step >= 1).any())
    number = pd.to_numeric(held[str(count)], errors="coerce").astype("float64")
    reason = np.where(number.notna() & (number % 1 == 0) & (number >= 0), "", NO_WHOLE).astype(object)
    reason[instant.isna().to_numpy()] = "date is no date"
    good, refused = _refused(path, read, keys, reason)
    step: Step = "year" if year else "day" if daily else "month"
    period = instant[good].dt.to_period({"year": "Y", "month": "M", "day": "D"}[step]).rename(step)
    long = pd.Series(number[good].to_numpy("int64"), [*_index(keys[good]).to_frame().to_numpy().T, period])
    wide = long.groupby(level=[0, 1, 2, 3]).sum().unstack(fill_value=0)
    full = pd.period_range(period.min(), period.max()) if len(period) else wide.columns
    wide = wide.reindex(columns=full, fill_value=0).rename_axis(columns=step)
    wide.index.names = ["major", "minor", "place"]
    return _Long(wide, level, _names(keys[good]), refused, step, rows=int(good.sum()))


@dataclass(frozen=True, eq=False)
class _Long(Counts):
    """Counts of a long table, whose rows are area-dates and not rows of the frame."""

    rows: int = 0

    @property
    def rows_read(self) -> int:
        """Rows of the file: accepted and refused."""
        return self.rows + len(self.rejected)


def _refused(
    path: Path, read: Rows, keys: pd.DataFrame, reason: np.ndarray
) -> tuple[np.ndarray, pd.DataFrame]:
    reason[keys["major"].isna().to_numpy()] = NO_CATEGORY
    reason[keys["place"].isna().to_numpy()] = NO_PLACE
    good = reason == ""
    numbers = read.table["row"].to_pylist() if not good.all() else []
    lost = [(path.name, *row) for row in read.refused]
    lost += [
        (path.name, int(numbers[at]), str(reason[at]), read.text(at)) for at in (~good).nonzero()[0].tolist()
    ]
    return good, rejected_frame(lost)


def _index(keys: pd.DataFrame) -> pd.MultiIndex:
    import pandas as pd

    return pd.MultiIndex.from_frame(keys[["major", "minor", "place"]].fillna({"minor": ""}))


def _names(keys: pd.DataFrame) -> pd.Series:
    return keys.drop_duplicates("place").set_index("place")["name"].sort_index()


def _spelt(column: pd.Series) -> pd.Series:
    return column.map(_category, na_action="ignore").astype("str")


def _category(name: str) -> str:
    return SAME.get(" ".join(name.split()).casefold(), _title(name))


def _title(name: str) -> str:
    """``ARSON AND CRIMINAL DAMAGE`` and ``Arson and Criminal Damage`` as the second; codes stay."""
    if "-" in name and name.islower():
        return name
    words = [w if w.startswith("(") or w == "NFIB" else w.capitalize() for w in name.split()]
    return " ".join(w.lower() if at and w.lower() in SMALL_WORDS else w for at, w in enumerate(words))
