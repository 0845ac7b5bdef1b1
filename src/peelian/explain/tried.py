"""The terrain tried on incidents that it was not fitted on, beside a place's own history and chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.arithmetic.scores import along, capture, ranking

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.incidents import Incidents
    from peelian.places import Places

Array = Any
SHARES = (0.01, 0.02, 0.05, 0.10, 0.20)
FEWEST_LATER = 100
USUAL = (0.15, 0.90)  # of cases in high-risk cells: beyond the 23 to 85 % of Marchment & Gill (2021)
RANKINGS = ("terrain", "history", "blend")


@dataclass(frozen=True, eq=False)
class Trial:
    """Three ways to rank places and what happened afterwards, by place in the fit.

    ``terrain``  expected by the features alone, ``rate`` the same by what is at risk; ``history`` counts
    before; ``blend`` that history drawn towards the terrain; ``later`` counts afterwards. ``fitted`` and
    ``tried`` say on what; ``before`` what history is; ``in_time`` whether later means a later time.
    """

    terrain: pd.Series
    rate: pd.Series
    history: pd.Series
    blend: pd.Series
    later: pd.Series
    fitted: str
    tried: str
    before: str
    in_time: bool = True


# -------------------------------------------------------------------- what is held back
def trial_of(terrain: RiskTerrain, incidents: Incidents | None, places: Places) -> Trial | None:
    """The terrain against incidents after its period where there are a hundred; else that of the first half
    against the second; None where nothing was held back."""
    after = _after(terrain, incidents, places)
    if after is not None:
        return after
    held = terrain.second_half
    if held is None or not held["later"].sum() or not held["history"].sum():
        return None
    first, _, second = terrain.inference["halves"].partition(" and ")
    in_time = bool(second) and terrain.fitted_on is not None and " to " in first
    at_risk = (terrain.expected / terrain.times_average)[held.index]
    return Trial(
        held["terrain"], held["terrain"] / at_risk, held["history"],
        blended(held["terrain"], held["history"]), held["later"],
        first if in_time else "half of the events of all other tiles",
        second if in_time else "the other half, split at random, in tiles left out in turn",
        "the counts of the same months" if in_time else "the first half of the events", in_time,
    )  # fmt: skip


def _after(terrain: RiskTerrain, incidents: Incidents | None, places: Places) -> Trial | None:
    """Against incidents after the period of the fit, by the last year's count."""
    if incidents is None or terrain.fitted_on is None:
        return None
    first, last = terrain.fitted_on
    end = incidents.span[1]
    if end <= last:
        return None
    fitted = terrain.risk.notna()
    later = incidents.between(last + 1, end + 1).counts(places)[fitted]
    if later.sum() < FEWEST_LATER:
        return None
    begin = max(first, last - 11)
    history = incidents.between(begin, last + 1).counts(places)[fitted]
    score = terrain.expected[fitted]
    return Trial(
        score, terrain.times_average[fitted], history, blended(score, history), later,
        f"{first} to {last}", f"{last + 1} to {end}", f"the counts of {begin} to {last}",
    )  # fmt: skip


def blended(prior: pd.Series, counts: pd.Series) -> pd.Series:
    """Counts drawn towards a terrain, as far as the counts themselves bear it out.

    Gamma-Poisson with the terrain as mean and its shape by maximum likelihood (Clayton & Kaldor 1987).
    Returns expected counts at the level of ``counts``, on its index.
    """
    import pandas as pd
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln, xlogy

    mean = np.maximum(prior.to_numpy(float), 1e-3 * float(prior.mean()))
    y = counts.to_numpy(float)
    mean = mean * max(y.sum(), 1e-9) / mean.sum()

    def loss(log_k: float) -> float:
        k = np.exp(log_k)
        ways = gammaln(y + k) - gammaln(k) + k * np.log(k / (k + mean)) + xlogy(y, mean / (k + mean))
        return float(-ways.sum())

    k = np.exp(minimize_scalar(loss, bounds=(-4, 6), method="bounded").x)
    return pd.Series((k + y) / (k / mean + 1), prior.index)


# -------------------------------------------------------------------- what a place uses up
def sizes_of(
    places: Places, streets: gpd.GeoSeries | None = None, homes: pd.Series | None = None
) -> dict[str, pd.Series]:
    """What places are made of, by name and place: ``area`` (or ``street length`` where the places are
    streets), ``street length`` where lines are given, ``dwellings`` where homes are."""
    import pandas as pd
    import shapely

    found = {}
    if places.kind == "street":
        found["street length"] = places.geometry.length
    else:
        found["area"] = places.areas
    if streets is not None and places.kind != "street":
        lines = streets.to_crs(places.crs).to_numpy()
        place, line = shapely.STRtree(lines).query(places.geometry.to_numpy(), predicate="intersects")
        part = shapely.intersection(places.geometry.to_numpy()[place], lines[line])
        length = np.bincount(place, shapely.length(part), len(places))
        found["street length"] = pd.Series(length, places.index)
    if homes is not None and homes.sum() > 0:
        found["dwellings"] = homes.reindex(places.index).fillna(0.0)
    return found


# -------------------------------------------------------------------- capture
def capture_table(
    trial: Trial, sizes: Mapping[str, pd.Series], shares: Sequence[float] = SHARES
) -> pd.DataFrame:
    """How much of what happened later lay in the top shares by each ranking.

    One row a measure of size and share: ``of`` (area, street length, dwellings), ``share``, hit rates
    ``terrain``, ``history``, ``blend`` and ``random`` (the share itself), and of the terrain ``pai``
    (hit rate / share), ``pei`` (hits / most that as many places could hold) and ``rri`` (predicted /
    observed, both as shares of their totals). Places rank by risk per unit of size; ties at their expected
    value. Source: Chainey, Tompson & Uhlig (2008); Hunt (2016).
    """
    import pandas as pd

    rows = []
    for name, size in sizes.items():
        room = size.reindex(trial.later.index).to_numpy(float)
        held = room > 0
        later = trial.later.to_numpy(float)[held]
        scored = {}
        for way in RANKINGS:
            risk = getattr(trial, way).to_numpy(float)[held]
            level = risk * later.sum() / risk.sum() if risk.sum() else risk
            scored[way] = capture(level, later, shares=shares, size=room[held])
        of = scored["terrain"]
        for at, share in enumerate(shares):
            hits = {way: scored[way].hit_rate[at] for way in RANKINGS}
            rows.append(
                {"of": name, "share": share} | hits
                | {"random": share, "pai": of.pai[at], "pei": of.pei[at], "rri": of.rri[at]}
            )  # fmt: skip
    columns = ["of", "share", *RANKINGS, "random", "pai", "pei", "rri"]
    return pd.DataFrame(rows, columns=columns)


def top_of(trial: Trial, share: float = 0.05) -> dict[str, float]:
    """Share of later incidents in the top places by each ranking, each place counting as one."""
    import pandas as pd

    each = pd.Series(1.0, trial.later.index)
    held = capture_table(trial, {"places": each}, [share]).iloc[0]
    return {way: float(held[way]) for way in RANKINGS}


def in_high_risk(trial: Trial) -> float:
    """Share of later incidents in places of the classes high and highest (above the mean + 1 SD)."""
    from peelian.explain.terrain import risk_classes

    high = risk_classes(trial.rate).isin(["highest", "high"]).to_numpy()
    later = trial.later.to_numpy(float)
    return float(later[high].sum() / later.sum())


def unusual(trial: Trial) -> str:
    """A warning where far more or fewer lie in high-risk cells than published terrains held; else empty."""
    share = in_high_risk(trial)
    if USUAL[0] <= share <= USUAL[1]:
        return ""
    return (
        f"Places of high risk hold {100 * share:.1f} % of the later incidents. In 25 published studies it "
        "was 23 to 85 %, for burglary 25 and 35.7 % (Marchment & Gill 2021): look at the input before using "
        "this terrain."
    )


# -------------------------------------------------------------------- places of high risk
def high_risk_table(
    terrain: RiskTerrain, trial: Trial | None, sizes: Mapping[str, pd.Series], share: float = 0.05
) -> pd.DataFrame:
    """What places of high risk make up, and hold: by class, and of the top share by three rankings.

    Columns ``rows`` (the words), ``cells``, ``share_of_cells``, a share of each size, ``incidents`` and
    ``share_of_incidents`` in the fit, and ``share_of_later`` (by the terrain of the trial). The top shares
    are of the first size named (area), ties at their expected value; chance holds the share itself.
    """
    import pandas as pd

    from peelian.explain.terrain import CLASSES, risk_classes

    fitted = terrain.risk.notna()
    counts = terrain.counts[fitted].to_numpy(float)
    units = {name: size[fitted].to_numpy(float) for name, size in sizes.items()}
    classes = risk_classes(terrain.relative_risk[fitted])
    later_classes = None if trial is None else risk_classes(trial.rate)
    rows = []
    for name in CLASSES:
        inside = (classes == name).to_numpy().astype(float)
        held = {"cells": inside.sum(), "incidents": inside @ counts}
        held |= {unit: inside @ values / values.sum() for unit, values in units.items()}
        if trial is not None and later_classes is not None:
            at = (later_classes == name).to_numpy().astype(float)
            held["share_of_later"] = at @ trial.later.to_numpy(float) / trial.later.sum()
        rows.append({"rows": name, **held})
    size = next(iter(units.values()))
    score = terrain.expected[fitted].to_numpy(float)
    top = f"top {100 * share:g} %"
    rows.append(_top(f"{top} by the terrain", score, size, counts, units, share)
                | _later(trial, "terrain", sizes, share))  # fmt: skip
    rows.append(_top(f"{top} by history alone", counts, size, counts, units, share)
                | _later(trial, "history", sizes, share))  # fmt: skip
    by_chance = {"rows": f"{100 * share:g} % at random", "cells": share * len(counts),
                 "incidents": share * counts.sum()} | dict.fromkeys(units, share)  # fmt: skip
    rows.append(by_chance | ({} if trial is None else {"share_of_later": share}))
    frame = pd.DataFrame(rows)
    frame.insert(2, "share_of_cells", frame["cells"] / len(counts))
    frame["share_of_incidents"] = frame["incidents"] / counts.sum()
    order = ["rows", "cells", "share_of_cells", *units, "incidents", "share_of_incidents"]
    return frame[[*order, *(["share_of_later"] if trial is not None else [])]]


def _top(
    words: str, score: Array, size: Array, counts: Array, units: Mapping[str, Array], share: float
) -> dict[str, Any]:
    """What the top share of a size holds by one ranking."""
    held = size > 0
    order, ends = ranking(score[held], size[held])
    room = np.array([share * size.sum()])

    def inside(values: Array) -> float:
        return float(along(values[held], order, ends, size[held], room)[0])

    found = {"cells": inside(np.ones(len(size))), "incidents": inside(counts)}
    return {"rows": words, **found} | {n: inside(values) / values.sum() for n, values in units.items()}


def _later(trial: Trial | None, way: str, sizes: Mapping[str, pd.Series], share: float) -> dict[str, float]:
    if trial is None:
        return {}
    name, size = next(iter(sizes.items()))
    table = capture_table(trial, {name: size}, [share])
    return {"share_of_later": float(table[way].iloc[0])}
