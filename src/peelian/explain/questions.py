"""Seven questions asked of the Metropolitan Police about its risk terrain application, answered from a run.

Requests 01.FOI.23.030036 and 01.FOI.24.039956: purpose; what it targets; types of data; sources of data;
decisions made with it; data protection and equality assessments; reviews and evaluations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from peelian.report import Block, Table, Text

if TYPE_CHECKING:
    from peelian.explain.model import RiskTerrain
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
NO_PERSONS = (
    "Recorded incidents (type, place, time) and features of places. No data on persons are used: no names, "
    "no addresses of persons, no characteristics of offenders or victims."
)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Answers:
    """The ``[explain.questions]`` table: what the run cannot know.

    ``purpose`` what the terrain is for; ``decisions`` which are made with it and by whom; ``assessments``
    where the data protection and equality impact assessments are; ``reviews`` who reviews it, when, and what
    earlier runs said.
    """

    purpose: str = ""
    decisions: str = ""
    assessments: str = ""
    reviews: str = ""


def blocks(
    terrain: RiskTerrain, places: Places, layers: Layers, left_out: dict[str, str], answers: Answers
) -> list[Block]:
    """The table of the seven questions, and a warning while one of them is not answered."""
    import pandas as pd

    written = {
        0: answers.purpose, 4: answers.decisions, 5: answers.assessments, 6: answers.reviews,
    }  # fmt: skip
    known = {
        1: _targets(terrain, places), 2: NO_PERSONS, 3: _sources(layers, left_out), 6: _accuracy(terrain),
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
    return found


def complete(answers: Answers) -> bool:
    """Whether every question that a run cannot answer has been answered."""
    written = (answers.purpose, answers.decisions, answers.assessments, answers.reviews)
    return all(text.strip() for text in written)


def _targets(terrain: RiskTerrain, places: Places) -> str:
    from peelian.explain.report import capital, when

    unit = f"{len(places):,} cells of {places.cell:g} m" if places.cell else f"{len(places):,} places"
    return f"Places, not persons. {capital(terrain.crime)}{when(terrain)}, over {unit}."


def _sources(layers: Layers, left_out: dict[str, str]) -> str:
    used = [layers[name].source or "not stated" for name in layers if name not in left_out]
    listed = "; ".join(dict.fromkeys(used))
    return f"Incidents: the police record named in this report. Features: {listed}. See the table of layers."


def _accuracy(terrain: RiskTerrain) -> str:
    capture = terrain.inference.get("capture") or {}
    if not capture:
        return "No later period was held back in this run."
    return (
        f"Fitted on the first half of the period, the riskiest 5 % of cells held "
        f"{100 * capture['terrain']:.1f} % of the second half's incidents; the cells with most incidents "
        f"in the first half held {100 * capture['history']:.1f} %; cells drawn at random would hold 5 %."
    )
