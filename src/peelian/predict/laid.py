"""Laid: a grid under areas, so that methods made for cells run on areas too."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from peelian.errors import DesignError
from peelian.predict.history import History

if TYPE_CHECKING:
    from peelian.places import Places

FINEST, WIDEST = 50.0, 250.0
MOST = 100_000  # cells, about
PARTS = 4  # cells along a side of the middle-sized area


def on_cells(history: History) -> History:
    """The same incidents on a grid: as they are where the places are one, else on cells laid under the areas.

    Cells are a quarter as wide as the middle-sized area, 50 to 250 m.
    """
    places = history.places
    if places.cell and places.origin is not None:
        return history
    if "laid" not in history.memo:
        cells, _ = _under(places)
        events, at = history.events, _position(history, cells)
        moved = replace(events, place=at).where(at >= 0)
        counts = moved.matrix(len(cells), history.first, history.counts.shape[1])
        history.memo["laid"] = replace(history, places=cells, counts=counts, events=moved, memo={})
    return replace(history.memo["laid"], end=history.end)


def to_places(history: History, values: np.ndarray) -> np.ndarray:
    """Numbers by cell of ``on_cells`` summed over the places; a cell on a border is shared out by area."""
    places = history.places
    if places.cell and places.origin is not None:
        return values
    return np.asarray(_under(places)[1] @ values)


def to_cells(history: History, values: np.ndarray) -> np.ndarray:
    """A feature by place on the cells of ``on_cells``: the mean of the areas that share a cell, by area."""
    places = history.places
    if places.cell and places.origin is not None:
        return values
    table = _under(places)[1]
    return np.asarray((table.T @ values) / np.maximum(np.asarray(table.sum(axis=0)).ravel(), 1e-12))


def _position(history: History, cells: Places) -> np.ndarray:
    import geopandas as gpd

    points = gpd.GeoSeries(gpd.points_from_xy(history.events.x, history.events.y), crs=cells.crs)
    return np.asarray(cells.index.get_indexer(cells.locate(points).to_numpy(object)))


@lru_cache(maxsize=4)
def _under(places: Places) -> tuple[Places, sparse.csr_array]:
    """Cells that touch the areas, and the share of each that lies in each: areas x cells."""
    import shapely

    if not (places.areas > 0).all():
        raise DesignError("This map is drawn on cells or areas; these places are streets.")
    side = float(np.sqrt(places.areas.median())) / PARTS
    side = max(float(np.clip(side, FINEST, WIDEST)), float(np.sqrt(places.areas.sum() / MOST)))
    cells = type(places).grid(places.geometry, side, keep="touch")
    shapes, boxes = np.asarray(places.geometry.array), np.asarray(cells.geometry.array)
    area, cell = shapely.STRtree(boxes).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[area], boxes[cell]))
    table = sparse.csr_array((shared, (area, cell)), shape=(len(shapes), len(boxes)))
    whole = np.asarray(table.sum(axis=0)).ravel()
    return cells, table @ sparse.diags_array(1 / np.maximum(whole, 1e-9))
