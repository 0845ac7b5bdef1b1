"""What the stage was given: the small records, and the numbers needed of the assessment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from peelian.account.costs import Interval
from peelian.account.tables import Row, count, day, read_rows
from peelian.errors import DataError, DesignError
from peelian.words import plural

if TYPE_CHECKING:
    import pandas as pd

    from peelian.figures import Figures
    from peelian.programme import Programme

Record = TypeVar("Record")

GATED = {
    "CANNOT_TELL": "the effect cannot be told",
    "SELECTION": "the effect cannot be told from how the areas were chosen",
    "NOT_ASSESSABLE": "the data cannot tell the effect",
    "DISPLACED": "the fall may have moved next door",
}


@dataclass(frozen=True, eq=False)
class Assessment:
    """The evaluation as this stage reads it: ratio, number prevented, verdict, window.

    ``ratio``  value with interval, ``se_log`` the standard error of its logarithm. ``prevented`` net of what
    moved next door, where the evaluation found that some did; ``gross`` is then the number in the treated
    places alone, and None otherwise.
    ``treated_after`` crimes recorded in treated places in the window. ``first, last`` the months of the
    window after the start.
    """

    raw: dict[str, Any]
    ratio: Interval
    prevented: Interval
    se_log: float
    treated_after: float | None
    first: pd.Period
    last: pd.Period
    gross: Interval | None = None

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
        return GATED.get(self.code, "" if self.told else "the evaluation gives no number prevented")

    @property
    def told(self) -> bool:
        """True where the evaluation gives a number prevented, however uncertain."""
        return not math.isnan(self.prevented.value)


def assessment_of(raw: dict[str, Any]) -> Assessment:
    """The evaluation's ``assessment.json`` as the numbers needed here.

    Raises ``DataError`` that names the key which is missing or is no number.
    """
    import pandas as pd

    try:
        after = raw["window"]["after"]
        ratio, prevented = (_interval(raw[key]) for key in ("headline", "prevented"))
        moved = raw.get("words_displacement") == "displaced" and raw.get("net")
        rows = {str(row["group"]).lower(): row for row in raw.get("comparison", {}).get("rows", [])}
        treated: dict[str, Any] = next((row for name, row in rows.items() if name.startswith("treated")), {})
        counted = treated.get("after")
        _ = raw["verdict"]["code"], raw["verdict"]["words"]
        return Assessment(
            raw, ratio, _interval(raw["net"]) if moved else prevented, float(raw.get("se_log") or 0.0),
            None if counted is None else float(counted),
            pd.Period(after[0], freq="M"), pd.Period(after[1], freq="M"), prevented if moved else None,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(
            f"assessment.json: {error!r} is missing or wrong. Run the evaluation again."
        ) from error


def _interval(effect: dict[str, Any] | None) -> Interval:
    """The estimate with its interval; not a number throughout where the evaluation gives none."""
    found: list[Any] = [None if effect is None else effect[key] for key in ("estimate", "low", "high")]
    return Interval(*(math.nan if None in found else float(value) for value in found))


def read_documents(path: str | Path) -> pd.DataFrame:
    """The register of decisions and documents, in order of date: ``date`` (day), ``title``, ``kind``.

    Other columns (a reference, an address) are kept out: titles and dates answer the question, and no person
    is named. Raises ``DataError`` naming every bad line.
    """
    import pandas as pd

    rows = read_rows(path, ("date", "title", "kind"), _document)
    return pd.DataFrame(rows, columns=["date", "title", "kind"]).sort_values(
        ["date", "title"], ignore_index=True
    )


def _document(row: Row) -> dict[str, Any]:
    if not row["title"]:
        raise DataError("title is blank; give the title of the document")
    return {"date": day(row, "date").isoformat(), "title": row["title"], "kind": row["kind"]}


RECOVERED = ("examined", "marked", "traced", "returned")
ALSO = {"items_found": "examined", "items_examined": "examined", "items_returned": "returned"}


def read_recoveries(path: str | Path) -> pd.DataFrame:
    """Recovered items by month: ``month`` and the counts ``examined``, ``marked``, ``traced``, ``returned``.

    The file may have one row a month and place. A blank is "not recorded" and differs from 0, "recorded as
    none"; columns that the file lacks are blank throughout. Raises ``DataError`` naming every bad line.
    """
    import pandas as pd

    rows = read_rows(path, ("month",), _recovery)
    frame = pd.DataFrame(rows, columns=["month", *RECOVERED])
    return frame.groupby("month")[list(RECOVERED)].sum(min_count=1).reset_index()


def _recovery(row: Row) -> dict[str, Any]:
    import pandas as pd

    row = {ALSO.get(name, name): value for name, value in row.items()}
    try:
        month = str(pd.Period(row["month"], freq="M"))
    except ValueError:
        raise DataError(f"month is {row['month']!r}; expected a month such as 2016-05") from None
    return {"month": month} | {name: count(row, name) for name in RECOVERED}


@dataclass(frozen=True, eq=False)
class Held:
    """Everything the stage was given; None for what is not held.

    ``saturation`` place, month, delivered (so far), households; ``counts`` monthly counts by place, one
    column a kind of crime; ``ledger``, ``recoveries``, ``documents`` as read here; ``register`` the
    benefits as judged; ``figures`` the policy
    figures and ``day`` the day they are asked for; ``published`` True where the counts are public already.
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
    register: pd.DataFrame | None = None
    days: pd.DataFrame | None = None
    published: bool = True
    threshold: int = 1

    @property
    def measured(self) -> Assessment:
        """The evaluation; ``DesignError`` where none is held."""
        return _there(self.assessment, "No evaluation has been run.")

    @property
    def decision(self) -> Programme:
        """The programme as decided; ``DesignError`` where none is held."""
        return _there(self.programme, "No decision is held.")

    @property
    def deliveries(self) -> pd.DataFrame:
        """``saturation``; ``DesignError`` where none is held."""
        return _there(self.saturation, "No record of deliveries is held.")

    @property
    def payments(self) -> pd.DataFrame:
        """``ledger``; ``DesignError`` where none is held."""
        return _there(self.ledger, "No ledger of what was spent is named.")

    @property
    def crimes(self) -> str:
        """The crime in the plural: ``burglaries``."""
        return plural(self.crime.lower())


def _there(record: Record | None, otherwise: str) -> Record:
    if record is None:
        raise DesignError(otherwise)
    return record
