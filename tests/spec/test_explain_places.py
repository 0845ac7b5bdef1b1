"""Explain where places are no grid cells: areas, hexagons and street segments, by project file and from Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from peelian.errors import DataError, DesignError
from peelian.explain import RTM, rtm, what_if
from peelian.explain.extent import Extent, measured_at
from peelian.explain.ground import spread_households
from peelian.explain.measure import points_of, study_area
from peelian.explain.modern import Options, bearings, choose, pose
from peelian.explain.monotone import Nested
from peelian.explain.problem import observe
from peelian.explain.run import Parameters, run
from peelian.explain.shares import Shares
from peelian.explain.shifted import Scattered, Window, ground_of
from peelian.explain.surface import anroc, configurations
from peelian.explain.terrain import captured, in_top, priority_places, top_share
from peelian.explain.units import onto_grid, segments, units_of
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.places import Places
from peelian.report import Chart

CRS = 27700
SIDE = 2100
RNG = np.random.default_rng(11)
PUBS, LIBRARIES = (RNG.uniform(100, SIDE - 100, (9, 2)) for _ in range(2))


def layer(name: str, shapes: object) -> Layer:
    return Layer(name, gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=CRS)))


def lines() -> list[LineString]:
    """A town of blocks of 150 m, each street drawn as one line across it."""
    at = range(0, SIDE + 1, 150)
    return [LineString([(x, y) for y in at]) for x in at] + [LineString([(x, y) for x in at]) for y in at]


LAYERS = Layers.of(
    [
        layer("library", gpd.points_from_xy(*LIBRARIES.T)),
        layer("pub", gpd.points_from_xy(*PUBS.T)),
        layer("street", lines()),
    ]
)
FEATURES = Layers({name: LAYERS[name] for name in ("library", "pub")})
GRID = Places.grid(gpd.GeoSeries([box(0, 0, SIDE, SIDE)], crs=CRS), 150)


def areas(widths: tuple[int, ...] = (250, 350, 400)) -> Places:
    """Areas of several sizes in rows, with homes at 30 a hectare."""
    shapes, y, k = [], 0, 0
    while y < SIDE:
        x, tall = 0, min(widths[k % len(widths)], SIDE - y)
        while x < SIDE:
            wide = min(widths[k % len(widths)], SIDE - x)
            shapes.append(box(x, y, x + wide, y + tall))
            x, k = x + wide, k + 1
        y += tall
    frame = gpd.GeoDataFrame(
        {"ward": [f"w{int(s.centroid.x // 701)}" for s in shapes], "households": [round(s.area * 0.003) for s in shapes]},
        index=[f"a{k:03d}" for k in range(len(shapes))], geometry=shapes, crs=CRS,
    )  # fmt: skip
    return Places.of(frame)


AREAS = areas()


@cache
def cases(times: float = 3.0, events: int = 2000) -> Incidents:
    """Crime anywhere in town, so many times as frequent within 200 m of a pub, over two years."""
    rng = np.random.default_rng(5)
    draws = rng.uniform(0, SIDE, (events * 4, 2))
    near = np.min(np.hypot(*(draws[:, None] - PUBS[None]).transpose(2, 0, 1)), axis=1) <= 200
    draws = draws[rng.random(len(draws)) < np.where(near, 0.9, 0.9 / times)][:events]
    months = [f"{2017 + i % 24 // 12}-{1 + i % 12:02d}" for i in range(len(draws))]
    start = pd.PeriodIndex(months, freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*draws.T), crs=CRS,
    )  # fmt: skip
    return Incidents(frame, precision="month")


ASKED = {
    "replicates": 20, "permutations": 99, "min_features": 1, "workers": 1, "streets": "street", "clusters": 500,
    "neighbourhoods": "ward", "near_repeat": {"on": False}, "aoristic": {"on": False},
    "hotspots": {"bandwidth": [300], "eps": 150, "least": 10},
}  # fmt: skip


@cache
def made(places: str, mode: str):  # type: ignore[no-untyped-def]
    keys = {"tile": 500, "reach_limit": 600, "holm": False} if mode == "modern" else {}
    asked = Parameters(**{**ASKED, **keys, "places": places, "mode": mode})  # type: ignore[arg-type]
    units = units_of(asked, GRID, AREAS, LAYERS)
    return units, run(cases(), LAYERS, units, asked, seed=1, areas=AREAS, grid=GRID, crime="burglary")


# -------------------------------------------------------------------- the whole chapter
KINDS = pytest.mark.parametrize("places", ["areas", "hexagons", "streets"])
EACH = pytest.mark.parametrize(
    ("places", "mode"),
    [("areas", "modern"), ("hexagons", "modern"), ("streets", "modern"), ("areas", "rtmdx")],
)
MODES = pytest.mark.parametrize("mode", ["modern", "rtmdx"])


@EACH
def test_the_planted_factor_is_found_and_the_idle_one_is_not_reported(places: str, mode: str) -> None:
    factors = made(places, mode)[1].files["factors.csv"].set_index("factor")
    assert factors.at["pub", "chosen"] != ""
    assert factors.at["pub", "shift_p"] <= 0.05
    assert factors.at["library", "verdict"] != "report"


@EACH
def test_everything_is_written_by_place_and_the_risk_by_cell_too(places: str, mode: str) -> None:
    units, outcome = made(places, mode)
    frame, cells = outcome.files["places.parquet"], outcome.files["cells.parquet"]
    assert list(frame.index) == list(units.index)
    assert {"times_average", "class", "p_top_5_percent", "hot_spot", "edge"} <= set(frame)
    assert list(cells.index) == list(GRID.index)
    assert cells["risk"].sum() == pytest.approx(frame["risk"].sum(), rel=0.05)  # hexagons overlap the edge
    assert set(outcome.files["terrain.gpkg"].layers) >= {"terrain", "priority_places", "hot_spots"}
    assert len(outcome.files["priority_places.csv"])
    assert len(outcome.files["configurations.csv"])
    assert set(outcome.files["neighbourhoods.csv"]["neighbourhood"]) == {"w0", "w1", "w2"}
    assert outcome.files["terrain.json"]["places"] == Extent.of(units).many


@KINDS
def test_the_chapter_calls_places_by_their_name(places: str) -> None:
    text = str(made(places, "modern")[1].section)
    named = {"areas": "areas of highest terrain risk, with 5 % of the homes,",
             "hexagons": "5 % of hexagons with the highest terrain risk",
             "streets": "street segments of highest terrain risk, with 5 % of the homes,"}[places]  # fmt: skip
    assert f"The {named} hold" in text
    assert "need a regular grid and are not made of them" in text
    assert " cells with" not in text
    kind = {"areas": "area", "hexagons": "area", "streets": "street"}[places]
    assert made(places, "modern")[0].kind == kind


@KINDS
def test_maps_draw_every_place(places: str) -> None:
    units, outcome = made(places, "modern")
    charts = {block.name: block.spec for block in outcome.section.blocks if isinstance(block, Chart)}
    for name in ("terrain_map", "hot_spots_map"):
        assert len(charts[name]["data"]["values"]) == len(units)
    mark = charts["terrain_map"]["layer"][0]["mark"]
    assert mark.get("filled", True) == (places != "streets")
    if places == "streets":  # pale blue on white is no line
        colours = charts["terrain_map"]["layer"][0]["encoding"]["stroke"]["scale"]["range"]
        assert "#eff3ff" not in colours


@KINDS
def test_concentration_is_told_once_of_each_kind_of_place(places: str) -> None:
    files = made(places, "modern")[1].files
    told = {name.removeprefix("eighty_twenty_") for name in files if name.startswith("eighty_twenty_")}
    assert told == {f"{name}.csv" for name in {places, "areas", "streets"}}
    if places == "streets":
        assert len(files["eighty_twenty_areas.csv"]) > 0.9 * len(AREAS)


def test_what_needs_a_grid_is_left_out_with_a_sentence_and_the_rest_is_there() -> None:
    outcome = made("hexagons", "modern")[1]
    assert "The density is not shown. Kernel density needs a regular grid" in str(outcome.section)
    assert "terrain.png" not in outcome.files
    assert len(outcome.files["clusters.csv"])
    assert len(outcome.files["captures.csv"])


def test_areas_are_measured_over_their_ground_and_the_chapter_says_what_that_means() -> None:
    text = str(made("areas", "modern")[1].section)
    assert "A place is near a feature by the share of its ground" in text
    assert "as far as the shares of each whole area tell" in text
    assert "by the share of its ground" not in str(made("hexagons", "modern")[1].section)


def test_the_share_of_ground_gives_the_planted_number_of_times() -> None:
    """Three times within 200 m: shares of areas of 250 to 400 m give it back within what chance allows."""
    terrain = rtm(
        cases(), FEATURES, AREAS, seed=1, mode="rtmdx", block=400, blocks=1, operations="proximity", at="area",
        replicates=0, shift=False, refit="none", permutations=0,
    )  # fmt: skip
    term = terrain.terms.set_index("factor").loc["pub"]
    assert term["distance"] == 200
    assert term["low"] < 3 < term["high"]


def test_cells_are_as_they_were() -> None:
    asked = Parameters(**{**ASKED, "places": "cells", "mode": "rtmdx", "quick": True})  # type: ignore[arg-type]
    assert units_of(asked, GRID, AREAS, LAYERS) is GRID
    outcome = run(cases(), LAYERS, GRID, asked, seed=1, areas=AREAS, grid=GRID, crime="burglary")
    assert "places.parquet" not in outcome.files
    assert "times_average" in outcome.files["cells.parquet"]
    assert "The 5 % of cells with the highest terrain risk" in str(outcome.section)


def test_streets_need_a_layer_of_streets() -> None:
    with pytest.raises(DesignError, match="needs streets = the name of a layer"):
        units_of(Parameters(places="streets"), GRID, AREAS, LAYERS)
    with pytest.raises(DataError, match="there is no layer roads"):
        units_of(Parameters(places="streets", streets="roads"), GRID, AREAS, LAYERS)


def test_a_column_of_neighbourhoods_that_the_areas_lack_is_named() -> None:
    asked = Parameters(**{**ASKED, "quick": True, "neighbourhoods": "borough"})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="the areas have no column borough; they have ward, households"):
        run(cases(), LAYERS, GRID, asked, seed=1, areas=AREAS, grid=GRID)


# -------------------------------------------------------------------- street segments
def test_streets_are_cut_at_junctions_and_joined_where_there_is_none() -> None:
    study = Places.of(gpd.GeoDataFrame(index=["a"], geometry=[box(-10, -10, 310, 110)], crs=CRS))
    drawn = [
        LineString([(0, 0), (100, 0), (200, 0), (300, 0)]),  # crossed at 100
        LineString([(100, 0), (100, 60)]), LineString([(100, 60), (100, 100)]),  # one street in two lines
        LineString([(250, -5), (250, 50)]),  # over a bridge: shares no point
        LineString([(0, 500), (100, 500)]),  # outside
    ]  # fmt: skip
    found = segments(gpd.GeoSeries(drawn, crs=CRS), study)
    assert list(found.index) == ["s1", "s2", "s3", "s4"]
    assert sorted(found.geometry.length.round(1)) == [55.0, 100.0, 100.0, 200.0]
    turned = segments(gpd.GeoSeries(drawn[::-1], crs=CRS), study)
    assert turned.geometry.geom_equals(found.geometry).all()
    assert found.kind == "street"


def test_no_street_in_the_study_area() -> None:
    with pytest.raises(DataError, match="no line has its middle in the study area"):
        segments(gpd.GeoSeries([LineString([(0, 9000), (100, 9000)])], crs=CRS), AREAS)


def test_homes_go_to_streets_by_their_length_and_to_areas_as_they_are() -> None:
    two = Places.of(gpd.GeoDataFrame({"households": [90, 10]}, index=["a", "b"],
                                     geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)], crs=CRS))  # fmt: skip
    drawn = [
        LineString([(10, 50), (40, 50)]),
        LineString([(40, 50), (40, 90), (60, 90)]),
        LineString([(60, 20), (180, 20)]),
    ]
    streets = segments(gpd.GeoSeries(drawn, crs=CRS), two)
    homes = spread_households(two, streets)
    assert homes.sum() == pytest.approx(100)
    assert homes.to_numpy() == pytest.approx([90 * 90 / 130, 90 * 40 / 130 + 10])
    assert spread_households(two, two).tolist() == [90.0, 10.0]


def test_amounts_are_spread_onto_the_grid_and_kept() -> None:
    grid = Places.grid(gpd.GeoSeries([box(0, 0, 200, 100)], crs=CRS), 100)
    two = Places.of(
        gpd.GeoDataFrame(index=["a", "b"], geometry=[box(0, 0, 50, 100), box(50, 0, 200, 100)], crs=CRS)
    )
    assert onto_grid(pd.DataFrame({"risk": [2.0, 6.0]}, two.index), two, grid)["risk"].tolist() == [4.0, 4.0]
    street = segments(
        gpd.GeoSeries([LineString([(50, 50), (200, 50)]), LineString([(100, 0), (100, 40)])], crs=CRS), two
    )
    found = onto_grid(pd.DataFrame({"risk": [3.0, 1.0]}, street.index), street, grid)["risk"]
    assert found.sum() == pytest.approx(4)  # the second lies between two cells


def test_the_study_area_of_streets_is_the_ground_between_them() -> None:
    units = made("streets", "modern")[0]
    assert study_area(units).area == pytest.approx((SIDE + 50) ** 2, rel=0.01)


# -------------------------------------------------------------------- what a share is a share of
def test_the_top_share_of_ground_takes_a_place_in_part() -> None:
    score, size = [4.0, 3, 2, 1], [1.0, 3, 4, 2]
    assert top_share(score, 0.2, size) == pytest.approx([1, 1 / 3, 0, 0])
    assert captured(score, [5, 3, 1, 1], 0.2, size) == pytest.approx(0.6)
    assert in_top(score, 0.4, size).tolist() == [True, True, False, False]
    assert top_share([1.0, 1], 0.5, [1.0, 3]) == pytest.approx([0.5, 0.5])  # a tie is shared out


def test_one_area_may_be_a_priority_place_but_not_one_hexagon() -> None:
    counts = pd.Series(1, AREAS.index)
    for places, single in ((AREAS, True), (Places.hexagons(GRID.geometry, 300), False)):
        near = pd.Series(0, places.index)
        near.iloc[[5, 40]] = 1
        marks = near.to_frame("pub_200")
        counts = pd.Series(np.where(near == 1, 60, 2), places.index)
        terrain = rtm(
            counts, marks, places, seed=1, mode="rtmdx", factor_of={"pub_200": "pub"}, replicates=0, shift=False,
            refit="none", permutations=0,
        )  # fmt: skip
        found = priority_places(terrain, places, share=0.03)
        assert bool(len(found)) == single


def test_the_ground_of_areas_is_what_crime_is_counted_by_unless_there_are_homes() -> None:
    asked = Parameters(**{**ASKED, "places": "areas", "quick": True, "reach_limit": 600, "tile": 500})  # type: ignore[arg-type]
    bare = Places.of(AREAS.frame.drop(columns="households"))
    outcome = run(cases(), LAYERS, bare, asked, seed=1, areas=bare, grid=GRID, crime="burglary")
    assert "Risk is per hectare" in str(outcome.section)
    assert "areas of highest terrain risk, with 5 % of the ground," in str(outcome.section)
    assert "Risk is per home" in str(made("areas", "modern")[1].section)


# -------------------------------------------------------------------- over the ground or at the middle
@pytest.mark.parametrize(
    ("places", "smallest", "asked", "found", "said"),
    [
        (AREAS, 100, "auto", "area", 0),
        (AREAS, 200, "auto", "centroid", 0),  # the middle area is 350 m wide, under twice 200
        (AREAS, 100, "centroid", "centroid", 1),
        (GRID, 25, "auto", "centroid", 1),
        (GRID, 75, "auto", "centroid", 0),
    ],
)
def test_the_ground_is_taken_of_places_wider_than_twice_the_smallest_distance(
    places: Places, smallest: float, asked: str, found: str, said: int
) -> None:
    at, words = measured_at(asked, places, smallest)  # type: ignore[arg-type]
    assert (at, len(words)) == (found, said)


def test_a_street_has_a_point_every_50_m_along_it() -> None:
    shapes = np.array([LineString([(0, 0), (200, 0)]), LineString([(0, 9), (20, 9)])])
    points, owner = points_of(shapes, np.array([[100.0, 0], [10, 9]]))
    assert points[owner == 0, 0].tolist() == [25, 75, 125, 175]
    assert points[owner == 1].tolist() == [[10, 9]]


# -------------------------------------------------------------------- bands as shares, in modern mode
def random_shares(seed: int) -> tuple[Nested, np.ndarray, Shares, np.ndarray]:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    levels = np.column_stack([rng.integers(0, size + 1, len(owner)) for size in (3, 2)]).astype(np.uint8)
    points = Nested(levels, np.array([0, 3, 5]), np.array([1, -1]))
    spread = np.zeros((30, len(owner)))
    spread[owner, np.arange(len(owner))] = 1
    return points, owner, Shares.of(points, owner), spread / spread.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_the_means_of_the_columns_at_the_points(seed: int) -> None:
    points, _owner, shares, spread = random_shares(seed)
    every = np.arange(5)
    written = spread @ points.take(every)
    assert shares.take(every) == pytest.approx(written)
    rng = np.random.default_rng(seed)
    values, b, weights = rng.normal(size=30), rng.random(5), rng.random(30)
    assert shares.sums(values) == pytest.approx(values @ written)
    assert shares.effect(b) == pytest.approx(written @ b)
    assert shares.effect(b, [1]) == pytest.approx(written[:, 3:] @ b[3:])
    mean = weights @ written / weights.sum()
    assert shares.spread(weights) == pytest.approx(np.sqrt(weights @ written**2 / weights.sum() - mean**2))
    assert shares.rows(slice(0, 7)).sums(values[:7]) == pytest.approx(values[:7] @ written[:7])
    assert shares.inside(1, 0) == pytest.approx(-written[:, 3])


def test_the_contrast_of_shares_is_that_of_the_ground() -> None:
    points, owner, shares, _ = random_shares(4)
    at_risk = np.random.default_rng(4).random(30)
    each = at_risk[owner] / np.bincount(owner)[owner]
    held = points.levels[:, 0] > 1
    by_hand = np.average(points.take(np.arange(5))[held], axis=0, weights=each[held])
    by_hand -= np.average(points.take(np.arange(5))[~held], axis=0, weights=each[~held])
    assert shares.contrast(0, 1, np.arange(5), at_risk) == pytest.approx(by_hand)


def test_one_point_a_place_gives_the_model_at_the_middle() -> None:
    """Places that each have one point: shares are marks, and the two ways must agree."""
    places = Places.hexagons(GRID.geometry, 200)
    observed = observe(cases(), places, period=None, seed=1, force=False)
    options = Options(tile=500, reach_limit=600)
    marks = pose(
        observed, FEATURES, places, options, offset=None, adjust=None, factor_of=None, seed=1, crime="burglary",
        snapped=False, allow_police_activity=None,
    )  # fmt: skip
    alike = replace(marks.decay, owner=np.arange(len(places)))
    shares = replace(marks, decay=alike, nested=alike.nested(slice(None)))
    first, second = (choose(posed, posed.counts, options) for posed in (marks, shares))
    assert second.penalty == pytest.approx(first.penalty)
    assert second.state.b == pytest.approx(first.state.b, abs=1e-4)
    (one, *_), (other, *_) = (bearings(p, c.state) for p, c in ((marks, first), (shares, second)))
    assert other.band == one.band
    assert other.contrast == pytest.approx(one.contrast)


def test_risk_never_rises_with_distance_over_shares_either() -> None:
    curves = made("areas", "modern")[1].files["curves.csv"]
    near = curves[curves["operation"] == "proximity"]
    for _, curve in near.groupby("factor"):
        assert (np.diff(curve.sort_values("distance")["relative_risk"]) <= 1e-12).all()


def test_a_what_if_over_areas_moves_only_what_lies_near() -> None:
    terrain = rtm(
        cases(), FEATURES, AREAS, seed=1, block=200, tile=500, reach_limit=600, replicates=0, shift=False,
        refit="none", permutations=0, sensitivity=False,
    )  # fmt: skip
    assert terrain.at == "area"
    pubs = FEATURES["pub"]
    same = what_if(terrain, AREAS, pubs)
    assert not len(same.changed)
    fewer = what_if(terrain, AREAS, Layer("pub", pubs.features.iloc[1:]), before=len(pubs))
    away = AREAS.geometry[fewer.changed].distance(pubs.features.geometry.iloc[0])
    assert 0 < len(fewer.changed) < len(AREAS) / 2
    assert away.max() <= 800  # the widest bandwidth
    assert (fewer.frame.loc[fewer.changed, "change"] < 1).all()


def test_the_predictor_takes_areas() -> None:
    homes = AREAS.households
    method = RTM(FEATURES, block=200, reach_limit=600, tile=500, offset=homes)
    found = method(cases(), AREAS, pd.Period("2019-01", "M"))
    assert list(found.index) == list(AREAS.index)
    assert found.sum() == pytest.approx(len(cases()) / 24, rel=0.05)
    near = AREAS.geometry.distance(FEATURES["pub"].features.union_all()) == 0
    assert (found / homes)[near].mean() > 1.2 * (found / homes)[~near].mean()


def test_combinations_over_areas_take_a_place_as_near_where_half_of_it_is() -> None:
    terrain = rtm(
        cases(), FEATURES, AREAS, seed=1, mode="rtmdx", block=200, replicates=0, shift=False, refit="none",
        permutations=0,
    )  # fmt: skip
    table = configurations(terrain)
    name = terrain.influences.columns[0]
    assert table.loc[table[name], "places"].sum() == int((terrain.influences[name].abs() >= 0.5).sum())
    assert anroc(terrain, AREAS, AREAS)["share_covered"].to_numpy() == pytest.approx(1)


# -------------------------------------------------------------------- rasters in modern mode
def test_a_raster_steps_up_with_its_value_in_modern_mode() -> None:
    rng = np.random.default_rng(3)
    x = GRID.points.x.to_numpy()
    counts = pd.Series(rng.poisson(np.where(x > 2000, 6, 2)), GRID.index)
    values = pd.DataFrame({"flats": x, "light": rng.random(len(GRID))}, index=GRID.index)
    terrain = rtm(
        counts, FEATURES, GRID, seed=1, tile=500, reach_limit=600, replicates=0, shift=True, refit="none",
        permutations=0, values=values, cuts={"flats": (500, 1000, 2000)}, sensitivity=True,
    )  # fmt: skip
    terms = terrain.terms.set_index("factor")
    assert terrain.words[terms.at["flats", "variable"]] == "where flats is above 2000"
    assert terms.at["flats", "times"] == pytest.approx(3, rel=0.2)
    curve = terrain.curves[terrain.curves["factor"] == "flats"].set_index("above")["relative_risk"]
    assert list(curve.index) == [500.0, 1000.0, 2000.0]
    assert curve.is_monotonic_increasing
    assert curve[2000.0] > 2
    assert terrain.sensitivity.set_index("factor").at["flats", "steps twice as wide"] == pytest.approx(
        3, rel=0.2
    )
    with pytest.raises(DataError, match="knows no layer flats"):
        what_if(terrain, GRID, Layer("flats", FEATURES["pub"].features))


@MODES
def test_the_sign_of_a_raster_is_the_users(mode: str) -> None:
    rng = np.random.default_rng(3)
    x = GRID.points.x.to_numpy()
    counts = pd.Series(rng.poisson(np.where(x > 2000, 2, 6)), GRID.index)
    values = pd.DataFrame({"watched": x}, index=GRID.index)
    keys = {"tile": 500, "reach_limit": 600, "sensitivity": False} if mode == "modern" else {}
    found = {}
    for sign in ("aggravating", "protective", "either"):
        terrain = rtm(
            counts, FEATURES, GRID, seed=1, mode=mode, replicates=0, shift=False, refit="none", permutations=0,
            values=values, cuts={"watched": (1000, 2000)}, signs={"watched": sign}, **keys,
        )  # fmt: skip
        found[sign] = terrain.terms.set_index("factor")["times"].get("watched", np.nan)
    assert np.isnan(found["aggravating"])
    assert found["protective"] == pytest.approx(1 / 3, rel=0.2)
    assert found["either"] == pytest.approx(found["protective"], rel=0.1)


def test_a_sign_that_is_none_is_refused() -> None:
    with pytest.raises(DesignError, match="watched = 'good'; write aggravating, protective, either"):
        rtm(
            pd.Series(2, GRID.index), FEATURES, GRID, seed=1, signs={"watched": "good"},
            values=pd.DataFrame({"watched": 1.0}, index=GRID.index),
        )  # fmt: skip


# -------------------------------------------------------------------- maps moved
def test_moving_shares_on_a_grid_equals_moving_them_by_hand() -> None:
    rng = np.random.default_rng(8)
    column, row = (a.ravel() for a in np.mgrid[0:9, 0:7])
    counts = rng.poisson(3.0, len(column)).astype(float)
    shares = np.round(rng.random((len(column), 2)) * (rng.random((len(column), 2)) < 0.6), 2)
    mean = np.full(len(counts), 3.0)
    window = Window.of(column, row)
    steps = [(a, b) for a in range(-8, 9) for b in range(-6, 7) if (9 - abs(a)) * (7 - abs(b)) >= 0.7 * 63]
    steps.sort(key=lambda step: step != (0, 0))
    at = {(c, r): k for k, (c, r) in enumerate(zip(column, row, strict=True))}
    onto = np.array(
        [[at.get((c - a, r - b), -1) for c, r in zip(column, row, strict=True)] for a, b in steps]
    )
    models = [(mean, mean), (mean, 1.5 * mean)]
    assert window.steps == len(steps)
    assert window.test(shares, counts, models) == pytest.approx(Scattered(onto).test(shares, counts, models))


def test_the_statistic_of_shares_is_the_score_of_a_regression() -> None:
    """One step by nothing: z is the excess over the weighted mean, in its standard error."""
    rng = np.random.default_rng(2)
    x, y, v = rng.random(40), rng.poisson(4.0, 40).astype(float), rng.uniform(2, 5, 40)
    other = rng.permutation(40)
    ground = Scattered(np.array([np.arange(40), other]))
    p = ground.test(x[:, None], y, [(v, v)])[0]

    def z(moved: np.ndarray) -> float:
        q = v @ moved / v.sum()
        return float((moved - q) @ (y - v) / np.sqrt(v @ (moved - q) ** 2))

    assert p == (1 + (z(x[other]) >= z(x))) / 2


def test_an_area_takes_what_was_measured_in_the_area_its_point_falls_into() -> None:
    ground = ground_of(AREAS, np.ones(len(AREAS), bool), 1, steps=50)
    assert isinstance(ground, Scattered)
    assert ground.steps == 51
    assert ground.onto[0].tolist() == list(range(len(AREAS)))
    assert ((ground.onto >= 0).mean(axis=1) >= 0.7).all()


def test_streets_are_moved_onto_streets_as_far_apart_as_they_lie() -> None:
    units = made("streets", "modern")[0]
    ground = ground_of(units, np.ones(len(units), bool), 1, steps=50)
    assert isinstance(ground, Scattered)
    assert ground.steps == 51


# -------------------------------------------------------------------- laying them out
@pytest.mark.parametrize(("make", "what"), [(Places.grid, "cells"), (Places.hexagons, "hexagons")])
def test_too_many_to_lay_are_refused_before_they_are_made(make: Callable[..., Places], what: str) -> None:
    country = gpd.GeoSeries([box(0, 0, 400_000, 500_000)], crs=CRS)
    with pytest.raises(DesignError, match=f"200,000 km² in {what} of 100 m are .* more than 4,000,000"):
        make(country, 100)


def test_hexagons_are_stored_and_come_back_with_their_width(tmp_path) -> None:  # type: ignore[no-untyped-def]
    made = Places.hexagons(gpd.GeoSeries([box(0, 0, 1000, 1000)], crs=CRS), 150)
    made.write(tmp_path / "hexagons.parquet")
    held = Places.load(tmp_path / "hexagons.parquet")
    assert (held.kind, held.cell, held.origin, len(held)) == ("area", 150.0, None, len(made))
