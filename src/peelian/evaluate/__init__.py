"""Evaluate: did it prevent crime, where did it go, how sure are we, and what would change the answer?"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_HOME = {
    "Assessment": "assess", "assess": "assess", "Study": "windows", "study": "windows",
    "compare": "did", "did": "did", "dose": "dose", "event_study": "did", "fade": "fade",
    "displacement": "displacement", "placebo_date": "checks", "pre_trends": "checks",
    "selection_placebo": "checks", "share_break": "recording", "mde": "checks", "overdispersion": "checks",
    "cumulative_wdd": "wdd", "e_test": "wdd", "harm_wdd": "wdd", "scan": "wdd", "wdd": "wdd",
    "wdd_of_units": "wdd", "wdq": "wdd", "Verdict": "verdict", "maryland": "verdict", "verdict": "verdict",
    "balance_weights": "synthetic", "microsynth": "synthetic", "synthetic": "synthetic", "sdid": "single",
    "aggregate": "staggered", "bacon": "staggered", "group_time": "staggered", "imputation": "staggered",
    "imputation_ols": "staggered", "twfe": "staggered", "its": "its", "sensitivity": "sensitivity",
    "ancova": "rct", "per_taker": "rct", "rct": "rct", "two_rates": "rct", "cumulative": "did",
    "choices": "choices", "agreement": "choices", "offence_switch": "further", "emmie": "scales",
    "draft": "registration", "who_benefits": "benefits",
}  # fmt: skip

__all__ = [
    "Assessment", "Study", "Verdict", "aggregate", "agreement", "ancova", "assess", "bacon",
    "balance_weights", "choices", "compare", "cumulative", "cumulative_wdd", "did", "displacement", "dose",
    "draft", "e_test", "emmie", "event_study", "fade", "group_time", "harm_wdd", "imputation",
    "imputation_ols", "its", "maryland", "mde", "microsynth", "offence_switch", "overdispersion",
    "per_taker", "placebo_date", "pre_trends", "rct", "scan", "sdid", "selection_placebo", "sensitivity",
    "share_break", "study", "synthetic", "twfe", "two_rates", "verdict", "wdd", "wdd_of_units", "wdq",
    "who_benefits",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Package(ModuleType):
    """This package: ``evaluate.did`` is the function, even once the module of that name is loaded."""

    def __setattr__(self, name: str, value: Any) -> None:
        same = isinstance(value, ModuleType) and _HOME.get(name) == name
        super().__setattr__(name, getattr(value, name) if same else value)


sys.modules[__name__].__class__ = _Package
