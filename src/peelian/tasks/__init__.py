"""Tasks: what the commands do beside running the loop. They arrange, and compute nothing.

A module a stage, and one for projects: a demo, a new project, a check that changes nothing, a proposed
mapping, the policy figures, official downloads for a connected machine, the ledger of forecasts, the plan
that is frozen.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "account": "accounting",
    "check": "projects",
    "demo": "projects",
    "download": "projects",
    "downloads": "projects",
    "evaluate_files": "evaluating",
    "evaluation_part": "evaluating",
    "figures": "projects",
    "finished_origins": "predicting",
    "freeze_plan": "planning",
    "judgement": "projects",
    "ledger": "predicting",
    "new": "projects",
    "plan_part": "planning",
    "predict_part": "predicting",
    "read_carry": "reading",
    "read_counts": "reading",
    "read_map": "reading",
    "read_store": "reading",
    "unblind": "evaluating",
    "verify": "projects",
    "verify_plan": "planning",
}
__all__ = [
    "account",
    "check",
    "demo",
    "download",
    "downloads",
    "evaluate_files",
    "evaluation_part",
    "figures",
    "finished_origins",
    "freeze_plan",
    "judgement",
    "ledger",
    "new",
    "plan_part",
    "predict_part",
    "read_carry",
    "read_counts",
    "read_map",
    "read_store",
    "unblind",
    "verify",
    "verify_plan",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"peelian.tasks has no {name!r}; it has {', '.join(__all__)}.")
