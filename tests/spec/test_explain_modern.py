"""The modern mode as its reader meets it: curves, reach, adjustment, refusals, quick runs, what-if."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.chapters.context import Context
from peelian.chapters.stages import plan
from peelian.errors import DataError, DesignError
from peelian.explain import RTM, rtm, what_if
from peelian.explain.decay import measured
from peelian.explain.inference import Limits
from peelian.explain.model import RiskTerrain
from peelian.explain.run import Parameters, run
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.places import Places
from peelian.project import Project
from peelian.report import Chart, Outcome, Table, Text

CRS = 27700
GRID = Places.grid(gpd.GeoSeries([box(0, 0, 3000, 3000)], crs=CRS), 100)
QUICK = {"reach_limit": 500, "tile": 600, "clusters": 600, "permutations": 0, "quick": True}
OFF = {name: {"on": False} for name in ("hotspots", "concentration", "near_repeat", "aoristic")}


def layer(name: str, points: np.ndarray) -> Layer:
    return Layer(name, gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points.T), crs=CRS))


@cache
def planted() -> tuple[Incidents, Layers]:
    """Burglary three times as dense within 200 m of twelve pubs, 2017 to 2018; twelve libraries idle."""
    rng = np.random.default_rng(9)
    pubs, libraries = rng.uniform(100, 2900, (2, 12, 2))
    draws = rng.uniform(0, 3000, (8000, 2))
    near = np.min(np.hypot(*(draws[:, None] - pubs[None]).transpose(2, 0, 1)), axis=1) <= 200
    draws = draws[rng.random(len(draws)) < np.where(near, 0.9, 0.3)][:1800]
    start = pd.PeriodIndex([f"201{7 + i % 2}-{1 + i % 12:02d}" for i in range(1800)], freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*draws.T), crs=CRS,
    )  # fmt: skip
    return Incidents(frame, precision="month"), Layers.of([layer("library", libraries), layer("pub", pubs)])


@cache
def areas() -> Places:
    """Nine squares of a kilometre, with homes and a score of their own."""
    squares = [box(x, y, x + 1000, y + 1000) for x in (0, 1000, 2000) for y in (0, 1000, 2000)]
    frame = gpd.GeoDataFrame(
        {"households": 400, "score": np.arange(9.0), "ward": list("aaabbbccc")},
        index=pd.Index([f"E{k}" for k in range(9)], name="place"), geometry=squares, crs=CRS,
    )  # fmt: skip
    return Places.of(frame)


@cache
def stage(**more: object) -> Outcome:
    asked = {
        "tile": 600, "clusters": 600, "reach_limit": 500, "replicates": 20, "permutations": 99, "workers": 1,
        "min_features": 5, "adjust": ("score",), "period": "2018-01..2018-12",
    } | OFF | more  # fmt: skip
    cases, layers = planted()
    return run(cases, layers, GRID, Parameters(**asked), seed=1, crime="burglary", areas=areas())


@cache
def quick() -> RiskTerrain:
    return rtm(*planted(), GRID, seed=1, crime="burglary", **QUICK)


def texts(outcome: Outcome) -> str:
    return " ".join(b.text for b in outcome.section.blocks if isinstance(b, Text))


# -------------------------------------------------------------------- findings
def test_the_planted_factor_is_reported_where_it_bears_with_its_reach() -> None:
    found = stage()
    assert [row["factor"] for row in found.summary["reported"]] == ["pub"]
    (term,) = (t for t in found.files["terrain.json"]["terms"] if t["factor"] == "pub")
    assert 2 < term["times"] < 4
    assert 150 <= term["reach"] <= 300
    assert term["reach_low"] <= term["reach"] <= term["reach_high"]
    assert "Its curve, under the penalty, reaches" in texts(found)


def test_the_chapter_shows_curves_bands_other_choices_and_what_was_adjusted_for() -> None:
    found = stage()
    tables = {b.name: b for b in found.section.blocks if isinstance(b, Table)}
    charts = {b.name: b for b in found.section.blocks if isinstance(b, Chart)}
    assert "In the band nearest to pub features the risk is" in charts["curves"].title
    assert {"Metres", "Relative risk", "Low", "High", "Without penalty"} <= set(charts["curves"].frame)
    assert len(tables["model"].frame) == len(found.files["bands.csv"])
    assert "Tile intercepts" in tables["sensitivity"].frame
    assert "Steps twice as wide" in tables["sensitivity"].frame
    assert "Adjusted for, and not reported as factors: score." in texts(found)
    assert "score" not in found.files["factors.csv"]["factor"].tolist()


def test_burglary_is_per_home_where_areas_have_households() -> None:
    assert "Risk is per home" in texts(stage())
    assert "Counting what is at risk changes the ranking" in texts(stage())
    assert "Risk is per cell" in texts(stage(offset="none"))


def test_every_choice_gives_nearly_the_same_for_the_planted_factor() -> None:
    table = stage().files["sensitivity.csv"].set_index("factor")
    row = table.loc["pub"].drop("without the strongest")
    assert row.between(1.7, 4.5).all()
    assert np.isnan(table.loc["pub", "without the strongest"])


def test_the_formula_gives_the_risk_of_a_place() -> None:
    found = quick()
    assert set(found.coefficients) == set(found.bands["band"])
    assert found.relative_risk.max() <= np.exp(sum(found.coefficients.values())) + 1e-9


def test_the_year_before_can_be_adjusted_for_and_the_question_is_then_another() -> None:
    assert "go with change since then" in texts(stage(adjust=("prior_count",)))


def test_tiles_can_be_areas() -> None:
    with pytest.raises(DesignError, match="Only 3 of the areas given have incidents"):
        stage(fold_blocks="ward")


@pytest.mark.parametrize("mode", ["modern", "rtmdx"])
def test_resampled_tiles_can_be_areas(mode: str) -> None:
    more = {"tile": None, "adjust": ()} if mode == "rtmdx" else {}
    said = texts(stage(clusters="ward", mode=mode, **more))
    assert "Only 3 tiles of the areas given: intervals by tile are themselves unsure below 30." in said
    assert "Checks: tiles of the areas given (3)" in said


def test_random_folds_say_that_they_leak() -> None:
    assert "that leaks" in texts(stage(fold_blocks="random"))


def test_a_column_that_the_areas_lack_is_named() -> None:
    with pytest.raises(DataError, match=r"explain\.adjust: the areas have no column income; they have"):
        stage(adjust=("income",))


def test_holm_decides_unless_it_is_left_out() -> None:
    cases, layers = planted()
    terms = rtm(
        cases, layers, GRID, seed=1, replicates=20, limits=Limits(holm=True, shift_p=1e-9),
        **(QUICK | {"quick": False}),
    ).terms  # fmt: skip
    assert "for as many factors as were tried" in terms["reason"].iloc[0]
    assert (terms["shift_p_holm"] >= terms["shift_p"]).all()


# -------------------------------------------------------------------- quick, refused, other uses
def test_a_quick_run_judges_nothing_and_says_that_it_is_not_for_decisions() -> None:
    assert quick().terms["verdict"].unique().tolist() == ["not judged"]
    assert "not for decisions" in quick().warnings[0]
    found = stage(quick=True)
    assert found.summary["quick"] is True
    assert "Quick run, not for decisions" in texts(found)


def test_no_plan_is_made_from_a_quick_terrain(tmp_path: Path) -> None:
    (tmp_path / "peelian.toml").write_text(
        '[project]\nname = "x"\ncrime = ["Burglary"]\n[places]\nfile = "a.gpkg"\nid = "id"\n'
        '[[incidents]]\nfile = "b.csv"\n'
    )
    for name, file, text in (
        ("predict", "risk.csv", "place,risk\nE1,1\n"),
        ("explain", "terrain.json", json.dumps({"quick": True})),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text)
    found = plan(Context(Project.load(tmp_path)))
    assert "quick = true, which is not for decisions" in found.not_held


def test_keys_of_the_other_mode_are_refused() -> None:
    with pytest.raises(DesignError, match='tile: only mode = "modern" knows this'):
        rtm(*planted(), GRID, seed=1, mode="rtmdx", tile=600)
    with pytest.raises(DesignError, match="takes one l1_ratio"):
        rtm(*planted(), GRID, seed=1, l1_ratio=(0.8, 0.95))


def test_an_adjustment_with_gaps_or_without_differences_is_refused() -> None:
    gaps = pd.DataFrame({"score": np.where(np.arange(len(GRID)) < 2, np.nan, 1.0)}, GRID.index)
    with pytest.raises(DataError, match="adjust: score is missing for some places"):
        rtm(*planted(), GRID, seed=1, adjust=gaps, **QUICK)
    with pytest.raises(DataError, match="adjust: score is the same everywhere"):
        rtm(*planted(), GRID, seed=1, adjust=pd.DataFrame({"score": 1.0}, GRID.index), **QUICK)


def test_points_moved_to_streets_have_no_band_under_100_m() -> None:
    found = measured(
        planted()[1], GRID, cell=100, reach=500, operations="proximity", snapped=True,
        fitted=np.ones(len(GRID), bool), min_cells=10, period=None,
    )  # fmt: skip
    assert [m.cuts.min() for m in found.measures] == [100, 100]


def test_bands_that_say_the_same_are_dropped_with_their_reason() -> None:
    dropped = quick().dropped
    assert {"fewer than 10 cells have it", "the same cells as the next narrower"} >= set(dropped["reason"])


def test_what_if_closes_pubs_under_the_same_model() -> None:
    found = quick()
    pubs = planted()[1]["pub"].features
    same = what_if(found, GRID, layer("pub", np.column_stack([pubs.geometry.x, pubs.geometry.y])))
    fewer = what_if(found, GRID, layer("pub", np.column_stack([pubs.geometry.x, pubs.geometry.y])[1:]))
    assert len(same.changed) == 0
    assert (fewer.frame["change"] <= 1 + 1e-9).all()
    assert len(fewer.changed) > 10


def test_it_predicts_like_any_predictor() -> None:
    cases, layers = planted()
    risk = RTM(layers, tile=600, reach_limit=500)(cases, GRID, pd.Period("2019-01", "M"))
    assert risk.index.equals(GRID.index)
    assert risk.sum() == pytest.approx(len(cases) / 24, rel=0.02)
