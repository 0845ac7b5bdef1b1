"""Random waves: that they fit a surface, stay apart by little, and say so. Weeks on a small simulated grid."""

from __future__ import annotations

import numpy as np
import pytest

from peelian.errors import DesignError
from peelian.predict import FourierPoisson
from peelian.predict.fourier import Setting, _learned, _rate
from peelian.predict.regression import Rows
from tests.spec.test_predict_regression import CELLS, HISTORY, KNOWN, WEEK

METHOD = FourierPoisson(search=3, seeds=3, size=20, origins=14, step="day")


def test_waves_fit_a_surface_that_lags_do_not_know() -> None:
    rng = np.random.default_rng(2)
    place = rng.uniform(0, 4_000, (3_000, 2))
    rate = np.exp(np.sin(place[:, 0] / 700) + place[:, 1] / 4_000)
    values = np.column_stack([place, np.zeros(3_000), np.ones((3_000, 2))])
    rows = Rows(values, rng.poisson(rate).astype(float), np.zeros(3_000, int), ())
    found = _rate(_learned(rows, Setting(1_500, 1_500, 100, 1e-4, 28), 60, 1), values)
    assert np.corrcoef(np.log(found), np.log(rate))[0, 1] > 0.95


def test_a_forecast_is_at_the_level_of_the_last_year() -> None:
    risk = METHOD(KNOWN, CELLS, WEEK)
    assert risk.sum() == pytest.approx(len(KNOWN.between("2017-06-01", "2018-06-01")) / 365 * 7, rel=0.01)


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, again = (METHOD(KNOWN, CELLS, WEEK).to_numpy().tobytes() for _ in range(2))
    assert one == again


def test_it_says_what_waves_it_uses_and_how_far_the_draws_lie_apart() -> None:
    assert "3 draws of the waves lie" in METHOD.told(HISTORY)


def test_too_few_origins_to_learn_from() -> None:
    with pytest.raises(DesignError, match="earlier origins to learn from; 12 are needed"):
        FourierPoisson(step="day", origins=5)(KNOWN, CELLS, WEEK)
