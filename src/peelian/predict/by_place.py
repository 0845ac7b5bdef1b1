"""The self-exciting model of each place by itself (Mohler et al. 2015): no space, one kernel for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from peelian.errors import DesignError
from peelian.predict.history import History, Step, moment_of
from peelian.predict.method import Method
from peelian.predict.near_repeat import need_days

SETTLED = (1e-5, 1e-5, 1e-4)  # change of omega, of theta, of all backgrounds: any of them ends the fit
STEPS = 1_000
HARDLY = 0.01


@dataclass(frozen=True, eq=False)
class PlaceFit:
    """``omega`` a day, ``theta`` incidents that one brings, ``background`` a day by place, ``steps``."""

    omega: float
    theta: float
    background: np.ndarray
    steps: int


@dataclass(frozen=True)
class ByPlace(Method):
    """Each place's own background, and repeats at the place itself that die away alike everywhere.

    ``window``        days back that it is fitted on.
    ``as_published``  with the slip of the code published with Lum & Isaac (2016), to come out at its digits.

    Rate of a place = mu + theta omega sum exp(-omega days since). Fitted by EM from 1, 1, 1 and stopped as
    soon as one of the three hardly changes, as that code does it (Mohler et al. 2015). It is here to be
    compared with, not recommended: on the data published with it, it is the count of 180 days. Needs dates by
    day; any places.
    """

    window: int = 180
    as_published: bool = False
    step: Step = "day"

    def __post_init__(self) -> None:
        need_days(self.step, "ByPlace")
        if not self.window > 0:
            raise DesignError(f"window must be above 0 days; got {self.window}.")

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Background, and what incidents so far bring in the period; what these bring is left out."""
        place, day = self._recent(history)
        fit = self.fitted(history)
        brought = fit.theta * (
            np.exp(-fit.omega * (start - day - 0.5)) - np.exp(-fit.omega * (stop - day - 0.5))
        )
        return fit.background * (stop - start) + np.bincount(place, brought, len(history.places))

    def fitted_until(self, history: History, start: int, stop: int) -> int:
        """The origin itself: it is fitted at every one."""
        return history.end

    def fitted(self, history: History) -> PlaceFit:
        """Kernel and backgrounds from the days of the window before the end of history."""
        key = ("by place", self.window, self.as_published, history.end)
        if key not in history.memo:
            place, day = self._recent(history)
            if not len(day):
                raise DesignError(
                    f"There is no incident in the {self.window} days before "
                    f"{moment_of(history.end, 'day'):%d %B %Y}."
                )
            history.memo[key] = fit_by_place(
                place, day, len(history.places), self.window, as_published=self.as_published
            )
        fit: PlaceFit = history.memo[key]
        return fit

    def _recent(self, history: History) -> tuple[np.ndarray, np.ndarray]:
        events = history.events
        known = (
            (events.known <= history.end)
            & (events.at < history.end)
            & (events.at >= history.end - self.window)
        )
        order = np.lexsort((events.at[known], events.place[known]))
        return events.place[known][order], events.at[known][order]

    def told(self, history: History) -> str:
        """What the fit says, and that it is a map of past counts where it is one."""
        fit = self.fitted(history)
        words = (
            f"Self-exciting model of each place by itself: {fit.theta:.2g} incidents brought by each, on "
            f"average {1 / fit.omega:.0f} days later."
        )
        if fit.theta < HARDLY:
            words += f" Hardly anything is triggered: it is the count of the last {self.window} days."
        return words

    @property
    def words(self) -> str:
        """The method in words."""
        slip = ", with the slip of its publication" if self.as_published else ""
        return f"a background by place and its own repeats, fitted on the last {self.window} days{slip}"


def fit_by_place(
    place: np.ndarray, day: np.ndarray, places: int, window: int, *, as_published: bool = False
) -> PlaceFit:
    """EM of the place-based model, from incidents in order of place and day.

    Incidents of one day at one place do not bring each other. Sums over earlier incidents are carried along
    the days of each place, so a step costs as much as there are incidents (Ogata 1981).

    ``as_published`` divides a pair's intensity by that of the incident after the parent, not of the child,
    which is what the code published with Lum & Isaac (2016) does; backgrounds are divided rightly by both.
    """
    chain = _Chain.of(place, day)
    omega = theta = 1.0
    mu, settled, steps = np.ones(places), False, 0
    while not settled and steps < STEPS:
        steps += 1
        since, late = chain.sums(omega)
        whole = mu[chain.place] + theta * omega * since
        if as_published:
            since, late = chain.sums(omega, by=(chain.number - 1) / whole + 1 / np.r_[whole[1:], 1.0])
        brought = chain.number * theta * omega / (1.0 if as_published else whole)
        total = float(brought @ since)
        lasting = np.bincount(chain.place, chain.number * mu[chain.place] / whole, places) / window
        moved = total / max(float(brought @ late), 1e-300), total / len(day)
        change = abs(moved[0] - omega), abs(moved[1] - theta), float(np.abs(lasting - mu)[chain.held].sum())
        (omega, theta), mu = moved, lasting
        settled = not total > 0 or any(one <= limit for one, limit in zip(change, SETTLED, strict=True))
    return PlaceFit(omega, theta, mu, steps)


@dataclass(frozen=True, eq=False)
class _Chain:
    """Distinct days of each place in order: ``number`` of incidents, and days since the one before."""

    place: np.ndarray
    number: np.ndarray
    gap: np.ndarray
    rank: list[np.ndarray]
    held: np.ndarray

    @classmethod
    def of(cls, place: np.ndarray, day: np.ndarray) -> _Chain:
        new = np.r_[True, (np.diff(place) != 0) | (np.diff(day) != 0)]
        at = np.flatnonzero(new)
        place, day, number = place[at], day[at], np.diff(np.r_[at, len(new)]).astype(float)
        first = np.r_[True, np.diff(place) != 0]
        start = np.maximum.accumulate(np.where(first, np.arange(len(place)), 0))
        rank = np.arange(len(place)) - start
        order = np.argsort(rank, kind="stable")
        cuts = np.searchsorted(rank[order], np.arange(1, rank.max() + 1))
        gap = np.r_[0, np.diff(day)].astype(float)
        return cls(place, number, gap, np.split(order, cuts), np.unique(place))

    def sums(self, omega: float, by: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """By distinct day: sums over earlier incidents of exp(-omega t) and of t exp(-omega t).

        ``by``  what each earlier day counts for, unless for its number of incidents.
        """
        weight = self.number if by is None else by
        since, late = np.zeros(len(self.place)), np.zeros(len(self.place))
        for at in self.rank[1:]:
            fade, before = np.exp(-omega * self.gap[at]), since[at - 1] + weight[at - 1]
            since[at] = fade * before
            late[at] = fade * (late[at - 1] + self.gap[at] * before)
        return since, late
