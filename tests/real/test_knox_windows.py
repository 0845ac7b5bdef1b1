"""Vehicle thefts of New York in 2016: what drawing times from windows changes, as docs/explanation/near-repeats.md says."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from peelian.explain import Knox, knox
from peelian.incidents import Incidents

PATH = (
    Path(__file__).resolve().parents[2].parent / "shared/data/world/nyc_vehicle_theft_2014_2017/thefts.csv.gz"
)
if not PATH.is_file():
    pytest.skip("../shared/data/world/nyc_vehicle_theft_2014_2017 is absent.", allow_module_level=True)


@pytest.fixture(scope="module")
def thefts() -> Incidents:
    rows = pd.read_csv(PATH)
    frame = gpd.GeoDataFrame(
        {"start": pd.to_datetime(rows["date_start"]), "end": pd.to_datetime(rows["date_end"]), "type": "Vehicle theft",
         "source": "thefts.csv"},
        geometry=gpd.points_from_xy(rows["lon"], rows["lat"]), crs=4326,
    )  # fmt: skip
    return Incidents(frame.to_crs(32618), precision="minute").between("2016-01", "2017-01")


def asked(events: Incidents, **how: object) -> Knox:
    return knox(events, (0.01, 200), days=(1, 2), permutations=19, seed=1, crime="vehicle theft", **how)  # type: ignore[arg-type]


def test_drawn_times_tell_what_the_middles_tell(thefts: Incidents) -> None:
    middle, drawn = asked(thefts), asked(thefts, windows="draws")
    assert drawn.accounting == middle.accounting
    assert drawn.accounting["window longer than 1 day"] == 2_037
    near = [
        found.frame.set_index(["distance", "time"]).loc[("0-200 m", "0-1 days")] for found in (middle, drawn)
    ]
    assert near[0]["observed"] == 134
    assert near[1]["observed"] == pytest.approx(133.3, abs=2)
    assert [row["ratio_within"] for row in near] == pytest.approx([1.91, 1.90], abs=0.03)


def test_points_of_new_york_look_moved(thefts: Incidents) -> None:
    # the police put each theft at the middle of its street or at a corner
    assert any("they look moved to shared street points" in words for words in asked(thefts).warnings)
