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
        ("fo", "xsl-fo-compatible"),
    )
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'  # fmt: skip
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
STYLES = (
    '<office:automatic-styles><style:style style:name="head" style:family="table-cell">'
    '<style:text-properties fo:font-weight="bold"/></style:style></office:automatic-styles>'
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
    return _zipped({"mimetype": MIME, "content.xml": content, "meta.xml": meta, "META-INF/manifest.xml":
                    _manifest(("content.xml", "meta.xml"))})  # fmt: skip


def _table(name: str, block: Table | Chart) -> str:
    frame: Any = block.frame
    heads = [heading(str(column)) for column in frame.columns]
    return _sheet(name, heads, frame.itertuples(index=False, name=None))


def _sheet(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    header = ""
    if heads:
        cells = "".join(_text(head, style=' table:style-name="head"') for head in heads)
        header = (
            f"<table:table-header-rows><table:table-row>{cells}</table:table-row></table:table-header-rows>"
        )
    body = "".join(
        f"<table:table-row>{''.join(_cell(value) for value in row)}</table:table-row>" for row in rows
    )
    return f"<table:table table:name={quoteattr(name)}>{header}{body}</table:table>"


def _cell(value: Any) -> str:
    words = cell(value)
    if hasattr(value, "__float__") and not isinstance(value, bool | str) and words not in ("–", "yes", "no"):
        number = repr(float(value))
        return (
            f'<table:table-cell office:value-type="float" office:value="{number}"><text:p>{escape(words)}'
            "</text:p></table:table-cell>"
        )
    return _text(words)


def _text(words: str, style: str = "") -> str:
    return (
        f'<table:table-cell{style} office:value-type="string"><text:p>{escape(safe(words))}</text:p>'
        "</table:table-cell>"
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
