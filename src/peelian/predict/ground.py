"""Ground: the study area as a raster that a background is smoothed on, and the spread of what is brought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.special import erf

from peelian.arithmetic.density import blur, gaussian
from peelian.predict.history import YEAR, History
from peelian.predict.kernel import Kernel, sunflower
from peelian.predict.method import ENOUGH

FINER = 4  # raster cells that a bandwidth spans at least
BANDWIDTHS = (150.0, 200.0, 250.0, 300.0, 400.0, 500.0, 700.0, 1000.0)
USUAL_BANDWIDTH = 500.0
POINTS = 4_096  # that stand for a spread where its share in the study area is asked for
FEW_POINTS = 256  # and for a power law that is laid on cells
SPREAD_EVENLY = (0.7548776662466927, 0.5698402909980532)  # 1 / g and 1 / g2, g3 = g + 1 (Roberts 2018)


@dataclass(frozen=True, eq=False)
class Ground:
    """The study area as a raster under the grid of places, to smooth the background on."""

    west: float
    south: float
    step: float
    bandwidth: float
    mask: np.ndarray
    cover: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, history: History, bandwidth: float) -> Ground:
        """The raster of a grid of places: their cells, cut finer where they are wide."""
        places = history.places
        assert places.cell and places.origin is not None
        key = ("ground", bandwidth)
        if key not in history.memo:
            finer = max(int(np.ceil(FINER * places.cell / bandwidth)), 1)
            place = np.repeat(np.repeat(_table(history), finer, axis=0), finer, axis=1)
            step = places.cell / finer
            mask = place >= 0
            cover = np.maximum(blur(mask.astype(float), bandwidth / step), 1e-9)
            west, south = places.origin
            history.memo[key] = cls(west, south, step, bandwidth, mask, cover, place)
        ground: Ground = history.memo[key]
        return ground

    @property
    def area(self) -> float:
        """Square metres of the study area."""
        return float(self.mask.sum()) * self.step**2

    def relief(self, factor: np.ndarray) -> Relief:
        """A factor by place, by which the background is higher or lower whatever is smoothed, as a raster."""
        lifted = np.where(self.mask, factor[self.place], 0.0)
        return Relief(lifted, np.maximum(blur(lifted, self.bandwidth / self.step), 1e-9))

    def cells(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The raster cell of each point, as one number."""
        rows, columns = self.mask.shape
        column = np.clip(((x - self.west) / self.step).astype(int), 0, columns - 1)
        row = np.clip(((y - self.south) / self.step).astype(int), 0, rows - 1)
        return np.asarray(row * columns + column)

    def smooth(self, at: np.ndarray, weight: np.ndarray, relief: Relief | None = None) -> np.ndarray:
        """Weights spread by the Gaussian, corrected at the edge: per square metre, on the raster.

        With ``relief`` the weights are smoothed as multiples of it: relief x smoothed weights over the
        smoothed relief, which is the plain correction where the relief is 1 all over.
        """
        counts = np.bincount(at, weight, self.mask.size).reshape(self.mask.shape)
        spread = blur(counts, self.bandwidth / self.step) / self.step**2
        if relief is None:
            return np.asarray(spread / self.cover)
        return np.asarray(spread * relief.factor / relief.cover)

    def rate(
        self, at: np.ndarray, weight: np.ndarray, relief: Relief | None = None, own: np.ndarray | None = None
    ) -> np.ndarray:
        """The density at each point, leaving the point itself (``own``: all entries of its incident) out."""
        top = gaussian(self.bandwidth / self.step).max() ** 2
        own = (weight if own is None else own) * top / self.step**2
        if relief is None:
            own = own / self.cover.ravel()[at]
        else:
            own = own * relief.factor.ravel()[at] / relief.cover.ravel()[at]
        return np.asarray(np.maximum(self.smooth(at, weight, relief).ravel()[at] - own, 1e-15))

    def inside(self, at: np.ndarray, kernel: Kernel, distance: float) -> np.ndarray:
        """Share of the spread round each point, cut at ``distance``, that lies in the study area."""
        step = np.arange(POINTS)  # points of the spread, each from another spot of its raster cell
        x, y = (
            np.floor(value / self.step + (0.5 + step * ratio) % 1).astype(int)
            for value, ratio in zip(sunflower(kernel, distance, POINTS), SPREAD_EVENLY, strict=True)
        )
        far = int(max(np.abs(x).max(), np.abs(y).max()))
        weight = np.zeros((2 * far + 1, 2 * far + 1))
        np.add.at(weight, (far - y, far - x), 1 / POINTS)
        rows, columns = self.mask.shape
        shape = [fft.next_fast_len(length + 2 * far, real=True) for length in (rows, columns)]
        share = fft.irfft2(fft.rfft2(self.mask.astype(float), shape) * fft.rfft2(weight, shape), shape)
        return np.asarray(share[far : far + rows, far : far + columns].ravel()[at].clip(0.05, 1))

    def by_place(self, at: np.ndarray, weight: np.ndarray, relief: Relief | None = None) -> np.ndarray:
        """The smoothed weights summed over each place, their total kept."""
        smooth = self.smooth(at, weight, relief)[self.mask]
        held = np.bincount(self.place[self.mask], smooth)
        return np.asarray(held * (weight.sum() / held.sum()))


@dataclass(frozen=True, eq=False)
class Relief:
    """A factor on the raster (0 outside the study area), and the same smoothed."""

    factor: np.ndarray
    cover: np.ndarray


def least_surprising(history: History) -> float:
    """The bandwidth under which the incidents of the last year lie where those before say, in metres."""
    events = history.points
    before = events.at < history.end - YEAR["day"]
    if before.sum() < ENOUGH or (~before).sum() < ENOUGH:
        return USUAL_BANDWIDTH
    scores = {}
    for width in BANDWIDTHS:
        ground = Ground.of(history, width)
        at = ground.cells(events.x, events.y)
        density = ground.smooth(at[before], np.ones(int(before.sum()))).ravel()[at[~before]]
        even = before.sum() / ground.area
        scores[width] = float(np.log(0.99 * density + 0.01 * even).mean())
    return max(scores, key=scores.__getitem__)


def laid_on_cells(
    history: History, x: np.ndarray, y: np.ndarray, weight: np.ndarray, kernel: Kernel, distance: float
) -> np.ndarray:
    """Weights spread over cells by the mass of the spread in each: by place. What falls outside is lost."""
    if not kernel.tail:
        return _gaussian_masses(history, x, y, weight, kernel.sigma, distance)
    cell, (west, south) = history.places.cell or 1.0, history.places.origin or (0.0, 0.0)
    place, out = _table(history), np.zeros(len(history.places))
    for right, up in zip(*sunflower(kernel, distance, FEW_POINTS), strict=True):
        column = np.floor((x + right - west) / cell).astype(int)
        row = np.floor((y + up - south) / cell).astype(int)
        _add(out, place, row, column, weight / FEW_POINTS)
    return out


def _gaussian_masses(
    history: History, x: np.ndarray, y: np.ndarray, weight: np.ndarray, sigma: float, distance: float
) -> np.ndarray:
    """The exact mass of each incident's Gaussian in the cells round it."""
    places = history.places
    assert places.cell and places.origin
    cell, (west, south) = places.cell, places.origin
    place = _table(history)
    reach = int(np.ceil(min(distance, 4 * sigma) / cell))
    offsets = np.arange(-reach, reach + 2)

    def masses(value: np.ndarray, origin: float) -> tuple[np.ndarray, np.ndarray]:
        home = np.floor((value - origin) / cell).astype(int)
        edges = origin + (home[:, None] + offsets) * cell
        cumulated = erf((edges - value[:, None]) / (sigma * np.sqrt(2))) / 2
        mass = np.diff(cumulated, axis=1)
        return home, mass / mass.sum(axis=1, keepdims=True)

    column, across = masses(x, west)
    row, along = masses(y, south)
    out = np.zeros(len(places))
    for i in range(2 * reach + 1):
        for j in range(2 * reach + 1):
            _add(out, place, row + offsets[i], column + offsets[j], weight * along[:, i] * across[:, j])
    return out


def _add(out: np.ndarray, place: np.ndarray, row: np.ndarray, column: np.ndarray, weight: np.ndarray) -> None:
    """Add weights to the places that hold the cells; those outside are left."""
    rows, columns = place.shape
    on = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    where, weight = place[row[on], column[on]], weight[on]
    out += np.bincount(where[where >= 0], weight[where >= 0], len(out))


def _table(history: History) -> np.ndarray:
    """The position of each cell on the places' index, by row and column; -1 outside."""
    frame = history.places.frame
    column, row = (frame[name].to_numpy(int) for name in ("column", "row"))
    whole = np.full((row.max() + 1, column.max() + 1), -1)
    whole[row, column] = np.arange(len(frame))
    return whole
