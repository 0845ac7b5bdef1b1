"""How long the hot paths take and how much memory they need: ``python -m benchmarks NAME --json``.

A benchmark is a function of the number of runs that returns a dict with at least ``n`` (the size of the
problem), ``seconds`` (median of the runs) and ``peak_mib`` (resident memory at its highest). It never fails
on speed. Heavy libraries are imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import account, commands

Benchmark = Callable[[int], dict[str, object]]

BENCHMARKS: dict[str, Benchmark] = {
    "help": commands.help_,
    "demo": commands.demo,
    "hounslow": commands.hounslow,
    "disclosure": account.disclosure,
}
