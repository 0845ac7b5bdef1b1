"""The fit of the self-exciting model: what goes into the EM, the background between its steps, the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from peelian.errors import DesignError
from peelian.predict.covariates import Covariates, poisson_weights
from peelian.predict.dated import Dated
from peelian.predict.ground import Ground, Relief
from peelian.predict.kernel import OMEGA, Kernel
from peelian.predict.linked import Pairs, pairs_within
from peelian.predict.rhythm import Rhythm, rhythm_of
from peelian.predict.triggering import STEPS, Observed, Reach, Triggered, triggered

ADDRESS_FLOOR = 25.0
MANY_A_POINT = 5  # incidents a distinct point from which points are no addresses


@dataclass(frozen=True, eq=False)
class Problem:
    """What one fit sees: incidents, pairs, limits, the ground, features of the background, days held.

    ``held`` by day from the first incident to the end: 0 where nothing was delivered. ``rhythm``: the
    background follows month and weekday.
    """

    events: Dated
    observed: Observed
    pairs: Pairs
    reach: Reach
    ground: Ground
    at: np.ndarray
    held: np.ndarray
    covariates: Covariates | None
    rhythm: bool

    @classmethod
    def of(
        cls, events: Dated, ground: Ground, reach: Reach, held: np.ndarray, *,
        covariates: Covariates | None = None, rhythm: bool = True,
    ) -> Problem:  # fmt: skip
        """Pairs are listed once; those of incidents that cannot be dated to three days are left out."""
        pairs = pairs_within(
            events.time, events.x, events.y, distance=reach.distance, days=reach.days, a_day=events.a_day
        )
        if events.brings is not None:
            pairs = pairs.where(events.brings[pairs.child] & events.brings[pairs.parent])
        if events.row is not None:
            pairs = pairs.where(events.row[pairs.child] != events.row[pairs.parent])
        observed = Observed(events.day, events.part, events.brings, address=events.address)
        at = ground.cells(events.x, events.y)
        return cls(events, observed, pairs, reach, ground, at, held, covariates, rhythm)

    @property
    def first(self) -> int:
        """The day of the first incident."""
        return int(self.observed.day[0])

    @property
    def all_days(self) -> np.ndarray:
        """Every day from the first incident to the end."""
        return np.arange(self.first, self.reach.end)

    @property
    def counted_days(self) -> np.ndarray:
        """What each day counts for: held or not, and how often its month was drawn."""
        return self.held if self.observed.drawn is None else self.held * self.observed.drawn

    def drawn(self, by_day: np.ndarray) -> Problem:
        """The same with each day counted so many times."""
        return replace(self, observed=replace(self.observed, drawn=by_day))

    def weighed(self, chance: np.ndarray) -> np.ndarray:
        """Chances to be background, each as often as its incident counts."""
        weight = self.observed.weight
        return chance if weight is None else chance * weight


@dataclass(frozen=True, eq=False)
class Lasting:
    """A background: chances to be it (as often as they count), its rhythm, and what it follows.

    ``follows`` the weights of the covariates; ``relief`` their factor on the ground.
    """

    weight: np.ndarray
    rhythm: Rhythm | None
    follows: np.ndarray
    relief: Relief | None

    @classmethod
    def of(cls, problem: Problem, chance: np.ndarray) -> Lasting:
        """The M step of the background: rhythm by day, Poisson weights of the features by place."""
        weight, rhythm = problem.weighed(chance), None
        if problem.rhythm:
            by_day = np.bincount(problem.observed.day - problem.first, weight, len(problem.held))
            rhythm = rhythm_of(problem.all_days, by_day, problem.counted_days)
        if problem.covariates is None:
            return cls(weight, rhythm, np.zeros(0), None)
        values = problem.covariates.values
        follows = poisson_weights(np.bincount(problem.events.place, weight, len(values)), values)
        relief = problem.ground.relief(problem.covariates.factor(follows))
        return cls(weight, rhythm, follows, relief)

    def by_day(self, days: np.ndarray) -> np.ndarray:
        """What the background of each day is multiplied by."""
        return np.ones(len(days)) if self.rhythm is None else self.rhythm.of_days(days)

    def rate(self, problem: Problem) -> np.ndarray:
        """The rate at each incident, per square metre and day, leaving itself out."""
        row = problem.events.row
        own = None if row is None else np.bincount(row, self.weight)[row]
        density = problem.ground.rate(problem.at, self.weight, self.relief, own)
        days = self.by_day(problem.all_days)[problem.observed.day - problem.first]
        return density / problem.counted_days.sum() * days


def fit_to(problem: Problem, *, start: Kernel | None = None, steps: int = STEPS) -> tuple[Triggered, Lasting]:
    """Kernel and background of a problem."""
    found = triggered(
        problem.observed, problem.pairs, problem.reach,
        lambda chance: Lasting.of(problem, chance).rate(problem),
        inside=lambda kernel: problem.ground.inside(problem.at, kernel, problem.reach.distance),
        start=start, steps=steps,
    )  # fmt: skip
    return found, Lasting.of(problem, found.background)


def share_of(problem: Problem, lasting: Lasting) -> float:
    """Share of incidents that are background."""
    weight = problem.observed.weight
    return float(lasting.weight.sum() / (len(lasting.weight) if weight is None else weight.sum()))


def apart(x: np.ndarray, y: np.ndarray) -> tuple[float, int]:
    """Median distance from a distinct point to the next (of addresses or snap points), and their number."""
    distinct = np.unique(x + 1j * y)
    if len(distinct) < 2:
        return ADDRESS_FLOOR, len(distinct)
    points = np.column_stack([distinct.real, distinct.imag])
    return float(np.median(cKDTree(points).query(points, k=2)[0][:, 1])), len(distinct)


def refuse_snapped(floor: float, distance: float) -> None:
    """``DesignError`` where points lie so far apart that no spread within reach could be told."""
    if floor > distance / 2:
        raise DesignError(
            f"Half of the distinct points lie {floor:.0f} m or more from the next (snapped, or few), and "
            f"triggering is looked for within {distance:g} m: how far it reaches cannot be told. Raise "
            "distance above twice that, give a floor of your own, or use EWMA or the blend."
        )


def warnings_of(found: Triggered, reach: Reach) -> dict[str, str]:
    """What is doubtful about a fit: a name, and a sentence."""
    kernel = found.kernel
    said = {
        "floor": (
            kernel.near > 0.01 and kernel.sigma <= reach.floor * 1.001,
            "The spread stands at its floor: points are snapped or repeat, and how far triggering reaches is "
            "not known.",
        ),
        "omega": (
            not OMEGA[0] * 1.01 < kernel.omega < OMEGA[1] * 0.99,
            "The delay stands at its limit: dates cannot tell triggering from chance or from lasting "
            "differences.",
        ),
        "theta low": (
            kernel.total < 0.01,
            "Hardly anything is triggered: it behaves like a map of past counts.",
        ),
        "theta high": (
            kernel.total > 0.95,
            "Nearly everything is triggered, which no crime data support: do not use it.",
        ),
        "shared points": (
            reach.points > 0 and len(found.background) > MANY_A_POINT * reach.points,
            f"{len(found.background):,} incidents lie at {reach.points:,} points: a repeat at one place is "
            "one at a shared point, and busy points look like triggering.",
        ),
        "steps": (not found.settled, f"The fit had not settled after {found.steps} steps."),
    }
    return {name: sentence for name, (doubtful, sentence) in said.items() if doubtful}
