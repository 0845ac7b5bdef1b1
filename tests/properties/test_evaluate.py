"""What must hold whatever the counts."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peelian.arithmetic.comparison import log_ratio
from peelian.effect import Check
from peelian.evaluate import assess, compare, did, event_study, study, verdict
from peelian.evaluate.kept import assessment
from peelian.evaluate.ratios import cells, ratios
from peelian.evaluate.run import Parameters, run
from peelian.evaluate.verdict import Reading
from peelian.panel import Panel
from tests.evaluate_world import counts_of, grid, noisy, programme, world

COUNTS = st.lists(st.integers(1, 60), min_size=4, max_size=9)
SEEDS = st.integers(0, 10_000)


def pair(data: st.DataObject, strategy: st.SearchStrategy[list[int]]) -> tuple[list[int], list[int]]:
    before = data.draw(strategy)
    return before, data.draw(st.lists(st.integers(1, 60), min_size=len(before), max_size=len(before)))


@given(st.data())
def test_swapping_the_arms_turns_the_sign(data: st.DataObject) -> None:
    (v, u), (w, x) = pair(data, COUNTS), pair(data, COUNTS)
    one, other = log_ratio(v, u, w, x), log_ratio(w, x, v, u)
    assert math.isclose(one.theta, -other.theta, abs_tol=1e-12)
    assert math.isclose(one.se, other.se, abs_tol=1e-12)


@given(st.data(), st.floats(0.1, 50))
def test_scaling_all_counts_changes_nothing(data: st.DataObject, scale: float) -> None:
    (v, u), (w, x) = pair(data, COUNTS), pair(data, COUNTS)
    scaled = log_ratio(*(np.array(a) * scale for a in (v, u, w, x)))
    assert math.isclose(scaled.theta, log_ratio(v, u, w, x).theta, abs_tol=1e-9)
    assert math.isclose(scaled.se, log_ratio(v, u, w, x).se, abs_tol=1e-9)


@given(st.data(), st.floats(0.2, 5))
def test_a_change_that_all_share_cancels(data: st.DataObject, shock: float) -> None:
    (v, u), (w, x) = pair(data, COUNTS), pair(data, COUNTS)
    shocked = log_ratio(v, np.array(u) * shock, w, np.array(x) * shock)
    assert math.isclose(shocked.theta, log_ratio(v, u, w, x).theta, abs_tol=1e-9)


def staggered(seed: int, *, side: int = 14) -> tuple[Panel, object, object]:
    """Three start months among a dozen areas of a corner."""
    rng = np.random.default_rng(seed)
    places = grid(side)
    ids = [places.index[r * side + c] for r in range(3) for c in range(4)]
    starts = [("2015-01", "2015-02", "2015-04")[i % 3] for i in range(12)]
    plan = programme(ids, starts, chosen_on=("2013-01", "2013-12"))
    counts = counts_of(noisy(rng, len(places), 60), places)
    return Panel.build(counts, plan, places, outcome="burglary"), plan, places


@settings(max_examples=8)
@given(SEEDS)
def test_table_headline_and_pooled_quarters_agree(seed: int) -> None:
    panel, plan, _ = staggered(seed)
    laid = study(panel, plan)
    head = did(laid, seed=1, draws=9)
    row = compare(laid).set_index("group").loc["treated"]
    assert row["after"] / row["expected"] == pytest.approx(head.ratio.estimate, abs=1e-8)
    assert event_study(laid, seed=1, draws=99).pooled == pytest.approx(head.ratio.estimate, abs=1e-8)


@settings(max_examples=8)
@given(SEEDS)
def test_quarters_of_a_stack_add_up_to_its_year(seed: int) -> None:
    panel, plan, _ = staggered(seed)
    laid = study(panel, plan)
    windows = [[(s.start + 3 * q, s.start + 3 * q + 3) for s in laid.stacks] for q in range(4)]
    by_quarter = ratios(laid, [cells(laid, windows)])
    head = did(laid, seed=1, draws=9)
    assert by_quarter.observed.sum() == head.ratio.extra["observed"]
    assert by_quarter.expected.sum() == pytest.approx(head.ratio.extra["expected"], abs=1e-8)


def test_one_start_equals_poisson_regression_with_area_and_month_effects() -> None:
    statsmodels = pytest.importorskip("statsmodels.api")
    panel, plan, _ = world(1, side=8, treated=4, months=36, start=24, chosen_on=None)
    laid = study(dataclasses.replace(panel, frame=panel.frame.drop(columns="ring")), plan, months_before=12)
    stack = laid.stacks[0]
    months = np.r_[np.arange(*stack.before), np.arange(*stack.after)]
    area, month = np.repeat(np.arange(64), len(months)), np.tile(np.arange(len(months)), 64)
    treated = (laid.group == 0)[area] & (months[month] >= stack.start)
    design = np.column_stack([treated, np.eye(64)[area], np.eye(len(months))[month][:, 1:]])
    fit = statsmodels.GLM(laid.counts[:, months].ravel(), design, family=statsmodels.families.Poisson()).fit(
        tol=1e-14
    )
    assert fit.params[0] == pytest.approx(did(laid, seed=1, draws=9).log.theta, abs=1e-8)


@settings(max_examples=6)
@given(SEEDS)
def test_counts_in_are_counts_used_and_counts_left_out(seed: int) -> None:
    panel, plan, _ = staggered(seed)
    panel = dataclasses.replace(panel, outside=17)
    table = assess(panel, plan, seed=1, permutations=9).accounting
    assert table["incidents"].sum() == panel.frame["count"].sum() + 17
    assert table["area_months"].sum() == len(panel.frame)


@settings(max_examples=5)
@given(SEEDS)
def test_the_order_of_rows_is_irrelevant(seed: int) -> None:
    panel, plan, _ = staggered(seed)
    shuffled = panel.frame.sample(frac=1, random_state=seed)
    again = dataclasses.replace(panel, frame=shuffled)
    mixed = dataclasses.replace(plan, areas=plan.areas.sample(frac=1, random_state=seed))  # type: ignore[type-var, attr-defined]
    one, two = assess(panel, plan, seed=1, permutations=19), assess(again, mixed, seed=1, permutations=19)
    assert json.dumps(assessment(one)) == json.dumps(assessment(two))


def test_the_same_seed_gives_the_same_bytes() -> None:
    panel, plan, places = staggered(3)
    one, two = (
        run(panel, places, Parameters(permutations=99), programme=plan, seed=7,
            crime="burglary") for _ in range(2)
    )  # fmt: skip
    assert json.dumps(one.files["assessment.json"]) == json.dumps(two.files["assessment.json"])
    assert json.dumps(one.section.as_json()) == json.dumps(two.section.as_json())


@settings(max_examples=6)
@given(SEEDS)
def test_an_untouched_far_area_never_changes_a_treated_count(seed: int) -> None:
    panel, plan, places = staggered(seed)
    full = compare(study(panel, plan)).set_index("group")
    fewer = panel.frame.drop(index=places.index[-1], level="place")
    less = compare(study(dataclasses.replace(panel, frame=fewer), plan)).set_index("group")
    assert (
        full.loc["treated", ["before", "after"]].tolist() == less.loc["treated", ["before", "after"]].tolist()
    )


RANK = {"NOT_ASSESSABLE": 0, "CANNOT_TELL": 0, "SELECTION": 0, "PROBABLY": 1, "PREVENTED": 2}
CONSEQUENCES = (
    "none",
    "down",
    "down to CANNOT_TELL",
    "at most PROBABLY",
    "SELECTION",
    "CANNOT_TELL",
    "NOT_ASSESSABLE",
)


@given(
    st.floats(0.5, 1.0), st.floats(0.01, 0.3), st.floats(0.001, 0.2),
    st.lists(st.tuples(st.sampled_from(CONSEQUENCES), st.booleans()), min_size=1, max_size=6), st.booleans(),
)  # fmt: skip
def test_making_a_check_fire_never_raises_the_verdict(
    estimate: float, width: float, p: float, states: list[tuple[str, bool]], randomised: bool
) -> None:
    reading = Reading(estimate, estimate * math.exp(-width), estimate * math.exp(width), p)
    checks = [Check(f"G{i}", "x", on, consequence=c) for i, (c, on) in enumerate(states, start=1)]
    word = verdict(reading, checks, randomised=randomised).code
    for i, check in enumerate(checks):
        louder = [*checks[:i], dataclasses.replace(check, fired=True), *checks[i + 1 :]]
        new = verdict(reading, louder, randomised=randomised).code
        assert RANK.get(new, 1) <= RANK.get(word, 2)


@settings(max_examples=6)
@given(SEEDS, st.integers(1, 30))
def test_households_and_names_have_no_part_in_the_ratio(seed: int, homes: int) -> None:
    panel, plan, _ = staggered(seed)
    other = dataclasses.replace(panel, frame=panel.frame.assign(households=float(homes)))
    assert did(study(panel, plan), seed=1, draws=9).log == did(study(other, plan), seed=1, draws=9).log


def test_a_month_outside_all_windows_has_no_part_in_the_headline() -> None:
    panel, plan, _ = staggered(1)
    laid = study(panel, plan)
    month = laid.months[-1]
    frame = panel.frame.copy()
    frame.loc[(slice(None), month), "count"] = 1000.0
    other = study(dataclasses.replace(panel, frame=frame), plan)
    assert did(laid, seed=1, draws=9).log == did(other, seed=1, draws=9).log


def test_fractional_counts_are_taken() -> None:
    panel, plan, _ = staggered(2)
    half = dataclasses.replace(panel, frame=panel.frame.assign(count=panel.frame["count"] / 2))
    one, two = did(study(panel, plan), seed=1, draws=9), did(study(half, plan), seed=1, draws=9)
    assert two.prevented.estimate == pytest.approx(one.prevented.estimate / 2)
    assert isinstance(half.frame, pd.DataFrame)
