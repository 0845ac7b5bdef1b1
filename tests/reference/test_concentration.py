"""Gini coefficients by hand: reference/rtm/small_cases.json (spec/explain.md R4), to 1e-12."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from peelian.explain.lorenz import generalised_gini, gini, places_for

PATH = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "rtm" / "small_cases.json"
if not PATH.is_file():
    pytest.skip("../shared/reference/rtm is not beside this checkout.", allow_module_level=True)

CASE = json.loads(PATH.read_text())["gini"]


@pytest.mark.parametrize("case", [CASE, CASE["second_case"]])
def test_gini(case: dict[str, object]) -> None:
    counts = case["counts"]
    assert gini(counts) == pytest.approx(case["gini_plain"], abs=1e-12)
    assert generalised_gini(counts) == pytest.approx(case["gini_generalised"], abs=1e-12)


@pytest.mark.parametrize("percent", [25, 50])
def test_share_of_places(percent: int) -> None:
    needed = places_for(CASE["counts"], percent / 100) / len(CASE["counts"])
    assert needed == pytest.approx(CASE[f"share_of_places_for_{percent}pc"], abs=1e-12)
