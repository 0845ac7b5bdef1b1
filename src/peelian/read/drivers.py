"""Drivers: which kinds of spatial file GDAL may open, settled before it is loaded and by content.

GDAL tells a file's kind by its content. A file called ``areas.geojson`` that holds a VRT would be opened as
one, and may name any file of the machine or any address of the network. So its drivers are cut down to those
that read only the file itself, and a file's first bytes are looked at before GDAL sees it.
"""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

from peelian.errors import DataError, some

KEPT = (
    "ESRI Shapefile", "FlatGeobuf", "GPKG", "GPX", "GeoJSON", "GeoJSONSeq", "KML", "LIBKML", "MEM",
    "MapInfo File", "OSM", "TopoJSON",
)  # fmt: skip
# every other driver of pyogrio 0.13; a test fails when a newer one brings another
SKIPPED = (
    "ADBC", "AIVector", "AVCBin", "AVCE00", "AmigoCloud", "CSV", "CSW", "Carto", "DGN", "DXF", "EDIGEO",
    "EEDA", "ESRIJSON", "Elasticsearch", "GDALG", "GML", "GPSBabel", "GTFS", "GeoRSS", "HTTP", "Idrisi",
    "JML", "JSONFG", "LVBAG", "MBTiles", "MVT", "MapML", "MiraMonVector", "NGW", "OAPIF", "ODS", "OGCAPI",
    "OGR_GMT", "OGR_PDS", "OGR_VRT", "OpenFileGDB", "PCIDSK", "PDF", "PDS4", "PGDUMP", "PLSCENES",
    "PMTiles", "S57", "SQLite", "SXF", "Selafin", "VDV", "VFK", "VICAR", "WAsP", "WFS", "XLSX",
)  # fmt: skip
SETTINGS = {
    "GDAL_SKIP": ",".join(SKIPPED),
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "GDAL_HTTP_TIMEOUT": "1",
}
HEAD = 4096
SQLITE, SHAPE, ZIP, FLATGEOBUF = b"SQLite format 3\0", b"\0\0\x27\x0a", b"PK\x03\x04", b"fgb"
ROOTS = (b"kml", b"gpx", b"osm")
USUAL_TRIGGER = re.compile(r"^(rtree_|trigger_(insert|delete)_feature_count_|gpkg_)")


def guard(path: Path | str) -> None:
    """Let GDAL open this file: cut its drivers down and refuse what is none of the kinds it may read.

    Call it before ``pyogrio`` is imported: ``GDAL_SKIP`` does nothing once GDAL is loaded, and then the look
    at the first bytes stands alone. Paths that GDAL would take for more than a file are refused, as are
    GeoPackages with views, triggers or virtual tables of their own, and XML with a document type or network
    links.

    Raises ``DataError`` that says what the file is not.
    """
    os.environ.update(SETTINGS)
    text = str(path)
    if text.startswith("/vsi") or "://" in text or text.lower().startswith(("http:", "https:", "<")):
        raise DataError(
            f"{path}: is an address and no file of this machine. Fetch it first, and name the file."
        )
    path = Path(path)
    if not path.is_file():
        return  # whoever opens it says what is missing
    with path.open("rb") as handle:
        head = handle.read(HEAD)
    if head.startswith(SQLITE):
        _package(path)
    elif not _known(path, head):
        raise DataError(
            f"{path}: is no kind of spatial file that is read here. Expected a GeoPackage, shapefile, "
            "GeoJSON, TopoJSON, FlatGeobuf, KML, GPX, MapInfo or OpenStreetMap file; export it as GeoPackage."
        )


def _known(path: Path, head: bytes) -> bool:
    """True for the kinds in KEPT, by their first bytes."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return _xml(path, head)
    signs = (SHAPE, ZIP, FLATGEOBUF, b"{", b"\x1e{", b"!table", b"Version", b"VERSION")
    return text.startswith(signs) or head.startswith(signs) or b"OSMHeader" in head[:64]


def _xml(path: Path, head: bytes) -> bool:
    """True for KML, GPX and OSM; with a document type or a network link none of them is read."""
    elements = re.findall(rb"<([A-Za-z][\w:.-]*)", head)
    if not elements or elements[0].split(b":")[-1].lower() not in ROOTS:
        return False
    before = b""
    with path.open("rb") as handle:
        while piece := handle.read(2**20):
            found = re.search(rb"<!(DOCTYPE|ENTITY)|<(\w+:)?NetworkLink\b", before + piece)
            if found:
                raise DataError(
                    f"{path}: holds {found[0].decode()}, which can make a reader fetch other files. Remove "
                    "it, or export the layer as GeoPackage."
                )
            before = piece[-32:]
    return True


def _package(path: Path) -> None:
    """Refuse a GeoPackage that holds more than tables and their spatial indexes."""
    try:
        base = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            held = base.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
        finally:
            base.close()
    except sqlite3.Error as error:
        raise DataError(f"{path}: is a damaged GeoPackage ({error}). Copy it again.") from error
    odd = [name for kind, name, sql in held if _is_odd(kind, name, sql)]
    if odd:
        raise DataError(
            f"{path}: holds views, triggers or virtual tables of its own ({some(odd)}), which could read "
            "other files. Export the layer alone into a new GeoPackage."
        )


def _is_odd(kind: str, name: str, sql: str) -> bool:
    if kind == "view":
        return True
    if kind == "trigger":
        return not USUAL_TRIGGER.match(name)
    words = sql.upper().split()
    return words[:2] == ["CREATE", "VIRTUAL"] and "RTREE" not in " ".join(words[:8])
