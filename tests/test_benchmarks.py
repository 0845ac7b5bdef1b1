"""The benchmarks beside other packages: what is absent is said, what disagrees is said, and the arithmetic."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import BENCHMARKS, SIZED
from benchmarks.growth import SIZES, exponent
from benchmarks.peers import PEERS, rscript
from benchmarks.peers.stand import Absent, Comparison, Job, found, python, same, table

ROOT = Path(__file__).resolve().parent.parent


def comparison(*, theirs: float = 2.0) -> Comparison:
    return Comparison(0.5, 5.0, "peer 1.0", [same("a count", 2.0, theirs, 0.1)], "made up")


# -------------------------------------------------------------------- nothing installed
def test_without_any_peer_every_row_says_what_is_absent(tmp_path: Path) -> None:
    blocked = tmp_path / "pyfixest.py"
    blocked.write_text("raise ImportError\n")
    search = os.pathsep.join([str(tmp_path), str(ROOT / "src"), str(ROOT)])
    rows = []
    for name in ("hawkes", "did"):
        run = subprocess.run(
            [sys.executable, "-m", "benchmarks", name, "--peers", "--json"], capture_output=True, text=True,
            cwd=ROOT, env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": search},
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        rows += json.loads(run.stdout.splitlines()[-1])["peers"]
    assert [row["absent"] for row in rows] == [
        "There is no Rscript on the PATH: `apt-get install r-base-core` brings R.",
        "pyfixest cannot be imported here: `pip install pyfixest` brings it.",
    ]


def test_a_missing_package_of_r_is_named() -> None:
    with pytest.raises(Absent, match="R has no package MASS: `apt-get install r-cran-mass`"):
        rscript.read("absent MASS\n")


def test_a_job_whose_peer_is_absent_takes_no_time_of_ours() -> None:
    def run() -> Comparison:
        raise AssertionError("our side ran")

    row = found(Job("a sum", "no package", run, python("no_such_package_here")))
    assert "no_such_package_here cannot be imported" in str(row["absent"])


def test_a_benchmark_without_peers_says_which_have_some() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "help", "--peers"], capture_output=True, text=True, cwd=ROOT
    )
    assert run.returncode == 2
    assert "help has no peer; these have: read, locate" in run.stderr


# -------------------------------------------------------------------- rows
def test_a_row_holds_both_times_and_their_ratio() -> None:
    row = found(Job("a sum", "peer", comparison, lambda: None))
    assert (row["cpu_seconds"], row["peer_cpu_seconds"], row["ratio"], row["agrees"]) == (
        0.5,
        5.0,
        10.0,
        True,
    )


def test_a_disagreement_is_said() -> None:
    row = found(Job("a sum", "peer", lambda: comparison(theirs=3.0), lambda: None))
    assert table([row]) == (
        "a sum: 0.5 s here, 5.0 s in peer 1.0, ratio 10.0; DOES NOT AGREE "
        "(a count: difference 1, 0.1 allowed). made up"
    )


def test_numbers_that_are_missing_do_not_agree() -> None:
    assert not same("a count", np.nan, 1.0, 1.0).agrees
    assert not same("two counts", [1.0], [1.0, 1.0], 1.0).agrees


def test_what_a_script_tells_is_read() -> None:
    answer = rscript.read("version R 4.2.2, MASS 7.3\nb 1.5 -2e-3\nseconds 0.25\n")
    assert (answer.version, answer.seconds) == ("R 4.2.2, MASS 7.3", 0.25)
    assert answer.values["b"].tolist() == [1.5, -0.002]


# -------------------------------------------------------------------- growth, registers
def test_growth_is_the_slope_of_the_logarithms() -> None:
    assert exponent([(10, 2.0), (20, 8.0), (40, 32.0)]) == pytest.approx(2.0)


def test_registers_name_benchmarks_that_exist() -> None:
    assert set(SIZES) == set(SIZED) <= set(BENCHMARKS)
    assert set(PEERS) <= set(BENCHMARKS)
    assert all(len(sizes) >= 3 for sizes in SIZES.values())


def test_every_script_of_r_is_run_by_some_peer() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "benchmarks" / "peers").glob("*.py"))
    scripts = {path.stem for path in rscript.SCRIPTS.glob("*.R")} - {"common"}
    assert {name for name in scripts if f'"{name}"' not in code} == set()
