"""Log ratios of observed to expected counts, with their joint spread: the arithmetic of this stage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.arithmetic import comparison
from peelian.arithmetic.comparison import Jackknife, LogRatio
from peelian.arithmetic.randomisation import Draws, draw_sums, p_value, quantile_strata, redraw
from peelian.errors import DesignError
from peelian.evaluate.windows import CONTROL, OUT, TREATED, Study, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Windows = Sequence[Window | None]  # one for each stack


@dataclass(frozen=True, eq=False, slots=True)
class Cells:
    """Counts of treated (or ring) and control: t0, c0 (units, stacks); t1, c1 (units, stacks, outcomes).

    ``drift`` (outcomes,)  error of what ``c1`` is corrected by (areas left out; zero where there are none),
    known from ``years`` earlier years.
    """

    t0: Floats
    t1: Floats
    c0: Floats
    c1: Floats
    drift: Floats
    years: int

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats, Floats]:
        """The four, in the order the arithmetic takes them."""
        return self.t0, self.t1, self.c0, self.c1


@dataclass(frozen=True, eq=False, slots=True)
class Ratios:
    """Several log ratios with their joint jackknife spread.

    ``observed``, ``expected`` (k,) counts; ``theta`` their log ratio; ``halved`` (k,) where one half was
    added because a total was zero.
    """

    observed: Floats
    expected: Floats
    theta: Floats
    spread: Jackknife
    halved: NDArray[np.bool_]

    def one(self, contrast: Sequence[float] | int = 0) -> LogRatio:
        """One of the ratios (by position), or a linear combination of them.

        Outcomes of which nothing was expected have no ratio: leave them out (``expected`` is 0).
        """
        a = np.eye(len(self.theta))[contrast] if isinstance(contrast, int) else np.asarray(contrast, float)
        theta = np.nan_to_num(self.theta, posinf=0.0, neginf=0.0)
        return LogRatio(float(a @ theta), self.spread.se(a), self.spread.df(a))


def cells(
    study: Study, after: Sequence[Windows], *, before: Windows | None = None, group: int = TREATED
) -> Cells:
    """Counts of a group and of the controls in the windows asked for, by unit and stack.

    ``after``   outcomes; each gives one window a stack, or None where that stack has none.
    ``before``  one window a stack; the baselines unless given.
    """
    base: Windows = [s.before for s in study.stacks] if before is None else before
    n, k = len(study.stacks), len(after)
    mine = [(study.group == group) & (study.own == s) for s in range(n)]
    far = study.group == CONTROL

    def table(windows: Windows, who: Sequence[NDArray[np.bool_]]) -> Floats:
        columns = [
            np.zeros(len(study.places)) if w is None else np.where(m, study.window_sums(w), 0.0)
            for w, m in zip(windows, who, strict=True)
        ]
        return study.by_unit(np.column_stack(columns))

    t0, c0 = table(base, mine), table(base, [far] * n)
    t1, c1 = np.zeros((*t0.shape, k)), np.zeros((*t0.shape, k))
    for j, windows in enumerate(after):
        t1[:, :, j], c1[:, :, j] = table(windows, mine), table(windows, [far] * n)
    lift, drift, years = lifts(study, after, base)
    weight = t0.sum(axis=0) / max(t0.sum(), 1.0)
    return Cells(t0, t1, c0, c1 * np.exp(-lift), weight @ drift, years)


def lifts(study: Study, after: Sequence[Windows], before: Windows) -> tuple[Floats, Floats, int]:
    """What leaving areas out does to the controls' log change by itself (see ``leftout``), and its error.

    Both (stacks, outcomes); zeros where no area was left out for its count. And the fewest earlier years.
    """
    mean, spread = (np.zeros((len(study.stacks), len(after))) for _ in range(2))
    years = []
    for s, (held, base) in enumerate(zip(study.left_out, before, strict=True)):
        for j, windows in enumerate(after):
            window = windows[s]
            if held is not None and base is not None and window is not None:
                mean[s, j], spread[s, j], k = held.lift(base, window)
                years += [k] if k else []
    return mean, spread, min(years, default=0)


def ratios(study: Study, parts: Sequence[Cells]) -> Ratios:
    """All outcomes of all parts (treated, rings) with one joint jackknife over units.

    Zero counts: without any before, or among the controls, there is nothing to compare (``DesignError``);
    where the after count is zero, or rests on one unit alone, one half is added.
    """
    observed, expected, theta, left, halved = [], [], [], [], []
    for part in parts:
        _check_totals(study, part)
        o, e = comparison.observed_expected(*part.arrays)
        part, half = _with_half(part, o, e)
        o, e = comparison.observed_expected(*part.arrays)
        observed.append(o)
        expected.append(e)
        theta.append(comparison.stacked_log_ratios(*part.arrays))
        out = comparison.left_out_log_ratios(*part.arrays)[: len(study.units)]
        left.append(np.where(np.isfinite(out), out, theta[-1]))
        halved.append(half)
    keep = study.unit_group != OUT
    held = np.nan_to_num(np.hstack(left), posinf=0.0, neginf=0.0)[keep]
    spread = comparison.jackknife(held, study.unit_group[keep])
    spread = _with_drift(spread, np.concatenate([p.drift for p in parts]), min(p.years for p in parts))
    joined = [np.concatenate(x) for x in (observed, expected, theta)]
    return Ratios(joined[0], joined[1], joined[2], spread, np.concatenate(halved))


def _with_drift(spread: Jackknife, drift: Floats, years: int) -> Jackknife:
    """One stratum more: the error of the correction, which moves all outcomes together."""
    if not drift.any():
        return spread
    shared = np.concatenate([spread.covariances, np.outer(drift, drift)[None]])
    return Jackknife(shared, np.append(spread.sizes, years))


def _check_totals(study: Study, part: Cells) -> None:
    named = {
        "before in the treated areas": part.t0.sum(),
        "before in the other areas": part.c0.sum(axis=0).min(),
    }
    if part.t1.shape[2] == 1:
        named["after in the other areas"] = part.c1.sum(axis=(0, 2)).min()
    for where, total in named.items():
        if not total > 0:
            raise DesignError(
                f"No {study.outcome} {where}: there is nothing to compare. "
                "Take longer windows, or more areas, or another outcome."
            )


def _with_half(part: Cells, observed: Floats, expected: Floats) -> tuple[Cells, NDArray[np.bool_]]:
    """One more row that adds a half where an outcome has no count (or none without one unit)."""
    most = part.t1.sum(axis=1).max(axis=0)
    several = (part.t0.sum(axis=1) > 0).sum() > 1
    lacking = (expected > 0) & ((observed <= 0) | (several & (observed - most <= 0)))
    if not lacking.any():
        return part, lacking
    k, stacks = part.t1.shape[2], part.t0.shape[1]
    share = 0.5 / stacks
    t1, c1 = np.where(lacking, share, 0.0), np.full((stacks, k), 0.0)
    if k == 1:  # the four totals alike
        row = Cells(
            np.full(stacks, share),
            np.tile(t1, (stacks, 1)),
            np.full(stacks, share),
            np.full((stacks, 1), share),
            part.drift,
            part.years,
        )
    else:  # observed and expected alike, the shared baseline left as it is
        c1 = np.where(lacking, 0.5 / np.where(expected > 0, expected, 1.0), 0.0) * part.c1.sum(axis=0)
        row = Cells(np.zeros(stacks), np.tile(t1, (stacks, 1)), np.zeros(stacks), c1, part.drift, part.years)
    t0, t1, c0, c1 = (np.concatenate([a, b[None]]) for a, b in zip(part.arrays, row.arrays, strict=True))
    return Cells(t0, t1, c0, c1, part.drift, part.years), lacking


# ------------------------------------------------------------------------------------ permutation
@dataclass(frozen=True, eq=False, slots=True)
class Permutation:
    """Treatment re-drawn over units: what the ratios would have been.

    ``drawn`` (draws, outcomes) and ``observed`` (outcomes,) log ratios; ``usable`` False where treated and
    control units are not of one kind (wards against single areas), so that they cannot stand for each other.
    """

    drawn: Floats
    observed: Floats
    draws: Draws
    usable: bool

    def p(self, contrast: Sequence[float] | int = 0) -> float | None:
        """Two-sided p of one ratio or a combination, or None where units cannot be exchanged."""
        if not self.usable:
            return None
        a = np.eye(len(self.observed))[contrast] if isinstance(contrast, int) else np.asarray(contrast, float)
        with np.errstate(invalid="ignore"):  # draws without any count in one of the windows
            return p_value(self.drawn @ a, float(self.observed @ a), exact=self.draws.exact)

    @property
    def smallest(self) -> float:
        """The smallest p this design can give."""
        return self.draws.smallest_p if self.usable else 1.0


def permutation(
    study: Study, after: Sequence[Windows], *, before: Windows | None = None, draws: int = 999, seed: int
) -> Permutation:
    """Re-draw who was treated: within blocks where randomised, else within quintiles of the baseline count.

    A unit whose places start in different months starts with its first.
    """
    base: Windows = [s.before for s in study.stacks] if before is None else before
    pool = np.flatnonzero((study.unit_group == TREATED) | (study.unit_group == CONTROL))
    label = np.full(len(study.units), len(study.stacks), np.int64)
    inside = study.group == TREATED
    np.minimum.at(label, study.unit[inside], study.own[inside])
    label = np.where(label == len(study.stacks), -1, label)[pool]
    held = np.isin(study.unit, pool)

    def sums(window: Window | None) -> Floats:
        if window is None:
            return np.zeros(len(pool))
        return study.by_unit(np.where(held, study.window_sums(window), 0.0))[pool]

    v = np.column_stack([sums(w) for w in base])
    u = np.stack([np.column_stack([sums(w) for w in windows]) for windows in after], axis=2)
    stratum = study.block[pool] if study.randomised else quantile_strata(v.mean(axis=1), label >= 0)
    drawn = redraw(label, stratum, draws=draws, seed=seed)
    order = np.argsort(label, kind="stable")[(label < 0).sum() :]
    real = Draws(order[None], label[order], True, 1.0)
    # drawn areas and the rest are alike in what was left out; the real ones are not
    allowed = np.where((label < 0)[:, None, None], u * np.exp(-lifts(study, after, base)[0]), u)
    observed = _drawn_ratios(real, v, allowed)[0]
    return Permutation(_drawn_ratios(drawn, v, u), observed, drawn, _one_kind(study))


def _drawn_ratios(draws: Draws, v: Floats, u: Floats) -> Floats:
    _, stacks, k = u.shape
    expected, observed = np.zeros((len(draws.chosen), k)), np.zeros((len(draws.chosen), k))
    for s in range(stacks):
        both = np.column_stack([v[:, s], u[:, s]])
        sums = draw_sums(draws, both)
        mine = sums[:, s] if s < sums.shape[1] else np.zeros_like(sums[:, 0])
        rest = both.sum(axis=0) - sums.sum(axis=1)
        observed += mine[:, 1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            expected += np.nan_to_num(mine[:, :1] * rest[:, 1:] / rest[:, :1], posinf=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(np.where(observed > 0, observed, 0.5)) - np.log(
            np.where(observed > 0, expected, expected + 0.5)
        )


def _one_kind(study: Study) -> bool:
    size = np.bincount(study.unit, minlength=len(study.units))
    treated, control = size[study.unit_group == TREATED], size[study.unit_group == CONTROL]
    return not (np.median(treated) >= 2 and control.max() == 1)


def inversion(study: Study, perm: Permutation, *, level: float = 0.95) -> tuple[float, float] | None:
    """Interval of the log ratio by inverting the permutation: all changes that it does not exclude.

    Only for one start month; None otherwise, or where the design cannot exclude anything.
    """
    if len(study.stacks) > 1 or not perm.usable or perm.smallest > 1 - level:
        return None
    stack = study.stacks[0]
    pool = np.flatnonzero((study.unit_group == TREATED) | (study.unit_group == CONTROL))
    z = study.unit_group[pool] == TREATED
    v, u = (study.by_unit(study.window_sums(w))[pool] for w in (stack.before, stack.after))
    sums = draw_sums(perm.draws, np.column_stack([v, u * z, u * ~z]))[:, 0]
    rest = np.array([v.sum(), (u * z).sum(), (u * ~z).sum()]) - sums
    theta = float(perm.observed[0])

    def kept(zero: float) -> bool:
        shrink = math.exp(-zero)
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = np.log(sums[:, 1] * shrink + sums[:, 2]) - np.log(sums[:, 0])
            drawn = drawn - np.log(rest[:, 1] * shrink + rest[:, 2]) + np.log(rest[:, 0])
        return p_value(drawn, theta - zero, exact=perm.draws.exact) > 1 - level

    return _edge(kept, theta, -1.0), _edge(kept, theta, 1.0)


def _edge(kept: object, theta: float, side: float) -> float:
    inside, step = theta, 0.05
    while step < 8 and kept(theta + side * step):  # type: ignore[operator]
        inside, step = theta + side * step, step * 1.25
    if step >= 8:
        return side * math.inf
    outside = theta + side * step
    for _ in range(30):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if kept(middle) else (inside, middle)  # type: ignore[operator]
    return inside
