"""Explain in other ways: along streets, without excluded ground, by rasters, over areas, streets and hexagons."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from peelian.errors import DataError, DesignError
from peelian.explain import rtm
from peelian.explain.factors import by_value
from peelian.explain.run import Parameters, run
from peelian.explain.select import stepwise
from peelian.explain.values import Valued
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.places import Places

CRS = 27700
BOX = gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=CRS)
GRID = Places.grid(BOX, 100)
RNG = np.random.default_rng(11)
PUBS = RNG.uniform(100, 1900, (8, 2))
LIBRARIES = RNG.uniform(100, 1900, (8, 2))


def layer(name: str, shapes: object, **about: object) -> Layer:
    return Layer(name, gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=CRS)), **about)  # type: ignore[arg-type]


LAYERS = [
    layer("library", gpd.points_from_xy(*LIBRARIES.T)),
    layer("pub", gpd.points_from_xy(*PUBS.T)),
]
STREETS = layer(
    "street", [LineString([(x, 0), (x, 2000)]) for x in range(0, 2001, 100)]
    + [LineString([(x, y), (x + 100, y)]) for x in range(0, 2000, 100) for y in (0, 1000, 2000)],
)  # fmt: skip


def cases(events: int = 900) -> Incidents:
    rng = np.random.default_rng(5)
    draws = rng.uniform(0, 2000, (events * 4, 2))
    near = np.min(np.hypot(*(draws[:, None] - PUBS[None]).transpose(2, 0, 1)), axis=1) <= 200
    draws = draws[rng.random(len(draws)) < np.where(near, 0.9, 0.3)][:events]
    start = pd.PeriodIndex([f"2018-{1 + i % 12:02d}" for i in range(len(draws))], freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*draws.T), crs=CRS,
    )  # fmt: skip
    return Incidents(frame, precision="month")


SMALL = {
    "mode": "rtmdx",
    "offset": "none",
    "replicates": 20,
    "permutations": 99,
    "min_features": 1,
    "workers": 1,
}
BESIDE = {name: {"on": False} for name in ("hotspots", "concentration", "near_repeat", "aoristic")}


def made(layers: list[Layer], **asked: object):  # type: ignore[no-untyped-def]
    return run(cases(), Layers.of(layers), GRID, Parameters(**{**SMALL, **BESIDE, **asked}), seed=1)  # type: ignore[arg-type]


# -------------------------------------------------------------------- along streets
def test_along_streets_the_chapter_says_so_and_streets_are_no_factor() -> None:
    found = made([*LAYERS, STREETS], distance="network", streets="street")
    assert set(found.files["factors.csv"]["factor"]) == {"library", "pub"}
    assert "Distances go along the lines of street." in str(found.section)


def test_along_streets_needs_streets() -> None:
    with pytest.raises(DesignError, match="needs streets"):
        made(LAYERS, distance="network")


def test_streets_that_are_no_layer() -> None:
    with pytest.raises(DataError, match="there is no layer roads"):
        made(LAYERS, streets="roads")


# -------------------------------------------------------------------- excluded ground
WATER = layer("water", [box(0, 0, 400, 2000)])


def test_excluded_ground_leaves_the_fit_and_is_counted() -> None:
    found = made([*LAYERS, WATER], exclude=("water",))
    frame = found.files["cells.parquet"]
    west = GRID.points.x.to_numpy() < 400
    assert frame["expected"].isna().to_numpy().tolist() == west.tolist()
    account = found.files["terrain.json"]["accounting"]
    assert account["in excluded ground"] == int(frame.loc[west, "count"].sum())
    assert account["used"] == int(frame.loc[~west, "count"].sum())
    assert account["rows read"] == sum(account.values()) - account["rows read"]
    assert any(
        "80 of 400 places lie on excluded ground" in w for w in found.files["terrain.json"]["warnings"]
    )
    assert any("are recorded on excluded ground" in w for w in found.files["terrain.json"]["warnings"])


def test_excluded_ground_must_be_areas() -> None:
    with pytest.raises(DataError, match="exclude holds no area"):
        made([*LAYERS, STREETS], exclude=("street",))


def test_everything_excluded() -> None:
    with pytest.raises(DesignError, match="Every place lies on excluded ground"):
        made([*LAYERS, layer("sea", [box(-10, -10, 2010, 2010)])], exclude=("sea",))


# -------------------------------------------------------------------- the edge
def test_cells_by_the_boundary_are_marked_where_layers_stop_there() -> None:
    many = layer("bin", gpd.points_from_xy(*RNG.uniform(0, 2000, (2, 300))))
    beyond = layer("bin", gpd.points_from_xy(*RNG.uniform(-700, 2700, (2, 800))))
    stops, goes_on = (made([one], block=200).files["cells.parquet"]["edge"] for one in (many, beyond))
    inner = GRID.points.x.between(600, 1400) & GRID.points.y.between(600, 1400)
    assert (stops == ~inner).all()
    assert not goes_on.any()


# -------------------------------------------------------------------- rasters
def test_above_the_cuts_of_a_raster() -> None:
    places = Places.grid(gpd.GeoSeries([box(0, 0, 500, 100)], crs=CRS), 100)
    values = pd.DataFrame({"light": [1.0, 5.0, np.nan, 9.0, 5.0]}, index=places.index)
    found = by_value(Valued(values, {"light": (4, 5)}), places, np.ones(5, bool))
    assert found.columns["light_above_4"].tolist() == [0, 1, 0, 1, 1]
    assert found.columns["light_above_5"].tolist() == [0, 0, 0, 1, 0]
    assert found.notes == ("light is missing for 1 places: taken as low.",)


def test_deciles_where_no_cuts_are_given() -> None:
    values = pd.DataFrame({"light": np.arange(400.0)}, index=GRID.index)
    found = by_value(Valued(values), GRID, np.ones(400, bool))
    assert found.columns.sum().tolist() == [360, 320, 280, 240, 200, 160, 120, 80, 40]


def test_a_raster_that_matters_is_found() -> None:
    counts = pd.Series(RNG.poisson(np.where(GRID.points.x > 1500, 6, 2)), GRID.index)
    values = pd.DataFrame({"flats": GRID.points.x}, index=GRID.index)
    terrain = rtm(
        counts, Layers.of(LAYERS), GRID, seed=1, replicates=0, shift=False, refit="none", permutations=0,
        mode="rtmdx", values=values, cuts={"flats": (500, 1500)},
    )  # fmt: skip
    assert list(terrain.words.values()) == ["where flats is above 1500"]
    assert terrain.terms["times"].iloc[0] == pytest.approx(3, rel=0.2)


def test_a_raster_without_a_value() -> None:
    with pytest.raises(DataError, match="light has no value"):
        by_value(Valued(pd.DataFrame({"light": np.nan}, index=GRID.index)), GRID, np.ones(400, bool))


# -------------------------------------------------------------------- places of every kind
def fitted(places: Places, **asked: object):  # type: ignore[no-untyped-def]
    return rtm(
        cases(), Layers.of(LAYERS), places, seed=1, mode="rtmdx", replicates=0, shift=False, refit="none", permutations=0,
        **asked,
    )  # fmt: skip


def test_areas_by_the_share_of_their_ground() -> None:
    """Areas of 250 m: larger than the distances, so that a share says more than the middle does."""
    corners = [(x, y) for x in range(0, 2000, 250) for y in range(0, 2000, 250)]
    frame = gpd.GeoDataFrame(
        index=[f"a{i:02d}" for i in range(64)], geometry=[box(x, y, x + 250, y + 250) for x, y in corners], crs=CRS
    )  # fmt: skip
    terrain = fitted(Places.of(frame), block=400, blocks=1, at="area")
    assert "pub" in set(terrain.terms["factor"])
    assert terrain.terms["times"].iloc[0] == pytest.approx(3, rel=0.35)
    assert terrain.influences.iloc[:, 0].between(0, 1, inclusive="neither").any()


def test_stepwise_on_shares_equals_stepwise_on_marks() -> None:
    rng = np.random.default_rng(2)
    marks = (rng.random((500, 4)) < 0.3).astype(float)
    counts = rng.poisson(0.5 * np.exp(marks @ [0.9, 0.6, 0, 0]))
    plain = stepwise(marks.astype(np.int8), np.arange(4), counts, "nb1")
    nudged = marks.copy()
    nudged[0, 3] = 0.5  # one share makes all columns shares
    shares = stepwise(nudged, np.arange(4), counts, "nb1")
    assert shares.chosen == plain.chosen
    assert shares.fit.bic == pytest.approx(plain.fit.bic, abs=1e-6)


def test_hexagons_touch_six_others_and_hold_each_point_once() -> None:
    hexagons = Places.hexagons(BOX, 200)
    near = np.asarray(hexagons.neighbours().sum(axis=1)).ravel()
    middle = hexagons.points.x.between(400, 1600) & hexagons.points.y.between(400, 1600)
    assert set(near[middle.to_numpy()]) == {6}
    assert hexagons.areas.to_numpy() == pytest.approx(200**2 * np.sqrt(3) / 2, rel=1e-6)
    inside = cases().frame.geometry.iloc[:300]
    held = hexagons.locate(inside)
    shapes = hexagons.geometry
    assert all(
        shapes[name].intersects(point) for name, point in zip(held, inside, strict=True) if name == name
    )
    assert held[inside.within(box(150, 150, 1850, 1850))].notna().all()


def test_no_hexagon_is_left() -> None:
    with pytest.raises(DesignError, match="No hexagon of 9000 m"):
        Places.hexagons(
            gpd.GeoSeries([box(100, 100, 200, 200)], crs=CRS).buffer(0).boundary.buffer(0.1), 9000
        )


def test_on_hexagons_the_planted_factor_is_chosen() -> None:
    assert list(fitted(Places.hexagons(BOX, 150), block=200).terms["factor"]) == ["pub"]


def street_places() -> Places:
    lines = {f"s{k:02d}": line for k, line in enumerate(STREETS.features.geometry)}
    ends = {f"{name}-{y:04d}": LineString([(line.coords[0][0], y), (line.coords[0][0], y + 200)])
            for name, line in lines.items() if line.length == 2000 for y in range(0, 2000, 200)}  # fmt: skip
    frame = gpd.GeoDataFrame(index=list(ends), geometry=list(ends.values()), crs=CRS)
    return Places.of(frame, kind="street")


def test_a_street_holds_the_points_nearest_to_it() -> None:
    streets = street_places()
    points = gpd.GeoSeries(gpd.points_from_xy([10, 40, 549, 30], [50, 250, 1990, -60]), crs=CRS)
    found = streets.locate(points)
    assert found.tolist()[:3] == ["s00-0000", "s00-0200", "s05-1800"]
    assert pd.isna(found.iloc[3])  # 67 m from the nearest
    assert streets.points["s00-0000"].coords[0] == (0.0, 100.0)


def test_on_street_segments_the_planted_factor_is_chosen() -> None:
    streets = street_places()
    terrain = fitted(streets, block=200)
    assert "pub" in set(terrain.terms["factor"])
    assert terrain.accounting["used"] == terrain.counts.sum()


def test_streets_on_excluded_ground_are_left_out() -> None:
    streets = street_places()
    terrain = fitted(streets, block=200, exclude=WATER.features.geometry)
    west = streets.points.x.to_numpy() <= 400
    assert terrain.expected.isna().to_numpy().tolist() == west.tolist()


@pytest.mark.parametrize("mode", ["rtmdx", "modern"])
def test_maps_are_moved_over_hexagons_too(mode: str) -> None:
    terrain = rtm(
        cases(), Layers.of(LAYERS), Places.hexagons(BOX, 150), seed=1, mode=mode, block=300, replicates=0,
        refit="none", permutations=0, tile=500 if mode == "modern" else None, reach_limit=600,
        sensitivity=False,
    )  # fmt: skip
    p = terrain.factors.set_index("factor")["shift_p"]
    assert p["pub"] <= 0.05
    assert p["library"] > 0.05


# -------------------------------------------------------------------- in modern mode
def modern(**asked: object):  # type: ignore[no-untyped-def]
    return rtm(
        cases(), Layers.of(LAYERS), GRID, seed=1, mode="modern", tile=500, reach_limit=600, replicates=0,
        shift=False, refit="none", permutations=0, sensitivity=False, **asked,
    )  # fmt: skip


def test_modern_bands_go_along_streets() -> None:
    straight, along = modern(), modern(streets=STREETS.features.geometry)
    assert "pub" in set(straight.terms["factor"])
    assert "pub" in set(along.terms["factor"])
    # a path is never shorter than the straight line: what is near on foot is near as the crow flies
    assert along.times_average.max() != straight.times_average.max()


def test_modern_leaves_out_excluded_ground() -> None:
    terrain = modern(exclude=WATER.features.geometry)
    assert terrain.expected.isna().to_numpy().tolist() == (GRID.points.x.to_numpy() < 400).tolist()
    assert terrain.accounting["in excluded ground"] > 0


def test_modern_refuses_a_single_limit_of_density_with_the_reason() -> None:
    with pytest.raises(DesignError, match="The modern bands try seven quantiles"):
        modern(density_rule="quantile:.9")
