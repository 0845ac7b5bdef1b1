"""Triggering: which incidents were brought by earlier ones near by? Pairs in space and time, and their EM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

SAME_PLACE = 1.0  # metres within which two points are one place
OMEGA = (1 / 730, 1.0)  # per day: limits of the decay
STEPS = 300
SETTLED = 1e-4


@dataclass(frozen=True, eq=False)
class Pairs:
    """Earlier and later incidents within reach of each other, in order of the later one.

    ``child`` and ``parent`` positions; ``days`` between them, at least 1 (two of one day are no pair);
    ``square`` of their distance in square metres; ``number`` of pairs by child.
    """

    child: np.ndarray
    parent: np.ndarray
    days: np.ndarray
    square: np.ndarray
    number: np.ndarray

    def __len__(self) -> int:
        return len(self.child)


@dataclass(frozen=True)
class Kernel:
    """What an incident brings: ``repeat`` at its place, ``near`` round it; ``omega`` a day, ``sigma`` m."""

    repeat: float
    near: float
    omega: float
    sigma: float

    @property
    def total(self) -> float:
        """Incidents that one brings directly."""
        return self.repeat + self.near


@dataclass(frozen=True)
class Reach:
    """Limits and areas that the kernels are drawn in.

    ``distance`` metres and ``days`` at which they are cut; ``repeat_area`` square metres that one place
    stands for; ``floor`` the least sigma; ``end`` the day after the last one observed.
    """

    distance: float
    days: int
    repeat_area: float
    floor: float
    end: int


@dataclass(frozen=True, eq=False)
class Triggered:
    """The answer of the EM: the kernel, each incident's chance to be background, and how it went."""

    kernel: Kernel
    background: np.ndarray
    log_likelihood: tuple[float, ...]
    steps: int
    settled: bool


def pairs_within(day: np.ndarray, x: np.ndarray, y: np.ndarray, *, distance: float, days: int) -> Pairs:
    """Every pair of incidents within ``distance`` metres and 1 to ``days`` days of each other.

    ``day`` whole numbers in rising order. Incidents are sorted by square and day, so that the earlier ones
    of each of the nine squares round an incident are one run of that order: no pair out of time is listed.

    >>> found = pairs_within(np.array([0, 0, 3]), np.zeros(3), np.array([0.0, 9.0, 0.0]), distance=5, days=9)
    >>> found.parent.tolist(), found.child.tolist(), found.days.tolist()
    ([0], [2], [3.0])
    """
    column = np.floor((x - x.min()) / distance).astype(np.int64) + 1
    row = np.floor((y - y.min()) / distance).astype(np.int64) + 1
    width, span = int(row.max()) + 2, int(day[-1] - day[0]) + days + 2
    since = day - day[0] + days + 1
    key = (column * width + row) * span + since
    order = np.argsort(key, kind="stable")
    key, sx, sy, sday = key[order], x[order], y[order], day[order]
    found = []
    for shift in [(a * width + b) * span for a in (-1, 0, 1) for b in (-1, 0, 1)]:
        low = np.searchsorted(key, key + shift - days)
        number = np.searchsorted(key, key + shift) - low
        child = np.repeat(np.arange(len(key), dtype=np.int32), number)
        ahead = np.cumsum(number) - number
        parent = (np.arange(len(child)) - np.repeat(ahead - low, number)).astype(np.int32)
        square = (sx[child] - sx[parent]) ** 2 + (sy[child] - sy[parent]) ** 2
        near = square <= distance**2
        child, parent = child[near], parent[near]
        gap = (sday[child] - sday[parent]).astype("f4")
        found.append(
            (order[child].astype(np.int32), order[parent].astype(np.int32), gap, square[near].astype("f4"))
        )
    child, parent, gap, square = (np.concatenate(parts) for parts in zip(*found, strict=True))
    by = np.lexsort((parent, child))
    return Pairs(child[by], parent[by], gap[by], square[by], np.bincount(child, minlength=len(day)))


def triggered(
    day: np.ndarray, pairs: Pairs, reach: Reach, background: Callable[[np.ndarray], np.ndarray], *,
    inside: Callable[[float], np.ndarray] | None = None, start: Kernel | None = None, steps: int = STEPS,
    renew: int = 5,
) -> Triggered:  # fmt: skip
    """Kernel and background by expectation-maximisation (Veen & Schoenberg 2008; Mohler et al. 2011).

    ``background``  from each incident's chance to be background to the rate at each incident (per square
                    metre and day), leaving itself out; asked anew at the first ten steps and then at every
                    ``renew``-th (0: held fixed after the first).
    ``inside``      from sigma to the share of each incident's near kernel that lies in the study area.

    Kernels are cut at their reach and scaled to 1 within it. Decay and spread are maximised exactly for
    their cut and for the end of observation. Stops when no parameter moves by more than 1e-4 of itself.
    """
    state, within = _State.of(day, pairs, reach), None
    kernel = start or Kernel(0.05, 0.1, 1 / 30, max(reach.distance / 4, reach.floor))
    chance = np.full(len(day), 1 - kernel.total)
    rate = background(chance)
    log_likelihood, settled, step = [], False, 0
    for step in range(1, steps + 1):
        if renew and (step <= 10 or step % renew == 0):
            rate = background(chance)
        if inside is not None and (step <= 10 or step % 5 == 0):
            within = np.bincount(state.left, inside(kernel.sigma), reach.days + 1)
        moved, chance, value = state.step(kernel, rate, within)
        log_likelihood.append(value)
        settled = all(
            abs(new - old) <= SETTLED * max(abs(old), 1e-3)
            for new, old in zip(vars(moved).values(), vars(kernel).values(), strict=True)
        )
        kernel = moved
        if settled and step > 10:
            break
    return Triggered(kernel, chance, tuple(log_likelihood), step, settled)


def mass_until(omega: float, days: np.ndarray | float, reach: int) -> np.ndarray:
    """Share of an exponential delay, cut at ``reach`` days, that is over after so many days."""
    return np.asarray(-np.expm1(-omega * np.minimum(days, reach)) / -np.expm1(-omega * reach))


def mean_delay(kernel: Kernel, reach: int) -> float:
    """Mean days between an incident and what it brings, the delay being cut at ``reach`` days.

    >>> round(mean_delay(Kernel(0.1, 0.1, 1 / 30, 100.0), 180), 1)
    29.6
    """
    return float(1 / kernel.omega - reach / np.expm1(kernel.omega * reach))


@dataclass(frozen=True, eq=False)
class _State:
    """What stays the same over the steps of the EM."""

    pairs: Pairs
    reach: Reach
    same: np.ndarray
    parents: np.ndarray
    runs: np.ndarray
    left: np.ndarray
    by_left: np.ndarray

    @classmethod
    def of(cls, day: np.ndarray, pairs: Pairs, reach: Reach) -> _State:
        parents = np.flatnonzero(pairs.number)
        runs = (np.cumsum(pairs.number) - pairs.number)[parents]
        left = np.minimum(reach.end - day, reach.days)
        same = np.flatnonzero(pairs.square <= SAME_PLACE**2)
        by_left = np.bincount(left, minlength=reach.days + 1).astype(float)
        return cls(pairs, reach, same, parents, runs, left, by_left)

    def step(
        self, kernel: Kernel, rate: np.ndarray, inside: np.ndarray | None
    ) -> tuple[Kernel, np.ndarray, float]:
        """One step: the moved kernel, chances to be background, and the log-likelihood before it."""
        pairs, reach = self.pairs, self.reach
        late = -np.expm1(-kernel.omega * reach.days)
        cut = -np.expm1(-(reach.distance**2) / (2 * kernel.sigma**2))
        top = kernel.near / (2 * np.pi * kernel.sigma**2 * cut) * kernel.omega / late
        near = pairs.square * np.float32(-0.5 / kernel.sigma**2)
        near -= pairs.days * np.float32(kernel.omega)
        np.exp(near, out=near)
        near *= np.float32(top)
        again = kernel.repeat / reach.repeat_area * kernel.omega / late
        near[self.same] = again * np.exp(-kernel.omega * pairs.days[self.same])
        brought = np.zeros(len(rate))
        if len(near):
            brought[self.parents] = np.add.reduceat(near, self.runs)
        whole = np.maximum(rate + brought, 1e-300)
        near *= np.repeat((1 / whole).astype(np.float32), pairs.number)
        repeats, nearby = self._over(kernel.omega, inside)
        value = float(np.log(whole).sum() - kernel.repeat * repeats - kernel.near * nearby)
        return self._moved(kernel, near, inside), rate / whole, value

    def _over(self, omega: float, inside: np.ndarray | None) -> tuple[float, float]:
        """Incidents that could have been seen to bring others: at their place, and near by."""
        over = mass_until(omega, np.arange(self.reach.days + 1), self.reach.days)
        repeats = float(over @ self.by_left)
        return repeats, repeats if inside is None else float(over @ inside)

    def _moved(self, kernel: Kernel, chance: np.ndarray, inside: np.ndarray | None) -> Kernel:
        """The kernel of the highest likelihood, given each pair's chance to be one."""
        pairs, reach = self.pairs, self.reach
        again = float(chance[self.same].sum(dtype=np.float64))
        total = float(chance.sum(dtype=np.float64))
        near = total - again
        omega = self._omega(kernel, total, float(chance @ pairs.days))
        square = float(chance @ pairs.square)
        sigma = _sigma(near, square, reach) if near > 1e-9 else kernel.sigma
        repeats, nearby = self._over(omega, inside)
        return Kernel(again / repeats, max(near, 0.0) / nearby, omega, sigma)

    def _omega(self, kernel: Kernel, total: float, days: float) -> float:
        """The decay of the highest likelihood, the shares brought following from it."""
        if total < 1e-9:
            return kernel.omega

        def surprise(log: float) -> float:
            omega = float(np.exp(log))
            cut = float(np.log(-np.expm1(-omega * self.reach.days)))
            over = self._over(omega, None)[0]
            return -(total * (log - cut) - omega * days - total * np.log(over))

        limits = (np.log(OMEGA[0]), np.log(OMEGA[1]))
        found = minimize_scalar(surprise, bounds=limits, method="bounded", options={"xatol": 1e-7})
        return float(np.exp(found.x))


def _sigma(total: float, square: float, reach: Reach) -> float:
    """Spread of a Gaussian cut at the reach whose mean square distance is that of the pairs."""

    def surprise(log: float) -> float:
        variance = np.exp(2 * log)
        cut = np.log(-np.expm1(-(reach.distance**2) / (2 * variance)))
        return float(total * (2 * log + cut) + square / (2 * variance))

    limits = (np.log(reach.floor), np.log(reach.distance * 2))
    found = minimize_scalar(surprise, bounds=limits, method="bounded", options={"xatol": 1e-7})
    return float(np.exp(found.x))
