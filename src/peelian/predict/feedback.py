"""Feedback: what happens to a forecast that learns from what patrols sent by it record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from peelian.errors import DesignError

LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Feedback:
    """The first area's share of records after the days: 5th, 50th and 95th percentile over the runs.

    ``true_share``  of crime that lies in it; ``corrected`` True where records are kept in inverse proportion
    to how often their area is visited.
    """

    true_share: float
    low: float
    middle: float
    high: float
    days: int
    runs: int
    corrected: bool

    def __str__(self) -> str:
        if self.corrected:
            how = "keeping each record in inverse proportion to how often its area is visited"
        else:
            how = "learning from what its own patrols record"
        return (
            f"Of the crime, {self.true_share * 100:.0f} % lies in the first area. After {self.days:,} days a "
            f"forecast {how} puts {self.middle * 100:.0f} % there (90 % of {self.runs:,} simulated runs "
            f"between {self.low * 100:.0f} % and {self.high * 100:.0f} %)."
        )


def feedback(
    rates: Sequence[float],
    *,
    records: Sequence[float],
    days: int = 1_000,
    runs: int = 400,
    corrected: bool = False,
    explore: float = 0.0,
    seed: int,
) -> Feedback:
    """Two areas, one patrol a day: where do its records end, if each day's patrol follows them?

    ``rates``      incidents that a day's patrol would find in each area; ``records`` of each at the start,
                   above 0.
    ``corrected``  keep a record with probability (1 - p) / max(p, 1 - p), p the chance that its area was
                   visited; else keep all.
    ``explore``    share of days on which the patrol goes to either area at random.

    Polya urn of Ensign, Friedler, Neville, Scheidegger & Venkatasubramanian (2018). It speaks of crime that
    patrols find (drugs, weapons, stops), not of crime that victims report.
    """
    if len(rates) != 2 or len(records) != 2 or not (min(rates) >= 0 and min(records) > 0 and sum(rates) > 0):
        raise DesignError(
            "feedback takes two areas, each with a rate of 0 or more (not both 0) and records above 0; got "
            f"rates {list(rates)} and records {list(records)}."
        )
    if not (0 <= explore <= 1 and days >= 1 and runs >= 1):
        raise DesignError("explore is a share from 0 to 1; days and runs are 1 or more.")
    rng = np.random.default_rng(seed)
    first, second = (np.full(runs, float(value)) for value in records)
    for _ in range(days):
        chance = (1 - explore) * first / (first + second) + explore / 2
        visited = rng.random(runs) < chance
        found = rng.poisson(np.where(visited, rates[0], rates[1]))
        if corrected:
            keep = np.where(visited, 1 - chance, chance) / np.maximum(chance, 1 - chance)
            found = rng.binomial(found, keep)
        first += np.where(visited, found, 0)
        second += np.where(visited, 0, found)
    low, middle, high = np.quantile(first / (first + second), LEVELS)
    true = float(rates[0] / sum(rates))
    return Feedback(true, float(low), float(middle), float(high), days, runs, corrected)
