"""The calendar of a period: months, weekdays, bank holidays, hours of darkness. Known long beforehand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from peelian.arithmetic.daylight import daylight_hours
from peelian.figures import bank_holidays
from peelian.predict.history import History, moment_of

CALENDAR = ("month", "weekday", "bank_holidays", "darkness")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def calendar_columns(
    kinds: tuple[str, ...], history: History, start: int, stop: int, latitude: float
) -> list[tuple[str, str, np.ndarray, int | None]]:
    """Columns of the calendar for a period, the same in every place: name, group, values, step known.

    ``kinds``     ``month``: the share of the period's days in each, and its length; ``weekday``: likewise,
                  where the period is no whole number of weeks; ``bank_holidays`` in it (England and Wales);
                  ``darkness``: mean hours a day.
    ``latitude``  degrees north, for ``darkness``.
    """
    days = days_of(history, start, stop)
    found: dict[str, float] = {}
    if "month" in kinds:
        found |= {name: float((days.month == at).mean()) for at, name in enumerate(MONTHS, 1)}
        if history.step == "month":
            found["days in the period"] = float(len(days))
    if "weekday" in kinds and history.step == "day" and len(days) % 7:
        found |= {name: float((days.day_of_week == at).mean()) for at, name in enumerate(WEEKDAYS)}
    if "bank_holidays" in kinds:
        found["bank holidays"] = float(len(bank_holidays(days[0].date(), days[-1].date())))
    if "darkness" in kinds:
        found["hours of darkness"] = 24 - float(daylight_hours(days.day_of_year.to_numpy(), latitude).mean())
    number = len(history.places)
    return [(name, "calendar", np.full(number, value), history.first) for name, value in found.items()]


def days_of(history: History, start: int, stop: int) -> pd.DatetimeIndex:
    """The days of the steps from ``start`` up to ``stop``."""
    first, after = (moment_of(at, history.step) for at in (start, stop))
    return pd.date_range(first, after, inclusive="left", freq="D")
