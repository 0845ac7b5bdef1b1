"""The arithmetic of near repeats: counts by band against each null, p, and how far there is more than chance.

Where events have windows, everything is made for each drawing of their times and averaged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.arithmetic import pairs as near
from peelian.explain import near_repeat_background as background
from peelian.explain.events import Events

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.near_repeat import Asked

Array = Any
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
    observed: float
    expected: float
    ratio: float
    low: float
    high: float
    p: float
    share: float
    expected_share: float


@dataclass(frozen=True, eq=False)
class Against:
    """One null: what it expects, its spread, its draws, and p by band and for all bands together."""

    expected: Array
    sd: Array
    draws: Array
    p: Array
    adjusted: Array


@dataclass(frozen=True, eq=False)
class Counted:
    """The pairs of events by band, and each null. ``times``  drawings x events, one where windows have a
    middle."""

    events: Events
    close: near.Pairs
    asked: Asked
    times: Array
    counted: Array

    @classmethod
    def of(cls, events: Events, close: near.Pairs, asked: Asked) -> Counted:
        """The test of these events at these distances."""
        pooled = asked.windows == "draws"
        times = events.drawn(asked.bands.unit, asked.draws, asked.seed) if pooled else events.time[None]
        bands = asked.bands
        counted = _mean(times, lambda t: near.observed_pairs(close, t, bands.time_edges, bands.closed))
        return cls(events, close, asked, times, counted)

    @property
    def pooled(self) -> bool:
        """Whether several drawings of the times are pooled."""
        return len(self.times) > 1

    @property
    def observed(self) -> Array:
        """Pairs by band of distance and of time."""
        return self._with_rest(self.counted)

    def _in_time(self, times: Array) -> Array:
        return near.time_partners(times, self.asked.bands.time_edges, self.asked.bands.closed)

    def _with_rest(self, counts: Array) -> Array:
        """With the open band of distance: all pairs of the band of time that are in no other."""
        if not self.asked.bands.open_last:
            return counts
        every = _mean(self.times, lambda t: self._in_time(t).sum(axis=0) / 2)
        rest = every - counts.sum(axis=-2)
        return np.concatenate([counts, rest[..., None, :]], axis=-2)

    # ---------------------------------------------------------------- nulls
    def permute(self) -> Against:
        """Against dates dealt over all events: mean exact; variance exact, from the draws where times are
        pooled."""
        n = len(self.events)
        partners = self.close.partners(n)
        if self.asked.bands.open_last:
            partners = np.column_stack([partners, n - 1 - partners.sum(axis=1)])
        draws = self._draws(None)
        expected = _mean(self.times, lambda t: near.moments(partners, self._in_time(t))[0])
        if self.pooled:
            return self._judged(expected, draws.std(axis=0, ddof=1), draws)
        return self._judged(expected, np.sqrt(near.moments(partners, self._in_time(self.times[0]))[1]), draws)

    def within(self) -> Against:
        """Against dates dealt within strata: mean exact, spread from the draws."""
        bands, strata = self.asked.bands, self.events.strata
        expected = _mean(
            self.times, lambda t: near.mean_within(self.close, t, strata, bands.time_edges, bands.closed)
        )
        draws = self._draws(strata)
        return self._judged(self._with_rest(expected), draws.std(axis=0, ddof=1), draws)

    def background(self) -> Against:
        """Against dates drawn from a trend by stratum and month: all from the draws. Where times are pooled
        the window goes with its event: what was drawn of it is added to the date."""
        bands, asked, middle = self.asked.bands, self.asked, self.events.time
        dated = background.from_trend(self.events, bands.unit)
        first, last = int(middle.min()), int(middle.max())

        def drawn(times: Array) -> Array:
            moved = times - middle

            def draw(rng: np.random.Generator) -> Array:
                return np.clip(dated(rng) + moved, 0, last - first)

            return near.drawn_pairs(
                self.close, middle, draw, bands.time_edges, closed=bands.closed,
                permutations=asked.permutations, seed=asked.seed, progress=asked.progress,
            )  # fmt: skip

        draws = self._with_rest(_mean(self.times, drawn))
        return self._judged(draws.mean(axis=0), draws.std(axis=0, ddof=1), draws)

    def _draws(self, strata: Array | None) -> Array:
        """Counts under permutation: the same dealing of windows for every drawing of their times."""
        bands, asked = self.asked.bands, self.asked
        drawn = _mean(
            self.times,
            lambda times: near.shuffled_pairs(
                self.close, times, bands.time_edges, closed=bands.closed, permutations=asked.permutations,
                seed=asked.seed, strata=strata, progress=asked.progress,
            ),
        )  # fmt: skip
        return self._with_rest(drawn)

    def _judged(self, expected: Array, sd: Array, draws: Array) -> Against:
        if not len(self.close):
            blank = np.full(expected.shape, np.nan)
            return Against(expected, sd, draws, blank, blank)
        observed = self.observed
        p = (1 + (draws >= observed - 1e-9).sum(axis=0)) / (len(draws) + 1)
        known = sd > 0
        scale = np.where(known, sd, 1.0)
        z = np.where(known, (observed - expected) / scale, -np.inf)
        largest = np.where(known, (draws - expected) / scale, -np.inf).max(axis=(1, 2))
        adjusted = (1 + (largest[:, None, None] >= z - 1e-9).sum(axis=0)) / (len(draws) + 1)
        return Against(expected, sd, draws, p, np.maximum(adjusted, p))

    # ---------------------------------------------------------------- results
    def frame(self, permute: Against | None, within: Against | None, drawn: Against | None) -> pd.DataFrame:
        """One row a pair of bands, with every null."""
        import pandas as pd

        observed = self.observed
        space, time = self.asked.bands.labels
        blank = np.full(observed.shape, np.nan)

        def ratio(expected: Array) -> Array:
            return np.divide(observed, expected, out=blank.copy(), where=expected > 0)

        columns: dict[str, Array] = {"observed": observed if self.pooled else observed.astype(np.int64)}
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

    def reach(self, against: Against, first: int, last: int, within: bool) -> Reach | None:
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

    def _summed(self, against: Against, block: tuple[slice, slice], within: bool) -> Reach:
        bands = self.asked.bands
        total = float(self.observed[block].sum())
        observed = total if self.pooled else int(total)
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
        turns = [self.times[k % len(self.times)] for k in range(SHARE_DRAWS)]
        drawn = [share(near.deal(rng, times, strata)) for times in turns]
        return float(np.mean([share(times) for times in self.times])), float(np.mean(drawn))


def _mean(times: Array, made: Callable[[Array], Array]) -> Array:
    """The mean over the drawings of the times; of one drawing what it gives."""
    if len(times) == 1:
        return made(times[0])
    total = made(times[0]).astype(float)
    for drawing in times[1:]:
        total += made(drawing)
    return total / len(times)


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
