"""Reads tables of counts by place and month, and refuses those that hold people."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, PrivacyError, some

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

PERSONAL = frozenset({
    "forename", "surname", "firstname", "lastname", "keeper", "resident", "occupier", "occupant",
    "householder", "address", "addr", "postcode", "zip", "phone", "telephone", "tel", "mobile", "email",
    "mail", "uprn", "dob", "birth", "gender", "ethnicity", "contact",
})  # fmt: skip
PLACE_WORDS = frozenset({
    "place", "area", "street", "road", "ward", "borough", "district", "lsoa", "msoa", "team",
})  # fmt: skip
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.\w")
POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b", re.IGNORECASE)
PHONE = re.compile(r"(?<!\d)(?:\+44\s?|0)\d(?:[\s-]?\d){8,9}(?!\d)")


@dataclass(frozen=True, eq=False)
class Deliveries:
    """Kits delivered, by place and month.

    ``frame``     ``place``, ``month``, ``kits`` (whole, 0 or more), ``street`` (text, blank where none),
                  ``dwellings`` of the street (missing where not given), ``line`` of the file.
    ``rejected``  refused rows: ``file``, ``line``, ``column``, ``value``, ``reason``.
    ``rows``      rows of the file: those accepted and those refused.

    Raises ``DataError`` when accepted and refused do not add up to the rows.
    """

    frame: pd.DataFrame
    rejected: pd.DataFrame
    rows: int

    def __post_init__(self) -> None:
        if len(self.frame) + len(self.rejected) != self.rows:
            raise DataError(
                f"{len(self.frame)} rows accepted and {len(self.rejected)} refused do not make {self.rows}."
            )


def read_deliveries(path: Path, places: pd.Index) -> Deliveries:
    """Deliveries from a CSV file, row by row; what cannot be used is kept with its reason.

    Columns: ``place``, ``month`` (``2016-05``, or a day of which the month counts), ``kits`` (whole number,
    0 or more; a blank is refused, not read as 0), optional ``street`` and ``dwellings`` (homes of that
    street). Other columns are not read. ``places`` are the ids that exist.

    Raises ``DataError`` for a file that is absent, not UTF-8, without a column or with no row that can be
    used, and ``PrivacyError`` for columns or values that look like a person's.
    """
    import pandas as pd

    _, rows = read_rows(path, ("place", "month", "kits"))
    known = frozenset(map(str, places))
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for line, row in rows:
        found, refusal = _delivery(row, known)
        if refusal is None:
            good.append(found | {"line": line})
        else:
            column, reason = refusal
            value = "" if column == "row" else row.get(column, "")
            bad.append({"file": path.name, "line": line, "column": column, "value": value, "reason": reason})
    if rows and not good:
        first = bad[0]
        raise DataError(
            f"{path.name}: none of its {len(rows):,} rows can be used. First, line {first['line']}, column "
            f"{first['column']}: {first['reason']}."
        )
    frame = pd.DataFrame(good, columns=["place", "month", "kits", "street", "dwellings", "line"])
    frame["month"] = pd.PeriodIndex(frame["month"], freq="M")
    frame["kits"] = frame["kits"].astype("int64")
    frame["dwellings"] = frame["dwellings"].astype("Int64")
    rejected = pd.DataFrame(bad, columns=["file", "line", "column", "value", "reason"])
    return Deliveries(frame, rejected, len(rows))


def _delivery(row: Mapping[str, str], known: frozenset[str]) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """One row as values, or the column and the reason for which it is refused."""
    if "" in row:
        return {}, ("row", "has more fields than the header; a comma inside a value needs quotes")
    if not row["place"]:
        return {}, ("place", "blank; every delivery needs the id of its place")
    if row["place"] not in known:
        return {}, ("place", "not in the places file")
    month = month_of(row["month"])
    if month is None:
        return {}, ("month", "no month; expected one such as 2016-05")
    kits, reason = count_of(row["kits"])
    if reason:
        return {}, ("kits", reason)
    dwellings: int | None = None
    if row.get("dwellings"):
        dwellings, reason = count_of(row["dwellings"])
        if reason:
            return {}, ("dwellings", reason)
    street = row.get("street", "")
    return {
        "place": row["place"],
        "month": month,
        "kits": kits,
        "street": street,
        "dwellings": dwellings,
    }, None


def count_of(text: str) -> tuple[int | None, str]:
    """A whole number of 0 or more, or the reason why it is none.

    >>> count_of("1,204"), count_of("-3"), count_of("")
    ((1204, ''), (None, 'below 0'), (None, 'blank; write 0 where none was delivered'))
    """
    if not text:
        return None, "blank; write 0 where none was delivered"
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None, "no number"
    if value != value or value in (float("inf"), float("-inf")):
        return None, "no number"
    if value < 0:
        return None, "below 0"
    if value != int(value):
        return None, "not a whole number"
    return int(value), ""


def month_of(text: str) -> pd.Period | None:
    """A month from ``2016-05`` or ``2016-05-17``; None for anything else.

    >>> month_of("2016-05-17"), month_of("May")
    (Period('2016-05', 'M'), None)
    """
    import pandas as pd

    found = re.fullmatch(r"(\d{4})-(\d{2})(-\d{2})?", text)
    if found is None:
        return None
    try:
        pd.Timestamp(text if found[3] else f"{text}-01")
        return pd.Period(year=int(found[1]), month=int(found[2]), freq="M")
    except ValueError:
        return None


# -------------------------------------------------------------------- at the door
def read_rows(path: Path, needed: tuple[str, ...]) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and rows (line of the file, values stripped) of a CSV file that holds no person.

    A row with more fields than the header has an entry named by the empty text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            header = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = header
            refuse_people(header, path.name)
            missing = [name for name in needed if name not in header]
            if missing:
                raise DataError(
                    f"{path.name}, line 1: lacks the column {some(missing)}; it has {some(header)}."
                )
            rows = [(reader.line_num, _stripped(row)) for row in reader]
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. [deliver] names it.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error.reason}). Save it as CSV UTF-8.") from error
    _refuse_values(rows, path.name)
    return header, rows


def _stripped(row: Mapping[str | None, Any]) -> dict[str, str]:
    return {
        name or "": " ".join(value).strip() if isinstance(value, list) else (value or "").strip()
        for name, value in row.items()
    }


def refuse_people(header: list[str], file: str) -> None:
    """Raise ``PrivacyError`` where a column's name says that it holds a person.

    >>> refuse_people(["place", "month", "kits", "street_name"], "deliveries.csv")
    """
    people = [name for name in header if _personal(name)]
    if people:
        raise PrivacyError(
            f"{file}: the column {some(people)} looks like a person's data, so the file was not read. Only "
            "counts belong here: count the kits by place and month (and street), and leave people out."
        )


def _personal(column: str) -> bool:
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower())
    whole = set(words) | {"".join(words)}
    if whole & PERSONAL:
        return True
    return bool({"name", "names", "fullname"} & whole) and not (whole & PLACE_WORDS)


def _refuse_values(rows: list[tuple[int, dict[str, str]]], file: str) -> None:
    """Raise ``PrivacyError`` for a value like an e-mail, a postcode or a telephone; the value is not told."""
    for line, row in rows:
        for column, value in row.items():
            for what, pattern in (("e-mail address", EMAIL), ("postcode", POSTCODE), ("telephone", PHONE)):
                if pattern.search(value):
                    raise PrivacyError(
                        f"{file}, line {line}, column {column or 'beyond the header'}: holds what looks like "
                        f"a {what}, so the file was not read. Only counts by place and month belong here."
                    )
