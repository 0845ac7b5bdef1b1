"""Hawkes: a lasting background and what each incident brings, at its own place and round it (ETAS)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from peelian.errors import DesignError
from peelian.predict.covariates import covariates_of, per_household
from peelian.predict.dated import Dated, Long, dated
from peelian.predict.ground import Ground, laid_on_cells, least_surprising
from peelian.predict.hawkes_fit import (
    ADDRESS_FLOOR,
    Lasting,
    Problem,
    apart,
    fit_to,
    refuse_snapped,
    share_of,
    warnings_of,
)
from peelian.predict.history import History, Step
from peelian.predict.kernel import Kernel, over_period
from peelian.predict.laid import on_cells, to_places
from peelian.predict.method import Method, need_enough
from peelian.predict.near_repeat import need_days
from peelian.predict.rhythm import Rhythm
from peelian.predict.triggering import Reach, Triggered

if TYPE_CHECKING:
    import pandas as pd

    from peelian.predict.beside import Beside

Spread = Literal["gaussian", "power"]


@dataclass(frozen=True, eq=False)
class Fit:
    """What was fitted: the kernel, the background by cell, and what it says of itself.

    ``background`` incidents a day by cell; ``share`` of incidents that are background; ``rhythm`` of the
    background by month and weekday; ``follows`` covariate -> weight for one standard deviation (log);
    ``found`` the EM's own answer (of the first draw where there are several); ``long`` windows too long to
    bring anything; ``drawn`` the kernel of each draw; ``warnings`` name -> sentence.
    """

    kernel: Kernel
    background: np.ndarray
    share: float
    rhythm: Rhythm | None
    follows: dict[str, float]
    reach: Reach
    found: Triggered
    until: int
    long: int
    drawn: tuple[Kernel, ...]
    warnings: dict[str, str]


@dataclass(frozen=True, eq=False)
class Hawkes(Method):
    """A lasting background, and what each incident brings: repeats at its place, others near it.

    ``bandwidth``    metres of the background's Gaussian; ``"cv"`` takes the one under which the incidents of
                     the last year were least surprising, seen from those before, among 150 to 1,000 m.
    ``distance``     metres and ``days``: where triggering is cut. ``spread``: ``gaussian`` or ``power`` law.
    ``floor``        least spread in metres; None: the median distance from a distinct point to the next, at
                     least 25 m: below it a Gaussian runs into the snapping of the points.
    ``repeat_area``  square metres that one place stands for; None: the square of that median distance;
                     ``"households"``: by place, its area over its households.
    ``same``         what one place is: points within 1 ``metre``, or one ``address`` key (and such points).
    ``refit``        fitted anew every so many days; between fits only recent incidents change the forecast.
    ``covariates``   what the background follows: ``prior`` (the risk terrain), ``households``, ``layers`` and
                     columns that ``beside`` holds (``[predict.features]``), columns of the places; it is
                     exp(features x weights) x a smooth surface. ``rhythm``: it follows month
                     and weekday too.
    ``long``         windows over 72 hours: ``exclude`` keeps them in the background, ``spread`` gives each
                     day its part. Shorter ones stand at their middle.
    ``untie``        ``"jitter"``: ``draws`` moments drawn from each window, and the fits averaged; without
                     it, incidents of one day never bring each other.
    ``resamples``    of months, for the standard errors that ``told`` prints, in ``workers`` processes.

    Rate = b(s) c(t) + sum over earlier incidents of omega exp(-omega age) x (repeat at the same place /
    repeat_area + near x spread). Fitted by EM (Veen & Schoenberg 2008; Mohler et al. 2011). The expected
    count of a period is in closed form: what is brought dies away while it brings more. Needs dates by day,
    ``DesignError`` otherwise and for points too far apart; areas have a grid laid under them.
    """

    bandwidth: float | Literal["cv"] = "cv"
    distance: float = 500
    days: int = 180
    repeat_area: float | Literal["households"] | None = None
    floor: float | None = None
    refit: int = 91
    spread: Spread = "gaussian"
    covariates: tuple[str, ...] = ()
    rhythm: bool = True
    long: Long = "exclude"
    untie: Literal["jitter"] | None = None
    draws: int = 5
    resamples: int = 40
    workers: int = 1
    seed: int = 0
    same: Literal["metre", "address"] = "metre"
    prior: pd.Series | None = None
    prior_to: str | None = None
    beside: Beside | None = None
    step: Step = "day"

    def __post_init__(self) -> None:
        need_days(self.step, "Hawkes")
        if isinstance(self.covariates, str):
            object.__setattr__(self, "covariates", (self.covariates,))
        widths = () if self.bandwidth == "cv" else (self.bandwidth,)
        numbers = (*widths, self.distance, self.days, self.refit, self.draws, self.resamples, self.workers)
        if not all(value > 0 for value in numbers):
            raise DesignError("Hawkes takes a bandwidth, a distance, days, refit and draws above 0.")
        _one_of("spread", self.spread, ("gaussian", "power"))
        _one_of("long", self.long, ("exclude", "spread"))
        _one_of("untie", self.untie, (None, "jitter"))
        _one_of("same", self.same, ("metre", "address"))
        if isinstance(self.repeat_area, str):
            _one_of("repeat_area", self.repeat_area, ("households",))

    @property
    def inputs(self) -> dict[str, str | None]:
        """What the background follows: the last month that each has seen, None where nobody says."""
        out = super().inputs if "prior" in self.covariates else {}
        if self.beside is None:
            return out
        if "layers" in self.covariates:
            out = out | self.beside.inputs(("layers",))
        columns = self.beside.columns
        return out | {f"column {name}": columns[name] or None for name in self.covariates if name in columns}

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Background and triggered incidents of the period, by cell, in closed form."""
        cells, fit = on_cells(history), self.fitted(history)
        kernel, recent = fit.kernel, dated(cells.points, long=self.long)
        keep = recent.time >= start - self.days
        recent = recent.where(keep if recent.brings is None else keep & recent.brings)
        age = np.maximum(start - recent.time - 0.5, 0)
        rate = kernel.omega * np.exp(-kernel.omega * age) / -np.expm1(-kernel.omega * self.days)
        rate = rate if recent.part is None else rate * recent.part
        own = np.bincount(recent.place, kernel.repeat * rate, len(cells.places))
        near = laid_on_cells(cells, recent.x, recent.y, kernel.near * rate, kernel, self.distance)
        rhythm = None if fit.rhythm is None else fit.rhythm.of_days(np.arange(start, stop))
        return to_places(history, over_period(fit.background, own + near, kernel, stop - start, rhythm))

    def fitted(self, history: History) -> Fit:
        """Kernel and background by cell, from incidents before the last date of fitting."""
        until = self._until(history)
        memo = on_cells(history).memo
        settings = {name: value for name, value in vars(self).items() if name not in ("prior", "beside")}
        key = ("hawkes", *settings.values(), id(self.prior), id(self.beside), until)
        if key not in memo:
            known = history.before(until)
            need_enough(known, "Hawkes")
            memo[key] = self._fit(known)
        fit: Fit = memo[key]
        return fit

    def fitted_until(self, history: History, start: int, stop: int) -> int:
        """The first day that the fit in use did not see."""
        return self._until(history)

    def _until(self, history: History) -> int:
        since = history.end - history.first
        return history.end - since % self.refit if since >= self.refit + self.days else history.end

    def problems(self, history: History) -> list[Problem]:
        """What is fitted: one problem, or one for each draw of moments."""
        cells = on_cells(history)
        events, width = cells.points, self.bandwidth
        if self.same == "metre":
            events = replace(events, address=None)
        elif events.address is None:
            raise DesignError(
                "These incidents carry no address key, so one place cannot be one address. Leave same out."
            )
        ground = Ground.of(cells, least_surprising(cells) if width == "cv" else width)
        features = covariates_of(history, self.covariates, self.prior, self.beside)
        if self.untie is None:
            draws = [dated(events, long=self.long)]
        else:
            draws = [
                dated(events, long=self.long, draw=np.random.default_rng([self.seed, nth]))
                for nth in range(self.draws)
            ]
        out = []
        for one in draws:
            reach = self._reach(history, one, cells.end)
            held = cells.held[int(one.day[0]) - cells.first :].astype(float)
            out.append(Problem.of(one, ground, reach, held, covariates=features, rhythm=self.rhythm))
        return out

    def _reach(self, history: History, events: Dated, end: int) -> Reach:
        given = isinstance(self.repeat_area, int | float)
        between, points = (0.0, 0) if given and self.floor else apart(events.x, events.y)
        floor = self.floor or max(between, ADDRESS_FLOOR)
        refuse_snapped(floor, self.distance)
        area: float | np.ndarray = between**2
        if self.repeat_area == "households":
            area = per_household(history)[events.place]
        elif self.repeat_area is not None:
            area = float(self.repeat_area)
        return Reach(self.distance, self.days, area, floor, end, self.spread == "power", points)

    def _fit(self, history: History) -> Fit:
        fits = [(problem, *fit_to(problem)) for problem in self.problems(history)]
        problem, found, lasting = fits[0]
        kernels = tuple(one.kernel for _, one, _ in fits)
        kernel = Kernel(*np.mean([list(vars(one).values()) for one in kernels], axis=0).tolist())
        background = np.mean([_by_cell(p, last) for p, _, last in fits], axis=0)
        share = float(np.mean([share_of(p, last) for p, _, last in fits]))
        follows = np.mean([last.follows for _, _, last in fits], axis=0)
        rhythm = lasting.rhythm
        if rhythm is not None and len(fits) > 1:
            every = [last.rhythm for _, _, last in fits if last.rhythm is not None]
            rhythm = Rhythm(
                np.mean([one.months for one in every], axis=0),
                np.mean([one.weekdays for one in every], axis=0),
            )
        names = () if problem.covariates is None else problem.covariates.names
        return Fit(
            kernel, background, share, rhythm, dict(zip(names, follows.tolist(), strict=True)),
            problem.reach, found, history.end, problem.events.long, kernels,
            warnings_of(replace(found, kernel=kernel), problem.reach),
        )  # fmt: skip

    def told(self, history: History) -> str:
        """What the fit says, in sentences: background, repeats, delay, reach, and what is doubtful."""
        from peelian.predict.hawkes_told import sentences

        return sentences(self, history)

    @property
    def words(self) -> str:
        """The method in words."""
        return "a lasting background and what each incident brings near it"


def _by_cell(problem: Problem, lasting: Lasting) -> np.ndarray:
    held = float(problem.counted_days.sum())
    return problem.ground.by_place(problem.at, lasting.weight, lasting.relief) / held


def _one_of(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        known = " or ".join("nothing" if one is None else f'"{one}"' for one in allowed)
        raise DesignError(f"{name} of Hawkes is {known}; got {value!r}.")
