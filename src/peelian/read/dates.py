"""Dates: text as instants with the precision they were written to; day and month are never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Order = Literal["iso", "dmy", "mdy", "excel"]
SINCE = r"^days since (\d{4}-\d{2}-\d{2})$"
STEPS = ("month", "day", "minute")
FIRST_YEAR, LAST_YEAR = 1900, 2100
TIME = (
    r"(?:(?:T|[ ,]+)(\d{1,2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm])?)?"
    r"\s*(?:UTC|GMT|Z|[+-]\d{2}:?\d{2})?$"
)
YEAR_FIRST = r"^(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2}))?" + TIME
YEAR_LAST = r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})" + TIME
NAMED = r"^(\d{1,2})[- ]([A-Za-z]{3})[a-z]*[- ,]+(\d{4}|\d{2})" + TIME
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ZONE = r"(?:\d|[AaPp][Mm])\s*(UTC|GMT|Z|[+-]\d{2}:?\d{2})$"
SERIAL = r"^\d{5}(?:\.\d+)?$"
SERIALS = (20_000.0, 80_000.0)  # spreadsheet days of 1954 and 2119
FIRSTS = 3  # months whose days are all the first: the first stands for the month
PIVOT = 69  # two-digit years up to 68 are of this century, as POSIX has it


@dataclass(frozen=True, eq=False)
class Dates:
    """Instants on the index of the text, and the step each was written to.

    ``instant``  naive local time; missing where the text is blank or no date.
    ``step``     position in ``STEPS``: 0 month, 1 day, 2 minute (times that are all midnight count as days,
                days that are all the first of several months as months).
    """

    instant: pd.Series
    step: np.ndarray


def dates(
    text: pd.Series,
    *,
    order: Order | str | None = None,
    name: str = "dates",
    timezone: str | None = None,
    serials: bool = False,
) -> Dates:
    """Dates as year first (``2016-05``, ``2016-05-07 18:30``), year last (``07/05/2016``), ``7 May 2016``.

    ``order``     of day and month where the year comes last: ``dmy`` or ``mdy``; ``iso`` refuses those;
                  ``excel`` takes numbers as a spreadsheet's days (42500 is 10 May 2016) beside written dates.
                  ``days since 2002-01-01`` takes numbers as days after that one. Without any of these
                  the column must tell by itself: a value above 12 in one place and none in the
                  other. Two-digit years up to 68 are of this century.
    ``timezone``  where the crime happened (``Europe/London``): times written with a zone mark (``Z``,
                  ``+01:00``) are moved to its clock. Without it the clock time stands as it was written.
    ``serials``   numbers are a spreadsheet's days whatever the order, because the file is a workbook.

    Raises ``DataError`` where 03/04/2016 could be either day, and for a time zone that is none.

    >>> import pandas as pd
    >>> str(dates(pd.Series(["25/12/2016 18:30"])).instant[0])
    '2016-12-25 18:30:00'
    >>> str(dates(pd.Series(["2016-07-01T12:00:00Z"]), timezone="Europe/London").instant[0])
    '2016-07-01 13:00:00'
    """
    import pandas as pd

    codes, distinct = pd.factorize(text, use_na_sentinel=False)
    found = _of(pd.Series(distinct, dtype="str"), order, name, timezone, serials)
    instant = pd.Series(found.instant.to_numpy()[codes], index=text.index)
    return Dates(instant, found.step[codes])


def _of(text: pd.Series, order: str | None, name: str, timezone: str | None, serials: bool) -> Dates:
    """The dates of distinct texts."""
    import numpy as np
    import pandas as pd

    since = re.match(SINCE, order or "")
    if since:
        return _counted(text, since[1])
    first = text.str.extract(YEAR_FIRST)
    instant, step = _instants(first[0], first[1], first[2], first[[3, 4, 5, 6]])
    named = text.str.extract(NAMED)
    if named[0].notna().any():
        month = named[1].str.lower().map({word: str(at) for at, word in enumerate(MONTHS, 1)})
        instant, step = _laid(instant, step, named[0].notna(), _century(named[2]), month, named[0], named)
    last = text.str.extract(YEAR_LAST)
    if last[0].notna().any() and order != "iso":
        chosen = order if order in ("dmy", "mdy") else _order(last, name)
        day, month = (last[0], last[1]) if chosen == "dmy" else (last[1], last[0])
        instant, step = _laid(instant, step, last[0].notna(), _century(last[2]), month, day, last)
    if serials or order == "excel":
        instant, step = _spreadsheet(text, instant, step)
    if timezone is not None:
        instant = _local(text, instant, timezone, name)
    timed = instant.notna().to_numpy() & (step == 2)
    clock = instant[timed]
    if timed.any() and bool(((clock.dt.hour == 0) & (clock.dt.minute == 0) & (clock.dt.second == 0)).all()):
        step = np.minimum(step, 1)
    known = instant.dropna()
    firsts = known[known.dt.day == 1]
    if len(firsts) == len(known) and firsts.dt.to_period("M").nunique() >= FIRSTS and (step <= 1).all():
        step = np.minimum(step, 0)
    return Dates(pd.Series(instant, index=text.index), step)


def _counted(text: pd.Series, day: str) -> Dates:
    """Numbers as days after a day; a fraction is a time of day."""
    import numpy as np
    import pandas as pd

    number = pd.to_numeric(text, errors="coerce").astype("float64")
    number = number.where(number.abs() < 365.25 * (LAST_YEAR - FIRST_YEAR))
    seconds = pd.to_timedelta((number * 86_400).round(), unit="s")
    instant = (pd.Timestamp(day) + seconds).astype("datetime64[us]")
    whole = bool((number.dropna() % 1 == 0).all())
    return Dates(pd.Series(instant, index=text.index), np.full(len(text), 1 if whole else 2))


def _laid(
    instant: pd.Series,
    step: np.ndarray,
    written: pd.Series,
    year: pd.Series,
    month: pd.Series,
    day: pd.Series,
    parts: pd.DataFrame,
) -> tuple[pd.Series, np.ndarray]:
    """The instants with those of another way of writing laid over them."""
    import numpy as np

    other, other_step = _instants(year, month, day, parts[[3, 4, 5, 6]])
    mask = written.to_numpy()
    return instant.where(~mask, other), np.where(mask, other_step, step)


def _century(year: pd.Series) -> pd.Series:
    """Years with four digits."""
    short = year.str.len() == 2
    if not short.any():
        return year
    prefix = (year.where(short).astype("float64") < PIVOT).map({True: "20", False: "19"})
    return year.where(~short, prefix + year)


def _spreadsheet(text: pd.Series, instant: pd.Series, step: np.ndarray) -> tuple[pd.Series, np.ndarray]:
    """Numbers as days since 30 December 1899, as spreadsheets of the 1900 system count them."""
    import numpy as np
    import pandas as pd

    number = pd.to_numeric(text.where(text.str.match(SERIAL).fillna(False).astype(bool))).astype("float64")
    number = number.where(number.between(*SERIALS))
    if not number.notna().any():
        return instant, step
    seconds = (number * 86_400).round()
    moment = pd.Timestamp("1899-12-30") + pd.to_timedelta(seconds, unit="s")
    found = number.notna().to_numpy()
    moment = moment.astype("datetime64[us]")
    return instant.where(~found, moment), np.where(found, np.where(number % 1 == 0, 1, 2), step)


def _local(text: pd.Series, instant: pd.Series, timezone: str, name: str) -> pd.Series:
    """The clock of a place for the times that are written with a zone mark; the others stand."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    import pandas as pd

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DataError(
            f"{name}: {timezone!r} is no time zone. Write one such as Europe/London or America/Chicago."
        ) from error
    mark = text.str.extract(ZONE)[0]
    offset = mark.str.replace(r"UTC|GMT|Z", "+00:00", regex=True).str.replace(":", "")
    minutes = pd.to_numeric(offset.str[1:3]) * 60 + pd.to_numeric(offset.str[3:5])
    minutes = minutes.where(offset.str[0] != "-", -minutes)
    known = minutes.notna() & instant.notna() & (minutes.abs() < 24 * 60)
    if not known.any():
        return instant
    utc = instant[known] - pd.to_timedelta(minutes[known], unit="m")
    local = utc.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None).astype("datetime64[us]")
    return instant.where(~known, local.reindex(instant.index))


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
