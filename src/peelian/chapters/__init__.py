"""Chapters: what each stage is given of a project, and what it hands back.

One function a stage, in no order: it loads the nouns and the open files that the stage needs, calls the
stage's ``run`` and passes on its ``Outcome``. A stage whose input is absent says what is not held.
"""

from __future__ import annotations

from collections.abc import Callable

from peelian.chapters import evaluation, forecast, report, stages
from peelian.chapters.context import Context, PanelTable, Progress, stage_parameters
from peelian.chapters.stages import FROZEN, frozen_plan, judged
from peelian.report import Outcome

__all__ = [
    "CHAPTERS",
    "FROZEN",
    "Context",
    "PanelTable",
    "Progress",
    "frozen_plan",
    "judged",
    "stage_parameters",
]

CHAPTERS: dict[str, Callable[[Context], Outcome]] = {
    "read": stages.read,
    "explain": stages.explain,
    "predict": forecast.predict,
    "plan": stages.plan,
    "deliver": stages.deliver,
    "evaluate": evaluation.evaluate,
    "account": stages.account,
    "report": report.report,
}
