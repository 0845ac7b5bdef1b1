"""The report: content that comes back from a file as it was, and the page made of it."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from peelian import charts
from peelian.account.html import cell, html, printed, tables_of
from peelian.errors import DataError
from peelian.report import Chart, Report, Section, Table, Text, section_from_json

FRAME = pd.DataFrame(
    {"Area": [f"a{i}" for i in range(60)], "Count": range(60), "Cost": [i / 7 for i in range(60)]}
)
SECTION = Section(
    "read", "Read", "What was recorded?",
    (
        Text("60 areas <were> read.", "finding"),
        Text("Dates are months.", "warning"),
        Table("counts", "Counts by area", FRAME, {"Cost": "£,.2f"}, "made up"),
        Chart("rise", "Cost rises", charts.lines(FRAME, "Count", "Cost"), "From 0 to 8.43", FRAME.head(3)),
    ),
)  # fmt: skip
REPORT = Report("Marking", "Did it work?", (SECTION,), sources=(("Crime", "police.uk", "2016", "OGL 3"),))


def page() -> BeautifulSoup:
    return BeautifulSoup(html(REPORT), "html.parser")


def test_a_section_comes_back_from_json_as_it_was() -> None:
    back = section_from_json(json.loads(json.dumps(SECTION.as_json())))
    pd.testing.assert_frame_equal(back.blocks[2].frame, FRAME)  # type: ignore[union-attr]
    assert back.as_json() == SECTION.as_json()


def test_two_tables_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="are called counts"):
        Report("t", "?", (SECTION, Section("x", "X", "?", (Table("counts", "again", FRAME),))))


@pytest.mark.parametrize(
    ("value", "form", "printed"),
    [
        (1234567, "", "1,234,567"), (0.8123, "", "0.812"), (1234.56, "", "1,234.6"), (12.727, "£,.2f", "£12.73"),
        (-1443458, "£,.0f", "-£1,443,458"), (0.275, ".1%", "27.5 %"), (None, "", "–"), (float("nan"), ".2f", "–"),
        (True, "", "yes"), (3.0, ",d", "3"), ("2016-05", "", "2016-05"),
    ],
)  # fmt: skip
def test_numbers_are_printed_as_the_british_write_them(value: object, form: str, printed: str) -> None:
    assert cell(value, form) == printed


def test_the_page_opens_offline_and_runs_no_script() -> None:
    text = html(REPORT)
    soup = page()
    assert soup.find("script") is None
    assert not list(soup.find_all(src=True) + soup.find_all("link"))
    assert all(a["href"].startswith("#") for a in soup.find_all("a"))
    assert "@import" not in text


def test_text_is_escaped() -> None:
    assert "60 areas &lt;were&gt; read." in html(REPORT)


def test_findings_stand_first_and_link_to_their_chapter() -> None:
    found = page().find(id="found")
    assert found is not None
    assert [p.get_text() for p in found.find_all(class_="finding")] == ["60 areas <were> read."]


def test_a_long_table_says_where_the_rest_is() -> None:
    assert "First 40 of 60 rows; all of them are in tables/counts.csv" in page().get_text()


def test_every_table_has_a_caption_and_scoped_heads() -> None:
    for table in page().find_all("table"):
        assert table.caption is not None
        assert all(th.get("scope") for th in table.find_all("th"))


def test_a_chart_is_a_named_picture_with_its_numbers_under_it() -> None:
    figure = page().find("figure")
    assert figure is not None
    assert (figure.svg["role"], figure.svg["aria-label"]) == ("img", "From 0 to 8.43")
    assert len(figure.details.find_all("tr")) == 4


def test_ids_on_the_page_are_unique() -> None:
    ids = [tag["id"] for tag in page().find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_the_same_report_gives_the_same_page() -> None:
    assert html(REPORT) == html(REPORT)


def test_the_numbers_beside_the_page_are_those_of_its_tables() -> None:
    assert list(tables_of(REPORT)) == ["counts", "rise"]


# ------------------------------------------------------------ long chapters
LONG = Section(
    "explain", "Explain", "What goes with it?",
    (
        Text("Four factors.", "finding"), Text("The model", "heading"),
        Table("bands", "Working papers", FRAME.head(2), folded=True), Text("Hot spots", "heading"),
        Table("hot", "Hot spots", FRAME.head(3)),
    ),
)  # fmt: skip


def test_a_long_chapter_lists_its_parts_and_each_link_leads_to_one() -> None:
    soup = BeautifulSoup(html(Report("t", "?", (LONG,))), "html.parser")
    links = soup.find("nav", {"aria-label": "Parts of Explain"}).find_all("a")  # type: ignore[union-attr]
    assert [a.text for a in links] == ["The model", "Hot spots"]
    assert [soup.find(id=a["href"][1:]).name for a in links] == ["h3", "h3"]  # type: ignore[union-attr]


def test_a_folded_table_is_closed_on_the_screen_and_open_on_paper() -> None:
    screen, paper = (
        BeautifulSoup(html(Report("t", "?", (LONG,)), media=m), "html.parser") for m in ("screen", "paper")
    )
    folded = screen.find("summary", string="Working papers").parent  # type: ignore[union-attr]
    assert len(folded.find_all("tr")) == 3  # type: ignore[union-attr]
    assert not folded.has_attr("open")  # type: ignore[union-attr]
    assert paper.find("details") is None
    assert [c.text for c in paper.find_all("caption")[:2]] == ["Working papers", "Hot spots"]


def test_headings_and_folds_come_back_from_json() -> None:
    back = section_from_json(json.loads(json.dumps(LONG.as_json())))
    assert [getattr(b, "kind", getattr(b, "folded", None)) for b in back.blocks] == [
        "finding", "heading", True, "heading", False]  # fmt: skip


def test_a_p_value_is_never_printed_as_nothing() -> None:
    frame = pd.DataFrame(
        {"Method": ["a", "b"], "p": [0.0002, 0.04], "Adjusted p": [0.0004, 1.0], "Map": [0.0, 1]}
    )
    _, rows, _ = printed(frame, dict.fromkeys(("p", "Adjusted p", "Map"), ".3f"))
    assert rows == [["a", "< 0.001", "< 0.001", "0.000"], ["b", "0.040", "1.000", "1.000"]]
