"""The choice under further conditions: floors, caps and neighbours, in plain arrays."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint

from peelian.errors import DesignError
from peelian.plan.knapsack import Choice, by_rate, dantzig
from peelian.plan.solver import milp
from peelian.plan.untreated import Controls

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

ROUNDS = 60  # of cuts against groups that are too small


@dataclass(frozen=True, eq=False)
class Rows:
    """Conditions ``low <= matrix @ chosen <= high``, each with the words that name it.

    ``matrix`` (conditions, areas); ``unit`` what is counted (``kits``).
    """

    matrix: sparse.csr_array
    low: Floats
    high: Floats
    names: tuple[str, ...]
    unit: str = "kits"


@dataclass(frozen=True, eq=False)
class Shape:
    """How the chosen areas must lie: by pairs of neighbours.

    ``left``, ``right``  (pairs,) positions of two neighbours; ``penalty`` taken from the benefit for each
    pair of which one is chosen and the other is not; ``least`` areas that each connected group must have.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    penalty: float = 0.0
    least: int = 1

    def adjacency(self, size: int) -> sparse.csr_array:
        """(size, size) of ones where two areas are neighbours."""
        both = np.r_[self.left, self.right], np.r_[self.right, self.left]
        return sparse.csr_array((np.ones(2 * len(self.left)), both), shape=(size, size))

    def cut(self, chosen: Flags) -> int:
        """Pairs of neighbours of which one is chosen and the other is not."""
        return int((chosen[self.left] != chosen[self.right]).sum())

    def groups(self, chosen: Flags) -> NDArray[np.int64]:
        """(areas,): number of the connected group of each chosen area, -1 elsewhere."""
        inside = np.flatnonzero(chosen)
        label = np.full(len(chosen), -1)
        part = self.adjacency(len(chosen))[inside][:, inside]
        label[inside] = sparse.csgraph.connected_components(part, directed=False)[1]
        return label


def choose_within(
    benefit: Floats,
    need: NDArray[np.int64],
    limit: int,
    rows: Sequence[Rows] = (),
    *,
    shape: Shape | None = None,
    controls: Controls | None = None,
    fixed: Flags | None = None,
    open_: Flags | None = None,
    mip_gap: float = 1e-3,
    time_limit: float = 60.0,
) -> Choice:
    """The areas that hold the most benefit while kits and every condition are kept, none in part.

    ``benefit``, ``need``, ``limit``  as of ``knapsack.choose``; ``fixed`` areas are taken, those that are not
    ``open_`` are not. ``objective`` and ``bound`` are net of a boundary's penalty.

    ``greedy`` is what the most benefit by kit first reaches within limit and caps, 0 where that breaks
    another condition; the better of the two is returned. Raises ``DesignError`` that names the conditions
    that clash, found by letting them give way as little as possible.

    Groups of at least so many areas: a group that is too small and none of its neighbours cannot all stand,
    and such cuts are added until none is broken (lazily; Carvajal and others 2013). The rows of ``controls``
    are added in the same way, once a choice leaves too few to compare with.
    """
    began = time.perf_counter()
    fixed = np.zeros(len(need), bool) if fixed is None else fixed
    open_ = (need > 0) & (benefit > 0) if open_ is None else open_ & (need > 0)
    whole = Problem(benefit, need, limit, tuple(rows), shape, fixed, open_ | fixed, controls)
    first = whole.first()
    deadline = began + time_limit
    found, bound, status = _searched(whole, first, mip_gap, deadline)
    order = by_rate(np.where(whole.open_, benefit, 0.0), need)
    relaxed, marginal, _ = dantzig(benefit, need, limit, order)
    value = whole.value(found)
    held = 0.0 if first is None else whole.value(first)
    bound = max(min(bound, relaxed if not fixed.any() else np.inf), value)
    if bound - value <= 1e-9 * max(bound, 1.0):
        status = "optimal"
    return Choice(found, value, bound, held, marginal, status, time.perf_counter() - began)


@dataclass(frozen=True, eq=False)
class Problem:
    """All that a choice must keep, and what it is worth."""

    benefit: Floats
    need: NDArray[np.int64]
    limit: int
    rows: tuple[Rows, ...]
    shape: Shape | None
    fixed: Flags
    open_: Flags
    controls: Controls | None = None

    def value(self, chosen: Flags) -> float:
        """Benefit of a choice, net of the boundary's penalty."""
        cut = self.shape.penalty * self.shape.cut(chosen) if self.shape and self.shape.penalty else 0.0
        return float(self.benefit[chosen].sum()) - cut

    def keeps(self, chosen: Flags) -> bool:
        """Whether a choice keeps every condition."""
        if int(self.need[chosen].sum()) > self.limit or (chosen & ~self.open_).any():
            return False
        for part in self.rows:
            held = part.matrix @ chosen.astype(float)
            if (held < part.low - 1e-6).any() or (held > part.high + 1e-6).any():
                return False
        return self.compares(chosen) and not self.too_small(chosen)

    def compares(self, chosen: Flags) -> bool:
        """Whether enough areas are left to compare with."""
        return self.controls is None or self.controls.enough(chosen)

    def too_small(self, chosen: Flags) -> list[NDArray[np.int64]]:
        """Groups of chosen areas that are smaller than asked."""
        if self.shape is None or self.shape.least < 2:
            return []
        label = self.shape.groups(chosen)
        sizes = np.bincount(label[label >= 0]) if chosen.any() else np.zeros(0, int)
        return [np.flatnonzero(label == g) for g in np.flatnonzero((sizes > 0) & (sizes < self.shape.least))]

    def first(self) -> Flags | None:
        """An answer to begin with: greedy's, or groups grown from seeds where they must be large."""
        simple = self.greedy()
        if self.shape is None or self.shape.least < 3 or self.fixed.any():
            return simple
        from peelian.plan.growing import grown

        matrix = self.shape.adjacency(len(self.need)).tocsr()
        near = [matrix.indices[a:b].tolist() for a, b in zip(matrix.indptr, matrix.indptr[1:], strict=False)]
        groups = grown(self.benefit, self.need, self.limit, near, self.shape.least, self.open_)
        if not self.keeps(groups):
            return simple
        return groups if simple is None or self.value(groups) > self.value(simple) else simple

    def greedy(self) -> Flags | None:
        """Most benefit by kit first within limit and caps; None where that breaks another condition."""
        chosen = self.fixed.copy()
        left = self.limit - int(self.need[chosen].sum())
        columns = [
            (part.matrix.tocsc(), part.high - part.matrix @ chosen.astype(float)) for part in self.rows
        ]
        for at in by_rate(np.where(self.open_ & ~self.fixed, self.benefit, 0.0), self.need):
            takes = [(room, *_column(matrix, at)) for matrix, room in columns]
            if self.need[at] > left or any((use > room[which] + 1e-9).any() for room, which, use in takes):
                continue
            chosen[at] = True
            left -= int(self.need[at])
            for room, which, use in takes:
                room[which] -= use
        return chosen if self.keeps(chosen) else None


def _column(matrix: Any, at: int) -> tuple[NDArray[np.int64], Floats]:
    part = slice(matrix.indptr[at], matrix.indptr[at + 1])
    return matrix.indices[part], matrix.data[part]


def _searched(
    problem: Problem, first: Flags | None, mip_gap: float, deadline: float
) -> tuple[Flags, float, str]:
    """Branch and cut, with cuts against small groups and for controls until none is left or time is up."""
    best, bound, guarded, found = first, np.inf, False, problem.fixed
    cuts: list[NDArray[np.int64]] = []
    status = "stopped at the time limit"
    for _ in range(ROUNDS):
        left = deadline - time.perf_counter()
        if left <= 0:
            break
        answer = _milp(problem, cuts, mip_gap, left, guarded)
        if answer.status == 2 and guarded and problem.controls is not None:
            raise DesignError(problem.controls.clash(found))
        if answer.status == 2:
            raise DesignError(clash(problem))
        if answer.mip_dual_bound is not None:
            bound = min(bound, -float(answer.mip_dual_bound))
        if answer.x is None:
            break
        found = np.round(answer.x[: len(problem.need)]).astype(bool)
        small, compares = problem.too_small(found), problem.compares(found)
        repaired = _without(problem, found, small)
        if repaired is not None and (best is None or problem.value(repaired) > problem.value(best)):
            best = repaired
        if not small and compares:
            status = "within the gap asked for" if answer.status == 0 else status
            break
        if best is not None and bound - problem.value(best) <= mip_gap * bound:
            status = "within the gap asked for"
            break
        cuts, guarded = cuts + small, guarded or not compares
    if best is None:
        raise DesignError("No choice that keeps every condition was found in time. Raise time_limit.")
    return best, bound, status


def _without(problem: Problem, found: Flags, small: list[NDArray[np.int64]]) -> Flags | None:
    """The choice less its groups that are too small, where it still keeps every condition."""
    kept = found.copy()
    for group in small:
        kept[group] = False
    kept |= problem.fixed
    return kept if problem.keeps(kept) else None


def _milp(
    problem: Problem, cuts: list[NDArray[np.int64]], mip_gap: float, seconds: float, guarded: bool
) -> Any:
    size, shape = len(problem.need), problem.shape
    pairs = len(shape.left) if shape is not None and shape.penalty else 0
    parts = [(part.matrix, part.low, part.high) for part in problem.rows]
    parts.append(
        (sparse.csr_array(problem.need[None].astype(float)), np.array([-np.inf]), np.array([problem.limit]))
    )
    parts += _shaped(shape, cuts, size)
    if shape is not None and pairs:
        parts.append((_borders(shape, size), np.full(2 * pairs, -np.inf), np.zeros(2 * pairs)))
    most = np.r_[problem.open_, np.ones(pairs)]
    if guarded and problem.controls is not None:
        matrix, low, high, room = problem.controls.rows()
        apart = sparse.csr_array((matrix.shape[0], pairs))
        parts.append(
            (sparse.csr_array(sparse.hstack([matrix[:, :size], apart, matrix[:, size:]])), low, high)
        )
        most = np.r_[most, room]
    more = len(most) - size
    constraints = [LinearConstraint(_widened(m, len(most) - m.shape[1]), low, high) for m, low, high in parts]
    cost = np.r_[-problem.benefit, np.full(pairs, shape.penalty if shape else 0.0), np.zeros(more - pairs)]
    return milp(
        cost,
        constraints=constraints,
        integrality=np.r_[np.ones(size), np.zeros(more)],
        bounds=Bounds(np.r_[problem.fixed, np.zeros(more)], most),
        options={"mip_rel_gap": mip_gap, "time_limit": seconds},
    )


def _widened(matrix: sparse.csr_array, pairs: int) -> sparse.csr_array:
    if not pairs:
        return matrix
    return sparse.csr_array(sparse.hstack([matrix, sparse.csr_array((matrix.shape[0], pairs))]))


def _borders(shape: Shape, size: int) -> sparse.csr_array:
    """A pair's border counts at least the difference of its two areas, either way."""
    pairs = len(shape.left)
    at = np.arange(pairs)
    where = np.r_[at, at], np.r_[shape.left, shape.right]
    apart = sparse.csr_array((np.r_[np.ones(pairs), -np.ones(pairs)], where), shape=(pairs, size))
    one = sparse.eye_array(pairs)
    return sparse.csr_array(sparse.vstack([sparse.hstack([apart, -one]), sparse.hstack([-apart, -one])]))


def _shaped(
    shape: Shape | None, cuts: list[NDArray[np.int64]], size: int
) -> list[tuple[sparse.csr_array, Any, Any]]:
    """An area needs a neighbour; two that are chosen need a third; groups found too small need one more."""
    if shape is None or shape.least < 2:
        return []
    near = shape.adjacency(size)
    parts: list[tuple[sparse.csr_array, Any, Any]] = [
        (sparse.csr_array(sparse.eye_array(size) - near), -np.inf, 0)
    ]
    if shape.least >= 3:
        parts.append(
            _needs_more([np.array(pair) for pair in zip(shape.left, shape.right, strict=True)], near)
        )
    if cuts:
        parts.append(_needs_more(cuts, near))
    return parts


def _needs_more(groups: list[NDArray[np.int64]], near: sparse.csr_array) -> tuple[sparse.csr_array, Any, Any]:
    """All of a group chosen means that one of its neighbours is."""
    sizes = np.array([len(group) for group in groups])
    rows = np.repeat(np.arange(len(groups)), sizes)
    member = sparse.csr_array(
        (np.ones(len(rows)), (rows, np.concatenate(groups))), shape=(len(groups), near.shape[0])
    )
    round_ = member @ near
    round_.data[:] = 1.0
    round_ = round_ - round_.multiply(member)
    return sparse.csr_array(member - round_), -np.inf, sizes - 1.0


# -------------------------------------------------------------------- clashes
def clash(problem: Problem) -> str:
    """Which conditions cannot be kept together, and by how much the least of them must give way."""
    short = _gives_way(problem, "low")
    if short is None:
        over = _gives_way(problem, "high") or {}
        words = [
            f"{name} would be exceeded by {amount:,.0f} {unit}" for name, (amount, _, unit) in over.items()
        ]
        return f"The places of must break a cap: {'; '.join(words)}. Name fewer of them, or raise the cap."
    words = [
        f"{name} cannot reach its floor of {floor:,.0f} {unit}: {floor - amount:,.0f} are the most"
        f"{_because(problem, name, floor)}"
        for name, (amount, floor, unit) in short.items()
    ]
    return f"{'; '.join(words)}. Lower the floor, or raise what stands against it."


def _because(problem: Problem, name: str, floor: float) -> str:
    """What stands against a floor: its own areas' need, a cap over all of them, or the limit of kits."""
    inside = np.zeros(len(problem.need), bool)
    for part in problem.rows:
        for at, label in enumerate(part.names):
            if label == name and part.low[at] > 0:
                inside[part.matrix[[at]].nonzero()[1]] = True
    inside &= problem.open_
    whole = float(problem.need[inside].sum())
    if whole < floor:
        return f", which is what all its areas need ({whole:,.0f})"
    for part in problem.rows:
        for at, label in enumerate(part.names):
            covers = np.zeros(len(inside), bool)
            covers[part.matrix[[at]].nonzero()[1]] = True
            if part.high[at] < floor and not (inside & ~covers).any():
                return f" with the {part.high[at]:,.0f} {part.unit} of {label}"
    return f" with {problem.limit:,} kits in all and the other conditions"


def _gives_way(problem: Problem, side: str) -> dict[str, tuple[float, float, str]] | None:
    """The least slack, in all, that makes the conditions possible: name -> slack, condition, unit."""
    size = len(problem.need)
    chosen = [(part, at) for part in problem.rows for at in range(len(part.names))
              if np.isfinite(getattr(part, side)[at]) and (side == "high" or part.low[at] > 0)]  # fmt: skip
    if not chosen:
        return None
    constraints = []
    index = {(id(part), at): number for number, (part, at) in enumerate(chosen)}
    sign = 1.0 if side == "low" else -1.0
    for part in problem.rows:
        where = [(at, index[(id(part), at)]) for at in range(len(part.names)) if (id(part), at) in index]
        slack = sparse.lil_array((len(part.names), len(chosen)))
        for at, number in where:
            slack[at, number] = sign
        constraints.append(
            LinearConstraint(sparse.csr_array(sparse.hstack([part.matrix, slack])), part.low, part.high)
        )
    kits = sparse.csr_array(np.r_[problem.need, np.zeros(len(chosen))][None].astype(float))
    constraints.append(LinearConstraint(kits, -np.inf, problem.limit))
    parts = _shaped(problem.shape, [], size)
    constraints += [LinearConstraint(_widened(m, len(chosen)), low, high) for m, low, high in parts]
    answer = milp(
        np.r_[np.zeros(size), np.ones(len(chosen))], constraints=constraints,
        integrality=np.r_[np.ones(size), np.zeros(len(chosen))],
        bounds=Bounds(np.r_[problem.fixed, np.zeros(len(chosen))],
                      np.r_[problem.open_.astype(float), np.full(len(chosen), np.inf)]),
        options={"time_limit": 20.0},
    )  # fmt: skip
    if answer.x is None:
        return None
    return {
        part.names[at]: (float(slack), float(getattr(part, side)[at]), part.unit)
        for (part, at), slack in zip(chosen, answer.x[size:], strict=True)
        if slack > 1e-6
    }
