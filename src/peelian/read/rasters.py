"""Rasters: grids of numbers (population, light, heights) as weighted points or as one value a place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, DesignError
from peelian.layers import Kind, Layer, Layers, Operations, Sign
from peelian.read.coordinates import system
from peelian.read.files import present, rejected_frame, unpacked

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    from peelian.places import Places

MOST = 5_000_000  # cells with a value: about 1 GiB as points


def raster(
    path: Path | str,
    *,
    name: str,
    band: int = 1,
    crs: object = None,
    to: object = 27700,
    kind: Kind = "environment",
    sign: Sign = "aggravating",
    operations: Operations = "density",
    source: str = "",
    date: str = "",
    licence: str = "",
) -> tuple[Layers, pd.DataFrame]:
    """One layer of points, one for each cell of a raster with a value above nothing, weighted by it.

    ``path``  an Esri ASCII grid (``.asc``, ``.asc.gz``), or a GeoTIFF or another raster that GDAL reads,
              which needs the ``gis`` extra.
    ``name``  of the layer; ``band`` of a raster with several, counted from 1.
    ``crs``   of an ASCII grid, which states none; 27700 where it is left out.
    The other arguments are those of ``features``. Cells without data, and cells of 0, are no features.

    Raises ``DataError`` for files that are no raster, a band that is not there, and negative values, which
    cannot be weights.
    """
    shapes, values = _cells(path, band, crs, to)
    if (values < 0).any():
        raise DataError(
            f"{path}: {int((values < 0).sum()):,} cells are negative, which no weight can be. "
            "Measure a place by its mean instead, or make a raster of amounts."
        )
    import geopandas as gpd

    held = values > 0
    frame = gpd.GeoDataFrame({"weight": values[held]}, geometry=shapes[held].to_numpy(), crs=shapes.crs)
    layer = Layer(name, frame, kind, sign, operations, source, date, licence)
    return Layers.of([layer]), rejected_frame([])


def raster_by_place(
    path: Path | str,
    places: Places,
    *,
    statistic: Literal["mean", "sum", "max", "min"] = "mean",
    band: int = 1,
    crs: object = None,
) -> pd.Series:
    """The mean (or sum, or extreme) of the cells whose centre lies in each place; missing where none does.

    ``statistic``  ``mean`` for heights and light, ``sum`` for amounts such as people.

    Returns a Series on the places' index, in the unit of the raster.
    """
    if statistic not in ("mean", "sum", "max", "min"):
        raise DesignError(f"statistic = {statistic!r} is not known; expected mean, sum, max or min.")
    import pandas as pd

    shapes, values = _cells(path, band, crs, places.crs)
    where = places.locate(shapes)
    found = pd.Series(values, shapes.index).groupby(where).agg(statistic)
    return found.reindex(places.index).rename(Path(path).stem)


def _cells(path: Path | str, band: int, crs: object, to: object) -> tuple[gpd.GeoSeries, np.ndarray]:
    """The centres of the cells that hold a value, in ``to``, and the values."""
    import geopandas as gpd
    import numpy as np

    path = present(path)
    ascii_grid = path.name.lower().endswith((".asc", ".asc.gz"))
    values, x, y, held = _ascii(path, crs) if ascii_grid else _gdal(path, band)
    row, column = np.nonzero(np.isfinite(values))
    if len(row) > MOST:
        raise DataError(f"{path}: {len(row):,} cells hold a value, more than {MOST:,}. Cut it to the area.")
    centres = gpd.GeoSeries(gpd.points_from_xy(x[row, column], y[row, column]), crs=held)
    return centres.to_crs(system(to, str(path))), values[row, column]


def _ascii(path: Path, crs: object) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    import numpy as np

    lines = unpacked(path).decode("latin-1").split("\n")
    head: dict[str, float] = {}
    try:
        while lines and lines[0][:1].isalpha():
            word, number = lines.pop(0).split()
            head[word.lower()] = float(number)
        columns, rows, cell = int(head["ncols"]), int(head["nrows"]), head["cellsize"]
        west = head["xllcorner"] if "xllcorner" in head else head["xllcenter"] - cell / 2
        south = head["yllcorner"] if "yllcorner" in head else head["yllcenter"] - cell / 2
        values = np.array(" ".join(lines).split(), float).reshape(rows, columns)
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{path}: is no Esri ASCII grid ({error}). It needs ncols, nrows, xllcorner, yllcorner, cellsize "
            "and as many numbers as they say."
        ) from error
    values[values == head.get("nodata_value", -9999)] = np.nan
    x, y = np.meshgrid(
        west + (np.arange(columns) + 0.5) * cell, south + (rows - np.arange(rows) - 0.5) * cell
    )
    return values, x, y, system(27700 if crs is None else crs, str(path))


def _gdal(path: Path, band: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    import numpy as np

    try:
        import rasterio
    except ImportError as error:
        raise DataError(
            f"{path}: rasters other than ASCII grids need the gis extra: pip install peelian[gis]. Or save "
            "the raster as an Esri ASCII grid (.asc)."
        ) from error
    try:
        with rasterio.open(path) as file:
            if not 1 <= band <= file.count:
                raise DataError(f"{path}: has no band {band}; it has {file.count}.")
            if file.crs is None:
                raise DataError(f"{path}: no CRS is stated. Save the raster with its CRS.")
            values = file.read(band, masked=True).astype("float64").filled(np.nan)
            column, row = np.meshgrid(np.arange(file.width) + 0.5, np.arange(file.height) + 0.5)
            a, b, c, d, e, f = tuple(file.transform)[:6]
            return values, a * column + b * row + c, d * column + e * row + f, file.crs.to_wkt()
    except rasterio.errors.RasterioIOError as error:
        raise DataError(f"{path}: is no raster that GDAL can read ({error}).") from error
