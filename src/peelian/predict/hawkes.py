"""Hawkes: a lasting background and what each incident brings, at its own place and round it (ETAS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import erf

from peelian.arithmetic.density import blur, gaussian
from peelian.errors import DesignError
from peelian.predict.history import YEAR, History, Step
from peelian.predict.laid import on_cells, to_places
from peelian.predict.method import ENOUGH, Method, need_enough
from peelian.predict.near_repeat import need_days
from peelian.predict.triggering import (
    OMEGA,
    Kernel,
    Reach,
    Triggered,
    mean_delay,
    pairs_within,
    triggered,
)

FINER = 4  # raster cells that a bandwidth spans at least
ADDRESS_FLOOR = 25.0
BANDWIDTHS = (150.0, 200.0, 250.0, 300.0, 400.0, 500.0, 700.0, 1000.0)
USUAL_BANDWIDTH = 500.0


@dataclass(frozen=True, eq=False)
class Fit:
    """What was fitted: the kernel, the background by cell, and what it says of itself.

    ``background`` incidents a day by cell; ``share`` of incidents that are background; ``found`` the EM's own
    answer; ``warnings`` in sentences.
    """

    kernel: Kernel
    background: np.ndarray
    share: float
    reach: Reach
    found: Triggered
    until: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Hawkes(Method):
    """A lasting background, and what each incident brings: repeats at its place, others near it.

    ``bandwidth``    metres of the background's Gaussian; ``"cv"`` takes the one under which the incidents of
                     the last year were least surprising, seen from those before, among 150 to 1,000 m.
    ``distance``     metres and ``days``: where triggering is cut.
    ``floor``        least spread in metres; None: the median distance from a distinct point to the next, at
                     least 25 m: below it a Gaussian runs into the snapping of the points.
    ``repeat_area``  square metres that one place stands for; None: the square of that median distance.
    ``refit``        fitted anew every so many days; between fits only recent incidents change the forecast.

    Rate = b(s) + sum over earlier incidents of omega exp(-omega age) x (repeat at the same place /
    repeat_area + near x Gaussian). Fitted by EM (Veen & Schoenberg 2008; Mohler et al. 2011); incidents of
    one day never bring each other. The expected count of a period is in closed form: what is brought dies
    away while it brings more. Needs dates by day, ``DesignError`` otherwise; areas have a grid laid under
    them.
    """

    bandwidth: float | Literal["cv"] = "cv"
    distance: float = 500
    days: int = 180
    repeat_area: float | None = None
    floor: float | None = None
    refit: int = 91
    step: Step = "day"

    def __post_init__(self) -> None:
        need_days(self.step, "Hawkes")
        widths = () if self.bandwidth == "cv" else (self.bandwidth,)
        if not all(value > 0 for value in (*widths, self.distance, self.days, self.refit)):
            raise DesignError("Hawkes takes a bandwidth, a distance, days and refit above 0.")

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Background and triggered incidents of the period, by cell, in closed form."""
        cells = on_cells(history)
        fit, events = self.fitted(cells), cells.points
        kernel = fit.kernel
        recent = events.where(events.at >= start - self.days)
        age = start - recent.at - 0.5
        rate = kernel.omega * np.exp(-kernel.omega * age) / -np.expm1(-kernel.omega * self.days)
        own = np.bincount(recent.place, kernel.repeat * rate, len(cells.places))
        spread = _spread(cells, recent.x, recent.y, kernel.near * rate, kernel.sigma, self.distance)
        return to_places(history, over_period(fit.background, own + spread, kernel, stop - start))

    def fitted(self, history: History) -> Fit:
        """Kernel and background by cell, from incidents before the last date of fitting."""
        history = on_cells(history)
        until = self._until(history)
        key = ("hawkes", *vars(self).values(), until)
        if key not in history.memo:
            known = history.before(until)
            need_enough(known, "Hawkes")
            history.memo[key] = self._fit(known, until)
        fit: Fit = history.memo[key]
        return fit

    def fitted_until(self, history: History, start: int, stop: int) -> int:
        """The first day that the fit in use did not see."""
        return self._until(history)

    def _until(self, history: History) -> int:
        since = history.end - history.first
        return history.end - since % self.refit if since >= self.refit + self.days else history.end

    def _fit(self, history: History, until: int) -> Fit:
        events, width = history.points, self.bandwidth
        ground = Ground.of(history, least_surprising(history) if width == "cv" else width)
        apart = 0.0 if self.repeat_area and self.floor else _between(events.x, events.y)
        area, floor = self.repeat_area or apart**2, self.floor or max(apart, ADDRESS_FLOOR)
        reach = Reach(self.distance, self.days, area, min(floor, self.distance / 2), until)
        pairs = pairs_within(events.at, events.x, events.y, distance=self.distance, days=self.days)
        at, days = ground.cells(events.x, events.y), until - events.at[0]
        found = triggered(
            events.at, pairs, reach, lambda chance: ground.rate(at, chance) / days,
            inside=lambda sigma: ground.inside(at, sigma),
        )  # fmt: skip
        share = float(found.background.mean())
        background = ground.by_place(at, found.background) / days
        return Fit(found.kernel, background, share, reach, found, until, _warnings(found, reach, share))

    def told(self, history: History) -> str:
        """What the fit says, in sentences: background, repeats, delay, reach, and what is doubtful."""
        fit = self.fitted(history)
        kernel = fit.kernel
        reach = min(kernel.sigma * np.sqrt(2 * np.log(10)), self.distance)
        words = (
            f"Self-exciting model: {fit.share:.0%} of incidents belong to the lasting background; each "
            f"brings {kernel.repeat:.2f} at its own place and {kernel.near:.2f} near by, on average "
            f"{mean_delay(kernel, self.days):.0f} days later, 90 % within {reach:.0f} m. Near repeats "
            "and lasting differences between places are hard to tell apart (Reinhart and Greenhouse 2018)."
        )
        return " ".join([words, *fit.warnings])

    @property
    def words(self) -> str:
        """The method in words."""
        return "a lasting background and what each incident brings near it"


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


def over_period(background: np.ndarray, excited: np.ndarray, kernel: Kernel, days: int) -> np.ndarray:
    """Expected incidents in so many days, from rates a day: what is brought brings more and dies away.

    ``background`` and ``excited``  rates at the start. With m = background / (1 - theta) and
    kappa = omega (1 - theta): days x m + (background + excited - m)(1 - exp(-kappa days)) / kappa.

    >>> over_period(np.array([2.0]), np.array([0.0]), Kernel(0.0, 0.0, 0.1, 50.0), 7).tolist()
    [14.0]
    """
    rest = max(1 - kernel.total, 1e-6)
    lasting, decay = background / rest, kernel.omega * rest
    return np.asarray(
        days * lasting + (background + excited - lasting) * -np.expm1(-decay * days) / decay
    ).clip(0)


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

    def cells(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The raster cell of each point, as one number."""
        rows, columns = self.mask.shape
        column = np.clip(((x - self.west) / self.step).astype(int), 0, columns - 1)
        row = np.clip(((y - self.south) / self.step).astype(int), 0, rows - 1)
        return np.asarray(row * columns + column)

    def smooth(self, at: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Weights spread by the Gaussian, corrected at the edge: per square metre, on the raster."""
        counts = np.bincount(at, weight, self.mask.size).reshape(self.mask.shape)
        return np.asarray(blur(counts, self.bandwidth / self.step) / self.cover / self.step**2)

    def rate(self, at: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The density at each point, leaving the point itself out."""
        top = gaussian(self.bandwidth / self.step).max() ** 2
        own = weight * top / self.cover.ravel()[at] / self.step**2
        return np.asarray(np.maximum(self.smooth(at, weight).ravel()[at] - own, 1e-15))

    def inside(self, at: np.ndarray, sigma: float) -> np.ndarray:
        """Share of a Gaussian round each point that lies in the study area."""
        return np.asarray(blur(self.mask.astype(float), sigma / self.step).ravel()[at].clip(0.05, 1))

    def by_place(self, at: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The smoothed weights summed over each place, their total kept."""
        smooth = self.smooth(at, weight)[self.mask]
        held = np.bincount(self.place[self.mask], smooth)
        return np.asarray(held * (weight.sum() / held.sum()))


def _table(history: History) -> np.ndarray:
    """The position of each cell on the places' index, by row and column; -1 outside."""
    frame = history.places.frame
    column, row = (frame[name].to_numpy(int) for name in ("column", "row"))
    whole = np.full((row.max() + 1, column.max() + 1), -1)
    whole[row, column] = np.arange(len(frame))
    return whole


def _spread(
    history: History, x: np.ndarray, y: np.ndarray, weight: np.ndarray, sigma: float, distance: float
) -> np.ndarray:
    """Weights spread over cells by the exact mass of each one's Gaussian: by place."""
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
    rows, columns = place.shape
    for i in range(2 * reach + 1):
        for j in range(2 * reach + 1):
            r, c = row + offsets[i], column + offsets[j]
            on = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
            where = place[r[on], c[on]]
            share = (weight * along[:, i] * across[:, j])[on]
            out += np.bincount(where[where >= 0], share[where >= 0], len(places))
    return out


def _between(x: np.ndarray, y: np.ndarray) -> float:
    """Median distance from a distinct point to the next: the spacing of addresses or of snap points."""
    distinct = np.unique(x + 1j * y)
    if len(distinct) < 2:
        return ADDRESS_FLOOR
    points = np.column_stack([distinct.real, distinct.imag])
    return float(np.median(cKDTree(points).query(points, k=2)[0][:, 1]))


def _warnings(found: Triggered, reach: Reach, share: float) -> tuple[str, ...]:
    """What is doubtful about a fit, each in a sentence."""
    kernel = found.kernel
    said: dict[str, Any] = {
        "The spread stands at its floor: points are snapped or repeat, and how far triggering reaches is not "
        "known.": kernel.near > 0.01 and kernel.sigma <= reach.floor * 1.001,
        "The delay stands at its limit: dates cannot tell triggering from chance or from lasting "
        "differences.": not OMEGA[0] * 1.01 < kernel.omega < OMEGA[1] * 0.99,
        "Hardly anything is triggered: it behaves like a map of past counts.": kernel.total < 0.01,
        "Nearly everything is triggered, which no crime data support: do not use it.": kernel.total > 0.95,
        f"The fit had not settled after {found.steps} steps.": not found.settled,
    }
    return tuple(sentence for sentence, doubtful in said.items() if doubtful)
