"""The report: the chapters of every stage in one, after disclosure control."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from peelian.chapters.context import Context
from peelian.outputs import SECTION, read_record
from peelian.report import Chart, Outcome, Report, Section, Table, Text, section_from_json

if TYPE_CHECKING:
    from peelian.account.releases import Release

ORDER = ("read", "explain", "predict", "plan", "deliver", "evaluate", "account")
WITHHELD = "it names an area whose counts are too small to publish"


def report(context: Context) -> Outcome:
    """One page, its content as JSON, and every table as CSV."""
    from peelian import __version__
    from peelian.chapters.leaving import set_beside

    project = context.project
    sections, sources = [], []
    truth: list[dict[str, str]] = []
    for stage in ORDER:
        values = json.loads((context.folder(stage) / SECTION).read_text(encoding="utf-8"))
        sections.append(protected(section_from_json(values), project.project.audience))
        record = read_record(context.folder(stage)) or {}
        sources += [tuple(row) for row in record.get("sources", [])]
    if project.project.truth:
        from peelian.borough.against import truth_section

        chapter, truth = truth_section(context.project.path(project.project.truth), project.folder)
        sections.append(chapter)
    sections = [_with_evidence(section, sections) for section in sections]
    read = read_record(context.folder("read")) or {"made": {"inputs": {}}}
    about = [
        ("Code version", f"Peelian {__version__}"),
        ("Seed", str(project.project.seed)),
        ("Audience", project.project.audience),
        *((f"SHA-256 of {name}", digest) for name, digest in read["made"]["inputs"].items()),
    ]
    report = Report(
        title=project.project.name,
        asked=project.project.question or f"Where does {project.outcome} concentrate, what goes with it, "
        "and did the programme prevent any?",
        sections=tuple(sections),
        marking=project.project.marking,
        sources=tuple(dict.fromkeys(sources)),
        about=tuple(about),
    )  # fmt: skip
    leaving = set_beside(context, sections, project.project.audience)
    files = _files(report, project.project.formats, leaving, truth)
    findings = tuple(Text(text, "finding") for section in sections for text in section.findings)
    summary = {"sections": len(sections), "tables": len(files) - 2}
    return Outcome(Section("report", "Report", "What do we tell people?", findings), files, summary)


def _files(
    report: Report, formats: Sequence[Any], leaving: Sequence[Release], truth: list[dict[str, str]]
) -> dict[str, Any]:
    """The page and the other formats, the content as JSON, every table as CSV, and what is told beside."""
    from peelian.account import html
    from peelian.account.leaving import as_json
    from peelian.account.writing import rendered

    files: dict[str, Any] = dict(rendered(report, ("html", *formats)))
    files["report.json"] = {"title": report.title, "sections": [s.as_json() for s in report.sections]}
    files |= {
        f"tables/{name}.csv": frame.reset_index(drop=True) for name, frame in html.tables_of(report).items()
    }
    if leaving:
        files["leaving.json"] = as_json(leaving)
    return files | ({"truth.json": {"rows": truth}} if truth else {})


def _with_evidence(section: Section, sections: list[Section]) -> Section:
    """The evaluation's EMMIE scale with what was delivered and what it cost, from the chapters that know."""
    from peelian.evaluate.scales import emmie_title, with_costs

    if section.id != "evaluate":
        return section
    said = {other.id: other.findings[0] for other in sections if other.findings}

    def filled(block: Any) -> Any:
        if not isinstance(block, Table) or block.name != "evaluate_emmie":
            return block
        frame = with_costs(block.frame, said.get("deliver", ""), said.get("account", ""))
        return replace(block, frame=frame, title=emmie_title(frame.iloc[:, 1]))

    return replace(section, blocks=tuple(filled(block) for block in section.blocks))


def protected(section: Section, audience: str) -> Section:
    """The section with small counts withheld, where they are not public and the reader is not internal.

    What a table hides, nothing else of the chapter tells: a sentence, a title, a picture or a map that names
    a row with a hidden count is withheld too.
    """
    if audience == "internal":
        return section
    from peelian.account import disclosure

    def guarded(block: Any) -> Any:
        if not isinstance(block, Table) or block.published or not block.counts or block.frame is None:
            return block
        return replace(block, frame=disclosure.protect(block.frame, counts=block.counts, audience=audience))

    blocks = [guarded(block) for block in section.blocks]
    names = hidden_names(block for block in blocks if isinstance(block, Table))
    return replace(section, blocks=tuple(_silent(block, names) for block in blocks))


def hidden_names(tables: Iterable[Table]) -> re.Pattern[str] | None:
    """A pattern of the names of the rows with a hidden count; None where there are none.

    Names are of the first column and of one called ``name``, where each row has its own.
    """
    from peelian.account.disclosure import HIDDEN

    found: set[str] = set()
    for table in tables:
        if table.published or table.frame is None or not len(table.frame):
            continue
        counts = [name for name in table.counts if name in table.frame]
        hidden = (table.frame[counts].astype(object) == HIDDEN).any(axis=1)
        for name in {table.frame.columns[0], "name"} & set(table.frame.columns):
            if table.frame[name].is_unique:
                found |= {str(value) for value in table.frame.loc[hidden, name]}
    named = sorted((re.escape(name) for name in found if len(name) > 1), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(named)})(?!\w)", re.IGNORECASE) if named else None


def _silent(block: Any, names: re.Pattern[str] | None) -> Any:
    """A block that says nothing of a row with a hidden count."""
    if isinstance(block, Chart) and block.counts and not block.published:
        named = names is not None and names.search(block.title) is not None
        said = f"{block.title} (picture withheld: it would show counts too small to publish)."
        return Text(f"A picture is withheld: {WITHHELD}." if named else said, "note")
    if names is None:
        return block
    if isinstance(block, Text):
        return Text(f"A sentence is withheld: {WITHHELD}.", "note") if names.search(block.text) else block
    if isinstance(block, Chart) and not block.published:
        # a map of cells names none, and its colours would tell what the table hides
        return Text("A picture is withheld: it is of places whose counts are too small to publish.", "note")
    if isinstance(block, Chart):
        frame = "" if block.frame is None else block.frame.to_csv(index=False)
        shown = f"{block.title} {block.alt} {block.note} {json.dumps(block.spec, default=str)} {frame}"
        return Text(f"A picture is withheld: {WITHHELD}.", "note") if names.search(shown) else block
    if names.search(f"{block.title} {block.note}"):
        return replace(block, title=f"Title withheld: {WITHHELD}", note="")
    return block
