"""Dated: when each incident is taken to have happened, given the window in which it may have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from peelian.predict.history import Events

LONG = 3.0  # days (72 hours) beyond which a window says too little of when
A_DAY = 1440  # minutes
Long = Literal["exclude", "spread"]


@dataclass(frozen=True, eq=False)
class Dated:
    """Incidents, or their parts, in order of time.

    ``time``  whole numbers, ``a_day`` of them to a day; ``x``, ``y`` metres, ``place`` position on the
              places' index. ``part`` of an incident that an entry is and ``row`` which one (None: every
              entry is one); ``brings`` False where the window is too long (None: nowhere). ``long`` how
              many windows are; ``address`` a number by address key, -1 without.
    """

    time: np.ndarray
    x: np.ndarray
    y: np.ndarray
    place: np.ndarray
    a_day: int = 1
    part: np.ndarray | None = None
    row: np.ndarray | None = None
    brings: np.ndarray | None = None
    long: int = 0
    address: np.ndarray | None = None

    @property
    def day(self) -> np.ndarray:
        """Whole days since January 1970."""
        return self.time // self.a_day if self.a_day > 1 else self.time

    def where(self, keep: np.ndarray) -> Dated:
        """Those of a mask, or in an order."""
        part, row, brings, address = (
            None if one is None else one[keep] for one in (self.part, self.row, self.brings, self.address)
        )
        return Dated(
            self.time[keep], self.x[keep], self.y[keep], self.place[keep], self.a_day, part, row, brings,
            self.long, address,
        )  # fmt: skip


def dated(events: Events, *, long: Long = "exclude", draw: np.random.Generator | None = None) -> Dated:
    """The incidents, each on the day of the middle of its window.

    ``long``  windows over 72 hours: ``exclude`` leaves them where they are, as background that brings
              nothing; ``spread`` gives each day of the window its part of the incident.
    ``draw``  a moment drawn evenly from each window, to the minute, instead of its middle: incidents of one
              day then have an order. Draws do not depend on the order of rows.
    """
    if events.begin is None or events.length is None:
        begin, length = events.at.astype(float), np.ones(len(events.at))
    else:
        begin, length = events.begin, events.length
    too_long = length > LONG + 1e-9
    number = int(too_long.sum())
    middle = begin + length / 2
    found = Dated(
        np.floor(middle).astype(np.int64), events.x, events.y, events.place, long=number,
        address=events.address,
    )  # fmt: skip
    order: np.ndarray | None = None
    if events.begin is not None:
        order = np.lexsort((length, begin, found.y, found.x, found.time))
    if draw is not None:
        order = np.lexsort((length, begin, found.y, found.x, found.time))
        moment = np.empty(len(begin))
        moment[order] = begin[order] + draw.random(len(begin)) * length[order]
        moment = np.where(too_long, middle, moment)
        found = replace(found, time=np.floor(moment * A_DAY).astype(np.int64), a_day=A_DAY)
        order = np.lexsort((length, begin, found.y, found.x, found.time))
    if not number:
        return found if order is None else found.where(order)
    if long == "spread":
        return _spread(found, begin, length, too_long)
    return replace(found, brings=~too_long).where(order if order is not None else np.arange(len(begin)))


def _spread(found: Dated, begin: np.ndarray, length: np.ndarray, too_long: np.ndarray) -> Dated:
    """Each long window as one entry a day, the others whole (Ratcliffe 2000)."""
    from peelian.arithmetic.aoristic import weights

    start, stop = (
        (moment[too_long] * A_DAY * 60).astype("datetime64[s]") for moment in (begin, begin + length)
    )
    parts = weights(start, stop, by="day", long="spread")
    first = int(np.datetime64(parts.labels[0], "D").astype(int))
    which = np.flatnonzero(too_long)[parts.row]
    rows = np.concatenate([np.flatnonzero(~too_long), which])
    time = np.concatenate([found.time[~too_long], (parts.bin + first) * found.a_day + found.a_day // 2])
    part = np.concatenate([np.ones(int((~too_long).sum())), parts.part])
    address = None if found.address is None else found.address[rows]
    entries = replace(
        found, time=time, x=found.x[rows], y=found.y[rows], place=found.place[rows], part=part, row=rows,
        address=address,
    )  # fmt: skip
    return entries.where(np.lexsort((part, entries.y, entries.x, time)))
