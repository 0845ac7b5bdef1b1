"""Which reader reads which table of layers, and with which of its keys."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError
from peelian.layers import Layers

if TYPE_CHECKING:
    import pandas as pd

WORDS = ("source", "date", "licence")
COMMON = ("categories", "minimum", "prefix", "about", *WORDS)
# reader -> its function and its keys
READERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "features": (
        "peelian.read.features:features",
        ("category", "easting", "northing", "longitude", "latitude", "weight", "layer", "crs", "kind", "sign",
         "operations", *COMMON),
    ),
    "os_poi": ("peelian.read.os_poi:os_poi", ("level", "codes", "classes", *COMMON)),
    "osm": ("peelian.read.osm:osm", ("tags", "shapes", *COMMON)),
    "naptan": ("peelian.read.naptan:naptan", COMMON),
    "food_hygiene": ("peelian.read.food_hygiene:food_hygiene", COMMON),
    "schools": ("peelian.read.schools:schools", ("weight", *COMMON)),
    "raster": ("peelian.read.rasters:raster", ("name", "band", "crs", "kind", "sign", "operations", *WORDS)),
}  # fmt: skip
REQUIRED = {"features": "category", "raster": "name"}
FILES = ("classes", "tags")  # keys that name a file beside peelian.toml


def read_layers(
    reader: str, path: Path, given: dict[str, Any], *, to: object, folder: Path
) -> tuple[Layers, pd.DataFrame]:
    """The layers of one ``[[layers]]`` table by its reader, and the rows that are in none.

    ``given``   the keys of the table that were set, without ``reader`` and ``file``.
    ``to``      the CRS in metres of the layers; ``folder`` that file names start from.

    Raises ``DataError`` for an unknown reader, and for a key that belongs to another reader.
    """
    if reader not in READERS:
        raise DataError(f"{path.name}: reader = {reader!r} is not known; expected {', '.join(READERS)}.")
    where, own = READERS[reader]
    strange = [key for key in given if key not in own]
    if strange:
        raise DataError(
            f'{path.name}: {strange[0]} is no key of reader = "{reader}"; it has {", ".join(own)}.'
        )
    needed = REQUIRED.get(reader)
    if needed and not given.get(needed):
        raise DataError(f'{path.name}: reader = "{reader}" needs {needed}.')
    named = {key: folder / value if key in FILES and value else value for key, value in given.items()}
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)(path, to=to, **named)
