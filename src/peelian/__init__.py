"""Peelian: place-based crime prevention, from the record to the account of it.

    read -> explain -> predict -> plan -> deliver -> evaluate -> account

Each verb is a folder of this package, a command and a chapter of the documentation. The names below are
the public ones; they load when they are first used, so ``import peelian`` costs next to nothing.

>>> import peelian
>>> str(peelian.Effect("ratio", 0.9, 0.8, 1.1, sentence="A ratio of 0.9 (0.8 to 1.1)."))
'A ratio of 0.9 (0.8 to 1.1).'
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Check": "effect",
    "DataError": "errors",
    "DesignError": "errors",
    "Effect": "effect",
    "Error": "errors",
    "Incidents": "incidents",
    "Layer": "layers",
    "Layers": "layers",
    "Panel": "panel",
    "Places": "places",
    "Plan": "programme",
    "PrivacyError": "errors",
    "Programme": "programme",
    "Project": "project",
    "Report": "report",
    "run": "loop",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"peelian has no name {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"peelian.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
