"""Learned methods: a Poisson ridge and boosted trees on what was known of each place at earlier origins.

The trees need scikit-learn (``pip install 'peelian[models]'``), imported when they are grown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from peelian.errors import DesignError
from peelian.predict.baselines import _above_zero
from peelian.predict.features import HALF_LIVES, SMOOTHED, WINDOWS, Recipe, table
from peelian.predict.history import YEAR, History, Step, step_after
from peelian.predict.method import FEWEST_ORIGINS, Method, at_level, need_enough
from peelian.predict.poisson_ridge import Logs, rate_of, ridge_weights

if TYPE_CHECKING:
    import pandas as pd

    from peelian.predict.beside import Beside

ORIGINS: dict[Step, int] = {"month": 24, "day": 52}
EVERY: dict[Step, int] = {"month": 1, "day": 7}
REFIT: dict[Step, int] = {"month": 3, "day": 91}
ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1)
TREES = (50, 100, 150, 300)
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
    ``beside``     what else there is to learn from (``[predict.features]``), and ``use`` the kinds of it
                   that are used (see ``beside.KINDS``): those that the table asks for where not given, none
                   for ``()``.
    """

    windows: tuple[int, ...] | None = None
    half_lives: tuple[float, ...] | None = None
    smoothed: tuple[float, ...] | None = None
    prior: pd.Series | None = None
    prior_to: str | None = None
    origins: int | None = None
    refit: int | None = None
    level: Level = "year"
    beside: Beside | None = None
    use: tuple[str, ...] | None = None
    seed: int = 0
    step: Step = "month"

    takes_exposure: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if isinstance(self.use, str):
            object.__setattr__(self, "use", (self.use,))
        self.used  # noqa: B018 (refuses kinds that there are not)
        _above_zero("origins", self.origins)
        _above_zero("refit", self.refit)
        if self.level not in ("year", "own"):
            raise DesignError(f'level is "year" or "own"; got {self.level!r}.')

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Fitted rate by place, from the features known now."""
        need_enough(history, type(self).__name__)
        model = self.fitted(history, stop - start, max(start - history.end, 0))
        rate = model.rate(table(history, start, stop, self.recipe).values)
        return rate if self.level == "own" else at_level(rate, history.level(start, stop))

    def fitted(self, history: History, length: int, lag: int = 0) -> Model:
        """The model for horizons of ``length`` steps, from targets over before the last date of fitting.

        ``lag``  steps before each target that were not known yet: the same gap as in the forecast.
        """
        until = self._until(history, length, lag)
        key = ("learned", type(self).__name__, *self._setting, until, length, lag)
        if key not in history.memo:
            history.memo[key] = self._fit(history.before(until), length, lag)
        model: Model = history.memo[key]
        return model

    def told(self, history: History) -> str:
        """What it learned from and what each kind of feature is worth, in sentences."""
        from peelian.predict.importance import told

        return told(self, history, EVERY[self.step])

    def fitted_until(self, history: History, start: int, stop: int) -> int:
        """The first step that the fit in use did not see."""
        return self._until(history, stop - start, max(start - history.end, 0))

    def _until(self, history: History, length: int, lag: int) -> int:
        every = self.refit or REFIT[self.step]
        until = history.end - (history.end - history.first) % every
        if until - history.first < YEAR[self.step] or not self._starts(history.before(until), length, lag):
            return history.end
        return until

    @property
    def used(self) -> tuple[str, ...]:
        """The kinds of feature beside incidents that it is given."""
        if self.beside is None:
            if self.use:
                raise DesignError(
                    f"use holds {self.use[0]!r}, and the project gives nothing besides incidents. Add "
                    "[predict.features] to peelian.toml."
                )
            return ()
        return self.beside.having(self.use, exposure=self.takes_exposure)

    @property
    def inputs(self) -> dict[str, str | None]:
        """What it rests on besides incidents: the last month that each has seen, None where nobody says."""
        beside = {} if self.beside is None else self.beside.inputs(self.used)
        return super().inputs | beside

    @property
    def _besides(self) -> str:
        return f", with {', '.join(self.used)}" if self.used else ""

    @property
    def recipe(self) -> Recipe:
        """The features that it is given."""
        return Recipe(
            self.step,
            WINDOWS[self.step] if self.windows is None else self.windows,
            HALF_LIVES[self.step] if self.half_lives is None else self.half_lives,
            SMOOTHED[self.step] if self.smoothed is None else self.smoothed,
            prior=self.prior,
            prior_known=step_after(self.prior_to, self.step),
            beside=self.beside,
            use=self.used,
        )

    def training(self, history: History, length: int, lag: int) -> Rows:
        """Places x earlier origins, each with its features and with what happened after it."""
        starts = self._starts(history, length, lag)
        if len(starts) < FEWEST_ORIGINS:
            raise DesignError(
                f"{type(self).__name__} has {len(starts)} earlier origins to learn from; {FEWEST_ORIGINS} "
                "are needed. Use EWMA, or a longer history."
            )
        tables = [table(history.before(at - lag), at, at + length, self.recipe) for at in starts]
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

    log mean = log exposure, where one is given (counts of the place itself are then taken per unit of it), +
    constant + sum of weights x standardised log(feature + 0.01 x its mean); the constant is not shrunk.
    Raises ``DesignError`` below 12 earlier origins.
    """

    alpha: float | Literal["cv"] = "cv"

    takes_exposure: ClassVar[bool] = True

    def learn(self, rows: Rows, setting: float) -> Any:
        """The fitted rate, from features."""
        logs = Logs.of(rows)
        constant, weights = ridge_weights(
            logs.of_values(rows.values), rows.counts, setting, offset=logs.offset(rows.values)
        )
        return lambda values: rate_of(logs.of_values(values), constant, weights, logs.offset(values))

    def chosen(self, rows: Rows) -> float:
        """The shrinkage in use."""
        if self.alpha != "cv":
            return float(self.alpha)
        scores = dict.fromkeys(ALPHAS, 0.0)
        for known, later in rolled(rows):
            logs = Logs.of(known)
            design, held, start = logs.of_values(known.values), logs.of_values(later.values), None
            before, after = logs.offset(known.values), logs.offset(later.values)
            for alpha in sorted(ALPHAS, reverse=True):
                start = ridge_weights(design, known.counts, alpha, start=start, offset=before)
                scores[alpha] += surprise(later.counts, rate_of(held, *start, after))
        return min(scores, key=scores.__getitem__)

    @property
    def words(self) -> str:
        """The method in words."""
        return f"Poisson ridge regression on counts at several speeds{self._besides}"


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
        return f"boosted trees on counts at several speeds{self._besides}"


def _sklearn(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"sklearn.{module}")
    except ImportError as error:
        raise DesignError(
            "boosted needs scikit-learn, which is not installed. Install it with pip install "
            "'peelian[models]', or use ridge."
        ) from error
