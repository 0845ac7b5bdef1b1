"""What a stepped wedge would see, rehearsed on earlier months, beside a trial of two arms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError
from peelian.plan.rehearsal import power, smallest
from peelian.words import percent

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.plan.expect import Fade
    from peelian.programme import Plan

    Floats = NDArray[np.float64]

BEFORE = 12


@dataclass(frozen=True)
class Wedge:
    """The smallest fall in the first month that is seen four times in five, in steps and in two arms.

    ``mde`` of the wedge, ``parallel`` of a trial of two arms that treats as many areas at once (None where
    there are too few areas for one): 1 where not even everything would be seen. ``fade`` as planted;
    ``false_positives`` of the wedge with nothing done; ``windows`` earlier periods; ``areas`` treated.
    """

    mde: float
    parallel: float | None
    fade: Fade
    false_positives: float
    windows: int
    areas: int
    steps: int
    step_months: int

    @property
    def words(self) -> str:
        """The comparison in two sentences."""
        text = (
            f"Rehearsed on {self.windows} earlier period{'s' if self.windows > 1 else ''}, the {self.steps} "
            f"steps {self.step_months} months apart, areas that wait being the comparison and the effect "
            f"{'lasting' if self.fade == 'lasting' else f'fading ({self.fade})'}, "
        )
        text += _seen(self.mde)
        if self.parallel is None:
            return text + "."
        return (
            f"{text}; a trial of two arms that treats {self.areas:,} of twice as many areas at once, 12 "
            f"months against 12, {_seen(self.parallel)}."
        )


def _seen(mde: float) -> str:
    if mde >= 1:
        return "would see no fall four times in five, however large"
    return f"would see a fall of {percent(mde)} or more in the first month four times in five"


def wedge_power(
    counts: pd.Series, units: pd.Index, *, steps: int, step_months: int, fade: Fade = "lasting",
    draws: int = 500, seed: int,
) -> tuple[float, float, int]:  # fmt: skip
    """The smallest fall in the first month that a stepped wedge sees, its false positives, and windows.

    ``counts``  incidents by (place, month); ``units`` those that are treated, in ``steps`` of like size whose
    order is drawn anew each time, ``step_months`` apart, after 12 months of baseline.

    The log ratio is that of the evaluation: in every step but the last, started areas against those that
    wait, each relative to its baseline. A fall is planted by binomial thinning, weaker with the months since
    each area's start as ``fade`` says; it is seen beyond the 95 % of draws without one (each half of the
    draws judged by the other's limit). ``DesignError`` for a history without 12 months and the steps.
    """
    v, u = _windows(counts, units, steps, step_months)
    rng = np.random.default_rng(seed)
    size = len(units)
    order = rng.permuted(np.tile(np.arange(size), (draws, 1)), axis=1)
    step = order * steps // size
    cohort = np.stack([(step == c).astype(float) for c in range(steps)])
    before = np.einsum("cdn,wn->wdc", cohort, v, optimize=True)
    after = np.einsum("cdn,wnp->wdcp", cohort, u, optimize=True)
    left = strength(steps, step_months, fade)
    theta = _theta(before, after)
    half = draws // 2
    limit = np.empty_like(theta)
    limit[:, :half] = np.quantile(np.abs(theta[:, half:]), 0.95, axis=1)[:, None]
    limit[:, half:] = np.quantile(np.abs(theta[:, :half]), 0.95, axis=1)[:, None]
    whole = after.astype(np.int64)

    def seen(effect: float) -> float:
        thinned = np.random.default_rng(seed).binomial(whole, 1 - effect * left)
        return float((_theta(before, thinned.astype(float)) < -limit).mean())

    return smallest(seen), float((np.abs(theta) > limit).mean()), len(v)


def strength(steps: int, step_months: int, fade: Fade) -> Floats:
    """(steps, periods): how much of the effect is left, by cohort and period between steps; 0 before it.

    >>> strength(3, 6, "half at 6, zero at 12").tolist()
    [[0.75, 0.25], [0.0, 0.75], [0.0, 0.0]]
    """
    from peelian.plan.expect import GONE

    since = np.arange(steps * step_months) + 0.5
    left = np.ones_like(since) if fade == "lasting" else np.clip(1 - since / GONE, 0, None)
    by_age = left.reshape(steps, step_months).mean(axis=1)
    age = np.arange(steps - 1)[None, :] - np.arange(steps)[:, None]
    return np.where(age >= 0, by_age[np.maximum(age, 0)], 0.0)


def _theta(before: Floats, after: Floats) -> Floats:
    """(windows, draws): log of observed over expected, from sums by cohort (and period)."""
    observed, expected = np.zeros(before.shape[:2]), np.zeros(before.shape[:2])
    for period in range(after.shape[3]):
        v0, v1 = before[:, :, : period + 1].sum(axis=2), before[:, :, period + 1 :].sum(axis=2)
        observed += after[:, :, : period + 1, period].sum(axis=2)
        expected += v0 * after[:, :, period + 1 :, period].sum(axis=2) / np.maximum(v1, 0.5)
    return np.log(np.maximum(observed, 0.5)) - np.log(np.maximum(expected, 0.5))


def _windows(counts: pd.Series, units: pd.Index, steps: int, step_months: int) -> tuple[Floats, Floats]:
    """(windows, units) before, and (windows, units, periods) between the steps; the latest window first."""
    wide = counts.unstack("month", fill_value=0).sort_index(axis=1).reindex(units, fill_value=0)
    table, months = wide.to_numpy(float), (steps - 1) * step_months
    starts = range(table.shape[1] - months, BEFORE - 1, -months)
    if not len(starts):
        raise DesignError(
            f"A wedge of {steps} steps needs {BEFORE + months} months of counts; there are {table.shape[1]}."
        )
    if len(units) < 2 * steps:
        raise DesignError(f"{len(units)} areas in {steps} steps: fewer than two a step. Lower steps.")
    v = np.stack([table[:, s - BEFORE : s].sum(axis=1) for s in starts])
    shape = len(units), steps - 1, step_months
    u = np.stack([table[:, s : s + months].reshape(shape).sum(axis=2) for s in starts])
    return v, u


def of_plan(
    plan: Plan, counts: pd.Series, *, steps: int, step_months: int, fade: Fade, draws: int, seed: int
) -> Wedge | None:
    """What the plan's wedge would see, and a trial of two arms with its kits; None where history is short."""
    from peelian.plan.expect import effect_years

    units = plan.chosen.index.sort_values()
    try:
        mde, false, windows = wedge_power(
            counts, units, steps=steps, step_months=step_months, fade=fade, draws=draws, seed=seed
        )
    except DesignError:
        return None
    ranked = plan.frame[(plan.frame["need"] > 0) & (plan.frame["risk"] > 0)].sort_values("rank").index
    pool, parallel = ranked[: 2 * len(units)], None
    if len(pool) == 2 * len(units):
        inside = counts[counts.index.get_level_values("place").isin(pool)]
        try:
            parallel = power(
                inside, len(units), saturation=effect_years(1, fade=fade), draws=draws, seed=seed
            ).mde
        except DesignError:
            parallel = None
    return Wedge(mde, parallel, fade, false, windows, len(units), steps, step_months)
