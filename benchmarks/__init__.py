"""How long the hot paths take and how much memory they need: ``python -m benchmarks NAME --json``.

A benchmark is a function of the number of runs that returns a dict with at least ``n`` (the size of the
problem), ``seconds`` (median of the runs) and ``peak_mib`` (resident memory at its highest). It never fails
on speed. Heavy libraries are imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import account, commands, evaluate, explain, plan, predict, read, terrains

Benchmark = Callable[[int], dict[str, object]]

BENCHMARKS: dict[str, Benchmark] = {
    "help": commands.help_,
    "demo": commands.demo,
    "hounslow": commands.hounslow,
    "read": read.read,
    "read_large_file": read.read_large_file,
    "read_national": read.read_national,
    "locate": read.locate,
    "did_permutation": evaluate.did_permutation,
    "microsynth": evaluate.microsynth,
    "wdd": evaluate.wdd,
    "backtest": predict.backtest,
    "hawkes": predict.hawkes,
    "hawkes_million": predict.hawkes_million,
    "aoristic": explain.aoristic,
    "gi_star": explain.gi_star,
    "influence": explain.influence,
    "kde": explain.kde,
    "knox": explain.knox,
    "rtm": explain.rtm,
    "rtm_bootstrap": explain.rtm_bootstrap,
    "terrains": terrains.terrains,
    "rtm_quick": explain.rtm_quick,
    "power": plan.power,
    "allocate": plan.allocate,
    "rounds": plan.rounds,
    "disclosure": account.disclosure,
    "report": account.report,
    "records": account.records,
}
