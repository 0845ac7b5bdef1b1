"""Several start months: what two-way fixed effects would have said, and which comparisons it rests on.

A diagnostic in counts an area and quarter, beside methods that never compare with areas already treated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from peelian.arithmetic.comparison import t_quantile
from peelian.errors import DesignError
from peelian.evaluate.methods import starts_of
from peelian.evaluate.staggered import aggregate, bacon, group_time, groups_left_out, imputation_ols, twfe
from peelian.evaluate.windows import CONTROL, TREATED, Study

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

FORBIDDEN = "later v earlier"
SAID = {
    "treated v never": "areas never treated",
    "earlier v later": "areas not treated yet",
    FORBIDDEN: "areas treated already",
}
SUMMARIES: dict[Literal["simple", "group", "dynamic", "calendar"], str] = {
    "simple": "Differences by start (Callaway & Sant'Anna): all treated quarters",
    "group": "The same, each start's mean",
    "dynamic": "The same, each quarter since the start alike",
    "calendar": "The same, each calendar quarter alike",
}


@dataclass(frozen=True, eq=False, slots=True)
class Staged:
    """Two-way fixed effects of a staged programme beside what avoids its mixture.

    ``frame``    one row a method: ``what``, ``estimate``, ``low``, ``high``, incidents an area and quarter
                 more (below 0: fewer) since the start than without it.
    ``against``  one row a kind of comparison in the two-way coefficient: ``with`` whom, ``pairs`` of starts,
                 ``weight`` (sum 1), ``estimate`` (weighted mean).
    ``forbidden``  share of the coefficient that compares with areas already treated. ``pre_p`` p of all
                 differences before the starts together (nan where it cannot be had).
    """

    frame: pd.DataFrame
    against: pd.DataFrame
    forbidden: float
    pre_p: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "methods": self.frame.to_dict("records"), "against": self.against.to_dict("records"),
            "already_treated": self.forbidden, "before_p": self.pre_p,
        }  # fmt: skip


def staged(study: Study, *, seed: int, level: float = 0.95) -> Staged | None:
    """The diagnostics of a programme that starts in several quarters; None where all start in one.

    Treated and never-treated units, from the first baseline to the last month after. A start inside a quarter
    makes that quarter the first treated one.
    """
    if len(study.stacks) < 2:
        return None
    counts, first = _quarters(study)
    if len(np.unique(first[first >= 0])) < 2:
        return None
    treated = (first >= 0)[:, None] & (np.arange(counts.shape[1]) >= first[:, None])
    try:
        plain, found, parts = twfe(counts, treated), group_time(counts, first), bacon(counts, first)
        imputed = _imputed(counts, treated, seed)
    except (DesignError, np.linalg.LinAlgError):
        return None
    import pandas as pd

    half = t_quantile(0.5 + level / 2, max(study.n_treated - 1, 1))
    rows = [("Two-way fixed effects", plain.estimate, plain.clustered_g)]
    rows += [(name, one.att, one.se) for how, name in SUMMARIES.items() for one in [aggregate(found, how)]]
    rows.append(("Imputation by least squares (Borusyak, Jaravel & Spiess)", *imputed))
    frame = pd.DataFrame(
        [(what, x, x - half * se, x + half * se) for what, x, se in rows],
        columns=["what", "estimate", "low", "high"],
    )
    against = _against(parts)
    forbidden = float(parts.loc[parts["kind"] == FORBIDDEN, "weight"].sum())
    return Staged(frame, against, forbidden, found.pre_p)


def _imputed(counts: NDArray[np.float64], treated: NDArray[np.bool_], seed: int) -> tuple[float, float]:
    """Imputation by least squares, with its jackknife over random groups of units."""
    left = np.array(
        [
            imputation_ols(counts[keep], ~treated[keep], treated[keep])
            for keep in groups_left_out(treated.any(axis=1), 100, seed)
        ]
    )
    spread = math.sqrt((len(left) - 1) / len(left)) * float(np.linalg.norm(left - left.mean()))
    return imputation_ols(counts, ~treated, treated), spread


def _quarters(study: Study) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Counts of treated and never-treated units by quarter, and the quarter each starts in (-1: never)."""
    begin = min(s.before[0] for s in study.stacks)
    begin += (study.stacks[0].start - begin) % 3
    end = max(s.after[1] for s in study.stacks)
    windows = [(at, at + 3) for at in range(begin, end - 2, 3)]
    keep = (study.unit_group == TREATED) | (study.unit_group == CONTROL)
    counts = study.by_unit(np.column_stack([study.window_sums(w) for w in windows]))[keep]
    start = np.array([(s.start - begin) // 3 for s in study.stacks])
    own = starts_of(study)[keep]
    first = np.where(own >= 0, start[own], -1)
    return counts, np.where(first < len(windows), first, -1)


def _against(parts: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for kind, name in SAID.items():
        held = parts[parts["kind"] == kind]
        weight = float(held["weight"].sum())
        if weight > 0:
            rows.append((name, len(held), weight, float(held["weight"] @ held["estimate"]) / weight))
    return pd.DataFrame(rows, columns=["with", "pairs", "weight", "estimate"])


def sentence(found: Staged, crime: str) -> str:
    """What two-way fixed effects would have said, and how much of it should not be there."""
    two, others = found.frame["estimate"].iloc[0], found.frame["estimate"].iloc[1]
    return (
        f"Two-way fixed effects would have said {two:+.2f} {crime} an area and quarter, where differences by "
        f"start say {others:+.2f}; {100 * found.forbidden:.0f} % of it rests on comparing with areas treated "
        "already"
    )
