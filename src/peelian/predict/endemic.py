"""Endemic and epidemic: a place's own past, its neighbours' past and what is always there, weighed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from peelian.errors import DesignError, some
from peelian.predict.history import History, Step
from peelian.predict.method import Method, at_level, need_enough
from peelian.predict.negbin import Fitted, Parts, fit

if TYPE_CHECKING:
    import pandas as pd

MEMORY = (3.0, 12.0, 36.0)  # months; not taken on the years it is judged on
LEAST_EXPOSURE = 0.01  # of the mean: a place without households still has neighbours and a past
FEWEST_MONTHS = 24
Level = Literal["year", "own"]


@dataclass(frozen=True, eq=False)
class EndemicEpidemic(Method):
    """Fading counts of a place and of its neighbours at several speeds, plus what is always there.

    ``exposure``   Series on the places' index, 0 or more (households, or a risk terrain): the part that no
                   history moves. None takes the places' households where they have any, else one each.
    ``memory``     half-lives in months of the fading counts; each has a weight of its own for the place and
                   for the mean of its neighbours.
    ``months``     the last months that it is fitted on.
    ``level``      ``year``: the map is scaled to the mean of the last 12 months, as counts are; ``own``:
                   the level and season of the model.

    mu = season(month) x (eta e + sum a_k E_k + sum b_k W E_k), all weights at or above 0, W the mean of
    the places that touch, season two harmonics, counts negative binomial (Held, Hoehle & Hofmann 2005;
    Meyer & Held 2014; more than one lag: Bracher & Held 2022). Fitted again at every origin by maximum
    likelihood. Months only; ``DesignError`` below 24 months that can be fitted on.
    """

    exposure: pd.Series | None = None
    memory: tuple[float, ...] = MEMORY
    months: int = 48
    level: Level = "year"
    step: Step = "month"

    def __post_init__(self) -> None:
        if self.step != "month":
            raise DesignError(
                'EndemicEpidemic counts by month, and steps of a day were asked for. Use horizon = "month", '
                "or another method."
            )
        if not self.memory or not all(half_life > 0 for half_life in self.memory):
            raise DesignError(f"memory needs half-lives above 0 months; got {list(self.memory)}.")
        if self.level not in ("year", "own"):
            raise DesignError(f'level is "year" or "own"; got {self.level!r}.')
        if self.months < FEWEST_MONTHS:
            raise DesignError(
                f"EndemicEpidemic is fitted on {FEWEST_MONTHS} months or more; got {self.months}."
            )

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Mean of the model in each month of the period, summed."""
        need_enough(history, "EndemicEpidemic")
        lag = max(start - history.end, 0)
        fitted = self.fitted(history, lag)
        now = self._parts(history, np.array([history.end]))
        steps = np.arange(start, stop)
        season = np.exp(_season(steps) @ fitted.season).sum()
        base = np.tensordot(fitted.coefficients, now[:, :, 0], axes=1)
        own = base * season
        return own if self.level == "own" else at_level(own, history.level(start, stop))

    def fitted(self, history: History, lag: int = 0) -> Fitted:
        """Weights, season and dispersion by maximum likelihood on the months before the origin.

        ``lag``  months before each that were not known yet: the same gap as in the forecast.
        """
        key = ("endemic", self.memory, self.months, id(self.exposure), history.end, lag)
        if key not in history.memo:
            steps = self._targets(history, lag)
            parts = self._parts(history, steps - lag)
            counts = _dense(history)[:, steps - history.first]
            model = Parts(parts, np.ones(len(parts), bool), _season(steps), counts)
            history.memo[key] = fit(model)
        found: Fitted = history.memo[key]
        return found

    def fitted_until(self, history: History, start: int, stop: int) -> int:
        """The origin itself: it is fitted at every one."""
        return history.end

    def shares(self, history: History) -> dict[str, float]:
        """How much of the forecast each part makes up, summing to 1; parts at 0 carry nothing."""
        fitted = self.fitted(history)
        parts = self._parts(history, np.array([history.end])).sum(axis=(1, 2)) * fitted.coefficients
        return dict(zip(self.part_names, (parts / parts.sum()).tolist(), strict=True))

    def told(self, history: History) -> str:
        """What the fitted weights say, in a sentence: which parts count, which were dropped."""
        shares = self.shares(history)
        own = sum(share for name, share in shares.items() if name.startswith("own"))
        near = sum(share for name, share in shares.items() if name.startswith("neighbours"))
        beside = f"{near:.0%} from its neighbours" if near > 0 else "no neighbour effect"
        always = shares["always there"]
        rest = (
            f"{always:.0%} from what is always there" if always > 0 else "nothing from what is always there"
        )
        return (
            f"Endemic-epidemic model: {own:.0%} of the forecast from a place's own history, {beside}, {rest}."
        )

    @property
    def part_names(self) -> tuple[str, ...]:
        """The parts in words, in the order of the coefficients."""
        own = tuple(f"own history, half-life {half_life:g} months" for half_life in self.memory)
        near = tuple(f"neighbours, half-life {half_life:g} months" for half_life in self.memory)
        return ("always there", *own, *near)

    @property
    def words(self) -> str:
        """The model in words."""
        return "own history, neighbours and what is always there"

    # ---------------------------------------------------------------- parts
    def _targets(self, history: History, lag: int) -> np.ndarray:
        """The months fitted on: held, and with a year of known history before them."""
        held = history.first + np.flatnonzero(history.held)
        held = held[(held < history.end) & (held - lag - history.first >= 12)][-self.months :]
        if len(held) < FEWEST_MONTHS:
            raise DesignError(
                f"EndemicEpidemic has {len(held)} months to be fitted on, each with a year before it; "
                f"{FEWEST_MONTHS} are needed. Use EWMA or the blend, or a longer history."
            )
        return held

    def _parts(self, history: History, origins: np.ndarray) -> np.ndarray:
        """What is always there, own fading counts, those of neighbours: parts x places x origins."""
        columns = origins - history.first
        own = [_faded(history, half_life)[:, columns] for half_life in self.memory]
        near = mean_of_neighbours(history)
        always = np.broadcast_to(self._exposure(history)[:, None], own[0].shape)
        return np.stack([always, *own, *(near @ values for values in own)])

    def _exposure(self, history: History) -> np.ndarray:
        places = history.places
        given = self.exposure if self.exposure is not None else places.households
        if given is None:
            return np.ones(len(places))
        missing = places.index.difference(given.index)
        if len(missing):
            raise DesignError(f"The exposure lacks {len(missing)} places: {some(missing)}.")
        values = given.reindex(places.index).to_numpy(float)
        if not np.isfinite(values).all() or (values < 0).any() or not values.sum() > 0:
            raise DesignError("The exposure must be 0 or more in every place, and above 0 in some.")
        return np.asarray(np.maximum(values / values.mean(), LEAST_EXPOSURE))


def _dense(history: History) -> np.ndarray:
    return np.asarray(history.counts.toarray())


def _faded(history: History, half_life: float) -> np.ndarray:
    """Fading mean count by place as known at the start of each step, from the first to the origin's.

    Column j holds sum w y / sum w over the held steps before it, w = 0.5 ** (age / half-life).
    """
    key = ("faded", half_life, history.end)
    if key not in history.memo:
        counts, held = _dense(history), history.held
        width = history.end - history.first + 1
        out = np.zeros((len(counts), width))
        total, weight, keep = np.zeros(len(counts)), 0.0, 0.5 ** (1 / half_life)
        for column in range(1, width):
            total, weight = total * keep, weight * keep
            if held[column - 1]:
                total, weight = total + counts[:, column - 1], weight + 1
            out[:, column] = total / weight if weight else 0.0
        history.memo[key] = out
    found: np.ndarray = history.memo[key]
    return found


def mean_of_neighbours(history: History, order: int = 1) -> Any:
    """Mean over the places within so many steps, as a sparse matrix; a place without any gets nothing."""
    from scipy import sparse

    key = ("mean of neighbours", order)
    if key not in history.memo:
        if "touching" not in history.memo:
            history.memo["touching"] = history.places.neighbours().astype(float)
        touching = step = history.memo["touching"]
        for _ in range(order - 1):
            step = step @ history.memo["touching"]
            touching = touching + step
        touching = sparse.csr_array(touching - sparse.diags_array(touching.diagonal()))
        touching.eliminate_zeros()
        touching.data[:] = 1
        number = np.asarray(touching.sum(axis=1)).ravel()
        share = np.divide(1.0, number, out=np.zeros(len(number)), where=number > 0)
        history.memo[key] = sparse.csr_array(sparse.diags_array(share) @ touching)
    return history.memo[key]


def _season(steps: np.ndarray) -> np.ndarray:
    """Two harmonics of the calendar month: times x 4."""
    angle = 2 * np.pi * (np.asarray(steps) % 12) / 12
    return np.column_stack([np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)])
