"""What the areas say of the cells: homes, adjustment, and the tiles of cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.errors import DataError, DesignError, some
from peelian.explain.extent import Extent, by_ground
from peelian.explain.parameters import Parameters

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

PRIOR = "prior_count"


def counted_by(cells: Places, areas: Places | None, parameters: Parameters, crime: str) -> str:
    """Of what the risk is: ``households``, ``ground`` (or length of street), or ``none``: of a place."""
    has = areas is not None and areas.households is not None
    asked = parameters.offset
    alike = Extent.of(cells).size is None
    if asked == "auto":
        per_home = parameters.mode == "modern" and "burglary" in crime.casefold() and has
        asked = "households" if per_home else "none" if alike else "ground"
    return "none" if asked == "ground" and alike else asked


def offset_of(cells: Places, areas: Places | None, by: str) -> pd.Series | None:
    """What is at risk in each place: its homes, its size, or None where places are counted as they are."""
    if by == "none":
        return None
    if by == "ground":
        return by_ground(cells)
    if areas is None or areas.households is None:
        raise DesignError(
            'offset = "households" needs areas with a households column: name it in [places], '
            'or use offset = "none".'
        )
    return spread_households(areas, cells)


def with_block(parameters: Parameters, streets: gpd.GeoSeries | None) -> Parameters:
    """The parameters with the block that is to come from the streets."""
    from dataclasses import replace

    from peelian.explain.clustering import block_length

    if parameters.block_from == "cell" or parameters.block is not None:
        return parameters
    if streets is None:
        raise DesignError('block_from = "streets" needs streets = the name of a layer of lines.')
    return replace(parameters, block=round(block_length(streets), 1))


def at_risk_words(cells: Places, by: str) -> str:
    """Of what the risk is, and what that leaves out, in a sentence or two."""
    extent = Extent.of(cells)
    if by == "ground":
        return (
            f"Risk is per {extent.unit}: homes are not counted: features that lie where homes are can stand "
            "for homes."
        )
    if by == "none":
        return (
            f"Risk is per {extent.one}: homes are not counted: features that lie where homes are can stand "
            "for homes."
        )
    if extent.one == "area":
        return "Risk is per home."
    over = (
        "along its streets by their length"
        if extent.one == "street segment"
        else ("over the ground it covers, so a park counts like a street")
    )
    return f"Risk is per home: households of each area are spread evenly {over}."


def area_of(cells: Places, areas: Places) -> pd.Series:
    """The area that holds the centre of each cell, the nearest where none does."""
    import geopandas as gpd

    points = gpd.GeoDataFrame(geometry=cells.points, crs=cells.crs)
    shapes = areas.frame[["geometry"]].copy()
    shapes.index.name = "area"
    joined = gpd.sjoin_nearest(points, shapes.reset_index(), how="left")
    return joined["area"][~joined.index.duplicated()].reindex(cells.index)


def blocks_of(cells: Places, areas: Places | None, parameters: Parameters) -> pd.Series | str | None:
    """The tiles of cross-validation by cell where they are areas, ``random``, or None for squares."""
    name = parameters.fold_blocks
    if name is None or name == "random":
        return name
    column = _column(areas, name, "fold_blocks")
    return area_of(cells, areas).map(column) if areas is not None else None


def clusters_of(cells: Places, areas: Places | None, parameters: Parameters) -> float | pd.Series:
    """The tiles of the resamples: their side in metres, or by cell the area that a column names."""
    asked = parameters.clusters
    if not isinstance(asked, str):
        return asked
    column = _column(areas, asked, "clusters")
    assert areas is not None
    return area_of(cells, areas).map(column)


def groups_of(areas: Places | None, parameters: Parameters) -> pd.Series | None:
    """The neighbourhood of each area, or None where the areas are the neighbourhoods."""
    if parameters.neighbourhoods is None:
        return None
    return _column(areas, parameters.neighbourhoods, "neighbourhoods")


def adjustment(
    incidents: Incidents, cells: Places, areas: Places | None, parameters: Parameters
) -> pd.DataFrame | None:
    """The covariates that are always in, by cell: columns of its area, and its count of the year before."""
    import numpy as np
    import pandas as pd

    if not parameters.adjust:
        return None
    found: dict[str, pd.Series] = {}
    held = area_of(cells, areas) if areas is not None else None
    for name in parameters.adjust:
        if name == PRIOR:
            found[name] = np.log1p(_before(incidents, cells, parameters))
        else:
            column = _column(areas, name, "adjust")
            found[name] = held.map(pd.to_numeric(column, errors="coerce"))  # type: ignore[union-attr]
    return pd.DataFrame(found, index=cells.index)


def _column(areas: Places | None, name: str, key: str) -> pd.Series:
    """A column of the areas by its name."""
    known = [] if areas is None else [str(c) for c in areas.frame.columns if c != "geometry"]
    if areas is None or name not in known:
        raise DataError(f"explain.{key}: the areas have no column {name}; they have {some(known, 20)}.")
    return areas.frame[name]


def _before(incidents: Incidents, cells: Places, parameters: Parameters) -> pd.Series:
    """Incidents of each cell in the twelve months before the period."""
    import pandas as pd

    if parameters.months is None:
        raise DesignError(
            f'explain.adjust: {PRIOR} needs the year before the period. Give period = "2016-01..2018-12".'
        )
    first = pd.Period(parameters.months[0], "M")
    earlier = incidents.between(first - 12, first)
    if not len(earlier):
        raise DesignError(f"explain.adjust: {PRIOR} needs incidents from {first - 12} to {first - 1}.")
    return earlier.counts(cells)


def spread_households(areas: Places, cells: Places) -> pd.Series:
    """Households by cell: those of each area, spread evenly over the ground it covers (over its streets by
    their length, where streets are the places; the areas' own, where areas are).

    Households of ground outside every cell are left out. Returns a Series ``households`` on the cells' index.
    """
    import numpy as np
    import pandas as pd

    assert areas.households is not None
    if cells.index.isin(areas.index).all():
        return areas.households.reindex(cells.index).astype(float).rename("households")
    cell, area = areas.frame.sindex.query(cells.geometry, predicate="intersects")
    shapes, grounds = cells.geometry.to_numpy(), areas.geometry.to_numpy()
    import shapely

    met = shapely.intersection(shapes[cell], grounds[area])
    if cells.kind == "street":
        overlap = shapely.length(met)
        whole = np.bincount(area, overlap, len(areas))
    else:
        overlap, whole = shapely.area(met), areas.areas.to_numpy()
    part = np.divide(overlap, whole[area], out=np.zeros(len(area)), where=whole[area] > 0)
    homes = areas.households.to_numpy(float)[area] * part
    spread = np.bincount(cell, homes, len(cells))
    spread[spread < 1e-6] = 0.0
    return pd.Series(spread, cells.index, name="households")


def edge_of(cells: Places, warnings: tuple[str, ...], parameters: Parameters) -> pd.Series:
    """Cells so near the boundary that features beyond it may be missing: where layers stop there."""
    import pandas as pd

    from peelian.explain.factors import distances_of
    from peelian.explain.measure import study_area
    from peelian.explain.problem import STOPS

    if not any(STOPS in words for words in warnings):
        return pd.Series(False, cells.index)
    reach = parameters.reach_limit
    if parameters.mode == "rtmdx":
        block = parameters.block or 2 * float(cells.cell or 0)
        reach = max(distances_of(block, parameters.blocks, parameters.increment))
    return cells.points.distance(study_area(cells).boundary) <= reach
