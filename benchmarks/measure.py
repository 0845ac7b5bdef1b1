"""The stop-watch: seconds and peak memory of a function, or of a whole process."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# ru_maxrss counts kibibytes on Linux and bytes on macOS
_UNITS_PER_MIB = 2**20 if sys.platform == "darwin" else 2**10


class CannotMeasure(Exception):
    """Something the benchmark needs is not here; the message says what."""


def function(call: Callable[[], object], *, runs: int, warm: bool = True) -> dict[str, object]:
    """Median seconds of a call here, after one warm-up (none where ``warm`` is False), and peak memory.

    ``cpu_seconds``  the median of the processor's time, which other work on the machine moves less.
    """
    if warm:
        call()
    seconds, processor = [], []
    for _ in range(runs):
        start, busy = time.perf_counter(), time.process_time()
        call()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNITS_PER_MIB
    return _result(seconds, peak) | {"cpu_seconds": round(statistics.median(processor), 4)}


def processor() -> float:
    """Seconds that the processor has spent on this process and on those of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def process(command: Sequence[str], *, runs: int, before: Callable[[], object] = bool) -> dict[str, object]:
    """Median seconds of a whole process from start to end, and the peak memory of it and its children.

    ``before`` is called ahead of each run, off the clock. There is no warm-up: the first run counts.
    """
    seconds, peak = [], 0.0
    for _ in range(runs):
        before()
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert child.stderr is not None
        said = child.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(child.pid, 0)
        seconds.append(time.perf_counter() - start)
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stderr.close()
        if child.returncode:
            raise CannotMeasure(f"'{' '.join(command)}' ended with exit code {child.returncode}:\n{said}")
        peak = max(peak, usage.ru_maxrss / _UNITS_PER_MIB)
    return _result(seconds, peak)


def peelian(*arguments: str) -> list[str]:
    """The command line that runs the ``peelian`` of this Python."""
    program = Path(sys.executable).with_name("peelian")
    if program.exists():
        return [str(program), *arguments]
    return [sys.executable, "-c", "import peelian.cli; peelian.cli.main()", *arguments]


def _result(seconds: list[float], peak: float) -> dict[str, object]:
    return {
        "seconds": round(statistics.median(seconds), 4),
        "peak_mib": round(peak, 1),
        "runs": len(seconds),
        "all_seconds": [round(s, 4) for s in seconds],
    }
