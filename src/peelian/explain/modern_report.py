"""What the chapter says of the modern mode: curves with their tables, bands, what the answer depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.explain.parameters import Parameters
    from peelian.places import Places

MOST_CURVES = 3
CURVE_FORMATS = {
    "Relative risk": ",.2f", "Low": ",.2f", "High": ",.2f", "Without penalty": ",.2f",
}  # fmt: skip
PRIOR_SENTENCE = (
    "The count of the year before is among what is adjusted for, so the question is another one: which "
    "features go with change since then, not with the level of the crime."
)


def reach_sentence(terrain: RiskTerrain, term: pd.Series) -> str:
    """How far a factor reaches, in words; empty in a mode without reach."""
    if "reach" not in term.index:
        return ""
    if term["operation"] == "value":
        return ""
    if term["frequency"] < 0.5:
        return " Its reach cannot be told from none (chosen in fewer than half of the resamples)."
    if not term["reach"]:
        return " Nowhere does its curve, under the penalty, come to 1.1 times."
    text = f" Its curve, under the penalty, reaches {term['reach']:,.0f} m"
    if term["reach_low"] != term["reach_low"]:
        return f"{text}."
    return f"{text} (95 % interval {term['reach_low']:,.0f} to {term['reach_high']:,.0f} m)."


def blocks(terrain: RiskTerrain) -> list[Block]:
    """Curves, densities, bands, sensitivity and adjustment."""
    found: list[Block] = []
    if len(terrain.terms):
        found += _curve_blocks(terrain) + _density_blocks(terrain) + _value_blocks(terrain)
        found.append(_bands_block(terrain))
        if terrain.sensitivity is not None and len(terrain.sensitivity):
            found.append(_sensitivity_block(terrain))
    if adjusted := terrain.inference.get("adjusted_for"):
        names = ", ".join(name.replace("_", " ") for name in adjusted)
        found.append(Text(f"Adjusted for, and not reported as factors: {names}.", "note"))
        if "prior_count" in adjusted:
            found.append(Text(PRIOR_SENTENCE, "warning"))
    return found


def _curve_blocks(terrain: RiskTerrain) -> list[Block]:
    """The curves of the factors with the largest effects, as a chart, and all of them as a table."""
    import pandas as pd

    from peelian import charts
    from peelian.explain.report import source_of

    shown = _curves_shown(terrain)
    if shown.empty:
        return [Text("No factor has a curve by distance: only density or value has an effect.")]
    drawn, passes = _drawn(terrain, shown)
    lines = pd.concat([shown[shown["Factor"] == name] for name in drawn], ignore_index=True)
    with_bands = bool(lines["Low"].notna().all())
    limit = terrain.inference["reach_limit"]
    first = lines.iloc[0]
    title = (
        f"In the band nearest to {drawn[0]} features the risk is {first['Relative risk']:.2f} times that "
        f"beyond {limit:,.0f} m"
        if passes
        else f"Risk by distance, against farther than {limit:,.0f} m: none of these passes every check"
    )
    return [
        Chart(
            "curves", title,
            charts.lines(
                lines, "Metres", "Relative risk", series="Factor",
                low="Low" if with_bands else None, high="High" if with_bands else None,
                x_title="metres to the nearest feature", y_title="relative risk", zero=False,
            ),
            f"Relative risk by distance: {_curves_said(lines)}.",
            shown.reset_index(drop=True), CURVE_FORMATS, source=source_of(terrain),
            note=f"Against places farther than {limit:,.0f} m, other factors and the density of the same "
            "features alike. The line is pulled towards 1 by the penalty; its band holds 95 % of the "
            "resamples of tiles, at the same penalty. Without penalty: the kept bands fitted after "
            "selection.",
        )
    ]  # fmt: skip


def _curves_shown(terrain: RiskTerrain) -> pd.DataFrame:
    """The curves by distance under the names that the page uses."""
    from peelian.explain.report import label

    near = terrain.curves[terrain.curves["operation"] == "proximity"]
    less = near.duplicated(["factor", "distance"]).map({True: " (less)", False: ""})
    shown = near.assign(Factor=near["factor"].map(label) + less).rename(
        columns={"distance": "Metres", "relative_risk": "Relative risk", "low": "Low", "high": "High",
                 "after_selection": "Without penalty"}
    )  # fmt: skip
    return shown[["Factor", "Metres", "Relative risk", "Low", "High", "Without penalty"]]


def _drawn(terrain: RiskTerrain, shown: pd.DataFrame) -> tuple[list[str], bool]:
    """The factors to draw, reported ones first, then by size of effect; and whether the first is reported."""
    import pandas as pd

    from peelian.explain.report import label

    size = shown.groupby("Factor")["Relative risk"].agg(lambda values: abs(values.iloc[0] - 1))
    reported = [label(name) for name in terrain.reported["factor"]]
    order = pd.DataFrame({"reported": size.index.isin(reported), "size": size})
    order = order.sort_values(["reported", "size"], ascending=False, kind="stable")
    return list(order.index[:MOST_CURVES]), bool(order["reported"].iloc[0])


def _curves_said(lines: pd.DataFrame) -> str:
    """Two points of each curve, in words."""
    return "; ".join(
        f"{name} {part['Relative risk'].iloc[0]:.2f} at {part['Metres'].iloc[0]:.0f} m and "
        f"{part['Relative risk'].iloc[len(part) // 3]:.2f} at {part['Metres'].iloc[len(part) // 3]:.0f} m"
        for name, part in lines.groupby("Factor", sort=False)
    )


def _density_blocks(terrain: RiskTerrain) -> list[Block]:
    import pandas as pd

    from peelian.explain.report import label

    dense = terrain.curves[terrain.curves["operation"] == "density"]
    if dense.empty:
        return []
    shown = pd.DataFrame(
        {"Factor": dense["factor"].map(label), "Bandwidth (m)": dense["bandwidth"],
         "Densest share of places": dense["densest"], "Relative risk": dense["relative_risk"],
         "Low": dense["low"], "High": dense["high"], "Without penalty": dense["after_selection"]}
    ).reset_index(drop=True)  # fmt: skip
    return [
        Table(
            "densities", "Relative risk where features lie thick, beyond what their distance says", shown,
            CURVE_FORMATS | {"Bandwidth (m)": ",.0f", "Densest share of places": ".1%"},
            note="Epanechnikov kernel; against places with less than the lowest cut that is kept.",
            folded=True,
        )
    ]  # fmt: skip


def _value_blocks(terrain: RiskTerrain) -> list[Block]:
    """Relative risk by the value of a raster or count, where one is kept."""
    import pandas as pd

    from peelian.explain.report import label

    by_value = terrain.curves[terrain.curves["operation"] == "value"]
    if by_value.empty:
        return []
    shown = pd.DataFrame(
        {"Factor": by_value["factor"].map(label), "Above": by_value["above"],
         "Relative risk": by_value["relative_risk"], "Low": by_value["low"], "High": by_value["high"],
         "Without penalty": by_value["after_selection"]}
    ).reset_index(drop=True)  # fmt: skip
    return [
        Table(
            "values", "Relative risk by the value of a place", shown, CURVE_FORMATS | {"Above": ",.4g"},
            note="Against places at or below the lowest cut that is kept; risk may only rise with the value "
            "(only fall where the factor is marked protective).",
        )
    ]  # fmt: skip


def _bands_block(terrain: RiskTerrain) -> Table:
    import pandas as pd

    shown = pd.DataFrame(
        {"Band": terrain.bands["band"], "Coefficient": terrain.bands["coefficient"],
         "Without penalty": terrain.bands["after_selection"]}
    )  # fmt: skip
    where = terrain.inference["deviance"]
    return Table(
        "model",
        f"The {len(shown)} bands that the penalty keeps, of {int(terrain.factors['candidates'].sum())}",
        shown, dict.fromkeys(("Coefficient", "Without penalty"), ".4f"),
        note=f"Deviance a cell on tiles left out: {where['1se']:.3f} under the higher penalty (1se), "
        f"{where['min']:.3f} under the best, {where['constant']:.3f} of a constant. Without penalty: "
        f"{terrain.family.upper()} on the kept bands, after selection; empty where a band has too few cells "
        "or incidents of its own.",
        folded=True,
    )  # fmt: skip


def _sensitivity_block(terrain: RiskTerrain) -> Table:
    from peelian.explain.report import label

    shown = terrain.sensitivity.copy()
    shown["factor"] = shown["factor"].map(label)
    names = [name[:1].upper() + name[1:] for name in shown.columns]
    shown.columns = names
    return Table(
        "sensitivity",
        "Times as frequent where each factor bears, under other choices",
        shown, dict.fromkeys(names[1:], ",.2f"),
        note="Empty: the factor is then not kept. Tile intercepts give each tile a level of its own, "
        "pulled to the common one. Steps twice as wide also double the bandwidths; a factor may then bear "
        "elsewhere.",
    )  # fmt: skip


def method(terrain: RiskTerrain, parameters: Parameters, cells: Places) -> str:
    """How the model was made, in one paragraph."""
    from peelian.explain.decay import BANDWIDTHS

    whole = terrain.inference
    dense = "2, 4 and 8 cells"
    if not cells.cell:
        dense = ", ".join(f"{k * (parameters.block or 0) / 2:g}" for k in BANDWIDTHS) + " m"
    return (
        f"Monotone bands (modern mode): {terrain.extent.said}, distances to {whole['reach_limit']:,.0f} m, "
        f"densities at {dense}, operations {parameters.operations}. Poisson elastic net with effects that "
        f"may only fall with distance; its penalty ({whole['rule']}) is chosen by leaving out "
        f"{whole['folds']} (Roberts et al. 2017)."
    )
