"""Whatever a file of features, areas or weather holds: a result or an error of ours, and never a lost row."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peelian.errors import Error
from peelian.read.calendar import school_terms
from peelian.read.food_hygiene import food_hygiene
from peelian.read.lookups import lookup
from peelian.read.naptan import naptan
from peelian.read.os_poi import os_poi
from peelian.read.profiles_area import profile
from peelian.read.rasters import raster
from peelian.read.rows import rows
from peelian.read.schools import schools
from peelian.read.weather import weather

HEADERS = {
    "os_poi": "ref_no|name|pointx_class|feature_easting|feature_northing",
    "naptan": "ATCOCode,StopType,BusStopType,Status,Easting,Northing,Longitude,Latitude",
    "schools": "URN,EstablishmentStatus (name),PhaseOfEducation (name),OpenDate,CloseDate,Easting,Northing",
    "food": "FHRSID,BusinessType,Longitude,Latitude",
}
READERS: dict[str, Callable] = {"os_poi": os_poi, "naptan": naptan, "schools": schools, "food": food_hygiene}
VALUES = st.sampled_from(
    ["", " ", "1", "01020034", "1020034", "BCT", "RPL", "HAR", "active", "inactive", "Open", "Closed", "Primary",
     "Mobile caterer", "31-08-2016", "513990", "175750", "-0.36", "51.47", "nan", "inf", "1e999", '"', '"a', "é",
     "\x00", "\u2028", "0"]
)  # fmt: skip
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])


def read(reader: Callable, file: str, data: bytes, options: dict[str, object]) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_bytes(data)
        try:
            return reader(path, **options)
        except Error:
            return None


@pytest.mark.parametrize("layout", list(HEADERS))
@given(lines=st.lists(st.lists(VALUES, min_size=1, max_size=9), max_size=8), encoding=ENCODINGS)
def test_every_row_is_a_feature_or_refused(layout: str, lines: list[list[str]], encoding: str) -> None:
    mark = "|" if layout == "os_poi" else ","
    data = "\n".join([HEADERS[layout], *map(mark.join, lines)]).encode(encoding, "replace")
    found = read(READERS[layout], "x.csv", data, {})
    if found is not None:
        layers, rejected = found  # type: ignore[misc]
        assert sum(map(len, layers.values())) + len(rejected) == len(rows(data))


ITEM = {"FHRSID": 1, "BusinessType": "Pub", "Geocode": {"Longitude": "-0.36", "Latitude": "51.47"}}
XML = (
    b"<FHRSEstablishment><EstablishmentCollection><EstablishmentDetail><FHRSID>1</FHRSID><BusinessType>Pub"
    b"</BusinessType><Geocode><Longitude>-0.36</Longitude><Latitude>51.47</Latitude></Geocode>"
    b"</EstablishmentDetail></EstablishmentCollection></FHRSEstablishment>"
)
WHOLE: dict[str, tuple[Callable, bytes, dict[str, object]]] = {
    "f.json": (food_hygiene, json.dumps({"FHRSEstablishment": {"EstablishmentCollection": [ITEM]}}).encode(), {}),
    "f.xml": (food_hygiene, XML, {}),
    "g.csv": (weather, b"STATION,DATE,PRCP,PRCP_ATTRIBUTES,TMAX\nA,2020-01-01,1.2,\",,S\",8.5\n", {}),
    "y.csv": (weather, b"UKX00000001,20200101,TMAX,85,,,S,\nUKX00000001,20200102,PRCP,85,,,S,\n", {}),
    "s.dly": (weather, b"UKX00000001202001TMAX   85  S  999 XS" + b"-9999   " * 29, {}),
    "m.txt": (weather, b"S\n yyyy mm tmax tmin af rain sun\n x\n   2020   1   9.0   3.0   5   70.1   50.0\n", {}),
    "o.csv": (weather, "time,temperature_2m_max (°C),rain_sum (mm)\n2022-01-01,5,1\n".encode(), {}),
    "o.json": (weather, b'{"latitude": 5, "daily_units": {}, "daily": {"time": ["2022-01-01"], "rain_sum": [1]}}', {}),
    "l.csv": (lookup, b"LSOA11CD,LSOA21CD,n\na,b,1\na,c,2\n", {"old": "LSOA11CD", "new": "LSOA21CD", "size": "n"}),
    "p.csv": (profile, b"LSOA11CD,households,ten_owned,imd2019_IMD_score\na,1,1,2.5\nb,2,2,3\n", {}),
    "t.csv": (school_terms, b"authority,term,first,last\na,b,2025-09-01,2025-10-01\n", {}),
    "r.asc": (raster, b"ncols 2\nnrows 1\nxllcorner 513000\nyllcorner 175000\ncellsize 100\n1 2\n", {"name": "r"}),
}  # fmt: skip
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=3)), min_size=1, max_size=6)


def spoiled(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, cut, put in edits:
        at = int(where * len(data))
        data = data[:at] + put + data[at + cut :]
    return data


@pytest.mark.parametrize("name", list(WHOLE))
@given(edits=EDITS)
def test_a_spoiled_file_is_read_or_refused_by_us(name: str, edits: list[tuple[float, int, bytes]]) -> None:
    reader, data, options = WHOLE[name]
    read(reader, name, spoiled(data, edits), options)
