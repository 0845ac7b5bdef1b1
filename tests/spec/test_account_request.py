"""A request: when the answer is due, what an officer exempts, and the second bank of questions."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from peelian.account.foi import question_bank
from peelian.account.request import Exemption, Request, due, read_request
from peelian.account.run import Parameters, run
from peelian.errors import DataError
from peelian.figures import load
from tests.account_scenario import MONTHS, records

PRICE = """
reference = "FOI-2026-7"
received = 2026-03-31
[[exemption]]
question = 4
part = "cost per unit, as paid"
section = "43"
reason = "The price was agreed in confidence."
public_interest = "A tender is open; the total is published."
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "request.toml"
    path.write_text(text, encoding="utf-8")
    return path


def answered(folder: Path, **changes: Any) -> dict[str, Any]:
    held = records(folder) | {"crime": "burglary", "months": MONTHS, "seed": 1} | changes
    first, second = held.pop("assessment"), held.pop("programme")
    return run(first, second, Parameters(), **held).files


@pytest.mark.parametrize(
    ("received", "stopped", "last"),
    [
        (date(2026, 6, 1), 0, date(2026, 6, 29)),  # four weeks without a holiday
        (date(2026, 3, 31), 0, date(2026, 4, 30)),  # Good Friday and Easter Monday between
        (date(2026, 6, 6), 0, date(2026, 7, 3)),  # came on a Saturday: Monday is the first day
        (date(2026, 6, 1), 3, date(2026, 7, 2)),  # three days clarified
    ],
)
def test_the_answer_is_due_on_the_twentieth_working_day(received: date, stopped: int, last: date) -> None:
    assert due(Request(received=received, stopped_days=stopped), load(), None) == last


def test_an_exempt_part_is_refused_with_its_reason_and_test_and_nothing_of_it_is_told(tmp_path: Path) -> None:
    letter = answered(tmp_path, request=written(tmp_path, PRICE))["foi.md"]
    assert "Reference: FOI-2026-7." in letter
    assert "Received on 31 March 2026; due by 30 April 2026." in letter
    assert "This is a notice under section 17" in letter
    assert (
        "- Question 4, cost per unit, as paid: section 43 (commercial interests): The price was agreed in confidence; "
        "public interest: A tender is open; the total is published."
    ) in letter
    assert "was paid." not in letter.split("## Disclosure")[1]


def test_a_question_refused_in_part_is_partly_disclosed(tmp_path: Path) -> None:
    foi = answered(tmp_path, request=written(tmp_path, PRICE))["foi.json"]
    assert next(a for a in foi["answers"] if a["number"] == 4)["decision"] == "partly disclosed"


@pytest.mark.parametrize(
    ("section", "more", "why"),
    [
        ("43", {}, "section 43 is qualified: write the public_interest test"),
        ("22", {"public_interest": "Soon."}, "section 22 needs the day of publication"),
        ("99", {}, "Input should be"),
    ],
)
def test_an_exemption_that_is_not_made_out_is_refused(section: Any, more: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Exemption(1, section, "Because.", **more)


def test_a_wrong_file_names_key_and_reason(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"request.toml: exemption.0: section 43 is qualified"):
        read_request(written(tmp_path, PRICE.replace("public_interest", "# public_interest")))


def test_an_exemption_of_what_nobody_asked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="exemption of question 9 is of none that was asked"):
        answered(tmp_path, request=written(tmp_path, PRICE.replace("question = 4", "question = 9").replace(
            'part = "cost per unit, as paid"\n', "")))  # fmt: skip


def test_the_bank_on_a_risk_model_is_answered_from_the_records(tmp_path: Path) -> None:
    foi = answered(tmp_path, questions="risk_model")["foi.json"]
    decisions = {a["number"]: a["decision"] for a in foi["answers"]}
    assert decisions == {1: "disclosed", 2: "disclosed", 3: "disclosed", 4: "disclosed", 5: "not held"}
    assert "Review of year one" in str(foi["answers"][3])
    assert "Section 22 may be applied only with a day of publication" in str(foi["answers"][4])


def test_with_nothing_held_every_part_of_it_is_not_held() -> None:
    foi = run(None, None, Parameters(), questions="risk_model", seed=1).files["foi.json"]
    assert {a["decision"] for a in foi["answers"]} == {"not held"}


def test_two_banks_ship() -> None:
    assert [len(question_bank(name)["question"]) for name in ("mettrace", "risk_model")] == [6, 5]
