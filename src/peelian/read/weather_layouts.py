"""Layouts of weather files: NOAA GHCN daily, Met Office text, Open-Meteo, and tables with a mapping."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, some
from peelian.read.rows import rows, trimmed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

GHCN = {
    "TAVG": "temperature_mean", "TMIN": "temperature_min", "TMAX": "temperature_max", "PRCP": "rain",
    "SNOW": "snow", "SNWD": "snow_depth", "AWND": "wind",
}  # fmt: skip
OPEN_METEO = {
    "temperature_2m_mean": "temperature_mean", "temperature_2m_min": "temperature_min",
    "temperature_2m_max": "temperature_max", "temperature_2m": "temperature_mean",
    "precipitation_sum": "rain", "precipitation": "rain", "rain_sum": "rain",
    "relative_humidity_2m_mean": "humidity", "relative_humidity_2m": "humidity",
    "wind_speed_10m_mean": "wind", "wind_speed_10m": "wind", "sunshine_duration": "sun",
    "snowfall_sum": "snow", "snowfall": "snow",
}  # fmt: skip
# unit -> (factor, offset) into ours
INTO = {
    "F": (5 / 9, -160 / 9), "°F": (5 / 9, -160 / 9), "fahrenheit": (5 / 9, -160 / 9), "inch": (25.4, 0.0),
    "in": (25.4, 0.0), "cm": (10.0, 0.0), "mph": (0.44704, 0.0), "km/h": (1 / 3.6, 0.0),
    "knots": (1852 / 3600, 0.0), "kn": (1852 / 3600, 0.0), "s": (1 / 3600, 0.0), "tenths": (0.1, 0.0),
    "mp/h": (0.44704, 0.0),
}  # fmt: skip
OURS = ("°C", "C", "celsius", "mm", "m/s", "%", "h", "hours", "days", "")
NOAA = ("NOAA National Centers for Environmental Information, GHCN daily", "US government open data")
MET = ("Met Office historic station data", "Open Government Licence v3.0")
METEO = ("Weather data by Open-Meteo.com", "CC BY 4.0")
BY_YEAR = re.compile(rb"^[A-Z]{2}[A-Z0-9_-]{9},\d{8},[A-Z0-9]{4},-?\d+,")
DLY = re.compile(rb"^[A-Z]{2}[A-Z0-9_-]{9}\d{6}[A-Z0-9]{4}")
MET_ROW = re.compile(r"^\s*(\d{4})\s+(\d{1,2})((?:\s+\S+){5})(\s+\S.*)?$")
HOURS = 20  # hours that a day needs before it is a day


@dataclass(frozen=True, eq=False)
class Measured:
    """What a layout held: a frame on days or months (row numbers kept aside), and the rows that were none."""

    frame: pd.DataFrame
    numbers: np.ndarray
    refused: tuple[tuple[int, str, str], ...] = ()
    station: str = ""
    latitude: float | None = None
    estimated: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    source: str = ""
    licence: str = ""

    def rows_of(self, which: np.ndarray) -> Iterator[tuple[int, object]]:
        """Row number and day of the rows of a mask."""
        return zip(self.numbers[which], self.frame.index[which], strict=True)


def recognised(data: bytes) -> Literal["ghcn", "met_office", "open_meteo"] | None:
    """Which service a file is from, by its first lines; None where it is of none that we know."""
    head = data.lstrip(b"\xef\xbb\xbf")[:4000]
    if BY_YEAR.match(head) or DLY.match(head):
        return "ghcn"
    first = head.splitlines()[0].replace(b'"', b"").upper().split(b",") if head.strip() else []
    if b"STATION" in first and b"DATE" in first:
        return "ghcn"
    if b"yyyy" in head and b"tmax" in head:
        return "met_office"
    if head.lstrip().startswith(b"{") and b"_units" in data[:100_000]:
        return "open_meteo"
    if b"utc_offset_seconds" in head or re.search(rb"^time,.*\(", head, re.MULTILINE):
        return "open_meteo"
    return None


# -------------------------------------------------------------------- NOAA
def ghcn(data: bytes, path: Path, station: str | None, units: Mapping[str, str] | str | None) -> Measured:
    """GHCN daily in its three dresses."""
    import pandas as pd

    data = data.removeprefix(b"\xef\xbb\xbf")
    long, refused, unit = _ghcn_rows(data, path)
    if units is not None:
        unit = str(units)
    long, station = _one_station(long, station, unit, path)
    day = pd.to_datetime(long["date"].str.replace("-", ""), format="%Y%m%d", errors="coerce")
    value = pd.to_numeric(long["value"], errors="coerce")
    bad = long["quality"].notna()
    refused += [
        (int(n), "the date is no date", str(text))
        for n, text in zip(long["row"][day.isna()], long["date"][day.isna()], strict=True)
    ]
    tidy = pd.DataFrame({"day": day, "name": long["element"].map(GHCN), "row": long["row"]})
    tidy["value"] = _noaa_units(value, long["element"], unit).where(~bad)
    tidy = tidy[tidy["day"].notna()]
    tidy["again"] = tidy.groupby(["day", "name"]).cumcount()
    wide = tidy.set_index(["day", "again", "name"])["value"].unstack("name")
    first = tidy.groupby(["day", "again"])["row"].min().to_numpy()
    days = pd.PeriodIndex(wide.index.get_level_values("day"), freq="D", name="day")
    latitude = pd.to_numeric(long.get("latitude", pd.Series(dtype="str")), errors="coerce").dropna()
    return Measured(
        wide.set_axis(days).rename_axis(columns=None), first, tuple(refused), station,
        float(latitude.iloc[0]) if len(latitude) else None, {}, int((bad & value.notna()).sum()), *NOAA,
    )  # fmt: skip


def _ghcn_rows(data: bytes, path: Path) -> tuple[pd.DataFrame, list[tuple[int, str, str]], str]:
    """One row a value, the rows that are none, and the unit of the values."""
    if DLY.match(data):
        return _dly(data), [], "tenths"
    if BY_YEAR.match(data):
        read = rows(b"station,date,element,value,measured,quality,source,hour\n" + data)
        long = trimmed(read.table).to_pandas().set_axis([*read.header, "row"], axis=1)
        return long, list(read.refused), "tenths"
    return _wide(data, path)


def _one_station(long: pd.DataFrame, station: str | None, unit: str, path: Path) -> tuple[pd.DataFrame, str]:
    """The values of one station that are weather we know."""
    if unit not in ("metric", "standard", "tenths"):
        raise DataError(
            f"{path}: units = {unit!r} is not known for NOAA; expected metric, standard or tenths."
        )
    stations = sorted(long["station"].dropna().unique())
    if station is None and len(stations) != 1:
        raise DataError(f'{path}: has {len(stations)} stations: {some(stations)}. Choose: station = "...".')
    if station is not None and station not in stations:
        raise DataError(f"{path}: has no station {station}; it has {some(stations)}.")
    chosen = station or str(stations[0])
    return long[long["station"].eq(chosen) & long["element"].isin(list(GHCN))], chosen


def _wide(data: bytes, path: Path) -> tuple[pd.DataFrame, list[tuple[int, str, str]], str]:
    """One row a day, one column an element, as rows of (station, date, element, value, quality)."""
    import pandas as pd

    read = rows(data)
    frame = trimmed(read.table).to_pandas()
    frame.columns = [*[name.upper() for name in read.header], "row"]
    frame = frame.loc[:, ~frame.columns.duplicated()]
    elements = [name for name in GHCN if name in frame]
    if not elements:
        raise DataError(f"{path}: has none of {', '.join(GHCN)}; it has {some(read.header, 30)}.")
    parts = []
    for name in elements:
        flags = frame.get(f"{name}_ATTRIBUTES", pd.Series(None, frame.index, dtype="object")).astype("str")
        quality = flags.str.extract(r"^[^,]*,([^,]*)", expand=False).astype("str").str.strip()
        part = pd.DataFrame({"station": frame["STATION"], "date": frame["DATE"], "element": name})
        part["value"], part["quality"], part["row"] = frame[name], quality.where(quality != ""), frame["row"]
        part["latitude"] = frame.get("LATITUDE")
        parts.append(part)
    long = pd.concat(parts, ignore_index=True)
    return long, list(read.refused), _guessed(long)


def _guessed(long: pd.DataFrame) -> str:
    """Metric has decimals in its temperatures, standard in its rain alone, tenths nowhere."""
    decimals = long["value"].str.contains(".", regex=False, na=False)
    if not decimals.any():
        return "tenths"
    warm = long["element"].isin(["TAVG", "TMIN", "TMAX"])
    return "metric" if decimals[warm].any() or not warm.any() else "standard"


def _noaa_units(value: pd.Series, element: pd.Series, unit: str) -> pd.Series:
    """Values in degrees Celsius, millimetres and metres a second."""
    warm = element.isin(["TAVG", "TMIN", "TMAX"])
    deep = element.isin(["SNOW", "SNWD"])  # whole millimetres, even where the others are in tenths
    if unit == "tenths":
        return value.where(deep, value / 10)
    if unit == "metric":
        return value
    inches = value * 25.4
    return ((value - 32) * 5 / 9).where(warm, inches.where(element != "AWND", value * 0.44704))


def _dly(data: bytes) -> pd.DataFrame:
    """The fixed-width ``.dly`` file: a line a month and element, 31 values with three flags each."""
    import pandas as pd

    found = []
    for number, line in enumerate(data.decode("latin-1").splitlines(), 1):
        for day in range(31):
            cell = line[21 + 8 * day : 29 + 8 * day].ljust(8)
            if cell[:5].strip() not in ("", "-9999"):
                quality = cell[6].strip() or None
                found.append(
                    (line[:11], f"{line[11:17]}{day + 1:02d}", line[17:21], cell[:5], quality, number)
                )
    return pd.DataFrame(
        found, columns=["station", "date", "element", "value", "quality", "row"], dtype="object"
    )


# -------------------------------------------------------------------- Met Office
def met_office(data: bytes, path: Path) -> Measured:
    """Historic station text: a row a month, ``---`` missing, ``*`` an estimate, ``#`` another sensor."""
    import numpy as np
    import pandas as pd

    lines = data.decode("latin-1").splitlines()
    start = next((k for k, line in enumerate(lines) if "yyyy" in line and "tmax" in line), None)
    if start is None:
        raise DataError(f"{path}: is no Met Office station text: no line names yyyy, mm, tmax and tmin.")
    names = ("temperature_max", "temperature_min", "frost_days", "rain", "sun")
    found, numbers, refused = [], [], []
    estimated = dict.fromkeys(names, 0)
    for number, line in enumerate(lines[start + 2 :], 1):
        row = MET_ROW.match(line)
        if row is None or not 1 <= int(row[2]) <= 12:
            if line.strip() and not line.lower().startswith("site closed"):
                refused.append((number, "is no month of weather", line.strip()))
            continue
        words = row[3].split()
        for name, word in zip(names, words, strict=True):
            estimated[name] += "*" in word
        found.append([f"{row[1]}-{int(row[2]):02d}", *(_number(word) for word in words)])
        numbers.append(number)
    frame = pd.DataFrame(found, columns=["month", *names]).set_index("month")
    frame.index = pd.PeriodIndex(frame.index, freq="M", name="month")
    place = re.search(r"Lat(?:itude)?\s*(-?\d+\.\d+)", "\n".join(lines[:start]))
    return Measured(
        frame.astype("float64"), np.array(numbers), tuple(refused), lines[0].strip(),
        float(place[1]) if place else None, {k: n for k, n in estimated.items() if n}, 0, *MET,
    )  # fmt: skip


def _number(word: str) -> float:
    """A value without its marks; not a number where it is missing."""
    try:
        return float(word.strip("*#$|"))
    except ValueError:
        return float("nan")


# -------------------------------------------------------------------- Open-Meteo
def open_meteo(data: bytes, path: Path) -> Measured:
    """CSV with the place above the table, or JSON; days, or hours that become days."""
    if data.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"{"):
        table, units, latitude, refused = _meteo_json(data, path)
    else:
        table, units, latitude, refused = _meteo_csv(data, path)
    known = {name: OPEN_METEO[name] for name in table if name in OPEN_METEO}
    if "time" not in table or not known:
        raise DataError(f"{path}: has no weather that we know; it has {some(list(table), 20)}.")
    read = _days(table, "time", {ours: name for name, ours in reversed(known.items())}, units, refused)
    return Measured(read.frame, read.numbers, read.refused, "", latitude, {}, 0, *METEO)


def _meteo_json(data: bytes, path: Path) -> tuple[pd.DataFrame, dict[str, str], float | None, list[Any]]:
    import pandas as pd

    try:
        held = json.loads(data.decode("utf-8-sig"))
        kind = "daily" if "daily" in held else "hourly"
        table = pd.DataFrame(held[kind])
        units = dict(held.get(f"{kind}_units", {}))
    except (UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is no JSON of Open-Meteo ({error}).") from error
    latitude = held.get("latitude")
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table, units, float(latitude) if isinstance(latitude, int | float) else None, []


def _meteo_csv(data: bytes, path: Path) -> tuple[pd.DataFrame, dict[str, str], float | None, list[Any]]:
    lines = data.decode("utf-8-sig", "replace").splitlines()
    start = next((k for k, line in enumerate(lines) if line.lower().startswith("time,")), None)
    if start is None:
        raise DataError(f"{path}: is no CSV of Open-Meteo: no line begins with time.")
    latitude = None
    if start and lines[0].lower().startswith("latitude,"):
        latitude = _number(lines[1].split(",")[0])
    read = rows("\n".join(lines[start:]).encode())
    frame = trimmed(read.table).to_pandas().set_index("row")
    parts = [re.fullmatch(r"(.*?)\s*(?:\((.*)\))?", name) for name in read.header]
    frame.columns = [part[1] if part else "" for part in parts]
    frame = frame.loc[:, ~frame.columns.duplicated()]
    units = {part[1]: part[2] or "" for part in reversed(parts) if part}  # the first of one name
    return frame, units, latitude, list(read.refused)


# -------------------------------------------------------------------- tables
def table(
    data: bytes, path: Path, columns: Mapping[str, str], units: Mapping[str, str] | str | None
) -> Measured:
    """Any CSV, its columns and units named."""
    from peelian.read.areas import require_column
    from peelian.read.weather import UNITS

    strange = [name for name in columns if name not in (*UNITS, "day", "month")]
    when = next((name for name in ("day", "month") if name in columns), None)
    if strange or when is None:
        raise DataError(
            f"{path}: columns names {some(strange) or 'no day'}; expected day or month, and any of "
            f"{', '.join(UNITS)}."
        )
    if isinstance(units, str):
        raise DataError(f'{path}: units of a table go by column: units = {{ temperature_max = "{units}" }}.')
    read = rows(data)
    frame = trimmed(read.table).to_pandas().set_index("row")
    frame.columns = list(read.header)
    frame = frame.loc[:, ~frame.columns.duplicated()]
    for name in columns.values():
        require_column(frame, name, path)
    named = {ours: theirs for ours, theirs in columns.items() if ours not in ("day", "month")}
    by_column = {theirs: (units or {}).get(ours, "") for ours, theirs in named.items()}
    return _days(frame, columns[when], named, by_column, list(read.refused), monthly=when == "month")


def _days(
    frame: pd.DataFrame,
    when: str,
    named: Mapping[str, str],
    units: Mapping[str, str],
    refused: list[tuple[int, str, str]],
    *,
    monthly: bool = False,
) -> Measured:
    """Named columns in our units on days (hours put together) or months."""
    import pandas as pd

    stamp = pd.to_datetime(frame[when].astype("str"), errors="coerce", format="ISO8601")
    wrong = stamp.isna()
    refused += [(int(n), "the date is no ISO date", str(text)) for n, text in frame.loc[wrong, when].items()]
    values = pd.DataFrame(
        {ours: _ours(frame[theirs], units.get(theirs, ""), theirs) for ours, theirs in named.items()}
    )[~wrong]
    stamp = stamp[~wrong]
    hourly = bool((stamp.dt.hour != 0).any())
    period = pd.PeriodIndex(stamp, freq="M" if monthly else "D", name="month" if monthly else "day")
    numbers = frame.index.to_numpy()[~wrong.to_numpy()]
    if not hourly:
        return Measured(values.set_axis(period), numbers, tuple(refused))
    held = values.groupby(period)
    found = held.mean()
    if "temperature_mean" in values:
        found["temperature_min"] = held["temperature_mean"].min()
        found["temperature_max"] = held["temperature_mean"].max()
    for name in ("rain", "snow", "sun"):
        if name in values:
            found[name] = held[name].sum()
    few = held.size() < HOURS
    found = found.where(~few)
    return Measured(found, pd.Series(numbers).groupby(period).min().to_numpy(), tuple(refused))


def _ours(column: pd.Series, unit: str, name: str) -> pd.Series:
    import pandas as pd

    value = pd.to_numeric(column, errors="coerce").astype("float64")
    if unit in OURS:
        return value
    if unit not in INTO:
        raise DataError(f"Weather column {name}: unit {unit!r} is not known; expected {', '.join(INTO)}.")
    factor, offset = INTO[unit]
    return value * factor + offset
