"""Disclosure control of large tables of counts, by a proof for each small cell instead of a program for each.

A rectangle of four hidden cells proves a cell safe: counts can move round it without changing any published
total. A few donor rows, hidden as a whole, give every small cell in the table such a rectangle at the price
of one more hidden cell in its own row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from peelian.account.disclosure import HIDDEN
from peelian.errors import DataError, PrivacyError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

HALF = 0.5
ALL = "all"


class Hiding(NamedTuple):
    """Which cells and which row totals of a table are hidden; column totals and the grand total are shown."""

    cells: np.ndarray
    row_totals: np.ndarray
    donors: list[int]


@dataclass(frozen=True, eq=False)
class Protected:
    """A table of places by month and kind with totals, ``c`` for what is hidden, and what was done to it."""

    table: pd.DataFrame
    notes: tuple[str, ...]


def hide_large(values: np.ndarray, *, threshold: int) -> Hiding:
    """The cells of a table to hide so that none of 1 to ``threshold`` - 1 can be told within the threshold.

    ``values``  whole counts, rows by columns; totals of rows and columns are taken as published.

    Every hidden cell is at least 1 to a reader, because zeros stay shown. Raises ``PrivacyError`` where more
    than half of the cells that are not nought are small, a column's total is small, or a column has no count
    to set a small one against: then coarser areas or longer periods are needed.
    """
    import numpy as np

    small = (values > 0) & (values < threshold)
    hidden, no_total = small.copy(), np.zeros(len(values), dtype=bool)
    if not small.any():
        return Hiding(hidden, no_total, [])
    if small.sum() > HALF * (values > 0).sum():
        raise PrivacyError(
            f"{small.sum():,} of {(values > 0).sum():,} counts are below {threshold}. Publish quarters or "
            "larger areas."
        )
    sums = values.sum(axis=0)
    if ((sums > 0) & (sums < threshold)).any():
        raise PrivacyError(f"A column's total is below {threshold}. Publish quarters or fewer kinds.")
    donors = _donors(values, np.asarray(small.any(axis=0)), threshold)
    hidden[donors] |= values[donors] > 0
    # a companion is large, and not nought in any donor: the rectangle then has the width by itself
    fit = (values > threshold) & (values[donors] > 0).all(axis=0)
    companion = np.where(fit, values, np.iinfo(np.int64).max).argmin(axis=1)
    rows = np.flatnonzero(small.any(axis=1))
    alone = rows[~fit[rows].any(axis=1)]
    paired = rows[fit[rows].any(axis=1)]
    hidden[paired, companion[paired]] = True
    if len(alone):
        # without a companion the row's total goes, and the donors' with it: counts then move along the column
        no_total[alone] = True
        no_total[donors] = True
    return Hiding(hidden, no_total, donors)


def _donors(values: np.ndarray, needed: np.ndarray, threshold: int) -> list[int]:
    """Rows that between them have a count above the threshold in every column with a small one."""
    import numpy as np

    covers = values > threshold
    left = needed.copy()
    donors: list[int] = []
    while left.any():
        gain = (covers & left).sum(axis=1)
        best = int(gain.max())
        if not best:
            raise PrivacyError(
                f"{int(left.sum())} columns have small counts and none above {threshold} to set them "
                "against. Publish quarters or larger areas."
            )
        among = np.flatnonzero(gain == best)
        donors.append(int(among[values[among].sum(axis=1).argmin()]))
        left &= ~covers[donors[-1]]
    return donors


def protect_counts(counts: pd.Series, *, threshold: int, parents: pd.Series | None = None) -> Protected:
    """Counts by place, month and kind with totals, fit to publish; as fine as can be.

    ``counts``   whole counts on an index of (place, month, kind); what is not there is nought.
    ``parents``  the larger area of every place, for when small ones cannot be published.

    Tried in order: as it is; quarters for months; larger areas; both. ``notes`` say what was done. Published:
    each cell not hidden, the total of each place, of each month and kind, and of all; not the sums of a place
    over months or kinds alone. Raises ``PrivacyError`` where nothing helps, ``DataError`` for a count that is
    no whole number.
    """
    import pandas as pd

    if ((counts < 0) | (counts % 1 != 0)).any():
        raise DataError("Disclosure control expects whole counts, 0 or more.")
    frame = counts.rename("count").rename_axis(["place", "month", "kind"]).reset_index()
    frame["month"] = pd.PeriodIndex(frame["month"].astype(str), freq="M")
    refused: list[str] = []
    for places, by in ((None, "M"), (None, "Q"), (parents, "M"), (parents, "Q")):
        if places is None and len(refused) > 1:
            continue
        wide = _wide(frame, places, by)
        try:
            hiding = hide_large(wide.to_numpy(), threshold=threshold)
        except PrivacyError as error:
            refused.append(str(error))
            continue
        return Protected(_printed(wide, hiding), _notes(hiding, places is not None, by, refused))
    raise PrivacyError(f"These counts cannot be published by place: {refused[-1]}")


def _wide(frame: pd.DataFrame, parents: pd.Series | None, by: str) -> pd.DataFrame:
    place = frame["place"] if parents is None else frame["place"].map(parents)
    if place.isna().any():
        raise DataError(f"{place.isna().sum():,} counts lie in places without a larger area.")
    period = frame["month"].dt.asfreq(by).astype(str)
    grouped = frame.assign(place=place, month=period).groupby(["place", "month", "kind"])["count"].sum()
    return grouped.unstack(["month", "kind"], fill_value=0).sort_index().sort_index(axis=1).astype("int64")


def _printed(wide: pd.DataFrame, hiding: Hiding) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    values = wide.to_numpy().astype(object)
    values[hiding.cells] = HIDDEN
    totals = wide.to_numpy().sum(axis=1).astype(object)
    totals[hiding.row_totals] = HIDDEN
    below = [*wide.to_numpy().sum(axis=0), wide.to_numpy().sum()]
    body = np.vstack([np.column_stack([values, totals]), np.array(below, dtype=object)])
    heads = [" ".join(map(str, column)) for column in wide.columns]
    return pd.DataFrame(body, index=pd.Index([*wide.index, ALL], name="place"), columns=[*heads, ALL])


def _notes(hiding: Hiding, larger: bool, by: str, refused: list[str]) -> tuple[str, ...]:
    said = []
    if by == "Q":
        said.append("Months were merged to quarters.")
    if larger:
        said.append("Places were merged to larger areas.")
    if refused:
        said.append(f"Because finer counts could not be published: {refused[-1]}")
    said.append(f"{int(hiding.cells.sum()):,} of {hiding.cells.size:,} counts are withheld.")
    if hiding.row_totals.any():
        said.append(f"The totals of {int(hiding.row_totals.sum()):,} places are withheld too.")
    return tuple(said)
