"""The rest of the terrain's chapter: every check in one row, later incidents, the Utility's headings, pictures."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from peelian.errors import DesignError
from peelian.explain import rtm
from peelian.explain.clustering import block_length, clark_evans
from peelian.explain.earlier import earlier_runs
from peelian.explain.leftover import rootogram
from peelian.explain.likelihood import cells_of, fit, mean_of
from peelian.explain.picture import on_grid, png, world
from peelian.explain.run import Parameters, run
from peelian.explain.tried import Trial, blended, capture_table, sizes_of, top_of, trial_of, unusual
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.outputs import write_content
from peelian.places import Places
from peelian.report import Chart, Outcome, Table, Text

CRS = 27700
GRID = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=CRS), 100)
OFF = {name: {"on": False} for name in ("hotspots", "concentration", "near_repeat", "aoristic")}


def points(xy: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=CRS)


@cache
def planted() -> tuple[Incidents, Layers]:
    """Burglary three times as dense within 200 m of eight pubs, over 2017 to 2019."""
    rng = np.random.default_rng(5)
    pubs, libraries = rng.uniform(100, 1900, (2, 8, 2))
    draws = rng.uniform(0, 2000, (6000, 2))
    near = np.min(np.hypot(*(draws[:, None] - pubs[None]).transpose(2, 0, 1)), axis=1) <= 200
    draws = draws[rng.random(len(draws)) < np.where(near, 0.9, 0.3)][:1500]
    months = [f"201{7 + i % 3}-{1 + i // 3 % 12:02d}" for i in range(len(draws))]
    start = pd.PeriodIndex(months, freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*draws.T), crs=CRS,
    )  # fmt: skip
    layers = [Layer("library", points(libraries)), Layer("pub", points(pubs))]
    streets = gpd.GeoDataFrame(geometry=[LineString([(0, 1000), (2000, 1000)])], crs=CRS)
    return Incidents(frame, precision="month", published=True), Layers.of([*layers, Layer("street", streets)])


def stage(period: str | None, mode: str = "rtmdx") -> Outcome:
    return _stage(period, mode)


@cache
def _stage(period: str | None, mode: str) -> Outcome:
    asked = {
        "mode": mode, "period": period, "min_features": 5, "replicates": 20, "permutations": 99, "workers": 1,
        "streets": "street", "tile": 400 if mode == "modern" else None, "clusters": 400, "reach_limit": 400,
    }  # fmt: skip
    homes = gpd.GeoDataFrame({"households": [800]}, index=["a"], geometry=[box(0, 0, 2000, 2000)], crs=CRS)
    return run(
        *planted(), GRID, Parameters(**asked, **OFF), seed=1, crime="burglary", areas=Places.of(homes)
    )  # type: ignore[arg-type]  # fmt: skip


def table(outcome: Outcome, name: str) -> pd.DataFrame:
    found = [b for b in outcome.section.blocks if isinstance(b, Table | Chart) and b.name == name]
    assert len(found) == 1
    assert found[0].frame is not None
    return found[0].frame


# -------------------------------------------------------------------- every check
@pytest.mark.parametrize("mode", ["rtmdx", "modern"])
def test_a_row_of_a_factor_shows_every_check(mode: str) -> None:
    found = stage("2017-01..2018-12", mode)
    row = table(found, "checks").set_index("Factor").loc["pub"]
    assert not row.isin(["", "not run", "not chosen"]).any()
    term = found.files["terms.csv"].set_index("factor").loc["pub"]
    assert row["By tile"].endswith(f"({term['robust_low']:.2f} to {term['robust_high']:.2f})")
    assert row["Shift p"] == " / ".join(
        f"{term[n]:.3f}" for n in ("shift_p_alone", "shift_p", "shift_p_holm")
    )
    assert 1 >= term["frequency"] >= term["frequency_operation"] >= term["frequency_distance"] >= 0
    assert ("Reach, m" in row.index) == (mode == "modern")


def test_counts_by_cell_are_as_many_as_there_are_cells() -> None:
    rng = np.random.default_rng(2)
    counts, design = rng.poisson(1.5, 5000).astype(float), np.ones((5000, 1))
    model = fit(cells_of(design, counts), "poisson")
    rows = rootogram(counts, model, mean_of(model, design))
    assert sum(observed for _, observed, _ in rows) == 5000
    assert sum(expected for _, _, expected in rows) == pytest.approx(5000)
    # of 5,000 Poisson counts with mean 1.5 22.3 % are none
    assert rows[0][1:] == pytest.approx((0.223 * 5000,) * 2, rel=0.05)


def test_what_is_left_over_is_charted() -> None:
    found = stage("2017-01..2018-12")
    correlogram = table(found, "correlogram")
    assert correlogram["Metres"].iloc[0] == 100
    assert correlogram["Metres"].max() <= 3000
    assert table(found, "rootogram")["Observed"].sum() == len(GRID)


# -------------------------------------------------------------------- later incidents
def test_the_terrain_is_tried_on_incidents_after_its_period() -> None:
    found = stage("2017-01..2018-12")
    held = found.files["captures.csv"]
    assert list(held["of"].unique()) == ["area", "street length", "dwellings"]
    assert list(held["share"].unique()) == [0.01, 0.02, 0.05, 0.1, 0.2]
    assert found.summary["captures"]["tried"] == "2019-01 to 2019-12"
    five = held[(held["of"] == "area") & (held["share"] == 0.05)].iloc[0]
    assert five["pai"] == pytest.approx(five["terrain"] / 0.05)
    assert five["terrain"] > 2 * five["random"]


def test_without_later_incidents_the_second_half_is_taken() -> None:
    found = stage(None)
    assert found.summary["captures"]["fitted"] == "2017-01 to 2018-06"
    assert found.summary["captures"]["tried"] == "2018-07 to 2019-12"


@pytest.mark.parametrize("mode", ["rtmdx", "modern"])
def test_counts_without_dates_are_tried_on_tiles_left_out(mode: str) -> None:
    cases, layers = planted()
    found = rtm(
        cases.counts(GRID), Layers.of([layers["pub"]]), GRID, seed=1, mode=mode, replicates=0, shift=False,
        permutations=0, sensitivity=False, clusters=400, tile=400 if mode == "modern" else None,
        reach_limit=400,
    )  # type: ignore[arg-type]  # fmt: skip
    held = trial_of(found, None, GRID)
    assert held is not None
    assert not held.in_time
    assert held.tried == "the other half, split at random, in tiles left out in turn"
    assert held.history.sum() + held.later.sum() == found.counts.sum()
    assert top_of(held)["terrain"] > 0.06
    # fitted elsewhere, so it is not the terrain of the whole
    assert held.terrain.corr(found.expected) < 0.999999


def trial(later: list[float]) -> Trial:
    terrain = pd.Series([4.0, 2.0, 1.0, 1.0], list("abcd"))
    history = pd.Series([0.0, 4.0, 0.0, 0.0], list("abcd"))
    return Trial(terrain, terrain, history, terrain, pd.Series(later, list("abcd")), "then", "now", "before")


def test_captures_by_hand() -> None:
    sizes = {
        "area": pd.Series(1.0, list("abcd")),
        "dwellings": pd.Series([0.0, 10.0, 5.0, 5.0], list("abcd")),
    }
    held = capture_table(trial([5, 3, 1, 1]), sizes, [0.25, 0.5]).set_index(["of", "share"])
    assert held.loc[("area", 0.25), ["terrain", "history"]].tolist() == [0.5, 0.3]
    # predicted 5 of 10, found 5: as many as any one place could hold
    assert held.loc[("area", 0.25), ["pai", "pei", "rri"]].tolist() == [2.0, 1.0, 1.0]
    # nobody lives in a: of the 5 elsewhere all places have the same risk by dwelling
    assert held.loc[("dwellings", 0.5), "terrain"] == pytest.approx(0.5)


def test_shares_far_from_published_ones_are_said() -> None:
    assert unusual(trial([5, 3, 1, 1])) == ""
    said = unusual(trial([1, 50, 40, 9]))
    assert said.startswith("Places of high risk hold 1.0 % of the later incidents. In 25 published studies")


def test_a_blend_lies_between_terrain_and_history() -> None:
    prior, counts = pd.Series([1.0, 1.0, 1.0, 1.0]), pd.Series([0, 0, 8, 0])
    held = blended(prior, counts)
    assert 2 < held[2] <= 8
    assert (held[[0, 1, 3]] < 2).all()


def test_places_of_high_risk_and_what_they_make_up() -> None:
    found = stage("2017-01..2018-12")
    held = table(found, "high_risk").set_index("Places")
    classes = held.iloc[:4]
    assert classes["Cells"].sum() == len(GRID)
    for column in ("Share of area", "Share of dwellings", "Share of incidents", "Share of later incidents"):
        assert classes[column].sum() == pytest.approx(1)
    assert held.loc["5 % at random", "Share of later incidents"] == 0.05
    assert held.loc["Top 5 % by the terrain", "Share of area"] == pytest.approx(0.05)


def test_street_length_of_cells() -> None:
    length = sizes_of(GRID, planted()[1]["street"].features.geometry)["street length"]
    # the line runs along the edge of two rows of cells, and touches both
    assert length.max() == pytest.approx(100)
    assert set(sizes_of(GRID)) == {"area"}


# -------------------------------------------------------------------- beside the Utility's report
@pytest.mark.parametrize("mode", ["rtmdx", "modern"])
def test_the_headings_of_the_utility(mode: str) -> None:
    found = stage("2017-01..2018-12", mode)
    names = [b.name for b in found.section.blocks if not isinstance(b, Text)]
    order = ["input_details", "analysis_parameters", "variables", "best_model", "print_out", "criteria"]
    assert [name for name in names if name in order] == order
    said = " ".join(b.text for b in found.section.blocks if isinstance(b, Text))
    assert "Risk scores run from 1.00 to" in said
    assert found.files["formula.txt"].startswith("Exp(")
    printed = found.files["print_out.csv"]
    assert set(printed["family"]) == {"poisson", "nb1"}
    held = printed[(printed["variable"] != "Intercept") & printed["t"].notna()]
    assert held["t"].to_numpy() == pytest.approx((held["coefficient"] / held["standard_error"]).to_numpy())


def test_information_over_tiles_is_printed_beside_that_over_cells() -> None:
    found = table(stage("2017-01..2018-12"), "criteria")
    by_hand = -2 * found["Log-likelihood"] + found["Parameters"] * np.log(25)  # tiles of 400 m
    assert found["BIC over tiles"].tolist() == pytest.approx(by_hand.tolist())
    assert (found["BIC"] > found["BIC over tiles"]).all()


# -------------------------------------------------------------------- pictures and files
def test_a_picture_holds_each_cell_in_its_class() -> None:
    grid = np.array([[np.nan, 0.2], [1.0, 9.0]])
    data = png(grid, (0.5, 1.0, 2.0), times=2)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high = struct.unpack(">II", data[16:24])
    assert (wide, high) == (4, 4)
    body = data[data.index(b"IDAT") + 4 :]
    rows = np.frombuffer(zlib.decompress(body), np.uint8).reshape(4, 5)[:, 1:]
    # a value at a break belongs to the class below it, as in the map
    assert rows[::2, ::2].tolist() == [[0, 1], [2, 4]]


def test_a_grid_lies_north_up() -> None:
    values = pd.Series(np.arange(len(GRID)), GRID.index)
    grid = on_grid(GRID, values)
    assert grid[-1, 0] == values["x00y00"]
    assert grid[0, 0] == values["x00y19"]
    assert world(0, 2000, 10).split()[-2:] == ["5", "1995"]


def test_geotiffs_hold_the_score_and_the_prediction(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio", reason="GeoTIFF needs the extra gis")
    found = stage("2017-01..2018-12")
    cells = found.files["cells.parquet"]
    for name, column in (("output_score", "relative_risk"), ("output_prediction", "expected")):
        write_content(tmp_path / f"{name}.tif", found.files[f"{name}.tif"])
        with rasterio.open(tmp_path / f"{name}.tif") as store:
            assert store.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            middle = cells.geometry.centroid
            read = [v[0] for v in store.sample(zip(middle.x, middle.y, strict=True))]
        assert read == pytest.approx(cells[column].tolist(), rel=1e-6)


# -------------------------------------------------------------------- earlier runs
def test_earlier_runs_are_listed_once_and_the_present_one_is_not() -> None:
    one, two, three = ({"fitted": str(year)} for year in (2016, 2017, 2018))
    assert earlier_runs(None, one) == []
    assert earlier_runs({"run": one, "earlier_runs": []}, two) == [one]
    assert earlier_runs({"run": two, "earlier_runs": [one]}, two) == [one]
    assert earlier_runs({"run": two, "earlier_runs": [one, two]}, three) == [two, one]


def test_an_earlier_run_stands_in_the_seventh_answer() -> None:
    first = stage("2017-01..2018-12").files["terrain.json"]
    asked = Parameters(
        mode="rtmdx", min_features=5, replicates=20, permutations=99, quick=True, streets="street", **OFF
    )  # type: ignore[arg-type]  # fmt: skip
    again = run(*planted(), GRID, asked, seed=1, crime="burglary", before=first)
    row = table(again, "earlier_runs").iloc[0]
    assert row["Fitted on"] == "2017-01 to 2018-12"
    assert row["Terrain"] == pytest.approx(first["run"]["terrain"])
    answer = table(again, "seven_questions").set_index("Question").loc["How is it reviewed and evaluated?"]
    assert "1 earlier run is in the table of runs." in answer["Answer"]


# -------------------------------------------------------------------- clustering, blocks
def test_points_drawn_together_and_apart() -> None:
    rng = np.random.default_rng(1)
    even = clark_evans(rng.uniform(0, 1000, (2000, 2)), 1e6)
    assert even.ratio == pytest.approx(1, abs=0.05)
    together = clark_evans(rng.uniform(0, 1000, (40, 2)).repeat(5, axis=0) + rng.normal(0, 2, (200, 2)), 1e6)
    assert together.ratio < 0.3
    assert together.suggests == "both"
    assert even.suggests == "proximity"


def test_the_block_can_come_from_the_streets() -> None:
    asked = Parameters(mode="rtmdx", quick=True, min_features=5, block_from="streets", permutations=99, **OFF)  # type: ignore[arg-type]
    with pytest.raises(DesignError, match='block_from = "streets" needs streets'):
        run(*planted(), GRID, asked, seed=1)
    found = run(*planted(), GRID, replace(asked, streets="street"), seed=1)
    # one street of 2 km without a junction
    assert table(found, "input_details").set_index("Input").loc["Block", "Value"] == "2000 m"


def test_a_block_runs_from_junction_to_junction() -> None:
    lines = [
        [(0, 0), (100, 0)], [(0, 0), (0, 60)], [(0, 60), (0, 200)], [(0, 0), (-60, 0)],
    ]  # fmt: skip
    streets = gpd.GeoSeries([LineString(line) for line in lines], crs=CRS)
    # three streets meet at the origin: 100, 60 + 140 and 60 m
    assert block_length(streets) == pytest.approx(360 / 3)
