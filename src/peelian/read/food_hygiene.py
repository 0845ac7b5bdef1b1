"""Food hygiene ratings: where people eat, drink and buy food, one layer a type of business."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError
from peelian.layers import Layers
from peelian.read.files import present, unpacked
from peelian.read.layering import Refused, layered, placed, table
from peelian.read.licences import OGL

if TYPE_CHECKING:
    import pandas as pd

MOBILE = "a mobile caterer trades elsewhere"
WANTED = ("fhrsid", "businesstype", "longitude", "latitude")


def food_hygiene(
    path: Path | str,
    *,
    to: object = 27700,
    categories: Iterable[str] | None = None,
    minimum: int = 1,
    prefix: str = "",
    about: Mapping[str, Mapping[str, str]] | None = None,
    source: str = "Food hygiene ratings, Food Standards Agency",
    date: str = "",
    licence: str = OGL,
) -> tuple[Layers, pd.DataFrame]:
    """One layer for every business type of a food hygiene rating file (pubs, takeaways, supermarkets, ...).

    ``path``  a file of ratings.food.gov.uk: XML or JSON of an authority, JSON of the interface, or CSV
              (``.gz`` too).
    ``date``  of the file; the extract date of an XML or JSON file where it is left out.
    The other arguments are those of ``features``.

    Names, addresses and ratings are not kept. Refused with their reason: premises without coordinates
    (businesses run from somebody's home among them) and mobile caterers, whose address is not where they
    trade. The list holds who is registered today; it knows no closing dates.
    """
    frame, refused, extracted = _records(path)
    frame["category"] = frame["businesstype"]
    frame["text"] = "FHRSID " + frame["fhrsid"].fillna("")
    faults = frame["category"].str.casefold().eq("mobile caterer").map({True: MOBILE, False: None})
    held, unplaced = placed(
        frame, frame["longitude"], frame["latitude"], crs=4326, to=to, path=path, faults=faults.astype("str")
    )
    return layered(
        held, [*refused, *unplaced], path, categories=categories, minimum=minimum, prefix=prefix,
        about=about, source=source, date=date or extracted, licence=licence,
    )  # fmt: skip


def _records(path: Path | str) -> tuple[pd.DataFrame, Refused, str]:
    """Rows on their numbers with the four columns, the rows that are none, and the day of the extract."""
    import pandas as pd

    path = present(path)
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".csv"):
        read, frame = table(path, ("businesstype",), what="a list of food hygiene ratings")
        frame = frame.rename(columns={c: c.rsplit("/", 1)[-1] for c in frame.columns})
        return _columns(frame), list(read.refused), ""
    held, extracted = _json(path) if name.endswith(".json") else _xml(path)
    frame = pd.DataFrame(held, columns=list(WANTED), index=pd.RangeIndex(1, len(held) + 1, name="row"))
    frame = frame.astype("str").apply(lambda column: column.str.strip())
    return frame.where(frame.notna() & (frame != "")), [], extracted


def _columns(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.loc[:, ~frame.columns.duplicated()].reindex(columns=list(WANTED)).astype("str")


def _xml(path: Path) -> tuple[list[list[Any]], str]:
    from xml.etree import ElementTree

    data = unpacked(path)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DataError(
            f"{path}: declares a document type of its own, which no rating file does. Not opened."
        )
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise DataError(f"{path}: is no well-formed XML ({error}). Download it again.") from error
    found = [_fields({_tag(x): x.text for x in item.iter()}) for item in root.iter() if _tag(item) in ONE]
    if not found:
        raise DataError(f"{path}: holds no EstablishmentDetail: is it a food hygiene rating file?")
    extracted = next((x.text or "" for x in root.iter() if _tag(x) == "extractdate"), "")
    return found, extracted.strip()


ONE = ("establishmentdetail", "establishment")


def _tag(element: Any) -> str:
    return str(element.tag).rsplit("}", 1)[-1].casefold()


def _json(path: Path) -> tuple[list[list[Any]], str]:
    try:
        held = json.loads(unpacked(path).decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path}: is no JSON ({error}). Download it again.") from error
    whole = held.get("FHRSEstablishment", held) if isinstance(held, dict) else {}
    items = (
        whole.get("EstablishmentCollection", whole.get("establishments")) if isinstance(whole, dict) else None
    )
    if isinstance(items, dict):
        items = items.get("EstablishmentDetail")
    if not isinstance(items, list):
        raise DataError(f"{path}: holds no establishments: is it a food hygiene rating file?")
    head = whole.get("Header")
    extracted = head.get("ExtractDate", "") if isinstance(head, dict) else ""
    return [_fields(_flat(item)) for item in items], str(extracted)


def _flat(item: Any) -> dict[str, Any]:
    """An establishment with its coordinates beside its other values, names in lower case."""
    values = {key.casefold(): value for key, value in item.items()} if isinstance(item, dict) else {}
    place = values.get("geocode")
    inner = {key.casefold(): value for key, value in place.items()} if isinstance(place, dict) else {}
    return values | inner


def _fields(values: Mapping[str, Any]) -> list[Any]:
    return [values.get(name) for name in WANTED]
