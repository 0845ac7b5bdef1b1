"""Plan: which areas get kits under this budget, what may be expected of it, and can the answer be seen?"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Belief": "expect",
    "Budget": "constraints",
    "Buffer": "constraints",
    "Capacity": "constraints",
    "Compact": "constraints",
    "Expected": "expect",
    "Floor": "constraints",
    "Placebo": "placebo",
    "Shift": "streets",
    "allocate": "target",
    "apart": "trial",
    "assignment_list": "trial",
    "balance": "trial",
    "comparators": "constraints",
    "compare_plans": "expect",
    "compare_scenarios": "scenarios",
    "decision_paper": "scenarios",
    "effect_years": "expect",
    "expected": "expect",
    "equity": "shares",
    "entrances": "signage",
    "equivalent": "rehearsal",
    "estimated_streets": "streets",
    "frontier": "shares",
    "groups_of": "shares",
    "if_under_reported": "shares",
    "kit_orders": "roll_out",
    "mde_formula": "visible",
    "mde_table": "rehearsal",
    "monthly_kits": "roll_out",
    "overdispersion": "visible",
    "patrol": "visits",
    "power": "rehearsal",
    "evaluation_plan": "protocol_fields",
    "randomise": "trial",
    "rehearsed": "rehearsal",
    "required_effect": "expect",
    "rounds": "streets",
    "schedule": "roll_out",
    "selection_placebo": "placebo",
    "shop_visits": "signage",
    "signs": "signage",
    "stability": "steadiness",
    "stepped_wedge": "trial",
    "street_lists": "streets",
    "workload": "roll_out",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"peelian.plan has no {name!r}; it has {', '.join(__all__)}.")
    return getattr(import_module(f"peelian.plan.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
