"""A trial: units drawn by lot, judged by drawing the lots again.

The statistic is the headline's; only the units that could have been drawn take part. Complete, blocked and
paired draws, and the stepped wedge, in which every unit is treated in the end and only the order is drawn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from peelian.arithmetic.comparison import LogRatio, jackknife
from peelian.arithmetic.randomisation import Assignment, p_value
from peelian.effect import Effect
from peelian.errors import DesignError
from peelian.evaluate.windows import OUT, TREATED, Study

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from peelian.programme import Programme

    Floats = NDArray[np.float64]

REGRESSED = 199  # draws of the regression beside the trial: each is a fit of its own
CAUTION = "a small trial is not alike in both arms by luck (Gill & Weisburd 2013)"


@dataclass(frozen=True, eq=False, slots=True)
class Trial:
    """What a trial says: ``effect`` (p and interval by drawing again) and ``beside`` (the same, jackknife).

    ``balance``  one row a baseline measure: means of the arms and their standardised difference (no p: in
    a draw any difference is luck). ``flow`` units eligible, drawn to treatment and to control, lost, and
    ``near``: control units in the first ring, which the programme may have touched. ``second`` the ratio by
    regression on the count before, ``takers`` the change among those who took it, and ``shares`` the ratio
    of the shares of homes, where these are held.
    """

    effect: Effect
    beside: Effect
    balance: pd.DataFrame
    flow: dict[str, int]
    second: Effect | None = None
    takers: Effect | None = None
    shares: Effect | None = None


def rct(
    before: ArrayLike, after: ArrayLike, assignment: Assignment, *, seed: int, draws: int = 9999,
    level: float = 0.95, lost: int = 0,
) -> Trial:  # fmt: skip
    """Ratio in the treated arm to that in the control arm, each to its own count before.

    ``before``, ``after``  counts by unit (after by unit and step in a stepped wedge).

    p: the recorded design drawn ``draws`` times again (all draws where there are few); interval: every ratio
    that this does not exclude; beside it a jackknife over units, pairs or blocks. Unequal chances are
    weighted 1/p. ``DesignError`` for a design that cannot be drawn again, or totals of zero.
    """
    v, u = np.asarray(before, float), np.asarray(after, float)
    stepped = assignment.kind == "stepped"
    u = u if u.ndim == 2 else u[:, None]
    if stepped and u.shape[1] != int(assignment.label.max()):
        raise DesignError(
            f"A wedge of {assignment.label.max() + 1} steps needs counts for all steps but the last."
        )
    score: Callable[..., Floats] = _wedge if stepped else _parallel
    theta = float(score(assignment.label[None], v, u, assignment)[0])
    if not math.isfinite(theta):
        raise DesignError("An arm had no incidents before or after: there is nothing to compare.")
    drawn, exact = assignment.redrawn(draws=draws, seed=seed)

    def p_at(zero: float) -> float:
        shrunk = u * np.exp(-zero * _exposed(assignment, u.shape[1]))
        return p_value(_centred(score(drawn, v, shrunk, assignment)), theta - zero, exact=exact)

    low, high = (_edge(p_at, theta, side, 1 - level) for side in (-1.0, 1.0))
    n = int((assignment.label > 0).sum())
    many = "all" if exact else f"{len(drawn):,}"
    effect = Effect(
        "trial", math.exp(theta), math.exp(low), math.exp(high), level, p=p_at(0.0),
        p_method=f"the draw ({assignment.kind}) run again, {many} arrangements",
        se_method="inversion of the randomisation test", n_treated=n, n_control=len(v) - n,
        assumptions=(CAUTION,), extra={"theta": theta},
    )  # fmt: skip
    spread = _jackknife(v, u, assignment, score, theta)
    ends = [math.exp(x) for x in spread.interval(level)]
    beside = replace(
        effect, name="trial, jackknife", low=ends[0], high=ends[1], p=spread.p, p_method="Student's t",
        se_method="jackknife over units or pairs, Student's t", extra={"se_log": spread.se},
    )  # fmt: skip
    flow = {"eligible": len(v) + lost, "treated": n, "control": len(v) - n, "lost": lost}
    return Trial(effect, beside, balance(v[:, None], assignment, names=["count before"]), flow)


def _centred(drawn: Floats) -> Floats:
    return np.where(np.isfinite(drawn), drawn, np.inf)


def _parallel(labels: NDArray[np.int64], v: Floats, u: Floats, given: Assignment) -> Floats:
    """Log ratio of every draw; weighted 1/p where the blocks' ratios differ."""
    w, z, total = given.weight, labels > 0, u.sum(axis=1)
    if len(np.unique(w[given.label > 0])) == 1 and len(np.unique(w[given.label == 0])) == 1:
        here, there = z.astype(float), (~z).astype(float)
    else:
        chance = _chances(given)
        here, there = z / chance, ~z / (1 - chance)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(here @ total) - np.log(here @ v) - np.log(there @ total) + np.log(there @ v)


def _chances(given: Assignment) -> Floats:
    out = np.zeros(len(given.label))
    for b in np.unique(given.block):
        inside = given.block == b
        out[inside] = (given.label[inside] > 0).mean()
    if (out <= 0).any() or (out >= 1).any():
        raise DesignError("In one block all units are in one arm: they were not drawn, and cannot take part.")
    return out


def _wedge(labels: NDArray[np.int64], v: Floats, u: Floats, given: Assignment) -> Floats:
    """Stacked ratio: in each step the started units against those that wait; the last step has none."""
    observed, expected = np.zeros(len(labels)), np.zeros(len(labels))
    for step in range(u.shape[1]):
        started = (labels <= step).astype(float)
        waiting = 1 - started
        with np.errstate(divide="ignore", invalid="ignore"):
            expected += (started @ v) * (waiting @ u[:, step]) / (waiting @ v)
        observed += started @ u[:, step]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(observed) - np.log(expected)


def _exposed(given: Assignment, periods: int) -> Floats:
    if given.kind != "stepped":
        return (given.label > 0).astype(float)[:, None]
    return (given.label[:, None] <= np.arange(periods)[None, :]).astype(float)


def _edge(p_at: Callable[[float], float], theta: float, side: float, alpha: float) -> float:
    """The furthest ratio on one side that the draws do not exclude."""
    inside, step = theta, 0.05
    while step < 8 and p_at(theta + side * step) > alpha:
        inside, step = theta + side * step, step * 1.3
    if step >= 8:
        return side * math.inf
    outside = theta + side * step
    for _ in range(25):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_at(middle) > alpha else (inside, middle)
    return inside


def _jackknife(
    v: Floats, u: Floats, given: Assignment, score: Callable[..., Floats], theta: float
) -> LogRatio:
    """Delete a pair, or a unit within its arm."""
    whole = given.kind == "pairs"
    out, arm = [], []
    for name in np.unique(given.block) if whole else range(len(v)):
        keep = given.block != name if whole else np.arange(len(v)) != name
        try:
            rest = Assignment(given.kind, given.label[keep], given.block[keep], given.seed)
            out.append(float(score(rest.label[None], v[keep], u[keep], rest)[0]))
        except DesignError:
            out.append(theta)
        arm.append(0 if whole or given.kind == "stepped" else int(given.label[name] > 0))
    left = np.where(np.isfinite(out), out, theta)
    spread = jackknife(left[:, None], np.array(arm))
    return LogRatio(theta, spread.se([1.0]), spread.df([1.0]))


def balance(baseline: ArrayLike, assignment: Assignment, *, names: Sequence[str]) -> pd.DataFrame:
    """How alike the arms were drawn: ``what``, ``treated``, ``control``, ``difference`` in deviations."""
    import pandas as pd

    x, z = np.asarray(baseline, float), assignment.label > 0
    rows = []
    for j, name in enumerate(names):
        a, b = x[z, j], x[~z, j]
        spread = math.sqrt((a.var() + b.var()) / 2)
        rows.append((name, a.mean(), b.mean(), (a.mean() - b.mean()) / spread if spread else math.nan))
    return pd.DataFrame(rows, columns=["what", "treated", "control", "difference"])


def ancova(
    before: ArrayLike, after: ArrayLike, assignment: Assignment, *, seed: int, draws: int = 999
) -> Effect:
    """The same ratio by Poisson regression on ln(count before + 0.5), with blocks where at most 20.

    p by drawing again; the interval is the ratio's normal one with the spread of those draws.
    """
    if assignment.kind == "stepped":
        raise DesignError("A stepped wedge has no single after period to regress; use rct.")
    v, u = np.asarray(before, float), np.asarray(after, float)
    blocks = np.unique(assignment.block)
    columns = [np.ones_like(v), np.log(v + 0.5)]
    if 1 < len(blocks) <= 20:
        columns += [(assignment.block == b).astype(float) for b in blocks[1:]]
    base = np.column_stack(columns)
    theta = _poisson(assignment.label > 0, base, u)
    drawn, exact = assignment.redrawn(draws=draws, seed=seed, most_exact=draws)
    found = np.array([_poisson(row > 0, base, u) for row in drawn])
    half = float(stats.norm.ppf(0.975)) * float(found.std())
    n = int((assignment.label > 0).sum())
    return Effect(
        "trial, baseline as covariate (Poisson)", math.exp(theta), math.exp(theta - half),
        math.exp(theta + half), p=p_value(found, theta, exact=exact), p_method="the draw run again",
        se_method="spread over draws, normal", n_treated=n, n_control=len(v) - n, extra={"theta": theta},
    )  # fmt: skip


def _poisson(z: NDArray[np.bool_], base: Floats, u: Floats) -> float:
    X = np.column_stack([z, base])
    beta = np.zeros(X.shape[1])
    beta[1] = math.log(max(u.mean(), 0.5))
    for _ in range(50):
        mu = np.exp(np.clip(X @ beta, -30, 30))
        step = np.linalg.lstsq(X.T @ (X * mu[:, None]), X.T @ (u - mu), rcond=None)[0]
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[0])


def two_rates(treated: int, of_treated: int, control: int, of_control: int, *, level: float = 0.95) -> Effect:
    """Ratio of two shares (households burgled), with chi square as published trials print it.

    >>> e = two_rates(164, 3378, 198, 3225)
    >>> round(e.extra["chi2"], 4), round(100 * (e.estimate - 1), 1)
    (5.2541, -20.9)
    """
    if min(treated, control) < 1:
        raise DesignError("One arm had none: a ratio of shares cannot be given.")
    a, b = treated / of_treated, control / of_control
    pooled = (treated + control) / (of_treated + of_control)
    chi2 = (a - b) ** 2 / (pooled * (1 - pooled) * (1 / of_treated + 1 / of_control))
    se = math.sqrt((1 - a) / treated + (1 - b) / control)
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    return Effect(
        "ratio of two shares", a / b, a / b * math.exp(-half), a / b * math.exp(half), level,
        p=float(stats.chi2.sf(chi2, 1)), p_method="chi square", se_method="log ratio, normal",
        n_treated=of_treated, n_control=of_control, extra={"chi2": chi2, "difference": a - b},
    )  # fmt: skip


def per_taker(effect: Effect, *, uptake: float, uptake_control: float = 0.0) -> Effect:
    """The change among those who took it, if merely being offered it does nothing (in per cent points).

    Change of the whole arm over the difference in uptake; the interval's ends alike, uptake taken as known.

    >>> round(per_taker(two_rates(164, 3378, 198, 3225), uptake=0.32).estimate, 1)
    -65.4
    """
    gap = uptake - uptake_control
    if not gap > 0:
        raise DesignError("The treated arm took no more than the control arm: there is nothing to divide by.")
    middle, low, high = (100 * (x - 1) / gap for x in (effect.estimate, effect.low, effect.high))
    return Effect(
        "change among takers, per cent", middle, low, high, effect.level, "points",
        se_method=effect.se_method, n_treated=effect.n_treated, n_control=effect.n_control,
        assumptions=("being offered it does nothing by itself",),
    )  # fmt: skip


def trial_of(study: Study, programme: Programme, *, seed: int, draws: int = 999) -> Trial | None:
    """The trial inside a study: the units that the programme lists, drawn again as it says.

    The design is read from the programme: blocks (pairs, where each is two units, one of them treated), and
    start months (a stepped wedge, where all listed units start). None where it lists no controls.
    """
    inside = listed_in(study, programme)
    members = np.unique(study.unit[inside])
    start = np.full(len(study.units), len(study.stacks))
    np.minimum.at(start, study.unit[study.group == TREATED], study.own[study.group == TREATED])
    label = start[members]
    if len(study.stacks) > 1 and _all_start(study, members[label == len(study.stacks)]):
        return _stepped(study, inside, members, label, seed, draws)
    if len(study.stacks) > 1 or not (label == 1).any() or not (label == 0).any():
        return None
    z, block = (label == 0).astype(np.int64), study.block[members]
    sizes = np.unique(block, return_counts=True)[1]
    paired = len(sizes) > 1 and bool((sizes == 2).all())
    kind: Literal["complete", "blocked", "pairs"] = (
        "complete" if len(sizes) == 1 else "pairs" if paired else "blocked"
    )
    stack = study.stacks[0]
    v, u = (study.by_unit(np.where(inside, study.window_sums(w), 0.0))[members] for w in
        (stack.before, stack.after))  # fmt: skip
    given = Assignment(kind, z, block, seed)
    try:
        found = rct(v, u, given, seed=seed, draws=draws)
    except DesignError:
        return None
    near = len(np.unique(study.unit[inside & (study.group == 1)]))
    second = ancova(v, u, given, seed=seed, draws=min(draws, REGRESSED))
    takers = _takers(found.effect, study, inside, stack.after[1] - 1)
    shares = _shares(study, inside, study.window_sums(stack.after))
    return replace(found, flow=found.flow | {"near": near}, second=second, takers=takers, shares=shares)


def _all_start(study: Study, unstarted: NDArray[np.int64]) -> bool:
    """Whether units that no start month has yet are all to start after the data: a wedge, halfway."""
    later = study.later
    return len(unstarted) == 0 or (
        later is not None and bool(np.isin(unstarted, study.unit[later.members]).all())
    )


def listed_in(study: Study, programme: Programme) -> NDArray[np.bool_]:
    """By place: whether it took part in the draw, by the programme's list of treated and control areas."""
    arm = programme.areas["arm"].reindex(study.places).to_numpy(object)
    return np.isin(arm, ["treated", "control"]) & (study.group != OUT)


def _takers(effect: Effect, study: Study, inside: NDArray[np.bool_], month: int) -> Effect | None:
    """The change among those who took it, by the homes with a kit in both arms at the end of a month."""
    if study.saturation is None:
        return None
    homes = np.where(np.isfinite(study.households) & (study.households > 0), study.households, 1.0)
    held = np.nan_to_num(study.saturation[:, month])
    treated = study.group == TREATED
    uptake, other = (
        float(np.average(held[who], weights=homes[who])) for who in (inside & treated, inside & ~treated)
    )
    return per_taker(effect, uptake=uptake, uptake_control=other) if uptake - other >= 0.05 else None


def _shares(study: Study, inside: NDArray[np.bool_], after: Floats) -> Effect | None:
    """The shares of homes in both arms that had one, if no home had two; None where homes are not held."""
    arms = [inside & (study.group == TREATED), inside & (study.group != TREATED)]
    counts = [float(after[who].sum()) for who in arms]
    homes = [float(study.households[who].sum()) for who in arms]
    if not all(n >= count >= 1 for n, count in zip(homes, counts, strict=True)):
        return None
    return two_rates(round(counts[0]), round(homes[0]), round(counts[1]), round(homes[1]))


def _stepped(
    study: Study, inside: NDArray[np.bool_], members: NDArray[np.int64], label: NDArray[np.int64], seed: int,
    draws: int,
) -> Trial | None:  # fmt: skip
    starts = [s.start for s in study.stacks]
    first = study.stacks[0]
    ends = [*starts, study.stacks[-1].after[1]] if (label == len(starts)).any() else starts
    windows = [(a, b) for a, b in itertools.pairwise(ends)]
    v = study.by_unit(np.where(inside, study.window_sums(first.before), 0.0))[members]
    u = [study.by_unit(np.where(inside, study.window_sums(w), 0.0))[members] for w in windows]
    try:
        given = Assignment("stepped", label.astype(np.int64), study.block[members], seed)
        return rct(v, np.column_stack(u), given, seed=seed, draws=draws)
    except DesignError:
        return None
