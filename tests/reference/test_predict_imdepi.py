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
import pandas as pd
import pytest

from peelian.predict.marked import Process, fit_marked, log_likelihood

LAST = 2557.0
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


def seasons(start: pd.Series) -> np.ndarray:
    turn = 2 * np.pi * start / 365
    return np.column_stack([np.ones(len(start)), start / 365 - 3.5, np.sin(turn), np.cos(turn)])


def rings(text: str) -> list[np.ndarray]:
    return [np.array([point.split() for point in ring.split(",")], float) for ring in text.split("|")]


@pytest.fixture(scope="module")
def case(shared: Path) -> Case:
    folder = shared / "reference" / "predict"
    reference = json.loads((folder / "imdepi_twinstim.json").read_text("utf-8"))
    events = pd.read_csv(folder / "imdepi_events.csv", dtype={"tile": str})
    regions = pd.read_csv(folder / "imdepi_influence_regions.csv.gz")["region"]
    kept = events["agegrp"].notna().to_numpy()
    events, regions = events[kept].reset_index(drop=True), regions[kept]
    grid = pd.read_csv(shared / "data" / "world" / "imdepi_events" / "imdepi_stgrid.csv.gz")
    time, kind = events["time"].to_numpy(), events["type"].to_numpy()
    at = events[["x", "y"]].to_numpy()
    square = ((at[:, None] - at) ** 2).sum(axis=2)
    gap = time[:, None] - time
    child, parent = np.nonzero((gap > 0) & (gap <= 30) & (square <= 200**2) & (kind[:, None] == kind))
    marks = np.column_stack(
        [np.ones(len(events)), kind == "C", events["agegrp"] == "[3,19)", events["agegrp"] == "[19,Inf)"]
    ).astype(float)
    process = Process(
        seasons(events["start"]), np.log(events["popdensity"].to_numpy()), seasons(grid["start"]),
        np.log(grid["popdensity"].to_numpy()), 2 * (grid["area"] * (grid["stop"] - grid["start"])).to_numpy(),
        marks, child, parent, square[child, parent], np.minimum(30, LAST - time), [rings(one) for one in regions],
    )  # fmt: skip
    return Case(process, reference)


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
