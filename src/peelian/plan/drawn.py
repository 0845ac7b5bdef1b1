"""A plan whose areas are drawn from a pool that is larger than the kits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.arithmetic.drawing import Assignment
    from peelian.plan.trial import Kind
    from peelian.plan.visible import Visible
    from peelian.programme import Plan


def draw_pool(
    pool: Plan, counts: pd.Series, *, design: Kind, seed: str, share: float, blocks: pd.Series | None = None
) -> tuple[Assignment, pd.DataFrame]:
    """Who of the pool is treated, and how alike the arms are.

    ``pool``    a plan of more kits than there are; its chosen areas are the pool.
    ``counts``  incidents by (place, month): pairs are alike in the last 24 months; re-randomised arms agree
                on the last two years and on households.
    """
    from peelian.plan.trial import balance, randomise

    ids = pool.chosen.index.sort_values()
    wide = counts.unstack("month", fill_value=0).sort_index(axis=1).reindex(ids, fill_value=0)
    table = pool.frame.loc[ids, ["households", "risk"]].astype(float)
    table["last year"] = wide.iloc[:, -12:].sum(axis=1)
    table["year before"] = wide.iloc[:, -24:-12].sum(axis=1)
    drawn = randomise(
        ids, design=design, seed=seed, share=share, blocks=blocks,
        pairs_on=(table["last year"] + table["year before"]) if design == "pairs" else None,
        balance_on=table[["last year", "year before", "households"]] if design == "rerandomised" else None,
    )  # fmt: skip
    return drawn, balance(drawn, table)


def draw_wedge(pool: Plan, counts: pd.Series, *, seed: str, steps: int) -> tuple[Assignment, pd.DataFrame]:
    """The drawn order in which all chosen areas are treated, and how alike the first half is to the rest."""
    import numpy as np

    from peelian.plan.trial import balance, stepped_wedge

    ids = pool.chosen.index.sort_values()
    drawn = stepped_wedge(ids, seed=seed, steps=steps)
    wide = counts.unstack("month", fill_value=0).sort_index(axis=1).reindex(ids, fill_value=0)
    table = pool.frame.loc[ids, ["households", "risk"]].astype(float)
    table["last year"] = wide.iloc[:, -12:].sum(axis=1)
    halves = replace(drawn, treated=np.asarray(drawn.step) <= (steps + 1) // 2)
    return drawn, balance(halves, table)


def drawn_plan(pool: Plan, drawn: Assignment, *, limit: int) -> Plan:
    """The pool's plan with kits for the drawn areas alone.

    Raises ``DesignError`` where the drawn areas need more kits than there are.
    """
    import pandas as pd

    frame = pool.frame.copy()
    out = ~frame.index.isin(list(drawn.chosen))
    frame.loc[out, "arm"] = "control"
    frame.loc[out, "kits"] = 0
    frame.loc[out, "start"] = pd.NaT
    taken = frame[~out].sort_values("rank")
    used, risk = int(taken["kits"].sum()), float(taken["risk"].sum())
    if used > limit:
        raise DesignError(
            f"The {len(taken):,} drawn areas need {used:,} kits; there are {limit:,}. Draws differ in size: "
            "keep more of the kits back with spare, and draw with a new seed that is chosen afterwards."
        )
    numbers: dict[str, Any] = pool.summary | {
        "areas": len(taken), "kits_limit": limit, "kits_used": used, "kits_left": limit - used, "risk": risk,
        "risk_share": risk / pool.summary["risk_total"] if pool.summary["risk_total"] else 0.0,
    }  # fmt: skip
    if numbers["unit_cost"] is not None:
        numbers["cost"] = numbers["unit_cost"] * used
    return replace(pool, frame=frame, summary=numbers)


def visible_when_drawn(
    plan: Plan, drawn: Assignment, counts: pd.Series, before: Visible, *, seed: int, draws: int = 2000
) -> Visible:
    """The smallest visible fall of the drawn areas against the rest of the pool, by the design's rule."""
    from peelian.plan.rehearsal import power
    from peelian.plan.visible import mde_formula

    risk = plan.frame["risk"].reindex(list(drawn.units)).to_numpy()
    here, there = float(risk[drawn.treated].sum()), float(risk[~drawn.treated].sum())
    found = power(counts, assignment=drawn, draws=draws, seed=seed)
    formula = mde_formula(here, here, there, there, before.phi)
    return replace(before, formula=formula, redrawn=found.mde)


def in_words(drawn: Assignment, balance: pd.DataFrame) -> str:
    """How the areas came to be treated, and how alike the arms are."""
    worst = balance.loc[balance["difference"].abs().idxmax()]
    if drawn.kind == "stepped_wedge":
        return (
            f"All {len(drawn.units):,} areas are treated in {drawn.about['steps']} steps whose order was "
            f"drawn by hash (seed {drawn.seed!r}, attempt {drawn.attempt}, list {drawn.hash[:12]}). The "
            "analysis needs effects of the calendar and of the time since each start, and the last step has "
            "nobody to be compared with at its time. The first half of the steps and the rest differ most in "
            f"{worst['covariate']}: by {worst['difference']:+.2f} standard deviations."
        )
    odd = f" {len(drawn.left_out)} odd area was left out." if drawn.left_out else ""
    return (
        f"{int(drawn.treated.sum()):,} of a pool of {len(drawn.units):,} areas were drawn by hash (design "
        f"{drawn.kind}, seed {drawn.seed!r}, attempt {drawn.attempt}, list {drawn.hash[:12]}); the others "
        f"are the comparison.{odd} The arms differ most in {worst['covariate']}: by "
        f"{worst['difference']:+.2f} standard deviations."
    )
