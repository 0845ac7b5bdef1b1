"""The two-area feedback simulator against ``feedback_urn.json``: its parameters and acceptance bands.

Provenance: Ensign et al. (2018), simulated apart from this project with 20,000 runs and 40 seeds of 400.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from peelian.errors import DesignError
from peelian.predict.feedback import Feedback, feedback

SEEDS = [1, 2, 3]


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    text = (shared / "reference" / "predict" / "feedback_urn.json").read_text("utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def simulated(reference: dict[str, Any], *, corrected: bool, explore: float = 0.0, seed: int = 1) -> Feedback:
    held = reference["parameters"]
    return feedback(
        [rate * held["rate_scale"] for rate in held["rates"]],
        records=[count * held["prior_scale"] for count in held["prior_counts"]],
        days=held["days"], runs=held["runs"], corrected=corrected, explore=explore, seed=seed,
    )  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_uncorrected_it_runs_away(reference: dict[str, Any], seed: int) -> None:
    found, accept = simulated(reference, corrected=False, seed=seed), reference["accept_400_runs"]
    assert accept["uncorrected_median"][0] <= found.middle <= accept["uncorrected_median"][1]
    assert accept["uncorrected_95"][0] <= found.high <= accept["uncorrected_95"][1]


@pytest.mark.parametrize("seed", SEEDS)
def test_corrected_it_finds_the_true_share(reference: dict[str, Any], seed: int) -> None:
    found, accept = simulated(reference, corrected=True, seed=seed), reference["accept_400_runs"]
    assert accept["corrected_median"][0] <= found.middle <= accept["corrected_median"][1]
    assert accept["corrected_5"][0] <= found.low <= accept["corrected_5"][1]
    assert accept["corrected_95"][0] <= found.high <= accept["corrected_95"][1]


def test_the_true_share(reference: dict[str, Any]) -> None:
    assert simulated(reference, corrected=True).true_share == pytest.approx(
        reference["true_share_of_A"], abs=1e-5
    )


def test_a_fifth_of_days_at_random_lessens_it(reference: dict[str, Any]) -> None:
    plain = simulated(reference, corrected=False)
    assert simulated(reference, corrected=False, explore=0.2).middle < plain.middle


def test_areas_without_records_are_refused() -> None:
    with pytest.raises(DesignError, match="records above 0"):
        feedback([1.0, 1.0], records=[0.0, 1.0], seed=1)


def test_the_answer_in_words() -> None:
    told = str(Feedback(0.57, 0.56, 0.81, 0.94, 1_000, 400, corrected=False))
    assert told == (
        "Of the crime, 57 % lies in the first area. After 1,000 days a forecast learning from what its own "
        "patrols record puts 81 % there (90 % of 400 simulated runs between 56 % and 94 %)."
    )
