"""Layering: rows with a category and a shape, whatever file they came from, as one layer a category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from peelian.errors import DataError, some
from peelian.layers import Kind, Layer, Layers, Operations, Sign
from peelian.read.coordinates import points
from peelian.read.files import rejected_frame
from peelian.read.licences import share_alike
from peelian.read.rows import Rows, trimmed
from peelian.read.tabular import tabular

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

CHOICES = {"kind": get_args(Kind), "sign": get_args(Sign), "operations": get_args(Operations)}
ABOUT = ("kind", "sign", "operations", "name")
KEPT = ("weight", "open_from", "open_to")
NO_CATEGORY, NO_COORDINATES = "no category", "no coordinates"
Refused = list[tuple[int, str, str]]


def layered(
    held: gpd.GeoDataFrame,
    refused: Refused,
    path: Path | str,
    *,
    categories: Iterable[str] | None = None,
    minimum: int = 1,
    prefix: str = "",
    kind: Kind = "environment",
    sign: Sign = "aggravating",
    operations: Operations = "both",
    about: Mapping[str, Mapping[str, str]] | None = None,
    source: str = "",
    date: str = "",
    licence: str = "",
) -> tuple[Layers, pd.DataFrame]:
    """One layer for every category, and every row that is in none, with the reason.

    ``held``     GeoDataFrame in metres, index = the row's number in its file: ``category``, ``text`` (the row
                 as it stood), optional ``weight``, ``open_from``, ``open_to`` (months as text), and
                 ``says X`` where the words for source, date or licence name a column X.
    ``refused``  (row, reason, text) of the rows that are not in ``held``.
    The other arguments are those of ``features``. Where rows of one category are under a share-alike licence
    and others are not, they are two layers, so that one licence never spreads to the other's rows.
    """
    about = dict(about or {})
    _check_about(about, {"kind": kind, "sign": sign, "operations": operations}, path)
    held, unasked = _chosen(_apart(held, licence), categories, minimum, path)
    made = []
    for word, part in held.groupby("category", sort=True):
        own = about.get(str(word), {})
        columns = [name for name in KEPT if name in part and part[name].notna().any()]
        made.append(
            Layer(
                prefix + own.get("name", str(word)),
                part[[*columns, "geometry"]].reset_index(drop=True),
                own.get("kind", kind),  # type: ignore[arg-type]
                own.get("sign", sign),  # type: ignore[arg-type]
                own.get("operations", operations),  # type: ignore[arg-type]
                *(_words(part, text) for text in (source, date, licence)),
            )
        )
    name = Path(path).name
    return Layers.of(made), rejected_frame([(name, *row) for row in [*refused, *unasked]])


def opened(path: Path | str) -> tuple[Rows, pd.DataFrame]:
    """The rows of a table on their numbers, columns as the header has them (the first of two of one name)."""
    read = tabular(path)
    frame = trimmed(read.table).to_pandas().set_index("row")
    frame.columns = list(read.header)
    return read, frame.loc[:, ~frame.columns.duplicated()].astype("str")


def table(path: Path | str, needed: Iterable[str], *, what: str) -> tuple[Rows, pd.DataFrame]:
    """The rows of a CSV file on their numbers, columns in lower case; ``DataError`` unless it is ``what``.

    ``needed``  columns (in lower case) by which the layout is known.
    """
    read, frame = opened(path)
    frame.columns = [name.casefold() for name in frame.columns]
    frame = frame.loc[:, ~frame.columns.duplicated()]
    lacking = [name for name in needed if name not in frame]
    if lacking:
        raise DataError(
            f"{path}: is not {what}: it has no column {some(lacking)}; it has "
            f"{some(read.header, 40) or 'none: it is empty'}."
        )
    return read, frame


def placed(
    frame: pd.DataFrame,
    x: pd.Series,
    y: pd.Series,
    *,
    crs: object,
    to: object,
    path: Path | str,
    faults: pd.Series | None = None,
) -> tuple[gpd.GeoDataFrame, Refused]:
    """Rows with a point, and those without, with the reason.

    ``frame``   on row numbers: ``category``, ``text`` and what ``layered`` keeps.
    ``faults``  reasons known already (missing where none); they come before those of the coordinates.
    """
    import geopandas as gpd

    shapes, fault = points(x, y, crs=crs, to=to, name=str(path))
    fault = fault.where(x.notna() | y.notna(), NO_COORDINATES)
    fault = fault.where(frame["category"].notna(), NO_CATEGORY)
    if faults is not None:
        fault = faults.where(faults.notna(), fault)
    held = gpd.GeoDataFrame(frame, geometry=shapes, crs=shapes.crs)
    wrong = fault.notna()
    refused = list(
        zip(wrong.index[wrong].astype(int), fault[wrong].astype(str), held["text"][wrong], strict=True)
    )
    return held[~wrong], [(int(row), why, str(text)) for row, why, text in refused]


def _check_about(about: Mapping[str, Mapping[str, str]], whole: dict[str, str], path: Path | str) -> None:
    for word, own in [("every category", whole), *about.items()]:
        unknown = [key for key in own if key not in ABOUT]
        if unknown:
            raise DataError(f"{path}: about {word} says {some(unknown)}; expected {', '.join(ABOUT)}.")
        for key, known in CHOICES.items():
            if key in own and own[key] not in known:
                raise DataError(f"{path}: {key} of {word} is {own[key]!r}; expected {', '.join(known)}.")


def _apart(held: gpd.GeoDataFrame, licence: str) -> gpd.GeoDataFrame:
    """Share-alike rows under a category of their own, where a category has rows of both sorts."""
    column = f"says {licence}"
    if column not in held:
        return held
    alike = held[column].fillna("").map(share_alike).astype(bool)
    mixed = alike.groupby(held["category"]).transform("nunique").eq(2)
    return held.assign(category=held["category"].where(~(mixed & alike), held["category"] + " (ODbL)"))


def _words(part: pd.DataFrame, text: str) -> str:
    """What the rows of a layer say in a column, or the words themselves."""
    if f"says {text}" not in part:
        return text
    said = sorted(part[f"says {text}"].dropna().unique())
    return some(said, 4)


def _chosen(
    held: gpd.GeoDataFrame, categories: Iterable[str] | None, minimum: int, path: Path | str
) -> tuple[gpd.GeoDataFrame, list[tuple[int, str, str]]]:
    """The rows of the categories asked for, and the others with the reason they were left out."""
    counts = held["category"].value_counts()
    wanted = list(counts.index) if categories is None else list(categories)
    missing = [word for word in wanted if word not in counts.index]
    if missing:
        raise DataError(
            f"{path}: no feature is of category {some(missing)}; there are {some(sorted(counts.index), 60)}."
        )
    asked = held["category"].isin(wanted)
    enough = held["category"].map(counts).ge(minimum)
    refused = [
        (int(n), f"category {word} was not asked for", text)
        for n, word, text in zip(
            held.index[~asked], held["category"][~asked], held["text"][~asked], strict=True
        )
    ]
    few = asked & ~enough
    refused += [
        (int(n), f"category {word} has fewer than {minimum} features", text)
        for n, word, text in zip(held.index[few], held["category"][few], held["text"][few], strict=True)
    ]
    return held[asked & enough], refused
