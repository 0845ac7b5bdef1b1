"""The report as one HTML file that opens offline, prints well and needs no script."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from peelian.account.slider import frames
from peelian.report import Chart, Report, Section, Table, Text

if TYPE_CHECKING:
    import pandas as pd

ROWS_SHOWN = 40
FINDINGS_SHOWN = 3
WORDY, LONG = 25, 90  # characters in a cell, from which its column is kept wide enough to read
CHANCE = re.compile(r"(?:.* )?p(?: (?:first|second) half)?", re.IGNORECASE)  # a column of p-values
NOTHING = re.compile(r"0\.0+")
MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00:00(?:\.0+)?")
# a number and its unit, or a quantity and its noun of time: no line may end between them
UNIT = re.compile(
    r"(?<=\d) (?=(?:%|m|km|points?|metres?|minutes?|hours?|days?|weeks?|months?|quarters?|years?)(?![\w-]))"
)
NO_CHARTS = (
    "This chart needs the extra peelian[reports] (vl-convert), which is not installed here. "
    "Its numbers are in the table below."
)


def html(report: Report, *, media: Literal["screen", "paper"] = "screen") -> str:
    """The report as one self-contained HTML page, as text.

    ``media``  ``screen`` to be read in a browser; ``paper`` for the PDF: every table open, pictures as
               images with their text alternative, the edition in the footer.

    Charts are drawn to SVG inside the page; under each stands the table it was drawn from. A table of
    more than 40 rows shows the first 40 and names the CSV file that holds all. The same report gives
    the same text.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters["kept"] = kept_together
    sections = [_section(section, media) for section in report.sections]
    findings = [
        (s.id, s.title, s.findings[:FINDINGS_SHOWN], max(0, len(s.findings) - FINDINGS_SHOWN))
        for s in report.sections
        if s.findings
    ]
    return environment.get_template("report.html").render(
        report=report, sections=sections, findings=findings, style=_style(media), no_charts=NO_CHARTS,
        paper=media == "paper", edition=edition(report),
    )  # fmt: skip


def kept_together(text: str) -> str:
    """Prose in which a number and its unit stay on one line: the space between them doesn't break.

    >>> kept_together("17.2 % of 1,200 homes in 3 months, 5 % point estimates").replace(chr(160), "_")
    '17.2_% of 1,200 homes in 3_months, 5_% point estimates'
    """
    return UNIT.sub("\N{NO-BREAK SPACE}", text)


def edition(report: Report) -> str:
    """What made this report, for the foot of every page: the rows of ``about`` that are no checksums."""
    return " · ".join(f"{name} {value}" for name, value in report.about if not name.startswith("SHA-256"))


def tables_of(report: Report) -> dict[str, pd.DataFrame]:
    """Every table and every chart's numbers by name, for the CSV files beside the page."""
    return {
        block.name: block.frame
        for section in report.sections
        for block in section.blocks
        if not isinstance(block, Text) and block.frame is not None
    }


def _section(section: Section, media: str) -> dict[str, Any]:
    blocks = [_block(block, media) for block in section.blocks]
    parts = [block for block in blocks if block["type"] == "heading"]
    for number, part in enumerate(parts, start=1):
        part["id"] = f"{section.id}-{number}"
    return {
        "id": section.id,
        "title": section.title,
        "question": section.question,
        "blocks": blocks,
        "parts": parts if len(parts) > 1 else [],
    }


def _block(block: Text | Table | Chart, media: str = "paper") -> dict[str, Any]:
    if isinstance(block, Text):
        kind = "heading" if block.kind == "heading" else "text"
        return {"type": kind, "kind": block.kind, "text": block.text}
    about = {"name": block.name, "title": block.title, "source": block.source, "note": block.note}
    grid = None if block.frame is None else _grid(block.frame, block.formats)
    if isinstance(block, Table):
        return {"type": "table", "grid": grid, "folded": block.folded and media == "screen", **about}
    drawn = svg(block)
    periods = frames(block) if drawn and media == "screen" else []
    if periods:
        shown = [{"name": name, "words": words, "svg": svg(each)} for name, words, each in periods]
        return {"type": "slider", "grid": grid, "frames": shown, "svg": drawn, **about}
    data = base64.b64encode(drawn.encode("utf-8")).decode("ascii")
    return {"type": "chart", "grid": grid, "svg": drawn, "data": data, "alt": block.alt, **about}


def _grid(frame: pd.DataFrame, formats: dict[str, str]) -> dict[str, Any]:
    """A frame as header and cells of text, numbers to the right."""
    import pandas as pd

    numeric = [
        pd.api.types.is_numeric_dtype(frame[c]) and not pd.api.types.is_bool_dtype(frame[c]) for c in frame
    ]
    header, rows, more = printed(frame, formats)
    longest = [max((len(row[at]) for row in rows), default=0) for at in range(len(header))]
    wide = ["words long" if most > LONG else "words" if most > WORDY else "" for most in longest]
    kinds = ["number" if number else words for number, words in zip(numeric, wide, strict=True)]
    return {
        "header": header, "numeric": numeric, "kinds": kinds, "rows": rows, "more": more, "total": len(frame),
    }  # fmt: skip


def printed(frame: pd.DataFrame, formats: dict[str, str]) -> tuple[list[str], list[list[str]], int]:
    """A frame as heads and cells of text, at most 40 rows, and how many rows more there are."""
    forms = [formats.get(str(column), "") for column in frame.columns]
    chances = [bool(CHANCE.fullmatch(str(column).replace("_", " "))) for column in frame.columns]
    rows = [
        [
            below(cell(value, form)) if chance else cell(value, form)
            for value, form, chance in zip(row, forms, chances, strict=True)
        ]
        for row in frame.head(ROWS_SHOWN).itertuples(index=False, name=None)
    ]
    return [heading(str(column)) for column in frame.columns], rows, max(0, len(frame) - ROWS_SHOWN)


def below(printed: str) -> str:
    """A p-value that would be printed as nothing, as less than the smallest that can be.

    >>> below("0.000"), below("0.012"), below("–")
    ('< 0.001', '0.012', '–')
    """
    return f"< {printed[:-1]}1" if NOTHING.fullmatch(printed) else printed


def heading(column: str) -> str:
    """A column's name as it is printed.

    >>> heading("cumulative_kits"), heading("PAI")
    ('Cumulative kits', 'PAI')
    """
    words = column.replace("_", " ")
    return words[:1].upper() + words[1:]


def cell(value: Any, form: str = "") -> str:
    """A value as it is printed: British numbers, a dash where nothing is held.

    ``form`` is a Python format; a leading ``£`` is kept in front of the number and after a minus sign.

    >>> cell(1234.5, "£,.2f"), cell(-3, "£,.0f"), cell(0.085, ".1%"), cell(12345), cell(None)
    ('£1,234.50', '-£3', '8.5 %', '12,345', '–')
    >>> cell("2016-05-01T00:00:00.000")
    '2016-05-01'
    """
    if value is None or value != value or str(value) in ("NaT", "<NA>"):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) or not hasattr(value, "__float__"):
        midnight = MIDNIGHT.fullmatch(str(value))
        return midnight.group(1) if midnight else str(value)
    number = float(value)
    if form.startswith("£"):
        return ("-" if number < 0 else "") + "£" + format(abs(number), form[1:])
    if form.endswith("%"):
        return unsigned(format(number, form)[:-1]) + " %"
    if form:
        return unsigned(format(int(number) if form.endswith("d") else number, form))
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}"
    return f"{number:,.3f}" if abs(number) < 100 else f"{number:,.1f}"


def unsigned(printed: str) -> str:
    """A printed number that is nothing to its last digit, without the sign of what was rounded away.

    >>> unsigned("-0.00"), unsigned("+0.0"), unsigned("-0.01")
    ('0.00', '0.0', '-0.01')
    """
    return printed[1:] if printed[:1] in "+-" and NOTHING.fullmatch(printed[1:]) else printed


def svg(chart: Chart) -> str:
    """The chart as SVG for the page, or empty text where the drawing library is not installed."""
    try:
        import vl_convert
    except ImportError:
        return ""
    # inline data only: a specification that names an address is refused, never fetched
    drawn: str = vl_convert.vegalite_to_svg(chart.spec, allowed_base_urls=[])
    return _tidied(drawn, chart.name, chart.alt)


def _tidied(drawn: str, name: str, alt: str) -> str:
    """Ids made the chart's own (they count up between calls), a name for readers, no fixed width."""
    from markupsafe import escape

    ids = {
        found: f"{name}-{i}" for i, found in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', drawn)))
    }
    for old, new in ids.items():
        drawn = drawn.replace(f'id="{old}"', f'id="{new}"').replace(f"url(#{old})", f"url(#{new})")
    head = re.match(r"<svg[^>]*>", drawn)
    if head is None:
        return drawn
    box = re.search(r'viewBox="([^"]+)"', head.group(0))
    view = box.group(1) if box else "0 0 640 300"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" role="img" aria-label="{escape(alt)}">'
    )
    # one picture with one name: the parts are not announced one by one
    return opening + re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", drawn[head.end() :])


def _style(media: str) -> str:
    names = ["report.css"] if media == "screen" else ["report.css", "paper.css"]
    return "\n".join(
        (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8") for name in names
    )
