"""The shifted map on real areas and street-like lines: it rejects idle factors seldom enough, and finds planted ones.

Two hundred tests of each kind are in docs/explanation/risk-terrain.md (``python -m benchmarks shift_sizes``).
"""

from __future__ import annotations

import pytest

from benchmarks import shift_sizes
from benchmarks.measure import CannotMeasure

TESTS, STEPS = 25, 99


@pytest.fixture(scope="module")
def areas() -> shift_sizes.World:
    try:
        return shift_sizes.areas("in_borough")
    except CannotMeasure as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def streets() -> shift_sizes.World:
    try:
        return shift_sizes.streets()
    except CannotMeasure as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(("spread", "reach"), [("anywhere", 0.0), ("where homes are", 800.0)])
def test_idle_factors_on_areas_are_seldom_rejected(
    areas: shift_sizes.World, spread: str, reach: float
) -> None:
    # at 5 %, 5 or more of 25 are rejected in 0.7 % of worlds
    found = shift_sizes.rejected(areas, spread, "idle", reach, TESTS, steps=STEPS)
    assert found["tests"] == TESTS
    assert found["rejected"] <= 4 / TESTS


def test_idle_factors_on_streets_are_seldom_rejected(streets: shift_sizes.World) -> None:
    assert shift_sizes.rejected(streets, "anywhere", "idle", 0.0, TESTS, steps=STEPS)["rejected"] <= 4 / TESTS


def test_planted_factors_are_found(areas: shift_sizes.World, streets: shift_sizes.World) -> None:
    for world in (areas, streets):
        found = shift_sizes.rejected(world, "anywhere", "planted", 0.0, 8, times=2.0, steps=STEPS)
        assert found["rejected"] >= 0.8
