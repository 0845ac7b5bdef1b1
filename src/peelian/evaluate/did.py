"""Did it prevent crime? Counts before and after, here and elsewhere, with an interval that holds.

Poisson difference in differences in closed form (Wooldridge 2021), stacked by start month; intervals by a
stratified jackknife over units with Satterthwaite degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from peelian.arithmetic import comparison
from peelian.arithmetic.comparison import LogRatio, t_quantile
from peelian.effect import Effect
from peelian.evaluate import words
from peelian.evaluate.ratios import Cells, Permutation, Ratios, Windows, cells, permutation, ratios
from peelian.evaluate.windows import CONTROL, TREATED, Study

if TYPE_CHECKING:
    import pandas as pd

ASSUMPTIONS = (
    "without the programme, treated areas would have followed the other areas' trend in proportion",
    "areas change independently of one another, apart from that trend",
    "recording did not change in one arm alone",
)


def compare(study: Study) -> pd.DataFrame:
    """The plain table: counts before and after in treated areas, each ring and the other areas.

    One row a group: ``places``, ``units``, ``households``, ``before``, ``after``, ``months_before`` and
    ``months_after`` (area-months per place), ``change`` (share, per month), ``rate_before`` and
    ``rate_after`` (a year per 1,000 households), ``expected`` after from the others' trend, ``fewer``.
    With several start months the others' counts are the mean over the start months' windows.
    """
    import pandas as pd

    names = {TREATED: "treated"} | {g: f"ring {n}" for g, n in enumerate(study.rings, start=1)}
    rows = []
    for g, name in (names | {CONTROL: "other areas"}).items():
        held = study.group == g
        if not held.any():
            continue
        before, after, mb, ma = _totals(study, g)
        expected = _expected(study, g)
        homes = float(study.households[held].sum())
        rows.append(
            {
                "group": name, "places": int(held.sum()), "units": int((study.unit_group == g).sum()),
                "households": homes if math.isfinite(homes) else math.nan, "before": before, "after": after,
                "months_before": mb, "months_after": ma,
                "change": (after / ma) / (before / mb) - 1 if before > 0 else math.nan,
                "rate_before": 12_000 * before / mb / homes * held.sum() if homes > 0 else math.nan,
                "rate_after": 12_000 * after / ma / homes * held.sum() if homes > 0 else math.nan,
                "expected": expected, "fewer": expected - after,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _totals(study: Study, group: int) -> tuple[float, float, float, float]:
    """Counts and area-months before and after; of controls the mean over the stacks' windows."""
    before = after = mb = ma = 0.0
    for s, stack in enumerate(study.stacks):
        who = study.group == group if group == CONTROL else (study.group == group) & (study.own == s)
        before += study.window_sums(stack.before)[who].sum()
        after += study.window_sums(stack.after)[who].sum()
        mb += who.sum() * (stack.before[1] - stack.before[0])
        ma += who.sum() * (stack.after[1] - stack.after[0])
    n = len(study.stacks) if group == CONTROL else 1
    return before / n, after / n, mb / n, ma / n


def _expected(study: Study, group: int) -> float:
    if group == CONTROL:
        return math.nan
    part = cells(study, [[s.after for s in study.stacks]], group=group)
    return float(comparison.observed_expected(*part.arrays)[1][0])


@dataclass(frozen=True, eq=False, slots=True)
class Headline:
    """The headline: ``ratio`` and ``prevented`` with their intervals, and the numbers behind them.

    ``log`` the log ratio; ``clustered`` and ``poisson`` the two other standard errors; ``phi``
    overdispersion among the controls; ``permutation`` the re-drawn treatments.
    """

    ratio: Effect
    prevented: Effect
    log: LogRatio
    clustered: float
    poisson: float
    phi: float
    permutation: Permutation
    halved: bool


def did(
    study: Study,
    *,
    seed: int,
    before: Windows | None = None,
    after: Windows | None = None,
    draws: int = 999,
    level: float = 0.95,
    name: str = "difference in differences",
) -> Headline:
    """How many fewer there were than the other areas' trend led to expect.

    ``before``, ``after``  one window a stack; the study's own unless given.

    The ratio O/E with O the treated count after and E = sum over stacks of T0 C1/C0; interval: jackknife
    over units in each arm, Student's t (Satterthwaite); p: treatment re-drawn over units ``draws`` times.
    One treated unit alone shows no spread: its variance is then Poisson's times the controls'
    overdispersion. Assumptions: ``ASSUMPTIONS``.
    """
    windows = [s.after for s in study.stacks] if after is None else list(after)
    part = cells(study, [windows], before=before)
    result = ratios(study, [part])
    phi = _phi(part, study)
    log = _single(result, part, study, phi)
    perm = permutation(study, [windows], before=before, draws=draws, seed=seed)
    low, high = (math.exp(x) for x in log.interval(level))
    irr, observed = math.exp(log.theta), float(result.observed[0])
    p = perm.p()
    extra = {
        "theta": log.theta, "se_log": log.se, "df": log.df, "observed": observed,
        "expected": float(result.expected[0]), "treated_before": float(part.t0.sum()),
        "control_before": float(part.c0.sum()), "control_after": float(part.c1.sum()), "phi": phi,
    }  # fmt: skip
    effect = Effect(
        name, irr, low, high, level, "ratio", p=log.p if p is None else p,
        p_method="Student's t" if p is None else _p_method(perm, study),
        se_method="jackknife over units, Student's t", n_treated=study.n_treated, n_control=study.n_control,
        assumptions=ASSUMPTIONS, extra=extra,
    )  # fmt: skip
    return Headline(
        effect, _prevented(effect, observed), log, _clustered(part, study), _poisson(part), phi, perm,
        bool(result.halved[0]),
    )  # fmt: skip


def _prevented(effect: Effect, observed: float) -> Effect:
    """The same finding as a count: observed x (1/ratio - 1), end by end."""
    middle, low, high = (observed * (1 / x - 1) for x in (effect.estimate, effect.high, effect.low))
    return replace(
        effect,
        name=f"prevented ({effect.name})",
        estimate=middle,
        low=low,
        high=high,
        scale="count",
        extra={},
    )


def _p_method(perm: Permutation, study: Study) -> str:
    how = "within blocks" if study.randomised else "within quintiles of the baseline count"
    many = "all arrangements" if perm.draws.exact else f"{len(perm.draws.chosen):,} draws"
    return f"permutation over units {how}, {many}"


def _single(result: Ratios, part: Cells, study: Study, phi: float) -> LogRatio:
    """The log ratio; with one treated unit, its variance from Poisson times overdispersion."""
    log = result.one()
    if study.n_treated > 1:
        return log
    v = max(phi, 1.0) * (1 / max(part.t0.sum(), 0.5) + 1 / max(part.t1.sum(), 0.5))
    freedom = study.n_control - 1
    return LogRatio(
        log.theta, math.sqrt(log.se**2 + v), comparison.satterthwaite([log.se**2, v], [freedom] * 2)
    )


def _phi(part: Cells, study: Study) -> float:
    """Overdispersion among the controls: the mean over the stacks, whose windows may overlap."""
    controls = study.unit_group == CONTROL
    v, u = part.c0[controls], part.c1[controls].sum(axis=2)
    return float(np.mean([comparison.overdispersion(v[:, s], u[:, s]) for s in range(v.shape[1])]))


def _clustered(part: Cells, study: Study) -> float:
    if not part.t1.sum() > 0:
        return math.nan
    keep = (study.unit_group == TREATED) | (study.unit_group == CONTROL)
    psi = comparison.influence(part.t0, part.t1[:, :, 0], part.c0, part.c1[:, :, 0])
    return comparison.clustered_se(psi[keep], study.unit_group[keep])


def _poisson(part: Cells) -> float:
    t1 = float(part.t1.sum())
    return comparison.poisson_se(
        part.t0.sum(axis=0), t1 or 0.5, part.c0.sum(axis=0), part.c1.sum(axis=(0, 2))
    )


def beside(head: Headline, *, level: float = 0.95) -> list[Effect]:
    """The headline's ratio with the two other intervals: clustered by unit, and Poisson."""
    out = []
    for name, se, method in (
        ("the same, clustered by unit", head.clustered, "clustered by unit, normal"),
        ("the same, Poisson", head.poisson, "Poisson (chance alone)"),
    ):
        half = t_quantile(0.5 + level / 2, math.inf) * se
        low, high = math.exp(head.log.theta - half), math.exp(head.log.theta + half)
        beside_it = replace(
            head.ratio, name=name, low=low, high=high, level=level, p=None, p_method="", se_method=method,
            extra={"se_log": se},
        )  # fmt: skip
        out.append(beside_it)
    return out


def cumulative(study: Study, *, level: float = 0.95) -> pd.DataFrame:
    """Prevented so far, month by month since the start, with intervals by the same jackknife.

    One row a month: ``month`` (1 = the first), ``observed``, ``expected``, ``prevented``, ``low``, ``high``.
    """
    import pandas as pd

    most = max(s.after[1] - s.after[0] for s in study.stacks)
    until = [[(s.start, min(s.start + k, s.after[1])) for s in study.stacks] for k in range(1, most + 1)]
    result = ratios(study, [cells(study, until)])
    rows = []
    for k in range(most):
        o, e, one = float(result.observed[k]), float(result.expected[k]), result.one(k)
        low, high = one.interval(level)
        if e > 0 and math.isfinite(low):
            ends = [o * math.expm1(-x) for x in (one.theta, high, low)]
            rows.append((k + 1, o, e, *ends))
    return pd.DataFrame(rows, columns=["month", "observed", "expected", "prevented", "low", "high"])


# ------------------------------------------------------------------------------------ by time since start
@dataclass(frozen=True, eq=False, slots=True)
class EventStudy:
    """Ratios by quarter since the start.

    ``frame``  one row a quarter: ``quarter`` (0 = months 1-3 since the start; below 0 = before),
    ``estimate``, ``low``, ``high`` (each quarter's 95 %), ``band_low``, ``band_high`` (all quarters
    together), ``treated_count``, ``expected``, ``chosen_on`` (lies in the months of choice), ``baseline``.
    ``ratios`` the joint log ratios; ``pooled`` O/E over the headline's months.
    """

    frame: pd.DataFrame
    ratios: Ratios
    pooled: float


def quarter_windows(study: Study, quarter: int) -> Windows:
    """Months 3q+1 to 3q+3 since each start, where the panel holds them."""
    m = len(study.months)
    at = [(s.start + 3 * quarter, s.start + 3 * quarter + 3) for s in study.stacks]
    return [w if w[0] >= 0 and w[1] <= m else None for w in at]


def quarters_before(study: Study, *, most: int) -> tuple[list[int], list[Windows]]:
    """Quarters that lie whole in a baseline, so many before the start at most, and their windows by stack."""
    quarters: list[int] = []
    windows: list[Windows] = []
    for q in range(-most, 0):
        held = [
            w if w and w[0] >= s.before[0] and w[1] <= s.before[1] else None
            for s, w in zip(study.stacks, quarter_windows(study, q), strict=True)
        ]
        if any(held):
            quarters.append(q)
            windows.append(held)
    return quarters, windows


def event_study(
    study: Study, *, seed: int, first: int = -8, last: int = 8, level: float = 0.95, draws: int = 10_000
) -> EventStudy:
    """How the ratio went by quarter since the start, against the pooled baseline.

    Pointwise intervals by the joint jackknife, and a band that covers all quarters together (sup-t:
    ``draws`` seeded draws from the joint distribution of the quarters).
    """
    import pandas as pd

    quarters = [q for q in range(first, last + 1) if any(quarter_windows(study, q))]
    result = ratios(study, [cells(study, [quarter_windows(study, q) for q in quarters])])
    wide = _sup_t(result, level, seed, draws)
    rows = []
    for j, q in enumerate(quarters):
        if not result.expected[j] > 0:
            continue
        one = result.one(j)
        low, high = one.interval(level)
        rows.append(
            {
                "quarter": q, "estimate": math.exp(one.theta), "low": math.exp(low), "high": math.exp(high),
                "band_low": math.exp(one.theta - wide * one.se),
                "band_high": math.exp(one.theta + wide * one.se),
                "treated_count": float(result.observed[j]), "expected": float(result.expected[j]),
                "chosen_on": _touches(study, q, "selection"), "baseline": _touches(study, q, "before"),
                "half_added": bool(result.halved[j]),
            }
        )  # fmt: skip
    pooled = cells(study, [[s.after for s in study.stacks]])
    o, e = comparison.observed_expected(*pooled.arrays)
    return EventStudy(pd.DataFrame(rows), result, float(o[0] / e[0]))


def _touches(study: Study, quarter: int, what: str) -> bool:
    for s, w in zip(study.stacks, quarter_windows(study, quarter), strict=True):
        other = getattr(s, what)
        if w and other and w[0] < other[1] and other[0] < w[1]:
            return True
    return False


def _sup_t(result: Ratios, level: float, seed: int, draws: int) -> float:
    s = result.spread.covariance
    sd = np.sqrt(np.diag(s))
    held = sd > 0
    if not held.any():
        return 0.0
    corr = s[np.ix_(held, held)] / np.outer(sd[held], sd[held])
    values, vectors = np.linalg.eigh(corr)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    df = min(result.one(int(j)).df for j in np.flatnonzero(held))
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((draws, int(held.sum()))) @ root.T
    if math.isfinite(df):
        z = z / np.sqrt(rng.chisquare(max(df, 1.0), draws) / max(df, 1.0))[:, None]
    return float(np.quantile(np.abs(z).max(axis=1), level))


def sentence(head: Headline, *, crime: str, small: bool = False) -> str:
    """The headline's sentence (see ``words.headline``)."""
    r, p = head.ratio, head.prevented
    return words.headline(
        r.extra["observed"], (p.estimate, p.low, p.high), (r.estimate, r.low, r.high),
        crime=crime, halved=head.halved, small=small,
    )  # fmt: skip
