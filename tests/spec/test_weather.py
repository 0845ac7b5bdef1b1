"""Weather in the layouts of its services, and the calendar. The values are invented, the columns are theirs."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from peelian.errors import DataError
from peelian.figures import bank_holidays
from peelian.read.calendar import calendar, calendar_months, daylight, school_terms
from peelian.read.conditions import WeatherSource, conditions, weather_source
from peelian.read.weather import Weather, weather


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def column(found: Weather, name: str) -> list[float]:
    return found.frame[name].round(3).fillna(-99).tolist()


# -------------------------------------------------------------------- NOAA
METRIC = """"STATION","NAME","LATITUDE","LONGITUDE","DATE","PRCP","PRCP_ATTRIBUTES","TMAX","TMAX_ATTRIBUTES","TMIN"
"UKX00000001","SOMEWHERE, UK","51.5","-0.4","2020-01-01","1.2",",,S","8.5",",,S","2.5"
"UKX00000001","SOMEWHERE, UK","51.5","-0.4","2020-01-02","","","60.0",",I,S","2.0"
"UKX00000001","SOMEWHERE, UK","51.5","-0.4","2020-01-04","0.0",",,S","7.0",",,S","1.0"
"UKX00000001","SOMEWHERE, UK","51.5","-0.4","2020-01-04","9.0",",,S","7.0",",,S","1.0"
"""


def test_ghcn_days_with_gaps_failed_values_and_repeats(tmp_path: Path) -> None:
    found = weather(written(tmp_path, "g.csv", METRIC))
    assert column(found, "temperature_max") == [8.5, -99, -99, 7.0]
    assert column(found, "temperature_mean") == [5.5, -99, -99, 4.0]
    assert (found.failed, found.latitude, found.step) == (1, 51.5, "day")
    assert found.refused[["row", "reason"]].values.tolist() == [[4, "the day stands twice"]]


def test_gaps_are_named(tmp_path: Path) -> None:
    found = weather(written(tmp_path, "g.csv", METRIC))
    rain = found.gaps[found.gaps["column"] == "rain"]
    assert rain.values.tolist() == [["rain", "2020-01-02", "2020-01-03", 2]]
    assert found.sentences == [
        "Weather at UKX00000001: 4 days, 2020-01-01 to 2020-01-04.",
        "Temperature mean: missing on 2 of them (2020-01-02 to 2020-01-03).",
        "Temperature min: missing on 1 of them (2020-01-03).",
        "Temperature max: missing on 2 of them (2020-01-02 to 2020-01-03).",
        "Rain: missing on 2 of them (2020-01-02 to 2020-01-03).",
        "1 values failed the service's own quality check and are left out.",
    ]


@pytest.mark.parametrize(
    ("text", "rain", "warmest"),
    [
        ("STATION,DATE,PRCP,TMAX\nA,2020-01-01,12,-85\n", 1.2, -8.5),  # tenths, as in the archive
        ("STATION,DATE,PRCP,TMAX\nA,2020-01-01,0.10,50\n", 2.54, 10.0),  # inches and Fahrenheit, as ordered
        ("STATION,DATE,PRCP,TMAX\nA,2020-01-01,1.2,8.5\n", 1.2, 8.5),
    ],
    ids=["tenths", "standard", "metric"],
)
def test_the_unit_of_a_ghcn_file_is_seen(tmp_path: Path, text: str, rain: float, warmest: float) -> None:
    found = weather(written(tmp_path, "g.csv", text))
    assert (column(found, "rain"), column(found, "temperature_max")) == ([rain], [warmest])


BY_YEAR = "UKX00000001,20200101,TMAX,85,,,S,\nUKX00000001,20200101,SNWD,30,,,S,\nUKX00000001,20200102,TMAX,999,,X,S,\n"
DLY = "UKX00000001202001TMAX" + "   85  S" + "  999 XS" + "-9999   " * 29 + "\n"


@pytest.mark.parametrize(("name", "text"), [("y.csv", BY_YEAR), ("s.dly", DLY)])
def test_ghcn_without_a_header_is_in_tenths(tmp_path: Path, name: str, text: str) -> None:
    found = weather(written(tmp_path, name, text))
    assert (column(found, "temperature_max"), found.failed) == ([8.5, -99], 1)


def test_snow_lies_in_whole_millimetres(tmp_path: Path) -> None:
    assert column(weather(written(tmp_path, "y.csv", BY_YEAR)), "snow_depth") == [30, -99]


@pytest.mark.parametrize(
    "text",
    [
        "STATION,DATE,TMAX,TMAX\nA,2020-01-01,8.5,9\n",
        "time,rain_sum (mm),rain_sum (inch)\n2020-01-01,8.5,9\n",
    ],
)
def test_of_two_columns_of_one_name_the_first_is_read(tmp_path: Path, text: str) -> None:
    assert weather(written(tmp_path, "g.csv", text)).frame.iloc[0].tolist() == [8.5]


def test_several_stations_ask_which(tmp_path: Path) -> None:
    path = written(tmp_path, "g.csv", "STATION,DATE,TMAX\nA,2020-01-01,8.5\nB,2020-01-01,9.5\n")
    with pytest.raises(DataError, match=r"has 2 stations: A, B"):
        weather(path)
    assert column(weather(path, station="B"), "temperature_max") == [9.5]


# -------------------------------------------------------------------- Met Office
MET = """Somewhere
Location 500000E 170000N, Lat 51.500 Lon -0.400, 25m amsl
Estimated data is marked with a * after the value.
   yyyy  mm   tmax    tmin      af    rain     sun
              degC    degC    days      mm   hours
   2020   1    9.0     3.0       5    70.1    50.0
   2020   2   10.0*    4.0*      3    ---     60.0#
   2020   4   15.0     5.0       1    20.0   100.0#  Provisional
   2020  13   15.0     5.0       1    20.0   100.0
Site Closed
"""


def test_met_office_months_with_their_marks(tmp_path: Path) -> None:
    found = weather(written(tmp_path, "m.txt", MET))
    assert found.frame.index.astype(str).tolist() == ["2020-01", "2020-02", "2020-03", "2020-04"]
    assert column(found, "rain") == [70.1, -99, -99, 20.0]
    assert column(found, "temperature_mean") == [6.0, 7.0, -99, 10.0]
    assert (found.station, found.latitude) == ("Somewhere", 51.5)
    assert found.estimated == {"temperature_max": 1, "temperature_min": 1}
    assert found.refused[["row", "reason"]].values.tolist() == [[4, "is no month of weather"]]


# -------------------------------------------------------------------- Open-Meteo
METEO = """latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation
51.5,-0.4,25.0,0,GMT,GMT

time,temperature_2m_max (°F),temperature_2m_min (°F),precipitation_sum (inch)
2022-01-01,50,32,0.1
2022-01-02,59,41,
"""
METEO_JSON = {
    "latitude": 51.5,
    "daily_units": {"time": "iso8601", "temperature_2m_max": "°C", "sunshine_duration": "s"},
    "daily": {
        "time": ["2022-01-01", "2022-01-02"],
        "temperature_2m_max": [10, None],
        "sunshine_duration": [7200, 0],
    },
}


def test_open_meteo_csv_in_its_units(tmp_path: Path) -> None:
    found = weather(written(tmp_path, "o.csv", METEO))
    assert column(found, "temperature_mean") == [5.0, 10.0]
    assert column(found, "rain") == [2.54, -99]
    assert (found.latitude, found.licence) == (51.5, "CC BY 4.0")


def test_open_meteo_json(tmp_path: Path) -> None:
    found = weather(written(tmp_path, "o.json", json.dumps(METEO_JSON)))
    assert (column(found, "temperature_max"), column(found, "sun")) == ([10, -99], [2, 0])


def test_hours_become_days(tmp_path: Path) -> None:
    hours = [f"2022-01-0{1 + k // 24}T{k % 24:02d}:00,{k % 24},0.5" for k in range(30)]
    text = "time,temperature_2m (°C),precipitation (mm)\n" + "\n".join(hours) + "\n"
    found = weather(written(tmp_path, "o.csv", text))
    assert column(found, "temperature_mean") == [11.5, -99]  # six hours are no day
    assert column(found, "temperature_max") == [23, -99]
    assert column(found, "rain") == [12, -99]


# -------------------------------------------------------------------- tables, months, mistakes
def test_any_table_with_columns_and_units(tmp_path: Path) -> None:
    path = written(tmp_path, "t.csv", "when,hi,lo,wet\n2020-01-01,50,32,0.1\nsoon,50,32,0\n")
    named = {"day": "when", "temperature_max": "hi", "temperature_min": "lo", "rain": "wet"}
    found = weather(
        path, columns=named, units={"temperature_max": "F", "temperature_min": "F", "rain": "inch"}
    )
    assert (column(found, "temperature_mean"), column(found, "rain")) == ([5.0], [2.54])
    assert found.refused[["row", "reason"]].values.tolist() == [[2, "the date is no ISO date"]]


def test_a_month_needs_nearly_all_its_days(tmp_path: Path) -> None:
    days = pd.date_range("2020-01-01", "2020-02-29")
    lines = [f"{d.date()},1" for d in days if d.day > 3 or (d.month == 2 and d.day > 1)]
    path = written(tmp_path, "t.csv", "d,r\n" + "\n".join(lines) + "\n")
    found = weather(path, columns={"day": "d", "rain": "r"}).monthly()
    assert column(found, "rain") == [-99, 29]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,b\n1,2\n", {}, "is neither NOAA GHCN daily, nor Met Office"),
        ("", {}, "is neither NOAA"),
        ("d,t\n2020-01-01,85\n", {"columns": {"day": "d", "temperature_max": "t"}}, "85.0 °C on 2020-01-01"),
        ("d,t\n2020-01-01,85\n", {"columns": {"temperature_max": "t"}}, "names no day"),
        ("d,t\n2020-01-01,85\n", {"columns": {"day": "d", "heat": "t"}}, "names heat; expected day or month"),
        (
            "d,t\n2020-01-01,8\n",
            {"columns": {"day": "d", "rain": "t"}, "units": {"rain": "pints"}},
            "'pints'",
        ),
        ("d,t\nsoon,8\n", {"columns": {"day": "d", "rain": "t"}}, "holds no day with weather"),
        ("STATION,DATE,PRCP\nA,2020-01-01,8\n", {"units": "feet"}, "units = 'feet' is not known for NOAA"),
        ("STATION,DATE,WT01\nA,2020-01-01,8\n", {}, "has none of TAVG, TMIN"),
    ],
)
def test_a_wrong_file_says_what_to_write(
    tmp_path: Path, text: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        weather(written(tmp_path, "w.csv", text), **options)  # type: ignore[arg-type]


# -------------------------------------------------------------------- calendar
@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2012-06-05", "Queen's Diamond Jubilee"),
        ("2016-12-27", "Christmas Day"),
        ("2020-05-08", "Early May bank holiday"),
        ("2022-09-19", "State Funeral of Queen Elizabeth II"),
        ("2023-05-08", "Coronation of King Charles III"),
        ("2026-04-06", "Easter Monday"),
    ],
)
def test_bank_holidays_of_england_and_wales(day: str, name: str) -> None:
    assert bank_holidays()[pd.Timestamp(day)] == name


def test_a_day_beyond_the_known_years_is_no_ordinary_day() -> None:
    with pytest.raises(DataError, match=r"held for 2012 to 2028; 1 January 2040 lies beyond"):
        bank_holidays(date(2026, 1, 1), date(2040, 1, 1))


def test_days_off_are_weekends_and_bank_holidays() -> None:
    frame = calendar("2026-04-02", "2026-04-07")  # Thursday before Easter to the Tuesday after it
    assert frame["day_off"].tolist() == [False, True, True, True, True, False]


@pytest.mark.parametrize(
    ("latitude", "day", "hours"),
    [
        (51.48, "2026-06-21", 16 + 38 / 60),  # London, as almanacs give it
        (51.48, "2026-12-21", 7 + 50 / 60),
        (0.0, "2026-03-20", 12.1),  # the sun's width and the air's bending add some minutes
        (80.0, "2026-06-21", 24.0),
        (-80.0, "2026-06-21", 0.0),
    ],
)
def test_hours_of_daylight(latitude: float, day: str, hours: float) -> None:
    # within six minutes
    assert daylight(pd.PeriodIndex([day], freq="D"), latitude).iloc[0] == pytest.approx(hours, abs=0.1)


TERMS = """authority,term,first,last
Somewhere,Autumn 1,2025-09-02,2025-10-24
Somewhere,Autumn 2,2025-11-03,2025-12-19
Elsewhere,Autumn 1,2025-09-03,2025-10-17
"""


def test_what_lies_between_terms_is_holiday_and_what_lies_outside_is_not_known(tmp_path: Path) -> None:
    terms = school_terms(written(tmp_path, "t.csv", TERMS), authority="Somewhere")
    held = calendar("2025-09-01", "2025-12-31", terms=terms)["school_holiday"]
    assert held[["2025-09-02", "2025-10-27", "2025-11-03"]].tolist() == [False, True, False]
    assert held[["2025-09-01", "2025-12-20"]].isna().all()


def test_months_of_the_calendar(tmp_path: Path) -> None:
    terms = school_terms(written(tmp_path, "t.csv", TERMS), authority="Somewhere")
    months = calendar_months(calendar("2025-10-01", "2025-12-31", terms=terms, latitude=51.5))
    assert months["school_holidays"].fillna(-1).tolist() == [7, 2, -1]
    assert months["bank_holidays"].tolist() == [0, 0, 2]
    assert months["daylight"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TERMS, r"has terms of Elsewhere, Somewhere. Choose"),
        ("first,last\n2025-09-02,2025-09-01\n", "row 1: the term ends before it begins"),
        ("first,last\n2025-09-02,2025-10-01\n2025-10-01,2025-10-02\n", "row 2: the term begins before"),
        ("first,last\n02/09/2025,2025-10-01\n", "row 1: first is '02/09/2025'; expected 2026-09-01"),
        ("from,to\n", "is not a list of school terms: it has no column first, last"),
    ],
)
def test_wrong_terms_are_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        school_terms(written(tmp_path, "t.csv", text))


# -------------------------------------------------------------------- the [weather] table
def test_the_weather_table_of_a_project(tmp_path: Path) -> None:
    written(tmp_path, "g.csv", METRIC)
    source = weather_source({"weather": {"file": "g.csv"}}, tmp_path / "peelian.toml")
    assert isinstance(source, WeatherSource)
    held = conditions(source, tmp_path)
    assert held.days is not None
    assert held.days["bank_holiday"].tolist()[:1] == ["New Year's Day"]
    assert held.days["daylight"].between(7.8, 8.1).all()
    assert list(held.months.index.astype(str)) == ["2020-01"]


def test_a_project_without_weather_has_none(tmp_path: Path) -> None:
    assert weather_source({}, tmp_path / "peelian.toml") is None


def test_a_wrong_key_of_the_weather_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\[weather\] has no key 'files'"):
        weather_source({"weather": {"files": "g.csv"}}, tmp_path / "peelian.toml")
