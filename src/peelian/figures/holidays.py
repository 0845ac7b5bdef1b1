"""Bank holidays of England and Wales: public facts, dated and sourced, as the other figures are."""

from __future__ import annotations

import tomllib
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING

from peelian.errors import DataError
from peelian.words import day as in_words

if TYPE_CHECKING:
    import pandas as pd

FILE = "bank_holidays.toml"


def bank_holidays(first: date | None = None, last: date | None = None) -> pd.Series:
    """Names of the bank holidays in England and Wales by day, in order, from ``first`` to ``last``.

    Without the days, all that are shipped. A holiday that fell on a weekend stands on its substitute day.
    Raises ``DataError`` where the days reach beyond the years that are shipped: a day that nobody has
    announced yet must not pass for an ordinary one.

    >>> bank_holidays(date(2022, 6, 1), date(2022, 6, 30)).tolist()
    ['Spring bank holiday', 'Platinum Jubilee bank holiday']
    """
    import pandas as pd

    held = tomllib.loads((files(__package__) / FILE).read_text("utf-8"))
    years = held["about"]["years"]
    for day in (first, last):
        if day is not None and not years[0] <= day.year <= years[1]:
            raise DataError(
                f"Bank holidays are held for {years[0]} to {years[1]}; {in_words(day.isoformat())} lies "
                "beyond. Ask for days within those years."
            )
    days = {pd.Timestamp(day): name for name, listed in held["holiday"].items() for day in listed}
    series = pd.Series(days, name="bank_holiday").sort_index()
    series.index.name = "day"
    start = None if first is None else pd.Timestamp(first)
    end = None if last is None else pd.Timestamp(last)
    return series.loc[start:end]
