"""Weather: one frame of days or months with units, whichever service it came from; gaps are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from peelian.errors import DataError, DesignError, some
from peelian.read.files import present, rejected_frame, unpacked

if TYPE_CHECKING:
    import pandas as pd

Layout = Literal["ghcn", "met_office", "open_meteo", "table"]
UNITS = {
    "temperature_mean": "°C", "temperature_min": "°C", "temperature_max": "°C", "rain": "mm", "snow": "mm",
    "snow_depth": "mm", "wind": "m/s", "humidity": "%", "sun": "hours", "frost_days": "days",
}  # fmt: skip
SUMMED = ("rain", "snow", "sun", "frost_days")
DEGREES = ("temperature_mean", "temperature_min", "temperature_max")
COLDEST, HOTTEST = -90.0, 60.0  # records of the World Meteorological Organization, rounded outwards
LACKING = 2  # days that a month may lack (the Met Office's rule for its own monthly values)


@dataclass(frozen=True, eq=False)
class Weather:
    """What a station measured, by day or by month.

    ``frame``      on a PeriodIndex named ``day`` or ``month``, in order and without gaps in the index:
                   columns among ``UNITS``; missing where nothing was measured.
    ``refused``    file, row, reason, text of every row that could not be read.
    ``estimated``  values that the service itself marks as estimates, by column.
    ``failed``     values left out because they failed the service's own quality check.
    ``station``, ``latitude``, ``source``, ``licence``  as far as the file says.
    """

    frame: pd.DataFrame
    refused: pd.DataFrame
    station: str = ""
    latitude: float | None = None
    estimated: Mapping[str, int] | None = None
    failed: int = 0
    source: str = ""
    licence: str = ""

    @property
    def step(self) -> Literal["day", "month"]:
        """Whether the rows are days or months."""
        return "month" if self.frame.index.name == "month" else "day"

    @property
    def gaps(self) -> pd.DataFrame:
        """Spans without a value: ``column``, ``first``, ``last``, ``periods``; one row a span."""
        import pandas as pd

        rows = []
        for column in self.frame:
            lacking = self.frame[column].isna()
            span = (lacking != lacking.shift()).cumsum()[lacking]
            for _, part in span.groupby(span):
                rows.append((str(column), str(part.index[0]), str(part.index[-1]), len(part)))
        return pd.DataFrame(rows, columns=["column", "first", "last", "periods"])

    @property
    def sentences(self) -> list[str]:
        """What the file holds and what it lacks, for a report."""
        index, gaps = self.frame.index, self.gaps
        station = f" at {self.station}" if self.station else ""
        said = [f"Weather{station}: {len(index):,} {self.step}s, {index[0]} to {index[-1]}."]
        for column in self.frame:
            held = gaps[gaps["column"] == column]
            if len(held):
                spans = [f"{r.first} to {r.last}" if r.periods > 1 else r.first for r in held.itertuples()]
                words, count = str(column).replace("_", " ").capitalize(), int(held["periods"].sum())
                said.append(f"{words}: missing on {count:,} of them ({some(spans, 3)}).")
        for column, count in (self.estimated or {}).items():
            said.append(f"{count:,} values of {column.replace('_', ' ')} are the service's own estimates.")
        if self.failed:
            said.append(f"{self.failed:,} values failed the service's own quality check and are left out.")
        return said

    def monthly(self, *, lacking: int = LACKING) -> Weather:
        """Means and sums by month; missing where more than ``lacking`` days of the month have no value.

        Temperatures, wind and humidity are averaged; rain, snow and sun are added up and, where a day or two
        is lacking, scaled to the whole month.
        """
        import pandas as pd

        if self.step == "month":
            return self
        month = pd.PeriodIndex(self.frame.index.asfreq("M"), name="month")
        held = self.frame.groupby(month)
        known = held.count()
        days = pd.Series(known.index.days_in_month, known.index)
        found = held.mean()
        for column in found:
            if column in SUMMED:
                found[column] = found[column] * days
            found[column] = found[column].where(days - known[column] <= lacking)
        return replace(self, frame=found)


def weather(
    path: Path | str,
    *,
    layout: Layout | None = None,
    station: str | None = None,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | str | None = None,
    source: str = "",
    licence: str = "",
) -> Weather:
    """Daily or monthly weather from a file as its service hands it out.

    ``path``     NOAA GHCN daily (CSV by station as downloaded or ordered, the headerless CSV by year or
                 station, ``.dly``), Met Office historic station text, Open-Meteo CSV or JSON (hours become
                 days), or any CSV with ``columns``; ``.gz`` too.
    ``layout``   ``ghcn``, ``met_office``, ``open_meteo`` or ``table``; found from the file without it.
    ``station``  which one, where a GHCN file has several.
    ``columns``  of a table: our name (see ``UNITS``, and ``day`` or ``month``) -> the file's column.
    ``units``    of a table: our name -> ``F``, ``inch``, ``mph``, ``km/h``, ``knots`` or ``cm`` where it is
                 not ours. Of GHCN: ``metric``, ``standard`` (Fahrenheit and inches) or ``tenths``, where it
                 cannot be seen from the numbers.

    The mean temperature is half of minimum and maximum where the file has none. Rows are never dropped
    silently: a day that stands twice or cannot be read is in ``refused``, a day between first and last that
    the file lacks is there without values, and ``gaps`` names it.

    Raises ``DataError`` for files of no known layout and for temperatures that no station ever measured,
    which are another unit under a wrong name.
    """
    from peelian.read import weather_layouts as layouts

    path = present(path)
    if layout is not None and layout not in get_args(Layout):
        raise DesignError(f"layout = {layout!r} is not known; expected {', '.join(get_args(Layout))}.")
    data = unpacked(path)
    known = layout or ("table" if columns else layouts.recognised(data))
    if known is None:
        raise DataError(
            f"{path}: is neither NOAA GHCN daily, nor Met Office station text, nor Open-Meteo. Name the "
            'columns of a table: columns = { day = "date", temperature_max = "tmax", rain = "prcp" }.'
        )
    if known == "ghcn":
        read = layouts.ghcn(data, path, station, units)
    elif known == "met_office":
        read = layouts.met_office(data, path)
    elif known == "open_meteo":
        read = layouts.open_meteo(data, path)
    else:
        read = layouts.table(data, path, columns or {}, units)
    return _weather(read, path, source, licence)


def _weather(read: object, path: Path, source: str, licence: str) -> Weather:
    """The frame complete and checked."""
    import pandas as pd

    from peelian.read.weather_layouts import Measured

    assert isinstance(read, Measured)
    frame, refused = read.frame, list(read.refused)
    twice = frame.index.duplicated()
    word = str(frame.index.name)
    refused += [(int(row), f"the {word} stands twice", str(day)) for row, day in read.rows_of(twice)]
    frame = frame[~twice].sort_index()
    if frame.empty:
        raise DataError(f"{path}: holds no {word} with weather.")
    if "temperature_mean" not in frame and {"temperature_min", "temperature_max"} <= set(frame):
        frame["temperature_mean"] = (frame["temperature_min"] + frame["temperature_max"]) / 2
    frame = frame[[column for column in UNITS if column in frame]].astype("float64")
    for column in DEGREES:
        wild = ~frame[column].dropna().between(COLDEST, HOTTEST) if column in frame else pd.Series(dtype=bool)
        if wild.any():
            day = wild.index[wild][0]
            raise DataError(
                f"{path}: {column} is {frame.at[day, column]:.1f} °C on {day}, which no station ever "
                "measured. Say the unit: units = F, or standard or tenths for NOAA."
            )
    full = pd.period_range(frame.index[0], frame.index[-1], freq=frame.index.freq, name=word)
    return Weather(
        frame.reindex(full), rejected_frame([(path.name, *row) for row in refused]), read.station,
        read.latitude, read.estimated, read.failed, source or read.source, licence or read.licence,
    )  # fmt: skip
