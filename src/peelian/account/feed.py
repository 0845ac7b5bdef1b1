"""The public's files of the cards: pictures with their words, posts, an Atom feed, and open data."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from peelian.account.cards import LONG, SHORT, Card

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.maps import Layered

WITHHELD = "too small to publish, or it would give such a count away"
ATOM = "http://www.w3.org/2005/Atom"
DICTIONARY = (
    ("area", "code of the area, or all areas"), ("name", "name of the area"),
    ("homes", "households in the area"),
    ("months to", "last month of the twelve counted"),
    ("count", "recorded crimes; c where it is too small to publish or would give such a count away"),
    ("per 1,000 homes", "count over homes; empty where the count is withheld"),
)  # fmt: skip


def public_files(
    made: Sequence[Card], *, day: str, title: str, shapes: gpd.GeoDataFrame | None = None
) -> dict[str, Any]:
    """File name -> content for the folder ``cards``: PNG and words of each, posts, feed, open data.

    ``day``  the day of the records, ISO; ``title`` of the feed; ``shapes`` of the areas on their codes, for a
    GeoPackage that QGIS opens styled. Pictures are left out where the library that
    draws them is not installed.
    """
    from peelian.account.picture import png
    from peelian.errors import DataError

    out: dict[str, Any] = {}
    for card in made:
        out[f"cards/{file_of(card)}.txt"] = card.text + "\n"
        try:
            out[f"cards/{file_of(card)}.png"] = png(card)
        except DataError:
            continue
    if shapes is not None:
        out["cards/areas.gpkg"] = layered(made, shapes)
    return out | {
        "cards/posts.csv": posts(made),
        "cards/feed.xml": atom(made, day=day, title=title),
        "cards/open-data.csv": open_data(made),
        "cards/open-data-dictionary.csv": dictionary(),
    }


def file_of(card: Card) -> str:
    """A file's name of a card.

    >>> from peelian.account.trends import change
    >>> file_of(Card("E05000357", "Heston", 1, (), change(1, 1, least=9), None, None, "", ""))
    'e05000357'
    """
    return re.sub(r"[^a-z0-9]+", "-", card.id.lower()).strip("-")


def posts(made: Sequence[Card]) -> pd.DataFrame:
    """A post of at most 280 and one of at most 500 characters for every area, with the picture's words."""
    import pandas as pd

    rows = [
        (card.id, card.name, card.post(SHORT), card.post(LONG), f"{file_of(card)}.png", card.text)
        for card in made
    ]
    columns = ["area", "name", f"post of {SHORT}", f"post of {LONG}", "picture", "text alternative"]
    return pd.DataFrame(rows, columns=columns)


def open_data(made: Sequence[Card]) -> pd.DataFrame:
    """One row an area and twelve months, as published."""
    import pandas as pd

    from peelian.account.disclosure import HIDDEN

    rows = [
        (card.id, card.name, card.homes, end, HIDDEN if count is None else count,
         None if count is None or not card.homes else round(1000 * count / card.homes, 2))
        for card in made for end, count in card.blocks
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[name for name, _ in DICTIONARY])


def layered(made: Sequence[Card], shapes: gpd.GeoDataFrame) -> Layered:
    """The last twelve months by area as a map layer: a withheld count is empty and its reason is said."""
    from peelian.maps import Layered, Style

    held = {card.id: card for card in made if card.id in shapes.index}
    rows = shapes.loc[list(held)].copy()
    rows["name"] = [card.name for card in held.values()]
    rows["homes"] = [card.homes for card in held.values()]
    rows["months_to"] = [card.until for card in held.values()]
    rows["count"] = [float("nan") if card.now is None else float(card.now) for card in held.values()]
    rows["per_1000_homes"] = [float("nan") if card.rate is None else card.rate for card in held.values()]
    rows["reason"] = [WITHHELD if card.now is None else "" for card in held.values()]
    style = Style("per_1000_homes", "sequential", "Recorded per 1,000 homes, 12 months")
    return Layered({"areas": rows}, {"areas": style})


def dictionary() -> pd.DataFrame:
    """What each column of the open data holds."""
    import pandas as pd

    return pd.DataFrame(DICTIONARY, columns=["column", "what it holds"])


def atom(made: Sequence[Card], *, day: str, title: str) -> str:
    """An Atom feed (RFC 4287) of one entry an area; the same cards give the same text and the same ids."""
    ElementTree.register_namespace("", ATOM)
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "en-GB"})
    updated = f"{day}T00:00:00Z"
    _add(feed, "id", _urn(title))
    _add(feed, "title", title)
    _add(feed, "updated", updated)
    _add(ElementTree.SubElement(feed, f"{{{ATOM}}}author"), "name", "Peelian")
    for card in made:
        entry = ElementTree.SubElement(feed, f"{{{ATOM}}}entry")
        _add(entry, "id", _urn(f"{title}/{card.id}/{card.until}"))
        _add(entry, "title", f"{card.name}: {card.count} in the 12 months to {card.until}")
        _add(entry, "updated", updated)
        _add(entry, "summary", card.post(SHORT))
        _add(entry, "content", card.text)
    ElementTree.indent(feed)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(feed, encoding="unicode") + "\n"


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}").text = text


def _urn(text: str) -> str:
    """An identifier that stays: a UUID of the text."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:peelian:{text}')}"
