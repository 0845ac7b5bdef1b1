"""The places that a terrain is made of: cells of the grid, areas, hexagons or street segments."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, some
from peelian.places import Places

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.parameters import Parameters
    from peelian.layers import Layers

Array = Any


def units_of(parameters: Parameters, grid: Places, study: Places, layers: Layers) -> Places:
    """The places that ``[explain] places`` asks for.

    ``grid``  the project's cells, ``study`` its areas. Hexagons are as wide as a cell of the grid. Street
    segments are the lines of the layer ``streets`` from one junction to the next whose middle lies in the
    study area.
    """
    if parameters.places == "areas":
        return study
    if parameters.places == "hexagons":
        return Places.hexagons(study.geometry, float(grid.cell or 0))
    if parameters.places == "cells":
        return grid
    if parameters.streets is None:
        raise DesignError('places = "streets" needs streets = the name of a layer of lines.')
    if parameters.streets not in layers.names:
        raise DataError(
            f"explain.streets: there is no layer {parameters.streets}; there are {some(layers.names, 20)}."
        )
    return segments(layers[parameters.streets].features.geometry, study)


def segments(lines: gpd.GeoSeries, study: Places) -> Places:
    """Streets from junction to junction, as places named from west to east ``s1``, ``s2``, ...

    ``lines``   of streets; they meet where they share a point of their course (a bridge shares none with what
    lies below it). ``study``  areas: segments whose middle lies in none of them are left out.
    """
    import geopandas as gpd
    import numpy as np
    import shapely

    held = lines.to_crs(study.crs).explode(ignore_index=True)
    held = held[(held.geom_type == "LineString") & (held.length > 0)]
    pieces = np.array(_parted(shapely.set_precision(held.to_numpy(), 0.01)), object)
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(pieces)))
    middle = shapely.line_interpolate_point(merged, 0.5, normalized=True)
    inside = study.locate(gpd.GeoSeries(middle, crs=study.crs)).notna().to_numpy() if len(merged) else []
    merged, middle = merged[inside], shapely.get_coordinates(middle[inside])
    if not len(merged):
        raise DataError(
            "explain.streets: no line has its middle in the study area. Is it another place's, or in another "
            "CRS?"
        )
    order = np.lexsort((shapely.length(merged), middle[:, 1], middle[:, 0]))
    wide = len(str(len(order)))
    ids = [f"s{k:0{wide}d}" for k in range(1, len(order) + 1)]
    return Places.of(gpd.GeoDataFrame(index=ids, geometry=merged[order], crs=study.crs), kind="street")


def _parted(lines: Array) -> list[Any]:
    """Lines cut at every point of their course that another line, or the same one again, goes through."""
    import numpy as np
    import shapely

    xy, line = shapely.get_coordinates(lines, return_index=True)
    _, at, times = np.unique(xy, axis=0, return_inverse=True, return_counts=True)
    shared = times[at.ravel()] > 1
    first = np.flatnonzero(np.diff(line, prepend=-1))
    last = np.append(first[1:], len(line)) - 1
    found = []
    for begin, end in zip(first, last, strict=True):
        cuts = begin + 1 + np.flatnonzero(shared[begin + 1 : end])
        ends = [begin, *cuts, end]
        found += [shapely.linestrings(xy[a : b + 1]) for a, b in pairwise(ends)]
    return found


def onto_grid(values: pd.DataFrame, units: Places, grid: Places) -> gpd.GeoDataFrame:
    """Amounts by place spread evenly over the ground (or length) of each, by cell of the grid.

    What lies outside every cell is left out; a cell that meets no place has 0.
    """
    import geopandas as gpd
    import numpy as np
    import shapely

    cell, unit = units.frame.sindex.query(grid.geometry, predicate="intersects")
    met = shapely.intersection(grid.geometry.to_numpy()[cell], units.geometry.to_numpy()[unit])
    streets = units.kind == "street"
    part = shapely.length(met) if streets else shapely.area(met)
    size = (units.geometry.length if streets else units.areas).to_numpy()
    size = np.maximum(size, np.bincount(unit, part, len(units)))  # a street between two cells meets both
    found = {
        name: np.bincount(cell, values[name].fillna(0.0).to_numpy(float)[unit] * part / size[unit], len(grid))
        for name in values
    }
    return gpd.GeoDataFrame(found, index=grid.index, geometry=grid.geometry, crs=grid.crs)
