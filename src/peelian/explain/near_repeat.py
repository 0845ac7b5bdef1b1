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

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

Array = Any
Null = Literal["both", "permute", "within", "background"]
Metric = Literal["euclidean", "manhattan", "network"]
FEWEST = 20
FEWEST_PERMUTATIONS = 19
SHARE_DRAWS = 99


@dataclass(frozen=True)
class Reach:
    """How far and how long there is more than expected: every band from the nearest out to here.

    ``distance`` metres, ``time`` in the unit of the bands. ``observed`` and ``expected`` pairs in those
    bands (the same place apart), ``ratio`` with an approximate 95 % interval, ``p`` the largest adjusted p
    of the bands. ``share`` of the events with another no farther in the ``time`` before (same place
    included), ``expected_share`` by chance.
    """

    distance: float
    time: float
    observed: int
    expected: float
    ratio: float
    low: float
    high: float
    p: float
    share: float
    expected_share: float


@dataclass(frozen=True, eq=False)
class Knox:
    """Pairs of events by distance and time, against what chance alone would give.

    ``frame``  one row a pair of bands: ``distance``, ``time`` (labels), ``observed``, and against dates dealt
    over all events ``expected`` and ``sd`` (exact), ``ratio``, ``ratio_median`` (to the simulated median),
    ``p`` (one-sided), ``p_adjusted`` (for all bands together); against dates dealt within strata
    ``expected_within`` (exact), ``sd_within`` (simulated), ``ratio_within``, ``p_within``,
    ``p_within_adjusted``; against dates drawn from a trend by area and month, where it was asked for, the
    same with ``_background``, all simulated. Missing where that null was not asked for, and p where there is
    no pair at all.
    ``bands``  limits, labels and intervals. ``same_place`` and ``near``: the reach of exact repeats and of
    near repeats, None where there is no sign of them; ``near_permute`` by dates dealt over all events.
    ``n`` events; ``accounting`` every row; ``strata`` in words; ``warnings``; ``seed``; ``permutations``.
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


def knox(
    incidents: Incidents, distances: Sequence[float] = (0.01, 100, 200, 400), *,
    days: Sequence[float] = (7, 14, 21, 28), bands: Rule = "correct", unit: Unit = "days",
    metric: Metric = "euclidean", null: Null = "both", strata: Places | pd.Series | None = None,
    tile: float = 2000, permutations: int = 999, seed: int, level: float = 0.05, least_ratio: float = 1.2,
    drop_points: Sequence[tuple[float, float]] = (), crime: str = "crime",
    streets: gpd.GeoSeries | None = None, progress: Callable[[int, int], None] | None = None,
) -> Knox:  # fmt: skip
    """Whether crimes come closer together in space and time than chance and season would bring them.

    ``distances``  upper limits in metres; the first is the same place (equal ``address`` keys count as such).
    ``days``       upper limits in days, or in hours with ``unit="hours"``. ``bands``  see ``bands_of``.
    ``null``       ``permute``: dates dealt over all events (Knox 1964; Johnson et al. 2007); ``within``:
                   dealt within strata only, which allows for places that have their own seasons; ``both``;
                   ``background``: drawn from a trend by stratum and month, which allows for seasons alike.
    ``metric``     ``euclidean``, ``manhattan``, or ``network`` along ``streets`` (lines).
    ``strata``     Places, or a label by incident; square tiles of ``tile`` metres where it is not given.
    ``level``, ``least_ratio``  what counts as a sign: adjusted p at most, and ratio at least.
    ``drop_points``  points (x, y) whose events are left out: hospitals, stations, addresses by default.

    An event has the middle of its window as its time; windows longer than the first band are left out and
    counted. Raises ``DesignError`` for records that carry a month only, fewer than 20 events, events all on
    one date, or more than 200 million pairs; ``DataError`` for bands that do not rise.

    Source: Knox (1964); moments under permutation by counting pairs that share an event (Barton & David
    1966); adjustment over bands by the largest standardised count (Westfall & Young 1993); seasons that
    differ by place: Kulldorff & Hjalmars (1999).
    """
    if permutations < FEWEST_PERMUTATIONS:
        raise DesignError(
            f"{permutations} permutations cannot give a p of 0.05: use at least {FEWEST_PERMUTATIONS}."
        )
    same = "same snap point, not same address" if incidents.snapped else "same place"
    asked = Asked(
        bands_of(distances, days, bands, unit=unit, same=same), metric, null, permutations, seed, level,
        least_ratio, progress, None if streets is None else streets.to_crs(incidents.frame.crs),
    )  # fmt: skip
    events = events_of(
        incidents, unit=unit, longest=float(days[0]), strata=strata, tile=tile, drop_points=drop_points
    )
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
    if asked.metric == "network":
        close = background.along_streets(x, y, asked.streets, bands.distances, bands.closed)
    else:
        close = near.close_pairs(
            x, y, bands.distances, closed=bands.closed, metric=asked.metric, same=events.address
        )
    observed = near.observed_pairs(close, events.time, bands.time_edges, bands.closed)
    table = _Table(events, close, asked, observed)
    permute = table.permute() if asked.null in ("both", "permute") else None
    within = table.within() if asked.null in ("both", "within") else None
    drawn = table.background() if asked.null == "background" else None
    used = drawn or within or permute
    assert used is not None
    return Knox(
        table.frame(permute, within, drawn), bands, table.reach(used, 0, 1, used is not permute),
        table.reach(used, 1, len(bands.distances), used is not permute),
        table.reach(permute, 1, len(bands.distances), False) if permute else None, len(events),
        events.accounting, events.strata_words, asked.null, asked.permutations, asked.seed, "crime",
        (*events.warnings, *([] if len(close) else [f"no pairs within {bands.distances[-1]:g} m"])),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Against:
    """One null: what it expects, its spread, its draws, and p by band and for all bands together."""

    expected: Array
    sd: Array
    draws: Array
    p: Array
    adjusted: Array


@dataclass(frozen=True, eq=False)
class _Table:
    events: Events
    close: near.Pairs
    asked: Asked
    counted: Array

    @property
    def _time_pairs(self) -> Array:
        partners = near.time_partners(self.events.time, self.asked.bands.time_edges, self.asked.bands.closed)
        return partners

    @property
    def observed(self) -> Array:
        return self._with_rest(self.counted)

    def _with_rest(self, counts: Array) -> Array:
        """With the open band of distance: all pairs of the band of time that are in no other."""
        if not self.asked.bands.open_last:
            return counts
        rest = self._time_pairs.sum(axis=0) / 2 - counts.sum(axis=-2)
        return np.concatenate([counts, rest[..., None, :]], axis=-2)

    def permute(self) -> _Against:
        """Against dates dealt over all events: mean and variance exact."""
        n = len(self.events)
        partners = self.close.partners(n)
        if self.asked.bands.open_last:
            partners = np.column_stack([partners, n - 1 - partners.sum(axis=1)])
        expected, variance = near.moments(partners, self._time_pairs)
        return self._judged(expected, np.sqrt(variance), self._draws(None))

    def within(self) -> _Against:
        """Against dates dealt within strata: mean exact, spread from the draws."""
        bands, events = self.asked.bands, self.events
        expected = near.mean_within(self.close, events.time, events.strata, bands.time_edges, bands.closed)
        draws = self._draws(events.strata)
        return self._judged(self._with_rest(expected), draws.std(axis=0, ddof=1), draws)

    def background(self) -> _Against:
        """Against dates drawn from a trend by stratum and month: all from the draws."""
        bands, asked = self.asked.bands, self.asked
        drawn = near.drawn_pairs(
            self.close, self.events.time, background.from_trend(self.events, bands.unit), bands.time_edges,
            closed=bands.closed, permutations=asked.permutations, seed=asked.seed, progress=asked.progress,
        )  # fmt: skip
        draws = self._with_rest(drawn)
        return self._judged(draws.mean(axis=0), draws.std(axis=0, ddof=1), draws)

    def _draws(self, strata: Array | None) -> Array:
        bands, asked = self.asked.bands, self.asked
        drawn = near.shuffled_pairs(
            self.close, self.events.time, bands.time_edges, closed=bands.closed,
            permutations=asked.permutations, seed=asked.seed, strata=strata, progress=asked.progress,
        )  # fmt: skip
        return self._with_rest(drawn)

    def _judged(self, expected: Array, sd: Array, draws: Array) -> _Against:
        if not len(self.close):
            blank = np.full(expected.shape, np.nan)
            return _Against(expected, sd, draws, blank, blank)
        observed = self.observed
        p = (1 + (draws >= observed).sum(axis=0)) / (len(draws) + 1)
        known = sd > 0
        scale = np.where(known, sd, 1.0)
        z = np.where(known, (observed - expected) / scale, -np.inf)
        largest = np.where(known, (draws - expected) / scale, -np.inf).max(axis=(1, 2))
        adjusted = (1 + (largest[:, None, None] >= z - 1e-9).sum(axis=0)) / (len(draws) + 1)
        return _Against(expected, sd, draws, p, np.maximum(adjusted, p))

    # ---------------------------------------------------------------- results
    def frame(
        self, permute: _Against | None, within: _Against | None, drawn: _Against | None
    ) -> pd.DataFrame:
        import pandas as pd

        observed = self.observed
        space, time = self.asked.bands.labels
        blank = np.full(observed.shape, np.nan)

        def ratio(expected: Array) -> Array:
            return np.divide(observed, expected, out=blank.copy(), where=expected > 0)

        columns: dict[str, Array] = {"observed": observed.astype(np.int64)}
        every = [(permute, ""), (within, "_within"), *([(drawn, "_background")] if drawn else [])]
        for against, end in every:
            columns |= {
                f"expected{end}": against.expected if against else blank,
                f"sd{end}": against.sd if against else blank,
                f"ratio{end}": ratio(against.expected) if against else blank,
                f"p{end}": against.p if against else blank,
                f"p{end}_adjusted": against.adjusted if against else blank,
            }
        columns["ratio_median"] = ratio(np.median(permute.draws, axis=0)) if permute else blank
        labels = {"distance": np.repeat(space, len(time)), "time": np.tile(time, len(space))}
        return pd.DataFrame(labels | {name: values.ravel() for name, values in columns.items()})

    def reach(self, against: _Against, first: int, last: int, within: bool) -> Reach | None:
        """The largest block of bands from ``first`` and from day nought in which every band shows more."""
        rows, columns = len(self.asked.bands.distances), len(self.asked.bands.times)
        observed = self.observed[:rows, :columns]
        expected = against.expected[:rows, :columns]
        shows = (against.adjusted[:rows, :columns] <= self.asked.level) & (
            observed >= self.asked.least_ratio * expected
        )
        run = np.cumprod(shows[first:last], axis=1).sum(axis=1)
        best, size = None, 0
        for row in range(len(run)):
            wide = int(run[: row + 1].min())
            if wide * (row + 1) >= max(size, 1):
                best, size = (row + 1, wide), wide * (row + 1)
        if best is None:
            return None
        block = (slice(first, first + best[0]), slice(0, best[1]))
        return self._summed(against, block, within)

    def _summed(self, against: _Against, block: tuple[slice, slice], within: bool) -> Reach:
        bands = self.asked.bands
        observed = int(self.observed[block].sum())
        expected = float(against.expected[block].sum())
        drawn = against.draws[:, block[0], block[1]].sum(axis=(1, 2))
        ratio, low, high = ratio_interval(observed, expected, float(drawn.var(ddof=1)))
        distance = bands.distances[block[0].stop - 1]
        time = bands.times[block[1].stop - 1]
        share, by_chance = self._shares(block, self.events.strata if within else None)
        return Reach(
            distance, time, observed, expected, ratio, low, high, float(against.adjusted[block].max()),
            share, by_chance,
        )  # fmt: skip

    def _shares(self, block: tuple[slice, slice], strata: Array | None) -> tuple[float, float]:
        """Share of events with another no farther away in the time before, and by chance."""
        bands, close = self.asked.bands, self.close
        some = slice(0, close.starts[block[0].stop])
        first, second = close.first[some], close.second[some]
        edge = bands.time_edges[block[1].stop - 1]
        limit = np.floor(edge) if bands.closed == "right" else np.ceil(edge) - 1

        def share(times: Array) -> float:
            later = times[second] - times[first]
            at = np.abs(later) <= limit
            # on one day the order is that of the events, which are sorted by time and place
            follows = np.where(later[at] >= 0, second[at], first[at])
            return float(np.bincount(follows, minlength=len(times)).astype(bool).mean())

        rng = np.random.default_rng([self.asked.seed, 1])
        times = self.events.time
        drawn = [share(near.deal(rng, times, strata)) for _ in range(SHARE_DRAWS)]
        return share(times), float(np.mean(drawn))


def ratio_interval(observed: float, expected: float, variance: float) -> tuple[float, float, float]:
    """Ratio of observed to expected pairs with an approximate 95 % interval.

    Pairs that share an event go together, so counts of pairs vary more than a Poisson count: the spread of
    the logarithm is taken as sqrt(variance / expected / observed), the variance under permutation.

    >>> [round(v, 3) for v in ratio_interval(100, 50, 50)]
    [2.0, 1.644, 2.433]
    """
    if not (observed > 0 and expected > 0):
        return (float("nan"),) * 3
    ratio = observed / expected
    reach = np.exp(1.959963984540054 * np.sqrt(max(variance / expected, 1.0) / observed))
    return float(ratio), float(ratio / reach), float(ratio * reach)
