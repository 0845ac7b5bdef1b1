"""The curve of each factor: relative risk by distance, its band over resamples, and how far it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian import engine
from peelian.explain.modern import KEPT, Bearing, Chosen, Options, Posed, relaxed
from peelian.explain.monotone import Path, State

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import Progress
    from peelian.explain.shares import Columns

Array = Any
BATCHES, STEP = 16, 50.0


@dataclass(frozen=True, eq=False)
class Replicate:
    """One resample of tiles: ``free`` coefficients, ``columns`` with an effect, their penalised ``b``, and
    the ``unpenalised`` ones."""

    free: Array
    columns: Array
    b: Array
    unpenalised: Array

    def whole(self, size: int, *, penalised: bool = True) -> Array:
        """Coefficients by column."""
        found = np.zeros(size)
        found[self.columns] = self.b if penalised else self.unpenalised
        return found


# -------------------------------------------------------------------- resampled tiles
def bootstrap(
    posed: Posed, chosen: Chosen, options: Options, tile: Array, progress: Progress | None
) -> list[Replicate]:
    """The model on tiles drawn with replacement, at the penalty chosen on all cells."""
    if not options.replicates:
        return []
    numbers = np.array_split(np.arange(options.replicates), min(BATCHES, options.replicates))
    bare = Resample(
        posed.nested.rows(slice(None)), posed.free, posed.counts, posed.exposure,
        tile, chosen.state.free, chosen.state.b, chosen.penalty, options.l1_ratio, posed.seed,
    )  # fmt: skip
    batches = engine.run(
        resampled, [(bare, part) for part in numbers], workers=options.workers, progress=progress
    )
    return [found for batch in batches for found in batch]


@dataclass(frozen=True, eq=False)
class Resample:
    """All that a replicate needs, as plain arrays: it can run in another process."""

    nested: Columns
    free: Array
    counts: Array
    exposure: Array
    tile: Array
    start_free: Array
    start_b: Array
    penalty: float
    ratio: float
    seed: int


def resampled(piece: tuple[Resample, Array]) -> list[Replicate]:
    """Replicates of some numbers. Replicate b draws with ``default_rng([seed, b])``, so results do not depend
    on how replicates are dealt to processes."""
    data, numbers = piece
    nested = data.nested
    tiles = int(data.tile.max()) + 1
    found = []
    for number in numbers:
        rng = np.random.default_rng([data.seed, int(number)])
        drawn = np.bincount(rng.integers(tiles, size=tiles), minlength=tiles)
        weights = drawn[data.tile].astype(float)
        path = Path(
            nested, data.free, data.counts, data.exposure, weights=weights, ratio=data.ratio, tolerance=1e-5
        )
        path.begin(State(path.state.free, data.start_b))
        state = path.at(data.penalty)
        columns = np.flatnonzero(state.b > KEPT)
        loose = relaxed(nested, data.free, data.counts, data.exposure, columns, state, weights=weights,
                        tolerance=1e-5)  # fmt: skip
        found.append(Replicate(state.free, columns, state.b[columns], loose.b[columns]))
    return found


def frequency(replicates: list[Replicate], factor: Array, number: int) -> float:
    """Share of resamples in which a factor has an effect; NaN without resamples."""
    if not replicates:
        return float("nan")
    return float(np.mean([(factor[found.columns] == number).any() for found in replicates]))


def again_as(replicates: list[Replicate], posed: Posed, bearing: Bearing) -> dict[str, float]:
    """Share of resamples that keep a factor by the same operation, and the very band where it bears."""
    if not replicates:
        return {"frequency_operation": float("nan"), "frequency_distance": float("nan")}
    measures = posed.decay.measures
    operation = np.array([m.operation for m in measures])[posed.nested.measure]
    alike = (posed.factor == bearing.number) & (operation == measures[bearing.measure].operation)
    band = int(posed.nested.starts[bearing.measure]) + bearing.band
    return {
        "frequency_operation": float(np.mean([alike[found.columns].any() for found in replicates])),
        "frequency_distance": float(np.mean([band in found.columns for found in replicates])),
    }


def ends(tiles: int) -> list[float]:
    """The two percentiles of a 95 % interval over resamples of so many tiles.

    Wider than 2.5 and 97.5: resamples of few tiles vary too little, by (tiles - 1)/tiles and by how
    t differs from the normal distribution (Hesterberg 2015, the expanded percentile interval).

    >>> [round(p, 4) for p in ends(36)]
    [0.0198, 0.9802]
    """
    from scipy.special import ndtr, stdtrit

    if tiles < 2:
        return [0.0, 1.0]
    low = float(ndtr(-stdtrit(tiles - 1, 0.975) * np.sqrt(tiles / (tiles - 1))))
    return [low, 1 - low]


# -------------------------------------------------------------------- curves
def curve_frame(
    posed: Posed, chosen: Chosen, after: Array, where: list[Bearing], replicates: list[Replicate],
    reach_limit: float, tiles: int,
) -> pd.DataFrame:  # fmt: skip
    """One row a factor and step: by distance in steps of 50 m, by density and by value at each cut.

    Columns factor, operation, bandwidth, distance (metres, or NaN), densest (share of places above the
    cut, or NaN), above (the value of a cut, or NaN), relative_risk (penalised), after_selection (without
    the penalty), low and high (95 % over the resamples).
    """
    import pandas as pd

    rows = []
    size = posed.nested.size
    drawn = np.array([found.whole(size) for found in replicates]) if replicates else np.zeros((0, size))
    for bearing in where:
        for m in posed.measures(bearing.number):
            begin, end = posed.nested.starts[m : m + 2]
            measure = posed.decay.measures[m]
            if not (chosen.state.b[begin:end] > KEPT).any():
                continue
            if measure.operation == "proximity":
                steps = np.arange(STEP, reach_limit + STEP / 2, STEP)
                level = (steps[:, None] <= measure.cuts).sum(axis=1)
            else:
                steps, level = np.full(end - begin, np.nan), np.arange(1, end - begin + 1)
            lines = [_line(values[begin:end], level, measure.sign) for values in (chosen.state.b, after)]
            bands = np.array([_line(b[begin:end], level, measure.sign) for b in drawn])
            low, high = (
                np.quantile(bands, ends(tiles), axis=0) if len(bands) else np.full((2, len(level)), np.nan)
            )
            shares = None if measure.shares is None else 1 - measure.shares
            for k in range(len(level)):
                rows.append(
                    {"factor": measure.factor, "operation": measure.operation, "bandwidth": measure.bandwidth,
                     "distance": steps[k], "densest": np.nan if shares is None else float(shares[k]),
                     "above": float(measure.cuts[k]) if measure.operation == "value" else np.nan,
                     "relative_risk": lines[0][k], "after_selection": lines[1][k], "low": low[k],
                     "high": high[k]}
                )  # fmt: skip
    names = ["factor", "operation", "bandwidth", "distance", "densest", "above", "relative_risk",
             "after_selection", "low", "high"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def _line(b: Array, level: Array, sign: int) -> Array:
    return np.exp(sign * np.concatenate([[0.0], b.cumsum()])[level])


def reach_of(posed: Posed, b: Array, number: int, ratio: float) -> float:
    """Largest distance (or bandwidth, where only density has an effect) at which the relative risk reaches
    ``ratio`` (or falls to 1/ratio); 0 where it nowhere does."""
    near, dense = 0.0, 0.0
    for m in posed.measures(number):
        mine = b[posed.nested.starts[m] : posed.nested.starts[m + 1]].cumsum()
        strong = np.flatnonzero(mine >= np.log(ratio) - 1e-12)
        measure = posed.decay.measures[m]
        if len(strong) and measure.operation == "proximity":
            near = max(near, float(measure.cuts[strong[0]]))
        elif len(strong) and measure.operation == "density":
            dense = max(dense, measure.bandwidth)
    return near or dense


def reaches(
    posed: Posed, chosen: Chosen, replicates: list[Replicate], number: int, ratio: float, tiles: int
) -> tuple[float, float, float]:
    """Reach of a factor in metres, with its 95 % interval over the resamples (0: none)."""
    own = reach_of(posed, chosen.state.b, number, ratio)
    if not replicates:
        return own, float("nan"), float("nan")
    size = posed.nested.size
    drawn = [reach_of(posed, found.whole(size), number, ratio) for found in replicates]
    low, high = np.quantile(drawn, ends(tiles))
    return own, float(low), float(high)
