"""The maps of the months: one map with a slider that needs no script, and side by side on paper."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from peelian.account.html import html
from peelian.account.slider import frames
from peelian.predict import EWMA
from peelian.predict.backtest import backtest
from peelian.predict.forecast import next_period
from peelian.predict.months import months_map
from peelian.report import Chart, Report, Section
from tests.spec.test_predict_backtest import CELLS, INCIDENTS


@pytest.fixture(scope="module")
def chart() -> Chart:
    tested = backtest({"ewma": EWMA(12)}, INCIDENTS, CELLS, origins=24, areas=[0.1], seed=1)
    return months_map(tested, next_period(INCIDENTS, CELLS, tested), CELLS, "burglaries", "simulated")


def page(chart: Chart, media: str) -> str:
    report = Report("Months", "Where?", (Section("predict", "Predict", "Where?", (chart,)),))
    return html(report, media=media)  # type: ignore[arg-type]


def test_a_year_of_months_and_the_forecast_have_a_map_each(chart: Chart) -> None:
    names = [name for name, _, _ in frames(chart)]
    assert (len(names), names[0], names[-1]) == (13, "Jan 2019", "Jan 2020")


def test_each_past_month_says_what_its_darkest_cells_held_and_the_forecast_says_that_nothing_is_known(
    chart: Chart,
) -> None:
    words = [said for _, said, _ in frames(chart)]
    assert all(
        re.fullmatch(r"Of \d+ burglaries recorded then, \d+ lay in the cells .*", said) for said in words[:-1]
    )
    assert words[-1] == "The forecast: nothing of it is known yet."


def test_on_a_page_they_are_one_group_of_radio_buttons_the_last_chosen_and_no_script(chart: Chart) -> None:
    text = page(chart, "screen")
    buttons = re.findall(r'<input type="radio" name="predict_months" id="([^"]+)"( checked)?>', text)
    assert len(buttons) == 13
    assert [bool(checked) for _, checked in buttons] == [False] * 12 + [True]
    assert all(f'<label for="{name}">' in text for name, _ in buttons)
    assert "<script" not in text


def test_the_arrow_keys_move_through_the_months_on_a_phone_without_scripts(
    chart: Chart, browser: Any, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text(page(chart, "screen"), encoding="utf-8")
    context = browser.new_context(viewport={"width": 360, "height": 800}, java_script_enabled=False)
    shown = context.new_page()
    shown.goto((tmp_path / "page.html").as_uri())
    assert shown.locator(".frame:visible strong").all_inner_texts() == ["Jan 2020."]
    shown.locator("#predict_months-choice-13").focus()
    shown.keyboard.press("ArrowLeft")
    assert shown.locator(".frame:visible strong").all_inner_texts() == ["Dec 2019."]
    box = shown.locator(".frame:visible svg").bounding_box()
    context.close()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360


def test_on_paper_they_stand_side_by_side_in_one_picture(chart: Chart) -> None:
    text = page(chart, "paper")
    assert '<input type="radio"' not in text
    assert text.count("data:image/svg+xml") == 1


def test_a_chart_that_asks_for_no_slider_has_none(chart: Chart) -> None:
    spec = {key: value for key, value in chart.spec.items() if key != "usermeta"}
    assert frames(replace(chart, spec=spec)) == []
