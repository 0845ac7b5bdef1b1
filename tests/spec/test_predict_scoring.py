"""The further scores of a backtest: in its tables, pooled as ratios of sums, by ground and by homes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from peelian.predict import EWMA, Counts
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.breaks import Break
from peelian.predict.scores_report import baseline_sentence, score_blocks
from peelian.report import Chart, Table
from tests.spec.test_predict_backtest import CELLS, INCIDENTS, RATES, nothing

HOMES = pd.Series(np.where(np.arange(len(CELLS)) % 3, 40.0, 0.0), CELLS.index)
SHARES = [0.1, 0.2]


@pytest.fixture(scope="module")
def tested() -> Backtest:
    methods = {"ewma": EWMA(12), "counts(3)": Counts(3), "flat": nothing}
    return backtest(methods, INCIDENTS, CELLS, origins=24, areas=SHARES, measures={"homes": HOMES}, seed=1)


def row(tested: Backtest, name: str) -> pd.Series:
    return tested.pooled.set_index("method").loc[name]


def test_every_score_of_the_table_stands_for_every_method(tested: Backtest) -> None:
    columns = ["pei_10", "pei_area_10", "rri_10", "auc_5", "auc_10", "log_score_nb", "brier", "crps",
               "jaccard", "clumpiness", "always", "counts_outside", "slope", "information_gain"]  # fmt: skip
    held = tested.pooled[tested.pooled["method"] != "best possible"].set_index("method")[columns]
    assert held.drop(index="flat").notna().all().all()
    assert held.loc["flat"].drop(["slope", "clumpiness"]).notna().all()


def test_equal_cells_have_the_same_pei_by_number_and_by_area(tested: Backtest) -> None:
    assert row(tested, "ewma")["pei_10"] == pytest.approx(row(tested, "ewma")["pei_area_10"])


def test_pooled_ratios_are_ratios_of_sums(tested: Backtest) -> None:
    rows = tested.by_origin[tested.by_origin["method"] == "ewma"]
    assert row(tested, "ewma")["rri_10"] == pytest.approx(rows["predicted_10"].sum() / rows["hits_10"].sum())


def test_a_map_that_is_the_same_everywhere_never_moves_and_holds_half_of_the_width(tested: Backtest) -> None:
    flat = row(tested, "flat")
    assert (flat["jaccard"], flat["always"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert flat["auc_10"] == pytest.approx(0.05)


def test_a_longer_memory_moves_less(tested: Backtest) -> None:
    assert row(tested, "ewma")["jaccard"] > row(tested, "counts(3)")["jaccard"]


def test_too_bold_a_forecast_is_more_surprised_even_as_a_negative_binomial(tested: Backtest) -> None:
    assert row(tested, "counts(3)")["log_score_nb"] > row(tested, "ewma")["log_score_nb"]
    assert row(tested, "counts(3)")["crps"] > row(tested, "ewma")["crps"]


def test_coverage_by_homes_leaves_out_places_without_any(tested: Backtest) -> None:
    rows = tested.physical.set_index(["method", "measure", "share"])
    assert set(tested.physical["measure"]) == {"km2", "homes"}
    flat = rows.loc[("flat", "homes", 0.2)]
    inside = RATES[HOMES > 0].sum() / RATES.sum()
    assert flat["hit_rate"] == pytest.approx(0.2 * inside, abs=0.02)
    assert flat["amount"] == pytest.approx(0.2 * HOMES.sum())
    assert flat["efficiency"] == pytest.approx(flat["hits"] / 24 / flat["amount"] * 1_000)


def test_most_totals_lie_within_their_limits(tested: Backtest) -> None:
    assert row(tested, "ewma")["counts_outside"] <= 6  # of 24, at 90 %


def test_a_month_without_crime_is_kept_in_every_score() -> None:
    frame = INCIDENTS.frame
    quiet = frame["start"] == pd.Timestamp("2019-06-01")
    one = frame[quiet].head(1).assign(geometry=None)  # recorded, and in no place
    held = replace(INCIDENTS, frame=pd.concat([frame[~quiet], one]))
    found = backtest({}, held, CELLS, origins=12, areas=SHARES, seed=1)
    empty = found.by_origin[found.by_origin["origin"] == pd.Timestamp("2019-06-01")].set_index("method")
    assert np.isnan(empty.loc["counts(12)", "information_gain"])
    assert empty.loc["counts(12)", ["log_score_nb", "brier", "crps"]].notna().all()
    assert row(found, "counts(12)")["empty_origins"] == 1
    assert row(found, "counts(12)").loc[["hit_rate_10", "auc_5", "crps"]].notna().all()


def test_the_best_baseline_is_named_and_models_are_set_against_it(tested: Backtest) -> None:
    assert set(tested.baselines) == {"counts(12)", "ewma", "counts(3)"}
    assert tested.best_baseline == "ewma"
    assert set(tested.to_best["reference"]) == {"ewma"}
    words = baseline_sentence(tested)
    assert words.startswith("Best of 3 baselines by log score: fading counts (half-life 12 months)")
    assert "The one model" in words
    assert "95 % interval" in words


def test_tables_and_charts_say_what_they_hold(tested: Backtest) -> None:
    new = Break(pd.Timestamp("2018-06-01"), "Sheds count as homes", "a circular")
    blocks = score_blocks(tested, "ewma", "burglaries", "simulated", breaks=[new])
    named = {block.name: block for block in blocks if isinstance(block, Table | Chart)}
    assert list(named) == ["predict_totals", "predict_deciles", "predict_pit", "predict_distributions",
                           "predict_choices", "predict_coverage"]  # fmt: skip
    assert "June 2018: Sheds count as homes (a circular)." in named["predict_totals"].note
    assert "recording changed, Jun 2018" in str(named["predict_totals"].spec)
    assert "not held" in blocks[-1].text  # type: ignore[union-attr]
