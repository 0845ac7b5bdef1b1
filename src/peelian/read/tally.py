"""Tally: the parts of a store counted by area, month and type, each part by itself and then put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from peelian.places import Places

CHUNK = 1_000_000  # distinct points located at one time
DENSE = 100_000_000  # places x months x types that are counted in one array; beyond it the rows are sorted
WORDS = ("place", "month", "type")
READERS = 2  # parts read at one time
WGS84 = 4326


@dataclass(frozen=True, eq=False)
class Located:
    """Distinct points in order, as complex numbers; the place of each as a number of ``names``, or -1."""

    points: np.ndarray
    code: np.ndarray
    names: list[str]


def tally(
    paths: list[str], *, located: Located | None = None, types: Iterable[str] | None = None
) -> pd.DataFrame:
    """Counts above zero by place, month and type, over Parquet files of accepted rows.

    By the area code of each row, or by where its point is ``located``. Three whole numbers a row are held at
    one time, and never the rows.
    """
    import numpy as np

    wanted = WORDS if located is None else ("longitude", "latitude", "fault", "month", "type")
    found: dict[str, list[pa.Array]] = {name: [] for name in WORDS}
    for table in _tables(paths, list(wanted)):
        for name in WORDS:
            placed = name == "place" and located is not None
            found[name] += [_placed(table, located)] if placed else table.column(name).chunks  # type: ignore[arg-type]
    coded = [_coded(found[name]) for name in WORDS]
    found.clear()
    sizes = tuple(len(texts) + 1 for _, texts in coded)  # the last of each: missing
    key = np.ravel_multi_index(tuple(code for code, _ in coded), sizes)
    labels = [texts for _, texts in coded]
    del coded
    if np.prod(sizes) <= DENSE:
        count = np.bincount(key)
        held = np.flatnonzero(count)
        count = count[held]
    else:
        held, count = np.unique(key, return_counts=True)
    return _frame(np.unravel_index(held, sizes), count, labels, None if types is None else set(types))


def locate(paths: list[str], places: Places) -> Located:
    """The place of each distinct point of these files, located once, a million at a time."""
    import geopandas as gpd
    import numpy as np

    found = [np.empty(0, complex)]
    for table in _tables(paths, ["longitude", "latitude", "fault"]):
        found.append(np.unique(_points(table)))
    points = np.unique(np.concatenate(found))
    points = points[~np.isnan(points)]
    code = [np.empty(0, np.int32)]
    for at in range(0, len(points), CHUNK):
        part = points[at : at + CHUNK]
        found_in = places.locate(gpd.GeoSeries(gpd.points_from_xy(part.real, part.imag), crs=WGS84))
        code.append(places.index.get_indexer(found_in).astype(np.int32))
    return Located(points, np.concatenate(code), list(places.index))


def _tables(paths: list[str], columns: list[str]) -> Iterator[pa.Table]:
    """The tables of files, in their order, read a few ahead."""
    import pyarrow.parquet as pq

    words = [name for name in columns if name not in ("longitude", "latitude")]

    def read(path: str) -> pa.Table:
        with pq.ParquetFile(path, read_dictionary=words, memory_map=True) as file:
            return file.read(columns=columns, use_threads=False).combine_chunks()

    with ThreadPoolExecutor(READERS) as pool:
        for begin in range(0, len(paths), 64):  # a few at a time, so that memory is bounded
            yield from pool.map(read, paths[begin : begin + 64])


def _points(table: pa.Table) -> np.ndarray:
    """The points of a table as complex numbers; not a number where there is none that can be used."""
    import numpy as np

    x, y = (table.column(name).to_numpy() for name in ("longitude", "latitude"))
    point = x + 1j * y
    point[table.column("fault").is_valid().to_numpy() | np.isnan(x) | np.isnan(y)] = np.nan
    return point


def _placed(table: pa.Table, located: Located) -> pa.Array:
    """The place of each row's point, as a dictionary."""
    import numpy as np
    import pyarrow as pa

    point = _points(table)
    known = ~np.isnan(point)
    code = np.zeros(len(point), np.int32)
    code[known] = located.code[np.searchsorted(located.points, point[known])]
    return pa.DictionaryArray.from_arrays(
        pa.array(code, mask=~known | (code < 0)), pa.array(located.names, pa.string())
    )


def _coded(chunks: list[pa.Array]) -> tuple[np.ndarray, list[str]]:
    """Numbers in alphabetical order of the texts, one past the last where missing; and the texts."""
    import numpy as np
    import pyarrow as pa

    kind = pa.dictionary(pa.int32(), pa.string())
    whole = pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind).unify_dictionaries()
    if not whole.num_chunks:
        return np.empty(0, np.int64), []
    texts = whole.chunk(0).dictionary.to_pylist()
    order = np.argsort(np.array(texts, object), kind="stable")
    rank = np.empty(len(texts) + 1, np.int32)
    rank[order] = np.arange(len(texts))
    rank[-1] = len(texts)
    parts = [rank[chunk.indices.fill_null(len(texts)).to_numpy()] for chunk in whole.chunks]
    return np.concatenate(parts), [texts[at] for at in order]


def _frame(
    at: tuple[np.ndarray, ...], count: np.ndarray, labels: list[list[str]], types: set[str] | None
) -> pd.DataFrame:
    """The counts as a table, in order of place, month and type; missing places last."""
    import numpy as np
    import pandas as pd

    columns = {
        name: pd.Categorical.from_codes(np.where(codes < len(texts), codes, -1), texts, ordered=True)
        for name, codes, texts in zip(WORDS, at, labels, strict=True)
    }
    frame = pd.DataFrame(columns | {"count": count})
    return frame if types is None else frame[frame["type"].isin(types)].reset_index(drop=True)
