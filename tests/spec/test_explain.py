"""Explain, on tables that can be read: candidates, classes, verdicts, sentences, and what bad input gets."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from peelian.errors import DataError, DesignError, PrivacyError
from peelian.explain import RTM, priority_places, rtm
from peelian.explain.doubts import layer_dates
from peelian.explain.factors import (
    edge_gaps,
    inside,
    operationalise,
)
from peelian.explain.ground import spread_households
from peelian.explain.inference import Limits, verdict
from peelian.explain.measure import as_points, kernel_sums, nearest_distance
from peelian.explain.model import RiskTerrain
from peelian.explain.problem import observe
from peelian.explain.report import factor_table, narrative, sentence
from peelian.explain.run import Parameters, run
from peelian.explain.terrain import captured, risk_classes, top_share
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.places import Places

CRS = 27700
GRID = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=CRS), 100)


def layer(name: str, points: list[tuple[float, float]], **about: object) -> Layer:
    shapes = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*zip(*points, strict=True)), crs=CRS)
    return Layer(name, shapes, **about)  # type: ignore[arg-type]


def incidents(points: np.ndarray, months: list[str], **about: object) -> Incidents:
    start = pd.PeriodIndex(months, freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(*points.T), crs=CRS,
    )  # fmt: skip
    return Incidents(frame, precision="month", **about)  # type: ignore[arg-type]


@cache
def planted(events: int = 900) -> tuple[Incidents, Layers]:
    """Crime three times as dense within 200 m of eight pubs; eight libraries beside the point."""
    rng = np.random.default_rng(5)
    pubs, libraries = rng.uniform(100, 1900, (2, 8, 2))
    draws = rng.uniform(0, 2000, (events * 4, 2))
    near = np.min(np.hypot(*(draws[:, None] - pubs[None]).transpose(2, 0, 1)), axis=1) <= 200
    draws = draws[rng.random(len(draws)) < np.where(near, 0.9, 0.3)][:events]
    months = [f"2018-{1 + i % 12:02d}" for i in range(len(draws))]
    layers = Layers.of([layer("library", libraries.tolist()), layer("pub", pubs.tolist())])
    return incidents(draws, months), layers


@cache
def terrain() -> RiskTerrain:
    cases, layers = planted()
    return rtm(cases, layers, GRID, seed=1, replicates=20, permutations=99, crime="burglary", mode="rtmdx")


# -------------------------------------------------------------------- candidates
def test_proximity_includes_its_distance_and_density_does_not() -> None:
    centres = np.array([[0.0, 0.0], [100.0, 0.0], [100.1, 0.0]])
    points = np.zeros((1, 2))
    nearest = nearest_distance(gpd.points_from_xy([0], [0]), centres, 100)
    assert (nearest <= 100).tolist() == [True, True, False]
    assert (kernel_sums(points, np.ones(1), centres, [100])[0] > 0).tolist() == [True, False, False]


def test_a_weight_of_two_is_a_feature_twice() -> None:
    centres = np.array([[30.0, 40.0]])
    once = kernel_sums(np.zeros((1, 2)), np.array([2.0]), centres, [100])[0]
    twice = kernel_sums(np.zeros((2, 2)), np.ones(2), centres, [100])[0]
    assert once == pytest.approx(twice, rel=1e-12)


def test_distance_to_lines_and_areas_is_exact() -> None:
    shapes = gpd.GeoSeries([LineString([(0, 0), (100, 0)]), box(500, 500, 600, 600)], crs=CRS).to_numpy()
    centres = np.array([[50.0, 30.0], [550.0, 550.0], [300.0, 300.0]])
    assert nearest_distance(shapes, centres, 100).tolist() == [30.0, 0.0, float("inf")]


def test_lines_weigh_their_length_and_areas_their_area() -> None:
    frame = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (100, 0)]), box(500, 500, 600, 700)], crs=CRS)
    points, weight = as_points(frame)
    assert (len(points), weight.sum()) == (10 + 32, pytest.approx(100 + 20_000))


def test_candidates_of_a_factor_and_their_names() -> None:
    layers = Layers.of([layer("bus_stop", [(550, 550)]), layer("pub", [(1550, 1550)])])
    influence = operationalise(layers, GRID, distances=[200, 400])
    assert influence.meta["rtmdx"].tolist()[:3] == [
        "r01p01_bus_stop_proximity_200", "r01p02_bus_stop_proximity_400", "r01d01_bus_stop_density_200",
    ]  # fmt: skip
    assert influence.columns["bus_stop_proximity_200"].sum() == 13  # centres within 200 m of one centre


def test_protective_layers_are_minus_one() -> None:
    influence = operationalise(
        Layers.of([layer("guard", [(550, 550)], sign="protective")]), GRID, distances=[100]
    )
    assert sorted(influence.columns.iloc[:, 0].unique()) == [-1, 0]


def test_candidates_that_say_nothing_are_dropped_with_the_reason() -> None:
    layers = Layers.of([layer("a", [(550, 550)]), layer("b", [(550, 550)])])
    dropped = operationalise(layers, GRID, distances=[200, 3000], operations="proximity").dropped
    assert dropped.to_dict("records") == [
        {"name": "a_proximity_3000", "factor": "a", "reason": "every cell has it"},
        {"name": "b_proximity_200", "factor": "b", "reason": "the same cells as a_proximity_200"},
        {"name": "b_proximity_3000", "factor": "b", "reason": "every cell has it"},
    ]


def test_a_candidate_without_an_incident_has_no_estimate_and_says_so() -> None:
    counts = pd.Series(np.random.default_rng(3).poisson(1.0, len(GRID)), GRID.index)
    near = pd.Series(np.arange(len(GRID)) < 40, GRID.index).astype(int)
    found = rtm(
        counts.where(near == 0, 0), near.to_frame("zoo_200"), GRID, seed=1, factor_of={"zoo_200": "zoo"},
        replicates=0, shift=False, refit="none", permutations=0, mode="rtmdx",
    )  # fmt: skip
    assert found.terms.empty
    assert found.dropped["reason"].tolist() == ["no incident where it holds, so it has no estimate"]


def test_features_count_only_while_they_are_open() -> None:
    shapes = gpd.GeoDataFrame(
        {"open_from": ["2015-01", "2019-01"]}, geometry=gpd.points_from_xy([50, 1950], [50, 1950]), crs=CRS
    )
    span = (pd.Period("2018-01", "M"), pd.Period("2018-12", "M"))
    assert inside(Layer("shop", shapes), GRID, period=span) == 1


def test_a_layer_that_stops_at_the_boundary_is_named() -> None:
    rng = np.random.default_rng(0)
    stops, goes_on = rng.uniform(0, 2000, (40, 2)), rng.uniform(-500, 2500, (60, 2))
    layers = Layers.of([layer("stops", stops.tolist()), layer("goes_on", goes_on.tolist())])
    assert edge_gaps(layers, GRID, 500, {"stops": 40, "goes_on": 30}) == ["stops"]


def test_households_are_spread_by_the_share_of_the_area_that_a_cell_covers() -> None:
    areas = Places.of(
        gpd.GeoDataFrame({"households": [90, 40]}, index=["a", "b"],
                         geometry=[box(0, 0, 300, 100), box(0, 100, 100, 300)], crs=CRS)
    )  # fmt: skip
    cells = Places.grid(gpd.GeoSeries([box(0, 0, 200, 200)], crs=CRS), 100)
    assert spread_households(areas, cells).to_dict() == pytest.approx(
        {"x0y0": 30, "x0y1": 20, "x1y0": 30, "x1y1": 0}
    )


# -------------------------------------------------------------------- verdict, classes, capture
@pytest.mark.parametrize(
    ("frequency", "p", "by_tile", "second_half", "word"),
    [
        (0.80, 0.050, (1.1, 2.0), (1.1, 2.0), "report"),
        (0.79, 0.050, (1.1, 2.0), (1.1, 2.0), "weak"),
        (0.79, 0.051, (1.1, 2.0), (1.1, 2.0), "weak"),
        (0.79, 0.051, (0.9, 2.0), (1.1, 2.0), "do not report"),
        (0.90, float("nan"), (1.1, 2.0), (float("nan"), float("nan")), "weak"),
        (0.90, 0.010, (0.3, 0.8), (0.4, 0.9), "report"),
    ],
)
def test_verdict(
    frequency: float, p: float, by_tile: tuple[float, float], second_half: tuple[float, float], word: str
) -> None:
    assert verdict(frequency, p, by_tile, second_half, Limits())[0] == word


def test_verdict_gives_every_reason() -> None:
    reason = verdict(0.5, 0.3, (0.9, 1.2), (float("nan"), float("nan")), Limits())[1]
    assert reason == (
        "chosen in 50 % of resamples; shifted maps fit as well in 30.0 % of shifts; interval by tile "
        "includes 1; "
        "first half does not choose it"
    )


def test_classes_of_risk() -> None:
    risk = pd.Series([1.0] * 17 + [3.0, 4.0, 9.0])  # mean 1.65, SD 1.93
    assert risk_classes(risk).tolist()[-4:] == ["average or below", "above average", "high", "highest"]


def test_ties_at_the_cut_are_shared() -> None:
    assert top_share([5, 4, 4, 4, 1], 0.4).tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])
    assert captured([5, 4, 4, 4, 1], [2, 3, 0, 0, 5], 0.4) == pytest.approx(0.3)


# -------------------------------------------------------------------- sentences
def test_the_planted_factor_is_reported_and_the_idle_one_is_not() -> None:
    assert terrain().reported["variable"].tolist() == ["pub_proximity_200"]


def test_the_sentence() -> None:
    term = terrain().terms.iloc[0]
    assert str(terrain()) == (
        "Burglary in January 2018 to December 2018 goes with 1 of 2 factors tried; strongest: within 200 m "
        "of the "
        f"nearest pub, {term['times']:.2f} times as frequent (95 % interval {term['robust_low']:.2f} to "
        f"{term['robust_high']:.2f})."
    )


def test_the_sentence_when_nothing_passes() -> None:
    none = replace(terrain(), terms=terrain().terms.assign(verdict="weak"))
    assert sentence(none) == (
        "Burglary in January 2018 to December 2018 goes with none of the 2 factors tried in a way that "
        "passes every "
        "check."
    )


def test_the_sentence_when_checks_were_not_run() -> None:
    cases, layers = planted()
    quick = rtm(
        cases, layers, GRID, seed=1, replicates=0, shift=False, refit="none", permutations=0, mode="rtmdx"
    )
    assert str(quick) == (
        "Crime in January 2018 to December 2018: the search chose 1 of 2 factors; not every check was run."
    )


def test_the_narrative_of_a_factor() -> None:
    term = terrain().terms.iloc[0].copy()
    term[["times", "robust_low", "robust_high"]] = [2.5, 2.0, 3.125]
    term["note"] = "reports follow who complains"
    assert narrative(terrain(), term) == (
        "Within 200 m of the nearest pub, burglary is 2.50 times as frequent as elsewhere, other factors "
        "alike (95 % "
        "interval 2.00 to 3.12, which allows for cells of one tile being alike). Reading: report (passes "
        "all four "
        "checks). Note: reports follow who complains."
    )


def test_the_table_holds_every_factor_tried() -> None:
    table = factor_table(terrain())
    assert table[["Factor", "Reading"]].to_numpy().tolist() == [
        ["pub", "report"],
        ["library", "do not report"],
    ]


def test_a_layer_of_complaints_carries_its_note() -> None:
    cases, layers = planted()
    complaints = Layers.of([replace(layers["pub"], kind="reported-problem")])
    quick = rtm(
        cases, complaints, GRID, seed=1, replicates=0, shift=False, refit="none", permutations=0, mode="rtmdx"
    )
    assert quick.terms["note"].tolist() == ["reports follow who complains"]


# -------------------------------------------------------------------- the surface
def test_the_surface_is_scaled_as_it_says() -> None:
    found = terrain()
    assert found.relative_risk.min() == pytest.approx(1)
    assert found.times_average.mean() == pytest.approx(1)
    assert found.relative_risk.max() == pytest.approx(found.terms["rrv"].prod())
    assert found.risk.sum() == pytest.approx(found.expected.sum())  # one year


def test_rows_read_are_all_accounted_for() -> None:
    points = np.vstack([np.random.default_rng(0).uniform(0, 2000, (500, 2)), [[9000.0, 9000.0]] * 3])
    cases = incidents(points, ["2018-01", "2019-01"] * 251 + ["2018-01"])
    found = rtm(
        cases, planted()[1], GRID, seed=1, period=("2018-01", "2018-12"), replicates=0, shift=False,
        refit="none", permutations=0, mode="rtmdx",
    )  # fmt: skip
    assert found.accounting == {
        "rows read": 503, "refused on reading": 0, "outside the period": 251, "without a point": 0,
        "outside the study area": 2, "used": 250,
    }  # fmt: skip


def test_priority_places_say_why() -> None:
    places = priority_places(terrain(), GRID, share=0.2)
    assert places["why"].unique().tolist() == ["within 200 m of the nearest pub"]
    assert (places["cells"] >= 3).all()


def test_the_predictor_spreads_the_level_of_the_period() -> None:
    cases, layers = planted()
    risk = RTM(layers, mode="rtmdx")(cases, GRID, pd.Period("2019-01", "M"))
    assert (risk.name, risk.index.equals(GRID.index)) == ("risk", True)
    assert risk.sum() == pytest.approx(900 * 31 / 365)


def test_the_predictor_refuses_the_future() -> None:
    cases, layers = planted()
    with pytest.raises(DesignError, match="at or after 2018-06-01"):
        RTM(layers, mode="rtmdx")(cases, GRID, ("2018-06-01", "2018-07-01"))


# -------------------------------------------------------------------- the stage
def test_the_stage_leaves_out_small_layers_and_says_so() -> None:
    cases, layers = planted()
    small = Layers.of([*layers.values(), layer("zoo", [(50, 50)], date="2020-01")])
    found = run(
        cases, small, GRID, Parameters(min_features=8, replicates=20, permutations=99, workers=1, mode="rtmdx"), seed=1,
        crime="burglary",
    )  # fmt: skip
    used = next(b.frame for b in found.section.blocks if getattr(b, "name", "") == "layers").set_index(
        "Layer"
    )
    assert used["Used"].to_dict() == {"library": "yes", "pub": "yes", "zoo": "no: fewer than 8 features"}
    assert found.section.findings[0] == found.summary["sentence"]
    assert set(found.files) >= {"cells.parquet", "terms.csv", "terrain.json", "terrain.gpkg"}
    assert [row["factor"] for row in found.summary["reported"]] == ["pub"]


def test_where_nothing_goes_with_the_crime_it_says_so() -> None:
    points = np.random.default_rng(8).uniform(0, 2000, (900, 2))
    cases = incidents(points, ["2018-01", "2018-02"] * 450)
    parameters = Parameters(min_features=8, replicates=20, permutations=99, workers=1, mode="rtmdx")
    found = run(cases, planted()[1], GRID, parameters, seed=1, crime="burglary")
    assert found.section.findings[0] == (
        "Burglary in January 2018 to February 2018 goes with none of the 2 factors tried in a way that passes "
        "every check."
    )
    assert found.files["priority_places.csv"].empty


def test_one_month_is_split_at_random() -> None:
    points = planted()[0].frame.geometry
    cases = incidents(np.column_stack([points.x, points.y]), ["2018-01"] * len(points))
    found = rtm(cases, planted()[1], GRID, seed=1, replicates=5, permutations=0, mode="rtmdx")
    assert found.inference["halves"] == "the same events split at random, which is weaker than by time"
    assert found.terms["refit_variable"].tolist() == ["pub_proximity_200"]


# -------------------------------------------------------------------- bad input
def test_too_few_events() -> None:
    cases, layers = planted(60)
    with pytest.raises(DesignError, match="Only 60 incidents"):
        rtm(cases, layers, GRID, seed=1, mode="rtmdx")


def test_too_few_events_by_force_are_marked() -> None:
    cases, layers = planted(60)
    found = rtm(
        cases,
        layers,
        GRID,
        seed=1,
        force=True,
        replicates=0,
        shift=False,
        refit="none",
        permutations=0,
        mode="rtmdx",
    )
    assert "Too few events: forced." in found.warnings[0]


def test_a_layer_without_a_feature_inside() -> None:
    layers = Layers.of([*planted()[1].values(), layer("far", [(9e5, 9e5)])])
    with pytest.raises(DataError, match="Layer far has no feature in the study area in 2018-01 to 2018-12"):
        rtm(planted()[0], layers, GRID, seed=1, mode="rtmdx")


def test_police_activity_is_refused_without_a_reason() -> None:
    layers = Layers.of([layer("stops", [(50, 50)], kind="police-activity")])
    with pytest.raises(PrivacyError, match="stops, arrests and patrols follow police"):
        rtm(planted()[0], layers, GRID, seed=1, mode="rtmdx")


def test_a_layer_that_is_the_crime_itself() -> None:
    cases = planted()[0]
    itself = cases.frame.geometry.iloc[:40]
    layers = Layers.of([layer("alarms", list(zip(itself.x, itself.y, strict=True)))])
    with pytest.raises(DesignError, match="40 of 40 features of layer alarms lie exactly on incidents"):
        rtm(cases, layers, GRID, seed=1, mode="rtmdx")


def test_counts_that_are_not_whole() -> None:
    counts = pd.Series(0.5, GRID.index)
    with pytest.raises(DataError, match="whole counts"):
        rtm(counts, planted()[1], GRID, seed=1, mode="rtmdx")


def test_parts_of_events_are_fitted_by_poisson_alone() -> None:
    """Aoristic weights give parts of events; a constant part changes no ratio."""
    cases, layers = planted()
    whole = cases.counts(GRID)
    once, twice = (
        rtm(
            counts, layers, GRID, seed=1, mode="rtmdx", family="poisson", replicates=0, permutations=0,
            operations="proximity",
        )
        for counts in (whole, whole * 1.25)
    )  # fmt: skip
    assert twice.terms["times"].tolist() == pytest.approx(once.terms["times"].tolist(), rel=1e-6)
    assert twice.expected.sum() == pytest.approx(1.25 * whole.sum())


@pytest.mark.parametrize(
    ("crime", "name"), [("drug offences", "police_station"), ("Violence against the person", "hospital")]
)
def test_a_layer_where_the_crime_is_recorded(crime: str, name: str) -> None:
    layers = Layers.of([layer(name, [(500, 500)]), *planted()[1].values()])
    with pytest.raises(DesignError, match=f"Layer {name} is where {crime} is recorded"):
        rtm(planted()[0], layers, GRID, seed=1, mode="rtmdx", crime=crime)


def test_months_without_incidents_and_districts_without_points_are_said() -> None:
    cases = planted()[0]
    frame = cases.frame[~cases.months.isin([pd.Period("2018-03", "M"), pd.Period("2018-04", "M")])].copy()
    frame["place"] = np.where(frame.geometry.x < 1000, "west", "east")
    lost = frame.index[frame["place"] == "west"][:80]
    frame.loc[lost, "geometry"] = None
    found = observe(Incidents(frame, precision="month"), GRID, period=None, seed=1, force=False).warnings
    assert any("Most: west (80)" in words for words in found)
    assert any("2 of 12 months hold no incident (2018-03, 2018-04)" in words for words in found)


@pytest.mark.parametrize(
    ("date", "said"),
    [("2018", ""), ("2017-12", "Layers of an earlier year than the crime (from 2018-03): pub (2017-12). "),
     ("2018-06", ""), ("2019/2023", "Layers of a later date than the crime (to 2018-09): pub (2023). "),
     ("not stated", "")],
)  # fmt: skip
def test_layers_of_another_time_than_the_crime(date: str, said: str) -> None:
    span = (pd.Period("2018-03", "M"), pd.Period("2018-09", "M"))
    found = layer_dates({"pub": layer("pub", [(1.0, 1.0)], date=date)}, span)
    assert [words[: len(said)] for words in found] == [said] * bool(said)


def test_a_layer_that_says_when_features_were_there_is_taken_at_its_word() -> None:
    pubs = layer("pub", [(1.0, 1.0)], date="2023")
    pubs = replace(pubs, features=pubs.features.assign(open_from="2010-01"))
    span = (pd.Period("2018-03", "M"), pd.Period("2018-09", "M"))
    assert layer_dates({"pub": pubs}, span) == []


def test_the_reason_for_a_layer_where_the_crime_is_recorded_is_printed() -> None:
    cases, layers = planted()
    found = rtm(
        cases, layers, GRID, seed=1, replicates=0, shift=False, refit="none", permutations=0, mode="rtmdx",
        allow_outcome_factor="a check of the method",
    )  # fmt: skip
    assert any(words.endswith("Reason given: a check of the method.") for words in found.warnings)


def test_what_half_of_the_culls_keep_goes_into_the_search() -> None:
    cases, layers = planted()
    asked = {"seed": 1, "replicates": 0, "shift": False, "refit": "none", "permutations": 0, "mode": "rtmdx"}
    once, often = (rtm(cases, layers, GRID, cull_repeats=repeats, **asked) for repeats in (1, 4))  # type: ignore[arg-type]
    assert often.terms["variable"].tolist() == ["pub_proximity_200"]
    assert often.culling["penalty"].tolist() == once.culling["penalty"].tolist()
    kept = {n: int(found.factors["kept"].sum()) for n, found in (("once", once), ("often", often))}
    assert 1 <= kept["often"] != kept["once"]


def test_the_other_mode_knows_no_repeated_culls() -> None:
    with pytest.raises(DesignError, match='swap and cull_repeats: only mode = "rtmdx"'):
        rtm(*planted(), GRID, seed=1, swap=True)


def test_an_offset_with_holes() -> None:
    with pytest.raises(DataError, match="offset needs a number"):
        rtm(planted()[0], planted()[1], GRID, seed=1, offset=pd.Series(1.0, GRID.index[:10]), mode="rtmdx")


def test_cells_too_fine_for_snapped_points() -> None:
    fine = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=CRS), 40)
    snapped = replace(planted()[0], snapped=True)
    with pytest.raises(DesignError, match="Use cells of at least 100 m"):
        rtm(snapped, planted()[1], fine, seed=1, mode="rtmdx")


def test_households_that_no_area_holds() -> None:
    with pytest.raises(DesignError, match="needs areas with a households column"):
        run(
            planted()[0],
            planted()[1],
            GRID,
            Parameters(min_features=1, offset="households", mode="rtmdx"),
            seed=1,
        )


def test_unknown_layers_are_named() -> None:
    with pytest.raises(DataError, match="there is no layer zoo"):
        run(planted()[0], planted()[1], GRID, Parameters(categories=("zoo",), mode="rtmdx"), seed=1)


def test_no_layer_large_enough() -> None:
    with pytest.raises(DesignError, match="No layer has 500 features"):
        run(planted()[0], planted()[1], GRID, Parameters(min_features=500, mode="rtmdx"), seed=1)


@pytest.mark.parametrize("period", ["2018", "2018-13..2019-01", "2019-01..2018-01"])
def test_a_period_that_is_none(period: str) -> None:
    with pytest.raises(ValueError, match="first and last month"):
        Parameters(period=period, mode="rtmdx")


def test_years_choose_and_later_years_refit() -> None:
    cases = planted()[0]
    frame = cases.frame.copy()
    later = pd.to_timedelta((np.arange(len(frame)) % 3) * 366, "D")  # from the 1st of a month to within it
    frame["start"] += later
    frame["end"] = frame["start"] + pd.Timedelta(20, "D")
    three = Incidents(frame, precision="month")
    found = observe(three, GRID, period=("2018-01", "2020-12"), seed=1, force=False, refit="years")
    assert found.halves_are == "2018-01 to 2019-12 and 2020-01 to 2020-12"
    assert [half.sum() for half in found.halves] == [
        (three.months < "2020-01").sum(), (three.months >= "2020-01").sum(),
    ]  # fmt: skip


@pytest.mark.parametrize("counts", [True, False])
def test_years_need_a_turn_of_the_year(counts: bool) -> None:
    cases = planted()[0]
    data = pd.Series(1, GRID.index) if counts else cases
    with pytest.raises(DesignError, match="carry no dates" if counts else "2018-01 to 2018-12 has none"):
        observe(data, GRID, period=None, seed=1, force=False, refit="years")
