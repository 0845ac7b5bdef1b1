"""Kernel: what an incident brings, how soon and how far; its masses and what it comes to over a period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

OMEGA = (1 / 730, 1.0)  # per day: limits of the decay
TAIL = (1.05, 6.0)  # limits of the exponent of a power law
GOLDEN = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True)
class Kernel:
    """What an incident brings: ``repeat`` at its place, ``near`` round it; ``omega`` a day, ``sigma`` m.

    ``tail``  0: the spread is a Gaussian; above 1: (1 + r2 / sigma2) to the power -tail, which reaches
    farther (Ogata 1998).
    """

    repeat: float
    near: float
    omega: float
    sigma: float
    tail: float = 0.0

    @property
    def total(self) -> float:
        """Incidents that one brings directly."""
        return self.repeat + self.near

    def within(self, distance: np.ndarray | float) -> np.ndarray:
        """Share of the spread, not cut, that lies within so many metres."""
        square = np.square(distance) / self.sigma**2
        if self.tail:
            return np.asarray(-np.expm1((1 - self.tail) * np.log1p(square)))
        return np.asarray(-np.expm1(-square / 2))

    def over_area(self, distance: float) -> float:
        """Integral of the spread's shape over a disc, in square metres: its top is near / this."""
        if self.tail:
            return float(np.pi * self.sigma**2 / (self.tail - 1) * self.within(distance))
        return float(2 * np.pi * self.sigma**2 * self.within(distance))

    def radius(self, share: np.ndarray | float, distance: float) -> np.ndarray:
        """Metres within which a share of the spread lies, the spread being cut at ``distance``."""
        left = -np.log1p(-np.asarray(share) * self.within(distance))
        square = np.expm1(left / (self.tail - 1)) if self.tail else 2 * left
        return np.asarray(self.sigma * np.sqrt(square))


def mass_until(omega: float, days: np.ndarray | float, reach: int) -> np.ndarray:
    """Share of an exponential delay, cut at ``reach`` days, that is over after so many days."""
    return np.asarray(-np.expm1(-omega * np.minimum(days, reach)) / -np.expm1(-omega * reach))


def mean_delay(kernel: Kernel, reach: int) -> float:
    """Mean days between an incident and what it brings, the delay being cut at ``reach`` days.

    >>> round(mean_delay(Kernel(0.1, 0.1, 1 / 30, 100.0), 180), 1)
    29.6
    """
    return float(1 / kernel.omega - reach / np.expm1(kernel.omega * reach))


def over_period(
    background: np.ndarray, excited: np.ndarray, kernel: Kernel, days: int, rhythm: np.ndarray | None = None
) -> np.ndarray:
    """Expected incidents in so many days, from rates a day: what is brought brings more and dies away.

    ``background`` and ``excited``  rates at the start; ``rhythm`` what each day's background is multiplied
    by. With theta the incidents that one brings and kappa = omega (1 - theta), a background incident of
    day d stands for 1 + theta / (1 - theta) (1 - exp(-kappa (days - d))) by the end, and what is excited
    for (1 - exp(-kappa days)) / kappa.

    >>> over_period(np.array([2.0]), np.array([0.0]), Kernel(0.0, 0.0, 0.1, 50.0), 7).tolist()
    [14.0]
    """
    rest = max(1 - kernel.total, 1e-6)
    decay = kernel.omega * rest
    left = days - np.arange(days)
    faded = (np.exp(-decay * (left - 1)) - np.exp(-decay * left)) / decay  # mean over the day
    stands = 1 + (1 / rest - 1) * (1 - faded)
    lasting = float(stands.sum() if rhythm is None else rhythm @ stands)
    return np.asarray(lasting * background + excited * -np.expm1(-decay * days) / decay).clip(0)


def sunflower(kernel: Kernel, distance: float, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Points that stand for the spread round 0, each for the same share of it: x and y in metres."""
    step = np.arange(number)
    radius = kernel.radius((step + 0.5) / number, distance)
    return radius * np.cos(GOLDEN * step), radius * np.sin(GOLDEN * step)
