"""Licences: what each layer's licence asks to be printed, and which licences must be kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from peelian.layers import Layers

OGL = "Open Government Licence v3.0"
ODBL = "ODbL 1.0"
OS_LICENSED = "Ordnance Survey, by contract (not open data)"

# a word of the licence, in lower case -> what it asks to be printed beside every map and table
ATTRIBUTION = {
    "odbl": "© OpenStreetMap contributors, available under the Open Database Licence 1.0",
    "open database": "© OpenStreetMap contributors, available under the Open Database Licence 1.0",
    "ogl": "Contains public sector information licensed under the Open Government Licence v3.0",
    "open government": "Contains public sector information licensed under the Open Government Licence v3.0",
    "ordnance survey": "© Crown copyright and database rights, Ordnance Survey, under your own contract",
    "cc by": "Creative Commons Attribution: name the source given beside the layer",
}
SHARE_ALIKE = ("odbl", "open database", "cc by-sa", "share-alike", "sharealike")


def attribution(licence: str) -> str:
    """What a licence asks to be printed; the licence itself where it is none that we know.

    >>> attribution("OGL-UK-3.0")
    'Contains public sector information licensed under the Open Government Licence v3.0'
    """
    folded = licence.casefold()
    return next((words for word, words in ATTRIBUTION.items() if word in folded), licence or "not stated")


def share_alike(licence: str) -> bool:
    """Whether what is made of the data as a database must be given out under the same licence.

    >>> share_alike("ODbL 1.0"), share_alike("OGL 3")
    (True, False)
    """
    folded = licence.casefold()
    return any(word in folded for word in SHARE_ALIKE)


def attributions(layers: Layers) -> pd.DataFrame:
    """One row a licence: which layers are under it, what to print, and whether it is share-alike.

    Columns: ``licence``, ``attribution``, ``share_alike``, ``layers`` (names, joined by ``; ``).
    """
    import pandas as pd

    licences = sorted({layer.licence for layer in layers.values()})
    rows = [
        (
            licence or "not stated",
            attribution(licence),
            share_alike(licence),
            "; ".join(name for name, layer in layers.items() if layer.licence == licence),
        )
        for licence in licences
    ]
    return pd.DataFrame(rows, columns=["licence", "attribution", "share_alike", "layers"])
