"""What holds for any data: equal likelihoods, sums that add up, results that do not depend on order."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import Point, box

from peelian.explain import elastic, groups, rtm
from peelian.explain.elastic import nonnegative
from peelian.explain.factors import operationalise
from peelian.explain.groups import Data
from peelian.explain.inference import moran
from peelian.explain.likelihood import Cells, CountFit, cells_of, compress, fit, log_pmf, mean_of, scores_of
from peelian.explain.model import RiskTerrain
from peelian.explain.problem import observe, without
from peelian.explain.select import cull, heffner_folds
from peelian.explain.shifted import Window
from peelian.explain.terrain import top_share
from peelian.incidents import Incidents
from peelian.layers import Layer, Layers
from peelian.places import Places
from tests.queen_grid import queen

FAMILIES = ("poisson", "nb1", "nb2")
QUICK = {"replicates": 0, "shift": False, "refit": "none", "permutations": 0}


def sample(seed: int, *, spread: float = 1.5, n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Design, overdispersed counts and exposure."""
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.random((n, 2)) < 0.4]).astype(float)
    exposure = rng.choice([0.5, 1.0, 2.0, 7.0], n)
    mean = exposure * np.exp(design @ [-0.5, 0.7, 0.3])
    return design, rng.negative_binomial(mean / spread, 1 / (1 + spread)), exposure


# -------------------------------------------------------------------- likelihoods
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("with_offset", [False, True])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=10)
def test_compressed_equals_uncompressed(family: str, with_offset: bool, seed: int) -> None:
    design, counts, exposure = sample(seed)
    at_risk = exposure if with_offset else None
    whole, small = (fit(make(design, counts, exposure=at_risk), family) for make in (cells_of, compress))
    assert small.coefficients == pytest.approx(whole.coefficients, abs=1e-9)
    assert small.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-11)


@pytest.mark.parametrize("family", FAMILIES)
def test_statsmodels_agrees(family: str) -> None:
    design, counts, exposure = sample(3)
    ours = fit(compress(design, counts, exposure=exposure), family)
    if family == "poisson":
        theirs = sm.Poisson(counts, design, exposure=exposure).fit(disp=0, method="newton", tol=1e-12)
    else:
        model = sm.NegativeBinomial(counts, design, loglike_method=family, exposure=exposure)
        theirs = model.fit(disp=0, method="bfgs", gtol=1e-8, maxiter=500)
    assert ours.coefficients == pytest.approx(np.asarray(theirs.params)[:3], abs=2e-5)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_of_two_are_cells_twice(family: str) -> None:
    design, counts, _ = sample(4)
    twice = fit(compress(np.vstack([design, design]), np.concatenate([counts, counts])), family)
    weighted = fit(cells_of(design, counts, weights=np.full(len(counts), 2.0)), family)
    assert weighted.coefficients == pytest.approx(twice.coefficients, abs=1e-9)
    assert weighted.bic == pytest.approx(twice.bic)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_constant_offset_moves_only_the_intercept(family: str) -> None:
    design, counts, _ = sample(5)
    bare = fit(compress(design, counts), family)
    scaled = fit(compress(design, counts, exposure=np.full(len(counts), 8.0)), family)
    assert scaled.coefficients - bare.coefficients == pytest.approx([-np.log(8), 0, 0], abs=1e-8)


@given(seed=st.integers(0, 10_000))
def test_poisson_fits_as_many_events_as_there_were(seed: int) -> None:
    design, counts, exposure = sample(seed)
    found = fit(compress(design, counts, exposure=exposure), "poisson")
    assert mean_of(found, design, exposure).sum() == pytest.approx(counts.sum())


@pytest.mark.parametrize("family", FAMILIES)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=10)
def test_scores_add_up_to_nothing_at_the_maximum(family: str, seed: int) -> None:
    design, counts, exposure = sample(seed)
    found = fit(compress(design, counts, exposure=exposure), family)
    assert scores_of(found, design, counts, exposure).sum(axis=0) == pytest.approx(0, abs=1e-5)


@given(seed=st.integers(0, 10_000))
def test_counts_without_overdispersion_end_at_the_boundary(seed: int) -> None:
    counts = np.tile([1, 2, 1, 2, 3], 20)  # varies less than chance would
    found = fit(compress(np.ones((100, 1)), np.random.default_rng(seed).permutation(counts)), "nb1")
    poisson = fit(compress(np.ones((100, 1)), counts), "poisson")
    assert (found.boundary, found.parameters) == (True, 2)
    assert found.log_likelihood == pytest.approx(poisson.log_likelihood)


@given(
    mu=st.tuples(st.floats(0.05, 5), st.floats(0.05, 5)), sigma=st.floats(0.05, 5), total=st.integers(0, 12)
)
def test_nb1_is_closed_under_sums_of_cells(mu: tuple[float, float], sigma: float, total: int) -> None:
    counts = np.arange(total + 1)
    parts = [np.exp(log_pmf("nb1", counts, np.full(total + 1, m), sigma)) for m in mu]
    assert np.convolve(*parts)[total] == pytest.approx(
        float(np.exp(log_pmf("nb1", total, np.sum(mu), sigma)))
    )


@pytest.mark.parametrize(("family", "spread"), [("nb1", 0.4), ("nb1", 4.0), ("nb2", 0.4), ("nb2", 4.0)])
def test_derivatives_are_those_of_the_likelihood(family: str, spread: float) -> None:
    design, counts, exposure = sample(6, spread=spread)
    data = compress(design, counts, exposure=exposure)
    found = fit(data, family)
    assert found.log_likelihood == pytest.approx(_by_pmf(found, design, counts, exposure))
    point = np.append(found.coefficients, found.log_dispersion)
    assert np.linalg.inv(found.covariance) == pytest.approx(
        -_numeric_hessian(data, family, point), rel=2e-3, abs=0.05
    )


def _by_pmf(found: CountFit, design: np.ndarray, counts: np.ndarray, exposure: np.ndarray) -> float:
    return float(log_pmf(found.family, counts, mean_of(found, design, exposure), found.dispersion).sum())


def _numeric_hessian(data: Cells, family: str, point: np.ndarray) -> np.ndarray:
    from peelian.explain.likelihood import _nb1, _nb2

    derivatives, h = (_nb1 if family == "nb1" else _nb2), 1e-5
    steps = np.eye(len(point)) * h
    return np.array(
        [(derivatives(data, point + s)[1] - derivatives(data, point - s)[1]) / 2 / h for s in steps]
    )


# -------------------------------------------------------------------- elastic net, folds, shares
@given(seed=st.integers(0, 10_000), size=st.integers(1, 12))
def test_the_quadratic_problem_is_solved_exactly(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size + 3, size))
    matrix, target = root.T @ root + 1e-3 * np.eye(size), rng.normal(size=size)
    b = nonnegative(matrix, target, rng.random(size) < 0.5)
    dual = matrix @ b - target
    assert (b >= 0).all()
    assert dual[b > 0] == pytest.approx(0, abs=1e-9)
    assert (dual[b == 0] >= -1e-9).all()


@given(counts=st.lists(st.integers(0, 9), min_size=10, max_size=60), seed=st.integers(0, 99))
def test_folds_are_alike_in_crime(counts: list[int], seed: int) -> None:
    fold = heffner_folds(counts, 5, np.random.default_rng(seed))
    sums, sizes = np.bincount(fold, counts, 5), np.bincount(fold, minlength=5)
    assert np.ptp(sizes) <= 1
    assert np.ptp(sums) <= max(counts)  # blocks of five, each cell no more than the one before


@given(score=st.lists(st.integers(0, 4), min_size=1, max_size=40), share=st.floats(0.01, 1))
def test_the_top_share_is_the_share(score: list[int], share: float) -> None:
    part = top_share(score, share)
    assert part.sum() == pytest.approx(share * len(score))
    assert ((part >= 0) & (part <= 1 + 1e-12)).all()


# -------------------------------------------------------------------- shifts
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_the_shift_test_equals_moving_the_map_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = rng.random((9, 7)) < 0.9
    column, row = np.nonzero(held)
    counts = rng.poisson(1.0, len(column)).astype(float)
    mean, variance = np.full(len(column), 1.0), rng.uniform(0.5, 2, len(column))
    exposed = (rng.random((len(column), 2)) < 0.4).astype(np.int8)
    found = Window.of(column, row).test(exposed, counts, [(mean, variance)])[0]
    slow = _by_hand(column, row, exposed, counts - mean, variance)
    assert found == pytest.approx(slow, nan_ok=True)


def _by_hand(column: np.ndarray, row: np.ndarray, exposed: np.ndarray, e: np.ndarray, v: np.ndarray) -> float:
    where = {(c, r): i for i, (c, r) in enumerate(zip(column, row, strict=True))}
    statistic = {}
    for across in range(-9, 10):
        for up in range(-7, 8):
            pairs = [(i, where.get((c - across, r - up))) for (c, r), i in where.items()]
            pairs = [(i, j) for i, j in pairs if j is not None]
            if len(pairs) < 0.7 * len(column):
                continue
            here, there = np.array(pairs).T
            best = -np.inf
            for x in exposed.T:
                on = x[there] == 1
                if min(on.sum(), (~on).sum()) < 5:
                    continue
                q = v[here][on].sum() / v[here].sum()
                z = (e[here][on].sum() - q * e[here].sum()) / np.sqrt(v[here][on].sum() * (1 - q))
                best = max(best, z)
            statistic[across, up] = best
    known = [z for z in statistic.values() if np.isfinite(z)]
    true = statistic[0, 0]
    return float(np.mean([z >= true - 1e-9 for z in known])) if np.isfinite(true) else float("nan")


def test_moran_of_a_chequered_board_is_below_nothing() -> None:
    column, row = (a.ravel() for a in np.meshgrid(np.arange(8), np.arange(8)))
    near = queen(column, row)
    assert near.sum() == 4 * 3 + 24 * 5 + 36 * 8
    assert moran(np.where(column < 4, 1.0, 0.0), near, 99, 1)[1] == 0.01
    assert moran((column + row) % 2, near, 99, 1)[0] < 0


# -------------------------------------------------------------------- the whole
GRID = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs=27700), 100)


def world(shift: float = 0.0, order: int = 1) -> tuple[pd.Series, Layers, Places]:
    """Counts, two layers and a grid, moved by whole cells and in another order."""
    rng = np.random.default_rng(11)
    sites = {"bank": rng.uniform(0, 2000, (12, 2)), "pub": rng.uniform(0, 2000, (12, 2))}
    x, y = GRID.points.x.to_numpy(), GRID.points.y.to_numpy()
    near = np.min(np.hypot(x[:, None] - sites["pub"][:, 0], y[:, None] - sites["pub"][:, 1]), axis=1) <= 200
    counts = pd.Series(rng.poisson(0.5 * np.where(near, 3, 1)), GRID.index)
    layers = [
        Layer(name, gpd.GeoDataFrame(geometry=gpd.points_from_xy(*(xy + shift)[::order].T), crs=27700))
        for name, xy in sites.items()
    ]
    places = Places.grid(gpd.GeoSeries([box(shift, shift, 2000 + shift, 2000 + shift)], crs=27700), 100)
    return counts[::order], Layers.of(layers[::order]), places


def table(terrain: RiskTerrain) -> pd.DataFrame:
    return terrain.terms[["variable", "coefficient", "robust_low", "robust_high", "shift_p", "frequency"]]


def test_the_order_of_rows_and_layers_changes_nothing() -> None:
    one, other = (
        rtm(*world(order=order), seed=1, replicates=5, permutations=99, mode="rtmdx") for order in (1, -1)
    )
    pd.testing.assert_frame_equal(table(one), table(other))
    pd.testing.assert_series_equal(one.risk, other.risk)
    assert one.inputs == other.inputs


def test_moving_everything_by_whole_cells_changes_nothing() -> None:
    one, other = (
        rtm(*world(shift=by), seed=1, replicates=5, permutations=99, mode="rtmdx") for by in (0, 700)
    )
    pd.testing.assert_frame_equal(table(one), table(other))


def test_other_names_for_the_places_change_nothing() -> None:
    counts, layers, places = world()
    names = np.random.default_rng(4).permutation(len(places))
    other = Places(
        places.frame.set_axis(pd.Index([f"p{k:03d}" for k in names], name="place")).sort_index(),
        "cell", places.cell, places.origin,
    )  # fmt: skip
    renamed = dict(zip(places.index, [f"p{k:03d}" for k in names], strict=True))
    one = rtm(counts, layers, places, seed=1, replicates=5, permutations=99, refit="none", mode="rtmdx")
    again = rtm(
        counts.rename(renamed), layers, other, seed=1, replicates=5, permutations=99, refit="none",
        mode="rtmdx",
    )  # fmt: skip
    # the folds of the cull are dealt in another order, and with them penalty and resamples
    pd.testing.assert_frame_equal(
        one.terms[["variable", "coefficient", "robust_low", "shift_p"]],
        again.terms[["variable", "coefficient", "robust_low", "shift_p"]],
    )
    assert again.relative_risk.rename({v: k for k, v in renamed.items()}).reindex(
        places.index
    ).to_numpy() == pytest.approx(one.relative_risk.to_numpy())


ROWS = st.lists(
    st.tuples(st.sampled_from(["inside", "water", "outside", "no point"]), st.integers(0, 5), st.booleans()),
    min_size=1, max_size=40,
)  # fmt: skip


@given(rows=ROWS, first=st.integers(0, 2), span=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_rows_in_are_rows_used_and_every_exclusion(
    rows: list[tuple[str, int, bool]], first: int, span: int
) -> None:
    where = {"inside": Point(1550, 1550), "water": Point(50, 50), "outside": Point(9000, 0), "no point": None}
    kept = [row for row in rows if not row[2]]
    start = pd.PeriodIndex([f"2018-{1 + month:02d}" for _, month, _ in kept], freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "test"},
        geometry=[where[kind] for kind, _, _ in kept], crs=27700,
    )  # fmt: skip
    refused = pd.DataFrame({"file": "f", "row": 1, "reason": "no date", "text": ""}, index=range(len(rows)))
    cases = Incidents(frame, refused.iloc[: len(rows) - len(kept)], precision="month")
    months = (f"2018-{1 + first:02d}", f"2018-{first + span:02d}")
    assume(any(first <= month < first + span for _, month, _ in kept))
    found = observe(cases, GRID, period=months, seed=1, force=True)
    water = gpd.GeoSeries([box(0, 0, 100, 100)], crs=27700)
    for held in (found, without(found, GRID, water)[0]):
        total = held.accounting["rows read"]
        assert total == len(rows)
        assert total == sum(number for name, number in held.accounting.items() if name != "rows read")


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10)
def test_every_event_twice_leaves_the_poisson_ratios(seed: int) -> None:
    design, counts, exposure = sample(seed)
    once, twice = (fit(compress(design, counts * k, exposure=exposure), "poisson") for k in (1, 2))
    assert twice.coefficients - once.coefficients == pytest.approx([np.log(2), 0, 0], abs=1e-9)


def test_one_process_or_two_give_the_same() -> None:
    one, two = (
        rtm(
            *world(),
            seed=1,
            replicates=4,
            shift=False,
            refit="none",
            permutations=0,
            workers=workers,
            mode="rtmdx",
        )
        for workers in (1, 2)
    )
    pd.testing.assert_frame_equal(one.terms, two.terms)


def test_a_protective_layer_is_never_found_to_aggravate() -> None:
    _, layers, places = world()
    near = operationalise(layers, places, distances=[200], operations="proximity").columns
    counts = pd.Series(
        np.random.default_rng(2).poisson(2.0 * np.where(near["pub_proximity_200"] == 1, 1 / 3, 1)),
        places.index,
    )
    either = Layers.of([Layer("pub", layers["pub"].features, sign="either")])
    found = rtm(counts, either, places, seed=1, **QUICK, mode="rtmdx")
    term = found.terms.iloc[0]
    assert (len(found.terms), term["sign"]) == (1, -1)
    assert term["low"] < 1 / 3 < term["high"]


def test_weights_of_exposure_average_to_one() -> None:
    counts, layers, places = world()
    homes = pd.Series(np.random.default_rng(3).integers(0, 30, len(places)), places.index)
    found = rtm(counts, layers, places, seed=1, offset=homes, **QUICK, mode="rtmdx")
    at_risk = homes.where((homes > 0) | (counts == 0), 1)
    assert np.average(found.times_average, weights=at_risk) == pytest.approx(1)
    assert found.risk.isna().equals((homes == 0) & (counts == 0))


# -------------------------------------------------------------------- the elastic net, a few ways
def _penalised(seed: int, cells: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Nested bands of six factors, nearly collinear, two of which matter."""
    rng = np.random.default_rng(seed)
    away = rng.exponential(300, (cells, 6))
    columns = np.column_stack([away <= d for d in (100, 150, 200, 300, 400, 600)]).astype(np.int8)
    rate = 0.3 * np.exp(0.8 * (away[:, 0] <= 200) + 0.5 * (away[:, 1] <= 400))
    return columns, rng.poisson(rate)


@pytest.mark.parametrize("seed", range(3))
def test_a_solution_meets_the_conditions_of_the_minimum(seed: int) -> None:
    columns, counts = _penalised(seed)
    path = elastic.Paths(Data.of(columns, counts), 0.95)
    for penalty in path.penalties(100)[0][:60:6]:
        path.at(penalty)
    b, sd = path.state().coefficients, columns.std(axis=0)
    mean = np.exp(path.state().intercept + columns @ b)
    slope = columns.T @ (counts - mean) / len(counts)
    push = slope - penalty * (0.95 * sd + 0.05 * sd**2 * b)
    assert (b > 0).sum() > 3
    assert np.abs(push[b > 0]).max() < 1e-9
    assert push[b == 0].max() < 1e-9
    assert counts.sum() == pytest.approx(mean.sum(), rel=1e-9)


def test_cells_of_many_kinds_and_half_the_digits_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when there are too many cells for full precision, and too many kinds of them to be put together."""
    columns, counts = _penalised(7)
    fold = heffner_folds(counts, 5, np.random.default_rng(1))
    plain = cull(columns, counts, fold)
    monkeypatch.setattr(groups, "EXACT", 0)
    monkeypatch.setattr(elastic, "PIECE", 700)
    monkeypatch.setattr(groups, "APART", 0.02)
    quick = cull(columns, counts, fold)
    assert quick.kept.tolist() == plain.kept.tolist()
    assert quick.penalty == plain.penalty
    assert quick.coefficients == pytest.approx(plain.coefficients, abs=1e-7)
    assert [row["deviance"] for row in quick.table] == pytest.approx(
        [row["deviance"] for row in plain.table], abs=1e-7
    )


def test_a_column_that_was_not_asked_is_found() -> None:
    columns, counts = _penalised(1)
    path = elastic.Paths(Data.of(columns, counts), 0.95)
    far = path.penalties(100)[0][[1, 55]]
    path.at(far[0])
    path.slope, path.limit = np.zeros((2, *path.slope.shape))  # no column looks promising
    path.at(far[1], ask_all=False)
    forgotten = path.forgotten()
    path.at(far[1])
    assert forgotten
    assert not path.forgotten()


def test_shares_of_places_are_culled_like_marks() -> None:
    """Columns between 0 and 1: cells are not put together, and marks given as numbers give the same."""
    columns, counts = _penalised(2, 800)
    fold = heffner_folds(counts, 4, np.random.default_rng(1))
    marks, shares = (cull(c, counts, fold, ratios=(0.95,)) for c in (columns, columns.astype(float)))
    assert shares.kept.tolist() == marks.kept.tolist()
    assert shares.coefficients == pytest.approx(marks.coefficients, abs=1e-8)
