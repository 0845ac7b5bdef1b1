"""The terrain as pictures that a GIS places by itself: Cloud Optimised GeoTIFF, and PNG with a world file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.places import Places

Array = Any
LEAST_PIXELS = 800  # of the longer side of a picture


@dataclass(frozen=True, eq=False)
class GeoTiff:
    """One band of 32-bit numbers on a grid, missing as NaN: written as a Cloud Optimised GeoTIFF.

    ``values`` rows from north to south; ``west``, ``north`` its corner and ``cell`` its side, in metres.
    """

    values: Array
    west: float
    north: float
    cell: float
    crs: Any
    name: str

    def write(self, path: Path) -> None:
        """Write the file. Needs rasterio (the extra ``gis``)."""
        import rasterio

        high, wide = self.values.shape
        with rasterio.open(
            path, "w", driver="COG", height=high, width=wide, count=1, dtype="float32", nodata=np.nan,
            crs=self.crs.to_wkt(), compress="DEFLATE",
            transform=rasterio.Affine(self.cell, 0, self.west, 0, -self.cell, self.north),
        ) as store:  # fmt: skip
            store.write(self.values.astype(np.float32), 1)
            store.set_band_description(1, self.name)


def on_grid(cells: Places, values: pd.Series) -> Array:
    """Values by cell as an array of rows from north to south, NaN where there is no cell."""
    column, row = cells.frame["column"].to_numpy(), cells.frame["row"].to_numpy()
    grid = np.full((int(row.max()) + 1, int(column.max()) + 1), np.nan)
    grid[row, column] = values.reindex(cells.index).to_numpy(float)
    return grid[::-1]


def files(terrain: RiskTerrain, cells: Places) -> dict[str, Any]:
    """``output_score`` (relative risk, lowest cell = 1) and ``output_prediction`` (expected incidents in the
    period fitted) under the names of the RTMDx Utility; nothing where places are no grid.

    The GeoTIFFs only where rasterio is installed; the PNG and its world file always.
    """
    if "column" not in cells.frame or not cells.cell or cells.origin is None:
        return {}
    from importlib.util import find_spec

    from peelian.explain.report import MAP_BREAKS

    made: dict[str, Any] = {}
    fitted = terrain.risk.notna()
    west, south = cells.origin
    bands = {"output_score": terrain.relative_risk, "output_prediction": terrain.expected}
    if find_spec("rasterio") is not None:
        for name, values in bands.items():
            grid = on_grid(cells, values.where(fitted))
            north = south + cells.cell * len(grid)
            made[f"{name}.tif"] = GeoTiff(grid, west, north, cells.cell, cells.crs, name)
    grid = on_grid(cells, terrain.times_average.where(fitted))
    times = max(1, -(-LEAST_PIXELS // max(grid.shape)))
    made["terrain.png"] = png(grid, MAP_BREAKS, times)
    made["terrain.pgw"] = world(west, south + cells.cell * len(grid), cells.cell / times)
    return made


def world(west: float, north: float, pixel: float) -> str:
    """A world file: where the middle of the first pixel lies, and how large a pixel is.

    >>> world(500000, 180000, 20).split()
    ['20', '0', '0', '-20', '500010', '179990']
    """
    return "".join(f"{v:.10g}\n" for v in (pixel, 0, 0, -pixel, west + pixel / 2, north - pixel / 2))


def png(grid: Array, breaks: Sequence[float], times: int = 1) -> bytes:
    """A picture of the grid in the classes of the map, each cell ``times`` pixels wide; no cell is clear.

    The colours are those of the map in the chapter: the same number of steps, lightest first.
    """
    from peelian.maps import SEQUENTIAL

    colours = SEQUENTIAL[len(breaks) + 1]
    code = np.where(np.isnan(grid), 0, np.searchsorted(np.asarray(breaks), np.nan_to_num(grid)) + 1)
    pixels = np.kron(code.astype(np.uint8), np.ones((times, times), np.uint8))
    high, wide = pixels.shape
    palette = b"\xff\xff\xff" + b"".join(bytes.fromhex(colour[1:]) for colour in colours)
    rows = np.hstack([np.zeros((high, 1), np.uint8), pixels]).tobytes()
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 3, 0, 0, 0)), (b"PLTE", palette),
        (b"tRNS", b"\x00"), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""),
    )  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
