"""Windows: the start, the end and the type of each row of a table, and the rows that have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import peelian.read.dates as calendar
from peelian.incidents import Precision
from peelian.read.rows import Rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SERIAL_START = 'start is a number: if a spreadsheet left its days so, write dates = "excel"'
BAD_START, BAD_END = "start is no date", "end is no date"
NO_START, BACKWARDS, NO_TYPE = "no start", "ends before it starts", "no crime type"


@dataclass(frozen=True)
class Clock:
    """How the dates of a file are to be read."""

    order: str | None
    timezone: str | None
    precision: Precision | None
    period: str | None

    def read(self, text: pd.Series, name: str, *, serials: bool) -> calendar.Dates:
        """A column of dates, read so."""
        return calendar.dates(text, order=self.order, name=name, timezone=self.timezone, serials=serials)


def windows(
    fields: pd.DataFrame, read: Rows, type: str | None, clock: Clock
) -> tuple[pd.DataFrame, np.ndarray, list[tuple[int, str, str]]]:
    """Start, end, type of the usable rows, their steps, and the refused rows."""
    import numpy as np
    import pandas as pd

    if "start" not in fields:
        return _undated(fields, read, type, clock.period)
    precision = clock.precision
    start = clock.read(fields["start"], "column of start", serials=read.serials)
    step = start.step if precision is None else np.minimum(start.step, calendar.STEPS.index(precision))
    begin = _floor(start.instant, step)
    end = calendar.step_after(begin, step)
    reason = pd.Series(None, index=fields.index, dtype="object")
    if "end" in fields:
        given = clock.read(fields["end"], "column of end", serials=read.serials)
        coarse = np.minimum(given.step, step)
        closed = _closed(given.instant, coarse)
        reason[fields["end"].notna() & given.instant.isna()] = BAD_END
        reason[_floor(given.instant, coarse) < _floor(begin, coarse)] = BACKWARDS
        end = closed.where(closed > begin, end)
    kind = fields["type"] if "type" in fields else pd.Series(type, index=fields.index, dtype="str")
    reason[kind.isna()] = NO_TYPE
    reason[begin.isna()] = BAD_START
    reason[begin.isna() & fields["start"].str.match(calendar.SERIAL).fillna(False).astype(bool)] = (
        SERIAL_START
    )
    reason[fields["start"].isna()] = NO_START
    good = reason.isna()
    frame = pd.DataFrame({"start": begin, "end": end, "type": kind.astype("str")})[good]
    frame.index.name = "row"
    return frame, step[good.to_numpy()], _refused(fields, read, reason)


def _undated(
    fields: pd.DataFrame, read: Rows, type: str | None, period: str | None
) -> tuple[pd.DataFrame, np.ndarray, list[tuple[int, str, str]]]:
    """Rows without a date: their window is the whole period."""
    import numpy as np
    import pandas as pd

    whole = pd.Period(period, freq="M" if "-" in str(period) else "Y")
    kind = fields["type"] if "type" in fields else pd.Series(type, index=fields.index, dtype="str")
    reason = pd.Series(None, index=fields.index, dtype="object")
    reason[kind.isna()] = NO_TYPE
    good = reason.isna()
    frame = pd.DataFrame({"type": kind.astype("str")})[good]
    frame.insert(0, "start", np.datetime64(whole.start_time, "us"))
    frame.insert(1, "end", np.datetime64((whole + 1).start_time, "us"))
    frame.index.name = "row"
    return frame, np.zeros(len(frame), int), _refused(fields, read, reason)


def _refused(fields: pd.DataFrame, read: Rows, reason: pd.Series) -> list[tuple[int, str, str]]:
    at = reason.notna().to_numpy().nonzero()[0]
    return [(int(fields.index[k]), str(reason.iloc[k]), read.text(int(k))) for k in at]


def _floor(instant: pd.Series, step: np.ndarray) -> pd.Series:
    """The start of the step that an instant lies in."""
    day = instant.dt.normalize()
    month = instant.dt.to_period("M").dt.to_timestamp()
    return instant.where(step == 2, day.where(step == 1, month)).astype("datetime64[us]")


def _closed(instant: pd.Series, step: np.ndarray) -> pd.Series:
    """Ends as written, moved to the end of their day or month where no time was given."""
    later = calendar.step_after(_floor(instant, step), step)
    return instant.where(step == 2, later)
