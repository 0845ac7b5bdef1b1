"""Kernel density on a grid: where crime lies thick, corrected at the edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import fft

from peelian.errors import DesignError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

Array = Any
Shape = Literal["quartic", "gaussian", "epanechnikov"]
VOLUMES = (0.25, 0.5)


@dataclass(frozen=True, eq=False)
class KernelDensity:
    """Smoothed crime by cell.

    ``frame`` on the cells' index: ``density`` (incidents a square kilometre), ``rate`` (per 1,000 households,
    both smoothed; where households are given) and ``volume`` (``25 %``: among the fewest cells that hold a
    quarter of the density, ``50 %``, ``rest``). ``bandwidth`` metres; ``accounting`` every row.
    """

    frame: pd.DataFrame
    bandwidth: float
    kernel: str
    accounting: dict[str, int]
    crime: str = "crime"

    def __str__(self) -> str:
        share = 100 * float(self.frame["volume"].isin(["25 %", "50 %"]).mean())
        return (
            f"Half of the density of {self.crime} lies in {share:.1f} % of cells ({self.kernel} kernel, "
            f"bandwidth {self.bandwidth:g} m)."
        )


def kernel_density(
    incidents: Incidents, cells: Places, *, bandwidth: float | Sequence[float] = 300,
    kernel: Shape = "quartic", households: pd.Series | None = None, crime: str = "crime",
) -> KernelDensity:  # fmt: skip
    """Where crime lies thick: kernel density at the centres of the cells of a grid.

    ``bandwidth``  metres: the radius of a quartic or Epanechnikov kernel, the standard deviation of a
    Gaussian; of several the one with the highest likelihood of each incident given the others. ``households``
    by cell, for a rate (both smoothed alike).

    Points are shared between the four nearest centres (linear binning), then convolved by FFT. The density is
    divided by the part of the kernel that lies in the study area (Diggle 1985). Raises ``DesignError`` for
    places that are no grid, or a bandwidth below the cell.
    """
    import pandas as pd

    if not cells.cell or not cells.origin or "column" not in cells.frame:
        raise DesignError('Kernel density needs a regular grid: places = "cells", or Places.grid.')
    grid = Grid.of(cells)
    place = incidents.place_of(cells)
    held = incidents.frame.geometry[place.notna()].to_crs(cells.crs)
    counts = grid.shared(held.x.to_numpy(), held.y.to_numpy())
    wide = [float(b) for b in np.atleast_1d(bandwidth)]
    if min(wide) < cells.cell:
        raise DesignError(f"A bandwidth of {min(wide):g} m is less than the cell of {cells.cell:g} m.")
    best = wide[0]
    if len(wide) > 1:
        whole = np.zeros(grid.shape)
        whole[grid.column, grid.row] = place.value_counts().reindex(cells.index, fill_value=0)
        best = max(wide, key=lambda b: grid.likelihood(whole, b, kernel))
    smooth = grid.smooth(counts, best, kernel)
    frame = pd.DataFrame(
        {"density": smooth * 1e6 / cells.cell**2, "volume": volumes(smooth)}, index=cells.index
    )
    if households is not None:
        homes = np.zeros(grid.shape)
        homes[grid.column, grid.row] = households.reindex(cells.index).fillna(0)
        under = grid.smooth(homes, best, kernel)
        frame["rate"] = np.divide(1000 * smooth, under, out=np.full(len(under), np.nan), where=under > 1e-9)
    located = int(incidents.located.sum())
    account = {
        "rows read": incidents.rows_read, "refused on reading": len(incidents.rejected),
        "without a point": len(incidents) - located, "outside the study area": located - len(held),
        "used": len(held),
    }  # fmt: skip
    return KernelDensity(frame, best, kernel, account, crime)


def contours(found: KernelDensity, cells: Places) -> gpd.GeoDataFrame:
    """The ground that holds a quarter of the density and the ground that holds half: one shape each."""
    import geopandas as gpd

    volume = found.frame["volume"]
    held = {"25 %": ("25 %",), "50 %": ("25 %", "50 %")}
    ground = {name: cells.geometry[volume.isin(classes)] for name, classes in held.items()}
    shapes = [part.union_all(method="coverage") for part in ground.values()]
    about = {"volume": list(held), "cells": [len(part) for part in ground.values()]}
    return gpd.GeoDataFrame(about, geometry=shapes, crs=cells.crs)


@dataclass(frozen=True, eq=False)
class Grid:
    """A study area as an array of cells: positions of its cells, side in metres, lower-left corner."""

    column: Array
    row: Array
    cell: float
    corner: tuple[float, float]

    @classmethod
    def of(cls, cells: Places) -> Grid:
        """The grid of these places."""
        assert cells.cell
        assert cells.origin
        column, row = (cells.frame[name].to_numpy() for name in ("column", "row"))
        return cls(column, row, cells.cell, cells.origin)

    @property
    def shape(self) -> tuple[int, int]:
        """Columns and rows of the array."""
        return int(self.column.max()) + 1, int(self.row.max()) + 1

    @property
    def mask(self) -> Array:
        """1 for the cells of the study area."""
        inside = np.zeros(self.shape)
        inside[self.column, self.row] = 1
        return inside

    def shared(self, x: Array, y: Array) -> Array:
        """Points shared between the four nearest centres, by how near they are; the total kept."""
        wide, high = self.shape
        u = np.clip((x - self.corner[0]) / self.cell - 0.5, 0, wide - 1)
        v = np.clip((y - self.corner[1]) / self.cell - 0.5, 0, high - 1)
        i, j = (
            np.minimum(u.astype(np.intp), max(wide - 2, 0)),
            np.minimum(v.astype(np.intp), max(high - 2, 0)),
        )
        a, b = u - i, v - j
        at = i * high + j
        total = np.zeros(wide * high + high + 1)
        for step, part in ((0, (1 - a) * (1 - b)), (high, a * (1 - b)), (1, (1 - a) * b), (high + 1, a * b)):
            total += np.bincount(at + step, part, minlength=len(total))
        return total[: wide * high].reshape(wide, high)

    def smooth(self, values: Array, bandwidth: float, kernel: Shape = "quartic") -> Array:
        """Values spread over the study area's cells, corrected at its edge; one value a cell of the area."""
        weights = kernel_weights(bandwidth / self.cell, kernel)
        spread, cover = _convolved(np.stack([values, self.mask]), weights)
        inside = cover[self.column, self.row]
        return np.maximum(spread[self.column, self.row], 0.0) / np.maximum(inside, 1e-12)

    def likelihood(self, counts: Array, bandwidth: float, kernel: Shape = "quartic") -> float:
        """Log likelihood of each incident given all the others; ``counts`` whole, by cell."""
        weights = kernel_weights(bandwidth / self.cell, kernel)
        middle = weights[weights.shape[0] // 2, weights.shape[1] // 2]
        here = counts[self.column, self.row]
        own = middle / np.maximum(_convolved(self.mask[None], weights)[0][self.column, self.row], 1e-12)
        others = np.maximum(self.smooth(counts, bandwidth, kernel) - own, 1e-12)
        return float(here @ np.log(others / max(here.sum() - 1, 1)))


def kernel_weights(bandwidth: float, kernel: Shape) -> Array:
    """Weights of a kernel on whole cells, adding to 1; ``bandwidth`` in cells.

    >>> kernel_weights(1.5, "quartic").round(3).tolist()
    [[0.005, 0.135, 0.005], [0.135, 0.438, 0.135], [0.005, 0.135, 0.005]]
    """
    reach = int(np.ceil(4 * bandwidth if kernel == "gaussian" else bandwidth))
    steps = np.arange(-reach, reach + 1) / bandwidth
    squared = steps[:, None] ** 2 + steps[None, :] ** 2
    if kernel == "gaussian":
        weights = np.exp(-squared / 2)
    else:
        weights = np.maximum(1 - squared, 0) ** (2 if kernel == "quartic" else 1)
    filled = np.flatnonzero(weights.any(axis=0))
    weights = weights[filled[0] : filled[-1] + 1, filled[0] : filled[-1] + 1]
    return weights / weights.sum()


def _convolved(grids: Array, weights: Array) -> Array:
    half = weights.shape[0] // 2
    shape = [fft.next_fast_len(n + 2 * half, real=True) for n in grids.shape[-2:]]
    spectrum = fft.rfft2(grids, shape) * fft.rfft2(weights, shape)
    wide, high = grids.shape[-2:]
    return fft.irfft2(spectrum, shape)[..., half : half + wide, half : half + high]


def volumes(density: Array) -> Array:
    """Class of each cell: ``25 %`` and ``50 %`` are the fewest cells that hold that share of the whole.

    >>> volumes(np.array([5.0, 3, 1, 1])).tolist()
    ['25 %', 'rest', 'rest', 'rest']
    """
    order = np.sort(density)[::-1]
    total = np.cumsum(order)
    named = np.full(len(density), "rest", dtype="<U4")
    for share in reversed(VOLUMES):
        cut = order[np.searchsorted(total, share * total[-1] - 1e-12)]
        named[density >= cut] = f"{share:.0%}".replace("%", " %")
    return named
