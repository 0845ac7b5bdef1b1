"""Other grids: a claim that holds on one grid only is a claim about the grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from peelian.predict.backtest import MAIN_SHARE, Backtest
from peelian.predict.claims import Pair, Verdict

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.report import Table

Grids = Literal["three", "one"]
WIDER = 2


@dataclass(frozen=True)
class Elsewhere:
    """What a method that beat counts did on another grid: ``grid`` in words, and its ``pair`` with counts."""

    grid: str
    pair: Pair


def other_grids(cells: Places) -> dict[str, Places]:
    """The same study area in the same cells moved by half a cell, and in cells twice as wide, by name."""
    from peelian.places import Places

    assert cells.cell is not None
    half = cells.cell / 2
    area = cells.geometry
    moved = Places.grid(area.translate(half, half), cells.cell)
    back = moved.frame.set_geometry(moved.geometry)
    wide = Places.grid(area, WIDER * cells.cell)
    return {
        f"cells of {cells.cell:g} m moved by half a cell": replace(moved, frame=back),
        f"cells of {WIDER * cells.cell:g} m": wide,
    }


def on_other_grids(
    tested: Backtest,
    cells: Places,
    again: Callable[[Places, pd.Series | None, list[str]], Backtest],
    *,
    prior: pd.Series | None = None,
) -> tuple[Backtest, tuple[Elsewhere, ...]]:
    """The backtest with its verdict kept only where it holds on other grids, and what was found there.

    ``again``  from a grid, the terrain on it and the names to test, a backtest on the same origins. Only
               methods that beat counts are tested again; where none did, or places are no grid, nothing is.

    The verdict names the best method that beats counts on every grid; where none does, it says so and counts
    are used (code ``depends on the grid``).
    """
    from peelian.predict.planning import prior_by_area

    beat = tested.pairs[tested.pairs["beats"]].sort_values("log_score")["method"].tolist()
    if tested.verdict.code != "better" or not beat or cells.cell is None:
        return tested, ()
    found: list[Elsewhere] = []
    grids = other_grids(cells)
    for words, grid in grids.items():
        terrain = None if prior is None else prior_by_area(prior, cells, grid)
        pairs = again(grid, terrain, beat).pairs
        found += [Elsewhere(words, Pair(**row)) for row in pairs.to_dict("records") if row["method"] in beat]
    return replace(tested, verdict=_held(tested, beat, found, list(grids))), tuple(found)


def _held(tested: Backtest, beat: list[str], found: list[Elsewhere], grids: list[str]) -> Verdict:
    for name in beat:
        if sum(one.pair.beats for one in found if one.pair.method == name) == len(grids):
            held = f" It held on {' and on '.join(grids)} as well."
            if name == tested.verdict.method:
                return replace(tested.verdict, words=tested.verdict.words + held)
            words = tested.words[name]
            own = Pair(**tested.pairs.set_index("method", drop=False).loc[name].to_dict())
            return Verdict(
                "better",
                f"{words[0].upper()}{words[1:]} did better than counts, on {tested.origins} origins "
                f"({_figures(own)}).{held}",
                name,
            )
    first = {one.grid: one.pair for one in found if one.pair.method == beat[0]}
    failed = next(grid for grid in grids if grid not in first or not first[grid].beats)
    figures = _figures(first[failed]) if failed in first else "it gave no forecast there"
    words = tested.words[beat[0]]
    return Verdict(
        "depends on the grid",
        f"{words[0].upper()}{words[1:]} did better than counts here, but not on {failed} ({figures}): "
        f"it depends on the grid. Use the count.",
        tested.reference,
    )


def _figures(pair: Pair) -> str:
    return (
        f"log score {pair.log_score:+.4f}, 95 % interval {pair.log_score_low:+.4f} to "
        f"{pair.log_score_high:+.4f}; hit rate in {MAIN_SHARE * 100:g} % of the area "
        f"{pair.hit_rate * 100:+.1f} points, {pair.hit_rate_low * 100:+.1f} to "
        f"{pair.hit_rate_high * 100:+.1f}"
    )


def grid_tables(found: tuple[Elsewhere, ...], words: dict[str, str], source: str) -> list[Table]:
    """What each method that beat counts did on each other grid: a table, or none where none was tried."""
    import pandas as pd

    from peelian.report import Table

    if not found:
        return []
    rows = [
        {"method": words.get(one.pair.method, one.pair.method), "grid": one.grid,
         "log score": one.pair.log_score, "low": one.pair.log_score_low, "high": one.pair.log_score_high,
         "hit rate": one.pair.hit_rate, "lowest": one.pair.hit_rate_low, "highest": one.pair.hit_rate_high,
         "beats counts": one.pair.beats}
        for one in found
    ]  # fmt: skip
    held = sum(one.pair.beats for one in found)
    return [
        Table(
            "predict_grids", f"On other grids {held} of {len(rows)} comparisons came out better than counts",
            pd.DataFrame(rows),
            dict.fromkeys(("log score", "low", "high"), "+.4f")
            | dict.fromkeys(("hit rate", "lowest", "highest"), "+.1%"), source,
            note="Less counts of a year, with 95 % intervals: log score (below 0 better) and hit rate in "
            f"{MAIN_SHARE * 100:g} % of the area (points; above 0 better). The same origins and study area.",
            folded=True,
        )
    ]  # fmt: skip
