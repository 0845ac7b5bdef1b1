"""What one crime prevented is worth to whom: named figures, summed by perspective, never merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from peelian.account.costs import Interval
from peelian.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.figures import Figure, Figures

FISCAL, POLICE, ECONOMIC, SOCIAL = "fiscal", "police alone", "economic", "social"
WHOSE = {
    FISCAL: "public budgets",
    POLICE: "the police budget, part of fiscal",
    ECONOMIC: "public budgets and lost output",
    SOCIAL: "everybody, victims included",
}


@dataclass(frozen=True, eq=False)
class UnitValues:
    """Pounds per crime prevented by line, with the figures behind them; or why there are none.

    ``lines``       ``fiscal``, ``police alone`` (part of it), ``economic``, ``social`` -> value with range.
    ``used``        the figures; ``price_base`` the year of all their prices; ``why_not`` where no value is
                    held.
    """

    lines: dict[str, Interval] = field(default_factory=dict)
    used: tuple[Figure, ...] = ()
    price_base: str = ""
    why_not: str = ""

    @property
    def points(self) -> dict[str, float]:
        """The values without their ranges."""
        return {line: value.value for line, value in self.lines.items()}


def unit_values(
    figures: Figures,
    *,
    fiscal: Sequence[str],
    police: str,
    economic: Sequence[str],
    social: Sequence[str],
    on: str | None,
    crime: str,
) -> UnitValues:
    """The value of one crime prevented by perspective.

    ``fiscal`` figures are summed; ``economic`` ones are added to them; ``social`` ones stand by themselves
    (a total, or all components). ``police`` is one of the fiscal ones, shown alone. ``on`` the day asked
    for, ``crime`` counted.

    Raises ``DataError`` where prices of different years would be mixed or a name is unknown.
    """
    names = [*fiscal, police, *economic, *social]
    rows = {name: figures.at(name, on) for name in names}
    used = tuple(rows[name] for name in dict.fromkeys(names))
    foreign = [row for row in used if "burglary" in row.unit and "burglar" not in crime.lower()]
    blank = [row for row in used if row.value is None]
    if foreign:
        return UnitValues(why_not=f"the unit costs named are of burglary and the crime counted is {crime}")
    if blank:
        return UnitValues(why_not=f"the figure {blank[0].name} is blank and must be supplied")
    bases = sorted({row.price_base for row in used})
    if len(bases) > 1:
        raise DataError(
            f"The unit values mix prices of {' and '.join(bases)}: "
            f"{', '.join(f'{row.name} ({row.price_base})' for row in used)}. Name figures of one price base."
        )
    narrow = [rows[name] for name in fiscal]
    wide = [*narrow, *(rows[name] for name in economic)]
    lines = {
        FISCAL: _sum(narrow), POLICE: _sum([rows[police]]), ECONOMIC: _sum(wide),
        SOCIAL: _sum([rows[name] for name in social]),
    }  # fmt: skip
    return UnitValues(lines, used, bases[0])


def by_bearer(values: UnitValues, fiscal: Sequence[str], economic: Sequence[str]) -> pd.DataFrame:
    """Who bears how much of one crime: pounds by bearer; the rows of a perspective add up to its line.

    Columns ``bearer``, ``perspective`` (the first one that counts it), ``pounds per crime``. What the social
    line holds beyond the economic one is a row of its own.
    """
    import pandas as pd

    named = {row.name: row for row in values.used}
    rows = [(named[name].bearer, FISCAL, named[name].value) for name in fiscal]
    rows += [(named[name].bearer, ECONOMIC, named[name].value) for name in economic]
    rest = values.points[SOCIAL] - values.points[ECONOMIC]
    rows.append(("households and insurers: the rest of the social value", SOCIAL, rest))
    return pd.DataFrame(rows, columns=["bearer", "perspective", "pounds per crime"])


def _sum(rows: Sequence[Figure]) -> Interval:
    values = [float(row.value or 0.0) for row in rows]
    lows = [value if row.low is None else row.low for row, value in zip(rows, values, strict=True)]
    highs = [value if row.high is None else row.high for row, value in zip(rows, values, strict=True)]
    return Interval(sum(values), sum(lows), sum(highs))
