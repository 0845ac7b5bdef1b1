"""Did the way of recording change: dated changes, and the month at which a share moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.words import plural

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ShareBreak:
    """The largest move of an outcome's share of a wider class, 12 months after a month less 12 before."""

    month: str
    points: float
    ses: float


def share_break(
    part: NDArray[np.float64], whole: NDArray[np.float64], months: list[str]
) -> ShareBreak | None:
    """Where the share of, say, residential in all burglary moved most (12 months after less 12 before).

    ``part``, ``whole``  monthly totals. Only 12 v 12 months are compared: 6 v 6 finds a break every spring.
    """
    best = None
    p, w = (np.concatenate([[0.0], np.cumsum(x)]) for x in (part, whole))
    for at in range(12, len(part) - 11):
        n0, n1 = w[at] - w[at - 12], w[at + 12] - w[at]
        if n0 <= 0 or n1 <= 0:
            continue
        s0, s1 = (p[at] - p[at - 12]) / n0, (p[at + 12] - p[at]) / n1
        pooled = (p[at + 12] - p[at - 12]) / (n0 + n1)
        se = math.sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / n0 + 1 / n1))
        if best is None or abs(s1 - s0) > abs(best.points) / 100:
            best = ShareBreak(months[at], 100 * (s1 - s0), abs(s1 - s0) / se)
    return best


def dated_rows(
    changes: pd.DataFrame | None, *, crime: str, first: str, last: str
) -> tuple[list[tuple[str, str, str]], bool]:
    """Rows of the dated table that concern this outcome, and whether it is the whole class they split.

    ``changes`` has columns from, categories (joined by ``;``, or a list), what, source. An outcome is the
    whole class where each row that names it also names parts of it ("burglary", "burglary residential") or
    concerns all crime: its level may move, but nothing moves in or out of it.
    """
    rows: list[tuple[str, str, str]] = []
    whole = True
    own = {crime.lower(), plural(crime).lower()}
    for row in [] if changes is None else changes.to_dict("records"):
        given = row["categories"]
        named = given if isinstance(given, (list, tuple)) else str(given).replace(",", ";").split(";")
        categories = {str(c).strip().lower() for c in named}
        at = str(row["from"])[:7]
        if first < at <= last and (categories & own or "all" in categories):
            rows.append((at, str(row["what"]).rstrip("."), str(row["source"])))
            parts = any(c.startswith(f"{crime.lower()} ") for c in categories)
            whole = whole and (parts or "all" in categories)
    return rows, whole and bool(rows)
