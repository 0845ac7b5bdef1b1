"""Small made-up worlds for the tests of ``evaluate``: a square of areas, counts, and a programme."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box

from peelian.panel import Panel
from peelian.places import Places
from peelian.programme import Programme

FIRST = "2012-01"


def grid(side: int, width: float = 400.0) -> Places:
    """side x side square areas with 100 homes each."""
    ids = [f"a{i:04d}" for i in range(side * side)]
    shapes = [
        box(width * c, width * r, width * (c + 1), width * (r + 1)) for r in range(side) for c in range(side)
    ]
    frame = gpd.GeoDataFrame({"households": [100.0] * len(ids)}, index=ids, geometry=shapes, crs="EPSG:27700")
    return Places.of(frame)


def programme(
    ids: Sequence[str],
    starts: Sequence[str],
    *,
    chosen_on: tuple[str, str] | None = ("2013-01", "2013-12"),
    randomised: bool = False,
    assigned_by: Sequence[str] | None = None,
    excluded: Sequence[str] = (),
    controls: Sequence[str] = (),
) -> Programme:
    """A programme that treats these areas from these months."""
    index = pd.Index([*ids, *excluded, *controls], name="place")
    n, rest = len(ids), len(excluded) + len(controls)
    first, last = chosen_on or (None, None)
    months = lambda values: pd.PeriodIndex(values, freq="M")  # noqa: E731
    areas = pd.DataFrame(
        {
            "arm": ["treated"] * n + ["excluded"] * len(excluded) + ["control"] * len(controls),
            "start": months([*starts, *[None] * rest]), "end": months([None] * (n + rest)),
            "kits": np.nan, "households": np.nan,
            "selected_from": months([first] * n + [None] * rest),
            "selected_to": months([last] * n + [None] * rest),
            "assigned_by": [*(assigned_by or [""] * n), *[""] * rest], "block": "", "probability": np.nan,
            "note": [""] * n + ["another scheme"] * len(excluded) + [""] * len(controls),
        },
        index=index,
    )  # fmt: skip
    return Programme("Test", areas=areas.sort_index(), randomised=randomised)


def counts_of(matrix: np.ndarray, places: Places) -> pd.Series:
    """Counts (areas, months) as a Series on (place, month)."""
    months = pd.period_range(FIRST, periods=matrix.shape[1], freq="M")
    index = pd.MultiIndex.from_product([places.index, months], names=["place", "month"])
    return pd.Series(np.asarray(matrix, float).ravel(), index)


def noisy(
    rng: np.random.Generator, n: int, months: int, *, mean: float = 3.0, sd: float = 0.15
) -> np.ndarray:
    """Counts with lasting differences between areas, yearly noise, season and trend."""
    level = rng.gamma(6, mean / 6, n)[:, None]
    year = np.repeat(rng.normal(0, sd, (n, months // 12 + 1)), 12, axis=1)[:, :months]
    t = np.arange(months)
    return rng.poisson(level * np.exp(year + 0.2 * np.cos(2 * np.pi * t / 12) - 0.002 * t)).astype(float)


def world(
    seed: int = 0,
    *,
    side: int = 20,
    months: int = 60,
    start: int = 36,
    treated: int = 24,
    effect: float = 1.0,
    moved: float = 0.0,
    mean: float = 3.0,
    randomised: bool = False,
    chosen_on: tuple[str, str] | None = ("2013-01", "2013-12"),
) -> tuple[Panel, Programme, Places]:
    """A world with a compact treated square in the middle, a planted effect and a planted displacement.

    ``effect``  the ratio after; ``moved``  the share of what was prevented that is added to the first ring.
    """
    rng = np.random.default_rng(seed)
    places = grid(side)
    matrix = noisy(rng, len(places), months, mean=mean)
    width = int(np.ceil(np.sqrt(treated)))
    low = (side - width) // 2
    square = [r * side + c for r in range(low, low + width) for c in range(low, low + width)][:treated]
    chosen = (
        places.index[square]
        if not randomised
        else places.index[np.sort(rng.choice(len(places), treated, replace=False))]
    )
    at = places.index.get_indexer(chosen)
    before = matrix[at, start:].copy()
    matrix[at, start:] = rng.binomial(before.astype(int), effect)
    gone = before - matrix[at, start:]
    near = np.flatnonzero((places.rings(around=chosen) == "0-250 m").to_numpy())
    for month in range(months - start):
        for _ in range(int(rng.binomial(int(gone[:, month].sum()), moved))):
            matrix[rng.choice(near), start + month] += 1
    when = str(pd.Period(FIRST, "M") + start)
    plan = programme(
        list(chosen), [when] * treated, randomised=randomised, chosen_on=None if randomised else chosen_on
    )
    return Panel.build(counts_of(matrix, places), plan, places, outcome="burglary"), plan, places
