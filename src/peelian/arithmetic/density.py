"""Kernel density on a grid of cells: counts in, smoothed counts out, corrected at the edge of the mask."""

from __future__ import annotations

import numpy as np
from scipy import fft

from peelian.errors import DesignError

REACH = 4.0  # standard deviations at which the Gaussian is cut


def gaussian(sd: float) -> np.ndarray:
    """Weights of a Gaussian on whole cells out to 4 standard deviations; they sum to 1.

    ``sd`` in cells, above 0. Odd in number, symmetric.

    >>> len(gaussian(1.0)), round(float(gaussian(1.0).sum()), 12)
    (9, 1.0)
    """
    if not (np.isfinite(sd) and sd > 0):
        raise DesignError(f"A bandwidth must be above 0; got {sd:g} cells.")
    steps = np.arange(-int(REACH * sd + 0.5), int(REACH * sd + 0.5) + 1)
    weights = np.exp(-0.5 * (steps / sd) ** 2)
    return weights / weights.sum()


def blur(values: np.ndarray, sd: float) -> np.ndarray:
    """Values on a grid convolved with a Gaussian, nothing coming in from outside the grid.

    ``values``  (..., rows, columns); ``sd`` in cells. By FFT over a grid padded by the kernel's reach, so
    that nothing wraps round.
    """
    weights = gaussian(sd)
    half = len(weights) // 2
    rows, columns = values.shape[-2:]
    shape = [fft.next_fast_len(length + 2 * half, real=True) for length in (rows, columns)]
    across = fft.fft(weights, shape[0])
    along = fft.rfft(weights, shape[1])
    spectrum = fft.rfft2(values, shape) * (across[:, None] * along[None, :])
    smooth = fft.irfft2(spectrum, shape)[..., half : half + rows, half : half + columns]
    return np.maximum(smooth, 0.0)


def smooth_counts(counts: np.ndarray, inside: np.ndarray, *, sd: float) -> np.ndarray:
    """Counts by cell spread by a Gaussian over the cells of a study area, the total kept.

    ``counts``  (rows, columns), 0 outside; ``inside`` True for the cells of the study area.
    ``sd``      the bandwidth in cells.

    The smoothed counts are divided by the smoothed mask (Diggle 1985), so that a cell at the edge is not
    low because nothing was recorded beyond it, and scaled back to the total of the counts. Counts are
    binned to their cell's centre: a bandwidth of half a cell or more is honest.

    >>> grid = np.zeros((3, 3))
    >>> grid[1, 1] = 5
    >>> float(smooth_counts(grid, np.ones((3, 3), bool), sd=1.0).sum().round(9))
    5.0
    """
    cover = blur(inside.astype(float), sd)
    spread = np.where(inside, blur(counts * inside, sd) / np.where(inside, cover, 1.0), 0.0)
    total, spread_total = float((counts * inside).sum()), float(spread.sum())
    return spread * (total / spread_total) if spread_total > 0 else spread
