"""The numbers that policy supplies: dated, sourced, rated, and replaceable by the user's own.

One TOML file a subject. No number about cost, hours, discounting or thresholds stands in code: whoever needs
one asks here by name and date, and prints where it came from.

>>> from peelian.figures import load
>>> figures = load()
>>> figures.at("burglary_police", "2019-12-31").value
530.0
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peelian.figures.figure import Figure, Figures, colour_of, step_of_impact
    from peelian.figures.holidays import bank_holidays
    from peelian.figures.reading import load, recording_changes
    from peelian.figures.table import figures_frame, figures_table
    from peelian.figures.uprating import Deflator, deflator, uprate, uprated

__all__ = [
    "Deflator",
    "Figure",
    "Figures",
    "bank_holidays",
    "colour_of",
    "deflator",
    "figures_frame",
    "figures_table",
    "load",
    "recording_changes",
    "step_of_impact",
    "uprate",
    "uprated",
]

_WHERE = {
    "Deflator": "uprating",
    "Figure": "figure",
    "Figures": "figure",
    "bank_holidays": "holidays",
    "colour_of": "figure",
    "deflator": "uprating",
    "figures_frame": "table",
    "figures_table": "table",
    "load": "reading",
    "recording_changes": "reading",
    "step_of_impact": "figure",
    "uprate": "uprating",
    "uprated": "uprating",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
