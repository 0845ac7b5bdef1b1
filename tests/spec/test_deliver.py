"""The deliver stage on small tables: what is counted, what is said, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from peelian.deliver import read_deliveries, read_recoveries, recovered, saturation, treated_from
from peelian.deliver.dose import forecast, streets
from peelian.deliver.run import Parameters, run
from peelian.errors import DataError, PrivacyError
from peelian.places import Places
from peelian.programme import Programme

HOMES = {"a": 549, "b": 100, "c": 60, "d": 80}
AREAS = Places.of(
    gpd.GeoDataFrame(
        {"households": list(HOMES.values())}, index=list(HOMES), crs="EPSG:27700",
        geometry=[box(500 * i, 0, 500 * i + 500, 500) for i in range(len(HOMES))],
    )
)  # fmt: skip


def month(text: str) -> pd.Period:
    return pd.Period(text, "M")


def programme(*treated: str) -> Programme:
    areas = pd.DataFrame(
        {"arm": "treated", "start": pd.PeriodIndex(["2016-01"] * len(treated), freq="M")},
        index=pd.Index(treated, name="place"),
    )
    return Programme("Marking", areas)


def write(folder: Path, text: str, name: str = "deliveries.csv") -> Path:
    path = folder / name
    path.write_text(text.strip() + "\n", encoding="utf-8")
    return path


GOOD = """
place,month,kits,street,dwellings
a,2016-01,300,s1,300
a,2016-02-14,100,s2,200
a,2016-03,67,s2,200
b,2016-01,20,s3,
b,2016-03,30,,
d,2016-02,90,s4,80
"""


@pytest.fixture
def outcome(tmp_path):
    return run(write(tmp_path, GOOD), AREAS, programme("a", "b", "c"), Parameters(), seed=1)


# ------------------------------------------------------------------- reading
def test_a_day_counts_as_its_month(tmp_path) -> None:
    assert read_deliveries(write(tmp_path, GOOD), AREAS.index).frame["month"].iloc[1] == month("2016-02")


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("z,2016-01,5", "place", "not in the places file"),
        (",2016-01,5", "place", "blank; every delivery needs the id of its place"),
        ("a,May,5", "month", "no month; expected one such as 2016-05"),
        ("a,2016-13,5", "month", "no month; expected one such as 2016-05"),
        ("a,2016-02-30,5", "month", "no month; expected one such as 2016-05"),
        ("a,2016-01,-5", "kits", "below 0"),
        ("a,2016-01,", "kits", "blank; write 0 where none was delivered"),
        ("a,2016-01,2.5", "kits", "not a whole number"),
        ("a,2016-01,some", "kits", "no number"),
        ("a,2016-01,nan", "kits", "no number"),
        ("a,2016-01,5,6", "row", "has more fields than the header; a comma inside a value needs quotes"),
    ],
)
def test_a_row_that_cannot_be_used_is_kept_with_its_reason(
    tmp_path, row: str, column: str, reason: str
) -> None:
    read = read_deliveries(write(tmp_path, f"place,month,kits\na,2016-01,1\n{row}"), AREAS.index)
    assert read.rejected[["line", "column", "reason"]].values.tolist() == [[3, column, reason]]


def test_accepted_and_refused_make_the_rows(tmp_path) -> None:
    read = read_deliveries(write(tmp_path, GOOD + "z,2016-01,1,,\na,2016-01,,,"), AREAS.index)
    assert (len(read.frame), len(read.rejected), read.rows) == (6, 2, 8)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("place,month\na,2016-01", "line 1: lacks the column kits"),
        ("place,month,kits\nz,2016-01,1", "none of its 1 rows can be used. First, line 2, column place"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path, text: str, words: str) -> None:
    with pytest.raises(DataError) as raised:
        read_deliveries(write(tmp_path, text), AREAS.index)
    assert words in str(raised.value)


def test_a_file_that_is_absent_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_deliveries(tmp_path / "none.csv", AREAS.index)


def test_a_file_in_another_encoding_is_refused(tmp_path) -> None:
    path = tmp_path / "deliveries.csv"
    path.write_bytes("place,month,kits,street\na,2016-01,1,Café".encode("cp1252"))
    with pytest.raises(DataError, match="is not UTF-8"):
        read_deliveries(path, AREAS.index)


@pytest.mark.parametrize(
    "column",
    ["name", "Full Name", "surname", "firstName", "address", "Address line 1", "postcode", "post code",
     "phone",
     "Tel.", "mobile_number", "email", "e-mail", "UPRN", "keeper_name"],
)  # fmt: skip
def test_a_column_of_persons_is_refused(tmp_path, column: str) -> None:
    with pytest.raises(PrivacyError, match="Only counts belong here"):
        read_deliveries(write(tmp_path, f"place,month,kits,{column}\na,2016-01,1,x"), AREAS.index)


@pytest.mark.parametrize("column", ["street_name", "Area name", "ward", "team", "note", "place_name"])
def test_a_column_about_places_is_let_in(tmp_path, column: str) -> None:
    read = read_deliveries(write(tmp_path, f"place,month,kits,{column}\na,2016-01,1,x"), AREAS.index)
    assert len(read.frame) == 1


@pytest.mark.parametrize("value", ["ann@example.org", "TW3 1AB", "07700 900123", "+44 7700 900123"])
def test_a_personal_value_is_refused_and_not_repeated(tmp_path, value: str) -> None:
    with pytest.raises(PrivacyError) as raised:
        read_deliveries(write(tmp_path, f"place,month,kits,street\na,2016-01,1,{value}"), AREAS.index)
    assert value not in str(raised.value)


# ------------------------------------------------------------------- saturation
@pytest.mark.parametrize(("kits", "reached"), [(466, False), (467, True)])
def test_549_homes_need_467_kits(kits: int, reached: bool) -> None:
    given = pd.DataFrame({"place": ["a"], "month": [month("2016-01")], "kits": [kits]})
    months = pd.period_range("2016-01", "2016-01", freq="M")
    table = saturation(given, pd.Series({"a": 549}), months)
    assert treated_from(table, threshold=0.85).notna().tolist() == [reached]


def test_kits_add_up_month_by_month(outcome) -> None:
    table = outcome.files["saturation.csv"].set_index(["place", "month"])
    assert table.loc["a", "delivered"].tolist() == [300, 400, 467]


def test_a_treated_area_without_a_delivery_is_reported_with_zeros(outcome) -> None:
    table = outcome.files["saturation.csv"].set_index("place")
    assert table.loc["c", "delivered"].tolist() == [0, 0, 0]


def test_the_table_runs_to_the_last_month_of_the_project(tmp_path) -> None:
    months = pd.period_range("2015-01", "2016-06", freq="M")
    found = run(write(tmp_path, GOOD), AREAS, programme("a"), Parameters(), months=months, seed=1)
    assert found.files["saturation.csv"]["month"].max() == "2016-06"


def test_more_kits_than_homes_are_not_clipped(outcome) -> None:
    assert outcome.files["doses.json"]["places"]["d"]["saturation"] == 90 / 80


def test_more_kits_than_homes_are_a_fault(outcome) -> None:
    warnings = [b.text for b in outcome.section.blocks if getattr(b, "kind", "") == "warning"]
    assert warnings[0].startswith(
        "More kits than homes are recorded for 1 area (d): d has 90 kits for 80 homes."
    )


def test_streets_are_counted_by_their_dwellings(outcome) -> None:
    table = outcome.files["streets.csv"].set_index("street")
    assert table.loc["s2", ["delivered", "needed", "reached"]].tolist() == [167, 170, ""]


def test_streets_that_disagree_on_dwellings_are_a_fault() -> None:
    given = pd.DataFrame(
        {"place": "a", "month": [month("2016-01")] * 2, "kits": 1, "street": "s", "dwellings": [10, 11]}
    )
    assert streets(given)["fault"].tolist() == ["rows give different dwellings"]


def test_the_forecast_says_when_the_line_is_reached() -> None:
    given = pd.DataFrame(
        {"place": "b", "month": pd.PeriodIndex(["2016-01", "2016-02", "2016-03"], freq="M"), "kits": 20}
    )
    months = pd.period_range("2016-01", "2016-03", freq="M")
    ahead = forecast(saturation(given, pd.Series({"b": 100}), months), months[-1]).iloc[0]
    # 25 kits to go at 20 a month (15.26 to 25.74 by Garwood): 38, 29.6 and 49.9 days after 31 March
    assert [ahead["short"], ahead["day"], ahead["earliest"], ahead["latest"]] == [
        25, "2016-05-08", "2016-04-29", "2016-05-19",
    ]  # fmt: skip


# ------------------------------------------------------------------- sentences
def test_homes_with_a_kit(outcome) -> None:
    assert outcome.section.findings[0] == (
        "By the end of March 2016, 517 kits had been given in 3 treated areas, for 709 homes: 72.9 %, "
        "against a line of 85 %. A further 90 went to 1 area that the programme does not treat."
    )


def test_areas_that_reached_the_line(outcome) -> None:
    assert outcome.section.findings[1] == (
        "1 of 3 areas reached 85 % of their homes, the first in March 2016; 2 fell short, by 86 kits in all. "
        "Furthest from it is c, with 0.0 % and 51 kits to go."
    )


def test_streets_in_a_sentence(outcome) -> None:
    assert outcome.section.findings[2] == (
        "2 of 3 streets with known dwellings reached 85 % (dwellings are not known for 1 street)."
    )


def test_no_file_of_recovered_items_is_not_a_record_of_none(outcome) -> None:
    assert outcome.section.findings[-1] == (
        "Recovered items: none recorded, because no file of them is held. That is not a record of none."
    )


def test_a_record_of_none_says_so(tmp_path) -> None:
    items = write(tmp_path, "month,place,examined,marked,returned,value\n2016-02,a,12,0,0,", "r.csv")
    found = run(write(tmp_path, GOOD), AREAS, programme("a"), Parameters(), recoveries=items, seed=1)
    assert found.section.findings[-1] == (
        "Recovered items, February 2016 to February 2016: 12 examined, none marked (recorded as none), "
        "traced not recorded, none returned (recorded as none)."
    )


def test_refused_rows_are_counted_by_reason(tmp_path) -> None:
    found = run(write(tmp_path, GOOD + "z,2016-01,1,,"), AREAS, programme("a"), Parameters(), seed=1)
    warnings = [b.text for b in found.section.blocks if getattr(b, "kind", "") == "warning"]
    assert (
        "1 of 7 rows were refused and are kept in rejected.csv: place: not in the places file (1)."
        in warnings
    )


def test_the_title_of_the_table_counts_the_areas_at_the_line(outcome) -> None:
    table = next(b for b in outcome.section.blocks if getattr(b, "name", "") == "deliver_areas")
    assert table.title == "1 of 3 areas reached 85 % by March 2016"


def test_files_for_machines_hold_no_missing_number(outcome) -> None:
    json.dumps(outcome.files["doses.json"], allow_nan=False)


def test_no_deliveries_are_not_held() -> None:
    assert run(None, AREAS, programme("a"), Parameters(), seed=1).not_held.startswith(
        "No deliveries are held"
    )


def test_tables_of_counts_are_marked_for_disclosure_control(outcome) -> None:
    table = next(b for b in outcome.section.blocks if getattr(b, "name", "") == "deliver_areas")
    assert (table.counts, table.published) == (("delivered", "short"), False)


# ------------------------------------------------------------------- recovered items
def test_values_that_are_missing_are_counted_and_not_imputed(tmp_path) -> None:
    text = "month,returned,value\n2016-01,1,£1200.50\n2016-01,2,\n2016-02,,"
    found = recovered(read_recoveries(write(tmp_path, text), AREAS.index))
    assert found[["value", "values_missing"]].iloc[0].tolist() == [1200.5, 1]


def test_a_month_in_which_nothing_was_recorded_stays_blank(tmp_path) -> None:
    found = recovered(read_recoveries(write(tmp_path, "month,returned\n2016-02,"), AREAS.index))
    assert found["returned"].isna().all()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("soon,a,1", "line 2, column month: 'soon' is no month"),
        ("2016-01,z,1", "line 2, column place: 'z' is not in the places file"),
        ("2016-01,a,-1", "line 2, column returned: '-1' is below 0"),
    ],
)
def test_a_recovery_that_cannot_be_read_is_named(tmp_path, row: str, words: str) -> None:
    with pytest.raises(DataError) as raised:
        read_recoveries(write(tmp_path, f"month,place,returned\n{row}"), AREAS.index)
    assert words in str(raised.value)
