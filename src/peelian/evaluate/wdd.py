"""The weighted displacement difference and its family: counts in, a small result out.

Pairs are (before, after). Everybody knows these numbers, so they are printed; their Poisson intervals
are too narrow on burglary (guard G6) and decide nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.arithmetic.comparison import e_test, satterthwaite, t_quantile
from peelian.effect import Effect
from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = ["cumulative_wdd", "e_test", "harm_wdd", "scan", "wdd", "wdd_of_units", "wdq"]

Pair = tuple[float, float]
NOTHING: Pair = (0.0, 0.0)


def wdd(
    treated: Pair,
    control: Pair,
    *,
    displacement: Pair = NOTHING,
    displacement_control: Pair = NOTHING,
    areas: Sequence[float] = (1, 1, 1, 1),
    months: Pair = (1, 1),
    level: float = 0.95,
) -> Effect:
    """Change in treated and nearby places less the change in the places they are compared with.

    ``treated``, ``control``, ``displacement``, ``displacement_control``  counts (before, after).
    ``areas``   size of each of the four, in that order; ``months`` length of the two periods. Counts are
                divided by size times length, so the answer is in incidents for one unit of both.
    ``level``   coverage of the Poisson interval.

    ``extra`` holds ``local``, ``displaced``, their standard errors, ``se``, ``z`` and ``p_one_tailed``.
    Assumes that counts vary by chance alone. Wheeler & Ratcliffe (2018); weights: Wheeler (2020).

    >>> effect = wdd((207, 110), (308, 318), displacement=(178, 157), displacement_control=(150, 140))
    >>> effect.estimate, round(effect.extra["se"], 3)
    (-118.0, 39.598)
    """
    groups = (treated, control, displacement, displacement_control)
    changes, variances = zip(
        *(_change(g, a, months) for g, a in zip(groups, areas, strict=True)), strict=True
    )
    local, displaced = changes[0] - changes[1], changes[2] - changes[3]
    total, variance = local + displaced, sum(variances)
    if variance <= 0:
        raise DesignError("All counts are zero: there is nothing to compare.")
    se = math.sqrt(variance)
    half = t_quantile(0.5 + level / 2, math.inf) * se
    return Effect(
        "weighted displacement difference", total, total - half, total + half, level, "count",
        p=math.erfc(abs(total / se) / math.sqrt(2)), p_method="normal, Poisson variance",
        se_method="Poisson", assumptions=("counts vary by chance alone",),
        extra={
            "local": local, "se_local": math.sqrt(variances[0] + variances[1]),
            "displaced": displaced, "se_displaced": math.sqrt(variances[2] + variances[3]),
            "se": se, "z": total / se, "p_one_tailed": 0.5 * math.erfc(-total / se / math.sqrt(2)),
        },
    )  # fmt: skip


def _change(pair: Pair, area: float, months: Pair) -> tuple[float, float]:
    before, after = pair[0] / (area * months[0]), pair[1] / (area * months[1])
    return after - before, before / (area * months[0]) + after / (area * months[1])


def wdd_of_units(
    treated: tuple[ArrayLike, ArrayLike],
    control: tuple[ArrayLike, ArrayLike],
    *,
    months: Pair = (1, 1),
    level: float = 0.95,
) -> Effect:
    """The weighted displacement difference of two arms with an interval from the spread between areas.

    ``treated``, ``control``  counts by unit (before, after); control counts are scaled so that both arms
    had the same number before (the areas weight of ``wdd``). The interval is the jackknife's of this sum,
    Student's t; the Poisson one stands beside it in ``extra`` as ``poisson_low`` and ``poisson_high``.
    """
    v, u = (np.asarray(x, float) for x in treated)
    vc, uc = (np.asarray(x, float) for x in control)
    if not vc.sum() > 0 or not v.sum() > 0:
        raise DesignError("No incidents before, in one of the two arms: nothing to compare.")
    weight = float(vc.sum() / v.sum())
    plain = wdd(
        (float(v.sum()), float(u.sum())), (float(vc.sum()), float(uc.sum())),
        areas=(1, weight, 1, 1), months=months, level=level,
    )  # fmt: skip
    parts = [u / months[1] - v / months[0], (uc / months[1] - vc / months[0]) / weight]
    sizes = [len(x) for x in parts]
    spreads = [n * float(x.var(ddof=1)) if n > 1 else 0.0 for n, x in zip(sizes, parts, strict=True)]
    se, df = math.sqrt(sum(spreads)), satterthwaite(spreads, [n - 1 for n in sizes])
    half = t_quantile(0.5 + level / 2, df) * se
    return Effect(
        "weighted displacement difference", plain.estimate, plain.estimate - half, plain.estimate + half,
        level, "count", se_method="jackknife over units, Student's t", n_treated=sizes[0], n_control=sizes[1],
        extra={
            "se": se, "df": df, "poisson_se": plain.extra["se"], "weight": weight,
            "poisson_low": plain.low, "poisson_high": plain.high,
        },
    )  # fmt: skip


def harm_wdd(effects: Mapping[str, Effect], weights: Mapping[str, float], *, level: float = 0.95) -> Effect:
    """The weighted displacement differences of several crimes, summed by harm.

    ``effects``  crime -> result of ``wdd``; ``weights`` crime -> harm of one crime (for instance Cambridge
    weights); crimes without a weight are a ``DesignError``. Wheeler & Ratcliffe (2018).
    """
    lacking = sorted(set(effects) - set(weights))
    if lacking:
        raise DesignError(f"No harm weight for {', '.join(lacking)}.")
    total = sum(weights[name] * e.estimate for name, e in effects.items())
    se = math.sqrt(sum((weights[name] * e.extra["se"]) ** 2 for name, e in effects.items()))
    half = t_quantile(0.5 + level / 2, math.inf) * se
    return Effect(
        "harm-weighted displacement difference", total, total - half, total + half, level, "count",
        p=math.erfc(abs(total / se) / math.sqrt(2)), p_method="normal, Poisson variance",
        se_method="Poisson", extra={"se": se, "z": total / se},
    )  # fmt: skip


def cumulative_wdd(
    treated: ArrayLike, control: ArrayLike, *, weight: float = 1.0, level: float = 0.90
) -> pd.DataFrame:
    """The running difference between two series of counts after the start, period by period.

    Returns one row a period: running totals, ``difference`` with ``se``, ``low``, ``high``, and the ratio
    ``irr`` with ``irr_low``, ``irr_high`` (Poisson; ``level`` 90 % as its author prints it). The controls'
    counts are divided by ``weight`` (how many times as large they are), taken as known. Wheeler (2021).
    """
    import pandas as pd

    t, c = np.cumsum(np.asarray(treated, float)), np.cumsum(np.asarray(control, float)) / weight
    z = t_quantile(0.5 + level / 2, math.inf)
    se = np.sqrt(t + c / weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        irr, se_log = t / c, np.sqrt(1 / t + 1 / (weight * c))
        frame = pd.DataFrame(
            {
                "cum_treated": t, "cum_control": c, "difference": t - c, "se": se,
                "low": t - c - z * se, "high": t - c + z * se,
                "irr": irr, "irr_low": irr * np.exp(-z * se_log), "irr_high": irr * np.exp(z * se_log),
            },
            index=pd.RangeIndex(1, len(t) + 1, name="period"),
        )  # fmt: skip
    return frame


@dataclass(frozen=True, slots=True)
class Quotient:
    """Displacement and diffusion by the measures of Bowers & Johnson (2003).

    ``gross`` fewer in treated areas; ``net`` the same against the controls, as a ratio; ``success`` and
    ``buffer`` the two measures; ``wdq`` above 0 diffusion, -1 to 0 displacement smaller than the gain,
    below -1 more than the gain, missing where there was no success; ``tne`` the total net effect in counts.
    """

    gross: float
    net: float
    success: float
    buffer: float
    wdq: float
    tne: float


def wdq(treated: Pair, buffer: Pair, control: Pair) -> Quotient:
    """Whether crime moved to the buffer: weighted displacement quotient, total net effect and their parts.

    Pairs are (before, after). ``wdq`` is missing (nan) unless the success measure is below 0.
    Bowers & Johnson (2003); POP Center tool guide 10.

    >>> round(wdq((207, 110), (178, 157), (308, 318)).wdq, 6)
    0.258186
    """
    (rb, ra), (db, da), (cb, ca) = treated, buffer, control
    if cb <= 0 or ca <= 0:
        raise DesignError("The control areas had no incidents: the quotient is undefined.")
    success, moved = ra / ca - rb / cb, da / ca - db / cb
    return Quotient(
        gross=rb - ra,
        net=-success,
        success=success,
        buffer=moved,
        wdq=moved / success if success < 0 else math.nan,
        tne=(rb * ca / cb - ra) + (db * ca / cb - da),
    )


def scan(periods: float, window: float, mean: float, count: int) -> float:
    """p that somewhere in the series one window holds at least so many incidents, by chance.

    ``mean``     incidents expected in one window.
    ``periods``, ``window``  lengths of the series and of the window; the approximation of Naus (1982) is
    taken to the power ``periods - window``, as Wheeler's ptools does (Aberdein & Spiegelhalter 2013).

    >>> round(scan(208, 2, 0.6, 6), 6)
    0.039022
    """
    from scipy.stats import poisson

    k, psi = count, mean
    if k < 3:
        raise DesignError(f"A scan needs a count of 3 or more; got {k}.")

    def p(x: ArrayLike) -> np.ndarray:
        return np.asarray(poisson.pmf(x, psi))

    def f(x: ArrayLike) -> np.ndarray:
        return np.asarray(poisson.cdf(x, psi))

    q2 = f(k - 1) ** 2 - (k - 1) * p(k) * p(k - 2) - (k - 1 - psi) * p(k) * f(k - 3)
    a1 = 2 * p(k) * f(k - 1) * ((k - 1) * f(k - 2) - psi * f(k - 3))
    a2 = 0.5 * p(k) ** 2 * (
        (k - 1) * (k - 2) * f(k - 3) - 2 * (k - 2) * psi * f(k - 4) + psi**2 * f(k - 5)
    )  # fmt: skip
    r = np.arange(1, k)
    a3 = (p(2 * k - r) * f(r - 1) ** 2).sum()
    r = np.arange(2, k - 1)  # to k - 2, as the published worked examples have it
    a4 = (p(2 * k - r) * p(r) * ((r - 1) * f(r - 2) - psi * f(r - 3))).sum()
    q3 = f(k - 1) ** 3 - a1 + a2 + a3 - a4
    return float(1 - q2 * (q3 / q2) ** (periods - window))
