"""Read: what was recorded, where, and what is wrong with it?

One module a source, each with a function of its own name: ``police_uk``, ``table``, ``areas``, ``features``;
``quality`` judges an extract; ``vintage`` says which edition of the area codes it uses. They are imported
from their modules (``from peelian.read.police_uk import police_uk``). No reader loses a row: accepted rows
and refused rows, with their reasons, add up to the rows of the file.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "IncidentSource": "peelian.read.sources",
    "LayerSource": "peelian.read.sources",
    "Parameters": "peelian.read.sources",
    "PlacesSource": "peelian.read.sources",
    "Quality": "peelian.read.quality",
    "Sources": "peelian.read.sources",
    "study_area": "peelian.read.areas",
}
__all__ = [
    "IncidentSource",
    "LayerSource",
    "Parameters",
    "PlacesSource",
    "Quality",
    "Sources",
    "study_area",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
