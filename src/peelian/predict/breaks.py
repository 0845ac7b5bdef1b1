"""Breaks: the months in which recording changed. Nothing seasonal is carried across one."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from peelian.figures import recording_changes


@dataclass(frozen=True)
class Break:
    """A change of recording: its first ``day``, ``what`` changed and the ``source`` that says so."""

    day: pd.Timestamp
    what: str
    source: str

    @property
    def month(self) -> pd.Period:
        """The month of it."""
        return self.day.to_period("M")


def breaks_of(
    crime: str, span: tuple[pd.Period, pd.Period] | None = None, *, force: str = ""
) -> tuple[Break, ...]:
    """Changes of recording of a crime, in order: after the first month of a span, up to its last.

    ``crime``  as in sentences (``burglary``); rows for ``all`` crime count too.
    ``force``  whose own changes count beside those of all forces.

    >>> [str(one.month) for one in breaks_of("burglary", (pd.Period("2011-01"), pd.Period("2019-12")))]
    ['2017-04']
    """
    rows = recording_changes()
    own = {crime.strip().lower(), "all"}
    out = []
    for row in rows.to_dict("records"):
        month = pd.Period(row["from"], "M")
        named = {part.strip().lower() for part in str(row["categories"]).split(";")}
        whose = str(row["force"]).lower()
        within = span is None or span[0] < month <= span[1]
        if within and named & own and whose in ("all", force.strip().lower()):
            out.append(Break(pd.Timestamp(row["from"]), str(row["what"]), str(row["source"])))
    return tuple(out)
