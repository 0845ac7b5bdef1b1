"""Ordnance Survey Points of Interest: one layer for each class, category or group of the scheme."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, some
from peelian.layers import Layers
from peelian.read.areas import spatial
from peelian.read.features import ENDINGS
from peelian.read.layering import Refused, layered, placed, table
from peelian.read.licences import OS_LICENSED

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

Level = Literal["class", "category", "group"]
DIGITS = {"group": 2, "category": 4, "class": 8}
CODE = ("pointx_class", "pointx_classification_code", "classification_code")
EASTING, NORTHING = ("feature_easting", "easting"), ("feature_northing", "northing")
NO_CODE, NOT_ASKED = "classification is no eight-digit code", "its class was not asked for"


def os_poi(
    path: Path | str,
    *,
    level: Level = "class",
    codes: Iterable[str] = (),
    classes: Path | str | None = None,
    to: object = 27700,
    categories: Iterable[str] | None = None,
    minimum: int = 1,
    prefix: str = "",
    about: Mapping[str, Mapping[str, str]] | None = None,
    source: str = "Ordnance Survey Points of Interest",
    date: str = "",
    licence: str = OS_LICENSED,
) -> tuple[Layers, pd.DataFrame]:
    """One layer for every class of an Ordnance Survey Points of Interest extract.

    ``path``     the pipe-delimited text as supplied (columns are found by the header, whatever their order),
                 or a GeoPackage of it.
    ``level``    what becomes a layer: ``class`` (pubs, bars and inns), ``category`` (eating and drinking) or
                 ``group`` (accommodation, eating and drinking).
    ``codes``    only classes whose code begins so: ``01`` a group, ``0102`` a category, ``01020034`` a class.
    ``classes``  the classification lookup of the product, for names of all 600 classes. Without it, names
                 come from the extract's own columns (``classname``, ``categoryname``, ``groupname``) or from
                 the part of the scheme that is public, and what has no name is called by its code.
    The other arguments are those of ``features``.

    The classification is text: a code of seven digits has lost its leading zero in a spreadsheet and gets
    it back. Reference numbers are not kept: they change between editions, so that a premises cannot be
    followed by them. Every row is in a layer or refused with its reason.
    """
    held, refused = _text(path, to) if str(path).lower().endswith(ENDINGS) else _spatial(path, to)
    names = _names(classes)
    asked = tuple(codes)
    out = ~held["code"].str.startswith(asked) if asked else held["code"].isna()
    refused += [(int(row), NOT_ASKED, text) for row, text in held.loc[out, "text"].items()]
    held = held[~out]
    cut = held["code"].str[: DIGITS[level]]
    own = held.get(f"{level}name")
    said = cut.map(names[level])
    held = held.assign(category=(said if own is None else own.fillna(said)).fillna(f"{level} " + cut))
    return layered(
        held, refused, path, categories=categories, minimum=minimum, prefix=prefix, about=about,
        source=source, date=date, licence=licence,
    )  # fmt: skip


def _text(path: Path | str, to: object) -> tuple[gpd.GeoDataFrame, Refused]:
    read, frame = table(path, (), what="an Ordnance Survey Points of Interest file")
    code, x, y = (_first(frame, names, path) for names in (CODE, EASTING, NORTHING))
    frame["code"], frame["category"] = _eight(frame[code]), "any"
    frame["text"] = _brief(frame, code)
    faults = frame["code"].isna().map({True: NO_CODE, False: None}).astype("str")
    held, refused = placed(frame, frame[x], frame[y], crs=27700, to=to, path=path, faults=faults)
    return held, [*read.refused, *refused]


def _spatial(path: Path | str, to: object) -> tuple[gpd.GeoDataFrame, Refused]:
    import pandas as pd

    frame = spatial(path)
    frame = frame.rename(columns={name: str(name).casefold() for name in frame.columns})
    frame = frame.set_geometry("geometry").to_crs(to)
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    code = _first(frame, CODE, path)
    frame["code"] = _eight(frame[code].astype("str").where(frame[code].notna()))
    frame["text"] = _brief(frame, code)
    empty = frame.geometry.isna() | frame.geometry.is_empty
    wrong = frame["code"].isna() | empty
    why = empty.map({True: "no shape", False: NO_CODE})
    refused = [(int(k), str(why[k]), str(frame.at[k, "text"])) for k in frame.index[wrong]]
    return frame[~wrong], refused


def _first(frame: pd.DataFrame, names: tuple[str, ...], path: Path | str) -> str:
    for name in names:
        if name in frame:
            return name
    raise DataError(
        f"{path}: is not an Ordnance Survey Points of Interest file: it has no column {names[0]}; it has "
        f"{some(list(frame.columns), 40)}."
    )


def _brief(frame: pd.DataFrame, code: str) -> pd.Series:
    """What tells a refused row apart, without the premises' name, address or telephone."""
    number = frame["ref_no"].astype("str") if "ref_no" in frame else frame.index.astype("str")
    return "ref_no " + number.fillna("") + "|" + frame[code].astype("str").fillna("")


def _eight(codes: pd.Series) -> pd.Series:
    """Codes as eight digits of text, missing where they are none."""
    text = codes.str.strip().str.removesuffix(".0")
    return text.where(text.str.fullmatch(r"\d{7,8}").fillna(False)).str.zfill(8)


def _names(classes: Path | str | None) -> dict[str, dict[str, str]]:
    names = tomllib.loads((files(__package__) / "os_poi.toml").read_text("utf-8"))
    if classes is None:
        return names
    _, frame = table(classes, (), what="a classification lookup")
    found: dict[str, tuple[str, str]] = {}
    for level in DIGITS:
        code = next((c for c in frame if level in c and ("number" in c or "code" in c)), None)
        words = next((c for c in frame if level in c and ("description" in c or "name" in c)), None)
        if code and words:
            found[level] = (code, words)
    if "class" not in found:
        raise DataError(
            f"{classes}: is no classification lookup: it needs columns such as class_code and "
            f"class_description; it has {some(list(frame.columns), 20)}."
        )
    for row in frame.to_dict("records"):
        whole = ""
        for level, (code, words) in found.items():
            digits = str(row[code])
            wide = DIGITS[level] - DIGITS[{"category": "group", "class": "category"}.get(level, level)]
            whole = (
                digits.zfill(DIGITS[level]) if len(digits) > (wide or 2) else whole + digits.zfill(wide or 2)
            )
            names[level][whole] = str(row[words])
    return names
