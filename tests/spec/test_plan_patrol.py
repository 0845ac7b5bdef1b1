"""Patrol instead of kits: visits a shift, where a second visit does less than the first."""

from __future__ import annotations

import pandas as pd
import pytest

from peelian.errors import DataError, DesignError
from peelian.plan import patrol
from peelian.plan.run import Parameters, run
from peelian.programme import Programme
from peelian.report import Table
from tests.spec.test_plan_options import AREAS, FITTED, RISK, counts, planned

__all__ = ["counts"]
KEYS = {"patrol": 120.0, "visit": 15.0, "patrol_fall": (0.10, 0.15)}
THREE = pd.Series({"a": 50.0, "b": 24.0, "c": 10.0})


def visits(limit: float, **keys) -> dict[str, int]:
    asked = {"fall": (0.1, 0.15), "visit": pd.Series(15.0, THREE.index)} | keys
    return patrol(THREE, asked.pop("visit"), limit, **asked).frame["visits"].to_dict()


def test_a_second_visit_is_made_where_it_does_more_than_a_first_elsewhere() -> None:
    assert visits(30) == {"a": 2}  # 2.5 more in a; 2.4 in b
    assert visits(45) == {"a": 2, "b": 1}
    assert visits(1000) == {"a": 2, "b": 2, "c": 2}


def test_kilometres_count_by_the_hundredth() -> None:
    metres = pd.Series({"a": 1.204, "b": 1.0, "c": 1.0})
    assert visits(1.2, visit=metres, unit="kilometres", fall=(0.1,), dose=(0, 1)) == {"b": 1}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"fall": (0.1, 0.25)}, "grow by more for later visits"),
        ({"fall": (0.1,)}, "each above 0 has its fall"),
        ({"fall": (0.1, 1.5)}, "A fall is a share between 0 and 1"),
    ],
)
def test_falls_that_are_no_steps_are_refused(keys, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        visits(60, **keys)


def test_a_shift_too_short_and_a_visit_for_nothing_are_refused() -> None:
    with pytest.raises(DesignError, match="too short for any area: the nearest needs 15"):
        visits(10)
    with pytest.raises(DataError, match="more than 0 minutes; 1 areas do not"):
        visits(60, visit=pd.Series({"a": 15.0, "b": 0.0, "c": 1.0}))


def test_patrol_stands_beside_kits_in_the_chapter_and_in_a_file(counts) -> None:
    outcome = planned(counts, **KEYS)
    listed = outcome.files["patrol.csv"]
    assert (listed["visits"].sum(), listed["cost"].sum()) == (8, 120.0)
    assert any("A shift of 120 minutes holds 8 visits" in text for text in outcome.section.findings)
    assert any(isinstance(b, Table) and b.name == "plan_patrol" for b in outcome.section.blocks)
    assert "plan.json" in outcome.files


def test_patrol_may_stand_instead_of_kits(counts) -> None:
    programme = Programme("Kits", kits=510, budget=5100)
    alone = run(RISK, FITTED, AREAS, programme, counts, Parameters(**KEYS), seed=1, crime="burglary")
    assert set(alone.files) == {"patrol.csv"}
    assert not alone.not_held


def test_patrol_without_its_assumption_is_refused(counts) -> None:
    with pytest.raises(DesignError, match="patrol needs visit"):
        planned(counts, patrol=60.0)
