"""Project: a folder with a peelian.toml. Where inputs and outputs live, and what was asked."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as model

from peelian.errors import DataError, Error, some
from peelian.programme import Programme, read_programme, spread

if TYPE_CHECKING:
    from peelian.places import Places

FILE = "peelian.toml"
TABLES = (
    "project", "places", "incidents", "layers", "weather", "programme",
    "read", "explain", "predict", "plan", "deliver", "evaluate", "account",
)  # fmt: skip
STRICT = ConfigDict(extra="forbid")
Model = TypeVar("Model")


@model(frozen=True, config=STRICT)
class ProjectTable:
    """The ``[project]`` table.

    ``name``      of the project, as it stands on the report.
    ``crime``     crime types that the project is about, as the extract spells them.
    ``outcome``   what they are called in sentences, in the singular (``burglary``); the first crime type
                  in lower case where it is not given.
    ``marking``   protective marking on every page.
    ``audience``  who reads the report: counts that are not public pass disclosure control unless it is
                  ``internal``.
    ``seed``      of every stage, unless its own table has one.
    ``question``  what was asked, in a sentence.
    ``formats``   of the report: ``html``, ``pdf``, ``docx``, ``xlsx``, ``ods``; the page is always written.
    ``truth``     file with the planted truth of a simulated borough, to be laid beside the findings.
    """

    name: str
    crime: tuple[str, ...]
    outcome: str = ""
    marking: Literal["OFFICIAL", "OFFICIAL-SENSITIVE"] = "OFFICIAL"
    audience: Literal["internal", "partner", "public", "foi"] = "internal"
    seed: Annotated[int, Field(ge=0)] = 1829
    question: str = ""
    formats: tuple[Literal["html", "pdf", "docx", "xlsx", "ods"], ...] = ("html",)
    truth: str = ""


@model(frozen=True, config=STRICT)
class ProgrammeTable:
    """The ``[programme]`` table: the decision, and the file that says which places got what.

    ``areas``      CSV file: place, arm, start, end, kits, households, selected_on, assigned_by, ...
    ``by``         column of the places that the file's ``place`` means (a ward); place ids without it.
    ``budget``     pounds; ``kits`` bought; ``unit_cost`` pounds a kit; ``saturation`` share of homes.
    ``prevented``  incidents that were promised to be prevented; ``hours`` police hours promised.
    ``decision``   reference of the decision; ``randomised`` true where places were drawn by lot.
    ``source``     where this was published.
    """

    areas: str = ""
    by: str = ""
    name: str = ""
    budget: Annotated[float, Field(ge=0)] | None = None
    kits: Annotated[int, Field(ge=0)] | None = None
    unit_cost: Annotated[float, Field(ge=0)] | None = None
    saturation: float = 0.85
    prevented: Annotated[float, Field(ge=0)] | None = None
    hours: Annotated[float, Field(ge=0)] | None = None
    decision: str = ""
    randomised: bool = False
    source: str = ""


@dataclass(frozen=True, eq=False)
class Project:
    """A project folder, its settings checked, its stage tables as they were written.

    ``folder``   where peelian.toml lies; every relative file name in it starts from there.
    ``project``  the ``[project]`` table; ``tables`` the rest, by name, for the stages to check.
    """

    folder: Path
    project: ProjectTable
    tables: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path | str = ".") -> Project:
        """Read ``peelian.toml`` of a folder. ``Error`` or ``DataError`` says what is wrong and where."""
        folder = Path(folder)
        if folder.name == FILE:
            folder = folder.parent
        path = folder / FILE
        if not path.is_file():
            raise Error(
                f"{path}: there is no such file, so {folder} is no project. "
                f"Make one with: peelian new {folder} (or see one at work with: peelian demo)."
            )
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: is not valid TOML: {error}. Mend that line.") from error
        for name in tables:
            if name not in TABLES:
                raise DataError(
                    f"{path}: {line_of(path, name)}there is no table [{name}].{nearest(name, TABLES)}"
                )
        if "project" not in tables:
            raise DataError(f"{path}: has no [project] table; it needs at least name and crime.")
        about = dict(tables.pop("project"))
        if isinstance(about.get("crime"), str):
            about["crime"] = [about["crime"]]
        return cls(folder.resolve(), validated(ProjectTable, about, table="project", file=path), tables)

    @property
    def file(self) -> Path:
        """The path of peelian.toml."""
        return self.folder / FILE

    @property
    def outcome(self) -> str:
        """The crime in words, singular and in lower case."""
        return self.project.outcome or self.project.crime[0].lower()

    def table(self, name: str) -> dict[str, Any]:
        """A table as written, empty where absent."""
        held = self.tables.get(name, {})
        if not isinstance(held, dict):
            raise DataError(f"{self.file}: [[{name}]] is written as a list of tables; write [{name}] once.")
        return held

    def lists(self, name: str) -> list[dict[str, Any]]:
        """A list of tables (``[[incidents]]``) as written; a single ``[incidents]`` counts as one."""
        held = self.tables.get(name, [])
        return [held] if isinstance(held, dict) else list(held)

    def path(self, name: str) -> Path:
        """Where a file named in peelian.toml lies."""
        return (self.folder / name).resolve()

    def existing(self, name: str, *, table: str, key: str) -> Path:
        """The path of a file that must exist, or a DataError that says who names it."""
        path = self.path(name)
        if not path.exists():
            where = line_of(self.file, table, key)
            raise DataError(
                f"{self.file}: {where}[{table}] {key} names {name}, but there is no such file ({path}). "
                "Put it there, or mend the name."
            )
        return path

    def seed(self, stage: str) -> int:
        """The seed of a stage: its own, or the project's."""
        own = self.table(stage).get("seed", self.project.seed)
        if not isinstance(own, int) or isinstance(own, bool) or own < 0:
            raise DataError(
                f"{self.file}: {line_of(self.file, stage, 'seed')}[{stage}] seed is {own!r}; "
                "expected a whole number."
            )
        return own

    def parameters(self, kind: type[Model], stage: str) -> Model:
        """The stage's table as its ``Parameters``, checked; the seed and file names are the loop's."""
        held = {key: value for key, value in self.table(stage).items() if key != "seed"}
        return validated(kind, held, table=stage, file=self.file)

    def programme(self, places: Places | None = None) -> Programme:
        """The programme: the ``[programme]`` table and its file of areas.

        Where the table says ``by``, the file names larger units; with ``places`` they are spread over the
        places inside them.
        """
        about = validated(ProgrammeTable, self.table("programme"), table="programme", file=self.file)
        areas = None
        if about.areas:
            areas = read_programme(self.existing(about.areas, table="programme", key="areas"))
            if about.by and places is not None:
                if about.by not in places.frame:
                    where = line_of(self.file, "programme", "by")
                    raise DataError(
                        f"{self.file}: {where}[programme] by names {about.by!r}, but the places have no such "
                        f"column; they have {some(places.frame.columns, 20)}."
                    )
                areas = spread(areas, places.frame[about.by].astype(str), places.households)
        return Programme(
            about.name or self.project.name, areas, about.budget, about.kits, about.unit_cost,
            about.saturation, about.prevented, about.hours, about.decision, about.randomised, about.source,
        )  # fmt: skip


def validated(kind: type[Model], values: dict[str, Any], *, table: str, file: Path) -> Model:
    """The values as a checked model, or a ``DataError`` that names file, line, key, value and remedy.

    ``kind`` is a pydantic dataclass; unknown keys are refused with the nearest one that exists.
    """
    fields = getattr(kind, "__dataclass_fields__", {})
    unknown = [key for key in values if key not in fields]
    if unknown:
        raise DataError(
            f"{file}: {line_of(file, table, unknown[0])}[{table}] has no key {unknown[0]!r}."
            f"{nearest(unknown[0], fields)}"
        )
    try:
        return kind(**values)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or table
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        if first["type"] in ("missing", "missing_argument"):
            raise DataError(f"{file}: [{table}] lacks the key {key!r}. Add it.") from error
        where = line_of(file, table, key.split(".")[0])
        raise DataError(f"{file}: {where}[{table}] {key} is {first.get('input')!r}: {message}.") from error


def nearest(word: str, known: Any) -> str:
    """A sentence with the nearest known word, or the list of them."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else f" There are: {some(sorted(known), 30)}."


def line_of(file: Path, table: str, key: str | None = None) -> str:
    """``line 12, `` where a table or a key of it stands in a TOML file; empty where it cannot be found."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    inside = False
    for number, line in enumerate(lines, start=1):
        head = re.match(r"\s*\[\[?\s*([\w.-]+)", line)
        if head:
            inside = head.group(1).split(".")[0] == table
            if inside and key is None:
                return f"line {number}, "
        elif inside and key is not None and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[.=]", line):
            return f"line {number}, "
    return ""
