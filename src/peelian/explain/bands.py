"""Bands of distance and of time for near repeats, under three rules, with the labels each rule prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from peelian.arithmetic.pairs import Closed
from peelian.errors import DataError

Rule = Literal["correct", "left", "nrc-1.3"]
Unit = Literal["days", "hours"]
EXAMPLE = "distances = (0.01, 100, 200, 400) in metres and days = (7, 14, 21, 28)"
JUST_ABOVE_ZERO = float(np.nextafter(0.0, 1.0))


@dataclass(frozen=True)
class Bands:
    """Limits of the bands and what they are called.

    ``distances``  upper limits in metres; the first band is the same place. ``times`` in days or hours.
    ``closed``     which edge belongs to a band. ``open_last``  a further band holds all that lies beyond.
    ``labels`` as printed, ``intervals`` as computed, each (distance, time).
    """

    rule: Rule
    unit: Unit
    distances: tuple[float, ...]
    times: tuple[float, ...]
    closed: Closed
    open_last: bool
    labels: tuple[tuple[str, ...], tuple[str, ...]]
    intervals: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def time_edges(self) -> tuple[float, ...]:
        """Upper limits of all bands of time in the whole numbers that events carry: days, or minutes."""
        whole = tuple(60 * t for t in self.times) if self.unit == "hours" else self.times
        return (*whole, float("inf")) if self.open_last else whole


def bands_of(
    distances: Sequence[float], times: Sequence[float], rule: Rule = "correct", *, unit: Unit = "days",
    same: str = "same place",
) -> Bands:  # fmt: skip
    """The bands of a rule.

    ``correct``  the upper limit belongs to the band: "within 7 days" holds day 7.
    ``left``     the lower limit belongs to the band (R package NearRepeat).
    ``nrc-1.3``  as the Near Repeat Calculator 1.3 computes: the same place is distance 0 and nothing else,
                 the lower limit belongs to the band, and an open band comes last; the labels are those it
                 prints, which say otherwise.

    Raises ``DataError`` for limits that do not rise from above 0, or are fewer than two distances.

    >>> bands_of((0.01, 100), (7, 14)).labels
    (('same place', '0-100 m'), ('0-7 days', '8-14 days'))
    >>> bands_of((0.01, 100), (7, 14), "nrc-1.3").labels[1]
    ('0 to 7', '8 to 14', 'More than 14')
    """
    d, t = _checked(distances, "distances", 2), _checked(times, unit, 1)
    if rule == "nrc-1.3":
        return _nrc(d, t, unit)
    right = rule == "correct"
    opens, ends = ("(", "]") if right else ("[", ")")
    space = [
        f"{'[0' if not k else f'{opens}{a:g}'},{b:g}{ends}" for k, (a, b) in enumerate(pairwise((0.0, *d)))
    ]
    time = [
        f"{'[0' if not k else f'{opens}{a:g}'},{b:g}{ends}" for k, (a, b) in enumerate(pairwise((0.0, *t)))
    ]
    named = [f"{0 if not k else a:g}-{b:g} m" for k, (a, b) in enumerate(pairwise(d))]
    return Bands(
        rule, unit, d, t, "right" if right else "left", False,
        ((same, *named), tuple(_time_labels(t, unit, right))), (tuple(space), tuple(time)),
    )  # fmt: skip


def _time_labels(times: tuple[float, ...], unit: Unit, right: bool) -> list[str]:
    """Days are whole: 0-7, 8-14 where the upper limit belongs, 0-6, 7-13 where the lower does."""
    named = []
    for k, (a, b) in enumerate(pairwise((0.0, *times))):
        if unit == "hours":
            named.append(f"{a:g}-{b:g} hours")
            continue
        low, high = (a + 1 if k else a, b) if right else (a, b - 1)
        named.append(f"{low:g}-{high:g} days" if low < high else f"{low:g} days")
    return named


def _nrc(d: tuple[float, ...], t: tuple[float, ...], unit: Unit) -> Bands:
    if d[0] > 1:
        raise DataError(
            f'bands = "nrc-1.3": the first distance is the same place and is read as 0; got {d[0]:g}. '
            "Write for instance distances = (0.01, 100, 200, 300)."
        )
    named = [f"{int(a) + 1} to {b:g}" for a, b in pairwise((0.0, *d[1:]))]
    times = [f"{int(a) + 1 if k else 0} to {b:g}" for k, (a, b) in enumerate(pairwise((0.0, *t)))]
    space = [f"{'(0' if not k else f'[{a:g}'},{b:g})" for k, (a, b) in enumerate(pairwise((0.0, *d[1:])))]
    spans = [f"[{a:g},{b:g})" for a, b in pairwise((0.0, *t, float("inf")))]
    return Bands(
        "nrc-1.3", unit, (JUST_ABOVE_ZERO, *d[1:]), t, "left", True,
        (("Same location", *named, f"More than {d[-1]:g}"), (*times, f"More than {t[-1]:g}")),
        (("0", *space, f"[{d[-1]:g},inf)"), tuple(spans)),
    )  # fmt: skip


def _checked(values: Sequence[float], name: str, fewest: int) -> tuple[float, ...]:
    try:
        given = tuple(float(v) for v in values)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be a list of numbers; got {values!r}. Write {EXAMPLE}.") from error
    rising = all(b > a for a, b in pairwise((0.0, *given)))
    if len(given) < fewest or not rising or not np.isfinite(given).all():
        raise DataError(
            f"{name} must be {'two or more ' if fewest > 1 else ''}upper limits that rise from above 0; "
            f"got {list(given)}. Write {EXAMPLE}."
        )
    return given
