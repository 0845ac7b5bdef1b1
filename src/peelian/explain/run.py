"""Explain, arranged: layers and incidents in, the Risk Terrain and its chapter out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, some
from peelian.explain.extent import OVER_GROUND
from peelian.explain.ground import (
    adjustment,
    at_risk_words,
    blocks_of,
    clusters_of,
    counted_by,
    edge_of,
    groups_of,
    offset_of,
    with_block,
)
from peelian.explain.parameters import Parameters

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.incidents import Incidents
    from peelian.layers import Layer, Layers
    from peelian.places import Places
    from peelian.report import Outcome


__all__ = ["Parameters", "run"]
FRAME = {True: "cells.parquet", False: "places.parquet"}  # by whether the places are cells


def run(
    incidents: Incidents, layers: Layers, cells: Places, parameters: Parameters, *, seed: int,
    crime: str = "crime", areas: Places | None = None, values: pd.DataFrame | None = None,
    before: dict[str, Any] | None = None, changed: dict[str, Layer] | None = None,
    grid: Places | None = None, progress: Callable[[int, int], None] | None = None,
) -> Outcome:  # fmt: skip
    """Which features of places go with the crime, how far they reach, how sure we are: chapter and files.

    ``incidents`` of the crime asked about; ``cells`` the places to explain (``units.units_of``: a grid,
    areas, hexagons, streets); ``areas`` with ``households`` where the offset asks for them; ``values`` by
    place of each raster that the parameters name; ``before`` the ``terrain.json`` of the last run;
    ``changed`` layers with other features, for what-if; ``grid`` cells for what needs a grid, where the
    places are none. Raises what ``rtm`` raises, and ``DesignError`` when no layer is left to try.
    """
    from dataclasses import replace
    from functools import partial

    from peelian.explain import off_grid, two_metrics
    from peelian.explain.chapter import Given, flat, rest
    from peelian.explain.inference import Limits
    from peelian.explain.model import rtm

    chosen, lines, exclude = _parts(layers, parameters)
    parameters = with_block(parameters, lines)
    features, left_out = _left_out(chosen, cells, parameters)
    used = type(layers)({name: chosen[name] for name in chosen if name not in left_out})
    if not len(used):
        raise DesignError(
            f"No layer has {parameters.min_features} features in the study area: "
            f"{some(f'{name} {count}' for name, count in features.items())}. Lower min_features."
        )
    if grid is not None and parameters.block is None and not cells.cell:
        parameters = replace(parameters, block=2 * float(grid.cell or 0))
    groups, by = groups_of(areas, parameters), counted_by(cells, areas, parameters, crime)
    offset = offset_of(cells, areas, by)
    fit = partial(
        rtm, incidents, used, cells, seed=seed, mode=parameters.mode, period=parameters.months,
        block=parameters.block, blocks=parameters.blocks, increment=parameters.increment,
        operations=parameters.operations, offset=offset,
        adjust=adjustment(incidents, cells, areas, parameters), family=parameters.family,
        rule=parameters.rule, l1_ratio=parameters.l1_ratio, folds=parameters.folds,
        cull_repeats=parameters.cull_repeats, swap=parameters.swap, tile=parameters.tile,
        fold_blocks=blocks_of(cells, areas, parameters), buffer=parameters.buffer,
        reach_limit=parameters.reach_limit, reach_ratio=parameters.reach_ratio,
        clusters=clusters_of(cells, areas, parameters), replicates=parameters.replicates,
        shift=parameters.shift, refit=parameters.refit, permutations=parameters.permutations,
        force=parameters.force,
        limits=Limits(parameters.frequency, parameters.shift_p, parameters.weak, parameters.adjusted),
        sensitivity=parameters.sensitivity, quick=parameters.quick,
        allow_police_activity=parameters.allow_police_activity,
        allow_outcome_factor=parameters.allow_outcome_factor, crime=crime, workers=parameters.workers,
        density_rule=parameters.density_rule, edge=parameters.edge, at=parameters.at, exclude=exclude,
        values=values, cuts={name: raster.cuts for name, raster in parameters.rasters.items()},
        signs={name: raster.sign for name, raster in parameters.rasters.items()},
    )  # fmt: skip
    terrain = fit(streets=lines if parameters.distance == "network" else None, progress=progress)
    outcome = _outcome(terrain, cells, chosen, features, left_out, incidents.published, parameters, by)
    around = None if groups is None and off_grid.are_areas(cells, areas) else areas
    outcome = _with_surface(outcome, terrain, cells, around, groups, incidents.published)
    if lines is not None:
        both = two_metrics.compared(fit, terrain, used, cells, lines, asked=parameters.distance)
        outcome = _with(outcome, two_metrics.blocks(both), two_metrics.files(both, outcome.files), {})
    given = Given(
        terrain, cells, incidents, chosen, features, left_out, areas, lines, before, changed or {},
        outcome.files["terrain.gpkg"],
    )  # fmt: skip
    said, answered, made, more = rest(given, parameters)
    made["terrain.json"] = outcome.files["terrain.json"] | more
    outcome = _with(outcome, said, made, more)
    homes = offset if by == "households" else None
    outcome = _with_beside(outcome, incidents, cells, areas, parameters, seed, crime, progress, lines, homes)
    name = FRAME[cells.kind == "cell"]
    made = {name.replace("parquet", "csv"): flat(outcome.files[name])}
    outcome = _with(outcome, answered, made, {})
    return outcome if grid is None or cells is grid else off_grid.told(outcome, terrain, cells, grid)


def _with(outcome: Outcome, blocks: list[Any], files: dict[str, Any], summary: dict[str, Any]) -> Outcome:
    from dataclasses import replace

    section = replace(outcome.section, blocks=(*outcome.section.blocks, *blocks))
    return replace(outcome, section=section, files=outcome.files | files, summary=outcome.summary | summary)


def _with_surface(
    outcome: Outcome, terrain: RiskTerrain, cells: Places, areas: Places | None, groups: pd.Series | None,
    published: bool,
) -> Outcome:  # fmt: skip
    """The chapter with how sure the surface is, combinations of influences and neighbourhoods."""
    from peelian.explain.surface import anroc, configurations
    from peelian.explain.surface_report import blocks

    files: dict[str, Any] = {}
    if len(terrain.influences.columns):
        files["configurations.csv"] = configurations(terrain)
        if areas is not None:
            files["neighbourhoods.csv"] = anroc(terrain, cells, areas, groups).reset_index()
    return _with(outcome, blocks(terrain, cells, areas, groups, published=published), files, {})


def _with_beside(
    outcome: Outcome, incidents: Incidents, cells: Places, areas: Places | None, parameters: Parameters,
    seed: int, crime: str, progress: Callable[[int, int], None] | None, streets: gpd.GeoSeries | None,
    homes: pd.Series | None,
) -> Outcome:  # fmt: skip
    """The chapter with hot spots, concentration, near repeats and times; findings come first."""
    from dataclasses import replace

    from peelian.explain.without_layers import findings_first, parts
    from peelian.maps import Layered

    more = parts(
        incidents, cells, areas, parameters, seed=seed, crime=crime, progress=progress, streets=streets,
        homes=homes,
    )  # fmt: skip
    ordered = findings_first([*outcome.section.blocks, *more.blocks])
    files = outcome.files | more.files
    name = FRAME[cells.kind == "cell"]
    if more.columns:
        files[name] = files[name].assign(**more.columns)
    old = files["terrain.gpkg"]
    files["terrain.gpkg"] = Layered({**old.layers, **more.layers}, {**old.styles, **more.styles})
    files["terrain.json"] = files["terrain.json"] | more.summary
    section = replace(outcome.section, blocks=ordered)
    return replace(outcome, section=section, files=files, summary=outcome.summary | more.summary)


def _outcome(
    terrain: RiskTerrain, cells: Places, layers: Layers, features: dict[str, int], left_out: dict[str, str],
    published: bool, parameters: Parameters, by: str,
) -> Outcome:  # fmt: skip
    from dataclasses import replace

    from peelian.explain import report
    from peelian.explain.doubts import layer_dates
    from peelian.explain.terrain import priority_places
    from peelian.report import Outcome

    late = layer_dates({name: layers[name] for name in layers if name not in left_out}, terrain.fitted_on)
    terrain = replace(terrain, warnings=(*terrain.warnings, *late))
    priority = priority_places(terrain, cells, share=parameters.share)
    section = report.section(
        terrain, cells, priority, layers, features, left_out, _method(terrain, parameters, cells, by),
        published=published,
    )  # fmt: skip
    sources = tuple(
        (f"layer {name}", layers[name].source, layers[name].date, layers[name].licence)
        for name in layers
        if name not in left_out
    )
    files = _files(terrain, cells, priority)
    files[FRAME[cells.kind == "cell"]]["edge"] = edge_of(cells, terrain.warnings, parameters)
    return Outcome(section, files, _summary(terrain), sources=sources)


# -------------------------------------------------------------------- layers
def _chosen(layers: Layers, parameters: Parameters) -> Layers:
    if parameters.categories is None:
        return layers
    unknown = [name for name in parameters.categories if name not in layers.names]
    if unknown:
        raise DataError(
            f"explain.categories: there is no layer {some(unknown)}; there are {some(layers.names, 20)}."
        )
    return type(layers)({name: layers[name] for name in layers if name in parameters.categories})


def _parts(
    layers: Layers, parameters: Parameters
) -> tuple[Layers, gpd.GeoSeries | None, gpd.GeoSeries | None]:
    """The layers to try, the streets to measure along, and the ground that is excluded."""
    import pandas as pd

    apart = [*parameters.exclude, *([parameters.streets] if parameters.streets else [])]
    unknown = [name for name in apart if name not in layers.names]
    if unknown:
        raise DataError(
            f"explain.streets and explain.exclude name layers; there is no layer {some(unknown)}; there are "
            f"{some(layers.names, 20)}."
        )
    if parameters.distance == "network" and not parameters.streets:
        raise DesignError(
            'distance = "network" needs streets = the name of a layer of lines to measure along.'
        )
    chosen = _chosen(type(layers)({n: layers[n] for n in layers if n not in apart}), parameters)
    streets = layers[parameters.streets].features.geometry if parameters.streets else None
    ground = [layers[name].features.geometry for name in parameters.exclude]
    return chosen, streets, pd.concat([g.to_crs(ground[0].crs) for g in ground]) if ground else None


def _left_out(layers: Layers, cells: Places, parameters: Parameters) -> tuple[dict[str, int], dict[str, str]]:
    """Features in the study area by layer, and the reason for each layer that is left out."""
    import pandas as pd

    from peelian.explain.factors import inside

    months = parameters.months
    span = (pd.Period(months[0], "M"), pd.Period(months[1], "M")) if months else None
    features = {name: inside(layers[name], cells, period=span) for name in layers}
    few = {
        name: f"no: fewer than {parameters.min_features} features"
        for name, count in features.items()
        if count < parameters.min_features
    }
    return features, few


# -------------------------------------------------------------------- words and files
def _made(terrain: RiskTerrain, parameters: Parameters, cells: Places) -> str:
    """How the model was made, in one paragraph."""
    from peelian.explain.modern_report import method

    if terrain.mode == "modern":
        return method(terrain, parameters, cells)
    block = parameters.block or 2 * float(cells.cell or 0)
    return (
        f"Risk Terrain Model (Caplan, Kennedy & Miller 2011; Heffner 2013): {terrain.extent.said}, block "
        f"{block:g} m, {parameters.increment} increments to {parameters.blocks} blocks, operations "
        f"{parameters.operations}. Elastic net (5 folds) keeps candidates, a stepwise search by BIC chooses."
    )


def _method(terrain: RiskTerrain, parameters: Parameters, cells: Places, by: str) -> list[str]:
    account = ", ".join(f"{name} {number:,}" for name, number in terrain.accounting.items())
    criteria = "; ".join(f"{row.family} {row.bic:,.1f}" for row in terrain.information_criteria.itertuples())
    whole = terrain.inference
    how = (
        "the model anew at the same penalty"
        if terrain.mode == "modern"
        else "culled anew at the same penalty; the three most promising additions fitted at each step"
    )
    parts = "years" if parameters.refit == "years" else "halves"
    moved = "shifts of whole cells" if cells.kind == "cell" else "shifts by 999 steps drawn at random"
    return [
        f"{_made(terrain, parameters, cells)} BIC: {criteria}.",
        at_risk_words(cells, by),
        *_measured(parameters, terrain),
        f"Checks: tiles {whole['tile_words']} ({whole['tiles']}), {whole['replicates']} resamples of "
        f"tiles ({how}), {moved} that keep 70 % of the study area, "
        f"{parts} {whole['halves']}. Thresholds: chosen in at least "
        f"{parameters.frequency:.0%} of resamples, shift p at most {parameters.shift_p:g}"
        f"{' (adjusted for several factors)' if parameters.adjusted else ''}, both intervals without 1. "
        f"Weak: {parameters.weak} or more of the four.".replace("% of res", " % of res"),
        f"Incidents: {account}. Counted by the point. Seed {terrain.seed}.",
    ]


def _measured(parameters: Parameters, terrain: RiskTerrain) -> list[str]:
    """In what way features were measured, where it is not the RTMDx Utility's."""
    words = []
    if parameters.distance == "network":
        words.append(f"Distances go along the lines of {parameters.streets}.")
    if terrain.at == "area":
        words.append(OVER_GROUND.format(one=terrain.extent.one))
    if parameters.edge == "divide":
        words.append("Densities of layers that stop at the boundary are divided by the circle's part inside.")
    if parameters.density_rule != "mean+2sd":
        share = float(parameters.density_rule.removeprefix("quantile:"))
        words.append(f"Features lie thick above the {100 * share:g} % quantile of places.")
    return [" ".join(words)] if words else []


def _frame(terrain: RiskTerrain, cells: Places) -> gpd.GeoDataFrame:
    """Everything by cell, on the index of places."""
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.surface import sureness
    from peelian.explain.terrain import in_top, risk_classes

    columns: dict[str, Any] = {
        "relative_risk": terrain.relative_risk, "times_average": terrain.times_average, "risk": terrain.risk,
        "expected": terrain.expected, "count": terrain.counts,
        "class": risk_classes(terrain.relative_risk).astype("str"),
        "top_5_percent": pd.Series(
            in_top(terrain.times_average.to_numpy(), 0.05, terrain.extent.weights()), cells.index
        ),
    }  # fmt: skip
    if terrain.uncertainty is not None and len(terrain.uncertainty):
        columns |= {f"times_average_{name}": terrain.uncertainty[name] for name in ("low", "median", "high")}
        columns["p_top_5_percent"] = terrain.uncertainty["p_top"]
        columns["sureness"] = sureness(terrain.uncertainty["p_top"].fillna(0))
    columns |= {name: terrain.influences[name] for name in terrain.influences}
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=cells.geometry, crs=cells.crs)


def _files(terrain: RiskTerrain, cells: Places, priority: pd.DataFrame) -> dict[str, Any]:
    from peelian.explain.report import MAP_BREAKS, plain_values
    from peelian.maps import Layered, Style

    frame = _frame(terrain, cells)
    layers = {"terrain": frame}
    styles = {"terrain": Style("times_average", legend="times the average", breaks=MAP_BREAKS)}
    if len(priority):
        layers["priority_places"] = _shapes(priority, cells)
        styles["priority_places"] = Style("priority", legend="priority")
    modern = {
        "bands.csv": terrain.bands, "curves.csv": terrain.curves, "sensitivity.csv": terrain.sensitivity,
    }  # fmt: skip
    return {name: table for name, table in modern.items() if table is not None} | {
        FRAME[cells.kind == "cell"]: frame,
        "terms.csv": terrain.terms,
        "factors.csv": terrain.factors,
        "path.csv": terrain.path,
        "dropped.csv": terrain.dropped,
        "priority_places.csv": priority.assign(members=[" ".join(m) for m in priority["members"]]),
        "terrain.json": _summary(terrain)
        | {"terms": plain_values(terrain.terms), "factors": plain_values(terrain.factors)},
        "terrain.gpkg": Layered(layers, styles),
    }


def _shapes(priority: pd.DataFrame, cells: Places) -> gpd.GeoDataFrame:
    import geopandas as gpd

    shapes = [cells.geometry.loc[members].union_all() for members in priority["members"]]
    return gpd.GeoDataFrame(priority.drop(columns="members"), geometry=shapes, crs=cells.crs)


def _summary(terrain: RiskTerrain) -> dict[str, Any]:
    """Headline numbers as plain values."""
    from peelian.explain.terrain import formula

    span = [str(month) for month in terrain.fitted_on] if terrain.fitted_on else None
    terms = terrain.terms
    reported = [
        {"factor": term.factor, "variable": term.variable, "where": terrain.words[term.variable],
         "times": term.times, "low": term.robust_low, "high": term.robust_high}
        for term in terrain.reported.itertuples()
    ]  # fmt: skip
    return {
        "schema": 1,
        "sentence": str(terrain),
        "mode": terrain.mode,
        "places": terrain.extent.many,
        "family": terrain.family,
        "crime": terrain.crime,
        "fitted_on": span,
        "seed": terrain.seed,
        "inputs": terrain.inputs,
        "tried": len(terrain.factors),
        "reported": reported,
        "weak": terms.loc[terms["verdict"] == "weak", "factor"].tolist(),
        "formula": formula(terrain.coefficients, terrain.intercept),
        "quick": bool(terrain.inference.get("quick", False)),
        "inference": {key: value for key, value in terrain.inference.items() if key != "correlogram"},
        "correlogram": [list(row) for row in terrain.inference.get("correlogram", [])],
        "accounting": terrain.accounting,
        "warnings": list(terrain.warnings),
    }
