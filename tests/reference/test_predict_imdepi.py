"""A self-exciting process with covariates, against R's ``surveillance`` on its own documented example.

Provenance: ``reference/predict/imdepi_twinstim.json`` (surveillance 1.20.3, model ``imdepifit``; Meyer, Elias &
Hoehle 2012), its two tables beside it, and the grid ``data/world/imdepi_events``. Tolerances as stated there:
1e-5 in the log-likelihood at the given coefficients, 1e-4 in its parts, .01 after our own fit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from benchmarks.peers.predict import imdepi
from peelian.predict.marked import MarkedFit, Process, fit_marked, log_likelihood, standard_errors

BACKGROUND = ["h.(Intercept)", "h.trend", "h.sin", "h.cos"]
MARKS = ["e.(Intercept)", "e.typeC", "e.agegrp[3,19)", "e.agegrp[19,Inf)"]


class Case(NamedTuple):
    process: Process
    reference: dict[str, Any]

    def given(self) -> tuple[np.ndarray, np.ndarray, float]:
        said = self.reference["coefficients"]
        return (
            np.array([said[name] for name in BACKGROUND]), np.array([said[name] for name in MARKS]),
            said["e.siaf.1"],
        )  # fmt: skip


@pytest.fixture(scope="module")
def case(shared: Path) -> Case:
    text = (shared / "reference" / "predict" / "imdepi_twinstim.json").read_text("utf-8")
    return Case(imdepi(), json.loads(text))


def test_the_log_likelihood_at_the_published_coefficients(case: Case) -> None:
    found = log_likelihood(case.process, *case.given())
    assert found.value == pytest.approx(case.reference["loglik"], abs=1e-5)


def test_its_three_parts(case: Case) -> None:
    found, parts = log_likelihood(case.process, *case.given()), case.reference["loglik_parts"]
    expected = [parts["sum_log_lambda"], parts["endemic_integral"], parts["epidemic_integral"]]
    assert [found.sum_log, found.background, found.triggered] == pytest.approx(expected, abs=1e-4)


def test_our_own_fit_from_elsewhere(case: Case) -> None:
    """From coefficients moved by a tenth to three tenths; their standard errors are .02 to .46."""
    background, marks, log_sigma = case.given()
    found = fit_marked(case.process, start=(background + 0.1, marks - 0.3, log_sigma + 0.2))
    assert found.likelihood.value == pytest.approx(case.reference["loglik"], abs=0.01)
    errors = case.reference["standard_errors"]
    ours = np.concatenate([found.background, found.marks, [found.log_sigma]])
    theirs = np.concatenate([background, marks, [log_sigma]])
    spread = np.array([errors[name] for name in [*BACKGROUND, *MARKS, "e.siaf.1"]])
    assert np.abs((ours - theirs) / spread).max() < 0.05


def test_standard_errors_are_about_theirs(case: Case) -> None:
    """Theirs are from the expected turn of the likelihood, ours from the one observed: within a seventh, and of
    log sigma, where the likelihood is lopsided, within a half."""
    background, marks, log_sigma = case.given()
    at = MarkedFit(background, marks, log_sigma, log_likelihood(case.process, background, marks, log_sigma))
    said = case.reference["standard_errors"]
    theirs = np.array([said[name] for name in [*BACKGROUND, *MARKS, "e.siaf.1"]])
    ours = standard_errors(case.process, at)
    assert ours[:-1] == pytest.approx(theirs[:-1], rel=1 / 7)
    assert ours[-1] == pytest.approx(theirs[-1], rel=1 / 2)


def test_the_turn_of_the_likelihood_is_that_of_its_values(case: Case) -> None:
    """Log sigma alone, the rest held: the error of its own from three values of the likelihood."""
    background, marks, log_sigma = case.given()
    values = [log_likelihood(case.process, background, marks, log_sigma + k * 0.02).value for k in (-1, 0, 1)]
    alone = 1 / np.sqrt((2 * values[1] - values[0] - values[2]) / 0.02**2)
    at = MarkedFit(background, marks, log_sigma, log_likelihood(case.process, background, marks, log_sigma))
    assert alone < standard_errors(case.process, at)[-1] < 3 * alone
