"""Events for the Knox test: a point, a whole number for the time, a stratum; every row accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DesignError
from peelian.explain.bands import Unit
from peelian.explain.doubts import seems_snapped

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

Array = Any
MONTH_ONLY = (
    "These records carry a month, not a date. Near repeats need force data (start and end times). "
    "Concentration and hot spots by month remain."
)


@dataclass(frozen=True, eq=False)
class Events:
    """Events as arrays, sorted by time and place: ``x``, ``y`` metres, ``time`` whole days (or minutes),
    ``strata`` numbers, ``address`` keys as numbers (-1: none) or None. ``window``  begin and length of the
    window of each, whole seconds (events x 2), or None where each has a moment."""

    x: Array
    y: Array
    time: Array
    strata: Array
    address: Array | None = None
    strata_words: str = "one stratum"
    accounting: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    order: Array | None = None
    window: Array | None = None

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def of(cls, x: Array, y: Array, time: Array, strata: Array | None = None) -> Events:
        """Events from arrays in any order."""
        x, y, time = np.asarray(x, float), np.asarray(y, float), np.asarray(time)
        strata = np.zeros(len(x), np.int64) if strata is None else np.asarray(strata)
        order = np.lexsort((strata, y, x, time))
        return cls(x[order], y[order], time[order], strata[order], order=order)

    def drawn(self, unit: Unit, draws: int, seed: int) -> Array:
        """Times drawn evenly from the windows: drawings x events, whole days or minutes.

        >>> window = np.array([[0, 86_400], [0, 7 * 86_400]])
        >>> events = Events(*np.zeros((4, 2)), window=window)
        >>> events.drawn("days", 4, seed=1).T.tolist()
        [[0, 0, 0, 0], [3, 1, 0, 6]]
        """
        if self.window is None:
            return self.time[None]
        begin, length = self.window.T
        part = np.random.default_rng([seed, 2]).random((draws, len(begin)))
        moment = begin + np.floor(part * length).astype(np.int64)
        return moment // (60 if unit == "hours" else 86_400)


def events_of(
    incidents: Incidents, *, unit: Unit = "days", longest: float = 7,
    strata: Places | pd.Series | None = None, tile: float = 2000,
    drop_points: Sequence[tuple[float, float]] = (), timezone: str = "Europe/London",
) -> Events:  # fmt: skip
    """The incidents that the test can use, as arrays, with the account of those it cannot.

    ``longest``  longest window (days or hours) that an event may have: the first band. An event without an
    end happened at its start. Hours are elapsed ones, by the clocks of ``timezone``; days are those of the
    calendar.
    """
    import pandas as pd
    import shapely

    refuse_months(incidents)
    if unit == "hours" and incidents.precision != "minute":
        raise DesignError('These records carry a date, not a time of day: use unit = "days".')
    frame = incidents.frame
    step = pd.Timedelta(1, "h" if unit == "hours" else "D")
    start, end = frame["start"], frame["end"].fillna(frame["start"])
    if unit == "hours":
        start, end = (_universal(moment, timezone) for moment in (start, end))
    dated = start.notna().to_numpy()
    located = incidents.located.to_numpy()
    long = ((end - start) / step > longest).to_numpy()
    points = np.full((len(frame), 2), np.nan)
    points[located] = shapely.get_coordinates(frame.geometry[located].to_numpy())
    dropped = np.zeros(len(frame), bool)
    for x, y in drop_points:
        dropped |= np.hypot(points[:, 0] - x, points[:, 1] - y) <= 1
    usable = dated & located & ~long & ~dropped
    step_words = unit.removesuffix("s") if longest == 1 else unit
    accounting = {
        "rows read": incidents.rows_read, "refused on reading": len(incidents.rejected),
        "without a date": int((~dated).sum()), "without a point": int((dated & ~located).sum()),
        f"window longer than {longest:g} {step_words}": int((dated & located & long).sum()),
        "at a dropped point": int((dated & located & ~long & dropped).sum()), "used": int(usable.sum()),
    }  # fmt: skip
    middle = start + (end - start) / 2
    origin = pd.Timestamp(1970, 1, 1)
    # hours are counted in minutes, so that times stay whole numbers
    count = (middle[usable] - origin) // pd.Timedelta(1, "min" if unit == "hours" else "D")
    label, words = _strata(incidents, usable, points[usable], strata, tile)
    begin, stop = ((moment[usable] - origin) // pd.Timedelta(1, "s") for moment in (start, end))
    return _sorted(
        points[usable], count.to_numpy(np.int64), label, _addresses(frame.loc[usable]), words, accounting,
        (*_heavy_points(points[usable]), *seems_snapped(incidents)), np.flatnonzero(usable),
        np.column_stack([begin, stop - begin]).astype(np.int64),
    )  # fmt: skip


def _universal(times: pd.Series, timezone: str) -> pd.Series:
    """Local times as universal ones; of a time that the clocks show twice the first."""
    local = times.dt.tz_localize(timezone, ambiguous=np.ones(len(times), bool), nonexistent="shift_forward")
    return local.dt.tz_convert("UTC").dt.tz_localize(None)


def month_only(incidents: Incidents) -> bool:
    """Whether dates are months: by what the extract says, or by windows that last a month."""
    window = (incidents.frame["end"] - incidents.frame["start"]).dt.total_seconds() / 86400
    return incidents.precision == "month" or bool(len(window) and window.median() >= 28)


def refuse_months(incidents: Incidents) -> None:
    """Records that carry a month only cannot tell who came first: a ``DesignError``."""
    if month_only(incidents):
        raise DesignError(MONTH_ONLY)


def _sorted(
    points: Array, time: Array, label: Array, address: Array | None, words: str, accounting: dict[str, int],
    warnings: tuple[str, ...], rows: Array, window: Array,
) -> Events:  # fmt: skip
    keys = (window[:, 1], window[:, 0], label, points[:, 1], points[:, 0], time)
    order = np.lexsort(keys if address is None else (address, *keys))
    return Events(
        points[order, 0], points[order, 1], time[order], label[order],
        None if address is None else address[order], words, accounting, warnings, rows[order], window[order],
    )  # fmt: skip


def _strata(
    incidents: Incidents, usable: Array, points: Array, strata: Places | pd.Series | None, tile: float
) -> tuple[Array, str]:
    """Number of the stratum of each event, and what the strata are."""
    import pandas as pd

    if strata is None:
        cells = np.floor(points / tile).astype(np.int64)
        words = f"square tiles of {tile:g} m"
        _, label = np.unique(cells, axis=0, return_inverse=True)
    else:
        if isinstance(strata, pd.Series):
            named = strata.reindex(incidents.frame.index)[usable]
        else:
            named = incidents.place_of(strata)[usable]
        _, label = np.unique(named.astype("object").fillna("none").astype(str), return_inverse=True)
        by = getattr(strata, "name", None)
        words = f"areas by {by}" if by else "the strata given"
    label = label.ravel()
    return label, f"{words} ({int(label.max()) + 1 if len(label) else 0:,} with events)"


def _addresses(frame: pd.DataFrame) -> Array | None:
    import pandas as pd

    if "address" not in frame or frame["address"].isna().all():
        return None
    code, _ = pd.factorize(frame["address"], sort=True)
    return np.asarray(code, np.int64)


def _heavy_points(points: Array) -> tuple[str, ...]:
    """A warning where one point holds more than a fifth of the events."""
    if not len(points):
        return ()
    at, number = np.unique(points, axis=0, return_counts=True)
    if number.max() <= 0.2 * len(points):
        return ()
    heaviest = np.argsort(-number, kind="stable")[:5]
    listed = "; ".join(f"({at[k, 0]:.0f}, {at[k, 1]:.0f}): {number[k]:,}" for k in heaviest if number[k] >= 5)
    return (
        f"{number.max():,} of {len(points):,} events ({number.max() / len(points):.1%}) lie on one point: an "
        f"address by default (a station, a hospital, a centroid)? Heaviest points: {listed}. Leave such "
        "points out with drop_points.".replace("%)", " %)"),
    )
