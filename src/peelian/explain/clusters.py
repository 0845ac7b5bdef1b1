"""Hot spots of any shape: points that lie thick, put together where they are within reach of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

Array = Any


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of incidents that lie thick.

    ``frame``   one row a cluster, heaviest first: ``incidents``, ``weight``, ``hectares`` (ground within half
                of ``eps`` of its incidents), ``density`` (weight a hectare), ``pai`` (share of the weight
                over share of the study area).
    ``label``   number of the cluster of each incident, 0 the heaviest; -1 where it lies alone.
    ``shapes``  the ground of each cluster, with the same columns.
    """

    frame: pd.DataFrame
    label: pd.Series
    shapes: gpd.GeoDataFrame
    eps: float
    least: float
    accounting: dict[str, int]
    crime: str = "crime"

    def __str__(self) -> str:
        held, all_ = int(self.frame["incidents"].sum()), self.accounting["used"]
        if not len(self.frame):
            return (
                f"No incident of {self.crime} has a weight of {self.least:g} or more within {self.eps:g} m."
            )
        first = self.frame.iloc[0]
        return (
            f"{len(self.frame):,} clusters of {self.crime} (a weight of {self.least:g} in {self.eps:g} m) "
            f"hold {held:,} of {all_:,} incidents; the heaviest {first['incidents']:,.0f} on "
            f"{first['hectares']:,.1f} ha."
        ).replace("1 clusters of", "1 cluster of", 1 if len(self.frame) == 1 else 0)


def hotspot_clusters(
    incidents: Incidents, places: Places, *, eps: float, least: float, weights: pd.Series | None = None,
    crime: str = "crime",
) -> Clusters:  # fmt: skip
    """Hot spots of any shape, by how thick incidents lie (DBSCAN; Ester, Kriegel, Sander & Xu 1996).

    ``eps``  metres; ``least``  weight within them, the incident's own included, from which it is the core of
    a cluster. Cores within ``eps`` of each other are one cluster; an incident within ``eps`` of a core goes
    to the nearest. ``weights``  harm by incident (1 each by default), on their index.

    Clusters are found, not tested: chance makes some too. Raises ``DesignError`` for ``eps`` or ``least`` not
    above 0, ``DataError`` for weights that are negative or missing.
    """
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import shapely

    from peelian.explain.measure import study_area

    if not eps > 0 or not least > 0:
        raise DesignError(f"eps and least must be above 0; got {eps} and {least}.")
    inside = incidents.place_of(places).notna()
    held = incidents.frame[inside]
    points = shapely.get_coordinates(held.geometry.to_crs(places.crs).to_numpy())
    weight = np.ones(len(held)) if weights is None else weights.reindex(held.index).to_numpy(float)
    if not (weight >= 0).all():
        raise DataError("Weights must be numbers of at least 0 for every incident.")
    label = thick(points, weight, eps, least)
    ground = float(study_area(places).area if places.kind == "street" else places.areas.sum())
    rows, shapes = [], []
    for number in range(label.max() + 1 if len(label) else 0):
        mine = label == number
        spots = np.unique(points[mine], axis=0)
        shapes.append(shapely.union_all(shapely.buffer(shapely.points(spots), eps / 2)))
        area = float(shapes[-1].area)
        heavy = float(weight[mine].sum())
        rows.append(
            (int(mine.sum()), heavy, area / 1e4, heavy / area * 1e4, heavy / weight.sum() / (area / ground))
        )
    frame = pd.DataFrame(rows, columns=["incidents", "weight", "hectares", "density", "pai"])
    located = int(incidents.located.sum())
    account = {
        "rows read": incidents.rows_read, "refused on reading": len(incidents.rejected),
        "without a point": len(incidents) - located, "outside the study area": located - len(held),
        "used": len(held),
    }  # fmt: skip
    ground_of = gpd.GeoDataFrame(frame, geometry=shapes, crs=places.crs)
    return Clusters(
        frame, pd.Series(label, held.index, name="cluster"), ground_of, eps, least, account, crime
    )


def thick(points: Array, weight: Array, eps: float, least: float) -> Array:
    """Number of the cluster of each point, 0 the heaviest; -1 for those in none.

    >>> import numpy as np
    >>> line = np.array([[0.0, 0], [1, 0], [2, 0], [9, 0]])
    >>> thick(line, np.ones(4), 1.5, 3).tolist()
    [0, 0, 0, -1]
    """
    import numpy as np
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    if not len(points):
        return np.zeros(0, np.int64)
    spots, at = np.unique(points, axis=0, return_inverse=True)  # snapped points lie on each other
    at = at.ravel()
    heavy = np.bincount(at, weight, len(spots))
    tree = cKDTree(spots)
    near = sparse.csr_array(tree.sparse_distance_matrix(tree, eps, output_type="coo_matrix"))
    near.data[:] = 1.0
    near.setdiag(1.0)
    core = np.flatnonzero(near @ heavy >= least)
    found = np.full(len(spots), -1, np.int64)
    if len(core):
        found[core] = connected_components(near[core][:, core], directed=False)[1]
        others = np.setdiff1d(np.arange(len(spots)), core)
        away, nearest = cKDTree(spots[core]).query(spots[others], distance_upper_bound=eps * (1 + 1e-12))
        reached = np.isfinite(away)
        found[others[reached]] = found[core[nearest[reached]]]
        sums = np.bincount(found[found >= 0], heavy[found >= 0])
        rank = np.empty(len(sums), np.int64)
        rank[np.argsort(-sums, kind="stable")] = np.arange(len(sums))
        found[found >= 0] = rank[found[found >= 0]]
    return found[at]
