"""What is said about an extract: gaps, repeats, blanks, codes, precision, levels, vintage; the chapter."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, box

from peelian.errors import DataError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.project import validated
from peelian.read.quality import quality
from peelian.read.run import IncidentSource, LayerSource, Parameters, PlacesSource, Sources, run, sources_of
from peelian.read.vintage import vintage
from peelian.report import Text

AREAS = Places.of(
    gpd.GeoDataFrame(
        {"households": [100, 200]}, index=["E01000001", "E01000002"],
        geometry=[box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)], crs=27700,
    )
)  # fmt: skip


def extract(months: list[str], **columns: object) -> Incidents:
    start = pd.PeriodIndex(months, freq="M").to_timestamp().as_unit("us")
    held = {
        "start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "f.csv",
        "place": pd.Series(["E01000001"] * len(months), dtype="str"),
        "id": pd.Series([str(k) for k in range(len(months))], dtype="str"), "repeated": False,
        "fault": pd.Series([None] * len(months), dtype="str"),
    }  # fmt: skip
    geometry = columns.pop("geometry", [Point(k % 1000, 500) for k in range(len(months))])
    frame = gpd.GeoDataFrame(held | columns, geometry=geometry, crs=27700)  # type: ignore[operator]
    return Incidents(frame, precision="month", published=True)


def sentence(incidents: Incidents, check: str, **options: object) -> str:
    found = quality(incidents, AREAS, **options).checks.set_index("check")  # type: ignore[arg-type]
    return str(found.loc[check, "sentence"])


def level(incidents: Incidents, check: str) -> str:
    return str(quality(incidents, AREAS).checks.set_index("check").loc[check, "level"])


def test_months_without_a_row_are_gaps() -> None:
    incidents = extract(["2016-01", "2016-02", "2016-05", "2016-07"])
    assert sentence(incidents, "months") == (
        "The rows span 7 months, January 2016 to July 2016; 3 months are missing: "
        "March 2016 to April 2016, June 2016."
    )
    assert level(incidents, "months") == "warning"


def test_a_month_far_below_those_around_is_named() -> None:
    months = [str(m) for m in pd.period_range("2016-01", "2016-12", freq="M")]
    incidents = extract([m for m in months for _ in range(10 if m == "2016-06" else 40)])
    assert sentence(incidents, "low_months") == (
        "1 month is below 50 % of those around: June 2016 (10 against about 40)."
    )


def test_repeats_are_counted_with_their_share() -> None:
    incidents = extract(["2016-01"] * 4, repeated=[False, True, True, False])
    assert sentence(incidents, "repeats") == "2 rows repeat the ID of an earlier row (50.0 % of 4)."


def test_equal_rows_without_an_id_are_counted_apart() -> None:
    incidents = extract(["2016-01"] * 3, id=pd.Series([None] * 3, dtype="str"), geometry=[Point(1, 1)] * 3)
    assert sentence(incidents, "twins") == "2 rows without an ID equal another in every column (66.7 % of 3)."


def test_blank_locations_name_the_worst_year() -> None:
    incidents = extract(["2015-01", "2015-02", "2016-01", "2016-02"], geometry=[Point(1, 1)] * 3 + [None])
    assert sentence(incidents, "blanks") == ("1 of 4 rows (25.0 %) have no point; most in 2016 (50.0 %).")


def test_faults_of_coordinates_are_counted_by_kind() -> None:
    fault = pd.Series(["coordinates are 0, 0", None, "coordinates are 0, 0"], dtype="str")
    incidents = extract(["2016-01"] * 3, fault=fault, geometry=[None, Point(1, 1), None])
    assert sentence(incidents, "faults") == (
        "2 rows have values that cannot be used (coordinates are 0, 0: 2)."
    )


def test_codes_that_are_not_among_the_areas_are_counted() -> None:
    place = pd.Series(["E01000001", "E01000009", "E01000009", None], dtype="str")
    assert sentence(extract(["2016-01"] * 4, place=place), "codes") == (
        "33.33 % of the 3 rows with an area code name one of the 2 areas; 2 rows name 1 other (E01000009)."
    )


def test_points_in_another_area_than_their_code_lower_the_share() -> None:
    incidents = extract(["2016-01"] * 4, geometry=[Point(1, 1)] * 3 + [Point(1500, 1)])
    assert (
        sentence(incidents, "own_area") == "The point lies in the area of its own code in 75.0 % of 4 rows."
    )


def test_points_outside_every_area_are_counted() -> None:
    incidents = extract(["2016-01"] * 4, geometry=[Point(1, 1)] * 3 + [Point(5000, 1)])
    assert sentence(incidents, "outside") == "1 point of 4 (25.0 %) lies outside every area."


def test_many_rows_on_few_points_look_snapped() -> None:
    incidents = extract(["2016-01"] * 6, geometry=[Point(1, 1)] * 4 + [Point(2, 2)] * 2)
    assert sentence(incidents, "snapping") == (
        "6 points stand on 2 places, 3.0 a place: they are probably snapped or rounded, 1 m from the next at the median."
    )


def test_months_forbid_what_needs_days() -> None:
    assert sentence(extract(["2016-01"]), "precision") == (
        "Dates are months: near-repeat and daily forecasts are not supported by this extract."
    )


def test_the_largest_change_of_level_is_described() -> None:
    months = [str(m) for m in pd.period_range("2015-01", "2016-12", freq="M")]
    incidents = extract([m for m in months for _ in range(40 if m < "2016-01" else 20)])
    assert sentence(incidents, "levels") == (
        "The largest change of level is -50.0 %: 240 in the 12 months from January 2016 against 480 in the "
        "12 before (a description, not a test)."
    )


def test_types_whose_names_come_and_go_are_listed() -> None:
    incidents = extract(["2016-01", "2016-02", "2016-03"], type=["Burglary", "Violent crime", "Burglary"])
    assert sentence(incidents, "types") == (
        "2 crime types: Burglary (2), Violent crime (1). Not in use from first to last month: Violent crime."
    )


def test_every_sentence_that_wants_something_done_says_what() -> None:
    incidents = extract(["2015-01", "2016-02"], geometry=[None, Point(5000, 1)])
    checks = quality(incidents, AREAS).checks
    assert (checks.loc[checks["level"] == "warning", "remedy"] != "").all()


def test_an_extract_without_a_single_accepted_row_is_judged_too() -> None:
    refused = pd.DataFrame({"file": ["f"], "row": [1], "reason": ["no month"], "text": [","]})
    empty = Incidents(extract(["2016-01"]).frame.iloc[:0], refused)
    assert quality(empty, AREAS).checks["sentence"].tolist() == [
        "1 rows were read: 0 accepted and 1 refused (no month: 1)."
    ]


# -------------------------------------------------------------------- vintage
def test_the_vintage_of_each_month_with_both_lists_of_codes() -> None:
    months = pd.Series(pd.PeriodIndex(["2022-01", "2022-06", "2022-06", "2022-09", "2022-10"], freq="M"))
    codes = pd.Series(["old", "old", "new", "new", "same"], dtype="str")
    table = vintage(codes, months, known_2011=["old", "same"], known_2021=["new", "same"])
    assert table["edition"].tolist() == ["2011", "mixed", "2021", "either"]


def test_without_lists_the_numbering_tells() -> None:
    months = pd.Series(pd.PeriodIndex(["2021-01", "2022-12", "2023-01", "2023-02", "2023-03"], freq="M"))
    codes = pd.Series(["E01033768", "E01033769", "W01001959", "S01000001", "E01900001"], dtype="str")
    assert vintage(codes, months)["edition"].tolist() == [
        "2011", "2021 or mixed", "2021 or mixed", "none known", "none known",
    ]  # fmt: skip


def test_one_list_of_codes_is_not_enough() -> None:
    with pytest.raises(DataError, match=r"codes of both editions or of neither"):
        vintage(pd.Series(["a"]), pd.Series(pd.PeriodIndex(["2022-01"], freq="M")), known_2011=["a"])


def test_mixed_editions_in_an_extract_are_a_warning() -> None:
    place = pd.Series(["E01000001", "E01035000"], dtype="str")
    assert level(extract(["2022-01", "2022-12"], place=place), "vintage") == "warning"


# -------------------------------------------------------------------- the tables of peelian.toml
@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (
            PlacesSource,
            {"file": "a", "id": "b", "housholds": "c"},
            "no key 'housholds'. Did you mean 'households'",
        ),
        (PlacesSource, {"file": "a"}, "lacks the key 'id'"),
        (PlacesSource, {"file": "a", "id": "b", "cell": 0}, "cell is 0: Input should be greater than 0"),
        (IncidentSource, {"reader": "polis", "file": "a"}, "reader is 'polis'"),
        (IncidentSource, {"reader": "table", "file": "a"}, "needs a mapping"),
        (IncidentSource, {"file": "a", "dates": "dmy"}, 'dates belongs to reader = "table"'),
        (LayerSource, {"file": "a", "category": "b", "catgories": ["c"]}, "Did you mean 'categories'"),
        (Parameters, {"repeats": "delete"}, "repeats is 'delete'"),
        (Parameters, {"shift": 25}, "did you mean 0.25"),
    ],
)
def test_a_wrong_table_names_key_and_remedy(kind: type, values: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        validated(kind, values, table="places", file=Path("peelian.toml"))


def test_a_project_needs_places_and_incidents(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \[places\] table"):
        sources_of({}, tmp_path, tmp_path / "peelian.toml")
    with pytest.raises(DataError, match=r"no \[\[incidents\]\] table"):
        sources_of({"places": {"file": "a", "id": "b"}}, tmp_path, tmp_path / "peelian.toml")


# -------------------------------------------------------------------- the chapter
@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    folder = tmp_path_factory.mktemp("project")
    shapes = AREAS.frame.set_geometry(AREAS.geometry.translate(513_000, 175_000)).reset_index()
    shapes.to_file(folder / "areas.gpkg")
    lines = ["Crime ID,Month,Longitude,Latitude,LSOA code,Crime type"]
    lines += [f"{k},2016-0{1 + k % 3},-0.37,51.472,E0100000{1 + k % 2},Burglary" for k in range(30)]
    lines += ["x,,-0.37,51.472,E01000001,Burglary", "y,2016-01,-0.37,51.472,E01000001,Drugs"]
    (folder / "peel-street.csv").write_text("\n".join(lines))
    (folder / "pois.csv").write_text("kind,easting,northing\npub,513500,175500\npub,,\n")
    tables = {
        "places": {"file": "areas.gpkg", "id": "place", "households": "households"},
        "incidents": [{"file": "peel-street.csv"}],
        "layers": [{"file": "pois.csv", "category": "kind", "licence": "OGL", "source": "council"}],
    }
    return sources_of(tables, folder, folder / "peelian.toml")


def test_the_findings_of_the_chapter(sources: Sources) -> None:
    outcome, *_ = run(sources, Parameters(), crime=("Burglary",), seed=1)
    assert outcome.section.findings == [
        "32 rows were read from 1 file: 1 was refused and kept aside with the reason.",
        "30 of them are burglary, January 2016 to March 2016.",
        "30 (100.0 %) are in the project's 2 areas, counted by the area code in the extract.",
        "Dates are months and points are snapped to streets: near-repeat and daily forecasts are not supported by this extract.",
        "3 checks ask for attention before these rows are modelled; they are listed below.",
    ]


def test_all_types_are_kept_and_refused_rows_are_written(sources: Sources) -> None:
    outcome, incidents, _, layers = run(sources, Parameters(), crime=("Burglary",), seed=1)
    assert (len(incidents), len(layers["pub"])) == (31, 1)
    assert outcome.files["rejected.csv"]["reason"].tolist() == ["no month"]
    assert outcome.files["rejected_features.csv"]["reason"].tolist() == ["no coordinates"]


def test_the_sources_name_their_licences(sources: Sources) -> None:
    outcome, *_ = run(sources, Parameters(), crime=("Burglary",), seed=1)
    assert [row[3] for row in outcome.sources] == ["not stated", "Open Government Licence v3.0", "OGL"]


def test_rates_are_a_year_and_a_thousand_households(sources: Sources) -> None:
    outcome, *_ = run(sources, Parameters(), crime=("Burglary",), seed=1)
    # 15 in three months = 60 a year, over 100 and 200 households
    assert outcome.files["areas.csv"]["rate"].tolist() == [600.0, 300.0]


def test_the_chapter_goes_through_json(sources: Sources) -> None:
    outcome, *_ = run(sources, Parameters(), crime=("Burglary",), seed=1)
    json.dumps([outcome.section.as_json(), outcome.summary, outcome.files["quality.json"]])


def test_progress_counts_every_source(sources: Sources) -> None:
    seen: list[tuple[int, int]] = []
    run(sources, Parameters(), crime=("Burglary",), seed=1, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_crime_that_no_row_has_is_an_error(sources: Sources) -> None:
    with pytest.raises(DataError, match=r"No incident is of type Arson. The extract holds: Burglary, Drugs"):
        run(sources, Parameters(), crime=("Arson",), seed=1)


def test_a_file_without_rows_is_told(sources: Sources, tmp_path: Path) -> None:
    for file in sources.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "street").mkdir()
    (tmp_path / "peel-street.csv").rename(tmp_path / "street" / "2016-01-03.csv")
    (tmp_path / "street" / "2016-04.csv").write_text("Month,Crime type\n")
    moved = replace(sources, incidents=(IncidentSource("street"),), folder=tmp_path)
    outcome, *_ = run(moved, Parameters(), crime=("Burglary",), seed=1)
    warnings = [b.text for b in outcome.section.blocks if isinstance(b, Text) and b.kind == "warning"]
    assert (
        "1 file holds no row: 2016-04.csv. 2016-04 is therefore missing. A file without a row is a gap, not a "
        "month without crime. Download it again."
    ) in warnings
    assert outcome.files["quality.csv"].set_index("check")["level"]["files"] == "warning"


# -------------------------------------------------------------------- breaks, recording, names, published totals
MONTHS = [str(m) for m in pd.period_range("2016-01", "2018-12", freq="M")]


def stepped(low: int, high: int, first: str = "2017-04", **columns: object) -> Incidents:
    return extract([m for m in MONTHS for _ in range(high if m >= first else low)], **columns)


def test_a_jump_where_recording_changed_says_so() -> None:
    found = quality(stepped(40, 80), AREAS)
    assert found.tables["breaks"][["series", "month"]].astype("str").values.tolist() == [
        ["Burglary", "2017-04"]
    ]
    text = found.checks.set_index("check").loc["breaks", "sentence"]
    assert text.startswith(
        "1 sudden change of level passes the test (of 1 series by type and force): Burglary +96 % from April 2017"
    )
    assert text.endswith("where recording changed).")


def test_a_level_that_stays_is_fine() -> None:
    assert level(stepped(40, 40), "breaks") == "fine"


def test_a_known_change_of_recording_within_the_months_is_told() -> None:
    text = sentence(stepped(4, 4), "recording")
    assert text.startswith(
        "Recording changed within these months. 1 April 2017: Burglary in a dwelling or not"
    )


def test_a_change_of_recording_outside_the_months_is_not_told() -> None:
    assert sentence(extract(["2016-01"]), "recording") == (
        "No known change of recording lies within these months."
    )


def test_a_type_that_was_renamed_is_told() -> None:
    incidents = extract(["2013-03", "2013-06"], type=["Violent crime", "Violence and sexual offences"])
    assert sentence(incidents, "names").startswith(
        "Names of types changed within these months. May 2013: Violent crime was renamed"
    )


@pytest.mark.parametrize(("count", "said"), [(20, "fine"), (25, "warning")])
def test_rows_are_held_against_published_totals(count: int, said: str) -> None:
    published = pd.Series([10, 10], pd.PeriodIndex(["2016-01", "2016-02"], freq="M"))
    incidents = extract(["2016-01"] * 10 + ["2016-02"] * (count - 10))
    found = quality(incidents, AREAS, published=published)
    assert found.checks.set_index("check").loc["published", "level"] == said
    assert found.tables["published"]["ratio"].tolist() == [count / 20]


def test_blank_locations_are_told_by_month() -> None:
    incidents = extract(["2016-01", "2016-02", "2016-02"], geometry=[Point(1, 1), None, Point(2, 2)])
    assert quality(incidents, AREAS).tables["months"]["blank"].tolist() == [0, 1]


def test_the_judgement_is_plain_json() -> None:
    published = pd.Series([10] * 36, pd.PeriodIndex(MONTHS, freq="M"))
    json.dumps(quality(stepped(40, 80), AREAS, published=published).as_json())
