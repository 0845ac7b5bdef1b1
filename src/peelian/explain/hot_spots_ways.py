"""Hot spots in other ways, where they are asked for: smoothed, changed, and clusters of any shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from peelian.errors import DesignError, some
from peelian.explain.beside import Beside, HotSpotParameters, months_of
from peelian.maps import Style
from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.clusters import Clusters
    from peelian.explain.hot_spots import HotSpotChange
    from peelian.explain.kernel import KernelDensity
    from peelian.incidents import Incidents
    from peelian.places import Places

VOLUME_ORDER = ("25 %", "50 %", "rest")


def add(
    found: Beside, incidents: Incidents, cells: Places, asked: HotSpotParameters, crime: str,
    households: pd.Series | None,
) -> None:  # fmt: skip
    """Density, change and clusters into the chapter, each only where its keys are given; one that the data
    forbid is a sentence that says why."""
    ways: tuple[tuple[str, object, Callable[[], None]], ...] = (
        ("The density is", asked.bandwidth,
         lambda: _density(found, incidents, cells, asked, crime, households if asked.rates else None)),
        ("Changes are", asked.before, lambda: _change(found, incidents, cells, asked, crime)),
        ("Clusters are", asked.eps, lambda: _thick(found, incidents, cells, asked, crime)),
    )  # fmt: skip
    for name, wanted, way in ways:
        if wanted:
            try:
                way()
            except DesignError as error:
                found.blocks.append(Text(f"{name} not shown. {error}", "note"))


def _density(
    found: Beside, incidents: Incidents, cells: Places, asked: HotSpotParameters, crime: str,
    homes: pd.Series | None,
) -> None:  # fmt: skip
    from peelian.explain.kernel import contours, kernel_density

    smooth = kernel_density(
        incidents, cells, bandwidth=asked.bandwidth, kernel=asked.kernel, crime=crime, households=homes
    )
    found.blocks.extend(density_blocks(smooth, incidents, cells))
    found.layers["density_contours"] = contours(smooth, cells)
    found.styles["density_contours"] = Style("volume", kind="categories", legend="holds of the density")
    found.columns.update(
        {name if name == "density" else f"density_{name}": smooth.frame[name] for name in smooth.frame}
    )


def _change(found: Beside, incidents: Incidents, cells: Places, asked: HotSpotParameters, crime: str) -> None:
    from peelian.explain.hot_spots import hotspot_change

    assert asked.before
    assert asked.after
    before, after = months_of(asked.before), months_of(asked.after)
    first, last = map(str, incidents.span)
    if min(before[0], after[0]) < first or max(before[1], after[1]) > last:
        raise DesignError(
            f"before = {asked.before} and after = {asked.after} must lie within {first}..{last}, "
            "the months of the incidents that are explained."
        )
    moved = hotspot_change(incidents, cells, before, after, alpha=asked.alpha, crime=crime)
    account = ", ".join(f"{name} {number:,}" for name, number in moved.accounting.items())
    found.blocks.append(Text(f"{moved} Incidents: {account}."))
    if (moved.frame["class"] != "none").any():
        found.blocks.append(_changed(moved, asked, incidents.published))
    found.columns["hot_spot_change"] = moved.frame["class"].astype("str")
    found.files["hot_spot_change.csv"] = moved.frame


def _thick(found: Beside, incidents: Incidents, cells: Places, asked: HotSpotParameters, crime: str) -> None:
    from peelian.explain.clusters import hotspot_clusters

    assert asked.eps
    held = hotspot_clusters(
        incidents, cells, eps=asked.eps, least=asked.least, weights=harm_of(incidents, asked.weights),
        crime=crime,
    )  # fmt: skip
    found.blocks.append(Text(str(held)))
    if len(held.frame):
        found.blocks.append(_clusters(held, incidents.published, weighted=bool(asked.weights)))
        found.files["clusters.csv"] = held.frame
        found.layers["clusters"] = held.shapes
        found.styles["clusters"] = Style("pai", legend="PAI")


def harm_of(incidents: Incidents, weights: dict[str, float]) -> pd.Series | None:
    """The weight of each incident by its type; None where none are given."""
    if not weights:
        return None
    by_type = {name.casefold(): weight for name, weight in weights.items()}
    types = incidents.frame["type"].astype("str").str.casefold()
    lacking = sorted(set(types) - set(by_type))
    if lacking:
        raise DesignError(
            f"explain.hotspots.weights has no weight for {some(lacking)}: give one for every crime type."
        )
    return types.map(by_type)


def density_blocks(smooth: KernelDensity, incidents: Incidents, cells: Places) -> list[Block]:
    """The density in a sentence, a map of the cells that hold a quarter and half of it, and a table."""
    import pandas as pd

    from peelian import maps

    counts = incidents.counts(cells)
    volume = smooth.frame["volume"]
    rows = []
    for name, held in (("25 %", ("25 %",)), ("50 %", ("25 %", "50 %")), ("all", tuple(VOLUME_ORDER))):
        at = volume.isin(held)
        rows.append({
            "Contour": name, "Cells": int(at.sum()), "Share of cells": at.mean(),
            "Incidents": int(counts[at].sum()), "Share of incidents": counts[at].sum() / max(counts.sum(), 1),
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    formats = {"Share of cells": ".1%", "Share of incidents": ".1%"}
    spec = (
        maps.cells_map(
            cells, volume.astype("str"), legend="holds of the density", kind="categories",
            order=tuple(name for name in VOLUME_ORDER if (volume == name).any()),
        )
    )  # fmt: skip
    rate = " Rates: both incidents and households smoothed alike." if "rate" in smooth.frame else ""
    return [
        Text(f"{smooth}{rate}"),
        Chart(
            "density_map",
            f"Half of the density lies in {100 * frame['Share of cells'][1]:.1f} % of cells", spec,
            f"Map of the fewest cells that hold a quarter of the density ({frame['Cells'][0]:,}) and half of "
            f"it ({frame['Cells'][1]:,} of {frame['Cells'][2]:,}).",
            frame, formats, counts=("Incidents",), published=incidents.published,
        ),
    ]  # fmt: skip


def _changed(moved: HotSpotChange, asked: HotSpotParameters, published: bool) -> Table:
    frame = moved.frame[moved.frame["class"] != "none"].sort_values("q", kind="stable").head(20)
    shown = frame.reset_index(names="Place").rename(
        columns={"before": "Before", "after": "After", "ratio": "Ratio of rates", "q": "Adjusted p"}
    )
    return Table(
        "hot_spot_change", f"Places that changed from {asked.before} to {asked.after}",
        shown[["Place", "Before", "After", "Ratio of rates", "Adjusted p"]],
        {"Ratio of rates": ".2f", "Adjusted p": ".3f"}, counts=("Before", "After"), published=published,
        note="E-test of two Poisson rates a month, adjusted over places with any incident; the 20 surest.",
    )  # fmt: skip


def _clusters(held: Clusters, published: bool, *, weighted: bool) -> Table:
    what = "Weight" if weighted else "Incidents"
    shown = held.frame.head(20).rename(
        columns={
            "incidents": "Incidents",
            "weight": "Weight",
            "hectares": "Hectares",
            "density": f"{what} a hectare",
            "pai": "PAI",
        }
    )
    columns = ["Incidents", *(["Weight"] if weighted else []), "Hectares", f"{what} a hectare", "PAI"]
    return Table(
        "clusters", f"Clusters of any shape: {len(held.frame):,}", shown[columns],
        {"Weight": ",.0f", "Hectares": ",.1f", f"{what} a hectare": ",.1f", "PAI": ",.1f"},
        counts=("Incidents",), published=published,
        note=f"Incidents with a weight of {held.least:g} or more within {held.eps:g} m, and those as near to "
        f"them (DBSCAN); {'weights by crime type' if weighted else 'each weighs 1'}. PAI: share of "
        "the weight over share of the ground. Found, not tested: chance makes some clusters too.",
    )  # fmt: skip
