"""A project at work: its tables checked, and what the stages before have left, loaded when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as model

from peelian.project import STRICT, Project, validated

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.layers import Layers
    from peelian.places import Places
    from peelian.programme import Programme

Progress = Callable[[str, int, int], None]


@model(frozen=True, config=STRICT)
class PanelTable:
    """The keys of ``[evaluate]`` that say what is counted, and where; the rest are the evaluation's.

    ``by``        place incidents by the extract's own area ``code`` or by their ``point``; code where the
                  extract has one.
    ``where``     true/false column of the places: only those are evaluated.
    ``others``    crime types that the programme cannot affect, as negative controls.
    ``wider_types``  crime types that together are the whole class the outcome belongs to (all burglary),
                  so that a change of recording that moves crimes between them is seen (guard G8).
    ``group``     column of the places that names a larger area (a ward); totals are given by it too.
    ``group_name``   column of the places with that larger area's name, for reading.
    ``group_file``, ``group_id``   polygons of those larger areas, so that totals can be counted by point.
    ``phases``    further phases of the programme by name: each a file like that of ``[programme]``, and
                  each evaluated the same way, beside the first.
    ``force``     the police force, for changes of recording that concern one force only.
    """

    by: Literal["code", "point", ""] = ""
    where: str = ""
    others: tuple[str, ...] = ()
    wider_types: tuple[str, ...] = ()
    group: str = ""
    group_name: str = ""
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
    def weather(self) -> pd.DataFrame | None:
        """Weather by day: ``date``, ``tmin``, ``tmax``, ``tmean`` (Celsius), ``rain`` (mm), then more.

        None where the project has no [weather], or a file of months; see ``read.conditions``.
        """
        return self._weather("weather_days.csv")

    @cached_property
    def weather_months(self) -> pd.DataFrame | None:
        """The same by month, ``date`` the first day of it; None where the project has no [weather]."""
        return self._weather("weather_months.csv")

    def _weather(self, name: str) -> pd.DataFrame | None:
        import pandas as pd

        path = self.made("read", name)
        return None if path is None else pd.read_csv(path, parse_dates=["date"])

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

    @cached_property
    def study(self) -> Places:
        """The places of the study area: those that ``[places] where`` marks, or all."""
        where = str(self.project.table("places").get("where", ""))
        if not where:
            return self.places
        return self.places.select(self.places.index[self.places.frame[where].astype(bool)])

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
    "predict": {"streets", "custom", "checkins", "planned"},
    "deliver": {"deliveries", "recoveries"},
    "evaluate": set(PanelTable.__dataclass_fields__),
    "account": {"ledger", "documents", "figures", "claims", "questions", "request", "benefits", "governance"},
}
