"""The numbers of the report as an Excel workbook: a sheet about it, and one table a sheet."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from peelian.account.html import cell, heading
from peelian.errors import DataError
from peelian.report import Chart, Report, Table

if TYPE_CHECKING:
    from xlsxwriter import Workbook

NEEDS = "An Excel workbook needs the extra peelian[reports] (xlsxwriter), which is not installed here."
RUN = ("=", "+", "-", "@", "\t", "\r")
LONGEST = 31  # characters of a sheet's name
WIDE, NARROW, LINE = 60, 12, 15
SYMBOLS = (
    ("c", "a count too small to publish, or one that would give such a count away"),
    ("–", "not held"),
)


def excel(report: Report) -> bytes:
    """The tables of the report as ``.xlsx``: numbers stay numbers, the head of each table in row 1.

    The first sheet, About, says what was asked and found, and lists every sheet with its title, note and
    source. Text that a spreadsheet would run starts with an apostrophe; no cell is merged and nothing is
    hidden. The same report gives the same bytes. Raises ``DataError`` where xlsxwriter is missing.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise DataError(NEEDS) from error

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"title": report.title, "author": "Peelian", "created": datetime(1980, 1, 1)})
    every = (block for section in report.sections for block in section.blocks)
    blocks = [b for b in every if isinstance(b, Table | Chart) and b.frame is not None]
    names = sheet_names(block.name for block in blocks)
    about = book.add_worksheet("About")
    for name, block in zip(names, blocks, strict=True):
        _sheet(book, name, block, report.marking)
    _about(book, about, report, list(zip(names, blocks, strict=True)))
    book.close()
    return out.getvalue()


def sheet_names(names: Iterable[str]) -> list[str]:
    """Names fit for sheets: at most 31 characters, each once, without what Excel forbids.

    >>> sheet_names(["explain/terms", "a" * 40, "a" * 50])
    ['explain terms', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa 2']
    """
    seen: dict[str, int] = {"about": 1}
    out = []
    for name in names:
        clean = re.sub(r"[\[\]:*?/\\']", " ", name)[:LONGEST]
        seen[clean.lower()] = times = seen.get(clean.lower(), 0) + 1
        ending = f" {times}" if times > 1 else ""
        out.append(clean[: LONGEST - len(ending)] + ending)
    return out


def excel_format(form: str) -> str:
    """A Python format as Excel writes it.

    >>> [excel_format(form) for form in ("£,.2f", ".1%", ",.0f", ",d", "")]
    ['£#,##0.00;-£#,##0.00', '0.0 %', '#,##0', '#,##0', 'General']
    """
    found = re.fullmatch(r"(£?)(,?)(?:\.(\d+))?([f%d])", form)
    if found is None:
        return "General"
    pound, comma, places, kind = found.groups()
    number = ("#,##0" if comma else "0") + ("." + "0" * int(places) if places and int(places) else "")
    if kind == "%":
        return number + " %"
    return f"£{number};-£{number}" if pound else number


def safe(text: str) -> str:
    """Text as it may stand in a cell: an apostrophe before what a spreadsheet would run.

    >>> safe("=1+1"), safe("plain")
    ("'=1+1", 'plain')
    """
    return "'" + text if text.startswith(RUN) else text


def _sheet(book: Workbook, name: str, block: Table | Chart, marking: str) -> None:
    sheet = book.add_worksheet(name)
    frame: Any = block.frame
    heads = [heading(str(column)) for column in frame.columns]
    forms = [book.add_format({"num_format": excel_format(_form(block, column))}) for column in frame.columns]
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for at, head in enumerate(heads):
        sheet.write_string(0, at, safe(head), bold)
    for row, values in enumerate(frame.itertuples(index=False, name=None), 1):
        for at, value in enumerate(values):
            _write(sheet, row, at, value, forms[at])
    if len(frame) and len({head.lower() for head in heads}) == len(heads) and all(heads):
        columns = [{"header": safe(head), "header_format": bold} for head in heads]
        sheet.add_table(
            0, 0, len(frame), len(heads) - 1, {"columns": columns, "style": "Table Style Light 1"}
        )
    sheet.freeze_panes(1, 1)
    sheet.autofit(max_width=WIDE * 6)
    sheet.repeat_rows(0)
    _page(sheet, marking)


def _form(block: Table | Chart, column: Any) -> str:
    return block.formats.get(str(column), "")


def _write(sheet: Any, row: int, at: int, value: Any, form: Any) -> None:
    words = cell(value)
    number = (
        hasattr(value, "__float__") and not isinstance(value, bool | str) and words not in ("–", "yes", "no")
    )
    if number:
        sheet.write_number(row, at, float(value), form)
    else:
        sheet.write_string(row, at, safe(words))


def _about(book: Workbook, sheet: Any, report: Report, made: list[tuple[str, Any]]) -> None:
    bold, wrap = (
        book.add_format({"bold": True, "valign": "top"}),
        book.add_format({"text_wrap": True, "valign": "top"}),
    )
    found = [(sentence, part.title) for part in report.sections for sentence in part.findings]
    rows: list[tuple[str, ...]] = [
        ("Report", report.title), ("Marking", report.marking), ("What was asked", report.asked),
        *(("Found", sentence, title) for sentence, title in found),
        *((f"Symbol {mark}", words) for mark, words in SYMBOLS),
        *((f"Sheet {name}", block.title, block.note, block.source) for name, block in made),
        *((f"Source: {what}", *rest) for what, *rest in report.sources),
        *report.about,
    ]  # fmt: skip
    for at, row in enumerate(rows):
        for column, words in enumerate(row):
            if words:
                sheet.write_string(at, column, safe(words), bold if column == 0 else wrap)
    columns = (NARROW * 3, int(WIDE * 1.5), WIDE // 2, WIDE // 2)
    for at, width in enumerate(columns):
        sheet.set_column(at, at, width)
    for at, row in enumerate(rows):  # programs that open the file need not measure the text
        lines = max(-(-len(words) // width) for words, width in zip(row, columns, strict=False))
        sheet.set_row(at, LINE * max(lines, 1))
    _page(sheet, report.marking)


def _page(sheet: Any, marking: str) -> None:
    """How the sheet prints: A4 across, one page wide, the marking and the sheet's name on every page."""
    sheet.set_paper(9)  # A4
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_header(f"&L{marking}&R&A")
    sheet.set_footer("&RPage &P of &N")
