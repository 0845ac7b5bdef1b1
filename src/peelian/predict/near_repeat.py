"""Near repeats: what has just happened near by. Two maps that look back weeks; both need dates by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from peelian.errors import DesignError
from peelian.predict.along import metres_along
from peelian.predict.baselines import Counts
from peelian.predict.history import YEAR, History, Step
from peelian.predict.laid import on_cells, to_places
from peelian.predict.method import Method

STREET_BAND = 50.0  # metres along streets of a band, as wide as the cells of Bowers et al.
Bands = Literal["half-cells", "cells"]


def need_days(step: Step, name: str) -> None:
    """``DesignError`` where a method that reads dates is asked for months."""
    if step != "day":
        raise DesignError(
            f"{name} needs dates by day, and months were asked for. Use EWMA, EndemicEpidemic or "
            'PriorHistory, or load a force extract with dates and set horizon = "week".'
        )


@dataclass(frozen=True)
class ProMap(Method):
    """Prospective hot-spotting: recent incidents near by, each worth less the older and the farther.

    ``distance``  metres, ``days``: incidents within both count. ``bands``: distance in whole half-cells
                  from the incident to the cell's centre, or (``cells``) in whole cells from its cell.

    Sum of 1 / (1 + whole weeks) x 1 / (1 + bands) (Bowers, Johnson & Pease 2004). A ranking, not a rate:
    the backtest scales it to the level of the year. Needs dates by day; areas have a grid laid under them. On
    street segments: by whole steps of 50 m along the network, to 1,000 m (Rosser et al. 2017).
    """

    distance: float = 400
    days: int = 56
    bands: Bands = "half-cells"
    step: Step = "day"
    is_rate: ClassVar[bool] = False

    def __post_init__(self) -> None:
        need_days(self.step, "ProMap")
        if not (self.distance > 0 and self.days > 0):
            raise DesignError("ProMap looks back over a distance and a number of days above 0.")

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """The sum of weights by cell or street: no rate."""
        if history.places.kind == "street":
            return self._on_streets(history, start)
        cells = on_cells(history)
        cell, events = cells.places.cell or 0.0, cells.points
        recent = events.where(events.at >= start - self.days)
        weight = 1 / (1 + (start - 1 - recent.at) // 7)
        if self.bands == "cells":
            heat = np.bincount(recent.place, weight, len(cells.places))
            reach = int(self.distance // cell)
            return to_places(history, np.asarray(_chebyshev(cells, reach) @ heat))
        near = _within(cells, recent.x, recent.y, self.distance)
        near.data = 1 / (1 + near.data // (cell / 2))
        return to_places(history, np.asarray(weight @ near))

    def _on_streets(self, history: History, start: int) -> np.ndarray:
        key = ("along streets", self.distance)
        if key not in history.memo:
            near = metres_along(history.places, self.distance)
            near.data = 1 / (1 + near.data // STREET_BAND)
            history.memo[key] = near
        events = history.points
        recent = events.where(events.at >= start - self.days)
        heat = np.bincount(recent.place, 1 / (1 + (start - 1 - recent.at) // 7), len(history.places))
        return np.asarray(history.memo[key] @ heat)

    @property
    def words(self) -> str:
        """The map in words."""
        return f"incidents of the last {self.days} days within {self.distance:g} m, recent and near ones more"


@dataclass(frozen=True)
class NearRepeat(Method):
    """Counts of a year, plus what each recent incident is expected to bring near by.

    ``excess``    incidents that one incident brings in all, over ``distance`` metres and ``days``: from a
                  ``knox`` result of the same data (observed less expected pairs, over incidents). 0 without.
    ``seen_to``   the last month that this result rests on (``2018-12``).

    An incident adds excess x (1 - distance / limit) x (1 - age / limit), scaled over the cells and days in
    reach so that it adds ``excess`` in all. The year's counts give way by as much, so that the total stays.
    """

    excess: float = 0.0
    distance: float = 200
    days: int = 14
    seen_to: str | None = None
    step: Step = "day"

    def __post_init__(self) -> None:
        need_days(self.step, "NearRepeat")
        if not (0 <= self.excess < 1 and self.distance > 0 and self.days > 0):
            raise DesignError(
                "NearRepeat takes an excess from 0 up to 1 incident, over a distance and days above 0; got "
                f"{self.excess:g}, {self.distance:g} m, {self.days} days."
            )

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Counts of the last 365 days, less the share that repeats bring, plus what these do bring."""
        base = Counts(YEAR["day"], "day").expected(history, start, stop) * (1 - self.excess)
        if not self.excess:
            return base
        events = history.points
        recent = events.where(events.at > start - self.days)
        left, right = start - recent.at, np.minimum(stop - recent.at, self.days)
        left = np.minimum(left, right)
        when = ((right - left) - (right**2 - left**2) / (2 * self.days)) / (self.days / 2)
        near = _within(history, recent.x, recent.y, self.distance)
        near.data = 1 - near.data / self.distance
        own = sparse.csr_array(
            (np.full(len(recent.at), 1e-9), (np.arange(len(recent.at)), recent.place)), shape=near.shape
        )
        where = near + own  # an incident with no centre in reach stays in its own place
        total = np.asarray(where.sum(axis=1))
        return np.asarray(base + (self.excess * when / total) @ where)

    @property
    def inputs(self) -> dict[str, str | None]:
        """The Knox test that the excess comes from, with the last month it saw."""
        return {"near-repeat excess": self.seen_to} if self.excess else {}

    @property
    def words(self) -> str:
        """The map in words."""
        if not self.excess:
            return "counts of the last 365 days (no near-repeat excess given)"
        return (
            f"counts of the last 365 days, and {self.excess:g} more for each incident within "
            f"{self.distance:g} m and {self.days} days"
        )


def _within(history: History, x: np.ndarray, y: np.ndarray, distance: float) -> sparse.csr_array:
    """Distance from each incident to each place's centre within reach: incidents x places."""
    centres = _centres(history)
    if not len(x):
        return sparse.csr_array((0, len(centres)))
    pairs = cKDTree(np.column_stack([x, y])).sparse_distance_matrix(
        cKDTree(centres), distance, output_type="ndarray"
    )
    pairs = pairs[np.lexsort((pairs["j"], pairs["i"]))]
    return sparse.csr_array((pairs["v"], (pairs["i"], pairs["j"])), shape=(len(x), len(centres)))


def _centres(history: History) -> np.ndarray:
    if "centres" not in history.memo:
        points = history.places.points
        history.memo["centres"] = np.column_stack([points.x, points.y])
    centres: np.ndarray = history.memo["centres"]
    return centres


def _chebyshev(history: History, reach: int) -> sparse.csr_array:
    """1 / (1 + whole cells away, whichever way is longer) out to ``reach`` cells: places x places."""
    key = ("chebyshev", reach)
    if key not in history.memo:
        frame = history.places.frame
        at = np.column_stack([frame["column"], frame["row"]]).astype(float)
        tree = cKDTree(at)
        pairs = tree.sparse_distance_matrix(tree, reach + 0.5, p=np.inf, output_type="ndarray")
        history.memo[key] = sparse.csr_array(
            (1 / (1 + pairs["v"]), (pairs["i"], pairs["j"])), shape=(len(at), len(at))
        )
    near: sparse.csr_array = history.memo[key]
    return near
