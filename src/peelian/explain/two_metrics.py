"""Straight lines and ways along streets beside each other: what each says of every factor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peelian.report import Block, Table, Text

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.layers import Layers
    from peelian.places import Places

SNAP = 100.0  # metres to the nearest street beyond which distances are straight
NAMES = {"straight": "straight line", "network": "along streets"}
SIDE = {"replicates": 0, "shift": False, "sensitivity": False, "permutations": 0}


@dataclass(frozen=True, eq=False)
class TwoMetrics:
    """One model by straight lines and one by ways along streets, on the same incidents and features.

    ``factors``  one row a factor that either model chooses: by metric (``straight_``, ``network_``)
                 ``where``, ``distance`` (metres), ``times`` with ``low`` and ``high`` (95 %, allowing for
                 cells of one tile being alike), the share of ``places`` that lie so and the share of
                 ``incidents`` that they hold (in-sample); missing where that model does not choose it.
    ``models``   one row a metric: ``factors`` chosen, ``bic``, ``deviance`` (a cell, on tiles left out; of
                 the modern mode), ``capture`` (share of the incidents in the top 5 % of places, in-sample),
                 ``capture_later`` (fitted on the first half, of the second half's incidents).
    ``snaps``    places and features of each layer, and how many lie too far from every street, so that
                 their distances are straight in both.
    """

    factors: pd.DataFrame
    models: pd.DataFrame
    snaps: pd.DataFrame
    asked: str

    def __str__(self) -> str:
        both = int((self.factors["straight_times"].notna() & self.factors["network_times"].notna()).sum())
        straight, network = (self.models.set_index("metric").loc[k] for k in NAMES)
        measure, unit = ("deviance", " a cell on tiles left out") if straight["deviance"] > 0 else ("bic", "")
        name = {"deviance": "deviance", "bic": "BIC"}[measure]
        form = ",.4f" if measure == "deviance" else ",.1f"
        better = network[measure] < straight[measure]
        closer = NAMES["network" if better else "straight"]
        return (
            f"Ways along streets choose {network['factors']:.0f} factors and straight lines "
            f"{straight['factors']:.0f}, {both} of them in both. The closer fit: {closer} ({name}{unit} "
            f"{network[measure]:{form}} along streets, {straight[measure]:{form}} straight)."
        )


def compared(
    fit: Callable[..., RiskTerrain], terrain: RiskTerrain, layers: Layers, places: Places,
    streets: gpd.GeoSeries, *, asked: str,
) -> TwoMetrics:  # fmt: skip
    """The terrain beside the one by the other metric, fitted to the same question without resamples.

    ``fit``  makes a terrain; takes ``streets`` (lines, or None for straight lines) and the keys of ``rtm``.
    ``asked``  the metric of ``terrain``: ``euclidean`` or ``network``.
    """
    other = fit(streets=None if asked == "network" else streets, **SIDE)
    by = (
        {"network": terrain, "straight": other}
        if asked == "network"
        else {"straight": terrain, "network": other}
    )
    return TwoMetrics(factor_frame(by), model_frame(by), snap_frame(layers, places, streets), asked)


def factor_frame(by: Mapping[str, RiskTerrain]) -> pd.DataFrame:
    """Every factor that one of two terrains chooses, with what each says; strongest along streets first."""
    import numpy as np
    import pandas as pd

    chosen = {name: terrain.terms.set_index("factor") for name, terrain in by.items()}
    rows = []
    for factor in dict.fromkeys([*chosen["straight"].index, *chosen["network"].index]):
        row: dict[str, Any] = {"factor": factor}
        for name in NAMES:
            held = chosen[name].loc[factor] if factor in chosen[name].index else None
            row |= {
                f"{name}_where": "" if held is None else by[name].words[held["variable"]],
                f"{name}_distance": np.nan if held is None else held["distance"],
                f"{name}_times": np.nan if held is None else held["times"],
                f"{name}_low": np.nan if held is None else held["robust_low"],
                f"{name}_high": np.nan if held is None else held["robust_high"],
            }
            row |= dict(zip((f"{name}_places", f"{name}_incidents"), _holds(by[name], held), strict=True))
        rows.append(row)
    what = ("where", "distance", "times", "low", "high", "places", "incidents")
    frame = pd.DataFrame(rows, columns=["factor", *(f"{name}_{part}" for name in NAMES for part in what)])
    return frame.sort_values(
        ["network_times", "straight_times", "factor"], ascending=[False, False, True], ignore_index=True
    )


def _holds(terrain: RiskTerrain, held: Any) -> tuple[float, float]:
    """The share of places where a factor bears, and of the incidents in them."""
    if held is None:
        return float("nan"), float("nan")
    near = terrain.influences[held["variable"]].abs().to_numpy(float)
    counts = terrain.counts.to_numpy(float)
    return float(near.mean()), float(near @ counts / counts.sum())


def model_frame(by: Mapping[str, RiskTerrain]) -> pd.DataFrame:
    """How each of two terrains fits, and how much crime its top places hold."""
    import pandas as pd

    from peelian.explain.terrain import captured

    rows = []
    for name in NAMES:
        terrain = by[name]
        criteria = terrain.information_criteria.set_index("family")["bic"]
        deviance = terrain.inference.get("deviance", {}).get(terrain.inference.get("rule"), float("nan"))
        rows.append({
            "metric": name, "factors": len(terrain.terms), "family": terrain.family,
            "bic": float(criteria[terrain.family]), "deviance": float(deviance),
            "capture": captured(terrain.times_average, terrain.counts, 0.05, terrain.extent.weights()),
            "capture_later": terrain.inference.get("capture", {}).get("terrain", float("nan")),
        })  # fmt: skip
    return pd.DataFrame(rows)


def snap_frame(layers: Layers, places: Places, streets: gpd.GeoSeries) -> pd.DataFrame:
    """How many places, and features of each layer, lie too far from every street to be set on one."""
    import numpy as np
    import pandas as pd

    from peelian.explain.measure import as_points
    from peelian.explain.streets import lines_of, set_on

    lines = lines_of(streets.to_crs(places.crs))
    middle = places.points
    points = {"places": np.column_stack([middle.x, middle.y])}
    points |= {name: as_points(layers[name].features.to_crs(places.crs))[0] for name in layers}
    rows = [
        {"what": name, "points": len(xy), "far": int((~set_on(lines, xy, SNAP).known).sum())}
        for name, xy in points.items()
    ]
    return pd.DataFrame(rows)


# -------------------------------------------------------------------- in the chapter
CLOSER = (
    "A closer fit does not say which way people go: places without streets lie far from everything along "
    "streets, so that metric also tells where homes are."
)
FORMATS = {
    "Straight, times": ",.2f", "Straight, low": ",.2f", "Straight, high": ",.2f",
    "Along streets, times": ",.2f", "Along streets, low": ",.2f", "Along streets, high": ",.2f",
}  # fmt: skip


def blocks(found: TwoMetrics) -> list[Block]:
    """Both metrics in sentences and tables."""
    import pandas as pd

    from peelian.explain.report import label

    columns: dict[str, Any] = {"Factor": found.factors["factor"].map(label)}
    for name, title in (("straight", "Straight"), ("network", "Along streets")):
        parts = {part: found.factors[f"{name}_{part}"] for part in ("times", "low", "high")}
        columns |= {title: found.factors[f"{name}_where"].replace({"": "not chosen"})}
        columns |= {f"{title}, {part}": values for part, values in parts.items()}
        columns[f"{title}, holds"] = [
            f"{100 * row.incidents:.0f} % in {100 * row.places:.0f} %" if row.places == row.places else ""
            for row in found.factors[[f"{name}_places", f"{name}_incidents"]]
            .set_axis(["places", "incidents"], axis=1).itertuples()
        ]  # fmt: skip
    shown = pd.DataFrame(columns)
    models = found.models.drop(columns="family").assign(metric=list(NAMES.values()))
    models.columns = [
        "Metric", "Factors", "BIC", "Deviance a cell, tiles left out", "Top 5 % hold", "Top 5 % hold later"
    ]  # fmt: skip
    models = models.dropna(axis="columns", how="all")
    used = NAMES["network" if found.asked == "network" else "straight"]
    return [
        Text(str(found)),
        Table(
            "metrics", "Each factor by straight lines and along streets", shown, FORMATS,
            note="Low and high: 95 % interval that allows for cells of one tile being alike. Metres are "
            "those of the metric of the column. "
            "Holds: share of incidents in the share of places that lie so, in-sample. "
            f"The rest of the chapter goes by {used}; the other metric is not "
            "resampled or shifted, and no factor is judged by it.",
        ),
        Table(
            "metrics_models", "How each metric fits, and how much crime its top places hold", models,
            {"BIC": ",.1f", "Deviance a cell, tiles left out": ".4f", "Top 5 % hold": ".1%",
             "Top 5 % hold later": ".1%"},
            note=f"{CLOSER} Top 5 % of places: in-sample. Later: fitted on the first half of the period, "
            "share of the incidents of the second.",
        ),
        Text(_snapped(found.snaps), "note"),
    ]  # fmt: skip


def _snapped(snaps: pd.DataFrame) -> str:
    """Who lies too far from a street, in words."""
    from peelian.explain.report import label

    far = snaps[snaps["far"] > 0]
    if far.empty:
        return f"All places and features lie within {SNAP:g} m of a street."
    said = ", ".join(f"{label(row.what)} {row.far:,} of {row.points:,}" for row in far.itertuples())
    return (
        f"Farther than {SNAP:g} m from every street, so that distances from there are straight in both: "
        f"{said} (lines and areas by their points)."
    )


def files(found: TwoMetrics, held: Mapping[str, Any]) -> dict[str, Any]:
    """Both metrics as files: two tables, and what they say in the JSON file that is ``held`` already."""
    from peelian.explain.report import plain_values

    plain = {
        "finding": str(found), "factors": plain_values(found.factors), "models": plain_values(found.models),
        "snaps": plain_values(found.snaps),
    }  # fmt: skip
    return {
        "metrics.csv": found.factors, "metrics_models.csv": found.models,
        "terrain.json": held["terrain.json"] | {"metrics": plain},
    }  # fmt: skip
