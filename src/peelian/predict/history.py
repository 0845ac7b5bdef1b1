"""History: incidents by place and step (month or day), as they were known before an origin.

Every method of ours forecasts from a ``History``; the callable and the backtest share it, so each formula
stands once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from peelian.errors import DesignError

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places

Step = Literal["month", "day"]
Span = tuple[pd.Timestamp, pd.Timestamp]
UNIT = {"month": "datetime64[M]", "day": "datetime64[D]"}
YEAR = {"month": 12, "day": 365}
Horizon = Literal["month", "week", "day"]
STEP: dict[str, Step] = {"month": "month", "week": "day", "day": "day"}
LENGTH = {"month": 1, "week": 7, "day": 1}
# With this many incidents in a usual month, a month without any (chance below 1e-8) was not delivered
USUAL_MONTH = 20


@dataclass(frozen=True, eq=False)
class Events:
    """Where, when and from when on known: an entry an incident.

    ``place`` position on the places' index, ``at`` its step, ``known`` the first step at whose start it
    was known, ``x`` and ``y`` its point in metres (NaN without one). Steps count months or days from
    January 1970. ``begin`` and ``length`` of its window in days, or None where every window is its day.
    ``address`` a number by address key, -1 without one (None: no incident has any).
    """

    place: np.ndarray
    at: np.ndarray
    known: np.ndarray
    x: np.ndarray
    y: np.ndarray
    begin: np.ndarray | None = None
    length: np.ndarray | None = None
    address: np.ndarray | None = None

    def where(self, keep: np.ndarray) -> Events:
        """Those of a mask, or in an order."""
        begin, length, address = (
            None if part is None else part[keep] for part in (self.begin, self.length, self.address)
        )
        return Events(
            self.place[keep], self.at[keep], self.known[keep], self.x[keep], self.y[keep], begin, length,
            address,
        )  # fmt: skip

    def matrix(self, rows: int, first: int, columns: int) -> sparse.csc_array:
        """Counts by place and step, from step ``first`` on."""
        cells = (self.place, self.at - first)
        counts = sparse.coo_array((np.ones(len(self.at)), cells), shape=(rows, columns)).tocsc()
        counts.sum_duplicates()
        return counts


@dataclass(frozen=True, eq=False)
class History:
    """Counts by place and step before an origin.

    ``counts``   places x steps; column 0 is step ``first``; columns from ``end`` on are not history.
    ``end``      the first step that is not known.
    ``outside``  share of the incidents that no place holds.
    ``memo``     scores of settings at earlier origins, which every later origin asks for again; each
                 depends only on what lies before its own origin.
    """

    places: Places
    counts: sparse.csc_array
    first: int
    end: int
    step: Step
    events: Events
    outside: float = 0.0
    memo: dict[Any, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        incidents: Incidents,
        places: Places,
        *,
        end: pd.Timestamp,
        step: Step = "month",
        by: str = "point",
    ) -> History:
        """The history of these incidents before ``end`` (midnight; the first of a month for months).

        Incidents that start at or after ``end`` are held for scoring, and no forecast sees them.
        Raises ``DesignError`` for steps finer than the dates, and where there is no incident at all.
        """
        if step == "day" and incidents.precision == "month":
            raise DesignError(
                "These incidents are dated by month, and steps of a day were asked for. "
                'Use step="month", or load a force extract with dates.'
            )
        incidents = incidents.first_versions()
        frame = incidents.frame
        if frame.empty:
            raise DesignError("There is no incident before the period, so there is nothing to forecast from.")
        place = places.index.get_indexer(incidents.place_of(places, by=by).to_numpy(object))  # type: ignore[arg-type]
        at = steps_of(frame["start"], step)
        known = known_from(frame, step)
        inside = place >= 0
        x, y = frame.geometry.x.to_numpy(), frame.geometry.y.to_numpy()
        begin, length = windows_of(frame)
        events = Events(place, at, known, x, y, begin, length, addresses_of(frame)).where(inside)
        first, last = int(at.min()), max(int(at.max()) + 1, step_of(end, step))
        counts = events.matrix(len(places), first, last - first)
        return cls(places, counts, first, step_of(end, step), step, events, float(1 - inside.mean()))

    def before(self, step: int) -> History:
        """What of it was known at the start of a step: nothing that happened or was recorded later."""
        if step > self.end:
            raise DesignError("A history cannot be asked for what happened after its end.")
        if ("before", step) not in self.memo:
            known = replace(self, end=step, memo={} if self._late else self.memo)
            if self._late:
                seen = (self.events.known <= step) & (self.events.at < step)
                events = self.events.where(seen)
                width = max(step - self.first, 1)
                known = replace(
                    known, counts=events.matrix(len(self.places), self.first, width), events=events
                )
            self.memo["before", step] = known
        known_then: History = self.memo["before", step]
        return known_then

    @property
    def _late(self) -> bool:
        """True where some incident became known later than its own step."""
        if "late" not in self.memo:
            self.memo["late"] = bool((self.events.known > self.events.at + 1).any())
        return bool(self.memo["late"])

    @property
    def held(self) -> np.ndarray:
        """By column before ``end``: True where it is history, and not a month never delivered.

        A month without any incident, where a usual month has 20 or more, is a gap and not zero crime.
        """
        return self._remembered(("held", self.end), self._held)

    def _held(self) -> np.ndarray:
        return _delivered(self.totals[: max(self.end - self.first, 0)], self.first, self.step)

    @property
    def points(self) -> Events:
        """Incidents with a point, known before ``end``, in order of time and place: never of row."""
        key = ("points", self.end)
        if key not in self.memo:
            e = self.events
            known = e.where((e.at < self.end) & (e.known <= self.end) & np.isfinite(e.x))
            self.memo[key] = known.where(np.lexsort((known.y, known.x, known.at)))
        points: Events = self.memo[key]
        return points

    @property
    def totals(self) -> np.ndarray:
        """Incidents in all places by step, over every column."""
        return self._remembered("totals", lambda: np.asarray(self.counts.sum(axis=0)).ravel())

    def _remembered(self, key: object, make: Callable[[], np.ndarray]) -> np.ndarray:
        if key not in self.memo:
            self.memo[key] = make()
        kept: np.ndarray = self.memo[key]
        return kept

    @property
    def total(self) -> int:
        """Incidents in the places before ``end``."""
        return int(self.totals[: max(self.end - self.first, 0)].sum())

    def weights(self, *, window: int | None = None, half_life: float | None = None) -> np.ndarray:
        """A weight by column before ``end``: 1 in the window, halved every ``half_life`` steps; 0 in gaps.

        The window ends with the last step held: an unknown last month shortens nothing, a gap does.
        """
        held = self.held
        if not held.any():
            raise DesignError("There is no incident before the period, so there is nothing to forecast from.")
        age = np.flatnonzero(held)[-1] - np.arange(len(held))
        weight = held.astype(float)
        if window is not None:
            weight *= age < window
        if half_life is not None:
            weight *= 0.5 ** (np.maximum(age, 0) / half_life)
        return weight

    def weighted(self, weight: np.ndarray) -> np.ndarray:
        """By place: the sum of counts times weights (columns beyond the weights count for nothing)."""
        full = np.zeros(self.counts.shape[1])
        full[: len(weight)] = weight
        return np.asarray(self.counts @ full)

    def outcome(self, start: int, stop: int) -> np.ndarray:
        """By place: incidents in the steps from ``start`` up to ``stop``."""
        low, high = max(start - self.first, 0), max(stop - self.first, 0)
        return self._remembered(
            ("outcome", start, stop), lambda: np.asarray(self.counts[:, low:high].sum(axis=1)).ravel()
        )

    def level(self, start: int, stop: int) -> float:
        """Incidents to be expected in all places: the mean of the last 12 whole months, or 365 days."""
        weight = self.weights(window=YEAR[self.step])
        return float(self.totals[: len(weight)] @ weight / weight.sum() * (stop - start))


def _delivered(totals: np.ndarray, first: int, step: Step) -> np.ndarray:
    held = np.ones(len(totals), bool)
    if not len(totals):
        return held
    days = (first + np.arange(len(totals))).astype(UNIT[step])
    months = days.astype("datetime64[M]").astype(int)
    which = months - months[0]
    by_month = np.bincount(which, totals)
    busy = by_month[by_month > 0]
    if not len(busy) or busy.mean() < USUAL_MONTH:
        return held
    empty = by_month == 0
    if step == "day":  # a month that has only begun may well be empty so far
        whole = np.bincount(which) >= 28
        empty &= whole
    return ~empty[which]


def steps_of(times: pd.Series, step: Step) -> np.ndarray:
    """Months or days since January 1970, by row."""
    return times.to_numpy().astype(UNIT[step]).astype(np.int64)


def step_of(time: pd.Timestamp, step: Step) -> int:
    """The step that a moment lies in."""
    return int(np.datetime64(time).astype(UNIT[step]).astype(np.int64))


def moment_of(step: int, kind: Step) -> pd.Timestamp:
    """The moment a step starts."""
    return pd.Timestamp(np.datetime64(int(step), "M" if kind == "month" else "D"))


def step_after(month: str | None, kind: Step) -> int | None:
    """The first step after a month (``2018-12``); None where there is none."""
    return None if not month else step_of((pd.Period(month, "M") + 1).start_time, kind)


def known_at(step: int | None, kind: Step) -> str:
    """The day from which something was known; "no date" where nobody says."""
    return "no date" if step is None else f"{moment_of(step, kind):%Y-%m-%d}"


def known_from(frame: pd.DataFrame, step: Step) -> np.ndarray:
    """The first step at whose start each incident was known: its window over, and recorded."""
    known = frame["end"]
    if "recorded" in frame:
        known = pd.concat([known, frame["recorded"]], axis=1).max(axis=1)
    return steps_of(known - pd.Timedelta(1, "ns"), step) + 1


def moment(value: object) -> pd.Timestamp:
    """The moment that a date says, or at which a ``pandas.Period`` starts."""
    return value.start_time if isinstance(value, pd.Period) else pd.Timestamp(value)


def windows_of(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Begin and length of each incident's window in days since 1970; None where each is its whole day."""
    start = frame["start"].to_numpy().astype("datetime64[s]").astype(np.int64) / 86_400
    length = frame["end"].to_numpy().astype("datetime64[s]").astype(np.int64) / 86_400 - start
    if (length == 1).all() and (start == np.floor(start)).all():
        return None, None
    return start, length


def addresses_of(frame: pd.DataFrame) -> np.ndarray | None:
    """A number by address key, -1 where an incident has none; None where none has any."""
    if "address" not in frame or frame["address"].isna().all():
        return None
    return np.asarray(pd.factorize(frame["address"])[0])


def span_of(period: object) -> Span:
    """Start and stop (not included) of a ``pandas.Period`` or of a half-open pair of dates or periods."""
    if isinstance(period, pd.Period):
        return period.start_time, (period + 1).start_time
    try:
        start, stop = (moment(edge) for edge in period)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise DesignError(
            f"{period!r} is no period. Write pandas.Period('2019-01'), or a pair of dates of which the "
            "second is not included: ('2019-01-01', '2019-02-01')."
        ) from error
    if not stop > start:
        raise DesignError(
            f"The period {start:%d %B %Y} to {stop:%d %B %Y} is empty: it ends before it starts."
        )
    return start, stop


def steps_in(span: Span, step: Step) -> tuple[int, int]:
    """First step and the one after the last. ``DesignError`` where a month is cut."""
    unit = "M" if step == "month" else "D"
    for edge in span:
        if pd.Timestamp(np.datetime64(edge).astype(f"datetime64[{unit}]")) != edge:
            raise DesignError(
                f"The period cuts a {step} at {edge:%d %B %Y %H:%M}; with counts by {step} it must be "
                f"whole {step}s."
            )
    return step_of(span[0], step), step_of(span[1], step)
