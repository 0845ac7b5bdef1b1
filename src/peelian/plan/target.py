"""Which areas are brought to the line with these kits, in what order, and what was given up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, some
from peelian.plan.constraints import Constraint, closed, controls_of, rows_of, shape_of
from peelian.plan.knapsack import Choice, Solver, by_rate, choose
from peelian.programme import Plan, check_saturation, kits_needed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.places import Places


def allocate(
    risk: pd.Series,
    places: Places,
    *,
    fitted_on: tuple[pd.Period, pd.Period],
    start: pd.Period,
    kits: int | None = None,
    budget: float | None = None,
    unit_cost: float | None = None,
    saturation: float = 0.85,
    gap_months: int = 12,
    must: Iterable[str] = (),
    must_not: Iterable[str] = (),
    spare: float = 0.0,
    solver: Solver = "milp",
    mip_gap: float = 1e-3,
    time_limit: float = 60.0,
    constraints: Sequence[Constraint] = (),
    live: pd.Series | None = None,
    voids: pd.Series | None = None,
    weight: pd.Series | None = None,
    seed: int | None = None,
) -> Plan:
    """The areas that hold the most expected crime, each brought to the line whole or not begun.

    ``risk``        expected incidents a year by place, 0 or more, for every place.
    ``places``      with ``households``; those of no household are never chosen.
    ``fitted_on``   first and last month of the incidents that the risk rests on.
    ``start``       first month of delivery; ``gap_months`` whole months must lie between.
    ``kits``        that may be given; ``budget`` in pounds needs ``unit_cost`` in pounds a kit. With both
                    the smaller limit holds. ``spare`` is the share kept back for loss and damage.
    ``saturation``  share of an area's homes that get a kit; 549 homes at 0.85 need 467.
    ``must``        ids that are taken whatever their risk; ``must_not`` ids that are not.
    ``solver``      ``milp`` (best choice to within ``mip_gap``, at most ``time_limit`` seconds) or
                    ``greedy`` (most risk by kit first, passing over what does not fit).
    ``constraints`` what else must be kept: ``Capacity``, ``Floor``, ``Compact``, ``Buffer``. They need the
                    solver, and ``summary["free"]`` says what would be held without them.
    ``live``        kits that are out already by place, taken off its need; ``voids`` empty homes, taken off
                    its households.
    ``weight``      by place: what an incident there counts (harm, repeat victims). The choice goes by risk
                    times weight; ``objective`` and ``bound`` are in that measure, ``risk`` is not.
    ``seed``        is recorded with the plan; the choice itself draws nothing.

    Returns a ``Plan``; its ``frame`` has ``arm``, ``kits``, ``households``, ``risk``, ``rank`` (by risk a
    kit, chosen areas first), ``start`` and ``need`` (kits that would bring the area to the line).

    Raises ``DataError`` for risk that is missing, negative or of other places and for households that are
    not whole; ``DesignError`` for kits too few for any area, for places that are both asked for and
    struck, for constraints that clash (which, and by how much), and for a risk that reaches into the
    baseline.

    Assumes that the effect is the same share everywhere, so that the choice does not depend on its size.

    >>> import geopandas as gpd, pandas as pd
    >>> from shapely import box
    >>> from peelian.places import Places
    >>> areas = Places.of(gpd.GeoDataFrame({"households": [100, 80, 60]}, index=["a", "b", "c"],
    ...     geometry=[box(i, 0, i + 1, 1) for i in range(3)], crs="EPSG:27700"))
    >>> month = lambda text: pd.Period(text, "M")
    >>> plan = allocate(pd.Series({"a": 30.0, "b": 28.0, "c": 20.0}), areas, kits=120,
    ...     fitted_on=(month("2013-01"), month("2014-12")), start=month("2016-01"))
    >>> plan.chosen["kits"].to_dict()
    {'b': 68, 'c': 51}
    """
    check_saturation(saturation)
    risk, households = _risk_on(risk, places), _households(places)
    if voids is not None:
        households = (households - _on_places(voids, places, "voids")).clip(lower=0).astype("int64")
    need = _need(households, saturation)
    if live is not None:
        need = (need - _on_places(live, places, "live")).clip(lower=0).astype("int64").rename("need")
    benefit = risk if weight is None else risk * _on_places(weight, places, "weight")
    fixed, struck = _named(must, places, "must"), _named(must_not, places, "must_not")
    both = sorted(fixed & struck)
    if both:
        raise DesignError(f"must and must_not both name {some(both)}. Strike them from one of the two.")
    limit = kit_limit(kits=kits, budget=budget, unit_cost=unit_cost, spare=spare)
    choice = _choose(benefit, need, limit, fixed, struck, solver, mip_gap, time_limit, saturation)
    kept: dict[str, Any] = {}
    if constraints:
        kept = {"free": choice.objective}
        choice, left = _within(
            places, risk, benefit, need, limit, fixed, struck, solver, mip_gap, time_limit, constraints
        )
        kept |= {} if left is None else {"controls": left}
    frame = _frame(risk, households, need, choice.chosen, start, benefit)
    if weight is not None:
        frame["weight"] = benefit / risk.where(risk > 0, 1.0)
    summary = _summary(frame, choice, limit, fixed, struck) | kept
    summary |= {"solver": solver, "mip_gap": mip_gap, "spare": spare, "unit_cost": unit_cost}
    summary |= {"cost": None if unit_cost is None else unit_cost * summary["kits_used"]}
    return Plan(frame, fitted_on, start, gap_months, saturation, seed, summary=summary)


def kit_limit(
    *, kits: int | None, budget: float | None = None, unit_cost: float | None = None, spare: float = 0.0
) -> int:
    """Kits that areas may be given: the smaller of kits and what the pounds buy, less the spare share.

    >>> kit_limit(kits=None, budget=5_600_000, unit_cost=5_600_000 / 440_000)
    440000
    >>> kit_limit(kits=1000, spare=0.03)
    970
    """
    limits = []
    if kits is not None:
        limits.append(int(kits))
    if budget is not None:
        if not unit_cost:
            raise DesignError(
                "A budget in pounds buys an unknown number of kits. Give unit_cost, in pounds a kit, too."
            )
        limits.append(math.floor(budget / unit_cost + 1e-6))  # a unit cost that is a quotient is not exact
    if not limits:
        raise DesignError("Neither kits nor a budget is given: say how many kits the plan may use.")
    if not 0 <= spare < 1:
        raise DesignError(f"spare is a share from 0 to below 1; got {spare:g}.")
    return math.floor(min(limits) * (1 - Decimal(str(spare))))


def _risk_on(risk: pd.Series, places: Places) -> pd.Series:
    import numpy as np

    risk = risk.copy()
    risk.index = risk.index.astype(str)
    if risk.index.has_duplicates:
        twice = risk.index[risk.index.duplicated()].unique()
        raise DataError(f"risk: {len(twice)} places stand more than once: {some(twice)}.")
    shared = places.index.isin(risk.index)
    if not shared.all():
        hint = (
            " Is the risk of another vintage of areas (2011, 2021)? Bring it to these first."
            if shared.mean() < 0.99
            else ""
        )
        raise DataError(
            f"risk: {int((~shared).sum()):,} of {len(places):,} places have none: "
            f"{some(places.index[~shared])}. {100 * shared.mean():.1f} % match.{hint}"
        )
    values = risk.reindex(places.index).astype(float)
    wrong = ~np.isfinite(values.to_numpy()) | (values.to_numpy() < 0)
    if wrong.any():
        raise DataError(
            f"risk: missing, infinite or below 0 for {int(wrong.sum()):,} places: "
            f"{some(values.index[wrong])}. It must be expected incidents a year."
        )
    return values.rename("risk")


def _households(places: Places) -> pd.Series:
    held = places.households
    if held is None:
        raise DataError(
            "The places file has no households, so kits cannot be counted. Name its column as "
            "households in [places]."
        )
    homes = held.astype(float)
    broken = homes != homes.round()
    if broken.any():
        raise DataError(
            f"households is not a whole number for {int(broken.sum()):,} places: {some(homes.index[broken])}."
        )
    return homes.astype("int64").rename("households")


def _on_places(values: pd.Series, places: Places, what: str) -> pd.Series:
    """The values on the places, each 0 or more."""
    found = values.set_axis(values.index.astype(str)).reindex(places.index).astype(float)
    wrong = ~(found >= 0)
    if wrong.any():
        raise DataError(f"{what}: missing or below 0 for {int(wrong.sum()):,} places: "
                        f"{some(found.index[wrong])}.")  # fmt: skip
    return found


def _need(households: pd.Series, saturation: float) -> pd.Series:
    exact = {int(homes): kits_needed(int(homes), saturation) for homes in households.unique()}
    return households.map(exact).astype("int64").rename("need")


def _named(ids: Iterable[str], places: Places, key: str) -> set[str]:
    wanted = {str(place) for place in ids}
    strange = sorted(wanted - set(places.index))
    if strange:
        raise DesignError(
            f"{key} names {len(strange)} places that are not in the places file: {some(strange)}."
        )
    return wanted


def _choose(
    risk: pd.Series,
    need: pd.Series,
    limit: int,
    fixed: set[str],
    struck: set[str],
    solver: Solver,
    mip_gap: float,
    time_limit: float,
    saturation: float,
) -> Choice:
    """The choice among the free areas, with the areas asked for added to it."""
    from dataclasses import replace

    import numpy as np

    is_fixed = need.index.isin(list(fixed)) & (need > 0).to_numpy()
    room = limit - int(need[is_fixed].sum())
    if room < 0:
        raise DesignError(
            f"The {int(is_fixed.sum())} places of must need {int(need[is_fixed].sum()):,} kits to reach "
            f"{100 * saturation:g} %; there are {limit:,}. Name fewer of them, or raise kits."
        )
    free = ~is_fixed & ~need.index.isin(list(struck)) & (need > 0).to_numpy() & (risk > 0).to_numpy()
    if not is_fixed.any():
        _enough(need[free], limit, saturation)
    choice = choose(
        np.where(free, risk.to_numpy(), 0.0), np.where(free, need.to_numpy(), 0), room,
        solver=solver, mip_gap=mip_gap, time_limit=time_limit,
    )  # fmt: skip
    extra = float(risk[is_fixed].sum())
    return replace(
        choice, chosen=choice.chosen | is_fixed, objective=choice.objective + extra,
        bound=choice.bound + extra, greedy=choice.greedy + extra,
    )  # fmt: skip


def _within(
    places: Places,
    risk: pd.Series,
    benefit: pd.Series,
    need: pd.Series,
    limit: int,
    fixed: set[str],
    struck: set[str],
    solver: Solver,
    mip_gap: float,
    time_limit: float,
    constraints: Sequence[Constraint],
) -> tuple[Choice, int | None]:
    """The choice under constraints, the areas asked for among it, and how many it leaves to compare with."""
    from peelian.plan.constrained import choose_within

    if solver == "greedy":
        raise DesignError("Greedy keeps no constraint but the limit of kits. Use solver = milp.")
    is_fixed = need.index.isin(list(fixed)) & (need > 0).to_numpy()
    open_ = (benefit > 0).to_numpy() & ~need.index.isin(list(struck)) & ~closed(constraints, places)
    rows = [rows_of(item, places, risk, need) for item in constraints]
    controls = controls_of(constraints, places, risk, need)
    choice = choose_within(
        benefit.to_numpy(), need.to_numpy(), limit, [part for part in rows if part is not None],
        shape=shape_of(constraints, places), controls=controls, fixed=is_fixed, open_=open_,
        mip_gap=mip_gap, time_limit=time_limit,
    )  # fmt: skip
    return choice, None if controls is None else int(controls.held(choice.chosen).sum())


def _enough(need: pd.Series, limit: int, saturation: float) -> None:
    if need.empty:
        raise DesignError("No area can be chosen: none has both households and expected crime.")
    if int(need.min()) > limit:
        raise DesignError(
            f"{limit:,} kits cannot bring even {need.idxmin()} to {100 * saturation:g} %: "
            f"it needs {int(need.min()):,}. Raise kits or lower saturation."
        )


def _frame(
    risk: pd.Series,
    households: pd.Series,
    need: pd.Series,
    chosen: NDArray[np.bool_],
    start: pd.Period,
    benefit: pd.Series,
) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    order = by_rate(benefit.to_numpy(), need.to_numpy())
    order = np.concatenate([order, np.setdiff1d(np.arange(len(need)), order)])
    order = np.concatenate([order[chosen[order]], order[~chosen[order]]])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    starts = pd.PeriodIndex([str(start) if taken else None for taken in chosen], freq="M")
    return pd.DataFrame(
        {
            "arm": np.where(chosen, "treated", "control"), "kits": np.where(chosen, need, 0),
            "households": households, "risk": risk, "rank": rank, "start": starts, "need": need,
        },
        index=risk.index,
    )  # fmt: skip


def _summary(
    frame: pd.DataFrame, choice: Choice, limit: int, fixed: set[str], struck: set[str]
) -> dict[str, Any]:
    """The numbers of the allocation: what was used, how near the best it is, and what was left out."""
    ordered = frame.sort_values("rank")
    taken = ordered[ordered["arm"] == "treated"]
    others = ordered[(ordered["arm"] == "control") & ~ordered.index.isin(list(struck))]
    others = others[(others["risk"] > 0) & (others["need"] > 0)]
    used = int(taken["kits"].sum())
    total = float(frame["risk"].sum())
    return {
        "areas": len(taken),
        "kits_limit": limit,
        "kits_used": used,
        "kits_left": limit - used,
        "risk": float(taken["risk"].sum()),
        "risk_total": total,
        "risk_share": float(taken["risk"].sum()) / total if total else 0.0,
        "objective": choice.objective,
        "bound": choice.bound,
        "gap": choice.gap,
        "greedy": choice.greedy,
        "greedy_gap": (choice.objective - choice.greedy) / choice.objective if choice.objective else 0.0,
        "status": choice.status,
        "seconds": choice.seconds,
        "risk_per_1000_kits": choice.marginal * 1000,
        "last_in": _area(taken.iloc[-1]) if len(taken) else None,
        "first_out": _area(others.iloc[0], left=limit - used) if len(others) else None,
        "must": sorted(fixed),
        "must_not": sorted(struck),
    }


def _area(row: pd.Series, *, left: int | None = None) -> dict[str, Any]:
    words = {"place": str(row.name), "need": int(row["need"]), "risk": float(row["risk"])}
    return words if left is None else words | {"kits_short": max(int(row["need"]) - left, 0)}
