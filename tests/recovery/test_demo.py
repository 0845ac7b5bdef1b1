"""The demo, whole: the simulated borough through the loop, and its planted truth beside the findings."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from peelian import loop
from peelian.outputs import read_record

ROOT = Path(__file__).resolve().parents[2]


def command(*words: str) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        [sys.executable, "-m", "peelian.cli", *words], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_every_finding_agrees_with_the_truth(demo: tuple[Path, loop.Run, pd.DataFrame]) -> None:
    rows = demo[2]
    wrong = rows[rows["agrees"] != "yes"]
    assert wrong.empty, wrong.to_string()


def test_the_truth_covers_what_was_planted(demo: tuple[Path, loop.Run, pd.DataFrame]) -> None:
    told = " ".join(demo[2].index)
    for word in ("risk factors", "not reported", "effect", "moved", "before and after", "badly planned"):
        assert word in told


def test_every_stage_has_its_folder_its_chapter_and_its_findings(
    demo: tuple[Path, loop.Run, pd.DataFrame],
) -> None:
    folder, done, _ = demo
    assert [step.stage for step in done.steps] == list(loop.STAGES)
    for stage in loop.STAGES[:-1]:
        record = read_record(folder / stage)
        assert record is not None
        assert record["not_held"] == ""
        assert record["findings"]


def test_accepted_and_refused_rows_are_the_rows_of_the_archive(
    demo: tuple[Path, loop.Run, pd.DataFrame],
) -> None:
    summary = (read_record(demo[0] / "read") or {})["summary"]
    assert summary["accepted"] + summary["refused"] == summary["rows"]


def test_a_second_run_says_that_nothing_changed(demo: tuple[Path, loop.Run, pd.DataFrame]) -> None:
    began = time.perf_counter()
    process = command("run", str(demo[0]))
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith("Nothing changed: every stage is as it was.")
    assert time.perf_counter() - began < 15, "3 seconds on an idle machine; the benchmark measures it"


def test_only_what_rests_on_a_changed_parameter_runs_again(demo: tuple[Path, loop.Run, pd.DataFrame]) -> None:
    folder = demo[0]
    file = folder / "peelian.toml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("kits = 3000", "kits = 2000"), encoding="utf-8")
    try:
        done = loop.run(folder)
        states = {step.stage: step.state for step in done.steps}
        assert [stage for stage, state in states.items() if state == "ran"] == ["plan", "account", "report"]
        assert done.steps[3].why == ("[plan] kits was 3000, now 2000",)
    finally:
        file.write_text(before, encoding="utf-8")
        loop.run(folder)


def test_the_provenance_record_names_every_input_by_its_hash(
    demo: tuple[Path, loop.Run, pd.DataFrame],
) -> None:
    folder = demo[0]
    graph = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]
    files = {
        entity["description"]: entity["sha256"] for entity in graph if entity["@id"].startswith("urn:sha256:")
    }
    assert {
        "areas.gpkg",
        "street.zip",
        "features.csv",
        "programme.csv",
        "deliveries.csv",
        "ledger.csv",
    } <= set(files)
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in files.values())


def test_no_output_names_the_machine_it_was_made_on(demo: tuple[Path, loop.Run, pd.DataFrame]) -> None:
    folder = demo[0]
    text = [p for p in folder.rglob("*") if p.suffix in (".json", ".csv", ".html", ".md", ".txt")]
    assert len(text) > 20
    assert not [
        p for p in text if str(folder.parent) in p.read_text(encoding="utf-8") and ".peelian" not in p.parts
    ]


def test_a_run_killed_at_any_moment_leaves_the_last_good_state(
    demo: tuple[Path, loop.Run, pd.DataFrame],
) -> None:
    """Killed at ten random moments of a fresh run; the next run ends right, with the same outputs as before."""
    folder = demo[0]
    before = {stage: (read_record(folder / stage) or {})["outputs"] for stage in loop.STAGES}
    draw = random.Random(1829)
    for _ in range(10):
        process = command("run", "--fresh", str(folder))
        time.sleep(draw.uniform(0.2, 10.0))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)  # returns when its workers have ended too
        for stage in loop.STAGES:
            folders = [folder / stage, folder / f".{stage}.old"]
            assert any(read_record(held) is not None for held in folders), stage
    loop.run(folder)
    assert {stage: (read_record(folder / stage) or {})["outputs"] for stage in loop.STAGES} == before
