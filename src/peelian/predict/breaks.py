"""Breaks: the months in which recording changed. Nothing seasonal is carried across one."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from peelian.figures import recording_changes


@dataclass(frozen=True)
class Break:
    """A change of recording: its first ``month``, ``what`` changed and the ``source`` that says so."""

    month: pd.Period
    what: str
    source: str


def breaks_of(crime: str, first: pd.Period, last: pd.Period, *, force: str = "") -> tuple[Break, ...]:
    """Changes of recording of a crime after ``first`` and up to ``last``, in order.

    ``crime``  as in sentences (``burglary``); rows for ``all`` crime count too.
    ``force``  whose own changes count beside those of all forces.

    >>> [str(one.month) for one in breaks_of("burglary", pd.Period("2011-01"), pd.Period("2019-12"))]
    ['2017-04']
    """
    rows = recording_changes()
    own = {crime.strip().lower(), "all"}
    out = []
    for row in rows.to_dict("records"):
        month = pd.Period(row["from"], "M")
        named = {part.strip().lower() for part in str(row["categories"]).split(";")}
        whose = str(row["force"]).lower()
        if first < month <= last and named & own and whose in ("all", force.strip().lower()):
            out.append(Break(month, str(row["what"]), str(row["source"])))
    return tuple(out)
