"""The chapter of account, sentence by sentence, on a small programme with every record and with none."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pandas as pd
import pytest

from peelian.account.run import Parameters, run
from peelian.errors import DataError
from peelian.figures import colour_of
from peelian.programme import Programme
from peelian.report import Outcome, Table, Text
from tests.account_scenario import MONTHS, assessment, programme, records, saturation


def outcome(folder: Path, parameters: Parameters | None = None, **changes: Any) -> Outcome:
    held = records(folder) | {"crime": "burglary", "months": MONTHS, "seed": 1829} | changes
    first, second = held.pop("assessment"), held.pop("programme")
    return run(first, second, parameters or Parameters(years=5), **held)


def table(found: Outcome, name: str) -> Any:
    return next(
        block.frame for block in found.section.blocks if isinstance(block, Table) and block.name == name
    )


def said(found: Outcome, kind: str) -> list[str]:
    return [block.text for block in found.section.blocks if isinstance(block, Text) and block.kind == kind]


NOTHING: dict[str, Any] = dict.fromkeys(
    ("assessment", "programme", "saturation", "counts", "ledger", "recoveries", "documents")
)


# ------------------------------------------------------------ findings
def test_findings_of_a_programme_that_was_shown_to_prevent(tmp_path: Path) -> None:
    assert outcome(tmp_path).section.findings == [
        "Kits cost £12.50 per kit as paid; £12.73 per kit was planned.",
        "One burglary prevented cost £327 (95 % interval £200 to £903), on the money spent.",
        "3,121 (95 % interval 1,131 to 5,112) hours of police time were freed, which is time for other work "
        "and no money in hand. Delivery of the kits taken off, 2,631 (95 % interval 641 to 4,622) hours are "
        "left.",
        "Benefits over costs (money spent): fiscal 6.67 (95 % interval 2.42 to 10.92), police alone "
        "1.62 (95 % interval 0.59 to 2.65), economic 8.01 (95 % interval 2.90 to 13.12), social 15.96 (95 % "
        "interval 5.78 to 26.14).",
        "7,652 burglaries prevented were promised, 85 of them by the time measured; 218 (95 % interval 79 to "
        "357) were measured: cannot tell.",
    ]


def test_opposite_verdicts_of_police_and_society_are_said_with_their_certainty(tmp_path: Path) -> None:
    weak = {"estimate": 120.0, "low": 90.0, "high": 130.0}
    finding = outcome(tmp_path, assessment=assessment(prevented=weak)).section.findings[3]
    assert finding.endswith(
        "Across the whole interval, police savings alone do not repay the cost and savings to everybody do."
    )


def test_without_a_verdict_no_ratio_is_given_but_what_it_would_take(tmp_path: Path) -> None:
    found = outcome(tmp_path, assessment=assessment("CANNOT_TELL", "Cannot tell"))
    assert found.section.findings[3] == (
        "No benefit-cost ratio is given, because the effect cannot be told. For benefits to equal costs, the "
        "programme would have had to prevent this many burglaries: 33 (fiscal), 135 (police alone), "
        "27 (economic), 14 (social)."
    )


@pytest.mark.parametrize("code", ["CANNOT_TELL", "SELECTION", "NOT_ASSESSABLE", "DISPLACED"])
def test_the_gate_leaves_no_ratio_of_a_measured_effect_in_any_file(tmp_path: Path, code: str) -> None:
    benefits = outcome(tmp_path, assessment=assessment(code, "x")).files["benefits.csv"].set_index("basis")
    assert benefits.loc[["money spent", "kits at the planned price"], "bcr"].isna().all()


def test_an_evaluation_without_an_estimate_gives_no_number(tmp_path: Path) -> None:
    empty = {"estimate": None, "low": None, "high": None}
    found = outcome(
        tmp_path,
        assessment=assessment(
            "NOT_ASSESSABLE", "The data cannot answer this", headline=empty, prevented=empty
        ),
    )
    assert found.summary["prevented"] == {"not held": "the data cannot tell the effect"}


def test_an_interval_that_includes_zero_gives_no_cost_per_burglary(tmp_path: Path) -> None:
    weak = {"estimate": 50.0, "low": -10.0, "high": 110.0}
    found = outcome(tmp_path, assessment=assessment("PROBABLY", "Probably fewer", prevented=weak))
    assert found.section.findings[1] == (
        "What one burglary prevented has cost cannot be given: the burglaries prevented have an interval of "
        "-10 to 110, which includes zero."
    )


def test_a_promise_alone_is_told_as_a_promise(tmp_path: Path) -> None:
    found = outcome(tmp_path, **(NOTHING | {"programme": programme()}))
    case = table(found, "account_case_promise").set_index("perspective")
    assert case["ratio"].round(4).to_dict()["social"] == 7.1328


def test_unit_costs_of_burglary_are_not_used_for_another_crime(tmp_path: Path) -> None:
    benefits = outcome(tmp_path, crime="robbery").files["benefits.csv"]
    assert set(benefits["not given because"]) == {
        "the unit costs named are of burglary and the crime counted is robbery"
    }


# ------------------------------------------------------------ nothing held
def test_with_nothing_held_the_chapter_says_so_and_the_run_goes_on(tmp_path: Path) -> None:
    found = outcome(tmp_path, **(NOTHING | {"months": None}))
    assert found.not_held == "not held: no decision, ledger, deliveries, counts or evaluation was given"


def test_an_empty_programme_counts_as_nothing(tmp_path: Path) -> None:
    assert outcome(tmp_path, **(NOTHING | {"programme": Programme("x")})).not_held


def test_with_nothing_held_all_six_questions_are_not_held_each_with_its_own_reason(tmp_path: Path) -> None:
    answers = outcome(tmp_path, **(NOTHING | {"months": None})).files["foi.json"]["answers"]
    reasons = [part["because"] for answer in answers for part in answer["parts"]]
    assert ([a["decision"] for a in answers], len(set(reasons))) == (["not held"] * 6, len(reasons))


def test_whoever_would_hold_it_is_named(tmp_path: Path) -> None:
    answers = outcome(tmp_path, **(NOTHING | {"months": None})).files["foi.json"]["answers"]
    assert all(part["holder"] for answer in answers for part in answer["parts"])


# ------------------------------------------------------------ the six answers
def test_the_six_questions_with_every_record(tmp_path: Path) -> None:
    decisions = [answer["decision"] for answer in outcome(tmp_path).files["foi.json"]["answers"]]
    assert decisions == ["disclosed", "partly disclosed", *["disclosed"] * 4]


def test_all_crime_is_answered_where_it_was_read(tmp_path: Path) -> None:
    counts = records(tmp_path)["counts"].to_frame("burglary").assign(**{"all crime": 50})
    answers = outcome(tmp_path, counts=counts).files["foi.json"]["answers"]
    assert answers[1]["decision"] == "disclosed"


def test_counts_by_arm_are_whole_financial_years(tmp_path: Path) -> None:
    rows = outcome(tmp_path).files["foi.json"]["answers"][1]["parts"][0]["table"]
    assert [row["financial year"] for row in rows] == ["2014-15", "2015-16", "2016-17"]


def test_counts_that_are_not_public_pass_disclosure_control(tmp_path: Path) -> None:
    counts = records(tmp_path)["counts"] * 0
    counts.iloc[0] = 3
    found = outcome(tmp_path, counts=counts, published=False)
    row = found.files["foi.json"]["answers"][1]["parts"][0]["table"][0]
    assert [row["areas with the programme"], row["all areas"]] == ["c", "c"]


def test_a_recording_change_inside_the_years_is_said(tmp_path: Path) -> None:
    counts = records(tmp_path)["counts"]
    later = counts.set_axis(counts.index.set_levels(counts.index.levels[1] + 12, level="month"))
    part = outcome(tmp_path, counts=later).files["foi.json"]["answers"][1]["parts"][0]
    assert "1 April 2017" in part["uncertainty"]


def test_savings_say_that_they_are_not_cashable(tmp_path: Path) -> None:
    part = outcome(tmp_path).files["foi.json"]["answers"][4]["parts"][0]
    assert part["sentence"].endswith("they are not cashable.")


def test_savings_behind_the_gate_are_not_stated(tmp_path: Path) -> None:
    found = outcome(tmp_path, assessment=assessment("CANNOT_TELL", "Cannot tell"))
    part = found.files["foi.json"]["answers"][4]["parts"][0]
    assert part["sentence"] == "None can be stated: the effect cannot be told (verdict: cannot tell)."


def test_the_letter_has_the_parts_of_a_reply_in_order(tmp_path: Path) -> None:
    letter = outcome(tmp_path).files["foi.md"]
    heads = [line.removeprefix("## ") for line in letter.splitlines() if line.startswith("## ")]
    assert heads == [
        "You asked for", "Searches", "Decision", "Disclosure", "Advice and assistance", "Your rights",
    ]  # fmt: skip


def test_a_bank_of_the_users_own(tmp_path: Path) -> None:
    bank = tmp_path / "bank.toml"
    bank.write_text(
        'title = "Own"\n[[question]]\nnumber = 1\ntext = "How many homes?"\n[[question.part]]\nanswer = "homes"\n'
        'what = "homes"\nbecause = "none"\nholder = "nobody"\n',
        encoding="utf-8",
    )
    answers = outcome(tmp_path, questions=bank).files["foi.json"]["answers"]
    assert answers[0]["parts"][0]["sentence"] == (
        "4,900 homes have been provided with a kit, 81.7 % of the households in the areas with kits."
    )


def test_a_bank_that_asks_for_an_unknown_answer_is_refused(tmp_path: Path) -> None:
    bank = tmp_path / "bank.toml"
    bank.write_text(
        'title = "Own"\n[[question]]\nnumber = 1\ntext = "x"\n[[question.part]]\nanswer = "house"\nwhat = "x"\n'
        'because = "x"\nholder = "x"\n',
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="question 1: answer is 'house'; expected one of all_crime"):
        outcome(tmp_path, questions=bank)


# ------------------------------------------------------------ records and parameters
def test_entries_after_the_day_of_the_records_are_left_out(tmp_path: Path) -> None:
    spent = outcome(tmp_path).files["spend.csv"]["actual"].iloc[-1]
    assert spent == 62_500 + 8_800


def test_a_horizon_beyond_the_measured_months_gives_no_case(tmp_path: Path) -> None:
    benefits = outcome(tmp_path, Parameters(horizon=24)).files["benefits.csv"].set_index("basis")
    assert benefits.at["money spent", "not given because"] == (
        "a horizon of 24 months reaches beyond the 12 months with a measured effect"
    )


def test_prices_of_different_years_are_never_mixed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mix prices of 2015-16 and nominal"):
        outcome(tmp_path, Parameters(police="burglary_police_met_2016"))


def test_recovered_items_too_few_to_publish_are_not_given(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("month,items_found,marked\n2016-05,20,3\n", encoding="utf-8")
    costs = outcome(tmp_path, recoveries=path).files["costs.csv"].set_index("name")
    assert costs.at["items_marked", "not held because"] == "fewer than 5: too few to publish"


def test_not_recorded_differs_from_none(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("month,examined,marked,traced\n2016-05,20,0,\n", encoding="utf-8")
    costs = outcome(tmp_path, recoveries=path).files["costs.csv"].set_index("name")["value"]
    assert [costs["items_marked"], costs.isna()["items_traced"]] == [0, True]


def test_an_assessment_that_lacks_a_key_is_named(tmp_path: Path) -> None:
    broken = {key: value for key, value in assessment().items() if key != "window"}
    with pytest.raises(DataError, match=r"assessment.json: KeyError\('window'\)"):
        outcome(tmp_path, assessment=broken)


def test_claims_are_reconciled_and_their_movement_is_said(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(
        "date,source,prevented,money\n2015,a,7000,5000000\n2016,b,1000,676489\n", encoding="utf-8"
    )
    found = outcome(tmp_path, claims=path)
    assert "Pounds for one crime move from claim to claim: 714, 676." in said(found, "warning")


def test_weak_figures_are_listed_before_any_ratio(tmp_path: Path) -> None:
    names = [block.name for block in outcome(tmp_path).section.blocks if not isinstance(block, Text)]
    assert names.index("account_weakest") < names.index("account_ratios")


def test_spending_outside_the_budget_is_said(tmp_path: Path) -> None:
    assert any(
        text.startswith("£8,800 was spent outside the approved budget")
        for text in said(outcome(tmp_path), "warning")
    )


def test_every_file_and_the_section_are_plain_values(tmp_path: Path) -> None:
    found = outcome(tmp_path)
    assert json.dumps([found.files["foi.json"], found.summary, found.section.as_json()], allow_nan=False)


# ------------------------------------------------------------ impact, prices, next door
OWN = """[{name}]
value = {value}
unit = "{unit}"
price_base = "2015-16"
from = 2000-01-01
perspective = "fiscal"
bearer = "police"
source = "Force finance, 2021"
quality = "green"
impact = "{impact}"
"""


def own(folder: Path, **keys: Any) -> Path:
    into = folder / "figures"
    into.mkdir()
    (into / "own.toml").write_text(OWN.format(**keys), encoding="utf-8")
    return into


def test_the_measured_impact_stands_beside_each_figure(tmp_path: Path) -> None:
    moves = table(outcome(tmp_path), "account_figures").set_index("name")["10 % of it moves an answer by"]
    assert moves[["burglary_cost", "burglary_police", "burglary_victim_services"]].round(4).tolist() == [
        0.1,
        0.1,
        0.0,
    ]


def test_an_impact_declared_too_mild_stops_the_run(tmp_path: Path) -> None:
    figures = own(tmp_path, name="burglary_police", value=600, unit="pounds per burglary", impact="green")
    with pytest.raises(
        DataError, match=r"own.toml, line 1: .* declares its impact green, but .* moves the answer by 10.0 %"
    ):
        outcome(tmp_path, figures=figures)


def test_shipped_figures_declare_no_impact_milder_than_measured(tmp_path: Path) -> None:
    frame = table(outcome(tmp_path), "account_figures")
    order = ["green", "amber", "red"]
    worse = [
        row["name"] for _, row in frame.iterrows()
        if order.index(colour_of(row["10 % of it moves an answer by"])) > order.index(row["impact"].split(":")[0])
    ]  # fmt: skip
    assert worse == []


def test_figures_for_one_burglary_are_brought_to_the_prices_asked_for(tmp_path: Path) -> None:
    figures = own(tmp_path, name="burglary_police", value=530, unit="pounds per burglary", impact="red")
    (figures / "gdp_deflator.csv").write_text(
        "year,index,published on\n2015-16,100,2026-03-31\n2020-21,110,2026-03-31\n", encoding="utf-8"
    )
    found = outcome(tmp_path, Parameters(years=5, prices="2020-21"), figures=figures)
    case = table(found, "account_case_money").set_index("perspective")["value of one crime"]
    assert case[["police alone", "social"]].round(6).tolist() == [583, 5742]


MOVED = {"words_displacement": "displaced", "net": {"estimate": 100.0, "low": -20.0, "high": 220.0}}


def test_where_crime_moved_next_door_the_net_leads_and_the_gross_has_a_line_of_its_own(
    tmp_path: Path,
) -> None:
    benefits = outcome(tmp_path, assessment=assessment(**MOVED)).files["benefits.csv"]
    social = benefits[benefits["line"] == "social"].set_index("basis")["bcr"]
    assert social["money spent"] / social["money spent, without what moved next door"] == pytest.approx(
        100 / 218
    )


def test_an_interval_net_of_next_door_that_includes_none_is_said(tmp_path: Path) -> None:
    found = outcome(tmp_path, assessment=assessment(**MOVED))
    note = next(
        b.note for b in found.section.blocks if not isinstance(b, Text) and b.name == "account_case_money"
    )
    assert note.endswith(
        "Crime that moved next door is taken off. The interval of what is left includes none."
    )


def test_halfway_only_what_was_given_out_by_then_counts(tmp_path: Path) -> None:
    """2,400 and 2,500 kits by June 2016; a second delivery of 9,000 lies after the last month of data."""
    later = pd.DataFrame(
        [("b", "2018-01", 9000, 11_500, 3000, 11_500 / 3000)],
        columns=["place", "month", "kits", "delivered", "households", "saturation"],
    )
    whole, halfway = outcome(tmp_path), outcome(tmp_path, saturation=pd.concat([saturation(), later]))
    costs = [found.files["costs.csv"].set_index("name")["value"] for found in (whole, halfway)]
    assert costs[1]["homes"] == 4_900
    pd.testing.assert_series_equal(*costs)
    pd.testing.assert_frame_equal(whole.files["promise.csv"], halfway.files["promise.csv"])
    assert "2018" not in str(halfway.files["records/atrs.json"])


def test_nothing_given_out_by_then_is_not_held(tmp_path: Path) -> None:
    costs = outcome(tmp_path, parameters=Parameters(as_of="2016-04-15")).files["costs.csv"]
    homes = costs.set_index("name").loc["homes"]
    assert pd.isna(homes["value"])


def test_the_chance_in_closed_form_stands_beside_the_simulated_one(tmp_path: Path) -> None:
    benefits = outcome(tmp_path).files["benefits.csv"]
    spent = benefits[benefits["basis"] == "money spent"].set_index("line")
    police = spent.loc["police alone"]  # one figure without a range: the effect alone is uncertain in it
    assert police["p_effect_alone"] == pytest.approx(police["p_above_1"], abs=0.02)


def test_the_chance_that_a_net_number_pays_is_that_of_its_own_interval(tmp_path: Path) -> None:
    benefits = outcome(tmp_path, assessment=assessment(**MOVED)).files["benefits.csv"]
    row = benefits[(benefits["line"] == "social") & (benefits["basis"] == "money spent")].iloc[0]
    needed = (row["break_even"] - 100) / (240 / (2 * 1.959964))
    assert row["p_above_1"] == pytest.approx(1 - NormalDist().cdf(needed), abs=0.02)


def test_a_cost_for_each_is_refused_where_the_net_may_be_none(tmp_path: Path) -> None:
    costs = outcome(tmp_path, assessment=assessment(**MOVED)).files["costs.csv"].set_index("name")
    assert "includes zero" in costs.at["cost_per_prevented", "not held because"]


def test_the_tornado_puts_what_moves_the_ratio_most_first(tmp_path: Path) -> None:
    rows = table(outcome(tmp_path), "account_tornado")
    assert rows["moved"].tolist() == ["the effect", "burglary_cost"]
