"""Tasks: what the commands do beside running the loop. They arrange, and compute nothing.

A demo, a new project, a check that changes nothing, a proposed mapping, the policy figures, official
downloads for a connected machine, and the ledger of forecasts.
"""

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
from peelian.outputs import plain, write_text
from peelian.project import Project
from peelian.report import Outcome


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
    text = (Path(__file__).parent / "starters" / f"{kind}.toml").read_text(encoding="utf-8")
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


def check(folder: Path | str = ".", *, html: Path | str | None = None) -> dict[str, Any]:
    """Read and judge a project's inputs, and change nothing in it; ``html`` is a page to write of it.

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
            f"{some(strange)}. The file's ids look like {places.index[0]}."
        )
    if html is not None:
        write_text(Path(html), judgement(project, outcome))
    return {
        "project": str(project.folder),
        "findings": outcome.section.findings,
        "checks": plain(outcome.files["quality.json"]["checks"]),
    }


def judgement(project: Project, outcome: Outcome) -> str:
    """The chapter of read alone, as a page of its own."""
    from peelian import __version__
    from peelian.account.html import html
    from peelian.chapters.report import protected
    from peelian.report import Report

    section = protected(outcome.section, project.project.audience)
    about = (("Code version", f"Peelian {__version__}"), ("Audience", project.project.audience))
    page = Report(
        f"{project.project.name}: the inputs judged", section.question, (section,),
        project.project.marking, tuple(outcome.sources), about,
    )  # fmt: skip
    return html(page)


def read_map(
    file: Path | str, *, out: Path | str | None = None, near: Path | str | None = None
) -> dict[str, Any]:
    """Propose the mapping of a table's columns; with ``out``, save it there as a profile.

    Returns the proposal as plain values (see ``read.mapping.Proposal``), and ``next``: what to do with it.
    Raises ``DataError`` where ``out`` exists already, or the table holds no incidents to map.
    """
    from peelian.read.mapping import propose

    found = propose(file, near=near)
    if found.form != "incidents":
        following = "Nothing was saved: a mapping is for tables with one row an incident."
    elif out is None:
        following = "Nothing was saved. To keep it: peelian read map FILE --out profile.toml"
    else:
        path = Path(out)
        if path.exists():
            raise DataError(f"{path}: is there already. Name another file, or move it away.")
        write_text(path, found.toml())
        keys = f'reader = "table", profile = "{path.name}"'
        following = f"Saved as {path}. In peelian.toml, under [[incidents]]: {keys}."
    return plain(found.as_json() | {"next": following})


def read_store(
    source: Path | str, store: Path | str, *, again: str = "refuse", progress: Progress | None = None
) -> dict[str, Any]:
    """Street-level crime of any size into a store of Parquet files, made or added to; see ``read.ingest``.

    Returns plain values: ``files`` (each with its rows, accepted and refused), ``rows``, ``accepted``,
    ``refused``, ``forces``, ``months``, and ``next``: how a project reads from it.
    """
    from peelian.read.ingest import ingest

    tick = None if progress is None else (lambda done, total: progress("store", done, total))
    held = ingest(source, store, again=again, progress=tick)  # type: ignore[arg-type]
    files = held.files
    forces, months = held.span
    return plain(
        {
            "store": str(store),
            "files": files.to_dict("records"),
            **{key: int(files[key].sum()) for key in ("rows", "accepted", "refused")},
            "forces": forces,
            "months": months,
            "next": f'In peelian.toml, under [[incidents]]: reader = "store", file = "{Path(store).name}" '
            "and forces, types, first, last or areas as you need them.",
        }
    )


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
