"""Weather as features: what was known of it beforehand, or in a row of its own what nobody knew."""

from __future__ import annotations

import numpy as np
import pandas as pd

from peelian.errors import DesignError
from peelian.predict.calendar_features import days_of
from peelian.predict.history import History, moment_of
from peelian.predict.weather import PERFECT

USUAL, FORECAST = "usual weather", "forecast weather"
SOURCES = (USUAL, FORECAST, PERFECT)
MEASURES = {"tmean": "temperature", "rain": "rain"}
AROUND = 7  # days either side of the date in earlier years
A_YEAR_BUT = 300  # days: nearer than this it is the same season, and no earlier year
ABOVE = 50.0  # degrees added, so that no temperature lies below 0


def weather_columns(
    source: str, weather: pd.DataFrame | None, forecasts: pd.DataFrame | None, history: History, start: int,
    stop: int,
) -> list[tuple[str, str, np.ndarray, int | None]]:  # fmt: skip
    """Mean temperature and rain of a period, the same in every place: name, group, values, step known.

    ``source``     ``usual weather``: the mean of the same dates in the years before (7 days either side, or
                   the month); ``forecast weather``: the last forecast issued before the end of history;
                   the weather itself only under its own name, ``perfect weather (not available in
                   practice)``.
    ``weather``    by day or month; ``forecasts`` with ``issued`` and ``date``; both with ``tmean``, ``rain``.

    Raises ``DesignError`` where nothing was known of the period.
    """
    end = moment_of(history.end, history.step)
    days = days_of(history, start, stop)
    if source == FORECAST:
        assert forecasts is not None
        found, known = issued_before(forecasts, end, days), history.end
    else:
        assert weather is not None
        found = measured(weather, days) if source == PERFECT else usual(weather, end, days)
        known = stop if source == PERFECT else history.end
    if found.isna().any() or not len(found):
        raise DesignError(
            f"Of the {source} of {days[0]:%d %B %Y} to {days[-1]:%d %B %Y} nothing is held. Give a longer "
            "series, or leave weather out of [predict.features]."
        )
    number = len(history.places)
    return [
        (f"{source}: {MEASURES[name]}", "weather", np.full(number, value + ABOVE * (name == "tmean")), known)
        for name, value in found.items()
    ]


def measured(weather: pd.DataFrame, days: pd.DatetimeIndex) -> pd.Series:
    """Means over the days, of what was measured on them."""
    held = weather[[name for name in MEASURES if name in weather]]
    when = pd.PeriodIndex(days, freq=_frequency(weather)).unique()
    return held.reindex(when).mean()


def usual(weather: pd.DataFrame, end: pd.Timestamp, days: pd.DatetimeIndex) -> pd.Series:
    """Means of the same dates in the years before ``end``: 7 days either side of each, or the month."""
    held = weather[[name for name in MEASURES if name in weather]]
    periods = pd.PeriodIndex(held.index)
    before = np.asarray(periods.end_time < min(end, days[0] - pd.Timedelta(A_YEAR_BUT, "D")))
    if _frequency(weather) == "M":
        return held[before & np.isin(periods.month, days.month.unique())].mean()
    gap = np.abs(np.asarray(periods.day_of_year)[:, None] - np.asarray(days.day_of_year)[None, :])
    near = (np.minimum(gap, 365 - gap) <= AROUND).any(axis=1)
    return held[before & near].mean()


def issued_before(forecasts: pd.DataFrame, end: pd.Timestamp, days: pd.DatetimeIndex) -> pd.Series:
    """Means over the days, of the last forecast of each that was issued before ``end``."""
    held = forecasts[(forecasts["issued"] < end) & forecasts["date"].isin(days)]
    last = held.sort_values("issued", kind="stable").drop_duplicates("date", keep="last")
    return last[[name for name in MEASURES if name in last]].mean()


def _frequency(weather: pd.DataFrame) -> str:
    return "M" if str(weather.index.dtype) == "period[M]" else "D"
