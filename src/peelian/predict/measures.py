"""Measures: the physical units that coverage is counted in, by place, as far as the project knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from peelian.places import Places
    from peelian.predict.patrol import Given

SATURATION = 0.85


def measures(
    cells: Places, areas: Places, given: Given | None, *, saturation: float = SATURATION
) -> dict[str, pd.Series]:
    """Kilometres of street, homes, and kits (``saturation`` of the homes) by cell, those that are known."""
    from peelian.predict.audit import homes_on
    from peelian.predict.missions import street_kilometres

    found: dict[str, pd.Series] = {}
    if given is not None and given.streets is not None:
        found["km of street"] = street_kilometres(given.streets, cells)
    if areas.households is not None:
        homes = homes_on(cells, areas, areas.households)
        found |= {"homes": homes, "kits": np.ceil(homes * saturation)}
    return found
