"""How small a fall could be seen, before any money is spent."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from peelian.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.programme import Plan

Z = 1.959963984540054 + 0.8416212335729143  # two-sided 5 %, power 80 %


def mde_formula(
    treated_before: float, treated_after: float, control_before: float, control_after: float, phi: float
) -> float:
    """The smallest fall that would be seen four times out of five, as a share.

    Incidents in treated and other places, before and after, and ``phi``: how much more they vary than
    chance alone (1 would be chance alone; London's areas 1.6 to 2.8, see ``overdispersion``).

    1 - exp(-(z.975 + z.80) SE) with SE = sqrt(phi (1/T0 + 1/T1 + 1/C0 + 1/C1)). Too small below 20 treated
    places. Raises ``DataError`` for a count or ``phi`` of nothing or less.

    >>> round(mde_formula(200, 200, 400, 400, 1), 3)
    0.29
    """
    counts = (treated_before, treated_after, control_before, control_after)
    if not all(count > 0 for count in (*counts, phi)):
        raise DataError(f"Counts and phi must be above 0; got {', '.join(f'{c:g}' for c in (*counts, phi))}.")
    return 1 - math.exp(-Z * math.sqrt(phi * sum(1 / count for count in counts)))


def overdispersion(before: pd.Series, after: pd.Series) -> float:
    """How much more the counts of places vary from one year to the next than chance alone.

    ``before``, ``after``  counts by place of two windows as long as each other, on one index.

    phi = mean over places of (u - r v)^2 / (u + r^2 v), r = sum u / sum v; places of no incident at all
    are left out. Raises ``DataError`` where one window is empty.
    """
    import numpy as np

    v, u = before.to_numpy(float), after.reindex(before.index).to_numpy(float)
    if not (u.sum() > 0 and v.sum() > 0):
        raise DataError("Overdispersion needs incidents in both windows; one of them holds none.")
    ratio = u.sum() / v.sum()
    spread = u + ratio**2 * v
    held = spread > 0
    return float(np.mean((u[held] - ratio * v[held]) ** 2 / spread[held]))


def smallest_visible(plan: Plan, counts: pd.Series, *, seed: int, draws: int = 1000) -> Visible | None:
    """The smallest fall in the chosen areas that an evaluation of 12 against 12 months would see.

    ``counts`` by (place, month): the last 24 months give phi, and the windows that are redrawn among the
    areas of most risk, twice as many as are chosen. None where history is shorter, or nothing is left to
    compare with.
    """
    import numpy as np

    from peelian.plan.rehearsal import redrawn_windows, subsets

    windows = _last_two_years(counts)
    chosen = plan.frame["arm"] == "treated"
    risk, n = plan.frame["risk"], int(chosen.sum())
    if windows is None or n > len(risk) - 2:
        return None
    before, after = (w.reindex(risk.index, fill_value=0) for w in windows)
    if not (before.sum() and after.sum() and risk[chosen].sum() and risk[~chosen].sum()):
        return None
    phi = max(overdispersion(before, after), 1.0)
    formula = _mde(risk, chosen, phi)
    redrawn = None
    if n >= 2:
        pool = risk.sort_values(ascending=False, kind="stable").index[: max(2 * n, 10)]
        if len(pool) - 2 >= n:
            both = np.stack([before.to_numpy(float), after.to_numpy(float)], axis=1)[None]
            taken = subsets(len(risk), n, draws=draws, seed=seed, inside=risk.index.isin(pool))
            spread = redrawn_windows(both, taken).theta.std(ddof=1)
            redrawn = 1 - math.exp(-Z * float(spread))
    return Visible(formula, redrawn, phi, by_number(risk, phi))


@dataclass(frozen=True, eq=False)
class Visible:
    """Smallest visible fall as a share: by the formula, by redrawing (None where too few areas), and phi.

    ``by_number`` the formula for the areas of most risk, by how many are treated.
    """

    formula: float
    redrawn: float | None
    phi: float
    by_number: pd.DataFrame

    def rehearsed(self, table: pd.DataFrame | None, areas: int) -> Visible:
        """With the planted answer for so many areas and 12 months in the place of the redrawn one."""
        if table is None:
            return self
        row = table[(table["months"] == 12) & (table["areas"] == areas)]
        return self if row.empty else replace(self, redrawn=float(row["mde"].iloc[0]))

    @property
    def mde(self) -> float:
        """The redrawn value where the two differ by more than a fifth, else the formula's."""
        if self.redrawn is None or abs(self.redrawn - self.formula) <= 0.2 * self.formula:
            return self.formula
        return self.redrawn


def by_number(
    risk: pd.Series, phi: float, numbers: tuple[int, ...] = (5, 10, 20, 50, 100, 200)
) -> pd.DataFrame:
    """The smallest visible fall were only so many areas treated, those of most risk."""
    import pandas as pd

    order = risk.sort_values(ascending=False, kind="stable").index
    rows = []
    for number in numbers:
        treated = risk.index.isin(order[:number])
        if number > len(risk) / 2 or not (risk[treated].sum() and risk[~treated].sum()):
            break
        rows.append(
            {"areas": number, "incidents": float(risk[treated].sum()), "mde": _mde(risk, treated, phi)}
        )
    return pd.DataFrame(rows, columns=["areas", "incidents", "mde"])


def visible_formula(risk: pd.Series, treated: pd.Series, counts: pd.Series) -> float | None:
    """The formula for these areas against all others; None without two years, or where nobody is left."""
    windows = _last_two_years(counts)
    chosen = treated.reindex(risk.index, fill_value=False)
    if windows is None or not (risk[chosen].sum() and risk[~chosen].sum()):
        return None
    before, after = (w.reindex(risk.index, fill_value=0) for w in windows)
    if not (before.sum() and after.sum()):
        return None
    return _mde(risk, chosen, max(overdispersion(before, after), 1.0))


def _mde(risk: pd.Series, treated: object, phi: float) -> float:
    held = float(risk[treated].sum())
    others = float(risk.sum()) - held
    return mde_formula(held, held, others, others, phi)


def _last_two_years(counts: pd.Series) -> tuple[pd.Series, pd.Series] | None:
    wide = counts.unstack("month").sort_index(axis=1)
    if wide.shape[1] < 24:
        return None
    return wide.iloc[:, -24:-12].sum(axis=1), wide.iloc[:, -12:].sum(axis=1)
