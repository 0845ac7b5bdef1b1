"""Leakage: does a forecast change when the future does? Then its scores mean nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from peelian.effect import Check
from peelian.predict.backtest import LENGTH, STEP, Horizon, Setting, forecast_at
from peelian.predict.history import History, moment, moment_of, step_of

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places


def leakage(
    method: Callable[..., pd.Series],
    incidents: Incidents,
    places: Places,
    *,
    origin: object,
    horizon: Horizon = "month",
    seed: int = 1,
) -> Check:
    """Whether a forecast changes when the future does: adding, moving or deleting later incidents.

    ``origin``  the start of the period that is forecast; ``seed`` draws where moved incidents go.

    The backtest's own path is followed with the incidents as they are, without those at or after the
    origin, with those doubled, and with those moved. Byte-identical forecasts are clear.
    """
    at = step_of(moment(origin), STEP[horizon])
    start = moment_of(at, STEP[horizon])
    later = incidents.frame["start"] >= start
    before = _forecast(method, incidents, places, at, horizon)
    differ = [
        what
        for what, rows in _futures(incidents.frame, later, seed).items()
        if _forecast(method, replace(incidents, frame=rows), places, at, horizon) != before
    ]
    name = getattr(method, "words", getattr(method, "__name__", type(method).__name__))
    done = " or ".join(differ) if differ else "deleted, doubled and moved"
    kept = "changed" if differ else "stayed the same to the last byte"
    since = f"{start.day} {start:%B %Y}"
    return Check(
        "leakage",
        "the future changes the forecast",
        bool(differ),
        value=float(len(differ)),
        threshold=0.0,
        sentence=f"{later.sum():,} incidents from {since} on were {done}: the forecast of {name} {kept}.",
        consequence="Its scores mean nothing: it saw what it was to foretell." if differ else "",
        answer="Make it forecast only from the incidents it is given." if differ else "",
    )


def _futures(frame: Any, later: pd.Series, seed: int) -> dict[str, Any]:
    """The incidents with another future: without one, with twice as much, and with it elsewhere."""
    rng = np.random.default_rng(seed)
    moved = frame.copy()
    spots = frame.geometry.to_numpy()
    moved.loc[later, "geometry"] = spots[rng.integers(0, len(frame), int(later.sum()))]
    doubled = pd.concat([frame, frame.loc[later]], ignore_index=True)
    return {"deleted": frame.loc[~later], "doubled": doubled, "moved": moved}


def _forecast(
    method: Callable[..., pd.Series], incidents: Incidents, places: Places, at: int, horizon: Horizon
) -> bytes:
    step, length = STEP[horizon], LENGTH[horizon]
    history = History.of(incidents, places, end=moment_of(at + length, step), step=step)
    setting = Setting(incidents, places, {step: history}, step, length, 0, 1)
    return forecast_at(method, setting, at).tobytes()
