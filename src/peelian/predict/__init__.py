"""Predict: where next, and is that better than last year's map?

A method is anything called as ``method(incidents, places, period)`` that returns expected incidents by
place as a Series. Plain counts are always run beside it, over many origins, and the page opens with the
sentence that says whether anything beat them.

Functions that share their module's name are imported from it:
``from peelian.predict.backtest import backtest``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Backtest": "backtest",
    "Boosted": "regression",
    "ByPlace": "by_place",
    "Counts": "baselines",
    "EWMA": "baselines",
    "EndemicEpidemic": "endemic",
    "FourierPoisson": "fourier",
    "GammaPoisson": "baselines",
    "Hawkes": "hawkes",
    "KDE": "kde",
    "METHODS": "methods",
    "Method": "method",
    "NearRepeat": "near_repeat",
    "PoissonRidge": "regression",
    "PriorHistory": "blend",
    "ProMap": "near_repeat",
    "SameMonth": "baselines",
    "Stack": "stack",
    "method_named": "methods",
    "one_year_test": "holdout",
    "planning_risk": "planning",
}
__all__ = [
    "EWMA", "KDE", "METHODS", "Backtest", "Boosted", "ByPlace", "Counts", "EndemicEpidemic",
    "FourierPoisson", "GammaPoisson",
    "Hawkes", "Method", "NearRepeat", "PoissonRidge", "PriorHistory", "ProMap", "SameMonth", "Stack",
    "method_named", "one_year_test", "planning_risk",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"peelian.predict has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
