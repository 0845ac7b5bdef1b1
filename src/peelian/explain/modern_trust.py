"""From the modern model to a Risk Terrain with every check beside every factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from peelian.arithmetic.comparison import holm
from peelian.explain import inference
from peelian.explain.curves import Replicate, again_as, bootstrap, curve_frame, ends, frequency, reaches
from peelian.explain.extent import Extent
from peelian.explain.folds import tile_words, tiles_of
from peelian.explain.held_out import by_bands
from peelian.explain.inference import Limits
from peelian.explain.leftover import capture_of, halves_of, inputs_of, left_over, print_out
from peelian.explain.likelihood import scores_of
from peelian.explain.model import Progress, RiskTerrain
from peelian.explain.modern import (
    KEPT,
    Bearing,
    Chosen,
    Options,
    Posed,
    Unpenalised,
    bearings,
    choose,
    expected,
    moments,
    relaxed,
    unpenalised,
)
from peelian.explain.modern_surface import bands_of, basis_of, uncertainty_of
from peelian.explain.monotone import Path
from peelian.explain.problem import AT_RANDOM
from peelian.explain.shifted import Scattered, Window, ground_of
from peelian.explain.trust import NOT_RUN, words_of

if TYPE_CHECKING:
    from peelian.explain.decay import Measure

Array = Any
Interval = tuple[float, float, float]
NAN3 = (float("nan"),) * 3


@dataclass(frozen=True, eq=False)
class Held:
    """The fitted model with its checks, on the way to the terrain."""

    posed: Posed
    options: Options
    chosen: Chosen
    where: list[Bearing]
    after: Unpenalised
    covariance: Array
    clusters: int
    replicates: list[Replicate]
    shifts: dict[int, tuple[float, float]]
    refit: dict[int, tuple[str, Interval]] | None
    second_half: pd.DataFrame | None

    @property
    def b(self) -> Array:
        """Unpenalised coefficients by column."""
        return self.after.whole(self.posed.nested.size, self.posed.free.shape[1])


def judged(posed: Posed, options: Options, progress: Progress | None) -> RiskTerrain:
    """The Risk Terrain: the surface of the penalised model, and every check of it."""
    from peelian.explain.sensitivity import variants, without_homes

    chosen = choose(posed, posed.counts, options)
    where = bearings(posed, chosen.state)
    after = unpenalised(posed, posed.counts, chosen.kept, options)
    tile = tiles_of(posed.places, posed.fitted, options.clusters)
    covariance, clusters = clustered(posed, posed.counts, after, tile)
    replicates = [] if options.quick else bootstrap(posed, chosen, options, tile, progress)
    ground = ground_of(posed.places, posed.fitted, posed.seed) if options.shift else None
    shifts = {} if ground is None else shift_tests(posed, chosen, after, ground)
    refit, second = _refit(posed, chosen, options) if options.refit != "none" else (None, None)
    held = Held(posed, options, chosen, where, after, covariance, clusters, replicates, shifts, refit, second)
    terms = _terms(held)
    table = variants(held) if options.sensitivity and not options.quick and where else pd.DataFrame()
    whole, words = _whole(held)
    if ground is not None:
        whole["shifts"] = ground.steps
        words += _too_few_shifts(held, whole["shifts"])
    words = [*posed.warnings, *words]
    if posed.whole_exposure is not None:
        words.append(without_homes(posed, chosen, options))
    return _terrain(held, terms, table, whole, tuple(words))


# -------------------------------------------------------------------- intervals by tile
def clustered(posed: Posed, counts: Array, after: Unpenalised, tile: Array) -> tuple[Array, int]:
    """Covariance of the coefficients that allows for cells of one tile being alike, and how many tiles."""
    scores = scores_of(after.fit, after.design, counts, posed.exposure)
    number = int(tile.max()) + 1
    sums = np.zeros((number, scores.shape[1]))
    np.add.at(sums, tile, scores)
    bread = after.fit.covariance
    meat = sums.T @ sums * (number / max(number - 1, 1))
    size = len(after.fit.coefficients)
    return (bread @ meat @ bread)[:size, :size], number


def contrast(bearing: Bearing, after: Unpenalised, free: int) -> Array:
    """The weights of the coefficients in the log relative risk where a factor bears."""
    return np.concatenate([np.zeros(free), bearing.contrast[after.columns]])


def _interval(centre: float, error: float, clusters: int) -> Interval:
    reach = stdtrit(max(clusters - 1, 1), 0.975) * error
    return float(np.exp(centre)), float(np.exp(centre - reach)), float(np.exp(centre + reach))


def _p(centre: float, error: float, freedom: int) -> float:
    """Two-sided p of no difference."""
    return float(2 * stdtr(max(freedom, 1), -abs(centre / error))) if error > 0 else float("nan")


# -------------------------------------------------------------------- shifted maps
def shift_tests(
    posed: Posed, chosen: Chosen, after: Unpenalised, ground: Window | Scattered
) -> dict[int, tuple[float, float]]:
    """By factor: p of the shift test by itself, and given the other factors, homes and adjustment."""
    alone = posed.counts.sum() / posed.exposure.sum() * posed.exposure
    factor, found = posed.factor, {}
    for number in range(len(posed.decay.factor_names)):
        columns = posed.nested.take(np.flatnonzero(factor == number))
        others = chosen.kept[factor[chosen.kept] != number]
        state = relaxed(
            posed.nested, posed.free, posed.counts, posed.exposure, others, chosen.state, tolerance=1e-5
        )
        mean = expected(state, posed.nested, posed.free, posed.exposure)
        spread = 1 + after.fit.dispersion * (mean if after.fit.family == "nb2" else 1.0)
        models = ((alone, alone), (mean, mean * spread))
        by_itself, given_others = ground.test(columns, posed.counts, models)
        found[number] = (by_itself, given_others)
    return found


# -------------------------------------------------------------------- the second half
def _refit(
    posed: Posed, chosen: Chosen, options: Options
) -> tuple[dict[int, tuple[str, Interval]], pd.DataFrame | None]:
    """What the first half keeps, refitted on the second: by factor where it bears and times with interval;
    and by place that terrain with the counts of both halves.

    The penalty is that of the whole period times the first half's share of incidents: as strict for an
    effect of one size.
    """
    tile = tiles_of(posed.places, posed.fitted, options.clusters)
    early, late = (np.asarray(half, float)[posed.fitted] for half in posed.observed.halves)
    if not early.sum() or not late.sum():
        return {}, None
    path = Path(posed.nested, posed.free, early, posed.exposure, ratio=options.l1_ratio, tolerance=1e-5)
    first = path.at(chosen.penalty * early.sum() / posed.counts.sum())
    if posed.observed.halves_are == AT_RANDOM:  # no later time: places must be elsewhere at least
        ranked = by_bands(posed, early, chosen, options, tile)
    else:
        ranked = expected(first, posed.nested, posed.free, posed.exposure)
    size = Extent.of(posed.places, posed.whole_exposure).weights(posed.fitted)
    by_place = halves_of(posed.places, posed.fitted, ranked, early, late, size)
    second = unpenalised(posed, late, np.flatnonzero(first.b > KEPT), options)
    covariance, clusters = clustered(posed, late, second, tile)
    free = posed.free.shape[1]
    found = {}
    for bearing in bearings(posed, first):
        weight = contrast(bearing, second, free)
        error = float(np.sqrt(max(weight @ covariance @ weight, 0.0)))
        times = _interval(float(weight @ second.fit.coefficients), error, clusters)
        label = variable(posed.decay.measures[bearing.measure], bearing.band)
        found[bearing.number] = (label, times if error > 0 else NAN3)
    return found, by_place


# -------------------------------------------------------------------- tables
def variable(measure: Measure, band: int) -> str:
    """The name of where a factor bears."""
    return measure.name(band)


def said(measure: Measure, band: int) -> str:
    """Where a factor bears, in words."""
    if measure.operation == "density":
        assert measure.shares is not None
        label = measure.factor.replace("_", " ")
        return (
            f"in the {100 * (1 - measure.shares[band]):g} % of places where {label} features lie thickest "
            f"(within {measure.bandwidth:g} m)"
        )
    limit = float(measure.cuts[band])
    return words_of(measure.factor, measure.operation, limit, limit)


def _terms(held: Held) -> pd.DataFrame:
    rows = [_term(held, bearing) for bearing in held.where]
    frame = pd.DataFrame(rows, columns=list(rows[0]) if rows else _COLUMNS)
    if rows and held.shifts:
        every = holm(np.array([held.shifts[k][1] for k in sorted(held.shifts)]))
        frame["shift_p_holm"] = [every[sorted(held.shifts).index(b.number)] for b in held.where]
    return _with_verdicts(frame, held)


def _term(held: Held, bearing: Bearing) -> dict[str, Any]:
    posed, number = held.posed, bearing.number
    measure = posed.decay.measures[bearing.measure]
    weight = contrast(bearing, held.after, posed.free.shape[1])
    centre = float(weight @ held.after.fit.coefficients)
    size = len(held.after.fit.coefficients)
    own = float(np.sqrt(max(weight @ held.after.fit.covariance[:size, :size] @ weight, 0.0)))
    error = float(np.sqrt(max(weight @ held.covariance @ weight, 0.0)))
    times, low, high = _interval(centre, own, 10**6)
    _, robust_low, robust_high = _interval(centre, error, held.clusters)
    drawn = [
        bearing.log_risk(found.whole(posed.nested.size, penalised=False))
        for found in held.replicates
        if (posed.factor[found.columns] == number).any()
    ]
    boot = np.exp(np.quantile(drawn, ends(held.clusters))) if drawn else (np.nan, np.nan)
    again = (held.refit or {}).get(number, ("", NAN3))
    reach, reach_low, reach_high = reaches(
        posed, held.chosen, held.replicates, number, held.options.reach_ratio, held.clusters
    )
    shift = held.shifts.get(number, (np.nan, np.nan))
    return {
        "factor": measure.factor, "variable": variable(measure, bearing.band),
        "rtmdx": variable(measure, bearing.band), "operation": measure.operation,
        "distance": measure.distance(bearing.band),
        "sign": measure.sign, "coefficient": measure.sign * centre, "standard_error": own,
        "rrv": float(np.exp(measure.sign * centre)),
        "p": _p(centre, own, 10**6),
        "times": times, "low": low, "high": high,
        "penalised_times": float(np.exp(bearing.log_risk(held.chosen.state.b))),
        "robust_se": error, "robust_low": robust_low, "robust_high": robust_high,
        "robust_p": _p(centre, error, held.clusters - 1),
        "frequency": frequency(held.replicates, posed.factor, number),
        **again_as(held.replicates, posed, bearing),
        "bagged": float(np.exp(np.sum(drawn) / len(held.replicates))) if held.replicates else np.nan,
        "boot_low": float(boot[0]), "boot_high": float(boot[1]),
        "shift_p": shift[1], "shift_p_holm": np.nan, "shift_p_alone": shift[0],
        "reach": reach, "reach_low": reach_low, "reach_high": reach_high,
        "refit_variable": again[0], "refit_times": again[1][0], "refit_low": again[1][1],
        "refit_high": again[1][2], "note": posed.notes.get(measure.factor, ""),
    }  # fmt: skip


_COLUMNS = [
    "factor", "variable", "rtmdx", "operation", "distance", "sign", "coefficient", "standard_error", "rrv",
    "p", "times", "low", "high", "penalised_times", "robust_se", "robust_low", "robust_high", "robust_p",
    "frequency", "frequency_operation", "frequency_distance", "bagged", "boot_low", "boot_high", "shift_p",
    "shift_p_holm", "shift_p_alone", "reach", "reach_low", "reach_high", "refit_variable", "refit_times",
    "refit_low", "refit_high", "note",
]  # fmt: skip


def _with_verdicts(frame: pd.DataFrame, held: Held) -> pd.DataFrame:
    limits = held.options.limits or Limits(holm=True)
    words, reasons = [], []
    for row in frame.itertuples():
        word, reason = inference.verdict(
            row.frequency, row.shift_p_holm if limits.holm else row.shift_p,
            (row.robust_low, row.robust_high), (row.refit_low, row.refit_high), limits,
        )  # fmt: skip
        if not held.replicates or not held.shifts or held.refit is None:
            word, reason = NOT_RUN, "not every check was run"
        words.append(word)
        reasons.append(reason)
    return frame.assign(verdict=words, reason=reasons)


def _factors(held: Held, terms: pd.DataFrame) -> pd.DataFrame:
    posed, by_factor = held.posed, terms.set_index("factor")
    kept = posed.factor[held.chosen.kept]
    rows = []
    for number, name in enumerate(posed.decay.factor_names):
        row = by_factor.loc[name] if name in by_factor.index else None
        shift = held.shifts.get(number, (np.nan, np.nan))
        rows.append({
            "factor": name, "candidates": int((posed.factor == number).sum()),
            "kept": int((kept == number).sum()), "chosen": "" if row is None else row["variable"],
            "frequency": frequency(held.replicates, posed.factor, number), "shift_p": shift[1],
            "shift_p_alone": shift[0],
            "verdict": "do not report" if row is None else row["verdict"],
            "reason": "the model keeps none of its bands" if row is None else row["reason"],
        })  # fmt: skip
    return pd.DataFrame(rows)


# -------------------------------------------------------------------- the model as a whole
def _whole(held: Held) -> tuple[dict[str, Any], list[str]]:
    options, posed = held.options, held.posed
    found: dict[str, Any] = {
        "tiles": held.clusters, "tile_words": tile_words(options.clusters),
        "replicates": len(held.replicates), "halves": posed.observed.halves_are,
        "capture": {} if held.second_half is None else capture_of(held.second_half),
        "folds": posed.folds.words,
        "rule": options.rule, "penalty": held.chosen.penalty, "deviance": held.chosen.deviances,
        "reach_limit": options.reach_limit, "adjusted_for": posed.free_names, "quick": options.quick,
    }  # fmt: skip
    words = []
    if held.clusters < 30:
        words.append(
            f"Only {held.clusters} tiles {tile_words(options.clusters)}: intervals by tile are themselves "
            "unsure below 30."
        )
    if not held.after.fit.converged:
        words.append("The fit without a penalty did not settle: read the penalised curves, not the table.")
    if options.permutations:
        mean, _ = moments(held.after.fit, held.after.design, posed.exposure)
        more, said_more = left_over(
            posed.places, posed.fitted, posed.counts, held.after.fit, mean, options.permutations, posed.seed
        )
        return found | more, words + said_more
    return found, words


def _too_few_shifts(held: Held, shifts: int) -> list[str]:
    """A warning where the adjusted p of the shift test cannot be small enough, whatever the data say."""
    limits, number = held.options.limits or Limits(holm=True), len(held.posed.decay.factor_names)
    least = number / shifts
    if not limits.holm or least <= limits.shift_p:
        return []
    return [
        f"Maps can be moved to {shifts:,} positions only, so with {number} factors the adjusted p of the "
        f"shift test cannot come below {least:.2f}: no factor can be reported. Use smaller cells, a larger "
        "area or fewer factors; or holm = false, which asks about each factor by itself."
    ]


def _terrain(
    held: Held, terms: pd.DataFrame, sensitivity: pd.DataFrame, whole: dict[str, Any], words: tuple[str, ...]
) -> RiskTerrain:
    posed, chosen = held.posed, held.chosen
    index, months = posed.places.index, posed.observed.months
    every = posed.decay.nested(slice(None))
    log_rate = chosen.state.free[0] + every.effect(chosen.state.b)
    log_rate[posed.fitted] += posed.free[:, 1:] @ chosen.state.free[1:]
    rate = np.exp(log_rate)
    at_risk = np.ones(len(index)) if posed.whole_exposure is None else posed.whole_exposure.to_numpy()
    average = (at_risk * rate)[posed.fitted].sum() / at_risk[posed.fitted].sum()
    expected_by_place = pd.Series(np.where(posed.fitted, at_risk * rate, np.nan), index)
    years = ((months[1] - months[0]).n + 1) / 12 if months else 1.0
    named = {variable(posed.decay.measures[b.measure], b.band): b for b in held.where}
    influences = {
        name: every.inside(b.measure, b.band) * posed.decay.measures[b.measure].sign
        for name, b in named.items()
    }
    return RiskTerrain(
        crime=posed.crime, family=held.after.fit.family, risk=(expected_by_place / years).rename("risk"),
        relative_risk=pd.Series(rate / rate[posed.fitted].min(), index, name="relative_risk"),
        times_average=pd.Series(rate / average, index, name="times_average"),
        expected=expected_by_place.rename("expected"), counts=posed.observed.counts,
        influences=pd.DataFrame(influences, index=index).astype(float if posed.decay.shares else np.int8),
        words={name: said(posed.decay.measures[b.measure], b.band) for name, b in named.items()},
        terms=terms, factors=_factors(held, terms), inference=whole,
        path=pd.DataFrame(chosen.table, columns=["penalty", "deviance", "standard_error"]),
        culling=pd.DataFrame([{"penalty": chosen.penalty, "kept": len(chosen.kept)} | chosen.deviances]),
        information_criteria=_criteria(held), dropped=posed.decay.dropped,
        accounting=posed.observed.accounting, warnings=words, fitted_on=months, seed=posed.seed,
        intercept=float(chosen.state.free[0]), mode="modern", uncertainty=uncertainty_of(held),
        extent=Extent.of(posed.places, posed.whole_exposure), at="area" if posed.decay.shares else "centroid",
        basis=basis_of(held), bands=bands_of(held), sensitivity=sensitivity,
        curves=curve_frame(posed, chosen, held.b, held.where, held.replicates, held.options.reach_limit,
            held.clusters,
        ),
        second_half=held.second_half,
        inputs=inputs_of(counts=posed.counts, candidates=posed.decay.levels, exposure=posed.exposure),
        print_out=print_out(
            held.after.families,
            dict.fromkeys(held.after.families, _printed(posed, held.after.columns)),
        ),
    )  # fmt: skip


def _printed(posed: Posed, columns: Array) -> list[str]:
    """The names of adjustment and bands in the order of the coefficients."""
    return [*posed.free_names, *(m.name(at) for m, at in map(posed.decay.band, columns))]


def _criteria(held: Held) -> pd.DataFrame:
    rows = [
        {"family": family, "bic": f.bic, "aic": f.aic, "log_likelihood": f.log_likelihood,
         "parameters": f.parameters, "dispersion": f.dispersion, "models_fitted": 1}
        for family, f in held.after.families.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)
