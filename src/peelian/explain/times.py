"""At what hours: aoristic weights beside what start, middle, end and a random moment would say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.arithmetic import aoristic as windows
from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents

METHODS: tuple[windows.Method, ...] = ("start", "midpoint", "end", "random")


@dataclass(frozen=True, eq=False)
class Aoristic:
    """When incidents happened, those with long windows spread over them.

    ``frame``  by bin: ``aoristic`` (sum of weights), and for comparison ``start``, ``midpoint``, ``end`` and
    ``random``: the same incidents put whole at one moment. ``weights`` the parts of each incident. ``by``
    what the bins are; ``accounting`` every row; ``median_hours``, ``upper_hours`` (three quarters are
    shorter) and ``longest_hours`` of the windows that have an end.
    """

    frame: pd.DataFrame
    weights: windows.Weights
    by: windows.By
    accounting: dict[str, int]
    median_hours: float
    upper_hours: float
    longest_hours: float
    cap: float
    seed: int
    crime: str = "crime"

    def __str__(self) -> str:
        from peelian.explain.times_report import sentence

        return sentence(self)


def aoristic(
    incidents: Incidents, by: windows.By = "hour-of-week", *, cap: float = 72, long: windows.Long = "exclude",
    timezone: str = "Europe/London", seed: int, crime: str = "crime",
) -> Aoristic:  # fmt: skip
    """When incidents happened, each counting in part in every hour (day, month) of its window.

    ``by``   ``hour`` of the day, ``hour-of-week``, ``shift`` (06-14, 14-22, 22-06), ``day`` or ``month``.
    ``cap``  hours; longer windows are left out (``long="exclude"``), spread (``spread``) or put at their
             start (``start``). An incident without an end counts at its start.

    Raises ``DesignError`` where dates are too coarse for the bins: hours need times of day, days need dates.
    Source: Ratcliffe (2000).
    """
    import numpy as np
    import pandas as pd

    _refuse_coarse(incidents, by)
    frame = incidents.frame
    dated = frame["start"].notna()
    start, end = frame.loc[dated, "start"], frame.loc[dated, "end"]
    if not len(start):
        raise DesignError(f"No {crime} record has a time.")
    found = windows.weights(start, end, by=by, cap=cap, long=long, timezone=timezone)
    table = pd.DataFrame({"aoristic": found.totals}, index=pd.Index(found.labels, name="bin"))
    # the same bins for all: the comparison takes the windows that are used
    kept_start, kept_end = start[found.used], end[found.used]
    if long == "start":
        kept_end = kept_end.where(found.hours <= cap, kept_start)
    for method in METHODS:
        counts = windows.placed(kept_start, kept_end, method, by=by, seed=seed, timezone=timezone)
        table[method] = [counts.get(name, 0) for name in found.labels]
    if by in ("day", "month"):
        table = table[table.sum(axis=1) > 0]
    hours = found.hours[~np.isnan(found.hours)]
    middle, upper, longest = np.quantile(hours, [0.5, 0.75, 1.0]) if len(hours) else (np.nan,) * 3
    accounting = {
        "rows read": incidents.rows_read, "refused on reading": len(incidents.rejected),
        "without a start": int((~dated).sum()),
        **({f"window longer than {cap:g} hours left out": found.long} if long == "exclude" else {}),
        "used": int(found.used.sum()), "of these without an end": found.missing_end,
    }  # fmt: skip
    if long != "exclude":
        how = "spread over all of it" if long == "spread" else "put at its start"
        accounting[f"of these with a window longer than {cap:g} hours, {how}"] = found.long
    return Aoristic(
        table, found, by, accounting, float(middle), float(upper), float(longest), cap, seed, crime
    )


def _refuse_coarse(incidents: Incidents, by: windows.By) -> None:
    from peelian.explain.events import month_only

    if by != "month" and month_only(incidents):
        raise DesignError(
            "These records carry a month, not a date. Hours and days need force data (start and end times)."
        )
    if by in ("hour", "hour-of-week", "shift") and incidents.precision != "minute":
        raise DesignError(
            'These records carry a date, not a time of day. Use by = "day" or "month", or force data with '
            "start and end times."
        )
