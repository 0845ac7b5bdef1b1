"""Explain on burglary in Hounslow, 2016 to 2018, with open points of interest.

What must come out stands in spec/explain.md 12: 1,409 cells, 6,353 burglaries, and how counts rank with
features within 400 m (Spearman, to .02). The rest keeps the promises of the report on data that nobody
planted.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial import cKDTree

from peelian.explain.ground import spread_households
from peelian.explain.lattice import Lattice
from peelian.explain.measure import kernel_sums, nearest_distance
from peelian.explain.run import Parameters, run
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.places import Places
from peelian.report import Outcome

PACK = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "uk" / "flagship_hounslow"
if not PACK.is_dir():
    pytest.skip("../shared/data/uk/flagship_hounslow is not beside this checkout.", allow_module_level=True)


@pytest.fixture(scope="module")
def areas() -> Places:
    frame = gpd.read_file(PACK / "hounslow_1km_lsoa_2011.gpkg").rename(columns={"HHOLDS": "households"})
    return Places.of(frame.set_index("LSOA11CD"))


@pytest.fixture(scope="module")
def cells(areas: Places) -> Places:
    return Places.grid(areas.frame[areas.frame["in_borough"].astype(bool)], 200)


@pytest.fixture(scope="module")
def burglary() -> Incidents:
    with zipfile.ZipFile(PACK / "street_burglary_2012_2019_police_uk_layout.zip") as archive:
        names = [
            n
            for n in archive.namelist()
            if n.endswith(".csv") and Path(n).name[:4] in ("2016", "2017", "2018")
        ]
        rows = pd.concat([pd.read_csv(archive.open(name)) for name in names], ignore_index=True)
    month = pd.PeriodIndex(rows["Month"], freq="M")
    points = gpd.GeoSeries(gpd.points_from_xy(rows["Longitude"], rows["Latitude"]), crs=4326).to_crs(27700)
    frame = gpd.GeoDataFrame(
        {"start": month.start_time, "end": (month + 1).start_time, "type": "Burglary", "source": "police.uk"},
        geometry=points.where(rows["Longitude"].notna()),
    )  # fmt: skip
    return Incidents(frame, precision="month", snapped=True, published=True)


@pytest.fixture(scope="module")
def points() -> gpd.GeoDataFrame:
    parts = [
        pd.read_csv(PACK / name, low_memory=False) for name in ("pois_ogl.csv.gz", "pois_osm_odbl.csv.gz")
    ]
    rows = pd.concat(parts, ignore_index=True)
    return gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(rows["easting"], rows["northing"]), crs=27700)


@pytest.fixture(scope="module")
def layers(points: gpd.GeoDataFrame) -> Layers:
    return Layers.of(
        [
            Layer(
                str(name), part[["geometry"]], source=str(part["source"].iloc[0]),
                date=str(part["as_of"].max()), licence=str(part["licence"].iloc[0]),
            )
            for name, part in points.groupby("category")
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def outcome(burglary: Incidents, layers: Layers, cells: Places, areas: Places) -> Outcome:
    parameters = Parameters(offset="households", replicates=20, permutations=99, workers=1, mode="rtmdx")
    return run(burglary, layers, cells, parameters, seed=1829, crime="burglary", areas=areas)


def test_cells_and_counts(cells: Places, burglary: Incidents) -> None:
    assert (len(cells), int(burglary.counts(cells).sum())) == (1409, 6353)


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("bus_stop", 0.54), ("food_retail_other", 0.53), ("takeaway", 0.45),
        ("hospital_childcare_caring", 0.43), ("pub", 0.40),
    ],
)  # fmt: skip
def test_counts_rank_with_features_within_400_m(
    category: str, expected: float, cells: Places, burglary: Incidents, points: gpd.GeoDataFrame
) -> None:
    here = points[points["category"] == category]
    centres = np.column_stack([cells.points.x, cells.points.y])
    tree = cKDTree(np.column_stack([here.geometry.x, here.geometry.y]))
    nearby = pd.Series(tree.query_ball_point(centres, 400, return_length=True), cells.index)
    assert burglary.counts(cells).corr(nearby, method="spearman") == pytest.approx(expected, abs=0.02)


def test_households_of_the_borough_are_spread_over_its_cells(areas: Places, cells: Places) -> None:
    inside = areas.frame[areas.frame["in_borough"].astype(bool)]["households"].sum()
    assert spread_households(areas, cells).sum() == pytest.approx(inside, rel=0.01)


def test_every_reported_factor_passed_every_check(outcome: Outcome) -> None:
    terms = outcome.files["terms.csv"]
    reported = terms[terms["verdict"] == "report"]
    assert (reported["frequency"] >= 0.8).all()
    assert (reported["shift_p"] <= 0.05).all()
    assert (reported["robust_low"] > 1).all()
    assert (reported["refit_low"] > 1).all()


def test_not_every_chosen_factor_is_reported(outcome: Outcome) -> None:
    verdicts = outcome.files["terms.csv"]["verdict"]
    assert (verdicts == "report").sum() < len(verdicts)


def test_rows_add_up(outcome: Outcome, burglary: Incidents) -> None:
    account = dict(outcome.summary["accounting"])
    assert account.pop("rows read") == sum(account.values()) == len(burglary)


def test_layers_later_than_the_crime_are_named(outcome: Outcome) -> None:
    assert any(
        "Layers of a later date than the crime (to 2018-12)" in words for words in outcome.summary["warnings"]
    )


def test_cells_carry_what_later_stages_read(outcome: Outcome, cells: Places) -> None:
    frame = outcome.files["cells.parquet"]
    assert frame.index.equals(cells.index)
    assert frame["relative_risk"].min() >= 1 - 1e-9
    assert frame["relative_risk"].notna().all()


def test_visiting_cells_equals_a_tree_on_real_features(layers: Layers, cells: Places) -> None:
    lattice = Lattice.of(cells)
    assert lattice
    distances = [200.0, 400, 600, 800, 1000, 1200]
    for name in sorted(layers, key=lambda name: -len(layers[name]))[:4]:
        shapes = layers[name].features.geometry.to_numpy()
        xy = shapely.get_coordinates(shapes)
        near, sums = lattice.near_and_kernels(xy, np.ones(len(xy)), distances)
        nearest = nearest_distance(shapes, lattice.centres, 1200)
        by_tree = kernel_sums(xy, np.ones(len(xy)), lattice.centres, distances)
        for d, here, f, tree in zip(distances, near, sums, by_tree, strict=True):
            assert (here == (nearest <= d)).all()
            assert f == pytest.approx(tree, abs=1e-12 * tree.max())
