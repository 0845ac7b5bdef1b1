"""Nested bands over places larger than the bands: the share of each place that lies in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from peelian.explain.monotone import Measured, Nested

Array = Any


@dataclass(frozen=True, eq=False)
class Shares(Measured):
    """Columns between 0 and 1 (0 and -1 where protective), with the methods of ``Nested``.

    ``values``  places x columns. ``starts``, ``sign``  as of ``Nested``. ``points`` and ``owner``: the bands
    at the points of the ground and the place of each, for what is asked of the ground; None in a part.
    """

    values: Array
    starts: Array
    sign: Array
    points: Nested | None = None
    owner: Array | None = None

    @classmethod
    def of(cls, points: Nested, owner: Array) -> Shares:
        """Shares of places from bands at points. ``owner``  number of the place of each, none without one.

        >>> line = Nested(np.array([[2], [1], [0], [0]], np.uint8), np.array([0, 2]), np.array([1]))
        >>> Shares.of(line, np.array([0, 0, 0, 1])).values.round(2).tolist()
        [[0.67, 0.33], [0.0, 0.0]]
        """
        number = int(owner.max()) + 1
        each = np.bincount(owner, minlength=number)
        values = np.empty((number, points.size))
        for m, (begin, end) in enumerate(zip(points.starts, points.starts[1:], strict=False)):
            width = int(end - begin) + 1
            at = owner * width + points.levels[:, m]
            held = np.bincount(at, minlength=number * width).reshape(number, width)
            above = held[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
            values[:, begin:end] = points.sign[m] * above / each[:, None]
        return cls(values, points.starts, points.sign, points, owner)

    def rows(self, where: Array) -> Shares:
        """The same columns over fewer places, without their ground."""
        return Shares(self.values[where], self.starts, self.sign)

    def sums(self, values: Array) -> Array:
        """Sum of values over the places, each times its share, sign included."""
        return values @ self.values

    def take(self, columns: Array) -> Array:
        """Some columns written out."""
        return self.values[:, columns]

    def inside(self, measure: int, rank: int) -> Array:
        """The share of each place in one column of a measure, whatever its sign."""
        return np.abs(self.values[:, self.starts[measure] + rank])

    def spread(self, weights: Array) -> Array:
        """Standard deviation of each column, places weighted."""
        total = float(weights.sum())
        mean = weights @ self.values / total
        return np.sqrt(np.maximum(weights @ self.values**2 / total - mean**2, 0))

    def contrast(self, measure: int, rank: int, columns: Array, exposure: Array) -> Array:
        """By column: its mean over the ground in one column of a measure, less its mean over the rest; what
        is at risk in a place is spread evenly over its ground."""
        assert self.points is not None
        assert self.owner is not None
        each = exposure / np.bincount(self.owner, minlength=len(exposure))
        return self.points.contrast(measure, rank, columns, each[self.owner])

    def effect(self, b: Array, measures: Array | None = None) -> Array:
        """Columns times coefficients, over all measures or some."""
        if measures is None:
            return self.values @ b
        part = np.isin(self.measure, measures)
        return self.values[:, part] @ b[part]


Columns = Nested | Shares
