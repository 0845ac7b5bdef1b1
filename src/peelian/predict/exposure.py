"""Exposure: what a rate is per. Homes, and where burglary of shops is counted too, more than homes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from peelian.errors import DesignError
from peelian.predict.history import moment_of

if TYPE_CHECKING:
    from peelian.predict.beside import Beside
    from peelian.predict.history import History

LEAST_EXPOSURE = 0.01  # of the mean: a place without homes still has a rate
MONTHS = 24  # of the split that are added up, to the month before the origin
FEWEST = 12  # months after a change of recording from which the split is taken anew
DRAWN = 20.0  # incidents by which an area's share is drawn towards that of all areas


@dataclass(frozen=True, eq=False)
class Split:
    """How many of the incidents were at homes: counts by larger area and month.

    ``homes``, ``all``  larger areas x months (PeriodIndex as columns), as a police force publishes them;
    ``by``       the column of the areas that names the larger area; ``source`` in words.
    ``breaks``   months in which recording changed: what lies before one is not used once 12 months after it
                 are held.
    """

    homes: pd.DataFrame
    all: pd.DataFrame
    by: str
    source: str = ""
    breaks: tuple[pd.Period, ...] = ()

    def __len__(self) -> int:
        return len(self.all)

    def shares(self, origin: pd.Timestamp) -> tuple[pd.Series, tuple[pd.Period, pd.Period]]:
        """Share of homes by larger area over up to 24 months before an origin, and the months taken.

        An area's share is drawn towards that of all areas as by 20 incidents. ``DesignError`` where no month
        lies before the origin.
        """
        month = pd.Period(origin, "M")
        months = self.all.columns[self.all.columns < month]
        for broken in sorted(self.breaks):
            after = months[months >= broken]
            months = after if len(after) >= FEWEST else months
        months = months[-MONTHS:]
        if not len(months):
            raise DesignError(
                f"The split of homes and other burglary ({self.source}) holds no month before {month}. Give "
                "one that starts earlier, or leave split out of [predict.features]."
            )
        homes, every = self.homes[months].sum(axis=1), self.all[months].sum(axis=1)
        whole = homes.sum() / max(float(every.sum()), 1.0)
        return (homes + DRAWN * whole) / (every + DRAWN), (months[0], months[-1])


def exposed(beside: Beside, history: History) -> tuple[np.ndarray, int | None]:
    """The exposure by place, its mean 1 and nowhere below a hundredth, and the step it was known from.

    Homes divided by the share of homes among the incidents of the larger area round them: one home in an area
    of shops stands for more burglaries than its own.
    """
    values = np.maximum(beside.by_place(beside.exposure, history), 0.0)
    known: int | None = None
    if beside.split is not None and beside.areas is not None:
        shares, _ = beside.split.shares(moment_of(history.end, history.step))
        larger = beside.areas.frame[beside.split.by].astype(str)
        inside = larger.reindex(beside.inside(history.places)).map(shares)
        values = values / inside.fillna(shares.mean()).to_numpy(float)
        known = history.end
    if not values.sum() > 0:
        raise DesignError(
            f"The exposure {beside.exposure} is 0 in every place, so nothing is at risk. Name another column."
        )
    return np.asarray(np.maximum(values / values.mean(), LEAST_EXPOSURE)), known


def exposure_words(beside: Beside | None, crimes: str, origin: pd.Timestamp) -> str:
    """What the exposure is, and whether it tells homes from other buildings; "" without one."""
    if beside is None or "exposure" not in beside.used:
        return ""
    said = f"Exposure of the ridge: {beside.exposure} by place."
    if "burglar" not in crimes:
        return said
    if beside.split is None:
        return (
            f"{said} The counts mix burglary of homes and of other buildings, and their split is missing "
            "(split under [predict.features]): per home, town centres look riskier than their homes are."
        )
    shares, (first, last) = beside.split.shares(origin)
    return (
        f"{said} It is divided by the share of homes among burglaries ({beside.split.source}, {first:%B %Y} "
        f"to {last:%B %Y}: from {100 * shares.min():.0f} to {100 * shares.max():.0f} % in "
        f"{len(shares):,} areas), since the counts mix homes and other buildings."
    )
