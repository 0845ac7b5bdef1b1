"""What the modern model's answer depends on: the same factors under other choices, printed, not hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from peelian.explain.extent import Extent
from peelian.explain.folds import tiles_of
from peelian.explain.modern import (
    Bearing,
    Chosen,
    Options,
    Posed,
    bearings,
    count_fit,
    expected,
    measured,
    relaxed,
)
from peelian.explain.monotone import Path, State
from peelian.explain.terrain import in_top

if TYPE_CHECKING:
    from peelian.explain.likelihood import Family
    from peelian.explain.modern_trust import Held

Array = Any


def variants(held: Held) -> pd.DataFrame:
    """Times as frequent where each factor bears, under each choice: one row a factor, one column a choice.

    ``as fitted``; ``tile intercepts``: every tile has a level of its own, pulled to the common one;
    ``without the strongest``; ``half the reach``; ``steps twice as wide``: bands and bandwidths, absent where
    columns were given; ``Poisson``, ``NB1`` or ``NB2`` instead. Missing where a factor is not kept.
    """
    posed, chosen, options = held.posed, held.chosen, held.options
    base = {b.number: held_times(b, held.b) for b in held.where}
    found: dict[str, dict[int, float]] = {"as fitted": base}
    found["tile intercepts"] = _with_tiles(held)
    strongest = max(base, key=lambda number: abs(np.log(base[number])))
    found["without the strongest"] = _again(posed, chosen, options, posed.factor != strongest, held.where)
    short = np.ones(posed.nested.size, bool)
    for column in range(posed.nested.size):
        measure, at = posed.decay.band(column)
        short[column] = not (measure.operation == "proximity" and measure.cuts[at] > options.reach_limit / 2)
    found["half the reach"] = _again(posed, chosen, options, short, held.where)
    if posed.layers is not None:
        found["steps twice as wide"] = _coarser(posed, chosen, options)
    other: Family = "poisson" if held.after.fit.family != "poisson" else "nb1"
    swapped = count_fit(posed, held.after.design, posed.counts, other)
    b = replace(held.after, fit=swapped).whole(posed.nested.size, posed.free.shape[1])
    named = {"poisson": "Poisson", "nb1": "NB1", "nb2": "NB2"}
    found[f"{named[other]} instead of {named[held.after.fit.family]}"] = {
        bearing.number: held_times(bearing, b) for bearing in held.where
    }
    names = [posed.decay.factor_names[b.number] for b in held.where]
    table = {key: [values.get(b.number, np.nan) for b in held.where] for key, values in found.items()}
    return pd.DataFrame({"factor": names} | table)


def held_times(bearing: Bearing, b: Array) -> float:
    """Times as frequent where a factor bears."""
    return float(np.exp(bearing.log_risk(b)))


def _with_tiles(held: Held) -> dict[int, float]:
    """The kept bands with an intercept for each tile, pulled to zero by how much tiles differ."""
    posed, chosen = held.posed, held.chosen
    tile = tiles_of(posed.places, posed.fitted, held.options.clusters)
    mean = expected(chosen.state, posed.nested, posed.free, posed.exposure)
    events, level = np.bincount(tile, posed.counts), np.bincount(tile, mean)
    chance = (1 + held.after.fit.dispersion) / level
    # weighted by the level: small tiles say little about how much tiles differ
    between = float((level * ((events / level - 1) ** 2 - chance)).sum() / level.sum())
    if between <= 1e-6:
        return {b.number: held_times(b, held.b) for b in held.where}
    each = np.eye(len(level))[tile]
    free = np.column_stack([posed.free, each])
    pull = (1 + held.after.fit.dispersion) / between
    ridge = np.concatenate([np.zeros(posed.free.shape[1]), np.full(len(level), pull)])
    state = relaxed(
        posed.nested, free, posed.counts, posed.exposure, chosen.kept, chosen.state, ridge=ridge,
        tolerance=1e-5,
    )  # fmt: skip
    return {b.number: held_times(b, state.b) for b in held.where if b.log_risk(state.b) != 0}


def _again(
    posed: Posed, chosen: Chosen, options: Options, allowed: Array, where: list[Bearing]
) -> dict[int, float]:
    """The model at the same penalty with only some columns allowed, then without the penalty."""
    path = Path(
        posed.nested, posed.free, posed.counts, posed.exposure, ratio=options.l1_ratio, allowed=allowed,
        tolerance=1e-5,
    )  # fmt: skip
    path.begin(State(path.state.free, np.where(allowed, chosen.state.b, 0.0)))
    state = path.at(chosen.penalty)
    kept = np.flatnonzero(state.b > 0)
    loose = relaxed(posed.nested, posed.free, posed.counts, posed.exposure, kept, state, tolerance=1e-5)
    return {b.number: held_times(b, loose.b) for b in where if b.log_risk(loose.b) != 0}


def _coarser(posed: Posed, chosen: Chosen, options: Options) -> dict[int, float]:
    """The model with steps and bandwidths twice as wide, each factor where it then bears."""
    assert posed.layers is not None
    wide = measured(
        posed.layers, posed.places, options, posed.fitted, posed.observed, posed.snapped, coarser=2
    )
    other = replace(posed, decay=wide, nested=wide.nested(posed.fitted))
    path = Path(
        other.nested, posed.free, posed.counts, posed.exposure, ratio=options.l1_ratio, tolerance=1e-5
    )
    state = path.at(chosen.penalty)
    kept = np.flatnonzero(state.b > 0)
    loose = relaxed(other.nested, posed.free, posed.counts, posed.exposure, kept, state, tolerance=1e-5)
    number = {name: k for k, name in enumerate(posed.decay.factor_names)}
    return {
        number[wide.factor_names[b.number]]: held_times(b, loose.b)
        for b in bearings(other, state)
        if wide.factor_names[b.number] in number
    }


def without_homes(posed: Posed, chosen: Chosen, options: Options) -> str:
    """How the ranking of places changes where what is at risk is not counted, in one sentence."""
    from scipy.stats import spearmanr

    path = Path(
        posed.nested, posed.free, posed.counts, np.ones(len(posed.counts)), ratio=options.l1_ratio,
        tolerance=1e-5,
    )  # fmt: skip
    state = path.at(chosen.penalty)
    with_, without = (
        np.round(expected(s, posed.nested, posed.free, np.ones(len(posed.counts))), 9)
        for s in (chosen.state, state)
    )
    if not np.ptp(with_):
        return (
            "Counting what is at risk, the terrain ranks no place above another: the model keeps no factor."
        )
    size = Extent.of(posed.places, posed.whole_exposure).weights(posed.fitted)
    first, second = (in_top(values, 0.05, size) for values in (with_, without))
    shared = int((first & second).sum())
    rank = float(spearmanr(with_, without).statistic) if np.ptp(without) else 0.0
    return (
        "Counting what is at risk changes the ranking of places: rank correlation with the terrain that does "
        f"not count it {rank:.2f}; {shared:,} of the {int(first.sum()):,} riskiest places are in the top 5 % "
        "of both."
    )
