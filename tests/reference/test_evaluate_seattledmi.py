"""The synthetic comparison against all printed digits of the Seattle Drug Market Intervention examples.

Numbers: ../shared/reference/evaluate/seattledmi.json (Robbins, Saunders & Kilmer 2017; R package microsynth
2.0.51); tolerances are the file's own: half of the last printed digit. Data: ../shared/data/world/
eval_seattledmi (GPL-3, never part of this project).
"""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peelian.evaluate.synthetic import Weights, balance_weights, linearised

HORIZONS = [("example_1", 16), ("example_1", 14), ("example_4", 16)]


@pytest.fixture(scope="module")
def numbers(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference" / "evaluate" / "seattledmi.json").read_text())


@pytest.fixture(scope="module")
def seattle(shared: Path) -> dict[str, np.ndarray]:
    import pandas as pd

    path = shared / "data" / "world" / "eval_seattledmi" / "seattledmi.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here")
    frame = pd.read_csv(path).sort_values(["ID", "time"])
    return {name: frame[name].to_numpy(float).reshape(-1, 16) for name in frame.columns}


@pytest.fixture(scope="module")
def fits(numbers: dict[str, Any], seattle: dict[str, np.ndarray]) -> dict[str, Weights]:
    fixed = [np.ones(len(seattle["ID"])), *(seattle[c][:, 0] for c in numbers["covariates"])]
    first = [
        seattle[o][:, [q]].sum(axis=1) for o in numbers["example_1"]["match_out"] for q in range(11, -1, -1)
    ]
    second = []
    for name, blocks in numbers["example_4"]["match_out_quarters_per_block_counted_back_from_12"].items():
        ends = 12 - np.cumsum([0, *blocks])
        second += [seattle[name][:, b:a].sum(axis=1) for a, b in itertools.pairwise(ends)]
    treated = seattle["Intervention"].max(axis=1) > 0
    return {
        name: balance_weights(np.column_stack([*fixed, *columns]), treated)
        for name, columns in (("example_1", first), ("example_4", second))
    }


@pytest.mark.parametrize("example", ["example_1", "example_4"])
def test_constraints_steps_weights_and_sums(
    numbers: dict[str, Any], seattle: dict[str, np.ndarray], fits: dict[str, Weights], example: str
) -> None:
    row, fit = numbers[example], fits[example]
    treated = seattle["Intervention"].max(axis=1) > 0
    others = fit.values[~treated]
    assert len(fit.target) == row["constraints"]
    assert (fit.steps, int((others > 0).sum())) == (row["iterations"], row["non_zero_weights"])
    assert others.sum() == pytest.approx(row["sum_of_weights"], abs=1e-6)
    assert others @ seattle["TotalPop"][~treated, 0] == pytest.approx(row["weighted_TotalPop"], abs=1e-6)


def test_the_printed_balance_table(numbers: dict[str, Any], fits: dict[str, Weights]) -> None:
    held = np.array(list(numbers["example_1"]["balance_target_and_weighted"].values()))
    assert fits["example_1"].target == pytest.approx(held[:, 0])
    assert fits["example_1"].reached == pytest.approx(held[:, 1], abs=1e-6)


@pytest.mark.parametrize(("example", "end"), HORIZONS)
def test_every_row_to_the_printed_digits(
    numbers: dict[str, Any], seattle: dict[str, np.ndarray], fits: dict[str, Weights], example: str, end: int
) -> None:
    treated, room = seattle["Intervention"].max(axis=1) > 0, numbers["tolerance"]
    for outcome, row in numbers[example][f"end_post_{end}"].items():
        found = linearised(seattle[outcome][:, 12:end], treated, fits[example].values)
        ends = [100 * math.expm1(found.theta + side * 1.6448536269514722 * found.se) for side in (-1, 1)]
        assert found.treated == row["treated"], outcome
        assert found.synthetic == pytest.approx(row["control"], abs=room["control"]), outcome
        assert 100 * math.expm1(found.theta) == pytest.approx(row["pct"], abs=room["pct"]), outcome
        assert found.p_lower == pytest.approx(row["p_lower"], abs=room["p_lower"]), outcome
        assert ends == pytest.approx(row["ci90_pct"], abs=room["ci90_pct"]), outcome


def test_areas_taken_as_one_observation_say_less_than_the_printed_p(
    numbers: dict[str, Any], seattle: dict[str, np.ndarray], fits: dict[str, Weights]
) -> None:
    """The printed p takes an area's quarters for independent; they are not."""
    treated = seattle["Intervention"].max(axis=1) > 0
    total = seattle["i_burglary"][:, 12:].sum(axis=1)
    found = linearised(total, treated, fits["example_4"].values)
    assert found.p_lower > 4 * numbers["example_4"]["end_post_16"]["i_burglary"]["p_lower"]
