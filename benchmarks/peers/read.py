"""Peers of reading and locating: pandas on the same files, geopandas on the same points."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import read as own
from benchmarks.peers.stand import Comparison, Job, ours, python, same, timed, version

ROWS = 1_000_000
COLUMNS = ("Month", "LSOA code", "Crime type")


def _pandas() -> Comparison:
    import pandas as pd

    from peelian.read.ingest import ingest
    from peelian.read.store import Store

    with tempfile.TemporaryDirectory() as folder:
        source, stores = Path(folder) / "source", iter(Path(folder) / f"store-{k}" for k in range(9))
        own.archive(source, ROWS)

        def mine() -> pd.DataFrame:
            store = next(stores)
            ingest(str(source), str(store))
            return Store(store).counts()

        def theirs() -> pd.Series:
            files = sorted(source.rglob("*.csv"))
            rows = pd.concat([pd.read_csv(path, usecols=COLUMNS) for path in files], ignore_index=True)
            return rows.dropna().groupby(list(COLUMNS)).size()

        here, there = ours(mine), timed(theirs)
    held = here.value.dropna()
    counts = held[held["count"] > 0]["count"]
    checks = [same("rows counted by area, month and kind", counts.sum(), there.value.sum(), 0)]
    note = "here every row is also checked and kept as Parquet; there three columns are read and counted"
    return Comparison(here.seconds, there.seconds, version("pandas"), checks, note)


def _sjoin() -> Comparison:
    import geopandas as gpd

    areas, points = own.ground(), own.scattered(own.POINTS_LOCATED)
    mine = ours(lambda: areas.locate(points))
    frame = gpd.GeoDataFrame(geometry=points)
    theirs = timed(lambda: gpd.sjoin(frame, areas.frame[["geometry"]], predicate="within", how="left"))
    found = theirs.value.iloc[:, -1].reindex(points.index)
    differ = (found.fillna("").astype(str).to_numpy() != mine.value.fillna("").astype(str).to_numpy()).sum()
    check = same("points of 1,000,000 that lie elsewhere", differ, 0, 0)
    return Comparison(mine.seconds, theirs.seconds, version("geopandas"), [check])


READ = (Job("1,000,000 rows of police.uk files, counted", "pandas read_csv", _pandas, python("pandas")),)
LOCATE = (Job("1,000,000 points in 5,000 areas", "geopandas sjoin", _sjoin, python("geopandas")),)
