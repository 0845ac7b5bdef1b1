"""Levels: where monthly counts jump, tested, and whether recording is known to have changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PASSES = 3  # of season and jumps, each given the other
HALF = 6  # months on either side of a jump
SHORTEST = 24  # months below which a season cannot be told from a jump
ENOUGH = 120  # incidents in six months below which nothing is tested
EFFICIENCY = 0.37  # of a median of absolute deviations as a measure of spread (Huber and Ronchetti, 2009)
NEAR = 1  # months between a jump and a known change of recording
COLUMNS = ("series", "month", "before", "after", "change", "low", "high", "p", "known")


def shifts(
    counts: pd.DataFrame,
    *,
    changes: pd.DataFrame | None = None,
    forces: dict[str, str] | None = None,
    p: float = 0.01,
) -> pd.DataFrame:
    """Sudden changes of level: six months against the six before, less the season and the usual drift.

    ``counts``   a column a series (a type, a force), a row a month (``pandas.Period``), missing where a month
                 is missing.
    ``changes``  the frame of ``figures.recording_changes``; a jump within a month of one that concerns the
                 series says so in ``known``. ``forces`` is the force of a series, where it is known.
    ``p``        below which a jump is listed, times the months tried in the series (Bonferroni).

    Returns one row a jump, largest first: ``series``, ``month`` (first of the new level), ``before`` and
    ``after`` (incidents in six months), ``change`` (a share, seasons removed) with its 95 % interval ``low``
    and ``high``, ``p``, ``known``.

    The test: month-of-year factors are the median ratios to the centred mean of a year; noise is a Poisson
    with a dispersion estimated robustly from month-to-month differences, so that one jump cannot hide
    itself; the median of all six-month changes is taken off, so that a steady trend is no jump. Months
    beside a stronger jump are not listed again. It cannot tell recording from crime: a lockdown is a jump
    too.

    >>> import pandas as pd
    >>> months = pd.period_range("2015-01", periods=48, freq="M")
    >>> level = [100 + k % 3 for k in range(24)] + [150 + k % 3 for k in range(24)]
    >>> found = shifts(pd.DataFrame({"Burglary": level}, index=months)).iloc[0]
    >>> str(found["month"]), f"{found['change']:.0%}"
    ('2017-01', '49%')
    """
    import pandas as pd

    found = []
    for name in counts:
        series = counts[name].astype("float64")
        for at, row in _jumps(series, p):
            month = counts.index[at]
            force = (forces or {}).get(str(name), "")
            found.append((str(name), month, *row, known_change(month, str(name), force, changes)))
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    order = (frame["change"] + 1).map(_fold).sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index(drop=True).astype({"known": "str"})


def known_change(month: pd.Period, series: str, force: str, changes: pd.DataFrame | None) -> str:
    """What is known to have changed in recording within a month of it; empty where nothing is."""
    if changes is None:
        return ""
    folded = series.casefold()
    for row in changes.itertuples():
        away = abs((row._1.to_period("M") - month).n)
        named = [name.strip() for name in str(row.categories).split(";")]
        concerned = "all" in named or any(name in folded or folded in name for name in named)
        of_force = row.force == "all" or (bool(force) and force.casefold() in str(row.force).casefold())
        if away <= NEAR and concerned and of_force:
            return str(row.what)
    return ""


Jump = tuple[int, tuple[float, ...]]


def _jumps(series: pd.Series, p: float) -> list[Jump]:
    """Position of each jump with before, after, change, low, high and p, strongest first.

    The season is estimated again with the jumps found taken out, so that they do not pass for season.
    """
    import numpy as np

    values, month = series.to_numpy(), series.index.month.to_numpy()
    if len(values) < SHORTEST or np.nansum(values) < 2 * ENOUGH:
        return []
    found: list[Jump] = []
    for _ in range(PASSES):
        level = np.ones(len(values))
        for at, row in found:
            level[at:] *= 1 + max(row[2], -0.95)
        found = _scan(values, _season(values / level, month), p)
    return found


def _scan(values: np.ndarray, season: np.ndarray, p: float) -> list[Jump]:
    import numpy as np
    from scipy.stats import t

    plain = values / season
    phi = _dispersion(values, season)
    places = range(HALF, len(values) - HALF + 1)
    before = np.array([_sum(plain, k - HALF, k) for k in places])
    after = np.array([_sum(plain, k, k + HALF) for k in places])
    tried = (before >= ENOUGH) & (after >= ENOUGH / 10)
    if not tried.any():
        return []
    step = np.full(len(places), np.nan)
    step[tried] = np.log(after[tried] / before[tried])
    drift = float(np.nanmedian(step))
    error = np.sqrt(phi * (1 / np.where(tried, before, 1) + 1 / np.where(tried, after, 1)))
    strength = np.where(tried, (step - drift) / error, 0.0)
    found: list[Jump] = []
    left = tried.copy()
    freedom = max(EFFICIENCY * np.isfinite(values).sum(), 5.0)
    for k in np.argsort(-np.abs(strength), kind="stable"):
        chance = float(min(2 * t.sf(abs(strength[k]), freedom) * tried.sum(), 1.0))
        if chance >= p:
            break
        if not left[k]:
            continue
        left[max(k - HALF, 0) : k + HALF + 1] = False
        change, reach = step[k] - drift, t.ppf(0.975, freedom) * error[k]
        ends = (float(np.expm1(change)), float(np.expm1(change - reach)), float(np.expm1(change + reach)))
        found.append((int(places[k]), (float(before[k]), float(after[k]), *ends, chance)))
    return found


def _season(values: np.ndarray, month: np.ndarray) -> np.ndarray:
    """A factor for each month of the year, by the median of its ratios to the centred mean of a year."""
    import numpy as np
    import pandas as pd

    year = pd.Series(values).rolling(12, min_periods=9).mean()
    centred = ((year + year.shift(-1)) / 2).shift(-6)
    ratio = pd.Series(values) / centred
    factor = ratio.groupby(month).median().reindex(range(1, 13)).fillna(1.0)
    enough = ratio.groupby(month).count().reindex(range(1, 13)).fillna(0) >= 2
    factor = factor.where(enough & (factor > 0.2), 1.0)
    return np.asarray(factor.loc[month]) / float(factor.mean())


def _dispersion(values: np.ndarray, season: np.ndarray) -> float:
    """How many times its mean the counts vary, from neighbouring months, whatever single jumps there are."""
    import numpy as np

    plain = values / season
    both = np.isfinite(plain[1:]) & np.isfinite(plain[:-1])
    total = (plain[1:] + plain[:-1])[both]
    scaled = np.abs((plain[1:] - plain[:-1])[both]) / np.sqrt(np.where(total > 0, total, 1))
    return max(float((np.median(scaled) / 0.6744898) ** 2), 1.0) if len(scaled) else 1.0


def _sum(plain: np.ndarray, first: int, last: int) -> float:
    """Six months' sum, missing months at the mean of the others; nothing where most are missing."""
    import numpy as np

    part = plain[first:last]
    held = np.isfinite(part)
    return float(part[held].mean() * len(part)) if held.sum() >= HALF - 2 else 0.0


def _fold(ratio: float) -> float:
    """A half is as far as a double."""
    return max(ratio, 1 / ratio) if ratio > 0 else float("inf")
