"""What the self-exciting model is made of, each part against what was planted or worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DesignError
from peelian.layers import Layer, Layers
from peelian.places import Places
from peelian.predict import Hawkes
from peelian.predict.beside import Beside
from peelian.predict.covariates import covariates_of, poisson_weights
from peelian.predict.dated import dated
from peelian.predict.ground import Ground, laid_on_cells
from peelian.predict.hawkes_fit import fit_to, warnings_of
from peelian.predict.hawkes_sure import drawn_days, later_months, measured, refitted
from peelian.predict.history import Events, History, addresses_of
from peelian.predict.kernel import Kernel, over_period, sunflower
from peelian.predict.linked import pairs_within
from peelian.predict.rhythm import month_of_year, rhythm_of, weekday
from peelian.predict.triggering import Observed, Reach, triggered

SIDE, CELL = 4_000, 200
POWER = Kernel(0.0, 1.0, 0.1, 120.0, 1.8)
DAY = 17_167  # 1 January 2017


def history(
    day: np.ndarray, x: np.ndarray, y: np.ndarray, *, last: int, begin: np.ndarray | None = None,
    length: np.ndarray | None = None, columns: dict[str, np.ndarray] | None = None,
) -> History:  # fmt: skip
    """Incidents from ``DAY`` on over cells of 200 m."""
    cells = Places.grid(gpd.GeoSeries([box(0, 0, SIDE, SIDE)], crs="EPSG:27700"), CELL)
    if columns is not None:
        cells = Places(cells.frame.assign(**columns), cells.kind, cells.cell, cells.origin)
    width = SIDE // CELL
    table = np.zeros((width, width), int)
    table[cells.frame["row"], cells.frame["column"]] = np.arange(len(cells))
    row, column = (np.clip((value / CELL).astype(int), 0, width - 1) for value in (y, x))
    known = DAY + day + 1 if begin is None or length is None else np.ceil(begin + length).astype(int)
    events = Events(table[row, column], DAY + day, known, x, y, begin, length)
    return History(cells, events.matrix(len(cells), DAY, last), DAY, DAY + last, "day", events)


def process(seed: int, *, number: int = 3_000, last: int = 1_096, near: float = 0.3, spread: str = "gaussian",
            delay: float = 20.0, repeat: float = 0.05, reach: float = 100.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Even background on addresses 20 m apart, each incident bringing others: time in days, x, y."""
    rng = np.random.default_rng(seed)
    points, times = rng.uniform(0, SIDE, (number, 2)), rng.uniform(0, last, number)
    everything = []
    while len(points):
        kept = ((points >= 0) & (points < SIDE)).all(axis=1) & (times < last)
        points, times = points[kept], times[kept]
        everything.append(np.column_stack([times, points]))
        again, some = rng.poisson(repeat, len(points)), rng.poisson(near, len(points))
        if spread == "gaussian":
            step = rng.normal(0, reach, (int(some.sum()), 2))
        else:
            far = POWER.radius(rng.random(int(some.sum())), 1_000)
            turn = rng.uniform(0, 2 * np.pi, len(far))
            step = np.column_stack([far * np.cos(turn), far * np.sin(turn)])
        born = np.concatenate([np.repeat(times, again), np.repeat(times, some)])
        points = np.vstack([np.repeat(points, again, axis=0), np.repeat(points, some, axis=0) + step])
        times = born + rng.exponential(delay, len(born))
    time, x, y = np.vstack(everything).T
    return time, np.round(x / 20) * 20, np.round(y / 20) * 20


def fitted(seed: int, method: Hawkes, **planted: object) -> Kernel:
    time, x, y = process(seed, **planted)  # type: ignore[arg-type]
    found: Kernel = method.fitted(history(np.floor(time).astype(int), x, y, last=1_096)).kernel
    return found


PLAIN = Hawkes(1_000, repeat_area=400, floor=25, refit=10_000)


# -------------------------------------------------------------------- the EM
@pytest.fixture(scope="module")
def small() -> tuple[Observed, object, Reach]:
    time, x, y = process(3)
    order = np.argsort(time)
    day, x, y = np.floor(time[order]).astype(int), x[order], y[order]
    pairs = pairs_within(day, x, y, distance=500, days=180)
    return Observed(day), pairs, Reach(500, 180, 400.0, 25.0, 1_096)


def test_longer_steps_end_where_the_plain_em_does(small: tuple[Observed, object, Reach]) -> None:
    """The background is fixed: a thousand plain steps from elsewhere reach the same top."""
    observed, pairs, reach = small
    rate = np.full(len(observed.day), 3_000 / 1_096 / SIDE**2)
    found = triggered(observed, pairs, reach, lambda chance: rate, renew=False)  # type: ignore[arg-type]
    again = triggered(
        observed, pairs, reach, lambda chance: rate, renew=False, steps=1_000,  # type: ignore[arg-type]
        start=Kernel(0.3, 0.02, 0.3, 400.0),
    )  # fmt: skip
    assert list(vars(found.kernel).values()) == pytest.approx(list(vars(again.kernel).values()), rel=2e-3)
    assert found.steps < 60


def test_it_says_where_the_steps_ran_out(small: tuple[Observed, object, Reach]) -> None:
    observed, pairs, reach = small
    rate = np.full(len(observed.day), 3_000 / 1_096 / SIDE**2)
    found = triggered(observed, pairs, reach, lambda chance: rate, steps=6)  # type: ignore[arg-type]
    assert not found.settled
    assert warnings_of(found, reach)["steps"] == "The fit had not settled after 6 steps."


def test_a_power_law_is_found_where_one_was_planted() -> None:
    """Planted: 120 m and exponent 1.8, cut at 1 km, over a background that is known; its tail is told poorly."""
    time, x, y = process(5, number=700, near=0.6, spread="power")
    order = np.argsort(time)
    day, x, y = np.floor(time[order]).astype(int), x[order], y[order]
    pairs = pairs_within(day, x, y, distance=1_000, days=180)
    rate = np.full(len(day), 700 / 1_096 / SIDE**2)
    ground = Ground.of(history(day, x, y, last=1_096), 200)
    at = ground.cells(x, y)
    power, gaussian = (
        triggered(
            Observed(day), pairs, Reach(1_000, 180, 400.0, 25.0, 1_096, power=power), lambda chance: rate,
            inside=lambda kernel: ground.inside(at, kernel, 1_000), renew=False,
        )
        for power in (True, False)
    )  # fmt: skip
    for share, within in ((0.25, 0.15), (0.5, 0.15), (0.75, 0.3)):
        planted = POWER.radius(share, 1_000)
        assert power.kernel.radius(share, 1_000) == pytest.approx(planted, rel=within)
    assert power.log_likelihood[-1] > gaussian.log_likelihood[-1] + 3
    assert power.kernel.near == pytest.approx(0.6, abs=0.08)


def test_the_edge_of_the_study_area_takes_nothing_away() -> None:
    """A background that is known, triggering of 0.3 within 250 m, of which one in ten falls outside unseen."""
    held: list[list[float]] = []
    for seed in (1, 2, 3):
        time, x, y = process(seed, number=4_000, reach=250.0)
        order = np.argsort(time)
        day, x, y = np.floor(time[order]).astype(int), x[order], y[order]
        pairs = pairs_within(day, x, y, distance=900, days=180)
        reach = Reach(900, 180, 400.0, 25.0, 1_096)
        ground = Ground.of(history(day, x, y, last=1_096), 400)
        at, rate = ground.cells(x, y), np.full(len(day), 4_000 / 1_096 / SIDE**2)
        found = [
            triggered(Observed(day), pairs, reach, lambda chance, rate=rate: rate, inside=inside, renew=False)
            for inside in (lambda kernel, at=at, ground=ground: ground.inside(at, kernel, 900), None)
        ]
        held.append([one.kernel.near for one in found])
    seen, unseen = np.mean(held, axis=0)
    assert seen == pytest.approx(0.3, abs=0.02)
    assert unseen < 0.28


def test_the_share_inside_is_a_quarter_in_a_corner() -> None:
    held = history(np.array([0]), np.array([1.0]), np.array([1.0]), last=10)
    ground = Ground.of(held, 200)
    at = ground.cells(np.array([1.0, 1.0, 2_000.0]), np.array([1.0, 2_000.0, 2_000.0]))
    for kernel in (Kernel(0.0, 0.1, 0.1, 300.0), Kernel(0.0, 0.1, 0.1, 300.0, 1.5)):
        assert ground.inside(at, kernel, 500) == pytest.approx([0.25, 0.5, 1.0], abs=0.08)


# -------------------------------------------------------------------- kernels
@pytest.mark.parametrize("kernel", [Kernel(0.0, 1.0, 0.1, 90.0), Kernel(0.0, 1.0, 0.1, 60.0, 1.6)])
def test_the_spread_laid_on_cells_is_that_of_many_draws(kernel: Kernel) -> None:
    held = history(np.array([0]), np.array([2_130.0]), np.array([1_950.0]), last=10)
    rng = np.random.default_rng(2)
    radius, turn = kernel.radius(rng.random(200_000), 500), rng.uniform(0, 2 * np.pi, 200_000)
    x, y = 2_130 + radius * np.cos(turn), 1_950 + radius * np.sin(turn)
    places = held.places.locate(gpd.GeoSeries(gpd.points_from_xy(x, y), crs=held.places.crs))
    drawn = places.value_counts(normalize=True).reindex(held.places.index, fill_value=0)
    laid = laid_on_cells(held, np.array([2_130.0]), np.array([1_950.0]), np.ones(1), kernel, 500)
    assert laid == pytest.approx(drawn.to_numpy(), abs=0.012)


def test_a_radius_holds_its_share() -> None:
    for kernel in (Kernel(0.0, 1.0, 0.1, 90.0), Kernel(0.0, 1.0, 0.1, 60.0, 1.6)):
        assert kernel.within(kernel.radius(0.4, 500)) == pytest.approx(0.4 * kernel.within(500))
        assert np.hypot(*sunflower(kernel, 500, 64)).max() < 500


def test_a_period_with_a_rhythm_is_the_mean_of_simulated_continuations() -> None:
    """10,000 continuations of a week whose fifth day has three times the background."""
    kernel, rng, runs = Kernel(0.3, 0.1, 0.2, 100.0), np.random.default_rng(8), 10_000
    rhythm = np.array([1.0, 1, 1, 1, 3, 0, 0.5])
    times = np.concatenate(
        [rng.uniform(day, day + 1, rng.poisson(0.5 * factor * runs)) for day, factor in enumerate(rhythm)]
    )
    early = rng.exponential(1 / kernel.omega, rng.poisson(0.8 / kernel.omega * runs))
    times, total = np.concatenate([times, early[early < 7]]), 0
    while len(times):
        total += len(times)
        born = np.repeat(times, rng.poisson(kernel.total, len(times)))
        times = born + rng.exponential(1 / kernel.omega, len(born))
        times = times[times < 7]
    expected = over_period(np.array([0.5]), np.array([0.8]), kernel, 7, rhythm)[0]
    assert expected == pytest.approx(total / runs, rel=0.02)


def test_two_periods_of_background_are_the_one_they_make_up() -> None:
    kernel, rhythm = Kernel(0.0, 0.0, 0.1, 50.0), np.array([1.0, 0.5, 2.0, 1.5, 1.0])
    background, nothing = np.array([0.5, 2.0]), np.zeros(2)
    parts = [over_period(background, nothing, kernel, len(part), part) for part in (rhythm[:2], rhythm[2:])]
    assert sum(parts) == pytest.approx(over_period(background, nothing, kernel, 5, rhythm))


# -------------------------------------------------------------------- when
def windows() -> Events:
    """Three incidents: within an evening, over two days, over ten days."""
    begin, length = DAY + np.array([3.8, 5.0, 1.0]), np.array([0.1, 2.0, 10.0])
    at = np.floor(begin).astype(int)
    return Events(np.arange(3), at, at + 20, np.arange(3.0), np.zeros(3), begin, length)


def test_a_window_stands_at_its_middle_and_a_long_one_brings_nothing() -> None:
    found = dated(windows())
    assert found.time.tolist() == [DAY + 3, DAY + 6, DAY + 6]
    assert found.place[~found.brings].tolist() == [2]  # type: ignore[operator]
    assert found.long == 1


def test_a_long_window_may_be_spread_over_its_days() -> None:
    found = dated(windows(), long="spread")
    assert found.part is not None
    assert found.row is not None
    assert np.bincount(found.row, found.part) == pytest.approx([1, 1, 1])
    assert (found.row == 2).sum() == 10
    assert (np.diff(found.time) >= 0).all()


def test_draws_lie_in_the_window_whatever_the_order_of_rows() -> None:
    turned = np.array([2, 0, 1])
    one = dated(windows(), draw=np.random.default_rng(4))
    other = dated(windows().where(turned), draw=np.random.default_rng(4))
    assert one.time.tolist() == other.time.tolist()
    assert (one.day == DAY + np.array([3, 5, 6])).sum() >= 1
    assert DAY + 5 <= one.time[one.place == 1][0] / 1_440 < DAY + 7


def test_with_moments_drawn_incidents_of_one_day_may_bring_each_other() -> None:
    """Planted with a mean delay of 1 day, of which the day's own pairs hold the larger part."""
    days = fitted(7, PLAIN, delay=1.0)
    drawn = fitted(
        7, Hawkes(1_000, repeat_area=400, floor=25, refit=10_000, untie="jitter", draws=2), delay=1.0
    )
    assert drawn.near > days.near + 0.02
    assert drawn.near == pytest.approx(0.3, abs=0.08)


def long_windows(**settings: object) -> tuple[History, Hawkes]:
    """One in three incidents with a window of twelve days round it."""
    time, x, y = process(9)
    wide = np.arange(len(time)) % 3 == 0
    begin, length = np.where(wide, time - 6, np.floor(time)), np.where(wide, 12.0, 1.0)
    begin = np.clip(begin, 0, 1_096 - length)
    held = history(np.floor(begin).astype(int), x, y, last=1_096, begin=DAY + begin, length=length)
    return held, Hawkes(1_000, repeat_area=400, floor=25, refit=10_000, **settings)  # type: ignore[arg-type]


def test_long_windows_are_background_and_counted_or_parts_of_triggering() -> None:
    held, method = long_windows()
    fit = method.fitted(held)
    assert fit.long == -(-len(held.events.at) // 3)
    held, spread = long_windows(long="spread")
    assert spread.fitted(held).kernel.near > fit.kernel.near + 0.03
    week = (held.end, held.end + 7)
    level = held.total / 1_096 * 7
    assert method.expected(held, *week).sum() == pytest.approx(level, rel=0.15)
    assert spread.expected(held, *week).sum() == pytest.approx(level, rel=0.15)


# -------------------------------------------------------------------- the background
def test_a_planted_rhythm_comes_back_and_is_1_on_average() -> None:
    rng, days = np.random.default_rng(5), DAY + np.arange(1_096)
    planted = np.where(weekday(days) == 4, 1.5, 1.0) * np.where(month_of_year(days) == 11, 1.4, 1.0)
    found = rhythm_of(days, rng.poisson(20 * planted).astype(float), np.ones(1_096))
    assert found.of_days(days).mean() == pytest.approx(1)
    assert found.weekdays[4] / found.weekdays[0] == pytest.approx(1.5, abs=0.1)
    assert found.months[11] / found.months[5] == pytest.approx(1.4, abs=0.1)
    assert found.words.startswith("December 1.3")


def test_under_two_years_no_month_is_told_from_growth() -> None:
    days = DAY + np.arange(400)
    assert (rhythm_of(days, np.linspace(1, 9, 400), np.ones(400)).months == 1).all()


def test_a_background_follows_a_feature_of_the_place() -> None:
    """Planted: exp(0.8 x feature), a cell's feature unlike its neighbours'; a surface of 1 km cannot show it."""
    rng = np.random.default_rng(11)
    feature = rng.normal(0, 1, 400)
    held = history(np.array([0]), np.array([1.0]), np.array([1.0]), last=10)
    cell = rng.choice(400, 6_000, p=np.exp(0.8 * feature) / np.exp(0.8 * feature).sum())
    x, y = (
        held.places.frame[name].to_numpy()[cell] * CELL + rng.uniform(0, CELL, 6_000)
        for name in ("column", "row")
    )
    made = history(np.sort(rng.integers(0, 1_096, 6_000)), x, y, last=1_096, columns={"homes": feature})
    method = Hawkes(1_000, repeat_area=400, floor=25, refit=10_000, covariates=("homes",))
    fit = method.fitted(made)
    assert fit.follows["homes"] == pytest.approx(0.8, abs=0.05)
    share = np.exp(0.8 * feature) / np.exp(0.8 * feature).sum()
    risk = method.expected(made, made.end, made.end + 7)
    assert np.corrcoef(risk, share)[0, 1] > 0.97
    without = np.corrcoef(PLAIN.expected(made, made.end, made.end + 7), share)[0, 1]
    assert without < np.corrcoef(risk, share)[0, 1] - 0.1


def test_weights_of_features_are_those_of_the_poisson_equation() -> None:
    """At the maximum, counts less means are at right angles to every feature."""
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (300, 2))
    counts = rng.poisson(np.exp(0.3 + values @ [0.5, -0.2])) * 0.7
    weights = poisson_weights(counts, values)
    mean = np.exp(values @ weights)
    mean *= counts.sum() / mean.sum()
    assert values.T @ (counts - mean) == pytest.approx(np.zeros(2), abs=1e-4)


def test_a_place_stands_for_the_area_of_a_household() -> None:
    held, homes = history(np.array([0]), np.array([1.0]), np.array([1.0]), last=10), np.full(400, 50.0)
    time, x, y = process(13)
    made = history(
        np.floor(time).astype(int),
        x,
        y,
        last=1_096,
        columns={"households": np.where(np.arange(400) < 200, homes, 100)},
    )
    problem = Hawkes(1_000, repeat_area="households", floor=25).problems(made)[0]
    assert set(np.round(problem.reach.repeat_area, 6)) == {400.0, 800.0}  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="no households"):
        Hawkes(1_000, repeat_area="households", floor=25).problems(held)


def test_a_background_follows_what_the_features_of_the_project_name() -> None:
    """Areas round the cells with homes and a share, and a layer; a cell takes the area of its centre."""
    time, x, y = process(13)
    made = history(np.floor(time).astype(int), x, y, last=1_096)
    shapes = [box(a, 0, a + 1_000, SIDE) for a in range(0, SIDE, 1_000)]
    areas = Places.of(
        gpd.GeoDataFrame(
            {"households": [100, 200, 400, 800], "rented": [0.1, 0.4, 0.2, 0.3]}, index=list("abcd"),
            geometry=shapes, crs="EPSG:27700",
        )
    )  # fmt: skip
    bars = gpd.GeoDataFrame(geometry=gpd.points_from_xy([500, 3_100], [700, 2_900]), crs="EPSG:27700")
    beside = Beside(
        layers=Layers.of([Layer("bars", bars, date="2016-05")]), columns={"rented": "2015-12"}, areas=areas,
        used=("columns", "layers"),
    )  # fmt: skip
    method = Hawkes(
        1_000, repeat_area=400, floor=25, refit=10_000, covariates=("households", "rented", "layers"),
        beside=beside,
    )  # fmt: skip
    follows = method.fitted(made).follows
    assert list(follows)[:2] == ["households", "rented"]
    assert {"metres to the nearest bars", "within 500 m: bars"} == set(follows) - {"households", "rented"}
    assert max(abs(weight) for weight in follows.values()) < 0.15  # nothing was planted
    assert method.inputs["column rented"] == "2015-12"
    assert len(method.inputs) == 2
    with pytest.raises(DesignError, match="to follow layers, and none are named"):
        covariates_of(made, ("layers",), None)


def test_one_place_may_be_one_address_wherever_its_points_were_put() -> None:
    """Repeats at an address, each record's point up to 15 m off: by the metre hardly any is a repeat."""
    time, x, y = process(17, near=0.0, repeat=0.3)
    address = np.unique(x + 1j * y, return_inverse=True)[1]
    off = np.random.default_rng(1).uniform(-15, 15, (2, len(x)))
    made = history(np.floor(time).astype(int), x + off[0], y + off[1], last=1_096)
    made = replace(made, events=replace(made.events, address=address))
    by_metre, by_address = (replace(PLAIN, same=same).fitted(made).kernel for same in ("metre", "address"))
    assert by_metre.repeat < 0.05
    assert by_address.repeat == pytest.approx(0.3, abs=0.04)
    assert by_address.near < 0.05
    with pytest.raises(DesignError, match="carry no address key"):
        replace(PLAIN, same="address").fitted(history(np.floor(time).astype(int), x, y, last=1_096))


def test_addresses_are_numbered_and_missing_ones_are_not() -> None:
    frame = pd.DataFrame({"address": ["k1", None, "k1", "k2"]})
    assert addresses_of(frame).tolist() == [0, -1, 0, 1]  # type: ignore[union-attr]
    assert addresses_of(frame.assign(address=None)) is None


# -------------------------------------------------------------------- how sure
@pytest.fixture(scope="module")
def planted() -> History:
    time, x, y = process(21, number=2_000)
    return history(np.floor(time).astype(int), x, y, last=1_096)


def test_errors_are_about_the_spread_over_other_worlds(planted: History) -> None:
    """A short version; over 100 worlds in docs/explanation/forecasting.md."""
    method = Hawkes(1_000, repeat_area=400, floor=25, refit=10_000, resamples=20)
    found = measured(method, method.fitted(planted), planted)
    over = np.array([list(vars(fitted(seed, PLAIN, number=2_000)).values())[:2] for seed in range(40, 48)])
    ratio = np.array([found["repeat"].error, found["near"].error]) / over.std(axis=0, ddof=1)
    assert ((ratio > 0.5) & (ratio < 2)).all()
    assert found["near"].low < over[:, 1].mean() < found["near"].high
    assert found["repeat"].low < 0.05 < found["repeat"].high


def test_a_draw_with_every_month_once_is_the_fit_itself(planted: History) -> None:
    problem = PLAIN.problems(planted)[0]
    kernel = fit_to(problem)[0].kernel
    ((again, _, _),) = refitted((problem, kernel, np.ones((1, len(problem.held)))))
    assert list(vars(again).values()) == pytest.approx(list(vars(kernel).values()), rel=5e-3)


def test_months_are_drawn_whole_and_seeded(planted: History) -> None:
    problem = PLAIN.problems(planted)[0]
    draws = drawn_days(problem, 5, seed=1)
    month = problem.all_days.astype("datetime64[D]").astype("datetime64[M]").astype(int)
    assert all(len(set(one[month == m])) == 1 for one in draws for m in set(month))
    assert (draws == drawn_days(problem, 5, seed=1)).all()


def test_triggering_tells_of_later_months_only_where_there_is_any(planted: History) -> None:
    told = later_months(PLAIN, planted)
    time, x, y = process(22, number=2_500, near=0.0, repeat=0.0)
    none = later_months(PLAIN, history(np.floor(time).astype(int), x, y, last=1_096))
    assert told is not None
    assert none is not None
    assert told.low > 0.05
    assert -0.01 < none.gain < 0.01


def test_what_it_says_has_every_number_with_its_interval(planted: History) -> None:
    said = Hawkes(1_000, repeat_area=400, floor=25, refit=10_000, resamples=3, covariates=("row",)).told(
        planted
    )
    for words in (
        "lasting background",
        "days later",
        "90 % of them within",
        "nats an incident more",
        "to",
        "row",
    ):
        assert words in said
    assert "3 draws of months" in said


def test_covariates_that_are_not_there_are_named(planted: History) -> None:
    with pytest.raises(DesignError, match="no column 'homes'"):
        covariates_of(planted, ("homes",), None)
    with pytest.raises(DesignError, match="there is none"):
        covariates_of(planted, ("prior",), None)
    with pytest.raises(DesignError, match="same everywhere"):
        covariates_of(planted, ("prior",), pd.Series(1.0, planted.places.index))
