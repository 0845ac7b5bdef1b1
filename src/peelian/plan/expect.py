"""What may be expected of a plan, how sure that is, and what its promise would need to be true."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, DesignError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.programme import Plan

Fade = Literal["lasting", "half at 6, zero at 12"]
GONE = 12.0  # months after which a fading effect is nothing
Z95 = 1.959963984540054
CHUNK = 250  # draws held in memory at once


@dataclass(frozen=True)
class Belief:
    """The effect that is assumed, and how far the rest may stray: everything that the draws need.

    ``effect``, ``low``, ``high``  ratio of crime with to crime without, at full strength, and its 95 %
    interval; ``fade`` how it wears off; ``years`` over which crime is counted; ``delivery_months`` over
    which the kits go out evenly (0: all on the first day); ``risk_years`` of incidents that an area's risk
    rests on; ``level_sd`` standard deviation of the log of the whole region's level when the time comes;
    ``draws`` how many. ``attained`` share of homes that will in fact get a kit, on average over what may
    come, with standard deviation ``attained_sd`` (None: the ``saturation`` planned); the fall is in
    proportion to it.

    Raises ``DataError`` for an effect outside its own interval, for a ratio of 0 or less, and for a share
    attained that no beta distribution has.
    """

    effect: float
    low: float
    high: float
    fade: Fade = "half at 6, zero at 12"
    years: float = 1.0
    delivery_months: float = 0.0
    risk_years: float = 2.0
    level_sd: float = 0.0
    draws: int = 2000
    attained: float | None = None
    attained_sd: float = 0.0
    saturation: float = 0.85

    def __post_init__(self) -> None:
        mean, sd = self.attained, self.attained_sd
        if mean is not None and not (0 < mean < 1 and 0 <= sd**2 < mean * (1 - mean)):
            raise DataError(
                f"attained is {mean:g} with a standard deviation of {sd:g}; it must be a share between 0 and "
                f"1, and the deviation below {math.sqrt(max(mean * (1 - mean), 0)):g}."
            )
        if not 0 < self.low <= self.effect <= self.high:
            raise DataError(
                f"effect is {self.effect:g} with an interval of {self.low:g} to {self.high:g}; it must be a "
                "ratio above 0 that lies inside its interval (0.9 means a tenth fewer)."
            )

    @property
    def reach(self) -> float:
        """The share attained on average, over that planned: what the fall is multiplied by."""
        return 1.0 if self.attained is None else self.attained / self.saturation

    @property
    def effect_years(self) -> float:
        """Years at full effect that an area gives, all told."""
        return effect_years(self.years, fade=self.fade, delivery_months=self.delivery_months)


@dataclass(frozen=True, eq=False)
class Expected:
    """Incidents prevented: the middle of the draws, the middle half and 95 % of them.

    ``by_source`` what the interval would be were only one thing uncertain (areas' risk, the region's level,
    the effect, homes reached); ``nothing`` share of draws that prevent nothing or less; ``pounds`` per
    incident prevented (middle, low, high), or None where more than 5 % of draws prevent
    nothing; ``draws`` themselves.
    """

    median: float
    low: float
    high: float
    low50: float
    high50: float
    nothing: float
    by_source: pd.DataFrame
    pounds: tuple[float, float, float] | None
    draws: NDArray[np.float64]


def effect_years(years: float, *, fade: Fade, delivery_months: float = 0.0) -> float:
    """Years at full effect that an area gives within so many years, on average over the areas.

    Delivery runs evenly over ``delivery_months`` from the first day; a fading effect falls in a straight
    line to nothing over 12 months (Chainey 2022 saw marked homes back at their baseline by month 12).
    Raises ``DesignError`` when delivery takes longer than the years counted.

    >>> effect_years(5, fade="lasting"), effect_years(5, fade="lasting", delivery_months=60)
    (5.0, 2.5)
    >>> effect_years(5, fade="half at 6, zero at 12")
    0.5
    """
    months = 12.0 * years
    if delivery_months > months:
        raise DesignError(f"Delivery takes {delivery_months:g} months; only {months:g} are counted.")
    if not delivery_months:
        return _reach(months, fade) / 12
    whole = _reach_sum(months, fade) - _reach_sum(months - delivery_months, fade)
    return whole / delivery_months / 12


def by_year(belief: Belief, held: Expected) -> pd.DataFrame:
    """What is expected in each year of the programme: kits not yet out and effects that are gone left aside.

    One row a year: ``year``, ``share`` of all that is prevented, ``prevented`` with ``low`` and ``high``.
    """
    import pandas as pd

    whole = belief.effect_years
    ends = [min(float(at), belief.years) for at in range(1, math.ceil(belief.years) + 1)]
    sums = [0.0, *(_reached(12 * end, belief) for end in ends)]
    rows = []
    for at, (before, now) in enumerate(pairwise(sums), start=1):
        share = (now - before) / whole if whole else 0.0
        rows.append((at, share, share * held.median, share * held.low, share * held.high))
    return pd.DataFrame(rows, columns=["year", "share", "prevented", "low", "high"])


def _reached(months: float, belief: Belief) -> float:
    """Years at full effect that areas have given by so many months after the first kit."""
    delivery = belief.delivery_months
    if not delivery:
        return _reach(months, belief.fade) / 12
    late = max(months - delivery, 0.0)
    return (_reach_sum(months, belief.fade) - _reach_sum(late, belief.fade)) / delivery / 12


def _reach(months: float, fade: Fade) -> float:
    """Months at full effect in the first so many after delivery."""
    if fade == "lasting":
        return months
    within = min(months, GONE)
    return within - within**2 / (2 * GONE)


def _reach_sum(months: float, fade: Fade) -> float:
    """The integral of ``_reach``: what areas begun evenly over time add up to."""
    if fade == "lasting":
        return months**2 / 2
    within = min(months, GONE)
    return within**2 / 2 - within**3 / (6 * GONE) + GONE / 2 * (months - within)


def expected(plan: Plan, belief: Belief, *, seed: int, cost: float | None = None) -> Expected:
    """Incidents that the plan may prevent, from draws of everything that is uncertain.

    ``cost`` in pounds, of the whole plan. Draws: an area's rate from a gamma (mean its risk, variance risk
    over ``risk_years``), its incidents from a Poisson, the region's level from a lognormal, the log of the
    effect from a normal, the share of homes reached from a beta; prevented = incidents at full effect x
    level x (1 - ratio) x share reached over share planned. One seed, one answer.
    """
    import numpy as np
    import pandas as pd

    chosen = (plan.frame["arm"] == "treated").to_numpy()
    risk = plan.frame["risk"].to_numpy()
    covered, level, ratio = _draws(risk, chosen[:, None].astype(float), belief, seed)
    mean, reached = float(risk[chosen].sum()) * belief.effect_years, _reached_homes(belief, seed)
    prevented = covered[:, 0] * level * (1 - ratio) * reached
    saved = (1 - belief.effect) * belief.reach
    alone = {
        "all of them": prevented,
        "the effect": mean * (1 - ratio) * belief.reach,
        "the level of crime": mean * level * saved,
        "which areas": covered[:, 0] * saved,
    }
    if belief.attained is not None and belief.attained_sd:
        alone["homes reached"] = mean * (1 - belief.effect) * reached
    rows = [{"source": name, **_quantiles(values)} for name, values in alone.items()]
    middle = _quantiles(prevented)
    nothing = float(np.mean(prevented <= 0))
    pounds = None
    if cost is not None and nothing <= 0.05:
        each = _quantiles(cost / np.maximum(prevented, 1e-9))
        pounds = (each["median"], each["low"], each["high"])
    return Expected(**middle, nothing=nothing, by_source=pd.DataFrame(rows), pounds=pounds, draws=prevented)


def compare_plans(
    plan: Plan, others: Mapping[str, pd.Series], belief: Belief, *, seed: int, name: str = "this plan"
) -> pd.DataFrame:
    """The plan beside other uses of the same kits, on the same draws.

    ``others``  name -> kits by place. A place's crime counts as covered by the share of its need it gets.

    Returns one row a plan: ``plan``, ``areas`` that reach the line, ``kits``, ``risk_share`` (of expected
    incidents, covered), ``prevented`` with ``low`` and ``high``, and ``less`` (fewer prevented than by this
    plan) with ``less_low`` and ``less_high``.
    """
    import numpy as np
    import pandas as pd

    frame = plan.frame
    need, risk = frame["need"].to_numpy(float), frame["risk"].to_numpy()
    kits = {name: frame["kits"], **{k: v.reindex(frame.index, fill_value=0) for k, v in others.items()}}
    given = np.column_stack([series.to_numpy(float) for series in kits.values()])
    cover = np.minimum(np.divide(given, need[:, None], out=np.zeros_like(given), where=need[:, None] > 0), 1)
    covered, level, ratio = _draws(risk, cover, belief, seed)
    prevented = covered * (level * (1 - ratio) * _reached_homes(belief, seed))[:, None]
    rows = []
    for at, label in enumerate(kits):
        less = _quantiles(prevented[:, 0] - prevented[:, at])
        middle = _quantiles(prevented[:, at])
        rows.append(
            {
                "plan": label, "areas": int((cover[:, at] >= 1).sum()), "kits": round(given[:, at].sum()),
                "risk_share": float(risk @ cover[:, at] / risk.sum()), "prevented": middle["median"],
                "low": middle["low"], "high": middle["high"], "less": less["median"],
                "less_low": less["low"], "less_high": less["high"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def highest_count_first(plan: Plan) -> pd.Series:
    """Kits by place were the areas of most expected crime taken first, whatever they need."""
    import numpy as np
    import pandas as pd

    from peelian.plan.knapsack import greedy

    frame = plan.frame
    risk, need = frame["risk"].to_numpy(), frame["need"].to_numpy()
    open_ = (risk > 0) & (need > 0) & ~frame.index.isin(plan.summary["must_not"])
    order = np.argsort(-risk, kind="stable")
    chosen = greedy(risk, need, plan.summary["kits_limit"], order[open_[order]])
    return pd.Series(np.where(chosen, need, 0), index=frame.index, name="kits")


def spread_evenly(plan: Plan) -> pd.Series:
    """Kits by place were they spread over all homes alike (in parts of a kit)."""
    homes = plan.frame["households"]
    return (plan.summary["kits_limit"] * homes / homes.sum()).rename("kits")


def required_effect(plan: Plan, promise: float, *, years: float = 5.0) -> pd.DataFrame:
    """The fall in the chosen areas that a promise of so many fewer incidents needs.

    ``promise``  incidents prevented over ``years``.

    Returns one row a course of delivery and fading: ``delivery``, ``fade``, ``needed`` (the share by which
    crime must fall at first; above 1 it cannot be met at all).
    """
    import pandas as pd

    risk = float(plan.chosen["risk"].sum())
    courses: list[tuple[str, float, Fade]] = [
        ("all on the first day", 0.0, "lasting"),
        ("evenly over the years", 12.0 * years, "lasting"),
        ("all on the first day", 0.0, "half at 6, zero at 12"),
        ("evenly over the years", 12.0 * years, "half at 6, zero at 12"),
    ]
    rows = [
        {
            "delivery": words,
            "fade": fade,
            "needed": promise / (risk * effect_years(years, fade=fade, delivery_months=months)),
        }
        for words, months, fade in courses
    ]
    return pd.DataFrame(rows)


def level_spread(counts: pd.Series, *, gap_months: int) -> float:
    """How far the region's level strays from one year to the one the plan is counted in: SD of its log.

    ``counts`` by (place, month). Each 12 months are set beside the 12 that begin ``gap_months`` after them,
    a year apart. 0 where fewer than three such pairs exist: then the interval leaves this source out.
    """
    import numpy as np

    total = counts.groupby(level="month").sum().sort_index().to_numpy(float)
    ends = range(len(total) - gap_months - 12, 11, -12)
    pairs = [
        (total[end - 12 : end].sum(), total[end + gap_months : end + gap_months + 12].sum()) for end in ends
    ]
    logs = [math.log(after / before) for before, after in pairs if before > 0 and after > 0]
    return float(np.std(logs, ddof=1)) if len(logs) >= 3 else 0.0


def _draws(
    risk: NDArray[np.float64], cover: NDArray[np.float64], belief: Belief, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Covered incidents by draw and plan, at full effect; the level; the ratio.

    Every area of any risk is drawn whatever the plans cover, so that one seed gives one future.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    level = np.exp(belief.level_sd * rng.standard_normal(belief.draws) - belief.level_sd**2 / 2)
    spread = (math.log(belief.high) - math.log(belief.low)) / (2 * Z95)
    ratio = np.exp(math.log(belief.effect) + spread * rng.standard_normal(belief.draws))
    shape, weights = risk[risk > 0] * belief.risk_years, cover[risk > 0]
    incidents = np.empty((belief.draws, cover.shape[1]))
    for first in range(0, belief.draws, CHUNK):
        size = min(CHUNK, belief.draws - first)
        rates = rng.standard_gamma(shape, (size, len(shape))) / belief.risk_years
        incidents[first : first + size] = rng.poisson(rates * belief.effect_years) @ weights
    return incidents, level, ratio


def _reached_homes(belief: Belief, seed: int) -> NDArray[np.float64]:
    """(draws,): share of homes reached over the share planned; its own generator, so that others stay."""
    import numpy as np

    mean, sd = belief.attained, belief.attained_sd
    if mean is None or not sd:
        return np.full(belief.draws, belief.reach)
    size = mean * (1 - mean) / sd**2 - 1
    rng = np.random.default_rng([seed, 1])
    return rng.beta(mean * size, (1 - mean) * size, belief.draws) / belief.saturation


def _quantiles(values: NDArray[Any]) -> dict[str, float]:
    import numpy as np

    names = ("low", "low50", "median", "high50", "high")
    found = np.quantile(values, [0.025, 0.25, 0.5, 0.75, 0.975])
    return dict(zip(names, map(float, found), strict=True))
