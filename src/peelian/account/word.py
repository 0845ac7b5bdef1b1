"""The report as a Word document: real headings, table heads that repeat, pictures with text alternatives."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

from peelian.account.html import NO_CHARTS, edition, printed
from peelian.errors import DataError
from peelian.report import Chart, Report, Table, Text

if TYPE_CHECKING:
    from docx.document import Document

NEEDS = "A Word document needs the extra peelian[reports] (python-docx), which is not installed here."
EPOCH = (1980, 1, 1, 0, 0, 0)
CENTIMETRES = 16.0
A4, MARGIN = (21.0, 29.7), 2.0  # centimetres
A4_WIDE = A4[0] - 2 * MARGIN
TWENTIETHS = 1440 / 2.54  # of a point, in a centimetre
ACROSS, WIDEST, BESIDE = 112, 60, 3.5  # characters: of the page, of a column at most, of a cell's margins
NUMBER = re.compile(r"[-+£]*[\d,.]+( %)?|–|c")
RIGHT = '<w:pPr><w:jc w:val="right"/></w:pPr>'
FONT = "Arial"


def word(report: Report) -> bytes:
    """The report as ``.docx``, to be edited: the same sentences, tables and pictures as the HTML page.

    The same report gives the same bytes. Raises ``DataError`` where python-docx is missing.
    """
    try:
        import docx
    except ImportError as error:
        raise DataError(NEEDS) from error

    document = docx.Document()
    _properties(document, report)
    document.add_heading(report.title, level=0)
    document.add_paragraph(f"What was asked. {report.asked}")
    document.add_heading("What was found", level=1)
    for section in report.sections:
        if section.findings:
            document.add_heading(section.title, level=2)
        for sentence in section.findings:
            document.add_paragraph(sentence, style="List Bullet")
    for section in report.sections:
        document.add_heading(section.title, level=1)
        document.add_paragraph(section.question)
        for block in section.blocks:
            _block(document, block)
    _sources(document, report)
    return _same_bytes(document)


def _properties(document: Document, report: Report) -> None:
    from docx.shared import Cm

    about = document.core_properties
    about.title, about.language, about.author, about.comments = (
        report.title,
        "en-GB",
        "Peelian",
        edition(report),
    )
    _fonts(document)
    page = document.sections[0]
    page.page_width, page.page_height = (Cm(side) for side in A4)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(MARGIN)
    page.header.paragraphs[0].text = report.marking
    page.footer.paragraphs[0].text = " · ".join(filter(None, (report.marking, report.title, edition(report))))
    _language(document)


def _fonts(document: Document) -> None:
    """One plain font that every machine has or has a match for, in place of the theme's."""
    from docx.oxml.ns import qn

    for fonts in document.styles.element.iter(qn("w:rFonts")):
        for name in list(fonts.attrib):
            del fonts.attrib[name]
        for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
            fonts.set(qn(name), FONT)


def _language(document: Document) -> None:
    from docx.oxml.ns import qn

    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "en-GB")


def _block(document: Document, block: Text | Table | Chart) -> None:
    if isinstance(block, Text) and block.kind == "heading":
        document.add_heading(block.text, level=2)
        return
    if isinstance(block, Text):
        paragraph = document.add_paragraph()
        if block.kind == "warning":
            paragraph.add_run("Take care. ").bold = True
        paragraph.add_run(block.text)
        return
    document.add_heading(block.title, level=3)
    if isinstance(block, Chart):
        _picture(document, block)
    if block.frame is not None:
        header, rows, more = printed(block.frame, block.formats)
        _table(document, header, rows)
        if more:
            _small(
                document, f"The first {len(rows)} of {len(block.frame):,} rows; all are in {block.name}.csv."
            )
    for words in (block.note, f"Source: {block.source}" if block.source else ""):
        if words:
            _small(document, words)


def _picture(document: Document, chart: Chart) -> None:
    from docx.shared import Cm

    try:
        import vl_convert
    except ImportError:
        _small(document, NO_CHARTS)
        return
    # inline data only: a specification that names an address is refused, never fetched
    drawn = vl_convert.vegalite_to_png(chart.spec, scale=2, allowed_base_urls=[])
    shape = document.add_picture(io.BytesIO(drawn), width=Cm(CENTIMETRES))
    about = shape._inline.docPr
    about.set("descr", chart.alt)
    about.set("title", chart.title)


def _table(document: Document, header: list[str], rows: list[list[str]]) -> None:
    """Written as a whole: adding cell by cell is slow in python-docx."""
    from docx.oxml import OxmlElement, parse_xml
    from docx.oxml.ns import nsdecls, qn
    from docx.shared import Pt

    table = document.add_table(rows=1, cols=len(header), style="Table Grid")
    table.autofit = False
    table.style.font.size = Pt(8)
    wide = [round(share * A4_WIDE * TWENTIETHS) for share in widths(header, rows)]
    for grid, width in zip(table._tbl.tblGrid.iterchildren(), wide, strict=True):
        grid.set(qn("w:w"), str(width))
    for cell, name, width in zip(table.rows[0].cells, header, wide, strict=True):
        cell.paragraphs[0].add_run(name).bold = True
        cell._tc.get_or_add_tcPr().get_or_add_tcW().set(qn("w:w"), str(width))
    repeats = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeats)
    right = [bool(rows) and all(NUMBER.fullmatch(row[at]) for row in rows) for at in range(len(header))]
    for row in rows:
        cells = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr><w:p>{RIGHT if numbers else ""}'
            f'<w:r><w:t xml:space="preserve">{_escaped(value)}</w:t></w:r></w:p></w:tc>'
            for value, width, numbers in zip(row, wide, right, strict=True)
        )
        table._tbl.append(parse_xml(f"<w:tr {nsdecls('w')}>{cells}</w:tr>"))


def widths(header: list[str], rows: list[list[str]]) -> list[float]:
    """The share of the page's width for each column: no word cut where that can be, the rest by text.

    >>> [round(share, 2) for share in widths(["Area", "n"], [["a long name of an area", "3"]])]
    [0.96, 0.04]
    """
    words, texts = [], []
    for at, name in enumerate(header):
        cells = [name, *(row[at] for row in rows)]
        words.append(max((len(part) for cell in cells for part in cell.split()), default=1) + BESIDE)
        texts.append(min(max(map(len, cells)), WIDEST) + BESIDE)
    left = max(ACROSS - sum(words), 0)
    wish = [max(text - word, 0) for text, word in zip(texts, words, strict=True)]
    need = [word + left * part / (sum(wish) or 1) for word, part in zip(words, wish, strict=True)]
    return [part / sum(need) for part in need]


def _escaped(text: str) -> str:
    from xml.sax.saxutils import escape

    return escape("".join(mark for mark in text if mark >= " " or mark in "\t\n"))


def _small(document: Document, words: str) -> None:
    from docx.shared import Pt

    document.add_paragraph().add_run(words).font.size = Pt(9)


def _sources(document: Document, report: Report) -> None:
    document.add_heading("Where every number comes from", level=1)
    if report.sources:
        rows = [list(row) for row in report.sources]
        _table(document, ["What", "Source", "Date", "Licence"], rows)
    document.add_heading("About this report", level=2)
    _table(document, ["What", "Value"], [list(row) for row in report.about])


def _same_bytes(document: Any) -> bytes:
    """The file with the time of writing taken out of it."""
    raw, out = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in made.namelist():
            kept.writestr(zipfile.ZipInfo(name, EPOCH), made.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
