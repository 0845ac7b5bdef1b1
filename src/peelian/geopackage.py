"""GeoPackages: map layers as one file that QGIS opens styled, with the classes of the report's maps."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from peelian.maps import class_limits, classed

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from peelian.maps import Layered, Style


def write_geopackage(path: Path, layered: Layered) -> None:
    """Write the layers to one GeoPackage (version 1.2) with a style that QGIS applies on opening.

    Times inside the file are fixed, so that the same layers give the same bytes.
    """
    import pyogrio

    path.unlink(missing_ok=True)
    for name, frame in layered.layers.items():
        plain = frame.reset_index() if frame.index.name and frame.index.name not in frame else frame.copy()
        for column in plain.columns:
            if str(plain[column].dtype) in ("category", "period[M]"):
                plain[column] = plain[column].astype(str)
        about = {"DESCRIPTION": layered.about} if layered.about else {}
        pyogrio.write_dataframe(
            plain, path, layer=name, driver="GPKG", append=path.exists(), VERSION="1.2",
            layer_options={"GEOMETRY_NAME": "geom"} | about, promote_to_multi=True,
        )  # fmt: skip
    _add_styles(path, layered)
    _fix_counter(path)


def _fix_counter(path: Path) -> None:
    """SQLite counts the changes of a file in its header, one more or less by timing: set both counts to 1."""
    with path.open("r+b") as handle:
        for offset in (24, 92):  # the change counter, and the version that the file's size is valid for
            handle.seek(offset)
            handle.write(b"\x00\x00\x00\x01")


def _add_styles(path: Path, layered: Layered) -> None:
    import contextlib
    import sqlite3

    rows = [
        (name, name, style_qml(layered.layers[name], style))
        for name, style in layered.styles.items()
        if style.column in layered.layers[name]
    ]
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        store.execute("UPDATE gpkg_contents SET last_change = '2000-01-01T00:00:00.000Z'")
        store.execute(
            "CREATE TABLE IF NOT EXISTS layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT,"
            " styleName TEXT, styleQML TEXT,"
            " styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT,"
            " update_time DATETIME)"
        )
        store.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
            " styleName, styleQML, styleSLD, useAsDefault, description, owner, update_time)"
            " VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '', '2000-01-01T00:00:00.000Z')",
            rows,
        )
        store.execute(
            "INSERT OR IGNORE INTO gpkg_contents (table_name, data_type, identifier, last_change)"
            " VALUES ('layer_styles', 'attributes', 'layer_styles', '2000-01-01T00:00:00.000Z')"
        )


def style_qml(frame: gpd.GeoDataFrame, style: Style) -> str:
    """A QGIS style (QML) that colours a layer by a column, with the same classes as the map in the report."""
    from xml.sax.saxutils import quoteattr

    kind = frame.geometry.geom_type.iloc[0] if len(frame) else "Polygon"
    values = frame[style.column]
    names, colours, _ = classed(values, style.kind, style.classes, style.breaks, None)
    if style.kind == "categories":
        renderer, wrap, extra = "categorizedSymbol", "categories", ""
        rows = [f'<category symbol="{i}" value={quoteattr(n)}' for i, n in enumerate(names)]
    else:
        renderer, wrap, extra = "graduatedSymbol", "ranges", ' graduatedMethod="GraduatedColor"'
        limits = pairwise(class_limits(values, style.classes, style.breaks))
        rows = [f'<range symbol="{i}" lower="{a:.10g}" upper="{b:.10g}"' for i, (a, b) in enumerate(limits)]
    body = "".join(
        f'{row} label={quoteattr(name)} render="true"/>' for row, name in zip(rows, names, strict=False)
    )
    symbols = "".join(_symbol(str(i), colour, kind) for i, colour in enumerate(colours))
    return (
        '<!DOCTYPE qgis><qgis version="3.22" styleCategories="Symbology">'
        f'<renderer-v2 type="{renderer}" attr={quoteattr(style.column)}{extra}><{wrap}>{body}</{wrap}>'
        f"<symbols>{symbols}</symbols></renderer-v2></qgis>"
    )


def _symbol(name: str, colour: str, kind: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    rgba = f"{red},{green},{blue},255"
    if "Point" in kind:
        what, layer, options = "marker", "SimpleMarker", {"color": rgba, "size": "2"}
    elif "Line" in kind:
        what, layer, options = "line", "SimpleLine", {"line_color": rgba}
    else:
        edge = {"outline_color": "127,134,138,255", "outline_width": "0.1"}
        what, layer, options = "fill", "SimpleFill", {"color": rgba, **edge}
    body = "".join(f'<Option name="{key}" value="{value}" type="QString"/>' for key, value in options.items())
    return (
        f'<symbol type="{what}" name="{name}" alpha="1"><layer class="{layer}" enabled="1">'
        f'<Option type="Map">{body}</Option></layer></symbol>'
    )
