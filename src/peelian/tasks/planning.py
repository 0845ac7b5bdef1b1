"""Planning beside the loop: one part of the plan, and the evaluation plan that is frozen."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peelian.chapters import FROZEN, Context, Progress, frozen_plan
from peelian.errors import DesignError, Error, some
from peelian.loop import run
from peelian.outputs import SECTION, plain, write_text
from peelian.project import Project

AGAIN = "Mend that in peelian.toml, then run `peelian plan` again."


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
        raise DesignError(f"There is no plan to tell of: {step.not_held} {AGAIN}")
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
        raise DesignError(f"There is no plan to freeze: {done.steps[-1].not_held} {AGAIN}")
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
