"""Download: official data for a connected machine, only when it is asked for by name.

``sources.toml`` holds the public addresses, with the day on which they were noted; ``fetch`` gets one file;
``official`` gets one item of a source. Nothing else in Peelian opens a connection, and nothing calls these
but ``peelian download``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Limits": "peelian.read.download.fetch",
    "Receipt": "peelian.read.download.fetch",
    "download": "peelian.read.download.official",
    "fetch": "peelian.read.download.fetch",
    "items": "peelian.read.download.official",
}
__all__ = ["Limits", "Receipt", "download", "fetch", "items"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
