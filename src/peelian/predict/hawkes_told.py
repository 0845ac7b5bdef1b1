"""What a self-exciting fit says, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peelian.predict.hawkes_sure import Later, Measured, later_months, measured

if TYPE_CHECKING:
    from peelian.predict.hawkes import Fit, Hawkes
    from peelian.predict.history import History

CONFUSED = (
    "Near repeats and lasting differences between places are hard to tell apart (Reinhart and Greenhouse "
    "2018)."
)


def sentences(method: Hawkes, history: History) -> str:
    """Background, repeats, delay and reach with their intervals, what it adds, and what is doubtful."""
    fit = method.fitted(history)
    numbers = measured(method, fit, history)
    words = [
        f"Self-exciting model: {_shown(numbers['share'], '.0%')} of incidents belong to the lasting "
        f"background; each brings {_shown(numbers['repeat'], '.2f')} at its own place and "
        f"{_shown(numbers['near'], '.2f')} near by, on average {_shown(numbers['delay'], '.0f')} days later, "
        f"90 % of them within {_shown(numbers['reach'], ',.0f')} m.",
        _errors_words(method, numbers),
        later_words(later_months(method, history)),
    ]
    if fit.follows:
        parts = [
            f"{np.exp(numbers[name].value):.2f} times as much for one standard deviation of {name} "
            f"({np.exp(numbers[name].low):.2f} to {np.exp(numbers[name].high):.2f})"
            for name in fit.follows
        ]
        words.append(f"The background follows features of the place: {'; '.join(parts)}.")
    if fit.rhythm is not None and fit.rhythm.words:
        words.append(f"Background by month and weekday, 1 on average: {fit.rhythm.words}.")
    words += [*_windows_words(method, fit), CONFUSED, *fit.warnings.values()]
    return " ".join(word for word in words if word)


def later_words(later: Later | None) -> str:
    """What triggering tells of later months over the same background without it."""
    if later is None:
        return "There is too little history to ask whether triggering tells anything of later months."
    more = "more" if later.gain >= 0 else "less"
    return (
        f"Fitted before the last {later.months} months, it told {abs(later.gain):.3f} nats an incident "
        f"{more} of their {later.incidents:,} incidents than the same background with nothing triggered "
        f"(95 % interval {later.low:+.3f} to {later.high:+.3f}, by months)."
    )


def _shown(number: Measured, form: str) -> str:
    value = format(number.value, form)
    if np.isnan(number.error):
        return value
    return f"{value} ({format(number.low, form)} to {format(number.high, form)})"


def _errors_words(method: Hawkes, numbers: dict[str, Measured]) -> str:
    if np.isnan(numbers["near"].error):
        return "No intervals: fewer than 12 months were held."
    return f"Intervals of 95 % from {method.resamples} draws of months."


def _windows_words(method: Hawkes, fit: Fit) -> list[str]:
    words = []
    if fit.long and method.long == "exclude":
        words.append(
            f"{fit.long:,} incidents with a window over 72 hours belong to the background and bring nothing."
        )
    elif fit.long:
        words.append(f"{fit.long:,} incidents with a window over 72 hours count in part on each of its days.")
    if len(fit.drawn) > 1:
        each = [one.total for one in fit.drawn]
        words.append(
            f"Mean of {len(each)} draws of moments within the windows; what an incident brings ranges from "
            f"{min(each):.3f} to {max(each):.3f} over them."
        )
    return words
