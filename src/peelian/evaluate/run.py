"""The stage: a panel and a programme in, the chapter and its files out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from peelian.errors import DataError, DesignError
from peelian.places import ring_labels
from peelian.report import Outcome, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.evaluate.registration import Answer
    from peelian.panel import Panel
    from peelian.places import Places
    from peelian.programme import Programme
    from peelian.protocol import Protocol

Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Parameters:
    """The keys of ``[evaluate]``.

    ``months_after``   months since the start that count as after (12).
    ``months_before``  whole months of baseline, 12 or more; left out: the longest of 36, 24 and 12 that keeps
                       clear of the months the areas were chosen on.
    ``rings``          outer limits in metres of the rings round treated areas; comparison areas start beyond.
    ``permutations``   how often treatment is re-drawn for the p-value.
    ``claim``          the fall promised in a home with a kit (0.5 = half), for the dilution line.
    ``wider``          column of the panel that counts the whole class the outcome belongs to (all burglary).
    ``force``          the police force, for changes of recording that concern one force only.
    ``protocol``       the frozen evaluation plan (a file); without it the evaluation says it had none.
    ``answers``        answers to guards (a TOML file), printed beside them.
    ``district``       column of the places with each area's borough or ward: comparison areas in the same
                       one, and the range when one is left out.
    ``alike``          further numeric columns of the places to compare treated and other areas by.
    ``blind``          a trial's arms are called A and B until ``unblinded`` names the record of it.
    ``unblinded``      the record that ``peelian evaluate --unblind`` wrote (a file).
    ``switch``         columns of the panel with crimes that offenders may have turned to: looked at, with p
                       adjusted for their number, and exploratory.
    ``not_started``    areas that start after the last month of data: ``left out``, or ``compared with`` until
                       they start (the not-yet design).
    ``synthetic_permutations``  draws for the synthetic areas' p (0: none; a draw costs up to 0.1 seconds).
    ``harm``           harm by crime type (a CSV file: type, weight, source, unit): the weighted displacement
                       difference is given in harm too, beside the one in counts.
    ``methods``        further second opinions: ``imputation_ols`` (a level an area and one a month, by least
                       squares) and ``sdid`` (synthetic difference in differences; half a minute or more).
    """

    months_after: Annotated[int, Field(ge=1, le=120)] = 12
    months_before: Annotated[int, Field(ge=12, le=120)] | None = None
    rings: tuple[Annotated[float, Field(gt=0)], ...] = (250, 500, 750)
    permutations: Annotated[int, Field(ge=99, le=100_000)] = 999
    claim: Share | None = None
    wider: str = ""
    force: str = ""
    protocol: str = ""
    answers: str = ""
    district: str = ""
    alike: tuple[str, ...] = ()
    switch: tuple[str, ...] = ()
    blind: bool = False
    unblinded: str = ""
    not_started: Literal["left out", "compared with"] = "left out"
    synthetic_permutations: Annotated[int, Field(ge=0, le=100_000)] = 0
    harm: str = ""
    methods: tuple[Literal["imputation_ols", "sdid"], ...] = ()


def run(
    panel: Panel,
    places: Places | None,
    parameters: Parameters,
    *,
    programme: Programme,
    seed: int,
    crime: str = "crime",
    groups: str | None = None,
    group_counts: pd.DataFrame | None = None,
    phases: Mapping[str, Mapping[str, Any]] | None = None,
    recording_changes: pd.DataFrame | None = None,
    published: bool = True,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Did the programme prevent crime: the chapter, its tables, charts, map and files.

    ``panel``, ``places``  place x month counts with arms and rings, and the shapes (None: no map, no rings).
    ``groups``             what a larger area is called, and ``group_counts`` their totals: columns group,
                           by (``point`` or ``code``), before, after, optional arm.
    ``phases``             assessments of further phases by name, as ``assessment.json`` holds them.
    ``recording_changes``  dated changes of recording; the shipped table unless given.
    ``folder``             the project's folder, on which the files ``protocol`` and ``answers`` stand.
    ``published``          False where the counts are not public, so that small ones can be withheld.

    Raises ``DataError`` for input that is wrong; where the design cannot answer, the Outcome says why in
    ``not_held``.
    """
    from peelian.evaluate import blind, kept, report
    from peelian.evaluate.arms import waiting_as_controls
    from peelian.evaluate.assess import assess
    from peelian.evaluate.weighted import read_weights

    tick = progress or (lambda done, total: None)
    tick(0, 3)
    changes = _changes(parameters.force) if recording_changes is None else recording_changes
    if parameters.not_started == "compared with":
        programme = waiting_as_controls(programme, panel.months.max())
    panel = _with_rings(panel, places, parameters.rings, programme)
    protocol, answers = _registered(parameters, folder)
    opened = _unblinded(parameters, folder)
    try:
        found = assess(
            panel, programme, seed=seed, places=places, months_after=parameters.months_after,
            months_before=parameters.months_before, permutations=parameters.permutations, crime=crime,
            claim=parameters.claim, wider=parameters.wider, changes=changes,
            protocol=protocol, answers=answers, rings=parameters.rings, district=parameters.district or groups
            or "", alike=parameters.alike, switch=parameters.switch,
            synthetic_permutations=parameters.synthetic_permutations, methods=parameters.methods,
            weights=read_weights((folder or Path()) / parameters.harm) if parameters.harm else None,
        )  # fmt: skip
        hidden = blind.section(found, programme, report.QUESTION) if parameters.blind and not opened else None
    except DesignError as error:
        section = report.not_held(str(error), groups=groups, group_counts=group_counts, crime=crime)
        return Outcome(section, not_held=str(error))
    if hidden is not None:
        return Outcome(hidden, not_held=blind.WHY)
    tick(1, 3)
    section = report.section(
        found, places, groups=groups, group_counts=group_counts, phases=phases, programme=programme,
        published=published,
    )  # fmt: skip
    if opened:
        section = dataclasses.replace(section, blocks=(*section.blocks, Text(opened, "plain")))
    tick(2, 3)
    values = kept.assessment(found)
    outcome = Outcome(
        section, kept.files(found, panel, places, values), kept.summary(values),
        sources=_sources(panel, changes),
    )  # fmt: skip
    tick(3, 3)
    return outcome


def _unblinded(parameters: Parameters, folder: Path | None) -> str:
    """The sentence of the record that the trial was unblinded; empty without one."""
    from peelian.protocol import unblinded

    if not parameters.unblinded:
        return ""
    path = (folder or Path()) / parameters.unblinded
    if not path.is_file():
        raise DataError(f"{path}: there is no such file. [evaluate] unblinded names it.")
    return unblinded(path.read_text(encoding="utf-8"), where=str(path))


def _registered(parameters: Parameters, folder: Path | None) -> tuple[Protocol | None, tuple[Answer, ...]]:
    """The frozen plan and the answers to guards, where files are named."""
    from peelian.evaluate.registration import read_answers
    from peelian.protocol import verify

    root, protocol = folder or Path(), None
    if parameters.protocol:
        path = root / parameters.protocol
        if not path.is_file():
            raise DataError(f"{path}: there is no such file. [evaluate] protocol names it.")
        protocol = verify(path.read_text(encoding="utf-8"), where=str(path))
    return protocol, read_answers(root / parameters.answers) if parameters.answers else ()


def _changes(force: str) -> pd.DataFrame | None:
    """The shipped table of recording changes: those of all forces, and of this one."""
    from peelian import figures

    load = getattr(figures, "recording_changes", None)
    if load is None:
        return None
    frame = load()
    named = frame["force"].astype(str).str.lower()
    return frame[(named == "all") | (named == force.lower())]


def _with_rings(panel: Panel, places: Places | None, rings: tuple[float, ...], programme: Programme) -> Panel:
    """The panel with these rings, where it was built with others."""
    ring = panel.frame.get("ring")
    held = [] if ring is None or not hasattr(ring, "cat") else list(ring.cat.categories)
    if places is None or held == ["inside", *ring_labels(rings), "beyond"]:
        return panel
    around = programme.treated.index.difference(programme.waiting(panel.months.max()))
    frame = panel.frame.copy()
    laid = places.rings(rings, around=around if len(around) else panel.by_place().query("treated").index)
    frame["ring"] = laid.reindex(frame.index.get_level_values("place")).array
    return dataclasses.replace(panel, frame=frame)


def _sources(panel: Panel, changes: pd.DataFrame | None) -> tuple[tuple[str, str, str, str], ...]:
    months = panel.months
    rows = [
        (
            "Counts by place and month",
            panel.source or "the project's extract",
            f"{months[0]} to {months[-1]}",
            "",
        )
    ]
    if changes is not None and len(changes):
        rows.append(("Changes of recording", "peelian figures: recording_changes", "", ""))
    return tuple(rows)
