"""Vehicle thefts in New York 2014-17: the windows have the lengths that were measured, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.aoristic import weights
from peelian.explain import aoristic
from peelian.incidents import Incidents

PATH = (
    Path(__file__).resolve().parents[2].parent / "shared/data/world/nyc_vehicle_theft_2014_2017/thefts.csv.gz"
)
if not PATH.is_file():
    pytest.skip("../shared/data/world/nyc_vehicle_theft_2014_2017 is absent.", allow_module_level=True)


def thefts() -> Incidents:
    rows = pd.read_csv(PATH)
    frame = gpd.GeoDataFrame(
        {"start": pd.to_datetime(rows["date_start"]), "end": pd.to_datetime(rows["date_end"]), "type": "Vehicle theft",
         "source": "thefts.csv"},
        geometry=gpd.points_from_xy(rows["lon"], rows["lat"]), crs=4326,
    )  # fmt: skip
    return Incidents(frame.to_crs(32618), precision="minute")


def test_windows_of_new_york() -> None:
    frame = pd.read_csv(PATH)
    start, end = pd.to_datetime(frame["date_start"]), pd.to_datetime(frame["date_end"])
    found = weights(start, end, long="spread", timezone="America/New_York")
    known = found.hours[~np.isnan(found.hours)]
    assert (len(frame), found.missing_end) == (35_746, 2_852)
    assert np.quantile(known, [0.5, 0.75, 1.0]).round().tolist() == [10, 23, 61_380]
    assert found.totals.sum() == pytest.approx(35_746, abs=1e-6)


@pytest.mark.parametrize(("long", "used"), [("exclude", 31_389), ("spread", 35_746), ("start", 35_746)])
def test_through_the_door_every_row_is_in_the_account(long: str, used: int) -> None:
    found = aoristic(thefts(), cap=72, long=long, timezone="America/New_York", seed=1)  # type: ignore[arg-type]
    account = found.accounting
    assert account["used"] == used
    assert account["of these without an end"] == 2_852
    over = [number for name, number in account.items() if "longer than 72 hours" in name]
    assert over == [35_746 - 31_389]
    # what is laid side by side has the same incidents in each column
    assert found.frame.sum().to_numpy() == pytest.approx(used, abs=1e-6)
