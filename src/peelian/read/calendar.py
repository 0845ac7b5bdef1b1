"""Calendar: weekends, bank holidays, school terms and hours of daylight, day by day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from peelian.arithmetic.daylight import daylight_hours
from peelian.errors import DataError, some
from peelian.figures import bank_holidays
from peelian.read.layering import table

if TYPE_CHECKING:
    import pandas as pd


def calendar(
    first: date | str,
    last: date | str,
    *,
    latitude: float | None = None,
    terms: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What kind of day each day is: weekday, weekend, bank holiday, school holiday, hours of daylight.

    ``first``, ``last``  days, both included, within the years of the bank holidays that are shipped.
    ``latitude``  degrees north, for ``daylight``; without it the column is left out.
    ``terms``     of ``school_terms``, for ``school_holiday``; without it the column is left out.

    Returns a frame on a PeriodIndex of days named ``day``: ``weekday`` (0 Monday to 6 Sunday), ``weekend``,
    ``bank_holiday`` (its name, missing on other days; England and Wales), ``day_off`` (either), and where
    asked ``school_holiday`` (missing outside the years of the terms) and ``daylight`` (hours).

    >>> frame = calendar("2022-06-01", "2022-06-04")
    >>> frame["day_off"].tolist()
    [False, True, True, True]
    """
    import pandas as pd

    days = pd.period_range(first, last, freq="D", name="day")
    if not len(days):
        raise DataError(f"A calendar from {first} to {last} holds no day: the last lies before the first.")
    named = bank_holidays(days[0].to_timestamp().date(), days[-1].to_timestamp().date())
    frame = pd.DataFrame({"weekday": days.day_of_week}, index=days)
    frame["weekend"] = frame["weekday"] >= 5
    frame["bank_holiday"] = named.set_axis(pd.PeriodIndex(named.index, freq="D")).reindex(days).astype("str")
    frame["day_off"] = frame["weekend"] | frame["bank_holiday"].notna()
    if terms is not None:
        frame["school_holiday"] = _school_holiday(days, terms)
    if latitude is not None:
        frame["daylight"] = daylight(days, latitude)
    return frame


def calendar_months(days: pd.DataFrame) -> pd.DataFrame:
    """The days of ``calendar`` by month: days, days off, bank holidays, school holidays, mean daylight.

    >>> calendar_months(calendar("2022-06-01", "2022-06-30"))["days_off"].tolist()
    [10]
    """
    import pandas as pd

    month = pd.PeriodIndex(days.index.asfreq("M"), name="month")
    held = days.groupby(month)
    frame = pd.DataFrame({"days": held.size(), "days_off": held["day_off"].sum().astype(int)})
    frame["bank_holidays"] = days["bank_holiday"].notna().groupby(month).sum()
    if "school_holiday" in days:
        lacking = days["school_holiday"].isna().groupby(month).any()
        frame["school_holidays"] = held["school_holiday"].sum().astype("float64").where(~lacking)
    if "daylight" in days:
        frame["daylight"] = held["daylight"].mean()
    return frame


def daylight(days: pd.PeriodIndex, latitude: float) -> pd.Series:
    """Hours from sunrise to sunset on each day at a latitude.

    ``latitude``  degrees north, -90 to 90 (south is negative).

    See ``arithmetic.daylight`` for the model (Forsythe and others 1995).

    >>> import pandas as pd
    >>> daylight(pd.PeriodIndex(["2026-06-21", "2026-12-21"], freq="D"), 51.5).round(1).tolist()
    [16.6, 7.8]
    """
    import pandas as pd

    if not -90 <= latitude <= 90:
        raise DataError(f"latitude = {latitude:g} is no latitude; expected degrees north, -90 to 90.")
    return pd.Series(daylight_hours(days.day_of_year.to_numpy(float), latitude), index=days, name="daylight")


def school_terms(path: Path | str, *, authority: str | None = None) -> pd.DataFrame:
    """The terms of a local authority's schools from a file of your own.

    ``path``       CSV with columns ``authority`` (may be left out), ``term`` (its name, free), ``first`` and
                   ``last`` (ISO days on which pupils are in school). Write each half of a term as its own
                   row: what lies between two rows is holiday. No national file of these exists.
    ``authority``  whose rows, where the file has several.

    Returns a frame in order: ``term``, ``first``, ``last`` (timestamps).

    Raises ``DataError``, with the row, for a day that is no ISO date, a term that ends before it begins and
    terms that overlap.
    """
    import pandas as pd

    read, frame = table(path, ("first", "last"), what="a list of school terms")
    if read.refused:
        number, reason, _ = read.refused[0]
        raise DataError(f"{path}: row {number} cannot be read: {reason}.")
    if "authority" in frame:
        held = sorted(frame["authority"].dropna().unique())
        if authority is None and len(held) > 1:
            raise DataError(f'{path}: has terms of {some(held)}. Choose: authority = "{held[0]}".')
        if authority is not None and authority not in held:
            raise DataError(f"{path}: has no authority {authority}; it has {some(held)}.")
        frame = frame[frame["authority"].eq(authority or (held[0] if held else ""))]
    out = pd.DataFrame({"term": frame.get("term", "")}, index=frame.index)
    for name in ("first", "last"):
        out[name] = pd.to_datetime(frame[name], format="%Y-%m-%d", errors="coerce")
        wrong = out[name].isna()
        if wrong.any():
            row = out.index[wrong][0]
            raise DataError(f"{path}: row {row}: {name} is {frame.at[row, name]!r}; expected 2026-09-01.")
    _in_order(out, path)
    return out.sort_values("first", ignore_index=True)


def _in_order(terms: pd.DataFrame, path: Path | str) -> None:
    backwards = terms["last"] < terms["first"]
    if backwards.any():
        raise DataError(f"{path}: row {terms.index[backwards][0]}: the term ends before it begins.")
    ordered = terms.sort_values("first")
    over = ordered["first"] <= ordered["last"].shift()
    if over.any():
        raise DataError(
            f"{path}: row {ordered.index[over][0]}: the term begins before the one before it ends."
        )


def _school_holiday(days: pd.PeriodIndex, terms: pd.DataFrame) -> pd.Series:
    """True outside terms, missing before the first and after the last of them."""
    import numpy as np
    import pandas as pd

    stamp = days.to_timestamp().to_numpy()
    inside = np.zeros(len(days), bool)
    for row in terms.itertuples():
        inside |= (stamp >= row.first) & (stamp <= row.last)
    known = (stamp >= terms["first"].min()) & (stamp <= terms["last"].max())
    return pd.Series(~inside, index=days).astype("boolean").where(known)
