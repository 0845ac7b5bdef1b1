"""The choice itself: whole areas under a limit of kits, in plain arrays."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Solver = Literal["milp", "greedy"]
NODES = 20_000  # of the second solve: a count of nodes, unlike seconds, is the same on every machine


@dataclass(frozen=True, eq=False)
class Choice:
    """Which areas were chosen, and how far from the best that could be.

    ``chosen`` true where an area is brought to the line; ``objective`` the benefit they hold; ``bound`` no
    choice can hold more; ``greedy`` what the greedy rule alone reaches; ``marginal`` benefit by one further
    kit (the shadow price); ``status`` in words; ``seconds`` of wall clock, for people and never for a hash.
    """

    chosen: NDArray[np.bool_]
    objective: float
    bound: float
    greedy: float
    marginal: float
    status: str
    seconds: float

    @property
    def gap(self) -> float:
        """Share of the bound by which the choice may fall short of the best."""
        return max(0.0, (self.bound - self.objective) / self.bound) if self.bound > 0 else 0.0


def choose(
    benefit: NDArray[np.float64],
    need: NDArray[np.int64],
    limit: int,
    *,
    solver: Solver = "milp",
    mip_gap: float = 1e-3,
    time_limit: float = 60.0,
) -> Choice:
    """The areas that hold the most benefit while their kits stay within the limit, none in part.

    ``benefit``  one number an area, 0 or more; areas of no benefit or no need are never chosen.
    ``need``     kits that bring the area to the line, whole numbers.
    ``limit``    kits that may be given.

    Greedy is computed first and the better of the two is returned, because a solver told to stop within
    ``mip_gap`` may stop below it. Among equal choices the one of fewest kits wins, then the earlier areas.

    Assumes benefits that add up (no area gains by its neighbour's treatment). Source: the binary knapsack
    problem with the bound of Dantzig (1957), solved by branch and cut (HiGHS; Huangfu and Hall 2018).

    >>> choose(np.array([9.0, 5.0, 5.0]), np.array([6, 4, 4]), 8).chosen.tolist()
    [False, True, True]
    """
    began = time.perf_counter()
    order = by_rate(benefit, need)
    bound, marginal, relaxed = dantzig(benefit, need, limit, order)
    first = greedy(benefit, need, limit, order)
    best, status = first, "greedy"
    if solver == "milp":
        best, bound, status = _solve(
            benefit, need, limit, order, first, bound, marginal, relaxed, mip_gap, time_limit
        )
    best = _earliest(best, benefit, need)
    value = float(benefit[best].sum())
    bound = max(bound, value)
    if bound - value <= 1e-9 * max(bound, 1.0):
        status = "optimal"
    held = float(benefit[first].sum())
    return Choice(best, value, bound, held, marginal, status, time.perf_counter() - began)


def by_rate(benefit: NDArray[np.float64], need: NDArray[np.int64]) -> NDArray[np.intp]:
    """Areas in order of benefit by kit, most first, ties in the order given; those of none left out."""
    rate = np.divide(benefit, need, out=np.zeros(len(need)), where=need > 0)
    order = np.argsort(-rate, kind="stable")
    return order[rate[order] > 0]


def greedy(
    benefit: NDArray[np.float64],
    need: NDArray[np.int64],
    limit: int,
    order: NDArray[np.intp] | None = None,
    *,
    misfit: Literal["skip", "stop"] = "skip",
) -> NDArray[np.bool_]:
    """Down the list, most benefit by kit first, taking what fits.

    ``order``   another order to go down than benefit by kit.
    ``misfit``  what an area that does not fit means: ``skip`` it and go on, or ``stop`` there.

    >>> greedy(np.array([9.0, 5.0, 1.0]), np.array([6, 4, 2]), 8).tolist()
    [True, False, True]
    """
    order = by_rate(benefit, need) if order is None else order
    chosen = np.zeros(len(need), bool)
    total = np.cumsum(need[order])
    fit = int(np.searchsorted(total, limit, side="right"))
    chosen[order[:fit]] = True
    if misfit == "stop" or fit == len(order):
        return chosen
    left = limit - int(total[fit - 1] if fit else 0)
    rest = order[fit:]
    smallest = np.minimum.accumulate(need[rest][::-1])[::-1]
    for place, least in zip(rest, smallest, strict=True):
        if least > left:
            break
        if need[place] <= left:
            chosen[place] = True
            left -= int(need[place])
    return chosen


def dantzig(
    benefit: NDArray[np.float64], need: NDArray[np.int64], limit: int, order: NDArray[np.intp]
) -> tuple[float, float, NDArray[np.bool_]]:
    """No choice holds more than this; the benefit by one further kit; the areas taken whole on the way.

    Source: Dantzig (1957): the list in order of benefit by kit, the last area in part.
    """
    total = np.cumsum(need[order])
    fit = int(np.searchsorted(total, limit, side="right"))
    relaxed = np.zeros(len(need), bool)
    relaxed[order[:fit]] = True
    held = float(benefit[relaxed].sum())
    if fit == len(order):
        return held, 0.0, relaxed
    last = order[fit]
    rate = float(benefit[last] / need[last])
    return held + rate * (limit - int(total[fit - 1] if fit else 0)), rate, relaxed


def _solve(
    benefit: NDArray[np.float64],
    need: NDArray[np.int64],
    limit: int,
    order: NDArray[np.intp],
    first: NDArray[np.bool_],
    bound: float,
    marginal: float,
    relaxed: NDArray[np.bool_],
    mip_gap: float,
    time_limit: float,
) -> tuple[NDArray[np.bool_], float, str]:
    """Branch and cut over the areas that are still open, then again for the fewest kits."""
    held = float(benefit[first].sum())
    open_ = _undecided(benefit, need, order, bound, marginal, held)
    if not open_.any():
        return first, max(held, 0.0), "optimal"
    fixed = relaxed & ~open_
    room = limit - int(need[fixed].sum())
    base = float(benefit[fixed].sum())
    scale = float(benefit[open_].max())
    found, dual, finished = _milp(benefit[open_] / scale, need[open_], room, mip_gap, time_limit)
    if dual is not None:
        bound = min(bound, base + dual * scale)
    best = first
    if found is not None and int(need[open_][found].sum()) <= room:
        whole = fixed.copy()
        whole[np.flatnonzero(open_)[found]] = True
        if float(benefit[whole].sum()) > held:
            best = whole
    status = "within the gap asked for" if finished else "stopped at the time limit"
    if finished:
        best = _fewest_kits(benefit, need, room, fixed, open_, best)
    return best, bound, status


def _undecided(
    benefit: NDArray[np.float64],
    need: NDArray[np.int64],
    order: NDArray[np.intp],
    bound: float,
    marginal: float,
    held: float,
) -> NDArray[np.bool_]:
    """Areas whose place in the best choice the bound does not settle already.

    Taking an area the other way than the bound does costs at least |benefit - marginal x need|: where that
    exceeds what lies between the bound and the greedy value, no best choice does so.
    """
    cost = np.abs(benefit - marginal * need)
    listed = np.zeros(len(need), bool)
    listed[order] = True
    return listed & (cost <= bound - held + 1e-6 * max(bound, 1.0))


def _milp(
    benefit: NDArray[np.float64], need: NDArray[np.int64], room: int, mip_gap: float, time_limit: float
) -> tuple[NDArray[np.bool_] | None, float | None, bool]:
    from scipy.optimize import Bounds, LinearConstraint

    from peelian.plan.solver import milp

    answer = milp(
        -benefit,
        constraints=LinearConstraint(need[None, :].astype(float), -np.inf, room),
        integrality=np.ones(len(need)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": mip_gap, "time_limit": time_limit},
    )
    found = None if answer.x is None else np.round(answer.x).astype(bool)
    dual = None if answer.mip_dual_bound is None else -float(answer.mip_dual_bound)
    return found, dual, answer.status == 0


def _fewest_kits(
    benefit: NDArray[np.float64],
    need: NDArray[np.int64],
    room: int,
    fixed: NDArray[np.bool_],
    open_: NDArray[np.bool_],
    best: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """The choice of fewest kits among those as good as the best found."""
    from scipy.optimize import Bounds, LinearConstraint

    from peelian.plan.solver import milp

    scale = float(benefit[open_].max())
    gain, cost = benefit[open_] / scale, need[open_].astype(float)
    least = float((benefit[best].sum() - benefit[fixed].sum()) / scale)
    slack = 1e-9 * float(benefit[best].sum()) / scale
    answer = milp(
        cost,
        constraints=[
            LinearConstraint(gain[None, :], least - slack, np.inf),
            LinearConstraint(cost[None, :], 0, min(room, int(need[best & open_].sum()))),
        ],
        integrality=np.ones(len(cost)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0, "node_limit": NODES},
    )
    if answer.x is None:
        return best
    other = fixed.copy()
    other[np.flatnonzero(open_)[np.round(answer.x).astype(bool)]] = True
    fewer = int(need[other].sum()) < int(need[best].sum())
    as_good = float(benefit[other].sum()) >= float(benefit[best].sum()) * (1 - 2e-9)
    return other if fewer and as_good else best


def _earliest(
    chosen: NDArray[np.bool_], benefit: NDArray[np.float64], need: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """The same choice with the earlier of two areas that are alike in benefit and need."""
    _, group = np.unique(np.column_stack([benefit, need]), axis=0, return_inverse=True)
    group = group.ravel()
    quota = np.bincount(group, weights=chosen).astype(int)
    order = np.argsort(group, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(group))[:-1]])
    within = np.empty(len(group), int)
    within[order] = np.arange(len(group)) - starts[group[order]]
    return within < quota[group]
