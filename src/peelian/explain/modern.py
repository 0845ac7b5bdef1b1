"""The modern model: monotone bands of distance and density, chosen by cross-validation over whole tiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from peelian.errors import DataError, DesignError
from peelian.explain import decay as bands
from peelian.explain.decay import Decay
from peelian.explain.folds import LEAKS, Folds, blocked
from peelian.explain.likelihood import CountFit, Family, cells_of, compress, fit, mean_of, variance_of
from peelian.explain.monotone import Path, State, deviance

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.inference import Limits
    from peelian.explain.measure import How
    from peelian.explain.problem import Observed
    from peelian.explain.shares import Columns
    from peelian.explain.values import Valued
    from peelian.layers import Layers
    from peelian.places import Places

Array = Any
STEPS, FLOOR, PATIENCE = 50, 1e-3, 10
SIGN_BY_DATA = "the data chose whether it raises or lowers the risk"
KEPT = 1e-6  # a coefficient below is none
FEWEST_EVENTS = 5


@dataclass(frozen=True)
class Options:
    """How the modern model is fitted and checked; the names are the arguments of ``rtm``."""

    block: float | None = None
    operations: str = "both"
    family: Literal["auto", "poisson", "nb1", "nb2"] = "auto"
    min_cells: int = 10
    l1_ratio: float = 0.95
    rule: Literal["min", "1se"] = "1se"
    folds: int = 5
    tile: float | None = None
    buffer: float = 0.0
    fold_blocks: Any = None
    reach_limit: float = 1500.0
    reach_ratio: float = 1.1
    clusters: Any = 1500.0
    replicates: int = 200
    shift: bool = True
    refit: str = "halves"
    permutations: int = 999
    limits: Limits | None = None
    workers: int = 1
    quick: bool = False
    sensitivity: bool = True
    how: How | None = None
    valued: Valued | None = None

    @property
    def side(self) -> float:
        """Side of the tiles of cross-validation: twice the reach, 3 km at least."""
        return self.tile or max(2 * self.reach_limit, 3000.0)


@dataclass(frozen=True, eq=False)
class Posed:
    """What is to be explained and by what: arrays over the places in the fit.

    ``free``  intercept and adjustment, standardised, with ``free_names`` of the latter; ``exposure`` ones
    where nothing is counted; ``layers`` None where columns were given.
    """

    places: Places
    observed: Observed
    decay: Decay
    fitted: Array
    nested: Columns
    free: Array
    free_names: list[str]
    counts: Array
    exposure: Array
    whole_exposure: pd.Series | None
    folds: Folds
    seed: int
    crime: str
    warnings: tuple[str, ...]
    snapped: bool = False
    layers: Layers | None = None
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def factor(self) -> Array:
        """The factor of each column."""
        return self.decay.factor[self.nested.measure]

    def measures(self, number: int) -> Array:
        """The measures of a factor."""
        return np.flatnonzero(self.decay.factor == number)

    def cell(self, options: Options) -> float:
        """Metres of a cell, or what stands for it."""
        return float(self.places.cell or (options.block or 0) / 2)


@dataclass(frozen=True, eq=False)
class Chosen:
    """The penalised model: ``state`` at ``penalty``, and the cross-validation that chose it.

    ``table``  by penalty: penalty, deviance (mean per cell left out), its standard error.
    ``deviances`` at the two rules, and of a constant.
    """

    state: State
    penalty: float
    table: Array
    deviances: dict[str, float]

    @property
    def kept(self) -> Array:
        """Columns with an effect."""
        return np.flatnonzero(self.state.b > KEPT)


# -------------------------------------------------------------------- posed
def pose(
    observed: Observed, layers: Layers | pd.DataFrame, places: Places, options: Options, *,
    offset: pd.Series | None, adjust: pd.DataFrame | None, factor_of: dict[str, str] | None, seed: int,
    crime: str, snapped: bool, allow_police_activity: str | None, exclude: gpd.GeoSeries | None = None,
) -> Posed:  # fmt: skip
    """Bands, adjustment, exposure and folds over the places with something at risk."""
    import pandas as pd

    from peelian.explain import factors
    from peelian.explain.problem import about_layers, exposures, without

    exposure, fitted, words = exposures(offset, observed.counts)
    if exclude is not None:
        observed, open_ground, more = without(observed, places, exclude)
        fitted, words = fitted & open_ground, [*words, *more]
    warnings = [*observed.warnings, *words]
    notes: dict[str, str] = {}
    if isinstance(layers, pd.DataFrame):
        found = bands.given(
            layers.reindex(places.index), factor_of or {}, fitted=fitted, min_cells=options.min_cells
        )
    else:
        factors.refuse_police_activity(layers, allow_police_activity)
        more, notes = about_layers(layers, places, observed.months, options.reach_limit)
        warnings += more
        if allow_police_activity:
            warnings.append(f"Police activity is used as a factor. Reason given: {allow_police_activity}.")
        for name in layers:
            if layers[name].sign == "either":
                notes[name] = "; ".join([*filter(None, [notes.get(name)]), SIGN_BY_DATA])
        found = measured(layers, places, options, fitted, observed, snapped)
        warnings += found.notes
    free, names = _free(adjust, places, fitted)
    counts = observed.counts.to_numpy(float)[fitted]
    folds = blocked(
        places, fitted, counts, side=options.side, folds=options.folds, buffer=options.buffer,
        blocks=options.fold_blocks, seed=seed,
    )  # fmt: skip
    warnings += [LEAKS] * folds.leaks
    at_risk = np.ones(int(fitted.sum())) if exposure is None else exposure.to_numpy()[fitted]
    return Posed(
        places, observed, found, fitted, found.nested(fitted), free, names, counts, at_risk, exposure, folds,
        seed, crime, tuple(warnings), snapped, None if isinstance(layers, pd.DataFrame) else layers, notes,
    )  # fmt: skip


def measured(
    layers: Layers, places: Places, options: Options, fitted: Array, observed: Observed, snapped: bool,
    coarser: int = 1,
) -> Decay:  # fmt: skip
    """The bands of the layers."""
    cell = float(places.cell or (options.block or 0) / 2)
    if not cell:
        raise DesignError("Places that are no grid need block = metres: there is no cell to take it from.")
    return bands.measured(
        layers, places, cell=cell, reach=options.reach_limit, operations=options.operations, snapped=snapped,
        fitted=fitted, min_cells=options.min_cells, period=observed.months, coarser=coarser,
        how=options.how, valued=options.valued,
    )  # fmt: skip


def _free(adjust: pd.DataFrame | None, places: Places, fitted: Array) -> tuple[Array, list[str]]:
    """Intercept and adjustment, standardised over the places in the fit."""
    ones = np.ones((int(fitted.sum()), 1))
    if adjust is None or not len(adjust.columns):
        return ones, []
    values = adjust.reindex(places.index).astype(float)
    wrong = values.columns[values[fitted].isna().any()]
    if len(wrong):
        where = list(places.index[fitted & values[wrong[0]].isna().to_numpy()][:3])
        raise DataError(f"adjust: {wrong[0]} is missing for some places, for instance {where}.")
    held = values.to_numpy()[fitted]
    spread = held.std(axis=0)
    if (spread < 1e-12).any():
        raise DataError(f"adjust: {values.columns[int(spread.argmin())]} is the same everywhere.")
    return np.column_stack([ones, (held - held.mean(axis=0)) / spread]), [str(n) for n in values.columns]


# -------------------------------------------------------------------- chosen
def choose(posed: Posed, counts: Array, options: Options) -> Chosen:
    """The penalty that predicts left-out tiles best (or the highest within one error), and its model."""
    whole = Path(posed.nested, posed.free, counts, posed.exposure, ratio=options.l1_ratio)
    penalties = whole.highest() * FLOOR ** (np.arange(STEPS) / (STEPS - 1))
    table, constant = _cross_validated(posed, counts, options, penalties)
    least = int(table[:, 1].argmin())
    within = int(np.flatnonzero(table[:, 1] <= table[least, 1] + table[:, 2])[0])
    at = least if options.rule == "min" else within
    for penalty in penalties[: at + 1]:
        state = whole.at(penalty)
    return Chosen(
        state, float(penalties[at]), table,
        {"min": float(table[least, 1]), "1se": float(table[within, 1]), "constant": constant},
    )  # fmt: skip


def _cross_validated(posed: Posed, counts: Array, options: Options, penalties: Array) -> tuple[Array, float]:
    """By penalty: penalty, mean deviance of left-out cells, standard error of its difference from the best;
    and the deviance of a constant.

    The error is of differences fold by fold: folds of whole tiles differ in their level of crime far more
    than penalties do, and that is no reason to prefer one. The folds go down the penalties together, and
    stop once ``PATIENCE`` in a row were worse than the best.
    """
    fold, numbers = posed.folds.fold, range(len(posed.folds.train))
    paths, held, constant = [], [], 0.0
    for f, train in zip(numbers, posed.folds.train, strict=True):
        out = fold == f
        paths.append(
            Path(posed.nested.rows(train), posed.free[train], counts[train], posed.exposure[train],
                 ratio=options.l1_ratio, tolerance=1e-5)
        )  # fmt: skip
        held.append((posed.nested.rows(out), posed.free[out], counts[out], posed.exposure[out]))
        level = counts[train].sum() / posed.exposure[train].sum()
        constant += deviance(counts[out], level * posed.exposure[out])
    size = np.array([len(rest[2]) for rest in held])
    means: list[float] = []
    by_fold: list[Array] = []
    for penalty in penalties:
        off = np.array(
            [deviance(y, expected(path.at(penalty), nested, free, at_risk))
             for path, (nested, free, y, at_risk) in zip(paths, held, strict=True)]
        )  # fmt: skip
        by_fold.append(off / size)
        means.append(float(off.sum() / size.sum()))
        if len(means) - 1 - int(np.argmin(means)) >= PATIENCE:
            break
    worse = np.array(by_fold) - by_fold[int(np.argmin(means))]
    centred = worse - (worse @ size / size.sum())[:, None]
    error = np.sqrt(centred**2 @ size / size.sum() / (len(size) - 1))
    rows = np.column_stack([penalties[: len(means)], means, error])
    return rows, constant / float(size.sum())


def expected(state: State, nested: Columns, free: Array, exposure: Array) -> Array:
    """Expected events of each cell."""
    return exposure * np.exp(np.minimum(free @ state.free + nested.effect(state.b), 50.0))


def relaxed(
    nested: Columns, free: Array, counts: Array, exposure: Array, columns: Array, start: State, *,
    weights: Array | None = None, ridge: Array | None = None, tolerance: float = 1e-7,
) -> State:  # fmt: skip
    """Some bands without the penalty, coefficients still of at least zero.

    Poisson's estimating equations are also those of NB1, whose variance is proportional to the mean.
    """
    allowed = np.zeros(nested.size, bool)
    allowed[columns] = True
    path = Path(
        nested, free, counts, exposure, weights=weights, allowed=allowed, ridge=ridge, tolerance=tolerance
    )
    path.begin(State(path.state.free, np.where(allowed, start.b, 0.0)))
    return path.at(0.0)


# -------------------------------------------------------------------- where a factor bears
@dataclass(frozen=True, eq=False)
class Bearing:
    """Where a factor bears most: the widest band that holds half of its leading measure's effect.

    ``contrast``  by column, the mean of the factor's columns there less their mean elsewhere (each place with
    the weight of what is at risk in it): times the coefficients it is the log relative risk against
    elsewhere, other factors alike.
    """

    number: int
    measure: int
    band: int
    contrast: Array

    def log_risk(self, b: Array) -> float:
        """Log relative risk where the factor bears, under these coefficients."""
        return float(self.contrast @ b)


def bearings(posed: Posed, state: State) -> list[Bearing]:
    """Of each factor with an effect, where it bears most."""
    found = []
    nested = posed.nested
    for number in range(len(posed.decay.factor_names)):
        weight = {}
        for m in posed.measures(number):
            mine = state.b[nested.starts[m] : nested.starts[m + 1]]
            if (mine > KEPT).any():
                weight[int(m)] = float(np.abs(nested.effect(state.b, [m])).mean())
        if not weight:
            continue
        leading = max(weight, key=lambda m: weight[m])
        mine = state.b[nested.starts[leading] : nested.starts[leading + 1]].cumsum()
        band = int(np.flatnonzero(mine >= mine[-1] / 2)[0])
        contrast = np.zeros(nested.size)
        columns = np.flatnonzero(posed.factor == number)
        contrast[columns] = nested.contrast(leading, band, columns, posed.exposure)
        found.append(Bearing(number, leading, band, contrast))
    return found


# -------------------------------------------------------------------- after selection
@dataclass(frozen=True, eq=False)
class Unpenalised:
    """The kept bands fitted without a penalty: ``columns`` and the ``fit`` (free part first)."""

    columns: Array
    fit: CountFit
    design: Array
    families: dict[Family, CountFit]

    def whole(self, size: int, free: int) -> Array:
        """Coefficients by column, zero where a band was not kept."""
        b = np.zeros(size)
        b[self.columns] = self.fit.coefficients[free:]
        return b


def unpenalised(posed: Posed, counts: Array, kept: Array, options: Options) -> Unpenalised:
    """Poisson, NB1 or NB2 on the kept bands; ``auto`` takes NB1 unless Poisson has the lower BIC."""
    columns = _identified(posed, counts, kept)
    design = np.column_stack([posed.free, posed.nested.take(columns)])
    families: tuple[Family, ...] = ("poisson", "nb1") if options.family == "auto" else (options.family,)
    fits = {family: count_fit(posed, design, counts, family) for family in families}
    best = min(fits, key=lambda family: fits[family].bic)
    return Unpenalised(columns, fits[best], design, fits)


def count_fit(posed: Posed, design: Array, counts: Array, family: Family) -> CountFit:
    """One count model over the places in the fit."""
    exposure = None if posed.whole_exposure is None else posed.exposure
    make = compress if exposure is None and not posed.free_names else cells_of
    return fit(make(design, counts, exposure=exposure), family, cells=float(len(counts)))


def moments(found: CountFit, design: Array, exposure: Array) -> tuple[Array, Array]:
    """Mean and variance of each cell."""
    mean = mean_of(found, design, exposure)
    return mean, variance_of(found, mean)


def _identified(posed: Posed, counts: Array, kept: Array) -> Array:
    """Bands whose ring holds enough cells and events to have a coefficient of its own, and none twice."""
    nested, found = posed.nested, []
    for m in range(len(nested.sign)):
        mine = kept[(kept >= nested.starts[m]) & (kept < nested.starts[m + 1])] - nested.starts[m]
        outside = np.ones(len(counts))
        for k in mine:  # from the widest inwards
            inside = nested.inside(m, k)
            ring = outside - inside
            if min(counts @ ring, counts @ inside) >= FEWEST_EVENTS and (ring > 0).sum() >= 10:
                found.append(int(nested.starts[m] + k))
                outside = inside
    return _independent(posed, np.array(found, np.int64))


def _independent(posed: Posed, columns: Array) -> Array:
    """Without columns that the ones before them add up to."""
    from scipy.linalg import qr

    if not len(columns):
        return columns
    values = np.column_stack([posed.free, posed.nested.take(columns)])
    values = values / np.sqrt((values**2).sum(axis=0))
    size = posed.free.shape[1]
    triangle, order = qr(values.T @ values, mode="r", pivoting=True)
    held = np.abs(np.diag(triangle)) > 1e-9
    stay = np.sort(order[: int(held.sum())])
    return columns[stay[stay >= size] - size]
