"""Peers of the selection of a risk terrain: stepwise searches, elastic nets, single regressions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import explain as own
from benchmarks.peers import rscript
from benchmarks.peers.stand import Absent, Comparison, Job, imported, ours, python, same, timed, version

Array = Any
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
RATIO, CANDIDATES = 0.8, 200


def chicago() -> tuple[Array, Array, Array, Array]:
    """9,413 cells of 250 m: 48 columns, the factor of each, burglaries of 2017, five given folds."""
    import numpy as np
    import pandas as pd

    path = SHARED / "reference" / "rtm" / "chi250.csv.gz"
    if not path.is_file():
        raise Absent("reference/rtm/chi250.csv.gz is not beside this checkout.")
    frame = pd.read_csv(path)
    names = [name for name in frame if name not in ("y", "fold")]
    factor = np.unique([name.split("_")[0] for name in names], return_inverse=True)[1]
    return frame[names].to_numpy(np.int8), factor, frame["y"].to_numpy(), frame["fold"].to_numpy()


# -------------------------------------------------------------------- searches on Chicago
def _search(family: str) -> Comparison:
    from peelian.explain.select import stepwise

    columns, factor, y, _ = chicago()
    mine = ours(lambda: stepwise(columns, factor, y, family))  # type: ignore[arg-type]
    theirs = rscript.run("stepwise", columns=columns, factor=factor, y=y.astype(float), family=family)
    found = mine.value
    checks = [
        same("columns chosen", found.chosen, theirs.values["chosen"], 0),
        same("BIC", found.fit.bic, theirs.values["bic"], 1e-3),
        same("coefficients", found.fit.coefficients, theirs.values["coefficients"], 1e-5),
    ]
    note = f"{found.fits} models fitted here, {theirs.values['fits'][0]:.0f} there"
    return Comparison(mine.seconds, theirs.seconds, theirs.version, checks, note)


def _nb1() -> Comparison:
    from peelian.explain.likelihood import compress, fit
    from peelian.explain.select import design_of, stepwise

    columns, factor, y, _ = chicago()
    chosen = stepwise(columns, factor, y, "nb1").chosen
    design = design_of(columns, chosen)
    mine = ours(lambda: fit(compress(design, y), "nb1"))
    theirs = rscript.run("nb1", columns=columns, chosen=chosen, y=y.astype(float))
    checks = [
        same("BIC", mine.value.bic, theirs.values["bic"], 1e-2),
        same("coefficients", mine.value.coefficients, theirs.values["coefficients"], 1e-3),
        same("sigma", mine.value.dispersion, theirs.values["sigma"], 1e-3),
    ]
    return Comparison(
        mine.seconds, theirs.seconds, theirs.version, checks, "one model: what the search chose"
    )


# -------------------------------------------------------------------- elastic nets
def _culled(
    columns: Array, y: Array, fold: Array, thresh: float, tolerance: float, *, ratio: float = RATIO,
    steps: int = 100,
) -> Comparison:  # fmt: skip
    import numpy as np

    from peelian.explain.select import cull

    mine = ours(lambda: cull(columns, y, fold, ratios=(ratio,), steps=steps))
    part = np.unique(fold, return_inverse=True)[1]
    theirs = rscript.run(
        "cull", columns=columns, y=y.astype(float), fold=part.astype(float), ratio=ratio, thresh=thresh,
        steps=steps,
    )  # fmt: skip
    found = mine.value
    differ = np.setxor1d(found.kept, theirs.values["kept"].astype(int))
    checks = [
        same("penalty taken", found.penalty, theirs.values["penalty"], 1e-6, relative=True),
        same("deviance left out", found.table[0]["deviance"], theirs.values["deviance"], tolerance),
        same(f"columns kept by one alone, of {len(found.kept)} kept here", len(differ), 0, 0),
    ]
    note = f"ratio {ratio}, {len(np.unique(fold))} folds, threshold {thresh:g} there"
    return Comparison(mine.seconds, theirs.seconds, theirs.version, checks, note)


def _chicago_culled() -> Comparison:
    columns, _, y, fold = chicago()
    return _culled(columns, y, fold, 1e-10, 1e-5)


def _london_culled() -> Comparison:
    import numpy as np

    from peelian.explain.select import heffner_folds

    columns, _, y = own.problem()
    fold = heffner_folds(y, 10, np.random.default_rng([1, 0, 1]))
    return _culled(columns, y, fold, 1e-7, 1e-4)


def wide() -> tuple[Array, Array, Array]:
    """160,000 cells x 200 candidates, counts and ten folds."""
    import numpy as np

    from peelian.explain.select import heffner_folds

    columns, _, y = own.problem()
    return columns[:, :CANDIDATES], y, heffner_folds(y, 10, np.random.default_rng([1, 0, 1]))


def _lasso() -> Comparison:
    return _culled(*wide(), 1e-7, 1e-4, ratio=1.0, steps=50)


def _glum_lasso() -> Comparison:
    import numpy as np
    from scipy import sparse

    from peelian.explain.select import cull

    glum = imported("glum")
    columns, y, fold = wide()
    mine = ours(lambda: cull(columns, y, fold, ratios=(1.0,), steps=50))
    row, held = mine.value.table[0], sparse.csc_matrix(columns.astype(float))
    down = row["penalty_max"] * 1e-4 ** (np.arange(50) / 49)
    penalties = down[down >= row["penalty"] * (1 - 1e-9)]

    def path() -> Array:
        model = glum.GeneralizedLinearRegressor(
            family="poisson", alpha_search=True, alpha=penalties, l1_ratio=1.0, scale_predictors=True,
            lower_bounds=np.zeros(columns.shape[1]), max_iter=1000,
        )  # fmt: skip
        return model.fit(held, y.astype(float)).coef_

    theirs = timed(path)
    # the peer stops where its gradient is below 1e-4, as it does unless told otherwise
    check = same("coefficients at the penalty taken", mine.value.coefficients, theirs.value, 5e-3)
    note = f"the peer's one path to that penalty took {theirs.seconds:.2g} s; 11 at that rate, for the folds"
    return Comparison(mine.seconds, 11 * theirs.seconds, version("glum"), [check], note)


def _glum() -> Comparison:
    import numpy as np

    from peelian.explain import elastic
    from peelian.explain.groups import Data

    glum = imported("glum")
    columns, _, y, _ = chicago()
    penalties = elastic.Paths(Data.of(columns, y), RATIO).penalties()[0, :60]

    def down() -> Array:
        path = elastic.Paths(Data.of(columns, y), RATIO)
        path.penalties()
        states = []
        for penalty in penalties:
            path.at(penalty, ask_all=False)
            states.append(path.state().coefficients)
        return np.array(states)

    def theirs() -> Array:
        model = glum.GeneralizedLinearRegressor(
            family="poisson", alpha_search=True, alpha=penalties, l1_ratio=RATIO, scale_predictors=True,
            lower_bounds=np.zeros(columns.shape[1]), gradient_tol=1e-7, max_iter=1000,
        )  # fmt: skip
        return model.fit(columns.astype(float), y.astype(float)).coef_path_

    mine, other = ours(down), timed(theirs)
    check = same("coefficients down the path", mine.value, other.value, 1e-3)
    return Comparison(
        mine.seconds, other.seconds, version("glum"), [check], "60 penalties, one path without folds"
    )


# -------------------------------------------------------------------- searches of London's size, from one fit
def _london_search(family: str) -> Comparison:
    import numpy as np

    from peelian.explain.select import cull, heffner_folds, stepwise

    columns, factor, y = own.problem()
    kept = cull(columns, y, heffner_folds(y, 10, np.random.default_rng([1, 0, 1])), ratios=(RATIO,)).kept
    mine = ours(lambda: stepwise(columns[:, kept], factor[kept], y, family))  # type: ignore[arg-type]
    found = mine.value
    one = rscript.run("fits", columns=columns[:, kept], chosen=found.chosen, y=y.astype(float), family=family)
    checks = [
        same("BIC of the model chosen", found.fit.bic, one.values["bic"], 1e-2),
        same("its coefficients", found.fit.coefficients, one.values["coefficients"], 1e-5),
    ]
    note = f"the peer's one fit took {one.seconds:.2g} s; {found.fits} fits at that rate"
    return Comparison(mine.seconds, one.seconds * found.fits, one.version, checks, note)


# -------------------------------------------------------------------- bands of the modern mode
BANDED, BAND_RATIO, DOWN = 10_000, 0.95, 25


def _bands() -> tuple[Any, Array, Array]:
    """The bands of 24 layers on 10,000 cells, counts, and half of the usual penalties."""
    import numpy as np

    from peelian.explain.decay import measured
    from peelian.explain.modern import FLOOR, STEPS
    from peelian.explain.monotone import Path as Down

    places, layers, _ = own.london(BANDED)
    _, counts = own.selection(BANDED)
    everywhere = np.ones(len(places), bool)
    decay = measured(
        layers, places, cell=100, reach=1500, operations="both", snapped=False, fitted=everywhere,
        min_cells=10, period=None,
    )  # fmt: skip
    nested, y = decay.nested(everywhere), counts.to_numpy(float)
    highest = Down(nested, np.ones((len(y), 1)), y, np.ones(len(y)), ratio=BAND_RATIO).highest()
    return nested, y, highest * FLOOR ** (np.arange(DOWN) / (STEPS - 1))


def _down_the_bands(nested: Any, y: Array, penalties: Array) -> Array:
    import numpy as np

    from peelian.explain.monotone import Path as Down

    path = Down(nested, np.ones((len(y), 1)), y, np.ones(len(y)), ratio=BAND_RATIO)
    for penalty in penalties:
        path.at(penalty)
    return path.mean()


def _glmnet_bands() -> Comparison:
    import numpy as np

    nested, y, penalties = _bands()
    mine = ours(lambda: _down_the_bands(nested, y, penalties))
    columns = nested.take(np.arange(nested.size)).astype(np.int8)
    theirs = rscript.run("path", columns=columns, y=y, ratio=BAND_RATIO, penalties=penalties)
    check = same("expected counts of the cells", mine.value, theirs.values["means"], 0.02, relative=True)
    note = f"{nested.size} bands, {DOWN} penalties, one path without folds"
    return Comparison(mine.seconds, theirs.seconds, theirs.version, [check], note)


def _glum_bands() -> Comparison:
    import numpy as np
    from scipy import sparse

    glum = imported("glum")
    nested, y, penalties = _bands()
    mine = ours(lambda: _down_the_bands(nested, y, penalties))
    columns = sparse.csc_matrix(nested.take(np.arange(nested.size)))

    def down() -> Array:
        model = glum.GeneralizedLinearRegressor(
            family="poisson", alpha_search=True, alpha=penalties, l1_ratio=BAND_RATIO, scale_predictors=True,
            lower_bounds=np.zeros(nested.size), max_iter=1000,
        )  # fmt: skip
        return model.fit(columns, y).predict(columns)

    theirs = timed(down)
    check = same("expected counts of the cells", mine.value, theirs.value, 0.02, relative=True)
    note = f"{nested.size} bands, {DOWN} penalties, one path without folds"
    return Comparison(mine.seconds, theirs.seconds, version("glum"), [check], note)


LASSO = (
    Job("lasso, 50 penalties, 10 folds, 160,000 cells x 200", "R glmnet", _lasso, rscript.program),
    Job("the same", "glum", _glum_lasso, python("glum")),
)
RTM_MODERN = (
    Job("elastic net on bands, 10,000 cells", "R glmnet", _glmnet_bands, rscript.program),
    Job("the same", "glum", _glum_bands, python("glum")),
)


RTM = (
    Job("stepwise, Poisson, 9,413 cells x 48", "R glm", lambda: _search("poisson"), rscript.program),
    Job("stepwise, NB2, 9,413 cells x 48", "R MASS glm.nb", lambda: _search("nb2"), rscript.program),
    Job("one NB1 model, 9,413 cells", "R glmmTMB", _nb1, rscript.program),
    Job("elastic net, 5 folds, 9,413 cells x 48", "R glmnet", _chicago_culled, rscript.program),
    Job("elastic net, one path, 9,413 cells x 48", "glum", _glum, python("glum")),
    Job("elastic net, 10 folds, 160,000 cells x 288", "R glmnet", _london_culled, rscript.program),
    Job("stepwise, Poisson, 160,000 cells", "R glm", lambda: _london_search("poisson"), rscript.program),
    Job("stepwise, NB2, 160,000 cells", "R MASS glm.nb", lambda: _london_search("nb2"), rscript.program),
)
