"""Checks: trends before, placebos in time and in other crimes, and what the choice of areas does alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, stats

from peelian.arithmetic import comparison
from peelian.arithmetic.comparison import Calibrated, LogRatio, overdispersion, t_quantile
from peelian.arithmetic.comparison import smallest_detectable as mde
from peelian.errors import DesignError
from peelian.evaluate.did import Headline, did, quarters_before
from peelian.evaluate.ratios import Ratios, Windows, cells, ratios
from peelian.evaluate.windows import CONTROL, OUT, TREATED, Study, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["before_after", "mde", "overdispersion", "placebo_date", "pre_trends", "selection_placebo"]


# ------------------------------------------------------------------------------------ trends before
@dataclass(frozen=True, slots=True)
class PreTrends:
    """Whether treated areas already went their own way before the start.

    ``p``          joint test of the baseline's quarters, one dropped; None where there are too few units.
    ``leads``      quarters tested; ``slope``, ``slope_se``, ``slope_p`` change of the log ratio a year.
    ``slope_seen``  smallest slope a year (share) that the slope test would show in 80 of 100;
    ``joint_seen``  the same for the joint test.
    """

    p: float | None
    leads: int
    slope: float
    slope_se: float
    slope_p: float | None
    slope_seen: float
    joint_seen: float


def pre_trends(study: Study) -> PreTrends:
    """Joint test and slope of the baseline's quarters against the pooled baseline.

    F test with the jackknife covariance and its degrees of freedom (Hotelling's correction); slope by least
    squares over the quarters. Each comes with what it could have seen, because a test that sees nothing
    clears nothing.
    """
    quarters, windows = quarters_before(study, most=12)
    if len(quarters) < 3:
        return PreTrends(None, len(quarters), math.nan, math.nan, None, math.nan, math.nan)
    result = ratios(study, [cells(study, windows)])
    if not np.isfinite(result.theta).all():
        return PreTrends(None, len(quarters), math.nan, math.nan, None, math.nan, math.nan)
    years = np.array(quarters) / 4
    p, joint_seen = _joint(result, years)
    slope = _slope(result, years)
    seen = math.nan if not slope.se > 0 else mde(slope.se, df=slope.df)
    return PreTrends(
        p, len(quarters), slope.theta, slope.se, slope.p if slope.se > 0 else None, seen, joint_seen
    )


def _joint(result: Ratios, years: NDArray[np.float64]) -> tuple[float | None, float]:
    theta, s = result.theta[:-1], result.spread.covariance[:-1, :-1]
    q = len(theta)
    df = result.spread.df(np.r_[np.full(q, 1 / q), 0.0])
    freedom = df - q + 1
    if freedom < 2 or np.linalg.matrix_rank(s) < q or not np.isfinite(theta).all():
        return None, math.nan
    inverse = np.linalg.inv(s)
    scale = 1 / q if math.isinf(df) else freedom / (df * q)
    freedom = min(freedom, 1e9)
    p = float(stats.f.sf(scale * theta @ inverse @ theta, q, freedom))
    trend = (years - years.mean())[:-1]
    limit = stats.f.isf(0.10, q, freedom)
    size = float(optimize.brentq(lambda x: stats.ncf.sf(limit, q, freedom, x) - 0.8, 1e-6, 500))
    return p, 1 - math.exp(-math.sqrt(size / (trend @ inverse @ trend)))


def _slope(result: Ratios, years: NDArray[np.float64]) -> LogRatio:
    away = years - years.mean()
    return result.one((away / (away**2).sum()).tolist())


# ------------------------------------------------------------------------------------ placebos
def placebo_date(study: Study, *, seed: int, draws: int = 999) -> Headline | None:
    """The headline with the start moved back 12 months, on baseline data only; None where too few months.

    The year that ends the baseline plays the after period; the longest of 24 and 12 months right before it,
    clear of the months of choice, plays the baseline.
    """
    before: list[Window | None] = []
    after: list[Window | None] = []
    for stack in study.stacks:
        end = stack.before[1] - 12
        chosen = stack.selection
        clear = [
            (end - length, end) for length in (24, 12)
            if end >= length and not (chosen and chosen[0] < end and end - length < chosen[1])
        ]  # fmt: skip
        if not clear:
            return None
        before.append(clear[0])
        after.append((end, stack.before[1]))
    try:
        return did(
            study, seed=seed, before=before, after=after, draws=draws, name="placebo: one year earlier"
        )
    except DesignError:
        return None


def before_after(study: Study, before: Windows) -> LogRatio:
    """What a before-and-after figure of the treated areas alone says: ln(T1/T0), a month.

    It takes no account of the trend elsewhere nor of how the areas were chosen.
    """
    part = cells(study, [[s.after for s in study.stacks]], before=before)
    held = study.unit_group == TREATED
    scale = [
        (s.after[1] - s.after[0]) / (w[1] - w[0]) for s, w in zip(study.stacks, before, strict=True) if w
    ]
    v, u = (part.t0[held] * scale).sum(axis=1), part.t1[held].sum(axis=(1, 2))
    theta = math.log(max(u.sum(), 0.5) / v.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.log(u.sum() - u) - np.log(v.sum() - v)
    left = np.where(np.isfinite(left), left, theta)
    spread = comparison.jackknife(left[:, None], np.zeros(len(left)))
    return LogRatio(theta, spread.se([1.0]), float(max(len(left) - 1, 1)))


# ------------------------------------------------------------------------------------ choice
@dataclass(frozen=True, eq=False, slots=True)
class Selection:
    """What the choice of areas does by itself.

    ``auc``       how well the count in the months of choice tells the treated from the others (0.5: not).
    ``earlier``   one row for each earlier start: months back, clean and naive log ratios with nothing done.
    ``clean``, ``naive``  the estimates (12 clean months, and the months of choice as baseline), and
    ``clean_calibrated``, ``naive_calibrated`` what is left of them. None where they cannot be computed.
    """

    auc: float
    earlier: tuple[tuple[int, float, float], ...]
    clean: LogRatio
    naive: LogRatio
    clean_calibrated: Calibrated
    naive_calibrated: Calibrated

    @property
    def k(self) -> int:
        """Earlier starts that could be used."""
        return len(self.earlier)

    @property
    def survives(self) -> bool:
        """True where the calibrated interval excludes no change and all estimates have one sign."""
        if self.k < 3:
            return False
        low, high = self.clean_calibrated.interval()
        signs = {
            math.copysign(1, x)
            for x in (self.naive.theta, self.clean_calibrated.theta, self.naive_calibrated.theta)
        }
        return len(signs) == 1 and (high < 0 or low > 0)


def selection_placebo(study: Study) -> Selection:
    """The same rule of choice at earlier starts, when nothing was done.

    The first start is moved back by 12, 24, ... months, so far that the moved after months end before it. At
    each, as many units as were really treated are chosen by their count in the moved months of choice (all
    units that are not left out take part), and their log ratio is taken with the first start's lags, both on
    12 clean months and on the months of choice as baseline.
    """
    units = np.cumsum(np.pad(study.by_unit(study.counts), ((0, 0), (1, 0))), axis=1)
    keep = study.unit_group != OUT
    units = units[keep]
    chosen = study.unit_group[keep] == TREATED
    earlier = _earlier(study, units, int(chosen.sum()))
    windows = [[s.after for s in study.stacks]]
    clean = ratios(study, [cells(study, windows, before=[s.last_year for s in study.stacks])]).one()
    naive = ratios(study, [cells(study, windows, before=[s.naive for s in study.stacks])]).one()
    score = sum(units[:, s.naive[1]] - units[:, s.naive[0]] for s in study.stacks)
    return Selection(
        comparison.auc(score, chosen), earlier, clean, naive,
        comparison.selection_placebo(clean, [c for _, c, _ in earlier]),
        comparison.selection_placebo(naive, [n for _, _, n in earlier]),
    )  # fmt: skip


def _earlier(study: Study, units: NDArray[np.float64], take: int) -> tuple[tuple[int, float, float], ...]:
    first = study.stacks[0]
    lags = first.naive, first.last_year, first.after
    rows = []
    for back in range(12, units.shape[1], 12):
        if first.after[1] - back > first.start:
            continue
        if min(w[0] for w in lags) - back < 0:
            break
        score, clean, after = (units[:, b - back] - units[:, a - back] for a, b in lags)
        chosen = comparison.top_units(score, take)
        rows.append(
            (
                back,
                comparison.plain_log_ratio(clean, after, chosen),
                comparison.plain_log_ratio(score, after, chosen),
            )
        )
    return tuple(row for row in rows if math.isfinite(row[1]) and math.isfinite(row[2]))


def detectable(log: LogRatio) -> float:
    """Smallest reduction seen in 80 of 100 such programmes, with the headline's standard error."""
    return mde(log.se, df=log.df)


def factor_needed(log: LogRatio, *, wanted: float = 0.20) -> float:
    """How many times as many incidents (areas or months) would show a reduction of ``wanted``.

    >>> round(factor_needed(LogRatio(0.0, 0.1592, float("inf"))), 2)
    4.0
    """
    se = -math.log(1 - wanted) / (t_quantile(0.975, log.df) + t_quantile(0.8, log.df))
    return (log.se / se) ** 2


def controls_before(study: Study) -> tuple[float, float]:
    """Counts before in control and in treated areas (baseline windows)."""
    part = cells(study, [[s.after for s in study.stacks]])
    control = study.unit_group == CONTROL
    return float(part.c0[control].sum()) / len(study.stacks), float(part.t0.sum())
