"""Layers: named features that come back from a file as they were."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from shapely import Point, box

from peelian.errors import DataError
from peelian.layers import Layer, Layers


def layer(name: str, *points: tuple[float, float], crs: str = "EPSG:27700", **more: object) -> Layer:
    return Layer(name, gpd.GeoDataFrame(geometry=[Point(p) for p in points], crs=crs), **more)  # type: ignore[arg-type]


def test_layers_stand_in_order_of_name() -> None:
    assert Layers.of([layer("pub", (0, 0)), layer("bus_stop", (1, 1))]).names == ["bus_stop", "pub"]


def test_two_layers_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="Two layers are called pub"):
        Layers.of([layer("pub", (0, 0)), layer("pub", (1, 1))])


def test_a_layer_in_degrees_is_refused() -> None:
    with pytest.raises(DataError, match="layer pub: the CRS is WGS 84"):
        layer("pub", (0, 0), crs="EPSG:4326")


def test_an_unknown_layer_says_what_there_is() -> None:
    with pytest.raises(DataError, match="no layer 'gym'; there are pub"):
        Layers.of([layer("pub", (0, 0))])["gym"]


def test_features_beyond_the_reach_are_left_out() -> None:
    layers = Layers.of([layer("pub", (50, 50), (150, 50), (300, 50))])
    assert len(layers.clip(box(0, 0, 100, 100), 100)["pub"]) == 2


def test_layers_come_back_from_a_file_as_they_were(tmp_path: Path) -> None:
    weighed = layer(
        "pub", (0, 0), (5, 5), kind="reported-problem", source="OSM", licence="ODbL 1.0", date="2016"
    )
    weighed.features["weight"] = [1.0, 2.0]
    Layers.of([weighed, layer("gym", (1, 1))]).write(tmp_path)
    back = Layers.load(tmp_path)
    assert back.names == ["gym", "pub"]
    assert (back["pub"].kind, back["pub"].licence, back["pub"].date) == (
        "reported-problem",
        "ODbL 1.0",
        "2016",
    )
    assert back["pub"].features["weight"].tolist() == [1.0, 2.0]
    assert back["pub"].features.geometry.tolist() == weighed.features.geometry.tolist()


def test_no_layers_at_all_come_back_as_none(tmp_path: Path) -> None:
    Layers.of([]).write(tmp_path)
    assert Layers.load(tmp_path).names == []
