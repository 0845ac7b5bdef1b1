"""Simple methods on burglary by LSOA and month, London 2019, against ``london_lsoa_month.json``.

Provenance: ``reference/predict/london_lsoa_month.json`` (computed apart from this project) on
``data/uk/met_burglary`` and ``data/uk/boundaries_london``, Open Government Licence v3.0. Protocol as stated
there: repeated Crime IDs dropped, one step ahead, level of the last 12 months, floor 0.02, share of places
rounded half to even. Tolerance as stated there: 1e-4 for scores, .01 for the Diebold-Mariano statistic.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.scores import calibration, capture, log_score
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import (
    EWMA,
    Boosted,
    Counts,
    EndemicEpidemic,
    GammaPoisson,
    Method,
    PoissonRidge,
    SameMonth,
    Stack,
)
from peelian.predict.backtest import backtest
from peelian.predict.claims import block_draws, diebold_mariano, interval
from peelian.predict.history import History, step_of
from peelian.predict.method import at_level
from tests.london_panel import london_incidents, london_places

SHARES = (0.01, 0.05, 0.1, 0.2)
METHODS: dict[str, Method] = {
    "ewma_24": EWMA(24),
    "ewma_12": EWMA(12),
    "count_12": Counts(12),
    "count_36": Counts(36),
    "count_all": Counts(),
    "count_1": Counts(1),
    "same_month_last_year": SameMonth(),
    "gamma_poisson_24": GammaPoisson(24),
}


class London(NamedTuple):
    """The panel, and what others computed on it."""

    incidents: Incidents
    places: Places
    history: History
    reference: dict[str, Any]


@pytest.fixture(scope="module")
def london(shared: Path) -> London:
    data = shared / "data" / "uk"
    incidents, places = london_incidents(data), london_places(data)
    history = History.of(incidents, places, end=pd.Timestamp("2020-01-01"), by="code")
    text = (shared / "reference" / "predict" / "london_lsoa_month.json").read_text("utf-8")
    return London(incidents, places, history, json.loads(text))


def month(text: str) -> int:
    return step_of(pd.Timestamp(text), "month")


def whole(places: int) -> list[float]:
    """Shares of as many whole places as the reference takes."""
    return [round(share * places) / places for share in SHARES]


def scores(london: London, method: Method, first: str, last: str) -> tuple[list[float], np.ndarray]:
    """Pooled hit rates, and the log score of each origin, in the reference's protocol."""
    hits, total, logs = np.zeros(len(SHARES)), 0.0, []
    for at in range(month(first), month(last) + 1):
        known, outcome = london.history.before(at), london.history.outcome(at, at + 1)
        risk = method.expected(known, at, at + 1)
        held = capture(risk, outcome, shares=whole(len(risk)))
        hits, total = hits + held.hits, total + held.total
        logs.append(log_score(outcome, at_level(risk, known.level(at, at + 1)), floor=0.02).value)
    return list(hits / total), np.array(logs)


def test_the_panel_is_the_reference_panel(london: London) -> None:
    checks = london.reference["panel_checks"]
    assert int(london.history.counts.sum()) == checks["total"]
    assert list(london.history.counts.shape) == checks["shape"]


@pytest.mark.parametrize("name", METHODS)
def test_hit_rates_and_log_score_of_2019(london: London, name: str) -> None:
    expected = london.reference["2019"][name]
    hits, logs = scores(london, METHODS[name], "2019-01", "2019-12")
    assert hits == pytest.approx([expected[f"hit@{share * 100:g}"] for share in SHARES], abs=1e-4)
    assert logs.mean() == pytest.approx(expected["logscore"], abs=1e-4)


def test_best_possible_of_2019(london: London) -> None:
    expected = london.reference["2019"]["oracle"]
    hits, total = np.zeros(len(SHARES)), 0.0
    for at in range(month("2019-01"), month("2019-12") + 1):
        outcome = london.history.outcome(at, at + 1)
        held = capture(outcome, outcome, shares=whole(len(outcome)))
        hits, total = hits + held.hits, total + held.total
    assert hits / total == pytest.approx([expected[f"hit@{share * 100:g}"] for share in SHARES], abs=1e-4)


@pytest.mark.parametrize("other", ["count_12", "count_36"])
def test_diebold_mariano_over_48_origins(london: London, other: str) -> None:
    expected = london.reference["diebold_mariano"]["2016-2019"][f"ewma_24 - {other}"]
    logs = [scores(london, METHODS[name], "2016-01", "2019-12")[1] for name in ("ewma_24", other)]
    assert diebold_mariano(logs[0] - logs[1]).statistic == pytest.approx(expected["statistic"], abs=0.01)


def test_the_half_life_chosen_on_2015_to_2018(london: London) -> None:
    at = month("2019-01")
    chosen = EWMA("cv").chosen(london.history.before(at), at, at + 1)
    assert chosen == london.reference["ewma_half_life"]["chosen_on_2015_2018"]


@pytest.mark.parametrize("lag", ["1", "2", "12"])
def test_late_publication_costs_little(london: London, lag: str) -> None:
    hits, logs, total = 0.0, [], 0.0
    for at in range(month("2019-01"), month("2019-12") + 1):
        known, outcome = london.history.before(at - int(lag)), london.history.outcome(at, at + 1)
        risk = EWMA(24).expected(known, at, at + 1)
        held = capture(risk, outcome, shares=whole(len(risk))[1:2])
        hits, total = hits + held.hits[0], total + held.total
        logs.append(log_score(outcome, at_level(risk, known.level(at, at + 1)), floor=0.02).value)
    expected = london.reference["publication_lag_2019"][lag]
    assert [hits / total, np.mean(logs)] == pytest.approx(expected, abs=1e-4)


def test_calibration_of_ewma_24_in_2019(london: London) -> None:
    rates, outcomes = [], []
    for at in range(month("2019-01"), month("2019-12") + 1):
        known = london.history.before(at)
        rate = at_level(EWMA(24).expected(known, at, at + 1), known.level(at, at + 1))
        rates.append(np.maximum(rate, 0.02))
        outcomes.append(london.history.outcome(at, at + 1))
    expected = london.reference["calibration_2019_ewma_24"]["ln_E_y_on_ln_q"]
    found = calibration(np.concatenate(outcomes), np.concatenate(rates))
    assert [found.intercept, found.slope] == pytest.approx(
        [expected["intercept"], expected["slope"]], abs=1e-4
    )


def test_the_backtest_gives_the_same_hit_rates(london: London) -> None:
    shares = whole(len(london.places))
    tested = backtest(
        {"ewma_24": EWMA(24)}, london.incidents, london.places,
        origins=pd.period_range("2019-01", "2019-12", freq="M"), areas=shares,
        size=pd.Series(1.0, london.places.index), by="code", seed=1,
    )  # fmt: skip
    row = tested.pooled.set_index("method").loc["ewma_24"]
    expected = london.reference["2019"]["ewma_24"]
    assert row[f"hit_rate_{shares[1] * 100:g}"] == pytest.approx(expected["hit@5"], abs=1e-4)


# Numbers to beat: reference/predict/README.md and spec/predict.md, section 13. The half-lives of the endemic
# model are 3, 12 and 36 months, and were not chosen on the months that are scored here. The stack's weights come
# from the 12 months before each origin, to be quick; the documented run takes 36 and has the same log score to 1e-4.
COMPARED: dict[str, Method] = {
    "ewma_24": EWMA(24),
    "endemic": EndemicEpidemic(),
    "ridge": PoissonRidge(),
    "stack": Stack(("endemic", "ridge"), origins=12),
}


@pytest.fixture(scope="module")
def compared(london: London) -> dict[str, tuple[list[float], np.ndarray]]:
    """Hit rates and log scores of 48 origins, 2016-2019; members' fits are shared through the history."""
    return {name: scores(london, method, "2016-01", "2019-12") for name, method in COMPARED.items()}


Compared = dict[str, tuple[list[float], np.ndarray]]


@pytest.mark.parametrize("name", ["endemic", "ridge", "stack"])
def test_the_log_score_is_below_the_numbers_to_beat(compared: Compared, name: str) -> None:
    logs = compared[name][1]
    assert logs.mean() <= 1.4605
    assert logs[-12:].mean() <= 1.4840


@pytest.mark.parametrize("name", ["endemic", "ridge", "stack"])
def test_it_beats_the_ewma_and_the_gain_is_under_one_in_a_hundred(compared: Compared, name: str) -> None:
    """The interval of the paired difference (blocks of four months) lies below zero; and it is small."""
    plain = compared["ewma_24"][1]
    difference = compared[name][1] - plain
    low, high = interval(block_draws(len(difference), seed=1) @ difference / len(difference))
    assert -0.01 * plain.mean() < low < high < 0
    assert diebold_mariano(difference).p_lower < 0.01


def test_a_stack_is_no_worse_than_its_best_member(compared: Compared) -> None:
    best = min(compared[name][1].mean() for name in ("endemic", "ridge"))
    assert compared["stack"][1].mean() <= best


def test_the_stack_holds_as_much_as_the_numbers_to_beat(compared: Compared) -> None:
    """To the rounding of the specification: .148 at 5 % and .367 at 20 %."""
    assert compared["stack"][0][1] >= 0.148 - 5e-4
    assert compared["stack"][0][3] >= 0.367


def test_the_ridge_holds_as_much_in_2019(london: London, compared: Compared) -> None:
    assert scores(london, COMPARED["ridge"], "2019-01", "2019-12")[0][1] >= 0.155


# The reference's windows and half-lives; ours know the count of all history besides, and logarithms of the
# features are standardised, so the log score may be lower than theirs. Boosting is grown once, theirs every month.
OWN = {"windows": (1, 3, 6, 12, 24, 36), "half_lives": (2.0, 6.0, 18.0), "smoothed": ()}
LEARNED = {
    "poisson_ridge": PoissonRidge(alpha=1e-3, refit=12, **OWN),  # type: ignore[arg-type]
    "hgb_poisson": Boosted(trees=80, refit=12, **OWN),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", LEARNED)
def test_learned_methods_on_their_own_history(london: London, name: str) -> None:
    """Tolerance as stated in the reference: .002 in hit rates to 10 %, and no higher a log score than that."""
    expected = london.reference["2019"][name]
    hits, logs = scores(london, LEARNED[name], "2019-01", "2019-12")
    assert hits[:3] == pytest.approx([expected[f"hit@{share}"] for share in (1, 5, 10)], abs=2e-3)
    assert logs.mean() <= expected["logscore"] + 2e-3
