"""The stage as the loop runs it: what it hands on, and what the planning risk has seen."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pydantic
import pytest
from shapely import box

from peelian.errors import DesignError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict.planning import planning_risk, prior_by_area
from peelian.predict.run import Parameters, run
from peelian.report import Chart, Outcome, Table, Text, section_from_json

STUDY = gpd.GeoSeries([box(0, 0, 1200, 1000)], crs="EPSG:27700")
CELLS = Places.grid(STUDY, 100)
AREAS = Places.of(
    gpd.GeoDataFrame(
        index=[f"area {column}{row}" for column in range(4) for row in range(2)],
        geometry=[
            box(300 * column, 500 * row, 300 * column + 300, 500 * row + 500)
            for column in range(4)
            for row in range(2)
        ],
        crs=STUDY.crs,
    )
)
RATES = np.random.default_rng(5).gamma(0.6, 0.6, len(CELLS))


def simulated(seed: int = 1) -> Incidents:
    rng = np.random.default_rng(seed)
    months = pd.period_range("2015-01", "2019-12", freq="M")
    counts = rng.poisson(RATES, (len(months), len(CELLS)))
    month, cell = np.nonzero(counts)
    times = np.repeat(np.arange(len(month)), counts[month, cell])
    start = pd.Series(months.to_timestamp()[month[times]])
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "simulated"},
        geometry=CELLS.points.iloc[cell[times]].to_numpy(),
        crs=CELLS.crs,
    )
    return Incidents(frame, precision="month", snapped=True, published=True)


INCIDENTS = simulated()
PRIOR = pd.Series(RATES + 0.05, CELLS.index, name="relative_risk")


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return run(INCIDENTS, CELLS, AREAS, Parameters(), prior=PRIOR, seed=1, crime="burglary")


def test_the_first_finding_says_whether_anything_beat_counts(outcome: Outcome) -> None:
    assert "counting burglaries over the last 12 months" in outcome.section.findings[0]


def test_the_verdict_is_the_first_line_of_the_page_and_of_what_is_exported(outcome: Outcome) -> None:
    first = outcome.section.blocks[0]
    assert isinstance(first, Text)
    assert first.text == outcome.summary["words"]
    assert outcome.files["risk.json"]["verdict"] == first.text
    assert outcome.files["forecast.json"]["verdict"] == first.text
    assert outcome.files["predict.gpkg"].about == first.text


def test_the_second_finding_names_the_best_baseline_and_sets_the_model_against_it(outcome: Outcome) -> None:
    assert outcome.section.findings[1].startswith("Best of 13 baselines by log score: ")
    assert "The one model, risk terrain blended with own history" in outcome.section.findings[1]


def test_the_planning_risk_has_an_interval_by_area_and_in_all(outcome: Outcome) -> None:
    table, about = outcome.files["risk.csv"], outcome.files["risk.json"]
    assert ((table["low"] <= table["risk"]) & (table["risk"] <= table["high"])).all()
    assert about["interval"]["low"] < about["total"] < about["interval"]["high"]


def test_an_interval_of_a_year_holds_about_nine_years_in_ten() -> None:
    """The last year foretold from those before it, in 20 simulated worlds of 8 areas."""
    inside = []
    for seed in range(20):
        made = simulated(seed)
        before = replace(made, frame=made.frame[made.frame["start"] < "2019"])
        planned = planning_risk(before, AREAS, fitted_to=pd.Period("2018-12", "M"), seed=1)
        came = made.between("2019-01", "2020-01").counts(AREAS)
        inside += ((planned.lows <= came) & (came <= planned.highs)).tolist()
    assert 0.84 <= np.mean(inside) <= 0.98


def test_the_files_that_later_stages_read(outcome: Outcome) -> None:
    needed = {"risk.csv", "risk.json", "cells.parquet", "backtest.csv", "predict.gpkg"}
    assert needed <= set(outcome.files)


def test_the_risk_by_area_is_a_year_of_all_areas(outcome: Outcome) -> None:
    risk = outcome.files["risk.csv"]
    assert list(risk.columns) == ["place", "risk", "low", "high"]
    assert risk["place"].tolist() == AREAS.index.tolist()
    assert risk["risk"].sum() == pytest.approx(12 * RATES.sum(), rel=0.1)


def test_the_risk_says_what_it_was_fitted_on(outcome: Outcome) -> None:
    assert outcome.files["risk.json"]["fitted_on"] == ["2015-01", "2019-12"]


def test_the_forecast_names_every_cell(outcome: Outcome) -> None:
    frame = outcome.files["cells.parquet"]
    assert frame.index.equals(CELLS.index)
    assert (frame["low"] <= frame["high"]).all()


def test_chapter_and_summary_survive_a_file(outcome: Outcome) -> None:
    again = section_from_json(json.loads(json.dumps(outcome.section.as_json())))
    assert again.findings == outcome.section.findings
    assert json.loads(json.dumps(outcome.summary)) == outcome.summary


def test_every_chart_and_table_has_a_source(outcome: Outcome) -> None:
    assert all(block.source for block in outcome.section.blocks if isinstance(block, Chart | Table))


def test_small_cells_on_snapped_points_are_warned_of(outcome: Outcome) -> None:
    warnings = [block.text for block in outcome.section.blocks if getattr(block, "kind", "") == "warning"]
    assert any("cells of 100 m are finer than the data" in text for text in warnings)


def test_a_terrain_that_saw_the_tested_months_is_said_so(outcome: Outcome) -> None:
    warnings = [block.text for block in outcome.section.blocks if getattr(block, "kind", "") == "warning"]
    assert any("fitted on months that it is tested on" in text for text in warnings)


def test_the_planning_risk_does_not_change_with_later_months() -> None:
    parameters = Parameters(fitted_to="2018-06", origins=2)
    later = INCIDENTS.frame["start"] >= pd.Timestamp("2018-07-01")
    keep = INCIDENTS._where(~later | (np.arange(len(INCIDENTS)) % 2 == 0))
    whole, thinned = (
        run(rows, CELLS, AREAS, parameters, prior=PRIOR, seed=1).files["risk.csv"]
        for rows in (INCIDENTS, keep)
    )
    pd.testing.assert_frame_equal(whole, thinned, check_exact=True)


def test_row_order_is_irrelevant(outcome: Outcome) -> None:
    shuffled = replace(INCIDENTS, frame=INCIDENTS.frame.sample(frac=1, random_state=3))
    again = run(shuffled, CELLS, AREAS, Parameters(), prior=PRIOR, seed=1, crime="burglary")
    pd.testing.assert_frame_equal(
        again.files["backtest.csv"], outcome.files["backtest.csv"], check_exact=True
    )


def test_without_a_terrain_the_stage_runs_without_the_blend() -> None:
    found = run(INCIDENTS, CELLS, AREAS, Parameters(origins=2), seed=1)
    assert "blend" not in set(found.files["backtest.csv"]["method"])


def test_a_terrain_that_saw_more_than_the_plan_may_is_not_in_its_risk() -> None:
    found = run(INCIDENTS, CELLS, AREAS, Parameters(fitted_to="2018-06", origins=2), prior=PRIOR, seed=1)
    notes = [block.text for block in found.section.blocks if getattr(block, "kind", "") == "note"]
    assert (
        "The risk terrain is not in the planning risk: it was fitted on months to December 2019, and the "
        "plan may see none after June 2018."
    ) in notes


def test_the_terrain_of_an_area_is_the_mean_of_its_cells_times_its_size() -> None:
    by_area = prior_by_area(PRIOR, CELLS, AREAS)
    inside = CELLS.points.within(AREAS.geometry["area 00"])
    assert by_area is not None
    assert by_area["area 00"] == pytest.approx(PRIOR[inside].mean() * 300 * 500)


def test_an_area_outside_the_grid_has_no_terrain() -> None:
    far = AREAS.frame.geometry.tolist()
    far[0] = box(9_000, 0, 9_300, 500)
    areas = Places.of(gpd.GeoDataFrame(index=AREAS.index, geometry=far, crs=AREAS.crs))
    assert prior_by_area(PRIOR, CELLS, areas) is None


def test_planning_months_beyond_the_data_are_refused() -> None:
    with pytest.raises(DesignError, match="fitted_to is 2030-01, and incidents end in 2019-12"):
        run(INCIDENTS, CELLS, AREAS, Parameters(fitted_to="2030-01", origins=2), seed=1)


def test_a_month_written_wrongly_is_refused_with_the_right_form() -> None:
    with pytest.raises(pydantic.ValidationError, match="is no month; write it as 2018-12"):
        Parameters(fitted_to="12/2018")


def test_a_period_of_history_is_cut() -> None:
    found = run(INCIDENTS, CELLS, AREAS, Parameters(first="2017-01", last="2018-12", origins=2), seed=1)
    assert found.files["risk.json"]["fitted_on"] == ["2017-01", "2018-12"]


def test_a_stack_and_an_endemic_model_say_what_they_rest_on() -> None:
    asked = Parameters(methods=("endemic", "stack(('ewma(12)', 'endemic'))"), origins=2)
    made = run(INCIDENTS, CELLS, AREAS, asked, seed=1, crime="burglary")
    notes = [block.text for block in made.section.blocks if getattr(block, "kind", "") == "note"]
    assert any(text.startswith("Endemic-epidemic model:") for text in notes)
    assert any(text.startswith("Stack:") for text in notes)
