"""No small cell of a published two-way table can be computed: bounded here by a program of our own making."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from peelian.account.disclosure import protect, suppress

THRESHOLD = 5


def crime_table(seed: int, rows: int = 8, columns: int = 6, mean: float = 5.9) -> pd.DataFrame:
    """Counts as areas and months give them (negative binomial, many small), with margins called all."""
    chance = 0.8 / (0.8 + mean)
    counts = np.random.default_rng(seed).negative_binomial(0.8, chance, size=(rows, columns))
    table = pd.DataFrame(counts, [f"r{i}" for i in range(rows)], [f"c{i}" for i in range(columns)])
    table["all"] = table.sum(axis=1)
    table.loc["all"] = table.sum()
    return table


def rectangle(true: np.ndarray, hidden: np.ndarray, cell: tuple[int, int]) -> bool:
    """A proof without a program: four hidden cells inside, round which counts can move by the threshold."""
    i, j = cell
    inner = hidden[:-1, :-1]
    if i >= inner.shape[0] or j >= inner.shape[1]:
        return False
    least = 0 if (true[hidden] == 0).any() else 1
    for k in np.flatnonzero(inner[:, j]):
        for m in np.flatnonzero(inner[i] & inner[k]):
            room = min(true[i, m], true[k, j]) + min(true[i, j], true[k, m]) - 2 * least
            if k != i and m != j and room >= THRESHOLD:
                return True
    return False


def attack(true: pd.DataFrame, hidden: np.ndarray, cell: tuple[int, int]) -> float:
    """The width within which a cell is known to who knows every shown number, and that zeros are shown."""
    rows, columns = hidden.shape
    number = {place: at for at, place in enumerate(map(tuple, np.argwhere(hidden)))}
    values = true.to_numpy(dtype=float)
    equations, right = [], []
    lines = [[(i, j) for j in range(columns)] for i in range(rows)]
    lines += [[(i, j) for i in range(rows)] for j in range(columns)]
    for line in lines:
        equation, known = np.zeros(len(number)), 0.0
        for place in line:
            sign = -1.0 if place == line[-1] else 1.0
            if place in number:
                equation[number[place]] = sign
            else:
                known += sign * values[place]
        if equation.any():
            equations.append(equation)
            right.append(-known)
    least = 0.0 if (values[hidden] == 0).any() else 1.0
    goal = np.eye(len(number))[number[cell]]
    ends = [
        linprog(sign * goal, A_eq=np.array(equations), b_eq=right, bounds=(least, None)) for sign in (1, -1)
    ]
    assert ends[0].status == 0
    return np.inf if ends[1].status == 3 else -ends[1].fun - ends[0].fun


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1), st.floats(1.5, 12))
def test_no_small_cell_can_be_bounded_within_the_threshold(seed: int, mean: float) -> None:
    true = crime_table(seed, mean=mean)
    hidden = (suppress(true, threshold=THRESHOLD, total_row="all", total_column="all") == "c").to_numpy()
    small = np.argwhere((true.to_numpy() > 0) & (true.to_numpy() < THRESHOLD))
    cells = [(int(i), int(j)) for i, j in small]
    widths = [attack(true, hidden, c) for c in cells if not rectangle(true.to_numpy(), hidden, c)]
    assert min(widths, default=np.inf) >= THRESHOLD - 1e-6


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1))
def test_what_is_shown_is_true(seed: int) -> None:
    true = crime_table(seed)
    found = suppress(true, threshold=THRESHOLD, total_row="all", total_column="all")
    assert ((found == "c") | (found == true)).all(axis=None)


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1))
def test_hiding_twice_is_hiding_once(seed: int) -> None:
    once = suppress(crime_table(seed), threshold=THRESHOLD, total_row="all", total_column="all")
    pd.testing.assert_frame_equal(
        suppress(once, threshold=THRESHOLD, total_row="all", total_column="all"), once
    )


@given(st.lists(st.integers(0, 60), min_size=2, max_size=9))
def test_a_report_column_with_a_total_does_not_give_a_small_count_back(values: list[int]) -> None:
    names = [f"a{i}" for i in range(len(values))]
    frame = pd.DataFrame({"area": [*names, "all"], "n": [*values, sum(values)]})
    found = protect(frame, ["n"], threshold=THRESHOLD)["n"]
    parts, total = found.iloc[:-1], found.iloc[-1]
    lone = (parts == "c").sum()
    if lone and total != "c":
        room = total - sum(value for value in parts if value != "c") - lone
        zeros_hidden = any(value == 0 for value, seen in zip(values, parts, strict=True) if seen == "c")
        assert room + (lone if zeros_hidden else 0) >= THRESHOLD


@pytest.mark.parametrize("column", [0, 1])
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8))
def test_protecting_twice_is_protecting_once(column: int, rows: list[tuple[int, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["x", "y"]).rename_axis("area").reset_index()
    frame["rate"] = frame[["x", "y"]].iloc[:, column] / 7
    once = protect(frame, ["x", "y"], threshold=THRESHOLD)
    pd.testing.assert_frame_equal(protect(once, ["x", "y"], threshold=THRESHOLD), once)
