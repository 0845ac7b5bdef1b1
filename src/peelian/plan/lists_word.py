"""The lists of a team or a ward as Word documents, to print or to write in."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError

if TYPE_CHECKING:
    from docx.document import Document

    from peelian.plan.lists import Part, Sheet

NEEDS = (
    "Lists as Word documents need the extra peelian[reports] (python-docx), which is not installed here. "
    'Install it, or write lists = ["html"] under [plan].'
)
WIDTH = 17.4  # centimetres between the margins
EPOCH = (1980, 1, 1, 0, 0, 0)


def document(sheet: Sheet, *, marking: str) -> bytes:
    """The list as ``.docx``: the same tables as its page, heads that repeat on every sheet of paper.

    The same list gives the same bytes. Raises ``DataError`` where python-docx is missing.
    """
    try:
        import docx
    except ImportError as error:
        raise DataError(NEEDS) from error
    from docx.shared import Cm

    made = docx.Document()
    made.core_properties.title, made.core_properties.author = sheet.title, "Peelian"
    made.core_properties.language, made.core_properties.comments = "en-GB", ""
    paper = made.sections[0]
    paper.page_width, paper.page_height = Cm(21.0), Cm(29.7)
    paper.left_margin = paper.right_margin = paper.top_margin = paper.bottom_margin = Cm(1.8)
    paper.header.paragraphs[0].text = marking
    paper.footer.paragraphs[0].text = f"{marking} \u00b7 {sheet.title}"
    made.add_heading(sheet.title, level=0)
    for words in sheet.lead:
        made.add_paragraph(words)
    for part in sheet.parts:
        made.add_heading(part.title, level=2)
        if part.note:
            made.add_paragraph(part.note).paragraph_format.keep_with_next = True
        _table(made, part)
    return _same_bytes(made)


def _table(made: Document, part: Part) -> None:
    """Written row by row as a whole, which python-docx does fast; the head repeats, no row is split."""
    from xml.sax.saxutils import escape

    from docx.oxml import OxmlElement, parse_xml
    from docx.oxml.ns import nsdecls
    from docx.shared import Cm, Pt

    table = made.add_table(rows=1, cols=len(part.columns), style="Table Grid")
    table.style.font.size = Pt(9)
    table.autofit = False
    for column, width in zip(table.columns, _widths(part), strict=True):
        column.width = Cm(width)
    for cell, name in zip(table.rows[0].cells, part.columns, strict=True):
        cell.text = ""
        cell.paragraphs[0].add_run(name).bold = True
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    spacing = '<w:spacing w:before="40" w:after="40"/>'
    for at, row in enumerate(part.rows):
        last = at == len(part.rows) - 1
        together = "<w:keepNext/>" if part.together and not last else ""
        lead = f"<w:pPr>{together}{spacing}</w:pPr>"
        cells = "".join(
            f'<w:tc><w:p>{lead}<w:r><w:t xml:space="preserve">{escape(value)}</w:t></w:r></w:p></w:tc>'
            for value in row
        )
        head = "<w:trPr><w:cantSplit/></w:trPr>"
        table._tbl.append(parse_xml(f"<w:tr {nsdecls('w')}>{head}{cells}</w:tr>"))


def _widths(part: Part) -> list[float]:
    """Centimetres of each column, by its longest text; blanks to write in get room."""
    blank = ("Given", "No answer", "Consent", "Agreed")
    longest = [
        14 if name in blank else max([len(name), *(min(len(row[at]), 28) for row in part.rows)]) + 2
        for at, name in enumerate(part.columns)
    ]
    return [WIDTH * size / sum(longest) for size in longest]


def _same_bytes(made: Any) -> bytes:
    """The file with the time of writing taken out of it."""
    from datetime import datetime

    made.core_properties.created = made.core_properties.modified = datetime(1980, 1, 1)
    raw, out = io.BytesIO(), io.BytesIO()
    made.save(raw)
    with zipfile.ZipFile(raw) as held, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in held.namelist():
            kept.writestr(zipfile.ZipInfo(name, EPOCH), held.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
