"""Explain where places are no grid cells: areas, hexagons and street segments, by project file and from Python."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import pytest
from shapely import box

from peelian.errors import DesignError
from peelian.places import Places

CRS = 27700


@pytest.mark.parametrize(("make", "what"), [(Places.grid, "cells"), (Places.hexagons, "hexagons")])
def test_too_many_to_lay_are_refused_before_they_are_made(make: Callable[..., Places], what: str) -> None:
    country = gpd.GeoSeries([box(0, 0, 400_000, 500_000)], crs=CRS)
    with pytest.raises(DesignError, match=f"200,000 km² in {what} of 100 m are .* more than 4,000,000"):
        make(country, 100)


def test_hexagons_are_stored_and_come_back_with_their_width(tmp_path) -> None:  # type: ignore[no-untyped-def]
    made = Places.hexagons(gpd.GeoSeries([box(0, 0, 1000, 1000)], crs=CRS), 150)
    made.write(tmp_path / "hexagons.parquet")
    held = Places.load(tmp_path / "hexagons.parquet")
    assert (held.kind, held.cell, held.origin, len(held)) == ("area", 150.0, None, len(made))
