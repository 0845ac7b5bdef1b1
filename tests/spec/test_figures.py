"""Figures: every number that policy supplies has a source, a date and two ratings; errors say where."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from peelian.errors import DataError
from peelian.figures import Deflator, deflator, figures_frame, figures_table, load, recording_changes, uprate

ENTRY = """# a comment
[police_cost]
value = 600
low = 500
high = 700
unit = "pounds per recorded domestic burglary"
price_base = "2020-21"
from = 2021-04-01
to = 2022-03-31
perspective = "fiscal"
bearer = "police"
source = "Force finance, 2021"
quality = "green"
impact = "red"
"""


def folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ('source = "Force finance, 2021"\n', "", "line 2: [police_cost] source is missing."),
        ('"Force finance, 2021"', '" "', "line 12: [police_cost] source is blank"),
        ("low = 500", "low = 650", "line 4: [police_cost] low 650 is above value, 600"),
        ("high = 700", "high = 1", "line 5: [police_cost] high 1 is below value, 600"),
        (
            "pounds per",
            "groats per",
            "line 6: [police_cost] unit 'groats per recorded domestic burglary' is not",
        ),
        (
            'price_base = "2020-21"\n',
            "",
            "line 2: [police_cost] price_base is missing; a figure in pounds needs",
        ),
        ('"2020-21"', '"last year"', "line 7: [police_cost] price_base 'last year' is neither 'nominal' nor"),
        ("to = 2022-03-31", "to = 2020-03-31", "line 9: [police_cost] to 2020-03-31 lies before from"),
        ("value = 600", "value = -1\nnote = ''", "line 3: [police_cost] value -1 is below 0"),
        ('quality = "green"', 'quality = "good"', "line 13: [police_cost] quality is 'good'"),
        (
            'impact = "red"',
            'impact = "red"\nshade = 1',
            "line 15: [police_cost] shade is not a key of a figure",
        ),
        ("from = 2021-04-01", "since = 2021-04-01", "line 8: [police_cost] since is not a key. The day it"),
        ("value = 600", 'value = "much"', "line 3: [police_cost] value is 'much'"),
        ("[police_cost]", "[police_cost", "own.toml: is not valid TOML"),
    ],
)
def test_a_wrong_figure_is_named_by_file_key_and_line(tmp_path: Path, was: str, now: str, says: str) -> None:
    with pytest.raises(DataError) as error:
        load(folder(tmp_path, ENTRY.replace(was, now)))
    assert str(error.value).startswith(f"own.toml, {says}".replace("own.toml, own.toml", "own.toml"))


def test_a_negative_discount_rate_is_refused(tmp_path: Path) -> None:
    text = '[discount_rate]\nvalue = -0.01\nunit = "share per year"\nfrom = 2003-04-01\nsource = "x"\n'
    with pytest.raises(DataError, match=r"own.toml, line 2: \[discount_rate\] value -0.01 is below 0"):
        load(folder(tmp_path, text + 'quality = "red"\nimpact = "red"\n'))


def test_rows_of_one_name_may_not_overlap(tmp_path: Path) -> None:
    text = ENTRY.replace("[police_cost]", "[[police_cost]]")
    later = text.replace("2021-04-01", "2022-03-31").replace("to = 2022-03-31", "to = 2023-03-31")
    with pytest.raises(DataError, match=r"overlaps own\.toml, line 2"):
        load(folder(tmp_path, text + later))


def test_rows_of_one_name_may_follow_each_other(tmp_path: Path) -> None:
    text = ENTRY.replace("[police_cost]", "[[police_cost]]")
    later = text.replace("2021-04-01", "2022-04-01").replace("to = 2022-03-31", "to = 2023-03-31")
    figures = load(folder(tmp_path, text + later.replace("value = 600", "value = 610")))
    assert [figures.at("police_cost", day).value for day in ("2022-03-31", "2022-04-01")] == [600, 610]


def test_a_figure_of_the_users_replaces_the_shipped_one(tmp_path: Path) -> None:
    figures = load(folder(tmp_path, ENTRY.replace("police_cost", "burglary_police")))
    row = figures.at("burglary_police", "2021-06-01")
    assert (row.value, row.own) == (600, True)


def test_one_name_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text(ENTRY, encoding="utf-8")
    with pytest.raises(DataError, match=r"\[police_cost\] stands in more\.toml too"):
        load(folder(tmp_path, ENTRY))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such folder"):
        load(tmp_path / "nowhere")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="Did you mean burglary_police"):
        load().at("burglary_polise")


def test_a_figure_past_its_last_day_is_used_and_said() -> None:
    rate = load().at("discount_rate", "2026-09-01")
    assert rate.outdated(date(2026, 9, 1)) == (
        "discount_rate (3.5 % per year) applied until 30 June 2026 and is used for 1 September 2026: "
        "no later figure is held."
    )


def test_a_figure_before_its_first_day_is_used_and_said() -> None:
    cost = load().at("burglary_cost", "2016-01-31")
    assert "applies from 1 July 2018 and is used for 31 January 2016" in cost.outdated(date(2016, 1, 31))


def test_the_discount_rate_declines_by_year_of_the_programme() -> None:
    found = [load().at("discount_rate", "2018-01-01", year=year).value for year in (0, 30, 31, 76)]
    assert found == [0.035, 0.035, 0.03, 0.025]


def test_a_year_beyond_the_schedule_is_refused() -> None:
    with pytest.raises(DataError, match="covers no year 126"):
        load().at("discount_rate", "2018-01-01", year=126)


def test_components_of_a_burglary_add_up_to_the_total_without_anticipation() -> None:
    names = ("police", "other_justice", "health", "victim_services", "lost_output", "property",
             "emotional_physical")  # fmt: skip
    figures = load()
    parts = sum(figures.at(f"burglary_{name}").number for name in names)
    assert parts == figures.at("burglary_cost").value


def test_the_table_has_every_figure_with_source_and_both_ratings_in_words() -> None:
    frame = figures_frame(load())
    assert (frame[["source", "from", "quality", "impact"]] != "").all(axis=None)


def test_weak_figures_are_red_twice() -> None:
    assert {(row["quality"][:3], row["impact"][:3]) for row in figures_table(weak=True)} == {("red", "red")}


def test_expired_figures_are_those_past_their_last_day() -> None:
    names = {row["name"] for row in figures_table(expired=True, on=date(2026, 7, 1))}
    assert names & {"discount_rate", "burglary_cost", "kit_price"} == {"discount_rate"}


def test_a_blank_figure_has_no_value_in_the_table() -> None:
    assert next(row for row in figures_table() if row["name"] == "officer_hour")["value"] is None


def test_recording_changes_are_in_order_of_date() -> None:
    frame = recording_changes()
    assert list(frame["force"]) == ["all", "all", "Metropolitan Police Service"]


def test_a_recording_change_of_the_users_is_added(tmp_path: Path) -> None:
    (tmp_path / "recording_changes.toml").write_text(
        '[[change]]\nfrom = 2019-01-01\nforce = "Avon"\ncategories = ["all"]\nwhat = "New system."\n'
        'source = "Avon"\nquality = "green"\n',
        encoding="utf-8",
    )
    assert list(recording_changes(tmp_path)["force"])[1] == "Avon"


def test_a_recording_change_without_a_source_is_refused(tmp_path: Path) -> None:
    text = (
        '[[change]]\nfrom = 2019-01-01\nforce = "Avon"\ncategories = ["all"]\nwhat = "x"\nquality = "red"\n'
    )
    (tmp_path / "recording_changes.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"line 1: \[\[change\]\] source is missing"):
        recording_changes(tmp_path)


# ------------------------------------------------------------ prices of another year
INVENTED = "year,index,published on\n2015-16,100,2026-03-31\n2020-21,110,2026-03-31\n"


def test_a_figure_is_brought_to_prices_of_another_year_with_its_range() -> None:
    row = replace(load().at("burglary_police"), low=400.0, high=700.0)
    moved = uprate(row, "2020-21", Deflator({"2015-16": 100.0, "2020-21": 110.0}))
    assert [round(value or 0, 6) for value in (moved.low, moved.value, moved.high)] == [440, 583, 770]
    assert moved.price_base == "2020-21"


def test_the_shipped_deflator_is_empty_and_refuses() -> None:
    with pytest.raises(
        DataError, match=r"has no index for 2015-16 and 2020-21, so .burglary_police. cannot be"
    ):
        uprate(load().at("burglary_police"), "2020-21", deflator())


def test_a_nominal_figure_cannot_be_brought_anywhere() -> None:
    with pytest.raises(DataError, match="has no price base other than nominal"):
        uprate(load().at("burglary_police_met_2016"), "2020-21", Deflator({"2015-16": 1, "2020-21": 1}))


def test_the_users_deflator_is_read(tmp_path: Path) -> None:
    (tmp_path / "gdp_deflator.csv").write_text(INVENTED, encoding="utf-8")
    assert deflator(tmp_path).published == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("year,index\n2015-16,1\n", "its columns are"),
        (INVENTED + "2020-21,3,2026-03-31\n", "line 4: year '2020-21' is given twice"),
        (INVENTED + "2021,3,2026-03-31\n", "line 4: year '2021' is given twice or is no financial year"),
        (INVENTED + "2021-22,x,2026-03-31\n", "line 4: expected an index above 0 and a day"),
        (INVENTED + "2021-22,0,2026-03-31\n", "line 4: the index is 0; it must be above 0"),
    ],
)
def test_a_wrong_deflator_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "gdp_deflator.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        deflator(tmp_path)
