"""Patrol files: missions as GPX, KML, GeoJSON, GeoPackage and CSV, for the devices that officers carry."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

from peelian.errors import DesignError
from peelian.maps import Layered, Style

if TYPE_CHECKING:
    import geopandas as gpd

    from peelian.places import Places
    from peelian.predict.missions import Missions

WGS84 = "EPSG:4326"
DEGREES = 6  # decimals: 0.1 m; the change of datum itself is good to 3.6 m without the OSTN15 grid
ENDINGS = (".csv", ".geojson", ".gpkg", ".gpx", ".kml")


def patrol_file(missions: Missions, places: Places, ending: str, *, first: str = "") -> Any:
    """The missions as one file's content: text, bytes, a frame for CSV, or the layers of a GeoPackage.

    ``ending``  ``.gpx`` (1.1: waypoints in visiting order and a route a mission), ``.kml``, ``.geojson``
    (boxes in WGS84, RFC 7946), ``.gpkg`` (boxes and stops in the places' CRS, styled for QGIS), ``.csv``.
    ``first``   said at the head of the file, where its format has a place for it: all but CSV.
    """
    if ending == ".csv":
        return missions.frame
    if ending == ".gpkg":
        return _geopackage(missions, places, first)
    if ending == ".geojson":
        return _written(_boxes(missions, places).to_crs(WGS84), "GeoJSON", RFC7946="YES", DESCRIPTION=first)
    if ending == ".kml":
        return _kml(missions, places, first)
    if ending == ".gpx":
        return _gpx(missions, places, first)
    raise DesignError(f"There is no patrol file {ending!r}; there are {', '.join(ENDINGS)}.")


def patrol_files(
    missions: Missions, places: Places, name: str = "missions", *, first: str = ""
) -> dict[str, Any]:
    """Every patrol file by its name."""
    return {f"{name}{ending}": patrol_file(missions, places, ending, first=first) for ending in ENDINGS}


def _boxes(missions: Missions, places: Places) -> gpd.GeoDataFrame:
    import geopandas as gpd

    frame = missions.frame.drop(columns=["x", "y"])
    shapes = places.geometry.loc[missions.frame["place"]].to_numpy()
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=places.crs)


def _stops(missions: Missions, places: Places) -> gpd.GeoDataFrame:
    import geopandas as gpd

    frame = missions.frame.drop(columns=["x", "y"])
    points = gpd.points_from_xy(missions.frame["x"], missions.frame["y"], crs=places.crs)
    return gpd.GeoDataFrame(frame, geometry=points)


def _geopackage(missions: Missions, places: Places, first: str) -> Layered:
    order = Style("kind", "categories", legend="why the box is there")
    return Layered(
        {"boxes": _boxes(missions, places), "stops": _stops(missions, places)},
        {"boxes": order, "stops": order},
        first,
    )


def _gpx(missions: Missions, places: Places, first: str) -> str:
    """Waypoints, then a route a mission: only what GPX 1.1 itself has, so that any device reads it."""
    import xml.etree.ElementTree as ElementTree

    stops = _stops(missions, places).to_crs(WGS84)
    root = ElementTree.Element(
        "gpx", {"version": "1.1", "creator": "Peelian", "xmlns": "http://www.topografix.com/GPX/1/1"}
    )
    if first:
        ElementTree.SubElement(ElementTree.SubElement(root, "metadata"), "desc").text = first
    routes = []
    for mission, rows in stops.groupby("mission", sort=False):
        route = ElementTree.Element("rte")
        ElementTree.SubElement(route, "name").text = str(mission)
        for stop in rows.itertuples():
            for parent, tag in ((root, "wpt"), (route, "rtept")):
                where = {"lat": f"{stop.geometry.y:.{DEGREES}f}", "lon": f"{stop.geometry.x:.{DEGREES}f}"}
                point = ElementTree.SubElement(parent, tag, where)
                ElementTree.SubElement(point, "name").text = f"{stop.order} {stop.place}"
                ElementTree.SubElement(point, "desc").text = f"{mission}: {stop.kind}. {stop.reason}".strip()
        routes.append(route)
    root.extend(routes)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _kml(missions: Missions, places: Places, first: str) -> str:
    from xml.sax.saxutils import escape

    boxes = _boxes(missions, places).to_crs(WGS84)
    about = boxes.assign(
        Name=boxes["order"].astype(str) + " " + boxes["place"],
        Description=boxes["mission"] + ": " + boxes["kind"] + ". " + boxes["reason"],
    )
    text = _written(about[["Name", "Description", "geometry"]], "KML")
    head = f"<description>{escape(first)}</description>" if first else ""
    return re.sub(r"(<Document[^>]*>)", lambda found: found[0] + head, text, count=1)


def _written(frame: gpd.GeoDataFrame, driver: str, **options: str) -> str:
    """A frame as text in one of GDAL's formats, the same bytes for the same frame."""
    import pyogrio

    held = BytesIO()
    options = {name: value for name, value in options.items() if value}
    options |= {"COORDINATE_PRECISION": str(DEGREES)} if driver == "GeoJSON" else {}
    pyogrio.write_dataframe(frame, held, driver=driver, layer="missions", layer_options=options)
    return re.sub(r"[ \t]+\n", "\n", held.getvalue().decode("utf-8"))
