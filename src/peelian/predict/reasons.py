"""Reasons: why is this place here? What of its forecast its own history gives, and what comes from
elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from peelian.predict.method import Method

if TYPE_CHECKING:
    from peelian.places import Places
    from peelian.predict.forecast import Forecast
    from peelian.predict.history import History


def own_share(
    method: object, history: History, start: int, stop: int, positions: Sequence[int]
) -> np.ndarray:
    """The share of each place's forecast that goes when its own incidents are taken out of the history.

    The rest comes from elsewhere: its neighbours, features of the place, the mean of all places. Settings
    that the method chose on earlier origins are kept. Missing for a method that is not one of ours.
    """
    if not isinstance(method, Method):
        return np.full(len(positions), np.nan)
    whole = method.expected(history, start, stop)
    out = []
    for position in positions:
        without = method.expected(_without(history, position), start, stop)
        out.append(1 - without[position] / whole[position] if whole[position] > 0 else np.nan)
    return np.clip(out, 0, 1)


def _without(history: History, position: int) -> History:
    """The history with one place's incidents taken out; what earlier origins chose is remembered."""
    kept = {
        key: value for key, value in history.memo.items()
        if (isinstance(key, tuple) and key[0] in ("score", "k", "shape", "kernel", "held")) or key == "grid"
    }  # fmt: skip
    events = history.events.where(history.events.place != position)
    counts = events.matrix(len(history.places), history.first, history.counts.shape[1])
    return replace(history, counts=counts, events=events, memo=kept)


def next_door(values: pd.Series, places: Places) -> pd.Series:
    """The mean of a value over each place's neighbours; missing where it has none."""
    matrix = places.neighbours()
    number = np.asarray(matrix.sum(axis=1)).ravel()
    total = matrix.astype(float) @ values.reindex(places.index).to_numpy(float)
    return pd.Series(
        np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0), places.index
    )


def reasons(forecast: Forecast, crimes: str) -> pd.Series:
    """One sentence a place: what was recorded there and next door, its rank, what rests on its features.

    Known for every place, because a mission may hold any; ``own_share`` costs a forecast a place and is
    worked out for the places ranked highest alone.
    """
    frame = forecast.frame
    number = len(frame)
    text = (
        f"{crimes} here in the last 12 months: " + frame["last_year"].map("{:,.0f}".format) + " (rank "
        + frame["rank_by_counts"].map("{:,.0f}".format) + f" of {number:,})"
    )  # fmt: skip
    text += frame["next_door"].map(lambda mean: "" if mean != mean else f", {mean:.1f} a place next door")
    if frame["prior_share"].notna().any():
        text += frame["prior_share"].map(
            lambda share: "" if share != share else f"; {share * 100:.0f} % of its forecast rests on features"
        )
    return text.str.capitalize() + "."
