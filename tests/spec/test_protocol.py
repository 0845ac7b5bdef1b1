"""A plan, once frozen, cannot be changed unseen; what was done otherwise is listed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from peelian.errors import DataError, DesignError
from peelian.protocol import amend, canonical, deviations, freeze, is_late, verify

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
    content["plan"] |= {"months_before": "36", "months_after": "12", "rings": ["250", "500", "750"]}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert frozen.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_the_order_of_keys_and_areas_does_not_matter() -> None:
    turned = dict(reversed(PLAN.items())) | {"treated": ["a", "b"]}
    assert freeze(turned, author="A", at=WHEN) == freeze(PLAN, author="A", at=WHEN)


def test_the_clock_may_stand_in_any_zone() -> None:
    there = WHEN.astimezone(timezone(timedelta(hours=5)))
    assert freeze(PLAN, author="A", at=there) == freeze(PLAN, author="A", at=WHEN)


def test_a_changed_file_is_refused() -> None:
    text = freeze(PLAN, author="A", at=WHEN).text().replace("months_after = 12", "months_after = 6")
    with pytest.raises(DataError, match="changed after it was frozen"):
        verify(text)


def test_another_file_is_refused() -> None:
    with pytest.raises(DataError, match="not a frozen evaluation plan"):
        verify('{"author": 1}')


@pytest.mark.parametrize("at", [3, 100, 250, -2])
def test_one_changed_byte_is_refused(at: int) -> None:
    text = freeze(PLAN, author="A", at=WHEN).text()
    with pytest.raises(DataError):
        verify(text[:at] + ("x" if text[at] != "x" else "y") + text[at:][1:])


def test_the_file_can_be_read_by_people() -> None:
    text = freeze(PLAN, author="A", at=WHEN).text()
    assert 'question = "Fewer burglaries in the year after the kits?"\n' in text


def test_quotes_and_lines_survive_the_file() -> None:
    plan = PLAN | {"stopping": 'for "harm" only\nand \\ never else', "mde": 0.15, "hashes": {"plan": "0a"}}
    frozen = freeze(plan, author="Müller", at=WHEN)
    assert verify(frozen.text()) == frozen


@pytest.mark.parametrize("name", ["stopping", "question"])
def test_a_blank_is_refused(name: str) -> None:
    with pytest.raises(DesignError, match=f"nothing blank: {name}"):
        freeze(PLAN | {name: " "}, author="A", at=WHEN)


def test_a_plan_for_nobody_is_refused() -> None:
    with pytest.raises(DesignError, match="nothing blank: treated"):
        freeze(PLAN | {"treated": []}, author="A", at=WHEN)


def test_a_start_in_the_past_is_refused() -> None:
    with pytest.raises(DesignError, match="starts in 2020-01 and it is 2020-03-01"):
        freeze(PLAN, author="A", at=datetime(2020, 3, 1, tzinfo=UTC))


def test_outcomes_that_are_held_already_are_refused_and_marked_for_ever() -> None:
    with pytest.raises(DesignError, match="Outcomes to 2020-01 are held already"):
        freeze(PLAN, author="A", at=WHEN, data_to="2020-01")
    assert is_late(verify(freeze(PLAN, author="A", at=WHEN, data_to="2020-01", late=True).text()))


def test_areas_chosen_on_their_baseline_are_refused_unless_the_plan_says_so() -> None:
    chosen = PLAN | {"fitted_on": ["2016-01", "2019-05"]}
    with pytest.raises(DesignError, match="7 whole months lie between, and 12 are needed"):
        freeze(chosen, author="A", at=WHEN)
    assert "overlap" in freeze(chosen | {"overlap": "asked for"}, author="A", at=WHEN).plan


def test_an_amendment_names_the_old_plan_the_fields_and_the_reason() -> None:
    old = freeze(PLAN, author="A", at=WHEN)
    new = amend(old, PLAN | {"months_after": 24}, reason="More time.", author="B", at=WHEN)
    assert (new.plan["amends"], new.plan["changed"], new.plan["reason"]) == (
        old.sha256, ["months_after"], "More time.",
    )  # fmt: skip


@pytest.mark.parametrize(("plan", "reason"), [(PLAN, "Why not"), (PLAN | {"months_after": 24}, " ")])
def test_an_amendment_without_a_change_or_a_reason_is_refused(plan: dict, reason: str) -> None:
    with pytest.raises(DesignError):
        amend(freeze(PLAN, author="A", at=WHEN), plan, reason=reason, author="B", at=WHEN)


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
    assert is_late(freeze(PLAN, author="A", at=datetime(2020, 1, 1, tzinfo=UTC), late=True))
    assert not is_late(freeze(PLAN, author="A", at=datetime(2019, 12, 31, tzinfo=UTC)))


def test_a_number_that_no_file_can_hold_is_refused() -> None:
    with pytest.raises(DataError, match="no file can hold"):
        canonical({"x": float("nan")})
