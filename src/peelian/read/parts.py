"""Parts: the checked rows of one file written as one Parquet file a force and month, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.read.store import REFUSED, ROWS
from peelian.read.street import NUMBERS, Part

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

NO_FORCE = "unknown"
PLAIN = ("id", "row", *NUMBERS, "text")  # columns whose values hardly repeat
GROUP = 500_000  # rows of a Parquet row group, and refused rows held at one time
WRITERS = 2  # parts written at one time


class Writer:
    """Takes the blocks of one file and writes its parts aside.

    ``aside``  folder to write into; ``force`` of rows that name none.

    A file of one block, force and month is written as it is. The blocks of any other are staged on disk,
    sorted by force and month, and each part is put together from its slices.
    """

    def __init__(self, aside: Path, force: str) -> None:
        self.aside, self.force = aside, force or NO_FORCE
        self.rows = self.refused = 0
        self.first: pa.Table | None = None
        self.stage: Stage | None = None
        self.lost: list[tuple[int, str, str]] = []
        self.spilled: list[Path] = []

    def add(self, part: Part) -> None:
        """Take a block's rows and its refused rows."""
        self.rows += part.lines
        self.refused += len(part.refused)
        self.lost += part.refused
        if len(self.lost) >= GROUP:
            self._spill()
        if not len(part.table):
            return
        table = _forced(part.table, self.force)
        if self.stage is None and self.first is None and _alone(table):
            self.first = table
            return
        if self.stage is None:
            self.stage = Stage(self.aside / "staged.arrow")
            if self.first is not None:
                self.stage.add(self.first)
                self.first = None
        self.stage.add(table)

    def close(self, tag: str) -> list[dict[str, Any]]:
        """The parts: where each lies aside, where it belongs, its force, month and rows."""
        parts = []
        if self.first is not None:
            _write(self.first, self.aside / "0.parquet")
            force, month = (self.first.column(name)[0].as_py() for name in ("force", "month"))
            parts.append(_part("0.parquet", force, month, len(self.first), tag))
        if self.stage is not None:
            parts += self.stage.close(self.aside, tag)
        if self.lost:
            self._spill()
        for k, path in enumerate(self.spilled):
            parts.append({"aside": path.name, "path": f"{REFUSED}/{tag}-{k}.parquet", "rows": 0})
        return parts

    def _spill(self) -> None:
        import pyarrow as pa

        kinds = (pa.int64(), pa.string(), pa.string())
        columns = zip(*self.lost, strict=True)
        arrays = [pa.array(list(column), kind) for column, kind in zip(columns, kinds, strict=True)]
        path = self.aside / f"refused-{len(self.spilled)}.parquet"
        _write(pa.table(arrays, names=["row", "reason", "text"]), path)
        self.spilled.append(path)
        self.lost = []


class Stage:
    """Blocks on disk as slices of one force and month; words as numbers, told once for the whole file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.words: dict[str, dict[str, int]] = {}
        self.slices: dict[tuple[int, int], list[int]] = {}
        self.sizes: dict[tuple[int, int], int] = {}
        self.writer: Any = None
        self.written = 0

    def add(self, table: pa.Table) -> None:
        """Stage a block."""
        import numpy as np
        import pyarrow as pa

        columns = {
            name: self._coded(name, table.column(name).combine_chunks()) for name in table.column_names
        }
        batch = pa.RecordBatch.from_pydict(columns)
        force, month = (np.asarray(columns[name], np.int64) for name in ("force", "month"))
        group = force << 32 | month
        order = np.argsort(group, kind="stable")
        batch, group = batch.take(pa.array(order)), group[order]
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        if self.writer is None:
            self.writer = pa.ipc.new_file(self.path, batch.schema)
        for begin, end in zip(starts, [*starts[1:], len(group)], strict=True):
            key = (int(group[begin] >> 32), int(group[begin] & 0xFFFFFFFF))
            self.writer.write_batch(batch.slice(begin, end - begin))
            self.slices.setdefault(key, []).append(self.written)
            self.sizes[key] = self.sizes.get(key, 0) + int(end - begin)
            self.written += 1

    def close(self, aside: Path, tag: str) -> list[dict[str, Any]]:
        """Write every part from its slices."""
        self.writer.close()
        names = {name: list(held) for name, held in self.words.items()}
        keys = sorted(self.slices, key=lambda key: (names["force"][key[0]], names["month"][key[1]]))
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda k: self._write_some(keys[k::WRITERS], aside), range(WRITERS)))
        self.path.unlink()
        return [
            _part(_file(key), names["force"][key[0]], names["month"][key[1]], self.sizes[key], tag)
            for key in keys
        ]

    def _coded(self, name: str, column: pa.Array) -> pa.Array:
        """A column of words as numbers that hold for the whole file; others as they are."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if not pa.types.is_dictionary(column.type):
            return column
        held = self.words.setdefault(name, {})
        code = [held.setdefault(word, len(held)) for word in column.dictionary.to_pylist()]
        return pc.take(pa.array(np.array(code, np.int32)), column.indices)

    def _write_some(self, keys: list[tuple[int, int]], aside: Path) -> None:
        import pyarrow as pa

        words = {name: pa.array(list(held), pa.string()) for name, held in self.words.items()}
        with pa.OSFile(str(self.path)) as file, pa.ipc.open_file(file) as staged:
            for key in keys:
                _write_all(self._tables(staged, self.slices[key], words), aside / _file(key))

    def _tables(self, staged: Any, slices: list[int], words: dict[str, pa.Array]) -> Iterator[pa.Table]:
        """The rows of a part in the order of the file, a row group at a time, with their words."""
        import pyarrow as pa
        import pyarrow.compute as pc

        batches: list[pa.RecordBatch] = []
        for k, at in enumerate(slices):
            batches.append(staged.get_batch(at))
            if k + 1 < len(slices) and sum(map(len, batches)) < GROUP:
                continue
            table = pa.Table.from_batches(batches).combine_chunks()
            batches = []
            yield pa.table(
                {
                    name: pc.take(words[name], table.column(name)) if name in words else table.column(name)
                    for name in table.column_names
                }
            )


def slug(word: str) -> str:
    """A word as the name of a folder.

    >>> slug("Devon & Cornwall Police")
    'devon-cornwall-police'
    """
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")


def _forced(table: pa.Table, otherwise: str) -> pa.Table:
    """The table with its ``force`` as the name of a folder: as reported, else as the file says."""
    import pyarrow as pa

    reported = table.column("reported_by").combine_chunks()
    words = [slug(word) or otherwise for word in reported.dictionary.to_pylist()]
    index = reported.indices.fill_null(len(words))
    force = pa.DictionaryArray.from_arrays(index, pa.array([*words, otherwise], pa.string()))
    return table.append_column("force", force.dictionary_decode().dictionary_encode())


def _alone(table: pa.Table) -> bool:
    """True where all rows are of one force and one month."""
    codes: list[np.ndarray] = [
        table.column(name).combine_chunks().indices.to_numpy() for name in ("force", "month")
    ]
    return all(bool((code == code[0]).all()) for code in codes)


def _part(aside: str, force: str, month: str, rows: int, tag: str) -> dict[str, Any]:
    path = f"{ROWS}/force={force}/month={month}/{tag}.parquet"
    return {"aside": aside, "path": path, "force": force, "month": month, "rows": rows}


def _file(key: tuple[int, int]) -> str:
    return f"{key[0]}-{key[1]}.parquet"


def _write(table: pa.Table, path: Path) -> None:
    _write_all(iter([table]), path)


def _write_all(tables: Iterator[pa.Table], path: Path) -> None:
    """One Parquet file, a row group a table."""
    writer: pq.ParquetWriter | None = None
    for table in tables:
        writer = writer or _opened(table, path)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _opened(table: pa.Table, path: Path) -> pq.ParquetWriter:
    import pyarrow.parquet as pq

    return pq.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=[name for name in table.column_names if name not in PLAIN],
        write_statistics=False,
        store_schema=False,
    )
