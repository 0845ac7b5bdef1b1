"""How sure a self-exciting fit is: months drawn again, and what triggering tells of later months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian import engine
from peelian.predict.hawkes_fit import Lasting, Problem, fit_to, share_of
from peelian.predict.history import YEAR, History
from peelian.predict.kernel import Kernel, mass_until, mean_delay
from peelian.predict.method import ENOUGH
from peelian.predict.triggering import brought

if TYPE_CHECKING:
    from peelian.predict.hawkes import Fit, Hawkes

FEWEST_MONTHS = 12  # below which months drawn again say little
FEWEST_LATER = 3
STEPS = 60  # of the EM from the fit itself: it is near already
NORMAL = 1.96
TRIGGERED = 0.9
REDRAWS = 2_000


@dataclass(frozen=True)
class Measured:
    """An estimate, its standard error, and the ends of its 95 % interval; all three missing without one."""

    value: float
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class Later:
    """Nats an incident that triggering tells of ``months`` after a fit, with its 95 % interval."""

    gain: float
    low: float
    high: float
    months: int
    incidents: int


def reach_of(kernel: Kernel, distance: float) -> float:
    """Metres within which 90 % of what an incident brings lies, repeats at its place among it.

    >>> round(reach_of(Kernel(0.0, 0.2, 0.03, 100.0), 500), 1), reach_of(Kernel(0.1, 0.01, 0.03, 100.0), 500)
    (214.6, 0.0)
    """
    if not kernel.near > 0:
        return 0.0
    rest = (TRIGGERED * kernel.total - kernel.repeat) / kernel.near
    return float(kernel.radius(max(rest, 0.0), distance))


# -------------------------------------------------------------------- standard errors
def measured(method: Hawkes, fit: Fit, history: History) -> dict[str, Measured]:
    """The numbers of a fit with standard errors: calendar months drawn again and again, in blocks of one.

    The months of the later incident of each pair are drawn, and with them how long each earlier one was
    watched; what came before an incident stays as it was. Each draw is fitted anew, background and all,
    from the fit itself. Errors are missing below 12 months.
    """
    problem = method.problems(history.before(fit.until))[0]
    names = ("repeat", "near", "delay", "sigma", "share", "reach", *fit.follows)
    values = _numbers(fit.kernel, fit.share, list(fit.follows.values()), method)
    kernel = fit.drawn[0]
    draws = drawn_days(problem, method.resamples, method.seed)
    errors = np.full(len(names), np.nan)
    if len(draws):
        pieces = [(problem, kernel, part) for part in np.array_split(draws, min(method.workers, len(draws)))]
        found = [one for part in engine.run(refitted, pieces, workers=method.workers) for one in part]
        errors = np.std([_numbers(*one, method) for one in found], axis=0, ddof=1)
    if len(fit.drawn) > 1:  # what the drawing of moments leaves open comes on top
        each = [_numbers(one, fit.share, list(fit.follows.values()), method) for one in fit.drawn]
        errors = np.hypot(errors, np.std(each, axis=0, ddof=1))
    low, high = np.array(values) - NORMAL * errors, np.array(values) + NORMAL * errors
    low[:6], high[4] = np.maximum(low[:6], 0), np.minimum(high[4], 1)
    return {
        name: Measured(*one)
        for name, one in zip(
            names, zip(values, errors.tolist(), low.tolist(), high.tolist(), strict=True), strict=True
        )
    }


def drawn_days(problem: Problem, number: int, seed: int) -> np.ndarray:
    """How often each day counts where its calendar months are drawn with replacement: draws x days.

    None where fewer than 12 months are held.
    """
    days = problem.all_days
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int)
    month -= month[0]
    held = np.bincount(month, problem.held) > 0
    if held.sum() < FEWEST_MONTHS:
        return np.empty((0, len(days)))
    rng = np.random.default_rng(seed)
    often = np.zeros((number, len(held)))
    often[:, held] = rng.multinomial(int(held.sum()), np.full(held.sum(), 1 / held.sum()), number)
    return often[:, month]


def refitted(piece: tuple[Problem, Kernel, np.ndarray]) -> list[tuple[Kernel, float, list[float]]]:
    """Kernel, share of background and weights of its covariates for each draw of days."""
    problem, kernel, draws = piece
    out = []
    for days in draws:
        drawn = problem.drawn(days)
        found, lasting = fit_to(drawn, start=kernel, steps=STEPS)
        out.append((found.kernel, share_of(drawn, lasting), lasting.follows.tolist()))
    return out


def _numbers(kernel: Kernel, share: float, follows: list[float], method: Hawkes) -> list[float]:
    delay, far = mean_delay(kernel, method.days), reach_of(kernel, method.distance)
    return [kernel.repeat, kernel.near, delay, kernel.sigma, share, far, *follows]


# -------------------------------------------------------------------- later months
def later_months(method: Hawkes, history: History) -> Later | None:
    """What triggering tells of the last year, fitted before it, over the same background without any.

    Log-likelihood of the incidents of the last 12 months (the last quarter of a history below 4 years) less
    that under the background alone, raised to the level of the months fitted on; each incident seen from all
    before it. Interval by drawing months. None where either side has too little.
    """
    span = history.end - history.first
    cut = history.end - min(YEAR["day"], span // 4)
    known = history.before(cut)
    if known.total < ENOUGH or (history.end - cut) < FEWEST_LATER * 28:
        return None
    before, whole = method.problems(known)[0], method.problems(history)[0]
    found, lasting = fit_to(before)
    days = whole.all_days[whole.all_days >= cut]
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int)
    month -= month[0]
    weight = whole.observed.weight
    after = whole.observed.day >= cut
    counted = np.ones(int(after.sum())) if weight is None else weight[after]
    if counted.sum() < ENOUGH:
        return None
    steady, scale = _background(before, lasting, whole, after)
    excited = brought(whole.observed, whole.pairs, before.reach, found.kernel)[after]
    which = month[whole.observed.day[after] - cut]
    logs = np.bincount(which, counted * np.log((steady + excited) / (steady * scale)))
    level = float(lasting.weight.sum() / before.counted_days.sum())
    expected = np.bincount(month, whole.held[-len(days) :] * lasting.by_day(days)) * level
    gains = logs - (_triggered_by_month(whole, found.kernel, month, cut) - (scale - 1) * expected)
    return _pooled(gains, np.bincount(which, counted), method.seed)


def _background(
    before: Problem, lasting: Lasting, whole: Problem, after: np.ndarray
) -> tuple[np.ndarray, float]:
    """The fitted background at later incidents, and what raises it to all incidents it was fitted on."""
    smooth = before.ground.smooth(before.at, lasting.weight, lasting.relief)
    mass = float(smooth[before.ground.mask].sum()) * before.ground.step**2
    density = smooth.ravel()[whole.at[after]] * (lasting.weight.sum() / mass)
    rhythm = lasting.by_day(whole.observed.day[after])
    rate = np.maximum(density / before.counted_days.sum() * rhythm, 1e-15)
    return rate, 1 / share_of(before, lasting)


def _triggered_by_month(whole: Problem, kernel: Kernel, month: np.ndarray, cut: int) -> np.ndarray:
    """Incidents to be expected of earlier ones in each later month."""
    reach = whole.reach
    mass = np.diff(mass_until(kernel.omega, np.arange(reach.days + 1), reach.days))
    inside = whole.ground.inside(whole.at, kernel, reach.distance)
    out, ahead = np.zeros(month.max() + 1), cut - whole.first
    for one in range(len(out)):
        days = np.zeros(len(whole.held))
        days[ahead:] = month == one
        watched = whole.drawn(days).observed
        repeats, near = (watched.seen(share, reach.days, reach.end) @ mass for share in (None, inside))
        out[one] = kernel.repeat * repeats + kernel.near * near
    return out


def _pooled(gains: np.ndarray, incidents: np.ndarray, seed: int) -> Later:
    drawn = np.random.default_rng(seed).integers(len(gains), size=(REDRAWS, len(gains)))
    each = gains[drawn].sum(axis=1) / np.maximum(incidents[drawn].sum(axis=1), 1)
    low, high = np.quantile(each, [0.025, 0.975])
    total = float(incidents.sum())
    return Later(float(gains.sum() / total), float(low), float(high), len(gains), round(total))
