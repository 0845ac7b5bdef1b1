"""What the terrain would say with other features: an association, not a forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DataError, DesignError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.measure import How
    from peelian.explain.model import RiskTerrain
    from peelian.layers import Layer
    from peelian.places import Places

Array = Any
HEADING = "Association, not a forecast of what removal or addition would do"


@dataclass(frozen=True, eq=False)
class Basis:
    """What a terrain is computed from: candidate ``columns`` and their ``meta``, the coefficients of the
    chosen model by variable, and those of each resample with its variables, and ``how`` features were
    measured."""

    columns: pd.DataFrame
    meta: pd.DataFrame
    coefficients: dict[str, float]
    replicates: tuple[tuple[tuple[str, ...], Array], ...]
    period: tuple[Any, Any] | None = None
    how: How | None = None


@dataclass(frozen=True, eq=False)
class WhatIf:
    """The terrain with other features of one layer, beside the terrain as fitted.

    ``frame`` on the places' index: ``before`` and ``after`` (times the average as fitted), ``change`` (ratio)
    with ``low`` and ``high`` (95 % over the resamples of tiles; 1 in a resample that did not choose the
    factor). ``changed`` places whose score moves.
    """

    frame: pd.DataFrame
    factor: str
    features: tuple[int, int]
    crime: str

    @property
    def changed(self) -> pd.Index:
        """Places whose score moves."""
        return self.frame.index[np.abs(self.frame["change"] - 1) > 1e-12]

    def __str__(self) -> str:
        moved = self.frame.loc[self.changed]
        name = self.factor.replace("_", " ")
        before, after = self.features
        text = f"{HEADING}. With {after:,} in the place of {before:,} features of {name}, "
        if not len(moved):
            return f"{text}no place has another risk score for {self.crime}."
        up, down = int((moved["change"] > 1).sum()), int((moved["change"] < 1).sum())
        return f"{text}the risk score for {self.crime} is higher in {up:,} and lower in {down:,} places."


def what_if(
    terrain: RiskTerrain, places: Places, layer: Layer, *, before: int = 0, after: int | None = None
) -> WhatIf:
    """How the risk score moves when one layer has other features than it was fitted with.

    ``layer``   of the same name, with features removed or added. ``before``, ``after``  how many it had and
    has (in the study area), for the sentence; all of its features where not given. The model and the limit
    from which features count as dense stay as fitted.

    Raises ``DataError`` for a layer that the terrain was not fitted with, ``DesignError`` for one fitted to
    columns rather than layers.
    """
    import pandas as pd

    from peelian.explain.factors import remeasured

    basis = terrain.basis
    if basis is None:
        raise DesignError("This terrain was fitted to columns, not to layers: none can be changed.")
    at = basis.meta.index[basis.meta["factor"] == layer.name]
    valued = basis.meta.loc[basis.meta["operation"] == "value", "factor"].tolist()
    layers = [name for name in terrain.factors["factor"] if name not in valued]
    if layer.name not in layers:
        known = ", ".join(layers)
        raise DataError(f"The terrain knows no layer {layer.name}; it was fitted with {known}.")
    other = basis.columns.copy()
    if len(at):  # else neither the model nor a resample keeps it
        other[at] = remeasured(layer, places, basis.meta.loc[at], period=basis.period, how=basis.how)[
            at
        ].to_numpy()

    def scores(variables: tuple[str, ...], coefficients: Array) -> Array:
        names = list(variables)
        moved = other[names].to_numpy(float) - basis.columns[names].to_numpy(float)
        return np.exp(moved @ np.asarray(coefficients))

    change = scores(tuple(basis.coefficients), np.array(list(basis.coefficients.values())))
    average = terrain.times_average.to_numpy(float)
    if basis.replicates:
        drawn = np.array([scores(v, b[1:]) for v, b in basis.replicates])
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    else:
        low = high = np.full(len(change), np.nan)
    frame = pd.DataFrame(
        {"before": average, "after": average * change, "change": change, "low": low, "high": high},
        index=places.index,
    )  # fmt: skip
    return WhatIf(
        frame,
        layer.name,
        (before, len(layer.features) if after is None else after),
        terrain.crime,
    )
