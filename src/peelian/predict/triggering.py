"""Triggering: which incidents were brought by earlier ones near by? The EM, and its steps made longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from peelian.predict.kernel import OMEGA, TAIL, Kernel, mass_until
from peelian.predict.linked import Pairs

SAME_PLACE = 1.0  # metres within which two points are one place
STEPS = 300
SETTLED = 1e-4
EARLY = 3  # rounds before which nothing counts as settled: the background has hardly moved
LEAST = 1e-6
LONGEST = 16.0  # times the step of the EM that is gone at most
BINS = 512  # of distance, on which a power law is fitted
WIDER = 1.1
MOVED = 0.01  # of the spread's width, beyond which what lies inside is worked out anew


@dataclass(frozen=True, eq=False)
class Reach:
    """Limits and areas that the kernels are drawn in.

    ``distance`` metres and ``days`` at which they are cut; ``repeat_area`` square metres that one place
    stands for, or an array by incident; ``floor`` the least sigma; ``end`` the day after the last one
    observed; ``power``: the spread is a power law; ``points`` that incidents lie at (0: not counted).
    """

    distance: float
    days: int
    repeat_area: float | np.ndarray
    floor: float
    end: int
    power: bool = False
    points: int = 0


@dataclass(frozen=True, eq=False)
class Observed:
    """Incidents as the EM counts them, in order of time.

    ``day``     whole days; ``part`` what each entry counts for (None: 1; an incident spread over the days of
                its window has several entries); ``brings`` False for those that are never parents (None: all
                may be); ``drawn`` by day from the first one to the end: how often its incidents count (None:
                once), which is how months are drawn again and again. ``address`` a number by address:
                those who share one are at one place, however far apart they were put.
    """

    day: np.ndarray
    part: np.ndarray | None = None
    brings: np.ndarray | None = None
    drawn: np.ndarray | None = None
    address: np.ndarray | None = None

    @property
    def weight(self) -> np.ndarray | None:
        """What each entry counts for as one that was brought, or is background; None for 1 each."""
        if self.drawn is None:
            return self.part
        drawn = self.drawn[self.day - self.day[0]]
        return drawn if self.part is None else drawn * self.part

    def seen(self, share: np.ndarray | None, days: int, end: int) -> np.ndarray:
        """Parents, each for its ``share``, that were still under observation on their 1st, 2nd, ... day."""
        weight = np.ones(len(self.day)) if share is None else share
        for factor in (self.part, self.brings):
            weight = weight if factor is None else weight * factor
        first, length = self.day[0], int(end - self.day[0])
        by_day = np.bincount(self.day - first, weight, length)
        drawn = np.ones(length) if self.drawn is None else self.drawn
        return np.array([by_day[: length - k] @ drawn[k:] if k < length else 0.0 for k in range(days)])


@dataclass(frozen=True, eq=False)
class Triggered:
    """The answer of the EM: the kernel, each incident's chance to be background, and how it went.

    ``log_likelihood`` of the kernels kept, one a round; ``steps`` of the EM in all; ``settled`` False where
    they ran out first.
    """

    kernel: Kernel
    background: np.ndarray
    log_likelihood: tuple[float, ...]
    steps: int
    settled: bool


def triggered(
    observed: Observed, pairs: Pairs, reach: Reach, background: Callable[[np.ndarray], np.ndarray], *,
    inside: Callable[[Kernel], np.ndarray] | None = None, start: Kernel | None = None, steps: int = STEPS,
    renew: bool = True,
) -> Triggered:  # fmt: skip
    """Kernel and background by expectation-maximisation (Veen & Schoenberg 2008; Mohler et al. 2011).

    ``background``  from each incident's chance to be background to the rate at each incident (per square
                    metre and day), leaving itself out; asked anew at every round unless ``renew`` is false.
    ``inside``      from the kernel to the share of each incident's near part that lies in the study area.

    Kernels are cut at their reach and scaled to 1 within it; at one place repeats alone count, since a spread
    that had to hold them too shrinks to nothing. Decay and spread are maximised for their cut, for the end
    of observation and for what a wider spread loses at the edge. A round is two steps and a third from
    where the two point to (Varadhan & Roland 2008), taken where the likelihood there is no lower. Stops
    when a step moves no parameter by more than 1e-4 of itself.
    """
    state = _State.of(observed, pairs, reach)
    kernel = start or _first(reach)
    chance, rate = np.full(len(observed.day), 1 - kernel.total), np.zeros(0)
    within: _Within | None = None
    kept, taken, round_, settled = list[float](), 0, 0, False
    while taken < steps and not settled:
        if renew or not round_:
            rate = background(chance)
        if inside is not None and (within is None or abs(within.grown(kernel)) > MOVED):
            within = _Within.of(observed, reach, kernel, inside)
        one, chance, value = state.step(kernel, rate, within)
        kept.append(value)
        settled = round_ >= EARLY and _close(one, kernel)
        taken, round_ = taken + 1, round_ + 1
        if settled or taken + 2 > steps:
            kernel = one
            break
        two, chance, value = state.step(one, rate, within)
        three, ahead, beyond = state.step(_beyond(kernel, one, two, reach), rate, within)
        taken += 2
        kernel, chance = (three, ahead) if beyond >= value else (two, chance)
    return Triggered(kernel, chance, tuple(kept), taken, settled)


def brought(observed: Observed, pairs: Pairs, reach: Reach, kernel: Kernel) -> np.ndarray:
    """The rate at each incident that earlier ones bring, per square metre and day."""
    state = _State.of(observed, pairs, reach)
    return state.by_child(state.rates(kernel))


def _first(reach: Reach) -> Kernel:
    near = max(reach.distance / 4, reach.floor)
    return Kernel(0.05, 0.1, 1 / 30, near / 2 if reach.power else near, 1.5 if reach.power else 0.0)


def _close(one: Kernel, other: Kernel) -> bool:
    return all(
        abs(new - old) <= SETTLED * max(abs(old), 1e-3)
        for new, old in zip(vars(one).values(), vars(other).values(), strict=True)
    )


def _beyond(start: Kernel, one: Kernel, two: Kernel, reach: Reach) -> Kernel:
    """Where two steps of the EM point to, within the limits."""
    number = 5 if reach.power else 4
    at = [np.log(np.maximum(list(vars(kernel).values())[:number], LEAST)) for kernel in (start, one, two)]
    step, bend = at[1] - at[0], at[2] - 2 * at[1] + at[0]
    far = float(np.clip(np.linalg.norm(step) / max(float(np.linalg.norm(bend)), 1e-12), 1, LONGEST))
    values = np.exp(at[0] + 2 * far * step + far**2 * bend)
    low = [0.0, 0.0, OMEGA[0], reach.floor, TAIL[0]][:number]
    high = [0.99, 0.99, OMEGA[1], 2 * reach.distance, TAIL[1]][:number]
    return Kernel(*np.clip(values, low, high).tolist())


@dataclass(frozen=True, eq=False)
class _Within:
    """Parents under observation by day, each for the share of its spread inside.

    ``seen`` where half of the spread lies within ``width``; ``slope`` of the log of their sum by the log of
    the width: a wider spread loses more at the edge.
    """

    seen: np.ndarray
    width: float
    slope: float
    distance: float

    @classmethod
    def of(
        cls, observed: Observed, reach: Reach, kernel: Kernel, inside: Callable[[Kernel], np.ndarray]
    ) -> _Within:
        wider = replace(kernel, sigma=kernel.sigma * WIDER)
        here, there = (observed.seen(inside(one), reach.days, reach.end) for one in (kernel, wider))
        width, more = (float(one.radius(0.5, reach.distance)) for one in (kernel, wider))
        lost = np.log(there.sum() / here.sum()) if there.sum() > 0 < here.sum() else 0.0
        return cls(here, width, float(lost / np.log(more / width)), reach.distance)

    def grown(self, kernel: Kernel) -> float:
        """Log of the width of a kernel over the one that this was worked out for."""
        return float(np.log(kernel.radius(0.5, self.distance) / self.width))

    def over(self, mass: np.ndarray, kernel: Kernel) -> float:
        """What is brought near by under observation, for an incident each."""
        return float(mass @ self.seen) * float(np.exp(self.slope * self.grown(kernel)))

    def of_width(self, kernel: Kernel) -> float:
        """The part of its log that the width decides."""
        return self.slope * self.grown(kernel)


@dataclass(frozen=True, eq=False)
class _State:
    """What stays the same over the steps of the EM."""

    observed: Observed
    pairs: Pairs
    reach: Reach
    same: np.ndarray
    same_area: np.ndarray | float
    parents: np.ndarray
    runs: np.ndarray
    seen: np.ndarray
    weight: np.ndarray | None
    by_pair: np.ndarray | None
    bins: np.ndarray | None

    @classmethod
    def of(cls, observed: Observed, pairs: Pairs, reach: Reach) -> _State:
        parents = np.flatnonzero(pairs.number)
        runs = (np.cumsum(pairs.number) - pairs.number)[parents]
        together = pairs.square <= SAME_PLACE**2
        if observed.address is not None:
            there = observed.address[pairs.child]
            together |= (there >= 0) & (there == observed.address[pairs.parent])
        same = np.flatnonzero(together)
        area = reach.repeat_area
        if isinstance(area, np.ndarray):
            area = area[pairs.parent[same]]
        by_pair = None if observed.part is None else observed.part[pairs.parent].astype("f4")
        bins = None
        if reach.power:
            bins = np.minimum(np.sqrt(pairs.square) * (BINS / reach.distance), BINS - 1).astype(np.int16)
        seen = observed.seen(None, reach.days, reach.end)
        return cls(observed, pairs, reach, same, area, parents, runs, seen, observed.weight, by_pair, bins)

    def rates(self, kernel: Kernel) -> np.ndarray:
        """The rate that each pair's parent brings at its child: at its own place repeats alone."""
        pairs, reach = self.pairs, self.reach
        late = -np.expm1(-kernel.omega * reach.days)
        top = kernel.near / kernel.over_area(reach.distance) * kernel.omega / late
        if kernel.tail:
            near = np.log1p(pairs.square * np.float32(1 / kernel.sigma**2)) * np.float32(-kernel.tail)
        else:
            near = pairs.square * np.float32(-0.5 / kernel.sigma**2)
        near -= pairs.days * np.float32(kernel.omega)
        np.exp(near, out=near)
        near *= np.float32(top)
        again = kernel.repeat / self.same_area * kernel.omega / late
        near[self.same] = again * np.exp(-kernel.omega * pairs.days[self.same])
        if self.by_pair is not None:
            near *= self.by_pair
        return near

    def by_child(self, rates: np.ndarray) -> np.ndarray:
        """Rates of pairs summed over the parents of each incident."""
        total = np.zeros(len(self.pairs.number))
        if len(rates):
            total[self.parents] = np.add.reduceat(rates, self.runs)
        return total

    def step(
        self, kernel: Kernel, rate: np.ndarray, inside: _Within | None
    ) -> tuple[Kernel, np.ndarray, float]:
        """One step: the moved kernel, chances to be background, and the log-likelihood before it."""
        near = self.rates(kernel)
        whole = np.maximum(rate + self.by_child(near), 1e-300)
        share = 1 / whole if self.weight is None else self.weight / whole
        near *= np.repeat(share.astype(np.float32), self.pairs.number)
        repeats, nearby = self._over(kernel, inside)
        logs = np.log(whole)
        value = float(logs.sum() if self.weight is None else logs @ self.weight)
        value -= kernel.repeat * repeats + kernel.near * nearby
        return self._moved(kernel, near, inside), rate / whole, value

    def _over(self, kernel: Kernel, inside: _Within | None) -> tuple[float, float]:
        """Incidents that could have been seen to bring others: at their place, and near by."""
        mass = self._mass(kernel.omega)
        repeats = float(mass @ self.seen)
        return repeats, repeats if inside is None else inside.over(mass, kernel)

    def _mass(self, omega: float) -> np.ndarray:
        """Share of the delay that falls on each day."""
        return np.diff(mass_until(omega, np.arange(self.reach.days + 1), self.reach.days))

    def _moved(self, kernel: Kernel, chance: np.ndarray, inside: _Within | None) -> Kernel:
        """The kernel of the highest likelihood, given each pair's chance to be one."""
        pairs = self.pairs
        again = float(chance[self.same].sum(dtype=np.float64))
        total = float(chance.sum(dtype=np.float64))
        near = max(total - again, 0.0)
        moved = replace(kernel, omega=self._omega(kernel, total, float(chance @ pairs.days)))
        if near > 1e-9 and self.bins is not None:
            far = np.ones(len(chance), np.float32)
            far[self.same] = 0
            moved = _power(np.bincount(self.bins, chance * far, BINS), moved, self.reach, inside)
        elif near > 1e-9:
            square = float(chance @ pairs.square) - float(chance[self.same] @ pairs.square[self.same])
            moved = _gaussian(near, square, moved, self.reach, inside)
        repeats, nearby = self._over(moved, inside)
        return replace(moved, repeat=again / max(repeats, 1e-9), near=near / max(nearby, 1e-9))

    def _omega(self, kernel: Kernel, total: float, days: float) -> float:
        """The decay of the highest likelihood, the shares brought following from it."""
        if total < 1e-9:
            return kernel.omega

        def surprise(log: float) -> float:
            omega = float(np.exp(log))
            cut = float(np.log(-np.expm1(-omega * self.reach.days)))
            over = max(float(self._mass(omega) @ self.seen), 1e-300)
            return -(total * (log - cut) - omega * days - total * np.log(over))

        limits = (np.log(OMEGA[0]), np.log(OMEGA[1]))
        found = minimize_scalar(surprise, bounds=limits, method="bounded", options={"xatol": 1e-7})
        return float(np.exp(found.x))


def _gaussian(total: float, square: float, kernel: Kernel, reach: Reach, inside: _Within | None) -> Kernel:
    """The Gaussian, cut at the reach, that pairs of this number and sum of squares are most likely under."""

    def surprise(log: float) -> float:
        law = replace(kernel, sigma=float(np.exp(log)))
        edge = 0.0 if inside is None else inside.of_width(law)
        return float(total * (np.log(law.over_area(reach.distance)) + edge) + square / (2 * law.sigma**2))

    limits = (np.log(reach.floor), np.log(reach.distance * 2))
    found = minimize_scalar(surprise, bounds=limits, method="bounded", options={"xatol": 1e-7})
    return replace(kernel, sigma=float(np.exp(found.x)))


def _power(chance: np.ndarray, kernel: Kernel, reach: Reach, inside: _Within | None) -> Kernel:
    """The power law that pairs by bin of distance are most likely under."""
    middle = (np.arange(BINS) + 0.5) * (reach.distance / BINS)
    total = float(chance.sum())

    def shaped(values: np.ndarray) -> Kernel:
        return replace(kernel, sigma=float(np.exp(values[0])), tail=float(values[1]))

    def surprise(values: np.ndarray) -> float:
        law = shaped(values)
        edge = 0.0 if inside is None else inside.of_width(law)
        shape = law.tail * np.log1p((middle / law.sigma) ** 2)
        return float(chance @ shape / total + np.log(law.over_area(reach.distance)) + edge)

    limits = [(np.log(reach.floor), np.log(reach.distance * 2)), TAIL]
    start = np.array([np.log(kernel.sigma), kernel.tail])
    return shaped(minimize(surprise, start, method="L-BFGS-B", bounds=limits).x)
