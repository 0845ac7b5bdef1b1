"""The long run: is what was planted in the simulated borough found again, and how often do intervals hold it?

``python -m benchmarks.recovery SEEDS [FIRST]`` prints one JSON object a design. What it last said stands
in docs/explanation/evaluation.md. Only ground, crime and programme are simulated: about three seconds a seed.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.borough.ground import Ground
    from peelian.borough.parameters import BoroughParameters
    from peelian.evaluate.windows import Study
    from peelian.places import Places

    Floats = NDArray[np.float64]

QUARTERS = range(8)
DESIGNS = (
    "as in the demonstration",
    "the same, areas left out not allowed for",
    "nobody left out",
    "drawn by lot, nobody left out",
)


@dataclass(frozen=True, eq=False)
class World:
    """One borough's counts by area and month, as recorded and as they would have been.

    ``stopped``  how many of those that would have been the planted effect stops on average.
    """

    places: Places
    recorded: Floats
    without: Floats
    stopped: Floats
    phase: NDArray[np.str_]
    start: NDArray[np.datetime64]
    parameters: BoroughParameters


def simulated(seed: int, *chosen: str) -> tuple[World, ...]:
    """One borough of this seed for each way to choose phase A: the ``hottest`` areas, or drawn by ``lot``."""
    from peelian.borough import BoroughParameters, crime, features, ground

    known = BoroughParameters(seed=seed)
    land = ground.lay_ground(known)
    risk = features.home_risk(known, land, features.place_features(known, land))["risk"].to_numpy()
    events = crime.counterfactual(known, land, risk)
    ways = {"hottest": known, "lot": replace(known, chosen="lot", phase_b_areas=0)}
    return tuple(_with_programme(ways[name], land, risk, events) for name in chosen)


def _with_programme(known: BoroughParameters, land: Ground, risk: Floats, events: pd.DataFrame) -> World:
    from peelian.borough import crime, programme
    from peelian.places import Places

    treated = programme.treat(known, land, events)
    events = programme.prevent(known, land, risk, events, treated)
    area, months = land.homes["area"].to_numpy(), len(crime.months_of(known))
    month = events["time"].to_numpy().astype("datetime64[M]") - np.datetime64(known.first_month, "M")

    def matrix(home: NDArray[np.int64], weight: Floats) -> Floats:
        cell = area[home] * months + month.astype(int)
        return np.bincount(cell, weight, minlength=len(treated.phase) * months).reshape(-1, months)

    home, where = events["home"].to_numpy(), events["home_after"].to_numpy()
    return World(
        Places.of(land.areas.set_index("LSOA11CD")), matrix(where, 1.0 * (where >= 0)),
        matrix(home, np.ones(len(home))), matrix(home, events["chance"].to_numpy()),
        treated.phase, treated.start, known,
    )  # fmt: skip


def laid_out(world: World, *, left_out: bool = True) -> Study:
    """Phase A laid out for comparison; ``left_out``: without the areas of phase B, as its file says."""
    import pandas as pd

    from peelian.evaluate.windows import study
    from peelian.panel import Panel
    from peelian.programme import COLUMNS, Programme

    mine = world.phase == "A"
    listed = mine | (left_out & (world.phase == "B"))
    areas = pd.DataFrame(index=world.places.index[listed], columns=[*COLUMNS])
    areas[["assigned_by", "block", "note"]] = ""
    areas["arm"] = np.where(mine, "treated", "excluded")[listed]
    start = np.where(mine, world.start, np.datetime64("NaT"))[listed]
    chosen = world.parameters.selection if world.parameters.chosen == "hottest" else (None, None)
    lots = world.parameters.chosen == "lot"
    for name, values in (
        ("start", start), ("end", [None] * len(areas)),
        ("selected_from", np.where(mine, chosen[0], None)[listed]),
        ("selected_to", np.where(mine, chosen[1], None)[listed]),
    ):  # fmt: skip
        areas[name] = pd.PeriodIndex(pd.Series(values), freq="M")
    plan = Programme("Phase A", areas=areas.rename_axis("place").sort_index(), randomised=lots)
    panel = Panel.build(_series(world, world.recorded), plan, world.places, outcome="burglary")
    return study(panel, plan, places=world.places)


def _series(world: World, matrix: Floats) -> pd.Series:
    import pandas as pd

    months = pd.period_range(world.parameters.first_month, world.parameters.last_month, freq="M")
    index = pd.MultiIndex.from_product([world.places.index, months], names=["place", "month"])
    return pd.Series(matrix.ravel(), index)


# ------------------------------------------------------------------------------------ truth and finding
def truth(world: World, laid: Study, group: int, windows: Sequence[tuple[int, int] | None]) -> Floats:
    """Recorded, what would have been, and that less what the planted effect stops on average.

    Sums over a group's areas, in the windows of their own stacks.
    """
    at = world.places.index.get_indexer(laid.places)
    got = np.zeros(3)
    for s, window in enumerate(windows):
        if window is not None:
            who = at[(laid.group == group) & (laid.own == s)]
            for i, counts in enumerate((world.recorded, world.without, world.without - world.stopped)):
                got[i] += counts[who, window[0] : window[1]].sum()
    return got


def found(world: World, laid: Study, *, seed: int, draws: int = 99) -> dict[str, float]:
    """What the evaluation says of a borough against its truth: errors of log ratios, and 1 where it holds."""
    from peelian.evaluate import did, displacement, event_study, fade
    from peelian.evaluate.checks import selection_placebo
    from peelian.evaluate.did import quarter_windows

    after = [s.after for s in laid.stacks]
    recorded, without, planted = truth(world, laid, 0, after)
    real, meant = math.log(recorded / without), math.log(planted / without)
    head, moved = did(laid, seed=seed, draws=1), displacement(laid)
    assert moved is not None
    low, high = head.log.interval()
    out = {"error": head.log.theta - real, "holds": low <= real <= high, "se": head.log.se}
    out |= {"planted_error": head.log.theta - meant, "planted_holds": low <= meant <= high}
    if not laid.randomised:
        calibrated = selection_placebo(laid).clean_calibrated
        low, high = calibrated.interval()
        out |= {"calibrated_error": calibrated.theta - real, "calibrated_holds": low <= real <= high}
    net = 0.0
    for ring in range(len(laid.rings) + 1):
        recorded, without, _ = truth(world, laid, ring, after)
        net += without - recorded
        row, real = moved.frame.iloc[ring], math.log(recorded / without)
        out[f"ring{ring}_error"] = math.log(row["estimate"]) - real
        out[f"ring{ring}_holds"] = math.log(row["low"]) <= real <= math.log(row["high"])
        out[f"ring{ring}_seen"] = not row["low"] <= 1 <= row["high"]
    out |= {"net_se": moved.net.extra["se"]}
    out |= {"net_error": moved.net.estimate - net, "net_holds": moved.net.low <= net <= moved.net.high}
    out["net_truth"] = net
    words, faded = moved.word, fade(laid, seed=seed, draws=draws)
    out |= {"displaced_said": words == "displaced", "diffused_said": words == "diffused"}
    out |= {f"{w}_said": faded.word == w for w in ("wearing off", "lasting")}
    out |= {f"{w}_in_the_second_year_said": faded.later == w for w in ("wearing off", "lasting")}
    quarters = event_study(laid, seed=seed, draws=10).frame.set_index("quarter")["estimate"]
    for q in QUARTERS:
        recorded, without, _ = truth(world, laid, 0, quarter_windows(laid, q))
        out[f"quarter{q}_error"] = math.log(quarters[q]) - math.log(recorded / without)
    return {k: float(v) for k, v in out.items()}


def borough(seed: int) -> dict[str, dict[str, float]]:
    """All designs of one seed."""
    world, lot = simulated(seed, "hottest", "lot")
    demo = laid_out(world)
    plain = replace(demo, left_out=(None,) * len(demo.stacks))
    studies = (world, demo), (world, plain), (world, laid_out(world, left_out=False)), (lot, laid_out(lot))
    return {name: found(of, laid, seed=seed) for name, (of, laid) in zip(DESIGNS, studies, strict=True)}


def summed(rows: list[dict[str, float]]) -> dict[str, object]:
    """Means of the errors with their Monte Carlo errors, and how often intervals hold the truth."""
    out: dict[str, object] = {"seeds": len(rows)}
    for name in rows[0]:
        held = np.array([row[name] for row in rows])
        if not name.endswith("error"):
            out[name] = round(float(held.mean()), 4)
            continue
        scale = 1.0 if name == "net_error" else 100.0
        error = float(held.std(ddof=1)) / len(held) ** 0.5
        out[name] = [round(scale * float(held.mean()), 2), round(scale * error, 2)]
    return out


def main(seeds: int, first: int = 1) -> None:
    """Print what so many boroughs say, design by design; errors in per cent (net: burglaries)."""
    rows = [borough(seed) for seed in range(first, first + seeds)]
    for name in DESIGNS:
        print(json.dumps({"design": name, **summed([row[name] for row in rows])}))


if __name__ == "__main__":
    main(*(int(x) for x in sys.argv[1:]))
