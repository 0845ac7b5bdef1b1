"""Features: what was known of each place at an origin, at several speeds and reaches, each with its date.

A learned method sees nothing else. Every feature says when it was known; a test reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError, some
from peelian.predict.baselines import SameMonth
from peelian.predict.endemic import mean_of_neighbours
from peelian.predict.history import (
    LENGTH,
    STEP,
    History,
    Horizon,
    Step,
    known_at,
    moment,
    moment_of,
    step_after,
    step_of,
)
from peelian.predict.kde import spread
from peelian.predict.near_repeat import _within

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.beside import Beside

WINDOWS: dict[Step, tuple[int, ...]] = {"month": (1, 3, 6, 12, 24, 36), "day": (7, 14, 28, 90, 180, 365, 730)}
HALF_LIVES: dict[Step, tuple[float, ...]] = {"month": (2, 6, 12, 24), "day": (14, 90, 180, 365)}
SMOOTHED: dict[Step, tuple[float, ...]] = {"month": (12, 36), "day": (28, 180, 730)}
BANDWIDTHS = (250.0, 500.0, 1000.0)
ORDERS = (1, 2)
NEAR = 200.0  # metres and days within which an incident raises the near-repeat sum to a 1/e
NEAR_DAYS = 14.0
LEAST = 0.01


@dataclass(frozen=True)
class Feature:
    """One column: its ``name``, the ``group`` it belongs to, and the step at whose start it was known.

    Groups are own history, surroundings, time of year, near repeats, what is there, risk terrain, layers,
    calendar, weather, exposure. ``known`` is None where nobody says.
    """

    name: str
    group: str
    known: int | None


@dataclass(frozen=True, eq=False)
class Table:
    """What was known at an origin: ``values`` places x features, and what each column is."""

    values: np.ndarray
    columns: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of each column."""
        return tuple(column.group for column in self.columns)

    def about(self, step: Step) -> pd.DataFrame:
        """A row a column: its name, its group, and the day from which it was known ("no date" at worst)."""
        import pandas as pd

        rows = [(column.name, column.group, known_at(column.known, step)) for column in self.columns]
        return pd.DataFrame(rows, columns=["feature", "group", "known_at"])


@dataclass(frozen=True, eq=False)
class Recipe:
    """Which features are made.

    ``windows``     counts of so many steps (and of all history); ``half_lives`` of fading counts.
    ``smoothed``    half-lives of the fading counts that are spread to the surroundings: by Gaussians of the
                    ``bandwidths`` on a grid, by means over neighbours of the ``orders`` on areas.
    ``prior``       relative risk by place, and ``prior_known`` the step at whose start it was known.
    ``beside``      what else there is, ``use`` the kinds of it that are made.
    """

    step: Step
    windows: tuple[int, ...]
    half_lives: tuple[float, ...]
    smoothed: tuple[float, ...]
    bandwidths: tuple[float, ...] = BANDWIDTHS
    orders: tuple[int, ...] = ORDERS
    prior: pd.Series | None = None
    prior_known: int | None = None
    beside: Beside | None = None
    use: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from every other recipe."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return tuple(values.values() if self.prior is None else (values | {"prior": id(self.prior)}).values())


def features(
    incidents: Incidents, places: Places, origin: object, *, horizon: Horizon = "month",
    prior: pd.Series | None = None, prior_to: str | None = None, beside: Beside | None = None,
) -> Table:  # fmt: skip
    """What was known of each place at an origin, as learned methods see it.

    ``origin``   the start of the period that is forecast, ``horizon`` what it spans; no incident known later
                 enters.
    ``prior``    relative risk by place, ``prior_to`` the last month that it was fitted on.
    ``beside``   layers, calendar, columns of the places, weather (see ``beside.Beside``).

    Returns a ``Table``: ``values`` places x features in the order of the places' index, and of each column
    its name, group and the step from which it was known.
    """
    step, length = STEP[horizon], LENGTH[horizon]
    at = step_of(moment(origin), step)
    start = moment_of(at, step)
    history = History.of(incidents.known_at(start), places, end=start, step=step)
    recipe = Recipe(
        step, WINDOWS[step], HALF_LIVES[step], SMOOTHED[step], prior=prior,
        prior_known=step_after(prior_to, step), beside=beside, use=() if beside is None else beside.used,
    )  # fmt: skip
    return table(history, at, at + length, recipe)


def table(history: History, start: int, stop: int, recipe: Recipe) -> Table:
    """What ``history`` knew of each place before the steps from ``start`` up to ``stop``.

    Counts are rates per horizon (``stop - start`` steps). Nothing after ``history.end`` enters.
    """
    key = ("features", recipe.key, history.end, start, stop)
    if key not in history.memo:
        history.memo[key] = _made(history, start, stop, recipe)
    made: Table = history.memo[key]
    return made


def _made(history: History, start: int, stop: int, recipe: Recipe) -> Table:
    columns: list[tuple[str, str, np.ndarray, int | None]] = []
    end, unit = history.end, f"{recipe.step}s"

    def add(name: str, group: str, values: np.ndarray, known: int | None = end) -> None:
        columns.append((name, group, values, known))

    def rate(*, window: int | None = None, half_life: float | None = None) -> np.ndarray:
        weight = history.weights(window=window, half_life=half_life)
        return history.weighted(weight) / weight.sum() * (stop - start)

    for window in recipe.windows:
        add(f"count, last {window} {unit}", "own history", rate(window=window))
    add("count, all history", "own history", rate())
    for half_life in recipe.half_lives:
        add(f"fading, half-life {half_life:g} {unit}", "own history", rate(half_life=half_life))
    for half_life in recipe.smoothed:
        faded = rate(half_life=half_life)
        for words, values in _surroundings(history, faded, recipe):
            add(f"fading, half-life {half_life:g} {unit}, {words}", "surroundings", values)
    for years in (1, 2):
        add(f"same time of year, {years} back", "time of year", _same(history, start, stop, years, recipe))
    if recipe.step == "day":
        add("near repeats", "near repeats", _near(history, start))
    if history.places.households is not None:
        add("households", "what is there", history.places.households.to_numpy(float), None)
    if recipe.prior is not None:
        add("risk terrain", "risk terrain", _on(recipe.prior, history), recipe.prior_known)
    if recipe.beside is not None:
        columns += recipe.beside.made(recipe.use, history, start, stop)
        if "exposure" in recipe.use:
            add("exposure", "exposure", *recipe.beside.offset(history))
    values = np.column_stack([column[2] for column in columns]).astype(np.float32)
    return Table(values, tuple(Feature(name, group, known) for name, group, _, known in columns))


def _surroundings(history: History, values: np.ndarray, recipe: Recipe) -> Sequence[tuple[str, np.ndarray]]:
    places = history.places
    if places.kind == "cell" and places.cell:
        return [
            (f"within {width:g} m", spread(values, history, width))
            for width in recipe.bandwidths
            if width >= places.cell / 2
        ]
    return [
        (f"mean of neighbours to order {order}", mean_of_neighbours(history, order) @ values)
        for order in recipe.orders
    ]


def _same(history: History, start: int, stop: int, years: int, recipe: Recipe) -> np.ndarray:
    """Count of the same time of earlier years; of all history where none of them is held."""
    try:
        return SameMonth(years, recipe.step).expected(history, start, stop)
    except DesignError:
        weight = history.weights()
        return history.weighted(weight) / weight.sum() * (stop - start)


def _near(history: History, start: int) -> np.ndarray:
    """Recent incidents near by, each worth exp(-distance / 200 m) x exp(-age / 14 days)."""
    events = history.points
    recent = events.where(events.at >= start - 4 * NEAR_DAYS)
    near = _within(history, recent.x, recent.y, 4 * NEAR)
    near.data = np.exp(-near.data / NEAR)
    return np.asarray(np.exp(-(start - recent.at) / NEAR_DAYS) @ near)


def _on(prior: pd.Series, history: History) -> np.ndarray:
    """The prior by place, its mean 1, nowhere below a hundredth."""
    missing = history.places.index.difference(prior.index)
    if len(missing):
        raise DesignError(f"The prior lacks {len(missing)} places: {some(missing)}.")
    values = prior.reindex(history.places.index).to_numpy(float)
    return np.asarray(np.maximum(values / values.mean(), LEAST))
