"""The one-year test: counts of earlier years ranked, tested on the last year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from peelian.arithmetic.scores import Capture, capture
from peelian.errors import DesignError
from peelian.predict.baselines import Counts
from peelian.predict.history import History, moment_of, step_of

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places

NOT_COMPARABLE = (
    "PAI cannot be compared across areas or cell sizes: moving the grid's origin alone changes it. "
    "Compare methods on one grid, over many months."
)


@dataclass(frozen=True)
class Holdout:
    """What the places with most incidents in the earlier months held in the test months.

    ``history``, ``test``  first and last month of each; ``capture`` the scores; ``places`` how many.
    """

    history: tuple[pd.Period, pd.Period]
    test: tuple[pd.Period, pd.Period]
    capture: Capture
    places: int


def holdout(risk: pd.Series, counts: pd.Series, areas: Sequence[float] = (0.05, 0.1, 0.2)) -> Capture:
    """What a risk map held of later counts in its riskiest shares of places, ties at their expected value.

    ``risk``, ``counts``  by place, on one index; places count as one each (cells of equal size).

    >>> risk = pd.Series([2.0, 1.0, 1.0, 0.0], list("abcd"))
    >>> holdout(risk, pd.Series([3, 1, 0, 0], list("abcd")), [0.5]).pai
    (1.75,)
    """
    if not risk.index.equals(counts.index):
        raise DesignError("The risk and the counts must stand on the same places, in the same order.")
    return capture(risk.to_numpy(float), counts.to_numpy(float), shares=areas)


def one_year_test(
    incidents: Incidents,
    places: Places,
    *,
    test_months: int = 12,
    history_months: int = 36,
    areas: Sequence[float] = (0.05, 0.1, 0.2),
) -> Holdout:
    """Counts of ``history_months`` months ranked, and tested on the last ``test_months`` months.

    Raises ``DesignError`` where the incidents do not reach back so far.
    """
    first, last = incidents.span
    start = last - test_months + 1
    if start - history_months < first:
        raise DesignError(
            f"A test of {test_months} months by the {history_months} months before needs incidents from "
            f"{start - history_months:%B %Y}; they start in {first:%B %Y}. Lower "
            "history_months or test_months."
        )
    at = step_of(start.start_time, "month")
    history = History.of(incidents, places, end=moment_of(at + test_months, "month"))
    risk = Counts(history_months).expected(history.before(at), at, at + test_months)
    found = holdout(
        pd.Series(risk, places.index), pd.Series(history.outcome(at, at + test_months), places.index), areas
    )
    return Holdout((start - history_months, start - 1), (start, last), found, len(np.asarray(risk)))
