"""Discount factors from dated rows of figures: the rate is never a constant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from peelian.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from peelian.figures import Figure, Figures


def discount_factors(rates: Iterable[float], *, first_year: int = 0) -> np.ndarray:
    """What a pound of each later year is worth today, year by year.

    ``rates``       the rate a year (0.035) that applies in each year of the programme, the first one
                    included.
    ``first_year``  0 leaves the first year undiscounted (Green Book); 1 discounts it by one year.

    Where the rate declines, factors compound year by year (HM Treasury, Green Book, annex on discounting).
    Raises ``DataError`` for a rate below 0.

    >>> discount_factors([0.035] * 3).round(6).tolist()
    [1.0, 0.966184, 0.933511]
    """
    import numpy as np

    rate = np.asarray(list(rates), dtype=float)
    if (rate < 0).any():
        raise DataError(f"A discount rate is {rate.min():g}; it must be 0 or more.")
    growth = 1.0 + rate
    if first_year == 0 and len(growth):
        growth[0] = 1.0
    else:
        growth[:1] **= first_year
    return 1.0 / np.cumprod(growth)


def rates_by_year(
    figures: Figures, years: int, *, on: str | date | None, name: str = "discount_rate"
) -> tuple[list[float], list[Figure]]:
    """The rate of every year of a programme on a day, and the rows of figures that were used.

    ``years``  how many years from year 0; ``on`` the day of the appraisal (None: the latest rows).
    Raises ``DataError`` where no row covers a year or a row is blank.
    """
    rows = [figures.at(name, on, year=year) for year in range(years)]
    blank = [row for row in rows if row.value is None]
    if blank:
        raise DataError(
            f"{blank[0].file}, line {blank[0].line}: [{name}] has no value; give the rate a year."
        )
    return [float(row.value or 0.0) for row in rows], list(dict.fromkeys(rows))
