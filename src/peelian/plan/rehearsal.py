"""The evaluation rehearsed on real earlier months: would it have seen a fall of this size?

Places are drawn for a treatment that they never got, a fall is planted by leaving recorded incidents out at
random, and the log ratio is judged as it would be after the programme.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError
from peelian.plan.visible import Z

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.arithmetic.drawing import Assignment

    Floats = NDArray[np.float64]

CHUNK = 2_000_000  # keys held at once
EFFECTS = (0.05, 0.1, 0.15, 0.2, 0.3)


@dataclass(frozen=True, eq=False)
class Redrawn:
    """What draws gave on every earlier window; arrays of (draws, windows).

    ``theta`` log ratio of ratios with nothing done; ``after`` incidents in treated places after the start;
    ``before`` the same before it; ``se`` the standard error clustered by place.
    """

    theta: Floats
    after: Floats
    before: Floats
    se: Floats


@dataclass(frozen=True, eq=False)
class Power:
    """How often a design would see a fall, from real earlier months.

    ``table``            one row an ``effect`` (share of incidents in a marked home): ``power``.
    ``mde``              smallest effect seen four times in five, by planting it; 1 where none is.
    ``mde_spread``       the same from the spread of the draws, ``mde_clustered`` from the mean standard error
                         clustered by place (too small below 20 treated places).
    ``false_positives``  how often a fall or rise is seen with nothing done; 5 % are meant.
    ``sd``, ``critical`` of the log ratio: its spread, and what it must exceed.
    ``incidents``        a year in the treated places; ``treated`` their number; ``windows`` how many earlier
                         periods were rehearsed.
    """

    table: pd.DataFrame
    mde: float
    mde_spread: float
    mde_clustered: float
    false_positives: float
    sd: float
    critical: float
    incidents: float
    treated: int
    windows: int

    @property
    def words(self) -> str:
        """The answer in one sentence.

        "This design can tell nothing below 21 % ..."
        """
        if self.mde >= 1:
            return f"With {self.treated:,} treated areas this design can tell nothing at all."
        return (
            f"With {self.treated:,} treated areas this design can tell nothing below {100 * self.mde:.0f} %: "
            "a smaller fall would be seen less than four times in five."
        )


def power(
    counts: pd.Series,
    treated: int | None = None,
    *,
    assignment: Assignment | None = None,
    pool: pd.Index | None = None,
    months_before: int = 12,
    months_after: int = 12,
    effects: Iterable[float] = EFFECTS,
    saturation: float = 1.0,
    draws: int = 2000,
    seed: int,
) -> Power:
    """How small a fall this design would see, rehearsed on every earlier window that fits.

    ``counts``      incidents by (place, month), every month present.
    ``treated``     places drawn each time, from ``pool`` (all places where None), all others being the
                    comparison; or an ``assignment``, which is drawn again by its own rule and within its
                    own units.
    ``effects``     shares by which incidents in a marked home fall; areas fall by ``saturation`` times that.
    ``draws``       a window; windows follow each other back from the last month, ``months_after`` apart.

    A fall is planted by binomial thinning of the treated places' incidents after the start. It counts as
    seen where the log ratio lies beyond the 95 % of draws without one: each half of the draws is judged by
    the other half's limit. (A permutation after the programme redraws the thinned counts instead, which
    makes its limit wider by a few thousandths at most at these sizes.)

    Raises ``DesignError`` for too short a history, and where fewer than 2 places would be drawn or left.
    """
    windows = _windows(counts, months_before, months_after)
    places = counts.index.get_level_values("place").unique().sort_values()
    if assignment is not None:
        at = places.get_indexer(list(assignment.units))
        if (at < 0).any():
            raise DesignError(f"{int((at < 0).sum())} units of the assignment have no counts.")
        windows, taken = windows[:, at], assignment.redraw(draws=draws, seed=seed)
        number = int(assignment.treated.sum())
    else:
        number = int(treated or 0)
        inside = None if pool is None else np.asarray(places.isin(pool))
        taken = subsets(len(places), number, draws=draws, seed=seed, inside=inside)
    found = redrawn_windows(windows, taken)
    return _judged(found, tuple(effects), saturation, number, months_before, seed)


def mde_table(
    counts: pd.Series,
    numbers: Iterable[int] = (5, 10, 20, 50, 100, 200),
    *,
    months: int = 12,
    draws: int = 2000,
    seed: int,
) -> pd.DataFrame:
    """The smallest visible fall by number of treated places, all others being the comparison.

    ``months``  before and after alike.

    One row a number: ``areas``, ``incidents`` (a year in them), ``mde`` (planted), ``mde_spread``,
    ``mde_clustered``, ``false_positives``, ``windows`` (earlier periods). Raises ``DesignError`` where the
    history is too short, or too few places are left to draw from.
    """
    import pandas as pd

    rows = []
    for number in numbers:
        found = power(counts, number, months_before=months, months_after=months, draws=draws, seed=seed)
        falls = found.mde, found.mde_spread, found.mde_clustered
        rows.append((number, found.incidents, *falls, found.false_positives, found.windows))
    names = ["areas", "incidents", "mde", "mde_spread", "mde_clustered", "false_positives", "windows"]
    return pd.DataFrame(rows, columns=names)


def rehearsed(
    counts: pd.Series,
    treated: int,
    pool: pd.Index,
    *,
    saturation: float = 1.0,
    months: Iterable[int] = (6, 12, 24),
    draws: int = 1000,
    seed: int,
) -> pd.DataFrame:
    """The smallest visible fall by months and number of areas: half as many, as many, twice as many.

    ``pool``  areas that the treated are drawn from, the rest of them being the comparison: areas of all risks
    would drift apart from those of most risk by themselves. ``saturation`` share of homes that get a kit, so
    that ``marked`` is the fall that marked homes must see for their area to show it.

    One row a number of months (before and after alike) and of areas that history has room for: ``months``,
    ``areas``, ``mde`` (of the area), ``marked``, ``false_positives``, ``windows`` (earlier periods).
    """
    import pandas as pd

    inside = counts[counts.index.get_level_values("place").isin(pool)]
    names = ["months", "areas", "mde", "marked", "false_positives", "windows"]
    rows = [pd.DataFrame(columns=names)]
    for length in months:
        for number in dict.fromkeys((max(treated // 2, 2), treated, 2 * treated)):
            try:
                found = mde_table(inside, (number,), months=length, draws=draws, seed=seed)
            except DesignError:
                continue  # too short a history, or too few areas to draw from
            rows.append(found.assign(months=length, marked=(found["mde"] / saturation).clip(upper=1.0)))
    held = rows[1:] or rows
    return pd.concat(held, ignore_index=True)[names]


def equivalent(table: pd.DataFrame, wanted: float) -> float | None:
    """How many places must be treated to see so small a fall; None where the table does not reach it.

    ``table`` of ``mde_table``; between its rows the logarithms are joined by straight lines.
    """
    rows = table.sort_values("areas")
    mde = np.minimum.accumulate(rows["mde"].to_numpy(float))
    if not 0 < wanted < 1 or wanted < mde[-1] or wanted > mde[0]:
        return None
    logs = np.interp(-math.log(wanted), -np.log(mde), np.log(rows["areas"].to_numpy(float)))
    return float(np.exp(logs))


def subsets(
    size: int, number: int, *, draws: int, seed: int, inside: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """(draws, size): ``number`` places at random in each draw, of those ``inside``."""
    pool = np.arange(size) if inside is None else np.flatnonzero(inside)
    if not 2 <= number <= len(pool) - 2:
        raise DesignError(f"{number} of {len(pool)} places cannot be drawn: 2 at least either side.")
    rng = np.random.default_rng(seed)
    taken = np.zeros((draws, size), bool)
    step = max(1, CHUNK // len(pool))
    for first in range(0, draws, step):
        keys = rng.random((min(step, draws - first), len(pool)))
        picked = pool[np.argpartition(keys, number, axis=1)[:, :number]]
        taken[np.arange(first, first + len(keys))[:, None], picked] = True
    return taken


def redrawn_windows(windows: Floats, taken: NDArray[np.bool_]) -> Redrawn:
    """Log ratios and their clustered standard errors for every draw and window.

    ``windows`` (windows, places, 2): counts before and after; ``taken`` (draws, places).
    """
    v, u = windows[:, :, 0].T, windows[:, :, 1].T
    columns = np.hstack([v, u, v * v, u * v, u * u])
    sums = np.vstack(
        [part.astype(float) @ columns for part in np.array_split(taken, max(1, taken.size // CHUNK))]
    )
    t0, t1, *squares = np.split(sums, 5, axis=1)
    c0, c1, *others = np.split(columns.sum(axis=0) - sums, 5, axis=1)
    n1 = taken.sum(axis=1, keepdims=True).astype(float)
    n0 = taken.shape[1] - n1
    variance = _clustered(t0, t1, squares) * n1 / (n1 - 1) + _clustered(c0, c1, others) * n0 / (n0 - 1)
    logs = [np.log(np.maximum(counts, 0.5)) for counts in (t1, t0, c1, c0)]
    return Redrawn(logs[0] - logs[1] - logs[2] + logs[3], t1, t0, np.sqrt(variance))


def _clustered(before: Floats, after: Floats, squares: list[Floats]) -> Floats:
    """Sum over places of (u/U - v/V) squared, from sums of v v, u v, u u."""
    v, u = np.maximum(before, 0.5), np.maximum(after, 0.5)
    return np.maximum(squares[2] / u**2 - 2 * squares[1] / (u * v) + squares[0] / v**2, 0.0)


def _windows(counts: pd.Series, before: int, after: int) -> Floats:
    """(windows, places, 2): places in rising order, the earliest window first."""
    wide = counts.unstack("month", fill_value=0).sort_index().sort_index(axis=1).to_numpy(float)
    starts = range(wide.shape[1] - after, before - 1, -after)
    if not len(starts):
        raise DesignError(
            f"Power needs {before + after} months of counts; there are {wide.shape[1]}. Load earlier months."
        )
    pairs = [
        np.stack([wide[:, s - before : s].sum(axis=1), wide[:, s : s + after].sum(axis=1)], axis=1)
        for s in starts
    ]
    return np.stack(pairs[::-1])


def _judged(
    found: Redrawn, effects: tuple[float, ...], saturation: float, treated: int, months: int, seed: int
) -> Power:
    import pandas as pd

    half = len(found.theta) // 2
    limits = np.empty_like(found.theta)
    limits[:half] = np.quantile(np.abs(found.theta[half:]), 0.95, axis=0)
    limits[half:] = np.quantile(np.abs(found.theta[:half]), 0.95, axis=0)
    after = found.after.astype(np.int64)

    def seen(effect: float) -> float:
        left = np.random.default_rng(seed).binomial(after, 1 - effect * saturation)
        planted = found.theta + np.log(np.maximum(left, 0.5) / np.maximum(after, 0.5))
        return float((planted < -limits).mean())

    table = pd.DataFrame({"effect": effects, "power": [seen(effect) for effect in effects]})
    sd = float(np.sqrt(found.theta.var(axis=0, ddof=1).mean()))
    return Power(
        table, smallest(seen), _dilute(1 - math.exp(-Z * sd), saturation),
        _dilute(1 - math.exp(-Z * float(found.se.mean())), saturation),
        float((np.abs(found.theta) > limits).mean()), sd, float(limits.mean()),
        float(found.before.mean()) * 12 / months, treated, found.theta.shape[1],
    )  # fmt: skip


def _dilute(fall: float, saturation: float) -> float:
    return min(fall / saturation, 1.0)


def smallest(seen: Callable[[float], float], wanted: float = 0.8) -> float:
    """The effect that is seen this often, by bisection; 1 where even that is not enough."""
    low, high = 0.0, 1.0
    if seen(high) < wanted:
        return 1.0
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) >= wanted else (middle, high)
    return high
