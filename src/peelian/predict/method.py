"""What every forecasting method of ours shares: how it is called, what it hands back, how it is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from peelian.arithmetic.scores import log_score
from peelian.errors import DesignError, some
from peelian.predict.history import YEAR, History, Step, moment_of, span_of, steps_in

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places

FLOOR = 0.02  # of the mean expected count: what a rate is raised to before its logarithm is taken
TUNING_ORIGINS = 48
FEWEST_ORIGINS = 12
ENOUGH = 50
TERRAIN = "risk terrain"


class Method:
    """A forecasting method: ``method(incidents, places, period)`` gives expected incidents by place.

    ``incidents``  only what was known when the forecast is made (cut with ``incidents.known_at(origin)``).
    ``period``     ``pandas.Period`` or a half-open pair of dates; whole months for methods by month.

    Returns a Series named ``risk`` on the places' index: the expected number of incidents in the period,
    finite and at least 0. Raises ``DesignError`` where an incident lies at or after the period's start,
    where the period cuts a month, and where there is nothing to learn from.

    Subclasses are frozen dataclasses; ``expected`` holds their formula and sees only a ``History``.
    """

    is_rate: ClassVar[bool] = True
    step: Step

    def __call__(self, incidents: Incidents, places: Places, period: object) -> pd.Series:
        """Expected incidents by place in the period."""
        span = span_of(period)
        late = incidents.frame["start"] >= span[0]
        if late.any():
            raise DesignError(
                f"{int(late.sum())} incidents lie at or after {span[0]:%d %B %Y}, where the period to be "
                "forecast starts. Cut them first: incidents.known_at(period)."
            )
        start, stop = steps_in(span, self.step)
        history = History.of(incidents, places, end=span[0], step=self.step)
        return pd.Series(self.expected(history, start, stop), places.index, name="risk")

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Expected incidents by place in the steps from ``start`` up to ``stop``."""
        raise NotImplementedError

    @property
    def inputs(self) -> dict[str, str | None]:
        """What it rests on besides incidents: the last month that each has seen, None where nobody says."""
        given = getattr(self, "prior", None) is not None
        return {TERRAIN: getattr(self, "prior_to", None)} if given else {}

    def fitted_until(self, history: History, start: int, stop: int) -> int | None:
        """The first step that the fit in use did not see; None where nothing is fitted."""
        return None

    @property
    def words(self) -> str:
        """What the map is, in words."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Choice:
    """A setting that did best at earlier origins: its key, and the mean log score of every candidate."""

    key: Any
    origins: int
    scores: dict[Any, float]


def choose(
    history: History, start: int, stop: int, candidates: Mapping[Any, Method], *, default: Any
) -> Choice:
    """The candidate with the lowest mean log score at up to 48 earlier origins, each seen from before it.

    ``candidates``  setting -> method; a setting's key must tell it from every other (it is remembered).

    Candidates are compared at one level, the mean of the year before each origin: what is chosen is where,
    not how many. The earlier origins keep the lag between what is known and what is forecast, and need a year
    before them. Below 12 of them ``default`` is taken.
    """
    length, lag = stop - start, max(start - history.end, 0)
    earliest = history.first + YEAR[history.step]
    origins = [
        origin
        for origin in range(history.end - length, earliest + lag - 1, -length)
        if history.held[origin - history.first : origin - history.first + length].all()
    ][:TUNING_ORIGINS]
    if len(origins) < FEWEST_ORIGINS:
        return Choice(default, len(origins), {})
    scores = {
        key: float(np.mean([_earlier_score(history, key, method, at, length, lag) for at in origins]))
        for key, method in candidates.items()
    }
    return Choice(min(scores, key=scores.__getitem__), len(origins), scores)


def _earlier_score(history: History, key: Any, method: Method, at: int, length: int, lag: int) -> float:
    name = ("score", type(method).__name__, key, at, length, lag)
    if name not in history.memo:
        known = history.before(at - lag)
        level = known.level(at, at + length)
        rate = at_level(method.expected(known, at, at + length), level)
        floor = FLOOR * level / len(rate)
        history.memo[name] = log_score(history.outcome(at, at + length), rate, floor=floor).value
    return float(history.memo[name])


def at_level(risk: np.ndarray, level: float) -> np.ndarray:
    """The same map scaled to an expected total."""
    total = float(risk.sum())
    return risk * (level / total) if total > 0 else np.full(len(risk), level / len(risk))


def need_enough(history: History, name: str) -> None:
    """``DesignError`` below 50 incidents: that is enough to count and too few to learn from."""
    if history.total < ENOUGH:
        until = moment_of(history.end, history.step)
        raise DesignError(
            f"{name} has {history.total} incidents before {until.day} {until:%B %Y}: too few to learn from "
            f"({ENOUGH} are needed). Use counts, or a longer history."
        )


def checked(answer: Any, places: Places, name: str) -> pd.Series:
    """A method's answer as a Series on the places' index, or a ``DesignError`` with method and places."""
    if not isinstance(answer, pd.Series):
        raise DesignError(
            f"{name} returned a {type(answer).__name__}; a method returns a pandas Series on the "
            "places' index."
        )
    missing, extra = places.index.difference(answer.index), answer.index.difference(places.index)
    if len(missing) or len(extra):
        what = f"lacks {some(missing)}" if len(missing) else f"has {some(extra)}, which are no places"
        raise DesignError(f"{name}: its forecast {what}. It must name every place once.")
    if not answer.index.is_unique:
        raise DesignError(
            f"{name}: its forecast names {some(answer.index[answer.index.duplicated()])} twice."
        )
    answer = pd.to_numeric(answer.reindex(places.index), errors="coerce").astype(float)
    wrong = ~np.isfinite(answer) | (answer < 0)
    if wrong.any():
        raise DesignError(
            f"{name}: its forecast is missing, infinite or negative in {int(wrong.sum())} places: "
            f"{some(answer.index[wrong])}. A forecast is an expected number, 0 or more."
        )
    return answer.rename("risk")
