"""What one more unit cost, and what the whole was worth by who gets it. Numbers in, small results out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

MINUTES_IN_AN_HOUR = 60


class Interval(NamedTuple):
    """A value with its interval; ``low`` and ``high`` equal the value where it is known exactly."""

    value: float
    low: float
    high: float


def exactly(value: float) -> Interval:
    """A number known without error, as an interval of no width.

    >>> exactly(3.0)
    Interval(value=3.0, low=3.0, high=3.0)
    """
    return Interval(float(value), float(value), float(value))


def cost_per_unit(cost: float, units: Interval | float, *, what: str = "units") -> Interval:
    """Pounds for one unit: a kit, a household, a crime prevented; with the interval of the units.

    ``cost`` in pounds; ``units`` a number or its interval; ``what`` they are, for the message.

    Raises ``DesignError`` where the units may be none: then no cost per unit can be given.

    >>> round(cost_per_unit(5_600_000, 440_000).value, 2)
    12.73
    """
    value, low, high = units if isinstance(units, tuple) else exactly(units)
    if low <= 0:
        includes = (
            "are none"
            if low == high
            else f"have an interval of {low:,.0f} to {high:,.0f}, which includes zero"
        )
        raise DesignError(f"The {what} {includes}: a cost for each cannot be given.")
    return Interval(cost / value, cost / high, cost / low)


def hours_saved(prevented: Interval, hours_per_crime: float) -> Interval:
    """Hours of police time that the crimes prevented would have taken. Freed, not cashable.

    >>> hours_saved(Interval(1000, 600, 1400), 14.0)
    Interval(value=14000.0, low=8400.0, high=19600.0)
    """
    return Interval(*(bound * hours_per_crime for bound in prevented))


def minutes_per_kit(hours: float, kits: float) -> float:
    """Staff minutes a kit at which a programme costs as many hours as it saves.

    ``hours`` saved by ``kits``. Above this, giving out one kit takes more time than it gives back.

    >>> round(minutes_per_kit(109_567, 440_000), 2)
    14.94
    """
    return hours * MINUTES_IN_AN_HOUR / kits


def benefit_cost(
    costs: Sequence[float],
    prevented: Interval | float,
    unit_values: Mapping[str, float],
    *,
    factors: Sequence[float],
    profile: Sequence[float],
    costs_plus: float = 0.0,
    benefits_minus: float = 0.0,
) -> pd.DataFrame:
    """Benefits, costs and their ratio by perspective, one row each. There is no single ratio.

    ``costs``        pounds in each year of the programme; ``factors`` the discount factor of each year.
    ``prevented``    crimes prevented in all, with their interval; ``profile`` their share by year (sums to
                     1).
    ``unit_values``  line (``fiscal``, ``economic``, ``social``, police alone) -> pounds per crime prevented.
    ``costs_plus, benefits_minus``  optimism bias as shares.

    Columns: ``unit_value``, ``pv_cost``, ``pv_benefit``, ``npsv`` and ``bcr`` each with ``_low`` and
    ``_high``, ``break_even`` (crimes prevented at which benefits equal costs) and ``break_even_share`` of
    those prevented. HM Treasury, Green Book: NPSV = PV benefits - PV costs. Raises ``DesignError`` where
    nothing was spent.

    >>> table = benefit_cost([100.0], 2, {"fiscal": 40, "social": 90}, factors=[1.0], profile=[1.0])
    >>> table["bcr"].tolist()
    [0.8, 1.8]
    """
    import numpy as np
    import pandas as pd

    pv_cost = present_value(costs, factors) * (1 + costs_plus)
    if not pv_cost > 0:
        raise DesignError("Nothing was spent, so no benefit-cost ratio exists. Give the costs in the ledger.")
    worth = present_value(profile, factors) * (1 - benefits_minus)
    crimes = prevented if isinstance(prevented, tuple) else exactly(prevented)
    unit = np.array(list(unit_values.values()), dtype=float)
    columns = {"unit_value": unit, "pv_cost": np.full(len(unit), pv_cost)}
    for end, count in zip(("", "_low", "_high"), crimes, strict=True):
        columns[f"pv_benefit{end}"] = benefit = unit * count * worth
        columns[f"npsv{end}"], columns[f"bcr{end}"] = benefit - pv_cost, benefit / pv_cost
    table = pd.DataFrame(columns, index=pd.Index(list(unit_values), name="line"))
    table["break_even"] = break_even(pv_cost, table["unit_value"], worth)
    table["break_even_share"] = table["break_even"] / crimes.value if crimes.value > 0 else float("nan")
    return table


def present_value(amounts: Sequence[float], factors: Sequence[float]) -> float:
    """The sum of yearly amounts, each times the discount factor of its year.

    >>> present_value([100.0, 100.0], [1.0, 0.5])
    150.0
    """
    import numpy as np

    return float(np.dot(np.asarray(amounts, dtype=float), np.asarray(factors, dtype=float)))


def break_even(pv_cost: float, unit_value: pd.Series, worth: float) -> pd.Series:
    """Crimes to prevent for benefits to equal costs, by line; infinite where one is worth nothing.

    ``worth`` is what a pound of benefit counts for today: the sum of profile times factor.
    """
    return pv_cost / (unit_value * worth)


def switching(
    table: pd.DataFrame,
    *,
    treated_after: float | None = None,
    prevented: float | None = None,
    kit_price: float | None = None,
    money_per_hour: float | None = None,
) -> pd.DataFrame:
    """What each number would have to be for benefits to equal costs, by perspective.

    ``table``           of ``benefit_cost``.
    ``treated_after``   crimes recorded in treated places in the period, T: the rate ratio needed is T / (T +
                        b), b the crimes to prevent.
    ``prevented``       crimes prevented: gives the value of one, and the kit price, that would break even.
    ``kit_price``       pounds a kit paid; ``money_per_hour`` turns the value into police hours for one crime.

    Columns ``crimes``, and where their input is given ``ratio``, ``unit_value``, ``kit_price``, ``hours``.
    Source: HM Treasury, Green Book (switching values).
    """
    import pandas as pd

    out = pd.DataFrame({"crimes": table["break_even"]})
    if treated_after is not None and treated_after > 0:
        out["ratio"] = treated_after / (treated_after + out["crimes"])
    if prevented is not None and prevented > 0:
        out["unit_value"] = table["unit_value"] * out["crimes"] / prevented
        if kit_price is not None:
            out["kit_price"] = kit_price * prevented / out["crimes"]
        if money_per_hour:
            out["hours"] = out["unit_value"] / money_per_hour
    return out


def treated_after_from(prevented: float, ratio: float) -> float | None:
    """Crimes recorded in treated places that go with so many prevented at a rate ratio; None at no change.

    prevented = T (1 / ratio - 1), solved for T.

    >>> treated_after_from(250.0, 0.8)
    1000.0
    """
    lift = 1 / ratio - 1
    return prevented / lift if lift and prevented / lift > 0 else None
