"""Who benefits? The same comparison in the lowest, middle and highest third of the areas.

Second to the whole, and exploratory unless a plan registered it. No single area is ranked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from peelian.arithmetic.comparison import LogRatio, holm, satterthwaite
from peelian.errors import DesignError
from peelian.evaluate import words
from peelian.evaluate.did import did
from peelian.evaluate.windows import CONTROL, OUT, TREATED, Study

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.places import Places

THIRDS = ("lowest third", "middle third", "highest third")
COUNT = "count before"
FEWEST = 5


@dataclass(frozen=True, eq=False, slots=True)
class Benefits:
    """Ratios by thirds of the areas.

    ``frame``  one row a third of each measure: ``by``, ``third``, ``areas`` (treated), ``count`` (treated,
    after), ``estimate``, ``low``, ``high``. ``between`` one row a measure: the highest third's ratio over the
    lowest's with its interval, and ``p`` multiplied by how many are left to look at (Holm 1979).
    """

    frame: pd.DataFrame
    between: pd.DataFrame


def who_benefits(
    study: Study, *, places: Places | None = None, by: Sequence[str] = (), seed: int
) -> Benefits | None:
    """The headline in thirds of the areas by their count before, and by further numeric columns of places.

    The limits are the treated areas' thirds, and the comparison areas are cut at the same ones, so that each
    third is compared with areas like it. None where a third would hold fewer than five areas of either arm.
    """
    import pandas as pd

    rows, between = [], []
    for name, values in _measures(study, places, by).items():
        found = [_third(study, inside, seed) for inside in _cut(study, values)]
        if len(found) < 3 or any(x is None for x in found):
            continue
        logs = []
        for third, one in zip(THIRDS, found, strict=True):
            if one is not None:
                logs.append(one[0])
                ends = (math.exp(x) for x in (one[0].theta, *one[0].interval()))
                rows.append((name, third, one[1], one[2], *ends))
        gap = _gap(logs[-1], logs[0])
        between.append((name, *(math.exp(x) for x in (gap.theta, *gap.interval())), gap.p))
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["by", "third", "areas", "count", "estimate", "low", "high"])
    apart = pd.DataFrame(between, columns=["by", "estimate", "low", "high", "p"])
    return Benefits(frame, apart.assign(p=holm(apart["p"].to_numpy())))


def _measures(study: Study, places: Places | None, by: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    held = {COUNT: np.mean([study.window_sums(s.before) for s in study.stacks], axis=0)}
    if places is not None:
        frame = places.frame.reindex(study.places)
        held |= {name: frame[name].to_numpy(float) for name in by if name in frame}
    return held


def _cut(study: Study, values: NDArray[np.float64]) -> list[NDArray[np.bool_]]:
    """By place: in the lowest, middle, highest third of the treated areas' values; fewer where they tie."""
    treated = values[study.group == TREATED]
    treated = treated[np.isfinite(treated)]
    if len(treated) < 3 * FEWEST:
        return []
    low, high = np.quantile(treated, [1 / 3, 2 / 3])
    return [values <= low, (values > low) & (values <= high), values > high]


def _third(study: Study, inside: NDArray[np.bool_], seed: int) -> tuple[LogRatio, int, float] | None:
    """The headline on these places alone, how many are treated, and their count after."""
    who = ((study.group == TREATED) | (study.group == CONTROL)) & ~inside
    group = np.where(who, OUT, study.group)
    if min((group == arm).sum() for arm in (TREATED, CONTROL)) < FEWEST:
        return None
    unit_group = study.unit_group.copy()
    empty = np.bincount(study.unit[group != OUT], minlength=len(study.units)) == 0
    unit_group[empty] = OUT
    try:
        head = did(replace(study, group=group, unit_group=unit_group), seed=seed, draws=1)
    except DesignError:
        return None
    return head.log, int((group == TREATED).sum()), head.ratio.extra["observed"]


def _gap(high: LogRatio, low: LogRatio) -> LogRatio:
    parts = [high.se**2, low.se**2]
    return LogRatio(high.theta - low.theta, math.sqrt(sum(parts)), satterthwaite(parts, [high.df, low.df]))


def sentence(found: Benefits, *, registered: bool = False) -> str:
    """What the thirds say: one clause a measure."""
    said = "; ".join(
        f"by {r['by'].replace('_', ' ')}, the highest third's ratio is "
        f"{words.ratio(r['estimate'], r['low'], r['high'])} times the lowest's, p {words.p_text(r['p'])}"
        for r in found.between.to_dict("records")
    )
    many = len(found.between)
    adjusted = f" (p adjusted for {many} measures)" if many > 1 else ""
    kind = "as registered" if registered else "exploratory"
    return f"Who benefits, {kind}: {said}{adjusted}."
