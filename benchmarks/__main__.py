"""Run one benchmark: ``python -m benchmarks NAME [--runs N] [--json]``. The last line is the result.

``--peers`` does the same jobs with the packages that a user would pick, where they are installed, and says
where they are not; ``--growth`` runs three sizes; ``--size`` one other size than the usual.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

for thread in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # as the command has it
    os.environ.setdefault(thread, "1")

from benchmarks import BENCHMARKS, SIZED, peers  # noqa: E402
from benchmarks.growth import grown  # noqa: E402
from benchmarks.measure import CannotMeasure  # noqa: E402
from benchmarks.peers.stand import table  # noqa: E402

LEAST_RUNS = 3


def main() -> int:
    """Print the result of the benchmark that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--runs", type=int, default=LEAST_RUNS, help=f"default {LEAST_RUNS}: a median")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--peers", action="store_true", help=f"for {', '.join(peers.PEERS)}")
    only.add_argument("--growth", action="store_true", help=f"for {', '.join(SIZED)}")
    only.add_argument("--size", type=int, help="as for --growth; a square number for cells")
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error("--runs must be 1 or more")
    if asked.peers and asked.name not in peers.PEERS:
        parser.error(f"{asked.name} has no peer; these have: {', '.join(peers.PEERS)}")
    if (asked.growth or asked.size) and asked.name not in SIZED:
        parser.error(f"{asked.name} has one size; these have several: {', '.join(SIZED)}")
    try:
        result = {"name": asked.name, **_result(asked)}
    except CannotMeasure as reason:
        print(reason, file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps(result))
    elif asked.peers:
        print(table(result["peers"]))
    else:
        print(", ".join(f"{key} {value}" for key, value in result.items()))
    return 0


def _result(asked: argparse.Namespace) -> dict[str, object]:
    if asked.peers:
        return {"peers": peers.beside(asked.name)}
    if asked.growth:
        return grown(asked.name, asked.runs)
    if asked.size:
        return SIZED[asked.name](asked.runs, asked.size)
    return BENCHMARKS[asked.name](asked.runs)


if __name__ == "__main__":
    sys.exit(main())
