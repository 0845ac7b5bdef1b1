"""Fourier: recent smoothed counts, and a surface over space and time made of random waves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from peelian.errors import DesignError
from peelian.predict.baselines import _above_zero
from peelian.predict.history import YEAR, History, Step
from peelian.predict.kde import spread
from peelian.predict.method import FEWEST_ORIGINS, Method, at_level, need_enough
from peelian.predict.regression import EVERY, REFIT, Rows, ridge_weights, rolled, surprise

LAG_STEPS: dict[Step, tuple[int, ...]] = {"month": (1, 3, 6), "day": (14, 28, 56)}
FREEDOM = 2.5  # of the multivariate t that the waves are drawn from
ROUGH = 60  # waves in the search; all of them only in the final fit
SPACE = (500.0, 8_000.0)  # metres
TIME: dict[Step, tuple[float, float]] = {"month": (3.0, 36.0), "day": (60.0, 730.0)}
PENALTY = (1e-5, 1e-2)
LEAST = 1e-3
MOST = 30_000  # rows that a setting is judged on: every so many


@dataclass(frozen=True)
class Setting:
    """``across`` and ``along`` metres, ``time`` steps of the waves, ``penalty``, steps of a ``lag``."""

    across: float
    along: float
    time: float
    penalty: float
    lag: int


@dataclass(frozen=True, eq=False)
class Surface:
    """One fit: the waves, the scaling of the lags and the weights; ``setting`` in use and ``until`` when."""

    setting: Setting
    waves: np.ndarray
    middle: np.ndarray
    scale: np.ndarray
    constant: float
    weights: np.ndarray


@dataclass(frozen=True)
class FourierPoisson(Method):
    """Poisson regression on smoothed counts of recent windows and on random waves over place and time.

    ``bandwidth``  metres of the smoothing; ``lags`` windows back; ``size`` random waves (cosine, sine).
    ``seeds``      fits whose mean is the forecast; ``search`` settings tried (lengths of the waves, penalty,
                   window), each learned on earlier origins and judged on later ones.
    ``origins``    earlier origins that it is trained on; ``refit`` steps between fits (half a year).

    Waves are cos and sin of (x / l, y / m, t / n) W, W from a multivariate t with 2.5 degrees of freedom,
    weighted by ridge (Flaxman, Chirico, Pereira & Loeffler 2019). Scaled to the level of the last year.
    """

    bandwidth: float = 250
    lags: int = 6
    size: int = 100
    seeds: int = 5
    search: int = 30
    origins: int = 16
    refit: int | None = None
    seed: int = 0
    step: Step = "month"

    def __post_init__(self) -> None:
        for name in ("bandwidth", "lags", "size", "seeds", "search", "origins", "refit"):
            _above_zero(name, getattr(self, name))

    def expected(self, history: History, start: int, stop: int) -> np.ndarray:
        """Mean rate of the fits, at the level of the last year."""
        rates = self._rates(history, start, stop)
        return at_level(rates.mean(axis=0), history.level(start, stop))

    def fitted(self, history: History, length: int, lag: int = 0) -> list[Surface]:
        """A surface a seed, from targets over before the last date of fitting."""
        until = self._until(history, length, lag)
        key = ("fourier", *vars(self).values(), until, length, lag)
        if key not in history.memo:
            known = history.before(until)
            need_enough(known, "FourierPoisson")
            history.memo[key] = self._fit(known, length, lag)
        fit: list[Surface] = history.memo[key]
        return fit

    def fitted_until(self, history: History, start: int, stop: int) -> int:
        """The first step that the fit in use did not see."""
        return self._until(history, stop - start, max(start - history.end, 0))

    def _until(self, history: History, length: int, lag: int) -> int:
        every = self.refit or 2 * REFIT[self.step]
        until = history.end - (history.end - history.first) % every
        if not self._starts(history.before(max(until, history.first + 1)), length, lag):
            return history.end
        return until

    def told(self, history: History) -> str:
        """The setting in use and how far the seeds lie apart, in a sentence."""
        length = EVERY[self.step]
        setting = self.fitted(history, length)[0].setting
        rates = self._rates(history, history.end, history.end + length)
        apart = float(np.mean(rates.std(axis=0)) / max(float(rates.mean()), 1e-12))
        return (
            f"Random waves of about {setting.across:,.0f} by {setting.along:,.0f} m and {setting.time:.0f} "
            f"{self.step}s, windows of {setting.lag} {self.step}s; {self.seeds} draws of the waves lie "
            f"{apart:.0%} of a place's forecast apart (standard deviation, mean of places)."
        )

    @property
    def words(self) -> str:
        """The method in words."""
        return "recent smoothed counts and random waves over place and time"

    # ---------------------------------------------------------------- fit
    def _rates(self, history: History, start: int, stop: int) -> np.ndarray:
        need_enough(history, "FourierPoisson")
        surfaces = self.fitted(history, stop - start, max(start - history.end, 0))
        return np.array([_rate(one, self._values(history, start, stop, one.setting.lag)) for one in surfaces])

    def _fit(self, history: History, length: int, lag: int) -> list[Surface]:
        starts = self._starts(history, length, lag)
        if len(starts) < FEWEST_ORIGINS:
            raise DesignError(
                f"FourierPoisson has {len(starts)} earlier origins to learn from; {FEWEST_ORIGINS} are "
                "needed. Use EWMA, or a longer history."
            )
        rows = {steps: self._rows(history, starts, length, lag, steps) for steps in LAG_STEPS[self.step]}
        rng = np.random.default_rng(self.seed)
        tried = [self._drawn(rng) for _ in range(self.search)]
        scores = [self._judged(rows[setting.lag], setting) for setting in tried]
        best = tried[int(np.argmin(scores))]
        return [_learned(rows[best.lag], best, self.size, self.seed + nth) for nth in range(self.seeds)]

    def _judged(self, rows: Rows, setting: Setting) -> float:
        every = -(-len(rows.counts) // MOST)
        known, later = list(rolled(rows.where(np.arange(len(rows.counts)) % every == 0)))[-1]
        return surprise(later.counts, _rate(_learned(known, setting, ROUGH, self.seed), later.values))

    def _drawn(self, rng: np.random.Generator) -> Setting:
        def between(low: float, high: float) -> float:
            return float(np.exp(rng.uniform(np.log(low), np.log(high))))

        return Setting(
            between(*SPACE), between(*SPACE), between(*TIME[self.step]), between(*PENALTY),
            int(rng.choice(LAG_STEPS[self.step])),
        )  # fmt: skip

    def _starts(self, history: History, length: int, lag: int) -> list[int]:
        """Starts of earlier targets, two weeks or a month apart, half a year of history before each."""
        every = max(2 * EVERY[self.step], length) if self.step == "day" else 1
        earliest = history.first + YEAR[self.step] // 2 + lag
        held = history.held
        starts = [
            at
            for at in range(history.end - length, earliest - 1, -every)
            if held[at - history.first : at - history.first + length].all()
        ]
        return starts[: self.origins][::-1]

    def _rows(self, history: History, starts: list[int], length: int, lag: int, steps: int) -> Rows:
        values = [self._values(history.before(at - lag), at, at + length, steps) for at in starts]
        return Rows(
            np.concatenate(values),
            np.concatenate([history.outcome(at, at + length) for at in starts]),
            np.repeat(np.arange(len(starts)), len(history.places)),
            (),
        )

    def _values(self, history: History, start: int, stop: int, steps: int) -> np.ndarray:
        """Place and time of the target, then the smoothed rate of each window back: places x (3 + lags)."""
        key = ("lags", self.bandwidth, self.lags, steps, history.end, start, stop)
        if key not in history.memo:
            points = history.places.points
            columns = [points.x.to_numpy(), points.y.to_numpy(), np.full(len(points), float(start))]
            for back in range(self.lags):
                last = history.end - back * steps
                count = history.outcome(max(last - steps, history.first), max(last, history.first))
                columns.append(spread(count, history, self.bandwidth) / steps * (stop - start))
            history.memo[key] = np.column_stack(columns)
        values: np.ndarray = history.memo[key]
        return values


def _learned(rows: Rows, setting: Setting, size: int, seed: int) -> Surface:
    rng = np.random.default_rng([seed, size])
    waves = rng.normal(size=(3, size)) * np.sqrt(FREEDOM / rng.chisquare(FREEDOM, size))
    logs = _logs(rows.values)
    middle, scale = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-6)
    surface = Surface(setting, waves, middle, scale, 0.0, np.zeros(0))
    constant, weights = ridge_weights(_design(surface, rows.values), rows.counts, setting.penalty)
    return Surface(setting, waves, middle, scale, constant, weights)


def _rate(surface: Surface, values: np.ndarray) -> np.ndarray:
    log = _design(surface, values) @ surface.weights + surface.constant
    return np.asarray(np.exp(np.clip(log, -30, 10)))


def _design(surface: Surface, values: np.ndarray) -> np.ndarray:
    lengths = np.array([surface.setting.across, surface.setting.along, surface.setting.time])
    angle = ((values[:, :3] / lengths) @ surface.waves).astype(np.float32)
    size = np.sqrt(1 / surface.waves.shape[1])
    lags = (_logs(values) - surface.middle) / surface.scale
    return np.hstack([lags, size * np.cos(angle), size * np.sin(angle)]).astype(np.float32)


def _logs(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(values[:, 3:] + LEAST))
