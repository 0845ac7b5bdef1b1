"""Amount: one answer with its interval, method and source; or not held, why, and who would hold it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from peelian.account.costs import Interval, exactly
from peelian.errors import DesignError
from peelian.words import percent


@dataclass(frozen=True)
class Amount:
    """An answer that is held, or one that is not.

    ``name``      of the row; ``what`` it is, in words; ``unit`` in words (``pounds per kit``).
    ``interval``  value, low and high; None where it is not held.
    ``method, source``  how it was computed and from what. ``inputs`` the inputs it rests on, by name: without
                  any of them it is not held, and no other input changes it.
    ``why_not``   why it is not held; ``holder`` who would hold it.

    >>> str(Amount("kits", "kits delivered", "kits", exactly(1726)))
    '1,726 kits'
    """

    name: str
    what: str
    unit: str
    interval: Interval | None = None
    method: str = ""
    source: str = ""
    inputs: tuple[str, ...] = ()
    why_not: str = ""
    holder: str = ""

    @property
    def held(self) -> bool:
        """True where there is a value."""
        return self.interval is not None

    def __str__(self) -> str:
        if self.interval is None:
            return f"not held: {self.why_not}"
        value, low, high = self.interval
        kind, _, rest = self.unit.partition(" ")
        number = [written(bound, kind) for bound in (value, low, high)]
        tail = rest if kind in ("pounds", "share") else self.unit
        spread = f" (95 % interval {number[1]} to {number[2]})" if high > low else ""
        return f"{number[0]}{spread} {tail}".strip()

    def as_row(self) -> dict[str, Any]:
        """Plain values, for a file."""
        value, low, high = self.interval or (None, None, None)
        return {
            "name": self.name, "what": self.what, "value": value, "low": low, "high": high, "unit": self.unit,
            "method": self.method, "source": self.source, "rests on": ", ".join(self.inputs),
            "not held because": self.why_not, "held by": self.holder,
        }  # fmt: skip


def written(value: float, kind: str) -> str:
    """A number as printed: money from £100 in whole pounds, below it in pence; shares as a percentage.

    >>> written(12.7272, "pounds"), written(-5233848.7, "pounds")
    ('£12.73', '-£5,233,849')
    >>> written(0.172, "share"), written(1312.3, "hours")
    ('17.2 %', '1,312')
    """
    if kind == "pounds":
        pence = abs(value) < 100
        return (
            f"{'-' if value < 0 else ''}£{abs(value):,.2f}"
            if pence
            else f"{'-' if value < 0 else ''}£{abs(value):,.0f}"
        )
    if kind == "share":
        return percent(value)
    if kind == "minutes":
        return f"{value:,.2f}"
    return f"{value:,.0f}"


def answered(
    amount: Amount, compute: Callable[[], Interval | float], missing: str = "", holder: str = ""
) -> Amount:
    """The amount with its value; or not held, because of ``missing`` or of what ``compute`` refused."""
    from dataclasses import replace

    if missing:
        return replace(amount, why_not=missing, holder=holder)
    try:
        value = compute()
    except DesignError as error:
        return replace(amount, why_not=_clause(str(error)), holder=holder)
    return replace(amount, interval=value if isinstance(value, Interval) else exactly(value))


def _clause(sentence: str) -> str:
    """A sentence as it reads after a colon."""
    return (sentence[0].lower() + sentence[1:]).removesuffix(".")
