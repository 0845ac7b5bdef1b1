"""Areas: polygons with their ids and households, from any file that GDAL reads."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, some
from peelian.places import Places
from peelian.read.coordinates import system
from peelian.read.files import present

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

YES, NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")


def areas(
    path: Path | str,
    *,
    id: str,
    households: str | None = None,
    name: str | None = None,
    layer: str | None = None,
    crs: object = None,
    where: str | None = None,
) -> Places:
    """Places from a file of polygons, by id, with their households where the file has them.

    ``path``        GeoPackage, shapefile, GeoJSON, TopoJSON or whatever else GDAL reads.
    ``id``          the column with the id of each place (an area code); one row an id.
    ``households``  the column with households, the denominator of rates and of kits; becomes ``households``.
    ``name``        the column with what people call the place; becomes ``name``.
    ``layer``       of the file; needed where it has several layers of shapes.
    ``crs``         move the shapes into this projected CRS in metres (27700 is British National Grid). It is
                    needed for files in degrees; where the file states no CRS, it is taken as the file's,
                    unless the numbers are degrees, as those of TopoJSON are: then 4326 is.
    ``where``       the true/false column of ``study_area``: checked here, so that a wrong name is told early.

    All other columns are kept. Raises ``DataError`` for a file that is absent, no spatial file or empty, a
    column that is not there (the message lists those that are), ids that repeat or are missing, rows without
    a shape, shapes that are no polygons, a CRS in degrees, and longitude and latitude that are exchanged.
    """
    found = reading(path, id=id, households=households, name=name, layer=layer, crs=crs, where=where)
    if found.unshaped:
        raise DataError(f"{path}: no shape for {some(found.unshaped)}. Each place needs one.")
    return found.places


@dataclass(frozen=True, eq=False)
class AreaReading:
    """Places, and what was wrong with the rows of their file.

    ``unshaped``  ids of rows without a shape, which are left out; ``mended`` ids whose shape crossed itself;
    ``profile`` how many of the places a profile beside knows, in words.
    """

    places: Places
    unshaped: tuple[str, ...]
    mended: tuple[str, ...]
    profile: str = ""


def reading(
    path: Path | str,
    *,
    id: str,
    households: str | None = None,
    name: str | None = None,
    layer: str | None = None,
    crs: object = None,
    where: str | None = None,
) -> AreaReading:
    """As ``areas``, with rows that have no shape left out and told, as are shapes that had to be mended."""
    frame = spatial(path, layer=layer)
    for column in (id, households, name, where):
        require_column(frame, column, path)
    if frame.empty:
        raise DataError(f"{path}: holds no place at all.")
    frame = _metres(frame, crs, path)
    wrong = ~frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"]) & frame.geometry.notna()
    if wrong.any():
        kinds = sorted(frame.geometry.geom_type[wrong].unique())
        raise DataError(f"{path}: {int(wrong.sum())} places are no polygons but {some(kinds)}.")
    frame = frame.set_geometry(frame.geometry.force_2d())
    ids = _ids(frame[id])
    bare = frame.geometry.isna() | frame.geometry.is_empty
    if bare.all():
        raise DataError(f"{path}: none of its {len(frame):,} rows has a shape.")
    unshaped = tuple(str(one) for one in ids[bare])
    frame, ids = frame[~bare], ids[~bare]
    mended = tuple(str(one) for one in ids[~frame.geometry.is_valid])
    if households:
        frame["households"] = frame[households]
    if name:
        frame["name"] = frame[name].astype("str")
    places = Places.of(frame.set_index(ids), name=str(path))
    if where:
        _flags(places.frame[where], str(path))
    return AreaReading(places, unshaped, mended)


def study_area(places: Places, where: str | None = None) -> list[str]:
    """The ids of the places in the study area: all of them, or those with a true value in a column.

    Raises ``DataError`` where the column is absent or holds no true/false values, and ``DesignError``
    where it is false for every place.
    """
    if where is None:
        return list(places.index)
    require_column(places.frame, where, "the places")
    inside = _flags(places.frame[where], "the places")
    if not inside.any():
        raise DesignError(
            f"The study area is empty: {where} is false for all {len(places):,} places. Set it to true for "
            "those you study, or leave `where` out to study all."
        )
    return list(places.index[inside])


def spatial(path: Path | str, *, layer: str | None = None) -> gpd.GeoDataFrame:
    """A GeoDataFrame from any file GDAL reads, or a ``DataError`` that says why not."""
    import warnings

    from peelian.read.drivers import guard

    guard(path)  # before pyogrio is imported: see there
    import geopandas as gpd
    import pyogrio

    path = present(path)
    try:
        if layer is None:
            _one_layer(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's remarks on ring order and the like: shapes are checked
            frame = pyogrio.read_dataframe(path, layer=layer)
    except pyogrio.errors.DataLayerError as error:
        held = [str(row[0]) for row in pyogrio.list_layers(path)]
        raise DataError(f"{path}: has no layer {layer!r}; it has {some(held)}.") from error
    except (pyogrio.errors.DataSourceError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{path}: is no spatial file that GDAL can read ({error}). Expected a GeoPackage, a shapefile "
            "(with its .dbf, .shx and .prj beside it) or GeoJSON."
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise DataError(f"{path}: holds a table without shapes. Export it with its geometry.")
    return frame


def _one_layer(path: Path) -> None:
    """Raise ``DataError`` where a file has several layers of shapes: the first is no better than the next."""
    import pyogrio

    held = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if len(held) > 1:
        raise DataError(f'{path}: has {len(held)} layers, {some(held)}. Choose one: layer = "{held[0]}".')


def require_column(frame: pd.DataFrame, column: str | None, path: Path | str) -> None:
    """Raise ``DataError``, with the columns there are, unless the frame has the column."""
    if column is None or column in frame:
        return
    held = [str(name) for name in frame.columns if name != "geometry"]
    close = difflib.get_close_matches(column, held, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise DataError(f"{path}: has no column {column!r}; it has {some(held, 40)}.{hint}")


def _metres(frame: gpd.GeoDataFrame, crs: object, path: Path | str) -> gpd.GeoDataFrame:
    """The frame in the CRS that was asked for; degrees under a metric label are found out."""
    west, south, east, north = frame.total_bounds
    degrees = -180 <= west <= east <= 180 and -180 <= south <= north <= 180
    if frame.crs is None and crs is not None:
        frame = frame.set_crs(4326 if degrees else system(crs, str(path)))
    if frame.crs is not None and not frame.crs.is_geographic and degrees:
        raise DataError(
            f"{path}: the CRS is said to be {frame.crs.name}, but the coordinates "
            f"({west:.2f}, {south:.2f} to {east:.2f}, {north:.2f}) are degrees. "
            "Save the file with its true CRS, EPSG:4326."
        )
    if crs is None:
        return frame
    target = system(crs, str(path))
    if frame.crs is not None and frame.crs.is_geographic:
        _not_exchanged((west, south, east, north), target, path)
    return frame.to_crs(target)


def _not_exchanged(bounds: tuple[float, float, float, float], target: Any, path: Path | str) -> None:
    """Raise ``DataError`` where shapes would lie in the target's area if their axes were exchanged."""
    if target.area_of_use is None:
        return
    west, south, east, north = bounds
    area = target.area_of_use.bounds

    def meets(w: float, s: float, e: float, n: float) -> bool:
        return w <= area[2] and e >= area[0] and s <= area[3] and n >= area[1]

    if not meets(west, south, east, north) and meets(south, west, north, east):
        raise DataError(
            f"{path}: longitude and latitude look exchanged: the shapes lie between {west:.2f} and "
            f"{east:.2f} east and {south:.2f} and {north:.2f} north, outside {target.name}. "
            "Save the file with longitude first."
        )


def _ids(column: pd.Series) -> pd.Series:
    """Ids as text: whole numbers without a decimal point, blanks missing."""
    import pandas as pd

    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    text = column.astype("str").str.strip()
    return text.where(column.notna() & (text != "")).rename("place")


def _flags(column: pd.Series, name: str) -> Any:
    """A true/false column as booleans; words and 0/1 are understood, blanks are false."""
    words = column.astype("str").str.lower().str.removesuffix(".0")
    known = column.notna()
    wrong = known & ~words.isin([*YES, *NO])
    if wrong.any():
        raise DataError(
            f"{name}: column {column.name!r} holds {some(sorted(words[wrong].unique()))}; "
            "expected true and false."
        )
    return (known & words.isin(YES)).to_numpy(bool)
