"""How time and memory grow with the problem: three sizes, each in a process of its own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence

from benchmarks.measure import CannotMeasure

SIZES: Mapping[str, Sequence[int]] = {
    "influence": (40_000, 160_000, 640_000),
    "rtm": (40_000, 160_000, 360_000),
    "knox": (12_500, 50_000, 100_000),
    "kde": (250_000, 1_000_000, 4_000_000),
    "hawkes": (50_000, 200_000, 800_000),
    "did_permutation": (1_250, 5_000, 20_000),
}


def grown(name: str, runs: int) -> dict[str, object]:
    """Size, seconds, processor seconds and MiB at each size, and the exponent of the processor's seconds."""
    rows = []
    for size in SIZES[name]:
        command = [
            sys.executable,
            "-m",
            "benchmarks",
            name,
            "--size",
            str(size),
            "--runs",
            str(runs),
            "--json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotMeasure(done.stderr.strip())
        said = json.loads(done.stdout.splitlines()[-1])
        rows.append({key: said[key] for key in ("n", "seconds", "cpu_seconds", "peak_mib")})
    times = [(row["n"], row["cpu_seconds"]) for row in rows]
    return {"growth": rows, "exponent": round(exponent(times), 2)}


def exponent(times: Sequence[tuple[float, float]]) -> float:
    """The power of the size that seconds grow with: the slope of their logarithms.

    >>> exponent([(10, 1.0), (100, 10.0), (1000, 100.0)])
    1.0
    """
    x, y = ([math.log(value) for value in column] for column in zip(*times, strict=True))
    middle, level = sum(x) / len(x), sum(y) / len(y)
    return sum((a - middle) * (b - level) for a, b in zip(x, y, strict=True)) / sum(
        (a - middle) ** 2 for a in x
    )
