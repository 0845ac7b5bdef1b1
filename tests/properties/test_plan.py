"""What must hold of every choice, on drawn cases."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from peelian.errors import DesignError
from peelian.plan.constrained import Problem, Rows, Shape, choose_within
from peelian.plan.expect import effect_years
from peelian.plan.growing import grown
from peelian.plan.knapsack import choose, greedy
from peelian.plan.untreated import Controls
from peelian.plan.visits import patrol


@st.composite
def cases(draw, least: int = 2, most: int = 15):
    """Benefit, need and limit of a few areas; ties, zeros and round numbers are frequent."""
    size = draw(st.integers(least, most))
    benefit = draw(st.lists(st.integers(0, 60).map(lambda n: n / 4), min_size=size, max_size=size))
    need = draw(st.lists(st.integers(0, 30), min_size=size, max_size=size))
    limit = draw(st.integers(0, max(1, sum(need)) + 5))
    return np.array(benefit), np.array(need, dtype=np.int64), limit


def exhaustive(benefit: np.ndarray, need: np.ndarray, limit: int) -> tuple[float, int]:
    """The best benefit of all subsets, and the fewest kits that reach it."""
    benefit = np.where(need > 0, benefit, 0.0)
    subsets = ((np.arange(2 ** len(need))[:, None] >> np.arange(len(need))) & 1).astype(bool)
    kits, held = subsets @ need, subsets @ benefit
    held = np.where(kits <= limit, held, -1.0)
    return float(held.max()), int(kits[held >= held.max() - 1e-9].min())


@settings(max_examples=80)
@given(cases(12, 15))
def test_the_solver_equals_exhaustive_search(case) -> None:
    found = choose(*case, mip_gap=0)
    assert found.objective == pytest.approx(exhaustive(*case)[0], abs=1e-9)


@settings(max_examples=100)
@given(cases(8, 12))
def test_of_equal_choices_the_one_of_fewest_kits_is_returned(case) -> None:
    chosen = choose(*case, mip_gap=0).chosen
    assert case[1][chosen].sum() == exhaustive(*case)[1]


@given(cases())
def test_the_limit_is_kept(case) -> None:
    assert case[1][choose(*case).chosen].sum() <= case[2]


@given(cases())
def test_bound_objective_and_greedy_are_in_order(case) -> None:
    found = choose(*case)
    assert found.bound >= found.objective - 1e-9
    assert found.objective >= found.greedy - 1e-9


@given(cases())
def test_greedy_leaves_no_area_that_fits(case) -> None:
    benefit, need, limit = case
    chosen = greedy(benefit, need, limit)
    left = limit - need[chosen].sum()
    open_ = ~chosen & (benefit > 0) & (need > 0)
    assert not (need[open_] <= left).any()


@given(cases(), st.integers(1, 20))
def test_more_kits_never_cover_less(case, more: int) -> None:
    benefit, need, limit = case
    held = choose(benefit, need, limit, mip_gap=0).objective
    assert choose(benefit, need, limit + more, mip_gap=0).objective >= held - 1e-9


@given(cases())
def test_twice_the_risk_leaves_the_choice(case) -> None:
    benefit, need, limit = case
    once, twice = choose(benefit, need, limit, mip_gap=0), choose(2 * benefit, need, limit, mip_gap=0)
    assert twice.objective == pytest.approx(2 * once.objective, abs=1e-9)


@given(cases(2, 10))
def test_an_area_split_in_two_halves_cannot_cover_less(case) -> None:
    benefit, need, limit = case[0], 2 * case[1], case[2]
    halves = choose(
        np.append(benefit, benefit[0] / 2), np.append(need, need[0] // 2), limit, mip_gap=0
    ).objective
    split_benefit, split_need = benefit.copy(), need.copy()
    split_benefit[0], split_need[0] = benefit[0] / 2, need[0] // 2
    split = choose(
        np.append(split_benefit, benefit[0] / 2), np.append(split_need, need[0] // 2), limit, mip_gap=0
    )
    assert split.objective >= choose(benefit, need, limit, mip_gap=0).objective - 1e-9
    assert halves >= choose(benefit, need, limit, mip_gap=0).objective - 1e-9


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_rows_leaves_the_benefit(case, random) -> None:
    benefit, need, limit = case
    order = list(range(len(need)))
    random.shuffle(order)
    held = choose(benefit, need, limit, mip_gap=0).objective
    assert choose(benefit[order], need[order], limit, mip_gap=0).objective == pytest.approx(held, abs=1e-9)


@given(st.floats(0.1, 10), st.floats(0, 1))
def test_fading_never_gives_more_than_lasting(years: float, part: float) -> None:
    months = part * 12 * years
    fading = effect_years(years, fade="half at 6, zero at 12", delivery_months=months)
    assert fading <= effect_years(years, fade="lasting", delivery_months=months) + 1e-9


# ------------------------------------------------------------------- constraints
@st.composite
def bound_cases(draw):
    """Nine to eleven areas on a line in two groups, with a cap, a floor and a rule of shape."""
    benefit, need, limit = draw(cases(9, 11))
    size = len(need)
    group = np.array(draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)))
    matrix = sparse.csr_array(np.array([np.where(group == g, need, 0.0) for g in (0, 1)]))
    low = np.array([float(draw(st.integers(0, 20))), -np.inf])
    high = np.array([np.inf, float(draw(st.integers(0, 60)))])
    rows = Rows(matrix, low, high, ("floor", "cap"))
    at = np.arange(size - 1)
    shape = Shape(at, at + 1, draw(st.sampled_from([0.0, 0.5, 3.0])), draw(st.integers(1, 4)))
    return benefit, need, limit, rows, shape


def best_within(benefit, need, limit, rows, shape) -> float | None:
    """The best of all subsets that keep every condition; None where none does."""
    problem = Problem(
        benefit, need, limit, (rows,), shape, np.zeros(len(need), bool), (need > 0) & (benefit > 0)
    )
    subsets = ((np.arange(2 ** len(need))[:, None] >> np.arange(len(need))) & 1).astype(bool)
    kits = subsets @ need
    group = subsets @ rows.matrix.toarray().T
    hopeful = (kits <= limit) & (group >= rows.low).all(axis=1) & (group <= rows.high).all(axis=1)
    values = [problem.value(chosen) for chosen in subsets[hopeful] if problem.keeps(chosen)]
    return max(values, default=None)


@settings(max_examples=40, deadline=None)
@given(bound_cases())
def test_the_solver_under_conditions_equals_exhaustive_search(case) -> None:
    benefit, need, limit, rows, shape = case
    best = best_within(*case)
    try:
        found = choose_within(benefit, need, limit, [rows], shape=shape, mip_gap=0)
    except DesignError:
        assert best is None
    else:
        assert best is not None
        assert found.objective == pytest.approx(best, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(bound_cases())
def test_a_condition_never_adds(case) -> None:
    benefit, need, limit, rows, shape = case
    try:
        found = choose_within(benefit, need, limit, [rows], shape=shape, mip_gap=0)
    except DesignError:
        return
    assert found.objective <= choose(benefit, need, limit, mip_gap=0).objective + 1e-6


@settings(max_examples=40, deadline=None)
@given(cases(9, 12), st.integers(2, 4))
def test_grown_groups_are_large_enough_and_within_the_kits(case, least: int) -> None:
    """On a line: never above the best of all subsets, never a group too small, never too many kits."""
    benefit, need, limit = case
    size = len(need)
    near = [[n for n in (at - 1, at + 1) if 0 <= n < size] for at in range(size)]
    open_ = (need > 0) & (benefit > 0)
    found = grown(benefit, need, limit, near, least, open_)
    at = np.arange(size - 1)
    whole = Problem(benefit, need, limit, (), Shape(at, at + 1, 0.0, least), np.zeros(size, bool), open_)
    assert whole.keeps(found)
    free = choose(benefit, need, limit, mip_gap=0).objective
    assert whole.value(found) <= free + 1e-9


@st.composite
def compared_cases(draw):
    """Nine to eleven areas on a line, of which some must stay untreated two or more steps away."""
    benefit, need, limit = draw(cases(9, 11))
    size = len(need)
    reach = draw(st.integers(0, 1))
    area, near = np.nonzero(np.abs(np.subtract.outer(np.arange(size), np.arange(size))) <= reach)
    risk = np.array(draw(st.lists(st.integers(1, 8).map(float), min_size=size, max_size=size)))
    controls = Controls(area, near, risk, need > 0, draw(st.integers(0, 4)), 500.0 * reach)
    at, penalty = np.arange(size - 1), draw(st.sampled_from([0.0, 0.5]))
    return benefit, need, limit, Shape(at, at + 1, penalty, draw(st.integers(1, 2))), controls


@settings(max_examples=30)
@given(compared_cases())
def test_with_areas_left_to_compare_with_the_solver_equals_exhaustive_search(case) -> None:
    benefit, need, limit, shape, controls = case
    open_ = (need > 0) & (benefit > 0)
    problem = Problem(benefit, need, limit, (), shape, np.zeros(len(need), bool), open_, controls)
    subsets = ((np.arange(2 ** len(need))[:, None] >> np.arange(len(need))) & 1).astype(bool)
    subsets = subsets[(subsets @ need <= limit) & ~(subsets & ~open_).any(axis=1)]
    held = [problem.value(row) for row in subsets if problem.keeps(row)]
    try:
        found = choose_within(benefit, need, limit, shape=shape, controls=controls, mip_gap=0)
    except DesignError:
        assert not held
        return
    assert problem.keeps(found.chosen)
    assert found.objective == pytest.approx(max(held), abs=1e-6)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), min_size=2, max_size=7),
    st.integers(12, 60), st.sampled_from([(0.1,), (0.1, 0.15), (0.2, 0.3, 0.3)]),
)  # fmt: skip
def test_visits_of_a_shift_equal_exhaustive_search(areas, limit: int, fall: tuple[float, ...]) -> None:
    ids = [f"p{n}" for n in range(len(areas))]
    risk, visit = (pd.Series([float(area[k]) for area in areas], ids) for k in (0, 1))
    doses = np.array(list(itertools.product(range(len(fall) + 1), repeat=len(areas))))
    less = np.array([0.0, *fall])[doses] @ risk.to_numpy()
    best = less[doses @ visit.to_numpy() <= limit].max()
    made = patrol(risk, visit, limit, fall=fall, dose=range(len(fall) + 1), mip_gap=0)
    assert made.frame["less"].sum() == pytest.approx(best, abs=1e-6)
    assert made.frame["cost"].sum() <= limit
    assert made.frame["cost"].to_dict() == pytest.approx(
        (made.frame["visits"] * visit[made.frame.index]).to_dict()
    )
