"""Coordinates: columns of numbers as points in metres, and what is wrong with those that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian.errors import DataError
from peelian.places import require_metres

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd

ONE = "one coordinate is missing"
NO_NUMBER = "a coordinate is not a number"
ZERO = "coordinates are 0, 0"
EXCHANGED = "longitude and latitude look exchanged"
THOUSANDS = r"^\s*[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*$"
WORLD = (-180.0, -90.0, 180.0, 90.0)
MARGIN = 3.0  # degrees: a projection serves a little beyond the area it was made for


def system(crs: object, name: str) -> Any:
    """A coordinate reference system from a number or text, or a ``DataError`` that says what to write."""
    import pyproj

    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise DataError(
            f"{name}: crs = {crs!r} is no coordinate reference system. Write an EPSG number: 27700 for "
            "British National Grid, 4326 for longitude and latitude."
        ) from error


def points(
    x: pd.Series, y: pd.Series, *, crs: object, to: object = 27700, name: str = "coordinates"
) -> tuple[gpd.GeoSeries, pd.Series]:
    """The points of two columns, and a fault for every row whose coordinates cannot be used.

    ``x``, ``y``  easting and northing or longitude and latitude, as text or numbers, in ``crs``.
    ``to``        the projected CRS in metres of the answer.

    Returns a GeoSeries (missing where there is no point) and a Series of text (missing where nothing is
    wrong; coordinates that are both blank are missing, not wrong). Points more than 3 degrees outside
    the area for which ``to`` is defined are faults too, as are longitude and latitude that would lie in
    it if exchanged.
    """
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import shapely

    source, target = system(crs, name), system(to, name)
    require_metres(target, name)
    east, north, fault = _numbers(numbers(x, source.is_geographic), numbers(y, source.is_geographic), x, y)
    good = np.isfinite(east) & np.isfinite(north) & pd.isna(fault).to_numpy()
    both = pd.MultiIndex.from_arrays([east[good], north[good]])
    back, pairs = pd.factorize(both) if good.any() else (np.array([], int), both)
    distinct = np.column_stack([pairs.get_level_values(k).to_numpy("float64") for k in (0, 1)])
    wrong = _outside(distinct, source, target)[back.ravel()]
    moved = distinct if source == target else _moved(distinct, source, target)
    moved = moved[back.ravel()]
    wrong = np.where(
        (wrong == "") & ~np.isfinite(moved).all(axis=1), f"far outside the area of {target.name}", wrong
    )
    shapes = np.full(len(east), None, object)
    places = np.flatnonzero(good)
    shapes[places[wrong == ""]] = shapely.points(moved[wrong == ""])
    faults = fault.to_numpy(object).copy()
    faults[places[wrong != ""]] = wrong[wrong != ""]
    return (
        gpd.GeoSeries(shapes, index=x.index, crs=target),
        pd.Series(faults, index=x.index, name="fault").astype("str"),
    )


def numbers(text: pd.Series, degrees: bool = False) -> pd.Series:
    """A column of coordinates as numbers, with decimal commas or commas between thousands.

    ``530123,45`` is a decimal comma; ``530,123`` in a projected system parts thousands, and is so read where
    every comma of the column does that; in degrees a comma is always decimal.

    >>> import pandas as pd
    >>> numbers(pd.Series(["530,123", "1,530,123.5"])).tolist(), numbers(pd.Series(["-0,361"]), True).tolist()
    ([530123.0, 1530123.5], [-0.361])
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(text):
        return text.astype("float64")
    text = text.astype("str")
    comma = text.str.contains(",", regex=False).fillna(False).astype(bool)
    if comma.any():
        thousands = text[comma].str.match(THOUSANDS).all() and not degrees
        plain = text.str.replace(",", "" if thousands else ".", regex=False)
        text = text.where(~comma, plain)
    return pd.to_numeric(text, errors="coerce").astype("float64")


def _numbers(
    x: pd.Series, y: pd.Series, given_as_x: pd.Series, given_as_y: pd.Series
) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    import numpy as np
    import pandas as pd

    given_x, given_y = given_as_x.notna().to_numpy(), given_as_y.notna().to_numpy()
    east, north = x.to_numpy(na_value=np.nan), y.to_numpy(na_value=np.nan)
    fault = np.full(len(east), None, object)
    fault[given_x != given_y] = ONE
    fault[given_x & given_y & ~(np.isfinite(east) & np.isfinite(north))] = NO_NUMBER
    fault[(east == 0) & (north == 0)] = ZERO
    return east, north, pd.Series(fault, index=given_as_x.index)


def _outside(distinct: np.ndarray, source: Any, target: Any) -> np.ndarray:
    """Why a point cannot lie where the target system is defined; empty text where it can."""
    import numpy as np

    degrees = distinct if source.is_geographic else _moved(distinct, source, source.geodetic_crs)
    bounds = target.area_of_use.bounds if target.area_of_use else WORLD
    inside = _within(degrees, bounds)
    wrong = np.where(inside, "", f"far outside the area of {target.name}").astype(object)
    if source.is_geographic:
        wrong[~inside & _within(degrees[:, ::-1], bounds)] = EXCHANGED
    return wrong


def _within(degrees: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    west, south, east, north = bounds
    longitude, latitude = degrees[:, 0], degrees[:, 1]
    across = abs(longitude) <= 180
    if west <= east:  # otherwise the area crosses the date line
        across &= (longitude >= west - MARGIN) & (longitude <= east + MARGIN)
    return across & (latitude >= max(south - MARGIN, -90)) & (latitude <= min(north + MARGIN, 90))


def _moved(points: np.ndarray, source: Any, target: Any) -> np.ndarray:
    import numpy as np
    import pyproj

    transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)
    return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
