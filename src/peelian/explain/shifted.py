"""Maps of a factor moved over the study area: how often does a moved map fit as well as the true one?

On a grid by every whole step at once; elsewhere by steps drawn at random.
Source: Lotwick & Silverman (1982); Mrkvicka et al. (2021) for windows that are not whole rectangles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from peelian.places import Places

Array = Any
KEPT = 0.7  # of the study area, least, on which a moved map still lies
FEWEST = 5  # places on each side
STEPS = 999  # where places are no grid
Model = tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class Window:
    """Cells on a grid, ready for moving: their positions and what does not depend on the factor.

    Arrays of ``shape`` are wide enough that no kept step wraps round; ``enough`` are those steps.
    """

    column: Array
    row: Array
    shape: tuple[int, int]
    whole: Array
    overlap: Array
    enough: Array

    @classmethod
    def of(cls, column: Array, row: Array, share: float = KEPT) -> Window:
        """The window of these cells; steps are kept that leave at least ``share`` of them on the window."""
        column, row = column - column.min(), row - row.min()
        size = (int(column.max()) + 1, int(row.max()) + 1)
        every = cls._padded(column, row, size)
        enough = every.overlap >= share * len(column)
        steps = [_signed(at, k) for at, k in zip(np.nonzero(enough), every.shape, strict=True)]
        reach = [int(np.abs(away).max()) for away in steps]
        near = cls._padded(column, row, (reach[0], reach[1]))
        kept = np.zeros(near.shape, bool)
        kept[tuple(steps)] = True
        return cls(column, row, near.shape, near.whole, near.overlap, kept)

    @classmethod
    def _padded(cls, column: Array, row: Array, reach: tuple[int, int]) -> Window:
        wide, high = (
            int(fft.next_fast_len(int(a.max()) + 1 + far, real=True))
            for a, far in zip((column, row), reach, strict=True)
        )
        found = cls(column, row, (wide, high), np.zeros(0), np.zeros(0), np.ones((wide, high), bool))
        whole = found.transform(np.ones(len(column)))[0]
        overlap = np.rint(fft.irfft2(whole * whole.conj(), (wide, high)))
        return cls(column, row, (wide, high), whole, overlap, found.enough)

    def transform(self, values: Array) -> Array:
        """The transform of values on the cells (zero elsewhere); several rows at once."""
        values = np.atleast_2d(values)
        grid = np.zeros((len(values), int(self.column.max()) + 1, self.shape[1]))
        grid[:, self.column, self.row] = values
        return fft.fft(fft.rfft(grid, axis=-1), self.shape[0], axis=-2)

    def sums(self, values: Array, moved: Array) -> Array:
        """Sum of ``values`` over the cells onto which ``moved`` is carried, for every kept step."""
        rows = self.enough.any(axis=1)
        across = fft.ifft(values * moved.conj(), axis=-2)[..., rows, :]
        return fft.irfft(across, self.shape[1], axis=-1)[..., self.enough[rows]]

    @property
    def steps(self) -> int:
        """How many steps are kept, the one by nothing included."""
        return int(self.enough.sum())

    def test(self, columns: Array, counts: Array, models: Sequence[Model]) -> list[float]:
        """How often a moved map of the factor fits as well as the true one, itself included: p by model.

        ``columns`` places x the factor's candidates (0/1, 0/-1 protective); ``models`` are mean and variance
        of the counts in models without the factor (a constant mean gives the marginal test). The statistic
        is the largest over the candidates, so that the choice among them is paid for; at least five places
        on each side. NaN where the true map has too few.
        """
        fields = _Fields.of([np.ones(len(counts)), counts, *(values for model in models for values in model)])
        transforms = self.transform(np.array(fields.distinct))
        whole = fields.all_of(self.sums(transforms, self.whole))
        best = np.full((len(models), whole.shape[1]), -np.inf)
        for column in np.asarray(columns).T:
            moved = self.transform(column != 0)[0]
            sums = fields.all_of(self.sums(transforms, moved))
            best = np.maximum(best, _statistics(sums, whole, -1 if (column < 0).any() else 1))
        return [_share(statistic) for statistic in best]


@dataclass(frozen=True, eq=False)
class Scattered:
    """Places that are no grid, ready for moving: ``onto`` steps x places, the place whose value each takes
    when the map is moved (-1 off the study area); the first step is by nothing."""

    onto: Array

    @property
    def steps(self) -> int:
        """How many steps are kept, the one by nothing included."""
        return len(self.onto)

    @classmethod
    def of(
        cls, places: Array, radius: Array, seed: Any, share: float = KEPT, steps: int = STEPS
    ) -> Scattered:
        """``places`` rows x 2 metres, each standing for the ground within its ``radius``.

        Steps are drawn evenly over the directions and lengths that leave ``share`` of the places on it.
        """
        from scipy.spatial import cKDTree

        tree, rng = cKDTree(places), np.random.default_rng(seed)
        most = float(radius.max()) * (1 + 1e-9)
        farthest = 0.4 * np.ptp(places, axis=0)
        found = [np.arange(len(places), dtype=np.int32)]
        for _ in range(20 * steps):
            if len(found) > steps:
                break
            away, nearest = tree.query(places - rng.uniform(-farthest, farthest), distance_upper_bound=most)
            on = away <= np.append(radius, -1.0)[nearest]
            if on.sum() >= share * len(places):
                found.append(np.where(on, nearest, -1).astype(np.int32))
        return cls(np.array(found))

    def test(self, columns: Array, counts: Array, models: Sequence[Model]) -> list[float]:
        """The same test as of a ``Window``."""
        fields = _Fields.of([np.ones(len(counts)), counts, *(values for model in models for values in model)])
        values, exposed = np.array(fields.distinct), (np.asarray(columns) != 0).astype(float)
        sign = np.where((np.asarray(columns) < 0).any(axis=0), -1, 1)
        best = np.empty((len(models), len(self.onto)))
        for at, onto in enumerate(self.onto):
            on = onto >= 0
            here = values[:, on]
            sums, whole = fields.all_of(here @ exposed[onto[on]]), fields.all_of(here.sum(axis=1)[:, None])
            best[:, at] = _statistics(sums, whole, sign).max(axis=1)
        return [_share(statistic) for statistic in best]


def ground_of(places: Places, fitted: Array, seed: int) -> Window | Scattered:
    """The places in the fit, ready for maps to be moved over them.

    Off the grid a place stands for the ground within the smallest circle round it, or as far as places lie
    apart where that is more (streets).
    """
    frame = places.frame.loc[fitted]
    if places.kind == "cell" and "column" in frame:
        return Window.of(frame["column"].to_numpy(), frame["row"].to_numpy())
    import shapely
    from scipy.spatial import cKDTree

    middle = places.points[fitted]
    points = np.column_stack([middle.x, middle.y])
    nearest = cKDTree(points).query(points, k=[2])[0]
    apart = float(np.median(nearest[np.isfinite(nearest)])) if len(points) > 1 else 0.0
    radius = np.maximum(shapely.minimum_bounding_radius(frame.geometry.to_numpy()), apart)
    return Scattered.of(points, radius, [seed, 0, 5])


def _signed(at: Array, size: int) -> Array:
    """Positions on a ring as steps of either sign."""
    return np.where(at > size // 2, at - size, at)


@dataclass(frozen=True, eq=False)
class _Fields:
    """Values by cell of which some are multiples of others, and need no sums of their own."""

    distinct: list[Array]
    at: list[int]
    times: list[float]

    @classmethod
    def of(cls, fields: list[Array]) -> _Fields:
        distinct: list[Array] = []
        at, times = [], []
        for values in fields:
            ratios = [float(values.sum() / other.sum()) if other.sum() else 0.0 for other in distinct]
            same = [
                k for k, (ratio, other) in enumerate(zip(ratios, distinct, strict=True))
                if np.allclose(values, ratio * other, rtol=1e-13, atol=0)
            ]  # fmt: skip
            at.append(same[0] if same else len(distinct))
            times.append(ratios[same[0]] if same else 1.0)
            if not same:
                distinct.append(np.asarray(values, float))
        return cls(distinct, at, times)

    def all_of(self, sums: Array) -> Array:
        """Sums of every field from those of the distinct ones."""
        return sums[self.at] * np.array(self.times).reshape(-1, *[1] * (sums.ndim - 1))


def _statistics(sums: Array, whole: Array, sign: Array | int) -> Array:
    """By model: how far exposed places hold more than the model expects, in standard errors.

    ``sums`` over exposed places and ``whole`` over all, of: ones, counts, and each model's mean and
    variance; -inf where fewer than five places lie on one side.
    """
    cells, overlap = np.rint(sums[0]), np.rint(whole[0])
    enough = (cells >= FEWEST) & (overlap - cells >= FEWEST)
    found = []
    for at in range(2, len(sums), 2):
        v_1, all_v = sums[at + 1], whole[at + 1]
        valid = enough & (v_1 > 0) & (v_1 < all_v)
        q = np.where(valid, v_1 / np.where(valid, all_v, 1), 0.5)
        excess = (sums[1] - sums[at]) - q * (whole[1] - whole[at])
        z = sign * excess / np.sqrt(np.where(valid, v_1, 1) * (1 - q))
        found.append(np.where(valid, z, -np.inf))
    return np.array(found)


def _share(statistic: Array) -> float:
    """The share of steps, the one by nothing (the first) included, that reach the true statistic."""
    if not np.isfinite(statistic[0]):
        return float("nan")
    known = statistic[np.isfinite(statistic)]
    return float((known >= statistic[0] - 1e-9).mean())
