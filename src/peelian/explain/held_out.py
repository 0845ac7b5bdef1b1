"""The terrain of places that did not fit it: whole tiles left out in turn, where no later time is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.explain.folds import dealt

if TYPE_CHECKING:
    from peelian.explain.modern import Chosen, Posed
    from peelian.explain.modern import Options as ModernOptions
    from peelian.explain.problem import Choice, Options, Problem

Array = Any
FOLDS = 5


def by_search(problem: Problem, counts: Array, first: Choice, options: Options, tile: Array) -> Array:
    """Expected counts of each place by the searches of all other tiles, culled at the penalty of the whole.

    ``counts``  of the places in the fit; ``first`` what was chosen on all of them; ``tile`` the number of the
    tile of each.
    """
    from peelian.explain.groups import Data, Groups
    from peelian.explain.likelihood import mean_of
    from peelian.explain.select import SCREENED_AGAIN, design_of, recull, stepwise

    cells = Data.of(problem.columns, counts, mass=problem.exposure)
    together = Groups.of(cells, first.culling.kept.tolist())

    def predicted(train: Array, out: Array) -> Array:
        weights = train.astype(float)
        kept = recull(cells, first.culling, together, weights=weights)
        found = stepwise(
            problem.columns[:, kept], problem.factor[kept], counts, first.family, exposure=problem.exposure,
            weights=weights, p_limit=options.p_limit, screen=SCREENED_AGAIN,
        )  # fmt: skip
        design = design_of(problem.columns[out], tuple(int(kept[j]) for j in found.chosen))
        return mean_of(found.fit, design, None if problem.exposure is None else problem.exposure[out])

    return _in_turn(counts, tile, predicted)


def by_bands(posed: Posed, counts: Array, chosen: Chosen, options: ModernOptions, tile: Array) -> Array:
    """Expected counts of each place by the bands that all other tiles keep at the penalty of the whole, as
    strict for an effect of one size."""
    from peelian.explain.modern import expected
    from peelian.explain.monotone import Path

    def predicted(train: Array, out: Array) -> Array:
        path = Path(
            posed.nested.rows(train), posed.free[train], counts[train], posed.exposure[train],
            ratio=options.l1_ratio, tolerance=1e-5,
        )  # fmt: skip
        level = counts[train].sum() / max(train.sum(), 1) / (posed.counts.sum() / len(posed.counts))
        state = path.at(chosen.penalty * level)
        return expected(state, posed.nested.rows(out), posed.free[out], posed.exposure[out])

    return _in_turn(counts, tile, predicted)


def _in_turn(counts: Array, tile: Array, predicted: Callable[[Array, Array], Array]) -> Array:
    """Each fold of whole tiles by the others; fewer folds where there are fewer tiles with incidents."""
    held = len(np.unique(tile[counts > 0]))
    fold = dealt(tile, counts, max(2, min(FOLDS, held)))
    found = np.full(len(counts), np.nan)
    for f in np.unique(fold):
        out = fold == f
        found[out] = predicted(~out, out)
    return found
