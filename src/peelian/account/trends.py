"""Recorded crime by financial year, in places with the programme and in the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.account.ledger import financial_year

if TYPE_CHECKING:
    import pandas as pd

MONTHS_IN_A_YEAR = 12
WITH, WITHOUT, ALL = "areas with the programme", "areas without", "all areas"


def counts_by_arm(counts: pd.Series, areas: pd.DataFrame) -> pd.DataFrame:
    """Counts by financial year in areas with the programme, without it, and in all; whole years alone.

    ``counts``  incidents on an index of (place, month).
    ``areas``   the programme's areas on place ids, with ``arm``; ``excluded`` ones count in neither column,
                and therefore not in ``all areas``.

    Empty where no whole financial year is held. A month without any row at all is a month that is not held.
    """
    import pandas as pd

    arms = areas["arm"].reindex(counts.index.get_level_values("place")).to_numpy()
    months = pd.PeriodIndex(counts.index.get_level_values("month").astype(str), freq="M")
    years = [financial_year(month.year, month.month) for month in months]
    frame = pd.DataFrame({"year": years, "month": months, "count": counts.to_numpy()})
    frame["arm"] = pd.Series(arms == "treated").map({True: WITH, False: WITHOUT})
    whole = frame.groupby("year")["month"].nunique() == MONTHS_IN_A_YEAR
    frame = frame[frame["year"].map(whole) & (arms != "excluded")]
    table = frame.pivot_table("count", "year", "arm", aggfunc="sum", fill_value=0, observed=True)
    table = table.reindex(columns=[WITH, WITHOUT], fill_value=0).astype("int64")
    table[ALL] = table.sum(axis=1)
    return table.rename_axis(index="financial year", columns=None)
