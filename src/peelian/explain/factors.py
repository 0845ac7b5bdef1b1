"""From features to candidate influences: near one, or where many lie, at each of several distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, DesignError, PrivacyError
from peelian.explain.measure import Ground, How, study_area

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.values import Valued
    from peelian.layers import Layer, Layers
    from peelian.places import Places

Array = Any
Increment = Literal["half", "whole"]


@dataclass(frozen=True, eq=False)
class Influence:
    """Candidate columns on the places' index, what each one is, and which were dropped and why.

    ``columns``  0/1 (0/-1 for protective layers), one column a candidate.
    ``meta``     by column: ``rtmdx`` (RTMDx name), ``factor``, ``operation``, ``distance`` (metres), ``cut``
                 (kernel sum from which a cell counts as dense), ``sign`` (1 or -1), ``ones`` (cells).
    ``dropped``  rows of name, factor, reason. ``notes``  what should be known of the measuring.
    """

    columns: pd.DataFrame
    meta: pd.DataFrame
    dropped: pd.DataFrame
    notes: tuple[str, ...] = ()

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
    how: How | None = None,
) -> Influence:  # fmt: skip
    """What each layer could mean for a place: within a distance of one, or where they lie thick.

    Proximity at d: 1 where the nearest feature is at most d metres from the place's centre (0 inside an
    area). Density at d: 1 where the Epanechnikov kernel sum of bandwidth d reaches the mean plus two
    standard deviations over the places in the fit (``fitted``, a mask; all by default). Distances are
    exact. Layers marked protective get -1 for 1, those marked ``either`` both. ``how``  other ways to
    measure: along streets, over the whole of a place, with another rule of what is dense.

    Raises ``DataError`` for a layer without a feature within reach. Source: Caplan, Kennedy & Miller (2011).
    """
    import numpy as np
    import pandas as pd

    fitted = np.ones(len(places), bool) if fitted is None else np.asarray(fitted, bool)
    how = how or How()
    ground = Ground.of(places, how)
    held = fitted if ground.owner is None else fitted[ground.owner]
    found: dict[str, Array] = {}
    about = []
    for number, name in enumerate(layers, start=1):
        layer = layers[name]
        features = open_during(layer.features, period)
        if not len(features):
            raise DataError(f"Layer {name} has no feature that was open in the period.")
        near, sums = ground.near_and_kernels(features.to_crs(places.crs), distances)
        wanted = layer.operations if operations == "both" else operations
        for operation in ("proximity", "density") if wanted == "both" else (wanted,):
            for step, d in enumerate(distances, start=1):
                cut = how.cut(sums[step - 1][held]) if operation == "density" else float("nan")
                marks = near[step - 1] if operation == "proximity" else dense(sums[step - 1], cut)
                column = ground.by_place(marks)
                for sign in {"protective": (-1,), "either": (1, -1)}.get(layer.sign, (1,)):
                    label = f"{name}_{operation}_{d:g}" + ("_protective" if sign < 0 else "")
                    found[label] = column if sign > 0 else -column
                    code = f"r{number:02d}{operation[0]}{step:02d}_{name}_{operation}_{d:g}"
                    about.append((label, code, name, operation, d, cut, sign, int(np.count_nonzero(column))))
    meta = pd.DataFrame(
        about, columns=["name", "rtmdx", "factor", "operation", "distance", "cut", "sign", "ones"]
    ).set_index("name")
    influence = _drop(pd.DataFrame(found, index=places.index), meta, fitted, min_cells)
    return replace(influence, notes=tuple(ground.notes))


def by_value(valued: Valued, places: Places, fitted: Array) -> Influence:
    """Candidates from values of places (a raster, a census count): 1 where one lies above a limit (-1 where
    it is expected to protect)."""
    import numpy as np
    import pandas as pd

    found: dict[str, Array] = {}
    about, notes, nan = [], [], float("nan")
    for name in valued.names:
        value, limits, note = valued.steps(name, places, fitted)
        notes += note
        for step, cut in enumerate(limits, start=1):
            column = (value > cut).astype(np.int8)
            for sign in {"protective": (-1,), "either": (1, -1)}.get(valued.sign(name), (1,)):
                label = f"{name}_above_{cut:g}" + ("_protective" if sign < 0 else "")
                found[label] = column * np.int8(sign)
                about.append(
                    (label, f"v{step:02d}_{label}", name, "value", nan, cut, sign, int(column.sum()))
                )
    columns = ["name", "rtmdx", "factor", "operation", "distance", "cut", "sign", "ones"]
    meta = pd.DataFrame(about, columns=columns).set_index("name")
    return replace(_drop(pd.DataFrame(found, index=places.index), meta, fitted, 1), notes=tuple(notes))


def joined(one: Influence, other: Influence) -> Influence:
    """The candidates of both."""
    import pandas as pd

    return Influence(
        pd.concat([one.columns, other.columns], axis=1), pd.concat([one.meta, other.meta]),
        pd.concat([one.dropped, other.dropped], ignore_index=True), (*one.notes, *other.notes),
    )  # fmt: skip


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
    values = np.ascontiguousarray(columns.to_numpy().T)  # a candidate a row
    if not fitted.all():
        values = values[:, fitted]
    for at in order:
        name, column = columns.columns[at], values[at]
        ones = int((column != 0).sum())
        if ones == 0:
            reasons[name] = "no cell has it"
        elif (column == column[0]).all():
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
    layer: Any, places: Places, meta: pd.DataFrame, *, period: tuple[Any, Any] | None = None,
    how: How | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The candidates of ``meta`` for a layer with other features, dense from the same limits as before."""
    import pandas as pd

    features = open_during(layer.features, period).to_crs(places.crs)
    ground = Ground.of(places, how or How())
    distances = sorted({float(d) for d in meta["distance"]})
    near, sums = ground.near_and_kernels(features, distances)
    columns: dict[str, Array] = {}
    for name, about in meta.iterrows():
        at = distances.index(about["distance"])
        # the limit is a mean of sums of many terms: the last digits are not to decide
        marks = near[at] if about["operation"] == "proximity" else dense(sums[at], about["cut"] * (1 - 1e-12))
        columns[str(name)] = about["sign"] * ground.by_place(marks)
    return pd.DataFrame(columns, index=places.index)


def dense(sums: Array, cut: float) -> Array:
    """Where features lie thick; a layer beyond reach has sums of nothing everywhere, which is not thick."""
    return (sums >= cut) & (sums > 0)


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
    study = study_area(places)
    ring = study.buffer(reach).difference(study)
    gaps = []
    for name in layers:
        features = layers[name].features.to_crs(places.crs)
        expected = counts[name] / study.area * ring.area
        if expected > 5 and not len(features.sindex.query(ring, predicate="intersects")):
            gaps.append(name)
    return gaps
