"""Hot spots in other ways, where they are asked for: smoothed, changed, and clusters of any shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.errors import DesignError
from peelian.explain.beside import Beside, HotSpotParameters, months_of
from peelian.report import Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.clusters import Clusters
    from peelian.explain.hot_spots import HotSpotChange
    from peelian.incidents import Incidents
    from peelian.places import Places


def add(
    found: Beside, incidents: Incidents, cells: Places, asked: HotSpotParameters, crime: str,
    households: pd.Series | None,
) -> None:  # fmt: skip
    """Density, change and clusters into the chapter, each only where its keys are given."""
    if asked.bandwidth:
        from peelian.explain.kernel import kernel_density

        smooth = kernel_density(
            incidents, cells, bandwidth=asked.bandwidth, crime=crime,
            households=households if asked.rates else None,
        )  # fmt: skip
        found.blocks.append(Text(str(smooth)))
        found.columns.update(
            {name if name == "density" else f"density_{name}": smooth.frame[name] for name in smooth.frame}
        )
    if asked.before and asked.after:
        from peelian.explain.hot_spots import hotspot_change

        before, after = months_of(asked.before), months_of(asked.after)
        first, last = map(str, incidents.span)
        if min(before[0], after[0]) < first or max(before[1], after[1]) > last:
            raise DesignError(
                f"before = {asked.before} and after = {asked.after} must lie within {first}..{last}, "
                "the months of the incidents that are explained."
            )
        moved = hotspot_change(incidents, cells, before, after, alpha=asked.alpha, crime=crime)
        found.blocks.extend([Text(str(moved)), _changed(moved, asked, incidents.published)])
        found.columns["hot_spot_change"] = moved.frame["class"].astype("str")
    if asked.eps:
        from peelian.explain.clusters import hotspot_clusters

        held = hotspot_clusters(incidents, cells, eps=asked.eps, least=asked.least, crime=crime)
        found.blocks.append(Text(str(held)))
        if len(held.frame):
            found.blocks.append(_clusters(held, incidents.published))
            found.files["clusters.csv"] = held.frame


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


def _clusters(held: Clusters, published: bool) -> Table:
    shown = held.frame.head(20).rename(
        columns={
            "incidents": "Incidents",
            "hectares": "Hectares",
            "density": "Incidents a hectare",
            "pai": "PAI",
        }
    )
    return Table(
        "clusters", f"Clusters of any shape: {len(held.frame):,}",
        shown[["Incidents", "Hectares", "Incidents a hectare", "PAI"]],
        {"Hectares": ",.1f", "Incidents a hectare": ",.1f", "PAI": ",.1f"}, counts=("Incidents",),
        published=published,
        note=f"Incidents with {held.least:g} or more within {held.eps:g} m, and those as near to them "
        "(DBSCAN). Found, not tested: chance makes some clusters too.",
    )  # fmt: skip
