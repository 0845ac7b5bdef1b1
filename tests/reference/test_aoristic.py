"""Aoristic weights by hand: reference/rtm/small_cases.json (spec/explain.md R4), to 1e-12."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peelian.arithmetic.aoristic import weights

PATH = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "rtm" / "small_cases.json"
if not PATH.is_file():
    pytest.skip("../shared/reference/rtm is not beside this checkout.", allow_module_level=True)


@pytest.mark.parametrize("case", json.loads(PATH.read_text())["aoristic_hours"])
def test_hours(case: dict[str, Any]) -> None:
    day = pd.Timestamp("2019-05-01")
    start = day + pd.Timedelta(case["start"] + ":00")
    end = day + pd.Timedelta(case["end"].removesuffix(" next day") + ":00")
    end += pd.Timedelta(int(case["end"].endswith("next day")), "D")
    found = weights([start], [end], by="hour")
    held = {str(int(name)): w for name, w in zip(found.labels, found.totals, strict=True) if w}
    assert held == pytest.approx(case["weights"], abs=1e-12)
