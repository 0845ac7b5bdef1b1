"""From a chosen model to a Risk Terrain with every check beside every factor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from peelian import engine
from peelian.arithmetic.comparison import holm
from peelian.explain import inference
from peelian.explain.change import Basis
from peelian.explain.choosing import choose
from peelian.explain.extent import Extent
from peelian.explain.folds import tile_words, tiles_of
from peelian.explain.held_out import by_search
from peelian.explain.inference import Limits, Resample, Robust
from peelian.explain.leftover import capture_of, halves_of, inputs_of, left_over, print_out
from peelian.explain.likelihood import Cells, compress, fit, mean_of, variance_of
from peelian.explain.model import Progress, RiskTerrain
from peelian.explain.problem import AT_RANDOM, Choice, Options, Problem
from peelian.explain.select import design_of
from peelian.explain.shifted import ground_of
from peelian.explain.surface import uncertainty

Array = Any
BATCHES = 16
NOT_RUN = "not judged"
NO_INCIDENT = "no incident where it holds, so it has no estimate"


@dataclass(frozen=True, eq=False)
class Refit:
    """What the first half chose, refitted on the second: by factor (column, times, low, high); the share of
    second-half incidents in the top 5 % of places by that terrain and by first-half counts; and those three
    by place (None where a half has no incident)."""

    by_factor: dict[int, tuple[int, float, float, float]]
    capture: dict[str, float]
    by_place: pd.DataFrame | None = None


def judged(problem: Problem, choice: Choice, options: Options, progress: Progress | None) -> RiskTerrain:
    """The Risk Terrain: the surface of the chosen model, and every check of it."""
    limits = options.limits or Limits()
    design = design_of(problem.columns, choice.chosen)
    clusters = tiles_of(problem.places, problem.fitted, options.clusters)
    robust = inference.robust(choice.fit, design, problem.counts, clusters, exposure=problem.exposure)
    replicates = _bootstrap(problem, choice, options, clusters, progress)
    shifts = _shifts(problem, choice, options)
    refit = _refit(problem, choice, options) if options.refit != "none" else None
    terms = _terms(problem, choice, robust, replicates, shifts, refit, limits)
    factors = _factors(problem, choice, terms, replicates, shifts)
    whole, more = _whole(problem, choice, options, design, robust, refit)
    terrain = _terrain(problem, choice, terms, factors, whole, (*problem.warnings, *more))
    return replace(
        terrain,
        at=options.how.at if options.how else "centroid",
        uncertainty=_uncertainty(problem, replicates),
        basis=_basis(problem, choice, options, replicates),
        second_half=None if refit is None else refit.by_place,
        inputs=inputs_of(counts=problem.counts, candidates=problem.columns, exposure=problem.exposure),
        print_out=print_out(
            {family: search.fit for family, search in choice.searches.items()},
            {family: [problem.influence.meta["rtmdx"].iloc[j] for j in search.chosen]
             for family, search in choice.searches.items()},
        ),
    )  # fmt: skip


def _basis(
    problem: Problem, choice: Choice, options: Options, replicates: list[tuple[tuple[int, ...], Array]]
) -> Basis | None:
    """What the terrain is computed from; None where columns were given in the place of layers."""
    meta = problem.influence.meta
    if (meta["operation"] == "given").any():
        return None
    chosen = {
        meta.index[j]: float(b) for j, b in zip(choice.chosen, choice.fit.coefficients[1:], strict=False)
    }
    named = tuple((tuple(meta.index[list(columns)]), b[: len(columns) + 1]) for columns, b in replicates)
    return Basis(
        problem.influence.columns,
        meta,
        chosen,
        named,
        problem.observed.months,
        options.how,
    )


def _uncertainty(problem: Problem, replicates: list[tuple[tuple[int, ...], Array]]) -> pd.DataFrame:
    """By place in the fit: percentiles of times the average and P(top 5 %); empty without replicates."""
    if not replicates:
        return pd.DataFrame()
    size = Extent.of(problem.places, problem.whole_exposure).weights(problem.fitted)
    found = uncertainty(problem.columns, replicates, problem.exposure, size=size)
    at = problem.places.index[problem.fitted]
    return pd.DataFrame(found, index=at).reindex(problem.places.index)


# -------------------------------------------------------------------- resampled tiles
def _bootstrap(
    problem: Problem, choice: Choice, options: Options, clusters: Array, progress: Progress | None
) -> list[tuple[tuple[int, ...], Array]]:
    if not options.replicates:
        return []
    data = Resample(
        problem.columns, problem.factor, problem.counts, problem.exposure, clusters,
        choice.family, choice.culling, options.p_limit, problem.seed,
    )  # fmt: skip
    numbers = np.array_split(np.arange(options.replicates), min(BATCHES, options.replicates))
    batches = engine.run(
        inference.bootstrap, [(data, part) for part in numbers], workers=options.workers, progress=progress
    )
    return [found for batch in batches for found in batch]


def frequency_of(replicates: list[tuple[tuple[int, ...], Array]], factor: Array, number: int) -> float:
    """Share of replicates in which some column of a factor was chosen; NaN without replicates."""
    if not replicates:
        return float("nan")
    return float(np.mean([(factor[list(chosen)] == number).any() for chosen, _ in replicates]))


def again_as(
    replicates: list[tuple[tuple[int, ...], Array]], problem: Problem, column: int
) -> dict[str, float]:
    """Share of replicates that chose a column's factor by the same operation, and the very column."""
    if not replicates:
        return {"frequency_operation": float("nan"), "frequency_distance": float("nan")}
    operation = problem.influence.meta["operation"].to_numpy()
    alike = (problem.factor == problem.factor[column]) & (operation == operation[column])
    return {
        "frequency_operation": float(np.mean([alike[list(chosen)].any() for chosen, _ in replicates])),
        "frequency_distance": float(np.mean([column in chosen for chosen, _ in replicates])),
    }


def _given_selection(
    replicates: list[tuple[tuple[int, ...], Array]], problem: Problem, number: int
) -> tuple[float, float, float]:
    """Bagged times (1 where absent), and the 95 % percentile interval of times where chosen."""
    signs = problem.influence.meta["sign"].to_numpy()
    effects = []
    for chosen, coefficients in replicates:
        for at, j in enumerate(chosen):
            if problem.factor[j] == number:
                effects.append(signs[j] * coefficients[at + 1])
    if not effects:
        return (float("nan"),) * 3
    low, high = np.quantile(effects, [0.025, 0.975])
    return float(np.exp(np.sum(effects) / len(replicates))), float(np.exp(low)), float(np.exp(high))


# -------------------------------------------------------------------- shifted maps
def _shifts(problem: Problem, choice: Choice, options: Options) -> dict[int, tuple[float, float]]:
    """By factor: p of the shift test by itself, and given the other chosen factors."""
    if not options.shift:
        return {}
    ground = ground_of(problem.places, problem.fitted, problem.seed)
    counts = problem.counts.astype(float)
    level = counts.sum() / (len(counts) if problem.exposure is None else problem.exposure.sum())
    alone = np.full(len(counts), level) * (1.0 if problem.exposure is None else problem.exposure)
    found = {}
    for number in range(len(problem.factor_names)):
        columns = problem.columns[:, problem.factor == number]
        others = tuple(j for j in choice.chosen if problem.factor[j] != number)
        design = design_of(problem.columns, others)
        without = choice.fit if others == choice.chosen else fit(_cells(problem, design), choice.fit.family)
        mean = mean_of(without, design, problem.exposure)
        models = ((alone, alone), (mean, variance_of(without, mean)))
        by_itself, given_others = ground.test(columns, counts, models)
        found[number] = (by_itself, given_others)
    return found


def _cells(problem: Problem, design: Array, counts: Array | None = None) -> Cells:
    return compress(design, problem.counts if counts is None else counts, exposure=problem.exposure)


# -------------------------------------------------------------------- the second half
def _refit(problem: Problem, choice: Choice, options: Options) -> Refit:
    early, late = (np.asarray(half)[problem.fitted] for half in problem.observed.halves)
    if not early.sum() or not late.sum():
        return Refit({}, {})
    first = choose(problem, early, options, problem.seed)
    design = design_of(problem.columns, first.chosen)
    if problem.observed.halves_are == AT_RANDOM:  # no later time: places must be elsewhere at least
        ranked = by_search(
            problem, early, first, options, tiles_of(problem.places, problem.fitted, options.clusters)
        )
    else:
        ranked = mean_of(first.fit, design, problem.exposure)
    size = Extent.of(problem.places, problem.whole_exposure).weights(problem.fitted)
    by_place = halves_of(problem.places, problem.fitted, ranked, early, late, size)
    capture = capture_of(by_place)
    if not first.chosen:
        return Refit({}, capture, by_place)
    second = fit(_cells(problem, design, late), choice.fit.family)
    signs = problem.influence.meta["sign"].to_numpy()
    by_factor: dict[int, tuple[int, float, float, float]] = {}
    for at, j in enumerate(first.chosen, start=1):
        b, se = signs[j] * second.coefficients[at], second.standard_errors[at]
        middle, low, high = (float(np.exp(b + k * se)) for k in (0, -1.959964, 1.959964))
        by_factor[int(problem.factor[j])] = (j, middle, low, high)
    return Refit(by_factor, capture, by_place)


# -------------------------------------------------------------------- tables
def _terms(
    problem: Problem, choice: Choice, robust: Robust,
    replicates: list[tuple[tuple[int, ...], Array]], shifts: dict[int, tuple[float, float]],
    refit: Refit | None, limits: Limits,
) -> pd.DataFrame:  # fmt: skip
    meta, nan = problem.influence.meta, float("nan")
    rows = []
    for at, j in enumerate(choice.chosen, start=1):
        about, number = meta.iloc[j], int(problem.factor[j])
        b, se = choice.fit.coefficients[at], choice.fit.standard_errors[at]
        sign = int(about["sign"])
        bagged, boot_low, boot_high = _given_selection(replicates, problem, number)
        marginal, conditional = shifts.get(number, (nan, nan))
        again = refit.by_factor.get(number) if refit else None
        low, high = _turned(robust.interval(at), sign)
        frequency = frequency_of(replicates, problem.factor, number)
        ends = again[2:] if again else (nan, nan)
        word, reason = inference.verdict(frequency, conditional, (low, high), ends, limits)
        if not replicates or not shifts or refit is None:
            word, reason = NOT_RUN, "not every check was run"
        model = _turned((float(np.exp(b - 1.959964 * se)), float(np.exp(b + 1.959964 * se))), sign)
        rows.append({
            "factor": about["factor"], "variable": meta.index[j], "rtmdx": about["rtmdx"],
            "operation": about["operation"], "distance": about["distance"], "sign": sign,
            "coefficient": b, "standard_error": se, "rrv": float(np.exp(b)), "p": choice.fit.p[at],
            "times": float(np.exp(sign * b)), "low": model[0], "high": model[1],
            "robust_se": robust.standard_errors[at], "robust_low": low, "robust_high": high,
            "robust_p": robust.p(at), "frequency": frequency, **again_as(replicates, problem, j),
            "bagged": bagged, "boot_low": boot_low, "boot_high": boot_high,
            "shift_p": conditional, "shift_p_alone": marginal,
            "refit_variable": meta.index[again[0]] if again else "",
            "refit_times": again[1] if again else nan,
            "refit_low": ends[0], "refit_high": ends[1], "verdict": word, "reason": reason,
            "note": problem.notes.get(about["factor"], ""),
        })  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(rows[0]) if rows else _TERM_COLUMNS)
    frame.insert(frame.columns.get_loc("shift_p_alone"), "shift_p_holm", holm(frame["shift_p"]))
    return frame


_TERM_COLUMNS = [
    "factor", "variable", "rtmdx", "operation", "distance", "sign", "coefficient", "standard_error", "rrv",
    "p", "times", "low", "high", "robust_se", "robust_low", "robust_high", "robust_p", "frequency",
    "frequency_operation", "frequency_distance", "bagged", "boot_low", "boot_high", "shift_p",
    "shift_p_alone", "refit_variable", "refit_times", "refit_low", "refit_high", "verdict", "reason", "note",
]  # fmt: skip


def _turned(interval: tuple[float, float], sign: int) -> tuple[float, float]:
    """The interval of the effect of being near: turned over for protective columns."""
    return interval if sign > 0 else (1 / interval[1], 1 / interval[0])


def _factors(
    problem: Problem, choice: Choice, terms: pd.DataFrame,
    replicates: list[tuple[tuple[int, ...], Array]], shifts: dict[int, tuple[float, float]],
) -> pd.DataFrame:  # fmt: skip
    by_factor = terms.set_index("factor")
    rows = []
    for number, name in enumerate(problem.factor_names):
        held = by_factor.loc[name] if name in by_factor.index else None
        rows.append({
            "factor": name,
            "candidates": int((problem.factor == number).sum()),
            "kept": int((problem.factor[choice.culling.kept] == number).sum()),
            "chosen": held["variable"] if held is not None else "",
            "frequency": frequency_of(replicates, problem.factor, number),
            "shift_p": shifts.get(number, (np.nan, np.nan))[1],
            "shift_p_alone": shifts.get(number, (np.nan, np.nan))[0],
            "verdict": held["verdict"] if held is not None else "do not report",
            "reason": held["reason"] if held is not None else "not chosen by the search",
        })  # fmt: skip
    return pd.DataFrame(rows)


# -------------------------------------------------------------------- the model as a whole
def _whole(
    problem: Problem, choice: Choice, options: Options, design: Array, robust: Robust, refit: Refit | None
) -> tuple[dict[str, Any], list[str]]:
    """Figures on the whole model, and the warnings that follow from them."""
    found: dict[str, Any] = {
        "tiles": robust.clusters, "tile_words": tile_words(options.clusters),
        "replicates": options.replicates, "halves": problem.observed.halves_are,
        "capture": refit.capture if refit else {},
    }  # fmt: skip
    words = []
    if robust.clusters < 30:
        words.append(
            f"Only {robust.clusters} tiles {tile_words(options.clusters)}: intervals by tile are themselves "
            "unsure "
            "below 30."
        )
    if not options.permutations:
        return found, words
    mean = mean_of(choice.fit, design, problem.exposure)
    more, said = left_over(
        problem.places, problem.fitted, problem.counts, choice.fit, mean, options.permutations, problem.seed
    )
    return found | more, words + said


def _terrain(
    problem: Problem, choice: Choice, terms: pd.DataFrame, factors: pd.DataFrame, whole: dict[str, Any],
    warnings: tuple[str, ...],
) -> RiskTerrain:  # fmt: skip
    index, meta = problem.places.index, problem.influence.meta
    rate = np.exp(design_of(problem.influence.columns.to_numpy(), choice.chosen) @ choice.fit.coefficients)
    at_risk = np.ones(len(index)) if problem.whole_exposure is None else problem.whole_exposure.to_numpy()
    average = (at_risk * rate)[problem.fitted].sum() / at_risk[problem.fitted].sum()
    expected = pd.Series(np.where(problem.fitted, at_risk * rate, np.nan), index)
    months = problem.observed.months
    years = ((months[1] - months[0]).n + 1) / 12 if months else 1.0
    chosen = [meta.index[j] for j in choice.chosen]
    words = {
        name: words_of(meta.loc[name, "factor"], *meta.loc[name, ["operation", "distance", "cut"]])
        for name in chosen
    }
    return RiskTerrain(
        crime=problem.crime, family=choice.family, risk=(expected / years).rename("risk"),
        relative_risk=pd.Series(rate / rate[problem.fitted].min(), index, name="relative_risk"),
        times_average=pd.Series(rate / average, index, name="times_average"),
        expected=expected.rename("expected"), counts=problem.observed.counts,
        influences=problem.influence.columns[chosen], words=words, terms=terms, factors=factors,
        inference=whole, path=_path(choice, meta), culling=pd.DataFrame(list(choice.culling.table)),
        information_criteria=_criteria(choice), dropped=_with_empty(problem),
        accounting=problem.observed.accounting, warnings=warnings, fitted_on=months, seed=problem.seed,
        intercept=float(choice.fit.coefficients[0]), extent=Extent.of(problem.places, problem.whole_exposure),
    )  # fmt: skip


def _with_empty(problem: Problem) -> pd.DataFrame:
    """Candidates left out, and those that the search passes over because no incident lies where they hold."""
    meta = problem.influence.meta
    none = ((problem.columns != 0) & (problem.counts > 0)[:, None]).sum(axis=0) == 0
    rows = pd.DataFrame({"name": meta.index[none], "factor": meta["factor"][none], "reason": NO_INCIDENT})
    return pd.concat([problem.influence.dropped, rows], ignore_index=True)


def words_of(factor: str, operation: str, distance: float, cut: float = float("nan")) -> str:
    """What a variable says of a place.

    >>> words_of("bus_stop", "proximity", 200.0)
    'within 200 m of the nearest bus stop'
    >>> words_of("pub", "density", 400.0)
    'where pub features are dense (within 400 m)'
    """
    label = factor.replace("_", " ")
    if operation == "proximity":
        return f"within {distance:g} m of the nearest {label}"
    if operation == "density":
        return f"where {label} features are dense (within {distance:g} m)"
    if operation == "value":
        return f"where {label} is above {cut:g}"
    return f"where {label} holds"


def _path(choice: Choice, meta: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {"family": family, "step": step, "bic": bic, "variables": ", ".join(meta.index[list(columns)])}
        for family, search in choice.searches.items()
        for step, bic, columns in search.path
    ]
    return pd.DataFrame(rows)


def _criteria(choice: Choice) -> pd.DataFrame:
    rows = [
        {"family": family, "bic": s.fit.bic, "aic": s.fit.aic, "log_likelihood": s.fit.log_likelihood,
         "parameters": s.fit.parameters, "dispersion": s.fit.dispersion, "models_fitted": s.fits}
        for family, s in choice.searches.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)
