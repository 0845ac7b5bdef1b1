"""The report as a Word document: real headings, table heads that repeat, pictures with text alternatives."""

from __future__ import annotations

import io
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
    about = document.core_properties
    about.title, about.language, about.author, about.comments = (
        report.title,
        "en-GB",
        "Peelian",
        edition(report),
    )
    page = document.sections[0]
    page.header.paragraphs[0].text = report.marking
    page.footer.paragraphs[0].text = " · ".join(filter(None, (report.marking, report.title, edition(report))))
    _language(document)


def _language(document: Document) -> None:
    from docx.oxml.ns import qn

    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "en-GB")


def _block(document: Document, block: Text | Table | Chart) -> None:
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
    from docx.oxml.ns import nsdecls
    from docx.shared import Pt

    table = document.add_table(rows=1, cols=len(header), style="Light Grid")
    table.style.font.size = Pt(8)
    for cell, name in zip(table.rows[0].cells, header, strict=True):
        cell.text = name
    repeats = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeats)
    for row in rows:
        cells = "".join(
            f'<w:tc><w:p><w:r><w:t xml:space="preserve">{_escaped(value)}</w:t></w:r></w:p></w:tc>'
            for value in row
        )
        table._tbl.append(parse_xml(f"<w:tr {nsdecls('w')}>{cells}</w:tr>"))


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
