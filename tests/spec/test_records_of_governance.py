"""Records of governance: drafts while anything is blank, publishable when it is not, drafts again on a change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from peelian.account.governance import (
    RECORDS,
    Record,
    as_markdown,
    filled,
    publishable,
    read_governance,
    schema,
)
from peelian.account.run import Parameters, run
from peelian.errors import DataError
from tests.account_scenario import MONTHS, assessment, records

FACTS = {"name": "MetTrace", "description": "It counts.", "detail": "By published methods."}
PREFIX = "algorithmic_transparency_record_"


def complete(name: str) -> dict[str, Any]:
    """A typed value for every field, and a confirmation."""
    fields = schema(name)["properties"]
    values = {key: about.get("enum", ["said"])[0] for key, about in fields.items()}
    return {name: values}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_with_nothing_typed_is_a_draft(name: str) -> None:
    assert not publishable(filled(name, FACTS))


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_with_everything_typed_may_be_published(name: str) -> None:
    assert publishable(filled(name, FACTS, complete(name)))


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name in RECORDS for key in schema(name)["required"]]
)
def test_a_required_field_left_blank_is_named_and_keeps_it_a_draft(name: str, key: str) -> None:
    typed = complete(name)
    del typed[name][key]
    found = filled(name, {}, typed)
    title = schema(name)["properties"][key]["title"].rstrip("?")
    assert found.blockers == [f"Required and blank: {title}."]


def test_the_publishing_keys_of_the_atrs_are_those_of_the_form() -> None:
    keys = {key.removeprefix(PREFIX) for key in schema("atrs")["properties"] if key.startswith(PREFIX)}
    assert keys == {"organisation", "organisation_type", "function", "capability", "task", "phase", "region",
                    "date_published", "atrs_version", "other_tags"}  # fmt: skip


def test_a_choice_that_the_form_does_not_have_keeps_it_a_draft() -> None:
    typed = complete("atrs")
    typed["atrs"][PREFIX + "phase"] = "live"
    assert filled("atrs", {}, typed).blockers == [
        "Phase is 'live'; expected pre-deployment, beta-pilot, production, retired."
    ]


def prefilled(**confirmed: str) -> Record:
    typed = complete("model_card")
    del typed["model_card"]["details"]
    return filled("model_card", FACTS, typed | {"confirmed": {"model_card": confirmed}})


def test_what_the_system_filled_must_be_confirmed() -> None:
    assert prefilled().blockers[0].startswith("Nobody has confirmed what the system filled")


def test_a_confirmation_holds_for_the_values_that_were_confirmed() -> None:
    digest = prefilled().digest
    assert publishable(prefilled(by="Head of analysis", on="2026-03-01", values=digest))


def test_a_change_after_the_confirmation_makes_it_a_draft_again() -> None:
    found = prefilled(by="Head of analysis", on="2026-03-01", values="0" * 12)
    assert found.blockers[0].startswith(
        "What the system filled has changed since it was confirmed on 2026-03-01"
    )


@pytest.mark.parametrize(
    ("name", "section"),
    [("dpia", "3 Consultation"), ("dpia", "7 Sign-off"), ("eqia", "Impact"), ("eqia", "Consultation"),
     ("covenant", "Statement")],
)  # fmt: skip
def test_judgement_and_sign_off_are_never_filled_in(name: str, section: str) -> None:
    fields = schema(name)["properties"].values()
    assert not [about for about in fields if about["section"] == section and "filled_from" in about]


def test_the_draft_says_on_top_what_stands_in_the_way() -> None:
    text = as_markdown(filled("dpia", FACTS))
    assert text.index("**DRAFT, not to be published.**") < text.index("## 1 Need")


def test_a_field_that_the_record_does_not_have_is_refused() -> None:
    with pytest.raises(DataError, match=r"\[dpia\] colour is no field of the record"):
        filled("dpia", {}, {"dpia": {"colour": "red"}})


def test_a_table_that_is_no_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "governance.toml"
    path.write_text("[dpa]\nx = 1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"\[dpa\] is no record; expected atrs, dpia"):
        read_governance(path)


# ------------------------------------------------------------ from a run
@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("governance")
    (folder / "governance.toml").write_text('[atrs]\nowner_team = "Analysis"\n', encoding="utf-8")
    held = records(folder) | {"governance": folder / "governance.toml"}
    first, second = held.pop("assessment"), held.pop("programme")
    return run(first, second, Parameters(), **held, crime="burglary", months=MONTHS, seed=1).files


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_is_written_beside_the_chapter_as_a_draft(made: dict[str, Any], name: str) -> None:
    assert made[f"records/{name}.json"]["publishable"] is False
    assert f"records/{name}.md" in made


def test_the_atrs_is_written_for_the_publishing_form_too(made: dict[str, Any]) -> None:
    assert made["records/atrs.csv"]["field"].tolist() == list(schema("atrs")["properties"])


def test_performance_is_the_verdict_in_its_words_with_its_interval(made: dict[str, Any]) -> None:
    assert made["records/atrs.json"]["values"]["data_performance"] == (
        "Fewer burglaries than expected. 0.80 times the burglaries expected (95 % interval 0.70 to 0.92)."
    )


def test_what_people_typed_stands_as_typed(made: dict[str, Any]) -> None:
    assert made["records/atrs.json"]["origin"]["owner_team"] == "typed"


def test_crime_that_moved_next_door_is_said_where_the_benefit_is(tmp_path: Path) -> None:
    moved = {"words_displacement": "displaced", "net": {"estimate": 100.0, "low": -20.0, "high": 220.0}}
    held = records(tmp_path) | {"assessment": assessment(**moved)}
    first, second = held.pop("assessment"), held.pop("programme")
    files = run(first, second, Parameters(), **held, crime="burglary", months=MONTHS, seed=1).files
    assert files["records/citizens_guide.json"]["values"]["working"].endswith(
        "and the interval includes none."
    )


PRODUCTION = '[atrs]\nalgorithmic_transparency_record_phase = "production"\n'


def gates(folder: Path, typed: str) -> dict[str, Any]:
    (folder / "governance.toml").write_text(typed, encoding="utf-8")
    files = run(None, None, Parameters(), governance=folder / "governance.toml", months=MONTHS, seed=1).files
    return files["records/gates.json"]


def test_the_phase_production_bars_the_gates_and_names_what_is_missing(tmp_path: Path) -> None:
    assert gates(tmp_path, PRODUCTION)["blockers"][0] == (
        "The phase is production, and it lacks a data protection impact assessment that is signed; an equality impact "
        "assessment that is signed; a transparency record that may be published; an evaluation plan that is frozen; "
        "a named owner; a day of review."
    )


def test_a_review_that_is_past_sends_the_gates_back(tmp_path: Path) -> None:
    said = gates(tmp_path, PRODUCTION + '[dpia]\nreview_date = "2016-12-01"\n')["blockers"][0]
    assert "because the one of 2016-12-01 is past: back to re-referral" in said


def test_another_phase_bars_nothing(tmp_path: Path) -> None:
    said = gates(tmp_path, PRODUCTION.replace("production", "beta-pilot"))["blockers"]
    assert not any("phase" in sentence for sentence in said)
