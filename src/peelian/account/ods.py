"""The numbers of the report as an OpenDocument spreadsheet: a sheet about it, and one table a sheet.

Written as the standard has it (OpenDocument 1.3, ISO/IEC 26300), without a library: a zip of four texts.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from peelian.account.excel import SYMBOLS, safe, sheet_names
from peelian.account.html import cell, heading
from peelian.report import Chart, Report, Table

MIME = "application/vnd.oasis.opendocument.spreadsheet"
EPOCH = (1980, 1, 1, 0, 0, 0)
NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{urn}:1.0"'
    for name, urn in (
        ("office", "office"), ("table", "table"), ("text", "text"), ("meta", "meta"), ("style", "style"),
        ("fo", "xsl-fo-compatible"), ("number", "datastyle"),
    )
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'  # fmt: skip
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
FORMS = (".1%", "£,.0f", "£,.2f", ",.0f", ",.1f", ",.2f", ",.3f", ",d")


def _number_style(at: int, form: str) -> str:
    """A number as the page prints it: pounds, per cent, thousands and decimals."""
    kind = "percentage" if form.endswith("%") else "number"
    places = form.partition(".")[2][:1] or "0"
    before = "<number:text>£</number:text>" if form.startswith("£") else ""
    after = "<number:text> %</number:text>" if form.endswith("%") else ""
    grouped = ' number:grouping="true"' if "," in form else ""
    return (
        f'<number:{kind}-style style:name="f{at}">{before}<number:number number:min-integer-digits="1" '
        f'number:decimal-places="{places}" number:min-decimal-places="{places}"{grouped}/>{after}'
        f'</number:{kind}-style><style:style style:name="n{at}" style:family="table-cell" '
        f'style:data-style-name="f{at}"/>'
    )


WIDTHS = (2, 3, 4, 6, 9, 14)  # centimetres; columns take the nearest that holds their text
CHARACTERS = 5.2  # in a centimetre
STYLES = (
    '<office:automatic-styles><style:style style:name="head" style:family="table-cell">'
    '<style:table-cell-properties fo:wrap-option="wrap"/><style:text-properties fo:font-weight="bold"/>'
    '</style:style><style:style style:name="text" style:family="table-cell"><style:table-cell-properties '
    'fo:wrap-option="wrap"/></style:style>'
    + "".join(
        f'<style:style style:name="w{wide}" style:family="table-column"><style:table-column-properties '
        f'style:column-width="{wide}cm"/></style:style>'
        for wide in WIDTHS
    )
    + "".join(_number_style(at, form) for at, form in enumerate(FORMS))
    + '<style:style style:name="sheet" style:family="table" style:master-page-name="across"/>'
    "</office:automatic-styles>"
)
PAGES = (
    '<office:automatic-styles><style:page-layout style:name="a4"><style:page-layout-properties '
    'fo:page-width="29.7cm" fo:page-height="21cm" style:print-orientation="landscape" fo:margin="1.5cm" '
    'style:scale-to-X="1" style:scale-to-Y="0"/></style:page-layout></office:automatic-styles>'
    '<office:master-styles><style:master-page style:name="across" style:page-layout-name="a4"/>'
    "</office:master-styles>"
)


def ods(report: Report) -> bytes:
    """The tables of the report as ``.ods``: numbers stay numbers, the head of each table in row 1.

    The same sheets as the Excel workbook: the first, About, says what was asked and found and lists every
    sheet with its title, note and source. No cell is merged and nothing is hidden. The same report gives the
    same bytes.
    """
    every = (block for section in report.sections for block in section.blocks)
    blocks = [b for b in every if isinstance(b, Table | Chart) and b.frame is not None]
    names = sheet_names(block.name for block in blocks)
    sheets = [_sheet("About", [], _about(report, list(zip(names, blocks, strict=True))))]
    sheets += [_table(name, block) for name, block in zip(names, blocks, strict=True)]
    content = (
        f'{HEAD}<office:document-content {NAMES} office:version="1.3">{STYLES}<office:body>'
        f"<office:spreadsheet>{''.join(sheets)}</office:spreadsheet></office:body></office:document-content>"
    )
    meta = (
        f'{HEAD}<office:document-meta {NAMES} office:version="1.3"><office:meta>'
        f"<dc:title>{escape(report.title)}</dc:title><dc:language>en-GB</dc:language>"
        "<meta:generator>Peelian</meta:generator></office:meta></office:document-meta>"
    )
    styles = f'{HEAD}<office:document-styles {NAMES} office:version="1.3">{PAGES}</office:document-styles>'
    return _zipped({
        "mimetype": MIME, "content.xml": content, "meta.xml": meta, "styles.xml": styles,
        "META-INF/manifest.xml": _manifest(("content.xml", "meta.xml", "styles.xml")),
    })  # fmt: skip


def _table(name: str, block: Table | Chart) -> str:
    frame: Any = block.frame
    heads = [heading(str(column)) for column in frame.columns]
    forms = [block.formats.get(str(column), "") for column in frame.columns]
    return _sheet(name, heads, frame.itertuples(index=False, name=None), forms)


def _sheet(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], forms: Sequence[str] = ()) -> str:
    held = [list(row) for row in rows]
    count = max([len(heads), *(len(row) for row in held)])
    wide = "".join(
        f'<table:table-column table:style-name="w{_width([*heads[at : at + 1], *_column(held, at)])}"/>'
        for at in range(count)
    )
    header = ""
    if heads:
        cells = "".join(_text(head, style="head") for head in heads)
        header = (
            f"<table:table-header-rows><table:table-row>{cells}</table:table-row></table:table-header-rows>"
        )
    body = "".join(f"<table:table-row>{_cells(row, forms)}</table:table-row>" for row in held)
    return (
        f'<table:table table:name={quoteattr(name)} table:style-name="sheet">{wide}{header}{body}'
        "</table:table>"
    )


def _column(rows: list[list[Any]], at: int) -> list[Any]:
    return [row[at] for row in rows if at < len(row)]


def _width(values: Iterable[Any]) -> int:
    longest = max((len(cell(value)) for value in values), default=0)
    return next((wide for wide in WIDTHS if wide * CHARACTERS >= longest), WIDTHS[-1])


def _cells(row: list[Any], forms: Sequence[str]) -> str:
    return "".join(_cell(v, forms[at] if at < len(forms) else "") for at, v in enumerate(row))


def _cell(value: Any, form: str = "") -> str:
    words = cell(value, form)
    if hasattr(value, "__float__") and not isinstance(value, bool | str) and words not in ("–", "yes", "no"):
        number = repr(float(value))
        style = f' table:style-name="n{FORMS.index(form)}"' if form in FORMS else ""
        return (
            f'<table:table-cell{style} office:value-type="float" office:value="{number}"><text:p>'
            f"{escape(words)}</text:p></table:table-cell>"
        )
    return _text(words)


def _text(words: str, style: str = "text") -> str:
    return (
        f'<table:table-cell table:style-name="{style}" office:value-type="string">'
        f"<text:p>{escape(safe(words))}</text:p></table:table-cell>"
    )


def _about(report: Report, made: list[tuple[str, Table | Chart]]) -> list[tuple[str, ...]]:
    found = [("Found", text, part.title) for part in report.sections for text in part.findings]
    return [
        ("Report", report.title), ("Marking", report.marking), ("What was asked", report.asked), *found,
        *((f"Symbol {mark}", words) for mark, words in SYMBOLS),
        *((f"Sheet {name}", block.title, block.note, block.source) for name, block in made),
        *((f"Source: {what}", *rest) for what, *rest in report.sources), *report.about,
    ]  # fmt: skip


def _manifest(names: Sequence[str]) -> str:
    entries = [("/", MIME), *((name, "text/xml") for name in names)]
    listed = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in entries
    )
    return (
        f'{HEAD}<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        f'manifest:version="1.3">{listed}</manifest:manifest>'
    )


def _zipped(texts: dict[str, str]) -> bytes:
    """The package: the kind first and not packed, as the standard asks; no clock in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in texts.items():
            about = zipfile.ZipInfo(name, EPOCH)
            about.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            package.writestr(about, text)
    return out.getvalue()
