"""The sentences of an evaluation. Their grammar is fixed: tests compare them letter by letter."""

from __future__ import annotations

import math

from peelian.words import plural, whole


def counted(count: float, crime: str) -> str:
    """A count with its noun.

    >>> counted(1, "burglary"), counted(2636.4, "burglary")
    ('1 burglary', '2,636 burglaries')
    """
    return f"{whole(count)} {crime if round(count) == 1 else plural(crime)}"


def fewer(prevented: float) -> str:
    """How many fewer or more.

    >>> fewer(792.7), fewer(-12), fewer(0.2)
    ('793 fewer', '12 more', '0 fewer')
    """
    return f"{whole(abs(prevented))} {'more' if round(prevented) < 0 else 'fewer'}"


def fewer_interval(prevented: float, low: float, high: float) -> str:
    """Fewer or more, with the interval in the same direction.

    >>> fewer_interval(792.7, 508.4, 1102.7)
    '793 fewer (95 % interval 508 to 1,103)'
    >>> fewer_interval(-12, -30, 6)
    '12 more (95 % interval 30 more to 6 fewer)'
    >>> fewer_interval(-40, -70, -10)
    '40 more (95 % interval 10 to 70)'
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{fewer(prevented)} (no interval can be given)"
    low, high = round(low), round(high)
    if low >= 0 and prevented >= 0:
        ends = f"{whole(low)} to {whole(high)}"
    elif high <= 0 and prevented < 0:
        ends = f"{whole(-high)} to {whole(-low)}"
    else:
        ends = f"{fewer(low)} to {fewer(high)}"
    return f"{fewer(prevented)} (95 % interval {ends})"


def ratio(estimate: float, low: float, high: float) -> str:
    """A ratio with its interval.

    >>> ratio(0.76882, 0.70508, 0.83833)
    '0.769 (0.705 to 0.838)'
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{estimate:.3f} (no interval)"
    return f"{estimate:.3f} ({low:.3f} to {high:.3f})"


def percent(estimate: float, decimals: int = 1) -> str:
    """A ratio as a change in per cent.

    >>> percent(0.769), percent(1.042)
    ('-23.1 %', '+4.2 %')
    """
    return f"{100 * (estimate - 1):+.{decimals}f} %"


def headline(
    observed: float,
    prevented: tuple[float, float, float],
    rate_ratio: tuple[float, float, float],
    *,
    crime: str,
    halved: bool = False,
    small: bool = False,
) -> str:
    """The headline sentence: counts first, then what was prevented, then the ratio.

    ``prevented`` and ``rate_ratio`` are (estimate, low, high). ``small``: too few incidents, so no ratio
    is given (guard G4). ``halved``: one half was added to each total.

    >>> headline(2636.36, (792.7, 508.4, 1102.7), (0.76882, 0.70508, 0.83833), crime="burglary")[:44]
    'Treated areas had 2,636 burglaries where 3,4'
    """
    expected = observed + prevented[0]
    text = (
        f"Treated areas had {counted(observed, crime)} where {whole(expected)} were expected from the other "
        f"areas' trend: {fewer_interval(*prevented)}"
    )
    text += ", too few to give a ratio." if small else f", a ratio of {ratio(*rate_ratio)}."
    if halved:
        text += (
            " The treated areas had none, or one area had them all: one half was added to each of "
            f"the four totals of {plural(crime)}."
        )
    return text


def p_text(p: float | None) -> str:
    """A p-value for people.

    >>> p_text(0.0004), p_text(0.0321), p_text(None)
    ('under 0.001', '0.032', 'not available')
    """
    if p is None or math.isnan(p):
        return "not available"
    return "under 0.001" if p < 0.001 else f"{p:.3f}"
