"""Where a published forecast from recorded drug offences sent patrols: the dose by area in Oakland, 2011.

Provenance: Lum & Isaac (2016), their published daily rates of 661 bins on 368 days, in
``data/world/oakland_predpol_2009_2011``; the dose of 20 bins a day is counted here a second way.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.predict.audit import Dose, dose, taken
from peelian.predict.audit_report import OAKLAND
from peelian.predict.by_place import fit_by_place

BOXES, WINDOW = 20, 180


@pytest.fixture(scope="module")
def published(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    folder = shared / "data" / "world" / "oakland_predpol_2009_2011"
    if not folder.is_dir():
        pytest.skip("data/world/oakland_predpol_2009_2011 is not beside this checkout.")
    rates, seen = (
        pd.read_csv(folder / f"predpol_drug_{name}.csv.gz").set_index("bin").to_numpy(float)
        for name in ("predictions", "observed")
    )
    return rates, seen


@pytest.fixture(scope="module")
def found(published: tuple[np.ndarray, np.ndarray]) -> Dose:
    rates, seen = published
    chosen = np.column_stack([taken(day, np.ones(len(day)), BOXES / len(day)) for day in rates.T])
    return dose(chosen, seen)


def test_the_dose_by_area_is_that_of_the_published_rates(
    published: tuple[np.ndarray, np.ndarray], found: Dose
) -> None:
    rates, _ = published
    counted = np.zeros(len(rates))
    for day in rates.T:  # above the 20th rate whole, at it in equal parts
        cut = np.sort(day)[-BOXES]
        above, level = day > cut * (1 + 1e-12), np.isclose(day, cut, rtol=1e-12, atol=0)
        counted += above + level * (BOXES - above.sum()) / level.sum()
    np.testing.assert_allclose(found.times, counted, atol=1e-9)
    assert found.times.sum() == pytest.approx(BOXES * 368, abs=1e-9)


def test_the_warning_in_the_report_has_the_numbers_of_the_data(found: Dose) -> None:
    assert (found.places, found.ever, found.half, round(found.unseen, 2)) == (661, 52, 12, 0.43)
    assert "12 boxes took half of all choices, 52 were ever chosen, and 43 %" in OAKLAND


@pytest.mark.parametrize(("as_published", "boxes"), [(True, 0), (False, 1)])
def test_the_dose_from_the_incidents_themselves_is_the_published_one_to_a_box_a_day(
    published: tuple[np.ndarray, np.ndarray], shared: Path, as_published: bool, boxes: int
) -> None:
    """Without the slip of their code boxes near the 20th place may change places."""
    folder = shared / "data" / "world" / "oakland_predpol_2009_2011"
    crimes = pd.read_csv(folder / "drug_crimes_with_bins.csv.gz").dropna(subset="bin")
    crimes["day"] = pd.to_datetime(crimes["OCCURRED"], format="%m/%d/%y")
    names = pd.read_csv(folder / "predpol_drug_predictions.csv.gz", nrows=0).columns[1:]
    rates, _ = published
    for column in range(0, rates.shape[1], 61):
        ago = (pd.Timestamp(names[column]) - crimes["day"]).dt.days
        rows = crimes[(ago >= 1) & (ago <= WINDOW)].assign(at=WINDOW - ago).sort_values(["bin", "at"])
        place, at = rows["bin"].to_numpy(int) - 1, rows["at"].to_numpy(int)
        fit = fit_by_place(place, at, len(rates), WINDOW, as_published=as_published)
        excited = np.bincount(place, np.exp(-fit.omega * (WINDOW - at)), len(rates))
        own = fit.background + fit.theta * fit.omega * excited
        share = BOXES / len(rates)
        ours, theirs = (taken(rate, np.ones(len(rates)), share) for rate in (own, rates[:, column]))
        assert np.abs(ours - theirs).sum() / 2 <= boxes
