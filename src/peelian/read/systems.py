"""Systems: which coordinate reference system a file without one is likely to be in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Box = tuple[float, float, float, float]
BESIDE = (".geojson", ".gpkg", ".shp")
LARGEST = 200 * 2**20  # bytes of a file beside that is still looked at
SAMPLE = 400  # points that are tried
WIDEST = 60.0  # degrees: a system made for more than this fits too much to say anything
FITS = 0.9  # share of points that must fall where the crime is known to be
ALIKE = 5.0  # metres within which two systems are the same for our purpose
DATUMS = ("OSGB36 /", "NAD83 /", "NAD_1983_", "ETRS89 /", "WGS 84 /")  # plain ones, in order of preference


@dataclass(frozen=True)
class System:
    """A coordinate reference system that fits.

    ``code``    such as ``EPSG:27700``; ``name`` and ``unit`` in words; ``share`` of the points that fall
                where the crime is known to be; ``away`` metres from where the first system puts them.
    """

    code: str
    name: str
    unit: str
    share: float
    away: float = 0.0


def box_of(path: Path) -> Box | None:
    """West, south, east and north of a spatial file in degrees, or None where it says none."""
    import pyogrio
    import pyproj

    try:
        held = pyogrio.read_info(path, force_total_bounds=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, OSError):
        return None
    bounds, crs = held.get("total_bounds"), held.get("crs")
    if bounds is None or not crs:
        return None
    try:
        move = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
        west, south, east, north = move.transform_bounds(*bounds)
    except pyproj.exceptions.ProjError:
        return None
    inside = -180 <= west < east <= 180 and -90 <= south < north <= 90
    return (west, south, east, north) if inside else None


def beside(path: Path) -> list[Path]:
    """Spatial files in the folder of a file: where its crime probably lies."""
    found = [p for p in sorted(path.resolve().parent.iterdir()) if p.suffix.lower() in BESIDE and p != path]
    return [p for p in found if p.is_file() and p.stat().st_size <= LARGEST]


def likely(x: np.ndarray, y: np.ndarray, box: Box) -> list[System]:
    """The projected systems in which the points fall into a box of degrees, likeliest first.

    ``x``, ``y``  coordinates as they stand in the file; ``box`` west, south, east, north in degrees.

    Systems of EPSG and ESRI that are made for that place are tried; among those that fit as well as the best,
    one of the plain datum of the region comes first (a boundary cannot tell NAD83 from its refinements).
    """
    import numpy as np
    import pyproj
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    step = max(len(x) // SAMPLE, 1)
    x, y = np.asarray(x)[::step], np.asarray(y)[::step]
    tried = [
        info
        for auth in ("EPSG", "ESRI")
        for info in query_crs_info(
            auth, [PJType.PROJECTED_CRS], AreaOfInterest(*box), contains=True, allow_deprecated=False
        )
        if info.area_of_use is not None and info.area_of_use.east - info.area_of_use.west < WIDEST
    ]
    found = []
    for info in tried:
        try:
            crs = pyproj.CRS.from_authority(info.auth_name, info.code)
            move = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
            degrees = np.column_stack(move.transform(x, y))
        except pyproj.exceptions.ProjError:
            continue
        share = float(_inside(degrees, box).mean())
        if share >= FITS:
            found.append((crs, info, share, degrees))
    return _ranked(found)


def _ranked(found: list[Any]) -> list[System]:
    if not found:
        return []
    best = max(share for _, _, share, _ in found)
    found = [one for one in found if one[2] >= best - 0.02]
    found.sort(key=lambda one: (_plainness(one[1].name), one[1].auth_name != "EPSG", len(one[1].name)))
    first = found[0][3]
    return [
        System(
            f"{info.auth_name}:{info.code}", info.name, crs.axis_info[0].unit_name, share, _away(first, at)
        )
        for crs, info, share, at in found
    ]


def _plainness(name: str) -> int:
    plain = next((rank for rank, mark in enumerate(DATUMS) if name.startswith(mark)), len(DATUMS))
    return plain + (len(DATUMS) if any(mark in name for mark in ("HARN", "NSRS", "CORS", "(N-E)")) else 0)


def _inside(degrees: np.ndarray, box: Box) -> np.ndarray:
    west, south, east, north = box
    wide, high = 0.02 * (east - west), 0.02 * (north - south)
    x, y = degrees[:, 0], degrees[:, 1]
    return (x >= west - wide) & (x <= east + wide) & (y >= south - high) & (y <= north + high)


def _away(first: np.ndarray, other: np.ndarray) -> float:
    """Median distance in metres between two sets of degrees."""
    import numpy as np

    shrink = np.cos(np.radians(first[:, 1]))
    east, north = (other - first).T
    return float(np.median(np.hypot(east * shrink, north)) * 111_320)
