"""One report in five formats: the same numbers in each, and each as its readers need it."""

from __future__ import annotations

import io
import itertools
import re
import sys
import zipfile
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from peelian import charts
from peelian.account.html import cell, html
from peelian.account.writing import rendered, write
from peelian.errors import DataError
from peelian.report import Chart, Report, Section, Table, Text

docx = pytest.importorskip("docx", reason="python-docx is not installed")
openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
try:
    import weasyprint  # noqa: F401
except (ImportError, OSError) as missing:
    pytest.skip(f"No PDF can be made here: {missing}", allow_module_level=True)

FRAME = pd.DataFrame(
    {
        "area": ["north", "=SUM(A1)", "east & <west>"],
        "burglaries": [12345, "c", 7],
        "rate": [0.2754, 1.5, None],
        "cost": [1234.5, -3.25, 0.0],
        "month": pd.to_datetime(["2016-05-01", "2016-06-01", "2016-07-01"]),
    }
)
FORMATS = {"rate": ".1%", "cost": "£,.2f"}
CURVE = pd.DataFrame({"kits": [1, 2, 3], "share": [0.25, 0.5, 0.875]})
REPORT = Report(
    "Marking in one ward", "Did it work?",
    (Section("evaluate", "Evaluate", "Did it prevent any?", (
        Text("31 fewer burglaries (95 % interval 4 to 58 fewer).", "finding"),
        Text("Two areas are few.", "warning"),
        Table("counts", "Counts by area", FRAME, FORMATS, "recorded crime", note="c: too small"),
        Chart("curve", "Saturation rises", charts.lines(CURVE, "kits", "share"), "From 0.25 to 0.875", CURVE,
              {"share": ".2f"}, "deliveries"),
    )),),
    marking="OFFICIAL-SENSITIVE", sources=(("Crime", "police.uk", "2016", "OGL 3"),),
    about=(("Code version", "Peelian 0.1.0"), ("SHA-256 of x.csv", "ab" * 32)),
)  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return rendered(REPORT, ("html", "pdf", "docx", "xlsx", "ods"))


def grids_of_html(text: str) -> list[list[list[str]]]:
    tables = BeautifulSoup(text, "html.parser").find_all("table")
    return [[[c.get_text() for c in row.find_all(["th", "td"])] for row in t.find_all("tr")] for t in tables]


def book(made: dict[str, Any]) -> Any:
    return openpyxl.load_workbook(io.BytesIO(made["report.xlsx"]))


def ods_tables(made: dict[str, Any]) -> dict[str, list[list[Any]]]:
    """Sheet -> rows of text and numbers, as any reader of OpenDocument finds them."""
    office, table, text = (
        f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("office", "table", "text")
    )
    package = zipfile.ZipFile(io.BytesIO(made["report.ods"]))
    body = ElementTree.fromstring(package.read("content.xml"))
    return {
        sheet.get(f"{table}name"): [
            [
                float(held.get(f"{office}value"))
                if held.get(f"{office}value-type") == "float"
                else held.findtext(f"{text}p")
                for held in row.iter(f"{table}table-cell")
            ]
            for row in sheet.iter(f"{table}table-row")
        ]
        for sheet in body.iter(f"{table}table")
    }


def document(made: dict[str, Any]) -> Any:
    return docx.Document(io.BytesIO(made["report.docx"]))


def reader(made: dict[str, Any]) -> Any:
    return pypdf.PdfReader(io.BytesIO(made["report.pdf"]))


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


# ------------------------------------------------------------ the same numbers
def test_word_holds_the_tables_of_the_page_cell_by_cell(made: dict[str, Any]) -> None:
    tables = [[[c.text for c in row.cells] for row in table.rows] for table in document(made).tables]
    assert tables == grids_of_html(made["report.html"])


def test_excel_holds_the_numbers_of_the_page(made: dict[str, Any]) -> None:
    printed = grids_of_html(made["report.html"])[0][1:]
    rows = book(made)["counts"].iter_rows(min_row=2, values_only=True)
    forms = [FORMATS.get(name, "") for name in FRAME]
    assert [
        [cell(v, f).removeprefix("'") for v, f in zip(row, forms, strict=True)] for row in rows
    ] == printed


def test_ods_holds_the_numbers_of_the_page_as_numbers(made: dict[str, Any]) -> None:
    table = ods_tables(made)["counts"]
    printed = grids_of_html(made["report.html"])[0]
    forms = [FORMATS.get(name, "") for name in FRAME]
    rows = [[cell(v, f).removeprefix("'") for v, f in zip(row, forms, strict=True)] for row in table[1:]]
    assert [table[0], *rows] == printed
    assert isinstance(table[1][3], float)


def test_ods_has_the_sheets_of_the_workbook_and_says_its_kind_first(made: dict[str, Any]) -> None:
    assert list(ods_tables(made)) == book(made).sheetnames
    package = zipfile.ZipFile(io.BytesIO(made["report.ods"]))
    first = package.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert package.read("mimetype") == b"application/vnd.oasis.opendocument.spreadsheet"


def test_the_pdf_holds_every_cell_of_the_page(made: dict[str, Any]) -> None:
    text = squeezed("".join(page.extract_text() for page in reader(made).pages))
    cells = [c for grid in grids_of_html(made["report.html"]) for row in grid for c in row]
    assert [c for c in cells if squeezed(c) not in text] == []


def test_the_csv_beside_the_page_holds_the_numbers_of_the_page() -> None:
    back = pd.read_csv(io.StringIO(FRAME.to_csv(index=False)))
    forms = [FORMATS.get(name, "") for name in FRAME]
    rows = [
        [cell(v, f) for v, f in zip(row, forms, strict=True)]
        for row in back.itertuples(index=False, name=None)
    ]
    rows = [[value if value != "12345" else "12,345" for value in row] for row in rows]
    assert rows == grids_of_html(html(REPORT))[0][1:]


@pytest.mark.parametrize("name", ["report.pdf", "report.docx"])
def test_every_sentence_stands_in_pdf_and_word(made: dict[str, Any], name: str) -> None:
    if name.endswith("pdf"):
        text = "".join(page.extract_text() for page in reader(made).pages)
    else:
        text = "".join(paragraph.text for paragraph in document(made).paragraphs)
    sentences = [b.text for s in REPORT.sections for b in s.blocks if isinstance(b, Text)]
    assert all(squeezed(sentence) in squeezed(text) for sentence in sentences)


@pytest.mark.parametrize("name", ["report.html", "report.pdf", "report.docx", "report.xlsx"])
def test_the_same_report_gives_the_same_bytes(made: dict[str, Any], name: str) -> None:
    assert rendered(REPORT, [name.rpartition(".")[2]])[name] == made[name]  # type: ignore[list-item]


# ------------------------------------------------------------ PDF
def parts(node: Any) -> list[Any]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [found for child in node for found in parts(child)]
    if not isinstance(node, dict) or "/S" not in node:
        return []
    return [node, *parts(node.get("/K", []))]


def structure(made: dict[str, Any]) -> list[Any]:
    return parts(reader(made).trailer["/Root"]["/StructTreeRoot"]["/K"])


def test_the_pdf_says_that_it_is_pdf_ua_in_british_english(made: dict[str, Any]) -> None:
    root = reader(made).trailer["/Root"]
    claims = b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert (claims, root["/Lang"], bool(root["/MarkInfo"]["/Marked"])) == (True, "en-GB", True)


def test_every_picture_of_the_pdf_has_its_text_alternative(made: dict[str, Any]) -> None:
    assert [p.get("/Alt") for p in structure(made) if p["/S"] == "/Figure" and "/Alt" in p] == [
        "From 0.25 to 0.875"
    ]


def test_tables_of_the_pdf_have_head_cells(made: dict[str, Any]) -> None:
    names = [part["/S"] for part in structure(made)]
    assert names.count("/Table") == 4
    assert names.count("/TH") >= sum(map(len, (FRAME.columns, CURVE.columns)))


def test_the_fonts_travel_with_the_pdf(made: dict[str, Any]) -> None:
    fonts = [f.get_object() for page in reader(made).pages for f in page["/Resources"]["/Font"].values()]
    inner = [f["/DescendantFonts"][0].get_object()["/FontDescriptor"] for f in fonts]
    assert all({"/FontFile2", "/FontFile3"} & set(f) for f in inner)


def test_every_font_of_the_pdf_says_which_letters_its_shapes_are(made: dict[str, Any]) -> None:
    fonts = [f.get_object() for page in reader(made).pages for f in page["/Resources"]["/Font"].values()]
    assert fonts
    assert all("/ToUnicode" in font for font in fonts)


def test_the_keyboard_follows_the_structure_and_the_window_shows_the_title(made: dict[str, Any]) -> None:
    root = reader(made).trailer["/Root"]
    assert {page["/Tabs"] for page in reader(made).pages} == {"/S"}
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert all("/StructParents" in page for page in reader(made).pages)


def test_headings_of_the_pdf_skip_no_level(made: dict[str, Any]) -> None:
    levels = [int(p["/S"][2]) for p in structure(made) if re.fullmatch(r"/H\d", p.get("/S", ""))]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_what_is_drawn_on_a_page_is_tagged_or_marked_as_no_content(made: dict[str, Any]) -> None:
    loose = []
    for page in reader(made).pages:
        inside = 0
        for operands, operator in page.get_contents().operations:
            inside += (operator in (b"BDC", b"BMC")) - (operator == b"EMC")
            if operator in (b"Tj", b"TJ", b"Do", b"f", b"S", b"B") and not inside:
                loose.append((operator, operands))
    assert loose == []


def test_the_marking_stands_on_every_page_of_the_pdf(made: dict[str, Any]) -> None:
    assert all("OFFICIAL-SENSITIVE" in page.extract_text() for page in reader(made).pages)


def test_a_pdf_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(DataError, match=r"peelian\[reports\] \(weasyprint\) and the system library Pango"):
        rendered(REPORT, ["pdf"])


# ------------------------------------------------------------ Word and Excel
def test_word_has_real_headings(made: dict[str, Any]) -> None:
    heads = [p.text for p in document(made).paragraphs if p.style.name.startswith("Heading")]
    assert heads == ["What was found", "Evaluate", "Evaluate", "Counts by area", "Saturation rises",
                     "Where every number comes from", "About this report"]  # fmt: skip


def test_word_repeats_the_head_of_every_table(made: dict[str, Any]) -> None:
    assert all("w:tblHeader" in table.rows[0]._tr.xml for table in document(made).tables)


def test_pictures_in_word_have_their_text_alternative(made: dict[str, Any]) -> None:
    assert [s._inline.docPr.get("descr") for s in document(made).inline_shapes] == ["From 0.25 to 0.875"]


def test_numbers_in_excel_are_numbers_with_their_format(made: dict[str, Any]) -> None:
    found = [(c.value, c.number_format) for c in book(made)["counts"][2][1:4]]
    assert found == [(12345, "General"), (0.2754, "0.0 %"), (1234.5, "£#,##0.00;-£#,##0.00")]


def test_text_that_excel_would_run_starts_with_an_apostrophe(made: dict[str, Any]) -> None:
    assert book(made)["counts"]["A3"].value == "'=SUM(A1)"


def test_excel_has_one_marked_table_a_sheet_and_nothing_merged_or_hidden(made: dict[str, Any]) -> None:
    sheets = book(made).worksheets
    assert [sheet.title for sheet in sheets] == ["About", "counts", "curve"]
    assert [len(sheet.tables) for sheet in sheets] == [0, 1, 1]
    assert not any(sheet.merged_cells.ranges or sheet.sheet_state != "visible" for sheet in sheets)


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(DataError, match="There is no format 'odt'; expected html, pdf, docx, xlsx"):
        rendered(REPORT, ["odt"])  # type: ignore[list-item]


def test_nothing_is_written_where_one_format_cannot_be_made(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(DataError, match="python-docx"):
        write(REPORT, tmp_path / "out", ("html", "docx"))
    assert not (tmp_path / "out").exists()
