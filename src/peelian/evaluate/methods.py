"""Other methods than the headline's on the same areas and months: does the answer hang on the arithmetic?

Those for several start months always stand beside it; those that cost time, or that assume more, are asked
for by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from peelian.arithmetic.comparison import t_quantile
from peelian.effect import Effect
from peelian.errors import DesignError
from peelian.evaluate.ratios import cells, lifts
from peelian.evaluate.single import sdid
from peelian.evaluate.staggered import group_time, groups_left_out, imputation, imputation_ols
from peelian.evaluate.windows import CONTROL, TREATED, Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

PLACEBOS = 50  # draws of as many untreated units; each is a fit of its own


def by_other_methods(study: Study, asked: Sequence[str], seed: int) -> tuple[list[Effect], list[str]]:
    """One Effect a method, and a sentence for each that was asked for and cannot be given.

    Several start months: imputation over all cells, and differences in counts by cohort. ``asked``: names of
    ``ASKED``.
    """
    found = [_imputed(study, seed), _differences(study)] if len(study.stacks) > 1 else []
    refused = []
    for name in asked:
        try:
            found.append(ASKED[name](study, seed))
        except DesignError as error:
            refused.append(f"Not given, though asked for ({name}): {error}")
    return [e for e in found if e is not None], refused


def untreated_cells(study: Study) -> tuple[Floats, Bools, Bools]:
    """Treated and control units by month: counts, the cells nothing was done in, and the treated ones.

    Untreated are the baselines, and the controls' months after; treated the headline's months after.
    """
    counts = study.by_unit(study.counts)
    own = starts_of(study)
    base, after = np.zeros(counts.shape, bool), np.zeros(counts.shape, bool)
    far = study.unit_group == CONTROL
    for s, stack in enumerate(study.stacks):
        mine = own == s
        base[mine, stack.before[0] : stack.before[1]] = True
        after[mine, stack.after[0] : stack.after[1]] = True
        base[far, stack.before[0] : stack.before[1]] = base[far, stack.after[0] : stack.after[1]] = True
    keep = (study.unit_group == TREATED) | far
    return counts[keep], base[keep], after[keep]


def starts_of(study: Study) -> NDArray[np.int64]:
    """By unit: the stack of its treated places, -1 for units without any."""
    own = np.full(len(study.units), -1)
    inside = study.group == TREATED
    own[study.unit[inside]] = study.own[inside]
    return own


def _imputed(study: Study, seed: int, *, level: float = 0.95) -> Effect | None:
    try:
        log, o, e = imputation(*untreated_cells(study), seed=seed)
    except DesignError:
        return None
    lift = _lift(study)
    log, e = replace(log, theta=log.theta + lift), e * math.exp(-lift)
    low, high = (math.exp(x) for x in log.interval(level))
    return Effect(
        "imputation from all untreated months (Poisson)", math.exp(log.theta), low, high, level,
        se_method="jackknife over 100 groups, Student's t", n_treated=study.n_treated,
        n_control=study.n_control, extra={"theta": log.theta, "se_log": log.se, "observed": o, "expected": e},
    )  # fmt: skip


def _lift(study: Study) -> float:
    """What leaving areas out does to the controls' log change by itself, the mean over starts."""
    return float(lifts(study, [[x.after for x in study.stacks]], [x.before for x in study.stacks])[0].mean())


def _differences(study: Study) -> Effect | None:
    """Cohort effects in counts (Callaway & Sant'Anna 2021, baseline pooled), added up, as a ratio."""
    keep = (study.unit_group == TREATED) | (study.unit_group == CONTROL)
    n, moved, pull = keep.sum(), 0.0, np.zeros(int(keep.sum()))
    part = cells(study, [[s.after for s in study.stacks]])
    observed = float(part.t1.sum())
    own = np.argmax(part.t0, axis=1)
    for s, stack in enumerate(study.stacks):
        months = (stack.after[1] - stack.after[0]) / (stack.before[1] - stack.before[0])
        change = (part.t1 + part.c1)[:, s, 0] - months * (part.t0 + part.c0)[:, s]
        mine = (study.unit_group == TREATED) & (own == s) & (part.t0[:, s] > 0)
        if not mine.any():
            continue
        # its windows as two periods: it starts in the second; other cohorts (first period) take no part
        first = np.where(mine, 1, np.where(study.unit_group == CONTROL, -1, 0))[keep]
        found = group_time(np.column_stack([np.zeros(n), change[keep]]), first)
        moved += float(found.frame["att"].iloc[0]) * mine.sum()
        pull += found.influence[:, 0] * mine.sum()
    if not (observed > 0 and observed > moved):
        return None
    return _as_ratio(
        "differences in counts by start (Callaway & Sant'Anna)", observed, moved,
        math.sqrt((pull**2).sum()) / n, study, freedom=max(study.n_treated - 1, 1),
        method="influence functions, Student's t",
    )  # fmt: skip


# ------------------------------------------------------------------------------------ those asked for
def _least_squares(study: Study, seed: int) -> Effect:
    """Imputation by least squares (Borusyak, Jaravel & Spiess 2024), as a ratio."""
    counts, base, after = untreated_cells(study)
    counts = np.where(
        base & (np.arange(base.shape[1]) >= study.stacks[0].start), counts * math.exp(-_lift(study)), counts
    )

    def fewer(keep: Bools) -> tuple[float, float]:
        observed = float(counts[keep][after[keep]].sum())
        return observed, imputation_ols(counts[keep], base[keep], after[keep]) * float(after[keep].sum())

    observed, moved = fewer(np.ones(len(counts), bool))
    left = [fewer(keep)[1] for keep in groups_left_out(after.any(axis=1), 100, seed)]
    spread = math.sqrt((len(left) - 1) / len(left)) * float(np.linalg.norm(np.array(left) - np.mean(left)))
    return _as_ratio(
        "imputation by least squares (Borusyak, Jaravel & Spiess)", observed, moved, spread, study,
        freedom=max(min(len(left), study.n_treated) - 1, 1),
        method="jackknife over 100 groups, Student's t",
    )  # fmt: skip


def _synthetic_did(study: Study, seed: int) -> Effect:
    """Synthetic difference in differences (Arkhangelsky et al. 2021) over quarters, as a ratio."""
    if len(study.stacks) > 1:
        raise DesignError(
            f"synthetic difference in differences takes one start month, and this programme has "
            f"{len(study.stacks)}. Ask for imputation_ols instead."
        )
    stack, keep = study.stacks[0], (study.unit_group == TREATED) | (study.unit_group == CONTROL)
    step = 3 if all(n % 3 == 0 for n in stack.lengths) else 1
    windows = [(at, at + step) for span in (stack.before, stack.after) for at in range(*span, step)]
    counts = study.by_unit(np.column_stack([study.window_sums(w) for w in windows]))[keep]
    treated = study.unit_group[keep] == TREATED
    start = stack.lengths[0] // step
    counts[~treated, start:] *= math.exp(-_lift(study))
    found = sdid(counts, treated, start, placebos=PLACEBOS, seed=seed)
    held = counts[treated][:, start:]
    return _as_ratio(
        "synthetic difference in differences", float(held.sum()), found.att * held.size,
        found.se * held.size, study, freedom=math.inf, method=f"{PLACEBOS} placebos, normal",
    )  # fmt: skip


def _as_ratio(
    name: str, observed: float, moved: float, spread: float, study: Study, *, freedom: float, method: str,
    level: float = 0.95,
) -> Effect:  # fmt: skip
    """Observed over observed less what it moved by, with the ends of ``moved`` put through the same."""
    expected, half = observed - moved, t_quantile(0.5 + level / 2, freedom) * spread
    if not (observed > 0 and expected > 0):
        raise DesignError(
            "no incidents were observed after the start, or none expected. Take longer windows."
        )
    ends = [
        observed / (expected + side * half) if expected + side * half > 0 else math.inf for side in (1, -1)
    ]
    return Effect(
        name, observed / expected, ends[0], ends[1], level, se_method=method, n_treated=study.n_treated,
        n_control=study.n_control,
        assumptions=("without the programme, counts would have moved by as much, not in proportion",),
        extra={"observed": observed, "expected": expected},
    )  # fmt: skip


ASKED: dict[str, Callable[[Study, int], Effect]] = {
    "imputation_ols": _least_squares,
    "sdid": _synthetic_did,
}
