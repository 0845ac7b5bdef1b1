"""Hot spots in other ways: clusters of any shape, rates, density, change; each by hand or against another's."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.explain.beside import Asked, HotSpotParameters, beside
from peelian.explain.clusters import hotspot_clusters, thick
from peelian.explain.lorenz import concentration
from peelian.explain.lorenz_report import alike_sentence
from peelian.incidents import Incidents
from peelian.places import Places

CRS = 27700
GRID = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 1000)], crs=CRS), 100)


def incidents(points: np.ndarray, months: list[str] | None = None) -> Incidents:
    months = months or ["2018-01"] * len(points)
    start = pd.PeriodIndex(months, freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*points.T), crs=CRS,
    )  # fmt: skip
    return Incidents(frame, precision="month")


# -------------------------------------------------------------------- clusters
@pytest.mark.parametrize(
    ("x", "least", "expected"),
    [
        ([0, 50, 100, 150, 900], 3, [0, 0, 0, 0, -1]),  # the ends are within reach of a core
        ([0, 50, 100, 500, 550, 600, 650], 3, [1, 1, 1, 0, 0, 0, 0]),  # the heavier is 0
        ([0, 50, 100, 150, 900], 4, [-1] * 5),  # no core
        ([0, 0, 0, 60], 3, [0, 0, 0, 0]),  # three on one point
    ],
)
def test_clusters_by_hand(x: list[float], least: float, expected: list[int]) -> None:
    points = np.column_stack([np.array(x, float), np.zeros(len(x))])
    assert thick(points, np.ones(len(x)), 50 if 60 not in x else 60, least).tolist() == expected


def test_clusters_are_those_of_scikit_learn() -> None:
    cluster = pytest.importorskip("sklearn.cluster", reason="scikit-learn is not installed.")
    rng = np.random.default_rng(4)
    points = np.vstack([rng.normal(c, 60, (80, 2)) for c in ((0, 0), (400, 0), (0, 900))])
    points = np.vstack([points, rng.uniform(-500, 1500, (120, 2))])
    weight = rng.integers(1, 4, len(points)).astype(float)
    ours = thick(points, weight, 50, 12)
    theirs = cluster.DBSCAN(eps=50, min_samples=12).fit(points, sample_weight=weight)
    core = theirs.core_sample_indices_
    pairs = set(zip(ours[core].tolist(), theirs.labels_[core].tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) >= 3
    assert ((ours >= 0) == (theirs.labels_ >= 0)).all()


def test_a_cluster_has_its_ground_and_its_pai() -> None:
    found = hotspot_clusters(
        incidents(np.array([[500.0, 500]] * 30 + [[1500.0, 500]] * 10)), GRID, eps=100, least=20
    )
    assert found.label.value_counts().to_dict() == {0: 30, -1: 10}
    ground = np.pi * 50**2  # within half of eps
    assert found.frame["hectares"].iloc[0] == pytest.approx(ground / 1e4, rel=0.02)
    assert found.frame["pai"].iloc[0] == pytest.approx(0.75 / (ground / 2e6), rel=0.02)
    assert str(found).startswith("1 cluster of crime (a weight of 20 in 100 m) hold 30 of 40 incidents")


def test_clusters_by_harm() -> None:
    cases = incidents(np.array([[500.0, 500]] * 3 + [[1500.0, 500]] * 3))
    harm = pd.Series([1.0, 1, 1, 9, 9, 9], cases.frame.index)
    found = hotspot_clusters(cases, GRID, eps=100, least=20, weights=harm)
    assert found.label.tolist() == [-1, -1, -1, 0, 0, 0]


def test_no_cluster_is_a_finding() -> None:
    found = hotspot_clusters(incidents(np.array([[500.0, 500], [900, 900]])), GRID, eps=50, least=5)
    assert str(found) == "No incident of crime has a weight of 5 or more within 50 m."


def test_clusters_refuse() -> None:
    cases = incidents(np.array([[500.0, 500]]))
    with pytest.raises(DesignError, match="above 0"):
        hotspot_clusters(cases, GRID, eps=0, least=5)
    with pytest.raises(DataError, match="at least 0 for every incident"):
        hotspot_clusters(cases, GRID, eps=10, least=5, weights=pd.Series(-1.0, cases.frame.index))


# -------------------------------------------------------------------- in the chapter
def chapter(**asked: object):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(9)
    west = rng.normal((400, 500), 40, (200, 2))
    east = rng.normal((1600, 500), 40, (200, 2))
    even = rng.uniform(0, (2000, 1000), (200, 2))
    months = ["2017-03"] * 180 + ["2018-03"] * 20 + ["2017-03"] * 20 + ["2018-03"] * 180
    months += [f"2017-{1 + k % 12:02d}" for k in range(100)] + [f"2018-{1 + k % 12:02d}" for k in range(100)]
    cases = incidents(np.vstack([west, east, even]), months)
    off = Asked().concentration.__class__(on=False), Asked().near_repeat.__class__(on=False)
    tables = Asked(HotSpotParameters(**asked), off[0], off[1], Asked().aoristic.__class__(on=False))  # type: ignore[arg-type]
    homes = pd.Series(np.where(GRID.points.x < 1000, 1000.0, 10.0), GRID.index)
    return cases, beside(cases, GRID, tables, seed=1, crime="burglary", households=homes)


def words(found: object) -> str:
    return " ".join(block.text for block in found.blocks if hasattr(block, "text"))  # type: ignore[attr-defined]


def test_change_goes_into_the_chapter_and_the_cells() -> None:
    _, found = chapter(before="2017-01..2017-12", after="2018-01..2018-12")
    moved = found.columns["hot_spot_change"]
    assert set(moved[GRID.points.x < 800]) == {"down", "none"}
    assert set(moved[GRID.points.x > 1200]) == {"up", "none"}
    assert "became more frequent in" in words(found)


def test_density_goes_into_the_chapter_and_the_cells() -> None:
    _, found = chapter(bandwidth=(200, 400), rates=True)
    assert {"density", "density_volume", "density_rate"} <= set(found.columns)
    assert "Half of the density of burglary lies in" in words(found)


def test_clusters_go_into_the_chapter_and_a_file() -> None:
    _, found = chapter(eps=60, least=40)
    assert len(found.files["clusters.csv"]) == 2
    assert "2 clusters of burglary" in words(found)


def test_rates_find_other_places_hot_than_counts_do() -> None:
    """The same crime on both sides, homes a hundred times as many in the west."""
    west = (GRID.points.x < 1000).to_numpy()
    counts, rates = (chapter(rates=asked)[1].columns["gi"].to_numpy() for asked in (False, True))
    assert counts[west].max() > 5
    assert rates[west].max() < 2 < rates[~west].max()


def test_rates_without_households_are_skipped_with_a_reason() -> None:
    cases, _ = chapter()
    tables = Asked(HotSpotParameters(rates=True), Asked().concentration.__class__(on=False))
    assert "Hot spots are not shown. rates = true needs areas" in words(beside(cases, GRID, tables, seed=1))


def test_periods_outside_the_incidents_are_refused_with_their_months() -> None:
    _, found = chapter(before="2010-01..2010-12", after="2018-01..2018-12")
    assert "must lie within 2017-01..2018-12" in words(found)


@pytest.mark.parametrize("asked", [{"before": "2017-01..2017-12"}, {"before": "2017", "after": "2018"}])
def test_periods_that_are_none(asked: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"before and after come together|first and last month"):
        HotSpotParameters(**asked)  # type: ignore[arg-type]


def test_the_ground_that_holds_half_goes_into_the_map() -> None:
    _, found = chapter(bandwidth=(200,), kernel="epanechnikov")
    shapes = found.layers["density_contours"].set_index("volume")
    cells = {name: (found.columns["density_volume"] == name).sum() for name in ("25 %", "50 %")}
    assert shapes.geometry["25 %"].area == pytest.approx(100**2 * cells["25 %"])
    assert shapes.geometry["50 %"].area == pytest.approx(100**2 * (cells["25 %"] + cells["50 %"]))
    assert shapes.geometry["50 %"].covers(shapes.geometry["25 %"])
    table = next(block for block in found.blocks if getattr(block, "name", "") == "density_map").frame
    assert table["Incidents"].iloc[-1] == 600
    assert table["Share of incidents"].iloc[1] > 0.5  # smoothing spreads what is there
    assert "epanechnikov kernel" in words(found)


def test_clusters_by_harm_of_the_crime_type_and_on_the_map() -> None:
    _, found = chapter(eps=60, least=400, weights={"Burglary": 10})
    assert len(found.files["clusters.csv"]) == 2
    assert found.files["clusters.csv"]["weight"].sum() == 10 * found.files["clusters.csv"]["incidents"].sum()
    assert found.layers["clusters"].geometry.area.to_numpy() / 1e4 == pytest.approx(
        found.files["clusters.csv"]["hectares"].to_numpy()
    )


def test_a_crime_type_without_a_weight_is_named() -> None:
    _, found = chapter(eps=60, least=400, weights={"Robbery": 10})
    assert "explain.hotspots.weights has no weight for burglary" in words(found)


def test_a_way_that_cannot_be_gone_leaves_the_others() -> None:
    _, found = chapter(bandwidth=(50,), before="2017-01..2017-12", after="2018-01..2018-12", eps=60, least=40)
    assert "The density is not shown. A bandwidth of 50 m is less than the cell of 100 m" in words(found)
    assert "became more frequent in" in words(found)
    assert "2 clusters of burglary" in words(found)


def test_patterns_have_the_shares_that_are_asked_for() -> None:
    _, strict = chapter(period="quarter", persistent=1.0)
    _, loose = chapter(period="quarter", persistent=0.1)
    counts = [found.summary["hot_spots"]["patterns"] for found in (strict, loose)]
    assert counts[0].get("persistent", 0) < counts[1]["persistent"]


def test_patterns_by_rates_are_not_those_by_counts() -> None:
    counts, rates = (chapter(rates=asked)[1].columns["hot_spot_pattern"] for asked in (False, True))
    west = (GRID.points.x < 1000).to_numpy()
    assert (counts[west] != "none").any()
    assert not rates[west].str.fullmatch("persistent|emerging|intermittent").any()


def test_too_few_periods_are_said() -> None:
    _, found = chapter(period="year")
    assert "Patterns over time are not shown. 2 whole years with incidents" in words(found)


def test_without_itself_and_hot_only_in_the_chapter() -> None:
    _, found = chapter(include_self=False, sides="hot")
    assert (
        "Gi (Getis & Ord 1992; Ord & Getis 1995) over places that touch, the place itself left out"
        in words(found)
    )
    assert not found.columns["hot_spot"].str.startswith("cold").any()
    assert found.layers["hot_spots"]["gi_q"].notna().any()


# -------------------------------------------------------------------- how alike two years are
def test_years_alike_place_by_place() -> None:
    rng = np.random.default_rng(3)
    points = rng.uniform(0, (2000, 1000), (50, 2))
    twice = incidents(
        np.repeat(points, 40, axis=0), [f"{2017 + k % 2}-{1 + k % 12:02d}" for k in range(2000)]
    )
    found = concentration(twice, GRID, draws=99, seed=1, crime="burglary")
    assert found.alike
    assert found.alike[:2] == (2017, 2018)
    assert found.alike[2].robust == 1.0
    assert "100 % of the" in alike_sentence(found)
