"""How long the hot paths take and how much memory they need: ``python -m benchmarks NAME --json``.

A benchmark is a function of the number of runs that returns a dict with at least ``n`` (the size of the
problem), ``seconds`` (median of the runs) and ``peak_mib`` (resident memory at its highest). It never fails
on speed. Heavy libraries are imported inside the functions. ``benchmarks.peers`` does some of the same jobs
with other packages, ``benchmarks.growth`` in three sizes.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import (
    account,
    commands,
    evaluate,
    explain,
    london,
    plan,
    predict,
    read,
    shift_sizes,
    terrain_parts,
    terrains,
)

Benchmark = Callable[[int], dict[str, object]]

BENCHMARKS: dict[str, Benchmark] = {
    "help": commands.help_,
    "demo": commands.demo,
    "hounslow": commands.hounslow,
    "read": read.read,
    "read_large_file": read.read_large_file,
    "read_national": read.read_national,
    "locate": read.locate,
    "did": evaluate.did,
    "did_permutation": evaluate.did_permutation,
    "microsynth": evaluate.microsynth,
    "its": evaluate.its,
    "wdd": evaluate.wdd,
    "backtest": predict.backtest,
    "endemic": london.endemic,
    "forecast": predict.forecast,
    "hawkes": predict.hawkes,
    "hawkes_million": predict.hawkes_million,
    "london_months": london.london_months,
    "aoristic": explain.aoristic,
    "gi_star": explain.gi_star,
    "gi_star_drawn": explain.gi_star_drawn,
    "influence": explain.influence,
    "influence_wide": explain.influence_wide,
    "kde": explain.kde,
    "knox": explain.knox,
    "knox_wide": explain.knox_wide,
    "rtm": explain.rtm,
    "rtm_bootstrap": explain.rtm_bootstrap,
    "lasso": terrain_parts.lasso,
    "rtm_modern": terrain_parts.rtm_modern,
    "rtm_modern_bootstrap": terrain_parts.rtm_modern_bootstrap,
    "rtm_whole": terrain_parts.rtm_whole,
    "shift_test": terrain_parts.shift_test,
    "stepwise": terrain_parts.stepwise,
    "stepwise_wide": terrain_parts.stepwise_wide,
    "terrains": terrains.terrains,
    "off_grid": terrains.off_grid,
    "shift_sizes": shift_sizes.shift_sizes,
    "rtm_quick": explain.rtm_quick,
    "power": plan.power,
    "allocate": plan.allocate,
    "rounds": plan.rounds,
    "disclosure": account.disclosure,
    "report": account.report,
    "records": account.records,
}

SIZED: dict[str, Callable[[int, int], dict[str, object]]] = {
    "did_permutation": evaluate.did_permutation,
    "hawkes": predict.hawkes,
    "influence": explain.influence,
    "kde": explain.kde,
    "knox": explain.knox,
    "rtm": explain.rtm,
}
