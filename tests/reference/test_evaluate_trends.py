"""Interrupted series at the April 2017 change of recording, and intervals under bent trends.

Numbers: ../shared/reference/evaluate/power_london.json (its_april_2017, tolerance 1e-6) and honest_did.json
(Rambachan & Roth 2023; 2e-5 against other numerics, 2e-4 or half of the last printed digit against R).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from peelian.evaluate.its import its
from peelian.evaluate.sensitivity import Frontier, folded_quantile, frontier


def read(shared: Path, name: str) -> dict[str, Any]:
    return json.loads((shared / "reference" / "evaluate" / name).read_text())


@pytest.fixture(scope="module")
def london(shared: Path) -> dict[str, Any]:
    return read(shared, "power_london.json")["its_april_2017"]


@pytest.fixture(scope="module")
def medicaid(shared: Path) -> tuple[dict[str, Any], Frontier]:
    held = read(shared, "honest_did.json")
    times = [y - held["reference_year"] for y in held["event_years"]]
    return held, frontier(held["betahat"], held["sigma"], times=times, target=[1, 0])


def test_the_whole_regression_of_residential_burglary(london: dict[str, Any]) -> None:
    found = its(pd.Series(london["domestic"], pd.PeriodIndex(london["month"], freq="M")), "2017-04")
    assert found.beta == pytest.approx(london["beta"], abs=london["tolerance"])
    assert found.se == pytest.approx(london["se"], abs=london["tolerance"])
    assert found.phi == pytest.approx(london["phi"], abs=1e-5)


def test_a_rule_of_recording_reads_as_a_step_of_43_per_cent(london: dict[str, Any]) -> None:
    step = its(pd.Series(london["domestic"], pd.PeriodIndex(london["month"], freq="M")), "2017-04").step
    ends = [100 * (x - 1) for x in (step.low, step.high)]
    assert 100 * (step.estimate - 1) == pytest.approx(london["step_pct"], abs=1e-4)
    assert ends == pytest.approx(london["step_pct_ci95"], abs=5e-4)  # theirs takes 1.96


def test_the_step_of_all_burglary(london: dict[str, Any]) -> None:
    both = [a + b for a, b in zip(london["domestic"], london["business"], strict=True)]
    found, wanted = (
        its(pd.Series(both, pd.PeriodIndex(london["month"], freq="M")), "2017-04"),
        london["all_burglary_step"],
    )
    assert (found.beta[2], found.se[2]) == pytest.approx((wanted["log"], wanted["se"]), abs=1e-6)


@pytest.mark.parametrize("bend", ["0", "0.01", "0.02", "0.03", "0.04", "0.05"])
def test_intervals_under_bent_trends(medicaid: tuple[dict[str, Any], Frontier], bend: str) -> None:
    held, found = medicaid
    rows = held["smoothness_FLCI"]
    assert found.interval(float(bend)) == pytest.approx(rows["numpy_scipy_own"][bend], abs=2e-5)
    for end, printed in zip(found.interval(float(bend)), rows["R_README"][bend], strict=True):
        last_digit = 10.0 ** -len(repr(printed).split(".")[1])  # R prints three significant digits
        assert end == pytest.approx(printed, abs=max(2e-4, last_digit / 2))


@pytest.mark.parametrize("bend", [0.01, 0.03])
def test_no_estimator_that_no_line_can_bias_gives_a_shorter_interval(
    medicaid: tuple[dict[str, Any], Frontier], bend: float
) -> None:
    """Minimised again, from scratch and by another method, over the weights of the five years before."""
    held, found = medicaid
    sigma, t = np.array(held["sigma"]), np.array(held["event_years"]) - held["reference_year"]
    kinks = np.array([np.maximum(k - t[:5], 0) for k in range(-1, -5, -1)], float)

    def length(free: np.ndarray) -> float:
        # four weights are free; the fifth makes every straight line cancel: sum of w x t = -1 (t of 2014)
        before = np.append(free, (-1 - free @ t[:4]) / t[4])
        w = np.r_[before, 1.0, 0.0]
        sd = math.sqrt(w @ sigma @ w)
        bias = bend * np.abs(kinks @ before).sum()  # the kink at the reference year itself costs bend too
        return float(folded_quantile((bias + bend) / sd)[0] * sd)

    best = optimize.minimize(length, np.zeros(4), method="Nelder-Mead", options={"maxiter": 600}).fun
    low, high = found.interval(bend)
    assert (high - low) / 2 <= best + 1e-9
    assert (high - low) / 2 == pytest.approx(best, abs=1e-4)  # a blunt search ends a little above


def test_the_bend_at_which_the_answer_goes_away(medicaid: tuple[dict[str, Any], Frontier]) -> None:
    held, found = medicaid
    low, high = held["smoothness_FLCI"]["breakdown_M_between"]
    assert low < found.breakdown() < high
