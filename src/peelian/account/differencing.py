"""Whether a new table gives a small count away together with the tables published before it.

Every published number is an equation over the pieces that areas and periods cut each other into: two tables
with overlapping areas (wards of two vintages, arms of a programme that changed) or overlapping windows (two
rolling totals) are solved together, as somebody with both would solve them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.account.disclosure import HIDDEN, SLACK
from peelian.errors import PrivacyError

if TYPE_CHECKING:
    import numpy as np

    from peelian.account.releases import Release


@dataclass(frozen=True)
class _Cell:
    release: str
    atoms: frozenset[str]
    first: int
    last: int
    count: int | None

    def inside(self, other: _Cell) -> bool:
        return self.atoms <= other.atoms and other.first <= self.first and self.last <= other.last


def difference(
    new: Release,
    earlier: Iterable[Release],
    *,
    threshold: int,
    atoms: Mapping[str, Iterable[str]] | None = None,
) -> None:
    """Raises ``PrivacyError`` naming the tables where one with another gives a small count away.

    ``atoms``  place -> the smallest areas it consists of, for tables that do not say so themselves
               (``Release.parts``); a place without an entry is an atom itself.

    First, over all pairs of cells of one measure: a cell shown now that was hidden before, or the other way
    round; a cell whose published value is small; a cell wholly inside another whose difference is 1 to
    ``threshold`` - 1. Then all tables together: every hidden cell, and every piece that areas and periods
    cut each other into, is bounded by linear programming from all that is published; one that is known
    within less than the threshold, and may be small, is given away. Values are never named. Counts that were
    revised between two tables contradict each other and are not solved.
    """
    known = {place: frozenset(parts) for place, parts in (atoms or {}).items()}
    mine = _cells(new, known)
    if any(cell.count is not None and 0 < cell.count < threshold for cell in mine):
        raise PrivacyError(
            f"Table {new.id} shows a count below {threshold}. Protect it before it is released."
        )
    old = [release for release in earlier if release.measure == new.measure]
    held = [(release, _cells(release, known)) for release in old]
    for release, theirs in held:
        if _pair_gives_away(mine, theirs, threshold):
            raise _refused(new, [release], threshold)
    together = [cell for _, theirs in held for cell in theirs]
    if together and _solved(mine, together, threshold):
        guilty = next((r for r, theirs in held if _solved(mine, theirs, threshold)), None)
        raise _refused(new, [guilty] if guilty else [r for r, _ in held], threshold)


def _refused(new: Release, old: Sequence[Release], threshold: int) -> PrivacyError:
    named = " and ".join(f"table {release.id} of {release.date}" for release in old)
    return PrivacyError(
        f"Table {new.id} together with {named} would give a count below {threshold} away. Hide in the new "
        "one what the old one hid, or publish the same areas and periods."
    )


def _pair_gives_away(mine: Sequence[_Cell], theirs: Sequence[_Cell], threshold: int) -> bool:
    """True where one cell of each table gives a small count away."""
    by_atom: dict[str, set[int]] = defaultdict(set)
    for at, cell in enumerate(theirs):
        for atom in cell.atoms:
            by_atom[atom].add(at)
    for cell in mine:
        near = set().union(*(by_atom.get(atom, set()) for atom in cell.atoms))
        if any(_gives_away(cell, theirs[at], threshold) for at in near):
            return True
    return False


def _gives_away(one: _Cell, other: _Cell, threshold: int) -> bool:
    if one.inside(other) and other.inside(one):
        return (one.count is None) != (other.count is None)
    if one.count is None or other.count is None:
        return False
    if one.inside(other) or other.inside(one):
        return 0 < abs(one.count - other.count) < threshold
    return False


def _cells(release: Release, known: Mapping[str, frozenset[str]]) -> list[_Cell]:
    import pandas as pd

    first, last = (pd.PeriodIndex(release.table[end].astype(str), freq="M").asi8 for end in ("first", "last"))
    own = {place: frozenset(parts) for place, parts in release.parts.items()}
    rows = zip(release.table["place"].astype(str), first, last, release.table["count"], strict=True)
    return [
        _Cell(
            release.id, own.get(place) or known.get(place) or frozenset((place,)), int(a), int(b),
            None if value == HIDDEN else int(value),
        )
        for place, a, b, value in rows
    ]  # fmt: skip


# ------------------------------------------------------------ all tables together
def _solved(mine: Sequence[_Cell], theirs: Sequence[_Cell], threshold: int) -> bool:
    """True where the equations of both tables together bound a count that may be small too closely."""
    every = [*mine, *theirs]
    pieces = _pieces(every)
    for block in _blocks(len(every), pieces):
        if len({every[at].release for at in block}) < 2:
            continue
        inside = [signature for signature in pieces if signature[0] in block]
        if _block_gives_away([every[at] for at in block], _weights(block, inside), threshold):
            return True
    return False


def _pieces(cells: Sequence[_Cell]) -> list[tuple[int, ...]]:
    """The pieces that cells cut each other into, each as the cells it lies in; equal ones once."""
    ends = sorted({cell.first for cell in cells} | {cell.last + 1 for cell in cells})
    number = {end: at for at, end in enumerate(ends)}
    inside: dict[tuple[str, int], list[int]] = defaultdict(list)
    for at, cell in enumerate(cells):
        for atom in cell.atoms:
            for step in range(number[cell.first], number[cell.last + 1]):
                inside[atom, step].append(at)
    return sorted(set(map(tuple, inside.values())))


def _blocks(size: int, pieces: Iterable[tuple[int, ...]]) -> list[set[int]]:
    """The cells in groups that share a piece, directly or through others."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    pairs = [(signature[0], other) for signature in pieces for other in signature]
    graph = coo_matrix(([1] * len(pairs), tuple(zip(*pairs, strict=True))), shape=(size, size))
    groups: dict[int, set[int]] = defaultdict(set)
    for at, label in enumerate(connected_components(graph, directed=False)[1]):
        groups[int(label)].add(at)
    return list(groups.values())


def _weights(block: set[int], pieces: Sequence[tuple[int, ...]]) -> np.ndarray:
    """One row a cell of the block, one column a piece: 1 where the piece lies in the cell."""
    import numpy as np

    number = {at: row for row, at in enumerate(block)}
    out = np.zeros((len(block), len(pieces)))
    for column, signature in enumerate(pieces):
        out[[number[at] for at in signature], column] = 1.0
    return out


def _block_gives_away(cells: Sequence[_Cell], weights: np.ndarray, threshold: int) -> bool:
    import numpy as np

    shown = np.array([cell.count is not None for cell in cells])
    counts = np.array([float(cell.count or 0) for cell in cells])
    goals = [*weights[~shown], *np.eye(weights.shape[1])[_not_published(weights[shown])]]
    for goal in np.unique(np.array(goals), axis=0) if goals else ():
        low, high = _bounds(goal, weights, counts, shown)
        small = low < threshold and high > SLACK
        if small and high - low < threshold - SLACK and (low > SLACK or high < threshold - SLACK):
            return True
    return False


def _not_published(shown: np.ndarray) -> np.ndarray:
    """The pieces that are no published cell by themselves."""
    import numpy as np

    alone = shown[shown.sum(axis=1) == 1]
    return np.flatnonzero(~(alone.sum(axis=0) > 0)) if len(alone) else np.arange(shown.shape[1])


def _bounds(
    goal: np.ndarray, weights: np.ndarray, counts: np.ndarray, shown: np.ndarray
) -> tuple[float, float]:
    """The least and the most that the pieces of a goal can hold, given every shown cell."""
    import numpy as np
    from scipy.optimize import linprog

    ends: list[float] = []
    for least in (1.0, 0.0):  # a hidden cell holds at least 1, unless a zero was hidden somewhere
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(
                sign * goal, A_eq=weights[shown] if shown.any() else None,
                b_eq=counts[shown] if shown.any() else None,
                A_ub=-weights[~shown] if (~shown).any() else None,
                b_ub=np.full(int((~shown).sum()), -least) if (~shown).any() else None,
                bounds=(0, None), method="highs",
            )  # fmt: skip
            ends.append(sign * found.fun if found.status == 0 else sign * -np.inf)
            if found.status == 2:
                break
        if len(ends) == 2:
            return ends[0], ends[1]
    return 0.0, np.inf
