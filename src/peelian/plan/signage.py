"""What goes with the kits: signs at the ways into chosen areas, and visits to second-hand shops."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.places import Places
    from peelian.programme import Plan

REACH = 100.0  # metres along the streets within which a sign counts for a street
EDGE = 10.0  # metres from a chosen area that still count as its edge
SIGN_COLUMNS = ("group", "site", "kind", "place", "x", "y", "streets", "homes", "existing", "consent")


def shop_visits(
    plan: Plan, places: Places, shops: gpd.GeoSeries, *, within: float = 1000.0, team: pd.Series | None = None
) -> pd.DataFrame:
    """Second-hand shops in the order in which to visit them: near chosen areas first.

    ``shops``   points on an index of names or ids, in any CRS.
    ``within``  metres from a chosen area that count as near; ``team`` by place: whose list a shop is on.

    Returns one row a shop: ``shop``, ``nearest`` (chosen area), ``metres`` to it, ``first`` (near enough to
    be visited before the others), ``team`` of the nearest area, near ones first, then by distance.
    """
    import numpy as np
    import pandas as pd

    at = _on(shops, places, "shops")
    chosen = places.select(plan.chosen.index)
    pair, metres = chosen.frame.sindex.nearest(at.array, return_all=False, return_distance=True)
    table = pd.DataFrame(
        {
            "shop": np.asarray(at.index)[pair[0]],
            "nearest": np.asarray(chosen.index)[pair[1]],
            "metres": metres,
        }
    )
    table["first"] = table["metres"] <= within
    table["team"] = "" if team is None else table["nearest"].map(team).astype("str")
    return table.sort_values(["metres", "shop"], kind="stable", ignore_index=True)


def entrances(plan: Plan, places: Places, roads: gpd.GeoDataFrame, *, name: str = "name") -> gpd.GeoDataFrame:
    """Where roads cross the edge of a group of chosen areas: the ways in, for signs.

    ``roads``  lines in any CRS with a column ``name``. Crossings of one road closer than 20 m are one.

    Returns points: ``site`` (the road's name), ``kind`` (``entrance``).
    """
    import geopandas as gpd
    import pandas as pd

    lines = _on(roads.geometry, places, "roads")
    edges = gpd.GeoSeries(_groups(plan, places).boundary, crs=places.crs)
    rows = []
    for edge in edges:
        near = lines.sindex.query(edge, predicate="intersects")
        met = lines.iloc[near].intersection(edge).explode(index_parts=False)
        rows.append(gpd.GeoDataFrame({"site": roads[name].reindex(met.index)}, geometry=met.centroid))
    found = pd.concat(rows, ignore_index=True) if rows else gpd.GeoDataFrame({"site": []}, geometry=[])
    found["site"] = found["site"].fillna("").replace("", "unnamed road")
    spot = found["site"] + found.geometry.apply(lambda p: f"|{round(p.x / 20)}|{round(p.y / 20)}")
    found = found[~spot.duplicated()].reset_index(drop=True)
    return gpd.GeoDataFrame(found.assign(kind="entrance"), geometry="geometry", crs=places.crs)


def signs(
    plan: Plan,
    places: Places,
    sites: gpd.GeoDataFrame,
    *,
    streets: pd.DataFrame | None = None,
    homes_a_sign: float | None = None,
    detour: float = 1.3,
) -> pd.DataFrame:
    """Which sites get a sign: every way in, then those that reach most homes, to one sign for so many homes.

    ``sites``   points with ``site`` (a name) and ``kind`` (``entrance``, ``station``, ``shop``, ...), and
                ``existing`` where a sign stands already. Sites outside chosen areas are passed over.
    ``streets`` of ``street_lists``' input: a sign reaches the streets whose middle lies within 100 m of it
                on foot (straight line times ``detour``). Without them only ways in are set.
    ``homes_a_sign``  homes for one sign; without it the figure (18, of Hounslow's first year).

    Streets are covered greedily, and the number of signs is then lowered by mixed-integer programming where
    fewer cover the same. Where sites are fewer than the signs wanted, the rest stand in the streets of most
    homes. Returns one row a sign: ``group`` of chosen areas, ``site``, ``kind``, ``place``, ``x``, ``y``,
    ``streets`` and ``homes`` reached, ``existing``, ``consent`` (blank: whose wall, who agreed, when).

    Raises ``DesignError`` for a sign that stands in an untreated area: it would spoil the comparison.
    """
    import numpy as np
    import pandas as pd

    if homes_a_sign is None:
        from peelian.figures import load

        homes_a_sign = float(load().at("homes_a_sign").number)
    held = sites.assign(existing=sites["existing"].astype(bool) if "existing" in sites else False)
    held = held.set_geometry(_on(held.geometry, places, "sites"))
    held["place"] = _chosen_area(plan, places, held)
    group = _group_of(plan, places)
    held = held[held["place"] != ""].assign(group=lambda f: f["place"].map(group))
    homes = plan.chosen["households"].groupby(group).sum()
    known = (
        None
        if streets is None
        else streets[streets["place"].isin(plan.chosen.index)].dropna(subset="dwellings")
    )
    rows = []
    for number in sorted(homes.index):
        own = held[held["group"] == number].reset_index(drop=True)
        near = None if known is None else known[known["place"].map(group) == number].reset_index(drop=True)
        wanted = math.ceil(homes[number] / homes_a_sign)
        rows += _of_group(int(number), own, near, wanted, REACH / detour)
    table = pd.DataFrame(rows, columns=list(SIGN_COLUMNS))
    return table.assign(
        x=table["x"].round(1), y=table["y"].round(1), streets=table["streets"].astype(np.int64)
    )


def _of_group(
    number: int, sites: gpd.GeoDataFrame, streets: pd.DataFrame | None, wanted: int, reach: float
) -> list[tuple[object, ...]]:
    """The signs of one group: those that stand, every way in, the cover, the rest in the largest streets."""
    import numpy as np

    fixed = (sites["existing"] | (sites["kind"] == "entrance")).to_numpy(bool)
    if streets is None or not len(streets):
        covers = np.zeros((len(sites), 0), bool)
        dwellings = np.zeros(0)
    else:
        x, y = streets["x"].to_numpy(float), streets["y"].to_numpy(float)
        away = np.hypot(sites.geometry.x.to_numpy()[:, None] - x, sites.geometry.y.to_numpy()[:, None] - y)
        covers, dwellings = away <= reach, streets["dwellings"].to_numpy(float)
    taken = _cover(covers, dwellings, fixed, max(wanted - int(fixed.sum()), 0))
    rows: list[tuple[object, ...]] = []
    for at in np.flatnonzero(taken):
        site = sites.iloc[at]
        rows.append(
            (number, site["site"], site["kind"], site["place"], site.geometry.x, site.geometry.y,
             int(covers[at].sum()), int(dwellings[covers[at]].sum()), bool(site["existing"]), "")
        )  # fmt: skip
    if streets is not None and len(streets):
        reached: NDArray[np.bool_] = np.asarray(covers[taken].any(axis=0))
        for which in _largest(dwellings, reached, wanted - len(rows)):
            street = streets.iloc[which]
            rows.append((number, street["street"], "street", street["place"], street["x"], street["y"],
                         1, int(dwellings[which]), False, ""))  # fmt: skip
    return rows


def _cover(
    covers: NDArray[np.bool_], homes: NDArray[np.float64], fixed: NDArray[np.bool_], more: int
) -> NDArray[np.bool_]:
    """Sites that cover most homes with so many more than the fixed ones; fewer where fewer cover the same."""
    import numpy as np

    taken, seen = fixed.copy(), covers[fixed].any(axis=0)
    for _ in range(more):
        gain = np.where(taken, 0.0, (covers & ~seen) @ homes)
        if not len(gain) or gain.max() <= 0:
            break
        best = int(gain.argmax())
        taken[best] = True
        seen |= covers[best]
    fewer = _fewest(covers[:, seen], fixed, int(taken.sum()))
    return taken if fewer is None else fewer


def _fewest(covers: NDArray[np.bool_], fixed: NDArray[np.bool_], most: int) -> NDArray[np.bool_] | None:
    """The fewest sites that cover the same streets; None where greedy has them already."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint

    from peelian.plan.solver import milp

    if not covers.any() or most <= int(fixed.sum()) + 1:
        return None
    answer = milp(
        np.ones(len(fixed)), constraints=LinearConstraint(covers.T.astype(float), 1, np.inf),
        integrality=np.ones(len(fixed)), bounds=Bounds(fixed.astype(float), 1), options={"time_limit": 10.0},
    )  # fmt: skip
    if answer.x is None or round(answer.fun) >= most:
        return None
    return np.round(answer.x).astype(bool)


def _largest(homes: NDArray[np.float64], covered: NDArray[np.bool_], number: int) -> list[int]:
    """Streets for further signs: uncovered ones of most homes first, then where most homes share one."""
    import numpy as np

    given = covered.astype(float)
    found = []
    for _ in range(max(number, 0)):
        share = homes / (given + 1)
        if share.max() <= 0:
            break
        best = int(np.argmax(share))
        given[best] += 1
        found.append(best)
    return found


def _chosen_area(plan: Plan, places: Places, sites: gpd.GeoDataFrame) -> list[str]:
    """The chosen area that each site stands in or at the edge of; blank outside. Refuses signs elsewhere."""
    import numpy as np

    chosen = places.select(plan.chosen.index)
    pair, away = chosen.frame.sindex.nearest(sites.geometry.array, return_all=False, return_distance=True)
    found = np.full(len(sites), "", object)
    inside = away <= EDGE
    found[pair[0][inside]] = np.asarray(chosen.index)[pair[1][inside]]
    strange = sites[(found == "") & sites["existing"].to_numpy(bool)]
    there = places.locate(strange.geometry).dropna() if len(strange) else []
    if len(there):
        raise DesignError(
            f"{some(strange.loc[there.index, 'site'])} has a sign already but stands in an area that is not "
            "treated: it would spoil the comparison. Take the sign down, or leave the area out with must_not."
        )
    return list(found)


def _groups(plan: Plan, places: Places) -> gpd.GeoSeries:
    """The chosen areas, those that touch as one shape each."""
    import geopandas as gpd

    shapes = places.select(plan.chosen.index).geometry.buffer(EDGE / 2).union_all()
    parts = list(getattr(shapes, "geoms", [shapes]))
    return gpd.GeoSeries([part.buffer(-EDGE / 2) for part in parts], crs=places.crs)


def _group_of(plan: Plan, places: Places) -> pd.Series:
    """By chosen area: the number of its group, in order of the group's first area by rank."""
    import pandas as pd

    shapes = _groups(plan, places)
    points = places.select(plan.chosen.index).points.reindex(plan.chosen.index)
    _, code = shapes.sindex.nearest(points.array, return_all=False)
    return pd.Series(pd.factorize(code)[0] + 1, plan.chosen.index)


def _on(points: gpd.GeoSeries, places: Places, what: str) -> gpd.GeoSeries:
    if points.crs is None:
        raise DataError(f"The {what} have no CRS, so they cannot be placed. Say which it is.")
    return points.to_crs(places.crs)
