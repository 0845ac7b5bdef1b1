"""Run one benchmark: ``python -m benchmarks NAME [--runs N] [--json]``. The last line is the result."""

from __future__ import annotations

import argparse
import json
import os
import sys

for thread in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # as the command has it
    os.environ.setdefault(thread, "1")

from benchmarks import BENCHMARKS  # noqa: E402
from benchmarks.measure import CannotMeasure  # noqa: E402

LEAST_RUNS = 3


def main() -> int:
    """Print the result of the benchmark that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--runs", type=int, default=LEAST_RUNS, help=f"default {LEAST_RUNS}: a median")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error("--runs must be 1 or more")
    try:
        result = {"name": asked.name, **BENCHMARKS[asked.name](asked.runs)}
    except CannotMeasure as reason:
        print(reason, file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps(result))
    else:
        print(", ".join(f"{key} {value}" for key, value in result.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
