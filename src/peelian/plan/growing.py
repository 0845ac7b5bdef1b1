"""A first answer for connected groups of a least size: groups grown from seeds, most benefit by kit first."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def grown(
    benefit: Floats, need: NDArray[np.int64], limit: int, near: list[list[int]], least: int, open_: Flags
) -> Flags:
    """Areas in connected groups of ``least`` or more, within the limit of kits.

    ``near`` the neighbours of each area; ``open_`` those that may be taken. The next step is the one of most
    benefit by kit: an area beside what is taken, or a new group of the least size, grown from a seed by its
    best neighbours. Then areas at the edge of groups give way to better ones while that helps.

    >>> line = [[1], [0, 2], [1, 3], [2]]
    >>> grown(np.array([9.0, 1, 5, 5]), np.array([1, 1, 1, 1]), 2, line, 2, np.ones(4, bool)).tolist()
    [True, True, False, False]
    """
    rate = np.where(open_ & (need > 0), benefit / np.maximum(need, 1), -1.0)
    taken, left = np.zeros(len(need), bool), int(limit)
    seeds = [(-_worth(group, benefit, need), int(seed)) for seed in np.flatnonzero(open_)
             if (group := _group(int(seed), rate, near, least, taken)) is not None]  # fmt: skip
    heapq.heapify(seeds)
    while True:
        edge = _best_edge(rate, near, taken, need, left)
        group = _best_group(seeds, rate, near, least, taken, benefit, need, left)
        if edge is None and group is None:
            break
        if group is None or (edge is not None and rate[edge] >= _worth(group, benefit, need)):
            assert edge is not None
            group = [edge]
        taken[group] = True
        left -= int(need[group].sum())
    return _swapped(benefit, need, near, least, taken, left, rate)


def _worth(group: list[int], benefit: Floats, need: NDArray[np.int64]) -> float:
    return float(benefit[group].sum() / need[group].sum())


def _group(seed: int, rate: Floats, near: list[list[int]], least: int, taken: Flags) -> list[int] | None:
    """The seed and its best neighbours, one after the other, until the group is large enough."""
    if rate[seed] < 0 or taken[seed]:
        return None
    group, edge = [seed], {n for n in near[seed] if rate[n] >= 0 and not taken[n]}
    while len(group) < least:
        if not edge:
            return None
        best = max(edge, key=lambda at: (rate[at], -at))
        group.append(best)
        edge |= {n for n in near[best] if rate[n] >= 0 and not taken[n]}
        edge -= set(group)
    return group


def _best_edge(
    rate: Floats, near: list[list[int]], taken: Flags, need: NDArray[np.int64], left: int
) -> int | None:
    """The best area beside those taken that the kits still reach."""
    edge = {n for at in np.flatnonzero(taken) for n in near[at]}
    fit = [at for at in edge if not taken[at] and rate[at] >= 0 and need[at] <= left]
    return max(fit, key=lambda at: (rate[at], -at), default=None)


def _best_group(
    seeds: list[tuple[float, int]], rate: Floats, near: list[list[int]], least: int, taken: Flags,
    benefit: Floats, need: NDArray[np.int64], left: int,
) -> list[int] | None:  # fmt: skip
    """The best new group that the kits still reach; stale entries of the heap are worked out anew."""
    aside: list[tuple[float, int]] = []
    found = None
    while seeds:
        worth, seed = heapq.heappop(seeds)
        group = _group(seed, rate, near, least, taken)
        if group is None:
            continue
        now = -_worth(group, benefit, need)
        if now > worth + 1e-12:
            heapq.heappush(seeds, (now, seed))
            continue
        aside.append((now, seed))
        if int(need[group].sum()) <= left:
            found = group
            break
    for entry in aside:
        heapq.heappush(seeds, entry)
    return found


def _swapped(
    benefit: Floats, need: NDArray[np.int64], near: list[list[int]], least: int, taken: Flags, left: int,
    rate: Floats,
) -> Flags:  # fmt: skip
    """An area that its group can spare against one beside a group that holds more, while that helps."""
    for _ in range(10 * max(int(taken.sum()), 1)):
        spare = [int(at) for at in np.flatnonzero(taken) if _can_go(int(at), near, least, taken)]
        edge = {n for at in np.flatnonzero(taken) for n in near[at] if not taken[n] and rate[n] >= 0}
        best, move = 1e-9, None
        for out in [-1, *spare]:
            room = left + (int(need[out]) if out >= 0 else 0)
            lost = benefit[out] if out >= 0 else 0.0
            for into in edge:
                gain = benefit[into] - lost
                if need[into] <= room and gain > best and _touches(into, out, near, taken):
                    best, move = gain, (out, into)
        if move is None:
            break
        out, into = move
        if out >= 0:
            taken[out] = False
            left += int(need[out])
        taken[into] = True
        left -= int(need[into])
    return taken


def _touches(into: int, out: int, near: list[list[int]], taken: Flags) -> bool:
    return any(taken[n] and n != out for n in near[into])


def _can_go(at: int, near: list[list[int]], least: int, taken: Flags) -> bool:
    """Whether each group that would be left without the area is still large enough."""
    beside = [n for n in near[at] if taken[n]]
    seen: set[int] = {at}
    for start in beside:
        if start in seen:
            continue
        part, queue = {start}, deque([start])
        while queue:
            for n in near[queue.popleft()]:
                if taken[n] and n not in part and n != at:
                    part.add(n)
                    queue.append(n)
        if len(part) < least:
            return False
        seen |= part
    return bool(beside)
