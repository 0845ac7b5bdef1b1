"""What should be known about incidents and layers before a terrain made of them is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from peelian.errors import DesignError, some

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.layers import Layer, Layers
    from peelian.places import Places

SHARE = 0.05  # of the incidents: more than this is said
FEWEST_POINTS, SHARED, APART, CLOSE = 200, 0.2, 50.0, 20.0  # points, a share of them, metres, metres
FEWEST_A_MONTH = 10  # incidents a month on average from which a month without any is odd
RECORDED_AT = {  # layers that are where a crime is recorded, by words of the crime's name
    ("drug",): {"police_station", "police_stations", "police", "custody"},
    ("violence", "assault", "wounding"): {"hospital", "hospitals", "accident_and_emergency", "a_and_e"},
}


def grain_of(incidents: Incidents, places: Places, force: bool) -> list[str]:
    """Cells finer than the points can bear: under 50 m an error, under 100 m a warning."""
    if not incidents.snapped:
        return seems_snapped(incidents)
    if not places.cell or places.cell >= 100:
        return []
    words = (
        f"The points of these incidents are moved to shared street points (about 90 m apart), too far for "
        f"cells of {places.cell:g} m."
    )
    if places.cell < 50 and not force:
        raise DesignError(f"{words} Use cells of at least 100 m, or force = true.")
    return [words]


def seems_snapped(incidents: Incidents) -> list[str]:
    """A warning where points look moved to shared street points and the extract does not say so.

    Many incidents share their point with another, and no two points lie close together: addresses do, street
    points do not (police.uk, a year of burglary: 80 % share, 1 % of points have another within 20 m).
    """
    import numpy as np
    import shapely
    from scipy.spatial import cKDTree

    if incidents.snapped:
        return []
    points = shapely.get_coordinates(incidents.frame.geometry[incidents.located].to_numpy())
    if len(points) < FEWEST_POINTS:
        return []
    spots, number = np.unique(points.round(1), axis=0, return_counts=True)
    shared = number[number > 1].sum() / len(points)
    if shared < SHARED or len(spots) < 3:
        return []
    apart = cKDTree(spots).query(spots, k=2)[0][:, 1]
    if np.median(apart) < APART or (apart < CLOSE).mean() > 0.02:
        return []
    return [
        f"{100 * shared:.0f} % of the incidents share their point with another, and distinct points lie "
        f"{np.median(apart):.0f} m apart (median): they look moved to shared street points. If they were, "
        "say snapped = true where the extract is named: the same point is then no address."
    ]


def incident_warnings(
    incidents: Incidents, accounting: dict[str, int], n: int, span: tuple[Any, Any]
) -> list[str]:
    """Rows left out, months without any, and a reclassification inside the period."""
    import pandas as pd

    found = []
    outside, blank = accounting["outside the study area"], accounting["without a point"]
    if outside > SHARE * n:
        found.append(
            f"{outside:,} of {n:,} incidents ({100 * outside / n:.1f} %) lie outside the study area and are "
            "left out."
        )
    if blank > SHARE * n:
        found.append(
            f"{blank:,} of {n:,} incidents ({100 * blank / n:.1f} %) have no point and are left out: the map "
            f"may be biased by district. Most: {_worst(incidents)}."
        )
    months = pd.period_range(*span, freq="M")
    empty = [str(m) for m in months if m not in set(incidents.months)]
    if empty and n >= FEWEST_A_MONTH * len(months):
        found.append(
            f"{len(empty)} of {len(months)} months hold no incident ({some(empty)}): is a file missing?"
        )
    burglary = incidents.frame["type"].astype("str").str.casefold().str.contains("burglary").any()
    if burglary and incidents.published and span[0] < pd.Period("2017-04", "M") <= span[1]:
        found.append(
            "The period crosses April 2017, when burglary was reclassified as residential or not: "
            "before and after cannot be split in these data."
        )
    return found


def _worst(incidents: Incidents) -> str:
    """The three area codes (or files, where rows carry none) with the most incidents without a point."""
    lost = incidents.frame[~incidents.located]
    by = "place" if "place" in lost and lost["place"].notna().any() else "source"
    number = lost[by].value_counts()
    worst = sorted(number.items(), key=lambda item: (-item[1], str(item[0])))[:3]
    return ", ".join(f"{name} ({count:,})" for name, count in worst)


def refuse_where_recorded(layers: Layers, crime: str, reason: str | None) -> None:
    """Raise ``DesignError`` where a layer is where this crime is recorded, unless a reason is given."""
    if (reason or "").strip():
        return
    name = crime.casefold()
    for words, places in RECORDED_AT.items():
        wrong = [layer for layer in layers if layer.casefold() in places]
        if wrong and any(word in name for word in words):
            raise DesignError(
                f"Layer {some(wrong)} is where {crime} is recorded: its points draw the crime by how it is "
                'written down. Leave it out, or give allow_outcome_factor = "reason".'
            )


def layer_dates(layers: Mapping[str, Layer], span: tuple[Any, Any] | None) -> list[str]:
    """Warnings where layers are of a later date than the crime, or of an earlier year.

    ``span``  first and last month of the crime. Layers that say themselves from when to when each feature was
    there are taken at their word.
    """
    if span is None:
        return []
    first, last = map(str, span)
    dates = {
        name: max(re.findall(r"\d{4}(?:-\d{2})?", layer.date), default="")
        for name, layer in layers.items()
        if not {"open_from", "open_to"} & set(layer.features.columns)
    }
    late = [f"{name} ({date})" for name, date in dates.items() if date[: len(last)] > last[: len(date)]]
    early = [f"{name} ({date})" for name, date in dates.items() if date and date[:4] < first[:4]]
    found = []
    if late:
        found.append(
            f"Layers of a later date than the crime (to {last}): {some(late, 20)}. Features may not have "
            "been there."
        )
    if early:
        found.append(
            f"Layers of an earlier year than the crime (from {first}): {some(early, 20)}. Features may be "
            "gone, or new ones missing."
        )
    return found
