"""What a model leaves over, what it says of the other half of the period, and how it prints."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from peelian.explain import inference
from peelian.explain.extent import dense
from peelian.explain.likelihood import CountFit, log_pmf, variance_of
from peelian.explain.shifted import Window
from peelian.explain.terrain import captured

if TYPE_CHECKING:
    from peelian.places import Places

Array = Any
REACH = 3000.0  # metres of the correlogram
MOST = 20  # incidents in a place from which places are counted together


def left_over(
    places: Places, fitted: Array, counts: Array, model: CountFit, mean: Array, permutations: int, seed: int
) -> tuple[dict[str, Any], list[str]]:
    """Moran's I, zero counts and correlogram of what a model leaves over, and what to say of them."""
    residual = (counts - mean) / np.sqrt(variance_of(model, mean))
    neighbours = places.neighbours()[fitted][:, fitted].astype(float)
    moran, p = inference.moran(residual, neighbours, permutations, [seed, 0, 3])
    zero = log_pmf(model.family, np.zeros(len(mean)), mean, model.dispersion)
    found: dict[str, Any] = {
        "moran": moran, "moran_p": p,
        "cells_without": int((counts == 0).sum()),
        "cells_without_expected": float(np.exp(zero).sum()),
    }  # fmt: skip
    words = []
    if p < 0.05:
        words.append(
            f"Nearby cells are still alike after the model (Moran's I {moran:.2f}): the intervals of the "
            "model itself are too narrow. Those by tile allow for it."
        )
    found["rootogram"] = rootogram(counts, model, mean)
    if "column" in places.frame and places.cell:
        at = places.frame.loc[fitted]
        window = Window.of(at["column"].to_numpy(), at["row"].to_numpy(), share=0)
        found["correlogram"] = inference.correlogram(window, residual, places.cell, REACH)
    return found, words


def rootogram(counts: Array, model: CountFit, mean: Array) -> list[tuple[int, int, float]]:
    """How many places hold 0, 1, 2 ... incidents and how many the model expects to: (incidents, places,
    expected places); the last row is of so many or more.

    Source: Kleiber & Zeileis (2016). Nothing where counts are not whole.
    """
    counts = np.asarray(counts)
    if (counts != np.floor(counts)).any():
        return []
    most = int(min(counts.max(initial=0), MOST))
    found = []
    for number in range(most):
        each = np.exp(log_pmf(model.family, np.full(len(mean), float(number)), mean, model.dispersion))
        found.append((number, int((counts == number).sum()), float(each.sum())))
    rest = len(mean) - sum(expected for _, _, expected in found)
    return [*found, (most, int((counts >= most).sum()), float(rest))]


# -------------------------------------------------------------------- the other half
def halves_of(
    places: Places, fitted: Array, ranked: Array, early: Array, late: Array, size: Array | None = None
) -> pd.DataFrame:
    """By place in the fit: ``terrain`` (expected, from the first half alone), ``history`` (its counts),
    ``later`` (counts of the second half), and ``size`` where places are not alike."""
    found = {"terrain": ranked, "history": early, "later": late}
    if size is not None:
        found["size"] = size
    return pd.DataFrame(found, index=places.index[fitted])


def capture_of(by_place: pd.DataFrame, share: float = 0.05) -> dict[str, float]:
    """Share of later incidents in the top places by terrain and by history, each place counting as one; where
    places are not alike, in the top share of what each holds, ranked by how much falls to that."""
    later = by_place["later"].to_numpy(float)
    size = by_place["size"].to_numpy(float) if "size" in by_place else None
    return {
        name: captured(dense(by_place[name].to_numpy(float), size), later, share, size)
        for name in ("terrain", "history")
    }


def inputs_of(**arrays: Array | None) -> dict[str, str]:
    """SHA-256 of what a terrain was fitted to, by name: the same inputs give the same digests."""
    return {
        name: hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
        for name, values in arrays.items()
        if values is not None
    }


# -------------------------------------------------------------------- print-out
def print_out(fits: dict[Any, CountFit], names: dict[Any, list[str]]) -> pd.DataFrame:
    """Each family's model as a statistics package prints it: ``family``, ``variable``, ``coefficient``,
    ``standard_error``, ``t`` and ``p``; the dispersion on the scale of its logarithm."""
    rows = []
    for family, found in fits.items():
        errors = np.sqrt(np.diag(found.covariance))
        variables = ["Intercept", *names[family]]
        values = [*found.coefficients]
        if family != "poisson" and not found.boundary:
            variables.append("log sigma" if family == "nb1" else "log alpha")
            values.append(found.log_dispersion)
        for at, (name, value) in enumerate(zip(variables, values, strict=True)):
            error = float(errors[at]) if at < len(errors) else float("nan")
            t = float(value) / error if error > 0 else float("nan")
            p = float(2 * ndtr(-abs(t))) if t == t else float("nan")
            rows.append((str(family), name, float(value), error, t, p))
    columns = ["family", "variable", "coefficient", "standard_error", "t", "p"]
    return pd.DataFrame(rows, columns=columns)
