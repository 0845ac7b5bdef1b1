"""What holds of the audit and of missions whatever the numbers."""

from __future__ import annotations

from random import Random

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from shapely import box

from peelian.places import Places
from peelian.predict.audit import dose, taken
from peelian.predict.dosage import explored
from peelian.predict.missions import missions

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 500, 400)], crs="EPSG:27700"), 100)
NUMBER = len(CELLS)
RISKS = arrays.arrays(float, NUMBER, elements=st.floats(0, 50, allow_nan=False, width=32))
SIZES = arrays.arrays(float, NUMBER, elements=st.integers(1, 900).map(float))


@given(RISKS, SIZES, st.floats(0.01, 0.99))
def test_what_is_taken_fills_the_share_and_nothing_more(
    risk: np.ndarray, size: np.ndarray, share: float
) -> None:
    part = taken(risk, size, share)
    assert ((part >= 0) & (part <= 1)).all()
    assert np.isclose(part @ size, share * size.sum())


@given(RISKS, SIZES, st.floats(0.01, 0.99), st.randoms(use_true_random=False))
def test_what_is_taken_does_not_depend_on_the_order_of_rows(
    risk: np.ndarray, size: np.ndarray, share: float, random: Random
) -> None:
    order = np.array(random.sample(range(NUMBER), NUMBER))
    assert np.allclose(taken(risk, size, share)[order], taken(risk[order], size[order], share))


@given(arrays.arrays(float, (NUMBER, 6), elements=st.integers(0, 9).map(float)))
def test_choosing_everywhere_leaves_nothing_unseen(outcomes: np.ndarray) -> None:
    found = dose(np.ones((NUMBER, 6)), outcomes)
    assert found.ever == NUMBER
    assert not found.unseen > 0


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(30, 200))
def test_an_estimate_of_the_rest_is_never_below_what_was_seen(counts: list[int], rest: int) -> None:
    found = explored(np.array(counts, float), np.zeros(len(counts), int), np.array([rest]))
    assert found.low <= found.total <= found.high
    assert found.total >= sum(counts)
    assert found.low >= sum(counts)


@settings(max_examples=20)
@given(RISKS, st.integers(2, 12), st.integers(0, 5))
def test_missions_hold_the_limit_and_the_same_seed_gives_the_same(
    risk: np.ndarray, boxes: int, seed: int
) -> None:
    values = pd.Series(risk, CELLS.index)
    about = {"crime": "burglary", "day": "today", "boxes": boxes, "seed": seed}
    if not (risk > 0).any():
        return
    first = missions(values, CELLS, **about).frame  # type: ignore[arg-type]
    again = missions(values[::-1], CELLS, **about).frame  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(first, again)
    assert len(first) <= boxes
    assert first["place"].is_unique
    planned, drawn = first[first["kind"] == "planned"], first[first["kind"] == "explore"]
    if len(planned) and len(drawn):
        assert values[planned["place"]].min() >= values[drawn["place"]].max() or len(planned) < boxes - 1
