"""Whole commands as a user waits for them, from the start of the process to its end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks import measure

ROOT = Path(__file__).resolve().parent.parent


def help_(runs: int) -> dict[str, object]:
    """``peelian --help``: at least five runs, because it is short."""
    return {"n": 1, **measure.process(measure.peelian("--help"), runs=max(runs, 5))}


def demo(runs: int) -> dict[str, object]:
    """``peelian demo``: the simulated borough through the whole loop, into a new folder each time."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "demo"
        return {
            "n": 1,
            **measure.process(
                measure.peelian("demo", "--out", str(out)),
                runs=runs,
                before=lambda: shutil.rmtree(out, ignore_errors=True),
            ),
        }


def hounslow(runs: int) -> dict[str, object]:
    """``peelian run examples/hounslow --fresh``: every stage anew on the real borough, in place."""
    project = ROOT / "examples" / "hounslow"
    data = ROOT.parent / "shared" / "data" / "uk" / "flagship_hounslow"
    for needed, what in ((project / "peelian.toml", "the example"), (data, "its data")):
        if not needed.exists():
            where = needed.relative_to(ROOT.parent)
            raise measure.CannotMeasure(f"Nothing to measure: {what} should be at {where}.")
    return {"n": 1, **measure.process(measure.peelian("run", str(project), "--fresh"), runs=runs)}
