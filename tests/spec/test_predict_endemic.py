"""Endemic-epidemic counts and the stack on tables one can check: parts, gradient, weights, refusals."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad
from shapely import box

from peelian.errors import DesignError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import EWMA, EndemicEpidemic, Stack
from peelian.predict.endemic import DECAYS, power_of_order
from peelian.predict.history import History
from peelian.predict.negbin import Parts, _surprise, _Tables, fit, mean_of
from peelian.predict.stack import simplex_weights

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 1000, 800)], crs="EPSG:27700"), 100)
JANUARY = pd.Period("2020-01", "M")


def simulated(months: int, *, seed: int = 3, rates: np.ndarray | None = None) -> Incidents:
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.7, 1 / 0.7, len(CELLS)) if rates is None else rates
    when = pd.period_range(end="2019-12", periods=months, freq="M").to_timestamp()
    counts = rng.poisson(rates, (months, len(CELLS)))
    month, cell = np.nonzero(counts)
    times = np.repeat(np.arange(len(month)), counts[month, cell])
    start = pd.Series(when[month[times]])
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "burglary", "source": "simulated"},
        geometry=CELLS.points.iloc[cell[times]].to_numpy(),
        crs=CELLS.crs,
    )
    return Incidents(frame, precision="month")


FIVE_YEARS = simulated(60)
HISTORY = History.of(FIVE_YEARS, CELLS, end=pd.Timestamp("2020-01-01"))


def model(seed: int = 1) -> Parts:
    rng = np.random.default_rng(seed)
    parts = rng.gamma(2.0, 1.0, (3, 200, 30))
    season = rng.normal(0, 0.3, (30, 2))
    seasonal = np.array([True, False, True])
    mean = mean_of(Parts(parts, seasonal, season, parts[0]), np.array([0.5, 0.0, 0.8]), np.array([0.4, -0.2]))
    return Parts(parts, seasonal, season, rng.negative_binomial(4, 4 / (4 + mean)).astype(float))


@pytest.mark.parametrize("groups", [0, 1, 3])
def test_the_gradient_is_that_of_the_likelihood(groups: int) -> None:
    held, dispersed = model(), groups > 0
    group = np.arange(200) % groups if groups > 1 else None
    tables, scale, size = _Tables(held.counts, group), np.ones(3), held.counts.size
    at = np.array([0.4, 0.2, 0.7, 0.1, -0.1, *[-1.0, -2.0, 0.1][:groups]])

    def value(values: np.ndarray) -> float:
        return _surprise(held, tables, values, scale, size, dispersed)[0]

    def slope(values: np.ndarray) -> np.ndarray:
        return _surprise(held, tables, values, scale, size, dispersed)[1]

    assert check_grad(value, slope, at) < 1e-6


def test_a_part_that_does_nothing_ends_at_zero_and_the_rest_comes_back() -> None:
    found = fit(model())
    assert found.coefficients == pytest.approx([0.5, 0.0, 0.8], abs=0.12)
    assert found.psi == pytest.approx(0.25, abs=0.08)


def test_each_group_has_its_own_dispersion() -> None:
    """Planted: 0.1 in the first half of the places, 1 in the second."""
    rng, held = np.random.default_rng(4), model()
    mean = mean_of(held, np.array([0.5, 0.0, 0.8]), np.array([0.4, -0.2]))
    group = np.repeat([0, 1], 100)
    size = np.array([10.0, 1.0])[group][:, None]
    counts = rng.poisson(mean * rng.gamma(size, 1 / size, mean.shape)).astype(float)
    found = fit(Parts(held.parts, held.seasonal, held.season, counts, group))
    assert found.by_group == pytest.approx((0.1, 1.0), rel=0.2)
    assert found.psi == pytest.approx(np.mean(found.by_group))
    assert (
        found.log_likelihood > fit(Parts(held.parts, held.seasonal, held.season, counts)).log_likelihood + 50
    )


def test_neighbours_weigh_by_a_power_of_their_order() -> None:
    weight = power_of_order(HISTORY, 3, 2.0).toarray()
    column, row = CELLS.frame["column"].to_numpy(), CELLS.frame["row"].to_numpy()
    steps = np.maximum(abs(column[:, None] - column), abs(row[:, None] - row))
    expected = np.where((steps > 0) & (steps <= 3), np.maximum(steps, 1) ** -2.0, 0.0)
    assert weight == pytest.approx(expected / expected.sum(axis=1, keepdims=True))


def test_the_decay_is_the_likeliest_and_is_said() -> None:
    method = EndemicEpidemic(memory=(12,), orders=2)
    likely = [
        EndemicEpidemic(memory=(12,), orders=2, decay=one).fitted(HISTORY).log_likelihood for one in DECAYS
    ]
    assert method.fitted(HISTORY).log_likelihood == pytest.approx(max(likely))
    smooth = CELLS.frame["column"].to_numpy() / 4 + 0.2
    history = History.of(simulated(60, rates=smooth), CELLS, end=pd.Timestamp("2020-01-01"))
    assert "2 steps away weighs" in method.told(history)


def test_weights_that_ran_to_0_are_named_and_groups_are_told() -> None:
    chessboard = np.where((CELLS.frame["column"] + CELLS.frame["row"]) % 2, 3.0, 0.3)
    frame = CELLS.frame.assign(side=np.where(CELLS.frame["column"] < 5, "west", "east"))
    places = Places(frame, CELLS.kind, CELLS.cell, CELLS.origin)
    history = History.of(simulated(60, rates=chessboard), places, end=pd.Timestamp("2020-01-01"))
    said = EndemicEpidemic(memory=(24,), groups="side").told(history)
    assert "ran to 0 and are out: neighbours, half-life 24 months" in said
    assert "Dispersion by side: 0.0" in said


def test_the_forecast_is_at_the_level_of_the_last_year() -> None:
    risk = EndemicEpidemic()(FIVE_YEARS, CELLS, JANUARY)
    assert risk.sum() == pytest.approx(HISTORY.level(HISTORY.end, HISTORY.end + 1))


def test_its_own_level_carries_its_season() -> None:
    own = EndemicEpidemic(level="own")
    winter, summer = (own(FIVE_YEARS, CELLS, pd.Period(month, "M")).sum() for month in ("2020-01", "2020-07"))
    assert winter != pytest.approx(summer, rel=1e-6)


def test_the_shares_of_its_parts_sum_to_one() -> None:
    assert sum(EndemicEpidemic().shares(HISTORY).values()) == pytest.approx(1)


def test_places_that_do_not_infect_each_other_are_said_so() -> None:
    chessboard = np.where((CELLS.frame["column"] + CELLS.frame["row"]) % 2, 3.0, 0.3)
    history = History.of(simulated(60, rates=chessboard), CELLS, end=pd.Timestamp("2020-01-01"))
    assert "no neighbour effect" in EndemicEpidemic(memory=(24,)).told(history)


def test_a_place_without_households_still_has_a_forecast() -> None:
    homes = pd.Series(100.0, CELLS.index)
    homes.iloc[0] = 0
    assert (EndemicEpidemic(homes)(FIVE_YEARS, CELLS, JANUARY) > 0).all()


REFUSED = [
    (lambda: EndemicEpidemic(step="day"), "counts by month"),
    (lambda: EndemicEpidemic(memory=()), "half-lives above 0"),
    (lambda: EndemicEpidemic(months=6), "24 months or more"),
    (lambda: EndemicEpidemic(orders=0), "orders is 1 or more"),
    (lambda: EndemicEpidemic(groups="ward")(FIVE_YEARS, CELLS, JANUARY), "no column 'ward'"),
    (lambda: EndemicEpidemic()(simulated(30), CELLS, JANUARY), "18 months to be fitted on"),
    (lambda: EndemicEpidemic(pd.Series([1.0], ["x0y0"]))(FIVE_YEARS, CELLS, JANUARY), "exposure lacks"),
    (lambda: Stack(("ewma", "math.fsum")), "holds methods of this package"),
    (lambda: Stack(("ewma(24)", "blend")), "needs a risk terrain"),
]


@pytest.mark.parametrize(("ask", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_is_refused(ask: object, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        ask()  # type: ignore[operator]


# -------------------------------------------------------------------- stack
def test_a_stack_of_one_method_is_that_method() -> None:
    alone = EWMA(12)(FIVE_YEARS, CELLS, JANUARY)
    assert Stack(("ewma(12)",))(FIVE_YEARS, CELLS, JANUARY).tolist() == alone.tolist()


def test_weights_are_equal_below_twelve_earlier_origins() -> None:
    short = History.of(simulated(16), CELLS, end=pd.Timestamp("2020-01-01"))
    weights = Stack(("ewma(12)", "counts(1)")).weights(short, short.end, short.end + 1)
    assert weights == {"ewma(12)": 0.5, "counts(1)": 0.5}
    assert "weights are equal" in Stack(("ewma(12)", "counts(1)")).told(short)
    assert "weights are equal" not in Stack(("ewma(12)", "counts(1)")).told(HISTORY)


def test_last_month_alone_gets_next_to_no_weight() -> None:
    weights = Stack(("counts", "counts(1)")).weights(HISTORY, HISTORY.end, HISTORY.end + 1)
    assert weights["counts"] > 0.9


def test_the_weights_are_those_of_the_highest_likelihood() -> None:
    chance = np.log(np.random.default_rng(2).uniform(0.1, 1.0, (200, 3)))
    best = simplex_weights(chance)
    value = np.log(np.exp(chance) @ best).sum()
    others = np.random.default_rng(3).dirichlet(np.ones(3), 500)
    assert (np.log(np.exp(chance) @ others.T).sum(axis=0) <= value + 1e-9).all()
