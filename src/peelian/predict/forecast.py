"""The next period by cell: which method's map is shown, how many, how sure, and why there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from peelian.arithmetic.scores import overdispersion
from peelian.predict.backtest import LENGTH, STEP, Backtest, Setting, forecast_at
from peelian.predict.blend import PriorHistory
from peelian.predict.history import YEAR, History, moment_of, step_of
from peelian.predict.interval import interval
from peelian.predict.method import at_level
from peelian.predict.methods import method_named
from peelian.predict.planning import WITHIN
from peelian.predict.reasons import next_door, own_share

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.beside import Beside

LEVELLED = ", the total at the level that earned its place"
EXPLAINED = 15  # places ranked highest for which the part of own history is worked out


@dataclass(frozen=True, eq=False)
class Forecast:
    """The next period by cell.

    ``frame``    on the cells' index: ``risk`` (expected incidents), ``low`` and ``high`` (90 % interval of
                 what may be recorded), ``last_year`` (recorded in the last 12 months), ``rank_by_counts``
                 (by the latter, ties at their mean), ``prior_share`` (from the risk terrain, or missing),
                 ``counts`` (what plain counts expect: sealed beside it), ``next_door`` (mean of the
                 neighbours' last 12 months), ``own_share`` (from own history; of the 15 ranked highest).
    ``start``, ``stop``  of the period, ``stop`` not included; ``period`` in words.
    ``method`` its name and ``words`` what it is; ``why`` its map is shown.
    ``total``, ``low``, ``high``  over all cells, with its 90 % interval; ``outside`` share of the incidents
                 that lie in no cell.
    """

    frame: pd.DataFrame
    period: str
    method: str
    words: str
    total: float
    low: float
    high: float
    why: str
    outside: float
    start: pd.Timestamp
    stop: pd.Timestamp

    @property
    def about(self) -> dict[str, Any]:
        """All but the frame, as plain values: with the frame's file, ``kept`` reads it back."""
        return {name: getattr(self, name) for name in ABOUT}


ABOUT = ("period", "words", "total", "low", "high", "why", "outside")


def kept(frame: pd.DataFrame, about: Mapping[str, Any]) -> Forecast:
    """A forecast from the files that a run left: the frame by cell, and ``forecast.json``."""
    return Forecast(
        frame=frame, method=about["method"], start=pd.Timestamp(about["start"]),
        stop=pd.Timestamp(about["stop"]), **{name: about[name] for name in ABOUT},
    )  # fmt: skip


def next_period(
    incidents: Incidents, cells: Places, tested: Backtest, *, prior: pd.Series | None = None,
    beside: Beside | None = None, level: float | None = None, history: History | None = None,
) -> Forecast:  # fmt: skip
    """The forecast for the period after the last incident, by the method that the backtest chose.

    ``level``    the total that its map is scaled to; its method's own where None.
    ``history``  of these incidents in these cells before the period, where it is made already.

    Intervals take their dispersion from the residuals of the backtest, all of which lie before the period.
    """
    step, length = STEP[tested.horizon], LENGTH[tested.horizon]
    name, why = chosen_map(tested)
    method = method_named(name, step=step, prior=prior, beside=beside)
    at = step_of(incidents.frame["start"].max(), step) + 1
    if history is None:
        history = History.of(incidents, cells, end=moment_of(at, step), step=step)
    setting = Setting(incidents, cells, {step: history}, step, length, 0, 1)
    risk = forecast_at(method, setting, at, name=name)
    if level is not None:
        risk = at_level(risk, level)
    low, high = interval(risk, float(tested.pooled.set_index("method").loc[name, "overdispersion"]))
    share = np.full(len(risk), np.nan)
    if isinstance(method, PriorHistory):
        share = method.prior_share(history, at, at + length)
    last_year = pd.Series(history.outcome(at - YEAR[step], at), cells.index)
    frame = pd.DataFrame(
        {
            "risk": risk,
            "low": low,
            "high": high,
            "last_year": last_year.astype(int),
            "rank_by_counts": last_year.rank(ascending=False),
            "prior_share": share,
            "next_door": next_door(last_year, cells),
            "own_share": _own_shares(method, history, risk, at, at + length),
            "counts": forecast_at(method_named(tested.reference, step=step), setting, at),
        },
        index=cells.index,
    )
    start = moment_of(at, step)
    words = f"{start:%B %Y}" if step == "month" else f"the week from {start.day} {start:%B %Y}"
    total = float(risk.sum())
    least, most = _total_interval(tested, name, total)
    return Forecast(
        frame, words, name, tested.words[name] + (LEVELLED if level is not None else ""), total, least,
        most, why, history.outside, start, moment_of(at + length, step),
    )  # fmt: skip


def _own_shares(method: Any, history: History, risk: np.ndarray, start: int, stop: int) -> np.ndarray:
    """The part that own history gives, in the places ranked highest; missing elsewhere."""
    out = np.full(len(risk), np.nan)
    top = np.argsort(-risk, kind="stable")[:EXPLAINED]
    out[top] = own_share(method, history, start, stop, top.tolist())
    return out


def _total_interval(tested: Backtest, name: str, total: float) -> tuple[float, float]:
    rows = tested.by_origin[tested.by_origin["method"] == name]
    spread = overdispersion(rows["incidents"].to_numpy(float), rows["expected"].to_numpy(float))
    low, high = interval(np.array([total]), spread)
    return float(low[0]), float(high[0])


def chosen_map(tested: Backtest) -> tuple[str, str]:
    """Which method's map is shown, and why: counts, unless something beat them.

    Where counts were beaten, a blend within 1 % of the best log score is preferred: it can be explained in a
    sentence.
    """
    if tested.verdict.code != "better":
        return tested.reference, f"{tested.words[tested.reference]}, because nothing was shown to do better."
    scores = tested.pooled.set_index("method")["log_score"].dropna()
    best = float(scores.min())
    for name in scores.index:
        if name.split("(")[0] == "blend" and scores[name] <= best * (1 + WITHIN):
            return name, (
                f"{tested.words[name]}: its log score of {scores[name]:.4f} is within 1 % of the best "
                f"({best:.4f}), and it can be explained in a sentence: features of the place, corrected by "
                "its own history."
            )
    name = tested.verdict.method
    return name, f"{tested.words[name]}, the lowest log score of those that were shown to beat counts."
