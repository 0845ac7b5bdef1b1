"""Vehicle thefts in New York 2014-17: the windows have the lengths that were measured, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.aoristic import weights

PATH = (
    Path(__file__).resolve().parents[2].parent / "shared/data/world/nyc_vehicle_theft_2014_2017/thefts.csv.gz"
)
if not PATH.is_file():
    pytest.skip("../shared/data/world/nyc_vehicle_theft_2014_2017 is absent.", allow_module_level=True)


def test_windows_of_new_york() -> None:
    frame = pd.read_csv(PATH)
    start, end = pd.to_datetime(frame["date_start"]), pd.to_datetime(frame["date_end"])
    found = weights(start, end, long="spread", timezone="America/New_York")
    known = found.hours[~np.isnan(found.hours)]
    assert (len(frame), found.missing_end) == (35_746, 2_852)
    assert np.quantile(known, [0.5, 0.75, 1.0]).round().tolist() == [10, 23, 61_380]
    assert found.totals.sum() == pytest.approx(35_746, abs=1e-6)
