"""Predicting beside the loop: one part of the stage, and the ledger of forecasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from peelian.chapters import Context, Progress
from peelian.errors import Error
from peelian.loop import run
from peelian.outputs import HIDDEN, plain, write_stage
from peelian.project import Project
from peelian.report import Text
from peelian.tasks.page import page as page_of


def predict_part(
    folder: Path | str, *, only: str, seed: int | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """One part of predict on its own: map, backtest, leakage, missions, dosage, weather or audit.

    What it rests on (read, explain) is run where something changed. Its page, tables and files go into the
    folder ``predict-parts/PART`` of the project, so that the stage's own folder stays the last whole run.

    Returns plain values: ``part``, ``folder``, ``findings``, and the part's numbers.
    """
    from dataclasses import replace

    from peelian.chapters.forecast import part_of_predict

    done = run(folder, until="explain", seed=seed, progress=progress)
    project = Project.load(folder)
    if seed is not None:
        project = replace(project, project=replace(project.project, seed=seed))
    outcome = part_of_predict(Context(project, progress), only)
    made = done.folder / "predict-parts" / only
    about = project.project
    title = f"{about.name}: predict, {only}"
    page = page_of(outcome, title, marking=about.marking, audience=about.audience)
    record = {"stage": "predict", "part": only, "summary": outcome.summary}
    files = {**outcome.files, "page.html": page, "section.json": outcome.section.as_json()}
    made.parent.mkdir(exist_ok=True)
    write_stage(made, files, record)
    said = outcome.section.findings or [b.text for b in outcome.section.blocks if isinstance(b, Text)][:1]
    return plain({"part": only, "folder": str(made), "findings": said, **outcome.summary})


def ledger(folder: Path | str, *, act: str, head: str | None = None) -> dict[str, Any]:
    """Seal a project's forecast, score the sealed ones that are due, or check the ledger.

    ``act``   ``append``, ``score`` or ``verify``; the ledger lies in the project's folder ``ledger``.
    ``head``  with ``verify``: a head that somebody else kept.

    Returns plain values; ``words`` is what to say. The forecast is the one that ``predict`` left.
    """
    from peelian.predict import sealing

    project = Project.load(folder)
    book = project.folder / "ledger"
    if act == "verify":
        return plain(sealing.verify(book, head=head))
    context = Context(project)
    if act == "append":
        from peelian import __version__

        parameters = project.table("predict")
        made = sealing.seal(book, project.folder / "predict", parameters=parameters, version=__version__)
        held = sealing.verify(book)
        names = "; ".join(f"{entry.method}, {entry.start[:10]} to {entry.stop[:10]}" for entry in made)
        late = " Made at or after the start of its period, so marked late." * any(e.late for e in made)
        return plain({**held, "words": f"Sealed: {names}.{late} Keep this head elsewhere: {held['head']}"})
    if context.made("read", "incidents.parquet") is None:
        raise Error(f"{project.folder} has nothing read. Run `peelian read {folder}` first.")
    told = sealing.score(book, context.incidents, context.cells)
    words = [f"{told['scored']} forecasts were due and have been scored.", *told["banners"]]
    return plain({**told, "words": " ".join([*words, f"Head: {told['head']}"])})


def finished_origins(folder: Path | str, *, keep: bool = True) -> int:
    """How many origins of the backtest a run that was stopped has left; without ``keep`` they are dropped.

    The next run goes on from them wherever nothing that they rest on has changed, with the same result.
    """
    import shutil

    store = Project.load(folder).folder / HIDDEN / "backtest"
    number = sum(1 for _ in store.rglob("*.npz"))
    if not keep:
        shutil.rmtree(store, ignore_errors=True)
    return number if keep else 0
