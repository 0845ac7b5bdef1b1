"""Tasks: what the commands do beside running the loop. They arrange, and compute nothing.

A demo, a new project, a check that changes nothing, a proposed mapping, the policy figures, official
downloads for a connected machine, the ledger of forecasts, and the plan that is frozen.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peelian.chapters import FROZEN, Context, Progress, frozen_plan, judged
from peelian.errors import DataError, DesignError, Error, some
from peelian.loop import Run, check_tables, run
from peelian.outputs import SECTION, plain, write_content, write_stage, write_text
from peelian.project import Project
from peelian.report import Outcome, Section, Text
from peelian.words import percent, several


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


def check(
    folder: Path | str = ".", *, html: Path | str | None = None, rejected: Path | str | None = None
) -> dict[str, Any]:
    """Read and judge a project's inputs, and change nothing in it.

    ``html``      a page to write of it; ``rejected`` a CSV file of every refused row, with its reason.

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
    if rejected is not None:
        if Path(rejected).suffix != ".csv":
            raise Error(f"{rejected}: the refused rows are written as CSV. Name a file that ends in .csv.")
        write_content(Path(rejected), outcome.files["rejected.csv"])
    return {
        "project": str(project.folder),
        "findings": outcome.section.findings,
        "checks": plain(outcome.files["quality.json"]["checks"]),
    }


def judgement(project: Project, outcome: Outcome) -> str:
    """The chapter of read alone, as a page of its own."""
    about = project.project
    return _page(outcome, f"{about.name}: the inputs judged", marking=about.marking, audience=about.audience)


def _page(outcome: Outcome, title: str, *, marking: str, audience: str) -> str:
    """One chapter as a page of its own."""
    from peelian import __version__
    from peelian.account.html import html
    from peelian.chapters.report import protected
    from peelian.report import Report

    section = protected(outcome.section, audience)
    about = (("Code version", f"Peelian {__version__}"), ("Audience", audience))
    return html(Report(title, section.question, (section,), marking, tuple(outcome.sources), about))


def evaluate_files(
    panel: Path | str, programme: Path | str, *, out: Path | str, places: Path | str | None = None,
    protocol: Path | str | None = None, seed: int = 1829, crime: str = "crime", randomised: bool = False,
    gaps_are_zero: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Evaluate a table of counts and a programme's file, without a project folder; see ``chapters.alone``.

    ``out``  the folder that gets every file of the evaluation, and ``report.html``; one that holds another
    evaluation is put aside for it.

    Returns plain values: ``findings``, ``not_held``, ``summary``, ``report``.
    """
    from peelian import __version__
    from peelian.chapters.alone import evaluate_files as alone
    from peelian.outputs import RECORD, sha256

    folder = Path(out)
    if folder.exists() and any(folder.iterdir()) and not (folder / RECORD).is_file():
        raise Error(f"{folder} is there already and holds other files. Name a new folder.")
    outcome = alone(
        panel, programme, places=places, protocol=protocol, seed=seed, crime=crime, randomised=randomised,
        gaps_are_zero=gaps_are_zero,
    )  # fmt: skip
    page = _page(outcome, f"Evaluation of {Path(panel).name}", marking="OFFICIAL", audience="internal")
    given = [Path(file) for file in (panel, programme, places, protocol) if file is not None]
    record = {
        "stage": "evaluate", "not_held": outcome.not_held, "findings": outcome.section.findings,
        "summary": outcome.summary, "seed": seed, "version": __version__,
        "inputs": {file.name: sha256(file) for file in given},
    }  # fmt: skip
    write_stage(folder, {**outcome.files, "report.html": page}, record)
    return plain({
        "findings": outcome.section.findings, "not_held": outcome.not_held, "summary": outcome.summary,
        "report": folder / "report.html",
    })  # fmt: skip


def unblind(folder: Path | str, *, author: str, at: datetime | None = None) -> dict[str, Any]:
    """Record that a project's trial is unblinded, in ``unblinded.toml`` beside peelian.toml.

    ``author``  who answers for it; ``at`` the time (now, without it). Returns ``file`` and ``words``. Raises
    ``DesignError`` where it was unblinded already, and then nothing is written.
    """
    from peelian import protocol

    project = Project.load(folder)
    path = project.folder / "unblinded.toml"
    if path.is_file():
        said = protocol.unblinded(path.read_text(encoding="utf-8"), where=str(path))
        raise DesignError(f"{path}: is here already. {said}")
    write_text(path, protocol.unblind(frozen_plan(project), author=author, at=at or datetime.now(UTC)))
    words = f'Recorded in {path}. To see the arms by name: unblinded = "{path.name}" under [evaluate].'
    return plain({"file": path, "words": words})


def evaluation_part(folder: Path | str, part: str) -> dict[str, Any]:
    """One part of an evaluation that stands in a folder: ``says`` (sentences) and ``rows`` (a table)."""
    from peelian.evaluate.parts import PARTS

    path = Path(folder) / "parts.json"
    if part not in PARTS:
        raise Error(f"There is no part {part!r} of an evaluation. The parts are {', '.join(PARTS)}.")
    if not path.is_file():
        raise Error(f"{folder} holds no evaluation that could be given.")
    return json.loads(path.read_text(encoding="utf-8"))[part]


def predict_part(
    folder: Path | str, *, only: str, seed: int | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """One part of predict on its own: map, backtest, leakage, missions, dosage, weather or audit.

    What it rests on (read, explain) is run where something changed. Its page, tables and files go into the
    folder ``predict-parts/PART`` of the project, so that the stage's own folder stays the last whole run.

    Returns plain values: ``part``, ``folder``, ``findings``, and the part's numbers.
    """
    from dataclasses import replace

    from peelian.chapters.stages import part_of_predict

    done = run(folder, until="explain", seed=seed, progress=progress)
    project = Project.load(folder)
    if seed is not None:
        project = replace(project, project=replace(project.project, seed=seed))
    outcome = part_of_predict(Context(project, progress), only)
    made = done.folder / "predict-parts" / only
    about = project.project
    title = f"{about.name}: predict, {only}"
    page = _page(outcome, title, marking=about.marking, audience=about.audience)
    record = {"stage": "predict", "part": only, "summary": outcome.summary}
    files = {**outcome.files, "page.html": page, "section.json": outcome.section.as_json()}
    made.parent.mkdir(exist_ok=True)
    write_stage(made, files, record)
    said = outcome.section.findings or [b.text for b in outcome.section.blocks if isinstance(b, Text)][:1]
    return plain({"part": only, "folder": str(made), "findings": said, **outcome.summary})


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


# what one part of the chapter Account is made of: blocks whose name starts so, files, and why there are none
PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "cost": (("account_answers", "account_ratios", "account_case", "account_tornado", "account_switching",
              "account_bearers", "account_weakest"),
             ("costs.csv", "benefits.csv", "switching.csv", "figures.csv"), ""),
    "case": (("account_business",), ("case",), "no plan of a next programme is held: [plan] gives no kits"),
    "promise": (("account_promise", "account_spend", "account_forecast", "account_register",
                 "account_four_tests"),
                ("promise.csv", "spend.csv", "register.csv"), "no decision or ledger is held"),
    "claims": (("account_claims",), ("claims.csv",), "[account] names no file of claims"),
    "foi": (("account_foi",), ("foi",), ""),
    "protect": (("account_leaving", "account_cards"), ("leaving.json", "cards/"),
                "no table of counts goes to the public: they are public already, or none is held"),
    "records": (("account_records",), ("records/",), ""),
    "trends": (("account_trends", "account_course", "account_similar"), ("similar.csv",),
               "no counts by place and month are held"),
    "report": (("account_",), ("",), ""),
}  # fmt: skip


def account(
    folder: Path | str = ".",
    *,
    only: str | None = None,
    overrides: dict[str, Any] | None = None,
    formats: Sequence[str] = (),
    release: str | None = None,
    fresh: bool = False,
    seed: int | None = None,
    progress: Progress | None = None,
) -> tuple[Run, dict[str, Any]]:
    """Run the loop to the stage account, and show one part of its chapter, write it, or record a release.

    ``only``       a key of ``PARTS``; ``overrides`` keys of ``[account]`` in place of the project's.
    ``formats``    of the chapter as a report of its own, into ``account-report`` of the project's folder.
    ``release``    a name: the tables of counts for the public are recorded in ``releases`` under it, today.

    Returns the ``Run`` and plain values: ``part``, ``tables`` (title, header, rows), ``files``, ``not_held``,
    ``written``, ``released``.
    """
    from peelian.outputs import SECTION
    from peelian.report import section_from_json

    done = run(
        folder, until="account", fresh=fresh, seed=seed, overrides={"account": overrides or {}},
        progress=progress,
    )  # fmt: skip
    project = Project.load(folder)
    made = project.folder / "account"
    section = section_from_json(json.loads((made / SECTION).read_text(encoding="utf-8")))
    blocks, files, why = PARTS[only or "report"]
    shown = _printed(section, blocks) if only and only != "report" else []
    names = sorted(p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file())
    kept = [name for name in names if name.startswith(files) and name not in (SECTION, "stage.json")]
    return done, {
        "part": only or "report", "tables": shown, "files": [str(made / name) for name in kept],
        "not_held": why if only and not shown and not kept else "",
        "written": _written(project, section, overrides or {}, formats),
        "released": _released(project, release),
    }  # fmt: skip


def _printed(section: Section, blocks: tuple[str, ...]) -> list[dict[str, Any]]:
    """The tables of a chapter whose names start so: title, header and rows of text."""
    from peelian.account.html import printed

    out = []
    for block in section.blocks:
        name, frame = getattr(block, "name", ""), getattr(block, "frame", None)
        if frame is not None and name.startswith(blocks):
            header, rows, _ = printed(frame, block.formats)  # type: ignore[union-attr]
            out.append({"name": name, "title": block.title, "header": header, "rows": rows})  # type: ignore[union-attr]
    return out


def _written(
    project: Project, section: Section, overrides: dict[str, Any], formats: Sequence[str]
) -> list[str]:
    """The chapter as a report of its own, after disclosure control for its audience."""
    if not formats:
        return []
    from peelian import __version__
    from peelian.account.writing import write
    from peelian.chapters.report import protected
    from peelian.outputs import read_record
    from peelian.report import Report

    audience = str(overrides.get("audience") or project.project.audience)
    record = read_record(project.folder / "account") or {}
    page = Report(
        f"{project.project.name}: account", section.question, (protected(section, audience),),
        project.project.marking, tuple(tuple(row) for row in record.get("sources", [])),
        (("Code version", f"Peelian {__version__}"), ("Audience", audience)),
    )  # fmt: skip
    return [str(path) for path in write(page, project.folder / "account-report", formats)]  # type: ignore[arg-type]


def _released(project: Project, release: str | None) -> list[str]:
    """Record the tables for the public as released today, and say under which names."""
    if not release:
        return []
    from datetime import date

    from peelian.account.leaving import from_json
    from peelian.account.releases import FOLDER, record

    today = date.today().isoformat()
    paths = [project.folder / stage / "leaving.json" for stage in ("account", "report")]
    held = [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]
    tables = [table for values in held for table in from_json(values, id=release, date=today)]
    if not tables:
        raise Error("There is no table of counts for the public to record: `peelian account --only protect`.")
    for table in tables:
        record(table, project.folder / FOLDER)
    return [table.id for table in tables]


def verify(folder: Path | str = ".") -> dict[str, Any]:
    """Every file that the record of provenance names, beside its SHA-256: whole, changed or gone.

    Returns ``files`` checked, ``changed`` and ``gone`` by name, ``inputs`` named by hash alone, ``words``.
    Raises ``DataError`` where there is no record.
    """
    from peelian.provenance import verified

    return verified(Project.load(folder).folder)


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
    rows, accepted, refused = (int(files[key].sum()) for key in ("rows", "accepted", "refused"))
    words = (
        f"{store} holds {rows:,} rows of {several(len(files), 'file')}: {accepted:,} accepted and "
        f"{refused:,} refused with their reason; {several(len(forces), 'force')}, {months[0]} to {months[1]}."
    )
    return plain(
        {
            "store": str(store),
            "files": files.to_dict("records"),
            "rows": rows,
            "accepted": accepted,
            "refused": refused,
            "words": words,
            "forces": forces,
            "months": months,
            "next": f'In peelian.toml, under [[incidents]]: reader = "store", file = "{Path(store).name}" '
            "and forces, types, first, last or areas as you need them.",
        }
    )


def read_counts(
    store: Path | str,
    out: Path | str,
    *,
    types: Sequence[str] = (),
    first: str | None = None,
    last: str | None = None,
    areas: Path | str | None = None,
    id: str = "",
) -> dict[str, Any]:
    """Crimes of a store by area, month and type, as CSV or Parquet: ``reader = "counts"`` reads them again.

    ``types``, ``first``, ``last`` choose; with ``areas`` (any spatial file in metres, and its ``id`` column)
    crimes are counted where their point lies, else by their area code.

    Returns plain values; ``words`` is what to say. ``DataError`` where ``out`` exists already.
    """
    from peelian.read.areas import areas as read_areas
    from peelian.read.store import Store

    path = Path(out)
    if path.exists():
        raise DataError(f"{path}: is there already. Name another file, or move it away.")
    places = None if areas is None else read_areas(areas, id=id)
    counted = Store(Path(store)).counts(
        by="code" if places is None else "point",
        places=places,
        types=list(types) or None,
        first=first,
        last=last,
    )
    write_content(path, counted)
    lost = int(counted.loc[counted["place"].isna(), "count"].sum())
    told = {"counts": len(counted), "crimes": int(counted["count"].sum()), "without_area": lost}
    words = (
        f"{told['crimes']:,} crimes in {counted['place'].nunique():,} areas are {len(counted):,} counts "
        f"above zero, written to {path}; {lost:,} are in no area."
    )
    return told | {"words": words}


def read_carry(
    file: Path | str,
    lookup: Path | str,
    *,
    category: str,
    to: str,
    by: str,
    size: str | None,
    out: Path | str,
) -> dict[str, Any]:
    """A table of counts by area and time on another edition of the areas, written as CSV; nothing is lost.

    ``to`` (``new``, ``old``, ``common``) and ``by`` (``shares``, ``best fit``) as ``apportion.one_edition``
    takes them. Returns plain values, with ``words`` to say. ``DataError`` where ``out`` exists.
    """
    from peelian.read.apportion import one_edition
    from peelian.read.lookups import lookup as read_lookup
    from peelian.read.mps import counts

    path = Path(out)
    if path.exists():
        raise DataError(f"{path}: is there already. Name another file, or move it away.")
    given = counts(file).of(category)
    moved = one_edition(given, read_lookup(lookup, size=size), to=to, by=by)  # type: ignore[arg-type]
    frame = moved.values.rename("count").reset_index()
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))
    lost = moved.unplaced.groupby(level="place").sum()
    areas = given.index.unique("place").size
    words = (
        f"{given.sum():,} of {category} in {areas:,} areas are {moved.values.sum():,.0f} in "
        f"{frame['place'].nunique():,} areas ({moved.how}; {percent(moved.split)} divided by an assumption), "
        f"written to {path}."
    )
    if len(lost):
        words += f" {lost.sum():,} are of {len(lost):,} codes that the lookup lacks: {some(lost.index)}."
    told = {
        "before": given.sum(),
        "after": moved.values.sum(),
        "unplaced": lost.sum(),
        "divided": moved.split,
    }
    return plain(told | {"words": words})


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


def plan_part(
    folder: Path | str,
    part: str,
    *,
    fresh: bool = False,
    seed: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Plan, and say one part of it: ``allocate``, ``expect``, ``equity``, ``power``, ``trial``, ...

    Returns plain values: ``part``, ``sentences``, ``tables`` (name -> title, note, columns, data), ``files``.
    """
    done = run(folder, until="plan", fresh=fresh, seed=seed, progress=progress)
    step, made = done.steps[-1], done.folder / "plan"
    held = step.summary.get("parts", {}).get(part)
    if held is None:
        raise DesignError(f"There is no plan to tell of: {step.not_held}")
    blocks = json.loads((made / SECTION).read_text(encoding="utf-8"))["blocks"]
    tables = {
        block["name"]: {"title": block["title"], "note": block["note"], **block["frame"]}
        for block in blocks
        if block.get("name") in held["tables"]
    }
    files = [str(made / name) for name in held["files"]]
    return {"part": part, "sentences": held["sentences"], "tables": tables, "files": files}


def freeze_plan(
    folder: Path | str,
    *,
    author: str,
    at: datetime | None = None,
    late: bool = False,
    amend: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Plan, and lock the plan's evaluation in ``protocol.toml`` beside peelian.toml.

    ``author``  who answers for it; ``at`` the time (now, without it).
    ``late``    register although the start has passed or its outcomes are held: marked so for ever.
    ``amend``   the reason for a plan in place of one that is frozen; the older file is kept by its hash.

    Returns plain values: ``file``, ``sha256``, ``line`` for somebody else to keep, and ``words``. Raises
    ``DesignError`` where it is refused, and then nothing is written.
    """
    from peelian import protocol

    project = Project.load(folder)
    done = run(folder, until="plan", progress=progress)
    path = project.folder / "plan" / FROZEN
    if not path.is_file():
        raise DesignError(f"There is no plan to freeze: {done.steps[-1].not_held}")
    draft = protocol.read_draft(path.read_text(encoding="utf-8"))
    held: dict[str, Any] = {"author": author, "at": at or datetime.now(UTC), "late": late}
    held["data_to"] = str(Context(project).incidents.span[1])
    before, target = frozen_plan(project), project.folder / FROZEN
    if before is None:
        made = protocol.freeze(draft, **held)
    else:
        if not amend.strip():
            fields = protocol.differing(before.plan, draft)
            how = f"this plan differs in {some(fields)}" if fields else "this plan is the same"
            raise DesignError(
                f"{target}: a plan is frozen already ({before.line}); {how}. To put another in its place, "
                "say why: --amend REASON. The older file is kept."
            )
        made = protocol.amend(before, draft, reason=amend, **held)
        write_text(target.with_name(f"protocol-{before.sha256[:12]}.toml"), before.text())
    write_text(target, made.text())
    words = (
        f"Frozen in {target}: SHA-256 {made.sha256}. Send this line to somebody else today, who will "
        f'keep it: {made.line}. To evaluate by it: protocol = "{FROZEN}" under [evaluate].'
    )
    if made.plan.get("late"):
        words = f"Registered late, which counts as none: {made.plan['late']} {words}"
    return plain({"file": target, "sha256": made.sha256, "line": made.line, "words": words,
                  "late": made.plan.get("late", "")})  # fmt: skip


def verify_plan(folder: Path | str) -> dict[str, Any]:
    """Check that the frozen evaluation plan is unchanged and that the plan is still the one it names.

    Returns plain values with ``words``. Raises ``DataError`` where the file was changed, ``DesignError``
    where the plan is another one, with the fields that differ.
    """
    from peelian import protocol
    from peelian.plan.outputs import hash_of

    project = Project.load(folder)
    frozen = frozen_plan(project)
    if frozen is None:
        raise DesignError(f"{project.folder / FROZEN}: no plan is frozen here. Freeze one: --freeze.")
    path = project.folder / "plan" / "plan.json"
    if not path.is_file():
        raise Error(f"{project.folder} holds no plan. Run `peelian plan {folder}` first.")
    held = json.loads(path.read_text(encoding="utf-8"))
    found, stated = hash_of(held), str(frozen.plan.get("hashes", {}).get("plan", ""))
    if found != stated:
        draft = protocol.read_draft((path.parent / FROZEN).read_text(encoding="utf-8"))
        fields = [name for name in protocol.differing(frozen.plan, draft) if name != "hashes"]
        there, here = set(frozen.plan["treated"]), {str(area["place"]) for area in held["areas"]}
        areas = "".join(
            f" {word}: {some(sorted(ids))}." for word, ids in
            (("No longer in it", there - here), ("New in it", here - there)) if ids
        )  # fmt: skip
        raise DesignError(
            f"{path}: is not the plan that was frozen (SHA-256 {found[:12]}..., frozen {stated[:12]}...). It "
            f"differs in {some(fields) if fields else 'numbers that the evaluation does not name'}.{areas} "
            "Restore it, or freeze an amendment with its reason."
        )
    words = f"Unchanged since it was frozen: {frozen.line}. The plan is the one it names ({found[:12]}...)."
    return {"sha256": frozen.sha256, "plan": found, "line": frozen.line, "words": words}
