"""Hot spots on grids that can be read: sentences, exact p, change, patterns, and what bad input gets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.explain import hotspot_change, hotspot_classify, hotspots
from peelian.explain.gi import chance_p, empirical_bayes
from peelian.explain.hot_spots import pattern
from peelian.explain.hot_spots_report import blocks, patterns_sentence, sentence, table
from peelian.incidents import Incidents
from peelian.places import Places

GRID = Places.grid(gpd.GeoSeries([box(0, 0, 1500, 1500)], crs=27700), 100)


def counts(hot: float = 6.0) -> pd.Series:
    """One crime a cell on average; nine cells in the corner have ``hot``."""
    y = np.random.default_rng(3).poisson(1.0, len(GRID))
    corner = (GRID.frame["column"] < 3) & (GRID.frame["row"] < 3)
    return pd.Series(np.where(corner, hot, y), GRID.index)


def incidents(months: dict[str, list[tuple[float, float]]]) -> Incidents:
    rows = [(month, *at) for month, points in months.items() for at in points]
    start = pd.PeriodIndex([r[0] for r in rows], freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "t", "source": "t"},
        geometry=gpd.points_from_xy([r[1] for r in rows], [r[2] for r in rows]), crs=27700,
    )  # fmt: skip
    return Incidents(frame, precision="month")


# -------------------------------------------------------------------- Gi*
def test_the_planted_corner_is_hot() -> None:
    found = hotspots(counts(), GRID, seed=1)
    inner = [i for i in GRID.index if GRID.frame.loc[i, "column"] < 2 and GRID.frame.loc[i, "row"] < 2]
    assert set(inner) <= set(found.hot)
    assert len(found.hot) <= 20


def test_the_sentence() -> None:
    found = hotspots(counts(), GRID, seed=1, crime="burglary")
    held = found.frame.loc[found.hot, "count"].sum()
    assert sentence(found) == (
        f"{len(found.hot)} of 225 places ({100 * len(found.hot) / 225:.1f} %) are hot spots of burglary; they hold "
        f"{held:.0f} of {counts().sum():.0f} incidents ({100 * held / counts().sum():.1f} %)."
    )


def test_no_hot_spot_says_so() -> None:
    checkers = pd.Series(np.arange(len(GRID)) % 2, GRID.index)
    assert sentence(hotspots(checkers, GRID, seed=1, crime="arson")) == (
        "No place has more arson in and round it than counts dealt out at random would give (225 places, level "
        "95 %)."
    )


def test_classes_add_up_to_all_places_and_incidents() -> None:
    found = table(hotspots(counts(), GRID, seed=1))
    assert found["Places"].sum() == 225
    assert found["Incidents"].sum() == counts().sum()


def test_exact_p_on_four_places() -> None:
    # place 0 holds 5 and has place 1 beside it, who holds 2: of the others' counts 2, 1, 0 one is as high
    near = sparse.csr_array(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], float))
    high, low = chance_p(np.array([5, 2, 1, 0]), near, seed=1)
    assert high.tolist() == pytest.approx([1 / 3, 1 / 3, 1.0, 1.0])
    assert low.tolist() == pytest.approx([1.0, 1.0, 1 / 3, 1 / 3])


def test_exact_p_agrees_with_permutations() -> None:
    from peelian.explain.gi import _drawn_p

    near, y = GRID.neighbours().astype(float), counts().to_numpy(float)
    exact, _ = chance_p(y, near, seed=1)
    drawn, _ = _drawn_p(y, near, near @ y, 1, draws=4000)
    # 4,000 draws: a standard error of 0.008 at most, shared by places that have as many neighbours
    assert np.abs(exact - drawn).max() < 0.025


def test_permutations_leave_a_places_own_value_where_it_is() -> None:
    # the high value is the place's own: the others' sums are 0, whatever is dealt
    from peelian.explain.gi import _drawn_p

    near = sparse.csr_array(np.ones((5, 5)) - np.eye(5))
    y = np.array([9.5, 0, 0, 0, 0])
    high, low = _drawn_p(y, near, near @ y, 1)
    assert high.tolist() == [1.0] * 5
    assert low.tolist() == [1.0] * 5


def test_rates_allow_for_few_at_risk() -> None:
    z = empirical_bayes(np.array([1, 100, 50, 0]), np.array([1, 1000, 1000, 0]))
    assert z[3] == 0
    assert z[1] > 0 > z[2]


def test_equal_counts_and_negative_counts_are_refused() -> None:
    with pytest.raises(DesignError, match="Every place holds 1: no place stands out"):
        hotspots(pd.Series(1, GRID.index), GRID, seed=1)
    with pytest.raises(DataError, match="0 or more for every place; not so for"):
        hotspots(pd.Series(-1, GRID.index), GRID, seed=1)


# -------------------------------------------------------------------- change
def test_change_finds_the_cell_that_doubled() -> None:
    steady = [(150.0, 150.0)] * 20
    found = hotspot_change(
        incidents({"2018-01": [*steady, *[(850.0, 850.0)] * 5], "2019-01": [*steady, *[(850.0, 850.0)] * 40]}),
        GRID, ("2018-01", "2018-01"), ("2019-01", "2019-01"), crime="burglary",
    )  # fmt: skip
    assert (
        found.frame.index[found.frame["class"] == "up"].tolist()
        == GRID.locate(gpd.GeoSeries(gpd.points_from_xy([850], [850]), crs=27700)).tolist()
    )
    assert str(found) == (
        "Burglary became more frequent in 1 and less frequent in 0 of 225 places (false discoveries at most 5 %)."
    )


def test_change_accounts_for_every_row() -> None:
    found = hotspot_change(
        incidents({"2018-01": [(150.0, 150.0)] * 5, "2018-06": [(150.0, 150.0)] * 3, "2019-01": [(150.0, 150.0), (9e5, 9e5)]}),
        GRID, ("2018-01", "2018-01"), ("2019-01", "2019-01"),
    )  # fmt: skip
    assert found.accounting == {
        "rows read": 10, "refused on reading": 0, "outside both periods": 3, "without a point": 0,
        "outside the study area": 1, "used before": 5, "used after": 1,
    }  # fmt: skip


def test_periods_that_share_a_month_are_refused() -> None:
    with pytest.raises(DesignError, match=r"2018-01\.\.2018-06 and 2018-06\.\.2018-12 share months"):
        hotspot_change(
            incidents({"2018-01": [(150.0, 150.0)]}), GRID, ("2018-01", "2018-06"), ("2018-06", "2018-12")
        )


# -------------------------------------------------------------------- patterns
@pytest.mark.parametrize(
    ("marks", "name"),
    [
        ("1111111111", "persistent"), ("0000000011", "emerging"), ("0000000001", "emerging"),
        ("0001000011", "intermittent"), ("1110000000", "former"), ("0000000000", "none"),
    ],
)  # fmt: skip
def test_patterns_with_two_recent_of_ten(marks: str, name: str) -> None:
    marked = np.array([[mark == "1" for mark in marks]])
    assert pattern(marked, 0.1, 0.8, 2).tolist() == [name]


def test_patterns_over_quarters_name_what_was_left_out() -> None:
    rng = np.random.default_rng(1)
    background = [tuple(at) for at in rng.uniform(0, 1500, (120, 2))]
    corner = [tuple(at) for at in rng.uniform(0, 250, (60, 2))]
    months = {f"{y}-{m:02d}": background + corner for y in (2017, 2018) for m in range(1, 13)}
    for m in (4, 5, 6):
        months.pop(f"2017-{m:02d}")
    found = hotspot_classify(incidents(months), GRID, seed=1, crime="burglary")  # type: ignore[arg-type]
    assert (found.empty, len(found.periods), found.recent) == (("2017Q2",), 7, 1)
    assert found.accounting["used"] == found.accounting["rows read"] == 21 * 180
    persistent = (found.frame["pattern"] == "persistent").sum()
    assert persistent >= 4
    assert patterns_sentence(found).endswith("Left out, no incident: 2017Q2.")


def test_two_periods_are_too_few() -> None:
    months = {f"2018-{m:02d}": [(150.0, 150.0)] for m in range(1, 7)}
    with pytest.raises(DesignError, match="2 whole quarters with incidents: patterns over time need three"):
        hotspot_classify(incidents(months), GRID, seed=1)


def test_the_chapter_starts_with_the_finding_and_draws_a_map() -> None:
    said = blocks(hotspots(counts(), GRID, seed=1), None, GRID, published=False)
    assert said[0].kind == "finding"  # type: ignore[union-attr]
    assert "hot_spots_map" in [getattr(block, "name", "") for block in said]
