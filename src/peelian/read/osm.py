"""OpenStreetMap: features by their tags, one layer a category of a curated table, under the ODbL."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, some
from peelian.layers import Layers
from peelian.places import require_metres
from peelian.read.areas import spatial
from peelian.read.coordinates import system
from peelian.read.files import present
from peelian.read.layering import Refused, layered
from peelian.read.licences import ODBL

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

LAYERS = ("points", "lines", "multipolygons")  # of GDAL's OSM driver, in the order they are numbered
PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
UNNAMED, TWICE, NO_SHAPE = "no category of the table", "drawn as a point and as an area too", "no shape"
Tags = dict[str, list[tuple[str, str]]]


def osm(
    path: Path | str,
    *,
    tags: Path | str | None = None,
    shapes: Literal["points", "as drawn"] = "points",
    to: object = 27700,
    categories: Iterable[str] | None = None,
    minimum: int = 1,
    prefix: str = "",
    about: Mapping[str, Mapping[str, str]] | None = None,
    source: str = "OpenStreetMap",
    date: str = "",
    licence: str = ODBL,
) -> tuple[Layers, pd.DataFrame]:
    """One layer for every category of features in an OpenStreetMap extract.

    ``path``    ``.osm.pbf`` or ``.osm`` through GDAL, or GeoJSON of it (tags as properties, or in ``tags``).
    ``tags``    a TOML file whose ``[category]`` table says which tags make which category, as in
                ``pub = ["amenity=pub", "amenity=bar"]``; our own table of 47 categories without it.
    ``shapes``  ``points``: areas become a point inside them, so that a pub is one place however it was drawn;
                ``as drawn`` keeps areas. Lines (footpaths, main roads) stay lines.
    The other arguments are those of ``features``.

    A point inside an area of the same category is refused as drawn twice. Of GeoJSON, every feature is in a
    layer or refused with its reason; of ``.osm`` and ``.pbf``, features without a tag of the table are left
    in the file and not listed, as nearly all are. Premises that were tagged closed are not read.

    The licence is share-alike: keep these layers apart from others in what you give away.
    """
    table = _tags(tags)
    native = Path(path).name.lower().endswith((".pbf", ".osm", ".osm.gz", ".osm.bz2"))
    frame = _native(Path(path), table) if native else _geojson(Path(path), table)
    held, refused = _sorted_out(frame, shapes, to, path, list_unnamed=not native)
    return layered(
        held, refused, path, categories=categories, minimum=minimum, prefix=prefix, about=about,
        source=source, date=date, licence=licence,
    )  # fmt: skip


def tag_table(tags: Path | str | None = None) -> dict[str, list[str]]:
    """Which tags make which category: ours, or those of a TOML file with a ``[category]`` table.

    >>> tag_table()["takeaway"]
    ['amenity=fast_food', 'shop=takeaway']
    """
    if tags is None:
        held = tomllib.loads((files(__package__) / "osm.toml").read_text("utf-8"))
    else:
        try:
            held = tomllib.loads(Path(tags).read_text("utf-8-sig"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DataError(f"{tags}: cannot be read as TOML ({error}).") from error
    table = held.get("category")
    if not isinstance(table, dict) or not table:
        raise DataError(f'{tags}: needs a [category] table, such as pub = ["amenity=pub", "amenity=bar"].')
    for name, pairs in table.items():
        wrong = [pair for pair in (pairs if isinstance(pairs, list) else [pairs]) if not _is_pair(pair)]
        if wrong or not isinstance(pairs, list):
            raise DataError(
                f'{tags}: {name} = {some(wrong or [pairs])}; expected a list such as ["shop=alcohol"].'
            )
    return table


def _is_pair(pair: object) -> bool:
    return isinstance(pair, str) and re.fullmatch(r"[\w:]+=[^=]+", pair) is not None


def _tags(tags: Path | str | None) -> Tags:
    pairs = {name: [pair.partition("=") for pair in held] for name, held in tag_table(tags).items()}
    return {name: [(key, value) for key, _, value in held] for name, held in pairs.items()}


def _native(path: Path, table: Tags) -> gpd.GeoDataFrame:
    """The features of an OSM file that have a key of the table, from each of GDAL's layers."""
    from peelian.read.drivers import guard

    guard(path)  # before pyogrio is imported: see there
    import geopandas as gpd
    import pandas as pd
    import pyogrio

    present(path)
    if "OSM" not in pyogrio.list_drivers():
        raise DataError(f"{path}: this GDAL has no OSM driver. Convert the file to GeoJSON first.")
    keys = sorted({key for pairs in table.values() for key, _ in pairs})
    parts = []
    for layer in LAYERS:
        try:
            fields = list(pyogrio.read_info(path, layer=layer)["fields"])
            where = " OR ".join(
                f"{key} IS NOT NULL" if key in fields else f"other_tags LIKE '%\"{key}\"=>%'" for key in keys
            )
            part = pyogrio.read_dataframe(path, layer=layer, where=where)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
            raise DataError(f"{path}: is no OpenStreetMap file that GDAL can read ({error}).") from error
        ids = part.get("osm_id", part.iloc[:, 0]).astype("str").fillna("")
        if "osm_way_id" in part:
            ids = ids.where(part["osm_id"].notna(), "way " + part["osm_way_id"].astype("str"))
        words = {"category": _category(part, table), "text": layer + " " + ids}
        parts.append(gpd.GeoDataFrame(words, geometry=part.geometry.to_numpy(), crs=4326))
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=4326)


def _geojson(path: Path, table: Tags) -> gpd.GeoDataFrame:
    import geopandas as gpd

    part = spatial(path)
    part = part.set_crs(4326) if part.crs is None else part
    ids = part["id"].astype("str") if "id" in part else part.index.astype("str")
    words = {"category": _category(part, table), "text": "feature " + ids}
    return gpd.GeoDataFrame(words, geometry=part.geometry.to_numpy(), crs=part.crs)


def _category(part: gpd.GeoDataFrame, table: Tags) -> pd.Series:
    """The first category of the table that a feature's tags fit, missing where none does."""
    import pandas as pd

    held: list[dict[str, str]] = [{} for _ in range(len(part))]
    for column, read in (("tags", _json_tags), ("other_tags", _other_tags)):
        if column in part:
            held = [tags | read(text) for tags, text in zip(held, part[column], strict=True)]
    found = pd.Series(None, index=part.index, dtype="object")
    columns = {}
    for key in {key for pairs in table.values() for key, _ in pairs}:
        inner = pd.Series([tags.get(key) for tags in held], index=part.index, dtype="object")
        columns[key] = part[key].astype("object").where(part[key].notna(), inner) if key in part else inner
    for name, pairs in table.items():
        for key, value in pairs:
            fits = columns[key].notna() if value == "*" else columns[key].eq(value)
            found[found.isna() & fits] = name
    return found.astype("str")


def _other_tags(text: object) -> dict[str, str]:
    """GDAL's ``"key"=>"value"`` pairs."""
    if not isinstance(text, str):
        return {}
    return {key: value.replace('\\"', '"').replace("\\\\", "\\") for key, value in PAIR.findall(text)}


def _json_tags(value: object) -> dict[str, str]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return {}
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def _sorted_out(
    frame: gpd.GeoDataFrame, shapes: str, to: object, path: Path | str, *, list_unnamed: bool
) -> tuple[gpd.GeoDataFrame, Refused]:
    import numpy as np
    import pandas as pd

    target = system(to, str(path))
    require_metres(target, str(path))
    frame = frame.to_crs(target)
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    if not list_unnamed:
        frame = frame[frame["category"].notna()]
    reason: Any = pd.Series(None, index=frame.index, dtype="object")
    reason[_inside_its_area(frame)] = TWICE
    reason[frame.geometry.isna() | frame.geometry.is_empty] = NO_SHAPE
    reason[frame["category"].isna()] = UNNAMED
    wrong = reason.notna()
    refused = [(int(k), str(reason[k]), str(frame.at[k, "text"])) for k in frame.index[wrong]]
    held = frame[~wrong]
    if shapes == "points":
        solid = held.geometry.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy()
        drawn = np.asarray(held.geometry.to_numpy(), object)
        drawn[solid] = held.geometry[solid].representative_point().to_numpy()
        held = held.set_geometry(pd.Series(drawn, held.index).to_numpy(), crs=target)
    return held, refused


def _inside_its_area(frame: gpd.GeoDataFrame) -> pd.Index:
    """Points that lie in an area of their own category."""
    kinds = frame.geometry.geom_type
    dots = frame[kinds.eq("Point") & frame["category"].notna()]
    solid = frame[kinds.isin(["Polygon", "MultiPolygon"]) & frame["category"].notna()]
    if dots.empty or solid.empty:
        return frame.index[:0]
    dot, area = solid.sindex.query(dots.geometry, predicate="intersects")
    same = dots["category"].to_numpy()[dot] == solid["category"].to_numpy()[area]
    return dots.index[sorted(set(dot[same]))]
