"""Near repeats against a trend by area and month, and along streets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.arithmetic import pairs as near
from peelian.errors import DesignError
from peelian.explain.events import Events

if TYPE_CHECKING:
    import geopandas as gpd

Array = Any
PRIOR = 20.0  # events of the whole area's seasons that each stratum is taken to have besides its own
DAY = {"days": 1, "hours": 1440}  # times are whole days, or minutes


def trend(months: Array, strata: Array) -> Array:
    """Chance of each month in each stratum: its own counts, drawn towards those of the whole area.

    >>> trend(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])).round(2).tolist()
    [[0.52, 0.48], [0.48, 0.52]]
    """
    table = np.zeros((strata.max() + 1, months.max() + 1))
    np.add.at(table, (strata, months), 1.0)
    whole = table.sum(axis=0) / table.sum()
    return (table + PRIOR * whole) / (table.sum(axis=1, keepdims=True) + PRIOR)


def from_trend(events: Events, unit: str) -> Callable[[np.random.Generator], Array]:
    """Draws a time for every event: a month by the trend of its stratum, any moment of the month."""
    step, first = DAY[unit], int(events.time.min())
    last = int(events.time.max())
    day = np.datetime64("1970-01-01") + (events.time // step).astype("timedelta64[D]")
    month = day.astype("datetime64[M]")
    number = (month - month.min()).astype(np.int64)
    _, strata = np.unique(events.strata, return_inverse=True)
    cumulative = trend(number, strata).cumsum(axis=1)[strata]
    starts = month.min() + np.arange(number.max() + 2)
    edges = starts.astype("datetime64[D]").astype(np.int64) * step
    low, high = np.maximum(edges[:-1], first), np.minimum(edges[1:] - 1, last)

    def draw(rng: np.random.Generator) -> Array:
        at = (cumulative < rng.random((len(strata), 1))).sum(axis=1).clip(max=len(low) - 1)
        return rng.integers(low[at], high[at] + 1) - first

    return draw


def along_streets(
    x: Array, y: Array, streets: gpd.GeoSeries | None, edges: Sequence[float], closed: near.Closed, *,
    same: Array | None = None,
) -> tuple[near.Pairs, list[str]]:  # fmt: skip
    """Pairs of events by metres along streets, and what to know of them.

    Events of one place stay at no distance from each other, and those that share a key (``same``) in the
    first band.
    """
    from peelian.explain.streets import Along

    if streets is None:
        raise DesignError(
            'metric = "network" needs streets: lines to measure along ([explain] streets = a layer of lines).'
        )
    points = np.column_stack([x, y]).astype(float)
    # a way is never shorter than the straight line
    near.refuse_too_many(points, float(edges[-1]))
    along = Along.of(streets, points)
    found = [
        (feature[feature < point], point[feature < point], metres[feature < point])
        for feature, point, metres in along.pairs(points, float(edges[-1]))
    ]
    first, second, metres = (np.concatenate(part) for part in zip(*found, strict=True))
    apart = np.hypot(*(points[first] - points[second]).T)
    # the way to the street and back is no distance between events at one address
    metres = np.where(apart <= edges[0], apart, metres)
    said = [
        f"{along.beyond:,} of {len(points):,} events have no street within {along.snap:g} m: distances from "
        "them are straight."
    ]
    return near.banded(points, first, second, metres, edges, closed, same=same), said * bool(along.beyond)
