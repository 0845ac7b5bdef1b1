"""Checks at the stage's door that no noun makes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from peelian.errors import DataError, some

if TYPE_CHECKING:
    from peelian.places import Places

OVERLAP = 0.01  # of the whole: what slivers along generalised borders stay far below


def refuse_overlapping(areas: Places) -> None:
    """``DataError`` where areas lie on each other: an incident there would be one area's by chance.

    More than 1 % of the ground in two areas or more; the message names pairs that share most.
    """
    shapes = np.asarray(areas.geometry.array)
    ground = shapely.area(shapely.union_all(shapes))
    double = float(shapely.area(shapes).sum() / ground - 1)
    if double <= OVERLAP:
        return
    left, right = areas.frame.sindex.query(shapes, predicate="intersects")
    first = left < right
    left, right = left[first], right[first]
    shared = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    most = np.argsort(-shared, kind="stable")[:3]
    pairs = [f"{areas.index[left[at]]} and {areas.index[right[at]]}" for at in most]
    raise DataError(
        f"The areas lie on each other: {double * 100:.0f} % of their ground belongs to two or more, most of "
        f"it to {some(pairs)}. Give each piece of ground to one area, or keep one level of areas only."
    )
