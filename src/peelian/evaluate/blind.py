"""A trial read blind: two arms called A and B, and nothing that says which of them got the programme."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError
from peelian.evaluate import words
from peelian.evaluate.rct import listed_in
from peelian.evaluate.windows import TREATED
from peelian.report import Section, Table, Text
from peelian.words import plural

if TYPE_CHECKING:
    import pandas as pd

    from peelian.evaluate.assess import Assessment
    from peelian.programme import Programme

WHY = "the trial is read blind until it is unblinded: peelian evaluate --unblind --author NAME"


def arms(found: Assessment, programme: Programme) -> pd.DataFrame:
    """Both arms as A and B: ``arm``, ``units``, ``before``, ``after``; which is A is drawn from the seed.

    ``DesignError`` where no trial can be read blind: nothing drawn, or an order of starts.
    """
    import pandas as pd

    trial, laid = found.trial, found.study
    if trial is None or len(laid.stacks) > 1:
        raise DesignError(
            "blind = true is for areas drawn to two arms with one start; this programme "
            + ("starts in several months." if trial is not None else "has no recorded draw.")
        )
    inside, stack = listed_in(laid, programme), laid.stacks[0]
    rows = []
    for treated in (True, False):
        who = inside & ((laid.group == TREATED) == treated)
        counts = [float(laid.window_sums(w)[who].sum()) for w in (stack.before, stack.after)]
        rows.append((len(np.unique(laid.unit[who])), *counts))
    if first_is_control(found.seed):
        rows.reverse()
    return pd.DataFrame(rows, columns=["units", "before", "after"], index=["A", "B"]).rename_axis("arm")


def first_is_control(seed: int) -> bool:
    """Whether A is the control arm: a coin that only the seed knows."""
    return bool(np.random.default_rng([seed, 1829]).integers(2))


def section(found: Assessment, programme: Programme, question: str) -> Section:
    """The chapter while the trial is blind: counts by arm, the ratio of B to A, how alike the arms were."""
    frame = arms(found, programme)
    assert found.trial is not None
    e, turned = found.trial.effect, not first_is_control(found.seed)
    ends = e.estimate, e.low, e.high
    ratio = (1 / ends[0], 1 / ends[2], 1 / ends[1]) if turned else ends
    said = "" if found.small else f" B to A, each to its own count before: a ratio of {words.ratio(*ratio)}"
    said += "" if found.small else f", p {words.p_text(e.p)}."
    finding = (
        f"This trial is read blind: which arm got the programme is not said here.{said} Decide what is "
        "reported and what is left out now, then unblind it; the time and the name are logged."
    )
    apart = found.trial.balance.assign(difference=found.trial.balance["difference"].abs())
    shown = frame.reset_index().set_axis(["Arm", "Units", "Before", "After"], axis=1)
    table = Table(
        "evaluate_blind", f"{plural(found.crime).capitalize()} before and after in arms A and B", shown,
        dict.fromkeys(("Units", "Before", "After"), ",.0f"), found.source, ("Before", "After"),
    )  # fmt: skip
    worst = apart["difference"].iloc[0]
    alike = (
        "The arms as drawn cannot be told apart by their count before."
        if not math.isfinite(worst)
        else f"The arms as drawn stood {worst:.2f} standard deviations apart in their count before."
    )
    return Section("evaluate", "Evaluate", question, (Text(finding, "finding"), table, Text(alike, "plain")))
