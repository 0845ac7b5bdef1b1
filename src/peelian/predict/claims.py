"""Claims: when may one say that a method does better? Paired differences, their intervals, fixed words.

Numbers in, small results out: ``differences`` per origin, block bootstrap, Diebold & Mariano, Holm.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from peelian.arithmetic.comparison import holm

BLOCK = 4
DRAWS = 4000
ALPHA = 0.05


@dataclass(frozen=True)
class DieboldMariano:
    """Mean difference of two scores over origins, its statistic, two-sided p, and p that it lies below 0."""

    mean: float
    lag: int
    statistic: float
    p: float
    p_lower: float


@dataclass(frozen=True)
class Pair:
    """A method against a reference: differences (method less reference) with 95 % intervals.

    ``log_score`` below 0 and ``hit_rate`` above 0 are better; ``hit_rate`` is at the ``share`` of the
    area that was fixed beforehand. ``p`` is one-sided (log score lower), ``holm`` corrected for the number
    of methods tried. ``beats`` needs both: holm below .05, and the hit rate's lower limit at 0 or above.
    """

    method: str
    reference: str
    log_score: float
    log_score_low: float
    log_score_high: float
    statistic: float
    p_two_sided: float
    p: float
    holm: float
    hit_rate: float
    hit_rate_low: float
    hit_rate_high: float
    beats: bool


@dataclass(frozen=True)
class Verdict:
    """Whether any method may be said to beat plain counts: ``better``, ``not better`` or ``too few``."""

    code: str
    words: str
    method: str

    def __str__(self) -> str:
        return self.words


def diebold_mariano(difference: np.ndarray, *, horizon: int = 1) -> DieboldMariano:
    """Whether a mean difference in score over successive origins could be chance.

    ``difference``  score of one method less that of another, an origin each, in order of time.
    ``horizon``     steps that a forecast spans, in origins.

    Diebold & Mariano (1995): variance of the mean with Bartlett weights to lag floor(n ** (1/3)),
    autocovariances over n; small-sample factor and t on n - 1 of Harvey, Leybourne & Newbold (1997). NaN
    below 3 origins.

    >>> diebold_mariano(np.array([-1.0, -2.0, -1.5, -1.2])).statistic < -3
    True
    """
    d = np.asarray(difference, float)
    n = len(d)
    if n < 3:
        return DieboldMariano(float(d.mean()) if n else float("nan"), 0, *[float("nan")] * 3)
    lag = int(n ** (1 / 3) + 1e-9)
    centred = d - d.mean()
    covariance = [float(centred[j:] @ centred[: n - j]) / n for j in range(lag + 1)]
    variance = covariance[0] + 2 * sum((1 - j / (lag + 1)) * covariance[j] for j in range(1, lag + 1))
    if variance <= 1e-30:
        return DieboldMariano(float(d.mean()), lag, 0.0, 1.0, 1.0)
    factor = np.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
    statistic = float(factor * d.mean() / np.sqrt(variance / n))
    return DieboldMariano(
        float(d.mean()), lag, statistic,
        float(2 * stats.t.sf(abs(statistic), n - 1)), float(stats.t.cdf(statistic, n - 1)),
    )  # fmt: skip


def block_draws(n: int, *, seed: int, draws: int = DRAWS, block: int = BLOCK) -> np.ndarray:
    """How often each of ``n`` origins stands in each redraw: draws x n whole numbers, each row summing to n.

    Circular block bootstrap (Politis & Romano 1992): blocks of ``block`` successive origins, the last cut.
    One set of redraws serves every method, so that differences are paired.

    >>> block_draws(6, seed=1, draws=3).sum(axis=1).tolist()
    [6, 6, 6]
    """
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, n, size=(draws, -(-n // block)))
    at = ((starts[:, :, None] + np.arange(block)) % n).reshape(draws, -1)[:, :n]
    drawn = np.zeros((draws, n), np.int32)
    np.add.at(drawn, (np.repeat(np.arange(draws), n), at.ravel()), 1)
    return drawn


def interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Limits that hold ``level`` of the redraws, those without an answer left out."""
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def ratio_draws(drawn: np.ndarray, above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Pooled ratio (sum of ``above`` over sum of ``below``) in each redraw; NaN where below is 0."""
    bottom = drawn @ below
    return np.divide(drawn @ above, bottom, out=np.full(len(drawn), np.nan), where=bottom > 0)


def confidence_set(scores: Mapping[str, np.ndarray], drawn: np.ndarray) -> dict[str, float]:
    """By method: p of the smallest set of methods that holds the best one and still holds this one.

    ``scores``  lower is better, an origin each, no gaps; ``drawn`` the redraws of ``block_draws``.

    Methods whose p is 0.1 or more make up the model confidence set at 90 %: they cannot be told from the
    best. The worst by its studentised distance from the mean is left out as long as it lies too far off
    (Hansen, Lunde & Nason 2011, the T max statistic).

    >>> good, bad = np.array([1.0, 1.2, 0.9, 1.1] * 6), np.array([2.0, 2.3, 1.9, 2.2] * 6)
    >>> found = confidence_set({"good": good, "bad": bad}, block_draws(24, seed=1, draws=200))
    >>> found["good"], found["bad"] < 0.1
    (1.0, True)
    """
    left, found, running = list(scores), dict[str, float](), 0.0
    losses = {name: np.asarray(scores[name], float) for name in left}
    redrawn = {name: drawn @ losses[name] / drawn.shape[1] for name in left}
    while len(left) > 1:
        mean = np.array([losses[name].mean() for name in left])
        boot = np.column_stack([redrawn[name] for name in left])
        off = mean - mean.mean()
        noise = boot - boot.mean(axis=1, keepdims=True) - off
        spread = np.sqrt(np.maximum((noise**2).mean(axis=0), 1e-18))
        distance = off / spread
        worst = int(distance.argmax())
        running = max(running, float(((noise / spread).max(axis=1) >= distance[worst] - 1e-12).mean()))
        found[left.pop(worst)] = running
    return found | dict.fromkeys(left, 1.0)


def pairs(
    log_scores: Mapping[str, np.ndarray],
    hits: Mapping[str, np.ndarray],
    incidents: np.ndarray,
    *,
    reference: str,
    drawn: np.ndarray,
    seen: Collection[str] = (),
) -> list[Pair]:
    """Every other method against the reference, origin by origin.

    ``log_scores``, ``hits``  by method, an origin each (NaN where the method gave none: left out of its
    pair); ``incidents`` of each origin; ``drawn`` the redraws of ``block_draws``; ``seen`` the methods that
    saw tested months in some input: they are shown, counted among the tried, and never said to beat.
    """
    tested = {}
    for name in log_scores:
        if name != reference:
            both = np.isfinite(log_scores[name]) & np.isfinite(log_scores[reference])
            tested[name] = (both, diebold_mariano((log_scores[name] - log_scores[reference])[both]))
    corrected = dict(zip(tested, holm([test.p_lower for _, test in tested.values()]).tolist(), strict=True))
    out = []
    for name, (both, test) in tested.items():
        some = drawn * both
        d_log = np.where(both, log_scores[name] - log_scores[reference], 0.0)
        d_hit = np.where(both, hits[name] - hits[reference], 0.0)
        total = np.where(both, incidents, 0.0)
        log_low, log_high = interval(ratio_draws(some, d_log, both.astype(float)))
        hit_low, hit_high = interval(ratio_draws(some, d_hit, total))
        hit = float(d_hit.sum() / total.sum()) if total.sum() else float("nan")
        beats = bool(name not in seen and corrected[name] < ALPHA and hit_low >= 0)
        out.append(
            Pair(
                name, reference, test.mean, log_low, log_high, test.statistic, test.p, test.p_lower,
                corrected[name], hit, hit_low, hit_high, beats,
            )
        )  # fmt: skip
    return out


def verdict(
    compared: list[Pair], words: Mapping[str, str], *, origins: int, enough: int, crimes: str, window: str,
    share: float, every: str = "monthly",
) -> Verdict:  # fmt: skip
    """The sentence that opens the page: which method beats plain counts, or that none does.

    ``words`` of each method; ``crimes`` in the plural; ``window`` of the reference; ``share`` of the area.
    """
    reference = compared[0].reference if compared else ""
    if origins < enough:
        return Verdict(
            "too few",
            f"Too few to rank: {origins} {every} forecasts were tested, and at least {enough} are needed. "
            "Use the count until there are.",
            reference,
        )
    better = sorted((pair for pair in compared if pair.beats), key=lambda pair: pair.log_score)
    if not better:
        return Verdict(
            "not better",
            f"No model did better than counting {crimes} over the {window}. Use the count.",
            reference,
        )
    best = better[0]
    name = words.get(best.method, best.method)
    tried = "1 method was" if len(compared) == 1 else f"{len(compared)} methods were"
    return Verdict(
        "better",
        f"{name[0].upper()}{name[1:]} did better than counting {crimes} over the {window}: log score "
        f"{-best.log_score:.4f} lower (95 % interval {-best.log_score_high:.4f} to {-best.log_score_low:.4f} "
        f"lower), and {best.hit_rate * 100:+.1f} points of {crimes} in the {share * 100:.0f} % of the area "
        f"ranked highest ({best.hit_rate_low * 100:+.1f} to {best.hit_rate_high * 100:+.1f}); "
        f"{tried} tried on {origins} {every} forecasts.",
        best.method,
    )
