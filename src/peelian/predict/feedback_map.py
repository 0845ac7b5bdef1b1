"""Feedback on a map: patrols go where the records are, find some of what happens, and are sent again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from peelian.errors import DesignError

LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class MapFeedback:
    """Where patrols end, against where crime is: medians over the runs with their 5th and 95th percentile.

    ``excess``  patrol time in places beyond their share of the crime, as a share of all patrol time, in the
    last tenth of the days (0: patrols follow crime; it is never quite 0, because a forecast from counts is
    uneven by chance). ``start`` the same in the first tenth. ``prevented`` crime kept from happening by
    patrols, of all that would have happened.
    """

    start: float
    low: float
    middle: float
    high: float
    prevented: float
    days: int
    runs: int
    reported: float
    discovery: float
    deterrence: float
    corrected: bool

    def __str__(self) -> str:
        how = (
            "found ones in inverse proportion to how often their place is watched"
            if self.corrected
            else "as they stand"
        )
        return (
            f"If victims report {self.reported * 100:.0f} % of what happens, a patrol in the place records "
            f"{self.discovery * 100:.0f} % of the rest, and records are used {how}, {self.middle * 100:.0f} "
            f"% of patrol time goes beyond places' share of crime after {self.days:,} days (90 % of "
            f"{self.runs:,} runs: {self.low * 100:.0f} % to {self.high * 100:.0f} %)."
        )


def feedback_map(
    rates: np.ndarray,
    *,
    reported: float | np.ndarray = 0.5,
    discovery: float = 0.5,
    deterrence: float = 0.0,
    corrected: bool = False,
    patrols: int = 10,
    half_life: float = 180,
    explore: float = 0.1,
    days: int = 730,
    runs: int = 100,
    seed: int,
) -> MapFeedback:
    """A borough of places patrolled by a forecast that learns from victims' reports and from patrols.

    ``rates``       crimes a day that would happen in each place; ``reported`` the share of them that victims
                    report, one for all or by place.
    ``discovery``   the chance that a patrol in the place records a crime that nobody reported.
    ``deterrence``  the share of a place's crime that does not happen while it is patrolled.
    ``corrected``   a discovered crime counts by the lowest chance of a visit that day over its own place's,
    so
                    that a place that is watched more does not look worse for it.
    ``patrols``     places visited a day, drawn with chances in proportion to the forecast (fading counts of
                    records), of which ``explore`` is spread evenly over all.

    After Lum & Isaac (2016) and Ensign and others (2018). It says how far feedback would go if these numbers
    held; none of them is known for any force.
    """
    rates = np.asarray(rates, float)
    _refuse(rates, discovery, deterrence, explore, patrols)
    rng = np.random.default_rng(seed)
    places, fade = len(rates), 0.5 ** (1 / half_life)
    share = rates / rates.sum()
    reported = np.broadcast_to(np.asarray(reported, float), places)
    records = np.tile(rates * reported * half_life / np.log(2), (runs, 1)) + rates.mean()
    happened = kept = 0.0
    tenth = max(days // 10, 1)
    first, last = np.zeros((runs, places)), np.zeros((runs, places))
    for day in range(days):
        forecast = records / records.sum(axis=1, keepdims=True)
        chance = np.minimum(patrols * ((1 - explore) * forecast + explore / places), 1.0)
        there = rng.random((runs, places)) < chance
        would = rng.poisson(rates, (runs, places))
        crime = rng.binomial(would, np.where(there, 1 - deterrence, 1.0))
        happened, kept = happened + would.sum(), kept + (would - crime).sum()
        told = rng.binomial(crime, reported)
        found = rng.binomial(crime - told, np.where(there, discovery, 0.0)).astype(float)
        if corrected:
            found *= chance.min(axis=1, keepdims=True) / chance
        records = records * fade + told + found
        if day < tenth:
            first += there
        if day >= days - tenth:
            last += there
    begin, end = _excess(first, share), _excess(last, share)
    low, middle, high = np.quantile(end, LEVELS)
    return MapFeedback(
        float(np.median(begin)), float(low), float(middle), float(high), float(kept / max(happened, 1)),
        days, runs, float(np.mean(reported)), discovery, deterrence, corrected,
    )  # fmt: skip


def _excess(visits: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Patrol time beyond each place's share of crime, by run."""
    return np.maximum(visits / visits.sum(axis=1, keepdims=True) - share, 0).sum(axis=1)


def _refuse(rates: np.ndarray, discovery: float, deterrence: float, explore: float, patrols: int) -> None:
    if len(rates) < 2 or not (np.isfinite(rates).all() and (rates >= 0).all() and rates.sum() > 0):
        raise DesignError("feedback_map takes two places or more, each with a rate of 0 or more, not all 0.")
    wrong = {"discovery": discovery, "deterrence": deterrence, "explore": explore}
    for name, value in wrong.items():
        if not 0 <= value <= 1:
            raise DesignError(f"{name} is a share from 0 to 1; got {value:g}.")
    if not 0 < patrols < len(rates):
        raise DesignError(f"patrols lies between 0 and the {len(rates)} places; got {patrols}.")
