"""Cells put together that agree in the columns in play: few groups stand for many cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any
EXACT = 4_000_000  # cells x candidates up to which slopes are computed in full precision at once
SPARE = 6  # columns that groups may tell apart without need
APART = 0.5  # groups per cell from which each cell had better stand alone


@dataclass(frozen=True, eq=False)
class Data:
    """Cells with their candidates: ``columns`` (candidates x cells: 0/1, 0/-1, or shares), by cell the number
    of ``cells`` that it stands for, the ``total`` of events, the ``mass`` of exposure, and the ``part`` that
    problems use or leave out (numbers from 0)."""

    columns: Array
    cells: Array
    total: Array
    mass: Array
    part: Array
    where: list[Array] | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, columns: Array, total: Array, *, mass: Array | None = None, cells: Array | None = None,
        part: Array | None = None,
    ) -> Data:  # fmt: skip
        """From cells x candidates and what is known of each cell (1 each, one part, where not given)."""
        columns = np.asarray(columns)
        whole = bool(np.isin(columns[:1000], (-1, 0, 1)).all()) and columns.dtype.kind in "iub"
        ones = np.ones(len(columns))
        wide = columns.size > EXACT and whole
        turned = np.ascontiguousarray(columns.T, dtype=np.float32 if wide else float)
        return cls(
            turned, ones if cells is None else cells, np.asarray(total, float),
            ones if mass is None else np.asarray(mass, float),
            np.zeros(len(columns), np.int64) if part is None else part,
            [np.flatnonzero(column) for column in turned] if whole else None,
        )  # fmt: skip

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return int(self.part.max()) + 1

    def by_part(self, values: Array) -> Array:
        """Sum of the values by part."""
        return np.bincount(self.part, values, self.parts)


@dataclass(frozen=True, eq=False)
class Groups:
    """Cells put together that agree in ``columns``: the ``group`` of each, by column and group the
    ``values`` they agree in, and the ``sums`` by group and part of events and of exposure."""

    data: Data
    columns: list[int]
    group: Array
    values: Array
    sums: tuple[Array, Array]

    @classmethod
    def of(cls, data: Data, columns: list[int]) -> Groups:
        """All cells, split by these columns; every cell by itself where columns hold shares."""
        n = data.columns.shape[1]
        if data.where is None:
            return cls._summed(data, list(range(len(data.columns))), np.arange(n), data.columns)
        return cls._summed(data, [], np.zeros(n, np.int64), np.zeros((0, 1))).split(columns)

    @classmethod
    def _summed(cls, data: Data, columns: list[int], group: Array, values: Array) -> Groups:
        number = values.shape[1]
        code = group if data.parts == 1 else group * data.parts + data.part
        total, mass = (
            np.bincount(code, v, number * data.parts).reshape(-1, data.parts) for v in (data.total, data.mass)
        )
        return cls(data, columns, group, values, (total, mass))

    def split(self, columns: list[int]) -> Groups:
        """Each group parted by these columns too: one pass over the cells where a column is not 0."""
        assert self.data.where is not None
        group, values = self.group.copy(), self.values
        for j in columns:
            cells = self.data.where[j]
            own = group[cells]
            held = np.bincount(own, minlength=values.shape[1]) > 0
            group[cells] = (np.cumsum(held) + values.shape[1] - 1)[own]
            bit = np.zeros(values.shape[1] + int(held.sum()))
            bit[values.shape[1] :] = self.data.columns[j, cells[0]] if len(cells) else 0
            values = np.vstack([np.hstack([values, values[:, held]]), bit])
        return Groups._summed(self.data, [*self.columns, *columns], group, values)

    def weighted(self, data: Data) -> Groups:
        """The same groups of cells that count anew."""
        return Groups._summed(data, self.columns, self.group, self.values)

    def for_columns(self, columns: list[int]) -> Groups:
        """Groups that tell these columns apart, from the present ones where they tell not many more.

        Where most cells would stand alone, every cell does, and all columns are told apart.
        """
        missing = [j for j in columns if j not in self.columns]
        if not missing and (self.alone or len(self.columns) <= len(columns) + SPARE):
            return self
        fresh = len(self.columns) + len(missing) > len(columns) + SPARE
        found = Groups.of(self.data, columns) if fresh else self.split(missing)
        n = self.data.columns.shape[1]
        if found.values.shape[1] < APART * n:
            return found
        return self._summed(self.data, list(range(len(self.data.columns))), np.arange(n), self.data.columns)

    @property
    def alone(self) -> bool:
        """Whether every cell is its own group."""
        return self.values is self.data.columns
