"""How far could the trends have bent before the answer goes away? (Rambachan & Roth 2023, smoothness.)

Without the programme, treated and other areas need not have moved alike: their difference may follow a
line, and the line may bend by up to M a period. The interval covers all such cases.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from peelian.arithmetic.comparison import t_quantile
from peelian.errors import DesignError
from peelian.evaluate.did import quarter_windows, quarters_before
from peelian.evaluate.ratios import cells, ratios
from peelian.evaluate.windows import Study

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Frontier:
    """Estimators that no line can bias, from the least spread to the least exposed to bends.

    ``weights``  (points, periods) on all coefficients; ``spread`` their standard errors; ``bends`` the
    largest bias for M = 1. ``estimates`` what each says.
    """

    weights: Floats
    spread: Floats
    bends: Floats
    estimates: Floats

    def interval(self, bend: float, *, level: float = 0.95) -> tuple[float, float]:
        """The shortest interval that holds whatever the bends, as long as none exceeds ``bend``."""
        half = folded_quantile(bend * self.bends / self.spread, level) * self.spread
        at = int(np.argmin(half))
        return float(self.estimates[at] - half[at]), float(self.estimates[at] + half[at])

    def breakdown(self, *, level: float = 0.95) -> float:
        """The smallest bend at which the interval reaches no change: 0 where it does so without any."""

        def clear(bend: float) -> bool:
            low, high = self.interval(bend, level=level)
            return low > 0 or high < 0

        if not clear(0.0):
            return 0.0
        top = 1e-3
        while clear(top) and top < 100:
            top *= 2
        low = 0.0
        for _ in range(40):
            middle = (low + top) / 2
            low, top = (middle, top) if clear(middle) else (low, middle)
        return low


def folded_quantile(shift: ArrayLike, level: float = 0.95) -> Floats:
    """The quantile of |N(shift, 1)|: how many standard errors an interval needs for that much bias.

    >>> folded_quantile([0.0, 1.0]).round(4).tolist()
    [1.96, 2.6461]
    """
    x = np.abs(np.atleast_1d(np.asarray(shift, float)))
    low, high = np.full(x.shape, stats.norm.ppf(0.5)), x + stats.norm.ppf(0.5 + level / 2) + 1e-9
    for _ in range(60):
        middle = (low + high) / 2
        inside = stats.norm.cdf(middle - x) - stats.norm.cdf(-middle - x) < level
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return (low + high) / 2


def frontier(
    coefficients: ArrayLike, covariance: ArrayLike, *, times: Sequence[int], target: ArrayLike
) -> Frontier:
    """All estimators worth having of a sum of effects after the start, given an event study.

    ``coefficients``, ``covariance``  of the periods ``times``, counted from the reference period 0, which is
    not among them; those before it must be -n to -1 (n at least 2). ``target`` weights of the periods after.
    """
    b, s, t = np.asarray(coefficients, float), np.asarray(covariance, float), np.asarray(times, int)
    before, after = np.flatnonzero(t < 0), np.flatnonzero(t > 0)
    n = len(before)
    if n < 2 or sorted(t[before]) != list(range(-n, 0)) or not len(after):
        raise DesignError("An event study needs two whole periods before its reference, and one after it.")
    fixed = np.zeros(len(t))
    fixed[after] = np.asarray(target, float)
    constant = sum(abs(float(fixed @ np.maximum(t - k, 0))) for k in range(t.max()))
    # weights before, by the kinks they answer to: kink k is (k - t)+ for k = -1 .. -(n-1), and the line t
    kinks = np.array([np.maximum(k - t[before], 0) for k in range(-1, -n, -1)], float)
    inverse = np.linalg.inv(np.vstack([kinks, t[before]]))
    start, move = fixed.copy(), np.zeros((len(t), n - 1))
    start[before] = inverse[:, -1] * -(fixed @ t)
    move[before] = inverse[:, :-1]
    path = _lasso(move.T @ s @ move, move.T @ s @ start)
    dense = np.vstack([a + (z - a) * f for a, z in _steps(path) for f in np.linspace(0, 1, 40)])
    weights = start + dense @ move.T
    spread = np.sqrt(np.einsum("pi,ij,pj->p", weights, s, weights))
    return Frontier(weights, spread, np.abs(dense).sum(axis=1) + constant, weights @ b)


def _steps(path: list[Floats]) -> list[tuple[Floats, Floats]]:
    return list(itertools.pairwise(path)) or [(path[0], path[0])]


def _lasso(Q: Floats, p: Floats) -> list[Floats]:
    """Corners of the path of argmin c'Qc/2 + p'c + lam sum|c| from lam = max|p| to 0."""
    c, path = np.zeros(len(p)), [np.zeros(len(p))]
    lam = float(np.abs(p).max())
    active, last = [int(np.abs(p).argmax())], -1
    for _ in range(50 * len(p)):
        A = np.array(active, int)
        pull = Q @ c + p
        speed = np.zeros(len(p))
        speed[A] = np.linalg.solve(Q[np.ix_(A, A)], -np.sign(pull[A]))  # per unit that lam falls
        step, j, kind = _next(c, speed, pull, Q @ speed, lam, active, last)
        c, lam, last = c + step * speed, lam - step, j if kind else -1
        if kind < 0:
            active.remove(j)
            c[j] = 0.0
        path.append(c.copy())
        if not kind or (not active and kind < 0):
            break
        if kind > 0:
            active.append(j)
    return path


def _next(
    c: Floats, speed: Floats, pull: Floats, drift: Floats, lam: float, active: list[int], last: int
) -> tuple[float, int, int]:
    """The next corner: how far lam falls, which coefficient enters (1) or leaves (-1), or the end (0)."""
    events = [(lam, -1, 0)]
    for j in range(len(c)):
        if j in active:
            if c[j] * speed[j] < 0 and j != last:
                events.append((-c[j] / speed[j], j, -1))
            continue
        for side in (1.0, -1.0):
            down, gap = side * drift[j] + 1, lam - side * pull[j]
            if down > 1e-14 and gap / down > 1e-9 * lam:
                events.append((gap / down, j, 1))
    return min(e for e in events if e[0] >= 0)


# ------------------------------------------------------------------------------------ on a study
@dataclass(frozen=True, eq=False, slots=True)
class Sensitivity:
    """The headline's ratio when trends may differ.

    ``frame``      one row a bend M (per cent a quarter): ``bend``, ``low``, ``high`` of the ratio.
    ``breakdown``  the smallest M (log points a quarter) at which the interval includes no change.
    ``quarters``   quarters before the start it rests on.
    """

    frame: pd.DataFrame
    breakdown: float
    low: float
    high: float
    quarters: int


GRID = (0.0, 0.0025, 0.005, 0.01, 0.02, 0.03)


def sensitivity(study: Study, *, level: float = 0.95) -> Sensitivity | None:
    """The headline's months under trends that differ by a line, and by a line that bends.

    The target is the mean log ratio of the after quarters, weighted by what was expected in them; the
    reference the last quarter of the baseline. The spread is widened by Student's t over the normal, for few
    units. None with fewer than four quarters before the start.
    """
    import pandas as pd

    before, windows = quarters_before(study, most=40)
    months = max(s.after[1] - s.after[0] for s in study.stacks)
    after = [q for q in range(months // 3) if any(quarter_windows(study, q))]
    if len(before) < 4 or not after or before != list(range(before[0], before[-1] + 1)):
        return None
    try:
        result = ratios(study, [cells(study, [*windows, *[quarter_windows(study, q) for q in after]])])
    except DesignError:
        return None
    if not np.isfinite(result.theta).all():
        return None
    n = len(before)
    from_last = np.delete(np.eye(n + len(after)), n - 1, axis=0)
    from_last[:, n - 1] = -1.0
    share = result.expected[n:] / result.expected[n:].sum()
    covariance = from_last @ result.spread.covariance @ from_last.T
    if np.linalg.matrix_rank(covariance) < len(covariance):
        return None
    freedom = result.spread.df(np.r_[np.zeros(n), share])
    covariance = covariance * (t_quantile(0.5 + level / 2, freedom) / stats.norm.ppf(0.5 + level / 2)) ** 2
    times = [q - before[-1] for q in (*before[:-1], *after)]
    found = frontier(from_last @ result.theta, covariance, times=times, target=share)
    rows = [(m, *(math.exp(x) for x in found.interval(m, level=level))) for m in GRID]
    frame = pd.DataFrame(rows, columns=["bend", "low", "high"])
    return Sensitivity(frame, found.breakdown(level=level), rows[0][1], rows[0][2], n)


def bent_sentence(bent: Sensitivity) -> str:
    """What is left where the trends may differ by a line, and how far it may bend (Rambachan & Roth 2023)."""
    interval = f"{bent.low:.3f} to {bent.high:.3f}"
    if bent.low <= 1 <= bent.high:
        return (
            f"If the trends differ by a straight line, the interval of the ratio is {interval} and includes "
            f"no change ({bent.quarters} quarters before the start show that line)."
        )
    return (
        f"If the trends differ by a straight line, the interval of the ratio is {interval}; it excludes no "
        f"change as long as the line bends by less than {100 * bent.breakdown:.1f} % a quarter."
    )
