"""How likely the benefits exceed the costs, given how uncertain the effect, the values and the costs are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from peelian.account.costs import Interval

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def simulate(
    ratio: float,
    se_log: float,
    treated_after: float,
    *,
    cost: Interval,
    unit_values: Mapping[str, Interval],
    worth: float = 1.0,
    seed: int,
    draws: int = 10_000,
) -> pd.DataFrame:
    """The chance that benefits exceed costs, and the 5, 50 and 95 % points of their ratio, by perspective.

    ``ratio, se_log``   the effect as a rate ratio and the standard error of its logarithm (drawn as normal).
    ``treated_after``   crimes recorded in treated places, T: prevented = T (1 / ratio - 1).
    ``cost``            present value of the cost in pounds with its range; ``unit_values`` pounds per crime
                        with theirs, by line: both drawn as triangular (low, value, high), values of all
                        lines together.
    ``worth``           what a pound of benefit counts for today.

    Columns ``p_above_1``, ``bcr_05``, ``bcr_50``, ``bcr_95``. Same seed, same numbers.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    prevented = treated_after * (np.exp(-(math.log(ratio) + se_log * rng.standard_normal(draws))) - 1)
    return _by_line(prevented, rng, cost, unit_values, worth)


def simulate_net(
    prevented: Interval,
    *,
    cost: Interval,
    unit_values: Mapping[str, Interval],
    worth: float = 1.0,
    seed: int,
    draws: int = 10_000,
) -> pd.DataFrame:
    """The same for a number prevented net of what moved next door, drawn as normal from its 95 % interval.

    The net is a sum of counts inside and around the treated places, so its interval is symmetric and may
    hold less than nothing; a ratio would not. Other arguments and columns as for ``simulate``.
    """
    import numpy as np
    from scipy.special import ndtri

    rng = np.random.default_rng(seed)
    spread = (prevented.high - prevented.low) / (2 * float(ndtri(1 - 0.05 / 2)))
    drawn = prevented.value + spread * rng.standard_normal(draws)
    return _by_line(drawn, rng, cost, unit_values, worth)


def _by_line(
    prevented: np.ndarray,
    rng: np.random.Generator,
    cost: Interval,
    unit_values: Mapping[str, Interval],
    worth: float,
) -> pd.DataFrame:
    """The chance and the points of the ratio by line, over draws of the number prevented."""
    import numpy as np
    import pandas as pd

    draws = len(prevented)
    place, spend = rng.random(draws), _triangular(rng.random(draws), cost)
    rows = {}
    for line, value in unit_values.items():
        bcr = prevented * _triangular(place, value) * worth / spend
        low, middle, high = np.quantile(bcr, [0.05, 0.5, 0.95])
        rows[line] = (float((bcr > 1).mean()), float(low), float(middle), float(high))
    names = ["p_above_1", "bcr_05", "bcr_50", "bcr_95"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names).rename_axis("line")


def chance_of_paying(ratio: float, se_log: float, treated_after: float, break_even: float) -> float:
    """The chance that benefits exceed costs where only the effect is uncertain, in closed form.

    Phi((ln(T / (T + b)) - ln ratio) / se), T the crimes recorded in treated places, b those to prevent.

    >>> round(chance_of_paying(0.8, 0.05, 1000, 250), 3)
    0.5
    """
    from scipy.special import ndtr

    needed = math.log(treated_after / (treated_after + break_even))
    return float(ndtr((needed - math.log(ratio)) / se_log))


def _triangular(place: np.ndarray, of: Interval) -> np.ndarray:
    """The quantile at these places (0 to 1) of a triangular distribution; the value where it has no width."""
    import numpy as np

    value, low, high = of
    if not high > low:
        return np.full_like(place, value)
    turn = (value - low) / (high - low)
    rising = low + np.sqrt(place * (high - low) * (value - low))
    falling = high - np.sqrt((1 - place) * (high - low) * (high - value))
    return np.where(place < turn, rising, falling)
