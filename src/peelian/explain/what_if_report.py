"""What the chapter says of other features: the surface before and after, the difference and its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.change import WhatIf
    from peelian.explain.model import RiskTerrain
    from peelian.layers import Layer
    from peelian.maps import Layered
    from peelian.places import Places

BREAKS = (0.5, 0.8, 1.0, 1.25, 2.0)
MOST = 10


def answered(
    terrain: RiskTerrain, cells: Places, layers: dict[str, Layer], features: dict[str, int]
) -> list[WhatIf]:
    """What the terrain says with each of these layers in the place of the one of its name."""
    from peelian.explain.change import what_if
    from peelian.explain.factors import inside

    return [
        what_if(
            terrain, cells, layer, before=features[name], after=inside(layer, cells, period=terrain.fitted_on)
        )
        for name, layer in layers.items()
    ]


def blocks(found: list[WhatIf], cells: Places) -> list[Block]:
    """A sentence, a map and the places that move most, of each."""
    said: list[Block] = []
    for one in found:
        said.append(Text(str(one)))
        if len(one.changed):
            said += [_map(one, cells)] * (cells.kind == "cell")
            said.append(_most_moved(one))
    return said


def _map(one: WhatIf, cells: Places) -> Chart:
    from peelian import maps
    from peelian.explain.change import HEADING

    change = one.frame["change"]
    name = one.factor.replace("_", " ")
    moved = one.frame.loc[one.changed, "change"]
    table = moved.describe()[["min", "50%", "max"]].rename("Times the score").reset_index(drop=True)
    frame = table.to_frame()
    frame.insert(0, "Cells that move", ["lowest", "middle", "highest"])
    return Chart(
        f"what_if_{one.factor}_map",
        f"{HEADING}: with other features of {name} the score moves in {len(moved):,} cells",
        maps.cells_map(cells, change, legend="times the score", kind="diverging", breaks=BREAKS),
        f"Map of the change of the risk score: {len(moved):,} of {len(change):,} cells move, by "
        f"{moved.min():.2f} to {moved.max():.2f} times.",
        frame, {"Times the score": ",.2f"},
    )  # fmt: skip


def _most_moved(one: WhatIf) -> Table:
    from peelian.explain.change import HEADING

    moved = one.frame.loc[one.changed]
    order = (moved["after"] - moved["before"]).abs().sort_values(ascending=False, kind="stable").index
    shown = moved.loc[order].head(MOST).reset_index()
    shown.columns = ["Place", "Before", "After", "Times the score", "Low", "High"]
    return Table(
        f"what_if_{one.factor}",
        f"{HEADING}: where the score moves most with other features of {one.factor.replace('_', ' ')}",
        shown, dict.fromkeys(("Before", "After", "Times the score", "Low", "High"), ",.2f"),
        note="Before and after in times the average as fitted. Low and high: 95 % over the resamples of "
        "tiles, 1 in a resample that does not choose the factor; empty where none were drawn. The model and "
        "the limit from which features count as dense stay as fitted.",
    )  # fmt: skip


def files(found: list[WhatIf], cells: Places, gpkg: Layered) -> dict[str, Any]:
    """All places that move, as a table, and as layers of the GeoPackage."""
    import pandas as pd

    from peelian.maps import Layered, Style

    if not found:
        return {}
    parts: list[pd.DataFrame] = []
    layers: dict[str, gpd.GeoDataFrame] = dict(gpkg.layers)
    styles = dict(gpkg.styles)
    for one in found:
        moved = one.frame.loc[one.changed]
        parts.append(moved.reset_index().assign(layer=one.factor))
        if len(moved):
            name = f"what_if_{one.factor}"
            layers[name] = cells.frame[["geometry"]].loc[one.changed].join(moved)
            styles[name] = Style("change", kind="diverging", legend="times the score", breaks=BREAKS)
    return {"what_if.csv": pd.concat(parts, ignore_index=True), "terrain.gpkg": Layered(layers, styles)}
