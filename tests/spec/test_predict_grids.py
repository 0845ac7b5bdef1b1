"""Other grids: the same study area cut otherwise, and claims that hold on one cut only."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from peelian.places import Places
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.baselines import EWMA
from peelian.predict.claims import Verdict
from peelian.predict.grids import grid_tables, on_other_grids, other_grids
from peelian.predict.tested import claim_when_late
from tests.spec.test_predict_backtest import CELLS, INCIDENTS

SOURCE = backtest({"ewma": EWMA(12)}, INCIDENTS, CELLS, origins=24, areas=[0.05, 0.2], seed=1)


def saying(code: str, beats: bool) -> Backtest:
    """The same backtest with another verdict."""
    pairs = SOURCE.pairs.assign(beats=beats)
    return replace(SOURCE, pairs=pairs, verdict=Verdict(code, "It did better.", "ewma"))


def test_other_grids_cover_the_same_study_area() -> None:
    cells = Places.grid(gpd.GeoSeries([box(0, 0, 800, 600)], crs="EPSG:27700"), 100)
    moved, wide = other_grids(cells).values()
    assert moved.geometry.total_bounds.tolist() == pytest.approx([50, 50, 850, 650])
    assert wide.geometry.union_all().area == pytest.approx(800 * 600)


def test_a_claim_that_holds_on_every_grid_says_so() -> None:
    again = lambda grid, terrain, names: saying("better", True)  # noqa: E731
    kept, found = on_other_grids(saying("better", True), CELLS, again)
    assert kept.verdict.code == "better"
    assert "It held on cells of 100 m moved by half a cell and on cells of 200 m" in kept.verdict.words
    assert len(found) == 2


def test_where_the_second_best_holds_and_the_best_does_not_it_is_named_with_its_figures() -> None:
    two = SOURCE.pairs.assign(beats=True, log_score=-0.02)
    two = pd.concat([two, two.assign(method="blend", log_score=-0.01)], ignore_index=True)
    tested = replace(
        saying("better", True),
        pairs=two,
        words=SOURCE.words | {"blend": "risk terrain blended with own history"},
    )
    again = lambda grid, terrain, names: replace(  # noqa: E731
        tested, pairs=two.assign(beats=two["method"] == "blend")
    )
    kept, _ = on_other_grids(tested, CELLS, again)
    assert kept.verdict.method == "blend"
    assert "did better than counts, on 24 origins (log score -0.0100, 95 % interval" in kept.verdict.words


def test_a_claim_that_fails_on_one_grid_depends_on_the_grid() -> None:
    again = lambda grid, terrain, names: saying("better", grid.cell == 100)  # noqa: E731
    kept, found = on_other_grids(saying("better", True), CELLS, again)
    assert kept.verdict.code == "depends on the grid"
    assert "not on cells of 200 m" in kept.verdict.words
    assert kept.verdict.words.endswith("it depends on the grid. Use the count.")
    (table,) = grid_tables(found, kept.words, "made up")
    assert table.title == "On other grids 1 of 2 comparisons came out better than counts"
    assert table.frame["beats counts"].tolist() == [True, False]
    assert table.folded
    assert grid_tables((), kept.words, "made up") == []


@pytest.mark.parametrize(("beats", "code"), [(True, "better"), (False, "not better when late")])
def test_on_published_data_a_claim_must_hold_with_two_months_not_yet_known(beats: bool, code: str) -> None:
    late = replace(saying("better", beats), lag=2)
    found = claim_when_late(saying("better", True), late)
    assert found.code == code
    assert "the last 2 months not yet known, as published data are" in found.words
    assert found.words.endswith("Use the count.") is not beats


def test_where_nothing_beat_counts_no_other_grid_is_tested() -> None:
    def again(grid: Places, terrain: pd.Series | None, names: list[str]) -> Backtest:
        raise AssertionError("nothing was claimed")

    assert on_other_grids(saying("not better", False), CELLS, again) == (saying_same(), ())


def saying_same() -> object:
    """Equal to any backtest that says that nothing beat counts."""

    class Same:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Backtest) and other.verdict.code == "not better"

        __hash__ = None  # type: ignore[assignment]

    return Same()
