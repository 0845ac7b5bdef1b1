"""Spatially blocked cross-validation: whole tiles are left out, so that neighbours cannot vouch for cells.

Source: Roberts et al. (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DesignError
from peelian.explain.inference import tiles

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places

Array = Any
FEWEST_TILES = 10
LEAKS = (
    "Folds are of cells drawn at random, so neighbours of a left-out cell stay in: that leaks, and the "
    "penalty comes out too low."
)


@dataclass(frozen=True, eq=False)
class Folds:
    """Which fold each cell is left out with, the tiles the folds are made of, and what they are.

    ``train``  by fold, the cells that fit the model while the fold is left out.
    """

    fold: Array
    tile: Array
    train: tuple[Array, ...]
    words: str
    leaks: bool = False


def tiles_of(places: Places, fitted: Array, clusters: float | pd.Series) -> Array:
    """Number of the tile of each place in the fit: squares of so many metres, or what a Series on the places'
    index names (a ward)."""
    if not isinstance(clusters, int | float):
        return _named(clusters, places, fitted)
    points = places.points[fitted]
    origin = places.origin or tuple(places.frame.total_bounds[:2])
    return tiles(points.x.to_numpy(), points.y.to_numpy(), clusters, origin)


def tile_words(clusters: float | pd.Series) -> str:
    """What tiles are: ``of 1500 m``, or ``of the areas given``."""
    return f"of {clusters:g} m" if isinstance(clusters, int | float) else "of the areas given"


def _named(names: pd.Series, places: Places, fitted: Array) -> Array:
    held = names.reindex(places.index)[fitted].astype("object")
    return np.unique(held.where(held.notna(), "none").astype(str), return_inverse=True)[1].ravel()


def dealt(tile: Array, counts: Array, folds: int) -> Array:
    """The fold of each cell: tiles with most events first, each to the fold that has fewest so far.

    >>> dealt(np.array([0, 0, 1, 2]), np.array([5, 4, 8, 3]), 2).tolist()
    [0, 0, 1, 1]
    """
    number = int(tile.max()) + 1
    events = np.bincount(tile, counts, number)
    cells = np.bincount(tile, minlength=number)
    held, size = np.zeros(folds), np.zeros(folds)
    fold = np.zeros(number, np.int64)
    for at in np.lexsort((np.arange(number), -cells, -events)):
        lightest = int(np.lexsort((np.arange(folds), size, held))[0])
        fold[at] = lightest
        held[lightest] += events[at]
        size[lightest] += cells[at]
    return fold[tile]


def blocked(
    places: Places, fitted: Array, counts: Array, *, side: float, folds: int = 5, buffer: float = 0.0,
    blocks: pd.Series | str | None = None, seed: int = 0,
) -> Folds:  # fmt: skip
    """Folds of whole tiles over the places in the fit.

    ``side``    of the square tiles in metres. ``blocks``  a Series on the places' index that names the tile
    of each place (a ward, a borough), or ``"random"``. ``buffer``  metres around left-out tiles whose cells
    fit nothing.

    Raises ``DesignError`` where fewer than ten tiles have events, with the side that would give ten.
    """
    points = places.points[fitted]
    x, y = points.x.to_numpy(), points.y.to_numpy()
    if isinstance(blocks, str) and blocks == "random":
        fold = np.random.default_rng([seed, 0, 5]).permutation(np.arange(len(counts)) % folds)
        return Folds(fold, fold, tuple(fold != f for f in range(folds)), "cells drawn at random", leaks=True)
    if blocks is not None and not isinstance(blocks, str):
        tile = _named(blocks, places, fitted)
        words = "of the areas given"
    else:
        tile = tiles_of(places, fitted, side)
        words = f"square tiles of {side:g} m"
    held = len(np.unique(tile[counts > 0]))
    if held < FEWEST_TILES:
        raise DesignError(_too_few(held, words, x, y, counts, places, side))
    fold = dealt(tile, counts, folds)
    train = tuple(_kept(x, y, fold == f, buffer) for f in range(folds))
    return Folds(
        fold, tile, train, f"{words.removeprefix('of ')} ({int(tile.max()) + 1}, {held} with incidents)"
    )


def _kept(x: Array, y: Array, left_out: Array, buffer: float) -> Array:
    """Cells that may fit while some are left out: those farther than the buffer from them."""
    if buffer <= 0:
        return ~left_out
    from scipy.spatial import cKDTree

    xy = np.column_stack([x, y])
    away, _ = cKDTree(xy[left_out]).query(xy)
    return ~left_out & (away > buffer)


def _too_few(held: int, words: str, x: Array, y: Array, counts: Array, places: Places, side: float) -> str:
    origin = places.origin or tuple(places.frame.total_bounds[:2])
    text = f"Only {held} {words} have incidents; cross-validation over tiles needs {FEWEST_TILES}."
    for smaller in np.floor(side / 100 * np.arange(0.95, 0, -0.05)) * 100:
        if smaller > 0 and len(np.unique(tiles(x, y, smaller, origin)[counts > 0])) >= FEWEST_TILES:
            return f"{text} tile = {smaller:g} (metres) would give {FEWEST_TILES} or more."
    return f'{text} The incidents lie too close together: use a larger area, or mode = "rtmdx".'
