"""Backtest: every method on the same many origins, each forecast made from what was known then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from peelian.arithmetic.scores import capture, information_gain, log_score
from peelian.errors import DesignError, some
from peelian.predict.checkpoint import Checkpoints
from peelian.predict.claims import Verdict
from peelian.predict.history import LENGTH, STEP, YEAR, History, Horizon, Step, moment, moment_of, step_of
from peelian.predict.method import FLOOR, Method, at_level, checked
from peelian.predict.pooling import pool

if TYPE_CHECKING:
    from pathlib import Path

    from peelian.incidents import Incidents
    from peelian.places import Places

Forecaster = Callable[..., pd.Series]
ENOUGH = {"month": 24, "week": 50, "day": 50}
MAIN_SHARE = 0.05
SET_LEVEL = 0.1


@dataclass(frozen=True, eq=False)
class Backtest:
    """What every method scored, origin by origin and pooled, and what may be said of it.

    ``by_origin``  a row an origin and method: ``incidents``, ``expected``, ``log_score``, ``floored``
                   places, ``information_gain``, for each share of the area (percent) ``hits_5``, ``best_5``
                   (the most that as many places could hold) and ``predicted_5``, the columns of
                   ``scoring.Scored``, and up to when what was ``fitted`` saw anything.
    ``pooled``     a row a method, best log score first: hit rates and PAI with 95 % intervals over origins,
                   PEI against as many places (``pei_5``) and against the same area (``pei_area_5``), RRI,
                   partial areas under the curve (``auc_5``), the negative binomial log score, Brier score and
                   CRPS, periods whose total was outside its 90 % limits, calibration, dispersion,
                   ``jaccard``, ``clumpiness`` and ``always`` of the chosen 5 %, ``set_p`` (see
                   ``claims.confidence_set``); ``best possible`` is what nobody could beat.
    ``pairs``      a row a method: its difference to plain counts, with intervals and corrected p.
    ``to_best``    the same against ``best_baseline``, the one of ``baselines`` with the lowest log score.
    ``deciles``, ``pit``  calibration by method and tenth; ``physical`` coverage by square kilometres, and by
                   street length, homes or kits where they were given.
    ``verdict``    the sentence that opens the page; ``sentences`` one a method.
    ``refused``    methods that gave no forecast, with the reason; the others finished.
    ``reference``  the method that stands for plain counts; ``outcomes`` and ``forecasts`` places x origins.
    """

    by_origin: pd.DataFrame
    pooled: pd.DataFrame
    pairs: pd.DataFrame
    verdict: Verdict
    sentences: tuple[str, ...]
    refused: dict[str, str]
    words: dict[str, str]
    reference: str
    origins: int
    shares: tuple[float, ...]
    places: int
    horizon: str
    lag: int
    outcomes: np.ndarray = field(repr=False)
    forecasts: dict[str, np.ndarray] = field(repr=False)
    baselines: tuple[str, ...]
    best_baseline: str
    to_best: pd.DataFrame
    deciles: pd.DataFrame = field(repr=False)
    pit: pd.DataFrame = field(repr=False)
    physical: pd.DataFrame = field(repr=False)

    @property
    def best_set(self) -> tuple[str, ...]:
        """Methods that cannot be told from the best by log score (model confidence set at 90 %)."""
        return tuple(self.pooled.loc[self.pooled["set_p"] >= SET_LEVEL, "method"])


@dataclass(frozen=True, eq=False)
class Setting:
    """What stays the same over the origins: who is asked, about what, from what."""

    incidents: Incidents
    places: Places
    histories: dict[Step, History]
    step: Step
    length: int
    lag: int
    refit: int
    fitted: dict[str, Any] = field(default_factory=dict)


def backtest(
    methods: Mapping[str, Forecaster],
    incidents: Incidents,
    places: Places,
    *,
    origins: int | Sequence[object] | None = None,
    horizon: Horizon = "month",
    areas: Sequence[float] = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
    size: pd.Series | None = None,
    measures: Mapping[str, pd.Series] | None = None,
    lag: int = 0,
    refit: int | None = None,
    by: Literal["code", "point"] = "point",
    seen: Sequence[str] = (),
    crimes: str = "crimes",
    seed: int,
    store: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Every method's forecasts scored on the same rolling origins, with plain counts always among them.

    ``methods``   name -> callable ``(incidents, places, period) -> Series``; ours share one count matrix.
    ``origins``   how many of the last periods to forecast (24 months, or 52 weeks or days), or their starts.
    ``horizon``   what each forecast spans: a ``month``, ``week`` or ``day`` (the last two need dates).
    ``areas``     shares of the total ``size`` by place (square metres, of streets metres,
                  unless given: homes, kits).
    ``measures``  name -> amount by place (``km of street``, ``homes``): coverage by each is scored too.
    ``lag``       steps before each origin that are not known yet, as when publication is late.
    ``refit``     learned methods are fitted again every so many origins; as often as each does by itself
                  where not given (those of your own with a ``fit``: at every origin).
    ``by``        how incidents are counted in places; a method of your own counts as it likes.
    ``seen``      methods of which an input (a risk terrain, a layer) saw tested months: shown, never claimed.
    ``crimes``    what is counted, in the plural, for the sentences.
    ``store``     a folder for finished origins: a backtest that was stopped goes on from there, with the same
                  result, if nothing that it rests on has changed.

    Settings are chosen only on origins before the scored one. Raises ``DesignError`` where no origin has
    history before it; a method that fails is listed in ``refused``.
    """
    step, length = STEP[horizon], LENGTH[horizon]
    _refuse_tiny(incidents, horizon)
    starts = _starts(incidents, origins, horizon, lag)
    end = moment_of(max(starts) + length, step)
    methods = _refitted(_with_reference(methods, step), refit, length)
    history = History.of(incidents, places, end=end, step=step, by=by)
    setting = Setting(incidents, places, {step: history}, step, length, lag, max(refit or 1, 1))
    area = _sizes(places, size)
    kept = None
    if store is not None:
        about = {"horizon": horizon, "lag": lag, "refit": setting.refit, "by": by, "starts": starts}
        kept = Checkpoints.of(store, incidents, places, methods, **about)
    walk = _walk(methods, setting, starts, areas, area, progress, kept)
    finished = {name: method for name, method in methods.items() if name not in walk.refused}
    by_origin = pd.DataFrame([row for row in walk.rows if row["method"] not in walk.refused])
    return pool(
        by_origin, finished, np.column_stack(walk.outcomes),
        {name: np.column_stack(walk.forecasts[name]) for name in finished},
        floors=walk.floors, size=area, neighbours=places.neighbours(), measures=_measures(places, measures),
        baselines=_baselines(methods, step), refused=walk.refused, reference=_reference(step)[0],
        enough=ENOUGH[horizon], shares=tuple(areas), horizon=horizon, lag=lag, crimes=crimes, seen=seen,
        seed=seed, main=MAIN_SHARE,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Walk:
    """What the walk over the origins gathered: a row an origin and method, outcomes, forecasts, refusals."""

    rows: list[dict[str, Any]]
    outcomes: list[np.ndarray]
    forecasts: dict[str, list[np.ndarray]]
    refused: dict[str, str]
    floors: list[float]


def _walk(
    methods: Mapping[str, Forecaster], setting: Setting, starts: Sequence[int], areas: Sequence[float],
    size: np.ndarray, progress: Callable[[int, int], None] | None, kept: Checkpoints | None = None,
) -> Walk:  # fmt: skip
    """Every method at every origin, forecast and scored."""
    step, length = setting.step, setting.length
    history = setting.histories[step]
    walk = Walk([], [], {name: [] for name in methods}, {}, [])
    finished = _finished(starts, setting, kept)
    for nth, at in enumerate(starts):
        outcome = history.outcome(at, at + length)
        level = history.before(at - setting.lag).level(at, at + length)
        floor = FLOOR * max(level, 1.0) / len(outcome)
        walk.floors.append(floor)
        walk.outcomes.append(outcome)
        walk.rows.append(_best(at, step, outcome, areas, size))
        if at in finished:
            forecasts, refused = finished[at]
            walk.refused.update(refused)
        else:
            forecasts = {name: risk for name, _, risk in _forecasts(methods, setting, at, nth, walk.refused)}
            if kept is not None:
                kept.save(at, forecasts, walk.refused)
        for name, risk in forecasts.items():
            rate = risk if getattr(methods[name], "is_rate", True) else at_level(risk, level)
            walk.forecasts[name].append(rate)
            scored = _scored(name, at, step, outcome, rate, floor, areas, size)
            fitted = fitted_on(methods[name], setting, at, starts[nth - nth % setting.refit])
            walk.rows.append(scored | {"fitted": fitted})
        if progress is not None:
            progress(nth + 1, len(starts))
    return walk


def _finished(
    starts: Sequence[int], setting: Setting, kept: Checkpoints | None
) -> dict[int, tuple[dict[str, np.ndarray], dict[str, str]]]:
    """The origins that an earlier run finished, up to the last at which learned methods are fitted anew."""
    found = {}
    for at in starts:
        held = None if kept is None else kept.load(at)
        if held is None:
            break
        found[at] = held
    usable = len(found) if len(found) == len(starts) else len(found) - len(found) % setting.refit
    return {at: found[at] for at in list(found)[:usable]}


def forecast_at(
    method: Forecaster, setting: Setting, at: int, *, name: str = "the method", nth: int = 0
) -> np.ndarray:
    """Expected incidents by place in the period that starts at step ``at``, from what was known then."""
    start = moment_of(at, setting.step)
    known_to = moment_of(at - setting.lag, setting.step)
    if isinstance(method, Method) and type(method).__call__ is Method.__call__:
        history = _history(setting, method.step)
        stop = moment_of(at + setting.length, setting.step)
        first, last = (step_of(edge, method.step) for edge in (start, stop))
        answer = pd.Series(
            method.expected(history.before(step_of(known_to, method.step)), first, last), setting.places.index
        )
        return checked(answer, setting.places, name).to_numpy()
    known = setting.incidents.known_at(known_to)
    period = (start, moment_of(at + setting.length, setting.step))
    if hasattr(method, "fit"):
        if name not in setting.fitted or nth % setting.refit == 0:
            setting.fitted[name] = method.fit(known, setting.places, start)
        method = setting.fitted[name]
    return checked(method(known, setting.places, period), setting.places, name).to_numpy()


def _forecasts(
    methods: Mapping[str, Forecaster], setting: Setting, at: int, nth: int, refused: dict[str, str]
) -> Iterator[tuple[str, Forecaster, np.ndarray]]:
    for name, method in methods.items():
        if name in refused:
            continue
        try:
            risk = forecast_at(method, setting, at, name=name, nth=nth)
        except DesignError as error:
            refused[name] = str(error)
            continue
        yield name, method, risk


def _history(setting: Setting, step: Step) -> History:
    if step not in setting.histories:
        held = setting.histories[setting.step]
        end = moment_of(held.end, held.step)
        setting.histories[step] = History.of(setting.incidents, setting.places, end=end, step=step)
    return setting.histories[step]


def _scored(
    name: str, at: int, step: Step, outcome: np.ndarray, rate: np.ndarray, floor: float,
    shares: Sequence[float], area: np.ndarray,
) -> dict[str, Any]:  # fmt: skip
    held = capture(rate, outcome, shares=shares, size=area)
    score = log_score(outcome, rate, floor=floor)
    return {
        "origin": moment_of(at, step),
        "method": name,
        "incidents": held.total,
        "expected": float(rate.sum()),
        "log_score": score.value,
        "floored": score.floored,
        "information_gain": information_gain(outcome, rate, floor=floor),
        **{f"hits_{share * 100:g}": hits for share, hits in zip(shares, held.hits, strict=True)},
        **{f"best_{share * 100:g}": best for share, best in zip(shares, held.best, strict=True)},
        **{f"predicted_{share * 100:g}": part for share, part in zip(shares, held.predicted, strict=True)},
    }


def _best(
    at: int, step: Step, outcome: np.ndarray, shares: Sequence[float], area: np.ndarray
) -> dict[str, Any]:
    held = capture(outcome, outcome, shares=shares, size=area)
    hits = {f"hits_{share * 100:g}": hits for share, hits in zip(shares, held.hits, strict=True)}
    return {
        "origin": moment_of(at, step),
        "method": "best possible",
        "incidents": held.total,
        "expected": held.total,
    } | hits


def _sizes(places: Places, size: pd.Series | None) -> np.ndarray:
    if size is not None:
        return size.reindex(places.index).to_numpy(float)
    if places.kind == "cell":  # equal by construction: their shapes' areas differ in the last digits
        return np.ones(len(places))
    return (places.geometry.length if places.kind == "street" else places.areas).to_numpy()


def _measures(places: Places, given: Mapping[str, pd.Series] | None) -> dict[str, np.ndarray]:
    """Square kilometres (of streets, kilometres), and what else was given, by place."""
    own = {"km2": places.areas / 1e6}
    if places.kind == "street":
        own = {"km of street": places.geometry.length / 1e3}
    held = own | dict(given or {})
    return {name: amount.reindex(places.index).fillna(0).to_numpy(float) for name, amount in held.items()}


def _baselines(methods: Mapping[str, Forecaster], step: Step) -> list[str]:
    from peelian.predict.methods import BASELINES

    usual = {"".join(name.split()) for name in BASELINES[step]}
    return [name for name in methods if name in usual or name.split("(")[0] == "near_repeat"]


def _reference(step: Step) -> tuple[str, str]:
    """Name of plain counts over a year, and its window in words."""
    return ("counts(12)", "last 12 months") if step == "month" else ("counts(365)", "last 365 days")


def _refitted(methods: Mapping[str, Forecaster], refit: int | None, length: int) -> Mapping[str, Forecaster]:
    """Our learned methods, fitted anew every so many origins where that is asked for."""
    if refit is None:
        return methods
    return {
        name: replace(method, refit=max(refit, 1) * length)  # type: ignore[type-var]
        if isinstance(method, Method) and hasattr(method, "refit")
        else method
        for name, method in methods.items()
    }


def fitted_on(method: Forecaster, setting: Setting, at: int, last: int) -> pd.Timestamp:
    """The moment up to which the fit behind a forecast saw anything; missing where nothing is fitted.

    ``at``  start of the period; ``last`` that of the origin at which methods of your own were fitted last.
    """
    if isinstance(method, Method):
        history = _history(setting, method.step)
        start, stop, known = (
            step_of(moment_of(edge, setting.step), method.step)
            for edge in (at, at + setting.length, at - setting.lag)
        )
        until = method.fitted_until(history.before(known), start, stop)
        return pd.NaT if until is None else moment_of(until, method.step)
    return moment_of(last - setting.lag, setting.step) if hasattr(method, "fit") else pd.NaT


def _with_reference(methods: Mapping[str, Forecaster], step: Step) -> dict[str, Forecaster]:
    from peelian.predict.baselines import Counts

    return {_reference(step)[0]: Counts(YEAR[step], step)} | dict(methods)


def _refuse_tiny(incidents: Incidents, horizon: Horizon) -> None:
    if incidents.frame.empty:
        raise DesignError("There is no incident, so there is nothing to forecast from or to test on.")
    if STEP[horizon] == "day" and incidents.precision == "month":
        raise DesignError(
            f"These incidents are dated by month, so forecasts of a {horizon} cannot be tested. "
            'Use horizon = "month", or load a force extract with dates.'
        )


def _refuse_unscored(late: list[int], last: int, step: Step) -> None:
    if late:
        days = [f"{moment_of(at, step).day} {moment_of(at, step):%B %Y}" for at in late]
        end = f"{moment_of(last, step):%B %Y}" if step == "month" else f"{moment_of(last, step):%d %B %Y}"
        raise DesignError(
            f"No incident is later than the origins {some(days)}: incidents end in {end}, so nothing is "
            "there to score them by. Leave them out; a forecast of what is to come is next_period's."
        )


def _starts(
    incidents: Incidents, origins: int | Sequence[object] | None, horizon: Horizon, lag: int
) -> list[int]:
    step, length = STEP[horizon], LENGTH[horizon]
    dates = incidents.frame["start"]
    first, last = step_of(dates.min(), step), step_of(dates.max(), step)
    if origins is None or isinstance(origins, int):
        number = origins if origins is not None else {"month": 24, "week": 52, "day": 52}[horizon]
        starts = [last + 1 - length * back for back in range(number, 0, -1)]
    else:
        starts = sorted(step_of(moment(origin), step) for origin in origins)
        _refuse_unscored([at for at in starts if at > last], last, step)
    kept = [at for at in starts if at - lag - first >= YEAR[step] // 12]
    if not kept:
        raise DesignError(
            f"No origin has history before it: incidents start in {moment_of(first, step):%B %Y} and "
            f"end in {moment_of(last, step):%B %Y}. Give a longer history, or fewer origins."
        )
    return kept
