"""What the stage was given: reads the small records, and turns the assessment into the numbers needed of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.account.costs import Interval
from peelian.account.tables import Row, count, day, read_rows
from peelian.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from peelian.figures import Figures
    from peelian.programme import Programme

GATED = {
    "CANNOT_TELL": "the effect cannot be told",
    "SELECTION": "the effect cannot be told from how the areas were chosen",
    "NOT_ASSESSABLE": "the data cannot tell the effect",
    "DISPLACED": "the fall may have moved next door",
}


@dataclass(frozen=True, eq=False)
class Assessment:
    """The evaluation as this stage reads it: ratio, number prevented, verdict, window.

    ``ratio, prevented``  value with interval. ``se_log`` the standard error of the log ratio. ``treated_after``
    crimes recorded in treated places in the window. ``first, last`` the months of the window after the start.
    """

    raw: dict[str, Any]
    ratio: Interval
    prevented: Interval
    se_log: float
    treated_after: float | None
    first: pd.Period
    last: pd.Period

    @property
    def months(self) -> int:
        """Months with a measured effect."""
        return int((self.last - self.first).n) + 1

    @property
    def code(self) -> str:
        """The verdict, as a code."""
        return str(self.raw["verdict"]["code"])

    @property
    def words(self) -> str:
        """The verdict, in words."""
        return str(self.raw["verdict"]["words"])

    @property
    def gate(self) -> str:
        """Why no value is put on the effect; empty where it may be valued."""
        return GATED.get(self.code, "")


def assessment_of(raw: dict[str, Any]) -> Assessment:
    """The evaluation's ``assessment.json`` as the numbers needed here.

    Raises ``DataError`` that names the key which is missing or is no number.
    """
    import pandas as pd

    try:
        after = raw["window"]["after"]
        ratio, prevented = (_interval(raw[key]) for key in ("headline", "prevented"))
        rows = {str(row["group"]).lower(): row for row in raw.get("comparison", {}).get("rows", [])}
        treated = next((row for name, row in rows.items() if name.startswith("treated")), {})
        counted = treated.get("after")
        _ = raw["verdict"]["code"], raw["verdict"]["words"]
        return Assessment(
            raw, ratio, prevented, float(raw.get("se_log") or 0.0),
            None if counted is None else float(counted),
            pd.Period(after[0], freq="M"), pd.Period(after[1], freq="M"),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"assessment.json: {error!r} is missing or wrong. Run the evaluation again.") from error


def _interval(effect: dict[str, Any]) -> Interval:
    return Interval(float(effect["estimate"]), float(effect["low"]), float(effect["high"]))


def read_documents(path: str | Path) -> pd.DataFrame:
    """The register of decisions and documents, in order of date: ``date`` (day), ``title``, ``kind``.

    Other columns (a reference, an address) are kept out: titles and dates answer the question, and no person is
    named. Raises ``DataError`` naming every bad line.
    """
    import pandas as pd

    rows = read_rows(path, ("date", "title", "kind"), _document)
    return pd.DataFrame(rows, columns=["date", "title", "kind"]).sort_values(["date", "title"], ignore_index=True)


def _document(row: Row) -> dict[str, Any]:
    if not row["title"]:
        raise DataError("title is blank; give the title of the document")
    return {"date": day(row, "date").isoformat(), "title": row["title"], "kind": row["kind"]}


RECOVERED = ("examined", "marked", "traced", "returned")


def read_recoveries(path: str | Path) -> pd.DataFrame:
    """Recovered items by month: ``month`` and the counts ``examined``, ``marked``, ``traced``, ``returned``.

    A blank is "not recorded" and differs from 0, "recorded as none". Raises ``DataError`` naming every bad line.
    """
    import pandas as pd

    rows = read_rows(path, ("month", *RECOVERED), _recovery)
    return pd.DataFrame(rows, columns=["month", *RECOVERED]).sort_values("month", ignore_index=True)


def _recovery(row: Row) -> dict[str, Any]:
    import pandas as pd

    try:
        month = str(pd.Period(row["month"], freq="M"))
    except ValueError:
        raise DataError(f"month is {row['month']!r}; expected a month such as 2016-05") from None
    counts = {name: count(row, name) for name in RECOVERED}
    for less, more in zip(RECOVERED[1:], RECOVERED, strict=False):
        if counts[less] > counts[more]:
            raise DataError(f"{less} is {counts[less]:.0f}, more than {more}, {counts[more]:.0f}")
    return {"month": month} | counts


@dataclass(frozen=True, eq=False)
class Held:
    """Everything the stage was given; None for what is not held.

    ``saturation`` place, month, delivered (so far), households; ``counts`` monthly counts by place, one column a
    kind of crime; ``ledger``, ``recoveries``, ``documents`` as read here; ``figures`` the policy figures and
    ``day`` the day they are asked for; ``published`` True where the counts are public already.
    """

    figures: Figures
    day: str | None
    crime: str = "crime"
    assessment: Assessment | None = None
    programme: Programme | None = None
    saturation: pd.DataFrame | None = None
    counts: pd.DataFrame | None = None
    ledger: pd.DataFrame | None = None
    recoveries: pd.DataFrame | None = None
    documents: pd.DataFrame | None = None
    published: bool = True
    threshold: int = 1

    @property
    def crimes(self) -> str:
        """The crime in the plural: ``burglaries``."""
        return plural(self.crime)


def plural(crime: str) -> str:
    """A word for a crime in the plural, lower case.

    >>> plural("Burglary"), plural("crime"), plural("vehicle crime")
    ('burglaries', 'crimes', 'vehicle crimes')
    """
    word = crime.lower()
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word if word.endswith("s") else word + "s"
