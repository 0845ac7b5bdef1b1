"""Before and after, here and elsewhere: log ratios, their uncertainty, and what choice alone does.

Arrays in, small frozen results out. Rows are units of inference (what was chosen: an area, or the ward
that was chosen as a whole), columns are stacks (one for each start month).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from peelian.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


# ------------------------------------------------------------------------------------ jackknife
@dataclass(frozen=True, eq=False, slots=True)
class Jackknife:
    """Spread of estimates when one unit at a time is left out, stratum by stratum.

    ``covariances``  (strata, k, k), each V_g = (n_g - 1)/n_g sum (x_(-i) - mean)(x_(-i) - mean)'.
    ``sizes``        units in each stratum.
    """

    covariances: Floats
    sizes: NDArray[np.int64]

    @property
    def covariance(self) -> Floats:
        """The whole (k, k) covariance: the sum over strata."""
        return self.covariances.sum(axis=0)

    def se(self, contrast: ArrayLike) -> float:
        """Standard error of a linear combination of the k estimates."""
        a = np.asarray(contrast, float)
        return float(math.sqrt(max(a @ self.covariance @ a, 0.0)))

    def df(self, contrast: ArrayLike) -> float:
        """Satterthwaite degrees of freedom of that combination, each V_g having n_g - 1."""
        a = np.asarray(contrast, float)
        return satterthwaite(np.einsum("i,gij,j->g", a, self.covariances, a), self.sizes - 1)


def satterthwaite(variances: ArrayLike, freedoms: ArrayLike) -> float:
    """Degrees of freedom of a sum of independent variances (Satterthwaite 1946).

    >>> satterthwaite([1.0, 1.0], [9, 9])
    18.0
    """
    v, d = np.asarray(variances, float), np.asarray(freedoms, float)
    held = (v > 0) & (d > 0)
    if not held.any():
        return math.inf
    return float(v[held].sum() ** 2 / (v[held] ** 2 / d[held]).sum())


def jackknife(left_out: Floats, stratum: ArrayLike) -> Jackknife:
    """Stratified jackknife of k estimates.

    ``left_out``  (units, k): the estimates without each unit.
    ``stratum``   (units,): to which arm or ring each unit belongs.

    A stratum of one unit tells nothing about the spread between its units and adds no variance: the
    caller must say so (guard G5).
    """
    x, labels = np.asarray(left_out, float), np.asarray(stratum)
    groups = np.unique(labels)
    covariances, sizes = np.zeros((len(groups), x.shape[1], x.shape[1])), np.zeros(len(groups), np.int64)
    for g, label in enumerate(groups):
        rows = x[labels == label]
        n = sizes[g] = len(rows)
        away = rows - rows.mean(axis=0)
        covariances[g] = (n - 1) / n * away.T @ away
    return Jackknife(covariances, sizes)


# ------------------------------------------------------------------------------------ log ratios
def stacked_log_ratios(t0: Floats, t1: Floats, c0: Floats, c1: Floats) -> Floats:
    """ln(observed / expected) of each outcome, expected = sum over stacks of T0 x C1/C0.

    ``t0``, ``c0``  (units, stacks): counts before, of treated and of control units.
    ``t1``, ``c1``  (units, stacks, outcomes): counts after; an outcome may be a quarter or a half-year.

    With one stack this is Poisson regression with area and month effects in closed form (Wooldridge 2021).
    """
    observed, expected = observed_expected(t0, t1, c0, c1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(observed) - np.log(expected)


def observed_expected(t0: Floats, t1: Floats, c0: Floats, c1: Floats) -> tuple[Floats, Floats]:
    """Counts after in treated units, and what the control units' change led to expect; shapes as above.

    >>> import numpy as np
    >>> one = lambda *x: np.array(x, float).reshape(-1, 1)
    >>> o, e = observed_expected(one(50, 0), one(30, 0)[..., None], one(0, 60), one(0, 55)[..., None])
    >>> float(o[0]), round(float(e[0]), 4)
    (30.0, 45.8333)
    """
    before, base = t0.sum(axis=0), c0.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = before[:, None] * c1.sum(axis=0) / base[:, None]
    return t1.sum(axis=(0, 1)), np.where(np.isnan(expected), 0.0, expected).sum(axis=0)


def left_out_log_ratios(t0: Floats, t1: Floats, c0: Floats, c1: Floats) -> Floats:
    """``stacked_log_ratios`` without each unit in turn, deleted from every stack: (units, outcomes)."""
    observed = t1.sum(axis=(0, 1)) - t1.sum(axis=1)
    before, base = t0.sum(axis=0) - t0, c0.sum(axis=0) - c0
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(base > 0, before / base, 0.0)
        expected = np.einsum("us,usk->uk", weight, c1.sum(axis=0) - c1)
        return np.log(observed) - np.log(expected)


def influence(t0: Floats, t1: Floats, c0: Floats, c1: Floats) -> Floats:
    """How far each unit pulls the log ratio of one outcome (its influence), in units of the log ratio.

    ``t1`` and ``c1`` are (units, stacks). For one stack: u/T1 - v/T0 of a treated unit and
    -(u/C1 - v/C0) of a control unit.
    """
    before, base, later = t0.sum(axis=0), c0.sum(axis=0), c1.sum(axis=0)
    ratio = later / base
    expected = before * ratio
    share = expected / expected.sum()
    here = t1.sum(axis=1) / t1.sum() - (t0 * ratio).sum(axis=1) / expected.sum()
    there = ((c1 / later - c0 / base) * share).sum(axis=1)
    return here - there


def clustered_se(psi: ArrayLike, stratum: ArrayLike, *, correction: str = "arms") -> float:
    """Standard error from influences, clustered by unit.

    ``correction``  ``arms``: n_g/(n_g - 1) in each arm; ``all``: n/(n - 1) over all units; ``none``.
    """
    psi, labels = np.asarray(psi, float), np.asarray(stratum)
    if correction == "none":
        return float(math.sqrt((psi**2).sum()))
    if correction == "all":
        return float(math.sqrt((psi**2).sum() * len(psi) / (len(psi) - 1)))
    total = 0.0
    for label in np.unique(labels):
        arm = psi[labels == label]
        total += (arm**2).sum() * len(arm) / max(len(arm) - 1, 1)
    return float(math.sqrt(total))


def poisson_se(t0: ArrayLike, t1: float, c0: ArrayLike, c1: ArrayLike) -> float:
    """Standard error of the log ratio if counts varied by chance alone. On burglary it is too small.

    ``t0, c0, c1``  totals by stack; ``t1`` the total after. Controls shared by stacks count as new ones.

    >>> round(poisson_se([50], 30, [60], [55]), 10)
    0.2969542358
    """
    t0, c0, c1 = (np.atleast_1d(np.asarray(x, float)) for x in (t0, c0, c1))
    share = t0 * c1 / c0 / (t0 * c1 / c0).sum()
    with np.errstate(divide="ignore"):
        parts = np.where(share > 0, 1 / t0 + 1 / c1 + 1 / c0, 0.0)
        return float(math.sqrt(1 / t1 + (share**2 * parts).sum()))


@dataclass(frozen=True, slots=True)
class LogRatio:
    """A log ratio with its jackknife standard error and Satterthwaite degrees of freedom."""

    theta: float
    se: float
    df: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Low and high ends on the log scale, from Student's t."""
        half = t_quantile(0.5 + level / 2, self.df) * self.se
        return self.theta - half, self.theta + half

    @property
    def p(self) -> float:
        """Two-sided p from Student's t."""
        if not self.se > 0:
            return 1.0 if self.theta == 0 else 0.0
        return float(2 * stats.t.sf(abs(self.theta / self.se), self.df))


def log_ratio(
    treated_before: ArrayLike, treated_after: ArrayLike, control_before: ArrayLike, control_after: ArrayLike
) -> LogRatio:
    """ln(T1/T0) - ln(C1/C0) with its jackknife-t interval, from counts by unit in two arms.

    Each argument is one-dimensional, one number a unit. Needs two units an arm and counts above zero
    (``DesignError`` otherwise): the general case, with stacks, lives in ``evaluate``.

    >>> result = log_ratio([30, 20], [14, 16], [30, 30], [25, 30])
    >>> round(result.theta, 6)
    -0.423814
    """
    arms = [np.asarray(x, float) for x in (treated_before, treated_after, control_before, control_after)]
    n_t, n_c = len(arms[0]), len(arms[2])
    if min(n_t, n_c) < 2:
        raise DesignError(f"{n_t} treated and {n_c} control units: a jackknife needs two of each.")
    t0, t1, c0, c1 = (np.concatenate(x) for x in _padded(arms, n_t, n_c))
    given = (t0[:, None], t1[:, None, None], c0[:, None], c1[:, None, None])
    if min(x.sum() for x in given) <= 0:
        raise DesignError("A total is zero: nothing to compare. Take longer windows or more areas.")
    spread = jackknife(left_out_log_ratios(*given), np.r_[np.zeros(n_t), np.ones(n_c)])
    return LogRatio(float(stacked_log_ratios(*given)[0]), spread.se([1.0]), spread.df([1.0]))


def _padded(arms: Sequence[Floats], n_t: int, n_c: int) -> list[tuple[Floats, Floats]]:
    nothing_t, nothing_c = np.zeros(n_t), np.zeros(n_c)
    return [(arms[0], nothing_c), (arms[1], nothing_c), (nothing_t, arms[2]), (nothing_t, arms[3])]


# ------------------------------------------------------------------------------------ small tools
def t_quantile(share: float, df: float) -> float:
    """Quantile of Student's t; of the normal where the degrees of freedom are without end."""
    return float(stats.norm.ppf(share) if math.isinf(df) else stats.t.ppf(share, df))


def overdispersion(before: ArrayLike, after: ArrayLike) -> float:
    """How many times more counts change than chance alone would have it (phi; 1 = Poisson).

    ``before, after``  counts by control area. Mean over areas with any count of
    (u - r v)^2 / (u + r^2 v), r = sum u / sum v.

    >>> round(overdispersion([10, 10, 10, 10], [10, 10, 10, 10]), 3)
    0.0
    """
    v, u = np.asarray(before, float), np.asarray(after, float)
    held = v + u > 0
    v, u = v[held], u[held]
    if not v.sum() > 0 or not u.sum() > 0:
        return math.nan
    r = u.sum() / v.sum()
    return float(((u - r * v) ** 2 / (u + r**2 * v)).mean())


def smallest_detectable(
    se: float, *, df: float = math.inf, level: float = 0.95, power: float = 0.80
) -> float:
    """The smallest reduction that would be seen with this power, as a share (0.2 = 20 % fewer).

    >>> round(100 * smallest_detectable(0.1224744871391589), 1)
    29.0
    """
    return 1 - math.exp(-(t_quantile(0.5 + level / 2, df) + t_quantile(power, df)) * se)


def auc(scores: ArrayLike, chosen: ArrayLike) -> float:
    """Chance that a chosen unit scores above another one (ties count half): 0.5 = not chosen on the score.

    >>> auc([3, 2, 1, 0], [True, True, False, False])
    1.0
    """
    chosen = np.asarray(chosen, bool)
    n1, n0 = int(chosen.sum()), int((~chosen).sum())
    if not n1 or not n0:
        return math.nan
    ranks = stats.rankdata(np.asarray(scores, float))
    return float((ranks[chosen].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def e_test(k1: float, k2: float, n1: float = 1, n2: float = 1, d: float = 0) -> float:
    """p that two Poisson rates differ by more than ``d``, without assuming large counts.

    ``k1, k2`` counts over exposures ``n1, n2``. Krishnamoorthy & Thomson (2004), the difference measured
    against the pooled rate as in Wheeler's ptools. Above 2,000 counts the normal form is returned.
    ``DesignError`` where both counts are zero, or ``d`` is more than the rates allow.

    >>> round(e_test(6, 2), 8)
    0.17487482
    """
    if k1 == 0 and k2 == 0:
        raise DesignError("Both counts are zero: there is nothing to compare.")
    pooled = (k1 + k2 - d * n1) / (n1 + n2)
    if pooled <= 0:
        raise DesignError(f"A difference of {d:g} is more than {k1:g} and {k2:g} allow to be tested.")
    gap = abs(k1 / n1 - k2 / n2 - d)
    if k1 + k2 > 2000:
        return float(2 * stats.norm.sf(gap / math.sqrt(k1 / n1**2 + k2 / n2**2)))
    mean1, mean2 = n1 * (pooled + d), n2 * pooled
    x1 = np.arange(int(mean1 + 14 * math.sqrt(mean1) + 40) + 1, dtype=float)[:, None]
    x2 = np.arange(int(mean2 + 14 * math.sqrt(mean2) + 40) + 1, dtype=float)[None, :]
    chance = stats.poisson.pmf(x1, mean1) * stats.poisson.pmf(x2, mean2)
    rate = (x1 + x2) / (n1 + n2)
    rate[0, 0] = math.inf  # two zeros say nothing about a difference
    away = np.abs(x1 / n1 - x2 / n2 - d) / np.sqrt(rate)
    return float(min(chance[away >= gap / math.sqrt(pooled)].sum(), 1.0))


# ------------------------------------------------------------------------------------ selection placebo
def top_units(scores: ArrayLike, take: int) -> NDArray[np.bool_]:
    """The ``take`` units with the highest scores; ties go to the first in order.

    >>> top_units([1, 5, 5, 2], 1).tolist()
    [False, True, False, False]
    """
    scores = np.asarray(scores, float)
    chosen = np.zeros(len(scores), bool)
    chosen[np.argsort(-scores, kind="stable")[:take]] = True
    return chosen


def plain_log_ratio(before: ArrayLike, after: ArrayLike, treated: ArrayLike) -> float:
    """ln(T1/T0) - ln(C1/C0) of two arms, from counts by unit; missing where a total is zero."""
    v, u, chosen = np.asarray(before, float), np.asarray(after, float), np.asarray(treated, bool)
    totals = np.array([u[chosen].sum(), v[chosen].sum(), u[~chosen].sum(), v[~chosen].sum()])
    return float(np.log(totals) @ [1, -1, -1, 1]) if (totals > 0).all() else math.nan


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A log ratio less what the same choice of areas gave in earlier years with nothing done.

    ``mean`` and ``sd`` of the ``k`` placebos; ``rank`` of the uncalibrated estimate among them (1 = lowest).
    """

    theta: float
    se: float
    df: float
    mean: float
    sd: float
    k: int
    rank: int

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Low and high ends on the log scale; without bound where there are too few placebos."""
        if self.k < 2 or not math.isfinite(self.se):
            return -math.inf, math.inf
        half = t_quantile(0.5 + level / 2, self.df) * self.se
        return self.theta - half, self.theta + half

    @property
    def p(self) -> float:
        """Two-sided p from Student's t; 1 where there are too few placebos."""
        if self.k < 2 or not self.se > 0 or not math.isfinite(self.se):
            return 1.0
        return float(2 * stats.t.sf(abs(self.theta / self.se), self.df))


def selection_placebo(estimate: LogRatio, placebos: Sequence[float]) -> Calibrated:
    """The estimate calibrated by placebos: theta - m, with variance V + s^2 (1 + 1/k).

    ``placebos``  log ratios that the rule of choice gave at earlier starts, when nothing was done.

    >>> c = selection_placebo(LogRatio(-0.3, 0.05, 40.0), [-0.10, -0.08, -0.12])
    >>> round(c.theta, 3), c.k, c.rank
    (-0.2, 3, 1)
    """
    held = np.array([x for x in placebos if math.isfinite(x)], float)
    k = len(held)
    if k < 2:
        mean = float(held.mean()) if k else math.nan
        return Calibrated(estimate.theta - mean, math.nan, math.nan, mean, math.nan, k, 1)
    mean, sd = float(held.mean()), float(held.std(ddof=1))
    parts = [estimate.se**2, sd**2 * (1 + 1 / k)]
    df = satterthwaite(parts, [min(estimate.df, 1e9), k - 1])
    rank = 1 + int((held < estimate.theta).sum())
    return Calibrated(estimate.theta - mean, math.sqrt(sum(parts)), df, mean, sd, k, rank)


# -------------------------------------------------------------------------------- several questions
def holm(p: ArrayLike) -> Floats:
    """p values corrected for how many questions were asked (Holm 1979); NaN stays NaN and counts for none.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, float)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    adjusted = np.full(len(values), np.nan)
    raised = np.maximum.accumulate(values[order] * (len(order) - np.arange(len(order))))
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted
