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
FEWEST_OF_A_GROUP = 20  # places, below which a group shares the dispersion of the rest
DECAYS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
Level = Literal["year", "own"]


@dataclass(frozen=True, eq=False)
class EndemicEpidemic(Method):
    """Fading counts of a place and of its neighbours at several speeds, plus what is always there.

    ``exposure``   Series on the places' index, 0 or more (households, or a risk terrain): the part that no
                   history moves. None takes the places' households where they have any, else one each.
    ``memory``     half-lives in months of the fading counts; each has a weight of its own for the place and
                   for the mean of its neighbours.
    ``months``     the last months that it is fitted on.
    ``orders``     how many steps away a neighbour may be: order o weighs o to the power -``decay``, which is
                   a number or ``"ml"``, the likeliest of 0.5 to 4.
    ``groups``     column of the places whose values have a dispersion each; one for all without.
    ``level``      ``year``: the map is scaled to the mean of the last 12 months, as counts are; ``own``:
                   the level and season of the model.

    mu = season(month) x (eta e + sum a_k E_k + sum b_k W E_k), all weights at or above 0, W the mean of
    the places that touch, season two harmonics, counts negative binomial (Held, Hoehle & Hofmann 2005;
    Meyer & Held 2014; more than one lag: Bracher & Held 2022). Fitted again at every origin by maximum
    likelihood; a weight that runs to 0 is out, and named. Months only; ``DesignError`` below 24 months that
    can be fitted on.
    """

    exposure: pd.Series | None = None
    memory: tuple[float, ...] = MEMORY
    months: int = 48
    level: Level = "year"
    orders: int = 1
    decay: float | Literal["ml"] = "ml"
    groups: str = ""
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
        if self.orders < 1 or (self.decay != "ml" and not self.decay > 0):
            raise DesignError(f"orders is 1 or more and decay above 0; got {self.orders} and {self.decay}.")
        if self.months < FEWEST_MONTHS:
            raise DesignError(
                f"EndemicEpidemic is fitted on {FEWEST_MONTHS} months or more; got {self.months}."
            )

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Mean of the model in each month of the period, summed."""
        need_enough(history, "EndemicEpidemic")
        lag = max(start - history.end, 0)
        fitted, decay = self._fitted(history, lag)
        now = self._parts(history, np.array([history.end]), decay)
        steps = np.arange(start, stop)
        season = np.exp(_season(steps) @ fitted.season).sum()
        base = np.tensordot(fitted.coefficients, now[:, :, 0], axes=1)
        own = base * season
        return own if self.level == "own" else at_level(own, history.level(start, stop))

    def fitted(self, history: History, lag: int = 0) -> Fitted:
        """Weights, season and dispersion by maximum likelihood on the months before the origin.

        ``lag``  months before each that were not known yet: the same gap as in the forecast.
        """
        return self._fitted(history, lag)[0]

    def _fitted(self, history: History, lag: int) -> tuple[Fitted, float]:
        """The likeliest fit, and the decay of its neighbours by order."""
        settings = (value for name, value in vars(self).items() if name not in ("exposure", "level"))
        key = ("endemic", *settings, id(self.exposure), history.end, lag)
        if key not in history.memo:
            steps = self._targets(history, lag)
            counts = _dense(history)[:, steps - history.first]
            decays = DECAYS if self.decay == "ml" and self.orders > 1 else (self._first_decay,)
            fits = []
            for decay in decays:
                parts = self._parts(history, steps - lag, decay)
                seasonal = np.ones(len(parts), bool)
                fits.append(
                    (fit(Parts(parts, seasonal, _season(steps), counts, self._group(history))), decay)
                )
            history.memo[key] = max(fits, key=lambda one: one[0].log_likelihood)
        found: tuple[Fitted, float] = history.memo[key]
        return found

    def fitted_until(self, history: History, start: int, stop: int) -> int:
        """The origin itself: it is fitted at every one."""
        return history.end

    @property
    def _first_decay(self) -> float:
        return 1.0 if self.decay == "ml" else float(self.decay)

    def _group(self, history: History) -> np.ndarray | None:
        """The group of each place by number; those with few places together."""
        if not self.groups:
            return None
        frame = history.places.frame
        if self.groups not in frame:
            raise DesignError(
                f"The places have no column {self.groups!r} to group their dispersion by; they have "
                f"{some([name for name in frame if name != 'geometry'])}."
            )
        values = frame[self.groups].astype(str)
        few = values.map(values.value_counts()) < FEWEST_OF_A_GROUP
        return np.unique(values.mask(few, "few"), return_inverse=True)[1]

    def shares(self, history: History) -> dict[str, float]:
        """How much of the forecast each part makes up, summing to 1; parts at 0 carry nothing."""
        fitted, decay = self._fitted(history, 0)
        parts = self._parts(history, np.array([history.end]), decay).sum(axis=(1, 2)) * fitted.coefficients
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
        words = (
            f"Endemic-epidemic model: {own:.0%} of the forecast from a place's own history, {beside}, {rest}."
        )
        gone = [name for name, share in shares.items() if not share > 0]
        if gone:
            words += f" Weights that ran to 0 and are out: {'; '.join(gone)}."
        fitted, decay = self._fitted(history, 0)
        if self.orders > 1 and near > 0:
            words += (
                f" A neighbour {self.orders} steps away weighs {self.orders**-decay:.2f} of one next door."
            )
        if fitted.by_group:
            low, high = min(fitted.by_group), max(fitted.by_group)
            words += f" Dispersion by {self.groups}: {low:.2f} to {high:.2f}."
        return words

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

    def _parts(self, history: History, origins: np.ndarray, decay: float) -> np.ndarray:
        """What is always there, own fading counts, those of neighbours: parts x places x origins."""
        columns = origins - history.first
        own = [_faded(history, half_life)[:, columns] for half_life in self.memory]
        near = power_of_order(history, self.orders, decay)
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


def power_of_order(history: History, orders: int, decay: float) -> Any:
    """Mean over the places within so many steps, those o steps away weighing o ** -decay; a sparse matrix."""
    from scipy import sparse

    if orders == 1:
        return mean_of_neighbours(history)
    key = ("power of order", orders, decay)
    if key not in history.memo:
        within = [(mean_of_neighbours(history, order) > 0).astype(float) for order in range(1, orders + 1)]
        weight = within[0]
        for order in range(2, orders + 1):
            weight = weight + (within[order - 1] - within[order - 2]) * float(order) ** -decay
        number = np.asarray(weight.sum(axis=1)).ravel()
        share = np.divide(1.0, number, out=np.zeros(len(number)), where=number > 0)
        history.memo[key] = sparse.csr_array(sparse.diags_array(share) @ weight)
    return history.memo[key]


def _season(steps: np.ndarray) -> np.ndarray:
    """Two harmonics of the calendar month: times x 4."""
    angle = 2 * np.pi * (np.asarray(steps) % 12) / 12
    return np.column_stack([np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)])
