"""Tally: the parts of a store counted by area, month and type, one month after another."""

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
DENSE = 50_000_000  # places x types that are counted in one array; beyond it the rows are sorted
READERS = 2  # parts read at one time
WGS84 = 4326


@dataclass(frozen=True, eq=False)
class Located:
    """Distinct points in order, as complex numbers; the place of each as a number of ``names``, or -1."""

    points: np.ndarray
    code: np.ndarray
    names: list[str]


def tally(
    parts: list[tuple[str, str]], *, located: Located | None = None, types: Iterable[str] | None = None
) -> pd.DataFrame:
    """Counts above zero by place, month and type, over Parquet files of accepted rows of one month each.

    ``parts``  path and month of each file. A row's place is its area code, or where its point is ``located``.

    Months are counted one after another, so that the rows of one are in memory at a time, and the counts.
    """
    months = sorted({month for _, month in parts})
    places, kinds = Words(located.names if located else ()), Words(())
    counted = []
    for month in months:
        counted.append(_month([path for path, held in parts if held == month], places, kinds, located))
    return _frame(counted, months, places, kinds, None if types is None else set(types))


class Words:
    """Texts as numbers in the order in which they were met; the last number of all stands for none."""

    def __init__(self, first: Iterable[str]) -> None:
        self.held = {word: at for at, word in enumerate(first)}

    def codes(self, chunks: list[pa.Array]) -> np.ndarray:
        """The numbers of dictionary chunks, -1 where missing."""
        import numpy as np

        found = [np.empty(0, np.int32)]
        for chunk in chunks:
            known = [self.held.setdefault(word, len(self.held)) for word in chunk.dictionary.to_pylist()]
            of = np.array([*known, -1], np.int32)
            found.append(of[chunk.indices.fill_null(len(known)).to_numpy()])
        return np.concatenate(found)

    @property
    def ranks(self) -> np.ndarray:
        """The place of each number in alphabetical order; missing (-1, the last) comes last."""
        import numpy as np

        order = np.argsort(np.array(list(self.held), object), kind="stable")
        rank = np.empty(len(self.held) + 1, np.int32)
        rank[order] = np.arange(len(self.held))
        rank[-1] = len(self.held)
        return rank


Counted = tuple["np.ndarray", "np.ndarray", "np.ndarray"]


def _month(paths: list[str], places: Words, kinds: Words, located: Located | None) -> Counted:
    """Place, type and count of one month, in no order that matters."""
    import numpy as np

    wanted = ["type", "place"] if located is None else ["type", "longitude", "latitude", "fault"]
    place, kind = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    for table in _tables(paths, wanted):
        chunks = table.column("place").chunks if located is None else [_placed(table, located)]
        place.append(places.codes(chunks))
        kind.append(kinds.codes(table.column("type").chunks))
    wide = len(kinds.held) + 1
    key = (np.concatenate(place).astype(np.int64) + 1) * wide + np.concatenate(kind) + 1
    held, count = _counts(key, (len(places.held) + 1) * wide)
    return (held // wide - 1).astype(np.int32), (held % wide - 1).astype(np.int32), count


def _counts(key: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The distinct keys in order, and how often each stands."""
    import numpy as np

    if size > DENSE:
        held, count = np.unique(key, return_counts=True)
        return held, count.astype(np.int32)
    dense = np.bincount(key)
    held = np.flatnonzero(dense)
    return held, dense[held].astype(np.int32)


def _frame(
    counted: list[Counted], months: list[str], places: Words, kinds: Words, types: set[str] | None
) -> pd.DataFrame:
    """The counts as a table, in order of place, month and type; missing places last.

    Each month's counts are in order by themselves, so that where a place's begin in the table is known from
    how many each place has: they are laid there, and nothing is sorted.
    """
    import numpy as np
    import pandas as pd

    of_place, of_kind = places.ranks, kinds.ranks
    each = [np.bincount(of_place[place], minlength=len(of_place)) for place, _, _ in counted]
    free = np.concatenate([[0], np.cumsum(np.sum(each, axis=0))[:-1]]) if each else np.empty(0)
    total = sum(len(count) for _, _, count in counted)
    where = np.empty(total, np.int32)
    when, what = np.empty(total, np.int16), np.empty(total, np.int16 if len(of_kind) < 2**15 else np.int32)
    number = np.empty(total, np.int64)
    for at in range(len(months)):
        place, kind, count = counted[at]
        counted[at] = (place[:0], kind[:0], count[:0])  # let go of
        order = np.argsort(of_place[place].astype(np.int64) * len(of_kind) + of_kind[kind])
        rank = of_place[place][order]
        begins = np.concatenate([[0], np.cumsum(each[at])[:-1]])
        to = (free[rank] + np.arange(len(rank)) - begins[rank]).astype(np.int64)
        where[to], when[to], what[to], number[to] = rank, at, of_kind[kind][order], count[order]
        free += each[at]
    columns = {
        "place": _categories(where, sorted(places.held)),
        "month": _categories(when, months),
        "type": _categories(what, sorted(kinds.held)),
        "count": number,
    }
    frame = pd.DataFrame(columns, copy=False)
    return frame if types is None else frame[frame["type"].isin(types)].reset_index(drop=True)


def _categories(rank: np.ndarray, texts: list[str]) -> pd.Categorical:
    """Ranks as categories; one past the last is missing."""
    import pandas as pd

    rank[rank == len(texts)] = -1
    return pd.Categorical.from_codes(rank, texts, ordered=True)


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
