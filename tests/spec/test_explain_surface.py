"""The terrain seen again: how sure, which combinations, which neighbourhoods, what if; and the parts beside it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.explain import anroc, configurations, rtm, what_if
from peelian.explain.model import RiskTerrain
from peelian.explain.questions import ASKED, Answers, blocks, complete
from peelian.explain.run import Parameters, run
from peelian.explain.surface import contrasts, sureness, uncertainty
from peelian.explain.surface_report import configuration_sentence, sure_sentence
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.places import Places
from peelian.report import Outcome, Text

CRS = 27700
GRID = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=CRS), 100)
PUBS = np.random.default_rng(5).uniform(100, 1900, (8, 2))


def layer(points: np.ndarray) -> Layer:
    return Layer("pub", gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points.T), crs=CRS), source="by hand")


def incidents(dated: bool) -> Incidents:
    rng = np.random.default_rng(6)
    draws = rng.uniform(0, 2000, (3600, 2))
    near = np.min(np.hypot(*(draws[:, None] - PUBS[None]).transpose(2, 0, 1)), axis=1) <= 200
    draws = draws[rng.random(len(draws)) < np.where(near, 0.9, 0.3)][:900]
    start = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 365 * 24, 900), unit="h")
    end = start + pd.Timedelta(3, "h")
    if not dated:
        start = start.to_period("M").to_timestamp()
        end = start + pd.offsets.MonthBegin(1)
    frame = gpd.GeoDataFrame(
        {"start": start, "end": end, "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*draws.T), crs=CRS,
    )  # fmt: skip
    return Incidents(frame, precision="minute" if dated else "month")


@cache
def terrain() -> RiskTerrain:
    layers = Layers.of([layer(PUBS)])
    return rtm(
        incidents(False), layers, GRID, seed=1, replicates=20, permutations=0, crime="burglary", mode="rtmdx"
    )


@cache
def stage(dated: bool) -> Outcome:
    parameters = Parameters(
        min_features=8,
        replicates=20,
        permutations=99,
        workers=1,
        near_repeat={"permutations": 99},  # type: ignore[arg-type]
        mode="rtmdx",
    )
    halves = gpd.GeoDataFrame(
        index=["west", "east"], geometry=[box(0, 0, 1000, 2000), box(1000, 0, 2000, 2000)], crs=CRS
    )
    return run(
        incidents(dated), Layers.of([layer(PUBS)]), GRID, parameters, seed=1, crime="burglary",
        areas=Places.of(halves),
    )  # fmt: skip


# -------------------------------------------------------------------- how sure
def test_a_place_is_in_the_top_as_often_as_resamples_put_it_there() -> None:
    columns = np.array([[1, 0], [0, 1], [0, 0], [0, 0]])
    draws = [((0,), np.array([0.0, 1.0]))] * 3 + [((1,), np.array([0.0, 1.0]))]
    found = uncertainty(columns, draws, None, share=0.25)
    assert found["p_top"].tolist() == [0.75, 0.25, 0.0, 0.0]
    assert found["median"][0] == pytest.approx(np.e / ((np.e + 3) / 4), rel=1e-6)


def test_the_top_share_adds_up_to_the_share() -> None:
    assert terrain().uncertainty["p_top"].mean() == pytest.approx(0.05, abs=1e-9)


def test_words_for_how_sure() -> None:
    assert sureness(pd.Series([0.8, 0.5, 0.49])).tolist() == ["sure", "likely", "unsure"]


def test_the_sentence_on_how_sure() -> None:
    p = pd.Series(np.where(np.arange(400) < 12, 0.9, np.where(np.arange(400) < 15, 0.6, 0.0)), GRID.index)
    found = replace(terrain(), uncertainty=pd.DataFrame({"p_top": p}))
    assert sure_sentence(found) == (
        "Of the 20 places that make up the riskiest 5 %, 12 are sure (in the top in at least 80 % of the resamples "
        "of tiles) and 3 likely (50 to 80 %); for the rest others could stand as well."
    )


# -------------------------------------------------------------------- combinations
def two() -> RiskTerrain:
    """A terrain with two influences over 400 places, and counts that depend on both."""
    a, b = (np.arange(400) % 2).astype(np.int8), (np.arange(400) // 200).astype(np.int8)
    counts = pd.Series(1 + 2 * a + 3 * b, GRID.index)
    influences = pd.DataFrame({"a": a, "b": b}, index=GRID.index)
    words = {"a": "near a", "b": "near b"}
    return replace(terrain(), influences=influences, counts=counts, words=words)


def test_configurations_of_two_influences() -> None:
    table = configurations(two())
    assert table[["a", "b"]].to_numpy().tolist() == [
        [True, True],
        [False, True],
        [True, False],
        [False, False],
    ]
    assert table["rate"].tolist() == [6, 4, 3, 1]
    assert table["places"].tolist() == [100] * 4
    assert configuration_sentence(two(), table) == (
        "4 combinations of the 2 influences occur, 4 of them often; these hold 100.0 % of the incidents."
    )


def test_contrasts_compare_combinations_alike_but_for_one() -> None:
    found = contrasts(configurations(two()), ["a", "b"]).set_index("variable")
    assert found.loc["a", ["pairs", "lowest", "highest"]].tolist() == [2, 2, 2]
    assert found.loc["b", ["pairs", "lowest", "highest"]].tolist() == [2, 3, 3]


def test_no_influence_no_combination() -> None:
    with pytest.raises(DesignError, match="The search chose no influence"):
        configurations(replace(terrain(), influences=pd.DataFrame(index=GRID.index)))


# -------------------------------------------------------------------- neighbourhoods
def test_neighbourhood_risk_is_the_mean_weighted_by_ground() -> None:
    score = pd.Series(1.0, GRID.index).where(GRID.points.x < 1000, 3.0)
    areas = Places.of(
        gpd.GeoDataFrame(
            index=["mixed", "east"], geometry=[box(500, 0, 1250, 2000), box(1500, 0, 3500, 2000)], crs=CRS
        )
    )
    found = anroc(replace(terrain(), relative_risk=score), GRID, areas)
    assert found["risk"].to_dict() == pytest.approx({"east": 3.0, "mixed": (2 * 1 + 1 * 3) / 3})
    assert found["share_covered"].to_dict() == pytest.approx({"east": 0.25, "mixed": 1.0})


def test_neighbourhood_risk_by_dwelling_and_of_larger_areas() -> None:
    score = pd.Series(1.0, GRID.index).where(GRID.points.x < 1000, 3.0)
    squares = [box(500, 0, 1000, 2000), box(1000, 0, 1500, 2000), box(1500, 0, 2000, 2000)]
    areas = Places.of(
        gpd.GeoDataFrame({"households": [300, 100, 40]}, index=["a", "b", "c"], geometry=squares, crs=CRS)
    )
    ward = pd.Series({"a": "north", "b": "north", "c": "south"})
    found = anroc(replace(terrain(), relative_risk=score), GRID, areas, ward)
    assert found["risk"].to_dict() == pytest.approx({"south": 3.0, "north": 2.0})
    # of 400 homes 300 lie where the score is 1
    assert found["risk_by_dwelling"].to_dict() == pytest.approx({"south": 3.0, "north": 1.5})
    assert found["dwellings"].to_dict() == pytest.approx({"south": 40, "north": 400})
    assert found["top_dwellings"].between(0, 1).all()


# -------------------------------------------------------------------- what if
def test_the_same_features_change_nothing() -> None:
    found = what_if(terrain(), GRID, layer(PUBS), before=8)
    assert len(found.changed) == 0
    assert found.frame["before"].to_numpy() == pytest.approx(terrain().times_average.to_numpy(), rel=1e-9)


def test_removing_a_pub_lowers_the_score_round_it_alone() -> None:
    found = what_if(terrain(), GRID, layer(PUBS[1:]), before=8)
    away = np.hypot(GRID.points.x - PUBS[0, 0], GRID.points.y - PUBS[0, 1])
    assert len(found.changed) > 0
    assert away[found.changed].max() <= 600
    assert (found.frame.loc[found.changed, "change"] < 1).all()
    assert str(found) == (
        "Association, not a forecast of what removal or addition would do. With 7 in the place of 8 features of pub, "
        f"the risk score for burglary is higher in 0 and lower in {len(found.changed)} places."
    )


def test_the_interval_of_a_change_comes_from_the_resamples() -> None:
    frame = what_if(terrain(), GRID, layer(PUBS[1:]), before=8).frame
    assert (frame["low"] <= frame["high"]).all()
    assert frame["high"].max() <= 1


def test_a_layer_that_the_terrain_does_not_know() -> None:
    other = replace(layer(PUBS), name="zoo")
    with pytest.raises(DataError, match="knows no layer zoo; it was fitted with pub"):
        what_if(terrain(), GRID, other)


# -------------------------------------------------------------------- seven questions
def test_unanswered_questions_leave_the_account_incomplete() -> None:
    answers = Answers(purpose="To plan visits.")
    said = blocks(terrain(), GRID, Layers.of([layer(PUBS)]), {}, answers, None, [])
    answer = said[0].frame.set_index("Question")["Answer"]  # type: ignore[union-attr]
    assert list(answer.index) == list(ASKED)
    assert answer["What is it for?"] == "To plan visits."
    assert answer["Which decisions are made with it?"] == "Not answered yet."
    assert answer["What does it target?"] == (
        "Places, not persons. Burglary in January 2018 to December 2018, over 400 cells of 100 m."
    )
    assert isinstance(said[1], Text)
    assert said[1].text.startswith("This account is not complete: 3 of seven questions wait for an answer")


def test_all_answers_complete_the_account() -> None:
    answers = Answers("a", "b", "c", "d")
    assert complete(answers)
    assert len(blocks(terrain(), GRID, Layers.of([layer(PUBS)]), {}, answers, None, [])) == 1


def test_the_report_cannot_be_marked_complete_while_an_answer_is_blank() -> None:
    with pytest.raises(ValueError, match="cannot be marked complete: assessments, reviews is blank"):
        Answers("a", "b", complete=True)
    assert Answers("a", "b", "c", "d", complete=True).complete


# -------------------------------------------------------------------- beside the terrain
def names(outcome: Outcome) -> set[str]:
    return {getattr(block, "name", "") for block in outcome.section.blocks}


def texts(outcome: Outcome) -> str:
    return " ".join(block.text for block in outcome.section.blocks if isinstance(block, Text))


def test_dated_records_get_every_part() -> None:
    found = stage(True)
    assert names(found) >= {
        "near_repeats", "times", "hot_spots", "concentration", "configurations", "neighbourhoods", "seven_questions",
    }  # fmt: skip
    assert set(found.files) >= {"near_repeats.csv", "times.csv", "concentration.csv", "configurations.csv"}
    assert {"gi", "hot_spot", "p_top_5_percent", "sureness"} <= set(found.files["cells.parquet"].columns)


def test_month_only_records_say_why_parts_are_missing() -> None:
    found = stage(False)
    assert not {"near_repeats", "times"} & names(found)
    assert "Near repeats are not shown. These records carry a month, not a date." in texts(found)
    assert "Times are not shown. These records carry a month, not a date." in texts(found)


def test_findings_come_first() -> None:
    kinds = [isinstance(b, Text) and b.kind == "finding" for b in stage(True).section.blocks]
    assert kinds == sorted(kinds, reverse=True)


def test_parts_can_be_switched_off() -> None:
    off: dict[str, Any] = {
        name: {"on": False} for name in ("hotspots", "concentration", "near_repeat", "aoristic")
    }
    parameters = Parameters(min_features=8, replicates=20, permutations=99, workers=1, **off, mode="rtmdx")
    found = run(incidents(False), Layers.of([layer(PUBS)]), GRID, parameters, seed=1)
    assert not {"hot_spots", "concentration", "near_repeats", "times"} & names(found)
    assert "are not shown" not in texts(found)
