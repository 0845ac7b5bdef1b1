"""Evaluating beside the loop: two files without a project, a trial read blind, one part."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peelian.chapters import frozen_plan
from peelian.errors import DesignError, Error
from peelian.outputs import plain, write_stage, write_text
from peelian.project import Project
from peelian.tasks.page import page as page_of


def evaluate_files(
    panel: Path | str, programme: Path | str, *, out: Path | str, places: Path | str | None = None,
    protocol: Path | str | None = None, seed: int = 1829, crime: str = "crime", randomised: bool = False,
    gaps_are_zero: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Evaluate a table of counts and a programme's file, without a project folder; see ``chapters.alone``.

    ``out``  the folder that gets every file of the evaluation, and ``report.html``; one that holds another
    evaluation is put aside for it.

    Returns plain values: ``findings``, ``not_held``, ``summary``, ``report``.
    """
    from peelian import __version__
    from peelian.chapters.alone import evaluate_files as alone
    from peelian.outputs import RECORD, sha256

    folder = Path(out)
    if folder.exists() and any(folder.iterdir()) and not (folder / RECORD).is_file():
        raise Error(f"{folder} is there already and holds other files. Name a new folder.")
    outcome = alone(
        panel, programme, places=places, protocol=protocol, seed=seed, crime=crime, randomised=randomised,
        gaps_are_zero=gaps_are_zero,
    )  # fmt: skip
    page = page_of(outcome, f"Evaluation of {Path(panel).name}", marking="OFFICIAL", audience="internal")
    given = [Path(file) for file in (panel, programme, places, protocol) if file is not None]
    record = {
        "stage": "evaluate", "not_held": outcome.not_held, "findings": outcome.section.findings,
        "summary": outcome.summary, "seed": seed, "version": __version__,
        "inputs": {file.name: sha256(file) for file in given},
    }  # fmt: skip
    write_stage(folder, {**outcome.files, "report.html": page}, record)
    return plain({
        "findings": outcome.section.findings, "not_held": outcome.not_held, "summary": outcome.summary,
        "report": folder / "report.html",
    })  # fmt: skip


def unblind(folder: Path | str, *, author: str, at: datetime | None = None) -> dict[str, Any]:
    """Record that a project's trial is unblinded, in ``unblinded.toml`` beside peelian.toml.

    ``author``  who answers for it; ``at`` the time (now, without it). Returns ``file`` and ``words``. Raises
    ``DesignError`` where it was unblinded already, and then nothing is written.
    """
    from peelian import protocol

    project = Project.load(folder)
    path = project.folder / "unblinded.toml"
    if path.is_file():
        said = protocol.unblinded(path.read_text(encoding="utf-8"), where=str(path))
        raise DesignError(
            f"{path}: is here already. {said} Keep it, and name it under [evaluate]: unblinded."
        )
    write_text(path, protocol.unblind(frozen_plan(project), author=author, at=at or datetime.now(UTC)))
    words = f'Recorded in {path}. To see the arms by name: unblinded = "{path.name}" under [evaluate].'
    return plain({"file": path, "words": words})


def evaluation_part(folder: Path | str, part: str) -> dict[str, Any]:
    """One part of an evaluation that stands in a folder: ``says`` (sentences) and ``rows`` (a table)."""
    from peelian.evaluate.parts import PARTS

    path = Path(folder) / "parts.json"
    if part not in PARTS:
        raise Error(f"There is no part {part!r} of an evaluation. The parts are {', '.join(PARTS)}.")
    if not path.is_file():
        raise Error(
            f"{folder} holds no evaluation that could be given. Run `peelian evaluate` first; where it "
            "cannot be given, its chapter says what is lacking."
        )
    return json.loads(path.read_text(encoding="utf-8"))[part]
