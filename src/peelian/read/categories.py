"""Categories: how the names of crime types on data.police.uk changed, by month, and groups that did not."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    text = (files("peelian.read") / "categories.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["change"])


def comparable(types: pd.Series, first: pd.Period, last: pd.Period) -> pd.Series:
    """Types under names that meant the same from the first to the last month.

    ``types``  police.uk's names. Types that were split or renamed between the months stand under all their
               names together, joined by ``/``; the others keep theirs.

    >>> import pandas as pd
    >>> names = pd.Series(["Violent crime", "Violence and sexual offences", "Burglary"])
    >>> comparable(names, pd.Period("2013-01"), pd.Period("2014-12")).unique().tolist()
    ['Violence and sexual offences / Violent crime', 'Burglary']
    """
    group: dict[str, set[str]] = {}
    for row in changes_between(first, last):
        joined = set(row["before"]) | set(row["after"])
        for name in list(joined):
            joined |= group.get(name, set())
        for name in joined:
            group[name] = joined
    said = {name: " / ".join(sorted(names)) for name, names in group.items()}
    return types.map(lambda name: said.get(name, name)).astype("str")


def changes_between(first: pd.Period, last: pd.Period, types: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The changes after the first month and up to the last that concern any of the types (all without)."""
    wanted = set(types)
    return [
        row
        for row in _rows()
        if str(first) < row["from"] <= str(last)
        and (not wanted or wanted & (set(row["before"]) | set(row["after"])))
    ]
