"""Under-reporting: what it moves, and what it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from peelian.errors import DesignError
from peelian.predict.reporting import under_reporting, under_reporting_sentence

PLACES = [f"place {number:02d}" for number in range(40)]
STEEP = pd.Series([1000 * 2 ** -(number // 4) for number in range(40)], PLACES)
LEVEL = pd.Series(np.random.default_rng(1).poisson(30, 40), PLACES)
DEPRIVED = pd.Series([number % 3 == 0 for number in range(40)], PLACES)


def test_places_far_apart_keep_their_order() -> None:
    assert under_reporting(STEEP, chosen=4, draws=50, seed=1)["changed"].max() == 0


def test_the_more_goes_unreported_the_more_places_change() -> None:
    changed = under_reporting(LEVEL, chosen=10, draws=100, seed=1)["changed"]
    assert changed.is_monotonic_increasing


def test_fewer_reports_in_deprived_places_push_them_out() -> None:
    table = under_reporting(LEVEL, chosen=10, deprived=DEPRIVED, draws=100, seed=1)
    rows = table[table["missed"] == 0].sort_values("fewer")
    assert rows["share_deprived"].is_monotonic_decreasing


def test_the_same_seed_gives_the_same_table() -> None:
    tables = [under_reporting(LEVEL, chosen=10, draws=20, seed=3) for _ in range(2)]
    assert tables[0].equals(tables[1])


def test_the_answer_in_words() -> None:
    row = {
        "missed": 0.0, "fewer": 0.2, "changed": 3.0, "low": 2.0, "high": 5.0, "jaccard": 0.5,
        "share_deprived": 0.1, "share_deprived_before": 0.3,
    }  # fmt: skip
    assert under_reporting_sentence(pd.DataFrame([row]), chosen=10) == (
        "If people in the marked places reported 20 points less of what happens, 3 of the 10 chosen places "
        "would be others (90 % of draws: 2 to 5), and 10 % of the chosen, not 30 %, would lie there."
    )


REFUSED = [
    (lambda: under_reporting(LEVEL, chosen=40, seed=1), "between 0 and the 40 places"),
    (lambda: under_reporting(LEVEL, chosen=4, deprived=DEPRIVED[1:], seed=1), "deprived lacks places"),
]


@pytest.mark.parametrize(("ask", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_is_refused(ask: object, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        ask()  # type: ignore[operator]
