"""Who lives where the programme is: by hand, refused where groups do not add up, and in the record."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from peelian.account.equality import Groups, exposure, in_words
from peelian.account.run import Parameters, run
from peelian.errors import DataError
from tests.account_scenario import programme

PEOPLE = pd.DataFrame(
    {"all": [100, 200, 300], "old": [50, 50, 0], "young": [50, 150, 300], "decile": [1, 1, 9],
     "pct_old": [50.0, 25.0, 0.0], "homes": [40, 80, 120]},
    index=pd.Index(["a", "b", "c"], name="place"),
)  # fmt: skip
AGE = Groups(("old", "young"), "all", whole=True, source="Census")


def found(**asked: Any) -> pd.DataFrame:
    return exposure(PEOPLE, asked, pd.Index(["a", "b"]), PEOPLE.index)


def test_the_share_of_each_group_stands_beside_that_of_everybody() -> None:
    rows = found(age=AGE).set_index("group")
    assert rows["with the programme"].to_dict() == pytest.approx({"old": 1.0, "young": 0.4})
    assert rows["of everybody"].tolist() == pytest.approx([0.5, 0.5])
    assert rows["ratio"].to_dict() == pytest.approx({"old": 2.0, "young": 0.8})


def test_percentages_become_people_before_they_are_added() -> None:
    counts, shares = (found(age=Groups((name,), "all", unit=unit)) for name, unit in
                      (("old", "count"), ("pct_old", "percent")))  # fmt: skip
    assert shares["ratio"].tolist() == pytest.approx(counts["ratio"].tolist())


def test_a_category_counts_the_homes_of_its_places() -> None:
    rows = found(deprivation=Groups(("decile",), "homes", unit="category")).set_index("group")
    assert rows["with the programme"].to_dict() == {"decile 1": 1.0, "decile 9": 0.0}


def test_groups_that_are_everybody_and_do_not_add_up_are_refused() -> None:
    wrong = PEOPLE.assign(young=[50, 150, 200])
    with pytest.raises(
        DataError, match=r"\[account.equality.age\]: the groups of c add up to 200, but all is 300"
    ):
        exposure(wrong, {"age": AGE}, pd.Index(["a"]), wrong.index)


def test_places_without_data_are_left_out_and_counted() -> None:
    gone = PEOPLE.astype(float)
    gone.loc["b", "old"] = float("nan")
    rows = exposure(gone, {"age": AGE}, pd.Index(["a", "b"]), gone.index)
    assert rows["places without data"].tolist() == [1, 1]
    assert rows["of everybody"].tolist() == pytest.approx([0.25, 0.25])


def test_the_record_says_it_in_a_sentence_with_its_source() -> None:
    assert in_words(found(age=AGE), "age", "Census").startswith(
        "Of everybody, 50.0 % live in places with the programme; of each group: old 100.0 %, young 40.0 %. "
        "Most for its size: old (2.00 times the share of everybody); least: young (0.80 times)."
    )


def test_what_is_measured_is_filled_and_what_is_not_stays_blank() -> None:
    parameters = Parameters(equality={"age": AGE})
    files = run(None, programme(), parameters, people=PEOPLE, crime="burglary", seed=1).files
    record = files["records/eqia.json"]
    assert record["origin"]["exposure_age"] == "system"
    assert record["origin"]["exposure_race"] == "blank"
    assert json.dumps(record["blockers"]).count("Exposure by age") == 0
    assert not record["publishable"]


def test_a_category_of_two_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="one alone for a category"):
        Groups(("a", "b"), "all", unit="category")
