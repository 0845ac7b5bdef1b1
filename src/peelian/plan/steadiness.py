"""How often each area would be chosen if the risk were drawn again within its uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from peelian.programme import Plan

CLASSES = ("sure", "likely", "borderline", "outside")


def stability(
    plan: Plan,
    *,
    risk_years: float = 2.0,
    draws: int = 200,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Share of draws of the risk in which each area is chosen, by the greedy rule.

    ``risk_years``  years of incidents that a place's risk rests on: the more, the narrower the draws
                    (gamma, mean the risk, variance risk over ``risk_years``).

    Returns a frame on the places: ``share`` and ``class`` (sure from 0.8, likely from 0.5, borderline from
    0.2, else outside). Fixed and struck areas of the plan stay as they are.
    """
    import numpy as np
    import pandas as pd

    from peelian.plan.knapsack import greedy

    frame, summary = plan.frame, plan.summary
    rng = np.random.default_rng(seed)
    risk, need = frame["risk"].to_numpy(), frame["need"].to_numpy()
    weight = frame["weight"].to_numpy() if "weight" in frame else 1.0
    fixed = frame.index.isin(summary["must"])
    free = ~fixed & ~frame.index.isin(summary["must_not"])
    room = summary["kits_limit"] - int(need[fixed].sum())
    times = np.zeros(len(frame))
    for draw in range(draws):
        again = rng.gamma(np.maximum(risk, 1e-9) * risk_years) / risk_years
        times += greedy(np.where(free & (risk > 0), again * weight, 0.0), np.where(free, need, 0), room)
        if progress is not None:
            progress(draw + 1, draws)
    share = np.where(fixed, 1.0, times / draws)
    steps = np.select([share >= 0.8, share >= 0.5, share >= 0.2], CLASSES[:3], CLASSES[3])
    return pd.DataFrame({"share": share, "class": steps}, index=frame.index)
