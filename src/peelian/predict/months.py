"""Months: the maps of the last origins and of the next period in a row, to be moved through with a slider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from peelian import maps
from peelian.report import Chart

if TYPE_CHECKING:
    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.forecast import Forecast

CLASSES = ("to 20 %", "to 10 %", "highest 5 %")
LIMITS = (0.8, 0.9, 0.95)
MOST = 12


def months_map(backtest: Backtest, forecast: Forecast, cells: Places, crimes: str, source: str) -> Chart:
    """The forecasts of the last origins and the next: does the map move, and what did it hold?

    On a page a slider moves through them; on paper they stand side by side.
    """
    past, words = _past(backtest, forecast.method, cells, crimes)
    held = past.assign(**{_name(forecast.start, backtest.horizon): _classes(forecast.frame["risk"])})
    last = str(held.columns[-1])
    words[last] = "The forecast: nothing of it is known yet."
    top = past == CLASSES[-1]
    stays, newest = int(top.all(axis=1).sum()), int(top[top.columns[-1]].sum())
    first = str(past.columns[0])
    spec = maps.cells_over_time(cells, held, legend=f"cells by expected {crimes}", order=CLASSES)
    return Chart(
        "predict_months",
        f"{stays:,} of the {newest:,} cells in the highest 5 % for {past.columns[-1]} were so in each of the "
        f"{past.shape[1]} {backtest.horizon}s from {first}",
        spec | {"usermeta": {"slider": words}},
        f"Maps, one a {backtest.horizon} from {first} to {last}, of the fifth of cells ranked highest by "
        f"what was known before it. {stays:,} cells are in the highest 5 % in all that are past.",
        None, {}, source,
        note=f"Each map was forecast from what was known before its {backtest.horizon}.",
    )  # fmt: skip


def _past(backtest: Backtest, method: str, cells: Places, crimes: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Classes by cell at the last origins, and what the darkest class held then, in words."""
    origins = sorted(backtest.by_origin["origin"].unique())[-MOST:]
    first = backtest.outcomes.shape[1] - len(origins)
    classes, words = {}, {}
    for number, origin in enumerate(origins):
        name = _name(origin, backtest.horizon)
        word = _classes(pd.Series(backtest.forecasts[method][:, first + number], cells.index))
        recorded = backtest.outcomes[:, first + number]
        inside = recorded[(word == CLASSES[-1]).to_numpy()].sum()
        classes[name] = word
        words[name] = (
            f"Of {recorded.sum():,.0f} {crimes} recorded then, {inside:,.0f} lay in the cells of the darkest "
            "class."
        )
    return pd.DataFrame(classes), words


def _classes(risk: pd.Series) -> pd.Series:
    """The class of each cell by its rank; missing below the highest fifth."""
    word = pd.cut(risk.rank(pct=True), [*LIMITS, 1], labels=CLASSES).astype(object)
    return word.where(word.notna(), None)


def _name(start: Any, horizon: str) -> str:
    return pd.Timestamp(start).strftime("%b %Y" if horizon == "month" else "%d %b %Y")
