"""A share card as a picture: what the text alternative says, 1,200 by 630 pixels."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from peelian.errors import DataError

if TYPE_CHECKING:
    from peelian.account.cards import Card

WIDTH, HEIGHT, MARGIN = 1200, 630, 60
INK, GREY, BLUE = "#0b0c0c", "#505a5f", "#0072B2"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
LEFT, BARS, TOP, FLOOR = 620, 700, 190, 500  # width of the words; where the bars stand
NEEDS = (
    "A share card as a picture needs the extra peelian[reports] (vl-convert), which is not installed here."
)


def png(card: Card) -> bytes:
    """The card as PNG; the same card gives the same bytes. ``DataError`` where vl-convert is missing."""
    try:
        import vl_convert
    except ImportError as error:
        raise DataError(NEEDS) from error
    drawn: bytes = vl_convert.svg_to_png(svg(card))
    return drawn


def svg(card: Card) -> str:
    """The card as SVG: the area, the count, the change with its interval, and bars of twelve months."""
    number, _, what = card.count.partition(" ") if card.now is not None else ("", "", card.count)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{FONT}" role="img">',
        f"<title>{escape(card.text)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<rect width="{WIDTH}" height="12" fill="{BLUE}"/>',
        *_lines(_wrapped(card.name, 34)[:2], MARGIN, 84, 44, weight="bold"),
    ]
    y = 84 + 50 * min(len(_wrapped(card.name, 34)), 2)
    if number:
        parts += _lines([number], MARGIN, y + 74, 96, weight="bold", colour=BLUE)
        y += 100
    parts += _lines(_wrapped(f"{what} in the 12 months to {card.until}", 40), MARGIN, y + 24, 28)
    y += 24 + 36 * len(_wrapped(f"{what} in the 12 months to {card.until}", 40)) + 16
    for text, colour in ((card.moved, INK), (card.compared, INK), (card.note, GREY)):
        rows = _wrapped(text, 50) if text else []
        parts += _lines(rows, MARGIN, y, 23, colour=colour)
        y += 31 * len(rows) + (14 if rows else 0)
    parts += _bars(card)
    parts += _lines(_wrapped(card.small_print, 126)[:3], MARGIN, HEIGHT - 56, 17, colour=GREY)
    return "".join([*parts, "</svg>"])


def _bars(card: Card) -> list[str]:
    most = max((n for _, n in card.blocks if n is not None), default=0) or 1
    step = (WIDTH - MARGIN - BARS) / len(card.blocks)
    wide = step * 0.68
    parts = [
        *_lines([f"Recorded {card.crimes} in each 12 months to {card.until.split(' ')[0]}"],
                BARS, TOP - 50, 19, colour=GREY),
        f'<line x1="{BARS}" y1="{FLOOR}" x2="{WIDTH - MARGIN}" y2="{FLOOR}" stroke="{GREY}"/>',
    ]  # fmt: skip
    for at, (end, count) in enumerate(card.blocks):
        x, last = BARS + at * step, at == len(card.blocks) - 1
        middle = x + wide / 2
        if count is None:
            parts.append(f'<rect x="{x:.1f}" y="{FLOOR - 40}" width="{wide:.1f}" height="40" fill="none" '
                         f'stroke="{GREY}" stroke-dasharray="5 4"/>')  # fmt: skip
            parts += _lines(["withheld"], middle, FLOOR - 48, 15, colour=GREY, anchor="middle")
        else:
            tall = (FLOOR - TOP) * count / most
            parts.append(f'<rect x="{x:.1f}" y="{FLOOR - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
                         f'fill="{BLUE if last else "#8fb8d6"}"/>')  # fmt: skip
            parts += _lines([f"{count:,}"], middle, FLOOR - tall - 10, 19, anchor="middle")
        parts += _lines([end.split(" ")[1]], middle, FLOOR + 28, 18, colour=GREY, anchor="middle")
    return parts


def _wrapped(text: str, most: int) -> list[str]:
    return textwrap.wrap(text, most)


def _lines(
    rows: list[str],
    x: float,
    y: float,
    size: int,
    *,
    weight: str = "normal",
    colour: str = INK,
    anchor: str = "start",
) -> list[str]:
    """Rows of text, the first with its foot at y."""
    return [
        f'<text x="{x:.1f}" y="{y + at * size * 1.32:.1f}" font-size="{size}" font-weight="{weight}" '
        f'fill="{colour}" text-anchor="{anchor}">{escape(row)}</text>'
        for at, row in enumerate(rows)
    ]
