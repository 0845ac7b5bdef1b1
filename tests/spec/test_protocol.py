"""A plan, once frozen, cannot be changed unseen; what was done otherwise is listed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from peelian.errors import DataError, DesignError
from peelian.protocol import canonical, deviations, freeze, is_late, verify

PLAN = {
    "question": "Fewer burglaries in the year after the kits?", "outcome": "burglary", "treated": ["b", "a"],
    "start": "2020-01", "months_before": 36, "months_after": 12, "estimator": "difference in differences",
    "rings": [250, 500, 750],
}  # fmt: skip
WHEN = datetime(2019, 6, 1, 12, 0, 0, tzinfo=UTC)


def test_the_hash_is_that_of_the_canonical_content() -> None:
    frozen = freeze(PLAN, author="Analyst", at=WHEN)
    import hashlib

    content = {
        "author": "Analyst",
        "frozen_at": "2019-06-01T12:00:00Z",
        "plan": PLAN | {"treated": ["a", "b"]},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert frozen.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_the_order_of_keys_and_areas_does_not_matter() -> None:
    turned = dict(reversed(PLAN.items())) | {"treated": ["a", "b"]}
    assert freeze(turned, author="A", at=WHEN) == freeze(PLAN, author="A", at=WHEN)


def test_the_clock_may_stand_in_any_zone() -> None:
    there = WHEN.astimezone(timezone(timedelta(hours=5)))
    assert freeze(PLAN, author="A", at=there) == freeze(PLAN, author="A", at=WHEN)


def test_a_changed_file_is_refused() -> None:
    text = freeze(PLAN, author="A", at=WHEN).text().replace('"months_after":12', '"months_after":6')
    with pytest.raises(DataError, match="changed after it was frozen"):
        verify(text)


def test_another_file_is_refused() -> None:
    with pytest.raises(DataError, match="not a frozen evaluation plan"):
        verify("{}")


@pytest.mark.parametrize("wrong", [{"outcome": None}, {"colour": "red"}])
def test_a_plan_that_lacks_or_invents_a_key_is_refused(wrong: dict) -> None:
    plan = {k: v for k, v in (PLAN | wrong).items() if v is not None}
    with pytest.raises(DesignError):
        freeze(plan, author="A", at=WHEN)


def test_deviations_name_field_planned_and_done() -> None:
    frozen = freeze(PLAN, author="A", at=WHEN)
    done = PLAN | {"months_after": 6, "treated": ["a", "b"]}
    assert [str(d) for d in deviations(frozen, done)] == ["months after: planned 12, done 6"]


def test_as_registered_leaves_no_deviation() -> None:
    assert deviations(freeze(PLAN, author="A", at=WHEN), dict(PLAN)) == ()


def test_a_plan_frozen_in_the_month_of_the_start_is_late() -> None:
    assert is_late(freeze(PLAN, author="A", at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert not is_late(freeze(PLAN, author="A", at=datetime(2019, 12, 31, tzinfo=UTC)))


def test_a_number_that_no_file_can_hold_is_refused() -> None:
    with pytest.raises(DataError, match="no file can hold"):
        canonical({"x": float("nan")})
