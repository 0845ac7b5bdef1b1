"""Who lives in the places with the programme, beside who lives in all that could have had it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, model_validator
from pydantic.dataclasses import dataclass

from peelian.errors import DataError
from peelian.words import percent

if TYPE_CHECKING:
    import pandas as pd

Characteristic = Literal[
    "age", "disability", "gender_reassignment", "marriage_and_civil_partnership",
    "pregnancy_and_maternity", "race", "religion_or_belief", "sex", "sexual_orientation", "deprivation",
    "tenure",
]  # fmt: skip
PERCENT = 100
SLACK = 0.02  # of the whole: rounding, and the noise that the census adds


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Groups:
    """The columns of the places that count the groups of one characteristic.

    ``columns``  one a group; of a ``category`` (a decile) a single one. ``of`` column of all people or homes
                 that the groups are part of. ``unit`` ``count``, ``percent`` of ``of``, or ``category``.
    ``whole``    True where the groups together are everybody: then they must add up.
    ``source``   of the columns, for the record.
    """

    columns: tuple[str, ...]
    of: str
    unit: Literal["count", "percent", "category"] = "count"
    whole: bool = False
    source: str = ""

    @model_validator(mode="after")
    def _judged(self) -> Groups:
        if not self.columns or (self.unit == "category" and len(self.columns) != 1):
            raise ValueError("columns must name a column for each group, and one alone for a category")
        return self


def exposure(
    people: pd.DataFrame, asked: Mapping[Characteristic, Groups], treated: pd.Index, eligible: pd.Index
) -> pd.DataFrame:
    """By characteristic and group: the share of its people who live in places with the programme.

    ``people``   columns of the places; ``treated`` places with the programme, ``eligible`` all that could
                 have it, those included.

    Columns ``characteristic``, ``group``, ``with the programme`` (share of the group), ``of everybody`` (the
    same share of all people or homes), ``ratio``, ``places without data``. Raises ``DataError`` where groups
    that are everybody do not add up, naming the place.
    """
    import pandas as pd

    rows = []
    inside = people.reindex(eligible)
    with_it = inside.index.isin(treated)
    for characteristic, groups in asked.items():
        table = _counts(inside, groups, characteristic)
        blank = table.isna().any(axis=1) | inside[groups.of].isna()
        kept, held = table[~blank], inside.loc[~blank, groups.of].astype(float)
        there = with_it[~blank]
        everybody = held[there].sum() / held.sum() if held.sum() else float("nan")
        for name in kept:
            whole = kept[name].sum()
            share = kept.loc[there, name].sum() / whole if whole else float("nan")
            group = _readable(str(name))
            rows.append((characteristic, group, share, everybody, share / everybody, int(blank.sum())))
    columns = [
        "characteristic",
        "group",
        "with the programme",
        "of everybody",
        "ratio",
        "places without data",
    ]
    return pd.DataFrame(rows, columns=columns)


def _counts(inside: pd.DataFrame, groups: Groups, characteristic: str) -> pd.DataFrame:
    """People by place and group."""
    import pandas as pd

    base = inside[groups.of].astype(float)
    if groups.unit == "category":
        name = groups.columns[0]
        kinds = inside[name].astype(object)
        levels = sorted(kinds.dropna().unique(), key=lambda level: (str(type(level)), level))
        return pd.DataFrame({f"{name} {_short(level)}": base.where(kinds == level, 0.0) for level in levels})
    table = inside[list(groups.columns)].astype(float)
    if groups.unit == "percent":
        table = table.mul(base, axis=0) / PERCENT
    if groups.whole:
        away = (table.sum(axis=1, skipna=False) - base).abs() > SLACK * base.clip(lower=1)
        if away.any():
            place = away.index[away][0]
            raise DataError(
                f"[account.equality.{characteristic}]: the groups of {place} add up to "
                f"{table.loc[place].sum():,.0f}, but {groups.of} is {base[place]:,.0f}. Name the columns "
                "that are missing, or leave whole out."
            )
    return table


def _readable(column: str) -> str:
    """A column's name as a group is called: ``pct_social_rented`` is social rented."""
    return column.removeprefix("pct_").replace("_", " ")


def _short(level: object) -> str:
    return f"{level:g}" if isinstance(level, float) else str(level)


def in_words(table: pd.DataFrame, characteristic: str, source: str = "") -> str:
    """What the record of equality says of one characteristic; empty where it was not measured."""
    rows = table[table["characteristic"] == characteristic].dropna(subset=["with the programme"])
    if rows.empty:
        return ""
    said = ", ".join(f"{row.group} {percent(row.share)}" for row in _shares(rows).itertuples())
    most, least = rows.loc[rows["ratio"].idxmax()], rows.loc[rows["ratio"].idxmin()]
    return (
        f"Of everybody, {percent(rows['of everybody'].iloc[0])} live in places with the programme; of each "
        f"group: {said}. Most for its size: {most['group']} ({most['ratio']:.2f} times the share of "
        f"everybody); least: {least['group']} ({least['ratio']:.2f} times). Places are compared, not people: "
        "who in them took a kit is not known." + (f" Source: {source}." if source else "")
    )


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.rename(columns={"with the programme": "share"})
