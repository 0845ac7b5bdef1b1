"""KDE: past incidents spread to the places round them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from peelian.arithmetic.density import REACH, smooth_counts
from peelian.predict.along import metres_along
from peelian.predict.baselines import _above_zero, _window
from peelian.predict.history import History, Step
from peelian.predict.method import Method, choose, need_enough

if TYPE_CHECKING:
    from peelian.places import Places

BANDWIDTHS = (100.0, 150.0, 200.0, 250.0, 350.0, 500.0, 700.0, 1000.0)
USUAL_BANDWIDTH = 250.0


@dataclass(frozen=True)
class KDE(Method):
    """A smooth hot-spot map: each past incident is spread by a Gaussian over the places round it.

    ``bandwidth``  its standard deviation in metres, or ``"cv"``: the lowest log score at up to 48 earlier
                   origins among 100 to 1,000 m.
    ``window``     steps back, or None for all; ``half_life`` fades within it (KDE x EWMA).

    On a grid: counts by cell, smoothed by FFT and divided by the smoothed study area (Diggle 1985), total
    kept. On areas: from each one's point, in proportion to area and the kernel, total kept. On street
    segments: by metres along the network, to 1,000 m, in proportion to length and the kernel (Rosser,
    Davies, Bowers, Johnson & Cheng 2017). Nothing is spread outside the study area.
    """

    bandwidth: float | Literal["cv"] = "cv"
    window: int | None = None
    half_life: float | None = None
    step: Step = "month"

    def __post_init__(self) -> None:
        if self.bandwidth != "cv":
            _above_zero("bandwidth", self.bandwidth)
        _above_zero("window", self.window)
        _above_zero("half_life", self.half_life)

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Smoothed weighted mean count per step times the steps of the period."""
        need_enough(history, "KDE")
        bandwidth = self.chosen(history, start, stop)
        weight = history.weights(window=self.window, half_life=self.half_life)
        rate = history.weighted(weight) / weight.sum()
        return spread(rate, history, bandwidth) * (stop - start)

    def chosen(self, history: History, start: int, stop: int) -> float:
        """The bandwidth in use: the one given, or the best at earlier origins."""
        if self.bandwidth != "cv":
            return float(self.bandwidth)
        candidates = {
            (value, self.window, self.half_life): replace(self, bandwidth=value) for value in BANDWIDTHS
        }
        default = (USUAL_BANDWIDTH, self.window, self.half_life)
        return float(choose(history, start, stop, candidates, default=default).key[0])

    @property
    def words(self) -> str:
        """Bandwidth and window in words."""
        how = "chosen bandwidth" if self.bandwidth == "cv" else f"{self.bandwidth:g} m"
        if self.half_life is not None:
            how = f"{how}, half-life {self.half_life:g} {self.step}s"
            if self.window is None:
                return f"smoothed fading counts ({how})"
        return f"smoothed counts of {_window(self.window, self.step)} ({how})"


def spread(values: np.ndarray, history: History, bandwidth: float) -> np.ndarray:
    """Values by place spread to the places round them; the total is kept."""
    places = history.places
    if places.kind == "cell" and places.cell:
        if "grid" not in history.memo:
            history.memo["grid"] = _grid(places)
        row, column, inside = history.memo["grid"]
        grid = np.zeros(inside.shape)
        grid[row, column] = values
        return smooth_counts(grid, inside, sd=bandwidth / places.cell)[row, column]
    if ("kernel", bandwidth) not in history.memo:
        history.memo["kernel", bandwidth] = _kernel(places, bandwidth)
    return np.asarray(history.memo["kernel", bandwidth] @ values)


def _grid(places: Places) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row and column of every cell, and True where the rectangle round them holds one."""
    row, column = (places.frame[name].to_numpy() for name in ("row", "column"))
    row, column = row - row.min(), column - column.min()
    inside = np.zeros((row.max() + 1, column.max() + 1), bool)
    inside[row, column] = True
    return row, column, inside


def _kernel(places: Places, bandwidth: float) -> object:
    """How much of an incident in one place (column) is spread to another (row); columns sum to 1."""
    from scipy import sparse
    from scipy.spatial import cKDTree

    if places.kind == "street":
        near, size = metres_along(places, REACH * bandwidth).tocoo(), places.geometry.length.to_numpy()
    else:
        points = places.points
        tree = cKDTree(np.column_stack([points.x, points.y]))
        near = tree.sparse_distance_matrix(tree, REACH * bandwidth, output_type="coo_matrix")
        size = places.areas.to_numpy()
    weight = np.exp(-0.5 * (near.data / bandwidth) ** 2) * size[near.row]
    kernel = sparse.csr_array((weight, (near.row, near.col)), shape=near.shape)
    return kernel @ sparse.diags_array(1 / np.asarray(kernel.sum(axis=0)).ravel())
