"""From features to candidate influences: near one, or where many lie, at each of several distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, DesignError, PrivacyError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.layers import Layer, Layers
    from peelian.places import Places

Array = Any
Increment = Literal["half", "whole"]
MOST_PAIRS = 20_000_000
LINE_STEP, AREA_STEP = 10.0, 25.0


@dataclass(frozen=True, eq=False)
class Influence:
    """Candidate columns on the places' index, what each one is, and which were dropped and why.

    ``columns``  0/1 (0/-1 for protective layers), one column a candidate.
    ``meta``     by column: ``rtmdx`` (RTMDx name), ``factor``, ``operation``, ``distance`` (metres), ``cut``
                 (kernel sum from which a cell counts as dense), ``sign`` (1 or -1), ``ones`` (cells).
    ``dropped``  rows of name, factor, reason.
    """

    columns: pd.DataFrame
    meta: pd.DataFrame
    dropped: pd.DataFrame

    @property
    def factors(self) -> list[str]:
        """The factors with at least one candidate, in order."""
        return list(dict.fromkeys(self.meta["factor"]))


def distances_of(block: float, blocks: int = 3, increment: Increment = "half") -> list[float]:
    """The distances tried: half or whole block lengths up to ``blocks`` of them, in metres.

    >>> distances_of(500, 3)
    [250.0, 500.0, 750.0, 1000.0, 1250.0, 1500.0]
    >>> distances_of(500, 3, "whole")
    [500.0, 1000.0, 1500.0]
    """
    if not block > 0 or blocks not in (1, 2, 3, 4):
        raise DesignError(f"block needs metres above 0 and blocks 1 to 4; got {block} and {blocks}.")
    step, count = (block / 2, 2 * blocks) if increment == "half" else (float(block), blocks)
    return [step * k for k in range(1, count + 1)]


def operationalise(
    layers: Layers, places: Places, *, distances: Sequence[float], operations: str = "both",
    min_cells: int = 1, fitted: Array | None = None, period: tuple[Any, Any] | None = None,
) -> Influence:  # fmt: skip
    """What each layer could mean for a place: within a distance of one, or where they lie thick.

    Proximity at d: 1 where the nearest feature is at most d metres from the place's centre (0 inside an
    area). Density at d: 1 where the Epanechnikov kernel sum of bandwidth d reaches the mean plus two
    standard deviations over the places in the fit (``fitted``, a mask; all by default). Distances are
    exact. Layers marked protective get -1 for 1, those marked ``either`` both.

    Raises ``DataError`` for a layer without a feature within reach. Source: Caplan, Kennedy & Miller (2011).
    """
    import numpy as np
    import pandas as pd

    fitted = np.ones(len(places), bool) if fitted is None else np.asarray(fitted, bool)
    centres = np.column_stack([places.points.x, places.points.y])
    found: dict[str, Array] = {}
    about = []
    for number, name in enumerate(layers, start=1):
        layer = layers[name]
        features = open_during(layer.features, period)
        if not len(features):
            raise DataError(f"Layer {name} has no feature that was open in the period.")
        wanted = layer.operations if operations == "both" else operations
        for operation in ("proximity", "density") if wanted == "both" else (wanted,):
            raw, cuts = _measure(operation, features.to_crs(places.crs), centres, distances, fitted)
            for step, (d, column, cut) in enumerate(zip(distances, raw, cuts, strict=True), start=1):
                for sign in {"protective": (-1,), "either": (1, -1)}.get(layer.sign, (1,)):
                    label = f"{name}_{operation}_{d:g}" + ("_protective" if sign < 0 else "")
                    found[label] = (sign * column).astype(np.int8)
                    code = f"r{number:02d}{operation[0]}{step:02d}_{name}_{operation}_{d:g}"
                    about.append((label, code, name, operation, d, cut, sign, int(column.sum())))
    meta = pd.DataFrame(
        about, columns=["name", "rtmdx", "factor", "operation", "distance", "cut", "sign", "ones"]
    ).set_index("name")
    return _drop(pd.DataFrame(found, index=places.index), meta, fitted, min_cells)


def given_columns(
    columns: pd.DataFrame, factor_of: dict[str, str], *, fitted: Array | None = None, min_cells: int = 1
) -> Influence:
    """Candidates that the user made: 0/1 (or 0/-1) columns, each belonging to a factor."""
    import numpy as np
    import pandas as pd

    missing = [name for name in columns if name not in factor_of]
    if missing:
        raise DataError(f"factor_of does not say to which factor these columns belong: {missing[:5]}.")
    values = columns.to_numpy()
    if not np.isin(values, (-1, 0, 1)).all() or ((values > 0).any(0) & (values < 0).any(0)).any():
        raise DataError("Candidate columns must hold 0 and 1, or 0 and -1 for protective ones, only.")
    sign = np.where((values < 0).any(axis=0), -1, 1)
    meta = pd.DataFrame(
        {"rtmdx": list(columns), "factor": [factor_of[name] for name in columns], "operation": "given",
         "distance": np.nan, "cut": np.nan, "sign": sign, "ones": (values != 0).sum(axis=0)},
        index=pd.Index(columns.columns, name="name"),
    )  # fmt: skip
    fitted = np.ones(len(columns), bool) if fitted is None else fitted
    return _drop(columns.astype(np.int8), meta, fitted, min_cells)


def _drop(columns: pd.DataFrame, meta: pd.DataFrame, fitted: Array, min_cells: int) -> Influence:
    """Leave out candidates that cannot tell places apart, or that say what another says."""
    import numpy as np
    import pandas as pd

    seen: dict[bytes, str] = {}
    reasons: dict[str, str] = {}
    density = (meta["operation"] == "density").to_numpy()
    order = np.lexsort((np.arange(len(meta)), meta["distance"].fillna(0), density))
    values = columns.to_numpy()[fitted]
    for at in order:
        name, column = columns.columns[at], values[:, at]
        ones = int((column != 0).sum())
        if ones == 0:
            reasons[name] = "no cell has it"
        elif ones == len(column):
            reasons[name] = "every cell has it"
        elif ones < min_cells:
            reasons[name] = f"only {ones} cells have it"
        elif (key := column.tobytes()) in seen:
            reasons[name] = f"the same cells as {seen[key]}"
        else:
            seen[key] = name
    kept = [name for name in columns if name not in reasons]
    gone = [(name, meta.at[name, "factor"], reasons[name]) for name in columns if name in reasons]
    dropped = pd.DataFrame(gone, columns=["name", "factor", "reason"])
    return Influence(columns[kept], meta.loc[kept], dropped)


# -------------------------------------------------------------------- measuring
def remeasured(
    layer: Any, places: Places, meta: pd.DataFrame, *, period: tuple[Any, Any] | None = None
) -> pd.DataFrame:
    """The candidates of ``meta`` for a layer with other features, dense from the same limits as before."""
    import numpy as np
    import pandas as pd

    features = open_during(layer.features, period).to_crs(places.crs)
    centres = np.column_stack([places.points.x, places.points.y])
    columns: dict[str, Array] = {}
    for name, about in meta.iterrows():
        held = np.zeros(len(centres), bool)
        if len(features) and about["operation"] == "proximity":
            nearest = nearest_distance(features.geometry.to_numpy(), centres, about["distance"])
            held = nearest <= about["distance"]
        elif len(features):
            sums = kernel_sums(*as_points(features), centres, [about["distance"]])[0]
            # the limit is a mean of sums of many terms: the last digits are not to decide
            held = (sums >= about["cut"] * (1 - 1e-12)) & (sums > 0)
        columns[str(name)] = (about["sign"] * held).astype(np.int8)
    return pd.DataFrame(columns, index=places.index)


def _measure(
    operation: str, features: gpd.GeoDataFrame, centres: Array, distances: Sequence[float], fitted: Array
) -> tuple[list[Array], list[float]]:
    import numpy as np

    if operation == "proximity":
        nearest = nearest_distance(features.geometry.to_numpy(), centres, max(distances))
        return [nearest <= d for d in distances], [float("nan")] * len(distances)
    sums = kernel_sums(*as_points(features), centres, distances)
    cuts = [float(f[fitted].mean() + 2 * f[fitted].std(ddof=1)) for f in sums]
    # a layer beyond reach has sums of zero everywhere, and zero is not dense
    return [(f >= cut) & (f > 0) for f, cut in zip(sums, np.asarray(cuts), strict=True)], cuts


def nearest_distance(shapes: Array, centres: Array, reach: float) -> Array:
    """Metres from each centre to the nearest feature; infinity beyond ``reach``.

    >>> import numpy as np, shapely
    >>> nearest_distance(shapely.points([[0, 0]]), np.array([[3.0, 4.0], [30, 40]]), 10)
    array([ 5., inf])
    """
    import numpy as np
    import shapely
    from scipy.spatial import cKDTree

    if (shapely.get_type_id(shapes) == 0).all():
        tree = cKDTree(shapely.get_coordinates(shapes))
        return tree.query(centres, distance_upper_bound=np.nextafter(reach, np.inf) * (1 + 1e-12))[0]
    nearest = np.full(len(centres), np.inf)
    (at, _), metres = shapely.STRtree(shapes).query_nearest(
        shapely.points(centres), max_distance=reach, return_distance=True, all_matches=False
    )
    nearest[at] = metres
    return nearest


def kernel_sums(points: Array, weight: Array, centres: Array, distances: Sequence[float]) -> list[Array]:
    """Epanechnikov sums at each centre: of w 2/(pi d^2) (1 - (r/d)^2) over the points nearer than d.

    One array a distance, per square metre.

    >>> import numpy as np
    >>> f = kernel_sums(np.zeros((1, 2)), np.ones(1), np.array([[0.0, 0], [10, 0]]), [10])[0]
    >>> [round(float(v * np.pi * 100 / 2), 9) for v in f]
    [1.0, 0.0]
    """
    import numpy as np
    from scipy.spatial import cKDTree

    reach, n = max(distances), len(centres)
    sums = [np.zeros(n) for _ in distances]
    tree = cKDTree(centres)
    spread = np.ptp(centres, axis=0)
    each = max(1.0, n * np.pi * reach**2 / max(float(spread[0] * spread[1]), reach**2))
    chunk = max(1, int(MOST_PAIRS / each))
    for begin in range(0, len(points), chunk):
        part = slice(begin, begin + chunk)
        pairs = cKDTree(points[part]).sparse_distance_matrix(tree, reach, output_type="ndarray")
        w = weight[part][pairs["i"]]
        for at, d in enumerate(distances):
            near = pairs["v"] < d
            lift = w[near] * (1 - (pairs["v"][near] / d) ** 2)
            sums[at] += np.bincount(pairs["j"][near], lift, n) * (2 / (np.pi * d**2))
    return sums


def as_points(features: gpd.GeoDataFrame) -> tuple[Array, Array]:
    """Features as weighted points: lines every 10 m (by length), areas on a 25 m lattice (by area)."""
    import numpy as np
    import shapely

    features = features.explode(ignore_index=True)
    shapes = features.geometry.to_numpy()
    own = features["weight"].to_numpy(float) if "weight" in features else np.ones(len(features))
    if (shapely.get_type_id(shapes) == 0).all():
        return shapely.get_coordinates(shapes), own
    points, weights = [], []
    for shape, weight in zip(shapes, own, strict=True):
        xy, part = _lattice(shape)
        points.append(xy)
        weights.append(np.full(len(xy), part * weight))
    return np.vstack(points), np.concatenate(weights)


def _lattice(shape: Any) -> tuple[Array, float]:
    """Points that stand for one shape, and how much of it each stands for."""
    import numpy as np
    import shapely

    if shape.area > 0:
        west, south, east, north = shape.bounds
        x = np.arange(np.floor(west / AREA_STEP) + 0.5, np.ceil(east / AREA_STEP)) * AREA_STEP
        y = np.arange(np.floor(south / AREA_STEP) + 0.5, np.ceil(north / AREA_STEP)) * AREA_STEP
        xy = np.column_stack([a.ravel() for a in np.meshgrid(x, y)]).reshape(-1, 2)
        xy = xy[shapely.contains_xy(shape, xy[:, 0], xy[:, 1])]
        if not len(xy):
            xy = shapely.get_coordinates(shape.representative_point())
        return xy, shape.area / len(xy)
    if shape.length > 0:
        count = max(1, round(shape.length / LINE_STEP))
        at = (np.arange(count) + 0.5) / count
        xy = shapely.get_coordinates(shapely.line_interpolate_point(shape, at, normalized=True))
        return xy, shape.length / count
    xy = shapely.get_coordinates(shape)
    return xy, 1.0


# -------------------------------------------------------------------- at the door
def open_during(features: gpd.GeoDataFrame, period: tuple[Any, Any] | None) -> gpd.GeoDataFrame:
    """Only the features open at some time in the period (first and last month), where dates are given."""
    import pandas as pd

    if period is None:
        return features
    first, last = period
    keep = pd.Series(True, index=features.index)
    if "open_from" in features:
        opened = pd.to_datetime(features["open_from"].astype("str"), errors="coerce")
        keep &= opened.isna() | (opened <= last.end_time)
    if "open_to" in features:
        closed = pd.to_datetime(features["open_to"].astype("str"), errors="coerce")
        keep &= closed.isna() | (closed >= first.start_time)
    return features[keep]


def inside(layer: Layer, places: Places, *, period: tuple[Any, Any] | None = None) -> int:
    """How many features of a layer lie in the study area (and were open in the period)."""
    import shapely

    features = open_during(layer.features, period).to_crs(places.crs)
    shapes = features.geometry
    if (shapely.get_type_id(shapes.to_numpy()) == 0).all():
        return int(places.locate(shapes).notna().sum())
    feature, _ = places.frame.sindex.query(shapes, predicate="intersects")
    return len(set(feature.tolist()))


def refuse_police_activity(layers: Layers, reason: str | None) -> None:
    """Raise ``PrivacyError`` where a layer follows police, not risk, unless a reason is given."""
    found = [name for name in layers if layers[name].kind == "police-activity"]
    if found and not (reason or "").strip():
        raise PrivacyError(
            f"Layer {', '.join(found)} records police activity: stops, arrests and patrols follow police, "
            'not risk. Leave it out, or give allow_police_activity = "reason": it is printed in the report.'
        )


def refuse_outcomes(layers: Layers, points: Array, places: Places, reason: str | None) -> None:
    """Raise ``DesignError`` where a layer is the crime itself: more than half of its points are incidents'.

    ``points``  coordinates of the incidents (rows x 2), in the places' CRS.
    """
    import shapely

    if (reason or "").strip():
        return
    known = set(map(tuple, points.round(2).tolist()))
    for name in layers:
        shapes = layers[name].features.to_crs(places.crs).geometry.to_numpy()
        if not (shapely.get_type_id(shapes) == 0).all():
            continue
        here = [tuple(xy) in known for xy in shapely.get_coordinates(shapes).round(2).tolist()]
        if sum(here) > len(here) / 2:
            raise DesignError(
                f"{sum(here):,} of {len(here):,} features of layer {name} lie exactly on incidents: it seems "
                "to be where the crime is recorded, not a feature of the place. Leave it out, or give "
                'allow_outcome_factor = "reason".'
            )


def edge_gaps(layers: Layers, places: Places, reach: float, counts: dict[str, int]) -> list[str]:
    """Layers that stop at the boundary: none in the ring of width ``reach`` outside, where more than five
    would be expected at the density inside."""
    study = places.geometry.union_all()
    ring = study.buffer(reach).difference(study)
    gaps = []
    for name in layers:
        features = layers[name].features.to_crs(places.crs)
        expected = counts[name] / study.area * ring.area
        if expected > 5 and not len(features.sindex.query(ring, predicate="intersects")):
            gaps.append(name)
    return gaps
