"""Quality: what is wrong with an extract, in sentences, each with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import peelian.read.checks as checks
import peelian.read.checks_of_places as of_places
import peelian.read.checks_of_time as time
from peelian.read.checks import Finding, Limits

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

Level = Literal["fine", "note", "warning"]


@dataclass(frozen=True, eq=False)
class Quality:
    """The judgement of an extract.

    ``checks``  frame in the order they were asked: ``check``, ``level`` (``fine``, ``note``, ``warning``),
                ``sentence``, ``value`` (a number or a word), ``remedy`` (empty where nothing is to be done).
    ``tables``  by name: ``reasons`` (refused rows), ``months`` (rows and blank locations of each month),
                ``years`` (blank locations), ``types``, ``breaks`` (tested changes of level), ``vintage``,
                ``published``.
    """

    checks: pd.DataFrame
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(self.checks["sentence"])

    @property
    def warnings(self) -> pd.DataFrame:
        """The checks that want something done before anybody models these rows."""
        return self.checks[self.checks["level"] == "warning"]

    def value(self, check: str) -> Any:
        """The value of one check, by its name."""
        return self.checks.set_index("check")["value"][check]

    def followed_by(self, findings: Iterable[Finding]) -> Quality:
        """The judgement with more findings after its own."""
        import pandas as pd

        more = pd.DataFrame([one.row for one in findings], columns=list(Finding.COLUMNS))
        return replace(self, checks=pd.concat([self.checks, more], ignore_index=True))

    def as_json(self) -> dict[str, Any]:
        """Plain values: the checks and the tables as lists of rows."""
        plain = {name: _plain(table).to_dict("records") for name, table in self.tables.items()}
        return {"checks": self.checks.to_dict("records"), "tables": plain}


def quality(
    incidents: Incidents,
    areas: Places,
    *,
    crime: Iterable[str] = (),
    limits: Limits | None = None,
    published: pd.Series | None = None,
    known_2011: Iterable[str] | None = None,
    known_2021: Iterable[str] | None = None,
) -> Quality:
    """What was read, and what is wrong with it: rows, months, repeats, places, precision, types, levels.

    ``incidents``  every row that was read; ``areas`` the places they are to be counted in.
    ``crime``      the types that the project is about: months and levels are judged for these (for all
                   types where none is given).
    ``limits``     above which shares a check warns.
    ``published``  the crime's published totals by month, to be held against the rows.
    ``known_2011``, ``known_2021``  LSOA codes of both editions, for the vintage of months (see vintage).

    Nothing is changed and nothing refused: each check is a sentence, a number and a remedy.
    """
    import pandas as pd

    limits = limits or Limits()
    chosen = incidents.of_type(list(crime)) if tuple(crime) and len(incidents) else incidents
    tables = {"reasons": reasons(incidents.rejected)}
    found: list[Finding | None] = [checks.rows(incidents, tables["reasons"])]
    if len(incidents):
        tables["months"] = checks.by_month(incidents, chosen)
        tables["years"] = checks.by_year(incidents)
        tables["types"] = checks.by_type(incidents)
        found += _in_time_and_place(incidents, chosen, areas, tables, limits)
        yearly = checks.by_year_alone(incidents)
        if not yearly:
            jumps, tables["breaks"] = time.breaks(chosen, tables["months"], limits)
            found.append(jumps)
        if published is not None:
            agreed, tables["published"] = time.agreement(chosen, published, limits, yearly=yearly)
            found.append(agreed)
        edition, table = of_places.editions(incidents, areas, known_2011, known_2021)
        found.append(edition)
        if table is not None:
            tables["vintage"] = table
    frame = pd.DataFrame([f.row for f in found if f is not None], columns=list(Finding.COLUMNS))
    return Quality(frame, tables)


def _in_time_and_place(
    incidents: Incidents, chosen: Incidents, areas: Places, tables: dict[str, pd.DataFrame], limits: Limits
) -> list[Finding | None]:
    """The checks that need no more than the rows, the areas and the tables of counts."""
    own = incidents.place_of(areas, by="point")
    yearly = checks.by_year_alone(incidents)
    return [
        checks.whole_years(incidents) if yearly else checks.months(tables["months"]),
        None if yearly else checks.low_months(tables["months"], limits),
        checks.repeats(incidents),
        checks.twins(incidents),
        of_places.blanks(incidents, tables["years"], tables["months"], limits),
        of_places.faults(incidents),
        *of_places.codes(incidents, areas, own, limits),
        of_places.outside(incidents, own, limits),
        of_places.snapping(incidents),
        time.precision(incidents, yearly=yearly),
        time.midnight(incidents, limits),
        time.windows(incidents),
        checks.types(tables["types"]),
        None if yearly else checks.levels(tables["months"], limits),
        time.names(incidents),
        time.recording(chosen),
    ]


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its index as a column, and months as text."""
    table = table.reset_index(names=table.index.name) if table.index.name else table
    words = [name for name in table if str(table[name].dtype).startswith("period")]
    index = [table.columns[0]] if len(table.columns) else []
    return table.astype(dict.fromkeys([*words, *index], "str"))


def reasons(rejected: pd.DataFrame) -> pd.DataFrame:
    """How many rows were refused for each reason, most first.

    >>> import pandas as pd
    >>> refused = ["repeats Crime ID of row 4", "no month", "repeats Crime ID of row 9"]
    >>> reasons(pd.DataFrame({"reason": refused}))["rows"].to_dict()
    {'repeats Crime ID of another row': 2, 'no month': 1}
    """
    import pandas as pd

    plain = [re.sub(r" of row \d+.*", " of another row", str(text)) for text in rejected["reason"]]
    counts = pd.Series(plain, dtype="str").value_counts().rename_axis("reason").rename("rows").reset_index()
    counts = counts.sort_values(["rows", "reason"], ascending=[False, True])
    return counts.astype({"rows": "int64"}).set_index("reason")
