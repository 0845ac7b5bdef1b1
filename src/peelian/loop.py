"""The loop: the only module that knows the order of the stages. It runs a Project and reruns what changed.

    read -> explain -> predict -> plan -> deliver -> evaluate -> account -> report

A stage takes nouns and the open files of the stages before it, and hands back an ``Outcome``; this module
reads the first, calls the stage and keeps the second. It computes nothing of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from peelian.chapters import CHAPTERS, Context, Progress, judged, stage_parameters
from peelian.errors import DataError, Error, some
from peelian.outputs import (
    HIDDEN,
    SECTION,
    Hashes,
    Made,
    digest_of,
    locked,
    plain,
    read_record,
    restore,
    why_stale,
    write_stage,
    write_text,
)  # fmt: skip
from peelian.project import Project
from peelian.report import Outcome

STAGES = ("read", "explain", "predict", "plan", "deliver", "evaluate", "account", "report")
# stage -> the stages whose files it reads
AFTER = {
    "read": (),
    "explain": ("read",),
    "predict": ("read", "explain"),
    "plan": ("read", "predict"),
    "deliver": ("read",),
    "evaluate": ("read", "deliver"),
    "account": ("read", "deliver", "evaluate"),
    "report": STAGES[:-1],
}
# stage -> the tables of peelian.toml that it depends on beside its own and [project]
TABLES = {
    "read": ("places", "incidents", "layers", "weather"),
    "plan": ("programme",),
    "deliver": ("programme",),
    "evaluate": ("programme",),
    "account": ("programme",),
}
# stage -> tables and their keys that name files it reads
INPUTS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "read": (
        ("places", ("file", "lookup", "profile")),
        ("weather", ("file", "terms")),
        ("read", ("published",)),
        ("incidents", ("file", "profile")),
        ("layers", ("file", "classes", "tags")),
    ),
    "plan": (("programme", ("areas",)),),
    "deliver": (("programme", ("areas",)), ("deliver", ("deliveries", "recoveries"))),
    "evaluate": (
        ("programme", ("areas",)),
        ("evaluate", ("group_file", "phases", "protocol", "answers")),
    ),
    "account": (
        ("programme", ("areas",)),
        ("deliver", ("recoveries",)),
        ("account", ("ledger", "documents", "figures", "claims", "questions", "benefits", "governance")),
    ),
}
LIBRARIES = ("numpy", "scipy", "pandas", "geopandas", "shapely", "pyproj", "pyogrio")
# what any stage may use: a change in it makes every stage run again
SHARED = (
    "errors", "places", "incidents", "layers", "programme", "panel", "effect", "report", "engine",
    "charts", "maps", "outputs", "project", "loop", "protocol", "words",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """What happened to one stage: ``ran``, ``unchanged`` or ``not held``, why, and how long it took."""

    stage: str
    state: Literal["ran", "unchanged"]
    why: tuple[str, ...] = ()
    not_held: str = ""
    findings: tuple[str, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """What a run did: its steps in order, where the report is, and the record of provenance."""

    folder: Path
    steps: tuple[Step, ...]

    @property
    def changed(self) -> bool:
        """True where any stage ran."""
        return any(step.state == "ran" for step in self.steps)

    @property
    def report(self) -> Path | None:
        """The HTML report, where it exists."""
        path = self.folder / "report" / "report.html"
        return path if path.is_file() else None

    def as_json(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return {
            "project": str(self.folder),
            "changed": self.changed,
            "report": None if self.report is None else str(self.report),
            "stages": [plain(step.__dict__) for step in self.steps],
        }


# -------------------------------------------------------------------- running
def run(
    folder: Path | str = ".",
    *,
    until: str | None = None,
    fresh: bool = False,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a project's stages in order, each only where something it rests on has changed.

    ``folder``  with a peelian.toml; each stage's outputs go into a folder of its name there.
    ``until``   the last stage to run (all, and the report, without it).
    ``fresh``   run every stage whether or not anything changed.
    ``seed``    in place of the project's.

    Returns a ``Run``. Raises our errors for a user's mistake; the stages that had finished keep their
    outputs, and so does the last good state of the one that failed.
    """
    project = Project.load(folder)
    if seed is not None:
        project = replace(project, project=replace(project.project, seed=seed))
    if until is not None and until not in STAGES:
        raise Error(f"There is no stage {until!r}. The stages are {', '.join(STAGES)}.")
    check_tables(project)
    last = STAGES.index(until) if until else len(STAGES) - 1
    hidden = project.folder / HIDDEN
    with locked(hidden):
        hashes = Hashes(hidden / "hashes.json")
        context = Context(project, progress)
        steps = []
        for stage in STAGES[: last + 1]:
            restore(project.folder / stage)
            steps.append(_step(context, stage, hashes, fresh=fresh))
            hashes.save()
        done = Run(project.folder, tuple(steps))
        if done.changed or not (project.folder / "ro-crate-metadata.json").is_file():
            from peelian import __version__, provenance

            provenance.write_crate(project.folder, project.project.name, STAGES, version=__version__)
    return done


def _step(context: Context, stage: str, hashes: Hashes, *, fresh: bool) -> Step:
    project, folder = context.project, context.folder(stage)
    made = Made(
        inputs={name: hashes.of(path) for name, path in sorted(inputs_of(project, stage).items())},
        parameters=_parameters_of(project, stage),
        code=code_of(stage),
        libraries=_versions(),
        seed=project.seed(stage) if stage not in ("read", "report") else project.project.seed,
        upstream={before: digest_of(context.folder(before)) for before in AFTER[stage]},
    )
    why = ["it was asked for"] if fresh else why_stale(folder, made)
    if not why:
        record = read_record(folder) or {}
        return Step(
            stage,
            "unchanged",
            (),
            record.get("not_held", ""),
            tuple(record.get("findings", ())),
            record.get("summary", {}),
        )
    if context.progress is not None:
        context.progress(stage, 0, 1)
    began = time.perf_counter()
    outcome = CHAPTERS[stage](context)
    findings = tuple(outcome.section.findings)
    record = {
        "stage": stage,
        "not_held": outcome.not_held,
        "findings": findings,
        "summary": outcome.summary,
        "sources": outcome.sources,
        "made": made.as_json(),
    }
    write_stage(folder, {**outcome.files, SECTION: outcome.section.as_json()}, record)
    seconds = time.perf_counter() - began
    return Step(stage, "ran", tuple(why), outcome.not_held, findings, plain(outcome.summary), seconds)


def inputs_of(project: Project, stage: str) -> dict[str, Path]:
    """The files outside the project's own outputs that a stage reads, by the name peelian.toml gives them."""
    found = {}
    for table, keys in INPUTS.get(stage, ()):
        for held in project.lists(table):
            for key in keys:
                value = held.get(key, "")
                for name in value.values() if isinstance(value, dict) else [value]:
                    shipped = key == "profile" and table == "incidents" and not str(name).endswith(".toml")
                    if name and not shipped:
                        found[str(name)] = project.existing(str(name), table=table, key=key)
    if stage == "report" and project.project.truth:
        found[project.project.truth] = project.existing(project.project.truth, table="project", key="truth")
    return found


def _parameters_of(project: Project, stage: str) -> dict[str, Any]:
    tables = {
        name: project.tables.get(name, {}) for name in (stage, *TABLES.get(stage, ())) if name != "report"
    }
    about = project.project
    relevant = (
        {"name", "question", "marking", "audience", "truth", "formats"}
        if stage == "report"
        else {"crime", "outcome"}
    )
    return {"project": {key: getattr(about, key) for key in sorted(relevant)}} | tables


def code_of(stage: str) -> str:
    """SHA-256 of the source that can touch a stage's result: its folder, the nouns and what is shared."""
    import hashlib

    root = Path(__file__).parent
    files = [root / f"{name}.py" for name in SHARED]
    own = {"report": "report", "evaluate": "evaluation"}.get(stage, "stages")
    files += [root / "chapters" / f"{name}.py" for name in ("context", "held", own)]
    folders = [root / "arithmetic", root / "figures"]
    folders += [root / "account", root / "borough"] if stage == "report" else [root / stage]
    for folder in folders:
        files += [
            p for p in sorted(folder.rglob("*")) if p.suffix in (".py", ".toml", ".html", ".css", ".json")
        ]
    digest = hashlib.sha256()
    for path in files:
        if path.is_file():
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in LIBRARIES}


def check_tables(project: Project) -> None:
    """Check every stage's table before any stage runs, so that a slip costs a second and not a run."""
    import importlib

    for stage in STAGES[:-1]:
        module = importlib.import_module(f"peelian.{stage}.run")
        stage_parameters(project, stage, module.Parameters)
    Context(project).panel_table  # noqa: B018
    project.programme()


# -------------------------------------------------------------------- beside the run
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
