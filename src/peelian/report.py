"""Report: what is said to people, as content. ``account`` writes it in every format."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Text:
    """A paragraph. ``kind``: ``finding`` (the sentences to read first), ``plain``, ``warning``, ``note``; or
    ``heading``: what the blocks after it are about, listed at the head of a long chapter."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True, eq=False)
class Table:
    """A table with a title that says what it shows, and its source.

    ``frame``     columns as they are to be printed; the first column names the row.
    ``formats``   column -> Python format (``",.0f"``, ``".1%"``, ``"£,.2f"``); numbers stay numbers.
    ``counts``    columns that hold counts of incidents or people, for disclosure control.
    ``published`` True where those counts are public already.
    ``name``      file name of its CSV, without ending; unique in a report.
    ``folded``    True for working papers: closed on the screen until asked for, open on paper.
    """

    name: str
    title: str
    frame: pd.DataFrame
    formats: dict[str, str] = field(default_factory=dict)
    source: str = ""
    counts: tuple[str, ...] = ()
    published: bool = True
    note: str = ""
    folded: bool = False


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart or a map as a Vega-Lite dictionary, with its words and its table.

    ``title`` states the finding; ``alt`` is the text alternative (what it shows, first, last, highest,
    lowest); ``frame`` the numbers drawn, printed under it; ``source`` and date below.
    """

    name: str
    title: str
    spec: dict[str, Any]
    alt: str
    frame: pd.DataFrame | None = None
    formats: dict[str, str] = field(default_factory=dict)
    source: str = ""
    note: str = ""
    counts: tuple[str, ...] = ()
    published: bool = True


Block = Text | Table | Chart


@dataclass(frozen=True)
class Section:
    """A chapter: an id (the stage), a title, the question it answers, and its blocks in order."""

    id: str
    title: str
    question: str
    blocks: tuple[Block, ...] = ()

    @property
    def findings(self) -> list[str]:
        """The sentences marked as findings."""
        return [b.text for b in self.blocks if isinstance(b, Text) and b.kind == "finding"]

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``section_from_json`` reads them back."""
        return {
            "id": self.id,
            "title": self.title,
            "question": self.question,
            "blocks": [_block_to_json(block) for block in self.blocks],
        }


@dataclass(frozen=True)
class Report:
    """The whole report: a title, what was asked, its sections and where everything came from.

    ``marking`` is the protective marking on every page; ``sources`` rows of (what, source, date, licence);
    ``about`` rows of (name, value) such as code version, data hashes and seed.
    """

    title: str
    asked: str
    sections: tuple[Section, ...]
    marking: str = "OFFICIAL"
    sources: tuple[tuple[str, str, str, str], ...] = ()
    about: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        names = [b.name for s in self.sections for b in s.blocks if not isinstance(b, Text)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(f"Two tables or charts of the report are called {', '.join(twice)}.")


def _block_to_json(block: Block) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"block": "text", "text": block.text, "kind": block.kind}
    values = {key: getattr(block, key) for key in block.__dataclass_fields__}
    frame = values.pop("frame")
    values["frame"] = (
        None
        if frame is None
        else json.loads(frame.to_json(orient="split", index=False, date_format="iso", double_precision=15))
    )
    return {"block": type(block).__name__.lower()} | values


def section_from_json(values: dict[str, Any]) -> Section:
    """A Section from what ``Section.as_json`` gave (after a trip through a file)."""
    return Section(
        values["id"],
        values["title"],
        values["question"],
        tuple(_block_from_json(b) for b in values["blocks"]),
    )


def _block_from_json(values: dict[str, Any]) -> Block:
    import pandas as pd

    values = dict(values)
    kind = values.pop("block")
    if kind == "text":
        return Text(**values)
    frame = values.pop("frame")
    values["frame"] = None if frame is None else pd.DataFrame(frame["data"], columns=frame["columns"])
    values["counts"] = tuple(values["counts"])
    return Table(**values) if kind == "table" else Chart(**values)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a stage hands back: its chapter, its files, and the numbers that other stages read.

    ``section``   the chapter of the report.
    ``files``     file name -> content: a DataFrame for ``.csv`` and ``.parquet``, a GeoDataFrame for
                  ``.parquet``, plain values for ``.json``, text for ``.txt`` and ``.md``, and
                  ``maps.Layered`` for ``.gpkg``. The loop writes them.
    ``summary``   plain values, for ``--json`` and for the last lines on the screen.
    ``not_held``  why there is nothing to say, where the stage's input is absent; empty otherwise.
    ``sources``   rows of (what, source, date, licence) that the chapter rests on.
    """

    section: Section
    files: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    not_held: str = ""
    sources: tuple[tuple[str, str, str, str], ...] = ()
