"""The choice of the RTMDx mode: an elastic net culls the candidates, a search by BIC picks from the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.explain.problem import Choice, Options, Problem
from peelian.explain.select import SCREENED, Culling, Search, cull, heffner_folds, stepwise

if TYPE_CHECKING:
    from peelian.explain.likelihood import Family

Array = Any


def choose(problem: Problem, counts: Array, options: Options, seed: int) -> Choice:
    """Cull the candidates, search from the rest with each family, keep the family with the lower BIC."""
    culling = culled(problem, counts, options, seed)
    kept = culling.kept
    families: tuple[Family, ...] = ("poisson", "nb1") if options.family == "auto" else (options.family,)
    searches: dict[Family, Search] = {}
    for family in families:
        found = stepwise(
            problem.columns[:, kept], problem.factor[kept], counts, family,
            exposure=problem.exposure, p_limit=options.p_limit, swap=options.swap,
            screen=None if problem.exposure is None else SCREENED,
        )  # fmt: skip
        path = tuple((step, bic, tuple(int(kept[j]) for j in columns)) for step, bic, columns in found.path)
        searches[family] = replace(found, chosen=tuple(int(kept[j]) for j in found.chosen), path=path)
    return Choice(culling, searches, min(searches, key=lambda name: searches[name].fit.bic))


def culled(problem: Problem, counts: Array, options: Options, seed: int) -> Culling:
    """What the elastic net keeps; of several culls with folds drawn anew what at least half of them keep,
    under the penalty of the first."""
    runs = []
    for repeat in range(options.cull_repeats):
        draw = [seed, 0, 1] if not repeat else [seed, 0, 1, repeat]
        fold = heffner_folds(counts, options.folds, np.random.default_rng(draw))
        runs.append(
            cull(
                problem.columns,
                counts,
                fold,
                exposure=problem.exposure,
                ratios=options.l1_ratio,
                standardise=options.standardise,
                rule=options.rule,
            )
        )
    if len(runs) == 1:
        return runs[0]
    votes = np.bincount(np.concatenate([run.kept for run in runs]), minlength=problem.columns.shape[1])
    return replace(runs[0], kept=np.flatnonzero(2 * votes >= len(runs)))
