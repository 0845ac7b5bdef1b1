"""Measures: the physical units that coverage is counted in, by place, as far as the project knows them; and
the breaks in recording that totals are read across."""

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


def recording_breaks(crime: str, *, force: str = "") -> list[tuple[pd.Timestamp, str]]:
    """When the recording of this crime changed, and a word for each: ``figures/recording_changes.toml``.

    ``force``  of the project, where it names one: a change of another force's is none here.

    >>> [f"{day:%B %Y}" for day, _ in recording_breaks("Burglary")]
    ['April 2017', 'April 2023']
    """
    from peelian.predict.breaks import breaks_of

    return [(one.day, f"recording changed, {one.day:%b %Y}") for one in breaks_of(crime, force=force)]
