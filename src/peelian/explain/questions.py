"""Seven questions asked of the Metropolitan Police about its risk terrain application, answered from a run.

Requests 01.FOI.23.030036 and 01.FOI.24.039956: purpose; what it targets; types of data; sources of data;
decisions made with it; data protection and equality assessments; reviews and evaluations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, model_validator
from pydantic.dataclasses import dataclass

from peelian.report import Block, Table, Text

if TYPE_CHECKING:
    from peelian.explain.model import RiskTerrain
    from peelian.explain.tried import Trial
    from peelian.layers import Layers
    from peelian.places import Places

ASKED = (
    "What is it for?",
    "What does it target?",
    "Which types of data does it use?",
    "Where do the data come from?",
    "Which decisions are made with it?",
    "Are there a data protection and an equality impact assessment?",
    "How is it reviewed and evaluated?",
)
WRITTEN = {"purpose": 0, "decisions": 4, "assessments": 5, "reviews": 6}  # what a run cannot know
NO_PERSONS = (
    "Recorded incidents (type, place, time) and features of places. No data on persons are used: no names, "
    "no addresses of persons, no characteristics of offenders or victims."
)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Answers:
    """The ``[explain.questions]`` table: what the run cannot know.

    ``purpose`` what the terrain is for; ``decisions`` which are made with it and by whom; ``assessments``
    where the data protection and equality impact assessments are; ``reviews`` who reviews it and when
    (earlier runs are listed by themselves). ``complete`` marks the report complete, which it cannot be while
    one of the four is blank.
    """

    purpose: str = ""
    decisions: str = ""
    assessments: str = ""
    reviews: str = ""
    complete: bool = False

    @model_validator(mode="after")
    def _none_is_blank(self) -> Answers:
        blank = [name for name in WRITTEN if not getattr(self, name).strip()]
        if self.complete and blank:
            raise ValueError(f"the report cannot be marked complete: {', '.join(blank)} is blank")
        return self


def blocks(
    terrain: RiskTerrain, places: Places, layers: Layers, left_out: dict[str, str], answers: Answers,
    trial: Trial | None, earlier: list[dict[str, Any]],
) -> list[Block]:  # fmt: skip
    """The table of the seven questions, a warning while one of them is not answered, and earlier runs."""
    import pandas as pd

    written = {at: getattr(answers, name) for name, at in WRITTEN.items()}
    known = {
        1: _targets(terrain, places), 2: NO_PERSONS, 3: _sources(layers, left_out),
        6: f"{_accuracy(trial)} {_runs_said(earlier)}",
    }  # fmt: skip
    rows = []
    for at, question in enumerate(ASKED):
        parts = [known.get(at, ""), written.get(at, "")]
        missing = at in written and not written[at].strip()
        parts += ["Not answered yet."] * missing
        rows.append({"Question": question, "Answer": " ".join(part for part in parts if part)})
    open_ = [ASKED[at] for at, text in written.items() if not text.strip()]
    found: list[Block] = [
        Table(
            "seven_questions", "Seven questions about this risk terrain, and what is known of each",
            pd.DataFrame(rows),
            note="The questions of two Freedom of Information requests to the Metropolitan Police "
            "(01.FOI.23.030036 and 01.FOI.24.039956). Answers that a run cannot know are written in "
            "[explain.questions].",
        )
    ]  # fmt: skip
    if open_:
        found.append(
            Text(
                f"This account is not complete: {len(open_)} of seven questions wait for an answer in "
                f"[explain.questions] ({' '.join(open_)}).",
                "note",
            )
        )
    if answers.complete:
        found.append(Text("This account is marked complete: all seven questions are answered.", "note"))
    return [*found, _runs(earlier)] if earlier else found


def complete(answers: Answers) -> bool:
    """Whether every question that a run cannot answer has been answered."""
    return all(getattr(answers, name).strip() for name in WRITTEN)


def _targets(terrain: RiskTerrain, places: Places) -> str:
    from peelian.explain.report import capital, when

    return f"Places, not persons. {capital(terrain.crime)}{when(terrain)}, over {terrain.extent.said}."


def _sources(layers: Layers, left_out: dict[str, str]) -> str:
    used = [layers[name].source or "not stated" for name in layers if name not in left_out]
    listed = "; ".join(dict.fromkeys(used))
    return f"Incidents: the police record named in this report. Features: {listed}. See the table of layers."


def _accuracy(trial: Trial | None) -> str:
    from peelian.explain.tried import top_of

    if trial is None:
        return "No later period was held back in this run."
    held = top_of(trial)
    return (
        f"Fitted on {trial.fitted}, the riskiest 5 % of places held {100 * held['terrain']:.1f} % of the "
        f"incidents of {trial.tried}; by {trial.before} they held {100 * held['history']:.1f} %; places "
        "drawn at random would hold 5 %."
    )


def _runs_said(earlier: list[dict[str, Any]]) -> str:
    if not earlier:
        return "No earlier run is held in this project."
    return f"{len(earlier)} earlier {'run is' if len(earlier) == 1 else 'runs are'} in the table of runs."


def _runs(earlier: list[dict[str, Any]]) -> Table:
    import pandas as pd

    rows = [
        {"Fitted on": run["fitted"], "Mode": run["mode"], "Cells": run["cells"],
         "Factors tried": run["tried"], "Reported": ", ".join(run["reported"]) or "none",
         "Tried on": run["later"] or "not held back", "Terrain": run["terrain"], "History": run["history"]}
        for run in earlier
    ]  # fmt: skip
    return Table(
        "earlier_runs",
        f"Earlier runs: {len(rows)}, with the share of later incidents in their riskiest 5 %",
        pd.DataFrame(rows), {"Terrain": ".1%", "History": ".1%", "Cells": ",.0f"},
        note="The last first. A run that was made again with the same result stands once.",
    )  # fmt: skip
