"""Features: points, lines and areas of the environment, one layer for each category of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from peelian.errors import DataError, some
from peelian.layers import Kind, Layers, Operations, Sign
from peelian.places import require_metres
from peelian.read.areas import require_column, spatial
from peelian.read.coordinates import points, system
from peelian.read.layering import NO_CATEGORY, NO_COORDINATES, layered, opened
from peelian.read.tabular import PARQUET, TEXT, WORKBOOK, X, Y

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

ENDINGS = (*TEXT, *WORKBOOK, *PARQUET)
PAIRS = (
    ("easting", "northing", 27700), ("longitude", "latitude", 4326), ("lon", "lat", 4326),
    ("lng", "lat", 4326), ("long", "lat", 4326), (X, Y, None),
)  # fmt: skip
NO_SHAPE = "no shape"


def features(
    path: Path | str,
    *,
    category: str | None = None,
    name: str = "",
    easting: str | None = None,
    northing: str | None = None,
    longitude: str | None = None,
    latitude: str | None = None,
    weight: str | None = None,
    layer: str | None = None,
    crs: object = None,
    to: object = 27700,
    categories: Iterable[str] | None = None,
    minimum: int = 1,
    prefix: str = "",
    kind: Kind = "environment",
    sign: Sign = "aggravating",
    operations: Operations = "both",
    about: Mapping[str, Mapping[str, str]] | None = None,
    source: str = "",
    date: str = "",
    licence: str = "",
) -> tuple[Layers, pd.DataFrame]:
    """One layer for every category of a file, and every row that is in none, with the reason.

    ``path``        CSV (``.gz`` too), Excel or Parquet with coordinates, or any spatial file that GDAL reads.
    ``category``    the column whose values name the layers, ``prefix`` before each; or ``name`` of the one
                    layer that all rows are.
    ``easting`` ... the columns of the coordinates of a CSV; found by those names where not given (easting
                    and northing before longitude and latitude).
    ``weight``      a column of numbers (units, seats, dwellings); 1 for each feature without it.
    ``crs``         of the coordinates; 27700 for easting and northing, 4326 for longitude and latitude.
    ``to``          the projected CRS in metres of the layers.
    ``categories``  only these; ``minimum`` features that a category needs to become a layer.
    ``kind``, ``sign``, ``operations``  of every layer (see Layer); ``about`` sets them, and ``name``, for
                    single categories: ``{"pub": {"sign": "either", "name": "pubs and bars"}}``.
    ``source``, ``date``, ``licence``  a column of the file, or the words themselves.

    Returns (Layers, rejected); features plus rejected rows equal the rows of the file. Raises ``DataError``
    for columns that are not there, a category asked for that is not in the file, and unknown choices.
    """
    if (category is None) == (not name):
        raise DataError(
            f"{path}: say what the features are: category, the column that names them, or name, of the "
            "one layer."
        )
    columns = {"category": category, "name": name or None, "weight": weight}
    if str(path).lower().endswith(ENDINGS):
        pair = (easting, northing, longitude, latitude)
        held, refused = _from_csv(Path(path), columns, (source, date, licence), pair, crs, to)
    else:
        held, refused = _from_spatial(Path(path), columns, (source, date, licence), layer, crs, to)
    return layered(
        held, refused, path, categories=categories, minimum=minimum, prefix=prefix, kind=kind, sign=sign,
        operations=operations, about=about, source=source, date=date, licence=licence,
    )  # fmt: skip


def _from_csv(
    path: Path,
    columns: dict[str, str | None],
    words: tuple[str, str, str],
    pair: tuple[str | None, str | None, str | None, str | None],
    crs: object,
    to: object,
) -> tuple[gpd.GeoDataFrame, list[tuple[int, str, str]]]:
    import geopandas as gpd

    read, table = opened(path)
    x, y, usual = _pair(pair, read.header, path)
    given = crs if crs is not None else read.crs if x == X else usual
    for column in (columns["category"], columns["weight"], x, y):
        require_column(table, column, path)
    shapes, fault = points(table[x], table[y], crs=given, to=to, name=str(path))
    fault = fault.where(table[x].notna() | table[y].notna(), NO_COORDINATES)
    frame = gpd.GeoDataFrame(_kept(table, columns, words), geometry=shapes, crs=shapes.crs)
    fault = fault.where(frame["category"].notna(), NO_CATEGORY)
    position = {number: at for at, number in enumerate(table.index)}
    refused = [(int(n), str(why), read.text(position[n])) for n, why in fault.dropna().items()]
    frame["text"] = [read.text(at) for at in range(len(frame))]
    return frame[fault.isna()], [*read.refused, *refused]


def _from_spatial(
    path: Path,
    columns: dict[str, str | None],
    words: tuple[str, str, str],
    layer: str | None,
    crs: object,
    to: object,
) -> tuple[gpd.GeoDataFrame, list[tuple[int, str, str]]]:
    import geopandas as gpd
    import pandas as pd

    table = spatial(path, layer=layer)
    for column in (columns["category"], columns["weight"]):
        require_column(table, column, path)
    if table.crs is None:
        if crs is None:
            raise DataError(f"{path}: no CRS is stated. If it is British National Grid, set crs = 27700.")
        table = table.set_crs(system(crs, str(path)))
    target = system(to, str(path))
    require_metres(target, str(path))
    table = table.to_crs(target)
    table.index = pd.RangeIndex(1, len(table) + 1, name="row")
    plain = pd.DataFrame(table.drop(columns=table.geometry.name)).astype("str").where(table.notna())
    frame = gpd.GeoDataFrame(_kept(plain, columns, words), geometry=table.geometry.force_2d(), crs=target)
    frame["text"] = plain.fillna("").agg(",".join, axis=1) if len(plain) else ""
    fault = pd.Series(None, index=frame.index, dtype="object")
    fault[frame.geometry.isna() | frame.geometry.is_empty] = NO_SHAPE
    fault[frame["category"].isna()] = NO_CATEGORY
    refused = [(int(n), str(why), str(frame.at[n, "text"])) for n, why in fault.dropna().items()]
    return frame[fault.isna()], refused


def _pair(
    pair: tuple[str | None, str | None, str | None, str | None], header: tuple[str, ...], path: Path
) -> tuple[str, str, int | None]:
    """The columns of the coordinates and the CRS that goes with their names."""
    easting, northing, longitude, latitude = pair
    if (easting is None) != (northing is None) or (longitude is None) != (latitude is None):
        raise DataError(f"{path}: only one of two coordinates is named. Name both columns or neither.")
    if easting and northing:
        return easting, northing, 27700
    if longitude and latitude:
        return longitude, latitude, 4326
    folded = {name.casefold(): name for name in reversed(header)}
    for x, y, crs in PAIRS:
        if x in folded and y in folded:
            return folded[x], folded[y], crs
    raise DataError(
        f"{path}: has no columns easting and northing, nor longitude and latitude; it has "
        f'{some(header, 40) or "none: it is empty"}. Name them: easting = "...", northing = "...".'
    )


def _kept(table: pd.DataFrame, columns: dict[str, str | None], words: tuple[str, ...]) -> pd.DataFrame:
    """Category, weight, and the columns that source, date and licence name."""
    import pandas as pd

    named = columns["category"]
    words_of = pd.Series(columns["name"], table.index) if named is None else table[named]
    kept = pd.DataFrame({"category": words_of.astype("str").str.strip()}, index=table.index)
    kept["category"] = kept["category"].where(kept["category"] != "")
    if columns["weight"]:
        weight = pd.to_numeric(table[columns["weight"]], errors="coerce")
        kept["weight"] = weight.astype("float64").fillna(1.0)
    for word in words:
        if word in table:
            kept[f"says {word}"] = table[word].astype("str")
    return kept
