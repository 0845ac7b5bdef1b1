"""The case for the programme on each basis of cost: by perspective, and what would tip it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from peelian.account.answers import missing, spent_until
from peelian.account.costs import (
    Interval,
    benefit_cost,
    exactly,
    present_value,
    switching,
    treated_after_from,
)
from peelian.account.discounting import discount_factors, rates_by_year
from peelian.account.records import Assessment, Held
from peelian.account.simulation import chance_of_paying, simulate, simulate_net
from peelian.account.valuing import UnitValues
from peelian.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.account.run import Parameters
    from peelian.figures import Figure

MONTHS_IN_A_YEAR = 12
SPENT, PLANNED, PROMISED = "money spent", "kits at the planned price", "promise"
GROSS = ", without what moved next door"
INPUTS = {
    SPENT: ("ledger", "assessment"),
    PLANNED: ("programme", "saturation", "assessment"),
    PROMISED: ("programme",),
}


@dataclass(frozen=True, eq=False)
class Case:
    """The benefit-cost table on one basis, or why there is none.

    ``table``      of ``costs.benefit_cost``, by line, with ``bcr_biased`` and ``npsv_biased`` (optimism
                   bias) and the columns of ``simulate``; None where it is not held.
    ``switching``  what each number would have to be; held under a closed gate too.
    ``gate``       why no ratio may be given, or empty. ``years`` of the appraisal, ``rates`` the rows used.
    """

    basis: str
    inputs: tuple[str, ...]
    table: pd.DataFrame | None = None
    switching: pd.DataFrame | None = None
    pv_cost: float | None = None
    years: int = 0
    rates: tuple[Figure, ...] = ()
    gate: str = ""
    why_not: str = ""
    holder: str = ""


@dataclass(frozen=True)
class _Flow:
    """Costs and effect by year of the programme."""

    costs: list[float]
    profile: list[float]
    prevented: Interval
    share: float = 1.0  # of the months measured


def cases(held: Held, values: UnitValues, parameters: Parameters, *, seed: int | None) -> tuple[Case, ...]:
    """The case on the money spent, on kits at the planned price, and as it was promised.

    Where crime was found to have moved next door, the first two are net of it, and stand once more for the
    treated places alone. ``seed`` None leaves the simulation out.
    """
    made = [case_on(basis, held, values, parameters, seed=seed) for basis in INPUTS]
    found = held.assessment
    if found is None or found.gross is None:
        return tuple(made)
    alone = replace(held, assessment=replace(found, prevented=found.gross, gross=None))
    told = [case.basis for case in made if case.table is not None and case.basis != PROMISED]
    again = [case_on(basis, alone, values, parameters, seed=seed) for basis in told]
    made[2:2] = [replace(case, basis=case.basis + GROSS) for case in again]
    return tuple(made)


def case_on(
    basis: str,
    held: Held,
    values: UnitValues,
    parameters: Parameters,
    *,
    seed: int | None,
) -> Case:
    """The case on one basis of cost; ``seed`` None leaves the simulation out."""
    inputs = INPUTS[basis]
    why, holder = missing(held, inputs)
    why = why or values.why_not
    if why:
        return Case(basis, inputs, why_not=why, holder=holder)
    try:
        flow = {SPENT: _spent, PLANNED: _planned, PROMISED: _promised}[basis](held, parameters)
        return _appraised(basis, inputs, flow, held, values, parameters, seed)
    except DesignError as error:
        return Case(basis, inputs, why_not=str(error)[0].lower() + str(error)[1:].removesuffix("."))


def _appraised(
    basis: str,
    inputs: tuple[str, ...],
    flow: _Flow,
    held: Held,
    values: UnitValues,
    p: Parameters,
    seed: int | None,
) -> Case:
    rates, rows = rates_by_year(held.figures, len(flow.costs), on=held.day, name=p.discount)
    factors = discount_factors(rates, first_year=p.first_year).tolist()
    plus, minus = (held.figures.at(name, held.day).value or 0.0 for name in (p.costs_plus, p.benefits_minus))

    def worth_it(costs_plus: float = 0.0, benefits_minus: float = 0.0) -> pd.DataFrame:
        return benefit_cost(
            flow.costs, flow.prevented, values.points, factors=factors, profile=flow.profile,
            costs_plus=costs_plus, benefits_minus=benefits_minus,
        )  # fmt: skip

    table, biased = worth_it(), worth_it(plus, minus)
    table["bcr_biased"], table["npsv_biased"] = biased["bcr"], biased["npsv"]
    measured = held.assessment if basis != PROMISED else None
    gate = measured.gate if measured else ""
    pv_cost = present_value(flow.costs, factors)
    tips = _tips(table, flow, measured, held, p.money_per_hour, basis)
    if measured and not gate and seed is not None:
        chances = _chances(
            measured, values, flow, present_value(flow.profile, factors), pv_cost, p.draws, seed
        )
        table = table if chances is None else table.join(chances)
    return Case(basis, inputs, None if gate else table, tips, pv_cost, len(flow.costs), tuple(rows), gate)


def _tips(
    table: pd.DataFrame, flow: _Flow, measured: Assessment | None, held: Held, per_hour: str, basis: str
) -> pd.DataFrame:
    """The switching values; those that need the number prevented are left out behind a closed gate."""
    net = measured is not None and measured.gross is not None  # then no ratio of treated places tips it
    counted = measured.treated_after if measured and not net else None
    return switching(
        table,
        treated_after=None if counted is None else counted * flow.share,
        prevented=None if measured and measured.gate else flow.prevented.value,
        kit_price=held.programme.cost_per_kit if held.programme and basis != SPENT else None,
        money_per_hour=held.figures.at(per_hour, held.day).value,
    )


def _chances(
    found: Assessment, values: UnitValues, flow: _Flow, worth: float, pv_cost: float, draws: int, seed: int
) -> pd.DataFrame | None:
    """Columns of ``simulate``, and the chance where the effect alone is uncertain (``p_effect_alone``).

    None where the effect's standard error or its scale is not held.
    """
    import pandas as pd

    if found.gross is not None:
        return simulate_net(
            flow.prevented, cost=exactly(pv_cost), unit_values=values.lines, worth=worth, seed=seed,
            draws=draws,
        )  # fmt: skip
    after = treated_after_from(flow.prevented.value, found.ratio.value)
    if after is None or found.se_log <= 0:
        return None
    drawn = simulate(
        found.ratio.value, found.se_log, after, cost=exactly(pv_cost), unit_values=values.lines, worth=worth,
        seed=seed, draws=draws,
    )  # fmt: skip
    needed = {line: pv_cost / (value.value * worth) for line, value in values.lines.items()}
    alone = {line: chance_of_paying(found.ratio.value, found.se_log, after, n) for line, n in needed.items()}
    return drawn.assign(p_effect_alone=pd.Series(alone))


def _spent(held: Held, parameters: Parameters) -> _Flow:
    """Money from the ledger by year and the measured effect; neither goes beyond the last month measured."""
    ledger, found = held.payments, held.measured
    if not spent_until(ledger, found.last) > 0:
        raise DesignError("The ledger holds nothing spent up to the last month measured.")
    paid = ledger[ledger["actual"].notna()]
    return _flow(paid["date"].dt.to_period("M"), paid["actual"], held, parameters)


def _planned(held: Held, parameters: Parameters) -> _Flow:
    import pandas as pd

    price = held.decision.cost_per_kit
    if price is None:
        raise DesignError("The decision states no price of a kit.")
    months = pd.Series(pd.PeriodIndex(held.deliveries["month"].astype(str), freq="M"), held.deliveries.index)
    return _flow(months, held.deliveries["kits"] * price, held, parameters)


def _promised(held: Held, parameters: Parameters) -> _Flow:
    programme = held.decision
    if not (programme.budget and programme.prevented):
        raise DesignError("The decision does not say both what it costs and what it prevents.")
    years = parameters.years or 1
    even = [1 / years] * years
    return _Flow([programme.budget * share for share in even], even, exactly(programme.prevented))


def _flow(months: pd.Series, amounts: pd.Series, held: Held, parameters: Parameters) -> _Flow:
    found = held.measured
    horizon = parameters.horizon or found.months
    if horizon > found.months:
        raise DesignError(
            f"A horizon of {horizon} months reaches beyond the {found.months} months with a measured effect."
        )
    last = found.first + horizon - 1
    kept = months <= last
    start = min([found.first, *months[kept & (amounts > 0)]])
    years = _year(last, start) + 1
    costs = [0.0] * years
    for month, amount in zip(months[kept], amounts[kept], strict=True):
        costs[max(_year(month, start), 0)] += float(amount)
    profile = [0.0] * years
    for step in range(horizon):
        profile[_year(found.first + step, start)] += 1 / horizon
    share = horizon / found.months
    return _Flow(costs, profile, Interval(*(bound * share for bound in found.prevented)), share)


def _year(month: pd.Period, start: pd.Period) -> int:
    return int((month - start).n) // MONTHS_IN_A_YEAR


def weakest(figures: Sequence[Figure]) -> list[Figure]:
    """The figures whose quality and impact are both red, each once."""
    return [row for row in dict.fromkeys(figures) if row.weak]
