"""How far each figure moves the answer: the impact as measured, and the table behind a tornado."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from peelian.errors import DataError
from peelian.figures import Figure, Figures, colour_of, step_of_impact
from peelian.words import percent

if TYPE_CHECKING:
    import pandas as pd

ORDER = ("green", "amber", "red")
Answer = Callable[[Figures], Mapping[str, float]]


def impacts(figures: Figures, used: Sequence[Figure], answer: Answer) -> dict[str, float]:
    """The largest relative change of any headline number when a figure is 10 % higher or lower, by name.

    ``used``    figures to move, one at a time; all rows of a name (discount rates by year) move together.
    ``answer``  the headline numbers by name, computed from a set of figures.
    """
    base = answer(figures)
    out = {}
    for name in dict.fromkeys(row.name for row in used):
        step = step_of_impact() if any(row.value for row in used if row.name == name) else 0.0
        moved = (answer(scaled(figures, name, factor)) for factor in (1 - step, 1 + step)) if step else ()
        out[name] = max((_change(base, new) for new in moved), default=0.0)
    return out


def scaled(figures: Figures, name: str, factor: float) -> Figures:
    """All figures, with value and range of one name times a factor."""

    def times(value: float | None) -> float | None:
        return None if value is None else value * factor

    return Figures(
        tuple(
            replace(row, value=times(row.value), low=times(row.low), high=times(row.high))
            if row.name == name
            else row
            for row in figures
        )
    )


def _change(base: Mapping[str, float], new: Mapping[str, float]) -> float:
    changes = [abs(new[key] / value - 1) for key, value in base.items() if value and key in new]
    return max(changes, default=0.0)


def check_declared(used: Sequence[Figure], found: Mapping[str, float]) -> None:
    """Raises ``DataError`` for a figure of the user's whose declared impact is milder than measured."""
    for row in used:
        measured = colour_of(found.get(row.name, 0.0))
        if row.own and ORDER.index(measured) > ORDER.index(row.impact):
            raise DataError(
                f"{row.file}, line {row.line}: [{row.name}] declares its impact {row.impact}, but 10 % more "
                f"or less moves the answer by {percent(found[row.name])}, which is {measured}. Write "
                f'impact = "{measured}".'
            )


def tornado(
    figures: Figures,
    used: Sequence[Figure],
    answer: Answer,
    *,
    number: str,
    effect: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """One headline number at the low and the high end of each figure, one at a time, widest first.

    ``number``  the headline number's name; ``effect`` its value at the ends of the effect's interval.
    A figure is moved over its own range, or by 10 % either way where it has none; those that leave the
    number as it was are left out.

    Columns ``moved``, ``over``, ``at low``, ``at high``, ``swing``.
    """
    import pandas as pd

    step = step_of_impact()
    rows = [] if effect is None else [("the effect", "its 95 % interval", *effect)]
    for row in used:
        if not row.value:
            continue
        own = row.low is not None and row.high is not None
        ends = [(row.low or 0.0) / row.value, (row.high or 0.0) / row.value] if own else [1 - step, 1 + step]
        low, high = (answer(scaled(figures, row.name, end)).get(number) for end in ends)
        if low is not None and high is not None and low != high:
            rows.append((row.name, "its own range" if own else "10 % either way", low, high))
    frame = pd.DataFrame(rows, columns=["moved", "over", "at low", "at high"])
    frame["swing"] = (frame["at high"] - frame["at low"]).abs()
    frame = frame.drop_duplicates(["moved", "at low", "at high"])
    return frame.sort_values(["swing", "moved"], ascending=[False, True], ignore_index=True)
