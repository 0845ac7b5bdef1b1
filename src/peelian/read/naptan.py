"""NaPTAN: the national register of bus stops, stations and ranks, one layer a kind of stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from peelian.layers import Layers
from peelian.read.layering import layered, placed, table
from peelian.read.licences import OGL

if TYPE_CHECKING:
    import pandas as pd

# stop types by what people call them (NaPTAN Guide for Data Managers, Department for Transport). Platforms,
# berths and entrances are parts: the access area stands for the whole station, so that it is one feature.
KINDS = {
    "BCT": "bus stop", "BCS": "bus station bay", "BCQ": "bus station bay", "BST": "bus station",
    "RLY": "railway station", "MET": "tram or underground station", "TXR": "taxi rank", "STR": "taxi rank",
    "FER": "ferry terminal", "GAT": "airport", "LCB": "cable car", "SDA": "car set-down place",
}  # fmt: skip
PARTS = {
    "BCE": "bus station", "RSE": "railway station", "RPL": "railway station",
    "TMU": "tram or underground station", "PLT": "tram or underground station", "FTD": "ferry terminal",
    "FBT": "ferry terminal", "AIR": "airport", "LCE": "cable car", "LPL": "cable car",
}  # fmt: skip
NEEDED = ("atcocode", "stoptype")
CLOSED = ("inactive", "del", "deleted")


def naptan(
    path: Path | str,
    *,
    to: object = 27700,
    categories: Iterable[str] | None = None,
    minimum: int = 1,
    prefix: str = "",
    about: Mapping[str, Mapping[str, str]] | None = None,
    source: str = "NaPTAN, Department for Transport",
    date: str = "",
    licence: str = OGL,
) -> tuple[Layers, pd.DataFrame]:
    """One layer for every kind of stop: bus stops, bus and railway stations, tram and underground, ranks.

    ``path``  ``Stops.csv`` as downloaded (``.gz`` too). Easting and northing are used, and longitude and
              latitude for stops that have those alone.
    The other arguments are those of ``features``.

    Refused with their reason: stops that are inactive; platforms, entrances and access areas, which are
    parts of a station that is counted once; hail-and-ride sections and flexible zones, which are no place.
    """
    read, frame = table(path, NEEDED, what="a NaPTAN list of stops")
    kind = frame["stoptype"].str.upper()
    frame["category"] = kind.map(KINDS)
    frame["text"] = "ATCOCode " + frame["atcocode"].fillna("")
    x, y, crs = _coordinates(frame, path)
    held, refused = placed(frame, x, y, crs=crs, to=to, path=path, faults=_faults(frame, kind))
    return layered(
        held, [*read.refused, *refused], path, categories=categories, minimum=minimum, prefix=prefix,
        about=about, source=source, date=date, licence=licence,
    )  # fmt: skip


def _faults(frame: pd.DataFrame, kind: pd.Series) -> pd.Series:
    import pandas as pd

    fault = pd.Series(None, frame.index, dtype="object")
    part = kind.map(PARTS)
    fault[part.notna()] = "part of a " + part[part.notna()] + ", counted once"
    fault[kind.notna() & part.isna() & ~kind.isin(list(KINDS))] = "stop type is not known"
    fault[kind.isna()] = "no stop type"
    if "busstoptype" in frame:
        loose = frame["busstoptype"].str.upper().isin(["HAR", "FLX"])
        fault[loose] = "hail-and-ride section or flexible zone: no one place"
    if "status" in frame:
        fault[frame["status"].str.casefold().isin(CLOSED)] = "the stop is inactive"
    return fault.astype("str")


def _coordinates(frame: pd.DataFrame, path: Path | str) -> tuple[pd.Series, pd.Series, int]:
    """Easting and northing; made of longitude and latitude for stops that have those alone."""
    from peelian.errors import DataError
    from peelian.read.coordinates import points

    metres, degrees = {"easting", "northing"} <= set(frame), {"longitude", "latitude"} <= set(frame)
    if not metres and not degrees:
        raise DataError(f"{path}: has no columns Easting and Northing, nor Longitude and Latitude.")
    if not metres:
        return frame["longitude"], frame["latitude"], 4326
    x, y = frame["easting"], frame["northing"]
    lacking = x.isna() & y.isna()
    if degrees and lacking.any():
        shapes, _ = points(frame["longitude"], frame["latitude"], crs=4326, to=27700, name=str(path))
        known = lacking & shapes.notna()
        x = x.where(~known, shapes.x.astype("str"))
        y = y.where(~known, shapes.y.astype("str"))
    return x, y, 27700
