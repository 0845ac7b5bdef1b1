"""Peers of what lies where: influence variables, density, near repeats, Gi*."""

from __future__ import annotations

from typing import Any

from benchmarks import explain as own
from benchmarks.peers import rscript
from benchmarks.peers.stand import Comparison, Job, imported, ours, python, same, timed, version

Array = Any


# -------------------------------------------------------------------- influence
def _ckdtree() -> Comparison:
    import pandas as pd

    from peelian.explain.factors import operationalise

    places, layers, _ = own.london()
    mine = ours(lambda: operationalise(layers, places, distances=own.STEPS))
    theirs = timed(lambda: _by_trees(places, layers))
    kept = list(mine.value.columns)
    found = pd.DataFrame(theirs.value)[kept]
    apart = (found.to_numpy() != mine.value.columns.to_numpy()).sum(axis=0)
    check = same("cells of 160,000 in which a candidate differs, at most", apart.max(), 0, 0)
    note = f"{len(kept)} candidates; nearest and pairs within 600 m by a tree a layer"
    return Comparison(mine.seconds, theirs.seconds, version("scipy"), [check], note)


def _by_trees(places: Any, layers: Any) -> dict[str, Array]:
    """The candidates as a user of scipy would make them: one tree of cells, one a layer, pairs in reach."""
    import numpy as np
    from scipy.spatial import cKDTree

    centres = np.column_stack([places.points.x, places.points.y])
    cells, found = cKDTree(centres), {}
    for name in layers:
        shapes = layers[name].features.geometry
        features = cKDTree(np.column_stack([shapes.x, shapes.y]))
        nearest, _ = features.query(centres)
        pairs = cells.sparse_distance_matrix(features, max(own.STEPS), output_type="coo_matrix")
        for d in own.STEPS:
            found[f"{name}_proximity_{d:g}"] = (nearest <= d).astype(np.int8)
            inside = pairs.data < d
            weight = 2 / (np.pi * d**2) * (1 - (pairs.data[inside] / d) ** 2)
            sums = np.bincount(pairs.row[inside], weight, len(centres))
            found[f"{name}_density_{d:g}"] = (sums >= sums.mean() + 2 * sums.std(ddof=1)).astype(np.int8)
    return found


def _spatstat_influence() -> Comparison:
    import numpy as np

    from peelian.explain.factors import operationalise

    places, layers, _ = own.london()
    mine = ours(lambda: operationalise(layers, places, distances=own.STEPS))
    shapes = [layers[name].features.geometry for name in layers]
    theirs = rscript.run(
        "influence", cells=np.column_stack([places.points.x, places.points.y]), distances=own.STEPS,
        features=np.vstack([np.column_stack([each.x, each.y]) for each in shapes]), side=40_000,
        layer=np.repeat(np.arange(len(shapes)), [len(each) for each in shapes]).astype(float),
    )  # fmt: skip
    names = [
        f"{name}_{kind}_{d:g}" for name in layers for d in own.STEPS for kind in ("proximity", "density")
    ]
    at = [names.index(name) for name in mine.value.columns]
    marks = mine.value.columns.to_numpy()
    checks = [
        same("cells with each candidate", marks.sum(axis=0), theirs.values["ones"][at], 0),
        same("sum of their numbers", np.arange(1, len(marks) + 1) @ marks, theirs.values["places"][at], 0),
    ]
    note = f"{len(at)} candidates; nearest and pairs within 600 m"
    return Comparison(mine.seconds, theirs.seconds, theirs.version, checks, note)


_CANDIDATES = "24 layers x 12 candidates on 160,000 cells"
INFLUENCE = (
    Job(_CANDIDATES, "scipy cKDTree", _ckdtree, python("scipy")),
    Job(_CANDIDATES, "R spatstat", _spatstat_influence, rscript.program),
)


# -------------------------------------------------------------------- density
def _spatstat() -> Comparison:
    grid, x, y = own.points_of(1_000_000)
    wide, high = grid.shape
    mine = ours(lambda: grid.smooth(grid.shared(x, y), 500))
    import numpy as np

    theirs = rscript.run(
        "density", xy=np.column_stack([x, y]), wide=50 * wide, high=50 * high, radius=500, cell=50
    )
    density = theirs.values["density"] * 2500
    check = same("density by cell", mine.value, density, 0.02, relative=True)
    return Comparison(
        mine.seconds,
        theirs.seconds,
        theirs.version,
        [check],
        "points to cells: shared between four here, to one there",
    )


def _gaussian_kde() -> Comparison:
    import numpy as np
    from scipy.stats import gaussian_kde

    grid, x, y, at, mine = _gaussian_here()
    points = np.vstack([x, y])
    # its kernel is a multiple of the points' covariance, which on this ground is not quite round
    spread = gaussian_kde(points, bw_method=_SD / float(np.sqrt(np.trace(np.cov(points)) / 2)))
    centres = np.vstack([grid.column[at], grid.row[at]]) * 50.0 + 25
    theirs = timed(lambda: spread(centres))
    check = same(
        "density of the cells compared", mine.value[at], theirs.value * len(x) * 2500, 0.05, relative=True
    )
    return _on_some(mine.seconds, theirs.seconds, len(at), len(grid.column), version("scipy"), [check])


def _sklearn_kde() -> Comparison:
    import numpy as np

    neighbours = imported("sklearn.neighbors", "scikit-learn")
    grid, x, y, at, mine = _gaussian_here()
    centres = np.column_stack([grid.column[at], grid.row[at]]) * 50.0 + 25
    tree = neighbours.KernelDensity(bandwidth=_SD, rtol=1e-3).fit(np.column_stack([x, y]))
    theirs = timed(lambda: np.exp(tree.score_samples(centres)) * len(x) * 2500)
    check = same("density of the cells compared", mine.value[at], theirs.value, 0.01, relative=True)
    return _on_some(mine.seconds, theirs.seconds, len(at), len(grid.column), version("scikit-learn"), [check])


_SD, _COMPARED = 250.0, 100


def _gaussian_here() -> tuple[Any, Array, Array, Array, Any]:
    """The ground, a hundred of its cells far from the edge, and our side."""
    import numpy as np

    grid, x, y = own.points_of(1_000_000)
    wide, high = grid.shape
    inner = (np.abs(grid.column - wide / 2) < wide / 2 - 25) & (np.abs(grid.row - high / 2) < high / 2 - 25)
    at = np.random.default_rng(1).choice(np.flatnonzero(inner), _COMPARED, replace=False)
    return grid, x, y, at, ours(lambda: grid.smooth(grid.shared(x, y), _SD, "gaussian"))


def _on_some(mine: float, theirs: float, some: int, every: int, named: str, checks: list[Any]) -> Comparison:
    note = f"the peer on {some} of {every:,} cells ({theirs:.2g} s), the rest at the same rate"
    return Comparison(mine, theirs * every / some, named, checks, note)


KDE = (
    Job("1,000,000 points to 630,000 cells, quartic", "R spatstat density", _spatstat, rscript.program),
    Job("the same, Gaussian of 250 m", "scipy gaussian_kde", _gaussian_kde, python("scipy")),
    Job(
        "the same, Gaussian of 250 m",
        "scikit-learn KernelDensity",
        _sklearn_kde,
        python("sklearn", "scikit-learn"),
    ),
)


# -------------------------------------------------------------------- near repeats
def _pointpats() -> Comparison:
    import numpy as np

    pointpats = imported("pointpats")
    events = own.events_of(5_000)
    mine = ours(lambda: _one_band(events, 400, 28, 99))
    xy, day = np.column_stack([events.x, events.y]), events.time.astype(float)[:, None]
    np.random.seed(1)  # noqa: NPY002  the peer draws from the global state

    def one() -> Any:
        return pointpats.Knox(xy, day.copy(), delta=400, tau=28, permutations=99)

    theirs = timed(one)
    checks = [same("pairs within 400 m and 28 days", mine.value[0], theirs.value.statistic_, 0)]
    note = "5,000 events: the peer lists every pair within 28 days, whatever its distance"
    return Comparison(mine.seconds, theirs.seconds, version("pointpats"), checks, note)


def _surveillance_knox() -> Comparison:
    import numpy as np

    events = own.events_of(1_000)
    mine = ours(lambda: _one_band(events, 400, 28, 199))
    theirs = rscript.run(
        "knox", xy=np.column_stack([events.x, events.y]), day=events.time, days=28, metres=400,
        permutations=199,
    )  # fmt: skip
    checks = [
        same("pairs within 400 m and 28 days", mine.value[0], theirs.values["observed"], 0),
        same("expected pairs", mine.value[1], theirs.values["expected"], 1e-9, relative=True),
        same("p", mine.value[2], theirs.values["p"], 0.1),
    ]
    note = "1,000 events: the peer holds every distance, 10 GB at 50,000"
    return Comparison(mine.seconds, theirs.seconds, theirs.version, checks, note)


def _one_band(events: Any, metres: float, days: int, permutations: int) -> tuple[float, float, float]:
    """Pairs within one distance and time, the same place included: observed, expected, p."""
    from peelian.explain.bands import bands_of
    from peelian.explain.near_repeat import Asked, knox_of

    bands = bands_of((metres, metres + 1), (days,))
    row = knox_of(events, Asked(bands, "euclidean", "permute", permutations, seed=1)).frame.iloc[0]
    return float(row["observed"]), float(row["expected"]), float(row["p"])


KNOX = (
    Job(
        "5,000 events, one band of 400 m and 28 days, 99 permutations",
        "pointpats Knox",
        _pointpats,
        python("pointpats"),
    ),
    Job(
        "1,000 events, the same band, 199 permutations",
        "R surveillance knox",
        _surveillance_knox,
        rscript.program,
    ),
)


# -------------------------------------------------------------------- Gi*
def _spdep() -> Comparison:
    from scipy import sparse

    from peelian.explain.gi import g_star

    places, counts = own.gi_counts()
    near = sparse.csr_array(places.neighbours().astype(float) + sparse.eye_array(len(places)))
    mine = ours(lambda: g_star(counts, near))
    theirs = rscript.run("gi", y=counts)
    check = same("z by cell", mine.value, theirs.values["z"], 1e-8)
    return Comparison(
        mine.seconds, theirs.seconds, theirs.version, [check], "neighbours made beforehand on both sides"
    )


GI_STAR = (Job("Gi* of 160,000 cells, without p", "R spdep localG", _spdep, rscript.program),)
