"""Who gets the kits: group by group, and what a fairer share would cost."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from scipy import sparse

    from peelian.programme import Plan

MOST_GROUPS = 40  # distinct numbers above which they are cut into fifths
ROOM = 0.97  # of the kits: whole areas rarely add up to every group's share exactly
STEPS = tuple(step / 10 for step in range(11))


def groups_of(values: pd.Series, *, name: str = "group") -> pd.Series:
    """A column as groups: words as they are, numbers of many values as fifths of areas.

    >>> import pandas as pd
    >>> groups_of(pd.Series(["x", "y"], ["a", "b"])).tolist()
    ['x', 'y']
    """
    import pandas as pd

    if values.isna().any():
        raise DataError(f"{name} is missing for {int(values.isna().sum())} areas: "
                        f"{some(values.index[values.isna()])}.")  # fmt: skip
    if not pd.api.types.is_numeric_dtype(values) or values.nunique() <= MOST_GROUPS:
        return values.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    fifth = (values.rank(method="first") * 5 / len(values)).apply(math.ceil).clip(1, 5)
    words = {1: "lowest fifth", 2: "second fifth", 3: "third fifth", 4: "fourth fifth", 5: "highest fifth"}
    return fifth.map(words)


def equity(plan: Plan, group: pd.Series, *, draws: int = 1000, seed: int) -> pd.DataFrame:
    """How kits are shared among groups of areas, beside their homes and their expected crime.

    ``group``  by place: borough, ward, decile of deprivation (see ``groups_of`` for numbers).

    Returns one row a group: ``group``, ``areas``, ``chosen``, ``households``, ``covered`` (households of
    chosen areas), ``kits``, ``kits_share``, ``household_share``, ``risk_share``,
    ``kits_per_1000_households``, ``kits_per_100_incidents`` (expected a year), and ``ratio`` (share of kits
    over share of households; 1 is
    parity) with ``low`` and ``high`` (95 %, areas drawn again with replacement, seeded).
    """
    import numpy as np
    import pandas as pd

    frame = plan.frame
    named = _on(group, frame)
    names, code = np.unique(named.to_numpy(object).astype(str), return_inverse=True)
    if all(name.replace(".", "", 1).isdigit() for name in names):  # deciles: 2 before 10
        order = np.argsort(names.astype(float), kind="stable")
        names, code = names[order], np.argsort(order)[code]
    kits, homes, risk = (frame[c].to_numpy(float) for c in ("kits", "households", "risk"))
    taken = (frame["arm"] == "treated").to_numpy()
    total = {key: np.bincount(code, value, len(names)).astype(float) for key, value in {
        "areas": np.ones(len(frame)), "chosen": taken, "households": homes, "covered": homes * taken,
        "kits": kits, "risk": risk}.items()}  # fmt: skip
    table = pd.DataFrame({"group": names, **{k: v for k, v in total.items() if k != "risk"}})
    table["kits_share"] = total["kits"] / max(kits.sum(), 1)
    table["household_share"] = total["households"] / homes.sum()
    table["risk_share"] = total["risk"] / max(risk.sum(), 1e-12)
    table["kits_per_1000_households"] = 1000 * _over(total["kits"], total["households"])
    table["kits_per_100_incidents"] = 100 * _over(total["kits"], total["risk"])
    table["ratio"] = _over(table["kits_share"].to_numpy(), table["household_share"].to_numpy())
    table["low"], table["high"] = _bootstrap(code, kits, homes, len(names), draws, seed)
    return table.astype(dict.fromkeys(("areas", "chosen", "households", "covered", "kits"), "int64"))


def frontier(
    plan: Plan,
    group: pd.Series,
    *,
    norms: Iterable[float] = STEPS,
    mip_gap: float = 1e-3,
    time_limit: float = 60.0,
) -> pd.DataFrame:
    """What each step towards equal shares costs: from no floor to every group's full share of kits.

    ``norms``  shares of its household share that every group gets at least, of 97 % of the kits, because
    whole areas rarely add up exactly; 0 is the free choice.

    Returns one row a norm: ``norm``, ``areas``, ``kits``, ``risk`` (expected incidents a year in the chosen
    areas), ``lost`` (share of the free choice's), ``worst`` (the lowest share of kits over share of
    households of any group) and ``gap`` of the solver. Rows that cannot be kept are left out. Other
    constraints of the plan are not applied. About a minute on London with boroughs.
    """
    import numpy as np
    import pandas as pd

    from peelian.plan.constrained import Rows, choose_within

    frame, limit = plan.frame, plan.summary["kits_limit"]
    named = _on(group, frame)
    need, risk, homes = (frame[c].to_numpy() for c in ("need", "risk", "households"))
    names = sorted(named.unique())
    inside = np.array([(named == name).to_numpy() for name in names])
    share = inside @ homes / homes.sum()
    open_ = (risk > 0) & ~frame.index.isin(plan.summary["must_not"])
    fixed = frame.index.isin(plan.summary["must"])
    rows = []
    for norm in norms:
        least = np.floor(norm * ROOM * limit * share)
        asked = Rows(_sparse(inside * need), least, np.full(len(names), np.inf), tuple(names))
        try:
            found = choose_within(
                risk, need, limit, [asked], fixed=fixed, open_=open_, mip_gap=mip_gap, time_limit=time_limit
            )
        except DesignError:
            continue
        given = inside @ np.where(found.chosen, need, 0)
        parity = _over(given / max(given.sum(), 1), share)
        rows.append(
            (norm, int(found.chosen.sum()), int(given.sum()), found.objective, parity.min(), found.gap)
        )
    table = pd.DataFrame(rows, columns=["norm", "areas", "kits", "risk", "worst", "gap"])
    if len(table):
        table.insert(4, "lost", 1 - table["risk"] / table["risk"].iloc[0])
    return table


def if_under_reported(
    plan: Plan, deprived: Iterable[str], *, missing: Iterable[float] = (0.1, 0.2, 0.3)
) -> pd.DataFrame:
    """Areas that would enter the plan if so much of the crime in deprived areas were never reported.

    ``deprived``  ids of the areas where reporting may be lower, such as the most deprived third.
    ``missing``   shares of their crime that is in no record.

    Greedy, without constraints, against the greedy choice on recorded crime. One row a share: ``missing``,
    ``enter`` and ``leave`` (numbers), ``entering`` (ids in order of risk by kit).
    """
    import numpy as np
    import pandas as pd

    from peelian.plan.knapsack import by_rate, greedy

    frame, limit = plan.frame, plan.summary["kits_limit"]
    there = frame.index.isin(list(deprived))
    need = frame["need"].where(~frame.index.isin(plan.summary["must_not"]), 0).to_numpy()
    recorded = frame["risk"].to_numpy()
    before = greedy(np.where(need > 0, recorded, 0.0), need, limit)
    rows = []
    for share in missing:
        if not 0 <= share < 1:
            raise DesignError(f"missing is a share from 0 to below 1; got {share:g}.")
        risk = np.where(there, recorded / (1 - share), recorded)
        after = greedy(np.where(need > 0, risk, 0.0), need, limit)
        order = [at for at in by_rate(risk, need) if after[at] and not before[at]]
        entering = ", ".join(frame.index[order])
        rows.append((share, len(order), int((before & ~after).sum()), entering))
    return pd.DataFrame(rows, columns=["missing", "enter", "leave", "entering"])


def _on(group: pd.Series, frame: pd.DataFrame) -> pd.Series:
    found = group.reindex(frame.index)
    if found.isna().any():
        lacking = found.index[found.isna()]
        raise DataError(f"group lacks {len(lacking)} areas of the plan: {some(lacking)}.")
    return found.astype("str")


def _over(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _sparse(matrix: NDArray[np.float64]) -> sparse.csr_array:
    from scipy import sparse

    return sparse.csr_array(matrix.astype(float))


def _bootstrap(
    code: NDArray[np.int64],
    kits: NDArray[np.float64],
    homes: NDArray[np.float64],
    groups: int,
    draws: int,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interval of each group's ratio when areas are drawn again."""
    import numpy as np

    rng = np.random.default_rng(seed)
    ratios = np.zeros((draws, groups))
    for draw in range(draws):
        times = np.bincount(rng.integers(0, len(code), len(code)), minlength=len(code))
        given = np.bincount(code, weights=times * kits, minlength=groups)
        held = np.bincount(code, weights=times * homes, minlength=groups)
        ratios[draw] = _over(given / max(given.sum(), 1e-12), held / max(held.sum(), 1e-12))
    low, high = np.quantile(ratios, [0.025, 0.975], axis=0)
    return low, high
