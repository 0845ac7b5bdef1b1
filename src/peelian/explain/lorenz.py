"""Concentration: in how few places lies how much of the crime, and how much of that is chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from peelian.errors import DesignError
from peelian.explain.lorenz_homes import PerHome, per_home

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

Array = Any
HELD = (0.25, 0.5, 0.8)
TOPS = (0.01, 0.05)


@dataclass(frozen=True, eq=False)
class Concentration:
    """How concentrated crime is over places.

    ``gini`` plain, ``generalised`` (0 when every crime has a place of its own: it allows for fewer crimes
    than places) with its interval by resampled places, ``mixed`` (Gini of the rates behind the counts under a
    Poisson-gamma model). ``shares``: by share of crime held, the share of all places and of places with any,
    and the share that chance alone would need (mean and 95 % range). ``lorenz``: cumulative shares, places
    from the emptiest. ``overlap``: from one year to the next, how far the top places are the same (1: all).
    ``alike``: how alike the first and the last whole year are, place by place (Andresen's S), with the years;
    None where there is one year only. ``homes``: concentration over homes, None without households. ``by``
    how incidents were placed: ``point`` or ``code``.
    """

    n: int
    crimes: int
    occupied: int
    gini: float
    generalised: float
    low: float
    high: float
    mixed: float
    shares: pd.DataFrame
    lorenz: pd.DataFrame
    overlap: pd.DataFrame
    ranked: pd.DataFrame
    accounting: dict[str, int]
    unit: str
    crime: str = "crime"
    alike: tuple[int, int, Similarity] | None = None
    homes: PerHome | None = None
    by: str = "point"

    def __str__(self) -> str:
        from peelian.explain.lorenz_report import sentence

        return sentence(self)


def concentration(
    incidents: Incidents | pd.Series, places: Places, *, households: pd.Series | None = None,
    period: tuple[str, str] | None = None, draws: int = 199, by: Literal["code", "point"] = "point",
    seed: int, crime: str = "crime",
) -> Concentration:  # fmt: skip
    """In how few places lies how much of the crime, beside what chance alone would give.

    ``households``  by place: concentration over homes too, chance dealing crimes to homes. ``draws``  of
    Poisson counts for the envelope, and of resampled places for the interval. ``by``  the extract's own area
    ``code``, or the ``point``.

    Source: Bernasco & Steenbeek (2017) for the generalised Gini; Mohler, Brantingham, Carter & Short (2019)
    for the Poisson-gamma one; Weisburd (2015) for the shares.
    """
    import pandas as pd

    from peelian.explain.extent import Extent
    from peelian.explain.hot_spots import counted

    counts, accounting = counted(incidents, places, period, by)
    unit = Extent.of(places).many
    if counts.sum() < 2 or len(counts) < 2:
        raise DesignError(f"{counts.sum():g} incidents in {len(counts)} places: nothing can be concentrated.")
    y = counts.to_numpy(float)
    rng = np.random.default_rng(seed)
    drawn = [generalised_gini(y[rng.integers(len(y), size=len(y))]) for _ in range(draws)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    overlap, alike = pd.DataFrame(), None
    if not isinstance(incidents, pd.Series):
        years = _by_year(incidents, places, by)
        overlap, alike = _overlaps(years), _alike(years, seed)
    return Concentration(
        len(y), int(y.sum()), int((y > 0).sum()), gini(y), generalised_gini(y), float(low), float(high),
        gamma_gini(y), _shares(y, draws, rng), lorenz(y), overlap, _ranked(counts), accounting,
        unit, crime, alike, _over_homes(counts, households, draws, rng), by,
    )  # fmt: skip


def gini(counts: Array) -> float:
    """Gini coefficient of counts by place: 0 all alike, near 1 all in one.

    >>> round(gini([0, 0, 0, 1, 1, 1, 2, 5]), 12)
    0.6
    """
    y = np.sort(np.asarray(counts, float))
    n = len(y)
    return float((2 * np.arange(1, n + 1) @ y / y.sum() - n - 1) / n)


def generalised_gini(counts: Array) -> float:
    """Gini that allows for fewer crimes than places: 0 when each crime has a place of its own.

    >>> generalised_gini([0, 0, 0, 0, 0, 0, 0, 0, 1, 3])
    0.625
    """
    y = np.sort(np.asarray(counts, float))
    n, c = len(y), y.sum()
    if not c:
        return float("nan")
    spread = 2 * np.arange(1, n + 1) @ y / c - n - 1
    return float(max(1 / c, 1 / n) * spread - max(n / c, 1) + 1)


def gamma_gini(counts: Array) -> float:
    """Gini of the rates behind the counts, when rates are gamma distributed over places.

    0 where counts vary no more than by chance.
    """
    y = np.asarray(counts, float)
    mean = y.mean()
    if y.var() <= mean:
        return 0.0

    def loss(log_shape: float) -> float:
        k = np.exp(log_shape)
        parts = gammaln(y + k) - gammaln(k) + k * np.log(k / (k + mean)) + y * np.log(mean / (k + mean))
        return -float(parts.sum())

    k = np.exp(minimize_scalar(loss, bounds=(-8, 8), method="bounded").x)
    return float(np.exp(gammaln(k + 0.5) - gammaln(k + 1)) / np.sqrt(np.pi))


def places_for(counts: Array, share: float) -> int:
    """Fewest places that hold at least ``share`` of the crime.

    >>> places_for([0, 5, 3, 2], 0.8)
    2
    """
    y = np.sort(np.asarray(counts, float))[::-1]
    return int(np.searchsorted(np.cumsum(y), share * y.sum() - 1e-9) + 1)


def lorenz(counts: Array) -> pd.DataFrame:
    """The Lorenz curve: cumulative ``places`` and ``crime``, the emptiest places first, from 0 to 1."""
    import pandas as pd

    y = np.sort(np.asarray(counts, float))
    return pd.DataFrame(
        {"places": np.arange(len(y) + 1) / len(y), "crime": np.concatenate([[0.0], np.cumsum(y) / y.sum()])}
    )


def _over_homes(
    counts: pd.Series, households: pd.Series | None, draws: int, rng: np.random.Generator
) -> PerHome | None:
    if households is None:
        return None
    homes = households.reindex(counts.index).fillna(0).to_numpy(float)
    if not (counts.to_numpy()[homes > 0]).sum():
        return None
    return per_home(counts.to_numpy(float), homes, HELD, draws, rng)


def _shares(y: Array, draws: int, rng: np.random.Generator) -> pd.DataFrame:
    import pandas as pd

    drawn = (rng.poisson(np.full(len(y), y.mean())) for _ in range(draws))
    by_chance = np.array([[places_for(d, s) for s in HELD] for d in drawn if d.any()])
    rows = []
    for k, share in enumerate(HELD):
        needed = places_for(y, share)
        chance = by_chance[:, k] / len(y)
        rows.append(
            {"crime": share, "places": needed, "share_of_places": needed / len(y),
             "share_of_occupied": needed / (y > 0).sum(), "by_chance": chance.mean(),
             "chance_low": np.quantile(chance, 0.025), "chance_high": np.quantile(chance, 0.975)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _overlaps(counts: dict[int, Array]) -> pd.DataFrame:
    """How far the top places of one year are those of the next: columns year, top, overlap."""
    import pandas as pd

    from peelian.explain.terrain import top_share

    rows = []
    for year in list(counts)[1:]:
        for top in TOPS:
            one, other = (top_share(counts[y], top) for y in (year - 1, year))
            same = np.minimum(one, other).sum() / np.maximum(one, other).sum()
            rows.append({"year": year, "top": top, "overlap": float(same)})
    return pd.DataFrame(rows, columns=["year", "top", "overlap"])


def _by_year(incidents: Incidents, places: Places, by: Literal["code", "point"]) -> dict[int, Array]:
    """Counts by place of each whole year."""
    import pandas as pd

    first, last = incidents.span
    years = range(first.year, last.year + 1)
    whole = [y for y in years if pd.Period(f"{y}-01", "M") >= first and pd.Period(f"{y}-12", "M") <= last]
    return {y: incidents.between(f"{y}-01", f"{y + 1}-01").counts(places, by=by).to_numpy() for y in whole}


def _alike(counts: dict[int, Array], seed: int) -> tuple[int, int, Similarity] | None:
    """How alike the first and the last whole year are."""
    years = [y for y in counts if counts[y].any()]
    if len(years) < 2:
        return None
    return years[0], years[-1], similarity(counts[years[0]], counts[years[-1]], seed=seed)


def _ranked(counts: pd.Series) -> pd.DataFrame:
    """The 80-20 table: place, count, share, cumulative share, largest first."""
    frame = counts[counts > 0].rename("count").rename_axis("place").reset_index()
    frame = frame.sort_values(["count", "place"], ascending=[False, True], ignore_index=True)
    frame["share"] = frame["count"] / frame["count"].sum()
    frame["cumulative"] = frame["share"].cumsum()
    return frame


# -------------------------------------------------------------------- alike or not
@dataclass(frozen=True)
class Similarity:
    """How alike two patterns over places are: ``s`` the share of places whose share of the base lies in the
    95 % range of the test's, ``robust`` the same without places that are empty in both."""

    s: float
    robust: float
    places: int
    places_robust: int


def similarity(
    base: Sequence[float] | Array, test: Sequence[float] | Array, *, draws: int = 200, sample: float = 0.85,
    seed: int,
) -> Similarity:  # fmt: skip
    """How alike two patterns over the same places are (Andresen 2009).

    ``base``, ``test``  whole counts by place. ``draws`` samples of ``sample`` of the test's incidents give
    the 95 % range of each place's share.
    """
    base, test = np.asarray(base, np.int64), np.asarray(test, np.int64)
    if len(base) != len(test) or not base.sum() or not test.sum():
        raise DesignError("Two patterns need counts for the same places, and an incident each.")
    rng = np.random.default_rng(seed)
    size = round(sample * test.sum())
    some = test > 0  # the others stay empty in every sample
    drawn = rng.multivariate_hypergeometric(test[some], size, size=draws, method="marginals") / size
    low, high = np.zeros((2, len(test)))
    low[some], high[some] = np.quantile(drawn, [0.025, 0.975], axis=0)
    share = base / base.sum()
    within = (share >= low - 1e-12) & (share <= high + 1e-12)
    held = (base > 0) | (test > 0)
    return Similarity(float(within.mean()), float(within[held].mean()), len(base), int(held.sum()))
