"""What the terrain would say with other features, as peelian.toml asks; and what makes explain run again."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError
from peelian.explain.change import HEADING, WhatIf
from peelian.explain.run import Parameters
from peelian.explain.what_if_report import moves
from peelian.loop import run

CORNER = np.array([500000.0, 180000.0])
TOML = """
[project]
name = "A square"
crime = ["Burglary"]
seed = 1

[places]
file = "areas.geojson"
id = "code"
crs = 27700

[[incidents]]
reader = "table"
file = "incidents.csv"
mapping = {{ start = "date", easting = "easting", northing = "northing", id = "id" }}
type = "Burglary"

[[layers]]
reader = "features"
file = "pubs.csv"
name = "pub"

[explain]
mode = "rtmdx"
min_features = 5
replicates = 20
permutations = 99
workers = 1
clusters = 400
hotspots = {{ on = false }}
concentration = {{ on = false }}
near_repeat = {{ on = false }}
aoristic = {{ on = false }}
{more}
"""


def project(folder: Path, more: str) -> Path:
    """A square of 2 km with burglary round eight pubs, and files of what could be otherwise."""
    rng = np.random.default_rng(5)
    pubs = rng.uniform(100, 1900, (8, 2))
    draws = rng.uniform(0, 2000, (3600, 2))
    near = np.min(np.hypot(*(draws[:, None] - pubs[None]).transpose(2, 0, 1)), axis=1) <= 200
    draws = (draws[rng.random(len(draws)) < np.where(near, 0.9, 0.3)][:900] + CORNER).round(1)
    dates = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 365, 900), unit="D")
    frame = pd.DataFrame(draws, columns=["easting", "northing"])
    frame.assign(date=dates.strftime("%Y-%m-%d"), id=range(900)).to_csv(folder / "incidents.csv", index=False)
    pubs = (pubs + CORNER).round(1)
    pd.DataFrame(pubs, columns=["easting", "northing"]).to_csv(folder / "pubs.csv", index=False)
    areas = gpd.GeoDataFrame({"code": ["E1"]}, geometry=[box(500000, 180000, 502000, 182000)], crs=27700)
    areas.to_file(folder / "areas.geojson", driver="GeoJSON")
    first = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*pubs[:1].T), crs=27700).buffer(1)
    gpd.GeoDataFrame(geometry=first).to_file(folder / "closed.gpkg", driver="GPKG")
    pd.DataFrame([[500050, 180050]], columns=["easting", "northing"]).to_csv(folder / "new.csv", index=False)
    (folder / "peelian.toml").write_text(TOML.format(more=more), encoding="utf-8")
    return folder


def test_pubs_taken_away_and_added(tmp_path: Path) -> None:
    asked = '[explain.what_if.pub]\nremove = "closed.gpkg"\nadd = "new.csv"\n'
    folder = project(tmp_path, asked)
    run(folder, until="explain")
    moved = pd.read_csv(folder / "explain" / "what_if.csv")
    assert set(moved["layer"]) == {"pub"}
    assert (moved["change"] > 1).any()
    assert (moved["change"] < 1).any()
    assert (moved["low"] <= moved["change"] + 1e-9).all()
    assert (moved["after"] / moved["before"]).to_numpy() == pytest.approx(moved["change"].to_numpy())
    layer = gpd.read_file(folder / "explain" / "terrain.gpkg", layer="what_if_pub")
    assert sorted(layer["place"]) == sorted(moved["place"])
    said = (folder / "explain" / "section.json").read_text(encoding="utf-8")
    assert f"{HEADING}. With 8 in the place of 8 features of pub, the risk score for burglary is" in said

    # what it was asked with is among what the stage was made from
    pd.DataFrame([[501950, 181950]], columns=["easting", "northing"]).to_csv(folder / "new.csv", index=False)
    steps = {step.stage: step for step in run(folder, until="explain").steps}
    assert steps["explain"].why == ("input new.csv is changed",)
    assert steps["read"].state == "unchanged"
    again = json.loads((folder / "explain" / "terrain.json").read_text(encoding="utf-8"))
    assert again["earlier_runs"] == []  # the terrain itself came out as before


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    folder = project(tmp_path, '[explain.what_if.pub]\nremove = "gone.gpkg"\n')
    with pytest.raises(DataError, match=r"remove names gone\.gpkg|gone\.gpkg.*there is no such file"):
        run(folder, until="explain")


def test_how_places_move_in_words() -> None:
    frame = pd.DataFrame({"change": [0.5, 0.9, 1.0, 1.1, 1.3]}, index=list("abcde"))
    found = moves(WhatIf(frame, "pub", (8, 3), "burglary"))
    assert found.tolist() == ["much lower", "lower", "as before", "higher", "much higher"]


def test_nothing_asked() -> None:
    with pytest.raises(ValueError, match='say remove = "all" or a file of areas'):
        Parameters(what_if={"pub": {}})  # type: ignore[dict-item]
