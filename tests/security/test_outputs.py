"""What leaves the system: nothing runs, nothing calls out, nothing is fetched."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from peelian.account.html import svg
from peelian.outputs import write_content
from peelian.report import Chart


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1+1", "@SUM(1)", "\t=1"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(tmp_path: Path, text: str) -> None:
    write_content(tmp_path / "x.csv", pd.DataFrame({"name": [text, "plain"], "n": [-1, 2]}))
    with (tmp_path / "x.csv").open(newline="") as handle:
        rows = list(csv.reader(handle))
    assert rows == [["name", "n"], ["'" + text, "-1"], ["plain", "2"]]


def test_a_chart_that_names_an_address_is_refused_and_not_fetched() -> None:
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"url": "http://127.0.0.1:9/secret.csv"},
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative"}},
    }
    with pytest.raises(ValueError, match=r"not allowed|denied|allowed_base_urls"):
        svg(Chart("c", "t", spec, "alt"))
