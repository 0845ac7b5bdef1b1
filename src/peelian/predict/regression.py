"""Learned methods: a Poisson ridge and boosted trees on what was known of each place at earlier origins.

The trees need scikit-learn (``pip install 'peelian[models]'``), imported when they are grown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from peelian.errors import DesignError
from peelian.predict.baselines import _above_zero
from peelian.predict.features import HALF_LIVES, SMOOTHED, WINDOWS, Recipe, features
from peelian.predict.history import YEAR, History, Step, step_of
from peelian.predict.method import FEWEST_ORIGINS, Method, at_level, need_enough

if TYPE_CHECKING:
    import pandas as pd

ORIGINS: dict[Step, int] = {"month": 24, "day": 52}
EVERY: dict[Step, int] = {"month": 1, "day": 7}
REFIT: dict[Step, int] = {"month": 3, "day": 91}
ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1)
TREES = (50, 100, 150, 300)
LEAST = 0.01  # of a feature's mean: what it is raised by before its logarithm is taken
RISING = ("own history", "surroundings", "time of year", "near repeats", "risk terrain")
Level = Literal["year", "own"]


@dataclass(frozen=True, eq=False)
class Rows:
    """What is learned from: ``values`` rows x features, ``counts`` and the position of the ``origin`` by row.

    ``groups`` of the columns. Every row's features are those of its own origin.
    """

    values: np.ndarray
    counts: np.ndarray
    origin: np.ndarray
    groups: tuple[str, ...]

    def where(self, keep: np.ndarray) -> Rows:
        """Those of a mask."""
        return replace(self, values=self.values[keep], counts=self.counts[keep], origin=self.origin[keep])

    def without(self, group: str) -> Rows:
        """The same without the columns of a group."""
        keep = np.array([name != group for name in self.groups])
        return replace(
            self, values=self.values[:, keep], groups=tuple(name for name in self.groups if name != group)
        )


@dataclass(frozen=True, eq=False)
class Model:
    """What was fitted: ``rate`` expected counts from features; ``chosen`` its setting; ``until`` the first
    step that it did not see; ``origins`` how many it learned from.
    """

    rate: Any
    chosen: float
    until: int
    origins: int


@dataclass(frozen=True, eq=False)
class Learned(Method):
    """What ``PoissonRidge`` and ``Boosted`` share.

    ``windows``, ``half_lives``, ``smoothed``  of the features (see ``features.Recipe``); the usual ones
                   where not given.
    ``prior``      relative risk by place, a feature beside the others; ``prior_to`` the last month that it
                   was fitted on (``2018-12``).
    ``origins``    earlier origins that it is trained on: the last 24 months, or 52 weeks.
    ``refit``      fitted anew every so many steps (3 months, 91 days); between fits only features change.
    ``level``      ``year``: scaled to the mean of the last year, as counts are; ``own``: its own level.
    """

    windows: tuple[int, ...] | None = None
    half_lives: tuple[float, ...] | None = None
    smoothed: tuple[float, ...] | None = None
    prior: pd.Series | None = None
    prior_to: str | None = None
    origins: int | None = None
    refit: int | None = None
    level: Level = "year"
    seed: int = 0
    step: Step = "month"

    def __post_init__(self) -> None:
        _above_zero("origins", self.origins)
        _above_zero("refit", self.refit)
        if self.level not in ("year", "own"):
            raise DesignError(f'level is "year" or "own"; got {self.level!r}.')

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Fitted rate by place, from the features known now."""
        need_enough(history, type(self).__name__)
        model = self.fitted(history, stop - start, max(start - history.end, 0))
        rate = model.rate(features(history, start, stop, self.recipe).values)
        return rate if self.level == "own" else at_level(rate, history.level(start, stop))

    def fitted(self, history: History, length: int, lag: int = 0) -> Model:
        """The model for horizons of ``length`` steps, from targets over before the last date of fitting.

        ``lag``  steps before each target that were not known yet: the same gap as in the forecast.
        """
        every = self.refit or REFIT[self.step]
        until = history.end - (history.end - history.first) % every
        if until - history.first < YEAR[self.step] or not self._starts(history.before(until), length, lag):
            until = history.end
        key = ("learned", type(self).__name__, *self._setting, until, length, lag)
        if key not in history.memo:
            history.memo[key] = self._fit(history.before(until), length, lag)
        model: Model = history.memo[key]
        return model

    def told(self, history: History) -> str:
        """What it learned from and what each kind of feature is worth, in sentences."""
        from peelian.predict.importance import told

        return told(self, history, EVERY[self.step])

    @property
    def recipe(self) -> Recipe:
        """The features that it is given."""
        known = None if self.prior_to is None else _after(self.prior_to, self.step)
        return Recipe(
            self.step,
            WINDOWS[self.step] if self.windows is None else self.windows,
            HALF_LIVES[self.step] if self.half_lives is None else self.half_lives,
            SMOOTHED[self.step] if self.smoothed is None else self.smoothed,
            prior=self.prior,
            prior_known=known,
        )

    def training(self, history: History, length: int, lag: int) -> Rows:
        """Places x earlier origins, each with its features and with what happened after it."""
        starts = self._starts(history, length, lag)
        if len(starts) < FEWEST_ORIGINS:
            raise DesignError(
                f"{type(self).__name__} has {len(starts)} earlier origins to learn from; {FEWEST_ORIGINS} "
                "are needed. Use EWMA, or a longer history."
            )
        tables = [features(history.before(at - lag), at, at + length, self.recipe) for at in starts]
        return Rows(
            np.concatenate([table.values for table in tables]),
            np.concatenate([history.outcome(at, at + length) for at in starts]),
            np.repeat(np.arange(len(starts)), len(history.places)),
            tables[0].groups,
        )

    def _starts(self, history: History, length: int, lag: int) -> list[int]:
        """Starts of the targets, all over before the end of history, half a year of history before each."""
        earliest = history.first + YEAR[self.step] // 2 + lag
        number = self.origins or ORIGINS[self.step]
        held = history.held
        starts = [
            at
            for at in range(history.end - length, earliest - 1, -EVERY[self.step])
            if held[at - history.first : at - history.first + length].all()
        ]
        return starts[:number][::-1]

    def _fit(self, history: History, length: int, lag: int) -> Model:
        rows = self.training(history, length, lag)
        chosen = self.chosen(rows)
        return Model(self.learn(rows, chosen), chosen, history.end, int(rows.origin[-1]) + 1)

    @property
    def _setting(self) -> tuple[object, ...]:
        values = {name: value for name, value in vars(self).items() if name != "prior"}
        return (*values.values(), id(self.prior))

    def learn(self, rows: Rows, setting: float) -> Any:
        """From features to expected counts, learned from rows under a setting."""
        raise NotImplementedError

    def chosen(self, rows: Rows) -> float:
        """The setting in use: the one given, or the best on origins after those learned from."""
        raise NotImplementedError


def rolled(rows: Rows) -> Iterator[tuple[Rows, Rows]]:
    """What to learn from and what to test on: the third quarter of origins, then the last."""
    number = int(rows.origin[-1]) + 1
    for quarter in (2, 3):
        first, last = number * quarter // 4, number * (quarter + 1) // 4
        yield rows.where(rows.origin < first), rows.where((rows.origin >= first) & (rows.origin < last))


def surprise(counts: np.ndarray, rate: np.ndarray) -> float:
    """Mean Poisson log score at the level of the counts, without what does not depend on the rate."""
    rate = np.maximum(rate * (counts.sum() / max(float(rate.sum()), 1e-12)), 1e-9)
    return float(np.mean(rate - counts * np.log(rate)))


@dataclass(frozen=True, eq=False)
class PoissonRidge(Learned):
    """Poisson regression on the logarithms of the features, shrunk so that none runs away.

    ``alpha``  strength of the shrinkage, or ``"cv"``: the best of .0001 to .1 on later origins than those
               learned from.

    log mean = constant + sum of weights x standardised log(feature + 0.01 x its mean); the constant is not
    shrunk. Raises ``DesignError`` below 12 earlier origins.
    """

    alpha: float | Literal["cv"] = "cv"

    def learn(self, rows: Rows, setting: float) -> Any:
        """The fitted rate, from features."""
        logs = _Logs.of(rows.values)
        constant, weights = ridge_weights(logs.of_values(rows.values), rows.counts, setting)
        return lambda values: _rate(logs.of_values(values), constant, weights)

    def chosen(self, rows: Rows) -> float:
        """The shrinkage in use."""
        if self.alpha != "cv":
            return float(self.alpha)
        scores = dict.fromkeys(ALPHAS, 0.0)
        for known, later in rolled(rows):
            logs = _Logs.of(known.values)
            design, held, start = logs.of_values(known.values), logs.of_values(later.values), None
            for alpha in sorted(ALPHAS, reverse=True):
                start = ridge_weights(design, known.counts, alpha, start=start)
                scores[alpha] += surprise(later.counts, _rate(held, *start))
        return min(scores, key=scores.__getitem__)

    @property
    def words(self) -> str:
        """The method in words."""
        return "Poisson ridge regression on counts at several speeds"


@dataclass(frozen=True, eq=False)
class Boosted(Learned):
    """Boosted regression trees on the features, more of a count never lowering the forecast.

    ``trees``  how many, or ``"cv"``: the best of 50 to 300 on later origins than those learned from.

    Poisson loss, learning rate .05, 15 leaves of 500 rows or more, penalty 10 (Friedman 2001). It never stops
    early on a random tenth of the rows: places of one month would stand on both sides. ``DesignError`` as for
    ``PoissonRidge``, and where scikit-learn is not installed.
    """

    trees: int | Literal["cv"] = "cv"

    def learn(self, rows: Rows, setting: float) -> Any:
        """The fitted rate, from features."""
        return self._grown(rows, int(setting)).predict

    def chosen(self, rows: Rows) -> float:
        """The number of trees in use."""
        if self.trees != "cv":
            return float(self.trees)
        scores = dict.fromkeys(TREES, 0.0)
        for known, later in rolled(rows):
            for number, rate in enumerate(self._grown(known, max(TREES)).staged_predict(later.values), 1):
                if number in scores:
                    scores[number] += surprise(later.counts, rate)
        return float(min(scores, key=scores.__getitem__))

    def _grown(self, rows: Rows, trees: int) -> Any:
        regressor = _sklearn("ensemble").HistGradientBoostingRegressor(
            loss="poisson", learning_rate=0.05, max_iter=trees, max_leaf_nodes=15, min_samples_leaf=500,
            l2_regularization=10, monotonic_cst=[int(group in RISING) for group in rows.groups],
            early_stopping=False, random_state=self.seed,
        )  # fmt: skip
        return regressor.fit(rows.values, rows.counts)

    @property
    def words(self) -> str:
        """The method in words."""
        return "boosted trees on counts at several speeds"


@dataclass(frozen=True, eq=False)
class _Logs:
    """Logarithms of features, standardised: what each is ``raised`` by, their ``middle`` and ``scale``."""

    raised: np.ndarray
    middle: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> _Logs:
        raised = LEAST * values.mean(axis=0) + 1e-9
        logs = np.log(values + raised)
        return cls(raised, logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-6))

    def of_values(self, values: np.ndarray) -> np.ndarray:
        return np.asarray((np.log(values + self.raised) - self.middle) / self.scale)


def _rate(logs: np.ndarray, constant: float, weights: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(np.clip(logs @ weights + constant, -30, 10)))


def ridge_weights(
    design: np.ndarray, counts: np.ndarray, alpha: float, *, start: tuple[float, np.ndarray] | None = None
) -> tuple[float, np.ndarray]:
    """Constant and weights of the least mean surprise + alpha / 2 x sum of squared weights (Poisson).

    ``design``  rows x columns, standardised; ``start`` first values. The constant is not shrunk. Newton
    steps, halved while they do not help; they end when the surprise falls by less than 1e-9 of itself.

    >>> constant, weights = ridge_weights(np.array([[-1.0], [1.0]]), np.array([1.0, 3.0]), 1e-9)
    >>> round(float(np.exp(constant + weights[0])), 4)
    3.0
    """
    number = design.shape[1]
    constant, weights = start or (
        float(np.log(max(float(counts.mean()), 1e-12))), np.zeros(number, design.dtype)
    )  # fmt: skip

    def cost(constant: float, weights: np.ndarray) -> tuple[float, np.ndarray]:
        log = design @ weights + constant
        mean = np.exp(np.minimum(log, 30))
        return float(np.mean(mean - counts * log) + alpha / 2 * weights @ weights), mean

    now, mean = cost(constant, weights)
    for _ in range(100):
        off = (mean - counts) / len(counts)
        slope = np.append(design.T @ off + alpha * weights, off.sum())
        curve = np.empty((number + 1, number + 1))
        weighed = design * mean[:, None].astype(design.dtype)
        curve[:number, :number] = weighed.T @ design / len(counts) + alpha * np.eye(number)
        curve[:number, number] = curve[number, :number] = weighed.sum(axis=0) / len(counts)
        curve[number, number] = mean.mean()
        step, part = np.linalg.solve(curve + 1e-12 * np.eye(number + 1), slope), 1.0
        while part > 1e-6:
            tried, moved = constant - part * float(step[number]), weights - part * step[:number]
            then, mean = cost(tried, moved)
            if then <= now:
                break
            part /= 2
        settled = now - then <= 1e-9 * abs(now)
        constant, weights, now = tried, moved, then
        if settled:
            break
    return constant, weights


def _sklearn(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"sklearn.{module}")
    except ImportError as error:
        raise DesignError(
            "boosted needs scikit-learn, which is not installed. Install it with pip install "
            "'peelian[models]', or use ridge."
        ) from error


def _after(month: str, step: Step) -> int:
    """The first step after a month (``2018-12``)."""
    import pandas as pd

    return step_of((pd.Period(month, "M") + 1).start_time, step)
