"""The store on real files of data.police.uk, and the location of real points in real areas."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.places import Places
from peelian.read.ingest import ingest
from peelian.read.police_uk import reading
from peelian.read.store import Store


@pytest.fixture(scope="module")
def source(shared: Path) -> Path:
    return shared / "data" / "uk" / "city_of_london_street" / "raw"


@pytest.fixture(scope="module")
def store(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return ingest(source, tmp_path_factory.mktemp("national") / "store")


@pytest.fixture(scope="module")
def lsoa(shared: Path) -> Places:
    frame = gpd.read_file(shared / "data" / "uk" / "boundaries_london" / "london_lsoa_2011.gpkg")
    return Places.of(frame.set_index("LSOA11CD"))


def test_no_row_of_the_city_of_london_is_lost(store: Store) -> None:
    """42,686 rows in 69 files: README of city_of_london_street."""
    assert store.files[["rows", "accepted", "refused"]].sum().tolist() == [42_686, 42_686, 0]


def test_the_store_holds_what_police_uk_reads(store: Store, source: Path) -> None:
    read = reading(source).incidents.frame
    held = store.incidents().frame
    pd.testing.assert_frame_equal(
        pd.DataFrame(held.to_wkb()),
        pd.DataFrame(read.to_wkb())[held.columns].sort_values(["source", "row"], ignore_index=True),
    )


def test_counts_by_code_are_those_of_a_group_by(store: Store, source: Path) -> None:
    """The slow, obvious way."""
    frame = reading(source).incidents.frame
    keys = [frame["place"], frame["start"].dt.strftime("%Y-%m"), frame["type"]]
    slow = frame.groupby(keys, dropna=False).size()
    fast = store.counts()
    assert len(fast) == len(slow)
    found = zip(fast["place"], fast["month"], fast["type"], fast["count"], strict=True)
    named = {(None if pd.isna(p) else p, m, t): n for p, m, t, n in found}
    assert named == {(None if pd.isna(p) else p, m, t): n for (p, m, t), n in slow.items()}


def test_counts_by_point_are_those_of_one_point_at_a_time(store: Store, source: Path, lsoa: Places) -> None:
    frame = reading(source).incidents.frame
    slow = lsoa.locate(frame.geometry).fillna("none").value_counts()
    fast = store.counts(by="point", places=lsoa)
    by_place = fast["count"].groupby(fast["place"].astype("str").fillna("none")).sum()
    pd.testing.assert_series_equal(
        by_place.sort_index(), slow.sort_index(), check_names=False, check_dtype=False
    )


def test_points_of_london_lie_where_one_area_at_a_time_says(shared: Path, lsoa: Places) -> None:
    """20,000 burglaries of the Metropolitan Police against a plain spatial join."""
    path = shared / "data" / "uk" / "met_burglary" / "met_burglary_2010-12_2021-12.parquet"
    frame = pd.read_parquet(path, columns=["longitude", "latitude"]).dropna()
    frame = frame.iloc[np.random.default_rng(1).choice(len(frame), 20_000, replace=False)].reset_index(
        drop=True
    )
    points = gpd.GeoSeries(gpd.points_from_xy(frame["longitude"], frame["latitude"]), crs=4326).to_crs(27700)
    which, area = lsoa.frame.sindex.query(points, predicate="intersects")
    first = pd.Series(area, index=which).groupby(level=0).min()
    slow = pd.Series(lsoa.index.to_numpy(object)[first], index=first.index).reindex(range(len(points)))
    fast = lsoa.locate(points)
    assert [None if pd.isna(v) else v for v in fast] == [None if pd.isna(v) else v for v in slow]
