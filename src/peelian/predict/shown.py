"""Shown: the next period's map by the chosen method, its total at the level that earned its place."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from peelian.predict.beside import Beside, latitude_of
from peelian.predict.breaks import breaks_of
from peelian.predict.extras import Part
from peelian.predict.forecast import Forecast, chosen_map, next_period
from peelian.predict.history import LENGTH, STEP, History, moment_of, step_of
from peelian.predict.level import level_rows, level_to_use, levels_of
from peelian.predict.level_report import level_blocks

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.run import Parameters


def shown(
    incidents: Incidents, cells: Places, tested: Backtest, parameters: Parameters, *,
    prior: pd.Series | None, beside: Beside | None, weather: pd.DataFrame | None, force: str, crime: str,
    crimes: str, source: str, seed: int,
) -> tuple[Forecast, Part]:  # fmt: skip
    """The forecast of the next period, and what is said of its level: season, calendar and weather on the
    total.

    ``weather``  by day or month with the calendar beside it, or None; ``force`` whose changes of recording
                 count beside those of all forces.
    """
    step, length = STEP[tested.horizon], LENGTH[tested.horizon]
    end = step_of(incidents.frame["start"].max(), step) + 1
    history = History.of(incidents, cells, end=moment_of(end, step), step=step)
    starts = [step_of(origin, step) for origin in sorted(tested.by_origin["origin"].unique())]
    levels = levels_of(
        history, starts, length, lag=tested.lag, weather=weather, calendar=parameters.features.calendar,
        latitude=latitude_of(cells), breaks=breaks_of(crime, incidents.span, force=force),
    )  # fmt: skip
    method, _ = chosen_map(tested)
    rows = level_rows(tested, method, levels, seed=seed)
    total = level_to_use(levels, rows, parameters.level)
    blocks = level_blocks(
        levels, rows, tested, history, method, parameters.level, used=total is not None, crimes=crimes,
        source=source,
    )  # fmt: skip
    summary = {
        "used": total, "rows": [asdict(row) for row in rows],
        "kept": [] if levels.test is None else list(levels.test.kept),
    }  # fmt: skip
    when = [moment_of(at, step) for at in (*starts, end)]
    files: dict[str, Any] = {"levels.csv": levels.frame.assign(start=when).reset_index(drop=True)}
    forecast = next_period(incidents, cells, tested, prior=prior, beside=beside, level=total, history=history)
    return forecast, Part(blocks, files, {"level": summary})
