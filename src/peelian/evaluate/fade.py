"""Does the change last, or does it wear off? Months 7 to 12 against 1 to 6, and the second year too."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.evaluate.ratios import cells, permutation, ratios
from peelian.evaluate.windows import Study

if TYPE_CHECKING:
    import pandas as pd

    from peelian.arithmetic.comparison import LogRatio

SPANS = {"months 1-6": (0, 6), "months 7-12": (6, 12), "months 13-24": (12, 24)}
TOO_FEW = "too few to say"


@dataclass(frozen=True, eq=False, slots=True)
class Fade:
    """Whether the change lasts: ratios of months 1-6, 7-12 and 13-24, and a word for it.

    ``delta`` log ratio of months 7-12 less that of months 1-6, with its p by permutation beside, and ``word``
    what that says. ``later`` the same word for months 13-24 against the first twelve, where they are held.
    """

    frame: pd.DataFrame
    delta: LogRatio | None
    p: float | None
    word: str
    later: str | None = None

    @property
    def said(self) -> str:
        """Both words as one."""
        if self.later is None or self.later == self.word:
            return self.word
        return f"{self.word} in the first year, {self.later} in the second"


def fade(study: Study, *, seed: int, draws: int = 999, level: float = 0.95) -> Fade:
    """Whether the change wears off: months 7-12 against 1-6 since the start, and months 13-24 against 1-12.

    "wearing off" where the difference is above 0 with p < .10; "lasting" where the upper end of its 90 %
    interval is under half of the change in the earlier months; else "too few to say".
    """
    import pandas as pd

    m = len(study.months)
    held = {
        name: [(s.start + a, s.start + b) if s.start + b <= m else None for s in study.stacks]
        for name, (a, b) in (SPANS | {"months 1-12": (0, 12)}).items()
    }
    held = {name: windows for name, windows in held.items() if any(windows)}
    if "months 7-12" not in held:
        return Fade(pd.DataFrame(), None, None, "too few months to say")
    names, windows = list(held), list(held.values())
    result = ratios(study, [cells(study, windows)])
    if not (result.expected > 0).all():
        return Fade(pd.DataFrame(), None, None, TOO_FEW)
    perm = permutation(study, windows, draws=draws, seed=seed)
    rows = []
    for name in SPANS.keys() & held.keys():
        j = names.index(name)
        one = result.one(j)
        low, high = one.interval(level)
        rows.append(
            {"months": name, "estimate": math.exp(one.theta), "low": math.exp(low), "high": math.exp(high),
             "treated_count": float(result.observed[j]), "expected": float(result.expected[j])}
        )  # fmt: skip
    rows.sort(key=lambda row: list(SPANS).index(str(row["months"])))

    def step(early: str, late: str) -> tuple[LogRatio, float | None, str]:
        contrast = [float(n == late) - float(n == early) for n in names]
        delta = result.one(contrast)
        return delta, perm.p(contrast), _word(delta, float(result.theta[names.index(early)]))

    delta, p, word = step("months 1-6", "months 7-12")
    later = step("months 1-12", "months 13-24")[2] if "months 13-24" in held else None
    return Fade(pd.DataFrame(rows), delta, p, word, later)


def _word(delta: LogRatio, early: float) -> str:
    if delta.theta > 0 and delta.p < 0.10:
        return "wearing off"
    if early < 0 and delta.interval(0.90)[1] < abs(early) / 2:
        return "lasting"
    return TOO_FEW
