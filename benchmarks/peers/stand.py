"""What every comparison with a peer needs: stop-watch of both sides, check that they agree, row."""

from __future__ import annotations

import importlib
import importlib.metadata
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from benchmarks.measure import CannotMeasure

Array = Any


class Absent(Exception):
    """A peer, or the data that a job needs, is not here; the message says which and how to get it."""


@dataclass(frozen=True)
class Check:
    """That two programs found the same: the largest difference between them, and how much was allowed.

    ``what`` in words; ``relative`` to the peer's number (to the largest of them where there are several).
    """

    what: str
    difference: float
    tolerance: float
    relative: bool = False

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the tolerance (never where it is not a number)."""
        return self.difference <= self.tolerance


def same(what: str, ours: Array, theirs: Array, tolerance: float, *, relative: bool = False) -> Check:
    """Compare numbers of the same shape, as they stand or relative to the largest of the peer's.

    >>> same("a sum", [1.0, 2.0], [1.0, 2.5], 0.1, relative=True)
    Check(what='a sum', difference=0.2, tolerance=0.1, relative=True)
    """
    import numpy as np

    a, b = np.asarray(ours, float).ravel(), np.asarray(theirs, float).ravel()
    if a.shape != b.shape:
        return Check(f"{what} ({a.size} against {b.size} numbers)", float("inf"), tolerance, relative)
    difference = float(np.abs(a - b).max(initial=0.0))
    scale = float(np.abs(b).max(initial=0.0)) if relative else 1.0
    return Check(what, difference / scale if scale > 0 else difference, tolerance, relative)


@dataclass(frozen=True)
class Side:
    """What one program took (seconds of the processor) and gave."""

    seconds: float
    value: Any


@dataclass(frozen=True)
class Comparison:
    """Both sides of a job: seconds, the peer's version, checks, and what is to be known about the numbers."""

    ours: float
    theirs: float
    version: str
    checks: Sequence[Check]
    note: str = ""


@dataclass(frozen=True)
class Job:
    """``what`` is done, by which ``peer``, and how to run it on both sides.

    ``needs``  raises ``Absent`` where the peer is not here, before our side takes any time.
    """

    what: str
    peer: str
    run: Callable[[], Comparison]
    needs: Callable[[], object]


def timed(call: Callable[[], Any], *, runs: int = 1, warm: bool = False) -> Side:
    """Median seconds of the processor over the runs, and what the last one gave."""
    if warm:
        call()
    seconds, value = [], None
    for _ in range(runs):
        start = time.process_time()
        value = call()
        seconds.append(time.process_time() - start)
    return Side(statistics.median(seconds), value)


def ours(call: Callable[[], Any]) -> Side:
    """Our side: the median of three runs after a warm-up."""
    return timed(call, runs=3, warm=True)


def imported(name: str, package: str = "") -> ModuleType:
    """A peer that is a Python package; ``Absent`` where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError:
        package = package or name
        raise Absent(f"{package} cannot be imported here: `pip install {package}` brings it.") from None


def python(name: str, package: str = "") -> Callable[[], ModuleType]:
    """For ``needs``: a peer that is a Python package."""
    return lambda: imported(name, package)


def version(package: str) -> str:
    """Name and version of an installed Python package."""
    return f"{package} {importlib.metadata.version(package)}"


def found(job: Job) -> dict[str, object]:
    """The row of a job: seconds of both, ratio and agreement, or the sentence that says what is absent."""
    row: dict[str, object] = {"job": job.what, "peer": job.peer}
    try:
        job.needs()
        result = job.run()
    except (Absent, CannotMeasure) as reason:
        return row | {"absent": str(reason)}
    return row | {
        "peer": result.version,
        "cpu_seconds": _rounded(result.ours),
        "peer_cpu_seconds": _rounded(result.theirs),
        "ratio": _rounded(result.theirs / max(result.ours, 1e-9)),
        "agrees": all(check.agrees for check in result.checks),
        "checks": [_said(check) for check in result.checks],
        "note": result.note,
    }


def _said(check: Check) -> str:
    kind = "relative difference" if check.relative else "difference"
    return f"{check.what}: {kind} {check.difference:.2g}, {check.tolerance:.2g} allowed"


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def table(rows: Sequence[dict[str, object]]) -> str:
    """The rows for reading: a line a job."""
    lines = []
    for row in rows:
        if "absent" in row:
            lines.append(f"{row['job']}: {row['peer']} absent. {row['absent']}")
            continue
        checks = "; ".join(row["checks"])  # type: ignore[arg-type]
        lines.append(
            f"{row['job']}: {row['cpu_seconds']} s here, {row['peer_cpu_seconds']} s in {row['peer']}, "
            f"ratio {row['ratio']}; {'agrees' if row['agrees'] else 'DOES NOT AGREE'} ({checks})"
            + (f". {row['note']}" if row["note"] else "")
        )
    return "\n".join(lines)
