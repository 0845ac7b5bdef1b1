"""What a table hides, no other file of the report tells: pages, workbooks, JSON, charts, words, cards."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from peelian.chapters.report import hidden_names
from peelian.errors import PrivacyError
from peelian.loop import run
from peelian.report import Chart, Table, Text, section_from_json

CHAPTERS = ("read", "predict", "deliver", "evaluate", "account")


def blocks(values: list[dict[str, Any]]) -> dict[str, Any]:
    return {b.name: b for v in values for b in section_from_json(v).blocks if not isinstance(b, Text)}


def inside(folder: Path) -> dict[str, Any]:
    """The blocks as the stages left them, for people inside."""
    return blocks([json.loads((folder / c / "section.json").read_text("utf-8")) for c in CHAPTERS])


def outside(folder: Path) -> dict[str, Any]:
    """The blocks of the report for the public."""
    return blocks(json.loads((folder / "report" / "report.json").read_text("utf-8"))["sections"])


def hidden_cells(folder: Path) -> list[tuple[str, int, str, Any]]:
    """Table, row, column and true value of every count that the report hides."""
    true = inside(folder)
    return [
        (name, row, column, true[name].frame[column].iloc[row])
        for name, block in outside(folder).items()
        if isinstance(block, Table) and block.counts
        for column in block.counts
        for row in range(len(block.frame))
        if block.frame[column].iloc[row] == "c"
    ]


def test_there_are_small_counts_to_hide(public: tuple[Path, pd.Series]) -> None:
    folder, truth = public
    assert ((truth > 0) & (truth < 5)).sum() >= 5
    assert len(hidden_cells(folder)) >= 10


def test_no_column_of_a_row_gives_its_hidden_count_back(public: tuple[Path, pd.Series]) -> None:
    folder, _ = public
    true, shown = inside(folder), outside(folder)
    for name, row, column, value in hidden_cells(folder):
        frame, before = shown[name].frame, true[name].frame
        same = [
            other for other in frame.columns[1:]
            if other != column and str(frame[other].iloc[row]) == str(value)
            and not (before[other] == before[column]).sum() <= len(before) / 2
        ]  # fmt: skip
        assert not same, (name, row, column, same)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "ods", "docx", "html"])
def test_every_format_hides_the_cells_that_the_report_hides(
    public: tuple[Path, pd.Series], kind: str
) -> None:
    folder, _ = public
    tables = {name: rows(folder, kind, name) for name in {name for name, *_ in hidden_cells(folder)}}
    for name, row, column, _ in hidden_cells(folder):
        at = list(outside(folder)[name].frame.columns).index(column)
        if row < len(tables[name]):  # a page shows the first 40 rows
            assert tables[name][row][at] == "c", (kind, name, row, column)


def rows(folder: Path, kind: str, name: str) -> list[list[Any]]:
    """The rows of one table as a reader of that format finds them."""
    report = folder / "report"
    if kind == "csv":
        return pd.read_csv(report / "tables" / f"{name}.csv", dtype=str).to_numpy().tolist()
    if kind == "xlsx":
        book = pytest.importorskip("openpyxl").load_workbook(report / "report.xlsx")
        return [list(row) for row in book[name[:31]].iter_rows(min_row=2, values_only=True)]
    if kind == "ods":
        return ods_rows(report / "report.ods", name)
    if kind == "docx":
        document = pytest.importorskip("docx").Document(report / "report.docx")
        return [[c.text for c in row.cells] for row in _by_head(folder, document.tables, name).rows[1:]]
    soup = pytest.importorskip("bs4").BeautifulSoup(
        (report / "report.html").read_text("utf-8"), "html.parser"
    )
    heads = [str(column) for column in outside(folder)[name].frame.columns]
    for table in soup.find_all("table"):
        found = [cell.get_text().lower() for cell in table.find("tr").find_all(["th", "td"])]
        if found == [head.replace("_", " ").lower() for head in heads]:
            return [[c.get_text() for c in r.find_all(["th", "td"])] for r in table.find_all("tr")[1:]]
    raise AssertionError(f"the page lacks the table {name}")


def _by_head(folder: Path, tables: Any, name: str) -> Any:
    heads = [str(column).replace("_", " ").lower() for column in outside(folder)[name].frame.columns]
    return next(t for t in tables if [cell.text.lower() for cell in t.rows[0].cells] == heads)


def ods_rows(path: Path, name: str) -> list[list[str]]:
    table, text = (f"{{urn:oasis:names:tc:opendocument:xmlns:{n}:1.0}}" for n in ("table", "text"))
    body = ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(path.read_bytes())).read("content.xml"))
    sheet = next(s for s in body.iter(f"{table}table") if s.get(f"{table}name") == name[:31])
    found = [[c.findtext(f"{text}p") or "" for c in row.iter(f"{table}table-cell")]
             for row in sheet.iter(f"{table}table-row")]  # fmt: skip
    return found[1:]


def test_no_sentence_title_picture_or_map_names_a_row_with_a_hidden_count(
    public: tuple[Path, pd.Series],
) -> None:
    folder, _ = public
    report = json.loads((folder / "report" / "report.json").read_text("utf-8"))
    for values in report["sections"]:
        section = section_from_json(values)
        names = hidden_names(b for b in section.blocks if isinstance(b, Table))
        for block in section.blocks if names else ():
            told = block.text if isinstance(block, Text) else f"{block.title} {block.note}"
            if isinstance(block, Chart):
                told += f" {block.alt} {json.dumps(block.spec)} {block.frame}"
            assert not names.search(told), told[:200]


def test_no_map_or_picture_of_places_is_left_where_their_counts_are_hidden(
    public: tuple[Path, pd.Series],
) -> None:
    folder, _ = public
    assert {"read_map", "read_months", "predict_map"} <= set(inside(folder))
    assert not {"read_map", "read_months", "predict_map"} & set(outside(folder))


def test_the_answers_to_the_public_hide_small_counts(public: tuple[Path, pd.Series]) -> None:
    folder, _ = public
    foi = json.loads((folder / "account" / "foi.json").read_text("utf-8"))
    counts = [
        value for answer in foi["answers"] for part in answer["parts"]
        for row in part.get("table", []) for key, value in row.items() if key.startswith("a")
    ]  # fmt: skip
    assert counts
    assert not [value for value in counts if isinstance(value, int) and 0 < value < 5]


def test_cards_are_of_wards_and_name_no_square(public: tuple[Path, pd.Series]) -> None:
    folder, _ = public
    cards = folder / "account" / "cards"
    words = [p.read_bytes().decode("utf-8", "ignore") for p in cards.iterdir() if p.suffix != ".png"]
    assert (cards / "areas.gpkg").is_file()
    assert not any(re.search(r"Square \d|E0\d{7}", text) for text in words)


def test_a_report_beside_an_earlier_one_that_shows_what_it_hides_is_refused(
    public: tuple[Path, pd.Series],
) -> None:
    from peelian.account.releases import Release, record

    folder, _ = public
    name, row, column, _ = hidden_cells(folder)[0]
    label = str(outside(folder)[name].frame.iloc[row, 0])
    last = "2018-12"
    shown = pd.DataFrame([(label, last, last, 9)], columns=["place", "first", "last", "count"])
    record(Release("spring", "2019-02-01", f"{name} {column}", "rows", shown), folder / "releases")
    try:
        with pytest.raises(PrivacyError, match="together with table spring of 2019-02-01"):
            run(folder)
    finally:
        shutil.rmtree(folder / "releases")
