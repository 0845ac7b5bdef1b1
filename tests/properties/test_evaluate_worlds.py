"""Whatever the design, an evaluation answers, says why it cannot, or refuses with our own error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from peelian.errors import DataError, DesignError
from peelian.evaluate.run import Parameters, run
from peelian.evaluate.verdict import CODES
from peelian.panel import Panel
from tests.evaluate_world import FIRST, counts_of, grid, noisy, programme


@pytest.mark.parametrize("seed", range(12))
def test_any_small_world_gets_an_answer_or_our_own_error(seed: int) -> None:
    """Few areas, short panels, hardly any counts, starts at the edge, units of several areas, no shapes."""
    rng = np.random.default_rng(seed)
    side, months = int(rng.choice([6, 9, 14])), int(rng.choice([14, 25, 50]))
    n, first = side * side, pd.Period(FIRST, "M")
    places = grid(side, width=4_000.0)
    order = rng.permutation(n)
    many, out = int(rng.choice([1, 3, 8, n // 8])), int(rng.choice([0, 1, n // 3]))
    starts = [
        str(first + int(rng.choice([1, 12, months - 2]) if rng.random() < 0.2 else months // 2))
        for _ in range(many)
    ]
    drawn = bool(rng.random() < 0.3)
    plan = programme(
        list(places.index[order[:many]]), starts, randomised=drawn,
        chosen_on=None if drawn or rng.random() < 0.5 else ("2012-01", "2012-06"),
        excluded=list(places.index[order[many : many + out]]),
        assigned_by=[f"w{i % 3}" for i in range(many)] if rng.random() < 0.3 else None,
    )  # fmt: skip
    counts = counts_of(noisy(rng, n, months, mean=float(rng.choice([0.02, 0.2, 2]))), places)
    homes = pd.Series(rng.choice([0.0, 100.0, np.nan], n), places.index)
    shapes = places if rng.random() < 0.6 else None
    try:
        panel = Panel.build(
            counts, plan, shapes, outcome="burglary", households=homes, others={"Shoplifting": counts * 0}
        )
        made = run(panel, shapes, Parameters(permutations=99), programme=plan, seed=1, crime="burglary")
    except (DataError, DesignError):
        return  # refused in our own words; anything else fails here
    assert made.not_held or made.summary["verdict"] in CODES
    assert made.section.findings or made.not_held
