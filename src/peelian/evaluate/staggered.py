"""Programmes that start at different times: what the never-treated say, cell by cell.

Panels come as arrays (units, periods) with ``first``, the position of each unit's first treated period
(-1: never). Two-way fixed effects and its decomposition are here to show what they mix up, not to decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from peelian.arithmetic.comparison import LogRatio
from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


# ------------------------------------------------------------------------------------ imputation
def imputed_counts(counts: ArrayLike, untreated: ArrayLike, *, most_rounds: int = 1000) -> Floats:
    """Counts that untreated cells lead to expect everywhere: unit level times period level.

    ``counts``     (units, periods); ``untreated`` which of them the levels are fitted on.

    Poisson regression with unit and period effects on the untreated cells, by alternating ratios of sums.
    Units or periods without any untreated cell are missing (nan).

    >>> imputed_counts([[10, 20, 0], [5, 10, 15]], [[1, 1, 0], [1, 1, 1]])[0].round(6).tolist()
    [10.0, 20.0, 30.0]
    """
    y, held = np.asarray(counts, float), np.asarray(untreated, float)
    kept = np.where(held > 0, y, 0.0)
    rows, columns = kept.sum(axis=1), kept.sum(axis=0)
    period = np.ones(y.shape[1])
    for _ in range(most_rounds):
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = np.where(held.any(axis=1), rows / (held @ period), np.nan)
            new = np.where(held.any(axis=0), columns / (held.T @ np.nan_to_num(unit)), np.nan)
        done = np.nanmax(np.abs(new - period)) < 1e-10 * np.nanmax(np.abs(new))
        period = np.where(np.isnan(new), 0.0, new)
        if done:
            break
    missing = ~held.any(axis=0)
    return unit[:, None] * np.where(missing, np.nan, period)[None, :]


def imputation(
    counts: ArrayLike, untreated: ArrayLike, treated: ArrayLike, *, groups: int = 100, seed: int
) -> tuple[LogRatio, float, float]:
    """Log ratio of the treated cells' counts to what the untreated cells lead to expect, with O and E.

    ``treated``  (units, periods) cells that are summed. The spread leaves out one of ``groups`` random
    groups of units at a time (each of treated and of other units alike, for at most 100).
    """
    y, held, mine = np.asarray(counts, float), np.asarray(untreated, bool), np.asarray(treated, bool)

    def sums(keep: NDArray[np.bool_]) -> tuple[float, float]:
        expected = imputed_counts(y[keep], held[keep])
        return float(y[keep][mine[keep]].sum()), float(expected[mine[keep]].sum())

    observed, expected = sums(np.ones(len(y), bool))
    if not (observed > 0 and expected > 0):
        raise DesignError("No incidents in the treated cells, or none expected: nothing to compare.")
    arm = mine.any(axis=1)
    out = [sums(keep) for keep in groups_left_out(arm, groups, seed)]
    left = np.log([o / e for o, e in out if o > 0 and e > 0])
    se = math.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum())
    freedom = float(max(min(len(left), arm.sum()) - 1, 1))
    return LogRatio(math.log(observed / expected), se, freedom), observed, expected


def groups_left_out(treated: ArrayLike, groups: int, seed: int) -> Iterator[Bools]:
    """Units that stay when one random group at a time is left out, treated and other units dealt alike."""
    arm = np.asarray(treated, bool)
    rng, label = np.random.default_rng(seed), np.zeros(len(arm), np.int64)
    many = min(groups, len(arm))
    for side in (arm, ~arm):
        at = np.flatnonzero(side)
        label[rng.permutation(at)] = np.arange(len(at)) % many
    return (label != g for g in range(many))


def imputation_ols(outcome: ArrayLike, untreated: ArrayLike, treated: ArrayLike) -> float:
    """Mean of outcome less imputed outcome over the treated cells (Borusyak, Jaravel & Spiess 2024).

    Unit and period effects are fitted by least squares on the untreated cells.
    """
    y, held = np.asarray(outcome, float), np.asarray(untreated, float)
    mine = np.asarray(treated, bool)
    each = held.sum(axis=1)
    if (each[mine.any(axis=1)] == 0).any():
        raise DesignError(
            "A treated unit has no untreated period to impute from. Leave it out, or load earlier months."
        )
    if (mine.any(axis=0) & ~held.any(axis=0)).any():
        raise DesignError(
            "A period has no untreated unit left to impute from. Keep areas that are never treated."
        )
    share = np.divide(held, each[:, None], out=np.zeros_like(held), where=each[:, None] > 0)
    kept = np.where(held > 0, y, 0.0)
    normal = np.diag(held.sum(axis=0)) - held.T @ share
    right = kept.sum(axis=0) - share.T @ kept.sum(axis=1)
    period = np.linalg.pinv(normal, rcond=1e-10, hermitian=True) @ right
    unit = np.divide(kept.sum(axis=1) - held @ period, each, out=np.full(len(y), np.nan), where=each > 0)
    return float((y - unit[:, None] - period[None, :])[mine].mean())


# ------------------------------------------------------------------------------------ group by time
@dataclass(frozen=True, eq=False, slots=True)
class GroupTime:
    """Effects by start (cohort) and period, each with its influence function.

    ``frame``      one row a cohort and period: ``cohort``, ``period`` (positions), ``att``, ``se``.
    ``influence``  (units, rows); ``first`` by unit. ``pre_test`` the statistic W of all cells before the
    start, ``pre_p`` its p (chi square).
    """

    frame: pd.DataFrame
    influence: Floats
    first: NDArray[np.int64]
    pre_test: float
    pre_p: float


def group_time(
    outcome: ArrayLike, first: ArrayLike, *, controls: Literal["never", "not_yet"] = "never"
) -> GroupTime:
    """Effect of each cohort in each period against units not treated (Callaway & Sant'Anna 2021).

    ``controls``  ``never`` treated, or ``not_yet`` treated in that period. No covariates; the base is the
    period before the start, or before the period itself where that lies before the start.
    """
    import pandas as pd

    y, start = np.asarray(outcome, float), np.asarray(first, np.int64)
    cohorts = [int(g) for g in np.unique(start) if g > 0]
    if not cohorts:
        raise DesignError("No unit starts after the first period: there is no period to compare with.")
    rows, pulls = [], []
    for g in cohorts:
        for t in range(1, y.shape[1]):
            base = g - 1 if t >= g else t - 1
            others = start < 0
            if controls == "not_yet":
                others = others | ((start > t) & (start != g))
            if not others.any():
                raise DesignError("No unit is left to compare with; name units that are never treated.")
            effect, pull = _contrast(y[:, t] - y[:, base], start == g, others)
            rows.append((g, t, effect, math.sqrt((pull**2).mean() / len(y))))
            pulls.append(pull)
    frame, influence = pd.DataFrame(rows, columns=["cohort", "period", "att", "se"]), np.column_stack(pulls)
    w, p = _pre_test(frame, influence)
    return GroupTime(frame, influence, start, w, p)


def _contrast(change: Floats, treated: Bools, others: Bools) -> tuple[float, Floats]:
    """Difference of mean changes, and each unit's influence on it (scaled so that V = F'F/n^2)."""
    n = len(change)
    here, there = change[treated].mean(), change[others].mean()
    pull = n / treated.sum() * treated * (change - here) - n / others.sum() * others * (change - there)
    return float(here - there), pull


def _pre_test(frame: pd.DataFrame, influence: Floats) -> tuple[float, float]:
    before = (frame["period"] < frame["cohort"]).to_numpy()
    if not before.any():
        return math.nan, math.nan
    n, theta = len(influence), frame["att"].to_numpy()[before]
    spread = influence[:, before].T @ influence[:, before] / n
    if np.linalg.matrix_rank(spread) < len(theta):
        return math.nan, math.nan
    w = float(n * theta @ np.linalg.solve(spread, theta))
    return w, float(stats.chi2.sf(w, len(theta)))


@dataclass(frozen=True, eq=False, slots=True)
class Aggregate:
    """One number from many cells: ``att``, ``se``, and its parts ``by`` (columns at, att, se)."""

    att: float
    se: float
    by: pd.DataFrame | None


def aggregate(found: GroupTime, how: Literal["simple", "group", "dynamic", "calendar"]) -> Aggregate:
    """Cells after the start added up: all by size, by cohort, by periods since the start, or by period.

    Sizes of cohorts are estimates too, and their spread is in the standard errors. ``dynamic`` also gives
    the periods before the start; only those from the start on enter the overall number.
    """
    import pandas as pd

    g, t = found.frame["cohort"].to_numpy(), found.frame["period"].to_numpy()
    if how == "simple":
        att, pull = _weighted(found, t >= g)
        return Aggregate(att, _se(pull), None)
    names = {"group": g, "dynamic": t - g, "calendar": t}[how]
    wanted = np.ones(len(g), bool) if how == "dynamic" else t >= g
    rows, parts = [], []
    for at in np.unique(names[wanted]):
        att, pull = _weighted(found, wanted & (names == at), equal=how == "group")
        rows.append((int(at), att, _se(pull)))
        parts.append(pull)
    by = pd.DataFrame(rows, columns=["at", "att", "se"])
    if how == "group":
        att, pull = _by_size(found, by["at"].to_numpy(), by["att"].to_numpy(), np.column_stack(parts))
        return Aggregate(att, _se(pull), by)
    held = (by["at"] >= 0).to_numpy() if how == "dynamic" else np.ones(len(by), bool)
    return Aggregate(float(by["att"][held].mean()), _se(np.column_stack(parts)[:, held].mean(axis=1)), by)


def _se(pull: Floats) -> float:
    return float(math.sqrt((pull**2).mean() / len(pull)))


def _weighted(found: GroupTime, cells: Bools, *, equal: bool = False) -> tuple[float, Floats]:
    att, pulls = found.frame["att"].to_numpy()[cells], found.influence[:, cells]
    if equal:
        return float(att.mean()), pulls.mean(axis=1)
    return _by_size(found, found.frame["cohort"].to_numpy()[cells], att, pulls)


def _by_size(
    found: GroupTime, cohorts: NDArray[np.int64], att: Floats, pulls: Floats
) -> tuple[float, Floats]:
    member = found.first[:, None] == cohorts[None, :]
    size = member.mean(axis=0)
    weight = size / size.sum()
    away = member - size
    share = away / size.sum() - away.sum(axis=1)[:, None] * size / size.sum() ** 2
    return float(weight @ att), pulls @ weight + share @ att


# ------------------------------------------------------------------------------------ diagnostics
@dataclass(frozen=True, slots=True)
class TwoWay:
    """The two-way fixed-effects coefficient, and its standard error by the convention asked for."""

    estimate: float
    iid: float
    clustered: float
    clustered_g: float


def twfe(outcome: ArrayLike, treated: ArrayLike, *, covariates: tuple[ArrayLike, ...] = ()) -> TwoWay:
    """Two-way fixed effects of a balanced panel: a diagnostic, because late starters serve as controls.

    ``iid`` one variance; ``clustered`` by unit without a factor (CR0); ``clustered_g`` times
    sqrt(G/(G-1)). Other programs multiply by further factors: state which one you quote.
    """

    def within(x: ArrayLike) -> Floats:
        a = np.asarray(x, float)
        return a - a.mean(axis=0) - a.mean(axis=1)[:, None] + a.mean()

    y = within(outcome)
    X = np.stack([within(x) for x in (treated, *covariates)], axis=2)
    flat = X.reshape(-1, X.shape[2])
    inverse = np.linalg.inv(flat.T @ flat)
    beta = inverse @ flat.T @ y.ravel()
    left = y - X @ beta
    units, periods = y.shape
    freedom = y.size - units - periods + 1 - len(beta)
    iid = math.sqrt(inverse[0, 0] * (left**2).sum() / freedom)
    score = np.einsum("utk,ut->uk", X, left)
    clustered = math.sqrt((inverse @ score.T @ score @ inverse)[0, 0])
    return TwoWay(float(beta[0]), iid, clustered, clustered * math.sqrt(units / (units - 1)))


def bacon(outcome: ArrayLike, first: ArrayLike) -> pd.DataFrame:
    """Which comparisons the two-way coefficient is made of (Goodman-Bacon 2021).

    One row a comparison: ``kind`` (treated v never, earlier v later, later v earlier), ``treated`` and
    ``control`` (positions of their starts; -1 never), ``weight`` (sum 1) and ``estimate``. "Later v
    earlier" takes units already treated for controls: that weight should be small.
    """
    import pandas as pd

    y, start = np.asarray(outcome, float), np.asarray(first, np.int64)
    periods, names = y.shape[1], [int(g) for g in np.unique(start)]
    mean = {g: y[start == g].mean(axis=0) for g in names}
    size = {g: float((start == g).mean()) for g in names}
    time = {g: (periods - g) / periods for g in names if g >= 0}
    rows = []
    for k in (g for g in names if g > 0):
        for other in names:
            if other == k:
                continue
            both = size[k] + size[other]
            pair = size[k] / both * size[other] / both
            weight, span = _pair(k, other, time, periods)
            change = mean[k] - mean[other]
            before, after = change[span[0] : k], change[k : span[1]]
            kind = "treated v never" if other < 0 else "earlier v later" if k < other else "later v earlier"
            if len(before) and len(after):
                rows.append((kind, k, other, both**2 * pair * weight, after.mean() - before.mean()))
    frame = pd.DataFrame(rows, columns=["kind", "treated", "control", "weight", "estimate"])
    return frame.assign(weight=frame["weight"] / frame["weight"].sum())


def _pair(k: int, other: int, time: dict[int, float], periods: int) -> tuple[float, tuple[int, int]]:
    """Weight of a pair by its timing, and the periods it is taken over."""
    if other < 0:
        return time[k] * (1 - time[k]), (0, periods)
    if k < other:
        return (time[k] - time[other]) * (1 - time[k]), (0, other)
    return time[k] * (time[other] - time[k]), (other, periods)
