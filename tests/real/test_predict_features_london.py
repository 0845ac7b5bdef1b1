"""What columns, calendar, exposure and season add to forecasts of burglary in London, measured.

Provenance: ``data/uk/met_burglary``, ``lsoa_profiles`` (Census 2011, IMD 2015) and ``mps_recorded_crime_counts``, Open
Government Licence v3.0. The documented run takes 48 origins (docs/explanation/forecasting.md and weather.md); this short one the
12 of 2019, whose differences are of the same size. Bounds are that size with room for another fit, not targets.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.scores import log_score
from peelian.predict import PoissonRidge
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.beside import Beside
from peelian.predict.breaks import breaks_of
from peelian.predict.exposure import Split
from peelian.predict.history import History, step_of
from peelian.predict.level import Levels, level_rows, levels_of
from peelian.predict.method import Method, at_level
from peelian.read.mps import counts
from tests.london_panel import london_incidents, london_places

THEMES = {
    "detached": "Dwelling type|Whole house or bungalow: Detached (%)|2011",
    "flats": "Dwelling type|Flat, maisonette or apartment (%)|2011",
    "private_rented": "Tenure|Private rented (%)|2011",
    "social_rented": "Tenure|Social rented (%)|2011",
    "cars": "Car or van availability|Cars per household|2011",
}
FIRST, LAST = step_of(pd.Timestamp("2016-01-01"), "month"), step_of(pd.Timestamp("2019-12-01"), "month")


class London(NamedTuple):
    """The panel, what there is to learn from beside it, and plain counts on 48 origins."""

    history: History
    beside: Beside
    tested: Backtest


@pytest.fixture(scope="module")
def london(shared: Path) -> London:
    data = shared / "data" / "uk"
    atlas = pd.read_parquet(data / "lsoa_profiles" / "london_lsoa11_atlas_imd_dwellings.parquet")
    profile = atlas.set_index("lsoa11_code")[list(THEMES.values())].set_axis(list(THEMES), axis=1)
    incidents, places = london_incidents(data), london_places(data, profile)
    published = counts(data / "mps_recorded_crime_counts" / "mps_borough_monthly_201004_202112.parquet")
    homes, every = (published.of(name).unstack() for name in ("Domestic Burglary", "Burglary"))
    for table in (homes, every):
        table.columns = pd.PeriodIndex(table.columns.astype(str), freq="M")
    beside = Beside(
        columns=dict.fromkeys(THEMES, "2013-12"), areas=places,
        calendar=("month", "bank_holidays", "darkness"), exposure="HHOLDS",
        split=Split(homes, every, "LAD11NM", "MPS", (pd.Period("2017-04", "M"),)),
    )  # fmt: skip
    history = History.of(incidents, places, end=pd.Timestamp("2020-01-01"), by="code")
    tested = backtest(
        {}, incidents, places, origins=pd.period_range("2016-01", "2019-12", freq="M"), by="code", seed=1
    )
    return London(history, beside, tested)


def scores(london: London, method: Method) -> np.ndarray:
    """Log score of each month of 2019, at the mean of the year before."""
    out = []
    for at in range(LAST - 11, LAST + 1):
        known = london.history.before(at)
        risk = at_level(method.expected(known, at, at + 1), known.level(at, at + 1))
        out.append(log_score(london.history.outcome(at, at + 1), risk, floor=0.02).value)
    return np.array(out)


@pytest.fixture(scope="module")
def ridge(london: London) -> np.ndarray:
    return scores(london, PoissonRidge(refit=12))


@pytest.mark.parametrize(
    ("use", "most"), [(("calendar",), 5e-4), (("columns",), 3e-3), (("exposure",), 2e-3)]
)
def test_what_is_added_to_the_ridge_changes_next_to_nothing(
    london: London, ridge: np.ndarray, use: tuple[str, ...], most: float
) -> None:
    difference = scores(london, PoissonRidge(refit=12, beside=london.beside, use=use)) - ridge
    assert abs(difference.mean()) < most


def test_the_share_of_homes_is_taken_after_the_change_of_april_2017(london: London) -> None:
    assert london.beside.split is not None
    shares, (first, last) = london.beside.split.shares(pd.Timestamp("2019-01-01"))
    assert (str(first), str(last)) == ("2017-04", "2018-12")
    assert shares["Westminster"] < shares["Harrow"]


def levels(london: London, *, anew: bool) -> Levels:
    breaks = breaks_of("burglary", (pd.Period("2010-12", "M"), pd.Period("2019-12", "M"))) if anew else ()
    return levels_of(london.history, list(range(FIRST, LAST + 1)), 1, breaks=breaks)


def test_the_season_of_the_total_is_kept(london: London) -> None:
    held = levels(london, anew=True).test
    assert held is not None
    row = held.rows.iloc[0]
    assert row["kept"]
    assert row["deviance"] < -0.4


def test_the_season_is_not_used_where_april_2017_leaves_too_few_origins(london: London) -> None:
    row = next(row for row in level_rows(london.tested, "counts(12)", levels(london, anew=True), seed=1))
    assert (row.level, row.origins, row.kept) == ("seasonal", 15, False)
    assert -0.006 < row.difference < 0


def test_carried_across_the_season_would_lower_the_log_score(london: London) -> None:
    """Documented: -0.0026 (-0.0048 to -0.0005) on 48 origins; half of what the ridge gains on fading counts."""
    row = next(row for row in level_rows(london.tested, "counts(12)", levels(london, anew=False), seed=1))
    assert row.origins == 48
    assert -0.004 < row.difference < -0.0015
    assert row.high < 0
