"""Numbers, dates and money as the British write them, for the sentences of every chapter."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip


def month(when: pd.Period | str) -> str:
    """A month in words, whatever the machine's language.

    >>> import pandas as pd
    >>> month(pd.Period("2016-01", "M")), month("2016-05")
    ('January 2016', 'May 2016')
    """
    year, number = str(when).split("-")[:2]
    return f"{MONTHS[int(number) - 1]} {year}"


def day(iso: str) -> str:
    """A day in words.

    >>> day("2026-03-01")
    '1 March 2026'
    """
    when = date.fromisoformat(iso)
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def whole(number: float) -> str:
    """A whole number with thousands separators, never minus nothing.

    >>> whole(60000.4), whole(-0.2)
    ('60,000', '0')
    """
    text = f"{number:,.0f}"
    return "0" if text == "-0" else text


def percent(share: float) -> str:
    """A share in per cent, to one decimal.

    >>> percent(0.0689)
    '6.9 %'
    """
    return f"{100 * share:.1f} %"


def per_cent(share: float) -> str:
    """A share in per cent, with only the decimals it has.

    >>> per_cent(0.85)
    '85 %'
    """
    return f"{100 * share:g} %"


def money(pounds: float) -> str:
    """Pounds and pence.

    >>> money(1234.5)
    '£1,234.50'
    """
    return f"£{pounds:,.2f}"


def interval(middle: float, low: float, high: float) -> str:
    """A count with its 95 % interval.

    >>> interval(606, 411.2, 812)
    '606 (95 % interval 411 to 812)'
    """
    return f"{whole(middle)} (95 % interval {whole(low)} to {whole(high)})"


def several(number: int, thing: str) -> str:
    """So many of a thing, one of it in the singular.

    >>> several(1, "area"), several(1200, "area")
    ('1 area', '1,200 areas')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def plural(noun: str) -> str:
    """The noun in the plural.

    >>> plural("burglary"), plural("vehicle crime"), plural("residential burglary"), plural("drugs")
    ('burglaries', 'vehicle crimes', 'residential burglaries', 'drugs')
    """
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun if noun.endswith("s") else noun + "s"
