"""Predict: where next, and is that better than last year's map?

A method is anything called as ``method(incidents, places, period)`` that returns expected incidents by
place as a Series. Plain counts are always run beside it, over many origins, and the page opens with the
sentence that says whether anything beat them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Backtest": "backtest",
    "Counts": "baselines",
    "EWMA": "baselines",
    "GammaPoisson": "baselines",
    "KDE": "kde",
    "METHODS": "methods",
    "Method": "method",
    "PriorHistory": "blend",
    "SameMonth": "baselines",
    "backtest": "backtest",
    "holdout": "holdout",
    "interval": "interval",
    "leakage": "backtest",
    "method_named": "methods",
    "one_year_test": "holdout",
    "planning_risk": "planning",
}
__all__ = [
    "EWMA", "KDE", "METHODS", "Backtest", "Counts", "GammaPoisson", "Method", "PriorHistory", "SameMonth",
    "backtest", "holdout", "interval", "leakage", "method_named", "one_year_test", "planning_risk",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
