"""The figures as a table: what ``peelian figures`` prints and a report lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.figures.figure import IMPACT, QUALITY, Figure
from peelian.figures.reading import load

if TYPE_CHECKING:
    import pandas as pd


def figures_table(
    *,
    expired: bool = False,
    weak: bool = False,
    on: date | None = None,
    folder: str | Path | None = None,
) -> list[dict[str, Any]]:
    """Every figure with value, unit, source, dates, quality and impact in words, as plain rows.

    ``expired``  those past their last day alone, on the day ``on`` (today unless given).
    ``weak``     those alone whose ratings are both red.
    ``folder``   the user's own figures, in the place of shipped ones.
    ``value``    is None where the user must supply it.

    >>> figures_table(weak=True)[0]["quality"]
    'red: an estimate, or not verified'
    """
    day = on or date.today()
    return [
        _row(figure)
        for figure in load(folder)
        if (not expired or figure.to < day) and (not weak or figure.weak)
    ]


def figures_frame(figures: Iterable[Figure]) -> pd.DataFrame:
    """These figures as a frame, one row each, with the columns of ``figures_table``."""
    import pandas as pd

    frame = pd.DataFrame([_row(figure) for figure in figures], columns=list(_row(_NONE)))
    frame["value"] = pd.to_numeric(frame["value"])
    return frame


_NONE = Figure(
    name="", unit="count", source="none", since=date.min, quality="green", impact="green", value=0.0
)


def _row(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "price base": figure.price_base,
        "source": figure.source,
        "from": figure.since.isoformat(),
        "to": _end(figure.to),
        "quality": f"{figure.quality}: {QUALITY[figure.quality]}",
        "impact": f"{figure.impact}: {IMPACT[figure.impact]}",
        "note": figure.note,
        "whose": "the user's own" if figure.own else "shipped",
    }


def _end(day: date) -> str:
    return "" if day == date.max else day.isoformat()
