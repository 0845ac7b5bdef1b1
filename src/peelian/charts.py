"""Charts as Vega-Lite dictionaries. They lay numbers out and compute none.

Every function takes a tidy frame and the names of its columns, and returns a plain dictionary that any
Vega-Lite renderer draws. Series differ by dash and shape as well as by colour (Okabe & Ito 2008), so that
they survive greyscale and colour-blindness; counts start at zero; intervals are drawn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name, never fetched
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#999999"]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [4, 4], [10, 3], [1, 3], [12, 4]]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "stroke", "arrow"]
INK, GREY = "#0b0c0c", "#505a5f"
FONT = "Arial, Helvetica, sans-serif"
WIDTH, HEIGHT = 640, 300
CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": "normal", "labelColor": INK,
        "titleColor": INK, "gridColor": "#e6e8ea", "domainColor": GREY, "tickColor": GREY, "titlePadding": 8,
    },
    "legend": {
        "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": "normal", "orient": "bottom",
        "labelLimit": 320, "titleLimit": 600, "columnPadding": 18, "symbolSize": 120,
    },
    "text": {"font": FONT, "fontSize": 13},
    "range": {"category": COLOURS},
}  # fmt: skip
Rule = tuple[Any, str]


def lines(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    series: str | None = None,
    low: str | None = None,
    high: str | None = None,
    x_title: str = "",
    y_title: str = "",
    zero: bool = True,
    rules: Sequence[Rule] = (),
) -> dict[str, Any]:
    """Lines over time or distance, one a series, with a band where ``low`` and ``high`` are given.

    ``rules`` are vertical lines with a word each, such as a start or a change of recording.

    >>> import pandas as pd
    >>> chart = lines(pd.DataFrame({"month": [1, 2], "count": [5, 7]}), "month", "count")
    >>> chart["layer"][0]["mark"]["type"]
    'line'
    """
    across = {"field": x, "type": _type(frame[x]), "title": x_title, "axis": _axis(frame[x])}
    up = {"field": y, "type": "quantitative", "title": y_title, "scale": {"zero": zero}}
    encoding: dict[str, Any] = {"x": across, "y": up}
    if series:
        order = list(dict.fromkeys(frame[series]))
        encoding["color"] = _scaled(series, order, COLOURS)
        encoding["strokeDash"] = _scaled(series, order, DASHES)
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "line", "strokeWidth": 2.5, "color": COLOURS[0]}, "encoding": encoding}
    ]
    if low and high:
        band = {
            "x": across,
            "y": {"field": low, "type": "quantitative", "title": y_title},
            "y2": {"field": high},
        }
        if series:
            band["color"] = encoding["color"]
        layers.append({"mark": {"type": "area", "opacity": 0.18, "color": COLOURS[0]}, "encoding": band})
    layers += _rules(rules, across)
    return _chart(frame, layers)


def bars(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    series: str | None = None,
    x_title: str = "",
    y_title: str = "",
    horizontal: bool = False,
    reference: float | None = None,
) -> dict[str, Any]:
    """Bars from zero, in the order of the frame; side by side where there are series.

    ``x`` names the bars and ``y`` their length; ``horizontal`` lays them down, for long names.
    ``reference`` draws a line across, such as the saturation that was promised.
    """
    name: dict[str, Any] = {"field": x, "type": "nominal", "sort": None, "title": x_title}
    name["axis"] = {"labelLimit": 420, "labelAngle": 0 if horizontal else -40}
    size = {"field": y, "type": "quantitative", "title": y_title, "scale": {"zero": True}}
    long, across = ("x", "y") if horizontal else ("y", "x")
    encoding: dict[str, Any] = {across: name, long: size}
    if series:
        encoding["color"] = {"field": series, "sort": None, "title": None, "scale": {"range": COLOURS}}
        encoding[f"{across}Offset"] = {"field": series, "sort": None}
    layers: list[dict[str, Any]] = [{"mark": {"type": "bar", "color": COLOURS[0]}, "encoding": encoding}]
    if reference is not None:
        layers.append(_line_at(long, reference))
    step = {"step": 24 if not series else 14} if horizontal else HEIGHT
    return _chart(frame, layers, height=step)


def intervals(
    frame: pd.DataFrame,
    label: str,
    estimate: str,
    low: str,
    high: str,
    *,
    x_title: str = "",
    reference: float | None = None,
    log: bool = False,
) -> dict[str, Any]:
    """Estimates with their intervals, one row a label in the order of the frame (a forest plot).

    ``reference`` is the line of no change; ``log`` draws ratios so that a half and a double are as far.
    """
    rows = {"field": label, "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 420}}
    scale: dict[str, Any] = {"zero": False, "nice": False, "padding": 12}
    if log:
        scale["type"] = "log"
    at = {
        "field": estimate,
        "type": "quantitative",
        "title": x_title,
        "scale": scale,
        "axis": {"tickCount": 7},
    }
    span = {"y": rows, "x": {**at, "field": low}, "x2": {"field": high}}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "rule", "strokeWidth": 2.5, "color": COLOURS[0]}, "encoding": span},
        {
            "mark": {"type": "point", "filled": True, "size": 90, "color": COLOURS[0], "opacity": 1},
            "encoding": {"y": rows, "x": at},
        },
    ]
    if reference is not None:
        layers.insert(0, _line_at("x", reference))
    return _chart(frame, layers, height={"step": 30})


def points(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    series: str | None = None,
    low: str | None = None,
    high: str | None = None,
    x_title: str = "",
    y_title: str = "",
    reference: float | None = None,
    x_rule: float | None = None,
) -> dict[str, Any]:
    """Points with their intervals over a number line, such as an event study by quarter.

    ``reference`` draws a line across (no change), ``x_rule`` one upright (the start).
    """
    kind = _type(frame[x])
    across: dict[str, Any] = {"field": x, "type": kind, "title": x_title}
    if kind == "quantitative":
        across["scale"] = {"zero": False, "nice": False, "padding": 18}
        across["axis"] = {"tickMinStep": 1, "grid": False}
    up = {"field": y, "type": "quantitative", "title": y_title, "scale": {"zero": False}}
    encoding: dict[str, Any] = {"x": across, "y": up}
    if series:
        order = list(dict.fromkeys(frame[series]))
        for channel, marks in (("color", COLOURS), ("shape", SHAPES)):
            encoding[channel] = {k: v for k, v in _scaled(series, order, marks).items() if k != "legend"}
    mark = {"type": "point", "filled": True, "size": 80, "color": COLOURS[0], "opacity": 1}
    layers: list[dict[str, Any]] = [{"mark": mark, "encoding": encoding}]
    if low and high:
        span = encoding | {"y": {**up, "field": low}, "y2": {"field": high}}
        span = {key: value for key, value in span.items() if key != "shape"}
        layers.insert(0, {"mark": {"type": "rule", "strokeWidth": 2, "color": COLOURS[0]}, "encoding": span})
    if reference is not None:
        layers.insert(0, _line_at("y", reference))
    if x_rule is not None:
        layers.insert(0, _line_at("x", x_rule))
    return _chart(frame, layers)


# -------------------------------------------------------------------- pieces
def _scaled(name: str, order: list[Any], marks: list[Any]) -> dict[str, Any]:
    """A channel of the series: one legend for all channels needs the same domain and range length."""
    steps = [marks[i % len(marks)] for i in range(len(order))]
    return {
        "field": name, "type": "nominal", "title": None, "scale": {"domain": order, "range": steps},
        "legend": {"symbolType": "stroke", "symbolSize": 500, "symbolStrokeWidth": 2.5, "symbolOpacity": 1},
    }  # fmt: skip


def values(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as plain values: periods and times as ISO text, numbers to ten digits."""
    import pandas as pd

    plain = frame.copy()
    for name in plain.columns:
        if isinstance(plain[name].dtype, pd.PeriodDtype):
            plain[name] = plain[name].dt.to_timestamp()
    rows: list[dict[str, Any]] = json.loads(
        plain.to_json(orient="records", date_format="iso", double_precision=10)
    )
    return rows


def _chart(frame: pd.DataFrame, layers: list[dict[str, Any]], *, height: Any = HEIGHT) -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "width": WIDTH,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": CONFIG,
        "data": {"values": values(frame)},
        "layer": layers,
    }


def _type(column: pd.Series) -> str:
    import pandas as pd

    if isinstance(column.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(column):
        return "temporal"
    return "quantitative" if pd.api.types.is_numeric_dtype(column) else "ordinal"


def _axis(column: pd.Series) -> dict[str, Any]:
    import pandas as pd

    if _type(column) == "temporal":
        return {"format": "%b %Y", "grid": False, "labelAngle": 0, "tickCount": 8}
    whole = pd.api.types.is_integer_dtype(column)
    return {"grid": False, "tickMinStep": 1, "format": ",d"} if whole else {"grid": False}


def _line_at(channel: str, value: float) -> dict[str, Any]:
    return {
        "data": {"values": [{"at": value}]},
        "mark": {"type": "rule", "color": INK, "strokeDash": [5, 4], "strokeWidth": 1.5},
        "encoding": {channel: {"field": "at", "type": "quantitative"}},
    }


def _rules(rules: Sequence[Rule], across: dict[str, Any]) -> list[dict[str, Any]]:
    if not rules:
        return []
    data = {"values": [{"at": _plain(at), "word": word} for at, word in rules]}
    at = {"field": "at", "type": across["type"]}
    return [
        {"data": data, "mark": {"type": "rule", "color": INK, "strokeDash": [5, 4]}, "encoding": {"x": at}},
        {
            "data": data,
            "mark": {"type": "text", "align": "left", "dx": 5, "y": 8, "color": INK},
            "encoding": {"x": at, "text": {"field": "word", "type": "nominal"}},
        },
    ]


def _plain(value: Any) -> Any:
    import pandas as pd

    if isinstance(value, pd.Period):
        value = value.to_timestamp()
    return value.isoformat() if isinstance(value, pd.Timestamp) else value
