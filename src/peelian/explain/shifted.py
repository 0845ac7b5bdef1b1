"""Maps of a factor moved over the study area: how often does a moved map fit as well as the true one?

On a grid by every whole step at once; elsewhere by steps drawn at random.
Source: Lotwick & Silverman (1982); Mrkvicka et al. (2021) for windows that are not whole rectangles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
POINTS_AT_ONCE, SCOUTS = 200_000, 128
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

        ``columns`` places x the factor's candidates (0/1, 0/-1 protective, or shares of places); ``models``
        are mean and variance of the counts in models without the factor (a constant mean gives the marginal
        test). The statistic is the largest over the candidates, so that the choice among them is paid for;
        at least five places on each side (of shares: with some of it, and not wholly in it). NaN where the
        true map has too few.
        """
        fields = _Fields.of([np.ones(len(counts)), counts, *(values for model in models for values in model)])
        transforms = self.transform(np.array(fields.distinct))
        whole = fields.all_of(self.sums(transforms, self.whole))
        best = np.full((len(models), whole.shape[1]), -np.inf)
        for column in np.asarray(columns).T:
            exposed, *more = (self.transform(part)[0] for part in parts_of(column))
            sums, shares = fields.all_of(self.sums(transforms, exposed)), None
            if more:
                squares, some, wholly = more
                some, wholly = (self.sums(transforms[:1], part)[0] for part in (some, wholly))
                shares = InPart(fields.all_of(self.sums(transforms, squares)), some, wholly)
            best = np.maximum(best, _statistics(sums, whole, -1 if (column < 0).any() else 1, shares))
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
        cls, places: Array, held: Callable[[Array], Array], seed: Any, share: float = KEPT, steps: int = STEPS
    ) -> Scattered:
        """``places`` rows x 2 metres; ``held`` says which place holds each of some points (-1: none).

        Steps are drawn evenly over the directions and lengths that leave ``share`` of the places on it.
        """
        rng = np.random.default_rng(seed)
        at_once = max(1, min(64, POINTS_AT_ONCE // len(places)))

        def drawn(farthest: Array) -> tuple[Array, Array]:
            away = rng.uniform(-farthest, farthest, (at_once, 2))
            onto = held((places - away[:, None]).reshape(-1, 2)).reshape(at_once, -1)
            kept = (onto >= 0).sum(axis=1) >= share * len(places)
            return away[kept], onto[kept].astype(np.int32)

        farthest = 0.5 * np.ptp(places, axis=0)
        for _ in range(12):  # the box of what can be kept is small beside that of the study area
            near = [np.abs(drawn(farthest)[0]) for _ in range(-(-SCOUTS // at_once))]
            reached = np.vstack(near).max(axis=0, initial=0.0)
            if (reached >= 0.6 * farthest).all():
                break
            farthest = np.maximum(1.3 * reached, 0.5 * farthest)
        found = [np.arange(len(places), dtype=np.int32)[None]]
        for _ in range(0, 20 * steps, at_once):
            if sum(map(len, found)) > steps:
                break
            found.append(drawn(farthest)[1])
        return cls(np.vstack(found)[: steps + 1])

    def test(self, columns: Array, counts: Array, models: Sequence[Model]) -> list[float]:
        """The same test as of a ``Window``."""
        fields = _Fields.of([np.ones(len(counts)), counts, *(values for model in models for values in model)])
        values, (exposed, *more) = np.array(fields.distinct), parts_of(np.asarray(columns))
        sign = np.where((np.asarray(columns) < 0).any(axis=0), -1, 1)
        best = np.empty((len(models), len(self.onto)))
        for at, onto in enumerate(self.onto):
            on = onto >= 0
            here, there = values[:, on], onto[on]
            sums, whole = fields.all_of(here @ exposed[there]), fields.all_of(here.sum(axis=1)[:, None])
            shares = None
            if more:
                squares, some, wholly = (part[there] for part in more)
                shares = InPart(fields.all_of(here @ squares), some.sum(axis=0), wholly.sum(axis=0))
            best[:, at] = _statistics(sums, whole, sign, shares).max(axis=1)
        return [_share(statistic) for statistic in best]


def ground_of(places: Places, fitted: Array, seed: int, *, steps: int = STEPS) -> Window | Scattered:
    """The places in the fit, ready for maps to be moved over them.

    Off the grid an area takes what was measured in the area that its own point falls into; a street takes
    it from the nearest street, as far away as streets lie apart. ``steps``  to draw there.
    """
    frame = places.frame.loc[fitted]
    if places.kind == "cell" and "column" in frame:
        return Window.of(frame["column"].to_numpy(), frame["row"].to_numpy())
    middle = places.points[fitted]
    points = np.column_stack([middle.x, middle.y])
    held = nearest_within(points, seed) if places.kind == "street" else _inside(frame.geometry.to_numpy())
    return Scattered.of(points, held, [seed, 0, 5], steps=steps)


def _inside(shapes: Array) -> Callable[[Array], Array]:
    """Which area holds each of some points; -1 where none does."""
    import shapely

    tree = shapely.STRtree(shapes)

    def held(points: Array) -> Array:
        at = np.full(len(points), -1, np.int64)
        point, area = tree.query(shapely.points(points), predicate="intersects")
        at[point[::-1]] = area[::-1]  # of several the first
        return at

    return held


def nearest_within(points: Array, seed: int) -> Callable[[Array], Array]:
    """Which of the places (rows x 2 metres) is nearest to each of some points; -1 where none is near enough.

    Near enough is so far that nine in ten places, moved by a short step, come near another: the width of the
    gaps between streets.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    apart = tree.query(points, k=[2])[0]
    apart = float(np.median(apart[np.isfinite(apart)])) if len(points) > 1 else 0.0
    turn = np.random.default_rng([seed, 0, 6]).uniform(0, 2 * np.pi, 16)
    short = 1.5 * apart * np.column_stack([np.cos(turn), np.sin(turn)])
    gaps = tree.query((points + short[:, None]).reshape(-1, 2))[0]
    reach = max(apart, float(np.quantile(gaps, 0.9))) * (1 + 1e-9)

    def held(moved: Array) -> Array:
        away, nearest = tree.query(moved, distance_upper_bound=reach)
        return np.where(np.isfinite(away), nearest, -1)

    return held


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


def parts_of(columns: Array) -> list[Array]:
    """What is summed of a factor's columns: which places are exposed; of shares, how far they are, the
    squares, which places are in part, and which wholly.

    >>> [part.tolist() for part in parts_of(np.array([0, -1, -1]))]
    [[0.0, 1.0, 1.0]]
    >>> [part.tolist() for part in parts_of(np.array([0, 0.5, 1]))]
    [[0.0, 0.5, 1.0], [0.0, 0.25, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    """
    x = np.abs(np.asarray(columns, float))
    if np.isin(x, (0, 1)).all():
        return [x]
    return [x, x**2, (x > 0).astype(float), (x > 1 - 1e-9).astype(float)]


@dataclass(frozen=True, eq=False)
class InPart:
    """What the statistic needs beyond sums where columns are shares of places: sums with the ``squares``,
    and how many places are exposed in part and wholly."""

    squares: Array
    some: Array
    wholly: Array


def _statistics(sums: Array, whole: Array, sign: Array | int, shares: InPart | None = None) -> Array:
    """By model: how far exposed places hold more than the model expects, in standard errors.

    ``sums`` over exposed places and ``whole`` over all, of: ones, counts, and each model's mean and
    variance; -inf where fewer than five places lie on one side.
    """
    cells, overlap = np.rint(sums[0]), np.rint(whole[0])
    wholly = cells
    if shares is not None:
        cells, wholly = np.rint(shares.some), np.rint(shares.wholly)
    enough = (cells >= FEWEST) & (overlap - wholly >= FEWEST)
    found = []
    for at in range(2, len(sums), 2):
        v_1, all_v = sums[at + 1], whole[at + 1]
        spread = v_1 if shares is None else shares.squares[at + 1]
        valid = enough & (v_1 > 0) & (v_1 < all_v)
        q = np.where(valid, v_1 / np.where(valid, all_v, 1), 0.5)
        excess = (sums[1] - sums[at]) - q * (whole[1] - whole[at])
        # of marks the second term is q v_1, so that v_1 (1 - q) is left
        variance = np.where(valid, spread - q * v_1, 1)
        valid &= variance > 1e-12
        z = sign * excess / np.sqrt(np.where(valid, variance, 1))
        found.append(np.where(valid, z, -np.inf))
    return np.array(found)


def _share(statistic: Array) -> float:
    """The share of steps, the one by nothing (the first) included, that reach the true statistic."""
    if not np.isfinite(statistic[0]):
        return float("nan")
    known = statistic[np.isfinite(statistic)]
    return float((known >= statistic[0] - 1e-9).mean())
