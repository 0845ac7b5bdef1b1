"""Several plans side by side, and the one page on which a decision is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from peelian.errors import DataError, DesignError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.plan.expect import Belief
    from peelian.plan.report import Findings
    from peelian.programme import Plan


def compare_scenarios(
    plans: Mapping[str, Plan],
    belief: Belief,
    *,
    seed: int,
    group: pd.Series | None = None,
    counts: pd.Series | None = None,
) -> pd.DataFrame:
    """Two or more plans side by side, on the same draws: what they cost, prevent, share out and could see.

    ``plans``   name -> plan, of the same areas with the same risk; the first is what others are set against.
    ``group``   by place: adds ``worst``, the lowest share of kits over share of homes of any group.
    ``counts``  incidents by (place, month): adds ``mde``, the smallest fall that would be seen.

    Returns one row a plan: ``plan``, ``areas``, ``kits``, ``risk_share``, ``prevented`` with ``low`` and
    ``high``, ``less`` than by the first with ``less_low`` and ``less_high`` (of the difference),
    ``only_here`` (areas that the first does not treat), ``pounds``, ``start``.

    Raises ``DesignError`` for fewer than two plans, ``DataError`` for plans of other areas or other risk.
    """
    from peelian.plan.expect import compare_plans
    from peelian.plan.visible import smallest_visible

    if len(plans) < 2:
        raise DesignError("A comparison needs two plans at least.")
    names = list(plans)
    first = plans[names[0]]
    for name, plan in plans.items():
        same = plan.frame.index.equals(first.frame.index)
        if not same or not (plan.frame["risk"] - first.frame["risk"]).abs().max() < 1e-9:
            raise DataError(f"{name} rests on other areas or another risk than {names[0]}.")
    kits = {name: plans[name].frame["kits"] for name in names[1:]}
    table = compare_plans(first, kits, belief, seed=seed, name=names[0])
    held = set(first.chosen.index)
    table["only_here"] = [len(set(plans[name].chosen.index) - held) for name in names]
    table["pounds"] = [plans[name].summary["cost"] for name in names]
    table["start"] = [str(plans[name].start) for name in names]
    if group is not None:
        table["worst"] = [_worst(plans[name], group) for name in names]
    if counts is not None:
        seen = [smallest_visible(plans[name], counts, seed=seed) for name in names]
        table["mde"] = [None if visible is None else visible.mde for visible in seen]
    return table


def _worst(plan: Plan, group: pd.Series) -> float:
    named = group.reindex(plan.frame.index)
    kits = plan.frame["kits"].groupby(named).sum() / max(plan.frame["kits"].sum(), 1)
    homes = plan.frame["households"].groupby(named).sum() / plan.frame["households"].sum()
    return float((kits / homes)[homes > 0].min())


def decision_paper(plan: Plan, areas: Places, found: Findings) -> str:
    """The page for whoever decides, in Markdown: what, where, cost, expected, needed, what cannot be seen.

    Its numbers are those of the chapter, because its sentences are.
    """
    from peelian.plan import cautions, report
    from peelian.plan.tables import name_column

    label = name_column(areas)
    chosen = plan.chosen
    first = chosen.index[:10]
    called = first if label is None else areas.frame[label].reindex(first) + " (" + first + ")"
    listed = ", ".join(map(str, called))
    more = f" and {len(chosen) - 10:,} more" if len(chosen) > 10 else ""
    parts = [
        ("What is proposed", [report.choice(plan, found.crime), *report.draw_of(found)]),
        ("Where", [f"In order: {listed}{more}. The whole list is in areas.csv."]),
        ("What may be expected", [report.expectation(found), *report.promise(found), *report.beside(found)]),
        ("Whether it could be seen", [report.sight(plan, found), *report.selection(found)]),
        ("Who gets the kits", report.fairness(found)),
        ("When", [words for sentences in report.delivery(found).values() for words in sentences]),
        ("What could make this wrong", cautions.warnings(plan, found)),
    ]
    body = [f"## {title}\n\n" + "\n\n".join(texts) for title, texts in parts if texts]
    return "# Decision: which areas get kits\n\n" + "\n\n".join(body) + "\n"
