"""Explain: which features of places go with this crime, how far do they reach, how sure are we?"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FROM = {
    "anroc": "surface",
    "configurations": "surface",
    "RTM": "model",
    "Aoristic": "times",
    "Concentration": "lorenz",
    "HotSpotChange": "hot_spots",
    "HotSpots": "hot_spots",
    "Influence": "factors",
    "Knox": "near_repeat",
    "KnoxLocal": "near_repeat_local",
    "Patterns": "hot_spots",
    "RiskTerrain": "model",
    "aoristic": "times",
    "block_length": "clustering",
    "clark_evans": "clustering",
    "concentration": "lorenz",
    "hotspot_change": "hot_spots",
    "hotspot_classify": "hot_spots",
    "hotspot_clusters": "clusters",
    "hotspots": "hot_spots",
    "kernel_density": "kernel",
    "knox": "near_repeat",
    "knox_local": "near_repeat_local",
    "operationalise": "factors",
    "priority_places": "terrain",
    "risk_classes": "terrain",
    "rtm": "model",
    "similarity": "lorenz",
    "what_if": "change",
}
__all__ = [
    "RTM",
    "Aoristic",
    "Concentration",
    "HotSpotChange",
    "HotSpots",
    "Influence",
    "Knox",
    "KnoxLocal",
    "Patterns",
    "RiskTerrain",
    "anroc",
    "aoristic",
    "block_length",
    "clark_evans",
    "concentration",
    "configurations",
    "hotspot_change",
    "hotspot_classify",
    "hotspot_clusters",
    "hotspots",
    "kernel_density",
    "knox",
    "knox_local",
    "operationalise",
    "priority_places",
    "risk_classes",
    "rtm",
    "similarity",
    "what_if",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _FROM:
        return getattr(import_module(f"peelian.explain.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
