"""Who does what: officers and wards, rounds of one shift, signs, shops, and the lists to work from."""

from __future__ import annotations

import io

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, Point, box

from peelian.arithmetic.routes import walk_metres
from peelian.errors import DataError, DesignError
from peelian.layers import Layer, Layers
from peelian.places import Places
from peelian.plan import (
    allocate,
    entrances,
    estimated_streets,
    monthly_kits,
    rounds,
    schedule,
    shop_visits,
    signs,
    street_lists,
)
from peelian.plan.asked import Held
from peelian.plan.run import Parameters, run
from peelian.plan.streets import Shift
from peelian.programme import Programme

AREAS = Places.of(
    gpd.GeoDataFrame(
        {"households": [100, 100, 100, 100], "unit": ["N", "N", "S", "S"], "ward": ["w1", "w2", "w3", "w3"]},
        index=list("abcd"), geometry=[box(500 * i, 0, 500 * i + 500, 500) for i in range(4)],
        crs="EPSG:27700",
    )
)  # fmt: skip
START = pd.Period("2016-01", "M")
RISK = pd.Series({"a": 40.0, "b": 30.0, "c": 20.0, "d": 1.0})
STREETS = pd.DataFrame(
    [("Acacia Road", "a", 60, 10.0, 0.0), ("Birch Road", "a", 150, 400.0, 0.0), ("Cedar Road", "b", 90, 700.0, 0.0),
     ("Dale Road", "b", 30, 900.0, 300.0), ("Elm Road", "c", 110, 1200.0, 0.0)],
    columns=["street", "place", "dwellings", "x", "y"],
)  # fmt: skip


@pytest.fixture(scope="module")
def plan():
    return allocate(RISK, AREAS, kits=255, fitted_on=(START - 48, START - 13), start=START)


# ------------------------------------------------------------------- officers
def test_sixty_officers_bring_out_the_kits_of_the_decision() -> None:
    """440,000 kits over five years: 7,333 a year to a command unit of five, 88,000 to twelve."""
    monthly = monthly_kits(5, kits_a_shift=440_000 / 5 / 60 / 220)
    years = pd.period_range("2016-01", "2020-12", freq="M")
    assert sum(monthly("Unit", month) for month in years) == pytest.approx(440_000 / 12, abs=5)


def test_a_month_of_bank_holidays_brings_out_less() -> None:
    monthly = monthly_kits(5, kits_a_shift=10)
    assert monthly("N", pd.Period("2016-12", "M")) < monthly("N", pd.Period("2016-11", "M"))


def test_officers_of_each_team() -> None:
    monthly = monthly_kits({"N": 4, "S": 2}, kits_a_shift=10)
    assert monthly("N", START) == pytest.approx(2 * monthly("S", START), abs=1)


def test_a_team_of_no_officers_is_never_done(plan) -> None:
    with pytest.raises(DesignError, match="No officer of S brings anything out"):
        schedule(plan, monthly_kits({"N": 4}, kits_a_shift=10), team=AREAS.frame["unit"])


def test_ward_officers_work_in_their_own_ward_alone(plan) -> None:
    work = schedule(plan, 20, team=AREAS.frame["unit"], ward=AREAS.frame["ward"], ward_kits_a_month=10)
    own = work[work["by"] == "ward officer"]
    assert own.groupby(own["place"].map(AREAS.frame["ward"]))["kits"].max().le(10).all()
    assert set(own["place"]) == {"a", "b", "c"}
    assert work.groupby("place")["kits"].sum().to_dict() == {"a": 85, "b": 85, "c": 85}


# ------------------------------------------------------------------- rounds
@pytest.fixture(scope="module")
def table(plan):
    work = schedule(plan, 60, team=AREAS.frame["unit"])
    return street_lists(plan, STREETS, team=AREAS.frame["unit"], ward=AREAS.frame["ward"], work=work)


def test_no_round_passes_a_shift_its_doors_or_its_kits(table) -> None:
    held = rounds(table)
    assert held["dwellings"].max() <= 80
    assert held["kits"].max() <= 40
    assert held["minutes"].max() <= 420 + len(table)  # minutes of a street are rounded up


def test_a_street_too_long_for_a_shift_comes_in_parts(table) -> None:
    birch = table[table["street"] == "Birch Road"]
    assert birch["part"].tolist() == ["1 of 2", "2 of 2"]
    assert birch["dwellings"].sum() == 150


def test_kits_of_rounds_are_those_of_the_plan(table, plan) -> None:
    assert rounds(table).groupby("place")["kits"].sum().to_dict() == plan.chosen["kits"].to_dict()


def test_a_round_is_walked_as_far_as_its_streets_lie_apart(plan) -> None:
    shift = Shift.of_figures(minutes=9999, doors=999, carried=999)
    held = rounds(street_lists(plan, STREETS, shift=shift)).set_index("place")
    assert held.loc["b", "metres"] == round(1.3 * walk_metres([[700, 0], [900, 300]], [0, 1]))


def test_rounds_have_the_months_of_the_schedule(table) -> None:
    months = table.groupby(["place", "round"])["month"].first()
    assert months.loc["a"].iloc[0] == "2016-01"
    assert months.loc["b"].iloc[-1] > months.loc["a"].iloc[0]


def test_every_ward_list_holds_its_ward_alone(table) -> None:
    assert (table["ward"] == table["place"].map(AREAS.frame["ward"])).all()


def test_two_streets_of_one_name_need_a_number(plan) -> None:
    far = pd.concat([STREETS, STREETS.head(1).assign(place="c", x=9000.0)], ignore_index=True)
    with pytest.raises(DataError, match="several streets of one name"):
        street_lists(plan, far)
    numbered = far.assign(usrn=[str(n) for n in range(len(far))])
    assert (street_lists(plan, numbered)["street"] == "Acacia Road").sum() >= 2


def test_homes_are_spread_over_roads_by_length_and_marked(plan) -> None:
    roads = gpd.GeoDataFrame(
        {"name": ["Long", "Short", None]},
        geometry=[LineString([(0, 250), (300, 250)]), LineString([(0, 100), (100, 100)]),
                  LineString([(600, 10), (1400, 10)])], crs="EPSG:27700",
    )  # fmt: skip
    found = estimated_streets(roads, AREAS).set_index(["place", "street"])["dwellings"]
    assert found.to_dict() == {
        ("a", "Long"): 75, ("a", "Short"): 25, ("b", "unnamed road"): 100, ("c", "unnamed road"): 100,
    }  # fmt: skip
    assert street_lists(plan, estimated_streets(roads, AREAS))["estimated"].all()


# ------------------------------------------------------------------- signs and shops
ROADS = gpd.GeoDataFrame(
    {"name": ["High Street", "Side Lane"]},
    geometry=[LineString([(-100, 250), (3000, 250)]), LineString([(250, -50), (250, 100)])], crs="EPSG:27700",
)  # fmt: skip


def test_ways_in_are_where_roads_cross_the_edge_of_the_chosen_group(plan) -> None:
    found = entrances(plan, AREAS, ROADS)
    assert sorted(zip(found["site"], found.geometry.x.round(), strict=True)) == [
        ("High Street", 0.0), ("High Street", 1500.0), ("Side Lane", 250.0),
    ]  # fmt: skip


def test_every_way_in_has_a_sign_and_one_stands_for_so_many_homes(plan) -> None:
    placed = signs(plan, AREAS, entrances(plan, AREAS, ROADS), streets=STREETS)
    assert (placed["kind"] == "entrance").sum() == 3
    assert len(placed) == 17  # 300 homes, one for 18


def test_signs_stand_in_chosen_areas_alone(plan) -> None:
    sites = gpd.GeoDataFrame(
        {"site": ["in", "out"], "kind": "station"}, geometry=[Point(250, 250), Point(1800, 250)], crs="EPSG:27700"
    )  # fmt: skip
    assert "out" not in set(signs(plan, AREAS, sites)["site"])
    with pytest.raises(DesignError, match="out has a sign already but stands in an area that is not treated"):
        signs(plan, AREAS, sites.assign(existing=True))


def test_no_more_sites_are_taken_than_cover_the_streets() -> None:
    """Greedy takes the middle site first and then needs both ends; the two ends alone cover the same."""
    from peelian.plan.signage import _cover

    covers = np.array([[1, 1, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], bool)
    taken = _cover(covers, np.ones(6), np.zeros(3, bool), 3)
    assert taken.tolist() == [False, True, True]


def test_shops_are_on_the_list_of_the_nearest_team(plan) -> None:
    shops = gpd.GeoSeries([Point(1200, 100), Point(100, 900)], index=["s", "n"], crs="EPSG:27700")
    found = shop_visits(plan, AREAS, shops, team=AREAS.frame["unit"]).set_index("shop")
    assert found["team"].to_dict() == {"s": "S", "n": "N"}


# ------------------------------------------------------------------- the whole stage
@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    STREETS.assign(occupier="Joan Bloggs", phone="07700 900123").to_csv(folder / "streets.csv", index=False)
    ROADS.to_file(folder / "roads.gpkg")
    (folder / "teams.csv").write_text("area,team,officers\nN,North,5\nS,South,4\n", encoding="utf-8")
    point = gpd.GeoDataFrame(geometry=[Point(1300, 100)], crs="EPSG:27700")
    layers = Layers.of([Layer("pawnbroker", point), Layer("station", point)])
    months = pd.period_range("2012-01", "2014-12", freq="M", name="month")
    counts = pd.DataFrame({m: (RISK / 12).round() for m in months}).rename_axis("place")
    asked = Parameters(
        kits=255, team="unit", team_kits=255, teams="teams.csv", ward="ward", ward_kits_a_month=5,
        shop_layers=("pawnbroker",), sign_layers=("station",), lists=("html", "docx"),
    )  # fmt: skip
    files = {
        key: folder / f"{key}.{end}" for key, end in (("streets", "csv"), ("roads", "gpkg"), ("teams", "csv"))
    }
    counts.columns.name = "month"
    return run(
        RISK, (START - 48, START - 13), AREAS, Programme("Kits"), counts.stack(), asked, seed=1,
        crime="burglary", held=Held(files, layers, "OFFICIAL-SENSITIVE"),
    )  # fmt: skip


def test_each_team_and_each_ward_has_its_lists(outcome) -> None:
    names = {name for name in outcome.files if name.startswith("lists/")}
    stems = ("team-north", "team-south", "ward-w1", "ward-w2", "ward-w3")
    assert names == {f"lists/{stem}.{kind}" for stem in stems for kind in ("html", "docx")}


def test_what_one_officer_brings_out_is_said(outcome) -> None:
    months = outcome.files["schedule.csv"].pipe(lambda f: f[f["by"] == "team"])
    span = pd.PeriodIndex(months["month"].astype(str), freq="M")
    each = months["kits"].sum() / (((span.max() - span.min()).n + 1) / 12) / 9  # five officers and four
    sentence = next(x for x in outcome.section.findings if "for each officer" in x)
    assert f"That is {each:,.0f} kits a year for each officer, {each / 220:.1f} a shift." in sentence


def cells(html: str) -> set[str]:
    from bs4 import BeautifulSoup

    return {cell.get_text() for cell in BeautifulSoup(html, "html.parser").find_all("td")}


@pytest.mark.parametrize(
    ("stem", "own", "others"),
    [
        ("team-north", {"Acacia Road", "Cedar Road"}, {"Elm Road"}),
        ("team-south", {"Elm Road"}, {"Acacia Road", "Cedar Road"}),
        ("ward-w2", {"Cedar Road"}, {"Acacia Road", "Elm Road"}),
    ],
)
def test_a_list_holds_its_own_streets_and_no_others(outcome, stem: str, own: set, others: set) -> None:
    text = {cell.split(" (")[0] for cell in cells(outcome.files[f"lists/{stem}.html"])}
    assert own <= text
    assert not others & text


def test_word_and_page_hold_the_same_tables(outcome) -> None:
    import docx

    made = docx.Document(io.BytesIO(outcome.files["lists/team-north.docx"]))
    words = {cell.text for table in made.tables for row in table.rows[1:] for cell in row.cells}
    assert words - {"\u2610"} == cells(outcome.files["lists/team-north.html"])
    assert made.sections[0].header.paragraphs[0].text == "OFFICIAL-SENSITIVE"


def test_the_chapter_counts_rounds_signs_and_shops(outcome) -> None:
    text = " ".join(outcome.section.findings)
    assert f"{len(outcome.files['rounds.csv'])} rounds of one officer and one shift" in text
    assert "1 shop to visit, 1 within 1 km of a chosen area first." in text


def test_the_geopackage_holds_areas_streets_and_signs_with_their_styles(outcome, tmp_path) -> None:
    import sqlite3

    import pyogrio

    from peelian.outputs import write_content

    write_content(tmp_path / "plan.gpkg", outcome.files["plan.gpkg"])
    held = dict(pyogrio.list_layers(tmp_path / "plan.gpkg"))
    assert set(held) - {"layer_styles"} == {"areas", "streets", "signs"}
    assert pyogrio.read_info(tmp_path / "plan.gpkg", layer="signs")["crs"] == "EPSG:27700"
    with sqlite3.connect(tmp_path / "plan.gpkg") as store:
        styled = {row[0] for row in store.execute("SELECT f_table_name FROM layer_styles")}
    assert styled == {"areas", "streets", "signs"}


def test_no_output_holds_a_person(outcome, tmp_path) -> None:
    """Columns that a streets file should not have never reach an output, whatever its format."""
    from peelian.outputs import write_stage

    write_stage(tmp_path / "plan", outcome.files, {"stage": "plan", "made": {}})
    for path in sorted((tmp_path / "plan").rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".docx":
            import zipfile

            content = zipfile.ZipFile(path).read("word/document.xml")
        assert b"Joan Bloggs" not in content, path.name
        assert b"07700 900123" not in content, path.name


def test_a_layer_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="shop_layers names the layer 'pawn'; the project's layers are none"):
        run(
            RISK, (START - 48, START - 13), AREAS, Programme("Kits"),
            pd.Series(1.0, pd.MultiIndex.from_product([list("abcd"), [START - 13]], names=["place", "month"])),
            Parameters(kits=255, shop_layers=("pawn",)), seed=1,
        )  # fmt: skip
