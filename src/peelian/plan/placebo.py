"""What areas chosen like this did in earlier years, with no programme at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.errors import DesignError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Rule = Callable[["pd.Series"], "pd.Index"]
YEAR = 12


@dataclass(frozen=True, eq=False)
class Placebo:
    """Naive changes of areas chosen by the same rule in earlier years, when nothing was done to them.

    ``frame`` one row a year of choice (``chosen_to`` its last month): ``areas``, ``same_year`` (the change
    where the months chosen on are the baseline too) and ``clean_year`` (where the gap lies between), each
    the ratio of change less one; ``gap_months`` the gap. Means and SDs leave out missing values.
    """

    frame: pd.DataFrame
    gap_months: int

    def mean(self, column: str) -> float:
        """Mean of the naive changes, in shares: -0.19 is a fall of 19 %."""
        return float(self.frame[column].mean())

    def sd(self, column: str) -> float:
        """Standard deviation between years; missing where there is one year alone."""
        return float(self.frame[column].std())


def selection_placebo(rule: Rule, counts: pd.Series, *, gap_months: int = 12, window: int = 12) -> Placebo:
    """Areas chosen like this on earlier years: how much they fell against the others with nothing done.

    ``rule``        takes the count of each place over the window and returns the places it would choose.
    ``counts``      incidents by (place, month), every month present.
    ``gap_months``  whole months between the end of the window and the pretended start.
    ``window``      months that the choice rests on.

    Choices are pretended a year apart, back from the last months. For each, 12 months before the pretended
    start are compared with 12 after it, chosen against all others, once with the gap and once with none.

    Raises ``DesignError`` when the history is too short for a single pretence.
    """
    import pandas as pd

    wide = counts.unstack("month").sort_index().sort_index(axis=1)
    last = wide.shape[1]
    need = window + YEAR
    if last < need:
        raise DesignError(
            f"A placebo needs {need} months of history ({window} to choose on, 12 after); "
            f"there are {last}. Load earlier months."
        )
    rows = []
    for end in range(last - YEAR, window - 1, -YEAR):
        chosen = wide.index.isin(rule(wide.iloc[:, end - window : end].sum(axis=1)))
        rows.append(
            {
                "chosen_to": wide.columns[end - 1],
                "areas": int(chosen.sum()),
                "same_year": _naive(wide, chosen, end),
                "clean_year": _naive(wide, chosen, end + gap_months) if gap_months else float("nan"),
            }
        )
    frame = pd.DataFrame(rows[::-1], columns=["chosen_to", "areas", "same_year", "clean_year"])
    return Placebo(frame, gap_months)


def naive_change(
    treated_before: float, treated_after: float, control_before: float, control_after: float
) -> float:
    """Change of the treated over change of the others, less one; missing where a count is nothing.

    >>> naive_change(200, 150, 1000, 1000)
    -0.25
    """
    if not (treated_before and control_before and control_after):
        return float("nan")
    return (treated_after / treated_before) / (control_after / control_before) - 1


def _naive(wide: pd.DataFrame, chosen: NDArray[np.bool_], start: int) -> float:
    if start + YEAR > wide.shape[1] or start < YEAR:
        return float("nan")
    before = wide.iloc[:, start - YEAR : start].to_numpy().sum(axis=1)
    after = wide.iloc[:, start : start + YEAR].to_numpy().sum(axis=1)
    return naive_change(
        before[chosen].sum(), after[chosen].sum(), before[~chosen].sum(), after[~chosen].sum()
    )
