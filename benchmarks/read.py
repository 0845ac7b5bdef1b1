"""Read: police.uk rows into a store and counted from there; points located in areas. Generated data."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import measure

if TYPE_CHECKING:
    import geopandas as gpd

    from peelian.places import Places

ROWS, NATIONAL = 5_000_000, 60_000_000
FORCES, POINTS = 43, 100_000  # distinct snap points: about what 5 million rows hold
POINTS_LOCATED, COLUMNS, LINES, VERTICES = 1_000_000, 100, 50, 70  # 5,000 areas of about 281 vertices
SEED = 1829
TYPES = (
    "Anti-social behaviour", "Bicycle theft", "Burglary", "Criminal damage and arson", "Drugs", "Other crime",
    "Other theft", "Possession of weapons", "Public order", "Robbery", "Shoplifting", "Theft from the person",
    "Vehicle crime", "Violence and sexual offences",
)  # fmt: skip
OUTCOMES = (
    "Investigation complete; no suspect identified", "Unable to prosecute suspect", "Under investigation",
    "Awaiting court outcome", "Local resolution",
)  # fmt: skip
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)


def read(runs: int) -> dict[str, object]:
    """5 million rows of 43 forces into a new store, and counted there by area, month and type."""
    return _stored(ROWS, runs)


def read_national(runs: int) -> dict[str, object]:
    """60 million rows (14 GB of CSV, made and deleted): minutes, so one run unless more are asked for."""
    return _stored(NATIONAL, 1 if runs <= 3 else runs)


def read_large_file(runs: int) -> dict[str, object]:
    """5 million rows in one CSV file, of all forces and months in no order."""
    return _stored(ROWS, runs, single=True)


def locate(runs: int) -> dict[str, object]:
    """1 million distinct points in 5,000 areas of about 281 vertices."""
    areas, points = ground(), scattered(POINTS_LOCATED)
    return {
        "n": POINTS_LOCATED,
        "areas": len(areas),
        **measure.function(lambda: areas.locate(points), runs=runs),
    }


def _stored(rows: int, runs: int, *, single: bool = False) -> dict[str, object]:
    """Both halves in processes of their own, so that the peak is theirs and not the generator's."""
    from peelian.read.store import Store

    with tempfile.TemporaryDirectory() as folder:
        source, store = Path(folder) / "source", Path(folder) / "store"
        made = archive(source, rows, single=single)
        run = [sys.executable, "-c"]
        ingest = f"from peelian.read.ingest import ingest; ingest({str(source)!r}, {str(store)!r})"
        stored = measure.process(
            [*run, ingest], runs=runs, before=lambda: shutil.rmtree(store, ignore_errors=True)
        )
        counted = measure.process([*run, _counting(store)], runs=runs)
        began = time.perf_counter()
        table = Store(store).counts()
        seconds = time.perf_counter() - began
        files = Store(store).files
        size = sum(path.stat().st_size for path in store.rglob("*.parquet"))
    if int(files["rows"].sum()) != made or int(table["count"].sum()) != int(files["accepted"].sum()):
        raise measure.CannotMeasure("The store does not hold the rows that were made.")
    return {
        "n": made, "files": len(files), "refused": int(files["refused"].sum()), **stored,
        "store_mib": round(size / 2**20), "count_rows": len(table), "count_seconds": round(seconds, 3),
        "count_process_seconds": counted["seconds"], "count_peak_mib": counted["peak_mib"],
    }  # fmt: skip


def _counting(store: Path) -> str:
    names = "from pathlib import Path; from peelian.read.store import Store"
    return f"{names}; Store(Path({str(store)!r})).counts()"


def archive(folder: Path, rows: int, *, single: bool = False) -> int:
    """An archive as data.police.uk lays it out, or one file of it all; returns the rows.

    About 8,300 rows a file, as real ones have on average; one file in a hundred has a row without a month.
    """
    import numpy as np

    draw = np.random.default_rng(SEED)
    months = max(1, round(rows / 8_300 / FORCES))
    names = [f"{2010 + m // 12}-{m % 12 + 1:02d}" for m in range(months)]
    each = [len(part) for part in np.array_split(np.arange(rows), months * FORCES)]
    pool = _pool(draw)
    folder.mkdir(parents=True, exist_ok=True)
    if single:
        return _one_file(folder / "all.csv", rows, names, pool, draw)
    made = 0
    for number, size in enumerate(each):
        month, force = names[number // FORCES], number % FORCES
        path = folder / month / f"{month}-force-{force:02d}-street.csv"
        path.parent.mkdir(exist_ok=True)
        at = draw.integers(0, POINTS // FORCES, size) * FORCES + force
        body = _lines(np.full(size, month, object), np.full(size, force), at, pool, draw)
        if number % 100 == 99:
            body = body.replace(b"," + month.encode() + b",", b",,", 1)
        path.write_bytes(HEADER.encode() + b"\n" + body)
        made += size
    return made


def _one_file(path: Path, rows: int, names: list[str], pool: dict[str, Any], draw: Any) -> int:
    import numpy as np

    months = np.array(names, object)
    with path.open("wb") as handle:
        handle.write(HEADER.encode() + b"\n")
        for begin in range(0, rows, 250_000):
            size = min(250_000, rows - begin)
            at = draw.integers(0, POINTS, size)
            handle.write(_lines(months[draw.integers(0, len(months), size)], at % FORCES, at, pool, draw))
    return rows


def _pool(draw: Any) -> dict[str, Any]:
    import numpy as np

    number = np.arange(POINTS)
    return {
        "longitude": np.round(draw.uniform(-3.0, 0.5, POINTS), 6),
        "latitude": np.round(draw.uniform(51.0, 54.5, POINTS), 6),
        "location": np.array([f"On or near Road {n % 40_000}" for n in number], object),
        "code": np.array([f"E010{n // 3:05d}" for n in number], object),
        "name": np.array([f"Town {n % 300} {n // 3 % 1000:03d}A" for n in number], object),
    }


def _lines(months: Any, forces: Any, at: Any, pool: dict[str, Any], draw: Any) -> bytes:
    """Rows of CSV; one in fifty has no coordinates and no code, one in six (anti-social) no id."""
    import io

    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    size = len(at)
    text = draw.bytes(32 * size).hex()
    offsets = np.arange(0, 64 * size + 1, 64, dtype=np.int32)
    ids = pa.StringArray.from_buffers(size, pa.py_buffer(offsets), pa.py_buffer(text.encode()))
    kind = draw.integers(0, len(TYPES), size)
    blank = draw.random(size) < 0.02

    def masked(values: Any, none: Any) -> pa.Array:
        return pa.array(values, mask=none)

    reported = np.array([f"Force {k:02d} Police" for k in range(FORCES)], object)[forces]
    columns = [
        pc.if_else(pa.array(kind == 0), pa.scalar(None, pa.string()), ids),
        pa.array(months), pa.array(reported), pa.array(reported),
        masked(pool["longitude"][at], blank), masked(pool["latitude"][at], blank),
        pa.array(np.where(blank, "No Location", pool["location"][at])),
        masked(pool["code"][at], blank), masked(pool["name"][at], blank),
        pa.array(np.array(TYPES, object)[kind]),
        masked(np.array(OUTCOMES, object)[draw.integers(0, len(OUTCOMES), size)], kind == 0),
        pa.nulls(size, pa.string()),
    ]  # fmt: skip
    out = io.BytesIO()
    table = pa.table(columns, names=HEADER.split(","))
    csv.write_csv(table, out, csv.WriteOptions(include_header=False, quoting_style="none"))
    return out.getvalue()


def ground() -> Places:
    """5,000 areas that share wavy edges."""
    import geopandas as gpd
    import numpy as np
    import shapely

    from peelian.places import Places

    side, at = 500.0, np.arange(VERTICES) / VERTICES

    def wave(column: int, row: int, way: int) -> Any:
        phase = np.random.default_rng([SEED, column, row, way]).uniform(0, 2 * np.pi, 4)
        turns = np.outer(at, np.arange(1, 5)) * 2 * np.pi
        return (np.sin(turns + phase) - np.sin(phase)).sum(axis=1) * side * 0.004

    def across(column: int, row: int) -> Any:
        return np.column_stack([(column + at) * side, row * side + wave(column, row, 0)])

    def up(column: int, row: int) -> Any:
        return np.column_stack([column * side + wave(column, row, 1), (row + at) * side])

    def back(line: Any, column: int, row: int) -> Any:
        return np.vstack([[[column * side, row * side]], line[:0:-1]])

    shapes = [
        shapely.Polygon(
            np.vstack(
                [across(c, r), up(c + 1, r), back(across(c, r + 1), c + 1, r + 1), back(up(c, r), c, r + 1)]
            )
        )
        for r in range(LINES)
        for c in range(COLUMNS)
    ]
    ids = [f"A{k:05d}" for k in range(len(shapes))]
    return Places.of(gpd.GeoDataFrame(index=ids, geometry=shapes, crs="EPSG:27700"))


def scattered(size: int) -> gpd.GeoSeries:
    """Points over those areas, no two the same."""
    import geopandas as gpd
    import numpy as np

    draw = np.random.default_rng(SEED)
    x, y = draw.uniform(0, COLUMNS * 500, size), draw.uniform(0, LINES * 500, size)
    return gpd.GeoSeries(gpd.points_from_xy(x, y), crs="EPSG:27700")
