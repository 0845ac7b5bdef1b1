"""The engine: the same answers in one process or in many."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from pathlib import Path

from peelian import engine

ROOT = Path(__file__).resolve().parents[2]


def test_two_processes_give_the_answers_of_one_in_the_same_order() -> None:
    pieces = list(range(20))
    assert engine.run(math.factorial, pieces, workers=2) == engine.run(math.factorial, pieces)


def test_progress_is_told_piece_by_piece() -> None:
    told: list[tuple[int, int]] = []
    engine.run(abs, [1, 2, 3], progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_killed_run_leaves_no_process_behind(tmp_path: Path) -> None:
    """The workers hold the write end of a pipe as long as they live: it closes when the last of them ends."""
    script = tmp_path / "run.py"
    script.write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT / 'src')!r})\n"
        "import time\nfrom peelian import engine\nprint('going', flush=True)\n"
        "engine.run(time.sleep, [60, 60], workers=2)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "going\n"
    time.sleep(1.5)
    process.kill()
    process.communicate(timeout=20)


def test_a_script_without_a_guard_is_not_run_again_by_each_process(tmp_path: Path) -> None:
    script = tmp_path / "analysis.py"
    script.write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT / 'src')!r})\n"
        "import math\nfrom peelian import engine\nprint(engine.run(math.factorial, [1, 2, 3], workers=2))\n"
    )
    told = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=120
    )
    assert told.stdout == "[1, 2, 6]\n"
