"""Items that came back: counts by month, and the difference between no record and a record of none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian.deliver.tables import count_of, month_of, read_rows
from peelian.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

COUNTS = ("examined", "marked", "traced", "returned")
ALSO = {"items_found": "examined", "items_examined": "examined", "items_returned": "returned"}


def read_recoveries(path: Path, places: pd.Index) -> pd.DataFrame:
    """Recovered items by month and place from a CSV file.

    Columns: ``month``, optional ``place``, and whichever are recorded of ``examined`` (items found and
    looked at), ``marked``, ``traced`` and ``returned`` (whole numbers) and ``value`` (pounds returned).
    A blank is "not recorded" and stays missing; it is never read as 0. Columns that the file lacks are
    missing throughout.

    Raises ``DataError`` with file, line and column for a value that cannot be read, and ``PrivacyError``
    for a person's data.
    """
    import pandas as pd

    _, rows = read_rows(path, ("month",))
    known = frozenset(map(str, places))
    records = [_record(row, f"{path.name}, line {line}", known) for line, row in rows]
    frame = pd.DataFrame(records, columns=["month", "place", *COUNTS, "value"])
    frame["month"] = pd.PeriodIndex(frame["month"], freq="M")
    return frame.astype({**dict.fromkeys(COUNTS, "Int64"), "value": "Float64"})


def _record(row: dict[str, str], at: str, known: frozenset[str]) -> dict[str, Any]:
    row = {ALSO.get(name, name): value for name, value in row.items()}
    month = month_of(row["month"])
    if month is None:
        raise DataError(f"{at}, column month: {row['month']!r} is no month; expected one such as 2016-05.")
    place = row.get("place", "")
    if place and place not in known:
        raise DataError(
            f"{at}, column place: {place!r} is not in the places file. Leave it blank if unknown."
        )
    record: dict[str, Any] = {"month": month, "place": place}
    for name in COUNTS:
        record[name] = None
        if row.get(name):
            record[name], reason = count_of(row[name])
            if reason:
                raise DataError(f"{at}, column {name}: {row[name]!r} is {reason}; expected a whole number.")
    return record | {"value": _pounds(row.get("value", ""), at)}


def _pounds(text: str, at: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "").removeprefix("£"))
    except ValueError:
        raise DataError(f"{at}, column value: {text!r} is no sum of money; expected pounds.") from None
    if not value >= 0:
        raise DataError(f"{at}, column value: {text} is below 0.")
    return value


def recovered(recoveries: pd.DataFrame) -> pd.DataFrame:
    """Items by month: added up where recorded, missing where nothing was recorded.

    A sum that some rows lack is the sum of the others; ``values_missing`` counts the rows with something
    returned and no value.
    """
    import pandas as pd

    columns = ["month", *COUNTS, "value", "values_missing"]
    if recoveries.empty:
        return pd.DataFrame(columns=columns)
    lacking = (recoveries["returned"].fillna(0) > 0) & recoveries["value"].isna()
    grouped = recoveries.assign(values_missing=lacking.astype("int64")).groupby("month")
    sums = grouped[[*COUNTS, "value"]].sum(min_count=1)
    return sums.assign(values_missing=grouped["values_missing"].sum()).reset_index()[columns]
