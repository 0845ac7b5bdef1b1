"""What the modern terrain is made of: its bands, how sure each place is, and what a what-if starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from peelian.explain.change import Basis
from peelian.explain.extent import Extent
from peelian.explain.terrain import top_share

if TYPE_CHECKING:
    from peelian.explain.modern_trust import Held

Array = Any


def bands_of(held: Held) -> pd.DataFrame:
    """One row a kept band: its name, factor, operation, distance or bandwidth, cut, both coefficients."""
    b, rows = held.b, []
    for column in held.chosen.kept:
        measure, at = held.posed.decay.band(column)
        rows.append(
            {"band": measure.name(at), "factor": measure.factor, "operation": measure.operation,
             "distance": measure.distance(at),
             "cut": measure.cuts[at], "sign": measure.sign,
             "coefficient": measure.sign * held.chosen.state.b[column],
             "after_selection": measure.sign * b[column] if column in held.after.columns else np.nan}
        )  # fmt: skip
    names = ["band", "factor", "operation", "distance", "cut", "sign", "coefficient", "after_selection"]
    return pd.DataFrame(rows, columns=names)


def uncertainty_of(held: Held) -> pd.DataFrame:
    """By place in the fit: percentiles of times the average and P(top 5 %) over the resamples."""
    if not held.replicates:
        return pd.DataFrame()
    posed, size = held.posed, held.posed.nested.size
    drawn = np.empty((len(held.replicates), len(posed.counts)), np.float32)
    top, weights = (
        np.zeros(len(posed.counts)),
        Extent.of(posed.places, posed.whole_exposure).weights(posed.fitted),
    )
    for at, found in enumerate(held.replicates):
        rate = np.exp(posed.nested.effect(found.whole(size)) + posed.free[:, 1:] @ found.free[1:])
        average = rate * (posed.exposure.sum() / (posed.exposure * rate).sum())
        drawn[at] = average
        top += top_share(np.round(average, 9), 0.05, weights)
    low, median, high = np.quantile(drawn, [0.05, 0.5, 0.95], axis=0)
    frame = {"low": low, "median": median, "high": high, "p_top": top / len(held.replicates)}
    return pd.DataFrame(frame, index=posed.places.index[posed.fitted]).reindex(posed.places.index)


def basis_of(held: Held) -> Basis | None:
    """What the terrain is computed from, for what-if: the bands that the model or a resample keeps."""
    posed = held.posed
    if posed.layers is None:
        return None
    used = np.unique(np.concatenate([held.chosen.kept, *(r.columns for r in held.replicates)])).astype(int)
    about, names = [], {}
    for column in used:
        measure, at = posed.decay.band(column)
        names[int(column)] = measure.name(at)
        # density bands lie strictly above their cut
        cut = np.nextafter(measure.cuts[at] * (1 + 1e-12), np.inf) * (1 + 1e-12)
        about.append(
            (measure.name(at), measure.factor, measure.operation,
             measure.distance(at),
             cut if measure.operation == "density" else np.nan, measure.sign)
        )  # fmt: skip
    meta = pd.DataFrame(about, columns=["name", "factor", "operation", "distance", "cut", "sign"])
    columns = pd.DataFrame(
        posed.decay.nested(slice(None)).take(used).astype(float if posed.decay.shares else np.int8),
        posed.places.index, list(names.values()),
    )  # fmt: skip
    chosen = {names[int(c)]: float(held.chosen.state.b[c]) for c in held.chosen.kept}
    drawn = tuple(
        (tuple(names[int(c)] for c in r.columns), np.concatenate([r.free[:1], r.b])) for r in held.replicates
    )
    return Basis(columns, meta.set_index("name"), chosen, drawn, posed.observed.months, held.options.how)
