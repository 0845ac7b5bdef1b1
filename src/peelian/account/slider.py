"""Small maps, one a period, as one map with a slider that needs no script: a row of radio buttons in HTML."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from peelian.report import Chart


def frames(chart: Chart) -> list[tuple[str, str, Chart]]:
    """Name, words and chart of each period, where a chart asks to be shown so; else nothing.

    A chart asks by ``usermeta``: ``{"slider": {period: words}}`` in a specification with one facet, whose
    sort order is that of the periods. Each becomes a chart of its own, full width.
    """
    words: dict[str, str] = chart.spec.get("usermeta", {}).get("slider", {})
    if not words:
        return []
    field = chart.spec["facet"]["field"]
    inner = chart.spec["spec"]
    scale = WIDTH / inner["width"]
    rows = chart.spec["data"]["values"]
    shared = {key: chart.spec[key] for key in ("$schema", "config")}
    out = []
    for number, period in enumerate(chart.spec["facet"]["sort"], start=1):
        spec: dict[str, Any] = {
            **shared, "width": WIDTH, "height": round(inner["height"] * scale), "layer": inner["layer"],
            "data": {"values": [row for row in rows if row[field] == period]},
        }  # fmt: skip
        alt = f"{period}. {words.get(period, '')} {chart.alt}".strip()
        name = f"{chart.name}-{number}"
        out.append((str(period), words.get(period, ""), replace(chart, name=name, spec=spec, alt=alt)))
    return out


WIDTH = 560  # of a map; a phone shows it whole
