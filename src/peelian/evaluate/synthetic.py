"""A synthetic area made of many others, weighted until it looks like the treated ones before the start.

Calibration weights after Robbins, Saunders & Kilmer (2017), in numpy; the digits of their Seattle examples
are the test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from peelian.effect import Effect
from peelian.errors import DesignError
from peelian.evaluate.windows import CONTROL, TREATED, Stack, Study, Window

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

REACHED, MOST_STEPS = 1e-4, 250


@dataclass(frozen=True, eq=False, slots=True)
class Weights:
    """Weights of the untreated areas that reproduce the treated areas' totals.

    ``values``   (areas,): the weight of each area; 1 for treated ones.
    ``steps``    Newton steps taken; ``misfit`` the largest relative difference left.
    ``target``, ``reached``  (constraints,): treated totals, and the weighted totals of the others.
    ``used``     untreated areas with a weight above zero.
    """

    values: Floats
    steps: int
    misfit: float
    target: Floats
    reached: Floats
    used: int


def balance_weights(constraints: ArrayLike, treated: ArrayLike, *, most_steps: int = MOST_STEPS) -> Weights:
    """Weights that make the untreated areas add up to the treated ones on every column.

    ``constraints``  (areas, k): what is matched, an intercept among them; ``treated`` (areas,).

    w = w0 max(0, 1 + X lam) with w0 = treated/untreated areas, by semismooth Newton steps, until no total
    misses by more than 0.0001 of 1 + itself. ``DesignError`` where that is not reached.

    >>> w = balance_weights([[1, 10], [1, 4], [1, 16], [1, 7]], [1, 0, 0, 0])
    >>> round(float(w.values[1:] @ [4, 16, 7]), 3), round(float(w.values[1:].sum()), 3)
    (10.0, 1.0)
    """
    X, chosen = np.asarray(constraints, float), np.asarray(treated, bool)
    if not chosen.any() or chosen.all():
        raise DesignError("A synthetic area needs treated and untreated areas.")
    target, pool = X[chosen].sum(axis=0), X[~chosen]
    start = chosen.sum() / len(pool)
    lam = np.zeros(X.shape[1])
    for step in range(most_steps + 1):
        held = 1 + pool @ lam
        weight = start * np.maximum(held, 0)
        reached = pool.T @ weight
        miss = target - reached
        worst = float(np.max(np.abs(miss) / (1 + np.abs(target))))
        if worst < REACHED:
            values = np.ones(len(X))
            values[~chosen] = weight
            return Weights(values, step, worst, target, reached, int((weight > 0).sum()))
        inside = held > 0
        slope = start * pool[inside].T @ pool[inside]
        if not np.isfinite(slope).all():
            break
        lam = lam + np.linalg.pinv(slope, rcond=256 * np.finfo(float).eps) @ miss
    raise DesignError(
        f"The other areas cannot be weighted to match {len(target)} totals of the treated ones "
        f"(in {most_steps} steps; off by {worst:.2g}). Match on fewer totals."
    )


@dataclass(frozen=True, eq=False, slots=True)
class Linearised:
    """Treated and synthetic totals with their linearised spread.

    ``difference`` and ``difference_se`` a period and area; ``theta``, ``se`` the log ratio of the totals.
    """

    treated: float
    synthetic: float
    difference: float
    difference_se: float
    theta: float
    se: float

    @property
    def z(self) -> float:
        """Difference over its standard error."""
        return self.difference / self.difference_se

    @property
    def p_lower(self) -> float:
        """One-sided p for fewer than expected, as the authors print it."""
        return float(stats.norm.cdf(self.z))


def linearised(outcome: ArrayLike, treated: ArrayLike, weights: ArrayLike) -> Linearised:
    """Weighted regression of the outcome on treatment and period, with its survey-linearised spread.

    ``outcome``  (areas, periods) after the start. Rows are area-periods taken one by one, as the authors do:
    give one period (the total) to treat each area as one observation.
    """
    y, z, w = np.asarray(outcome, float), np.asarray(treated, float), np.asarray(weights, float)
    if y.ndim == 1:
        y = y[:, None]
    periods, total, mine = y.shape[1], w.sum(), (w * z).sum()
    normal = np.zeros((periods + 1, periods + 1))
    normal[0, 0], normal[1:, 1:] = periods * mine, np.eye(periods) * total
    normal[0, 1:] = normal[1:, 0] = mine
    right = np.concatenate([[(w * z) @ y.sum(axis=1)], w @ y])
    beta = np.linalg.solve(normal, right)
    squared = (w[:, None] * (y - beta[1:] - z[:, None] * beta[0])) ** 2
    middle = np.zeros_like(normal)
    middle[0, 0], middle[1:, 1:] = (z[:, None] * squared).sum(), np.diag(squared.sum(axis=0))
    middle[0, 1:] = middle[1:, 0] = (z[:, None] * squared).sum(axis=0)
    rows = y.size
    inverse = np.linalg.inv(normal)
    spread = inverse @ (middle * rows / (rows - 1)) @ inverse
    observed, expected = float((w * z) @ y.sum(axis=1)), float((w * (1 - z)) @ y.sum(axis=1))
    if not expected > 0 or not observed > 0:
        raise DesignError("The treated or the synthetic areas have no incidents after the start.")
    base = beta[1:].sum()
    here = base + periods * beta[0]
    slope = np.concatenate([[periods / here], np.full(periods, 1 / here - 1 / base)])
    return Linearised(
        observed, expected, float(beta[0]), math.sqrt(spread[0, 0]), math.log(here / base),
        math.sqrt(max(slope @ spread @ slope, 0.0)),
    )  # fmt: skip


def microsynth(
    outcome: ArrayLike, constraints: ArrayLike, treated: ArrayLike, *, level: float = 0.95,
    permutations: int = 0, seed: int = 0,
) -> Effect:  # fmt: skip
    """Ratio of the treated areas' count to that of a synthetic area that matched them before.

    ``outcome``  (areas,) or (areas, periods) after the start; ``constraints`` (areas, k) what is matched,
    an intercept among them; ``treated`` (areas,). ``permutations`` draws of as many areas at random, each
    weighted anew (0: none; a draw costs as much as the estimate). Source: Robbins, Saunders & Kilmer (2017).
    """
    chosen = np.asarray(treated, bool)
    fit = balance_weights(constraints, chosen)
    found = linearised(outcome, chosen, fit.values)
    half = float(stats.norm.ppf(0.5 + level / 2)) * found.se
    p, method = None, ""
    extra = {
        "observed": found.treated, "expected": found.synthetic, "theta": found.theta, "se_log": found.se,
        "p_lower": found.p_lower, "steps": float(fit.steps), "weighted_areas": float(fit.used),
        "constraints": float(len(fit.target)), "misfit": fit.misfit,
    }  # fmt: skip
    if permutations:
        drawn, z = _placebos(outcome, constraints, chosen, permutations, seed), found.z
        p = float((1 + (np.abs(drawn) >= abs(z)).sum()) / (len(drawn) + 1))
        extra["p_lower_permutation"] = float((1 + (drawn <= z).sum()) / (len(drawn) + 1))
        method = f"{len(drawn)} draws of as many areas, each weighted anew"
    return Effect(
        "synthetic areas (microsynth)", math.exp(found.theta), math.exp(found.theta - half),
        math.exp(found.theta + half), level, p=p, p_method=method,
        se_method="survey linearisation, normal", n_treated=int(chosen.sum()),
        n_control=int((~chosen).sum()), extra=extra,
    )  # fmt: skip


def _placebos(
    outcome: ArrayLike, constraints: ArrayLike, treated: NDArray[np.bool_], draws: int, seed: int
) -> Floats:
    """Difference over error of random areas; a draw whose totals cannot be matched is left out."""
    rng, out = np.random.default_rng(seed), []
    for _ in range(draws):
        chosen = np.zeros(len(treated), bool)
        chosen[rng.choice(len(treated), int(treated.sum()), replace=False)] = True
        try:
            out.append(linearised(outcome, chosen, balance_weights(constraints, chosen).values).z)
        except DesignError:
            continue
    return np.array(out)


# ------------------------------------------------------------------------------------ on a study
@dataclass(frozen=True, eq=False, slots=True)
class Synthetic:
    """The synthetic comparison of a study.

    ``effect`` the ratio; ``matched`` what was matched, in words; ``weights`` one a control place (stacks
    added); ``balance`` treated and synthetic totals of everything matched, and the far areas' mean scaled
    to as many areas; ``worst`` the largest standardised difference left.
    """

    effect: Effect
    matched: str
    weights: Floats
    balance: pd.DataFrame
    worst: float


def synthetic(study: Study, *, level: float = 0.95, permutations: int = 0, seed: int = 0) -> Synthetic | None:
    """The headline against synthetic areas: far areas weighted to the treated ones' own history.

    Matched are the number of areas, households where they are held, and every quarter of the clean baseline;
    where that cannot be reached half-years, then years, then years without households. Each start month has
    its own weights. None where even those cannot be matched.
    """
    for months, homes in ((3, True), (6, True), (12, True), (12, False)):
        if homes and not np.isfinite(study.households).all() and months == 12:
            continue
        try:
            return _synthetic(study, months, homes, level, permutations, seed)
        except DesignError:
            continue
    return None


def _pieces(window: Window, months: int) -> list[Window]:
    return [(at - months, at) for at in range(window[1], window[0] + months - 1, -months)]


def _columns(study: Study, stack: Stack, months: int, homes: bool) -> tuple[list[str], Floats]:
    names, columns = ["areas"], [np.ones(len(study.places))]
    if homes and np.isfinite(study.households).all():
        names.append("households")
        columns.append(study.households)
    for window in _pieces(stack.before, months):
        first, last = study.months_of(window)
        names.append(f"{first} to {last}")
        columns.append(study.window_sums(window))
    return names, np.column_stack(columns)


def _synthetic(
    study: Study, months: int, homes: bool, level: float, permutations: int, seed: int
) -> Synthetic:
    import pandas as pd

    far, pull = study.group == CONTROL, np.zeros(len(study.places))
    observed = expected = 0.0
    tables, parts = [], []
    for s, stack in enumerate(study.stacks):
        mine = (study.group == TREATED) & (study.own == s)
        keep = mine | far
        names, X = _columns(study, stack, months, homes)
        fit, after = balance_weights(X[keep], mine[keep]), study.window_sums(stack.after)
        weight = np.zeros(len(far))
        weight[keep] = fit.values
        weight[mine] = 0.0
        observed, expected = observed + float(after[mine].sum()), expected + float(weight @ after)
        parts.append((mine, weight, after))
        tables.append(_balance(names, X, mine, far, fit, s, study))
    if not (observed > 0 and expected > 0):
        raise DesignError("The treated or the synthetic areas have no incidents after the start.")
    for mine, weight, after in parts:
        pull[mine] = (after[mine] - observed / (study.group == TREATED).sum()) / observed
        pull -= weight * (after - weight @ after / max(weight.sum(), 1e-9)) / expected
    n, units = len(np.unique(study.unit[(study.group == TREATED) | far])), study.by_unit(pull)
    se, theta = math.sqrt(float((units**2).sum()) * n / (n - 1)), math.log(observed / expected)
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    p, method = _permuted(study, months, homes, permutations, seed)
    balance = pd.concat(tables, ignore_index=True)
    effect = Effect(
        "synthetic areas (microsynth)", math.exp(theta), math.exp(theta - half), math.exp(theta + half),
        level, p=p, p_method=method, se_method="survey linearisation by unit, normal",
        n_treated=study.n_treated, n_control=study.n_control,
        assumptions=("areas alike before the start would have stayed alike",),
        extra={"theta": theta, "se_log": se, "observed": observed, "expected": expected},
    )  # fmt: skip
    return Synthetic(effect, _words(months, homes, study), np.sum([w for _, w, _ in parts], axis=0), balance,
        float(balance["left"].abs().max()))  # fmt: skip


def _balance(
    names: Sequence[str], X: Floats, mine: NDArray[np.bool_], far: NDArray[np.bool_], fit: Weights,
    stack: int, study: Study,
) -> pd.DataFrame:  # fmt: skip
    import pandas as pd

    n, spread = mine.sum(), X[mine | far].std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    plain = X[far].mean(axis=0) * n
    return pd.DataFrame(
        {
            "start": str(study.months[study.stacks[stack].start]), "matched": list(names),
            "treated": fit.target, "synthetic": fit.reached, "unweighted": plain,
            "left": (fit.reached - fit.target) / n / spread, "apart": (plain - fit.target) / n / spread,
        }
    )  # fmt: skip


def _words(months: int, homes: bool, study: Study) -> str:
    span = {3: "every quarter", 6: "every half-year", 12: "every year"}[months]
    held = homes and bool(np.isfinite(study.households).all())
    return f"the number of areas, {'households, ' if held else ''}{span} of the baseline"


def _permuted(study: Study, months: int, homes: bool, draws: int, seed: int) -> tuple[float | None, str]:
    """p of the synthetic comparison by redrawing who was treated; only for one start month."""
    if not draws or len(study.stacks) > 1:
        return None, ""
    stack, keep = study.stacks[0], (study.group == TREATED) | (study.group == CONTROL)
    X = _columns(study, stack, months, homes)[1][keep]
    mine = (study.group == TREATED)[keep]
    found = microsynth(study.window_sums(stack.after)[keep], X, mine, permutations=draws, seed=seed)
    return found.p, found.p_method
