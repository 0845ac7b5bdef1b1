"""One part of an evaluation at a time, for people who ask for it. All of it is computed every time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DesignError
from peelian.evaluate import report
from peelian.evaluate.displacement import sentence
from peelian.evaluate.its import its
from peelian.evaluate.staged import sentence as staged_sentence
from peelian.evaluate.weighted import fullest_month
from peelian.evaluate.weighted import sentence as harm_sentence
from peelian.evaluate.windows import TREATED
from peelian.words import plural

if TYPE_CHECKING:
    import pandas as pd

    from peelian.evaluate.assess import Assessment

PARTS = ("compare", "did", "events", "rings", "wdd", "microsynth", "staggered", "its", "trial", "checks")
Part = tuple[list[str], "pd.DataFrame | None"]
_RATIOS = ["estimate", "low", "high", "band_low", "band_high", "change"]


def parts(found: Assessment) -> dict[str, dict[str, Any]]:
    """Every part as ``says`` (sentences) and ``rows`` (a table), by the names of ``PARTS``.

    Where counts are too small for a ratio (guard G4) the tables hold none. Each part comes after the verdict
    and the guards that fired: nobody reads one number without them.
    """
    made = {
        "compare": ([], found.comparison), "did": _did(found), "events": _events(found),
        "rings": _rings(found), "wdd": _wdd(found), "microsynth": _microsynth(found),
        "staggered": _staggered(found), "its": _its(found), "trial": _trial(found), "checks": _checks(found),
    }  # fmt: skip
    fired = ", ".join(c.id for c in found.fired) or "none"
    lead = f"Verdict: {found.verdict.words}. Guards that fired: {fired}."
    return {
        name: {"says": [lead, *says], "rows": _rows(frame, small=found.small and name != "checks")}
        for name, (says, frame) in made.items()
    }


def _rows(frame: pd.DataFrame | None, *, small: bool) -> list[dict[str, Any]]:
    if frame is None:
        return []
    shown = frame.drop(columns=[c for c in _RATIOS if c in frame]) if small else frame
    return shown.to_dict("records")


def _table(found: Assessment, *words: str) -> pd.DataFrame:
    """The estimates whose name holds one of these words."""
    from peelian.evaluate import tidy

    frame = tidy.estimates(found)
    keep = np.array([any(word in name for word in words) for name in frame["name"]], bool)
    return frame.loc[keep, ["name", "scale", "estimate", "low", "high", "se_method"]]


def _did(found: Assessment) -> Part:
    return [str(found.headline)], _table(found, "difference in differences", "the same, ", "left out")


def _events(found: Assessment) -> Part:
    rows, says = found.fading.frame.to_dict("records"), []
    if len(rows) > 1 and not found.small:
        says = [report.fade_sentence(rows, found.fading.said)]
    return says, found.event.frame


def _rings(found: Assessment) -> Part:
    if found.moved is None:
        return ["No rings: no area near the treated ones can be told from those further away."], None
    return [sentence(found.moved, crime=found.crime)], found.moved.frame


def _wdd(found: Assessment) -> Part:
    held = [e for e in found.effects if e.name.startswith("weighted displacement")]
    if not held:
        many = len(found.study.stacks)
        return [f"Not given: it takes one start month, and this programme has {many}."], None
    few = fullest_month(found.study, found.crime) if found.small else ""
    says = [str(e) for e in held] + ([few] if few else [])
    says += [] if found.harm is None else [harm_sentence(found.harm)]
    return says, _table(found, "weighted displacement")


def _microsynth(found: Assessment) -> Part:
    built = found.choices.synthetic
    if built is None:
        return ["The other areas could not be weighted to match the treated ones' history."], None
    says = [f"Matched on {built.matched}, to {built.worst:.3f} standard deviations."]
    if not found.small:
        says.append(report.ratio_sentence(built.effect))
    return says, built.balance


def _staggered(found: Assessment) -> Part:
    if len(found.study.stacks) == 1:
        return ["One start month: imputation and the headline are then the same number."], None
    says = []
    if found.staged is not None and not found.small:
        says.append(f"{staged_sentence(found.staged, plural(found.crime))}.")
    return says, _table(found, "imputation", "differences in counts")


def _its(found: Assessment) -> Part:
    """The treated areas' own series at the first start: no comparison, so it decides nothing."""
    import pandas as pd

    laid = found.study
    series = pd.Series(laid.counts[laid.group == TREATED].sum(axis=0), laid.months)
    try:
        step = its(series, str(laid.months[laid.stacks[0].start])).step
    except DesignError as error:
        return [f"Not given: {error}"], None
    says = "The treated areas' series alone, without any comparison, could never say more than: cannot tell."
    row = {"name": step.name, "estimate": step.estimate, "low": step.low, "high": step.high}
    return [says], pd.DataFrame([row | {"se_method": step.se_method}])


def _trial(found: Assessment) -> Part:
    if found.trial is None:
        return ["Areas were not drawn at random, or no draw is recorded."], None
    flow = found.trial.flow
    says = f"{flow['eligible']} units were eligible, {flow['treated']} drawn to treatment."
    held = [found.trial.effect, found.trial.beside, found.trial.second]
    more = [] if found.small else [report.ratio_sentence(e) for e in held if e is not None]
    return [says, *more], found.trial.balance


def _checks(found: Assessment) -> Part:
    from peelian.evaluate import tidy

    frame = tidy.guards(found)
    return [report.change_sentence(found)], frame[["id", "name", "fired", "sentence", "consequence"]]
