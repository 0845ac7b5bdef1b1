"""Areas that must stay untreated so that there is something to compare with, as rows of the choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Controls:
    """Areas to compare with: not chosen, beyond the buffer of every chosen one, and of like risk.

    ``area``, ``near``  (pairs,) positions: an area, and one whose choice would touch it (itself among them).
    ``risk``  by area, and ``eligible`` whether it may be compared with at all. ``least`` that must remain,
    and never fewer than are chosen. ``metres`` of the buffer.

    Like risk: from half of the lowest of the chosen to twice the highest.
    """

    area: Ints
    near: Ints
    risk: Floats
    eligible: Flags
    least: int
    metres: float

    def held(self, chosen: Flags) -> Flags:
        """The areas that a choice leaves to compare with."""
        if not chosen.any():
            return np.zeros(len(chosen), bool)
        far = self.eligible.copy()
        far[self.area[chosen[self.near]]] = False
        inside = self.risk[chosen]
        return far & (self.risk >= inside.min() / 2) & (self.risk <= 2 * inside.max())

    def wanted(self, chosen: Flags) -> int:
        """How many must remain."""
        return max(self.least, int(chosen.sum()))

    def enough(self, chosen: Flags) -> bool:
        """Whether a choice leaves as many as it must."""
        return int(self.held(chosen).sum()) >= self.wanted(chosen)

    def rows(self) -> tuple[sparse.csr_array, Floats, Floats, Floats]:
        """Rows over [chosen, control, low, high], their limits, and the most that the last three may be.

        ``control`` is at most 1 - chosen for each area that would touch it. With areas in order of risk,
        ``low`` is at most 1 where one of those up to here is chosen and ``high`` where one from here on is;
        a control needs both within a factor of two of its own risk. For a whole-number choice their sum is
        at most the number of controls, and reaches it, so they need not be whole numbers themselves.
        """
        size = len(self.risk)
        order = np.argsort(self.risk, kind="stable")
        ranked, at = self.risk[order], np.arange(size)
        pair = self.eligible[self.area]
        area, near = self.area[pair], self.near[pair]
        x, c, low, high = (k * size for k in range(4))
        touched = _matrix(len(area), size, [(area + c, 1.0), (near + x, 1.0)])
        upward = _matrix(size, size, [(at + low, 1.0), (order + x, -1.0)])
        upward += _matrix(size, size, [(at[:-1] + low, -1.0)], first=1)
        downward = _matrix(size, size, [(at + high, 1.0), (order + x, -1.0)])
        downward += _matrix(size, size, [(at[1:] + high, -1.0)])
        lowest = np.searchsorted(ranked, 2 * self.risk, side="right") - 1
        highest = np.searchsorted(ranked, self.risk / 2, side="left")
        above = _matrix(size, size, [(at + c, 1.0), (lowest + low, -1.0)])
        below = _matrix(size, size, [(at + c, 1.0), (highest + high, -1.0)])
        total = np.r_[np.zeros(size), np.ones(size), np.zeros(2 * size)]
        against = total - np.r_[np.ones(size), np.zeros(3 * size)]
        matrix = sparse.vstack([touched, upward, downward, above, below, total[None], against[None]])
        most = np.r_[np.ones(len(area)), np.zeros(4 * size), np.inf, np.inf]
        least = np.r_[np.full(len(area) + 4 * size, -np.inf), self.least, 0.0]
        return sparse.csr_array(matrix), least, most, np.r_[self.eligible, np.ones(2 * size)].astype(float)

    def clash(self, best: Flags) -> str:
        """What to say where no choice leaves enough; ``best`` the best without this condition."""
        return (
            f"No choice leaves enough to compare with: the best without this condition leaves "
            f"{int(self.held(best).sum()):,} areas of like risk more than {self.metres:g} m from the chosen "
            f"ones, and {self.wanted(best):,} are needed (as many as are chosen, at least {self.least:,}). "
            "Lower the buffer, take fewer areas by must, or use a larger study area."
        )


def _matrix(
    rows: int, size: int, entries: list[tuple[NDArray[np.int64], float]], *, first: int = 0
) -> sparse.csr_array:
    """One value a row and entry, the rows counted from ``first``, over four blocks of columns."""
    line = np.concatenate([np.arange(len(columns)) + first for columns, _ in entries])
    value = np.concatenate([np.full(len(columns), number) for columns, number in entries])
    place = np.concatenate([columns for columns, _ in entries])
    return sparse.csr_array((value, (line, place)), shape=(rows, 4 * size))
