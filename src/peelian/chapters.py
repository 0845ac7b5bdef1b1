"""Chapters: what each stage is given of a project, and what it hands back.

One function a stage, in no order: it loads the nouns and the open files that the stage needs, calls the
stage's ``run`` and passes on its ``Outcome``. A stage whose input is absent says what is not held.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as model

from peelian.errors import DataError, some
from peelian.outputs import SECTION, read_record
from peelian.programme import read_programme
from peelian.project import STRICT, Project, line_of, validated
from peelian.report import Chart, Outcome, Report, Section, Table, Text, section_from_json

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.layers import Layers
    from peelian.panel import Panel
    from peelian.places import Places
    from peelian.programme import Programme

Progress = Callable[[str, int, int], None]
ORDER = ("read", "explain", "predict", "plan", "deliver", "evaluate", "account")


@model(frozen=True, config=STRICT)
class PanelTable:
    """The keys of ``[evaluate]`` that say what is counted, and where; the rest are the evaluation's.

    ``by``        place incidents by the extract's own area ``code`` or by their ``point``; code where the
                  extract has one.
    ``where``     true/false column of the places: only those are evaluated.
    ``others``    crime types that the programme cannot affect, as negative controls.
    ``group``     column of the places that names a larger area (a ward); totals are given by it too.
    ``group_file``, ``group_id``   polygons of those larger areas, so that totals can be counted by point.
    ``phases``    further phases of the programme by name: each a file like that of ``[programme]``, and
                  each evaluated the same way, beside the first.
    ``force``     the police force, for changes of recording that concern one force only.
    """

    by: Literal["code", "point", ""] = ""
    where: str = ""
    others: tuple[str, ...] = ()
    group: str = ""
    group_file: str = ""
    group_id: str = ""
    force: str = ""
    phases: dict[str, str] = Field(default_factory=dict)
    rings: tuple[Annotated[float, Field(gt=0)], ...] = (250, 500, 750)


@dataclass(frozen=True, eq=False)
class Context:
    """A project at work: what the stages before have left, loaded when it is first asked for."""

    project: Project
    progress: Progress | None = None

    def folder(self, stage: str) -> Path:
        """The folder of a stage's outputs."""
        return self.project.folder / stage

    def ticker(self, stage: str) -> Callable[[int, int], None] | None:
        """The progress callback of one stage."""
        report = self.progress
        return None if report is None else lambda done, total: report(stage, done, total)

    @cached_property
    def every_incident(self) -> Incidents:
        """Every accepted incident, of whatever type."""
        from peelian.incidents import Incidents

        return Incidents.load(self.folder("read"))

    @cached_property
    def incidents(self) -> Incidents:
        """The accepted incidents of the project's crime types."""
        return self.every_incident.of_type(self.project.project.crime)

    @cached_property
    def places(self) -> Places:
        """The areas."""
        from peelian.places import Places

        return Places.load(self.folder("read") / "places.parquet")

    @cached_property
    def cells(self) -> Places:
        """The grid over the study area."""
        from peelian.places import Places

        return Places.load(self.folder("read") / "cells.parquet")

    @cached_property
    def layers(self) -> Layers:
        """The features of the environment."""
        from peelian.layers import Layers

        return Layers.load(self.folder("read"))

    @cached_property
    def panel_table(self) -> PanelTable:
        """The keys of ``[evaluate]`` that belong to the panel."""
        held = {
            k: v for k, v in self.project.table("evaluate").items() if k in PanelTable.__dataclass_fields__
        }
        return validated(PanelTable, held, table="evaluate", file=self.project.file)

    @cached_property
    def programme(self) -> Programme:
        """The programme, its areas as places."""
        return self.project.programme(self.places)

    @property
    def by(self) -> Literal["code", "point"]:
        """How incidents are placed in areas: as asked, else by the extract's code where it has one."""
        asked = self.panel_table.by
        if asked:
            return asked
        frame = self.incidents.frame
        coded = "place" in frame and bool(frame["place"].isin(self.places.index).any())
        return "code" if coded else "point"

    def made(self, stage: str, name: str) -> Path | None:
        """A file that a stage left, or None."""
        path = self.folder(stage) / name
        return path if path.is_file() else None

    def file(self, table: str, key: str) -> Path | None:
        """A file that a stage's table names, or None where it names none."""
        name = self.project.table(table).get(key, "")
        return self.project.existing(str(name), table=table, key=key) if name else None

    def monthly(self, places: Places, incidents: Incidents | None = None) -> pd.Series:
        """Counts by place and month, over the months of the project's crime."""
        chosen = self.incidents if incidents is None else incidents
        return chosen.counts(places, by=self.by, monthly=True)


def stage_parameters(project: Project, stage: str, kind: Any) -> Any:
    """A stage's table as its Parameters, without the keys that belong to the loop."""
    own = set(kind.__dataclass_fields__)
    held = {key: value for key, value in project.table(stage).items() if key != "seed"}
    for key in LOOP_KEYS.get(stage, set()) - own:
        held.pop(key, None)
    return validated(kind, held, table=stage, file=project.file)


LOOP_KEYS = {
    "deliver": {"deliveries", "recoveries"},
    "evaluate": set(PanelTable.__dataclass_fields__),
    "account": {"ledger", "documents", "figures"},
}


def _not_held(stage: str, title: str, question: str, why: str) -> Outcome:
    """A chapter that says what is not held, why, and what would change that."""
    return Outcome(Section(stage, title, question, (Text(f"Not held: {why}", "note"),)), not_held=why)


# -------------------------------------------------------------------- the chapters
def _read(context: Context) -> Outcome:
    return judged(context)[0]


def judged(context: Context) -> tuple[Outcome, Places]:
    """The chapter on what was read, and the places, without keeping anything."""
    from peelian.places import Places
    from peelian.read import run as stage

    project = context.project
    sources = stage.sources_of(project.tables, project.folder, project.file)
    outcome, incidents, places, layers = stage.run(
        sources,
        stage_parameters(project, "read", stage.Parameters),
        crime=project.project.crime,
        seed=project.seed("read"),
        progress=context.ticker("read"),
    )
    study = places.select(stage.study_area(places, sources.places.where)) if sources.places.where else places
    cells = Places.grid(study.geometry, sources.places.cell)
    files = {"incidents": incidents, "layers": layers, "places.parquet": places, "cells.parquet": cells}
    return replace(outcome, files={**outcome.files, **files}), places


def _explain(context: Context) -> Outcome:
    from peelian.explain import run as stage

    if not len(context.layers):
        return _not_held(
            "explain", "Explain", "Which features of places go with this crime, how far do they reach, how sure are we?",
            "the project names no layers of features. Add [[layers]] to peelian.toml.",
        )  # fmt: skip
    return stage.run(
        context.incidents, context.layers, context.cells,
        stage_parameters(context.project, "explain", stage.Parameters),
        seed=context.project.seed("explain"), crime=context.project.outcome, areas=context.places,
        progress=context.ticker("explain"),
    )  # fmt: skip


def _predict(context: Context) -> Outcome:
    import geopandas as gpd

    from peelian.predict import run as stage

    terrain = context.made("explain", "cells.parquet")
    prior = None if terrain is None else gpd.read_parquet(terrain)["relative_risk"]
    return stage.run(
        context.incidents, context.cells, context.places,
        stage_parameters(context.project, "predict", stage.Parameters),
        prior=prior, seed=context.project.seed("predict"), crime=context.project.outcome, by=context.by,
        progress=context.ticker("predict"),
    )  # fmt: skip


def _plan(context: Context) -> Outcome:
    import pandas as pd

    from peelian.plan import run as stage

    path = context.made("predict", "risk.csv")
    if path is None:
        return _not_held(
            "plan", "Plan", "Which areas get kits or patrol under this budget, with what power to learn from it?",
            "there is no forecast of risk by area to plan from.",
        )  # fmt: skip
    risk = pd.read_csv(path, dtype={"place": str}).set_index("place")["risk"]
    about = json.loads((context.folder("predict") / "risk.json").read_text(encoding="utf-8"))
    first, last = (pd.Period(month, "M") for month in about["fitted_on"])
    return stage.run(
        risk, (first, last), context.places, context.programme, context.monthly(context.places),
        stage_parameters(context.project, "plan", stage.Parameters),
        seed=context.project.seed("plan"), crime=context.project.outcome, progress=context.ticker("plan"),
    )  # fmt: skip


def _deliver(context: Context) -> Outcome:
    from peelian.deliver import run as stage

    deliveries = context.file("deliver", "deliveries")
    if deliveries is None:
        return _not_held(
            "deliver", "Deliver", "Who has a kit, how saturated is each street, whose item is this?",
            "the project names no deliveries. Add deliveries = \"deliveries.csv\" to [deliver]: "
            "place, month, kits, and street where known; counts only.",
        )  # fmt: skip
    return stage.run(
        deliveries, context.places, context.programme,
        stage_parameters(context.project, "deliver", stage.Parameters),
        recoveries=context.file("deliver", "recoveries"), seed=context.project.seed("deliver"),
        progress=context.ticker("deliver"),
    )  # fmt: skip


def _evaluate(context: Context) -> Outcome:
    from peelian.evaluate import run as stage

    programme = context.programme
    if not len(programme.treated):
        return _not_held(
            "evaluate", "Evaluate", "Did it work, did crime move next door, could it be chance or selection?",
            "the project says of no area that it was treated. Add areas = \"programme.csv\" to [programme].",
        )  # fmt: skip
    parameters = stage_parameters(context.project, "evaluate", stage.Parameters)
    seed, crime = context.project.seed("evaluate"), context.project.outcome
    phases = {}
    for name, file in context.panel_table.phases.items():
        path = context.project.existing(file, table="evaluate", key="phases")
        other = replace(programme, areas=read_programme(path), name=name)
        panel, places = panel_of(context, other)
        told = stage.run(panel, places, parameters, programme=other, seed=seed, crime=crime)
        phases[name] = told.files.get("assessment.json") or {"not_held": told.not_held}
    panel, places = panel_of(context, programme)
    return stage.run(
        panel, places, parameters, programme=programme, seed=seed, crime=crime,
        groups=context.panel_table.group or None, group_counts=group_counts(context, programme),
        phases=phases, progress=context.ticker("evaluate"),
    )  # fmt: skip


def _account(context: Context) -> Outcome:
    from peelian.account import run as stage

    path = context.made("evaluate", "assessment.json")
    return stage.run(
        None if path is None else json.loads(path.read_text(encoding="utf-8")),
        context.programme,
        stage_parameters(context.project, "account", stage.Parameters),
        saturation=saturation_of(context),
        ledger=context.file("account", "ledger"),
        recoveries=context.file("deliver", "recoveries"),
        documents=context.file("account", "documents"),
        figures=context.file("account", "figures"),
        seed=context.project.seed("account"), crime=context.project.outcome,
        published=context.incidents.published, progress=context.ticker("account"),
    )  # fmt: skip


# -------------------------------------------------------------------- what the evaluation counts
def panel_of(context: Context, programme: Programme) -> tuple[Panel, Places]:
    """The panel of an evaluation, and the places it stands on."""
    from peelian import figures
    from peelian.panel import Panel

    table, places = context.panel_table, context.places
    if table.where:
        if table.where not in places.frame:
            raise _no_column(context, "where", table.where)
        places = places.select(places.index[places.frame[table.where].astype(bool)])
    incidents = context.incidents
    counts = context.monthly(places)
    months = counts.index.unique("month")
    others = {}
    for name in table.others:
        other = context.every_incident.of_type(name).counts(places, by=context.by, monthly=True)
        others[name] = other.reindex(counts.index, fill_value=0)
    changes = figures.recording_changes()
    panel = Panel.build(
        counts, programme, places, rings=table.rings, saturation=saturation_of(context), others=others,
        breaks=[m for m in changes["from"] if months.min() <= _month(m) <= months.max()],
        outcome=context.project.outcome, source=", ".join(sorted(set(incidents.frame["source"]))[:1]),
        outside=len(incidents) - int(counts.sum()), by=context.by,
    )  # fmt: skip
    return panel, places


def saturation_of(context: Context) -> pd.Series | None:
    """Share of homes with a kit by place and month, as ``deliver`` left it, or None."""
    import pandas as pd

    path = context.made("deliver", "saturation.csv")
    if path is None:
        return None
    frame = pd.read_csv(path, dtype={"place": str, "month": str})
    frame["month"] = pd.PeriodIndex(frame["month"], freq="M")
    return frame.set_index(["place", "month"])["saturation"]


def group_counts(context: Context, programme: Programme) -> pd.DataFrame | None:
    """Totals of the larger areas before and after the first start, counted by point and by code.

    One row a group and a way of counting: ``group``, ``arm``, ``by``, ``before``, ``after``; twelve months
    either side of the first start. Before and after are whole years, so that seasons match.
    """
    import pandas as pd

    table = context.panel_table
    if not table.group:
        return None
    places = context.places
    if table.group not in places.frame:
        raise _no_column(context, "group", table.group)
    member = places.frame[table.group].astype(str)
    if table.where:
        member = member[places.frame[table.where].astype(bool)]
    arm = programme.areas["arm"].reindex(member.index).fillna("control").groupby(member).first()
    first = programme.treated["start"].min()
    periods = {"before": (first - 12, first), "after": (first, first + 12)}
    ways = {"code": lambda part: part.place_of(places, by="code").map(member)}
    if table.group_file:
        ways["point"] = _groups_by_point(context)
    if context.by == "point" and "place" not in context.incidents.frame:
        ways.pop("code")
    parts = []
    for by, place in ways.items():
        totals = {
            word: place(context.incidents.between(*span)).value_counts() for word, span in periods.items()
        }
        frame = pd.DataFrame(totals).reindex(arm.index).fillna(0).astype(int)
        parts.append(frame.assign(arm=arm, by=by).rename_axis("group").reset_index())
    return pd.concat(parts, ignore_index=True)[["group", "arm", "by", "before", "after"]]


def _no_column(context: Context, key: str, column: str) -> DataError:
    file = context.project.file
    return DataError(
        f"{file}: {line_of(file, 'evaluate', key)}[evaluate] {key} names {column!r}, but the places have no such "
        f"column; they have {some(context.places.frame.columns, 20)}."
    )


def _groups_by_point(context: Context) -> Callable[[Incidents], pd.Series]:
    from peelian.read.areas import areas

    table = context.panel_table
    path = context.project.existing(table.group_file, table="evaluate", key="group_file")
    groups = areas(path, id=table.group_id or table.group)
    return lambda part: part.place_of(groups, by="point")


def _month(value: object) -> pd.Period:
    import pandas as pd

    return pd.Period(value, "M")


# -------------------------------------------------------------------- the report
def _report(context: Context) -> Outcome:
    from peelian import __version__
    from peelian.account import html

    project = context.project
    sections, sources = [], []
    for stage in ORDER:
        values = json.loads((context.folder(stage) / SECTION).read_text(encoding="utf-8"))
        sections.append(protected(section_from_json(values), project.project.audience))
        record = read_record(context.folder(stage)) or {}
        sources += [tuple(row) for row in record.get("sources", [])]
    if project.project.truth:
        from peelian.borough import truth_section

        sections.append(truth_section(context.project.path(project.project.truth), project.folder))
    read = read_record(context.folder("read")) or {"made": {"inputs": {}}}
    about = [
        ("Code version", f"Peelian {__version__}"),
        ("Seed", str(project.project.seed)),
        ("Audience", project.project.audience),
        *((f"SHA-256 of {name}", digest) for name, digest in read["made"]["inputs"].items()),
    ]
    report = Report(
        title=project.project.name,
        asked=project.project.question or f"Where does {project.outcome} concentrate, what goes with it, and did the programme prevent any?",
        sections=tuple(sections),
        marking=project.project.marking,
        sources=tuple(dict.fromkeys(sources)),
        about=tuple(about),
    )  # fmt: skip
    files: dict[str, Any] = {"report.html": html.html(report)}
    files["report.json"] = {"title": report.title, "sections": [section.as_json() for section in sections]}
    files |= {
        f"tables/{name}.csv": frame.reset_index(drop=True) for name, frame in html.tables_of(report).items()
    }
    findings = tuple(Text(text, "finding") for section in sections for text in section.findings)
    summary = {"sections": len(sections), "tables": len(files) - 2}
    return Outcome(Section("report", "Report", "What do we tell people?", findings), files, summary)


def protected(section: Section, audience: str) -> Section:
    """The section with small counts withheld, where they are not public and the reader is not internal."""
    if audience == "internal":
        return section
    from peelian.account import disclosure

    def guarded(block: Any) -> Any:
        if not isinstance(block, Table | Chart) or block.published or not block.counts or block.frame is None:
            return block
        if isinstance(block, Chart):
            return Text(
                f"{block.title} (picture withheld: it would show counts too small to publish).", "note"
            )
        return replace(block, frame=disclosure.protect(block.frame, counts=block.counts, audience=audience))

    return replace(section, blocks=tuple(guarded(block) for block in section.blocks))


CHAPTERS: dict[str, Callable[[Context], Outcome]] = {
    "read": _read,
    "explain": _explain,
    "predict": _predict,
    "plan": _plan,
    "deliver": _deliver,
    "evaluate": _evaluate,
    "account": _account,
    "report": _report,
}
