"""police.uk's API: the JSON of its answers as rows under the headers of the CSV files."""

from __future__ import annotations

import json
from typing import Any

from peelian.errors import DataError
from peelian.read.rows import Rows

NAMES = {  # the API's codes of categories, as the CSV files write them
    "anti-social-behaviour": "Anti-social behaviour",
    "bicycle-theft": "Bicycle theft",
    "burglary": "Burglary",
    "criminal-damage-arson": "Criminal damage and arson",
    "drugs": "Drugs",
    "other-crime": "Other crime",
    "other-theft": "Other theft",
    "possession-of-weapons": "Possession of weapons",
    "public-disorder-weapons": "Public disorder and weapons",
    "public-order": "Public order",
    "robbery": "Robbery",
    "shoplifting": "Shoplifting",
    "theft-from-the-person": "Theft from the person",
    "vehicle-crime": "Vehicle crime",
    "violent-crime": "Violence and sexual offences",
}
STREET = (
    "Crime ID", "Month", "Longitude", "Latitude", "Location", "Crime type", "Last outcome category",
)  # fmt: skip
STOPS = ("Type", "Date", "Longitude", "Latitude", "Object of search", "Outcome")
OUTCOMES = ("Crime ID", "Month", "Longitude", "Latitude", "Location", "Outcome type")


def api_rows(data: bytes, name: str = "answer") -> Rows:
    """The records of an answer of the police.uk API as rows; 1 = the first record.

    ``data``  a JSON list of crimes, stops or outcomes, or an object that holds one (``outcomes``).

    Codes of crime categories are written out as in the CSV files. A Crime ID is the ``persistent_id``;
    anti-social behaviour has none. Records that are no objects are refused.

    Raises ``DataError`` where the bytes are no JSON, or hold no list.

    >>> api_rows(b'[{"category": "violent-crime", "month": "2017-06", "location": null}]').column(
    ...     "Crime type", "answer").tolist()
    ['Violence and sexual offences']
    """
    try:
        held = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DataError(
            f"{name}: is no JSON ({error}). Ask the API again and save the whole answer."
        ) from error
    if isinstance(held, dict):
        held = held.get("outcomes", [held] if "category" in held else None)
    if not isinstance(held, list):
        raise DataError(f"{name}: holds no list of records, so it is no answer of the police.uk API.")
    objects = [record for record in held if isinstance(record, dict)]
    header, shape = _layout(objects)
    good, numbers, refused = [], [], []
    for number, record in enumerate(held, start=1):
        if isinstance(record, dict):
            good.append([_clean(value) for value in shape(record)])
            numbers.append(number)
        else:
            refused.append((number, "is no record", json.dumps(record)[:1000]))
    return _rows(header, good, numbers, refused, [json.dumps(record) for record in objects])


def _layout(records: list[dict[str, Any]]) -> tuple[tuple[str, ...], Any]:
    keys: set[str] = set().union(*records[:1000]) if records else {"category"}
    if "object_of_search" in keys:
        return STOPS, _stop
    if "crime" in keys or ("category" in keys and "date" in keys):
        return OUTCOMES, _outcome
    return STREET, _crime


def _crime(record: dict[str, Any]) -> list[Any]:
    code = record.get("category")
    status = _object(record.get("outcome_status"))
    return [
        record.get("persistent_id"), record.get("month"), *_place(record), NAMES.get(str(code), code),
        status.get("category"),
    ]  # fmt: skip


def _stop(record: dict[str, Any]) -> list[Any]:
    longitude, latitude, _ = _place(record)
    return [
        record.get("type"), record.get("datetime"), longitude, latitude, record.get("object_of_search"),
        record.get("outcome") or None,
    ]  # fmt: skip


def _outcome(record: dict[str, Any]) -> list[Any]:
    crime = _object(record.get("crime"))
    category = record.get("category")
    name = category.get("name") if isinstance(category, dict) else category
    return [
        crime.get("persistent_id") or record.get("persistent_id"),
        record.get("date"),
        *_place(crime),
        name,
    ]


def _place(record: dict[str, Any]) -> tuple[Any, Any, Any]:
    location = _object(record.get("location"))
    return location.get("longitude"), location.get("latitude"), _object(location.get("street")).get("name")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _clean(value: Any) -> str:
    text = "" if value is None or isinstance(value, dict | list) else str(value)
    return text if text.isascii() else text.encode("utf-8", errors="replace").decode("utf-8")


def _rows(
    header: tuple[str, ...],
    good: list[list[str]],
    numbers: list[int],
    refused: list[tuple[int, str, str]],
    raw: list[str],
) -> Rows:
    import pyarrow as pa

    columns = list(zip(*good, strict=True)) if good else [()] * len(header)
    arrays = [pa.array(column, pa.string()) for column in columns]
    table = pa.table([*arrays, pa.array(numbers, pa.int64())], names=[*map(str, range(len(header))), "row"])
    return Rows(header, table, tuple(refused), tuple(raw))
