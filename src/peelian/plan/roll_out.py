"""From a plan to work: which team is where in which month, and when kits must be ordered."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import pandas as pd

    from peelian.programme import Plan

MonthlyKits = Callable[[str, "pd.Period"], int]  # team, month -> kits that it brings out
PCSO, WARD_OFFICER = "team", "ward officer"
LONGEST = 1200  # months after which a plan that no capacity serves is given up


def workload(kits: float, *, years: float, officers: int, shifts: float = 220.0) -> dict[str, float]:
    """Kits for one officer: a year and a shift.

    >>> work = workload(440_000, years=5, officers=60)
    >>> round(work["kits_a_year"], 1), round(work["kits_a_shift"], 2)
    (1466.7, 6.67)
    """
    each = kits / years / officers
    return {"kits_a_year": each, "kits_a_shift": each / shifts}


def monthly_kits(
    officers: int | dict[str, int], *, shifts: float = 220.0, kits_a_shift: float
) -> MonthlyKits:
    """Kits a month from officers: shifts a year spread over its working days, times kits a shift.

    ``officers``  of every team, or by team. Weekends and the bank holidays of England and Wales (where the
                  year's are known) bring nothing out. Fractions of a kit are carried into the next month, so
                  that a year adds up.

    >>> import pandas as pd
    >>> monthly = monthly_kits(5, shifts=220, kits_a_shift=20 / 3)
    >>> sum(monthly("North", month) for month in pd.period_range("2016-01", "2016-12", freq="M"))
    7333
    """

    def kits(team: str, month: pd.Period) -> int:
        number = officers if isinstance(officers, int) else officers.get(team, 0)
        year = number * shifts * kits_a_shift
        days = _working_days(month.year)
        before, now = sum(days[: month.month - 1]), sum(days[: month.month])
        return int(year * now / sum(days) + 1e-6) - int(year * before / sum(days) + 1e-6)

    return kits


@cache
def _working_days(year: int) -> tuple[int, ...]:
    """Days of each month that are neither weekend nor, where they are known, a bank holiday."""
    from datetime import date

    import pandas as pd

    from peelian.figures import bank_holidays

    try:
        free = set(bank_holidays(date(year, 1, 1), date(year, 12, 31)).index.normalize())
    except DataError:  # years that nobody has announced yet
        free = set()
    days = pd.date_range(f"{year}-01-01", f"{year}-12-31", freq="B")
    days = days[~days.isin(list(free))]
    return tuple(int((days.month == month).sum()) for month in range(1, 13))


def schedule(
    plan: Plan,
    kits_a_month: int | MonthlyKits,
    *,
    team: pd.Series | None = None,
    order: pd.Series | None = None,
    months: int | None = None,
    ward: pd.Series | None = None,
    ward_kits_a_month: int = 0,
    earliest: pd.Series | None = None,
) -> pd.DataFrame:
    """When each chosen area is begun and when it reaches the line, team by team.

    ``kits_a_month``  that a team brings out, or a function of team and month (``monthly_kits``); ``team`` by
                      place (one team for all where None).
    ``order``         by place: lower first, such as the steps of a drawn wedge; a drawn order is never
                      changed. Without it areas follow their rank.
    ``months``        within which the plan must be done.
    ``ward``          by place; each ward's own officers bring out ``ward_kits_a_month`` there and nowhere
                      else, beside the team.
    ``earliest``      by place: months after the plan's start before which it is not begun (steps of a wedge).

    A team finishes an area before it begins the next, and so do the officers of a ward. Returns one row an
    area, month and kind of officer: ``place``, ``team``, ``month``, ``kits``, ``done`` (all its kits are out,
    so the area is at the line), ``by`` (``team`` or ``ward officer``).

    Raises ``DesignError`` with the shortfall and the month by which it could be met, team by team.
    """
    import pandas as pd

    monthly: MonthlyKits
    if isinstance(kits_a_month, int):
        if kits_a_month < 1:
            raise DesignError(f"kits_a_month is {kits_a_month}; a team brings out one kit at least.")
        each = kits_a_month
        monthly = lambda team, month: each  # noqa: E731
    else:
        monthly = kits_a_month
    chosen = plan.chosen
    ids = chosen.index
    member = _named(pd.Series("all", ids) if team is None else team, ids, "No team is named")
    position = _named(chosen["rank"] if order is None else order, ids, "No place in the order is given")
    of_ward = None if ward is None else _named(ward, ids, "No ward is named").astype(str)
    ordered = chosen.assign(position=position).sort_values(["position", "rank"], kind="stable")["kits"]
    left = {str(place): int(kits) for place, kits in ordered.items()}
    wait = dict.fromkeys(left, 0) if earliest is None else earliest.reindex(ids).astype(int).to_dict()
    rows = _filled(left, member.astype(str), of_ward, plan.start, monthly, ward_kits_a_month, wait)
    table = pd.DataFrame(rows, columns=["place", "team", "month", "kits", "done", "by"])
    table = table.sort_values(["team", "month"], kind="stable", ignore_index=True)
    if months is not None:
        _in_time(table, plan.start, months)
    return table


def _named(values: pd.Series, index: pd.Index, what: str) -> pd.Series:
    found = values.reindex(index)
    if found.isna().any():
        raise DataError(f"{what} for {some(index[found.isna()])}.")
    return found


def _filled(
    left: dict[str, int], team: pd.Series, ward: pd.Series | None, start: pd.Period, monthly: MonthlyKits,
    ward_kits: int, wait: dict[str, int],
) -> list[tuple[str, str, pd.Period, int, bool, str]]:  # fmt: skip
    """Areas in order into months: ward officers in their own wards first, then the team."""
    rows: list[tuple[str, str, pd.Period, int, bool, str]] = []
    queues = {name: [p for p in left if team[p] == name] for name in sorted(set(team))}
    wards = {} if ward is None else {name: [p for p in left if ward[p] == name] for name in sorted(set(ward))}

    def work(queue: list[str], room: int, step: int, by: str) -> None:
        month = start + step
        for place in queue:
            if not room:
                break
            if step < wait[place]:
                continue
            given = min(left[place], room)
            if given:
                left[place], room = left[place] - given, room - given
                rows.append((place, str(team[place]), month, given, left[place] == 0, by))
        queue[:] = [place for place in queue if left[place]]

    for step in range(LONGEST):
        for queue in wards.values():
            work(queue, ward_kits, step, WARD_OFFICER)
        for name, queue in queues.items():
            work(queue, monthly(name, start + step), step, PCSO)
        if not any(left.values()):
            return rows
    idle = [name for name, queue in queues.items() if queue]
    raise DesignError(f"No officer of {some(idle)} brings anything out, so its areas are never done.")


def _in_time(table: pd.DataFrame, start: pd.Period, months: int) -> None:
    """``DesignError`` where a team's areas are not done in so many months."""
    over = table[table["month"] >= start + months]
    late = [
        f"{name} lacks {int(part['kits'].sum()):,} kits of capacity and would be done in "
        f"{part['month'].max()}"
        for name, part in over.groupby("team")
    ]
    if late:
        raise DesignError(
            f"The plan cannot be delivered in {months} months: {'; '.join(late)}. "
            "Give teams more, or take longer."
        )


def kit_orders(
    work: pd.DataFrame, *, lead_months: int = 2, spare: float = 0.03, most_stock_months: int = 3
) -> pd.DataFrame:
    """When to order how many kits: each order covers the next months' work and arrives in time.

    ``work`` of ``schedule``; ``lead_months`` from order to arrival; ``spare`` share for loss and damage;
    ``most_stock_months`` of work that may lie in the store.

    Returns one row an order: ``order`` and ``arrive`` (months), ``kits``. Orders add up to the work and its
    spare share, rounded up once.
    """
    import math

    import pandas as pd

    monthly = work.groupby("month")["kits"].sum().sort_index()
    rows, ordered, done = [], 0, 0
    for at in range(0, len(monthly), most_stock_months):
        part = monthly.iloc[at : at + most_stock_months]
        done += int(part.sum())
        wanted = math.ceil(round(done * (1 + spare), 6))
        arrive = part.index[0]
        rows.append((arrive - lead_months, arrive, wanted - ordered))
        ordered = wanted
    return pd.DataFrame(rows, columns=["order", "arrive", "kits"])
