"""Count likelihoods: Poisson and two negative binomials, fitted to cells that share their predictors.

Numbers in, a ``CountFit`` out. The sum of ln(r + k) over k below each count stands in for the gamma
functions: exact for whole counts, and quick.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.linalg.lapack import dposv
from scipy.special import gammaln, ndtr, xlogy

Family = Literal["poisson", "nb1", "nb2"]
Array = Any
FAMILY_NAMES = {"poisson": "Poisson", "nb1": "negative binomial (NB1)", "nb2": "negative binomial (NB2)"}
LOG_DISPERSION_RANGE = (-12.0, 6.0)
MOST_STEPS = 100


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells with equal predictors and exposure as one row each: all that the likelihoods need of them.

    ``design``  rows x coefficients, intercept first. ``cells``, ``total``, ``squares``, ``mass``: number of
    cells, sum of counts, of squared counts and of exposure by row. ``row, above, number``: in that row,
    ``number`` cells have more than ``above`` events. ``log_exposure`` and ``log_factorial`` are sums of
    y ln E and ln y! over all cells.
    """

    design: Array
    cells: Array
    total: Array
    squares: Array
    mass: Array
    row: Array
    above: Array
    number: Array
    log_exposure: float
    log_factorial: float


@dataclass(frozen=True, eq=False)
class CountFit:
    """A fitted count model: ln(expected) = exposure + design x coefficients.

    ``log_dispersion`` is ln sigma (NB1, variance mu(1 + sigma)) or ln alpha (NB2, variance
    mu(1 + alpha mu)), None under Poisson. ``covariance`` covers the coefficients and, where it was
    estimated inside its range, the dispersion. ``boundary``: the counts vary no more than chance, so the
    Poisson fit stands, with one parameter more in ``parameters``. ``bic`` counts the dispersion.
    """

    family: Family
    coefficients: Array
    log_dispersion: float | None
    covariance: Array
    log_likelihood: float
    parameters: int
    aic: float
    bic: float
    converged: bool
    boundary: bool

    @property
    def standard_errors(self) -> Array:
        """One for each coefficient, from the inverse observed information."""
        diagonal = np.diag(self.covariance)[: len(self.coefficients)]
        return np.sqrt(np.where(diagonal > 0, diagonal, np.nan))

    @property
    def p(self) -> Array:
        """Two-sided Wald p of each coefficient."""
        return 2 * ndtr(-np.abs(self.coefficients / self.standard_errors))

    @property
    def dispersion(self) -> float:
        """sigma or alpha; 0 under Poisson and at the boundary."""
        return 0.0 if self.log_dispersion is None or self.boundary else float(np.exp(self.log_dispersion))


def cells_of(
    design: Array, counts: Array, *, exposure: Array | None = None, weights: Array | None = None
) -> Cells:
    """One row a cell: the uncompressed form, for designs whose rows are all different."""
    counts = np.asarray(counts, float)
    weights = np.ones(len(counts)) if weights is None else np.asarray(weights, float)
    exposure = np.ones(len(counts)) if exposure is None else np.asarray(exposure, float)
    whole = np.floor(counts).astype(np.int64)
    row = np.repeat(np.arange(len(counts)), whole)
    above = np.arange(len(row)) - np.repeat(np.cumsum(whole) - whole, whole)
    return Cells(
        np.asarray(design, float),
        weights,
        weights * counts,
        weights * counts**2,
        weights * exposure,
        row,
        above.astype(float),
        weights[row],
        float(xlogy(weights * counts, exposure).sum()),
        float((weights * gammaln(counts + 1)).sum()),
    )


def compress(
    design: Array, counts: Array, *, exposure: Array | None = None, weights: Array | None = None
) -> Cells:
    """Cells with the same design row (and exposure) put together: the same fit, from fewer rows."""
    design = np.asarray(design, float)
    if (np.asarray(counts) % 1 != 0).any():  # parts of events have no table of counts: Poisson only
        return cells_of(design, counts, exposure=exposure, weights=weights)
    key = design if exposure is None else np.column_stack([design, exposure])
    first, group = _kinds(key)
    rows = key[first]
    counts = np.asarray(counts, np.int64)
    high = int(counts.max(initial=0)) + 1
    table = np.bincount(group * high + counts, weights, minlength=len(rows) * high)
    table = table.reshape(len(rows), high).astype(float)
    rate = np.ones(len(rows)) if exposure is None else rows[:, -1]
    return cells_of_table(rows[:, : design.shape[1]], table, rate)


def _kinds(rows: Array) -> tuple[Array, Array]:
    """One of each kind of equal rows, and the kind of each row; column by column, which is quicker than
    sorting rows."""
    code, many = np.zeros(len(rows), np.int64), 1
    for column in rows.T:
        low = column.min()
        if not ((column == low) | (column == low + 1)).all():
            values, number = np.unique(column, return_inverse=True)
            step = len(values)
        else:
            number, step = (column != low).astype(np.int64), 2
        code = code * step + number.ravel()
        many *= step
        if many > 1 << 30:
            code = np.unique(code, return_inverse=True)[1].ravel()
            many = int(code.max()) + 1
    _, first, group = np.unique(code, return_index=True, return_inverse=True)
    return first, group.ravel()


def cells_of_table(design: Array, table: Array, exposure: Array) -> Cells:
    """From a table rows x counts of how many cells of each design row had 0, 1, 2, ... events."""
    events = np.arange(table.shape[1], dtype=float)
    cells, total = table.sum(axis=1), table @ events
    more = table[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    row, above = np.nonzero(more)
    return Cells(
        design,
        cells,
        total,
        table @ events**2,
        cells * exposure,
        row,
        above.astype(float),
        more[row, above],
        float(xlogy(total, exposure).sum()),
        float(table.sum(axis=0) @ gammaln(events + 1)),
    )


# -------------------------------------------------------------------- fitting
def fit(
    data: Cells, family: Family, *, cells: float | None = None, start: CountFit | None = None
) -> CountFit:
    """The maximum-likelihood fit of a family: Newton's method with analytic derivatives.

    ``cells``  the n of the BIC; the number of cells in the data by default.
    ``start``  a fit of the same family to begin from, with as many coefficients.

    Negative binomials near the Poisson boundary return the Poisson fit with ``boundary=True``: before
    each one the score test for overdispersion is made (Cameron & Trivedi 1990; Dean & Lawless 1989).

    >>> import numpy as np
    >>> data = compress(np.ones((4, 1)), [0, 1, 2, 5])
    >>> round(float(np.exp(fit(data, "poisson").coefficients[0])), 9)
    2.0
    """
    n = float(data.cells.sum()) if cells is None else cells
    if family == "poisson":
        return fit_poisson(data, cells=n, start=start)
    if start is not None and not start.boundary and start.log_dispersion is not None:
        begin = np.append(start.coefficients, start.log_dispersion)
        found = _negative_binomial(data, family, begin, n)
        if found.converged and not found.boundary:
            return found
    poisson = fit_poisson(data, cells=n)
    moment, score = _overdispersion(data, poisson, family)
    if score <= 0:
        return _at_boundary(poisson, family, n)
    begin = np.append(poisson.coefficients, np.log(max(moment, 1e-3)))
    found = _negative_binomial(data, family, begin, n)
    return _at_boundary(poisson, family, n) if found.boundary else found


def fit_poisson(data: Cells, *, cells: float, start: CountFit | None = None) -> CountFit:
    """The Poisson fit."""
    width = data.design.shape[1]
    begin = np.zeros(width)
    begin[0] = np.log(max(data.total.sum(), 0.5) / data.mass.sum())
    if start is not None and len(start.coefficients) == width:
        begin = np.asarray(start.coefficients, float).copy()
    point, value, hessian, converged = _newton(_poisson, data, begin)
    return _finished("poisson", point, None, value, hessian, converged, cells)


def _negative_binomial(data: Cells, family: Family, begin: Array, n: float) -> CountFit:
    point, value, hessian, converged = _newton(_nb1 if family == "nb1" else _nb2, data, begin, True)
    fitted = _finished(family, point[:-1], float(point[-1]), value, hessian, converged, n)
    low, high = LOG_DISPERSION_RANGE
    return replace(fitted, boundary=not low + 1e-6 < point[-1] < high - 1e-6)


def _finished(
    family: Family, b: Array, log_d: float | None, value: float, hessian: Array, converged: bool, n: float
) -> CountFit:
    k = len(b) + (log_d is not None)
    try:
        covariance = np.linalg.inv(-hessian)
    except np.linalg.LinAlgError:
        covariance, converged = np.full_like(hessian, np.nan), False
    aic, bic = -2 * value + 2 * k, -2 * value + k * np.log(n)
    return CountFit(family, b, log_d, covariance, value, k, aic, bic, converged, False)


def _at_boundary(poisson: CountFit, family: Family, n: float) -> CountFit:
    k = poisson.parameters + 1
    value = poisson.log_likelihood
    return replace(
        poisson, family=family, log_dispersion=LOG_DISPERSION_RANGE[0], parameters=k, boundary=True,
        aic=-2 * value + 2 * k, bic=-2 * value + k * np.log(n),
    )  # fmt: skip


def _overdispersion(data: Cells, poisson: CountFit, family: Family) -> tuple[float, float]:
    """Moment estimate of the dispersion, and the score that says whether there is any."""
    rate = np.exp(data.design @ poisson.coefficients) * data.mass / np.maximum(data.cells, 1e-300)
    excess = data.squares - 2 * rate * data.total + data.cells * rate**2 - data.total
    if family == "nb1":
        moment = float((excess / rate).sum() / data.cells.sum())
    else:
        moment = float(excess.sum() / (data.cells * rate**2).sum())
    return moment, moment


def _newton(
    derivatives: Any, data: Cells, begin: Array, dispersed: bool = False
) -> tuple[Array, float, Array, bool]:
    point = begin.copy()
    if dispersed:
        point[-1] = np.clip(point[-1], *LOG_DISPERSION_RANGE)
    value, gradient, hessian = derivatives(data, point)
    for _ in range(MOST_STEPS):
        step = _ascent(hessian, gradient)
        if np.abs(step).max() < 1e-8 and np.abs(step @ gradient) < 1e-10:
            return point, float(value), hessian, bool(np.isfinite(value))
        size = 1.0
        while True:
            trial = point + size * step
            if dispersed:
                trial[-1] = np.clip(trial[-1], *LOG_DISPERSION_RANGE)
            new, new_gradient, new_hessian = derivatives(data, trial)
            if new >= value - 1e-12 * abs(value) or size < 1e-8:
                break
            size /= 2
        stuck = dispersed and np.array_equal(trial, point)  # at a limit of the dispersion
        point, value, gradient, hessian = trial, new, new_gradient, new_hessian
        if stuck:
            return point, float(value), hessian, bool(np.isfinite(value))
        if np.abs(point[:-1] if dispersed else point).max() > 40:
            return point, float(value), hessian, False  # on the way to infinity
    # rounding can keep the last steps from getting small enough: the height is what counts
    return point, float(value), hessian, bool(abs(step @ gradient) < 1e-6)


def _ascent(hessian: Array, gradient: Array) -> Array:
    """Newton's step, bent until it climbs, and never longer than 5."""
    information, ridge = -hessian, 0.0
    scale = max(float(np.abs(np.diag(information)).max()), 1e-12)
    for _ in range(12):
        bent = information + ridge * np.eye(len(gradient)) if ridge else information
        _, step, failed = dposv(bent, gradient)
        if not failed:
            return step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        ridge = max(ridge * 10, 1e-6 * scale)
    return gradient / scale


# -------------------------------------------------------------------- log-likelihoods with derivatives
def _poisson(data: Cells, point: Array) -> tuple[float, Array, Array]:
    eta = np.minimum(data.design @ point, 60.0)
    mean = data.mass * np.exp(eta)
    value = data.total @ eta - mean.sum() + data.log_exposure - data.log_factorial
    gradient = data.design.T @ (data.total - mean)
    return value, gradient, -(data.design.T * mean) @ data.design


def _nb1(data: Cells, point: Array) -> tuple[float, Array, Array]:
    sigma = np.exp(point[-1])
    log1p, share = np.log1p(sigma), sigma / (1 + sigma)
    r = data.mass / data.cells * np.exp(np.clip(data.design @ point[:-1], -60, 60)) / sigma
    at = r[data.row] + data.above
    first = np.bincount(data.row, data.number / at, len(r))
    second = np.bincount(data.row, data.number / at**2, len(r))
    nr = data.cells * r
    sizes = (data.total + nr).sum()
    value = data.number @ np.log(at) + data.total.sum() * point[-1] - sizes * log1p - data.log_factorial
    slope = r * first - nr * log1p
    curve = slope - r**2 * second
    gradient = np.append(data.design.T @ slope, -slope.sum() + data.total.sum() - sizes * share)
    cross = -curve - nr * share
    last = curve.sum() + 2 * nr.sum() * share - sizes * share * (1 - share)
    return value, gradient, _bordered(data.design, curve, cross, last)


def _nb2(data: Cells, point: Array) -> tuple[float, Array, Array]:
    alpha = np.exp(point[-1])
    r = 1 / alpha
    eta = np.clip(data.design @ point[:-1], -60, 60)
    scaled = alpha * data.mass / data.cells * np.exp(eta)
    log1p, share = np.log1p(scaled), scaled / (1 + scaled)
    at = r + data.above
    first, second = (data.number / at).sum(), (data.number / at**2).sum()
    sizes, nr = data.total + data.cells * r, data.cells * r
    value = data.number @ np.log(at) + data.total @ (eta + point[-1]) + data.log_exposure
    value = value - sizes @ log1p - data.log_factorial
    slope = data.total - sizes * share
    curve = -sizes * share * (1 - share)
    last_slope = -r * first + (data.total + nr * log1p - sizes * share).sum()
    last = r * first - r**2 * second + (2 * nr * share - nr * log1p + curve).sum()
    gradient = np.append(data.design.T @ slope, last_slope)
    return value, gradient, _bordered(data.design, curve, nr * share + curve, last)


def _bordered(design: Array, curve: Array, cross: Array, last: float) -> Array:
    width = design.shape[1]
    hessian = np.empty((width + 1, width + 1))
    hessian[:width, :width] = (design.T * curve) @ design
    hessian[:width, width] = hessian[width, :width] = design.T @ cross
    hessian[width, width] = last
    return hessian


# -------------------------------------------------------------------- cell by cell, for what comes after
def log_pmf(family: Family, counts: Array, mean: Array, dispersion: float = 0.0) -> Array:
    """ln of the chance of each count. ``dispersion`` is sigma (NB1) or alpha (NB2).

    >>> round(float(log_pmf("poisson", 0, 2.0)), 6)
    -2.0
    """
    counts, mean = np.asarray(counts, float), np.asarray(mean, float)
    if family == "poisson" or dispersion == 0:
        return xlogy(counts, mean) - mean - gammaln(counts + 1)
    if family == "nb1":
        r, scaled = mean / dispersion, np.broadcast_to(dispersion, mean.shape)
    else:
        r, scaled = np.full_like(mean, 1 / dispersion), dispersion * mean
    ways = gammaln(counts + r) - gammaln(r) - gammaln(counts + 1)
    return ways + xlogy(counts, scaled) - (counts + r) * np.log1p(scaled)


def mean_of(fitted: CountFit, design: Array, exposure: Array | None = None) -> Array:
    """Expected events of each cell."""
    rate = np.exp(np.asarray(design, float) @ fitted.coefficients)
    return rate if exposure is None else rate * exposure


def variance_of(fitted: CountFit, mean: Array) -> Array:
    """Variance of each cell's count under the fitted family."""
    if fitted.family == "nb2":
        return mean * (1 + fitted.dispersion * mean)
    return mean * (1 + fitted.dispersion)


def scores_of(fitted: CountFit, design: Array, counts: Array, exposure: Array | None = None) -> Array:
    """Each cell's derivative of its log-likelihood by coefficient (and dispersion, where estimated)."""
    from scipy.special import digamma

    counts, mean = np.asarray(counts, float), mean_of(fitted, design, exposure)
    if fitted.family == "poisson" or fitted.boundary:
        return np.asarray(design, float) * (counts - mean)[:, None]
    d = fitted.dispersion
    if fitted.family == "nb1":
        r = mean / d
        slope = r * (digamma(counts + r) - digamma(r) - np.log1p(d))
        last = -slope + counts - (counts + r) * d / (1 + d)
    else:
        r, scaled = 1 / d, d * mean
        share = scaled / (1 + scaled)
        slope = counts - (counts + r) * share
        last = -r * (digamma(counts + r) - digamma(r)) + counts + r * np.log1p(scaled)
        last = last - (counts + r) * share
    return np.column_stack([np.asarray(design, float) * slope[:, None], last])
