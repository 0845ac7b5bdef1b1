"""The headings of the RTMDx Utility's report, in its order, so that a user can lay the two side by side.

Input details, parameters, variables tested and kept, best model, model print-out, risk scores and formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian.report import Block, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.clustering import NearestNeighbours
    from peelian.explain.model import RiskTerrain
    from peelian.explain.parameters import Parameters
    from peelian.incidents import Incidents
    from peelian.layers import Layer, Layers
    from peelian.places import Places

STREET_WIDTH = 25.0  # metres of ground on each side, where streets are the places
MOST_DROPPED, LONGEST_FORMULA = 20, 1500


def blocks(
    terrain: RiskTerrain, cells: Places, incidents: Incidents, layers: Layers, features: dict[str, int],
    parameters: Parameters,
) -> list[Block]:  # fmt: skip
    """Everything under those headings."""
    from peelian.explain.measure import study_area

    study = study_area(cells)
    area = float(study.area) or float(study.buffer(STREET_WIDTH).area)
    found: list[Block] = [
        Text("The same under the headings of the RTMDx Utility", "heading"),
        _input(terrain, cells, incidents, parameters, area),
        _parameters(terrain, cells, incidents, layers, features, parameters, area),
        _variables(terrain),
    ]
    if len(terrain.dropped):
        found.append(_dropped(terrain))
    found += [_best(terrain)] if len(terrain.terms) else []
    return [*found, _print_out(terrain), _criteria(terrain), *_scores(terrain)]


# -------------------------------------------------------------------- what went in
def block_metres(cells: Places, parameters: Parameters) -> float:
    """Metres of a block: as given, or twice the cell."""
    return float(parameters.block or 2 * float(cells.cell or 0))


def _input(
    terrain: RiskTerrain, cells: Places, incidents: Incidents, parameters: Parameters, area: float
) -> Table:
    import pandas as pd

    counts, many = terrain.counts, _named(terrain.extent.many)
    held = int((counts > 0).sum())
    near = _of_incidents(terrain, cells, incidents, area)
    rows = [
        ("Incidents used", f"{counts.sum():,.0f}"),
        ("Period", " to ".join(map(str, terrain.fitted_on)) if terrain.fitted_on else "not dated"),
        ("Projection", f"{cells.crs.name} ({cells.crs.to_string()})"),  # type: ignore[attr-defined]
        (_named(terrain.extent.one), f"{cells.cell:g} m" if cells.cell else "of no one size"),
        ("Block", f"{block_metres(cells, parameters):g} m"),
        (many, f"{len(counts):,}"),
        (f"{many} in the fit", f"{int(terrain.risk.notna().sum()):,}"),
        (f"{many} with incidents", f"{held:,}"),
        ("Incidents, nearest-neighbour ratio", f"{near.ratio:.2f} (z {near.z:.1f})"),
    ]
    return Table(
        "input_details",
        f"Analysis input details: {counts.sum():,.0f} incidents in {held:,} of {len(counts):,} "
        f"{terrain.extent.many}",
        pd.DataFrame(rows, columns=["Input", "Value"]),
        note="Nearest-neighbour ratio (Clark & Evans 1954): below 1 points lie closer together than chance "
        "would put them.",
    )


def _named(words: str) -> str:
    return words[:1].upper() + words[1:]


def _of_incidents(
    terrain: RiskTerrain, cells: Places, incidents: Incidents, area: float
) -> NearestNeighbours:
    """Of the incidents in the study area and period."""
    import shapely

    from peelian.explain.clustering import clark_evans

    if terrain.fitted_on is not None:
        first, last = terrain.fitted_on
        incidents = incidents.between(first, last + 1)
    inside = incidents.place_of(cells).notna()
    points = incidents.frame.geometry[inside].to_crs(cells.crs)
    return clark_evans(shapely.get_coordinates(points.to_numpy()), area)


def _of_layer(layer: Layer, cells: Places, area: float) -> NearestNeighbours | None:
    """Of the points of a layer in the study area; None where it is not of points."""
    import shapely

    from peelian.explain.clustering import clark_evans

    shapes = layer.features.to_crs(cells.crs).geometry
    if not (shapely.get_type_id(shapes.to_numpy()) == 0).all():
        return None
    inside = shapes[cells.locate(shapes).notna().to_numpy()]
    return clark_evans(shapely.get_coordinates(inside.to_numpy()), area)


def _parameters(
    terrain: RiskTerrain, cells: Places, incidents: Incidents, layers: Layers, features: dict[str, int],
    parameters: Parameters, area: float,
) -> Table:  # fmt: skip
    import pandas as pd

    reach, step = _influence(terrain, cells, incidents, parameters)
    rows = []
    for name in terrain.factors["factor"]:
        if name not in layers:
            continue  # a raster: its cuts are among the variables
        near = _of_layer(layers[name], cells, area)
        wanted = layers[name].operations if parameters.operations == "both" else parameters.operations
        rows.append({
            "Name": name.replace("_", " "), "Features": features.get(name, len(layers[name])),
            "Sign": layers[name].sign, "Operation": wanted, "Spatial influence": reach, "Increment": step,
            "Nearest neighbours": None if near is None else near.ratio,
            "z": None if near is None else near.z,
            "They suggest": "" if near is None else near.suggests,
        })  # fmt: skip
    return Table(
        "analysis_parameters",
        f"Analysis parameters: {len(rows)} kinds of feature, {reach}",
        pd.DataFrame(rows), {"Nearest neighbours": ",.2f", "z": ",.1f"},
        note="Nearest neighbours: ratio of Clark & Evans (1954); features closer together than by chance (z "
        "below -1.96) suggest both operations, others proximity only. Advice: nothing follows from it.",
    )  # fmt: skip


def _influence(
    terrain: RiskTerrain, cells: Places, incidents: Incidents, parameters: Parameters
) -> tuple[str, str]:
    """The distances tried and their increment, in words."""
    from peelian.explain.decay import cuts_of
    from peelian.explain.factors import distances_of

    block = block_metres(cells, parameters)
    if terrain.mode == "rtmdx":
        tried = distances_of(block, parameters.blocks, parameters.increment)
        return f"{tried[0]:g} to {tried[-1]:,g} m", f"{parameters.increment} block"
    cuts = cuts_of(float(cells.cell or block / 2), parameters.reach_limit, snapped=incidents.snapped)[::-1]
    step = cuts[1] - cuts[0] if len(cuts) > 1 else cuts[0]
    return f"{cuts[0]:g} to {cuts[-1]:,g} m", f"{step:g} m"


# -------------------------------------------------------------------- what was tried
def _variables(terrain: RiskTerrain) -> Table:
    import pandas as pd

    from peelian.explain.trust import NO_INCIDENT

    before = terrain.dropped[terrain.dropped["reason"] != NO_INCIDENT]
    gone = before["factor"].value_counts() if len(before) else {}
    by = "penalty" if terrain.mode == "modern" else "cull"
    rows = [
        {"Factor": row.factor.replace("_", " "), "Variables tested": row.candidates,
         "Dropped before": int(gone.get(row.factor, 0)), f"Kept by the {by}": row.kept,
         "In the best model": row.chosen or "none"}
        for row in terrain.factors.itertuples()
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    return Table(
        "variables",
        f"Variables tested and kept: {frame['Variables tested'].sum():,} tested, "
        f"{frame[f'Kept by the {by}'].sum():,} kept by the {by}, {len(terrain.terms)} factors in the model",
        frame,
    )


def _dropped(terrain: RiskTerrain) -> Table:
    gone = terrain.dropped.head(MOST_DROPPED).rename(
        columns={"name": "Variable", "factor": "Factor", "reason": "Why"}
    )
    more = len(terrain.dropped) - len(gone)
    return Table(
        "dropped",
        f"{len(terrain.dropped)} variables cannot tell places apart, say what others say or have no estimate",
        gone.assign(Factor=gone["Factor"].str.replace("_", " ")).reset_index(drop=True),
        note=f"{more:,} more in dropped.csv." if more else "",
        folded=True,
    )


# -------------------------------------------------------------------- what came out
def _best(terrain: RiskTerrain) -> Table:
    import pandas as pd

    terms = terrain.terms
    frame = pd.DataFrame({
        "Type": ["aggravating" if sign > 0 else "protective" for sign in terms["sign"]],
        "Name": terms["factor"].str.replace("_", " "), "Variable": terms["rtmdx"],
        "Operationalisation": terms["operation"], "Spatial influence (m)": terms["distance"],
        "Coefficient": terms["coefficient"], "Relative risk value": terms["rrv"],
        "Times where it holds": terms["times"],
    })  # fmt: skip
    formats = dict.fromkeys(("Coefficient", "Relative risk value", "Times where it holds"), ".4f")
    return Table(
        "best_model",
        f"Best model: {len(frame)} factors, {terrain.family.upper()}",
        frame.reset_index(drop=True), formats | {"Spatial influence (m)": ",.0f"},
        note="Relative risk value: exp of the coefficient; of protective factors (coded -1) the times where "
        "they hold are 1 over it.",
    )  # fmt: skip


def _print_out(terrain: RiskTerrain) -> Table:
    names = {"family": "Family", "variable": "Variable", "coefficient": "Coefficient",
             "standard_error": "Standard error", "t": "t", "p": "p"}  # fmt: skip
    frame = terrain.print_out.rename(columns=names)
    return Table(
        "print_out",
        "Model print-out: every family tried",
        frame.assign(Family=frame["Family"].str.upper()),
        {"Coefficient": ".4f", "Standard error": ".4f", "t": ",.2f", "p": ".4f"},
        note="Selected by search: standard errors and p are too small. Use the table of every check.",
        folded=True,
    )


def _criteria(terrain: RiskTerrain) -> Table:
    import numpy as np

    found, tiles = terrain.information_criteria, terrain.inference["tiles"]
    # BIC = -2 lnL + k ln n: with neighbours alike, tiles are nearer to independent than cells
    by_tiles = -2 * found["log_likelihood"] + found["parameters"] * np.log(tiles)
    frame = found.assign(family=found["family"].str.upper(), by_tiles=by_tiles)
    names = {"family": "Family", "log_likelihood": "Log-likelihood", "parameters": "Parameters",
             "dispersion": "Dispersion", "aic": "AIC", "bic": "BIC", "by_tiles": "BIC over tiles",
             "models_fitted": "Models fitted"}  # fmt: skip
    frame = frame[list(names)].rename(columns=names)
    first, second = (frame.loc[frame[name].idxmin(), "Family"] for name in ("BIC", "BIC over tiles"))
    agrees = "so does" if first == second else f"{second} has the lowest"
    return Table(
        "criteria",
        f"{first} has the lowest BIC; {agrees} BIC over {tiles} tiles in the place of {terrain.extent.many}",
        frame,
        dict.fromkeys(("Log-likelihood", "AIC", "BIC", "BIC over tiles"), ",.2f") | {"Dispersion": ".4f"},
    )


def _scores(terrain: RiskTerrain) -> list[Block]:
    from peelian.explain.terrain import formula

    score = terrain.relative_risk[terrain.risk.notna()]
    said = (
        f"Risk scores run from {score.min():.2f} to {score.max():,.2f} (mean {score.mean():,.2f}, standard "
        f"deviation {score.std():,.2f}); the lowest is 1."
    )
    text = formula(terrain.coefficients, terrain.intercept)
    if len(text) <= LONGEST_FORMULA:
        return [Text(f"{said} As a formula for a GIS: {text}", "note")]
    return [
        Text(f"{said} The formula for a GIS, with {len(terrain.coefficients)} terms, is formula.txt.", "note")
    ]


def files(terrain: RiskTerrain) -> dict[str, Any]:
    """The formula as text, and the print-out."""
    from peelian.explain.terrain import formula

    made: dict[str, pd.DataFrame | str] = {
        "formula.txt": formula(terrain.coefficients, terrain.intercept) + "\n",
        "print_out.csv": terrain.print_out,
    }
    return made
