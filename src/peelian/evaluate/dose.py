"""Does more of it do more? Saturation against change, second to the headline and never it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from peelian.arithmetic.comparison import t_quantile
from peelian.effect import Effect
from peelian.evaluate.windows import CONTROL, TREATED, Study

if TYPE_CHECKING:
    from numpy.typing import NDArray


def dose(study: Study, *, level: float = 0.95) -> Effect | None:
    """Ratio for each 10 points more saturation among treated places; second to the headline, never it.

    Poisson regression of the count after on saturation in month 6, offset ln(v C1/C0); jackknife over
    treated units. None where saturation is not held or hardly differs. Places that took more kits also
    differ in other ways.
    """
    x, u, offset, unit = _dose_data(study)
    if len(np.unique(unit)) < 5 or np.ptp(x) < 0.05:
        return None
    slope = _poisson_slope(x, u, offset)
    names = np.unique(unit)
    left = np.array([_poisson_slope(x[unit != n], u[unit != n], offset[unit != n]) for n in names])
    left = left[np.isfinite(left)]
    if not math.isfinite(slope) or len(left) < 5:
        return None
    se = math.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum())
    half = t_quantile(0.5 + level / 2, len(left) - 2) * se
    middle, low, high = (math.exp(0.1 * b) for b in (slope, slope - half, slope + half))
    return Effect(
        "for each 10 points of saturation", middle, low, high, level, "ratio",
        se_method="jackknife over treated units", n_treated=len(names),
        assumptions=("places that took more kits also differ",),
    )  # fmt: skip


def _dose_data(study: Study) -> tuple[NDArray[np.float64], ...]:
    empty = np.zeros(0)
    if study.saturation is None:
        return empty, empty, empty, empty
    parts = []
    for s, stack in enumerate(study.stacks):
        who = np.flatnonzero((study.group == TREATED) & (study.own == s))
        far = study.group == CONTROL
        v, u = study.window_sums(stack.before), study.window_sums(stack.after)
        at = min(stack.start + 5, len(study.months) - 1)
        x = study.saturation[who, at]
        with np.errstate(divide="ignore"):
            offset = np.log(v[who] * u[far].sum() / v[far].sum())
        held = np.isfinite(x) & np.isfinite(offset)
        parts.append((x[held], u[who][held], offset[held], study.unit[who][held].astype(float)))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _poisson_slope(x: NDArray[np.float64], u: NDArray[np.float64], offset: NDArray[np.float64]) -> float:
    design = np.column_stack([np.ones_like(x), x])
    start = math.log(max(u.sum(), 0.5) / np.exp(offset).sum())
    beta = np.array([start, 0.0])
    for _ in range(50):
        mu = np.exp(np.clip(offset + design @ beta, -30, 30))
        weight = design.T @ (design * mu[:, None])
        if np.linalg.cond(weight) > 1e12:
            return math.nan
        step = np.linalg.solve(weight, design.T @ (u - mu))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return float(beta[1])
    return math.nan
