"""Accounting beside the loop: one part of the chapter, a report of its own, a release."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peelian.chapters import Progress
from peelian.errors import Error
from peelian.loop import Run, run
from peelian.outputs import SECTION
from peelian.project import Project
from peelian.report import Section

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
        raise Error(
            "There is no table of counts for the public to record: `peelian account --only protect`. Name "
            "cards or a public audience under [account], and run `peelian account` again."
        )
    for table in tables:
        record(table, project.folder / FOLDER)
    return [table.id for table in tables]
