"""Covariates: features of places that a lasting background follows, and their weights by likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError, some
from peelian.predict.history import History
from peelian.predict.laid import on_cells, to_cells

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.predict.beside import Beside

LEAST = 0.01  # of the mean: what a risk or a density is raised to before its logarithm
SQUARE_METRES = 10_000.0  # of a hectare
RIDGE = 1e-6
STEPS = 25


@dataclass(frozen=True, eq=False)
class Covariates:
    """``values`` by cell, each with mean 0 and standard deviation 1; ``names`` of the columns."""

    names: tuple[str, ...]
    values: np.ndarray

    def factor(self, weights: np.ndarray) -> np.ndarray:
        """By cell: by how much the background is higher or lower."""
        return np.asarray(np.exp(self.values @ weights))


def covariates_of(
    history: History, names: tuple[str, ...], prior: pd.Series | None, beside: Beside | None = None
) -> Covariates | None:
    """The named features on the cells of a history, or None without a name.

    ``prior`` and ``households`` (a hectare) by their logarithm; ``layers``: every layer of
    ``[predict.features]``, how far the nearest is and how thick they lie, by their logarithm; any other name
    is a column with numbers, of the places or of those that the table names. ``DesignError`` for one that is
    not there or does not vary.
    """
    if not names:
        return None
    columns: list[tuple[str, np.ndarray]] = []
    for name in names:
        if name == "layers":
            columns += _layers(history, beside)
        elif beside is not None and name in beside.columns and name not in history.places.frame:
            columns.append((name, beside.by_place(name, on_cells(history))))
        elif name == "households" and history.places.households is None and beside is not None:
            columns.append((name, _homes_beside(history, beside)))
        else:
            columns.append((name, to_cells(history, _values(history, name, prior))))
    values = [_standard(name, column) for name, column in columns]
    return Covariates(tuple(name for name, _ in columns), np.column_stack(values))


def _layers(history: History, beside: Beside | None) -> list[tuple[str, np.ndarray]]:
    from peelian.predict.layer_features import layer_columns

    if beside is None or beside.layers is None:
        raise DesignError(
            "The background is to follow layers, and none are named. Add [predict.features] layers to "
            "peelian.toml."
        )
    found = layer_columns(beside.layers, on_cells(history))
    return [(name, np.log1p(values)) for name, _, values, _ in found if float(values.std()) > 0]


def _homes_beside(history: History, beside: Beside) -> np.ndarray:
    """Homes a hectare in the area round each cell's centre."""
    areas = beside.areas
    cells = on_cells(history).places
    density = _homes(areas) / areas.areas.to_numpy() * SQUARE_METRES  # type: ignore[union-attr]
    at = areas.index.get_indexer(beside.inside(cells).to_numpy(object))  # type: ignore[union-attr]
    return _logs(np.where(at >= 0, density[at], density.mean()))


def _values(history: History, name: str, prior: pd.Series | None) -> np.ndarray:
    places = history.places
    if name == "prior":
        if prior is None:
            raise DesignError(
                "The background is to follow the risk terrain, and there is none. Add [[layers]], or leave "
                "prior out of covariates."
            )
        missing = places.index.difference(prior.index)
        if len(missing):
            raise DesignError(f"The prior lacks {len(missing)} places: {some(missing)}.")
        return _logs(prior.reindex(places.index).to_numpy(float))
    if name == "households":
        return _logs(_homes(places) / places.areas.to_numpy() * SQUARE_METRES)
    if name not in places.frame:
        held = [column for column in places.frame if column != "geometry"]
        raise DesignError(
            f"The places have no column {name!r} for the background to follow; they have {some(held)}. On a "
            "grid, name it under [predict.features] columns."
        )
    values = places.frame[name].to_numpy(float)
    if not np.isfinite(values).all():
        raise DesignError(
            f"{name} is missing in {int((~np.isfinite(values)).sum())} places. Fill it, or leave it out."
        )
    return np.asarray(values)


def per_household(history: History) -> np.ndarray:
    """Square metres that a household has, by cell; that of the mean place where there is none."""
    homes = _homes(history.places)
    area = history.places.areas.to_numpy()
    usual = area.sum() / homes.sum()
    return to_cells(history, np.where(homes > 0, area / np.maximum(homes, 1e-9), usual))


def _homes(places: Places | None) -> np.ndarray:
    given = None if places is None else places.households
    if given is None:
        raise DesignError(
            "The places have no households. Name their column (households under [places]), or use areas that "
            "have them."
        )
    values = given.to_numpy(float)
    if not values.sum() > 0:
        raise DesignError("The places have 0 households in all. Name another column under [places].")
    return np.asarray(values)


def _logs(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.maximum(values, LEAST * values.mean())))


def _standard(name: str, values: np.ndarray) -> np.ndarray:
    spread = float(values.std())
    if not spread > 1e-12:
        raise DesignError(
            f"{name} is the same everywhere, so a background cannot follow it. Leave it out of covariates."
        )
    return np.asarray((values - values.mean()) / spread)


def poisson_weights(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weights of a Poisson regression of counts (they may be parts of 1) on features, by Newton's steps.

    ``counts`` by place of one size, ``values`` places x features. The constant is fitted and not returned.

    >>> poisson_weights(np.array([1.0, 2.0, 4.0]), np.log([[1.0], [2.0], [4.0]])).round(6).tolist()
    [1.0]
    """
    design = np.column_stack([np.ones(len(counts)), values])
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(max(float(counts.mean()), 1e-12))
    for _ in range(STEPS):
        mean = np.exp(np.clip(design @ weights, -30, 30))
        slope = design.T @ (counts - mean)
        bend = (design.T * mean) @ design + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(bend, slope)
        weights = weights + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return weights[1:]
