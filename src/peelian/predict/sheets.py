"""Sheets: a page of A4 a mission, with its map, streets, stops and reasons, and what the map cannot know."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd

    from peelian.places import Places
    from peelian.predict.missions import Missions

WIDE, TALL = 680, 430  # of the map, in units of the drawing
ROUND = 250  # metres shown round the boxes
INK, GREY = "#0b0c0c", "#505a5f"
# outline and fill: told apart without colour by the dashes
LOOKS = {
    "planned": ("#0b0c0c", "#9ecae1", ""),
    "explore": ("#0b0c0c", "#fdd49e", "6 3"),
    "custom": ("#0b0c0c", "#d9d9d9", "2 2"),
}
WORDS = {"planned": "planned", "explore": "drawn at random", "custom": "added by hand"}
STYLE = """
@page { size: A4; margin: 12mm; }
body { margin: 0 auto; max-width: 46rem; color: #0b0c0c; background: #fff;
  font: 15px/1.35 Arial, Helvetica, sans-serif; }
section { padding: 1rem; break-after: page; }
section:last-of-type { break-after: auto; }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; }
p { margin: .3rem 0; }
.quiet { color: #505a5f; font-size: .85rem; }
.cannot { border: 2px solid #0b0c0c; padding: .4rem .6rem; font-size: .85rem; }
svg { display: block; width: 100%; height: auto; border: 1px solid #505a5f; margin: .4rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 38rem; font-size: .85rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0;
  border-bottom: 1px solid #b1b4b6; }
.number { text-align: right; white-space: nowrap; }
@media print {
  body { font-size: 12px; max-width: none; }
  svg { height: 98mm; }
  section { padding: 0; }
  table { min-width: 0; }
  tr, svg, .cannot { break-inside: avoid; }
  .scroll { overflow: visible; }
}
"""


def sheets(
    missions: Missions, places: Places, *, streets: gpd.GeoDataFrame | None = None,
    first: tuple[str, ...] = (), marking: str = "",
) -> str:  # fmt: skip
    """Every mission on a page of its own, as one HTML text that opens offline and prints on A4.

    ``first``  the verdict, and what the map cannot know: on every page, because pages are handed out singly.
    ``marking``  the protective marking, where there is one.
    """
    lines = None if streets is None else streets.to_crs(places.crs).geometry
    pages = [
        _page(str(name), rows.sort_values("order"), places, lines, first, marking)
        for name, rows in missions.frame.groupby("mission", sort=False)
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Missions</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{''.join(pages)}</main>\n</body>\n</html>\n"
    )


def _page(
    name: str, rows: pd.DataFrame, places: Places, lines: gpd.GeoSeries | None, first: tuple[str, ...],
    marking: str,
) -> str:  # fmt: skip
    minutes, length = rows["minutes"].sum(), rows["kilometres"].sum()
    reach = f", {length:.1f} km of street" if length > 0 else ""
    about = f"{rows['crime'].iloc[0].capitalize()}. {len(rows)} stops, {minutes:.0f} minutes{reach}."
    verdict, *cannot = first or ("",)
    cannot.append("A box is a place to be visible in, not a place where somebody is suspected of anything.")
    parts = [
        "<section>", f"<p><strong>{escape(marking)}</strong></p>" if marking else "",
        f"<h1>{escape(name)}</h1>", f"<p>{escape(about)}</p>", _map(name, rows, places, lines), _table(rows),
        f'<p class="quiet">{escape(verdict)}</p>' if verdict else "",
        f'<p class="cannot">{escape(" ".join(cannot))}</p>\n</section>\n',
    ]  # fmt: skip
    return "\n".join(part for part in parts if part)


def _table(rows: pd.DataFrame) -> str:
    head = "".join(
        f'<th scope="col"{kind}>{word}</th>'
        for word, kind in (("Stop", ""), ("Why", ""), ("Minutes", ' class="number"'),
                           ("Easting, northing", ' class="number"'), ("Reason", ""))
    )  # fmt: skip
    body = "".join(
        f'<tr><th scope="row">{row.order}. {escape(str(row.place))}</th><td>{WORDS[row.kind]}</td>'
        f'<td class="number">{row.minutes:.0f}</td><td class="number">{row.x:.0f} {row.y:.0f}</td>'
        f"<td>{escape(str(row.reason))}</td></tr>\n"
        for row in rows.itertuples()
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Stops"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>"
    )


def _map(name: str, rows: pd.DataFrame, places: Places, lines: gpd.GeoSeries | None) -> str:
    """Boxes with their numbers, the way from one to the next, streets, a scale and north."""
    shapes = places.geometry.loc[rows["place"]]
    west, south, east, north = shapes.total_bounds + np.array([-ROUND, -ROUND, ROUND, ROUND])
    scale = min(WIDE / (east - west), TALL / (north - south))
    left, top = west - (WIDE / scale - (east - west)) / 2, north + (TALL / scale - (north - south)) / 2

    def at(points: np.ndarray) -> str:
        return " ".join(f"{(x - left) * scale:.1f},{(top - y) * scale:.1f}" for x, y in points)

    alt = f"Map of the {len(rows)} boxes of {name}, numbered in visiting order. North is up."
    drawn = [f'<svg viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{escape(alt)}">']
    if lines is not None:
        seen = lines.clip_by_rect(left, top - TALL / scale, left + WIDE / scale, top).explode()
        for line in seen[seen.geom_type == "LineString"]:
            drawn.append(
                f'<polyline points="{at(np.array(line.coords)[:, :2])}" fill="none" stroke="#b1b4b6"/>'
            )
    for row, shape in zip(rows.itertuples(), shapes, strict=True):
        edge, fill, dash = LOOKS[row.kind]
        for part in getattr(shape, "geoms", [shape]):
            outline = np.array(part.exterior.coords if part.geom_type == "Polygon" else part.coords)[:, :2]
            drawn.append(
                f'<polygon points="{at(outline)}" fill="{fill}" fill-opacity="0.7" stroke="{edge}" '
                f'stroke-dasharray="{dash}"/>'
            )
    way = rows[["x", "y"]].to_numpy()
    drawn.append(f'<polyline points="{at(way)}" fill="none" stroke="{GREY}" stroke-dasharray="3 4"/>')
    for row in rows.itertuples():
        x, y = (row.x - left) * scale, (top - row.y) * scale
        label = f'x="{x:.1f}" y="{y + 4.5:.1f}" font-size="13" text-anchor="middle" fill="{INK}"'
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="11" fill="#fff" stroke="{INK}"/>')
        drawn.append(f"<text {label}>{row.order}</text>")
    return "".join([*drawn, _scale(scale), "</svg>"])


def _scale(scale: float) -> str:
    """A bar of so many metres, and an arrow to the north."""
    metres = next(step for step in (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000) if step * scale > 60)
    end = 16 + metres * scale
    return (
        f'<path d="M16 {TALL - 16} V{TALL - 22} H{end:.1f} V{TALL - 16}" fill="none" stroke="{INK}"/>'
        f'<text x="16" y="{TALL - 27}" font-size="13" fill="{INK}">{metres:,} m</text>'
        f'<path d="M{WIDE - 20} 44 V16 l-5 9 m5 -9 l5 9" fill="none" stroke="{INK}"/>'
        f'<text x="{WIDE - 20}" y="58" font-size="13" text-anchor="middle" fill="{INK}">N</text>'
    )
