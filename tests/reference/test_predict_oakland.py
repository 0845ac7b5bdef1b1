"""The place-based self-exciting model on Oakland, against the rates published with Lum & Isaac (2016).

Provenance: ``reference/predict/oakland_predpol.json`` and ``data/world/oakland_predpol_2009_2011``.

With ``as_published`` the digits of the publication come out: rates to 1e-12 a day, the kernel to the digits given.
The rule is read off the publication's code. There a matrix of pairs (child by parent) is divided by a list of
intensities that numpy lays along its columns: a pair's chance is divided by the intensity of the incident after the
parent instead of the child's. Chances of one child then need not add up to 1; the backgrounds are divided rightly.
Our own fit divides by the child's, and the tests hold how little that moves a rate: 1e-6 a day where theta is below
1e-4, 6e-5 at most, of rates between .006 and .3.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from peelian.predict.by_place import PlaceFit, fit_by_place

WINDOW = 180
DATES = ["2010-12-28", "2011-03-31", "2011-06-30", "2011-09-30", "2011-12-30"]


class Day(NamedTuple):
    """A published day: fits on the 180 days before it, rates by bin of each and theirs, and the plain count."""

    fit: PlaceFit
    rate: np.ndarray
    same: PlaceFit
    same_rate: np.ndarray
    published: np.ndarray
    count: np.ndarray
    said: dict[str, Any]


@pytest.fixture(scope="module")
def days(shared: Path) -> dict[str, Day]:
    crimes, published = read(shared)
    said = json.loads((shared / "reference" / "predict" / "oakland_predpol.json").read_text("utf-8"))["dates"]
    out = {}
    for about in said:
        place, at = window_before(crimes, about["date"])
        fit = fit_by_place(place, at, len(published), WINDOW)
        same = fit_by_place(place, at, len(published), WINDOW, as_published=True)
        rates = [rate_of(one, place, at) for one in (fit, same)]
        count = np.bincount(place, minlength=len(published))
        out[about["date"]] = Day(
            fit, rates[0], same, rates[1], published[about["date"]].to_numpy(), count, about
        )
    return out


def read(shared: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Incidents with bin and day, and the published rates by bin and date."""
    data = shared / "data" / "world" / "oakland_predpol_2009_2011"
    crimes = pd.read_csv(data / "drug_crimes_with_bins.csv.gz").dropna(subset="bin")
    crimes["day"] = pd.to_datetime(crimes["OCCURRED"], format="%m/%d/%y")
    return crimes, pd.read_csv(data / "predpol_drug_predictions.csv.gz").set_index("bin")


def window_before(crimes: pd.DataFrame, date: str) -> tuple[np.ndarray, np.ndarray]:
    """Bin and day of the incidents of the window before a date, in the order of both."""
    ago = (pd.Timestamp(date) - crimes["day"]).dt.days
    rows = crimes[(ago >= 1) & (ago <= WINDOW)].assign(at=WINDOW - ago).sort_values(["bin", "at"])
    return rows["bin"].to_numpy(int) - 1, rows["at"].to_numpy(int)


def rate_of(fit: PlaceFit, place: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Intensity by bin on the day after the window: that day itself and nothing later."""
    excited = np.bincount(place, np.exp(-fit.omega * (WINDOW - at)), len(fit.background))
    return fit.background + fit.theta * fit.omega * excited


@pytest.mark.parametrize("date", DATES)
def test_the_incidents_are_those_of_the_publication(days: dict[str, Day], date: str) -> None:
    day = days[date]
    assert [day.count.sum(), (day.count > 0).sum()] == [day.said["events"], day.said["bins"]]


@pytest.mark.parametrize("date", DATES)
def test_with_its_slip_the_published_rates_come_out(days: dict[str, Day], date: str) -> None:
    day = days[date]
    np.testing.assert_allclose(day.same_rate, day.published, rtol=0, atol=1e-12)


def test_so_they_do_on_every_day_of_the_publication(shared: Path) -> None:
    crimes, published = read(shared)
    assert published.shape == (661, 368)
    for date in published.columns:
        place, at = window_before(crimes, date)
        fit = fit_by_place(place, at, len(published), WINDOW, as_published=True)
        np.testing.assert_allclose(rate_of(fit, place, at), published[date], rtol=0, atol=1e-12)


@pytest.mark.parametrize("date", DATES)
def test_with_its_slip_the_published_kernel_comes_out(days: dict[str, Day], date: str) -> None:
    day = days[date]
    assert day.same.omega == pytest.approx(day.said["omega"], abs=1e-9)
    assert day.same.theta == pytest.approx(day.said["theta"], abs=1e-11)


def test_the_first_published_day_to_every_digit(days: dict[str, Day]) -> None:
    first = days[DATES[0]].same
    assert first.omega == pytest.approx(0.17848729930003313, rel=1e-12)
    assert first.theta == pytest.approx(2.8163554181232e-05, rel=1e-12)


@pytest.mark.parametrize("date", DATES)
def test_rates_by_bin(days: dict[str, Day], date: str) -> None:
    day = days[date]
    assert np.abs(day.rate - day.published).max() < (1e-6 if day.said["theta"] < 1e-4 else 6e-5)


@pytest.mark.parametrize("date", DATES)
def test_decay(days: dict[str, Day], date: str) -> None:
    assert days[date].fit.omega == pytest.approx(days[date].said["omega"], rel=0.004)


@pytest.mark.parametrize("date", DATES)
def test_it_is_the_count_of_180_days(days: dict[str, Day], date: str) -> None:
    day = days[date]
    for fit, rate in ((day.fit, day.rate), (day.same, day.same_rate)):
        assert fit.theta < 0.001
        assert np.corrcoef(rate, day.count)[0, 1] > 0.9999
