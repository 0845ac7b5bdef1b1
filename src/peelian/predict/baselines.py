"""Baselines: what plain counting forecasts. They are always run; a model must beat them to be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from peelian.errors import DesignError
from peelian.predict.history import YEAR, History, Step, moment_of
from peelian.predict.method import Method, choose, need_enough

HALF_LIVES: dict[Step, tuple[float, ...]] = {
    "month": (1.5, 2, 3, 4, 6, 9, 12, 18, 24, 36, 60),
    "day": (7, 14, 30, 60, 90, 180, 365, 730),
}
USUAL_HALF_LIFE: dict[Step, float] = {"month": 12, "day": 180}
HalfLife = float | Literal["cv"]


@dataclass(frozen=True)
class Counts(Method):
    """Last year's map: the count in a window, per step, times the steps of the period.

    ``window``  how many steps back, or None for all of history; ``step`` ``month`` or ``day``.

    A month that was never delivered shortens the window; it is not zero crime.

    >>> Counts(12).words, Counts(90, step="day").words, Counts().words
    ('counts of the last 12 months', 'counts of the last 90 days', 'counts of all months')
    """

    window: int | None = None
    step: Step = "month"

    def __post_init__(self) -> None:
        _above_zero("A window of counts", self.window)

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Count in the window / steps of the window held x steps of the period."""
        weight = history.weights(window=self.window)
        return history.weighted(weight) / weight.sum() * (stop - start)

    @property
    def words(self) -> str:
        """The window in words."""
        return f"counts of {_window(self.window, self.step)}"


@dataclass(frozen=True)
class SameMonth(Method):
    """The same time of the year before: its month, or with ``years`` above 1 the mean of so many.

    By day: the same dates a year (365 days) before, with 14 days either side. A year that was not
    delivered drops out; where none is left, ``DesignError``.
    """

    years: int = 1
    step: Step = "month"

    def __post_init__(self) -> None:
        _above_zero("years", self.years)

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Mean count of the same steps of the years before, per step, times the steps of the period."""
        around = 14 if self.step == "day" else 0
        weight = np.zeros(len(history.held))
        for year in range(1, self.years + 1):
            back = year * YEAR[self.step] + history.first
            low, high = start - back - around, stop - back + around
            weight[max(low, 0) : max(high, 0)] += 1
        weight *= history.held
        if not weight.any():
            raise DesignError(
                f"{self.words} needs the same time of an earlier year, and history starts on "
                f"{moment_of(history.first, self.step):%d %B %Y}."
            )
        return history.weighted(weight) / weight.sum() * (stop - start)

    @property
    def words(self) -> str:
        """The window in words."""
        return (
            "same month last year" if self.years == 1 else f"same month, mean of the last {self.years} years"
        )


@dataclass(frozen=True)
class EWMA(Method):
    """Counts that fade: each step back weighs less, by half every ``half_life`` steps.

    ``half_life``  in months (``step="month"``) or days, above 0; ``"cv"`` takes the one with the lowest
                   log score at up to 48 earlier origins, among 1.5 to 60 months or 7 to 730 days.

    Exponentially weighted moving average (Roberts 1959): sum w y / sum w, w = 0.5 ** (age / half_life).
    """

    half_life: HalfLife = "cv"
    step: Step = "month"

    def __post_init__(self) -> None:
        if self.half_life != "cv":
            _above_zero("half_life", self.half_life)

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Weighted mean count per step times the steps of the period."""
        half_life = self.chosen(history, start, stop)
        weight = history.weights(half_life=half_life)
        return history.weighted(weight) / weight.sum() * (stop - start)

    def chosen(self, history: History, start: int, stop: int) -> float:
        """The half-life in use: the one given, or the best at earlier origins."""
        if self.half_life != "cv":
            return float(self.half_life)
        need_enough(history, "EWMA with a chosen half-life")
        candidates = {value: replace(self, half_life=value) for value in HALF_LIVES[self.step]}
        default = USUAL_HALF_LIFE[self.step]
        return float(choose(history, start, stop, candidates, default=default).key)

    @property
    def words(self) -> str:
        """The fading in words."""
        if self.half_life == "cv":
            return f"fading counts (half-life chosen on earlier {self.step}s)"
        return f"fading counts (half-life {self.half_life:g} {self.step}s)"


@dataclass(frozen=True)
class GammaPoisson(Method):
    """Counts drawn towards the mean of all places, by as much as chance alone would explain.

    ``window``     steps back, or None for all; ``half_life`` fades within it (None: no fading).

    (k + n) / (k / m + T): n incidents in T steps (both weighted), m the mean rate of a place, k by
    moments, m squared / (variance of the rates - m / T) (Clayton & Kaldor 1987). Places keep the order of
    their counts; the forecast is calibrated, which counts are not.
    """

    window: int | None = None
    half_life: float | None = None
    step: Step = "month"

    def __post_init__(self) -> None:
        _above_zero("window", self.window)
        _above_zero("half_life", self.half_life)

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Posterior mean rate per step times the steps of the period."""
        need_enough(history, "GammaPoisson")
        weight = history.weights(window=self.window, half_life=self.half_life)
        return shrunk(history.weighted(weight), float(weight.sum())) * (stop - start)

    @property
    def words(self) -> str:
        """The window in words."""
        return f"counts of {_window(self.window, self.step)}, drawn to the mean"


def shrunk(counts: np.ndarray, length: float) -> np.ndarray:
    """Gamma-Poisson posterior mean rate by place, from counts over ``length`` steps.

    >>> shrunk(np.array([0.0, 2.0, 10.0]), 1.0).round(3).tolist()
    [0.857, 2.429, 8.714]
    """
    rate = counts / length
    mean = float(rate.mean())
    if mean == 0:
        return rate
    k = mean**2 / max(float(rate.var()) - mean / length, 1e-9)
    return np.asarray((k + counts) / (k / mean + length))


def _window(window: int | None, step: Step) -> str:
    if window is None:
        return f"all {step}s"
    return f"the last {window} {step}s" if window > 1 else f"the last {step}"


def _above_zero(name: str, value: float | None) -> None:
    if value is not None and not value > 0:
        raise DesignError(f"{name} must be above 0; got {value:g}.")
