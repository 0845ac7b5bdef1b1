"""Endemic-epidemic model on 983 areas of London against ``hhh4_london_msoa.json``.

Provenance: R surveillance 1.20.3 (``hhh4``), ``reference/predict/oracles.R``; counts from London burglary,
Open Government Licence v3.0. Tolerances as stated in the file: 1e-3 for the log-likelihood at R's
coefficients, .05 for our maximum, .02 standard errors for coefficients, 1e-3 for one-step log scores.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from benchmarks.peers.predict import msoas, one_lag
from peelian.predict.negbin import Fitted, Parts, fit, log_likelihood, mean_of

FAMILIES = ["poisson", "negbin1"]


class Msoas(NamedTuple):
    """Counts, who touches whom, households as shares, and what R found."""

    counts: np.ndarray
    touching: np.ndarray
    share: np.ndarray
    reference: dict[str, Any]

    def model(self, months: np.ndarray) -> Parts:
        """The three parts of the published formula, fitted on these months."""
        return one_lag(self.counts, self.touching, self.share, months)


@pytest.fixture(scope="module")
def london(shared: Path) -> Msoas:
    text = (shared / "reference" / "predict" / "hhh4_london_msoa.json").read_text("utf-8")
    return Msoas(*msoas(), json.loads(text))


@pytest.fixture(scope="module")
def fitted(london: Msoas) -> dict[str, Fitted]:
    model = london.model(np.arange(1, 84))
    return {name: fit(model, dispersed=name == "negbin1") for name in FAMILIES}


@pytest.mark.parametrize("name", FAMILIES)
def test_log_likelihood_at_the_coefficients(london: Msoas, name: str) -> None:
    held, model = london.reference[name], london.model(np.arange(1, 84))
    mean = mean_of(
        model,
        np.exp([held["ar"], held["ne"], held["e0"]]),
        np.array([held["e1"], held["e2"], held["e3"]]),
    )
    found = log_likelihood(model.counts, mean, held.get("psi", 0.0))
    assert found == pytest.approx(held["loglik"], abs=1e-3)


@pytest.mark.parametrize("name", FAMILIES)
def test_our_maximum_is_theirs(london: Msoas, fitted: dict[str, Fitted], name: str) -> None:
    assert fitted[name].log_likelihood == pytest.approx(london.reference[name]["loglik"], abs=0.05)


def test_coefficients_within_a_fiftieth_of_a_standard_error(london: Msoas, fitted: dict[str, Fitted]) -> None:
    held, found = london.reference["negbin1"], fitted["negbin1"]
    ours = np.concatenate([np.log(found.coefficients), found.season, [found.psi]])
    theirs = np.array([held[key] for key in ("ar", "ne", "e0", "e1", "e2", "e3", "psi")])
    assert (np.abs(ours - theirs) < 0.02 * np.array(held["se"])).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_one_step_log_score_of_2019(london: Msoas, name: str) -> None:
    scores = []
    for month in range(84, 96):
        found = fit(london.model(np.arange(1, month)), dispersed=name == "negbin1")
        target = london.model(np.array([month]))
        mean = mean_of(target, found.coefficients, found.season)
        scores.append(-log_likelihood(target.counts, mean, found.psi) / len(mean))
    expected = london.reference[name]["one_step_2019"]["logs"]
    assert np.mean(scores) == pytest.approx(expected, abs=1e-3)
