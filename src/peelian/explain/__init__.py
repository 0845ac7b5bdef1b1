"""Explain: which features of places go with this crime, how far do they reach, how sure are we?"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FROM = {
    "Aoristic": "times",
    "Influence": "factors",
    "Knox": "near_repeat",
    "KnoxLocal": "near_repeat_local",
    "RTM": "model",
    "RiskTerrain": "model",
    "aoristic": "times",
    "knox": "near_repeat",
    "knox_local": "near_repeat_local",
    "operationalise": "factors",
    "priority_places": "terrain",
    "risk_classes": "terrain",
    "rtm": "model",
}
__all__ = [
    "RTM",
    "Aoristic",
    "Influence",
    "Knox",
    "KnoxLocal",
    "RiskTerrain",
    "aoristic",
    "knox",
    "knox_local",
    "operationalise",
    "priority_places",
    "risk_classes",
    "rtm",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _FROM:
        return getattr(import_module(f"peelian.explain.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
