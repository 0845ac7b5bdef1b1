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

MOVES = ("much lower", "lower", "as before", "higher", "much higher")
MUCH = 1.25  # times the score, or 1 over it
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


def moves(one: WhatIf) -> pd.Series:
    """How each place moves, in words: as before, lower, much lower (below 0.8 times), higher, much higher."""
    import numpy as np
    import pandas as pd

    change = one.frame["change"].to_numpy(float)
    still = np.abs(change - 1) <= 1e-12
    code = np.select([still, change < 1 / MUCH, change < 1, change > MUCH], [2, 0, 1, 4], 3)
    return pd.Series(np.array(MOVES)[code], one.frame.index, name="moves")


def blocks(found: list[WhatIf], cells: Places) -> list[Block]:
    """A sentence, a map and the places that move most, of each."""
    said: list[Block] = []
    for one in found:
        said.append(Text(str(one)))
        if len(one.changed):
            said += [_map(one, cells), _most_moved(one)]
    return said


def _map(one: WhatIf, cells: Places) -> Chart:
    from peelian import maps
    from peelian.explain.change import HEADING

    word = moves(one)
    name = one.factor.replace("_", " ")
    moved = one.frame.loc[one.changed, "change"]
    number = word.value_counts().reindex(list(MOVES), fill_value=0)
    frame = number.rename_axis("Score").rename("Cells").reset_index()
    return Chart(
        f"what_if_{one.factor}_map",
        f"{HEADING}: {len(moved):,} of {len(word):,} cells have another score with other features of {name}",
        maps.places_map(cells, word, legend="risk score", kind="categories", order=MOVES),
        f"Map of {len(word):,} cells by how the risk score moves, {moved.min():.2f} to {moved.max():.2f} "
        "times where it does: " + ", ".join(f"{w} {n:,}" for w, n in number.items()) + ".",
        frame, note=f"Much lower: below {1 / MUCH:g} times; much higher: above {MUCH:g} times.",
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
        moved = one.frame.loc[one.changed].assign(moves=moves(one))
        parts.append(moved.reset_index().assign(layer=one.factor))
        if len(moved):
            name = f"what_if_{one.factor}"
            layers[name] = cells.frame[["geometry"]].loc[one.changed].join(moved)
            styles[name] = Style("moves", kind="categories", legend="risk score")
    return {"what_if.csv": pd.concat(parts, ignore_index=True), "terrain.gpkg": Layered(layers, styles)}
