"""Stack: several methods at once, each weighed by how well it did at earlier origins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from peelian.arithmetic.scores import overdispersion
from peelian.errors import DesignError
from peelian.predict.history import YEAR, History, Step
from peelian.predict.method import FEWEST_ORIGINS, FLOOR, Method, at_level, need_enough
from peelian.predict.methods import method_named, words_of

if TYPE_CHECKING:
    import pandas as pd

    from peelian.predict.beside import Beside

MEMBERS: dict[Step, tuple[str, ...]] = {
    "month": ("endemic", "ridge"),
    "day": ("ewma(180)", "gamma_poisson", "hawkes", "ridge"),
}
ROUNDS = 200


@dataclass(frozen=True, eq=False)
class Stack(Method):
    """A weighted mean of several methods, weighed by their surprise at what happened before.

    ``members``  names as in ``METHODS``; without any, a usual set for months or days, and the blend where
                 there is a ``prior`` (``prior_to``: the last month that it was fitted on). Only methods of
                 ours, which share one history. ``beside``: what learned members learn from besides incidents.
    ``origins``  earlier origins that the weights are taken from, at most.

    Each member's forecasts become negative binomial with its own dispersion; the weights, 0 or more and
    summing to 1, maximise the sum of log(sum of weight x probability) over every place at the earlier
    origins (Yao, Vehtari, Simpson & Gelman 2018). Below 12 earlier origins the weights are equal. A stack
    of one method is that method.
    """

    members: tuple[str, ...] = ()
    prior: pd.Series | None = None
    origins: int = 36
    step: Step = "month"
    prior_to: str | None = None
    beside: Beside | None = None

    def __post_init__(self) -> None:
        members = self.members
        if isinstance(members, str):
            members = (members,)
        if not members:
            members = MEMBERS[self.step] + (("blend",) if self.prior is not None else ())
        object.__setattr__(self, "members", tuple(members))
        methods = {
            name: method_named(
                name, step=self.step, prior=self.prior, prior_to=self.prior_to, beside=self.beside
            )
            for name in self.members
        }
        strange = [name for name, method in methods.items() if not isinstance(method, Method)]
        if strange:
            raise DesignError(f"A stack holds methods of this package; {strange[0]} is none of them.")
        object.__setattr__(self, "_methods", methods)

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Weighted mean of the members' forecasts."""
        need_enough(history, "Stack")
        weights = self.weights(history, start, stop)
        lag = max(start - history.end, 0)
        parts = [
            weight * self._forecast(history, name, start, stop - start, lag)
            for name, weight in weights.items()
        ]
        return np.asarray(np.sum(parts, axis=0))

    def weights(self, history: History, start: int, stop: int) -> dict[str, float]:
        """The weight of each member, from the origins before."""
        if len(self.members) == 1:
            return {self.members[0]: 1.0}
        length, lag = stop - start, max(start - history.end, 0)
        key = ("stack", self.members, id(self.prior), self.origins, history.end, length, lag)
        if key not in history.memo:
            origins = self._earlier(history, length, lag)
            history.memo[key] = self._weighed(history, origins, length, lag)
        weights: dict[str, float] = history.memo[key]
        return weights

    def fitted_until(self, history: History, start: int, stop: int) -> int:
        """The origin itself: the weights are taken anew at every one."""
        return history.end

    def told(self, history: History) -> str:
        """The weights in a sentence."""
        weights = self.weights(history, history.end, history.end + (1 if self.step == "month" else 7))
        methods: dict[str, Method] = self._methods  # type: ignore[attr-defined]
        parts = [
            f"{weight:.0%} {words_of(name, methods[name])}"
            for name, weight in sorted(weights.items(), key=lambda item: -item[1])
            if weight >= 0.005
        ]
        words = f"Stack: {', '.join(parts)}."
        if self._earlier_number(history) < FEWEST_ORIGINS:
            words += f" Below {FEWEST_ORIGINS} earlier origins the weights are equal."
        return words

    def _earlier_number(self, history: History) -> int:
        """Earlier origins at which every member could be fitted."""
        length = 1 if self.step == "month" else 7
        if len(self.members) == 1:
            return FEWEST_ORIGINS
        origins = self._earlier(history, length, 0)
        return sum(self._forecasts(history, at, length, 0) is not None for at in origins)

    def _earlier(self, history: History, length: int, lag: int) -> list[int]:
        earliest = history.first + YEAR[history.step] // 2
        held = history.held
        return [
            at
            for at in range(history.end - length, earliest + lag - 1, -length)
            if held[at - history.first : at - history.first + length].all()
        ][: self.origins]

    def _weighed(self, history: History, origins: list[int], length: int, lag: int) -> dict[str, float]:
        equal = dict.fromkeys(self.members, 1 / len(self.members))
        by_origin = [
            (at, risks) for at in origins if (risks := self._forecasts(history, at, length, lag)) is not None
        ]
        if len(by_origin) < FEWEST_ORIGINS:
            return equal
        outcome = np.concatenate([history.outcome(at, at + length) for at, _ in by_origin])
        forecasts = zip(*(risks for _, risks in by_origin), strict=True)
        chances = [_log_chance(outcome, np.concatenate(rates)) for rates in forecasts]
        found = simplex_weights(np.column_stack(chances))
        return dict(zip(self.members, found.tolist(), strict=True))

    def _forecasts(self, history: History, at: int, length: int, lag: int) -> list[np.ndarray] | None:
        """Each member's forecast at an earlier origin, or None where one could not be fitted so early."""
        try:
            return [self._forecast(history, name, at, length, lag) for name in self.members]
        except DesignError:
            return None

    def _forecast(self, history: History, name: str, at: int, length: int, lag: int) -> np.ndarray:
        key = ("member", name, id(self.prior), at, length, lag)
        if key not in history.memo:
            method: Method = self._methods[name]  # type: ignore[attr-defined]
            known = history.before(at - lag)
            risk = method.expected(known, at, at + length)
            history.memo[key] = risk if method.is_rate else at_level(risk, known.level(at, at + length))
        forecast: np.ndarray = history.memo[key]
        return forecast

    @property
    def words(self) -> str:
        """The stack in words."""
        return f"a weighted mean of {len(self.members)} methods"


def _log_chance(counts: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Log probability of each count, negative binomial with the rate's own dispersion."""
    rate = np.maximum(rate, max(FLOOR * float(rate.mean()), 1e-9))
    psi = max(overdispersion(counts, rate), 1e-6)
    r = 1 / psi
    distinct, back = np.unique(counts, return_inverse=True)
    whole = (gammaln(distinct + r) - gammaln(r) - gammaln(distinct + 1))[back]
    both = np.log(r + rate)
    return np.asarray(whole + r * (np.log(r) - both) + counts * (np.log(rate) - both))


def simplex_weights(log_chances: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
    """Weights of a mixture, 0 or more and summing to 1, of the highest likelihood.

    ``log_chances``  observations x members: log probability of each observation under each member. Sequential
    quadratic programming from equal weights, then ten steps of EM, which never lower the likelihood.

    >>> simplex_weights(np.log([[0.9, 0.1], [0.8, 0.2]])).round(3).tolist()
    [1.0, 0.0]
    """
    log_chances = np.asarray(log_chances, float)
    chance = np.exp(log_chances - log_chances.max(axis=1, keepdims=True))
    number = chance.shape[1]

    def surprise(weights: np.ndarray) -> tuple[float, np.ndarray]:
        mixed = np.maximum(chance @ weights, 1e-300)
        return -float(np.log(mixed).mean()), -((1 / mixed) @ chance) / len(chance)

    whole = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": lambda weights: np.ones(number)}
    found = minimize(
        surprise, np.full(number, 1 / number), jac=True, method="SLSQP", bounds=[(0, 1)] * number,
        constraints=[whole], options={"ftol": 1e-12, "maxiter": ROUNDS},
    )  # fmt: skip
    weights = np.maximum(found.x, 0)
    for _ in range(10):
        weights = weights / weights.sum()
        weights = weights * ((1 / np.maximum(chance @ weights, 1e-300)) @ chance) / len(chance)
    return np.asarray(weights / weights.sum())
