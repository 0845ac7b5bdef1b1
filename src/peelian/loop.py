"""The loop: the only module that knows the order of the stages. It runs a Project and reruns what changed.

    read -> explain -> predict -> plan -> deliver -> evaluate -> account -> report

A stage takes nouns and the open files of the stages before it, and hands back an ``Outcome``; this module
reads the first, calls the stage and keeps the second. It computes nothing of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from peelian.chapters import CHAPTERS, FROZEN, Context, Progress, stage_parameters
from peelian.errors import Error
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
)  # fmt: skip
from peelian.project import Project

STAGES = ("read", "explain", "predict", "plan", "deliver", "evaluate", "account", "report")
# stage -> the stages whose files it reads
AFTER = {
    "read": (),
    "explain": ("read",),
    "predict": ("read", "explain"),
    "plan": ("read", "explain", "predict"),
    "deliver": ("read",),
    "evaluate": ("read", "deliver"),
    "account": ("read", "plan", "deliver", "evaluate"),
    "report": STAGES[:-1],
}
# stage -> the tables of peelian.toml that it depends on beside its own and [project]
TABLES = {
    "read": ("places", "incidents", "layers", "weather"),
    "plan": ("programme", "evaluate", "predict"),
    "deliver": ("programme",),
    "evaluate": ("programme",),
    "account": ("programme",),
}
# stage -> tables and their keys that name files it reads
INPUTS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "explain": (("explain", ("rasters", "what_if")),),
    "read": (
        ("places", ("file", "lookup", "profile", "rasters")),
        ("weather", ("file", "terms")),
        ("read", ("published",)),
        ("incidents", ("file", "profile")),
        ("layers", ("file", "classes", "tags")),
    ),
    "predict": (("predict", ("streets", "custom", "checkins", "planned")),),
    "plan": (("programme", ("areas",)), ("plan", ("streets", "roads", "teams", "sites"))),
    "deliver": (("programme", ("areas",)), ("deliver", ("deliveries", "recoveries"))),
    "evaluate": (
        ("programme", ("areas",)),
        ("evaluate", ("group_file", "phases", "protocol", "answers", "unblinded", "harm")),
    ),
    "account": (
        ("programme", ("areas",)),
        ("deliver", ("recoveries",)),
        (
            "account",
            ("ledger", "documents", "figures", "claims", "questions", "request", "benefits", "governance"),
        ),
    ),
}
LIBRARIES = ("numpy", "scipy", "pandas", "geopandas", "shapely", "pyproj", "pyogrio")
# what any stage may use: a change in it makes every stage run again
SHARED = (
    "errors", "places", "incidents", "layers", "programme", "panel", "effect", "report", "engine",
    "charts", "maps", "geopackage", "outputs", "project", "loop", "protocol", "words",
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
    overrides: dict[str, dict[str, Any]] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a project's stages in order, each only where something it rests on has changed.

    ``folder``  with a peelian.toml; each stage's outputs go into a folder of its name there.
    ``until``   the last stage to run (all, and the report, without it).
    ``fresh``   run every stage whether or not anything changed.
    ``seed``    in place of the project's; ``overrides`` table -> keys in place of those of peelian.toml.

    Returns a ``Run``. Raises our errors for a user's mistake; the stages that had finished keep their
    outputs, and so does the last good state of the one that failed.
    """
    project = Project.load(folder)
    if seed is not None:
        project = replace(project, project=replace(project.project, seed=seed))
    for table, keys in (overrides or {}).items():
        held = project.table(table) | keys
        project = replace(project, tables={**project.tables, table: held})
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
                for name in _files_of(held.get(key, "")):
                    shipped = key == "profile" and table == "incidents" and not str(name).endswith(".toml")
                    ours = key == "questions" and name in ("mettrace", "risk_model")
                    if name and not shipped and not ours:
                        found[str(name)] = project.existing(str(name), table=table, key=key)
    if stage == "plan" and (project.folder / FROZEN).is_file():
        found[FROZEN] = project.folder / FROZEN
    log = project.folder / "releases"  # what was published before
    if stage in ("account", "report") and log.is_dir():
        found["releases"] = log
    sealed = project.folder / "ledger" / "outcomes.jsonl"
    if stage == "predict":
        features = project.table("predict").get("features", {})
        named = [(key, str(features[key])) for key in ("forecasts", "split") if features.get(key)]
        found |= {name: project.existing(name, table="predict", key=key) for key, name in named}
        if sealed.is_file():
            found["ledger/outcomes.jsonl"] = sealed
    if stage == "report" and project.project.truth:
        found[project.project.truth] = project.existing(project.project.truth, table="project", key="truth")
    return found


def _files_of(value: Any) -> list[Any]:
    """The files that a key names: one, one a name, or one or two in each of its tables."""
    if not isinstance(value, dict):
        return [value]
    parts = [
        [v for k, v in one.items() if k in ("file", "add", "remove") and v != "all"]
        if isinstance(one, dict)
        else [one]
        for one in value.values()
    ]
    return [name for part in parts for name in part]


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
    own = {"report": ("report",), "evaluate": ("evaluation",)}.get(stage, ("stages", "forecast"))
    files += [root / "chapters" / f"{name}.py" for name in ("context", "held", *own)]
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
        parameters = stage_parameters(project, stage, module.Parameters)
        if stage == "explain" and parameters.near_repeat.local:
            from peelian.explain.near_repeat_local import refuse_unless_internal

            refuse_unless_internal(project.project.audience)
    Context(project).panel_table  # noqa: B018
    project.programme()
