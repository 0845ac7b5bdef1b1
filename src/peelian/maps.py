"""Maps: layers for Vega-Lite, with classes and styles that a GeoPackage takes. They compute no statistics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from peelian.charts import CONFIG, INK, SCHEMA

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    from peelian.places import Places

Kind = Literal["sequential", "diverging", "categories"]
# single-hue steps whose lightness falls evenly, so that print keeps their order
SEQUENTIAL = {
    3: ["#deebf7", "#6baed6", "#08519c"],
    4: ["#eff3ff", "#9ecae1", "#4292c6", "#084594"],
    5: ["#eff3ff", "#bdd7e7", "#6baed6", "#3182bd", "#08519c"],
    6: ["#eff3ff", "#c6dbef", "#9ecae1", "#6baed6", "#3182bd", "#08519c"],
    7: ["#f7fbff", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#3182bd", "#08519c"],
}
# the palest steps of up to five cannot be seen as a line on white
SEEN_AS_LINE = {"#eff3ff": "#c6dbef", "#bdd7e7": "#9ecae1", "#deebf7": "#9ecae1", "#f3f2f1": "#d0d3d6"}
DIVERGING = {
    3: ["#2166ac", "#f7f7f7", "#b2182b"],
    4: ["#2166ac", "#92c5de", "#f4a582", "#b2182b"],
    5: ["#2166ac", "#92c5de", "#f7f7f7", "#f4a582", "#b2182b"],
    6: ["#2166ac", "#67a9cf", "#d1e5f0", "#fddbc7", "#ef8a62", "#b2182b"],
    7: ["#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"],
}
CATEGORIES = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#F0E442"]
MISSING = "#e6e8ea"
# classes that mean something by themselves: nothing is pale, hot and cold deepen with their strength
NAMED = {
    "none": "#f3f2f1", "other areas": "#dfe3e6", "left out": "#b1b4b6",
    "hot 90 %": "#fc8d59", "hot 95 %": "#d7301f", "hot 99 %": "#7f0000",
    "cold 90 %": "#92c5de", "cold 95 %": "#4393c3", "cold 99 %": "#053061",
    "sure": "#08519c", "likely": "#6baed6", "unsure": "#c6dbef", "never": "#f3f2f1",
    "much lower": "#2166ac", "lower": "#92c5de", "as before": "#f3f2f1", "higher": "#f4a582",
    "much higher": "#b2182b",
}  # fmt: skip
WIDTH = 640
MANY = 1500  # shapes on one map


@dataclass(frozen=True)
class Style:
    """How a layer looks in QGIS: the column that is coloured, its kind, its legend and class limits."""

    column: str
    kind: Kind = "sequential"
    legend: str = ""
    breaks: tuple[float, ...] | None = None
    classes: int = 5


@dataclass(frozen=True, eq=False)
class Layered:
    """The layers of one GeoPackage by name, each with the style QGIS opens it in; ``about`` them all."""

    layers: dict[str, gpd.GeoDataFrame]
    styles: dict[str, Style] = field(default_factory=dict)
    about: str = ""


# -------------------------------------------------------------------- Vega-Lite
def areas_map(
    frame: gpd.GeoDataFrame,
    value: str,
    *,
    legend: str,
    kind: Kind = "sequential",
    classes: int = 5,
    breaks: Sequence[float] | None = None,
    outline: str | None = None,
    order: Sequence[str] | None = None,
) -> dict[str, Any]:
    """A map of areas (or streets) coloured by a column, in classes named in the legend.

    ``value``    a column of numbers, or of words for ``kind="categories"`` (``order`` gives theirs).
    ``classes``  how many; limits are quantiles of the values unless ``breaks`` gives them.
    ``outline``  a true/false column: those places get a thick border (the treated ones).
    """
    shapes = frame[[value, *([outline] if outline else []), frame.geometry.name]].copy()
    tolerance = max(shapes.total_bounds[2] - shapes.total_bounds[0], 1.0) / 2000
    lines = bool(shapes.geometry.geom_type.str.contains("Line").any())
    thin = shapes.geometry.simplify(tolerance) if lines else shapes.geometry.simplify_coverage(tolerance)
    shapes[frame.geometry.name] = thin
    names, colours, label = classed(shapes[value], kind, classes, breaks, order)
    if lines:
        colours = [SEEN_AS_LINE.get(colour, colour) for colour in colours]
    features = []
    marked = shapes[outline].to_numpy(bool) if outline else [False] * len(shapes)
    for word, thick, shape in zip(label, marked, shapes.geometry, strict=True):
        geometry = _rounded(shape.__geo_interface__)
        features.append(
            {"type": "Feature", "geometry": geometry, "properties": {"class": word, "thick": bool(thick)}}
        )
    colour = {"field": "properties.class", "type": "nominal", "title": legend, "sort": names,
              "scale": {"domain": names, "range": colours}}  # fmt: skip
    # round many small areas a border would hide the colours
    border = {"stroke": "#7f868a", "strokeWidth": 0.4} if len(shapes) < MANY else {"strokeWidth": 0}
    mark: dict[str, Any] = {"type": "geoshape", **border}
    drawn = {"color": colour}
    if lines:
        mark, drawn = {"type": "geoshape", "filled": False, "strokeWidth": 1.8}, {"stroke": colour}
    layers: list[dict[str, Any]] = [{"mark": mark, "encoding": drawn}]
    if outline:
        layers.append(
            {
                "transform": [{"filter": "datum.properties.thick"}],
                # of many small areas a thick border would hide the colours
                "mark": {
                    "type": "geoshape",
                    "filled": False,
                    "stroke": INK,
                    "strokeWidth": 2 if len(shapes) < MANY else 0.9,
                },
            }
        )
    spec = _map(layers, _height(frame.total_bounds), {"values": features})
    return spec | {"projection": {"type": "identity", "reflectY": True}}


def places_map(
    places: Places, values: pd.Series, *, legend: str, kind: Kind = "sequential",
    breaks: Sequence[float] | None = None, order: Sequence[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A map of places of any kind, coloured by a value: ``cells_map`` of a grid, else ``areas_map``."""
    if places.kind == "cell":
        return cells_map(places, values, legend=legend, kind=kind, breaks=breaks, order=order)
    frame = places.frame[["geometry"]].assign(value=values.reindex(places.index))
    return areas_map(frame, "value", legend=legend, kind=kind, breaks=breaks, order=order)


def cells_map(
    places: Places,
    values: pd.Series,
    *,
    legend: str,
    kind: Kind = "sequential",
    classes: int = 5,
    breaks: Sequence[float] | None = None,
    order: Sequence[str] | None = None,
    boundary: Any = None,
    lines: gpd.GeoSeries | None = None,
) -> dict[str, Any]:
    """A map of grid cells coloured by a value, in classes named in the legend.

    ``places`` of kind ``cell``; ``values`` on their index; ``boundary`` a shape drawn over them,
    ``lines`` thin ones (streets, in the places' CRS), the part of them that lies on the map.
    """
    import pandas as pd

    bounds = places.geometry.bounds
    names, colours, label = classed(values.reindex(places.index), kind, classes, breaks, order)
    west, south, east, north = places.frame.total_bounds
    rows = pd.DataFrame(
        {
            "x": (bounds["minx"] - west).round(1), "x2": (bounds["maxx"] - west).round(1),
            "y": (bounds["miny"] - south).round(1), "y2": (bounds["maxy"] - south).round(1), "class": label,
        }
    )  # fmt: skip
    height = _height((west, south, east, north))
    across = max(float(east - west), float(north - south) * WIDTH / height)  # a tall area keeps its shape
    axis = {"axis": None, "scale": {"domain": [0, across], "nice": False, "zero": False}}
    upright = {"axis": None, "scale": {"domain": [0, float(north - south)], "nice": False, "zero": False}}
    encoding = {
        "x": {"field": "x", "type": "quantitative", **axis}, "x2": {"field": "x2"},
        "y": {"field": "y", "type": "quantitative", **upright}, "y2": {"field": "y2"},
        "color": {"field": "class", "type": "nominal", "title": legend, "sort": names,
                  "scale": {"domain": names, "range": colours}},
    }  # fmt: skip
    layers: list[dict[str, Any]] = [{"mark": {"type": "rect"}, "encoding": encoding}]
    if boundary is not None:
        layers.append(_outline(boundary, west, south, axis, upright))
    if lines is not None:
        layers.append(_lines(lines, (west, south, east, north), axis, upright))
    data = {"values": json.loads(rows.to_json(orient="records"))}
    return _map(layers, height, data)


def cells_over_time(
    places: Places, values: pd.DataFrame, *, legend: str, order: Sequence[str]
) -> dict[str, Any]:
    """Small maps side by side, one a period: cells of a class in its colour, all others left blank.

    ``places`` of kind ``cell``; ``values`` cells x periods, each a word of ``order`` or missing; a column's
    name stands over its map. On paper it says what a slider would.
    """
    bounds = places.geometry.bounds
    west, south, east, north = places.frame.total_bounds
    corners = {
        "x": bounds["minx"] - west, "x2": bounds["maxx"] - west,
        "y": bounds["miny"] - south, "y2": bounds["maxy"] - south,
    }  # fmt: skip
    rows = []
    for period in values:
        drawn = values[period].reindex(places.index).dropna()
        each = {name: value.loc[drawn.index].round(0).astype(int) for name, value in corners.items()}
        rows += [
            {"x": x, "x2": x2, "y": y, "y2": y2, "class": word, "period": str(period)}
            for x, x2, y, y2, word in zip(*(each[name] for name in corners), drawn, strict=True)
        ]
    aspect = (north - south) / max(east - west, 1.0)
    columns = 3 if aspect < 1 else 4 if aspect < 1.6 else 6
    wide = WIDTH // columns - 12
    tall = int(wide * aspect)
    axis = {"axis": None, "scale": {"domain": [0, float(east - west)], "nice": False, "zero": False}}
    upright = {"axis": None, "scale": {"domain": [0, float(north - south)], "nice": False, "zero": False}}
    palette = SEQUENTIAL[max(3, min(7, len(order)))][-len(order) :]
    encoding = {
        "x": {"field": "x", "type": "quantitative", **axis}, "x2": {"field": "x2"},
        "y": {"field": "y", "type": "quantitative", **upright}, "y2": {"field": "y2"},
        "color": {"field": "class", "type": "nominal", "title": legend, "sort": list(order),
                  "scale": {"domain": list(order), "range": palette}},
    }  # fmt: skip
    inner = [{"mark": "rect", "encoding": encoding}]
    boundary = places.geometry.union_all()
    inner.append(_outline(boundary, west, south, axis, upright))
    header = {"title": None, "labelFontSize": 13, "labelColor": INK, "labelLimit": wide + 10}
    return {
        "$schema": SCHEMA, "config": CONFIG, "data": {"values": rows}, "columns": columns, "spacing": 14,
        "facet": {"field": "period", "type": "nominal", "sort": list(map(str, values)), "header": header},
        "spec": {"width": wide, "height": tall, "layer": inner},
    }  # fmt: skip


def _lines(lines: gpd.GeoSeries, bounds: Any, axis: Any, upright: Any) -> dict[str, Any]:
    """Streets as thin lines, simplified to what a page can show."""
    west, south, east, north = bounds
    on_map = lines.clip_by_rect(west, south, east, north).simplify((east - west) / WIDTH).explode()
    rows = [
        {"x": round(x - west), "y": round(y - south), "part": part, "step": step}
        for part, line in enumerate(on_map[on_map.geom_type == "LineString"])
        for step, (x, y) in enumerate(line.coords)
    ]
    return {
        "data": {"values": rows},
        "mark": {"type": "line", "color": "#505a5f", "strokeWidth": 0.5},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", **axis},
            "y": {"field": "y", "type": "quantitative", **upright},
            "detail": {"field": "part"},
            "order": {"field": "step"},
        },
    }


def _outline(boundary: Any, west: float, south: float, axis: Any, upright: Any) -> dict[str, Any]:
    parts = getattr(boundary, "geoms", [boundary])
    rows = [
        {"x": round(x - west, 1), "y": round(y - south, 1), "part": part, "step": step}
        for part, shape in enumerate(parts)
        for step, (x, y) in enumerate(shape.exterior.simplify(10).coords)
    ]
    return {
        "data": {"values": rows},
        "mark": {"type": "line", "color": INK, "strokeWidth": 1.2},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", **axis},
            "y": {"field": "y", "type": "quantitative", **upright},
            "detail": {"field": "part"},
            "order": {"field": "step"},
        },
    }


def _map(layers: list[dict[str, Any]], height: int, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "width": WIDTH,
        "height": height,
        "config": CONFIG,
        "data": data,
        "layer": layers,
    }


def _height(bounds: Any) -> int:
    west, south, east, north = bounds
    return int(min(900, max(240, WIDTH * (north - south) / max(east - west, 1.0))))


def classed(
    values: pd.Series, kind: Kind, classes: int, breaks: Sequence[float] | None, order: Sequence[str] | None
) -> tuple[list[str], list[str], list[str]]:
    """Class names in order, their colours, and the class of each value."""
    import pandas as pd

    if kind == "categories":
        text = values.astype("str").where(values.notna(), "not known")
        names = list(order) if order else sorted(set(text) - {"not known"})
        plain = iter(CATEGORIES)
        colours = [NAMED.get(name) or next(plain) for name in names]
        if (text == "not known").any():
            names, colours = [*names, "not known"], [*colours, MISSING]
        return names, colours, text.tolist()
    limits = class_limits(values, classes, breaks)
    names = limit_names(limits)
    palette = (DIVERGING if kind == "diverging" else SEQUENTIAL)[max(3, min(7, len(names)))][: len(names)]
    code = pd.cut(values, [-float("inf"), *limits[1:-1], float("inf")], labels=False)
    label = ["not known" if pd.isna(c) else names[int(c)] for c in code]
    if "not known" in label:
        return [*names, "not known"], [*palette, MISSING], label
    return names, palette, label


def class_limits(values: pd.Series, classes: int = 5, breaks: Sequence[float] | None = None) -> np.ndarray:
    """Limits of the classes, lowest and highest value included: quantiles, or the breaks given.

    >>> import pandas as pd
    >>> class_limits(pd.Series([1.0, 2.0, 3.0, 4.0]), 2).tolist()
    [1.0, 2.5, 4.0]
    """
    import numpy as np

    known = values.dropna().to_numpy(float)
    if not len(known):
        return np.array([0.0, 0.0])
    if breaks is not None:
        inner = np.asarray(breaks, float)
        inner = inner[(inner > known.min()) & (inner < known.max())]
    else:
        inner = np.quantile(known, np.arange(1, classes) / classes)
    limits = np.unique(np.concatenate([[known.min()], _round(inner), [known.max()]]))
    return limits if len(limits) > 1 else np.repeat(limits, 2)


def _round(numbers: np.ndarray) -> np.ndarray:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        digits = np.where(numbers == 0, 0, 2 - np.floor(np.log10(np.abs(numbers))))
    return np.array([round(float(n), int(d)) for n, d in zip(numbers, np.nan_to_num(digits), strict=True)])


def limit_names(limits: Sequence[float] | np.ndarray) -> list[str]:
    """Words for the classes between the limits.

    >>> limit_names([0, 5, 1200])
    ['0 to 5', '5 to 1,200']
    """
    text = [_number(float(limit)) for limit in limits]
    return [f"{a} to {b}" for a, b in pairwise(text)]


def _number(value: float) -> str:
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _rounded(geometry: Any) -> Any:
    if isinstance(geometry, dict):
        return {key: _rounded(value) for key, value in geometry.items()}
    if isinstance(geometry, list | tuple):
        if geometry and isinstance(geometry[0], float):
            return [round(v, 1) for v in geometry[:2]]
        return [_rounded(part) for part in geometry]
    return geometry
