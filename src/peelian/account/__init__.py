"""What did it cost, what did it save, and can the public have the answer?

Cost per kit, household and crime prevented; value by who gets it; spend against the promise; the public's
questions answered; small counts protected. It invents no number: what is not held is said to be not held,
with the reason and who would hold it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "benefit_cost": "costs",
    "business_case": "business",
    "chance_of_paying": "simulation",
    "cost_per_unit": "costs",
    "difference": "differencing",
    "discount_factors": "discounting",
    "figures_table": "figures",
    "foi_answers": "foi",
    "hours_saved": "costs",
    "promised_against_actual": "ledger",
    "protect": "disclosure",
    "publishable": "governance",
    "protect_counts": "large",
    "question_bank": "foi",
    "read_ledger": "ledger",
    "reconcile": "claims",
    "simulate": "simulation",
    "suppress": "disclosure",
    "switching": "costs",
    "write": "writing",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "peelian.figures" if _WHERE[name] == "figures" else f"{__name__}.{_WHERE[name]}"
    return getattr(import_module(module), name)
