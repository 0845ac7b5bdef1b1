"""Rhythm: by how much a background is higher or lower by calendar month and by day of the week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DRAWN = 20.0  # incidents that a factor of 1 is worth: a month or weekday with few stays near 1
TWO_YEARS = 730  # days from which a month's factor can be told from growth
ROUNDS = 4
JANUARY = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
MONDAY = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Factors of the twelve ``months`` and of the seven ``weekdays`` (Monday first), 1 on average."""

    months: np.ndarray
    weekdays: np.ndarray

    def of_days(self, days: np.ndarray) -> np.ndarray:
        """The factor of each day, counted from January 1970."""
        return np.asarray(self.months[month_of_year(days)] * self.weekdays[weekday(days)])

    @property
    def words(self) -> str:
        """The highest and lowest month and day of the week."""
        parts = []
        for names, factors in ((JANUARY, self.months), (MONDAY, self.weekdays)):
            if np.ptp(factors) > 0:
                high, low = int(factors.argmax()), int(factors.argmin())
                parts.append(f"{names[high]} {factors[high]:.2f}, {names[low]} {factors[low]:.2f}")
        return "; ".join(parts)


def rhythm_of(days: np.ndarray, counts: np.ndarray, held: np.ndarray) -> Rhythm:
    """Factors by month and weekday from counts by day; their product is 1 on average over days ``held``.

    ``held``  what each day counts for: 0 where nothing was delivered. Factors are drawn to 1 by as much as
    20 incidents weigh; months are left at 1 where fewer than two years are held.
    """
    month, day = month_of_year(days), weekday(days)
    usual = float(counts.sum() / max(held.sum(), 1e-9))
    months, weekdays = np.ones(12), np.ones(7)
    yearly = bool(np.count_nonzero(held) >= TWO_YEARS)
    by_month, by_day = np.bincount(month, counts, 12), np.bincount(day, counts, 7)
    for _ in range(ROUNDS):
        expected = np.bincount(day, held * months[month], 7) * usual
        weekdays = (by_day + DRAWN) / (expected + DRAWN)
        if yearly:
            expected = np.bincount(month, held * weekdays[day], 12) * usual
            months = (by_month + DRAWN) / (expected + DRAWN)
    mean = float((months[month] * weekdays[day]) @ held / held.sum())
    return Rhythm(months, weekdays / mean)


def month_of_year(days: np.ndarray) -> np.ndarray:
    """0 for January to 11, of days counted from January 1970.

    >>> month_of_year(np.array([0, 31, 365])).tolist()
    [0, 1, 0]
    """
    return np.asarray(np.asarray(days).astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12)


def weekday(days: np.ndarray) -> np.ndarray:
    """0 for Monday to 6, of days counted from January 1970, which began on a Thursday.

    >>> weekday(np.array([0, 4])).tolist()
    [3, 0]
    """
    return (np.asarray(days) + 3) % 7
