"""Programme and Plan: what they promise, and what a bad programme.csv is told."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from peelian.errors import DataError, DesignError
from peelian.programme import Plan, Programme, kits_needed, read_programme, spread

HEAD = "place,arm,start,end,kits,households,selected_on,assigned_by"


def written(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "programme.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_good_file_is_read_with_months_as_months(tmp_path: Path) -> None:
    areas = read_programme(
        written(tmp_path, "a,treated,2016-05,2016-12,467,549,2014-01..2014-12,w1", "b,control,,,,,,")
    )
    assert areas.loc["a", "start"] == pd.Period("2016-05", "M")
    assert areas.loc["a", "selected_to"] == pd.Period("2014-12", "M")
    assert areas.loc["b", "arm"] == "control"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,treated,2016-12,2016-05,,,,", r"line 2: ends \(2016-05\) before it starts \(2016-12\)"),
        ("a,treated,,,,,,", "line 2: start is blank, but a is treated"),
        ("a,marked,2016-05,,,,,", "line 2: arm is 'marked'; expected treated, control, excluded"),
        ("a,treated,May 16 or so,,,,,", "line 2: start is 'May 16 or so'; expected a month"),
        (",treated,2016-05,,,,,", "line 2: place is blank"),
        ("a,treated,2016-05,,lots,,,", "line 2: kits is 'lots'; expected a number"),
        ("a,treated,2016-05,,-1,,,", "line 2: kits is -1"),
        ("a,treated,2016-05,,,,2014-12..2014-01,", "selected_on runs backwards"),
        ("a,treated,2016-05,,,,2014,", "expected two months"),
        ("a,treated,2016-05,,,,,,too,many", "more fields than the header"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_column(tmp_path: Path, row: str, says: str) -> None:
    with pytest.raises(DataError, match=f"programme.csv, {says}" if says.startswith("line") else says):
        read_programme(written(tmp_path, row))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks the column arm"):
        read_programme(written(tmp_path, "a,2016-05", head="place,start"))


def test_a_place_that_stands_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="stand more than once: a"):
        read_programme(written(tmp_path, "a,control,,,,,,", "a,control,,,,,,"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_programme(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("homes", "share", "kits"), [(549, 0.85, 467), (20, 0.55, 11), (0, 0.85, 0), (100, 1.0, 100)]
)
def test_kits_are_counted_in_whole_numbers(homes: int, share: float, kits: int) -> None:
    assert kits_needed(homes, share) == kits


def test_a_percentage_for_a_share_is_asked_about() -> None:
    with pytest.raises(DataError, match=r"Did you mean 0\.85"):
        Programme("kits", saturation=85)


def test_pcd_536_bought_a_kit_for_12_pounds_73() -> None:
    """MOPAC decision PCD 536: £5.6m over five years for at least 440,000 kits."""
    assert Programme("MetTrace", budget=5_600_000, kits=440_000).cost_per_kit == pytest.approx(
        12.73, abs=0.005
    )


def test_wards_are_spread_over_their_places_by_households() -> None:
    wards = pd.DataFrame({"arm": ["treated"], "kits": [100.0], "assigned_by": [""]}, index=["w"])
    member = pd.Series({"a": "w", "b": "w", "c": "x"})
    rows = spread(wards, member, pd.Series({"a": 100, "b": 300, "c": 5}))
    assert rows["kits"].to_dict() == {"a": 25.0, "b": 75.0}
    assert rows["assigned_by"].unique().tolist() == ["w"]


def test_a_ward_without_places_is_named() -> None:
    with pytest.raises(DataError, match="names v, to which no place belongs"):
        spread(pd.DataFrame({"arm": ["treated"]}, index=["v"]), pd.Series({"a": "w"}), None)


def plan(last: str, start: str, **more: object) -> Plan:
    frame = pd.DataFrame(
        {
            "arm": ["treated", "control"],
            "kits": [467, 0],
            "households": [549, 600],
            "risk": [20.0, 10.0],
            "rank": [1, 2],
        },
        index=["a", "b"],
    )
    return Plan(frame, (pd.Period("2014-01", "M"), pd.Period(last, "M")), pd.Period(start, "M"), **more)  # type: ignore[arg-type]


def test_a_plan_keeps_twelve_clean_months_between_choice_and_start() -> None:
    assert plan("2014-12", "2016-01").clean_months == 12


def test_a_plan_whose_risk_overlaps_its_baseline_is_refused() -> None:
    with pytest.raises(DesignError, match=r"only 0 months lie between.*Use risk fitted to 2014-12"):
        plan("2015-12", "2016-01")


def test_such_a_plan_is_made_when_asked_for_and_says_so() -> None:
    assert str(plan("2015-12", "2016-01", gap_months=0)).endswith(
        "risk to 2015-12, start 2016-01: overlaps the baseline."
    )


def test_a_plan_is_one_sentence() -> None:
    assert str(plan("2014-12", "2016-01")) == (
        "1 of 2 areas, 467 kits, 66.7% of expected incidents; risk to 2014-12, start 2016-01."
    )
