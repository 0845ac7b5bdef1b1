"""The terrain seen again: how sure each cell is, combinations of influences, and risk by neighbourhood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.places import Places

Array = Any
SURE = ((0.8, "sure"), (0.5, "likely"))


def uncertainty(
    columns: Array, replicates: list[tuple[tuple[int, ...], Array]], exposure: Array | None,
    *, share: float = 0.05, size: Array | None = None,
) -> dict[str, Array]:  # fmt: skip
    """How the terrain varies over resamples of tiles, place by place.

    ``columns``     places x candidates. ``replicates``  (chosen columns, coefficients) of each resample.
    ``exposure``    what is at risk in each place, or None. ``share``  of the places (of their ``size``, where
    they are not alike) that makes the top.

    Returns ``low``, ``median``, ``high`` (5th, 50th and 95th percentile of times the average) and ``p_top``:
    how often the place belongs to the top ``share``, a tie at the cut counting in part.
    """
    from peelian.explain.terrain import top_share

    at_risk = np.ones(len(columns)) if exposure is None else exposure
    drawn = np.empty((len(replicates), len(columns)), np.float32)
    top = np.zeros(len(columns))
    for b, (chosen, coefficients) in enumerate(replicates):
        rate = np.exp(columns[:, list(chosen)] @ np.asarray(coefficients)[1 : 1 + len(chosen)])
        average = rate * (at_risk.sum() / (at_risk * rate).sum())
        drawn[b] = average
        top += top_share(np.round(average, 9), share, size)
    low, median, high = np.quantile(drawn, [0.05, 0.5, 0.95], axis=0)
    return {"low": low, "median": median, "high": high, "p_top": top / len(replicates)}


def sureness(p_top: pd.Series) -> pd.Series:
    """``sure`` from 0.8, ``likely`` from 0.5, else ``unsure``: whether a place belongs to the top.

    >>> import pandas as pd
    >>> sureness(pd.Series([0.9, 0.6, 0.1])).tolist()
    ['sure', 'likely', 'unsure']
    """
    import pandas as pd

    named = np.full(len(p_top), "unsure", dtype="<U6")
    for level, word in reversed(SURE):
        named[p_top.to_numpy() >= level] = word
    return pd.Series(named, p_top.index, name="sureness")


# -------------------------------------------------------------------- combinations of influences
def configurations(terrain: RiskTerrain) -> pd.DataFrame:
    """Every combination of the chosen influences that occurs: how many places, with how much crime.

    One row a combination, most crime a place first: the chosen variables (True where the influence holds),
    ``places``, ``places_with_any``, ``incidents``, ``rate`` (a place), ``share_of_places``,
    ``share_of_incidents``, ``dominant`` (10 places or more; 5 below 1,000 places in all).

    Source: conjunctive analysis of case configurations (Miethe, Hart & Regoeczi 2008).
    """
    import pandas as pd

    fitted = terrain.risk.notna()
    names = list(terrain.influences.columns)
    if not names:
        raise DesignError("The search chose no influence, so there is no combination to list.")
    frame = (terrain.influences.loc[fitted].abs() >= 0.5).assign(_count=terrain.counts[fitted])
    frame["_any"] = frame["_count"] > 0
    table = frame.groupby(names).agg(
        places=("_count", "size"), places_with_any=("_any", "sum"), incidents=("_count", "sum")
    )
    table = table.reset_index()
    table["rate"] = table["incidents"] / table["places"]
    table["share_of_places"] = table["places"] / len(frame)
    table["share_of_incidents"] = table["incidents"] / max(frame["_count"].sum(), 1)
    table["dominant"] = table["places"] >= (5 if len(frame) < 1000 else 10)
    order = pd.DataFrame({"rate": -table["rate"], "places": -table["places"]} | {n: table[n] for n in names})
    return table.loc[order.sort_values(list(order), kind="stable").index].reset_index(drop=True)


def contrasts(table: pd.DataFrame, variables: list[str]) -> pd.DataFrame:
    """For each influence, combinations alike but for it: how much the rate changes where it holds.

    ``table``  of ``configurations``; dominant combinations only. Returns ``variable``, ``pairs``, ``lowest``,
    ``median`` and ``highest`` difference of rates.
    """
    import pandas as pd

    held = table[table["dominant"]]
    rows = []
    for name in variables:
        others = [other for other in variables if other != name]
        keys = (
            held[others].astype(int).astype(str).agg("".join, axis=1) if others else pd.Series("", held.index)
        )
        near, far = (held["rate"].set_axis(keys)[held[name].to_numpy() == side] for side in (True, False))
        change = (near - far).dropna()
        some = len(change) > 0
        rows.append(
            {"variable": name, "pairs": len(change), "lowest": change.min() if some else np.nan,
             "median": change.median() if some else np.nan, "highest": change.max() if some else np.nan}
        )  # fmt: skip
    return pd.DataFrame(rows)


# -------------------------------------------------------------------- by neighbourhood
def anroc(
    terrain: RiskTerrain, cells: Places, areas: Places, groups: pd.Series | None = None
) -> pd.DataFrame:
    """Aggregate neighbourhood risk of crime: the mean risk score of each area's ground, and of its homes.

    ``areas``   wards or other neighbourhoods, or the smaller areas they are made of, with ``households``
    where dwellings are to weigh too (those of an area spread evenly over its ground). ``groups``  the
    neighbourhood of each area, on the areas' index; the areas themselves where it is not given.

    Returns, by neighbourhood, highest risk first: ``risk`` (mean relative risk, weighted by area, by length
    of streets), ``times_average``, ``share_covered`` (of its ground by cells; 1 where it has a street),
    ``top_share`` (of its ground in the top 5 % of cells), and with households ``risk_by_dwelling`` (weighted
    by dwellings), ``dwellings`` and ``top_dwellings`` (share of them in the top 5 %). Areas without ground in
    any cell are missing. Source: Drawve, Thomas & Walker (2016).
    """
    import pandas as pd
    import shapely

    from peelian.explain.terrain import in_top

    named = areas.index.to_series() if groups is None else groups.reindex(areas.index).astype("str")
    code, names = pd.factorize(named, sort=True)
    cell, area = areas.frame.sindex.query(cells.geometry, predicate="intersects")
    shapes, grounds = cells.geometry.to_numpy(), areas.geometry.to_numpy()
    met = shapely.intersection(shapes[cell], grounds[area])
    streets = cells.kind == "street"
    ground = shapely.length(met) if streets else shapely.area(met)
    within = code[area]
    size = np.bincount(area, ground, len(areas)) if streets else areas.areas.to_numpy(float)

    def mean(values: Array, weight: Array) -> Array:
        whole = np.bincount(within, weight, len(names))
        total = np.bincount(within, weight * values[cell], len(names))
        return np.divide(total, whole, out=np.full(len(names), np.nan), where=whole > 0)

    top = in_top(terrain.times_average.to_numpy(), 0.05, terrain.extent.weights()).astype(float)
    relative, average = (s.to_numpy(float) for s in (terrain.relative_risk, terrain.times_average))
    whole = np.bincount(code, size, len(names))
    covered = np.divide(
        np.bincount(within, ground, len(names)), whole, out=np.zeros(len(names)), where=whole > 0
    )
    found = {
        "risk": mean(relative, ground), "times_average": mean(average, ground),
        "share_covered": np.minimum(covered, 1.0), "top_share": mean(top, ground),
    }  # fmt: skip
    if areas.households is not None:
        part = np.divide(ground, size[area], out=np.zeros(len(area)), where=size[area] > 0)
        homes = areas.households.to_numpy(float)[area] * part
        found |= {
            "risk_by_dwelling": mean(relative, homes), "dwellings": np.bincount(within, homes, len(names)),
            "top_dwellings": mean(top, homes),
        }  # fmt: skip
    index = pd.Index(names, name=areas.index.name if groups is None else "neighbourhood")
    return pd.DataFrame(found, index=index).sort_values("risk", ascending=False, kind="stable")
