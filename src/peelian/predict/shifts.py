"""Shifts: how a place's risk falls over the hours of the day, where the records carry hours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from peelian.arithmetic.aoristic import weights
from peelian.errors import DesignError

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places

USUAL = {"early": "06-14", "late": "14-22", "night": "22-06"}


def hours_of(shifts: Mapping[str, str]) -> dict[str, list[int]]:
    """The hours of each shift; a shift may pass midnight.

    Raises ``DesignError`` for a span that cannot be read and for an hour that two shifts share.

    >>> hours_of({"night": "22-02"})
    {'night': [22, 23, 0, 1]}
    """
    found: dict[str, list[int]] = {}
    taken: dict[int, str] = {}
    for name, span in shifts.items():
        read = re.fullmatch(r"\s*(\d{1,2})(?::00)?\s*-\s*(\d{1,2})(?::00)?\s*", str(span))
        if read is None or max(int(read[1]), int(read[2])) > 24:
            raise DesignError(f'The shift {name} is {span!r}; write the hours it spans, such as "14-22".')
        first, last = int(read[1]) % 24, int(read[2]) % 24
        found[name] = [(first + hour) % 24 for hour in range((last - first) % 24 or 24)]
        for hour in found[name]:
            if hour in taken:
                raise DesignError(
                    f"The shifts {taken[hour]} and {name} both hold the hour from {hour:02d}:00."
                )
            taken[hour] = name
    return found


def shift_shares(incidents: Incidents, places: Places, shifts: Mapping[str, str]) -> pd.DataFrame:
    """The part of each place's incidents that falls into each shift: places x shifts, rows sum to 1 at most.

    A window counts by its overlap with the shift (aoristic; Ratcliffe 2000), windows over 72 hours not at
    all. A place's own shares are drawn towards those of all places by as much as chance alone explains
    (Dirichlet, its weight by marginal likelihood), because most places have too few for a clock of their own.

    Raises ``DesignError`` where the records carry no time of day.
    """
    if incidents.precision != "minute":
        raise DesignError(
            f"These incidents are dated by {incidents.precision}, and missions by shift need times of day. "
            "Load an extract with times; until then all shifts share one map."
        )
    hours = hours_of(shifts)
    frame = incidents.frame
    spread = weights(frame["start"], frame["end"], by="hour", timezone="UTC")
    code = np.array([int(label) for label in spread.labels])
    names = [*hours, "no shift"]
    into = np.full(24, len(hours))
    for number, held in enumerate(hours.values()):
        into[held] = number
    place = places.index.get_indexer(incidents.place_of(places).to_numpy(object))[spread.row]
    inside = place >= 0
    counts = np.zeros((len(places), len(names)))
    np.add.at(counts, (place[inside], into[code[spread.bin[inside]]]), spread.part[inside])
    whole = counts.sum(axis=0) / max(counts.sum(), 1e-12)
    k = _weight(counts, whole)
    shares = (counts + k * whole) / (counts.sum(axis=1, keepdims=True) + k)
    return pd.DataFrame(shares[:, : len(hours)], places.index, list(hours))


def _weight(counts: np.ndarray, whole: np.ndarray) -> float:
    """How many incidents the shares of all places are worth: the Dirichlet-multinomial's concentration."""
    whole = np.maximum(whole, 1e-9)
    total = counts.sum(axis=1)

    def surprise(log_k: float) -> float:
        alpha = np.exp(log_k) * whole
        each = gammaln(counts + alpha).sum(axis=1) - gammaln(alpha).sum()
        return -float((each + gammaln(alpha.sum()) - gammaln(total + alpha.sum())).sum())

    found = minimize_scalar(surprise, bounds=(np.log(0.1), np.log(1e4)), method="bounded")
    return float(np.exp(found.x))
