"""Hot spots as a part of the chapter: Gi*, patterns over time, and other ways where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.beside import Beside, HotSpotParameters
    from peelian.explain.hot_spots import HotSpots, Patterns
    from peelian.incidents import Incidents
    from peelian.places import Places


def add(
    found: Beside, incidents: Incidents, cells: Places, asked: HotSpotParameters, seed: int, crime: str,
    households: pd.Series | None,
) -> None:  # fmt: skip
    """Hot spots into the chapter, into the columns of the cells and into a layer of the map."""
    from peelian.explain import hot_spots_ways
    from peelian.explain.hot_spots import hotspots
    from peelian.explain.hot_spots_report import blocks
    from peelian.report import Text

    if asked.rates and households is None:
        raise DesignError("rates = true needs areas with a households column: name it in [places].")
    homes = households if asked.rates else None
    hot = hotspots(
        incidents, cells, alpha=asked.alpha, adjust=asked.adjust, p=asked.p, sides=asked.sides,
        include_self=asked.include_self, seed=seed, crime=crime, households=homes,
    )  # fmt: skip
    lasting, why = _patterns(incidents, cells, asked, homes, seed, crime)
    found.blocks.extend(blocks(hot, lasting, cells, published=incidents.published))
    if why:
        found.blocks.append(Text(f"Patterns over time are not shown. {why}", "note"))
    _keep(found, hot, lasting, cells)
    hot_spots_ways.add(found, incidents, cells, asked, crime, households)


def _patterns(
    incidents: Incidents, cells: Places, asked: HotSpotParameters, homes: pd.Series | None, seed: int,
    crime: str,
) -> tuple[Patterns | None, str]:  # fmt: skip
    """Which hot spots last, or why that cannot be said."""
    from peelian.explain.hot_spots import hotspot_classify

    try:
        found = hotspot_classify(
            incidents, cells, period=asked.period, hotspot=asked.hotspot, persistent=asked.persistent,
            recent=asked.recent, critical_p=asked.alpha, adjust=asked.adjust, households=homes,
            include_self=asked.include_self, seed=seed, crime=crime,
        )  # fmt: skip
    except DesignError as error:  # the hot spots of the whole time remain
        return None, str(error)
    return found, ""


def _keep(found: Beside, hot: HotSpots, lasting: Patterns | None, cells: Places) -> None:
    import geopandas as gpd

    from peelian.maps import Style

    frame = hot.frame
    columns = {
        "gi": frame["gi"], "gi_p_hot": frame["p_hot"], "gi_p_cold": frame["p_cold"], "gi_q": frame["q"],
        "hot_spot": frame["class"].astype("str"),
    }  # fmt: skip
    if lasting is not None:
        columns["hot_spot_pattern"] = lasting.frame["pattern"].astype("str")
    found.columns.update(columns)
    drawn = gpd.GeoDataFrame(columns, geometry=cells.geometry, crs=cells.crs)
    found.layers["hot_spots"] = drawn
    found.styles["hot_spots"] = Style("hot_spot", kind="categories", legend="hot spot")
    found.summary["hot_spots"] = {
        "places": len(frame), "hot": len(hot.hot), "cold": len(hot.cold),
        "incidents_in_hot": int(frame.loc[hot.hot, "count"].sum()),
        "patterns": {} if lasting is None else lasting.frame["pattern"].value_counts().to_dict(),
    }  # fmt: skip
