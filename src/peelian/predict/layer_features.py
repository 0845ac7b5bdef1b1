"""Layers as features: how far the nearest feature of each kind is, and how thick they lie."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.predict.history import History, moment_of, step_after

if TYPE_CHECKING:
    import geopandas as gpd

    from peelian.layers import Layer, Layers
    from peelian.predict.history import Step

REACH = 500.0  # metres within which features are summed, nearer ones weighing more
FARTHEST = 5_000.0  # metres: beyond it one is as good as nowhere
BLOCK = 2_000  # places measured at once, so that pairs stay few in memory
DATE = re.compile(r"\b(\d{4})(?:-(\d{2}))?")


def layer_columns(layers: Layers, history: History) -> list[tuple[str, str, np.ndarray, int | None]]:
    """Two columns a layer (one of lines and areas): name, group, values, step known.

    Metres to the nearest feature from a place's point, 5,000 at most; and for points the sum of weight x
    (1 - (d / 500 m) squared) over those within 500 m (Epanechnikov). Features that had not opened by the end
    of history, or had closed, are left out where the layer says so.
    """
    out: list[tuple[str, str, np.ndarray, int | None]] = []
    for name, layer in layers.items():
        held = open_at(layer.features, history)
        known = known_from_date(layer.date, history.step)
        for operation, values in _measured(layer, held, history).items():
            out.append((f"{operation} {name}", "layers", values, known))
    return out


def _measured(layer: Layer, held: np.ndarray, history: History) -> dict[str, np.ndarray]:
    import hashlib

    key = ("layer", id(layer), hashlib.sha256(held.tobytes()).digest())
    if key not in history.memo:
        history.memo[key] = _measure(layer, held, history)
    found: dict[str, np.ndarray] = history.memo[key]
    return found


def _measure(layer: Layer, held: np.ndarray, history: History) -> dict[str, np.ndarray]:
    import shapely

    features = layer.features[held].to_crs(history.places.crs)
    points = history.places.points.to_numpy()
    shapes = features.geometry.to_numpy()
    out = {}
    if layer.operations != "density":
        near = np.full(len(points), FARTHEST)
        if len(shapes):
            at, metres = shapely.STRtree(shapes).query_nearest(
                points, return_distance=True, all_matches=False, max_distance=FARTHEST
            )
            near[at[0]] = metres
        out["metres to the nearest"] = near
    if layer.operations != "proximity" and (shapely.get_type_id(shapes) == 0).all():
        weight = features["weight"].to_numpy(float) if "weight" in features else np.ones(len(shapes))
        out[f"within {REACH:g} m:"] = _sums(points, shapes, np.where(np.isfinite(weight), weight, 1.0))
    return out


def _sums(places: Any, features: Any, weight: np.ndarray) -> np.ndarray:
    import shapely
    from scipy.spatial import cKDTree

    out = np.zeros(len(places))
    if not len(features):
        return out
    there, tree = shapely.get_coordinates(places), cKDTree(shapely.get_coordinates(features))
    for begin in range(0, len(there), BLOCK):
        near = cKDTree(there[begin : begin + BLOCK]).sparse_distance_matrix(
            tree, REACH, output_type="coo_matrix"
        )
        worth = weight[near.col] * (1 - (near.data / REACH) ** 2)
        out[begin : begin + BLOCK] = np.bincount(near.row, worth, minlength=near.shape[0])
    return out


def open_at(features: gpd.GeoDataFrame, history: History) -> np.ndarray:
    """A mask: features open at the end of history, where they have dates."""
    import pandas as pd

    end = moment_of(history.end, history.step)
    keep = np.ones(len(features), bool)
    if "open_from" in features:
        opened = pd.to_datetime(features["open_from"].astype("str"), errors="coerce")
        keep &= (opened.isna() | (opened < end)).to_numpy()
    if "open_to" in features:
        closed = pd.to_datetime(features["open_to"].astype("str"), errors="coerce")
        keep &= (closed.isna() | (closed >= end)).to_numpy()
    return keep


def dated(text: str) -> str | None:
    """The last month that a date in words names; None where it names none.

    >>> dated("2020-2021"), dated("June 2021"), dated("2019-09"), dated("unknown")
    ('2021-12', '2021-12', '2019-09', None)
    """
    months = [
        f"{year}-{month}" if month and 1 <= int(month) <= 12 else f"{year}-12"
        for year, month in DATE.findall(re.sub(r"\b(\d{4})-(?=\d{4})", r"\1 to ", text))
    ]
    return max(months, default=None)


def known_from_date(text: str, step: Step) -> int | None:
    """The first step after the last month that a date in words names."""
    return step_after(dated(text), step)
