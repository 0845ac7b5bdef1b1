"""The headline numbers under a set of figures: what impacts and tornado move."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from peelian.account.answers import Basis, answers
from peelian.account.cases import case_on
from peelian.account.valuing import UnitValues, unit_values

if TYPE_CHECKING:
    from peelian.account.records import Held
    from peelian.account.run import Parameters
    from peelian.figures import Figures


def values_of(held: Held, p: Parameters) -> UnitValues:
    """The value of one crime prevented by perspective, from the figures held."""
    return unit_values(
        held.figures, fiscal=p.fiscal, police=p.police, economic=p.economic, social=p.social, on=held.day,
        crime=held.crime,
    )  # fmt: skip


def basis_of(held: Held, p: Parameters, values: UnitValues) -> Basis:
    """What the answers are computed from."""
    return Basis(held, values, *(held.figures.at(name, held.day) for name in (p.hours, p.minutes, p.staff)))


def headline(held: Held, p: Parameters, basis: str, figures: Figures) -> dict[str, float]:
    """Every held answer, and the case's ratio (or crimes to break even, behind a gate), by name.

    ``basis`` of the case. A ratio is called ``ratio, <line>``; the simulation plays no part.
    """
    changed = replace(held, figures=figures)
    values = values_of(changed, p)
    found = answers(basis_of(changed, p, values))
    out = {name: amount.interval.value for name, amount in found.items() if amount.interval is not None}
    case = case_on(basis, changed, values, p, seed=None)
    if case.table is not None:
        for column, name in (("bcr", "ratio"), ("bcr_biased", "ratio with optimism bias")):
            out |= {f"{name}, {line}": value for line, value in case.table[column].items()}
    elif case.switching is not None:
        out |= {f"break-even, {line}": value for line, value in case.switching["crimes"].items()}
    return {name: float(value) for name, value in out.items()}
