"""The figures as a table: what ``peelian figures`` prints and a report lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from peelian.errors import DataError
from peelian.figures.figure import IMPACT, QUALITY, Figure

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("name", "value", "unit", "price base", "source", "from", "to", "quality", "impact", "note")


def figures_table(
    figures: Iterable[Figure], *, on: str | date | None = None, only: str = "all"
) -> pd.DataFrame:
    """Every figure with value, unit, source, dates, quality and impact in words; one row each.

    ``on``    the day to judge by, ISO text or date (needed for ``expired``).
    ``only``  ``all``, ``expired`` (past its last day on ``on``) or ``weak`` (both ratings red).
    ``value`` is NaN where the user must supply it. Raises ``DataError`` for ``expired`` without a day.

    >>> from peelian.figures import load
    >>> figures_table(load(), only="weak")["name"].iloc[0]
    'kit_price'
    """
    import pandas as pd

    if only not in ("all", "expired", "weak"):
        raise DataError(f"only is {only!r}; expected all, expired or weak.")
    day = date.fromisoformat(on) if isinstance(on, str) else on
    if only == "expired" and day is None:
        raise DataError("Which figures are expired depends on the day: give one.")
    rows = [
        (f.name, f.value, f.unit, f.price_base, f.source, f.since.isoformat(), _end(f.to),
         f"{f.quality}: {QUALITY[f.quality]}", f"{f.impact}: {IMPACT[f.impact]}", f.note)
        for f in figures
        if only == "all" or (only == "weak" and f.weak) or (only == "expired" and day and f.to < day)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["value"] = pd.to_numeric(frame["value"])
    return frame


def _end(day: date) -> str:
    return "" if day == date.max else day.isoformat()
