"""What a stepped wedge sees of an effect that fades, beside a trial of two arms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from peelian.errors import DesignError
from peelian.plan.wedge import strength, wedge_power
from tests.spec.test_plan_options import counts, found, planned

__all__ = ["counts"]
IDS = [f"p{n:02d}" for n in range(60)]


@pytest.fixture(scope="module")
def history() -> pd.Series:
    """Five years of 60 areas with 3 incidents a month each, by chance alone."""
    months = pd.period_range("2010-01", "2014-12", freq="M", name="month")
    wide = np.random.default_rng(2).poisson(3.0, (60, 60))
    return pd.DataFrame(wide, pd.Index(IDS, name="place"), months).stack()


def seen(history: pd.Series, **keys) -> tuple[float, float, int]:
    asked = {"steps": 5, "step_months": 3, "draws": 600, "seed": 1} | keys
    return wedge_power(history, pd.Index(IDS), **asked)


def test_a_fading_effect_is_seen_less_than_a_lasting_one(history) -> None:
    lasting, fading = seen(history)[0], seen(history, fade="half at 6, zero at 12")[0]
    assert lasting < fading < 1
    assert 0.08 < lasting < 0.25


def test_with_nothing_done_about_one_draw_in_twenty_is_beyond_its_limit(history) -> None:
    _, false, windows = seen(history)
    assert windows == 4
    assert 0.03 <= false <= 0.07


def test_what_is_left_of_the_effect_between_steps() -> None:
    assert strength(3, 6, "lasting").tolist() == [[1, 1], [0, 1], [0, 0]]
    assert strength(2, 12, "half at 6, zero at 12")[0, 0] == pytest.approx(0.5)


def test_a_history_too_short_or_too_few_areas_are_refused(history) -> None:
    with pytest.raises(DesignError, match="needs 72 months of counts; there are 60"):
        seen(history, steps=6, step_months=12)
    with pytest.raises(DesignError, match="60 areas in 31 steps"):
        seen(history, steps=31, step_months=1)


def test_the_chapter_sets_the_wedge_beside_a_trial_of_two_arms(counts) -> None:
    outcome = planned(
        counts, kits=1020, trial="stepped_wedge", steps=3, step_months=2, trial_seed="x", draws=100
    )
    text = found(outcome)
    assert "the 3 steps 2 months apart" in text
    assert "a trial of two arms that treats 12 of twice as many areas at once" in text
