"""The sentences of the stage, word for word, and the rule that decides between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.scores import capture
from peelian.predict.claims import Pair, block_draws, confidence_set, diebold_mariano, pairs, verdict
from peelian.predict.holdout import Holdout
from peelian.predict.planning import Planning
from peelian.predict.report import crimes_of, holdout_sentence, planning_sentence

WORDS = {"ewma": "fading counts (half-life 12 months)"}
ABOUT = {"crimes": "burglaries", "window": "last 12 months", "share": 0.05, "enough": 24}


def pair(method: str = "ewma", *, beats: bool) -> Pair:
    return Pair(
        method, "counts(12)", -0.0123, -0.0165, -0.0081, -5.0, 0.0, 0.0, 0.001, 0.003, 0.0, 0.006, beats
    )


def test_the_sentence_when_nothing_beats_the_count() -> None:
    said = verdict([pair(beats=False)], WORDS, origins=24, **ABOUT)
    assert str(said) == "No model did better than counting burglaries over the last 12 months. Use the count."


def test_the_sentence_when_something_does() -> None:
    said = verdict([pair(beats=True)], WORDS, origins=48, **ABOUT)
    assert str(said) == (
        "Fading counts (half-life 12 months) did better than counting burglaries over the last 12 months: "
        "log score 0.0123 lower (95 % interval 0.0081 to 0.0165 lower), and +0.3 points of burglaries in the "
        "5 % of the area ranked highest (+0.0 to +0.6); 1 method was tried on 48 monthly forecasts."
    )


def test_the_sentence_when_origins_are_too_few() -> None:
    said = verdict([pair(beats=True)], WORDS, origins=11, **ABOUT)
    assert str(said) == (
        "Too few to rank: 11 monthly forecasts were tested, and at least 24 are needed. Use the count until "
        "there are."
    )


def test_the_one_year_test_never_stands_without_its_warning() -> None:
    months = [pd.Period(text, "M") for text in ("2016-01", "2018-12", "2019-01", "2019-12")]
    held = capture(np.array([3.0, 2, 1, 0]), np.array([3, 1, 0, 0]), shares=[0.25, 0.5])
    said = holdout_sentence(
        Holdout((months[0], months[1]), (months[2], months[3]), held, 4), "burglaries", 200
    )
    assert said == (
        "One-year test: 4 cells of 200 m ranked by their burglaries from January 2016 to December 2018, "
        "tested on the 4 of January 2019 to December 2019: PAI 3.00 at 25 %, 2.00 at 50 % of area, ties at "
        "their expected value. PAI cannot be compared across areas or cell sizes: moving the grid's origin "
        "alone changes it. Compare methods on one grid, over many months."
    )


def test_the_planning_sentence_says_which_months_it_has_seen() -> None:
    risk = pd.Series([700.4, 534.1], ["a", "b"])
    months = (pd.Period("2012-01", "M"), pd.Period("2014-04", "M"))
    words = "fading counts (half-life 12 months)"
    planning = Planning(risk, "ewma(12)", words, months, None, None, "", risk, risk, 1_010.2, 1_480.0, 7)
    said = planning_sentence(planning, "burglaries")
    assert said == (
        "For planning, 1,234 burglaries a year are expected in 2 areas (90 % interval 1,010 to 1,480, from 7 "
        "earlier years), by fading counts (half-life 12 months), fitted on January 2012 to April 2014 and on "
        "nothing later."
    )


@pytest.mark.parametrize(
    ("crime", "crimes"),
    [("burglary", "burglaries"), ("Robbery", "robberies"), ("crime", "crimes"), ("drugs", "drugs")],
)
def test_plurals(crime: str, crimes: str) -> None:
    assert crimes_of(crime) == crimes


# -------------------------------------------------------------------- when a method is said to beat counts
ORIGINS = 40
INCIDENTS = np.full(ORIGINS, 100.0)
DRAWN = block_draws(ORIGINS, seed=1, draws=500)
NOISE = np.random.default_rng(1).normal(0, 0.01, ORIGINS)


def compared(log_gain: float, hits_gain: float, *, seen: tuple[str, ...] = ()) -> Pair:
    logs = {"counts": np.full(ORIGINS, 1.0), "model": 1.0 - log_gain + NOISE}
    hits = {"counts": np.full(ORIGINS, 20.0), "model": 20.0 + hits_gain + NOISE * 100}
    return pairs(logs, hits, INCIDENTS, reference="counts", drawn=DRAWN, seen=seen)[0]


@pytest.mark.parametrize(
    ("log_gain", "hits_gain", "beats"),
    [(0.02, 2.0, True), (0.02, -2.0, False), (0.0, 2.0, False), (-0.02, -2.0, False)],
)
def test_a_method_must_win_on_both_scores(log_gain: float, hits_gain: float, beats: bool) -> None:
    assert compared(log_gain, hits_gain).beats is beats


def test_a_method_that_saw_the_tested_months_is_never_said_to_win() -> None:
    assert not compared(0.02, 2.0, seen=("model",)).beats


def test_equal_forecasts_differ_by_nothing() -> None:
    assert diebold_mariano(np.zeros(24)).p_lower == 1.0


def test_equal_methods_stay_in_the_confidence_set_and_a_worse_one_does_not() -> None:
    """Of 60 worlds the set at 90 % holds all of three equal methods in about 54; 48 leaves room for chance."""
    rng, kept, worse = np.random.default_rng(4), 0, 0
    drawn = block_draws(48, seed=1, draws=300)
    for _ in range(60):
        month = rng.normal(1.5, 0.1, 48)
        scores = {name: month + rng.normal(0, 0.01, 48) for name in ("one", "two", "three")}
        scores["worse"] = month + 0.05 + rng.normal(0, 0.01, 48)
        found = confidence_set(scores, drawn)
        kept += min(found[name] for name in ("one", "two", "three")) >= 0.1
        worse += found["worse"] >= 0.1
    assert kept >= 48
    assert worse == 0


def test_the_best_method_is_always_in_the_confidence_set() -> None:
    rng = np.random.default_rng(5)
    scores = {str(k): rng.normal(k, 1, 30) for k in range(6)}
    found = confidence_set(scores, block_draws(30, seed=1))
    assert found[min(scores, key=lambda name: scores[name].mean())] == 1.0
