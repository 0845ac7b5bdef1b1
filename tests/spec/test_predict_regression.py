"""Learned methods: what they may see, what they say, what they refuse. Weeks on a small simulated grid."""

from __future__ import annotations

import re
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box, points

from peelian.errors import DesignError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import Boosted, PoissonRidge, method_named
from peelian.predict.beside import Beside
from peelian.predict.features import table
from peelian.predict.history import History, step_of
from peelian.predict.importance import importance
from peelian.predict.regression import TREES, ridge_weights, rolled, surprise

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 2000, 2000)], crs="EPSG:27700"), 200)
RATES = np.random.default_rng(5).gamma(0.7, 1.0, len(CELLS))


def simulated(days: int = 900, number: int = 6_000, seed: int = 2) -> Incidents:
    rng = np.random.default_rng(seed)
    place = rng.choice(len(CELLS), number, p=RATES / RATES.sum())
    centre = CELLS.points.iloc[place]
    x, y = (
        centre.x.to_numpy() + rng.uniform(-99, 99, number),
        centre.y.to_numpy() + rng.uniform(-99, 99, number),
    )
    start = pd.Timestamp("2016-01-01") + pd.to_timedelta(np.sort(rng.integers(0, days, number)), unit="D")
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.Timedelta(1, "D"), "type": "burglary", "source": "simulated"},
        geometry=points(x, y), crs=CELLS.crs,
    )  # fmt: skip
    return Incidents(frame)


INCIDENTS = simulated()
WEEK = ("2018-06-01", "2018-06-08")
KNOWN = INCIDENTS.known_at(pd.Timestamp(WEEK[0]))
HISTORY = History.of(KNOWN, CELLS, end=pd.Timestamp(WEEK[0]), step="day")
RIDGE = PoissonRidge(step="day", origins=30)


def test_no_feature_is_known_later_than_its_origin() -> None:
    known = [column.known for column in table(HISTORY, HISTORY.end, HISTORY.end + 7, RIDGE.recipe).columns]
    assert max(known) <= HISTORY.end


def test_a_terrain_fitted_later_has_its_date_on_it() -> None:
    recipe = PoissonRidge(step="day", prior=pd.Series(1.0, CELLS.index), prior_to="2018-12").recipe
    terrain = table(HISTORY, HISTORY.end, HISTORY.end + 7, recipe).columns[-1]
    assert terrain.known == step_of(pd.Timestamp("2019-01-01"), "day")


def test_the_features_of_an_earlier_origin_do_not_change_with_what_came_after() -> None:
    at = HISTORY.end - 70
    cut = INCIDENTS.known_at(pd.Timestamp(WEEK[0]) - pd.Timedelta(70, "D"))
    alone = History.of(cut, CELLS, end=pd.Timestamp(WEEK[0]) - pd.Timedelta(70, "D"), step="day")
    then = table(HISTORY.before(at), at, at + 7, RIDGE.recipe).values
    assert then.tobytes() == table(alone, at, at + 7, RIDGE.recipe).values.tobytes()


@pytest.mark.parametrize("name", ["ridge(origins=20)", "boosted(origins=20, trees=20)"])
def test_a_forecast_is_at_the_level_of_the_last_year(name: str) -> None:
    risk = method_named(name, step="day")(KNOWN, CELLS, WEEK)
    year = KNOWN.between("2017-06-01", "2018-06-01")
    assert risk.sum() == pytest.approx(len(year) / 365 * 7, rel=0.01)


def test_trees_do_not_stop_early_on_a_tenth_of_the_rows() -> None:
    method = Boosted(step="day", origins=30, trees=60)
    grown = method._grown(method.training(HISTORY, 7, 0), 60)
    assert grown.n_iter_ == 60


def test_the_trees_are_grown_as_the_specification_says() -> None:
    method = Boosted(step="day", origins=30, prior=pd.Series(RATES, CELLS.index))
    rows = method.training(HISTORY, 7, 0)
    grown = method._grown(rows, 10).get_params()
    settings = ("loss", "learning_rate", "max_leaf_nodes", "min_samples_leaf", "l2_regularization")
    assert [grown[name] for name in settings] == ["poisson", 0.05, 15, 500, 10]
    rising = dict(zip(rows.groups, grown["monotonic_cst"], strict=True))
    assert rising["own history"] == rising["surroundings"] == rising["risk terrain"] == 1


def test_what_is_no_count_may_raise_or_lower_the_forecast() -> None:
    beside = Beside(calendar=("month",), used=("calendar",))
    method = Boosted(step="day", origins=14, beside=beside)
    rows = method.training(HISTORY, 7, 0)
    rising = dict(zip(rows.groups, method._grown(rows, 5).get_params()["monotonic_cst"], strict=True))
    assert rising["calendar"] == 0


def test_the_number_of_trees_is_the_best_on_origins_after_those_learned_from() -> None:
    method = Boosted(step="day", origins=30)
    rows = method.training(HISTORY, 7, 0)
    parts = list(rolled(rows))
    assert all(known.origin.max() < later.origin.min() for known, later in parts)
    scores = {
        trees: sum(surprise(later.counts, method.learn(known, trees)(later.values)) for known, later in parts)
        for trees in TREES
    }
    assert method.chosen(rows) == min(scores, key=scores.__getitem__)


def test_more_of_every_count_never_lowers_the_boosted_forecast() -> None:
    method = Boosted(step="day", origins=30, trees=60)
    rows = method.training(HISTORY, 7, 0)
    rate = method.learn(rows, 60)
    assert (rate(rows.values * 1.5) >= rate(rows.values) - 1e-12).all()


def test_a_stronger_penalty_flattens_the_ridge() -> None:
    rows = RIDGE.training(HISTORY, 7, 0)
    spread = [RIDGE.learn(rows, alpha)(rows.values).std() for alpha in (1e-4, 1.0)]
    assert spread[1] < spread[0]


def test_the_setting_is_chosen_on_origins_after_those_learned_from() -> None:
    rows = RIDGE.training(HISTORY, 7, 0)
    assert RIDGE.chosen(rows) in (1e-4, 1e-3, 1e-2, 1e-1)
    assert PoissonRidge(alpha=0.5).chosen(rows) == 0.5


def test_own_history_is_worth_most_where_places_differ_and_nothing_else_does() -> None:
    found = {one.group: one for one in importance(RIDGE, HISTORY, 7)}
    assert max(found.values(), key=lambda one: one.shuffled).group in ("own history", "surroundings")
    assert abs(found["near repeats"].shuffled) < found["own history"].shuffled


def test_it_says_what_it_learned_from_and_what_each_kind_of_feature_is_worth() -> None:
    said = RIDGE.told(HISTORY)
    assert "learned from 30 origins before" in said
    assert re.search(r"surroundings 0\.\d{4} \(left out: [+-]0\.\d{4}\)", said)


def test_too_few_origins_to_learn_from() -> None:
    with pytest.raises(DesignError, match="earlier origins to learn from; 12 are needed"):
        PoissonRidge(step="day", origins=5)(KNOWN, CELLS, WEEK)


def test_the_weights_are_those_of_scikit_learn() -> None:
    """An implementation by others of the same penalised likelihood; both solve to about 1e-6."""
    from sklearn.linear_model import PoissonRegressor

    rng = np.random.default_rng(3)
    design = rng.normal(size=(2_000, 6))
    counts = rng.poisson(np.exp(design @ [0.5, -0.3, 0.0, 0.2, 0.0, 0.1])).astype(float)
    theirs = PoissonRegressor(alpha=0.05, tol=1e-9, max_iter=500).fit(design, counts)
    constant, weights = ridge_weights(design, counts, 0.05)
    assert [constant, *weights] == pytest.approx([theirs.intercept_, *theirs.coef_], abs=1e-5)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(DesignError, match=r"pip install 'peelian\[models\]'"):
        Boosted(step="day", origins=14, trees=5)(KNOWN, CELLS, WEEK)
