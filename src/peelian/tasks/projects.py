"""Projects: a demo, a new folder, a check that changes nothing, official data, the policy figures."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peelian.chapters import Context, Progress, judged
from peelian.errors import DataError, Error, some
from peelian.loop import Run, check_tables, run
from peelian.outputs import plain, write_content, write_text
from peelian.project import Project
from peelian.report import Outcome
from peelian.tasks.page import page as page_of


def demo(
    folder: Path | str, *, seed: int | None = None, progress: Progress | None = None
) -> tuple[Run, list[dict[str, Any]]]:
    """A simulated borough run through the whole loop, and its planted truth beside the findings.

    ``folder``  is made where it does not exist; one that holds a project of ours is run again.
    ``seed``    of the borough and of every stage.

    Returns the ``Run`` and rows of ``what``, ``truth``, ``found``, ``agrees``.
    """
    folder = Path(folder)
    if not (folder / "peelian.toml").is_file():
        new(folder, kind="demo", seed=seed)
    done = run(folder, progress=progress)
    held = json.loads((folder / "report" / "truth.json").read_text(encoding="utf-8"))
    return done, held["rows"]


def new(folder: Path | str, *, kind: str = "police-uk", seed: int | None = None) -> list[str]:
    """Make a project folder with a commented peelian.toml; says what was made and what to do next.

    ``kind``  ``demo``: a simulated borough with all its files; ``police-uk``: settings to fill in.

    Raises ``Error`` where the folder holds anything already: nothing is ever overwritten.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Error(f"{folder} is there already and not empty. Name a new folder; nothing was changed.")
    text = (Path(__file__).parents[1] / "starters" / f"{kind}.toml").read_text(encoding="utf-8")
    aside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    if kind == "demo":
        from peelian.borough import BoroughParameters, simulate, write

        parameters = BoroughParameters() if seed is None else BoroughParameters(seed=seed)
        write(simulate(parameters), aside, variant="all")
    write_text(aside / "peelian.toml", text)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rmdir()
    os.replace(aside, folder)
    made = sorted(p.name for p in folder.iterdir())
    following = "peelian run" if kind == "demo" else "fill in peelian.toml, then: peelian check"
    return [f"Made {folder}: {', '.join(made)}.", f"Next: {following} {folder}"]


def check(
    folder: Path | str = ".", *, html: Path | str | None = None, rejected: Path | str | None = None
) -> dict[str, Any]:
    """Read and judge a project's inputs, and change nothing in it.

    ``html``      a page to write of it; ``rejected`` a CSV file of every refused row, with its reason.

    Returns plain values: ``findings`` (sentences) and ``checks`` (name, sentence, remedy, ...) of the
    incidents, the areas and the features; every table of peelian.toml and the programme's file are
    checked too, and what is wrong is raised.
    """
    project = Project.load(folder)
    check_tables(project)
    outcome, places = judged(Context(project))
    programme = project.programme(places)
    strange = programme.areas.index.difference(places.index)
    if len(strange):
        raise DataError(
            f"{project.file}: the programme names {len(strange)} areas that are not in the places file: "
            f"{some(strange)}. The file's ids look like {places.index[0]}. Write those in the programme, or "
            "name the column that holds its codes: [places] id."
        )
    if html is not None:
        write_text(Path(html), judgement(project, outcome))
    if rejected is not None:
        if Path(rejected).suffix != ".csv":
            raise Error(f"{rejected}: the refused rows are written as CSV. Name a file that ends in .csv.")
        write_content(Path(rejected), outcome.files["rejected.csv"])
    return {
        "project": str(project.folder),
        "findings": outcome.section.findings,
        "checks": plain(outcome.files["quality.json"]["checks"]),
    }


def judgement(project: Project, outcome: Outcome) -> str:
    """The chapter of read alone, as a page of its own."""
    about = project.project
    return page_of(
        outcome, f"{about.name}: the inputs judged", marking=about.marking, audience=about.audience
    )


def verify(folder: Path | str = ".") -> dict[str, Any]:
    """Every file that the record of provenance names, beside its SHA-256: whole, changed or gone.

    Returns ``files`` checked, ``changed`` and ``gone`` by name, ``inputs`` named by hash alone, ``words``.
    Raises ``DataError`` where there is no record.
    """
    from peelian.provenance import verified

    return verified(Project.load(folder).folder)


def figures(*, expired: bool = False, weak: bool = False) -> list[dict[str, Any]]:
    """The policy figures as rows: name, value, unit, price base, source, date, quality, impact."""
    from peelian.account import figures_table

    rows = figures_table(expired=expired, weak=weak)
    return [{str(key).replace(" ", "_"): plain(value) for key, value in row.items()} for row in rows]


def downloads(source: str | None = None) -> list[dict[str, str]]:
    """What ``download`` can fetch: source, item, the values it needs, what it is, its licence."""
    from peelian.read.download.official import items

    return items(source)


def download(
    source: str,
    item: str,
    values: Sequence[str] = (),
    *,
    out: Path | str = "downloads",
    again: bool = False,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Fetch one item of official data, for instance ``police-uk archive`` with ``["month=2024-12"]``.

    The only function of Peelian that opens a connection to another machine; no other calls it.
    """
    from peelian.read.download import official

    pairs = [value.partition("=") for value in values]
    if not all(sign and held for _, sign, held in pairs):
        raise Error(f"Values are written name=value, for instance month=2024-12; got {some(values)}.")
    told = {name: held for name, _, held in pairs}
    tick = None if progress is None else (lambda done, total: progress("download", done, total))
    found = official.download(source, item, told, out=out, again=again, progress=tick)
    return [plain(receipt.__dict__) for receipt in found]
