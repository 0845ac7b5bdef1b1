"""Provenance: one RO-Crate record of a run, that names every input and output by its hash."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peelian.errors import DataError
from peelian.outputs import RECORD, read_record, sha256, write_text

FILE = "ro-crate-metadata.json"


def write_crate(folder: Path, name: str, stages: tuple[str, ...], *, version: str) -> Path:
    """Write ``ro-crate-metadata.json`` (RO-Crate 1.3) for what the stages' folders hold now.

    Each stage is an action: its instrument is Peelian at ``version``, its objects are the inputs by
    SHA-256 and the stages before it, its results are its files by SHA-256; the parameters, the seed, the
    code's hash and the versions of the libraries stand with it. The date of publication is the time of
    this run, or ``SOURCE_DATE_EPOCH`` where that is set.
    """
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate()
    crate.name = name
    crate.description = f"Inputs, parameters, code and outputs of the project {name}, by their hashes."
    crate.datePublished = _now()
    tool = ContextEntity(
        crate, "#peelian", {"@type": "SoftwareApplication", "name": "Peelian", "softwareVersion": version}
    )
    crate.add(tool)
    inputs: dict[str, Any] = {}
    for stage in stages:
        record = read_record(folder / stage)
        if record is not None:
            _add_stage(crate, folder, stage, record, inputs, tool)
    path = folder / FILE
    write_text(path, json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n")
    return path


def verified(folder: Path) -> dict[str, Any]:
    """The files that the record of a folder names, each beside its SHA-256: whole, changed or gone.

    Returns ``files`` (how many were looked at), ``changed`` and ``gone`` (names), ``inputs`` (named by their
    hash alone, so not looked at), ``whole`` and ``words``. Raises ``DataError`` without a record.
    """
    path = folder / FILE
    if not path.is_file():
        raise DataError(f"{path}: there is no record of provenance. `peelian run` writes it.")
    graph = json.loads(path.read_text(encoding="utf-8"))["@graph"]
    named = {held["@id"]: held["sha256"] for held in graph if "sha256" in held}
    inputs = [name for name in named if name.startswith("urn:sha256:")]
    files = {name: digest for name, digest in named.items() if name not in inputs}
    gone = sorted(name for name in files if not (folder / name).is_file())
    changed = sorted(n for n, digest in files.items() if n not in gone and sha256(folder / n) != digest)
    parts = [f"{len(changed)} changed: {', '.join(changed[:5])}"] if changed else []
    parts += [f"{len(gone)} gone: {', '.join(gone[:5])}"] if gone else []
    said = "; ".join(parts) or "all as they were when it was written"
    return {
        "files": len(files), "changed": changed, "gone": gone, "inputs": len(inputs),
        "whole": not (changed or gone), "words": f"{len(files)} files of {FILE}: {said}.",
    }  # fmt: skip


def _add_stage(
    crate: Any, folder: Path, stage: str, record: dict[str, Any], inputs: dict[str, Any], tool: Any
) -> None:
    from rocrate.model.contextentity import ContextEntity

    made = record["made"]
    for name, digest in made["inputs"].items():
        if digest not in inputs:
            about = {"@type": "File", "name": Path(name).name, "description": name, "sha256": digest}
            inputs[digest] = crate.add(ContextEntity(crate, f"urn:sha256:{digest}", about))
    results = [
        crate.add_file(folder / stage / name, dest_path=f"{stage}/{name}", properties={"sha256": digest})
        for name, digest in record["outputs"].items()
        if name != RECORD
    ]
    crate.add_action(
        tool,
        identifier=f"#{stage}",
        object=[inputs[digest] for digest in made["inputs"].values()],
        result=results,
        properties={
            "name": stage,
            "parameters": json.dumps(made["parameters"], sort_keys=True, ensure_ascii=False),
            "seed": made["seed"],
            "codeSha256": made["code"],
            "libraries": ", ".join(f"{name} {number}" for name, number in sorted(made["libraries"].items())),
            "after": sorted(made["upstream"]),
        },
    )


def _now() -> datetime:
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    at = datetime.fromtimestamp(int(fixed), UTC) if fixed.isdigit() else datetime.now(UTC)
    return at.replace(microsecond=0)
