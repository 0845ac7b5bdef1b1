"""The [[layers]] tables of peelian.toml: which reader reads which, and with which of its keys."""

from __future__ import annotations

from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass as model

from peelian.errors import DataError
from peelian.layers import Layers

if TYPE_CHECKING:
    import pandas as pd

Reader = Literal["features", "os_poi", "osm", "naptan", "food_hygiene", "schools", "raster"]
WORDS = ("source", "date", "licence")
COMMON = ("categories", "minimum", "prefix", "about", *WORDS)
# reader -> its function and its keys
READERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "features": (
        "peelian.read.features:features",
        ("category", "name", "easting", "northing", "longitude", "latitude", "weight", "layer", "crs", "kind",
         "sign", "operations", *COMMON),
    ),
    "os_poi": ("peelian.read.os_poi:os_poi", ("level", "codes", "classes", *COMMON)),
    "osm": ("peelian.read.osm:osm", ("tags", "shapes", *COMMON)),
    "naptan": ("peelian.read.naptan:naptan", COMMON),
    "food_hygiene": ("peelian.read.food_hygiene:food_hygiene", COMMON),
    "schools": ("peelian.read.schools:schools", ("weight", *COMMON)),
    "raster": ("peelian.read.rasters:raster", ("name", "band", "crs", "kind", "sign", "operations", *WORDS)),
}  # fmt: skip
REQUIRED = {"features": ("category", "name"), "raster": ("name",)}
FILES = ("classes", "tags")  # keys that name a file, relative to peelian.toml


@model(frozen=True, config=ConfigDict(extra="forbid"))
class LayerSource:
    """One ``[[layers]]`` table: features of the environment.

    ``file``        relative to peelian.toml; what it may be is its reader's.
    ``reader``      ``features``: a table with coordinates or any spatial file, with ``category``, the column
                    whose values name the layers, or ``name`` of the one layer; ``easting``, ``northing``,
                    ``longitude``, ``latitude``, columns found where not given; ``weight``, a column of units,
                    seats or dwellings;
                    ``layer`` of a spatial file; ``crs`` of the coordinates; ``kind``, ``sign``,
                    ``operations`` of every layer.
                    ``os_poi``: Ordnance Survey Points of Interest, with ``level`` (class, category, group),
                    ``codes`` (only those that begin so), ``classes`` (the product's lookup).
                    ``osm``: OpenStreetMap, with ``tags`` (a table of your own) and ``shapes`` (points, as
                    drawn). ``naptan``: stops and stations. ``food_hygiene``: ratings of the Food Standards
                    Agency. ``schools``: the register of England, with ``weight``. ``raster``: a grid of
                    numbers, with ``name``, ``band``, ``crs``, ``kind``, ``sign``, ``operations``.
    ``categories``  only these; ``minimum`` features that a category needs; ``prefix`` before each name;
                    ``about`` single categories, for instance ``[layers.about.pub]`` with ``sign = "either"``.
    ``source``, ``date``, ``licence``  the words themselves, or a column (``features``); known for the others.
    """

    file: Annotated[str, Field(min_length=1)]
    category: str | None = None
    reader: Reader = "features"
    easting: str | None = None
    northing: str | None = None
    longitude: str | None = None
    latitude: str | None = None
    weight: str | None = None
    layer: str | None = None
    crs: int | str | None = None
    level: Literal["class", "category", "group"] | None = None
    codes: tuple[str, ...] | None = None
    classes: str | None = None
    tags: str | None = None
    shapes: Literal["points", "as drawn"] | None = None
    name: str | None = None
    band: Annotated[int, Field(ge=1)] | None = None
    categories: tuple[str, ...] | None = None
    minimum: Annotated[int, Field(ge=1)] | None = None
    prefix: str | None = None
    kind: Literal["environment", "population", "reported-problem", "police-activity"] | None = None
    sign: Literal["aggravating", "protective", "either"] | None = None
    operations: Literal["proximity", "density", "both"] | None = None
    about: dict[str, dict[str, str]] = Field(default_factory=dict)
    source: str = ""
    date: str = ""
    licence: str = ""

    @model_validator(mode="after")
    def _fits_reader(self) -> LayerSource:
        problem = misfit(self.reader, given(self))
        if problem:
            raise ValueError(problem)
        return self


def given(source: LayerSource) -> dict[str, Any]:
    """The keys of a table that were set, without ``file`` and ``reader``."""
    found = {}
    for held in fields(source):
        value = getattr(source, held.name)
        usual = {} if held.default is MISSING else held.default
        if held.name not in ("file", "reader") and value != usual:
            found[held.name] = value
    return found


def misfit(reader: str, keys: dict[str, Any]) -> str:
    """What is wrong with these keys for this reader, in words; empty where nothing is."""
    if reader not in READERS:
        return f"reader = {reader!r} is not known; expected {', '.join(READERS)}"
    own = READERS[reader][1]
    strange = [key for key in keys if key not in own]
    if strange:
        return f'{strange[0]} is no key of reader = "{reader}"; it has {", ".join(own)}'
    needed = REQUIRED.get(reader, ())
    lacking = bool(needed) and not any(keys.get(key) for key in needed)
    return f'reader = "{reader}" needs {" or ".join(needed)}' if lacking else ""


def read_layers(
    reader: str, path: Path, keys: dict[str, Any], *, to: object, folder: Path
) -> tuple[Layers, pd.DataFrame]:
    """The layers of one ``[[layers]]`` table by its reader, and the rows that are in none.

    ``keys``  those that were set (see ``given``); ``to`` the CRS in metres of the layers; ``folder`` that
              file names start from.

    Raises ``DataError`` for an unknown reader, a key that belongs to another reader or one that is lacking.
    """
    problem = misfit(reader, keys)
    if problem:
        raise DataError(f"{path.name}: {problem}.")
    named = {key: folder / value if key in FILES else value for key, value in keys.items()}
    module, _, name = READERS[reader][0].partition(":")
    return getattr(import_module(module), name)(path, to=to, **named)
