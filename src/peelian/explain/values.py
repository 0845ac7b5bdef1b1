"""Values of places that are factors too: a raster's mean, a census count, above each of several limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places

Array = Any
SIGNS = ("aggravating", "protective", "either")


@dataclass(frozen=True, eq=False)
class Valued:
    """``frame``  a column a factor, on the places' index; a missing value is above no limit. ``cuts``  limits
    by factor; the deciles over the places in the fit where none are given. ``signs``  by factor:
    ``aggravating`` (unless given), ``protective`` (risk falls as the value rises) or ``either``."""

    frame: pd.DataFrame
    cuts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    signs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = [f"{name} = {sign!r}" for name, sign in self.signs.items() if sign not in SIGNS]
        if wrong:
            raise DesignError(f"signs: {some(wrong)}; write {', '.join(SIGNS)}.")

    @property
    def names(self) -> list[str]:
        """The factors."""
        return [str(name) for name in self.frame]

    def sign(self, name: str) -> str:
        """Which way a factor is expected to work."""
        return self.signs.get(name, "aggravating")

    def steps(self, name: str, places: Places, fitted: Array) -> tuple[Array, Array, list[str]]:
        """The value of each place, the rising limits, and what should be known of gaps."""
        value = self.frame[name].reindex(places.index).to_numpy(float)
        known = value[fitted & np.isfinite(value)]
        if not len(known):
            raise DataError(
                f"{name} has no value for any place. Does the raster cover the study area, in its CRS?"
            )
        limits = self.cuts.get(name) or np.quantile(known, np.arange(1, 10) / 10)
        missing = int(fitted.sum() - len(known))
        note = [f"{name} is missing for {missing:,} places: taken as low."] * bool(missing)
        return value, np.unique(np.asarray(limits, float)), note
