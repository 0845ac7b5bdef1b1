"""Near repeats: does one crime go with more of them nearby in the days after, beyond chance and season?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from peelian.arithmetic import pairs as near
from peelian.errors import DesignError
from peelian.explain import near_repeat_background as background
from peelian.explain.bands import Bands, Rule, Unit, bands_of
from peelian.explain.events import Events, events_of
from peelian.explain.near_repeat_table import Counted, Reach

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

Array = Any
Null = Literal["both", "permute", "within", "background"]
Metric = Literal["euclidean", "manhattan", "network"]
Windows = Literal["midpoint", "draws"]
FEWEST = 20
FEWEST_PERMUTATIONS = 19
DRAWS = 20


@dataclass(frozen=True, eq=False)
class Knox:
    """Pairs of events by distance and time, against what chance alone would give.

    ``frame``  one row a pair of bands: ``distance``, ``time`` (labels), ``observed``, and against dates dealt
    over all events ``expected`` and ``sd`` (exact), ``ratio``, ``ratio_median`` (to the simulated median),
    ``p`` (one-sided), ``p_adjusted`` (for all bands together); against dates dealt within strata
    ``expected_within`` (exact), ``sd_within`` (simulated), ``ratio_within``, ``p_within``,
    ``p_within_adjusted``; against dates drawn from a trend by area and month, where it was asked for, the
    same with ``_background``, all simulated. Missing where that null was not asked for, and p where there is
    no pair at all. Where times were drawn from windows, counts are means over the drawings, and ``sd`` is
    simulated.
    ``bands``  limits, labels and intervals. ``same_place`` and ``near``: the reach of exact repeats and of
    near repeats, None where there is no sign of them; ``near_permute`` by dates dealt over all events.
    ``n`` events; ``accounting`` every row; ``strata`` in words; ``warnings``; ``seed``; ``permutations``;
    ``drawings`` of the times from their windows, 1 where their middle was taken; ``metric``; ``level`` and
    ``least_ratio``, what counts as a sign.
    """

    frame: pd.DataFrame
    bands: Bands
    same_place: Reach | None
    near: Reach | None
    near_permute: Reach | None
    n: int
    accounting: dict[str, int]
    strata: str
    null: Null
    permutations: int
    seed: int
    crime: str
    warnings: tuple[str, ...] = ()
    snapped: bool = False
    drawings: int = 1
    metric: Metric = "euclidean"
    level: float = 0.05
    least_ratio: float = 1.2

    @property
    def labels(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Labels of the bands: distance, time."""
        return self.bands.labels

    @property
    def intervals(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The bands as they are computed: distance, time."""
        return self.bands.intervals

    def __str__(self) -> str:
        from peelian.explain.near_repeat_report import sentence

        return sentence(self)


@dataclass(frozen=True)
class Asked:
    """How the question is put: what the arguments of ``knox`` say."""

    bands: Bands
    metric: Metric = "euclidean"
    null: Null = "both"
    permutations: int = 999
    seed: int = 0
    level: float = 0.05
    least_ratio: float = 1.2
    progress: Callable[[int, int], None] | None = field(default=None, compare=False)
    streets: Any = field(default=None, compare=False)
    windows: Windows = "midpoint"
    draws: int = DRAWS


def knox(
    incidents: Incidents, distances: Sequence[float] = (0.01, 100, 200, 400), *,
    days: Sequence[float] = (7, 14, 21, 28), bands: Rule = "correct", unit: Unit = "days",
    metric: Metric = "euclidean", null: Null = "both", strata: Places | pd.Series | None = None,
    tile: float = 2000, permutations: int = 999, seed: int, level: float = 0.05, least_ratio: float = 1.2,
    drop_points: Sequence[tuple[float, float]] = (), crime: str = "crime",
    streets: gpd.GeoSeries | None = None, windows: Windows = "midpoint", draws: int = DRAWS,
    timezone: str = "Europe/London",
    progress: Callable[[int, int], None] | None = None,
) -> Knox:  # fmt: skip
    """Whether crimes come closer together in space and time than chance and season would bring them.

    ``distances``  upper limits in metres; the first is the same place (equal ``address`` keys count as such).
    ``days``       upper limits in days, or in hours with ``unit="hours"``: elapsed ones, by the clocks of
                   ``timezone``. ``bands``  see ``bands_of``.
    ``null``       ``permute``: dates dealt over all events (Knox 1964; Johnson et al. 2007); ``within``:
                   dealt within strata only, which allows for places that have their own seasons; ``both``;
                   ``background``: drawn from a trend by stratum and month, which allows for seasons alike.
    ``metric``     ``euclidean``, ``manhattan``, or ``network`` along ``streets`` (lines).
    ``strata``     Places, or a label by incident; square tiles of ``tile`` metres where it is not given.
    ``level``, ``least_ratio``  what counts as a sign: adjusted p at most, and ratio at least.
    ``drop_points``  points (x, y) whose events are left out: hospitals, stations, addresses by default.

    ``windows``    ``midpoint``: an event has the middle of its window as its time; ``draws``: a moment drawn
                   evenly from its window, ``draws`` times, and counts are averaged, under chance too, where
                   windows are dealt whole.

    Windows longer than the first band are left out and counted. Raises ``DesignError`` for records that
    carry a month only, fewer than 20 events, events all on one date, or more than 200 million pairs;
    ``DataError`` for bands that do not rise.

    Source: Knox (1964); moments under permutation by counting pairs that share an event (Barton & David
    1966); adjustment over bands by the largest standardised count (Westfall & Young 1993); seasons that
    differ by place: Kulldorff & Hjalmars (1999).
    """
    if permutations < FEWEST_PERMUTATIONS:
        raise DesignError(
            f"{permutations} permutations cannot give a p of 0.05: use at least {FEWEST_PERMUTATIONS}."
        )
    if draws < 2 and windows == "draws":
        raise DesignError(f"{draws} drawing of the times is no pool: use 2 or more, or windows = midpoint.")
    same = "same snap point, not same address" if incidents.snapped else "same place"
    asked = Asked(
        bands_of(distances, days, bands, unit=unit, same=same), metric, null, permutations, seed, level,
        least_ratio, progress, None if streets is None else streets.to_crs(incidents.frame.crs), windows,
        draws,
    )  # fmt: skip
    events = events_of(
        incidents, unit=unit, longest=float(days[0]), strata=strata, tile=tile, drop_points=drop_points,
        timezone=timezone,
    )  # fmt: skip
    if len(events) < FEWEST:
        raise DesignError(
            f"Only {len(events)} {crime} records have a point and a date that can be used; the Knox test "
            f"needs at least {FEWEST}. Use a longer period."
        )
    if events.time.min() == events.time.max():
        raise DesignError(f"All {len(events):,} events fall on one date: there is nothing to compare.")
    return replace(knox_of(events, asked), crime=crime, snapped=incidents.snapped)


def knox_of(events: Events, asked: Asked) -> Knox:
    """The test on events as arrays; see ``knox``."""
    bands = asked.bands
    x, y = events.x, events.y
    if bands.rule == "nrc-1.3":
        x, y = x.astype(np.float32), y.astype(np.float32)
    beyond: list[str] = []
    if asked.metric == "network":
        close, beyond = background.along_streets(
            x, y, asked.streets, bands.distances, bands.closed, same=events.address
        )
    else:
        close = near.close_pairs(
            x, y, bands.distances, closed=bands.closed, metric=asked.metric, same=events.address
        )
    table = Counted.of(events, close, asked)
    permute = table.permute() if asked.null in ("both", "permute") else None
    within = table.within() if asked.null in ("both", "within") else None
    drawn = table.background() if asked.null == "background" else None
    used = drawn or within or permute
    assert used is not None
    none = [] if len(close) else [f"no pairs within {bands.distances[-1]:g} m"]
    return Knox(
        table.frame(permute, within, drawn), bands, table.reach(used, 0, 1, used is not permute),
        table.reach(used, 1, len(bands.distances), used is not permute),
        table.reach(permute, 1, len(bands.distances), False) if permute else None, len(events),
        events.accounting, events.strata_words, asked.null, asked.permutations, asked.seed, "crime",
        (*events.warnings, *beyond, *none), drawings=len(table.times), metric=asked.metric,
        level=asked.level, least_ratio=asked.least_ratio,
    )  # fmt: skip
