"""What the evaluation is given: the panel, the totals of larger areas, and further phases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from peelian.chapters.context import Context, stage_parameters
from peelian.chapters.held import month_of, not_held, saturation_of
from peelian.errors import DataError, some
from peelian.programme import read_programme
from peelian.project import line_of
from peelian.report import Outcome

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.panel import Panel
    from peelian.places import Places
    from peelian.programme import Programme


WIDER = "the wider class"


def evaluate(context: Context) -> Outcome:
    """The panel of the programme, and of each further phase."""
    from peelian.evaluate import run as stage

    programme = context.programme
    if not len(programme.treated):
        return not_held(
            "evaluate",
            'the project says of no area that it was treated. Add areas = "programme.csv" to [programme].',
        )
    parameters = stage_parameters(context.project, "evaluate", stage.Parameters)
    if context.panel_table.wider_types:
        parameters = replace(parameters, wider=WIDER)
    seed, crime = context.project.seed("evaluate"), context.project.outcome
    phases = {}
    for name, file in context.panel_table.phases.items():
        path = context.project.existing(file, table="evaluate", key="phases")
        other = replace(programme, areas=read_programme(path), name=name)
        panel, places = panel_of(context, other)
        unregistered = replace(parameters, protocol="", answers="", harm="")  # those are of the first phase
        told = stage.run(panel, places, unregistered, programme=other, seed=seed, crime=crime)
        phases[name] = told.files.get("assessment.json") or {"not_held": told.not_held}
    panel, places = panel_of(context, programme, weighed=_weighed(context, parameters.harm))
    told = stage.run(
        panel, places, parameters, programme=programme, seed=seed, crime=crime,
        groups=context.panel_table.group or None, group_counts=group_counts(context, programme),
        phases=phases, published=context.incidents.published, folder=context.project.folder,
        progress=context.ticker("evaluate"),
    )  # fmt: skip
    held = told.files.get("assessment.json")
    return (
        told
        if held is None
        else replace(told, files={**told.files, "assessment.json": held | {"phases": phases}})
    )


def _weighed(context: Context, file: str) -> tuple[str, ...]:
    """The crime types that a file gives harm weights of."""
    from peelian.evaluate.weighted import read_weights

    return tuple(read_weights(context.project.folder / file).index) if file else ()


def panel_of(context: Context, programme: Programme, *, weighed: Sequence[str] = ()) -> tuple[Panel, Places]:
    """The panel of an evaluation, and the places it stands on; ``weighed`` crime types get columns too."""
    from peelian import figures
    from peelian.evaluate.weighted import HARM
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
    if table.wider_types:
        whole = context.every_incident.of_type(table.wider_types).counts(places, by=context.by, monthly=True)
        others[WIDER] = whole.reindex(counts.index, fill_value=0)
    for name in weighed:
        one = context.every_incident.of_type(name).counts(places, by=context.by, monthly=True)
        others[f"{HARM}{name}"] = one.reindex(counts.index, fill_value=0)
    changes = figures.recording_changes()
    panel = Panel.build(
        counts, programme, places, rings=table.rings, saturation=saturation_of(context), others=others,
        breaks=[m for m in changes["from"] if months.min() <= month_of(m) <= months.max()],
        outcome=context.project.outcome,
        source=f"recorded {context.project.outcome}, {months.min()} to {months.max()} ({_files(incidents)})",
        outside=len(incidents) - int(counts.sum()), by=context.by,
    )  # fmt: skip
    return panel, places


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
    waiting = member.index.isin(programme.waiting(context.incidents.span[1]))
    arm = programme.areas["arm"].reindex(member.index).fillna("control").mask(waiting, "not started")
    arm = arm.groupby(member).first()
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
    told = pd.concat(parts, ignore_index=True)[["group", "arm", "by", "before", "after"]]
    if table.group_name:
        if table.group_name not in places.frame:
            raise _no_column(context, "group_name", table.group_name)
        names = places.frame[table.group_name].groupby(member).first()
        told["group"] = told["group"].map(names)
    return told


def _files(incidents: Incidents) -> str:
    names = sorted(set(incidents.frame["source"].dropna()))
    return names[0] if len(names) == 1 else f"{len(names)} files from {names[0]}"


def _no_column(context: Context, key: str, column: str) -> DataError:
    file = context.project.file
    return DataError(
        f"{file}: {line_of(file, 'evaluate', key)}[evaluate] {key} names {column!r}, but the places have "
        f"no such column; they have {some(context.places.frame.columns, 20)}."
    )


def _groups_by_point(context: Context) -> Callable[[Incidents], pd.Series]:
    from peelian.read.areas import areas

    table = context.panel_table
    path = context.project.existing(table.group_file, table="evaluate", key="group_file")
    groups = areas(path, id=table.group_id or table.group)
    return lambda part: part.place_of(groups, by="point")
