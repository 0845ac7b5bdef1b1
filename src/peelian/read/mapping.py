"""Mapping: which column of a table is what, proposed from headers and values, and saved as a profile."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, some
from peelian.read import guesses
from peelian.read.columns import Column, columns
from peelian.read.files import members
from peelian.read.profiles import Profile, profile, shipped
from peelian.read.rows import Rows
from peelian.read.tabular import ENDINGS, of_member, tabular
from peelian.words import percent

if TYPE_CHECKING:
    from peelian.read.sources import IncidentSource
    from peelian.read.systems import Box

Form = Literal["incidents", "counts", "police_uk"]
HIDDEN = ("address",)  # columns whose values are shown nowhere
BELIEVED = ("start", "end", "recorded", "type", "place", "id", "address", "outcome")


@dataclass(frozen=True)
class Choice:
    """One field of ours, the column proposed for it, why, and what stands in it."""

    field: str
    column: str
    why: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """What a file seems to hold.

    ``form``      ``incidents`` (a row a crime), ``counts`` (a row for an area and a time), or ``police_uk``
                  (an unchanged file of data.police.uk, which needs no mapping).
    ``choices``   a column for each field found; ``unused`` the other columns.
    ``settings``  what else ``read.table`` is to be told (``crs``, ``dates``, ``type``, ``period``).
    ``notes``     sentences on what was seen; ``questions`` on what only the reader can say.
    ``profile``   the shipped profile that the headers fit, if one does.
    """

    file: str
    rows: int
    form: Form
    choices: tuple[Choice, ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    profile: str = ""

    @property
    def mapping(self) -> dict[str, str]:
        """Our name -> the file's column."""
        return {choice.field: choice.column for choice in self.choices}

    def as_json(self) -> dict[str, Any]:
        """Plain values of all of it."""
        return {
            "file": self.file,
            "rows": self.rows,
            "form": self.form,
            "profile": self.profile,
            "mapping": self.mapping,
            "settings": dict(self.settings),
            "choices": [
                {"field": c.field, "column": c.column, "why": c.why, "examples": list(c.examples)}
                for c in self.choices
            ],
            "unused": list(self.unused),
            "notes": list(self.notes),
            "questions": list(self.questions),
        }

    def toml(self) -> str:
        """The proposal as a profile: for ``profile = "..."`` under [[incidents]] of peelian.toml.

        Raises ``DataError`` where the file holds no incidents, so that no mapping could read it.
        """
        if self.form != "incidents":
            raise DataError(f"{self.file}: needs no mapping. {' '.join(self.notes)}")
        said = [f"# Columns of {self.file}, proposed from headers and values. Read it through before use."]
        said += [f"# {line}" for text in (*self.notes, *self.questions) for line in text.splitlines()]
        said += [f"{key} = {_literal(value)}" for key, value in self.settings]
        said += ["", "[mapping]"]
        said += [f"{c.field} = {_literal(c.column)}  # {c.why}" for c in self.choices]
        return "\n".join(_plain(line) for line in said) + "\n"


def propose(path: Path | str, *, near: Path | str | None = None) -> Proposal:
    """The likely mapping of a file, with the values that speak for it.

    ``path``  CSV, Excel, Parquet, or a spatial file of points; one file.
    ``near``  a spatial file of where the crime lies, to tell coordinate systems apart; without it, the
              spatial files in the same folder are used, if there are any.

    Nothing is written and nothing decided: what could be read in two ways stands among the ``questions``.
    A file whose first line looks like data is taken to have no header; its columns are called ``column 1``,
    ``column 2``, ...

    Raises ``DataError`` for a file that holds no table or no row.
    """
    path = Path(path)
    read = tabular(path)
    notes: list[str] = []
    known = guesses.published(read.header)
    if known:
        form: Form = "counts" if known.startswith("Counts") else "police_uk"
        return Proposal(path.name, len(read), form, notes=(known,))
    if guesses.headless(read.header) and path.name.lower().endswith((".csv", ".csv.gz", ".txt", ".tsv")):
        names = tuple(f"column {at}" for at in range(1, len(read.header) + 1))
        read = tabular(path, names=names)
        notes.append("The first line looks like data: the file has no header, so its columns are numbered.")
    if not len(read.table):
        raise DataError(f"{path}: holds no row that could be read, so nothing can be proposed.")
    held = columns(read)
    box = guesses.whereabouts(path, near)
    fitting = [one for one in shipped() if one.fits(read.header)]
    if fitting:
        return _known(path, read, held, max(fitting, key=lambda one: len(one.needs)), notes)
    return _guessed(path, read, held, box, notes)


def _known(path: Path, read: Rows, held: list[Column], of: Profile, notes: list[str]) -> Proposal:
    """A proposal by a shipped profile."""
    mapping = of.of(read.header)
    examples = {column.name: column.examples for column in held}
    choices = tuple(
        Choice(field, column, f"profile {of.name}", () if field in HIDDEN else examples.get(column, ()))
        for field, column in mapping.items()
    )
    settings = dict(of.settings)
    questions = []
    if "type" not in mapping and "type" not in settings:
        settings["type"] = guesses.type_of(path)
        questions.append(guesses.ASK_TYPE.format(settings["type"]))
    used = " ".join(mapping.values())
    return Proposal(
        path.name, len(read), "incidents", choices, tuple(settings.items()),
        (*notes, f"The headers are those of the profile {of.name!r}: {' '.join(of.about.split())}"),
        tuple(questions), tuple(c.name for c in held if c.name not in used), of.name,
    )  # fmt: skip


def _guessed(path: Path, read: Rows, held: list[Column], box: Box | None, notes: list[str]) -> Proposal:
    """A proposal from headers and values alone."""
    found = guesses.fields(held)
    where = guesses.coordinates(read, held, box, taken=set(found.values()))
    found |= where.mapping
    counted = guesses.counted(read, held, found)
    if counted:
        return Proposal(path.name, len(read), "counts", _choices(found, held), notes=(*notes, counted))
    settings: dict[str, Any] = {}
    notes += where.notes
    questions = list(where.questions)
    if where.crs is not None:
        settings["crs"] = where.crs
    _of_dates(path, found, held, settings, notes, questions)
    if "type" not in found:
        settings["type"] = guesses.type_of(path)
        questions.append(guesses.ASK_TYPE.format(settings["type"]))
    choices = _choices(found, held)
    used = " ".join(found.values())
    unused = tuple(c.name for c in held if c.name not in found.values() and "{" + c.name + "}" not in used)
    if notes and notes[0].startswith("The first line looks like data"):
        settings["columns"] = list(read.header)
    return Proposal(
        path.name, len(read), "incidents", choices, tuple(settings.items()), tuple(notes),
        tuple(questions), unused,
    )  # fmt: skip


def _of_dates(
    path: Path,
    found: dict[str, str],
    held: list[Column],
    settings: dict[str, Any],
    notes: list[str],
    questions: list[str],
) -> None:
    """What is to be said of the dates."""
    by_name = {column.name: column for column in held}
    dated = [by_name[found[f]] for f in ("start", "end", "recorded") if found.get(f) in by_name]
    if "start" not in found:
        period = guesses.period_of(path)
        if period:
            settings["period"] = period
        questions.append(
            "No column holds a date, so the rows cannot be placed in time by themselves. "
            + (
                f"The file's name says {period}: is that when they happened?"
                if period
                else guesses.ASK_PERIOD
            )
        )
    orders = {column.order for column in dated} - {"", "iso"}
    if len(orders) == 1 and "either" not in orders:
        settings["dates"] = orders.pop()
    elif orders:
        sample = next(c.examples[0] for c in dated if c.order in orders and c.examples)
        questions.append(
            f'{sample} could be either way round: add dates = "dmy" (British) or dates = "mdy" (American).'
        )
    zoned = next((column for column in dated if column.zoned > 0), None)
    if zoned is not None:
        questions.append(
            f"{100 * zoned.zoned:.0f} % of the times in {zoned.name!r} carry a zone mark "
            f"({zoned.examples[0]}). "
            "They are read as they stand; where they are in another zone than the place, add its "
            'timezone, such as "Europe/London".'
        )
    if "end" in found:
        column = by_name[found["end"]]
        notes.append(
            f"Rows carry a window from {found['start']!r} to {found['end']!r} ({percent(1 - column.given)} "
            "have no end): both are kept, so that times can be shared over the window."
        )


def _choices(found: dict[str, str], held: list[Column]) -> tuple[Choice, ...]:
    by_name = {column.name: column for column in held}
    order = (*BELIEVED, "easting", "northing", "longitude", "latitude")
    choices = []
    for field in sorted(found, key=lambda name: order.index(name) if name in order else 99):
        column = by_name.get(found[field])
        if column is None:
            choices.append(Choice(field, found[field], "several columns together", ()))
        else:
            shown = () if field in HIDDEN else column.examples
            choices.append(Choice(field, column.name, guesses.why(field, column), shown))
    return tuple(choices)


# -------------------------------------------------------------------- profiles in a project
def completed(source: IncidentSource, folder: Path) -> IncidentSource:
    """The source with the columns and settings of its profile; what stands in the source wins.

    Raises ``DataError`` where there is no such profile, and where it names none of the file's columns.
    """
    if source.profile is None:
        return source
    of = profile(source.profile, folder)
    names = source.columns or of.settings.get("columns")
    found, _ = members(folder / source.file, ENDINGS)
    path = folder / source.file
    header = of_member(found[0], path=path if path.is_file() and path.suffix != ".zip" else None).header
    mapping = of.of(names or header) | source.mapping
    if not mapping:
        raise DataError(
            f"{source.file}: has none of the columns of the profile {source.profile!r}; it has "
            f"{some(header, 20)}. `peelian read map` proposes a mapping for it."
        )
    unset: dict[str, Any] = {
        key: tuple(value) if key == "columns" else value
        for key, value in of.settings.items()
        if not getattr(source, key)
    }
    return replace(source, mapping=mapping, profile=None, **unset)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False)


def _plain(line: str) -> str:
    """Without the control characters that TOML forbids."""
    return "".join(mark for mark in line if mark >= " " or mark == "\t")
