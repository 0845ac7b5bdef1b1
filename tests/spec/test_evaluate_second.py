"""Second opinions: other areas, other methods, bent trends, frozen plans, answers to guards."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.effect import Check, Effect
from peelian.errors import DataError, DesignError
from peelian.evaluate import assess, did, study
from peelian.evaluate.assess import Assessment
from peelian.evaluate.choices import agreement, choices, nearest_in_history
from peelian.evaluate.did import cumulative
from peelian.evaluate.further import offence_switch
from peelian.evaluate.its import its
from peelian.evaluate.registration import Answer, answered, draft, read_answers
from peelian.evaluate.run import Parameters, run
from peelian.evaluate.scales import emmie, emmie_title, with_costs
from peelian.evaluate.sensitivity import sensitivity
from peelian.evaluate.staggered import imputation, imputed_counts
from peelian.evaluate.synthetic import balance_weights, microsynth, synthetic
from peelian.evaluate.windows import CONTROL, TREATED, Study
from peelian.panel import Panel
from peelian.protocol import Protocol, freeze
from tests.evaluate_world import counts_of, grid, noisy, programme, world

HEAD = Effect("headline", 0.8, 0.7, 0.9)
WHEN = datetime(2014, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def made() -> tuple[Panel, object, object, Study]:
    panel, plan, places = world(2, effect=0.7, mean=4, chosen_on=None)
    return panel, plan, places, study(panel, plan, places=places)


def registered(plan: object, **changed: object) -> Protocol:
    held = draft(
        list(plan.treated.index), question="Fewer?", crime="burglary", start="2015-01", permutations=99,
        months_before=24,
    )  # fmt: skip
    return freeze(held | changed, author="Analyst", at=WHEN)


@pytest.fixture(scope="module")
def whole(made: tuple) -> Assessment:
    panel, plan, places, _ = made
    return assess(panel, plan, seed=1, places=places, permutations=99, months_before=24, rings=(250, 500, 750),
        protocol=registered(plan))  # fmt: skip


# ------------------------------------------------------------------------------------ agreement
@pytest.mark.parametrize(
    ("other", "agrees"),
    [
        (Effect("inside", 0.85, 0.6, 1.1), True),
        (Effect("around", 0.95, 0.75, 1.2), True),
        (Effect("apart", 0.95, 0.91, 0.99), False),
        (Effect("other way", 1.02, 0.7, 1.5), False),
    ],
)
def test_two_agree_if_one_way_and_one_inside_the_other(other: Effect, agrees: bool) -> None:
    assert agreement(HEAD, [other])["agrees"].tolist() == [agrees]


def test_four_choices_of_comparison_areas_at_least(whole: Assessment) -> None:
    assert len(whole.choices.alike) >= 4
    assert len(whole.choices.controls) + len(whole.choices.methods) >= 5


def test_a_planted_fall_is_agreed_on(whole: Assessment) -> None:
    assert not whole.check("S1").fired
    assert whole.headline.high < 1


def test_one_that_points_the_other_way_takes_the_verdict_down(whole: Assessment) -> None:
    from peelian.evaluate.choices import second_opinions

    off = dataclasses.replace(whole.choices, methods=(Effect("odd", 1.2, 1.1, 1.3),))
    check = second_opinions(whole.headline, off)
    assert (check.fired, check.consequence) == (True, "down")
    assert "Not: odd, 1.200 (1.100 to 1.300)." in check.sentence


def test_the_nearest_in_history_are_the_nearest() -> None:
    places = grid(8)
    ids = [places.index[0]]
    matrix = np.tile(np.arange(64.0)[:, None] + 1, (1, 24))
    plan = programme(ids, ["2013-01"], chosen_on=None)
    laid = study(Panel.build(counts_of(matrix, places), plan, places, outcome="burglary"), plan)
    found = np.flatnonzero(nearest_in_history(laid, take=3))
    far = np.flatnonzero(laid.group == CONTROL)
    assert found.tolist() == far[:3].tolist()


def test_leaving_out_one_district_at_a_time_brackets_the_headline(made: tuple) -> None:
    _, _, places, laid = made
    frame = places.frame.assign(borough=np.arange(len(places)) // 100)
    other = dataclasses.replace(places, frame=frame)
    found = choices(laid, did(laid, seed=1, draws=1).ratio, places=other, district="borough", seed=1)
    assert found.left_out is not None
    low, high, n = found.left_out
    assert n == 4
    assert low <= did(laid, seed=1, draws=1).ratio.estimate <= high


# ------------------------------------------------------------------------------------ methods
def test_synthetic_areas_match_every_quarter_before(made: tuple) -> None:
    found = synthetic(made[3])
    assert found is not None
    assert found.worst < 1e-3
    assert found.effect.low < 0.7 < found.effect.high


def test_totals_that_cannot_be_matched_are_refused() -> None:
    with pytest.raises(DesignError, match="Match on fewer totals"):
        balance_weights([[1, 50], [1, 1], [1, 2], [1, 3]], [1, 0, 0, 0])


def test_the_synthetic_p_by_drawing_again_is_small_for_a_large_fall() -> None:
    rng = np.random.default_rng(1)
    level = rng.gamma(4, 5, 200)
    z = np.arange(200) < 20
    before, after = rng.poisson(level), rng.poisson(level * np.where(z, 0.6, 1.0))
    found = microsynth(after, np.column_stack([np.ones(200), before]), z, permutations=99, seed=1)
    assert found.p is not None
    assert found.p <= 0.02


def test_imputation_equals_the_headline_with_one_start(made: tuple) -> None:
    laid = made[3]
    stack = laid.stacks[0]
    part = laid.by_unit(laid.counts)
    base, after = np.zeros(part.shape, bool), np.zeros(part.shape, bool)
    mine, far = laid.unit_group == TREATED, laid.unit_group == CONTROL
    base[np.ix_(mine | far, np.arange(*stack.before))] = True
    base[np.ix_(far, np.arange(*stack.after))] = True
    after[np.ix_(mine, np.arange(*stack.after))] = True
    keep = mine | far
    log, _, _ = imputation(part[keep], base[keep], after[keep], seed=1)
    assert log.theta == pytest.approx(did(laid, seed=1, draws=1).log.theta, abs=1e-8)


def test_a_level_without_any_untreated_cell_is_missing() -> None:
    assert np.isnan(imputed_counts([[1, 2], [3, 4]], [[1, 0], [1, 0]])[:, 1]).all()


def test_staggered_starts_bring_two_further_methods() -> None:
    panel, plan, places = world(4, effect=0.7, mean=4, treated=24, chosen_on=None)
    areas = plan.areas.copy()
    areas.loc[areas.index[:12], "start"] = pd.Period("2014-07", "M")
    late = dataclasses.replace(plan, areas=areas)
    again = Panel.build(panel.frame["count"], late, places, outcome="burglary")
    laid = study(again, late, places=places)
    found = choices(laid, did(laid, seed=1, draws=1).ratio, places=places, seed=1).methods
    assert len(found) == 3
    assert all(e.low < 0.75 and e.high > 0.6 for e in found)


def test_what_was_prevented_month_by_month_ends_at_the_headline(made: tuple) -> None:
    laid = made[3]
    last = cumulative(laid).iloc[-1]
    assert last["prevented"] == pytest.approx(did(laid, seed=1, draws=1).prevented.estimate)


# ------------------------------------------------------------------------------------ trends
def test_a_planted_fall_stands_under_a_straight_trend(made: tuple) -> None:
    found = sensitivity(made[3])
    assert found is not None
    assert found.high < 1
    assert found.breakdown > 0


def test_the_interval_widens_with_the_bend(made: tuple) -> None:
    found = sensitivity(made[3])
    assert found is not None
    assert (np.diff(found.frame["high"] - found.frame["low"]) > 0).all()


def test_a_series_with_a_gap_is_refused() -> None:
    months = pd.PeriodIndex(["2012-01", "2012-03"], freq="M")
    with pytest.raises(DataError, match="gaps"):
        its(pd.Series([1.0, 2.0], months), "2012-03")


# ------------------------------------------------------------------------------------ plan and answers
def test_kept_to_the_plan_reads_as_registered(whole: Assessment) -> None:
    assert whole.plan is not None
    assert whole.plan.state == "as registered"
    assert not whole.check("G7").fired


def test_a_departure_is_named_and_caps_the_verdict(made: tuple) -> None:
    panel, plan, places, _ = made
    found = assess(panel, plan, seed=1, places=places, permutations=99, months_before=24, months_after=6,
        protocol=registered(plan))  # fmt: skip
    assert "months after: planned 12, done 6" in found.check("G7").sentence
    assert found.check("G7").consequence == "at most PROBABLY"


def test_a_plan_frozen_after_the_start_counts_as_none(made: tuple) -> None:
    panel, plan, places, _ = made
    held = draft(list(plan.treated.index), question="?", crime="burglary", start="2015-01", months_before=24)
    late = freeze(held, author="A", at=datetime(2015, 2, 1, tzinfo=UTC), late=True)
    found = assess(panel, plan, seed=1, places=places, permutations=99, months_before=24, protocol=late)
    assert found.plan is not None
    assert found.plan.state == "registered late"
    assert found.check("G7").fired


def test_the_stage_reads_the_plan_and_the_answers_from_their_files(made: tuple, tmp_path: Path) -> None:
    panel, plan, places, _ = made
    (tmp_path / "protocol.toml").write_text(registered(plan).text(), encoding="utf-8")
    (tmp_path / "answers.toml").write_text(
        '[[answer]]\nguard = "G6"\ntext = "Known."\nauthor = "A"\ndate = "2016-01-01"\n', encoding="utf-8"
    )
    asked = Parameters(permutations=99, months_before=24, protocol="protocol.toml", answers="answers.toml")
    told = run(panel, places, asked, programme=plan, seed=1, crime="burglary", folder=tmp_path)
    values = told.files["assessment.json"]
    assert values["protocol"]["state"] == "as registered"
    guard = next(c for c in values["checks"] if c["id"] == "G6")
    assert guard["fired"] == ("Answered by A on 2016-01-01: Known. The guard stands." in guard["sentence"])


FIRED = [
    Check("G8", "recording change", True, sentence="Changed.", consequence="NOT_ASSESSABLE"),
    Check("G4", "small counts", True, sentence="Few.", consequence="CANNOT_TELL"),
]


def test_only_an_answer_with_evidence_lifts_and_only_where_it_may() -> None:
    given = [
        Answer("G8", "One series", "A", "2016-01-01", "x.csv"),
        Answer("G4", "No", "A", "2016-01-01", "x.csv"),
    ]
    assert [c.consequence for c in answered(FIRED, given)] == ["none", "CANNOT_TELL"]


def test_an_answer_without_evidence_leaves_the_guard_standing() -> None:
    found = answered(FIRED, [Answer("G8", "One series", "A", "2016-01-01")])
    assert found[0].consequence == "NOT_ASSESSABLE"
    assert found[0].sentence.endswith("The guard stands.")


def test_an_answer_to_no_guard_is_refused() -> None:
    with pytest.raises(DataError, match="no guard G99"):
        answered(FIRED, [Answer("G99", "x", "A", "2016-01-01")])


def test_an_answer_that_lacks_its_author_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        '[[answer]]\nguard = "G8"\ntext = "x"\ndate = "2016-01-01"\n', encoding="utf-8"
    )
    with pytest.raises(DataError, match="lacks author"):
        read_answers(tmp_path / "a.toml")


# ------------------------------------------------------------------------------------ other crimes
def test_p_of_other_crimes_is_adjusted_for_their_number(made: tuple) -> None:
    panel, plan, places, _ = made
    rng = np.random.default_rng(1)
    n = len(panel.frame) // len(places)
    frame = panel.frame.assign(
        theft=noisy(rng, len(places), n).ravel(), robbery=noisy(rng, len(places), n).ravel()
    )
    other = dataclasses.replace(panel, frame=frame)
    alone = [offence_switch(other, plan, [x], seed=1, draws=99)[0].p for x in ("theft", "robbery")]
    both = sorted(e.p for e in offence_switch(other, plan, ["theft", "robbery"], seed=1, draws=99))
    assert both[0] == pytest.approx(min(1.0, 2 * min(alone)))


def test_the_net_effect_has_its_sentence(whole: Assessment) -> None:
    assert whole.moved is not None
    text = str(whole.moved.net)
    assert text.startswith("Burglaries in the treated areas and the areas round them together: ")


def test_the_scale_of_evidence_takes_delivery_and_cost_from_the_chapters_that_know(whole: Assessment) -> None:
    frame = emmie(whole)
    assert frame.set_index("dimension").loc["Economic cost", "evidence"] == "not studied"
    filled = with_costs(frame, "3 refusals were noted.", "Kits cost £12.73.").set_index("dimension")
    assert filled.loc["Economic cost"].tolist() == ["Kits cost £12.73.", "the chapter Account"]
    assert filled.loc["Implementation", "evidence"].endswith("3 refusals were noted.")
    assert emmie_title(filled["evidence"]).startswith("4 of 5" if whole.benefits else "3 of 5")
    assert with_costs(frame, "", "").equals(frame)


@pytest.mark.parametrize("counts", [[1] + [0] * 47, [0] * 24 + [1] + [0] * 23])
def test_a_series_that_is_too_thin_is_refused_and_never_a_crash(counts: list[int]) -> None:
    months = pd.period_range("2015-01", periods=48, freq="M")
    with pytest.raises(DesignError, match="too few counts"):
        its(pd.Series(counts, months), "2017-01")
