"""Leaks: what a forecast gives away by how well it fits, its own month better than the next, or by chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from peelian.errors import DesignError
from peelian.predict.backtest import LENGTH, STEP, Horizon, Setting, backtest, forecast_at
from peelian.predict.history import History, moment_of, step_of, steps_of
from peelian.predict.method import FLOOR

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places

NEXT, ERRORS = 0.1, 3  # nats an incident, and standard errors on top: more than a period's news is worth
SHUFFLED = 0.02  # nats an incident over counts of all months
MOST = 6


@dataclass(frozen=True)
class Ahead:
    """Nats an incident that forecasts tell of their own period, and of the one after it, with its error."""

    own: float
    following: float
    error: float
    origins: int

    @property
    def suspect(self) -> bool:
        """True where they know their own period better than an honest forecast could."""
        return self.own - self.following > NEXT + ERRORS * self.error


def ahead(
    method: Callable[..., pd.Series], incidents: Incidents, places: Places, *, at: int, horizon: Horizon
) -> Ahead | None:
    """How much better forecasts from step ``at`` on fit their own period than the next; None without a next.

    Whoever forecasts from the past knows the next period about as well as this one: places stay much as they
    are. Whoever has seen the outcome knows this one far better, wherever it was seen, so that a method is
    caught that brings its own copy of the data.
    """
    step, length = STEP[horizon], LENGTH[horizon]
    last = step_of(incidents.frame["start"].max(), step) + 1
    starts = [at + length * nth for nth in range(MOST) if at + length * (nth + 2) <= last]
    if not starts:
        return None
    history = History.of(incidents, places, end=moment_of(starts[-1] + 2 * length, step), step=step)
    setting = Setting(incidents, places, {step: history}, step, length, 0, 1)
    told: list[list[np.ndarray]] = [[], []]
    for start in starts:
        rate = forecast_at(method, setting, start)
        raised = np.maximum(rate, FLOOR * max(rate.sum(), 1.0) / len(rate))
        nats = np.log(raised / raised.sum() * len(raised))
        for which, values in enumerate(told):
            begin = start + which * length
            values.append(np.repeat(nats, history.outcome(begin, begin + length).astype(int)))
    own, following = (np.concatenate(values) for values in told)
    if min(len(own), len(following)) < 2:
        return None
    error = float(np.sqrt(own.var() / len(own) + following.var() / len(following)))
    return Ahead(float(own.mean()), float(following.mean()), error, len(starts))


def shuffled(incidents: Incidents, places: Places, *, horizon: Horizon, seed: int) -> Incidents:
    """The same incidents with the months (or days) of each place dealt out anew: where stays, when is noise.

    A place's whole months change places with each other, so that its counts keep their spread.
    """
    step = STEP[horizon]
    frame = incidents.frame
    place = places.index.get_indexer(incidents.place_of(places).to_numpy(object))
    at = steps_of(frame["start"], step)
    first, last = int(at.min()), int(at.max())
    rng = np.random.default_rng(seed)
    deal = rng.permuted(np.tile(np.arange(last - first + 1, dtype=np.int32), (len(places) + 1, 1)), axis=1)
    new = first + deal[place, at - first]  # outside every place: dealt like one more place
    unit = "M" if step == "month" else "D"
    start = pd.Series(new.astype(f"datetime64[{unit}]").astype("datetime64[us]"), frame.index)
    held = frame.drop(columns="recorded", errors="ignore")
    end = start + (pd.offsets.MonthBegin(1) if step == "month" else pd.Timedelta(1, "D"))
    return replace(incidents, frame=held.assign(start=start, end=end), precision=step)


def planted(
    method: Any, incidents: Incidents, places: Places, *, origin: pd.Timestamp, horizon: Horizon
) -> Any | None:
    """The method given the outcome itself as its terrain, with its true date; None if it takes none."""
    if not is_dataclass(method) or "prior_to" not in {field.name for field in fields(method)}:
        return None
    stop = moment_of(step_of(origin, STEP[horizon]) + LENGTH[horizon], STEP[horizon])
    outcome = incidents.between(origin, stop).counts(places) + 0.01
    return replace(method, prior=outcome, prior_to=str(pd.Period(origin, "M")))  # type: ignore[type-var]


def leaks(
    methods: Mapping[str, Any], incidents: Incidents, places: Places, *, origin: pd.Timestamp,
    horizon: Horizon, seed: int,
) -> pd.DataFrame:  # fmt: skip
    """Every method asked all the questions, a row each.

    ``sees the future``  yes, no or not tested; ``own period``, ``next period`` nats told of each;
    ``months shuffled``  information gain over counts of all months once months are dealt out at random
                         (above 0.02 is a leak); ``planted outcome`` whether the outcome as a terrain is
                         caught, where the method takes one; ``what was found`` in words.
    """
    from peelian.predict.leakage import leakage

    gains = _shuffled_gains(methods, incidents, places, horizon, seed)
    rows = []
    for name, method in methods.items():
        row: dict[str, Any] = {"method": name}
        try:
            check = leakage(method, incidents, places, origin=origin, horizon=horizon)
            found = ahead(method, incidents, places, at=step_of(origin, STEP[horizon]), horizon=horizon)
            trap = planted(method, incidents, places, origin=origin, horizon=horizon)
        except DesignError as error:
            rows.append(row | {"sees the future": "not tested", "what was found": str(error)})
            continue
        over = gains.get(name, float("nan"))
        caught = "takes none"
        if trap is not None:
            trapped = leakage(trap, incidents, places, origin=origin, horizon=horizon)
            caught = "caught" if trapped.fired else "not caught"
        said = check.sentence
        if over > SHUFFLED:
            said += f" With the months of each place dealt out at random it told {over:.2f} nats too much."
        rows.append(
            row | {
                "sees the future": "yes" if check.fired or over > SHUFFLED else "no",
                "own period": found.own if found else np.nan,
                "next period": found.following if found else np.nan, "months shuffled": over,
                "planted outcome": caught, "what was found": said,
            }
        )  # fmt: skip
    columns = ["method", "sees the future", "own period", "next period", "months shuffled",
               "planted outcome", "what was found"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _shuffled_gains(
    methods: Mapping[str, Any], incidents: Incidents, places: Places, horizon: Horizon, seed: int
) -> dict[str, float]:
    """Information gain less that of counts of all months, on months dealt out anew; none if too short."""
    from peelian.predict.baselines import Counts

    held = shuffled(incidents, places, horizon=horizon, seed=seed)
    asked = {"counts": Counts(None, STEP[horizon])} | dict(methods)
    try:
        found = backtest(asked, held, places, origins=12, horizon=horizon, areas=[0.05], seed=seed)
    except DesignError:
        return {}
    gain = found.pooled.set_index("method")["information_gain"]
    return (gain - gain["counts"]).to_dict()
