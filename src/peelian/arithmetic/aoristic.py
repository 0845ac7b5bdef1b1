"""Aoristic weights: a crime that may have happened any time in its window counts in part in each hour of it.

Arrays in, small results out (Ratcliffe 2000).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy import sparse

from peelian.errors import DataError, DesignError

Array = Any
By = Literal["hour", "hour-of-week", "day", "month", "shift"]
Long = Literal["exclude", "spread", "start"]
Method = Literal["start", "midpoint", "end", "random"]
HOUR = 3_600_000_000_000  # nanoseconds
SHIFTS = {6: "early 06-14", 14: "late 14-22", 22: "night 22-06"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, eq=False)
class Weights:
    """The part of each incident in each bin: ``row``, ``bin`` and ``part`` (entries), rows sum to 1.

    ``labels``  names of the bins. ``used``  which incidents have weights. ``missing_end``, ``long`` how many
    lack an end, or have a window beyond the cap. ``hours``  length of each window, missing where no end.
    """

    row: Array
    bin: Array
    part: Array
    labels: tuple[str, ...]
    used: Array
    missing_end: int
    long: int
    hours: Array

    @cached_property
    def totals(self) -> Array:
        """Incidents by bin: the sum of the parts."""
        return np.bincount(self.bin, self.part, minlength=len(self.labels))

    @property
    def matrix(self) -> sparse.csr_array:
        """Incidents x bins; rows that are not used are empty."""
        shape = (len(self.used), len(self.labels))
        return sparse.coo_array((self.part, (self.row, self.bin)), shape=shape).tocsr()


def weights(
    start: Array, end: Array, *, by: By = "hour-of-week", cap: float = 72, long: Long = "exclude",
    timezone: str = "Europe/London",
) -> Weights:  # fmt: skip
    """How much of each incident belongs to each bin: overlap of its window with the bin over its length.

    ``start``, ``end``  naive local times (datetime64 or what pandas reads); a missing end puts all weight at
    the start. ``cap``  hours; a longer window is left out (``exclude``), counted whole (``spread``) or put
    at its start (``start``). Lengths are true hours: the day on which clocks go forward has 23. A time that
    the clocks show twice is the earlier one for a start, the later one for an end.

    Raises ``DataError`` where an end lies before its start or a start is missing.

    >>> found = weights(["2019-01-01 23:30"], ["2019-01-02 01:30"], by="hour")
    >>> [(label, part) for label, part in zip(found.labels, found.totals.tolist()) if part]
    [('00', 0.5), ('01', 0.25), ('23', 0.25)]
    """
    if not cap > 0:
        raise DesignError(f"The cap must be a number of hours above 0; got {cap:g}.")
    first, last, missing = _instants(start, end, timezone)
    length = last - first
    too_long = length > cap * HOUR
    used = ~too_long if long == "exclude" else np.ones(len(first), bool)
    if long == "start":
        last = np.where(too_long, first, last)
    rows = np.flatnonzero(used)
    edges, code, labels = _bins(first, last, by, timezone)
    row, code, part = _overlaps(rows, first[rows], last[rows], edges, code)
    hours = np.where(missing, np.nan, length / HOUR)
    return Weights(row, code, part, labels, used, int(missing.sum()), int(too_long.sum()), hours)


def placed(
    start: Array, end: Array, method: Method, *, by: By = "hour-of-week", seed: int = 0,
    timezone: str = "Europe/London",
) -> dict[str, int]:  # fmt: skip
    """Incidents by bin when each is put whole at one moment of its window: number by name of the bin.

    ``random`` draws the moment evenly from the window; the draws do not depend on the order of rows.
    """
    first, last, _ = _instants(start, end, timezone)
    edges, code, labels = _bins(first, last, by, timezone)
    if method == "start":
        moment = first
    elif method == "end":
        moment = np.maximum(last - 1, first)  # the end itself is not in the window
    elif method == "midpoint":
        moment = first + (last - first) // 2
    else:
        order = np.lexsort((last, first))
        moment = np.empty_like(first)
        drawn = np.random.default_rng(seed).random(len(first))
        moment[order] = first[order] + (drawn * (last - first)[order]).astype(np.int64)
    number = np.bincount(code[np.searchsorted(edges, moment, "right") - 1], minlength=len(labels))
    return dict(zip(labels, number.tolist(), strict=True))


def _instants(start: Array, end: Array, timezone: str) -> tuple[Array, Array, Array]:
    """Start and end as nanoseconds of universal time, and where the end is missing."""
    import pandas as pd

    begins, ends = (pd.DatetimeIndex(pd.to_datetime(pd.Series(t), format="ISO8601")) for t in (start, end))
    if begins.hasnans:
        rows = np.flatnonzero(begins.isna())[:3].tolist()
        raise DataError(f"{int(begins.isna().sum())} windows have no start (rows {rows}). Leave them out.")
    missing = np.asarray(ends.isna())
    wrong = np.asarray(ends < begins) & ~missing
    if wrong.any():
        rows = np.flatnonzero(wrong)
        listed = "; ".join(f"row {k}: {begins[k]} to {ends[k]}" for k in rows[:3])
        raise DataError(f"{len(rows)} windows end before they start: {listed}. Correct or leave them out.")
    same = np.asarray(begins == ends) | missing
    first = _universal(begins, timezone, earlier=True)
    last = np.where(same, first, _universal(ends.where(~missing, begins), timezone, earlier=False))
    return first, np.maximum(first, last), missing


def _universal(times: Any, timezone: str, *, earlier: bool) -> Array:
    summer = np.full(len(times), earlier)
    local = times.tz_localize(timezone, ambiguous=summer, nonexistent="shift_forward")
    return np.asarray(local.tz_convert("UTC").as_unit("ns").asi8)


def _bins(first: Array, last: Array, by: By, timezone: str) -> tuple[Array, Array, tuple[str, ...]]:
    """Edges in universal time, the bin of each span between them, and the names of the bins."""
    import pandas as pd

    low, high = (pd.Timestamp(int(t), tz="UTC").tz_convert(timezone) for t in (first.min(), last.max()))
    begin = low.normalize().tz_localize(None)
    stop = (high.normalize() + pd.Timedelta(2, "D")).tz_localize(None).normalize()
    if by == "month":
        begin, stop = begin.replace(day=1), stop + pd.offsets.MonthBegin(1)
    else:
        begin = begin - pd.Timedelta(1, "D")
    step = {"day": "D", "month": "MS"}.get(by, "h")
    edges = pd.date_range(begin, stop, freq=step, tz=timezone)
    if by == "shift":
        edges = edges[edges.hour.isin(list(SHIFTS))]
    code, labels = _named(edges, by)
    return np.asarray(edges.tz_convert("UTC").as_unit("ns").asi8), code, labels


def _named(edges: Any, by: By) -> tuple[Array, tuple[str, ...]]:
    if by == "hour":
        return np.asarray(edges.hour), tuple(f"{h:02d}" for h in range(24))
    if by == "hour-of-week":
        names = tuple(f"{day} {h:02d}" for day in WEEKDAYS for h in range(24))
        return np.asarray(edges.day_of_week * 24 + edges.hour), names
    if by == "shift":
        hours = list(SHIFTS)
        return np.array([hours.index(h) for h in edges.hour]), tuple(SHIFTS.values())
    form = "%Y-%m" if by == "month" else "%Y-%m-%d"
    return np.arange(len(edges)), tuple(edges.strftime(form))


def _overlaps(
    rows: Array, first: Array, last: Array, edges: Array, code: Array
) -> tuple[Array, Array, Array]:
    """Entries (row, bin, part) of windows over the spans between edges."""
    start: Array = np.searchsorted(edges, first, "right") - 1
    stop = np.maximum(np.searchsorted(edges, last, "left") - 1, start)
    number = stop - start + 1
    which = np.repeat(np.arange(len(rows)), number)
    span = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number) + start[which]
    length = last - first
    shared = np.minimum(last[which], edges[span + 1]) - np.maximum(first[which], edges[span])
    part = np.where(length[which] == 0, 1.0, shared / np.maximum(length[which], 1))
    return rows[which], code[span], part
