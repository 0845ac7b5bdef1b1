"""Features and a regular grid: no tree, each feature visits the cells within its reach, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from peelian.places import Places

Array = Any
PAIRS_AT_ONCE = 1 << 17  # as many as stay in the processor's cache
PAIRS_COUNTED = 1 << 23


@dataclass(frozen=True, eq=False)
class Lattice:
    """The centres of a grid: ``x`` and ``y`` of its first cell's, ``cell`` side in metres, and ``place``
    (columns x rows): the position of each cell among the places, their number where there is none."""

    x: Array
    y: Array
    cell: float
    place: Array
    number: int

    @classmethod
    def of(cls, places: Places) -> Lattice | None:
        """The lattice of places that are a grid; None for others."""
        if places.kind != "cell" or not places.cell or not places.origin or "column" not in places.frame:
            return None
        column, row = (places.frame[name].to_numpy() for name in ("column", "row"))
        place = np.full((column.max() + 1, row.max() + 1), len(places), np.int64)
        place[column, row] = np.arange(len(places))
        x, y = (
            corner + (np.arange(n) + 0.5) * places.cell
            for corner, n in zip(places.origin, place.shape, strict=True)
        )
        return cls(x, y, float(places.cell), place, len(places))

    @property
    def centres(self) -> Array:
        """The centre of each place (rows x 2 metres), in their order."""
        found = np.empty((self.number, 2))
        column, row = np.nonzero(self.place < self.number)
        found[self.place[column, row]] = np.column_stack([self.x[column], self.y[row]])
        return found

    def near_and_kernels(
        self, points: Array, weight: Array, distances: Sequence[float]
    ) -> tuple[list[Array], list[Array]]:
        """By distance: which cells have a point within it, and the Epanechnikov sum of that bandwidth."""
        rising = sorted(set(distances))
        number, mass, squares = self.bands(points, weight, rising)
        for sums in (number, squares, *([] if mass is number else [mass])):
            for k in range(1, len(rising)):
                sums[k] += sums[k - 1]
        at = [rising.index(d) for d in distances]
        lifts = [
            np.maximum(mass[k] - squares[k] / d**2, 0) * (2 / (np.pi * d**2))
            for k, d in zip(at, distances, strict=True)
        ]
        return [number[k] > 0 for k in at], lifts

    def bands(self, points: Array, weight: Array, distances: Sequence[float]) -> tuple[Array, Array, Array]:
        """Number, weights, and weights times squared metres, of the points by band (bands x places each).

        Bands follow the rising ``distances``: at most the first, beyond it to the second, ... Where all
        weights are 1 the second is the first.
        """
        along, up = self._stencil(max(distances))
        wide = int(np.abs(along).max())
        # features may stand ``wide`` cells outside, and see as far again
        ground = np.pad(self.place, 2 * wide, constant_values=self.number).ravel()
        side = self.place.shape[1] + 4 * wide
        column = np.rint((points[:, 0] - self.x[0]) / self.cell).astype(np.int64)
        row = np.rint((points[:, 1] - self.y[0]) / self.cell).astype(np.int64)
        near = (column >= -wide) & (column < len(self.x) + wide) & (row >= -wide)
        near &= row < len(self.y) + wide
        near = np.flatnonzero(near)
        near = near[np.argsort(column[near] * side + row[near], kind="stable")]  # neighbours share the cache
        column, row, points, weight = column[near], row[near], points[near], weight[near]
        step = max(1, PAIRS_COUNTED // len(along))
        limits = [_farthest(d) for d in distances]
        weighted = bool((weight != 1).any())
        total: list[Array] = []
        for begin in range(0, max(len(points), 1), step):
            part = slice(begin, begin + step)
            base = (column[part] + 2 * wide) * side + row[part] + 2 * wide
            away = self._offsets(points[part], column[part], row[part], wide)
            key, square = self._pairs(base, away, ground, (along, up), side, limits)
            found = self._counted(key, square, weight[part] if weighted else None, len(limits))
            total = [a + b for a, b in zip(total, found, strict=True)] if total else found
        return total[0], total[-2], total[-1]

    def _stencil(self, reach: float) -> tuple[Array, Array]:
        """Cells, by columns and rows away, whose centre a point of the middle cell may reach."""
        wide = int(reach / self.cell + 0.5 + 1e-9)
        along, up = (a.ravel() for a in np.mgrid[-wide : wide + 1, -wide : wide + 1])
        least = np.hypot(*(np.maximum(np.abs(a) - 0.5 - 1e-9, 0) for a in (along, up))) * self.cell
        return along[least <= reach], up[least <= reach]

    def _offsets(self, points: Array, column: Array, row: Array, wide: int) -> tuple[Array, Array]:
        """Squared metres to the columns, and to the rows, of centres around each point."""
        steps = np.arange(-wide, wide + 1)
        found = []
        for at, axis, own in ((0, self.x, column), (1, self.y, row)):
            beyond = np.arange(-2 * wide, len(axis) + 2 * wide) * self.cell + axis[0]
            beyond[2 * wide : 2 * wide + len(axis)] = axis
            away = points[:, at, None] - beyond[own[:, None] + steps + 2 * wide]
            found.append(away * away)
        return found[0], found[1]

    def _pairs(
        self, base: Array, away: tuple[Array, Array], ground: Array, stencil: tuple[Array, Array],
        side: int, limits: list[float],
    ) -> tuple[Array, Array]:  # fmt: skip
        """Points x cells in reach: one number for band and place, and square metres."""
        along, up = stencil
        wide = int(np.abs(along).max())
        key = np.empty((len(base), len(along)), np.int64)
        square = np.empty(key.shape)
        move = along * side + up
        step = max(1, PAIRS_AT_ONCE // len(along))
        for begin in range(0, len(base), step):
            part = slice(begin, begin + step)
            r2 = np.take(away[0][part], along + wide, axis=1)
            r2 += np.take(away[1][part], up + wide, axis=1)
            band = np.zeros(r2.shape, np.int8)
            for limit in limits:
                band += r2 > limit
            np.multiply(band, self.number + 1, out=key[part], casting="unsafe", dtype=np.int64)
            key[part] += np.take(ground, base[part, None] + move)
            square[part] = r2
        return key, square

    def _counted(self, key: Array, square: Array, weight: Array | None, bands: int) -> list[Array]:
        """Number, weights (where they are not all 1) and weights times square metres, by band and place."""
        bins, flat = (bands + 1) * (self.number + 1), key.ravel()
        found = [np.bincount(flat, minlength=bins)]
        if weight is not None:
            found.append(np.bincount(flat, np.repeat(weight, key.shape[1]), bins))
            square *= weight[:, None]
        found.append(np.bincount(flat, square.ravel(), bins))
        return [sums.reshape(bands + 1, -1)[:-1, :-1] for sums in found]


def _farthest(distance: float) -> float:
    """The largest square whose root, as it is rounded, is at most the distance."""
    square = distance * distance
    while np.sqrt(np.nextafter(square, np.inf)) <= distance:
        square = np.nextafter(square, np.inf)
    while np.sqrt(square) > distance:
        square = np.nextafter(square, 0)
    return float(square)
