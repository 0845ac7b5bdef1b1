"""From a plan to work: which team is where in which month, which streets in which order, which shops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.places import Places
    from peelian.programme import Plan


@dataclass(frozen=True)
class Shift:
    """What one officer does in a shift on foot. Every number is an assumption until it is measured.

    ``minutes`` of a shift; ``answered`` minutes at a door that opens; ``unanswered`` at one that does not;
    ``metres_a_minute`` on foot (4 km an hour); ``detour`` street over straight line; ``doors`` at most.
    """

    minutes: float = 420.0
    answered: float = 6.0
    unanswered: float = 1.5
    metres_a_minute: float = 4000 / 60
    detour: float = 1.3
    doors: int = 80


def workload(kits: float, *, years: float, officers: int, shifts: float = 220.0) -> dict[str, float]:
    """Kits for one officer: a year and a shift.

    >>> work = workload(440_000, years=5, officers=60)
    >>> round(work["kits_a_year"], 1), round(work["kits_a_shift"], 2)
    (1466.7, 6.67)
    """
    each = kits / years / officers
    return {"kits_a_year": each, "kits_a_shift": each / shifts}


def schedule(
    plan: Plan,
    kits_a_month: int,
    *,
    team: pd.Series | None = None,
    order: pd.Series | None = None,
    months: int | None = None,
) -> pd.DataFrame:
    """When each chosen area is begun and when it reaches the line, team by team.

    ``kits_a_month``  that a team brings out; ``team`` by place (one team for all where None).
    ``order``         by place: lower first, such as the steps of a drawn wedge; a drawn order is never
                      changed. Without it areas follow their rank.
    ``months``        within which the plan must be done.

    A team finishes an area before it begins the next. Returns one row an area and month: ``place``,
    ``team``, ``month``, ``kits``, ``done`` (all its kits are out, so the area is at the line).

    Raises ``DesignError`` with the shortfall and the month by which it could be met, team by team.
    """
    import pandas as pd

    if kits_a_month < 1:
        raise DesignError(f"kits_a_month is {kits_a_month}; a team brings out one kit at least.")
    chosen = plan.chosen
    member = pd.Series("all", chosen.index) if team is None else team.reindex(chosen.index)
    if member.isna().any():
        raise DataError(f"No team is named for {some(member.index[member.isna()])}.")
    position = chosen["rank"] if order is None else order.reindex(chosen.index)
    if position.isna().any():
        raise DataError(f"No place in the order is given for {some(position.index[position.isna()])}.")
    rows: list[tuple[str, str, pd.Period, int, bool]] = []
    late = []
    for name in sorted(member.unique()):
        own = chosen[member == name].assign(position=position)
        own = own.sort_values(["position", "rank"], kind="stable")["kits"]
        rows += _filled(own, str(name), plan.start, kits_a_month)
        needed = -(-int(own.sum()) // kits_a_month)
        if months is not None and needed > months:
            short = int(own.sum()) - months * kits_a_month
            late.append(
                f"{name} lacks {short:,} kits of capacity and would be done in {plan.start + needed - 1}"
            )
    if late:
        raise DesignError(
            f"The plan cannot be delivered in {months} months: {'; '.join(late)}. "
            "Give teams more, or take longer."
        )
    return pd.DataFrame(rows, columns=["place", "team", "month", "kits", "done"])


def _filled(
    kits: pd.Series, team: str, start: pd.Period, a_month: int
) -> list[tuple[str, str, pd.Period, int, bool]]:
    """Areas one after the other into months of so many kits."""
    rows = []
    month, room = start, a_month
    for place, need in kits.items():
        left = int(need)
        while left:
            if not room:
                month, room = month + 1, a_month
            given = min(left, room)
            left, room = left - given, room - given
            rows.append((str(place), team, month, given, left == 0))
    return rows


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


def street_lists(plan: Plan, streets: pd.DataFrame, *, shift: Shift | None = None) -> pd.DataFrame:
    """The streets of each chosen area in walking order, with the kits that bring the area to the line.

    ``streets``  one row a street and area: ``street`` (a name or number, never a person), ``place``,
                 ``dwellings`` (missing where no address list has it), ``x``, ``y`` (metres, its middle).
                 A street in two areas belongs to the one with more of its dwellings, whole.

    Returns one row a street: ``place``, ``order``, ``street``, ``dwellings``, ``kits``, ``running`` (kits so
    far in the area), ``round`` (a new one before a shift's minutes or doors are passed), ``minutes``,
    ``listed`` (false where no address list has the street: it is walked, and gets no kit until it has).
    Kits of an area's streets add up to the area's kits.

    Raises ``DataError`` for chosen areas without a street of known dwellings, or with too few of them.
    """
    import numpy as np
    import pandas as pd

    shift = shift or Shift()
    whole = _of_one_area(streets)
    lacking = [place for place in plan.chosen.index if place not in set(whole["place"])]
    if lacking:
        raise DataError(f"The streets file has none in {some(lacking)}. Its kits could not be placed.")
    parts = []
    for place, area in plan.chosen.iterrows():
        own = whole[whole["place"] == place].sort_values("street", kind="stable")
        homes = own["dwellings"].fillna(0).to_numpy(float)
        if homes.sum() < area["kits"]:
            raise DataError(
                f"{place} needs {int(area['kits']):,} kits, but its streets hold {int(homes.sum()):,} homes. "
                "Is the address list complete?"
            )
        parts.append(_walked(str(place), own, _apportioned(homes, int(area["kits"])), shift))
    columns = ["place", "order", "street", "dwellings", "kits", "running", "round", "minutes", "listed"]
    table = pd.concat(parts, ignore_index=True)[columns]
    return table.assign(minutes=np.ceil(table["minutes"]).astype("int64"))


def _of_one_area(streets: pd.DataFrame) -> pd.DataFrame:
    """Each street whole, in the area that holds most of its dwellings (the first by id of equals)."""
    needed = ["street", "place", "dwellings", "x", "y"]
    missing = [name for name in needed if name not in streets.columns]
    if missing:
        raise DataError(f"The streets lack the column {some(missing)}; they have {some(streets.columns)}.")
    rows = streets[needed].copy()
    rows["held"] = rows["dwellings"].fillna(0)
    rows = rows.sort_values(["street", "held", "place"], ascending=[True, False, True], kind="stable")
    total = rows.groupby("street")["dwellings"].sum(min_count=1)
    first = rows.drop_duplicates("street")
    return first.assign(dwellings=first["street"].map(total)).drop(columns="held")


def _apportioned(homes: NDArray[np.float64], kits: int) -> NDArray[np.int64]:
    """Kits by street in proportion to homes, in whole numbers that add up (largest remainders)."""
    import numpy as np

    exact = kits * homes / homes.sum()
    given = np.floor(exact).astype(np.int64)
    order = np.lexsort((np.arange(len(homes)), given - exact))
    given[order[: kits - int(given.sum())]] += 1
    return given


def _walked(place: str, own: pd.DataFrame, kits: NDArray[np.int64], shift: Shift) -> pd.DataFrame:
    import numpy as np

    from peelian.arithmetic.routes import visiting_order

    points = own[["x", "y"]].to_numpy(float)
    order = visiting_order(points)
    table = own.iloc[order].assign(kits=kits[order], place=place, order=np.arange(1, len(own) + 1))
    table["listed"] = table["dwellings"].notna()
    homes = table["dwellings"].fillna(0).to_numpy(float)
    steps = np.r_[0.0, np.hypot(*np.diff(points[order], axis=0).T)]
    at_doors = (
        table["kits"].to_numpy() * shift.answered + (homes - table["kits"].to_numpy()) * shift.unanswered
    )
    table["minutes"] = at_doors + steps * shift.detour / shift.metres_a_minute
    table["running"] = table["kits"].cumsum()
    table["dwellings"] = homes.astype(np.int64)
    table["round"] = _rounds(table["minutes"].to_numpy(), homes, shift)
    return table


def _rounds(minutes: NDArray[np.float64], homes: NDArray[np.float64], shift: Shift) -> NDArray[np.int64]:
    """Number of the round of each street: a new one begins before minutes or doors would be passed.

    A street too long for one shift is a round of its own.
    """
    import numpy as np

    number, used, doors = 1, 0.0, 0.0
    found = np.empty(len(minutes), np.int64)
    for at, (time, home) in enumerate(zip(minutes, homes, strict=True)):
        if at and used and (used + time > shift.minutes or doors + home > shift.doors):
            number, used, doors = number + 1, 0.0, 0.0
        found[at] = number
        used, doors = used + time, doors + home
    return found


def shop_visits(plan: Plan, places: Places, shops: gpd.GeoSeries, *, within: float = 1000.0) -> pd.DataFrame:
    """Second-hand shops in the order in which to visit them: near chosen areas first.

    ``shops``   points on an index of names or ids, in any CRS.
    ``within``  metres from a chosen area that count as near.

    Returns one row a shop: ``shop``, ``nearest`` (chosen area), ``metres`` to it, ``first`` (near enough to
    be visited before the others), near ones first, then by distance.
    """
    import numpy as np
    import pandas as pd

    if shops.crs is None:
        raise DataError("The shops have no CRS, so they cannot be placed. Say which it is.")
    at = shops.to_crs(places.crs)
    chosen = places.select(plan.chosen.index)
    pair, metres = chosen.frame.sindex.nearest(at.array, return_all=False, return_distance=True)
    table = pd.DataFrame(
        {
            "shop": np.asarray(at.index)[pair[0]],
            "nearest": np.asarray(chosen.index)[pair[1]],
            "metres": metres,
        }
    )
    table["first"] = table["metres"] <= within
    return table.sort_values(["metres", "shop"], kind="stable", ignore_index=True)
