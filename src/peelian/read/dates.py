"""Dates: text as instants with the precision they were written to; day and month are never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Order = Literal["iso", "dmy", "mdy"]
STEPS = ("month", "day", "minute")
FIRST_YEAR, LAST_YEAR = 1900, 2100
TIME = r"(?:(?:T|[ ,]+)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm])?)?\s*(?:Z|[+-]\d{2}:?\d{2})?$"
YEAR_FIRST = r"^(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2}))?" + TIME
YEAR_LAST = r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})" + TIME


@dataclass(frozen=True, eq=False)
class Dates:
    """Instants on the index of the text, and the step each was written to.

    ``instant``  naive local time; missing where the text is blank or no date.
    ``step``     position in ``STEPS``: 0 month, 1 day, 2 minute (times that are all midnight count as days).
    """

    instant: pd.Series
    step: np.ndarray


def dates(text: pd.Series, *, order: Order | None = None, name: str = "dates") -> Dates:
    """Dates as year first (``2016-05``, ``2016-05-07 18:30``) or year last (``07/05/2016 18:30``).

    ``order``  of day and month where the year comes last: ``dmy`` or ``mdy``; ``iso`` refuses those.
               Without it the column must tell by itself: a value above 12 in one place and none in the other.

    A time zone mark (``Z``, ``+01:00``) is passed over: the clock time stands as it was written.
    Raises ``DataError`` where 03/04/2016 could be either day.

    >>> import pandas as pd
    >>> str(dates(pd.Series(["25/12/2016 18:30"])).instant[0])
    '2016-12-25 18:30:00'
    """
    import numpy as np
    import pandas as pd

    first = text.str.extract(YEAR_FIRST)
    instant, step = _instants(first[0], first[1], first[2], first[[3, 4, 5, 6]])
    last = text.str.extract(YEAR_LAST)
    if last[0].notna().any() and order != "iso":
        chosen = order or _order(last, name)
        day, month = (last[0], last[1]) if chosen == "dmy" else (last[1], last[0])
        other, other_step = _instants(last[2], month, day, last[[3, 4, 5, 6]])
        written = last[0].notna().to_numpy()
        instant, step = instant.where(~written, other), np.where(written, other_step, step)
    timed = instant.notna().to_numpy() & (step == 2)
    clock = instant[timed]
    if timed.any() and bool(((clock.dt.hour == 0) & (clock.dt.minute == 0) & (clock.dt.second == 0)).all()):
        step = np.minimum(step, 1)
    return Dates(pd.Series(instant, index=text.index), step)


def _order(parts: pd.DataFrame, name: str) -> Order:
    """Day first or month first, where the values themselves decide."""
    import pandas as pd

    one, two = pd.to_numeric(parts[0]), pd.to_numeric(parts[1])
    day_first = int(((one > 12) & (one <= 31) & (two <= 12)).sum())
    month_first = int(((two > 12) & (two <= 31) & (one <= 12)).sum())
    if bool(day_first) == bool(month_first):
        known = one.notna()
        sample = f"{parts[0][known].iloc[0]}/{parts[1][known].iloc[0]}/{parts[2][known].iloc[0]}"
        why = (
            f"{day_first} values are day first and {month_first} month first"
            if day_first
            else "no value tells the day from the month"
        )
        raise DataError(
            f'{name}: {sample} could be either way round ({why}). Say which: dates = "dmy" for British '
            'dates, dates = "mdy" for American ones.'
        )
    return "dmy" if day_first else "mdy"


def _instants(
    year: pd.Series, month: pd.Series, day: pd.Series, clock: pd.DataFrame
) -> tuple[pd.Series, np.ndarray]:
    """Instants from parts as text; impossible ones (31 February, 25:10) are missing."""
    import numpy as np
    import pandas as pd

    hour, minute, second, half = (clock.iloc[:, k] for k in range(4))
    noon = half.str.upper()
    number = pd.to_numeric(hour).astype("float64")
    number = number.where(~((noon == "AM") & (number == 12)), 0.0)
    number = number.where(~((noon == "PM") & (number < 12)), number + 12)
    parts = {
        "year": pd.to_numeric(year).astype("float64"),
        "month": pd.to_numeric(month).astype("float64"),
        "day": pd.to_numeric(day).astype("float64").fillna(1.0),
        "hour": number.fillna(0.0),
        "minute": pd.to_numeric(minute).astype("float64").fillna(0.0),
        "second": pd.to_numeric(second).astype("float64").fillna(0.0),
    }
    frame = pd.DataFrame(parts)
    possible = frame["year"].between(FIRST_YEAR, LAST_YEAR) & (frame["hour"] < 24) & (frame["minute"] < 60)
    possible &= (frame["second"] < 60) & ~(day.isna() & hour.notna())
    instant = pd.to_datetime(frame.where(possible), errors="coerce").astype("datetime64[us]")
    step = np.where(day.isna(), 0, np.where(hour.isna(), 1, 2))
    return instant, step


def step_after(instant: pd.Series, step: np.ndarray) -> pd.Series:
    """The instant one step later: the next month, day or minute."""
    import numpy as np
    import pandas as pd

    later = instant + pd.Timedelta(minutes=1)
    later = later.where(step != 1, instant.dt.normalize() + pd.Timedelta(days=1))
    month = instant.dt.to_period("M")
    following = (month + 1).dt.to_timestamp()
    return later.where(step != 0, following).astype("datetime64[us]").where(np.isfinite(step))
