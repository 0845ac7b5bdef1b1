"""Patrol instead of kits: how often each area is visited in a shift, where further visits do less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from peelian.errors import DataError, DesignError
from peelian.report import Block, Table, Text
from peelian.words import plural

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.plan.knapsack import Choice
    from peelian.plan.parameters import Parameters

SHOWN = 25  # areas printed; the file holds all


@dataclass(frozen=True, eq=False)
class Patrol:
    """The visits of a shift, and how near the best they are.

    ``frame``  by place, most prevented first: ``visits``, ``cost``, ``risk``, and ``less``, incidents a year
    fewer were every shift alike. ``choice`` the solver's numbers; ``limit`` in ``unit``.
    """

    frame: pd.DataFrame
    choice: Choice
    limit: float
    unit: str


def patrol(
    risk: pd.Series, visit: pd.Series, limit: float, *, fall: Sequence[float],
    dose: Sequence[int] = (0, 1, 2), unit: str = "minutes", mip_gap: float = 1e-3, time_limit: float = 60.0,
) -> Patrol:  # fmt: skip
    """How many visits each area gets in a shift, so that most incidents are prevented.

    ``risk``   expected incidents a year by place; ``visit`` what one visit costs there, and ``limit`` what a
               shift holds, in ``unit`` (minutes, kilometres); counted to a hundredth, rounded up.
    ``dose``   the visits that may be made, from 0; ``fall`` the share by which crime falls at each dose
               above 0: rising, each step by no more for a visit than the one before.

    An area's second dose is taken only on top of its first, none in part. Raises ``DesignError`` for steps
    that grow and for a shift too short for any area; ``DataError`` for a visit that costs nothing.

    >>> import pandas as pd
    >>> made = patrol(pd.Series({"a": 50.0, "b": 20.0}), pd.Series({"a": 15.0, "b": 15.0}), 30.0,
    ...     fall=(0.1, 0.15))
    >>> made.frame["visits"].to_dict()
    {'a': 2}
    """
    import numpy as np
    import pandas as pd
    from scipy import sparse

    from peelian.plan.constrained import Rows, choose_within

    steps = _steps(dose, fall)
    place_risk, cost = risk.sort_index(), visit.reindex(risk.sort_index().index).astype(float)
    if not (cost > 0).all():
        raise DataError(f"A visit must cost more than 0 {unit}; {int((~(cost > 0)).sum()):,} areas do not.")
    size, many = len(place_risk), len(steps)
    hundredths = np.ceil(np.outer([visits for visits, _ in steps], 100 * cost) - 1e-6).astype(np.int64)
    if int(hundredths[0].min()) > int(100 * limit):
        raise DesignError(
            f"A shift of {limit:g} {unit} is too short for any area: the nearest needs "
            f"{hundredths[0].min() / 100:g}. Raise patrol."
        )
    benefit = np.outer([gain for _, gain in steps], place_risk.to_numpy(float))
    at = np.arange(size * (many - 1))
    order = sparse.csr_array(  # a dose is taken only on top of the one before
        (np.r_[np.ones(len(at)), -np.ones(len(at))], (np.r_[at, at], np.r_[at + size, at])),
        shape=(len(at), size * many),
    )
    rows = Rows(order, np.full(len(at), -np.inf), np.zeros(len(at)), ("doses in order",) * len(at), "visits")
    choice = choose_within(
        benefit.ravel(), hundredths.ravel(), int(100 * limit), [rows] if many > 1 else [], mip_gap=mip_gap,
        time_limit=time_limit,
    )  # fmt: skip
    taken = choice.chosen.reshape(many, size)
    frame = pd.DataFrame(
        {
            "visits": taken.T @ np.array([visits for visits, _ in steps]),
            "cost": (taken * hundredths).sum(axis=0) / 100, "risk": place_risk,
            "less": (taken * benefit).sum(axis=0),
        },
        index=place_risk.index,
    ).rename_axis("place")  # fmt: skip
    frame = frame[frame["visits"] > 0].sort_values("less", ascending=False, kind="stable")
    return Patrol(frame, choice, limit, unit)


def _steps(dose: Sequence[int], fall: Sequence[float]) -> list[tuple[int, float]]:
    """(further visits, further fall) of each dose on top of the one before."""
    if len(dose) < 2 or dose[0] != 0 or any(b <= a for a, b in pairwise(dose)) or len(fall) != len(dose) - 1:
        raise DesignError(
            f"Doses rise from 0, and each above 0 has its fall; got {list(dose)} and {list(fall)}."
        )
    if not all(0 < f < 1 for f in fall):
        raise DesignError(f"A fall is a share between 0 and 1; got {list(fall)}.")
    gains = [b - a for a, b in pairwise((0.0, *fall))]
    steps = list(zip([b - a for a, b in pairwise(dose)], gains, strict=True))
    rates = [gain / visits for visits, gain in steps]
    if min(rates) < 0 or any(later > earlier + 1e-12 for earlier, later in pairwise(rates)):
        raise DesignError(
            f"Falls of {', '.join(f'{f:g}' for f in fall)} grow by more for later visits, or turn back. Each "
            "step may do no more for a visit than the one before."
        )
    return steps


def of_table(risk: pd.Series, areas: Places, parameters: Parameters) -> Patrol | None:
    """The patrol that [plan] asks for; None where it asks for none."""
    import pandas as pd

    from peelian.plan.asked import column

    if parameters.patrol is None:
        return None
    if not parameters.patrol_fall or parameters.visit is None:
        raise DesignError(
            "[plan] patrol needs visit (what one visit costs) and patrol_fall (the fall assumed at one, at "
            "two visits a shift, such as [0.10, 0.15])."
        )
    held = parameters.visit
    visit = (
        column(areas, held, "visit").astype(float)
        if isinstance(held, str)
        else pd.Series(float(held), areas.index)
    )
    struck = risk.index.isin(parameters.must_not)
    return patrol(
        risk[~struck], visit, parameters.patrol, fall=parameters.patrol_fall,
        dose=range(len(parameters.patrol_fall) + 1), unit=parameters.patrol_unit,
        mip_gap=parameters.mip_gap, time_limit=parameters.time_limit,
    )  # fmt: skip


def blocks(made: Patrol, *, crime: str) -> list[Block]:
    """A sentence, the assumption, and the table of visits."""
    frame, choice = made.frame, made.choice
    tally = frame["visits"].value_counts().sort_index()
    told = ", ".join(f"{n:,} visited {times(int(visits))}" for visits, n in tally.items())
    share = choice.gap if math.isfinite(choice.gap) else 0.0
    text = (
        f"A shift of {made.limit:,g} {made.unit} holds {int(frame['visits'].sum()):,} visits ({told}; "
        f"{frame['cost'].sum():,.1f} {made.unit} used). Were every shift alike, {choice.objective:,.1f} "
        f"{plural(crime)} a year fewer would be expected by the falls assumed; the bound is "
        f"{choice.bound:,.1f} (gap {100 * share:.2f} %, {choice.status}), most by {made.unit} first gives "
        f"{choice.greedy:,.1f}."
    )
    shown = frame.head(SHOWN).reset_index()
    names = {"place": "Area", "visits": "Visits a shift", "cost": made.unit.capitalize(),
             "risk": "Expected a year", "less": "Fewer a year"}  # fmt: skip
    shown = shown.rename(columns=names)
    formats = {names["cost"]: ",.1f", names["risk"]: ",.1f", names["less"]: ",.2f"}
    title = f"{len(shown):,} of the {len(frame):,} areas that a shift visits, most prevented first"
    note = (
        "The fall at one and at further visits is an assumption of [plan] patrol_fall, not an estimate; "
        "travel between areas is not counted."
    )
    return [Text(text, "finding"), Table("plan_patrol", title, shown, formats, note=note)]


def times(number: int) -> str:
    """So many times, in words up to two.

    >>> times(1), times(2), times(3)
    ('once', 'twice', '3 times')
    """
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
