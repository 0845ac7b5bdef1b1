"""Deliver: how saturated is each area and street, when is the line reached, and what came back?

Counts alone: nothing here holds a person. A file with names or addresses is refused.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Deliveries": "tables",
    "faults": "dose",
    "forecast": "dose",
    "read_deliveries": "tables",
    "read_recoveries": "recoveries",
    "recovered": "recoveries",
    "saturation": "dose",
    "streets": "dose",
    "treated_from": "dose",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"peelian.deliver has no {name!r}; it has {', '.join(__all__)}.")
    return getattr(import_module(f"peelian.deliver.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
