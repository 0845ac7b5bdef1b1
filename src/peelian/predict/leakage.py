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
from peelian.predict.leaks import ahead

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
    """Whether a forecast knows what it could not: it changes with the future, or rests on something newer.

    ``origin``  the start of the period that is forecast; ``seed`` draws where moved incidents go.

    The backtest's own path is followed with the incidents as they are, without those at or after the
    origin, with those doubled, and with those moved; then with a tenth of the earlier incidents recorded only
    after the origin, which must be as if they were absent. Byte-identical forecasts are clear. Anything else
    that the method rests on (a risk terrain) must have seen no month from the origin on; where nobody says
    which months it saw, the sentence says that. Forecasts must not know their own period far better than the
    next (``leaks.ahead``): so is caught who brings a copy of the data along.
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
    late, absent = (
        _forecast(method, replace(incidents, frame=rows), places, at, horizon)
        for rows in _recorded_late(incidents.frame, later, start, seed)
    )
    if late != absent:
        differ.append("recorded late")
    versions = replace(incidents, frame=_corrected(incidents.frame, later, seed))
    if _forecast(method, versions, places, at, horizon) != before:
        differ.append("corrected")
    newer, undated = _dated(method, start)
    close = ahead(method, incidents, places, at=at, horizon=horizon)
    suspect = close is not None and close.suspect
    name = getattr(method, "words", getattr(method, "__name__", type(method).__name__))
    done = " or ".join(differ) if differ else "deleted, doubled and moved"
    kept = "changed" if differ else "stayed the same to the last byte"
    told = (
        f"It tells {close.own:.2f} nats an incident of the period that it forecasts and "
        f"{close.following:.2f} of the one after: more than the past could."
        if close is not None
        else ""
    )
    since = f"{start.day} {start:%B %Y}"
    return Check(
        "leakage",
        "the future changes the forecast",
        bool(differ or newer or suspect),
        value=float(len(differ) + len(newer) + suspect),
        threshold=0.0,
        sentence=" ".join(
            [
                f"{later.sum():,} incidents from {since} on were {done}, earlier ones recorded late and "
                f"corrected: the forecast of {name} {kept}.",
                *(f"Its {what} saw months to {month}." for what, month in newer.items()),
                *(f"Nobody says which months its {what} saw." for what in undated),
                *([told] if suspect else []),
            ]
        ),
        consequence="Its scores mean nothing: it saw what it was to foretell."
        if differ or newer or suspect
        else "",
        answer="Make it forecast only from what was known before the period."
        if differ or newer or suspect
        else "",
    )


def _futures(frame: Any, later: pd.Series, seed: int) -> dict[str, Any]:
    """The incidents with another future: without one, with twice as much, and with it elsewhere."""
    rng = np.random.default_rng(seed)
    moved = frame.copy()
    spots = frame.geometry.to_numpy()
    moved.loc[later, "geometry"] = spots[rng.integers(0, len(frame), int(later.sum()))]
    doubled = pd.concat([frame, frame.loc[later]], ignore_index=True)
    return {"deleted": frame.loc[~later], "doubled": doubled, "moved": moved}


def _recorded_late(frame: Any, later: pd.Series, start: pd.Timestamp, seed: int) -> tuple[Any, Any]:
    """Earlier incidents, a tenth of them recorded a day after the origin; and the same without that tenth."""
    rng = np.random.default_rng(seed + 1)
    tenth = ~later.to_numpy() & (rng.random(len(frame)) < 0.1)
    recorded = frame["recorded"] if "recorded" in frame else frame["end"]
    late = frame.assign(recorded=recorded.where(~tenth, start + pd.Timedelta(1, "D")))
    return late, late.loc[~tenth]


def _dated(method: object, start: pd.Timestamp) -> tuple[dict[str, str], list[str]]:
    """What a method rests on besides incidents and that saw months from the origin on; what nobody dates."""
    inputs: dict[str, str | None] = getattr(method, "inputs", {})
    newer = {
        what: pd.Period(month, "M").strftime("%B %Y")
        for what, month in inputs.items()
        if month is not None and (pd.Period(month, "M") + 1).start_time > start
    }
    return newer, [what for what, month in inputs.items() if month is None]


def _forecast(
    method: Callable[..., pd.Series], incidents: Incidents, places: Places, at: int, horizon: Horizon
) -> bytes:
    step, length = STEP[horizon], LENGTH[horizon]
    history = History.of(incidents, places, end=moment_of(at + length, step), step=step)
    setting = Setting(incidents, places, {step: history}, step, length, 0, 1)
    return forecast_at(method, setting, at).tobytes()


def _corrected(frame: Any, later: pd.Series, seed: int) -> Any:
    """A tenth of the earlier incidents with a second version, moved, recorded an hour after the first.

    Where rows have no ids, or no times of recording, they get ids, and the end of their window.
    """
    rng = np.random.default_rng(seed + 2)
    first = frame.reset_index(drop=True)
    if "id" not in first or "recorded" not in first:
        first = first.assign(id=first.index.astype("str"), recorded=first.get("recorded", first["end"]))
    chosen = np.flatnonzero(~later.to_numpy() & (rng.random(len(first)) < 0.1))
    second = first.iloc[chosen].copy()
    second["geometry"] = first.geometry.to_numpy()[rng.integers(0, len(first), len(chosen))]
    second["recorded"] = second["recorded"] + pd.Timedelta(1, "h")
    return pd.concat([first, second], ignore_index=True)
