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
import pandas as pd
import pytest

from peelian.predict.negbin import Fitted, Parts, fit, log_likelihood, mean_of

FAMILIES = ["poisson", "negbin1"]


class Msoas(NamedTuple):
    """Counts, their neighbours' means, households as shares, and what R found."""

    counts: np.ndarray
    near: np.ndarray
    share: np.ndarray
    reference: dict[str, Any]

    def model(self, months: np.ndarray) -> Parts:
        """The three parts of the published formula, fitted on these months."""
        year = 2 * np.pi * months / 12
        always = np.broadcast_to(self.share[:, None], (len(self.share), len(months)))
        return Parts(
            np.stack([self.counts[:, months - 1], self.near[:, months - 1], always]),
            np.array([False, False, True]),
            np.column_stack([months / 12, np.sin(year), np.cos(year)]),
            self.counts[:, months],
        )


@pytest.fixture(scope="module")
def msoas(shared: Path) -> Msoas:
    folder = shared / "reference" / "predict"
    counts = pd.read_csv(folder / "msoa_month_counts.csv.gz", index_col=0)
    pairs = pd.read_csv(folder / "msoa_adjacency.csv.gz")
    households = pd.read_csv(folder / "msoa_households.csv", index_col=0).iloc[:, 0].reindex(counts.index)
    touching = np.zeros((len(counts), len(counts)))
    left, right = (counts.index.get_indexer(pairs[side]) for side in ("a", "b"))
    touching[left, right] = touching[right, left] = 1
    values = counts.to_numpy(float)
    near = (touching / touching.sum(axis=1, keepdims=True)).T @ values
    reference = json.loads((folder / "hhh4_london_msoa.json").read_text("utf-8"))
    return Msoas(values, near, (households / households.sum()).to_numpy(), reference)


@pytest.fixture(scope="module")
def fitted(msoas: Msoas) -> dict[str, Fitted]:
    model = msoas.model(np.arange(1, 84))
    return {name: fit(model, dispersed=name == "negbin1") for name in FAMILIES}


@pytest.mark.parametrize("name", FAMILIES)
def test_log_likelihood_at_the_coefficients(msoas: Msoas, name: str) -> None:
    held, model = msoas.reference[name], msoas.model(np.arange(1, 84))
    mean = mean_of(
        model,
        np.exp([held["ar"], held["ne"], held["e0"]]),
        np.array([held["e1"], held["e2"], held["e3"]]),
    )
    found = log_likelihood(model.counts, mean, held.get("psi", 0.0))
    assert found == pytest.approx(held["loglik"], abs=1e-3)


@pytest.mark.parametrize("name", FAMILIES)
def test_our_maximum_is_theirs(msoas: Msoas, fitted: dict[str, Fitted], name: str) -> None:
    assert fitted[name].log_likelihood == pytest.approx(msoas.reference[name]["loglik"], abs=0.05)


def test_coefficients_within_a_fiftieth_of_a_standard_error(msoas: Msoas, fitted: dict[str, Fitted]) -> None:
    held, found = msoas.reference["negbin1"], fitted["negbin1"]
    ours = np.concatenate([np.log(found.coefficients), found.season, [found.psi]])
    theirs = np.array([held[key] for key in ("ar", "ne", "e0", "e1", "e2", "e3", "psi")])
    assert (np.abs(ours - theirs) < 0.02 * np.array(held["se"])).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_one_step_log_score_of_2019(msoas: Msoas, name: str) -> None:
    scores = []
    for month in range(84, 96):
        found = fit(msoas.model(np.arange(1, month)), dispersed=name == "negbin1")
        target = msoas.model(np.array([month]))
        mean = mean_of(target, found.coefficients, found.season)
        scores.append(-log_likelihood(target.counts, mean, found.psi) / len(mean))
    expected = msoas.reference[name]["one_step_2019"]["logs"]
    assert np.mean(scores) == pytest.approx(expected, abs=1e-3)
