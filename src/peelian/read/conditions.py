"""Conditions: the [weather] table of peelian.toml as days and months of weather and calendar, for predict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as model

from peelian.errors import DataError
from peelian.project import validated

if TYPE_CHECKING:
    import pandas as pd

    from peelian.read.weather import Weather

SHORT = {
    "temperature_min": "tmin",
    "temperature_max": "tmax",
    "temperature_mean": "tmean",
    "rain": "rain",
}


@model(frozen=True, config=ConfigDict(extra="forbid"))
class WeatherSource:
    """The ``[weather]`` table: a weather file, and what the calendar needs beside it.

    ``file``       relative to peelian.toml: NOAA GHCN daily, Met Office station text, Open-Meteo, or a table.
    ``layout``     ``ghcn``, ``met_office``, ``open_meteo`` or ``table``, where it cannot be seen.
    ``station``    which one, where a NOAA file has several.
    ``columns``    of a table: our name -> its column, such as ``{ day = "date", rain = "precip_mm" }``.
    ``units``      of a table, by our name: ``F``, ``inch``, ``mph``, ``km/h``, ``knots``, ``cm``; or of NOAA
                   as a whole: ``metric``, ``standard``, ``tenths``.
    ``latitude``   degrees north, for hours of daylight; the station's where the file says it.
    ``terms``      a CSV of school terms (authority, term, first, last); ``authority`` whose.
    ``source``, ``licence``  printed in the report; known for the services named above.
    """

    file: Annotated[str, Field(min_length=1)]
    layout: Literal["ghcn", "met_office", "open_meteo", "table"] | None = None
    station: str | None = None
    columns: dict[str, str] | None = None
    units: dict[str, str] | str | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    terms: str | None = None
    authority: str | None = None
    source: str = ""
    licence: str = ""


@dataclass(frozen=True, eq=False)
class Conditions:
    """Weather and calendar on one index, and what is to be said of them.

    ``days``       on a PeriodIndex of days, None where the file holds months: the columns of the weather
                   (missing where not measured) and of the calendar.
    ``months``     the same by month.
    ``weather``    what was read, with its gaps and refused rows.
    ``sentences``  what the file holds and lacks, in words.
    """

    days: pd.DataFrame | None
    months: pd.DataFrame
    weather: Weather
    sentences: tuple[str, ...]

    @property
    def files(self) -> dict[str, pd.DataFrame]:
        """For the stages after this one: ``weather_days.csv`` (of a daily file) and ``weather_months.csv``.

        Columns: ``date`` (of a month its first day), ``tmin``, ``tmax``, ``tmean`` (degrees Celsius),
        ``rain`` (mm), missing where not measured, then whatever else the file and the calendar hold.
        """
        held = {"weather_months.csv": self.months}
        if self.days is not None:
            held["weather_days.csv"] = self.days
        return {name: _dated(frame) for name, frame in held.items()}


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its dates as a column, and the four columns of weather always there."""
    plain = frame.rename(columns=SHORT)
    for name in SHORT.values():
        if name not in plain:
            plain[name] = float("nan")
    rest = [name for name in plain if name not in SHORT.values()]
    plain = plain[[*SHORT.values(), *rest]]
    plain.insert(0, "date", frame.index.to_timestamp())
    return plain.reset_index(drop=True)


def weather_source(tables: dict[str, Any], file: Path) -> WeatherSource | None:
    """The ``[weather]`` table as written, checked; None where the project has none.

    ``tables``  what peelian.toml holds; ``file`` for messages.
    """
    held = tables.get("weather")
    if held is None:
        return None
    if not isinstance(held, dict):
        raise DataError(f"{file}: weather is no table. Write [weather] above its keys.")
    return validated(WeatherSource, held, table="weather", file=file)


def conditions(source: WeatherSource, folder: Path) -> Conditions:
    """The weather of a project with its calendar beside it.

    ``folder``  that file names start from. The frames span what the file spans, as far as bank holidays are
    known; the calendar's columns are missing outside of that.
    """
    from peelian.read.calendar import calendar, calendar_months, school_terms
    from peelian.read.weather import weather

    read = weather(
        folder / source.file, layout=source.layout, station=source.station, columns=source.columns,
        units=source.units, source=source.source, licence=source.licence,
    )  # fmt: skip
    latitude = read.latitude if source.latitude is None else source.latitude
    terms = school_terms(folder / source.terms, authority=source.authority) if source.terms else None
    first, last = _known(read.frame.index)
    kept = calendar(first, last, latitude=latitude, terms=terms)
    months = read.monthly().frame.join(calendar_months(kept))
    days = None if read.step == "month" else read.frame.join(kept)
    return Conditions(days, months, read, tuple(read.sentences))


def _known(index: pd.PeriodIndex) -> tuple[str, str]:
    """The first and last day of an index for which bank holidays are held."""
    from peelian.figures import bank_holidays

    years = bank_holidays().index.year
    first = max(str(index[0].start_time.date()), f"{years.min()}-01-01")
    last = min(str(index[-1].end_time.date()), f"{years.max()}-12-31")
    if first > last:
        raise DataError(
            f"The weather runs from {index[0]} to {index[-1]}, outside the years of the calendar, "
            f"{years.min()} to {years.max()}. Use weather of those years."
        )
    return first, last
