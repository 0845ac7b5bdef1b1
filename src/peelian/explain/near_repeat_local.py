"""Which events have more others round them in space and time than chance: for analysts, never published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import hypergeom

from peelian.arithmetic import pairs as near
from peelian.errors import DesignError, PrivacyError
from peelian.explain.bands import Unit, bands_of
from peelian.explain.events import Events, events_of
from peelian.explain.inference import false_discovery
from peelian.report import Block, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents

Array = Any
NEVER_PUBLISHED = (
    "Single events, with their points, stand in local_near_repeats.csv and local_near_repeats.gpkg: for "
    "analysts, never to be published."
)


@dataclass(frozen=True, eq=False)
class KnoxLocal:
    """By event: its partners near in space and time, and how often chance would give as many.

    ``frame`` on the index of the incidents: ``before``, ``after``, ``same_day`` (partners no farther than
    ``distance`` metres and ``days`` days), ``expected``, ``p`` (hypergeometric: the other events' dates dealt
    at random), ``p_permuted`` (all dates dealt) and ``q`` (``p`` adjusted for the share of false
    discoveries). Single events are for analysts: nothing here is published.
    """

    frame: pd.DataFrame
    distance: float
    days: float
    accounting: dict[str, int]
    seed: int
    alpha: float = 0.05
    unit: Unit = "days"

    def __str__(self) -> str:
        marked = int((self.frame["q"] <= self.alpha).sum())
        if not marked:
            return (
                f"No event stands out for others within {self.distance:g} m and {self.days:g} {self.unit} "
                f"once {len(self.frame):,} events are asked about."
            )
        return (
            f"{marked:,} of {len(self.frame):,} events have more others within {self.distance:g} m and "
            f"{self.days:g} {self.unit} than chance gives (at most {100 * self.alpha:g} % of them "
            "falsely)."
        )


def knox_local(
    incidents: Incidents, distance: float = 200, *, days: float = 7, unit: Unit = "days",
    permutations: int = 999, seed: int, alpha: float = 0.05,
    drop_points: Sequence[tuple[float, float]] = (), timezone: str = "Europe/London",
) -> KnoxLocal:  # fmt: skip
    """Which events have more others nearby in the days before and after than chance gives.

    ``distance`` metres and ``days`` (hours of ``timezone`` with ``unit="hours"``), both included.
    ``drop_points``  whose events are left out. Raises what ``knox`` raises. The partners of all events sum
    to twice the pairs. Source: Rogerson (2001) for local Knox statistics; Benjamini & Hochberg (1995).
    """
    edge = bands_of((distance / 2, distance), (days,), unit=unit).time_edges[0]
    events = events_of(incidents, unit=unit, longest=days, drop_points=drop_points, timezone=timezone)
    if len(events) < 2:
        raise DesignError(f"Only {len(events)} events have a point and a date that can be used.")
    frame = local(events, distance, edge, permutations, seed)
    assert events.order is not None
    frame.index = incidents.frame.index[events.order]
    return KnoxLocal(frame.sort_index(), distance, days, events.accounting, seed, alpha, unit)


def refuse_unless_internal(audience: str) -> None:
    """Raise ``PrivacyError`` where a project that others read asks for single events."""
    if audience != "internal":
        raise PrivacyError(
            "[explain.near_repeat] local = true writes single events, which are never published, and the "
            f'audience is "{audience}". Leave local out, or set audience = "internal" under [project].'
        )


def blocks(found: KnoxLocal) -> list[Block]:
    """How many events stand out, and where they are; no event by itself."""
    return [Text(str(found)), Text(NEVER_PUBLISHED, "note")]


def files(found: KnoxLocal, incidents: Incidents) -> dict[str, Any]:
    """Every event with its partners: a table, and points on a map."""
    import geopandas as gpd
    import pandas as pd

    from peelian.maps import Layered, Style

    held = incidents.frame.loc[found.frame.index]
    about = [name for name in ("id", "start", "end") if name in held]
    frame = pd.concat([held[about], found.frame], axis=1).reset_index(drop=True)
    points = held.geometry.reset_index(drop=True)
    where = frame.assign(x=points.x.round(1), y=points.y.round(1))
    shapes = gpd.GeoDataFrame(
        frame.assign(start=frame["start"].astype(str), end=frame["end"].astype(str)), geometry=points
    )
    style = Style("q", legend="adjusted p", breaks=(0.01, 0.05, 0.1))
    return {
        "local_near_repeats.csv": where,
        "local_near_repeats.gpkg": Layered({"events": shapes}, {"events": style}),
    }


def local(events: Events, distance: float, days: float, permutations: int, seed: int) -> pd.DataFrame:
    """The columns of ``KnoxLocal.frame`` on the order of the events."""
    import pandas as pd

    n = len(events)
    close = near.close_pairs(events.x, events.y, (distance,), same=events.address)
    first, second = close.first, close.second

    def partners(times: Array) -> tuple[Array, Array, Array]:
        later = times[second] - times[first]
        at = np.abs(later) <= days
        up, down, level = later > 0, later < 0, later == 0

        def count(of: Array, which: Array) -> Array:
            return np.bincount(of[at & which], minlength=n)

        before = count(second, up) + count(first, down)
        after = count(first, up) + count(second, down)
        return before, after, count(first, level) + count(second, level)

    before, after, level = partners(events.time)
    observed = before + after + level
    in_space = close.partners(n).ravel()
    in_time = near.time_partners(events.time, (days,), "right").ravel()
    p = hypergeom.sf(observed - 1, n - 1, in_space, in_time)
    rng = np.random.default_rng(seed)
    as_many = np.zeros(n, np.int64)
    for _ in range(permutations):
        as_many += sum(partners(near.deal(rng, events.time, None))) >= observed
    return pd.DataFrame(
        {"before": before, "after": after, "same_day": level, "expected": in_space * in_time / (n - 1),
         "p": p, "p_permuted": (1 + as_many) / (permutations + 1), "q": false_discovery(p)}
    )  # fmt: skip
